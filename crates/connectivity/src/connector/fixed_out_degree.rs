//! The same number of targets for every pre neuron.

use neuropil_rng::Stream;

use super::shape::Candidates;
use crate::error::check_count;
use crate::rows::build_rows;
use crate::{ConnectError, Connector, ConnectorInfo, Csr, Shape, Site};

pub(super) const INFO: ConnectorInfo = ConnectorInfo {
    name: "fixed_out_degree",
    summary: "n targets for every pre neuron",
    parameters: &["n", "multapses", "self_connections"],
};

/// `n` targets for every pre neuron, each choice equally likely.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FixedOutDegree {
    /// Targets per pre neuron.
    pub n: u32,
    /// Whether a pair may be chosen more than once (NEST's default).
    pub multapses: bool,
    /// Whether a neuron may reach itself.
    pub self_connections: bool,
}

/// Checks that each of the rows of `shape` can choose `n` partners.
pub(super) fn check_degree(
    rule: &FixedOutDegree,
    shape: &Shape,
    what: &'static str,
) -> Result<(), ConnectError> {
    check_count(u64::from(shape.n_pre) * u64::from(rule.n))?;
    // Only some rows may have one candidate less: those whose own neuron stands on the other side.
    let any_self = shape.n_pairs(true) != shape.n_pairs(rule.self_connections);
    let available = shape.n_post - u32::from(any_self);
    let enough = if rule.multapses { rule.n == 0 || available > 0 } else { rule.n <= available };
    if enough || shape.n_pre == 0 {
        return Ok(());
    }
    Err(ConnectError::NotEnough { what, wanted: u64::from(rule.n), available: u64::from(available) })
}

/// Appends `n` of the candidates, ascending.
pub(super) fn choose(stream: &mut Stream, of: Candidates, n: u32, multapses: bool, out: &mut Vec<u32>) {
    let start = out.len();
    if multapses {
        stream.sample_with_replacement(of.count, n, out);
    } else {
        stream.sample(of.count, n, out);
    }
    for k in &mut out[start..] {
        *k = of.nth(*k);
    }
}

impl Connector for FixedOutDegree {
    fn name(&self) -> &'static str {
        INFO.name
    }

    fn validate(&self, shape: &Shape) -> Result<(), ConnectError> {
        check_degree(self, shape, "targets per pre neuron")
    }

    fn estimate_synapses(&self, shape: &Shape) -> u64 {
        u64::from(shape.n_pre) * u64::from(self.n)
    }

    fn connect(&self, shape: &Shape, site: Site) -> Result<Csr, ConnectError> {
        self.validate(shape)?;
        build_rows(
            shape.n_pre,
            shape.n_post,
            || (),
            |(), pre, out| {
                let candidates = shape.candidates(pre, self.self_connections);
                choose(&mut site.stream(u64::from(pre)), candidates, self.n, self.multapses, out);
                Ok(())
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::tests::connected;

    #[test]
    fn every_row_is_as_long_as_asked() {
        for multapses in [false, true] {
            let rule = FixedOutDegree { n: 30, multapses, self_connections: false };
            let csr = connected(&rule, &Shape::within(50), Site::new(3, 3));
            assert!((0..50).all(|pre| csr.row(pre).len() == 30));
            assert_eq!(csr.first_unsorted_row().is_some(), multapses);
        }
    }

    #[test]
    fn more_partners_than_there_are_need_multapses() {
        let shape = Shape::within(10);
        let rule = |n, multapses, self_connections| FixedOutDegree { n, multapses, self_connections };
        assert!(rule(10, false, true).validate(&shape).is_ok());
        assert!(rule(11, true, true).validate(&shape).is_ok());
        let error = rule(10, false, false).validate(&shape).unwrap_err();
        assert_eq!(error.to_string(), "`10` targets per pre neuron are wanted, but only `9` are possible");
        assert!(rule(1, true, false).validate(&Shape::within(1)).is_err());
        assert!(rule(1, true, false).validate(&Shape::between(5, 0)).is_err());
        assert!(rule(0, true, false).validate(&Shape::within(0)).is_ok());
    }
}
