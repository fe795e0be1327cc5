//! What machine code is made of; that it gives what the interpreter gives is tested with the block engine.

use iced_x86::{Code, Encoder, Instruction, Register};

use super::family::{Family, Size, code};
use super::program::{Isa, Width};
use super::*;
use neuropil_ir::{prepare, testing};
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

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
