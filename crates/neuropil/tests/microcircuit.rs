//! The cortical microcircuit that ships: its sizes and numbers of synapses at full scale are those of the paper, and
//! what is built at a small scale has the in-degrees, weights and delays that it says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use neuropil::{Cpu, Model, Options, RecordTo, Simulation};
use neuropil_model::{Connect, Network};

const POPULATIONS: [&str; 8] = ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"];
const SIZES: [f64; 8] = [20683.0, 5834.0, 21915.0, 5479.0, 4850.0, 1065.0, 14395.0, 2948.0];
/// Potjans and Diesmann (2014), table 5: how probable it is that a neuron of the row gets a synapse or more from one of the
/// column.
const PROBABILITIES: [[f64; 8]; 8] = [
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
    [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
    [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
];
/// Weights in amperes: of excitatory synapses at full scale.
const W: f64 = 87.80849352920845e-12;

fn microcircuit(changes: &[&str]) -> Model {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/microcircuit.toml");
    let mut model = Model::read(path).unwrap_or_else(|e| panic!("{e}"));
    for change in changes {
        model.set(change).unwrap_or_else(|e| panic!("{e}"));
    }
    model
}

/// The synapses of the full circuit onto a population from another: Potjans and Diesmann, equation 1.
fn synapses(target: usize, source: usize) -> f64 {
    let pairs = SIZES[source] * SIZES[target];
    #[allow(clippy::disallowed_methods, reason = "a judge of ours, not a result")]
    let synapses = (1.0 - PROBABILITIES[target][source]).ln() / (-1.0 / pairs).ln_1p();
    synapses.round()
}

/// The number of a population among the eight, by the neuron that it begins with.
fn numbered(starts: &[u32], start: u32) -> usize {
    starts.iter().position(|s| *s == start).unwrap()
}

/// The first neuron of each population.
fn starts(network: &Network) -> Vec<u32> {
    let mut starts: Vec<u32> = network.projections.iter().map(|p| p.source.start).collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

#[test]
fn sizes_and_numbers_of_synapses_are_those_of_the_paper() {
    for scale in [1.0_f64, 0.3, 0.1] {
        let (network, _) = microcircuit(&[&format!("scale={scale}")]).network().unwrap();
        let sizes = SIZES.map(|n| (n * scale).round() as u32);
        assert_eq!(network.populations[0].size, sizes.iter().sum::<u32>());
        let starts = starts(&network);
        assert_eq!(starts.len(), 8);
        let mut left: Vec<(usize, usize)> =
            (0..64).map(|k| (k / 8, k % 8)).filter(|&(t, s)| PROBABILITIES[t][s] > 0.0).collect();
        let mut total = 0;
        for projection in &network.projections {
            let (source, target) = (&projection.source, &projection.target);
            let (s, t) = (numbered(&starts, source.start), numbered(&starts, target.start));
            assert_eq!((source.len, target.len), (sizes[s], sizes[t]));
            assert_eq!(projection.name, format!("{}_{}", POPULATIONS[s], POPULATIONS[t]));
            let Connect::FixedTotalNumber(rule) = &projection.connect else { panic!("{projection:?}") };
            assert_eq!(rule.n, (scale * scale * synapses(t, s)).round() as u64, "{}", projection.name);
            assert!(rule.multapses && rule.self_connections);
            left.retain(|pair| *pair != (t, s));
            total += rule.n;
        }
        assert!(left.is_empty(), "{left:?}");
        if scale >= 1.0 {
            assert_eq!((network.populations[0].size, total), (77_169, 298_880_970));
        }
    }
}

fn built(model: &Model) -> Simulation {
    let options = Options { threads: 2, record: RecordTo::Nothing };
    model.simulate(&Cpu, &options).unwrap_or_else(|e| panic!("{e}"))
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt())
}

#[test]
fn weights_have_the_stated_means_and_deviations() {
    let mut simulation = built(&microcircuit(&["scale=0.04"]));
    let names: Vec<String> = simulation.network().projections.iter().map(|p| p.name.clone()).collect();
    for name in names {
        let weights = simulation.values(&format!("{name}.w")).unwrap();
        let mean = match name.as_str() {
            "L4E_L23E" => 2.0 * W,
            name if name.split('_').next().unwrap().ends_with('I') => -4.0 * W,
            _ => W,
        } / 0.04_f64.sqrt();
        let (found, deviation) = mean_and_deviation(&weights);
        let n = weights.len() as f64;
        // Five standard errors of a mean and of a deviation, and all signs are right.
        assert!((found / mean - 1.0).abs() < 0.5 / n.sqrt(), "{name}: {found} {mean}");
        assert!((deviation / mean.abs() - 0.1).abs() < 0.5 / (2.0 * n).sqrt() + 1e-6, "{name}: {deviation}");
        assert!(weights.iter().all(|w| w.signum() == mean.signum()), "{name}");
    }
}

#[test]
fn neurons_begin_as_their_population_does() {
    let scale = 0.04;
    let mut simulation = built(&microcircuit(&["scale=0.04"]));
    let mut driven = built(&microcircuit(&["scale=0.04", "dc=1"]));
    let layers = simulation.values("neurons.layer").unwrap();
    let sources = simulation.values("neurons.n_ext").unwrap();
    let potentials = simulation.values("neurons.v").unwrap();
    let currents = simulation.values("neurons.I_dc").unwrap();
    let constant = driven.values("neurons.I_dc").unwrap();
    let expected = [1600.0, 1500.0, 2100.0, 1900.0, 2000.0, 1900.0, 2900.0, 2100.0];
    let means = [-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43];
    let rates = [0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829];
    for layer in 0..8 {
        let of: Vec<usize> = (0..layers.len()).filter(|k| layers[*k] == layer as f64).collect();
        assert_eq!(of.len() as f64, (SIZES[layer] * scale).round());
        assert!(of.iter().all(|k| sources[*k] == (expected[layer] * scale).round()));
        let (mean, deviation) = mean_and_deviation(&of.iter().map(|k| potentials[*k]).collect::<Vec<_>>());
        assert!((mean * 1e3 - means[layer]).abs() < 5.0 * deviation * 1e3 / (of.len() as f64).sqrt());
        // What the circuit gives to a neuron of the full circuit, and how much of it is missing.
        let weight = |source: usize| match (source % 2, (layer, source)) {
            (1, _) => -4.0 * W,
            (_, (0, 2)) => 2.0 * W,
            _ => W,
        };
        let recurrent: f64 =
            (0..8).map(|s| weight(s) * synapses(layer, s) / SIZES[layer] * rates[s] * 0.5e-3).sum();
        let external = W * expected[layer] * 8.0 * 0.5e-3;
        let missing = 1.0 - f64::sqrt(scale);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-5 * b.abs() + 1e-15;
        assert!(close(currents[of[0]], missing * (recurrent + external)), "{layer}");
        assert!(close(constant[of[0]], missing * recurrent + external), "{layer}");
    }
}

#[test]
fn delays_that_are_shorter_than_half_a_step_are_drawn_again() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/microcircuit.toml");
    // A variable with the delays' distribution can be read.
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.replace("w : amp\n", "w : amp\nseen : second\n");
    let text = text.replace("initial.w = ", "initial.seen = \"travel\"\ninitial.w = ");
    let mut model = Model::parse("seen.toml", &text).unwrap_or_else(|e| panic!("{e}"));
    model.set("scale=0.04").unwrap();
    let mut simulation = built(&model);
    // Mean and share of the shortest of normal distributions that are cut at half a step, in steps.
    for (name, expected) in [("L23E_L23E", 15.474), ("L4I_L4E", 7.770)] {
        let delays: Vec<f64> =
            simulation.values(&format!("{name}.seen")).unwrap().iter().map(|d| d / 1e-4).collect();
        assert!(delays.iter().all(|d| *d >= 0.5 - 1e-3), "{name}");
        let (mean, deviation) = mean_and_deviation(&delays);
        let error = deviation / (delays.len() as f64).sqrt();
        // One in a thousand is one step long instead of a mean longer.
        assert!((mean - expected).abs() < 5.0 * error + 0.02, "{name}: {mean} {error}");
    }
}
