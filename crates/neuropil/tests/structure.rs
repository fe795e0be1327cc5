//! What projections connect and how they share: delays of weighted sums, synapses of synapses, shared weights. Each
//! answer is a number that a wrong synapse, step or order changes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use common::{each, model};
use neuropil::Model;

/// The values of a variable after each of some steps; all backends agree.
fn course(model: &Model, variable: &str, steps: usize) -> Vec<Vec<f64>> {
    let mut first: Option<Vec<Vec<f64>>> = None;
    each(model, |simulation| {
        let mut found = Vec::new();
        for _ in 0..steps {
            simulation.step().unwrap();
            found.push(simulation.values(variable).unwrap());
        }
        assert_eq!(first.get_or_insert_with(|| found.clone()), &found);
    });
    first.unwrap()
}

/// Neurons whose rate grows by their number plus one in each step, and sums of what it was; `end` is the projection's.
fn growing(precision: &str, end: &str) -> Model {
    let header = if end.contains("[population.target]") { "" } else { "[population.target]" };
    model(&format!(
        r#"
dt = "1 ms"
precision = "{precision}"
method = "euler"
[neuron.source]
equations = "dr/dt = (i + 1)/ms : 1"
[neuron.target]
equations = "x : 1"
[population.source]
neuron = "source"
size = 4
initial.r = "100*i"
[synapse.s]
equations = "w : 1"
sum = [{{ into = "x", expression = "w*r_pre" }}]
[projection.p]
synapse = "s"
source = "source"
target = "target"
{end}
{header}
neuron = "target"
size = 5
"#
    ))
}

/// The rate of neuron `i` at the beginning of a step; before the first it is the initial one.
fn rate(i: i64, step: i64) -> f64 {
    (100 * i + (i + 1) * step.max(0)) as f64
}

#[test]
fn each_synapse_sums_the_value_of_its_own_number_of_steps_ago() {
    for format in ["csr", "ell", "dense"] {
        for precision in ["f32", "f64"] {
            let model = growing(
                precision,
                &format!(
                    "connect = {{ rule = 'condition', condition = 'i != j' }}\nformat = '{format}'\n\
                     weight = '2**i'\ndelay = '((3*i + 2*j) % 7)*ms'"
                ),
            );
            let found = course(&model, "target.x", 12);
            for (step, found) in (0..).zip(found) {
                let of = |j: i64| {
                    let synapses = (0..4).filter(|i| *i != j);
                    synapses.map(|i| f64::from(1 << i) * rate(i, step - (3 * i + 2 * j) % 7)).sum()
                };
                assert_eq!(found, (0..5).map(of).collect::<Vec<f64>>(), "{format} {precision} step {step}");
            }
        }
    }
}

#[test]
fn equal_delays_of_sums_equal_one_for_all() {
    let tail = "connect = { rule = 'fixed_probability', p = 0.6 }\nweight = 'rand()'\ndelay = ";
    for precision in ["f32", "f64"] {
        let scalar = course(&growing(precision, &format!("{tail}'3 ms'")), "target.x", 9);
        for other in ["'(3 + 0*i)*ms'", "'3*ms*exp(0*w)'"] {
            assert_eq!(course(&growing(precision, &format!("{tail}{other}")), "target.x", 9), scalar);
        }
    }
}

#[test]
fn listed_delays_of_sums_follow_the_list_of_pairs() {
    let model = growing(
        "f64",
        "connect = { rule = 'pairs', pairs = [[3, 1], [0, 1], [3, 1]] }\nweight = [1, 1000, 1000000]\n\
         delay = { values = [4, 0, 2], unit = 'ms' }",
    );
    for (step, found) in (0..).zip(course(&model, "target.x", 8)) {
        let expected = rate(3, step - 4) + 1e3 * rate(0, step) + 1e6 * rate(3, step - 2);
        assert_eq!(found, [0.0, expected, 0.0, 0.0, 0.0]);
    }
}

#[test]
fn delays_of_sums_are_counted_on_the_clock_of_the_target() {
    let slow = "connect = { rule = 'pairs', pairs = [[2, 0]] }\ndelay = '(4 + 0*i)*ms'\nweight = 1\n\
                [population.target]\ndt = '2 ms'";
    let model = growing("f64", slow);
    for (step, found) in (0..).zip(course(&model, "target.x", 12)) {
        // The sum is taken at even steps and stands until the next.
        let taken: i64 = step / 2 * 2;
        assert_eq!(found[0], rate(2, taken - 4));
    }
}

#[test]
fn a_delayed_subexpression_has_the_value_that_it_had_then() {
    // The rate is no variable: it is what a timed array, the time and a random number say at each step.
    let model = model(
        r#"
dt = "1 ms"
[input.pattern]
kind = "timed_array"
values = [[1, 2, 4], [8, 16, 32], [64, 128, 256], [512, 1024, 2048]]
dt = "1 ms"
[neuron.source]
equations = """
r = pattern(t, i) + 10000*gain : 1
noisy = rand() : 1
gain : 1 (shared)
"""
[neuron.target]
equations = """
x : 1
y : 1
now : 1
"""
[population.source]
neuron = "source"
size = 3
initial.gain = 3
[population.target]
neuron = "target"
size = 2
[synapse.s]
equations = "double = 2*r_pre : 1"
[[synapse.s.sum]]
into = "x"
expression = "double + gain_pre"
[[synapse.s.sum]]
into = "y"
expression = "noisy_pre"
delay = "(2 + 0*i)*ms"
[projection.p]
synapse = "s"
source = "source"
target = "target"
connect = "all_to_all"
delays.x = "(i + j)*ms"
"#,
    );
    let value = |step: i64, i: i64| f64::from(1_i32 << (3 * step.clamp(0, 3) + i)) + 30_000.0;
    for (step, found) in (0..).zip(course(&model, "target.x", 7)) {
        let of = |j: i64| (0..3).map(|i| 2.0 * value(step - i - j, i) + 3.0).sum();
        assert_eq!(found, (0..2).map(of).collect::<Vec<f64>>(), "step {step}");
    }
    let noise = course(&model, "target.y", 8);
    assert_ne!(noise[3], noise[4]);
    assert_eq!(noise[0], noise[2], "the value before the first step is that of the first");
}

#[test]
fn spikes_and_sums_of_one_projection_have_their_own_delays() {
    let text = |delays: &str| {
        format!(
            r#"
dt = "1 ms"
method = "euler"
[neuron.source]
equations = "dr/dt = 1/ms : 1"
threshold = "r == 3"
[neuron.target]
equations = """
x : 1
n : 1
seen = sum(drive) : 1
"""
[population.source]
neuron = "source"
size = 1
[population.target]
neuron = "target"
size = 1
[synapse.s]
on_pre = "n_post += 1"
equations = "x_post = r_pre : 1 (summed)"
sum = [{{ into = "drive", expression = "r_pre", delay = "1 ms" }}]
[projection.p]
synapse = "s"
source = "source"
target = "target"
connect = "all_to_all"
delay = "4 ms"
{delays}
"#
        )
    };
    let last = |text: &str, variable: &str| {
        course(&model(text), variable, 8).iter().map(|v| v[0]).collect::<Vec<f64>>()
    };
    // The threshold is met in step 2, after the update.
    assert_eq!(last(&text(""), "target.n"), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    assert_eq!(last(&text(""), "target.x"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    assert_eq!(last(&text(""), "target.sum_drive"), [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let named = text("delays.x_post = '2 ms'\ndelays.drive = '3 ms'");
    assert_eq!(last(&named, "target.x"), [0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(last(&named, "target.sum_drive"), [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
}

/// Three inputs onto two neurons, all pairs: synapse (i, j) has number `2*i + j`. Input `k` spikes in step `k` and step
/// `k + 4`. `tail` adds projections that end on those synapses.
fn with_synapses(tail: &str) -> Model {
    model(&format!(
        r#"
dt = "1 ms"
[input.source]
kind = "spikes"
size = 3
indices = [0, 1, 2, 0, 1, 2]
times = [0, 1, 2, 4, 5, 6]
unit = "ms"
[neuron.plain]
equations = """
v : 1
total : 1
"""
[population.cells]
neuron = "plain"
size = 2
[population.other]
neuron = "plain"
size = 6
initial.v = "i"
[synapse.counting]
equations = """
w : 1
n : 1
gain : 1
"""
on_pre = """
n += 1
v_post += w
"""
[projection.synapses]
synapse = "counting"
source = "source"
target = "cells"
connect = "all_to_all"
weight = "10**(2*i + j)"
{tail}
"#
    ))
}

#[test]
fn synapses_end_on_synapses_one_to_one_by_condition_by_list_and_all_to_all() {
    for (connect, weight, expected) in [
        ("'one_to_one'", "1", [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        ("{ rule = 'condition', condition = 'i == j_post + 2*i_post' }", "1", [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        ("{ rule = 'condition', condition = 'i == j_post' }", "1", [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]),
        ("{ rule = 'condition', condition = 'i == 2 and w_post > 50' }", "1", [0.0, 0.0, 2.0, 2.0, 2.0, 2.0]),
        (
            "{ rule = 'pairs', pairs = [[5, 0], [4, 3], [1, 3]] }",
            "[1, 10, 100]",
            [5.0, 0.0, 0.0, 140.0, 0.0, 0.0],
        ),
        ("'all_to_all'", "'1 + j'", [15.0, 30.0, 45.0, 60.0, 75.0, 90.0]),
        ("{ rule = 'fixed_in_degree', n = 6, multapses = false }", "1", [15.0; 6]),
    ] {
        let model = with_synapses(&format!(
            "[synapse.s]\nequations = 'w : 1'\nsum = [{{ into = 'gain', expression = 'w*v_pre' }}]\n\
             [projection.p]\nsynapse = 's'\nsource = 'other'\ntarget = 'synapses'\nconnect = {connect}\nweight = {weight}"
        ));
        assert_eq!(course(&model, "synapses.gain", 1), [expected], "{connect}");
    }
}

#[test]
fn sums_over_synapses_read_them_in_every_way_of_combining() {
    // In step 5 those of input 0 have been used twice, the others once.
    for (operation, expected) in [("sum", 600.0), ("mean", 200.0), ("max", 400.0), ("min", 0.0)] {
        let model = with_synapses(&format!(
            "[synapse.s]\nsum = [{{ into = 'total', expression = '(n_pre + 1)*100*i_pre', operation = '{operation}' }}]\n\
             [projection.p]\nsynapse = 's'\nsource = 'synapses'\ntarget = 'cells'\n\
             connect = {{ rule = 'condition', condition = 'j_pre == j' }}"
        ));
        let found = course(&model, "cells.total", 6);
        assert_eq!(found[5], [expected; 2], "{operation}");
    }
}

#[test]
fn a_projection_knows_how_many_synapses_it_ends_on() {
    let model = with_synapses(
        "[synapse.s]\nequations = 'w : 1'\nsum = [{ into = 'total', expression = 'N_pre + 100*N_post + 1000*N' }]\n\
         [projection.p]\nsynapse = 's'\nsource = 'synapses'\ntarget = 'cells'\n\
         connect = { rule = 'condition', condition = 'i == j and i < N_pre - 5' }",
    );
    assert_eq!(course(&model, "cells.total", 1), [[1206.0, 0.0]]);
}

#[test]
fn events_of_the_other_end_reach_synapses_of_synapses() {
    // Heterosynaptic plasticity: a spike of input i changes the weights of the synapses of the next input, three steps
    // later, by what those have counted.
    let model = with_synapses(
        "[synapse.s]\non_pre = 'gain_post += 10**i*(n_post + 1)'\n\
         [projection.p]\nsynapse = 's'\nsource = 'source'\ntarget = 'synapses'\n\
         connect = { rule = 'condition', condition = 'i_post == (i + 1) % 3' }\ndelay = '3 ms'",
    );
    let found = course(&model, "synapses.gain", 10);
    // Input 0 spikes in steps 0 and 4 and acts in 3 and 7, on synapses of input 1 used in 1 and 5.
    assert_eq!(found[3], [0.0, 0.0, 2.0, 2.0, 0.0, 0.0]);
    // Input 1 acts in 4 and 8 on input 2, used in 2 and 6; input 2 in 5 and 9 on input 0, used in 0 and 4.
    assert_eq!(found[9], [300.0 + 300.0, 600.0, 2.0 + 3.0, 5.0, 20.0 + 30.0, 50.0]);
}

#[test]
fn synapses_can_end_on_synapses_that_end_on_synapses() {
    let model = with_synapses(
        "[synapse.up]\nequations = 'y : 1'\nsum = [{ into = 'gain_pre', expression = '10*y + i' }]\n\
         [synapse.top]\nsum = [{ into = 'y', expression = 'v_pre + 100*j_post' }]\n\
         [projection.top]\nsynapse = 'top'\nsource = 'other'\ntarget = 'middle'\n\
         connect = { rule = 'condition', condition = 'i == i_post' }\n\
         [projection.middle]\nsynapse = 'up'\nsource = 'synapses'\ntarget = 'cells'\n\
         connect = { rule = 'condition', condition = 'i % 2 == j' }",
    );
    // Sums run in the order in which projections are made: `top` is made last, so `middle` reads what it left behind.
    let found = course(&model, "synapses.gain", 2);
    assert_eq!(found[0], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(found[1], [0.0, 1011.0, 22.0, 1033.0, 44.0, 1055.0]);
}

#[test]
fn a_sum_of_synapses_can_read_their_earlier_values() {
    let model = with_synapses(
        "[synapse.s]\nsum = [{ into = 'total', expression = 'n_pre*10**i' }]\n\
         [projection.p]\nsynapse = 's'\nsource = 'synapses'\ntarget = 'cells'\n\
         connect = { rule = 'condition', condition = 'j_pre == j' }\ndelay = '(1 + i_pre)*ms'",
    );
    // The counts at the beginning of step s, seen one to three steps later: input k is counted in steps k and k + 4.
    let count = |input: i64, step: i64| f64::from(u8::from(step > input) + u8::from(step > input + 4));
    for (step, found) in (0..).zip(course(&model, "cells.total", 12)) {
        let of = |j: i64| {
            (0..3)
                .map(|i| {
                    count(i, step - 1 - i) * [1.0, 10.0, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7][(2 * i + j) as usize]
                })
                .sum::<f64>()
        };
        assert_eq!(found, [of(0), of(1)], "step {step}");
    }
}
