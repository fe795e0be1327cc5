//! Each to its counterpart.

use crate::{ConnectError, Connector, ConnectorInfo, Csr, Shape, Site};

pub(super) const INFO: ConnectorInfo = ConnectorInfo {
    name: "one_to_one",
    summary: "the i-th pre neuron to the i-th post neuron",
    parameters: &[],
};

/// The `i`-th pre neuron to the `i`-th post neuron, counted within the slices that are connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OneToOne;

impl Connector for OneToOne {
    fn name(&self) -> &'static str {
        INFO.name
    }

    fn validate(&self, shape: &Shape) -> Result<(), ConnectError> {
        let &Shape { n_pre, n_post, .. } = shape;
        if n_pre == n_post { Ok(()) } else { Err(ConnectError::SizesDiffer { n_pre, n_post }) }
    }

    fn estimate_synapses(&self, shape: &Shape) -> u64 {
        u64::from(shape.n_pre)
    }

    fn connect(&self, shape: &Shape, _: Site) -> Result<Csr, ConnectError> {
        self.validate(shape)?;
        let offsets = (0..=shape.n_pre as usize).collect();
        Csr::from_parts(shape.n_pre, shape.n_post, offsets, (0..shape.n_post).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reaches_its_counterpart() {
        let csr = OneToOne.connect(&Shape::between(3, 3), Site::new(0, 0)).unwrap();
        assert!(csr.pairs().eq([(0, 0), (1, 1), (2, 2)]));
        assert!(matches!(
            OneToOne.connect(&Shape::between(3, 4), Site::new(0, 0)),
            Err(ConnectError::SizesDiffer { n_pre: 3, n_post: 4 })
        ));
    }
}
