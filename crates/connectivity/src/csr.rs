//! The structure of a projection: for each pre neuron, the list of its post neurons.
//!
//! Invariants, always checked when one is made: `offsets` has `n_pre + 1` entries, starts at 0, never
//! descends and ends at `n_syn`; every target is below `n_post`; `n_syn` fits in 32 bits. Unspecified:
//! the order of targets within a row (it is the order of creation) and whether a pair repeats.

use std::ops::Range;

use crate::error::check_count;
use crate::{ConnectError, NeuronIdx, Transposed};

/// Rows of post neurons, compressed. The position of a synapse in `targets` is its canonical index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Csr {
    n_pre: u32,
    n_post: u32,
    offsets: Vec<usize>,
    targets: Vec<NeuronIdx>,
}

impl Csr {
    /// No synapses at all.
    #[must_use]
    pub fn empty(n_pre: u32, n_post: u32) -> Self {
        Self { n_pre, n_post, offsets: vec![0; n_pre as usize + 1], targets: Vec::new() }
    }

    /// From its own parts, checked.
    ///
    /// # Errors
    /// [`ConnectError::InvalidRows`] if an invariant of the type does not hold.
    pub fn from_parts(
        n_pre: u32,
        n_post: u32,
        offsets: Vec<usize>,
        targets: Vec<NeuronIdx>,
    ) -> Result<Self, ConnectError> {
        check_count(targets.len() as u64)?;
        let csr = Self { n_pre, n_post, offsets, targets };
        csr.validate()?;
        Ok(csr)
    }

    /// Parts whose invariants the caller upholds by construction.
    pub(crate) fn from_parts_trusted(n_post: u32, offsets: Vec<usize>, targets: Vec<NeuronIdx>) -> Self {
        let n_pre = u32::try_from(offsets.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let csr = Self { n_pre, n_post, offsets, targets };
        debug_assert!(csr.validate().is_ok());
        csr
    }

    /// One list of targets per pre neuron.
    ///
    /// # Errors
    /// [`ConnectError::InvalidRows`] for a target outside of `n_post`,
    /// [`ConnectError::TooManySynapses`].
    pub fn from_rows(n_post: u32, rows: &[Vec<NeuronIdx>]) -> Result<Self, ConnectError> {
        let n_pre = u32::try_from(rows.len()).map_err(|_| ConnectError::InvalidRows {
            message: format!("`{}` rows are too many", rows.len()),
        })?;
        let mut offsets = Vec::with_capacity(rows.len() + 1);
        offsets.push(0);
        let mut n_syn = 0;
        for row in rows {
            n_syn += row.len();
            offsets.push(n_syn);
        }
        Self::from_parts(n_pre, n_post, offsets, rows.concat())
    }

    /// Pairs (pre, post) grouped by pre; within a row they keep the order of the list.
    ///
    /// # Errors
    /// [`ConnectError::PairOutOfRange`] with the position in the list.
    pub fn from_pairs(n_pre: u32, n_post: u32, pairs: &[(u32, u32)]) -> Result<Self, ConnectError> {
        Ok(Self::from_pairs_with_order(n_pre, n_post, pairs)?.0)
    }

    /// [`Csr::from_pairs`], and for each canonical index the position in the list that it came from:
    /// values that belong to the list (weights, delays) are brought into canonical order by it.
    ///
    /// # Errors
    /// [`ConnectError::PairOutOfRange`] with the position in the list.
    pub fn from_pairs_with_order(
        n_pre: u32,
        n_post: u32,
        pairs: &[(u32, u32)],
    ) -> Result<(Self, Vec<u32>), ConnectError> {
        check_count(pairs.len() as u64)?;
        let mut offsets = vec![0; n_pre as usize + 1];
        for (position, &(pre, post)) in pairs.iter().enumerate() {
            if pre >= n_pre || post >= n_post {
                return Err(ConnectError::PairOutOfRange { position, pre, post, n_pre, n_post });
            }
            offsets[pre as usize + 1] += 1;
        }
        accumulate(&mut offsets);
        let mut next = offsets.clone();
        let mut targets = vec![0; pairs.len()];
        let mut order = vec![0; pairs.len()];
        for (position, &(pre, post)) in pairs.iter().enumerate() {
            let slot = next[pre as usize];
            next[pre as usize] += 1;
            targets[slot] = post;
            order[slot] = position as u32;
        }
        Ok((Self { n_pre, n_post, offsets, targets }, order))
    }

    /// Number of pre neurons: rows.
    #[must_use]
    pub fn n_pre(&self) -> u32 {
        self.n_pre
    }

    /// Number of post neurons.
    #[must_use]
    pub fn n_post(&self) -> u32 {
        self.n_post
    }

    /// Number of synapses.
    #[must_use]
    pub fn n_syn(&self) -> usize {
        self.targets.len()
    }

    /// Where each row starts in [`Csr::targets`], and at the end where the last one stops.
    #[must_use]
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// The post neuron of every synapse, by canonical index.
    #[must_use]
    pub fn targets(&self) -> &[NeuronIdx] {
        &self.targets
    }

    /// The canonical indices of a row; empty for a neuron that does not exist.
    #[must_use]
    pub fn row_range(&self, pre: u32) -> Range<usize> {
        match self.offsets.get(pre as usize..pre as usize + 2) {
            Some(&[start, end]) => start..end,
            Some(_) | None => 0..0,
        }
    }

    /// The post neurons of a row; empty for a neuron that does not exist.
    #[must_use]
    pub fn row(&self, pre: u32) -> &[NeuronIdx] {
        &self.targets[self.row_range(pre)]
    }

    /// The pre neuron of every synapse, in canonical order.
    pub fn sources(&self) -> impl Iterator<Item = NeuronIdx> + '_ {
        (0..self.n_pre).flat_map(|pre| std::iter::repeat_n(pre, self.row_range(pre).len()))
    }

    /// All synapses as (pre, post), in canonical order.
    pub fn pairs(&self) -> impl Iterator<Item = (NeuronIdx, NeuronIdx)> + '_ {
        self.sources().zip(self.targets.iter().copied())
    }

    /// The length of the longest row.
    #[must_use]
    pub fn max_row_len(&self) -> usize {
        self.offsets.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0)
    }

    /// The first row whose targets repeat or do not ascend.
    #[must_use]
    pub fn first_unsorted_row(&self) -> Option<NeuronIdx> {
        (0..self.n_pre).find(|&pre| !self.row(pre).is_sorted_by(|a, b| a < b))
    }

    /// Bytes of the structure.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&self.offsets[..]) + size_of_val(&self.targets[..])
    }

    /// The same synapses seen from the post side.
    #[must_use]
    pub fn transpose(&self) -> Transposed {
        Transposed::of(self)
    }

    /// Checks the invariants of the type.
    ///
    /// # Errors
    /// [`ConnectError::InvalidRows`] naming the first one that does not hold.
    pub fn validate(&self) -> Result<(), ConnectError> {
        let invalid = |message: String| Err(ConnectError::InvalidRows { message });
        if self.offsets.len() != self.n_pre as usize + 1 {
            return invalid(format!("`{}` offsets for `{}` rows", self.offsets.len(), self.n_pre));
        }
        if self.offsets.first() != Some(&0) || self.offsets.last() != Some(&self.targets.len()) {
            return invalid(format!("the offsets do not span all `{}` synapses", self.targets.len()));
        }
        if let Some(row) = self.offsets.windows(2).position(|w| w[0] > w[1]) {
            return invalid(format!("row `{row}` ends before it starts"));
        }
        if let Some(k) = self.targets.iter().position(|&post| post >= self.n_post) {
            let (post, n_post) = (self.targets[k], self.n_post);
            return invalid(format!("synapse `{k}` ends at `{post}` of `{n_post}` post neurons"));
        }
        Ok(())
    }
}

/// Turns counts, shifted by one, into offsets.
pub(crate) fn accumulate(counts: &mut [usize]) {
    let mut sum = 0;
    for count in counts {
        sum += *count;
        *count = sum;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Any structure of up to 12 by 12 neurons, with repeats and in any order.
    pub(crate) fn any_csr() -> impl Strategy<Value = Csr> {
        (0_u32..12, 1_u32..12).prop_flat_map(|(n_pre, n_post)| {
            let row = prop::collection::vec(0..n_post, 0..15);
            prop::collection::vec(row, n_pre as usize)
                .prop_map(move |rows| Csr::from_rows(n_post, &rows).unwrap())
        })
    }

    #[test]
    fn pairs_are_grouped_by_pre_and_keep_their_order() {
        let pairs = [(2, 1), (0, 3), (2, 0), (0, 3), (0, 1)];
        let (csr, order) = Csr::from_pairs_with_order(3, 4, &pairs).unwrap();
        assert_eq!((csr.row(0), csr.row(1), csr.row(2)), (&[3, 3, 1][..], &[][..], &[1, 0][..]));
        assert_eq!(order, [1, 3, 4, 0, 2]);
        assert_eq!(csr.row_range(2), 3..5);
        assert_eq!((csr.row(3), csr.row(u32::MAX)), (&[][..], &[][..]));
        assert_eq!(csr.max_row_len(), 3);
    }

    #[test]
    fn a_pair_outside_is_named_with_its_position() {
        let error = Csr::from_pairs(3, 4, &[(0, 0), (1, 4)]).unwrap_err();
        assert_eq!(error.to_string(), "pair `1` connects `1` to `4`, outside of `3` by `4` neurons");
    }

    #[test]
    fn broken_parts_are_refused() {
        for (offsets, targets) in [
            (vec![0, 1], vec![0]),
            (vec![0, 2, 1], vec![0]),
            (vec![0, 1, 1], vec![2]),
            (vec![1, 1, 1], vec![0]),
        ] {
            assert!(Csr::from_parts(2, 2, offsets, targets).is_err());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn pairs_and_back_is_the_same(csr in any_csr()) {
            let pairs: Vec<_> = csr.pairs().collect();
            prop_assert_eq!(Csr::from_pairs(csr.n_pre(), csr.n_post(), &pairs).unwrap(), csr);
        }
    }
}
