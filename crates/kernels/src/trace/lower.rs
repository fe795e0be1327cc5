//! Kernels and operations of what is kept per neuron, and the kernel that shows it per synapse.

use neuropil_base::{Scalar, ScalarType};
use neuropil_integrate as integrate;
use neuropil_ir::{At, Domain, Side as IrSide, ValueId};
use neuropil_math::{BinaryOp, Emit};
use neuropil_model::{
    Arith, Block, Endpoint, Expr, ExprKind, LocalId, Network, ObjectId, Placed, ProjectionId, Side,
    Statement, VarRef, VariableId,
};

use super::Traces;
use super::split::{NeuronCode, Source, Splitter};
use crate::lower::{Binding, Lowered, Lowering, Scope, end_side};
use crate::plan::{LowerError, Lowerer, internal};
use crate::program::{Action, Buffer, BufferId, Call, ClockIdx, Role, StreamId, StructureId, Travel};

/// One pathway whose projection keeps something per neuron.
#[derive(Clone, Copy)]
pub(crate) struct Traced<'n> {
    pub(crate) id: ProjectionId,
    /// The number of the pathway.
    pub(crate) pathway: usize,
    pub(crate) name: &'n str,
    pub(crate) scope: Scope,
    pub(crate) clock: ClockIdx,
    pub(crate) placed: Placed,
    pub(crate) stream: StreamId,
    pub(crate) delay: Travel,
}

impl Lowerer<'_> {
    /// The buffers in which it is kept when events last reached the synapses of neurons.
    pub(crate) fn trace_buffers(&mut self, id: ProjectionId, traces: &Traces) {
        let projection = self.network.projection(id);
        for end in &traces.ends {
            let len = self.network.elements_of(projection.end(*end)) as usize;
            let name = last_name(self.network, id, *end);
            let role = Role::LastArrival(StructureId::new(id.index()), *end);
            self.buffer(Buffer { name, ty: ScalarType::F64, len, role });
        }
    }

    fn last_buffer(&self, id: ProjectionId, end: Endpoint) -> Option<BufferId> {
        let role = Role::LastArrival(StructureId::new(id.index()), end);
        self.program.buffers.iter().position(|b| b.role == role).map(BufferId::new)
    }

    /// The kernel of the synapses of a pathway, none if nothing is left to do for them, and before it the operation that
    /// does for each neuron that emitted what need be done only once.
    pub(crate) fn traced(&mut self, of: Traced<'_>) -> Result<Option<Call>, LowerError> {
        let network = self.network;
        let traces = self.traces[of.id.index()].clone();
        let split = Splitter::new(network, of.id, of.pathway, &traces).split();
        let handed = match (&split.neuron, of.delay) {
            (Some(code), Travel::Steps(delay)) => self.neuron(of, code, delay)?,
            (Some(_) | None, _) => Vec::new(),
        };
        if !split.synapse.statements.iter().any(|s| matches!(s, Statement::Assign { .. })) {
            return Ok(None);
        }
        let object = ObjectId::Projection(of.id);
        let mut lowering = Lowering::new(network, of.scope, of.name, Domain::Synapses);
        let mut given: Vec<(LocalId, ValueId)> = Vec::new();
        let on = network.projection(of.id).pathways[of.pathway].on;
        for (local, source) in split.given {
            let (binding, end) = match source {
                Source::Kept(variable, end) => (Some(Binding::Variable(object, variable)), end),
                Source::Last(end) => (self.last_buffer(of.id, end).map(internal), end),
                Source::Handed(k) => (handed.get(k).copied().map(internal), on),
            };
            let Some(binding) = binding else { continue };
            let described = &split.synapse.locals[local.index()];
            let name = self.bound_name(binding);
            let slot = lowering.slot(binding, &name, described.ty);
            given.push((local, lowering.builder().load(slot, At::Side(end_side(end)))));
        }
        lowering.block_with(&split.synapse, &given);
        self.call(lowering.finish()).map(Some)
    }

    fn bound_name(&self, binding: Binding) -> String {
        self.bound(binding).map_or_else(String::new, |b| self.program.buffers[b.index()].name.clone())
    }

    /// What an event does to the neuron that emitted it, and the buffers with what it hands on.
    fn neuron(&mut self, of: Traced<'_>, code: &NeuronCode, delay: u32) -> Result<Vec<BufferId>, LowerError> {
        let network = self.network;
        let projection = network.projection(of.id);
        let end = projection.pathways[of.pathway].on;
        let len = network.elements_of(projection.end(end)) as usize;
        let Some(last) = self.last_buffer(of.id, end) else { return Ok(Vec::new()) };
        let name = format!("{}.neuron", of.name);
        let mut lowering = Lowering::new(network, of.scope, &name, Domain::Elements);
        let slot = lowering.slot(internal(last), &self.program.buffers[last.index()].name, ScalarType::F64);
        let own = At::Side(IrSide::Own);
        let before = lowering.builder().load(slot, own);
        lowering.block_with(&code.block, &[(code.last, before)]);
        let now = lowering.expr(&Expr::new(ExprKind::Time, ScalarType::F64));
        lowering.builder().store(slot, own, now);
        let mut handed = Vec::new();
        for (k, local) in code.handed.iter().enumerate() {
            let described = &code.block.locals[local.index()];
            let buffer = self.buffer(Buffer {
                name: format!("{}.{}@{k}", of.name, described.name),
                ty: described.ty,
                len,
                role: Role::Scratch,
            });
            let slot =
                lowering.slot(internal(buffer), &self.program.buffers[buffer.index()].name, described.ty);
            let value = lowering.expr(&Expr::local(*local, described.ty));
            lowering.builder().store(slot, own, value);
            handed.push(buffer);
        }
        let call = self.call(lowering.finish())?;
        self.push(name, of.clock, of.placed, Action::Events { call, stream: of.stream, delay });
        Ok(handed)
    }
}

fn last_name(network: &Network, id: ProjectionId, end: Endpoint) -> String {
    let end = match end {
        Endpoint::Pre => "pre",
        Endpoint::Post => "post",
    };
    format!("{}.lastupdate@{end}", network.projection(id).name)
}

/// Of [`shown`], the binding of when an event last reached the synapses of neurons at an end.
pub(crate) fn last_binding(end: Endpoint) -> Binding {
    Binding::Internal(match end {
        Endpoint::Pre => 0,
        Endpoint::Post => 1,
    })
}

/// The kernel that computes what synapses would hold of a variable that is kept per neuron if each had its own:
/// `output[own]`, the value at the synapse's last event; or of the variable that tells when that was.
pub(crate) fn shown(
    network: &Network,
    id: ProjectionId,
    traces: &Traces,
    variable: VariableId,
) -> Result<Lowered, LowerError> {
    let projection = network.projection(id);
    let object = ObjectId::Projection(id);
    let described = &projection.variables[variable.index()];
    let scope = Scope::of(network, object, network.clock(projection.clock).dt);
    let name = format!("{}.{}", projection.name, described.name);
    let mut lowering = Lowering::new(network, scope, &name, Domain::Synapses);
    let last = |lowering: &mut Lowering<'_>, end: Endpoint| {
        let slot = lowering.slot(last_binding(end), &last_name(network, id, end), ScalarType::F64);
        lowering.builder().load(slot, At::Side(end_side(end)))
    };
    let updated = match projection.last_update.filter(|_| !traces.derived) {
        Some(own) => {
            let own = VarRef { object, variable: own, side: Side::Own };
            lowering.expr(&Expr::variable(own, ScalarType::F64))
        }
        None => {
            let times: Vec<ValueId> = traces.ends.iter().map(|end| last(&mut lowering, *end)).collect();
            let later = |lowering: &mut Lowering<'_>, a, b| lowering.builder().binary(BinaryOp::Max, a, b);
            let first = times.first().copied();
            let first = first.unwrap_or_else(|| lowering.builder().constant(Scalar::F64(0.0)));
            times.into_iter().skip(1).fold(first, |a, b| later(&mut lowering, a, b))
        }
    };
    let value = match traces.end_of(variable) {
        None => updated,
        Some(end) => {
            let last = last(&mut lowering, end);
            let mut block = Block::new();
            let arith = Arith::new(network.precision);
            let [to, from] = ["updated", "last"].map(|name| block.local(name, ScalarType::F64));
            let [to_value, from_value] = [to, from].map(|local| Expr::local(local, ScalarType::F64));
            let elapsed =
                block.define("elapsed", arith.convert(arith.sub(to_value, from_value), arith.float()));
            let is_kept = |v| traces.end_of(v) == Some(end);
            let values = integrate::event_driven_values(network, id, is_kept, elapsed, &mut block);
            let values = values.map_err(LowerError::Model)?;
            let found = values.into_iter().find(|(v, _)| *v == variable).map(|(_, value)| value);
            let held = found.map(|value| block.define("held", value));
            for (kept, _) in traces.kept.iter().filter(|(_, e)| *e == end) {
                let kept_of = &projection.variables[kept.index()];
                let name = format!("{}.{}", projection.name, kept_of.name);
                let slot = lowering.slot(Binding::Variable(object, *kept), &name, kept_of.ty);
                let own = VarRef { object, variable: *kept, side: Side::Own };
                lowering.replace(own, slot, At::Side(end_side(end)));
            }
            lowering.block_with(&block, &[(to, updated), (from, last)]);
            match held {
                Some(held) => lowering.expr(&held),
                None => updated,
            }
        }
    };
    let value = lowering.builder().convert(described.ty, value);
    let output = lowering.slot(Binding::Output, "output", described.ty);
    lowering.builder().store(output, At::Side(IrSide::Own), value);
    Ok(lowering.finish())
}
