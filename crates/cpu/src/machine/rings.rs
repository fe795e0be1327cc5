//! The events of the last steps, by stream and shard, as shards hand them to each other.

#![allow(unsafe_code, reason = "shards read what others have written, once these say so")]

use std::cell::UnsafeCell;

use neuropil_kernels::program::Stream;

use super::layout::Cut;

/// How many ticks a shard may be ahead of another one.
pub(super) const AHEAD: u64 = 32;

/// The events of one shard in one step.
struct Place(UnsafeCell<Vec<u32>>);

// SAFETY: a place is written by one shard only, and read by others between the time at which that shard has said
// that it is filled and the time at which it may be filled again; see `Rings`.
#[allow(clippy::non_send_fields_in_send_ty, reason = "as said above")]
unsafe impl Sync for Place {}

/// A ring of places.
type Ring = Vec<Place>;

/// The events of all streams.
///
/// The events of step `s` lie at place `s` modulo the length of the ring, a power of two so long that nobody fills a place
/// again that another shard may still read: a shard is at most [`AHEAD`] ticks ahead of the others, and they look
/// back for as many steps as the longest delay.
pub(super) struct Rings {
    /// By stream, then by shard.
    streams: Vec<Vec<Ring>>,
    /// By stream: for how many steps events are needed.
    history: Vec<usize>,
}

impl Rings {
    pub(super) fn new(streams: &[Stream], shards: usize) -> Self {
        let ring = |stream: &Stream| {
            let len = stream.history as usize + 2 + AHEAD as usize;
            (0..len.next_power_of_two()).map(|_| Place(UnsafeCell::new(Vec::new()))).collect()
        };
        Self {
            streams: streams.iter().map(|s| (0..shards).map(|_| ring(s)).collect()).collect(),
            history: streams.iter().map(|s| s.history as usize).collect(),
        }
    }

    fn place(&self, stream: usize, shard: usize, step: i64) -> &Place {
        let ring = &self.streams[stream][shard];
        &ring[at(step, ring.len())]
    }

    /// The events of a shard in a step, ascending.
    ///
    /// # Safety
    /// The shard has filled the place for that step, which the caller knows by its progress, and is not so far
    /// ahead that it may be filling it again.
    pub(super) unsafe fn get(&self, stream: usize, shard: usize, step: i64) -> &[u32] {
        // SAFETY: nobody writes the place now, as the caller promises.
        unsafe { &*self.place(stream, shard, step).0.get() }
    }

    /// Fills the place of a shard in a step.
    ///
    /// # Safety
    /// The caller is that shard, and no other one may still look at what the place held.
    pub(super) unsafe fn fill(
        &self,
        stream: usize,
        shard: usize,
        step: i64,
        with: impl FnOnce(&mut Vec<u32>),
    ) {
        // SAFETY: nobody else looks at the place now, as the caller promises.
        let events = unsafe { &mut *self.place(stream, shard, step).0.get() };
        events.clear();
        with(events);
    }

    /// The events of all shards in a step, ascending.
    pub(super) fn all(&mut self, stream: usize, step: i64, out: &mut Vec<u32>) {
        for ring in &mut self.streams[stream] {
            let place = at(step, ring.len());
            out.extend_from_slice(ring[place].0.get_mut());
        }
    }

    /// The events of all streams as a state holds them: for each, a ring of one place more than its history.
    pub(super) fn save(&mut self, latest: &[i64]) -> Vec<Vec<Vec<u32>>> {
        (0..self.streams.len())
            .map(|stream| {
                let len = self.history[stream] + 1;
                let mut ring = vec![Vec::new(); len];
                for step in latest[stream] - self.history[stream] as i64..=latest[stream] {
                    self.all(stream, step, &mut ring[step.rem_euclid(len as i64) as usize]);
                }
                ring
            })
            .collect()
    }

    /// Takes over the events of a stream from a ring of a state.
    pub(super) fn load(&mut self, stream: usize, cut: &Cut, latest: i64, events: &[Vec<u32>]) {
        for (shard, ring) in self.streams[stream].iter_mut().enumerate() {
            let part = cut.part(shard);
            let len = ring.len();
            for place in ring.iter_mut() {
                place.0.get_mut().clear();
            }
            for back in 0..(self.history[stream] + 1).min(events.len()) {
                let step = latest - back as i64;
                let from = &events[step.rem_euclid(events.len() as i64) as usize];
                let (first, end) =
                    (from.partition_point(|n| *n < part.start), from.partition_point(|n| *n < part.end));
                ring[at(step, len)].0.get_mut().extend_from_slice(&from[first..end]);
            }
        }
    }
}

/// The place of a step in a ring whose length is a power of two.
fn at(step: i64, len: usize) -> usize {
    step as usize & (len - 1)
}
