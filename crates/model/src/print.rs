//! The printed form of expressions, blocks and networks: what `neuropil emit --stage model` shows.
//!
//! Expressions read as the language does, with the fewest parentheses: `(v_rest - v) / tau`,
//! `a if c else b`, `x**2`, `not b`. Beyond the language there are only: conversions, as the name of the
//! type (`f32(t)`); `rand()#3`, a random number with its site; `xi#3`, a noise process with its site.
//! Floats have the fewest digits that give the same value. The text of a network says everything that
//! the network says, in its order.

use std::fmt;

use neuropil_base::{Scalar, ScalarType};
use neuropil_math::{BinaryOp, CompareOp, Function, UnaryOp};

use crate::{
    AssignOp, Block, Connect, Delay, Distribution, Endpoint, Event, EventSource, Expr, ExprKind, Extent,
    FixedNumber, Format, Group, Initial, Local, LocalId, Method, Network, NoiseRef, ObjectId, Pathway, Phase,
    Population, Projection, Random, Recorder, RecorderKind, Reduce, Refractory, Side, Slot, Statement, Sum,
    Table, VarRef, Variable, VariableKind, When,
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

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.phase {
            Phase::Before => "before_",
            Phase::At => "",
            Phase::After => "after_",
        })?;
        f.write_str(match self.slot {
            Slot::Start => "start",
            Slot::Groups => "groups",
            Slot::Thresholds => "thresholds",
            Slot::Synapses => "synapses",
            Slot::Resets => "resets",
            Slot::End => "end",
        })
    }
}

/// The whole network as text, deterministic.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "network {}", self.name)?;
        if !self.title.is_empty() {
            writeln!(f, "  title {:?}", self.title)?;
        }
        writeln!(f, "  precision {}", self.precision)?;
        writeln!(f, "  seed {}", self.seed)?;
        writeln!(f, "  duration {:?} s", self.duration)?;
        for clock in &self.clocks {
            writeln!(f, "clock {}: dt {:?} s", clock.name, clock.dt)?;
        }
        for table in &self.tables {
            print_table(f, table)?;
        }
        for (index, population) in self.populations.iter().enumerate() {
            let object = ObjectId::Population(crate::PopulationId::new(index));
            Owner { network: self, object }.population(f, population)?;
        }
        for (index, projection) in self.projections.iter().enumerate() {
            let object = ObjectId::Projection(crate::ProjectionId::new(index));
            Owner { network: self, object }.projection(f, projection)?;
        }
        for recorder in &self.recorders {
            print_recorder(f, self, recorder)?;
        }
        Ok(())
    }
}

fn print_table(f: &mut fmt::Formatter<'_>, table: &Table) -> fmt::Result {
    let Table { name, dt, rows, columns, values, dimension } = table;
    writeln!(f, "\ntable {name}: {rows} x {columns}, {dimension}, dt {dt:?} s")?;
    writeln!(f, "  values {}", some_values(values))
}

/// The values if they are few, else the first ones and how many there are.
fn some_values(values: &[f64]) -> String {
    const SHOWN: usize = 8;
    let mut text: Vec<String> = values.iter().take(SHOWN).map(|x| format!("{x:?}")).collect();
    if values.len() > SHOWN {
        text.push(format!("... ({} in all)", values.len()));
    }
    format!("[{}]", text.join(", "))
}

/// An object whose parts are printed.
#[derive(Clone, Copy)]
struct Owner<'a> {
    network: &'a Network,
    object: ObjectId,
}

impl<'a> Owner<'a> {
    fn expr(self, expr: &'a Expr) -> DisplayExpr<'a> {
        self.network.display_expr(self.object, expr, &[])
    }

    fn block(self, block: &'a Block, indent: usize) -> DisplayBlock<'a> {
        DisplayBlock { indent, ..self.network.display_block(self.object, block) }
    }

    fn group(self, group: &Group) -> String {
        display_group(self.network, group)
    }

    fn population(self, f: &mut fmt::Formatter<'_>, population: &'a Population) -> fmt::Result {
        let Population {
            name,
            model,
            size,
            clock,
            variables,
            equations,
            method,
            events,
            refractory,
            span: _,
        } = population;
        let clock = &self.network.clock(*clock).name;
        writeln!(f, "\npopulation {name}: {size} of {model}, clock {clock}")?;
        for variable in variables {
            self.variable(f, variable)?;
        }
        for equation in equations {
            let variable = &variables[equation.variable.index()].name;
            writeln!(f, "  d{variable}/dt = {}", self.expr(&equation.rhs))?;
        }
        if !equations.is_empty() {
            writeln!(f, "  method {method}")?;
        }
        match refractory {
            Refractory::Never => {}
            Refractory::Time(time) => {
                writeln!(f, "  refractory for {} s", self.expr(time))?;
            }
            Refractory::While(condition) => {
                writeln!(f, "  refractory while {}", self.expr(condition))?;
            }
        }
        for event in events {
            self.event(f, event)?;
        }
        Ok(())
    }

    fn variable(self, f: &mut fmt::Formatter<'_>, variable: &'a Variable) -> fmt::Result {
        let Variable { name, ty, dimension, extent, kind, initial, unless_refractory, span: _ } = variable;
        if let VariableKind::Subexpression(value) = kind {
            let value = self.expr(value);
            return writeln!(f, "  {name} = {value} : {ty}, {dimension}");
        }
        write!(f, "  {name} : {ty}, {dimension}")?;
        f.write_str(match kind {
            VariableKind::State | VariableKind::Subexpression(_) => ", state",
            VariableKind::Parameter { constant: false } => ", parameter",
            VariableKind::Parameter { constant: true } => ", constant",
            VariableKind::LastSpike => ", last spike",
            VariableKind::NotRefractory => ", not refractory",
            VariableKind::SumTarget => ", sum",
        })?;
        f.write_str(match extent {
            Extent::PerElement => "",
            Extent::Shared => ", shared",
        })?;
        f.write_str(if *unless_refractory { ", unless refractory" } else { "" })?;
        match initial {
            Initial::Zero => writeln!(f),
            Initial::Expr(value) => {
                writeln!(f, ", initially {}", self.expr(value))
            }
            Initial::Column(column) => writeln!(f, ", initially column `{column}`"),
            Initial::Values(values) => writeln!(f, ", initially {}", some_values(values)),
        }
    }

    fn event(self, f: &mut fmt::Formatter<'_>, event: &'a Event) -> fmt::Result {
        write!(f, "  event {}: ", event.name)?;
        match &event.source {
            EventSource::Condition(condition) => {
                writeln!(f, "when {}", self.expr(condition))?;
            }
            EventSource::List { steps, neurons, period_steps } => {
                write!(f, "{} listed", steps.len())?;
                for (step, neuron) in steps.iter().zip(neurons).take(8) {
                    write!(f, " {step}:{neuron}")?;
                }
                f.write_str(if steps.len() > 8 { " ..." } else { "" })?;
                if *period_steps > 0 {
                    write!(f, ", again every {period_steps} steps")?;
                }
                writeln!(f)?;
            }
        }
        write!(f, "{}", self.block(&event.reset, 4))
    }

    fn projection(self, f: &mut fmt::Formatter<'_>, projection: &'a Projection) -> fmt::Result {
        let Projection {
            name,
            model,
            source,
            target,
            clock,
            variables,
            equations,
            event_driven,
            last_update: _,
            method,
            pathways,
            sums,
            connect,
            format,
            span: _,
        } = projection;
        let (source, target, clock) =
            (self.group(source), self.group(target), &self.network.clock(*clock).name);
        writeln!(f, "\nprojection {name}: {source} to {target}, of {model}, clock {clock}")?;
        self.connect(f, connect)?;
        writeln!(
            f,
            "  format {}",
            match format {
                Format::Auto => "auto",
                Format::Csr => "csr",
                Format::Ell => "ell",
                Format::Dense => "dense",
            }
        )?;
        for variable in variables {
            self.variable(f, variable)?;
        }
        for equation in equations {
            writeln!(
                f,
                "  d{}/dt = {}",
                variables[equation.variable.index()].name,
                self.expr(&equation.rhs)
            )?;
        }
        if !equations.is_empty() {
            writeln!(f, "  method {method}")?;
        }
        for equation in event_driven {
            let variable = &variables[equation.variable.index()].name;
            writeln!(f, "  d{variable}/dt = {} (event-driven)", self.expr(&equation.rhs))?;
        }
        for pathway in pathways {
            self.pathway(f, projection, pathway)?;
        }
        for sum in sums {
            self.sum(f, sum)?;
        }
        Ok(())
    }

    fn connect(self, f: &mut fmt::Formatter<'_>, connect: &'a Connect) -> fmt::Result {
        let loops = |allowed: bool| if allowed { "" } else { ", no self-connections" };
        let number = |what: &str, n: &FixedNumber| {
            let multapses = if n.multapses { "" } else { ", no multapses" };
            format!("{what} {}{}{multapses}", n.n, loops(n.self_connections))
        };
        f.write_str("  connect ")?;
        match connect {
            Connect::AllToAll { self_connections } => writeln!(f, "all to all{}", loops(*self_connections)),
            Connect::OneToOne => writeln!(f, "one to one"),
            Connect::FixedProbability { p, self_connections } => {
                writeln!(f, "with probability {p:?}{}", loops(*self_connections))
            }
            Connect::FixedInDegree(n) => writeln!(f, "{}", number("in-degree", n)),
            Connect::FixedOutDegree(n) => writeln!(f, "{}", number("out-degree", n)),
            Connect::FixedTotalNumber(n) => writeln!(f, "{}", number("total number", n)),
            Connect::Condition { condition, probability, repeat } => {
                f.write_str("every pair")?;
                if let Some(condition) = condition {
                    write!(f, " where {}", self.expr(condition))?;
                }
                if let Some(probability) = probability {
                    write!(f, " with probability {}", self.expr(probability))?;
                }
                writeln!(f, ", {repeat} per pair")
            }
            Connect::Pairs(pairs) => {
                write!(f, "{} pairs", pairs.len())?;
                for (source, target) in pairs.iter().take(8) {
                    write!(f, " {source}:{target}")?;
                }
                writeln!(f, "{}", if pairs.len() > 8 { " ..." } else { "" })
            }
            Connect::File(path) => writeln!(f, "as in the file {:?}", path.display().to_string()),
        }
    }

    fn pathway(
        self,
        f: &mut fmt::Formatter<'_>,
        projection: &Projection,
        pathway: &'a Pathway,
    ) -> fmt::Result {
        let Pathway { name, on, event, block, order, delay, span: _ } = pathway;
        let (side, population) = match on {
            Endpoint::Pre => ("presynaptic", projection.source.population),
            Endpoint::Post => ("postsynaptic", projection.target.population),
        };
        let event = &self.network.population(population).events[event.index()].name;
        write!(f, "  pathway {name}: on {side} {event}, order {order}, delay ")?;
        match delay {
            Delay::None => writeln!(f, "none")?,
            Delay::Steps(steps) => writeln!(f, "{steps} steps")?,
            Delay::PerSynapse(value) => writeln!(f, "{} s", self.expr(value))?,
            Delay::Column(column) => writeln!(f, "column `{column}`")?,
            Delay::Values(values) => writeln!(f, "{} s", some_values(values))?,
        }
        write!(f, "{}", self.block(block, 4))
    }

    fn sum(self, f: &mut fmt::Formatter<'_>, sum: &'a Sum) -> fmt::Result {
        let Sum { target, value, reduce, delay_steps } = sum;
        let reduce = match reduce {
            Reduce::Sum => "sum",
            Reduce::Mean => "mean",
            Reduce::Max => "max",
            Reduce::Min => "min",
        };
        let target = self.network.display_variable(self.object, *target);
        write!(f, "  {target} = {reduce} over synapses of {}", self.expr(value))?;
        if *delay_steps > 0 {
            write!(f, ", {delay_steps} steps ago")?;
        }
        writeln!(f)
    }
}

fn display_group(network: &Network, group: &Group) -> String {
    let population = network.population(group.population);
    if group.start == 0 && group.len == population.size {
        population.name.clone()
    } else {
        format!("{}[{}:{}]", population.name, group.start, u64::from(group.start) + u64::from(group.len))
    }
}

fn print_recorder(f: &mut fmt::Formatter<'_>, network: &Network, recorder: &Recorder) -> fmt::Result {
    let Recorder { name, kind, clock, when, order } = recorder;
    let events = |group: &Group, event: &crate::EventId| {
        let event = &network.population(group.population).events[event.index()].name;
        format!("{event} of {}", display_group(network, group))
    };
    write!(f, "\nrecorder {name}: ")?;
    match kind {
        RecorderKind::Events { group, event } => write!(f, "events {}", events(group, event))?,
        RecorderKind::Rate { group, event } => write!(f, "rate {}", events(group, event))?,
        RecorderKind::State { object, variables, elements } => {
            let all = network.variables(*object);
            let names: Vec<&str> = variables.iter().map(|v| all[v.index()].name.as_str()).collect();
            let count = elements.len();
            let numbers: Vec<String> = elements.iter().take(8).map(u32::to_string).collect();
            let more = if count > 8 { format!(", ... ({count} in all)") } else { String::new() };
            let object = network.object_name(*object);
            write!(f, "{} of {object}[{}{more}]", names.join(", "), numbers.join(", "))?;
        }
    }
    writeln!(f, "; clock {}, at {when}, order {order}", network.clock(*clock).name)
}

#[cfg(test)]
mod tests {
    use neuropil_base::{Precision, Span};
    use neuropil_units::Dimension;

    use super::*;
    use crate::{Arith, Clock, ClockId, Equation, EventId, PopulationId, ProjectionId, SiteId, VariableId};

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
        let group = Group { name: "cells".to_owned(), population: PopulationId::new(0), start: 0, len: 3 };
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
                    reset,
                }],
                refractory: Refractory::Time(arith.real(0.002)),
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
                pathways: vec![Pathway {
                    name: "pre".to_owned(),
                    on: Endpoint::Pre,
                    event: EventId::new(0),
                    block: on_pre,
                    order: -1,
                    delay: Delay::Steps(15),
                    span: Span::NONE,
                }],
                sums: Vec::new(),
                connect: Connect::FixedProbability { p: 0.02, self_connections: false },
                format: Format::Auto,
                span: Span::NONE,
            }],
            tables: Vec::new(),
            recorders: vec![Recorder {
                name: "spikes".to_owned(),
                kind: RecorderKind::Events { group, event: EventId::new(0) },
                clock: ClockId::new(0),
                when: When { slot: Slot::Thresholds, phase: Phase::After },
                order: 0,
            }],
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
