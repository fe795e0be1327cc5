//! Measurements of kernels and whole networks; the measuring programs are in `benches/`, those that run the peers in `peers/`.

pub mod bandwidth;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use neuropil::{Cpu, Error, Model, Options, Precision, RecordTo, Simulation};

/// Both float types, in the order in which they are measured.
pub const PRECISIONS: [Precision; 2] = [Precision::F32, Precision::F64];

/// The file of a shipped model.
#[must_use]
pub fn model_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models").join(format!("{name}.toml"))
}

/// A population of one kind of neuron and nothing else, as text: `size` neurons of `neuron`, steps of 0.1 ms. What
/// stands in `tables` is written before, such as a neuron of the measurement's own.
#[must_use]
pub fn population(tables: &str, neuron: &str, size: usize) -> String {
    format!(
        "dt = \"0.1 ms\"\nseed = 1\n{tables}\n[population.cells]\nneuron = \"{neuron}\"\nsize = {size}\n\
         [record]\nspikes = []\n"
    )
}

/// A simulation on the fast backend that records nothing.
///
/// # Errors
/// As [`Model::simulate`].
pub fn loaded(model: &Model, threads: usize) -> Result<Simulation, Error> {
    model.simulate(&Cpu, &Options { threads, record: RecordTo::Nothing })
}

/// Wall time of `steps` steps.
///
/// # Errors
/// As [`Simulation::run_steps`].
pub fn time_of(simulation: &mut Simulation, steps: u64) -> Result<Duration, Error> {
    let begin = Instant::now();
    simulation.run_steps(steps, &mut |_| std::ops::ControlFlow::Continue(()))?;
    Ok(begin.elapsed())
}
