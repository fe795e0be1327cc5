//! Builds rows on all cores; the result does not depend on how many there are.

use rayon::prelude::*;

use crate::error::check_count;
use crate::{ConnectError, Csr, NeuronIdx};

/// Rows that one task builds at least; small enough to share out, large enough to be worth it.
const MIN_ROWS: u32 = 16;
/// Tasks at most: enough for any number of cores.
const MAX_TASKS: u32 = 1024;

/// The rows of one task.
struct Part {
    lengths: Vec<usize>,
    targets: Vec<NeuronIdx>,
}

/// A structure of `n_pre` rows, where `row(scratch, pre, out)` appends the targets of `pre` to `out`.
///
/// Each task makes its own scratch by `scratch()`. Targets must be below `n_post`. Of several errors
/// the one of the lowest row counts.
pub(crate) fn build_rows<S, N, F>(n_pre: u32, n_post: u32, scratch: N, row: F) -> Result<Csr, ConnectError>
where
    N: Fn() -> S + Sync,
    F: Fn(&mut S, u32, &mut Vec<NeuronIdx>) -> Result<(), ConnectError> + Sync,
{
    let rows_per_task = n_pre.div_ceil(MAX_TASKS).max(MIN_ROWS);
    let n_tasks = n_pre.div_ceil(rows_per_task);
    let parts: Vec<Result<Part, ConnectError>> = (0..n_tasks)
        .into_par_iter()
        .map(|task| {
            let first = task * rows_per_task;
            let end = n_pre.min(first.saturating_add(rows_per_task));
            let mut own = scratch();
            let mut part = Part { lengths: Vec::with_capacity((end - first) as usize), targets: Vec::new() };
            for pre in first..end {
                let before = part.targets.len();
                row(&mut own, pre, &mut part.targets)?;
                part.lengths.push(part.targets.len() - before);
            }
            Ok(part)
        })
        .collect();
    let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
    join(n_pre, n_post, parts)
}

fn join(n_pre: u32, n_post: u32, parts: Vec<Part>) -> Result<Csr, ConnectError> {
    let n_syn: usize = parts.iter().map(|part| part.targets.len()).sum();
    check_count(n_syn as u64)?;
    let mut offsets = Vec::with_capacity(n_pre as usize + 1);
    let mut end = 0;
    offsets.push(0);
    for length in parts.iter().flat_map(|part| &part.lengths) {
        end += length;
        offsets.push(end);
    }
    // Zeroed pages are first touched where they are filled, on all cores.
    let mut targets = vec![0; n_syn];
    let mut copies = Vec::with_capacity(parts.len());
    let mut rest = targets.as_mut_slice();
    for part in parts {
        let (own, others) = rest.split_at_mut(part.targets.len());
        copies.push((own, part.targets));
        rest = others;
    }
    copies.into_par_iter().for_each(|(own, part)| own.copy_from_slice(&part));
    Ok(Csr::from_parts_trusted(n_post, offsets, targets))
}
