//! Runs the code of a body: sets its table, fills lanes, calls it chunk by chunk.

#![allow(unsafe_code, reason = "runs machine code on the memory of slots")]

use bytemuck::{Pod, Zeroable};
use neuropil_base::{Scalar, ScalarType};
use neuropil_ir::{Access, At, Context, Op, Side, ValueId};

use super::plan::{Fill, Parameter};
use super::program::{Entry, Isa, header};
use super::{CHUNK, Changing, Code, Codes, Kernel};
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
    /// Lanes of [`CHUNK`] values of 8 bytes.
    lanes: Vec<Vec<Line>>,
    events: Vec<u32>,
    /// What samples are looked up in.
    tables: Tables,
    /// For calls that keep nothing from one to the next.
    binding: Binding,
}

/// What calls of one body with the same buffers have in common: what was checked, and tables that were set. Calls over the
/// same elements as the one before set only what changes from step to step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Binding {
    /// Whether the buffers are what the kernel wants.
    is_checked: bool,
    /// The elements that were last seen to lie inside of the buffers.
    fitted: Option<Run>,
    /// By code: the table of parameters, and that of the body.
    tables: [Table; 2],
    /// By value of the kernel: constants, and what all elements of the last call shared.
    values: Vec<Scalar>,
}

/// A table, and the elements that it was set for.
#[derive(Clone, Debug, Default)]
struct Table {
    lines: Vec<Line>,
    of: Option<Run>,
}

/// Elements that are told without lists.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Run {
    len: usize,
    shapes: usize,
    numbers: [u64; 3],
}

/// One call of a body.
struct Call<'a> {
    context: &'a Context,
    part: &'a Elements<'a>,
    /// The part, if it is told without lists.
    run: Option<Run>,
    slots: &'a [Slot<'a>],
}

impl Run {
    fn of(elements: &Elements<'_>, shapes: usize) -> Option<Self> {
        let mut numbers = [0; 3];
        for (to, side) in numbers.iter_mut().zip([&elements.own, &elements.pre, &elements.post]) {
            match side {
                Numbers::From(number) | Numbers::Same(number) => *to = *number,
                Numbers::List32(_) | Numbers::List64(_) => return None,
            }
        }
        Some(Self { len: elements.len, shapes, numbers })
    }
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
        let mut binding = std::mem::take(&mut workspace.machine.binding);
        binding.is_checked = false;
        let done = self.run_bound((&mut binding, slots), workspace, context, elements, events);
        workspace.machine.binding = binding;
        done
    }

    /// The same for a binding that is new, or was used before with this body and these slots, and no others.
    #[must_use]
    pub(crate) fn run_bound(
        &self,
        (binding, slots): (&mut Binding, &[Slot<'_>]),
        workspace: &mut Workspace,
        context: &Context,
        elements: &Elements<'_>,
        events: &mut Vec<u32>,
    ) -> bool {
        if elements.check().is_err() || !(binding.is_checked || self.bind(binding, slots)) {
            return false;
        }
        if elements.len == 0 {
            return true;
        }
        let shapes = self.shapes(elements);
        let Some(codes) = self.codes(shapes) else { return false };
        let run = Run::of(elements, Self::place(shapes));
        if run.is_none() || run != binding.fitted {
            if !self.fits(elements, slots) {
                return false;
            }
            binding.fitted = run;
        }
        self.share(&mut binding.values, context, slots);
        let scratch = &mut workspace.machine;
        let plan = &self.plan;
        while scratch.lanes.len() < plan.lanes as usize {
            scratch.lanes.push(vec![Line::zeroed(); CHUNK / 8]);
        }
        if plan.emits {
            scratch.events.resize(EVENTS, 0);
        }
        let chunk = match (plan.fills.is_empty(), plan.emits) {
            (false, _) => CHUNK,
            (true, true) => EVENTS,
            (true, false) => elements.len,
        };
        let mut base = 0;
        let mut next = if plan.fills.is_empty() { chunk } else { first_part(elements) };
        while base < elements.len {
            let n = next.min(elements.len - base);
            next = chunk;
            let part = elements.part(base, n);
            let call = Call { context, part: &part, run: Run::of(&part, Self::place(shapes)), slots };
            let emitted = self.chunk(codes, binding, scratch, &call);
            events.extend_from_slice(&scratch.events[..emitted]);
            base += n;
        }
        true
    }

    /// Begins a binding; `false` if the buffers are not what the kernel wants.
    fn bind(&self, binding: &mut Binding, slots: &[Slot<'_>]) -> bool {
        if !self.binds(slots) {
            return false;
        }
        let value = |inst: &neuropil_ir::Inst| {
            if let Op::Constant(value) = inst.op { value } else { Scalar::Bool(false) }
        };
        binding.values.clear();
        binding.values.extend(self.plan.kernel.insts.iter().map(value));
        binding.fitted = None;
        binding.tables.iter_mut().for_each(|table| table.of = None);
        binding.is_checked = true;
        true
    }

    /// Runs the body for some elements; how many events it emitted.
    fn chunk(&self, codes: &Codes, binding: &mut Binding, scratch: &mut Scratch, call: &Call<'_>) -> usize {
        let Binding { tables: [first, second], values, .. } = binding;
        let (words, samples) = {
            let count = self.plan.fills.iter().take_while(|f| matches!(f, Fill::Word { .. })).count();
            self.plan.fills.split_at(count)
        };
        words.iter().for_each(|fill| self.fill(fill, values, scratch, call));
        if let Some(code) = &codes.parameters {
            self.call(code, first, values, scratch, call);
        }
        samples.iter().for_each(|fill| self.fill(fill, values, scratch, call));
        self.call(&codes.body, second, values, scratch, call)
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
    fn share(&self, values: &mut [Scalar], context: &Context, slots: &[Slot<'_>]) {
        for (i, ty) in &self.plan.computed {
            let of = |v: ValueId| values[v.index()];
            let value = match &self.plan.kernel.insts[*i].op {
                Op::Step => Some(Scalar::I64(context.step)),
                Op::Load { slot, at } => Some(load_one(&slots[slot.index()], *at, of)),
                op => op.evaluate(*ty, of),
            };
            // Everything that all elements share can be evaluated.
            values[*i] = value.unwrap_or(Scalar::from_bits(*ty, 0));
        }
    }

    /// Fills a lane for the elements of a chunk.
    fn fill(&self, fill: &Fill, values: &[Scalar], scratch: &mut Scratch, call: &Call<'_>) {
        let Call { context, part, .. } = call;
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
                        Parameter::Shared(v) => random::Parameter::All(values[v.index()].to_f64()),
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
    fn call(
        &self,
        code: &Code,
        table: &mut Table,
        values: &[Scalar],
        scratch: &mut Scratch,
        call: &Call<'_>,
    ) -> usize {
        if call.run.is_none() || call.run != table.of {
            let lines = (code.table as usize).div_ceil(64);
            table.lines.resize(lines.max(table.lines.len()), Line::zeroed());
            code.set(bytemuck::cast_slice_mut(&mut table.lines), call);
            table.of = call.run;
        }
        let events = scratch.events.as_mut_ptr();
        let table: &mut [u64] = bytemuck::cast_slice_mut(&mut table.lines);
        table[header::EVENTS as usize / 8] = events as u64;
        for (offset, from) in &code.changing {
            let at = *offset as usize / 8;
            match from {
                Changing::Shared(v) => {
                    let value = values[*v as usize];
                    let (bits, short) = match value {
                        Scalar::Bool(b) => (if b { u64::MAX } else { 0 }, false),
                        Scalar::I32(_) | Scalar::F32(_) => (value.bits(), true),
                        Scalar::I64(_) | Scalar::F64(_) => (value.bits(), false),
                    };
                    code.splat(&mut table[at..], bits, short);
                }
                Changing::Lane(lane) => {
                    let lane = scratch.lanes.get_mut(*lane as usize);
                    table[at] = lane.map_or(0, |lane| lane.as_mut_ptr() as u64);
                }
            }
        }
        // SAFETY: the code was made for an instruction set of this machine. The table is as long as the code
        // takes it to be, and holds addresses of slots, lists and lanes that are alive: whatever it holds from a call before
        // is of the same slots and no lists, as whoever keeps the binding promised. `fits` has seen to it that
        // elements one after the other and those with one number lie inside, lists are as long as there are elements
        // (the caller's promise), other places are checked by the code, lanes hold a chunk, and there is room for an event
        // of every element. Nobody else uses what the body writes: whoever made the slots promised that.
        unsafe { code.pages.call(table.as_mut_ptr()) };
        if !self.plan.emits {
            return 0;
        }
        let end = table[header::EVENTS as usize / 8];
        ((end - events as u64) / 4) as usize
    }
}

/// Whether code can reach all elements of a buffer by 32-bit numbers, of which there must be one.
fn is_gathered(slot: &Slot<'_>) -> bool {
    (1..=1 << 31).contains(&slot.len())
}

impl Code {
    /// Sets what does not change from step to step.
    fn set(&self, table: &mut [u64], call: &Call<'_>) {
        let Call { part, slots, .. } = call;
        let tail = part.len % self.lanes;
        let mut set = |offset: i32, value: u64| table[offset as usize / 8] = value;
        set(header::FULL, (part.len - tail) as u64);
        set(header::TAIL, tail as u64);
        set(header::POOL, self.pages.pool());
        let bits = (1_u64 << tail) - 1;
        set(header::BITS, bits);
        set(header::UPPER_BITS, bits >> 8);
        if self.isa == Isa::Avx2 && tail != 0 {
            let (ones32, ones64) =
                table[header::ONES32 as usize / 8..header::END as usize / 8].split_at_mut(4);
            let words: &mut [u32] = bytemuck::cast_slice_mut(ones32);
            words.iter_mut().enumerate().for_each(|(k, w)| *w = if k < tail { u32::MAX } else { 0 });
            ones64.iter_mut().enumerate().for_each(|(k, w)| *w = if k < tail { u64::MAX } else { 0 });
        }
        let base = |slot: neuropil_ir::SlotId| slots[slot.index()].as_ptr() as u64;
        let number = |side: Side| part.numbers(side).get(0);
        for (offset, entry) in &self.entries {
            let at = *offset as usize / 8;
            table[at] = match *entry {
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
                Entry::Last(slot) => {
                    let last = (slots[slot.index()].len() - 1) as u64 & 0xffff_ffff;
                    self.splat(&mut table[at..], last, true);
                    continue;
                }
                Entry::Number(side) => {
                    self.splat(&mut table[at..], number(side) & 0xffff_ffff, true);
                    continue;
                }
                // These are set for each call.
                Entry::Uniform(_) | Entry::Lane(_) => continue,
            };
        }
    }

    /// Sets as many copies of a value, of 4 bytes if it is `short`, as the code takes.
    fn splat(&self, table: &mut [u64], bits: u64, short: bool) {
        let bits = if short { bits | bits << 32 } else { bits };
        let copies = if self.isa == Isa::Avx2 { 4 } else { 1 };
        table[..copies].fill(bits);
    }
}

fn bytes(ty: ScalarType) -> u64 {
    match ty {
        ScalarType::Bool => 1,
        ScalarType::I32 | ScalarType::F32 => 4,
        ScalarType::I64 | ScalarType::F64 => 8,
    }
}
