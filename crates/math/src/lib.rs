//! The closed table of functions that equations may call: arity, dimension rule, derivative, and the
//! expansion of each into operations that every machine has.
//!
//! * [`op`]: the primitive operations, and [`Emit`], which takes them one after the other.
//! * [`Function`]: names, types, [dimensions](Function::dimension), [derivatives](Function::derivative)
//!   and [expansions](Function::expand); [`pow_int`] and [`pow_constant`] for constant exponents.
//! * [`Distribution`]: random variables from random words, expanded the same way.
//! * [`scalar`]: what each operation means; [`host`]: the functions for doubles, for host code; [`straight`]: for loops.

mod derivative;
mod dimension;
mod expand;
mod function;
pub mod host;
pub mod op;
mod random;
pub mod scalar;
pub mod straight;

pub use dimension::{DimensionError, pow_dimension};
pub use expand::{pow_constant, pow_int};
pub use function::{Function, Signature, join};
pub use op::{BinaryOp, CompareOp, Emit, UnaryOp};
pub use random::Distribution;
