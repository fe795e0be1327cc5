//! Recorders: whose spikes, rates and variables are written down, when.

use neuropil_base::{Diagnostic, Diagnostics, Spanned, nearest};
use neuropil_model::{
    Clock, ClockId, Group, ObjectId, Placed, Population, ProjectionId, Recorder, RecorderKind, Slot,
    VariableId,
};
use neuropil_source::{Elements, RecordSource, Selection, StateRecordSource};

use crate::builtin::{is_missing, unknown};
use crate::code;
use crate::connect::known_count;
use crate::constant::Evaluator;
use crate::declare::Declared;
use crate::input::whole_steps;
use crate::pathway::no_event;
use crate::placement::placed;
use crate::population::Pop;
use crate::projection::Proj;
use crate::scope::World;

/// The most elements that one recorder lists: more would be a slip, and fill memory.
const MAX_ELEMENTS: u32 = 100_000_000;

/// What recorders are made from.
pub(crate) struct Recording<'a> {
    pub(crate) world: &'a World,
    pub(crate) pops: &'a [Pop],
    pub(crate) projs: &'a [Proj],
    /// Populations, inputs and views.
    pub(crate) groups: &'a [Group],
    pub(crate) clocks: &'a mut Vec<Clock>,
    pub(crate) out: &'a mut Diagnostics,
}

/// Spikes or rates.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Spikes,
    Rates,
}

impl Recording<'_> {
    /// All recorders. Where nothing is said of spikes, those of all populations and inputs are recorded.
    pub(crate) fn all(mut self, source: &RecordSource) -> Vec<Recorder> {
        let mut list = Vec::new();
        let everything = Selection::All(neuropil_base::Span::NONE);
        let spikes = match &source.spikes {
            Selection::Unspecified => &everything,
            given @ (Selection::Nothing(_) | Selection::All(_) | Selection::Names(_)) => given,
        };
        self.events(spikes, What::Spikes, &mut list);
        self.events(&source.rates, What::Rates, &mut list);
        for state in &source.state {
            list.extend(self.state(state));
        }
        for index in 0..list.len() {
            let name = unique(&list[..index], &list[index].name);
            list[index].name = name;
        }
        list
    }

    fn events(&mut self, selection: &Selection, what: What, list: &mut Vec<Recorder>) {
        match selection {
            Selection::Unspecified | Selection::Nothing(_) => {}
            Selection::All(_) => {
                for (pop, group) in self.pops.iter().zip(self.groups) {
                    if let Some(event) = pop.population.event_named("spike") {
                        list.push(recorder(group.clone(), &pop.population, event, "spike", what));
                    }
                }
            }
            Selection::Names(names) => {
                for name in names {
                    list.extend(self.named(name, what));
                }
            }
        }
    }

    /// The recorder of `NAME` or `NAME.EVENT`.
    fn named(&mut self, name: &Spanned<String>, what: What) -> Option<Recorder> {
        let find = |n: &str| self.groups.iter().find(|g| g.name == n);
        let (group, event) = match (find(&name.value), name.value.rsplit_once('.')) {
            (Some(group), _) => (Some(group), "spike"),
            (None, Some((owner, event))) => (find(owner), event),
            (None, None) => (None, "spike"),
        };
        let Some(group) = group else {
            let names: Vec<&str> = self.groups.iter().map(|g| g.name.as_str()).collect();
            unknown("population", name, names.into_iter(), self.out);
            return None;
        };
        let pop = &self.pops[group.population()?.index()];
        let Some(id) = pop.population.event_named(event) else {
            if !pop.broken {
                self.out.push(no_event(pop, event, name.span));
            }
            return None;
        };
        Some(recorder(group.clone(), &pop.population, id, event, what))
    }

    fn state(&mut self, source: &StateRecordSource) -> Option<Recorder> {
        let of = &source.of;
        if is_missing(of) {
            return None;
        }
        let group = self.groups.iter().find(|g| g.name == of.value).cloned();
        let projection = self.projs.iter().position(|p| p.projection.name == of.value);
        let (object, clock, declared, broken, range) = match (&group, projection) {
            (Some(group), _) => {
                let pop = &self.pops[group.population()?.index()];
                (
                    group.object,
                    pop.population.clock,
                    &pop.declared,
                    pop.broken,
                    Some((group.start, group.len)),
                )
            }
            (None, Some(index)) => {
                let proj = &self.projs[index];
                let object = ObjectId::Projection(ProjectionId::new(index));
                let count =
                    known_count(proj).and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= MAX_ELEMENTS);
                (object, proj.projection.clock, &proj.declared, proj.broken, count.map(|n| (0, n)))
            }
            (None, None) => {
                let names: Vec<&str> = self
                    .groups
                    .iter()
                    .map(|g| g.name.as_str())
                    .chain(self.projs.iter().map(|p| p.projection.name.as_str()))
                    .collect();
                unknown("population or projection", of, names.into_iter(), self.out);
                return None;
            }
        };
        if broken {
            return None;
        }
        if let ObjectId::Projection(id) = object
            && !self.projs[id.index()].model.rules.is_empty()
        {
            let message = format!("synapses of `{}` come and go, so they cannot be recorded", of.value);
            self.out.push(Diagnostic::error(code::UNSUPPORTED, of.span, message).help(
                "record what the synapses do to their neurons, or read them in a host operation: `[host.NAME]`",
            ));
            return None;
        }
        let variables = self.variables(source, declared);
        let elements = self.elements(source, range);
        let clock = self.clock(source, clock);
        let usual = Placed::at(Slot::Start);
        let placed = placed(source.slot.as_ref(), source.order.as_ref(), usual, self.world, self.out);
        Some(Recorder {
            name: file_name(&source.name.value),
            kind: RecorderKind::State { object, variables: variables?, elements: elements? },
            clock: clock?,
            placed,
        })
    }

    fn variables(&mut self, source: &StateRecordSource, declared: &Declared) -> Option<Vec<VariableId>> {
        let mut list = Vec::new();
        let mut fine = true;
        for name in &source.variables {
            match declared.symbols.get(&name.value) {
                Some(symbol) if symbol.noise => {
                    fine = false;
                    self.out.push(
                        Diagnostic::error(
                            code::NOISE,
                            name.span,
                            format!("`{}` has white noise in it, which has no value at a time", name.value),
                        )
                        .help("record the variable whose equation it stands in"),
                    );
                }
                Some(symbol) if list.contains(&symbol.id) => {
                    fine = false;
                    let message = format!("`{}` is recorded twice", name.value);
                    self.out.push(
                        Diagnostic::error(code::DUPLICATE_NAME, name.span, message).help("name it once"),
                    );
                }
                Some(symbol) => list.push(symbol.id),
                None => {
                    fine = false;
                    let message = format!("`{}` has no variable `{}`", source.of.value, name.value);
                    let d = Diagnostic::error(code::UNKNOWN_NAME, name.span, message);
                    let known: Vec<&str> = declared.symbols.names().collect();
                    self.out.push(match nearest(&name.value, known.iter().copied()) {
                        Some(near) => d.help(format!("did you mean `{near}`?")),
                        None if known.is_empty() => d,
                        None => d.help(format!(
                            "it has {}",
                            known.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
                        )),
                    });
                }
            }
        }
        fine.then_some(list)
    }

    /// Which elements, counted within the population. An empty list stands for all synapses of a projection
    /// whose number depends on chance or on a file. `range` is the start and length of a group of neurons, or
    /// 0 and the number of synapses.
    fn elements(&mut self, source: &StateRecordSource, range: Option<(u32, u32)>) -> Option<Vec<u32>> {
        let (start, len) = range.unwrap_or((0, u32::MAX));
        match &source.elements {
            Elements::All if range.is_none() => Some(Vec::new()),
            Elements::All if len > MAX_ELEMENTS => {
                self.out.push(
                    Diagnostic::error(
                        code::RANGE,
                        source.name.span,
                        format!("{len} elements are too many to record"),
                    )
                    .help("choose some: `neurons = [0, 1, 2]` or `range = [0, 1000]`"),
                );
                None
            }
            Elements::All => Some((start..start.saturating_add(len)).collect()),
            Elements::List(list) => {
                let mut fine = true;
                let mut elements = Vec::with_capacity(list.len());
                for element in list {
                    match u32::try_from(element.value).ok().filter(|e| *e < len) {
                        Some(e) => elements.push(start + e),
                        None => {
                            fine = false;
                            self.out.push(
                                Diagnostic::error(
                                    code::RANGE,
                                    element.span,
                                    format!(
                                        "there is no element `{}` in `{}`",
                                        element.value, source.of.value
                                    ),
                                )
                                .help(format!(
                                    "its elements are counted from 0 to {}",
                                    len.saturating_sub(1)
                                )),
                            );
                        }
                    }
                }
                fine.then_some(elements)
            }
            Elements::Range { start: first, stop } => {
                let (world, out) = (self.world, &mut *self.out);
                let a = Evaluator { world, out }.count(first, "the first element");
                let b = Evaluator { world, out }.count(stop, "the end of the range");
                let (a, b) = (a?, b?);
                if a >= b || b > u64::from(len) {
                    out.push(
                        Diagnostic::error(
                            code::RANGE,
                            stop.span,
                            format!("`{}` has no elements {a} to {b}", source.of.value),
                        )
                        .help(if range.is_some() {
                            format!("a range is within 0 and {len}, its end not included")
                        } else {
                            "the end of a range comes after its start".to_owned()
                        }),
                    );
                    return None;
                }
                if b - a > u64::from(MAX_ELEMENTS) {
                    out.push(Diagnostic::error(
                        code::RANGE,
                        stop.span,
                        format!("{} elements are too many to record", b - a),
                    ));
                    return None;
                }
                Some((a..b).map(|e| start.saturating_add(e as u32)).collect())
            }
        }
    }

    /// The clock of a recorder: that of its object, or one of its own.
    fn clock(&mut self, source: &StateRecordSource, clock: ClockId) -> Option<ClockId> {
        let Some(text) = &source.every else { return Some(clock) };
        let every = Evaluator { world: self.world, out: self.out }.positive_time(text, "`every`")?;
        let dt = self.clocks.get(clock.index()).map_or(1e-4, |c| c.dt);
        let fits = |dt: f64| {
            let steps = every / dt;
            steps > 0.5 && (steps - steps.round()).abs() <= 1e-6 * steps
        };
        // What changes between two steps of the object is seen by a recorder on another clock of the network.
        if !fits(dt)
            && let Some(other) = self.clocks.iter().find(|c| fits(c.dt))
        {
            let steps = (every / other.dt).round();
            let every = steps * other.dt;
            return Some(clock_of(self.clocks, every, &source.name.value));
        }
        let steps = whole_steps(every, dt, text, "`every`", self.out)?;
        if steps == 1 {
            return Some(clock);
        }
        Some(clock_of(self.clocks, steps as f64 * dt, &source.name.value))
    }
}

/// The clock with that step; a new one, called `name`, if there is none.
pub(crate) fn clock_of(clocks: &mut Vec<Clock>, dt: f64, name: &str) -> ClockId {
    let close = |c: &Clock| (c.dt - dt).abs() <= 1e-12 * dt;
    let found = clocks.iter().position(close);
    ClockId::new(found.unwrap_or_else(|| {
        clocks.push(Clock { name: name.to_owned(), dt });
        clocks.len() - 1
    }))
}

fn recorder(
    group: Group,
    population: &Population,
    event: neuropil_model::EventId,
    name: &str,
    what: What,
) -> Recorder {
    let (clock, placed) = (population.clock, population.events[event.index()].placed);
    let owner =
        if name == "spike" { file_name(&group.name) } else { file_name(&format!("{}_{name}", group.name)) };
    match what {
        What::Spikes => Recorder {
            name: format!("{owner}_spikes"),
            kind: RecorderKind::Events { group, event },
            clock,
            // Events are recorded once they have happened, wherever that is.
            placed: placed.behind(),
        },
        What::Rates => Recorder {
            name: format!("{owner}_rate"),
            kind: RecorderKind::Rate { group, event },
            clock,
            placed: Placed::at(Slot::End),
        },
    }
}

/// `name` as part of a file name.
fn file_name(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' })
        .collect();
    if name.starts_with(['.', '-']) || name.is_empty() { format!("_{name}") } else { name }
}

/// `name`, or with a number behind it if another recorder has it.
fn unique(others: &[Recorder], name: &str) -> String {
    let taken = |n: &str| others.iter().any(|r| r.name == n);
    if !taken(name) {
        return name.to_owned();
    }
    (2..).map(|k| format!("{name}_{k}")).find(|n| !taken(n)).unwrap_or_default()
}
