//! Sorts synapses by shard, row and delay: two walks over the rows, the first counts and the second places.
//!
//! Nothing is sorted in a temporary copy: while a network is built there are its rows, its delays and the result.
//! Rows are walked in parallel, in parts of about [`PART`] synapses; values that must be computed are computed part
//! by part.

use std::ops::Range;
use std::sync::Arc;

use neuropil_base::ScalarType;
use neuropil_connectivity::{DelayRows, Steps, Walk};
use neuropil_memory::{DeviceError, Large};
use rayon::prelude::*;

use super::payload::{Column, Ends, Piece, rows_of_about};
use super::rows::{Index, Layout, ShardRows};
use crate::BindError;

/// Synapses of all members that one task counts or places.
const PART: usize = 1 << 16;

/// Shards with more neurons need four bytes for a target.
const NARROW: u32 = 1 << 16;

/// Why synapses cannot be stored.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no memory.
    #[error(transparent)]
    Memory(#[from] DeviceError),
    /// A buffer does not fit the kernel.
    #[error(transparent)]
    Binding(#[from] BindError),
    /// The synapses are not there.
    #[error("{0}")]
    Synapses(String),
    /// Members that do not belong together, or more synapses than numbers.
    #[error("{0}")]
    Shape(&'static str),
}

/// How long events travel to the synapses of a member.
#[derive(Clone, Copy, Debug)]
pub enum Times<'a> {
    /// As many steps to all.
    Steps(u32),
    /// As the rows are sorted; made of the member's rows.
    Sorted(&'a DelayRows),
    /// As many steps as stand here, by canonical index.
    PerSynapse(&'a Steps),
}

/// The synapses of one operation.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// Who is connected to whom.
    pub ends: Ends<'a>,
    /// How long events travel.
    pub times: Times<'a>,
    /// The values of its synapses.
    pub columns: Vec<Column<'a>>,
}

/// The delays of some members, numbered.
struct Numbered {
    distinct: Arc<[u32]>,
    /// The number of each delay up to the longest, if that is short enough for a table.
    table: Vec<u32>,
}

/// The longest delay that is looked up in a table.
const TABLE: u32 = 1 << 16;

impl Numbered {
    fn of(members: &[Member<'_>]) -> Self {
        let mut distinct: Vec<u32> = Vec::new();
        for member in members {
            match member.times {
                Times::Steps(steps) if member.ends.rows.n_syn() > 0 => distinct.push(steps),
                Times::Steps(_) => {}
                Times::Sorted(rows) => distinct.extend(rows.distinct_delays()),
                Times::PerSynapse(steps) => distinct.extend(steps.distinct()),
            }
        }
        distinct.sort_unstable();
        distinct.dedup();
        let mut table = Vec::new();
        if let Some(longest) = distinct.last().copied().filter(|d| *d < TABLE) {
            table.resize(longest as usize + 1, 0);
            for (number, delay) in (0_u32..).zip(&distinct) {
                table[*delay as usize] = number;
            }
        }
        Self { distinct: distinct.into(), table }
    }

    #[inline(always)]
    fn number(&self, delay: u32) -> usize {
        match self.table.get(delay as usize) {
            Some(number) => *number as usize,
            None => self.distinct.partition_point(|d| *d < delay),
        }
    }
}

impl Member<'_> {
    /// Calls `visit(canonical index, number of the delay, post)` for every synapse of a row, those of one delay in
    /// canonical order.
    #[inline(always)]
    fn for_row(&self, row: u32, delays: &Numbered, mut visit: impl FnMut(usize, usize, u32)) {
        let start = self.ends.post_start;
        match self.times {
            Times::Steps(steps) => {
                let number = delays.number(steps);
                self.ends.rows.for_row(row, |own, post| visit(own, number, post + start));
            }
            Times::Sorted(rows) => {
                for bucket in rows.buckets(row) {
                    let number = delays.number(bucket.delay_steps);
                    for position in bucket.range {
                        visit(rows.synapse(position), number, rows.others()[position] + start);
                    }
                }
            }
            Times::PerSynapse(steps) => self.ends.rows.for_row(row, |own, post| {
                visit(own, delays.number(steps.get(own).unwrap_or(0)), post + start);
            }),
        }
    }
}

/// The synapses of some members, for shards of the target population.
struct Builder<'a> {
    members: &'a [Member<'a>],
    delays: Numbered,
    /// Where shards start, and where the last one ends.
    bounds: &'a [u32],
    n_rows: u32,
    parts: Vec<Range<u32>>,
}

/// Stores the synapses of `members` for shards of the target population: neurons `bounds[k]..bounds[k + 1]` are
/// those of shard `k`. Synapses that end in none of them are left out.
///
/// Members have the same presynaptic neurons and as many columns of the same types. Synapses of one bucket are those
/// of the first member, in canonical order, then those of the next.
///
/// # Errors
/// [`BuildError`] if there is no memory, a buffer does not fit, or members do not fit together.
pub fn build(members: &[Member<'_>], bounds: &[u32]) -> Result<Vec<ShardRows>, BuildError> {
    let Some(first) = members.first() else { return Err(BuildError::Shape("there is nothing to deliver")) };
    let builder = Builder::new(members, bounds)?;
    let n_delays = builder.delays.distinct.len();
    let n_rows = builder.n_rows as usize;
    let n_syn: usize = members.iter().map(|m| m.ends.rows.n_syn()).sum();
    let shards = bounds.len() - 1;
    // A flat table is quick to look up, and too large where most of its buckets would be empty.
    let flat = n_delays <= 1 || n_rows * n_delays * shards * 4 <= 2 * n_syn;
    let columns: Vec<ScalarType> = first.columns.iter().map(Column::ty).collect();
    let mut starts = Vec::with_capacity(shards);
    for _ in 0..shards {
        starts.push(Large::<u32>::zeros(n_rows * if flat { n_delays } else { 1 } + 1)?);
    }
    builder.count(&mut starts, flat);
    let counts: Vec<Option<usize>> =
        starts.par_iter_mut().map(|starts| accumulate(starts.as_mut_slice())).collect();
    let mut list = Vec::with_capacity(shards);
    for ((starts, count), bound) in starts.into_iter().zip(counts).zip(bounds.windows(2)) {
        let n_syn = count.ok_or(BuildError::Shape("there are more than 2^32 synapses in one shard"))?;
        let n_post = bound[1] - bound[0];
        let layout = Layout { columns: columns.clone(), target: if n_post <= NARROW { 2 } else { 4 } };
        let data = Large::zeros(n_syn * layout.entry())?;
        let index = if flat {
            Index::Flat { starts }
        } else {
            let width = if n_delays <= 1 << 8 {
                1
            } else if n_delays <= 1 << 16 {
                2
            } else {
                4
            };
            Index::Sparse { rows: starts, delays: Large::zeros(n_syn * width)?, width }
        };
        list.push(ShardRows {
            pre_start: first.ends.pre_start,
            n_rows: builder.n_rows,
            first: bound[0],
            n_post,
            n_syn,
            layout,
            delays: Arc::clone(&builder.delays.distinct),
            index,
            data,
        });
    }
    builder.place(&mut list)?;
    Ok(list)
}

/// Computes the values of all synapses again; the members are those that `shards` were [built](build) of, and the
/// rest of the structure stays as it is. Takes the time of the second of two walks.
///
/// # Errors
/// [`BuildError`] if a buffer does not fit, or members are others.
pub fn refresh(shards: &mut [ShardRows], members: &[Member<'_>]) -> Result<(), BuildError> {
    let mut bounds: Vec<u32> = shards.iter().map(|s| s.first).collect();
    bounds.extend(shards.last().map(|s| s.first + s.n_post));
    let builder = Builder::new(members, &bounds)?;
    let n_syn: usize = shards.iter().map(|s| s.n_syn).sum();
    let same = |shard: &ShardRows| {
        let columns =
            members.iter().all(|m| m.columns.iter().map(Column::ty).eq(shard.layout.columns.iter().copied()));
        columns && shard.delays == builder.delays.distinct && shard.n_rows == builder.n_rows
    };
    if members.iter().map(|m| m.ends.rows.n_syn()).sum::<usize>() != n_syn || !shards.iter().all(same) {
        return Err(BuildError::Shape("the synapses are not those that were stored"));
    }
    builder.place(shards)
}

impl<'a> Builder<'a> {
    fn new(members: &'a [Member<'a>], bounds: &'a [u32]) -> Result<Self, BuildError> {
        if bounds.len() < 2 || !bounds.is_sorted() {
            return Err(BuildError::Shape("there are no shards"));
        }
        let n_rows = members.first().map_or(0, |m| m.ends.rows.n_pre());
        for member in members {
            if member.ends.rows.n_pre() != n_rows {
                return Err(BuildError::Shape("members have other presynaptic neurons"));
            }
            if member.columns.len() != members[0].columns.len()
                || !member.columns.iter().zip(&members[0].columns).all(|(a, b)| a.ty() == b.ty())
            {
                return Err(BuildError::Shape("members have other columns"));
            }
            let sorted = match member.times {
                Times::Steps(_) => true,
                Times::Sorted(rows) => rows.n_syn() == member.ends.rows.n_syn() && rows.n_rows() == n_rows,
                Times::PerSynapse(steps) => steps.len() == member.ends.rows.n_syn(),
            };
            if !sorted {
                return Err(BuildError::Shape("there is not one delay per synapse"));
            }
        }
        let mut parts = Vec::new();
        let mut row = 0;
        while row < n_rows {
            let share = (PART / members.len()).max(1);
            let end = members.iter().map(|m| rows_of_about(m.ends.rows, row, share)).min().unwrap_or(n_rows);
            parts.push(row..end);
            row = end;
        }
        Ok(Self { members, delays: Numbered::of(members), bounds, n_rows, parts })
    }

    fn shards(&self) -> usize {
        self.bounds.len() - 1
    }

    /// The shard of a neuron, if there is one.
    #[inline(always)]
    fn shard(&self, post: u32) -> Option<usize> {
        let after = self.bounds.partition_point(|b| *b <= post);
        after.checked_sub(1).filter(|k| *k < self.shards())
    }

    /// Counts the synapses of each bucket, or of each row.
    fn count(&self, starts: &mut [Large<u32>], flat: bool) {
        let per_row = if flat { self.delays.distinct.len() } else { 1 };
        let mut rest: Vec<&mut [u32]> = starts.iter_mut().map(Large::as_mut_slice).collect();
        let mut tasks: Vec<(Range<u32>, Vec<&mut [u32]>)> = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            tasks.push((part.clone(), cut(&mut rest, |_| part.len() * per_row)));
        }
        tasks.into_par_iter().for_each(|(part, mut counts)| {
            for (row, base) in part.zip((0..).step_by(per_row.max(1))) {
                for member in self.members {
                    member.for_row(row, &self.delays, |_, delay, post| {
                        let Some(shard) = self.shard(post) else { return };
                        counts[shard][base + if flat { delay } else { 0 }] += 1;
                    });
                }
            }
        });
    }

    /// Writes targets, values and, where the index is sparse, delays.
    fn place(&self, shards: &mut [ShardRows]) -> Result<(), BuildError> {
        let n_delays = self.delays.distinct.len();
        let mut frames = Vec::with_capacity(shards.len());
        let (mut data, mut codes) = (Vec::new(), Vec::new());
        for shard in shards {
            let ShardRows { first, layout, index, data: room, .. } = shard;
            let (starts, flat, width) = match index {
                Index::Flat { starts } => (starts.as_slice(), true, 0),
                Index::Sparse { rows, delays, width } => {
                    codes.push(delays.as_mut_slice());
                    (rows.as_slice(), false, *width)
                }
            };
            frames.push(Frame { first: *first, layout, starts, flat, width });
            data.push(room.as_mut_slice());
        }
        codes.resize_with(frames.len(), Default::default);
        let mut tasks: Vec<Task<'_>> = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let count = |shard: usize| {
                let frame: &Frame<'_> = &frames[shard];
                let per_row = if frame.flat { n_delays } else { 1 };
                let start = |row: u32| frame.starts[row as usize * per_row] as usize;
                start(part.end) - start(part.start)
            };
            tasks.push(Task {
                rows: part.clone(),
                data: cut(&mut data, |shard| count(shard) * frames[shard].layout.entry()),
                codes: cut(&mut codes, |shard| count(shard) * frames[shard].width),
            });
        }
        tasks.into_par_iter().try_for_each(|task| self.fill(task, &frames))
    }

    fn fill(&self, mut task: Task<'_>, frames: &[Frame<'_>]) -> Result<(), BuildError> {
        let n_delays = self.delays.distinct.len();
        let mut values: Vec<Vec<Piece<'_>>> = Vec::with_capacity(self.members.len());
        for member in self.members {
            let of = |column: &'a Column<'a>| column.piece(&member.ends, task.rows.clone());
            values.push(member.columns.iter().map(of).collect::<Result<_, _>>()?);
        }
        let base: Vec<usize> = frames.iter().map(|f| f.row(task.rows.start, n_delays)).collect();
        // Where each bucket of a row starts, the row's end behind them; and where its next synapse goes.
        let stride = n_delays + 1;
        let mut starts = vec![0_usize; frames.len() * stride];
        let mut next = starts.clone();
        for row in task.rows.clone() {
            self.buckets(row, frames, &mut starts);
            next.copy_from_slice(&starts);
            for (member, values) in self.members.iter().zip(&values) {
                let first = member.ends.rows.row_start(task.rows.start);
                member.for_row(row, &self.delays, |own, delay, post| {
                    let Some(shard) = self.shard(post) else { return };
                    let bucket = shard * stride + delay;
                    let (start, end, at) = (starts[bucket], starts[bucket + 1], next[bucket]);
                    next[bucket] += 1;
                    let frame = &frames[shard];
                    let synapse = Place { base: start - base[shard], len: end - start, at: at - start };
                    frame.put(task.data[shard], synapse, post - frame.first, (values, own - first));
                    for (k, byte) in (0..frame.width).zip((delay as u32).to_le_bytes()) {
                        task.codes[shard][(at - base[shard]) * frame.width + k] = byte;
                    }
                });
            }
        }
        Ok(())
    }

    /// Where the buckets of a row start in each shard.
    fn buckets(&self, row: u32, frames: &[Frame<'_>], starts: &mut [usize]) {
        let n_delays = self.delays.distinct.len();
        let stride = n_delays + 1;
        let mut counted = false;
        for (frame, starts) in frames.iter().zip(starts.chunks_mut(stride)) {
            if frame.flat {
                let from = row as usize * n_delays;
                let known = &frame.starts[from..=from + n_delays];
                starts.iter_mut().zip(known).for_each(|(to, from)| *to = *from as usize);
                counted = true;
            } else {
                starts.fill(0);
            }
        }
        if counted {
            return;
        }
        for member in self.members {
            member.for_row(row, &self.delays, |_, delay, post| {
                if let Some(shard) = self.shard(post) {
                    starts[shard * stride + delay] += 1;
                }
            });
        }
        for (frame, starts) in frames.iter().zip(starts.chunks_mut(stride)) {
            let mut sum = frame.row(row, n_delays);
            for start in starts {
                sum += std::mem::replace(start, sum);
            }
        }
    }
}

/// What one task places.
struct Task<'a> {
    rows: Range<u32>,
    /// For each shard, the data of these rows.
    data: Vec<&'a mut [u8]>,
    /// For each shard, the numbers of their delays, if they are kept.
    codes: Vec<&'a mut [u8]>,
}

/// What tasks know of a shard.
struct Frame<'a> {
    first: u32,
    layout: &'a Layout,
    starts: &'a [u32],
    flat: bool,
    width: usize,
}

/// Where a synapse goes: its bucket's first synapse and length, and its place in the bucket.
struct Place {
    base: usize,
    len: usize,
    at: usize,
}

impl Frame<'_> {
    /// The number of a row's first synapse.
    fn row(&self, row: u32, n_delays: usize) -> usize {
        self.starts[row as usize * if self.flat { n_delays } else { 1 }] as usize
    }

    /// Writes a synapse.
    #[inline(always)]
    fn put(&self, data: &mut [u8], place: Place, target: u32, (values, own): (&[Piece<'_>], usize)) {
        let mut column = place.base * self.layout.entry();
        for (ty, values) in self.layout.columns.iter().zip(values) {
            let to = column + place.at * ty.size();
            match ty.size() {
                4 => copy::<4>(data, to, values.bytes(), own),
                8 => copy::<8>(data, to, values.bytes(), own),
                _ => copy::<1>(data, to, values.bytes(), own),
            }
            column += place.len * ty.size();
        }
        let bytes = target.to_le_bytes();
        let to = column + place.at * self.layout.target;
        match self.layout.target {
            2 => data[to..to + 2].copy_from_slice(&(target as u16).to_ne_bytes()),
            _ => data[to..to + 4].copy_from_slice(&target.to_ne_bytes()),
        }
        debug_assert!(self.layout.target == 4 || bytes[2..] == [0, 0]);
    }
}

/// Copies one value of `N` bytes; 0 where there is none.
#[inline(always)]
fn copy<const N: usize>(data: &mut [u8], to: usize, values: &[u8], own: usize) {
    let from = values.get(own * N..own * N + N);
    data[to..to + N].copy_from_slice(from.unwrap_or(&[0; N]));
}

/// Turns counts into starts; the number of all, if it is one of 32 bits.
fn accumulate(counts: &mut [u32]) -> Option<usize> {
    let mut sum = 0_u64;
    for count in counts.iter_mut() {
        let start = sum;
        sum += u64::from(*count);
        *count = u32::try_from(start).ok()?;
    }
    u32::try_from(sum).ok().map(|sum| sum as usize)
}

/// Cuts as many elements as asked off the start of each list.
fn cut<'s, T>(rest: &mut [&'s mut [T]], count: impl Fn(usize) -> usize) -> Vec<&'s mut [T]> {
    let take = |(shard, list): (usize, &mut &'s mut [T])| {
        let (head, tail) = std::mem::take(list).split_at_mut(count(shard));
        *list = tail;
        head
    };
    rest.iter_mut().enumerate().map(take).collect()
}
