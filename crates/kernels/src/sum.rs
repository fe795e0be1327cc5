//! Weighted sums over synapses: contributions of each projection, delayed values, means and extrema.

use neuropil_base::{Scalar, ScalarType};
use neuropil_ir::{Accumulation, At, Builder, Domain, Side as IrSide, ValueId};
use neuropil_math::{BinaryOp, CompareOp, Emit};
use neuropil_model::{
    ExprKind, Extent, Network, ObjectId, Placed, Projection, ProjectionId, Reduce, Side, Slot, Sum, VarRef,
};

use crate::lower::{Lowering, Scope};
use crate::plan::{LowerError, Lowerer, clock, internal};
use crate::program::{Action, Buffer, BufferId, Call, Role, StructureId};

/// A reduction that is finished per neuron: where contributions were combined, and where the result is added.
struct Reduction {
    scratch: BufferId,
    target: BufferId,
    /// Neurons of the target's population.
    size: u32,
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
        let population = network.population(group.population);
        let (on, size) = (clock(population.clock), population.size);
        let Some(target) = self.variable_buffer(sum.target.object, sum.target.variable) else {
            return Ok(());
        };
        let ty = self.program.buffers[target.index()].ty;
        if !self.is_zeroed(target) {
            // Sums into one variable may have different places: it is zeroed at the earliest of them.
            let sums = network.projections.iter().flat_map(|p| &p.sums);
            let same = sums
                .filter(|s| s.target.object == sum.target.object && s.target.variable == sum.target.variable);
            let earliest = same
                .map(|s| s.placed)
                .min_by_key(|p| (network.schedule.rank(p.when), p.order))
                .unwrap_or(placed);
            for (start, len) in reached(network, sum.target) {
                let action = Action::Fill { buffer: target, start, len, value: Scalar::from_f64(ty, 0.0) };
                self.push(
                    format!("{}.zero", self.program.buffers[target.index()].name),
                    on,
                    earliest,
                    action,
                );
            }
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
        let call = self.contributions(id, &name, sum, into, with)?;
        let structure = StructureId::new(id.index());
        self.push(name.clone(), on, placed, Action::Synapses { call, structure });
        if into != target {
            let call = self.finish(id, &name, sum, Reduction { scratch: into, target, size })?;
            let action = Action::Elements { call, start: group.start, len: group.len, emits: None };
            self.push(format!("{name}.finish"), on, placed, action);
        }
        Ok(())
    }

    fn is_zeroed(&self, target: BufferId) -> bool {
        self.program
            .operations
            .iter()
            .any(|o| matches!(&o.action, Action::Fill { buffer, .. } if *buffer == target))
    }

    /// The kernel `into[target side] += value`, its presynaptic values taken `delay_steps` ago.
    fn contributions(
        &mut self,
        id: ProjectionId,
        name: &str,
        sum: &Sum,
        into: BufferId,
        with: Accumulation,
    ) -> Result<Call, LowerError> {
        let network = self.network;
        let projection = network.projection(id);
        let object = ObjectId::Projection(id);
        let group = if sum.target.side == Side::Pre { &projection.source } else { &projection.target };
        let scope = Scope::of(network, object, network.clock(network.population(group.population).clock).dt);
        let delayed = if sum.delay_steps == 0 { Vec::new() } else { delayed_variables(network, sum) };
        let histories = delayed
            .into_iter()
            .map(|v| Ok((v, self.history(projection, v, sum.delay_steps)?)))
            .collect::<Result<Vec<_>, LowerError>>()?;
        let mut lowering = Lowering::new(network, scope, name, Domain::Synapses);
        for (variable, history) in histories {
            let ty = self.program.buffers[history.index()].ty;
            let slot = lowering.slot(internal(history), &self.program.buffers[history.index()].name, ty);
            let size = network.population(projection.source.population).size;
            let b = lowering.builder();
            let step = b.step();
            let delay = b.constant(Scalar::I64(i64::from(sum.delay_steps)));
            let then = b.binary(BinaryOp::Sub, step, delay);
            let own = b.index(IrSide::Pre);
            let at = ring_place(b, then, own, sum.delay_steps, size);
            lowering.replace(variable, slot, At::Value(at));
        }
        let value = lowering.expr(&sum.value);
        let ty = self.program.buffers[into.index()].ty;
        let value = lowering.builder().convert(ty, value);
        let slot = lowering.slot(internal(into), &self.program.buffers[into.index()].name, ty);
        let at = At::Side(crate::lower::side(sum.target.side));
        lowering.builder().accumulate(slot, at, with, value);
        self.call(lowering.finish())
    }

    /// The ring of a variable's values over the last `delay + 1` steps, and the operation that writes it.
    fn history(
        &mut self,
        projection: &Projection,
        variable: VarRef,
        delay: u32,
    ) -> Result<BufferId, LowerError> {
        let network = self.network;
        let source = network.population(projection.source.population);
        let Some(values) = self.variable_buffer(variable.object, variable.variable) else {
            return Ok(BufferId::new(0));
        };
        let ty = self.program.buffers[values.index()].ty;
        let name = format!("{}@{delay}", self.program.buffers[values.index()].name);
        if let Some(known) = self.program.buffers.iter().position(|b| b.name == name) {
            return Ok(BufferId::new(known));
        }
        let len = source.size as usize * (delay as usize + 1);
        let history = self.buffer(Buffer { name: name.clone(), ty, len, role: Role::History(values) });
        let scope = Scope::of(network, variable.object, network.clock(source.clock).dt);
        let mut lowering = Lowering::new(network, scope, &name, Domain::Elements);
        let from = lowering.slot(internal(values), &self.program.buffers[values.index()].name, ty);
        let to = lowering.slot(internal(history), &name, ty);
        let b = lowering.builder();
        let value = b.load(from, At::Side(IrSide::Own));
        let step = b.step();
        let own = b.index(IrSide::Own);
        let at = ring_place(b, step, own, delay, source.size);
        b.store(to, At::Value(at), value);
        let call = self.call(lowering.finish())?;
        let action = Action::Elements { call, start: 0, len: source.size, emits: None };
        self.push(name, clock(source.clock), Placed::at(Slot::Start), action);
        Ok(history)
    }

    /// `target += finished(scratch)`: the mean over synapses, or the extremum, 0 for neurons without any.
    fn finish(
        &mut self,
        id: ProjectionId,
        name: &str,
        sum: &Sum,
        Reduction { scratch, target, size }: Reduction,
    ) -> Result<Call, LowerError> {
        let network = self.network;
        let structure = StructureId::new(id.index());
        let (role, what) = match sum.target.side {
            Side::Pre => (Role::OutDegree(structure), "out_degree"),
            Side::Own | Side::Post => (Role::InDegree(structure), "in_degree"),
        };
        let degree = match self.program.buffers.iter().position(|b| b.role == role) {
            Some(known) => BufferId::new(known),
            None => self.buffer(Buffer {
                name: format!("{}.{what}", network.projection(id).name),
                ty: ScalarType::I32,
                len: size as usize,
                role,
            }),
        };
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

/// The presynaptic variables that a sum reads.
fn delayed_variables(network: &Network, sum: &Sum) -> Vec<VarRef> {
    let mut list = Vec::new();
    sum.value.walk(&mut |e| {
        if let ExprKind::Variable(r) = &e.kind
            && r.side == Side::Pre
            && network.variable(*r).extent == Extent::PerElement
            && !list.contains(r)
        {
            list.push(*r);
        }
    });
    list
}

/// `(step mod (delay + 1)) * size + element`, in `I64`.
fn ring_place(b: &mut Builder, step: ValueId, element: ValueId, delay: u32, size: u32) -> ValueId {
    let rows = b.constant(Scalar::I64(i64::from(delay) + 1));
    let row = b.binary(BinaryOp::Rem, step, rows);
    let size = b.constant(Scalar::I64(i64::from(size)));
    let start = b.binary(BinaryOp::Mul, row, size);
    let element = b.convert(ScalarType::I64, element);
    b.binary(BinaryOp::Add, start, element)
}
