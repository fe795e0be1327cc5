//! Projections: a synapse model between two groups; its variables and equations.

use neuropil_base::{Diagnostics, Precision, ScalarType, Span, Spanned, Text};
use neuropil_model::{
    Endpoint, Equation, Extent, Initial, Projection, ProjectionId, Variable, VariableId, VariableKind,
};
use neuropil_source::{
    Assignment, PathwaySource, PeriodicSource, Placement, ProjectionSource, SumSource, SynapseSource,
    ValueSource,
};
use neuropil_syntax::{
    Block as AstBlock, Equations, Expr as Ast, parse_block, parse_equations, parse_expression,
};
use neuropil_units::Dimension;

use crate::declare::{Declared, Owner, declare, is_summed, report_circles};
use crate::dim::Dim;
use crate::ends::Objects;
use crate::equation::Meaning;
use crate::initial::column_variable;
use crate::population::{Tools, in_order};
use crate::rewire::Rule;
use crate::scope::{Home, Sites, World};
use crate::typing::Typer;
use crate::values::Scale;

/// A synapse model, its texts parsed.
#[derive(Clone, Default, Debug)]
pub(crate) struct SynapseModel {
    pub(crate) equations: Equations,
    /// Whether it says nothing about variables: it may have a weight all the same.
    without_equations: bool,
    pub(crate) pathways: Vec<(PathwaySource, AstBlock)>,
    pub(crate) sums: Vec<(SumSource, Ast)>,
    pub(crate) periodic: Vec<(PeriodicSource, AstBlock)>,
    /// Rules by which synapses come and go.
    pub(crate) rules: Vec<Rule>,
    pub(crate) method: Option<Spanned<String>>,
    pub(crate) initial: Vec<Assignment>,
    pub(crate) schedule: Vec<Placement>,
    /// Every text in which names may stand.
    pub(crate) texts: Vec<Text>,
}

impl SynapseModel {
    /// Parses the texts of a model.
    pub(crate) fn parse(source: &SynapseSource, out: &mut Diagnostics) -> Self {
        let equations = match &source.equations {
            Some(text) => {
                let (tree, diagnostics) = parse_equations(text);
                out.append(diagnostics);
                tree
            }
            None => Equations::default(),
        };
        report_circles(&equations, out);
        let mut pathways: Vec<(PathwaySource, AstBlock)> = Vec::new();
        for pathway in &source.pathways {
            let (tree, diagnostics) = parse_block(&pathway.code);
            out.append(diagnostics);
            pathways.push((pathway.clone(), tree));
        }
        let mut periodic = Vec::new();
        for code in &source.periodic {
            let (tree, diagnostics) = parse_block(&code.code);
            out.append(diagnostics);
            periodic.push((code.clone(), tree));
        }
        let mut sums = Vec::new();
        for sum in &source.sums {
            let (tree, diagnostics) = parse_expression(&sum.expression);
            out.append(diagnostics);
            sums.push((sum.clone(), tree));
        }
        let rules = Rule::parse(source, out);
        let texts = source
            .equations
            .iter()
            .chain(source.pathways.iter().map(|p| &p.code))
            .chain(source.sums.iter().map(|s| &s.expression))
            .chain(source.sums.iter().filter_map(|s| s.delay.as_ref()))
            .chain(source.pathways.iter().filter_map(|p| p.delay.as_ref()))
            .chain(source.periodic.iter().map(|p| &p.code))
            .chain(rules.iter().flat_map(Rule::texts))
            .cloned()
            .collect();
        Self {
            equations,
            without_equations: source.equations.is_none(),
            pathways,
            sums,
            periodic,
            rules,
            method: source.method.clone(),
            initial: source.parameters.iter().chain(&source.initial).cloned().collect(),
            schedule: source.schedule.clone(),
            texts,
        }
    }
}

impl SynapseModel {
    /// What its weighted sums go into, as it was written.
    pub(crate) fn sum_names(&self) -> Vec<&str> {
        let summed = self.equations.list.iter().filter(|e| is_summed(e)).map(|e| &e.name);
        self.sums.iter().map(|(s, _)| &s.into).chain(summed).map(|n| n.value.as_str()).collect()
    }
}

/// A projection under construction.
#[derive(Clone, Debug)]
pub(crate) struct Proj {
    /// Variables are filled in at the end.
    pub(crate) projection: Projection,
    pub(crate) declared: Declared,
    pub(crate) model: SynapseModel,
    /// Values of variables, the later winning.
    pub(crate) initial: Vec<Assignment>,
    /// Something it needs is not known: its code is not checked.
    pub(crate) broken: bool,
    /// Which projection of the source.
    pub(crate) index: usize,
}

impl Proj {
    /// The texts of the projection and its model in which names may stand.
    pub(crate) fn texts<'a>(&'a self, source: &'a ProjectionSource) -> impl Iterator<Item = &'a Text> {
        let connect = [&source.connect.condition, &source.connect.probability];
        self.model
            .texts
            .iter()
            .chain(connect.into_iter().flatten())
            .chain(source.delay.iter().filter_map(ValueSource::expression))
            .chain(source.delays.iter().filter_map(|a| a.value.expression()))
            .chain(self.initial.iter().filter_map(|a| a.value.expression()))
    }

    /// Where the projection's code stands.
    pub(crate) fn home<'a>(&'a self, id: ProjectionId, objects: Objects<'a>) -> Home<'a> {
        Home::Synapse {
            id,
            symbols: &self.declared.symbols,
            pre: objects.end(&self.projection.source),
            post: objects.end(&self.projection.target),
        }
    }

    /// Where conditions over pairs stand.
    pub(crate) fn pairs<'a>(&'a self, id: ProjectionId, objects: Objects<'a>) -> Home<'a> {
        Home::Pairs {
            id,
            symbols: &self.declared.symbols,
            pre: objects.end(&self.projection.source),
            post: objects.end(&self.projection.target),
            exist: false,
        }
    }

    /// Where conditions over pairs stand that are looked at while the network runs.
    pub(crate) fn pairs_while_running<'a>(&'a self, id: ProjectionId, objects: Objects<'a>) -> Home<'a> {
        Home::Pairs {
            id,
            symbols: &self.declared.symbols,
            pre: objects.end(&self.projection.source),
            post: objects.end(&self.projection.target),
            exist: true,
        }
    }

    /// Declares the variables of the model.
    pub(crate) fn declare(
        &mut self,
        id: ProjectionId,
        source: &ProjectionSource,
        objects: Objects<'_>,
        world: &World,
        out: &mut Diagnostics,
    ) {
        let precision = world.precision();
        let columns = self.declare_columns(source, precision, out);
        let initial = in_order(&self.initial);
        let declared = declare(&self.model.equations, Owner::Synapse, &initial, precision, out);
        // Columns of a file come first: other values are made of them.
        let mut all = columns;
        all.linked.clone_from(&declared.linked);
        for variable in declared.variables {
            let (dim, noise) =
                declared.symbols.get(&variable.name).map_or((Dim::Unknown, false), |s| (s.dim, s.noise));
            let name = variable.name.clone();
            all.add(variable, dim);
            if let Some(symbol) = all.symbols.get_mut(&name) {
                symbol.noise = noise;
            }
        }
        self.declared = all;
        if self.model.equations.list.iter().any(|e| e.flag("event-driven").is_some()) {
            let second = Dim::Known(Dimension::SECOND);
            let variable =
                self.declared.add_hidden("lastupdate", VariableKind::State, ScalarType::F64, second);
            self.projection.last_update = Some(variable);
        }
        self.count_synapses(source);
        if self.model.without_equations
            && let Some(weight) = &source.weight
        {
            let (dim, span) = self.weight_dimension(id, weight, objects, world);
            let variable = Variable {
                name: "w".to_owned(),
                ty: precision.float(),
                dimension: dim.known().unwrap_or(Dimension::NONE),
                extent: Extent::PerElement,
                kind: VariableKind::Parameter { constant: false },
                initial: Initial::Zero,
                unless_refractory: false,
                span,
            };
            self.declared.add(variable, dim);
        }
    }

    /// Adds the numbers of synapses that code names.
    fn count_synapses(&mut self, source: &ProjectionSource) {
        let kinds = [
            ("N_incoming", VariableKind::Degree(Endpoint::Post)),
            ("N_outgoing", VariableKind::Degree(Endpoint::Pre)),
            ("N", VariableKind::Count),
        ];
        for (name, kind) in kinds {
            if self.texts(source).any(|text| names(&text.text, name)) {
                self.declared.add_hidden(name, kind, ScalarType::I32, Dim::NONE);
            }
        }
    }

    /// Variables for the columns of the projection's file that are not in SI base units.
    fn declare_columns(
        &self,
        source: &ProjectionSource,
        precision: Precision,
        out: &mut Diagnostics,
    ) -> Declared {
        let mut declared = Declared::default();
        let values = self.initial.iter().map(|a| &a.value);
        let delays = source.delay.iter().chain(source.delays.iter().map(|a| &a.value));
        for value in values.chain(delays) {
            if let ValueSource::Column { column, unit } = value
                && Scale::of(unit.as_ref(), out).is_some_and(|s| s.factor() != 1.0)
            {
                let name = column_variable(&column.value);
                let kind = VariableKind::Parameter { constant: true };
                let id = declared.add_hidden(&name, kind, precision.float(), Dim::NONE);
                declared.variables[id.index()].initial = Initial::Column(column.value.clone());
            }
        }
        declared
    }

    /// The dimension of a weight whose synapse model says nothing about it.
    fn weight_dimension(
        &self,
        id: ProjectionId,
        weight: &ValueSource,
        objects: Objects<'_>,
        world: &World,
    ) -> (Dim, Span) {
        // Mistakes in the weight are reported when the value is checked.
        let (mut unheard, mut unused) = (Diagnostics::new(), Sites::default());
        let dim = match weight {
            ValueSource::Expression(text) => {
                Typer::new(world, self.home(id, objects), &mut unheard, &mut unused).value(text).dim
            }
            ValueSource::List { unit, .. } | ValueSource::Column { unit, .. } => {
                Dim::from(Scale::of(unit.as_ref(), &mut unheard).map(|s| s.dimension))
            }
        };
        (dim, weight.span())
    }
}

/// Whether `name` stands in `text` as a word of its own.
pub(crate) fn names(text: &str, name: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    text.split(|c| !part_of_name(c)).any(|word| word == name)
}

/// Checks the equations of a projection; `(summed)` ones belong to the sums.
pub(crate) fn check_equations(
    proj: &mut Proj,
    id: ProjectionId,
    objects: Objects<'_>,
    tools: &mut Tools<'_>,
) {
    let mut found: Vec<(VariableId, Meaning, bool, Span)> = Vec::new();
    for equation in &proj.model.equations.list {
        if is_summed(equation) {
            continue;
        }
        let Some(symbol) = proj.declared.symbols.get(&equation.name.value) else { continue };
        if symbol.span != equation.name.span {
            continue;
        }
        let meaning = tools.typer(proj.home(id, objects)).equation(equation, symbol);
        found.push((symbol.id, meaning, equation.flag("event-driven").is_some(), equation.span));
    }
    for (variable, meaning, event_driven, span) in found {
        match meaning {
            Meaning::Derivative(rhs) if event_driven => {
                proj.projection.event_driven.push(Equation { variable, rhs, span });
            }
            Meaning::Derivative(rhs) => proj.projection.equations.push(Equation { variable, rhs, span }),
            Meaning::Value(expr) if proj.declared.variables[variable.index()].kind == VariableKind::Held => {
                proj.declared.held.push((variable, expr));
            }
            Meaning::Value(expr) => {
                proj.declared.variables[variable.index()].kind = VariableKind::Subexpression(expr);
            }
            Meaning::Nothing => {}
        }
    }
}

/// The weight, then the initial values of a projection, over those of its model.
pub(crate) fn initial_values(model: &SynapseModel, source: &ProjectionSource) -> Vec<Assignment> {
    let weight = source
        .weight
        .iter()
        .map(|value| Assignment { name: Spanned::new("w".to_owned(), value.span()), value: value.clone() });
    model.initial.iter().cloned().chain(weight).chain(source.initial.iter().cloned()).collect()
}

/// What a projection is called in diagnostics.
pub(crate) fn described(name: &str) -> String {
    format!("projection `{name}`")
}
