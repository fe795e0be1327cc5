//! sin, cos and tan.
//!
//! The argument is brought to at most an eighth of a turn by subtracting quarter turns in three parts, with
//! products kept exact by fma (Cody & Waite 1980, chapter 8). The number of quarter turns is exact up to about
//! 1e13 in double and 1e5 in single precision. Beyond, the error of the angle grows in proportion to the
//! argument; results stay between -1 and 1. Sine and cosine take the rest as one float, which costs them up to
//! a unit in the last place; the tangent takes it as a sum of two.

use super::ops::Ops;
use crate::Emit;

/// An angle as a number of quarter turns and a rest.
struct Angle<V> {
    /// An integer whose last two bits are the quarter.
    quarter: V,
    /// The rest.
    r: V,
    /// What `r` lacks.
    low: V,
}

/// Sine and cosine, each with what it lacks.
struct SinCos<V> {
    sin: V,
    sin_low: V,
    cos: V,
    cos_low: V,
}

impl<E: Emit> Ops<'_, E> {
    #[inline(always)]
    fn reduce_angle(&mut self, x: E::Value) -> Angle<E::Value> {
        let [first, second, third] = self.table.pio2;
        let magic = self.magic();
        let t = self.fma_c(x, std::f64::consts::FRAC_2_PI, magic);
        let n = self.add_c(t, -magic);
        let quarter = self.bits_of(t);
        let [first, second, third] = [first, second, third].map(|c| self.c(c));
        let (p, p_low) = self.two_product(n, first);
        // Exact, since x and p are close or p is 0.
        let d = self.sub(x, p);
        let (q, q_low) = self.two_product(n, second);
        let (sum, sum_low) = self.two_sum(p_low, q);
        let minus = self.neg(sum);
        let (r, r_low) = self.two_sum(d, minus);
        let low = self.add(sum_low, q_low);
        let low = self.sub(r_low, low);
        let n = self.neg(n);
        let low = self.fma(n, third, low);
        let (r, low) = self.fast_two_sum(r, low);
        // Only angles beyond the stated range leave these bounds; NaN stays.
        let r = self.clamp(r, -0.8, 0.8);
        let low = self.clamp(low, -1e-6, 1e-6);
        Angle { quarter, r, low }
    }

    /// Sine and cosine of `r + low`, `|r| <= 0.8`.
    #[inline(always)]
    fn sin_cos_of_small(&mut self, r: E::Value, low: E::Value) -> SinCos<E::Value> {
        let z = self.mul(r, r);
        let half = self.mul_c(z, 0.5);
        let one = self.c(1.0);
        let cos_high = self.sub(one, half);
        let lost = self.sub(one, cos_high);
        let lost = self.sub(lost, half);

        let q = self.horner(z, self.table.sin);
        let cube = self.mul(z, r);
        let tail = self.mul(low, cos_high);
        let tail = self.fma(cube, q, tail);
        let (sin, sin_low) = self.fast_two_sum(r, tail);

        let q = self.horner(z, self.table.cos);
        let fourth = self.mul(z, z);
        let minus_r = self.neg(r);
        let tail = self.fma(minus_r, low, lost);
        let tail = self.fma(fourth, q, tail);
        let (cos, cos_low) = self.fast_two_sum(cos_high, tail);
        SinCos { sin, sin_low, cos, cos_low }
    }

    /// Whether bit 0 of `quarter` is set.
    #[inline(always)]
    fn is_odd(&mut self, quarter: E::Value) -> E::Value {
        let one = self.int(1);
        let bit = self.and(quarter, one);
        self.eq(bit, one)
    }

    /// The quarter and the rest of `x` as a float.
    #[inline(always)]
    fn reduce_angle_to_one(&mut self, x: E::Value) -> (E::Value, E::Value) {
        let magic = self.magic();
        let t = self.fma_c(x, std::f64::consts::FRAC_2_PI, magic);
        let n = self.add_c(t, -magic);
        let [first, second, third] = self.table.pio2;
        let (first, second, third) = (self.c(-first), self.c(-second), self.c(-third));
        let r = self.fma(n, first, x);
        let r = self.fma(n, second, r);
        let r = self.fma(n, third, r);
        // Only angles beyond the stated range leave these bounds; NaN stays.
        (self.bits_of(t), self.clamp(r, -0.8, 0.8))
    }

    /// `sin(r)` or `cos(r)`, with a sign, as the quarter says.
    #[inline(always)]
    fn sin_in_quarter(&mut self, quarter: E::Value, r: E::Value) -> E::Value {
        let z = self.mul(r, r);
        let q = self.horner(z, self.table.sin);
        let cube = self.mul(z, r);
        let sin = self.fma(cube, q, r);
        let (half, one) = (self.c(-0.5), self.c(1.0));
        let q = self.horner(z, self.table.cos);
        let q = self.fma(q, z, half);
        let cos = self.fma(q, z, one);
        let odd = self.is_odd(quarter);
        let value = self.select(odd, cos, sin);
        let two = self.int(2);
        let sign = self.and(quarter, two);
        let count = if self.is_double() { 62 } else { 30 };
        let sign = self.shl(sign, count);
        self.flip(value, sign)
    }

    /// `sin(x)`
    #[inline(always)]
    pub(crate) fn sin(&mut self, x: E::Value) -> E::Value {
        let (quarter, r) = self.reduce_angle_to_one(x);
        let result = self.sin_in_quarter(quarter, r);
        let tiny = self.is_tiny(x);
        self.select(tiny, x, result)
    }

    /// `cos(x)`
    #[inline(always)]
    pub(crate) fn cos(&mut self, x: E::Value) -> E::Value {
        let (quarter, r) = self.reduce_angle_to_one(x);
        let one = self.int(1);
        let quarter = self.add(quarter, one);
        self.sin_in_quarter(quarter, r)
    }

    /// `tan(x)`: sine over cosine, corrected by what both lack.
    #[inline(always)]
    pub(super) fn tan(&mut self, x: E::Value) -> E::Value {
        let Angle { quarter, r, low } = self.reduce_angle(x);
        let SinCos { sin, sin_low, cos, cos_low } = self.sin_cos_of_small(r, low);
        let odd = self.is_odd(quarter);
        let above = self.select(odd, cos, sin);
        let above_low = self.select(odd, cos_low, sin_low);
        let below = self.select(odd, sin, cos);
        let below_low = self.select(odd, sin_low, cos_low);
        let quotient = self.div(above, below);
        let minus = self.neg(quotient);
        let rest = self.fma(minus, below, above);
        let rest = self.fma(minus, below_low, rest);
        let rest = self.add(rest, above_low);
        let correction = self.div(rest, below);
        let result = self.add(quotient, correction);
        let minus = self.neg(result);
        let result = self.select(odd, minus, result);
        let tiny = self.is_tiny(x);
        self.select(tiny, x, result)
    }

    /// `sin(pi w)` for `|w| <= 1/2`.
    #[inline(always)]
    pub(crate) fn sin_of_half_turns(&mut self, w: E::Value) -> E::Value {
        let z = self.mul(w, w);
        let q = self.horner(z, self.table.sin_of_half_turns);
        self.mul(w, q)
    }
}
