//! Conversions between types: they saturate, and NaN gives 0.

use neuropil_base::ScalarType;
use neuropil_ir::ValueId;
use neuropil_math::CompareOp;

use super::{Lanes, Select, plain, size};
use crate::x86::family::Family;
use crate::x86::program::{Isa, Plain, Serial, V, Width};

/// What makes doubles of the lower 48 bits of an integer and of its upper 16, with their sign: the last bit of 2^52
/// counts 1, that of 3 * 2^67 counts 2^16.
const LOW: f64 = 4_503_599_627_370_496.0;
const HIGH: f64 = 442_721_857_769_029_238_784.0;
/// Both of them.
const BOTH: f64 = 442_726_361_368_656_609_280.0;

impl Select<'_> {
    /// The value converted to `to`.
    pub(super) fn convert(&mut self, to: ScalarType, a: ValueId) -> Option<Lanes> {
        use ScalarType::{Bool, F32, F64, I32, I64};
        let from = self.ty(a)?;
        let lanes = self.lanes(a)?;
        if from == to {
            return Some(lanes);
        }
        if from == Bool {
            return Some(self.number_of_bool(to, lanes));
        }
        let a = self.number(a)?;
        Some(Lanes::Number(match (from, to) {
            (_, Bool) => {
                let zero = self.constant(0, size(from));
                return Some(self.compare_numbers(CompareOp::Ne, from, a, [zero; 2]));
            }
            (I32, I64) => self.sign_extended(a[0]),
            (I32, F32) => [self.one(Family::I32ToF32, 4, a[0]); 2],
            (I32, F64) => self.widen(Family::I32ToF64, a[0]),
            (F32, F64) => self.widen(Family::WidenF32, a[0]),
            (F64, F32) => self.narrowed(a, |s, a| s.narrow(Family::NarrowF64, a)),
            (I64, I32) => [self.low_half(a); 2],
            (I64, F64) if self.isa() == Isa::Avx512 => self.map(8, a, |s, a| s.one(Family::I64ToF64, 8, a)),
            (I64, F64) => self.map(8, a, Self::double_of),
            (I64, F32) if self.isa() == Isa::Avx512 => self.narrowed(a, |s, a| s.narrow(Family::I64ToF32, a)),
            (I64, F32) => self.narrowed(a, |s, a| s.serial(Serial::Single, a, None)),
            (F64, I32) => self.narrowed(a, Self::i32_of_f64),
            (F64, I64) => self.map(8, a, Self::i64_of_f64),
            (F32, I32) => [self.i32_of_f32(a[0]); 2],
            (F32, I64) => {
                let a = self.widen(Family::WidenF32, a[0]);
                self.map(8, a, Self::i64_of_f64)
            }
            (Bool, _) | (I32, I32) | (I64, I64) | (F32, F32) | (F64, F64) => a,
        }))
    }

    /// Ones of a type, or zeros.
    fn number_of_bool(&mut self, to: ScalarType, a: Lanes) -> Lanes {
        let one = match to {
            ScalarType::F32 => self.f32(1.0),
            ScalarType::F64 => self.f64(1.0),
            ScalarType::I64 => self.i64(1),
            ScalarType::I32 | ScalarType::Bool => self.i32(1),
        };
        let size = size(to);
        let masks = self.masks(size, a);
        Lanes::Number(self.map(size, masks, |s, mask| match s.isa() {
            Isa::Avx2 => s.commuting(Family::And32, size, mask, one),
            Isa::Avx512 => {
                let zero = s.constant(0, size);
                s.blend(size, mask, one, zero)
            }
        }))
    }

    /// A conversion to twice the width.
    fn widen(&mut self, family: Family, a: V) -> [V; 2] {
        let low = self.one(family, 8, a);
        if self.parts(8) == 1 {
            return [low; 2];
        }
        let upper = self.half(a, 1);
        [low, self.one(family, 8, upper)]
    }

    /// A conversion to half the width, register by register.
    pub(super) fn narrowed(&mut self, a: [V; 2], mut f: impl FnMut(&mut Self, V) -> V) -> [V; 2] {
        let low = f(self, a[0]);
        if self.parts(8) == 1 {
            return [low; 2];
        }
        let high = f(self, a[1]);
        [self.join(low, high); 2]
    }

    /// The lower 32 bits.
    pub(super) fn low_half(&mut self, a: [V; 2]) -> V {
        match self.isa() {
            Isa::Avx512 => self.narrowed(a, |s, a| s.narrow(Family::NarrowI64, a))[0],
            Isa::Avx2 => self.low_words(a),
        }
    }

    /// A double of an integer, rounded once (AVX2): its upper 16 bits and its lower 48 are exact, and then added.
    fn double_of(&mut self, a: V) -> V {
        let (high, low, both) = (self.f64(HIGH), self.f64(LOW), self.f64(BOTH));
        let zero = self.i64(0);
        let upper = self.plain(Family::SarI32By, 8, a, None, Some(16));
        let upper = self.plain(Family::BlendWords, 8, upper, Some(zero), Some(0x33));
        let upper = self.commuting(Family::AddI64, 8, upper, high);
        let lower = self.plain(Family::BlendWords, 8, a, Some(low), Some(0x88));
        let upper = self.two(Family::SubF64, 8, upper, both);
        self.commuting(Family::AddF64, 8, upper, lower)
    }

    /// `x`, but 0 where it is NaN.
    fn number_or_zero(&mut self, size: u8, x: V) -> V {
        let family = if size == 4 { Family::CompareF32 } else { Family::CompareF64 };
        // 7: neither is NaN.
        let ordered = self.plain(family, size, x, Some(x), Some(7));
        self.commuting(Family::And32, size, ordered, x)
    }

    /// Which lanes are numbers.
    fn is_number(&mut self, ty: ScalarType, x: V) -> V {
        let family = if ty == ScalarType::F32 { Family::MaskF32 } else { Family::MaskF64 };
        let width = self.width(size(ty));
        let dst = self.fresh_mask();
        self.plain_to(Plain { imm: Some(7), ..plain(family, width, dst, x, Some(x)) })
    }

    /// An instruction that gives 0 outside of a mask.
    fn masked(&mut self, family: Family, width: Width, mask: V, a: V, b: Option<V>) -> V {
        let dst = self.fresh(width);
        self.plain_to(Plain { mask: Some(mask), zeroing: true, ..plain(family, width, dst, a, b) })
    }

    /// The machine gives `i32::MIN` for everything outside of its range: right for what lies below.
    fn i32_of_f64(&mut self, x: V) -> V {
        let most = self.f64(f64::from(i32::MAX));
        let x = match self.isa() {
            Isa::Avx2 => {
                let x = self.number_or_zero(8, x);
                self.two(Family::MinF64, 8, x, most)
            }
            Isa::Avx512 => {
                let mask = self.is_number(ScalarType::F64, x);
                self.masked(Family::MinF64, self.width(8), mask, x, Some(most))
            }
        };
        self.narrow(Family::F64ToI32, x)
    }

    fn i32_of_f32(&mut self, x: V) -> V {
        let (limit, most) = (self.f32(2_147_483_648.0), self.i32(i32::MAX));
        match self.isa() {
            Isa::Avx2 => {
                let above = self.compare_wide(CompareOp::Ge, ScalarType::F32, x, limit);
                let x = self.number_or_zero(4, x);
                let i = self.one(Family::F32ToI32, 4, x);
                self.commuting(Family::Xor32, 4, i, above)
            }
            Isa::Avx512 => {
                let above = self.mask(CompareOp::Ge, ScalarType::F32, x, limit);
                let mask = self.is_number(ScalarType::F32, x);
                let i = self.masked(Family::F32ToI32, self.width(4), mask, x, None);
                self.blend(4, above, most, i)
            }
        }
    }

    fn i64_of_f64(&mut self, x: V) -> V {
        let (limit, most) = (self.f64(9_223_372_036_854_775_808.0), self.i64(i64::MAX));
        match self.isa() {
            Isa::Avx2 => {
                let above = self.compare_wide(CompareOp::Ge, ScalarType::F64, x, limit);
                let x = self.number_or_zero(8, x);
                let i = self.serial(Serial::Truncate, x, None);
                self.commuting(Family::Xor64, 8, i, above)
            }
            Isa::Avx512 => {
                let above = self.mask(CompareOp::Ge, ScalarType::F64, x, limit);
                let mask = self.is_number(ScalarType::F64, x);
                let i = self.masked(Family::F64ToI64, self.width(8), mask, x, None);
                self.blend(8, above, most, i)
            }
        }
    }
}
