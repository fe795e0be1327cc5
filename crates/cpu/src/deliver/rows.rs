//! The synapses of one shard, sorted by row and delay.

use std::sync::Arc;

use neuropil_base::ScalarType;
use neuropil_memory::Large;

use super::walk::prefetch;

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

impl Index {
    /// The synapses of a bucket: the numbers of the first and of the one behind the last.
    #[inline(always)]
    pub(super) fn bucket(&self, row: u32, delay: usize, n_delays: usize) -> (u32, u32) {
        match self {
            Self::Flat { starts } => match starts.as_slice().get(row as usize * n_delays + delay..) {
                Some([start, end, ..]) => (*start, *end),
                Some(_) | None => (0, 0),
            },
            Self::Sparse { rows, delays, width } => match rows.as_slice().get(row as usize..) {
                Some([start, end, ..]) => {
                    let codes = delays.as_slice();
                    let first = partition(*start, *end, |k| code(codes, *width, k) < delay);
                    let last = partition(first, *end, |k| code(codes, *width, k) <= delay);
                    (first, last)
                }
                Some(_) | None => (0, 0),
            },
        }
    }

    /// Where the processor will look for a bucket first.
    #[inline(always)]
    pub(super) fn place(&self, row: u32, delay: usize, n_delays: usize) -> *const u8 {
        match self {
            Self::Flat { starts } => {
                starts.as_slice().as_ptr().wrapping_add(row as usize * n_delays + delay).cast()
            }
            Self::Sparse { rows, .. } => rows.as_slice().as_ptr().wrapping_add(row as usize).cast(),
        }
    }

    /// Asks for the rest of what a bucket will be looked up in, when its [place](Self::place) has come.
    #[inline(always)]
    pub(super) fn approach(&self, row: u32) {
        if let Self::Sparse { rows, delays, width } = self
            && let Some([start, end, ..]) = rows.as_slice().get(row as usize..)
        {
            let at = |synapse: u32| delays.as_slice().as_ptr().wrapping_add(synapse as usize * width);
            prefetch(at(*start + (*end - *start) / 2));
            prefetch(at(*end));
            prefetch(at(*start));
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
fn code(codes: &[u8], width: usize, synapse: u32) -> usize {
    let at = synapse as usize * width;
    let bytes = codes.get(at..at + width).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// The first number from `low` on, below `high`, for which `before` does not hold; `high` if there is none.
#[inline(always)]
fn partition(mut low: u32, mut high: u32, before: impl Fn(u32) -> bool) -> u32 {
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) { low = middle + 1 } else { high = middle }
    }
    low
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
