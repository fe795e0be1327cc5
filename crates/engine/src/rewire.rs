//! Synapses that appear and disappear: rules of the model, and what a program asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use neuropil_backend::{Over, Renewable, Routine, Synapses};
use neuropil_base::{ScalarType, nearest};
use neuropil_connectivity::{ConnectError, Csr, Delays, FormatChoice, Origin, Storage, Walk};
use neuropil_kernels::program::{BufferId, Role, StructureId, Travel};
use neuropil_kernels::{Binding, Former, Lowered, ProjectionShape, once};
use neuropil_memory::{Element, HostBuffer};
use neuropil_model::{
    ClockId, Delay, Extent, Initial, Network, ObjectId, ProjectionId, RewiringKind, VariableId,
};

use crate::build::{Grown, format, grow, sorted};
use crate::change::Replaced;
use crate::pool::{Pool, compile, has_buffer};
use crate::{BuildError, Host, RunError, Simulation};

/// What decides for the rules that have been followed so far.
pub(crate) type Rules = BTreeMap<(ProjectionId, usize), Arc<Decider>>;

/// A rule, ready to run.
pub(crate) struct Decider {
    lowered: Lowered,
    routine: Box<dyn Routine>,
}

/// One synapse of a projection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Synapse {
    /// Its number: values of variables stand in this order. It changes when synapses appear or disappear.
    pub number: usize,
    /// Its presynaptic neuron, within the projection's source.
    pub pre: u32,
    /// Its postsynaptic neuron, within the projection's target.
    pub post: u32,
}

/// Synapses that are to appear.
struct New<'a> {
    csr: Csr,
    /// What their variables begin with.
    initial: &'a [(VariableId, Initial)],
}

impl Simulation {
    /// The synapses of a projection, in the order of their numbers.
    ///
    /// # Errors
    /// [`RunError::UnknownProjection`].
    pub fn synapses(&self, projection: &str) -> Result<Vec<Synapse>, RunError> {
        let id = self.projection(projection)?;
        let pairs = self.synapses[id.index()].rows.borrow()?.to_pairs();
        Ok(pairs.into_iter().enumerate().map(|(number, (pre, post))| Synapse { number, pre, post }).collect())
    }

    /// Removes the synapses of a projection for which `condition` holds; how many there were. The others keep their
    /// order, the values of their variables, and their delays.
    ///
    /// # Errors
    /// [`RunError::UnknownProjection`], [`RunError::Fixed`].
    pub fn prune(
        &mut self,
        projection: &str,
        condition: impl FnMut(Synapse) -> bool,
    ) -> Result<usize, RunError> {
        self.prune_at(projection, condition, ClockId::new(0))
    }

    fn prune_at(
        &mut self,
        projection: &str,
        mut condition: impl FnMut(Synapse) -> bool,
        clock: ClockId,
    ) -> Result<usize, RunError> {
        let id = self.projection(projection)?;
        let keep: Vec<bool> = self.synapses(projection)?.into_iter().map(|s| !condition(s)).collect();
        self.rewire(id, Some(&keep), None, clock)?;
        Ok(keep.iter().filter(|k| !**k).count())
    }

    /// Removes synapses of a projection, by their numbers.
    ///
    /// # Errors
    /// [`RunError::UnknownProjection`], [`RunError::NoSynapse`], [`RunError::Fixed`].
    pub fn prune_listed(&mut self, projection: &str, numbers: &[usize]) -> Result<usize, RunError> {
        let listed = self.these(projection, numbers)?;
        self.prune(projection, |s| listed.contains(&s.number))
    }

    fn these(&self, projection: &str, numbers: &[usize]) -> Result<BTreeSet<usize>, RunError> {
        let n_syn = self.shapes[self.projection(projection)?.index()].n_syn;
        match numbers.iter().find(|n| **n >= n_syn) {
            Some(number) => {
                Err(RunError::NoSynapse { projection: projection.to_owned(), number: *number, n_syn })
            }
            None => Ok(numbers.iter().copied().collect()),
        }
    }

    /// Adds synapses to a projection: one for each (source, target), counted within its groups, whether they are
    /// connected already or not. `values` gives variables a value per new synapse, or one for all, in SI base units;
    /// other variables, and delays, are as the model says, at the time that it is.
    ///
    /// # Errors
    /// [`RunError::UnknownProjection`], [`RunError::UnknownVariable`], [`RunError::Length`], [`RunError::Fixed`],
    /// [`RunError::Listed`] if the model lists the values of a variable or delay, and [`BuildError::Connect`] for
    /// neurons that are not in the groups.
    pub fn create(
        &mut self,
        projection: &str,
        pairs: &[(u32, u32)],
        values: &[(&str, &[f64])],
    ) -> Result<(), RunError> {
        self.create_at(projection, pairs, values, ClockId::new(0))
    }

    fn create_at(
        &mut self,
        projection: &str,
        pairs: &[(u32, u32)],
        values: &[(&str, &[f64])],
        clock: ClockId,
    ) -> Result<(), RunError> {
        let id = self.projection(projection)?;
        self.part(id)?;
        let network = Arc::clone(&self.network);
        let described = network.projection(id);
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_by_key(|k| pairs[*k]);
        let sorted: Vec<(u32, u32)> = order.iter().map(|k| pairs[*k]).collect();
        let mut initial = Vec::new();
        for (name, list) in values {
            let full = format!("{projection}.{name}");
            let found = described.variable_named(name).filter(|v| {
                described.variables[v.index()].extent == Extent::PerElement
                    && self.program.buffer_of(ObjectId::Projection(id), *v).is_some()
            });
            let Some(variable) = found else {
                let near = nearest(&full, self.variables()).map(str::to_owned);
                return Err(RunError::UnknownVariable { name: full, nearest: near });
            };
            let values = match list {
                [value] => vec![*value; pairs.len()],
                list if list.len() == pairs.len() => order.iter().map(|k| list[*k]).collect(),
                list => {
                    let (expected, found) = (pairs.len(), list.len());
                    return Err(RunError::Length { name: full, expected, found });
                }
            };
            initial.push((variable, Initial::Values(values)));
        }
        for (k, variable) in described.variables.iter().enumerate() {
            let id = VariableId::new(k);
            if initial.iter().any(|(v, _)| *v == id) {
                continue;
            }
            match &variable.initial {
                Initial::Zero => {}
                Initial::Expr(_) => initial.push((id, variable.initial.clone())),
                Initial::Column(_) | Initial::Values(_) => {
                    let what = format!("a value of `{}`", variable.name);
                    return Err(RunError::Listed { projection: projection.to_owned(), what });
                }
            }
        }
        initial.sort_by_key(|(variable, _)| *variable);
        let csr = Csr::from_pairs(described.source.len, described.target.len, &sorted)
            .map_err(|error| connect_error(&network, id, error))?;
        self.rewire(id, None, Some(New { csr, initial: &initial }), clock)
    }

    fn projection(&self, name: &str) -> Result<ProjectionId, RunError> {
        let projections = &self.network.projections;
        projections.iter().position(|p| p.name == name).map(ProjectionId::new).ok_or_else(|| {
            let near = nearest(name, projections.iter().map(|p| p.name.as_str())).map(str::to_owned);
            RunError::UnknownProjection { name: name.to_owned(), nearest: near }
        })
    }

    /// The step of a clock that runs now, or comes next.
    fn step_on(&self, clock: ClockId) -> i64 {
        self.machine.tick().div_ceil(self.program.clocks[clock.index()].period) as i64
    }

    /// Does what a rule of a projection says.
    pub(crate) fn apply_rule(&mut self, id: ProjectionId, rule: usize) -> Result<(), RunError> {
        let network = Arc::clone(&self.network);
        let Some(rewiring) = network.projection(id).rewirings.get(rule) else { return Ok(()) };
        let decider = match self.rules.get(&(id, rule)) {
            Some(known) => Arc::clone(known),
            None => {
                let lowered = once::rewiring(&network, id, rewiring).map_err(BuildError::from)?;
                let routine = compile(&*self.backend, &lowered)?;
                let made = Arc::new(Decider { lowered, routine });
                self.rules.insert((id, rule), Arc::clone(&made));
                made
            }
        };
        let mut pool = self.pool(|b| decider.lowered.bindings.contains(&b))?;
        pool.step = self.step_on(rewiring.clock);
        match &rewiring.kind {
            RewiringKind::Prune => {
                let keep = self.kept(&network, id, &decider, pool)?;
                self.rewire(id, Some(&keep), None, rewiring.clock)
            }
            RewiringKind::Create { initial, self_connections, multapses } => {
                let allowed = Allowed { self_connections: *self_connections, multapses: *multapses };
                let csr = self.chosen(&network, id, &decider, pool, allowed)?;
                self.rewire(id, None, Some(New { csr, initial }), rewiring.clock)
            }
        }
    }

    /// Which synapses a rule does not remove.
    fn kept(
        &self,
        network: &Network,
        id: ProjectionId,
        decider: &Decider,
        mut pool: Pool,
    ) -> Result<Vec<bool>, RunError> {
        let structure = &self.program.structures[id.index()];
        let rows = self.synapses[id.index()].rows.borrow()?;
        pool.insert(Binding::Output, HostBuffer::new(ScalarType::I32, rows.n_syn()));
        let bindings = pool.bindings(&decider.lowered).map_err(BuildError::from)?;
        let over =
            Over::Synapses { rows: &rows, pre_start: structure.pre_start, post_start: structure.post_start };
        pool.run_compiled(&*decider.routine, network.seed, &bindings, over).map_err(BuildError::from)?;
        let output = pool.take(Binding::Output);
        Ok(output.iter().flat_map(|o| o.as_slice::<i32>()).map(|gone| *gone == 0).collect())
    }

    /// The pairs that get a synapse by a rule.
    fn chosen(
        &self,
        network: &Network,
        id: ProjectionId,
        decider: &Decider,
        mut pool: Pool,
        allowed: Allowed,
    ) -> Result<Csr, RunError> {
        let projection = network.projection(id);
        let (source, target) = (&projection.source, &projection.target);
        let rows = self.synapses[id.index()].rows.borrow()?;
        let size = network.elements_of(target) as usize;
        pool.insert(Binding::Output, HostBuffer::new(ScalarType::I32, size));
        let bindings = pool.bindings(&decider.lowered).map_err(BuildError::from)?;
        let loops = allowed.self_connections || source.object != target.object;
        // The last row in which each target was connected, counted from 1.
        let mut connected = vec![0_u32; target.len as usize];
        let (mut offsets, mut targets) = (vec![0], Vec::new());
        for row in 0..source.len {
            if !allowed.multapses {
                rows.for_row(row, |_, post| connected[post as usize] = row + 1);
            }
            let pre = row + source.start;
            let over = Over::Row { pre, row, post_start: target.start, n_post: target.len };
            pool.run_compiled(&*decider.routine, network.seed, &bindings, over).map_err(BuildError::from)?;
            let taken = pool.get(Binding::Output).map_or(&[][..], HostBuffer::as_slice::<i32>);
            let taken = taken.get(target.start as usize..).unwrap_or(&[]);
            for (post, (taken, connected)) in (0..).zip(taken.iter().zip(&connected)) {
                if *taken != 0 && *connected != row + 1 && (loops || post + target.start != pre) {
                    targets.push(post);
                }
            }
            offsets.push(targets.len());
        }
        Csr::from_parts(source.len, target.len, offsets, targets)
            .map_err(|error| connect_error(network, id, error))
    }

    /// Removes the synapses that are not kept, adds new ones, and goes on with what is there then.
    fn rewire(
        &mut self,
        id: ProjectionId,
        keep: Option<&[bool]>,
        new: Option<New<'_>>,
        clock: ClockId,
    ) -> Result<(), RunError> {
        let changes = keep.is_some_and(|k| !k.iter().all(|kept| *kept))
            || new.as_ref().is_some_and(|n| n.csr.n_syn() > 0);
        if !changes {
            return Ok(());
        }
        let network = Arc::clone(&self.network);
        let projection = network.projection(id);
        let object = ObjectId::Projection(id);
        if let Some(why) = network.fixed_synapses(id) {
            return Err(RunError::Fixed { projection: projection.name.clone(), why });
        }
        self.part(id)?;
        let fail = |error| connect_error(&network, id, error);
        let grown = new.as_ref().map(|new| self.grown(&network, (id, clock), new)).transpose()?;
        let old = Arc::clone(&self.synapses[id.index()]);
        let nothing = Csr::empty(projection.source.len, projection.target.len);
        let added = new.as_ref().map_or(&nothing, |new| &new.csr);
        let kept = |k: usize| keep.is_none_or(|keep| keep.get(k).copied().unwrap_or(true));
        let (csr, origins) = old.rows.borrow()?.to_csr().rewired(kept, added).map_err(fail)?;

        let mut replaced = Replaced::default();
        for (k, variable) in (0..).map(VariableId::new).zip(&projection.variables) {
            let buffer = self.program.buffer_of(object, k).filter(|_| variable.extent == Extent::PerElement);
            let Some(buffer) = buffer else { continue };
            let before = self.machine.read(buffer)?;
            let begun = grown.as_ref().and_then(|g| g.pool.get(Binding::Variable(object, k)));
            replaced.variables.insert((object, k), gathered(before, begun, &origins));
        }
        let mut shape = self.shapes[id.index()].clone();
        shape.n_syn = csr.n_syn();
        for k in 0..projection.sums.len() {
            let sum = u32::try_from(k).unwrap_or(u32::MAX);
            let structure = StructureId::new(id.index());
            let role = Role::SumDelay { structure, sum };
            let Some(buffer) = self.program.buffers.iter().position(|b| b.role == role) else { continue };
            let before = self.machine.read(BufferId::new(buffer))?;
            let begun = grown.as_ref().and_then(|g| g.sum_delays[k].as_ref());
            if let Some(delays) = begun {
                shape.longest_sum_delay[k] = shape.longest_sum_delay[k].max(delays.max_steps());
            }
            let begun = begun.map(|delays| steps_of(delays, added.n_syn()));
            replaced.sum_delays.insert((structure, sum), gathered(before, begun.as_ref(), &origins));
        }
        let columns = old.columns.as_ref().map(|_| csr.transpose());
        let mut delayed = Vec::with_capacity(old.delayed.len());
        for (place, rows) in old.delayed.iter().enumerate() {
            let (Some(rows), Some(k)) = (rows, self.pathway_of(id, place)) else {
                delayed.push(None);
                continue;
            };
            let pathway = &projection.pathways[k];
            let (before, begun) = (rows.steps.borrow()?, grown.as_ref().and_then(|g| g.delays[k].as_ref()));
            let same = if let Delay::Steps(steps) = pathway.delay { steps } else { 0 };
            let of = |origin: &Origin| match origin {
                Origin::Kept(synapse) => before.steps(*synapse as usize),
                Origin::New(synapse) => begun.map_or(same, |delays| delays.steps(*synapse as usize)),
            };
            let delays = Delays::PerSynapse(origins.iter().map(of).collect::<Vec<_>>().into());
            // A delay that was longer than all others stays the longest when its synapse goes: nothing of the past that
            // is kept is forgotten.
            let longest = delays.max_steps();
            match shape.longest_delay.get_mut(place) {
                Some(known) => *known = (*known).max(longest),
                None => self.lengthen(&mut shape, id, place, longest),
            }
            let sorted = sorted(pathway.on, &csr, columns.as_ref(), &delays).map_err(fail)?;
            delayed.push(Some(sorted.into()));
        }
        let rows = self.stored(&network, id, csr)?;
        if let Some(Grown { remarks, .. }) = grown {
            for remark in remarks {
                if !self.remarks.contains(&remark) {
                    self.remarks.push(remark);
                }
            }
        }
        self.circumstances.rewired.insert(id);
        let columns = columns.map(Renewable::kept);
        self.replace(id, shape, Arc::new(Synapses { rows: rows.into(), columns, delayed }));
        self.adopt(replaced)
    }

    /// The pathway whose delays stand at a place among those of a projection: its own, or those that events which are
    /// under way keep from before.
    fn pathway_of(&self, id: ProjectionId, place: usize) -> Option<usize> {
        let elsewhere = self.circumstances.times.values().flat_map(|e| e.former.get(id.index()));
        let mut former = self.shapes[id.index()].former.iter().chain(elsewhere.flatten());
        if place < self.network.projection(id).pathways.len() {
            return Some(place);
        }
        former.find(|f| is_at(f, place)).map(|f| f.pathway)
    }

    /// Says how long the longest delay at a place is that events keep from before.
    fn lengthen(&mut self, shape: &mut ProjectionShape, id: ProjectionId, place: usize, longest: u32) {
        let elsewhere = self.circumstances.times.values_mut().filter_map(|e| e.former.get_mut(id.index()));
        for former in elsewhere.flatten().chain(&mut shape.former).filter(|f| is_at(f, place)) {
            if let Travel::PerSynapse { longest: known, .. } = &mut former.travel {
                *known = longest.max(*known);
            }
        }
    }

    /// The format that the model asks for, if it still holds all synapses.
    fn stored(&mut self, network: &Network, id: ProjectionId, csr: Csr) -> Result<Storage, RunError> {
        let projection = network.projection(id);
        let asked = format(projection.format);
        let stored = match asked {
            FormatChoice::Dense => match Storage::choose(csr.clone(), asked) {
                Err(ConnectError::NotDense { .. }) => {
                    let remark = format!(
                        "projection `{}`: it has more than one synapse of a pair by now, so it is no longer dense",
                        projection.name
                    );
                    if !self.remarks.contains(&remark) {
                        self.remarks.push(remark);
                    }
                    Storage::choose(csr, FormatChoice::Auto)
                }
                other => other,
            },
            FormatChoice::Auto | FormatChoice::Csr | FormatChoice::Ell => Storage::choose(csr, asked),
        };
        stored.map(|(rows, _)| rows).map_err(|error| connect_error(network, id, error))
    }

    /// What new synapses begin with.
    fn grown(
        &mut self,
        network: &Network,
        (id, clock): (ProjectionId, ClockId),
        new: &New<'_>,
    ) -> Result<Grown, RunError> {
        let projection = network.projection(id);
        let delays = projection.pathways.iter().map(|p| (p.name.as_str(), &p.delay));
        for (name, delay) in delays.chain(projection.sums.iter().map(|s| ("sum", &s.delay))) {
            if matches!(delay, Delay::Column(_) | Delay::Values(_)) {
                let what = format!("a delay of `{name}`");
                return Err(RunError::Listed { projection: projection.name.clone(), what });
            }
        }
        // Synapses of all projections are many; new ones depend on neurons and on what synapses share.
        let mut pool = self.pool(|binding| match binding {
            Binding::Variable(object @ ObjectId::Projection(of), variable) => {
                let described = &network.variables(object)[variable.index()];
                // Values of other synapses are only seen through links.
                of != id || described.extent == Extent::Shared || !has_buffer(&described.kind)
            }
            Binding::Variable(ObjectId::Population(_), _)
            | Binding::Table(_)
            | Binding::Output
            | Binding::Internal(_) => true,
        })?;
        let step = self.step_on(clock);
        pool.step = step;
        // Synapses that are made in one step, or while the network is built, have the same numbers: what they begin
        // with is drawn apart by how many there are already.
        pool.salt = (self.shapes[id.index()].n_syn as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut grown = grow(network, &*self.backend, pool, (id, clock), &new.csr, new.initial)?;
        if let Some(variable) = projection.last_update {
            // Event-driven variables have their initial values now, not when the run began.
            let mut times = HostBuffer::new(ScalarType::F64, new.csr.n_syn());
            times.as_mut_slice::<f64>().fill(step as f64 * network.clock(clock).dt);
            grown.pool.insert(Binding::Variable(ObjectId::Projection(id), variable), times);
        }
        Ok(grown)
    }
}

impl Host<'_> {
    /// The synapses of a projection, in the order of their numbers.
    ///
    /// # Errors
    /// [`RunError::UnknownProjection`].
    pub fn synapses(&self, projection: &str) -> Result<Vec<Synapse>, RunError> {
        self.simulation.synapses(projection)
    }

    /// Removes synapses as [`Simulation::prune`] does. Operations behind this one in the step see the others only.
    ///
    /// # Errors
    /// Those of [`Simulation::prune`].
    pub fn prune(
        &mut self,
        projection: &str,
        condition: impl FnMut(Synapse) -> bool,
    ) -> Result<usize, RunError> {
        self.simulation.prune_at(projection, condition, self.clock)
    }

    /// Removes synapses by their numbers, as [`Simulation::prune_listed`] does.
    ///
    /// # Errors
    /// Those of [`Simulation::prune_listed`].
    pub fn prune_listed(&mut self, projection: &str, numbers: &[usize]) -> Result<usize, RunError> {
        let listed = self.simulation.these(projection, numbers)?;
        self.prune(projection, |s| listed.contains(&s.number))
    }

    /// Adds synapses as [`Simulation::create`] does, at the operation's step.
    ///
    /// # Errors
    /// Those of [`Simulation::create`].
    pub fn create(
        &mut self,
        projection: &str,
        pairs: &[(u32, u32)],
        values: &[(&str, &[f64])],
    ) -> Result<(), RunError> {
        self.simulation.create_at(projection, pairs, values, self.clock)
    }
}

/// Which pairs may get a synapse.
#[derive(Clone, Copy)]
struct Allowed {
    self_connections: bool,
    multapses: bool,
}

fn connect_error(network: &Network, id: ProjectionId, error: ConnectError) -> RunError {
    BuildError::Connect { projection: network.projection(id).name.clone(), error }.into()
}

fn is_at(former: &Former, place: usize) -> bool {
    matches!(former.travel, Travel::PerSynapse { pathway, .. } if pathway as usize == place)
}

fn steps_of(delays: &Delays, n_syn: usize) -> HostBuffer {
    let mut buffer = HostBuffer::new(ScalarType::I32, n_syn);
    for (synapse, steps) in buffer.as_mut_slice::<i32>().iter_mut().enumerate() {
        *steps = i32::try_from(delays.steps(synapse)).unwrap_or(i32::MAX);
    }
    buffer
}

/// Values of the synapses that there are now, from those of before and those of new ones, which are zero if there are
/// none.
fn gathered(before: &HostBuffer, begun: Option<&HostBuffer>, origins: &[Origin]) -> HostBuffer {
    fn fill<T: Element>(
        to: &mut HostBuffer,
        before: &HostBuffer,
        begun: Option<&HostBuffer>,
        origins: &[Origin],
    ) {
        let (before, begun) = (before.as_slice::<T>(), begun.map_or(&[][..], HostBuffer::as_slice::<T>));
        for (to, origin) in to.as_mut_slice::<T>().iter_mut().zip(origins) {
            let from = match origin {
                Origin::Kept(k) => before.get(*k as usize),
                Origin::New(k) => begun.get(*k as usize),
            };
            if let Some(from) = from {
                *to = *from;
            }
        }
    }
    let mut to = HostBuffer::new(before.ty(), origins.len());
    match before.ty() {
        ScalarType::Bool => fill::<u8>(&mut to, before, begun, origins),
        ScalarType::I32 => fill::<i32>(&mut to, before, begun, origins),
        ScalarType::I64 => fill::<i64>(&mut to, before, begun, origins),
        ScalarType::F32 => fill::<f32>(&mut to, before, begun, origins),
        ScalarType::F64 => fill::<f64>(&mut to, before, begun, origins),
    }
    to
}
