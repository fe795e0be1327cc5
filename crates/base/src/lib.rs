//! Typed ids, scalar types, source spans and diagnostics with carets.
//!
//! Every other crate stands on this one. It knows nothing about neurons, text formats or machines.
//!
//! * [`ScalarType`], [`Precision`], [`Scalar`]: what one element of a variable is.
//! * [`Span`], [`SourceMap`], [`Text`]: where a piece of text came from.
//! * [`Diagnostic`], [`Diagnostics`]: a mistake in a model, shown with a caret, never thrown.
//! * [`define_id!`]: `u32` newtypes for described things.

mod diagnostic;
mod id;
mod scalar;
mod span;
mod suggest;

pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub use scalar::{Precision, Scalar, ScalarType};
pub use span::{FileId, SourceMap, Span, Spanned, Text};
pub use suggest::nearest;
