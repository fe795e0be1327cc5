//! The reference backend: slow, total, obvious.

mod body;

pub use body::{Slots, run};
