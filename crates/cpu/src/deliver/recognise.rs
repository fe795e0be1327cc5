//! Which deliveries are static, and what they add.

use neuropil_base::{Scalar, ScalarType};
use neuropil_ir::{Accumulation, At, Kernel, Op, Part, Side, SlotId, ValueId, Verified, part};

use crate::block::Block;

/// What the synapses of a delivery do, if it is nothing but accumulating known values at postsynaptic neurons.
#[derive(Clone, Debug)]
pub struct StaticKernel {
    effects: Vec<StaticEffect>,
}

/// One accumulation of a [`StaticKernel`].
#[derive(Clone, PartialEq, Debug)]
pub struct StaticEffect {
    /// What is accumulated into, at the postsynaptic neuron.
    pub slot: SlotId,
    /// The type of its elements.
    pub ty: ScalarType,
    /// How.
    pub with: Accumulation,
    /// What each synapse gives.
    pub value: StaticValue,
    /// Which neurons take it.
    pub gate: Option<Gate>,
}

/// What each synapse gives.
#[derive(Clone, PartialEq, Debug)]
pub enum StaticValue {
    /// The same for all of them, to be computed once per delivery.
    Uniform(Uniform),
    /// For each its own, which never changes while the program runs.
    PerSynapse(Box<Payload>),
}

/// A condition at the postsynaptic neuron; where it does not hold, another value is accumulated: a neuron that is
/// refractory takes nothing, that is 0.
#[derive(Clone, PartialEq, Debug)]
pub struct Gate {
    /// Truth values, by postsynaptic neuron.
    pub slot: SlotId,
    /// What is accumulated where it does not hold.
    pub otherwise: Uniform,
}

/// A value that is the same for all synapses of a delivery.
#[derive(Clone, PartialEq, Debug)]
pub struct Uniform {
    part: Part,
    constant: Option<Scalar>,
}

/// A value per synapse, compiled.
#[derive(Clone, Debug)]
pub struct Payload {
    pub(super) part: Part,
    pub(super) block: Block,
    pub(super) ty: ScalarType,
}

/// What is compiled follows from the rest.
impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        (&self.part, self.ty) == (&other.part, other.ty)
    }
}

impl StaticKernel {
    /// Recognises a delivery to the postsynaptic side; `changes` says whether an operation of the program writes what
    /// a slot is bound to.
    ///
    /// # Errors
    /// Why it is not static, for people.
    pub fn of(kernel: &Verified, changes: impl Fn(SlotId) -> bool) -> Result<Self, String> {
        let name = |slot: SlotId| kernel.slots.get(slot.index()).map_or("", |s| s.name.as_str());
        let uniform = kernel.uniform();
        let fixed = kernel.fixed(changes);
        let mut effects: Vec<StaticEffect> = Vec::new();
        for inst in &kernel.insts {
            let (slot, at, with, value) = match &inst.op {
                Op::Accumulate { slot, at, with, value } => (*slot, *at, *with, *value),
                Op::Store { slot, .. } => return Err(format!("it writes `{}`", name(*slot))),
                Op::Emit(_) => return Err("it emits events".to_owned()),
                Op::Constant(_)
                | Op::Step
                | Op::Index(_)
                | Op::Load { .. }
                | Op::Unary(..)
                | Op::Binary(..)
                | Op::Compare(..)
                | Op::Fma(..)
                | Op::Select(..)
                | Op::Convert(_)
                | Op::Bitcast(_)
                | Op::Call(..)
                | Op::Word { .. }
                | Op::Sample { .. } => continue,
            };
            if at != At::Side(Side::Post) {
                return Err(format!("it changes `{}` elsewhere than at its target", name(slot)));
            }
            if effects.iter().any(|e| e.slot == slot) {
                return Err(format!("it changes `{}` twice", name(slot)));
            }
            let ty = kernel.ty(value).unwrap_or(ScalarType::Bool);
            let reason =
                || format!("what it gives to `{}` depends on what changes during the run", name(slot));
            let of = |value| static_value(kernel, (&uniform, &fixed), value);
            let (value, gate) = match of(value) {
                Some(value) => (value, None),
                None => {
                    let (open, given, otherwise) = gated(kernel, value).ok_or_else(reason)?;
                    let otherwise = Uniform::of(kernel, &uniform, otherwise).ok_or_else(reason)?;
                    let gate = Gate { slot: open, otherwise };
                    (of(given).ok_or_else(reason)?, Some(gate))
                }
            };
            effects.push(StaticEffect { slot, ty, with, value, gate });
        }
        if effects.is_empty() {
            return Err("it does nothing".to_owned());
        }
        Ok(Self { effects })
    }

    /// Its accumulations, each into a slot of its own.
    #[must_use]
    pub fn effects(&self) -> &[StaticEffect] {
        &self.effects
    }

    /// What is to be stored for each synapse, in the order of the accumulations that need it.
    pub fn payloads(&self) -> impl Iterator<Item = &Payload> {
        self.effects.iter().filter_map(|e| match &e.value {
            StaticValue::Uniform(_) => None,
            StaticValue::PerSynapse(payload) => Some(&**payload),
        })
    }
}

fn static_value(
    kernel: &Kernel,
    (uniform, fixed): (&[bool], &[bool]),
    value: ValueId,
) -> Option<StaticValue> {
    if let Some(uniform) = Uniform::of(kernel, uniform, value) {
        return Some(StaticValue::Uniform(uniform));
    }
    if fixed.get(value.index()) != Some(&true) {
        return None;
    }
    let part = part(kernel, value).ok()?;
    let block = Block::compile(&part.kernel);
    Some(StaticValue::PerSynapse(Box::new(Payload { block, ty: kernel.ty(value)?, part })))
}

/// A choice by a truth value of the postsynaptic neuron: its slot, and the values where it holds and where it does not.
fn gated(kernel: &Kernel, value: ValueId) -> Option<(SlotId, ValueId, ValueId)> {
    let op = |v: ValueId| kernel.insts.get(v.index()).map(|i| &i.op);
    let Some(Op::Select(condition, given, otherwise)) = op(value) else { return None };
    match op(*condition) {
        Some(Op::Load { slot, at: At::Side(Side::Post) }) => Some((*slot, *given, *otherwise)),
        _ => None,
    }
}

impl Uniform {
    fn of(kernel: &Kernel, uniform: &[bool], value: ValueId) -> Option<Self> {
        if uniform.get(value.index()) != Some(&true) {
            return None;
        }
        let part = part(kernel, value).ok()?;
        let constant = match part.kernel.insts.first().map(|i| &i.op) {
            Some(Op::Constant(c)) if part.kernel.insts.len() == 2 => Some(*c),
            _ => None,
        };
        Some(Self { part, constant })
    }

    /// The slots of the delivery's kernel that it reads.
    #[must_use]
    pub fn slots(&self) -> &[SlotId] {
        &self.part.slots
    }

    /// Whether the other is computed by the same operations.
    pub(super) fn computes_as(&self, other: &Self) -> bool {
        self.part.kernel.insts == other.part.kernel.insts
    }

    /// Its value in a step; `read` gives the nearest element of a slot of the delivery's kernel, 0 if there is none.
    #[must_use]
    pub fn evaluate(&self, step: i64, read: impl Fn(SlotId, usize) -> Scalar) -> Scalar {
        if let Some(constant) = self.constant {
            return constant;
        }
        let kernel = &self.part.kernel;
        let mut values: Vec<Scalar> = Vec::with_capacity(kernel.insts.len());
        for inst in &kernel.insts {
            let of = |v: ValueId| values.get(v.index()).copied().unwrap_or(Scalar::Bool(false));
            let value = match &inst.op {
                Op::Step => Some(Scalar::I64(step)),
                Op::Load { slot, at } => {
                    let place = match at {
                        At::Scalar | At::Side(_) => 0,
                        At::Value(v) => place(of(*v)),
                    };
                    self.part.slots.get(slot.index()).map(|slot| read(*slot, place))
                }
                Op::Store { value, .. } => return of(*value),
                op => inst.ty.and_then(|ty| op.evaluate(ty, of)),
            };
            values.push(value.unwrap_or(Scalar::Bool(false)));
        }
        Scalar::Bool(false)
    }
}

/// The element that a computed number means: the nearest there may be.
fn place(number: Scalar) -> usize {
    match number {
        Scalar::I32(i) => usize::try_from(i).unwrap_or(0),
        Scalar::I64(i) => usize::try_from(i).unwrap_or(if i < 0 { 0 } else { usize::MAX }),
        // The verifier lets only integers be places.
        Scalar::Bool(_) | Scalar::F32(_) | Scalar::F64(_) => 0,
    }
}
