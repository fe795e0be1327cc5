//! How fast a machine reads memory, and how long it waits for it: what the limits of networks are made of.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Wall time of reading all words `passes` times and combining them with `xor`, each thread its own part: from the first
/// thread that begins to the last that ends.
#[must_use]
pub fn read(words: &[u64], threads: usize, passes: u64) -> Duration {
    let parts: Vec<&[u64]> = words.chunks(words.len().div_ceil(threads.max(1)).max(1)).collect();
    let start = Barrier::new(parts.len());
    let times: Vec<(Instant, Instant)> = thread::scope(|scope| {
        let workers: Vec<_> = parts
            .into_iter()
            .map(|part| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    let begin = Instant::now();
                    black_box((0..passes).fold(0, |all, _| all ^ combined(black_box(part))));
                    (begin, Instant::now())
                })
            })
            .collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
    });
    let begin = times.iter().map(|(begin, _)| *begin).min();
    let end = times.iter().map(|(_, end)| *end).max();
    begin.zip(end).map_or(Duration::ZERO, |(begin, end)| end - begin)
}

/// All words combined, in as many independent sums as keep the loads of a core busy.
#[must_use]
pub fn combined(words: &[u64]) -> u64 {
    let mut sums = [0_u64; 32];
    let mut chunks = words.chunks_exact(32);
    for chunk in &mut chunks {
        for (sum, word) in sums.iter_mut().zip(chunk) {
            *sum ^= word;
        }
    }
    chunks.remainder().iter().chain(&sums).fold(0, |all, word| all ^ word)
}

/// Wall time of `hops` reads, each at the place that the one before it read, all over `bytes` of memory.
#[must_use]
pub fn chase(bytes: usize, hops: u64) -> Duration {
    let next = cycle((bytes / 64).max(2));
    let mut at = 0;
    // Once around, at most, so that what can be in a cache is there.
    for _ in 0..hops.min(next.len() as u64) {
        at = next[at][0] as usize;
    }
    let begin = Instant::now();
    for _ in 0..hops {
        at = next[at][0] as usize;
    }
    black_box(at);
    begin.elapsed()
}

/// `n` lines of a cache, of which each names another, in one cycle through all of them (Sattolo's algorithm).
fn cycle(n: usize) -> Vec<[u64; 8]> {
    let mut next: Vec<[u64; 8]> = (0..n as u64).map(|k| [k; 8]).collect();
    let mut state = 1_u64;
    for k in (1..n).rev() {
        // Knuth's linear congruence; its upper bits are good enough to send a prefetcher astray.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        next.swap(k, (state >> 33) as usize % k);
    }
    next
}

/// Cycles of one link of [`chain`]: a multiplication of integers takes three and a rotation one on every processor of the
/// last ten years that has AVX2, and on most others.
pub const CYCLES_PER_LINK: u64 = 4;

/// Wall time of `n` multiplications and rotations, each of which waits for the one before it: the clock of a core.
#[must_use]
pub fn chain(n: u64) -> Duration {
    let mut x = black_box(1_u64);
    let begin = Instant::now();
    for _ in 0..n {
        x = x.wrapping_mul(6_364_136_223_846_793_005).rotate_left(7);
    }
    black_box(x);
    begin.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_are_read() {
        let words: Vec<u64> = (0..1000).map(|k| 1 << (k % 64)).collect();
        assert_eq!(combined(&words), words.iter().fold(0, |all, word| all ^ word));
        assert!(read(&words, 3, 2) > Duration::ZERO);
        assert_eq!(read(&[], 2, 1), Duration::ZERO);
    }

    #[test]
    fn a_cycle_goes_through_every_line() {
        for n in [2, 3, 10, 1000] {
            let next = cycle(n);
            let mut seen = vec![false; n];
            let mut at = 0;
            for _ in 0..n {
                assert!(!seen[at], "{n}: a shorter cycle");
                seen[at] = true;
                at = next[at][0] as usize;
            }
            assert_eq!(at, 0);
        }
    }
}
