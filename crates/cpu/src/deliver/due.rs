//! A calendar of the buckets that are on their way to a shard.
//!
//! When the events of a step are known, every bucket of their rows is entered at the step at which it arrives. The index
//! of a row is so read once and front to back, instead of at another place for each delay; and a step that delivers
//! finds a list. Events are entered in the order in which they were emitted, so a list has the order in which its
//! buckets are delivered: the longest delay first, then by presynaptic neuron.

use std::ops::Range;

use super::rows::ShardRows;

/// Rows whose index is asked for together, so that the memory of each is on its way while those before are read.
const ASKED: usize = 64;

/// The buckets of one shard's rows that are due, and those that will be. Room is kept from step to step.
#[derive(Clone, Default, Debug)]
pub struct Due {
    /// By arrival, modulo their number: first synapse of each bucket and the one behind its last; none is empty.
    days: Vec<Vec<(u32, u32)>>,
    /// The step that is delivered, as the steps of emission are counted: what has no delay was emitted then.
    now: Option<i64>,
    /// The first step whose events are not entered.
    next: i64,
    /// Rows that are being entered.
    rows: Vec<u32>,
}

impl Due {
    /// Turns to a step, counted as those in which events are emitted, and gives the steps whose events are to be
    /// [entered](Self::enter), in their order; only those in `emitted` count. After the step before these are the ones that
    /// the shortest delay brings now; otherwise nothing that was entered counts, and they are all that are on their
    /// way.
    pub fn turn(&mut self, rows: &ShardRows, now: i64, emitted: (i64, i64)) -> Range<i64> {
        let delays = rows.delays();
        let (Some(shortest), Some(longest)) = (delays.first().copied(), delays.last().copied()) else {
            return 0..0;
        };
        let end = now.saturating_sub(i64::from(shortest)).saturating_add(1).min(emitted.1);
        if end <= 0 {
            // Nothing that was ever emitted has arrived.
            self.now = None;
            return 0..0;
        }
        if self.now.is_none_or(|before| before + 1 != now) {
            self.days.iter_mut().for_each(Vec::clear);
            self.days.resize_with((longest - shortest) as usize + 1, Vec::new);
            self.next = now - i64::from(longest);
        }
        self.now = Some(now);
        let first = self.next.max(emitted.0).max(0);
        first..end.max(first)
    }

    /// Enters the events of a step that [`turn`](Self::turn) asked for: neurons of the source population, ascending in
    /// each list and from one to the next; those outside of the rows are passed over.
    pub fn enter<'e>(&mut self, rows: &ShardRows, step: i64, events: impl IntoIterator<Item = &'e [u32]>) {
        self.next = step + 1;
        let Some(now) = self.now else { return };
        self.rows.clear();
        for neurons in events {
            let first = neurons.partition_point(|n| *n < rows.pre_start);
            let own = neurons[first..].iter().map(|n| n - rows.pre_start);
            self.rows.extend(own.take_while(|row| *row < rows.n_rows));
        }
        let (delays, len) = (rows.delays(), self.days.len());
        let Some(shortest) = delays.first().copied() else { return };
        // What has arrived before now is over.
        let coming = delays.partition_point(|d| step + i64::from(*d) < now);
        let first = place(step + i64::from(shortest), len);
        let index = rows.index.view(delays.len());
        for some in self.rows.chunks(ASKED) {
            some.iter().for_each(|row| index.ask(*row));
            some.iter().for_each(|row| index.ask_rest(*row));
            for row in some {
                index.for_buckets(*row, |delay, bucket| {
                    if delay >= coming {
                        let day = first + (delays[delay] - shortest) as usize;
                        self.days[if day < len { day } else { day - len }].push(bucket);
                    }
                });
            }
        }
    }

    /// The buckets that arrive in the step, in the order of delivery.
    #[must_use]
    pub fn buckets(&self) -> &[(u32, u32)] {
        let day = self.now.and_then(|now| self.days.get(place(now, self.days.len())));
        day.map_or(&[], Vec::as_slice)
    }

    /// What arrived in the step has been delivered.
    pub fn done(&mut self) {
        let len = self.days.len();
        if let Some(day) = self.now.and_then(|now| self.days.get_mut(place(now, len))) {
            day.clear();
        }
    }
}

/// Where a step stands among `len` days.
fn place(step: i64, len: usize) -> usize {
    step.rem_euclid(len.max(1) as i64) as usize
}
