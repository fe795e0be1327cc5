//! The contract between the engine and the machines that run a program.

use std::fmt;
use std::sync::Arc;

use neuropil_connectivity::{DelayRows, Delays, Storage, Transposed};
use neuropil_ir::Verified;
use neuropil_kernels::program::{BufferId, OperationId, StreamId};
use neuropil_kernels::{Prepared, Program};
use neuropil_memory::{DeviceError, HostBuffer};
use neuropil_model::RecorderId;
use neuropil_schedule::Plan;

use crate::{Recipe, Renewable};

/// A kind of machine.
pub trait Backend: Send + Sync {
    /// Its name on the command line: `interp`, `cpu`, ...
    fn name(&self) -> &'static str;

    /// Makes a machine that runs a program.
    ///
    /// # Errors
    /// [`BackendError`] if the machine has no room or no device.
    fn load(&self, image: Image) -> Result<Box<dyn Machine>, BackendError>;

    /// The same backend, to be kept by whoever runs kernels later.
    fn shared(&self) -> Arc<dyn Backend>;

    /// Makes one kernel ready to run on host buffers, outside any program: initial values, connection conditions.
    fn routine(&self, kernel: &Verified) -> Box<dyn Routine>;

    /// A backend of this kind whose machines and routines share kernels: each is prepared and compiled once for all of
    /// them. Whoever makes many machines uses it; a backend that has nothing to share is its own.
    fn sharing(&self) -> Arc<dyn Backend> {
        self.shared()
    }

    /// The kernels that are shared, if they are.
    fn kernels(&self) -> Option<&dyn SharedKernels> {
        None
    }
}

/// Kernels that the machines of a backend share.
pub trait SharedKernels {
    /// Those that have been prepared.
    fn prepared(&self) -> &Prepared;

    /// How many have been compiled, for machines and for routines.
    fn compiled(&self) -> u64;
}

/// A kernel that runs outside any program.
pub trait Routine: Send + Sync {
    /// Runs the kernel.
    ///
    /// # Errors
    /// [`BackendError`] if a binding names no buffer, or one of the wrong type.
    fn run(&self, work: Once<'_>) -> Result<(), BackendError>;
}

/// A program with everything that a machine needs to start it.
#[derive(Clone)]
pub struct Image {
    /// The program.
    pub program: Arc<Program>,
    /// The order of its operations.
    pub plan: Arc<Plan>,
    /// The contents of its buffers at the start.
    pub buffers: Vec<HostBuffer>,
    /// How to make these contents again, where they follow from the seed alone: a machine that has put them where it
    /// reads them, and does not change them, need not keep them. One for each buffer, or none at all.
    pub again: Vec<Option<Recipe<HostBuffer>>>,
    /// Its synapse structures.
    pub synapses: Vec<Arc<Synapses>>,
    /// How many threads the machine may use; at least 1.
    pub threads: usize,
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, plan, buffers, again: _, synapses, threads } = self;
        f.debug_struct("Image")
            .field("program", program)
            .field("plan", plan)
            .field("buffers", buffers)
            .field("synapses", synapses)
            .field("threads", threads)
            .finish_non_exhaustive()
    }
}

/// A changed program, and what changes with it.
#[derive(Clone, Debug)]
pub struct Change {
    /// The program.
    pub program: Arc<Program>,
    /// The order of its operations.
    pub plan: Arc<Plan>,
    /// New contents of its buffers. A buffer that gets none keeps those of the old program's buffer of its name, which
    /// has its type and length.
    pub buffers: Vec<Option<HostBuffer>>,
    /// Its synapse structures.
    pub synapses: Vec<Arc<Synapses>>,
}

/// The synapses of one structure. A machine that has made what it needs of a part releases it.
#[derive(Clone, Debug)]
pub struct Synapses {
    /// By presynaptic neuron, numbers counted within the groups.
    pub rows: Renewable<Storage>,
    /// By postsynaptic neuron, if a pathway needs it.
    pub columns: Option<Renewable<Transposed>>,
    /// For each pathway that has a delay per synapse, these delays.
    pub delayed: Vec<Option<Delayed>>,
}

/// The delays of one pathway, in either of two forms; a machine takes what it needs.
#[derive(Clone, Debug)]
pub struct Delayed {
    /// In steps, by canonical index.
    pub steps: Renewable<Delays>,
    /// Rows (or columns, for pathways on the postsynaptic side) sorted by them.
    pub rows: Renewable<DelayRows>,
}

impl From<DelayRows> for Delayed {
    fn from(rows: DelayRows) -> Self {
        let rows = Renewable::kept(rows);
        let of = rows.clone();
        let steps = move || Ok(Delays::PerSynapse(of.get()?.steps().into()).simplify());
        Self { steps: Renewable::made_by(steps), rows }
    }
}

/// What a [`Routine`] runs over and on.
#[derive(Debug)]
pub struct Once<'a> {
    /// The elements.
    pub over: Over<'a>,
    /// The seed of random streams.
    pub seed: u64,
    /// The step that random streams and times are taken at.
    pub step: i64,
    /// Buffers.
    pub buffers: &'a mut [HostBuffer],
    /// One buffer per slot of the kernel.
    pub bindings: &'a [BufferId],
}

/// Elements that a kernel runs over, once.
#[derive(Clone, Copy, Debug)]
pub enum Over<'a> {
    /// Elements `start..start + len`.
    Elements {
        /// The first.
        start: u32,
        /// How many.
        len: u32,
    },
    /// All synapses of a structure, in canonical order.
    Synapses {
        /// The rows.
        rows: &'a Storage,
        /// The first presynaptic neuron within its population.
        pre_start: u32,
        /// The first postsynaptic neuron within its population.
        post_start: u32,
    },
    /// One presynaptic neuron with all postsynaptic ones.
    Row {
        /// The presynaptic neuron, within its population.
        pre: u32,
        /// Its number within the group.
        row: u32,
        /// The first postsynaptic neuron within its population.
        post_start: u32,
        /// Postsynaptic neurons.
        n_post: u32,
    },
}

/// A machine with a program in it.
///
/// It runs many ticks at once; whenever it does not run the host may read and write buffers.
pub trait Machine: Send {
    /// The number of ticks that have been run to their end: the tick that runs next, or that a pause interrupted.
    fn tick(&self) -> u64;

    /// Runs until `end` ticks have been run since the start, or something asks for a pause; what is recorded goes
    /// to `sink`. After a pause the next call goes on right behind the operation that asked for it.
    ///
    /// # Errors
    /// [`RunError`] if the sink or the device fails; the machine then stands after some of the ticks.
    fn run(&mut self, end: u64, sink: &mut dyn Sink) -> Result<Pause, RunError>;

    /// Goes on with a changed program: the tick and the place within it stay, events under way are carried over by
    /// the names of their streams, and kernels that are equal are not compiled again.
    ///
    /// # Errors
    /// [`BackendError`] if the change does not fit its program; the machine then goes on as before.
    fn change(&mut self, change: Change) -> Result<(), BackendError>;

    /// The events that a stream was last filled with, ascending.
    ///
    /// # Errors
    /// [`DeviceError`] if they had to be copied from a device and could not be.
    fn events(&mut self, stream: StreamId) -> Result<&[u32], DeviceError>;

    /// The current contents of a buffer.
    ///
    /// # Errors
    /// [`DeviceError`] if they had to be copied from a device and could not be.
    fn read(&mut self, buffer: BufferId) -> Result<&HostBuffer, DeviceError>;

    /// The current contents of a buffer, to be changed.
    ///
    /// # Errors
    /// [`DeviceError`] if they had to be copied from a device and could not be.
    fn write(&mut self, buffer: BufferId) -> Result<&mut HostBuffer, DeviceError>;

    /// A copy of the machine's state, between two ticks.
    ///
    /// # Errors
    /// [`DeviceError`] if it had to be copied from a device and could not be.
    fn save(&mut self, what: Saved) -> Result<State, DeviceError>;

    /// Goes back to a saved state. Buffers that were not saved keep their contents; if the program is another than that
    /// of the state, buffers and streams are those of the same names.
    ///
    /// # Errors
    /// [`DeviceError`] if it had to be copied to a device and could not be.
    fn restore(&mut self, state: &State) -> Result<(), DeviceError>;

    /// What has been done so far.
    fn counters(&self) -> Counters;
}

/// Why a machine handed control back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pause {
    /// All ticks have been run.
    Done,
    /// An operation that the host carries out is due, in the middle of a tick.
    Host(OperationId),
    /// The condition of that operation ended the run after the tick in which it held.
    Stopped(OperationId),
}

/// Which buffers a [`State`] holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Saved {
    /// Those that operations write: what changes while running.
    Written,
    /// All of them.
    Every,
    /// Only those that belong to the time: values of earlier steps.
    Time,
}

/// A state of a program: its tick, contents of buffers, and events still under way.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    /// The program whose state it is.
    pub program: Arc<Program>,
    /// The next tick.
    pub tick: u64,
    /// Buffers and their contents.
    pub buffers: Vec<(BufferId, HostBuffer)>,
    /// For each stream, the events of its last steps: a ring, the place of step `s` is `s` modulo its length.
    pub events: Vec<Vec<Vec<u32>>>,
    /// For each stream, the step of its clock in which it was last filled; -1 before.
    pub latest: Vec<i64>,
}

/// Work that a machine has done; equal on every run of one program, and all but `meetings` whatever the number of threads.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Kernels compiled.
    pub compiled: u64,
    /// How often threads waited for each other: for events that others see, or at the border between what they may do on
    /// their own. 0 for one thread.
    pub meetings: u64,
    /// Bytes that synapses take where steps walk them, with their values and without what is only there while networks are
    /// built.
    pub synapse_bytes: u64,
    /// Elements that kernels were run for.
    pub elements: u64,
    /// Synapses among those elements.
    pub synapses: u64,
    /// Events emitted.
    pub events: u64,
}

/// Takes what a machine records.
pub trait Sink {
    /// The neurons of a recorder's group that emitted its event in `step` (of the recorder's clock), ascending.
    ///
    /// # Errors
    /// Whatever kept the data from being stored.
    fn events(&mut self, recorder: RecorderId, step: i64, neurons: &[u32]) -> Result<(), SinkError>;

    /// How many neurons of a recorder's group emitted its event in `step`.
    ///
    /// # Errors
    /// Whatever kept the data from being stored.
    fn count(&mut self, recorder: RecorderId, step: i64, count: u64) -> Result<(), SinkError>;

    /// Values of a recorder's variables in `step`: for each, the elements one after the other, in the machine's
    /// byte order.
    ///
    /// # Errors
    /// Whatever kept the data from being stored.
    fn state(&mut self, recorder: RecorderId, step: i64, columns: &[&[u8]]) -> Result<(), SinkError>;
}

/// A sink that takes nothing.
#[derive(Clone, Copy, Default, Debug)]
pub struct Discard;

impl Sink for Discard {
    fn events(&mut self, _: RecorderId, _: i64, _: &[u32]) -> Result<(), SinkError> {
        Ok(())
    }

    fn count(&mut self, _: RecorderId, _: i64, _: u64) -> Result<(), SinkError> {
        Ok(())
    }

    fn state(&mut self, _: RecorderId, _: i64, _: &[&[u8]]) -> Result<(), SinkError> {
        Ok(())
    }
}

/// What kept recorded data from being stored.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Why a program could not be loaded, or a kernel not be run once.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// A slot of a kernel is bound to no buffer, or to one of another type.
    #[error("kernel `{kernel}`: slot `{slot}` is not bound to a buffer of its type")]
    Binding {
        /// The kernel.
        kernel: String,
        /// The slot.
        slot: String,
    },
    /// A buffer that should keep its contents is new, or of another type or length.
    #[error("buffer `{name}` has no contents")]
    NoContents {
        /// The buffer.
        name: String,
    },
    /// A program needs a structure that was not handed over.
    #[error("operation `{operation}` needs {what} that the image lacks")]
    Missing {
        /// The operation.
        operation: String,
        /// What.
        what: &'static str,
    },
    /// Something that was thrown away cannot be made again.
    #[error("what was made when the network was built cannot be made again: {why}")]
    Gone {
        /// Why.
        why: String,
    },
    /// The device's memory failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// What was recorded could not be stored.
    #[error("recording failed: {0}")]
    Sink(SinkError),
    /// The device's memory failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
}
