//! Counts by inversion of one uniform number: the same numbers alone, from a table, and for many means at once.
//!
//! # The definition
//!
//! A [`Law`] gives the masses `p(0), p(1), ...` of a distribution of the class (a, b, 0) (Panjer 1981,
//! "Recursive evaluation of a family of compound distributions", ASTIN Bulletin 12:22-26) by
//!
//! ```text
//! p(k) = p(k-1) * max(0, a + b * (1/k)),    c(0) = p(0),    c(k) = c(k-1) + p(k),
//! ```
//!
//! every operation on doubles, rounded once, in this order; the reciprocals are rounded too. The number that belongs to
//! a uniform number `u` is how many of the thresholds `c(0) < c(1) < ...` are at most `u`, up to the first that does
//! not grow any more. `u` is the upper 53 bits of two words. The thresholds are off by less than 1e-14,
//! mostly by a few times 1e-16, and so is the probability of each number.
//!
//! # One word is enough
//!
//! Unless a threshold lies between the least and the largest `u` that begins with the same word, the first word
//! decides. It nearly always does: there are a few dozen thresholds and 2^32 words. So whoever draws many numbers looks up
//! the first words of all elements, which is cheap, and leaves what they do not decide ([`UNDECIDED`]) to the definition.

use neuropil_math::straight::Straight;

/// Means from here on are drawn by rejection. Below, the smallest mass is still far from underflow, and a search through all
/// thresholds up to the mean, several elements at a time, is quicker than a rejection.
pub(crate) const INVERSION_BELOW: f64 = 64.0;

/// What stands for a number that the first word does not decide.
pub const UNDECIDED: u32 = u32::MAX;

/// Thresholds end before this many: the largest mean is eight standard deviations off, and twelve more.
const LIMIT: usize = 256;

/// Bits of a word that choose the cell of a table's guide.
const GUIDE_BITS: u32 = 10;

/// Bits of a uniform number that follow those of its first word.
const LATER_BITS: u32 = 21;

/// 2^53
pub(crate) const UNITS: f64 = 9_007_199_254_740_992.0;
/// 2^52
pub(crate) const WHOLE_FROM: f64 = 4_503_599_627_370_496.0;
/// 2^-32
pub(crate) const WORD_STEP: f64 = 1.0 / 4_294_967_296.0;
/// From the least to the largest uniform number with the same first word.
const WORD_SPAN: f64 = WORD_STEP - 1.0 / UNITS;

/// `1/k`, rounded; 0 for 0.
static INVERSE: [f64; LIMIT] = {
    let mut list = [0.0; LIMIT];
    let mut k = 1;
    while k < LIMIT {
        list[k] = 1.0 / k as f64;
        k += 1;
    }
    list
};

/// The masses of a distribution over 0, 1, 2, ...; see the top of this file.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Law {
    /// The mass of 0.
    first: f64,
    a: f64,
    b: f64,
    /// The largest number.
    most: u32,
}

/// The larger of a number and 0.
#[inline(always)]
fn not_negative(x: f64) -> f64 {
    if x > 0.0 { x } else { 0.0 }
}

impl Law {
    /// Poisson numbers; `None` if the mean is too large. A mean that is not positive, or NaN, gives 0.
    pub(crate) fn poisson(mean: f64) -> Option<Self> {
        let mean = not_negative(mean);
        (mean < INVERSION_BELOW).then(|| Self {
            first: Straight::exp(-mean),
            a: 0.0,
            b: mean,
            most: u32::MAX,
        })
    }

    /// Successes in `n >= 0` trials of probability `p` in 0..=0.5; `None` if there are too many.
    pub(crate) fn binomial(n: i64, p: f64) -> Option<Self> {
        let n_float = n as f64;
        if n_float * p >= INVERSION_BELOW {
            return None;
        }
        let odds = p / (1.0 - p);
        let first = Straight::exp(n_float * Straight::log1p(-p));
        let most = u32::try_from(n).unwrap_or(u32::MAX);
        Some(Self { first, a: -odds, b: (n_float + 1.0) * odds, most })
    }

    /// What the mass of `k - 1` is multiplied by.
    #[inline]
    fn factor(&self, k: u32) -> f64 {
        let inverse = INVERSE.get(k as usize).copied().unwrap_or(0.0);
        not_negative(self.a + self.b * inverse)
    }

    /// The number that belongs to a uniform number: the definition.
    pub(crate) fn number(&self, u: f64) -> u32 {
        let (mut k, mut mass, mut sum) = (0, self.first, self.first);
        while sum <= u && k < self.most {
            k += 1;
            mass *= self.factor(k);
            let next = sum + mass;
            if next <= sum {
                break;
            }
            sum = next;
        }
        k
    }

    /// The thresholds that a uniform number can reach, ascending.
    fn thresholds(&self) -> impl Iterator<Item = f64> {
        let (law, mut k, mut mass, mut sum) = (*self, 0, self.first, 0.0);
        std::iter::from_fn(move || {
            let next = sum + mass;
            if next <= sum || next >= 1.0 || k >= law.most {
                return None;
            }
            sum = next;
            k += 1;
            mass *= law.factor(k);
            Some(sum)
        })
    }
}

/// The thresholds of one distribution, to look up many numbers by the first words of their elements.
#[derive(Clone, Debug)]
pub struct Table {
    /// The upper 32 bits of the least uniform number that reaches each threshold, ascending; the last is `u32::MAX`, for all that
    /// no other word reaches.
    high: Vec<u32>,
    /// Where the search starts, by the upper bits of the word (Chen & Asau 1974, "On generating random variates
    /// from an empirical distribution", AIIE Trans. 6:163-166).
    guide: [u8; 1 << GUIDE_BITS],
}

impl Table {
    /// For [`poisson`](crate::poisson) numbers of that mean; `None` if they are not drawn by inversion.
    ///
    /// ```
    /// let table = neuropil_rng::Table::poisson(1.6).unwrap();
    /// let mut words = [0, 1 << 31, u32::MAX - 1];
    /// assert_eq!(table.look_up(&mut words), 0);
    /// assert_eq!(words, [0, 1, 14]);
    /// ```
    #[must_use]
    pub fn poisson(mean: f64) -> Option<Self> {
        Law::poisson(mean).map(|law| Self::new(&law))
    }

    /// For [`binomial`](crate::binomial) numbers of at most that probability 0.5; `None` if they are not drawn by inversion.
    #[must_use]
    pub fn binomial(n: i64, p: f64) -> Option<Self> {
        let p = not_negative(p);
        if p > 0.5 { None } else { Law::binomial(n.max(0), p).map(|law| Self::new(&law)) }
    }

    fn new(law: &Law) -> Self {
        let mut high: Vec<u32> = law
            .thresholds()
            .map(|c| (((c * UNITS).ceil() as u64) >> LATER_BITS) as u32)
            .take_while(|&word| word < u32::MAX)
            .take(LIMIT - 1)
            .collect();
        high.push(u32::MAX);
        let mut guide = [0; 1 << GUIDE_BITS];
        let mut start = 0;
        for (cell, first) in (0..).zip(&mut guide) {
            while high[start] < cell << (32 - GUIDE_BITS) {
                start += 1;
            }
            *first = start as u8;
        }
        Self { high, guide }
    }

    /// Replaces first words by the numbers that belong to them, [`UNDECIDED`] where a word does not decide; how
    /// many those are.
    pub fn look_up(&self, words: &mut [u32]) -> usize {
        words.iter_mut().map(|word| usize::from(self.search(word))).sum()
    }

    /// Searches from the start of the word's cell on.
    #[inline]
    fn search(&self, word: &mut u32) -> bool {
        let own = *word;
        let cell = own >> (32 - GUIDE_BITS);
        let mut k = usize::from(self.guide[cell as usize]);
        // Most cells have one threshold or none: no branch for the first. The last threshold ends the search.
        k += usize::from(self.high[k] < own);
        while self.high[k] < own {
            k += 1;
        }
        let is_open = self.high[k] == own;
        *word = if is_open { UNDECIDED } else { k as u32 };
        is_open
    }
}

/// Several laws, and the first words of as many elements.
struct Lanes<const L: usize> {
    first: [f64; L],
    a: [f64; L],
    b: [f64; L],
    most: [f64; L],
    words: [u32; L],
}

impl<const L: usize> Lanes<L> {
    /// The numbers that belong to the words, all together until the last is found; [`UNDECIDED`] where a word does not
    /// decide. `POISSON` leaves out what does not matter to Poisson laws: `a` is 0 there, and no number the largest.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "the vectoriser wants plain loops over the lanes")]
    fn numbers<const POISSON: bool>(&self) -> [u32; L] {
        let (mut lower, mut upper) = ([0.0; L], [0.0; L]);
        for lane in 0..L {
            lower[lane] = f64::from(self.words[lane]) * WORD_STEP;
            upper[lane] = lower[lane] + WORD_SPAN;
        }
        let (mut mass, mut sum) = (self.first, self.first);
        // How many thresholds the least and the largest uniform number reach. Counts stay doubles, which are as wide
        // as what they are chosen by.
        let (mut least, mut largest) = ([0.0; L], [0.0; L]);
        for inverse in &INVERSE[1..] {
            let mut goes_on = false;
            for lane in 0..L {
                let reached = sum[lane] <= upper[lane];
                goes_on |= reached;
                largest[lane] += if reached { 1.0 } else { 0.0 };
                least[lane] += if sum[lane] <= lower[lane] { 1.0 } else { 0.0 };
                let factor = self.b[lane] * inverse;
                mass[lane] *= if POISSON { factor } else { not_negative(self.a[lane] + factor) };
                sum[lane] += mass[lane];
            }
            if !goes_on {
                break;
            }
        }
        let mut numbers = [0; L];
        for lane in 0..L {
            let cut = |count: f64| if POISSON || count < self.most[lane] { count } else { self.most[lane] };
            let number = cut(least[lane]);
            // A whole number below 2^52 stands in the low bits of its sum with that; conversions do not vectorise.
            let whole = (number + WHOLE_FROM).to_bits() as u32;
            numbers[lane] = if number == cut(largest[lane]) { whole } else { UNDECIDED };
        }
        numbers
    }
}

/// Replaces first words by [`poisson`](crate::poisson) numbers, each of its own mean; [`UNDECIDED`] where the word does
/// not decide or the number is not drawn by inversion; how many those are. `L` elements together; always inlined.
#[inline(always)]
pub fn poisson_lanes<const L: usize>(means: &[f64], words: &mut [u32]) -> usize {
    let len = means.len().min(words.len());
    let done = len / L * L;
    let mut open = 0;
    for start in (0..done).step_by(L) {
        open += poisson_group::<L>(&means[start..start + L], &mut words[start..start + L]);
    }
    for k in done..len {
        open += poisson_group::<1>(&means[k..=k], &mut words[k..=k]);
    }
    open
}

#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "the vectoriser wants plain loops over the lanes")]
fn poisson_group<const L: usize>(means: &[f64], words: &mut [u32]) -> usize {
    let (mut small, mut first, mut own) = ([0.0; L], [0.0; L], [0; L]);
    own.copy_from_slice(words);
    for lane in 0..L {
        let mean = not_negative(means[lane]);
        small[lane] = if mean < INVERSION_BELOW { mean } else { 0.0 };
    }
    for lane in 0..L {
        first[lane] = Straight::exp(-small[lane]);
    }
    let lanes = Lanes { first, a: [0.0; L], b: small, most: [0.0; L], words: own };
    let numbers = lanes.numbers::<true>();
    let mut open = 0;
    for lane in 0..L {
        let number = if means[lane] >= INVERSION_BELOW { UNDECIDED } else { numbers[lane] };
        open += u32::from(number == UNDECIDED);
        words[lane] = number;
    }
    open as usize
}

/// Replaces first words by [`binomial`](crate::binomial) numbers, as [`poisson_lanes`]; every `n` a whole number, every probability
/// at most 0.5.
#[inline(always)]
pub fn binomial_lanes<const L: usize>(n: &[f64], p: &[f64], words: &mut [u32]) -> usize {
    let len = n.len().min(p.len()).min(words.len());
    let done = len / L * L;
    let mut open = 0;
    for start in (0..done).step_by(L) {
        let range = start..start + L;
        open += binomial_group::<L>(&n[range.clone()], &p[range.clone()], &mut words[range]);
    }
    for k in done..len {
        open += binomial_group::<1>(&n[k..=k], &p[k..=k], &mut words[k..=k]);
    }
    open
}

#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "the vectoriser wants plain loops over the lanes")]
fn binomial_group<const L: usize>(n: &[f64], p: &[f64], words: &mut [u32]) -> usize {
    let (mut trials, mut first, mut own) = ([0.0; L], [0.0; L], [0; L]);
    let (mut small, mut a, mut b) = ([0.0; L], [0.0; L], [0.0; L]);
    own.copy_from_slice(words);
    for lane in 0..L {
        let is_small = n[lane] * p[lane] < INVERSION_BELOW;
        let probability = if is_small { not_negative(p[lane]) } else { 0.0 };
        trials[lane] = not_negative(n[lane]);
        small[lane] = probability;
        let odds = probability / (1.0 - probability);
        a[lane] = -odds;
        b[lane] = (trials[lane] + 1.0) * odds;
    }
    for lane in 0..L {
        first[lane] = Straight::log1p(-small[lane]) * trials[lane];
    }
    for lane in 0..L {
        first[lane] = Straight::exp(first[lane]);
    }
    let lanes = Lanes { first, a, b, most: trials, words: own };
    let numbers = lanes.numbers::<false>();
    let mut open = 0;
    for lane in 0..L {
        let number = if n[lane] * p[lane] < INVERSION_BELOW { numbers[lane] } else { UNDECIDED };
        open += u32::from(number == UNDECIDED);
        words[lane] = number;
    }
    open as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bits, unit_f64};
    use dashu_float::FBig;
    use dashu_float::round::mode::HalfEven;
    use proptest::prelude::*;

    type Exact = FBig<HalfEven, 2>;
    const DIGITS: usize = 300;

    fn exact(x: f64) -> Exact {
        Exact::try_from(x).unwrap().with_precision(DIGITS).value()
    }

    /// Asserts that the law's thresholds are the sums of these masses.
    fn assert_thresholds(law: &Law, mut mass: Exact, ratio: impl Fn(u32) -> Exact, what: &str) {
        let (mut sum, mut k) = (exact(0.0), 0);
        for threshold in law.thresholds() {
            sum += &mass;
            let error = (exact(threshold) - &sum).to_f64().value().abs();
            assert!(error < 1e-14 && error < 2e-13 * threshold, "{what}: c({k}) is off by {error}");
            k += 1;
            mass *= ratio(k);
        }
        // The number behind the last threshold takes all that is left.
        let rest = (exact(1.0) - sum - mass).to_f64().value().abs();
        assert!(rest < 1e-14, "{what}: {rest} beyond {k}");
    }

    #[test]
    fn thresholds_are_the_sums_of_exact_masses() {
        for mean in [1e-20, 0.001, 0.5, 1.0, 1.6, 2.0, 9.7, 10.0, 31.3, 50.0, 63.999] {
            let law = Law::poisson(mean).unwrap();
            let ratio = |k| exact(mean) / exact(f64::from(k));
            assert_thresholds(&law, (-exact(mean)).exp(), ratio, &format!("poisson({mean})"));
        }
        for (n, p) in
            [(1, 0.3), (2, 0.5), (40, 0.1), (120, 0.5), (100_000, 1e-5), (9_000, 0.007), (1 << 40, 1e-11)]
        {
            let law = Law::binomial(n, p).unwrap();
            let fails = exact(1.0) - exact(p);
            let ratio = |k| exact(p) * exact(n as f64 + 1.0 - f64::from(k)) / (&fails * exact(f64::from(k)));
            let mass = (exact(n as f64) * fails.ln()).exp();
            assert_thresholds(&law, mass, ratio, &format!("binomial({n}, {p})"));
        }
    }

    /// The numbers that the first word leaves open.
    fn of_word(law: &Law, word: u32) -> (u32, u32) {
        (law.number(unit_f64(word, 0)), law.number(unit_f64(word, u32::MAX)))
    }

    /// Words that are random, and those at and beside thresholds.
    fn words(law: &Law, random: &[u32]) -> Vec<u32> {
        let at = law.thresholds().map(|c| (c / WORD_STEP) as u32);
        at.flat_map(|w| [w.wrapping_sub(1), w, w.wrapping_add(1)])
            .chain([0, 1, u32::MAX - 1, u32::MAX])
            .chain(random.iter().copied())
            .collect()
    }

    /// Asserts that what was found for each word is what it decides.
    fn assert_found(law: &Law, words: &[u32], found: &[u32], open: usize) -> Result<(), TestCaseError> {
        for (word, found) in words.iter().zip(found) {
            let (least, largest) = of_word(law, *word);
            if *found != UNDECIDED {
                prop_assert_eq!((*found, *found), (least, largest), "{} {:?}", word, law);
            }
            if least != largest {
                prop_assert_eq!(*found, UNDECIDED);
            }
        }
        prop_assert_eq!(found.iter().filter(|found| **found == UNDECIDED).count(), open);
        Ok(())
    }

    fn means() -> impl Strategy<Value = f64> {
        prop_oneof![0.0..3.0, 0.0..INVERSION_BELOW, Just(0.0), Just(1e-300), Just(63.999_999)]
    }

    fn trials() -> impl Strategy<Value = (i64, f64)> {
        let probability = prop_oneof![0.0..=0.5, Just(0.5), Just(0.0), Just(1e-300)];
        (prop_oneof![0_i64..5, 0_i64..120, 0_i64..1 << 50], probability)
            .prop_map(|(n, p)| (n, if n as f64 * p < INVERSION_BELOW { p } else { 60.0 / n as f64 }))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn tables_give_what_the_definition_gives(
            mean in means(), (n, p) in trials(), random in proptest::collection::vec(any::<u32>(), 0..100),
        ) {
            for (law, table) in [
                (Law::poisson(mean), Table::poisson(mean)),
                (Law::binomial(n, p), Table::binomial(n, p)),
            ] {
                let (law, table) = (law.unwrap(), table.unwrap());
                let words = words(&law, &random);
                let mut found = words.clone();
                let open = table.look_up(&mut found);
                assert_found(&law, &words, &found, open)?;
            }
        }

        #[test]
        fn lanes_give_what_the_definition_gives(
            means in proptest::collection::vec(means(), 1..20),
            trials in proptest::collection::vec(trials(), 1..20),
            random in proptest::collection::vec(any::<u32>(), 0..20),
        ) {
            // Every law meets the words of every other.
            let laws: Vec<Law> = means.iter().filter_map(|mean| Law::poisson(*mean)).collect();
            let all: Vec<u32> = laws.iter().flat_map(|law| words(law, &random)).collect();
            let owners: Vec<usize> = (0..all.len()).map(|k| k % laws.len()).collect();
            let mut found = all.clone();
            let open = poisson_lanes::<8>(&owners.iter().map(|k| means[*k]).collect::<Vec<_>>(), &mut found);
            let mut counted = 0;
            for (k, owner) in owners.iter().enumerate() {
                let is_open = usize::from(found[k] == UNDECIDED);
                assert_found(&laws[*owner], &all[k..=k], &found[k..=k], is_open)?;
                counted += is_open;
            }
            prop_assert_eq!(open, counted);

            let laws: Vec<Law> = trials.iter().filter_map(|(n, p)| Law::binomial(*n, *p)).collect();
            let all: Vec<u32> = laws.iter().flat_map(|law| words(law, &random)).collect();
            let owners: Vec<usize> = (0..all.len()).map(|k| k % laws.len()).collect();
            let (n, p): (Vec<f64>, Vec<f64>) =
                owners.iter().map(|k| (trials[*k].0 as f64, trials[*k].1)).unzip();
            let mut found = all.clone();
            let open = binomial_lanes::<8>(&n, &p, &mut found);
            counted = 0;
            for (k, owner) in owners.iter().enumerate() {
                let is_open = usize::from(found[k] == UNDECIDED);
                assert_found(&laws[*owner], &all[k..=k], &found[k..=k], is_open)?;
                counted += is_open;
            }
            prop_assert_eq!(open, counted);
        }
    }

    /// Words that a test chooses.
    struct Chosen(Vec<u32>);

    impl Bits for Chosen {
        fn next_u32(&mut self) -> u32 {
            self.0.remove(0)
        }
    }

    #[test]
    fn where_a_threshold_begins_with_the_first_word_the_second_decides() {
        for mean in [0.3, 1.6, 20.0, 60.0] {
            let law = Law::poisson(mean).unwrap();
            let table = Table::poisson(mean).unwrap();
            for (k, c) in law.thresholds().enumerate().filter(|(_, c)| (1e-9..1.0 - 1e-9).contains(c)) {
                let bits = ((c * UNITS).ceil() as u64) << 11;
                let (high, low) = ((bits >> 32) as u32, bits as u32);
                let mut one = [high];
                assert_eq!((table.look_up(&mut one), one), (1, [UNDECIDED]));
                one = [high];
                assert_eq!((poisson_lanes::<8>(&[mean], &mut one), one), (1, [UNDECIDED]));
                let by = |low| crate::poisson(mean, &mut Chosen(vec![high, low]));
                assert_eq!((by(low - 1), by(low)), (k as i64, k as i64 + 1), "{mean}");
            }
        }
    }

    #[test]
    fn one_word_nearly_always_decides() {
        for mean in [0.1, 1.6, 50.0] {
            let mut words = vec![0; 1 << 20];
            crate::fill(1, 2, 0, 3, 0, &mut words);
            let mut alone = words.clone();
            assert!(Table::poisson(mean).unwrap().look_up(&mut words) <= 2);
            assert!(poisson_lanes::<8>(&vec![mean; 1 << 20], &mut alone) <= 2);
            assert_eq!(words.iter().zip(&alone).filter(|(a, b)| a != b).count(), 0);
        }
    }

    #[test]
    fn what_is_not_inverted_is_left_undecided() {
        let means = [64.0, f64::INFINITY, f64::NAN, -1.0, 63.0, 1e300, f64::NEG_INFINITY, 0.0];
        let mut words = [1 << 31; 8];
        assert_eq!(poisson_lanes::<4>(&means, &mut words), 3);
        assert_eq!(words, [UNDECIDED, UNDECIDED, 0, 0, 63, UNDECIDED, 0, 0]);
        assert!(Table::poisson(64.0).is_none() && Table::poisson(f64::NAN).is_some());
        assert!(Table::binomial(128, 0.5).is_none() && Table::binomial(10, 0.6).is_none());
        let mut words = [1 << 31; 4];
        assert_eq!(binomial_lanes::<4>(&[128.0, 10.0, 9.0, 0.0], &[0.5, 0.5, f64::NAN, 0.5], &mut words), 2);
        assert_eq!(words, [UNDECIDED, 5, UNDECIDED, 0]);
    }

    #[test]
    fn numbers_of_an_address_do_not_change() {
        let bits = |index| crate::SampleBits::new(1, 2, index, 4);
        let poisson = |mean| std::array::from_fn(|i| crate::poisson(mean, &mut bits(i as u64)));
        let binomial = |n| std::array::from_fn(|i| crate::binomial(n, 0.25, &mut bits(i as u64)));
        let found: [[i64; 6]; 5] =
            [poisson(1.6), poisson(40.0), poisson(400.0), binomial(20), binomial(2000)];
        let pinned = [
            [0, 2, 1, 1, 2, 1],
            [29, 41, 38, 40, 40, 37],
            [423, 394, 404, 419, 384, 410],
            [2, 5, 4, 5, 5, 4],
            [522, 495, 504, 519, 485, 510],
        ];
        assert_eq!(found, pinned);
    }
}
