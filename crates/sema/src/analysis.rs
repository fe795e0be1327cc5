//! The order of the analysis: what must be known before what.
//!
//! Settings and constants; timed arrays; the variables of populations; views; the variables of projections;
//! where weighted sums go; then all code, populations first; initial values; recorders. Each step reports what
//! it finds and leaves something in place of what it refuses, so that the steps after it find more.
//! Subexpressions are put in last, and only if nothing was wrong.

use std::sync::Arc;

mod recurring;
mod unused;

use neuropil_base::{Diagnostic, Diagnostics, Precision, Span, Spanned, Text};
use neuropil_model::{
    Act, Arith, Clock, ClockId, Connect, Group, HostOperation, Method, Network, ObjectId, Placed, Population,
    PopulationId, Projection, ProjectionId, Recorder, Refractory, Side, Slot, Table,
};
use neuropil_morphology::Morphology;
use neuropil_source::{InputKind, InputSource, NetworkSource};

use crate::builtin;
use crate::cable;
use crate::code;
use crate::connect::{check_connect, format, known_count};
use crate::constant::{Evaluator, define_constants};
use crate::declare::Declared;
use crate::ends::{Objects, add_numbers, order};
use crate::finish::{Assembled, assemble};
use crate::firing_rate::declare_firing_rates;
use crate::grid::with_filter;
use crate::initial::{Count, Receiver, check_initial};
use crate::input::{check_input, model_name, timed_array};
use crate::pathway::check_pathways;
use crate::placement::{host_operations, places, schedule};
use crate::population::{NeuronModel, Pop, Tools, check_population, method, spike_memory};
use crate::projection::{Proj, SynapseModel, check_equations, described, initial_values};
use crate::protocol::{self, Made, Protocol};
use crate::recorder::{Recording, clock_of};
use crate::rewire::{check_rules, refuse_fixed};
use crate::scope::{Channels, Sites, World};
use crate::substitute::Starts;
use crate::sums::{Feed, check_sums, declare_sums};

/// The step if the model does not say: 0.1 ms, as in Brian 2.
pub(crate) const DT: f64 = 1e-4;

/// How long a run lasts if the model does not say.
const DURATION: f64 = 1.0;

/// The most steps of a run: a double counts them exactly.
const MAX_STEPS: f64 = 9e15;

/// The largest population: neurons are numbered by `i32` in code.
const MAX_NEURONS: u64 = i32::MAX as u64;

/// Everything that has been found out so far.
pub(crate) struct Analysis<'a> {
    pub(crate) source: &'a NetworkSource,
    pub(crate) precision: Precision,
    method: Method,
    duration: f64,
    pub(crate) world: World,
    pub(crate) out: Diagnostics,
    pub(crate) sites: Sites,
    clocks: Vec<Clock>,
    tables: Vec<Table>,
    pub(crate) pops: Vec<Pop>,
    /// One per population, in their order, then the views.
    groups: Vec<Group>,
    pub(crate) projs: Vec<Proj>,
    /// By name; none for those that are wrong.
    pub(crate) morphologies: Vec<(String, Option<Arc<Morphology>>)>,
}

impl<'a> Analysis<'a> {
    /// Settings, constants and timed arrays.
    pub(crate) fn new(source: &'a NetworkSource) -> Self {
        let settings = &source.settings;
        let precision = settings.precision.as_ref().map_or(Precision::default(), |p| p.value);
        let mut out = Diagnostics::new();
        let mut world = World {
            arith: Arith::new(precision),
            constants: indexmap::IndexMap::new(),
            tables: Vec::new(),
            schedule: schedule(settings.schedule.as_ref(), &mut out),
        };
        define_constants(&source.constants, &mut world, &mut out);
        let mut evaluator = Evaluator { world: &world, out: &mut out };
        let dt = settings.dt.as_ref().and_then(|t| evaluator.positive_time(t, "`dt`")).unwrap_or(DT);
        let duration = settings
            .duration
            .as_ref()
            .and_then(|t| evaluator.positive_time(t, "`duration`"))
            .unwrap_or(DURATION);
        if let Some(said) = settings.duration.as_ref().or(settings.dt.as_ref())
            && duration / dt > MAX_STEPS
        {
            let message =
                format!("{duration:e} s are {:.0e} steps of {dt:e} s, too many to count", duration / dt);
            out.push(
                Diagnostic::error(code::RANGE, said.span, message)
                    .help("take a larger `dt`, or a shorter `duration`"),
            );
        }
        let method = settings.method.as_ref().map_or(Method::Auto, |m| method(m, &mut out));
        let mut tables = Vec::new();
        for input in source.inputs.iter().filter(|i| i.kind.value == InputKind::TimedArray) {
            let (table, info) = timed_array(input, &world, &mut out);
            if neuropil_math::Function::from_name(&info.name).is_some()
                || crate::call::FUNCTIONS.contains(&info.name.as_str())
            {
                out.push(
                    Diagnostic::error(
                        code::RESERVED,
                        input.name.span,
                        format!("`{}` already means a function", info.name),
                    )
                    .help("choose another name for the timed array"),
                );
            }
            tables.push(table);
            world.tables.push(info);
        }
        Self {
            source,
            precision,
            method,
            duration,
            world,
            out,
            sites: Sites::default(),
            clocks: vec![Clock { name: "main".to_owned(), dt }],
            tables,
            pops: Vec::new(),
            groups: Vec::new(),
            projs: Vec::new(),
            morphologies: Vec::new(),
        }
    }

    /// The whole analysis.
    pub(crate) fn run(mut self) -> (Option<Network>, Diagnostics) {
        self.make_morphologies();
        self.declare_populations();
        self.declare_views();
        self.declare_projections();
        let feeds = declare_sums(&mut self.projs, &mut self.pops, &self.world, &mut self.out);
        self.resolve_links();
        self.warn_of_hidden_constants();
        self.check_populations();
        self.check_projections(&feeds);
        self.check_periodic_code();
        let recorders = Recording {
            world: &self.world,
            pops: &self.pops,
            projs: &self.projs,
            groups: &self.groups,
            clocks: &mut self.clocks,
            out: &mut self.out,
        }
        .all(&self.source.record);
        let hosts = host_operations(&self.source.hosts, &self.world, &mut self.clocks, &mut self.out);
        let made = Protocol {
            world: self.world.clone(),
            pops: &self.pops,
            projs: &self.projs,
            groups: &self.groups,
            clocks: &self.clocks,
            recorders: &recorders,
            sites: &mut self.sites,
            out: &mut self.out,
            made: Made::default(),
        }
        .all(&self.source.runs, &self.source.subnetworks, self.duration);
        self.check_unused_models();
        let incomplete = self.is_incomplete();
        if self.out.has_errors() || incomplete {
            self.out.sort();
            return (None, self.out);
        }
        let network = self.finish(recorders, hosts, made);
        refuse_fixed(&network, &mut self.out);
        self.out.sort();
        let network = (!self.out.has_errors()).then_some(network);
        (network, self.out)
    }

    /// Whether a required field is missing: it has been reported by whoever read the model, and what is
    /// built of it is no network.
    fn is_incomplete(&self) -> bool {
        let empty = builtin::is_missing;
        let blank = |text: &Text| text.text.is_empty() && !text.span.range().is_empty();
        let s = self.source;
        self.pops.iter().any(|p| p.broken)
            || self.projs.iter().any(|p| p.broken)
            || s.populations.iter().any(|p| empty(&p.neuron) || blank(&p.size))
            || s.views.iter().any(|v| empty(&v.population) || blank(&v.start) || blank(&v.stop))
            || s.projections.iter().any(|p| empty(&p.synapse) || empty(&p.source) || empty(&p.target))
    }

    fn declare_populations(&mut self) {
        for source in &self.source.populations {
            let model = builtin::neuron(self.source, &source.neuron, &mut self.out);
            let mut broken = model.is_none();
            let mut model = model.map(|m| NeuronModel::parse(&m, &mut self.out)).unwrap_or_default();
            let clock = self.clock(source.dt.as_ref(), &source.name.value);
            let (size, cells) = self.shape(source, Some(&mut model).filter(|_| !broken));
            if cells.is_none() {
                (broken, model) = (true, NeuronModel::default());
            }
            let cells = cells.flatten();
            let method = match &model.method {
                Some(name) => method(name, &mut self.out),
                None => self.method,
            };
            let initial = match &cells {
                Some(_) => cable::initial(source, &model.initial),
                None => model.initial.iter().chain(&source.initial).cloned().collect(),
            };
            let mut pop = Pop {
                cells,
                section_values: source.sections.clone(),
                threshold_location: source.threshold_location.clone(),
                population: population(&source.name, &source.neuron.value, size, clock, method),
                declared: Declared::default(),
                channels: Channels::new(),
                model: Some(model),
                initial,
                windows: Vec::new(),
                broken,
            };
            pop.declare(self.precision, &mut self.out);
            let id = PopulationId::new(self.pops.len());
            let dt = self.clocks[clock.index()].dt;
            declare_firing_rates(&mut pop, id, dt, &self.world, &mut self.out);
            self.add_population(pop, source.name.span);
        }
        for input in self.source.inputs.iter().filter(|i| has_neurons(i.kind.value)) {
            let clock = self.clock(input.dt.as_ref(), &input.name.value);
            let size = self.size(input.size.as_ref(), "the size of an input");
            let pop = Pop {
                cells: None,
                section_values: Vec::new(),
                threshold_location: None,
                population: population(&input.name, model_name(input.kind.value), size, clock, Method::Auto),
                declared: Declared::default(),
                channels: Channels::new(),
                model: None,
                initial: Vec::new(),
                windows: Vec::new(),
                broken: false,
            };
            self.add_population(pop, input.name.span);
        }
    }

    pub(crate) fn add_population(&mut self, pop: Pop, span: Span) {
        let group = Group {
            name: pop.population.name.clone(),
            object: ObjectId::Population(PopulationId::new(self.pops.len())),
            start: 0,
            len: pop.population.size,
        };
        self.refuse_duplicate(&group.name, span);
        self.groups.push(group);
        self.pops.push(pop);
    }

    fn refuse_duplicate(&mut self, name: &str, span: Span) {
        let Some(first) = self.groups.iter().find(|g| g.name == name) else { return };
        // Whoever read a file has reported it.
        if span.file().is_some() {
            return;
        }
        let first = first.population().and_then(|id| self.pops.get(id.index()));
        let first = first.map_or(Span::NONE, |p| p.population.span);
        self.out.push(
            Diagnostic::error(
                code::DUPLICATE_NAME,
                span,
                format!("there is already a population, view or input called `{name}`"),
            )
            .related(first, "first here")
            .help("choose another name"),
        );
    }

    /// The clock of an object with a step of its own.
    fn clock(&mut self, dt: Option<&Text>, name: &str) -> ClockId {
        let Some(text) = dt else { return ClockId::new(0) };
        let mut evaluator = Evaluator { world: &self.world, out: &mut self.out };
        match evaluator.positive_time(text, "`dt`") {
            Some(dt) => clock_of(&mut self.clocks, dt, name),
            None => ClockId::new(0),
        }
    }

    /// A number of neurons; 1 where it was refused, so that what depends on it can be checked.
    pub(crate) fn size(&mut self, text: Option<&Text>, what: &str) -> u32 {
        let Some(text) = text else { return 1 };
        let Some(n) = (Evaluator { world: &self.world, out: &mut self.out }).count(text, what) else {
            return 1;
        };
        if n == 0 {
            self.out.push(
                Diagnostic::error(code::ZERO_SIZE, text.span, format!("{what} is 0"))
                    .help("give it at least one neuron, or remove it and what is connected to it"),
            );
            return 1;
        }
        if n > MAX_NEURONS {
            self.out.push(
                Diagnostic::error(code::RANGE, text.span, format!("{n} neurons are too many"))
                    .help(format!("the limit is {MAX_NEURONS}")),
            );
            return 1;
        }
        n as u32
    }

    /// Views, each after the one that it is taken from.
    fn declare_views(&mut self) {
        let mut open: Vec<usize> = (0..self.source.views.len()).collect();
        loop {
            let before = open.len();
            let mut rest = Vec::new();
            for index in open {
                let view = &self.source.views[index];
                let of = self.groups.iter().find(|g| g.name == view.population.value).cloned();
                match of {
                    Some(of) => self.declare_view(index, &of),
                    None => rest.push(index),
                }
            }
            open = rest;
            if open.is_empty() || open.len() == before {
                break;
            }
        }
        for &index in &open {
            let view = &self.source.views[index];
            let of = &view.population;
            if open.iter().any(|&v| self.source.views[v].name.value == of.value) {
                let message = if of.value == view.name.value {
                    format!("view `{}` is a view of itself", of.value)
                } else {
                    format!(
                        "view `{}` is taken from `{}`: views go round in a circle",
                        view.name.value, of.value
                    )
                };
                self.out.push(Diagnostic::error(code::CIRCULAR, of.span, message));
            } else {
                let names: Vec<&str> = self.groups.iter().map(|g| g.name.as_str()).collect();
                builtin::unknown("population", of, names.into_iter(), &mut self.out);
            }
        }
    }

    fn declare_view(&mut self, index: usize, of: &Group) {
        let view = &self.source.views[index];
        if view.section.is_some() || view.cell.is_some() {
            let group = self.view_of_section(view, of);
            self.refuse_duplicate(&view.name.value, view.name.span);
            self.groups.push(group);
            return;
        }
        let mut evaluator = Evaluator { world: &self.world, out: &mut self.out };
        let start = evaluator.count(&view.start, "the start of a view");
        let stop = evaluator.count(&view.stop, "the end of a view");
        self.refuse_duplicate(&view.name.value, view.name.span);
        // A view that was refused is the whole, so that what is connected to it can be checked.
        let mut group = Group { name: view.name.value.clone(), ..of.clone() };
        if let (Some(start), Some(stop)) = (start, stop) {
            if start == stop {
                self.out.push(
                    Diagnostic::error(
                        code::ZERO_SIZE,
                        view.stop.span,
                        format!("view `{}` has no neurons", view.name.value),
                    )
                    .help("the end of a range is the neuron after the last"),
                );
            } else if start > stop || stop > u64::from(of.len) {
                self.out.push(
                    Diagnostic::error(
                        code::RANGE,
                        view.stop.span,
                        format!("`{}` has no neurons {start} to {stop}", of.name),
                    )
                    .help(format!("a range is within 0 and {}, its end not included", of.len)),
                );
            } else {
                group.start = of.start + start as u32;
                group.len = (stop - start) as u32;
            }
        }
        self.groups.push(group);
    }

    fn declare_projections(&mut self) {
        for index in order(&self.source.projections, &mut self.out) {
            let source = &with_filter(&self.source.projections[index]);
            let model = builtin::synapse(self.source, &source.synapse, &mut self.out);
            let pre = self.end(&source.source);
            let post = self.end(&source.target);
            let mut broken = model.is_none() || pre.is_none() || post.is_none();
            let model = model.map(|m| SynapseModel::parse(&m, &mut self.out)).unwrap_or_default();
            let object = ObjectId::Population(PopulationId::new(0));
            let nowhere = Group { name: String::new(), object, start: 0, len: 0 };
            let (pre, post) = (pre.unwrap_or_else(|| nowhere.clone()), post.unwrap_or(nowhere));
            let objects = Objects { pops: &self.pops, projs: &self.projs };
            broken |= objects.is_broken(pre.object) || objects.is_broken(post.object);
            let usual = objects.clock(post.object);
            let clock = match &source.dt {
                Some(_) => self.clock(source.dt.as_ref(), &source.name.value),
                None => usual,
            };
            let method = match &model.method {
                Some(name) => method(name, &mut self.out),
                None => self.method,
            };
            let usual = [("update", Placed::at(Slot::Groups))];
            let [update] = places(&model.schedule, usual, &self.world, &mut self.out);
            let projection = Projection {
                name: source.name.value.clone(),
                model: source.synapse.value.clone(),
                source: pre,
                target: post,
                clock,
                variables: Vec::new(),
                equations: Vec::new(),
                event_driven: Vec::new(),
                last_update: None,
                method,
                update,
                pathways: Vec::new(),
                sums: Vec::new(),
                periodic: Vec::new(),
                connect: Connect::AllToAll { self_connections: true },
                rewirings: Vec::new(),
                format: source.format.as_ref().map_or_else(Default::default, |f| format(f.value)),
                span: source.name.span,
            };
            let initial = initial_values(&model, source);
            let mut proj = Proj { projection, declared: Declared::default(), model, initial, broken, index };
            if !proj.broken {
                let (last, refractory) = spike_memory(proj.texts(source));
                let ends = [(Side::Pre, &proj.projection.source), (Side::Post, &proj.projection.target)];
                for (side, group) in ends {
                    match group.object {
                        ObjectId::Population(id) => {
                            self.pops[id.index()].add_spike_memory(last, refractory);
                        }
                        ObjectId::Projection(id) => {
                            let texts: Vec<&Text> = proj.texts(source).collect();
                            add_numbers(&mut self.projs[id.index()].declared, side, texts.into_iter());
                        }
                    }
                }
                let id = ProjectionId::new(self.projs.len());
                let objects = Objects { pops: &self.pops, projs: &self.projs };
                proj.declare(id, source, objects, &self.world, &mut self.out);
                self.share(&mut proj, source);
            }
            self.projs.push(proj);
        }
    }

    /// The population, view or input of that name, or the projection.
    fn end(&mut self, name: &Spanned<String>) -> Option<Group> {
        if !self.groups.iter().any(|g| g.name == name.value) {
            if let Some(index) = self.projs.iter().position(|p| p.projection.name == name.value) {
                let object = ObjectId::Projection(ProjectionId::new(index));
                return Some(Group { name: name.value.clone(), object, start: 0, len: 0 });
            }
            // One that is still to come depends on this one, which has been reported.
            if self.source.projections.iter().any(|p| p.name.value == name.value) {
                return None;
            }
        }
        self.group(name)
    }

    /// The population, view or input of that name.
    fn group(&mut self, name: &Spanned<String>) -> Option<Group> {
        if let Some(group) = self.groups.iter().find(|g| g.name == name.value) {
            return Some(group.clone());
        }
        if self.tables.iter().any(|t| t.name == name.value) {
            self.out.push(
                Diagnostic::error(
                    code::UNKNOWN_NAME,
                    name.span,
                    format!("`{}` is a timed array, which has no neurons", name.value),
                )
                .help(format!("use it in the equations of the neurons: `{}(t)`", name.value)),
            );
            return None;
        }
        let binomial = |i: &&InputSource| i.kind.value == InputKind::Binomial && i.name.value == name.value;
        if self.source.inputs.iter().any(|i| binomial(&i)) {
            let message = format!("`{}` is a binomial input, which has no neurons", name.value);
            self.out.push(Diagnostic::error(code::UNKNOWN_NAME, name.span, message).help(
                "it acts without synapses; for spikes that travel, use an input of the kind `poisson`",
            ));
            return None;
        }
        // A view that could not be made has been reported.
        if !self.source.views.iter().any(|v| v.name.value == name.value) {
            let names: Vec<&str> = self.groups.iter().map(|g| g.name.as_str()).collect();
            builtin::unknown("population", name, names.into_iter(), &mut self.out);
        }
        None
    }

    /// Warns of variables that hide constants of the model.
    fn warn_of_hidden_constants(&mut self) {
        let variables = (self.pops.iter().map(|p| &p.declared))
            .chain(self.projs.iter().map(|p| &p.declared))
            .flat_map(|d| &d.variables)
            // A built-in model does not know the constants of its user.
            .filter(|v| v.span.file().is_some());
        for variable in variables {
            let name = &variable.name;
            if let Some(constant) = self.source.constants.iter().find(|c| c.name.value == *name) {
                self.out.push(
                    Diagnostic::warning(
                        code::SHADOWED,
                        variable.span,
                        format!("the variable `{name}` hides the constant `{name}`"),
                    )
                    .related(constant.name.span, "the constant")
                    .help(
                        "rename one of them, unless the variable is meant wherever its model uses the name",
                    ),
                );
            }
        }
    }

    fn check_populations(&mut self) {
        for (source, record) in
            self.source.record.state.iter().flat_map(|r| r.variables.iter().map(move |v| (v, r)))
        {
            let group = self.groups.iter().find(|g| g.name == record.of.value);
            if let Some(id) = group.and_then(Group::population) {
                let (last, refractory) = (source.value == "lastspike", source.value == "not_refractory");
                self.pops[id.index()].add_spike_memory(last, refractory);
            }
        }
        let inputs: Vec<_> = self.source.inputs.iter().filter(|i| has_neurons(i.kind.value)).collect();
        let first_input = self.source.populations.len();
        for index in 0..self.pops.len() {
            let id = PopulationId::new(index);
            let dt = self.clocks[self.pops[index].population.clock.index()].dt;
            let mut tools = Tools { world: &self.world, sites: &mut self.sites, out: &mut self.out };
            let before = tools.out.len();
            match index.checked_sub(first_input).and_then(|i| inputs.get(i)) {
                Some(input) => check_input(&mut self.pops[index], id, input, dt, &mut tools),
                None => check_population(&mut self.pops[index], id, &mut tools),
            }
            if let Some(source) = self.source.populations.get(index) {
                let what =
                    format!("in neuron `{}` of population `{}`", source.neuron.value, source.name.value);
                give_place(&mut self.out, before, source.neuron.span, &what);
            }
        }
        for index in 0..self.pops.len() {
            let id = PopulationId::new(index);
            let mut tools = Tools { world: &self.world, sites: &mut self.sites, out: &mut self.out };
            set_initial(&mut self.pops[index], id, &mut tools);
        }
    }

    fn check_projections(&mut self, feeds: &[Feed]) {
        for index in 0..self.projs.len() {
            let id = ProjectionId::new(index);
            let (earlier, rest) = self.projs.split_at_mut(index);
            let Some(proj) = rest.first_mut().filter(|p| !p.broken) else { continue };
            let objects = Objects { pops: &self.pops, projs: earlier };
            let source = &self.source.projections[proj.index];
            let before = self.out.len();
            let mut tools = Tools { world: &self.world, sites: &mut self.sites, out: &mut self.out };
            let tools = &mut tools;
            check_equations(proj, id, objects, tools);
            let connect = check_connect(proj, id, &source.connect, objects, tools);
            let refused = connect.is_none();
            proj.projection.connect = connect.unwrap_or(Connect::AllToAll { self_connections: true });
            check_pathways(proj, id, source, objects, &self.clocks, tools);
            if feeds.iter().any(|f| f.of() == id) {
                let clocks = &self.clocks;
                proj.projection.sums = check_sums(feeds, proj, id, objects, (source, clocks), tools);
            }
            let what = described(&proj.projection.name);
            let receiver = Receiver {
                home: proj.home(id, objects),
                what: &what,
                count: match known_count(proj) {
                    _ if refused => Count::Refused,
                    Some(count) => Count::Known(count),
                    None => Count::Drawn,
                },
                from_file: matches!(proj.projection.connect, Connect::File(_)) || refused,
            };
            let values = check_initial(&proj.declared, &proj.initial, receiver, tools);
            for (variable, value) in values {
                proj.declared.variables[variable.index()].initial = value;
            }
            proj.projection.rewirings = check_rules(proj, id, objects, &mut self.clocks, tools);
            let what = format!("in synapse `{}` of {what}", source.synapse.value);
            give_place(&mut self.out, before, source.synapse.span, &what);
        }
    }

    /// Puts subexpressions in and assembles the network.
    fn finish(
        &mut self,
        recorders: Vec<Recorder>,
        host_operations: Vec<HostOperation>,
        made: Made,
    ) -> Network {
        let (pops, projs) = (std::mem::take(&mut self.pops), std::mem::take(&mut self.projs));
        let Assembled { populations, projections, expander } = assemble(pops, projs, &mut self.out);
        let out = &mut self.out;
        let Made { mut acts, mut stops, subnetworks, .. } = made;
        for stop in &mut stops {
            expander.expand_in_place(&mut stop.condition, Starts::default(), Span::NONE, out);
        }
        for act in &mut acts {
            protocol::expand(act, &projections, &expander, out);
        }
        let settings = &self.source.settings;
        // Where runs are listed, they say how long they take; `duration` is a limit.
        let listed =
            || acts.iter().map(|a| if let Act::Run { duration, .. } = a { *duration } else { 0.0 }).sum();
        let duration =
            if self.source.runs.is_empty() || settings.duration.is_some() { self.duration } else { listed() };
        Network {
            name: self.source.name.clone(),
            title: settings.title.clone().unwrap_or_default(),
            precision: self.precision,
            seed: settings.seed.as_ref().map_or(0, |s| s.value),
            duration,
            clocks: std::mem::take(&mut self.clocks),
            populations,
            projections,
            tables: std::mem::take(&mut self.tables),
            recorders,
            schedule: self.world.schedule.clone(),
            host_operations,
            subnetworks,
            stops,
            protocol: acts,
            next_site: self.sites.next(),
        }
    }
}

/// Whether an input of that kind is a population.
fn has_neurons(kind: InputKind) -> bool {
    match kind {
        InputKind::Poisson | InputKind::Spikes | InputKind::Regular => true,
        InputKind::TimedArray | InputKind::Binomial => false,
    }
}

pub(crate) fn population(
    name: &Spanned<String>,
    model: &str,
    size: u32,
    clock: ClockId,
    method: Method,
) -> Population {
    Population {
        name: name.value.clone(),
        model: model.to_owned(),
        size,
        clock,
        variables: Vec::new(),
        equations: Vec::new(),
        method,
        update: Placed::at(Slot::Groups),
        events: Vec::new(),
        refractory: Refractory::Never,
        periodic: Vec::new(),
        counters: Vec::new(),
        cable: None,
        span: name.span,
    }
}

pub(crate) fn set_initial(pop: &mut Pop, id: PopulationId, tools: &mut Tools<'_>) {
    if pop.broken || pop.model.is_none() {
        return;
    }
    let what = format!("population `{}`", pop.population.name);
    let count = Count::Known(u64::from(pop.population.size));
    let receiver = Receiver { home: pop.home(id), what: &what, count, from_file: false };
    let values = check_initial(&pop.declared, &pop.initial, receiver, tools);
    for (variable, value) in values {
        pop.declared.variables[variable.index()].initial = value;
    }
    pop.set_in_sections(id, tools);
    pop.set_geometry(tools.out);
}

/// Gives the diagnostics from the one numbered `before` on a place if they have none: those about built-in models,
/// whose text is not the user's.
fn give_place(out: &mut Diagnostics, before: usize, place: Span, what: &str) {
    if out.iter().skip(before).all(|d| d.span.file().is_some()) {
        return;
    }
    for (index, mut d) in std::mem::take(out).into_iter().enumerate() {
        if index >= before && d.span.file().is_none() {
            if place.file().is_some() {
                d.span = place;
                d.label = what.to_owned();
            } else {
                d.help.push(format!("this is {what}"));
            }
        }
        out.push(d);
    }
}
