//! Spikes and traces on their way out: memory, files, readers.
//!
//! A running machine pushes what it records into a [`Sink`]; what becomes of it is the sink's affair:
//!
//! * [`MemorySink`] keeps it, typed, for the program that runs the simulation;
//! * [`FileSink`] hands it to a writer thread that fills a directory of `.npy` files and a manifest;
//! * [`Tee`] does both, [`NullSink`] neither.
//!
//! [`Recording`] reads such a directory back. [`SpikeDigest`] is the fingerprint that determinism checks
//! compare, and [`stats`] the few numbers by which networks are compared with papers.
//!
//! A recording can go back to a [`Mark`], and the files of a process that was killed can be gone on with
//! ([`FileSink::resume`]).
//!
//! Invariants:
//!
//! * A [`RecorderId`] is the position of its [`RecorderSpec`] in the list that the sink was made from.
//! * Times are never stored as sums: a step is an integer, and `t = step * dt`.
//! * Steps come in the order in which they were run. They may go back, where a simulation went back or began again.
//! * No file of an earlier recording changes before the new recording is whole; an unfinished one is moved aside.
//! * Nothing here panics on the content of a file.

mod aside;
mod digest;
mod error;
mod file;
mod manifest;
mod mark;
mod memory;
mod npy;
mod reader;
mod resume;
mod sink;
mod spec;
pub mod stats;
mod values;
mod writer;

pub use digest::SpikeDigest;
pub use error::RecordError;
pub use file::FileSink;
pub use manifest::{FileEntry, Manifest, PopulationInfo, RunInfo};
pub use mark::Mark;
pub use memory::{MemorySink, Trace};
pub use reader::{OwnedTrace, RateSeries, Recording, SpikeTrain};
pub use sink::{NullSink, Sink, Tee};
pub use spec::{RecorderId, RecorderKind, RecorderSpec, VariableSpec};
pub use values::Values;
