//! pow, and powers with constant exponents.
//!
//! `x^y = exp(y log x)` with the logarithm as a sum of two doubles, accurate to about 2^-67, so that its
//! product with `y` (up to 745) still has all the bits that the result shows. Singles are raised in doubles, where
//! plain logarithms and exponentials are exact enough.

use neuropil_base::ScalarType;

use super::logarithm::Split;
use super::ops::Ops;
use crate::Emit;

impl<E: Emit> Ops<'_, E> {
    /// `log(x)` of a positive finite double as a sum of two.
    #[inline(always)]
    fn log_in_two(&mut self, x: E::Value) -> (E::Value, E::Value) {
        let Split { k, f, .. } = self.split(x);
        // s = f / (2 + f)
        let two = self.c(2.0);
        let (below, below_low) = self.fast_two_sum(two, f);
        let s = self.div(f, below);
        let minus = self.neg(s);
        let rest = self.fma(minus, below, f);
        let rest = self.fma(minus, below_low, rest);
        let s_low = self.div(rest, below);
        // z = s^2
        let (z, z_low) = self.two_product(s, s);
        let twice = self.add(s, s);
        let z_low = self.fma(twice, s_low, z_low);
        // atanh(s)/s - 1 = z (1/3 + z Q(z))
        let q = self.horner(z, self.table.log_tail);
        let q = self.mul(z, q);
        let third = self.c(1.0 / 3.0);
        let (c, c_low) = self.fast_two_sum(third, q);
        // 1/3 less the double nearest to it.
        let c_low = self.add_c(c_low, 1.850_371_707_708_594e-17);
        let (p, p_low) = self.two_product(z, c);
        let p_low = self.fma(z_low, c, p_low);
        let p_low = self.fma(z, c_low, p_low);
        // log(1 + f) = 2 s + 2 s p
        let (product, product_low) = self.two_product(twice, p);
        let product_low = self.fma(twice, p_low, product_low);
        let twice_low = self.add(s_low, s_low);
        let product_low = self.fma(twice_low, p, product_low);
        let (sum, sum_low) = self.fast_two_sum(twice, product);
        let sum_low = self.add(sum_low, product_low);
        let sum_low = self.add(sum_low, twice_low);
        // k log 2, whose first part is exact
        let whole = self.mul_c(k, self.table.ln2[0]);
        let (high, low) = self.fast_two_sum(whole, sum);
        let ln2_low = self.c(self.table.ln2[1]);
        let low = self.fma(k, ln2_low, low);
        let low = self.add(low, sum_low);
        self.fast_two_sum(high, low)
    }

    /// `x^y`
    #[inline(always)]
    pub(crate) fn pow(&mut self, x: E::Value, y: E::Value) -> E::Value {
        let size = self.abs(x);
        let power = if self.is_double() {
            let (high, low) = self.log_in_two(size);
            // Any larger exponent gives 0 or infinity as well, unless x is 1; and products stay finite.
            let exponent = self.clamp(y, -1e21, 1e21);
            let (product, product_low) = self.two_product(exponent, high);
            let product_low = self.fma(exponent, low, product_low);
            self.exp_of_two(product, product_low)
        } else {
            let (wide_size, wide_y) =
                (self.e.convert(ScalarType::F64, size), self.e.convert(ScalarType::F64, y));
            let mut wide = Ops::new(self.e, wide_size);
            let log = wide.log_of_normal(wide_size);
            let product = wide.mul(wide_y, log);
            let power = wide.exp_of_moderate(product);
            self.e.convert(ScalarType::F32, power)
        };
        self.pow_ends(x, y, size, power)
    }

    /// `power`, but what is asked for zeros, infinities, NaN and negative bases; `size` is `|x|`.
    #[inline(always)]
    fn pow_ends(&mut self, x: E::Value, y: E::Value, size: E::Value, power: E::Value) -> E::Value {
        let (zero, one, infinity) = (self.c(0.0), self.c(1.0), self.c(f64::INFINITY));
        let rising = self.gt(y, zero);
        // 0 and infinity, whose logarithms are not numbers.
        let at_infinity = self.choose(rising, f64::INFINITY, 0.0);
        let at_zero = self.choose(rising, 0.0, f64::INFINITY);
        let is_infinite = self.eq(size, infinity);
        let power = self.select(is_infinite, at_infinity, power);
        let is_zero = self.eq(x, zero);
        let power = self.select(is_zero, at_zero, power);
        // Negative bases: odd exponents carry the sign, broken ones have no result.
        let floor = self.floor(y);
        let whole = self.eq(floor, y);
        let half = self.mul_c(y, 0.5);
        let half_floor = self.floor(half);
        let even = self.eq(half_floor, half);
        let sign = self.sign_bit(x);
        let no_sign = self.int(0);
        let sign = self.select(even, no_sign, sign);
        let sign = self.select(whole, sign, no_sign);
        let power = self.flip(power, sign);
        let negative = self.lt(x, zero);
        let minus_infinity = self.c(f64::NEG_INFINITY);
        let finite = self.gt(x, minus_infinity);
        let nan = self.c(f64::NAN);
        let broken = self.select(whole, power, nan);
        let broken = self.select(finite, broken, power);
        let power = self.select(negative, broken, power);
        // NaN in, NaN out, but for the two powers that are 1 whatever the other operand is.
        let sum = self.add(x, y);
        let (x_nan, y_nan) = (self.ne(x, x), self.ne(y, y));
        let is_nan = self.or(x_nan, y_nan);
        let power = self.select(is_nan, sum, power);
        let minus_one = self.c(-1.0);
        let endless = {
            let size = self.abs(y);
            self.eq(size, infinity)
        };
        let is_minus_one = self.eq(x, minus_one);
        let turning = self.and(is_minus_one, endless);
        let unit = self.eq(x, one);
        let unit = self.or(unit, turning);
        let none = self.eq(y, zero);
        let unit = self.or(unit, none);
        self.select(unit, one, power)
    }
}

/// `x` to the `n`-th power for a constant `n`.
///
/// The result is the product of `x^(2^k)` over the bits of `n` that are set, lowest first, each from the one
/// before by squaring; for a negative `n` the reciprocal of that. The error is at most `n` units of the
/// last place; results below the range of `1 / x^|n|` underflow early.
pub fn pow_int<E: Emit>(e: &mut E, x: E::Value, n: i32) -> E::Value {
    let mut o = Ops::new(e, x);
    let mut result = None;
    let mut square = x;
    let mut rest = n.unsigned_abs();
    while rest != 0 {
        if rest & 1 != 0 {
            result = Some(match result {
                None => square,
                Some(r) => o.mul(r, square),
            });
        }
        rest >>= 1;
        if rest != 0 {
            square = o.mul(square, square);
        }
    }
    let one = o.c(1.0);
    let power = result.unwrap_or(one);
    if n < 0 { o.div(one, power) } else { power }
}

/// `x**exponent` in fewer operations than [`Function::Pow`](crate::Function::Pow) takes, for whole exponents
/// from -16 to 16 (by [`pow_int`]) and for 0.5, 1.5 and -0.5 (by square root). `None` for others.
pub fn pow_constant<E: Emit>(e: &mut E, x: E::Value, exponent: f64) -> Option<E::Value> {
    if exponent.abs() <= 16.0 && exponent.trunc() == exponent {
        return Some(pow_int(e, x, exponent as i32));
    }
    let mut o = Ops::new(e, x);
    if exponent == 0.5 {
        return Some(o.sqrt(x));
    }
    if exponent == -0.5 {
        let root = o.sqrt(x);
        let one = o.c(1.0);
        return Some(o.div(one, root));
    }
    if exponent == 1.5 {
        let root = o.sqrt(x);
        return Some(o.mul(x, root));
    }
    None
}
