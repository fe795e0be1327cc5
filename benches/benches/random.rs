//! Time per random number: words as they come, and numbers in the equations of a population, one thread.
//!
//! `nothing` is the same population without a random number; the difference is the number alone.

#![allow(clippy::expect_used, missing_docs, reason = "a measuring program")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use neuropil::Model;
use neuropil_benches::{PRECISIONS, loaded, population, time_of};

const NEURONS: usize = 4096;
const STEPS: u64 = 100;

/// What one neuron adds in one step.
const DRAWS: [(&str, &str); 10] = [
    ("nothing", "1"),
    ("uniform", "rand()"),
    ("normal", "randn()"),
    ("poisson of 0.01", "poisson(0.01)"),
    ("poisson of 1", "poisson(1)"),
    ("poisson of 10", "poisson(10)"),
    ("poisson of 1000", "poisson(1000)"),
    ("binomial of 100, 0.01", "binomial(100, 0.01)"),
    ("binomial of 100, 0.5", "binomial(100, 0.5)"),
    ("binomial of 10000, 0.1", "binomial(10000, 0.1)"),
];

fn words(c: &mut Criterion) {
    let mut group = c.benchmark_group("random word");
    let mut out = vec![0_u32; NEURONS];
    group.throughput(Throughput::Elements(NEURONS as u64));
    group.bench_function("fill", |b| {
        let mut step = 0;
        b.iter(|| {
            step += 1;
            neuropil_rng::fill(1, 0, 0, step, 0, black_box(&mut out));
        });
    });
    group.finish();
}

fn numbers(c: &mut Criterion) {
    let mut group = c.benchmark_group("random number");
    group.sample_size(20).throughput(Throughput::Elements(NEURONS as u64 * STEPS));
    for (name, draw) in DRAWS {
        for precision in PRECISIONS {
            let neuron =
                format!("[neuron.noise]\nequations = \"dx/dt = {draw}/ms : 1\"\nmethod = \"euler\"\n");
            let text = population(&neuron, "noise", NEURONS);
            let mut model = Model::parse("random.toml", &text).expect("a right model");
            model.set_precision(precision);
            let mut simulation = loaded(&model, 1).expect("a right model");
            group.bench_function(format!("{name}/{precision}"), |b| {
                b.iter(|| time_of(&mut simulation, STEPS).expect("a right model"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, words, numbers);
criterion_main!(benches);
