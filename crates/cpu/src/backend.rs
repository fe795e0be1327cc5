//! The CPU backend.

use std::cell::RefCell;
use std::sync::Arc;

use neuropil_backend::{
    Backend, BackendError, Batch, Executor, HostBackend, HostRoutine, Image, Looking, Machine, Routine,
    Shared, Work,
};
use neuropil_base::ScalarType;
use neuropil_ir::{Context, Verified};
use neuropil_memory::HostBuffer;

use crate::block::Workspace;
use crate::body::{Body, KernelChoice};
use crate::cache::KernelCache;
use crate::elements::{Elements, Numbers};
use crate::machine::Sharded;
use crate::slot::Slot;
use crate::sweep::{Sweep, Swept};
use crate::typed::typed;

/// The CPU backend, as it is best for most.
#[derive(Clone, Copy, Default, Debug)]
pub struct Cpu;

impl Cpu {
    /// The CPU backend with some things chosen by hand. None of them changes a result.
    #[must_use]
    pub fn with(self, options: CpuOptions) -> TunedCpu {
        TunedCpu { options }
    }
}

/// What can be chosen by hand.
#[derive(Clone, Debug)]
pub struct CpuOptions {
    /// What runs the bodies of kernels.
    pub kernels: KernelChoice,
    /// A thread gets no part of a population whose kernels carry out fewer operations in a step than this, counted as
    /// vector units do them: one of four bytes is 1, one of eight bytes 2, a division or a random number 16. Less is
    /// not worth that threads wait for each other.
    pub smallest_work: u64,
    /// Where compiled kernels are kept from one process to the next, if they are.
    pub cache: Option<Arc<KernelCache>>,
}

impl Default for CpuOptions {
    fn default() -> Self {
        Self { kernels: KernelChoice::Auto, smallest_work: 1 << 18, cache: None }
    }
}

/// The CPU backend with [`CpuOptions`].
#[derive(Clone, Debug)]
pub struct TunedCpu {
    options: CpuOptions,
}

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn load(&self, image: Image) -> Result<Box<dyn Machine>, BackendError> {
        self.with(CpuOptions::default()).load(image)
    }

    fn shared(&self) -> Arc<dyn Backend> {
        Arc::new(*self)
    }

    fn routine(&self, kernel: &Verified) -> Box<dyn Routine> {
        self.with(CpuOptions::default()).routine(kernel)
    }

    fn sharing(&self) -> Arc<dyn Backend> {
        self.with(CpuOptions::default()).sharing()
    }
}

impl Backend for TunedCpu {
    fn name(&self) -> &'static str {
        Cpu.name()
    }

    fn load(&self, image: Image) -> Result<Box<dyn Machine>, BackendError> {
        self.machine(Looking::new(self.bodies()), image)
    }

    fn shared(&self) -> Arc<dyn Backend> {
        Arc::new(self.clone())
    }

    fn routine(&self, kernel: &Verified) -> Box<dyn Routine> {
        Box::new(HostRoutine::new(self.bodies(), kernel))
    }

    fn sharing(&self) -> Arc<dyn Backend> {
        Arc::new(Shared::new(self.clone()))
    }
}

impl TunedCpu {
    fn bodies(&self) -> Bodies {
        Bodies { kernels: self.options.kernels, cache: self.options.cache.clone() }
    }
}

impl HostBackend for TunedCpu {
    type Executor = Bodies;

    fn name(&self) -> &'static str {
        Cpu.name()
    }

    fn executor(&self, _: usize) -> Bodies {
        self.bodies()
    }

    fn machine(&self, bodies: Looking<Bodies>, image: Image) -> Result<Box<dyn Machine>, BackendError> {
        Ok(Box::new(Sharded::new(bodies, self.options.smallest_work, image)?))
    }
}

thread_local! {
    /// Lanes are kept from one call to the next.
    static WORKSPACE: RefCell<Workspace> = RefCell::new(Workspace::new());
}

/// Runs a body whose bindings were checked when its program was loaded.
pub(crate) fn call(
    body: &Body,
    context: &Context,
    elements: &Elements<'_>,
    slots: &[Slot<'_>],
    emitted: &mut Vec<u32>,
) {
    let done = WORKSPACE.with_borrow_mut(|lanes| body.run(lanes, context, elements, slots, emitted));
    debug_assert!(done.is_ok(), "{done:?}");
}

/// Runs bodies on the calling thread, but for those that run once for all synapses of a structure.
#[derive(Clone, Debug)]
pub struct Bodies {
    kernels: KernelChoice,
    cache: Option<Arc<KernelCache>>,
}

impl Executor for Bodies {
    type Body = Swept;

    fn compile(&self, kernel: &Verified, compiled: &mut u64) -> Swept {
        *compiled += 1;
        Swept::new(kernel, Body::cached(kernel, self.kernels, self.cache.as_ref()))
    }

    fn run(&self, body: &Swept, work: Work<'_>, batch: Batch<'_>, emitted: &mut Vec<u32>) {
        let context = Context { seed: work.seed, step: work.step };
        // Buffers are taken out of their places for the call, so that each can be borrowed on its own.
        let mut taken: Vec<HostBuffer> = work
            .bindings
            .iter()
            .map(|id| std::mem::replace(&mut work.buffers[id.index()], HostBuffer::new(ScalarType::Bool, 0)))
            .collect();
        let slots: Vec<Slot<'_>> = taken.iter_mut().map(whole).collect();
        let elements = match batch {
            Batch::Range { start, len } => Some(Elements::range(u64::from(start), len as usize)),
            Batch::List(list) => Some(Elements::list(list)),
            Batch::Synapses { own, pre, post } => Some(Elements {
                len: own.len(),
                own: Numbers::List64(own),
                pre: Numbers::List32(pre),
                post: Numbers::List32(post),
            }),
            Batch::Structure { rows, pre_start, post_start } => {
                Sweep { body, context, rows, starts: (pre_start, post_start) }.run(&slots, emitted);
                None
            }
        };
        if let Some(elements) = elements {
            call(&body.body, &context, &elements, &slots, emitted);
        }
        drop(slots);
        for (id, buffer) in work.bindings.iter().zip(taken) {
            work.buffers[id.index()] = buffer;
        }
    }
}

/// All of a buffer, to be written.
fn whole(buffer: &mut HostBuffer) -> Slot<'_> {
    typed!(buffer.ty(), T => buffer.as_mut_slice::<T>().into())
}
