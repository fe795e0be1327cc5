//! Divisions as multiplications where that is the same but for rounding: on most processors a division takes as long as a
//! dozen of them.
//!
//! `x/c` becomes `x*(1/c)` for a constant `c`, and `x/exprel(y)`, as rates of gates are written, `x*per_exprel(y)`, which
//! divides once where there were two divisions. The last bits may differ. That is less than an integrator's own rounding, but it could be
//! seen where a value is compared or cut to a whole number: `int(t/(5*ms))`. So only what reaches new values of
//! variables through continuous functions is changed.

use neuropil_base::Scalar;
use neuropil_math::{BinaryOp, Function, UnaryOp};
use neuropil_model::{Block, Expr, ExprKind, LocalId, Statement};

/// Changes the divisions of a block.
pub(crate) fn multiply(block: &mut Block) {
    let mut exact: Vec<bool> = vec![false; block.locals.len()];
    // What an exact value is computed from is exact, too; a local is defined before it is used.
    for statement in block.statements.iter().rev() {
        let (value, is_exact) = match statement {
            Statement::Let { local, value } => (value, exact[local.index()]),
            Statement::Assign { value, .. } => (value, !value.ty.is_float()),
        };
        used(value, is_exact, &mut |local| exact[local.index()] = true);
    }
    for statement in &mut block.statements {
        match statement {
            Statement::Let { local, value } if !exact[local.index()] => change(value),
            Statement::Let { .. } => {}
            Statement::Assign { value, .. } => change(value),
        }
    }
}

/// Whether small changes of an argument change the value little.
fn is_continuous(function: Function) -> bool {
    function != Function::Mod && (0..3).any(|k| function.derivative(k).is_some())
}

/// Calls `mark` for the locals that must keep their bits, if the expression must, or parts of it.
fn used(e: &Expr, exact: bool, mark: &mut impl FnMut(LocalId)) {
    let inner = match &e.kind {
        ExprKind::Local(local) => {
            if exact {
                mark(*local);
            }
            return;
        }
        ExprKind::Unary(UnaryOp::Neg, _)
        | ExprKind::Binary(BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div, ..) => {
            exact || !e.ty.is_float()
        }
        ExprKind::Call(function, _) => exact || !is_continuous(*function),
        ExprKind::Select(condition, a, b) => {
            used(condition, true, mark);
            used(a, exact, mark);
            used(b, exact, mark);
            return;
        }
        ExprKind::Constant(_)
        | ExprKind::Variable(_)
        | ExprKind::Time
        | ExprKind::TimeStep
        | ExprKind::Step
        | ExprKind::Index(_)
        | ExprKind::Unary(..)
        | ExprKind::Binary(..)
        | ExprKind::Compare(..)
        | ExprKind::Convert(_)
        | ExprKind::Random(_)
        | ExprKind::Noise(_)
        | ExprKind::Table { .. } => true,
    };
    e.children().into_iter().for_each(|child| used(child, inner, mark));
}

/// Changes the divisions that reach the value of the expression continuously.
fn change(e: &mut Expr) {
    if !e.ty.is_float() {
        return;
    }
    match &mut e.kind {
        ExprKind::Unary(UnaryOp::Neg, a) => change(a),
        ExprKind::Binary(op @ (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div), a, b) => {
            change(a);
            change(b);
            let divisor = if *op == BinaryOp::Div { b.as_real() } else { None };
            if let Some(inverse) = divisor.map(f64::recip).filter(|r| r.is_normal()) {
                *op = BinaryOp::Mul;
                b.kind = ExprKind::Constant(Scalar::F64(inverse));
            }
            if let (BinaryOp::Div, ExprKind::Call(function @ Function::Exprel, _)) = (&*op, &mut b.kind) {
                *op = BinaryOp::Mul;
                *function = Function::PerExprel;
            }
        }
        ExprKind::Call(function, args) if is_continuous(*function) => args.iter_mut().for_each(change),
        ExprKind::Select(_, a, b) => {
            change(a);
            change(b);
        }
        ExprKind::Constant(_)
        | ExprKind::Variable(_)
        | ExprKind::Local(_)
        | ExprKind::Time
        | ExprKind::TimeStep
        | ExprKind::Step
        | ExprKind::Index(_)
        | ExprKind::Unary(..)
        | ExprKind::Binary(..)
        | ExprKind::Compare(..)
        | ExprKind::Convert(_)
        | ExprKind::Call(..)
        | ExprKind::Random(_)
        | ExprKind::Noise(_)
        | ExprKind::Table { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use neuropil_base::{Precision, ScalarType};
    use neuropil_model::Arith;

    use super::*;

    /// `x/3` of a local, and what `change` makes of some use of it.
    fn third(arith: Arith, block: &mut Block) -> Expr {
        let x = block.define("x", Expr::real(2.0, ScalarType::F64));
        let third = Expr::real(3.0, ScalarType::F64);
        block.define("third", arith.div(x, third))
    }

    fn divides(block: &Block) -> bool {
        let is_div = |e: &Expr| matches!(e.kind, ExprKind::Binary(BinaryOp::Div, ..));
        block.expressions().any(|e| e.any(&mut |e| is_div(e)))
    }

    #[test]
    fn a_rate_over_exprel_is_not_divided_again() {
        let arith = Arith::new(Precision::F64);
        let mut block = Block::new();
        let x = block.define("x", Expr::real(2.0, ScalarType::F64));
        let exprel = arith.call(Function::Exprel, vec![x]);
        block.define("rate", arith.div(Expr::real(1.28, ScalarType::F64), exprel));
        multiply(&mut block);
        assert!(!divides(&block));
        let is_reciprocal = |e: &Expr| matches!(e.kind, ExprKind::Call(Function::PerExprel, _));
        assert!(block.expressions().any(|e| e.any(&mut |e| is_reciprocal(e))));
    }

    #[test]
    fn continuous_uses_are_multiplied_and_others_divided() {
        let arith = Arith::new(Precision::F64);
        let mut block = Block::new();
        let third_of = third(arith, &mut block);
        block.define("smooth", arith.call(Function::Exp, vec![third_of]));
        multiply(&mut block);
        assert!(!divides(&block));

        let mut block = Block::new();
        let third_of = third(arith, &mut block);
        let again = block.define("again", arith.mul(third_of, Expr::real(2.0, ScalarType::F64)));
        block.define("whole", arith.call(Function::Floor, vec![again]));
        multiply(&mut block);
        assert!(divides(&block));
    }
}
