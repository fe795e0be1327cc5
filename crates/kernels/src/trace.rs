//! Which event-driven variables of synapses are equal for all synapses of a neuron, so that they are kept once per
//! neuron.
//!
//! The traces of spike-timing-dependent plasticity are written per synapse, but `dApre/dt = -Apre/tau` with `Apre += 0.01`
//! in `on_pre` gives all synapses of a presynaptic neuron one value, if they start with one and if a spike reaches all of
//! them at once. Such a variable is kept per neuron of that end, together with the time at which it was brought there:
//! an event of the neuron advances it once, before the event is delivered, and code of synapses that reads it takes the
//! neuron's value and, in a pathway of the other end, lets it decay from that time to now.
//!
//! In exact arithmetic this is what happens if every synapse has its own: in closed form, two steps of time are one. What
//! depends on more than the neuron stays per synapse, and [`Traces::of`] says why.

mod lower;
mod split;

use std::collections::BTreeSet;

use neuropil_model::{
    Block, Delay, Endpoint, Expr, ExprKind, Extent, Group, Initial, Network, ObjectId, Projection,
    ProjectionId, RecorderKind, Side, Statement, VarRef, VariableId, VariableKind,
};

use crate::ProjectionShape;

pub(crate) use lower::{Traced, last_binding, shown};
use split::Splitter;

/// Which event-driven variables of a projection are kept once per neuron.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Traces {
    /// Those that are, and per neuron of which end.
    pub kept: Vec<(VariableId, Endpoint)>,
    /// Those that are not, and why.
    pub apart: Vec<(VariableId, String)>,
    /// The ends at whose neurons it is kept when an event last reached their synapses.
    pub ends: Vec<Endpoint>,
    /// Whether synapses do not keep when they were last updated: it follows from when events reached their neurons.
    pub derived: bool,
    /// What decay depends on and no code of the network changes: whoever changes it must part the synapses before.
    pub coefficients: Vec<(ObjectId, VariableId)>,
}

impl Traces {
    /// What is kept per neuron of a projection's event-driven variables.
    #[must_use]
    pub fn of(network: &Network, id: ProjectionId, shape: Option<&ProjectionShape>) -> Self {
        let projection = network.projection(id);
        if projection.event_driven.is_empty() {
            return Self::default();
        }
        let mut search = Search::new(network, id);
        match search.whole(shape) {
            Some(reason) => {
                let apart = projection.event_driven.iter().map(|q| (q.variable, reason.clone())).collect();
                Self { apart, ..Self::default() }
            }
            None => search.result(),
        }
    }

    /// Per neuron of which end a variable is kept.
    #[must_use]
    pub fn end_of(&self, variable: VariableId) -> Option<Endpoint> {
        self.kept.iter().find(|(v, _)| *v == variable).map(|(_, end)| *end)
    }

    /// One line for each event-driven variable: where it is kept, and why not per neuron.
    pub(crate) fn remarks(&self, network: &Network, id: ProjectionId) -> Vec<String> {
        let projection = network.projection(id);
        let line = |variable: VariableId| {
            let name = format!("{}.{}", projection.name, projection.variables[variable.index()].name);
            match (self.end_of(variable), self.apart.iter().find(|(v, _)| *v == variable)) {
                (Some(Endpoint::Pre), _) => format!("{name}: kept per presynaptic neuron"),
                (Some(Endpoint::Post), _) => format!("{name}: kept per postsynaptic neuron"),
                (None, Some((_, reason))) => format!("{name}: kept per synapse: {reason}"),
                (None, None) => format!("{name}: kept per synapse"),
            }
        };
        projection.event_driven.iter().map(|q| line(q.variable)).collect()
    }
}

/// Whether events of a pathway reach all synapses of a neuron at once.
pub(crate) fn is_uniform(delay: &Delay) -> bool {
    match delay {
        Delay::None | Delay::Steps(_) => true,
        Delay::PerSynapse(_) | Delay::Column(_) | Delay::Values(_) => false,
    }
}

/// Code's name of the side on which an end is.
pub(crate) fn side_of(end: Endpoint) -> Side {
    match end {
        Endpoint::Pre => Side::Pre,
        Endpoint::Post => Side::Post,
    }
}

fn adjective(end: Endpoint) -> &'static str {
    match end {
        Endpoint::Pre => "presynaptic",
        Endpoint::Post => "postsynaptic",
    }
}

/// What is known of one event-driven variable: the end that it belongs to, if one is known, or why it stays per synapse.
type Known = Result<Option<Endpoint>, String>;

struct Search<'a> {
    network: &'a Network,
    id: ProjectionId,
    object: ObjectId,
    projection: &'a Projection,
    /// What code of the network writes.
    written: BTreeSet<(ObjectId, VariableId)>,
    /// By equation.
    known: Vec<Known>,
}

impl<'a> Search<'a> {
    fn new(network: &'a Network, id: ProjectionId) -> Self {
        let projection = network.projection(id);
        let (object, written) = (ObjectId::Projection(id), written(network));
        Self { network, id, object, projection, written, known: Vec::new() }
    }

    /// What keeps all variables of the projection from being kept per neuron.
    fn whole(&self, shape: Option<&ProjectionShape>) -> Option<String> {
        if shape.is_some_and(|s| s.parted || !s.former.is_empty()) {
            return Some("values, delays or synapses were changed after the start".to_owned());
        }
        if !self.projection.rewirings.is_empty() {
            return Some("rules make and remove synapses".to_owned());
        }
        let ends = |g: &Group| g.object == self.object;
        if let Some(other) = self.network.projections.iter().find(|p| ends(&p.source) || ends(&p.target)) {
            return Some(format!("`{}` ends on the synapses", other.name));
        }
        let Some(last) = self.projection.last_update else {
            return Some("nothing tells when it was last updated".to_owned());
        };
        let name = &self.projection.variables[last.index()].name;
        let in_pathways = self.projection.pathways.iter().any(|p| self.touches(&p.block, last));
        let begins = self.projection.variables[last.index()].initial != Initial::Zero;
        if in_pathways || begins || self.seen(last).is_some() {
            return Some(format!("`{name}` is used"));
        }
        None
    }

    fn result(&mut self) -> Traces {
        let equations = &self.projection.event_driven;
        self.known = equations.iter().map(|q| self.alone(q.variable)).collect();
        loop {
            self.couple();
            let traces = self.kept();
            let spoiled: Vec<(VariableId, String)> = (0..self.projection.pathways.len())
                .flat_map(|k| {
                    let spoiled = Splitter::new(self.network, self.id, k, &traces).split().spoiled;
                    let name = &self.projection.pathways[k].name;
                    let why = format!("pathway `{name}` gives it values that differ between synapses");
                    spoiled.into_iter().map(move |v| (v, why.clone()))
                })
                .collect();
            if spoiled.is_empty() {
                return traces;
            }
            for (variable, reason) in spoiled {
                if let Some(k) = equations.iter().position(|q| q.variable == variable) {
                    self.known[k] = Err(reason);
                }
            }
        }
    }

    /// What is known of a variable by itself.
    fn alone(&self, v: VariableId) -> Known {
        let variable = &self.projection.variables[v.index()];
        if variable.extent == Extent::Shared {
            return Err("all synapses share it".to_owned());
        }
        if variable.kind != VariableKind::State {
            return Err("it is a name for something else".to_owned());
        }
        if !self.is_same_at_first(&variable.initial) {
            return Err("its initial values differ between synapses".to_owned());
        }
        if let Some(reason) = self.seen(v) {
            return Err(reason);
        }
        let mut end = None;
        for pathway in self.projection.pathways.iter().filter(|p| self.writes(&p.block, v)) {
            if !is_uniform(&pathway.delay) {
                return Err(format!("pathway `{}` has a delay per synapse", pathway.name));
            }
            if end.is_some_and(|e| e != pathway.on) {
                return Err("pathways of both ends write it".to_owned());
            }
            end = Some(pathway.on);
        }
        Ok(end)
    }

    /// Variables that drive each other stay together; then each that is left must belong to one end, and what it decays
    /// with too.
    fn couple(&mut self) {
        let equations = &self.projection.event_driven;
        loop {
            let before = self.known.clone();
            for (k, equation) in equations.iter().enumerate() {
                for (m, other) in equations.iter().enumerate() {
                    if k != m && self.mentions(&equation.rhs, other.variable) {
                        self.join(k, m);
                    }
                }
            }
            if before == self.known {
                break;
            }
        }
        let before = self.known.clone();
        for (k, equation) in equations.iter().enumerate() {
            match &self.known[k] {
                Err(_) => {}
                Ok(None) => self.known[k] = Err("no pathway writes it".to_owned()),
                Ok(Some(end)) => {
                    if let Err(reason) = self.coefficients(&equation.rhs, *end) {
                        self.known[k] = Err(reason);
                    }
                }
            }
        }
        if before != self.known {
            self.couple();
        }
    }

    /// Two variables, one of which drives the other, are kept at the same place.
    fn join(&mut self, a: usize, b: usize) {
        let name = |k: usize| {
            let variable = self.projection.event_driven[k].variable;
            self.projection.variables[variable.index()].name.clone()
        };
        let with = |k: usize| Err(format!("it goes with `{}`, which is kept per synapse", name(k)));
        let (of_a, of_b) = match (&self.known[a], &self.known[b]) {
            (Err(_), Err(_)) => return,
            (Err(why), Ok(_)) => (Err(why.clone()), with(a)),
            (Ok(_), Err(why)) => (with(b), Err(why.clone())),
            (Ok(Some(x)), Ok(Some(y))) if x != y => {
                let apart = |k: usize| Err(format!("it goes with `{}`, which the other end writes", name(k)));
                (apart(b), apart(a))
            }
            (Ok(x), Ok(y)) => (Ok(x.or(*y)), Ok(x.or(*y))),
        };
        self.known[a] = of_a;
        self.known[b] = of_b;
    }

    fn kept(&self) -> Traces {
        let mut traces = Traces::default();
        for (equation, known) in self.projection.event_driven.iter().zip(&self.known) {
            match known {
                Ok(Some(end)) => {
                    traces.kept.push((equation.variable, *end));
                    traces.coefficients.extend(self.coefficients(&equation.rhs, *end).unwrap_or_default());
                }
                Ok(None) => {}
                Err(reason) => traces.apart.push((equation.variable, reason.clone())),
            }
        }
        traces.derived = traces.apart.is_empty()
            && !traces.kept.is_empty()
            && self.projection.pathways.iter().all(|p| is_uniform(&p.delay));
        let is_kept = |end| {
            let written = traces.kept.iter().any(|(_, e)| *e == end);
            written || traces.derived && self.projection.pathways.iter().any(|p| p.on == end)
        };
        traces.ends = [Endpoint::Pre, Endpoint::Post].into_iter().filter(|end| is_kept(*end)).collect();
        traces
    }

    /// What an equation of a variable that belongs to neurons at `end` has besides the variable and those that drive it.
    fn coefficients(&self, rhs: &Expr, end: Endpoint) -> Result<Vec<(ObjectId, VariableId)>, String> {
        let mut read = Vec::new();
        let mut refused = None;
        rhs.walk(&mut |e| match &e.kind {
            ExprKind::Variable(r) => {
                let is_driver = r.object == self.object
                    && self.projection.event_driven.iter().any(|q| q.variable == r.variable);
                if is_driver {
                    return;
                }
                let variable = self.network.variable(*r);
                let of_neuron = r.side == side_of(end) || variable.extent == Extent::Shared;
                let is_fixed = matches!(variable.kind, VariableKind::Parameter { .. })
                    && !self.written.contains(&(r.object, r.variable));
                if !of_neuron {
                    let what = adjective(end);
                    refused = Some(format!(
                        "`{}` is not the {what} neuron's, and it decays with it",
                        variable.name
                    ));
                } else if is_fixed {
                    read.push((r.object, r.variable));
                } else {
                    refused = Some(format!("it decays with `{}`, which changes", variable.name));
                }
            }
            ExprKind::Index(_) | ExprKind::Random(_) | ExprKind::Noise(_) | ExprKind::Table { .. } => {
                refused = Some("its decay differs between synapses".to_owned());
            }
            ExprKind::Constant(_)
            | ExprKind::Local(_)
            | ExprKind::Time
            | ExprKind::TimeStep
            | ExprKind::Step
            | ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Compare(..)
            | ExprKind::Select(..)
            | ExprKind::Convert(_)
            | ExprKind::Call(..) => {}
        });
        refused.map_or(Ok(read), Err)
    }

    /// Whether all synapses get the same initial value.
    fn is_same_at_first(&self, initial: &Initial) -> bool {
        match initial {
            Initial::Zero => true,
            Initial::Column(_) => false,
            Initial::Values(values) => values.iter().all(|v| v.to_bits() == values[0].to_bits()),
            Initial::Expr(e) => !e.any(&mut |e| match &e.kind {
                ExprKind::Variable(r) => self.network.variable(*r).extent != Extent::Shared,
                ExprKind::Index(_) | ExprKind::Random(_) | ExprKind::Noise(_) => true,
                ExprKind::Constant(_)
                | ExprKind::Local(_)
                | ExprKind::Time
                | ExprKind::TimeStep
                | ExprKind::Step
                | ExprKind::Unary(..)
                | ExprKind::Binary(..)
                | ExprKind::Compare(..)
                | ExprKind::Select(..)
                | ExprKind::Convert(_)
                | ExprKind::Call(..)
                | ExprKind::Table { .. } => false,
            }),
        }
    }

    /// Who else than pathways and event-driven equations sees a variable while the network runs.
    fn seen(&self, v: VariableId) -> Option<String> {
        let network = self.network;
        let projection = self.projection;
        // Subexpressions have been replaced where they are used, but not where they are recorded or linked to.
        let stands_for = |(object, k): (ObjectId, VariableId)| {
            object == self.object
                && (k == v
                    || matches!(&projection.variables[k.index()].kind,
                        VariableKind::Subexpression(e) if self.mentions(e, v)))
        };
        for recorder in &network.recorders {
            if let RecorderKind::State { object, variables, .. } = &recorder.kind
                && variables.iter().any(|k| stands_for(network.root(*object, *k)))
            {
                return Some(format!("the recorder `{}` records it", recorder.name));
            }
        }
        let populations = (0..network.populations.len()).map(|k| ObjectId::Population(population(k)));
        let projections = (0..network.projections.len()).map(|k| ObjectId::Projection(ProjectionId::new(k)));
        for owner in populations.chain(projections) {
            for (k, variable) in network.variables(owner).iter().enumerate() {
                if matches!(variable.kind, VariableKind::Link(_))
                    && stands_for(network.root(owner, VariableId::new(k)))
                {
                    let name = network.object_name(owner);
                    return Some(format!("`{name}.{}` is linked to it", variable.name));
                }
            }
        }
        let continuous = projection.equations.iter().any(|q| q.variable == v || self.mentions(&q.rhs, v));
        let periodic = projection.periodic.iter().flat_map(|p| [&p.shared, &p.block]);
        let periodic = periodic.into_iter().any(|b| self.touches(b, v));
        let summed = projection.sums.iter().any(|s| self.mentions(&s.value, v));
        let stops = network.stops.iter().any(|s| self.mentions(&s.condition, v));
        (continuous || periodic || summed || stops)
            .then(|| "other code than that of pathways uses it".to_owned())
    }

    fn is_it(&self, r: &VarRef, v: VariableId) -> bool {
        self.network.root(r.object, r.variable) == (self.object, v)
    }

    fn mentions(&self, e: &Expr, v: VariableId) -> bool {
        e.any(&mut |e| matches!(&e.kind, ExprKind::Variable(r) if self.is_it(r, v)))
    }

    fn writes(&self, block: &Block, v: VariableId) -> bool {
        block.statements.iter().any(|s| match s {
            Statement::Let { .. } => false,
            Statement::Assign { target, .. } => self.is_it(target, v),
        })
    }

    fn touches(&self, block: &Block, v: VariableId) -> bool {
        self.writes(block, v) || block.expressions().any(|e| self.mentions(e, v))
    }
}

fn population(k: usize) -> neuropil_model::PopulationId {
    neuropil_model::PopulationId::new(k)
}

/// Every variable that some code of the network writes, behind all links.
fn written(network: &Network) -> BTreeSet<(ObjectId, VariableId)> {
    let mut blocks: Vec<&Block> = Vec::new();
    let mut found = BTreeSet::new();
    for (k, population) in network.populations.iter().enumerate() {
        let object = ObjectId::Population(self::population(k));
        found.extend(population.equations.iter().map(|q| (object, q.variable)));
        found.extend(population.counters.iter().map(|c| (object, c.variable)));
        blocks.extend(population.events.iter().map(|e| &e.reset));
        blocks.extend(population.periodic.iter().flat_map(|p| [&p.shared, &p.block]));
    }
    for (k, projection) in network.projections.iter().enumerate() {
        let object = ObjectId::Projection(ProjectionId::new(k));
        let equations = projection.equations.iter().chain(&projection.event_driven);
        found.extend(equations.map(|q| (object, q.variable)));
        found.extend(projection.sums.iter().map(|s| network.root(s.target.object, s.target.variable)));
        blocks.extend(projection.pathways.iter().map(|p| &p.block));
        blocks.extend(projection.periodic.iter().flat_map(|p| [&p.shared, &p.block]));
    }
    for block in blocks {
        for statement in &block.statements {
            if let Statement::Assign { target, .. } = statement {
                found.insert(network.root(target.object, target.variable));
            }
        }
    }
    found
}
