//! The reference backend: slow, total, obvious.
//!
//! What it does is what a program means; every other backend gives the same bits. [`run`] carries out the body of
//! a kernel for one element, [`Interp`] is the backend.

mod backend;
mod body;

pub use backend::Interp;
pub use body::{Slots, run};
