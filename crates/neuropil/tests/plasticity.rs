//! Structural plasticity: synapses that disappear and appear while the network runs, by rules of the model and by calls
//! of the host. Each answer is a number that a wrong synapse, value, delay or step changes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use common::{each, model};
use neuropil::{BuildError, Builder, Connect, Cpu, Model, Options, RecordTo, Rewire, RunError, Simulation};

fn simulate(model: &Model) -> Simulation {
    let options = Options { threads: 1, record: RecordTo::Memory };
    model.simulate(&Cpu, &options).unwrap_or_else(|e| panic!("{e}"))
}

fn pairs(simulation: &Simulation, projection: &str) -> Vec<(u32, u32)> {
    simulation.synapses(projection).unwrap().iter().map(|s| (s.pre, s.post)).collect()
}

/// All variables of a simulation, as bits.
fn everything(simulation: &mut Simulation) -> Vec<(String, Vec<u8>)> {
    let names: Vec<String> = simulation.variables().map(str::to_owned).collect();
    let get = |name: String| {
        let bytes = simulation.get(&name).unwrap().bytes().to_vec();
        (name, bytes)
    };
    names.into_iter().map(get).collect()
}

/// Neuron `i` of `source` spikes in every step of `spikes[i]`; each spike adds the weight of its synapse to `x` of the
/// target when it arrives.
fn relay(precision: &str, spikes: &[(u32, u32)], synapse: &str, projection: &str) -> Model {
    let indices: Vec<String> = spikes.iter().map(|(_, n)| n.to_string()).collect();
    let times: Vec<String> = spikes.iter().map(|(step, _)| step.to_string()).collect();
    model(&format!(
        r#"
dt = "1 ms"
precision = "{precision}"
seed = 5
[neuron.target]
equations = "x : 1"
[population.target]
neuron = "target"
size = 4
[input.source]
kind = "spikes"
size = 3
indices = [{}]
times = [{}]
unit = "ms"
[projection.p]
synapse = "s"
source = "source"
target = "target"
{projection}
[synapse.s]
equations = "w : 1"
on_pre = "x_post += w"
{synapse}
"#,
        indices.join(", "),
        times.join(", ")
    ))
}

const FORMATS: [&str; 4] = ["auto", "csr", "ell", "dense"];

#[test]
fn a_rule_removes_exactly_the_synapses_that_its_condition_names_at_its_steps() {
    // The weight is one-hot in base 2: `x` says which synapses a spike reached.
    for precision in ["f32", "f64"] {
        for format in FORMATS {
            let spikes: Vec<(u32, u32)> = (0..6).flat_map(|s| [(s, 0), (s, 1), (s, 2)]).collect();
            let model = relay(
                precision,
                &spikes,
                "prune = { condition = 'w == 2**t_in_timesteps*8', every = '2 ms' }",
                &format!("connect = 'all_to_all'\nweight = '2**(4*i + j)'\nformat = '{format}'"),
            );
            each(&model, |simulation| {
                let mut alive: Vec<(u32, u32)> = (0..3).flat_map(|i| (0..4).map(move |j| (i, j))).collect();
                let mut x = [0.0; 4];
                for step in 0..6_u32 {
                    simulation.step().unwrap();
                    for (i, j) in &alive {
                        x[*j as usize] += f64::from(1_u32 << (4 * i + j));
                    }
                    // At the end of steps 0, 2 and 4 the rule's clock is at its steps 0, 1 and 2.
                    if step % 2 == 0 {
                        let gone = step / 2 + 3;
                        alive.retain(|(i, j)| 4 * i + j != gone);
                    }
                    assert_eq!(simulation.values("target.x").unwrap(), x, "{format} {precision} step {step}");
                    assert_eq!(pairs(simulation, "p"), alive);
                    let weights: Vec<f64> =
                        alive.iter().map(|(i, j)| f64::from(1_u32 << (4 * i + j))).collect();
                    assert_eq!(simulation.values("p.w").unwrap(), weights);
                }
                assert_eq!(simulation.n_synapses(), 9);
            });
        }
    }
}

#[test]
fn a_rule_makes_exactly_the_synapses_that_its_condition_names() {
    for precision in ["f32", "f64"] {
        for format in FORMATS {
            let spikes: Vec<(u32, u32)> = (0..5).flat_map(|s| [(s, 0), (s, 1), (s, 2)]).collect();
            let model = relay(
                precision,
                &spikes,
                "create = { condition = '(i + j) % 5 == t/ms and x_post >= 0', initial.w = '1000*i + 100*j + t/ms' }",
                &format!(
                    "connect = {{ rule = 'pairs', pairs = [[1, 1], [0, 3]] }}\nweight = '7'\nformat = '{format}'"
                ),
            );
            each(&model, |simulation| {
                // (pair, weight)
                let mut alive: Vec<((u32, u32), f64)> = vec![((0, 3), 7.0), ((1, 1), 7.0)];
                let mut x = [0.0; 4];
                for step in 0..5_u32 {
                    simulation.step().unwrap();
                    alive.iter().for_each(|((_, j), w)| x[*j as usize] += w);
                    for (i, j) in (0..3).flat_map(|i| (0..4).map(move |j| (i, j))) {
                        if (i + j) % 5 == step && !alive.iter().any(|(pair, _)| *pair == (i, j)) {
                            alive.push(((i, j), f64::from(1000 * i + 100 * j + step)));
                        }
                    }
                    alive.sort_by_key(|(pair, _)| *pair);
                    assert_eq!(simulation.values("target.x").unwrap(), x, "{format} {precision} step {step}");
                    let (expected, weights): (Vec<_>, Vec<_>) = alive.iter().copied().unzip();
                    assert_eq!(pairs(simulation, "p"), expected);
                    assert_eq!(simulation.values("p.w").unwrap(), weights);
                }
            });
        }
    }
}

#[test]
fn rules_prune_before_they_create_and_self_connections_and_multapses_are_as_said() {
    let mut net = Builder::new("order");
    net.dt("1 ms");
    net.neuron("cell").equations("x : 1");
    net.population("cells", "cell", 3);
    net.view("some", "cells", 1..3);
    net.synapse("plain").equations("w : 1").prune(Rewire::when("w == 0")).create(Rewire::when("True"));
    net.synapse("loopless").equations("w : 1").create(Rewire::when("True").without_self_connections());
    net.synapse("again")
        .equations("w : 1")
        .create(Rewire::when("i == 0").with_multapses().initial("w", "t/ms"));
    for (name, target) in [("plain", "cells"), ("loopless", "some"), ("again", "cells")] {
        net.projection(name, name, "cells", target).connect(Connect::pairs([(0, 1), (2, 0)])).weight("i");
    }
    each(&net.model(), |simulation| {
        simulation.step().unwrap();
        let all: Vec<(u32, u32)> = (0..3).flat_map(|i| (0..3).map(move |j| (i, j))).collect();
        // The synapse from 0 to 1, whose weight is 0, goes and comes back; that from 2 to 0 stays.
        assert_eq!(pairs(simulation, "plain"), all);
        assert_eq!(simulation.values("plain.w").unwrap(), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
        // Neuron 0 of `some` is neuron 1 of `cells`.
        assert_eq!(pairs(simulation, "loopless"), [(0, 0), (0, 1), (1, 1), (2, 0)]);
        simulation.step().unwrap();
        // Synapses of one pair are sorted by age.
        let expected = [(0, 0), (0, 0), (0, 1), (0, 1), (0, 1), (0, 2), (0, 2), (2, 0)];
        assert_eq!(pairs(simulation, "again"), expected);
        assert_eq!(simulation.values("again.w").unwrap(), [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 2.0]);
    });
}

#[test]
fn delays_stay_with_their_synapses_and_events_under_way_reach_those_that_are_there() {
    // Neuron 0 spikes in step 0, neuron 1 in step 2; synapse (i, j) has delay 1 + j + 2*i steps.
    for precision in ["f32", "f64"] {
        for format in FORMATS {
            let model = relay(
                precision,
                &[(0, 0), (2, 1), (2, 2)],
                "prune = { condition = 'i == 0 and j == 2 and t > 0.5*ms' }\n\
                 create = { condition = 'i == 0 and j == 3 and t > 1.5*ms', initial.w = '50' }",
                &format!(
                    "connect = {{ rule = 'pairs', pairs = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 3]] }}\n\
                     weight = '10**j'\ndelay = '(1 + j + 2*i)*ms'\nformat = '{format}'"
                ),
            );
            each(&model, |simulation| {
                let mut course = Vec::new();
                for _ in 0..10 {
                    simulation.step().unwrap();
                    course.push(simulation.values("target.x").unwrap());
                }
                // (0, 0) and (0, 1) act in steps 1 and 2. (0, 2) would in step 3 but is gone since step 1. (0, 3), made
                // at the end of step 2, has delay 4: the spike of step 0 reaches it in step 4. Those of neuron 1 act in
                // steps 5 and 8.
                let expected: Vec<Vec<f64>> = (0..10_usize)
                    .map(|step| {
                        let since = |when: usize, w: f64| if step >= when { w } else { 0.0 };
                        vec![
                            since(1, 1.0) + since(5, 1.0),
                            since(2, 10.0),
                            0.0,
                            since(4, 50.0) + since(8, 1000.0),
                        ]
                    })
                    .collect();
                assert_eq!(course, expected, "{format} {precision}");
            });
        }
    }
}

#[test]
fn delayed_sums_keep_the_delay_and_the_past_of_each_synapse() {
    // The rate of neuron i is 100*i + (i + 1)*step; a new synapse with a longer delay than any other sees the past as
    // far as it was kept.
    let text = |rules: &str| {
        model(&format!(
            r#"
dt = "1 ms"
method = "euler"
[neuron.source]
equations = "dr/dt = (i + 1)/ms : 1"
[neuron.target]
equations = "x : 1"
[population.source]
neuron = "source"
size = 4
initial.r = "100*i"
[population.target]
neuron = "target"
size = 4
[synapse.s]
equations = "w : 1"
sum = [{{ into = "x", expression = "w*r_pre" }}]
{rules}
[projection.p]
synapse = "s"
source = "source"
target = "target"
connect = {{ rule = "condition", condition = "i == j or i == j + 1" }}
weight = "1"
delay = "(2 + i)*ms*(1 + int(j == 3 and i == 0))"
"#
        ))
    };
    let rate = |i: i64, step: i64| (100 * i + (i + 1) * step.max(0)) as f64;
    let rules = "prune = { condition = 'i == 2 and j == 1 and t > 3.5*ms' }\n\
                 create = [{ condition = 'i == 0 and j == 3 and t > 5.5*ms' }, { condition = 'i == 3 and j == 0' }]";
    each(&text(rules), |simulation| {
        for step in 0..14_i64 {
            simulation.step().unwrap();
            let alive = |i: i64, j: i64| match (i, j) {
                (2, 1) => step <= 4,
                (0, 3) => step >= 7,
                (3, 0) => step >= 1,
                (i, j) => i == j || i == j + 1,
            };
            let delay = |i: i64, j: i64| if (i, j) == (0, 3) { 4 } else { 2 + i };
            let of = |j: i64| (0..4).filter(|i| alive(*i, j)).map(|i| rate(i, step - delay(i, j))).sum();
            let expected: Vec<f64> = (0..4).map(of).collect();
            assert_eq!(simulation.values("target.x").unwrap(), expected, "step {step}");
        }
    });
    // The longest delay grows from 3 to 7 steps at the end of step 4: what was kept until then is used, and nothing
    // before the first step is missing.
    let text = text("create = { condition = 'i == 0 and j == 2 and t > 3.5*ms' }").source().to_toml();
    let longer = text.replace("(2 + i)*ms*(1 + int(j == 3 and i == 0))", "(1 + 6*int(j == 2 and i == 0))*ms");
    assert!(longer != text);
    each(&model(&longer), |simulation| {
        for step in 0..14_i64 {
            simulation.step().unwrap();
            // The ring kept one step and the one that runs: those of step 3 and 4.
            let new = if step >= 5 { rate(0, (step - 7).max(3)) } else { 0.0 };
            let expected = rate(2, step - 1) + rate(3, step - 1) + new;
            assert_eq!(simulation.values("target.x").unwrap()[2], expected, "step {step}");
        }
    });
}

/// A network with everything that a synapse can have: traces, a pathway of the post side, delays per synapse of both, a
/// weighted mean, and equations of its own.
fn rich(precision: &str, format: &str, rules: &str, connect: &str) -> Model {
    model(&format!(
        r#"
dt = "0.5 ms"
precision = "{precision}"
seed = 3
[neuron.lif]
equations = """
dv/dt = (1.2 + 0.3*sin(i) + 0.05*drive - v)/(6*ms) : 1
drive : 1
k : 1
"""
threshold = "v > 1"
reset = "v = 0"
[population.cells]
neuron = "lif"
size = 12
initial.v = "i/12"
[synapse.s]
equations = """
w : 1
scale : 1 (shared)
du/dt = (0.3 - u)/(30*ms) : 1
dApre/dt = -Apre/(20*ms) : 1 (event-driven)
dApost/dt = -Apost/(15*ms) : 1 (event-driven)
"""
on_pre = """
v_post += 0.1*w
Apre += 0.01
w = clip(w + Apost + 0.001*u, 0, 1)
"""
on_post = """
Apost -= 0.012
w = clip(w + scale*Apre, 0, 1)
"""
sum = [{{ into = "drive", expression = "w*u*v_pre", operation = "mean" }}]
{rules}
[projection.p]
synapse = "s"
source = "cells"
target = "cells"
connect = {{ rule = "condition", condition = "{connect}" }}
initial.w = "0.2 + 0.01*((5*i + 3*j) % 12)"
initial.scale = "0.5"
initial.u = "0.1*j"
delay = "(0.5 + (i*7 + j) % 4)*ms"
delays.post = "0.5*((i + j) % 3)*ms"
delays.drive = "0.5*((i + 2*j) % 5)*ms"
format = "{format}"
"#
    ))
}

#[test]
fn a_network_that_was_pruned_and_grown_goes_on_as_one_that_was_built_so() {
    // At the end of step 0 nothing has reached a synapse yet; from then on both networks are the same.
    for precision in ["f32", "f64"] {
        for format in ["csr", "ell", "dense"] {
            let rules = "prune = { condition = '(i + j) % 3 == 0 and t == 0*ms' }\n\
                         create = { condition = '(i - j) % 5 == 1 and t == 0*ms' }";
            let changed = rich(precision, format, rules, "(i*j) % 4 < 2 and i != j");
            let built = rich(
                precision,
                format,
                "",
                "((i*j) % 4 < 2 and i != j and (i + j) % 3 != 0) or (i - j) % 5 == 1",
            );
            let mut whole = Vec::new();
            each(&changed, |simulation| {
                simulation.step().unwrap();
                simulation.run(0.2).unwrap();
                whole.push((pairs(simulation, "p"), everything(simulation), simulation.spike_digest()));
            });
            let mut expected = simulate(&built);
            expected.step().unwrap();
            // Their own equations have advanced by one step, which new synapses have not.
            let u: Vec<f64> = expected.values("p.u").unwrap();
            let mut fresh = simulate(&changed);
            fresh.step().unwrap();
            assert_ne!(fresh.values("p.u").unwrap(), u);
            let begun = fresh.values("p.u").unwrap();
            expected.set("p.u", &begun).unwrap();
            expected.run(0.2).unwrap();
            let expected = (pairs(&expected, "p"), everything(&mut expected), expected.spike_digest());
            assert!(expected.0.len() > 20);
            for found in whole {
                assert_eq!(found.0, expected.0);
                for (found, expected) in
                    found.1.iter().zip(&expected.1).filter(|(_, e)| e.0 != "p.lastupdate")
                {
                    assert_eq!(found, expected, "{format} {precision}");
                }
                assert_eq!(found.2, expected.2);
            }
        }
    }
}

#[test]
fn what_goes_and_comes_back_later_leaves_all_others_as_they_were() {
    // Synapses that do nothing come and go; the others must not notice, nor lose their traces.
    for format in ["csr", "ell", "auto"] {
        let quiet = |rules: &str| {
            let text = rich("f64", format, rules, "(i*j) % 4 < 2 and i < 10").source().to_toml();
            let text = text
                .replace("v_post += 0.1*w", "v_post += 0.1*w*int(i < 10)")
                .replace("w*u*v_pre\"", "w*u*v_pre*int(i < 10)\"")
                .replace("operation = \"mean\"\n", "");
            model(&text)
        };
        let rules = "prune = { condition = 'i >= 10 and rand() < 0.5', every = '3 ms' }\n\
                     create = { condition = 'i >= 10', probability = 0.3, every = '2 ms' }";
        let mut still = simulate(&quiet(""));
        still.run(0.2).unwrap();
        let expected: Vec<Vec<f64>> =
            ["w", "u", "Apre", "Apost"].map(|v| still.values(&format!("p.{v}")).unwrap()).to_vec();
        let mut compared = 0;
        each(&quiet(rules), |simulation| {
            simulation.run(0.2).unwrap();
            let synapses = simulation.synapses("p").unwrap();
            for (name, expected) in ["w", "u", "Apre", "Apost"].iter().zip(&expected) {
                let values = simulation.values(&format!("p.{name}")).unwrap();
                let old: Vec<f64> =
                    synapses.iter().filter(|s| s.pre < 10).map(|s| values[s.number]).collect();
                assert_eq!(&old, expected, "{name} {format}");
            }
            compared += usize::from(synapses.iter().any(|s| s.pre >= 10));
            assert_eq!(simulation.spike_digest(), still.spike_digest());
        });
        assert_eq!(compared, 3);
    }
}

#[test]
fn conditions_see_traces_at_the_time_of_the_rule() {
    // The trace of a synapse that no event has reached since step 0 decays all the same: below 1/2 after 14 steps of
    // 1 ms with tau = 20 ms.
    let model = model(
        r#"
dt = "1 ms"
[neuron.n]
equations = "x : 1"
[population.target]
neuron = "n"
size = 1
[input.source]
kind = "spikes"
size = 2
indices = [0, 1]
times = [0, 9]
unit = "ms"
[synapse.s]
equations = """
w : 1
da/dt = -a/(20*ms) : 1 (event-driven)
"""
on_pre = "a += 1"
prune = { condition = "a > 0 and a < 0.5" }
[projection.p]
synapse = "s"
source = "source"
target = "target"
connect = "all_to_all"
"#,
    );
    each(&model, |simulation| {
        for step in 0..30 {
            simulation.step().unwrap();
            let alive = usize::from(step < 14) + usize::from(step < 23);
            assert_eq!(pairs(simulation, "p").len(), alive, "step {step}");
        }
    });
}

#[test]
fn probabilities_are_those_of_independent_draws() {
    let mut net = Builder::new("chance");
    net.dt("1 ms").seed(9);
    net.neuron("cell").equations("x : 1");
    net.population("cells", "cell", 200).initial("x", "i/200.0");
    net.synapse("fading").equations("w : 1").prune(Rewire::when("w < 0.5").probability("0.1").every("1 ms"));
    net.projection("fading", "fading", "cells", "cells").weight("rand()");
    net.synapse("growing")
        .equations("w : 1")
        .create(Rewire::when("True").probability("0.02*x_pre").every("5 ms"));
    net.projection("growing", "growing", "cells", "cells").connect(Connect::pairs([]));
    let mut first: Option<[Vec<(u32, u32)>; 2]> = None;
    each(&net.model(), |simulation| {
        let weak = simulation.values("fading.w").unwrap().iter().filter(|w| **w < 0.5).count() as f64;
        let before = simulation.n_synapses() as f64;
        simulation.run(0.01).unwrap();
        // Ten looks with 0.1 leave 0.9^10 = 0.3487 of the weak ones.
        let gone = before - pairs(simulation, "fading").len() as f64;
        let p = 1.0 - 0.348_678_440_1;
        assert!((gone - weak * p).abs() < 4.0 * (weak * p * (1.0 - p)).sqrt(), "{gone} of {weak}");
        // Two looks, at 0 and 5 ms, with 0.02*x each; a pair gets only one synapse.
        let made = pairs(simulation, "growing");
        let once = |i: u32| 0.02 * f64::from(i) / 200.0;
        let p = |i: u32| 2.0 * once(i) - once(i) * once(i);
        let mean: f64 = (0..200).map(|i| 200.0 * p(i)).sum();
        let variance: f64 = (0..200).map(|i| 200.0 * p(i) * (1.0 - p(i))).sum();
        assert!((made.len() as f64 - mean).abs() < 4.0 * variance.sqrt(), "{} for {mean}", made.len());
        let found = [pairs(simulation, "fading"), made];
        assert_eq!(first.get_or_insert_with(|| found.clone()), &found);
    });
}

#[test]
fn numbers_of_synapses_follow() {
    // Neuron 0 spikes in every step. At the end of step 1 its target gets a second synapse; at the end of step 2 the only
    // synapse of target 2 goes.
    let spikes: Vec<(u32, u32)> = (0..6).map(|s| (s, 0)).collect();
    let model = relay(
        "f64",
        &spikes,
        "prune = { condition = 'i == 2 and N_incoming == 1 and t > 1.5*ms' }\n\
         create = { condition = 'i == 1 and j == 0 and N_incoming == 1 and N == 3 and t > 0.5*ms' }",
        "connect = { rule = 'condition', condition = 'i == j' }",
    );
    let text =
        model.source().to_toml().replace("x_post += w", "x_post += 100*N + 10*N_incoming + N_outgoing");
    each(&self::model(&text), |simulation| {
        let mut x = 0.0;
        for added in [311.0, 311.0, 421.0, 321.0, 321.0, 321.0] {
            simulation.step().unwrap();
            x += added;
            assert_eq!(simulation.values("target.x").unwrap(), [x, 0.0, 0.0, 0.0]);
        }
    });
}

#[test]
fn events_that_keep_an_earlier_delay_find_the_synapses_that_are_left() {
    // Synapse (i, j) has delay 3 + j, and from step 1 on 1 + j. Neuron 0 spikes in step 0, neuron 1 in step 2. At the end of
    // step 1, (0, 1) goes and (0, 3) comes; it never had another delay than 4.
    for precision in ["f32", "f64"] {
        for format in FORMATS {
            let model = relay(
                precision,
                &[(0, 0), (2, 1)],
                "prune = { condition = 'i == 0 and j == 1 and t > 0.5*ms' }\n\
                 create = { condition = 'i == 0 and j == 3 and t > 0.5*ms', initial.w = '50' }",
                &format!(
                    "connect = {{ rule = 'pairs', pairs = [[0, 0], [0, 1], [1, 0], [1, 2]] }}\n\
                     weight = '10**j'\ndelay = '(3 + j)*ms'\nformat = '{format}'"
                ),
            );
            let text = model.source().to_toml().replace("x_post += w", "x_post += w*int(t/ms + 0.5)");
            let runs =
                "[[run]]\nduration = '1 ms'\n[[run]]\ndelays.p.pre = '(1 + j)*ms'\nduration = '9 ms'\n";
            each(&self::model(&format!("{text}\n{runs}")), |simulation| {
                simulation.perform(&mut |_| std::ops::ControlFlow::Continue(())).unwrap();
                assert_eq!(simulation.values("target.x").unwrap(), [3.0 + 3.0, 0.0, 500.0, 200.0]);
            });
        }
    }
}

/// A host operation at the end of every step of a relay.
fn hosted(rules: &str) -> Model {
    let spikes: Vec<(u32, u32)> = (0..8).flat_map(|s| [(s, 0), (s, 1), (s, 2)]).collect();
    let projection = "connect = 'all_to_all'\nweight = '2**(4*i + j)'\ndelay = '(1 + i)*ms'";
    let text = relay("f64", &spikes, rules, projection).source().to_toml();
    model(&format!("{text}\n[host.surgeon]\nwhen = 'after_groups'\n"))
}

#[test]
fn a_host_operation_removes_and_adds_synapses_in_the_middle_of_a_step() {
    each(&hosted(""), |simulation| {
        simulation
            .bind("surgeon", |host| {
                match host.step() {
                    2 => assert_eq!(host.prune("p", |s| s.pre == 0)?, 4),
                    4 => {
                        let w = host.values("p.w")?;
                        let light: Vec<usize> = (0..w.len()).filter(|k| w[*k] < 100.0).collect();
                        assert_eq!(host.prune_listed("p", &light)?, 3);
                        host.create("p", &[(2, 1), (0, 3), (2, 1)], &[("w", &[0.5, 0.25, 0.125])])?;
                        assert_eq!(host.synapses("p")?.len(), 8);
                    }
                    _ => {}
                }
                Ok(())
            })
            .unwrap();
        let mut alive: Vec<(u32, u32, f64)> =
            (0..12).map(|k| (k / 4, k % 4, f64::from(1_u32 << k))).collect();
        let mut x = [0.0; 4];
        for step in 0..8_u32 {
            simulation.step().unwrap();
            if step == 2 {
                alive.retain(|s| s.0 != 0);
            }
            if step == 4 {
                alive.retain(|s| s.2 >= 100.0);
                alive.extend([(2, 1, 0.5), (0, 3, 0.25), (2, 1, 0.125)]);
                alive.sort_by_key(|s| (s.0, s.1));
            }
            // What neuron i emitted 1 + i steps ago arrives.
            alive.iter().filter(|s| step > s.0).for_each(|s| x[s.1 as usize] += s.2);
            assert_eq!(simulation.values("target.x").unwrap(), x, "step {step}");
            assert_eq!(simulation.values("p.w").unwrap(), alive.iter().map(|s| s.2).collect::<Vec<_>>());
        }
    });
}

#[test]
fn synapses_come_and_go_between_runs_and_states_remember_them() {
    let model = rich("f32", "auto", "prune = { condition = 'w < 0.21', every = '20 ms' }", "i < j");
    each(&model, |simulation| {
        simulation.run(0.03).unwrap();
        let stored = simulation.store().unwrap();
        let before = pairs(simulation, "p");
        assert!(before.len() < 66 && before.len() > 30);
        let removed = simulation.prune("p", |s| s.number % 2 == 0).unwrap();
        assert_eq!(removed, before.len().div_ceil(2));
        simulation.create("p", &[(3, 3), (0, 11)], &[]).unwrap();
        assert_eq!(pairs(simulation, "p").len(), before.len() / 2 + 2);
        let fresh = simulation.synapses("p").unwrap().into_iter().find(|s| s.pre == s.post).unwrap();
        // (3, 3): 0.2 + 0.01*((15 + 9) % 12), as the projection says.
        assert_eq!(simulation.values("p.w").unwrap()[fresh.number] as f32, 0.2);
        simulation.run(0.05).unwrap();
        let other = everything(simulation);
        simulation.restore(&stored).unwrap();
        assert_eq!(pairs(simulation, "p"), before);
        simulation.run(0.05).unwrap();
        let first = everything(simulation);
        assert_ne!(first, other);
        simulation.restore(&stored).unwrap();
        simulation.run(0.05).unwrap();
        assert_eq!(everything(simulation), first);
    });
}

#[test]
fn synapses_that_are_made_at_one_step_begin_with_numbers_of_their_own() {
    let mut net = Builder::new("drawn");
    net.neuron("n").equations("x : 1");
    net.population("cells", "n", 4);
    net.synapse("s").equations("w : 1");
    net.projection("p", "s", "cells", "cells").connect(Connect::pairs([(0, 0), (0, 1)])).weight("rand()");
    each(&net.model(), |simulation| {
        simulation.create("p", &[(1, 0), (1, 1)], &[]).unwrap();
        simulation.create("p", &[(2, 0), (2, 1)], &[]).unwrap();
        let mut weights = simulation.values("p.w").unwrap();
        weights.sort_by(f64::total_cmp);
        weights.dedup();
        assert_eq!(weights.len(), 6, "{weights:?}");
    });
}

#[test]
fn wrong_names_and_numbers_are_told() {
    let mut simulation = simulate(&hosted(""));
    let text = |e: RunError| e.to_string();
    assert_eq!(text(simulation.prune("q", |_| true).unwrap_err()), "no projection `q`");
    assert_eq!(
        text(simulation.prune_listed("p", &[3, 12]).unwrap_err()),
        "there is no synapse 12; projection `p` has 12"
    );
    assert_eq!(
        text(simulation.create("p", &[(0, 0)], &[("v", &[1.0])]).unwrap_err()),
        "no variable `p.v`; did you mean `p.w`?"
    );
    assert_eq!(
        text(simulation.create("p", &[(0, 0)], &[("w", &[1.0, 2.0])]).unwrap_err()),
        "`p.w` has 1 elements, but 2 values were given"
    );
    let error = simulation.create("p", &[(0, 0), (3, 1)], &[]).unwrap_err();
    assert!(matches!(&error, RunError::Build(e) if matches!(**e, BuildError::Connect { .. })), "{error}");
    assert_eq!(pairs(&simulation, "p").len(), 12);
    // Lists of the model say nothing of new synapses.
    let listed = "connect = { rule = 'pairs', pairs = [[0, 1], [1, 1]] }\nweight = [1, 2]";
    let mut simulation = simulate(&relay("f64", &[(0, 0)], "", listed));
    assert_eq!(
        text(simulation.create("p", &[(2, 2)], &[]).unwrap_err()),
        "new synapses of `p` need a value of `w`: the model lists one for each synapse that it had"
    );
    simulation.create("p", &[(2, 2), (0, 0)], &[("w", &[3.0])]).unwrap();
    assert_eq!(simulation.values("p.w").unwrap(), [3.0, 1.0, 2.0, 3.0]);
    let mut net = Builder::new("recorded");
    net.neuron("cell").equations("x : 1");
    net.population("cells", "cell", 2);
    net.synapse("s").equations("w : 1");
    net.projection("p", "s", "cells", "cells");
    net.record_state("weights", "p", ["w"], [0]);
    assert_eq!(
        text(simulate(&net.model()).prune("p", |_| true).unwrap_err()),
        "synapses of `p` cannot appear or disappear: the recorder `weights` records them"
    );
}

#[test]
fn rules_rest_while_their_projection_is_switched_off() {
    let mut net = Builder::new("off");
    net.dt("1 ms");
    net.neuron("cell").equations("x : 1");
    net.population("cells", "cell", 5);
    net.synapse("s")
        .equations("w : 1")
        .prune(Rewire::when("i == 4 - t/ms"))
        .create(Rewire::when("i == j and t < 0*ms"));
    net.projection("p", "s", "cells", "cells").connect(Connect::one_to_one());
    each(&net.model(), |simulation| {
        let network = simulation.network();
        let id = network.projections.iter().position(|p| p.name == "p").unwrap();
        let owner = simulation.program().operations.iter().find(|o| o.name == "p.rewire0").unwrap().owners[0];
        assert_eq!(id, 0);
        simulation.step().unwrap();
        simulation.switch([owner], false).unwrap();
        simulation.step().unwrap();
        simulation.switch([owner], true).unwrap();
        simulation.run(0.003).unwrap();
        // The synapse of neuron 3 was to go in step 1.
        assert_eq!(pairs(simulation, "p"), [(3, 3)]);
    });
}

#[test]
fn a_dense_projection_stays_dense_as_long_as_it_can() {
    let mut simulation = simulate(&relay(
        "f64",
        &[(0, 0), (3, 0)],
        "",
        "connect = 'all_to_all'\nweight = '2**j'\nformat = 'dense'",
    ));
    simulation.step().unwrap();
    simulation.prune("p", |s| s.post == 2).unwrap();
    assert!(!simulation.remarks().iter().any(|r| r.contains("no longer dense")));
    simulation.create("p", &[(0, 1)], &[("w", &[100.0])]).unwrap();
    assert!(simulation.remarks().iter().any(|r| r.contains("no longer dense")));
    simulation.run(0.003).unwrap();
    assert_eq!(simulation.values("target.x").unwrap(), [2.0, 104.0, 4.0, 16.0]);
}
