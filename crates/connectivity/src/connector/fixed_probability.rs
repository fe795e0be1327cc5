//! Each pair with the same probability, independently.
//!
//! A row does not ask every pair: it draws the gap to the next chosen one (or, above one half, to the
//! next one left out), from a random sequence of its own.

use neuropil_rng::Gaps;

use crate::error::check_count;
use crate::rows::build_rows;
use crate::{ConnectError, Connector, ConnectorInfo, Csr, Shape, Site};

pub(super) const INFO: ConnectorInfo = ConnectorInfo {
    name: "fixed_probability",
    summary: "each pair with probability p, at most once",
    parameters: &["p", "self_connections"],
};

/// Each pair with probability `p`, at most once.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FixedProbability {
    /// The probability, 0 to 1.
    pub p: f64,
    /// Whether a neuron may reach itself.
    pub self_connections: bool,
}

impl Connector for FixedProbability {
    fn name(&self) -> &'static str {
        INFO.name
    }

    fn validate(&self, shape: &Shape) -> Result<(), ConnectError> {
        if !(0.0..=1.0).contains(&self.p) {
            return Err(ConnectError::ProbabilityOutOfRange { p: self.p });
        }
        check_count((shape.n_pairs(self.self_connections) as f64 * self.p) as u64)
    }

    fn estimate_synapses(&self, shape: &Shape) -> u64 {
        let pairs = shape.n_pairs(self.self_connections);
        let mean = pairs as f64 * self.p;
        let deviation = (mean * (1.0 - self.p)).sqrt();
        ((mean + 6.0 * deviation + 1.0).ceil() as u64).min(pairs)
    }

    fn connect(&self, shape: &Shape, site: Site) -> Result<Csr, ConnectError> {
        self.validate(shape)?;
        let by_absence = self.p > 0.5;
        // 1 - p is exact for p in [0.5, 1].
        let gaps = Gaps::new(if by_absence { 1.0 - self.p } else { self.p });
        build_rows(
            shape.n_pre,
            shape.n_post,
            || (),
            |(), pre, out| {
                let candidates = shape.candidates(pre, self.self_connections);
                let mut stream = site.stream(u64::from(pre));
                let mut from = 0;
                loop {
                    let next = gaps.next(&mut stream).saturating_add(from);
                    let end = next.min(u64::from(candidates.count));
                    if by_absence {
                        out.extend((from as u32..end as u32).map(|k| candidates.nth(k)));
                    }
                    if next >= u64::from(candidates.count) {
                        return Ok(());
                    }
                    if !by_absence {
                        out.push(candidates.nth(next as u32));
                    }
                    from = next + 1;
                }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::tests::{connected, shapes};

    #[test]
    fn the_number_of_synapses_has_its_mean_and_spread() {
        for p in [0.001, 0.02, 0.5, 0.7, 0.98] {
            let shape = Shape::within(1000);
            let csr = connected(&FixedProbability { p, self_connections: false }, &shape, Site::new(5, 1));
            let mean = 999_000.0 * p;
            let deviation = (mean * (1.0 - p)).sqrt();
            assert!((csr.n_syn() as f64 - mean).abs() < 5.0 * deviation, "{p}: {}", csr.n_syn());
            assert_eq!(csr.first_unsorted_row(), None);
            // In-degrees are binomial too: chi-square against their mean and variance.
            let (mean, variance) = (999.0 * p, 999.0 * p * (1.0 - p));
            let columns = csr.transpose();
            let chi2: f64 = (0..1000)
                .map(|post| columns.column_range(post).len() as f64 - mean)
                .map(|d| d * d / variance)
                .sum();
            assert!((chi2 - 1000.0).abs() < 6.0 * 2000.0_f64.sqrt(), "{p}: {chi2}");
        }
    }

    #[test]
    fn none_and_all_are_exact() {
        for shape in shapes() {
            let count =
                |p| connected(&FixedProbability { p, self_connections: true }, &shape, Site::new(1, 1));
            assert_eq!(count(0.0).n_syn(), 0);
            assert_eq!(count(1.0).n_syn() as u64, u64::from(shape.n_pre) * u64::from(shape.n_post));
        }
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        for p in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            let rule = FixedProbability { p, self_connections: true };
            let error = rule.connect(&Shape::within(3), Site::new(0, 0)).unwrap_err();
            assert!(matches!(error, ConnectError::ProbabilityOutOfRange { .. }));
        }
    }
}
