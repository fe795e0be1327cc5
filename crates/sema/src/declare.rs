//! Declarations: the variables that the equations of a model define, with unit, flags and kind.

use std::collections::BTreeMap;

use neuropil_base::{Diagnostic, Diagnostics, Precision, ScalarType, Span, nearest};
use neuropil_model::{Expr, Extent, Initial, Variable, VariableId, VariableKind};
use neuropil_syntax::{
    BinaryOp, Equation, EquationKind, Equations, Expr as Ast, ExprKind as AstKind, UnaryOp,
};
use neuropil_units::Dimension;

use crate::code;
use crate::dim::Dim;
use crate::scope::{Symbols, is_noise, reserved, split_end};
use crate::typing::literal;

/// Whose equations they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    Neuron,
    Synapse,
}

/// The variables of an object under construction.
#[derive(Clone, Default, Debug)]
pub(crate) struct Declared {
    pub(crate) variables: Vec<Variable>,
    pub(crate) symbols: Symbols,
    /// Variables that are flagged `linked`.
    pub(crate) linked: Vec<String>,
    /// Subexpressions that are constant over a step.
    pub(crate) held: Vec<(VariableId, Expr)>,
}

impl Declared {
    /// Adds a variable.
    pub(crate) fn add(&mut self, variable: Variable, dim: Dim) -> VariableId {
        let index = self.variables.len();
        self.symbols.insert(index, &variable, dim);
        self.variables.push(variable);
        VariableId::new(index)
    }

    /// Adds a variable that the program made, unless there is one of its name.
    pub(crate) fn add_hidden(
        &mut self,
        name: &str,
        kind: VariableKind,
        ty: ScalarType,
        dim: Dim,
    ) -> VariableId {
        if let Some(symbol) = self.symbols.get(name) {
            return symbol.id;
        }
        let initial = match kind {
            VariableKind::LastSpike => Initial::Expr(Expr::real(-1e4, ScalarType::F64)),
            VariableKind::NotRefractory => Initial::Expr(Expr::boolean(true)),
            VariableKind::State
            | VariableKind::Parameter { .. }
            | VariableKind::Subexpression(_)
            | VariableKind::SumTarget
            | VariableKind::Held
            | VariableKind::Link(_)
            | VariableKind::Degree(_)
            | VariableKind::Count => Initial::Zero,
        };
        let extent = if kind == VariableKind::Count { Extent::Shared } else { Extent::PerElement };
        let variable = Variable {
            name: name.to_owned(),
            ty,
            dimension: dim.known().unwrap_or(Dimension::NONE),
            extent,
            kind,
            initial,
            unless_refractory: false,
            span: Span::NONE,
        };
        self.add(variable, dim)
    }
}

/// Flags and the kinds of equations that take them.
const FLAGS: [&str; 10] = [
    "constant",
    "shared",
    "unless refractory",
    "event-driven",
    "clock-driven",
    "summed",
    "point current",
    "constant over dt",
    "linked",
    "scalar",
];

/// Declares the variables of a model. Initial values are set in the order of `initial`: the variables
/// that it names exchange places so that they stand in that order.
pub(crate) fn declare(
    equations: &Equations,
    owner: Owner,
    initial: &[&str],
    precision: Precision,
    out: &mut Diagnostics,
) -> Declared {
    let mut list: Vec<(Variable, Dim)> = Vec::new();
    let noisy = noisy_subexpressions(equations);
    for equation in &equations.list {
        check_flags(equation, owner, out);
        let (name, span) = (&equation.name.value, equation.name.span);
        if is_summed(equation) {
            continue;
        }
        if let Some((first, _)) = list.iter().find(|(v, _)| v.name == *name) {
            out.push(
                Diagnostic::error(code::DUPLICATE_NAME, span, format!("`{name}` is defined twice"))
                    .related(first.span, "first here"),
            );
            continue;
        }
        check_name(name, span, out);
        let (ty, dim) = unit_of(equation, precision, out);
        let kind = match equation.kind {
            EquationKind::Differential(_) | EquationKind::Implicit { .. } => VariableKind::State,
            EquationKind::Subexpression(_) if equation.flag("constant over dt").is_some() => {
                VariableKind::Held
            }
            EquationKind::Subexpression(_) => VariableKind::Subexpression(Expr::real(0.0, precision.float())),
            EquationKind::Parameter => {
                VariableKind::Parameter { constant: equation.flag("constant").is_some() }
            }
        };
        if kind == VariableKind::State && !ty.is_float() {
            out.push(
                Diagnostic::error(
                    code::TYPE,
                    span,
                    format!("`{name}` has a differential equation, so it must be real"),
                )
                .help("write a unit, or `1`, after the colon"),
            );
        }
        let shared = equation.flag("shared").or_else(|| equation.flag("scalar")).is_some();
        let variable = Variable {
            name: name.clone(),
            ty,
            dimension: dim.known().unwrap_or(Dimension::NONE),
            extent: if shared { Extent::Shared } else { Extent::PerElement },
            kind,
            initial: Initial::Zero,
            unless_refractory: equation.flag("unless refractory").is_some(),
            span,
        };
        list.push((variable, dim));
    }
    let linked = equations.list.iter().filter(|e| e.flag("linked").is_some());
    let linked = linked.filter(|e| matches!(e.kind, EquationKind::Parameter)).map(|e| e.name.value.clone());
    let mut declared = Declared { linked: linked.collect(), ..Declared::default() };
    for (variable, dim) in in_initial_order(list, initial) {
        let name = variable.name.clone();
        declared.add(variable, dim);
        if let Some(symbol) = declared.symbols.get_mut(&name) {
            symbol.noise = noisy.get(name.as_str()).copied().unwrap_or(false);
        }
    }
    declared
}

/// The same variables; those named by `initial` exchange places so that they stand in that order.
fn in_initial_order(list: Vec<(Variable, Dim)>, initial: &[&str]) -> Vec<(Variable, Dim)> {
    let place = |v: &Variable| initial.iter().position(|n| *n == v.name);
    let mut placed: Vec<(usize, (Variable, Dim))> = Vec::new();
    let mut slots: Vec<Option<(Variable, Dim)>> = Vec::new();
    for item in list {
        match place(&item.0) {
            Some(at) => {
                placed.push((at, item));
                slots.push(None);
            }
            None => slots.push(Some(item)),
        }
    }
    placed.sort_by_key(|(at, _)| *at);
    let mut placed = placed.into_iter().map(|(_, item)| item);
    slots.into_iter().filter_map(|slot| slot.or_else(|| placed.next())).collect()
}

/// Whether this is `x_post = ... (summed)`.
pub(crate) fn is_summed(equation: &Equation) -> bool {
    equation.flag("summed").is_some() && matches!(equation.kind, EquationKind::Subexpression(_))
}

pub(crate) fn check_name(name: &str, span: Span, out: &mut Diagnostics) {
    if let Some(meaning) = reserved(name) {
        out.push(
            Diagnostic::error(code::RESERVED, span, format!("`{name}` already means {meaning}"))
                .help("choose another name for the variable"),
        );
    } else if split_end(name).is_some() || name.contains('.') {
        out.push(
            Diagnostic::error(
                code::RESERVED,
                span,
                format!("`{name}` names a variable of the neurons at an end of a synapse"),
            )
            .help("choose a name without `_pre` and `_post`, or flag the equation `summed`"),
        );
    }
}

fn check_flags(equation: &Equation, owner: Owner, out: &mut Diagnostics) {
    for flag in &equation.flags {
        let name = flag.name.as_str();
        let differential =
            matches!(equation.kind, EquationKind::Differential(_) | EquationKind::Implicit { .. });
        let subexpression = matches!(equation.kind, EquationKind::Subexpression(_));
        let (allowed, where_) = match name {
            "constant" => (matches!(equation.kind, EquationKind::Parameter), "a parameter"),
            "shared" | "scalar" => (true, ""),
            "unless refractory" => {
                (differential && owner == Owner::Neuron, "a differential equation of a neuron")
            }
            "event-driven" | "clock-driven" => {
                (differential && owner == Owner::Synapse, "a differential equation of a synapse")
            }
            "point current" => (owner == Owner::Neuron, "a current of a neuron with a morphology"),
            "summed" => (subexpression && owner == Owner::Synapse, "an equation `x_post = ...` of a synapse"),
            "constant over dt" => (subexpression && !is_summed(equation), "a subexpression"),
            "linked" => {
                if equation.flags.len() > 1 {
                    out.push(
                        Diagnostic::error(code::FLAG, flag.span, "`linked` stands alone".to_owned())
                            .help("flag the variable that it is linked to"),
                    );
                }
                (matches!(equation.kind, EquationKind::Parameter), "a parameter")
            }
            _ => {
                let mut d =
                    Diagnostic::error(code::UNKNOWN_FLAG, flag.span, format!("unknown flag `{name}`"));
                d = match nearest(name, FLAGS) {
                    Some(near) => d.help(format!("did you mean `{near}`?")),
                    None => d.help(format!(
                        "flags are {}",
                        FLAGS[..9].iter().map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", ")
                    )),
                };
                out.push(d);
                (true, "")
            }
        };
        if !allowed {
            out.push(
                Diagnostic::error(code::FLAG, flag.span, format!("the flag `{name}` cannot stand here"))
                    .help(format!("only {where_} can have it")),
            );
        }
    }
}

/// The type and dimension that stand after the colon.
fn unit_of(equation: &Equation, precision: Precision, out: &mut Diagnostics) -> (ScalarType, Dim) {
    let Some(unit) = &equation.unit else { return (precision.float(), Dim::Unknown) };
    match unit.as_name() {
        Some("boolean" | "bool") => (ScalarType::Bool, Dim::NONE),
        Some("integer" | "int") => (ScalarType::I32, Dim::NONE),
        Some(_) | None => (precision.float(), Dim::from(unit_dimension(unit, out))),
    }
}

/// The dimension of a unit expression; a diagnostic if it is none.
pub(crate) fn unit_dimension(e: &Ast, out: &mut Diagnostics) -> Option<Dimension> {
    let refuse = |out: &mut Diagnostics, e: &Ast| {
        out.push(
            Diagnostic::error(code::UNKNOWN_UNIT, e.span, "this is no unit".to_owned())
                .help("write a unit such as `volt`, `siemens/meter**2` or `1`; or `boolean`, `integer`"),
        );
        None
    };
    match &e.kind {
        AstKind::Integer(1) => Some(Dimension::NONE),
        AstKind::Real(x) if *x == 1.0 => Some(Dimension::NONE),
        AstKind::Name(name) => {
            if let Some(unit) = neuropil_units::lookup(name) {
                return Some(unit.dimension);
            }
            let mut d = Diagnostic::error(code::UNKNOWN_UNIT, e.span, format!("unknown unit `{name}`"));
            let names = neuropil_units::names().chain(["boolean", "integer"]);
            if let Some(unit) = neuropil_units::lookup_symbol(name) {
                let full = neuropil_units::names().find(|n| {
                    neuropil_units::lookup(n).is_some_and(|u| u.scale == 1.0 && u.dimension == unit.dimension)
                });
                d = d.help(format!("write `{}`", full.unwrap_or("1")));
            } else if let Some(near) = nearest(name, names) {
                d = d.help(format!("did you mean `{near}`?"));
            } else {
                d = d.help("a number without unit is `1`");
            }
            out.push(d);
            None
        }
        AstKind::Binary(op @ (BinaryOp::Mul | BinaryOp::Div), a, b) => {
            let (a, b) = (unit_dimension(a, out), unit_dimension(b, out));
            Some(if *op == BinaryOp::Mul { a?.mul(b?) } else { a?.div(b?) })
        }
        AstKind::Binary(BinaryOp::Pow, a, b) => {
            let base = unit_dimension(a, out)?;
            let exponent = constant_number(b);
            match exponent.and_then(|x| neuropil_math::pow_dimension(base, Some(x)).ok()) {
                Some(dimension) => Some(dimension),
                None => refuse(out, b),
            }
        }
        AstKind::Error => None,
        AstKind::Integer(_)
        | AstKind::Real(_)
        | AstKind::Boolean(_)
        | AstKind::Derivative(_)
        | AstKind::Unary(..)
        | AstKind::Binary(..)
        | AstKind::Call { .. }
        | AstKind::Conditional { .. } => refuse(out, e),
    }
}

/// A number, or a quotient of two.
fn constant_number(e: &Ast) -> Option<f64> {
    match &e.kind {
        AstKind::Binary(BinaryOp::Div, a, b) => Some(constant_number(a)? / constant_number(b)?),
        AstKind::Unary(UnaryOp::Neg, a) => constant_number(a).map(|x| -x),
        AstKind::Integer(_)
        | AstKind::Real(_)
        | AstKind::Boolean(_)
        | AstKind::Name(_)
        | AstKind::Derivative(_)
        | AstKind::Unary(..)
        | AstKind::Binary(..)
        | AstKind::Call { .. }
        | AstKind::Conditional { .. }
        | AstKind::Error => literal(e),
    }
}

/// The subexpressions of a model and the names that each uses, and the diagnostics of those that are
/// defined by themselves.
pub(crate) fn report_circles(equations: &Equations, out: &mut Diagnostics) {
    let uses = uses(equations);
    let mut done: Vec<&str> = Vec::new();
    for &start in uses.keys() {
        let mut path = Vec::new();
        follow(start, &uses, &mut path, &mut done, equations, out);
    }
}

fn follow<'a>(
    name: &'a str,
    uses: &BTreeMap<&'a str, Vec<&'a str>>,
    path: &mut Vec<&'a str>,
    done: &mut Vec<&'a str>,
    equations: &Equations,
    out: &mut Diagnostics,
) {
    if done.contains(&name) {
        return;
    }
    if let Some(at) = path.iter().position(|n| *n == name) {
        let circle = &path[at..];
        let span_of = |n: &str| equations.get(n).map_or(Span::NONE, |e| e.name.span);
        let mut d = if circle.len() == 1 {
            Diagnostic::error(code::CIRCULAR, span_of(name), format!("`{name}` is defined by itself"))
        } else {
            let chain: Vec<String> = circle.iter().chain([&name]).map(|n| format!("`{n}`")).collect();
            let message = format!("`{name}` is defined by itself: {}", chain.join(" uses "));
            Diagnostic::error(code::CIRCULAR, span_of(name), message)
        };
        for (index, n) in circle.iter().enumerate().skip(1) {
            let next = circle.get(index + 1).unwrap_or(&name);
            d = d.related(span_of(n), format!("uses `{next}`"));
        }
        out.push(d.help(format!(
            "break the circle: make one of them a parameter, or a variable with an equation `d{name}/dt = ...`"
        )));
        return;
    }
    // A chain so long is refused by its size later; here it must not exhaust the stack.
    if path.len() < 2000 {
        path.push(name);
        for next in uses.get(name).into_iter().flatten() {
            follow(next, uses, path, done, equations, out);
        }
        path.pop();
    }
    done.push(name);
}

/// Each subexpression with the subexpressions that it uses.
fn uses(equations: &Equations) -> BTreeMap<&str, Vec<&str>> {
    let is_subexpression = |name: &str| {
        equations.get(name).is_some_and(|e| matches!(e.kind, EquationKind::Subexpression(_)) && !is_summed(e))
    };
    let mut map = BTreeMap::new();
    for equation in &equations.list {
        if let EquationKind::Subexpression(e) = &equation.kind
            && !is_summed(equation)
        {
            let mut names = Vec::new();
            e.visit_names(&mut |name, _| {
                if is_subexpression(name) && !names.contains(&name) {
                    names.push(name);
                }
            });
            map.insert(equation.name.value.as_str(), names);
        }
    }
    map
}

/// Which subexpressions have white noise in them, directly or through others.
fn noisy_subexpressions(equations: &Equations) -> BTreeMap<&str, bool> {
    let uses = uses(equations);
    let mut noisy: BTreeMap<&str, bool> = BTreeMap::new();
    for equation in &equations.list {
        if let EquationKind::Subexpression(e) = &equation.kind {
            let mut direct = false;
            e.visit_names(&mut |name, _| direct |= is_noise(name));
            noisy.insert(equation.name.value.as_str(), direct);
        }
    }
    loop {
        let mut changed = false;
        for (name, used) in &uses {
            if noisy.get(name) == Some(&false) && used.iter().any(|u| noisy.get(u) == Some(&true)) {
                noisy.insert(name, true);
                changed = true;
            }
        }
        if !changed {
            return noisy;
        }
    }
}
