//! Everybody to everybody.

use crate::error::check_count;
use crate::rows::build_rows;
use crate::{ConnectError, Connector, ConnectorInfo, Csr, Shape, Site};

pub(super) const INFO: ConnectorInfo = ConnectorInfo {
    name: "all_to_all",
    summary: "every pre neuron to every post neuron",
    parameters: &["self_connections", "repeat"],
};

/// Every pre neuron to every post neuron, `repeat` times each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AllToAll {
    /// Whether a neuron reaches itself.
    pub self_connections: bool,
    /// Synapses per pair.
    pub repeat: u32,
}

impl Connector for AllToAll {
    fn name(&self) -> &'static str {
        INFO.name
    }

    fn validate(&self, shape: &Shape) -> Result<(), ConnectError> {
        check_count(self.estimate_synapses(shape))
    }

    fn estimate_synapses(&self, shape: &Shape) -> u64 {
        shape.n_pairs(self.self_connections).saturating_mul(u64::from(self.repeat))
    }

    fn connect(&self, shape: &Shape, _: Site) -> Result<Csr, ConnectError> {
        self.validate(shape)?;
        build_rows(
            shape.n_pre,
            shape.n_post,
            || (),
            |(), pre, out| {
                let candidates = shape.candidates(pre, self.self_connections);
                if self.repeat == 1 {
                    out.extend((0..candidates.count).map(|k| candidates.nth(k)));
                    return Ok(());
                }
                for k in 0..candidates.count {
                    out.extend(std::iter::repeat_n(candidates.nth(k), self.repeat as usize));
                }
                Ok(())
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_repeat_in_place() {
        let rule = AllToAll { self_connections: false, repeat: 2 };
        let csr = rule.connect(&Shape::within(3), Site::new(0, 0)).unwrap();
        assert_eq!((csr.row(0), csr.row(1)), (&[1, 1, 2, 2][..], &[0, 0, 2, 2][..]));
        assert_eq!(csr.n_syn(), 12);
    }

    #[test]
    fn too_many_synapses_are_refused_before_anything_is_built() {
        let rule = AllToAll { self_connections: true, repeat: u32::MAX };
        let shape = Shape::between(u32::MAX, u32::MAX);
        assert!(matches!(
            rule.connect(&shape, Site::new(0, 0)),
            Err(ConnectError::TooManySynapses { n_syn: u64::MAX })
        ));
    }
}
