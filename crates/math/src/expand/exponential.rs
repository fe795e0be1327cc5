//! exp and what is made of it: expm1, exprel and its reciprocal, sinh, cosh, tanh.
//!
//! `exp(x) = 2^n exp(r)` with `n = round(x / ln 2)` and `r = x - n ln 2` in two parts (Cody & Waite 1980,
//! *Software Manual for the Elementary Functions*, chapter 6). The sum that rounds to `n` holds it in its low
//! bits, together with a bias of the exponent, so that one shift makes a power of two of it. The scaling by
//! `2^n` is split in two, so that subnormal results are rounded once and large ones do not overflow early.

use super::ops::Ops;
use crate::Emit;

/// What is left of an argument after taking out powers of two.
struct Reduced<V> {
    /// The exponent in the low bits of a float, above a bias.
    t: V,
    /// The exponent, a whole number as a float.
    n: V,
    /// The argument less `n` times the first part of `ln 2`, exactly.
    exact: V,
}

/// The binary exponent of a power of two.
#[inline(always)]
fn exponent(power: f64) -> f64 {
    ((power.to_bits() >> 52) as f64) - 1023.0
}

impl<E: Emit> Ops<'_, E> {
    /// `x` as `n ln 2` and a rest; `x` is within the range of exponents, and `t` holds `n + bias`.
    #[inline(always)]
    fn reduce_exp(&mut self, x: E::Value, bias: f64) -> Reduced<E::Value> {
        let offset = self.magic() + bias;
        let t = self.fma_c(x, self.table.per_ln2[0], offset);
        let n = self.add_c(t, -offset);
        let high = self.c(-self.table.ln2[0]);
        let exact = self.fma(n, high, x);
        Reduced { t, n, exact }
    }

    /// `exp(r)` for `|r| <= ln(2)/2`.
    #[inline(always)]
    fn exp_of_small(&mut self, r: E::Value) -> E::Value {
        let one = self.c(1.0);
        let q = self.horner(r, self.table.exp);
        let p = self.fma(q, r, one);
        self.fma(p, r, one)
    }

    /// `p 2^n` from `p` near 1 and a `t` that holds `n` above twice the bias of the format: a product with two
    /// powers of about the same size.
    #[inline(always)]
    fn scaled(&mut self, p: E::Value, t: E::Value) -> E::Value {
        let count = self.fraction_bits();
        let bits = self.bits_of(t);
        let half = self.shr(bits, 1);
        let rest = self.sub(bits, half);
        let first = self.shl(half, count);
        let second = self.shl(rest, count);
        let (first, second) = (self.float_of_bits(first), self.float_of_bits(second));
        let p = self.mul(p, first);
        self.mul(p, second)
    }

    /// `x` where `exp(x)` is neither 0 nor infinite, and a bound beyond.
    #[inline(always)]
    fn within_exp(&mut self, x: E::Value) -> E::Value {
        let (low, high) = if self.is_double() { (-746.0, 710.0) } else { (-104.0, 89.0) };
        self.clamp(x, low, high)
    }

    /// `exp(x)`
    #[inline(always)]
    pub(crate) fn exp(&mut self, x: E::Value) -> E::Value {
        let x = self.within_exp(x);
        let bias = 2.0 * self.bias();
        let Reduced { t, n, exact } = self.reduce_exp(x, bias);
        let low = self.c(-self.table.ln2[1]);
        let r = self.fma(n, low, exact);
        let p = self.exp_of_small(r);
        self.scaled(p, t)
    }

    /// `exp(x + rest)`, with `rest` less than a unit in the last place of `x`.
    #[inline(always)]
    pub(super) fn exp_of_two(&mut self, x: E::Value, rest: E::Value) -> E::Value {
        // Only where `x` is out of range is the rest any larger.
        let rest = self.clamp(rest, -1e-5, 1e-5);
        let x = self.within_exp(x);
        let bias = 2.0 * self.bias();
        let Reduced { t, n, exact } = self.reduce_exp(x, bias);
        let low = self.c(-self.table.ln2[1]);
        let rest = self.fma(n, low, rest);
        let r = self.add(exact, rest);
        let p = self.exp_of_small(r);
        self.scaled(p, t)
    }

    /// `exp(x)` where it is a normal number; `x` is clamped to where that is so with room for a single.
    #[inline(always)]
    pub(super) fn exp_of_moderate(&mut self, x: E::Value) -> E::Value {
        let x = self.clamp(x, -200.0, 200.0);
        let Reduced { t, n, exact } = self.reduce_exp(x, 0.0);
        let low = self.c(-self.table.ln2[1]);
        let r = self.fma(n, low, exact);
        let p = self.exp_of_small(r);
        let (bits, count) = (self.bits_of(t), self.fraction_bits());
        let exponent = self.shl(bits, count);
        let bits = self.bits_of(p);
        let bits = self.add(bits, exponent);
        self.float_of_bits(bits)
    }

    /// `(exp(x) - 1) unit` for a power of two, with which no power here leaves the format; a zero loses its sign.
    ///
    /// `2^n p + (2^n - 1)` with `p = exp(r) - 1`, where products with `2^n` are exact.
    #[inline(always)]
    fn expm1_over(&mut self, x: E::Value, unit: f64) -> E::Value {
        let bias = self.bias() + exponent(unit);
        let Reduced { t, n, exact } = self.reduce_exp(x, bias);
        let low = self.c(-self.table.ln2[1]);
        let r = self.fma(n, low, exact);
        // What the rounding of r took.
        let lost = self.sub(exact, r);
        let lost = self.fma(n, low, lost);
        let q = self.horner(r, self.table.exp);
        let square = self.mul(r, r);
        let tail = self.fma(square, q, lost);
        let p = self.add(r, tail);
        let scale = self.power_of_two(t);
        let whole = self.add_c(scale, -unit);
        self.fma(scale, p, whole)
    }

    /// Whether `|x|` is so small that all but the first term of a series vanishes.
    #[inline(always)]
    pub(super) fn is_tiny(&mut self, x: E::Value) -> E::Value {
        let size = self.abs(x);
        let tiny = self.tiny();
        self.lt_c(size, tiny)
    }

    /// `exp(x) - 1`
    #[inline(always)]
    pub(crate) fn expm1(&mut self, x: E::Value) -> E::Value {
        // Below, the result is -1.
        let (low, high) = if self.is_double() { (-60.0, 710.0) } else { (-30.0, 89.0) };
        let bounded = self.clamp(x, low, high);
        // Halved, since 2^1024 is not a number of the format.
        let half = self.expm1_over(bounded, 0.5);
        let result = self.add(half, half);
        let tiny = self.is_tiny(x);
        self.select(tiny, x, result)
    }

    /// `(exp(x) - 1) / x`
    #[inline(always)]
    pub(crate) fn exprel(&mut self, x: E::Value) -> E::Value {
        // Above, the result is infinite, and below, the numerator is -1.
        let (low, high) = if self.is_double() { (-60.0, 717.0) } else { (-30.0, 94.0) };
        let high = self.c(high);
        let x = self.min(high, x);
        let low = self.c(low);
        let bounded = self.max(low, x);
        // Scaled down, since results are finite whose numerator is not.
        let scale = 1.0 / 4096.0;
        let number = self.expm1_over(bounded, scale);
        let quotient = self.div(number, x);
        let result = self.mul_c(quotient, 1.0 / scale);
        let tiny = self.is_tiny(x);
        self.select_c(tiny, 1.0, result)
    }

    /// `x / (exp(x) - 1)`
    #[inline(always)]
    pub(crate) fn per_exprel(&mut self, x: E::Value) -> E::Value {
        // Above, the result stays where it is, all but 0, and below, the denominator is -1.
        let (low, high) = if self.is_double() { (-60.0, 709.0) } else { (-30.0, 88.0) };
        let high = self.c(high);
        let x = self.min(high, x);
        let low = self.c(low);
        let bounded = self.max(low, x);
        // As in `expm1_over`, but for what the rounding of r takes: that is seen only where the power is not 1.
        let bias = self.bias();
        let Reduced { t, n, exact } = self.reduce_exp(bounded, bias);
        let low = self.c(-self.table.ln2[1]);
        let r = self.fma(n, low, exact);
        let q = self.horner(r, self.table.exp);
        let square = self.mul(r, r);
        let p = self.fma(square, q, r);
        let scale = self.power_of_two(t);
        let whole = self.add_c(scale, -1.0);
        let number = self.fma(scale, p, whole);
        let quotient = self.div(x, number);
        // However small, a number is its own p; only 0 has no quotient.
        let zero = self.c(0.0);
        let is_zero = self.eq(x, zero);
        self.select_c(is_zero, 1.0, quotient)
    }

    /// `exp(|x|) / 2`, which overflows no earlier than the functions that use it.
    #[inline(always)]
    fn half_exp(&mut self, x: E::Value) -> E::Value {
        let size = self.abs(x);
        let high = self.c(if self.is_double() { 712.0 } else { 91.0 });
        let size = self.min(high, size);
        let bias = 2.0 * self.bias() - 1.0;
        let Reduced { t, n, exact } = self.reduce_exp(size, bias);
        let low = self.c(-self.table.ln2[1]);
        let r = self.fma(n, low, exact);
        let p = self.exp_of_small(r);
        self.scaled(p, t)
    }

    /// `cosh(x) = h + 1/(4 h)` with `h = exp(|x|)/2`.
    #[inline(always)]
    pub(crate) fn cosh(&mut self, x: E::Value) -> E::Value {
        let h = self.half_exp(x);
        let quarter = self.c(0.25);
        let other = self.div(quarter, h);
        self.add(h, other)
    }

    /// `sinh(x) = h - 1/(4 h)`; below 1, where that cancels, a polynomial.
    #[inline(always)]
    pub(crate) fn sinh(&mut self, x: E::Value) -> E::Value {
        let h = self.half_exp(x);
        let quarter = self.c(0.25);
        let other = self.div(quarter, h);
        let large = self.sub(h, other);
        let sign = self.sign_bit(x);
        let large = self.flip(large, sign);
        let z = self.mul(x, x);
        let q = self.horner(z, self.table.sinh);
        let cube = self.mul(x, z);
        let small = self.fma(cube, q, x);
        let size = self.abs(x);
        let is_small = self.lt_c(size, 1.0);
        self.select(is_small, small, large)
    }

    /// `tanh(|x|) = t/(t + 2)` with `t = expm1(2 |x|)`.
    #[inline(always)]
    pub(crate) fn tanh(&mut self, x: E::Value) -> E::Value {
        let size = self.abs(x);
        let double = self.add(size, size);
        // From here on the result is 1.
        let high = self.c(44.0);
        let double = self.min(high, double);
        let t = self.expm1_over(double, 1.0);
        let two = self.c(2.0);
        let (below, lost) = self.fast_two_sum(two, t);
        let quotient = self.div(t, below);
        // What the sum and the quotient lost, times roughly 1/(t + 2) = (1 - tanh)/2. It only matters for
        // small quotients; from one half on nothing is added.
        let minus = self.neg(quotient);
        let rest = self.fma(minus, below, t);
        let rest = self.fma(minus, lost, rest);
        let (half, zero) = (self.c(0.5), self.c(0.0));
        let inverse = self.sub(half, quotient);
        let inverse = self.max(inverse, zero);
        let quotient = self.fma(rest, inverse, quotient);
        let sign = self.sign_bit(x);
        let result = self.flip(quotient, sign);
        let tiny = self.is_tiny(x);
        self.select(tiny, x, result)
    }
}
