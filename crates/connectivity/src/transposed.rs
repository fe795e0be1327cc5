//! The same synapses from the post side: for each post neuron, who reaches it.

use std::ops::Range;

use rayon::prelude::*;

use crate::csr::accumulate;
use crate::{Csr, NeuronIdx};

/// Columns of a [`Csr`]: within a column synapses stand by ascending canonical index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transposed {
    n_pre: u32,
    offsets: Vec<usize>,
    sources: Vec<NeuronIdx>,
    synapse: Vec<u32>,
}

impl Transposed {
    /// The transpose of `csr`, in time linear in its size.
    pub(crate) fn of(csr: &Csr) -> Self {
        let offsets = column_offsets(csr);
        let mut sources = vec![0; csr.n_syn()];
        let mut synapse = vec![0; csr.n_syn()];
        scatter(csr, &offsets, &mut sources, Some(&mut synapse));
        Self { n_pre: csr.n_pre(), offsets, sources, synapse }
    }

    /// Number of pre neurons.
    #[must_use]
    pub fn n_pre(&self) -> u32 {
        self.n_pre
    }

    /// Number of post neurons: columns.
    #[must_use]
    pub fn n_post(&self) -> u32 {
        (self.offsets.len() - 1) as u32
    }

    /// Number of synapses.
    #[must_use]
    pub fn n_syn(&self) -> usize {
        self.sources.len()
    }

    /// Where each column starts in [`Transposed::sources`] and [`Transposed::synapse`], and the end.
    #[must_use]
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// The pre neuron of every synapse, column by column.
    #[must_use]
    pub fn sources(&self) -> &[NeuronIdx] {
        &self.sources
    }

    /// The canonical index of every synapse, column by column.
    #[must_use]
    pub fn synapse(&self) -> &[u32] {
        &self.synapse
    }

    /// The positions of a column; empty for a neuron that does not exist.
    #[must_use]
    pub fn column_range(&self, post: u32) -> Range<usize> {
        match self.offsets.get(post as usize..post as usize + 2) {
            Some(&[start, end]) => start..end,
            Some(_) | None => 0..0,
        }
    }

    /// The synapses of a column as (canonical index, pre).
    pub fn column(&self, post: u32) -> impl Iterator<Item = (usize, NeuronIdx)> + '_ {
        self.column_range(post).map(|k| (self.synapse[k] as usize, self.sources[k]))
    }

    /// Bytes of the structure.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&self.offsets[..]) + size_of_val(&self.sources[..]) + size_of_val(&self.synapse[..])
    }

    /// The rows that these columns came from, in canonical order.
    #[must_use]
    pub fn to_csr(&self) -> Csr {
        let mut offsets = vec![0; self.n_pre as usize + 1];
        for &pre in &self.sources {
            offsets[pre as usize + 1] += 1;
        }
        accumulate(&mut offsets);
        let mut targets = vec![0; self.n_syn()];
        for post in 0..self.n_post() {
            for k in self.column_range(post) {
                targets[self.synapse[k] as usize] = post;
            }
        }
        Csr::from_parts_trusted(self.n_post(), offsets, targets)
    }
}

/// `csr` with pre and post exchanged: for rules that are decided by column.
pub(crate) fn mirrored(csr: &Csr) -> Csr {
    let offsets = column_offsets(csr);
    let mut sources = vec![0; csr.n_syn()];
    scatter(csr, &offsets, &mut sources, None);
    Csr::from_parts_trusted(csr.n_pre(), offsets, sources)
}

fn column_offsets(csr: &Csr) -> Vec<usize> {
    let mut offsets = vec![0; csr.n_post() as usize + 1];
    for &post in csr.targets() {
        offsets[post as usize + 1] += 1;
    }
    accumulate(&mut offsets);
    offsets
}

/// Columns of one task: few enough that the places where they grow stay in cache.
const COLUMNS_PER_TASK: usize = 1024;
/// A task looks for its part of every row; that must cost less than the rows themselves.
const SYNAPSES_PER_SEARCH: usize = 8;

/// The columns `first..end` and where they go.
struct Task<'a> {
    first: u32,
    end: u32,
    sources: &'a mut [NeuronIdx],
    synapse: Option<&'a mut [u32]>,
}

/// Sorts all synapses by column, stably: a counting sort by target.
///
/// If rows ascend, columns are cut into ranges that are filled in parallel: each is a contiguous part
/// of the result, and of every row.
fn scatter(csr: &Csr, offsets: &[usize], sources: &mut [NeuronIdx], synapse: Option<&mut [u32]>) {
    let n_columns = csr.n_post() as usize;
    let searches = csr.n_syn() / SYNAPSES_PER_SEARCH / (csr.n_pre() as usize).max(1);
    let n_tasks = (n_columns / COLUMNS_PER_TASK).min(searches).max(1);
    let ascending = n_tasks > 1 && (0..csr.n_pre()).all(|pre| csr.row(pre).is_sorted());
    let n_tasks = if ascending { n_tasks } else { 1 };
    let mut tasks = Vec::with_capacity(n_tasks);
    let (mut sources, mut synapse) = (sources, synapse);
    for task in 0..n_tasks {
        let (first, end) = (n_columns * task / n_tasks, n_columns * (task + 1) / n_tasks);
        let length = offsets[end] - offsets[first];
        let own_sources = sources.split_off_mut(..length).unwrap_or_default();
        let own_synapse = synapse.as_mut().and_then(|rest| rest.split_off_mut(..length));
        tasks.push(Task { first: first as u32, end: end as u32, sources: own_sources, synapse: own_synapse });
    }
    tasks.into_par_iter().for_each(|task| task.run(csr, offsets));
}

impl Task<'_> {
    fn run(self, csr: &Csr, offsets: &[usize]) {
        let Self { first, end, sources, mut synapse } = self;
        let base = offsets[first as usize];
        let mut next: Vec<usize> =
            offsets[first as usize..end as usize].iter().map(|offset| offset - base).collect();
        let whole = first == 0 && end == csr.n_post();
        for pre in 0..csr.n_pre() {
            let range = csr.row_range(pre);
            let row = &csr.targets()[range.clone()];
            let skipped = if whole { 0 } else { row.partition_point(|&post| post < first) };
            for (k, &post) in row[skipped..].iter().enumerate() {
                if post >= end {
                    break;
                }
                let slot = &mut next[(post - first) as usize];
                sources[*slot] = pre;
                if let Some(synapse) = &mut synapse {
                    synapse[*slot] = (range.start + skipped + k) as u32;
                }
                *slot += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::mirrored;
    use crate::connector::Connector;
    use crate::csr::tests::any_csr;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn transposing_twice_is_the_same(csr in any_csr()) {
            prop_assert_eq!(csr.transpose().to_csr(), csr);
        }

        #[test]
        fn columns_hold_every_synapse_once_by_canonical_index(csr in any_csr()) {
            let pairs: Vec<_> = csr.pairs().collect();
            let t = csr.transpose();
            let mut seen = 0;
            for post in 0..t.n_post() {
                let column: Vec<_> = t.column(post).collect();
                prop_assert!(column.is_sorted());
                prop_assert!(column.iter().all(|&(synapse, pre)| pairs[synapse] == (pre, post)));
                seen += column.len();
            }
            prop_assert_eq!(seen, csr.n_syn());
        }

        #[test]
        fn mirroring_swaps_every_pair(csr in any_csr()) {
            let mut swapped: Vec<_> = csr.pairs().map(|(pre, post)| (post, pre)).collect();
            let mirrored = mirrored(&csr);
            swapped.sort_unstable();
            let mut found: Vec<_> = mirrored.pairs().collect();
            found.sort_unstable();
            prop_assert_eq!(found, swapped);
        }
    }

    #[test]
    fn many_columns_are_cut_into_tasks() {
        let rule = crate::FixedOutDegree { n: 100, multapses: true, self_connections: true };
        let csr = rule.connect(&crate::Shape::between(300, 5000), crate::Site::new(1, 1)).unwrap();
        let mut sorted: Vec<_> =
            csr.pairs().enumerate().map(|(synapse, (pre, post))| (post, synapse, pre)).collect();
        sorted.sort_unstable();
        let t = csr.transpose();
        let found = (0..5000).flat_map(|post| t.column(post).map(move |(synapse, pre)| (post, synapse, pre)));
        assert!(found.eq(sorted.iter().copied()));
        assert!(mirrored(&csr).pairs().eq(sorted.iter().map(|&(post, _, pre)| (post, pre))));
        assert_eq!(t.to_csr(), csr);
    }
}
