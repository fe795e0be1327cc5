//! Builds typed expressions: joins the types of operands, folds constants, drops neutral operations.
//!
//! Type rules. Truth values count as integers in arithmetic. Integers joined with floats become floats.
//! `F64` (times) joined with `F32` gives `F32`: a single-precision network computes in single precision
//! unless everything in sight is a time. A constant takes the type of what it is joined with.

use neuropil_base::{Precision, Scalar, ScalarType};
use neuropil_math::{BinaryOp, CompareOp, Function, UnaryOp, host, scalar};

use crate::{Expr, ExprKind};

/// Builds expressions of a network of one precision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arith {
    float: ScalarType,
}

impl Arith {
    /// Expressions of a network of that precision.
    #[must_use]
    pub fn new(precision: Precision) -> Self {
        Self { float: precision.float() }
    }

    /// The type of the network's real variables.
    #[must_use]
    pub fn float(self) -> ScalarType {
        self.float
    }

    /// A real constant.
    #[must_use]
    pub fn real(self, value: f64) -> Expr {
        Expr::real(value, self.float)
    }

    /// `e` as type `ty`; the same expression if it has that type already.
    #[must_use]
    pub fn convert(self, e: Expr, ty: ScalarType) -> Expr {
        if e.ty == ty {
            return e;
        }
        let span = e.span;
        if let Some(value) = e.as_constant() {
            // Real constants stay double until a kernel is made.
            let kept = if ty.is_float() { ScalarType::F64 } else { ty };
            return Expr::new(ExprKind::Constant(scalar::convert(kept, value)), ty).at(span);
        }
        Expr::new(ExprKind::Convert(Box::new(e)), ty).at(span)
    }

    /// `e` as a float: floats keep their type, the others become the network's.
    #[must_use]
    pub fn to_float(self, e: Expr) -> Expr {
        if e.ty.is_float() { e } else { self.convert(e, self.float) }
    }

    /// `e` as a number: truth values become integers.
    #[must_use]
    pub fn to_number(self, e: Expr) -> Expr {
        if e.ty == ScalarType::Bool { self.convert(e, ScalarType::I32) } else { e }
    }

    /// `e` as a truth value: numbers are true if they are not zero.
    #[must_use]
    pub fn to_bool(self, e: Expr) -> Expr {
        self.convert(e, ScalarType::Bool)
    }

    /// Both operands as numbers of their common type.
    #[must_use]
    pub fn join(self, a: Expr, b: Expr) -> (Expr, Expr) {
        let (a, b) = (self.to_number(a), self.to_number(b));
        let ty = match (a.ty, b.ty) {
            (x, y) if x == y => x,
            (x, y) if x.is_float() && y.is_float() => match (a.as_constant(), b.as_constant()) {
                (Some(_), None) => y,
                (None, Some(_)) => x,
                _ => ScalarType::F32,
            },
            (x, _) if x.is_float() => x,
            (_, y) if y.is_float() => y,
            _ => ScalarType::I64,
        };
        (self.convert(a, ty), self.convert(b, ty))
    }

    /// `a + b`
    #[must_use]
    pub fn add(self, a: Expr, b: Expr) -> Expr {
        if is_real(&b, 0.0) && a.ty.is_float() {
            return a;
        }
        if is_real(&a, 0.0) && b.ty.is_float() {
            return b;
        }
        let (a, b) = self.join(a, b);
        self.binary(BinaryOp::Add, a, b)
    }

    /// `a - b`
    #[must_use]
    pub fn sub(self, a: Expr, b: Expr) -> Expr {
        if is_real(&b, 0.0) && a.ty.is_float() {
            return a;
        }
        if is_real(&a, 0.0) && b.ty.is_float() {
            return self.neg(b);
        }
        let (a, b) = self.join(a, b);
        self.binary(BinaryOp::Sub, a, b)
    }

    /// `a * b`
    #[must_use]
    pub fn mul(self, a: Expr, b: Expr) -> Expr {
        if is_real(&b, 1.0) && a.ty.is_float() {
            return a;
        }
        if is_real(&a, 1.0) && b.ty.is_float() {
            return b;
        }
        let (a, b) = self.join(a, b);
        self.binary(BinaryOp::Mul, a, b)
    }

    /// `a / b`, always a float.
    #[must_use]
    pub fn div(self, a: Expr, b: Expr) -> Expr {
        if is_real(&b, 1.0) && a.ty.is_float() {
            return a;
        }
        let (a, b) = (self.to_float(a), self.to_float(b));
        let (a, b) = self.join(a, b);
        self.binary(BinaryOp::Div, a, b)
    }

    /// `-a`
    #[must_use]
    pub fn neg(self, a: Expr) -> Expr {
        let a = self.to_number(a);
        if let ExprKind::Unary(UnaryOp::Neg, inner) = a.kind {
            return *inner;
        }
        let ty = a.ty;
        if let Some(value) = a.as_constant() {
            return Expr::new(ExprKind::Constant(scalar::unary(UnaryOp::Neg, value)), ty);
        }
        Expr::new(ExprKind::Unary(UnaryOp::Neg, Box::new(a)), ty)
    }

    /// `a ** b`; integers raised to integers give a float, as does everything else.
    #[must_use]
    pub fn pow(self, a: Expr, b: Expr) -> Expr {
        if is_real(&b, 1.0) && a.ty.is_float() {
            return a;
        }
        let (a, b) = (self.to_float(a), self.to_float(b));
        let (a, b) = self.join(a, b);
        self.call(Function::Pow, vec![a, b])
    }

    /// A function of the table. Arguments are converted to what the function asks for.
    #[must_use]
    pub fn call(self, function: Function, args: Vec<Expr>) -> Expr {
        let (args, ty) = self.arguments(function, args);
        let constants: Option<Vec<Scalar>> = args.iter().map(Expr::as_constant).collect();
        if let Some(values) = constants {
            let value = match (function, values.as_slice()) {
                (Function::Pow, [x, y]) => Scalar::F64(host::pow(x.to_f64(), y.to_f64())),
                _ => scalar::eval(function, &values),
            };
            return Expr::new(ExprKind::Constant(value), ty);
        }
        Expr::new(ExprKind::Call(function, args), ty)
    }

    /// `condition ? a : b`
    #[must_use]
    pub fn select(self, condition: Expr, a: Expr, b: Expr) -> Expr {
        let condition = self.to_bool(condition);
        let (a, b) = if a.ty == b.ty { (a, b) } else { self.join(a, b) };
        match condition.as_constant() {
            Some(Scalar::Bool(true)) => a,
            Some(_) => b,
            None if a == b => a,
            None => {
                let ty = a.ty;
                Expr::new(ExprKind::Select(Box::new(condition), Box::new(a), Box::new(b)), ty)
            }
        }
    }

    /// A comparison.
    #[must_use]
    pub fn compare(self, op: CompareOp, a: Expr, b: Expr) -> Expr {
        let (a, b) = if a.ty == b.ty { (a, b) } else { self.join(a, b) };
        if let (Some(x), Some(y)) = (a.as_constant(), b.as_constant()) {
            return Expr::new(ExprKind::Constant(Scalar::Bool(scalar::compare(op, x, y))), ScalarType::Bool);
        }
        Expr::new(ExprKind::Compare(op, Box::new(a), Box::new(b)), ScalarType::Bool)
    }

    /// `a and b`
    #[must_use]
    pub fn and(self, a: Expr, b: Expr) -> Expr {
        self.logical(BinaryOp::And, a, b)
    }

    /// `a or b`
    #[must_use]
    pub fn or(self, a: Expr, b: Expr) -> Expr {
        self.logical(BinaryOp::Or, a, b)
    }

    /// `not a`
    #[must_use]
    pub fn not(self, a: Expr) -> Expr {
        let a = self.to_bool(a);
        if let Some(value) = a.as_constant() {
            return Expr::new(ExprKind::Constant(scalar::unary(UnaryOp::Not, value)), ScalarType::Bool);
        }
        Expr::new(ExprKind::Unary(UnaryOp::Not, Box::new(a)), ScalarType::Bool)
    }

    fn logical(self, op: BinaryOp, a: Expr, b: Expr) -> Expr {
        let (a, b) = (self.to_bool(a), self.to_bool(b));
        let neutral = op == BinaryOp::And;
        match (a.as_constant(), b.as_constant()) {
            (Some(Scalar::Bool(x)), _) => {
                if x == neutral {
                    b
                } else {
                    a
                }
            }
            (_, Some(Scalar::Bool(y))) => {
                if y == neutral {
                    a
                } else {
                    b
                }
            }
            _ => Expr::new(ExprKind::Binary(op, Box::new(a), Box::new(b)), ScalarType::Bool),
        }
    }

    /// Two operands of one type already.
    fn binary(self, op: BinaryOp, a: Expr, b: Expr) -> Expr {
        let ty = a.ty;
        if let (Some(x), Some(y)) = (a.as_constant(), b.as_constant()) {
            return Expr::new(ExprKind::Constant(scalar::binary(op, x, y)), ty);
        }
        Expr::new(ExprKind::Binary(op, Box::new(a), Box::new(b)), ty)
    }

    /// The arguments converted to what `function` asks for, and the type of its result.
    fn arguments(self, function: Function, args: Vec<Expr>) -> (Vec<Expr>, ScalarType) {
        use neuropil_math::Signature;
        match function.signature() {
            Signature::Float => {
                let args = self.join_all(args.into_iter().map(|a| self.to_float(a)).collect());
                let ty = args.first().map_or(self.float, |a| a.ty);
                (args, ty)
            }
            Signature::Same => {
                let args = self.join_all(args);
                let ty = args.first().map_or(self.float, |a| a.ty);
                (args, ty)
            }
            Signature::Integer => (args.into_iter().map(|a| self.to_number(a)).collect(), ScalarType::I32),
            Signature::Timestep => {
                (args.into_iter().map(|a| self.convert(a, ScalarType::F64)).collect(), ScalarType::I32)
            }
        }
    }

    fn join_all(self, mut args: Vec<Expr>) -> Vec<Expr> {
        let Some(mut common) = args.first().cloned() else { return args };
        for arg in &args[1..] {
            let (a, b) = self.join(common, arg.clone());
            common = if a.as_constant().is_some() { b } else { a };
        }
        let ty = self.to_number(common).ty;
        for arg in &mut args {
            let taken = std::mem::replace(arg, Expr::boolean(false));
            *arg = self.convert(taken, ty);
        }
        args
    }
}

/// Whether `e` is a constant float equal to `value`.
fn is_real(e: &Expr, value: f64) -> bool {
    matches!(e.as_constant(), Some(Scalar::F64(x)) if x == value)
        || matches!(e.as_constant(), Some(Scalar::I32(i)) if f64::from(i) == value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LocalId, Side};

    const A: Arith = Arith { float: ScalarType::F32 };

    fn x() -> Expr {
        Expr::local(LocalId::new(0), ScalarType::F32)
    }

    #[test]
    fn constants_fold_in_double_precision() {
        let third = A.div(A.real(1.0), A.real(3.0));
        assert_eq!(third.as_real(), Some(1.0 / 3.0));
        assert_eq!(third.ty, ScalarType::F32);
    }

    #[test]
    fn a_time_joined_with_a_single_is_a_single() {
        let t = Expr::new(ExprKind::Time, ScalarType::F64);
        assert_eq!(A.mul(t.clone(), x()).ty, ScalarType::F32);
        assert_eq!(A.mul(t.clone(), A.real(2.0)).ty, ScalarType::F64);
        assert_eq!(A.sub(t.clone(), t).ty, ScalarType::F64);
    }

    #[test]
    fn integers_and_truth_values_become_what_arithmetic_needs() {
        let i = Expr::new(ExprKind::Index(Side::Own), ScalarType::I32);
        let b = A.compare(CompareOp::Lt, i.clone(), Expr::integer(3));
        assert_eq!(b.ty, ScalarType::Bool);
        assert_eq!(A.add(b, i.clone()).ty, ScalarType::I32);
        assert_eq!(A.div(i.clone(), Expr::integer(2)).ty, ScalarType::F32);
        assert_eq!(A.mul(i, x()).ty, ScalarType::F32);
    }

    #[test]
    fn neutral_operations_vanish() {
        assert_eq!(A.add(x(), A.real(0.0)), x());
        assert_eq!(A.mul(A.real(1.0), x()), x());
        assert_eq!(A.neg(A.neg(x())), x());
        assert_eq!(A.and(Expr::boolean(true), A.to_bool(x())), A.to_bool(x()));
    }
}
