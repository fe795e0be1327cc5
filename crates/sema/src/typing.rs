//! Types and dimensions of expressions: a syntax tree becomes a typed expression.
//!
//! Rules beyond those of [`Arith`](neuropil_model::Arith): a literal `0` and `inf` have every unit; a
//! truth value counts as 0 or 1 in arithmetic, but a number is never a condition; `/` gives a real,
//! `//` and `%` of integers stay integers; a number written directly before a unit (`0.1*ms`) is rounded
//! once, as `0.1 ms` in a setting is.

use neuropil_base::{Diagnostic, Diagnostics, Scalar, ScalarType, Span, nearest};
use neuropil_math::{CompareOp, Function, pow_dimension};
use neuropil_model::{Expr, ExprKind, Extent, LocalId, NoiseRef, ObjectId, Side};
use neuropil_syntax::{BinaryOp, Expr as Ast, ExprKind as AstKind, UnaryOp};
use neuropil_units::{Dimension, Unit};

use crate::code;
use crate::dim::{Dim, advice, usual_unit};
use crate::scope::{Found, Home, Sites, World, is_noise, split_end};

/// A typed expression and what it measures.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    pub(crate) expr: Expr,
    pub(crate) dim: Dim,
}

/// A name that statements of the block gave a value.
#[derive(Clone, Debug)]
pub(crate) struct LocalName {
    pub(crate) name: String,
    pub(crate) local: LocalId,
    pub(crate) ty: ScalarType,
    pub(crate) dim: Dim,
    pub(crate) used: bool,
    pub(crate) span: Span,
}

/// What is special about a piece of code.
#[derive(Clone, Default, Debug)]
pub(crate) struct Rules {
    /// White noise may stand here.
    pub(crate) noise: bool,
    /// The name of the shared variable that the code defines: it may not depend on one element.
    pub(crate) shared: Option<String>,
    /// The variable whose initial value the code is: its name does not mean itself here.
    pub(crate) initial_of: Option<String>,
    /// The derivative that an implicit equation is solved for: its variable, and its dimension.
    pub(crate) derivative: Option<(String, Dim)>,
}

/// Checks the expressions of one piece of code.
pub(crate) struct Typer<'a> {
    pub(crate) world: &'a World,
    pub(crate) home: Home<'a>,
    pub(crate) out: &'a mut Diagnostics,
    pub(crate) sites: &'a mut Sites,
    pub(crate) rules: Rules,
    pub(crate) locals: Vec<LocalName>,
}

impl<'a> Typer<'a> {
    /// For code at `home`, with no special rules.
    pub(crate) fn new(
        world: &'a World,
        home: Home<'a>,
        out: &'a mut Diagnostics,
        sites: &'a mut Sites,
    ) -> Self {
        Self { world, home, out, sites, rules: Rules::default(), locals: Vec::new() }
    }

    /// The same code under `rules`.
    pub(crate) fn under(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// What stands for an expression that was refused.
    pub(crate) fn broken(&self) -> Typed {
        Typed { expr: self.world.arith.real(0.0), dim: Dim::Unknown }
    }

    /// The expression `e`, typed.
    pub(crate) fn check(&mut self, e: &Ast) -> Typed {
        let mut typed = match &e.kind {
            AstKind::Integer(n) => self.integer(*n),
            AstKind::Real(x) => self.number(self.world.arith.real(*x), *x == 0.0),
            AstKind::Boolean(b) => Typed { expr: Expr::boolean(*b), dim: Dim::NONE },
            AstKind::Name(name) => self.name(name, e.span),
            AstKind::Derivative(name) => self.derivative(name, e.span),
            AstKind::Unary(op, a) => self.unary(*op, a),
            AstKind::Binary(op, a, b) => self.binary(*op, a, b),
            AstKind::Call { function, args } => self.call(function, args, e.span),
            AstKind::Conditional { condition, then, otherwise } => {
                self.conditional(condition, then, otherwise)
            }
            AstKind::Error => self.broken(),
        };
        if typed.expr.span == Span::NONE {
            typed.expr.span = e.span;
        }
        typed
    }

    /// The expression `e`, which must be a truth value; `what` says what it decides.
    pub(crate) fn condition(&mut self, e: &Ast, what: &str) -> Expr {
        let typed = self.check(e);
        if typed.dim != Dim::Unknown && typed.expr.ty != ScalarType::Bool {
            let unit = typed.dim.known().unwrap_or(Dimension::NONE);
            let value = if unit.is_none() { "0".to_owned() } else { format!("10*{}", usual_unit(unit)) };
            self.out.push(
                Diagnostic::error(code::TYPE, e.span, format!("{what} must be a condition, not a number"))
                    .label(format!("a number{}", in_unit(unit)))
                    .help(format!("compare it with a value, for instance `{} > {value}`", shown(e))),
            );
        }
        self.world.arith.to_bool(typed.expr)
    }

    /// That `typed`, written at `span`, is in `expected`; `what` names the thing that needs it.
    pub(crate) fn expect(&mut self, typed: &Typed, span: Span, expected: Dimension, what: &str) -> bool {
        let Err(found) = typed.dim.fits(expected) else { return true };
        self.out.push(
            Diagnostic::error(code::UNITS, span, format!("{what} must be in `{expected}`, not `{found}`"))
                .label(in_unit(found).trim_start())
                .help(advice(expected, found)),
        );
        false
    }

    fn number(&self, expr: Expr, zero: bool) -> Typed {
        Typed { expr, dim: if zero { Dim::Free } else { Dim::NONE } }
    }

    fn integer(&self, n: i64) -> Typed {
        let expr = i32::try_from(n).map_or_else(|_| self.world.arith.real(n as f64), Expr::integer);
        self.number(expr, n == 0)
    }

    fn name(&mut self, name: &str, span: Span) -> Typed {
        if let Some(local) = self.locals.iter_mut().rev().find(|l| l.name == name) {
            local.used = true;
            return Typed { expr: Expr::local(local.local, local.ty), dim: local.dim };
        }
        if is_noise(name) {
            return self.noise(name, span);
        }
        let world = self.world;
        if self.rules.initial_of.as_deref() == Some(name) {
            return self.itself(name, span);
        }
        match self.home.find(name, world) {
            Some(Found::Variable(reference, symbol)) => {
                if symbol.noise && !self.rules.noise {
                    self.refuse_noise(name, span);
                }
                if symbol.extent == Extent::PerElement {
                    self.refuse_element(name, span);
                }
                Typed { expr: Expr::variable(reference, symbol.ty), dim: symbol.dim }
            }
            Some(Found::Given(expr, dim, extent)) => {
                if extent == Extent::PerElement {
                    self.refuse_element(name, span);
                }
                Typed { expr, dim }
            }
            Some(Found::Constant(value)) => Typed { expr: self.constant(value.scalar), dim: value.dim },
            Some(Found::Unit(unit)) => {
                Typed { expr: world.arith.real(unit.scale), dim: Dim::Known(unit.dimension) }
            }
            Some(Found::Refused(message, help)) => {
                self.out.push(Diagnostic::error(code::UNSUPPORTED, span, message).help(help));
                self.broken()
            }
            None => {
                self.unknown_name(name, span);
                self.broken()
            }
        }
    }

    /// The name of a variable in its own initial value: the constant of that name.
    fn itself(&mut self, name: &str, span: Span) -> Typed {
        match self.world.constants.get(name) {
            Some(value) => Typed { expr: self.constant(value.scalar), dim: value.dim },
            None => {
                self.out.push(
                    Diagnostic::error(
                        code::CIRCULAR,
                        span,
                        format!("the initial value of `{name}` is defined by itself"),
                    )
                    .help("use constants and other variables"),
                );
                self.broken()
            }
        }
    }

    fn constant(&self, scalar: Scalar) -> Expr {
        match scalar {
            Scalar::Bool(b) => Expr::boolean(b),
            Scalar::I32(i) => Expr::integer(i),
            Scalar::I64(_) | Scalar::F32(_) | Scalar::F64(_) => self.world.arith.real(scalar.to_f64()),
        }
    }

    fn unknown_name(&mut self, name: &str, span: Span) {
        if self.unknown_at_end(name, span) {
            return;
        }
        let mut d = Diagnostic::error(code::UNKNOWN_NAME, span, format!("unknown name `{name}`"));
        let candidates = self.home.candidates(self.world);
        let locals = self.locals.iter().map(|l| l.name.as_str());
        let near = nearest(name, locals.chain(candidates.iter().map(String::as_str)));
        if let Some(near) = near {
            d = d.help(format!("did you mean `{near}`?"));
        } else if crate::scope::GIVEN.iter().any(|(n, _)| *n == name) {
            d = d.help(match self.home {
                Home::Nowhere => "only constants, units and functions can stand here".to_owned(),
                Home::Neuron { .. } => "it has a meaning only in code of synapses".to_owned(),
                Home::Synapse { .. } | Home::Pairs { .. } => format!("write `{name}_pre` or `{name}_post`"),
            });
        } else if crate::call::is_function(name, self.world) {
            d = d.help(format!("`{name}` is a function: write its arguments, `{name}(...)`"));
        } else if matches!(self.home, Home::Nowhere) {
            d = d.help("define it in `[constants]`, above the place where it is used");
        } else {
            d = d.help(format!(
                "give it a value in `[constants]`, or make it a parameter: a line `{name} : 1` (or its unit) \
                 among the equations"
            ));
        }
        self.out.push(d);
    }

    /// Whether `name` can only be that of a variable at an end of a synapse.
    pub(crate) fn at_end(&self, name: &str) -> bool {
        matches!(self.home, Home::Synapse { .. } | Home::Pairs { .. }) && split_end(name).is_some()
    }

    /// Says of `x_pre` and the like that the neurons at that end have no `x`; false if `name` is no such name.
    pub(crate) fn unknown_at_end(&mut self, name: &str, span: Span) -> bool {
        let (Home::Synapse { pre, post, .. } | Home::Pairs { pre, post, .. }) = self.home else {
            return false;
        };
        let Some((side, rest)) = split_end(name) else { return false };
        let (end, neurons) = if side == Side::Pre { ("pre", pre) } else { ("post", post) };
        let element = match neurons.object {
            ObjectId::Population(_) => "neuron",
            ObjectId::Projection(_) => "synapse",
        };
        let message = format!("the {end}synaptic {element} has no variable `{rest}`");
        let d = Diagnostic::error(code::UNKNOWN_NAME, span, message);
        let known: Vec<&str> = neurons.symbols.names().collect();
        self.out.push(match nearest(rest, known.iter().copied()) {
            Some(near) => d.help(format!("did you mean `{}`?", name.replacen(rest, near, 1))),
            None => d.help(match known.as_slice() {
                [] => "it has no variables".to_owned(),
                [..] => {
                    let list: Vec<String> = known.iter().take(12).map(|n| format!("`{n}`")).collect();
                    format!("its variables are {}", list.join(", "))
                }
            }),
        });
        true
    }

    fn noise(&mut self, name: &str, span: Span) -> Typed {
        let Some(object) = self.home.object().filter(|_| self.rules.noise) else {
            self.refuse_noise(name, span);
            return self.broken();
        };
        let site = self.sites.noise(object, name);
        let expr = Expr::new(ExprKind::Noise(NoiseRef { site, side: Side::Own }), self.world.arith.float());
        Typed { expr, dim: Dim::from(Dimension::SECOND.pow(-1, 2)) }
    }

    fn refuse_noise(&mut self, name: &str, span: Span) {
        let message = if is_noise(name) {
            format!("white noise `{name}` can only stand in a differential equation")
        } else {
            format!("`{name}` has white noise in it, so it can only stand in a differential equation")
        };
        self.out.push(
            Diagnostic::error(code::NOISE, span, message)
                .help("for a random number at each step write `randn()`"),
        );
    }

    /// Refuses what belongs to one element in code that has one value for all.
    fn refuse_element(&mut self, name: &str, span: Span) {
        if let Some(shared) = &self.rules.shared {
            self.out.push(
                Diagnostic::error(
                    code::NOT_SHARED,
                    span,
                    format!("`{shared}` is shared, so it cannot depend on `{name}`"),
                )
                .label("has one value per element")
                .help(format!("take the flag `shared` from `{shared}`, or give it to `{name}`")),
            );
        }
    }

    fn derivative(&mut self, name: &str, span: Span) -> Typed {
        match &self.rules.derivative {
            Some((variable, dim)) if variable == name => {
                // Only its dimension matters: the equation is solved for it afterwards.
                let expr = Expr::new(ExprKind::TimeStep, self.world.arith.float());
                Typed { expr, dim: *dim }
            }
            _ => {
                self.out.push(Diagnostic::error(
                    code::NOT_SOLVABLE,
                    span,
                    format!("`d{name}/dt` can only stand in an equation for `{name}`"),
                ));
                self.broken()
            }
        }
    }

    fn unary(&mut self, op: UnaryOp, a: &Ast) -> Typed {
        match op {
            UnaryOp::Neg => {
                let a = self.check(a);
                Typed { expr: self.world.arith.neg(a.expr), dim: a.dim }
            }
            UnaryOp::Plus => {
                let a = self.check(a);
                Typed { expr: self.world.arith.to_number(a.expr), dim: a.dim }
            }
            UnaryOp::Not => {
                let a = self.condition(a, "what stands after `not`");
                Typed { expr: self.world.arith.not(a), dim: Dim::NONE }
            }
        }
    }

    fn binary(&mut self, op: BinaryOp, a: &Ast, b: &Ast) -> Typed {
        let arith = self.world.arith;
        if op == BinaryOp::Mul
            && let Some(value) = self.literal_quantity(a, b)
        {
            return value;
        }
        match op {
            BinaryOp::And | BinaryOp::Or => {
                let what = format!("what stands beside `{}`", op.symbol());
                let (a, b) = (self.condition(a, &what), self.condition(b, &what));
                let expr = if op == BinaryOp::And { arith.and(a, b) } else { arith.or(a, b) };
                return Typed { expr, dim: Dim::NONE };
            }
            BinaryOp::Pow => return self.power(a, b),
            BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::FloorDiv
            | BinaryOp::Mod
            | BinaryOp::Lt
            | BinaryOp::Le
            | BinaryOp::Gt
            | BinaryOp::Ge
            | BinaryOp::Eq
            | BinaryOp::Ne => {}
        }
        let (x, y) = (self.check(a), self.check(b));
        let compare = |op, x: Typed, y: Typed| arith.compare(op, x.expr, y.expr);
        let ordered =
            |op, x: Typed, y: Typed| arith.compare(op, arith.to_number(x.expr), arith.to_number(y.expr));
        match op {
            BinaryOp::Mul => Typed { dim: x.dim.mul(y.dim), expr: arith.mul(x.expr, y.expr) },
            BinaryOp::Div => Typed { dim: x.dim.div(y.dim), expr: arith.div(x.expr, y.expr) },
            BinaryOp::Add => {
                let dim = self.same_unit("add", "and", (a, &x), (b, &y));
                Typed { dim, expr: arith.add(x.expr, y.expr) }
            }
            BinaryOp::Sub => {
                // `x - y` is refused as "cannot subtract `unit of y` from `unit of x`".
                let dim = self.same_unit("subtract", "from", (b, &y), (a, &x));
                Typed { dim, expr: arith.sub(x.expr, y.expr) }
            }
            BinaryOp::FloorDiv => {
                self.same_unit("divide with `//`", "by", (a, &x), (b, &y));
                Typed { dim: Dim::NONE, expr: arith.call(Function::FloorDiv, vec![x.expr, y.expr]) }
            }
            BinaryOp::Mod => {
                let dim = self.same_unit("divide with `%`", "by", (a, &x), (b, &y));
                Typed { dim, expr: arith.call(Function::Mod, vec![x.expr, y.expr]) }
            }
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge | BinaryOp::Eq | BinaryOp::Ne => {
                self.same_unit("compare", "with", (a, &x), (b, &y));
                let expr = match op {
                    BinaryOp::Lt => ordered(CompareOp::Lt, x, y),
                    BinaryOp::Le => ordered(CompareOp::Le, x, y),
                    BinaryOp::Gt => ordered(CompareOp::Gt, x, y),
                    BinaryOp::Ge => ordered(CompareOp::Ge, x, y),
                    BinaryOp::Ne => compare(CompareOp::Ne, x, y),
                    BinaryOp::Eq
                    | BinaryOp::Add
                    | BinaryOp::Sub
                    | BinaryOp::Mul
                    | BinaryOp::Div
                    | BinaryOp::FloorDiv
                    | BinaryOp::Mod
                    | BinaryOp::Pow
                    | BinaryOp::And
                    | BinaryOp::Or => compare(CompareOp::Eq, x, y),
                };
                Typed { dim: Dim::NONE, expr }
            }
            // Dealt with above.
            BinaryOp::And | BinaryOp::Or | BinaryOp::Pow => self.broken(),
        }
    }

    /// `20*mV` and `mV*20`, rounded once.
    fn literal_quantity(&self, a: &Ast, b: &Ast) -> Option<Typed> {
        let (number, name) =
            literal(a).and_then(|x| Some((x, b.as_name()?))).or_else(|| Some((literal(b)?, a.as_name()?)))?;
        let unit = self.unit(name)?;
        let expr = self.world.arith.real(unit.apply(number));
        Some(Typed { expr, dim: Dim::Known(unit.dimension) })
    }

    /// The unit that `name` means here, if it means one.
    pub(crate) fn unit(&self, name: &str) -> Option<Unit> {
        if self.locals.iter().any(|l| l.name == name) {
            return None;
        }
        match self.home.find(name, self.world) {
            Some(Found::Unit(unit)) => Some(unit),
            Some(Found::Variable(..) | Found::Given(..) | Found::Constant(_) | Found::Refused(..)) | None => {
                None
            }
        }
    }

    /// The common dimension of two operands; a diagnostic if there is none.
    fn same_unit(&mut self, verb: &str, joint: &str, a: (&Ast, &Typed), b: (&Ast, &Typed)) -> Dim {
        match a.1.dim.unify(b.1.dim) {
            Ok(dim) => dim,
            Err((x, y)) => {
                let d =
                    Diagnostic::error(code::UNITS, b.0.span, format!("cannot {verb} `{x}` {joint} `{y}`"))
                        .label(in_unit(y).trim_start())
                        .related(a.0.span, in_unit(x).trim_start());
                let help = if x.is_none() && literal(a.0).is_some() {
                    format!("write `{}*{}`", shown(a.0), usual_unit(y))
                } else if y.is_none() && literal(b.0).is_some() {
                    format!("write `{}*{}`", shown(b.0), usual_unit(x))
                } else if x.is_none() {
                    format!("{} is a plain number; {}", shown_ticks(a.0), advice(y, x))
                } else if y.is_none() {
                    format!("{} is a plain number; {}", shown_ticks(b.0), advice(x, y))
                } else {
                    format!("{} is in `{y}`; {}", shown_ticks(b.0), advice(x, y))
                };
                self.out.push(d.help(help));
                Dim::Unknown
            }
        }
    }

    /// `a ** b`
    pub(crate) fn power(&mut self, a: &Ast, b: &Ast) -> Typed {
        let (x, y) = (self.check(a), self.check(b));
        let plain = self.expect(&y, b.span, Dimension::NONE, "an exponent");
        let dim = match (x.dim.known(), y.dim) {
            (None, _) | (_, Dim::Unknown) => Dim::Unknown,
            _ if !plain => Dim::Unknown,
            (Some(base), _) => match pow_dimension(base, y.expr.as_real()) {
                Ok(dimension) => Dim::Known(dimension),
                Err(error) => {
                    let mut d = Diagnostic::error(code::UNITS, b.span, error.to_string())
                        .related(a.span, in_unit(base).trim_start());
                    d.help.extend(error.help());
                    self.out.push(d);
                    Dim::Unknown
                }
            },
        };
        Typed { expr: self.world.arith.pow(x.expr, y.expr), dim }
    }

    pub(crate) fn conditional(&mut self, condition: &Ast, then: &Ast, otherwise: &Ast) -> Typed {
        let condition = self.condition(condition, "what decides");
        let (x, y) = (self.check(then), self.check(otherwise));
        let dim = match x.dim.unify(y.dim) {
            Ok(dim) => dim,
            Err((a, b)) => {
                self.out.push(
                    Diagnostic::error(
                        code::UNITS,
                        otherwise.span,
                        format!("both values of a conditional must have one unit, not `{a}` and `{b}`"),
                    )
                    .label(in_unit(b).trim_start())
                    .related(then.span, in_unit(a).trim_start())
                    .help(advice(a, b)),
                );
                Dim::Unknown
            }
        };
        Typed { expr: self.world.arith.select(condition, x.expr, y.expr), dim }
    }
}

/// The number, if the expression is nothing but one.
pub(crate) fn literal(e: &Ast) -> Option<f64> {
    match &e.kind {
        AstKind::Integer(n) => Some(*n as f64),
        AstKind::Real(x) => Some(*x),
        AstKind::Unary(UnaryOp::Neg, a) => literal(a).map(|x| -x),
        AstKind::Unary(UnaryOp::Plus, a) => literal(a),
        AstKind::Boolean(_)
        | AstKind::Name(_)
        | AstKind::Derivative(_)
        | AstKind::Unary(UnaryOp::Not, _)
        | AstKind::Binary(..)
        | AstKind::Call { .. }
        | AstKind::Conditional { .. }
        | AstKind::Error => None,
    }
}

/// The expression as help may show it: its text if it is short.
pub(crate) fn shown(e: &Ast) -> String {
    let text = e.to_string();
    if text.chars().count() <= 24 { text } else { "...".to_owned() }
}

fn shown_ticks(e: &Ast) -> String {
    match shown(e).as_str() {
        "..." => "this part".to_owned(),
        text => format!("`{text}`"),
    }
}

/// ` in volt`, or nothing for a plain number.
pub(crate) fn in_unit(dimension: Dimension) -> String {
    if dimension.is_none() { " without unit".to_owned() } else { format!(" in `{dimension}`") }
}
