//! The expansion of every function into primitive operations.
//!
//! Straight lines only: no branches, no tables, and few divisions, which take as long as ten to thirty other
//! operations on vectors. How many operations each takes is held by `tests/count.rs`. Each is written once for both float types; the numbers are
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
    /// Arguments have the types that [`signature`](Self::signature) asks for; a missing one counts as a repetition of the last.
    pub fn expand<E: Emit>(self, e: &mut E, args: &[E::Value]) -> E::Value {
        debug_assert_eq!(args.len(), self.arity(), "arguments of {self}");
        let Some(&x) = args.first() else { return e.constant(Scalar::F64(0.0)) };
        let mut o = Ops::new(e, x);
        let y = args.get(1).copied().unwrap_or(x);
        let z = args.get(2).copied().unwrap_or(y);
        match self {
            Self::Exp => o.exp(x),
            Self::Log => o.log(x),
            Self::Log10 => o.log10(x),
            Self::Log2 => o.log2(x),
            Self::Log1p => o.log1p(x),
            Self::Expm1 => o.expm1(x),
            Self::Exprel => o.exprel(x),
            Self::PerExprel => o.per_exprel(x),
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
            Self::Pow => o.pow(x, y),
            Self::Mod => o.modulo(x, y),
            Self::FloorDiv => o.floordiv(x, y),
            Self::Timestep => o.timestep(x, y),
        }
    }

    /// A bound of the error of the expansion in units of the last place of `ty`: 0.5 is correctly rounded,
    /// 0 exact.
    ///
    /// Measured over some million arguments in single and twenty thousand in double precision (see
    /// `tests/accuracy.rs`), subnormal ones among them, and rounded up; exp in single precision over a seventh
    /// of all arguments (0.883 at most), and in double over six million (0.952). Double precision seldom came out
    /// worse, and has the same bound since its operations are the same. For sin, cos and tan it holds for
    /// arguments up to 1e5 in single and 1e12 in double precision; for mod and floordiv while the quotient
    /// is below 2^24 (2^53).
    #[must_use]
    pub fn error_bound_ulp(self, ty: ScalarType) -> f64 {
        match self {
            Self::Exp if ty == ScalarType::F32 => 0.9,
            Self::Exp | Self::Log | Self::Log2 => 1.0,
            Self::Log10 => 0.8,
            Self::Log1p | Self::Expm1 | Self::Sin | Self::Cos | Self::Cosh => 1.5,
            Self::Exprel | Self::Tanh | Self::Arctan | Self::Arctan2 => 2.0,
            Self::Sqrt | Self::Mod => 0.5,
            Self::PerExprel => 2.5,
            Self::Tan => 1.1,
            Self::Sinh => 1.7,
            Self::Arcsin | Self::Arccos => 0.7,
            // Singles are raised in doubles, whose last step then decides.
            Self::Pow if ty == ScalarType::F32 => 0.501,
            Self::Pow => 1.0,
            Self::Abs
            | Self::Sign
            | Self::Clip
            | Self::Floor
            | Self::Ceil
            | Self::Int
            | Self::Min
            | Self::Max
            | Self::FloorDiv
            | Self::Timestep => 0.0,
        }
    }
}
