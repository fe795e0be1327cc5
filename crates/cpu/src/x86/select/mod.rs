//! From a kernel to vector instructions, for one shape of elements.
//!
//! As many elements run together as 32-bit values fit a register; values of 64 bits then take two registers. If
//! most values have 64 bits, half as many elements run together, and values of 32 bits take half a register.

mod convert;
mod exponential;
mod integer;
mod logic;
mod memory;

use std::collections::{HashMap, HashSet};

use neuropil_base::{Scalar, ScalarType};
use neuropil_ir::{Kernel, Op, Side, SlotId, ValueId};
use neuropil_math::{BinaryOp, UnaryOp};

use super::family::Family;
use super::program::{Entry, Home, Inst, Isa, Plain, Program, V, Value, Width, header};

/// How the numbers of a side are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    From,
    Same,
    List32,
    List64,
}

/// The lanes of a value of the kernel.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lanes {
    /// A number, in one register or two.
    Number([V; 2]),
    /// A truth value in a mask register.
    Mask(V),
    /// A truth value as lanes of ones or zeros, as wide as it has been wanted: 32 bits, 64 bits.
    Wide(Option<V>, Option<[V; 2]>),
}

/// What is asked of a body.
pub(super) struct Job<'a> {
    pub(super) kernel: &'a Kernel,
    /// Which values are the same for all elements.
    pub(super) uniform: &'a [bool],
    /// Which instructions are wanted, uniform ones aside.
    pub(super) wanted: &'a [bool],
    /// By value: the lane that is filled before the body runs.
    pub(super) filled: &'a HashMap<usize, u32>,
    /// Values that the body writes to lanes.
    pub(super) parameters: &'a [(ValueId, u32)],
    pub(super) shapes: [Shape; 3],
    pub(super) isa: Isa,
}

/// Selects instructions. `None` for what the emitter does not do.
pub(super) fn select(job: &Job<'_>) -> Option<Program> {
    let lanes = lanes(job);
    let program = Program {
        isa: job.isa,
        lanes,
        values: Vec::new(),
        insts: Vec::new(),
        entries: Vec::new(),
        table: header::END,
        pool: Vec::new(),
    };
    let mut select = Select {
        job,
        program,
        of: vec![None; job.kernel.insts.len()],
        constants: HashMap::new(),
        uppers: HashMap::new(),
        numbers: [None; 3],
        numbers64: [None; 3],
        indices: HashMap::new(),
        fetched: HashSet::new(),
    };
    let instead = match job.isa {
        Isa::Avx2 => vec![None; job.kernel.insts.len()],
        Isa::Avx512 => exponential::find(job),
    };
    for (i, inst) in job.kernel.insts.iter().enumerate() {
        if job.uniform[i] || !job.wanted[i] {
            continue;
        }
        if let Some(instead) = instead[i] {
            select.instead(i, instead)?;
            continue;
        }
        if let Some(lane) = job.filled.get(&i) {
            let entry = select.entry(Entry::Lane(*lane));
            let home = Home::Stream { entry, part: 0, size: 4 };
            let v = select.homed(select.width(4), home);
            select.of[i] = Some(Lanes::Number([v; 2]));
            continue;
        }
        select.inst(i, &inst.op)?;
    }
    for (value, lane) in job.parameters {
        let entry = select.entry(Entry::Lane(*lane));
        let list = select.number(*value)?;
        for (part, value) in list.into_iter().take(select.parts(8)).enumerate() {
            select.program.insts.push(Inst::Store { entry, part: part as u8, size: 8, value });
        }
    }
    let mut program = select.program;
    drop_unused(&mut program);
    Some(program)
}

/// Elements that run together.
fn lanes(job: &Job<'_>) -> usize {
    let (mut words, mut longs) = (0, 0);
    for (i, inst) in job.kernel.insts.iter().enumerate() {
        if job.uniform[i] || !job.wanted[i] || matches!(inst.op, Op::Bitcast(_)) {
            continue;
        }
        match inst.ty {
            Some(ScalarType::F64 | ScalarType::I64) => longs += 1,
            Some(ScalarType::F32 | ScalarType::I32) => words += 1,
            Some(ScalarType::Bool) | None => {}
        }
    }
    if longs > words { job.isa.bytes() / 8 } else { job.isa.bytes() / 4 }
}

/// Drops values that nothing reads: helpers that were made and not needed after all.
fn drop_unused(program: &mut Program) {
    let mut used = vec![false; program.values.len()];
    let mut kept = Vec::with_capacity(program.insts.len());
    for inst in program.insts.drain(..).rev() {
        if inst.dst().is_some_and(|v| !used[v as usize]) {
            continue;
        }
        inst.uses(|v| used[v as usize] = true);
        kept.push(inst);
    }
    kept.reverse();
    program.insts = kept;
}

/// Bytes of a value of a number's type.
pub(super) fn size(ty: ScalarType) -> u8 {
    match ty {
        ScalarType::Bool => 1,
        ScalarType::I32 | ScalarType::F32 => 4,
        ScalarType::I64 | ScalarType::F64 => 8,
    }
}

pub(super) struct Select<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) program: Program,
    /// By value of the kernel.
    of: Vec<Option<Lanes>>,
    /// Constants by bits and size.
    constants: HashMap<(u64, u8), V>,
    /// The upper half of a value.
    uppers: HashMap<V, V>,
    /// By side: the lower 32 bits of the numbers, and all 64.
    pub(super) numbers: [Option<V>; 3],
    pub(super) numbers64: [Option<[V; 2]>; 3],
    /// The numbers of a side as places in a buffer.
    pub(super) indices: HashMap<(Side, SlotId), V>,
    /// Buffers whose later elements are fetched.
    pub(super) fetched: HashSet<SlotId>,
}

impl Select<'_> {
    pub(super) fn isa(&self) -> Isa {
        self.job.isa
    }

    /// The register that a value with elements of that size takes, or each of its two.
    pub(super) fn width(&self, size: u8) -> Width {
        Width::of((self.program.lanes * usize::from(size)).min(self.isa().bytes()))
    }

    /// How many registers a value with elements of that size takes.
    pub(super) fn parts(&self, size: u8) -> usize {
        (self.program.lanes * usize::from(size)).div_ceil(self.isa().bytes())
    }

    pub(super) fn ty(&self, value: ValueId) -> Option<ScalarType> {
        self.job.kernel.ty(value)
    }

    fn value(&mut self, value: Value) -> V {
        self.program.values.push(value);
        (self.program.values.len() - 1) as V
    }

    pub(super) fn fresh(&mut self, width: Width) -> V {
        self.value(Value { mask: false, width, home: None })
    }

    pub(super) fn fresh_mask(&mut self) -> V {
        self.value(Value { mask: true, width: Width::X, home: None })
    }

    pub(super) fn homed(&mut self, width: Width, home: Home) -> V {
        self.value(Value { mask: false, width, home: Some(home) })
    }

    /// The entry of the table for something, in bytes from its start.
    pub(super) fn entry(&mut self, entry: Entry) -> i32 {
        if let Some((at, _)) = self.program.entries.iter().find(|(_, e)| *e == entry) {
            return *at;
        }
        let copies = if entry.is_splat() && self.isa() == Isa::Avx2 { 4 } else { 1 };
        let at = self.program.table;
        self.program.table += 8 * copies;
        self.program.entries.push((at, entry));
        at
    }

    /// A constant in all lanes; -1 and 0 as bits of size 4 serve as masks too.
    pub(super) fn constant(&mut self, bits: u64, size: u8) -> V {
        if let Some(v) = self.constants.get(&(bits, size)) {
            return *v;
        }
        let copies = if self.isa() == Isa::Avx2 { 32 / usize::from(size) } else { 1 };
        let at = self.pool(&bits.to_le_bytes()[..usize::from(size)], copies);
        let v = self.homed(self.width(size), Home::Splat { pool: true, at, size });
        self.constants.insert((bits, size), v);
        v
    }

    /// Puts something into the pool; where it is.
    pub(super) fn pool(&mut self, bytes: &[u8], copies: usize) -> i32 {
        let pool = &mut self.program.pool;
        pool.resize(pool.len().next_multiple_of(bytes.len().max(1)), 0);
        let at = pool.len();
        for _ in 0..copies {
            pool.extend_from_slice(bytes);
        }
        at as i32
    }

    /// A register full in the pool.
    pub(super) fn vector(&mut self, bytes: &[u8]) -> V {
        let at = self.pool(bytes, 1);
        self.homed(Width::of(bytes.len()), Home::Vector { at })
    }

    pub(super) fn f32(&mut self, x: f32) -> V {
        self.constant(u64::from(x.to_bits()), 4)
    }

    pub(super) fn f64(&mut self, x: f64) -> V {
        self.constant(x.to_bits(), 8)
    }

    pub(super) fn i32(&mut self, x: i32) -> V {
        self.constant(u64::from(x as u32), 4)
    }

    pub(super) fn i64(&mut self, x: i64) -> V {
        self.constant(x as u64, 8)
    }

    /// A value that all elements share.
    fn shared(&mut self, value: ValueId) -> Option<Lanes> {
        let ty = self.ty(value)?;
        let constant = match self.job.kernel.insts[value.index()].op {
            Op::Constant(c) => Some(c),
            _ => None,
        };
        if ty == ScalarType::Bool {
            let home = match constant {
                Some(c) => {
                    let bits = if c == Scalar::Bool(true) { u64::MAX } else { 0 };
                    let at = self.pool(&bits.to_le_bytes(), if self.isa() == Isa::Avx2 { 4 } else { 1 });
                    Home::Splat { pool: true, at, size: 8 }
                }
                None => {
                    Home::Splat { pool: false, at: self.entry(Entry::Uniform(value.index() as u32)), size: 8 }
                }
            };
            return Some(match self.isa() {
                Isa::Avx512 => {
                    Lanes::Mask(self.value(Value { mask: true, width: Width::X, home: Some(home) }))
                }
                Isa::Avx2 => {
                    let narrow = self.homed(self.width(4), home);
                    let wide = self.homed(self.width(8), home);
                    Lanes::Wide(Some(narrow), Some([wide; 2]))
                }
            });
        }
        let v = match constant {
            Some(c) => self.constant(c.bits(), size(ty)),
            None => {
                let at = self.entry(Entry::Uniform(value.index() as u32));
                self.homed(self.width(size(ty)), Home::Splat { pool: false, at, size: size(ty) })
            }
        };
        Some(Lanes::Number([v; 2]))
    }

    pub(super) fn lanes(&mut self, value: ValueId) -> Option<Lanes> {
        if let Some(lanes) = self.of[value.index()] {
            return Some(lanes);
        }
        let lanes = self.shared(value)?;
        self.of[value.index()] = Some(lanes);
        Some(lanes)
    }

    /// The registers of a number; both the same where there is one.
    pub(super) fn number(&mut self, value: ValueId) -> Option<[V; 2]> {
        match self.lanes(value)? {
            Lanes::Number(list) => Some(list),
            Lanes::Mask(_) | Lanes::Wide(..) => None,
        }
    }

    pub(super) fn set(&mut self, i: usize, lanes: Lanes) {
        self.of[i] = Some(lanes);
    }

    pub(super) fn push(&mut self, inst: Inst) {
        self.program.insts.push(inst);
    }

    /// The value of one instruction of a family.
    pub(super) fn plain(&mut self, family: Family, size: u8, a: V, b: Option<V>, imm: Option<u8>) -> V {
        let width = self.width(size);
        let dst = self.fresh(width);
        self.plain_to(Plain { imm, ..plain(family, width, dst, a, b) })
    }

    pub(super) fn plain_to(&mut self, plain: Plain) -> V {
        let dst = plain.dst;
        self.push(Inst::Plain(plain));
        dst
    }

    /// Operand by operand, register by register.
    pub(super) fn two(&mut self, family: Family, size: u8, a: V, b: V) -> V {
        self.plain(family, size, a, Some(b), None)
    }

    pub(super) fn commuting(&mut self, family: Family, size: u8, a: V, b: V) -> V {
        let width = self.width(size);
        let dst = self.fresh(width);
        self.plain_to(Plain { commutes: true, ..plain(family, width, dst, a, Some(b)) })
    }

    pub(super) fn one(&mut self, family: Family, size: u8, a: V) -> V {
        self.plain(family, size, a, None, None)
    }

    /// Each register of a number.
    pub(super) fn map(&mut self, size: u8, a: [V; 2], mut f: impl FnMut(&mut Self, V) -> V) -> [V; 2] {
        let first = f(self, a[0]);
        if self.parts(size) == 2 { [first, f(self, a[1])] } else { [first; 2] }
    }

    /// Each pair of registers of two numbers.
    pub(super) fn zip(
        &mut self,
        size: u8,
        a: [V; 2],
        b: [V; 2],
        mut f: impl FnMut(&mut Self, V, V) -> V,
    ) -> [V; 2] {
        let first = f(self, a[0], b[0]);
        if self.parts(size) == 2 { [first, f(self, a[1], b[1])] } else { [first; 2] }
    }

    /// Half `part` of a value whose lanes fill a register; to be read at half its width.
    pub(super) fn half(&mut self, v: V, part: usize) -> V {
        if part == 0 || self.is_splat(v) {
            return v;
        }
        if let Some(upper) = self.uppers.get(&v) {
            return *upper;
        }
        let (family, width) = match self.isa() {
            Isa::Avx2 => (Family::UpperY, Width::Y),
            Isa::Avx512 => (Family::UpperZ, Width::Z),
        };
        let dst = self.fresh(width.half());
        let upper = self.plain_to(Plain { imm: Some(1), ..plain(family, width, dst, v, None) });
        self.uppers.insert(v, upper);
        upper
    }

    fn is_splat(&self, v: V) -> bool {
        matches!(self.program.values[v as usize].home, Some(Home::Splat { .. } | Home::Same { .. }))
    }

    /// Two halves of a register in one.
    pub(super) fn join(&mut self, low: V, high: V) -> V {
        let (family, width) = match self.isa() {
            Isa::Avx2 => (Family::JoinY, Width::Y),
            Isa::Avx512 => (Family::JoinZ, Width::Z),
        };
        let dst = self.fresh(width);
        self.plain_to(Plain { imm: Some(1), ..plain(family, width, dst, low, Some(high)) })
    }

    fn inst(&mut self, i: usize, op: &Op) -> Option<()> {
        let ty = self.job.kernel.insts[i].ty;
        match op {
            Op::Unary(op, a) => self.unary(i, *op, *a),
            Op::Binary(op, a, b) => self.binary(i, *op, *a, *b),
            Op::Compare(op, a, b) => {
                let lanes = self.compare(*op, *a, *b)?;
                self.set(i, lanes);
                Some(())
            }
            Op::Fma(a, b, c) => self.fma(i, [*a, *b, *c]),
            Op::Select(condition, a, b) => self.choose(i, *condition, *a, *b),
            Op::Convert(a) => {
                let lanes = self.convert(ty?, *a)?;
                self.set(i, lanes);
                Some(())
            }
            Op::Bitcast(a) => {
                let lanes = self.lanes(*a)?;
                self.set(i, lanes);
                Some(())
            }
            Op::Index(side) => {
                let v = self.number32(*side);
                self.set(i, Lanes::Number([v; 2]));
                Some(())
            }
            Op::Load { slot, at } => self.load(i, *slot, *at),
            Op::Store { slot, at, value } => self.store(*slot, *at, *value),
            Op::Accumulate { slot, at, with, value } => self.accumulate(*slot, *at, *with, *value),
            Op::Emit(condition) => self.emit(*condition),
            // Constants and the step are the same for all elements, samples and words are filled before, and no
            // verified kernel has calls.
            Op::Constant(_) | Op::Step | Op::Call(..) | Op::Word { .. } | Op::Sample { .. } => None,
        }
    }

    fn unary(&mut self, i: usize, op: UnaryOp, a: ValueId) -> Option<()> {
        let ty = self.ty(a)?;
        if ty == ScalarType::Bool {
            let a = self.lanes(a)?;
            let lanes = self.not(a);
            self.set(i, lanes);
            return Some(());
        }
        let size = size(ty);
        let a = self.number(a)?;
        let result = self.map(size, a, |s, a| match (op, ty) {
            (UnaryOp::Neg, ScalarType::F32) => {
                let sign = s.i32(i32::MIN);
                s.commuting(Family::Xor32, 4, a, sign)
            }
            (UnaryOp::Neg, ScalarType::F64) => {
                let sign = s.i64(i64::MIN);
                s.commuting(Family::Xor64, 8, a, sign)
            }
            (UnaryOp::Neg, ScalarType::I32) => {
                let zero = s.i32(0);
                s.two(Family::SubI32, 4, zero, a)
            }
            (UnaryOp::Neg, _) => {
                let zero = s.i64(0);
                s.two(Family::SubI64, 8, zero, a)
            }
            (UnaryOp::Abs, ScalarType::F32) => {
                let rest = s.i32(i32::MAX);
                s.commuting(Family::And32, 4, a, rest)
            }
            (UnaryOp::Abs, ScalarType::F64) => {
                let rest = s.i64(i64::MAX);
                s.commuting(Family::And64, 8, a, rest)
            }
            (UnaryOp::Abs, ScalarType::I32) => s.one(Family::AbsI32, 4, a),
            (UnaryOp::Abs, _) => s.abs_i64(a),
            (UnaryOp::Not, _) if size == 4 => {
                let ones = s.i32(-1);
                s.commuting(Family::Xor32, 4, a, ones)
            }
            (UnaryOp::Not, _) => {
                let ones = s.i64(-1);
                s.commuting(Family::Xor64, 8, a, ones)
            }
            (UnaryOp::Sqrt, ScalarType::F32) => s.one(Family::SqrtF32, 4, a),
            (UnaryOp::Sqrt, _) => s.one(Family::SqrtF64, 8, a),
            (UnaryOp::Floor, _) => s.round(size, a, 1),
            (UnaryOp::Ceil, _) => s.round(size, a, 2),
            (UnaryOp::Trunc, _) => s.round(size, a, 3),
        });
        self.set(i, Lanes::Number(result));
        Some(())
    }

    /// Rounds: 1 down, 2 up, 3 to zero.
    pub(super) fn round(&mut self, size: u8, a: V, mode: u8) -> V {
        // Bit 3: without raising the flag for inexact results, which nobody reads.
        let family = if size == 4 { Family::RoundF32 } else { Family::RoundF64 };
        self.plain(family, size, a, None, Some(mode | 8))
    }

    fn binary(&mut self, i: usize, op: BinaryOp, a: ValueId, b: ValueId) -> Option<()> {
        let ty = self.ty(a)?;
        if ty == ScalarType::Bool {
            let (a, b) = (self.lanes(a)?, self.lanes(b)?);
            let lanes = match op {
                BinaryOp::And | BinaryOp::Min => self.and(a, b),
                BinaryOp::Or | BinaryOp::Max => self.or(a, b),
                BinaryOp::Xor => self.xor(a, b),
                // Truth values have no others.
                BinaryOp::Add
                | BinaryOp::Sub
                | BinaryOp::Mul
                | BinaryOp::Div
                | BinaryOp::Rem
                | BinaryOp::Shl
                | BinaryOp::Shr
                | BinaryOp::Sar => return None,
            };
            self.set(i, lanes);
            return Some(());
        }
        if let Some(by) = self.constant_shift(op, b) {
            let a = self.number(a)?;
            let result = self.map(size(ty), a, |s, a| s.shift_by(op, size(ty), a, by));
            self.set(i, Lanes::Number(result));
            return Some(());
        }
        let (a, b) = (self.number(a)?, self.number(b)?);
        let result = match ty {
            ScalarType::F32 | ScalarType::F64 => {
                let double = ty == ScalarType::F64;
                let family = |single, of_double| if double { of_double } else { single };
                let (family, commutes) = match op {
                    BinaryOp::Add => (family(Family::AddF32, Family::AddF64), true),
                    BinaryOp::Sub => (family(Family::SubF32, Family::SubF64), false),
                    BinaryOp::Mul => (family(Family::MulF32, Family::MulF64), true),
                    BinaryOp::Div => (family(Family::DivF32, Family::DivF64), false),
                    BinaryOp::Min => (family(Family::MinF32, Family::MinF64), false),
                    BinaryOp::Max => (family(Family::MaxF32, Family::MaxF64), false),
                    // Floats have no others.
                    BinaryOp::Rem
                    | BinaryOp::And
                    | BinaryOp::Or
                    | BinaryOp::Xor
                    | BinaryOp::Shl
                    | BinaryOp::Shr
                    | BinaryOp::Sar => return None,
                };
                let size = size(ty);
                self.zip(size, a, b, |s, a, b| {
                    if commutes { s.commuting(family, size, a, b) } else { s.two(family, size, a, b) }
                })
            }
            ScalarType::I32 => {
                let v = self.binary_i32(op, a[0], b[0])?;
                [v; 2]
            }
            ScalarType::I64 => self.zip(8, a, b, |s, a, b| s.binary_i64(op, a, b)),
            ScalarType::Bool => return None,
        };
        self.set(i, Lanes::Number(result));
        Some(())
    }

    fn fma(&mut self, i: usize, [a, b, c]: [ValueId; 3]) -> Option<()> {
        let double = self.ty(a)? == ScalarType::F64;
        // A negated factor is a form of the instruction. (The sign of a NaN is nobody's business.)
        let (a, b, negated) = match (self.negated(a), self.negated(b)) {
            (Some(a), None) => (a, b, true),
            (None, Some(b)) => (a, b, true),
            (Some(a), Some(b)) => (a, b, false),
            (None, None) => (a, b, false),
        };
        let size = if double { 8 } else { 4 };
        let (a, b, c) = (self.number(a)?, self.number(b)?, self.number(c)?);
        let width = self.width(size);
        let mut result = [0; 2];
        for part in 0..self.parts(size) {
            let dst = self.fresh(width);
            self.push(Inst::Fma { double, negated, width, dst, a: a[part], b: b[part], c: c[part] });
            result[part] = dst;
        }
        if self.parts(size) == 1 {
            result[1] = result[0];
        }
        self.set(i, Lanes::Number(result));
        Some(())
    }

    /// What a value is the negation of, if it is one.
    fn negated(&self, v: ValueId) -> Option<ValueId> {
        match self.job.kernel.insts[v.index()].op {
            Op::Unary(UnaryOp::Neg, a) if !self.job.uniform[v.index()] => Some(a),
            _ => None,
        }
    }
}

/// An instruction without frills.
pub(super) fn plain(family: Family, width: Width, dst: V, a: V, b: Option<V>) -> Plain {
    Plain { family, width, dst, a, b, imm: None, mask: None, zeroing: false, commutes: false }
}
