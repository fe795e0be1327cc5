//! The reference interpreter as a backend.

use std::sync::Arc;

use neuropil_backend::{
    Backend, BackendError, Batch, Executor, HostBackend, HostRoutine, Image, Machine, Routine, Shared,
    Stepper, Work,
};
use neuropil_base::Scalar;
use neuropil_ir::{Context, Element, SlotId, Verified};
use neuropil_kernels::program::BufferId;
use neuropil_memory::HostBuffer;

use crate::{Slots, run};

/// The reference backend: one element after the other, one instruction after the other.
#[derive(Clone, Copy, Default, Debug)]
pub struct Interp;

impl Backend for Interp {
    fn name(&self) -> &'static str {
        "interp"
    }

    fn load(&self, image: Image) -> Result<Box<dyn Machine>, BackendError> {
        Ok(Box::new(Stepper::new(*self, image)?))
    }

    fn shared(&self) -> Arc<dyn Backend> {
        Arc::new(*self)
    }

    fn routine(&self, kernel: &Verified) -> Box<dyn Routine> {
        Box::new(HostRoutine::new(*self, kernel))
    }

    fn sharing(&self) -> Arc<dyn Backend> {
        Arc::new(Shared::new(*self))
    }
}

impl HostBackend for Interp {
    type Executor = Self;

    fn name(&self) -> &'static str {
        Backend::name(self)
    }

    fn executor(&self, _threads: usize) -> Self {
        *self
    }
}

impl Executor for Interp {
    type Body = Verified;

    fn compile(&self, kernel: &Verified, compiled: &mut u64) -> Verified {
        *compiled += 1;
        kernel.clone()
    }

    fn run(&self, body: &Verified, work: Work<'_>, batch: Batch<'_>, emitted: &mut Vec<u32>) {
        let context = Context { seed: work.seed, step: work.step };
        let mut slots = Bound { buffers: work.buffers, bindings: work.bindings };
        let mut one = |own: u64, pre: u32, post: u32| {
            run(body, &context, Element { own, pre, post }, &mut slots, &mut |n| emitted.push(n));
        };
        match batch {
            Batch::Range { start, len } => (start..start + len).for_each(|i| one(u64::from(i), 0, 0)),
            Batch::List(list) => list.iter().for_each(|i| one(u64::from(*i), 0, 0)),
            Batch::Synapses { own, pre, post } => {
                for ((own, pre), post) in own.iter().zip(pre).zip(post) {
                    one(*own, *pre, *post);
                }
            }
            Batch::Structure { rows, pre_start, post_start } => {
                for (own, (pre, post)) in rows.pairs().enumerate() {
                    one(own as u64, pre + pre_start, post + post_start);
                }
            }
        }
    }
}

/// The slots of a kernel, bound to buffers.
struct Bound<'a> {
    buffers: &'a mut [HostBuffer],
    bindings: &'a [BufferId],
}

impl Bound<'_> {
    fn buffer(&self, slot: SlotId) -> &HostBuffer {
        &self.buffers[self.bindings[slot.index()].index()]
    }
}

impl Slots for Bound<'_> {
    fn len(&self, slot: SlotId) -> usize {
        self.buffer(slot).len()
    }

    fn load(&self, slot: SlotId, index: usize) -> Scalar {
        self.buffer(slot).get(index)
    }

    fn store(&mut self, slot: SlotId, index: usize, value: Scalar) {
        self.buffers[self.bindings[slot.index()].index()].set(index, value);
    }
}
