//! The operations that every machine has and that mean the same on all of them.
//!
//! A kernel is made of these and of nothing else once its function calls are expanded. Each is either
//! an IEEE 754 operation (rounded to nearest, subnormals kept) or exact on integers, so that the
//! interpreter, the CPU and the GPU agree bit for bit. `neuropil_math::scalar` says what each means.

use neuropil_base::{Scalar, ScalarType};

/// One operand, result of the same type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum UnaryOp {
    /// Floats: the sign bit flipped. Integers: two's complement, wrapping.
    Neg,
    /// Floats: the sign bit cleared. Integers: wrapping (`abs(MIN) = MIN`).
    Abs,
    /// Floats: the correctly rounded square root.
    Sqrt,
    /// Floats: towards minus infinity.
    Floor,
    /// Floats: towards plus infinity.
    Ceil,
    /// Floats: towards zero.
    Trunc,
    /// `bool`: negation. Integers: all bits flipped.
    Not,
}

/// Two operands of one type, result of that type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BinaryOp {
    /// Sum; integers wrap.
    Add,
    /// Difference; integers wrap.
    Sub,
    /// Product; integers wrap.
    Mul,
    /// Floats: quotient. Integers: rounded towards minus infinity; division by zero gives 0, `MIN / -1`
    /// wraps.
    Div,
    /// Integers only: what is left of [`Div`](Self::Div), with the sign of the divisor; 0 for a zero divisor.
    Rem,
    /// `a < b ? a : b`: the second operand when one is NaN (or when both are zeros).
    Min,
    /// `a > b ? a : b`: the second operand when one is NaN (or when both are zeros).
    Max,
    /// `bool` and integers: bitwise and.
    And,
    /// `bool` and integers: bitwise or.
    Or,
    /// `bool` and integers: bitwise exclusive or.
    Xor,
    /// Integers: shifted left; the count is taken modulo the width.
    Shl,
    /// Integers: shifted right, zeros in; the count is taken modulo the width.
    Shr,
    /// Integers: shifted right, sign bits in; the count is taken modulo the width.
    Sar,
}

/// Two operands of one type, a `bool` result. With a NaN operand only [`Ne`](Self::Ne) holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CompareOp {
    /// Equal; 0.0 equals -0.0.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
}

/// Something that operations can be given to, one after the other: a kernel under construction, or
/// the scalar evaluator. Expansions are written once against this trait.
///
/// Operands have the types that the operation asks for; implementors may assume it.
pub trait Emit {
    /// A value that an operation gave.
    type Value: Copy;

    /// The type of a value.
    fn ty(&self, value: Self::Value) -> ScalarType;
    /// A constant.
    fn constant(&mut self, value: Scalar) -> Self::Value;
    /// One operand.
    fn unary(&mut self, op: UnaryOp, a: Self::Value) -> Self::Value;
    /// Two operands of one type.
    fn binary(&mut self, op: BinaryOp, a: Self::Value, b: Self::Value) -> Self::Value;
    /// A comparison of two operands of one type.
    fn compare(&mut self, op: CompareOp, a: Self::Value, b: Self::Value) -> Self::Value;
    /// `a * b + c`, rounded once; floats.
    fn fma(&mut self, a: Self::Value, b: Self::Value, c: Self::Value) -> Self::Value;
    /// `condition ? a : b`, both evaluated.
    fn select(&mut self, condition: Self::Value, a: Self::Value, b: Self::Value) -> Self::Value;
    /// The value converted to `ty`: to floats rounded to nearest; floats to integers truncated, saturating,
    /// NaN to 0; integers wrap; `bool` is 0 or 1; to `bool` means "is not zero".
    fn convert(&mut self, ty: ScalarType, a: Self::Value) -> Self::Value;
    /// The same bits as another type of the same size.
    fn bitcast(&mut self, ty: ScalarType, a: Self::Value) -> Self::Value;
}
