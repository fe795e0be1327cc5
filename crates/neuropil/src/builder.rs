//! Builds a model in Rust: the same fields as a model file, the same language in its strings.

mod link;
mod recurring;

use std::path::PathBuf;

use neuropil_base::{Precision, Span, Spanned, Text};
use neuropil_source::{
    Assignment, ConnectSource, Constant, Elements, End, EventSource, Filter, FormatSource, HostSource,
    InputKind, InputSource, NetworkSource, NeuronSource, PathwaySource, PlaceSource, Placement,
    PopulationSource, ProjectionSource, RewireSource, Rule, RunSource, Selection, StateRecordSource,
    SubnetworkSource, SumOperation, SumSource, SynapseSource, ValueSource, ViewSource,
};

use crate::{Model, Rewire};

/// Puts a model together, piece by piece.
///
/// Nothing is checked until the model is used; mistakes then point into the strings given here.
///
/// ```
/// use neuropil::{Builder, Connect, Cpu, Options};
///
/// let mut net = Builder::new("chain");
/// net.dt("0.1 ms").seed(7).constant("tau", "10 ms");
/// net.neuron("lif")
///     .equations("dv/dt = (14*mV - v)/tau : volt")
///     .threshold("v > 10*mV")
///     .reset("v = 0*mV");
/// net.population("cells", "lif", 2);
/// net.synapse("kick").on_pre("v_post += 3*mV");
/// net.projection("chain", "kick", "cells", "cells").connect(Connect::pairs([(0, 1)])).delay("1 ms");
/// net.record_spikes(["cells"]);
///
/// let mut simulation = net.model().simulate(&Cpu, &Options::default())?;
/// simulation.run(0.1)?;
/// let counts = simulation.spike_counts();
/// assert!(counts[0].spikes > 10);
/// # Ok::<(), neuropil::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Builder {
    pub(crate) source: NetworkSource,
}

/// One piece of a [`Builder`]'s model, being described.
#[derive(Debug)]
pub struct Piece<'a, T> {
    net: &'a mut NetworkSource,
    index: usize,
    place: String,
    list: fn(&mut NetworkSource) -> &mut Vec<T>,
}

pub(crate) fn named(name: &str) -> Spanned<String> {
    Spanned::new(name.to_owned(), Span::NONE)
}

/// `text` as a file of its own, so that messages can point into it.
pub(crate) fn text(net: &mut NetworkSource, place: &str, text: impl Into<String>) -> Text {
    let text = text.into();
    let file = net.files.add(format!("<{place}>"), text.clone());
    let span = Span::new(file, 0..text.len());
    Text::new(text, span)
}

impl<T> Piece<'_, T> {
    pub(crate) fn text(&mut self, field: &str, value: impl Into<String>) -> Text {
        let place = format!("{}: {field}", self.place);
        text(self.net, &place, value)
    }

    pub(crate) fn assignment(&mut self, name: &str, value: impl Into<String>) -> Assignment {
        let value = ValueSource::Expression(self.text(name, value));
        Assignment { name: named(name), value }
    }

    pub(crate) fn change(&mut self, change: impl FnOnce(&mut T)) -> &mut Self {
        if let Some(piece) = (self.list)(self.net).get_mut(self.index) {
            change(piece);
        }
        self
    }
}

impl Builder {
    /// An empty model.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { source: NetworkSource { name: name.to_owned(), ..NetworkSource::default() } }
    }

    /// The model as described so far.
    #[must_use]
    pub fn model(&self) -> Model {
        let mut source = self.source.clone();
        source.read_morphologies();
        Model::from_source(source)
    }

    /// Everything described so far, as a model file states it: for the fields that have no method here, such as a
    /// pathway's own delay, a recorder's interval or a two-dimensional timed array.
    pub fn source_mut(&mut self) -> &mut NetworkSource {
        &mut self.source
    }

    pub(crate) fn piece<T>(
        &mut self,
        place: String,
        list: fn(&mut NetworkSource) -> &mut Vec<T>,
        piece: T,
    ) -> Piece<'_, T> {
        let pieces = list(&mut self.source);
        pieces.push(piece);
        let index = pieces.len() - 1;
        Piece { net: &mut self.source, index, place, list }
    }

    /// The step of the network's clock: `0.1 ms`.
    pub fn dt(&mut self, dt: &str) -> &mut Self {
        self.source.settings.dt = Some(text(&mut self.source, "dt", dt));
        self
    }

    /// How long a run lasts if nobody says otherwise: `1 s`.
    pub fn duration(&mut self, duration: &str) -> &mut Self {
        self.source.settings.duration = Some(text(&mut self.source, "duration", duration));
        self
    }

    /// The seed of all random streams.
    pub fn seed(&mut self, seed: u64) -> &mut Self {
        self.source.settings.seed = Some(Spanned::new(seed, Span::NONE));
        self
    }

    /// The float type of real variables.
    pub fn precision(&mut self, precision: Precision) -> &mut Self {
        self.source.settings.precision = Some(Spanned::new(precision, Span::NONE));
        self
    }

    /// How differential equations are advanced where a model does not say: `exact`, `euler`, ...
    pub fn method(&mut self, method: &str) -> &mut Self {
        self.source.settings.method = Some(named(method));
        self
    }

    /// A name for a quantity, `20 ms`, or an expression over earlier ones.
    pub fn constant(&mut self, name: &str, value: &str) -> &mut Self {
        let value = text(&mut self.source, &format!("constant {name}"), value);
        self.source.constants.push(Constant { name: named(name), value });
        self
    }

    /// The slots of a step in their order: the standard ones and any others.
    pub fn schedule<'s>(&mut self, slots: impl IntoIterator<Item = &'s str>) -> &mut Self {
        self.source.settings.schedule = Some(slots.into_iter().map(named).collect());
        self
    }

    /// A place in the step where the program that runs the simulation is called: in the slot `when` (such as `end`),
    /// at every step, or once per `every` (a time). [`Simulation::bind`](crate::Simulation::bind) says what is called.
    pub fn host(&mut self, name: &str, when: &str, every: Option<&str>) -> &mut Self {
        let every = every.map(|e| text(&mut self.source, &format!("host {name}: every"), e));
        let when = Some(named(when));
        self.source.hosts.push(HostSource { name: named(name), every, when, order: None });
        self
    }

    /// Some populations, inputs and projections that are run by themselves, with a time of their own.
    pub fn network<'s>(&mut self, name: &str, objects: impl IntoIterator<Item = &'s str>) -> &mut Self {
        let objects = objects.into_iter().map(named).collect();
        self.source.subnetworks.push(SubnetworkSource::new(named(name), objects));
        self
    }

    /// One of the runs that follow each other when the model is run, and what is changed before it.
    pub fn run(&mut self, run: RunSource) -> &mut Self {
        self.source.runs.push(run);
        self
    }

    /// A neuron model.
    pub fn neuron(&mut self, name: &str) -> Piece<'_, NeuronSource> {
        let piece = NeuronSource::new(named(name));
        self.piece(format!("neuron {name}"), |n| &mut n.neurons, piece)
    }

    /// A synapse model.
    pub fn synapse(&mut self, name: &str) -> Piece<'_, SynapseSource> {
        let piece = SynapseSource::new(named(name));
        self.piece(format!("synapse {name}"), |n| &mut n.synapses, piece)
    }

    /// `size` neurons of a model: one described here, or a built-in one.
    pub fn population(&mut self, name: &str, neuron: &str, size: u32) -> Piece<'_, PopulationSource> {
        let size = text(&mut self.source, &format!("population {name}: size"), size.to_string());
        let piece = PopulationSource::new(named(name), named(neuron), size);
        self.piece(format!("population {name}"), |n| &mut n.populations, piece)
    }

    /// Neurons `range` of a population, under a name of their own.
    pub fn view(&mut self, name: &str, population: &str, range: std::ops::Range<u32>) -> &mut Self {
        let start = text(&mut self.source, &format!("view {name}: start"), range.start.to_string());
        let stop = text(&mut self.source, &format!("view {name}: stop"), range.end.to_string());
        self.source.views.push(ViewSource::new(named(name), named(population), start, stop));
        self
    }

    /// `size` independent Poisson processes; `rate` is an expression that may use `t` and `i`: `15*Hz`.
    pub fn poisson_input(&mut self, name: &str, size: u32, rate: &str) -> &mut Self {
        let rate = text(&mut self.source, &format!("input {name}: rate"), rate);
        let piece = self.input(name, InputKind::Poisson, Some(size));
        piece.rate = Some(rate);
        self
    }

    /// Spikes at given times (seconds) of given neurons.
    pub fn spike_input(&mut self, name: &str, size: u32, indices: Vec<u32>, times: Vec<f64>) -> &mut Self {
        let unit = text(&mut self.source, &format!("input {name}: unit"), "s");
        let piece = self.input(name, InputKind::Spikes, Some(size));
        piece.indices = Some(indices.into_iter().map(f64::from).collect::<Vec<_>>().into());
        piece.times = Some(times.into());
        piece.unit = Some(unit);
        self
    }

    /// Spikes at equal intervals, the first at `start` (a time that may use `i`).
    pub fn regular_input(&mut self, name: &str, size: u32, period: &str, start: &str) -> &mut Self {
        let period = text(&mut self.source, &format!("input {name}: period"), period);
        let start = text(&mut self.source, &format!("input {name}: start"), start);
        let piece = self.input(name, InputKind::Regular, Some(size));
        piece.period = Some(period);
        piece.start = Some(start);
        self
    }

    /// A function of time that expressions call by its name: `name(t)`. `values` are in `unit`, each holds for `dt`.
    pub fn timed_array(&mut self, name: &str, values: Vec<f64>, dt: &str, unit: &str) -> &mut Self {
        let dt = text(&mut self.source, &format!("input {name}: dt"), dt);
        let unit = text(&mut self.source, &format!("input {name}: unit"), unit);
        let piece = self.input(name, InputKind::TimedArray, None);
        piece.values = Some(values.into());
        piece.dt = Some(dt);
        piece.unit = Some(unit);
        self
    }

    fn input(&mut self, name: &str, kind: InputKind, size: Option<u32>) -> &mut InputSource {
        let size = size.map(|s| text(&mut self.source, &format!("input {name}: size"), s.to_string()));
        let inputs = &mut self.source.inputs;
        inputs.push(InputSource { size, ..InputSource::new(named(name), Spanned::new(kind, Span::NONE)) });
        let last = inputs.len() - 1;
        &mut inputs[last]
    }

    /// Synapses of a model from one population, view or input to another; all pairs, unless
    /// [`connect`](Piece::connect) says otherwise.
    pub fn projection(
        &mut self,
        name: &str,
        synapse: &str,
        source: &str,
        target: &str,
    ) -> Piece<'_, ProjectionSource> {
        let connect = Connect::all_to_all().rule;
        let piece = ProjectionSource::new(named(name), named(synapse), named(source), named(target), connect);
        self.piece(format!("projection {name}"), |n| &mut n.projections, piece)
    }

    /// Records the spikes of populations, views or inputs.
    pub fn record_spikes<'s>(&mut self, of: impl IntoIterator<Item = &'s str>) -> &mut Self {
        self.source.record.spikes = Selection::Names(of.into_iter().map(named).collect());
        self
    }

    /// Records the rates of populations, views or inputs.
    pub fn record_rates<'s>(&mut self, of: impl IntoIterator<Item = &'s str>) -> &mut Self {
        self.source.record.rates = Selection::Names(of.into_iter().map(named).collect());
        self
    }

    /// Records variables of some elements of a population or projection at every step.
    pub fn record_state<'s>(
        &mut self,
        name: &str,
        of: &str,
        variables: impl IntoIterator<Item = &'s str>,
        elements: impl IntoIterator<Item = u32>,
    ) -> &mut Self {
        let elements = elements.into_iter().map(|e| Spanned::new(i64::from(e), Span::NONE)).collect();
        self.source.record.state.push(StateRecordSource {
            name: named(name),
            of: named(of),
            variables: variables.into_iter().map(named).collect(),
            elements: Elements::List(elements),
            every: None,
            slot: None,
            order: None,
        });
        self
    }
}

impl Piece<'_, NeuronSource> {
    /// Starts from a built-in model; what is not said here is taken from it.
    pub fn based_on(&mut self, library: &str) -> &mut Self {
        self.change(|p| p.library = Some(named(library)))
    }

    /// Differential equations, subexpressions and parameters, one per line.
    pub fn equations(&mut self, equations: &str) -> &mut Self {
        let equations = self.text("equations", equations);
        self.change(|p| p.equations = Some(equations))
    }

    /// The condition of a spike.
    pub fn threshold(&mut self, condition: &str) -> &mut Self {
        let condition = self.text("threshold", condition);
        self.change(|p| p.threshold = Some(condition))
    }

    /// Statements for neurons that spiked.
    pub fn reset(&mut self, code: &str) -> &mut Self {
        let code = self.text("reset", code);
        self.change(|p| p.reset = Some(code))
    }

    /// A time, an expression of that dimension, or a condition.
    pub fn refractory(&mut self, refractory: &str) -> &mut Self {
        let refractory = self.text("refractory", refractory);
        self.change(|p| p.refractory = Some(refractory))
    }

    /// How the equations are advanced.
    pub fn method(&mut self, method: &str) -> &mut Self {
        self.change(|p| p.method = Some(named(method)))
    }

    /// The initial value of a variable, unless the population gives another.
    pub fn initial(&mut self, variable: &str, value: &str) -> &mut Self {
        let assignment = self.assignment(variable, value);
        self.change(|p| p.initial.push(assignment))
    }

    /// A further event: when it happens, and what it does to the neuron.
    pub fn event(&mut self, name: &str, condition: &str, reset: &str) -> &mut Self {
        let condition = self.text(name, condition);
        let reset = self.text(&format!("{name}: reset"), reset);
        self.change(|p| {
            p.events.push(EventSource {
                name: named(name),
                condition,
                reset: Some(reset),
                schedule: Vec::new(),
            });
        })
    }
}

impl Piece<'_, NeuronSource> {
    /// Where `update`, `threshold` or `reset` happens in the step: a slot and the order within it.
    pub fn at(&mut self, what: &str, when: &str, order: i64) -> &mut Self {
        let place = placement(what, when, order);
        self.change(|p| p.schedule.push(place))
    }
}

impl Piece<'_, SynapseSource> {
    /// Where `update` happens in the step: a slot and the order within it.
    pub fn at(&mut self, what: &str, when: &str, order: i64) -> &mut Self {
        let place = placement(what, when, order);
        self.change(|p| p.schedule.push(place))
    }

    /// Starts from a built-in model; what is not said here is taken from it.
    pub fn based_on(&mut self, library: &str) -> &mut Self {
        self.change(|p| p.library = Some(named(library)))
    }

    /// Differential equations, subexpressions and parameters, one per line.
    pub fn equations(&mut self, equations: &str) -> &mut Self {
        let equations = self.text("equations", equations);
        self.change(|p| p.equations = Some(equations))
    }

    /// What presynaptic spikes do.
    pub fn on_pre(&mut self, code: &str) -> &mut Self {
        self.pathway("pre", End::Pre, code)
    }

    /// What postsynaptic spikes do.
    pub fn on_post(&mut self, code: &str) -> &mut Self {
        self.pathway("post", End::Post, code)
    }

    /// A pathway: what spikes of one end do.
    pub fn pathway(&mut self, name: &str, on: End, code: &str) -> &mut Self {
        let code = self.text(name, code);
        self.change(|p| {
            p.pathways.push(PathwaySource {
                name: named(name),
                on: Spanned::new(on, Span::NONE),
                event: None,
                code,
                delay: None,
                when: None,
                order: None,
            });
        })
    }

    /// A weighted sum that the postsynaptic neuron's equations collect with `sum(channel)`.
    pub fn sum(&mut self, channel: &str, expression: &str, operation: SumOperation) -> &mut Self {
        let expression = self.text(channel, expression);
        let operation = Spanned::new(operation, Span::NONE);
        self.change(|p| {
            p.sums.push(SumSource {
                into: named(channel),
                expression,
                operation,
                delay: None,
                when: None,
                order: None,
            });
        })
    }

    /// A rule by which synapses disappear while the network runs.
    pub fn prune(&mut self, rule: Rewire) -> &mut Self {
        let rule = self.rule("prune", rule);
        self.change(|p| p.prune.push(rule))
    }

    /// A rule by which new synapses appear while the network runs.
    pub fn create(&mut self, rule: Rewire) -> &mut Self {
        let rule = self.rule("create", rule);
        self.change(|p| p.create.push(rule))
    }

    /// The rule, its expressions texts of this model, so that messages can point into them.
    fn rule(&mut self, what: &str, rule: Rewire) -> RewireSource {
        let Rewire { mut rule } = rule;
        let fields = [&mut rule.condition, &mut rule.probability, &mut rule.every];
        for (name, field) in ["condition", "probability", "every"].into_iter().zip(fields) {
            if let Some(value) = field.take() {
                *field = Some(self.text(&format!("{what}: {name}"), value.text));
            }
        }
        for assignment in &mut rule.initial {
            if let ValueSource::Expression(value) = &mut assignment.value {
                *value = self.text(&format!("{what}: {}", assignment.name.value), value.text.clone());
            }
        }
        rule
    }

    /// The initial value of a variable, unless the projection gives another.
    pub fn initial(&mut self, variable: &str, value: &str) -> &mut Self {
        let assignment = self.assignment(variable, value);
        self.change(|p| p.initial.push(assignment))
    }
}

impl Piece<'_, PopulationSource> {
    /// The initial value of a variable: an expression that may use `i` and `rand()`.
    pub fn initial(&mut self, variable: &str, value: &str) -> &mut Self {
        let assignment = self.assignment(variable, value);
        self.change(|p| p.initial.push(assignment))
    }

    /// A clock of its own, with that step.
    pub fn dt(&mut self, dt: &str) -> &mut Self {
        let dt = self.text("dt", dt);
        self.change(|p| p.dt = Some(dt))
    }
}

impl Piece<'_, ProjectionSource> {
    /// Which pairs are connected.
    pub fn connect(&mut self, connect: Connect) -> &mut Self {
        let Connect { mut rule } = connect;
        // Expressions become texts of this model, so that messages can point into them.
        let fields = [&mut rule.p, &mut rule.n, &mut rule.condition, &mut rule.probability, &mut rule.repeat];
        for (name, field) in ["p", "n", "condition", "probability", "repeat"].into_iter().zip(fields) {
            if let Some(value) = field.take() {
                *field = Some(text(self.net, &format!("{}: {name}", self.place), value.text));
            }
        }
        self.change(|p| p.connect = rule)
    }

    /// The initial value of the synapse's variable `w`, per synapse: an expression over `i`, `j`, `rand()`.
    pub fn weight(&mut self, value: &str) -> &mut Self {
        let value = ValueSource::Expression(self.text("weight", value));
        self.change(|p| p.weight = Some(value))
    }

    /// How long spikes travel: a time, or an expression per synapse. Where no spikes of the pre side act, how old
    /// the presynaptic values of weighted sums are.
    pub fn delay(&mut self, value: &str) -> &mut Self {
        let value = ValueSource::Expression(self.text("delay", value));
        self.change(|p| p.delay = Some(value))
    }

    /// The delay of one pathway, by its name, or of one weighted sum, by the name that it goes into.
    pub fn delay_of(&mut self, name: &str, value: &str) -> &mut Self {
        let assignment = self.assignment(name, value);
        self.change(|p| p.delays.push(assignment))
    }

    /// The initial value of a variable of the synapses.
    pub fn initial(&mut self, variable: &str, value: &str) -> &mut Self {
        let assignment = self.assignment(variable, value);
        self.change(|p| p.initial.push(assignment))
    }

    /// How synapses are stored.
    pub fn format(&mut self, format: FormatSource) -> &mut Self {
        self.change(|p| p.format = Some(Spanned::new(format, Span::NONE)))
    }
}

/// Which pairs of neurons a projection connects. Numbers are expressions, so that they may name constants.
#[derive(Clone, PartialEq, Debug)]
pub struct Connect {
    rule: ConnectSource,
}

impl Connect {
    fn new(rule: Rule) -> Self {
        Self { rule: ConnectSource::new(Spanned::new(rule, Span::NONE)) }
    }

    /// Every pair.
    #[must_use]
    pub fn all_to_all() -> Self {
        Self::new(Rule::AllToAll)
    }

    /// Neuron k to neuron k.
    #[must_use]
    pub fn one_to_one() -> Self {
        Self::new(Rule::OneToOne)
    }

    /// Every pair with probability `p`.
    #[must_use]
    pub fn fixed_probability(p: f64) -> Self {
        let mut connect = Self::new(Rule::FixedProbability);
        connect.rule.p = Some(p.to_string().into());
        connect
    }

    /// `n` synapses per target.
    #[must_use]
    pub fn fixed_in_degree(n: u32) -> Self {
        let mut connect = Self::new(Rule::FixedInDegree);
        connect.rule.n = Some(n.to_string().into());
        connect
    }

    /// `n` synapses per source.
    #[must_use]
    pub fn fixed_out_degree(n: u32) -> Self {
        let mut connect = Self::new(Rule::FixedOutDegree);
        connect.rule.n = Some(n.to_string().into());
        connect
    }

    /// `n` synapses in all.
    #[must_use]
    pub fn fixed_total_number(n: u64) -> Self {
        let mut connect = Self::new(Rule::FixedTotalNumber);
        connect.rule.n = Some(n.to_string().into());
        connect
    }

    /// Pairs for which a condition over `i`, `j` and variables of both neurons holds.
    #[must_use]
    pub fn condition(condition: &str) -> Self {
        let mut connect = Self::new(Rule::Condition);
        connect.rule.condition = Some(condition.into());
        connect
    }

    /// Every pair with a probability that is an expression over `i`, `j` and variables of both neurons.
    #[must_use]
    pub fn probability(probability: &str) -> Self {
        let mut connect = Self::new(Rule::Condition);
        connect.rule.probability = Some(probability.into());
        connect
    }

    /// The pairs listed, (source, target).
    #[must_use]
    pub fn pairs(pairs: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut connect = Self::new(Rule::Pairs);
        let spanned = |(i, j)| Spanned::new((i64::from(i), i64::from(j)), Span::NONE);
        connect.rule.pairs = Some(pairs.into_iter().map(spanned).collect());
        connect
    }

    /// Windows of a source that is a grid, through a filter of rows of numbers whose elements all targets share.
    #[must_use]
    pub fn convolution<const N: usize>(filter: &[[f64; N]]) -> Self {
        let mut connect = Self::new(Rule::Convolution);
        let values = filter.iter().flatten().copied().collect();
        connect.rule.filter = Some(Filter { shape: vec![filter.len(), N], values, span: Span::NONE });
        connect
    }

    /// Windows of a source that is a grid, one for each target.
    #[must_use]
    pub fn pooling(rows: u32, columns: u32) -> Self {
        let mut connect = Self::new(Rule::Pooling);
        let number = |n: u32| Spanned::new(i64::from(n), Span::NONE);
        connect.rule.extent = Some(vec![number(rows), number(columns)]);
        connect
    }

    /// The pairs of another projection, whose variables are shared.
    #[must_use]
    pub fn copy(of: &str) -> Self {
        let mut connect = Self::new(Rule::Copy);
        connect.rule.of = Some(named(of));
        connect
    }

    /// The pairs of another projection, ends exchanged, whose variables are shared.
    #[must_use]
    pub fn transpose(of: &str) -> Self {
        let mut connect = Self::new(Rule::Transpose);
        connect.rule.of = Some(named(of));
        connect
    }

    /// The pairs of a CSV or NPY file.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let mut connect = Self::new(Rule::File);
        connect.rule.file = Some(Spanned::new(path.into(), Span::NONE));
        connect
    }

    /// Without synapses of a neuron onto itself.
    #[must_use]
    pub fn without_self_connections(mut self) -> Self {
        self.rule.self_connections = Some(Spanned::new(false, Span::NONE));
        self
    }

    /// At most one synapse per pair.
    #[must_use]
    pub fn without_multapses(mut self) -> Self {
        self.rule.multapses = Some(Spanned::new(false, Span::NONE));
        self
    }
}

fn placement(what: &str, when: &str, order: i64) -> Placement {
    let order = Some(Spanned::new(order, Span::NONE));
    Placement { what: named(what), place: PlaceSource { when: Some(named(when)), order } }
}
