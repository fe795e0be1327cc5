//! The fast CPU backend.

pub mod block;
