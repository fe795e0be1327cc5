//! A whole network to a program: one layout, one kernel per piece of code, one operation per thing that happens
//! in a step.

use std::collections::HashMap;
use std::sync::Arc;

use neuropil_base::{Diagnostics, ScalarType};
use neuropil_integrate as integrate;
use neuropil_ir::{At, Domain, Side as IrSide, VerifyError};
use neuropil_math::Emit;
use neuropil_model::{
    Block, ClockId, Delay, Endpoint, EventSource, Expr, ExprKind, Extent, Group, Network, ObjectId, Placed,
    PopulationId, Projection, ProjectionId, RecorderKind, Side, Slot, StopId, VarRef, VariableId,
    VariableKind, When,
};

use crate::Prepared;
use crate::lower::{Binding, Lowered, Lowering, Scope};
use crate::program::{
    Action, Buffer, BufferId, Call, ClockIdx, ClockPlan, EventList, KernelId, Operation, Owner, Program,
    Role, Stream, StreamId, Structure, StructureId, Task, Travel,
};
use crate::trace::{Traced, Traces};

/// What building a projection's synapses found out, and the program must know.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProjectionShape {
    /// Synapses.
    pub n_syn: usize,
    /// For each pathway with a delay per synapse, the longest in steps; 0 for the others.
    pub longest_delay: Vec<u32>,
    /// Likewise for each weighted sum.
    pub longest_sum_delay: Vec<u32>,
    /// Delays that pathways had before: events that were emitted then keep them.
    pub former: Vec<Former>,
    /// Whether synapses of one neuron have become different, so that each keeps all its variables itself.
    pub parted: bool,
}

/// A delay that a pathway had before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Former {
    /// The number of the pathway.
    pub pathway: usize,
    /// The delay.
    pub travel: Travel,
    /// The steps of the events that have it; the end is not one of them.
    pub emitted: (i64, i64),
}

impl Former {
    /// The longest delay of a synapse, in steps.
    #[must_use]
    pub fn longest(&self) -> u32 {
        match self.travel {
            Travel::Steps(steps) => steps,
            Travel::PerSynapse { longest, .. } => longest,
        }
    }
}

/// Why a network could not be lowered.
#[derive(Debug, thiserror::Error)]
pub enum LowerError {
    /// Equations that the chosen method cannot integrate, and the like: the model's fault.
    #[error("the model cannot be integrated")]
    Model(Diagnostics),
    /// A kernel that the verifier refuses: our fault.
    #[error("kernel `{kernel}` is not valid: {reason}; this is a bug in neuropil")]
    Kernel {
        /// The kernel's name.
        kernel: String,
        /// What the verifier said.
        reason: VerifyError,
    },
}

/// Lowers a whole network. `shapes` holds one entry per projection.
///
/// # Errors
/// [`LowerError::Model`] for equations that their method cannot integrate.
pub fn lower(network: &Network, shapes: &[ProjectionShape]) -> Result<Program, LowerError> {
    lower_with(network, shapes, &Prepared::default())
}

/// Lowers a whole network with kernels that others have prepared.
///
/// # Errors
/// As [`lower`].
pub fn lower_with(
    network: &Network,
    shapes: &[ProjectionShape],
    prepared: &Prepared,
) -> Result<Program, LowerError> {
    let mut lowerer = Lowerer::new(network, shapes, prepared);
    let mut diagnostics = Diagnostics::new();
    for id in (0..network.populations.len()).map(PopulationId::new) {
        lowerer.owners = vec![Owner::Object(ObjectId::Population(id))];
        if let Err(error) = lowerer.population(id) {
            collect(error, &mut diagnostics)?;
        }
    }
    for id in (0..network.projections.len()).map(ProjectionId::new) {
        lowerer.owners = vec![Owner::Object(ObjectId::Projection(id))];
        if let Err(error) = lowerer.projection(id) {
            collect(error, &mut diagnostics)?;
        }
    }
    lowerer.recorders()?;
    lowerer.host_operations();
    lowerer.stops()?;
    if diagnostics.has_errors() { Err(LowerError::Model(diagnostics)) } else { Ok(lowerer.program) }
}

/// Keeps going after a mistake of the model, so that all of them are told.
fn collect(error: LowerError, diagnostics: &mut Diagnostics) -> Result<(), LowerError> {
    match error {
        LowerError::Model(more) => {
            diagnostics.append(more);
            Ok(())
        }
        other @ LowerError::Kernel { .. } => Err(other),
    }
}

pub(crate) struct Lowerer<'a> {
    pub(crate) network: &'a Network,
    pub(crate) program: Program,
    /// What building found out about each projection.
    pub(crate) shapes: &'a [ProjectionShape],
    prepared: &'a Prepared,
    /// The first stream of each population; streams follow the order of its events.
    streams: Vec<usize>,
    /// Buffers of variables, by object; `None` for subexpressions.
    variables: Vec<(ObjectId, Vec<Option<BufferId>>)>,
    /// What is kept per neuron of each projection's variables.
    pub(crate) traces: Vec<Traces>,
    /// Buffers of tables.
    tables: Vec<BufferId>,
    /// What the operations that are being made belong to.
    pub(crate) owners: Vec<Owner>,
    /// Where the program keeps each kernel; only ever looked up.
    kernels: HashMap<neuropil_ir::Kernel, KernelId>,
}

impl<'a> Lowerer<'a> {
    fn new(network: &'a Network, shapes: &'a [ProjectionShape], prepared: &'a Prepared) -> Self {
        let (tick_s, periods) = ticks(&network.clocks.iter().map(|c| c.dt).collect::<Vec<_>>());
        let clocks = network
            .clocks
            .iter()
            .zip(periods)
            .map(|(c, period)| ClockPlan { name: c.name.clone(), dt: c.dt, period })
            .collect();
        let mut this = Self {
            network,
            program: Program {
                seed: network.seed,
                tick_s,
                schedule: network.schedule.clone(),
                clocks,
                buffers: Vec::new(),
                streams: Vec::new(),
                structures: Vec::new(),
                kernels: Vec::new(),
                operations: Vec::new(),
                remarks: Vec::new(),
            },
            shapes,
            prepared,
            streams: Vec::new(),
            variables: Vec::new(),
            traces: Vec::new(),
            tables: Vec::new(),
            owners: Vec::new(),
            kernels: HashMap::new(),
        };
        this.layout(shapes);
        this
    }

    /// Names every buffer, stream and structure once.
    fn layout(&mut self, shapes: &[ProjectionShape]) {
        let network = self.network;
        for (i, population) in network.populations.iter().enumerate() {
            let object = ObjectId::Population(PopulationId::new(i));
            self.object(object, population.size as usize, &Traces::default());
            self.streams.push(self.program.streams.len());
            for event in &population.events {
                self.program.streams.push(Stream {
                    name: format!("{}.{}", population.name, event.name),
                    size: population.size,
                    clock: clock(population.clock),
                    history: 0,
                });
            }
        }
        for (i, projection) in network.projections.iter().enumerate() {
            let shape = shapes.get(i).cloned().unwrap_or_default();
            let id = ProjectionId::new(i);
            let traces = Traces::of(network, id, Some(&shape));
            self.object(ObjectId::Projection(id), shape.n_syn, &traces);
            self.trace_buffers(id, &traces);
            self.program.remarks.extend(traces.remarks(network, id));
            self.traces.push(traces);
            self.program.structures.push(Structure {
                name: projection.name.clone(),
                pre_start: projection.source.start,
                n_pre: projection.source.len,
                post_start: projection.target.start,
                n_post: projection.target.len,
                n_syn: shape.n_syn,
            });
            for (k, pathway) in projection.pathways.iter().enumerate() {
                let longest = match pathway.delay {
                    Delay::None => 0,
                    Delay::Steps(steps) => steps,
                    Delay::PerSynapse(_) | Delay::Column(_) | Delay::Values(_) => {
                        shape.longest_delay.get(k).copied().unwrap_or(0)
                    }
                };
                let former = shape.former.iter().filter(|f| f.pathway == k).map(Former::longest).max();
                let Some(stream) = self.stream(projection, pathway.on, pathway.event) else { continue };
                let history = &mut self.program.streams[stream.index()].history;
                *history = (*history).max(longest).max(former.unwrap_or(0));
            }
        }
        for (i, population) in network.populations.iter().enumerate() {
            for counter in &population.counters {
                let stream = self.event_stream(PopulationId::new(i), counter.event);
                let history = &mut self.program.streams[stream.index()].history;
                *history = (*history).max(counter.window_steps);
            }
        }
        for table in &network.tables {
            let id = self.buffer(Buffer {
                name: table.name.clone(),
                ty: network.precision.float(),
                len: table.values.len(),
                role: Role::Table,
            });
            self.tables.push(id);
        }
    }

    fn object(&mut self, object: ObjectId, size: usize, traces: &Traces) {
        let network = self.network;
        let mut ids = Vec::new();
        for (i, variable) in network.variables(object).iter().enumerate() {
            let role = Role::Variable(object, VariableId::new(i));
            if let ObjectId::Projection(id) = object {
                let projection = network.projection(id);
                if traces.derived && projection.last_update == Some(VariableId::new(i)) {
                    ids.push(None);
                    continue;
                }
                if let Some(end) = traces.end_of(VariableId::new(i)) {
                    let name = format!("{}.{}", projection.name, variable.name);
                    let len = network.elements_of(projection.end(end)) as usize;
                    let role = Role::Trace(id, VariableId::new(i), end);
                    ids.push(Some(self.buffer(Buffer { name, ty: variable.ty, len, role })));
                    continue;
                }
            }
            let (name, len, role) = match (&variable.kind, object) {
                (VariableKind::Subexpression(_) | VariableKind::Link(_), _) => {
                    ids.push(None);
                    continue;
                }
                (VariableKind::Degree(end), ObjectId::Projection(id)) => {
                    ids.push(Some(self.degree(id, *end)));
                    continue;
                }
                (VariableKind::Count, ObjectId::Projection(id)) => {
                    ("n_syn", 1, Role::SynapseCount(StructureId::new(id.index())))
                }
                (
                    VariableKind::State
                    | VariableKind::Parameter { .. }
                    | VariableKind::LastSpike
                    | VariableKind::NotRefractory
                    | VariableKind::SumTarget
                    | VariableKind::Held
                    | VariableKind::Degree(_)
                    | VariableKind::Count,
                    _,
                ) => (variable.name.as_str(), if variable.extent == Extent::Shared { 1 } else { size }, role),
            };
            let name = format!("{}.{name}", network.object_name(object));
            ids.push(Some(self.buffer(Buffer { name, ty: variable.ty, len, role })));
        }
        self.variables.push((object, ids));
    }

    /// The buffer with the number of synapses of every neuron at one end of a projection.
    pub(crate) fn degree(&mut self, id: ProjectionId, end: Endpoint) -> BufferId {
        let projection = self.network.projection(id);
        let structure = StructureId::new(id.index());
        let (role, what, group) = match end {
            Endpoint::Pre => (Role::OutDegree(structure), "out_degree", &projection.source),
            Endpoint::Post => (Role::InDegree(structure), "in_degree", &projection.target),
        };
        if let Some(known) = self.program.buffers.iter().position(|b| b.role == role) {
            return BufferId::new(known);
        }
        let len = self.network.elements_of(group) as usize;
        self.buffer(Buffer { name: format!("{}.{what}", projection.name), ty: ScalarType::I32, len, role })
    }

    pub(crate) fn buffer(&mut self, buffer: Buffer) -> BufferId {
        self.program.buffers.push(buffer);
        BufferId::new(self.program.buffers.len() - 1)
    }

    fn stream(
        &self,
        projection: &Projection,
        on: Endpoint,
        event: neuropil_model::EventId,
    ) -> Option<StreamId> {
        let group = match on {
            Endpoint::Pre => &projection.source,
            Endpoint::Post => &projection.target,
        };
        group.population().map(|population| self.event_stream(population, event))
    }

    fn event_stream(&self, population: PopulationId, event: neuropil_model::EventId) -> StreamId {
        StreamId::new(self.streams[population.index()] + event.index())
    }

    pub(crate) fn variable_buffer(&self, object: ObjectId, variable: VariableId) -> Option<BufferId> {
        self.variables.iter().find(|(o, _)| *o == object).and_then(|(_, ids)| ids[variable.index()])
    }

    /// The kernel of the program that is `lowered`, prepared; equal kernels are kept once.
    pub(crate) fn call(&mut self, lowered: Lowered) -> Result<Call, LowerError> {
        let bindings = lowered.bindings.iter().filter_map(|b| self.bound(*b)).collect();
        let kernel = match self.kernels.get(&lowered.kernel) {
            Some(known) => *known,
            None => {
                let kernel = self
                    .prepared
                    .get(&lowered.kernel)
                    .map_err(|reason| LowerError::Kernel { kernel: lowered.kernel.name.clone(), reason })?;
                let id = KernelId::new(self.program.kernels.len());
                self.kernels.insert(lowered.kernel, id);
                self.program.kernels.push(kernel);
                id
            }
        };
        Ok(Call { kernel, bindings })
    }

    pub(crate) fn bound(&self, binding: Binding) -> Option<BufferId> {
        match binding {
            Binding::Variable(object, variable) => self.variable_buffer(object, variable),
            Binding::Table(table) => self.tables.get(table.index()).copied(),
            Binding::Internal(buffer) => Some(BufferId::new(buffer as usize)),
            Binding::Output => None,
        }
    }

    pub(crate) fn push(&mut self, name: String, clock: ClockIdx, placed: Placed, action: Action) {
        let owners = self.owners.clone();
        self.program.operations.push(Operation { name, clock, placed, action, owners });
    }

    fn population(&mut self, id: PopulationId) -> Result<(), LowerError> {
        let network = self.network;
        let population = network.population(id);
        let object = ObjectId::Population(id);
        let on = clock(population.clock);
        let scope = Scope::of(network, object, network.clock(population.clock).dt);
        let all = |call, emits| Action::Elements { call, start: 0, len: population.size, emits };

        let step = integrate::population_step(network, id).map_err(LowerError::Model)?;
        // Of operations at one place periodic code comes first, as Brian 2's order by name has it.
        self.periodic(object, &population.periodic)?;
        if !step.block.is_empty() {
            let name = format!("{}.update", population.name);
            let place = (on, population.update);
            let call = self.code_over(scope.contracted(), &name, place, Domain::Elements, &step.block)?;
            self.push(name, on, population.update, all(call, None));
        }
        self.shared_step(scope, &population.name, (on, population.update), &step.shared)?;
        self.cable(id)?;
        for (i, event) in population.events.iter().enumerate() {
            let stream = StreamId::new(self.streams[id.index()] + i);
            let spike = event.name == "spike";
            let name = format!("{}.{}", population.name, event.name);
            match &event.source {
                EventSource::Condition(condition) => {
                    let mut lowering = Lowering::new(network, scope, &name, Domain::Elements);
                    let condition = lowering.expr(condition);
                    lowering.builder().emit(condition);
                    let call = self.call(lowering.finish())?;
                    self.push(name.clone(), on, event.placed, all(call, Some(stream)));
                }
                EventSource::List { steps, neurons, period_steps } => {
                    let list = Arc::new(EventList {
                        steps: steps.clone(),
                        neurons: neurons.clone(),
                        period: *period_steps,
                    });
                    self.push(name.clone(), on, event.placed, Action::List { stream, list });
                }
            }
            if spike && let Some(block) = mark(network, id) {
                let name = format!("{name}.mark");
                let call = self.code(scope, &name, Domain::Elements, &block)?;
                self.push(name, on, event.placed, Action::Events { call, stream, delay: 0 });
            }
            for counter in population.counters.iter().filter(|c| c.event.index() == i) {
                self.counter(id, counter, stream, event.placed)?;
            }
            if !event.reset.is_empty() {
                let name = format!("{name}.reset");
                let place = (on, event.reset_placed);
                let call = self.code_over(scope, &name, place, Domain::Elements, &event.reset)?;
                self.push(name, on, event.reset_placed, Action::Events { call, stream, delay: 0 });
            }
        }
        Ok(())
    }

    /// The step of variables that all elements of an object share: one element, after all others.
    fn shared_step(
        &mut self,
        scope: Scope,
        name: &str,
        (on, placed): (ClockIdx, Placed),
        block: &Block,
    ) -> Result<(), LowerError> {
        if block.is_empty() {
            return Ok(());
        }
        let name = format!("{name}.update.shared");
        let call = self.code(scope.contracted(), &name, Domain::Elements, block)?;
        let action = Action::Elements { call, start: 0, len: 1, emits: None };
        self.push(name, on, placed, action);
        Ok(())
    }

    pub(crate) fn code(
        &mut self,
        scope: Scope,
        name: &str,
        domain: Domain,
        block: &Block,
    ) -> Result<Call, LowerError> {
        let mut lowering = Lowering::new(self.network, scope, name, domain);
        lowering.block(block);
        self.call(lowering.finish())
    }

    fn projection(&mut self, id: ProjectionId) -> Result<(), LowerError> {
        let network = self.network;
        let projection = network.projection(id);
        let object = ObjectId::Projection(id);
        let structure = StructureId::new(id.index());
        let dt = network.clock(projection.clock).dt;
        let step = integrate::projection_step(network, id).map_err(LowerError::Model)?;
        self.periodic(object, &projection.periodic)?;
        if !step.block.is_empty() {
            let name = format!("{}.update", projection.name);
            let place = (clock(projection.clock), projection.update);
            let scope = Scope::of(network, object, dt).contracted();
            let call = self.code_over(scope, &name, place, Domain::Synapses, &step.block)?;
            let action = Action::Synapses { call, structure };
            self.push(name, clock(projection.clock), projection.update, action);
        }
        let scope = Scope::of(network, object, dt);
        self.shared_step(
            scope,
            &projection.name,
            (clock(projection.clock), projection.update),
            &step.shared,
        )?;
        let advance = integrate::event_driven_update(network, id).map_err(LowerError::Model)?;
        for (k, pathway) in projection.pathways.iter().enumerate() {
            let group = match pathway.on {
                Endpoint::Pre => &projection.source,
                Endpoint::Post => &projection.target,
            };
            // Synapses emit no events; sema refuses pathways on them.
            let Some(population) = group.population() else { continue };
            let stream = self.event_stream(population, pathway.event);
            let population = network.population(population);
            let scope = Scope::of(network, object, network.clock(population.clock).dt).guarded();
            let name = format!("{}.{}", projection.name, pathway.name);
            let (on, on_clock, placed) = (pathway.on, clock(population.clock), pathway.placed);
            let delay = match &pathway.delay {
                Delay::None => Travel::Steps(0),
                Delay::Steps(steps) => Travel::Steps(*steps),
                Delay::PerSynapse(_) | Delay::Column(_) | Delay::Values(_) => Travel::PerSynapse {
                    pathway: u32::try_from(k).unwrap_or(u32::MAX),
                    longest: self.program.streams[stream.index()].history,
                },
            };
            let call = if self.traces[id.index()].kept.is_empty() {
                let mut block = advance.clone();
                block.append(&pathway.block);
                self.code(scope, &name, Domain::Synapses, &block)?
            } else {
                let of = Traced {
                    id,
                    pathway: k,
                    name: name.as_str(),
                    scope,
                    clock: on_clock,
                    placed,
                    stream,
                    delay,
                };
                // Where all that is done is done for neurons, nothing is delivered.
                let Some(call) = self.traced(of)? else { continue };
                call
            };
            let all = self.shapes.get(id.index()).map_or(&[][..], |s| &s.former);
            let former: Vec<Former> = all.iter().filter(|f| f.pathway == k).cloned().collect();
            let mut first = i64::MIN;
            for (m, Former { travel: delay, emitted, .. }) in former.into_iter().enumerate() {
                first = first.max(emitted.1);
                let action = Action::Deliver { call: call.clone(), stream, structure, on, delay, emitted };
                self.push(format!("{name}.former{m}"), on_clock, pathway.placed, action);
            }
            let emitted = (first, i64::MAX);
            let action = Action::Deliver { call, stream, structure, on, delay, emitted };
            self.push(name, on_clock, pathway.placed, action);
        }
        for (k, sum) in projection.sums.iter().enumerate() {
            self.sum(id, k, sum)?;
        }
        for (rule, rewiring) in (0_u32..).zip(&projection.rewirings) {
            let name = format!("{}.rewire{rule}", projection.name);
            let action = Action::Host { task: Task::Rewire { projection: id, rule } };
            self.push(name, clock(rewiring.clock), rewiring.placed, action);
        }
        Ok(())
    }

    /// Each stop condition is an event of its own, looked at when everything else in the step is done.
    fn stops(&mut self) -> Result<(), LowerError> {
        let network = self.network;
        for (k, stop) in network.stops.iter().enumerate() {
            self.owners = vec![Owner::Stop(StopId::new(k))];
            let object = stop.group.object;
            let on = clock(network.clock_of(object));
            let scope = Scope::of(network, object, network.clock(network.clock_of(object)).dt);
            let name = format!("stop.{k}");
            let stream = StreamId::new(self.program.streams.len());
            self.program.streams.push(Stream {
                name: name.clone(),
                size: network.elements_of(&stop.group),
                clock: on,
                history: 0,
            });
            let mut lowering = Lowering::new(network, scope, &name, Domain::Elements);
            let condition = lowering.expr(&stop.condition);
            lowering.builder().emit(condition);
            let call = self.call(lowering.finish())?;
            let placed = Placed::new(When::after(Slot::End), i32::MAX);
            let Group { start, len, .. } = stop.group;
            self.push(name.clone(), on, placed, Action::Elements { call, start, len, emits: Some(stream) });
            self.push(name, on, placed, Action::Stop { stream, at_least: stop.at_least });
        }
        Ok(())
    }

    fn host_operations(&mut self) {
        self.owners.clear();
        for (number, operation) in (0_u32..).zip(&self.network.host_operations) {
            let action = Action::Host { task: Task::Call(number) };
            self.push(format!("host.{}", operation.name), clock(operation.clock), operation.placed, action);
        }
    }

    fn recorders(&mut self) -> Result<(), LowerError> {
        let network = self.network;
        for (i, recorder) in network.recorders.iter().enumerate() {
            let id = neuropil_model::RecorderId::new(i);
            self.owners = vec![Owner::Recorder(id)];
            let on = clock(recorder.clock);
            let action = match &recorder.kind {
                RecorderKind::Events { group, event } | RecorderKind::Rate { group, event } => {
                    let Some(population) = group.population() else { continue };
                    Action::RecordEvents {
                        recorder: id,
                        stream: self.event_stream(population, *event),
                        start: group.start,
                        len: group.len,
                        count_only: matches!(recorder.kind, RecorderKind::Rate { .. }),
                    }
                }
                RecorderKind::State { object, variables, elements } => {
                    let mut buffers = Vec::new();
                    for variable in variables {
                        let kept = match network.variables(*object)[variable.index()].kind {
                            // There is one number per neuron, which every synapse sees.
                            VariableKind::Degree(_) => None,
                            VariableKind::State
                            | VariableKind::Parameter { .. }
                            | VariableKind::Subexpression(_)
                            | VariableKind::LastSpike
                            | VariableKind::NotRefractory
                            | VariableKind::SumTarget
                            | VariableKind::Held
                            | VariableKind::Link(_)
                            | VariableKind::Count => self.variable_buffer(*object, *variable),
                        };
                        buffers.push(match kept {
                            Some(buffer) => buffer,
                            None => self.computed(*object, *variable, recorder)?,
                        });
                    }
                    // A recorder of a projection without a list of elements records all synapses.
                    let elements = match object {
                        ObjectId::Projection(id) if elements.is_empty() => {
                            let n_syn = self.program.structures[id.index()].n_syn;
                            (0..u32::try_from(n_syn).unwrap_or(u32::MAX)).collect()
                        }
                        ObjectId::Population(_) | ObjectId::Projection(_) => elements.as_slice().into(),
                    };
                    Action::RecordState { recorder: id, buffers, elements }
                }
            };
            self.push(recorder.name.clone(), on, recorder.placed, action);
        }
        Ok(())
    }

    /// A scratch buffer with the values of a variable that has no buffer of its own, and the operation that fills it just before it is
    /// recorded: at the steps of its object's own clock, so that `t` and `dt` mean what they mean in its equations.
    fn computed(
        &mut self,
        object: ObjectId,
        variable: VariableId,
        recorder: &neuropil_model::Recorder,
    ) -> Result<BufferId, LowerError> {
        let network = self.network;
        let described = &network.variables(object)[variable.index()];
        let name = format!("{}.{}", network.object_name(object), described.name);
        // A subexpression's expression is put in when the kernel is made.
        let value = &Expr::variable(VarRef { object, variable, side: Side::Own }, described.ty);
        let (len, domain) = match object {
            ObjectId::Population(id) => (network.population(id).size as usize, Domain::Elements),
            ObjectId::Projection(id) => (self.program.structures[id.index()].n_syn, Domain::Synapses),
        };
        let role = Role::Scratch;
        let scratch =
            self.buffer(Buffer { name: format!("{name}@{}", recorder.name), ty: described.ty, len, role });
        let own = match object {
            ObjectId::Population(id) => network.population(id).clock,
            ObjectId::Projection(id) => network.projection(id).clock,
        };
        let scope = Scope::of(network, object, network.clock(own).dt);
        let mut lowering = Lowering::new(network, scope, &name, domain);
        let value = lowering.expr(value);
        let value = lowering.builder().convert(described.ty, value);
        let slot = lowering.slot(internal(scratch), &format!("{name}@"), described.ty);
        lowering.builder().store(slot, At::Side(IrSide::Own), value);
        let call = self.call(lowering.finish())?;
        let action = match object {
            ObjectId::Population(id) => {
                Action::Elements { call, start: 0, len: network.population(id).size, emits: None }
            }
            ObjectId::Projection(id) => Action::Synapses { call, structure: StructureId::new(id.index()) },
        };
        self.push(name, clock(own), recorder.placed, action);
        Ok(scratch)
    }
}

/// What a spike leaves behind in its neuron: the time, and that it is refractory now.
fn mark(network: &Network, id: PopulationId) -> Option<Block> {
    let population = network.population(id);
    let object = ObjectId::Population(id);
    let mut block = Block::new();
    for (i, variable) in population.variables.iter().enumerate() {
        let target = VarRef { object, variable: VariableId::new(i), side: Side::Own };
        match variable.kind {
            VariableKind::LastSpike => {
                block.set(target, neuropil_model::Expr::new(ExprKind::Time, ScalarType::F64));
            }
            VariableKind::NotRefractory => block.set(target, neuropil_model::Expr::boolean(false)),
            VariableKind::State
            | VariableKind::Parameter { .. }
            | VariableKind::Subexpression(_)
            | VariableKind::SumTarget
            | VariableKind::Held
            | VariableKind::Link(_)
            | VariableKind::Degree(_)
            | VariableKind::Count => {}
        }
    }
    (!block.is_empty()).then_some(block)
}

pub(crate) fn clock(id: ClockId) -> ClockIdx {
    ClockIdx::new(id.index())
}

pub(crate) fn internal(buffer: BufferId) -> Binding {
    Binding::Internal(u32::try_from(buffer.index()).unwrap_or(u32::MAX))
}

/// The longest tick of which every step is a multiple (to a millionth of the shortest step), and the multiples.
fn ticks(steps: &[f64]) -> (f64, Vec<u64>) {
    let shortest = steps.iter().copied().fold(f64::INFINITY, f64::min);
    for parts in 1..=10_000_u32 {
        let tick = shortest / f64::from(parts);
        let near = |dt: f64| ((dt / tick).round() - dt / tick).abs() < 1e-6 * (dt / tick);
        if steps.iter().all(|dt| near(*dt)) {
            return (tick, steps.iter().map(|dt| (dt / tick).round() as u64).collect());
        }
    }
    (shortest, steps.iter().map(|dt| ((dt / shortest).round() as u64).max(1)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_with_a_common_divisor_share_a_tick() {
        assert_eq!(ticks(&[1e-4]).1, [1]);
        assert_eq!(ticks(&[1e-4, 1e-3]).1, [1, 10]);
        let (tick, periods) = ticks(&[1e-4, 2.5e-4]);
        assert_eq!(periods, [2, 5]);
        assert!((tick - 5e-5).abs() < 1e-18);
    }
}
