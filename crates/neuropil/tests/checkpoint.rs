//! A simulation that goes on from a file is the one that wrote it: whatever runs, changes, is stored or is under way.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use neuropil::{
    Backend, BuildError, CheckpointError, Cpu, Error, Interp, Model, Options, Outcome, Precision, RecordTo,
    RunError, Simulation,
};
use proptest::prelude::*;

/// A file of its own for each use, removed in the end.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("neuropil-checkpoint-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn options() -> Options {
    Options { threads: 1, record: RecordTo::Nothing }
}

/// Runs a model to its end, at most `steps` steps at a time.
fn perform(simulation: &mut Simulation, steps: u64) -> Outcome {
    simulation
        .perform(&mut |p| if p.done >= steps { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        .unwrap()
}

/// Everything that can be seen of a simulation.
fn seen(simulation: &mut Simulation) -> (String, u64, Vec<(String, Vec<u64>)>) {
    let names: Vec<String> = simulation.variables().map(str::to_owned).collect();
    let values = names
        .into_iter()
        .map(|name| {
            let bits = simulation.values(&name).unwrap().iter().map(|x| x.to_bits()).collect();
            (name, bits)
        })
        .collect();
    (simulation.spike_digest(), simulation.steps(), values)
}

const NETWORK: &str = r#"
dt = "0.1 ms"
duration = "40 ms"
seed = 8
[neuron.lif]
equations = """
dv/dt = (15*mV - v)/(10*ms) + 2*mV*xi*(10*ms)**-0.5 : volt (unless refractory)
x : 1
"""
threshold = "v > 10*mV"
reset = "v = 0*mV"
refractory = "1 ms"
[synapse.kick]
equations = "w : volt"
on_pre = "v_post += w"
on_post = "w = clip(w + 0.01*mV, 0*mV, 1*mV)"
[population.cells]
neuron = "lif"
size = 30
initial.v = "rand()*10*mV"
[projection.all]
synapse = "kick"
source = "cells"
target = "cells"
connect = { rule = "fixed_probability", p = 0.3 }
weight = "rand()*mV"
delay = "1*ms + rand()*3*ms"
"#;

fn model(text: &str) -> Model {
    Model::parse("m.toml", text).unwrap_or_else(|e| panic!("{e}"))
}

/// Runs a model with a checkpoint about every `steps` steps, each gone on from by another simulation.
fn in_pieces(model: &Model, backend: &dyn Backend, steps: u64) -> (Simulation, usize) {
    let place = Place::new();
    let mut simulation = model.simulate(backend, &options()).unwrap_or_else(|e| panic!("{e}"));
    let mut n = 0;
    let mut end = 0;
    loop {
        end += steps;
        let outcome = perform(&mut simulation, end);
        if outcome != Outcome::Stopped {
            return (simulation, n);
        }
        simulation.checkpoint(&place.0).unwrap_or_else(|e| panic!("{e}"));
        n += 1;
        simulation = model.resume(backend, &options(), &place.0).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn a_run_in_pieces_is_the_run() {
    let mut model = model(NETWORK);
    for precision in [Precision::F64, Precision::F32] {
        model.set_precision(precision);
        let backends: [&dyn Backend; 2] = [&Cpu, &Interp];
        for backend in backends {
            let mut whole = model.simulate(backend, &options()).unwrap();
            assert_eq!(perform(&mut whole, u64::MAX), Outcome::Finished);
            for steps in [1, 7, 100] {
                let (mut pieces, n) = in_pieces(&model, backend, steps);
                assert!(n > 2, "{n}");
                assert_eq!(seen(&mut pieces), seen(&mut whole));
            }
        }
    }
}

/// Every shipped model that says what is done with it, which is where states are hardest to keep: delays and synapses
/// that change, states that are stored, networks within networks.
#[test]
fn protocols_go_on_where_they_were() {
    let models = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let protocol = Model::read(models.join("protocol.toml")).unwrap_or_else(|e| panic!("{e}"));
    let runs = r#"
[network.alone]
objects = ["cells"]
[[run]]
duration = "5 ms"
[[run]]
delays.all.pre = "2 ms"
store = "late"
duration = "5 ms"
[[run]]
connect.all = { rule = "fixed_probability", p = 0.5 }
duration = "5 ms"
[[run]]
delays.all.pre = "rand()*4*ms"
set.cells.x = "rand()"
duration = "4 ms"
[[run]]
network = "alone"
duration = "3 ms"
[[run]]
duration = "2 ms"
until = { of = "cells", condition = "v > 9*mV", count = 2 }
[[run]]
off = ["all"]
duration = "3 ms"
[[run]]
restore = "late"
duration = "5 ms"
"#;
    let changing = model(&format!("{NETWORK}\n{runs}"));
    let mut growing =
        Model::read(models.join("structural_plasticity.toml")).unwrap_or_else(|e| panic!("{e}"));
    growing.set_duration("500 ms");
    for (model, steps) in [(protocol, 997), (changing, 13), (growing, 90)] {
        let mut whole = model.simulate(&Cpu, &options()).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(perform(&mut whole, u64::MAX), Outcome::Finished);
        let (mut pieces, n) = in_pieces(&model, &Cpu, steps);
        assert!(n > 2, "{n}");
        assert_eq!(seen(&mut pieces), seen(&mut whole));
    }
}

#[test]
fn another_model_is_refused_by_name() {
    let place = Place::new();
    let mut simulation = model(NETWORK).simulate(&Cpu, &options()).unwrap();
    simulation.run(1e-3).unwrap();
    simulation.checkpoint(&place.0).unwrap();
    for (from, to, what) in [
        ("seed = 8", "seed = 9", "seed"),
        ("15*mV", "16*mV", "fingerprint of the model"),
        ("size = 30", "size = 31", "fingerprint of the model"),
        ("0.1 ms", "0.2 ms", "step in seconds"),
        ("40 ms", "41 ms", "duration in seconds"),
    ] {
        let other = model(&NETWORK.replacen(from, to, 1));
        match other.resume(&Cpu, &options(), &place.0) {
            Err(Error::Build(BuildError::Checkpoint(CheckpointError::Differs { what: found, .. }))) => {
                assert_eq!(found, what);
            }
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("`{to}` was accepted"),
        }
    }
}

#[test]
fn what_a_program_changed_by_calls_is_in_no_checkpoint() {
    let mut simulation = model(NETWORK).simulate(&Cpu, &options()).unwrap();
    simulation.set("cells.x", &[3.0]).unwrap();
    let place = Place::new();
    simulation.checkpoint(&place.0).unwrap();
    let mut other = model(NETWORK).resume(&Cpu, &options(), &place.0).unwrap();
    assert_eq!(other.values("cells.x").unwrap(), [3.0; 30]);
    let delay = neuropil_model::Delay::Steps(3);
    simulation.set_delay(neuropil_model::ProjectionId::new(0), 0, delay).unwrap();
    match simulation.checkpoint(&place.0) {
        Err(RunError::Checkpoint(CheckpointError::Changed)) => {}
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damage_is_an_error(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
        head in any::<bool>(),
    ) {
        let place = Place::new();
        let model = model(NETWORK);
        let mut simulation = model.simulate(&Interp, &options()).unwrap();
        simulation.run(5e-4).unwrap();
        simulation.checkpoint(&place.0).unwrap();
        let whole = fs::read(&place.0).unwrap();
        let mut changed = whole.clone();
        for (at, byte) in changes {
            // Half of the time where most is decided.
            let length = if head { changed.len().min(200) } else { changed.len() };
            let at = at.index(length);
            changed[at] = byte;
        }
        if is_cut {
            changed.truncate(cut.index(whole.len()));
        }
        fs::write(&place.0, &changed).unwrap();
        let result = model.resume(&Interp, &options(), &place.0);
        prop_assert_eq!(result.is_ok(), changed == whole);
    }
}
