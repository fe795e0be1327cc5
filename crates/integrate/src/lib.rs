//! Differential equations to the statements of one step.
//!
//! A population's or projection's equations go in, a [`Block`](neuropil_model::Block) that advances them by
//! one step comes out: [`population_step`], [`projection_step`]. [`event_driven_update`] gives the
//! statements that advance synaptic equations from the last event to this one. Blocks are code like any
//! other: what runs them knows nothing of methods.
//!
//! * Explicit methods are rows of text (`explicit.rs`): adding one is adding a row.
//! * [`Method::Exact`](neuropil_model::Method::Exact) solves linear systems: numerically known matrices by a
//!   matrix exponential at build time, others in closed form in the kernel.
//! * Multiplicative noise is read in Stratonovich's sense, as Brian 2 does.
//!
//! Architecture invariant: nothing here knows how values are stored or which machine runs the step, and
//! nothing here calls a platform's mathematical functions.

mod affine;
mod algebra;
mod derivative;
mod event_driven;
mod exact;
mod explicit;
mod expm;
mod exponential;
mod implicit;
mod membrane;
mod noise;
mod reciprocal;
pub mod reference;
mod sign;
mod step;
mod system;

pub use event_driven::{event_driven_update, event_driven_values};
pub use membrane::{MembraneCurrent, display_membrane, membrane_current};
pub use step::{Step, display, population_step, projection_step};
