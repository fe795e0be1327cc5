//! The fast CPU backend.
//!
//! [`Cpu`] is the backend. A [`Body`] is a kernel made ready to run over [`Elements`] on [`Slot`]s; [`block`] is the
//! engine that carries out bodies on every processor, `x86` makes machine code of them, and [`deliver`] does what needs
//! no body.

mod backend;
pub mod block;
mod body;
mod cache;
pub mod deliver;
mod elements;
mod machine;
mod product;
mod random;
mod slot;
mod sweep;
mod typed;
#[cfg(target_arch = "x86_64")]
pub mod x86;

pub use backend::{Cpu, CpuOptions, TunedCpu};
pub use body::{Body, KernelChoice};
pub use cache::{CacheContents, KernelCache};
pub use elements::{BindError, Elements, Numbers};
pub use machine::explain;
pub use slot::Slot;
