//! Inputs: populations whose events come from a rate, a list or a clock, and timed arrays.

use neuropil_base::{Diagnostic, Diagnostics, ScalarType, Spanned, Text};
use neuropil_math::{CompareOp, Function};
use neuropil_model::{
    Block, Distribution, Event, EventSource, Expr, ExprKind, Extent, Initial, ObjectId, PopulationId, Random,
    Side, Table, VarRef, Variable, VariableKind,
};
use neuropil_source::{InputKind, InputSource, Numbers};
use neuropil_units::Dimension;

use crate::code;
use crate::constant::Evaluator;
use crate::dim::{Dim, in_ms};
use crate::population::{Pop, Tools};
use crate::scope::{TableInfo, World};
use crate::values::{Scale, all_finite, read_numbers};

/// What an input is called in a network.
pub(crate) fn model_name(kind: InputKind) -> &'static str {
    match kind {
        InputKind::Poisson => "poisson",
        InputKind::Spikes => "spikes",
        InputKind::Regular => "regular",
        InputKind::TimedArray => "timed_array",
        InputKind::Binomial => "binomial",
    }
}

/// A timed array. One that was refused is kept, empty, so that calls of it are not refused too.
pub(crate) fn timed_array(input: &InputSource, world: &World, out: &mut Diagnostics) -> (Table, TableInfo) {
    let name = input.name.value.clone();
    let dt = input
        .dt
        .as_ref()
        .and_then(|t| Evaluator { world, out }.positive_time(t, "the step of a timed array"));
    let scale = Scale::of(input.unit.as_ref(), out);
    let numbers = match (&input.values, &input.file) {
        (Some(values), _) => Some(values.clone()),
        (None, Some(file)) => read_numbers(&file.value, file.span, out),
        (None, None) => None,
    };
    let numbers = numbers.filter(|n| all_finite(n, out)).unwrap_or_default();
    let columns = numbers.columns.unwrap_or(1).max(1);
    if numbers.values.is_empty() && !out.has_errors() {
        out.push(
            Diagnostic::error(
                code::MISSING,
                input.name.span,
                format!("the timed array `{name}` has no values"),
            )
            .help("write `values = [...]` or `file = \"...\"`"),
        );
    }
    if input.dt.is_none() && !out.has_errors() {
        out.push(
            Diagnostic::error(
                code::MISSING,
                input.name.span,
                format!("the timed array `{name}` has no step"),
            )
            .help("write how long each row holds: `dt = \"1 ms\"`"),
        );
    }
    let table = Table {
        name: name.clone(),
        dt: dt.unwrap_or(1.0),
        rows: numbers.values.len() / columns,
        columns,
        values: scale.map_or(Vec::new(), |s| numbers.values.iter().map(|x| s.apply(*x)).collect()),
        dimension: scale.map_or(Dimension::NONE, |s| s.dimension),
    };
    let info = TableInfo { name, columns, dim: Dim::from(scale.map(|s| s.dimension)) };
    (table, info)
}

/// Gives the population of an input its variables and its event.
pub(crate) fn check_input(
    pop: &mut Pop,
    id: PopulationId,
    input: &InputSource,
    dt: f64,
    tools: &mut Tools<'_>,
) {
    let source = match input.kind.value {
        InputKind::Poisson => poisson(pop, id, input, dt, tools),
        InputKind::Spikes => spikes(pop, input, dt, tools),
        InputKind::Regular => regular(pop, id, input, dt, tools),
        InputKind::TimedArray | InputKind::Binomial => None,
    };
    let source = source.unwrap_or(EventSource::Condition(Expr::boolean(false)));
    let (placed, reset_placed) = Event::usual_places(true);
    let name = "spike".to_owned();
    pop.population.events.push(Event { name, source, placed, reset: Block::new(), reset_placed });
}

/// A variable of an input that its user may want to see.
fn add(
    pop: &mut Pop,
    id: PopulationId,
    name: &str,
    dimension: Dimension,
    value: Expr,
    (kind, extent): (VariableKind, Extent),
) -> Expr {
    let ty = value.ty;
    let initial = match kind {
        VariableKind::Parameter { .. } => Initial::Expr(value),
        VariableKind::State
        | VariableKind::Subexpression(_)
        | VariableKind::LastSpike
        | VariableKind::NotRefractory
        | VariableKind::SumTarget
        | VariableKind::Held
        | VariableKind::Link(_)
        | VariableKind::Degree(_)
        | VariableKind::Count => Initial::Zero,
    };
    let variable = Variable {
        name: name.to_owned(),
        ty,
        dimension,
        extent,
        kind,
        initial,
        unless_refractory: false,
        span: pop.population.span,
    };
    let variable = pop.declared.add(variable, Dim::Known(dimension));
    Expr::variable(VarRef { object: ObjectId::Population(id), variable, side: Side::Own }, ty)
}

fn poisson(
    pop: &mut Pop,
    id: PopulationId,
    input: &InputSource,
    dt: f64,
    tools: &mut Tools<'_>,
) -> Option<EventSource> {
    let text = input.rate.as_ref()?;
    let mut typer = tools.typer(pop.home(id));
    let typed = typer.value(text);
    if !typer.expect(&typed, text.span, Dimension::HERTZ, "a rate") || typed.dim == Dim::Unknown {
        return None;
    }
    let arith = tools.world.arith;
    let rate = arith.convert(typed.expr, arith.float());
    let constant = VariableKind::Parameter { constant: false };
    let varies = rate.any(&mut |e| {
        matches!(e.kind, ExprKind::Time | ExprKind::TimeStep | ExprKind::Step | ExprKind::Table { .. })
    });
    let (kind, extent) = match rate.as_real() {
        Some(value) => {
            check_rate(value, dt, text, tools.out);
            (constant, Extent::Shared)
        }
        None if varies => (VariableKind::Subexpression(rate.clone()), Extent::PerElement),
        None => (constant, Extent::PerElement),
    };
    let rate = add(pop, id, "rate", Dimension::HERTZ, rate, (kind, extent));
    let random = Random { site: tools.sites.fresh(), side: Side::Own, distribution: Distribution::Uniform };
    let random = Expr::new(ExprKind::Random(random), arith.float());
    let step = Expr::new(ExprKind::TimeStep, ScalarType::F64);
    Some(EventSource::Condition(arith.compare(CompareOp::Lt, random, arith.mul(rate, step))))
}

fn check_rate(rate: f64, dt: f64, text: &Text, out: &mut Diagnostics) {
    if !(rate >= 0.0 && rate.is_finite()) {
        out.push(
            Diagnostic::error(code::RANGE, text.span, "a rate must not be negative".to_owned())
                .label(format!("{rate} Hz")),
        );
    } else if rate * dt > 1.0 {
        out.push(
            Diagnostic::warning(
                code::RATE,
                text.span,
                format!("at {rate} Hz a neuron spikes more than once per step of {}", in_ms(dt)),
            )
            .help(
                "it spikes at every step and no more; take a shorter step, or more neurons of a lower rate",
            ),
        );
    }
}

fn spikes(pop: &Pop, input: &InputSource, dt: f64, tools: &mut Tools<'_>) -> Option<EventSource> {
    let out = &mut *tools.out;
    let (indices, times) = match (&input.indices, &input.times, &input.file) {
        (Some(indices), Some(times), _) => (indices.clone(), times.clone()),
        (_, _, Some(file)) => read_spikes(file, out)?,
        (Some(_) | None, Some(_) | None, None) => return None,
    };
    if indices.values.len() != times.values.len() {
        out.push(
            Diagnostic::error(
                code::LENGTH,
                times.span,
                format!("{} neurons and {} times", indices.values.len(), times.values.len()),
            )
            .label("one time per neuron")
            .related(indices.span, "one neuron per time"),
        );
        return None;
    }
    let scale = Scale::of(input.unit.as_ref(), out)?;
    // Without a unit the numbers are seconds, as in the files that other simulators write.
    if input.unit.is_some() && scale.dimension != Dimension::SECOND {
        let span = input.unit.as_ref().map_or(times.span, |u| u.span);
        let mut d = Diagnostic::error(
            code::UNITS,
            span,
            format!("times must be in `second`, not `{}`", scale.dimension),
        );
        d = d.help("write `unit = \"ms\"`");
        out.push(d);
        return None;
    }
    if !all_finite(&times, out) || !all_finite(&indices, out) {
        return None;
    }
    let size = pop.population.size;
    let mut list: Vec<(i64, u32)> = Vec::with_capacity(times.values.len());
    for (&index, &time) in indices.values.iter().zip(&times.values) {
        if index.fract() != 0.0 || index < 0.0 || index >= f64::from(size) {
            out.push(
                Diagnostic::error(
                    code::RANGE,
                    indices.span,
                    format!("there is no neuron `{index}` in input `{}`", input.name.value),
                )
                .help(format!("neurons are counted from 0 to {}", size.saturating_sub(1))),
            );
            return None;
        }
        let time = scale.apply(time);
        if time < 0.0 {
            out.push(
                Diagnostic::error(code::RANGE, times.span, format!("a spike at {time} s, before the run"))
                    .help("times must not be negative"),
            );
            return None;
        }
        list.push((step_of(time, dt), index as u32));
    }
    list.sort_unstable();
    if let Some(twice) = list.windows(2).find(|w| w[0] == w[1]) {
        let (step, neuron) = twice[0];
        out.push(
            Diagnostic::error(
                code::DUPLICATE_SPIKE,
                times.span,
                format!("neuron {neuron} spikes twice in the step at {}", in_ms(step as f64 * dt)),
            )
            .help(format!("a neuron spikes at most once per step; the step is {}", in_ms(dt))),
        );
        return None;
    }
    let period_steps = match &input.period {
        Some(text) => period(text, dt, tools)?,
        None => 0,
    };
    if period_steps > 0
        && let Some((last, _)) = list.last()
        && *last >= period_steps
    {
        let span = input.period.as_ref().map_or(times.span, |p| p.span);
        tools.out.push(
            Diagnostic::error(code::RANGE, span, "the period ends before the last spike".to_owned())
                .label(format!("the last spike is at {}", in_ms(*last as f64 * dt)))
                .help("take a longer period"),
        );
        return None;
    }
    let (steps, neurons) = list.into_iter().unzip();
    Some(EventSource::List { steps, neurons, period_steps })
}

/// Two columns of a file: neuron and time.
fn read_spikes(file: &Spanned<std::path::PathBuf>, out: &mut Diagnostics) -> Option<(Numbers, Numbers)> {
    let numbers = read_numbers(&file.value, file.span, out)?;
    if numbers.columns != Some(2) && !numbers.values.is_empty() {
        out.push(
            Diagnostic::error(
                code::FILE,
                file.span,
                format!("`{}` has {} columns, not 2", file.value.display(), numbers.columns.unwrap_or(1)),
            )
            .help("a row of a spike list is a neuron and a time"),
        );
        return None;
    }
    let column = |k: usize| Numbers {
        columns: None,
        values: numbers.values.iter().skip(k).step_by(2).copied().collect(),
        span: file.span,
    };
    Some((column(0), column(1)))
}

/// The step in which a time lies, as Brian 2 has it: down to a multiple of the step, but a time that lies
/// within a thousandth of a step below one belongs to it.
fn step_of(time: f64, dt: f64) -> i64 {
    ((time + 1e-3 * dt) / dt) as i64
}

/// A period in steps; a warning if it is rounded.
fn period(text: &Text, dt: f64, tools: &mut Tools<'_>) -> Option<i64> {
    let Tools { world, out, .. } = tools;
    let seconds = Evaluator { world, out }.positive_time(text, "a period")?;
    whole_steps(seconds, dt, text, "the period", tools.out)
}

/// `seconds` as a positive number of steps; a warning if it is rounded.
pub(crate) fn whole_steps(
    seconds: f64,
    dt: f64,
    text: &Text,
    what: &str,
    out: &mut Diagnostics,
) -> Option<i64> {
    let exact = seconds / dt;
    let steps = exact.round();
    if !(1.0..9e15).contains(&steps) {
        out.push(Diagnostic::error(
            code::RANGE,
            text.span,
            format!("{what} must be at least one step of {}", in_ms(dt)),
        ));
        return None;
    }
    if (exact - steps).abs() > 1e-6 * steps.max(1.0) {
        out.push(
            Diagnostic::warning(
                code::ROUNDED,
                text.span,
                format!("{what} is not a multiple of the step of {}", in_ms(dt)),
            )
            .label(format!("rounded to {}", in_ms(steps * dt))),
        );
    }
    Some(steps as i64)
}

fn regular(
    pop: &mut Pop,
    id: PopulationId,
    input: &InputSource,
    dt: f64,
    tools: &mut Tools<'_>,
) -> Option<EventSource> {
    let period_steps = match (&input.period, &input.rate) {
        (Some(text), _) => period(text, dt, tools)?,
        (None, Some(text)) => {
            let Tools { world, out, .. } = tools;
            let rate = Evaluator { world, out }.real(text, Dimension::HERTZ, "a rate")?;
            if !(rate > 0.0 && rate.is_finite()) {
                out.push(Diagnostic::error(code::RANGE, text.span, "the rate must be positive".to_owned()));
                return None;
            }
            whole_steps(1.0 / rate, dt, text, "the time between two spikes", out)?
        }
        (None, None) => return None,
    };
    let size = pop.population.size;
    let Some(text) = &input.start else {
        let neurons: Vec<u32> = (0..size).collect();
        return Some(EventSource::List { steps: vec![0; neurons.len()], neurons, period_steps });
    };
    let mut typer = tools.typer(pop.home(id));
    let typed = typer.value(text);
    if !typer.expect(&typed, text.span, Dimension::SECOND, "the first spike") || typed.dim == Dim::Unknown {
        return None;
    }
    if let Some(list) = start_list(&typed.expr, text, size, dt, period_steps, tools) {
        return list;
    }
    // The first spikes are drawn at random, or come later than one period: a condition per neuron.
    let arith = tools.world.arith;
    let start = arith.convert(typed.expr, ScalarType::F64);
    let kind = VariableKind::Parameter { constant: false };
    let start = add(pop, id, "start", Dimension::SECOND, start, (kind, Extent::PerElement));
    let step = arith.convert(Expr::new(ExprKind::Step, ScalarType::I64), ScalarType::I32);
    let dt = Expr::new(ExprKind::TimeStep, ScalarType::F64);
    let since = arith.sub(step, arith.call(Function::Timestep, vec![start, dt]));
    let period = Expr::integer(i32::try_from(period_steps).unwrap_or(i32::MAX));
    let due = arith.call(Function::Mod, vec![since.clone(), period]);
    let due = arith.compare(CompareOp::Eq, due, Expr::integer(0));
    let begun = arith.compare(CompareOp::Ge, since, Expr::integer(0));
    Some(EventSource::Condition(arith.and(begun, due)))
}

/// The spikes of one period as a list; `None` if they are not known now, `Some(None)` if refused.
fn start_list(
    start: &Expr,
    text: &Text,
    size: u32,
    dt: f64,
    period_steps: i64,
    tools: &mut Tools<'_>,
) -> Option<Option<EventSource>> {
    let depends = start.any(&mut |e| {
        matches!(
            e.kind,
            ExprKind::Random(_)
                | ExprKind::Time
                | ExprKind::TimeStep
                | ExprKind::Step
                | ExprKind::Table { .. }
        )
    });
    if depends {
        return None;
    }
    let mut list: Vec<(i64, u32)> = Vec::with_capacity(size as usize);
    for neuron in 0..size {
        let index = Expr::integer(i32::try_from(neuron).unwrap_or(i32::MAX));
        let seconds = fold(start.clone(), &index, tools.world)?;
        if !(0.0..1e9).contains(&seconds) {
            tools.out.push(
                Diagnostic::error(
                    code::RANGE,
                    text.span,
                    format!("the first spike of neuron {neuron} is at {seconds} s"),
                )
                .help("times must not be negative"),
            );
            return Some(None);
        }
        list.push((step_of(seconds, dt), neuron));
    }
    if list.iter().any(|(step, _)| *step >= period_steps) {
        return None;
    }
    list.sort_unstable();
    let (steps, neurons) = list.into_iter().unzip();
    Some(Some(EventSource::List { steps, neurons, period_steps }))
}

/// The value of `e` for the neuron `index`, if it depends on nothing else.
fn fold(e: Expr, index: &Expr, world: &World) -> Option<f64> {
    let arith = world.arith;
    e.map(&mut |e| match e.kind {
        ExprKind::Index(_) => index.clone(),
        ExprKind::Unary(neuropil_math::UnaryOp::Neg, a) => arith.neg(*a),
        ExprKind::Binary(neuropil_math::BinaryOp::Add, a, b) => arith.add(*a, *b),
        ExprKind::Binary(neuropil_math::BinaryOp::Sub, a, b) => arith.sub(*a, *b),
        ExprKind::Binary(neuropil_math::BinaryOp::Mul, a, b) => arith.mul(*a, *b),
        ExprKind::Binary(neuropil_math::BinaryOp::Div, a, b) => arith.div(*a, *b),
        ExprKind::Compare(op, a, b) => arith.compare(op, *a, *b),
        ExprKind::Select(c, a, b) => arith.select(*c, *a, *b),
        ExprKind::Convert(a) => arith.convert(*a, e.ty),
        ExprKind::Call(function, args) => arith.call(function, args),
        ExprKind::Constant(_)
        | ExprKind::Variable(_)
        | ExprKind::Local(_)
        | ExprKind::Time
        | ExprKind::TimeStep
        | ExprKind::Step
        | ExprKind::Unary(..)
        | ExprKind::Binary(..)
        | ExprKind::Random(_)
        | ExprKind::Noise(_)
        | ExprKind::Table { .. } => e,
    })
    .as_real()
}
