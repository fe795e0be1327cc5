//! What each primitive operation means, and the evaluator that carries them out one by one.
//!
//! This is the specification: the interpreter calls these functions, every other backend agrees with
//! them bit for bit (the bits of a NaN excepted). Every function is total. Operands of types that an
//! operation does not have are a mistake of the caller: debug builds stop, release builds convert to the
//! type of the first operand, and give that operand back where the operation has no meaning for its type.

use neuropil_base::{Scalar, ScalarType};

use crate::{BinaryOp, CompareOp, Emit, UnaryOp};

/// One operand.
#[must_use]
#[inline]
pub fn unary(op: UnaryOp, a: Scalar) -> Scalar {
    match a {
        Scalar::F64(x) => match op {
            UnaryOp::Neg => Scalar::F64(-x),
            UnaryOp::Abs => Scalar::F64(x.abs()),
            UnaryOp::Sqrt => Scalar::F64(x.sqrt()),
            UnaryOp::Floor => Scalar::F64(x.floor()),
            UnaryOp::Ceil => Scalar::F64(x.ceil()),
            UnaryOp::Trunc => Scalar::F64(x.trunc()),
            UnaryOp::Not => misuse(a),
        },
        Scalar::F32(x) => match op {
            UnaryOp::Neg => Scalar::F32(-x),
            UnaryOp::Abs => Scalar::F32(x.abs()),
            UnaryOp::Sqrt => Scalar::F32(x.sqrt()),
            UnaryOp::Floor => Scalar::F32(x.floor()),
            UnaryOp::Ceil => Scalar::F32(x.ceil()),
            UnaryOp::Trunc => Scalar::F32(x.trunc()),
            UnaryOp::Not => misuse(a),
        },
        Scalar::I32(x) => match op {
            UnaryOp::Neg => Scalar::I32(x.wrapping_neg()),
            UnaryOp::Abs => Scalar::I32(x.wrapping_abs()),
            UnaryOp::Not => Scalar::I32(!x),
            UnaryOp::Sqrt | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc => misuse(a),
        },
        Scalar::I64(x) => match op {
            UnaryOp::Neg => Scalar::I64(x.wrapping_neg()),
            UnaryOp::Abs => Scalar::I64(x.wrapping_abs()),
            UnaryOp::Not => Scalar::I64(!x),
            UnaryOp::Sqrt | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc => misuse(a),
        },
        Scalar::Bool(x) => match op {
            UnaryOp::Not => Scalar::Bool(!x),
            UnaryOp::Neg | UnaryOp::Abs | UnaryOp::Sqrt | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc => {
                misuse(a)
            }
        },
    }
}

/// Arithmetic of both float types.
macro_rules! float_binary {
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
            | BinaryOp::Sar => misuse($wrap($a)),
        }
    };
}

/// Arithmetic of both integer types; `$unsigned` is the type of the same width that shifts zeros in.
macro_rules! integer_binary {
    ($op:expr, $a:expr, $b:expr, $wrap:path, $signed:ty, $unsigned:ty) => {
        match $op {
            BinaryOp::Add => $wrap($a.wrapping_add($b)),
            BinaryOp::Sub => $wrap($a.wrapping_sub($b)),
            BinaryOp::Mul => $wrap($a.wrapping_mul($b)),
            BinaryOp::Div if $b == 0 => $wrap(0),
            BinaryOp::Div => {
                let quotient = $a.wrapping_div($b);
                let inexact = $a.wrapping_rem($b) != 0 && ($a < 0) != ($b < 0);
                $wrap(quotient - <$signed>::from(inexact))
            }
            BinaryOp::Rem if $b == 0 => $wrap(0),
            BinaryOp::Rem => {
                let rest = $a.wrapping_rem($b);
                $wrap(if rest != 0 && (rest < 0) != ($b < 0) { rest + $b } else { rest })
            }
            BinaryOp::Min => $wrap(if $a < $b { $a } else { $b }),
            BinaryOp::Max => $wrap(if $a > $b { $a } else { $b }),
            BinaryOp::And => $wrap($a & $b),
            BinaryOp::Or => $wrap($a | $b),
            BinaryOp::Xor => $wrap($a ^ $b),
            BinaryOp::Shl => $wrap($a.wrapping_shl($b as u32)),
            BinaryOp::Shr => $wrap(($a as $unsigned).wrapping_shr($b as u32) as $signed),
            BinaryOp::Sar => $wrap($a.wrapping_shr($b as u32)),
        }
    };
}

/// Two operands of one type.
#[must_use]
#[inline]
pub fn binary(op: BinaryOp, a: Scalar, b: Scalar) -> Scalar {
    match (a, b) {
        (Scalar::F64(a), Scalar::F64(b)) => float_binary!(op, a, b, Scalar::F64),
        (Scalar::F32(a), Scalar::F32(b)) => float_binary!(op, a, b, Scalar::F32),
        (Scalar::I32(a), Scalar::I32(b)) => integer_binary!(op, a, b, Scalar::I32, i32, u32),
        (Scalar::I64(a), Scalar::I64(b)) => integer_binary!(op, a, b, Scalar::I64, i64, u64),
        (Scalar::Bool(a), Scalar::Bool(b)) => match op {
            BinaryOp::And | BinaryOp::Min => Scalar::Bool(a & b),
            BinaryOp::Or | BinaryOp::Max => Scalar::Bool(a | b),
            BinaryOp::Xor => Scalar::Bool(a ^ b),
            BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::Rem
            | BinaryOp::Shl
            | BinaryOp::Shr
            | BinaryOp::Sar => misuse(Scalar::Bool(a)),
        },
        (Scalar::Bool(_) | Scalar::I32(_) | Scalar::I64(_) | Scalar::F32(_) | Scalar::F64(_), _) => {
            debug_assert!(false, "{op:?} of {} and {}", a.ty(), b.ty());
            binary(op, a, convert(a.ty(), b))
        }
    }
}

/// A comparison of two operands of one type.
#[must_use]
#[inline]
pub fn compare(op: CompareOp, a: Scalar, b: Scalar) -> bool {
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
    match (a, b) {
        (Scalar::F64(a), Scalar::F64(b)) => holds(op, a, b),
        (Scalar::F32(a), Scalar::F32(b)) => holds(op, a, b),
        (Scalar::I32(a), Scalar::I32(b)) => holds(op, a, b),
        (Scalar::I64(a), Scalar::I64(b)) => holds(op, a, b),
        (Scalar::Bool(a), Scalar::Bool(b)) => holds(op, a, b),
        (Scalar::Bool(_) | Scalar::I32(_) | Scalar::I64(_) | Scalar::F32(_) | Scalar::F64(_), _) => {
            debug_assert!(false, "{op:?} of {} and {}", a.ty(), b.ty());
            compare(op, a, convert(a.ty(), b))
        }
    }
}

/// `a * b + c`, rounded once.
#[must_use]
#[inline]
pub fn fma(a: Scalar, b: Scalar, c: Scalar) -> Scalar {
    match (a, b, c) {
        (Scalar::F64(a), Scalar::F64(b), Scalar::F64(c)) => Scalar::F64(a.mul_add(b, c)),
        (Scalar::F32(a), Scalar::F32(b), Scalar::F32(c)) => Scalar::F32(a.mul_add(b, c)),
        (Scalar::Bool(_) | Scalar::I32(_) | Scalar::I64(_) | Scalar::F32(_) | Scalar::F64(_), _, _) => {
            debug_assert!(false, "fma of {}, {} and {}", a.ty(), b.ty(), c.ty());
            if a.ty().is_float() { fma(a, convert(a.ty(), b), convert(a.ty(), c)) } else { a }
        }
    }
}

/// `condition ? a : b`.
#[must_use]
#[inline]
pub fn select(condition: Scalar, a: Scalar, b: Scalar) -> Scalar {
    debug_assert_eq!(condition.ty(), ScalarType::Bool, "select by a condition that is none");
    debug_assert_eq!(a.ty(), b.ty(), "select between types");
    if matches!(convert(ScalarType::Bool, condition), Scalar::Bool(true)) { a } else { convert(a.ty(), b) }
}

/// The value converted to `ty`; see [`Emit::convert`].
#[must_use]
#[inline]
pub fn convert(ty: ScalarType, a: Scalar) -> Scalar {
    match (a, ty) {
        (Scalar::F64(x), _) => Scalar::from_f64(ty, x),
        (Scalar::F32(x), ScalarType::F32) => Scalar::F32(x),
        (Scalar::F32(x), _) => Scalar::from_f64(ty, f64::from(x)),
        (Scalar::I64(i), ScalarType::Bool) => Scalar::Bool(i != 0),
        (Scalar::I64(i), ScalarType::I32) => Scalar::I32(i as i32),
        (Scalar::I64(i), ScalarType::I64) => Scalar::I64(i),
        (Scalar::I64(i), ScalarType::F32) => Scalar::F32(i as f32),
        (Scalar::I64(i), ScalarType::F64) => Scalar::F64(i as f64),
        (Scalar::I32(i), _) => convert(ty, Scalar::I64(i64::from(i))),
        (Scalar::Bool(b), _) => convert(ty, Scalar::I64(i64::from(b))),
    }
}

/// The same bits as another type of the same size.
#[must_use]
#[inline]
pub fn bitcast(ty: ScalarType, a: Scalar) -> Scalar {
    debug_assert_eq!(ty.size(), a.ty().size(), "bitcast between sizes");
    Scalar::from_bits(ty, a.bits())
}

/// What an operation gives that its operand's type does not have.
#[cold]
fn misuse(a: Scalar) -> Scalar {
    debug_assert!(false, "operation that {} does not have", a.ty());
    a
}

/// Carries operations out at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evaluator;

impl Emit for Evaluator {
    type Value = Scalar;

    #[inline]
    fn ty(&self, value: Scalar) -> ScalarType {
        value.ty()
    }

    #[inline]
    fn constant(&mut self, value: Scalar) -> Scalar {
        value
    }

    #[inline]
    fn unary(&mut self, op: UnaryOp, a: Scalar) -> Scalar {
        unary(op, a)
    }

    #[inline]
    fn binary(&mut self, op: BinaryOp, a: Scalar, b: Scalar) -> Scalar {
        binary(op, a, b)
    }

    #[inline]
    fn compare(&mut self, op: CompareOp, a: Scalar, b: Scalar) -> Scalar {
        Scalar::Bool(compare(op, a, b))
    }

    #[inline]
    fn fma(&mut self, a: Scalar, b: Scalar, c: Scalar) -> Scalar {
        fma(a, b, c)
    }

    #[inline]
    fn select(&mut self, condition: Scalar, a: Scalar, b: Scalar) -> Scalar {
        select(condition, a, b)
    }

    #[inline]
    fn convert(&mut self, ty: ScalarType, a: Scalar) -> Scalar {
        convert(ty, a)
    }

    #[inline]
    fn bitcast(&mut self, ty: ScalarType, a: Scalar) -> Scalar {
        bitcast(ty, a)
    }
}

/// `function` of `args`, whose types are those of its [`signature`](crate::Function::signature).
#[must_use]
pub fn eval(function: crate::Function, args: &[Scalar]) -> Scalar {
    function.expand(&mut Evaluator, args)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn integers_divide_down_and_never_trap() {
        let i = Scalar::I32;
        assert_eq!(binary(BinaryOp::Div, i(-7), i(2)), i(-4));
        assert_eq!(binary(BinaryOp::Rem, i(-7), i(2)), i(1));
        assert_eq!(binary(BinaryOp::Rem, i(7), i(-2)), i(-1));
        assert_eq!(binary(BinaryOp::Div, i(7), i(0)), i(0));
        assert_eq!(binary(BinaryOp::Rem, i(7), i(0)), i(0));
        assert_eq!(binary(BinaryOp::Div, i(i32::MIN), i(-1)), i(i32::MIN));
        assert_eq!(binary(BinaryOp::Rem, i(i32::MIN), i(-1)), i(0));
        assert_eq!(unary(UnaryOp::Abs, i(i32::MIN)), i(i32::MIN));
    }

    #[test]
    fn a_tiny_negative_number_divides_down_to_minus_one_as_in_python() {
        use crate::Function::{FloorDiv, Mod};
        for (tiny, one) in [(Scalar::F32(-1e-30), Scalar::F32(1.0)), (Scalar::F64(-1e-300), Scalar::F64(1.0))]
        {
            assert_eq!(eval(FloorDiv, &[tiny, one]).to_f64(), -1.0);
            assert_eq!(eval(Mod, &[tiny, one]), one);
        }
    }

    #[test]
    fn shifts_take_their_count_modulo_the_width() {
        let i = Scalar::I64;
        assert_eq!(binary(BinaryOp::Shl, i(1), i(65)), i(2));
        assert_eq!(binary(BinaryOp::Shr, i(-1), i(63)), i(1));
        assert_eq!(binary(BinaryOp::Sar, i(-4), i(1)), i(-2));
        assert_eq!(binary(BinaryOp::Shr, Scalar::I32(-1), Scalar::I32(28)), Scalar::I32(15));
    }

    #[test]
    fn minimum_and_maximum_fall_back_to_the_second_operand() {
        let nan = Scalar::F64(f64::NAN);
        for op in [BinaryOp::Min, BinaryOp::Max] {
            assert_eq!(binary(op, nan, Scalar::F64(1.0)), Scalar::F64(1.0));
            assert_eq!(binary(op, Scalar::F64(1.0), nan), nan);
            assert_eq!(binary(op, Scalar::F64(0.0), Scalar::F64(-0.0)), Scalar::F64(-0.0));
        }
    }

    #[test]
    fn conversions_saturate_and_wrap() {
        assert_eq!(convert(ScalarType::I32, Scalar::F64(-1e300)), Scalar::I32(i32::MIN));
        assert_eq!(convert(ScalarType::I32, Scalar::F32(f32::NAN)), Scalar::I32(0));
        assert_eq!(convert(ScalarType::I32, Scalar::F64(-1.9)), Scalar::I32(-1));
        assert_eq!(convert(ScalarType::I32, Scalar::I64(1 << 32)), Scalar::I32(0));
        assert_eq!(convert(ScalarType::F32, Scalar::I64(i64::MAX)), Scalar::F32(9.223_372e18));
        assert_eq!(convert(ScalarType::Bool, Scalar::F64(f64::NAN)), Scalar::Bool(true));
        assert_eq!(convert(ScalarType::F64, Scalar::Bool(true)), Scalar::F64(1.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn quotient_and_rest_make_the_dividend(a in any::<i32>(), b in any::<i32>()) {
            prop_assume!(b != 0);
            let (x, y) = (Scalar::I32(a), Scalar::I32(b));
            let product = binary(BinaryOp::Mul, binary(BinaryOp::Div, x, y), y);
            prop_assert_eq!(binary(BinaryOp::Add, product, binary(BinaryOp::Rem, x, y)), x);
        }

        #[test]
        fn exactly_one_order_holds_unless_an_operand_is_nan(a in any::<f32>(), b in any::<f32>()) {
            let (x, y) = (Scalar::F32(a), Scalar::F32(b));
            let count = [CompareOp::Lt, CompareOp::Eq, CompareOp::Gt].map(|op| compare(op, x, y));
            let expected = usize::from(!(a.is_nan() || b.is_nan()));
            prop_assert_eq!(count.into_iter().filter(|c| *c).count(), expected);
        }
    }
}
