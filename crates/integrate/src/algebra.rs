//! Symbolic arithmetic on expressions: sums and products that drop zeros and merge constants, rebuilding
//! after a substitution.
//!
//! [`Arith`] keeps every rounding of what the model says; the algebra here may regroup constants, so it is
//! used only on expressions that a method derives (coefficients, Jacobians), never on a right-hand side
//! that is evaluated as written. A product with a zero coefficient is zero even where the other factor
//! could be infinite, as in the mathematics.

use neuropil_base::ScalarType;
use neuropil_math::{BinaryOp, Function, UnaryOp, scalar};
use neuropil_model::{Arith, Block, Expr, ExprKind};

/// Symbolic arithmetic in a network of one precision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Algebra {
    pub(crate) arith: Arith,
}

/// Whether `e` is the constant 0.
pub(crate) fn is_zero(e: &Expr) -> bool {
    e.as_real() == Some(0.0)
}

/// Whether `e` is a constant, a variable or a local: worth no local of its own.
pub(crate) fn is_atom(e: &Expr) -> bool {
    matches!(
        e.kind,
        ExprKind::Constant(_) | ExprKind::Variable(_) | ExprKind::Local(_) | ExprKind::Time | ExprKind::Step
    )
}

/// `e` itself if it is an atom, else a new local that holds it, its name made unique.
pub(crate) fn define(block: &mut Block, name: &str, e: Expr) -> Expr {
    if is_atom(&e) {
        return e;
    }
    let taken = |name: &str| block.locals.iter().any(|l| l.name == name);
    let mut unique = name.to_owned();
    let mut count = 1;
    while taken(&unique) {
        count += 1;
        unique = format!("{name}_{count}");
    }
    block.define(unique, e)
}

impl Algebra {
    pub(crate) fn new(arith: Arith) -> Self {
        Self { arith }
    }

    pub(crate) fn real(self, value: f64) -> Expr {
        self.arith.real(value)
    }

    pub(crate) fn zero(self) -> Expr {
        self.real(0.0)
    }

    /// `a + b`
    pub(crate) fn add(self, a: Expr, b: Expr) -> Expr {
        if is_zero(&a) {
            return b;
        }
        if is_zero(&b) {
            return a;
        }
        match (negated(&a), negated(&b)) {
            (None, Some(b)) => self.arith.sub(a, b),
            (Some(a), None) => self.arith.sub(b, a),
            (Some(a), Some(b)) => self.arith.neg(self.arith.add(a, b)),
            (None, None) => self.arith.add(a, b),
        }
    }

    /// `a - b`
    pub(crate) fn sub(self, a: Expr, b: Expr) -> Expr {
        if is_zero(&a) {
            return self.neg(b);
        }
        if is_zero(&b) {
            return a;
        }
        match (negated(&a), negated(&b)) {
            (None, Some(b)) => self.arith.add(a, b),
            (Some(a), None) => self.arith.neg(self.arith.add(a, b)),
            (Some(a), Some(b)) => self.arith.sub(b, a),
            (None, None) => self.arith.sub(a, b),
        }
    }

    /// `-a`
    pub(crate) fn neg(self, a: Expr) -> Expr {
        match &a.kind {
            // A sum's sign goes into its terms where that costs nothing.
            ExprKind::Binary(BinaryOp::Sub, x, y) if negated(x).is_some() => {
                self.add(self.neg((**x).clone()), (**y).clone())
            }
            ExprKind::Binary(BinaryOp::Sub, x, y) if a.ty.is_float() => {
                self.arith.sub((**y).clone(), (**x).clone())
            }
            ExprKind::Binary(BinaryOp::Div, x, y) if x.as_real().is_some() => {
                self.arith.div(self.arith.neg((**x).clone()), (**y).clone())
            }
            ExprKind::Binary(..) if leading(&a).is_some() => self.scale(-1.0, a),
            _ => self.arith.neg(a),
        }
    }

    /// `a * b`
    pub(crate) fn mul(self, a: Expr, b: Expr) -> Expr {
        if is_zero(&a) || is_zero(&b) {
            return self.zero();
        }
        match (a.as_real(), b.as_real()) {
            (Some(c), None) => self.scale(c, b),
            (None, Some(c)) => self.scale(c, a),
            (Some(_), Some(_)) => self.arith.mul(a, b),
            (None, None) => match (minus(&a), minus(&b)) {
                (Some(x), Some(y)) => self.arith.mul(x, y),
                (Some(x), None) => self.neg(self.arith.mul(x, b)),
                (None, Some(y)) => self.neg(self.arith.mul(a, y)),
                (None, None) => self.arith.mul(a, b),
            },
        }
    }

    /// `a / b`
    pub(crate) fn div(self, a: Expr, b: Expr) -> Expr {
        if is_zero(&a) && !is_zero(&b) {
            return self.zero();
        }
        if let (Some(c), Some(d)) = (leading(&a), b.as_real()) {
            return self.scale(c / d, without_leading(a));
        }
        match minus(&a) {
            Some(x) => self.arith.neg(self.arith.div(x, b)),
            None => self.arith.div(a, b),
        }
    }

    /// `c * e`, constants in front of `e` merged into `c`.
    pub(crate) fn scale(self, c: f64, e: Expr) -> Expr {
        let joined = c * leading(&e).unwrap_or(1.0);
        let e = without_leading(e);
        if let Some(value) = e.as_real() {
            return self.real(joined * value);
        }
        if let ExprKind::Binary(BinaryOp::Div, a, b) = &e.kind
            && let Some(value) = a.as_real()
        {
            return self.arith.div(self.real(joined * value), (**b).clone());
        }
        if joined == -1.0 {
            return self.neg(e);
        }
        if joined == 0.0 {
            return self.zero();
        }
        // A constant adapts to the type that it is joined with.
        self.arith.mul(self.real(joined), self.arith.to_float(e))
    }

    /// A function of the table.
    pub(crate) fn call(self, function: Function, args: Vec<Expr>) -> Expr {
        self.arith.call(function, args)
    }

    /// The sum of products, from left to right.
    pub(crate) fn sum(self, terms: impl IntoIterator<Item = Expr>) -> Expr {
        terms.into_iter().fold(self.zero(), |sum, term| self.add(sum, term))
    }

    /// `e` with every expression for which `replace` has another replaced by that, constants folded again.
    pub(crate) fn substitute(self, e: &Expr, replace: &impl Fn(&Expr) -> Option<Expr>) -> Expr {
        if let Some(other) = replace(e) {
            return self.arith.convert(other, e.ty);
        }
        let mut copy = e.clone();
        for child in copy.children_mut() {
            *child = self.substitute(child, replace);
        }
        self.rebuild(copy)
    }

    /// `e`, whose operands may have become constants, folded; of the same type.
    fn rebuild(self, e: Expr) -> Expr {
        let (ty, span) = (e.ty, e.span);
        let made = match e.kind {
            ExprKind::Unary(UnaryOp::Neg, a) => self.arith.neg(*a),
            ExprKind::Unary(op, a) => match a.as_constant() {
                Some(value) => Expr::new(ExprKind::Constant(scalar::unary(op, value)), ty),
                None => Expr::new(ExprKind::Unary(op, a), ty),
            },
            ExprKind::Binary(op, a, b) => match op {
                BinaryOp::Add => self.arith.add(*a, *b),
                BinaryOp::Sub => self.arith.sub(*a, *b),
                BinaryOp::Mul => self.arith.mul(*a, *b),
                BinaryOp::Div if ty.is_float() => self.arith.div(*a, *b),
                BinaryOp::And if ty == ScalarType::Bool => self.arith.and(*a, *b),
                BinaryOp::Or if ty == ScalarType::Bool => self.arith.or(*a, *b),
                BinaryOp::Div
                | BinaryOp::And
                | BinaryOp::Or
                | BinaryOp::Rem
                | BinaryOp::Min
                | BinaryOp::Max
                | BinaryOp::Xor
                | BinaryOp::Shl
                | BinaryOp::Shr
                | BinaryOp::Sar => match (a.as_constant(), b.as_constant()) {
                    (Some(x), Some(y)) => Expr::new(ExprKind::Constant(scalar::binary(op, x, y)), ty),
                    _ => Expr::new(ExprKind::Binary(op, a, b), ty),
                },
            },
            ExprKind::Compare(op, a, b) => self.arith.compare(op, *a, *b),
            ExprKind::Select(c, a, b) => self.arith.select(*c, *a, *b),
            ExprKind::Convert(a) => self.arith.convert(*a, ty),
            ExprKind::Call(function, args) => self.arith.call(function, args),
            kind @ (ExprKind::Constant(_)
            | ExprKind::Variable(_)
            | ExprKind::Local(_)
            | ExprKind::Time
            | ExprKind::TimeStep
            | ExprKind::Step
            | ExprKind::Index(_)
            | ExprKind::Random(_)
            | ExprKind::Noise(_)
            | ExprKind::Table { .. }) => Expr::new(kind, ty),
        };
        self.arith.convert(made, ty).at(span)
    }
}

/// `x`, if `e` is `-x`, a float.
fn minus(e: &Expr) -> Option<Expr> {
    match &e.kind {
        ExprKind::Unary(UnaryOp::Neg, x) if e.ty.is_float() => Some((**x).clone()),
        _ => None,
    }
}

/// `-e`, if `e` is a float with a minus in front: `-x`, a negative number, or one times or over something.
fn negated(e: &Expr) -> Option<Expr> {
    let positive = |c: &Expr| c.as_real().filter(|c| *c < 0.0).map(|value| Expr::real(-value, c.ty));
    match &e.kind {
        _ if !e.ty.is_float() => None,
        ExprKind::Constant(_) => positive(e),
        ExprKind::Binary(op @ (BinaryOp::Mul | BinaryOp::Div), c, x) => {
            let c = positive(c)?;
            Some(Expr::new(ExprKind::Binary(*op, Box::new(c), x.clone()), e.ty))
        }
        _ => minus(e),
    }
}

/// The product of the constants in front of `e`: `c` of `c * x`, `-1` of `-x`, `1/d` of `x / d`. None if there
/// is none.
fn leading(e: &Expr) -> Option<f64> {
    if !e.ty.is_float() {
        return None;
    }
    match &e.kind {
        ExprKind::Unary(UnaryOp::Neg, x) => Some(-leading(x).unwrap_or(1.0)),
        ExprKind::Binary(BinaryOp::Mul, a, b) => match (factor(a), factor(b)) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(1.0) * b.unwrap_or(1.0)),
        },
        ExprKind::Binary(BinaryOp::Div, a, b) => b.as_real().map(|d| leading(a).unwrap_or(1.0) / d),
        _ => None,
    }
}

/// What a factor gives to the product's [`leading`] constant.
fn factor(e: &Expr) -> Option<f64> {
    e.as_real().or_else(|| leading(e))
}

/// What is left of `e` without its [`leading`] constant.
fn without_leading(e: Expr) -> Expr {
    if leading(&e).is_none() {
        return e;
    }
    let ty = e.ty;
    match e.kind {
        ExprKind::Unary(_, x) => without_leading(*x),
        ExprKind::Binary(BinaryOp::Mul, a, b) => match (a.as_real(), b.as_real()) {
            (Some(_), _) => without_leading(*b),
            (None, Some(_)) => without_leading(*a),
            (None, None) => {
                let (a, b) = (without_leading(*a), without_leading(*b));
                Expr::new(ExprKind::Binary(BinaryOp::Mul, Box::new(a), Box::new(b)), ty)
            }
        },
        ExprKind::Binary(_, a, _) => without_leading(*a),
        kind => Expr::new(kind, ty),
    }
}
