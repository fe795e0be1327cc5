//! The types of a network as it was typed: names, and strings that nobody has parsed yet.
//!
//! Nothing here is resolved: a name may name nothing, an expression may be nonsense. Every string that
//! the language gives a meaning is a [`Text`], so that whoever parses it can point at its place. Numbers of
//! a file are kept as their text too: `size = 100` and `size = "NE + NI"` differ in nothing but their span.

use std::path::PathBuf;

use neuropil_base::{Precision, SourceMap, Span, Spanned, Text};

use crate::ConnectSource;

/// A network as a model file or the builder states it.
///
/// ```
/// let text = r#"
/// dt = "0.1 ms"
///
/// [constants]
/// tau = "20 ms"
///
/// [neuron.lif]
/// equations = "dv/dt = -v/tau : volt"
/// threshold = "v > 10*mV"
/// reset = "v = 0*mV"
///
/// [population.cells]
/// neuron = "lif"
/// size = 100
/// initial.v = "rand()*10*mV"
/// "#;
/// let (network, diagnostics) = neuropil_source::read_str("small.toml", text);
/// assert!(diagnostics.is_empty());
/// assert_eq!(network.name, "small");
/// assert_eq!(network.neurons[0].equations.as_ref().unwrap().text, "dv/dt = -v/tau : volt");
/// assert_eq!(network.populations[0].size.text, "100");
/// ```
#[derive(Clone, Default, PartialEq, Debug)]
pub struct NetworkSource {
    /// The texts that all spans refer to.
    pub files: SourceMap,
    /// The name of the network: that of its file without folder and ending, or what the builder was given.
    pub name: String,
    /// What stands at the top of the file.
    pub settings: Settings,
    /// `[constants]`, in the order in which they were written; each may use those before it.
    pub constants: Vec<Constant>,
    /// `[neuron.NAME]`
    pub neurons: Vec<NeuronSource>,
    /// `[synapse.NAME]`
    pub synapses: Vec<SynapseSource>,
    /// `[morphology.NAME]`
    pub morphologies: Vec<MorphologySource>,
    /// `[population.NAME]`
    pub populations: Vec<PopulationSource>,
    /// `[view.NAME]`
    pub views: Vec<ViewSource>,
    /// `[input.NAME]`
    pub inputs: Vec<InputSource>,
    /// `[projection.NAME]`
    pub projections: Vec<ProjectionSource>,
    /// `[network.NAME]`
    pub subnetworks: Vec<SubnetworkSource>,
    /// `[[run]]`
    pub runs: Vec<RunSource>,
    /// `[host.NAME]`
    pub hosts: Vec<HostSource>,
    /// `[record]`
    pub record: RecordSource,
}

/// What stands at the top of a model file.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Settings {
    /// A line for people.
    pub title: Option<String>,
    /// A paragraph for people.
    pub description: Option<String>,
    /// The paper.
    pub reference: Option<String>,
    /// The step of the network's clock, a time.
    pub dt: Option<Text>,
    /// How long a run lasts if nobody says otherwise, a time; with `[[run]]`, how much time passes at most.
    pub duration: Option<Text>,
    /// The seed of all random streams.
    pub seed: Option<Spanned<u64>>,
    /// The float type of real variables.
    pub precision: Option<Spanned<Precision>>,
    /// How differential equations are advanced where a model does not say.
    pub method: Option<Spanned<String>>,
    /// The slots of a step in their order: the standard ones and any others.
    pub schedule: Option<Vec<Spanned<String>>>,
}

/// A place in the step: `"after_resets"` or `{ when = "resets", order = 1 }`.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct PlaceSource {
    /// The slot; none for the usual one.
    pub when: Option<Spanned<String>>,
    /// The order within it; none for the usual one.
    pub order: Option<Spanned<i64>>,
}

/// Where something of an object happens in the step: `schedule.reset = "end"`.
#[derive(Clone, PartialEq, Debug)]
pub struct Placement {
    /// What: `update`, `threshold`, `reset`, ...
    pub what: Spanned<String>,
    /// Where.
    pub place: PlaceSource,
}

/// A place in the step where the program that runs the simulation is called: `[host.NAME]`.
#[derive(Clone, PartialEq, Debug)]
pub struct HostSource {
    /// Its name, to which the program binds a function.
    pub name: Spanned<String>,
    /// The time between two calls; none for every step of the network's clock.
    pub every: Option<Text>,
    /// The slot; none for `start`.
    pub when: Option<Spanned<String>>,
    /// The order within it; none for 0.
    pub order: Option<Spanned<i64>>,
}

/// A name for a quantity: `taum = "20 ms"`, `C = "taum*gl"`, `p = 0.02`.
#[derive(Clone, PartialEq, Debug)]
pub struct Constant {
    /// Its name.
    pub name: Spanned<String>,
    /// A quantity, or an expression over earlier constants.
    pub value: Text,
}

/// A variable or parameter and the value that it begins with.
#[derive(Clone, PartialEq, Debug)]
pub struct Assignment {
    /// The variable.
    pub name: Spanned<String>,
    /// Its value.
    pub value: ValueSource,
}

/// Where values come from, one per neuron or synapse.
#[derive(Clone, PartialEq, Debug)]
pub enum ValueSource {
    /// An expression, evaluated per element: `"-60*mV + rand()*10*mV"`.
    Expression(Text),
    /// One value per element: `[1, 2, 3]` or `{ values = [1, 2, 3], unit = "mV" }`.
    List {
        /// The values, in `unit`.
        values: Numbers,
        /// Their unit; none for numbers without dimension.
        unit: Option<Text>,
    },
    /// A column of the file that a projection's pairs are read from: `{ column = "w", unit = "nS" }`.
    Column {
        /// The column's name, or its number counted from 0.
        column: Spanned<String>,
        /// The unit of the column's numbers.
        unit: Option<Text>,
    },
}

impl ValueSource {
    /// The place of the value.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Expression(text) => text.span,
            Self::List { values, .. } => values.span,
            Self::Column { column, .. } => column.span,
        }
    }

    /// The expression, if it is one.
    #[must_use]
    pub fn expression(&self) -> Option<&Text> {
        match self {
            Self::Expression(text) => Some(text),
            Self::List { .. } | Self::Column { .. } => None,
        }
    }
}

impl<T: Into<Text>> From<T> for ValueSource {
    fn from(text: T) -> Self {
        Self::Expression(text.into())
    }
}

/// Numbers that were written as an array.
#[derive(Clone, PartialEq, Debug)]
pub struct Numbers {
    /// How many per row, if the array was two-dimensional.
    pub columns: Option<usize>,
    /// The numbers, row after row.
    pub values: Vec<f64>,
    /// The array.
    pub span: Span,
}

impl Default for Numbers {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl From<Vec<f64>> for Numbers {
    fn from(values: Vec<f64>) -> Self {
        Self { columns: None, values, span: Span::NONE }
    }
}

/// A neuron model: `[neuron.NAME]`.
#[derive(Clone, PartialEq, Debug)]
pub struct NeuronSource {
    /// Its name.
    pub name: Spanned<String>,
    /// `model = "library:NAME"`: what is not said here is taken from that built-in model.
    pub library: Option<Spanned<String>>,
    /// Differential equations, subexpressions and parameters in Brian 2's notation. None only if
    /// `library` says where they are.
    pub equations: Option<Text>,
    /// The condition of the event `spike`.
    pub threshold: Option<Text>,
    /// Statements for neurons that spiked.
    pub reset: Option<Text>,
    /// A time, an expression of that dimension, or a condition.
    pub refractory: Option<Text>,
    /// How the equations are advanced.
    pub method: Option<Spanned<String>>,
    /// Values of parameters, unless the population gives others.
    pub parameters: Vec<Assignment>,
    /// Initial values of variables, unless the population gives others.
    pub initial: Vec<Assignment>,
    /// Further events: `[neuron.NAME.event.EVENT]`.
    pub events: Vec<EventSource>,
    /// Where `update`, `threshold` and `reset` happen in the step, if not in their usual slots.
    pub schedule: Vec<Placement>,
    /// Code that runs again and again: `[neuron.NAME.periodic.PERIODIC]`.
    pub periodic: Vec<PeriodicSource>,
    /// Variables that hold the neuron's rate of firing: `firing_rate.NAME`.
    pub firing_rates: Vec<FiringRateSource>,
}

/// Code that runs for all neurons or all synapses, at every step or after a time of its own.
#[derive(Clone, PartialEq, Debug)]
pub struct PeriodicSource {
    /// Its name, unique within the model.
    pub name: Spanned<String>,
    /// Statements.
    pub code: Text,
    /// The time between two runs; none for every step of the object's clock.
    pub every: Option<Text>,
    /// The slot of the step in which it runs; none for `start`.
    pub when: Option<Spanned<String>>,
    /// Its place among the operations of that slot; none for 0.
    pub order: Option<Spanned<i64>>,
}

/// A variable of a neuron that holds how often an event happened to it in the last time: `firing_rate.r = "100 ms"`.
#[derive(Clone, PartialEq, Debug)]
pub struct FiringRateSource {
    /// The variable, in hertz.
    pub name: Spanned<String>,
    /// How far back events are counted, a time.
    pub window: Text,
    /// Which event; none for `spike`.
    pub event: Option<Spanned<String>>,
}

/// Where a variable flagged `linked` takes its value from: `link.x = "other.v"`.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkSource {
    /// The linked variable.
    pub name: Spanned<String>,
    /// `NAME.VARIABLE`: a variable of a population, view, input or projection.
    pub variable: Spanned<String>,
    /// Which element of it, for each element of the linked variable: an expression, or a list; none for the one of
    /// the same number, or the one there is.
    pub index: Option<ValueSource>,
}

/// An event of a neuron besides its spike.
#[derive(Clone, PartialEq, Debug)]
pub struct EventSource {
    /// Its name.
    pub name: Spanned<String>,
    /// When it happens.
    pub condition: Text,
    /// Statements for neurons to which it happened.
    pub reset: Option<Text>,
    /// Where `condition` and `reset` happen in the step, if not in their usual slots.
    pub schedule: Vec<Placement>,
}

/// A synapse model: `[synapse.NAME]`.
#[derive(Clone, PartialEq, Debug)]
pub struct SynapseSource {
    /// Its name.
    pub name: Spanned<String>,
    /// `model = "library:NAME"`: what is not said here is taken from that built-in model.
    pub library: Option<Spanned<String>>,
    /// Differential equations, subexpressions and parameters; none for a synapse without variables.
    pub equations: Option<Text>,
    /// What events do. `on_pre = "..."` is the pathway `pre`, `on_post` the pathway `post`.
    pub pathways: Vec<PathwaySource>,
    /// Weighted sums: `[[synapse.NAME.sum]]`.
    pub sums: Vec<SumSource>,
    /// Rules by which synapses disappear while the network runs: `[[synapse.NAME.prune]]`.
    pub prune: Vec<RewireSource>,
    /// Rules by which new ones appear: `[[synapse.NAME.create]]`.
    pub create: Vec<RewireSource>,
    /// How the equations are advanced.
    pub method: Option<Spanned<String>>,
    /// Values of parameters, unless the projection gives others.
    pub parameters: Vec<Assignment>,
    /// Initial values of variables, unless the projection gives others.
    pub initial: Vec<Assignment>,
    /// Where `update` happens in the step, if not in its usual slot.
    pub schedule: Vec<Placement>,
    /// Code that runs again and again: `[synapse.NAME.periodic.PERIODIC]`.
    pub periodic: Vec<PeriodicSource>,
}

/// What happens at synapses when an event reaches them: `on_pre`, `on_post`, `[synapse.NAME.pathway.PATHWAY]`.
#[derive(Clone, PartialEq, Debug)]
pub struct PathwaySource {
    /// Its name, unique within the synapse.
    pub name: Spanned<String>,
    /// Whose event.
    pub on: Spanned<End>,
    /// Which event; none for `spike`.
    pub event: Option<Spanned<String>>,
    /// Statements.
    pub code: Text,
    /// A time, unless the projection gives another.
    pub delay: Option<Text>,
    /// The slot in which it acts; none for `synapses`.
    pub when: Option<Spanned<String>>,
    /// Its place among pathways of one slot.
    pub order: Option<Spanned<i64>>,
}

/// One end of a synapse.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum End {
    /// The presynaptic neuron.
    Pre,
    /// The postsynaptic neuron.
    Post,
}

/// A weighted sum over synapses, anew at every step: `[[synapse.NAME.sum]]`.
#[derive(Clone, PartialEq, Debug)]
pub struct SumSource {
    /// The channel that the postsynaptic neuron's equations collect with `sum(NAME)`, or a parameter of
    /// the postsynaptic neuron.
    pub into: Spanned<String>,
    /// What one synapse contributes, for instance `w*r_pre`.
    pub expression: Text,
    /// How contributions are combined.
    pub operation: Spanned<SumOperation>,
    /// How old the presynaptic values are: a time, or an expression for a time per synapse.
    pub delay: Option<Text>,
    /// The slot in which it is computed; none for `groups`.
    pub when: Option<Spanned<String>>,
    /// Its place among the operations of that slot; none for -1.
    pub order: Option<Spanned<i64>>,
}

/// A rule by which synapses appear or disappear while the network runs.
#[derive(Clone, PartialEq, Debug)]
pub struct RewireSource {
    /// Which synapses, or pairs of neurons, are candidates; none for all of them.
    pub condition: Option<Text>,
    /// How probable it is for a candidate: a number or an expression; none for certain.
    pub probability: Option<Text>,
    /// The time between two looks; none for every step of the projection.
    pub every: Option<Text>,
    /// The slot; none for `end`.
    pub when: Option<Spanned<String>>,
    /// The order within it; none for 0.
    pub order: Option<Spanned<i64>>,
    /// What variables of new synapses begin with, where that is not what the projection says.
    pub initial: Vec<Assignment>,
    /// Whether a neuron may be connected to itself; none for yes.
    pub self_connections: Option<Spanned<bool>>,
    /// Whether a pair that is connected may get another synapse; none for no.
    pub multapses: Option<Spanned<bool>>,
    /// Where the rule stands.
    pub place: Span,
}

/// How contributions to a weighted sum are combined.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum SumOperation {
    /// Their sum.
    #[default]
    Sum,
    /// Their mean.
    Mean,
    /// The largest.
    Max,
    /// The smallest.
    Min,
}

/// The shape of a neuron: `[morphology.NAME]`, by sections or from a file.
#[derive(Clone, PartialEq, Debug)]
pub struct MorphologySource {
    /// Its name.
    pub name: Spanned<String>,
    /// An SWC file.
    pub file: Option<Spanned<PathBuf>>,
    /// What the file holds, once it has been read ([`NetworkSource::read_morphologies`]).
    pub text: Option<Text>,
    /// Whether a soma of one point, or of three by convention, is a sphere; if not given, it is.
    pub spherical_soma: Option<Spanned<bool>>,
    /// Its sections: `[morphology.NAME.section.SECTION]`.
    pub sections: Vec<SectionSource>,
}

/// An unbranched piece of a neuron: `[morphology.NAME.section.SECTION]`.
#[derive(Clone, PartialEq, Debug)]
pub struct SectionSource {
    /// Its name.
    pub name: Spanned<String>,
    /// Whether it is a sphere.
    pub kind: Spanned<SectionKind>,
    /// The section at whose end it begins; none for the root.
    pub parent: Option<Spanned<String>>,
    /// Into how many compartments it is divided: a number, or an expression over constants.
    pub compartments: Option<Text>,
    /// Its whole length, or a list with the length of each compartment.
    pub length: Option<ValueSource>,
    /// Its diameter, or a list with the diameter at its start and at the end of each compartment.
    pub diameter: Option<ValueSource>,
    /// The x coordinates of its two ends, or of its start and the end of each compartment, from the end of its parent;
    /// of a soma, of its centre.
    pub x: Option<ValueSource>,
    /// Likewise.
    pub y: Option<ValueSource>,
    /// Likewise.
    pub z: Option<ValueSource>,
}

/// Kinds of sections.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum SectionKind {
    /// Cylinders or truncated cones in a row.
    #[default]
    Section,
    /// A sphere.
    Soma,
}

/// Neurons of one model: `[population.NAME]`.
#[derive(Clone, PartialEq, Debug)]
pub struct PopulationSource {
    /// Its name.
    pub name: Spanned<String>,
    /// A `[neuron.NAME]`, or a built-in model, with or without `library:` in front.
    pub neuron: Spanned<String>,
    /// How many neurons: a number, or an expression over constants; empty for one neuron with a morphology, and
    /// where `shape` says it.
    pub size: Text,
    /// Rows, columns and, if there are several, channels of neurons that form a grid.
    pub shape: Option<Vec<Spanned<i64>>>,
    /// The shape of its neurons, whose compartments are the elements of the population: a `[morphology.NAME]`.
    pub morphology: Option<Spanned<String>>,
    /// `Cm`: the capacitance of the membrane per area, for neurons with a morphology.
    pub capacitance: Option<ValueSource>,
    /// `Ri`: the resistivity of the cytoplasm, for neurons with a morphology.
    pub resistivity: Option<ValueSource>,
    /// The one compartment of each neuron that emits spikes: its number, or a section.
    pub threshold_location: Option<Text>,
    /// Initial values, in the order in which they are set.
    pub initial: Vec<Assignment>,
    /// Where its linked variables take their values from: `link.VARIABLE`.
    pub links: Vec<LinkSource>,
    /// Other initial values in sections of the morphology, the later winning.
    pub sections: Vec<SectionValues>,
    /// The step of the population's own clock, if it has one; a time.
    pub dt: Option<Text>,
}

/// Initial values in one section: `[population.NAME.section.SECTION]`.
#[derive(Clone, PartialEq, Debug)]
pub struct SectionValues {
    /// A section of the neuron's morphology and all that hangs on it, or with `.main` the section alone.
    pub section: Spanned<String>,
    /// The values there.
    pub values: Vec<Assignment>,
}

/// A contiguous range of a population's neurons: `[view.NAME]`.
#[derive(Clone, PartialEq, Debug)]
pub struct ViewSource {
    /// Its name.
    pub name: Spanned<String>,
    /// A population, an input or another view.
    pub population: Spanned<String>,
    /// The first neuron: a number, or an expression over constants. Within `section`, if that is given; empty then if
    /// all of it is meant.
    pub start: Text,
    /// The neuron after the last.
    pub stop: Text,
    /// A section of the neuron's morphology and all that hangs on it, or with `.main` the section alone.
    pub section: Option<Spanned<String>>,
    /// Which neuron, if the population has several with a morphology.
    pub cell: Option<Text>,
}

/// Something that acts on the network from outside: `[input.NAME]`.
///
/// Which fields may and must be there follows from `kind`, see [`InputKind`]; the reader holds that.
#[derive(Clone, PartialEq, Debug)]
pub struct InputSource {
    /// Its name.
    pub name: Spanned<String>,
    /// What it is.
    pub kind: Spanned<InputKind>,
    /// How many neurons.
    pub size: Option<Text>,
    /// Spikes per second: an expression that may use `t`, `i` and timed arrays.
    pub rate: Option<Text>,
    /// The time between two spikes of a regular input, or after which a list of spikes starts again.
    pub period: Option<Text>,
    /// The first spike of a regular input: a time that may use `i`.
    pub start: Option<Text>,
    /// Spike list: which neuron, one per time.
    pub indices: Option<Numbers>,
    /// Spike list: when, in `unit`.
    pub times: Option<Numbers>,
    /// Timed array: the values, in `unit`; one row per `dt`, one column per neuron if two-dimensional.
    pub values: Option<Numbers>,
    /// Spike list or timed array: a CSV or NPY file instead of numbers written here.
    pub file: Option<Spanned<PathBuf>>,
    /// The unit of `times`, of `values`, or of the file's numbers.
    pub unit: Option<Text>,
    /// Timed array: how long each row holds. Others: the step of the input's own clock.
    pub dt: Option<Text>,
    /// Binomial input: whose neurons it reaches.
    pub target: Option<Spanned<String>>,
    /// Binomial input: which of their variables.
    pub variable: Option<Spanned<String>>,
    /// Binomial input: how many sources each neuron has.
    pub n: Option<Text>,
    /// Binomial input: what one event adds.
    pub weight: Option<Text>,
    /// Binomial input: the slot of the step in which it acts; none for `synapses`.
    pub when: Option<Spanned<String>>,
    /// Binomial input: its place among the operations of that slot; none for 0.
    pub order: Option<Spanned<i64>>,
}

/// Kinds of inputs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum InputKind {
    /// Independent Poisson processes: `size`, `rate`.
    Poisson,
    /// Spikes at given times: `size`, and `indices` with `times` or a `file`; optionally `period`.
    Spikes,
    /// Spikes at equal intervals: `size`, and `rate` or `period`; optionally `start`.
    Regular,
    /// A function of time, or of time and neuron, that expressions call by its name, `stimulus(t)` or
    /// `stimulus(t, i)`: `values` or `file`, `dt`; optionally `unit`.
    TimedArray,
    /// Independent sources of one rate, summed per neuron; it has no neurons of its own: `target`, `variable`, `n`,
    /// `rate`, `weight`; optionally `when`, `order`.
    Binomial,
}

/// Synapses of one model between two populations: `[projection.NAME]`.
#[derive(Clone, PartialEq, Debug)]
pub struct ProjectionSource {
    /// Its name.
    pub name: Spanned<String>,
    /// A `[synapse.NAME]`, or a built-in model, with or without `library:` in front.
    pub synapse: Spanned<String>,
    /// Where spikes come from: a population, view or input.
    pub source: Spanned<String>,
    /// Where they act: a population or view.
    pub target: Spanned<String>,
    /// Which pairs are connected.
    pub connect: ConnectSource,
    /// The initial value of the synapse's variable `w`.
    pub weight: Option<ValueSource>,
    /// The delay, a time, of all pathways of the pre side that have none of their own; of the weighted sums where
    /// there is no such pathway.
    pub delay: Option<ValueSource>,
    /// Delays by pathway, or by the name that a weighted sum goes into: `delays.post = "1 ms"`.
    pub delays: Vec<Assignment>,
    /// Initial values of the synapse's variables, in the order in which they are set.
    pub initial: Vec<Assignment>,
    /// Where its linked variables take their values from: `link.VARIABLE`.
    pub links: Vec<LinkSource>,
    /// How synapses are stored.
    pub format: Option<Spanned<FormatSource>>,
    /// The step of the projection's own clock for continuous updates, if it has one; a time.
    pub dt: Option<Text>,
}

/// How synapses are stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum FormatSource {
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

/// What is recorded: `[record]`.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct RecordSource {
    /// Whose spikes: populations, views and inputs, or `NAME.EVENT` for another event.
    pub spikes: Selection,
    /// Whose rates.
    pub rates: Selection,
    /// Which variables: `[record.state.NAME]`.
    pub state: Vec<StateRecordSource>,
}

/// Some of the network's objects.
#[derive(Clone, Default, PartialEq, Debug)]
pub enum Selection {
    /// Nothing was said.
    #[default]
    Unspecified,
    /// None of them: `[]` or `false`.
    Nothing(Span),
    /// All of them: `"all"` or `true`.
    All(Span),
    /// Those named.
    Names(Vec<Spanned<String>>),
}

/// Variables over time: `[record.state.NAME]`.
#[derive(Clone, PartialEq, Debug)]
pub struct StateRecordSource {
    /// Its name.
    pub name: Spanned<String>,
    /// A population, view, input or projection.
    pub of: Spanned<String>,
    /// Which variables.
    pub variables: Vec<Spanned<String>>,
    /// Which neurons or synapses.
    pub elements: Elements,
    /// The time between two samples; none for every step.
    pub every: Option<Text>,
    /// The slot of the step in which values are taken, such as `start` or `after_resets`.
    pub slot: Option<Spanned<String>>,
    /// Its place among the operations of that slot; none for 0.
    pub order: Option<Spanned<i64>>,
}

/// Some neurons or synapses of an object.
#[derive(Clone, Default, PartialEq, Debug)]
pub enum Elements {
    /// All of them.
    #[default]
    All,
    /// Those listed, counted from 0.
    List(Vec<Spanned<i64>>),
    /// Those from `start` to before `stop`: numbers, or expressions over constants.
    Range {
        /// The first.
        start: Text,
        /// The one after the last.
        stop: Text,
    },
}

/// Some objects of the network, run by themselves and with a time of their own: `[network.NAME]`.
#[derive(Clone, PartialEq, Debug)]
pub struct SubnetworkSource {
    /// Its name.
    pub name: Spanned<String>,
    /// Its populations, inputs and projections.
    pub objects: Vec<Spanned<String>>,
}

/// A run, and what is changed before it: `[[run]]`. The fields take effect in this order.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct RunSource {
    /// How often all of this is done.
    pub repeat: Option<Text>,
    /// A name for the number of the repetition, counted from 0.
    pub counter: Option<Spanned<String>>,
    /// Everything goes back to the state that was stored under this name.
    pub restore: Option<Spanned<String>>,
    /// Projections whose synapses are made anew.
    pub connect: Vec<(Spanned<String>, ConnectSource)>,
    /// New delays of pathways, by projection.
    pub delays: Vec<ObjectChange>,
    /// New values of variables, by population, view, input or projection.
    pub set: Vec<ObjectChange>,
    /// Populations, inputs, projections and recorders that are switched on.
    pub on: Vec<Spanned<String>>,
    /// Those that are switched off.
    pub off: Vec<Spanned<String>>,
    /// Which network runs; none for everything.
    pub network: Option<Spanned<String>>,
    /// For how long, a time; none if nothing is run here.
    pub duration: Option<Text>,
    /// What ends the run earlier.
    pub until: Option<UntilSource>,
    /// Runs within this one: `[[run.run]]`.
    pub runs: Vec<RunSource>,
    /// The state of everything is stored under this name.
    pub store: Option<Spanned<String>>,
    /// Where it stands.
    pub place: Span,
}

/// New values for some variables, or pathways, of one object.
#[derive(Clone, PartialEq, Debug)]
pub struct ObjectChange {
    /// Its name.
    pub object: Spanned<String>,
    /// The values.
    pub values: Vec<Assignment>,
}

/// What ends a run: `until = { of = "cells", condition = "v > 10*mV" }`.
#[derive(Clone, PartialEq, Debug)]
pub struct UntilSource {
    /// A population, view or input.
    pub of: Spanned<String>,
    /// When a neuron counts.
    pub condition: Text,
    /// How many of them must: a number, or `all`; none for 1.
    pub count: Option<Text>,
}
