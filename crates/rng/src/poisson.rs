//! Poisson numbers, in doubles, the same on every machine.
//!
//! Below a mean of 64 one uniform number is inverted ([`Table`](crate::Table) and [`poisson_lanes`](crate::poisson_lanes) give the
//! same numbers for many elements at once). From there on they are drawn by transformed rejection with a squeeze, PTRS
//! (Hörmann 1993, "The transformed rejection method for generating Poisson random variables", Insurance: Mathematics
//! and Economics 12:39-45), which takes about 1.1 pairs of uniform numbers; where the logarithms of factorials
//! would cancel too many digits, by the normal limit. Nine of ten first tries are accepted: [`poisson_tries`] makes those of many
//! elements at once.

use neuropil_math::straight::Straight;

use crate::Bits;
use crate::distribution::{TRIES, log_factorial, stirling};
use crate::inversion::{INVERSION_BELOW, Law, UNITS, WHOLE_FROM, WORD_STEP};
use crate::{FIRST_WORDS, UNDECIDED};

/// Above this the normal limit is closer to the Poisson distribution than f64 can tell by rejection.
const NORMAL_FROM: f64 = 1e10;

/// A Poisson number with mean `lambda`.
///
/// A mean that is not positive, or NaN, gives 0. Results saturate at `i64::MAX`. Always inlined, as
/// [`fill_lanes`](crate::fill_lanes).
#[inline(always)]
pub fn poisson<B: Bits>(lambda: f64, bits: &mut B) -> i64 {
    if let Some(law) = Law::poisson(lambda) {
        i64::from(law.number(bits.next_f64()))
    } else if lambda < NORMAL_FROM {
        poisson_by_rejection(lambda, bits)
    } else if lambda.is_finite() {
        // The cast saturates.
        (lambda + lambda.sqrt() * bits.next_normal() + 0.5).floor() as i64
    } else {
        i64::MAX
    }
}

/// What the tries for a mean have in common, in the notation of the paper.
#[derive(Clone, Copy)]
struct Hat {
    a: f64,
    b: f64,
    inverse_alpha: f64,
    v_r: f64,
}

impl Hat {
    #[inline(always)]
    fn new(mu: f64) -> Self {
        let b = 0.931 + 2.53 * mu.sqrt();
        Self {
            a: -0.059 + 0.02483 * b,
            b,
            inverse_alpha: 1.1239 + 1.1328 / (b - 3.4),
            v_r: 0.9277 - 3.6224 / (b - 2.0),
        }
    }

    /// The number that is tried.
    #[inline(always)]
    fn number(self, mu: f64, u: f64, us: f64) -> f64 {
        ((2.0 * self.a / us + self.b) * u + mu + 0.43).floor()
    }

    /// Whether it is accepted at once.
    #[inline(always)]
    fn squeezes(self, v: f64, us: f64) -> bool {
        us >= 0.07 && v <= self.v_r
    }

    /// What the logarithm of the density is compared with is the logarithm of this.
    #[inline(always)]
    fn height(self, v: f64, us: f64) -> f64 {
        v * self.inverse_alpha / (self.a / (us * us) + self.b)
    }
}

/// Whether a number that is not accepted at once lies where no other is accepted either.
#[inline(always)]
fn is_outside(k: f64, v: f64, us: f64) -> bool {
    k < 0.0 || (us < 0.013 && v > us)
}

#[inline(always)]
fn poisson_by_rejection<B: Bits>(mu: f64, bits: &mut B) -> i64 {
    let hat = Hat::new(mu);
    for _ in 0..TRIES {
        let v = bits.next_f64();
        let u = bits.next_f64() - 0.5;
        let us = 0.5 - u.abs();
        let k = hat.number(mu, u, us);
        if hat.squeezes(v, us) {
            return k as i64;
        }
        if is_outside(k, v, us) {
            continue;
        }
        if Straight::log(hat.height(v, us)) <= k * Straight::log(mu) - mu - log_factorial(k) {
            return k as i64;
        }
    }
    mu as i64
}

/// Means from here on are left to [`poisson`] alone.
const TRIED_BELOW: f64 = 1_073_741_824.0;

/// Replaces what is [`UNDECIDED`] by [`poisson`] numbers, each of its own mean, where the first try of a rejection is accepted;
/// `words` are the first words of the elements, by draw. `L` elements together; always inlined.
///
/// ```
/// use neuropil_rng::{SampleBits, UNDECIDED, poisson, poisson_tries, word};
/// let words: [Vec<u32>; 4] = std::array::from_fn(|k| (0..100).map(|i| word(1, 2, k as u32, i, 4)).collect());
/// let mut numbers = [UNDECIDED; 100];
/// poisson_tries::<4>(&[200.0; 100], words.each_ref().map(Vec::as_slice), &mut numbers);
/// assert!(numbers.iter().filter(|k| **k != UNDECIDED).count() > 80);
/// let alone = poisson(200.0, &mut SampleBits::new(1, 2, 0, 4));
/// assert!(numbers[0] == UNDECIDED || i64::from(numbers[0]) == alone);
/// ```
#[inline(always)]
pub fn poisson_tries<const L: usize>(means: &[f64], words: [&[u32]; FIRST_WORDS], numbers: &mut [u32]) {
    let len = words.iter().map(|list| list.len()).fold(means.len().min(numbers.len()), usize::min);
    let done = len / L * L;
    for start in (0..done).step_by(L) {
        let range = start..start + L;
        let words = words.map(|list| &list[range.clone()]);
        tries::<L>(&means[range.clone()], words, &mut numbers[range]);
    }
    for k in done..len {
        tries::<1>(&means[k..=k], words.map(|list| &list[k..=k]), &mut numbers[k..=k]);
    }
}

/// The operations of [`poisson_by_rejection`] without its branches.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "the vectoriser wants plain loops over the lanes")]
fn tries<const L: usize>(means: &[f64], words: [&[u32]; FIRST_WORDS], numbers: &mut [u32]) {
    let [v_high, v_low, u_high, u_low] = words;
    // The two parts of a uniform number, which its 53 bits hold exactly.
    let unit = |high: u32, low: u32| f64::from(high) * WORD_STEP + f64::from(low >> 11) * (1.0 / UNITS);
    let is_tried = |mean: f64| (INVERSION_BELOW..TRIED_BELOW).contains(&mean);
    let (mut mean, mut number, mut height) = ([0.0; L], [0.0; L], [0.0; L]);
    let (mut squeezed, mut open) = ([false; L], [false; L]);
    for lane in 0..L {
        let mu = if is_tried(means[lane]) { means[lane] } else { INVERSION_BELOW };
        let hat = Hat::new(mu);
        let v = unit(v_high[lane], v_low[lane]);
        let u = unit(u_high[lane], u_low[lane]) - 0.5;
        let us = 0.5 - u.abs();
        let k = hat.number(mu, u, us);
        mean[lane] = mu;
        squeezed[lane] = hat.squeezes(v, us);
        // Logarithms of factorials of less than ten are not made by the series.
        open[lane] = is_outside(k, v, us) | !(10.0..2.0 * TRIED_BELOW).contains(&k) | !is_tried(means[lane]);
        number[lane] = if k >= 10.0 { k } else { 10.0 };
        height[lane] = hat.height(v, us);
    }
    let (mut log_number, mut density) = ([0.0; L], [0.0; L]);
    for lane in 0..L {
        log_number[lane] = Straight::log(number[lane]);
    }
    for lane in 0..L {
        let (k, mu) = (number[lane], mean[lane]);
        density[lane] = k * Straight::log(mu) - mu - stirling(k, log_number[lane]);
    }
    for lane in 0..L {
        height[lane] = Straight::log(height[lane]);
    }
    for lane in 0..L {
        let accepted = (squeezed[lane] | (height[lane] <= density[lane])) & !open[lane];
        // A whole number below 2^52 stands in the low bits of its sum with that; conversions do not vectorise.
        let whole = (number[lane] + WHOLE_FROM).to_bits() as u32;
        numbers[lane] = if accepted & (numbers[lane] == UNDECIDED) { whole } else { numbers[lane] };
    }
}
