//! The fast CPU backend.
//!
//! [`Cpu`] is the backend. A [`Body`] is a kernel made ready to run over [`Elements`] on [`Slot`]s; [`block`] is the
//! engine that carries out bodies on every processor, and [`deliver`] what needs no body.

mod backend;
pub mod block;
mod body;
pub mod deliver;
mod elements;
mod machine;
mod slot;

pub use backend::{Cpu, CpuOptions, TunedCpu};
pub use body::{Body, KernelChoice};
pub use elements::{BindError, Elements, Numbers};
pub use machine::explain;
pub use slot::Slot;
