//! Poisson numbers, in doubles, the same on every machine.
//!
//! Below a mean of 64 one uniform number is inverted ([`Table`](crate::Table) and [`poisson_lanes`](crate::poisson_lanes) give the
//! same numbers for many elements at once). From there on they are drawn by transformed rejection with a squeeze, PTRS
//! (Hörmann 1993, "The transformed rejection method for generating Poisson random variables", Insurance: Mathematics
//! and Economics 12:39-45), which takes about 1.1 pairs of uniform numbers; where the logarithms of factorials
//! would cancel too many digits, by the normal limit.

use neuropil_math::straight::Straight;

use crate::Bits;
use crate::distribution::{TRIES, log_factorial};
use crate::inversion::Law;

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

/// PTRS, in the notation of the paper.
#[inline(always)]
fn poisson_by_rejection<B: Bits>(mu: f64, bits: &mut B) -> i64 {
    let b = 0.931 + 2.53 * mu.sqrt();
    let a = -0.059 + 0.02483 * b;
    let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    let v_r = 0.9277 - 3.6224 / (b - 2.0);
    for _ in 0..TRIES {
        let v = bits.next_f64();
        let u = bits.next_f64() - 0.5;
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + mu + 0.43).floor();
        if us >= 0.07 && v <= v_r {
            return k as i64;
        }
        if k < 0.0 || (us < 0.013 && v > us) {
            continue;
        }
        let left = Straight::log(v * inverse_alpha / (a / (us * us) + b));
        if left <= k * Straight::log(mu) - mu - log_factorial(k) {
            return k as i64;
        }
    }
    mu as i64
}
