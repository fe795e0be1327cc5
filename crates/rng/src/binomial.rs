//! Binomial numbers, in doubles, the same on every machine.
//!
//! A probability above one half is that of failures instead. Below a mean of 64 one uniform number is inverted
//! ([`Table`](crate::Table) and [`binomial_lanes`](crate::binomial_lanes) give the same numbers for many elements at once). From there
//! on numbers are drawn by transformed rejection with a squeeze, BTRS (Hörmann 1993, "The generation of binomial random
//! variates", J. Stat. Comput. Simul. 46:101-110); where the logarithms of factorials would cancel too many
//! digits, the limit distributions take over.

use neuropil_math::straight::Straight;

use crate::distribution::{TRIES, log_factorial};
use crate::inversion::Law;
use crate::{Bits, poisson};

/// Above this `ln n!` has too few digits after the point for BTRS.
const LARGE_N: i64 = 1 << 40;

/// The number of successes in `n` trials of probability `p`.
///
/// `n` below 1, `p` not positive, or NaN give 0; `p` of 1 or more gives `n`. Always inlined, as
/// [`fill_lanes`](crate::fill_lanes).
#[inline(always)]
pub fn binomial<B: Bits>(n: i64, p: f64, bits: &mut B) -> i64 {
    if n <= 0 || p.is_nan() || p <= 0.0 {
        return 0;
    }
    if p >= 1.0 {
        return n;
    }
    if p > 0.5 {
        // 1 - p is exact for p in [0.5, 1].
        return n - binomial_of_small_p(n, 1.0 - p, bits);
    }
    binomial_of_small_p(n, p, bits)
}

#[inline(always)]
fn binomial_of_small_p<B: Bits>(n: i64, p: f64, bits: &mut B) -> i64 {
    if let Some(law) = Law::binomial(n, p) {
        return i64::from(law.number(bits.next_f64()));
    }
    let mean = n as f64 * p;
    let variance = mean * (1.0 - p);
    if n < LARGE_N {
        binomial_by_rejection(n, p, bits)
    } else if variance > 1e6 {
        let k = (mean + variance.sqrt() * bits.next_normal() + 0.5).floor();
        (k as i64).clamp(0, n)
    } else {
        // p is below 2e-6 here, and the total variation between the two distributions below p.
        poisson(mean, bits).min(n)
    }
}

/// BTRS, in the notation of the paper.
#[inline(always)]
fn binomial_by_rejection<B: Bits>(n: i64, p: f64, bits: &mut B) -> i64 {
    let nf = n as f64;
    let spq = (nf * p * (1.0 - p)).sqrt();
    let b = 1.15 + 2.53 * spq;
    let a = -0.0873 + 0.0248 * b + 0.01 * p;
    let c = nf * p + 0.5;
    let alpha = (2.83 + 5.1 / b) * spq;
    let v_r = 0.92 - 4.2 / b;
    let mode = ((nf + 1.0) * p).floor();
    for _ in 0..TRIES {
        let v = bits.next_f64();
        let u = bits.next_f64() - 0.5;
        let us = 0.5 - u.abs();
        let k = ((2.0 * a / us + b) * u + c).floor();
        if k < 0.0 || k > nf {
            continue;
        }
        if us >= 0.07 && v <= v_r {
            return k as i64;
        }
        let log_odds = Straight::log(p / (1.0 - p));
        let h = log_factorial(mode) + log_factorial(nf - mode);
        let left = Straight::log(v * alpha / (a / (us * us) + b));
        if left <= h - log_factorial(k) - log_factorial(nf - k) + (k - mode) * log_odds {
            return k as i64;
        }
    }
    mode as i64
}
