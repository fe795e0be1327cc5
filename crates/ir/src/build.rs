//! Builds kernels: hash-consed instructions, loads that know the stores before them.

use std::collections::HashMap;

use neuropil_base::{Scalar, ScalarType};
use neuropil_math::{BinaryOp, CompareOp, Emit, Function, UnaryOp, scalar};

use crate::{Accumulation, At, Domain, Inst, Kernel, Op, Sampler, Side, Slot, SlotId, ValueId};

/// Builds one kernel. Equal instructions are given once; operations on constants are folded.
///
/// Operations that change nothing (`x * 1`, `x - 0`, `-(-x)`) are not given at all, a division by a power
/// of two is a multiplication, and signs move into constants and subtractions; nothing else is rewritten, so
/// that every result keeps its bits.
/// A load after a store to the same place gives the stored value, unless the place is computed and so may lie
/// outside the buffer; after a store to the same slot at another place it is a new load.
#[derive(Debug)]
pub struct Builder {
    kernel: Kernel,
    /// What is computed already. The type tells conversions of one value apart.
    known: HashMap<(Op, ScalarType), ValueId>,
    /// What buffers are known to hold; these are forgotten when something is written.
    held: HashMap<(SlotId, At), ValueId>,
}

impl Builder {
    /// An empty kernel.
    #[must_use]
    pub fn new(name: impl Into<String>, domain: Domain) -> Self {
        Self::with_slots(name, domain, Vec::new())
    }

    /// A kernel without instructions that has these slots, in this order.
    #[must_use]
    pub fn with_slots(name: impl Into<String>, domain: Domain, slots: Vec<Slot>) -> Self {
        Self {
            kernel: Kernel { name: name.into(), domain, slots, insts: Vec::new() },
            known: HashMap::new(),
            held: HashMap::new(),
        }
    }

    /// The kernel as it is.
    #[must_use]
    pub fn finish(self) -> Kernel {
        self.kernel
    }

    /// The kernel so far.
    #[must_use]
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Adds a buffer parameter; the same name and type give the same slot.
    pub fn slot(&mut self, name: &str, ty: ScalarType) -> SlotId {
        if let Some(i) = self.kernel.slots.iter().position(|s| s.name == name && s.ty == ty) {
            return SlotId::new(i);
        }
        self.kernel.slots.push(Slot { name: name.to_owned(), ty });
        SlotId::new(self.kernel.slots.len() - 1)
    }

    /// The number of the step.
    pub fn step(&mut self) -> ValueId {
        self.pure(Op::Step, ScalarType::I64)
    }

    /// A number of the current element.
    pub fn index(&mut self, side: Side) -> ValueId {
        self.pure(Op::Index(side), ScalarType::I32)
    }

    /// Reads a buffer.
    pub fn load(&mut self, slot: SlotId, at: At) -> ValueId {
        if let Some(value) = self.held.get(&(slot, at)) {
            return *value;
        }
        let ty = self.kernel.slots[slot.index()].ty;
        let value = self.push(Op::Load { slot, at }, Some(ty));
        self.held.insert((slot, at), value);
        value
    }

    /// Writes to a buffer.
    pub fn store(&mut self, slot: SlotId, at: At, value: ValueId) {
        self.push(Op::Store { slot, at, value }, None);
        self.held.retain(|(s, _), _| *s != slot);
        match at {
            At::Side(_) | At::Scalar => {
                self.held.insert((slot, at), value);
            }
            At::Value(_) => {}
        }
    }

    /// Combines into a buffer.
    pub fn accumulate(&mut self, slot: SlotId, at: At, with: Accumulation, value: ValueId) {
        self.push(Op::Accumulate { slot, at, with, value }, None);
        self.held.retain(|(s, _), _| *s != slot);
    }

    /// Emits an event if the condition holds.
    pub fn emit(&mut self, condition: ValueId) {
        self.push(Op::Emit(condition), None);
    }

    /// A function of the table, not expanded.
    pub fn call(&mut self, function: Function, args: Vec<ValueId>, ty: ScalarType) -> ValueId {
        self.pure(Op::Call(function, args), ty)
    }

    /// A random word.
    pub fn word(&mut self, site: u32, draw: u32, side: Side) -> ValueId {
        self.pure(Op::Word { site, draw, side }, ScalarType::I32)
    }

    /// A sample.
    pub fn sample(&mut self, sampler: Sampler, site: u32, side: Side, args: Vec<ValueId>) -> ValueId {
        self.pure(Op::Sample { sampler, site, side, args }, ScalarType::I32)
    }

    /// Gives an instruction that has a value and does not depend on buffers, or the value it is known to have.
    pub fn pure(&mut self, op: Op, ty: ScalarType) -> ValueId {
        let key = (op, ty);
        if let Some(value) = self.known.get(&key) {
            return *value;
        }
        let value = self.push(key.0.clone(), Some(ty));
        self.known.insert(key, value);
        value
    }

    /// The constant that a value is, if it is one.
    #[must_use]
    pub fn as_constant(&self, value: ValueId) -> Option<Scalar> {
        match self.op(value) {
            Some(Op::Constant(c)) => Some(*c),
            _ => None,
        }
    }

    fn push(&mut self, op: Op, ty: Option<ScalarType>) -> ValueId {
        self.kernel.insts.push(Inst { op, ty });
        ValueId::new(self.kernel.insts.len() - 1)
    }

    fn op(&self, value: ValueId) -> Option<&Op> {
        self.kernel.insts.get(value.index()).map(|i| &i.op)
    }

    /// What `op` gives for an operand if that needs no instruction.
    fn shorter_unary(&self, op: UnaryOp, a: ValueId) -> Option<ValueId> {
        match (op, self.op(a)) {
            (UnaryOp::Neg, Some(Op::Unary(UnaryOp::Neg, x))) => Some(*x),
            (UnaryOp::Not, Some(Op::Unary(UnaryOp::Not, x))) => Some(*x),
            (UnaryOp::Abs, Some(Op::Unary(UnaryOp::Abs, _))) => Some(a),
            _ => None,
        }
    }

    /// The value of which this one is the negative, if there is one: `%x` for `neg %x`, and the negative of a
    /// constant.
    fn negative(&mut self, value: ValueId) -> Option<ValueId> {
        match self.op(value) {
            Some(Op::Unary(UnaryOp::Neg, x)) => Some(*x),
            Some(Op::Constant(c)) => {
                let c = scalar::unary(UnaryOp::Neg, *c);
                Some(self.constant(c))
            }
            _ => None,
        }
    }

    fn is_negated(&self, value: ValueId) -> bool {
        matches!(self.op(value), Some(Op::Unary(UnaryOp::Neg, _)))
    }

    /// The same factors with fewer signs: `-x * -y` is `x * y`, `-x * c` is `x * -c`.
    fn factors_without_signs(&mut self, a: ValueId, b: ValueId) -> Option<(ValueId, ValueId)> {
        if !self.is_negated(a) && !self.is_negated(b) {
            return None;
        }
        let has_negative = |v| self.is_negated(v) || self.as_constant(v).is_some();
        if !has_negative(a) || !has_negative(b) {
            return None;
        }
        Some((self.negative(a)?, self.negative(b)?))
    }

    /// The same operation with fewer signs.
    fn without_signs(
        &mut self,
        op: BinaryOp,
        a: ValueId,
        b: ValueId,
    ) -> Option<(BinaryOp, ValueId, ValueId)> {
        match op {
            BinaryOp::Mul => self.factors_without_signs(a, b).map(|(a, b)| (op, a, b)),
            BinaryOp::Add if self.is_negated(b) => Some((BinaryOp::Sub, a, self.negative(b)?)),
            BinaryOp::Add if self.is_negated(a) => Some((BinaryOp::Sub, b, self.negative(a)?)),
            BinaryOp::Sub if self.is_negated(b) => Some((BinaryOp::Add, a, self.negative(b)?)),
            BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Div
            | BinaryOp::Rem
            | BinaryOp::Min
            | BinaryOp::Max
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::Shr
            | BinaryOp::Sar => None,
        }
    }

    /// What `op` gives for two operands if that needs no instruction, or a cheaper one.
    fn shorter_binary(&mut self, op: BinaryOp, a: ValueId, b: ValueId) -> Option<ValueId> {
        let is = |value: Option<Scalar>, x: f64| value.is_some_and(|c| c == Scalar::from_f64(c.ty(), x));
        let (x, y) = (self.as_constant(a), self.as_constant(b));
        let float = self.type_of(a).is_float();
        // x + 0 is not x for x = -0, but x + -0 is.
        let zero = if float { -0.0 } else { 0.0 };
        if let Some((op, a, b)) = self.without_signs(op, a, b) {
            return Some(self.binary(op, a, b));
        }
        match op {
            BinaryOp::Add if is(y, zero) => Some(a),
            BinaryOp::Add if is(x, zero) => Some(b),
            BinaryOp::Sub if is(y, 0.0) => Some(a),
            BinaryOp::Mul if is(y, 1.0) => Some(a),
            BinaryOp::Mul if is(x, 1.0) => Some(b),
            BinaryOp::Div if is(y, 1.0) => Some(a),
            BinaryOp::Div => {
                let inverse = y.and_then(inverse_of_power_of_two)?;
                let inverse = self.constant(inverse);
                Some(self.binary(BinaryOp::Mul, a, inverse))
            }
            BinaryOp::Min | BinaryOp::Max | BinaryOp::And | BinaryOp::Or if a == b => Some(a),
            BinaryOp::Or | BinaryOp::Xor | BinaryOp::Shl | BinaryOp::Shr | BinaryOp::Sar if is(y, 0.0) => {
                Some(a)
            }
            BinaryOp::Or | BinaryOp::Xor if is(x, 0.0) => Some(b),
            BinaryOp::And if y == Some(Scalar::Bool(true)) => Some(a),
            BinaryOp::And if x == Some(Scalar::Bool(true)) => Some(b),
            BinaryOp::And if y == Some(Scalar::Bool(false)) => Some(b),
            BinaryOp::And if x == Some(Scalar::Bool(false)) => Some(a),
            BinaryOp::Or if y == Some(Scalar::Bool(true)) => Some(b),
            BinaryOp::Or if x == Some(Scalar::Bool(true)) => Some(a),
            BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Rem
            | BinaryOp::Min
            | BinaryOp::Max
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::Shr
            | BinaryOp::Sar => None,
        }
    }

    fn type_of(&self, value: ValueId) -> ScalarType {
        // Operands are values of this kernel by construction; an effect has no type and is never an operand.
        self.kernel.ty(value).unwrap_or(ScalarType::Bool)
    }
}

impl Emit for Builder {
    type Value = ValueId;

    fn ty(&self, value: ValueId) -> ScalarType {
        self.type_of(value)
    }

    fn constant(&mut self, value: Scalar) -> ValueId {
        self.pure(Op::Constant(value), value.ty())
    }

    fn unary(&mut self, op: UnaryOp, a: ValueId) -> ValueId {
        match self.as_constant(a) {
            Some(x) => self.constant(scalar::unary(op, x)),
            None => self.shorter_unary(op, a).unwrap_or_else(|| {
                let ty = self.type_of(a);
                self.pure(Op::Unary(op, a), ty)
            }),
        }
    }

    fn binary(&mut self, op: BinaryOp, a: ValueId, b: ValueId) -> ValueId {
        match (self.as_constant(a), self.as_constant(b)) {
            (Some(x), Some(y)) => self.constant(scalar::binary(op, x, y)),
            _ => self.shorter_binary(op, a, b).unwrap_or_else(|| {
                let ty = self.type_of(a);
                self.pure(Op::Binary(op, a, b), ty)
            }),
        }
    }

    fn compare(&mut self, op: CompareOp, a: ValueId, b: ValueId) -> ValueId {
        match (self.as_constant(a), self.as_constant(b)) {
            (Some(x), Some(y)) => self.constant(Scalar::Bool(scalar::compare(op, x, y))),
            _ => self.pure(Op::Compare(op, a, b), ScalarType::Bool),
        }
    }

    fn fma(&mut self, a: ValueId, b: ValueId, c: ValueId) -> ValueId {
        match (self.as_constant(a), self.as_constant(b), self.as_constant(c)) {
            (Some(x), Some(y), Some(z)) => self.constant(scalar::fma(x, y, z)),
            _ => {
                let (a, b) = self.factors_without_signs(a, b).unwrap_or((a, b));
                let ty = self.type_of(a);
                self.pure(Op::Fma(a, b, c), ty)
            }
        }
    }

    fn select(&mut self, condition: ValueId, a: ValueId, b: ValueId) -> ValueId {
        match self.as_constant(condition) {
            Some(c) => {
                if c.to_f64() != 0.0 {
                    a
                } else {
                    b
                }
            }
            None if a == b => a,
            None if self.as_constant(a) == Some(Scalar::Bool(true))
                && self.as_constant(b) == Some(Scalar::Bool(false)) =>
            {
                condition
            }
            None => {
                let ty = self.type_of(a);
                self.pure(Op::Select(condition, a, b), ty)
            }
        }
    }

    fn convert(&mut self, ty: ScalarType, a: ValueId) -> ValueId {
        if self.type_of(a) == ty {
            return a;
        }
        match self.as_constant(a) {
            Some(x) => self.constant(scalar::convert(ty, x)),
            None => self.pure(Op::Convert(a), ty),
        }
    }

    fn bitcast(&mut self, ty: ScalarType, a: ValueId) -> ValueId {
        if self.type_of(a) == ty {
            return a;
        }
        match self.as_constant(a) {
            Some(x) => self.constant(scalar::bitcast(ty, x)),
            None => self.pure(Op::Bitcast(a), ty),
        }
    }
}

/// 1 / c, if c is a power of two and both are normal: then dividing by the one and multiplying by the other
/// round the same number.
fn inverse_of_power_of_two(c: Scalar) -> Option<Scalar> {
    match c {
        Scalar::F32(x) => {
            let power = x.to_bits() & 0x007f_ffff == 0 && x.is_normal() && (1.0 / x).is_normal();
            power.then(|| Scalar::F32(1.0 / x))
        }
        Scalar::F64(x) => {
            let power = x.to_bits() & 0x000f_ffff_ffff_ffff == 0 && x.is_normal() && (1.0 / x).is_normal();
            power.then(|| Scalar::F64(1.0 / x))
        }
        Scalar::Bool(_) | Scalar::I32(_) | Scalar::I64(_) => None,
    }
}
