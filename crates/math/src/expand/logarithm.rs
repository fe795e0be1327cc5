//! log and its relatives: log1p, log2, log10.
//!
//! `log(x) = k log 2 + log(1 + f)` with `1 + f` between `sqrt(1/2)` and `sqrt(2)`, and
//! `log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2))`, `s = f/(2 + f)`: the rearrangement in which the leading
//! terms are exact or nearly so (Tang 1990, ACM TOMS 16, 378; as in FDLIBM's `e_log.c`).

use super::ops::Ops;
use crate::Emit;

/// A positive number as `(1 + f) 2^k`.
pub(super) struct Split<V> {
    /// The exponent, a whole number as a float.
    pub(super) k: V,
    /// What the significand has over 1.
    pub(super) f: V,
    /// The stored exponent, an integer.
    stored: V,
}

/// The logarithm of `1 + f` in the parts that its sum is made of.
struct Parts<V> {
    /// `f^2/2`
    half_square: V,
    /// `s`
    s: V,
    /// `f^2/2 + R`
    rest: V,
}

impl<E: Emit> Ops<'_, E> {
    /// A positive finite number as `(1 + f) 2^k`; what it gives for others means nothing.
    #[inline]
    pub(super) fn split(&mut self, x: E::Value) -> Split<E::Value> {
        let smallest = if self.is_double() { f64::MIN_POSITIVE } else { f64::from(f32::MIN_POSITIVE) };
        // 2^54 makes any subnormal normal.
        let subnormal = self.lt_c(x, smallest);
        let larger = self.mul_c(x, 18_014_398_509_481_984.0);
        let scaled = self.select(subnormal, larger, x);
        // The bits of 1, of sqrt(1/2) and of a fraction.
        let (one, root, mask) = if self.is_double() {
            (0x3ff0_0000_0000_0000, 0x3fe6_a09e_667f_3bcd, 0x000f_ffff_ffff_ffff)
        } else {
            (0x3f80_0000, 0x3f35_04f3, 0x007f_ffff)
        };
        let bits = self.bits_of(scaled);
        let offset = self.int(one - root);
        let moved = self.add(bits, offset);
        let count = self.fraction_bits();
        let stored = self.shr(moved, count);
        let mask = self.int(mask);
        let fraction = self.and(moved, mask);
        let root = self.int(root);
        let significand = self.add(fraction, root);
        let significand = self.float_of_bits(significand);
        let f = self.add_c(significand, -1.0);
        // The exponent as a float: put into the last bits of 2^52 (2^23), which are worth one each.
        let unit: f64 = if self.is_double() { 4_503_599_627_370_496.0 } else { 8_388_608.0 };
        let unit_bits =
            if self.is_double() { unit.to_bits() as i64 } else { i64::from((unit as f32).to_bits()) };
        let unit_bits = self.int(unit_bits);
        let k = self.or(stored, unit_bits);
        let k = self.float_of_bits(k);
        let bias = self.bias();
        let shift = self.choose(subnormal, unit + bias + 54.0, unit + bias);
        let k = self.sub(k, shift);
        Split { k, f, stored }
    }

    #[inline]
    fn log_parts(&mut self, f: E::Value) -> Parts<E::Value> {
        let below = self.add_c(f, 2.0);
        let s = self.div(f, below);
        let z = self.mul(s, s);
        let q = self.horner(z, self.table.log);
        let half = self.mul_c(f, 0.5);
        let half_square = self.mul(half, f);
        let rest = self.fma(z, q, half_square);
        Parts { half_square, s, rest }
    }

    /// `k log 2 + log(1 + f)`
    #[inline]
    fn log_sum(&mut self, k: E::Value, f: E::Value) -> E::Value {
        let Parts { half_square, s, rest } = self.log_parts(f);
        let low = self.mul_c(k, self.table.ln2[1]);
        let tail = self.fma(s, rest, low);
        let tail = self.sub(half_square, tail);
        let tail = self.sub(tail, f);
        let high = self.c(self.table.ln2[0]);
        let minus = self.neg(tail);
        self.fma(k, high, minus)
    }

    /// `result`, but what logarithms give for `x` = 0 (minus infinity), below (NaN), infinite or NaN (`x`).
    #[inline]
    fn log_ends(&mut self, x: E::Value, result: E::Value) -> E::Value {
        let infinity = self.c(f64::INFINITY);
        let finite = self.lt(x, infinity);
        let result = self.select(finite, result, x);
        let zero = self.c(0.0);
        let is_zero = self.eq(x, zero);
        let low = self.choose(is_zero, f64::NEG_INFINITY, f64::NAN);
        let positive = self.gt(x, zero);
        self.select(positive, result, low)
    }

    /// `log(x)`
    pub(crate) fn log(&mut self, x: E::Value) -> E::Value {
        let Split { k, f, .. } = self.split(x);
        let result = self.log_sum(k, f);
        self.log_ends(x, result)
    }

    /// `log(1 + x)`: the logarithm of the rounded sum, with what the sum lacks added to `f`.
    pub(crate) fn log1p(&mut self, x: E::Value) -> E::Value {
        let sum = self.add_c(x, 1.0);
        let one = self.c(1.0);
        let is_small = self.lt(x, one);
        // The larger of 1 and x is subtracted first.
        let (larger, smaller) = (self.select(is_small, one, x), self.select(is_small, x, one));
        let taken = self.sub(sum, larger);
        let lost = self.sub(smaller, taken);
        let Split { k, f, stored } = self.split(sum);
        let twice_bias = self.int(2 * self.bias() as i64);
        let opposite = self.sub(twice_bias, stored);
        let count = self.fraction_bits();
        let scale = self.shl(opposite, count);
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
    #[inline]
    fn log_of_base(&mut self, x: E::Value, unit: [f64; 2], per: [f64; 2]) -> E::Value {
        let Split { k, f, .. } = self.split(x);
        let Parts { half_square, s, rest } = self.log_parts(f);
        let high = self.sub(f, half_square);
        let low = self.sub(f, high);
        let low = self.sub(low, half_square);
        let low = self.fma(s, rest, low);
        let [per_high, per_low] = per.map(|c| self.c(c));
        let (product, mut tail) = self.two_product(high, per_high);
        tail = self.fma(low, per_high, tail);
        tail = self.fma(high, per_low, tail);
        let whole = self.mul_c(k, unit[0]);
        let (sum, lost) = self.fast_two_sum(whole, product);
        let unit_low = self.c(unit[1]);
        tail = self.fma(k, unit_low, tail);
        tail = self.add(lost, tail);
        let result = self.add(sum, tail);
        self.log_ends(x, result)
    }

    /// `log2(x)`, exact for powers of two.
    pub(super) fn log2(&mut self, x: E::Value) -> E::Value {
        self.log_of_base(x, [1.0, 0.0], self.table.per_ln2)
    }

    /// `log10(x)`
    pub(super) fn log10(&mut self, x: E::Value) -> E::Value {
        self.log_of_base(x, self.table.lg2, self.table.per_ln10)
    }
}
