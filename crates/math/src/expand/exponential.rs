//! exp and what is made of it: expm1, exprel, sinh, cosh, tanh.
//!
//! `exp(x) = 2^n exp(r)` with `n = round(x / ln 2)` and `r = x - n ln 2` in two parts (Cody & Waite 1980,
//! *Software Manual for the Elementary Functions*, chapter 6). The scaling by `2^n` is split in two, so
//! that subnormal results are rounded once and large ones do not overflow early.

use super::ops::Ops;
use crate::Emit;

/// What is left of an argument after taking out powers of two.
struct Reduced<V> {
    /// The exponent, a whole number as a float.
    n: V,
    /// `exp(r) - 1`
    p: V,
}

/// What is added to the rounded rest `r`.
#[derive(Clone, Copy)]
enum Lacking<V> {
    /// Nothing: the result is exact enough.
    Nothing,
    /// What the rounding of `r` took.
    Rounding,
    /// That, and what the argument itself lacks.
    Also(V),
}

impl<E: Emit> Ops<'_, E> {
    /// `x` as `n ln 2 + r`; `x` is within the range of exponents.
    #[inline]
    fn reduce_exp(&mut self, x: E::Value, lacking: Lacking<E::Value>) -> Reduced<E::Value> {
        let table = self.table;
        let (per_ln2, magic) = (table.per_ln2[0], self.magic());
        let t = self.fma_c(x, per_ln2, magic);
        let n = self.add_c(t, -magic);
        let minus = self.neg(n);
        let high = self.c(table.ln2[0]);
        let low = self.c(table.ln2[1]);
        let exact = self.fma(minus, high, x);
        let r = self.fma(minus, low, exact);
        let q = self.horner(r, table.exp);
        let square = self.mul(r, r);
        let p = match lacking {
            Lacking::Nothing => self.fma(square, q, r),
            Lacking::Rounding | Lacking::Also(_) => {
                let rest = self.sub(exact, r);
                let mut rest = self.fma(minus, low, rest);
                if let Lacking::Also(also) = lacking {
                    rest = self.add(rest, also);
                }
                // exp(r) rest, with the rounded exp(r).
                let p = self.fma(square, q, r);
                let tail = self.fma(p, rest, rest);
                let tail = self.fma(square, q, tail);
                self.add(r, tail)
            }
        };
        Reduced { n, p }
    }

    /// `exp(x)` as a product `p * a * b`, `a` and `b` powers of two of about the same size.
    #[inline]
    fn exp_parts(&mut self, x: E::Value, lacking: Lacking<E::Value>) -> (E::Value, E::Value, E::Value) {
        let Reduced { n, p } = self.reduce_exp(x, lacking);
        let p = self.add_c(p, 1.0);
        let offset = self.magic() + self.bias();
        let half = self.fma_c(n, 0.5, offset);
        let first = self.add_c(half, -offset);
        let rest = self.sub(n, first);
        let rest = self.add_c(rest, offset);
        let a = self.power_of_two(half);
        let b = self.power_of_two(rest);
        (p, a, b)
    }

    /// `exp(x)`
    pub(crate) fn exp(&mut self, x: E::Value) -> E::Value {
        self.scaled_exp(x, Lacking::Nothing)
    }

    /// `exp(x + low)`, with `low` less than a unit in the last place of `x`.
    pub(super) fn exp_of_two(&mut self, x: E::Value, low: E::Value) -> E::Value {
        // Only where `x` is out of range is `low` any larger.
        let low = self.clamp(low, -1e-12, 1e-12);
        self.scaled_exp(x, Lacking::Also(low))
    }

    fn scaled_exp(&mut self, x: E::Value, lacking: Lacking<E::Value>) -> E::Value {
        // Beyond these the result is 0 or infinite all the same.
        let (low, high) = if self.is_double() { (-746.0, 710.0) } else { (-104.0, 89.0) };
        let x = self.clamp(x, low, high);
        let (p, a, b) = self.exp_parts(x, lacking);
        let p = self.mul(p, a);
        self.mul(p, b)
    }

    /// `exp(x) - 1` as a product of a number and a power of two, exact to the last place unless `x` is
    /// [`tiny`](Self::tiny) (then twice the first part may have lost bits).
    #[inline]
    fn expm1_parts(&mut self, x: E::Value) -> (E::Value, E::Value) {
        // Below, the result is -1; above, even a quotient by `x` is infinite.
        let (low, high) = if self.is_double() { (-60.0, 717.0) } else { (-30.0, 94.0) };
        let x = self.clamp(x, low, high);
        let Reduced { n, p } = self.reduce_exp(x, Lacking::Rounding);
        // 2^n p + (2^n - 1), all halved: 2^1024 itself is not a number of the format.
        let (magic, bias) = (self.magic(), self.bias());
        let largest = self.c(bias + 1.0);
        let m = self.min(largest, n);
        let t = self.add_c(m, magic + bias - 1.0);
        let half_scale = self.power_of_two(t);
        let rest = self.add_c(half_scale, -0.5);
        let number = self.fma(half_scale, p, rest);
        let over = self.sub(n, m);
        let t = self.add_c(over, magic + bias + 1.0);
        let scale = self.power_of_two(t);
        (number, scale)
    }

    /// Whether `|x|` is so small that all but the first term of a series vanishes.
    #[inline]
    pub(super) fn is_tiny(&mut self, x: E::Value) -> E::Value {
        let size = self.abs(x);
        let tiny = self.tiny();
        self.lt_c(size, tiny)
    }

    /// `exp(x) - 1`
    pub(crate) fn expm1(&mut self, x: E::Value) -> E::Value {
        let (number, scale) = self.expm1_parts(x);
        let result = self.mul(number, scale);
        let tiny = self.is_tiny(x);
        self.select(tiny, x, result)
    }

    /// `(exp(x) - 1) / x`
    pub(super) fn exprel(&mut self, x: E::Value) -> E::Value {
        let (number, scale) = self.expm1_parts(x);
        // Dividing first keeps results finite whose numerator is not.
        let quotient = self.div(number, x);
        let result = self.mul(quotient, scale);
        let tiny = self.is_tiny(x);
        let result = self.select_c(tiny, 1.0, result);
        let infinite = self.c(f64::INFINITY);
        let at_end = self.eq(x, infinite);
        self.select(at_end, x, result)
    }

    /// `exp(|x|) / 2`, which overflows no earlier than the functions that use it.
    #[inline]
    fn half_exp(&mut self, x: E::Value) -> E::Value {
        let size = self.abs(x);
        let high = self.c(if self.is_double() { 712.0 } else { 91.0 });
        let size = self.min(high, size);
        let (p, a, b) = self.exp_parts(size, Lacking::Nothing);
        let half = self.mul_c(a, 0.5);
        let p = self.mul(p, half);
        self.mul(p, b)
    }

    /// `cosh(x) = h + 1/(4 h)` with `h = exp(|x|)/2`.
    pub(super) fn cosh(&mut self, x: E::Value) -> E::Value {
        let h = self.half_exp(x);
        let quarter = self.c(0.25);
        let other = self.div(quarter, h);
        self.add(h, other)
    }

    /// `sinh(x) = h - 1/(4 h)`; below 1, where that cancels, a polynomial.
    pub(super) fn sinh(&mut self, x: E::Value) -> E::Value {
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
    pub(super) fn tanh(&mut self, x: E::Value) -> E::Value {
        let size = self.abs(x);
        let double = self.add(size, size);
        // From here on the result is 1.
        let high = self.c(44.0);
        let double = self.min(high, double);
        let (number, scale) = self.expm1_parts(double);
        let t = self.mul(number, scale);
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
