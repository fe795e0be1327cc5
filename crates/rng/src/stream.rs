//! A sequence of random numbers for building networks: who is connected, with which initial values.

use crate::DOMAIN_STREAM;
use crate::chacha::{Key, write_blocks};
use crate::{Bits, binomial};

/// Blocks computed together: building takes many words from one stream.
const LANES: usize = 4;
const BUFFER: usize = 16 * LANES;

/// A place in the model that asks for random numbers, under the seed of the network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Site {
    /// The seed of the network.
    pub seed: u64,
    /// The number of the place; no two places share one.
    pub site: u32,
}

impl Site {
    /// The place `site` under `seed`.
    #[must_use]
    pub fn new(seed: u64, site: u32) -> Self {
        Self { seed, site }
    }

    /// The sequence number `index` of this place, such as that of one row of synapses.
    #[must_use]
    pub fn stream(self, index: u64) -> Stream {
        Stream::new(self.seed, self.site, index)
    }
}

/// A sequence of random numbers, addressed by (seed, site, index).
///
/// ```
/// let mut stream = neuropil_rng::Site::new(42, 1).stream(0);
/// assert!(stream.below(6) < 6);
/// let mut picked = Vec::new();
/// stream.sample(1_000, 10, &mut picked);
/// assert!(picked.len() == 10 && picked.is_sorted());
/// ```
#[derive(Clone, Debug)]
pub struct Stream {
    key: Key,
    index: u64,
    counter: u64,
    buffer: [u32; BUFFER],
    used: usize,
}

impl Stream {
    /// The sequence `index` at `site` under `seed`.
    #[must_use]
    pub fn new(seed: u64, site: u32, index: u64) -> Self {
        let key = Key::new(seed, site, 0, DOMAIN_STREAM);
        Self { key, index, counter: 0, buffer: [0; BUFFER], used: BUFFER }
    }

    /// The next word.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        if self.used == BUFFER {
            self.refill();
        }
        let word = self.buffer[self.used];
        self.used += 1;
        word
    }

    #[inline(never)]
    fn refill(&mut self) {
        write_blocks::<LANES>(&self.key, self.counter, self.index, &mut self.buffer);
        self.counter = self.counter.wrapping_add(LANES as u64);
        self.used = 0;
    }

    /// The next two words as one number, the upper half first.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let high = u64::from(self.next_u32());
        (high << 32) | u64::from(self.next_u32())
    }

    /// A number in [0, 1), a multiple of 2^-53.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        self.next_f64()
    }

    /// A number in (0, 1], a multiple of 2^-53: safe to take the logarithm of.
    #[inline]
    pub fn uniform_above_zero(&mut self) -> f64 {
        ((self.next_u64() >> 11) + 1) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// A whole number in `0..n`, every one equally likely; 0 if `n` is 0.
    ///
    /// Lemire 2019, "Fast random integer generation in an interval", ACM TOMACS 29:3. Takes one word
    /// for `n` below 2^32, two otherwise, and seldom more.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        match u32::try_from(n) {
            Ok(n) => u64::from(self.below_u32(n)),
            Err(_) => self.below_u64(n),
        }
    }

    #[inline]
    fn below_u32(&mut self, n: u32) -> u32 {
        let mut product = u64::from(self.next_u32()) * u64::from(n);
        if (product as u32) < n {
            let threshold = n.wrapping_neg() % n;
            while (product as u32) < threshold {
                product = u64::from(self.next_u32()) * u64::from(n);
            }
        }
        (product >> 32) as u32
    }

    fn below_u64(&mut self, n: u64) -> u64 {
        let mut product = u128::from(self.next_u64()) * u128::from(n);
        if (product as u64) < n {
            let threshold = n.wrapping_neg() % n;
            while (product as u64) < threshold {
                product = u128::from(self.next_u64()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }

    /// A standard normal number.
    pub fn normal(&mut self) -> f64 {
        self.next_normal()
    }

    /// The number of successes in `n` trials of probability `p`, as [`binomial`].
    #[inline(never)]
    pub fn binomial(&mut self, n: i64, p: f64) -> i64 {
        binomial(n, p, self)
    }

    /// Appends `k` different numbers from `0..n` to `out`, ascending, every subset equally likely;
    /// all of `0..n` if `k` is `n` or more.
    ///
    /// Numbers are drawn until `k` different ones are there. All numbers play the same part in that,
    /// so every subset of `k` is equally likely. More than half of them are chosen by what is left out.
    pub fn sample(&mut self, n: u32, k: u32, out: &mut Vec<u32>) {
        if k >= n {
            out.extend(0..n);
        } else if k > n / 2 {
            let mut absent = Vec::new();
            self.sample_few(n, n - k, &mut absent);
            let mut first = 0;
            for skip in absent.into_iter().chain([n]) {
                out.extend(first..skip);
                first = skip + 1;
            }
        } else {
            self.sample_few(n, k, out);
        }
    }

    fn sample_few(&mut self, n: u32, k: u32, out: &mut Vec<u32>) {
        let start = out.len();
        let wanted = start + k as usize;
        if u64::from(n) <= u64::from(k) * NUMBERS_PER_MARK {
            return self.mark(n, k, out);
        }
        while out.len() < wanted {
            for _ in out.len()..wanted {
                out.push(self.below_u32(n));
            }
            out[start..].sort_unstable();
            drop_repeats_from(out, start);
        }
    }

    /// The same numbers as the other way, without sorting: one bit per number.
    fn mark(&mut self, n: u32, k: u32, out: &mut Vec<u32>) {
        let mut marks = Marks::new(n);
        let mut left = k;
        while left > 0 {
            left -= u32::from(marks.set(self.below_u32(n)));
        }
        marks.for_each(|number| out.push(number));
    }

    /// Appends `k` numbers from `0..n` to `out`, ascending, each drawn independently; none if `n` is 0.
    pub fn sample_with_replacement(&mut self, n: u32, k: u32, out: &mut Vec<u32>) {
        if n == 0 {
            return;
        }
        let start = out.len();
        if u64::from(n) > u64::from(k) * NUMBERS_PER_MARK {
            out.extend((0..k).map(|_| self.below_u32(n)));
            return out[start..].sort_unstable();
        }
        let mut marks = Marks::new(n);
        let mut repeats = Vec::new();
        for _ in 0..k {
            let number = self.below_u32(n);
            if !marks.set(number) {
                repeats.push(number);
            }
        }
        repeats.sort_unstable();
        let mut from = 0;
        marks.for_each(|number| {
            out.push(number);
            while repeats.get(from) == Some(&number) {
                out.push(number);
                from += 1;
            }
        });
    }
}

/// A set of numbers below a bound, one bit each.
struct Marks(Vec<u64>);

impl Marks {
    fn new(n: u32) -> Self {
        Self(vec![0; (n as usize).div_ceil(64)])
    }

    /// Adds a number; whether it was not there yet.
    #[inline]
    fn set(&mut self, number: u32) -> bool {
        let (mark, bit) = (&mut self.0[number as usize / 64], 1 << (number % 64));
        let is_new = *mark & bit == 0;
        *mark |= bit;
        is_new
    }

    /// Visits all numbers, ascending.
    fn for_each(self, mut visit: impl FnMut(u32)) {
        for (mark, first) in self.0.into_iter().zip((0..).step_by(64)) {
            let mut bits = mark;
            while bits != 0 {
                visit(first + bits.trailing_zeros());
                bits &= bits - 1;
            }
        }
    }
}

/// Up to this many numbers per chosen one, marking them is quicker than sorting.
const NUMBERS_PER_MARK: u64 = 256;
/// Removes equal neighbours from `values[start..]`.
fn drop_repeats_from(values: &mut Vec<u32>, start: usize) {
    let mut kept = start;
    for k in start..values.len() {
        if k == start || values[k] != values[kept - 1] {
            values[kept] = values[k];
            kept += 1;
        }
    }
    values.truncate(kept);
}

impl Bits for Stream {
    #[inline]
    fn next_u32(&mut self) -> u32 {
        Self::next_u32(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chacha::one_block;
    use proptest::prelude::*;

    #[test]
    fn words_are_the_blocks_of_the_definition() {
        let mut stream = Stream::new(3, 4, 5);
        for counter in 0..6 {
            for word in one_block(&Key::new(3, 4, 0, DOMAIN_STREAM), counter, 5) {
                assert_eq!(stream.next_u32(), word);
            }
        }
    }

    #[test]
    fn numbers_below_n_are_equally_likely() {
        for n in [1_u64, 2, 6, 7, 1000] {
            let mut stream = Stream::new(1, 1, n);
            let mut counts = vec![0.0; n as usize];
            for _ in 0..20_000 {
                counts[stream.below(n) as usize] += 1.0;
            }
            let expected = 20_000.0 / n as f64;
            let chi2: f64 = counts.iter().map(|c| (c - expected) * (c - expected) / expected).sum();
            let freedom = n as f64 - 1.0;
            assert!((chi2 - freedom).abs() <= 5.0 * (2.0 * freedom).sqrt(), "{n}: {chi2}");
        }
        let mut stream = Stream::new(1, 1, 0);
        assert_eq!(stream.below(0), 0);
        assert!((0..100).all(|_| stream.below(u64::MAX / 3 * 2) < u64::MAX / 3 * 2));
    }

    #[test]
    fn every_subset_is_equally_likely() {
        for k in [2, 4] {
            // 15 subsets of two, and 15 of four, of six numbers.
            let mut counts = std::collections::BTreeMap::new();
            let mut stream = Stream::new(7, k, 0);
            for _ in 0..15_000 {
                let mut subset = Vec::new();
                stream.sample(6, k, &mut subset);
                *counts.entry(subset).or_insert(0.0_f64) += 1.0;
            }
            assert_eq!(counts.len(), 15);
            let chi2: f64 = counts.values().map(|c| (c - 1000.0) * (c - 1000.0) / 1000.0).sum();
            assert!((chi2 - 14.0).abs() < 5.0 * 28.0_f64.sqrt(), "{chi2}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn marking_and_sorting_choose_the_same(seed: u64, n in 1_u32..100_000, share in 0.0..0.02) {
            let k = (f64::from(n) * share) as u32;
            let (mut sorted, mut marked) = (Vec::new(), Vec::new());
            let mut stream = Stream::new(seed, 0, 0);
            stream.clone().mark(n, k, &mut marked);
            while sorted.len() < k as usize {
                sorted.push(stream.below(u64::from(n)) as u32);
                let last = sorted.len() - 1;
                if sorted[..last].contains(&sorted[last]) {
                    sorted.truncate(last);
                }
            }
            sorted.sort_unstable();
            prop_assert_eq!(&marked, &sorted);
            let mut picked = Vec::new();
            Stream::new(seed, 0, 0).sample(n, k, &mut picked);
            prop_assert_eq!(picked, sorted);
        }

        #[test]
        fn drawing_with_replacement_keeps_every_draw(seed: u64, n in 1_u32..300, k in 0_u32..200) {
            let mut out = vec![7];
            Stream::new(seed, 0, 0).sample_with_replacement(n, k, &mut out);
            let mut stream = Stream::new(seed, 0, 0);
            let mut expected: Vec<_> = (0..k).map(|_| stream.below(u64::from(n)) as u32).collect();
            expected.sort_unstable();
            prop_assert_eq!(&out[1..], &expected[..]);
        }

        #[test]
        fn samples_ascend_without_repeats_and_keep_what_was_there(seed: u64, n in 0_u32..300, k in 0_u32..400) {
            let mut out = vec![9, 9];
            Stream::new(seed, 0, 0).sample(n, k, &mut out);
            prop_assert_eq!(&out[..2], &[9, 9]);
            let picked = &out[2..];
            prop_assert_eq!(picked.len() as u32, k.min(n));
            prop_assert!(picked.windows(2).all(|w| w[0] < w[1]) && picked.iter().all(|&v| v < n));
        }
    }
}
