//! Short names for the operations of one float type.

use neuropil_base::{Scalar, ScalarType};

use crate::{BinaryOp, CompareOp, Emit, UnaryOp};

/// Emits operations on values of one type.
pub(crate) struct Ops<'e, E: Emit> {
    /// Where operations go.
    pub(crate) e: &'e mut E,
    /// The type of the values.
    pub(crate) ty: ScalarType,
}

/// A method per operation with one operand.
macro_rules! unary {
    ($($name:ident $op:ident),*) => {$(
        #[inline]
        pub(crate) fn $name(&mut self, a: E::Value) -> E::Value {
            self.e.unary(UnaryOp::$op, a)
        }
    )*};
}

/// A method per operation with two operands.
macro_rules! binary {
    ($($name:ident $op:ident),*) => {$(
        #[inline]
        pub(crate) fn $name(&mut self, a: E::Value, b: E::Value) -> E::Value {
            self.e.binary(BinaryOp::$op, a, b)
        }
    )*};
}

/// A method per comparison.
macro_rules! compare {
    ($($name:ident $op:ident),*) => {$(
        #[inline]
        pub(crate) fn $name(&mut self, a: E::Value, b: E::Value) -> E::Value {
            self.e.compare(CompareOp::$op, a, b)
        }
    )*};
}

impl<'e, E: Emit> Ops<'e, E> {
    /// Operations on values of the type of `x`.
    pub(crate) fn new(e: &'e mut E, x: E::Value) -> Self {
        let ty = e.ty(x);
        Self { e, ty }
    }

    unary! { neg Neg, abs Abs, sqrt Sqrt, floor Floor, ceil Ceil, trunc Trunc, not Not }
    binary! { add Add, sub Sub, mul Mul, div Div, rem Rem, min Min, max Max, and And, or Or, xor Xor, shl Shl, shr Shr }
    compare! { eq Eq, ne Ne, lt Lt, le Le, gt Gt, ge Ge }

    /// `x` as a constant of the type.
    #[inline]
    pub(crate) fn c(&mut self, x: f64) -> E::Value {
        self.e.constant(Scalar::from_f64(self.ty, x))
    }

    /// `a * b + c`, rounded once.
    #[inline]
    pub(crate) fn fma(&mut self, a: E::Value, b: E::Value, c: E::Value) -> E::Value {
        self.e.fma(a, b, c)
    }

    /// `condition ? a : b`
    #[inline]
    pub(crate) fn select(&mut self, condition: E::Value, a: E::Value, b: E::Value) -> E::Value {
        self.e.select(condition, a, b)
    }
}
