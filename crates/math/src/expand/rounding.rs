//! Functions that choose, cut or round, for floats and integers: sign, clip, minimum, maximum, mod,
//! floordiv, int, timestep.

use neuropil_base::ScalarType;

use super::ops::Ops;
use crate::{BinaryOp, Emit};

impl<E: Emit> Ops<'_, E> {
    /// -1, 0 or 1; NaN stays.
    #[inline(always)]
    pub(super) fn sign(&mut self, x: E::Value) -> E::Value {
        let zero = self.c(0.0);
        let (positive, negative) = (self.gt(x, zero), self.lt(x, zero));
        let is_number = self.eq(x, x);
        let rest = self.select(is_number, zero, x);
        let rest = self.select_c(negative, -1.0, rest);
        self.select_c(positive, 1.0, rest)
    }

    /// `x` between `low` and `high`; NaN stays.
    #[inline(always)]
    pub(super) fn clip(&mut self, x: E::Value, low: E::Value, high: E::Value) -> E::Value {
        let x = self.max(low, x);
        self.min(high, x)
    }

    /// The smaller; NaN if either is.
    #[inline(always)]
    pub(super) fn minimum(&mut self, x: E::Value, y: E::Value) -> E::Value {
        let smaller = self.min(x, y);
        self.unless_nan(x, smaller)
    }

    /// The larger; NaN if either is.
    #[inline(always)]
    pub(super) fn maximum(&mut self, x: E::Value, y: E::Value) -> E::Value {
        let larger = self.max(x, y);
        self.unless_nan(x, larger)
    }

    /// `result`, but `x` if that is NaN. The operations themselves keep a NaN of the second operand.
    fn unless_nan(&mut self, x: E::Value, result: E::Value) -> E::Value {
        if !self.ty.is_float() {
            return result;
        }
        let is_number = self.eq(x, x);
        self.select(is_number, result, x)
    }

    /// `floor(x / y)` and what is left, for floats. The quotient is rounded, so it may be one too large or
    /// too small; the sign and size of the rest tell. Beyond quotients of 2^53 (2^24) the rest is 0.
    fn divide_down(&mut self, x: E::Value, y: E::Value) -> (E::Value, E::Value) {
        let quotient = self.div(x, y);
        let quotient = self.floor(quotient);
        let minus = self.neg(quotient);
        let rest = self.fma(minus, y, x);
        let zero = self.c(0.0);
        // The rest has the sign of y and is smaller, but may round to y.
        let (rest_negative, y_negative) = (self.lt(rest, zero), self.lt(y, zero));
        let is_some = self.ne(rest, zero);
        let differ = self.xor(rest_negative, y_negative);
        let below = self.and(differ, is_some);
        let (rest_size, size) = (self.abs(rest), self.abs(y));
        let reached = self.gt(rest_size, size);
        let (less, more) = (self.add_c(quotient, -1.0), self.add_c(quotient, 1.0));
        let (filled, emptied) = (self.add(rest, y), self.sub(rest, y));
        let quotient = self.select(reached, more, quotient);
        let quotient = self.select(below, less, quotient);
        let rest = self.select(reached, emptied, rest);
        let rest = self.select(below, filled, rest);
        // An infinite divisor goes into a finite number 0 times, or -1 times if their signs differ.
        let infinity = self.c(f64::INFINITY);
        let endless = self.eq(size, infinity);
        let x_size = self.abs(x);
        let finite = self.lt(x_size, infinity);
        let endless = self.and(endless, finite);
        let x_negative = self.lt(x, zero);
        let differ = self.xor(x_negative, y_negative);
        let is_some = self.ne(x, zero);
        let differ = self.and(differ, is_some);
        let once = self.choose(differ, -1.0, 0.0);
        let quotient = self.select(endless, once, quotient);
        let all = self.select(differ, y, x);
        let rest = self.select(endless, all, rest);
        (quotient, rest)
    }

    /// What is left of [`floordiv`](Self::floordiv).
    #[inline(always)]
    pub(super) fn modulo(&mut self, x: E::Value, y: E::Value) -> E::Value {
        if !self.ty.is_float() {
            return self.e.binary(BinaryOp::Rem, x, y);
        }
        let (_, rest) = self.divide_down(x, y);
        // A quotient too large to be exact leaves a rest out of bounds.
        let zero = self.c(0.0);
        let (size, bound) = (self.abs(rest), self.abs(y));
        let wrong = self.gt(size, bound);
        self.select(wrong, zero, rest)
    }

    /// `floor(x / y)`
    #[inline(always)]
    pub(super) fn floordiv(&mut self, x: E::Value, y: E::Value) -> E::Value {
        if !self.ty.is_float() {
            return self.div(x, y);
        }
        let (quotient, _) = self.divide_down(x, y);
        let raw = self.div(x, y);
        let zero = self.c(0.0);
        let by_zero = self.eq(y, zero);
        self.select(by_zero, raw, quotient)
    }

    /// The step in which the time `t` lies: `int((t + 1e-3 dt) / dt)`, Brian 2's rule. The thousandth of a
    /// step keeps times that rounding put just before a step in that step.
    #[inline(always)]
    pub(super) fn timestep(&mut self, t: E::Value, dt: E::Value) -> E::Value {
        let slack = self.mul_c(dt, 1e-3);
        let t = self.add(t, slack);
        let steps = self.div(t, dt);
        self.e.convert(ScalarType::I32, steps)
    }
}
