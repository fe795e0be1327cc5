//! The kernel language: typed SSA over a domain, its text form, verifier and passes.
//!
//! * [`Kernel`], [`Op`]: what a kernel is.
//! * [`Builder`]: makes kernels.
//! * [`parse`], and `Display` for kernels: the text form, both ways.
//! * [`verify`], [`Verified`]: what a valid kernel is; a backend accepts nothing else.
//! * [`contract`]: products and the sums that they feed in one operation, for kernels in which bits may change by it.
//! * [`prepare`]: the passes that every kernel goes through; [`fuse`]: one kernel out of several; [`part`]: one value
//!   of a kernel as a kernel of its own.
//! * [`Context`], [`Element`]: what one run of a kernel is given.

mod build;
mod contract;
mod fuse;
mod kernel;
mod part;
mod pass;
mod run;
#[doc(hidden)]
pub mod testing;
mod text;
mod verify;

pub use build::Builder;
pub use contract::contract;
pub use fuse::{Bound, fuse};
pub use kernel::{Access, Accumulation, At, Domain, Inst, Kernel, Op, Sampler, Side, Slot, SlotId, ValueId};
pub use part::{Part, part};
pub use pass::{drop_unused, expand, prepare};
pub use run::{Context, Element, index_value};
pub use text::{ParseError, parse};
pub use verify::{Verified, VerifyError, Violation, verify};
