//! The same synapses from the post side: for each post neuron, who reaches it.

use std::ops::Range;

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
    /// The transpose of `csr`, in time linear in its size (a counting sort by target).
    pub(crate) fn of(csr: &Csr) -> Self {
        let mut offsets = vec![0; csr.n_post() as usize + 1];
        for &post in csr.targets() {
            offsets[post as usize + 1] += 1;
        }
        accumulate(&mut offsets);
        let mut next = offsets.clone();
        let mut sources = vec![0; csr.n_syn()];
        let mut synapse = vec![0; csr.n_syn()];
        for pre in 0..csr.n_pre() {
            for index in csr.row_range(pre) {
                let slot = &mut next[csr.targets()[index] as usize];
                sources[*slot] = pre;
                synapse[*slot] = index as u32;
                *slot += 1;
            }
        }
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

    /// These columns taken as rows: pre and post change sides. For rules that are decided by column.
    pub(crate) fn into_mirrored(self) -> Csr {
        Csr::from_parts_trusted(self.n_pre, self.offsets, self.sources)
    }
}

#[cfg(test)]
mod tests {
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
            let mirrored = csr.transpose().into_mirrored();
            swapped.sort_unstable();
            let mut found: Vec<_> = mirrored.pairs().collect();
            found.sort_unstable();
            prop_assert_eq!(found, swapped);
        }
    }
}
