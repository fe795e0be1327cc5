//! Operations of a step, ordered by slot and by what they touch.
//!
//! [`Plan`] derives the order from the access sets of the kernels; nobody writes an edge by hand.

mod graph;
mod print;

pub use graph::Plan;
