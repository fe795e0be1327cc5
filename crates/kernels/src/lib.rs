//! Model and layout to kernels: the only waist between models and machines. Dimensions end here.
//!
//! * [`lower`]: a whole network to a [`Program`].
//! * [`once`]: kernels that run once, while a network is built.
//! * [`program`]: what a program is.
//! * [`Traces`]: which variables of synapses are kept once per neuron.
//!
//! Architecture Invariant: nothing to the right of this crate knows a neuron model, an equation or a unit.

mod cable;
mod lower;
pub mod once;
mod periodic;
mod plan;
mod prepared;
pub mod program;
mod split;
mod sum;
mod trace;

pub use lower::{Binding, Lowered, Scope};
pub use plan::{Former, LowerError, ProjectionShape, lower, lower_with};
pub use prepared::Prepared;
pub use program::Program;
pub use split::Split;
pub use trace::Traces;
