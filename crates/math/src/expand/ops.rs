//! Short names for the operations of one float type, and the few idioms that all expansions share.

use neuropil_base::{Scalar, ScalarType};

use super::table::Table;
use crate::{BinaryOp, CompareOp, Emit, UnaryOp};

/// `x` as a value of type `ty`: [`Scalar::from_f64`], but inlined into other crates in every kind of build.
#[inline(always)]
pub(crate) fn scalar_of(ty: ScalarType, x: f64) -> Scalar {
    match ty {
        ScalarType::F32 => Scalar::F32(x as f32),
        ScalarType::F64 => Scalar::F64(x),
        ScalarType::I32 => Scalar::I32(x as i32),
        ScalarType::I64 => Scalar::I64(x as i64),
        ScalarType::Bool => Scalar::Bool(x != 0.0),
    }
}

/// Emits operations on values of one float type.
pub(crate) struct Ops<'e, E: Emit> {
    /// Where operations go.
    pub(crate) e: &'e mut E,
    /// The type of the values.
    pub(crate) ty: ScalarType,
    /// The numbers for that type.
    pub(crate) table: &'static Table,
}

/// A method per operation with one operand.
macro_rules! unary {
    ($($name:ident $op:ident),*) => {$(
        #[inline(always)]
        pub(crate) fn $name(&mut self, a: E::Value) -> E::Value {
            self.e.unary(UnaryOp::$op, a)
        }
    )*};
}

/// A method per operation with two operands.
macro_rules! binary {
    ($($name:ident $op:ident),*) => {$(
        #[inline(always)]
        pub(crate) fn $name(&mut self, a: E::Value, b: E::Value) -> E::Value {
            self.e.binary(BinaryOp::$op, a, b)
        }
    )*};
}

/// A method per comparison.
macro_rules! compare {
    ($($name:ident $op:ident),*) => {$(
        #[inline(always)]
        pub(crate) fn $name(&mut self, a: E::Value, b: E::Value) -> E::Value {
            self.e.compare(CompareOp::$op, a, b)
        }
    )*};
}

impl<'e, E: Emit> Ops<'e, E> {
    /// Operations on values of the type of `x`.
    #[inline(always)]
    pub(crate) fn new(e: &'e mut E, x: E::Value) -> Self {
        let ty = e.ty(x);
        Self { e, ty, table: Table::of(ty) }
    }

    unary! { neg Neg, abs Abs, sqrt Sqrt, floor Floor, ceil Ceil }
    binary! { add Add, sub Sub, mul Mul, div Div, min Min, max Max, and And, or Or, xor Xor }
    compare! { eq Eq, ne Ne, lt Lt, gt Gt }

    /// `x` as a constant of the type.
    #[inline(always)]
    pub(crate) fn c(&mut self, x: f64) -> E::Value {
        self.e.constant(scalar_of(self.ty, x))
    }

    /// `a * b + c`, rounded once.
    #[inline(always)]
    pub(crate) fn fma(&mut self, a: E::Value, b: E::Value, c: E::Value) -> E::Value {
        self.e.fma(a, b, c)
    }

    /// `a * b + c` for constant `b` and `c`.
    #[inline(always)]
    pub(crate) fn fma_c(&mut self, a: E::Value, b: f64, c: f64) -> E::Value {
        let (b, c) = (self.c(b), self.c(c));
        self.fma(a, b, c)
    }

    /// `a + b` for a constant `b`.
    #[inline(always)]
    pub(crate) fn add_c(&mut self, a: E::Value, b: f64) -> E::Value {
        let b = self.c(b);
        self.add(a, b)
    }

    /// `a * b` for a constant `b`.
    #[inline(always)]
    pub(crate) fn mul_c(&mut self, a: E::Value, b: f64) -> E::Value {
        let b = self.c(b);
        self.mul(a, b)
    }

    /// `a < b` for a constant `b`.
    #[inline(always)]
    pub(crate) fn lt_c(&mut self, a: E::Value, b: f64) -> E::Value {
        let b = self.c(b);
        self.lt(a, b)
    }

    /// `condition ? a : b`
    #[inline(always)]
    pub(crate) fn select(&mut self, condition: E::Value, a: E::Value, b: E::Value) -> E::Value {
        self.e.select(condition, a, b)
    }

    /// `condition ? a : b` for a constant `a`.
    #[inline(always)]
    pub(crate) fn select_c(&mut self, condition: E::Value, a: f64, b: E::Value) -> E::Value {
        let a = self.c(a);
        self.select(condition, a, b)
    }

    /// `condition ? a : b` for constants.
    #[inline(always)]
    pub(crate) fn choose(&mut self, condition: E::Value, a: f64, b: f64) -> E::Value {
        let b = self.c(b);
        self.select_c(condition, a, b)
    }

    /// `x` between `low` and `high`; NaN stays.
    #[inline(always)]
    pub(crate) fn clamp(&mut self, x: E::Value, low: f64, high: f64) -> E::Value {
        // The second operand is what is left of a NaN, so `x` comes second.
        let low = self.c(low);
        let x = self.max(low, x);
        let high = self.c(high);
        self.min(high, x)
    }

    /// The polynomial with the given coefficients, highest power first, by Horner's rule.
    #[inline(always)]
    pub(crate) fn horner(&mut self, x: E::Value, coefficients: &[f64]) -> E::Value {
        let Some((&first, rest)) = coefficients.split_first() else { return self.c(0.0) };
        let mut sum = self.c(first);
        for &coefficient in rest {
            let c = self.c(coefficient);
            sum = self.fma(sum, x, c);
        }
        sum
    }

    /// `a + b` as a rounded sum and what it lacks, for any two numbers (Knuth's two-sum).
    #[inline(always)]
    pub(crate) fn two_sum(&mut self, a: E::Value, b: E::Value) -> (E::Value, E::Value) {
        let sum = self.add(a, b);
        let of_b = self.sub(sum, a);
        let of_a = self.sub(sum, of_b);
        let (lost_a, lost_b) = (self.sub(a, of_a), self.sub(b, of_b));
        (sum, self.add(lost_a, lost_b))
    }

    /// `a + b` as a rounded sum and what it lacks, for `|a| >= |b|` or `a = 0` (Dekker's fast two-sum).
    #[inline(always)]
    pub(crate) fn fast_two_sum(&mut self, a: E::Value, b: E::Value) -> (E::Value, E::Value) {
        let sum = self.add(a, b);
        let of_b = self.sub(sum, a);
        (sum, self.sub(b, of_b))
    }

    /// `a * b` as a rounded product and what it lacks.
    #[inline(always)]
    pub(crate) fn two_product(&mut self, a: E::Value, b: E::Value) -> (E::Value, E::Value) {
        let product = self.mul(a, b);
        let minus = self.neg(product);
        (product, self.fma(a, b, minus))
    }

    /// Whether the type is double.
    #[inline(always)]
    pub(crate) fn is_double(&self) -> bool {
        self.ty != ScalarType::F32
    }

    /// Bits of the fraction: 23 or 52.
    #[inline(always)]
    pub(crate) fn fraction_bits(&self) -> i64 {
        if self.is_double() { 52 } else { 23 }
    }

    /// What is added to an exponent where it is stored: 127 or 1023.
    #[inline(always)]
    pub(crate) fn bias(&self) -> f64 {
        if self.is_double() { 1023.0 } else { 127.0 }
    }

    /// 1.5 times the number from which on floats are whole. What is added to it is rounded to a whole
    /// number, which then stands in the low bits of the sum.
    #[inline(always)]
    pub(crate) fn magic(&self) -> f64 {
        if self.is_double() { 6_755_399_441_055_744.0 } else { 12_582_912.0 }
    }

    /// A number so small that it is its own sine, and 1 its own exponential: 2^-54 or 2^-25.
    #[inline(always)]
    pub(crate) fn tiny(&self) -> f64 {
        if self.is_double() { 5.551_115_123_125_783e-17 } else { 2.980_232_238_769_531e-8 }
    }

    /// An integer of the float's size.
    #[inline(always)]
    pub(crate) fn int(&mut self, i: i64) -> E::Value {
        let i = if self.is_double() { Scalar::I64(i) } else { Scalar::I32(i as i32) };
        self.e.constant(i)
    }

    /// The bits of a float as an integer.
    #[inline(always)]
    pub(crate) fn bits_of(&mut self, x: E::Value) -> E::Value {
        let ty = if self.is_double() { ScalarType::I64 } else { ScalarType::I32 };
        self.e.bitcast(ty, x)
    }

    /// The float with these bits.
    #[inline(always)]
    pub(crate) fn float_of_bits(&mut self, bits: E::Value) -> E::Value {
        self.e.bitcast(self.ty, bits)
    }

    /// An integer, shifted left.
    #[inline(always)]
    pub(crate) fn shl(&mut self, bits: E::Value, count: i64) -> E::Value {
        let count = self.int(count);
        self.e.binary(BinaryOp::Shl, bits, count)
    }

    /// An integer, shifted right, zeros in.
    #[inline(always)]
    pub(crate) fn shr(&mut self, bits: E::Value, count: i64) -> E::Value {
        let count = self.int(count);
        self.e.binary(BinaryOp::Shr, bits, count)
    }

    /// `2^n` from `n + magic + bias`: the low bits are the stored exponent, the others are shifted out.
    #[inline(always)]
    pub(crate) fn power_of_two(&mut self, biased: E::Value) -> E::Value {
        let bits = self.bits_of(biased);
        let count = self.fraction_bits();
        let bits = self.shl(bits, count);
        self.float_of_bits(bits)
    }

    /// The sign bit of `x` alone, as an integer.
    #[inline(always)]
    pub(crate) fn sign_bit(&mut self, x: E::Value) -> E::Value {
        let bits = self.bits_of(x);
        let mask = if self.is_double() { i64::MIN } else { i64::from(i32::MIN) };
        let mask = self.int(mask);
        self.and(bits, mask)
    }

    /// `x` with its sign flipped where `sign` (a [`sign_bit`](Self::sign_bit)) is set.
    #[inline(always)]
    pub(crate) fn flip(&mut self, x: E::Value, sign: E::Value) -> E::Value {
        let bits = self.bits_of(x);
        let bits = self.xor(bits, sign);
        self.float_of_bits(bits)
    }
}
