//! The CPU backend: bodies run by the block engine, populations split between threads.
//!
//! An element-wise kernel over many neurons is cut into contiguous parts, one per thread; parts share nothing that
//! they write, so the bits do not depend on how many there are. Synapses are delivered by one thread, in the order
//! that defines the meaning of a program.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use neuropil_backend::{
    Backend, BackendError, Batch, Executor, HostBackend, HostRoutine, Image, Machine, Routine, Shared,
    Stepper, Work,
};
use neuropil_base::ScalarType;
use neuropil_ir::{Access, At, Context, Side, SlotId, Verified};
use neuropil_memory::{Element, HostBuffer};
use rayon::ThreadPool;

use crate::block::{Binding, Block, Elements, Numbers, SlotData, View, Workspace};

/// The CPU backend.
#[derive(Clone, Copy, Default, Debug)]
pub struct Cpu;

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn load(&self, image: Image) -> Result<Box<dyn Machine>, BackendError> {
        Ok(Box::new(Stepper::new(Blocks::new(image.threads), image)?))
    }

    fn shared(&self) -> Arc<dyn Backend> {
        Arc::new(*self)
    }

    fn routine(&self, kernel: &Verified) -> Box<dyn Routine> {
        Box::new(HostRoutine::new(Blocks::new(1), kernel))
    }

    fn sharing(&self) -> Arc<dyn Backend> {
        Arc::new(Shared::new(*self))
    }
}

impl HostBackend for Cpu {
    type Executor = Blocks;

    fn name(&self) -> &'static str {
        Backend::name(self)
    }

    fn executor(&self, threads: usize) -> Blocks {
        Blocks::new(threads)
    }
}

/// Parts of fewer elements than this are not worth waking a thread for.
const PART: usize = 4096;

thread_local! {
    /// Lanes are kept from one call to the next.
    static WORKSPACE: RefCell<Workspace> = RefCell::new(Workspace::new());
}

/// Runs bodies by the block engine, on a pool of threads if there are more than one.
pub struct Blocks {
    pool: Option<ThreadPool>,
}

/// A compiled body, and which of its slots each thread gets a part of.
pub struct Body {
    block: Block,
    /// One per slot; `None` if elements cannot be split between threads.
    sharing: Option<Vec<Sharing>>,
}

/// How the buffer of a slot is shared between threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sharing {
    /// Everybody reads all of it.
    Read,
    /// Each thread writes its own part, and reads nothing else.
    Part,
}

impl Blocks {
    fn new(threads: usize) -> Self {
        // Without a pool (one thread, or none to be had) everything runs on the calling thread, to the same bits.
        let build = || rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok();
        Self { pool: if threads > 1 { build() } else { None } }
    }
}

impl Executor for Blocks {
    type Body = Body;

    fn compile(&self, kernel: &Verified, compiled: &mut u64) -> Body {
        *compiled += 1;
        let block = Block::compile(kernel);
        let sharing = if block.is_sequential() { None } else { sharing(kernel) };
        Body { block, sharing }
    }

    fn run(&self, body: &Body, work: Work<'_>, batch: Batch<'_>, emitted: &mut Vec<u32>) {
        let context = Context { seed: work.seed, step: work.step };
        // Buffers are taken out of their places for the call, so that each can be borrowed on its own.
        let mut taken: Vec<HostBuffer> = work
            .bindings
            .iter()
            .map(|id| std::mem::replace(&mut work.buffers[id.index()], HostBuffer::new(ScalarType::Bool, 0)))
            .collect();
        match (batch, &self.pool, &body.sharing) {
            (Batch::Range { start, len }, Some(pool), Some(sharing)) if len as usize >= 2 * PART => {
                let parts = parts(start as usize..start as usize + len as usize, pool.current_num_threads());
                spread(pool, &body.block, context, &mut taken, (sharing, &parts), emitted);
            }
            _ => {
                let elements = match batch {
                    Batch::Range { start, len } => Elements::range(u64::from(start), len as usize),
                    Batch::List(list) => Elements::list(list),
                    Batch::Synapses { own, pre, post } => Elements {
                        len: own.len(),
                        own: Numbers::List64(own),
                        pre: Numbers::List32(pre),
                        post: Numbers::List32(post),
                    },
                };
                let mut slots: Vec<Binding<'_>> = taken.iter_mut().map(whole).collect();
                call(&body.block, context, &elements, &mut slots, emitted);
            }
        }
        for (id, buffer) in work.bindings.iter().zip(taken) {
            work.buffers[id.index()] = buffer;
        }
    }
}

/// Runs a body whose bindings were checked when its program was loaded.
fn call(
    block: &Block,
    context: Context,
    elements: &Elements<'_>,
    slots: &mut [Binding<'_>],
    emitted: &mut Vec<u32>,
) {
    let done = WORKSPACE.with_borrow_mut(|lanes| block.run(lanes, &context, elements, slots, emitted));
    debug_assert!(done.is_ok(), "{done:?}");
}

/// Which slots threads can share; `None` if one is written at a place that is not the element's own.
fn sharing(kernel: &Verified) -> Option<Vec<Sharing>> {
    let mut list = vec![Sharing::Read; kernel.slots.len()];
    for (slot, at, access) in kernel.accesses() {
        if access != Access::Read {
            if at != At::Side(Side::Own) {
                return None;
            }
            list[slot.index()] = Sharing::Part;
        }
    }
    // A slot that is written in parts must be read in parts.
    let whole = |slot: SlotId, at: At| list[slot.index()] == Sharing::Part && at != At::Side(Side::Own);
    (!kernel.accesses().iter().any(|(slot, at, _)| whole(*slot, *at))).then_some(list)
}

/// Cuts a range into at most `count` parts of about equal length, none much shorter than [`PART`].
fn parts(range: Range<usize>, count: usize) -> Vec<Range<usize>> {
    let count = count.min(range.len() / PART).max(1);
    let bound = |k: usize| range.start + range.len() * k / count;
    (0..count).map(|k| bound(k)..bound(k + 1)).collect()
}

/// Runs each part on a thread of the pool; events are joined in the order of the parts.
fn spread(
    pool: &ThreadPool,
    block: &Block,
    context: Context,
    buffers: &mut [HostBuffer],
    (sharing, parts): (&[Sharing], &[Range<usize>]),
    emitted: &mut Vec<u32>,
) {
    let mut slots: Vec<Vec<Binding<'_>>> = parts.iter().map(|_| Vec::new()).collect();
    for (buffer, sharing) in buffers.iter_mut().zip(sharing) {
        let bindings = match sharing {
            Sharing::Read => shared(buffer, parts.len()),
            Sharing::Part => split(buffer, parts),
        };
        for (list, binding) in slots.iter_mut().zip(bindings) {
            list.push(binding);
        }
    }
    let mut events: Vec<Vec<u32>> = parts.iter().map(|_| Vec::new()).collect();
    pool.scope(|scope| {
        for ((part, slots), events) in parts.iter().zip(&mut slots).zip(&mut events) {
            scope.spawn(move |_| {
                let elements = Elements::range(part.start as u64, part.len());
                call(block, context, &elements, slots, events);
            });
        }
    });
    for list in events {
        emitted.extend(list);
    }
}

/// Carries out `$body` with `$T` the machine type and `$Variant` the slot variant of a buffer's type.
macro_rules! typed {
    ($ty:expr, $T:ident, $Variant:ident => $body:expr) => {
        match $ty {
            ScalarType::Bool => {
                type $T = u8;
                use SlotData::Bool as $Variant;
                $body
            }
            ScalarType::I32 => {
                type $T = i32;
                use SlotData::I32 as $Variant;
                $body
            }
            ScalarType::I64 => {
                type $T = i64;
                use SlotData::I64 as $Variant;
                $body
            }
            ScalarType::F32 => {
                type $T = f32;
                use SlotData::F32 as $Variant;
                $body
            }
            ScalarType::F64 => {
                type $T = f64;
                use SlotData::F64 as $Variant;
                $body
            }
        }
    };
}

/// All of a buffer, to be written.
fn whole(buffer: &mut HostBuffer) -> Binding<'_> {
    typed!(buffer.ty(), T, Variant => Binding { data: Variant(View::Write(buffer.as_mut_slice::<T>())), first: 0 })
}

/// All of a buffer, to be read by each of `count`.
fn shared(buffer: &HostBuffer, count: usize) -> Vec<Binding<'_>> {
    typed!(buffer.ty(), T, Variant => {
        let data = buffer.as_slice::<T>();
        (0..count).map(|_| Binding { data: Variant(View::Read(data)), first: 0 }).collect()
    })
}

/// A part of a buffer for each.
fn split<'b>(buffer: &'b mut HostBuffer, parts: &[Range<usize>]) -> Vec<Binding<'b>> {
    fn cut<'b, T: Element>(data: &'b mut [T], parts: &[Range<usize>]) -> Vec<(&'b mut [T], u64)> {
        let mut rest = data;
        let mut at = 0;
        let mut list = Vec::new();
        for part in parts {
            let (_, tail) = rest.split_at_mut(part.start - at);
            let (own, tail) = tail.split_at_mut(part.len());
            list.push((own, part.start as u64));
            rest = tail;
            at = part.end;
        }
        list
    }
    typed!(buffer.ty(), T, Variant => {
        let list = cut(buffer.as_mut_slice::<T>(), parts);
        list.into_iter().map(|(own, first)| Binding { data: Variant(View::Write(own)), first }).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_range_in_order() {
        for (len, count) in [(10_000, 2), (100_000, 7), (5_000, 4), (8_192, 2)] {
            let list = parts(3..3 + len, count);
            assert_eq!(list[0].start, 3);
            assert_eq!(list[list.len() - 1].end, 3 + len);
            assert!(list.windows(2).all(|w| w[0].end == w[1].start));
            assert!(list.len() <= count && list.iter().all(|p| p.len() >= PART));
        }
    }
}
