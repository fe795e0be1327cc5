//! The same number of sources for every post neuron.
//!
//! Columns are chosen as rows of the mirrored shape, then transposed: a row ascends by post neuron.

use super::fixed_out_degree::{FixedOutDegree, check_degree, choose};
use crate::rows::build_rows;
use crate::transposed::mirrored;
use crate::{ConnectError, Connector, ConnectorInfo, Csr, Shape, Site};

pub(super) const INFO: ConnectorInfo = ConnectorInfo {
    name: "fixed_in_degree",
    summary: "n sources for every post neuron",
    parameters: &["n", "multapses", "self_connections"],
};

/// `n` sources for every post neuron, each choice equally likely.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FixedInDegree {
    /// Sources per post neuron.
    pub n: u32,
    /// Whether a pair may be chosen more than once (NEST's default).
    pub multapses: bool,
    /// Whether a neuron may reach itself.
    pub self_connections: bool,
}

impl FixedInDegree {
    fn mirrored(&self) -> FixedOutDegree {
        let &Self { n, multapses, self_connections } = self;
        FixedOutDegree { n, multapses, self_connections }
    }
}

impl Connector for FixedInDegree {
    fn name(&self) -> &'static str {
        INFO.name
    }

    fn validate(&self, shape: &Shape) -> Result<(), ConnectError> {
        check_degree(&self.mirrored(), &shape.mirrored(), "sources per post neuron")
    }

    fn estimate_synapses(&self, shape: &Shape) -> u64 {
        u64::from(shape.n_post) * u64::from(self.n)
    }

    fn estimate_bytes(&self, shape: &Shape) -> u64 {
        // The columns, twice, or the columns and the rows.
        let offsets = 24 * (u64::from(shape.n_pre) + u64::from(shape.n_post) + 2);
        self.estimate_synapses(shape).saturating_mul(8).saturating_add(offsets)
    }

    fn connect(&self, shape: &Shape, site: Site) -> Result<Csr, ConnectError> {
        self.validate(shape)?;
        let turned = shape.mirrored();
        let columns = build_rows(
            turned.n_pre,
            turned.n_post,
            || (),
            |(), post, out| {
                let candidates = turned.candidates(post, self.self_connections);
                choose(&mut site.stream(u64::from(post)), candidates, self.n, self.multapses, out);
                Ok(())
            },
        )?;
        Ok(mirrored(&columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::tests::connected;

    #[test]
    fn every_column_is_as_long_as_asked() {
        for multapses in [false, true] {
            let rule = FixedInDegree { n: 12, multapses, self_connections: false };
            let csr = connected(&rule, &Shape::between(20, 70), Site::new(3, 3));
            let columns = csr.transpose();
            assert!((0..70).all(|post| columns.column_range(post).len() == 12));
            assert_eq!(csr.first_unsorted_row().is_some(), multapses);
        }
    }

    #[test]
    fn more_sources_than_there_are_are_refused() {
        let rule = FixedInDegree { n: 21, multapses: false, self_connections: true };
        let error = rule.validate(&Shape::between(20, 70)).unwrap_err();
        assert_eq!(error.to_string(), "`21` sources per post neuron are wanted, but only `20` are possible");
    }
}
