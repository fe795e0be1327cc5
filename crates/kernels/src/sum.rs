//! Weighted sums over synapses: contributions of each projection, delayed values, means and extrema.

use neuropil_base::{Scalar, ScalarType};
use neuropil_ir::{Accumulation, At, Builder, Domain, Side as IrSide, ValueId};
use neuropil_math::{BinaryOp, CompareOp, Emit};
use neuropil_model::{
    ClockId, Delay, Endpoint, Expr, ExprKind, Extent, Network, ObjectId, Placed, ProjectionId, Reduce, Side,
    Slot, Sum, VarRef,
};

use crate::lower::{Lowering, Scope};
use crate::plan::{LowerError, Lowerer, clock, internal};
use crate::program::{Action, Buffer, BufferId, Call, ClockIdx, Owner, Role, StructureId};

/// A reduction that is finished per neuron: where contributions were combined, and where the result is added.
struct Reduction {
    scratch: BufferId,
    target: BufferId,
}

impl Lowerer<'_> {
    /// A weighted sum: the target is set to zero before the first projection that feeds it, then each adds what
    /// its synapses contribute. All of this happens at the steps of the target's clock, just before the target is
    /// advanced.
    pub(crate) fn sum(&mut self, id: ProjectionId, k: usize, sum: &Sum) -> Result<(), LowerError> {
        let network = self.network;
        let projection = network.projection(id);
        let placed = sum.placed;
        let name = format!("{}.sum{k}", projection.name);
        let group = if sum.target.side == Side::Pre { &projection.source } else { &projection.target };
        let on = clock(network.clock_of(group.object));
        let size = network.elements_of(group);
        let Some(target) = self.variable_buffer(sum.target.object, sum.target.variable) else {
            return Ok(());
        };
        let ty = self.program.buffers[target.index()].ty;
        if !self.is_zeroed(target) {
            self.zero(sum.target, target, on);
        }
        let (with, identity) = match sum.reduce {
            Reduce::Sum | Reduce::Mean => (Accumulation::Add, 0.0),
            Reduce::Max => (Accumulation::Max, f64::NEG_INFINITY),
            Reduce::Min => (Accumulation::Min, f64::INFINITY),
        };
        // Sums go straight into the target; the other reductions are finished per neuron before they are added.
        let into = if sum.reduce == Reduce::Sum {
            target
        } else {
            let scratch =
                self.buffer(Buffer { name: name.clone(), ty, len: size as usize, role: Role::Scratch });
            let action =
                Action::Fill { buffer: scratch, start: 0, len: size, value: Scalar::from_f64(ty, identity) };
            self.push(format!("{name}.start"), on, placed, action);
            scratch
        };
        let call = self.contributions((id, k), &name, sum, into, with)?;
        let structure = StructureId::new(id.index());
        self.push(name.clone(), on, placed, Action::Synapses { call, structure });
        if into != target {
            let call = self.finish(id, &name, sum, Reduction { scratch: into, target })?;
            let action = Action::Elements { call, start: group.start, len: group.len, emits: None };
            self.push(format!("{name}.finish"), on, placed, action);
        }
        Ok(())
    }

    /// Zeroes what receives a sum, where sums reach it, before the first of them; as long as one of them is switched
    /// on.
    fn zero(&mut self, target: VarRef, buffer: BufferId, on: ClockIdx) {
        let network = self.network;
        let same = |s: &&Sum| s.target.object == target.object && s.target.variable == target.variable;
        let feeders = (0..).zip(&network.projections).filter(|(_, p)| p.sums.iter().any(|s| same(&s)));
        let owners =
            feeders.map(|(k, _)| Owner::Object(ObjectId::Projection(ProjectionId::new(k)))).collect();
        let own = std::mem::replace(&mut self.owners, owners);
        let sums = network.projections.iter().flat_map(|p| &p.sums).filter(same);
        let earliest = sums.map(|s| s.placed).min_by_key(|p| (network.schedule.rank(p.when), p.order));
        let Buffer { name, ty, .. } = &self.program.buffers[buffer.index()];
        let (name, value) = (format!("{name}.zero"), Scalar::from_f64(*ty, 0.0));
        for (start, len) in reached(network, target) {
            let action = Action::Fill { buffer, start, len, value };
            self.push(name.clone(), on, earliest.unwrap_or(Sum::USUAL_PLACE), action);
        }
        self.owners = own;
    }

    fn is_zeroed(&self, target: BufferId) -> bool {
        self.program
            .operations
            .iter()
            .any(|o| matches!(&o.action, Action::Fill { buffer, .. } if *buffer == target))
    }

    /// The kernel `into[target side] += value`, its presynaptic values taken from their rings if they are delayed.
    fn contributions(
        &mut self,
        (id, k): (ProjectionId, usize),
        name: &str,
        sum: &Sum,
        into: BufferId,
        with: Accumulation,
    ) -> Result<Call, LowerError> {
        let network = self.network;
        let object = ObjectId::Projection(id);
        let on = network.clock_of(sum.target.object);
        let scope = Scope::of(network, object, network.clock(on).dt);
        let age = self.age(id, k, sum);
        let mut rings = Vec::new();
        if let Some(age) = age {
            for variable in delayed_variables(sum) {
                rings.push(self.history(on, variable, age.longest())?);
            }
        }
        let mut lowering = Lowering::new(network, scope, name, Domain::Synapses);
        if let Some(age) = age
            && !rings.is_empty()
        {
            let steps = match age {
                Age::Same(steps) => lowering.builder().constant(Scalar::I64(i64::from(steps))),
                Age::PerSynapse { buffer, .. } => {
                    let name = self.program.buffers[buffer.index()].name.clone();
                    let slot = lowering.slot(internal(buffer), &name, ScalarType::I32);
                    let steps = lowering.builder().load(slot, At::Side(IrSide::Own));
                    lowering.builder().convert(ScalarType::I64, steps)
                }
            };
            for ring in rings {
                let buffer = &self.program.buffers[ring.buffer.index()];
                let slot = lowering.slot(internal(ring.buffer), &buffer.name, buffer.ty);
                let b = lowering.builder();
                let step = b.step();
                let then = b.binary(BinaryOp::Sub, step, steps);
                let at = ring.place(b, then, IrSide::Pre);
                lowering.replace(ring.variable, slot, At::Value(at));
            }
        }
        let value = lowering.expr(&sum.value);
        let ty = self.program.buffers[into.index()].ty;
        let value = lowering.builder().convert(ty, value);
        let slot = lowering.slot(internal(into), &self.program.buffers[into.index()].name, ty);
        let at = At::Side(crate::lower::side(sum.target.side));
        lowering.builder().accumulate(slot, at, with, value);
        self.call(lowering.finish())
    }

    /// How old the presynaptic values of a sum are; `None` if they are those of the step itself.
    fn age(&mut self, id: ProjectionId, k: usize, sum: &Sum) -> Option<Age> {
        match sum.delay {
            Delay::None | Delay::Steps(0) => None,
            Delay::Steps(steps) => Some(Age::Same(steps)),
            Delay::PerSynapse(_) | Delay::Column(_) | Delay::Values(_) => {
                let structure = StructureId::new(id.index());
                let longest = self
                    .shapes
                    .get(id.index())
                    .and_then(|shape| shape.longest_sum_delay.get(k))
                    .copied()
                    .unwrap_or(0);
                let buffer = Buffer {
                    name: format!("{}.sum{k}.delay", self.network.projection(id).name),
                    ty: ScalarType::I32,
                    len: self.program.structures[structure.index()].n_syn,
                    role: Role::SumDelay { structure, sum: u32::try_from(k).unwrap_or(u32::MAX) },
                };
                Some(Age::PerSynapse { buffer: self.buffer(buffer), longest })
            }
        }
    }

    /// The ring of a presynaptic variable's values over the last `longest + 1` steps of a clock, and the operation
    /// that writes it.
    fn history(&mut self, on: ClockId, variable: VarRef, longest: u32) -> Result<Ring, LowerError> {
        let network = self.network;
        let described = network.variable(variable);
        let ty = described.ty;
        let shared = described.extent == Extent::Shared;
        let name = format!("{}.{}@{longest}", network.object_name(variable.object), described.name);
        let name = if on.index() == 0 { name } else { format!("{name}/{}", on.index()) };
        let values = self.variable_buffer(variable.object, variable.variable);
        let size = match (values, variable.object) {
            (Some(values), _) => self.program.buffers[values.index()].len,
            (None, _) if shared => 1,
            (None, ObjectId::Population(id)) => network.population(id).size as usize,
            (None, ObjectId::Projection(id)) => self.program.structures[id.index()].n_syn,
        };
        let ring = |buffer| Ring { variable, buffer, rows: longest.saturating_add(1), size, shared };
        if let Some(known) = self.program.buffers.iter().position(|b| b.name == name) {
            return Ok(ring(BufferId::new(known)));
        }
        let len = size.saturating_mul(longest as usize + 1);
        let role = Role::History {
            object: variable.object,
            variable: variable.variable,
            rows: longest.saturating_add(1),
            clock: clock(on),
        };
        let ring = ring(self.buffer(Buffer { name: name.clone(), ty, len, role }));
        let scope = Scope::of(network, variable.object, network.clock(on).dt);
        let mut lowering = Lowering::new(network, scope, &name, Domain::Elements);
        let own = VarRef { side: Side::Own, ..variable };
        let value = lowering.expr(&Expr::variable(own, ty));
        let to = lowering.slot(internal(ring.buffer), &name, ty);
        let b = lowering.builder();
        let value = b.convert(ty, value);
        let step = b.step();
        let at = ring.place(b, step, IrSide::Own);
        b.store(to, At::Value(at), value);
        let call = self.call(lowering.finish())?;
        let len = u32::try_from(size).unwrap_or(u32::MAX);
        let action = Action::Elements { call, start: 0, len, emits: None };
        // Values of the past are kept whatever is switched off.
        let own = std::mem::take(&mut self.owners);
        self.push(name, clock(on), Placed::at(Slot::Start), action);
        self.owners = own;
        Ok(ring)
    }

    /// `target += finished(scratch)`: the mean over synapses, or the extremum, 0 for neurons without any.
    fn finish(
        &mut self,
        id: ProjectionId,
        name: &str,
        sum: &Sum,
        Reduction { scratch, target }: Reduction,
    ) -> Result<Call, LowerError> {
        let network = self.network;
        let degree = self.degree(
            id,
            match sum.target.side {
                Side::Pre => Endpoint::Pre,
                Side::Own | Side::Post => Endpoint::Post,
            },
        );
        let scope = Scope::of(network, sum.target.object, network.clock(network.projection(id).clock).dt);
        let mut lowering = Lowering::new(network, scope, format!("{name}.finish"), Domain::Elements);
        let slots = [scratch, target, degree].map(|b| {
            let buffer = &self.program.buffers[b.index()];
            lowering.slot(internal(b), &buffer.name, buffer.ty)
        });
        let own = At::Side(IrSide::Own);
        let ty = self.program.buffers[target.index()].ty;
        let b = lowering.builder();
        let found = b.load(slots[0], own);
        let count = b.load(slots[2], own);
        let zero = b.constant(Scalar::I32(0));
        let any = b.compare(CompareOp::Gt, count, zero);
        let finished = if sum.reduce == Reduce::Mean {
            let count = b.convert(ty, count);
            b.binary(BinaryOp::Div, found, count)
        } else {
            found
        };
        let nothing = b.constant(Scalar::from_f64(ty, 0.0));
        let finished = b.select(any, finished, nothing);
        let old = b.load(slots[1], own);
        let new = b.binary(BinaryOp::Add, old, finished);
        b.store(slots[1], own, new);
        self.call(lowering.finish())
    }
}

/// The neurons that sums into a variable reach, as the starts and lengths of ranges that do not touch; others keep
/// their values.
fn reached(network: &Network, target: VarRef) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for projection in &network.projections {
        for sum in &projection.sums {
            if (sum.target.object, sum.target.variable) == (target.object, target.variable) {
                let group =
                    if sum.target.side == Side::Pre { &projection.source } else { &projection.target };
                ranges.push((group.start, group.start + group.len));
            }
        }
    }
    ranges.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::new();
    for (start, stop) in ranges {
        match merged.last_mut() {
            Some((_, end)) if start <= *end => *end = stop.max(*end),
            Some(_) | None => merged.push((start, stop)),
        }
    }
    merged.into_iter().map(|(start, stop)| (start, stop - start)).collect()
}

/// How old presynaptic values are, in steps.
#[derive(Clone, Copy)]
enum Age {
    /// All of them.
    Same(u32),
    /// As many as the buffer says for the synapse.
    PerSynapse {
        /// The buffer.
        buffer: BufferId,
        /// The largest of its values.
        longest: u32,
    },
}

impl Age {
    fn longest(self) -> u32 {
        match self {
            Self::Same(steps) => steps,
            Self::PerSynapse { longest, .. } => longest,
        }
    }
}

/// The values of a variable in the last steps: step `s` stands in row `s mod rows`.
#[derive(Clone, Copy)]
struct Ring {
    variable: VarRef,
    buffer: BufferId,
    rows: u32,
    /// Values per row.
    size: usize,
    /// Whether there is one value for all elements.
    shared: bool,
}

impl Ring {
    /// `(step mod rows) * size + element`, in `I64`.
    fn place(self, b: &mut Builder, step: ValueId, side: IrSide) -> ValueId {
        let rows = b.constant(Scalar::I64(i64::from(self.rows)));
        let row = b.binary(BinaryOp::Rem, step, rows);
        if self.shared {
            return row;
        }
        let size = b.constant(Scalar::I64(self.size as i64));
        let start = b.binary(BinaryOp::Mul, row, size);
        let element = b.index(side);
        let element = b.convert(ScalarType::I64, element);
        b.binary(BinaryOp::Add, start, element)
    }
}

/// The presynaptic variables that a sum reads.
fn delayed_variables(sum: &Sum) -> Vec<VarRef> {
    let mut list = Vec::new();
    sum.value.walk(&mut |e| {
        if let ExprKind::Variable(r) = &e.kind
            && r.side == Side::Pre
            && !list.contains(r)
        {
            list.push(*r);
        }
    });
    list
}
