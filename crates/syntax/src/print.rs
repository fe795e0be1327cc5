//! Trees to canonical text: the fewest parentheses, one space around operators but `**`, conditionals in
//! Python's order, numbers with the fewest digits that give the same value.

use std::fmt;

use crate::ast::{
    AssignOp, BinaryOp, Block, Equation, EquationKind, Equations, Expr, ExprKind, Flag, Stmt, UnaryOp,
};
use crate::expression::{NOT, SIGN, precedence};

/// Binds as tightly as a name or a parenthesis.
const ATOM: u8 = 9;
/// The operand of a conditional: anything but a conditional.
const OPERATORS: u8 = 1;

/// Prints an expression; `derivatives` says whether `dv/dt` will be read as a derivative.
struct Printer<'a> {
    expr: &'a Expr,
    derivatives: bool,
}

impl fmt::Display for Printer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |expr, least| Operand { printer: Printer { expr, derivatives: self.derivatives }, least };
        match &self.expr.kind {
            ExprKind::Integer(value) => write!(f, "{value}"),
            ExprKind::Real(value) if value.is_finite() => write!(f, "{value:?}"),
            ExprKind::Real(value) if value.is_nan() => f.write_str("nan"),
            ExprKind::Real(value) => f.write_str(if *value > 0.0 { "inf" } else { "-inf" }),
            ExprKind::Boolean(true) => f.write_str("True"),
            ExprKind::Boolean(false) => f.write_str("False"),
            ExprKind::Name(name) => f.write_str(name),
            ExprKind::Derivative(variable) => write!(f, "d{variable}/dt"),
            ExprKind::Unary(op @ UnaryOp::Not, a) => write!(f, "{op} {}", at(a, NOT)),
            ExprKind::Unary(op @ (UnaryOp::Neg | UnaryOp::Plus), a) => write!(f, "{op}{}", at(a, SIGN)),
            ExprKind::Binary(op @ BinaryOp::Pow, a, b) => write!(f, "{}{op}{}", at(a, ATOM), at(b, SIGN)),
            ExprKind::Binary(op @ BinaryOp::Div, a, b) if self.derivatives && starts_with_dt(b) => {
                write!(f, "{} {op} ({})", at(a, precedence(*op)), at(b, 0))
            }
            ExprKind::Binary(op, a, b) => {
                let level = precedence(*op);
                // Comparisons chain, so a comparison inside one needs its parentheses on both sides.
                let left = if op.is_comparison() { level + 1 } else { level };
                write!(f, "{} {op} {}", at(a, left), at(b, level + 1))
            }
            ExprKind::Call { function, args } => {
                write!(f, "{function}(")?;
                for (i, arg) in args.iter().enumerate() {
                    write!(f, "{}{}", if i > 0 { ", " } else { "" }, at(arg, 0))?;
                }
                f.write_str(")")
            }
            ExprKind::Conditional { condition, then, otherwise } => {
                let (then, condition) = (at(then, OPERATORS), at(condition, OPERATORS));
                write!(f, "{then} if {condition} else {}", at(otherwise, 0))
            }
            ExprKind::Error => f.write_str("<error>"),
        }
    }
}

/// An expression where nothing looser than `least` may stand without parentheses.
struct Operand<'a> {
    printer: Printer<'a>,
    least: u8,
}

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if level(self.printer.expr) < self.least {
            write!(f, "({})", self.printer)
        } else {
            self.printer.fmt(f)
        }
    }
}

/// How tightly the printed text of an expression holds together.
fn level(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Integer(value) if *value < 0 => SIGN,
        ExprKind::Real(value) if value.is_sign_negative() && !value.is_nan() => SIGN,
        ExprKind::Integer(_)
        | ExprKind::Real(_)
        | ExprKind::Boolean(_)
        | ExprKind::Name(_)
        | ExprKind::Derivative(_)
        | ExprKind::Call { .. }
        | ExprKind::Error => ATOM,
        ExprKind::Unary(UnaryOp::Neg | UnaryOp::Plus, _) => SIGN,
        ExprKind::Unary(UnaryOp::Not, _) => NOT,
        ExprKind::Binary(op, ..) => precedence(*op),
        ExprKind::Conditional { .. } => 0,
    }
}

/// Whether a divisor would make a derivative of a name before it.
fn starts_with_dt(divisor: &Expr) -> bool {
    match &divisor.kind {
        ExprKind::Name(name) => name == "dt",
        ExprKind::Binary(BinaryOp::Pow, base, _) => base.as_name() == Some("dt"),
        ExprKind::Binary(..)
        | ExprKind::Integer(_)
        | ExprKind::Real(_)
        | ExprKind::Boolean(_)
        | ExprKind::Derivative(_)
        | ExprKind::Unary(..)
        | ExprKind::Call { .. }
        | ExprKind::Conditional { .. }
        | ExprKind::Error => false,
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer { expr: self, derivatives: false }.fmt(f)
    }
}

impl fmt::Display for UnaryOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

impl fmt::Display for BinaryOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

impl fmt::Display for AssignOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

impl fmt::Display for Stmt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.target.value, self.op, self.value)
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        lines(f, &self.statements)
    }
}

impl fmt::Display for Equation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name.value;
        match &self.kind {
            EquationKind::Differential(rhs) => write!(f, "d{name}/dt = {rhs}")?,
            EquationKind::Implicit { lhs, rhs } => {
                let [lhs, rhs] = [lhs, rhs].map(|expr| Printer { expr, derivatives: true });
                write!(f, "{lhs} = {rhs}")?;
            }
            EquationKind::Subexpression(rhs) => write!(f, "{name} = {rhs}")?,
            EquationKind::Parameter => write!(f, "{name}")?,
        }
        if let Some(unit) = &self.unit {
            write!(f, " : {unit}")?;
        }
        for (i, flag) in self.flags.iter().enumerate() {
            write!(f, "{}{flag}", if i == 0 { " (" } else { ", " })?;
        }
        f.write_str(if self.flags.is_empty() { "" } else { ")" })
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for Equations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        lines(f, &self.list)
    }
}

/// One line each, without a line end behind the last.
fn lines<T: fmt::Display>(f: &mut fmt::Formatter<'_>, list: &[T]) -> fmt::Result {
    for (i, item) in list.iter().enumerate() {
        write!(f, "{}{item}", if i > 0 { "\n" } else { "" })?;
    }
    Ok(())
}
