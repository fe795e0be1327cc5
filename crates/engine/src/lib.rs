//! Builds a network for a backend and runs it.
//!
//! [`Simulation`] is the whole interface: it makes synapses and initial values, lowers the network to a program,
//! loads that into a machine, and then runs steps, changes what runs, reads and writes variables and gives access to
//! recordings.

mod build;
mod change;
mod checkpoint;
mod error;
mod host;
mod link;
mod pool;
mod protocol;
mod recording;
mod rewire;
mod run;
mod simulation;
mod snapshot;
pub mod system;
mod trace;

pub use checkpoint::CheckpointError;
pub use error::{BuildError, RunError};
pub use host::{Host, HostError};
pub use neuropil_backend::{Backend, Counters};
pub use neuropil_kernels::program::Owner;
pub use recording::RecordTo;
pub use rewire::Synapse;
pub use run::OnProgress;
pub use simulation::{Options, Outcome, Progress, Simulation, SpikeCount, Timings};
pub use snapshot::Snapshot;
