//! Parts of kernels: which values stay the same throughout a run, and a kernel that computes one value alone.

use crate::{
    At, Inst, Kernel, Op, Side, Slot, SlotId, ValueId, Verified, VerifyError, Violation, drop_unused, verify,
};

/// One value of a kernel, computed by a kernel of its own.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// Stores the value at the element's own number of its last slot.
    pub kernel: Verified,
    /// The slots of the whole kernel that its other slots are, in order.
    pub slots: Vec<SlotId>,
    /// The slot of the whole kernel whose elements, at the element's own number, are the value: nothing is to be
    /// computed.
    pub copies: Option<SlotId>,
}

impl Kernel {
    /// For every instruction, whether its value is the same for an element whenever the kernel runs for it: it depends
    /// on constants, numbers of the element, and on slots that neither the kernel nor, as `changes` says, anything
    /// else writes.
    ///
    /// Operands must be earlier values, as the verifier holds.
    #[must_use]
    pub fn fixed(&self, changes: impl Fn(SlotId) -> bool) -> Vec<bool> {
        let accesses = self.accesses();
        let written =
            |slot: SlotId| accesses.iter().any(|(s, _, access)| *s == slot && *access != crate::Access::Read);
        let mut fixed: Vec<bool> = Vec::with_capacity(self.insts.len());
        for inst in &self.insts {
            let operands = || inst.op.operands().into_iter().all(|v| fixed.get(v.index()) == Some(&true));
            let is = match &inst.op {
                Op::Constant(_) | Op::Index(_) => true,
                Op::Load { slot, .. } => !written(*slot) && !changes(*slot) && operands(),
                Op::Unary(..)
                | Op::Binary(..)
                | Op::Compare(..)
                | Op::Fma(..)
                | Op::Select(..)
                | Op::Convert(_)
                | Op::Bitcast(_)
                | Op::Call(..) => operands(),
                Op::Step | Op::Word { .. } | Op::Sample { .. } => false,
                Op::Store { .. } | Op::Accumulate { .. } | Op::Emit(_) => false,
            };
            fixed.push(is);
        }
        fixed
    }
}

/// The kernel that computes `value` as `kernel` does, and stores it: instruction by instruction the same operations,
/// so the same bits. The value must be one that depends on no store of the kernel.
///
/// ```
/// use neuropil_ir::{SlotId, ValueId, parse, part};
/// let kernel = parse("kernel k over synapses {
///   slot g: f64
///   slot w: f64
///   %0 = load w[own] : f64
///   %1 = add %0, %0 : f64
///   accumulate add g[post], %1
/// }")?;
/// let part = part(&kernel, ValueId::new(1))?;
/// assert!(part.kernel.to_string().ends_with("%1 = add %0, %0 : f64\n  store value[own], %1\n}\n"));
/// assert_eq!(part.slots, [SlotId::new(1)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The rule of the verifier that is broken: `value` is no value of the kernel, or the kernel is not valid.
pub fn part(kernel: &Kernel, value: ValueId) -> Result<Part, VerifyError> {
    verify(kernel)?;
    let missing = || VerifyError::new(kernel, None, Violation::Operand(value.index()));
    let ty = kernel.ty(value).ok_or_else(missing)?;
    let mut insts: Vec<Inst> = Vec::new();
    let mut new: Vec<ValueId> = Vec::new();
    for inst in &kernel.insts {
        new.push(ValueId::new(insts.len()));
        // Effects give nothing that a value could need.
        if !inst.op.is_effect() {
            let mut inst = inst.clone();
            inst.op.map_operands(&mut |v| new.get(v.index()).copied().unwrap_or(v));
            insts.push(inst);
        }
    }
    let stored = new.get(value.index()).copied().unwrap_or(value);
    let place = At::Side(Side::Own);
    let output = SlotId::new(kernel.slots.len());
    insts.push(Inst { op: Op::Store { slot: output, at: place, value: stored }, ty: None });
    let mut name = "value".to_owned();
    while kernel.slots.iter().any(|s| s.name == name) {
        name.push('_');
    }
    let mut slots = kernel.slots.clone();
    slots.push(Slot { name, ty });
    let whole = drop_unused(&Kernel { insts, slots, ..kernel.clone() });
    let (kernel, mut slots) = without_unused_slots(whole);
    slots.pop();
    let copies = match (kernel.insts.as_slice(), slots.as_slice()) {
        ([Inst { op: Op::Load { at, .. }, .. }, _], [slot]) if *at == place => Some(*slot),
        _ => None,
    };
    Ok(Part { kernel: Verified::new(kernel)?, slots, copies })
}

/// The kernel with the slots that it uses, and which of the old ones those are.
fn without_unused_slots(mut kernel: Kernel) -> (Kernel, Vec<SlotId>) {
    let accesses = kernel.accesses();
    let kept: Vec<SlotId> = (0..kernel.slots.len())
        .map(SlotId::new)
        .filter(|slot| accesses.iter().any(|(used, _, _)| used == slot))
        .collect();
    let new = |slot: SlotId| SlotId::new(kept.iter().position(|k| *k == slot).unwrap_or(0));
    for inst in &mut kernel.insts {
        match &mut inst.op {
            Op::Load { slot, .. } | Op::Store { slot, .. } | Op::Accumulate { slot, .. } => {
                *slot = new(*slot)
            }
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
            | Op::Emit(_) => {}
        }
    }
    let slots = kept.iter().filter_map(|slot| kernel.slots.get(slot.index()).cloned()).collect();
    (Kernel { slots, ..kernel }, kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn kernel() -> Kernel {
        parse(
            "kernel k over synapses {
               slot w: f64\n slot g: f64\n slot scale: f64\n slot value: i32
               %0 = load w[own] : f64\n %1 = load scale[scalar] : f64\n %2 = mul %0, %1 : f64
               accumulate add g[post], %2\n %4 = index pre : i32\n %5 = load value[%4] : i32
               %6 = convert %5 : f64\n %7 = add %2, %6 : f64\n %8 = step : i64\n %9 = word site 1 draw 0 own : i32
             }",
        )
        .unwrap()
    }

    #[test]
    fn what_depends_on_changing_slots_is_not_fixed() {
        let fixed = |changing: &[usize]| -> Vec<usize> {
            let changes = |slot: SlotId| changing.contains(&slot.index());
            kernel().fixed(changes).iter().enumerate().filter_map(|(i, f)| f.then_some(i)).collect()
        };
        assert_eq!(fixed(&[1]), [0, 1, 2, 4, 5, 6, 7]);
        assert_eq!(fixed(&[2]), [0, 4, 5, 6]);
        assert_eq!(fixed(&[0, 3]), [1, 4]);
    }

    #[test]
    fn a_part_has_the_slots_it_needs_and_a_new_one() {
        let part = part(&kernel(), ValueId::new(7)).unwrap();
        assert_eq!(part.slots, [SlotId::new(0), SlotId::new(2), SlotId::new(3)]);
        assert_eq!(part.kernel.slots[3].name, "value_");
        assert_eq!(part.copies, None);
        assert_eq!(part.kernel.insts.len(), 8);
    }

    #[test]
    fn a_value_that_is_loaded_at_the_own_number_is_a_copy() {
        assert_eq!(part(&kernel(), ValueId::new(0)).unwrap().copies, Some(SlotId::new(0)));
        assert_eq!(part(&kernel(), ValueId::new(1)).unwrap().copies, None);
        assert!(part(&kernel(), ValueId::new(99)).is_err());
    }
}
