//! The fast CPU backend.
//!
//! [`Cpu`] is the backend; [`block`] is the engine that carries out bodies of kernels.

mod backend;
pub mod block;

pub use backend::Cpu;
