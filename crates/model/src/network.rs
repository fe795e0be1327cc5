//! The network: populations, projections, clocks, tables and recorders, each a plain value.

use std::path::PathBuf;

use neuropil_base::{Precision, ScalarType, Span};
use neuropil_units::Dimension;

use crate::{
    Act, Block, Cable, ClockId, EventId, Expr, ObjectId, Placed, PopulationId, ProjectionId, RecorderId,
    Rewiring, Schedule, Slot, StopCondition, Subnetwork, TableId, VarRef, VariableId, When,
};

/// A whole network, validated: nothing in it can be refused by a backend.
#[derive(Clone, PartialEq, Debug)]
pub struct Network {
    /// Its name: the file's, or what the builder was given.
    pub name: String,
    /// A line for people.
    pub title: String,
    /// The float type of real variables.
    pub precision: Precision,
    /// The seed of all random streams.
    pub seed: u64,
    /// How much time passes at most when the model is run, in seconds.
    pub duration: f64,
    /// The clocks; the first is the network's own.
    pub clocks: Vec<Clock>,
    /// Populations and inputs.
    pub populations: Vec<Population>,
    /// Projections.
    pub projections: Vec<Projection>,
    /// Timed arrays.
    pub tables: Vec<Table>,
    /// What is recorded.
    pub recorders: Vec<Recorder>,
    /// The slots of a step, in order.
    pub schedule: Schedule,
    /// Where in a step the host is called.
    pub host_operations: Vec<HostOperation>,
    /// Networks within this one.
    pub subnetworks: Vec<Subnetwork>,
    /// What can end a run.
    pub stops: Vec<StopCondition>,
    /// What is done when the model is run, one after the other.
    pub protocol: Vec<Act>,
    /// The first random site that no expression of the network uses.
    pub next_site: u32,
}

/// A place in the step where the program that runs the simulation is called.
#[derive(Clone, PartialEq, Debug)]
pub struct HostOperation {
    /// Its name, unique among host operations.
    pub name: String,
    /// At which clock's steps.
    pub clock: ClockId,
    /// Where in the step.
    pub placed: Placed,
}

/// A clock. Steps are integers; `t = step * dt`.
#[derive(Clone, PartialEq, Debug)]
pub struct Clock {
    /// Its name.
    pub name: String,
    /// Its step in seconds.
    pub dt: f64,
}

/// A variable of a population or a projection.
#[derive(Clone, PartialEq, Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// The type of one element.
    pub ty: ScalarType,
    /// Its dimension; values are in SI base units.
    pub dimension: Dimension,
    /// One value per element, or one for all.
    pub extent: Extent,
    /// What it is for.
    pub kind: VariableKind,
    /// Its initial value, evaluated per element; zero (or false) if there is none.
    pub initial: Initial,
    /// `(unless refractory)`: neither integrated nor written by synapses while the neuron is refractory.
    pub unless_refractory: bool,
    /// Where it was defined.
    pub span: Span,
}

/// How many values a variable has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Extent {
    /// One per neuron or synapse.
    PerElement,
    /// One for all.
    Shared,
}

/// What a variable is for.
#[derive(Clone, PartialEq, Debug)]
pub enum VariableKind {
    /// Has a differential equation, or is written by code.
    State,
    /// Set by the user; `constant` ones are never written while running.
    Parameter {
        /// Not written by any code.
        constant: bool,
    },
    /// A name for an expression; uses of it have been replaced by the expression. No storage.
    Subexpression(Expr),
    /// When the neuron last emitted its spike event, seconds, `F64`; -1e4 before the first.
    LastSpike,
    /// Whether the neuron is out of its refractory period, `Bool`.
    NotRefractory,
    /// Receives a weighted sum over synapses each step.
    SumTarget,
    /// A subexpression that is constant over a step: stored, and computed by periodic code before the step starts.
    Held,
    /// Another name for an element of another variable. No storage.
    Link(Link),
    /// In code of synapses, the number of synapses of the neuron at that end, `I32`: kept per neuron.
    Degree(Endpoint),
    /// In code of synapses, their number, `I32`.
    Count,
}

/// Where a linked variable's value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// Whose variable it is.
    pub object: ObjectId,
    /// Which; it may be linked in its turn, but not in a circle.
    pub variable: VariableId,
    /// Which element of it.
    pub place: LinkPlace,
}

/// Which element of its source a linked variable means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkPlace {
    /// All of them mean this one; 0 if the source is shared.
    One {
        /// Its number.
        element: u32,
    },
    /// Element k means element `start + k`.
    Same {
        /// The first element.
        start: u32,
    },
    /// Element k means element `start + index[k]`.
    Index {
        /// An `I32` variable of the object that has the linked variable.
        index: VariableId,
        /// The first element of the group that `index` counts in.
        start: u32,
        /// How many elements there are to choose from; `None` for synapses, whose number is known once they are made.
        len: Option<u32>,
    },
}

/// Where a variable's initial values come from.
#[derive(Clone, PartialEq, Debug)]
pub enum Initial {
    /// Zero or false.
    Zero,
    /// An expression, evaluated once per element, after those of the variables before it.
    Expr(Expr),
    /// A column of the file that the projection's pairs were read from.
    Column(String),
    /// One value per element, in SI base units.
    Values(Vec<f64>),
}

/// `d variable / dt = rhs`.
#[derive(Clone, PartialEq, Debug)]
pub struct Equation {
    /// Which of the object's variables.
    pub variable: VariableId,
    /// The right-hand side, in SI units per second.
    pub rhs: Expr,
    /// Where it was written.
    pub span: Span,
}

/// How differential equations are advanced.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Method {
    /// The first of exact, exponential Euler, ... that fits; the step says which and why.
    Auto,
    /// Exact solution of a linear system.
    Exact,
    /// Exponential Euler of conditionally linear equations.
    ExponentialEuler,
    /// Forward Euler (Euler-Maruyama with noise).
    Euler,
    /// Runge-Kutta, order 2 (Ralston).
    Rk2,
    /// Runge-Kutta, order 4.
    Rk4,
    /// The explicit midpoint rule.
    Midpoint,
    /// Heun's method (stochastic Heun with noise, Stratonovich).
    Heun,
    /// Milstein's method, diagonal noise.
    Milstein,
    /// Backward Euler.
    ImplicitEuler,
}

/// A population of neurons, or an input.
#[derive(Clone, PartialEq, Debug)]
pub struct Population {
    /// Its name.
    pub name: String,
    /// The name of its neuron model or kind of input.
    pub model: String,
    /// How many neurons.
    pub size: u32,
    /// Which clock runs it.
    pub clock: ClockId,
    /// Its variables, by [`VariableId`].
    pub variables: Vec<Variable>,
    /// Its differential equations.
    pub equations: Vec<Equation>,
    /// How they are advanced.
    pub method: Method,
    /// Its events, by [`EventId`]; the event `spike` comes first.
    pub events: Vec<Event>,
    /// When its neurons are refractory.
    pub refractory: Refractory,
    /// What makes its elements compartments of neurons with a shape.
    pub cable: Option<Cable>,
    /// Where in the step its variables advance.
    pub update: Placed,
    /// Code that runs for all its neurons.
    pub periodic: Vec<Periodic>,
    /// Variables that count recent events.
    pub counters: Vec<Counter>,
    /// Where it was defined.
    pub span: Span,
}

/// A named event of a population: a spike is the event `spike`.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// What makes it happen.
    pub source: EventSource,
    /// Where in the step it happens.
    pub placed: Placed,
    /// What happens to a neuron that emitted it.
    pub reset: Block,
    /// Where in the step that happens.
    pub reset_placed: Placed,
}

/// What makes an event happen.
#[derive(Clone, PartialEq, Debug)]
pub enum EventSource {
    /// A `Bool` expression over the neuron's variables.
    Condition(Expr),
    /// A list of times and neurons, sorted by step, then neuron, each pair once.
    List {
        /// Steps of the population's clock.
        steps: Vec<i64>,
        /// Neurons, as many as steps.
        neurons: Vec<u32>,
        /// The list starts again after so many steps; 0 for never.
        period_steps: i64,
    },
}

/// When neurons are refractory.
#[derive(Clone, PartialEq, Debug)]
pub enum Refractory {
    /// Never.
    Never,
    /// For a time after each spike, seconds, per neuron.
    Time(Expr),
    /// After a spike, until this `Bool` expression is false.
    While(Expr),
}

/// Code that runs for all neurons or synapses at the steps of a clock.
#[derive(Clone, PartialEq, Debug)]
pub struct Periodic {
    /// Its name.
    pub name: String,
    /// At which clock's steps; those are steps of the object's clock too.
    pub clock: ClockId,
    /// Where in the step.
    pub placed: Placed,
    /// What it does to shared variables, once, before `block`.
    pub shared: Block,
    /// What it does to each element.
    pub block: Block,
    /// For populations, the first neuron and the number of neurons that it runs for; `None` for all.
    pub neurons: Option<(u32, u32)>,
    /// Where it was written.
    pub span: Span,
}

/// An `I32` variable that holds how many events a neuron had within the last steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counter {
    /// The variable.
    pub variable: VariableId,
    /// Which event is counted.
    pub event: EventId,
    /// How many steps it is counted.
    pub window_steps: u32,
}

/// A contiguous range of a population's neurons: the whole population, or a view of it; or all synapses of a
/// projection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// The name it was given.
    pub name: String,
    /// The population or projection.
    pub object: ObjectId,
    /// Its first neuron.
    pub start: u32,
    /// How many neurons. Of a projection 0 until its synapses are made, which whoever makes them puts right.
    pub len: u32,
}

impl Group {
    /// The population, if its elements are neurons.
    #[must_use]
    pub fn population(&self) -> Option<PopulationId> {
        match self.object {
            ObjectId::Population(id) => Some(id),
            ObjectId::Projection(_) => None,
        }
    }
}

/// Synapses of one kind between two groups.
#[derive(Clone, PartialEq, Debug)]
pub struct Projection {
    /// Its name.
    pub name: String,
    /// The name of its synapse model.
    pub model: String,
    /// Presynaptic neurons.
    pub source: Group,
    /// Postsynaptic neurons.
    pub target: Group,
    /// Which clock runs its continuous updates.
    pub clock: ClockId,
    /// Its variables, one value per synapse or shared.
    pub variables: Vec<Variable>,
    /// Differential equations advanced at every step.
    pub equations: Vec<Equation>,
    /// Linear differential equations advanced only when an event arrives at the synapse.
    pub event_driven: Vec<Equation>,
    /// The `F64` variable that holds when the synapse's event-driven variables were last advanced.
    pub last_update: Option<VariableId>,
    /// How `equations` are advanced.
    pub method: Method,
    /// Where in the step `equations` are advanced.
    pub update: Placed,
    /// What events do.
    pub pathways: Vec<Pathway>,
    /// Weighted sums into variables of the neurons.
    pub sums: Vec<Sum>,
    /// Code that runs for all its synapses.
    pub periodic: Vec<Periodic>,
    /// Which pairs are connected.
    pub connect: Connect,
    /// How that changes while the network runs.
    pub rewirings: Vec<Rewiring>,
    /// How synapses are stored.
    pub format: Format,
    /// Where it was defined.
    pub span: Span,
}

/// What happens at synapses when an event of their pre- or postsynaptic neuron reaches them.
#[derive(Clone, PartialEq, Debug)]
pub struct Pathway {
    /// `pre`, `post`, or what it was given.
    pub name: String,
    /// Whose event.
    pub on: Endpoint,
    /// Which event of that population.
    pub event: EventId,
    /// What it does.
    pub block: Block,
    /// Where in the step; by default in the slot `synapses`, with order -1 for pre and 1 for post.
    pub placed: Placed,
    /// How long the event travels.
    pub delay: Delay,
    /// Where it was written.
    pub span: Span,
}

/// One end of a synapse.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Endpoint {
    /// The presynaptic neuron.
    Pre,
    /// The postsynaptic neuron.
    Post,
}

/// How long an event travels to a synapse, or how old the presynaptic values are that it sums.
#[derive(Clone, PartialEq, Debug)]
pub enum Delay {
    /// It acts in the step in which it happens.
    None,
    /// The same number of steps, of the clock of the event's population (of a sum: of the projection), for all
    /// synapses.
    Steps(u32),
    /// Seconds per synapse, evaluated once; rounded to steps.
    PerSynapse(Expr),
    /// Seconds per synapse, a column of the projection's file.
    Column(String),
    /// Seconds per synapse.
    Values(Vec<f64>),
}

/// `target += value` over all synapses, each step, from zero; or another reduction.
#[derive(Clone, PartialEq, Debug)]
pub struct Sum {
    /// The variable, on the side [`Side::Pre`](crate::Side::Pre) or [`Side::Post`](crate::Side::Post).
    pub target: VarRef,
    /// What one synapse contributes.
    pub value: Expr,
    /// How contributions are combined; a neuron without synapses gets 0.
    pub reduce: Reduce,
    /// How long ago the presynaptic values were taken, in steps of the clock of the target.
    pub delay: Delay,
    /// Where in the step.
    pub placed: Placed,
}

/// How contributions of synapses are combined.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reduce {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The largest.
    Max,
    /// The smallest.
    Min,
}

/// Which pairs are connected.
#[derive(Clone, PartialEq, Debug)]
pub enum Connect {
    /// Every pair.
    AllToAll {
        /// Whether a neuron may connect to itself.
        self_connections: bool,
    },
    /// Neuron k to neuron k.
    OneToOne,
    /// Every pair with probability `p`.
    FixedProbability {
        /// Within [0, 1].
        p: f64,
        /// Whether a neuron may connect to itself.
        self_connections: bool,
    },
    /// Every target has `n` synapses.
    FixedInDegree(FixedNumber),
    /// Every source has `n` synapses.
    FixedOutDegree(FixedNumber),
    /// `n` synapses in all.
    FixedTotalNumber(FixedNumber),
    /// Pairs for which an expression over `i`, `j` and the neurons' variables holds, taken with a probability.
    Condition {
        /// `Bool`; none for every pair.
        condition: Option<Expr>,
        /// A float within [0, 1]; none for 1.
        probability: Option<Expr>,
        /// How many synapses per pair.
        repeat: u32,
    },
    /// A list of (source, target).
    Pairs(Vec<(u32, u32)>),
    /// A CSV or NPY file of pairs, with further columns.
    File(PathBuf),
    /// Windows of one grid in another: convolution and pooling. The column [`ELEMENT`](Connect::ELEMENT) has the number
    /// of each synapse's filter element.
    Windows(Grid),
    /// The pairs of an earlier projection, in its order.
    Copy(ProjectionId),
    /// The pairs of an earlier projection, ends exchanged; the column [`ELEMENT`](Connect::ELEMENT) has the number of
    /// each synapse there.
    Transpose(ProjectionId),
}

impl Connect {
    /// The column that says which element of something shared a synapse has.
    pub const ELEMENT: &'static str = "_element";

    /// The projection whose pairs are taken over.
    #[must_use]
    pub fn shares(&self) -> Option<ProjectionId> {
        match self {
            Self::Copy(id) | Self::Transpose(id) => Some(*id),
            Self::AllToAll { .. }
            | Self::OneToOne
            | Self::FixedProbability { .. }
            | Self::FixedInDegree(_)
            | Self::FixedOutDegree(_)
            | Self::FixedTotalNumber(_)
            | Self::Condition { .. }
            | Self::Pairs(_)
            | Self::File(_)
            | Self::Windows(_) => None,
        }
    }
}

/// Windows of a grid of source neurons that the neurons of a target grid see. Neurons are numbered row by row, channels
/// fastest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grid {
    /// Rows, columns and channels of the source.
    pub input: [u32; 3],
    /// Rows, columns and channels of the target.
    pub output: [u32; 3],
    /// Rows and columns of a window.
    pub extent: [u32; 2],
    /// How far the windows of neighbours lie apart.
    pub stride: [u32; 2],
    /// Rows and columns before the source that the first window covers.
    pub padding: [u32; 2],
    /// Whether every target channel sees all source channels: a convolution; otherwise its own: pooling.
    pub mixes_channels: bool,
}

/// A number of synapses, drawn at random.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FixedNumber {
    /// How many.
    pub n: u64,
    /// Whether a neuron may connect to itself.
    pub self_connections: bool,
    /// Whether a pair may be drawn more than once.
    pub multapses: bool,
}

/// How synapses are stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Format {
    /// What fits the connectivity.
    #[default]
    Auto,
    /// Compressed rows.
    Csr,
    /// Rows of equal length.
    Ell,
    /// Every pair has a place.
    Dense,
}

/// A timed array: values over time, or over time and neuron; constant within `dt`, the last value holds on.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Seconds per row.
    pub dt: f64,
    /// Rows (times).
    pub rows: usize,
    /// Columns (neurons); 1 for a function of time alone.
    pub columns: usize,
    /// `rows * columns` values, row after row, in SI base units.
    pub values: Vec<f64>,
    /// Their dimension.
    pub dimension: Dimension,
}

/// Something that is recorded.
#[derive(Clone, PartialEq, Debug)]
pub struct Recorder {
    /// Its name, unique.
    pub name: String,
    /// What.
    pub kind: RecorderKind,
    /// At which clock's steps.
    pub clock: ClockId,
    /// Where in the step.
    pub placed: Placed,
}

/// What a recorder writes down.
#[derive(Clone, PartialEq, Debug)]
pub enum RecorderKind {
    /// Events of a group: time and neuron of each.
    Events {
        /// Whose.
        group: Group,
        /// Which event.
        event: EventId,
    },
    /// The number of events of a group per step, as a rate per neuron.
    Rate {
        /// Whose.
        group: Group,
        /// Which event.
        event: EventId,
    },
    /// Values of variables.
    State {
        /// Whose.
        object: ObjectId,
        /// Which; subexpressions are evaluated when recorded.
        variables: Vec<VariableId>,
        /// Of which elements, in this order.
        elements: Vec<u32>,
    },
}

impl Network {
    /// A population. Ids come from this network.
    #[must_use]
    pub fn population(&self, id: PopulationId) -> &Population {
        &self.populations[id.index()]
    }

    /// A projection.
    #[must_use]
    pub fn projection(&self, id: ProjectionId) -> &Projection {
        &self.projections[id.index()]
    }

    /// A clock.
    #[must_use]
    pub fn clock(&self, id: ClockId) -> &Clock {
        &self.clocks[id.index()]
    }

    /// A table.
    #[must_use]
    pub fn table(&self, id: TableId) -> &Table {
        &self.tables[id.index()]
    }

    /// A recorder.
    #[must_use]
    pub fn recorder(&self, id: RecorderId) -> &Recorder {
        &self.recorders[id.index()]
    }

    /// The variables of an object.
    #[must_use]
    pub fn variables(&self, object: ObjectId) -> &[Variable] {
        match object {
            ObjectId::Population(id) => &self.population(id).variables,
            ObjectId::Projection(id) => &self.projection(id).variables,
        }
    }

    /// The variable that a reference names.
    #[must_use]
    pub fn variable(&self, reference: VarRef) -> &Variable {
        &self.variables(reference.object)[reference.variable.index()]
    }

    /// How many elements the object of a group has: neurons of the whole population, or synapses.
    #[must_use]
    pub fn elements_of(&self, group: &Group) -> u32 {
        match group.object {
            ObjectId::Population(id) => self.population(id).size,
            ObjectId::Projection(_) => group.len,
        }
    }

    /// The clock of an object.
    #[must_use]
    pub fn clock_of(&self, object: ObjectId) -> ClockId {
        match object {
            ObjectId::Population(id) => self.population(id).clock,
            ObjectId::Projection(id) => self.projection(id).clock,
        }
    }

    /// The variable that holds the value of `variable`, behind all links.
    #[must_use]
    pub fn root(&self, object: ObjectId, variable: VariableId) -> (ObjectId, VariableId) {
        let (mut object, mut variable) = (object, variable);
        while let VariableKind::Link(link) = &self.variables(object)[variable.index()].kind {
            (object, variable) = (link.object, link.variable);
        }
        (object, variable)
    }

    /// The name of an object.
    #[must_use]
    pub fn object_name(&self, object: ObjectId) -> &str {
        match object {
            ObjectId::Population(id) => &self.population(id).name,
            ObjectId::Projection(id) => &self.projection(id).name,
        }
    }
}

impl RecorderKind {
    /// Whose events or variables are recorded.
    #[must_use]
    pub fn object(&self) -> ObjectId {
        match self {
            Self::Events { group, .. } | Self::Rate { group, .. } => group.object,
            Self::State { object, .. } => *object,
        }
    }
}

impl Event {
    /// Where an event happens and where its reset acts if nothing else is said: spikes in the slots `thresholds` and
    /// `resets`, other events right behind, as in Brian 2.
    #[must_use]
    pub const fn usual_places(spike: bool) -> (Placed, Placed) {
        if spike {
            (Placed::at(Slot::Thresholds), Placed::at(Slot::Resets))
        } else {
            (Placed::new(When::after(Slot::Thresholds), 0), Placed::new(When::after(Slot::Resets), 0))
        }
    }
}

impl Pathway {
    /// Where a pathway acts if nothing else is said.
    #[must_use]
    pub const fn usual_place(on: Endpoint) -> Placed {
        let order = match on {
            Endpoint::Pre => -1,
            Endpoint::Post => 1,
        };
        Placed::new(When::at(Slot::Synapses), order)
    }
}

impl Sum {
    /// Where a sum is computed if nothing else is said: before states advance.
    pub const USUAL_PLACE: Placed = Placed::new(When::at(Slot::Groups), -1);
}

impl Population {
    /// The variable of that name.
    #[must_use]
    pub fn variable_named(&self, name: &str) -> Option<VariableId> {
        self.variables.iter().position(|v| v.name == name).map(VariableId::new)
    }

    /// The event of that name.
    #[must_use]
    pub fn event_named(&self, name: &str) -> Option<EventId> {
        self.events.iter().position(|e| e.name == name).map(EventId::new)
    }
}

impl Projection {
    /// The neurons at one end.
    #[must_use]
    pub fn end(&self, end: Endpoint) -> &Group {
        match end {
            Endpoint::Pre => &self.source,
            Endpoint::Post => &self.target,
        }
    }

    /// The variable of that name.
    #[must_use]
    pub fn variable_named(&self, name: &str) -> Option<VariableId> {
        self.variables.iter().position(|v| v.name == name).map(VariableId::new)
    }
}
