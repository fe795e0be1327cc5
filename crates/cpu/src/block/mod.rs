//! The block engine: a kernel's body carried out for many elements at once, one instruction after the other.
//!
//! A body is compiled into a list of instructions over *lanes*, each of which holds one value for up to
//! [`BLOCK`] elements; a lane is used again after the last use of its value, so that all of them together stay in
//! the first-level cache. Each operation is one loop over a lane that the compiler vectorises, built for
//! the portable instruction set, for AVX2 with FMA and for AVX-512, and chosen once ([`Level`]). Values
//! that are the same for all elements are computed once per call and stay scalars.
//!
//! Results are those of `neuropil_interp` bit for bit (the bits of a NaN excepted): elements are independent, or
//! accumulate in their order; a kernel whose elements are not (`Kernel::order_dependence`) runs in blocks
//! of one element.

mod called;
mod compile;
mod data;
mod lanes;
mod level;
mod loops;
mod memory;
#[cfg(test)]
mod tests;

use neuropil_base::{Scalar, ScalarType};
use neuropil_ir::{Context, Op, Side, SlotId, ValueId, Verified, index_value, prepare};

#[cfg(target_arch = "x86_64")]
pub(crate) use called::Template;
pub use lanes::Workspace;
pub use level::Level;
#[cfg(target_arch = "x86_64")]
pub(crate) use memory::load_one;

use crate::elements::{BindError, Elements, Numbers};
use crate::random::{Asking, Parameter};
use crate::slot::Slot;
use compile::{Code, Program, Where};
use lanes::{Files, Source, put, take, values};
use memory::Spot;

/// Elements that run together. Longer blocks spread the cost of choosing a loop over more elements, shorter
/// ones keep the lanes in the first-level cache: a lane of singles takes 2 KiB. For the Hodgkin-Huxley step of
/// `examples/block_speed.rs`, 512 was quicker than 256 in both precisions, and 1024 only in single.
pub const BLOCK: usize = 512;

use crate::typed::typed;

/// A compiled body. It can be shared between threads, each with a [`Workspace`] of its own.
///
/// ```
/// use neuropil_cpu::Elements;
/// use neuropil_cpu::block::{Block, Workspace};
/// use neuropil_ir::{Context, parse, prepare};
/// let kernel = parse("kernel decay over elements {
///   slot v: f64
///   slot out: bool
///   %0 = load v[own] : f64
///   %1 = const f64 0.5
///   %2 = mul %0, %1 : f64
///   store v[own], %2
///   %4 = gt %2, %1 : bool
///   emit %4
/// }")?;
/// let block = Block::compile(&prepare(&kernel)?);
/// let mut v: Vec<f64> = (0..4).map(f64::from).collect();
/// let slots = [(&mut v[..]).into(), (&[0_u8; 4][..]).into()];
/// let mut events = Vec::new();
/// let context = Context { seed: 1, step: 0 };
/// block.run(&mut Workspace::new(), &context, &Elements::range(0, 4), &slots, &mut events)?;
/// assert_eq!(v, [0.0, 0.5, 1.0, 1.5]);
/// assert_eq!(events, [2, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Block {
    name: String,
    program: Program,
    level: Level,
}

impl Block {
    /// Compiles a body for the machine that this runs on.
    #[must_use]
    pub fn compile(kernel: &Verified) -> Self {
        Self::compile_for(kernel, Level::best())
    }

    /// Compiles a body for one of the [levels](Level::available) of the machine that this runs on.
    #[must_use]
    pub fn compile_for(kernel: &Verified, level: Level) -> Self {
        // Preparing a verified kernel cannot fail; if it did, the kernel would do as it is.
        Self::of_prepared(&prepare(kernel).unwrap_or_else(|_| kernel.clone()), level)
    }

    /// The same for a kernel that has been prepared.
    pub(crate) fn of_prepared(kernel: &Verified, level: Level) -> Self {
        Self { name: kernel.name.clone(), program: compile::compile(kernel), level }
    }

    /// Whether the body runs one element after the other, because an element may read what another writes.
    #[must_use]
    pub fn is_sequential(&self) -> bool {
        self.program.sequential
    }

    /// Runs the body for all elements, in their order; appends the own numbers of those that emit to `events`.
    ///
    /// `slots` are the buffers of the kernel's slots in their order. No two elements have the same own
    /// number, and the numbers of all sides lie inside of the buffers that are indexed by them. (If they do not,
    /// the nearest element is read, 0 if there is none, and nothing written, as for computed places; but
    /// what an element reads then depends on how blocks are cut.)
    ///
    /// # Errors
    /// Buffers or lists of numbers that do not fit; nothing has been done then.
    pub fn run(
        &self,
        workspace: &mut Workspace,
        context: &Context,
        elements: &Elements<'_>,
        slots: &[Slot<'_>],
        events: &mut Vec<u32>,
    ) -> Result<(), BindError> {
        self.check(slots)?;
        elements.check()?;
        let block = if self.program.sequential { 1 } else { BLOCK };
        let files = workspace.prepare(&self.program);
        self.uniforms(context, slots, files);
        let n = elements.len.min(block);
        for splat in &self.program.splats {
            typed!(splat.ty, T => lanes::splat::<T>(files, splat.uniform, splat.lane, n));
        }
        let mut base = 0;
        let mut next = if self.program.sequential { 1 } else { first_part(elements) };
        while base < elements.len {
            let n = next.min(elements.len - base);
            next = block;
            let call = Call { level: self.level, context, part: elements.part(base, n) };
            for code in &self.program.codes {
                call.step(code, slots, files, events);
            }
            base += n;
        }
        Ok(())
    }

    fn check(&self, slots: &[Slot<'_>]) -> Result<(), BindError> {
        let wanted = &self.program.slots;
        if slots.len() != wanted.len() {
            return Err(BindError::Count {
                kernel: self.name.clone(),
                wanted: wanted.len(),
                found: slots.len(),
            });
        }
        for (slot, binding) in wanted.iter().zip(slots) {
            if binding.ty() != slot.ty {
                let (wanted, found) = (slot.ty, binding.ty());
                return Err(BindError::Type { slot: slot.name.clone(), wanted, found });
            }
            if slot.written && !binding.is_writable() {
                return Err(BindError::ReadOnly { slot: slot.name.clone() });
            }
        }
        Ok(())
    }

    /// Computes the values that are the same for all elements.
    fn uniforms(&self, context: &Context, slots: &[Slot<'_>], files: &mut Files) {
        for computed in &self.program.computed {
            let of = |v: ValueId| {
                let place = self.program.uniform_of[v.index()];
                place.map_or(Scalar::Bool(false), |(ty, index)| files.uniform(ty, index))
            };
            let value = match &computed.op {
                Op::Step => Some(Scalar::I64(context.step)),
                Op::Load { slot, at } => Some(memory::load_one(&slots[slot.index()], *at, of)),
                op => op.evaluate(computed.ty, of),
            };
            if let Some(value) = value {
                files.set_uniform(computed.index, value);
            }
        }
    }
}

/// One block of elements.
struct Call<'a> {
    level: Level,
    context: &'a Context,
    part: Elements<'a>,
}

impl Call<'_> {
    /// Carries out one instruction.
    #[inline]
    fn step(&self, code: &Code, slots: &[Slot<'_>], files: &mut Files, events: &mut Vec<u32>) {
        let Self { level, part, .. } = self;
        let n = part.len;
        match code {
            Code::Pure(pure) => level.execute(pure, files, n),
            Code::Load { ty, slot, at, dst } => {
                typed!(*ty, T => {
                    let Some(mut lane) = take::<T>(files, *dst) else { return };
                    let data = slots[slot.index()].cells::<T>();
                    memory::load(values::<T>(&mut lane, n), data, spot(*at, part, files));
                    put::<T>(files, *dst, lane);
                });
            }
            Code::Store { ty, slot, at, value } => {
                typed!(*ty, T => {
                    let values = lanes::lane::<T>(files, *value, n);
                    memory::store(values, slots[slot.index()].cells::<T>(), spot(*at, part, files));
                });
            }
            Code::Accumulate { ty, slot, at, with, value } => {
                typed!(*ty, T => {
                    let values = lanes::lane::<T>(files, *value, n);
                    let data = slots[slot.index()].cells::<T>();
                    memory::accumulate(values, data, spot(*at, part, files), *with);
                });
            }
            Code::Emit { condition } => {
                let condition = lanes::lane::<u8>(files, *condition, n);
                emit(condition, part, events);
            }
            Code::Index { side, dst } => {
                let Some(mut lane) = take::<i32>(files, *dst) else { return };
                let numbers = part.numbers(*side);
                for (k, value) in values::<i32>(&mut lane, n).iter_mut().enumerate() {
                    *value = index_value(numbers.get(k));
                }
                put::<i32>(files, *dst, lane);
            }
            Code::Word { site, draw, side, dst } => {
                let Some(mut lane) = take::<i32>(files, *dst) else { return };
                self.asking(*site, *side).words(
                    *draw,
                    0,
                    bytemuck::cast_slice_mut(values::<i32>(&mut lane, n)),
                );
                put::<i32>(files, *dst, lane);
            }
            Code::Sample { sampler, site, side, args, dst } => {
                let Some(mut lane) = take::<i32>(files, *dst) else { return };
                let mut tables = std::mem::take(&mut files.tables);
                let parameters =
                    args.map(|operand| match operand.map(|o| lanes::source::<f64>(files, o, n)) {
                        Some(Source::Each(list)) => Parameter::Each(list),
                        Some(Source::All(x)) => Parameter::All(x),
                        None => Parameter::All(0.0),
                    });
                let samples = values::<i32>(&mut lane, n);
                self.asking(*site, *side).samples(&mut tables, *sampler, parameters, samples);
                files.tables = tables;
                put::<i32>(files, *dst, lane);
            }
        }
    }

    fn asking(&self, site: u32, side: Side) -> Asking<'_> {
        Asking { level: self.level, context: self.context, site, numbers: self.part.numbers(side) }
    }
}

/// How many elements the first part has. Random words are quickest from multiples of 128 on, which is where all parts
/// of [`BLOCK`] elements behind it begin.
pub(crate) fn first_part(elements: &Elements<'_>) -> usize {
    match elements.own {
        Numbers::From(first) => BLOCK - (first % 128) as usize,
        Numbers::Same(_) | Numbers::List32(_) | Numbers::List64(_) => BLOCK,
    }
}

/// Where the elements of this part find themselves in a buffer.
#[inline]
fn spot<'a>(at: Where, part: &Elements<'a>, files: &'a Files) -> Spot<'a> {
    match at {
        Where::Side(side) => match part.numbers(side) {
            Numbers::From(first) => Spot::From(*first),
            Numbers::Same(number) => Spot::Same(*number),
            Numbers::List32(list) => Spot::List32(list),
            Numbers::List64(list) => Spot::List64(list),
        },
        Where::Scalar => Spot::Scalar,
        Where::Value32(lane) => Spot::Values32(lanes::lane::<i32>(files, lane, part.len)),
        Where::Value64(lane) => Spot::Values64(lanes::lane::<i64>(files, lane, part.len)),
    }
}

fn emit(condition: &[u8], part: &Elements<'_>, events: &mut Vec<u32>) {
    const GROUP: usize = 32;
    for (g, group) in condition.chunks(GROUP).enumerate() {
        // Events are rare: most groups have none.
        if group.iter().fold(0, |any, c| any | c) == 0 {
            continue;
        }
        for (k, c) in group.iter().enumerate() {
            if *c != 0 {
                events.push(part.own.get(g * GROUP + k) as u32);
            }
        }
    }
}

/// A slot of a compiled body.
#[derive(Clone, Debug)]
struct BlockSlot {
    name: String,
    ty: ScalarType,
    written: bool,
}

/// The slots of a kernel, and whether it writes them.
fn slots_of(kernel: &neuropil_ir::Kernel) -> Vec<BlockSlot> {
    let accesses = kernel.accesses();
    let written = |slot: SlotId| {
        accesses.iter().any(|(s, _, access)| *s == slot && *access != neuropil_ir::Access::Read)
    };
    kernel
        .slots
        .iter()
        .enumerate()
        .map(|(i, slot)| BlockSlot { name: slot.name.clone(), ty: slot.ty, written: written(SlotId::new(i)) })
        .collect()
}
