//! Zeros, infinities, NaN and the ends of domains, for both float types.
#![allow(clippy::disallowed_methods, reason = "powers of two are exact")]

use neuropil_base::{Scalar, ScalarType};
use neuropil_math::Function::{self, *};
use neuropil_math::scalar::eval;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
const TYPES: [ScalarType; 2] = [ScalarType::F32, ScalarType::F64];

fn call(function: Function, ty: ScalarType, arguments: &[f64]) -> Scalar {
    let scalars: Vec<Scalar> = arguments.iter().map(|&x| Scalar::from_f64(ty, x)).collect();
    eval(function, &scalars)
}

/// Both NaN, or the same bits.
#[track_caller]
fn check(function: Function, arguments: &[f64], expected: f64) {
    for ty in TYPES {
        let got = call(function, ty, arguments);
        let same = got == Scalar::from_f64(ty, expected) || (got.to_f64().is_nan() && expected.is_nan());
        assert!(same, "{function}({arguments:?}) in {ty}: {got}, not {expected}");
    }
}

#[test]
fn exponentials_have_their_limits() {
    for (function, x, expected) in [
        (Exp, 0.0, 1.0),
        (Exp, -0.0, 1.0),
        (Exp, INF, INF),
        (Exp, -INF, 0.0),
        (Exp, 1e4, INF),
        (Exp, -1e4, 0.0),
        (Expm1, -0.0, -0.0),
        (Expm1, 1e-30, 1e-30),
        (Expm1, INF, INF),
        (Expm1, -INF, -1.0),
        (Exprel, 0.0, 1.0),
        (Exprel, -0.0, 1.0),
        (Exprel, 1e-40, 1.0),
        (Exprel, INF, INF),
        (Exprel, -INF, 0.0),
        (PerExprel, 0.0, 1.0),
        (PerExprel, -0.0, 1.0),
        (PerExprel, 1e-40, 1.0),
        (PerExprel, -1e-40, 1.0),
        (PerExprel, -INF, INF),
        (Sinh, -0.0, -0.0),
        (Sinh, INF, INF),
        (Sinh, -INF, -INF),
        (Cosh, 0.0, 1.0),
        (Cosh, -INF, INF),
        (Tanh, -0.0, -0.0),
        (Tanh, 1e-40, 1e-40),
        (Tanh, INF, 1.0),
        (Tanh, -INF, -1.0),
        (Tanh, 30.0, 1.0),
    ] {
        check(function, &[x], expected);
    }
}

#[test]
fn logarithms_have_their_limits() {
    for function in [Log, Log2, Log10] {
        check(function, &[0.0], -INF);
        check(function, &[-0.0], -INF);
        check(function, &[1.0], 0.0);
        check(function, &[-1.0], NAN);
        check(function, &[-INF], NAN);
        check(function, &[INF], INF);
    }
    check(Log1p, &[-1.0], -INF);
    check(Log1p, &[-1.5], NAN);
    check(Log1p, &[-0.0], -0.0);
    check(Log1p, &[INF], INF);
    for k in -120..120 {
        check(Log2, &[2f64.powi(k)], f64::from(k));
    }
    for (k, x) in [(0, 1.0), (1, 10.0), (2, 100.0), (3, 1e3), (6, 1e6), (10, 1e10)] {
        check(Log10, &[x], f64::from(k));
    }
}

#[test]
fn angles_have_their_limits() {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};
    for function in [Sin, Cos, Tan] {
        check(function, &[INF], NAN);
        check(function, &[-INF], NAN);
    }
    for function in [Sin, Tan, Arcsin, Arctan] {
        check(function, &[-0.0], -0.0);
        check(function, &[1e-40], 1e-40);
    }
    check(Cos, &[0.0], 1.0);
    check(Arcsin, &[1.0], FRAC_PI_2);
    check(Arcsin, &[-1.0], -FRAC_PI_2);
    check(Arccos, &[1.0], 0.0);
    check(Arccos, &[-1.0], PI);
    check(Arccos, &[0.0], FRAC_PI_2);
    check(Arcsin, &[1.5], NAN);
    check(Arccos, &[-1.5], NAN);
    check(Arctan, &[INF], FRAC_PI_2);
    check(Arctan, &[-INF], -FRAC_PI_2);
    check(Arctan, &[1.0], FRAC_PI_4);
    for (y, x, expected) in [
        (0.0, 0.0, 0.0),
        (-0.0, 0.0, -0.0),
        (0.0, -0.0, PI),
        (-0.0, -0.0, -PI),
        (0.0, -1.0, PI),
        (-0.0, -1.0, -PI),
        (1.0, 0.0, FRAC_PI_2),
        (-1.0, -0.0, -FRAC_PI_2),
        (1.0, INF, 0.0),
        (1.0, -INF, PI),
        (INF, 1.0, FRAC_PI_2),
        (INF, INF, FRAC_PI_4),
        (-INF, -INF, -3.0 * FRAC_PI_4),
        (1e38, 1e38, FRAC_PI_4),
        (NAN, 1.0, NAN),
        (1.0, NAN, NAN),
    ] {
        check(Arctan2, &[y, x], expected);
    }
}

#[test]
fn sine_and_cosine_stay_in_range_however_large_the_angle() {
    for ty in TYPES {
        for k in 0..1100 {
            for x in [2f64.powi(k), 1.1 * 2f64.powi(k), 1.9 * 2f64.powi(k)] {
                for function in [Sin, Cos] {
                    let y = call(function, ty, &[x]).to_f64();
                    let finite = Scalar::from_f64(ty, x).to_f64().is_finite();
                    assert!(if finite { y.abs() <= 1.0 } else { y.is_nan() }, "{function}({x}) in {ty}: {y}");
                }
            }
        }
    }
}

#[test]
fn powers_follow_ieee_754() {
    for (x, y, expected) in [
        (2.0, 10.0, 1024.0),
        (-2.0, 3.0, -8.0),
        (-2.0, 2.0, 4.0),
        (-2.0, 0.5, NAN),
        (2.0, 0.0, 1.0),
        (NAN, 0.0, 1.0),
        (1.0, NAN, 1.0),
        (1.0, INF, 1.0),
        (-1.0, INF, 1.0),
        (-1.0, -INF, 1.0),
        (-1.0, 3.0, -1.0),
        (-1.0, 0.5, NAN),
        (0.0, 2.0, 0.0),
        (-0.0, 3.0, -0.0),
        (-0.0, 2.0, 0.0),
        (0.0, -2.0, INF),
        (-0.0, -3.0, -INF),
        (0.0, INF, 0.0),
        (0.0, -INF, INF),
        (0.5, INF, 0.0),
        (0.5, -INF, INF),
        (2.0, INF, INF),
        (2.0, -INF, 0.0),
        (INF, 0.5, INF),
        (INF, -0.5, 0.0),
        (-INF, 3.0, -INF),
        (-INF, 2.0, INF),
        (-INF, 0.5, INF),
        (-INF, -3.0, -0.0),
        (NAN, 1.0, NAN),
        (2.0, NAN, NAN),
        (10.0, 400.0, INF),
        (10.0, -400.0, 0.0),
        (-10.0, 401.0, -INF),
        (4.0, 0.5, 2.0),
        (10.0, 2.0, 100.0),
    ] {
        check(Pow, &[x, y], expected);
    }
}

#[test]
fn rests_have_the_sign_of_the_divisor() {
    for (x, y, rest, quotient) in [
        (7.0, 2.0, 1.0, 3.0),
        (-7.0, 2.0, 1.0, -4.0),
        (7.0, -2.0, -1.0, -4.0),
        (-7.0, -2.0, -1.0, 3.0),
        (6.0, 2.0, 0.0, 3.0),
        (5.5, 2.0, 1.5, 2.0),
        (5.0, INF, 5.0, 0.0),
        (-5.0, INF, INF, -1.0),
        (INF, 2.0, NAN, NAN),
        (NAN, 2.0, NAN, NAN),
    ] {
        check(Mod, &[x, y], rest);
        if !quotient.is_nan() {
            check(FloorDiv, &[x, y], quotient);
        }
    }
    check(Mod, &[1.0, 0.0], NAN);
    check(FloorDiv, &[1.0, 0.0], INF);
    // 1 is not ten tenths, since the double 0.1 is a little more than a tenth.
    assert_eq!(call(FloorDiv, ScalarType::F64, &[1.0, 0.1]), Scalar::F64(9.0));
    assert_eq!(call(Mod, ScalarType::F64, &[1.0, 0.1]), Scalar::F64(0.099_999_999_999_999_95));
}

#[test]
fn choices_keep_nan_and_the_type_of_their_arguments() {
    check(Min, &[1.0, NAN], NAN);
    check(Min, &[NAN, 1.0], NAN);
    check(Max, &[1.0, NAN], NAN);
    check(Max, &[NAN, 1.0], NAN);
    check(Clip, &[NAN, 0.0, 1.0], NAN);
    check(Clip, &[5.0, 0.0, 1.0], 1.0);
    check(Clip, &[-5.0, 0.0, 1.0], 0.0);
    check(Sign, &[-3.0], -1.0);
    check(Sign, &[0.0], 0.0);
    check(Sign, &[NAN], NAN);
    check(Abs, &[-0.0], 0.0);
    let i = Scalar::I32;
    assert_eq!(eval(Sign, &[i(-3)]), i(-1));
    assert_eq!(eval(Clip, &[i(7), i(0), i(5)]), i(5));
    assert_eq!(eval(Min, &[i(7), i(5)]), i(5));
    assert_eq!(eval(Max, &[i(7), i(5)]), i(7));
    assert_eq!(eval(Mod, &[i(-7), i(5)]), i(3));
    assert_eq!(eval(FloorDiv, &[i(-7), i(5)]), i(-2));
    assert_eq!(eval(Abs, &[i(-7)]), i(7));
    assert_eq!(eval(Int, &[Scalar::Bool(true)]), i(1));
    assert_eq!(eval(Int, &[Scalar::F32(-1.5)]), i(-1));
}

#[test]
fn a_time_just_before_a_step_counts_as_in_it() {
    let step = |t: f64| eval(Timestep, &[Scalar::F64(t), Scalar::F64(1e-4)]);
    assert_eq!(step(0.0), Scalar::I32(0));
    assert_eq!(step(3e-4), Scalar::I32(3));
    assert_eq!(step(3e-4 - 1e-19), Scalar::I32(3));
    assert_eq!(step(2.9e-4), Scalar::I32(2));
}

#[test]
fn every_function_takes_anything_and_keeps_nan() {
    let values = [0.0, -0.0, 1.0, -1.0, 1e-310, 1e308, -1e308, INF, -INF, NAN, 0.5, 1e20];
    for ty in TYPES {
        for function in Function::ALL {
            for &x in &values {
                for &y in &values {
                    let arguments = &[x, y, 1.0][..function.arity()];
                    let got = call(function, ty, arguments).to_f64();
                    if arguments.len() == 1 && x.is_nan() && function != Int {
                        assert!(got.is_nan(), "{function}(NaN) is {got}");
                    }
                }
            }
        }
    }
}

#[test]
fn whole_powers_are_products_in_a_fixed_order() {
    use neuropil_math::{pow_constant, pow_int, scalar::Evaluator};

    let x = 1.1f64;
    let power = |n| pow_int(&mut Evaluator, Scalar::F64(x), n);
    assert_eq!(power(0), Scalar::F64(1.0));
    assert_eq!(power(1), Scalar::F64(x));
    assert_eq!(power(2), Scalar::F64(x * x));
    assert_eq!(power(3), Scalar::F64(x * (x * x)));
    assert_eq!(power(-3), Scalar::F64(1.0 / (x * (x * x))));
    assert_eq!(power(4), Scalar::F64((x * x) * (x * x)));
    assert_eq!(pow_int(&mut Evaluator, Scalar::F64(1.0), i32::MIN), Scalar::F64(1.0));
    let constant = |y| pow_constant(&mut Evaluator, Scalar::F64(x), y);
    assert_eq!(constant(0.5), Some(Scalar::F64(x.sqrt())));
    assert_eq!(constant(4.0), Some(power(4)));
    for y in [-16.0, -2.0, -0.5, 0.0, 1.5, 16.0] {
        let ratio = constant(y).unwrap().to_f64() / call(Pow, ScalarType::F64, &[x, y]).to_f64();
        assert!((ratio - 1.0).abs() < 1e-14, "{y}");
    }
    for y in [0.3, 17.0, 1e300, NAN, INF] {
        assert_eq!(constant(y), None);
    }
}
