//! What machine code is made of; that it gives what the interpreter gives is tested with the block engine.

use iced_x86::{Code, Encoder, Instruction, Register};

use super::family::{Family, Size, code};
use super::program::Inst;
use super::program::{Isa, Width};
use super::*;
use crate::block::Workspace;
use crate::slot::Slot;
use neuropil_base::Scalar;
use neuropil_ir::{Context, parse, prepare, testing};
use neuropil_math::{Function, scalar};
use proptest::prelude::*;

/// The register of an operand that wide.
fn register(size: Size, width: Width) -> Register {
    let of = |width| match width {
        Width::X => Register::XMM1,
        Width::Y => Register::YMM1,
        Width::Z => Register::ZMM1,
    };
    match size {
        Size::Full => of(width),
        Size::Half => of(width.half()),
        Size::Quarter => of(width.half().half()),
        Size::Mask => Register::K1,
    }
}

/// The assembler refuses operands of the wrong kind, so whatever it takes is the form that was meant.
#[test]
fn every_family_has_its_forms_one_after_the_other() {
    for family in Family::ALL {
        let forms = family.forms();
        for isa in [Isa::Avx2, Isa::Avx512] {
            let widths: &[Width] = match (isa, forms.dst, forms.a) {
                (_, Size::Mask, Size::Mask) => &[Width::Z],
                (Isa::Avx2, _, _) => &[Width::X, Width::Y],
                (Isa::Avx512, _, _) => &[Width::X, Width::Y, Width::Z],
            };
            for width in widths {
                let Some(code) = code(&forms, isa, *width) else { continue };
                let (dst, a, b) =
                    (register(forms.dst, *width), register(forms.a, *width), register(forms.last, *width));
                // The name of a form lists its operands.
                let name = format!("{code:?}");
                let skipped = ["k1z", "k1", "er", "sae"];
                let operands = name.split('_').skip(2).filter(|o| !skipped.contains(o));
                let instruction = match operands.collect::<Vec<_>>()[..] {
                    [_, _] => Instruction::with2(code, dst, b),
                    [_, _, "imm8"] => Instruction::with3(code, dst, b, 1_u32),
                    [_, _, _] => Instruction::with3(code, dst, a, b),
                    [_, _, _, "imm8"] => Instruction::with4(code, dst, a, b, 1_u32),
                    _ => Instruction::with4(code, dst, a, b, a),
                };
                let encoded = instruction.and_then(|i| Encoder::new(64).encode(&i, 0));
                assert!(encoded.is_ok(), "{family:?} at {width:?} for {isa:?} is {code:?}");
            }
        }
    }
    assert_eq!(Code::VEX_Vaddps_xmm_xmm_xmmm128 as usize + 1, Code::VEX_Vaddps_ymm_ymm_ymmm256 as usize);
}

/// exp of a buffer.
fn exponential(ty: &str) -> Verified {
    let text = format!(
        "kernel k over elements {{\nslot x: {ty}\n%0 = load x[own] : {ty}\n%1 = call exp %0 : {ty}\nstore x[own], %1\n}}"
    );
    prepare(&parse(&text).unwrap()).unwrap()
}

/// The load stays outside; a clamp is an operation for the mask of the rest; seven become one.
#[test]
fn exponentials_end_with_a_single_instruction() {
    for (ty, operations) in [("f32", 12), ("f64", 17)] {
        let plan = Plan::new(exponential(ty)).unwrap();
        let job = Job {
            kernel: &plan.kernel,
            uniform: &plan.uniform,
            wanted: &plan.for_effects,
            filled: &plan.filled,
            parameters: &[],
            shapes: [Shape::From; 3],
            isa: Isa::Avx512,
        };
        let program = select::select(&job).unwrap();
        let computing = program.insts.iter().filter(|i| matches!(i, Inst::Plain(_) | Inst::Fma { .. }));
        assert_eq!(computing.count(), operations, "{ty}");
    }
}

/// The same exponentials as the evaluator's, which has no such instruction.
macro_rules! exponentials {
    ($list:expr, $T:ident, $variant:ident, $name:literal) => {
        for isa in Isa::available() {
            let machine = Kernel::compile_for(&exponential($name), isa).unwrap();
            let mut found: Vec<$T> = $list.clone();
            let (elements, slots) = (Elements::range(0, found.len()), [Slot::from(&mut found[..])]);
            let context = Context { seed: 1, step: 0 };
            assert!(machine.run(&mut Workspace::new(), &context, &elements, &slots, &mut Vec::new()));
            for (x, found) in $list.iter().zip(&found) {
                let wanted = scalar::eval(Function::Exp, &[Scalar::$variant(*x)]);
                let found = Scalar::$variant(*found);
                assert!(
                    testing::same(wanted, found),
                    "exp({x:e}) is {found:?} for {isa:?}, wanted {wanted:?}"
                );
            }
        }
    };
}

#[test]
fn exponentials_keep_their_bits_wherever_they_are_scaled_to() {
    // All exponents, both signs, fractions of three kinds; and densely where results are subnormal or infinite.
    let fractions = [0, 1, 0x2a_aaaa, 0x55_5555, 0x7f_ffff_u32];
    let mut singles: Vec<f32> =
        (0..512_u32).flat_map(|top| fractions.map(|fraction| f32::from_bits(top << 23 | fraction))).collect();
    let mut doubles: Vec<f64> = (0..4096_u64)
        .flat_map(|top| fractions.map(|fraction| f64::from_bits(top << 52 | u64::from(fraction) << 29)))
        .collect();
    singles.extend((0..40_000).map(|k| -104.5 + k as f32 * 0.005));
    doubles.extend((0..40_000).map(|k| -746.5 + f64::from(k) * 0.0375));
    doubles.extend((0..40_000).map(|k| -746.0 + f64::from(k) * 0.001));
    exponentials!(singles, f32, F32, "f32");
    exponentials!(doubles, f64, F64, "f64");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn exponentials_of_any_number_keep_their_bits(
        singles in proptest::collection::vec(any::<f32>(), 1..60),
        doubles in proptest::collection::vec(any::<f64>(), 1..60),
    ) {
        exponentials!(singles, f32, F32, "f32");
        exponentials!(doubles, f64, F64, "f64");
    }

    /// So that the tests against the interpreter test something.
    #[test]
    fn most_bodies_are_made(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        let kernel = prepare(&testing::kernel(&bytes)).unwrap();
        let samples = |kernel: &Verified| {
            kernel.insts.iter().filter(|i| matches!(i.op, neuropil_ir::Op::Sample { .. })).count()
        };
        if kernel.order_dependence().is_none() && samples(&kernel) < 2 {
            for isa in Isa::available() {
                let machine = Kernel::compile_for(&kernel, isa);
                prop_assert!(machine.is_some() || samples(&kernel) == 1, "{isa:?}\n{kernel}");
                let elements = Elements::range(0, 0);
                let made = machine.is_none_or(|m| m.codes(m.shapes(&elements)).is_some());
                prop_assert!(made, "{isa:?}\n{kernel}");
            }
        }
    }
}
