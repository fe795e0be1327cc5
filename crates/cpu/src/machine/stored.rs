//! The synapses of static deliveries as the shards keep them, and when they have to be made anew.

use std::sync::Arc;

use neuropil_backend::{BackendError, Held, RunError, Synapses};
use neuropil_kernels::Program;
use neuropil_kernels::program::{Action, BufferId};
use neuropil_memory::{DeviceError, HostBuffer};

use super::layout::Layout;
use super::spare::Spare;
use crate::deliver::{BuildError, Group, ShardRows};

/// The synapses of one group of deliveries.
pub(super) struct Stored {
    /// By shard.
    pub(super) rows: Vec<ShardRows>,
    /// A buffer that values were computed from has been written since.
    stale: bool,
}

/// What was stored for a program that another one is to replace.
pub(super) struct Former<'a> {
    pub(super) program: &'a Program,
    pub(super) layout: &'a Layout,
    pub(super) synapses: &'a [Arc<Synapses>],
    pub(super) stored: &'a [Stored],
}

/// Where the rows of a group come from when a program is replaced.
pub(super) enum Origin {
    /// They are those of a group of the former program; whether values may be others.
    Former { group: usize, stale: bool },
    /// They are new.
    New(Stored),
}

/// Stores the synapses of all groups of a layout.
///
/// What is not needed any more once a group is stored is let go of before the next one, which takes its room: the smallest
/// groups come first, so that as much as possible is gone when the largest is stored.
pub(super) fn store(
    program: &Program,
    layout: &Layout,
    synapses: &[Arc<Synapses>],
    buffers: &mut [HostBuffer],
    spare: &mut Spare,
) -> Result<Vec<Stored>, BackendError> {
    let groups = layout.deliveries.groups();
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|number| groups[*number].n_syn());
    let mut list: Vec<Option<Stored>> = groups.iter().map(|_| None).collect();
    for (done, number) in (1..).zip(&order) {
        let group = &groups[*number];
        list[*number] = Some(store_group((program, layout, synapses), group, |id| &buffers[id.index()])?);
        let large = release(program, group, synapses);
        spare.dismiss(buffers, |id| order[done..].iter().any(|other| groups[*other].depends_on(id)));
        if large {
            neuropil_memory::give_back();
        }
    }
    Ok(list.into_iter().flatten().collect())
}

/// Stores the synapses of the groups of a layout that `former` does not have; `new` says which buffers have other contents
/// than they had there. Nothing of `former` is changed.
pub(super) fn store_again<'a>(
    program: &Program,
    layout: &Layout,
    synapses: &'a [Arc<Synapses>],
    (buffer, new): (impl Fn(BufferId) -> &'a HostBuffer, impl Fn(BufferId) -> bool),
    former: &Former<'_>,
) -> Result<Vec<Origin>, BackendError> {
    let mut taken = vec![false; former.stored.len()];
    let mut list = Vec::new();
    for group in layout.deliveries.groups() {
        let same = |(at, other): (usize, &Group)| {
            let former = rows_of(former.program, former.layout, former.synapses, other);
            !taken[at] && rows_of(program, layout, synapses, group) == former
        };
        let known = former.layout.deliveries.groups().iter().enumerate().position(same);
        list.push(match known {
            Some(at) => {
                taken[at] = true;
                let changed =
                    (0..program.buffers.len()).map(BufferId::new).any(|id| group.depends_on(id) && new(id));
                Origin::Former { group: at, stale: former.stored[at].stale || changed }
            }
            None => Origin::New(store_group((program, layout, synapses), group, &buffer)?),
        });
    }
    for group in layout.deliveries.groups() {
        release(program, group, synapses);
    }
    Ok(list)
}

/// The rows of all groups of a program that replaces another one, of those that were stored for that.
pub(super) fn put_together(origins: Vec<Origin>, former: Vec<Stored>) -> Vec<Stored> {
    let mut former: Vec<Option<Stored>> = former.into_iter().map(Some).collect();
    let take = |origin| match origin {
        Origin::Former { group, stale } => former[group].take().map(|stored| Stored { stale, ..stored }),
        Origin::New(stored) => Some(stored),
    };
    origins.into_iter().filter_map(take).collect()
}

fn store_group<'a>(
    (program, layout, synapses): (&Program, &Layout, &'a [Arc<Synapses>]),
    group: &Group,
    buffer: impl Fn(BufferId) -> &'a HostBuffer,
) -> Result<Stored, BackendError> {
    let bounds = layout.cuts[layout.cut_of(group)].bounds();
    let rows = group.build(program, synapses, buffer, bounds);
    Ok(Stored { rows: rows.map_err(|e| refused(program, group, e))?, stale: false })
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

/// The structures of a group are stored, and needed no more in the form that they were made in. Whether that is much.
fn release(program: &Program, group: &Group, synapses: &[Arc<Synapses>]) -> bool {
    let mut large = false;
    for id in group.operations() {
        let Action::Deliver { structure, .. } = &program.operations[id.index()].action else { continue };
        let of = &synapses[structure.index()];
        if program.structures[structure.index()].n_syn >= SMALL {
            of.rows.release();
            for delayed in of.delayed.iter().flatten() {
                delayed.steps.release();
                delayed.rows.release();
            }
            large = true;
        }
    }
    large
}

/// What the rows of a group depend on, but for values.
fn rows_of<'a>(
    program: &'a Program,
    layout: &'a Layout,
    synapses: &'a [Arc<Synapses>],
    group: &'a Group,
) -> (&'a [u32], Vec<impl PartialEq + use<'a>>) {
    let members = group.kernels().map(|(id, delivered)| {
        let operation = &program.operations[id.index()];
        let Action::Deliver { call, structure, delay, .. } = &operation.action else { return None };
        let of = &program.structures[structure.index()];
        let kernel = &program.kernels[call.kernel.index()];
        let bound: Vec<&str> =
            call.bindings.iter().map(|b| program.buffers[b.index()].name.as_str()).collect();
        let made_of = Arc::as_ptr(&synapses[structure.index()]);
        // What nothing writes any longer may have become part of what synapses give.
        Some((&kernel.body, delivered.effects(), bound, *delay, of, made_of))
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
