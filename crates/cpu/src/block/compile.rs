//! From a verified kernel to a list of instructions over lanes.
//!
//! Lanes are given out in one pass over the body: a value takes a free lane of its type when it is computed, and
//! gives it back after its last use (Poletto & Sarkar 1999, "Linear scan register allocation", on straight-line code).
//! The same bits as another type stay in their lane. The lane of a result is never one of its operands', so that loops read and write different memory.

use neuropil_base::{Scalar, ScalarType};
use neuropil_ir::{Accumulation, At, Kernel, Op, Sampler, Side, SlotId, ValueId, Verified};
use neuropil_math::{BinaryOp, CompareOp, UnaryOp};

use super::called::{self, Called, Found};
use super::{BlockSlot, slots_of};

/// Where an operation finds an operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operand {
    /// In a lane.
    Lane(u16),
    /// Among the values that all elements share.
    Uniform(u16),
}

/// What an operation computes from its operands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Unary(UnaryOp, Operand),
    Binary(BinaryOp, Operand, Operand),
    Compare(CompareOp, Operand, Operand),
    Fma(Operand, Operand, Operand),
    /// The condition is a lane.
    Select(u16, Operand, Operand),
    /// From a type.
    Convert(ScalarType, Operand),
    /// A function of lanes; the last one stands for those that are missing.
    Call(Called, [u16; 3]),
}

/// The groups of loops that are compiled together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Group {
    F64,
    F32,
    I64,
    I32,
    /// Truth values, choices, conversions.
    Mixed,
    /// Functions that give doubles.
    CallF64,
    /// Functions that give singles.
    CallF32,
}

/// An operation on lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pure {
    /// Which loops carry it out.
    pub(super) group: Group,
    /// The type of the result; of the operands for a comparison.
    pub(super) ty: ScalarType,
    /// The lane of the result.
    pub(super) dst: u16,
    /// What it computes.
    pub(super) action: Action,
}

/// Which element of a buffer; computed places are lanes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Where {
    Side(Side),
    Scalar,
    Value32(u16),
    Value64(u16),
}

/// An instruction.
#[derive(Clone, Debug)]
pub(super) enum Code {
    Pure(Pure),
    Load { ty: ScalarType, slot: SlotId, at: Where, dst: u16 },
    Store { ty: ScalarType, slot: SlotId, at: Where, value: u16 },
    Accumulate { ty: ScalarType, slot: SlotId, at: Where, with: Accumulation, value: u16 },
    Emit { condition: u16 },
    Index { side: Side, dst: u16 },
    Word { site: u32, draw: u32, side: Side, dst: u16 },
    Sample { sampler: Sampler, site: u32, side: Side, args: [Option<Operand>; 2], dst: u16 },
}

/// A value that all elements share, and that depends on the call.
#[derive(Clone, Debug)]
pub(super) struct Computed {
    pub(super) op: Op,
    pub(super) ty: ScalarType,
    pub(super) index: u16,
}

/// A shared value that is wanted in a lane, by operations that have no loop for shared operands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Splat {
    pub(super) ty: ScalarType,
    pub(super) uniform: u16,
    pub(super) lane: u16,
}

/// A compiled body.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) codes: Vec<Code>,
    pub(super) computed: Vec<Computed>,
    pub(super) splats: Vec<Splat>,
    /// How many lanes of 1, 4 and 8 bytes there are.
    pub(super) lanes: [usize; 3],
    /// By type: the shared values; 0 for those that are computed.
    pub(super) constants: [(ScalarType, Vec<Scalar>); 5],
    /// By value: the type and number of the shared value that it is.
    pub(super) uniform_of: Vec<Option<(ScalarType, u16)>>,
    pub(super) slots: Vec<BlockSlot>,
    pub(super) sequential: bool,
}

/// Compiles a body that has been prepared.
pub(super) fn compile(prepared: &Verified) -> Program {
    let program = Program {
        codes: Vec::new(),
        computed: Vec::new(),
        splats: Vec::new(),
        lanes: [0; 3],
        constants: [ScalarType::Bool, ScalarType::I32, ScalarType::I64, ScalarType::F32, ScalarType::F64]
            .map(|ty| (ty, Vec::new())),
        uniform_of: vec![None; prepared.insts.len()],
        slots: slots_of(prepared),
        sequential: prepared.order_dependence().is_some(),
    };
    let uniform = prepared.uniform();
    let (calls, needed) = called::find(prepared, &uniform);
    let mut compiler = Compiler {
        kernel: prepared,
        lane_of: vec![None; prepared.insts.len()],
        last_uses: Vec::new(),
        owners: owners(prepared, &uniform, &calls),
        calls,
        free: [const { Vec::new() }; 3],
        program,
    };
    compiler.last_uses = compiler.find_last_uses(&needed);
    for (i, (is_uniform, is_needed)) in uniform.into_iter().zip(needed).enumerate() {
        if is_uniform && is_needed {
            compiler.uniform(i);
        } else if is_needed {
            compiler.code(i);
        }
    }
    compiler.program
}

/// For every value, the one that computed its bits: a bit cast gives what it was given.
fn owners(kernel: &Kernel, uniform: &[bool], calls: &[Option<Found>]) -> Vec<usize> {
    let mut owners: Vec<usize> = Vec::with_capacity(kernel.insts.len());
    for (i, inst) in kernel.insts.iter().enumerate() {
        let owner = match inst.op {
            Op::Bitcast(a) if !uniform[a.index()] && calls[i].is_none() => owners[a.index()],
            _ => i,
        };
        owners.push(owner);
    }
    owners
}

/// Which of the three widths a type has.
fn width(ty: ScalarType) -> usize {
    match ty {
        ScalarType::Bool => 0,
        ScalarType::I32 | ScalarType::F32 => 1,
        ScalarType::I64 | ScalarType::F64 => 2,
    }
}

struct Compiler<'a> {
    kernel: &'a Kernel,
    /// By value: its lane.
    lane_of: Vec<Option<u16>>,
    /// By value: the one that computed its bits.
    owners: Vec<usize>,
    /// By owner: the last instruction that uses its bits.
    last_uses: Vec<usize>,
    /// By value: the function that gives it, if it is not computed step by step.
    calls: Vec<Option<Found>>,
    /// By width: the lanes that are free.
    free: [Vec<u16>; 3],
    program: Program,
}

impl Compiler<'_> {
    fn ty(&self, value: ValueId) -> ScalarType {
        self.kernel.ty(value).unwrap_or(ScalarType::Bool)
    }

    /// What instruction `i` looks at.
    fn operands(&self, i: usize) -> Vec<ValueId> {
        match &self.calls[i] {
            Some(call) => call.args.clone(),
            None => self.kernel.insts[i].op.operands(),
        }
    }

    /// By owner: the last instruction that uses its bits.
    fn find_last_uses(&self, needed: &[bool]) -> Vec<usize> {
        let mut last: Vec<usize> = (0..self.kernel.insts.len()).collect();
        for (i, _) in needed.iter().enumerate().filter(|(_, needed)| **needed) {
            for v in self.operands(i) {
                last[self.owners[v.index()]] = i;
            }
        }
        last
    }

    fn fresh_lane(&mut self, ty: ScalarType) -> u16 {
        let lanes = &mut self.program.lanes[width(ty)];
        *lanes += 1;
        (*lanes - 1) as u16
    }

    fn uniform(&mut self, i: usize) {
        let ty = self.ty(ValueId::new(i));
        let op = self.kernel.insts[i].op.clone();
        let Some((_, constants)) = self.program.constants.iter_mut().find(|(t, _)| *t == ty) else { return };
        let index = constants.len() as u16;
        match op {
            Op::Constant(c) => constants.push(c),
            op => {
                constants.push(Scalar::from_bits(ty, 0));
                self.program.computed.push(Computed { op, ty, index });
            }
        }
        self.program.uniform_of[i] = Some((ty, index));
    }

    /// A value where it is.
    fn operand(&mut self, value: ValueId) -> Operand {
        match (self.lane_of[self.owners[value.index()]], self.program.uniform_of[value.index()]) {
            (Some(lane), _) => Operand::Lane(lane),
            (None, Some((_, index))) => Operand::Uniform(index),
            // Every value is one or the other.
            (None, None) => Operand::Lane(0),
        }
    }

    /// A value in a lane.
    fn lane(&mut self, value: ValueId) -> u16 {
        let uniform = match self.operand(value) {
            Operand::Lane(lane) => return lane,
            Operand::Uniform(uniform) => uniform,
        };
        let ty = self.ty(value);
        if let Some(splat) = self.program.splats.iter().find(|s| s.ty == ty && s.uniform == uniform) {
            return splat.lane;
        }
        // It is filled before the body runs and holds to its end, so no other value may have had it.
        let lane = self.fresh_lane(ty);
        self.program.splats.push(Splat { ty, uniform, lane });
        lane
    }

    fn place(&mut self, at: At) -> Where {
        match at {
            At::Side(side) => Where::Side(side),
            At::Scalar => Where::Scalar,
            At::Value(v) if self.ty(v) == ScalarType::I64 => Where::Value64(self.lane(v)),
            At::Value(v) => Where::Value32(self.lane(v)),
        }
    }

    fn code(&mut self, i: usize) {
        let inst = &self.kernel.insts[i];
        if let (Op::Bitcast(_), None) = (&inst.op, &self.calls[i]) {
            return;
        }
        // Before the operands are given back: the result goes elsewhere.
        let dst = match inst.ty {
            Some(ty) => {
                let lane = self.free[width(ty)].pop().unwrap_or_else(|| self.fresh_lane(ty));
                self.lane_of[i] = Some(lane);
                lane
            }
            None => 0,
        };
        if let (Some(ty), Some(call)) = (inst.ty, self.calls[i].clone()) {
            let call = self.call(ty, dst, &call);
            self.program.codes.push(Code::Pure(call));
            self.give_back(i);
            return;
        }
        let code = match &inst.op {
            Op::Load { slot, at } => {
                Code::Load { ty: self.kernel.slots[slot.index()].ty, slot: *slot, at: self.place(*at), dst }
            }
            Op::Store { slot, at, value } => Code::Store {
                ty: self.ty(*value),
                slot: *slot,
                at: self.place(*at),
                value: self.lane(*value),
            },
            Op::Accumulate { slot, at, with, value } => Code::Accumulate {
                ty: self.ty(*value),
                slot: *slot,
                at: self.place(*at),
                with: *with,
                value: self.lane(*value),
            },
            Op::Emit(condition) => Code::Emit { condition: self.lane(*condition) },
            Op::Index(side) => Code::Index { side: *side, dst },
            Op::Word { site, draw, side } => {
                Code::Word { site: *site, draw: *draw, side: *side, dst }
            }
            Op::Sample { sampler, site, side, args } => {
                let mut operands = [None; 2];
                for (operand, arg) in operands.iter_mut().zip(args) {
                    *operand = Some(self.operand(*arg));
                }
                Code::Sample { sampler: *sampler, site: *site, side: *side, args: operands, dst }
            }
            Op::Unary(..)
            | Op::Binary(..)
            | Op::Compare(..)
            | Op::Fma(..)
            | Op::Select(..)
            | Op::Convert(_)
            // These do not come here: bit casts and shared values, and no verified kernel has calls.
            | Op::Bitcast(_)
            | Op::Constant(_)
            | Op::Step
            | Op::Call(..) => match self.pure(i, dst) {
                Some(pure) => Code::Pure(pure),
                None => return,
            },
        };
        self.program.codes.push(code);
        self.give_back(i);
    }

    fn call(&mut self, ty: ScalarType, dst: u16, call: &Found) -> Pure {
        let mut lanes = [0; 3];
        let mut last = 0;
        for (k, lane) in lanes.iter_mut().enumerate() {
            if let Some(arg) = call.args.get(k) {
                last = self.lane(*arg);
            }
            *lane = last;
        }
        let group = if ty == ScalarType::F32 { Group::CallF32 } else { Group::CallF64 };
        Pure { group, ty, dst, action: Action::Call(call.called, lanes) }
    }

    fn pure(&mut self, i: usize, dst: u16) -> Option<Pure> {
        let inst = &self.kernel.insts[i];
        let mut ty = inst.ty?;
        let action = match &inst.op {
            Op::Unary(op, a) => Action::Unary(*op, self.operand(*a)),
            Op::Binary(op, a, b) => {
                let (a, b) = self.pair(ty, *a, *b);
                Action::Binary(*op, a, b)
            }
            Op::Compare(op, a, b) => {
                ty = self.ty(*a);
                let (a, b) = self.pair(ty, *a, *b);
                Action::Compare(*op, a, b)
            }
            Op::Fma(a, b, c) => {
                let (a, b, c) = (self.operand(*a), self.operand(*b), self.operand(*c));
                // There are loops for a shared second factor only.
                match (a, b) {
                    (Operand::Uniform(_), Operand::Lane(_)) => Action::Fma(b, a, c),
                    _ => Action::Fma(a, b, c),
                }
            }
            Op::Select(condition, a, b) => {
                Action::Select(self.lane(*condition), self.operand(*a), self.operand(*b))
            }
            Op::Convert(a) => Action::Convert(self.ty(*a), self.operand(*a)),
            Op::Constant(_)
            | Op::Bitcast(_)
            | Op::Step
            | Op::Index(_)
            | Op::Load { .. }
            | Op::Call(..)
            | Op::Word { .. }
            | Op::Sample { .. }
            | Op::Store { .. }
            | Op::Accumulate { .. }
            | Op::Emit(_) => return None,
        };
        let group = match (&action, ty) {
            (Action::Select(..) | Action::Convert(..), _) => Group::Mixed,
            (_, ScalarType::F64) => Group::F64,
            (_, ScalarType::F32) => Group::F32,
            (_, ScalarType::I64) => Group::I64,
            (_, ScalarType::I32) => Group::I32,
            (_, ScalarType::Bool) => Group::Mixed,
        };
        Some(Pure { group, ty, dst, action })
    }

    /// Two operands; only floats have loops for shared ones.
    fn pair(&mut self, ty: ScalarType, a: ValueId, b: ValueId) -> (Operand, Operand) {
        if ty.is_float() {
            (self.operand(a), self.operand(b))
        } else {
            (Operand::Lane(self.lane(a)), Operand::Lane(self.lane(b)))
        }
    }

    /// Frees the lanes of the values that instruction `i` is the last to use.
    fn give_back(&mut self, i: usize) {
        let mut done = self.operands(i);
        done.push(ValueId::new(i));
        for value in done {
            let owner = self.owners[value.index()];
            if self.last_uses[owner] == i
                && let Some(lane) = self.lane_of[owner].take()
            {
                self.free[width(self.ty(value))].push(lane);
            }
        }
    }
}
