//! Buffers of a network under construction, by what they stand for.

use std::collections::{BTreeMap, BTreeSet};

use neuropil_backend::{Backend, BackendError, Once, Over, Routine};
use neuropil_base::{Scalar, ScalarType};
use neuropil_ir::prepare;
use neuropil_kernels::program::BufferId;
use neuropil_kernels::{Binding, LowerError, Lowered, Program, ProjectionShape, lower_with, once};
use neuropil_memory::HostBuffer;
use neuropil_model::{
    Connect, Delay, Extent, Initial, Link, LinkPlace, Network, ObjectId, PopulationId, ProjectionId,
    VariableId, VariableKind,
};

use crate::BuildError;

/// Buffers by binding, so that kernels can run before there is a program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    places: BTreeMap<Binding, BufferId>,
    buffers: Vec<HostBuffer>,
    /// The step that times and random numbers are taken at.
    pub step: i64,
    /// Changes the random numbers of kernels that run more than once at a step.
    pub salt: u64,
}

impl Pool {
    pub(crate) fn insert(&mut self, binding: Binding, buffer: HostBuffer) {
        match self.places.get(&binding) {
            Some(place) => self.buffers[place.index()] = buffer,
            None => {
                self.places.insert(binding, BufferId::new(self.buffers.len()));
                self.buffers.push(buffer);
            }
        }
    }

    pub(crate) fn get(&self, binding: Binding) -> Option<&HostBuffer> {
        self.places.get(&binding).map(|p| &self.buffers[p.index()])
    }

    pub(crate) fn take(&mut self, binding: Binding) -> Option<HostBuffer> {
        let place = self.places.get(&binding)?;
        Some(std::mem::replace(&mut self.buffers[place.index()], HostBuffer::new(ScalarType::Bool, 0)))
    }

    /// Adds the variables of an object, zero, with `size` elements each.
    pub(crate) fn add_object(&mut self, network: &Network, object: ObjectId, size: usize) {
        for (i, variable) in network.variables(object).iter().enumerate() {
            if !has_buffer(&variable.kind) {
                continue;
            }
            let len = if variable.extent == Extent::Shared { 1 } else { size };
            let mut buffer = HostBuffer::new(variable.ty, len);
            if matches!(variable.kind, VariableKind::NotRefractory) {
                buffer.fill(0..len, Scalar::Bool(true));
            }
            self.insert(Binding::Variable(object, VariableId::new(i)), buffer);
        }
    }

    /// Adds the variables that an object has one value per element of, zero; those that its elements share stay.
    pub(crate) fn add_elements(&mut self, network: &Network, object: ObjectId, size: usize) {
        for (i, variable) in network.variables(object).iter().enumerate() {
            if has_buffer(&variable.kind) && variable.extent == Extent::PerElement {
                let binding = Binding::Variable(object, VariableId::new(i));
                self.insert(binding, HostBuffer::new(variable.ty, size));
            }
        }
    }

    /// Runs a lowered kernel once; its output is the buffer of [`Binding::Output`].
    pub(crate) fn run(
        &mut self,
        backend: &dyn Backend,
        seed: u64,
        lowered: &Lowered,
        over: Over<'_>,
    ) -> Result<(), BuildError> {
        let routine = compile(backend, lowered)?;
        let bindings = self.bindings(lowered)?;
        self.run_compiled(&*routine, seed, &bindings, over)?;
        Ok(())
    }

    /// Runs a kernel that was compiled before, with [`bindings`](Self::bindings) of this pool.
    pub(crate) fn run_compiled(
        &mut self,
        routine: &dyn Routine,
        seed: u64,
        bindings: &[BufferId],
        over: Over<'_>,
    ) -> Result<(), BackendError> {
        routine.run(Once {
            over,
            seed: seed ^ self.salt,
            step: self.step,
            buffers: &mut self.buffers,
            bindings,
        })
    }

    /// Where the buffers of a lowered kernel are.
    pub(crate) fn bindings(&self, lowered: &Lowered) -> Result<Vec<BufferId>, BackendError> {
        let place = |(k, binding): (usize, &Binding)| {
            self.places.get(binding).copied().ok_or_else(|| BackendError::Binding {
                kernel: lowered.kernel.name.clone(),
                slot: lowered.kernel.slots[k].name.clone(),
            })
        };
        lowered.bindings.iter().enumerate().map(place).collect()
    }

    /// The buffers that a lowered kernel needs, alone.
    pub(crate) fn only(&self, lowered: &Lowered) -> Self {
        let mut pool = Self { step: self.step, salt: self.salt, ..Self::default() };
        for binding in &lowered.bindings {
            if let Some(buffer) = self.get(*binding) {
                pool.insert(*binding, buffer.clone());
            }
        }
        pool
    }
}

/// What the kernels read that run when the synapses of a projection are made: values of other objects among them.
pub(crate) fn needed(network: &Network, id: ProjectionId) -> BTreeSet<Binding> {
    let projection = network.projection(id);
    let object = ObjectId::Projection(id);
    let mut kernels: Vec<Lowered> = Vec::new();
    for (k, variable) in projection.variables.iter().enumerate() {
        if let Initial::Expr(e) = &variable.initial {
            kernels.push(once::initial(network, object, VariableId::new(k), e));
        }
    }
    let delays = projection.pathways.iter().map(|p| &p.delay).chain(projection.sums.iter().map(|s| &s.delay));
    for delay in delays {
        if let Delay::PerSynapse(e) = delay {
            kernels.push(once::evaluate(network, object, "delay", e, ScalarType::F64));
        }
    }
    if let Connect::Condition { condition, probability, .. } = &projection.connect {
        kernels.push(once::connection(network, id, condition.as_ref(), probability.as_ref()));
    }
    let read = kernels.into_iter().flat_map(|k| k.bindings);
    // Links that lead to these synapses are checked again.
    let populations = (0..network.populations.len()).map(|k| ObjectId::Population(PopulationId::new(k)));
    let projections = (0..network.projections.len()).map(|k| ObjectId::Projection(ProjectionId::new(k)));
    let leading = populations.chain(projections).flat_map(|from| {
        network.variables(from).iter().filter_map(move |variable| match &variable.kind {
            VariableKind::Link(Link { object: to, place: LinkPlace::Index { index, .. }, .. })
                if *to == object =>
            {
                Some(Binding::Variable(from, *index))
            }
            _ => None,
        })
    });
    read.chain(leading).collect()
}

/// Whether a variable has values of its own; numbers of synapses are inserted once those are made.
pub(crate) fn has_buffer(kind: &VariableKind) -> bool {
    match kind {
        VariableKind::State
        | VariableKind::Parameter { .. }
        | VariableKind::LastSpike
        | VariableKind::NotRefractory
        | VariableKind::SumTarget
        | VariableKind::Held => true,
        VariableKind::Subexpression(_)
        | VariableKind::Link(_)
        | VariableKind::Degree(_)
        | VariableKind::Count => false,
    }
}

/// A lowered kernel, ready to run.
pub(crate) fn compile(backend: &dyn Backend, lowered: &Lowered) -> Result<Box<dyn Routine>, BuildError> {
    let fail = |reason| LowerError::Kernel { kernel: lowered.kernel.name.clone(), reason };
    Ok(match backend.kernels() {
        Some(kernels) => backend.routine(&kernels.prepared().get(&lowered.kernel).map_err(fail)?.body),
        None => backend.routine(&prepare(&lowered.kernel).map_err(fail)?),
    })
}

/// The program of a network, its kernels those that the backend's machines share.
pub(crate) fn lower(
    backend: &dyn Backend,
    network: &Network,
    shapes: &[ProjectionShape],
) -> Result<Program, LowerError> {
    match backend.kernels() {
        Some(kernels) => lower_with(network, shapes, kernels.prepared()),
        None => neuropil_kernels::lower(network, shapes),
    }
}
