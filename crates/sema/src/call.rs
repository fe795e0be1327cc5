//! Calls: functions of the table, random numbers, weighted sums, timed arrays.

use neuropil_base::{Diagnostic, ScalarType, Span, nearest};
use neuropil_math::{DimensionError, Function};
use neuropil_model::{Distribution, Expr, ExprKind, Random, Side, TableId};
use neuropil_syntax::Expr as Ast;
use neuropil_units::Dimension;

use crate::code;
use crate::dim::Dim;
use crate::scope::{Found, Home, World};
use crate::typing::{Typed, Typer, in_unit, shown};

/// Functions that are not in the table of `neuropil_math`.
pub(crate) const FUNCTIONS: [&str; 8] =
    ["rand", "randn", "poisson", "binomial", "exponential", "sum", "ite", "pos"];

/// Whether `name` can be called.
pub(crate) fn is_function(name: &str, world: &World) -> bool {
    Function::from_name(name).is_some()
        || FUNCTIONS.contains(&name)
        || world.tables.iter().any(|t| t.name == name)
}

impl Typer<'_> {
    /// `name(args)`
    pub(crate) fn call(&mut self, name: &str, args: &[Ast], span: Span) -> Typed {
        if let Some(index) = self.world.tables.iter().position(|t| t.name == name) {
            return self.table(index, args, span);
        }
        match name {
            "rand" => self.random(name, args, span, 0, |_| Distribution::Uniform),
            "randn" => self.random(name, args, span, 0, |_| Distribution::Normal),
            "exponential" => self.random(name, args, span, 0, |_| Distribution::Exponential),
            "poisson" => self
                .random(name, args, span, 1, |mut args| Distribution::Poisson(Box::new(args.swap_remove(0)))),
            "binomial" => self.random(name, args, span, 2, |mut args| {
                let p = args.swap_remove(1);
                Distribution::Binomial(Box::new(args.swap_remove(0)), Box::new(p))
            }),
            "sum" => self.sum(args, span),
            "ite" => match args {
                [condition, then, otherwise] => self.conditional(condition, then, otherwise),
                _ => self.wrong_count(name, 3, args.len(), span),
            },
            "pos" => match args {
                [a] => {
                    let a = self.check(a);
                    let zero = self.world.arith.real(0.0);
                    Typed { expr: self.world.arith.call(Function::Max, vec![a.expr, zero]), dim: a.dim }
                }
                _ => self.wrong_count(name, 1, args.len(), span),
            },
            _ => match Function::from_name(name) {
                Some(function) => self.function(function, args, span),
                None => self.unknown_function(name, args, span),
            },
        }
    }

    fn function(&mut self, function: Function, args: &[Ast], span: Span) -> Typed {
        if args.len() != function.arity() {
            return self.wrong_count(function.name(), function.arity(), args.len(), span);
        }
        if let (Function::Pow, [a, b]) = (function, args) {
            return self.power(a, b);
        }
        let typed: Vec<Typed> = args.iter().map(|a| self.check(a)).collect();
        let dim = self.function_dimension(function, args, &typed);
        let mut exprs: Vec<Expr> = typed.into_iter().map(|t| t.expr).collect();
        let integer = exprs.first().is_some_and(|e| matches!(e.ty, ScalarType::I32 | ScalarType::I64));
        let expr = match (function, integer) {
            (Function::Int, true) => self.world.arith.convert(exprs.swap_remove(0), ScalarType::I32),
            _ => self.world.arith.call(function, exprs),
        };
        Typed { expr, dim }
    }

    /// The dimension of a call; a diagnostic if an argument does not fit.
    fn function_dimension(&mut self, function: Function, args: &[Ast], typed: &[Typed]) -> Dim {
        if typed.iter().any(|t| t.dim == Dim::Unknown) {
            return Dim::Unknown;
        }
        if typed.iter().all(|t| t.dim == Dim::Free) && matches!(function, Function::Abs | Function::Clip) {
            return Dim::Free;
        }
        // A literal 0 takes the unit of the other arguments.
        let common = typed.iter().find_map(|t| match t.dim {
            Dim::Known(d) => Some(d),
            Dim::Free | Dim::Unknown => None,
        });
        let dimensions: Vec<Dimension> = typed
            .iter()
            .map(|t| match t.dim {
                Dim::Known(d) => d,
                Dim::Free | Dim::Unknown => common.unwrap_or(Dimension::NONE),
            })
            .collect();
        match function.dimension(&dimensions) {
            Ok(dimension) => Dim::Known(dimension),
            Err(error) => {
                let index = match error {
                    DimensionError::Argument { index, .. } | DimensionError::Disagreement { index, .. } => {
                        index
                    }
                    DimensionError::Count { .. }
                    | DimensionError::VariableExponent { .. }
                    | DimensionError::Exponent { .. } => 0,
                };
                let place = args.get(index).map_or(Span::NONE, |a| a.span);
                let found = dimensions.get(index).copied().unwrap_or(Dimension::NONE);
                let mut d = Diagnostic::error(code::UNITS, place, error.to_string())
                    .label(in_unit(found).trim_start());
                d.help.extend(error.help());
                self.out.push(d);
                Dim::Unknown
            }
        }
    }

    fn random(
        &mut self,
        name: &str,
        args: &[Ast],
        span: Span,
        arity: usize,
        distribution: impl FnOnce(Vec<Expr>) -> Distribution,
    ) -> Typed {
        if args.len() != arity {
            return self.wrong_count(name, arity, args.len(), span);
        }
        if matches!(self.home, Home::Nowhere) {
            self.out.push(
                Diagnostic::error(code::NOT_CONSTANT, span, format!("`{name}` cannot stand in a constant"))
                    .help("give a random value to a parameter of the neurons, with `initial`"),
            );
            return self.broken();
        }
        let mut exprs = Vec::new();
        for (index, arg) in args.iter().enumerate() {
            let typed = self.check(arg);
            self.expect(&typed, arg.span, Dimension::NONE, &format!("argument {} of `{name}`", index + 1));
            exprs.push(typed.expr);
        }
        // The number of trials is an integer, all other parameters are real.
        let trials = name == "binomial";
        let arith = self.world.arith;
        let exprs = exprs.into_iter().enumerate().map(|(index, e)| match (trials, index) {
            (true, 0) => arith.convert(e, ScalarType::I32),
            (true | false, _) => arith.convert(e, arith.float()),
        });
        let distribution = distribution(exprs.collect());
        let ty = match distribution {
            Distribution::Uniform | Distribution::Normal | Distribution::Exponential => arith.float(),
            Distribution::Poisson(_) | Distribution::Binomial(..) => ScalarType::I32,
        };
        let random = Random { site: self.sites.fresh(), side: Side::Own, distribution };
        Typed { expr: Expr::new(ExprKind::Random(random), ty), dim: Dim::NONE }
    }

    /// `sum(channel)`
    fn sum(&mut self, args: &[Ast], span: Span) -> Typed {
        let [arg] = args else { return self.wrong_count("sum", 1, args.len(), span) };
        let Some(channel) = arg.as_name() else {
            self.out.push(
                Diagnostic::error(code::ARGUMENTS, arg.span, "`sum` takes the name of a channel".to_owned())
                    .help("write `sum(exc)`, and `into = \"exc\"` in the `sum` of a synapse"),
            );
            return self.broken();
        };
        let Home::Neuron { channels, symbols, .. } = self.home else {
            self.out.push(
                Diagnostic::error(
                    code::UNSUPPORTED,
                    span,
                    format!("`sum({channel})` can only stand in equations of neurons"),
                )
                .help("a synapse contributes to it by `[[synapse.NAME.sum]]`"),
            );
            return self.broken();
        };
        let mut total = Typed { expr: self.world.arith.real(0.0), dim: Dim::Free };
        for name in channels.get(channel).into_iter().flatten() {
            if let Some(part) = symbols.get(name) {
                let object = self.home.object();
                let Some(object) = object else { continue };
                let reference = neuropil_model::VarRef { object, variable: part.id, side: Side::Own };
                total.expr = self.world.arith.add(total.expr, Expr::variable(reference, part.ty));
                total.dim = part.dim;
            }
        }
        total
    }

    fn table(&mut self, index: usize, args: &[Ast], span: Span) -> Typed {
        let info = &self.world.tables[index];
        let arity = if info.columns > 1 { 2 } else { 1 };
        if args.len() != arity {
            self.out.push(
                Diagnostic::error(
                    code::ARGUMENTS,
                    span,
                    format!("the timed array `{}` takes {arity} argument{}", info.name, plural(arity)),
                )
                .help(if arity == 2 {
                    format!("it has {} columns: write `{}(t, i)`", info.columns, info.name)
                } else {
                    format!("write `{}(t)`", info.name)
                }),
            );
            return self.broken();
        }
        let time = self.check(&args[0]);
        self.expect(&time, args[0].span, Dimension::SECOND, &format!("the time of `{}`", info.name));
        let arith = self.world.arith;
        let column = args.get(1).map(|arg| {
            let typed = self.check(arg);
            self.expect(&typed, arg.span, Dimension::NONE, "a column");
            if typed.expr.ty.is_float() && typed.dim != Dim::Unknown {
                self.out.push(
                    Diagnostic::error(code::TYPE, arg.span, "a column must be an integer".to_owned())
                        .label("a real number")
                        .help(format!("write `int({})`", shown(arg))),
                );
            }
            Box::new(arith.convert(typed.expr, ScalarType::I32))
        });
        let time = Box::new(arith.convert(time.expr, ScalarType::F64));
        let kind = ExprKind::Table { table: TableId::new(index), time, column };
        Typed { expr: Expr::new(kind, arith.float()), dim: info.dim }
    }

    fn wrong_count(&mut self, name: &str, arity: usize, found: usize, span: Span) -> Typed {
        let given = if found == 1 { "1 is given".to_owned() } else { format!("{found} are given") };
        self.out.push(Diagnostic::error(
            code::ARGUMENTS,
            span,
            format!("`{name}` takes {arity} argument{}, {given}", plural(arity)),
        ));
        self.broken()
    }

    fn unknown_function(&mut self, name: &str, args: &[Ast], span: Span) -> Typed {
        // What is wrong inside is said too.
        for arg in args {
            self.check(arg);
        }
        let mut d = Diagnostic::error(code::UNKNOWN_FUNCTION, span, format!("unknown function `{name}`"));
        let world = self.world;
        let names = Function::ALL
            .iter()
            .map(|f| f.name())
            .chain(FUNCTIONS)
            .chain(world.tables.iter().map(|t| t.name.as_str()));
        let known = self.locals.iter().any(|l| l.name == name)
            || self.home.find(name, world).is_some_and(|found| !matches!(found, Found::Refused(..)));
        if known {
            d = d.help(format!("`{name}` is no function; to multiply, write `{name}*(...)`"));
        } else if let Some(near) = nearest(name, names) {
            d = d.help(format!("did you mean `{near}`?"));
        }
        self.out.push(d);
        self.broken()
    }
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}
