//! Puts subexpressions in where they are used, and links to subexpressions before that: the last step of the analysis.

use neuropil_base::{Diagnostic, Diagnostics, Span};
use neuropil_model::{
    Connect, Delay, EventSource, Expr, ExprKind, Initial, ObjectId, Periodic, Population, PopulationId,
    Projection, ProjectionId, Refractory, Statement, Variable, VariableId, VariableKind,
};

use crate::code;
use crate::link::substitute_links;
use crate::periodic::held;
use crate::population::Pop;
use crate::projection::Proj;
use crate::substitute::{Expander, Starts};

/// The variables of one object.
#[derive(Debug)]
struct Object {
    id: ObjectId,
    starts: Starts,
    /// The objects whose variables its code names by `_pre` and `_post`.
    ends: Vec<ObjectId>,
    variables: Vec<Variable>,
    complete: bool,
}

/// All objects while subexpressions are put in.
#[derive(Default, Debug)]
struct Objects {
    list: Vec<Object>,
}

impl Objects {
    fn get(&self, id: ObjectId) -> Option<&Object> {
        self.list.iter().find(|o| o.id == id)
    }

    fn variable(&self, object: ObjectId, variable: VariableId) -> Option<&Variable> {
        self.get(object)?.variables.get(variable.index())
    }

    /// The variable behind all links.
    fn root(&self, object: ObjectId, variable: VariableId) -> Option<(ObjectId, &Variable)> {
        let (mut object, mut found) = (object, self.variable(object, variable)?);
        while let VariableKind::Link(link) = &found.kind {
            (object, found) = (link.object, self.variable(link.object, link.variable)?);
        }
        Some((object, found))
    }

    fn is_expression(&self, object: ObjectId, variable: VariableId) -> bool {
        self.root(object, variable).is_some_and(|(_, v)| matches!(v.kind, VariableKind::Subexpression(_)))
    }

    /// Whether all is complete that the object's expressions are made of.
    fn is_ready(&self, object: &Object) -> bool {
        let complete = |id: ObjectId| self.get(id).is_none_or(|o| o.complete);
        object.ends.iter().all(|end| complete(*end))
            && object.variables.iter().all(|v| match &v.kind {
                VariableKind::Link(link) if self.is_expression(link.object, link.variable) => {
                    complete(link.object)
                }
                VariableKind::State
                | VariableKind::Parameter { .. }
                | VariableKind::Subexpression(_)
                | VariableKind::LastSpike
                | VariableKind::NotRefractory
                | VariableKind::SumTarget
                | VariableKind::Held
                | VariableKind::Link(_)
                | VariableKind::Degree(_)
                | VariableKind::Count => true,
            })
    }

    /// Puts subexpressions and links to them into each other.
    fn complete(&mut self, projections: &mut [Projection], expander: &mut Expander, out: &mut Diagnostics) {
        loop {
            let mut progress = false;
            for k in 0..self.list.len() {
                if self.list[k].complete || !self.is_ready(&self.list[k]) {
                    continue;
                }
                let mut variables = self.list[k].variables.clone();
                let (id, starts) = (self.list[k].id, self.list[k].starts);
                let known = |o: ObjectId, v: VariableId| self.variable(o, v);
                substitute_links(id, &mut variables, expander, &known, out);
                if let ObjectId::Projection(p) = id {
                    expand_delayed_sums(id, &mut projections[p.index()], &variables, expander, out);
                }
                expander.complete(id, &mut variables, starts, out);
                self.list[k].variables = variables;
                self.list[k].complete = true;
                progress = true;
            }
            if !progress {
                break;
            }
        }
        for object in self.list.iter().filter(|o| !o.complete) {
            for variable in &object.variables {
                if let VariableKind::Link(link) = &variable.kind
                    && self.is_expression(link.object, link.variable)
                {
                    let message =
                        format!("`{}` is linked to an expression that is made of linked ones", variable.name);
                    out.push(
                        Diagnostic::error(code::CIRCULAR, variable.span, message)
                            .label("the objects are linked to each other's expressions")
                            .help("flag one of the expressions `constant over dt`, so that it is stored"),
                    );
                }
            }
        }
    }
}

/// What a network is made of, all subexpressions put in.
pub(crate) struct Assembled {
    pub(crate) populations: Vec<Population>,
    pub(crate) projections: Vec<Projection>,
    /// Puts subexpressions into whatever else names variables.
    pub(crate) expander: Expander,
}

/// Populations and projections with all subexpressions put in.
pub(crate) fn assemble(pops: Vec<Pop>, projs: Vec<Proj>, out: &mut Diagnostics) -> Assembled {
    let mut objects = Objects::default();
    let mut held_list = Vec::new();
    let mut populations = Vec::new();
    for (index, pop) in pops.into_iter().enumerate() {
        let id = ObjectId::Population(PopulationId::new(index));
        let Pop { population, declared, .. } = pop;
        held_list.push((id, declared.held, population.clock));
        let (starts, ends) = (Starts::default(), Vec::new());
        objects.list.push(Object { id, starts, ends, variables: declared.variables, complete: false });
        populations.push(population);
    }
    let mut projections = Vec::new();
    for (index, proj) in projs.into_iter().enumerate() {
        let id = ObjectId::Projection(ProjectionId::new(index));
        let Proj { projection, declared, .. } = proj;
        held_list.push((id, declared.held, projection.clock));
        let ends = [&projection.source, &projection.target];
        let ends = ends.map(|g| g.object).to_vec();
        let starts = Starts::of(&projection);
        objects.list.push(Object { id, starts, ends, variables: declared.variables, complete: false });
        projections.push(projection);
    }
    let mut expander = Expander::default();
    objects.complete(&mut projections, &mut expander, out);
    for (id, list, clock) in held_list {
        let Some(object) = objects.get(id) else { continue };
        let mut list = list;
        for (variable, value) in &mut list {
            let span = object.variables[variable.index()].span;
            expander.expand_in_place(value, object.starts, span, out);
        }
        let Some(code) = held(id, &list, &object.variables, clock) else { continue };
        for statement in code.shared.statements.iter().chain(&code.block.statements) {
            if let Statement::Assign { target, value, .. } = statement {
                expander.hold(*target, value, object.starts);
            }
        }
        match id {
            ObjectId::Population(id) => populations[id.index()].periodic.insert(0, code),
            ObjectId::Projection(id) => projections[id.index()].periodic.insert(0, code),
        }
    }
    for object in std::mem::take(&mut objects.list) {
        match object.id {
            ObjectId::Population(id) => populations[id.index()].variables = object.variables,
            ObjectId::Projection(id) => projections[id.index()].variables = object.variables,
        }
    }
    for population in &mut populations {
        expand_population(population, &expander, out);
    }
    for projection in &mut projections {
        expand_projection(projection, &expander, out);
    }
    refuse_unknown_values(&populations, &projections, out);
    Assembled { populations, projections, expander }
}

fn expand_periodic(list: &mut [Periodic], expander: &Expander, starts: Starts, out: &mut Diagnostics) {
    for code in list {
        expander.expand_block(&mut code.shared, starts, code.span, out);
        expander.expand_block(&mut code.block, starts, code.span, out);
    }
}

fn expand_population(population: &mut Population, expander: &Expander, out: &mut Diagnostics) {
    let starts = Starts::default();
    let span = population.span;
    for equation in &mut population.equations {
        expander.expand_in_place(&mut equation.rhs, starts, equation.span, out);
    }
    for event in &mut population.events {
        match &mut event.source {
            EventSource::Condition(e) => expander.expand_in_place(e, starts, span, out),
            EventSource::List { .. } => {}
        }
        expander.expand_block(&mut event.reset, starts, span, out);
    }
    expand_periodic(&mut population.periodic, expander, starts, out);
    match &mut population.refractory {
        Refractory::Never => {}
        Refractory::Time(e) | Refractory::While(e) => expander.expand_in_place(e, starts, span, out),
    }
    for variable in &mut population.variables {
        if let Initial::Expr(e) = &mut variable.initial {
            expander.expand_once(e, starts, variable.span, out);
        }
    }
}

/// Puts subexpressions into weighted sums of earlier values.
fn expand_delayed_sums(
    object: ObjectId,
    projection: &mut Projection,
    variables: &[Variable],
    expander: &Expander,
    out: &mut Diagnostics,
) {
    if projection.sums.iter().all(|s| s.delay == Delay::None) {
        return;
    }
    let starts = Starts::of(projection);
    let mut keeping = expander.keeping(projection.source.object);
    // Whatever is wrong is reported when the variables themselves are completed.
    keeping.complete(object, &mut variables.to_vec(), starts, &mut Diagnostics::new());
    for sum in projection.sums.iter_mut().filter(|s| s.delay != Delay::None) {
        keeping.expand_in_place(&mut sum.value, starts, projection.span, out);
    }
}

fn expand_projection(projection: &mut Projection, expander: &Expander, out: &mut Diagnostics) {
    let starts = Starts::of(projection);
    let span = projection.span;
    for equation in projection.equations.iter_mut().chain(&mut projection.event_driven) {
        expander.expand_in_place(&mut equation.rhs, starts, equation.span, out);
    }
    expand_periodic(&mut projection.periodic, expander, starts, out);
    for pathway in &mut projection.pathways {
        expander.expand_block(&mut pathway.block, starts, pathway.span, out);
        match &mut pathway.delay {
            Delay::PerSynapse(e) => expander.expand_once(e, starts, pathway.span, out),
            Delay::None | Delay::Steps(_) | Delay::Column(_) | Delay::Values(_) => {}
        }
    }
    for sum in &mut projection.sums {
        if sum.delay == Delay::None {
            expander.expand_in_place(&mut sum.value, starts, span, out);
        }
        if let Delay::PerSynapse(e) = &mut sum.delay {
            expander.expand_once(e, starts, span, out);
        }
    }
    for variable in &mut projection.variables {
        if let Initial::Expr(e) = &mut variable.initial {
            expander.expand_once(e, starts, variable.span, out);
        }
    }
    if let Connect::Condition { condition, probability, .. } = &mut projection.connect {
        for e in condition.iter_mut().chain(probability) {
            expander.expand_once(e, starts, span, out);
        }
    }
    for rule in &mut projection.rewirings {
        let span = rule.span;
        for e in rule.condition.iter_mut().chain(&mut rule.probability) {
            expander.expand_in_place(e, starts, span, out);
        }
        for e in rule.initial_mut() {
            expander.expand_once(e, starts, span, out);
        }
    }
}

/// Refuses what reads, through links, values that do not exist where they are needed.
fn refuse_unknown_values(populations: &[Population], projections: &[Projection], out: &mut Diagnostics) {
    let variables = |object: ObjectId| match object {
        ObjectId::Population(id) => &populations[id.index()].variables,
        ObjectId::Projection(id) => &projections[id.index()].variables,
    };
    let root = |object: ObjectId, variable: VariableId| {
        let (mut object, mut found) = (object, &variables(object)[variable.index()]);
        let linked = matches!(found.kind, VariableKind::Link(_));
        while let VariableKind::Link(link) = &found.kind {
            (object, found) = (link.object, &variables(link.object)[link.variable.index()]);
        }
        linked.then_some((object, found))
    };
    let mut check = |value: &Expr, object: ObjectId, span: Span| {
        let mut later = false;
        value.walk(&mut |e| {
            if let ExprKind::Variable(r) = &e.kind
                && let Some((owner, found)) = root(r.object, r.variable)
            {
                later |= found.kind == VariableKind::Held;
                later |= match (owner, object) {
                    (ObjectId::Population(_), _) => false,
                    (ObjectId::Projection(_), ObjectId::Population(_)) => true,
                    (ObjectId::Projection(linked), ObjectId::Projection(own)) => linked > own,
                };
            }
        });
        if later {
            let message = "this value is needed before what it is linked to is known".to_owned();
            let place = if value.span == Span::NONE { span } else { value.span };
            out.push(
                Diagnostic::error(code::UNSUPPORTED, place, message)
                    .help("do without it here, or define the projection that it is linked to first"),
            );
        }
    };
    for (index, population) in populations.iter().enumerate() {
        let object = ObjectId::Population(PopulationId::new(index));
        for variable in &population.variables {
            if let Initial::Expr(e) = &variable.initial {
                check(e, object, variable.span);
            }
        }
    }
    for (index, projection) in projections.iter().enumerate() {
        let object = ObjectId::Projection(ProjectionId::new(index));
        for variable in &projection.variables {
            if let Initial::Expr(e) = &variable.initial {
                check(e, object, variable.span);
            }
        }
        for pathway in &projection.pathways {
            if let Delay::PerSynapse(e) = &pathway.delay {
                check(e, object, pathway.span);
            }
        }
        if let Connect::Condition { condition, probability, .. } = &projection.connect {
            for e in condition.iter().chain(probability) {
                check(e, object, projection.span);
            }
        }
    }
}
