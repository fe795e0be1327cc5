//! What this machine makes of a plan, for people.

use std::fmt::Write as _;

use neuropil_kernels::Program;
use neuropil_kernels::program::{Action, OperationId};
use neuropil_schedule::Plan;

use super::layout::{Spaces, fused};
use crate::deliver::Deliveries;

/// How the operations of a plan are carried out by threads that own parts of the neurons: which are one kernel, which
/// need none, which run on one thread and why.
#[must_use]
pub fn explain(program: &Program, plan: &Plan) -> String {
    let spaces = Spaces::of(program);
    let sequence = plan.sequence();
    let deliveries = Deliveries::plan(program, sequence);
    let name = |id: &OperationId| program.operations[id.index()].name.as_str();
    let joined = |ids: &[OperationId]| ids.iter().map(name).collect::<Vec<_>>().join(" + ");
    let mut text = String::new();
    let mut k = 0;
    while let Some(id) = sequence.get(k) {
        let mut lines = Vec::new();
        let mut ids = vec![*id];
        let operation = &program.operations[id.index()];
        if let Some(number) = deliveries.group_of(*id) {
            let group = &deliveries.groups()[number];
            k += 1;
            if group.first().is_none_or(|(first, _)| first != *id) {
                continue;
            }
            ids = group.operations().collect();
            lines.push("no kernel: known values are added".to_owned());
        } else if let Some((count, kernel, _)) = fused(program, &sequence[k..], &spaces) {
            ids = sequence[k..k + count].to_vec();
            lines.push(format!("one kernel of {} instructions", kernel.insts.len()));
            k += count;
        } else {
            k += 1;
            if let Some(reason) = deliveries.reason(*id) {
                lines.push(format!("a kernel for every synapse: {reason}"));
            }
            let is_kernel = matches!(
                operation.action,
                Action::Elements { .. }
                    | Action::Events { .. }
                    | Action::Deliver { .. }
                    | Action::Synapses { .. }
                    | Action::Cable { .. }
            );
            if let (Err(reason), true) = (program.split(operation), is_kernel) {
                lines.push(format!("on one thread: {reason}"));
            }
        }
        let _ = writeln!(text, "  {}", joined(&ids));
        lines.iter().for_each(|line| {
            let _ = writeln!(text, "    {line}");
        });
    }
    text
}
