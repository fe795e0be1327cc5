//! Populations: the code of a neuron model, checked for one population.

use neuropil_base::{Diagnostic, Diagnostics, Precision, ScalarType, Spanned, Text, nearest};
use neuropil_model::{
    Arith, Equation, Event, EventSource, Expr, Method, ObjectId, Placed, Population, PopulationId,
    Refractory, Side, Slot, VarRef, VariableId, VariableKind,
};
use neuropil_source::{Assignment, FiringRateSource, NeuronSource, PeriodicSource, Placement, SectionValues};
use neuropil_syntax::{
    Block as AstBlock, Equations, Expr as Ast, parse_block, parse_equations, parse_expression,
};
use neuropil_units::Dimension;

use crate::cable::{self, Cells};
use crate::code;
use crate::declare::{Declared, Owner, declare, report_circles};
use crate::dim::{Dim, advice};
use crate::equation::Meaning;
use crate::placement::{placed as placed_at, places};
use crate::scope::{Channels, Home, Sites, World};
use crate::typing::{Typer, in_unit};

/// A neuron model, its texts parsed.
#[derive(Clone, Default, Debug)]
pub(crate) struct NeuronModel {
    pub(crate) equations: Equations,
    threshold: Option<Ast>,
    reset: AstBlock,
    refractory: Option<Text>,
    pub(crate) method: Option<Spanned<String>>,
    events: Vec<(Spanned<String>, Ast, AstBlock, Vec<Placement>)>,
    schedule: Vec<Placement>,
    pub(crate) periodic: Vec<(PeriodicSource, AstBlock)>,
    pub(crate) firing_rates: Vec<FiringRateSource>,
    /// Values of variables, the later winning.
    pub(crate) initial: Vec<Assignment>,
    /// Every text in which names may stand.
    pub(crate) texts: Vec<Text>,
}

impl NeuronModel {
    /// Parses the texts of a model.
    pub(crate) fn parse(source: &NeuronSource, out: &mut Diagnostics) -> Self {
        let mut take = |(tree, diagnostics): (Ast, Diagnostics)| {
            out.append(diagnostics);
            tree
        };
        let threshold = source.threshold.as_ref().map(|t| take(parse_expression(t)));
        let conditions: Vec<Ast> =
            source.events.iter().map(|e| take(parse_expression(&e.condition))).collect();
        let mut block = |text: Option<&Text>| {
            let Some(text) = text else { return AstBlock::default() };
            let (tree, diagnostics) = parse_block(text);
            out.append(diagnostics);
            tree
        };
        let reset = block(source.reset.as_ref());
        let events = source
            .events
            .iter()
            .zip(conditions)
            .map(|(e, condition)| (e.name.clone(), condition, block(e.reset.as_ref()), e.schedule.clone()))
            .collect();
        let periodic = source.periodic.iter().map(|p| (p.clone(), block(Some(&p.code)))).collect();
        let equations = match &source.equations {
            Some(text) => {
                let (tree, diagnostics) = parse_equations(text);
                out.append(diagnostics);
                tree
            }
            None => Equations::default(),
        };
        report_circles(&equations, out);
        if source.threshold.is_none() {
            for (what, text) in [("reset", &source.reset), ("refractory", &source.refractory)] {
                if let Some(text) = text {
                    out.push(
                        Diagnostic::error(
                            code::MISSING,
                            text.span,
                            format!("neuron `{}` has a `{what}`, but no `threshold`", source.name.value),
                        )
                        .help("write `threshold = \"v > ...\"`"),
                    );
                }
            }
        }
        let mut texts: Vec<Text> = [&source.equations, &source.threshold, &source.reset, &source.refractory]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        for event in &source.events {
            texts.push(event.condition.clone());
            texts.extend(event.reset.clone());
        }
        texts.extend(source.periodic.iter().map(|p| p.code.clone()));
        Self {
            equations,
            threshold,
            reset,
            refractory: source.refractory.clone(),
            method: source.method.clone(),
            events,
            schedule: source.schedule.clone(),
            periodic,
            firing_rates: source.firing_rates.clone(),
            initial: source.parameters.iter().chain(&source.initial).cloned().collect(),
            texts,
        }
    }

    /// Makes it the model of compartments, which may have coordinates and name what charges their membrane; where its membrane current is defined, unless something is wrong with it.
    pub(crate) fn complete(
        &mut self,
        has: (bool, bool),
        name: &Spanned<String>,
        out: &mut Diagnostics,
    ) -> Option<neuropil_base::Span> {
        let mut told = Diagnostics::new();
        report_circles(&self.equations, &mut told);
        let current = cable::complete(&mut self.equations, has, name, out);
        if told.is_empty() {
            // A point current that uses the membrane current has become part of it.
            report_circles(&self.equations, out);
        }
        current
    }

    /// Whether its neurons spike.
    pub(crate) fn has_threshold(&self) -> bool {
        self.threshold.is_some()
    }

    /// The channels whose sums the model reads, each with its first use.
    pub(crate) fn channels(&self) -> Vec<Spanned<String>> {
        let mut channels: Vec<Spanned<String>> = Vec::new();
        let mut visit = |e: &Ast| {
            if let neuropil_syntax::ExprKind::Call { function, args } = &e.kind
                && function == "sum"
                && let [arg] = args.as_slice()
                && let Some(name) = arg.as_name()
                && !channels.iter().any(|c| c.value == name)
            {
                channels.push(Spanned::new(name.to_owned(), e.span));
            }
        };
        for equation in &self.equations.list {
            match &equation.kind {
                neuropil_syntax::EquationKind::Differential(e)
                | neuropil_syntax::EquationKind::Subexpression(e) => e.walk(&mut visit),
                neuropil_syntax::EquationKind::Implicit { lhs, rhs } => {
                    lhs.walk(&mut visit);
                    rhs.walk(&mut visit);
                }
                neuropil_syntax::EquationKind::Parameter => {}
            }
        }
        for condition in self.threshold.iter().chain(self.events.iter().map(|(_, c, ..)| c)) {
            condition.walk(&mut visit);
        }
        let events = self.events.iter().map(|(_, _, b, _)| b);
        for block in std::iter::once(&self.reset).chain(events).chain(self.periodic.iter().map(|(_, b)| b)) {
            block.statements.iter().for_each(|s| s.value.walk(&mut visit));
        }
        channels
    }
}

/// A population under construction.
#[derive(Clone, Debug)]
pub(crate) struct Pop {
    /// Variables are filled in at the end.
    pub(crate) population: Population,
    pub(crate) declared: Declared,
    pub(crate) channels: Channels,
    /// None for an input.
    pub(crate) model: Option<NeuronModel>,
    /// Values of variables, the later winning.
    pub(crate) initial: Vec<Assignment>,
    /// The windows of its firing rates, in steps.
    pub(crate) windows: Vec<u32>,
    /// Its neurons, if they have a shape.
    pub(crate) cells: Option<Cells>,
    /// Initial values in sections.
    pub(crate) section_values: Vec<SectionValues>,
    /// Which compartment of each neuron spikes.
    pub(crate) threshold_location: Option<Text>,
    /// Its model is not known: names that are sought in it are not reported.
    pub(crate) broken: bool,
}

impl Pop {
    /// Where code of the population stands.
    pub(crate) fn home(&self, id: PopulationId) -> Home<'_> {
        Home::Neuron {
            id,
            symbols: &self.declared.symbols,
            channels: &self.channels,
            size: self.population.size,
        }
    }

    /// Declares the variables of the model.
    pub(crate) fn declare(&mut self, precision: Precision, out: &mut Diagnostics) {
        let Some(model) = &self.model else { return };
        let mut initial = in_order(&self.initial);
        for assignment in self.section_values.iter().flat_map(|s| &s.values) {
            if !initial.contains(&assignment.name.value.as_str()) {
                initial.push(&assignment.name.value);
            }
        }
        self.declared = declare(&model.equations, Owner::Neuron, &initial, precision, out);
        let (last, refractory) = spike_memory(model.texts.iter());
        let forced = model.refractory.is_some();
        self.add_spike_memory(last || forced, refractory || forced);
    }

    /// Adds `lastspike` and `not_refractory` where code needs them.
    pub(crate) fn add_spike_memory(&mut self, last: bool, refractory: bool) {
        let second = Dim::Known(Dimension::SECOND);
        if last {
            self.declared.add_hidden("lastspike", VariableKind::LastSpike, ScalarType::F64, second);
        }
        if refractory {
            self.declared.add_hidden(
                "not_refractory",
                VariableKind::NotRefractory,
                ScalarType::Bool,
                Dim::NONE,
            );
        }
    }
}

/// Whether texts name `lastspike` and `not_refractory`.
pub(crate) fn spike_memory<'a>(texts: impl Iterator<Item = &'a Text>) -> (bool, bool) {
    texts.fold((false, false), |(last, refractory), text| {
        (last || text.text.contains("lastspike"), refractory || text.text.contains("not_refractory"))
    })
}

/// The names of assignments in the order in which their last values are set.
pub(crate) fn in_order(initial: &[Assignment]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for assignment in initial {
        let name = assignment.name.value.as_str();
        names.retain(|n| *n != name);
        names.push(name);
    }
    names
}

/// The tools with which code is checked.
pub(crate) struct Tools<'a> {
    pub(crate) world: &'a World,
    pub(crate) sites: &'a mut Sites,
    pub(crate) out: &'a mut Diagnostics,
}

impl Tools<'_> {
    /// A checker for code at `home`.
    pub(crate) fn typer<'b>(&'b mut self, home: Home<'b>) -> Typer<'b> {
        Typer::new(self.world, home, self.out, self.sites)
    }
}

/// Checks all code of a population but its initial values.
pub(crate) fn check_population(pop: &mut Pop, id: PopulationId, tools: &mut Tools<'_>) {
    let Some(model) = pop.model.take() else { return };
    check_equations(pop, &model.equations, id, tools);
    let arith = tools.world.arith;
    pop.population.refractory = match &model.refractory {
        Some(text) => check_refractory(pop, text, id, tools),
        None => Refractory::Never,
    };
    let (spike, reset_of_spike) = Event::usual_places(true);
    let usual = [("update", Placed::at(Slot::Groups)), ("threshold", spike), ("reset", reset_of_spike)];
    let [update, placed, reset_placed] = match &pop.cells {
        None => places(&model.schedule, usual, tools.world, tools.out),
        Some(_) => {
            let [first, second, third] = usual;
            // The voltage follows what its conductances depend on, wherever that is placed.
            let update = model.schedule.iter().find(|p| p.what.value == "update");
            let update = update.map_or(first.1, |p| {
                let (when, order) = (p.place.when.as_ref(), p.place.order.as_ref());
                placed_at(when, order, first.1, tools.world, &mut Diagnostics::new())
            });
            let known = [first, second, third, ("cable", update.behind())];
            let [update, spike, reset, cable] = places(&model.schedule, known, tools.world, tools.out);
            pop.population.cable = pop.cable(cable);
            [update, spike, reset]
        }
    };
    pop.population.update = update;
    // A reset without a threshold has been refused; what is wrong in it is said all the same.
    let reset = tools.typer(pop.home(id)).block(&model.reset);
    if let Some(threshold) = &model.threshold {
        let mut condition = tools.typer(pop.home(id)).condition(threshold, "a threshold");
        if let Some(location) = &pop.threshold_location
            && let Some(here) = pop.at_location(location, tools.world, tools.out)
        {
            condition = arith.and(condition, here);
        }
        if pop.population.refractory != Refractory::Never {
            condition = arith.and(condition, not_refractory(pop, id, arith));
        }
        pop.population.events.push(Event {
            name: "spike".to_owned(),
            source: EventSource::Condition(condition),
            placed,
            reset,
            reset_placed,
        });
    }
    for (name, condition, reset, schedule) in &model.events {
        if pop.population.event_named(&name.value).is_some() || name.value == "spike" {
            let message = format!("the event `{}` is defined twice", name.value);
            tools.out.push(
                Diagnostic::error(code::DUPLICATE_NAME, name.span, message)
                    .help("the event `spike` is the one of `threshold`; name others differently"),
            );
            continue;
        }
        let condition = tools.typer(pop.home(id)).condition(condition, "what makes an event happen");
        let reset = tools.typer(pop.home(id)).block(reset);
        let (happens, acts) = Event::usual_places(false);
        let usual = [("condition", happens), ("reset", acts)];
        let [placed, reset_placed] = places(schedule, usual, tools.world, tools.out);
        pop.population.events.push(Event {
            name: name.value.clone(),
            source: EventSource::Condition(condition),
            placed,
            reset,
            reset_placed,
        });
    }
    pop.model = Some(model);
}

fn not_refractory(pop: &Pop, id: PopulationId, arith: Arith) -> Expr {
    match pop.declared.symbols.get("not_refractory") {
        Some(symbol) => {
            let reference = VarRef { object: ObjectId::Population(id), variable: symbol.id, side: Side::Own };
            arith.to_bool(Expr::variable(reference, symbol.ty))
        }
        None => Expr::boolean(true),
    }
}

fn check_equations(pop: &mut Pop, equations: &Equations, id: PopulationId, tools: &mut Tools<'_>) {
    let mut found: Vec<(VariableId, Meaning, neuropil_base::Span)> = Vec::new();
    for equation in &equations.list {
        let Some(symbol) = pop.declared.symbols.get(&equation.name.value) else { continue };
        // The second of two definitions has been refused.
        if symbol.span != equation.name.span {
            continue;
        }
        let meaning = tools.typer(pop.home(id)).equation(equation, symbol);
        found.push((symbol.id, meaning, equation.span));
    }
    for (variable, meaning, span) in found {
        match meaning {
            Meaning::Derivative(rhs) => pop.population.equations.push(Equation { variable, rhs, span }),
            Meaning::Value(expr) if pop.declared.variables[variable.index()].kind == VariableKind::Held => {
                pop.declared.held.push((variable, expr));
            }
            Meaning::Value(expr) => {
                pop.declared.variables[variable.index()].kind = VariableKind::Subexpression(expr);
            }
            Meaning::Nothing => {}
        }
    }
}

fn check_refractory(pop: &Pop, text: &Text, id: PopulationId, tools: &mut Tools<'_>) -> Refractory {
    let typed = tools.typer(pop.home(id)).value(text);
    if typed.expr.ty == ScalarType::Bool {
        return Refractory::While(typed.expr);
    }
    if let Err(found) = typed.dim.fits(Dimension::SECOND) {
        tools.out.push(
            Diagnostic::error(
                code::UNITS,
                text.span,
                "`refractory` must be a time or a condition".to_owned(),
            )
            .label(in_unit(found).trim_start())
            .help(format!("{}, or write a condition such as `v > -20*mV`", advice(Dimension::SECOND, found))),
        );
    }
    Refractory::Time(tools.world.arith.to_float(typed.expr))
}

/// Names of integration methods.
const METHODS: [(&str, Method); 16] = [
    ("auto", Method::Auto),
    ("exact", Method::Exact),
    ("linear", Method::Exact),
    ("exponential_euler", Method::ExponentialEuler),
    ("euler", Method::Euler),
    ("rk2", Method::Rk2),
    ("rk4", Method::Rk4),
    ("midpoint", Method::Midpoint),
    ("heun", Method::Heun),
    ("milstein", Method::Milstein),
    ("implicit_euler", Method::ImplicitEuler),
    // ANNarchy's names.
    ("explicit", Method::Euler),
    ("implicit", Method::ImplicitEuler),
    ("exponential", Method::ExponentialEuler),
    // Brian 2's older name for the exact solution.
    ("independent", Method::Exact),
    ("exponential-euler", Method::ExponentialEuler),
];

/// The integration method called `name`; a diagnostic if there is none.
pub(crate) fn method(name: &Spanned<String>, out: &mut Diagnostics) -> Method {
    if let Some((_, method)) = METHODS.iter().find(|(n, _)| *n == name.value) {
        return *method;
    }
    let mut d = Diagnostic::error(
        code::UNKNOWN_METHOD,
        name.span,
        format!("unknown integration method `{}`", name.value),
    );
    d = match nearest(&name.value, METHODS.iter().map(|(n, _)| *n)) {
        Some(near) => d.help(format!("did you mean `{near}`?")),
        None => {
            let names: Vec<String> = METHODS[..11].iter().map(|(n, _)| format!("`{n}`")).collect();
            d.help(format!("methods are {}", names.join(", ")))
        }
    };
    out.push(d);
    Method::Auto
}
