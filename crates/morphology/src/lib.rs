//! Shapes of neurons: sections of compartments, files that describe them, and the cable equation along them.
//!
//! * [`Shape`]: one unbranched section, a sphere or a row of truncated cones; [`Compartment`]: what a piece of it is
//!   as a piece of membrane and of cytoplasm.
//! * [`Morphology`]: sections as a tree, their compartments in one order.
//! * [`swc`]: reads SWC files.
//! * [`CableTree`] and [`Solver`]: one step of the cable equation by elimination from the leaves to the root.
//!
//! All numbers are in SI base units. Nothing here knows a variable, an equation or a buffer.

mod section;
mod solve;
pub mod swc;
mod tree;

pub use section::{Compartment, Shape, ShapeError};
pub use solve::{Membrane, Real, Solver};
pub use tree::{CableTree, Link, Morphology, MorphologyError, Node, Section, SectionSpec};
