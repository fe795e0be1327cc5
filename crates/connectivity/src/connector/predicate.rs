//! Pairs for which an expression holds, or by the probability that it gives.

use crate::error::check_count;
use crate::rows::build_rows;
use crate::{ConnectError, Connector, ConnectorInfo, Csr, Shape, Site};

pub(super) const INFO: ConnectorInfo = ConnectorInfo {
    name: "condition",
    summary: "pairs for which an expression holds, or with the probability that it gives",
    parameters: &["condition", "p", "repeat", "self_connections"],
};

/// Something that gives a value for each pair of a row; somebody else evaluates expressions.
pub trait RowRule: Sync {
    /// Writes the value of the pair (`pre`, `post`) into `out[post]`, for all post neurons.
    ///
    /// 0 or less means no, 1 or more means yes; in between it is a probability. `out` holds zeros.
    /// Rows are asked for in any order and from several threads at once.
    ///
    /// # Errors
    /// A sentence that says why there is no value.
    fn row(&self, pre: u32, out: &mut [f64]) -> Result<(), String>;
}

/// The pairs that a rule chooses, `repeat` synapses each.
///
/// A pair of probability `p` is chosen if word `pre * n_post + post` of the site (draw 0, step 0), as a
/// multiple of 2^-32, is below `p`.
#[derive(Clone, Copy)]
pub struct Predicate<'a> {
    /// Gives truth or probability of each pair.
    pub rule: &'a dyn RowRule,
    /// Synapses per chosen pair.
    pub repeat: u32,
    /// Whether a neuron may reach itself.
    pub self_connections: bool,
}

/// What a task needs for a row.
struct Scratch {
    values: Vec<f64>,
    words: Vec<u32>,
}

impl Predicate<'_> {
    fn row(&self, shape: &Shape, site: Site, pre: u32, own: &mut Scratch) -> Result<(), ConnectError> {
        let values = &mut own.values;
        values.fill(0.0);
        self.rule.row(pre, values).map_err(|message| ConnectError::Rule { pre, message })?;
        if !self.self_connections
            && let Some(post) = shape.self_target(pre)
        {
            values[post as usize] = 0.0;
        }
        if let Some(post) = values.iter().position(|value| value.is_nan()) {
            return Err(ConnectError::NotANumber { pre, post: post as u32 });
        }
        if values.iter().all(|&p| p <= 0.0 || p >= 1.0) {
            return Ok(());
        }
        own.words.resize(values.len(), 0);
        let first = u64::from(pre) * u64::from(shape.n_post);
        neuropil_rng::fill(site.seed, site.site, 0, 0, first, &mut own.words);
        for (value, &word) in values.iter_mut().zip(&own.words) {
            if *value < 1.0 && f64::from(word) >= *value * 4_294_967_296.0 {
                *value = 0.0;
            }
        }
        Ok(())
    }
}

impl Connector for Predicate<'_> {
    fn name(&self) -> &'static str {
        INFO.name
    }

    fn validate(&self, _: &Shape) -> Result<(), ConnectError> {
        Ok(())
    }

    fn estimate_synapses(&self, shape: &Shape) -> u64 {
        shape.n_pairs(self.self_connections).saturating_mul(u64::from(self.repeat))
    }

    fn connect(&self, shape: &Shape, site: Site) -> Result<Csr, ConnectError> {
        let scratch = || Scratch { values: vec![0.0; shape.n_post as usize], words: Vec::new() };
        build_rows(shape.n_pre, shape.n_post, scratch, |own, pre, out| {
            self.row(shape, site, pre, own)?;
            let chosen = own.values.iter().filter(|&&p| p > 0.0).count() as u64;
            check_count(chosen.saturating_mul(u64::from(self.repeat)))?;
            for (&p, post) in own.values.iter().zip(0..) {
                if p > 0.0 {
                    out.extend(std::iter::repeat_n(post, self.repeat as usize));
                }
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::tests::{connected, shapes};

    struct By<F>(F);

    impl<F: Fn(u32, u32) -> f64 + Sync> RowRule for By<F> {
        fn row(&self, pre: u32, out: &mut [f64]) -> Result<(), String> {
            for (post, slot) in (0..).zip(out) {
                *slot = self.0(pre, post);
            }
            Ok(())
        }
    }

    fn rule<R: RowRule>(rule: &R, repeat: u32) -> Predicate<'_> {
        Predicate { rule, repeat, self_connections: false }
    }

    #[test]
    fn a_condition_chooses_pairs() {
        let near = By(|i: u32, j: u32| f64::from(u8::from(i.abs_diff(j) <= 1)));
        let csr = connected(&rule(&near, 2), &Shape::within(4), Site::new(1, 1));
        assert_eq!((csr.row(0), csr.row(2)), (&[1, 1][..], &[1, 1, 3, 3][..]));
        for shape in shapes() {
            let csr = connected(&rule(&near, 1), &shape, Site::new(1, 1));
            let expected = (0..shape.n_pre)
                .flat_map(|i| (0..shape.n_post).map(move |j| (i, j)))
                .filter(|&(i, j)| i.abs_diff(j) <= 1 && !shape.is_self(i, j));
            assert!(csr.pairs().eq(expected));
        }
    }

    #[test]
    fn a_probability_is_met_by_its_word() {
        let falling = By(|i: u32, j: u32| 1.5 / f64::from(i.abs_diff(j)).max(1.0));
        let shape = Shape::between(100, 90);
        let csr = connected(&rule(&falling, 1), &shape, Site::new(8, 2));
        let expected = (0..100_u32).flat_map(|i| (0..90_u32).map(move |j| (i, j))).filter(|&(i, j)| {
            let word = neuropil_rng::word(8, 2, 0, u64::from(i * 90 + j), 0);
            f64::from(word) / 4_294_967_296.0 < 1.5 / f64::from(i.abs_diff(j)).max(1.0)
        });
        assert!(csr.pairs().eq(expected));
        let half = By(|_: u32, _: u32| 0.25);
        let n = connected(&rule(&half, 1), &Shape::between(200, 200), Site::new(8, 3)).n_syn() as f64;
        assert!((n - 10_000.0).abs() < 5.0 * 7_500.0_f64.sqrt(), "{n}");
    }

    #[test]
    fn the_first_pair_without_a_value_is_named() {
        let broken = By(|i: u32, j: u32| if i >= 20 && j == 3 { f64::NAN } else { 0.0 });
        let error = rule(&broken, 1).connect(&Shape::between(200, 5), Site::new(1, 1)).unwrap_err();
        assert!(matches!(error, ConnectError::NotANumber { pre: 20, post: 3 }));
    }

    #[test]
    fn endless_repeats_are_refused() {
        let all = By(|_: u32, _: u32| 1.0);
        let error = rule(&all, u32::MAX).connect(&Shape::between(1, 9), Site::new(1, 1)).unwrap_err();
        assert!(matches!(error, ConnectError::TooManySynapses { .. }));
    }
}
