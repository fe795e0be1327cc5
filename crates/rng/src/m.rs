//! The functions of `neuropil_math::host` that sampling needs.

#![allow(clippy::disallowed_methods, reason = "stands in for neuropil_math::host")]

pub(crate) fn exp(x: f64) -> f64 {
    x.exp()
}

pub(crate) fn log(x: f64) -> f64 {
    x.ln()
}

pub(crate) fn log1p(x: f64) -> f64 {
    x.ln_1p()
}
