//! Pathways: what events do at synapses, and how long they travel.

use neuropil_base::{Diagnostic, Diagnostics, ScalarType, Span, Text, nearest};
use neuropil_model::{Clock, Delay, Endpoint, Group, Pathway, ProjectionId};
use neuropil_source::{End, PathwaySource, ProjectionSource, ValueSource};
use neuropil_units::Dimension;

use crate::builtin::unknown;
use crate::code;
use crate::connect::known_count;
use crate::dim::{Dim, advice, in_ms};
use crate::ends::Objects;
use crate::initial::scaled_column;
use crate::placement::placed;
use crate::population::{Pop, Tools};
use crate::projection::{Proj, described};
use crate::scope::Home;
use crate::sums::Feed;
use crate::typing::in_unit;
use crate::values::{Scale, all_finite};

/// Checks the pathways of a projection.
pub(crate) fn check_pathways(
    proj: &mut Proj,
    id: ProjectionId,
    source: &ProjectionSource,
    objects: Objects<'_>,
    clocks: &[Clock],
    tools: &mut Tools<'_>,
) {
    check_names_of_delays(proj, source, tools.out);
    let mut delays = Delays::of(proj, id, objects);
    let mut pathways: Vec<Pathway> = Vec::new();
    for (pathway, code) in &proj.model.pathways {
        let (on, group) = match pathway.on.value {
            End::Pre => (Endpoint::Pre, &proj.projection.source),
            End::Post => (Endpoint::Post, &proj.projection.target),
        };
        let Some(pop) = objects.population(group.object) else {
            let span = pathway.event.as_ref().map_or(pathway.code.span, |e| e.span);
            tools.out.push(no_events_of_synapses(proj, group, on, span));
            continue;
        };
        if pathways.iter().any(|p| p.name == pathway.name.value) {
            tools.out.push(Diagnostic::error(
                code::DUPLICATE_NAME,
                pathway.name.span,
                format!("the pathway `{}` is defined twice", pathway.name.value),
            ));
        }
        let block = tools.typer(proj.home(id, objects)).block(code);
        let wanted = pathway.event.as_ref().map_or("spike", |e| e.value.as_str());
        let event = pop.population.event_named(wanted);
        if event.is_none() && !pop.broken {
            tools.out.push(no_event(
                pop,
                wanted,
                pathway.event.as_ref().map_or(source.name.span, |e| e.span),
            ));
        }
        let dt = clocks.get(pop.population.clock.index()).map_or(1e-4, |c| c.dt);
        let given = delay_of(pathway, source);
        let delay = match given {
            Some(value) => delays.check(&value, dt, tools),
            None => Delay::None,
        };
        let placed = placed(
            pathway.when.as_ref(),
            pathway.order.as_ref(),
            Pathway::usual_place(on),
            tools.world,
            tools.out,
        );
        pathways.push(Pathway {
            name: pathway.name.value.clone(),
            on,
            event: event.unwrap_or(neuropil_model::EventId::new(0)),
            block,
            placed,
            delay,
            span: pathway.code.span,
        });
    }
    proj.projection.pathways = pathways;
}

/// The delay that a pathway gets while the model runs.
pub(crate) fn check_delay(
    proj: &Proj,
    id: ProjectionId,
    pathway: usize,
    value: &ValueSource,
    (objects, clocks): (Objects<'_>, &[Clock]),
    tools: &mut Tools<'_>,
) -> Delay {
    let group = match proj.projection.pathways[pathway].on {
        Endpoint::Pre => &proj.projection.source,
        Endpoint::Post => &proj.projection.target,
    };
    let dt = objects.step(group.object, clocks);
    Delays::of(proj, id, objects).check(value, dt, tools)
}

/// Says that a pathway would need events of synapses.
fn no_events_of_synapses(proj: &Proj, group: &Group, on: Endpoint, span: Span) -> Diagnostic {
    let (this, other, end) = match on {
        Endpoint::Pre => ("on_pre", "on_post", &proj.projection.target),
        Endpoint::Post => ("on_post", "on_pre", &proj.projection.source),
    };
    let name = &group.name;
    let message = format!("`{name}` is a projection: its synapses emit no events for `{this}`");
    let d = Diagnostic::error(code::NO_EVENT, span, message);
    match end.population() {
        Some(_) => d.help(format!(
            "use the events of the other end, `{}`: `{other}`; or a weighted sum, which needs none",
            end.name
        )),
        None => d.help("use a weighted sum: `[[synapse.NAME.sum]]` with `into` and `expression`"),
    }
}

/// Says that a population never has an event.
pub(crate) fn no_event(pop: &Pop, wanted: &str, span: Span) -> Diagnostic {
    let name = &pop.population.name;
    let d = Diagnostic::error(code::NO_EVENT, span, format!("population `{name}` has no event `{wanted}`"));
    let events: Vec<&str> = pop.population.events.iter().map(|e| e.name.as_str()).collect();
    if wanted == "spike" {
        return d.help(format!("give neuron `{}` a `threshold`", pop.population.model));
    }
    match nearest(wanted, events.iter().copied()) {
        Some(near) => d.help(format!("did you mean `{near}`?")),
        None => d.help(format!("define it: `[neuron.{}.event.{wanted}]`", pop.population.model)),
    }
}

/// The delay of a pathway: the projection's for it, its own, or the projection's for the pre side.
fn delay_of(pathway: &PathwaySource, source: &ProjectionSource) -> Option<ValueSource> {
    if let Some(delay) = source.delays.iter().rev().find(|d| d.name.value == pathway.name.value) {
        return Some(delay.value.clone());
    }
    if let Some(text) = &pathway.delay {
        return Some(ValueSource::Expression(text.clone()));
    }
    match pathway.on.value {
        End::Pre => source.delay.clone(),
        End::Post => None,
    }
}

/// Checks the delays of one projection.
struct Delays<'a> {
    home: Home<'a>,
    /// The number of synapses, if it is known.
    count: Option<u64>,
    what: String,
    /// Whether rounding has been reported: it is said once.
    said: bool,
}

impl<'a> Delays<'a> {
    fn of(proj: &'a Proj, id: ProjectionId, objects: Objects<'a>) -> Self {
        let what = described(&proj.projection.name);
        Self { home: proj.home(id, objects), count: known_count(proj), what, said: false }
    }

    /// A delay, in steps of `dt` if it is the same for all synapses.
    fn check(&mut self, value: &ValueSource, dt: f64, tools: &mut Tools<'_>) -> Delay {
        match value {
            ValueSource::Expression(text) => {
                let mut typer = tools.typer(self.home);
                let typed = typer.value(text);
                if !is_time(typed.dim, typed.expr.ty, text.span, tools.out) {
                    return Delay::None;
                }
                match typed.expr.as_real() {
                    Some(seconds) => self.scalar(seconds, dt, text, tools.out),
                    None => Delay::PerSynapse(tools.world.arith.to_float(typed.expr)),
                }
            }
            ValueSource::List { values, unit } => {
                let Some(scale) = Scale::of(unit.as_ref(), tools.out) else { return Delay::None };
                let dim = if unit.is_none() { Dim::NONE } else { Dim::Known(scale.dimension) };
                if !is_time(dim, ScalarType::F64, values.span, tools.out) || !all_finite(values, tools.out) {
                    return Delay::None;
                }
                if let Some(negative) = values.values.iter().find(|x| **x < 0.0) {
                    tools.out.push(negative_delay(&negative.to_string(), values.span));
                    return Delay::None;
                }
                let given = values.values.len() as u64;
                if self.count != Some(given) {
                    let what = &self.what;
                    let needed = self
                        .count
                        .map_or("a number not known before they are drawn".to_owned(), |n| n.to_string());
                    tools.out.push(
                        Diagnostic::error(
                            code::LENGTH,
                            values.span,
                            format!("{given} delays are given for {what}"),
                        )
                        .label(format!("its number of synapses is {needed}"))
                        .help("give an expression over `i` and `j`, or as many delays as synapses"),
                    );
                    return Delay::None;
                }
                Delay::Values(values.values.iter().map(|x| scale.apply(*x)).collect())
            }
            ValueSource::Column { column, unit } => {
                let Some(scale) = Scale::of(unit.as_ref(), tools.out) else { return Delay::None };
                let dim = if unit.is_none() { Dim::NONE } else { Dim::Known(scale.dimension) };
                if !is_time(dim, ScalarType::F64, column.span, tools.out) {
                    return Delay::None;
                }
                if scale.factor() == 1.0 {
                    return Delay::Column(column.value.clone());
                }
                scaled_column(&column.value, scale, self.home, tools).map_or(Delay::None, Delay::PerSynapse)
            }
        }
    }

    /// A delay in steps, rounded to the nearest as Brian 2 does.
    fn scalar(&mut self, seconds: f64, dt: f64, text: &Text, out: &mut Diagnostics) -> Delay {
        if seconds < 0.0 {
            out.push(negative_delay(&text.text, text.span));
            return Delay::None;
        }
        let exact = seconds / dt;
        let steps = (exact + 0.5).floor();
        if steps.is_nan() || steps >= f64::from(u32::MAX) {
            out.push(
                Diagnostic::error(code::RANGE, text.span, format!("a delay of {exact} steps is too long"))
                    .help("write a time such as `1.5 ms`"),
            );
            return Delay::None;
        }
        if (exact - steps).abs() > 1e-6 * steps.max(1.0) && !self.said {
            self.said = true;
            out.push(
                Diagnostic::warning(
                    code::DELAY_ROUNDED,
                    text.span,
                    format!("the delay is not a multiple of the step of {}", in_ms(dt)),
                )
                .label(format!(
                    "rounded to {}, {steps} step{}",
                    in_ms(steps * dt),
                    if steps == 1.0 { "" } else { "s" }
                )),
            );
        }
        if steps == 0.0 { Delay::None } else { Delay::Steps(steps as u32) }
    }
}

fn is_time(dim: Dim, ty: ScalarType, span: Span, out: &mut Diagnostics) -> bool {
    if dim == Dim::Unknown {
        return false;
    }
    if let Err(found) = dim.fits(Dimension::SECOND) {
        out.push(
            Diagnostic::error(code::UNITS, span, format!("a delay must be in `second`, not `{found}`"))
                .label(in_unit(found).trim_start())
                .help(advice(Dimension::SECOND, found)),
        );
        return false;
    }
    if ty == ScalarType::Bool {
        out.push(Diagnostic::error(code::TYPE, span, "a delay must be a time, not a condition".to_owned()));
        return false;
    }
    true
}

fn negative_delay(value: &str, span: Span) -> Diagnostic {
    Diagnostic::error(code::NEGATIVE_DELAY, span, format!("the delay `{value}` is negative"))
        .help("an event can only arrive after it has happened; to learn from later spikes, use `on_post`")
}

/// How old the presynaptic values of each weighted sum of a projection are: what the projection says of that sum,
/// what its model says, or the delay of the projection.
///
/// Where spikes travel too, the delay of the projection is theirs alone, as in Brian 2.
pub(crate) fn sum_delays(
    feeds: &[Feed],
    proj: &Proj,
    id: ProjectionId,
    (source, clocks): (&ProjectionSource, &[Clock]),
    objects: Objects<'_>,
    tools: &mut Tools<'_>,
) -> Vec<Delay> {
    let for_all = if spikes_travel(proj) { None } else { source.delay.clone() };
    let mut delays = Delays::of(proj, id, objects);
    let mut checked: Vec<(ValueSource, f64, Delay)> = Vec::new();
    let mut list = Vec::new();
    for feed in feeds.iter().filter(|f| f.of() == id) {
        let named = source.delays.iter().rev().find(|d| d.name.value == feed.written());
        let given = named.map(|d| d.value.clone());
        let own = || feed.own_delay().cloned().map(ValueSource::Expression);
        let Some(value) = given.or_else(own).or_else(|| for_all.clone()) else {
            list.push(Delay::None);
            continue;
        };
        // What several sums share is checked, and refused, once.
        let dt = objects.step(feed.object(), clocks);
        let delay = match checked.iter().find(|(v, step, _)| *v == value && *step == dt) {
            Some((.., delay)) => delay.clone(),
            None => {
                let delay = delays.check(&value, dt, tools);
                checked.push((value, dt, delay.clone()));
                delay
            }
        };
        list.push(delay);
    }
    list
}

/// Whether events of the presynaptic side act.
fn spikes_travel(proj: &Proj) -> bool {
    proj.model.pathways.iter().any(|(p, _)| p.on.value == End::Pre)
}

/// Refuses delays of what the synapse model does not have, and of names that mean two things.
fn check_names_of_delays(proj: &Proj, source: &ProjectionSource, out: &mut Diagnostics) {
    let pathways: Vec<&str> = proj.model.pathways.iter().map(|(p, _)| p.name.value.as_str()).collect();
    let sums = proj.model.sum_names();
    for delay in &source.delays {
        let name = delay.name.value.as_str();
        match (pathways.contains(&name), sums.contains(&name)) {
            (true, true) => out.push(
                Diagnostic::error(
                    code::DUPLICATE_NAME,
                    delay.name.span,
                    format!("`{name}` is a pathway and the target of a weighted sum: which has the delay?"),
                )
                .help("give the pathway another name: `[synapse.NAME.pathway.OTHER]`"),
            ),
            (true, false) | (false, true) => {}
            (false, false) => {
                let names = pathways.iter().chain(&sums).copied();
                unknown("pathway or sum", &delay.name, names, out);
            }
        }
    }
}
