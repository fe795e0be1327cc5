//! Linked variables: other names for elements of variables of other objects.
//!
//! `x : volt (linked)` and `link.x = "others.v"` let code of one object read and write a variable of another. A
//! link is resolved here to the variable and to the rule that says which element is meant; links to linked variables
//! stay as they are written and are followed when kernels are made. A link to a subexpression becomes a
//! subexpression over hidden links to all that it is made of.

use neuropil_base::{Diagnostic, Diagnostics, ScalarType, Span};
use neuropil_math::BinaryOp;
use neuropil_model::{
    Expr, ExprKind, Extent, Group, Initial, Link, LinkPlace, ObjectId, PopulationId, ProjectionId, Side,
    VarRef, Variable, VariableId, VariableKind,
};
use neuropil_source::{LinkSource, NetworkSource, ValueSource};

use crate::builtin::{is_missing, unknown};
use crate::code;
use crate::connect::known_count;
use crate::declare::Declared;
use crate::dim::{Dim, advice};
use crate::ends::Objects;
use crate::population::{Pop, Tools};
use crate::projection::Proj;
use crate::scope::{Class, Home, Symbol};
use crate::substitute::Expander;
use crate::typing::in_unit;

/// All objects under construction.
pub(crate) struct Links<'a> {
    pub(crate) source: &'a NetworkSource,
    pub(crate) pops: &'a mut Vec<Pop>,
    pub(crate) projs: &'a mut Vec<Proj>,
    pub(crate) groups: &'a [Group],
    /// What the inputs declare, as far as it is known before their code is checked.
    pub(crate) inputs: &'a [(PopulationId, Declared)],
}

/// A link that waits for the link that it leads to.
struct Open<'s> {
    object: ObjectId,
    source: &'s LinkSource,
}

/// The group of elements that a link leads into.
#[derive(Clone, Copy)]
struct Owner {
    object: ObjectId,
    start: u32,
    /// `None` for synapses.
    len: Option<u32>,
}

impl<'a> Links<'a> {
    /// Resolves all links.
    pub(crate) fn resolve(mut self, tools: &mut Tools<'_>) {
        let mut open = self.collect(tools.out);
        while !open.is_empty() {
            let waiting: Vec<(ObjectId, String)> =
                open.iter().map(|o| (o.object, o.source.name.value.clone())).collect();
            let before = open.len();
            let mut rest = Vec::new();
            for link in open {
                let target = self.owner_of(link.source).map(|(owner, name)| (owner.object, name.to_owned()));
                if target.is_some_and(|t| waiting.contains(&t)) {
                    rest.push(link);
                } else {
                    self.resolve_one(&link, tools);
                }
            }
            open = rest;
            if open.len() == before {
                for link in &open {
                    let name = &link.source.name;
                    let message = format!("`{}` is linked to itself, directly or through others", name.value);
                    tools.out.push(
                        Diagnostic::error(code::CIRCULAR, link.source.variable.span, message)
                            .help("link one of them to a variable that is not linked"),
                    );
                }
                break;
            }
        }
    }

    fn declared(&self, object: ObjectId) -> &Declared {
        match object {
            ObjectId::Population(id) => {
                let known = self.inputs.iter().find(|(input, _)| *input == id);
                known.map_or(&self.pops[id.index()].declared, |(_, declared)| declared)
            }
            ObjectId::Projection(id) => &self.projs[id.index()].declared,
        }
    }

    fn declared_mut(&mut self, object: ObjectId) -> &mut Declared {
        match object {
            ObjectId::Population(id) => &mut self.pops[id.index()].declared,
            ObjectId::Projection(id) => &mut self.projs[id.index()].declared,
        }
    }

    /// What is linked, after it was checked that every linked variable has a link and the other way round.
    fn collect(&self, out: &mut Diagnostics) -> Vec<Open<'a>> {
        let mut open = Vec::new();
        let source = self.source;
        for (index, population) in source.populations.iter().enumerate() {
            let Some(pop) = self.pops.get(index).filter(|p| !p.broken) else { continue };
            let object = ObjectId::Population(PopulationId::new(index));
            let what = format!("population `{}`", population.name.value);
            let span = population.name.span;
            open.extend(of_object(object, &pop.declared, &population.links, (&what, span), out));
        }
        for (index, proj) in self.projs.iter().enumerate().filter(|(_, p)| !p.broken) {
            let projection = &source.projections[proj.index];
            let object = ObjectId::Projection(ProjectionId::new(index));
            let what = format!("projection `{}`", projection.name.value);
            let span = projection.name.span;
            open.extend(of_object(object, &proj.declared, &projection.links, (&what, span), out));
        }
        open
    }

    /// The group that a link leads into, and the name of the variable.
    fn owner_of<'s>(&self, link: &'s LinkSource) -> Option<(Owner, &'s str)> {
        let (owner, variable) = link.variable.value.rsplit_once('.')?;
        if let Some(group) = self.groups.iter().find(|g| g.name == owner) {
            return Some((
                Owner { object: group.object, start: group.start, len: Some(group.len) },
                variable,
            ));
        }
        let index = self.projs.iter().position(|p| p.projection.name == owner)?;
        let object = ObjectId::Projection(ProjectionId::new(index));
        Some((Owner { object, start: 0, len: None }, variable))
    }

    fn resolve_one(&mut self, link: &Open<'_>, tools: &mut Tools<'_>) {
        let Open { object, source } = link;
        let variable = &source.variable;
        if is_missing(variable) {
            return;
        }
        let Some((owner, wanted)) = self.owner_of(source) else {
            if variable.value.contains('.') {
                let names: Vec<&str> = self
                    .groups
                    .iter()
                    .map(|g| g.name.as_str())
                    .chain(self.projs.iter().map(|p| p.projection.name.as_str()))
                    .collect();
                let mut owner = variable.clone();
                owner.value = variable.value.rsplit_once('.').map_or("", |(o, _)| o).to_owned();
                unknown("population or projection", &owner, names.into_iter(), tools.out);
            } else {
                let message = format!("`{}` does not say whose variable it is", variable.value);
                tools.out.push(
                    Diagnostic::error(code::UNKNOWN_NAME, variable.span, message)
                        .help(format!("write `NAME.{}`, with the name of a population", variable.value)),
                );
            }
            return;
        };
        if let ObjectId::Population(id) = owner.object {
            self.pops[id.index()].add_spike_memory(wanted == "lastspike", wanted == "not_refractory");
        }
        let Some(found) = self.declared(owner.object).symbols.get(wanted).cloned() else {
            let broken = match owner.object {
                ObjectId::Population(id) => self.pops[id.index()].broken,
                ObjectId::Projection(id) => self.projs[id.index()].broken,
            };
            if !broken {
                let mut name = variable.clone();
                name.value = wanted.to_owned();
                unknown("variable", &name, self.declared(owner.object).symbols.names(), tools.out);
            }
            return;
        };
        let Some(own) = self.declared(*object).symbols.get(&source.name.value).cloned() else { return };
        if !agree(source, &own, &found, tools) {
            return;
        }
        let Some((place, index)) = self.place(*object, source, owner, &found, tools) else { return };
        let declared = self.declared_mut(*object);
        let place = match (place, index) {
            (LinkPlace::Index { start, len, .. }, Some(initial)) => {
                let name = format!("_index_{}", source.name.value);
                let kind = VariableKind::Parameter { constant: true };
                let index = declared.add_hidden(&name, kind, ScalarType::I32, Dim::NONE);
                declared.variables[index.index()].initial = initial;
                declared.variables[index.index()].span = source.variable.span;
                LinkPlace::Index { index, start, len }
            }
            (place, _) => place,
        };
        let kind = VariableKind::Link(Link { object: owner.object, variable: found.id, place });
        let extent = match place {
            LinkPlace::One { .. } => Extent::Shared,
            LinkPlace::Same { .. } | LinkPlace::Index { .. } => Extent::PerElement,
        };
        let variable = &mut declared.variables[own.id.index()];
        (variable.kind, variable.ty, variable.extent) = (kind, found.ty, extent);
        if let Some(symbol) = declared.symbols.get_mut(&source.name.value) {
            (symbol.ty, symbol.extent, symbol.class) = (found.ty, extent, found.class);
            symbol.noise = found.noise;
            symbol.linked = true;
        }
    }

    /// Which element of the source each element means, and the values of the index if it needs one.
    fn place(
        &self,
        object: ObjectId,
        source: &LinkSource,
        owner: Owner,
        found: &Symbol,
        tools: &mut Tools<'_>,
    ) -> Option<(LinkPlace, Option<Initial>)> {
        let size = match object {
            ObjectId::Population(id) => Some(u64::from(self.pops[id.index()].population.size)),
            ObjectId::Projection(id) => known_count(&self.projs[id.index()]),
        };
        let name = &source.variable.value;
        let shared = found.extent == Extent::Shared;
        let Some(index) = &source.index else {
            if shared || (owner.len == Some(1) && size != Some(1)) {
                let element = if shared { 0 } else { owner.start };
                return Some((LinkPlace::One { element }, None));
            }
            let is_population = matches!(object, ObjectId::Population(_));
            if is_population && owner.len.map(u64::from) == size {
                return Some((LinkPlace::Same { start: owner.start }, None));
            }
            let elements =
                |n: Option<u64>| n.map_or("one element per synapse".to_owned(), |n| format!("{n} elements"));
            tools.out.push(
                Diagnostic::error(
                    code::SIZES,
                    source.variable.span,
                    format!("it is not said which element of `{name}` each element means"),
                )
                .label(format!(
                    "`{name}` has {}, `{}` has {}",
                    elements(owner.len.map(u64::from)),
                    source.name.value,
                    elements(size.filter(|_| is_population))
                ))
                .help(format!(
                    "say it with an index: `link.{} = {{ variable = \"{name}\", index = \"...\" }}`",
                    source.name.value
                )),
            );
            return None;
        };
        if shared {
            tools.out.push(
                Diagnostic::error(
                    code::LENGTH,
                    index.span(),
                    format!("`{name}` is shared, so there is nothing to choose"),
                )
                .help("leave `index` away"),
            );
            return None;
        }
        let (start, len) = (owner.start, owner.len);
        let place = |index: VariableId| LinkPlace::Index { index, start, len };
        match index {
            ValueSource::Expression(text) => {
                let home = match object {
                    ObjectId::Population(id) => self.pops[id.index()].home(id),
                    ObjectId::Projection(id) => {
                        let objects = Objects { pops: self.pops, projs: self.projs };
                        self.projs[id.index()].home(id, objects)
                    }
                };
                let mut typer = tools.typer(home);
                let typed = typer.value(text);
                if !typer.expect(&typed, text.span, neuropil_units::Dimension::NONE, "an index") {
                    return None;
                }
                let expr = typer.of_type("the index", ScalarType::I32, typed, text.span)?;
                if reads_link(&expr, object, home, &self.declared(object).linked) {
                    tools.out.push(
                        Diagnostic::error(
                            code::CIRCULAR,
                            text.span,
                            "an index cannot depend on a linked variable".to_owned(),
                        )
                        .help("use `i`, `j` and variables of the object itself"),
                    );
                    return None;
                }
                if let ExprKind::Variable(r) = &expr.kind
                    && r.object == object
                    && r.side == Side::Own
                    && self.declared(object).variables[r.variable.index()].extent == Extent::PerElement
                    && stored(&self.declared(object).variables[r.variable.index()].kind)
                {
                    // The variable itself is the index: code may change where the link leads.
                    return Some((place(r.variable), None));
                }
                Some((place(VariableId::new(0)), Some(Initial::Expr(expr))))
            }
            ValueSource::List { values, unit } => {
                let wrong = |message: String| {
                    Diagnostic::error(code::RANGE, values.span, message)
                        .help("an index is a list of whole numbers, counted from 0")
                };
                if let Some(unit) = unit {
                    tools.out.push(wrong("an index has no unit".to_owned()).label(unit.text.clone()));
                    return None;
                }
                if let (Some(size), given) = (size, values.values.len() as u64)
                    && given != size
                {
                    let message = format!("`{}` needs {size} numbers, {given} are given", source.name.value);
                    tools.out.push(Diagnostic::error(code::LENGTH, values.span, message));
                    return None;
                }
                let limit = len.map_or(f64::from(i32::MAX), f64::from);
                let good = |x: f64| x.fract() == 0.0 && (0.0..limit).contains(&x);
                if let Some(bad) = values.values.iter().find(|x| !good(**x)) {
                    tools.out.push(wrong(format!("`{name}` has no element {bad}")));
                    return None;
                }
                Some((place(VariableId::new(0)), Some(Initial::Values(values.values.clone()))))
            }
            ValueSource::Column { column, .. } => {
                let from_file = match object {
                    ObjectId::Population(_) => false,
                    ObjectId::Projection(id) => {
                        let proj = &self.projs[id.index()];
                        self.source.projections[proj.index].connect.file.is_some()
                    }
                };
                if !from_file {
                    let message = "there is no file from which a column could be taken".to_owned();
                    tools.out.push(
                        Diagnostic::error(code::UNSUPPORTED, column.span, message)
                            .help("write an expression over `i` and `j`, or a list"),
                    );
                    return None;
                }
                Some((place(VariableId::new(0)), Some(Initial::Column(column.value.clone()))))
            }
        }
    }
}

/// Whether a variable of that kind has values of its own.
fn stored(kind: &VariableKind) -> bool {
    matches!(kind, VariableKind::State | VariableKind::Parameter { .. } | VariableKind::Held)
}

/// Whether an expression reads a linked variable of the object itself.
fn reads_link(expr: &Expr, object: ObjectId, home: Home<'_>, linked: &[String]) -> bool {
    let (Home::Neuron { symbols, .. } | Home::Synapse { symbols, .. } | Home::Pairs { symbols, .. }) = home
    else {
        return false;
    };
    let ids: Vec<VariableId> = linked.iter().filter_map(|n| symbols.get(n)).map(|s| s.id).collect();
    expr.any(&mut |e| match &e.kind {
        ExprKind::Variable(r) => r.object == object && ids.contains(&r.variable),
        _ => false,
    })
}

/// The links of one object, each for a variable that is flagged so.
fn of_object<'s>(
    object: ObjectId,
    declared: &Declared,
    links: &'s [LinkSource],
    (what, span): (&str, Span),
    out: &mut Diagnostics,
) -> Vec<Open<'s>> {
    let mut open = Vec::new();
    for link in links {
        let name = &link.name.value;
        match declared.symbols.get(name) {
            _ if declared.linked.contains(name) => open.push(Open { object, source: link }),
            Some(symbol) => out.push(
                Diagnostic::error(code::FLAG, link.name.span, format!("`{name}` is not flagged `linked`"))
                    .related(symbol.span, "defined here")
                    .help(format!("write it as a parameter with this flag: `{name} : ... (linked)`")),
            ),
            None => {
                let known = declared.linked.iter().map(String::as_str);
                unknown("linked variable", &link.name, known, out);
            }
        }
    }
    for name in &declared.linked {
        if !links.iter().any(|l| l.name.value == *name) {
            let place = declared.symbols.get(name).map_or(Span::NONE, |s| s.span);
            out.push(
                Diagnostic::error(
                    code::MISSING,
                    span,
                    format!("{what} does not say what `{name}` is linked to"),
                )
                .related(place, "flagged `linked` here")
                .help(format!("write `link.{name} = \"NAME.VARIABLE\"`")),
            );
        }
    }
    open
}

/// Whether a linked variable is of the type and unit of what it is linked to.
fn agree(source: &LinkSource, own: &Symbol, found: &Symbol, tools: &mut Tools<'_>) -> bool {
    let (name, other) = (&source.name.value, &source.variable.value);
    if found.noise {
        let message = format!("`{other}` has white noise in it, which has no value at a time");
        tools.out.push(
            Diagnostic::error(code::NOISE, source.variable.span, message)
                .help("link the variable whose equation it stands in"),
        );
        return false;
    }
    if found.class == Class::Given {
        let message = format!("`{other}` is a number of synapses, which cannot be linked");
        tools.out.push(
            Diagnostic::error(code::UNSUPPORTED, source.variable.span, message)
                .help("let periodic code of the synapses copy it into a variable of their own"),
        );
        return false;
    }
    if let (Dim::Known(expected), Dim::Known(found)) = (own.dim, found.dim)
        && expected != found
    {
        let message = format!("`{name}` is in `{expected}`, `{other}` in `{found}`");
        tools.out.push(
            Diagnostic::error(code::UNITS, source.variable.span, message)
                .label(in_unit(found).trim_start())
                .related(own.span, in_unit(expected).trim_start())
                .help(advice(expected, found)),
        );
        return false;
    }
    let both_real = own.ty.is_float() && found.ty.is_float();
    if own.ty != found.ty && !both_real {
        let kind = |ty: ScalarType| match ty {
            ScalarType::Bool => "a truth value",
            ScalarType::I32 | ScalarType::I64 => "an integer",
            ScalarType::F32 | ScalarType::F64 => "real",
        };
        let message = format!("`{name}` is {}, `{other}` is {}", kind(own.ty), kind(found.ty));
        tools.out.push(
            Diagnostic::error(code::TYPE, source.variable.span, message)
                .related(own.span, "defined here")
                .help("write `boolean`, `integer` or a unit behind the colon"),
        );
        return false;
    }
    true
}

/// Turns links to subexpressions into subexpressions over hidden links to what those are made of.
pub(crate) fn substitute_links<'v>(
    object: ObjectId,
    variables: &mut Vec<Variable>,
    expander: &Expander,
    known: &dyn Fn(ObjectId, VariableId) -> Option<&'v Variable>,
    out: &mut Diagnostics,
) {
    for k in 0..variables.len() {
        let VariableKind::Link(link) = variables[k].kind.clone() else { continue };
        let Some(whole) = expander.whole(link.object, link.variable) else { continue };
        let (name, span) = (variables[k].name.clone(), variables[k].span);
        let mut refused = None;
        let expr = whole.clone().map(&mut |mut e| {
            match &mut e.kind {
                ExprKind::Variable(r) if r.side == Side::Own => {
                    let Some(source) = known(r.object, r.variable) else { return e };
                    if matches!(source.kind, VariableKind::Degree(_) | VariableKind::Count) {
                        refused.get_or_insert("numbers of synapses");
                    }
                    let hidden = hidden_link(variables, (&name, link, *r), source, span);
                    *r = VarRef { object, variable: hidden, side: Side::Own };
                }
                ExprKind::Index(Side::Own) => return element(object, link.place),
                ExprKind::Variable(_) | ExprKind::Index(_) => {
                    refused.get_or_insert("neurons at the ends of synapses");
                }
                ExprKind::Random(_) | ExprKind::Noise(_) => {
                    refused.get_or_insert("random numbers");
                }
                ExprKind::Constant(_)
                | ExprKind::Local(_)
                | ExprKind::Time
                | ExprKind::TimeStep
                | ExprKind::Step
                | ExprKind::Unary(..)
                | ExprKind::Binary(..)
                | ExprKind::Compare(..)
                | ExprKind::Select(..)
                | ExprKind::Convert(_)
                | ExprKind::Call(..)
                | ExprKind::Table { .. } => {}
            }
            e
        });
        if let Some(what) = refused {
            out.push(
                Diagnostic::error(
                    code::UNSUPPORTED,
                    span,
                    format!("`{name}` is linked to an expression that depends on {what}"),
                )
                .help("flag that expression `constant over dt`, so that it is stored"),
            );
        }
        variables[k].kind = VariableKind::Subexpression(expr);
    }
}

/// The number of the element that a link means.
fn element(object: ObjectId, place: LinkPlace) -> Expr {
    let own = Expr::new(ExprKind::Index(Side::Own), ScalarType::I32);
    let number = |n: u32| Expr::integer(i32::try_from(n).unwrap_or(i32::MAX));
    let plus = |e: Expr, start: u32| match start {
        0 => e,
        _ => {
            Expr::new(ExprKind::Binary(BinaryOp::Add, Box::new(e), Box::new(number(start))), ScalarType::I32)
        }
    };
    match place {
        LinkPlace::One { element } => number(element),
        LinkPlace::Same { start } => plus(own, start),
        LinkPlace::Index { index, start, len: _ } => {
            let r = VarRef { object, variable: index, side: Side::Own };
            plus(Expr::variable(r, ScalarType::I32), start)
        }
    }
}

/// The hidden variable that is linked as `link` is, to what the subexpression reads.
fn hidden_link(
    variables: &mut Vec<Variable>,
    (name, link, read): (&str, Link, VarRef),
    source: &Variable,
    span: Span,
) -> VariableId {
    let shared = source.extent == Extent::Shared;
    let place = if shared { LinkPlace::One { element: 0 } } else { link.place };
    let kind = VariableKind::Link(Link { object: read.object, variable: read.variable, place });
    if let Some(known) = variables.iter().position(|v| v.kind == kind) {
        return VariableId::new(known);
    }
    let extent = match place {
        LinkPlace::One { .. } => Extent::Shared,
        LinkPlace::Same { .. } | LinkPlace::Index { .. } => Extent::PerElement,
    };
    variables.push(Variable {
        name: format!("_{name}_{}", source.name),
        ty: source.ty,
        dimension: source.dimension,
        extent,
        kind,
        initial: Initial::Zero,
        unless_refractory: false,
        span,
    });
    VariableId::new(variables.len() - 1)
}
