//! What models become: facts about the networks of `models/good`, and about single expressions.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use neuropil_base::{Scalar, ScalarType, Text};
use neuropil_model::{
    Connect, Delay, EventSource, Expr, ExprKind, Initial, Method, Network, ObjectId, Population,
    PopulationId, Projection, ProjectionId, RecorderKind, Reduce, Refractory, Side, VariableKind,
};
use neuropil_sema::{Constants, Expected, analyse, constants, expression};
use neuropil_source::{NetworkSource, read_str};
use neuropil_units::Dimension;

fn source(text: &str) -> NetworkSource {
    let (source, diagnostics) = read_str("m.toml", text);
    assert!(diagnostics.is_empty(), "{}", diagnostics.render(&source.files));
    source
}

fn network(text: &str) -> Network {
    let source = source(text);
    let (network, diagnostics) = analyse(&source);
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render(&source.files));
    network.unwrap()
}

fn good(name: &str) -> Network {
    let path = format!("{}/tests/models/good/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    network(&std::fs::read_to_string(path).unwrap())
}

fn population<'a>(network: &'a Network, name: &str) -> &'a Population {
    network.populations.iter().find(|p| p.name == name).unwrap()
}

fn projection<'a>(network: &'a Network, name: &str) -> &'a Projection {
    network.projections.iter().find(|p| p.name == name).unwrap()
}

fn condition(population: &Population) -> &Expr {
    match &population.events[0].source {
        EventSource::Condition(e) => e,
        EventSource::List { .. } => panic!("a list"),
    }
}

fn count(e: &Expr, predicate: impl Fn(&ExprKind) -> bool) -> usize {
    let mut n = 0;
    e.walk(&mut |e| n += usize::from(predicate(&e.kind)));
    n
}

#[test]
fn no_reference_to_a_subexpression_is_left() {
    for name in ["lif", "rates", "inputs"] {
        let network = good(name);
        let is_subexpression = |e: &Expr| match &e.kind {
            ExprKind::Variable(r) => matches!(network.variable(*r).kind, VariableKind::Subexpression(_)),
            _ => false,
        };
        let mut all: Vec<&Expr> = Vec::new();
        for p in &network.populations {
            all.extend(p.equations.iter().map(|e| &e.rhs));
            all.extend(p.events.iter().flat_map(|e| e.reset.expressions()));
            all.extend(p.events.iter().filter_map(|e| match &e.source {
                EventSource::Condition(c) => Some(c),
                EventSource::List { .. } => None,
            }));
        }
        for p in &network.projections {
            all.extend(p.equations.iter().chain(&p.event_driven).map(|e| &e.rhs));
            all.extend(p.pathways.iter().flat_map(|p| p.block.expressions()));
            all.extend(p.sums.iter().map(|s| &s.value));
        }
        assert!(!all.iter().any(|e| e.any(&mut |e| is_subexpression(e))), "{name}");
    }
}

#[test]
fn a_refractory_population_remembers_its_spikes() {
    let network = good("lif");
    let cells = population(&network, "cells");
    let kind = |name: &str| &cells.variables[cells.variable_named(name).unwrap().index()].kind;
    assert_eq!(kind("lastspike"), &VariableKind::LastSpike);
    assert_eq!(kind("not_refractory"), &VariableKind::NotRefractory);
    assert!(matches!(cells.refractory, Refractory::Time(_)));
    let not_refractory = cells.variable_named("not_refractory").unwrap();
    let spike = condition(cells);
    assert!(spike.any(&mut |e| matches!(&e.kind, ExprKind::Variable(r) if r.variable == not_refractory)));
    let EventSource::Condition(high) = &cells.events[1].source else { panic!() };
    assert!(
        !high.any(&mut |e| matches!(&e.kind, ExprKind::Variable(r) if r.variable == not_refractory)),
        "other events happen in refractory neurons too"
    );
    assert_eq!(cells.method, Method::Euler);
    assert_eq!(cells.size, 100);
    assert!(cells.variables[cells.variable_named("v").unwrap().index()].unless_refractory);
}

#[test]
fn initial_values_are_set_in_the_order_in_which_they_are_written() {
    let text = r#"
        [neuron.n]
        equations = """
        a : 1
        b : 1
        c : 1
        """
        [population.p]
        neuron = "n"
        size = 1
        initial.c = 1
        initial.a = "2*c"
    "#;
    let network = network(text);
    let names: Vec<&str> = network.populations[0].variables.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["c", "b", "a"]);
    assert_eq!(network.populations[0].variables[1].initial, Initial::Zero);
}

#[test]
fn a_neurons_subexpression_in_a_synapse_counts_from_the_start_of_the_view() {
    let text = r#"
        [neuron.n]
        equations = """
        v : 1
        x = i + v + rand() : 1
        """
        threshold = "v > 1"
        [synapse.s]
        on_pre = "v_post += x_pre"
        [population.p]
        neuron = "n"
        size = 10
        [view.w]
        of = "p"
        range = [3, 8]
        [projection.q]
        synapse = "s"
        source = "w"
        target = "p"
        connect = "all_to_all"
    "#;
    let network = network(text);
    let value = network.projections[0].pathways[0].block.expressions().next().unwrap();
    assert_eq!(count(value, |k| *k == ExprKind::Index(Side::Pre)), 1);
    assert_eq!(count(value, |k| *k == ExprKind::Constant(Scalar::I32(3))), 1);
    assert_eq!(count(value, |k| matches!(k, ExprKind::Random(r) if r.side == Side::Pre)), 1);
    assert_eq!(count(value, |k| matches!(k, ExprKind::Variable(r) if r.side == Side::Pre)), 1);
}

#[test]
fn every_occurrence_of_a_random_function_has_its_own_site() {
    let network = network(
        r#"
        [neuron.n]
        equations = "dv/dt = (rand() + rand() + xi*ms**0.5 + xi*ms**0.5 + xi_2*ms**0.5 - v)/ms : 1"
        [population.p]
        neuron = "n"
        size = 1
    "#,
    );
    let mut random = Vec::new();
    let mut noise = Vec::new();
    network.populations[0].equations[0].rhs.walk(&mut |e| match &e.kind {
        ExprKind::Random(r) => random.push(r.site),
        ExprKind::Noise(n) => noise.push(n.site),
        _ => {}
    });
    assert_ne!(random[0], random[1]);
    assert_eq!(noise[0], noise[1]);
    assert_ne!(noise[0], noise[2]);
    assert_eq!(network.next_site, 4);
}

#[test]
fn delays_are_rounded_to_steps_of_the_events_clock() {
    let network = good("lif");
    let rec = projection(&network, "rec");
    assert_eq!(rec.pathways[0].delay, Delay::Steps(15));
    assert!(matches!(rec.pathways[1].delay, Delay::PerSynapse(_)));
    assert_eq!((rec.pathways[0].placed.order, rec.pathways[1].placed.order), (-1, 1));
    assert_eq!((rec.source.start, rec.source.len), (10, 10));
    let last = rec.last_update.expect("it has event-driven equations");
    assert_eq!(rec.variables[last.index()].name, "lastupdate");
    assert_eq!(rec.event_driven.len(), 1);
    assert!(matches!(
        &rec.connect,
        Connect::Condition { condition: Some(_), probability: Some(_), repeat: 1 }
    ));
}

#[test]
fn implicit_equations_are_solved() {
    let network = good("rates");
    let p = population(&network, "p");
    // tau*dr/dt + r = ... gives dr/dt = (... - r)/tau.
    let ExprKind::Binary(neuropil_math::BinaryOp::Div, _, tau) = &p.equations[0].rhs.kind else {
        panic!("{:?}", p.equations[0].rhs)
    };
    assert_eq!(tau.as_real(), Some(0.01));
    let ExprKind::Binary(neuropil_math::BinaryOp::Div, _, tau) = &p.equations[1].rhs.kind else {
        panic!("{:?}", p.equations[1].rhs)
    };
    assert_eq!(tau.as_real(), Some(0.005));
}

#[test]
fn channels_receive_the_sums_of_all_projections_that_end_there() {
    let network = good("rates");
    let p = population(&network, "p");
    let names: Vec<&str> =
        p.variables.iter().filter(|v| v.kind == VariableKind::SumTarget).map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["total", "sum_exc", "sum_inh_i_0", "sum_inh_i2_1"], "a maximum and a sum stay apart");
    let e = projection(&network, "e");
    assert_eq!(e.sums.len(), 2);
    assert!(e.sums.iter().all(|s| s.delay == Delay::Steps(20) && s.target.side == Side::Post));
    assert_eq!(projection(&network, "i").sums[0].reduce, Reduce::Max);
    assert_eq!(projection(&network, "i2").variables[0].initial, Initial::Values(vec![1.0, 0.5]));
    let RecorderKind::State { elements, .. } = &network.recorders.last().unwrap().kind else { panic!() };
    assert_eq!(elements.len(), 6);
}

const RELAY: &str = r#"
[neuron.relay]
equations = """
v : 1
total : 1
"""
threshold = "v > 1"
[population.p]
neuron = "relay"
size = 3
[projection.q]
synapse = "s"
source = "p"
target = "p"
connect = "all_to_all"
"#;

#[test]
fn a_delay_of_spikes_does_not_hold_back_a_weighted_sum() {
    let synapse = r#"
[synapse.s]
equations = """
w : 1
total_post = w*v_pre : 1 (summed)
"""
"#;
    let rates = network(&format!("{RELAY}delay = '2 ms'{synapse}"));
    assert_eq!(projection(&rates, "q").sums[0].delay, Delay::Steps(20));
    // Delays that differ between synapses belong to spikes alone.
    let spikes = network(&format!("{RELAY}delay = 'i*ms'{synapse}on_pre = 'w += 1'"));
    assert_eq!(projection(&spikes, "q").sums[0].delay, Delay::None);
}

#[test]
fn a_bare_lastspike_in_a_synapse_is_the_postsynaptic_neurons() {
    let network = network(&format!(
        "{RELAY}[synapse.s]\nequations = 'w : 1'\non_pre = 'w = (t - lastspike)/ms + int(not_refractory)'"
    ));
    let block = &projection(&network, "q").pathways[0].block;
    let is_post = |kind: &ExprKind| matches!(kind, ExprKind::Variable(r) if r.side == Side::Post);
    assert_eq!(block.expressions().map(|e| count(e, is_post)).sum::<usize>(), 2);
}

#[test]
fn inputs_become_populations_with_a_spike() {
    let network = good("inputs");
    let rate = |name: &str| {
        let p = population(&network, name);
        p.variables[p.variable_named("rate").unwrap().index()].clone()
    };
    assert!(matches!(rate("constant").initial, Initial::Expr(e) if e.as_real() == Some(10.0)));
    assert!(matches!(rate("per_neuron").kind, VariableKind::Parameter { constant: false }));
    assert!(matches!(rate("changing").kind, VariableKind::Subexpression(_)));
    assert_eq!(
        population(&network, "list").events[0].source,
        EventSource::List { steps: vec![3, 20, 20], neurons: vec![0, 1, 2], period_steps: 50 }
    );
    assert_eq!(
        population(&network, "regular").events[0].source,
        EventSource::List { steps: vec![0, 20, 40, 60], neurons: vec![0, 1, 2, 3], period_steps: 100 }
    );
    let late = population(&network, "late");
    assert!(matches!(late.events[0].source, EventSource::Condition(_)));
    assert_eq!(network.clock(late.clock).dt, 1e-3);
}

#[test]
fn recorders_are_named_after_what_they_record() {
    let network = good("lif");
    let names: Vec<&str> = network.recorders.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["cells_spikes", "left_spikes", "cells_high_spikes", "cells_rate", "traces"]);
    let RecorderKind::State { elements, variables, .. } = &network.recorders[4].kind else { panic!() };
    assert_eq!(elements, &[10, 19], "neurons of a view are counted within the population");
    assert_eq!(variables.len(), 3);
    assert_eq!(network.clock(network.recorders[4].clock).dt, 1e-3);
}

#[test]
fn every_built_in_model_is_accepted() {
    for model in neuropil_library::MODELS {
        let (source, _) = read_str(model.name, model.text);
        let (network, diagnostics) = analyse(&source);
        assert!(network.is_some() && diagnostics.is_empty(), "{}", diagnostics.render(&source.files));
    }
}

#[test]
fn constants_are_evaluated_in_order() {
    let (constants, diagnostics) =
        constants(&source("[constants]\na = \"10 nS/cm2\"\nb = \"a*2*cm2\"\nn = 3\n"));
    assert!(diagnostics.is_empty());
    assert_eq!(constants.get("b"), Some((Scalar::F64(2e-8), Dimension::SIEMENS)));
    assert_eq!(constants.get("n"), Some((Scalar::I32(3), Dimension::NONE)));
}

/// The value of a constant expression.
fn value(text: &str) -> Scalar {
    let (constants, diagnostics) = constants(&source(&format!("[constants]\nx = {text:?}\n")));
    assert!(diagnostics.is_empty(), "{text}");
    constants.get("x").unwrap().0
}

#[test]
fn integers_stay_integers_where_they_can() {
    assert_eq!(value("7 // 2"), Scalar::I32(3));
    assert_eq!(value("-7 % 3"), Scalar::I32(2));
    assert_eq!(value("7 / 2"), Scalar::F64(3.5));
    assert_eq!(value("int(True) + 1"), Scalar::I32(2));
    assert_eq!(value("2**3"), Scalar::F64(8.0));
    assert_eq!(value("3 if 1 < 2 else 4"), Scalar::I32(3));
    assert_eq!(value("1 < 2 < 3"), Scalar::Bool(true));
}

#[test]
fn a_number_before_a_unit_is_rounded_once() {
    assert_eq!(value("1.1*ms"), Scalar::F64(1.1e-3));
    assert_eq!(value("1.1 ms"), Scalar::F64(1.1e-3));
    assert_eq!(value("0 + 1.1*ms"), Scalar::F64(1.1e-3));
}

#[test]
fn an_expression_is_checked_against_a_finished_network() {
    let network = good("lif");
    let cells = ObjectId::Population(PopulationId::new(0));
    let rec = ObjectId::Projection(ProjectionId::new(0));
    let mut constants = Constants::new();
    constants.insert("V0", Scalar::F64(0.01), Dimension::VOLT);
    let volt = Some(Expected { ty: ScalarType::F64, dimension: Dimension::VOLT });
    let check =
        |object, text: &str, expected| expression(&network, object, &Text::from(text), expected, &constants);
    let checked = check(cells, "V0*rand() + I + v", volt).unwrap();
    assert_eq!(checked.next_site, network.next_site + 1);
    assert_eq!(checked.dimension, Dimension::VOLT);
    assert!(checked.expr.any(&mut |e| e.kind == ExprKind::Time), "the subexpression is put in");
    assert!(check(rec, "v_pre - v_post + far*mV", volt).is_ok());
    assert!(check(cells, "-60 mV", volt).is_ok());
    assert!(
        check(cells, "i > 3", Some(Expected { ty: ScalarType::Bool, dimension: Dimension::NONE })).is_ok()
    );
    let error = check(cells, "v + 1", volt).unwrap_err();
    assert_eq!(error.iter().next().unwrap().code, "unit-mismatch");
    assert!(check(cells, "", None).is_err());
}
