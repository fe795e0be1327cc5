//! The kernel language: typed SSA over a domain, its text form, verifier and passes.
//!
//! * [`Kernel`], [`Op`]: what a kernel is.
//! * [`Builder`]: makes kernels.

mod build;
mod kernel;

pub use build::Builder;
pub use kernel::{
    Access, Accumulation, At, Domain, Inst, Kernel, Op, Sampler, Side, Slot, SlotId, ValueId,
};
