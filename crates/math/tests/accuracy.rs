//! The error bounds that functions state, held against arbitrary precision (doubles) and doubles (singles).
//!
//! `NEUROPIL_SWEEP=n` takes n times as many arguments, and prints the largest errors found.
#![allow(clippy::disallowed_methods, reason = "the platform's doubles judge our singles")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may stop and report")]

use dashu_float::FBig;
use neuropil_base::{Scalar, ScalarType};
use neuropil_math::Function::{self, *};
use neuropil_math::scalar::eval;

/// Bits of precision of the judge.
const PRECISION: usize = 160;

/// A small generator of arguments (SplitMix64).
struct Arguments(u64);

impl Arguments {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Between 0 and 1.
    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// Between `low` and `high`: evenly, near zero on a logarithmic scale, or of any bits at all.
    fn within(&mut self, low: f64, high: f64, ty: ScalarType) -> f64 {
        loop {
            let x = match self.bits() % 4 {
                0 | 1 => low + (high - low) * self.unit(),
                2 => {
                    let smallest: f64 = if ty == ScalarType::F32 { -149.0 } else { -1074.0 };
                    let scale = self.unit().powi(3) * smallest;
                    (if self.bits() & 1 == 0 { low } else { high }) * (scale).exp2()
                }
                _ if ty == ScalarType::F32 => f64::from(f32::from_bits(self.bits() as u32)),
                _ => f64::from_bits(self.bits()),
            };
            let x = if ty == ScalarType::F32 { f64::from(x as f32) } else { x };
            if (low..=high).contains(&x) {
                return x;
            }
        }
    }
}

fn sweep() -> usize {
    std::env::var("NEUROPIL_SWEEP").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// The size of the last place of `ty` at `x`.
fn ulp(x: f64, ty: ScalarType) -> f64 {
    let (digits, smallest) = if ty == ScalarType::F32 { (23, -149) } else { (52, -1074) };
    let exponent = if x == 0.0 { smallest } else { (x.abs().to_bits() >> 52) as i32 - 1023 - digits };
    f64::from(exponent.max(smallest)).exp2()
}

/// Where each function is swept: a range per argument.
fn ranges(function: Function, ty: ScalarType) -> Vec<(f64, f64)> {
    let single = ty == ScalarType::F32;
    let max = if single { f64::from(f32::MAX) } else { f64::MAX };
    match function {
        Exp => vec![if single { (-103.9, 88.7) } else { (-745.0, 709.7) }],
        Expm1 => vec![if single { (-40.0, 88.7) } else { (-80.0, 709.7) }],
        Exprel => vec![if single { (-200.0, 93.0) } else { (-1000.0, 716.0) }],
        PerExprel => vec![if single { (-200.0, 88.0) } else { (-1000.0, 709.0) }],
        Sinh | Cosh => vec![if single { (-89.4, 89.4) } else { (-710.4, 710.4) }],
        Tanh => vec![(-25.0, 25.0)],
        Log | Log10 | Log2 => vec![(0.0, max)],
        Log1p => vec![(-1.0, max)],
        Sqrt => vec![(0.0, max)],
        Sin | Cos | Tan => vec![if single { (-1e5, 1e5) } else { (-1e12, 1e12) }],
        Arcsin | Arccos => vec![(-1.0, 1.0)],
        Arctan => vec![(-max, max)],
        Arctan2 => vec![(-max, max), (-max, max)],
        Pow => vec![(0.0, max), (-max, max)],
        Abs | Sign | Clip | Floor | Ceil | Int | Min | Max | Mod | FloorDiv | Timestep => vec![],
    }
}

/// Ranges in which arguments usually lie.
fn usual(function: Function) -> Vec<(f64, f64)> {
    match function {
        Exp | Expm1 | Exprel | PerExprel | Sinh | Cosh | Tanh => vec![(-3.0, 3.0)],
        Log | Log10 | Log2 => vec![(0.1, 10.0)],
        Log1p => vec![(-0.9, 3.0)],
        Sqrt => vec![(0.0, 10.0)],
        Sin | Cos | Tan => vec![(-10.0, 10.0)],
        Arcsin | Arccos => vec![(-1.0, 1.0)],
        Arctan => vec![(-5.0, 5.0)],
        Arctan2 => vec![(-5.0, 5.0), (-5.0, 5.0)],
        Pow => vec![(0.0, 20.0), (-20.0, 20.0)],
        Abs | Sign | Clip | Floor | Ceil | Int | Min | Max | Mod | FloorDiv | Timestep => vec![],
    }
}

/// The function in the platform's doubles; good enough to judge singles.
fn in_doubles(function: Function, a: &[f64]) -> f64 {
    let x = a[0];
    match function {
        Exp => x.exp(),
        Log => x.ln(),
        Log10 => x.log10(),
        Log2 => x.log2(),
        Log1p => x.ln_1p(),
        Expm1 => x.exp_m1(),
        Exprel => {
            if x == 0.0 {
                1.0
            } else {
                x.exp_m1() / x
            }
        }
        PerExprel => x / x.exp_m1(),
        Sqrt => x.sqrt(),
        Sin => x.sin(),
        Cos => x.cos(),
        Tan => x.tan(),
        Sinh => x.sinh(),
        Cosh => x.cosh(),
        Tanh => x.tanh(),
        Arcsin => x.asin(),
        Arccos => x.acos(),
        Arctan => x.atan(),
        Arctan2 => x.atan2(a[1]),
        Pow => x.powf(a[1]),
        Abs | Sign | Clip | Floor | Ceil | Int | Min | Max | Mod | FloorDiv | Timestep => f64::NAN,
    }
}

/// The function in arbitrary precision.
fn in_many_bits(function: Function, a: &[f64]) -> FBig {
    let wide = |x: f64| FBig::try_from(x).unwrap().with_precision(PRECISION).value();
    let x = wide(a[0]);
    match function {
        Exp => x.exp(),
        Log => x.ln(),
        Log10 => x.ln() / wide(10.0).ln(),
        Log2 => x.ln() / wide(2.0).ln(),
        Log1p => x.ln_1p(),
        Expm1 => x.exp_m1(),
        Exprel => x.exp_m1() / x,
        PerExprel => x.clone() / x.exp_m1(),
        Sqrt => x.sqrt(),
        Sin => x.sin(),
        Cos => x.cos(),
        Tan => x.tan(),
        Sinh => x.sinh(),
        Cosh => x.cosh(),
        Tanh => x.tanh(),
        Arcsin => x.asin(),
        Arccos => x.acos(),
        Arctan => x.atan(),
        Arctan2 => x.atan2(&wide(a[1])),
        Pow => x.powf(&wide(a[1])),
        Abs | Sign | Clip | Floor | Ceil | Int | Min | Max | Mod | FloorDiv | Timestep => x,
    }
}

/// The error of `got` in units of the last place.
fn error(function: Function, arguments: &[f64], got: f64, ty: ScalarType) -> f64 {
    if ty == ScalarType::F32 {
        let expected = in_doubles(function, arguments);
        if (expected as f32).is_infinite() || got.is_infinite() {
            return if got == f64::from(expected as f32) || expected.abs() > 3.402_823e38 {
                0.0
            } else {
                f64::INFINITY
            };
        }
        return (got - expected).abs() / ulp(expected, ty);
    }
    let expected = in_many_bits(function, arguments);
    let rounded = expected.to_f64().value();
    if rounded.is_infinite() || got.is_infinite() {
        return if got == rounded || rounded.abs() > 1.797_693_134_862_315e308 { 0.0 } else { f64::INFINITY };
    }
    let unit = ulp(rounded, ty);
    let difference =
        FBig::<dashu_float::round::mode::Zero>::try_from(got).unwrap().with_precision(PRECISION).value()
            - expected;
    let exponent = unit.log2() as isize;
    (difference << -exponent).to_f64().value().abs()
}

fn value(function: Function, arguments: &[f64], ty: ScalarType) -> f64 {
    let scalars: Vec<Scalar> = arguments.iter().map(|&x| Scalar::from_f64(ty, x)).collect();
    eval(function, &scalars).to_f64()
}

/// The largest error over the sweep, and where it is.
fn worst(function: Function, ty: ScalarType) -> (f64, Vec<f64>) {
    let mut arguments = Arguments(function as u64 + 77);
    let mut worst = (0.0, Vec::new());
    let count = sweep() * if ty == ScalarType::F32 { 40_000 } else { 800 };
    for i in 0..count {
        let ranges = if i % 3 == 0 { ranges(function, ty) } else { usual(function) };
        let a: Vec<f64> = ranges.iter().map(|&(low, high)| arguments.within(low, high, ty)).collect();
        if a.is_empty() || (function == Pow && a[0] == 0.0) || a.contains(&0.0) || a.contains(&-1.0) {
            continue;
        }
        // The judge itself takes very long to find that a power is out of range.
        if function == Pow && (a[1] * a[0].ln()).abs() > 800.0 {
            continue;
        }
        let e = error(function, &a, value(function, &a, ty), ty);
        if e > worst.0 || e.is_nan() {
            worst = (e, a);
        }
    }
    worst
}

fn hold(ty: ScalarType) {
    let mut missed = Vec::new();
    for function in Function::ALL {
        if usual(function).is_empty() {
            continue;
        }
        let (error, at) = worst(function, ty);
        if sweep() > 1 {
            println!("{function} {ty}: {error:.3} at {at:?}");
        }
        if error.is_nan() || error > function.error_bound_ulp(ty) {
            missed.push(format!("{function}: {error:.3} at {at:?}"));
        }
    }
    assert!(missed.is_empty(), "{ty}: {}", missed.join("; "));
}

#[test]
fn doubles_keep_their_error_bounds() {
    hold(ScalarType::F64);
}

#[test]
fn singles_keep_their_error_bounds() {
    hold(ScalarType::F32);
}

/// `exp` where it is densest in use and where its result is subnormal, in steps of a few last places.
#[test]
fn exponentials_of_singles_keep_their_bound_densely() {
    let mut worst = (0.0, 0.0);
    let ranges: [(f32, f32); 6] =
        [(-104.0, -86.0), (-0.36, -0.34), (-1e-6, -1e-7), (0.3, 0.4), (26.6, 26.8), (88.0, 88.8)];
    for (from, to) in ranges {
        let (a, b) = (from.abs().min(to.abs()).to_bits(), from.abs().max(to.abs()).to_bits());
        for bits in (a..b).step_by(29) {
            let x = f64::from(f32::from_bits(bits).copysign(from));
            let e = error(Exp, &[x], value(Exp, &[x], ScalarType::F32), ScalarType::F32);
            if e > worst.0 {
                worst = (e, x);
            }
        }
    }
    assert!(worst.0 <= Exp.error_bound_ulp(ScalarType::F32), "{worst:?}");
}
