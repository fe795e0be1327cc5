//! The closed table of functions that equations may call: arity, dimension rule, derivative, and the
//! expansion of each into operations that every machine has.
//!
//! * [`op`]: the primitive operations, and [`Emit`], which takes them one after the other.

pub mod op;

pub use op::{BinaryOp, CompareOp, Emit, UnaryOp};
