//! Builds a network for a backend and runs it.
//!
//! [`Simulation`] is the whole interface: it makes synapses and initial values, lowers the network to a program,
//! loads that into a machine, and then runs steps, reads and writes variables and gives access to recordings.

mod build;
mod error;
mod pool;
mod recording;
mod simulation;
pub mod system;

pub use error::{BuildError, RunError};
pub use neuropil_backend::{Backend, Counters, State};
pub use recording::RecordTo;
pub use simulation::{Options, Outcome, Progress, Simulation, SpikeCount, Timings};
