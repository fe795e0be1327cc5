//! Variables of synapses that are kept once per neuron: shown as if each synapse had its own, and given to each as soon
//! as synapses of one neuron become different.

use neuropil_backend::Over;
use neuropil_base::{Scalar, ScalarType};
use neuropil_connectivity::{Storage, Walk as _};
use neuropil_kernels::program::{Buffer, BufferId, Role, Structure, StructureId};
use neuropil_kernels::{Binding, Traces, once};
use neuropil_memory::HostBuffer;
use neuropil_model::{Change, Endpoint, Initial, ObjectId, ProjectionId, VariableId};

use crate::change::Replaced;
use crate::pool::Pool;
use crate::{BuildError, RunError, Simulation};

/// What each neuron keeps if all synapses hold the same, from the values of synapses; zero if there are none.
pub(crate) fn of_each_neuron(buffer: &Buffer, synapses: Option<&HostBuffer>) -> HostBuffer {
    let mut neurons = HostBuffer::new(buffer.ty, buffer.len);
    if let Some(first) = synapses.filter(|s| !s.is_empty()).map(|s| s.get(0)) {
        neurons.fill(0..buffer.len, first);
    }
    neurons
}

/// The first synapse whose neuron keeps a value that is not finite, and the value; neurons without synapses do not count.
pub(crate) fn first_wrong_synapse(
    neurons: &HostBuffer,
    structure: &Structure,
    rows: &Storage,
    end: Endpoint,
) -> Option<(usize, f64)> {
    for pre in 0..rows.n_pre() {
        let mut found = None;
        rows.for_row(pre, |synapse, post| {
            let neuron = match end {
                Endpoint::Pre => structure.pre_start + pre,
                Endpoint::Post => structure.post_start + post,
            };
            let value = neurons.get(neuron as usize).to_f64();
            if found.is_none() && !value.is_finite() {
                found = Some((synapse, value));
            }
        });
        if found.is_some() {
            return found;
        }
    }
    None
}

impl Simulation {
    /// What is kept per neuron of a projection.
    fn traces(&self, id: ProjectionId) -> Traces {
        Traces::of(&self.network, id, self.shapes.get(id.index()))
    }

    /// Projections of which something is kept per neuron.
    fn traced(&self) -> Vec<ProjectionId> {
        let mut found: Vec<ProjectionId> = Vec::new();
        for buffer in &self.program.buffers {
            if let Role::Trace(id, ..) = buffer.role
                && !found.contains(&id)
            {
                found.push(id);
            }
        }
        found
    }

    /// The name of the variable that tells when synapses were last updated, for the first of the buffers that it follows
    /// from, if synapses do not keep it.
    pub(crate) fn derived_name<'n>(&self, structure: StructureId, last_arrival: &'n str) -> Option<&'n str> {
        let (name, _) = last_arrival.split_once('@')?;
        let first =
            self.program.buffers.iter().find(|b| matches!(b.role, Role::LastArrival(s, _) if s == structure));
        let is_kept = self.program.buffers.iter().any(|b| b.name == name);
        (!is_kept && first.is_some_and(|b| b.name == last_arrival)).then_some(name)
    }

    /// Variables of synapses that have no value per synapse, but show one.
    pub(crate) fn shown_variables(&self) -> Vec<(ProjectionId, VariableId)> {
        let mut found = Vec::new();
        for id in self.traced() {
            let object = ObjectId::Projection(id);
            for k in (0..self.network.variables(object).len()).map(VariableId::new) {
                let is_last = self.network.projection(id).last_update == Some(k);
                let is_derived = is_last && self.program.buffer_of(object, k).is_none();
                if is_derived || self.program.trace_of(id, k).is_some() {
                    found.push((id, k));
                }
            }
        }
        found
    }

    /// The variable of synapses of that name, if it is one of those.
    pub(crate) fn shown_named(&self, name: &str) -> Option<(ProjectionId, VariableId)> {
        let (projection, variable) = name.rsplit_once('.')?;
        self.shown_variables().into_iter().find(|(id, k)| {
            let of = self.network.projection(*id);
            of.name == projection && of.variables[k.index()].name == variable
        })
    }

    /// What synapses would hold of a variable that is kept per neuron if each had its own: its value at the synapse's
    /// last event.
    pub(crate) fn shown(&mut self, id: ProjectionId, variable: VariableId) -> Result<HostBuffer, RunError> {
        let network = std::sync::Arc::clone(&self.network);
        let traces = self.traces(id);
        let lowered = once::shown(&network, id, &traces, variable).map_err(BuildError::from)?;
        let described = &network.projection(id).variables[variable.index()];
        let n_syn = self.shapes[id.index()].n_syn;
        let mut pool = Pool::default();
        for binding in &lowered.bindings {
            let found = match binding {
                Binding::Output => {
                    pool.insert(Binding::Output, HostBuffer::new(described.ty, n_syn));
                    continue;
                }
                Binding::Variable(ObjectId::Projection(of), k)
                    if self.program.trace_of(*of, *k).is_some() =>
                {
                    self.program.trace_of(*of, *k).map(|(buffer, _)| buffer)
                }
                Binding::Variable(object, k) => self.program.buffer_of(*object, *k),
                Binding::Internal(_) => [Endpoint::Pre, Endpoint::Post]
                    .into_iter()
                    .find(|end| once::last_arrival(*end) == *binding)
                    .and_then(|end| self.last_arrival(id, end)),
                Binding::Table(_) => None,
            };
            if let Some(buffer) = found {
                pool.insert(*binding, self.machine.read(buffer)?.clone());
            }
        }
        let structure = &self.program.structures[id.index()];
        let rows = self.synapses[id.index()].rows.borrow()?;
        let over =
            Over::Synapses { rows: &rows, pre_start: structure.pre_start, post_start: structure.post_start };
        pool.run(&*self.backend, network.seed, &lowered, over)?;
        Ok(pool.take(Binding::Output).unwrap_or_else(|| HostBuffer::new(described.ty, n_syn)))
    }

    fn last_arrival(&self, id: ProjectionId, end: Endpoint) -> Option<BufferId> {
        let role = Role::LastArrival(StructureId::new(id.index()), end);
        self.program.buffers.iter().position(|b| b.role == role).map(BufferId::new)
    }

    /// Whether nothing has been run yet, so that no event has reached a synapse.
    fn at_start(&self) -> bool {
        self.circumstances.steps == 0 && self.machine.tick() == 0
    }

    /// The values of synapses for all that is kept per neuron of a projection.
    fn spread(&mut self, id: ProjectionId) -> Result<Replaced, RunError> {
        let mut replaced = Replaced::default();
        for (of, variable) in self.shown_variables() {
            if of == id {
                let values = self.shown(id, variable)?;
                replaced.variables.insert((ObjectId::Projection(id), variable), values);
            }
        }
        Ok(replaced)
    }

    /// From now on each synapse of a projection keeps all its variables itself.
    pub(crate) fn part(&mut self, id: ProjectionId) -> Result<(), RunError> {
        if self.shapes[id.index()].parted || self.network.projection(id).event_driven.is_empty() {
            return Ok(());
        }
        let replaced = self.spread(id)?;
        self.shapes[id.index()].parted = true;
        if replaced.variables.is_empty() { Ok(()) } else { self.adopt(replaced) }
    }

    /// Parts synapses before a variable changes that they keep per neuron, or with which what they keep decays.
    pub(crate) fn part_for(&mut self, object: ObjectId, variable: VariableId) -> Result<(), RunError> {
        for id in self.traced() {
            let own = object == ObjectId::Projection(id) && self.shown_variables().contains(&(id, variable));
            if own || !self.at_start() && self.traces(id).coefficients.contains(&(object, variable)) {
                self.part(id)?;
            }
        }
        Ok(())
    }

    /// Gives all synapses one value of a variable that is kept per neuron, before the first step; whether it did.
    pub(crate) fn set_at_start(
        &mut self,
        id: ProjectionId,
        variable: VariableId,
        values: &[f64],
    ) -> Result<bool, RunError> {
        let n_syn = self.shapes[id.index()].n_syn;
        let [first, rest @ ..] = values else { return Ok(false) };
        let same = rest.iter().all(|v| v.to_bits() == first.to_bits());
        let fits = values.len() == 1 || values.len() == n_syn;
        let Some((buffer, _)) = self.program.trace_of(id, variable) else { return Ok(false) };
        if !(same && fits && self.at_start()) {
            return Ok(false);
        }
        let (ty, len): (ScalarType, usize) = {
            let described = &self.program.buffers[buffer.index()];
            (described.ty, described.len)
        };
        self.machine.write(buffer)?.fill(0..len, Scalar::from_f64(ty, *first));
        Ok(true)
    }

    /// Gives all synapses one value of a variable that is kept per neuron, as an act of the model says, before the first
    /// step; whether it did.
    pub(crate) fn change_at_start(&mut self, change: &Change) -> Result<bool, RunError> {
        let ObjectId::Projection(id) = change.object else { return Ok(false) };
        let n_syn = self.shapes[id.index()].n_syn;
        let Some((buffer, _)) = self.program.trace_of(id, change.variable).filter(|_| self.at_start()) else {
            return Ok(false);
        };
        let ty = self.program.buffers[buffer.index()].ty;
        let values = match &change.value {
            Initial::Zero => vec![0.0],
            Initial::Values(values) => values.clone(),
            Initial::Column(_) => return Ok(false),
            Initial::Expr(e) => self.evaluate(change.object, change.variable, e, (ty, n_syn))?.to_f64(),
        };
        self.set_at_start(id, change.variable, &values)
    }

    /// Before a delay of a projection changes: what its synapses hold then. Events that are under way keep their delay, so
    /// those of one neuron no longer arrive together, unless nothing has been run.
    pub(crate) fn before_delay(&mut self, id: ProjectionId) -> Result<Replaced, RunError> {
        let all_kept = self.traces(id).apart.is_empty();
        if self.at_start() && all_kept {
            return self.spread(id);
        }
        self.part(id)?;
        Ok(Replaced::default())
    }
}
