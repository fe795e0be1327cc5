//! What several test programs share: models from text, run on every backend.

#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test program uses some of it")]

use neuropil::{Backend, Cpu, CpuOptions, Interp, Model, Options, RecordTo, Simulation};

/// A model that is right.
pub(crate) fn model(text: &str) -> Model {
    Model::parse("test.toml", text).unwrap_or_else(|e| panic!("{e}"))
}

/// Calls `check` on the simulation of a model on every backend, before its first step.
pub(crate) fn each(model: &Model, mut check: impl FnMut(&mut Simulation)) {
    // Two threads share even the smallest population.
    let split = Cpu.with(CpuOptions { smallest_work: 1, ..CpuOptions::default() });
    let backends: [(&dyn Backend, usize); 3] = [(&Interp, 1), (&Cpu, 1), (&split, 2)];
    for (backend, threads) in backends {
        let options = Options { threads, record: RecordTo::Memory };
        check(&mut model.simulate(backend, &options).unwrap_or_else(|e| panic!("{e}")));
    }
}

/// Calls `check` on the simulation of a model on every backend, after some steps.
pub(crate) fn after(model: &Model, steps: u64, mut check: impl FnMut(&mut Simulation)) {
    each(model, |simulation| {
        let duration = steps as f64 * simulation.dt();
        simulation.run(duration).unwrap();
        check(simulation);
    });
}

/// What `read` finds after some steps, the same on every backend.
pub(crate) fn found<T: PartialEq + std::fmt::Debug>(
    model: &Model,
    steps: u64,
    mut read: impl FnMut(&mut Simulation) -> T,
) -> T {
    let mut first: Option<T> = None;
    after(model, steps, |simulation| {
        let found = read(simulation);
        match &first {
            Some(first) => assert_eq!(first, &found),
            None => first = Some(found),
        }
    });
    first.unwrap()
}

/// The values of a variable of a model after some steps, the same on every backend.
pub(crate) fn values(text: &str, steps: u64, name: &str) -> Vec<f64> {
    found(&model(text), steps, |simulation| simulation.values(name).unwrap())
}
