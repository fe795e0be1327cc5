//! Spikes of deterministic networks, one by one, against those that another simulator computed (`golden/`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::path::Path;

use neuropil::{Backend, Cpu, Interp, Model, Options, RecordTo};

/// Runs `golden/NAME.toml` on every backend and compares with `golden/NAME.spikes.txt`.
fn agrees(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let model = Model::read(folder.join(format!("{name}.toml"))).unwrap_or_else(|e| panic!("{e}"));
    let golden: Vec<(i64, u32)> = std::fs::read_to_string(folder.join(format!("{name}.spikes.txt")))
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (step, neuron) = line.split_once(' ').unwrap();
            (step.parse().unwrap(), neuron.parse().unwrap())
        })
        .collect();
    assert!(golden.len() > 100);
    let backends: [(&dyn Backend, usize); 3] = [(&Interp, 1), (&Cpu, 1), (&Cpu, 2)];
    for (backend, threads) in backends {
        let options = Options { threads, record: RecordTo::Memory };
        let mut simulation = model.simulate(backend, &options).unwrap_or_else(|e| panic!("{e}"));
        simulation.run(simulation.network().duration).unwrap();
        let (times, neurons) = simulation.spikes("cells").unwrap();
        let steps = times.iter().map(|t| (t / simulation.dt()).round() as i64);
        let found: Vec<(i64, u32)> = steps.zip(neurons).collect();
        let first = golden.iter().zip(&found).position(|(a, b)| a != b);
        assert_eq!(
            first.map(|k| (golden[k], found[k])),
            None,
            "{name} on {}: the first spike that differs, (step, neuron)",
            backend.name()
        );
        assert_eq!(golden.len(), found.len(), "{name} on {}", backend.name());
    }
}

#[test]
fn exact_integration_and_refractoriness_agree_with_brian() {
    agrees("cuba");
}

#[test]
fn delays_per_synapse_and_exponential_euler_agree_with_brian() {
    agrees("delays");
}

#[test]
fn event_driven_plasticity_on_both_sides_agrees_with_brian() {
    agrees("stdp");
}
