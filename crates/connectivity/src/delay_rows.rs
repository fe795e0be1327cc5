//! Rows sorted by delay: everything that one spike delivers in one step lies together.
//!
//! In step `t`, for each delay `d` that occurs, a machine takes the neurons that spiked in step
//! `t - d` and walks their bucket `d`. No delay is stored per synapse. Seen from the pre side
//! ([`DelayRows::by_pre`]) a row is a pre neuron and the entries are post neurons; pathways that post
//! spikes drive use [`DelayRows::by_post`], with the sides exchanged.

use std::collections::BTreeSet;
use std::ops::Range;

use rayon::prelude::*;

use crate::delay::of_any_width;
use crate::{ConnectError, Csr, Delays, NeuronIdx, Transposed};

/// The part of a row that shares one delay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bucket {
    /// The delay in steps.
    pub delay_steps: u32,
    /// Positions in [`DelayRows::others`] and arguments of [`DelayRows::synapse`].
    pub range: Range<usize>,
}

/// Synapses sorted by (row, delay, canonical index).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DelayRows {
    /// Where each row's buckets start among all buckets; one more at the end.
    row_offsets: Vec<usize>,
    bucket_delays: Vec<u32>,
    /// Where each bucket starts among the entries; one more at the end.
    bucket_offsets: Vec<usize>,
    others: Vec<NeuronIdx>,
    /// Position to canonical index; `None` if they are the same.
    synapse: Option<Vec<u32>>,
    distinct: Vec<u32>,
}

impl DelayRows {
    /// Rows of the pre neurons: what spikes of the pre side deliver.
    ///
    /// # Errors
    /// [`ConnectError::DelayCount`] if there is not one delay per synapse.
    pub fn by_pre(csr: &Csr, delays: &Delays) -> Result<Self, ConnectError> {
        delays.validate(csr.n_syn())?;
        Ok(Self::sorted(csr.offsets(), csr.targets(), None, delays))
    }

    /// Rows of the post neurons: what spikes of the post side deliver.
    ///
    /// # Errors
    /// [`ConnectError::DelayCount`] if there is not one delay per synapse.
    pub fn by_post(columns: &Transposed, delays: &Delays) -> Result<Self, ConnectError> {
        delays.validate(columns.n_syn())?;
        Ok(Self::sorted(columns.offsets(), columns.sources(), Some(columns.synapse()), delays))
    }

    fn sorted(offsets: &[usize], others: &[u32], synapse: Option<&[u32]>, delays: &Delays) -> Self {
        match delays {
            Delays::None => Self::uniform(offsets, others, synapse, 0),
            Delays::Scalar(steps) => Self::uniform(offsets, others, synapse, *steps),
            Delays::PerSynapse(steps) => {
                let longest = steps.longest();
                of_any_width!(steps, steps => Self::by(offsets, &Input { others, synapse, steps, longest }))
            }
        }
    }

    fn by<S: Copy + Into<u32> + Sync>(offsets: &[usize], input: &Input<'_, S>) -> Self {
        let n_rows = offsets.len() - 1;
        let n_syn = input.others.len();
        let n_tasks = n_rows.div_ceil(ROWS_PER_TASK);
        let mut others = vec![0; n_syn];
        let mut order = vec![0; n_syn];
        let mut tasks = Vec::with_capacity(n_tasks);
        let (mut rest_others, mut rest_order) = (others.as_mut_slice(), order.as_mut_slice());
        for task in 0..n_tasks {
            let rows = &offsets[task * ROWS_PER_TASK..=n_rows.min((task + 1) * ROWS_PER_TASK)];
            let length = rows[rows.len() - 1] - rows[0];
            let others = rest_others.split_off_mut(..length).unwrap_or_default();
            let order = rest_order.split_off_mut(..length).unwrap_or_default();
            tasks.push(Task { rows, others, order, done: Buckets::default() });
        }
        let parts: Vec<Buckets> = tasks.into_par_iter().map(|task| task.sort(input)).collect();
        let n_buckets = parts.iter().map(|part| part.delays.len()).sum();
        let mut row_offsets = Vec::with_capacity(n_rows + 1);
        let mut bucket_delays: Vec<u32> = Vec::with_capacity(n_buckets);
        let mut bucket_offsets = Vec::with_capacity(n_buckets + 1);
        row_offsets.push(0);
        for part in &parts {
            let before = bucket_delays.len();
            bucket_delays.extend(&part.delays);
            bucket_offsets.extend(&part.starts);
            row_offsets.extend(part.ends.iter().map(|end| before + end));
        }
        bucket_offsets.push(n_syn);
        let occurs: BTreeSet<u32> = parts.iter().flat_map(|part| &part.distinct).copied().collect();
        let synapse = (!parts.iter().all(|part| part.is_identity)).then_some(order);
        let distinct = occurs.into_iter().collect();
        Self { row_offsets, bucket_delays, bucket_offsets, others, synapse, distinct }
    }

    /// One bucket per row that has any entries.
    fn uniform(offsets: &[usize], others: &[u32], synapse: Option<&[u32]>, steps: u32) -> Self {
        let mut row_offsets = vec![0];
        let mut bucket_offsets = Vec::new();
        for row in offsets.windows(2) {
            if row[0] < row[1] {
                bucket_offsets.push(row[0]);
            }
            row_offsets.push(bucket_offsets.len());
        }
        let bucket_delays = vec![steps; bucket_offsets.len()];
        let distinct = if bucket_offsets.is_empty() { Vec::new() } else { vec![steps] };
        bucket_offsets.push(others.len());
        Self {
            row_offsets,
            bucket_delays,
            bucket_offsets,
            others: others.to_vec(),
            synapse: synapse.map(<[u32]>::to_vec),
            distinct,
        }
    }

    /// Number of rows: neurons whose spikes are delivered.
    #[must_use]
    pub fn n_rows(&self) -> u32 {
        (self.row_offsets.len() - 1) as u32
    }

    /// Number of synapses.
    #[must_use]
    pub fn n_syn(&self) -> usize {
        self.others.len()
    }

    /// The delays that occur, ascending.
    #[must_use]
    pub fn distinct_delays(&self) -> &[u32] {
        &self.distinct
    }

    /// The neurons on the other side, by position.
    #[must_use]
    pub fn others(&self) -> &[NeuronIdx] {
        &self.others
    }

    /// The canonical index of the synapse at a position.
    #[inline]
    #[must_use]
    pub fn synapse(&self, position: usize) -> usize {
        match &self.synapse {
            None => position,
            Some(synapse) => synapse[position] as usize,
        }
    }

    /// The canonical index of every position; `None` if positions are canonical indices.
    #[must_use]
    pub fn permutation(&self) -> Option<&[u32]> {
        self.synapse.as_deref()
    }

    /// The buckets of a row by ascending delay; none for a neuron that does not exist.
    pub fn buckets(&self, row: u32) -> impl Iterator<Item = Bucket> + '_ {
        self.bucket_range(row).map(|b| Bucket {
            delay_steps: self.bucket_delays[b],
            range: self.bucket_offsets[b]..self.bucket_offsets[b + 1],
        })
    }

    /// The positions of a row's synapses with this delay; empty if there are none.
    #[must_use]
    pub fn bucket(&self, row: u32, delay_steps: u32) -> Range<usize> {
        let buckets = self.bucket_range(row);
        match self.bucket_delays[buckets.clone()].binary_search(&delay_steps) {
            Ok(k) => {
                let b = buckets.start + k;
                self.bucket_offsets[b]..self.bucket_offsets[b + 1]
            }
            Err(_) => 0..0,
        }
    }

    /// Bytes of the structure.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&self.row_offsets[..])
            + size_of_val(&self.bucket_delays[..])
            + size_of_val(&self.bucket_offsets[..])
            + size_of_val(&self.others[..])
            + self.synapse.as_ref().map_or(0, |s| size_of_val(&s[..]))
    }

    fn bucket_range(&self, row: u32) -> Range<usize> {
        match self.row_offsets.get(row as usize..row as usize + 2) {
            Some(&[start, end]) => start..end,
            Some(_) | None => 0..0,
        }
    }
}

/// Rows that one task sorts.
const ROWS_PER_TASK: usize = 64;

/// Synapses as they are, row by row.
struct Input<'a, S> {
    others: &'a [NeuronIdx],
    synapse: Option<&'a [u32]>,
    steps: &'a [S],
    /// None of the delays is longer.
    longest: u32,
}

impl<S: Copy + Into<u32>> Input<'_, S> {
    /// The canonical index of the synapse that stands at a place of the rows.
    #[inline]
    fn canonical(&self, place: usize) -> u32 {
        self.synapse.map_or(place as u32, |synapse| synapse[place])
    }

    #[inline]
    fn delay(&self, place: usize) -> u32 {
        self.steps[self.canonical(place) as usize].into()
    }
}

/// The buckets of some rows.
#[derive(Default)]
struct Buckets {
    delays: Vec<u32>,
    /// Their first positions.
    starts: Vec<usize>,
    /// For each row, how many there are up to its end.
    ends: Vec<usize>,
    /// The delays that occur.
    distinct: Vec<u32>,
    /// Whether every synapse stands where it stood.
    is_identity: bool,
}

/// Some rows, and where their sorted synapses go.
struct Task<'a> {
    /// Where the rows start, and where the last one ends.
    rows: &'a [usize],
    others: &'a mut [NeuronIdx],
    order: &'a mut [u32],
    done: Buckets,
}

/// Rows are counted into buckets if the longest delay is at most so many times the number of synapses.
const SPARSE: usize = 4;

impl Task<'_> {
    fn sort<S: Copy + Into<u32>>(mut self, input: &Input<'_, S>) -> Buckets {
        self.done.is_identity = true;
        let mut next = Vec::new();
        let mut keys = Vec::new();
        for row in self.rows.windows(2) {
            let row = row[0]..row[1];
            if (input.longest as usize) < SPARSE.saturating_mul(row.len()) {
                self.count(row, input, &mut next);
            } else {
                self.compare(row, input, &mut keys);
            }
            self.done.ends.push(self.done.delays.len());
        }
        self.done.distinct.clone_from(&self.done.delays);
        self.done.distinct.sort_unstable();
        self.done.distinct.dedup();
        self.done
    }

    /// Sorts a row by counting how many synapses each delay has; `next` is scratch.
    fn count<S: Copy + Into<u32>>(&mut self, row: Range<usize>, input: &Input<'_, S>, next: &mut Vec<usize>) {
        next.clear();
        next.resize(input.longest as usize + 1, 0);
        for place in row.clone() {
            next[input.delay(place) as usize] += 1;
        }
        let mut position = row.start;
        for (delay, next) in (0..).zip(next.iter_mut()) {
            let count = std::mem::replace(next, position);
            if count > 0 {
                self.bucket(delay, position);
            }
            position += count;
        }
        for place in row {
            let delay = input.delay(place) as usize;
            self.put(next[delay], place, input);
            next[delay] += 1;
        }
    }

    /// Sorts a row by comparing; `keys` is scratch.
    fn compare<S: Copy + Into<u32>>(&mut self, row: Range<usize>, input: &Input<'_, S>, keys: &mut Vec<u64>) {
        // Within a row synapses stand in canonical order; delay and place make one number, whose order is the one
        // that is wanted.
        let start = row.start;
        keys.clear();
        keys.extend(row.map(|place| u64::from(input.delay(place)) << 32 | (place - start) as u64));
        keys.sort_unstable();
        let mut last = None;
        for (position, &key) in (start..).zip(&*keys) {
            let delay = (key >> 32) as u32;
            if last != Some(delay) {
                self.bucket(delay, position);
                last = Some(delay);
            }
            self.put(position, start + (key as u32) as usize, input);
        }
    }

    fn bucket(&mut self, delay: u32, position: usize) {
        self.done.delays.push(delay);
        self.done.starts.push(position);
    }

    /// Puts the synapse of a place of the rows at a position among the sorted ones.
    #[inline]
    fn put<S: Copy + Into<u32>>(&mut self, position: usize, place: usize, input: &Input<'_, S>) {
        let (at, canonical) = (position - self.rows[0], input.canonical(place));
        self.others[at] = input.others[place];
        self.order[at] = canonical;
        self.done.is_identity &= canonical as usize == position;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csr::tests::any_csr;
    use proptest::prelude::*;

    fn delays_of(n: usize, below: u32) -> impl Strategy<Value = Delays> {
        prop::collection::vec(0..below, n).prop_map(|steps| Delays::PerSynapse(steps.into()))
    }

    fn any_delays(csr: Csr) -> impl Strategy<Value = (Csr, Delays)> {
        let n = csr.n_syn();
        let delays = prop_oneof![
            Just(Delays::None),
            (0_u32..9).prop_map(Delays::Scalar),
            delays_of(n, 5),
            // So few synapses per delay that rows are sorted by comparing.
            delays_of(n, 1000),
        ];
        (Just(csr), delays)
    }

    /// All synapses of the rows as (canonical index, row, other, delay), sorted.
    fn listed(rows: &DelayRows) -> Vec<(usize, u32, u32, u32)> {
        let mut all = Vec::new();
        for row in 0..rows.n_rows() {
            for bucket in rows.buckets(row) {
                assert_eq!(rows.bucket(row, bucket.delay_steps), bucket.range);
                let synapses: Vec<_> = bucket.range.clone().map(|k| rows.synapse(k)).collect();
                assert!(synapses.is_sorted());
                all.extend(
                    bucket.range.map(|k| (rows.synapse(k), row, rows.others()[k], bucket.delay_steps)),
                );
            }
            assert!(rows.buckets(row).map(|b| b.delay_steps).is_sorted_by(|a, b| a < b));
        }
        all.sort_unstable();
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn buckets_hold_every_synapse_once_with_its_delay(
            (csr, delays) in any_csr().prop_flat_map(any_delays),
        ) {
            let expected: Vec<_> =
                csr.pairs().enumerate().map(|(k, (pre, post))| (k, pre, post, delays.steps(k))).collect();
            let by_pre = DelayRows::by_pre(&csr, &delays).unwrap();
            prop_assert_eq!(&listed(&by_pre), &expected);
            let by_post = DelayRows::by_post(&csr.transpose(), &delays).unwrap();
            let turned: Vec<_> = listed(&by_post).into_iter().map(|(k, a, b, d)| (k, b, a, d)).collect();
            prop_assert_eq!(&turned, &expected);
            let mut distinct: Vec<_> = expected.iter().map(|&(_, _, _, delay)| delay).collect();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(by_pre.distinct_delays(), &distinct[..]);
            prop_assert_eq!(by_post.distinct_delays(), &distinct[..]);
        }
    }

    #[test]
    fn a_row_is_cut_where_the_delay_changes() {
        let csr = Csr::from_rows(4, &[vec![0, 1, 2, 3], vec![], vec![3]]).unwrap();
        let rows = DelayRows::by_pre(&csr, &Delays::PerSynapse(vec![5, 2, 5, 2, 1].into())).unwrap();
        assert_eq!(rows.others(), [1, 3, 0, 2, 3]);
        assert_eq!(rows.permutation(), Some(&[1, 3, 0, 2, 4][..]));
        assert_eq!((rows.bucket(0, 5), rows.bucket(0, 3), rows.bucket(1, 5)), (2..4, 0..0, 0..0));
        assert_eq!(rows.buckets(9).count(), 0);
        assert!(DelayRows::by_pre(&csr, &Delays::PerSynapse(vec![1].into())).is_err());
    }

    #[test]
    fn one_delay_for_all_needs_no_permutation() {
        let csr = Csr::from_rows(4, &[vec![3, 0], vec![1]]).unwrap();
        let rows = DelayRows::by_pre(&csr, &Delays::Scalar(7)).unwrap();
        assert_eq!((rows.permutation(), rows.distinct_delays()), (None, &[7][..]));
        assert_eq!(rows.bucket(1, 7), 2..3);
    }
}
