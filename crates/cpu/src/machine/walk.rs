//! How a shard goes through synapses: the rows and columns of events, and all rows.
//!
//! Long rows are handed to bodies as they are stored; short ones are gathered. Of each row a shard takes the synapses
//! that end in its part.

use std::ops::Range;

use neuropil_backend::Held;
use neuropil_connectivity::{DelayRows, Dense, Storage, Walk};
use neuropil_kernels::program::{Action, Structure, Travel};
use neuropil_model::Endpoint;

use super::layout::Step;
use super::progress::GivenUp;
use super::worker::{At, Turn};
use crate::elements::{Elements, Numbers};
use crate::product::Place;

/// Synapses are handed to bodies in batches of about so many: enough to pay for the call, few enough to stay in
/// the first-level cache.
const BATCH: usize = 1024;
/// A row of as many synapses is worth a call of its own.
const ROW: usize = 96;

/// A batch of synapses under construction.
#[derive(Default, Debug)]
pub(super) struct Gathered {
    own: Vec<u64>,
    pre: Vec<u32>,
    post: Vec<u32>,
    /// Numbers of a row within their population, or those of the synapses of a column.
    shifted: Vec<u32>,
}

impl Gathered {
    fn push(&mut self, own: usize, pre: u32, post: u32) {
        self.own.push(own as u64);
        self.pre.push(pre);
        self.post.push(post);
    }
}

/// One operation on synapses.
struct Walker<'w, 'a, 'c> {
    turn: &'w mut Turn<'a, 'c>,
    at: At,
    gathered: Gathered,
    /// Postsynaptic neurons that are the shard's, within their population.
    posts: Range<u32>,
    structure: &'w Structure,
    ascending: bool,
}

impl Turn<'_, '_> {
    /// Carries out an operation on synapses.
    pub(super) fn synapses(&mut self, step: &Step, action: &Action, at: At) -> Result<(), GivenUp> {
        let common = self.common;
        let (Action::Deliver { structure: id, .. } | Action::Synapses { structure: id, .. }) = action else {
            return Ok(());
        };
        let structure = &common.program.structures[id.index()];
        let synapses = &common.held[id.index()];
        let posts = self.posts(step);
        let gathered = self.take_gathered();
        let ascending = common.layout.ascending[id.index()];
        let mut walker = Walker { turn: self, at, gathered, posts, structure, ascending };
        match action {
            Action::Deliver { stream, on, delay, emitted, .. } => {
                let delays: &[u32] = match delay {
                    Travel::Steps(steps) => std::slice::from_ref(steps),
                    Travel::PerSynapse { pathway, .. } => {
                        match synapses.delayed.get(*pathway as usize).and_then(Option::as_ref) {
                            Some(rows) => rows.distinct_delays(),
                            None => &[],
                        }
                    }
                };
                let neurons = match on {
                    Endpoint::Pre => structure.pre_start..structure.pre_start + structure.n_pre,
                    Endpoint::Post => structure.post_start..structure.post_start + structure.n_post,
                };
                for (k, emitted_at) in walker.turn.due(*stream, delays, *emitted)? {
                    for of in 0..common.layout.shards {
                        let events = walker.turn.events(*stream, of, emitted_at, &neurons);
                        for neuron in events {
                            match (delay, on) {
                                (Travel::Steps(_), Endpoint::Pre) => {
                                    if let Some(rows) = &synapses.rows {
                                        walker.row(rows, neuron - neurons.start);
                                    }
                                }
                                (Travel::Steps(_), Endpoint::Post) => walker.post(synapses, *neuron),
                                (Travel::PerSynapse { pathway, .. }, _) => {
                                    if let Some(rows) =
                                        synapses.delayed.get(*pathway as usize).and_then(Option::as_ref)
                                    {
                                        walker.bucket(rows, *neuron, (*on, delays[k]));
                                    }
                                }
                            }
                        }
                    }
                }
            }
            Action::Synapses { .. } => {
                if let Some(rows) = &synapses.rows
                    && !walker.product(rows)
                {
                    (0..structure.n_pre).for_each(|row| walker.row(rows, row));
                }
            }
            // Only these two are about synapses.
            Action::Elements { .. }
            | Action::Events { .. }
            | Action::Fill { .. }
            | Action::List { .. }
            | Action::RecordEvents { .. }
            | Action::RecordState { .. }
            | Action::Cable { .. }
            | Action::Host { .. }
            | Action::Stop { .. } => {}
        }
        walker.flush();
        let gathered = walker.gathered;
        self.put_gathered(gathered);
        Ok(())
    }
}

impl Walker<'_, '_, '_> {
    /// All rows of a full matrix at once. `false` if they have to be walked one by one.
    fn product(&mut self, rows: &Storage) -> bool {
        let Storage::Dense(dense) = rows else { return false };
        let (n_pre, n_post) = (dense.n_pre(), dense.n_post());
        let (start, len) = self.own_columns(dense);
        let place = Place {
            rows: (n_pre as usize, self.structure.pre_start as usize),
            stride: n_post as usize,
            columns: (len, start as usize),
            offset: (start - self.structure.post_start) as usize,
        };
        if !dense.is_full() || !self.turn.product(self.at, &place) {
            return false;
        }
        self.turn.count_synapses(n_pre as usize * len);
        true
    }

    /// The first of the shard's neurons that a matrix reaches, and how many they are.
    fn own_columns(&self, dense: &Dense) -> (u32, usize) {
        let start = self.structure.post_start;
        let first = self.posts.start.clamp(start, start + dense.n_post());
        let end = self.posts.end.clamp(first, start + dense.n_post());
        (first, (end - first) as usize)
    }

    /// A row: the synapses of a presynaptic neuron, which is numbered within its group.
    fn row(&mut self, rows: &Storage, row: u32) {
        let pre = row + self.structure.pre_start;
        let start = self.structure.post_start;
        match rows {
            Storage::Csr(csr) if self.ascending => {
                let range = csr.row_range(row);
                self.listed(range.start, &csr.targets()[range], pre);
            }
            Storage::Ell(ell) if self.ascending => {
                let (first, targets) = ell.row(row);
                self.listed(first, targets, pre);
            }
            Storage::Dense(dense) if dense.is_full() => {
                let (first, len) = self.own_columns(dense);
                let own = row as usize * dense.n_post() as usize + (first - start) as usize;
                if len < ROW {
                    (0..len).for_each(|k| self.gathered.push(own + k, pre, first + k as u32));
                    self.flush_if_full();
                } else {
                    self.flush();
                    self.call(&Elements {
                        len,
                        own: Numbers::From(own as u64),
                        pre: Numbers::Same(u64::from(pre)),
                        post: Numbers::From(u64::from(first)),
                    });
                }
            }
            Storage::Csr(_) | Storage::Ell(_) | Storage::Dense(_) => {
                let (gathered, posts) = (&mut self.gathered, &self.posts);
                rows.for_row(row, |own, other| {
                    let post = other + start;
                    if posts.contains(&post) {
                        gathered.push(own, pre, post);
                    }
                });
                self.flush_if_full();
            }
        }
    }

    /// Synapses one after the other, by their targets within the group.
    fn listed(&mut self, first: usize, targets: &[u32], pre: u32) {
        let start = self.structure.post_start;
        let from = self.posts.start.saturating_sub(start);
        let to = self.posts.end.saturating_sub(start);
        let (mut lo, mut hi) = (0, targets.len());
        if self.ascending && self.turn.common.layout.shards > 1 {
            lo = targets.partition_point(|t| *t < from);
            hi = targets.partition_point(|t| *t < to);
        }
        let (own, targets) = (first + lo, &targets[lo..hi]);
        if targets.len() < ROW {
            for (k, target) in targets.iter().enumerate() {
                self.gathered.push(own + k, pre, target + start);
            }
            self.flush_if_full();
            return;
        }
        self.flush();
        let shifted = std::mem::take(&mut self.gathered.shifted);
        let (shifted, post) = shift(shifted, targets, start);
        let list = post.unwrap_or(&shifted);
        self.call(&Elements {
            len: list.len(),
            own: Numbers::From(own as u64),
            pre: Numbers::Same(u64::from(pre)),
            post: Numbers::List32(list),
        });
        self.gathered.shifted = shifted;
    }

    /// The synapses of a postsynaptic neuron.
    fn post(&mut self, synapses: &Held, post: u32) {
        if let Some(Storage::Dense(dense)) = synapses.rows.as_deref()
            && has_long_columns(dense)
        {
            self.full_column(dense, post);
        } else if let Some(columns) = &synapses.columns {
            let range = columns.column_range(post - self.structure.post_start);
            self.column(&columns.synapse()[range.clone()], &columns.sources()[range], post);
        }
    }

    /// A column: the synapses of a postsynaptic neuron, by their numbers and sources within the group.
    fn column(&mut self, own: &[u32], sources: &[u32], post: u32) {
        if !self.posts.contains(&post) {
            return;
        }
        let start = self.structure.pre_start;
        if own.len() < ROW {
            for (own, source) in own.iter().zip(sources) {
                self.gathered.push(*own as usize, source + start, post);
            }
            self.flush_if_full();
            return;
        }
        self.flush();
        let shifted = std::mem::take(&mut self.gathered.shifted);
        let (shifted, pre) = shift(shifted, sources, start);
        let list = pre.unwrap_or(&shifted);
        self.call(&Elements {
            len: own.len(),
            own: Numbers::List32(own),
            pre: Numbers::List32(list),
            post: Numbers::Same(u64::from(post)),
        });
        self.gathered.shifted = shifted;
    }

    /// A column of a full matrix. Where its synapses are follows from their numbers: to say it again costs less than to read
    /// it from an index as large as the matrix.
    fn full_column(&mut self, dense: &Dense, post: u32) {
        if !self.posts.contains(&post) {
            return;
        }
        self.flush();
        let (n_post, column) = (dense.n_post(), post - self.structure.post_start);
        let mut own = std::mem::take(&mut self.gathered.shifted);
        own.clear();
        own.extend((0..dense.n_pre()).map(|row| row * n_post + column));
        self.call(&Elements {
            len: own.len(),
            own: Numbers::List32(&own),
            pre: Numbers::From(u64::from(self.structure.pre_start)),
            post: Numbers::Same(u64::from(post)),
        });
        self.gathered.shifted = own;
    }

    /// The synapses of a neuron that have one delay.
    fn bucket(&mut self, rows: &DelayRows, neuron: u32, (on, delay): (Endpoint, u32)) {
        let (pre_start, post_start) = (self.structure.pre_start, self.structure.post_start);
        let row = match on {
            Endpoint::Pre => neuron - pre_start,
            Endpoint::Post => neuron - post_start,
        };
        for position in rows.bucket(row, delay) {
            let other = rows.others()[position];
            let (pre, post) = match on {
                Endpoint::Pre => (neuron, other + post_start),
                Endpoint::Post => (other + pre_start, neuron),
            };
            if self.posts.contains(&post) {
                self.gathered.push(rows.synapse(position), pre, post);
            }
        }
        self.flush_if_full();
    }

    fn flush_if_full(&mut self) {
        if self.gathered.own.len() >= BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.gathered.own.is_empty() {
            return;
        }
        let mut gathered = std::mem::take(&mut self.gathered);
        self.call(&Elements {
            len: gathered.own.len(),
            own: Numbers::List64(&gathered.own),
            pre: Numbers::List32(&gathered.pre),
            post: Numbers::List32(&gathered.post),
        });
        gathered.own.clear();
        gathered.pre.clear();
        gathered.post.clear();
        self.gathered = gathered;
    }

    fn call(&mut self, elements: &Elements<'_>) {
        if elements.len > 0 {
            self.turn.count_synapses(elements.len);
            self.turn.body(self.at, elements, &mut Vec::new());
        }
    }
}

/// Whether a matrix is full, a column is worth a call of its own, and its synapses have 32-bit numbers.
fn has_long_columns(dense: &Dense) -> bool {
    let pairs = u64::from(dense.n_pre()) * u64::from(dense.n_post());
    dense.is_full() && dense.n_pre() as usize >= ROW && u32::try_from(pairs).is_ok()
}

/// Numbers within a group as numbers within the population: the list itself if the group begins with the first neuron.
fn shift(mut room: Vec<u32>, list: &[u32], start: u32) -> (Vec<u32>, Option<&[u32]>) {
    room.clear();
    if start == 0 {
        return (room, Some(list));
    }
    room.extend(list.iter().map(|n| n + start));
    (room, None)
}
