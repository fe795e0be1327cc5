//! The same network on every backend, compared by stated claims.
//!
//! A [`Case`] is a network and the strongest [`Claim`] that holds between any backend and the reference
//! interpreter; [`compare`] runs both and says whether it does.

use std::ops::ControlFlow;

use neuropil::{
    Backend, Cpu, CpuOptions, Error, Interp, KernelChoice, Model, Options, Precision, RecordTo, Simulation,
};

/// What is claimed of a backend's results, strongest first.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Claim {
    /// Every variable has the same bits at the end, and the spikes are the same. NaN bits excepted.
    Bitwise,
    /// Every variable agrees relatively (and absolutely, near zero) to this tolerance.
    Relative(f64),
}

/// A network that backends are compared on.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// The model.
    pub model: Model,
    /// How long it is run at most, in steps.
    pub steps: u64,
    /// What is claimed.
    pub claim: Claim,
}

/// A model that ships, at a size that tests can run: of one that has a constant `scale` a hundredth.
#[must_use]
pub fn small(mut model: Model) -> Model {
    if model.source().constants.iter().any(|c| c.name.value == "scale") {
        // It is known.
        let _ = model.set("scale=0.01");
    }
    model
}

/// A backend with a number of threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// The engine that is fastest here, on so many threads.
    Cpu(usize),
    /// The block engine, on so many threads.
    Block(usize),
}

impl Target {
    /// Every target that is compared with the interpreter.
    pub const ALL: [Self; 3] = [Self::Cpu(1), Self::Cpu(2), Self::Block(2)];

    /// `cpu-1`, `block-2`, ...
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Cpu(threads) => format!("cpu-{threads}"),
            Self::Block(threads) => format!("block-{threads}"),
        }
    }
}

/// Everything that a run leaves behind.
#[derive(Clone, PartialEq, Debug)]
struct Outcome {
    digest: String,
    variables: Vec<(String, Vec<u64>, Vec<f64>)>,
}

/// Runs a case on a target and on the interpreter, and compares.
///
/// # Errors
/// A sentence that says what differs, or why it could not be run.
pub fn compare(case: &Case, target: Target, precision: Precision) -> Result<(), String> {
    let reference = run(case, &Interp, 1, precision).map_err(|e| format!("interp: {e}"))?;
    let (kernels, threads) = match target {
        Target::Cpu(threads) => (KernelChoice::Auto, threads),
        Target::Block(threads) => (KernelChoice::Block, threads),
    };
    // Threads share even the smallest population.
    let split = Cpu.with(CpuOptions { kernels, smallest_work: 1, ..CpuOptions::default() });
    let result = run(case, &split, threads, precision);
    let result = result.map_err(|e| format!("{}: {e}", target.name()))?;
    match case.claim {
        Claim::Bitwise => bitwise(&reference, &result),
        Claim::Relative(tolerance) => relative(&reference, &result, tolerance),
    }
}

fn run(case: &Case, backend: &dyn Backend, threads: usize, precision: Precision) -> Result<Outcome, Error> {
    let mut model = case.model.clone();
    model.set_precision(precision);
    let dt = model.network()?.0.clocks.first().map_or(0.0, |c| c.dt);
    model.set_duration(&format!("{:e}*second", case.steps as f64 * dt));
    let options = Options { threads, record: RecordTo::Nothing };
    let mut simulation: Simulation = model.simulate(backend, &options)?;
    simulation.perform(&mut |_| ControlFlow::Continue(()))?;
    let names: Vec<String> = simulation.variables().map(str::to_owned).collect();
    let mut variables = Vec::new();
    for name in names {
        let buffer = simulation.get(&name)?;
        let bits = (0..buffer.len()).map(|i| buffer.get(i).bits()).collect();
        let values = buffer.to_f64();
        variables.push((name, bits, values));
    }
    Ok(Outcome { digest: simulation.spike_digest(), variables })
}

fn bitwise(reference: &Outcome, result: &Outcome) -> Result<(), String> {
    for ((name, expected, values), (_, found, others)) in reference.variables.iter().zip(&result.variables) {
        for (i, (a, b)) in expected.iter().zip(found).enumerate() {
            if a != b && !(values[i].is_nan() && others[i].is_nan()) {
                return Err(format!("`{name}` of element {i} is {} instead of {}", others[i], values[i]));
            }
        }
    }
    if reference.digest == result.digest {
        Ok(())
    } else {
        Err(format!("spike digest {} instead of {}", result.digest, reference.digest))
    }
}

fn relative(reference: &Outcome, result: &Outcome, tolerance: f64) -> Result<(), String> {
    for ((name, _, expected), (_, _, found)) in reference.variables.iter().zip(&result.variables) {
        for (i, (a, b)) in expected.iter().zip(found).enumerate() {
            if !approx::relative_eq!(a, b, epsilon = tolerance, max_relative = tolerance) {
                return Err(format!("`{name}` of element {i} is {b} instead of {a}"));
            }
        }
    }
    Ok(())
}
