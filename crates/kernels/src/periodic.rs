//! Code that runs for all elements, counts of recent events, and copies of what code reads through links while it
//! writes it.

use neuropil_base::ScalarType;
use neuropil_ir::{At, Domain, Side as IrSide};
use neuropil_model::{
    Arith, Block, ClockId, Counter, Expr, ExprKind, LinkPlace, Network, ObjectId, Periodic, Placed,
    PopulationId, Side, Statement, VarRef, VariableId, VariableKind,
};

use crate::lower::{Lowering, Scope};
use crate::plan::{LowerError, Lowerer, clock, internal};
use crate::program::{Action, Buffer, BufferId, Call, ClockIdx, Role, StreamId, StructureId};

impl Lowerer<'_> {
    /// The periodic code of an object: what it does to shared variables, then what it does to each element.
    pub(crate) fn periodic(&mut self, object: ObjectId, list: &[Periodic]) -> Result<(), LowerError> {
        let network = self.network;
        let own = match object {
            ObjectId::Population(id) => network.population(id).clock,
            ObjectId::Projection(id) => network.projection(id).clock,
        };
        for code in list {
            let scope = scope(network, object, own, code.clock);
            let place = (clock(code.clock), code.placed);
            let name = format!("{}.{}", network.object_name(object), code.name);
            if !code.shared.is_empty() {
                let name = format!("{name}.shared");
                let call = self.code_over(scope, &name, place, Domain::Elements, &code.shared)?;
                let action = Action::Elements { call, start: 0, len: 1, emits: None };
                self.push(name, place.0, place.1, action);
            }
            if code.block.is_empty() {
                continue;
            }
            let (domain, action): (_, Box<dyn Fn(Call) -> Action>) = match object {
                ObjectId::Population(id) => {
                    let (start, len) = code.neurons.unwrap_or((0, network.population(id).size));
                    (
                        Domain::Elements,
                        Box::new(move |call| Action::Elements { call, start, len, emits: None }),
                    )
                }
                ObjectId::Projection(id) => {
                    let structure = StructureId::new(id.index());
                    (Domain::Synapses, Box::new(move |call| Action::Synapses { call, structure }))
                }
            };
            let call = self.code_over(scope, &name, place, domain, &code.block)?;
            self.push(name, place.0, place.1, action(call));
        }
        Ok(())
    }

    /// Adds one to a counter where an event happens, and takes it away when the event leaves the window.
    pub(crate) fn counter(
        &mut self,
        id: PopulationId,
        counter: &Counter,
        stream: StreamId,
        placed: Placed,
    ) -> Result<(), LowerError> {
        let network = self.network;
        let population = network.population(id);
        let object = ObjectId::Population(id);
        let scope = Scope::of(network, object, network.clock(population.clock).dt);
        let target = VarRef { object, variable: counter.variable, side: Side::Own };
        let variable = &population.variables[counter.variable.index()].name;
        let ways =
            [(format!("{variable}.enter"), 1, 0), (format!("{variable}.leave"), -1, counter.window_steps)];
        for (what, change, delay) in ways {
            let name = format!("{}.{what}", population.name);
            let mut block = Block::new();
            let old = Expr::variable(target, ScalarType::I32);
            block.set(target, Arith::new(network.precision).add(old, Expr::integer(change)));
            let call = self.code(scope, &name, Domain::Elements, &block)?;
            self.push(name, clock(population.clock), placed, Action::Events { call, stream, delay });
        }
        Ok(())
    }

    /// The kernel of code that runs for all elements at once, and before it the operations that copy what it reads
    /// through links while it writes it under another name: such reads give the values from before.
    pub(crate) fn code_over(
        &mut self,
        scope: Scope,
        name: &str,
        place: (ClockIdx, Placed),
        domain: Domain,
        block: &Block,
    ) -> Result<Call, LowerError> {
        let reads = aliased(self.network, block);
        let mut copies = Vec::new();
        for read in reads {
            let (object, variable) = self.network.root(read.object, read.variable);
            copies.push((read, self.copied(object, variable, name, place)?));
        }
        let mut lowering = Lowering::new(self.network, scope, name, domain);
        for (read, copy) in copies {
            let buffer = &self.program.buffers[copy.index()];
            let slot = lowering.slot(internal(copy), &buffer.name, buffer.ty);
            lowering.read_copy(read, slot);
        }
        lowering.block(block);
        self.call(lowering.finish())
    }

    /// A copy of a variable, and the operation that fills it.
    fn copied(
        &mut self,
        object: ObjectId,
        variable: VariableId,
        reader: &str,
        place: (ClockIdx, Placed),
    ) -> Result<BufferId, LowerError> {
        let Some(from) = self.variable_buffer(object, variable) else { return Ok(BufferId::new(0)) };
        let source = self.program.buffers[from.index()].clone();
        let name = format!("{}@{reader}", source.name);
        if let Some(known) = self.program.buffers.iter().position(|b| b.name == name) {
            return Ok(BufferId::new(known));
        }
        let copy = self.buffer(Buffer { name: name.clone(), role: Role::Scratch, ..source.clone() });
        let scope = Scope::of(self.network, object, 1.0);
        let mut lowering = Lowering::new(self.network, scope, &name, Domain::Elements);
        let slots =
            [(from, &source.name), (copy, &name)].map(|(b, n)| lowering.slot(internal(b), n, source.ty));
        let builder = lowering.builder();
        let value = builder.load(slots[0], At::Side(IrSide::Own));
        builder.store(slots[1], At::Side(IrSide::Own), value);
        let call = self.call(lowering.finish())?;
        let len = u32::try_from(source.len).unwrap_or(u32::MAX);
        let action = Action::Elements { call, start: 0, len, emits: None };
        self.push(name, place.0, place.1, action);
        Ok(copy)
    }
}

/// What periodic code sees: the time and the step of its object, which it runs every so many steps of.
fn scope(network: &Network, object: ObjectId, own: ClockId, code: ClockId) -> Scope {
    let (own, code) = (network.clock(own).dt, network.clock(code).dt);
    let stride = ((code / own).round() as i64).max(1);
    Scope { stride, ..Scope::of(network, object, own).guarded() }
}

/// The linked variables that a block reads while it writes what they mean under another name.
fn aliased(network: &Network, block: &Block) -> Vec<VarRef> {
    let mut written: Vec<VarRef> = Vec::new();
    let mut read: Vec<VarRef> = Vec::new();
    for statement in &block.statements {
        if let Statement::Assign { target, .. } = statement {
            written.push(*target);
        }
    }
    for e in block.expressions() {
        e.walk(&mut |e| {
            if let ExprKind::Variable(r) = &e.kind
                && !read.contains(r)
            {
                read.push(*r);
            }
        });
    }
    let name = |r: &VarRef| (path(network, r), r.side);
    let root = |r: &VarRef| network.root(r.object, r.variable);
    read.retain(|r| {
        let linked = matches!(network.variable(*r).kind, VariableKind::Link(_));
        linked && written.iter().any(|w| root(w) == root(r) && name(w) != name(r))
    });
    read
}

/// What leads to a variable: links that lead to the element of the same number count for nothing.
fn path(network: &Network, reference: &VarRef) -> (ObjectId, VariableId) {
    let (mut object, mut variable) = (reference.object, reference.variable);
    while let VariableKind::Link(link) = &network.variables(object)[variable.index()].kind
        && matches!(link.place, LinkPlace::Same { start: 0 } | LinkPlace::One { .. })
    {
        (object, variable) = (link.object, link.variable);
    }
    (object, variable)
}
