//! Neuropil: a simulator for spiking and rate-coded neural networks that are described by equations.
//!
//! A model is text, in a TOML file ([`Model::read`]) or in strings given to a [`Builder`]. It is checked (names,
//! units, types), integrated, compiled at run time for a [`Backend`], and run by a [`Simulation`].
//!
//! ```
//! use neuropil::{Cpu, Model, Options};
//!
//! let model = Model::parse("one.toml", r#"
//!     dt = "0.1 ms"
//!     [neuron.lif]
//!     equations = "dv/dt = (15*mV - v)/(20*ms) : volt"
//!     threshold = "v > 10*mV"
//!     reset = "v = 0*mV"
//!     [population.cell]
//!     neuron = "lif"
//!     size = 1
//!     [record]
//!     spikes = "all"
//! "#)?;
//! let mut simulation = model.simulate(&Cpu, &Options::default())?;
//! simulation.run(1.0)?;
//! // The interval of a leaky integrator is tau*ln(I/(I - theta)), here 21.97 ms.
//! assert_eq!(simulation.spike_counts()[0].spikes, 45);
//! # Ok::<(), neuropil::Error>(())
//! ```
//!
//! * One seed, one result: the same bits for any backend and any number of threads.
//! * Mistakes in a model are [`ModelError`]s that show all of them, each with a caret and a help line.
//! * Times are in seconds and values in SI base units wherever numbers cross this interface.

mod ast;
mod axis;
mod builder;
mod builder_cable;
mod error;
mod model;
mod rewire;
mod sweep;

pub use axis::Axis;
pub use builder::{Builder, Connect, Piece};
pub use error::{Error, ErrorKind, ModelError};
pub use model::{Model, Stage};
pub use neuropil_base::{Diagnostic, Diagnostics, Precision, Scalar, ScalarType, Severity, SourceMap};
pub use neuropil_cpu::{CacheContents, Cpu, CpuOptions, KernelCache, KernelChoice, TunedCpu};
pub use neuropil_engine::{
    Backend, BuildError, CheckpointError, Counters, Host, HostError, Options, Outcome, Owner, Progress,
    RecordTo, RunError, Simulation, Snapshot, SpikeCount, Synapse, Timings, system,
};
pub use neuropil_interp::Interp;
pub use neuropil_memory::HostBuffer;
pub use neuropil_record as record;
pub use neuropil_source as source;
pub use rewire::Rewire;
pub use sweep::{Measured, Pairing, Point, Sweep, Swept};
