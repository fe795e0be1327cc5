//! What is done when the model is run: `[[run]]`, its repetitions written out, and `[network.NAME]`.

use neuropil_base::{Diagnostic, Diagnostics, Scalar, ScalarType, Span, Spanned};
use neuropil_math::BinaryOp;
use neuropil_model::{
    Act, Change, Clock, Connect, Delay, Expr, ExprKind, Group, Initial, ObjectId, PopulationId, Projection,
    ProjectionId, Recorder, RecorderId, Side, StopCondition, StopId, Subnetwork, SubnetworkId,
};
use neuropil_source::{Assignment, ObjectChange, RunSource, SubnetworkSource, UntilSource};
use neuropil_syntax::parse_expression;

use crate::builtin::{is_missing, unknown};
use crate::code;
use crate::connect::{check_connect, known_count};
use crate::constant::Evaluator;
use crate::dim::Dim;
use crate::ends::Objects;
use crate::initial::{Count, Receiver, check_changes};
use crate::pathway::check_delay;
use crate::population::{Pop, Tools};
use crate::projection::{Proj, described};
use crate::scope::{Sites, Value, World};
use crate::substitute::{Expander, Starts};

/// More repetitions than this, written out, are a slip.
const MAX_REPETITIONS: usize = 1_000_000;

/// What acts are made from.
pub(crate) struct Protocol<'a> {
    pub(crate) world: World,
    pub(crate) pops: &'a [Pop],
    pub(crate) projs: &'a [Proj],
    /// Populations, inputs and views.
    pub(crate) groups: &'a [Group],
    pub(crate) clocks: &'a [Clock],
    pub(crate) recorders: &'a [Recorder],
    pub(crate) sites: &'a mut Sites,
    pub(crate) out: &'a mut Diagnostics,
    pub(crate) made: Made,
}

/// What was made.
#[derive(Default)]
pub(crate) struct Made {
    pub(crate) acts: Vec<Act>,
    pub(crate) stops: Vec<StopCondition>,
    pub(crate) subnetworks: Vec<Subnetwork>,
    /// Names under which states have been stored so far.
    stored: Vec<String>,
    /// How many repetitions were written out.
    repetitions: usize,
}

impl Protocol<'_> {
    /// Everything that is done; one run of `duration` where the model says nothing.
    pub(crate) fn all(mut self, runs: &[RunSource], networks: &[SubnetworkSource], duration: f64) -> Made {
        for source in networks {
            let subnetwork = self.subnetwork(source);
            self.made.subnetworks.push(subnetwork);
        }
        if runs.is_empty() {
            self.made.acts.push(Act::Run { subnetwork: None, duration, stop: None });
        }
        self.runs(runs);
        self.made
    }

    fn tools(&mut self) -> Tools<'_> {
        Tools { world: &self.world, sites: self.sites, out: self.out }
    }

    fn runs(&mut self, runs: &[RunSource]) {
        for run in runs {
            self.repeated(run);
        }
    }

    fn repeated(&mut self, run: &RunSource) {
        let times = match &run.repeat {
            Some(text) => {
                Evaluator { world: &self.world, out: self.out }.count(text, "`repeat`").unwrap_or(0)
            }
            None => 1,
        };
        let saved = self.world.constants.clone();
        if let (Some(counter), None) = (&run.counter, &run.repeat) {
            self.out.push(
                Diagnostic::error(code::MISSING, counter.span, "a `counter` counts repetitions".to_owned())
                    .help("say how often: `repeat = 10`"),
            );
        }
        for k in 0..times {
            if let Some(counter) = &run.counter {
                let dim = Dim::Known(neuropil_units::Dimension::NONE);
                let value = Value { scalar: Scalar::F64(k as f64), dim };
                self.world.constants.insert(counter.value.clone(), value);
            }
            self.made.repetitions += 1;
            let before = std::mem::take(self.out);
            self.once(run);
            let found = std::mem::replace(self.out, before);
            let wrong = found.has_errors();
            // What is said of the first repetition holds for the others.
            if k == 0 || wrong {
                self.out.append(found);
            }
            if wrong {
                break;
            }
        }
        self.world.constants = saved;
    }

    fn once(&mut self, run: &RunSource) {
        if let Some(name) = &run.restore {
            if self.made.stored.contains(&name.value) {
                self.made.acts.push(Act::Restore(name.value.clone()));
            } else {
                let known = self.made.stored.clone();
                unknown("stored state", name, known.iter().map(String::as_str), self.out);
            }
        }
        for (name, connect) in &run.connect {
            self.connect(name, connect);
        }
        for change in &run.delays {
            self.delays(change);
        }
        for change in &run.set {
            self.set(change);
        }
        for (names, on) in [(&run.on, true), (&run.off, false)] {
            self.switch(names, on);
        }
        self.run(run);
        self.runs(&run.runs);
        if let Some(name) = &run.store {
            self.made.stored.push(name.value.clone());
            self.made.acts.push(Act::Store(name.value.clone()));
        }
        if self.made.repetitions > MAX_REPETITIONS {
            let message = format!("there are more than {MAX_REPETITIONS} repetitions");
            self.out.push(
                Diagnostic::error(code::RANGE, run.place, message)
                    .help("let a program repeat them: `Model::proceed` does what a `[[run]]` does"),
            );
        }
    }

    fn run(&mut self, run: &RunSource) {
        let Some(text) = &run.duration else {
            let needs = run.until.as_ref().map(|u| u.of.span).or(run.network.as_ref().map(|n| n.span));
            if let Some(span) = needs {
                self.out.push(
                    Diagnostic::error(
                        code::MISSING,
                        span,
                        "nothing says for how long this is run".to_owned(),
                    )
                    .help("add `duration = \"1 s\"`, for instance: the longest time that it may take"),
                );
            }
            return;
        };
        let duration = Evaluator { world: &self.world, out: self.out }.positive_time(text, "`duration`");
        let subnetwork = run.network.as_ref().and_then(|name| {
            let found = self.made.subnetworks.iter().position(|n| n.name == name.value);
            if found.is_none() {
                let names = self.made.subnetworks.iter().map(|n| n.name.as_str());
                unknown("network", name, names, self.out);
            }
            found.map(SubnetworkId::new)
        });
        let stop = run.until.as_ref().and_then(|until| self.stop(until));
        if let Some(duration) = duration {
            self.made.acts.push(Act::Run { subnetwork, duration, stop });
        }
    }

    /// The condition, which is kept once however often it is used.
    fn stop(&mut self, until: &UntilSource) -> Option<StopId> {
        let group = self.group(&until.of)?.clone();
        let (ast, diagnostics) = parse_expression(&until.condition);
        let failed = diagnostics.has_errors();
        self.out.append(diagnostics);
        if failed {
            return None;
        }
        let at_least = match &until.count {
            None => 1,
            Some(text) if text.text == "all" => u64::from(group.len),
            Some(text) => {
                let n = Evaluator { world: &self.world, out: self.out }.count(text, "`count`")?;
                if n == 0 || n > u64::from(group.len) {
                    let message = format!("`{}` has {} neurons, not {n}", group.name, group.len);
                    self.out.push(
                        Diagnostic::error(code::RANGE, text.span, message)
                            .help("give a number from 1 to that, or `all`"),
                    );
                    return None;
                }
                n
            }
        };
        let population = group.population()?;
        let pop = &self.pops[population.index()];
        let mut tools = Tools { world: &self.world, sites: self.sites, out: self.out };
        let condition = tools.typer(pop.home(population)).condition(&ast, "what ends a run");
        let stop = StopCondition {
            condition: within(condition, group.start),
            group,
            at_least: u32::try_from(at_least).unwrap_or(u32::MAX),
        };
        let known = self.made.stops.iter().position(|s| *s == stop);
        Some(StopId::new(known.unwrap_or_else(|| {
            self.made.stops.push(stop);
            self.made.stops.len() - 1
        })))
    }

    fn group(&mut self, name: &Spanned<String>) -> Option<&Group> {
        let found = self.groups.iter().find(|g| g.name == name.value);
        if found.is_none() && !is_missing(name) {
            unknown("population", name, self.groups.iter().map(|g| g.name.as_str()), self.out);
        }
        found
    }

    fn projection(&mut self, name: &Spanned<String>) -> Option<ProjectionId> {
        let found = self.projs.iter().position(|p| p.projection.name == name.value);
        if found.is_none() {
            let names = self.projs.iter().map(|p| p.projection.name.as_str());
            unknown("projection", name, names, self.out);
        }
        found.filter(|k| !self.projs[*k].broken).map(ProjectionId::new)
    }

    fn connect(&mut self, name: &Spanned<String>, source: &neuropil_source::ConnectSource) {
        let Some(id) = self.projection(name) else { return };
        let proj = &self.projs[id.index()];
        let objects = Objects { pops: self.pops, projs: self.projs };
        let shares = proj.projection.connect.shares().is_some();
        let windows = matches!(proj.projection.connect, Connect::Windows(_));
        use neuropil_source::Rule;
        let sharing = [Rule::Convolution, Rule::Pooling, Rule::Copy, Rule::Transpose];
        if shares || windows || sharing.contains(&source.rule.value) {
            let message = "synapses that share what they are made of cannot be made anew".to_owned();
            self.out.push(
                Diagnostic::error(code::UNSUPPORTED, source.rule.span, message)
                    .help("change the shared values instead"),
            );
            return;
        }
        let ends = |p: &&Proj| {
            let groups = [&p.projection.source, &p.projection.target];
            groups.iter().any(|g| g.object == ObjectId::Projection(id))
                || p.projection.connect.shares() == Some(id)
        };
        if let Some(other) = self.projs.iter().find(ends) {
            let message = format!(
                "projection `{}` depends on the synapses of `{}`, so they cannot be made anew",
                other.projection.name, name.value
            );
            self.out.push(
                Diagnostic::error(code::UNSUPPORTED, name.span, message)
                    .help("switch synapses off by a variable that their code asks, instead"),
            );
        }
        if let Some(recorder) = self.recorders.iter().find(|r| r.kind.object() == ObjectId::Projection(id)) {
            let message =
                format!("the synapses of `{}` are recorded, so they cannot be made anew", name.value);
            self.out.push(Diagnostic::error(code::UNSUPPORTED, name.span, message).help(format!(
                "leave out the recorder `{}`, or record what the synapses do to their neurons",
                recorder.name
            )));
        }
        if let Some(connect) = check_connect(proj, id, source, objects, &mut self.tools()) {
            self.made.acts.push(Act::Connect { projection: id, connect });
        }
    }

    fn delays(&mut self, change: &ObjectChange) {
        let Some(id) = self.projection(&change.object) else { return };
        let proj = &self.projs[id.index()];
        let clocks = self.clocks;
        let objects = Objects { pops: self.pops, projs: self.projs };
        for Assignment { name, value } in &change.values {
            let Some(pathway) = proj.projection.pathways.iter().position(|p| p.name == name.value) else {
                if proj.model.sums.iter().any(|(sum, _)| sum.into.value == name.value) {
                    let message = format!(
                        "the delay of the sum into `{}` stays as it is while the model runs",
                        name.value
                    );
                    self.out.push(Diagnostic::error(code::UNSUPPORTED, name.span, message).help(
                        "define two projections that differ in the delay, and switch one `off` and the other `on`",
                    ));
                    continue;
                }
                let names = proj.projection.pathways.iter().map(|p| p.name.as_str());
                unknown("pathway", name, names, self.out);
                continue;
            };
            let delay = check_delay(proj, id, pathway, value, (objects, clocks), &mut self.tools());
            if !proj.model.rules.is_empty() && matches!(delay, Delay::Column(_) | Delay::Values(_)) {
                let message = format!(
                    "synapses of `{}` come and go, so their delays cannot be listed",
                    change.object.value
                );
                self.out
                    .push(Diagnostic::error(code::UNSUPPORTED, value.span(), message).help(
                        "give one delay for all of them, or an expression over `i`, `j` and variables",
                    ));
            }
            self.made.acts.push(Act::Delay { projection: id, pathway, delay });
        }
    }

    fn set(&mut self, change: &ObjectChange) {
        let (pops, projs, name) = (self.pops, self.projs, &change.object);
        let group = self.groups.iter().find(|g| g.name == name.value);
        let group = group.and_then(|g| g.population().map(|id| (g, id)));
        let projection = projs.iter().position(|p| p.projection.name == name.value);
        let (object, declared, what, range) = match (group, projection) {
            (Some((group, id)), _) => {
                let pop = &pops[id.index()];
                let whole = group.start == 0 && group.len == pop.population.size;
                let what = format!("population `{}`", group.name);
                let range = (!whole).then_some((group.start, group.len));
                (group.object, &pop.declared, what, range)
            }
            // Whatever is wrong with it has been reported.
            (None, Some(k)) if projs[k].broken => return,
            (None, Some(k)) => {
                let what = described(&projs[k].projection.name);
                (ObjectId::Projection(ProjectionId::new(k)), &projs[k].declared, what, None)
            }
            (None, None) => {
                let names = self.groups.iter().map(|g| g.name.as_str());
                let names = names.chain(projs.iter().map(|p| p.projection.name.as_str()));
                unknown("population or projection", name, names, self.out);
                return;
            }
        };
        let (home, count) = match object {
            ObjectId::Population(id) => {
                let pop = &pops[id.index()];
                let len = range.map_or(pop.population.size, |(_, len)| len);
                (pop.home(id), Count::Known(u64::from(len)))
            }
            ObjectId::Projection(id) => {
                let proj = &projs[id.index()];
                // Where synapses come and go, nobody knows how many there are.
                let count = known_count(proj).filter(|_| proj.model.rules.is_empty());
                (proj.home(id, Objects { pops, projs }), count.map_or(Count::Drawn, Count::Known))
            }
        };
        let receiver = Receiver { home, what: &what, count, from_file: false };
        for assignment in &change.values {
            let list = std::slice::from_ref(assignment);
            for (variable, value) in check_changes(declared, list, receiver, &mut self.tools()) {
                let value = match value {
                    Initial::Expr(e) => Initial::Expr(within(e, range.map_or(0, |(start, _)| start))),
                    other @ (Initial::Zero | Initial::Column(_) | Initial::Values(_)) => other,
                };
                let span = assignment.name.span;
                self.made.acts.push(Act::Set(Change { object, variable, range, value, span }));
            }
        }
    }

    fn switch(&mut self, names: &[Spanned<String>], on: bool) {
        let (mut objects, mut recorders) = (Vec::new(), Vec::new());
        for name in names {
            if let Some(k) = self.recorders.iter().position(|r| r.name == name.value) {
                recorders.push(RecorderId::new(k));
                continue;
            }
            match self.object(name) {
                Some(object) => objects.push(object),
                None => {
                    let known =
                        self.objects().map(|(n, _)| n).chain(self.recorders.iter().map(|r| r.name.as_str()));
                    let known: Vec<String> = known.map(str::to_owned).collect();
                    unknown("object", name, known.iter().map(String::as_str), self.out);
                }
            }
        }
        if !objects.is_empty() || !recorders.is_empty() {
            self.made.acts.push(Act::Switch { objects, recorders, on });
        }
    }

    fn objects(&self) -> impl Iterator<Item = (&str, ObjectId)> {
        let pops = self.pops.iter().enumerate();
        let projs = self.projs.iter().enumerate();
        pops.map(|(k, p)| (p.population.name.as_str(), ObjectId::Population(PopulationId::new(k)))).chain(
            projs.map(|(k, p)| (p.projection.name.as_str(), ObjectId::Projection(ProjectionId::new(k)))),
        )
    }

    fn object(&self, name: &Spanned<String>) -> Option<ObjectId> {
        self.objects().find(|(n, _)| *n == name.value).map(|(_, object)| object)
    }

    fn subnetwork(&mut self, source: &SubnetworkSource) -> Subnetwork {
        let mut objects = Vec::new();
        for name in &source.objects {
            match self.object(name) {
                Some(object) => objects.push(object),
                None => {
                    let known: Vec<String> = self.objects().map(|(n, _)| n.to_owned()).collect();
                    unknown("population or projection", name, known.iter().map(String::as_str), self.out);
                }
            }
        }
        Subnetwork { name: source.name.value.clone(), objects }
    }
}

/// An expression over the neurons of a view: its `i` counts from the view's first.
fn within(e: Expr, start: u32) -> Expr {
    if start == 0 {
        return e;
    }
    e.map(&mut |e| match e.kind {
        ExprKind::Index(Side::Own) => {
            let first = Expr::integer(i32::try_from(start).unwrap_or(i32::MAX));
            let kind = ExprKind::Binary(BinaryOp::Sub, Box::new(e), Box::new(first));
            Expr::new(kind, ScalarType::I32)
        }
        _ => e,
    })
}

/// Puts subexpressions into an act.
pub(crate) fn expand(act: &mut Act, projections: &[Projection], expander: &Expander, out: &mut Diagnostics) {
    let starts = |id: ProjectionId| Starts::of(&projections[id.index()]);
    match act {
        Act::Set(Change { object, value: Initial::Expr(e), span, .. }) => {
            let starts = match object {
                ObjectId::Population(_) => Starts::default(),
                ObjectId::Projection(id) => starts(*id),
            };
            expander.expand_in_place(e, starts, *span, out);
        }
        Act::Delay { projection, delay: Delay::PerSynapse(e), .. } => {
            expander.expand_in_place(e, starts(*projection), Span::NONE, out);
        }
        Act::Connect { projection, connect: Connect::Condition { condition, probability, .. } } => {
            for e in condition.iter_mut().chain(probability) {
                expander.expand_in_place(e, starts(*projection), Span::NONE, out);
            }
        }
        Act::Run { .. }
        | Act::Set(_)
        | Act::Delay { .. }
        | Act::Connect { .. }
        | Act::Switch { .. }
        | Act::Store(_)
        | Act::Restore(_) => {}
    }
}
