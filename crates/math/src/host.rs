//! Functions of doubles for host code whose results reach a simulation: the same operations as in kernels,
//! by an evaluator that only knows doubles and is several times faster than
//! [`Evaluator`](crate::scalar::Evaluator).
//!
//! ```
//! assert_eq!(neuropil_math::host::log(neuropil_math::host::exp(2.0)), 2.0);
//! ```

use neuropil_base::{Scalar, ScalarType};

use crate::expand::ops::Ops;
use crate::{BinaryOp, CompareOp, Emit, UnaryOp};

/// A value on the way of a function of doubles.
#[derive(Clone, Copy)]
enum Word {
    Float(f64),
    Integer(i64),
    Truth(bool),
}

/// Carries the operations out that expansions for doubles are made of. Types and operations are constants
/// to the compiler once everything is inlined, and their tests vanish. What is rare goes to the functions
/// of [`scalar`](crate::scalar), which say what every operation means.
struct Doubles;

impl Word {
    #[inline(always)]
    fn float(self) -> f64 {
        match self {
            Self::Float(x) => x,
            Self::Integer(i) => i as f64,
            Self::Truth(b) => f64::from(u8::from(b)),
        }
    }

    #[inline(always)]
    fn integer(self) -> i64 {
        match self {
            Self::Float(x) => x as i64,
            Self::Integer(i) => i,
            Self::Truth(b) => i64::from(b),
        }
    }

    #[inline(always)]
    fn truth(self) -> bool {
        match self {
            Self::Float(x) => x != 0.0,
            Self::Integer(i) => i != 0,
            Self::Truth(b) => b,
        }
    }

    #[inline(always)]
    fn scalar(self) -> Scalar {
        match self {
            Self::Float(x) => Scalar::F64(x),
            Self::Integer(i) => Scalar::I64(i),
            Self::Truth(b) => Scalar::Bool(b),
        }
    }
}

impl From<Scalar> for Word {
    #[inline(always)]
    fn from(value: Scalar) -> Self {
        match value {
            Scalar::F64(x) => Self::Float(x),
            Scalar::F32(x) => Self::Float(f64::from(x)),
            Scalar::I64(i) => Self::Integer(i),
            Scalar::I32(i) => Self::Integer(i64::from(i)),
            Scalar::Bool(b) => Self::Truth(b),
        }
    }
}

impl Emit for Doubles {
    type Value = Word;

    #[inline(always)]
    fn ty(&self, value: Word) -> ScalarType {
        match value {
            Word::Float(_) => ScalarType::F64,
            Word::Integer(_) => ScalarType::I64,
            Word::Truth(_) => ScalarType::Bool,
        }
    }

    #[inline(always)]
    fn constant(&mut self, value: Scalar) -> Word {
        value.into()
    }

    #[inline(always)]
    fn unary(&mut self, op: UnaryOp, a: Word) -> Word {
        match (op, a) {
            (UnaryOp::Neg, Word::Float(x)) => Word::Float(-x),
            (UnaryOp::Abs, Word::Float(x)) => Word::Float(x.abs()),
            (UnaryOp::Sqrt, Word::Float(x)) => Word::Float(x.sqrt()),
            _ => crate::scalar::unary(op, a.scalar()).into(),
        }
    }

    #[inline(always)]
    fn binary(&mut self, op: BinaryOp, a: Word, b: Word) -> Word {
        match (op, a) {
            (BinaryOp::Add, Word::Float(x)) => Word::Float(x + b.float()),
            (BinaryOp::Sub, Word::Float(x)) => Word::Float(x - b.float()),
            (BinaryOp::Mul, Word::Float(x)) => Word::Float(x * b.float()),
            (BinaryOp::Div, Word::Float(x)) => Word::Float(x / b.float()),
            (BinaryOp::Min, Word::Float(x)) => Word::Float(if x < b.float() { x } else { b.float() }),
            (BinaryOp::Max, Word::Float(x)) => Word::Float(if x > b.float() { x } else { b.float() }),
            (BinaryOp::Add, Word::Integer(i)) => Word::Integer(i.wrapping_add(b.integer())),
            (BinaryOp::Sub, Word::Integer(i)) => Word::Integer(i.wrapping_sub(b.integer())),
            (BinaryOp::And, Word::Integer(i)) => Word::Integer(i & b.integer()),
            (BinaryOp::Or, Word::Integer(i)) => Word::Integer(i | b.integer()),
            (BinaryOp::Xor, Word::Integer(i)) => Word::Integer(i ^ b.integer()),
            (BinaryOp::Shl, Word::Integer(i)) => Word::Integer(i.wrapping_shl(b.integer() as u32)),
            (BinaryOp::Shr, Word::Integer(i)) => {
                Word::Integer((i as u64).wrapping_shr(b.integer() as u32) as i64)
            }
            (BinaryOp::Sar, Word::Integer(i)) => Word::Integer(i.wrapping_shr(b.integer() as u32)),
            _ => crate::scalar::binary(op, a.scalar(), b.scalar()).into(),
        }
    }

    #[inline(always)]
    fn compare(&mut self, op: CompareOp, a: Word, b: Word) -> Word {
        Word::Truth(match (op, a) {
            (CompareOp::Eq, Word::Float(x)) => x == b.float(),
            (CompareOp::Ne, Word::Float(x)) => x != b.float(),
            (CompareOp::Lt, Word::Float(x)) => x < b.float(),
            (CompareOp::Le, Word::Float(x)) => x <= b.float(),
            (CompareOp::Gt, Word::Float(x)) => x > b.float(),
            (CompareOp::Ge, Word::Float(x)) => x >= b.float(),
            _ => crate::scalar::compare(op, a.scalar(), b.scalar()),
        })
    }

    #[inline(always)]
    fn fma(&mut self, a: Word, b: Word, c: Word) -> Word {
        Word::Float(a.float().mul_add(b.float(), c.float()))
    }

    #[inline(always)]
    fn select(&mut self, condition: Word, a: Word, b: Word) -> Word {
        if condition.truth() { a } else { b }
    }

    #[inline(always)]
    fn convert(&mut self, ty: ScalarType, a: Word) -> Word {
        crate::scalar::convert(ty, a.scalar()).into()
    }

    #[inline(always)]
    fn bitcast(&mut self, ty: ScalarType, a: Word) -> Word {
        match (ty, a) {
            (ScalarType::I64, Word::Float(x)) => Word::Integer(x.to_bits() as i64),
            (ScalarType::F64, Word::Integer(i)) => Word::Float(f64::from_bits(i as u64)),
            _ => a,
        }
    }
}

/// A function of one double by the expansion of that name.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(x: f64) -> f64 {
            let x = Word::Float(x);
            Ops::new(&mut Doubles, x).$name(x).float()
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
    cos,
    /// Square root, rounded to nearest.
    sqrt
}

/// `x^y`
#[must_use]
pub fn pow(x: f64, y: f64) -> f64 {
    let (x, y) = (Word::Float(x), Word::Float(y));
    Ops::new(&mut Doubles, x).pow(x, y).float()
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

    #[test]
    fn doubles_alone_give_the_bits_of_the_general_evaluator() {
        use crate::Function;
        use crate::scalar::eval;

        type Host = fn(f64) -> f64;
        let functions: [(Function, Host); 6] = [
            (Function::Exp, exp),
            (Function::Expm1, expm1),
            (Function::Log, log),
            (Function::Log1p, log1p),
            (Function::Sin, sin),
            (Function::Cos, cos),
        ];
        let mut bits: u64 = 1;
        for i in 0..3000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let x = if i % 2 == 0 { f64::from_bits(bits) } else { (bits >> 40) as f64 / 1e5 - 80.0 };
            for (function, host) in functions {
                let (expected, got) = (eval(function, &[Scalar::F64(x)]), Scalar::F64(host(x)));
                assert!(expected == got || got.to_f64().is_nan(), "{function}({x}): {got}, not {expected}");
            }
            let (expected, got) =
                (eval(Function::Pow, &[Scalar::F64(x.abs()), Scalar::F64(1.7)]), pow(x.abs(), 1.7));
            assert!(expected == Scalar::F64(got) || got.is_nan());
        }
    }
}
