//! What the plan keeps in order, and what it lets go; how much work a run is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use neuropil::{Builder, Connect, Cpu, CpuOptions, Model, Options, RecordTo, Simulation, Stage};

fn network() -> Model {
    let mut net = Builder::new("two");
    net.dt("1 ms");
    net.neuron("lif")
        .equations("dv/dt = -v/(10*ms) : 1\ndg/dt = -g/(5*ms) : 1")
        .threshold("v > 1")
        .reset("v = 0");
    net.population("a", "lif", 10);
    net.population("b", "lif", 20);
    net.synapse("s").on_pre("g_post += 1");
    net.synapse("inhibit").on_pre("v_post -= 1");
    net.projection("ab", "s", "a", "b").connect(Connect::condition("i == j"));
    net.projection("bb", "inhibit", "b", "b").delay("2 ms");
    net.model()
}

fn simulate(model: &Model) -> Simulation {
    model.simulate(&Cpu, &Options { threads: 1, record: RecordTo::Nothing }).unwrap_or_else(|e| panic!("{e}"))
}

/// The wave of each operation, by name.
fn wave(simulation: &Simulation, name: &str) -> usize {
    let operations = &simulation.program().operations;
    simulation
        .plan()
        .waves()
        .iter()
        .position(|wave| wave.iter().any(|id| operations[id.index()].name == name))
        .unwrap_or_else(|| panic!("no operation `{name}`"))
}

#[test]
fn operations_that_touch_nothing_in_common_share_a_wave() {
    let simulation = simulate(&network());
    assert_eq!(wave(&simulation, "a.update"), wave(&simulation, "b.update"));
    assert_eq!(wave(&simulation, "ab.pre"), wave(&simulation, "bb.pre"), "one writes g, the other v");
}

#[test]
fn a_step_runs_update_threshold_synapses_reset_in_this_order() {
    let simulation = simulate(&network());
    let order = ["b.update", "b.spike", "bb.pre", "b.spike.reset"].map(|name| wave(&simulation, name));
    assert!(order.windows(2).all(|w| w[0] < w[1]), "{order:?}");
}

#[test]
fn the_sequence_is_a_topological_order_of_the_graph() {
    let simulation = simulate(&network());
    let sequence = simulation.plan().sequence();
    for (i, before) in sequence.iter().enumerate() {
        for after in &sequence[..i] {
            assert!(!simulation.plan().precedes(*before, *after));
        }
    }
}

#[test]
fn equal_code_is_compiled_once_and_work_is_counted() {
    let mut net = Builder::new("work");
    net.dt("1 ms");
    net.regular_input("beat", 3, "2 ms", "0 ms");
    net.neuron("sum").equations("x : 1");
    net.population("target", "sum", 4);
    net.synapse("s").on_pre("x_post += 1");
    net.projection("p", "s", "beat", "target");
    let mut simulation = simulate(&net.model());
    for _ in 0..10 {
        simulation.step().unwrap();
    }
    // Three inputs spike in every second step, and each reaches four neurons.
    let counters = simulation.counters();
    assert_eq!((counters.events, counters.synapses), (15, 60));
    assert_eq!(counters.elements, 60, "nothing but synapses runs a kernel");
}

#[test]
fn every_stage_of_a_model_can_be_printed() {
    let model = network();
    for stage in Stage::ALL {
        let text = model.emit(stage).unwrap_or_else(|e| panic!("{e}"));
        assert!(!text.is_empty(), "{}", stage.name());
    }
    assert!(model.emit(Stage::Dot).unwrap().starts_with("digraph step {"));
    let again = Model::parse("again.toml", &model.emit(Stage::Source).unwrap()).unwrap();
    assert_eq!(again.emit(Stage::Plan).unwrap(), model.emit(Stage::Plan).unwrap());
}

#[test]
fn a_condition_over_many_pairs_equals_the_same_pairs_listed() {
    let build = |connect: Connect| {
        let mut net = Builder::new("band");
        net.dt("1 ms").seed(8);
        net.regular_input("beat", 300, "3 ms", "0 ms");
        net.neuron("sum").equations("x : 1");
        net.population("target", "sum", 200);
        net.synapse("s").on_pre("x_post += i + 1");
        net.projection("p", "s", "beat", "target").connect(connect);
        let mut simulation = simulate(&net.model());
        simulation.step().unwrap();
        simulation.values("target.x").unwrap()
    };
    let pairs =
        (0..300_u32).flat_map(|i| (0..200_u32).map(move |j| (i, j))).filter(|(i, j)| i.abs_diff(*j) < 7);
    assert_eq!(build(Connect::condition("abs(i - j) < 7")), build(Connect::pairs(pairs)));
}

#[test]
fn threads_meet_once_per_step_for_events_that_arrive_in_it_and_synapses_take_few_bytes() {
    let split = Cpu.with(CpuOptions { smallest_work: 1, ..CpuOptions::default() });
    let counted = |model: &Model, threads: usize| {
        let options = Options { threads, record: RecordTo::Nothing };
        let mut simulation = model.simulate(&split, &options).unwrap_or_else(|e| panic!("{e}"));
        simulation.run(0.1).unwrap();
        simulation.counters()
    };
    let mut net = Builder::new("net");
    net.dt("1 ms");
    net.neuron("lif")
        .equations("dv/dt = (1.1 - v)/(10*ms) : 1")
        .threshold("v > 1")
        .reset("v = 0")
        .refractory("2 ms");
    net.population("cells", "lif", 400);
    net.synapse("s").on_pre("v_post += 0.001");
    net.projection("all", "s", "cells", "cells");
    let model = net.model();
    let (one, two) = (counted(&model, 1), counted(&model, 2));
    assert_eq!((one.meetings, two.meetings), (0, 100), "100 steps");
    assert_eq!((one.elements, one.synapses, one.events), (two.elements, two.synapses, two.events));
    // Update and threshold are one kernel; what marks spikes and what resets are two.
    assert_eq!(two.compiled, 3);
    // The first neurons belong to the thread that records; for the last one all have to meet.
    let recording = |neuron: u32| {
        let mut net = net.clone();
        net.record_state("trace", "cells", ["v"], [neuron]);
        counted(&net.model(), 2).meetings
    };
    assert_eq!(recording(1), 100);
    assert!(recording(399) > 200);
    // Two bytes of a target, the same weight for all, and for each row where it begins.
    assert_eq!(one.synapse_bytes, 2 * 400 * 400 + 4 * 401);
    assert_eq!(two.synapse_bytes, 2 * 400 * 400 + 2 * 4 * 401);
}
