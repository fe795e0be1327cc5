//! That a program, its plan, its buffers and its synapses fit together, checked before anything runs.

use std::sync::Arc;

use neuropil_base::ScalarType;
use neuropil_ir::Verified;
use neuropil_kernels::Program;
use neuropil_kernels::program::{Action, BufferId, Travel};
use neuropil_memory::HostBuffer;
use neuropil_model::Endpoint;
use neuropil_schedule::Plan;

use crate::{BackendError, Synapses};

/// That every slot of a kernel is bound to a buffer of its type.
pub(crate) fn bound(
    kernel: &Verified,
    bindings: &[BufferId],
    ty: impl Fn(BufferId) -> Option<ScalarType>,
) -> Result<(), BackendError> {
    for (k, slot) in kernel.slots.iter().enumerate() {
        if bindings.get(k).and_then(|b| ty(*b)) != Some(slot.ty) {
            return Err(BackendError::Binding { kernel: kernel.name.clone(), slot: slot.name.clone() });
        }
    }
    Ok(())
}

/// That every buffer of a program has contents of its type and length.
///
/// # Errors
/// [`BackendError::NoContents`].
pub fn contents_fit<'b>(
    program: &Program,
    contents: impl Fn(usize) -> Option<&'b HostBuffer>,
) -> Result<(), BackendError> {
    for (k, buffer) in program.buffers.iter().enumerate() {
        if !contents(k).is_some_and(|c| c.ty() == buffer.ty && c.len() == buffer.len) {
            return Err(BackendError::NoContents { name: buffer.name.clone() });
        }
    }
    Ok(())
}

/// Checks that an image fits its program, so that running it needs no further checks.
///
/// # Errors
/// [`BackendError`], for the first operation that lacks something.
pub fn validate(program: &Program, plan: &Plan, synapses: &[Arc<Synapses>]) -> Result<(), BackendError> {
    let buffers = &program.buffers;
    let ty = |id: BufferId| buffers.get(id.index()).map(|b| b.ty);
    for id in plan.sequence() {
        let operation = &program.operations[id.index()];
        let missing = |what| BackendError::Missing { operation: operation.name.clone(), what };
        match &operation.action {
            Action::Elements { call, .. } | Action::Events { call, .. } => {
                bound(&program.kernels[call.kernel.index()].body, &call.bindings, ty)?;
            }
            Action::Synapses { call, structure } => {
                bound(&program.kernels[call.kernel.index()].body, &call.bindings, ty)?;
                synapses.get(structure.index()).ok_or_else(|| missing("a synapse structure"))?;
            }
            Action::Deliver { call, structure, on, delay, .. } => {
                bound(&program.kernels[call.kernel.index()].body, &call.bindings, ty)?;
                let found = synapses.get(structure.index()).ok_or_else(|| missing("a synapse structure"))?;
                match delay {
                    Travel::Steps(_) if *on == Endpoint::Post && found.columns.is_none() => {
                        return Err(missing("the columns of a synapse structure"));
                    }
                    Travel::PerSynapse { pathway, .. }
                        if found.delayed.get(*pathway as usize).is_none_or(Option::is_none) =>
                    {
                        return Err(missing("rows sorted by delay"));
                    }
                    Travel::Steps(_) | Travel::PerSynapse { .. } => {}
                }
            }
            Action::Fill { buffer, .. } => {
                buffers.get(buffer.index()).ok_or_else(|| missing("a buffer"))?;
            }
            Action::Cable { tree, buffers: ids } => {
                let shape = |id: BufferId| buffers.get(id.index()).map(|b| (b.ty, b.len));
                let first = shape(ids.voltage).ok_or_else(|| missing("a buffer"))?;
                let fits = first.0.is_float() && first.1.is_multiple_of(tree.compartments.max(1) as usize);
                if !fits || ids.all().into_iter().any(|id| shape(id) != Some(first)) {
                    return Err(missing("buffers of one float type, with one element per compartment"));
                }
            }
            Action::List { .. } | Action::RecordEvents { .. } | Action::Host { .. } | Action::Stop { .. } => {
            }
            Action::RecordState { buffers: ids, elements, .. } => {
                for id in ids {
                    let buffer = buffers.get(id.index()).ok_or_else(|| missing("a buffer"))?;
                    if buffer.len == 0 && !elements.is_empty() {
                        return Err(missing("elements of a recorded variable"));
                    }
                }
            }
        }
    }
    Ok(())
}
