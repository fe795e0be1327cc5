//! Rules by which synapses appear and disappear while the network runs: `prune` and `create`.

use neuropil_base::{Diagnostic, Diagnostics, Span, Text};
use neuropil_model::{
    Clock, Delay, Expr, ExprKind, Initial, Network, ObjectId, ProjectionId, Rewiring, RewiringKind, Side,
    VariableId,
};
use neuropil_source::{Assignment, RewireSource, SynapseSource};
use neuropil_syntax::{Expr as Ast, parse_expression};

use crate::code;
use crate::connect::{expression_probability, known_count};
use crate::constant::Evaluator;
use crate::ends::Objects;
use crate::initial::{Count, Receiver, check_initial, column_variable};
use crate::input::whole_steps;
use crate::placement::placed;
use crate::population::Tools;
use crate::projection::{Proj, described};
use crate::recorder::clock_of;

/// A rule, its condition parsed.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    creates: bool,
    source: RewireSource,
    condition: Option<Ast>,
}

impl Rule {
    /// The rules of a model: those that remove synapses act before those that make them.
    pub(crate) fn parse(source: &SynapseSource, out: &mut Diagnostics) -> Vec<Self> {
        let prune = source.prune.iter().map(|rule| (false, rule));
        let create = source.create.iter().map(|rule| (true, rule));
        let mut rules = Vec::new();
        for (creates, source) in prune.chain(create) {
            let condition = source.condition.as_ref().map(|text| {
                let (tree, diagnostics) = parse_expression(text);
                out.append(diagnostics);
                tree
            });
            if source.condition.is_none() && source.probability.is_none() {
                let (what, example) =
                    if creates { ("create", "r_pre*r_post > 0.2") } else { ("prune", "w < 0.01") };
                out.push(
                    Diagnostic::error(code::MISSING, source.place, format!("`{what}` has no `condition`"))
                        .help(format!("write `condition = \"{example}\"`, for instance; or a `probability`")),
                );
            }
            rules.push(Self { creates, source: source.clone(), condition });
        }
        rules
    }

    /// Every text in which names may stand.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Text> {
        let initial = self.source.initial.iter().filter_map(|a| a.value.expression());
        self.source.condition.iter().chain(&self.source.probability).chain(initial)
    }
}

/// Checks the rules of a projection, whose pathways, sums and initial values have been checked.
pub(crate) fn check_rules(
    proj: &Proj,
    id: ProjectionId,
    objects: Objects<'_>,
    clocks: &mut Vec<Clock>,
    tools: &mut Tools<'_>,
) -> Vec<Rewiring> {
    let mut list = Vec::new();
    for Rule { creates, source, condition } in &proj.model.rules {
        let home = if *creates { proj.pairs_while_running(id, objects) } else { proj.home(id, objects) };
        let condition = condition.as_ref().map(|ast| tools.typer(home).condition(ast, "`condition`"));
        let probability =
            source.probability.as_ref().and_then(|text| expression_probability(text, home, tools));
        let clock = source.every.as_ref().and_then(|text| {
            let every = Evaluator { world: tools.world, out: tools.out }.positive_time(text, "`every`")?;
            let dt = clocks.first().map_or(1e-4, |c| c.dt);
            let steps = whole_steps(every, dt, text, "`every`", tools.out)?;
            Some(clock_of(clocks, steps as f64 * dt, &proj.projection.name))
        });
        let placed = placed(
            source.when.as_ref(),
            source.order.as_ref(),
            Rewiring::USUAL_PLACE,
            tools.world,
            tools.out,
        );
        let kind = if *creates {
            check_delays_of_new(proj, id, source.place, tools.out);
            RewiringKind::Create {
                initial: initial_of_new(proj, id, source, objects, tools),
                self_connections: source.self_connections.as_ref().is_none_or(|s| s.value),
                multapses: source.multapses.as_ref().is_some_and(|m| m.value),
            }
        } else {
            RewiringKind::Prune
        };
        list.push(Rewiring {
            kind,
            condition,
            probability,
            site: tools.sites.fresh(),
            clock: clock.unwrap_or(proj.projection.clock),
            placed,
            span: source.place,
        });
    }
    list
}

/// What the variables of new synapses begin with: what the rule says, or the projection. Random numbers are drawn from
/// streams of their own.
fn initial_of_new(
    proj: &Proj,
    id: ProjectionId,
    source: &RewireSource,
    objects: Objects<'_>,
    tools: &mut Tools<'_>,
) -> Vec<(VariableId, Initial)> {
    let what = format!("a new synapse of {}", described(&proj.projection.name));
    let receiver =
        Receiver { home: proj.home(id, objects), what: &what, count: Count::Drawn, from_file: false };
    let mut values = check_initial(&proj.declared, &source.initial, receiver, tools);
    // What is wrong with the projection's own values has been reported.
    let said = |a: &&Assignment| source.initial.iter().any(|own| own.name.value == a.name.value);
    let others: Vec<Assignment> = proj.initial.iter().filter(|a| !said(a)).cloned().collect();
    let mut unheard = Diagnostics::new();
    let mut quiet = Tools { world: tools.world, sites: tools.sites, out: &mut unheard };
    let count = known_count(proj).map_or(Count::Drawn, Count::Known);
    let receiver = Receiver { count, from_file: true, ..receiver };
    values.extend(check_initial(&proj.declared, &others, receiver, &mut quiet));
    for (variable, value) in &values {
        let listed = match value {
            Initial::Zero => false,
            Initial::Expr(e) => reads_column(proj, id, e),
            Initial::Column(_) | Initial::Values(_) => true,
        };
        if listed {
            let name = &proj.declared.variables[variable.index()].name;
            let message = format!("values of `{name}` are listed, which says nothing of new synapses");
            tools.out.push(
                Diagnostic::error(code::MISSING, source.place, message)
                    .help(format!("say what new ones begin with: `initial.{name} = \"...\"`")),
            );
        }
    }
    values.sort_by_key(|(variable, _)| *variable);
    values
}

/// Whether an expression reads a column of the projection's file.
fn reads_column(proj: &Proj, id: ProjectionId, e: &Expr) -> bool {
    let prefix = column_variable("");
    e.any(&mut |e| match &e.kind {
        ExprKind::Variable(r) => {
            r.object == ObjectId::Projection(id)
                && r.side == Side::Own
                && proj.declared.variables[r.variable.index()].name.starts_with(&prefix)
        }
        _ => false,
    })
}

/// Refuses listed delays where new synapses would need one.
fn check_delays_of_new(proj: &Proj, id: ProjectionId, place: Span, out: &mut Diagnostics) {
    let pathways = proj.projection.pathways.iter().map(|p| (p.name.as_str(), &p.delay));
    let sums = proj.projection.sums.iter().map(|s| ("sum", &s.delay));
    for (name, delay) in pathways.chain(sums) {
        let listed = match delay {
            Delay::None | Delay::Steps(_) => false,
            Delay::PerSynapse(e) => reads_column(proj, id, e),
            Delay::Column(_) | Delay::Values(_) => true,
        };
        if listed {
            let message = format!("delays of `{name}` are listed, which says nothing of new synapses");
            out.push(
                Diagnostic::error(code::MISSING, place, message)
                    .help("give one delay for all of them, or an expression over `i`, `j` and variables"),
            );
        }
    }
}

/// Refuses rules of projections to whose synapses something else is tied.
pub(crate) fn refuse_fixed(network: &Network, out: &mut Diagnostics) {
    for (k, projection) in network.projections.iter().enumerate() {
        let Some(rule) = projection.rewirings.first() else { continue };
        if let Some(why) = network.fixed_synapses(ProjectionId::new(k)) {
            let message = format!("synapses of `{}` cannot come and go: {why}", projection.name);
            out.push(
                Diagnostic::error(code::UNSUPPORTED, rule.span, message)
                    .help("leave that out, or give the rule to another synapse model"),
            );
        }
    }
}
