//! Gaps between successes: which of many candidates are chosen when each is with the same probability.

use crate::Stream;
use neuropil_math::host::{log, log1p};

/// Below this probability a table of powers would be large, and gaps are seldom drawn anyway.
const TABLE_FROM: f64 = 1.0 / 32_768.0;
/// The table reaches this many mean gaps; beyond it a gap starts again (it has no memory).
const REACH: f64 = 4.0;
/// Most ranges hold no power, so that the search seldom takes a step.
const RANGES_PER_POWER: usize = 8;
/// 1 in units of 2^-53.
const ONE: f64 = 9_007_199_254_740_992.0;

/// How many trials fail before the first success of probability `p`: the geometric distribution, by
/// inversion of a number `u` in (0, 1] with 53 bits.
///
/// The gap is the number of powers `(1 - p)^k`, `k` = 1, 2, ..., that are at least `u`. They stand in a
/// table, and a second table says where the search for `u` starts (Chen & Asau 1974, "On generating
/// random variates from an empirical distribution", AIIE Trans. 6:163-166), so that a gap takes two
/// words and a few nanoseconds.
#[derive(Clone, Debug)]
pub struct Gaps {
    method: Method,
}

#[derive(Clone, Debug)]
enum Method {
    /// Never a success.
    Never,
    /// `floor(ln u / ln(1 - p))`, with the factor `1 / ln(1 - p)`.
    Logarithm(f64),
    /// `powers[k]` is `(1 - p)^(k + 1)` in units of 2^-53; `guide[b]` is where to start for the `b`-th of
    /// equally wide ranges of `u`; a right shift by `shift` of the 53 bits of `u` gives `b`.
    Table { powers: Vec<u64>, guide: Vec<u32>, shift: u32 },
}

impl Gaps {
    /// Gaps between successes of probability `p`, which is clamped to 0..1 (NaN counts as 0).
    #[must_use]
    pub fn new(p: f64) -> Self {
        let method = if p.is_nan() || p <= 0.0 {
            Method::Never
        } else if p < TABLE_FROM {
            Method::Logarithm(1.0 / log1p(-p))
        } else {
            Self::table(p.min(1.0))
        };
        Self { method }
    }

    fn table(p: f64) -> Method {
        let n = (REACH / p).ceil() as usize;
        let mut powers = Vec::with_capacity(n);
        let mut power = 1.0;
        for _ in 0..n {
            power *= 1.0 - p;
            powers.push((power * ONE) as u64);
        }
        let ranges = n.next_power_of_two() * RANGES_PER_POWER;
        let shift = 53 - ranges.trailing_zeros();
        let mut guide = vec![0; ranges];
        let mut start = 0;
        for (b, slot) in guide.iter_mut().enumerate().rev() {
            let upper = (b as u64 + 1) << shift;
            while powers.get(start).is_some_and(|&power| power >= upper) {
                start += 1;
            }
            *slot = start as u32;
        }
        Method::Table { powers, guide, shift }
    }

    /// The next gap; `u64::MAX` if there is never a success.
    #[inline]
    pub fn next(&self, stream: &mut Stream) -> u64 {
        match &self.method {
            Method::Never => u64::MAX,
            // Truncation is the floor here, and the cast saturates.
            Method::Logarithm(factor) => (log(stream.uniform_above_zero()) * factor) as u64,
            Method::Table { powers, guide, shift } => {
                let mut skipped = 0;
                loop {
                    let bits = stream.next_u64() >> 11;
                    let u = bits + 1;
                    let mut gap = guide[(bits >> shift) as usize] as usize;
                    while powers.get(gap).is_some_and(|&power| power >= u) {
                        gap += 1;
                    }
                    skipped += gap as u64;
                    if gap < powers.len() {
                        return skipped;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_geometric() {
        for p in [1e-6, 1e-4, 0.02, 0.3, 0.5, 0.99] {
            let (gaps, mut stream) = (Gaps::new(p), Stream::new(3, 3, 3));
            let n = 40_000;
            let (mut sum, mut none) = (0.0, 0.0);
            for _ in 0..n {
                let gap = gaps.next(&mut stream);
                sum += gap as f64;
                none += f64::from(u8::from(gap == 0));
            }
            let (q, n) = (1.0 - p, f64::from(n));
            assert!((sum / n - q / p).abs() < 5.0 * (q / (p * p) / n).sqrt(), "{p}");
            assert!((none / n - p).abs() < 5.0 * (p * q / n).sqrt(), "{p}");
        }
        let mut stream = Stream::new(3, 3, 3);
        assert!((0..100).all(|_| Gaps::new(1.0).next(&mut stream) == 0));
        assert!((0..100).all(|_| Gaps::new(0.0).next(&mut stream) == u64::MAX));
    }

    #[test]
    fn the_table_and_the_logarithm_agree() {
        for p in [0.001, 0.02, 0.4] {
            let table = Gaps::new(p);
            let logarithm = Gaps { method: Method::Logarithm(1.0 / log1p(-p)) };
            let (mut a, mut agree) = (Stream::new(1, 2, 3), 0);
            for _ in 0..2_000 {
                // A gap that starts again takes more words, so both begin at the same place each time.
                let mut b = a.clone();
                let (x, y) = (table.next(&mut a), logarithm.next(&mut b));
                agree += usize::from(x == y || x as f64 >= REACH / p);
            }
            assert!(agree >= 1_999, "{p}: {agree}");
        }
    }
}
