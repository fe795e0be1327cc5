//! How operations and what they touch are shown to people.

use neuropil_ir::{Access, Accumulation};
use neuropil_kernels::Program;
use neuropil_kernels::program::{Action, Operation, Resource, StreamId, Structure, Task, Travel};
use neuropil_model::Endpoint;

/// The name of a resource.
pub(crate) fn resource(program: &Program, resource: Resource) -> String {
    match resource {
        Resource::Buffer(id) => program.buffers[id.index()].name.clone(),
        Resource::Stream(id) => format!("{}[]", program.streams[id.index()].name),
        Resource::Recorder(id) => format!("recorder {}", id.index()),
    }
}

/// `+cells.ge r:cells.v w:cells.v ...`
pub(crate) fn accesses(program: &Program, operation: &Operation) -> String {
    let show = |(touched, access): (Resource, Access)| {
        let how = match access {
            Access::Read => "r:",
            Access::Write => "w:",
            Access::Accumulate(Accumulation::Add) => "+",
            Access::Accumulate(Accumulation::Min) => "min:",
            Access::Accumulate(Accumulation::Max) => "max:",
        };
        format!("{how}{}", resource(program, touched))
    };
    program.accesses(operation).into_iter().map(show).collect::<Vec<_>>().join(" ")
}

/// What an operation does, in one line.
pub(crate) fn action(program: &Program, action: &Action) -> String {
    let stream = |id: &StreamId| program.streams[id.index()].name.as_str();
    match action {
        Action::Elements { start, len, emits, .. } => {
            let emits = emits.as_ref().map(|s| format!(", emits {}", stream(s))).unwrap_or_default();
            format!("elements {start}..{}{emits}", start + len)
        }
        Action::Events { stream: s, delay: 0, .. } => format!("elements that emitted {}", stream(s)),
        Action::Events { stream: s, delay, .. } => {
            format!("elements that emitted {}, {delay} steps ago", stream(s))
        }
        Action::Deliver { stream: s, structure, on, delay, .. } => {
            let end = match on {
                Endpoint::Pre => "rows",
                Endpoint::Post => "columns",
            };
            let structure = &program.structures[structure.index()];
            let delay = match delay {
                Travel::Steps(0) => "in the same step".to_owned(),
                Travel::Steps(steps) => format!("after {steps} steps"),
                Travel::PerSynapse { longest, .. } => format!("after up to {longest} steps, per synapse"),
            };
            format!("{} reaches {end} of {}{} {delay}", stream(s), structure.name, count(structure))
        }
        Action::Synapses { structure, .. } => {
            let structure = &program.structures[structure.index()];
            format!("all synapses of {}{}", structure.name, count(structure))
        }
        Action::Fill { start, len, value, .. } => format!("elements {start}..{} = {value}", start + len),
        Action::Cable { tree, .. } => format!("solves along trees of {} nodes", tree.nodes.len()),
        Action::List { list, .. } => format!("emits a list of {} events", list.steps.len()),
        Action::RecordEvents { stream: s, start, len, count_only, .. } => {
            let what = if *count_only { "counts" } else { "records" };
            format!("{what} {} of elements {start}..{}", stream(s), start + len)
        }
        Action::RecordState { elements, buffers, .. } => {
            format!("records {} variables of {} elements", buffers.len(), elements.len())
        }
        Action::Host { task: Task::Call(number) } => format!("calls host operation {number}"),
        Action::Host { task: Task::Rewire { projection, rule } } => {
            let structure = &program.structures[projection.index()];
            format!("changes the synapses of {}{} by its rule {rule}", structure.name, count(structure))
        }
        Action::Stop { stream: s, at_least } => format!("ends the run at {at_least} events of {}", stream(s)),
    }
}

/// ` (12 synapses)`; nothing while they have not been made.
fn count(structure: &Structure) -> String {
    if structure.n_syn == 0 { String::new() } else { format!(" ({} synapses)", structure.n_syn) }
}

/// Why the elements of an operation run one after the other, if they do.
pub(crate) fn order_dependence(program: &Program, operation: &Operation) -> Option<String> {
    match &operation.action {
        Action::Elements { call, .. }
        | Action::Events { call, .. }
        | Action::Deliver { call, .. }
        | Action::Synapses { call, .. } => program.order_dependence(call),
        Action::Fill { .. }
        | Action::Cable { .. }
        | Action::List { .. }
        | Action::RecordEvents { .. }
        | Action::RecordState { .. }
        | Action::Host { .. }
        | Action::Stop { .. } => None,
    }
}
