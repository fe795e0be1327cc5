//! From a kernel to an equal one: calls expanded, constants folded, equal values given once, unused ones dropped.
//!
//! Every pass keeps what the kernel does to its slots bit for bit (the bits of a NaN excepted), and the
//! numbers of its slots.

use neuropil_math::{Emit, Function, pow_constant};

use crate::{Builder, Kernel, Op, ValueId, Verified, VerifyError, verify};

/// What a backend runs: the kernel verified, [`expand`]ed, and without [unused values](drop_unused).
///
/// ```
/// let text = "kernel k over elements {
///   slot v: f64
///   %0 = load v[own] : f64
///   %1 = const f64 2.0
///   %2 = call pow %0, %1 : f64
///   store v[own], %2
/// }";
/// let kernel = neuropil_ir::parse(text)?;
/// let prepared = neuropil_ir::prepare(&kernel)?;
/// assert!(prepared.to_string().contains("mul %0, %0"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The rule of the verifier that the kernel breaks.
pub fn prepare(kernel: &Kernel) -> Result<Verified, VerifyError> {
    verify(kernel)?;
    Verified::new(drop_unused(&expand(kernel)))
}

/// Replaces every call by the primitive operations of the function, and rebuilds the rest by the [`Builder`],
/// which folds constants and gives equal values once.
///
/// The kernel must be a valid one.
#[must_use]
pub fn expand(kernel: &Kernel) -> Kernel {
    let mut b = Builder::with_slots(kernel.name.clone(), kernel.domain, kernel.slots.clone());
    let mut new: Vec<ValueId> = Vec::with_capacity(kernel.insts.len());
    for inst in &kernel.insts {
        let mut op = inst.op.clone();
        op.map_operands(&mut |v| new[v.index()]);
        let ty = inst.ty;
        let value = match (op, ty) {
            (Op::Constant(c), _) => b.constant(c),
            (Op::Unary(op, a), _) => b.unary(op, a),
            (Op::Binary(op, x, y), _) => b.binary(op, x, y),
            (Op::Compare(op, x, y), _) => b.compare(op, x, y),
            (Op::Fma(x, y, z), _) => b.fma(x, y, z),
            (Op::Select(c, x, y), _) => b.select(c, x, y),
            (Op::Convert(a), Some(ty)) => b.convert(ty, a),
            (Op::Bitcast(a), Some(ty)) => b.bitcast(ty, a),
            (Op::Load { slot, at }, _) => b.load(slot, at),
            (Op::Call(function, args), _) => call(&mut b, function, &args),
            (Op::Store { slot, at, value }, _) => {
                b.store(slot, at, value);
                ValueId::new(b.kernel().insts.len() - 1)
            }
            (Op::Accumulate { slot, at, with, value }, _) => {
                b.accumulate(slot, at, with, value);
                ValueId::new(b.kernel().insts.len() - 1)
            }
            (Op::Emit(condition), _) => {
                b.emit(condition);
                ValueId::new(b.kernel().insts.len() - 1)
            }
            (op @ (Op::Step | Op::Index(_) | Op::Word { .. } | Op::Sample { .. }), Some(ty)) => {
                b.pure(op, ty)
            }
            // A value without a type does not pass the verifier.
            (
                Op::Step
                | Op::Index(_)
                | Op::Word { .. }
                | Op::Sample { .. }
                | Op::Convert(_)
                | Op::Bitcast(_),
                None,
            ) => ValueId::new(0),
        };
        new.push(value);
    }
    b.finish()
}

fn call(b: &mut Builder, function: Function, args: &[ValueId]) -> ValueId {
    if let (Function::Pow, [x, exponent]) = (function, args)
        && let Some(exponent) = b.as_constant(*exponent)
        && let Some(power) = pow_constant(b, *x, exponent.to_f64())
    {
        return power;
    }
    function.expand(b, args)
}

/// Drops every value that no effect needs, directly or through others. Slots stay, used or not.
#[must_use]
pub fn drop_unused(kernel: &Kernel) -> Kernel {
    let mut needed: Vec<bool> = kernel.insts.iter().map(|i| i.op.is_effect()).collect();
    for (i, inst) in kernel.insts.iter().enumerate().rev() {
        if needed[i] {
            for v in inst.op.operands() {
                needed[v.index()] = true;
            }
        }
    }
    let mut kept = Kernel { insts: Vec::new(), ..kernel.clone() };
    let mut new = vec![ValueId::new(0); kernel.insts.len()];
    for (i, inst) in kernel.insts.iter().enumerate() {
        if needed[i] {
            let mut inst = inst.clone();
            inst.op.map_operands(&mut |v| new[v.index()]);
            new[i] = ValueId::new(kept.insts.len());
            kept.insts.push(inst);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{parse, testing};
    use proptest::prelude::*;

    fn prepared(body: &str) -> String {
        let text = format!("kernel k over elements {{\n  slot v: f64\n  slot k: i32\n{body}}}\n");
        let text = prepare(&parse(&text).unwrap()).unwrap().to_string();
        text.lines().skip(3).filter(|l| *l != "}").map(|l| format!("{}\n", l.trim())).collect()
    }

    #[test]
    fn constants_fold_and_equal_values_are_one() {
        let body = "%a = const f64 2.0\n%b = const f64 3.0\n%c = mul %a, %b : f64\n%v = load v[own] : f64
            %d = add %v, %c : f64\n%e = add %v, %c : f64\n%f = mul %d, %e : f64\n%unused = sqrt %f : f64
            store v[own], %f\n";
        let wanted = "%0 = const f64 6.0\n%1 = load v[own] : f64\n%2 = add %1, %0 : f64
%3 = mul %2, %2 : f64\nstore v[own], %3\n";
        assert_eq!(prepared(body), wanted);
    }

    #[test]
    fn a_load_after_a_store_is_the_stored_value_if_the_place_is_certain() {
        let body = "%k = load k[own] : i32\n%a = load v[own] : f64\n%b = neg %a : f64\nstore v[own], %b
            %c = load v[own] : f64\nstore v[%k], %c\n%d = load v[%k] : f64\n%e = load v[own] : f64
            %f = sub %d, %e : f64\nstore v[own], %f\n";
        let wanted = "%0 = load k[own] : i32\n%1 = load v[own] : f64\n%2 = neg %1 : f64\nstore v[own], %2
store v[%0], %2\n%5 = load v[%0] : f64\n%6 = load v[own] : f64\n%7 = sub %5, %6 : f64\nstore v[own], %7\n";
        assert_eq!(prepared(body), wanted);
    }

    #[test]
    fn operations_that_change_nothing_go() {
        let body =
            "%v = load v[own] : f64\n%one = const f64 1.0\n%zero = const f64 0.0\n%four = const f64 4.0
            %a = mul %v, %one : f64\n%b = sub %a, %zero : f64\n%c = div %b, %four : f64\n%d = neg %c : f64
            %e = neg %d : f64\n%f = convert %e : f64\nstore v[own], %f\n";
        let wanted = "%0 = load v[own] : f64\n%1 = const f64 0.25\n%2 = mul %0, %1 : f64\nstore v[own], %2\n";
        assert_eq!(prepared(body), wanted);
        // Adding 0 turns -0 into 0.
        let body =
            "%v = load v[own] : f64\n%zero = const f64 0.0\n%a = add %v, %zero : f64\nstore v[own], %a\n";
        assert!(prepared(body).contains("add"));
    }

    #[test]
    fn powers_with_small_constant_exponents_are_products() {
        let with = |exponent: &str| {
            prepared(&format!(
                "%v = load v[own] : f64\n%n = const f64 {exponent}\n%p = call pow %v, %n : f64\nstore v[own], %p\n"
            ))
        };
        assert_eq!(with("3.0").matches("mul").count(), 2);
        assert!(with("0.5").contains("sqrt"));
    }

    #[test]
    fn uniform_values_depend_on_nothing_that_varies() {
        let kernel = parse(
            "kernel k over elements {
               slot v: f64\n slot tau: f64\n slot n: i32
               %0 = load tau[scalar] : f64\n %1 = const f64 2.0\n %2 = mul %0, %1 : f64\n %3 = load v[own] : f64
               %4 = mul %2, %3 : f64\n %5 = load n[scalar] : i32\n %6 = load tau[%5] : f64\n store v[own], %4
               %8 = load v[scalar] : f64\n %9 = step : i64\n %10 = index own : i32
             }",
        )
        .unwrap();
        let uniform: Vec<usize> =
            kernel.uniform().iter().enumerate().filter_map(|(i, u)| u.then_some(i)).collect();
        assert_eq!(uniform, [0, 1, 2, 5, 6, 9]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn every_valid_kernel_can_be_prepared(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let kernel = testing::kernel(&bytes);
            let once = prepare(&kernel).unwrap();
            prop_assert_eq!(&once.slots, &kernel.slots);
            prop_assert_eq!(prepare(&once).unwrap().to_string(), once.to_string());
        }
    }
}
