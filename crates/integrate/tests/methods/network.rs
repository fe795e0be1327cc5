//! Networks of one population or one projection, from equation text; and running them.

use neuropil_base::{FileId, Precision, ScalarType, Span, Text};
use neuropil_integrate::reference::Element;
use neuropil_integrate::{Step, population_step};
use neuropil_math::{CompareOp, Function};
use neuropil_model::{
    Arith, Clock, ClockId, Connect, Equation, Expr, ExprKind, Extent, Format, Group, Initial, Method,
    Network, NoiseRef, ObjectId, Placed, Population, PopulationId, Projection, ProjectionId, Refractory,
    Schedule, Side, SiteId, Slot, Table, TableId, VarRef, Variable, VariableId, VariableKind,
};
use neuropil_syntax::{BinaryOp, ExprKind as Syntax, UnaryOp, parse_expression};
use neuropil_units::Dimension;

use crate::shape::check_types;

/// What a test says of its network.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) precision: Precision,
    pub(crate) dt: f64,
    pub(crate) method: Method,
    /// `(name, right-hand side)`; a name that ends in `!` stands still while refractory, in `*` is shared.
    pub(crate) equations: &'a [(&'a str, &'a str)],
    pub(crate) parameters: &'a [&'a str],
    /// The refractory time as text; empty for never; beginning with `while ` for a condition.
    pub(crate) refractory: &'a str,
}

impl Default for Given<'_> {
    fn default() -> Self {
        Self {
            precision: Precision::F64,
            dt: 1e-4,
            method: Method::Auto,
            equations: &[],
            parameters: &[],
            refractory: "",
        }
    }
}

pub(crate) fn cells() -> ObjectId {
    ObjectId::Population(PopulationId::new(0))
}

pub(crate) fn synapses() -> ObjectId {
    ObjectId::Projection(ProjectionId::new(0))
}

/// A table `table(t)` of 0, 1, 2, ... with rows of this many steps.
pub(crate) const TABLE_STEPS: f64 = 5.0;

impl Given<'_> {
    /// A network of one population with these equations.
    pub(crate) fn network(&self) -> Network {
        let mut network = self.empty();
        let population = &mut network.populations[0];
        (population.variables, population.equations) = self.equations(cells());
        population.refractory = match self.refractory {
            "" => Refractory::Never,
            text => match text.strip_prefix("while ") {
                Some(condition) => Refractory::While(self.expr(cells(), &population.variables, condition)),
                None => Refractory::Time(self.expr(cells(), &population.variables, text)),
            },
        };
        network
    }

    /// A network of one projection with these equations, event-driven.
    pub(crate) fn event_driven(&self) -> Network {
        let mut network = self.empty();
        let group = Group {
            name: "cells".to_owned(),
            object: ObjectId::Population(PopulationId::new(0)),
            start: 0,
            len: 1,
        };
        let (mut variables, event_driven) = self.equations(synapses());
        variables.push(variable("lastupdate", ScalarType::F64, VariableKind::State));
        network.projections.push(Projection {
            name: "synapses".to_owned(),
            model: "test".to_owned(),
            source: group.clone(),
            target: group,
            clock: ClockId::new(0),
            last_update: Some(VariableId::new(variables.len() - 1)),
            variables,
            equations: Vec::new(),
            event_driven,
            method: Method::Auto,
            update: Placed::at(Slot::Groups),
            pathways: Vec::new(),
            sums: Vec::new(),
            periodic: Vec::new(),
            connect: Connect::OneToOne,
            rewirings: Vec::new(),
            format: Format::Auto,
            span: Span::NONE,
        });
        network
    }

    fn empty(&self) -> Network {
        Network {
            name: "test".to_owned(),
            title: String::new(),
            precision: self.precision,
            seed: 1,
            duration: 1.0,
            clocks: vec![Clock { name: "main".to_owned(), dt: self.dt }],
            populations: vec![Population {
                name: "cells".to_owned(),
                model: "test".to_owned(),
                size: 1,
                clock: ClockId::new(0),
                variables: Vec::new(),
                equations: Vec::new(),
                method: self.method,
                update: Placed::at(Slot::Groups),
                events: Vec::new(),
                refractory: Refractory::Never,
                periodic: Vec::new(),
                counters: Vec::new(),
                cable: None,
                span: Span::NONE,
            }],
            projections: Vec::new(),
            tables: vec![Table {
                name: "table".to_owned(),
                dt: TABLE_STEPS * self.dt,
                rows: 4,
                columns: 1,
                values: vec![0.0, 1.0, 2.0, 3.0],
                dimension: Dimension::NONE,
            }],
            recorders: Vec::new(),
            schedule: Schedule::default(),
            host_operations: Vec::new(),
            subnetworks: Vec::new(),
            stops: Vec::new(),
            protocol: Vec::new(),
            next_site: 100,
        }
    }

    fn equations(&self, object: ObjectId) -> (Vec<Variable>, Vec<Equation>) {
        let float = self.precision.float();
        let mut variables = Vec::new();
        for (name, _) in self.equations {
            let mut made = variable(name.trim_end_matches(['!', '*']), float, VariableKind::State);
            made.unless_refractory = name.ends_with('!');
            made.extent = if name.ends_with('*') { Extent::Shared } else { Extent::PerElement };
            variables.push(made);
        }
        for name in self.parameters {
            variables.push(variable(name, float, VariableKind::Parameter { constant: true }));
        }
        if !self.refractory.is_empty() {
            variables.push(variable("lastspike", ScalarType::F64, VariableKind::LastSpike));
            variables.push(variable("not_refractory", ScalarType::Bool, VariableKind::NotRefractory));
        }
        let equations = self.equations.iter().enumerate().map(|(k, (_, rhs))| Equation {
            variable: VariableId::new(k),
            rhs: self.expr(object, &variables, rhs),
            span: Span::NONE,
        });
        let equations = equations.collect();
        (variables, equations)
    }

    fn expr(&self, object: ObjectId, variables: &[Variable], text: &str) -> Expr {
        // A file of its own, so that spans are there.
        let text = Text::new(text, Span::new(FileId::new(0), 0..text.len()));
        let (tree, diagnostics) = parse_expression(&text);
        assert!(diagnostics.is_empty(), "{text}: {diagnostics:?}");
        Lower { object, variables, arith: Arith::new(self.precision) }.expr(&tree)
    }

    /// The step of the population.
    pub(crate) fn step(&self) -> (Network, Step) {
        let network = self.network();
        let step = population_step(&network, PopulationId::new(0)).expect("the method applies");
        check_types(&network, &step.block);
        check_types(&network, &step.shared);
        (network, step)
    }

    /// The code and the message of the only diagnostic.
    pub(crate) fn refusal(&self) -> (&'static str, String, std::ops::Range<usize>) {
        let network = self.network();
        let diagnostics =
            population_step(&network, PopulationId::new(0)).expect_err("the method does not apply");
        assert_eq!(diagnostics.len(), 1);
        let d = diagnostics.iter().next().unwrap();
        assert!(!d.help.is_empty(), "{d:?}");
        (d.code, d.message.clone(), d.span.range())
    }

    /// The unknowns after `steps` steps from `start`, parameters given by name.
    pub(crate) fn run(&self, start: &[f64], parameters: &[f64], steps: i64) -> Vec<f64> {
        let (network, step) = self.step();
        let mut element = Element::new(&network, self.dt);
        for (k, value) in start.iter().chain(parameters).enumerate() {
            element.set(own(cells(), k), *value);
        }
        for k in 0..steps {
            element.step = k;
            element.run(&step.block);
        }
        (0..start.len()).map(|k| element.get(own(cells(), k))).collect()
    }

    /// The step as text.
    pub(crate) fn text(&self) -> String {
        let (network, step) = self.step();
        neuropil_integrate::display(&network, &step)
    }
}

/// Variable number `k` of an object.
pub(crate) fn own(object: ObjectId, k: usize) -> VarRef {
    VarRef { object, variable: VariableId::new(k), side: Side::Own }
}

fn variable(name: &str, ty: ScalarType, kind: VariableKind) -> Variable {
    Variable {
        name: name.to_owned(),
        ty,
        dimension: Dimension::NONE,
        extent: Extent::PerElement,
        kind,
        initial: Initial::Zero,
        unless_refractory: false,
        span: Span::NONE,
    }
}

/// Syntax trees to typed expressions, units aside.
struct Lower<'a> {
    object: ObjectId,
    variables: &'a [Variable],
    arith: Arith,
}

impl Lower<'_> {
    fn expr(&self, tree: &neuropil_syntax::Expr) -> Expr {
        let a = self.arith;
        let made = match &tree.kind {
            Syntax::Integer(value) => a.real(*value as f64),
            Syntax::Real(value) => a.real(*value),
            Syntax::Name(name) => self.name(name),
            Syntax::Unary(UnaryOp::Neg, x) => a.neg(self.expr(x)),
            Syntax::Unary(UnaryOp::Not, x) => a.not(self.expr(x)),
            Syntax::Binary(op, x, y) => {
                let (x, y) = (self.expr(x), self.expr(y));
                match op {
                    BinaryOp::Add => a.add(x, y),
                    BinaryOp::Sub => a.sub(x, y),
                    BinaryOp::Mul => a.mul(x, y),
                    BinaryOp::Div => a.div(x, y),
                    BinaryOp::Pow => a.pow(x, y),
                    BinaryOp::Lt => a.compare(CompareOp::Lt, x, y),
                    BinaryOp::Gt => a.compare(CompareOp::Gt, x, y),
                    other => panic!("{other:?}"),
                }
            }
            Syntax::Call { function, args } if function == "table" => Expr::new(
                ExprKind::Table { table: TableId::new(0), time: Box::new(self.expr(&args[0])), column: None },
                a.float(),
            ),
            Syntax::Call { function, args } => {
                let function = Function::from_name(function).expect("a function");
                a.call(function, args.iter().map(|e| self.expr(e)).collect())
            }
            Syntax::Conditional { condition, then, otherwise } => {
                a.select(self.expr(condition), self.expr(then), self.expr(otherwise))
            }
            other => panic!("{other:?}"),
        };
        made.at(tree.span)
    }

    fn name(&self, name: &str) -> Expr {
        match name {
            "t" => return Expr::new(ExprKind::Time, ScalarType::F64),
            "dt" => return Expr::new(ExprKind::TimeStep, ScalarType::F64),
            _ => {}
        }
        if let Some(number) = name.strip_prefix("xi") {
            let site = number.trim_start_matches('_').parse().unwrap_or(0);
            let noise = NoiseRef { site: SiteId::new(site), side: Side::Own };
            return Expr::new(ExprKind::Noise(noise), self.arith.float());
        }
        let k = self.variables.iter().position(|v| v.name == name).unwrap_or_else(|| panic!("`{name}`"));
        Expr::variable(own(self.object, k), self.variables[k].ty)
    }
}
