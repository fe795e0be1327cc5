//! The synapses of static deliveries as the shards keep them, and when they have to be made anew.

use std::sync::Arc;

use neuropil_backend::{BackendError, Held, RunError, Synapses};
use neuropil_kernels::Program;
use neuropil_kernels::program::{Action, BufferId};
use neuropil_memory::{DeviceError, HostBuffer};

use super::layout::Layout;
use crate::deliver::{BuildError, Group, ShardRows};

/// The synapses of one group of deliveries.
pub(super) struct Stored {
    /// By shard.
    pub(super) rows: Vec<ShardRows>,
    /// A buffer that values were computed from has been written since.
    stale: bool,
}

/// What was stored for a program, and is not needed there any more.
pub(super) struct Former<'a> {
    pub(super) program: &'a Program,
    pub(super) layout: &'a Layout,
    pub(super) synapses: &'a [Arc<Synapses>],
    pub(super) stored: Vec<Stored>,
}

/// Stores the synapses of all groups of a layout; takes over what `former` has that is still right but for values.
pub(super) fn store(
    program: &Program,
    layout: &Layout,
    synapses: &[Arc<Synapses>],
    buffers: &[HostBuffer],
    former: Option<Former<'_>>,
) -> Result<Vec<Stored>, BackendError> {
    let mut former = former.map(|f| {
        let stored: Vec<Option<Stored>> = f.stored.into_iter().map(Some).collect();
        (f.program, f.layout, f.synapses, stored)
    });
    let mut list = Vec::new();
    for group in layout.deliveries.groups() {
        let kept = former.as_mut().and_then(|(old, layout_then, synapses_then, stored)| {
            let same = |g: &Group| {
                rows_of(program, layout, synapses, group) == rows_of(old, layout_then, synapses_then, g)
            };
            let at = layout_then.deliveries.groups().iter().position(same)?;
            stored[at].take()
        });
        list.push(match kept {
            // The change may have brought other values.
            Some(stored) => Stored { stale: true, ..stored },
            None => {
                let bounds = layout.cuts[layout.cut_of(group)].bounds();
                let rows = group.build(program, synapses, |id| &buffers[id.index()], bounds);
                Stored { rows: rows.map_err(|e| refused(program, group, e))?, stale: false }
            }
        });
        release(program, group, synapses);
    }
    Ok(list)
}

/// What the operations walk that are in no group.
pub(super) fn walked(
    program: &Program,
    layout: &Layout,
    synapses: &[Arc<Synapses>],
) -> Result<Vec<Held>, BackendError> {
    Held::of(program, synapses, |id| layout.deliveries.group_of(id).is_none())
}

/// Structures with fewer synapses stay: they take little, and to make them again would keep whoever asks waiting.
const SMALL: usize = 1 << 16;

/// The structures of a group are stored, and needed no more in the form that they were made in.
fn release(program: &Program, group: &Group, synapses: &[Arc<Synapses>]) {
    for id in group.operations() {
        let Action::Deliver { structure, .. } = &program.operations[id.index()].action else { continue };
        let of = &synapses[structure.index()];
        if program.structures[structure.index()].n_syn >= SMALL {
            of.rows.release();
            for delayed in of.delayed.iter().flatten() {
                delayed.steps.release();
                delayed.rows.release();
            }
        }
    }
}

/// What the rows of a group depend on, but for values.
fn rows_of<'a>(
    program: &'a Program,
    layout: &'a Layout,
    synapses: &'a [Arc<Synapses>],
    group: &'a Group,
) -> (&'a [u32], Vec<impl PartialEq + use<'a>>) {
    let members = group.operations().map(|id| {
        let operation = &program.operations[id.index()];
        let Action::Deliver { call, structure, delay, .. } = &operation.action else { return None };
        let of = &program.structures[structure.index()];
        let kernel = &program.kernels[call.kernel.index()];
        let bound: Vec<&str> =
            call.bindings.iter().map(|b| program.buffers[b.index()].name.as_str()).collect();
        Some((&kernel.body, bound, *delay, of, Arc::as_ptr(&synapses[structure.index()])))
    });
    (layout.cuts[layout.cut_of(group)].bounds(), members.collect())
}

impl Stored {
    /// Somebody has written a buffer.
    pub(super) fn written(&mut self, group: &Group, buffer: BufferId) {
        self.stale |= group.depends_on(buffer);
    }

    /// Whether values of synapses may be out of date.
    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Computes the values of synapses again if they may be out of date.
    pub(super) fn refresh(
        &mut self,
        program: &Program,
        group: &Group,
        synapses: &[Arc<Synapses>],
        buffers: &[HostBuffer],
    ) -> Result<(), RunError> {
        if std::mem::take(&mut self.stale) {
            let done = group.refresh(program, synapses, |id| &buffers[id.index()], &mut self.rows);
            done.map_err(|e| match e {
                BuildError::Memory(e) => RunError::Device(e),
                // Whatever fitted when the synapses were stored still fits.
                BuildError::Binding(_) | BuildError::Synapses(_) | BuildError::Shape(_) => {
                    RunError::Device(DeviceError::Copy(e.to_string()))
                }
            })?;
        }
        Ok(())
    }
}

fn refused(program: &Program, group: &Group, error: BuildError) -> BackendError {
    let operation =
        group.first().map_or_else(String::new, |(id, _)| program.operations[id.index()].name.clone());
    match error {
        BuildError::Memory(e) => BackendError::Device(e),
        BuildError::Binding(e) => BackendError::Binding { kernel: operation, slot: e.to_string() },
        BuildError::Synapses(why) => BackendError::Gone { why },
        BuildError::Shape(_) => BackendError::Missing { operation, what: "synapses of its shape" },
    }
}
