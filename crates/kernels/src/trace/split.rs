//! The code of a pathway in two: what happens once for the neuron that emitted the event, and what happens at each of
//! its synapses.
//!
//! The neuron's part advances what is kept per neuron at its end, and does all that depends on nothing else. What the
//! synapses' part needs of it is handed on in buffers: that of the variable itself where its last value is read, others
//! for values in between. What is kept at neurons of the other end, the synapses' part lets decay to now, without storing
//! it.

use neuropil_base::ScalarType;
use neuropil_integrate as integrate;
use neuropil_model::{
    Arith, AssignOp, Block, Endpoint, Expr, ExprKind, Extent, LocalId, Network, ObjectId, Pathway,
    Projection, ProjectionId, Side, Statement, VarRef, VariableId, VariableKind,
};

use super::{Traces, is_uniform, side_of};

/// A pathway's code.
pub(super) struct Split {
    /// What happens once per event; nothing if the pathway's end keeps nothing, or synapses have delays of their own.
    pub neuron: Option<NeuronCode>,
    /// What happens at each synapse.
    pub synapse: Block,
    /// Values that the synapses' code has from elsewhere.
    pub given: Vec<(LocalId, Source)>,
    /// Variables kept per neuron that get values which differ between synapses: with them, the rest means nothing.
    pub spoiled: Vec<VariableId>,
}

/// What happens to a neuron.
pub(super) struct NeuronCode {
    pub block: Block,
    /// The local that holds when the neuron's variables were last brought up to date.
    pub last: LocalId,
    /// Values to be handed on, by the number that [`Source::Handed`] has.
    pub handed: Vec<LocalId>,
}

/// Where the synapses' code finds a value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Source {
    /// What a neuron at that end keeps.
    Kept(VariableId, Endpoint),
    /// When the variables of a neuron at that end were last brought up to date.
    Last(Endpoint),
    /// What the neuron's code hands on.
    Handed(usize),
}

/// On what a value depends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Level {
    /// Neither on what is kept per neuron nor on the synapse.
    Both,
    /// On what is kept at the neuron that emitted.
    Neuron,
    /// On the synapse.
    Synapse,
}

/// A local of the pathway's code.
#[derive(Clone, Default)]
struct Found {
    /// Its value in the neuron's code.
    neuron: Option<Expr>,
    /// Its place in the synapses' code.
    synapse: Option<LocalId>,
}

pub(super) struct Splitter<'a> {
    network: &'a Network,
    id: ProjectionId,
    object: ObjectId,
    projection: &'a Projection,
    pathway: &'a Pathway,
    traces: &'a Traces,
    arith: Arith,
    /// Whether there is code of neurons.
    has_neuron: bool,
    neuron: Block,
    synapse: Block,
    locals: Vec<Found>,
    /// What variables that the neuron keeps hold by now, in its code.
    current: Vec<(VariableId, Expr)>,
    /// What variables kept at neurons hold now that are not advanced here, in the synapses' code.
    decayed: Vec<(VariableId, Expr)>,
    given: Vec<(LocalId, Source)>,
    /// Values handed on: the local in the neuron's code, and that in the synapses'.
    handed: Vec<(LocalId, LocalId)>,
    spoiled: Vec<VariableId>,
}

impl<'a> Splitter<'a> {
    pub(super) fn new(network: &'a Network, id: ProjectionId, pathway: usize, traces: &'a Traces) -> Self {
        let projection = network.projection(id);
        let pathway = &projection.pathways[pathway];
        Self {
            network,
            id,
            object: ObjectId::Projection(id),
            projection,
            pathway,
            traces,
            arith: Arith::new(network.precision),
            has_neuron: is_uniform(&pathway.delay) && traces.ends.contains(&pathway.on),
            neuron: Block::new(),
            synapse: Block::new(),
            locals: vec![Found::default(); pathway.block.locals.len()],
            current: Vec::new(),
            decayed: Vec::new(),
            given: Vec::new(),
            handed: Vec::new(),
            spoiled: Vec::new(),
        }
    }

    pub(super) fn split(mut self) -> Split {
        let last = self.advance_neuron();
        self.advance_synapse();
        self.decay();
        for statement in &self.pathway.block.statements {
            match statement {
                Statement::Let { local, value } => self.define(*local, value),
                Statement::Assign { target, op, value, .. } if self.at_neuron(target) => {
                    self.assign(target.variable, *op, value);
                }
                Statement::Assign { target, op, value, span } => {
                    let value = self.at_synapse(value);
                    let (target, op, span) = (*target, *op, *span);
                    self.synapse.statements.push(Statement::Assign { target, op, value, span });
                }
            }
        }
        let neuron = last.map(|last| self.finished(last));
        Split { neuron, synapse: self.synapse, given: self.given, spoiled: self.spoiled }
    }

    /// Stores what the neuron keeps, and leaves out of what is handed on what is stored anyway.
    fn finished(&mut self, last: LocalId) -> NeuronCode {
        let mut handed = Vec::new();
        for (local, to) in &self.handed {
            let kept = self.current.iter().find(|(_, e)| matches!(&e.kind, ExprKind::Local(l) if l == local));
            let source = match kept {
                Some((variable, _)) => Source::Kept(*variable, self.pathway.on),
                None => {
                    handed.push(*local);
                    Source::Handed(handed.len() - 1)
                }
            };
            self.given.push((*to, source));
        }
        let mut block = std::mem::take(&mut self.neuron);
        for (variable, value) in &self.current {
            let own = self.own(*variable);
            if !matches!(&value.kind, ExprKind::Variable(r) if *r == own) {
                block.set(own, value.clone());
            }
        }
        for statement in &mut block.statements {
            let (Statement::Let { value, .. } | Statement::Assign { value, .. }) = statement;
            let taken = std::mem::replace(value, Expr::boolean(false));
            *value = seen_from_neuron(taken, self.object);
        }
        NeuronCode { block, last, handed }
    }

    /// Brings what the neuron keeps up to date.
    fn advance_neuron(&mut self) -> Option<LocalId> {
        if !self.has_neuron {
            return None;
        }
        let last = self.neuron.local("last", ScalarType::F64);
        let end = self.pathway.on;
        if self.traces.kept.iter().any(|(_, e)| *e == end) {
            let elapsed =
                elapsed(self.arith, Expr::local(last, ScalarType::F64), &mut self.neuron, "elapsed");
            let is_kept = |v| self.traces.end_of(v) == Some(end);
            let values =
                integrate::event_driven_values(self.network, self.id, is_kept, elapsed, &mut self.neuron);
            // What could not be solved has been told before.
            self.current = values.unwrap_or_default();
        }
        Some(last)
    }

    /// Brings what synapses keep up to date.
    fn advance_synapse(&mut self) {
        let Some(last) = self.projection.last_update.filter(|_| !self.traces.derived) else { return };
        let last = VarRef { object: self.object, variable: last, side: Side::Own };
        if !self.traces.apart.is_empty() {
            let before = Expr::variable(last, ScalarType::F64);
            let elapsed = elapsed(self.arith, before, &mut self.synapse, "elapsed");
            let is_apart = |v| self.traces.end_of(v).is_none();
            let values =
                integrate::event_driven_values(self.network, self.id, is_apart, elapsed, &mut self.synapse);
            for (variable, value) in values.unwrap_or_default() {
                let own = self.own(variable);
                if !matches!(&value.kind, ExprKind::Variable(r) if *r == own) {
                    self.synapse.set(own, value);
                }
            }
        }
        self.synapse.set(last, now());
    }

    /// Lets what is kept at neurons, and not advanced here, decay to now: as far as the pathway's code reads it.
    fn decay(&mut self) {
        for end in self.traces.ends.clone() {
            if self.has_neuron && end == self.pathway.on {
                continue;
            }
            let read = self.read_at(end);
            if read.is_empty() {
                continue;
            }
            let last = self.synapse.local(format!("last_{}", word(end)), ScalarType::F64);
            self.given.push((last, Source::Last(end)));
            let name = format!("elapsed_{}", word(end));
            let elapsed = elapsed(self.arith, Expr::local(last, ScalarType::F64), &mut self.synapse, &name);
            let first = self.synapse.statements.len();
            let values = integrate::event_driven_values(
                self.network,
                self.id,
                |v| read.contains(&v),
                elapsed,
                &mut self.synapse,
            );
            let mut held = Vec::new();
            for variable in &read {
                let described = &self.projection.variables[variable.index()];
                let local = self.synapse.local(format!("{}_{}", described.name, word(end)), described.ty);
                self.given.push((local, Source::Kept(*variable, end)));
                held.push((self.own(*variable), Expr::local(local, described.ty)));
            }
            let renamed = |e: &mut Expr| {
                let taken = std::mem::replace(e, Expr::boolean(false));
                *e = taken.map(&mut |e| match &e.kind {
                    ExprKind::Variable(r) => {
                        held.iter().find(|(own, _)| own == r).map_or(e.clone(), |(_, local)| local.clone())
                    }
                    _ => e,
                });
            };
            for statement in &mut self.synapse.statements[first..] {
                let (Statement::Let { value, .. } | Statement::Assign { value, .. }) = statement;
                renamed(value);
            }
            for (variable, mut value) in values.unwrap_or_default() {
                renamed(&mut value);
                self.decayed.push((variable, value));
            }
        }
    }

    /// The variables kept at one end that the pathway's code reads, with all that drive them.
    fn read_at(&self, end: Endpoint) -> Vec<VariableId> {
        let mut read: Vec<VariableId> = Vec::new();
        let mut note = |e: &Expr| {
            e.walk(&mut |e| {
                if let ExprKind::Variable(r) = &e.kind
                    && r.object == self.object
                    && r.side == Side::Own
                    && self.traces.end_of(r.variable) == Some(end)
                    && !read.contains(&r.variable)
                {
                    read.push(r.variable);
                }
            });
        };
        self.pathway.block.expressions().for_each(&mut note);
        // Each equation names the drivers of one variable, so as many rounds as equations find all.
        for _ in &self.projection.event_driven {
            for equation in &self.projection.event_driven {
                let known = read.contains(&equation.variable);
                let mut drivers = Vec::new();
                equation.rhs.walk(&mut |e| {
                    if let ExprKind::Variable(r) = &e.kind
                        && r.object == self.object
                        && self.traces.end_of(r.variable) == Some(end)
                    {
                        drivers.push(r.variable);
                    }
                });
                for driver in drivers.into_iter().filter(|_| known) {
                    if !read.contains(&driver) {
                        read.push(driver);
                    }
                }
            }
        }
        read
    }

    fn own(&self, variable: VariableId) -> VarRef {
        VarRef { object: self.object, variable, side: Side::Own }
    }

    /// Whether a variable is kept at the neuron whose code there is.
    fn at_neuron(&self, r: &VarRef) -> bool {
        r.object == self.object
            && r.side == Side::Own
            && self.has_neuron
            && self.traces.end_of(r.variable) == Some(self.pathway.on)
    }

    fn define(&mut self, local: LocalId, value: &Expr) {
        let described = &self.pathway.block.locals[local.index()];
        let (name, ty) = (described.name.clone(), described.ty);
        let level = self.level(value);
        let mut found = Found::default();
        if self.has_neuron && level <= Level::Neuron {
            let value = self.in_neuron(value);
            let to = self.neuron.local(name.clone(), ty);
            self.neuron.statements.push(Statement::Let { local: to, value });
            found.neuron = Some(Expr::local(to, ty));
        }
        if level != Level::Neuron {
            let value = self.at_synapse(value);
            let to = self.synapse.local(name, ty);
            self.synapse.statements.push(Statement::Let { local: to, value });
            found.synapse = Some(to);
        }
        self.locals[local.index()] = found;
    }

    /// Gives a variable that the neuron keeps another value.
    fn assign(&mut self, variable: VariableId, op: AssignOp, value: &Expr) {
        if self.level(value) == Level::Synapse {
            self.spoiled.push(variable);
            return;
        }
        let described = &self.projection.variables[variable.index()];
        let value = self.arith.convert(self.in_neuron(value), described.ty);
        let Some(place) = self.current.iter().position(|(v, _)| *v == variable) else { return };
        let before = self.current[place].1.clone();
        let binary =
            |op| Expr::new(ExprKind::Binary(op, Box::new(before), Box::new(value.clone())), described.ty);
        let new = match op {
            AssignOp::Set => value,
            AssignOp::Add => binary(neuropil_math::BinaryOp::Add),
            AssignOp::Mul => binary(neuropil_math::BinaryOp::Mul),
            AssignOp::Div => binary(neuropil_math::BinaryOp::Div),
        };
        let name = self.projection.variables[variable.index()].name.clone();
        self.current[place].1 = self.neuron.define(name, new);
    }

    /// On what a value depends at this place of the code.
    fn level(&self, e: &Expr) -> Level {
        match &e.kind {
            ExprKind::Constant(_) | ExprKind::Time | ExprKind::TimeStep | ExprKind::Step => Level::Both,
            ExprKind::Local(local) => match &self.locals[local.index()] {
                Found { neuron: Some(_), synapse: None } => Level::Neuron,
                Found { neuron: Some(_), synapse: Some(_) } => Level::Both,
                Found { neuron: None, .. } => Level::Synapse,
            },
            ExprKind::Variable(r) => self.level_of(r),
            ExprKind::Index(_) | ExprKind::Random(_) | ExprKind::Noise(_) => Level::Synapse,
            ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Compare(..)
            | ExprKind::Select(..)
            | ExprKind::Convert(_)
            | ExprKind::Call(..)
            | ExprKind::Table { .. } => {
                e.children().into_iter().map(|c| self.level(c)).max().unwrap_or(Level::Both)
            }
        }
    }

    fn level_of(&self, r: &VarRef) -> Level {
        if self.at_neuron(r) {
            return Level::Neuron;
        }
        let root = |r: &VarRef| self.network.root(r.object, r.variable);
        let is_written = self.pathway.block.statements.iter().any(|s| match s {
            Statement::Let { .. } => false,
            Statement::Assign { target, .. } => root(target) == root(r),
        });
        let described = self.network.variable(*r);
        let of_neuron = matches!(r.object, ObjectId::Population(_)) && r.side == side_of(self.pathway.on);
        let of_all = r.object == self.object
            && described.extent == Extent::Shared
            && !matches!(described.kind, VariableKind::Link(_));
        if !is_written && (of_neuron || of_all) { Level::Both } else { Level::Synapse }
    }

    /// An expression of the pathway's code in the neuron's.
    fn in_neuron(&self, e: &Expr) -> Expr {
        e.clone().map(&mut |e| match &e.kind {
            ExprKind::Local(local) => self.locals[local.index()].neuron.clone().unwrap_or(e),
            ExprKind::Variable(r) if self.at_neuron(r) => self.current_of(r.variable).unwrap_or(e),
            _ => e,
        })
    }

    fn current_of(&self, variable: VariableId) -> Option<Expr> {
        self.current.iter().find(|(v, _)| *v == variable).map(|(_, value)| value.clone())
    }

    /// An expression of the pathway's code in that of synapses.
    fn at_synapse(&mut self, e: &Expr) -> Expr {
        e.clone().map(&mut |e| match &e.kind {
            ExprKind::Local(local) => {
                let found = self.locals[local.index()].clone();
                match (found.synapse, found.neuron) {
                    (Some(synapse), _) => Expr::local(synapse, e.ty),
                    (None, Some(value)) => self.handed_on(value),
                    // A local that has no value yet holds zero.
                    (None, None) => {
                        Expr::new(ExprKind::Constant(neuropil_base::Scalar::from_f64(e.ty, 0.0)), e.ty)
                    }
                }
            }
            ExprKind::Variable(r) if self.at_neuron(r) => match self.current_of(r.variable) {
                Some(value) => self.handed_on(value),
                None => e,
            },
            ExprKind::Variable(r) if r.object == self.object && r.side == Side::Own => {
                let variable = r.variable;
                self.decayed.iter().find(|(v, _)| *v == variable).map_or(e, |(_, value)| value.clone())
            }
            _ => e,
        })
    }

    /// A value of the neuron's code in that of synapses.
    fn handed_on(&mut self, value: Expr) -> Expr {
        let ty = value.ty;
        let from = match value.kind {
            ExprKind::Local(local) => local,
            _ => {
                let local = self.neuron.local("held", ty);
                self.neuron.statements.push(Statement::Let { local, value: value.clone() });
                // From now on the value is known by this name.
                for (_, current) in self.current.iter_mut().filter(|(_, e)| *e == value) {
                    *current = Expr::local(local, ty);
                }
                local
            }
        };
        if let Some((_, to)) = self.handed.iter().find(|(l, _)| *l == from) {
            return Expr::local(*to, ty);
        }
        let to = self.synapse.local(self.neuron.locals[from.index()].name.clone(), ty);
        self.handed.push((from, to));
        Expr::local(to, ty)
    }
}

fn now() -> Expr {
    Expr::new(ExprKind::Time, ScalarType::F64)
}

/// The time from `last` to now, as a float of the network; it is computed in double precision and rounded once.
fn elapsed(arith: Arith, last: Expr, block: &mut Block, name: &str) -> Expr {
    let passed = arith.convert(arith.sub(now(), last), arith.float());
    block.define(name, passed)
}

fn word(end: Endpoint) -> &'static str {
    match end {
        Endpoint::Pre => "pre",
        Endpoint::Post => "post",
    }
}

/// Code of synapses as the neuron runs it: its variables are its own.
fn seen_from_neuron(e: Expr, projection: ObjectId) -> Expr {
    e.map(&mut |mut e| {
        if let ExprKind::Variable(r) = &mut e.kind
            && r.object != projection
        {
            r.side = Side::Own;
        }
        e
    })
}
