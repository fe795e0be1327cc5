//! Runs a body once for all synapses of a structure: first values of weights and delays, on all cores.
//!
//! Synapses of a part of the rows are numbered one after the other, so that a body sees ranges and long lists instead of
//! single synapses. Where each synapse writes its own elements alone, parts run at the same time; the bits are
//! those of the canonical order.

#![allow(unsafe_code, reason = "threads write their own elements of buffers that they share")]

use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;

use neuropil_base::ScalarType;
use neuropil_connectivity::Csr;
use neuropil_ir::{Access, At, Context, Op, Side, Verified};
use rayon::prelude::*;

use crate::backend::call;
use crate::body::Body;
use crate::elements::{Elements, Numbers};
use crate::slot::Slot;

/// Synapses that run together: enough to pay for the call, few enough for the second-level cache.
const PART: usize = 1 << 14;

/// A body, and what is known of how it runs over synapses.
#[derive(Debug)]
pub struct Swept {
    pub(crate) body: Arc<Body>,
    /// Whether every element reads and writes what no other element writes.
    apart: bool,
    /// Whether it looks at the numbers of presynaptic neurons.
    pre: bool,
    /// Whether it looks at the numbers of postsynaptic neurons.
    post: bool,
}

impl Swept {
    pub(crate) fn new(kernel: &Verified, body: Body) -> Self {
        let accesses = kernel.accesses();
        let own = At::Side(Side::Own);
        let written = |slot| accesses.iter().any(|(s, _, access)| *s == slot && *access != Access::Read);
        let emits = kernel.insts.iter().any(|inst| matches!(inst.op, Op::Emit(_)));
        let apart = !body.is_sequential()
            && !emits
            && accesses.iter().all(|(slot, at, _)| *at == own || !written(*slot));
        let looks_at = |side| {
            accesses.iter().any(|(_, at, _)| *at == At::Side(side))
                || kernel.insts.iter().any(|inst| match &inst.op {
                    Op::Index(of) => *of == side,
                    Op::Word { side: of, .. } | Op::Sample { side: of, .. } => *of == side,
                    Op::Constant(_)
                    | Op::Step
                    | Op::Load { .. }
                    | Op::Store { .. }
                    | Op::Accumulate { .. }
                    | Op::Unary(..)
                    | Op::Binary(..)
                    | Op::Compare(..)
                    | Op::Fma(..)
                    | Op::Select(..)
                    | Op::Convert(_)
                    | Op::Bitcast(_)
                    | Op::Call(..)
                    | Op::Emit(_) => false,
                })
        };
        let (pre, post) = (looks_at(Side::Pre), looks_at(Side::Post));
        Self { body: Arc::new(body), apart, pre, post }
    }
}

/// A body that runs for all synapses of a structure.
pub(crate) struct Sweep<'a> {
    pub body: &'a Swept,
    pub context: Context,
    pub rows: &'a Csr,
    /// The first presynaptic and the first postsynaptic neuron within their populations.
    pub starts: (u32, u32),
}

impl Sweep<'_> {
    /// Runs it; `slots` hold all of their buffers.
    pub(crate) fn run(&self, slots: &[Slot<'_>], emitted: &mut Vec<u32>) {
        let n_syn = self.rows.n_syn();
        let part = |k: usize| k * PART..n_syn.min((k + 1) * PART);
        let n_parts = n_syn.div_ceil(PART);
        if n_parts < 2 || !self.body.apart {
            for k in 0..n_parts {
                self.part(part(k), slots, emitted);
            }
            return;
        }
        let shared: Vec<Shared> = slots.iter().map(Shared::of).collect();
        (0..n_parts).into_par_iter().for_each(|k| {
            // SAFETY: the buffers outlive this call. Parts are ranges of synapses that do not meet, and a body that
            // is `apart` writes elements of its own synapses only and reads no other element of what it writes.
            let slots: Vec<Slot<'_>> = shared.iter().map(|slot| unsafe { slot.get() }).collect();
            self.part(part(k), &slots, &mut Vec::new());
        });
    }

    /// Runs it for the synapses with some numbers.
    fn part(&self, synapses: Range<usize>, slots: &[Slot<'_>], emitted: &mut Vec<u32>) {
        let (pre_start, post_start) = self.starts;
        let mut pre = Vec::new();
        if self.body.pre {
            pre.reserve(synapses.len());
            let offsets = self.rows.offsets();
            let mut row = offsets.partition_point(|offset| *offset <= synapses.start).saturating_sub(1);
            let mut at = synapses.start;
            while at < synapses.end {
                let end = offsets[row + 1].min(synapses.end);
                pre.resize(pre.len() + (end - at), row as u32 + pre_start);
                (at, row) = (end, row + 1);
            }
        }
        let targets = &self.rows.targets()[synapses.clone()];
        let moved: Vec<u32>;
        let post = match (self.body.post, post_start) {
            (false, _) => Numbers::Same(0),
            (true, 0) => Numbers::List32(targets),
            (true, start) => {
                moved = targets.iter().map(|post| post + start).collect();
                Numbers::List32(&moved)
            }
        };
        let elements = Elements {
            len: synapses.len(),
            own: Numbers::From(synapses.start as u64),
            pre: if self.body.pre { Numbers::List32(&pre) } else { Numbers::Same(0) },
            post,
        };
        call(&self.body.body, &self.context, &elements, slots, emitted);
    }
}

/// A slot on its way to other threads.
struct Shared {
    ty: ScalarType,
    data: NonNull<u8>,
    len: usize,
    writable: bool,
}

// SAFETY: it is an address and a length; what may be done with them is for `Shared::get` to ask.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    fn of(slot: &Slot<'_>) -> Self {
        // Slots are made of slices, whose addresses are never null.
        let data = NonNull::new(slot.as_ptr()).unwrap_or(NonNull::dangling());
        Self { ty: slot.ty(), data, len: slot.len(), writable: slot.is_writable() }
    }

    /// The slot, for another thread.
    ///
    /// # Safety
    /// As [`Slot::shared`].
    unsafe fn get<'a>(&self) -> Slot<'a> {
        // SAFETY: the caller's.
        unsafe { Slot::shared(self.ty, self.data, self.len, self.writable) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::KernelChoice;
    use neuropil_connectivity::{Connector, FixedTotalNumber, Shape, Site};
    use neuropil_ir::{parse, prepare};

    fn swept(text: &str) -> Swept {
        let kernel = prepare(&parse(text).unwrap()).unwrap();
        let body = Body::compile(&kernel, KernelChoice::Auto);
        Swept::new(&kernel, body)
    }

    const PLACES: &str = "kernel places over synapses {
  slot x: f64
  slot y: f64
  slot out: f64
  %0 = load x[pre] : f64
  %1 = load y[post] : f64
  %2 = index own : i32
  %3 = convert %2 : f64
  %4 = mul %0, %1 : f64
  %5 = add %4, %3 : f64
  store out[own], %5
}";

    #[test]
    fn parts_see_the_neurons_of_their_synapses() {
        let body = swept(PLACES);
        assert!(body.apart && body.pre && body.post);
        let rule = FixedTotalNumber { n: 3 * PART as u64 + 7, multapses: true, self_connections: true };
        let rows = rule.connect(&Shape::between(90, 70), Site::new(1, 1)).unwrap();
        for starts in [(0, 0), (5, 3)] {
            let x: Vec<f64> = (0..100).map(|k| f64::from(k) * 1e-3).collect();
            let y: Vec<f64> = (0..100).map(|k| f64::from(k) + 1e6).collect();
            let mut out = vec![0.0; rows.n_syn()];
            let slots = [(&x[..]).into(), (&y[..]).into(), (&mut out[..]).into()];
            let sweep = Sweep { body: &body, context: Context { seed: 1, step: 0 }, rows: &rows, starts };
            sweep.run(&slots, &mut Vec::new());
            for (k, (pre, post)) in rows.pairs().enumerate() {
                let (pre, post) = ((pre + starts.0) as usize, (post + starts.1) as usize);
                assert_eq!(out[k], x[pre] * y[post] + k as f64);
            }
        }
    }

    #[test]
    fn sums_over_synapses_run_in_order() {
        let body = swept(
            "kernel sum over synapses {
  slot w: f64
  slot total: f64
  %0 = load w[own] : f64
  accumulate add total[post], %0
}",
        );
        assert!(!body.apart && !body.pre && body.post);
        let rows = Csr::from_rows(1, &vec![vec![0]; 2 * PART]).unwrap();
        let w: Vec<f64> = (0..rows.n_syn()).map(|k| 1.0 / (k as f64 + 1.0)).collect();
        let mut total = [0.0];
        let slots = [(&w[..]).into(), (&mut total[..]).into()];
        let context = Context { seed: 1, step: 0 };
        Sweep { body: &body, context, rows: &rows, starts: (0, 0) }.run(&slots, &mut Vec::new());
        assert_eq!(total[0], w.iter().fold(0.0, |sum, w| sum + w));
    }
}
