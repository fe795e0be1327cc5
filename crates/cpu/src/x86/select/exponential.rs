//! exp with the instruction of AVX-512 that scales by powers of two.
//!
//! An expanded exp ends with `p 2^n`, a product with two powers of about the same size that takes seven operations,
//! and begins with a clamp of its argument to where `n` is an exponent. VSCALEF multiplies by `2^n` for any `n`, rounds
//! once, and gives 0 or infinity where that is what is left, so none of this is needed: an argument within the bounds
//! gives the same bits, since both round `p 2^n` once, and one beyond gives the 0 or the infinity that its bound gives, as
//! long as `p` is a positive number. There the rest `r` of the argument is anything, so the highest bit of its exponent
//! is cleared, which leaves what is below 2 as it is: `p = exp(r)` of that is positive. A NaN stays one, by `n`.

use std::sync::OnceLock;

use neuropil_base::ScalarType;
use neuropil_ir::{Kernel, Op, ValueId};
use neuropil_math::{BinaryOp, Function};

use super::{Job, Lanes, Select, size};
use crate::block::Template;
use crate::x86::family::Family;

/// Where the parts of an exp are.
#[derive(Clone, Copy, Debug)]
struct Parts {
    /// The argument between its bounds.
    bounded: ValueId,
    /// The rest of the argument.
    rest: ValueId,
    /// `exp(rest)`
    of_rest: ValueId,
    /// The whole number by which powers of two are taken out.
    exponent: ValueId,
}

impl Parts {
    /// The parts of the expansion that gives `root`.
    fn of(kernel: &Kernel, root: ValueId) -> Option<Self> {
        let op = |value: ValueId| &kernel.insts[value.index()].op;
        let Op::Binary(BinaryOp::Mul, product, _) = *op(root) else { return None };
        let Op::Binary(BinaryOp::Mul, of_rest, power) = *op(product) else { return None };
        let Op::Bitcast(power) = *op(power) else { return None };
        let Op::Binary(BinaryOp::Shl, half, _) = *op(power) else { return None };
        let Op::Binary(BinaryOp::Shr, bits, _) = *op(half) else { return None };
        let Op::Bitcast(sum) = *op(bits) else { return None };
        let Op::Fma(bounded, ..) = *op(sum) else { return None };
        let Op::Fma(_, rest, _) = *op(of_rest) else { return None };
        let Op::Fma(exponent, ..) = *op(rest) else { return None };
        Some(Self { bounded, rest, of_rest, exponent })
    }
}

/// What selection does at a value otherwise than its instruction says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instead {
    /// It is another value.
    Same(ValueId),
    /// It is computed, and kept below 2.
    Below2,
    /// The first, scaled by 2 to the second.
    Scale(ValueId, ValueId),
}

/// The expansions of exp for both float types, and their parts.
fn templates() -> &'static [(Template, Parts)] {
    static ALL: OnceLock<Vec<(Template, Parts)>> = OnceLock::new();
    ALL.get_or_init(|| {
        let both = [ScalarType::F32, ScalarType::F64].map(|ty| Template::of(Function::Exp, ty));
        both.into_iter().filter_map(|t| Parts::of(&t.kernel, t.root).map(|parts| (t, parts))).collect()
    })
}

/// By value: what is done at it, where it is part of an exp of which nothing but the result is used outside.
pub(super) fn find(job: &Job<'_>) -> Vec<Option<Instead>> {
    let insts = &job.kernel.insts;
    let mut instead = vec![None; insts.len()];
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); insts.len()];
    for (i, inst) in insts.iter().enumerate() {
        inst.op.operands().into_iter().for_each(|v| users[v.index()].push(i));
    }
    for (i, inst) in insts.iter().enumerate() {
        if job.uniform[i] || !job.wanted[i] || !matches!(inst.op, Op::Binary(BinaryOp::Mul, ..)) {
            continue;
        }
        for (template, parts) in templates() {
            let Some(places) = template.places(job.kernel, ValueId::new(i)) else { continue };
            let inside: Vec<usize> = (template.kernel.insts.iter().zip(&places))
                .filter(|(inst, _)| !matches!(inst.op, Op::Load { .. } | Op::Constant(_)))
                .filter_map(|(_, place)| place.map(ValueId::index))
                .collect();
            let closed = inside.iter().all(|v| *v == i || users[*v].iter().all(|u| inside.contains(u)));
            let place = |v: ValueId| places[v.index()];
            let ([argument], true) = (template.args.as_slice(), closed) else { continue };
            let (Some(argument), Some(bounded), Some(rest), Some(of_rest), Some(exponent)) = (
                place(*argument),
                place(parts.bounded),
                place(parts.rest),
                place(parts.of_rest),
                place(parts.exponent),
            ) else {
                continue;
            };
            instead[bounded.index()] = Some(Instead::Same(argument));
            instead[rest.index()] = Some(Instead::Below2);
            instead[i] = Some(Instead::Scale(of_rest, exponent));
        }
    }
    instead
}

impl Select<'_> {
    /// Selects for a value that is part of an exp.
    pub(super) fn instead(&mut self, i: usize, instead: Instead) -> Option<()> {
        let double = self.ty(ValueId::new(i))? == ScalarType::F64;
        let size = size(if double { ScalarType::F64 } else { ScalarType::F32 });
        let result = match instead {
            Instead::Same(value) => self.number(value)?,
            Instead::Below2 => {
                let op = &self.job.kernel.insts[i].op;
                self.inst(i, op)?;
                let rest = self.number(ValueId::new(i))?;
                self.map(size, rest, |s, rest| {
                    let (family, mask) = if double {
                        (Family::And64, s.i64(!(1 << 62)))
                    } else {
                        (Family::And32, s.i32(!(1 << 30)))
                    };
                    s.commuting(family, size, rest, mask)
                })
            }
            Instead::Scale(value, exponent) => {
                let family = if double { Family::ScaleF64 } else { Family::ScaleF32 };
                let (value, exponent) = (self.number(value)?, self.number(exponent)?);
                self.zip(size, value, exponent, |s, value, exponent| s.two(family, size, value, exponent))
            }
        };
        self.set(i, Lanes::Number(result));
        Some(())
    }
}
