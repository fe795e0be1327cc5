//! Builds a network: initial values, synapses, delays, program, machine.

mod again;
mod anew;
mod connect;
mod room;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use neuropil_backend::{Backend, BackendError, Image, Over, Recipe, Renewable, Synapses};
use neuropil_base::{Scalar, ScalarType};
use neuropil_connectivity::{
    ConnectError, Csr, DelayRows, Delays, DelaysRounded, FormatChoice, Storage, Transposed, Walk,
};
use neuropil_kernels::program::{Buffer, Owner, Program, Role, StructureId};
use neuropil_kernels::{Binding, Lowered, ProjectionShape, once};
use neuropil_memory::HostBuffer;
use neuropil_model::{
    ClockId, Delay, Endpoint, Expr, Extent, Format, Group, Initial, Network, ObjectId, PopulationId,
    Projection, ProjectionId, RecorderKind, Side, TableId, VarRef, VariableId, VariableKind,
};
use neuropil_schedule::Plan;

pub(crate) use anew::{Grown, Reconnected, grow, reconnect, redelay};

use crate::BuildError;
use crate::build::again::{Evaluation, Timed};
use crate::link::{check_indices, population_order, variable_order};
use crate::pool::{Pool, has_buffer, lower};
use crate::trace::of_each_neuron;

/// A network ready to be loaded into a machine, and what building it said.
#[derive(Debug)]
pub(crate) struct Built {
    pub image: Image,
    /// The network, groups of synapses with their sizes.
    pub network: Network,
    /// One per projection.
    pub shapes: Vec<ProjectionShape>,
    /// How projections are stored and why, and how many delays per synapse were rounded.
    pub remarks: Vec<String>,
}

/// Who is connected, and what else the list of pairs said.
struct Connected {
    csr: Csr,
    /// For lists and files: the position in the list of each synapse, in canonical order.
    order: Option<Vec<u32>>,
    /// Further columns of a file, in canonical order.
    columns: Vec<(String, Vec<f64>)>,
    /// How to make them again.
    again: Option<Recipe<Csr>>,
}

impl Connected {
    fn none() -> Self {
        Self { csr: Csr::empty(0, 0), order: None, columns: Vec::new(), again: None }
    }
}

/// Where the delays of a projection are evaluated.
struct Place<'a> {
    object: ObjectId,
    over: Over<'a>,
    connected: &'a Connected,
    n_syn: usize,
    /// The step that they are counted in, in seconds.
    dt: f64,
}

/// Builds everything that the machine needs; `off` takes no part.
pub(crate) fn build(
    network: &Network,
    backend: &dyn Backend,
    threads: usize,
    off: &BTreeSet<Owner>,
) -> Result<Built, BuildError> {
    // Mistakes that only integration finds are told before any synapse is made.
    lower(backend, network, &vec![ProjectionShape::default(); network.projections.len()])?;
    room::check(network, crate::system::available_memory())?;
    let mut network = network.clone();
    let mut builder = Builder::new(&network, backend, Pool::default());
    builder.tables();
    for (i, population) in network.populations.iter().enumerate() {
        let object = ObjectId::Population(PopulationId::new(i));
        builder.pool.add_object(&network, object, population.size as usize);
    }
    for id in population_order(&network) {
        builder.population(id)?;
    }
    let mut shapes = Vec::new();
    for i in 0..network.projections.len() {
        let (shape, made) = builder.projection(ProjectionId::new(i))?;
        let n_syn = shape.n_syn;
        shapes.push(shape);
        builder.made.push(Arc::new(made));
        // Those that end on it are made with its size.
        let Builder { pool, draw, remarks, sum_delays, made, again, .. } = builder;
        resize_groups(&mut network, ProjectionId::new(i), n_syn)?;
        builder =
            Builder { network: &network, backend, pool, draw, clock: None, remarks, sum_delays, made, again };
    }
    recorded_synapses_exist(&network, &shapes)?;
    check_indices(&network, &builder.pool, &shapes)?;
    let program = lower(backend, &network, &shapes)?.without(off);
    let plan = Plan::new(&program);
    let synapses = std::mem::take(&mut builder.made);
    let buffers = builder.contents(&program, &synapses)?;
    let again = program.buffers.iter().map(|buffer| match buffer.role {
        Role::Variable(object, variable) => builder.again.remove(&(object, variable)),
        Role::Trace(..)
        | Role::LastArrival(..)
        | Role::Table
        | Role::InDegree(_)
        | Role::OutDegree(_)
        | Role::SynapseCount(_)
        | Role::SumDelay { .. }
        | Role::History { .. }
        | Role::Scratch => None,
    });
    let again = again.collect();
    Ok(Built {
        image: Image { program: Arc::new(program), plan: Arc::new(plan), buffers, again, synapses, threads },
        shapes,
        remarks: builder.remarks,
        network,
    })
}

/// Tells the projections that end on one how many synapses it has.
fn resize_groups(network: &mut Network, id: ProjectionId, n_syn: usize) -> Result<(), BuildError> {
    let object = ObjectId::Projection(id);
    let projection = network.projection(id).name.clone();
    let groups = network.projections.iter_mut().flat_map(|p| [&mut p.source, &mut p.target]);
    for group in groups.filter(|g| g.object == object) {
        // Numbers of elements are `i32` in code.
        group.len = u32::try_from(n_syn).ok().filter(|n| *n <= i32::MAX as u32).ok_or_else(|| {
            let error = ConnectError::TooManySynapses { n_syn: n_syn as u64 };
            BuildError::Connect { projection: projection.clone(), error }
        })?;
    }
    Ok(())
}

/// The numbers of synapses that a buffer holds: in all, or at each neuron of a population; `None` if it holds none.
pub(crate) fn counted(
    program: &Program,
    synapses: &[Arc<Synapses>],
    buffer: &Buffer,
) -> Result<Option<HostBuffer>, BackendError> {
    let empty = HostBuffer::new(buffer.ty, buffer.len);
    Ok(match buffer.role {
        Role::InDegree(structure) => {
            let shape = &program.structures[structure.index()];
            let rows = synapses[structure.index()].rows.borrow()?;
            Some(degrees(empty, &rows, |_, post| post + shape.post_start))
        }
        Role::OutDegree(structure) => {
            let shape = &program.structures[structure.index()];
            let rows = synapses[structure.index()].rows.borrow()?;
            Some(degrees(empty, &rows, |pre, _| pre + shape.pre_start))
        }
        Role::SynapseCount(structure) => Some(number(program.structures[structure.index()].n_syn)),
        Role::Variable(..)
        | Role::Trace(..)
        | Role::LastArrival(..)
        | Role::Table
        | Role::SumDelay { .. }
        | Role::History { .. }
        | Role::Scratch => None,
    })
}

/// Refuses recorders of synapses that were not made; how many there are is only known now.
fn recorded_synapses_exist(network: &Network, shapes: &[ProjectionShape]) -> Result<(), BuildError> {
    for recorder in &network.recorders {
        let RecorderKind::State { object: ObjectId::Projection(id), elements, .. } = &recorder.kind else {
            continue;
        };
        let n_syn = shapes[id.index()].n_syn;
        if let Some(element) = elements.iter().find(|e| **e as usize >= n_syn) {
            return Err(BuildError::Element {
                recorder: recorder.name.clone(),
                projection: network.projection(*id).name.clone(),
                element: *element,
                n_syn,
            });
        }
    }
    Ok(())
}

/// The synapses of a projection sorted by the delays of a pathway.
pub(crate) fn sorted(
    on: Endpoint,
    csr: &Csr,
    columns: Option<&Transposed>,
    delays: &Delays,
) -> Result<DelayRows, ConnectError> {
    match (on, columns) {
        (Endpoint::Post, Some(columns)) => DelayRows::by_post(columns, delays),
        (Endpoint::Pre | Endpoint::Post, _) => DelayRows::by_pre(csr, delays),
    }
}

struct Builder<'a> {
    network: &'a Network,
    backend: &'a dyn Backend,
    pool: Pool,
    /// How many times synapses have been made anew: each time they are drawn from other random streams.
    draw: u32,
    /// The clock whose `t` and `dt` expressions see; that of their object if there is none.
    clock: Option<ClockId>,
    remarks: Vec<String>,
    /// How old the presynaptic values of weighted sums are, in steps per synapse.
    sum_delays: BTreeMap<(StructureId, u32), HostBuffer>,
    /// The synapses of the projections before.
    made: Vec<Arc<Synapses>>,
    /// How to make the first values of variables again.
    again: BTreeMap<(ObjectId, VariableId), Recipe<HostBuffer>>,
}

impl<'a> Builder<'a> {
    fn new(network: &'a Network, backend: &'a dyn Backend, pool: Pool) -> Self {
        Self {
            network,
            backend,
            pool,
            draw: 0,
            clock: None,
            remarks: Vec::new(),
            sum_delays: BTreeMap::new(),
            made: Vec::new(),
            again: BTreeMap::new(),
        }
    }

    fn tables(&mut self) {
        let ty = self.network.precision.float();
        for (i, table) in self.network.tables.iter().enumerate() {
            let mut buffer = HostBuffer::new(ty, table.values.len());
            for (k, value) in table.values.iter().enumerate() {
                buffer.set(k, Scalar::from_f64(ty, *value));
            }
            self.pool.insert(Binding::Table(TableId::new(i)), buffer);
        }
    }

    fn population(&mut self, id: PopulationId) -> Result<(), BuildError> {
        let size = self.network.population(id).size;
        let object = ObjectId::Population(id);
        self.initial_values(object, size as usize, None, |_| Over::Elements { start: 0, len: size })
    }

    /// Gives all variables of an object their initial values, in order.
    fn initial_values<'r>(
        &mut self,
        object: ObjectId,
        size: usize,
        connected: Option<&Connected>,
        over: impl Fn(Extent) -> Over<'r>,
    ) -> Result<(), BuildError> {
        for id in variable_order(self.network, object) {
            let variable = &self.network.variables(object)[id.index()];
            if !has_buffer(&variable.kind) {
                continue;
            }
            let len = if variable.extent == Extent::Shared { 1 } else { size };
            let target = (object, id);
            self.initial_value(target, &variable.initial, len, connected, over(variable.extent))?;
        }
        Ok(())
    }

    /// Gives one variable its initial values.
    fn initial_value(
        &mut self,
        (object, id): (ObjectId, VariableId),
        value: &Initial,
        len: usize,
        connected: Option<&Connected>,
        over: Over<'_>,
    ) -> Result<(), BuildError> {
        let variable = &self.network.variables(object)[id.index()];
        let name = format!("{}.{}", self.network.object_name(object), variable.name);
        let buffer = match value {
            Initial::Zero => return Ok(()),
            Initial::Expr(e) => {
                let clock = self.clock.unwrap_or(self.network.clock_of(object));
                let lowered = once::initial_on(self.network, (object, clock), id, e);
                self.evaluate(&lowered, e, variable.ty, len, over)?
            }
            Initial::Column(column) => {
                let values = self.column(object, connected, column)?;
                filled(&name, variable.ty, len, values)?
            }
            Initial::Values(values) => filled(&name, variable.ty, len, &canonical(values, connected))?,
        };
        let parameter = matches!(variable.kind, VariableKind::Parameter { .. });
        if let Some(element) = crate::run::first_wrong(&buffer, parameter) {
            let value = buffer.get(element).to_f64();
            return Err(BuildError::Initial { variable: name, element, value });
        }
        self.pool.insert(Binding::Variable(object, id), buffer);
        Ok(())
    }

    fn column<'c>(
        &self,
        object: ObjectId,
        connected: Option<&'c Connected>,
        wanted: &str,
    ) -> Result<&'c [f64], BuildError> {
        let columns = connected.map_or(&[][..], |c| &c.columns);
        columns.iter().find(|(n, _)| n == wanted).map(|(_, values)| values.as_slice()).ok_or_else(|| {
            let known: Vec<String> = columns.iter().map(|(n, _)| format!("`{n}`")).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let projection = self.network.object_name(object).to_owned();
            BuildError::Column { projection, column: wanted.to_owned(), known }
        })
    }

    /// The output of a kernel that computes one value per element; constants are filled in without running it.
    fn evaluate(
        &mut self,
        lowered: &Lowered,
        value: &Expr,
        ty: ScalarType,
        len: usize,
        over: Over<'_>,
    ) -> Result<HostBuffer, BuildError> {
        let mut output = HostBuffer::new(ty, len);
        if let Some(constant) = value.as_constant() {
            output.fill(0..len, Scalar::from_f64(ty, constant.to_f64()));
            return Ok(output);
        }
        self.pool.insert(Binding::Output, output);
        self.pool.run(self.backend, self.network.seed, lowered, over)?;
        Ok(self.pool.take(Binding::Output).unwrap_or_else(|| HostBuffer::new(ty, len)))
    }

    fn projection(&mut self, id: ProjectionId) -> Result<(ProjectionShape, Synapses), BuildError> {
        let network = self.network;
        let projection = network.projection(id);
        let object = ObjectId::Projection(id);
        let fail = |error| BuildError::Connect { projection: projection.name.clone(), error };
        let mut connected = self.connect(id)?;
        let csr = std::mem::replace(&mut connected.csr, Csr::empty(0, 0));
        let again = connected.again.take();
        let n_syn = csr.n_syn();
        let needs_columns = projection.pathways.iter().any(|p| p.on == Endpoint::Post);
        let transposed = needs_columns.then(|| csr.transpose());
        // Variables are given their values over plain rows; the walk of every format is the same.
        let rows = Storage::Csr(csr);
        let over = Over::Synapses {
            rows: &rows,
            pre_start: projection.source.start,
            post_start: projection.target.start,
        };
        self.pool.add_object(network, object, n_syn);
        self.counts(id, &rows);
        self.initial_values(object, n_syn, Some(&connected), |extent| match extent {
            Extent::PerElement => over,
            Extent::Shared => Over::Elements { start: 0, len: 1 },
        })?;
        let (shape, delayed) = self.travel(id, &rows, &connected)?;
        let Storage::Csr(csr) = rows else {
            return Err(fail(ConnectError::TooManySynapses { n_syn: n_syn as u64 }));
        };
        let choice = format(projection.format);
        let (rows, reason) = Storage::choose(csr, choice).map_err(fail)?;
        self.remarks.push(format!(
            "projection `{}`: {n_syn} synapses, {} ({reason}), {} bytes",
            projection.name,
            rows.name(),
            rows.bytes()
        ));
        let rows = again::stored(rows, again, choice);
        let columns = transposed.map(Renewable::kept);
        let delayed = delayed.into_iter().map(|of| Some(of?.of(&rows, columns.as_ref()))).collect();
        for (variable, evaluation) in self.evaluations(id) {
            self.again.insert((object, variable), evaluation.recipe(&rows));
        }
        Ok((shape, Synapses { rows, columns, delayed }))
    }

    /// How to make the first values of the synapses again, for those variables where that is known.
    fn evaluations(&self, id: ProjectionId) -> Vec<(VariableId, Evaluation)> {
        let (network, projection, object) =
            (self.network, self.network.projection(id), ObjectId::Projection(id));
        let clock = self.clock.unwrap_or(network.clock_of(object));
        let variables = (0..).map(VariableId::new).zip(&projection.variables);
        let known = variables.filter_map(|(k, variable)| match &variable.initial {
            Initial::Expr(e) if has_buffer(&variable.kind) && variable.extent == Extent::PerElement => {
                let lowered = once::initial_on(network, (object, clock), k, e);
                let what = (&lowered, e, variable.ty);
                Some((k, Evaluation::of(self.backend, &self.pool, network.seed, what, projection)?))
            }
            Initial::Expr(_) | Initial::Zero | Initial::Column(_) | Initial::Values(_) => None,
        });
        known.collect()
    }

    /// The delays per synapse of a projection's pathways and sums: the longest of each, and those of pathways.
    fn travel(
        &mut self,
        id: ProjectionId,
        rows: &Storage,
        connected: &Connected,
    ) -> Result<(ProjectionShape, Vec<Option<Timed>>), BuildError> {
        let network = self.network;
        let projection = network.projection(id);
        let object = ObjectId::Projection(id);
        let n_syn = rows.n_syn();
        let over = whole(projection, rows);
        let mut shape = ProjectionShape {
            n_syn,
            longest_delay: vec![0; projection.pathways.len()],
            longest_sum_delay: vec![0; projection.sums.len()],
            former: Vec::new(),
            parted: false,
        };
        let mut delayed = Vec::new();
        for k in 0..projection.pathways.len() {
            let found = self.pathway(id, k, rows, connected)?;
            shape.longest_delay[k] = found.as_ref().map_or(0, |of| of.delays.max_steps());
            delayed.push(found);
        }
        for (k, sum) in projection.sums.iter().enumerate() {
            let dt = network.clock(network.clock_of(sum.target.object)).dt;
            let place = Place { object, over, connected, n_syn, dt };
            let Some(delays) = self.delays(&format!("sum{k}"), &sum.delay, &place)? else { continue };
            shape.longest_sum_delay[k] = delays.max_steps();
            let mut buffer = HostBuffer::new(ScalarType::I32, n_syn);
            for (synapse, steps) in buffer.as_mut_slice::<i32>().iter_mut().enumerate() {
                *steps = i32::try_from(delays.steps(synapse)).unwrap_or(i32::MAX);
            }
            self.sum_delays.insert((StructureId::new(id.index()), k as u32), buffer);
        }
        Ok((shape, delayed))
    }

    /// The delays of a pathway whose synapses have their own.
    fn pathway(
        &mut self,
        id: ProjectionId,
        k: usize,
        rows: &Storage,
        connected: &Connected,
    ) -> Result<Option<Timed>, BuildError> {
        let network = self.network;
        let projection = network.projection(id);
        let pathway = &projection.pathways[k];
        let dt = network.clock(network.clock_of(projection.end(pathway.on).object)).dt;
        let (object, over) = (ObjectId::Projection(id), whole(projection, rows));
        let place = Place { object, over, connected, n_syn: rows.n_syn(), dt };
        let Some(delays) = self.delays(&pathway.name, &pathway.delay, &place)? else { return Ok(None) };
        let again = match &pathway.delay {
            Delay::PerSynapse(e) => {
                let lowered = self.delay_kernel(&pathway.name, object, e);
                let what = (&lowered, e, ScalarType::F64);
                Evaluation::of(self.backend, &self.pool, network.seed, what, projection)
            }
            Delay::None | Delay::Steps(_) | Delay::Column(_) | Delay::Values(_) => None,
        };
        Ok(Some(Timed { on: pathway.on, delays, again: again.map(|evaluation| (evaluation, dt)) }))
    }

    /// The kernel that computes the delays of a pathway or a sum, in seconds.
    fn delay_kernel(&self, name: &str, object: ObjectId, delay: &Expr) -> Lowered {
        let name = format!("{}.{name}.delay", self.network.object_name(object));
        let clock = self.clock.unwrap_or(self.network.clock_of(object));
        once::evaluate_on(self.network, (object, clock), &name, delay, ScalarType::F64)
    }

    /// Delays per synapse, in steps; `None` if all synapses have one.
    fn delays(&mut self, name: &str, delay: &Delay, place: &Place<'_>) -> Result<Option<Delays>, BuildError> {
        let Place { object, over, connected, n_syn, dt } = *place;
        let network = self.network;
        let projection = network.object_name(object);
        let evaluated;
        let seconds = match delay {
            Delay::None | Delay::Steps(_) => return Ok(None),
            Delay::PerSynapse(e) => {
                let lowered = self.delay_kernel(name, object, e);
                evaluated = self.evaluate(&lowered, e, ScalarType::F64, n_syn, over)?;
                Cow::Borrowed(evaluated.as_slice())
            }
            Delay::Column(column) => Cow::Borrowed(self.column(object, Some(connected), column)?),
            Delay::Values(values) => {
                let values = canonical(values, Some(connected));
                if values.len() != n_syn {
                    let variable = format!("{projection}.delay");
                    return Err(BuildError::Length { variable, found: values.len(), expected: n_syn });
                }
                values
            }
        };
        let DelaysRounded { delays, n_inexact } = Delays::from_seconds(&seconds, dt)
            .map_err(|error| BuildError::Connect { projection: projection.to_owned(), error })?;
        if n_inexact > 0 {
            self.remarks.push(format!(
                "projection `{projection}`: {n_inexact} of its delays are not whole steps of {dt} s and were rounded"
            ));
        }
        Ok(Some(delays))
    }

    /// The numbers of synapses that code names.
    fn counts(&mut self, id: ProjectionId, rows: &Storage) {
        let network = self.network;
        let projection = network.projection(id);
        let (pre, post) = (&projection.source, &projection.target);
        let zero = |g: &Group| HostBuffer::new(ScalarType::I32, network.elements_of(g) as usize);
        for (i, variable) in projection.variables.iter().enumerate() {
            let counts = match variable.kind {
                VariableKind::Degree(Endpoint::Pre) => degrees(zero(pre), rows, |n, _| n + pre.start),
                VariableKind::Degree(Endpoint::Post) => degrees(zero(post), rows, |_, n| n + post.start),
                VariableKind::Count => number(rows.n_syn()),
                VariableKind::State
                | VariableKind::Parameter { .. }
                | VariableKind::Subexpression(_)
                | VariableKind::LastSpike
                | VariableKind::NotRefractory
                | VariableKind::SumTarget
                | VariableKind::Held
                | VariableKind::Link(_) => continue,
            };
            let binding = Binding::Variable(ObjectId::Projection(id), VariableId::new(i));
            self.pool.insert(binding, counts);
        }
    }

    /// The contents of every buffer of the program.
    fn contents(
        &mut self,
        program: &Program,
        synapses: &[Arc<Synapses>],
    ) -> Result<Vec<HostBuffer>, BuildError> {
        let mut first_rows = Vec::new();
        for buffer in &program.buffers {
            first_rows.push(match buffer.role {
                Role::History { object, variable, .. } => self.first_values(object, variable, synapses)?,
                Role::Variable(..)
                | Role::Trace(..)
                | Role::LastArrival(..)
                | Role::Table
                | Role::InDegree(_)
                | Role::OutDegree(_)
                | Role::SynapseCount(_)
                | Role::SumDelay { .. }
                | Role::Scratch => None,
            });
        }
        let mut contents: Vec<HostBuffer> = program
            .buffers
            .iter()
            .enumerate()
            .map(|(k, buffer)| {
                let empty = || HostBuffer::new(buffer.ty, buffer.len);
                Ok(match buffer.role {
                    Role::Variable(object, variable) => {
                        self.pool.take(Binding::Variable(object, variable)).unwrap_or_else(empty)
                    }
                    Role::Trace(id, variable, _) => {
                        let binding = Binding::Variable(ObjectId::Projection(id), variable);
                        of_each_neuron(buffer, self.pool.take(binding).as_ref())
                    }
                    Role::Table => {
                        let first = program.buffers.iter().position(|b| b.role == Role::Table).unwrap_or(k);
                        self.pool.take(Binding::Table(TableId::new(k - first))).unwrap_or_else(empty)
                    }
                    Role::InDegree(_) | Role::OutDegree(_) | Role::SynapseCount(_) => {
                        counted(program, synapses, buffer)?.unwrap_or_else(empty)
                    }
                    Role::SumDelay { structure, sum } => {
                        self.sum_delays.remove(&(structure, sum)).unwrap_or_else(empty)
                    }
                    Role::LastArrival(..) | Role::History { .. } | Role::Scratch => empty(),
                })
            })
            .collect::<Result<_, BuildError>>()?;
        for (k, buffer) in program.buffers.iter().enumerate() {
            let row = match buffer.role {
                Role::History { object, variable, .. } => {
                    let stored = program.buffer_of(object, variable).map(|of| &contents[of.index()]);
                    first_rows[k].take().or_else(|| stored.cloned())
                }
                Role::Variable(..)
                | Role::Trace(..)
                | Role::LastArrival(..)
                | Role::Table
                | Role::InDegree(_)
                | Role::OutDegree(_)
                | Role::SynapseCount(_)
                | Role::SumDelay { .. }
                | Role::Scratch => None,
            };
            if let Some(row) = row {
                for i in 0..buffer.len {
                    contents[k].set(i, row.get(i % row.len().max(1)));
                }
            }
        }
        Ok(contents)
    }

    /// The values of a subexpression, or of a link, before the first step; `None` for what has a buffer.
    fn first_values(
        &mut self,
        object: ObjectId,
        variable: VariableId,
        synapses: &[Arc<Synapses>],
    ) -> Result<Option<HostBuffer>, BuildError> {
        let network = self.network;
        let described = &network.variables(object)[variable.index()];
        let itself = Expr::variable(VarRef { object, variable, side: Side::Own }, described.ty);
        let value = match &described.kind {
            VariableKind::Subexpression(value) => value,
            VariableKind::Link(_) => &itself,
            VariableKind::State
            | VariableKind::Parameter { .. }
            | VariableKind::LastSpike
            | VariableKind::NotRefractory
            | VariableKind::SumTarget
            | VariableKind::Held
            | VariableKind::Degree(_)
            | VariableKind::Count => return Ok(None),
        };
        let name = format!("{}.{}", network.object_name(object), described.name);
        let lowered = once::evaluate(network, object, &name, value, described.ty);
        let rows;
        let (over, len) = match object {
            ObjectId::Population(id) => {
                let size = network.population(id).size;
                (Over::Elements { start: 0, len: size }, size as usize)
            }
            ObjectId::Projection(id) => {
                rows = synapses[id.index()].rows.borrow()?;
                (whole(network.projection(id), &rows), rows.n_syn())
            }
        };
        let (over, len) = match described.extent {
            Extent::PerElement => (over, len),
            Extent::Shared => (Over::Elements { start: 0, len: 1 }, 1),
        };
        self.evaluate(&lowered, value, described.ty, len, over).map(Some)
    }
}

/// Values that were given in the order of a list of pairs, in canonical order; a list of the wrong length is left
/// to who checks it.
fn canonical<'v>(values: &'v [f64], connected: Option<&Connected>) -> Cow<'v, [f64]> {
    match connected.and_then(|c| c.order.as_ref()) {
        Some(order) if order.len() == values.len() => order.iter().map(|i| values[*i as usize]).collect(),
        Some(_) | None => Cow::Borrowed(values),
    }
}

/// All synapses of a projection.
fn whole<'r>(projection: &Projection, rows: &'r Storage) -> Over<'r> {
    Over::Synapses { rows, pre_start: projection.source.start, post_start: projection.target.start }
}

fn filled(name: &str, ty: ScalarType, len: usize, values: &[f64]) -> Result<HostBuffer, BuildError> {
    if values.len() != len {
        return Err(BuildError::Length { variable: name.to_owned(), found: values.len(), expected: len });
    }
    let mut buffer = HostBuffer::new(ty, len);
    for (i, value) in values.iter().enumerate() {
        buffer.set(i, Scalar::from_f64(ty, *value));
    }
    Ok(buffer)
}

fn degrees(mut counts: HostBuffer, rows: &Storage, of: impl Fn(u32, u32) -> u32) -> HostBuffer {
    let list = counts.as_mut_slice::<i32>();
    for pre in 0..rows.n_pre() {
        rows.for_row(pre, |_, post| list[of(pre, post) as usize] += 1);
    }
    counts
}

fn number(n: usize) -> HostBuffer {
    let mut buffer = HostBuffer::new(ScalarType::I32, 1);
    buffer.set(0, Scalar::I32(i32::try_from(n).unwrap_or(i32::MAX)));
    buffer
}

pub(crate) fn format(format: Format) -> FormatChoice {
    match format {
        Format::Auto => FormatChoice::Auto,
        Format::Csr => FormatChoice::Csr,
        Format::Ell => FormatChoice::Ell,
        Format::Dense => FormatChoice::Dense,
    }
}

/// Refuses what cannot fit into the machine's memory, before any of it is made.
fn fits(what: impl Fn() -> String, needed: u64) -> Result<(), BuildError> {
    match crate::system::available_memory() {
        Some(available) if needed > available => Err(BuildError::Memory { what: what(), needed, available }),
        Some(_) | None => Ok(()),
    }
}
