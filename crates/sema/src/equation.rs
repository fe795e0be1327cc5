//! Equations: right-hand sides typed, left sides such as `tau*dv/dt + v` solved for the derivative.

use neuropil_base::{Diagnostic, Diagnostics, ScalarType, Span};
use neuropil_model::{Expr, Extent};
use neuropil_syntax::{BinaryOp, Equation, EquationKind, Expr as Ast, ExprKind as AstKind, UnaryOp};
use neuropil_units::Dimension;

use crate::code;
use crate::dim::{Dim, advice};
use crate::scope::{Sites, Symbol};
use crate::typing::{Rules, Typed, Typer, in_unit, literal};

/// What one equation says.
pub(crate) enum Meaning {
    /// The derivative.
    Derivative(Expr),
    /// The value.
    Value(Expr),
    /// Nothing: a parameter, or an equation that was refused.
    Nothing,
}

impl Typer<'_> {
    /// The meaning of the equation that defines `symbol`.
    pub(crate) fn equation(&mut self, equation: &Equation, symbol: &Symbol) -> Meaning {
        let name = equation.name.value.as_str();
        let shared = (symbol.extent == Extent::Shared).then(|| name.to_owned());
        let derivative = Some((name.to_owned(), symbol.dim.div(Dim::Known(Dimension::SECOND))));
        self.rules = Rules { noise: true, shared, derivative, initial_of: None };
        match &equation.kind {
            EquationKind::Parameter => Meaning::Nothing,
            EquationKind::Subexpression(e) => {
                self.rules.derivative = None;
                // White noise has no value at a time that could be kept.
                self.rules.noise = equation.flag("constant over dt").is_none();
                let typed = self.check(e);
                self.fitting(name, symbol, typed, e.span).map_or(Meaning::Nothing, Meaning::Value)
            }
            EquationKind::Differential(e) => {
                self.rules.derivative = None;
                let typed = self.check(e);
                self.derivative_of(name, symbol, &typed, e.span).map_or(Meaning::Nothing, Meaning::Derivative)
            }
            EquationKind::Implicit { lhs, rhs } => {
                self.implicit(name, symbol, lhs, rhs).map_or(Meaning::Nothing, Meaning::Derivative)
            }
        }
    }

    /// `typed` as the derivative of `name`.
    fn derivative_of(&mut self, name: &str, symbol: &Symbol, typed: &Typed, span: Span) -> Option<Expr> {
        let rate = symbol.dim.div(Dim::Known(Dimension::SECOND));
        if let (Dim::Known(expected), Dim::Known(found)) = (rate, typed.dim)
            && expected != found
        {
            self.out.push(
                Diagnostic::error(
                    code::UNITS,
                    span,
                    format!("`d{name}/dt` is in `{expected}`, its right side in `{found}`"),
                )
                .label(in_unit(found).trim_start())
                .help(if Dim::Known(found) == symbol.dim {
                    "divide the right side by a time constant".to_owned()
                } else {
                    advice(expected, found)
                }),
            );
            return None;
        }
        if typed.dim == Dim::Unknown || symbol.dim == Dim::Unknown {
            return None;
        }
        if typed.expr.ty == ScalarType::Bool {
            self.out.push(
                Diagnostic::error(
                    code::TYPE,
                    span,
                    format!("`d{name}/dt` must be a number, not a condition"),
                )
                .label("a truth value")
                .help("write `int(...)` around it to count it as 0 or 1"),
            );
            return None;
        }
        Some(self.world.arith.convert(typed.expr.clone(), symbol.ty))
    }

    /// `lhs = rhs`, solved for the derivative of `name`.
    fn implicit(&mut self, name: &str, symbol: &Symbol, lhs: &Ast, rhs: &Ast) -> Option<Expr> {
        // Both sides are checked as they were written, so that mistakes are shown where they are.
        let before = self.out.len();
        let (left, right) = (self.check(lhs), self.check(rhs));
        if let Err((a, b)) = left.dim.unify(right.dim) {
            self.out.push(
                Diagnostic::error(
                    code::UNITS,
                    rhs.span,
                    format!("the left side is in `{a}`, the right side in `{b}`"),
                )
                .label(in_unit(b).trim_start())
                .related(lhs.span, in_unit(a).trim_start())
                .help(advice(a, b)),
            );
        }
        self.rules.derivative = None;
        let refuse = |typer: &mut Self, span: Span, label: &str| {
            typer.out.push(
                Diagnostic::error(
                    code::NOT_SOLVABLE,
                    span,
                    format!("the equation cannot be solved for `d{name}/dt`"),
                )
                .label(label)
                .help(format!("write it as `d{name}/dt = ...`")),
            );
            None
        };
        let (a, b) = match (affine(lhs), affine(rhs)) {
            (Err(span), _) | (_, Err(span)) => {
                return refuse(
                    self,
                    span,
                    "the derivative is neither a plain term here nor one with a factor",
                );
            }
            (Ok(a), Ok(b)) => (a, b),
        };
        let factor = difference(a.factor, b.factor);
        let factor = factor.filter(|f| {
            // What is wrong with the factor has been said.
            let (mut unheard, mut unused) = (Diagnostics::new(), Sites::default());
            let typed = Typer::new(self.world, self.home, &mut unheard, &mut unused).check(f);
            typed.expr.as_real() != Some(0.0)
        });
        let Some(factor) = factor else { return refuse(self, lhs.span, "the factor of the derivative is 0") };
        let solved = match difference(b.rest, a.rest) {
            None => Ast::new(AstKind::Integer(0), rhs.span),
            Some(rest) if literal(&factor) == Some(1.0) => rest,
            Some(rest) => join(BinaryOp::Div, rest, factor),
        };
        if self.out.len() > before {
            return None;
        }
        let typed = self.check(&solved);
        self.derivative_of(name, symbol, &typed, rhs.span)
    }
}

/// `factor * derivative + rest`; what is missing is 0.
struct Affine {
    factor: Option<Ast>,
    rest: Option<Ast>,
}

/// Takes an expression apart; the place of a derivative that is no linear term if it cannot.
fn affine(e: &Ast) -> Result<Affine, Span> {
    let mut derivative = None;
    e.walk(&mut |part| {
        if matches!(part.kind, AstKind::Derivative(_)) {
            derivative = Some(part.span);
        }
    });
    let Some(place) = derivative else { return Ok(Affine { factor: None, rest: Some(e.clone()) }) };
    match &e.kind {
        AstKind::Derivative(_) => {
            Ok(Affine { factor: Some(Ast::new(AstKind::Integer(1), e.span)), rest: None })
        }
        AstKind::Unary(UnaryOp::Plus, a) => affine(a),
        AstKind::Unary(UnaryOp::Neg, a) => {
            let a = affine(a)?;
            Ok(Affine { factor: a.factor.map(negative), rest: a.rest.map(negative) })
        }
        AstKind::Binary(BinaryOp::Add, a, b) => {
            let (a, b) = (affine(a)?, affine(b)?);
            Ok(Affine { factor: total(a.factor, b.factor), rest: total(a.rest, b.rest) })
        }
        AstKind::Binary(BinaryOp::Sub, a, b) => {
            let (a, b) = (affine(a)?, affine(b)?);
            Ok(Affine { factor: difference(a.factor, b.factor), rest: difference(a.rest, b.rest) })
        }
        AstKind::Binary(BinaryOp::Mul, a, b) => {
            let (x, y) = (affine(a)?, affine(b)?);
            match (x.factor, y.factor) {
                (Some(f), None) => Ok(Affine {
                    factor: Some(times(f, (**b).clone())),
                    rest: x.rest.map(|r| times(r, (**b).clone())),
                }),
                (None, Some(f)) => Ok(Affine {
                    factor: Some(times((**a).clone(), f)),
                    rest: y.rest.map(|r| times((**a).clone(), r)),
                }),
                (Some(_), Some(_)) | (None, None) => Err(place),
            }
        }
        AstKind::Binary(BinaryOp::Div, a, b) => {
            let (x, y) = (affine(a)?, affine(b)?);
            if y.factor.is_some() {
                return Err(place);
            }
            let over = |e: Ast| join(BinaryOp::Div, e, (**b).clone());
            Ok(Affine { factor: x.factor.map(over), rest: x.rest.map(over) })
        }
        AstKind::Integer(_)
        | AstKind::Real(_)
        | AstKind::Boolean(_)
        | AstKind::Name(_)
        | AstKind::Unary(UnaryOp::Not, _)
        | AstKind::Binary(..)
        | AstKind::Call { .. }
        | AstKind::Conditional { .. }
        | AstKind::Error => Err(place),
    }
}

fn join(op: BinaryOp, a: Ast, b: Ast) -> Ast {
    let span = a.span.to(b.span);
    Ast::new(AstKind::Binary(op, Box::new(a), Box::new(b)), span)
}

fn times(a: Ast, b: Ast) -> Ast {
    match (literal(&a) == Some(1.0), literal(&b) == Some(1.0)) {
        (true, _) => b,
        (_, true) => a,
        _ => join(BinaryOp::Mul, a, b),
    }
}

fn negative(e: Ast) -> Ast {
    let span = e.span;
    Ast::new(AstKind::Unary(UnaryOp::Neg, Box::new(e)), span)
}

fn total(a: Option<Ast>, b: Option<Ast>) -> Option<Ast> {
    match (a, b) {
        (Some(a), Some(b)) => Some(join(BinaryOp::Add, a, b)),
        (a, b) => a.or(b),
    }
}

fn difference(a: Option<Ast>, b: Option<Ast>) -> Option<Ast> {
    match (a, b) {
        (Some(a), Some(b)) => Some(join(BinaryOp::Sub, a, b)),
        (a, None) => a,
        (None, Some(b)) => Some(negative(b)),
    }
}
