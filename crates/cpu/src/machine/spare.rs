//! Buffers whose contents stand in the rows of deliveries and can be made again: they need not be there twice.

use neuropil_backend::{BackendError, Recipe};
use neuropil_kernels::Program;
use neuropil_kernels::program::{Action, BufferId, OperationId};
use neuropil_memory::{DeviceError, HostBuffer};

use super::layout::Layout;

/// Shorter buffers stay: they take little.
const SMALL: usize = 1 << 16;

/// Which buffers are not there, and how they come back.
#[derive(Default)]
pub(super) struct Spare {
    /// How to make the contents of each buffer, as long as they are those of the start.
    recipes: Vec<Option<Recipe<HostBuffer>>>,
    /// Whether no operation uses it but deliveries that have stored what they need.
    unused: Vec<bool>,
    /// Whether its contents are not there.
    away: Vec<bool>,
}

impl Spare {
    /// For the buffers of a program; `recipes` are those of its buffers, or none at all.
    pub(super) fn new(
        program: &Program,
        layout: &Layout,
        mut recipes: Vec<Option<Recipe<HostBuffer>>>,
    ) -> Self {
        let mut unused: Vec<bool> = program.buffers.iter().map(|b| b.len >= SMALL).collect();
        for (k, operation) in program.operations.iter().enumerate() {
            let used: &[BufferId] = match &operation.action {
                Action::Elements { call, .. }
                | Action::Events { call, .. }
                | Action::Synapses { call, .. } => &call.bindings,
                Action::Deliver { call, .. } => {
                    let stored = layout.deliveries.group_of(OperationId::new(k)).is_some();
                    if stored { &[] } else { &call.bindings }
                }
                Action::RecordState { buffers, .. } => buffers,
                Action::Fill { buffer, .. } => std::slice::from_ref(buffer),
                Action::Cable { buffers, .. } => {
                    buffers.all().into_iter().for_each(|id| unused[id.index()] = false);
                    &[]
                }
                Action::List { .. }
                | Action::RecordEvents { .. }
                | Action::Host { .. }
                | Action::Stop { .. } => &[],
            };
            used.iter().for_each(|id| unused[id.index()] = false);
        }
        recipes.resize(program.buffers.len(), None);
        Self { recipes, unused, away: vec![false; program.buffers.len()] }
    }

    /// Lets go of all contents that are not needed now; `needed` says of which somebody is still to be given some.
    pub(super) fn dismiss(&mut self, buffers: &mut [HostBuffer], needed: impl Fn(BufferId) -> bool) {
        for (k, buffer) in buffers.iter_mut().enumerate() {
            let goes = self.unused[k] && !self.away[k] && self.recipes[k].is_some();
            if goes && !needed(BufferId::new(k)) {
                *buffer = HostBuffer::new(buffer.ty(), 0);
                self.away[k] = true;
            }
        }
    }

    /// Makes the contents of a buffer again if they are not there.
    pub(super) fn recall(&mut self, buffers: &mut [HostBuffer], at: usize) -> Result<(), DeviceError> {
        if let Some(recipe) = self.recipes[at].as_ref().filter(|_| self.away[at]) {
            buffers[at] = recipe().map_err(|error: BackendError| DeviceError::Copy(error.to_string()))?;
            self.away[at] = false;
        }
        Ok(())
    }

    /// Makes the contents of all buffers again that are not there.
    pub(super) fn recall_all(&mut self, buffers: &mut [HostBuffer]) -> Result<(), DeviceError> {
        (0..buffers.len()).try_for_each(|at| self.recall(buffers, at))
    }

    /// Somebody has given a buffer other contents: they stay.
    pub(super) fn changed(&mut self, at: usize) {
        self.recipes[at] = None;
        self.away[at] = false;
    }

    /// How to make the contents of buffers, which stand at other places now; `None` for new ones.
    pub(super) fn moved(mut self, from: &[Option<usize>]) -> Vec<Option<Recipe<HostBuffer>>> {
        from.iter().map(|at| at.and_then(|at| self.recipes[at].take())).collect()
    }
}
