//! What a kernel is: straight-line typed SSA that runs once per element of a domain.
//!
//! There is no control flow. A condition is a [`Select`](Op::Select); a loop is the domain, and its driver is
//! written by hand in each backend. So a body is a list of instructions, each of which gives one value or has
//! one effect, and formats and bodies add instead of multiplying.

use neuropil_base::{Scalar, ScalarType, define_id};
use neuropil_math::{BinaryOp, CompareOp, Function, UnaryOp};

define_id!(
    /// Names the value that an instruction gives: its position in the kernel.
    ValueId
);
define_id!(
    /// Names a buffer parameter of a kernel.
    SlotId
);

/// What a kernel runs over; its driver says which elements, and in which order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Domain {
    /// Elements of one object, by number: [`Side::Own`].
    Elements,
    /// Synapses: [`Side::Own`] is the canonical number of the synapse, `Pre` and `Post` its neurons.
    Synapses,
    /// Candidate pairs of neurons: `Pre` and `Post`; [`Side::Own`] is `pre * n_post + post`. Those of one call have one
    /// presynaptic neuron, and each postsynaptic one once.
    Pairs,
}

/// Which number of the current element.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// The element's own.
    Own,
    /// Of its presynaptic neuron, within the neuron's population.
    Pre,
    /// Of its postsynaptic neuron, within the neuron's population.
    Post,
}

impl Side {
    /// The place that belongs to the current element alone.
    const OWN: At = At::Side(Self::Own);
}

/// Which element of a buffer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum At {
    /// The one with the number of that side, which lies inside the buffer: drivers see to it.
    Side(Side),
    /// The first: the buffer holds one value for all.
    Scalar,
    /// The one whose number an instruction computed (`I32` or `I64`). A number outside the buffer reads the
    /// nearest element (0 if there is none) and writes nothing.
    Value(ValueId),
}

/// A buffer parameter.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Slot {
    /// Its name in the text form; unique within the kernel.
    pub name: String,
    /// The type of its elements.
    pub ty: ScalarType,
}

/// How [`Op::Accumulate`] combines.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Accumulation {
    /// Sum.
    Add,
    /// The smaller ([`BinaryOp::Min`] of the new value and the old).
    Min,
    /// The larger ([`BinaryOp::Max`] of the new value and the old).
    Max,
}

/// Distributions that need a varying number of random words; sampled by `neuropil_rng`, in double precision.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Sampler {
    /// `poisson(mean: F64) -> I32`
    Poisson,
    /// `binomial(n: F64, p: F64) -> I32`
    Binomial,
}

/// An instruction.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// A constant.
    Constant(Scalar),
    /// The number of the step of the clock that runs the kernel, `I64`.
    Step,
    /// A number of the current element, `I32`.
    Index(Side),
    /// Reads a buffer.
    Load {
        /// The buffer.
        slot: SlotId,
        /// The element.
        at: At,
    },
    /// One operand.
    Unary(UnaryOp, ValueId),
    /// Two operands of one type.
    Binary(BinaryOp, ValueId, ValueId),
    /// Two operands of one type, a `Bool`.
    Compare(CompareOp, ValueId, ValueId),
    /// `a * b + c`, rounded once.
    Fma(ValueId, ValueId, ValueId),
    /// `condition ? a : b`
    Select(ValueId, ValueId, ValueId),
    /// A conversion to the instruction's type.
    Convert(ValueId),
    /// The same bits as the instruction's type.
    Bitcast(ValueId),
    /// A function of the table; gone after the pass `expand`.
    Call(Function, Vec<ValueId>),
    /// The random word (seed, site, draw, number of that side, step), `I32`.
    Word {
        /// The place in the model.
        site: u32,
        /// Which word of the element at that place.
        draw: u32,
        /// Whose number addresses the stream.
        side: Side,
    },
    /// A sample from a distribution, `I32`.
    Sample {
        /// Which distribution.
        sampler: Sampler,
        /// The place in the model.
        site: u32,
        /// Whose number addresses the stream.
        side: Side,
        /// Its parameters, `F64`.
        args: Vec<ValueId>,
    },
    /// Writes to a buffer.
    Store {
        /// The buffer.
        slot: SlotId,
        /// The element.
        at: At,
        /// The value, of the slot's type.
        value: ValueId,
    },
    /// `buffer[at] = combine(buffer[at], value)`. The kernel neither loads nor stores that slot elsewhere, so that
    /// elements commute but for rounding.
    Accumulate {
        /// The buffer.
        slot: SlotId,
        /// The element.
        at: At,
        /// How.
        with: Accumulation,
        /// The value, of the slot's type.
        value: ValueId,
    },
    /// The element emits an event if the `Bool` holds. At most one in a kernel.
    Emit(ValueId),
}

/// An instruction and the type of what it gives; `None` for effects.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Inst {
    /// What it does.
    pub op: Op,
    /// The type of its value.
    pub ty: Option<ScalarType>,
}

/// A kernel: what runs once per element of a domain.
///
/// Instructions run in order; an operand is the value of an earlier instruction. Loads see the stores of
/// earlier instructions of the same element, and of earlier elements as far as the driver runs them in order.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Kernel {
    /// Its name, for people.
    pub name: String,
    /// What it runs over.
    pub domain: Domain,
    /// Its buffer parameters, by [`SlotId`].
    pub slots: Vec<Slot>,
    /// Its body, by [`ValueId`].
    pub insts: Vec<Inst>,
}

/// How a kernel uses one slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Access {
    /// Reads it.
    Read,
    /// Writes it.
    Write,
    /// Combines into it.
    Accumulate(Accumulation),
}

impl Op {
    /// The operands, in order, the index of an [`At::Value`] first.
    #[must_use]
    pub fn operands(&self) -> Vec<ValueId> {
        let mut list = Vec::new();
        let mut copy = self.clone();
        copy.map_operands(&mut |v| {
            list.push(v);
            v
        });
        list
    }

    /// Replaces every operand, in the order of [`operands`](Self::operands).
    pub fn map_operands(&mut self, replace: &mut impl FnMut(ValueId) -> ValueId) {
        let place = |at: &mut At, replace: &mut dyn FnMut(ValueId) -> ValueId| {
            if let At::Value(v) = at {
                *v = replace(*v);
            }
        };
        match self {
            Self::Constant(_) | Self::Step | Self::Index(_) | Self::Word { .. } => {}
            Self::Load { at, .. } => place(at, replace),
            Self::Unary(_, a) | Self::Convert(a) | Self::Bitcast(a) | Self::Emit(a) => *a = replace(*a),
            Self::Binary(_, a, b) | Self::Compare(_, a, b) => {
                *a = replace(*a);
                *b = replace(*b);
            }
            Self::Fma(a, b, c) | Self::Select(a, b, c) => {
                *a = replace(*a);
                *b = replace(*b);
                *c = replace(*c);
            }
            Self::Call(_, args) | Self::Sample { args, .. } => {
                for a in args {
                    *a = replace(*a);
                }
            }
            Self::Store { at, value, .. } | Self::Accumulate { at, value, .. } => {
                place(at, replace);
                *value = replace(*value);
            }
        }
    }

    /// Whether the instruction acts on something outside the kernel.
    #[must_use]
    pub fn is_effect(&self) -> bool {
        matches!(self, Self::Store { .. } | Self::Accumulate { .. } | Self::Emit(_))
    }
}

impl Kernel {
    /// The type of a value; `None` for effects and for ids of other kernels.
    #[must_use]
    pub fn ty(&self, value: ValueId) -> Option<ScalarType> {
        self.insts.get(value.index()).and_then(|i| i.ty)
    }

    /// How the kernel uses its slots: every (slot, place, access), in order of first occurrence, each once.
    #[must_use]
    pub fn accesses(&self) -> Vec<(SlotId, At, Access)> {
        let mut list = Vec::new();
        for inst in &self.insts {
            let access = match &inst.op {
                Op::Load { slot, at } => (*slot, *at, Access::Read),
                Op::Store { slot, at, .. } => (*slot, *at, Access::Write),
                Op::Accumulate { slot, at, with, .. } => (*slot, *at, Access::Accumulate(*with)),
                Op::Constant(_)
                | Op::Step
                | Op::Index(_)
                | Op::Unary(..)
                | Op::Binary(..)
                | Op::Compare(..)
                | Op::Fma(..)
                | Op::Select(..)
                | Op::Convert(_)
                | Op::Bitcast(_)
                | Op::Call(..)
                | Op::Word { .. }
                | Op::Sample { .. }
                | Op::Emit(_) => continue,
            };
            if !list.contains(&access) {
                list.push(access);
            }
        }
        list
    }

    /// Whether the kernel emits events.
    #[must_use]
    pub fn emits(&self) -> bool {
        self.insts.iter().any(|i| matches!(i.op, Op::Emit(_)))
    }

    /// Why elements must run one after the other; `None` if they may run in blocks, each instruction for all
    /// elements of a block before the next.
    ///
    /// Elements are independent if what one writes no other reads or writes: stores go to the element's own
    /// number, and a slot that is stored is loaded at the element's own number only. Accumulations are
    /// independent as long as their combinations keep the order of the elements: one instruction per slot, or
    /// all at the element's own number. Drivers of [`Domain::Pairs`] run one presynaptic neuron at a time, so that the
    /// number of the postsynaptic one is a pair's own as well.
    #[must_use]
    pub fn order_dependence(&self) -> Option<String> {
        let accesses = self.accesses();
        let name = |slot: SlotId| self.slots.get(slot.index()).map_or("", |s| s.name.as_str());
        let mut accumulated = Vec::new();
        for inst in &self.insts {
            if let Op::Accumulate { slot, at, .. } = &inst.op {
                if accumulated.iter().any(|(s, a)| s == slot && (*a != Side::OWN || *at != Side::OWN)) {
                    let name = name(*slot);
                    return Some(format!(
                        "`{name}` is combined into by two instructions at places that elements share"
                    ));
                }
                accumulated.push((*slot, *at));
            }
        }
        for (slot, at, access) in &accesses {
            if *access != Access::Write {
                continue;
            }
            let name = name(*slot);
            // The pairs of one call have one presynaptic neuron, and each postsynaptic one once.
            let is_own = *at == Side::OWN || (self.domain == Domain::Pairs && *at == At::Side(Side::Post));
            if !is_own {
                return Some(format!("`{name}` is written at a place that elements share"));
            }
            if accesses.iter().any(|(s, a, _)| s == slot && a != at) {
                return Some(format!("`{name}` is written by one element and read by another"));
            }
        }
        None
    }

    /// For every instruction, whether its value is the same for all elements of one call, so that a driver
    /// computes it once: it depends on constants, the step, and loads at places that are the same for all
    /// from slots that the kernel does not write. Effects are never uniform.
    ///
    /// Operands must be earlier values, as the verifier holds.
    #[must_use]
    pub fn uniform(&self) -> Vec<bool> {
        let written: Vec<SlotId> = self
            .accesses()
            .into_iter()
            .filter_map(|(slot, _, access)| (access != Access::Read).then_some(slot))
            .collect();
        let mut uniform: Vec<bool> = Vec::with_capacity(self.insts.len());
        for inst in &self.insts {
            let operands = || inst.op.operands().into_iter().all(|v| uniform.get(v.index()) == Some(&true));
            let is = match &inst.op {
                Op::Constant(_) | Op::Step => true,
                Op::Load { slot, at } => match at {
                    At::Side(_) => false,
                    At::Scalar | At::Value(_) => !written.contains(slot) && operands(),
                },
                Op::Unary(..)
                | Op::Binary(..)
                | Op::Compare(..)
                | Op::Fma(..)
                | Op::Select(..)
                | Op::Convert(_)
                | Op::Bitcast(_)
                | Op::Call(..) => operands(),
                Op::Index(_) | Op::Word { .. } | Op::Sample { .. } => false,
                Op::Store { .. } | Op::Accumulate { .. } | Op::Emit(_) => false,
            };
            uniform.push(is);
        }
        uniform
    }

    /// For every instruction, the number of the last instruction that uses its value; its own number if none
    /// does.
    #[must_use]
    pub fn last_uses(&self) -> Vec<usize> {
        let mut last: Vec<usize> = (0..self.insts.len()).collect();
        for (i, inst) in self.insts.iter().enumerate() {
            for v in inst.op.operands() {
                if let Some(l) = last.get_mut(v.index()) {
                    *l = i;
                }
            }
        }
        last
    }
}
