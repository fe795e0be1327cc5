//! The synapses of one shard, sorted by row and delay.

use std::sync::Arc;

use neuropil_base::ScalarType;
use neuropil_memory::Large;

use super::walk::{LINE, prefetch};

/// The synapses that end at the neurons of one shard, sorted by (row, delay, member, canonical index).
///
/// Synapses of one row and one delay are a *bucket*, which lies in one piece: the values of its synapses column by
/// column, then their targets, counted from the first neuron of the shard. There are no headers and no padding.
///
/// Invariants, upheld by [`build`](super::build): the index ascends, ends at `n_syn`, and has one entry per
/// bucket; every target is below `n_post`; the data are as long as all buckets together.
#[derive(Debug)]
pub struct ShardRows {
    pub(super) pre_start: u32,
    pub(super) n_rows: u32,
    pub(super) first: u32,
    pub(super) n_post: u32,
    pub(super) n_syn: usize,
    pub(super) layout: Layout,
    pub(super) delays: Arc<[u32]>,
    pub(super) index: Index,
    pub(super) data: Large<u8>,
}

/// How a synapse is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Layout {
    /// The types of its values.
    pub(super) columns: Vec<ScalarType>,
    /// Bytes of a target: 2 or 4.
    pub(super) target: usize,
}

/// Where buckets start.
#[derive(Debug)]
pub(super) enum Index {
    /// The number of the first synapse of each bucket, row by row, one per delay whether it occurs or not; and the
    /// number of synapses.
    Flat { starts: Large<u32> },
    /// The number of the first synapse of each row, and of all; and the delay of each synapse, as its number among the
    /// delays, in `width` bytes.
    Sparse { rows: Large<u32>, delays: Large<u8>, width: usize },
}

impl Layout {
    /// Bytes of the values of a synapse.
    pub(super) fn values(&self) -> usize {
        self.columns.iter().map(|ty| ty.size()).sum()
    }

    /// Bytes of the values of a synapse that stand before those of a column.
    pub(super) fn before(&self, column: usize) -> usize {
        self.columns.iter().take(column).map(|ty| ty.size()).sum()
    }

    /// Bytes of a synapse.
    pub(super) fn entry(&self) -> usize {
        self.values() + self.target
    }
}

/// An [`Index`] as it is looked up.
#[derive(Clone, Copy, Debug)]
pub(super) enum View<'a> {
    Flat { starts: &'a [u32], n_delays: usize },
    Sparse { rows: &'a [u32], delays: &'a [u8], width: usize },
}

impl View<'_> {
    /// Calls `visit(number of the delay, (first synapse, the one behind the last))` for the buckets of a row that have
    /// synapses, the shortest delay first.
    #[inline(always)]
    pub(super) fn for_buckets(self, row: u32, mut visit: impl FnMut(usize, (u32, u32))) {
        match self {
            Self::Flat { starts, n_delays } => {
                let first = row as usize * n_delays;
                let starts = starts.get(first..=first + n_delays).unwrap_or_default();
                for (delay, bounds) in starts.windows(2).enumerate() {
                    if bounds[0] < bounds[1] {
                        visit(delay, (bounds[0], bounds[1]));
                    }
                }
            }
            Self::Sparse { rows, delays, width } => {
                let Some([start, end, ..]) = rows.get(row as usize..) else { return };
                let mut first = *start;
                while first < *end {
                    let delay = code(delays, width, first);
                    let mut last = first + 1;
                    while last < *end && code(delays, width, last) == delay {
                        last += 1;
                    }
                    visit(delay as usize, (first, last));
                    first = last;
                }
            }
        }
    }

    /// Asks for the memory in which the buckets of a row are looked up.
    #[inline(always)]
    pub(super) fn ask(self, row: u32) {
        match self {
            Self::Flat { starts, n_delays } => {
                let first = starts.as_ptr().wrapping_add(row as usize * n_delays);
                (0..=n_delays)
                    .step_by(LINE / size_of::<u32>())
                    .for_each(|k| prefetch(first.wrapping_add(k).cast()));
            }
            Self::Sparse { rows, .. } => prefetch(rows.as_ptr().wrapping_add(row as usize).cast()),
        }
    }

    /// Asks for the rest of it, when that has come.
    #[inline(always)]
    pub(super) fn ask_rest(self, row: u32) {
        if let Self::Sparse { rows, delays, width } = self
            && let Some([start, end, ..]) = rows.get(row as usize..)
        {
            let at = |synapse: u32| delays.as_ptr().wrapping_add(synapse as usize * width);
            (*start..=*end).step_by(LINE / width).for_each(|synapse| prefetch(at(synapse)));
        }
    }
}

impl Index {
    pub(super) fn view(&self, n_delays: usize) -> View<'_> {
        match self {
            Self::Flat { starts } => View::Flat { starts: starts.as_slice(), n_delays },
            Self::Sparse { rows, delays, width } => {
                View::Sparse { rows: rows.as_slice(), delays: delays.as_slice(), width: *width }
            }
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Flat { starts } => starts.bytes(),
            Self::Sparse { rows, delays, .. } => rows.bytes() + delays.bytes(),
        }
    }
}

/// The number that stands for the delay of a synapse.
#[inline(always)]
fn code(codes: &[u8], width: usize, synapse: u32) -> u32 {
    let at = synapse as usize * width;
    let bytes = codes.get(at..at + width).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

impl ShardRows {
    /// The number of synapses.
    #[must_use]
    pub fn n_syn(&self) -> usize {
        self.n_syn
    }

    /// The first neuron of the shard, and how many it has: where targets are.
    #[must_use]
    pub fn targets(&self) -> (u32, u32) {
        (self.first, self.n_post)
    }

    /// The delays that occur in any shard, in steps, ascending.
    #[must_use]
    pub fn delays(&self) -> &[u32] {
        &self.delays
    }

    /// Bytes of targets and values, without the index.
    #[must_use]
    pub fn data_bytes(&self) -> usize {
        self.data.bytes()
    }

    /// Bytes of everything.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.data.bytes() + self.index.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn large<T: bytemuck::Pod>(list: &[T]) -> Large<T> {
        let mut large = Large::zeros(list.len()).unwrap();
        large.as_mut_slice().copy_from_slice(list);
        large
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn sparse_buckets_are_the_synapses_of_their_delay(
            rows in prop::collection::vec(prop::collection::vec(0_u32..300, 0..1500), 1..4),
            width in prop::sample::select(&[1_usize, 2, 4][..]),
        ) {
            let most = if width == 1 { 255 } else { 299 };
            let mut starts = vec![0];
            let mut codes = Vec::new();
            for row in &rows {
                let mut row: Vec<u32> = row.iter().map(|d| (*d).min(most)).collect();
                row.sort_unstable();
                codes.extend(row);
                starts.push(codes.len() as u32);
            }
            let bytes: Vec<u8> = codes.iter().flat_map(|c| c.to_le_bytes()[..width].to_vec()).collect();
            let index = Index::Sparse { rows: large(&starts), delays: large(&bytes), width };
            for row in 0..rows.len() {
                let (first, end) = (starts[row], starts[row + 1]);
                let mut wanted = Vec::new();
                for delay in 0..=most {
                    let before = codes[first as usize..end as usize].partition_point(|c| *c < delay) as u32;
                    let until = codes[first as usize..end as usize].partition_point(|c| *c <= delay) as u32;
                    if before < until {
                        wanted.push((delay as usize, (first + before, first + until)));
                    }
                }
                let mut got = Vec::new();
                index.view(300).for_buckets(row as u32, |delay, bucket| got.push((delay, bucket)));
                prop_assert_eq!(got, wanted);
            }
            index.view(300).for_buckets(rows.len() as u32, |_, _| panic!("there is no such row"));
        }
    }
}
