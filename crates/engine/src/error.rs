//! What can go wrong while a network is built, and while it runs.

use neuropil_backend::{BackendError, RunError as MachineError};
use neuropil_base::Diagnostics;
use neuropil_connectivity::ConnectError;
use neuropil_kernels::LowerError;
use neuropil_memory::DeviceError;
use neuropil_record::RecordError;

use crate::CheckpointError;

/// Why a network could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The model is wrong in a way that only shows when its equations are integrated.
    #[error("the model cannot be simulated")]
    Model(Diagnostics),
    /// A kernel that the verifier refuses: our fault.
    #[error(transparent)]
    Lower(LowerError),
    /// The synapses of a projection could not be made.
    #[error("projection `{projection}`: {error}")]
    Connect {
        /// The projection.
        projection: String,
        /// Why.
        error: ConnectError,
    },
    /// A projection's file lacks a column that the model names.
    #[error("projection `{projection}`: its file has no column `{column}`; it has {known}")]
    Column {
        /// The projection.
        projection: String,
        /// The column.
        column: String,
        /// The columns that there are.
        known: String,
    },
    /// A list of values has the wrong length.
    #[error("`{variable}` was given {found} values for {expected} elements")]
    Length {
        /// The variable.
        variable: String,
        /// Values given.
        found: usize,
        /// Elements.
        expected: usize,
    },
    /// A recorder names a synapse that there is not.
    #[error("recorder `{recorder}`: there is no synapse {element}; projection `{projection}` has {n_syn}")]
    Element {
        /// The recorder.
        recorder: String,
        /// The projection.
        projection: String,
        /// The synapse.
        element: u32,
        /// How many synapses there are.
        n_syn: usize,
    },
    /// The network does not fit into memory; nothing has been allocated.
    #[error("{what} needs {needed} bytes; {available} are available")]
    Memory {
        /// What did not fit.
        what: String,
        /// Bytes it needs.
        needed: u64,
        /// Bytes there are.
        available: u64,
    },
    /// An initial value is infinite or not a number.
    #[error("the initial value of `{variable}` of element {element} is {value}")]
    Initial {
        /// The variable.
        variable: String,
        /// The element.
        element: usize,
        /// The value.
        value: f64,
    },
    /// The index of a linked variable leads to an element that there is not.
    #[error(
        "`{variable}` of element {element} is linked to element {index} of `{source_name}`, which has {len} elements"
    )]
    Link {
        /// The linked variable, with its object.
        variable: String,
        /// The element.
        element: usize,
        /// Where its index leads.
        index: i64,
        /// The variable that it is linked to.
        source_name: String,
        /// How many elements that has.
        len: usize,
    },
    /// The backend refused the program.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// Recordings could not be started.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A checkpoint could not be gone on from.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl From<LowerError> for BuildError {
    fn from(error: LowerError) -> Self {
        match error {
            LowerError::Model(diagnostics) => Self::Model(diagnostics),
            other @ LowerError::Kernel { .. } => Self::Lower(other),
        }
    }
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A variable became infinite or not a number.
    #[error("`{variable}` of element {element} became {value} in step {}{step} (t = {} s)", since(*first, *step), (time_s * 1e12).round() / 1e12)]
    NonFinite {
        /// The variable, with its object.
        variable: String,
        /// The neuron or synapse.
        element: usize,
        /// What it became.
        value: f64,
        /// The first step, of the network's clock, in which it may have happened.
        first: u64,
        /// The last one.
        step: u64,
        /// The last step's time in seconds.
        time_s: f64,
    },
    /// Synapses that others end on cannot be made anew.
    #[error("projection `{other}` depends on the synapses of `{projection}`, so they cannot be made anew")]
    EndsThere {
        /// Whose synapses.
        projection: String,
        /// What ends there.
        other: String,
    },
    /// A duration or time that is not a number of steps.
    #[error("cannot run for {0} s: no time, or more steps than can be counted")]
    Duration(f64),
    /// No variable of that name.
    #[error("no variable `{name}`{}", hint(.nearest))]
    UnknownVariable {
        /// The name as it was asked for: `object.variable`.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// No recorder of that name.
    #[error("no recorder `{name}`{}", hint(.nearest))]
    UnknownRecorder {
        /// The name as it was asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// A value list of the wrong length.
    #[error("`{name}` has {expected} elements, but {found} values were given")]
    Length {
        /// The variable.
        name: String,
        /// Its elements.
        expected: usize,
        /// The values given.
        found: usize,
    },
    /// No event of that name.
    #[error("no event `{name}`{}", hint(.nearest))]
    UnknownEvent {
        /// The name as it was asked for: `population.event`.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// No host operation of that name.
    #[error("no host operation `{name}`{}", hint(.nearest))]
    UnknownHost {
        /// The name as it was asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// A host operation of the model is not bound to a function.
    #[error(
        "the host operation `{name}` has no function: a program has to bind one before it runs the model"
    )]
    Unbound {
        /// The operation.
        name: String,
    },
    /// The function of a host operation failed.
    #[error("the host operation `{name}` failed: {source}")]
    Host {
        /// The operation.
        name: String,
        /// What it failed with.
        source: crate::HostError,
    },
    /// No projection of that name.
    #[error("no projection `{name}`{}", hint(.nearest))]
    UnknownProjection {
        /// The name as it was asked for.
        name: String,
        /// The nearest name there is.
        nearest: Option<String>,
    },
    /// A synapse that there is not.
    #[error("there is no synapse {number}; projection `{projection}` has {n_syn}")]
    NoSynapse {
        /// The projection.
        projection: String,
        /// The synapse.
        number: usize,
        /// How many synapses there are.
        n_syn: usize,
    },
    /// Something is tied to the numbers of the synapses of a projection.
    #[error("synapses of `{projection}` cannot appear or disappear: {why}")]
    Fixed {
        /// The projection.
        projection: String,
        /// What it is.
        why: String,
    },
    /// New synapses lack a value, because the model lists one per synapse.
    #[error("new synapses of `{projection}` need {what}: the model lists one for each synapse that it had")]
    Listed {
        /// The projection.
        projection: String,
        /// What has to be said.
        what: String,
    },
    /// Nothing is stored under that name.
    #[error("no state is stored as `{name}`")]
    NothingStored {
        /// The name.
        name: String,
    },
    /// A changed network could not be built.
    #[error(transparent)]
    Build(#[from] Box<BuildError>),
    /// The machine failed.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// The device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A checkpoint could not be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A recording could not be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default()
}

impl From<BackendError> for RunError {
    fn from(error: BackendError) -> Self {
        BuildError::from(error).into()
    }
}

impl From<BuildError> for RunError {
    fn from(error: BuildError) -> Self {
        Self::Build(Box::new(error))
    }
}

/// The beginning of a range of steps, if it is one.
fn since(first: u64, last: u64) -> String {
    if first < last { format!("{first} to ") } else { String::new() }
}
