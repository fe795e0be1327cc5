//! Functions of doubles for host code whose results reach a simulation: the same operations as in kernels, several
//! times faster than by [`Evaluator`](crate::scalar::Evaluator).
//!
//! ```
//! assert_eq!(neuropil_math::host::log(neuropil_math::host::exp(2.0)), 2.0);
//! ```

use crate::straight::Straight;

/// A function of one double by the expansion of that name.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(x: f64) -> f64 {
            Straight::$name(x)
        }
    )*};
}

functions! {
    /// `e^x`
    exp,
    /// `e^x - 1`, accurate for small `x`.
    expm1,
    /// Natural logarithm.
    log,
    /// `log(1 + x)`, accurate for small `x`.
    log1p,
    /// Sine.
    sin,
    /// Cosine.
    cos
}

/// Square root, rounded to nearest.
#[must_use]
pub fn sqrt(x: f64) -> f64 {
    x.sqrt()
}

/// `x^y`
#[must_use]
pub fn pow(x: f64, y: f64) -> f64 {
    Straight::pow(x, y)
}

/// The logarithm of the gamma function for `x > 0`; NaN elsewhere. The error is below 2e-14 near the zeros
/// at 1 and 2, and below 4e-15 relative to the value beyond 10.
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    if x == f64::INFINITY {
        return x;
    }
    // Stirling's series (Abramowitz & Stegun 6.1.41), after moving the argument above 10.
    let (mut product, mut z) = (1.0, x);
    while z < 10.0 {
        product *= z;
        z += 1.0;
    }
    let w = 1.0 / (z * z);
    let series = [-691.0 / 360_360.0, 1.0 / 1188.0, -1.0 / 1680.0, 1.0 / 1260.0, -1.0 / 360.0, 1.0 / 12.0]
        .into_iter()
        .fold(0.0, |sum: f64, c| sum.mul_add(w, c));
    (z - 0.5) * log(z) - z + 0.918_938_533_204_672_8 + series / z - log(product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gamma_function_of_whole_numbers_is_a_factorial() {
        let mut factorial = 1.0;
        for n in 1..=170 {
            let expected = log(factorial);
            let got = ln_gamma(f64::from(n));
            assert!((got - expected).abs() <= 4e-15 * expected.abs().max(4.0), "{n}: {got}, not {expected}");
            factorial *= f64::from(n);
        }
    }

    #[test]
    fn the_gamma_function_has_its_known_values_elsewhere() {
        // Gamma(1/2) = sqrt(pi); Gamma(x) = 1/x near 0; Stirling's formula itself far out.
        assert!((ln_gamma(0.5) - 0.5 * log(std::f64::consts::PI)).abs() < 1e-14);
        assert!((ln_gamma(1e-300) - 300.0 * std::f64::consts::LN_10).abs() < 1e-11);
        assert!((ln_gamma(1e15) / (1e15 * (log(1e15) - 1.0)) - 1.0).abs() < 1e-13);
        assert!(ln_gamma(0.0).is_nan() && ln_gamma(-1.0).is_nan() && ln_gamma(f64::NAN).is_nan());
        assert_eq!(ln_gamma(f64::INFINITY), f64::INFINITY);
    }
}
