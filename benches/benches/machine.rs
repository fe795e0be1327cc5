//! What the limits of networks are made of: clock, read bandwidth and latency of every level of memory.
//!
//! `cargo bench -p neuropil-benches --bench machine`

#![allow(clippy::print_stdout, missing_docs, reason = "a measuring program")]

use std::time::Duration;

use neuropil_benches::bandwidth::{CYCLES_PER_LINK, chain, chase, read};

const REPETITIONS: usize = 5;
const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

fn main() {
    let is_test = std::env::args().any(|word| word == "--test");
    let sizes: &[usize] =
        if is_test { &[16 * KIB] } else { &[16 * KIB, 256 * KIB, MIB, 8 * MIB, 64 * MIB, 512 * MIB] };
    let n = if is_test { 1000 } else { 50_000_000 };
    let clock = (n * CYCLES_PER_LINK) as f64 / best(|| chain(n)).as_secs_f64();
    println!("clock: {:.2} GHz", clock * 1e-9);
    println!("{:>10}  {:>14}  {:>15}  {:>10}", "bytes", "1 thread GB/s", "2 threads GB/s", "latency ns");
    for &bytes in sizes {
        let words = vec![1_u64; bytes / 8];
        let passes = if is_test { 1 } else { ((1 << 30) / bytes as u64).max(2) };
        let bandwidth = |threads| {
            (bytes as u64 * passes) as f64 * 1e-9 / best(|| read(&words, threads, passes)).as_secs_f64()
        };
        let (one, two) = (bandwidth(1), bandwidth(2));
        let hops = if is_test { 1000 } else { 3_000_000 };
        let latency = best(|| chase(bytes, hops)).as_secs_f64() * 1e9 / hops as f64;
        println!("{bytes:>10}  {one:>14.2}  {two:>15.2}  {latency:>10.2}");
    }
}

/// The shortest of several measurements.
fn best(mut measure: impl FnMut() -> Duration) -> Duration {
    (0..REPETITIONS).map(|_| measure()).min().unwrap_or_default()
}
