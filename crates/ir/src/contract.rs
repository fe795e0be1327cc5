//! Contraction: products and the sums that they feed, rounded once.
//!
//! `a*b + c` with a product that nothing else uses becomes one [`Fma`](Op::Fma), and `(c1 - (x + c2))*c3`, what adds constants to
//! a value and multiplies it by others, `x*k + c`. This is the one pass that changes bits: by less than the roundings that it
//! leaves out. It runs once, before a kernel is given to any backend, so that all of them do the same.
//!
//! What stays as it is written:
//! * what a comparison, a whole number, or a function with steps depends on, so that conditions and times are decided as before;
//! * products of the number of the step, which are times, and of random words, whose distributions are made of them;
//! * `a*b - c*d`, which is 0 for equal products;
//! * sums with constants of [`WHOLE`] or more, which may be there to round.

use neuropil_base::{Scalar, ScalarType};
use neuropil_math::{BinaryOp, Function, UnaryOp};

use crate::{Inst, Kernel, Op, ValueId, drop_unused};

/// Constants that are not moved from one sum into another.
const WHOLE: f64 = 1048576.0;

/// `factor * of + term`, found behind several operations.
#[derive(Clone, Copy, Debug)]
struct Affine {
    of: ValueId,
    factor: f64,
    term: f64,
    operations: u32,
}

/// The kernel with products and sums contracted.
///
/// ```
/// let text = "kernel k over elements {
///   slot v: f64
///   slot w: f64
///   %0 = load v[own] : f64
///   %1 = load w[own] : f64
///   %2 = mul %0, %1 : f64
///   %3 = add %0, %2 : f64
///   store v[own], %3
/// }";
/// let kernel = neuropil_ir::contract(&neuropil_ir::parse(text)?);
/// assert!(kernel.to_string().contains("fma %0, %1, %0"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn contract(kernel: &Kernel) -> Kernel {
    let kernel = drop_unused(kernel);
    let exact = exact(&kernel);
    let counted = counted(&kernel);
    let mut uses = vec![0_u32; kernel.insts.len()];
    for v in kernel.insts.iter().flat_map(|inst| inst.op.operands()) {
        uses[v.index()] += 1;
    }
    let affine = affine(&kernel, &exact, &counted);
    let mut made = Contracted { kernel: &kernel, insts: Vec::new(), new: Vec::new() };
    for (i, inst) in kernel.insts.iter().enumerate() {
        let is_product =
            |v: ValueId| uses[v.index()] == 1 && !counted[v.index()] && made.factors(v).is_some();
        let replaced = match (&inst.op, inst.ty) {
            (_, Some(ty)) if affine[i].is_some_and(|a| a.operations > 1) => {
                affine[i].map(|found| made.affine(found, ty))
            }
            (Op::Binary(BinaryOp::Add, a, b), Some(ty)) if ty.is_float() && !exact[i] && a != b => {
                if is_product(*b) {
                    made.fused(*b, *a, false, ty)
                } else if is_product(*a) {
                    made.fused(*a, *b, false, ty)
                } else {
                    None
                }
            }
            (Op::Binary(BinaryOp::Sub, a, b), Some(ty))
                if ty.is_float() && !exact[i] && is_product(*b) && made.factors(*a).is_none() =>
            {
                made.fused(*b, *a, true, ty)
            }
            (_, _) => None,
        };
        let value = replaced.unwrap_or_else(|| {
            let mut op = inst.op.clone();
            op.map_operands(&mut |v| made.new[v.index()]);
            made.push(op, inst.ty)
        });
        made.new.push(value);
    }
    drop_unused(&Kernel { insts: made.insts, ..kernel })
}

/// The kernel under construction.
struct Contracted<'a> {
    kernel: &'a Kernel,
    insts: Vec<Inst>,
    /// By value of the kernel as it was.
    new: Vec<ValueId>,
}

impl Contracted<'_> {
    fn push(&mut self, op: Op, ty: Option<ScalarType>) -> ValueId {
        self.insts.push(Inst { op, ty });
        ValueId::new(self.insts.len() - 1)
    }

    fn constant(&mut self, ty: ScalarType, x: f64) -> ValueId {
        self.push(Op::Constant(Scalar::from_f64(ty, x)), Some(ty))
    }

    /// The factors of a product.
    fn factors(&self, value: ValueId) -> Option<(ValueId, ValueId)> {
        match self.kernel.insts[value.index()].op {
            Op::Binary(BinaryOp::Mul, x, y) => Some((x, y)),
            _ => None,
        }
    }

    /// A term and a product, or less the product.
    fn fused(&mut self, product: ValueId, term: ValueId, less: bool, ty: ScalarType) -> Option<ValueId> {
        let (x, y) = self.factors(product)?;
        let (mut x, y, term) = (self.new[x.index()], self.new[y.index()], self.new[term.index()]);
        if less {
            x = self.push(Op::Unary(UnaryOp::Neg, x), Some(ty));
        }
        Some(self.push(Op::Fma(x, y, term), Some(ty)))
    }

    fn affine(&mut self, found: Affine, ty: ScalarType) -> ValueId {
        let of = self.new[found.of.index()];
        let term = self.constant(ty, found.term);
        if found.factor == 1.0 {
            return self.push(Op::Binary(BinaryOp::Add, of, term), Some(ty));
        }
        let factor = self.constant(ty, found.factor);
        if found.term == 0.0 {
            return self.push(Op::Binary(BinaryOp::Mul, of, factor), Some(ty));
        }
        self.push(Op::Fma(of, factor, term), Some(ty))
    }
}

/// Whether small changes of the arguments change the value little.
fn is_continuous(function: Function) -> bool {
    function != Function::Mod && (0..3).any(|k| function.derivative(k).is_some())
}

/// By value: whether it keeps its bits, since something decides by it.
fn exact(kernel: &Kernel) -> Vec<bool> {
    let mut exact = vec![false; kernel.insts.len()];
    for (i, inst) in kernel.insts.iter().enumerate().rev() {
        let float = inst.ty.is_some_and(ScalarType::is_float);
        let operands = match &inst.op {
            Op::Store { .. } | Op::Accumulate { .. } => continue,
            Op::Unary(UnaryOp::Neg | UnaryOp::Abs | UnaryOp::Sqrt, _)
            | Op::Binary(
                BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Min | BinaryOp::Max,
                ..,
            )
            | Op::Fma(..)
            | Op::Convert(_) => exact[i] || !float,
            Op::Call(function, _) => exact[i] || !is_continuous(*function),
            Op::Select(condition, a, b) => {
                exact[condition.index()] = true;
                if exact[i] {
                    exact[a.index()] = true;
                    exact[b.index()] = true;
                }
                continue;
            }
            Op::Constant(_)
            | Op::Step
            | Op::Index(_)
            | Op::Unary(UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc | UnaryOp::Not, _)
            | Op::Binary(
                BinaryOp::Rem
                | BinaryOp::And
                | BinaryOp::Or
                | BinaryOp::Xor
                | BinaryOp::Shl
                | BinaryOp::Shr
                | BinaryOp::Sar,
                ..,
            )
            | Op::Compare(..)
            | Op::Bitcast(_)
            | Op::Load { .. }
            | Op::Word { .. }
            | Op::Sample { .. }
            | Op::Emit(_) => true,
        };
        if operands {
            inst.op.operands().into_iter().for_each(|v| exact[v.index()] = true);
        }
    }
    exact
}

/// By value: whether it is computed from the number of the step, or from random words.
fn counted(kernel: &Kernel) -> Vec<bool> {
    let mut counted: Vec<bool> = Vec::with_capacity(kernel.insts.len());
    for inst in &kernel.insts {
        let own = matches!(inst.op, Op::Step | Op::Word { .. } | Op::Sample { .. });
        counted.push(own || inst.op.operands().into_iter().any(|v| counted[v.index()]));
    }
    counted
}

/// By value: what it is of another, by constants; only where more than one operation with a constant was.
fn affine(kernel: &Kernel, exact: &[bool], counted: &[bool]) -> Vec<Option<Affine>> {
    let mut found: Vec<Option<Affine>> = vec![None; kernel.insts.len()];
    for (i, inst) in kernel.insts.iter().enumerate() {
        if exact[i] || counted[i] || !inst.ty.is_some_and(ScalarType::is_float) {
            continue;
        }
        let constant = |v: ValueId| match kernel.insts[v.index()].op {
            Op::Constant(c) => Some(c.to_f64()),
            _ => None,
        };
        let of =
            |v: ValueId| found[v.index()].unwrap_or(Affine { of: v, factor: 1.0, term: 0.0, operations: 0 });
        let (operand, factor, term) = match inst.op {
            Op::Unary(UnaryOp::Neg, a) => (a, -1.0, 0.0),
            Op::Binary(op, a, b) => match (op, constant(a), constant(b)) {
                (BinaryOp::Add, None, Some(c)) => (a, 1.0, c),
                (BinaryOp::Add, Some(c), None) => (b, 1.0, c),
                (BinaryOp::Sub, None, Some(c)) => (a, 1.0, -c),
                (BinaryOp::Sub, Some(c), None) => (b, -1.0, c),
                (BinaryOp::Mul, None, Some(c)) => (a, c, 0.0),
                (BinaryOp::Mul, Some(c), None) => (b, c, 0.0),
                (_, _, _) => continue,
            },
            _ => continue,
        };
        let inner = of(operand);
        let next = Affine {
            of: inner.of,
            factor: inner.factor * factor,
            term: inner.term * factor + term,
            operations: inner.operations + 1,
        };
        let moderate = |x: f64| x.abs() < WHOLE;
        let usual = (1e-30..1e30).contains(&next.factor.abs());
        if usual && [inner.term, term, next.term].into_iter().all(moderate) {
            found[i] = Some(next);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{parse, prepare, testing};
    use proptest::prelude::*;

    fn contracted(body: &str) -> String {
        let text =
            format!("kernel k over elements {{\n  slot v: f64\n  slot w: f64\n  slot b: bool\n{body}}}\n");
        let kernel = contract(&parse(&text).unwrap());
        let text = prepare(&kernel).unwrap().to_string();
        text.lines().skip(4).filter(|l| *l != "}").map(|l| format!("{}\n", l.trim())).collect()
    }

    const LOADS: &str = "%v = load v[own] : f64\n%w = load w[own] : f64\n";

    #[test]
    fn a_product_with_one_use_joins_its_sum() {
        let with = |rest: &str| contracted(&format!("{LOADS}{rest}store v[own], %b\n"));
        let sum = with("%a = mul %v, %w : f64\n%b = add %a, %v : f64\n");
        assert!(sum.contains("%2 = fma %0, %1, %0 : f64"), "{sum}");
        let difference = with("%a = mul %v, %w : f64\n%b = sub %v, %a : f64\n");
        assert!(difference.contains("neg %0") && difference.contains("fma %2, %1, %0"), "{difference}");
        let twice = with("%a = mul %v, %w : f64\n%c = add %a, %v : f64\n%b = mul %c, %a : f64\n");
        assert!(!twice.contains("fma"), "{twice}");
    }

    #[test]
    fn equal_products_keep_their_difference() {
        let body = format!(
            "{LOADS}%a = mul %v, %v : f64\n%b = mul %w, %w : f64\n%c = sub %a, %b : f64\nstore v[own], %c\n"
        );
        assert!(!contracted(&body).contains("fma"));
    }

    #[test]
    fn constants_meet_behind_sums_and_products() {
        let body =
            "%v = load v[own] : f64\n%c2 = const f64 -0.0625\n%c1 = const f64 0.125\n%c3 = const f64 256.0
            %u = sub %v, %c2 : f64\n%d = sub %c1, %u : f64\n%x = mul %d, %c3 : f64\nstore v[own], %x\n";
        let wanted = "%0 = load v[own] : f64\n%1 = const f64 16.0\n%2 = const f64 -256.0
%3 = fma %0, %2, %1 : f64\nstore v[own], %3\n";
        assert_eq!(contracted(body), wanted);
        // A sum with a large number may be there to round.
        let rounds = body.replace("-0.0625", "6755399441055744.0").replace("0.125", "6755399441055744.0");
        assert!(contracted(&rounds).matches("sub").count() == 2);
    }

    #[test]
    fn what_decides_keeps_its_operations() {
        let decides =
            "%a = mul %v, %w : f64\n%c = add %a, %v : f64\n%b = gt %c, %w : bool\nstore b[own], %b\n";
        assert!(!contracted(&format!("{LOADS}{decides}")).contains("fma"));
        let time = "%n = step : i64\n%f = convert %n : f64\n%t = mul %f, %v : f64\n%b = sub %w, %t : f64\nstore v[own], %b\n";
        assert!(!contracted(&format!("{LOADS}{time}")).contains("fma"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Valid kernels stay valid, with the same slots and effects, and a second time changes nothing that counts.
        #[test]
        fn contracted_kernels_are_valid(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let kernel = testing::kernel(&bytes);
            let once = contract(&kernel);
            prop_assert!(prepare(&once).is_ok(), "{once}");
            prop_assert_eq!(&once.slots, &kernel.slots);
            let effects = |k: &Kernel| k.insts.iter().filter(|i| i.op.is_effect()).count();
            prop_assert_eq!(effects(&once), effects(&kernel));
        }
    }
}
