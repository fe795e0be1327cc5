//! Weighted sums: from synapses into a channel that neurons read with `sum(NAME)`, or into a parameter.
//!
//! A channel is a hidden variable `sum_NAME` of the postsynaptic population, filled by all projections
//! that end there. If those do not all add (one takes the maximum, say), each fills a variable of its own,
//! and `sum(NAME)` is their sum.

use std::collections::BTreeMap;

use neuropil_base::{Diagnostic, Diagnostics, ScalarType, Span, Text, nearest};
use neuropil_model::{
    Clock, ObjectId, Placed, PopulationId, ProjectionId, Reduce, Side, Sum, VarRef, VariableKind,
};
use neuropil_source::{ProjectionSource, SumOperation};
use neuropil_syntax::{EquationKind, Expr as Ast};

use crate::builtin::is_missing;
use crate::code;
use crate::declare::is_summed;
use crate::dim::{Dim, advice};
use crate::ends::Objects;
use crate::pathway::sum_delays;
use crate::placement::placed;
use crate::population::{Pop, Tools};
use crate::projection::Proj;
use crate::scope::{Class, Sites, Symbol, World, split_end};
use crate::typing::{Typer, in_unit};

/// A weighted sum of a projection and the variable it goes into.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    projection: ProjectionId,
    /// What one synapse contributes.
    value: Ast,
    reduce: Reduce,
    /// Whose variable it sets.
    object: ObjectId,
    side: Side,
    variable: String,
    /// What it goes into, as it was written: the name of its delay.
    written: String,
    /// Its own delay.
    delay: Option<Text>,
    /// Where the target is named.
    span: Span,
    /// Whether it goes into a channel.
    channel: bool,
    /// Where in the step it is computed.
    placed: Placed,
}

impl Feed {
    /// Whose it is.
    pub(crate) fn of(&self) -> ProjectionId {
        self.projection
    }

    /// The neurons that it reaches: the first, and the one behind the last.
    fn range(&self, projs: &[Proj]) -> (u32, u32) {
        let projection = &projs[self.projection.index()].projection;
        let group = if self.side == Side::Pre { &projection.source } else { &projection.target };
        (group.start, group.start.saturating_add(group.len))
    }

    /// Whose variable it sets.
    pub(crate) fn object(&self) -> ObjectId {
        self.object
    }

    /// What it goes into, as it was written.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// The delay that its model gives it.
    pub(crate) fn own_delay(&self) -> Option<&Text> {
        self.delay.as_ref()
    }
}

/// Finds out where all weighted sums go, and gives populations the variables that receive them.
pub(crate) fn declare_sums(
    projs: &mut [Proj],
    pops: &mut [Pop],
    world: &World,
    out: &mut Diagnostics,
) -> Vec<Feed> {
    let mut feeds = Vec::new();
    for (index, proj) in projs.iter().enumerate() {
        if !proj.broken {
            let objects = Objects { pops, projs };
            collect(proj, ProjectionId::new(index), objects, &mut feeds, world, out);
        }
    }
    name_channels(&mut feeds, projs, pops);
    report_conflicts(&feeds, projs, out);
    // The unit of a channel is that of the first contribution; others are checked against it later.
    for feed in &feeds {
        if feed.channel {
            let proj = &projs[feed.projection.index()];
            let (mut unheard, mut unused) = (Diagnostics::new(), Sites::default());
            let home = proj.home(feed.projection, Objects { pops, projs });
            let dim = Typer::new(world, home, &mut unheard, &mut unused).check(&feed.value).dim;
            let float = world.arith.float();
            let ObjectId::Population(population) = feed.object else { continue };
            let pop = &mut pops[population.index()];
            let first =
                pop.channels.values().find(|names| names.contains(&feed.variable)).and_then(|n| n.first());
            let dim = first.and_then(|name| pop.declared.symbols.get(name)).map_or(dim, |symbol| symbol.dim);
            let declared = &mut pop.declared;
            let fresh = declared.symbols.get(&feed.variable).is_none();
            let id = declared.add_hidden(&feed.variable, VariableKind::SumTarget, float, dim);
            if fresh {
                declared.variables[id.index()].span = feed.span;
                if let Some(symbol) = declared.symbols.get_mut(&feed.variable) {
                    symbol.span = feed.span;
                }
            }
        } else {
            let declared = match feed.object {
                ObjectId::Population(id) => &mut pops[id.index()].declared,
                ObjectId::Projection(id) => &mut projs[id.index()].declared,
            };
            if let Some(symbol) = declared.symbols.get_mut(&feed.variable) {
                symbol.class = Class::SumTarget;
                declared.variables[symbol.id.index()].kind = VariableKind::SumTarget;
            }
        }
    }
    leave_out(&feeds, projs, pops);
    report_unfed(pops, out);
    feeds
}

/// Variables that sums reach in some neurons of a population only may have initial values, for the sake of the others.
fn leave_out(feeds: &[Feed], projs: &[Proj], pops: &mut [Pop]) {
    for feed in feeds.iter().filter(|f| !f.channel) {
        let same = |f: &&Feed| (f.object, &f.variable) == (feed.object, &feed.variable);
        let mut ranges: Vec<(u32, u32)> = feeds.iter().filter(same).map(|f| f.range(projs)).collect();
        ranges.sort_unstable();
        let reached =
            ranges.iter().fold(0, |end, (start, stop)| if *start <= end { end.max(*stop) } else { end });
        let ObjectId::Population(population) = feed.object else { continue };
        let pop = &mut pops[population.index()];
        if reached < pop.population.size
            && let Some(symbol) = pop.declared.symbols.get_mut(&feed.variable)
        {
            symbol.class = Class::PartSumTarget;
        }
    }
}

fn collect(
    proj: &Proj,
    id: ProjectionId,
    objects: Objects<'_>,
    feeds: &mut Vec<Feed>,
    world: &World,
    out: &mut Diagnostics,
) {
    let target = proj.projection.target.object;
    for (sum, value) in &proj.model.sums {
        let name = sum.into.value.as_str();
        if is_missing(&sum.into) {
            continue;
        }
        let reduce = match sum.operation.value {
            SumOperation::Sum => Reduce::Sum,
            SumOperation::Mean => Reduce::Mean,
            SumOperation::Max => Reduce::Max,
            SumOperation::Min => Reduce::Min,
        };
        let neurons = objects.population(target).and_then(|p| p.model.as_ref());
        let channels = neurons.map(|m| m.channels()).unwrap_or_default();
        let channel = channels.iter().any(|c| c.value == name);
        let (side, rest) = match split_end(name) {
            Some((side, rest)) if !channel => (side, rest),
            Some(_) | None => (Side::Post, name),
        };
        let object = if side == Side::Pre { proj.projection.source.object } else { target };
        let feed = Feed {
            projection: id,
            value: value.clone(),
            reduce,
            object,
            side,
            variable: rest.to_owned(),
            written: name.to_owned(),
            delay: sum.delay.clone(),
            span: sum.into.span,
            channel,
            placed: placed(sum.when.as_ref(), sum.order.as_ref(), Sum::USUAL_PLACE, world, out),
        };
        if channel
            || into_variable(
                &feed,
                objects,
                &channels.iter().map(|c| c.value.as_str()).collect::<Vec<_>>(),
                out,
            )
        {
            feeds.push(feed);
        }
    }
    for equation in &proj.model.equations.list {
        let EquationKind::Subexpression(value) = &equation.kind else { continue };
        if !is_summed(equation) {
            continue;
        }
        let name = &equation.name;
        let Some((side, rest)) = split_end(&name.value) else {
            out.push(
                Diagnostic::error(
                    code::FLAG,
                    name.span,
                    format!("a `summed` equation defines a variable of a neuron, not `{}`", name.value),
                )
                .help(format!("write `{}_post = ...`", name.value)),
            );
            continue;
        };
        let group = if side == Side::Pre { &proj.projection.source } else { &proj.projection.target };
        let feed = Feed {
            projection: id,
            value: value.clone(),
            reduce: Reduce::Sum,
            object: group.object,
            side,
            variable: rest.to_owned(),
            written: name.value.clone(),
            delay: None,
            span: name.span,
            channel: false,
            placed: Sum::USUAL_PLACE,
        };
        if into_variable(&feed, objects, &[], out) {
            feeds.push(feed);
        }
    }
}

/// Whether the target of `feed` can receive a sum.
fn into_variable(feed: &Feed, objects: Objects<'_>, channels: &[&str], out: &mut Diagnostics) -> bool {
    if objects.is_broken(feed.object) {
        return false;
    }
    let declared = objects.declared(feed.object);
    let name = feed.variable.as_str();
    let parameters: Vec<&str> = declared
        .variables
        .iter()
        .filter(|v| matches!(v.kind, VariableKind::Parameter { .. } | VariableKind::SumTarget))
        .map(|v| v.name.as_str())
        .collect();
    let Some(symbol) = declared.symbols.get(name) else {
        let (kind, model) = objects.model(feed.object);
        let neurons = objects.population(feed.object).is_some();
        let reads = if neurons { " and reads no channel" } else { "" };
        let mut d = Diagnostic::error(
            code::UNKNOWN_CHANNEL,
            feed.span,
            format!("{kind} `{model}` has no parameter{reads} `{name}`"),
        );
        d = match nearest(name, channels.iter().copied().chain(parameters)) {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None if neurons => d.help(format!("read it in the equations of `{model}`: `sum({name})`")),
            None => d.help(format!("give `{model}` the parameter: a line `{name} : 1`, or its unit")),
        };
        out.push(d);
        return false;
    };
    if parameters.contains(&name) {
        return true;
    }
    out.push(
        Diagnostic::error(
            code::NOT_ASSIGNABLE,
            feed.span,
            format!("`{name}` is no parameter, so a sum cannot set it"),
        )
        .related(symbol.span, "defined here")
        .help(format!("make it a parameter, a line `{name} : 1` (or its unit), or sum into a channel")),
    );
    false
}

/// Gives each channel its variable, or one per projection if contributions are not all added.
fn name_channels(feeds: &mut [Feed], projs: &[Proj], pops: &mut [Pop]) {
    let mut by_channel: BTreeMap<(PopulationId, String), Vec<usize>> = BTreeMap::new();
    for (index, feed) in feeds.iter().enumerate() {
        if let (true, ObjectId::Population(population)) = (feed.channel, feed.object) {
            by_channel.entry((population, feed.variable.clone())).or_default().push(index);
        }
    }
    for ((population, channel), members) in by_channel {
        let together = members.len() == 1 || members.iter().all(|&m| feeds[m].reduce == Reduce::Sum);
        let mut names: Vec<String> = Vec::new();
        for (count, &member) in members.iter().enumerate() {
            let name = if together {
                format!("sum_{channel}")
            } else {
                let projection = &projs[feeds[member].projection.index()].projection.name;
                format!("sum_{channel}_{projection}_{count}")
            };
            feeds[member].variable.clone_from(&name);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        pops[population.index()].channels.insert(channel, names);
    }
}

/// Several sums go into one variable only if all of them add.
fn report_conflicts(feeds: &[Feed], projs: &[Proj], out: &mut Diagnostics) {
    for (index, feed) in feeds.iter().enumerate() {
        if let Some(first) =
            feeds[..index].iter().find(|f| (f.object, &f.variable) == (feed.object, &feed.variable))
            && (feed.reduce != Reduce::Sum || first.reduce != Reduce::Sum)
        {
            let names: Vec<&str> =
                [first, feed].iter().map(|f| projs[f.projection.index()].projection.name.as_str()).collect();
            out.push(
                Diagnostic::error(
                    code::SUMS,
                    feed.span,
                    format!("`{}` receives a mean, maximum or minimum and something else", feed.variable),
                )
                .label(format!("from projection `{}`", names[1]))
                .related(first.span, format!("from projection `{}`", names[0]))
                .help("give each a parameter of its own"),
            );
        }
    }
}

fn report_unfed(pops: &[Pop], out: &mut Diagnostics) {
    for pop in pops {
        let Some(model) = &pop.model else { continue };
        for channel in model.channels() {
            // The channels of a built-in model, which has no place, are there to be fed or not.
            if !pop.channels.contains_key(&channel.value) && !pop.broken && channel.span != Span::NONE {
                let message = format!(
                    "no projection that ends in population `{}` sums into `{}`",
                    pop.population.name, channel.value
                );
                out.push(Diagnostic::warning(code::UNFED, channel.span, message).label("always 0").help(
                    format!(
                        "a synapse does it by `[[synapse.NAME.sum]]` with `into = \"{}\"`",
                        channel.value
                    ),
                ));
            }
        }
    }
}

/// Checks the sums of one projection.
pub(crate) fn check_sums(
    feeds: &[Feed],
    proj: &Proj,
    id: ProjectionId,
    objects: Objects<'_>,
    (source, clocks): (&ProjectionSource, &[Clock]),
    tools: &mut Tools<'_>,
) -> Vec<Sum> {
    let mut sums = Vec::new();
    let delays = sum_delays(feeds, proj, id, (source, clocks), objects, tools);
    for (feed, delay) in feeds.iter().filter(|f| f.projection == id).zip(delays) {
        let Some(symbol) = objects.declared(feed.object).symbols.get(&feed.variable) else {
            continue;
        };
        let mut typer = tools.typer(proj.home(id, objects));
        let typed = typer.check(&feed.value);
        if let (Dim::Known(expected), Err(found)) = (symbol.dim, fits(typed.dim, symbol)) {
            tools.out.push(
                Diagnostic::error(
                    code::UNITS,
                    feed.value.span,
                    format!("the sum is in `{expected}`, this contribution in `{found}`"),
                )
                .label(in_unit(found).trim_start())
                .related(symbol.span, in_unit(expected).trim_start())
                .help(advice(expected, found)),
            );
            continue;
        }
        if symbol.ty == ScalarType::Bool || symbol.ty.is_integer() {
            tools.out.push(
                Diagnostic::error(
                    code::TYPE,
                    feed.span,
                    format!("a sum is real, `{}` is not", feed.variable),
                )
                .related(symbol.span, "defined here"),
            );
            continue;
        }
        sums.push(Sum {
            target: VarRef { object: feed.object, variable: symbol.id, side: feed.side },
            value: tools.world.arith.convert(typed.expr, symbol.ty),
            reduce: feed.reduce,
            delay,
            placed: feed.placed,
        });
    }
    sums
}

fn fits(dim: Dim, symbol: &Symbol) -> Result<(), neuropil_units::Dimension> {
    match symbol.dim {
        Dim::Known(expected) => dim.fits(expected),
        Dim::Free | Dim::Unknown => Ok(()),
    }
}
