//! Time per neuron and step of every neuron model of the library, one thread, both precisions.
//!
//! A population of 4096 neurons stays in the second cache, so that what is measured is arithmetic. Throughput in elements is
//! neurons times steps: `1/throughput` is the time per neuron-step. Inputs are what the library says, so most neurons rest;
//! kernels have no branches, so that this does not make them faster.

#![allow(clippy::expect_used, missing_docs, reason = "a measuring program")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use neuropil::Model;
use neuropil_benches::{PRECISIONS, loaded, population, time_of};

const NEURONS: usize = 4096;
/// Steps of one call, enough to forget what a call itself takes.
const STEPS: u64 = 200;

fn neurons(c: &mut Criterion) {
    let mut group = c.benchmark_group("neuron-step");
    group.sample_size(20).throughput(Throughput::Elements(NEURONS as u64 * STEPS));
    for name in neuropil_library::neuron_names() {
        for precision in PRECISIONS {
            let text = population("", &format!("library:{name}"), NEURONS);
            let mut model = Model::parse("neurons.toml", &text).expect("a model of the library");
            model.set_precision(precision);
            let mut simulation = loaded(&model, 1).expect("a model of the library");
            group.bench_function(format!("{name}/{precision}"), |b| {
                b.iter(|| time_of(&mut simulation, STEPS).expect("a model of the library"));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, neurons);
criterion_main!(benches);
