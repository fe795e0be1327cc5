//! arcsin, arccos, arctan and arctan2.
//!
//! arctan is brought below `tan(pi/8)` by the addition theorem at 1/8 and 1/4 of a turn; arcsin beyond
//! one half is turned into one of `sqrt((1 - x)/2)` (Cody & Waite 1980, chapters 10 and 11).

use super::ops::Ops;
use crate::Emit;

impl<E: Emit> Ops<'_, E> {
    /// The angle of the point (`b`, `a`) in the first quadrant, not both 0 or infinite, as a float and what
    /// it lacks.
    #[inline(always)]
    fn first_quadrant(&mut self, a: E::Value, b: E::Value) -> (E::Value, E::Value) {
        // tan(pi/8) and tan(3 pi/8) need not be exact: the polynomial goes a little further.
        let bound = self.mul_c(b, 0.414_213_562_373_095);
        let middle = self.gt(a, bound);
        let bound = self.mul_c(b, 2.414_213_562_373_095);
        let steep = self.gt(a, bound);
        let (difference, sum, minus) = (self.sub(a, b), self.add(a, b), self.neg(b));
        let above = self.select(middle, difference, a);
        let above = self.select(steep, minus, above);
        let below = self.select(middle, sum, b);
        let below = self.select(steep, a, below);
        let [quarter, quarter_low, _] = self.table.pio2;
        let base = self.choose(middle, quarter * 0.5, 0.0);
        let base = self.select_c(steep, quarter, base);
        let base_low = self.choose(middle, quarter_low * 0.5, 0.0);
        let base_low = self.select_c(steep, quarter_low, base_low);
        let t = self.div(above, below);
        let z = self.mul(t, t);
        let q = self.horner(z, self.table.atan);
        let cube = self.mul(t, z);
        let tail = self.fma(cube, q, base_low);
        let (sum, lost) = self.fast_two_sum(base, t);
        (sum, self.add(tail, lost))
    }

    /// `arctan(x)`
    #[inline(always)]
    pub(super) fn arctan(&mut self, x: E::Value) -> E::Value {
        let size = self.abs(x);
        // From here on the result is pi/2, and infinity would give NaN.
        let high = self.c(1e18);
        let size = self.min(high, size);
        let one = self.c(1.0);
        let (angle, low) = self.first_quadrant(size, one);
        let angle = self.add(angle, low);
        let sign = self.sign_bit(x);
        self.flip(angle, sign)
    }

    /// The angle of the point with ordinate `y` and abscissa `x`.
    #[inline(always)]
    pub(super) fn arctan2(&mut self, y: E::Value, x: E::Value) -> E::Value {
        let (a, b) = (self.abs(y), self.abs(x));
        // Both scaled down where their sum might overflow.
        let limit = if self.is_double() { 1e300 } else { 1e37 };
        let limit = self.c(limit);
        let (a_large, b_large) = (self.gt(a, limit), self.gt(b, limit));
        let large = self.or(a_large, b_large);
        let scale = self.choose(large, 0.25, 1.0);
        let (a, b) = (self.mul(a, scale), self.mul(b, scale));
        // Both infinite are as far as both 1; both 0 lie on the abscissa.
        let equal = self.eq(a, b);
        let infinity = self.c(f64::INFINITY);
        let infinite = self.eq(a, infinity);
        let corner = self.and(equal, infinite);
        let (a, b) = (self.select_c(corner, 1.0, a), self.select_c(corner, 1.0, b));
        let zero = self.c(0.0);
        let is_zero = self.eq(b, zero);
        let none = self.eq(a, zero);
        let origin = self.and(is_zero, none);
        let b = self.select_c(origin, 1.0, b);
        let (angle, low) = self.first_quadrant(a, b);
        // Left of the ordinate the angle is counted from the other side.
        let [quarter, quarter_low, _] = self.table.pio2;
        let half = self.c(2.0 * quarter);
        let half_low = self.c(2.0 * quarter_low);
        let minus = self.neg(angle);
        let (other, lost) = self.fast_two_sum(half, minus);
        let other_low = self.sub(half_low, low);
        let other_low = self.add(lost, other_low);
        let other = self.add(other, other_low);
        let angle = self.add(angle, low);
        let sign = self.sign_bit(x);
        let no_sign = self.int(0);
        let left = self.ne(sign, no_sign);
        let angle = self.select(left, other, angle);
        let sign = self.sign_bit(y);
        let angle = self.flip(angle, sign);
        // The sign bit of a NaN means nothing.
        let sum = self.add(x, y);
        let (x_nan, y_nan) = (self.ne(x, x), self.ne(y, y));
        let nan = self.or(x_nan, y_nan);
        self.select(nan, sum, angle)
    }

    /// `arcsin(s) - s` divided by `s`, in terms of `z = s^2`.
    #[inline(always)]
    fn arcsin_tail(&mut self, z: E::Value) -> E::Value {
        let q = self.horner(z, self.table.asin);
        self.mul(z, q)
    }

    /// `arcsin(sqrt(z))` for `z` up to 1/4, as a float and what it lacks.
    #[inline(always)]
    fn arcsin_of_root(&mut self, z: E::Value) -> (E::Value, E::Value) {
        let s = self.sqrt(z);
        let minus = self.neg(s);
        let rest = self.fma(minus, s, z);
        let twice = self.add(s, s);
        let lost = self.div(rest, twice);
        // 0/0 at the end of the range.
        let zero = self.c(0.0);
        let at_end = self.eq(z, zero);
        let lost = self.select(at_end, zero, lost);
        let tail = self.arcsin_tail(z);
        let low = self.fma(s, tail, lost);
        self.fast_two_sum(s, low)
    }

    /// `(1 - |x|) / 2`, and whether `|x| > 1/2`.
    #[inline(always)]
    fn half_complement(&mut self, x: E::Value) -> (E::Value, E::Value) {
        let size = self.abs(x);
        let z = self.fma_c(size, -0.5, 0.5);
        let half = self.c(0.5);
        let large = self.gt(size, half);
        (z, large)
    }

    /// `arcsin(x)`
    #[inline(always)]
    pub(super) fn arcsin(&mut self, x: E::Value) -> E::Value {
        let (z, large) = self.half_complement(x);
        let (s, low) = self.arcsin_of_root(z);
        let [quarter, quarter_low, _] = self.table.pio2;
        let quarter = self.c(quarter);
        let quarter_low = self.c(quarter_low);
        let two = self.c(-2.0);
        let (sum, lost) = {
            let product = self.mul(two, s);
            self.fast_two_sum(quarter, product)
        };
        let low = self.fma(two, low, quarter_low);
        let low = self.add(low, lost);
        let near_one = self.add(sum, low);
        let sign = self.sign_bit(x);
        let near_one = self.flip(near_one, sign);

        let z = self.mul(x, x);
        let tail = self.arcsin_tail(z);
        let near_zero = self.fma(x, tail, x);
        self.select(large, near_one, near_zero)
    }

    /// `arccos(x)`
    #[inline(always)]
    pub(super) fn arccos(&mut self, x: E::Value) -> E::Value {
        let (z, large) = self.half_complement(x);
        let (s, low) = self.arcsin_of_root(z);
        let [quarter, quarter_low, _] = self.table.pio2;
        let near_one = self.add(s, low);
        let near_one = self.add(near_one, near_one);
        let near_minus_one = {
            let (half, half_low) = (self.c(2.0 * quarter), self.c(2.0 * quarter_low));
            let two = self.c(-2.0);
            let product = self.mul(two, s);
            let (sum, lost) = self.fast_two_sum(half, product);
            let low = self.fma(two, low, half_low);
            let low = self.add(low, lost);
            self.add(sum, low)
        };
        let zero = self.c(0.0);
        let negative = self.lt(x, zero);
        let outside = self.select(negative, near_minus_one, near_one);

        let square = self.mul(x, x);
        let tail = self.arcsin_tail(square);
        let tail = self.mul(x, tail);
        let quarter_low = self.c(quarter_low);
        let tail = self.sub(tail, quarter_low);
        let quarter = self.c(quarter);
        let minus = self.neg(x);
        let (sum, lost) = self.fast_two_sum(quarter, minus);
        let tail = self.sub(tail, lost);
        let inside = self.sub(sum, tail);
        self.select(large, outside, inside)
    }
}
