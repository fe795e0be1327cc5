//! Changes between runs: variables, delays, synapses, and what is switched on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use neuropil_backend::{Change as MachineChange, Over, Synapses};
use neuropil_base::{Scalar, ScalarType};
use neuropil_kernels::program::{Buffer, BufferId, Owner, Program, Role, StructureId, Travel};
use neuropil_kernels::{Binding, Former, Lowered, ProjectionShape, once};
use neuropil_memory::HostBuffer;
use neuropil_model::{
    Change, Connect, Delay, Endpoint, Expr, Extent, Group, Initial, Network, ObjectId, PopulationId,
    ProjectionId, RecorderId, Side, StopId, TableId, VarRef, VariableId, VariableKind,
};
use neuropil_schedule::Plan;

use crate::build::{Reconnected, counted, reconnect, redelay};
use crate::link::check_indices;
use crate::pool::{Pool, lower, needed};
use crate::simulation::{Circumstances, watched};
use crate::trace::of_each_neuron;
use crate::{BuildError, RunError, Simulation};

/// What takes no part in the step: what was switched off, what is outside of the subnetwork that runs, and stop
/// conditions but the one that counts.
pub(crate) fn switched_off(network: &Network, circumstances: &Circumstances) -> BTreeSet<Owner> {
    let mut off = circumstances.off.clone();
    if let Some(id) = circumstances.subnetwork {
        let within = &network.subnetworks[id.index()];
        let populations = (0..network.populations.len()).map(|k| ObjectId::Population(PopulationId::new(k)));
        let projections = (0..network.projections.len()).map(|k| ObjectId::Projection(ProjectionId::new(k)));
        let outside = populations.chain(projections).filter(|o| !within.objects.contains(o));
        off.extend(outside.map(Owner::Object));
        let recorded =
            (0..).zip(&network.recorders).filter(|(_, r)| !within.objects.contains(&r.kind.object()));
        off.extend(recorded.map(|(k, _)| Owner::Recorder(RecorderId::new(k))));
    }
    let stops = (0..network.stops.len()).map(StopId::new);
    off.extend(stops.filter(|s| Some(*s) != circumstances.stop).map(Owner::Stop));
    off
}

/// New contents of buffers.
#[derive(Default)]
pub(crate) struct Replaced {
    pub variables: BTreeMap<(ObjectId, VariableId), HostBuffer>,
    pub sum_delays: BTreeMap<(StructureId, u32), HostBuffer>,
    /// A projection whose synapses are new, so that no event has reached them.
    pub anew: Option<ProjectionId>,
}

/// A ring of values of the past, each row the same.
fn rows_of(buffer: &Buffer, row: HostBuffer) -> HostBuffer {
    let mut ring = HostBuffer::new(buffer.ty, buffer.len);
    if !row.is_empty() {
        (0..buffer.len).for_each(|i| ring.set(i, row.get(i % row.len())));
    }
    ring
}

impl Simulation {
    /// Brings the machine's program up to date with what is switched on.
    pub(crate) fn refresh(&mut self) -> Result<(), RunError> {
        let off = switched_off(&self.network, &self.circumstances);
        if off == self.off { Ok(()) } else { self.adopt(Replaced::default()) }
    }

    /// Loads the network as it is now: what is replaced has new contents, other buffers keep theirs.
    pub(crate) fn adopt(&mut self, mut replaced: Replaced) -> Result<(), RunError> {
        let off = switched_off(&self.network, &self.circumstances);
        let program =
            lower(&*self.backend, &self.network, &self.shapes).map_err(BuildError::from)?.without(&off);
        let mut buffers = Vec::with_capacity(program.buffers.len());
        for buffer in &program.buffers {
            let new = match buffer.role {
                Role::Variable(object, variable) => replaced.variables.remove(&(object, variable)),
                Role::Trace(id, variable, _) => {
                    let per_synapse = replaced.variables.remove(&(ObjectId::Projection(id), variable));
                    per_synapse.map(|values| of_each_neuron(buffer, Some(&values)))
                }
                Role::LastArrival(structure, _) => replaced
                    .anew
                    .filter(|id| id.index() == structure.index())
                    .map(|_| HostBuffer::new(buffer.ty, buffer.len)),
                Role::SumDelay { structure, sum } => replaced.sum_delays.remove(&(structure, sum)),
                Role::Table
                | Role::InDegree(_)
                | Role::OutDegree(_)
                | Role::SynapseCount(_)
                | Role::History { .. }
                | Role::Scratch => None,
            };
            buffers.push(match new {
                Some(contents) => Some(contents),
                None => self.contents(&program, buffer)?,
            });
        }
        let plan = Arc::new(Plan::new(&program));
        let program = Arc::new(program);
        let synapses = self.synapses.clone();
        let change =
            MachineChange { program: Arc::clone(&program), plan: Arc::clone(&plan), buffers, synapses };
        self.machine.change(change).map_err(BuildError::from)?;
        self.watched = watched(&program);
        self.program = program;
        self.plan = plan;
        self.off = off;
        Ok(())
    }

    /// New contents of a buffer that cannot keep what it holds.
    fn contents(&mut self, program: &Program, buffer: &Buffer) -> Result<Option<HostBuffer>, RunError> {
        let old = self.program.buffers.iter().position(|b| b.name == buffer.name).map(BufferId::new);
        let same = old.filter(|id| {
            let old = &self.program.buffers[id.index()];
            old.ty == buffer.ty && old.len == buffer.len
        });
        match (buffer.role, same) {
            (Role::InDegree(_) | Role::OutDegree(_) | Role::SynapseCount(_), _) => {
                Ok(counted(program, &self.synapses, buffer)?)
            }
            (_, Some(_)) => Ok(None),
            (Role::History { .. }, None) => Ok(Some(self.history(buffer)?)),
            (
                Role::Variable(..)
                | Role::Trace(..)
                | Role::LastArrival(..)
                | Role::Table
                | Role::SumDelay { .. }
                | Role::Scratch,
                None,
            ) => Ok(Some(HostBuffer::new(buffer.ty, buffer.len))),
        }
    }

    /// A ring of past values that there was not before. What another ring of the variable keeps is taken over; what is
    /// older than its oldest values is as they are. Without one, the past was as it is now.
    fn history(&mut self, buffer: &Buffer) -> Result<HostBuffer, RunError> {
        let Role::History { object, variable, rows, clock } = buffer.role else {
            return Ok(HostBuffer::new(buffer.ty, buffer.len));
        };
        let others = self.program.buffers.iter().enumerate().filter_map(|(k, b)| match b.role {
            Role::History { object: o, variable: v, rows, clock: c }
                if (o, v, c) == (object, variable, clock) =>
            {
                Some((BufferId::new(k), rows))
            }
            _ => None,
        });
        let Some((known, had)) = others.max_by_key(|(_, rows)| *rows) else {
            let row = self.now(object, variable)?;
            return Ok(rows_of(buffer, row));
        };
        let period = self.program.clocks.get(clock.index()).map_or(1, |c| c.period);
        let step = (self.machine.tick() / period) as i64;
        let old = self.machine.read(known)?;
        let size = buffer.len / rows as usize;
        let mut ring = HostBuffer::new(buffer.ty, buffer.len);
        let place = |step: i64, rows: u32| step.rem_euclid(i64::from(rows)) as usize * size;
        for back in 0..rows {
            let to = place(step - i64::from(back), rows);
            let from = place(step - i64::from(back.min(had - 1)), had);
            (0..size).for_each(|i| ring.set(to + i, old.get(from + i)));
        }
        Ok(ring)
    }

    /// The values of a variable, which may be a subexpression or a link.
    fn now(&mut self, object: ObjectId, variable: VariableId) -> Result<HostBuffer, RunError> {
        if let Some(buffer) = self.program.buffer_of(object, variable) {
            return Ok(self.machine.read(buffer)?.clone());
        }
        let network = Arc::clone(&self.network);
        let described = &network.variables(object)[variable.index()];
        let len = match object {
            _ if described.extent == Extent::Shared => 1,
            ObjectId::Population(id) => network.population(id).size as usize,
            ObjectId::Projection(id) => self.shapes[id.index()].n_syn,
        };
        let itself = Expr::variable(VarRef { object, variable, side: Side::Own }, described.ty);
        let value = match &described.kind {
            VariableKind::Subexpression(value) => value,
            _ => &itself,
        };
        self.evaluate(object, variable, value, (described.ty, len))
    }

    /// Copies of the buffers of the program, by what they stand for.
    pub(crate) fn pool(&mut self, wanted: impl Fn(Binding) -> bool) -> Result<Pool, RunError> {
        let mut pool = Pool::default();
        let mut tables = 0;
        for k in 0..self.program.buffers.len() {
            let binding = match self.program.buffers[k].role {
                Role::Variable(object, variable) => Binding::Variable(object, variable),
                Role::Table => {
                    tables += 1;
                    Binding::Table(TableId::new(tables - 1))
                }
                Role::InDegree(of) | Role::OutDegree(of) | Role::SynapseCount(of) => {
                    match self.count_named(of, self.program.buffers[k].role) {
                        Some(binding) => binding,
                        None => continue,
                    }
                }
                Role::Trace(..)
                | Role::LastArrival(..)
                | Role::SumDelay { .. }
                | Role::History { .. }
                | Role::Scratch => continue,
            };
            if wanted(binding) {
                let contents = self.machine.read(BufferId::new(k))?.clone();
                pool.insert(binding, contents);
            }
        }
        for (id, variable) in self.shown_variables() {
            let binding = Binding::Variable(ObjectId::Projection(id), variable);
            if wanted(binding) {
                let contents = self.shown(id, variable)?;
                pool.insert(binding, contents);
            }
        }
        Ok(pool)
    }

    /// The variable by which code of a projection names a number of synapses.
    fn count_named(&self, of: StructureId, role: Role) -> Option<Binding> {
        let id = ProjectionId::new(of.index());
        let wanted = match role {
            Role::InDegree(_) => VariableKind::Degree(Endpoint::Post),
            Role::OutDegree(_) => VariableKind::Degree(Endpoint::Pre),
            Role::SynapseCount(_) => VariableKind::Count,
            Role::Variable(..)
            | Role::Trace(..)
            | Role::LastArrival(..)
            | Role::Table
            | Role::SumDelay { .. }
            | Role::History { .. }
            | Role::Scratch => return None,
        };
        let variable = self.network.projection(id).variables.iter().position(|v| v.kind == wanted)?;
        Some(Binding::Variable(ObjectId::Projection(id), VariableId::new(variable)))
    }

    /// The step of the clock of an object that comes next.
    fn step_of(&self, object: ObjectId) -> i64 {
        let clock = match object {
            ObjectId::Population(id) => self.network.population(id).clock,
            ObjectId::Projection(id) => self.network.projection(id).clock,
        };
        self.machine.tick().div_ceil(self.program.clocks[clock.index()].period) as i64
    }

    /// Gives a variable new values, evaluated per element for the step that comes next.
    ///
    /// # Errors
    /// [`RunError::Length`] for a list of the wrong length.
    pub fn change(&mut self, change: &Change) -> Result<(), RunError> {
        let Change { object, variable, range, value, span: _ } = change;
        if range.is_none() && self.change_at_start(change)? {
            return Ok(());
        }
        self.part_for(*object, *variable)?;
        let Some(target) = self.program.buffer_of(*object, *variable) else { return Ok(()) };
        let Buffer { name, ty, len, .. } = self.program.buffers[target.index()].clone();
        let (start, count) = match range {
            Some((start, count)) if len > 1 => (*start as usize, *count as usize),
            Some(_) | None => (0, len),
        };
        let wrong = |found| RunError::Length { name: name.clone(), expected: count, found };
        let values: Vec<Scalar> = match value {
            Initial::Zero => vec![Scalar::from_f64(ty, 0.0); count],
            Initial::Values(values) if values.len() == count => {
                values.iter().map(|x| Scalar::from_f64(ty, *x)).collect()
            }
            Initial::Values(values) => return Err(wrong(values.len())),
            // Only the file that a projection is made from has columns; the analysis refuses others.
            Initial::Column(_) => return Err(wrong(0)),
            Initial::Expr(e) => {
                let all = self.evaluate(*object, *variable, e, (ty, len))?;
                (start..start + count).map(|k| all.get(k)).collect()
            }
        };
        let buffer = self.machine.write(target)?;
        for (k, value) in (start..).zip(values) {
            buffer.set(k, value);
        }
        Ok(())
    }

    /// The values of an expression, one per element of a variable.
    pub(crate) fn evaluate(
        &mut self,
        object: ObjectId,
        variable: VariableId,
        value: &Expr,
        (ty, len): (ScalarType, usize),
    ) -> Result<HostBuffer, RunError> {
        let network = Arc::clone(&self.network);
        let lowered: Lowered = once::initial(&network, object, variable, value);
        let mut pool = self.pool(|b| lowered.bindings.contains(&b))?;
        pool.step = self.step_of(object);
        pool.insert(Binding::Output, HostBuffer::new(ty, len));
        let shared = network.variables(object)[variable.index()].extent == Extent::Shared;
        let elements = u32::try_from(len).unwrap_or(u32::MAX);
        let rows;
        let over = match object {
            ObjectId::Projection(id) if !shared => {
                let structure = &self.program.structures[StructureId::new(id.index()).index()];
                rows = self.synapses[id.index()].rows.borrow()?;
                Over::Synapses {
                    rows: &rows,
                    pre_start: structure.pre_start,
                    post_start: structure.post_start,
                }
            }
            ObjectId::Population(_) | ObjectId::Projection(_) => Over::Elements { start: 0, len: elements },
        };
        pool.run(&*self.backend, network.seed, &lowered, over)?;
        Ok(pool.take(Binding::Output).unwrap_or_else(|| HostBuffer::new(ty, len)))
    }

    /// Gives a pathway of a projection another delay. Events that have happened keep the delay that they set out with,
    /// as in Brian 2.
    ///
    /// # Errors
    /// [`BuildError::Connect`] for delays that are no times.
    pub fn set_delay(
        &mut self,
        projection: ProjectionId,
        pathway: usize,
        delay: Delay,
    ) -> Result<(), RunError> {
        if matches!(delay, Delay::Column(_) | Delay::Values(_))
            && self.circumstances.rewired.contains(&projection)
        {
            let changed = self.network.projection(projection);
            return Err(RunError::Listed {
                projection: changed.name.clone(),
                what: format!("a delay of `{}` of their own", changed.pathways[pathway].name),
            });
        }
        let replaced = self.before_delay(projection)?;
        let mut network = (*self.network).clone();
        let (k, of) = (projection.index(), &mut network.projections[projection.index()]);
        let before = std::mem::replace(&mut of.pathways[pathway].delay, delay);
        let group = match of.pathways[pathway].on {
            Endpoint::Pre => &of.source,
            Endpoint::Post => &of.target,
        };
        let (emitter, n_pathways) = (group.object, of.pathways.len());
        let read = needed(&network, projection);
        let mut pool = self.pool(|b| read.contains(&b))?;
        pool.step = self.step_of(ObjectId::Projection(projection));
        let old = &self.synapses[k];
        let (longest, mut made, remarks) =
            redelay(&network, &*self.backend, pool, (projection, pathway), old)?;
        let now = self.step_of(emitter);
        let former = &mut self.shapes[k].former;
        // Whoever waits no longer leaves room for another.
        former.retain(|f| f.emitted.1.saturating_add(i64::from(f.longest()) + 1) >= now);
        let in_use = |place: usize| {
            let is_there =
                |t: &Travel| matches!(t, Travel::PerSynapse { pathway, .. } if *pathway as usize == place);
            place < n_pathways || former.iter().any(|f| is_there(&f.travel))
        };
        let travel = match (&before, old.delayed.get(pathway).cloned().flatten()) {
            (Delay::Steps(steps), _) => Travel::Steps(*steps),
            (_, Some(sorted)) => {
                let place = (0..).find(|p| !in_use(*p)).unwrap_or(made.delayed.len());
                made.delayed.resize(made.delayed.len().max(place + 1), None);
                made.delayed[place] = Some(sorted);
                let longest = self.shapes[k].longest_delay[pathway];
                Travel::PerSynapse { pathway: place as u32, longest }
            }
            (_, None) => Travel::Steps(0),
        };
        let shape = &mut self.shapes[k];
        let same = shape.former.iter().filter(|f| f.pathway == pathway);
        let since = same.map(|f| f.emitted.1).max().unwrap_or(i64::MIN);
        // No event was emitted before step 0.
        if since.max(0) < now {
            shape.former.push(Former { pathway, travel, emitted: (since, now) });
        }
        shape.longest_delay[pathway] = longest;
        self.network = Arc::new(network);
        self.synapses[k] = Arc::new(made);
        self.remarks.extend(remarks);
        self.adopt(replaced)
    }

    /// Makes the synapses of a projection anew, with their initial values.
    ///
    /// # Errors
    /// [`BuildError`] if they cannot be made; the old ones stay then.
    pub fn reconnect(&mut self, projection: ProjectionId, connect: Connect) -> Result<(), RunError> {
        let mut network = (*self.network).clone();
        let ends = |g: &Group| g.object == ObjectId::Projection(projection);
        if let Some(other) = network
            .projections
            .iter()
            .find(|p| ends(&p.source) || ends(&p.target) || p.connect.shares() == Some(projection))
        {
            return Err(RunError::EndsThere {
                projection: network.projection(projection).name.clone(),
                other: other.name.clone(),
            });
        }
        network.projections[projection.index()].connect = connect;
        let read = needed(&network, projection);
        let mut pool = self.pool(|b| read.contains(&b))?;
        pool.step = self.step_of(ObjectId::Projection(projection));
        let draw = self.circumstances.draws + 1;
        let made = reconnect(&network, &*self.backend, pool, projection, draw)?;
        let Reconnected { shape, synapses, mut pool, sum_delays, remarks } = made;
        let mut shapes = self.shapes.clone();
        shapes[projection.index()] = shape.clone();
        check_indices(&network, &pool, &shapes)?;
        let object = ObjectId::Projection(projection);
        let mut replaced = Replaced { sum_delays, anew: Some(projection), ..Replaced::default() };
        for k in (0..network.variables(object).len()).map(VariableId::new) {
            if let Some(contents) = pool.take(Binding::Variable(object, k)) {
                replaced.variables.insert((object, k), contents);
            }
        }
        self.network = Arc::new(network);
        self.circumstances.draws = draw;
        self.circumstances.rewired.remove(&projection);
        self.replace(projection, shape, Arc::new(synapses));
        self.remarks.extend(remarks);
        self.adopt(replaced)
    }

    pub(crate) fn replace(&mut self, id: ProjectionId, shape: ProjectionShape, synapses: Arc<Synapses>) {
        self.shapes[id.index()] = shape;
        self.synapses[id.index()] = synapses;
    }

    /// Switches objects and recorders on or off. What is off neither advances nor emits, acts or records; events that it
    /// emitted before still arrive.
    ///
    /// # Errors
    /// [`RunError`] if the machine refuses the changed program.
    pub fn switch(&mut self, what: impl IntoIterator<Item = Owner>, on: bool) -> Result<(), RunError> {
        for owner in what {
            if on {
                self.circumstances.off.remove(&owner);
            } else {
                self.circumstances.off.insert(owner);
            }
        }
        self.refresh()
    }
}
