//! How far shards have come, and waiting for each other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam::utils::{Backoff, CachePadded};

/// A place in a run that only grows: ticks times the number of steps, and one, plus the steps done.
pub(super) type Position = u64;

/// Somebody gave up; everybody does.
#[derive(Debug)]
pub(super) struct GivenUp;

/// How far each shard has come.
pub(super) struct Progress {
    positions: Vec<CachePadded<AtomicU64>>,
    given_up: AtomicBool,
}

/// Waiting longer than so many rounds, a shard lets others have its processor.
const ROUNDS: u32 = 1 << 12;

impl Progress {
    pub(super) fn new(shards: usize, at: Position) -> Self {
        Self {
            positions: (0..shards).map(|_| CachePadded::new(AtomicU64::new(at))).collect(),
            given_up: AtomicBool::new(false),
        }
    }

    /// Says how far a shard has come: everything that it did before is there for those who wait for it.
    pub(super) fn reached(&self, shard: usize, position: Position) {
        self.positions[shard].store(position, Ordering::Release);
    }

    /// Waits until all shards have come that far.
    pub(super) fn wait(&self, position: Position) -> Result<(), GivenUp> {
        for place in &self.positions {
            let mut rounds = 0;
            let backoff = Backoff::new();
            while place.load(Ordering::Acquire) < position {
                if self.given_up.load(Ordering::Relaxed) {
                    return Err(GivenUp);
                }
                // Turns are short: whoever is waited for is usually there within a microsecond.
                if rounds < ROUNDS {
                    rounds += 1;
                    std::hint::spin_loop();
                } else {
                    backoff.snooze();
                }
            }
        }
        Ok(())
    }

    /// Ends all waiting.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

/// Ends all waiting if it goes out of scope while its thread panics, so that the others do not wait for ever.
pub(super) struct Guard<'a>(pub(super) &'a Progress);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.give_up();
        }
    }
}
