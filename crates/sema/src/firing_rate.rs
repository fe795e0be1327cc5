//! Rates of firing as variables: the number of a neuron's events in the last time, over that time.

use neuropil_base::{Diagnostic, Diagnostics, ScalarType, Span};
use neuropil_model::{
    Counter, Expr, Extent, Initial, ObjectId, PopulationId, Side, VarRef, Variable, VariableKind,
};
use neuropil_units::Dimension;

use crate::code;
use crate::constant::Evaluator;
use crate::declare::check_name;
use crate::dim::Dim;
use crate::input::whole_steps;
use crate::pathway::no_event;
use crate::population::Pop;
use crate::scope::World;

/// The name of the variable that counts the events for the rate `name`.
fn counter(name: &str) -> String {
    format!("_count_{name}")
}

/// Declares the rates of a population of which one step takes `dt`.
pub(crate) fn declare_firing_rates(
    pop: &mut Pop,
    id: PopulationId,
    dt: f64,
    world: &World,
    out: &mut Diagnostics,
) {
    let rates = pop.model.as_ref().map(|m| m.firing_rates.clone()).unwrap_or_default();
    for rate in rates {
        let name = &rate.name.value;
        check_name(name, rate.name.span, out);
        if let Some(first) = pop.declared.symbols.get(name) {
            let message = format!("`{name}` is defined twice");
            out.push(
                Diagnostic::error(code::DUPLICATE_NAME, rate.name.span, message)
                    .related(first.span, "first here"),
            );
            pop.windows.push(1);
            continue;
        }
        let window = Evaluator { world, out }
            .positive_time(&rate.window, "a window")
            .and_then(|window| whole_steps(window, dt, &rate.window, "the window", out))
            .map(|steps| u32::try_from(steps).unwrap_or(u32::MAX));
        let steps = window.unwrap_or(1);
        let count = pop.declared.add_hidden(&counter(name), VariableKind::State, ScalarType::I32, Dim::NONE);
        let reference = VarRef { object: ObjectId::Population(id), variable: count, side: Side::Own };
        let arith = world.arith;
        let count = arith.convert(Expr::variable(reference, ScalarType::I32), arith.float());
        let value = arith.div(count, arith.real(f64::from(steps) * dt));
        let variable = Variable {
            name: name.clone(),
            ty: arith.float(),
            dimension: Dimension::HERTZ,
            extent: Extent::PerElement,
            kind: VariableKind::Subexpression(value),
            initial: Initial::Zero,
            unless_refractory: false,
            span: rate.name.span,
        };
        pop.declared.add(variable, Dim::Known(Dimension::HERTZ));
        pop.windows.push(steps);
    }
}

/// Finds the events that the rates of a population count, which are known now.
pub(crate) fn check_firing_rates(pop: &mut Pop, out: &mut Diagnostics) {
    let rates = pop.model.as_ref().map(|m| m.firing_rates.clone()).unwrap_or_default();
    for (rate, steps) in rates.iter().zip(pop.windows.clone()) {
        let wanted = rate.event.as_ref().map_or("spike", |e| e.value.as_str());
        let Some(event) = pop.population.event_named(wanted) else {
            let place: Span = rate.event.as_ref().map_or(rate.name.span, |e| e.span);
            out.push(no_event(pop, wanted, place));
            continue;
        };
        if let Some(symbol) = pop.declared.symbols.get(&counter(&rate.name.value)) {
            pop.population.counters.push(Counter { variable: symbol.id, event, window_steps: steps });
        }
    }
}
