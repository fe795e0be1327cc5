//! Spikes of deterministic networks, one by one, against those that another simulator computed (`golden/`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::ops::ControlFlow;
use std::path::Path;

use neuropil::{Backend, Cpu, CpuOptions, Interp, Model, Options, RecordTo, Simulation};

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
    // Two threads share even the smallest population.
    let split = Cpu.with(CpuOptions { smallest_work: 1, ..CpuOptions::default() });
    let backends: [(&dyn Backend, usize); 3] = [(&Interp, 1), (&Cpu, 1), (&split, 2)];
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

/// Runs `golden/NAME.toml` on every backend and compares what its recorders saw with `golden/NAME.states.txt`, which
/// is written with twelve digits.
fn agrees_in_every_state(name: &str) {
    agrees_within(name, 2e-11);
}

/// The same; numbers may differ by a part of themselves, and by a hundredth of that part of 1.
fn agrees_within(name: &str, part: f64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let model = Model::read(folder.join(format!("{name}.toml"))).unwrap_or_else(|e| panic!("{e}"));
    let text = std::fs::read_to_string(folder.join(format!("{name}.states.txt"))).unwrap();
    // Two threads share even the smallest population.
    let split = Cpu.with(CpuOptions { smallest_work: 1, ..CpuOptions::default() });
    let backends: [(&dyn Backend, usize); 3] = [(&Interp, 1), (&Cpu, 1), (&split, 2)];
    for (backend, threads) in backends {
        let options = Options { threads, record: RecordTo::Memory };
        let mut simulation = model.simulate(backend, &options).unwrap_or_else(|e| panic!("{e}"));
        simulation.perform(&mut |_| ControlFlow::Continue(())).unwrap();
        let mut differences = Vec::new();
        let mut lines = text.lines().filter(|line| !line.starts_with('#')).peekable();
        while let Some(title) = lines.next() {
            let words: Vec<&str> = title.split(' ').collect();
            match words.as_slice() {
                ["events", recorder] => {
                    let (steps, neurons) = events_of(&simulation, recorder);
                    let expected = (numbers(lines.next().unwrap()), numbers(lines.next().unwrap()));
                    assert!(!expected.0.is_empty(), "{name}: no event of {recorder} is compared");
                    if expected != (steps.clone(), neurons.clone()) {
                        let pairs: Vec<_> =
                            steps.iter().zip(&neurons).zip(expected.0.iter().zip(&expected.1)).collect();
                        let first = pairs.iter().position(|(a, b)| a != b).unwrap_or(pairs.len());
                        differences.push(format!(
                            "event {first} of {recorder}: {:?} instead of {:?}",
                            steps.get(first).zip(neurons.get(first)),
                            expected.0.get(first).zip(expected.1.get(first))
                        ));
                    }
                }
                ["trace", recorder, variable] => {
                    let trace =
                        simulation.trace(recorder, variable).unwrap_or_else(|e| panic!("{name}: {e}"));
                    let mut element = 0;
                    while let Some(line) =
                        lines.next_if(|l| !l.starts_with("events") && !l.starts_with("trace"))
                    {
                        let expected = numbers(line);
                        let found = trace.line(element);
                        let near = |a: &f64, b: &f64| {
                            a == b || (a - b).abs() <= part * a.abs().max(b.abs()) + 5e-3 * part
                        };
                        let first = expected.iter().zip(&found).position(|(a, b)| !near(a, b));
                        if first.is_some() || expected.len() != found.len() {
                            let k = first.unwrap_or(expected.len().min(found.len()));
                            differences.push(format!(
                                "{recorder}.{variable} of element {element}, row {k} of {}: {:?} instead of {:?}",
                                expected.len(),
                                found.get(k),
                                expected.get(k)
                            ));
                        }
                        element += 1;
                    }
                    assert_eq!(element, trace.n_indices(), "{name}: elements of {recorder}");
                }
                _ => panic!("{name}: `{title}`"),
            }
        }
        assert!(differences.is_empty(), "{name} on {}:\n{}", backend.name(), differences.join("\n"));
    }
}

fn numbers(line: &str) -> Vec<f64> {
    line.split_ascii_whitespace().map(|word| word.parse().unwrap()).collect()
}

/// The steps and the neurons of recorded events.
fn events_of(simulation: &Simulation, recorder: &str) -> (Vec<f64>, Vec<f64>) {
    let memory = simulation.recorded().unwrap();
    let id =
        memory.find(&format!("{recorder}_spikes")).unwrap_or_else(|| panic!("no recorder of {recorder}"));
    let (steps, neurons) = memory.spikes(id).unwrap();
    (steps.iter().map(|s| *s as f64).collect(), neurons.iter().map(|n| f64::from(*n)).collect())
}

#[test]
fn events_of_a_neurons_own_and_their_pathways_agree_with_brian() {
    agrees_in_every_state("events");
}

#[test]
fn pathways_of_any_order_and_delay_that_write_both_ends_agree_with_brian() {
    agrees_in_every_state("pathways");
}

#[test]
fn gap_junctions_and_sums_of_synaptic_states_agree_with_brian() {
    agrees_in_every_state("gaps");
}

#[test]
fn several_clocks_agree_with_brian() {
    agrees_in_every_state("clocks");
}

#[test]
fn timed_arrays_agree_with_brian() {
    agrees_in_every_state("timed");
}

#[test]
fn refractoriness_of_every_kind_agrees_with_brian() {
    agrees_in_every_state("refractory");
}

#[test]
fn a_recorder_at_any_slot_sees_what_brians_monitor_sees() {
    agrees_in_every_state("slots");
}

#[test]
fn views_agree_with_brian() {
    agrees_in_every_state("views");
}

#[test]
fn branched_neurons_with_channels_agree_with_brian() {
    agrees_in_every_state("cable");
}

#[test]
fn neurons_with_a_soma_agree_with_brian_as_far_as_its_digits_go() {
    // golden/cable.py says why Brian has seven digits here.
    agrees_within("soma", 2e-6);
}

#[test]
fn periodic_code_held_subexpressions_numbers_of_synapses_and_binomial_inputs_agree_with_brian() {
    agrees_in_every_state("recurring");
}

#[test]
fn linked_variables_agree_with_brian() {
    agrees_in_every_state("linked");
}

#[test]
fn projections_that_end_on_synapses_agree_with_brian() {
    agrees_in_every_state("tripartite");
}

#[test]
fn exponential_euler_with_instantaneous_activation_agrees_with_brian() {
    agrees_in_every_state("wang_buzsaki");
}

#[test]
fn several_runs_with_changes_in_between_agree_with_brian() {
    agrees_in_every_state("several");
}
