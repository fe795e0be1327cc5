//! Models by name: those of the network, then the built-in ones.

use neuropil_base::{Diagnostic, Diagnostics, Spanned, nearest};
use neuropil_source::{NetworkSource, NeuronSource, SynapseSource};

use crate::code;

/// What stands before the name of a built-in model.
const PREFIX: &str = "library:";

/// The neuron model called `name`, with what it takes from a built-in one; a diagnostic if there is none.
pub(crate) fn neuron(
    source: &NetworkSource,
    name: &Spanned<String>,
    out: &mut Diagnostics,
) -> Option<NeuronSource> {
    let own = source.neurons.iter().find(|n| n.name.value == name.value);
    match own {
        Some(model) => Some(complete_neuron(model, out)),
        None => library_neuron(name, source.neurons.iter().map(|n| n.name.value.as_str()), out),
    }
}

/// A neuron model of the network; what it does not say is taken from the built-in model that it names.
pub(crate) fn complete_neuron(model: &NeuronSource, out: &mut Diagnostics) -> NeuronSource {
    let mut model = model.clone();
    let Some(base) = model.library.clone().and_then(|name| library_neuron(&name, std::iter::empty(), out))
    else {
        return model;
    };
    // What the model changes is appended: later values win.
    let join = |mut base: Vec<_>, own: Vec<_>| {
        base.extend(own);
        base
    };
    model.equations = model.equations.or(base.equations);
    model.threshold = model.threshold.or(base.threshold);
    model.reset = model.reset.or(base.reset);
    model.refractory = model.refractory.or(base.refractory);
    model.method = model.method.or(base.method);
    model.parameters = join(base.parameters, model.parameters);
    model.initial = join(base.initial, model.initial);
    for placement in base.schedule {
        if !model.schedule.iter().any(|p| p.what.value == placement.what.value) {
            model.schedule.push(placement);
        }
    }
    for event in base.events {
        if !model.events.iter().any(|e| e.name.value == event.name.value) {
            model.events.push(event);
        }
    }
    add_new(&mut model.periodic, base.periodic, |p| &p.name);
    add_new(&mut model.firing_rates, base.firing_rates, |r| &r.name);
    model
}

/// The synapse model called `name`, with what it takes from a built-in one; a diagnostic if there is none.
pub(crate) fn synapse(
    source: &NetworkSource,
    name: &Spanned<String>,
    out: &mut Diagnostics,
) -> Option<SynapseSource> {
    let own = source.synapses.iter().find(|n| n.name.value == name.value);
    match own {
        Some(model) => Some(complete_synapse(model, out)),
        None => library_synapse(name, source.synapses.iter().map(|n| n.name.value.as_str()), out),
    }
}

/// A synapse model of the network; what it does not say is taken from the built-in model that it names.
pub(crate) fn complete_synapse(model: &SynapseSource, out: &mut Diagnostics) -> SynapseSource {
    let mut model = model.clone();
    let Some(base) = model.library.clone().and_then(|name| library_synapse(&name, std::iter::empty(), out))
    else {
        return model;
    };
    model.equations = model.equations.or(base.equations);
    model.method = model.method.or(base.method);
    model.parameters = base.parameters.into_iter().chain(model.parameters).collect();
    model.initial = base.initial.into_iter().chain(model.initial).collect();
    for (own, base) in [(&mut model.prune, base.prune), (&mut model.create, base.create)] {
        if own.is_empty() {
            *own = base;
        }
    }
    if model.sums.is_empty() {
        model.sums = base.sums;
    }
    for placement in base.schedule {
        if !model.schedule.iter().any(|p| p.what.value == placement.what.value) {
            model.schedule.push(placement);
        }
    }
    for pathway in base.pathways {
        if !model.pathways.iter().any(|p| p.name.value == pathway.name.value) {
            model.pathways.push(pathway);
        }
    }
    add_new(&mut model.periodic, base.periodic, |p| &p.name);
    model
}

/// Adds those of `base` whose names are not in `own`.
fn add_new<T>(own: &mut Vec<T>, base: Vec<T>, name: impl Fn(&T) -> &Spanned<String>) {
    for item in base {
        if !own.iter().any(|o| name(o).value == name(&item).value) {
            own.push(item);
        }
    }
}

fn library_neuron<'a>(
    name: &Spanned<String>,
    others: impl Iterator<Item = &'a str>,
    out: &mut Diagnostics,
) -> Option<NeuronSource> {
    let bare = name.value.strip_prefix(PREFIX).unwrap_or(&name.value);
    let found = neuropil_library::neuron(bare);
    if found.is_none() {
        let known: Vec<&str> =
            others.chain(neuropil_library::neuron_names().map(|n| -> &str { n })).collect();
        unknown("neuron", name, known.into_iter(), out);
    }
    found
}

fn library_synapse<'a>(
    name: &Spanned<String>,
    others: impl Iterator<Item = &'a str>,
    out: &mut Diagnostics,
) -> Option<SynapseSource> {
    let bare = name.value.strip_prefix(PREFIX).unwrap_or(&name.value);
    let found = neuropil_library::synapse(bare);
    if found.is_none() {
        let known: Vec<&str> =
            others.chain(neuropil_library::synapse_names().map(|n| -> &str { n })).collect();
        unknown("synapse", name, known.into_iter(), out);
    }
    found
}

/// Whether `name` stands for a field that is missing, which whoever read the model has reported: it is empty,
/// but its place is not.
pub(crate) fn is_missing(name: &Spanned<String>) -> bool {
    name.value.is_empty() && !name.span.range().is_empty()
}

/// Says that there is no `what` called `name`; silent about a name that is missing.
pub(crate) fn unknown<'a>(
    what: &str,
    name: &Spanned<String>,
    known: impl Iterator<Item = &'a str>,
    out: &mut Diagnostics,
) {
    if is_missing(name) {
        return;
    }
    let known: Vec<&str> = known.collect();
    let mut d = Diagnostic::error(code::UNKNOWN_NAME, name.span, format!("unknown {what} `{}`", name.value));
    let bare = name.value.strip_prefix(PREFIX).unwrap_or(&name.value);
    if let Some(near) = nearest(bare, known.iter().copied()) {
        d = d.help(format!("did you mean `{near}`?"));
    } else if !known.is_empty() && known.len() <= 8 {
        let list: Vec<String> = known.iter().map(|n| format!("`{n}`")).collect();
        d = d.help(format!("there {} {}", if known.len() == 1 { "is" } else { "are" }, list.join(", ")));
    } else if what == "neuron" || what == "synapse" {
        d = d.help(format!("define it: `[{what}.{}]`", name.value));
    }
    out.push(d);
}
