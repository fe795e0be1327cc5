//! A given number of synapses in all.
//!
//! With multapses each synapse takes any pair with equal chance. The length of each row is drawn
//! first, as binomial share of what is left (together they are multinomial), so that rows can then be
//! filled independently. Without multapses, pairs are drawn until there are enough different ones;
//! more than half of all pairs are chosen by those left out.

use rayon::prelude::*;

use crate::error::check_count;
use crate::rows::build_rows;
use crate::{ConnectError, Connector, ConnectorInfo, Csr, Shape, Site};

pub(super) const INFO: ConnectorInfo = ConnectorInfo {
    name: "fixed_total_number",
    summary: "n synapses in all, between any pairs",
    parameters: &["n", "multapses", "self_connections"],
};

/// `n` synapses in all, every pair equally likely.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FixedTotalNumber {
    /// Synapses in all.
    pub n: u64,
    /// Whether a pair may be chosen more than once (NEST's default).
    pub multapses: bool,
    /// Whether a neuron may reach itself.
    pub self_connections: bool,
}

/// The sequence that decides row lengths; rows use the sequences 0 to 2^32.
const ROW_LENGTHS: u64 = u64::MAX;
/// Pairs that one task draws from one sequence.
const PAIRS_PER_TASK: u64 = 1 << 14;

impl FixedTotalNumber {
    fn with_multapses(&self, shape: &Shape, site: Site) -> Result<Csr, ConnectError> {
        let lengths = self.row_lengths(shape, site);
        build_rows(
            shape.n_pre,
            shape.n_post,
            || (),
            |(), pre, out| {
                let candidates = shape.candidates(pre, self.self_connections);
                let n = lengths[pre as usize];
                super::fixed_out_degree::choose(&mut site.stream(u64::from(pre)), candidates, n, true, out);
                Ok(())
            },
        )
    }

    fn row_lengths(&self, shape: &Shape, site: Site) -> Vec<u32> {
        let mut stream = site.stream(ROW_LENGTHS);
        let mut synapses_left = self.n as i64;
        let mut pairs_left = shape.n_pairs(self.self_connections);
        (0..shape.n_pre)
            .map(|pre| {
                let here = u64::from(shape.candidates(pre, self.self_connections).count);
                // The last row that has any pair gets a share of exactly one.
                let share = if pairs_left == 0 { 0.0 } else { here as f64 / pairs_left as f64 };
                let n = stream.binomial(synapses_left, share);
                synapses_left -= n;
                pairs_left -= here;
                n as u32
            })
            .collect()
    }

    fn without_multapses(&self, shape: &Shape, site: Site) -> Result<Csr, ConnectError> {
        let pairs = shape.n_pairs(self.self_connections);
        if self.n <= pairs / 2 {
            let chosen = self.different_pairs(shape, site, self.n);
            return from_pair_numbers(shape, &chosen);
        }
        let absent = self.different_pairs(shape, site, pairs - self.n);
        build_rows(
            shape.n_pre,
            shape.n_post,
            || (),
            |(), pre, out| {
                let first = u64::from(pre) * u64::from(shape.n_post);
                let mut skip = &absent[absent.partition_point(|&pair| pair < first)..];
                let own = if self.self_connections { None } else { shape.self_target(pre) };
                for post in 0..shape.n_post {
                    match skip.split_first() {
                        Some((&pair, rest)) if pair == first + u64::from(post) => skip = rest,
                        Some(_) | None if own == Some(post) => {}
                        Some(_) | None => out.push(post),
                    }
                }
                Ok(())
            },
        )
    }

    /// `n` different pairs as `pre * n_post + post`, ascending.
    fn different_pairs(&self, shape: &Shape, site: Site, n: u64) -> Vec<u64> {
        let all = u64::from(shape.n_pre) * u64::from(shape.n_post);
        let mut pairs: Vec<u64> = Vec::new();
        let mut first_task = 0;
        while (pairs.len() as u64) < n {
            let missing = n - pairs.len() as u64;
            let n_tasks = missing.div_ceil(PAIRS_PER_TASK);
            let mut drawn: Vec<u64> = (0..n_tasks)
                .into_par_iter()
                .flat_map_iter(|task| {
                    let mut stream = site.stream(first_task + task);
                    let count = PAIRS_PER_TASK.min(missing - task * PAIRS_PER_TASK);
                    (0..count)
                        .map(move |_| stream.below(all))
                        .filter(|pair| self.self_connections || !is_self(shape, *pair))
                })
                .collect();
            first_task += n_tasks;
            drawn.par_sort_unstable();
            drawn.dedup();
            pairs = if pairs.is_empty() { drawn } else { merge(&pairs, &drawn) };
        }
        pairs
    }
}

/// The union of two ascending lists.
fn merge(a: &[u64], b: &[u64]) -> Vec<u64> {
    let mut union = Vec::with_capacity(a.len() + b.len());
    let mut from = 0;
    for &pair in b {
        let before = from + a[from..].partition_point(|&other| other < pair);
        union.extend_from_slice(&a[from..before]);
        if a.get(before) != Some(&pair) {
            union.push(pair);
        }
        from = before;
    }
    union.extend_from_slice(&a[from..]);
    union
}

fn is_self(shape: &Shape, pair: u64) -> bool {
    let n_post = u64::from(shape.n_post);
    shape.is_self((pair / n_post) as u32, (pair % n_post) as u32)
}

/// Rows from ascending pair numbers.
fn from_pair_numbers(shape: &Shape, pairs: &[u64]) -> Result<Csr, ConnectError> {
    let n_post = u64::from(shape.n_post);
    let mut offsets = Vec::with_capacity(shape.n_pre as usize + 1);
    let mut targets = Vec::with_capacity(pairs.len());
    offsets.push(0);
    let mut rest = pairs.iter().peekable();
    for pre in 0..u64::from(shape.n_pre) {
        while let Some(pair) = rest.next_if(|&&pair| pair < (pre + 1) * n_post) {
            targets.push((pair - pre * n_post) as u32);
        }
        offsets.push(targets.len());
    }
    Csr::from_parts(shape.n_pre, shape.n_post, offsets, targets)
}

impl Connector for FixedTotalNumber {
    fn name(&self) -> &'static str {
        INFO.name
    }

    fn validate(&self, shape: &Shape) -> Result<(), ConnectError> {
        check_count(self.n)?;
        let available = shape.n_pairs(self.self_connections);
        let enough = if self.multapses { self.n == 0 || available > 0 } else { self.n <= available };
        if enough {
            Ok(())
        } else {
            Err(ConnectError::NotEnough { what: "synapses", wanted: self.n, available })
        }
    }

    fn estimate_synapses(&self, _: &Shape) -> u64 {
        self.n
    }

    fn estimate_bytes(&self, shape: &Shape) -> u64 {
        // Pair numbers take eight bytes, and parallel parts of them as much again.
        let per_synapse = if self.multapses { 8 } else { 20 };
        let offsets = 16 * (u64::from(shape.n_pre) + 1);
        self.n.saturating_mul(per_synapse).saturating_add(offsets)
    }

    fn connect(&self, shape: &Shape, site: Site) -> Result<Csr, ConnectError> {
        self.validate(shape)?;
        if self.multapses { self.with_multapses(shape, site) } else { self.without_multapses(shape, site) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::tests::{connected, shapes};

    #[test]
    fn the_number_is_exact() {
        for shape in shapes() {
            for (multapses, self_connections) in [(true, true), (true, false), (false, true), (false, false)]
            {
                for n in [0, 1, 250, 500, 2_000] {
                    let rule = FixedTotalNumber { n, multapses, self_connections };
                    if rule.validate(&shape).is_err() {
                        continue;
                    }
                    let csr = connected(&rule, &shape, Site::new(4, 4));
                    assert_eq!(csr.n_syn() as u64, n);
                    assert!(multapses || csr.first_unsorted_row().is_none());
                }
            }
        }
    }

    #[test]
    fn every_pair_is_equally_likely() {
        for (n, multapses) in [(100, true), (30, false), (80, false)] {
            let rule = FixedTotalNumber { n, multapses, self_connections: false };
            let mut counts = [0.0; 110];
            let mut expected = 0.0;
            for site in 0..1000 {
                let csr = rule.connect(&Shape::within(11), Site::new(4, site)).unwrap();
                for (pre, post) in csr.pairs() {
                    let post = if post > pre { post - 1 } else { post };
                    counts[(pre * 10 + post) as usize] += 1.0;
                }
                expected += n as f64 / 110.0;
            }
            let variance = if multapses { expected } else { expected * (1.0 - n as f64 / 110.0) };
            let chi2: f64 = counts.iter().map(|c| (c - expected) * (c - expected) / variance).sum();
            assert!((chi2 - 109.0).abs() < 5.0 * 218.0_f64.sqrt(), "{n} {multapses}: {chi2}");
        }
    }

    #[test]
    fn all_pairs_are_the_most_without_multapses() {
        let rule = |n| FixedTotalNumber { n, multapses: false, self_connections: false };
        let csr = rule(90).connect(&Shape::within(10), Site::new(1, 1)).unwrap();
        assert!(csr.pairs().all(|(pre, post)| pre != post) && csr.n_syn() == 90);
        assert!(rule(91).connect(&Shape::within(10), Site::new(1, 1)).is_err());
    }
}
