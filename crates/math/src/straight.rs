//! Functions as straight code inside the caller's loop, for compilers to vectorise.
//!
//! The expansions are carried out by an evaluator whose types and operations are constants to the compiler once everything
//! is inlined, so that nothing but the machine's own operations is left. Everything here is always inlined: a
//! function with wider vectors than the portable build gets its own copy. Results are those of
//! [`scalar`](crate::scalar) bit for bit (the bits of a NaN excepted).
//!
//! ```
//! use neuropil_math::straight::Straight;
//! let squares: Vec<f32> = [2.0_f32, 3.0].iter().map(|x| Straight::exp(Straight::log(*x) * 2.0)).collect();
//! assert!((squares[1] - 9.0).abs() < 1e-5);
//! ```

use neuropil_base::{Scalar, ScalarType};

use crate::expand::ops::Ops;
use crate::{BinaryOp, CompareOp, Distribution, Emit, UnaryOp};

/// Carries operations out at once, inlined: those that the functions here are made of, as [`scalar`](crate::scalar) says
/// what they mean. For others, which never come, the first operand is given back: a call that is never made would
/// still keep the compiler from seeing through the values it is given.
struct Inlined;

/// Arithmetic of one float type.
macro_rules! float {
    ($op:expr, $a:expr, $b:expr, $wrap:path) => {
        match $op {
            BinaryOp::Add => $wrap($a + $b),
            BinaryOp::Sub => $wrap($a - $b),
            BinaryOp::Mul => $wrap($a * $b),
            BinaryOp::Div => $wrap($a / $b),
            BinaryOp::Min => $wrap(if $a < $b { $a } else { $b }),
            BinaryOp::Max => $wrap(if $a > $b { $a } else { $b }),
            BinaryOp::Rem
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::Shr
            | BinaryOp::Sar => $wrap($a),
        }
    };
}

/// Arithmetic of one integer type.
macro_rules! integer {
    ($op:expr, $a:expr, $b:expr, $wrap:path, $unsigned:ty, $signed:ty) => {
        match $op {
            BinaryOp::Add => $wrap($a.wrapping_add($b)),
            BinaryOp::Sub => $wrap($a.wrapping_sub($b)),
            BinaryOp::And => $wrap($a & $b),
            BinaryOp::Or => $wrap($a | $b),
            BinaryOp::Xor => $wrap($a ^ $b),
            BinaryOp::Shl => $wrap($a.wrapping_shl($b as u32)),
            BinaryOp::Shr => $wrap(($a as $unsigned).wrapping_shr($b as u32) as $signed),
            BinaryOp::Sar => $wrap($a.wrapping_shr($b as u32)),
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem | BinaryOp::Min | BinaryOp::Max => $wrap($a),
        }
    };
}

#[inline(always)]
fn holds<T: PartialOrd>(op: CompareOp, a: T, b: T) -> bool {
    match op {
        CompareOp::Eq => a == b,
        CompareOp::Ne => a != b,
        CompareOp::Lt => a < b,
        CompareOp::Le => a <= b,
        CompareOp::Gt => a > b,
        CompareOp::Ge => a >= b,
    }
}

impl Emit for Inlined {
    type Value = Scalar;

    #[inline(always)]
    fn ty(&self, value: Scalar) -> ScalarType {
        match value {
            Scalar::F64(_) => ScalarType::F64,
            Scalar::F32(_) => ScalarType::F32,
            Scalar::I64(_) => ScalarType::I64,
            Scalar::I32(_) => ScalarType::I32,
            Scalar::Bool(_) => ScalarType::Bool,
        }
    }

    #[inline(always)]
    fn constant(&mut self, value: Scalar) -> Scalar {
        value
    }

    #[inline(always)]
    fn unary(&mut self, op: UnaryOp, a: Scalar) -> Scalar {
        match (op, a) {
            (UnaryOp::Neg, Scalar::F64(x)) => Scalar::F64(-x),
            (UnaryOp::Neg, Scalar::F32(x)) => Scalar::F32(-x),
            (UnaryOp::Abs, Scalar::F64(x)) => Scalar::F64(x.abs()),
            (UnaryOp::Abs, Scalar::F32(x)) => Scalar::F32(x.abs()),
            (UnaryOp::Sqrt, Scalar::F64(x)) => Scalar::F64(x.sqrt()),
            (UnaryOp::Sqrt, Scalar::F32(x)) => Scalar::F32(x.sqrt()),
            (UnaryOp::Floor, Scalar::F64(x)) => Scalar::F64(x.floor()),
            (UnaryOp::Floor, Scalar::F32(x)) => Scalar::F32(x.floor()),
            (_, _) => a,
        }
    }

    #[inline(always)]
    fn binary(&mut self, op: BinaryOp, a: Scalar, b: Scalar) -> Scalar {
        match (a, b) {
            (Scalar::F64(a), Scalar::F64(b)) => float!(op, a, b, Scalar::F64),
            (Scalar::F32(a), Scalar::F32(b)) => float!(op, a, b, Scalar::F32),
            (Scalar::I64(a), Scalar::I64(b)) => integer!(op, a, b, Scalar::I64, u64, i64),
            (Scalar::I32(a), Scalar::I32(b)) => integer!(op, a, b, Scalar::I32, u32, i32),
            (Scalar::Bool(a), Scalar::Bool(b)) => Scalar::Bool(match op {
                BinaryOp::And => a & b,
                BinaryOp::Or => a | b,
                BinaryOp::Xor => a ^ b,
                BinaryOp::Add
                | BinaryOp::Sub
                | BinaryOp::Mul
                | BinaryOp::Div
                | BinaryOp::Rem
                | BinaryOp::Min
                | BinaryOp::Max
                | BinaryOp::Shl
                | BinaryOp::Shr
                | BinaryOp::Sar => a,
            }),
            (_, _) => a,
        }
    }

    #[inline(always)]
    fn compare(&mut self, op: CompareOp, a: Scalar, b: Scalar) -> Scalar {
        match (a, b) {
            (Scalar::F64(a), Scalar::F64(b)) => Scalar::Bool(holds(op, a, b)),
            (Scalar::F32(a), Scalar::F32(b)) => Scalar::Bool(holds(op, a, b)),
            (Scalar::I64(a), Scalar::I64(b)) => Scalar::Bool(holds(op, a, b)),
            (Scalar::I32(a), Scalar::I32(b)) => Scalar::Bool(holds(op, a, b)),
            (_, _) => a,
        }
    }

    #[inline(always)]
    fn fma(&mut self, a: Scalar, b: Scalar, c: Scalar) -> Scalar {
        match (a, b, c) {
            (Scalar::F64(a), Scalar::F64(b), Scalar::F64(c)) => Scalar::F64(a.mul_add(b, c)),
            (Scalar::F32(a), Scalar::F32(b), Scalar::F32(c)) => Scalar::F32(a.mul_add(b, c)),
            (_, _, _) => a,
        }
    }

    #[inline(always)]
    fn select(&mut self, condition: Scalar, a: Scalar, b: Scalar) -> Scalar {
        let Scalar::Bool(c) = condition else { return a };
        // Both are read before the choice, so that no branch is needed.
        match (a, b) {
            (Scalar::F64(a), Scalar::F64(b)) => Scalar::F64(if c { a } else { b }),
            (Scalar::F32(a), Scalar::F32(b)) => Scalar::F32(if c { a } else { b }),
            (Scalar::I64(a), Scalar::I64(b)) => Scalar::I64(if c { a } else { b }),
            (Scalar::I32(a), Scalar::I32(b)) => Scalar::I32(if c { a } else { b }),
            (_, _) => a,
        }
    }

    #[inline(always)]
    fn convert(&mut self, ty: ScalarType, a: Scalar) -> Scalar {
        match (ty, a) {
            (ScalarType::F32, Scalar::I32(i)) => Scalar::F32(i as f32),
            (ScalarType::F64, Scalar::I32(i)) => Scalar::F64(f64::from(i)),
            (ScalarType::F64, Scalar::F32(x)) => Scalar::F64(f64::from(x)),
            (ScalarType::F32, Scalar::F64(x)) => Scalar::F32(x as f32),
            (ScalarType::F64, Scalar::F64(x)) => Scalar::F64(x),
            (ScalarType::F32, Scalar::F32(x)) => Scalar::F32(x),
            (_, _) => a,
        }
    }

    #[inline(always)]
    fn bitcast(&mut self, ty: ScalarType, a: Scalar) -> Scalar {
        match (ty, a) {
            (ScalarType::I64, Scalar::F64(x)) => Scalar::I64(x.to_bits() as i64),
            (ScalarType::F64, Scalar::I64(i)) => Scalar::F64(f64::from_bits(i as u64)),
            (ScalarType::I32, Scalar::F32(x)) => Scalar::I32(x.to_bits() as i32),
            (ScalarType::F32, Scalar::I32(i)) => Scalar::F32(f32::from_bits(i as u32)),
            (_, _) => a,
        }
    }
}

/// A float type and its functions.
pub trait Straight: Copy {
    /// `e^x`
    #[must_use]
    fn exp(self) -> Self;
    /// `e^x - 1`
    #[must_use]
    fn expm1(self) -> Self;
    /// `(e^x - 1) / x`
    #[must_use]
    fn exprel(self) -> Self;
    /// `x / (e^x - 1)`
    #[must_use]
    fn per_exprel(self) -> Self;
    /// Natural logarithm.
    #[must_use]
    fn log(self) -> Self;
    /// Decimal logarithm.
    #[must_use]
    fn log10(self) -> Self;
    /// `log(1 + x)`
    #[must_use]
    fn log1p(self) -> Self;
    /// Sine.
    #[must_use]
    fn sin(self) -> Self;
    /// Cosine.
    #[must_use]
    fn cos(self) -> Self;
    /// Hyperbolic sine.
    #[must_use]
    fn sinh(self) -> Self;
    /// Hyperbolic cosine.
    #[must_use]
    fn cosh(self) -> Self;
    /// Hyperbolic tangent.
    #[must_use]
    fn tanh(self) -> Self;
    /// `x^y`
    #[must_use]
    fn pow(self, y: Self) -> Self;
    /// A value of a distribution from as many random words as it [takes](Distribution::words); further ones are
    /// not looked at.
    #[must_use]
    fn draw(distribution: Distribution, words: [i32; 3]) -> Self;
}

macro_rules! functions {
    ($T:ident, $variant:ident: $($name:ident),*) => {
        impl Straight for $T {
            $(#[inline(always)]
            fn $name(self) -> Self {
                let x = Scalar::$variant(self);
                let Scalar::$variant(result) = Ops::new(&mut Inlined, x).$name(x) else { return self };
                result
            })*

            #[inline(always)]
            fn pow(self, y: Self) -> Self {
                let (x, y) = (Scalar::$variant(self), Scalar::$variant(y));
                let Scalar::$variant(result) = Ops::new(&mut Inlined, x).pow(x, y) else { return self };
                result
            }

            #[inline(always)]
            fn draw(distribution: Distribution, words: [i32; 3]) -> Self {
                let [a, b, c] = words.map(Scalar::I32);
                let words = [a, b, c];
                let words = &words[..distribution.words(ScalarType::$variant)];
                let value = distribution.expand(&mut Inlined, ScalarType::$variant, words);
                let Scalar::$variant(result) = value else { return 0.0 };
                result
            }
        }
    };
}

functions!(f32, F32: exp, expm1, exprel, per_exprel, log, log10, log1p, sin, cos, sinh, cosh, tanh);
functions!(f64, F64: exp, expm1, exprel, per_exprel, log, log10, log1p, sin, cos, sinh, cosh, tanh);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Function;
    use crate::scalar::{Evaluator, eval};

    /// Any bits, and numbers of everyday size.
    fn arguments() -> impl Iterator<Item = (u64, f64)> {
        let mut bits: u64 = 1;
        (0..3000).map(move |i| {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let usual = (bits >> 40) as f64 / 1e5 - 80.0;
            (bits, if i % 2 == 0 { f64::from_bits(bits) } else { usual })
        })
    }

    macro_rules! agree {
        ($T:ident, $variant:ident) => {
            type Host = fn($T) -> $T;
            let functions: [(Function, Host); 12] = [
                (Function::Exp, Straight::exp),
                (Function::Expm1, Straight::expm1),
                (Function::Exprel, Straight::exprel),
                (Function::PerExprel, Straight::per_exprel),
                (Function::Log, Straight::log),
                (Function::Log10, Straight::log10),
                (Function::Log1p, Straight::log1p),
                (Function::Sin, Straight::sin),
                (Function::Cos, Straight::cos),
                (Function::Sinh, Straight::sinh),
                (Function::Cosh, Straight::cosh),
                (Function::Tanh, Straight::tanh),
            ];
            let same = |a: Scalar, b: $T| a == Scalar::$variant(b) || (a.to_f64().is_nan() && b.is_nan());
            for (bits, x) in arguments() {
                let x = x as $T;
                for (function, host) in functions {
                    let (expected, got) = (eval(function, &[Scalar::$variant(x)]), host(x));
                    assert!(same(expected, got), "{function}({x}): {got}, not {expected}");
                }
                for y in [1.7, -3.0, x] {
                    let expected = eval(Function::Pow, &[x, y].map(Scalar::$variant));
                    assert!(same(expected, Straight::pow(x, y)), "pow({x}, {y})");
                }
                let words = [bits as i32, (bits >> 32) as i32, (bits >> 16) as i32];
                for distribution in Distribution::ALL {
                    let some = &words.map(Scalar::I32)[..distribution.words(ScalarType::$variant)];
                    let expected = distribution.expand(&mut Evaluator, ScalarType::$variant, some);
                    assert!(same(expected, Straight::draw(distribution, words)), "{distribution:?}");
                }
            }
        };
    }

    #[test]
    fn inlined_doubles_are_those_of_the_general_evaluator() {
        agree!(f64, F64);
    }

    #[test]
    fn inlined_singles_are_those_of_the_general_evaluator() {
        agree!(f32, F32);
    }
}
