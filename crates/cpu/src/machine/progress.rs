//! How far shards have come, and waiting for each other.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
use std::sync::{Condvar, Mutex, PoisonError};

use crossbeam::utils::CachePadded;

/// A place in a run that only grows: ticks times the number of steps, and one, plus the steps done.
pub(super) type Position = u64;

/// Somebody gave up; everybody does.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct GivenUp;

/// How far each shard has come.
///
/// A shard that waits looks again and again for a while, since turns are short, and then sleeps until somebody has
/// come further: whoever is waited for has no processor, or much to do on its own.
pub(super) struct Progress {
    positions: Vec<CachePadded<AtomicU64>>,
    given_up: AtomicBool,
    /// How many shards sleep, or are about to.
    asleep: AtomicU32,
    /// Held by whoever goes to sleep, from before it counts itself until it sleeps.
    door: Mutex<()>,
    bell: Condvar,
}

/// A shard that has looked so often sleeps: after 10 to 50 microseconds, somewhat more than it takes to wake.
const ROUNDS: u32 = 1 << 10;

impl Progress {
    pub(super) fn new(shards: usize, at: Position) -> Self {
        Self {
            positions: (0..shards).map(|_| CachePadded::new(AtomicU64::new(at))).collect(),
            given_up: AtomicBool::new(false),
            asleep: AtomicU32::new(0),
            door: Mutex::new(()),
            bell: Condvar::new(),
        }
    }

    /// Says how far a shard has come: everything that it did before is there for those who wait for it.
    pub(super) fn reached(&self, shard: usize, position: Position) {
        self.positions[shard].store(position, Ordering::Release);
        if self.positions.len() > 1 {
            self.wake();
        }
    }

    /// Waits until all shards have come that far.
    pub(super) fn wait(&self, position: Position) -> Result<(), GivenUp> {
        self.positions.iter().try_for_each(|place| self.wait_for(place, position))
    }

    fn wait_for(&self, place: &AtomicU64, position: Position) -> Result<(), GivenUp> {
        let outcome = || {
            if place.load(Ordering::SeqCst) >= position {
                Some(Ok(()))
            } else {
                self.given_up.load(Ordering::SeqCst).then_some(Err(GivenUp))
            }
        };
        for _ in 0..ROUNDS {
            if let Some(outcome) = outcome() {
                return outcome;
            }
            std::hint::spin_loop();
        }
        let mut open = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        // Either the other sees this count after it has come further, or its position is seen here: both are
        // ordered, the one by the fence in `wake`.
        self.asleep.fetch_add(1, Ordering::SeqCst);
        let outcome = loop {
            if let Some(outcome) = outcome() {
                break outcome;
            }
            open = self.bell.wait(open).unwrap_or_else(PoisonError::into_inner);
        };
        self.asleep.fetch_sub(1, Ordering::SeqCst);
        outcome
    }

    /// Ends all waiting.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::SeqCst);
        self.wake();
    }

    fn wake(&self) {
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) > 0 {
            // Whoever has counted itself and does not sleep yet holds the door.
            drop(self.door.lock().unwrap_or_else(PoisonError::into_inner));
            self.bell.notify_all();
        }
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

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn shards_that_sleep_wake_as_soon_as_the_others_are_there() {
        const SHARDS: usize = 3;
        let progress = Progress::new(SHARDS, 0);
        thread::scope(|scope| {
            for shard in 0..SHARDS {
                let progress = &progress;
                scope.spawn(move || {
                    for position in 1..2000 {
                        // Now and then one is so late that the others sleep.
                        if position % 100 == shard as u64 {
                            thread::sleep(Duration::from_millis(2));
                        }
                        progress.reached(shard, position);
                        assert_eq!(progress.wait(position), Ok(()));
                        let all = progress.positions.iter().map(|p| p.load(Ordering::Acquire));
                        assert!(all.min() >= Some(position));
                    }
                });
            }
        });
    }

    #[test]
    fn whoever_sleeps_is_told_that_somebody_gave_up() {
        let progress = Progress::new(2, 0);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| progress.wait(1));
            thread::sleep(Duration::from_millis(20));
            progress.give_up();
            assert_eq!(waiting.join().unwrap(), Err(GivenUp));
        });
    }
}
