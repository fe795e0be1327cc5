//! The contract between the engine and the machines that run a program.
//!
//! * [`Backend`] makes a [`Machine`] from an [`Image`]: a program, its plan, the contents of its buffers and its
//!   synapses. The engine hands over the whole plan and takes control back only when the host has something to do.
//! * [`Stepper`] is the machine of backends that compute on the host: they bring an [`Executor`] of bodies.
//!   Backends with a machine of their own use what it is made of: [`validate`], [`CableSolver`], ...
//! * [`Shared`] is such a backend whose machines share compiled kernels.

mod cable;
mod contract;
mod held;
mod renewable;
mod sharing;
mod stepper;
mod validate;

pub use cable::{CableData, CableSolver};
pub use contract::{
    Backend, BackendError, Change, Counters, Delayed, Discard, Image, Machine, Once, Over, Pause, Routine,
    RunError, Saved, SharedKernels, Sink, SinkError, State, Synapses,
};
pub use held::Held;
pub use renewable::{Recipe, Renewable};
pub use sharing::{HostBackend, Looking, Shared};
pub use stepper::{Batch, Executor, HostRoutine, Stepper, Work, events_of_step};
pub use validate::{contents_fit, validate};
