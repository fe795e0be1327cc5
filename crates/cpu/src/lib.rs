//! The fast CPU backend.
//!
//! [`Cpu`] is the backend. A [`Body`] is a kernel made ready to run over [`Elements`] on [`Slot`]s; [`block`] is the
//! engine that carries out bodies on every processor.

mod backend;
pub mod block;
mod body;
mod elements;
mod slot;

pub use backend::{Cpu, CpuOptions, TunedCpu};
pub use body::{Body, KernelChoice};
pub use elements::{BindError, Elements, Numbers};
pub use slot::Slot;
