//! Builds kernels: hash-consed instructions, loads that know the stores before them.

use std::collections::HashMap;

use neuropil_base::{Scalar, ScalarType};
use neuropil_math::{BinaryOp, CompareOp, Emit, Function, UnaryOp, scalar};

use crate::{Accumulation, At, Domain, Inst, Kernel, Op, Sampler, Side, Slot, SlotId, ValueId};

/// Builds one kernel. Equal instructions are given once; operations on constants are folded.
///
/// A load after a store to the same place gives the stored value; after a store to the same slot at another
/// place it is a new load.
#[derive(Debug)]
pub struct Builder {
    kernel: Kernel,
    known: HashMap<Op, ValueId>,
}

impl Builder {
    /// An empty kernel.
    #[must_use]
    pub fn new(name: impl Into<String>, domain: Domain) -> Self {
        Self {
            kernel: Kernel { name: name.into(), domain, slots: Vec::new(), insts: Vec::new() },
            known: HashMap::new(),
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
        let ty = self.kernel.slots[slot.index()].ty;
        self.pure(Op::Load { slot, at }, ty)
    }

    /// Writes to a buffer.
    pub fn store(&mut self, slot: SlotId, at: At, value: ValueId) {
        self.kernel.insts.push(Inst { op: Op::Store { slot, at, value }, ty: None });
        self.forget_loads(slot);
        self.known.insert(Op::Load { slot, at }, value);
    }

    /// Combines into a buffer.
    pub fn accumulate(&mut self, slot: SlotId, at: At, with: Accumulation, value: ValueId) {
        self.kernel.insts.push(Inst { op: Op::Accumulate { slot, at, with, value }, ty: None });
        self.forget_loads(slot);
    }

    /// Emits an event if the condition holds.
    pub fn emit(&mut self, condition: ValueId) {
        self.kernel.insts.push(Inst { op: Op::Emit(condition), ty: None });
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

    /// Gives an instruction that has a value, or the value it is known to have.
    pub fn pure(&mut self, op: Op, ty: ScalarType) -> ValueId {
        // Conversions and bit casts of one value to two types are equal operations: the type tells them apart.
        let shared = !matches!(op, Op::Convert(_) | Op::Bitcast(_) | Op::Call(..));
        if shared && let Some(value) = self.known.get(&op) {
            return *value;
        }
        if !shared
            && let Some(i) = self.kernel.insts.iter().position(|i| i.op == op && i.ty == Some(ty))
        {
            return ValueId::new(i);
        }
        let value = ValueId::new(self.kernel.insts.len());
        if shared {
            self.known.insert(op.clone(), value);
        }
        self.kernel.insts.push(Inst { op, ty: Some(ty) });
        value
    }

    fn forget_loads(&mut self, slot: SlotId) {
        self.known.retain(|op, _| !matches!(op, Op::Load { slot: s, .. } if *s == slot));
    }

    fn as_constant(&self, value: ValueId) -> Option<Scalar> {
        match self.kernel.insts.get(value.index()).map(|i| &i.op) {
            Some(Op::Constant(c)) => Some(*c),
            _ => None,
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
            None => {
                let ty = self.type_of(a);
                self.pure(Op::Unary(op, a), ty)
            }
        }
    }

    fn binary(&mut self, op: BinaryOp, a: ValueId, b: ValueId) -> ValueId {
        match (self.as_constant(a), self.as_constant(b)) {
            (Some(x), Some(y)) => self.constant(scalar::binary(op, x, y)),
            _ => {
                let ty = self.type_of(a);
                self.pure(Op::Binary(op, a, b), ty)
            }
        }
    }

    fn compare(&mut self, op: CompareOp, a: ValueId, b: ValueId) -> ValueId {
        match (self.as_constant(a), self.as_constant(b)) {
            (Some(x), Some(y)) => self.constant(scalar::compare(op, x, y)),
            _ => self.pure(Op::Compare(op, a, b), ScalarType::Bool),
        }
    }

    fn fma(&mut self, a: ValueId, b: ValueId, c: ValueId) -> ValueId {
        match (self.as_constant(a), self.as_constant(b), self.as_constant(c)) {
            (Some(x), Some(y), Some(z)) => self.constant(scalar::fma(x, y, z)),
            _ => {
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
