//! Explicit methods, each a row of text; adding one is adding a row (and its name to `Method`).
//!
//! In a text, `x` is the vector of all unknowns, `t` the time and `dt` the step; `f(x, t)` is the drift,
//! `g(x, t)` the strength of the noise and `dW` its increment (normal, variance `dt`), one of each per
//! noise process; a product such as `g(x, t)*dW` is summed over the processes when it is added to something
//! without noise. Each line but the last names an intermediate value; the last one gives `x_new`.
//!
//! With multiplicative noise solutions are Stratonovich's: Heun's predictor contains the noise, and
//! Milstein's correction is `g g' dW^2 / 2`. Its derivative is a central difference, so that the error in the
//! mean is of second order; Euler-Maruyama would give Ito's solution and is refused.

use indexmap::IndexMap;
use neuropil_model::{Block, Expr, ExprKind, Method};
use neuropil_syntax::{BinaryOp, ExprKind as Syntax, UnaryOp, parse_block};

use crate::algebra::{Algebra, define};
use crate::noise::{NoiseClass, Stochastic};
use crate::system::{Refusal, System};

/// An explicit method.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Explicit {
    pub(crate) method: Method,
    /// The strongest noise for which its text is right.
    noise: NoiseClass,
    text: &'static str,
}

/// The table.
#[rustfmt::skip]
const METHODS: [Explicit; 6] = [
    Explicit { method: Method::Euler, noise: NoiseClass::TimeDependent, text: "
        x_new = x + dt*f(x, t) + g(x, t)*dW" },
    // Ralston 1962.
    Explicit { method: Method::Rk2, noise: NoiseClass::None, text: "
        k = f(x, t)
        x_new = x + dt*(k + 3*f(x + 2*dt/3*k, t + 2*dt/3))/4" },
    // Kutta 1901.
    Explicit { method: Method::Rk4, noise: NoiseClass::None, text: "
        k1 = f(x, t)
        k2 = f(x + dt/2*k1, t + dt/2)
        k3 = f(x + dt/2*k2, t + dt/2)
        k4 = f(x + dt*k3, t + dt)
        x_new = x + dt*(k1 + 2*k2 + 2*k3 + k4)/6" },
    Explicit { method: Method::Midpoint, noise: NoiseClass::None, text: "
        k = f(x, t)
        x_new = x + dt*f(x + dt/2*k, t + dt/2)" },
    // Rümelin 1982.
    Explicit { method: Method::Heun, noise: NoiseClass::Multiplicative, text: "
        k = f(x, t)
        g0 = g(x, t)
        y = x + dt*k + g0*dW
        x_new = x + dt*(k + f(y, t + dt))/2 + (g0 + g(y, t + dt))*dW/2" },
    // Kloeden & Platen 1992, section 11.1, in Stratonovich's form.
    Explicit { method: Method::Milstein, noise: NoiseClass::Diagonal, text: "
        g0 = g(x, t)
        up = g(x + dt**0.5*g0, t)
        down = g(x - dt**0.5*g0, t)
        x_new = x + dt*f(x, t) + g0*dW + (up - down)/(4*dt**0.5)*dW**2" },
];

impl Explicit {
    /// The methods that are right for noise of that class.
    pub(crate) fn taking(class: NoiseClass) -> impl Iterator<Item = &'static Self> {
        METHODS.iter().filter(move |e| class <= e.noise)
    }
}

/// The values at the end of a step by an explicit method, by unknown.
pub(crate) fn integrate(
    system: &System<'_>,
    method: Method,
    block: &mut Block,
) -> Result<Vec<Expr>, Refusal> {
    let stochastic = Stochastic::split(system)?;
    let Some(row) = METHODS.iter().find(|e| e.method == method) else {
        return Err(internal(&format!("`{method}` has no text")));
    };
    if stochastic.class > row.noise {
        return Err(wrong_noise(system, &stochastic));
    }
    let (statements, diagnostics) = parse_block(&row.text.into());
    if diagnostics.has_errors() {
        return Err(internal(&format!("the text of `{method}` does not parse")));
    }
    let mut run =
        Run { system, stochastic: &stochastic, names: IndexMap::new(), block, statement: String::new() };
    run.start();
    for statement in &statements.statements {
        run.statement.clone_from(&statement.target.value);
        let value = run.value(&statement.value).map_err(|text| internal(&text))?;
        if run.statement == "x_new" {
            let new = run.contract(&value);
            return Ok((0..system.unknowns.len()).map(|k| run.item(&new, k, 0)).collect());
        }
        let value = run.named(value);
        run.names.insert(run.statement.clone(), value);
    }
    Err(internal(&format!("the text of `{method}` gives no `x_new`")))
}

/// A mistake in the table, which its test would have found.
fn internal(reason: &str) -> Refusal {
    Refusal { code: "internal", reason: reason.to_owned(), span: neuropil_base::Span::NONE, help: Vec::new() }
}

fn wrong_noise(system: &System<'_>, stochastic: &Stochastic) -> Refusal {
    let class = stochastic.class;
    let what = match class {
        NoiseClass::None => "there is no noise",
        NoiseClass::Additive => "the equations have noise",
        NoiseClass::TimeDependent => "the equations have noise whose strength depends on time",
        NoiseClass::Diagonal => "the equations have noise whose strength depends on the state",
        NoiseClass::Multiplicative => {
            "the equations have noise whose strength depends on the state and that several variables share"
        }
    };
    let place = stochastic.culprit(system).map(|k| &system.unknowns[k]);
    let methods: Vec<String> = Explicit::taking(class).map(|e| format!("`{}`", e.method)).collect();
    Refusal {
        code: "noise-not-supported",
        reason: what.to_owned(),
        span: place.map_or(neuropil_base::Span::NONE, |u| u.span),
        help: vec![format!("methods for such noise: {}", methods.join(", "))],
    }
}

/// A quantity of a text: one number, or one per unknown, per noise, or per both; none for 0.
#[derive(Clone, Debug)]
struct Value {
    per_unknown: bool,
    per_noise: bool,
    /// Unknown by unknown, noises within.
    items: Vec<Option<Expr>>,
}

impl Value {
    fn one(e: Expr) -> Self {
        Self { per_unknown: false, per_noise: false, items: vec![Some(e)] }
    }
}

/// A text being carried out.
struct Run<'a> {
    system: &'a System<'a>,
    stochastic: &'a Stochastic,
    names: IndexMap<String, Value>,
    block: &'a mut Block,
    /// What is being computed; names locals.
    statement: String,
}

impl Run<'_> {
    fn algebra(&self) -> Algebra {
        self.system.algebra
    }

    fn start(&mut self) {
        let system = self.system;
        let count = system.unknowns.len();
        let x = (0..count).map(|k| Some(system.value(k))).collect();
        let x = Value { per_unknown: true, per_noise: false, items: x };
        let time = Expr::new(ExprKind::Time, neuropil_base::ScalarType::F64);
        self.names.insert("x".to_owned(), x);
        self.names.insert("t".to_owned(), Value::one(time));
        self.names.insert("dt".to_owned(), Value::one(system.step()));
        let noises = self.stochastic.noises.len();
        let mut increments = Vec::new();
        for noise in 0..noises {
            let name = if noises == 1 { "dW".to_owned() } else { format!("dW_{noise}") };
            let increment = self.stochastic.increment(system, noise);
            increments.push(Some(define(self.block, &name, increment)));
        }
        self.names.insert("dW".to_owned(), Value { per_unknown: false, per_noise: true, items: increments });
    }

    /// The entry of a value, which is the same for all unknowns or noises if it is not per unknown or noise.
    fn entry<'v>(&self, value: &'v Value, unknown: usize, noise: usize) -> Option<&'v Expr> {
        let noises = if value.per_noise { self.stochastic.noises.len() } else { 1 };
        let unknown = if value.per_unknown { unknown } else { 0 };
        let noise = if value.per_noise { noise } else { 0 };
        value.items.get(unknown * noises + noise)?.as_ref()
    }

    fn item(&self, value: &Value, unknown: usize, noise: usize) -> Expr {
        self.entry(value, unknown, noise).cloned().unwrap_or_else(|| self.algebra().zero())
    }

    fn shape(&self, per_unknown: bool, per_noise: bool) -> (usize, usize) {
        let unknowns = if per_unknown { self.system.unknowns.len() } else { 1 };
        (unknowns, if per_noise { self.stochastic.noises.len() } else { 1 })
    }

    /// Two values joined entry by entry.
    fn zip(&self, a: &Value, b: &Value, join: impl Fn(Option<Expr>, Option<Expr>) -> Option<Expr>) -> Value {
        let (per_unknown, per_noise) = (a.per_unknown || b.per_unknown, a.per_noise || b.per_noise);
        let (unknowns, noises) = self.shape(per_unknown, per_noise);
        let mut items = Vec::new();
        for k in 0..unknowns {
            for n in 0..noises {
                items.push(join(self.entry(a, k, n).cloned(), self.entry(b, k, n).cloned()));
            }
        }
        Value { per_unknown, per_noise, items }
    }

    /// The sum over noises.
    fn contract(&self, value: &Value) -> Value {
        if !value.per_noise {
            return value.clone();
        }
        let (unknowns, noises) = self.shape(value.per_unknown, true);
        let sum = |k: usize| {
            let terms = (0..noises).filter_map(|n| self.entry(value, k, n).cloned());
            terms.reduce(|a, b| self.algebra().add(a, b))
        };
        let items = (0..unknowns).map(sum).collect();
        Value { per_unknown: value.per_unknown, per_noise: false, items }
    }

    /// The value with its entries as locals.
    fn named(&mut self, mut value: Value) -> Value {
        let (_, noises) = self.shape(value.per_unknown, value.per_noise);
        for (index, item) in value.items.iter_mut().enumerate() {
            let mut name = self.statement.clone();
            if value.per_unknown {
                name = format!("{name}_{}", self.system.unknowns[index / noises.max(1)].name);
            }
            if noises > 1 {
                name = format!("{name}_{}", index % noises);
            }
            *item = item.take().map(|e| define(self.block, &name, e));
        }
        value
    }

    fn value(&mut self, e: &neuropil_syntax::Expr) -> Result<Value, String> {
        match &e.kind {
            Syntax::Integer(value) => Ok(Value::one(self.algebra().real(*value as f64))),
            Syntax::Real(value) => Ok(Value::one(self.algebra().real(*value))),
            Syntax::Name(name) => self.names.get(name).cloned().ok_or_else(|| format!("no value `{name}`")),
            Syntax::Unary(UnaryOp::Neg, a) => {
                let a = self.value(a)?;
                let algebra = self.algebra();
                Ok(self.zip(&a, &a, |a, _| a.map(|a| algebra.neg(a))))
            }
            Syntax::Binary(op, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                self.binary(*op, a, b)
            }
            Syntax::Call { function, args } if args.len() == 2 => {
                let (x, t) = (self.value(&args[0])?, self.value(&args[1])?);
                match function.as_str() {
                    "f" => {
                        let drift: Vec<Option<Expr>> =
                            self.stochastic.drift.iter().cloned().map(Some).collect();
                        let items = self.at(&drift, &x, &t);
                        Ok(Value { per_unknown: true, per_noise: false, items })
                    }
                    "g" => {
                        let strength: Vec<Option<Expr>> =
                            self.stochastic.diffusion.iter().flatten().cloned().collect();
                        let items = self.at(&strength, &x, &t);
                        Ok(Value { per_unknown: true, per_noise: true, items })
                    }
                    _ => Err(format!("no function `{function}`")),
                }
            }
            Syntax::Boolean(_)
            | Syntax::Derivative(_)
            | Syntax::Unary(..)
            | Syntax::Call { .. }
            | Syntax::Conditional { .. }
            | Syntax::Error => Err(format!("`{e}` has no meaning in a method's text")),
        }
    }

    fn binary(&self, op: BinaryOp, mut a: Value, mut b: Value) -> Result<Value, String> {
        let algebra = self.algebra();
        match op {
            BinaryOp::Add | BinaryOp::Sub => {
                if a.per_noise != b.per_noise {
                    (a, b) = (self.contract(&a), self.contract(&b));
                }
                let minus = op == BinaryOp::Sub;
                Ok(self.zip(&a, &b, |a, b| match (a, b) {
                    (Some(a), Some(b)) if minus && a == b => None,
                    (Some(a), Some(b)) if minus => Some(algebra.sub(a, b)),
                    (Some(a), Some(b)) => Some(algebra.add(a, b)),
                    (None, Some(b)) if minus => Some(algebra.neg(b)),
                    (a, b) => a.or(b),
                }))
            }
            BinaryOp::Mul => Ok(self.zip(&a, &b, |a, b| Some(algebra.mul(a?, b?)))),
            BinaryOp::Div => Ok(self.zip(&a, &b, |a, b| Some(algebra.div(a?, b?)))),
            BinaryOp::Pow => Ok(self.zip(&a, &b, |a, b| {
                let (a, b) = (a?, b?);
                Some(if b.as_real() == Some(2.0) {
                    algebra.mul(a.clone(), a)
                } else {
                    algebra.arith.pow(a, b)
                })
            })),
            BinaryOp::FloorDiv
            | BinaryOp::Mod
            | BinaryOp::Lt
            | BinaryOp::Le
            | BinaryOp::Gt
            | BinaryOp::Ge
            | BinaryOp::Eq
            | BinaryOp::Ne
            | BinaryOp::And
            | BinaryOp::Or => Err(format!("`{}` has no meaning in a method's text", op.symbol())),
        }
    }

    /// Functions of the unknowns and time, for the unknowns' values `x` at the time `t`.
    fn at(&mut self, functions: &[Option<Expr>], x: &Value, t: &Value) -> Vec<Option<Expr>> {
        let x = self.contract(x);
        let system = self.system;
        let mut replaced = Vec::new();
        for (k, unknown) in system.unknowns.iter().enumerate() {
            let value = system.algebra.arith.convert(self.item(&x, k, 0), unknown.ty);
            let is_read = || functions.iter().flatten().any(|f| f.any(&mut |e| system.unknown(e) == Some(k)));
            replaced.push(if value != system.value(k) && is_read() {
                Some(define(self.block, &format!("{}_{}", unknown.name, self.statement), value))
            } else {
                None
            });
        }
        let time = self.item(t, 0, 0);
        let at = |e: &Expr| {
            system.algebra.substitute(e, &|part| match part.kind {
                ExprKind::Time => Some(time.clone()),
                _ => system.unknown(part).and_then(|k| replaced[k].clone()),
            })
        };
        functions.iter().map(|f| f.as_ref().map(at)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_parses_and_ends_with_the_new_value() {
        for row in METHODS {
            let (block, diagnostics) = parse_block(&row.text.into());
            assert!(diagnostics.is_empty(), "{}: {diagnostics:?}", row.method);
            let last = block.statements.last().expect("a text has statements");
            assert_eq!(last.target.value, "x_new", "{}", row.method);
        }
    }
}
