//! The parts of synapses that a machine walks, held as long as it has the program.

use std::sync::Arc;

use neuropil_connectivity::{DelayRows, Storage, Transposed, Walk};
use neuropil_kernels::Program;
use neuropil_kernels::program::{Action, OperationId, Role, Travel};
use neuropil_memory::HostBuffer;
use neuropil_model::{Endpoint, ObjectId};

use crate::{BackendError, Renewable, Synapses};

/// Those parts of the synapses of one structure that operations walk; the others are left to whoever asks for them.
#[derive(Clone, Default, Debug)]
pub struct Held {
    /// By presynaptic neuron.
    pub rows: Option<Arc<Storage>>,
    /// By postsynaptic neuron.
    pub columns: Option<Arc<Transposed>>,
    /// Sorted by the delays of each pathway.
    pub delayed: Vec<Option<Arc<DelayRows>>>,
}

impl Held {
    /// For each structure of a program, what the operations need that `walks` holds for.
    ///
    /// # Errors
    /// [`BackendError`] if something could not be made.
    pub fn of(
        program: &Program,
        synapses: &[Arc<Synapses>],
        walks: impl Fn(OperationId) -> bool,
    ) -> Result<Vec<Self>, BackendError> {
        let mut all = vec![Self::default(); program.structures.len()];
        for (k, operation) in program.operations.iter().enumerate() {
            let (Action::Deliver { structure, .. } | Action::Synapses { structure, .. }) = &operation.action
            else {
                continue;
            };
            let at = structure.index();
            let (Some(held), Some(of)) = (all.get_mut(at), synapses.get(at)) else { continue };
            if walks(OperationId::new(k)) {
                held.take(&operation.action, of)?;
            }
        }
        Ok(all)
    }

    /// Bytes of what is held.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let rows = self.rows.as_ref().map_or(0, |rows| rows.bytes());
        let columns = self.columns.as_ref().map_or(0, |columns| columns.bytes());
        let delayed: usize = self.delayed.iter().flatten().map(|delayed| delayed.bytes()).sum();
        (rows + columns + delayed) as u64
    }

    /// Bytes of the variables of synapses in the buffers of a program, as long as these are there.
    #[must_use]
    pub fn variable_bytes(program: &Program, buffers: &[HostBuffer]) -> u64 {
        let of_synapses = |role: &Role| match role {
            Role::Variable(ObjectId::Projection(_), _) | Role::SumDelay { .. } => true,
            Role::Variable(ObjectId::Population(_), _)
            | Role::Trace(..)
            | Role::LastArrival(..)
            | Role::Table
            | Role::InDegree(_)
            | Role::OutDegree(_)
            | Role::SynapseCount(_)
            | Role::History { .. }
            | Role::Scratch => false,
        };
        let all = program.buffers.iter().zip(buffers).filter(|(buffer, _)| of_synapses(&buffer.role));
        all.map(|(_, contents)| (contents.len() * contents.ty().size()) as u64).sum()
    }

    fn take(&mut self, action: &Action, of: &Synapses) -> Result<(), BackendError> {
        match action {
            Action::Deliver { delay: Travel::PerSynapse { pathway, .. }, .. } => {
                let place = *pathway as usize;
                self.delayed.resize(self.delayed.len().max(place + 1), None);
                let delayed = of.delayed.get(place).and_then(Option::as_ref);
                self.delayed[place] = delayed.map(|d| d.rows.get()).transpose()?;
            }
            Action::Deliver { on: Endpoint::Post, .. } => {
                self.columns = of.columns.as_ref().map(Renewable::get).transpose()?;
            }
            Action::Deliver { on: Endpoint::Pre, .. } | Action::Synapses { .. } => {
                self.rows = Some(of.rows.get()?);
            }
            Action::Elements { .. }
            | Action::Events { .. }
            | Action::Fill { .. }
            | Action::List { .. }
            | Action::RecordEvents { .. }
            | Action::RecordState { .. }
            | Action::Cable { .. }
            | Action::Host { .. }
            | Action::Stop { .. } => {}
        }
        Ok(())
    }
}
