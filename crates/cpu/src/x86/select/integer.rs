//! Operations of integers.

use neuropil_base::Scalar;
use neuropil_ir::{Op, ValueId};
use neuropil_math::BinaryOp;

use super::{Select, plain};
use crate::x86::family::Family;
use crate::x86::program::{Inst, Isa, Plain, Serial, V};

impl Select<'_> {
    /// By how much a shift shifts, if that is a constant: modulo the width.
    pub(super) fn constant_shift(&self, op: BinaryOp, b: ValueId) -> Option<u8> {
        let bits = match self.job.kernel.insts[b.index()].op {
            Op::Constant(Scalar::I32(x)) => (x & 31) as u8,
            Op::Constant(Scalar::I64(x)) => (x & 63) as u8,
            _ => return None,
        };
        matches!(op, BinaryOp::Shl | BinaryOp::Shr | BinaryOp::Sar).then_some(bits)
    }

    /// A shift by a constant.
    pub(super) fn shift_by(&mut self, op: BinaryOp, size: u8, a: V, by: u8) -> V {
        let family = match (op, size) {
            (BinaryOp::Shl, 4) => Family::ShlI32By,
            (BinaryOp::Shl, _) => Family::ShlI64By,
            (BinaryOp::Shr, 4) => Family::ShrI32By,
            (BinaryOp::Shr, _) => Family::ShrI64By,
            (_, 4) => Family::SarI32By,
            (_, _) if self.isa() == Isa::Avx2 => {
                let count = self.i64(i64::from(by));
                return self.sar_i64(a, count);
            }
            (_, _) => Family::SarI64By,
        };
        self.plain(family, size, a, None, Some(by))
    }

    pub(super) fn binary_i32(&mut self, op: BinaryOp, a: V, b: V) -> Option<V> {
        Some(match op {
            BinaryOp::Add => self.commuting(Family::AddI32, 4, a, b),
            BinaryOp::Sub => self.two(Family::SubI32, 4, a, b),
            BinaryOp::Mul => self.commuting(Family::MulI32, 4, a, b),
            BinaryOp::Div => self.quotient_i32(a, b),
            BinaryOp::Rem => {
                let quotient = self.quotient_i32(a, b);
                let product = self.commuting(Family::MulI32, 4, quotient, b);
                let rest = self.two(Family::SubI32, 4, a, product);
                self.zero_where_zero(b, rest)
            }
            BinaryOp::Min => self.commuting(Family::MinI32, 4, a, b),
            BinaryOp::Max => self.commuting(Family::MaxI32, 4, a, b),
            BinaryOp::And => self.commuting(Family::And32, 4, a, b),
            BinaryOp::Or => self.commuting(Family::Or32, 4, a, b),
            BinaryOp::Xor => self.commuting(Family::Xor32, 4, a, b),
            BinaryOp::Shl | BinaryOp::Shr | BinaryOp::Sar => {
                let width = self.i32(31);
                let b = self.commuting(Family::And32, 4, b, width);
                let family = match op {
                    BinaryOp::Shl => Family::ShlI32,
                    BinaryOp::Shr => Family::ShrI32,
                    _ => Family::SarI32,
                };
                self.two(family, 4, a, b)
            }
        })
    }

    /// The quotient rounded down; 0 where the divisor is 0.
    ///
    /// By way of doubles: a quotient that is not whole lies at least one part in 2^31 from a whole number, so its
    /// rounding to 53 bits never reaches one.
    fn quotient_i32(&mut self, a: V, b: V) -> V {
        let mut parts = [0; 2];
        let n = self.parts(8);
        for (part, result) in parts.iter_mut().enumerate().take(n) {
            let (a, b) = if n == 2 { (self.half(a, part), self.half(b, part)) } else { (a, b) };
            let (x, y) = (self.one(Family::I32ToF64, 8, a), self.one(Family::I32ToF64, 8, b));
            let quotient = self.two(Family::DivF64, 8, x, y);
            let floor = self.round(8, quotient, 1);
            *result = self.narrow(Family::F64ToI32, floor);
        }
        let quotient = if n == 2 { self.join(parts[0], parts[1]) } else { parts[0] };
        self.zero_where_zero(b, quotient)
    }

    /// `x`, but 0 where `b` is 0.
    fn zero_where_zero(&mut self, b: V, x: V) -> V {
        let zero = self.i32(0);
        match self.isa() {
            Isa::Avx2 => {
                let is = self.two(Family::EqualI32, 4, b, zero);
                self.two(Family::AndNot32, 4, is, x)
            }
            Isa::Avx512 => {
                let width = self.width(4);
                let mask = self.fresh_mask();
                self.plain_to(Plain { imm: Some(4), ..plain(Family::MaskI32, width, mask, b, Some(zero)) });
                let dst = self.fresh(width);
                self.plain_to(Plain {
                    mask: Some(mask),
                    zeroing: true,
                    ..plain(Family::Copy32, width, dst, x, None)
                })
            }
        }
    }

    /// A conversion to half the width.
    pub(super) fn narrow(&mut self, family: Family, a: V) -> V {
        let width = self.width(8);
        let dst = self.fresh(width.half());
        self.plain_to(plain(family, width, dst, a, None))
    }

    pub(super) fn abs_i64(&mut self, a: V) -> V {
        match self.isa() {
            Isa::Avx512 => self.one(Family::AbsI64, 8, a),
            Isa::Avx2 => {
                let zero = self.i64(0);
                let sign = self.two(Family::GreaterI64, 8, zero, a);
                let flipped = self.commuting(Family::Xor64, 8, a, sign);
                self.two(Family::SubI64, 8, flipped, sign)
            }
        }
    }

    pub(super) fn binary_i64(&mut self, op: BinaryOp, a: V, b: V) -> V {
        let avx2 = self.isa() == Isa::Avx2;
        match op {
            BinaryOp::Add => self.commuting(Family::AddI64, 8, a, b),
            BinaryOp::Sub => self.two(Family::SubI64, 8, a, b),
            BinaryOp::Mul if avx2 => self.product_i64(a, b),
            BinaryOp::Mul => self.commuting(Family::MulI64, 8, a, b),
            BinaryOp::Div => self.serial(Serial::Div, a, Some(b)),
            BinaryOp::Rem => self.serial(Serial::Rem, a, Some(b)),
            BinaryOp::Min if avx2 => {
                let greater = self.two(Family::GreaterI64, 8, a, b);
                self.blend_wide(8, greater, b, a)
            }
            BinaryOp::Max if avx2 => {
                let greater = self.two(Family::GreaterI64, 8, a, b);
                self.blend_wide(8, greater, a, b)
            }
            BinaryOp::Min => self.commuting(Family::MinI64, 8, a, b),
            BinaryOp::Max => self.commuting(Family::MaxI64, 8, a, b),
            BinaryOp::And => self.commuting(Family::And64, 8, a, b),
            BinaryOp::Or => self.commuting(Family::Or64, 8, a, b),
            BinaryOp::Xor => self.commuting(Family::Xor64, 8, a, b),
            BinaryOp::Shl | BinaryOp::Shr | BinaryOp::Sar => {
                let width = self.i64(63);
                let b = self.commuting(Family::And64, 8, b, width);
                match op {
                    BinaryOp::Shl => self.two(Family::ShlI64, 8, a, b),
                    BinaryOp::Shr => self.two(Family::ShrI64, 8, a, b),
                    _ => self.sar_i64(a, b),
                }
            }
        }
    }

    /// A shift to the right that keeps the sign; the count is below 64.
    fn sar_i64(&mut self, a: V, count: V) -> V {
        if self.isa() == Isa::Avx512 {
            return self.two(Family::SarI64, 8, a, count);
        }
        // The sign bit where it ends up: flipping it and taking it away again fills what lies above.
        let sign = self.i64(i64::MIN);
        let sign = self.two(Family::ShrI64, 8, sign, count);
        let x = self.two(Family::ShrI64, 8, a, count);
        let x = self.commuting(Family::Xor64, 8, x, sign);
        self.two(Family::SubI64, 8, x, sign)
    }

    /// The lower 64 bits of a product, from products of halves.
    fn product_i64(&mut self, a: V, b: V) -> V {
        let low = self.commuting(Family::MulU32, 8, a, b);
        let a_high = self.shift_by(BinaryOp::Shr, 8, a, 32);
        let b_high = self.shift_by(BinaryOp::Shr, 8, b, 32);
        let x = self.commuting(Family::MulU32, 8, a_high, b);
        let y = self.commuting(Family::MulU32, 8, a, b_high);
        let middle = self.commuting(Family::AddI64, 8, x, y);
        let middle = self.shift_by(BinaryOp::Shl, 8, middle, 32);
        self.commuting(Family::AddI64, 8, low, middle)
    }

    /// Lane by lane.
    pub(super) fn serial(&mut self, op: Serial, a: V, b: Option<V>) -> V {
        let width = match op {
            Serial::Div | Serial::Rem | Serial::Truncate => self.width(8),
            Serial::Single => self.width(8).half(),
        };
        let dst = self.fresh(width);
        self.push(Inst::Serial { op, dst, a, b });
        dst
    }
}
