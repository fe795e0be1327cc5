//! Functions of doubles for host code whose results reach a simulation: the same operations as in kernels.

use neuropil_base::Scalar;

use crate::Function;
use crate::scalar::eval;

fn call(function: Function, args: &[Scalar]) -> f64 {
    eval(function, args).to_f64()
}

/// `e^x`
#[must_use]
pub fn exp(x: f64) -> f64 {
    call(Function::Exp, &[Scalar::F64(x)])
}

/// Natural logarithm.
#[must_use]
pub fn log(x: f64) -> f64 {
    call(Function::Log, &[Scalar::F64(x)])
}

/// `log(1 + x)`
#[must_use]
pub fn log1p(x: f64) -> f64 {
    call(Function::Log1p, &[Scalar::F64(x)])
}

/// `e^x - 1`
#[must_use]
pub fn expm1(x: f64) -> f64 {
    call(Function::Expm1, &[Scalar::F64(x)])
}

/// Sine.
#[must_use]
pub fn sin(x: f64) -> f64 {
    call(Function::Sin, &[Scalar::F64(x)])
}

/// Cosine.
#[must_use]
pub fn cos(x: f64) -> f64 {
    call(Function::Cos, &[Scalar::F64(x)])
}

/// Square root, rounded to nearest.
#[must_use]
pub fn sqrt(x: f64) -> f64 {
    x.sqrt()
}

/// `x^y`
#[must_use]
pub fn pow(x: f64, y: f64) -> f64 {
    call(Function::Pow, &[Scalar::F64(x), Scalar::F64(y)])
}

/// The logarithm of the gamma function for `x > 0`; NaN elsewhere.
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    if !(x > 0.0) {
        return f64::NAN;
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
