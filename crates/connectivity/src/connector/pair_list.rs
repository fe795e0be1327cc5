//! A list that says it all.

use crate::error::check_count;
use crate::{ConnectError, Connector, ConnectorInfo, Csr, Shape, Site};

pub(super) const INFO: ConnectorInfo = ConnectorInfo {
    name: "pairs",
    summary: "the pairs of a list, as often as they stand there",
    parameters: &["pairs", "file"],
};

/// The pairs (pre, post) of a list, as often as they stand there; a row keeps the order of the list.
///
/// Values that belong to the list come in its order; [`Csr::from_pairs_with_order`] says how to bring
/// them into canonical order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PairList {
    /// The pairs, counted from 0 within the slices that are connected.
    pub pairs: Vec<(u32, u32)>,
}

impl Connector for PairList {
    fn name(&self) -> &'static str {
        INFO.name
    }

    fn validate(&self, shape: &Shape) -> Result<(), ConnectError> {
        check_count(self.pairs.len() as u64)?;
        let &Shape { n_pre, n_post, .. } = shape;
        match self.pairs.iter().position(|&(pre, post)| pre >= n_pre || post >= n_post) {
            None => Ok(()),
            Some(position) => {
                let (pre, post) = self.pairs[position];
                Err(ConnectError::PairOutOfRange { position, pre, post, n_pre, n_post })
            }
        }
    }

    fn estimate_synapses(&self, _: &Shape) -> u64 {
        self.pairs.len() as u64
    }

    fn connect(&self, shape: &Shape, _: Site) -> Result<Csr, ConnectError> {
        Csr::from_pairs(shape.n_pre, shape.n_post, &self.pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_taken_as_it_stands() {
        let list = PairList { pairs: vec![(1, 0), (0, 2), (0, 0), (1, 0)] };
        let csr = list.connect(&Shape::between(2, 3), Site::new(0, 0)).unwrap();
        assert_eq!((csr.row(0), csr.row(1)), (&[2, 0][..], &[0, 0][..]));
        for error in [
            list.validate(&Shape::between(2, 2)).unwrap_err(),
            list.connect(&Shape::between(2, 2), Site::new(0, 0)).unwrap_err(),
        ] {
            assert!(matches!(error, ConnectError::PairOutOfRange { position: 1, post: 2, .. }));
        }
    }
}
