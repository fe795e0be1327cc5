//! Where things happen in the step: the schedule, places within it, and the host's calls.

use neuropil_base::{Diagnostic, Diagnostics, Spanned};
use neuropil_model::{Clock, ClockId, HostOperation, Placed, Schedule, Slot};
use neuropil_source::{HostSource, PlaceSource, Placement};

use crate::builtin::unknown;
use crate::code;
use crate::constant::Evaluator;
use crate::input::whole_steps;
use crate::recorder::clock_of;
use crate::scope::World;

/// The schedule that a model states; the standard one where it states none, or a wrong one.
pub(crate) fn schedule(names: Option<&Vec<Spanned<String>>>, out: &mut Diagnostics) -> Schedule {
    let Some(names) = names else { return Schedule::default() };
    let before = out.len();
    for (index, name) in names.iter().enumerate() {
        let bare = name.value.strip_prefix("before_").or_else(|| name.value.strip_prefix("after_"));
        if let Some(bare) = bare {
            out.push(
                Diagnostic::error(
                    code::RESERVED,
                    name.span,
                    format!("a slot cannot be called `{}`", name.value),
                )
                .help(format!("slots `before_{bare}` and `after_{bare}` come with the slot `{bare}`")),
            );
        }
        if let Some(first) = names[..index].iter().find(|n| n.value == name.value) {
            out.push(
                Diagnostic::error(
                    code::DUPLICATE_NAME,
                    name.span,
                    format!("the slot `{}` is in the schedule twice", name.value),
                )
                .related(first.span, "first here"),
            );
        }
    }
    for (_, standard) in Slot::STANDARD {
        if !names.iter().any(|n| n.value == standard) {
            let place = names.first().map_or(neuropil_base::Span::NONE, |n| n.span);
            out.push(
                Diagnostic::error(code::MISSING, place, format!("the schedule lacks the slot `{standard}`"))
                    .help("name all of `start`, `groups`, `thresholds`, `synapses`, `resets` and `end`, in the order that you want"),
            );
        }
    }
    if out.len() > before {
        return Schedule::default();
    }
    Schedule::new(names.iter().map(|n| n.value.as_str()))
}

/// A place in the step; what is not said is as in `usual`.
pub(crate) fn placed(
    when: Option<&Spanned<String>>,
    order: Option<&Spanned<i64>>,
    usual: Placed,
    world: &World,
    out: &mut Diagnostics,
) -> Placed {
    let mut placed = usual;
    if let Some(name) = when {
        match world.schedule.find(&name.value) {
            Some(when) => placed.when = when,
            None => unknown("slot", name, world.schedule.slots().map(|(_, n)| n), out),
        }
    }
    if let Some(order) = order {
        match i32::try_from(order.value) {
            Ok(order) => placed.order = order,
            Err(_) => out.push(Diagnostic::error(
                code::RANGE,
                order.span,
                format!("the order `{}` is out of range", order.value),
            )),
        }
    }
    placed
}

/// The places of the things in `known`, each with its usual one, in their order; others are refused.
pub(crate) fn places<const N: usize>(
    given: &[Placement],
    known: [(&str, Placed); N],
    world: &World,
    out: &mut Diagnostics,
) -> [Placed; N] {
    for placement in given {
        if !known.iter().any(|(name, _)| *name == placement.what.value) {
            unknown("operation", &placement.what, known.iter().map(|(name, _)| *name), out);
        }
    }
    known.map(|(name, usual)| match given.iter().find(|p| p.what.value == name) {
        Some(Placement { place: PlaceSource { when, order }, .. }) => {
            placed(when.as_ref(), order.as_ref(), usual, world, out)
        }
        None => usual,
    })
}

/// The places in the step where the host is called.
pub(crate) fn host_operations(
    sources: &[HostSource],
    world: &World,
    clocks: &mut Vec<Clock>,
    out: &mut Diagnostics,
) -> Vec<HostOperation> {
    let mut list: Vec<HostOperation> = Vec::new();
    for source in sources {
        let name = source.name.value.clone();
        let clock = source.every.as_ref().and_then(|text| {
            let every = Evaluator { world, out: &mut *out }.positive_time(text, "`every`")?;
            let dt = clocks.first().map_or(1e-4, |c| c.dt);
            let steps = whole_steps(every, dt, text, "`every`", out)?;
            Some(clock_of(clocks, steps as f64 * dt, &name))
        });
        let placed = placed(source.when.as_ref(), source.order.as_ref(), Placed::at(Slot::Start), world, out);
        list.push(HostOperation { name, clock: clock.unwrap_or(ClockId::new(0)), placed });
    }
    list
}
