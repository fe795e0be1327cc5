//! What the elements of a program cost per step, by which populations are divided between threads.
//!
//! Costs are operations as a vector unit carries them out: one on four bytes is 1, one on eight bytes 2, and what
//! keeps it busy for longer, a division or a random number, 16 times as much. With AVX-512 some 100 of them take a
//! nanosecond. They are counted in the kernels before these are fused, and only compared with each other and with what it
//! costs that threads meet.

use neuropil_ir::{Kernel, Op};
use neuropil_kernels::Program;
use neuropil_kernels::program::Action;
use neuropil_math::{BinaryOp, UnaryOp};
use neuropil_schedule::Plan;

use super::layout::{Spaces, own_space};

/// What a division, a square root or a random number costs.
const SLOW: u32 = 16;
/// What a function costs that has not been expanded.
const FUNCTION: u32 = 24;
/// What one synapse costs per step: an event takes about a nanosecond, and a synapse has one in a thousand steps (of 0.1 ms,
/// at 10 Hz).
pub(super) const SYNAPSE: f64 = 0.1;

/// What one element of each space costs per step; nothing is free.
pub(super) fn per_element(program: &Program, plan: &Plan, spaces: &Spaces, sizes: &[u32]) -> Vec<f64> {
    let mut costs = vec![1.0; sizes.len()];
    for id in plan.sequence() {
        let operation = &program.operations[id.index()];
        if let Action::Elements { call, len, .. } = &operation.action {
            let space = own_space(program, *id, spaces);
            let kernel = program.kernels[call.kernel.index()].body.kernel();
            let share = f64::from(*len) / f64::from(sizes[space].max(1));
            let period = program.clocks[operation.clock.index()].period.max(1);
            costs[space] += f64::from(of_kernel(kernel)) * share / period as f64;
        }
    }
    costs
}

/// What one element of a kernel costs.
fn of_kernel(kernel: &Kernel) -> u32 {
    let insts = kernel.insts.iter().zip(kernel.uniform()).filter(|(_, uniform)| !uniform);
    insts
        .map(|(inst, _)| {
            let types = inst.op.operands().into_iter().filter_map(|value| kernel.ty(value)).chain(inst.ty);
            let words = types.map(|ty| ty.size()).max().unwrap_or(4).div_ceil(4) as u32;
            words * of_operation(&inst.op)
        })
        .sum()
}

fn of_operation(op: &Op) -> u32 {
    match op {
        Op::Unary(UnaryOp::Sqrt, _)
        | Op::Binary(BinaryOp::Div | BinaryOp::Rem, _, _)
        | Op::Word { .. }
        | Op::Sample { .. } => SLOW,
        Op::Call(..) => FUNCTION,
        Op::Constant(_) | Op::Step => 0,
        Op::Index(_)
        | Op::Load { .. }
        | Op::Unary(..)
        | Op::Binary(..)
        | Op::Compare(..)
        | Op::Fma(..)
        | Op::Select(..)
        | Op::Convert(_)
        | Op::Bitcast(_)
        | Op::Store { .. }
        | Op::Accumulate { .. }
        | Op::Emit(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use neuropil_ir::parse;

    #[test]
    fn operations_count_by_how_long_they_keep_a_vector_unit() {
        let cost = |ty: &str, op: &str| {
            let text = format!(
                "kernel k over elements {{\n slot v: {ty}\n %0 = load v[own] : {ty}\n %1 = {op} : {ty}\n store v[own], %1\n}}"
            );
            of_kernel(&parse(&text).unwrap())
        };
        assert_eq!(cost("f32", "add %0, %0"), 3);
        assert_eq!(cost("f64", "add %0, %0"), 6);
        assert_eq!(cost("f32", "div %0, %0"), 2 + SLOW);
        assert_eq!(cost("f64", "sqrt %0"), 2 * (2 + SLOW));
    }
}
