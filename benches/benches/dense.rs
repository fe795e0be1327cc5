//! A dense weighted sum against the speed at which this machine reads memory.
//!
//! The model is `models/rate_ring.toml` with a matrix of N x N weights, which every step reads once. Beside it, and by
//! turns with it, as many bytes are read and combined with `xor` and nothing else. The ratio of the two, best of all turns, says
//! how much of the machine's bandwidth the weighted sum uses.
//!
//! `cargo bench -p neuropil-benches --bench dense -- [N [TURNS]]`

#![allow(clippy::expect_used, clippy::print_stdout, missing_docs, reason = "a measuring program")]

use std::time::Duration;

use neuropil::{Model, Precision};
use neuropil_benches::bandwidth::read;
use neuropil_benches::{PRECISIONS, loaded, model_file, time_of};

/// Passes over the matrix in one turn.
const PASSES: u64 = 20;

fn main() {
    // Cargo and its test runs hand over flags of their own.
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse::<usize>().ok());
    let is_test = std::env::args().any(|word| word == "--test");
    let n = numbers.next().unwrap_or(if is_test { 64 } else { 4000 });
    let turns = numbers.next().unwrap_or(if is_test { 1 } else { 10 });
    println!("{n} x {n} weights, {PASSES} steps a turn, best of {turns} turns");
    println!("precision  threads  read GB/s  sum GB/s  per cent");
    for precision in PRECISIONS {
        for threads in [1, 2] {
            let (read, sum) = measured(n, precision, threads, turns);
            let bytes = (n * n * size_of(precision)) as f64 * PASSES as f64 * 1e-9;
            let (read, sum) = (bytes / read.as_secs_f64(), bytes / sum.as_secs_f64());
            println!("{precision:9}  {threads:7}  {read:9.2}  {sum:8.2}  {:8.1}", 100.0 * sum / read);
        }
    }
}

fn size_of(precision: Precision) -> usize {
    match precision {
        Precision::F32 => 4,
        Precision::F64 => 8,
    }
}

/// The shortest times of reading as many bytes as the matrix has, and of the steps.
fn measured(n: usize, precision: Precision, threads: usize, turns: usize) -> (Duration, Duration) {
    let mut model = Model::read(model_file("rate_ring")).expect("a shipped model");
    model.set(&format!("n_neurons={n}")).expect("a constant of the model");
    model.set_dt("1 ms");
    model.set_precision(precision);
    // Two of the recorded neurons are above the size that a test takes.
    model.set("record.state.traces.neurons=[0]").expect("a field of the model");
    let mut simulation = loaded(&model, threads).expect("a shipped model");
    let words = vec![1_u64; n * n * size_of(precision) / 8];
    let mut best = (Duration::MAX, Duration::MAX);
    for _ in 0..turns {
        best.0 = best.0.min(read(&words, threads, PASSES));
        best.1 = best.1.min(time_of(&mut simulation, PASSES).expect("a shipped model"));
    }
    best
}
