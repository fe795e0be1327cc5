//! Splits an expression into a constant and coefficients of unknowns, where it is linear in them.
//!
//! Exponential Euler may also take what is not a polynomial, such as `exp(v)` or `1/(1 + v)`, for a coefficient that
//! stands still during the step, as in `m_inf(v)**3*(ENa - v)`; it then is linear in what is left.

use std::collections::BTreeMap;

use neuropil_math::{BinaryOp, Function, UnaryOp};
use neuropil_model::{Expr, ExprKind};

use crate::algebra::{Algebra, is_zero};

/// `constant + sum of coefficient[k] * unknown[k]`; coefficients and constant hold no unknown.
#[derive(Clone, Debug)]
pub(crate) struct Affine {
    /// By the number of the unknown; none is the constant 0.
    pub(crate) coefficients: BTreeMap<usize, Expr>,
    pub(crate) constant: Expr,
}

/// The smallest part of an expression that is not linear in the unknowns.
#[derive(Clone, Debug)]
pub(crate) struct NotLinear {
    pub(crate) term: Expr,
}

/// Takes `e` apart. `unknown` gives the number of an unknown; each stands for `unit * unknown`, so that with
/// `unit = dt` the term `-v/tau` has the coefficient `-(dt/tau)`, rounded as written.
pub(crate) fn affine(
    algebra: Algebra,
    e: &Expr,
    unit: &Expr,
    unknown: &impl Fn(&Expr) -> Option<usize>,
) -> Result<Affine, NotLinear> {
    let split = Split { algebra, unit, unknown, freeze: false };
    let mut result = split.visit(e)?;
    result.coefficients.retain(|_, c| !is_zero(c));
    Ok(result)
}

/// Like [`affine`], but functions of unknowns and divisors with unknowns stand still: coefficients and constant may hold
/// unknowns. At least one unknown has a coefficient.
pub(crate) fn affine_but_for_functions(
    algebra: Algebra,
    e: &Expr,
    unit: &Expr,
    unknown: &impl Fn(&Expr) -> Option<usize>,
) -> Result<Affine, NotLinear> {
    let split = Split { algebra, unit, unknown, freeze: true };
    let mut result = split.visit(e)?;
    result.coefficients.retain(|_, c| !is_zero(c));
    if result.coefficients.is_empty() { Err(NotLinear { term: e.clone() }) } else { Ok(result) }
}

struct Split<'a, F> {
    algebra: Algebra,
    unit: &'a Expr,
    unknown: &'a F,
    /// Whether what is no polynomial of unknowns is a constant.
    freeze: bool,
}

impl<F: Fn(&Expr) -> Option<usize>> Split<'_, F> {
    fn visit(&self, e: &Expr) -> Result<Affine, NotLinear> {
        let algebra = self.algebra;
        if let Some(k) = (self.unknown)(e) {
            let coefficients = BTreeMap::from([(k, self.unit.clone())]);
            return Ok(Affine { coefficients, constant: algebra.zero() });
        }
        let mut parts = Vec::new();
        for child in e.children() {
            parts.push(self.visit(child)?);
        }
        if parts.iter().all(|p| p.coefficients.is_empty()) {
            return Ok(Affine { coefficients: BTreeMap::new(), constant: e.clone() });
        }
        let mut parts = parts.into_iter();
        let mut next = || parts.next().unwrap_or_else(|| constant(algebra.zero()));
        let refuse = || Err(NotLinear { term: e.clone() });
        let freeze = || if self.freeze { Ok(constant(e.clone())) } else { refuse() };
        match &e.kind {
            ExprKind::Unary(UnaryOp::Neg, _) => Ok(next().map(|x| algebra.neg(x))),
            ExprKind::Binary(BinaryOp::Add, ..) => {
                Ok(join(algebra, next(), next(), |a, b| algebra.add(a, b)))
            }
            ExprKind::Binary(BinaryOp::Sub, ..) => {
                Ok(join(algebra, next(), next(), |a, b| algebra.sub(a, b)))
            }
            ExprKind::Binary(BinaryOp::Mul, ..) => {
                let (a, b) = (next(), next());
                if b.coefficients.is_empty() {
                    Ok(a.map(|x| algebra.mul(x, b.constant.clone())))
                } else if a.coefficients.is_empty() {
                    Ok(b.map(|x| algebra.mul(a.constant.clone(), x)))
                } else {
                    refuse()
                }
            }
            ExprKind::Binary(BinaryOp::Div, ..) => {
                let (a, b) = (next(), next());
                if b.coefficients.is_empty() {
                    Ok(a.map(|x| algebra.div(x, b.constant.clone())))
                } else if let (true, [_, divisor]) = (self.freeze, e.children().as_slice()) {
                    Ok(a.map(|x| algebra.div(x, (*divisor).clone())))
                } else {
                    refuse()
                }
            }
            ExprKind::Select(..) => {
                let (condition, a, b) = (next(), next(), next());
                if !condition.coefficients.is_empty() {
                    return freeze();
                }
                Ok(join(algebra, a, b, |a, b| algebra.arith.select(condition.constant.clone(), a, b)))
            }
            // A power is a polynomial, so one of the unknown itself is too much.
            ExprKind::Call(Function::Pow, _) => refuse(),
            ExprKind::Convert(inner) if inner.ty.is_float() && e.ty.is_float() => {
                Ok(next().map(|x| algebra.arith.convert(x, e.ty)))
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
            | ExprKind::Table { .. } => freeze(),
        }
    }
}

fn constant(e: Expr) -> Affine {
    Affine { coefficients: BTreeMap::new(), constant: e }
}

impl Affine {
    fn map(self, f: impl Fn(Expr) -> Expr) -> Self {
        Self {
            coefficients: self.coefficients.into_iter().map(|(k, c)| (k, f(c))).collect(),
            constant: f(self.constant),
        }
    }
}

/// Coefficients and constants joined in pairs; a missing coefficient is 0.
fn join(algebra: Algebra, a: Affine, mut b: Affine, f: impl Fn(Expr, Expr) -> Expr) -> Affine {
    let mut coefficients = BTreeMap::new();
    for (k, x) in a.coefficients {
        let y = b.coefficients.remove(&k).unwrap_or_else(|| algebra.zero());
        coefficients.insert(k, f(x, y));
    }
    for (k, y) in b.coefficients {
        coefficients.insert(k, f(algebra.zero(), y));
    }
    Affine { coefficients, constant: f(a.constant, b.constant) }
}
