//! Time from a checked model to a loaded machine: kernels, their expansions and passes, the plan, and the machine's code.
//!
//! Networks are one neuron large where they can be, so that making synapses and initial values takes no time.

#![allow(clippy::expect_used, missing_docs, reason = "a measuring program")]

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use neuropil::Model;
use neuropil_benches::{loaded, model_file, population};

fn compile(c: &mut Criterion) {
    let mut group = c.benchmark_group("compile");
    group.sample_size(20);
    for name in neuropil_library::neuron_names() {
        let text = population("", &format!("library:{name}"), 1);
        let model = Model::parse("compile.toml", &text).expect("a model of the library");
        measure(&mut group, name, &model);
    }
    for (name, changes) in
        [("cuba", vec!["n_neurons=10", "in_degree=1"]), ("stdp", vec!["n_inputs=1"]), ("rate_ring", vec![])]
    {
        let mut model = Model::read(model_file(name)).expect("a shipped model");
        changes.into_iter().for_each(|change| model.set(change).expect("a constant of the model"));
        measure(&mut group, name, &model);
    }
    group.finish();
}

/// What the simulation itself says that it took, summed over the iterations.
fn measure(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    model: &Model,
) {
    group.bench_function(name, |b| {
        b.iter_custom(|iterations| {
            let seconds = (0..iterations)
                .map(|_| {
                    let timings = loaded(model, 1).expect("a right model").timings();
                    timings.build_s + timings.compile_s
                })
                .sum();
            Duration::from_secs_f64(seconds)
        });
    });
}

criterion_group!(benches, compile);
criterion_main!(benches);
