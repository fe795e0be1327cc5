//! The program of a network: buffers, event streams, kernels and operations, before they are ordered.
//!
//! A program is what a backend is given. It names no population and no equation: an operation is a kernel (or
//! one of a few fixed actions), the buffers bound to its slots, and its place in the step.

use std::collections::BTreeSet;
use std::sync::Arc;

use neuropil_base::{Scalar, ScalarType, define_id};
use neuropil_ir::{Access, Verified};
use neuropil_model::{Endpoint, ObjectId, Placed, ProjectionId, RecorderId, Schedule, StopId, VariableId};
use neuropil_morphology::CableTree;

define_id!(
    /// Names a buffer of a program.
    BufferId
);
define_id!(
    /// Names an event stream of a program.
    StreamId
);
define_id!(
    /// Names a kernel of a program.
    KernelId
);
define_id!(
    /// Names an operation of a program.
    OperationId
);
define_id!(
    /// Names a synapse structure (who is connected to whom) of a program.
    StructureId
);
define_id!(
    /// Names a clock of a program.
    ClockIdx
);

/// Everything that a backend needs to run a network but the contents of its buffers and structures.
#[derive(Clone, PartialEq, Debug)]
pub struct Program {
    /// The seed of all random streams.
    pub seed: u64,
    /// Seconds between two ticks; every clock ticks at multiples of it.
    pub tick_s: f64,
    /// The slots of a step, in order.
    pub schedule: Schedule,
    /// The clocks.
    pub clocks: Vec<ClockPlan>,
    /// The buffers.
    pub buffers: Vec<Buffer>,
    /// The event streams.
    pub streams: Vec<Stream>,
    /// The synapse structures, one per projection.
    pub structures: Vec<Structure>,
    /// The kernels.
    pub kernels: Vec<Arc<Kernel>>,
    /// The operations, in order of creation.
    pub operations: Vec<Operation>,
    /// Which variables of synapses are kept per neuron, and why others are not: a line each, for people.
    pub remarks: Vec<String>,
}

/// A kernel of a program.
#[derive(Clone, PartialEq, Debug)]
pub struct Kernel {
    /// As it was lowered, function calls in place: for people.
    pub source: neuropil_ir::Kernel,
    /// Calls expanded, simplified and verified: for machines. Same slots as `source`.
    pub body: Verified,
}

/// A clock, counted in ticks.
#[derive(Clone, PartialEq, Debug)]
pub struct ClockPlan {
    /// Its name.
    pub name: String,
    /// Its step in seconds.
    pub dt: f64,
    /// Ticks between two of its steps.
    pub period: u64,
}

/// A buffer: one variable of one object, or something that the program keeps for itself.
#[derive(Clone, PartialEq, Debug)]
pub struct Buffer {
    /// `object.variable`; unique.
    pub name: String,
    /// The type of an element.
    pub ty: ScalarType,
    /// How many elements.
    pub len: usize,
    /// What it holds.
    pub role: Role,
}

/// What a buffer holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// A variable of the model; one element per neuron or synapse, or a single one.
    Variable(ObjectId, VariableId),
    /// A variable of synapses that is equal for all of a neuron, kept once for each neuron of the population at that end.
    Trace(ProjectionId, VariableId, Endpoint),
    /// When an event last reached the synapses of each neuron of the population at that end of a structure, seconds.
    LastArrival(StructureId, Endpoint),
    /// The values of a timed array, row after row.
    Table,
    /// The number of synapses that end at each neuron of the target population, of one structure.
    InDegree(StructureId),
    /// The number of synapses that leave each neuron of the source population, of one structure.
    OutDegree(StructureId),
    /// How many steps ago a weighted sum reads the presynaptic values, one `I32` per synapse.
    SumDelay {
        /// The structure.
        structure: StructureId,
        /// Which sum of the projection.
        sum: u32,
    },
    /// The number of synapses of one structure.
    SynapseCount(StructureId),
    /// Values of a variable at earlier steps, a ring of rows; each row starts as the initial values.
    History {
        /// Whose variable.
        object: ObjectId,
        /// Which; a subexpression has no buffer of its own.
        variable: VariableId,
        /// How many steps the ring keeps, with the one that runs.
        rows: u32,
        /// The clock whose steps they are.
        clock: ClockIdx,
    },
    /// Room for intermediate results.
    Scratch,
}

/// The events of one kind that one population emits.
#[derive(Clone, PartialEq, Debug)]
pub struct Stream {
    /// `population.event`.
    pub name: String,
    /// How many neurons the population has.
    pub size: u32,
    /// The clock that emits.
    pub clock: ClockIdx,
    /// For how many steps after its own an event is needed: the longest delay of any pathway.
    pub history: u32,
}

/// Who is connected to whom; the engine hands the structure itself to the backend.
#[derive(Clone, PartialEq, Debug)]
pub struct Structure {
    /// The projection's name.
    pub name: String,
    /// The first presynaptic neuron, within its population.
    pub pre_start: u32,
    /// Neurons in the source group.
    pub n_pre: u32,
    /// The first postsynaptic neuron, within its population.
    pub post_start: u32,
    /// Neurons in the target group.
    pub n_post: u32,
    /// Synapses.
    pub n_syn: usize,
}

/// One operation of a step.
#[derive(Clone, PartialEq, Debug)]
pub struct Operation {
    /// Its name, for people.
    pub name: String,
    /// The clock that runs it.
    pub clock: ClockIdx,
    /// Its place in the step.
    pub placed: Placed,
    /// What it does.
    pub action: Action,
    /// What it belongs to: it is carried out while one of them is switched on, or always if there is none.
    pub owners: Vec<Owner>,
}

/// Something that can be switched on and off.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Owner {
    /// A population or projection.
    Object(ObjectId),
    /// A recorder.
    Recorder(RecorderId),
    /// A stop condition.
    Stop(StopId),
}

/// A kernel and the buffers bound to its slots.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// The kernel.
    pub kernel: KernelId,
    /// One buffer per slot of the kernel.
    pub bindings: Vec<BufferId>,
}

/// What an operation does.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Runs a kernel for the elements `start..start + len`.
    Elements {
        /// The kernel, over [`Domain::Elements`](neuropil_ir::Domain::Elements).
        call: Call,
        /// The first element.
        start: u32,
        /// How many.
        len: u32,
        /// Where the events of a kernel that emits go: sorted by element, replacing those of an earlier step.
        emits: Option<StreamId>,
    },
    /// Runs a kernel for the elements that emitted an event in this step, or some steps ago, in ascending order.
    Events {
        /// The kernel, over [`Domain::Elements`](neuropil_ir::Domain::Elements).
        call: Call,
        /// Whose events.
        stream: StreamId,
        /// How many steps ago.
        delay: u32,
    },
    /// Runs a kernel for the synapses that events reach in this step: events of the longest delay first, events of
    /// one step by neuron, synapses of one event in canonical order.
    Deliver {
        /// The kernel, over [`Domain::Synapses`](neuropil_ir::Domain::Synapses).
        call: Call,
        /// Whose events; those outside the structure's group are passed over.
        stream: StreamId,
        /// The synapses.
        structure: StructureId,
        /// Which end of the synapses the events come from.
        on: Endpoint,
        /// How long events travel.
        delay: Travel,
        /// Only events of these steps of their stream's clock; the end is not one of them.
        emitted: (i64, i64),
    },
    /// Runs a kernel for all synapses of a structure, in canonical order.
    Synapses {
        /// The kernel, over [`Domain::Synapses`](neuropil_ir::Domain::Synapses).
        call: Call,
        /// The synapses.
        structure: StructureId,
    },
    /// Sets elements `start..start + len` of a buffer.
    Fill {
        /// The buffer.
        buffer: BufferId,
        /// The first element.
        start: u32,
        /// How many.
        len: u32,
        /// The value, of the buffer's type.
        value: Scalar,
    },
    /// Emits the events of a list.
    List {
        /// Where they go.
        stream: StreamId,
        /// The list.
        list: Arc<EventList>,
    },
    /// Hands events of this step to a recorder.
    RecordEvents {
        /// The recorder.
        recorder: RecorderId,
        /// Whose events.
        stream: StreamId,
        /// The first neuron of the group.
        start: u32,
        /// How many neurons the group has.
        len: u32,
        /// Only how many there were.
        count_only: bool,
    },
    /// Hands values of buffers to a recorder.
    RecordState {
        /// The recorder.
        recorder: RecorderId,
        /// One buffer per recorded variable.
        buffers: Vec<BufferId>,
        /// Which elements; of a shared variable, the first for each.
        elements: Arc<[u32]>,
    },
    /// Solves for the voltages of the compartments of neurons of one shape: one step of backward Euler, by elimination
    /// from the leaves of the tree to its root; `neuropil_morphology::Solver` states the order of operations, which is
    /// carried out in the type of the buffers.
    Cable {
        /// The nodes of one neuron; as many neurons as fill the buffers.
        tree: Arc<CableTree>,
        /// What it reads and writes.
        buffers: CableBuffers,
    },
    /// Hands control to the host, which may read and write everything.
    Host {
        /// What the host is to do.
        task: Task,
    },
    /// Ends the run after this tick if enough events were emitted in this step.
    Stop {
        /// Whose events.
        stream: StreamId,
        /// How many are enough; at least 1.
        at_least: u32,
    },
}

/// The buffers of an [`Action::Cable`], one element per compartment, all of one float type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CableBuffers {
    /// The voltage; written.
    pub voltage: BufferId,
    /// Capacitance over the step plus the slope of the membrane's current, siemens.
    pub shunt: BufferId,
    /// What flows at 0 V, ampere.
    pub source: BufferId,
    /// The resistivity of the cytoplasm, ohm metres. May change only while the machine does not run.
    pub resistivity: BufferId,
    /// The conductance from start to middle times the resistivity, metres. Likewise.
    pub r_length_1: BufferId,
    /// The conductance from middle to end times the resistivity, metres. Likewise.
    pub r_length_2: BufferId,
}

impl CableBuffers {
    /// All of them, the voltage first.
    #[must_use]
    pub fn all(&self) -> [BufferId; 6] {
        let Self { voltage, shunt, source, resistivity, r_length_1, r_length_2 } = *self;
        [voltage, shunt, source, resistivity, r_length_1, r_length_2]
    }
}

/// What the host does when a program hands it control.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Task {
    /// Calls the function that was bound to a host operation, by its number in the model.
    Call(u32),
    /// Removes or makes synapses, as a rule of a projection says.
    Rewire {
        /// The projection.
        projection: ProjectionId,
        /// Which of its rules.
        rule: u32,
    },
}

/// How long events travel to synapses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Travel {
    /// The same number of steps for all synapses.
    Steps(u32),
    /// As many steps as the synapse says; the engine hands the delays to the backend with the structure, by the
    /// number of the pathway within the structure.
    PerSynapse {
        /// The pathway.
        pathway: u32,
        /// The longest delay.
        longest: u32,
    },
}

/// Events known beforehand.
#[derive(Clone, PartialEq, Debug)]
pub struct EventList {
    /// Steps, ascending.
    pub steps: Vec<i64>,
    /// Neurons, as many; ascending within a step.
    pub neurons: Vec<u32>,
    /// The list starts again after so many steps; 0 for never.
    pub period: i64,
}

/// Something that operations read or write: the schedule keeps conflicting operations in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Resource {
    /// A buffer.
    Buffer(BufferId),
    /// A stream's events.
    Stream(StreamId),
    /// A recorder's data.
    Recorder(RecorderId),
}

impl Program {
    /// What an operation touches, derived from its kernel: every resource once per kind of access.
    #[must_use]
    pub fn accesses(&self, operation: &Operation) -> Vec<(Resource, Access)> {
        let mut list: Vec<(Resource, Access)> = Vec::new();
        let mut add = |resource, access| {
            if !list.contains(&(resource, access)) {
                list.push((resource, access));
            }
        };
        match &operation.action {
            Action::Elements { call, emits, .. } => {
                self.call_accesses(call, &mut add);
                if let Some(stream) = emits {
                    add(Resource::Stream(*stream), Access::Write);
                }
            }
            Action::Events { call, stream, .. } | Action::Deliver { call, stream, .. } => {
                add(Resource::Stream(*stream), Access::Read);
                self.call_accesses(call, &mut add);
            }
            Action::Synapses { call, .. } => self.call_accesses(call, &mut add),
            Action::Fill { buffer, .. } => add(Resource::Buffer(*buffer), Access::Write),
            Action::List { stream, .. } => add(Resource::Stream(*stream), Access::Write),
            Action::RecordEvents { recorder, stream, .. } => {
                add(Resource::Stream(*stream), Access::Read);
                add(Resource::Recorder(*recorder), Access::Write);
            }
            Action::RecordState { recorder, buffers, .. } => {
                for buffer in buffers {
                    add(Resource::Buffer(*buffer), Access::Read);
                }
                add(Resource::Recorder(*recorder), Access::Write);
            }
            Action::Cable { buffers, .. } => {
                let [voltage, read @ ..] = buffers.all();
                add(Resource::Buffer(voltage), Access::Write);
                read.into_iter().for_each(|buffer| add(Resource::Buffer(buffer), Access::Read));
            }
            // The host sees a step exactly as far as it has come: everything before is done, nothing behind is.
            Action::Host { .. } => {
                (0..self.buffers.len()).for_each(|k| add(Resource::Buffer(BufferId::new(k)), Access::Write));
                (0..self.streams.len()).for_each(|k| add(Resource::Stream(StreamId::new(k)), Access::Write));
            }
            Action::Stop { stream, .. } => add(Resource::Stream(*stream), Access::Read),
        }
        list
    }

    fn call_accesses(&self, call: &Call, add: &mut impl FnMut(Resource, Access)) {
        for (slot, _, access) in self.kernels[call.kernel.index()].source.accesses() {
            add(Resource::Buffer(call.bindings[slot.index()]), access);
        }
    }

    /// Drops the operations whose owners are all off. A population that is off emits nothing: its streams are emptied
    /// at every step instead.
    #[must_use]
    pub fn without(mut self, off: &BTreeSet<Owner>) -> Self {
        let is_off = |o: &Operation| !o.owners.is_empty() && o.owners.iter().all(|owner| off.contains(owner));
        let nothing = Arc::new(EventList { steps: Vec::new(), neurons: Vec::new(), period: 0 });
        self.operations.retain_mut(|operation| {
            if !is_off(operation) {
                return true;
            }
            let emits = match &operation.action {
                Action::Elements { emits, .. } => *emits,
                Action::List { stream, .. } => Some(*stream),
                Action::Events { .. }
                | Action::Deliver { .. }
                | Action::Synapses { .. }
                | Action::Fill { .. }
                | Action::Cable { .. }
                | Action::RecordEvents { .. }
                | Action::RecordState { .. }
                | Action::Host { .. }
                | Action::Stop { .. } => None,
            };
            if let Some(stream) = emits {
                operation.action = Action::List { stream, list: Arc::clone(&nothing) };
            }
            emits.is_some()
        });
        self
    }

    /// The buffer of a model variable, if it has one.
    #[must_use]
    pub fn buffer_of(&self, object: ObjectId, variable: VariableId) -> Option<BufferId> {
        self.buffers.iter().position(|b| b.role == Role::Variable(object, variable)).map(BufferId::new)
    }

    /// The buffer of a variable of synapses that is kept per neuron, and at which end.
    #[must_use]
    pub fn trace_of(&self, projection: ProjectionId, variable: VariableId) -> Option<(BufferId, Endpoint)> {
        self.buffers.iter().enumerate().find_map(|(k, b)| match b.role {
            Role::Trace(p, v, end) if (p, v) == (projection, variable) => Some((BufferId::new(k), end)),
            _ => None,
        })
    }

    /// Float buffers that operations write: those that can become non-finite.
    #[must_use]
    pub fn written_buffers(&self) -> Vec<BufferId> {
        let mut written = vec![false; self.buffers.len()];
        for operation in &self.operations {
            for (resource, access) in self.accesses(operation) {
                if let (Resource::Buffer(id), true) = (resource, access != Access::Read) {
                    written[id.index()] = true;
                }
            }
        }
        (0..self.buffers.len()).filter(|i| written[*i]).map(BufferId::new).collect()
    }

    /// Whether the kernel of an operation reads or writes variables of neurons at shared places, so that elements
    /// must run in order.
    #[must_use]
    pub fn order_dependence(&self, call: &Call) -> Option<String> {
        self.kernels[call.kernel.index()].source.order_dependence()
    }
}

/// Whether two accesses to one resource may change places. Reads may; sums of floats may not, so that results do
/// not depend on the schedule.
#[must_use]
pub fn commutes(a: Access, b: Access) -> bool {
    a == Access::Read && b == Access::Read
}
