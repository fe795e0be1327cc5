//! Kernels that are compiled once for many machines: those of a parameter sweep, for instance.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use neuropil_ir::Verified;
use neuropil_kernels::Prepared;

use crate::{
    Backend, BackendError, Batch, Executor, HostRoutine, Image, Machine, Routine, SharedKernels, Stepper,
    Work,
};

/// More bodies than this are not kept: whoever makes machines without end gets them compiled each time.
const MOST: usize = 1 << 13;

/// A kind of backend that computes on the host: it makes executors.
pub trait HostBackend: Clone + Send + Sync + 'static {
    /// What runs bodies.
    type Executor: Executor<Body: 'static> + 'static;

    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// An executor for as many threads. What it compiles does not depend on how many there are.
    fn executor(&self, threads: usize) -> Self::Executor;

    /// A machine that asks `bodies` for its kernels.
    ///
    /// # Errors
    /// As [`Backend::load`].
    fn machine(
        &self,
        bodies: Looking<Self::Executor>,
        image: Image,
    ) -> Result<Box<dyn Machine>, BackendError> {
        Ok(Box::new(Stepper::new(bodies, image)?))
    }
}

/// A [`HostBackend`] whose machines and routines share kernels.
pub struct Shared<H: HostBackend> {
    kind: H,
    prepared: Arc<Prepared>,
    bodies: Arc<Bodies<<H::Executor as Executor>::Body>>,
}

impl<H: HostBackend> Shared<H> {
    /// A backend of that kind that has compiled nothing yet.
    #[must_use]
    pub fn new(kind: H) -> Self {
        Self { kind, prepared: Arc::default(), bodies: Arc::default() }
    }

    fn executor(&self, threads: usize) -> Looking<H::Executor> {
        Looking { executor: self.kind.executor(threads), bodies: Arc::clone(&self.bodies) }
    }
}

impl<H: HostBackend> Backend for Shared<H> {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn load(&self, image: Image) -> Result<Box<dyn Machine>, BackendError> {
        self.kind.machine(self.executor(image.threads), image)
    }

    fn shared(&self) -> Arc<dyn Backend> {
        let Self { kind, prepared, bodies } = self;
        Arc::new(Self { kind: kind.clone(), prepared: Arc::clone(prepared), bodies: Arc::clone(bodies) })
    }

    fn routine(&self, kernel: &Verified) -> Box<dyn Routine> {
        Box::new(HostRoutine::new(self.executor(1), kernel))
    }

    fn kernels(&self) -> Option<&dyn SharedKernels> {
        Some(self)
    }
}

impl<H: HostBackend> SharedKernels for Shared<H> {
    fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    fn compiled(&self) -> u64 {
        self.bodies.compiled.load(Ordering::Relaxed)
    }
}

/// Compiled bodies by kernel. A body that somebody is compiling is waited for.
struct Bodies<B> {
    known: Mutex<HashMap<Verified, Arc<OnceLock<Arc<B>>>>>,
    compiled: AtomicU64,
}

impl<B> Default for Bodies<B> {
    fn default() -> Self {
        Self { known: Mutex::default(), compiled: AtomicU64::new(0) }
    }
}

impl<B> Bodies<B> {
    fn get(&self, kernel: &Verified, compile: impl FnOnce() -> B) -> Arc<B> {
        let place = {
            // The map is only ever added to, so it is whole even if somebody panicked.
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            match known.get(kernel) {
                Some(place) => Arc::clone(place),
                None => {
                    let place = Arc::default();
                    if known.len() < MOST {
                        known.insert(kernel.clone(), Arc::clone(&place));
                    }
                    place
                }
            }
        };
        let body = place.get_or_init(|| {
            self.compiled.fetch_add(1, Ordering::Relaxed);
            Arc::new(compile())
        });
        Arc::clone(body)
    }
}

/// An executor that looks for bodies before it compiles them.
pub struct Looking<E: Executor> {
    executor: E,
    bodies: Arc<Bodies<E::Body>>,
}

impl<E: Executor> Looking<E> {
    /// One that knows no bodies yet.
    #[must_use]
    pub fn new(executor: E) -> Self {
        Self { executor, bodies: Arc::default() }
    }
}

impl<E: Executor> Executor for Looking<E> {
    type Body = Arc<E::Body>;

    fn compile(&self, kernel: &Verified, compiled: &mut u64) -> Arc<E::Body> {
        self.bodies.get(kernel, || self.executor.compile(kernel, compiled))
    }

    fn run(&self, body: &Arc<E::Body>, work: Work<'_>, batch: Batch<'_>, emitted: &mut Vec<u32>) {
        self.executor.run(body, work, batch, emitted);
    }
}
