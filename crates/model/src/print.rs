//! The printed form of expressions, blocks and networks: what `neuropil emit --stage model` shows.
//!
//! Expressions read as the language does, with the fewest parentheses: `(v_rest - v) / tau`,
//! `a if c else b`, `x**2`, `not b`. Beyond the language there are only: conversions, as the name of the
//! type (`f32(t)`); `rand()#3`, a random number with its site; `xi#3`, a noise process with its site.
//! Floats have the fewest digits that give the same value. The text of a network says everything that
//! the network says, in its order.

mod network;
mod protocol;

use std::fmt;

use neuropil_base::{Scalar, ScalarType};
use neuropil_math::{BinaryOp, CompareOp, Function, UnaryOp};

use crate::{
    AssignOp, Block, Distribution, Expr, ExprKind, Local, LocalId, Method, Network, NoiseRef, ObjectId,
    Random, Side, Statement, VarRef,
};

/// How tightly operators hold together, loosest first.
mod level {
    pub(super) const CONDITIONAL: u8 = 0;
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 2;
    pub(super) const NOT: u8 = 3;
    pub(super) const COMPARE: u8 = 4;
    pub(super) const BITS: u8 = 5;
    pub(super) const SUM: u8 = 6;
    pub(super) const PRODUCT: u8 = 7;
    pub(super) const SIGN: u8 = 8;
    pub(super) const POWER: u8 = 9;
    pub(super) const ATOM: u8 = 10;
}

/// An expression that prints itself; made by [`Network::display_expr`].
#[derive(Clone, Copy, Debug)]
pub struct DisplayExpr<'a> {
    names: Names<'a>,
    expr: &'a Expr,
}

/// A block that prints itself, one statement per line; made by [`Network::display_block`].
#[derive(Clone, Copy, Debug)]
pub struct DisplayBlock<'a> {
    names: Names<'a>,
    block: &'a Block,
    indent: usize,
}

impl Network {
    /// `expr` as text, as code of `object` would write it, inside a block with these `locals`.
    #[must_use]
    pub fn display_expr<'a>(
        &'a self,
        object: ObjectId,
        expr: &'a Expr,
        locals: &'a [Local],
    ) -> DisplayExpr<'a> {
        DisplayExpr { names: Names { network: self, object, locals }, expr }
    }

    /// `block` as text, as code of `object` would write it: one statement per line, `name := value` for
    /// locals.
    #[must_use]
    pub fn display_block<'a>(&'a self, object: ObjectId, block: &'a Block) -> DisplayBlock<'a> {
        DisplayBlock { names: Names { network: self, object, locals: &block.locals }, block, indent: 0 }
    }

    /// A variable's name as code of `object` would write it: `v`, `v_post`; `other.v` for a variable of an
    /// object that `object` has no name for.
    #[must_use]
    pub fn display_variable(&self, object: ObjectId, variable: VarRef) -> String {
        let name = &self.variable(variable).name;
        match variable.side {
            Side::Pre => format!("{name}_pre"),
            Side::Post => format!("{name}_post"),
            Side::Own if variable.object == object => name.clone(),
            Side::Own => format!("{}.{name}", self.object_name(variable.object)),
        }
    }
}

/// What names stand for in one object's code.
#[derive(Clone, Copy, Debug)]
struct Names<'a> {
    network: &'a Network,
    object: ObjectId,
    locals: &'a [Local],
}

impl<'a> Names<'a> {
    fn expr(self, expr: &'a Expr) -> DisplayExpr<'a> {
        DisplayExpr { names: self, expr }
    }

    fn operand(self, expr: &'a Expr, least: u8) -> Operand<'a> {
        Operand { expr: self.expr(expr), least }
    }

    /// The local's name, numbered if an earlier local has the same.
    fn local(self, local: LocalId) -> String {
        let Some(found) = self.locals.get(local.index()) else { return format!("local#{}", local.index()) };
        if self.locals[..local.index()].iter().any(|l| l.name == found.name) {
            format!("{}#{}", found.name, local.index())
        } else {
            found.name.clone()
        }
    }
}

/// An expression where nothing looser than `least` may stand without parentheses.
struct Operand<'a> {
    expr: DisplayExpr<'a>,
    least: u8,
}

impl fmt::Display for Operand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if level_of(self.expr.expr) < self.least { write!(f, "({})", self.expr) } else { self.expr.fmt(f) }
    }
}

/// How tightly the printed text of an expression holds together.
fn level_of(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Constant(value) => {
            let negative = match *value {
                Scalar::Bool(_) => false,
                Scalar::I32(_) | Scalar::I64(_) | Scalar::F32(_) | Scalar::F64(_) => {
                    value.to_f64().is_sign_negative()
                }
            };
            if negative { level::SIGN } else { level::ATOM }
        }
        ExprKind::Unary(op, _) => match op {
            UnaryOp::Neg => level::SIGN,
            UnaryOp::Not if expr.ty == ScalarType::Bool => level::NOT,
            UnaryOp::Not | UnaryOp::Abs | UnaryOp::Sqrt | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Trunc => {
                level::ATOM
            }
        },
        ExprKind::Binary(op, ..) => binary(*op, expr.ty).map_or(level::ATOM, |(_, level)| level),
        ExprKind::Compare(..) => level::COMPARE,
        ExprKind::Select(..) => level::CONDITIONAL,
        ExprKind::Call(Function::Pow, _) => level::POWER,
        ExprKind::Call(..)
        | ExprKind::Variable(_)
        | ExprKind::Local(_)
        | ExprKind::Time
        | ExprKind::TimeStep
        | ExprKind::Step
        | ExprKind::Index(_)
        | ExprKind::Convert(_)
        | ExprKind::Random(_)
        | ExprKind::Noise(_)
        | ExprKind::Table { .. } => level::ATOM,
    }
}

/// The symbol between two operands and its level; none for what is printed as a function.
fn binary(op: BinaryOp, ty: ScalarType) -> Option<(&'static str, u8)> {
    match op {
        BinaryOp::Add => Some(("+", level::SUM)),
        BinaryOp::Sub => Some(("-", level::SUM)),
        BinaryOp::Mul => Some(("*", level::PRODUCT)),
        BinaryOp::Div if ty.is_float() => Some(("/", level::PRODUCT)),
        BinaryOp::Div => Some(("//", level::PRODUCT)),
        BinaryOp::Rem => Some(("%", level::PRODUCT)),
        BinaryOp::And if ty == ScalarType::Bool => Some(("and", level::AND)),
        BinaryOp::Or if ty == ScalarType::Bool => Some(("or", level::OR)),
        BinaryOp::And => Some(("&", level::BITS)),
        BinaryOp::Or => Some(("|", level::BITS)),
        BinaryOp::Xor => Some(("^", level::BITS)),
        BinaryOp::Shl => Some(("<<", level::BITS)),
        BinaryOp::Shr => Some((">>>", level::BITS)),
        BinaryOp::Sar => Some((">>", level::BITS)),
        BinaryOp::Min | BinaryOp::Max => None,
    }
}

fn compare_symbol(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "==",
        CompareOp::Ne => "!=",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
    }
}

impl<'a> DisplayExpr<'a> {
    fn call(
        self,
        f: &mut fmt::Formatter<'_>,
        name: &str,
        args: impl IntoIterator<Item = &'a Expr>,
    ) -> fmt::Result {
        write!(f, "{name}(")?;
        for (i, arg) in args.into_iter().enumerate() {
            write!(f, "{}{}", if i > 0 { ", " } else { "" }, self.names.expr(arg))?;
        }
        f.write_str(")")
    }

    fn unary(self, f: &mut fmt::Formatter<'_>, op: UnaryOp, a: &'a Expr) -> fmt::Result {
        let name = match op {
            UnaryOp::Neg => return write!(f, "-{}", self.names.operand(a, level::SIGN)),
            UnaryOp::Not if a.ty == ScalarType::Bool => {
                return write!(f, "not {}", self.names.operand(a, level::NOT));
            }
            UnaryOp::Not => "invert",
            UnaryOp::Abs => "abs",
            UnaryOp::Sqrt => "sqrt",
            UnaryOp::Floor => "floor",
            UnaryOp::Ceil => "ceil",
            UnaryOp::Trunc => "trunc",
        };
        self.call(f, name, [a])
    }

    fn binary(self, f: &mut fmt::Formatter<'_>, op: BinaryOp, a: &'a Expr, b: &'a Expr) -> fmt::Result {
        match binary(op, self.expr.ty) {
            Some((symbol, level)) => {
                write!(f, "{} {symbol} {}", self.names.operand(a, level), self.names.operand(b, level + 1))
            }
            None => self.call(f, if op == BinaryOp::Min { "min" } else { "max" }, [a, b]),
        }
    }

    fn random(self, f: &mut fmt::Formatter<'_>, random: &'a Random) -> fmt::Result {
        match &random.distribution {
            Distribution::Uniform => self.call(f, "rand", [])?,
            Distribution::Normal => self.call(f, "randn", [])?,
            Distribution::Exponential => self.call(f, "exponential", [])?,
            Distribution::Poisson(mean) => self.call(f, "poisson", [&**mean])?,
            Distribution::Binomial(n, p) => self.call(f, "binomial", [&**n, &**p])?,
        }
        write!(f, "#{}{}", random.site.index(), suffix(random.side))
    }
}

/// `_pre` and `_post` for what belongs to a neuron seen from a synapse.
fn suffix(side: Side) -> &'static str {
    match side {
        Side::Own => "",
        Side::Pre => "_pre",
        Side::Post => "_post",
    }
}

impl fmt::Display for DisplayExpr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names;
        match &self.expr.kind {
            ExprKind::Constant(Scalar::Bool(true)) => f.write_str("True"),
            ExprKind::Constant(Scalar::Bool(false)) => f.write_str("False"),
            ExprKind::Constant(Scalar::I32(value)) => write!(f, "{value}"),
            ExprKind::Constant(Scalar::I64(value)) => write!(f, "{value}"),
            ExprKind::Constant(Scalar::F32(value)) => write!(f, "{value:?}"),
            ExprKind::Constant(Scalar::F64(value)) => write!(f, "{value:?}"),
            ExprKind::Variable(variable) => {
                f.write_str(&names.network.display_variable(names.object, *variable))
            }
            ExprKind::Local(local) => f.write_str(&names.local(*local)),
            ExprKind::Time => f.write_str("t"),
            ExprKind::TimeStep => f.write_str("dt"),
            ExprKind::Step => f.write_str("t_in_timesteps"),
            ExprKind::Index(Side::Own) => f.write_str("i"),
            ExprKind::Index(side) => write!(f, "i{}", suffix(*side)),
            ExprKind::Unary(op, a) => self.unary(f, *op, a),
            ExprKind::Binary(op, a, b) => self.binary(f, *op, a, b),
            ExprKind::Compare(op, a, b) => {
                let side = |e| names.operand(e, level::COMPARE + 1);
                write!(f, "{} {} {}", side(a), compare_symbol(*op), side(b))
            }
            ExprKind::Select(condition, a, b) => {
                let inner = |e| names.operand(e, level::CONDITIONAL + 1);
                write!(f, "{} if {} else {}", inner(a), inner(condition), names.expr(b))
            }
            ExprKind::Convert(a) => self.call(f, self.expr.ty.name(), [&**a]),
            ExprKind::Call(Function::Pow, args) if args.len() == 2 => {
                write!(
                    f,
                    "{}**{}",
                    names.operand(&args[0], level::ATOM),
                    names.operand(&args[1], level::SIGN)
                )
            }
            ExprKind::Call(function, args) => self.call(f, function.name(), args),
            ExprKind::Random(random) => self.random(f, random),
            ExprKind::Noise(NoiseRef { site, side }) => write!(f, "xi#{}{}", site.index(), suffix(*side)),
            ExprKind::Table { table, time, column } => {
                let name = &names.network.table(*table).name;
                self.call(f, name, std::iter::once(&**time).chain(column.as_deref()))
            }
        }
    }
}

impl fmt::Display for DisplayBlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names;
        for statement in &self.block.statements {
            write!(f, "{:1$}", "", self.indent)?;
            match statement {
                Statement::Let { local, value } => {
                    writeln!(f, "{} := {}", names.local(*local), names.expr(value))?
                }
                Statement::Assign { target, op, value, span: _ } => {
                    let target = names.network.display_variable(names.object, *target);
                    writeln!(f, "{target} {} {}", op.symbol(), names.expr(value))?;
                }
            }
        }
        Ok(())
    }
}

impl AssignOp {
    /// As it is printed: `=`, `+=`, `*=`, `/=`.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Set => "=",
            Self::Add => "+=",
            Self::Mul => "*=",
            Self::Div => "/=",
        }
    }
}

impl Method {
    /// All methods, in the order of their definition.
    pub const ALL: [Self; 10] = [
        Self::Auto,
        Self::Exact,
        Self::ExponentialEuler,
        Self::Euler,
        Self::Rk2,
        Self::Rk4,
        Self::Midpoint,
        Self::Heun,
        Self::Milstein,
        Self::ImplicitEuler,
    ];

    /// The name that a model gives it: `exact`, `exponential_euler`, ...
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Exact => "exact",
            Self::ExponentialEuler => "exponential_euler",
            Self::Euler => "euler",
            Self::Rk2 => "rk2",
            Self::Rk4 => "rk4",
            Self::Midpoint => "midpoint",
            Self::Heun => "heun",
            Self::Milstein => "milstein",
            Self::ImplicitEuler => "implicit_euler",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use neuropil_base::{Precision, Span};
    use neuropil_units::Dimension;

    use super::*;
    use crate::*;

    fn variable(name: &str, kind: VariableKind) -> Variable {
        Variable {
            name: name.to_owned(),
            ty: ScalarType::F64,
            dimension: Dimension::NONE,
            extent: Extent::PerElement,
            kind,
            initial: Initial::Zero,
            unless_refractory: false,
            span: Span::NONE,
        }
    }

    fn v(side: Side) -> Expr {
        let object = ObjectId::Population(PopulationId::new(0));
        Expr::variable(VarRef { object, variable: VariableId::new(0), side }, ScalarType::F64)
    }

    fn network() -> Network {
        let arith = Arith::new(Precision::F64);
        let object = ObjectId::Population(PopulationId::new(0));
        let v_ref = VarRef { object, variable: VariableId::new(0), side: Side::Own };
        let mut reset = Block::new();
        let x = reset.define("x", arith.mul(arith.real(0.5), v(Side::Own)));
        reset.set(v_ref, x);
        let mut on_pre = Block::new();
        on_pre.statements.push(Statement::Assign {
            target: VarRef { side: Side::Post, ..v_ref },
            op: AssignOp::Add,
            value: v(Side::Pre),
            span: Span::NONE,
        });
        let group = Group {
            name: "cells".to_owned(),
            object: ObjectId::Population(PopulationId::new(0)),
            start: 0,
            len: 3,
        };
        Network {
            name: "n".to_owned(),
            title: "a network".to_owned(),
            precision: Precision::F64,
            seed: 1,
            duration: 0.5,
            clocks: vec![Clock { name: "main".to_owned(), dt: 1e-4 }],
            populations: vec![Population {
                name: "cells".to_owned(),
                model: "leaky".to_owned(),
                size: 3,
                clock: ClockId::new(0),
                variables: vec![variable("v", VariableKind::State)],
                equations: vec![Equation {
                    variable: VariableId::new(0),
                    rhs: arith.div(arith.neg(v(Side::Own)), arith.real(0.01)),
                    span: Span::NONE,
                }],
                method: Method::Auto,
                events: vec![Event {
                    name: "spike".to_owned(),
                    source: EventSource::Condition(arith.compare(
                        CompareOp::Gt,
                        v(Side::Own),
                        arith.real(1.0),
                    )),
                    placed: Placed::at(Slot::Thresholds),
                    reset,
                    reset_placed: Placed::at(Slot::Resets),
                }],
                refractory: Refractory::Time(arith.real(0.002)),
                cable: None,
                update: Placed::at(Slot::Groups),
                periodic: Vec::new(),
                counters: Vec::new(),
                span: Span::NONE,
            }],
            projections: vec![Projection {
                name: "all".to_owned(),
                model: "delta".to_owned(),
                source: group.clone(),
                target: Group { start: 1, len: 2, ..group.clone() },
                clock: ClockId::new(0),
                variables: vec![variable("w", VariableKind::Parameter { constant: true })],
                equations: Vec::new(),
                event_driven: Vec::new(),
                last_update: None,
                method: Method::Auto,
                update: Placed::at(Slot::Groups),
                pathways: vec![Pathway {
                    name: "pre".to_owned(),
                    on: Endpoint::Pre,
                    event: EventId::new(0),
                    block: on_pre,
                    placed: Placed::new(When::at(Slot::Synapses), -1),
                    delay: Delay::Steps(15),
                    span: Span::NONE,
                }],
                sums: Vec::new(),
                periodic: Vec::new(),
                connect: Connect::FixedProbability { p: 0.02, self_connections: false },
                rewirings: Vec::new(),
                format: Format::Auto,
                span: Span::NONE,
            }],
            tables: Vec::new(),
            recorders: vec![Recorder {
                name: "spikes".to_owned(),
                kind: RecorderKind::Events { group, event: EventId::new(0) },
                clock: ClockId::new(0),
                placed: Placed::new(When::after(Slot::Thresholds), 0),
            }],
            schedule: Schedule::default(),
            host_operations: Vec::new(),
            subnetworks: Vec::new(),
            stops: Vec::new(),
            protocol: vec![Act::Run { subnetwork: None, duration: 0.5, stop: None }],
            next_site: 0,
        }
    }

    #[test]
    fn a_network_prints_all_that_it_says() {
        let expected = "\
network n
  title \"a network\"
  precision f64
  seed 1
  duration 0.5 s
clock main: dt 0.0001 s

population cells: 3 of leaky, clock main
  v : f64, 1, state
  dv/dt = -v / 0.01
  method auto
  refractory for 0.002 s
  event spike: when v > 1.0
    x := 0.5 * v
    v = x

projection all: cells to cells[1:3], of delta, clock main
  connect with probability 0.02, no self-connections
  format auto
  w : f64, 1, constant
  pathway pre: on presynaptic spike, order -1, delay 15 steps
    v_post += v_pre

recorder spikes: events spike of cells; clock main, at after_thresholds, order 0
";
        assert_eq!(network().to_string(), expected);
    }

    #[test]
    fn expressions_have_the_fewest_parentheses() {
        let n = network();
        let a = Arith::new(Precision::F64);
        let show = |e: Expr| n.display_expr(ObjectId::Population(PopulationId::new(0)), &e, &[]).to_string();
        let x = || v(Side::Own);
        let two = || a.real(2.0);
        assert_eq!(show(a.sub(x(), a.sub(x(), two()))), "v - (v - 2.0)");
        assert_eq!(show(a.add(x(), a.mul(x(), two()))), "v + v * 2.0");
        assert_eq!(show(a.mul(a.add(x(), two()), x())), "(v + 2.0) * v");
        assert_eq!(show(a.pow(a.neg(x()), two())), "(-v)**2.0");
        assert_eq!(show(a.neg(a.pow(x(), a.real(-2.0)))), "-v**-2.0");
        assert_eq!(show(a.sub(x(), a.real(-2.0))), "v - -2.0");
        let positive = || a.compare(CompareOp::Gt, x(), two());
        assert_eq!(show(a.select(positive(), x(), two())), "v if v > 2.0 else 2.0");
        assert_eq!(show(a.add(a.select(positive(), x(), two()), x())), "(v if v > 2.0 else 2.0) + v");
        assert_eq!(show(a.not(a.or(positive(), positive()))), "not (v > 2.0 or v > 2.0)");
        assert_eq!(show(a.call(Function::Exp, vec![x()])), "exp(v)");
        assert_eq!(
            show(a.convert(Expr::new(ExprKind::Index(Side::Own), ScalarType::I32), ScalarType::F64)),
            "f64(i)"
        );
        let noise = NoiseRef { site: SiteId::new(3), side: Side::Own };
        assert_eq!(show(Expr::new(ExprKind::Noise(noise), ScalarType::F64)), "xi#3");
    }

    #[test]
    fn names_of_other_objects_and_repeated_locals_are_told_apart() {
        let n = network();
        let synapses = ObjectId::Projection(ProjectionId::new(0));
        assert_eq!(n.display_expr(synapses, &v(Side::Own), &[]).to_string(), "cells.v");
        let mut block = Block::new();
        let a = block.define("k", v(Side::Pre));
        block.define("k", a);
        assert_eq!(n.display_block(synapses, &block).to_string(), "k := v_pre\nk#1 := k\n");
    }
}
