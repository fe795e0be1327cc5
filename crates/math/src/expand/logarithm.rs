//! log and its relatives: log1p, log2, log10.
//!
//! `log(x) = k log 2 + log(1 + f)` with `1 + f` between `sqrt(1/2)` and `sqrt(2)`, and
//! `log(1 + f) = f - f^2/2 + f^3 q(f)`, whose leading terms are exact or nearly so. A polynomial of twice the
//! degree that a quotient `f/(2 + f)` would ask for (Tang 1990, ACM TOMS 16, 378) is cheaper than the quotient
//! wherever divisions take as long as ten multiplications or more, which is wherever vectors are.

use super::ops::Ops;
use crate::{BinaryOp, Emit};

/// A positive number as `(1 + f) 2^(k unit)`.
pub(super) struct Split<V> {
    /// The exponent as a float, in units of `unit`.
    pub(super) k: V,
    /// What the significand has over 1.
    pub(super) f: V,
    /// The exponent, shifted to where it is stored.
    shifted: V,
}

/// The logarithm of `1 + f` in the parts that its sum is made of.
struct Parts<V> {
    /// `f^2`
    square: V,
    /// `f^3`
    cube: V,
    /// `q`
    q: V,
}

impl<E: Emit> Ops<'_, E> {
    /// The value of `k = 1` in a [`Split`]. The exponent of a single is converted where it stands, 23 bits up;
    /// no such conversion exists for doubles everywhere.
    #[inline(always)]
    pub(super) fn exponent_unit(&self) -> f64 {
        if self.is_double() { 1.0 } else { 1.0 / 8_388_608.0 }
    }

    /// A positive normal number as `(1 + f) 2^(k unit)`; what it gives for others means nothing.
    #[inline(always)]
    pub(super) fn split_normal(&mut self, x: E::Value) -> Split<E::Value> {
        // The bits of sqrt(1/2), and those of exponent and sign.
        let (root, mask) =
            if self.is_double() { (0x3fe6_a09e_667f_3bcd, -1 << 52) } else { (0x3f35_04f3, -1 << 23) };
        let bits = self.bits_of(x);
        let root = self.int(root);
        let moved = self.sub(bits, root);
        let mask = self.int(mask);
        let shifted = self.and(moved, mask);
        let significand = self.sub(bits, shifted);
        let significand = self.float_of_bits(significand);
        let f = self.add_c(significand, -1.0);
        let k = if self.is_double() {
            // Added to the bits of 1.5 * 2^52, whose last bits are worth one each.
            let magic = self.magic();
            let offset = self.int(magic.to_bits() as i64);
            let count = self.int(52);
            let k = self.e.binary(BinaryOp::Sar, moved, count);
            let k = self.add(k, offset);
            let k = self.float_of_bits(k);
            self.add_c(k, -magic)
        } else {
            self.e.convert(self.ty, shifted)
        };
        Split { k, f, shifted }
    }

    /// A positive finite number as `(1 + f) 2^(k unit)`; what it gives for others means nothing.
    #[inline(always)]
    pub(super) fn split(&mut self, x: E::Value) -> Split<E::Value> {
        let smallest = if self.is_double() { f64::MIN_POSITIVE } else { f64::from(f32::MIN_POSITIVE) };
        // 2^54 makes any subnormal normal.
        let subnormal = self.lt_c(x, smallest);
        let larger = self.mul_c(x, 18_014_398_509_481_984.0);
        let scaled = self.select(subnormal, larger, x);
        let Split { k, f, shifted } = self.split_normal(scaled);
        let unit = self.exponent_unit();
        let more = self.choose(subnormal, 54.0 / unit, 0.0);
        let k = self.sub(k, more);
        Split { k, f, shifted }
    }

    #[inline(always)]
    fn log_parts(&mut self, f: E::Value) -> Parts<E::Value> {
        let square = self.mul(f, f);
        let cube = self.mul(square, f);
        let q = self.horner(f, self.table.log);
        Parts { square, cube, q }
    }

    /// `k unit log 2 + log(1 + f)`
    #[inline(always)]
    fn log_sum(&mut self, k: E::Value, f: E::Value) -> E::Value {
        let Parts { square, cube, q } = self.log_parts(f);
        let unit = self.exponent_unit();
        let low = self.mul_c(k, self.table.ln2[1] * unit);
        let tail = self.fma(cube, q, low);
        let half = self.c(-0.5);
        let tail = self.fma(square, half, tail);
        let sum = self.add(f, tail);
        let high = self.c(self.table.ln2[0] * unit);
        self.fma(k, high, sum)
    }

    /// `log(x)` of a positive normal number.
    #[inline(always)]
    pub(super) fn log_of_normal(&mut self, x: E::Value) -> E::Value {
        let Split { k, f, .. } = self.split_normal(x);
        self.log_sum(k, f)
    }

    /// `log(x)` of a normal number in (0, 1], with a relative error below 2^-22 (2^-48).
    #[inline(always)]
    pub(crate) fn log_of_unit(&mut self, x: E::Value) -> E::Value {
        let Split { k, f, .. } = self.split_normal(x);
        let q = self.horner(f, self.table.log_of_unit);
        let p = self.mul(f, q);
        let unit = self.exponent_unit();
        let high = self.c(std::f64::consts::LN_2 * unit);
        self.fma(k, high, p)
    }

    /// `result`, but what logarithms give for `x` = 0 (minus infinity), below (NaN), infinite or NaN (`x`).
    #[inline(always)]
    fn log_ends(&mut self, x: E::Value, result: E::Value) -> E::Value {
        // For all but infinity and NaN this is less than any logarithm.
        let largest = if self.is_double() { f64::MAX } else { f64::from(f32::MAX) };
        let below = self.add_c(x, -largest);
        let result = self.max(result, below);
        let zero = self.c(0.0);
        let is_zero = self.eq(x, zero);
        let low = self.choose(is_zero, f64::NEG_INFINITY, f64::NAN);
        let positive = self.gt(x, zero);
        self.select(positive, result, low)
    }

    /// `log(x)`
    #[inline(always)]
    pub(crate) fn log(&mut self, x: E::Value) -> E::Value {
        let Split { k, f, .. } = self.split(x);
        let result = self.log_sum(k, f);
        self.log_ends(x, result)
    }

    /// `log(1 + x)`: the logarithm of the rounded sum, with what the sum lacks added to `f`.
    #[inline(always)]
    pub(crate) fn log1p(&mut self, x: E::Value) -> E::Value {
        let sum = self.add_c(x, 1.0);
        let one = self.c(1.0);
        let is_small = self.lt(x, one);
        // The larger of 1 and x is subtracted first.
        let (larger, smaller) = (self.select(is_small, one, x), self.select(is_small, x, one));
        let taken = self.sub(sum, larger);
        let lost = self.sub(smaller, taken);
        // Never subnormal, being 0 or at least the last place of 1.
        let Split { k, f, shifted } = self.split_normal(sum);
        let one = self.int(if self.is_double() { 0x3ff0_0000_0000_0000 } else { 0x3f80_0000 });
        let scale = self.sub(one, shifted);
        let scale = self.float_of_bits(scale);
        // Beyond 2^60 nothing can be lacking, and the scale would leave the format.
        let moderate = self.lt_c(x, 1_152_921_504_606_846_976.0);
        let none = self.c(0.0);
        let scale = self.select(moderate, scale, none);
        let f = self.fma(lost, scale, f);
        let result = self.log_sum(k, f);
        let result = self.log_ends(sum, result);
        let tiny = self.is_tiny(x);
        self.select(tiny, x, result)
    }

    /// `k unit + log(1 + f) per`, for a logarithm of another base; both constants in two parts.
    #[inline(always)]
    fn log_of_base(&mut self, x: E::Value, unit: [f64; 2], per: [f64; 2]) -> E::Value {
        let Split { k, f, .. } = self.split(x);
        let Parts { square, cube, q } = self.log_parts(f);
        let half_square = self.mul_c(square, 0.5);
        let high = self.sub(f, half_square);
        let low = self.sub(f, high);
        let low = self.sub(low, half_square);
        let low = self.fma(cube, q, low);
        let [per_high, per_low] = per.map(|c| self.c(c));
        let (product, mut tail) = self.two_product(high, per_high);
        tail = self.fma(low, per_high, tail);
        tail = self.fma(high, per_low, tail);
        let unit = unit.map(|u| u * self.exponent_unit());
        let whole = self.mul_c(k, unit[0]);
        let (sum, lost) = self.fast_two_sum(whole, product);
        let unit_low = self.c(unit[1]);
        tail = self.fma(k, unit_low, tail);
        tail = self.add(lost, tail);
        let result = self.add(sum, tail);
        self.log_ends(x, result)
    }

    /// `log2(x)`, exact for powers of two.
    #[inline(always)]
    pub(super) fn log2(&mut self, x: E::Value) -> E::Value {
        self.log_of_base(x, [1.0, 0.0], self.table.per_ln2)
    }

    /// `log10(x)`
    #[inline(always)]
    pub(crate) fn log10(&mut self, x: E::Value) -> E::Value {
        self.log_of_base(x, self.table.lg2, self.table.per_ln10)
    }
}
