//! Runs the code of a body: sets its table, fills lanes, calls it chunk by chunk.

#![allow(unsafe_code, reason = "runs machine code on the memory of slots")]

use bytemuck::{Pod, Zeroable};
use neuropil_base::{Scalar, ScalarType};
use neuropil_ir::{Access, At, Context, Op, Side, ValueId};

use super::plan::{Fill, Parameter, Plan};
use super::program::{Entry, Isa, header};
use super::{CHUNK, Code, Codes, Kernel};
use crate::block::{Workspace, first_part, load_one};
use crate::elements::{Elements, Numbers};
use crate::random::{self, Asking, Tables};
use crate::slot::Slot;

/// Elements of one call of a body that emits: there is room for that many events.
const EVENTS: usize = 4096;

/// A line of the cache: tables begin on one, and lanes.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u64; 8]);

/// What calls work on; one serves any number of bodies, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    table: Vec<Line>,
    /// Lanes of [`CHUNK`] values of 8 bytes.
    lanes: Vec<Vec<Line>>,
    events: Vec<u32>,
    shared: Vec<Scalar>,
    /// What samples are looked up in.
    tables: Tables,
}

impl Kernel {
    /// Runs the body for all elements, in their order; appends the own numbers of those that emit to `events`.
    /// `false` if it must be done by the block engine, which also says what does not fit: nothing has been done
    /// then.
    #[must_use]
    pub fn run(
        &self,
        workspace: &mut Workspace,
        context: &Context,
        elements: &Elements<'_>,
        slots: &[Slot<'_>],
        events: &mut Vec<u32>,
    ) -> bool {
        let scratch = &mut workspace.machine;
        if elements.check().is_err() || !self.binds(slots) {
            return false;
        }
        if elements.len == 0 {
            return true;
        }
        let Some(codes) = self.codes(self.shapes(elements)) else { return false };
        if !self.fits(elements, slots) {
            return false;
        }
        self.share(scratch, context, slots);
        let plan = &self.plan;
        while scratch.lanes.len() < plan.lanes as usize {
            scratch.lanes.push(vec![Line::zeroed(); CHUNK / 8]);
        }
        let chunk = match (plan.fills.is_empty(), plan.emits) {
            (false, _) => CHUNK,
            (true, true) => EVENTS,
            (true, false) => elements.len,
        };
        if plan.emits {
            scratch.events.resize(EVENTS, 0);
        }
        let mut base = 0;
        let mut next = if plan.fills.is_empty() { chunk } else { first_part(elements) };
        while base < elements.len {
            let n = next.min(elements.len - base);
            next = chunk;
            let part = elements.part(base, n);
            let emitted = self.chunk(codes, scratch, context, &part, slots);
            events.extend_from_slice(&scratch.events[..emitted]);
            base += n;
        }
        true
    }

    /// Runs the body for some elements; how many events it emitted.
    fn chunk(
        &self,
        codes: &Codes,
        scratch: &mut Scratch,
        context: &Context,
        part: &Elements<'_>,
        slots: &[Slot<'_>],
    ) -> usize {
        let (words, samples) = {
            let count = self.plan.fills.iter().take_while(|f| matches!(f, Fill::Word { .. })).count();
            self.plan.fills.split_at(count)
        };
        words.iter().for_each(|fill| self.fill(fill, scratch, context, part));
        if let Some(code) = &codes.parameters {
            self.call(code, scratch, part, slots);
        }
        samples.iter().for_each(|fill| self.fill(fill, scratch, context, part));
        self.call(&codes.body, scratch, part, slots)
    }

    /// Whether buffers have the types that the kernel wants, and may be written where it writes.
    fn binds(&self, slots: &[Slot<'_>]) -> bool {
        let wanted = &self.plan.kernel.slots;
        slots.len() == wanted.len()
            && slots.iter().zip(wanted).all(|(slot, wanted)| slot.ty() == wanted.ty)
            && self
                .plan
                .accesses
                .iter()
                .all(|(slot, _, access)| *access == Access::Read || slots[slot.index()].is_writable())
    }

    /// Whether every place that the code does not check lies inside of its buffer.
    fn fits(&self, elements: &Elements<'_>, slots: &[Slot<'_>]) -> bool {
        self.plan.accesses.iter().all(|(slot, at, access)| {
            let Some(slot) = slots.get(slot.index()) else { return false };
            let reads = *access == Access::Read;
            match at {
                At::Side(side) => match elements.numbers(*side) {
                    Numbers::From(first) => usize::try_from(*first)
                        .ok()
                        .and_then(|first| first.checked_add(elements.len))
                        .is_some_and(|end| end <= slot.len()),
                    Numbers::Same(number) => !reads || usize::try_from(*number).is_ok_and(|i| i < slot.len()),
                    Numbers::List32(_) | Numbers::List64(_) => !reads || is_gathered(slot),
                },
                At::Value(_) => !reads || is_gathered(slot),
                At::Scalar => true,
            }
        })
    }

    /// Computes the values that all elements share.
    fn share(&self, scratch: &mut Scratch, context: &Context, slots: &[Slot<'_>]) {
        let plan = &self.plan;
        scratch.shared.clear();
        for (i, ty) in &plan.computed {
            let of = |v: ValueId| shared(plan, &scratch.shared, v);
            let value = match &plan.kernel.insts[*i].op {
                Op::Step => Some(Scalar::I64(context.step)),
                Op::Load { slot, at } => Some(load_one(&slots[slot.index()], *at, of)),
                op => op.evaluate(*ty, of),
            };
            // Everything that all elements share can be evaluated.
            scratch.shared.push(value.unwrap_or(Scalar::from_bits(*ty, 0)));
        }
    }

    /// Fills a lane for the elements of a chunk.
    fn fill(&self, fill: &Fill, scratch: &mut Scratch, context: &Context, part: &Elements<'_>) {
        let n = part.len;
        let (Fill::Word { site, side, lane, .. } | Fill::Sample { site, side, lane, .. }) = fill;
        let asking = Asking { level: self.level, context, site: *site, numbers: part.numbers(*side) };
        // The lane is taken out, so that others can be read.
        let mut taken = std::mem::take(&mut scratch.lanes[*lane as usize]);
        match fill {
            Fill::Word { draw, .. } => {
                let words: &mut [u32] = bytemuck::cast_slice_mut(&mut taken);
                asking.words(*draw, 0, &mut words[..n]);
            }
            Fill::Sample { sampler, parameters, .. } => {
                let samples: &mut [i32] = bytemuck::cast_slice_mut(&mut taken);
                let mut list = [random::Parameter::All(0.0); 2];
                for (to, parameter) in list.iter_mut().zip(parameters) {
                    *to = match parameter {
                        Parameter::Shared(v) => {
                            random::Parameter::All(shared(&self.plan, &scratch.shared, *v).to_f64())
                        }
                        Parameter::Lane(lane) => {
                            let lane: &[f64] = bytemuck::cast_slice(&scratch.lanes[*lane as usize]);
                            random::Parameter::Each(&lane[..n])
                        }
                    };
                }
                asking.samples(&mut scratch.tables, *sampler, list, &mut samples[..n]);
            }
        }
        scratch.lanes[*lane as usize] = taken;
    }

    /// Runs one code; how many events it emitted.
    fn call(&self, code: &Code, scratch: &mut Scratch, part: &Elements<'_>, slots: &[Slot<'_>]) -> usize {
        let n = part.len;
        let lines = (code.table as usize).div_ceil(64);
        scratch.table.resize(lines.max(scratch.table.len()), Line::zeroed());
        let events = scratch.events.as_mut_ptr();
        let table: &mut [u64] = bytemuck::cast_slice_mut(&mut scratch.table);
        let tail = n % code.lanes;
        let mut set = |offset: i32, value: u64| table[offset as usize / 8] = value;
        set(header::FULL, (n - tail) as u64);
        set(header::TAIL, tail as u64);
        set(header::POOL, code.pages.pool());
        set(header::EVENTS, events as u64);
        let bits = (1_u64 << tail) - 1;
        set(header::BITS, bits);
        set(header::UPPER_BITS, bits >> 8);
        if code.isa == Isa::Avx2 && tail != 0 {
            let (ones32, ones64) =
                table[header::ONES32 as usize / 8..header::END as usize / 8].split_at_mut(4);
            let words: &mut [u32] = bytemuck::cast_slice_mut(ones32);
            words.iter_mut().enumerate().for_each(|(k, w)| *w = if k < tail { u32::MAX } else { 0 });
            ones64.iter_mut().enumerate().for_each(|(k, w)| *w = if k < tail { u64::MAX } else { 0 });
        }
        let copies = if code.isa == Isa::Avx2 { 4 } else { 1 };
        for (offset, entry) in &code.entries {
            let at = *offset as usize / 8;
            if !entry.is_splat() {
                table[at] = address(*entry, &mut scratch.lanes, part, slots);
                continue;
            }
            let (bits, short) = match entry {
                Entry::Uniform(v) => {
                    let value = shared(&self.plan, &scratch.shared, ValueId::new(*v as usize));
                    match value {
                        Scalar::Bool(b) => (if b { u64::MAX } else { 0 }, false),
                        Scalar::I32(_) | Scalar::F32(_) => (value.bits(), true),
                        Scalar::I64(_) | Scalar::F64(_) => (value.bits(), false),
                    }
                }
                Entry::Last(slot) => ((slots[slot.index()].len() - 1) as u64 & 0xffff_ffff, true),
                Entry::Number(side) => (part.numbers(*side).get(0) & 0xffff_ffff, true),
                Entry::Stream { .. }
                | Entry::Same { .. }
                | Entry::Base(_)
                | Entry::Len(_)
                | Entry::List(_)
                | Entry::Start(_)
                | Entry::Lane(_) => (0, false),
            };
            let bits = if short { bits | bits << 32 } else { bits };
            table[at..at + copies].fill(bits);
        }
        let table = table.as_mut_ptr();
        // SAFETY: the code was made for an instruction set of this machine. The table is as long as the code
        // takes it to be, and holds addresses of slots, lists and lanes that are alive: `fits` has seen to it that
        // elements one after the other and those with one number lie inside, lists are as long as there are elements
        // (the caller's promise), other places are checked by the code, lanes hold a chunk, and there is room for an event
        // of every element. Nobody else uses what the body writes: whoever made the slots promised that.
        unsafe { code.pages.call(table) };
        if !self.plan.emits {
            return 0;
        }
        let end = bytemuck::cast_slice::<Line, u64>(&scratch.table)[header::EVENTS as usize / 8];
        ((end - events as u64) / 4) as usize
    }
}

/// Whether code can reach all elements of a buffer by 32-bit numbers, of which there must be one.
fn is_gathered(slot: &Slot<'_>) -> bool {
    (1..=1 << 31).contains(&slot.len())
}

/// A value that all elements share.
fn shared(plan: &Plan, computed: &[Scalar], v: ValueId) -> Scalar {
    if let Op::Constant(value) = plan.kernel.insts[v.index()].op {
        return value;
    }
    let at = plan.computed_of[v.index()].unwrap_or(u32::MAX);
    computed.get(at as usize).copied().unwrap_or(Scalar::Bool(false))
}

/// What a table holds of things that are not the same in every lane.
fn address(entry: Entry, lanes: &mut [Vec<Line>], part: &Elements<'_>, slots: &[Slot<'_>]) -> u64 {
    let base = |slot: neuropil_ir::SlotId| slots[slot.index()].as_ptr() as u64;
    let number = |side: Side| part.numbers(side).get(0);
    match entry {
        Entry::Stream { slot, side } | Entry::Same { slot, side } => {
            base(slot).wrapping_add(number(side).wrapping_mul(bytes(slots[slot.index()].ty())))
        }
        Entry::Base(slot) => base(slot),
        Entry::Len(slot) => slots[slot.index()].len() as u64,
        Entry::Start(side) => number(side),
        Entry::List(side) => match part.numbers(side) {
            Numbers::List32(list) => list.as_ptr() as u64,
            Numbers::List64(list) => list.as_ptr() as u64,
            Numbers::From(_) | Numbers::Same(_) => 0,
        },
        Entry::Lane(lane) => lanes.get_mut(lane as usize).map_or(0, |lane| lane.as_mut_ptr() as u64),
        Entry::Uniform(_) | Entry::Last(_) | Entry::Number(_) => 0,
    }
}

fn bytes(ty: ScalarType) -> u64 {
    match ty {
        ScalarType::Bool => 1,
        ScalarType::I32 | ScalarType::F32 => 4,
        ScalarType::I64 | ScalarType::F64 => 8,
    }
}
