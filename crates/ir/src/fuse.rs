//! One kernel out of several that run one after the other over the same elements.
//!
//! What one kernel stores and the next loads stays in a register, and every buffer is walked once instead of once per
//! kernel. Results keep their bits.

use std::collections::HashMap;
use std::hash::Hash;

use crate::{
    Access, At, Domain, Inst, Kernel, Op, Side, Slot, SlotId, ValueId, Verified, VerifyError, prepare,
};

/// A kernel with what its slots are bound to.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a, B> {
    /// The kernel.
    pub kernel: &'a Kernel,
    /// What each of its slots is bound to; the same buffer has the same name everywhere.
    pub bindings: &'a [B],
}

/// The kernel that does for every element what `parts` do, in their order, and what its slots are bound to.
///
/// `None` if that is not the same as running one kernel for all elements before the next begins: elements must be
/// independent in each part ([`Kernel::order_dependence`]), what one part writes no part may touch at another place
/// than the element's own, sums into buffers may not meet other uses of them, and only one part may emit.
///
/// # Errors
/// None for kernels that pass the verifier.
pub fn fuse<B: Copy + Eq + Hash>(parts: &[Bound<'_, B>]) -> Result<Option<(Verified, Vec<B>)>, VerifyError> {
    if !independent(parts) {
        return Ok(None);
    }
    let names: Vec<&str> = parts.iter().map(|p| p.kernel.name.as_str()).collect();
    let mut joined =
        Kernel { name: names.join(" + "), domain: Domain::Elements, slots: Vec::new(), insts: Vec::new() };
    let mut bindings: Vec<B> = Vec::new();
    for part in parts {
        let slots: Vec<SlotId> = (part.kernel.slots.iter().zip(part.bindings))
            .map(|(slot, binding)| match bindings.iter().position(|b| b == binding) {
                Some(known) => SlotId::new(known),
                None => {
                    let name = format!("s{}_{}", bindings.len(), slot.name);
                    joined.slots.push(Slot { name, ty: slot.ty });
                    bindings.push(*binding);
                    SlotId::new(bindings.len() - 1)
                }
            })
            .collect();
        let first = joined.insts.len();
        for Inst { op, ty } in &part.kernel.insts {
            let mut op = op.clone();
            op.map_operands(&mut |v| ValueId::new(first + v.index()));
            if let Op::Load { slot, .. } | Op::Store { slot, .. } | Op::Accumulate { slot, .. } = &mut op {
                *slot = slots[slot.index()];
            }
            joined.insts.push(Inst { op, ty: *ty });
        }
    }
    let forwarded = prepare(&joined)?;
    Ok(Some((prepare(&without_overwritten(&forwarded))?, bindings)))
}

/// Whether kernels may run element by element.
fn independent<B: Copy + Eq + Hash>(parts: &[Bound<'_, B>]) -> bool {
    let alone = |k: &Kernel| k.domain == Domain::Elements && k.order_dependence().is_none();
    if !parts.iter().all(|p| alone(p.kernel)) || parts.iter().filter(|p| p.kernel.emits()).count() > 1 {
        return false;
    }
    /// How a buffer is used by all parts together.
    #[derive(Default)]
    struct Use {
        written: bool,
        elsewhere: bool,
        accumulated: usize,
        parts: usize,
    }
    let mut uses: HashMap<B, Use> = HashMap::new();
    for part in parts {
        let accesses = part.kernel.accesses();
        for (k, binding) in part.bindings.iter().enumerate() {
            let of = || accesses.iter().filter(move |(slot, _, _)| slot.index() == k);
            let entry = uses.entry(*binding).or_default();
            entry.parts += usize::from(of().next().is_some());
            for (_, at, access) in of() {
                entry.written |= *access != Access::Read;
                entry.elsewhere |= *at != At::Side(Side::Own);
                entry.accumulated += usize::from(matches!(access, Access::Accumulate(_)));
            }
        }
    }
    uses.values().all(|u| !(u.written && u.elsewhere || u.accumulated > 0 && u.parts > 1))
}

/// Without the stores whose values a later store to the element's own place replaces; nobody reads them in between,
/// since loads are given what was stored.
fn without_overwritten(kernel: &Kernel) -> Kernel {
    let own = |op: &Op| match op {
        Op::Store { slot, at: At::Side(Side::Own), .. } => Some(*slot),
        _ => None,
    };
    let mut last: HashMap<SlotId, usize> = HashMap::new();
    for (k, inst) in kernel.insts.iter().enumerate() {
        if let Some(slot) = own(&inst.op) {
            last.insert(slot, k);
        }
    }
    let loads: Vec<(usize, SlotId)> = (kernel.insts.iter().enumerate())
        .filter_map(|(k, i)| if let Op::Load { slot, .. } = &i.op { Some((k, *slot)) } else { None })
        .collect();
    let kept = |k: usize| match own(&kernel.insts[k].op) {
        Some(slot) => last[&slot] == k || loads.iter().any(|(at, s)| *s == slot && *at > k),
        None => true,
    };
    let mut new = Vec::with_capacity(kernel.insts.len());
    let mut insts = Vec::new();
    for (k, inst) in kernel.insts.iter().enumerate() {
        new.push(ValueId::new(insts.len()));
        if kept(k) {
            let mut inst = inst.clone();
            inst.op.map_operands(&mut |v| new[v.index()]);
            insts.push(inst);
        }
    }
    Kernel { insts, ..kernel.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn fused(texts: &[(&str, &[u32])]) -> Option<(String, Vec<u32>)> {
        let kernels: Vec<Kernel> = texts.iter().map(|(text, _)| parse(text).unwrap()).collect();
        let parts: Vec<Bound<'_, u32>> =
            (kernels.iter().zip(texts)).map(|(kernel, (_, bindings))| Bound { kernel, bindings }).collect();
        fuse(&parts).unwrap().map(|(kernel, bindings)| (kernel.to_string(), bindings))
    }

    const DECAY: &str =
        "kernel decay over elements {\n slot v: f64\n %0 = load v[own] : f64\n %1 = const f64 0.5
        %2 = mul %0, %1 : f64\n store v[own], %2\n}";
    const FIRE: &str = "kernel fire over elements {\n slot limit: f64\n slot v: f64\n %0 = load v[own] : f64
        %1 = load limit[scalar] : f64\n %2 = gt %0, %1 : bool\n emit %2\n store v[own], %1\n}";

    #[test]
    fn what_is_stored_stays_in_a_register() {
        let (text, bindings) = fused(&[(DECAY, &[7]), (FIRE, &[3, 7])]).unwrap();
        assert_eq!(bindings, [7, 3]);
        assert_eq!(text.matches("load s0_v").count(), 1);
        assert_eq!(text.matches("store s0_v").count(), 1);
    }

    #[test]
    fn only_one_part_may_emit() {
        assert!(fused(&[(FIRE, &[3, 7]), (FIRE, &[3, 8])]).is_none());
    }

    #[test]
    fn what_is_written_may_not_be_read_elsewhere() {
        // The limit of the second part is what the first one writes.
        assert!(fused(&[(DECAY, &[3]), (FIRE, &[3, 7])]).is_none());
    }
}
