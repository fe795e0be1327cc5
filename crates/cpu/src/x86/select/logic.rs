//! Truth values: comparisons, connectives, choices.

use neuropil_base::ScalarType;
use neuropil_ir::ValueId;
use neuropil_math::CompareOp;

use super::{Lanes, Select, plain, size};
use crate::x86::family::Family;
use crate::x86::program::{Isa, Plain, V, Width};

/// What the comparison of floats is called by the machine: false for NaN, but for `Ne`.
fn float_code(op: CompareOp) -> u8 {
    match op {
        CompareOp::Eq => 0,
        CompareOp::Ne => 4,
        CompareOp::Lt => 0x11,
        CompareOp::Le => 0x12,
        CompareOp::Gt => 0x1e,
        CompareOp::Ge => 0x1d,
    }
}

/// What the comparison of integers is called by the machine.
fn integer_code(op: CompareOp) -> u8 {
    match op {
        CompareOp::Eq => 0,
        CompareOp::Ne => 4,
        CompareOp::Lt => 1,
        CompareOp::Le => 2,
        CompareOp::Gt => 6,
        CompareOp::Ge => 5,
    }
}

impl Select<'_> {
    /// Compares two numbers of one type, or two truth values.
    pub(super) fn compare(&mut self, op: CompareOp, a: ValueId, b: ValueId) -> Option<Lanes> {
        let ty = self.ty(a)?;
        if ty == ScalarType::Bool {
            let (a, b) = (self.lanes(a)?, self.lanes(b)?);
            return Some(match op {
                CompareOp::Eq => {
                    let differ = self.xor(a, b);
                    self.not(differ)
                }
                CompareOp::Ne => self.xor(a, b),
                CompareOp::Lt => self.and_not(a, b),
                CompareOp::Le => {
                    let above = self.and_not(b, a);
                    self.not(above)
                }
                CompareOp::Gt => self.and_not(b, a),
                CompareOp::Ge => {
                    let below = self.and_not(a, b);
                    self.not(below)
                }
            });
        }
        let (a, b) = (self.number(a)?, self.number(b)?);
        Some(self.compare_numbers(op, ty, a, b))
    }

    /// Compares two numbers of a type.
    pub(super) fn compare_numbers(&mut self, op: CompareOp, ty: ScalarType, a: [V; 2], b: [V; 2]) -> Lanes {
        let size = size(ty);
        match self.isa() {
            Isa::Avx512 => {
                let low = self.mask(op, ty, a[0], b[0]);
                if self.parts(size) == 1 {
                    return Lanes::Mask(low);
                }
                let high = self.mask(op, ty, a[1], b[1]);
                let dst = self.fresh_mask();
                Lanes::Mask(self.plain_to(plain(Family::MaskJoin, Width::Z, dst, high, Some(low))))
            }
            Isa::Avx2 => {
                let list = self.zip(size, a, b, |s, a, b| s.compare_wide(op, ty, a, b));
                if size == 4 { Lanes::Wide(Some(list[0]), None) } else { Lanes::Wide(None, Some(list)) }
            }
        }
    }

    /// Compares into a mask register.
    pub(super) fn mask(&mut self, op: CompareOp, ty: ScalarType, a: V, b: V) -> V {
        let (family, code) = match ty {
            ScalarType::F32 => (Family::MaskF32, float_code(op)),
            ScalarType::F64 => (Family::MaskF64, float_code(op)),
            ScalarType::I64 => (Family::MaskI64, integer_code(op)),
            ScalarType::I32 | ScalarType::Bool => (Family::MaskI32, integer_code(op)),
        };
        let width = self.width(size(ty));
        let dst = self.fresh_mask();
        self.plain_to(Plain { imm: Some(code), ..plain(family, width, dst, a, Some(b)) })
    }

    /// Compares into lanes of ones or zeros.
    pub(super) fn compare_wide(&mut self, op: CompareOp, ty: ScalarType, a: V, b: V) -> V {
        let (equal, greater, size) = match ty {
            ScalarType::F32 => return self.plain(Family::CompareF32, 4, a, Some(b), Some(float_code(op))),
            ScalarType::F64 => return self.plain(Family::CompareF64, 8, a, Some(b), Some(float_code(op))),
            ScalarType::I32 | ScalarType::Bool => (Family::EqualI32, Family::GreaterI32, 4),
            ScalarType::I64 => (Family::EqualI64, Family::GreaterI64, 8),
        };
        match op {
            CompareOp::Eq => self.commuting(equal, size, a, b),
            CompareOp::Ne => {
                let is = self.commuting(equal, size, a, b);
                self.flip(size, is)
            }
            CompareOp::Gt => self.two(greater, size, a, b),
            CompareOp::Lt => self.two(greater, size, b, a),
            CompareOp::Le => {
                let is = self.two(greater, size, a, b);
                self.flip(size, is)
            }
            CompareOp::Ge => {
                let is = self.two(greater, size, b, a);
                self.flip(size, is)
            }
        }
    }

    fn flip(&mut self, size: u8, a: V) -> V {
        let ones = if size == 4 { self.i32(-1) } else { self.i64(-1) };
        self.commuting(Family::Xor32, size, a, ones)
    }

    pub(super) fn not(&mut self, a: Lanes) -> Lanes {
        match a {
            Lanes::Mask(a) => {
                let dst = self.fresh_mask();
                Lanes::Mask(self.plain_to(plain(Family::MaskNot, Width::Z, dst, a, None)))
            }
            Lanes::Wide(Some(a), _) => Lanes::Wide(Some(self.flip(4, a)), None),
            Lanes::Wide(None, Some(a)) => Lanes::Wide(None, Some(self.map(8, a, |s, a| s.flip(8, a)))),
            Lanes::Wide(None, None) | Lanes::Number(_) => a,
        }
    }

    pub(super) fn and(&mut self, a: Lanes, b: Lanes) -> Lanes {
        self.connect(Family::MaskAnd, Family::And32, a, b)
    }

    pub(super) fn or(&mut self, a: Lanes, b: Lanes) -> Lanes {
        self.connect(Family::MaskOr, Family::Or32, a, b)
    }

    pub(super) fn xor(&mut self, a: Lanes, b: Lanes) -> Lanes {
        self.connect(Family::MaskXor, Family::Xor32, a, b)
    }

    /// Not the first, but the second.
    pub(super) fn and_not(&mut self, a: Lanes, b: Lanes) -> Lanes {
        self.connect(Family::MaskAndNot, Family::AndNot32, a, b)
    }

    fn connect(&mut self, mask: Family, wide: Family, a: Lanes, b: Lanes) -> Lanes {
        match (a, b) {
            (Lanes::Mask(a), Lanes::Mask(b)) => {
                let dst = self.fresh_mask();
                Lanes::Mask(self.plain_to(plain(mask, Width::Z, dst, a, Some(b))))
            }
            // In the width that both have, or else the narrower.
            (Lanes::Wide(None, Some(a)), Lanes::Wide(_, Some(b)))
            | (Lanes::Wide(_, Some(a)), Lanes::Wide(None, Some(b))) => {
                Lanes::Wide(None, Some(self.zip(8, a, b, |s, a, b| s.two(wide, 8, a, b))))
            }
            _ => {
                let (a, b) = (self.wide32(a), self.wide32(b));
                Lanes::Wide(Some(self.two(wide, 4, a, b)), None)
            }
        }
    }

    /// A truth value as lanes of 32 bits (AVX2).
    pub(super) fn wide32(&mut self, a: Lanes) -> V {
        match a {
            Lanes::Wide(Some(v), _) | Lanes::Mask(v) | Lanes::Number([v, _]) => v,
            Lanes::Wide(None, Some(list)) => self.low_words(list),
            Lanes::Wide(None, None) => 0,
        }
    }

    /// The lower 32 bits of lanes of 64 (AVX2).
    pub(super) fn low_words(&mut self, list: [V; 2]) -> V {
        // Each half of the register is packed on its own.
        if self.parts(8) == 2 {
            let dst = self.fresh(Width::Y);
            let mixed = self.plain_to(Plain {
                imm: Some(0x88),
                ..plain(Family::Shuffle, Width::Y, dst, list[0], Some(list[1]))
            });
            let dst = self.fresh(Width::Y);
            return self
                .plain_to(Plain { imm: Some(0xd8), ..plain(Family::Permute, Width::Y, dst, mixed, None) });
        }
        let upper = self.half(list[0], 1);
        let dst = self.fresh(Width::X);
        self.plain_to(Plain {
            imm: Some(0x88),
            ..plain(Family::Shuffle, Width::X, dst, list[0], Some(upper))
        })
    }

    /// A truth value as lanes of 64 bits (AVX2).
    pub(super) fn wide64(&mut self, a: Lanes) -> [V; 2] {
        match a {
            Lanes::Wide(_, Some(list)) => list,
            Lanes::Wide(Some(v), None) | Lanes::Mask(v) | Lanes::Number([v, _]) => self.sign_extended(v),
            Lanes::Wide(None, None) => [0; 2],
        }
    }

    /// Integers of 32 bits as ones of 64.
    pub(super) fn sign_extended(&mut self, v: V) -> [V; 2] {
        let low = self.one(Family::WidenI32, 8, v);
        if self.parts(8) == 1 {
            return [low; 2];
        }
        let upper = self.half(v, 1);
        [low, self.one(Family::WidenI32, 8, upper)]
    }

    /// The mask of each register of a number with elements of that size.
    pub(super) fn masks(&mut self, size: u8, a: Lanes) -> [V; 2] {
        match a {
            Lanes::Mask(v) if self.parts(size) == 2 => {
                let dst = self.fresh_mask();
                let shift = Plain { imm: Some(8), ..plain(Family::MaskShift, Width::Z, dst, v, None) };
                [v, self.plain_to(shift)]
            }
            Lanes::Mask(v) => [v; 2],
            Lanes::Wide(..) if size == 4 => [self.wide32(a); 2],
            Lanes::Wide(..) | Lanes::Number(_) => self.wide64(a),
        }
    }

    /// `a` where the condition holds, else `b`: lanes of ones or zeros choose (AVX2).
    pub(super) fn blend_wide(&mut self, size: u8, condition: V, a: V, b: V) -> V {
        self.blend(size, condition, a, b)
    }

    /// `a` where the condition holds, else `b`.
    pub(super) fn blend(&mut self, size: u8, condition: V, a: V, b: V) -> V {
        let family = if size == 4 { Family::Blend32 } else { Family::Blend64 };
        let width = self.width(size);
        let dst = self.fresh(width);
        self.plain_to(Plain { mask: Some(condition), ..plain(family, width, dst, b, Some(a)) })
    }

    /// `condition ? a : b`
    pub(super) fn choose(&mut self, i: usize, condition: ValueId, a: ValueId, b: ValueId) -> Option<()> {
        let ty = self.ty(a)?;
        let chooser = self.lanes(condition)?;
        if ty == ScalarType::Bool {
            let (a, b) = (self.lanes(a)?, self.lanes(b)?);
            let yes = self.and(chooser, a);
            let no = self.and_not(chooser, b);
            let lanes = self.or(yes, no);
            self.set(i, lanes);
            return Some(());
        }
        let size = size(ty);
        let (a, b) = (self.number(a)?, self.number(b)?);
        let masks = self.masks(size, chooser);
        // A condition that gets another width keeps it for the next choice.
        if let Lanes::Wide(narrow, wide) = chooser {
            let (narrow, wide) =
                if size == 4 { (narrow.or(Some(masks[0])), wide) } else { (narrow, wide.or(Some(masks))) };
            self.set(condition.index(), Lanes::Wide(narrow, wide));
        }
        let mut result = [0; 2];
        for part in 0..self.parts(size) {
            result[part] = self.blend(size, masks[part], a[part], b[part]);
        }
        if self.parts(size) == 1 {
            result[1] = result[0];
        }
        self.set(i, Lanes::Number(result));
        Some(())
    }
}
