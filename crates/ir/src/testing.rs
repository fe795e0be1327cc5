//! Random valid kernels, for the property tests of this crate and of the backends.
//!
//! A kernel is made from a string of bytes, each of which makes one choice: property tests then shrink a
//! kernel by shrinking its bytes. The bits of a NaN are not defined, so no kernel looks at them.

use neuropil_base::{Scalar, ScalarType};
use neuropil_math::{BinaryOp, CompareOp, Function, Signature, UnaryOp};

use crate::{Accumulation, At, Domain, Inst, Kernel, Op, Sampler, Side, Slot, SlotId, ValueId};

const TYPES: [ScalarType; 5] =
    [ScalarType::F64, ScalarType::F32, ScalarType::I32, ScalarType::I64, ScalarType::Bool];
const UNARY: [UnaryOp; 7] =
    [UnaryOp::Neg, UnaryOp::Abs, UnaryOp::Sqrt, UnaryOp::Floor, UnaryOp::Ceil, UnaryOp::Trunc, UnaryOp::Not];
const BINARY: [BinaryOp; 13] = [
    BinaryOp::Add,
    BinaryOp::Sub,
    BinaryOp::Mul,
    BinaryOp::Div,
    BinaryOp::Rem,
    BinaryOp::Min,
    BinaryOp::Max,
    BinaryOp::And,
    BinaryOp::Or,
    BinaryOp::Xor,
    BinaryOp::Shl,
    BinaryOp::Shr,
    BinaryOp::Sar,
];
const COMPARE: [CompareOp; 6] =
    [CompareOp::Eq, CompareOp::Ne, CompareOp::Lt, CompareOp::Le, CompareOp::Gt, CompareOp::Ge];
const ACCUMULATIONS: [Accumulation; 3] = [Accumulation::Add, Accumulation::Min, Accumulation::Max];

/// Doubles at which operations change their mind.
pub const SPECIAL: [f64; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    1.5,
    -2.5,
    1e-3,
    3e9,
    -1e19,
    1e300,
    f64::MIN_POSITIVE,
    5e-324,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// One byte, one choice; 0 when they are used up.
struct Choices<'a> {
    bytes: &'a [u8],
}

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                *first
            }
            None => 0,
        }
    }

    fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n.max(1)
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// A scalar of type `ty`, from one byte; special values are frequent.
#[must_use]
pub fn scalar(ty: ScalarType, byte: u8) -> Scalar {
    let small = i32::from(byte as i8);
    match ty {
        ScalarType::Bool => Scalar::Bool(byte & 1 != 0),
        ScalarType::I32 => Scalar::I32(match byte {
            250.. => i32::MIN,
            245..250 => i32::MAX,
            _ => small,
        }),
        ScalarType::I64 => Scalar::I64(match byte {
            250.. => i64::MIN,
            245..250 => i64::MAX,
            240..245 => i64::from(i32::MAX) + 1,
            _ => i64::from(small),
        }),
        ScalarType::F32 | ScalarType::F64 => match SPECIAL.get(usize::from(byte)) {
            Some(x) => Scalar::from_f64(ty, *x),
            None => Scalar::from_f64(ty, f64::from(small) * 0.37),
        },
    }
}

/// The same value: equal bits, or both NaN, whose bits are not defined.
#[must_use]
pub fn same(a: Scalar, b: Scalar) -> bool {
    let nan = |x: Scalar| x.ty().is_float() && x.to_f64().is_nan();
    a == b || (a.ty() == b.ty() && nan(a) && nan(b))
}

/// Contents for every slot of a kernel, `len` elements each, from bytes that are used over and over.
#[must_use]
pub fn contents(kernel: &Kernel, len: usize, bytes: &[u8]) -> Vec<Vec<Scalar>> {
    let mut bytes = bytes.iter().copied().chain([0]).cycle();
    let mut next = || bytes.next().unwrap_or(0);
    kernel.slots.iter().map(|slot| (0..len).map(|_| scalar(slot.ty, next())).collect()).collect()
}

/// A valid kernel, calls among its instructions; different bytes, different kernels.
#[must_use]
pub fn kernel(bytes: &[u8]) -> Kernel {
    generate(bytes, true)
}

/// A valid kernel of primitive operations.
#[must_use]
pub fn primitive_kernel(bytes: &[u8]) -> Kernel {
    generate(bytes, false)
}

fn generate(bytes: &[u8], calls: bool) -> Kernel {
    let mut choices = Choices { bytes };
    let domain = choices.of(&[Domain::Elements, Domain::Synapses, Domain::Pairs]);
    let mut maker = Maker {
        kernel: Kernel { name: "random".to_owned(), domain, slots: Vec::new(), insts: Vec::new() },
        accumulated: Vec::new(),
        dependent: choices.below(4) == 0,
        emitted: false,
    };
    for ty in TYPES {
        for k in 0..2 {
            maker.kernel.slots.push(Slot { name: format!("{ty}.{k}"), ty });
            maker.accumulated.push(None);
        }
    }
    for ty in [ScalarType::F64, ScalarType::F32, ScalarType::I32] {
        let with = choices.of(&ACCUMULATIONS);
        maker.kernel.slots.push(Slot { name: format!("sum {ty}"), ty });
        maker.accumulated.push(Some(with));
    }
    while !choices.bytes.is_empty() && maker.kernel.insts.len() < 60 {
        maker.instruction(&mut choices, calls);
    }
    maker.store_last();
    maker.kernel
}

struct Maker {
    kernel: Kernel,
    /// For every slot, how it is accumulated into, if it is.
    accumulated: Vec<Option<Accumulation>>,
    /// Whether one element may see what another wrote. If not, the first slot of each type is written and read
    /// at the element's own number, the second only read, and each sum has one instruction.
    dependent: bool,
    emitted: bool,
}

impl Maker {
    fn push(&mut self, op: Op, ty: Option<ScalarType>) -> ValueId {
        self.kernel.insts.push(Inst { op, ty });
        ValueId::new(self.kernel.insts.len() - 1)
    }

    fn side(&self, c: &mut Choices<'_>) -> Side {
        match self.kernel.domain {
            Domain::Elements => Side::Own,
            Domain::Synapses | Domain::Pairs => c.of(&[Side::Own, Side::Pre, Side::Post]),
        }
    }

    /// A value of that type: one that is there, or else a constant.
    fn value(&mut self, c: &mut Choices<'_>, ty: ScalarType) -> ValueId {
        let there: Vec<usize> =
            (0..self.kernel.insts.len()).filter(|i| self.kernel.insts[*i].ty == Some(ty)).collect();
        if there.is_empty() || c.below(5) == 0 {
            let value = scalar(ty, c.byte());
            return self.push(Op::Constant(value), Some(ty));
        }
        // Recent values more often than old ones.
        let back = c.below(there.len()).min(c.below(there.len()));
        ValueId::new(there[there.len() - 1 - back])
    }

    fn place(&mut self, c: &mut Choices<'_>) -> At {
        match c.below(6) {
            0 => At::Scalar,
            1 => {
                let ty = c.of(&[ScalarType::I32, ScalarType::I64]);
                At::Value(self.value(c, ty))
            }
            2.. => At::Side(self.side(c)),
        }
    }

    fn slot(&self, c: &mut Choices<'_>, accumulated: bool) -> SlotId {
        let slots: Vec<usize> =
            (0..self.accumulated.len()).filter(|i| self.accumulated[*i].is_some() == accumulated).collect();
        SlotId::new(c.of(&slots))
    }

    /// Stores the last values of every type in slots of their own, so that little of the kernel is for nothing.
    fn store_last(&mut self) {
        for ty in TYPES {
            let values = (0..self.kernel.insts.len()).rev().filter(|i| self.kernel.insts[*i].ty == Some(ty));
            for (k, i) in values.take(4).collect::<Vec<_>>().into_iter().enumerate() {
                let slot = SlotId::new(self.kernel.slots.len());
                self.kernel.slots.push(Slot { name: format!("last.{ty}.{k}"), ty });
                self.push(Op::Store { slot, at: At::Side(Side::Own), value: ValueId::new(i) }, None);
            }
        }
    }

    fn float(c: &mut Choices<'_>) -> ScalarType {
        c.of(&[ScalarType::F64, ScalarType::F32])
    }

    fn instruction(&mut self, c: &mut Choices<'_>, calls: bool) {
        match c.below(20) {
            0 => {
                let slot = self.slot(c, false);
                if !self.dependent && !slot.index().is_multiple_of(2) {
                    return;
                }
                let at = if self.dependent { self.place(c) } else { At::Side(Side::Own) };
                let value = self.value(c, self.kernel.slots[slot.index()].ty);
                self.push(Op::Store { slot, at, value }, None);
            }
            1 => {
                let slot = self.slot(c, true);
                let again = |i: &Inst| matches!(i.op, Op::Accumulate { slot: s, .. } if s == slot);
                if !self.dependent && self.kernel.insts.iter().any(again) {
                    return;
                }
                let at = self.place(c);
                let value = self.value(c, self.kernel.slots[slot.index()].ty);
                if let Some(with) = self.accumulated[slot.index()] {
                    self.push(Op::Accumulate { slot, at, with, value }, None);
                }
            }
            2 if !self.emitted => {
                let condition = self.value(c, ScalarType::Bool);
                self.push(Op::Emit(condition), None);
                self.emitted = true;
            }
            2..6 => {
                let slot = self.slot(c, false);
                let own = !self.dependent && slot.index().is_multiple_of(2);
                let at = if own { At::Side(Side::Own) } else { self.place(c) };
                let ty = self.kernel.slots[slot.index()].ty;
                self.push(Op::Load { slot, at }, Some(ty));
            }
            6 => self.numbers(c),
            7 => {
                let ty = c.of(&TYPES);
                let (a, b) = (self.value(c, ty), self.value(c, ty));
                self.push(Op::Compare(c.of(&COMPARE), a, b), Some(ScalarType::Bool));
            }
            8 => {
                let ty = Self::float(c);
                let (x, y, z) = (self.value(c, ty), self.value(c, ty), self.value(c, ty));
                self.push(Op::Fma(x, y, z), Some(ty));
            }
            9 => {
                let ty = c.of(&TYPES);
                let condition = self.value(c, ScalarType::Bool);
                let (a, b) = (self.value(c, ty), self.value(c, ty));
                self.push(Op::Select(condition, a, b), Some(ty));
            }
            10 => {
                let (from, to) = (c.of(&TYPES), c.of(&TYPES));
                let a = self.value(c, from);
                self.push(Op::Convert(a), Some(to));
            }
            11 => self.bitcast(c),
            12 if calls => self.call(c),
            12..15 => {
                let op = c.of(&UNARY);
                let ty = match op {
                    UnaryOp::Neg | UnaryOp::Abs => c.of(&TYPES[..4]),
                    UnaryOp::Sqrt | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc => Self::float(c),
                    UnaryOp::Not => c.of(&TYPES[2..]),
                };
                let a = self.value(c, ty);
                self.push(Op::Unary(op, a), Some(ty));
            }
            15.. => {
                let op = c.of(&BINARY);
                let ty = match op {
                    BinaryOp::Add
                    | BinaryOp::Sub
                    | BinaryOp::Mul
                    | BinaryOp::Div
                    | BinaryOp::Min
                    | BinaryOp::Max => c.of(&TYPES[..4]),
                    BinaryOp::Rem | BinaryOp::Shl | BinaryOp::Shr | BinaryOp::Sar => c.of(&TYPES[2..4]),
                    BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => c.of(&TYPES[2..]),
                };
                let (a, b) = (self.value(c, ty), self.value(c, ty));
                self.push(Op::Binary(op, a, b), Some(ty));
            }
        }
    }

    /// Numbers that come from the element, the step, or chance.
    fn numbers(&mut self, c: &mut Choices<'_>) {
        let side = self.side(c);
        let (site, draw) = (u32::from(c.byte() % 3), u32::from(c.byte() % 2));
        match c.below(5) {
            0 => self.push(Op::Step, Some(ScalarType::I64)),
            1 => self.push(Op::Index(side), Some(ScalarType::I32)),
            2 => {
                let args = vec![self.value(c, ScalarType::F64)];
                let op = Op::Sample { sampler: Sampler::Poisson, site, side, args };
                self.push(op, Some(ScalarType::I32))
            }
            3 => {
                let args = vec![self.value(c, ScalarType::F64), self.value(c, ScalarType::F64)];
                let op = Op::Sample { sampler: Sampler::Binomial, site, side, args };
                self.push(op, Some(ScalarType::I32))
            }
            4.. => self.push(Op::Word { site, draw, side }, Some(ScalarType::I32)),
        };
    }

    fn bitcast(&mut self, c: &mut Choices<'_>) {
        let (from, to) = c.of(&[
            (ScalarType::F64, ScalarType::I64),
            (ScalarType::I64, ScalarType::F64),
            (ScalarType::F32, ScalarType::I32),
            (ScalarType::I32, ScalarType::F32),
        ]);
        let mut a = self.value(c, from);
        if from.is_float() {
            let one = self.push(Op::Constant(Scalar::from_f64(from, 1.0)), Some(from));
            let number = self.push(Op::Compare(CompareOp::Eq, a, a), Some(ScalarType::Bool));
            a = self.push(Op::Select(number, a, one), Some(from));
        }
        self.push(Op::Bitcast(a), Some(to));
    }

    fn call(&mut self, c: &mut Choices<'_>) {
        let function = c.of(&Function::ALL);
        let (parameter, result) = match function.signature() {
            Signature::Float => {
                let ty = Self::float(c);
                (ty, ty)
            }
            Signature::Same => {
                let ty = c.of(&TYPES[..4]);
                (ty, ty)
            }
            Signature::Integer => (c.of(&TYPES), ScalarType::I32),
            Signature::Timestep => (ScalarType::F64, ScalarType::I32),
        };
        let args = (0..function.arity()).map(|_| self.value(c, parameter)).collect();
        self.push(Op::Call(function, args), Some(result));
    }
}
