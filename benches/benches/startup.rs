//! Time from a model file to the end of its first step: reading, checking, connecting, compiling, one step.

#![allow(clippy::expect_used, missing_docs, reason = "a measuring program")]

use criterion::{Criterion, criterion_group, criterion_main};
use neuropil::{Cpu, Model, Options, RecordTo};
use neuropil_benches::model_file;

fn first_step(c: &mut Criterion) {
    let mut group = c.benchmark_group("first step");
    group.sample_size(20);
    for name in ["cuba", "coba", "cobahh", "stdp", "izhikevich"] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let model = Model::read(model_file(name)).expect("a shipped model");
                let options = Options { threads: 2, record: RecordTo::Nothing };
                let mut simulation = model.simulate(&Cpu, &options).expect("a shipped model");
                simulation.step().expect("a shipped model");
                simulation.n_synapses()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, first_step);
criterion_main!(benches);
