//! Symbolic derivatives of expressions.
//!
//! What has steps (rounding, comparisons, integers, timed arrays) has the derivative 0.

use neuropil_math::{BinaryOp, CompareOp, Function, UnaryOp};
use neuropil_model::{Expr, ExprKind};
use neuropil_syntax::{BinaryOp as Operator, ExprKind as Syntax, UnaryOp as Prefix, parse_expression};

use crate::algebra::{Algebra, is_zero};

/// The derivative of `e` by what `by` holds for; floats.
pub(crate) fn derivative(algebra: Algebra, e: &Expr, by: &impl Fn(&Expr) -> bool) -> Expr {
    if by(e) {
        return Expr::real(1.0, e.ty);
    }
    if !e.ty.is_float() || !e.any(&mut |part| by(part)) {
        return algebra.zero();
    }
    let d = |part: &Expr| derivative(algebra, part, by);
    let copy = |part: &Expr| part.clone();
    match &e.kind {
        ExprKind::Unary(op, a) => match op {
            UnaryOp::Neg => algebra.neg(d(a)),
            UnaryOp::Sqrt => chain(algebra, Function::Sqrt, std::slice::from_ref(a), &d),
            UnaryOp::Abs => chain(algebra, Function::Abs, std::slice::from_ref(a), &d),
            UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc | UnaryOp::Not => algebra.zero(),
        },
        ExprKind::Binary(op, a, b) => match op {
            BinaryOp::Add => algebra.add(d(a), d(b)),
            BinaryOp::Sub => algebra.sub(d(a), d(b)),
            BinaryOp::Mul => algebra.add(algebra.mul(d(a), copy(b)), algebra.mul(copy(a), d(b))),
            BinaryOp::Div => {
                let inner = algebra.sub(d(a), algebra.mul(e.clone(), d(b)));
                algebra.div(inner, copy(b))
            }
            BinaryOp::Min => {
                let first = algebra.arith.compare(CompareOp::Lt, copy(a), copy(b));
                algebra.arith.select(first, d(a), d(b))
            }
            BinaryOp::Max => {
                let first = algebra.arith.compare(CompareOp::Gt, copy(a), copy(b));
                algebra.arith.select(first, d(a), d(b))
            }
            BinaryOp::Rem
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::Shr
            | BinaryOp::Sar => algebra.zero(),
        },
        ExprKind::Select(c, a, b) => algebra.arith.select(copy(c), d(a), d(b)),
        ExprKind::Convert(a) => algebra.arith.convert(d(a), e.ty),
        ExprKind::Call(function, args) => chain(algebra, *function, args, &d),
        ExprKind::Constant(_)
        | ExprKind::Variable(_)
        | ExprKind::Local(_)
        | ExprKind::Time
        | ExprKind::TimeStep
        | ExprKind::Step
        | ExprKind::Index(_)
        | ExprKind::Compare(..)
        | ExprKind::Random(_)
        | ExprKind::Noise(_)
        | ExprKind::Table { .. } => algebra.zero(),
    }
}

/// The chain rule, with the function's derivatives as the table of functions states them.
fn chain<A: std::borrow::Borrow<Expr>>(
    algebra: Algebra,
    function: Function,
    args: &[A],
    d: &impl Fn(&Expr) -> Expr,
) -> Expr {
    let args: Vec<Expr> = args.iter().map(|a| a.borrow().clone()).collect();
    let terms = args.iter().enumerate().map(|(position, arg)| {
        let inner = d(arg);
        let Some(text) = function.derivative(position).filter(|_| !is_zero(&inner)) else {
            return algebra.zero();
        };
        let (tree, _) = parse_expression(&text.into());
        let outer = outer(algebra, &tree, &args).unwrap_or_else(|| algebra.real(f64::NAN));
        algebra.mul(outer, inner)
    });
    algebra.sum(terms)
}

/// A derivative's text as an expression in the function's arguments `x`, `y`, `z`. Every text of the table
/// has one; a test holds that.
fn outer(algebra: Algebra, tree: &neuropil_syntax::Expr, args: &[Expr]) -> Option<Expr> {
    let arith = algebra.arith;
    let inner = |tree: &neuropil_syntax::Expr| outer(algebra, tree, args);
    Some(match &tree.kind {
        Syntax::Integer(value) => algebra.real(*value as f64),
        Syntax::Real(value) => algebra.real(*value),
        Syntax::Boolean(value) => Expr::boolean(*value),
        Syntax::Name(name) => {
            let position = ["x", "y", "z"].iter().position(|n| n == name)?;
            args.get(position)?.clone()
        }
        Syntax::Unary(Prefix::Neg, a) => algebra.neg(inner(a)?),
        Syntax::Unary(Prefix::Plus, a) => inner(a)?,
        Syntax::Unary(Prefix::Not, a) => arith.not(inner(a)?),
        Syntax::Binary(op, a, b) => {
            let (a, b) = (inner(a)?, inner(b)?);
            match op {
                Operator::Add => algebra.add(a, b),
                Operator::Sub => algebra.sub(a, b),
                Operator::Mul => algebra.mul(a, b),
                Operator::Div => algebra.div(a, b),
                Operator::Pow if b.as_real() == Some(2.0) => algebra.mul(a.clone(), a),
                Operator::Pow if b.as_real() == Some(0.0) => algebra.real(1.0),
                Operator::Pow => arith.pow(a, b),
                Operator::FloorDiv => arith.call(Function::FloorDiv, vec![a, b]),
                Operator::Mod => arith.call(Function::Mod, vec![a, b]),
                Operator::Lt => arith.compare(CompareOp::Lt, a, b),
                Operator::Le => arith.compare(CompareOp::Le, a, b),
                Operator::Gt => arith.compare(CompareOp::Gt, a, b),
                Operator::Ge => arith.compare(CompareOp::Ge, a, b),
                Operator::Eq => arith.compare(CompareOp::Eq, a, b),
                Operator::Ne => arith.compare(CompareOp::Ne, a, b),
                Operator::And => arith.and(a, b),
                Operator::Or => arith.or(a, b),
            }
        }
        Syntax::Call { function, args } => {
            let args: Option<Vec<Expr>> = args.iter().map(inner).collect();
            arith.call(Function::from_name(function)?, args?)
        }
        Syntax::Conditional { condition, then, otherwise } => {
            arith.select(inner(condition)?, inner(then)?, inner(otherwise)?)
        }
        Syntax::Derivative(_) | Syntax::Error => return None,
    })
}

#[cfg(test)]
mod tests {
    use neuropil_base::{Precision, ScalarType};
    use neuropil_model::{Arith, LocalId};

    use super::*;

    #[test]
    fn every_derivative_of_the_table_has_an_expression() {
        let algebra = Algebra::new(Arith::new(Precision::F64));
        let args: Vec<Expr> = (0..3).map(|k| Expr::local(LocalId::new(k), ScalarType::F64)).collect();
        for function in Function::ALL {
            for position in 0..function.arity() {
                let Some(text) = function.derivative(position) else { continue };
                let (tree, diagnostics) = parse_expression(&text.into());
                assert!(diagnostics.is_empty(), "{function}: {text}");
                assert!(outer(algebra, &tree, &args).is_some(), "{function}: {text}");
            }
        }
    }
}
