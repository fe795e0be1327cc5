//! Traces of synapses that are equal for all synapses of a neuron: they are kept once per neuron, and nothing that can be
//! seen changes but the last digits.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test")]

mod common;

use std::ops::ControlFlow;

use common::{each, model};
use neuropil::{Connect, Cpu, Model, Options, RecordTo, RunError, Simulation, Stage};

/// The steps in which each of three sources spikes.
const SOURCES: [&[u32]; 3] = [&[1, 4, 5, 20, 21, 40], &[0, 12, 13, 14, 35], &[3, 33, 36]];
/// The steps in which each of two cells is kicked; it spikes in the next.
const KICKS: [&[u32]; 2] = [&[2, 6, 18, 19, 37], &[10, 13, 30, 39]];

const PAIR: &str = r#"
equations = """
w : 1
dApre/dt = -Apre/(20*ms) : 1 (event-driven)
dApost/dt = -Apost/(15*ms) : 1 (event-driven)
"""
on_pre = """
x_post += w
Apre += 0.1
w = clip(w + Apost, 0, 1)
"""
on_post = """
Apost -= 0.12
w = clip(w + Apre, 0, 1)
"""
"#;

fn listed(of: &[&[u32]]) -> String {
    let pairs: Vec<(u32, usize)> =
        of.iter().enumerate().flat_map(|(n, steps)| steps.iter().map(move |s| (*s, n))).collect();
    let indices: Vec<String> = pairs.iter().map(|(_, n)| n.to_string()).collect();
    let times: Vec<String> = pairs.iter().map(|(s, _)| s.to_string()).collect();
    format!("indices = [{}]\ntimes = [{}]\nunit = 'ms'", indices.join(", "), times.join(", "))
}

/// Three sources, two cells that spike a step after they were kicked, and the projection `p` between them.
fn text(synapse: &str, projection: &str) -> String {
    format!(
        r#"
dt = "1 ms"
duration = "50 ms"
seed = 3
[neuron.cell]
equations = """
v : 1
x : 1
"""
threshold = "v > 0.5"
reset = "v -= 1"
[population.cells]
neuron = "cell"
size = 2
[input.source]
kind = "spikes"
size = 3
{}
[input.kicks]
kind = "spikes"
size = 2
{}
[synapse.kick]
on_pre = "v_post += 1"
[projection.kicked]
synapse = "kick"
source = "kicks"
target = "cells"
connect = "one_to_one"
[synapse.s]
{synapse}
[projection.p]
synapse = "s"
source = "source"
target = "cells"
{projection}
"#,
        listed(&SOURCES),
        listed(&KICKS)
    )
}

const ALL: &str = "connect = 'all_to_all'\nweight = '0.3 + 0.1*i + 0.05*j'";

/// Where each variable of a projection is kept, as the plan says it.
fn kept(simulation: &Simulation) -> Vec<String> {
    simulation.program().remarks.clone()
}

fn simulate(model: &Model) -> Simulation {
    let options = Options { threads: 1, record: RecordTo::Memory };
    model.simulate(&Cpu, &options).unwrap_or_else(|e| panic!("{e}"))
}

/// The same model with its event-driven variables recorded, so that every synapse keeps its own.
fn apart(text: &str, variables: &str) -> Model {
    model(&format!("{text}\n[record.state.apart]\nof = 'p'\nvariables = [{variables}]\nevery = '1 ms'\n"))
}

fn near(name: &str, a: &[f64], b: &[f64], part: f64) {
    assert_eq!(a.len(), b.len(), "{name}");
    for (k, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= part * (1.0 + a.abs()), "{name} of {k}: {a} and {b}");
    }
}

/// That two simulations show the same.
fn same(a: &mut Simulation, b: &mut Simulation, part: f64) {
    let names = |s: &Simulation| {
        let mut names: Vec<String> = s.variables().map(str::to_owned).collect();
        names.sort();
        names
    };
    let all = names(a);
    assert_eq!(all, names(b));
    for name in all {
        near(&name, &a.values(&name).unwrap(), &b.values(&name).unwrap(), part);
    }
    assert_eq!(a.spike_digest(), b.spike_digest());
}

/// Pair-based plasticity of one synapse, event by event: the weight, the sum of what arrived, both traces and the step of
/// the last event.
fn pair(pre: &[u32], post: &[u32], mut w: f64, steps: u32) -> [f64; 5] {
    let (mut x, mut last) = (0.0, 0);
    let trace = |events: &[u32], now: u32, tau: f64, jump: f64| -> f64 {
        events.iter().filter(|e| **e <= now).map(|e| jump * (-f64::from(now - e) / tau).exp()).sum()
    };
    for now in 0..steps {
        // A postsynaptic event of the same step comes after the presynaptic one.
        if pre.contains(&now) {
            x += w;
            let earlier: Vec<u32> = post.iter().copied().filter(|e| *e < now).collect();
            w = (w + trace(&earlier, now, 15.0, -0.12)).clamp(0.0, 1.0);
            last = now;
        }
        if post.contains(&now) {
            w = (w + trace(pre, now, 20.0, 0.1)).clamp(0.0, 1.0);
            last = now;
        }
    }
    [w, x, trace(pre, last, 20.0, 0.1), trace(post, last, 15.0, -0.12), f64::from(last) * 1e-3]
}

#[test]
fn pair_plasticity_is_what_the_times_of_spikes_say() {
    for (delays, pre_delay, post_delay) in [
        ("", 0, 0),
        ("delay = '2 ms'", 2, 0),
        ("delays.post = '3 ms'", 0, 3),
        ("delay = '4 ms'\ndelays.post = '1 ms'", 4, 1),
    ] {
        for format in ["csr", "ell", "dense"] {
            let model = model(&text(PAIR, &format!("{ALL}\nformat = '{format}'\n{delays}")));
            each(&model, |simulation| {
                assert_eq!(
                    kept(simulation),
                    ["p.Apre: kept per presynaptic neuron", "p.Apost: kept per postsynaptic neuron"]
                );
                simulation.run(0.05).unwrap();
                let mut expected: [Vec<f64>; 4] = Default::default();
                let mut sums = [0.0; 2];
                for (i, spikes) in SOURCES.iter().enumerate() {
                    for (j, kicks) in KICKS.iter().enumerate() {
                        let pre: Vec<u32> = spikes.iter().map(|s| s + pre_delay).collect();
                        let post: Vec<u32> = kicks.iter().map(|s| s + 1 + post_delay).collect();
                        let w = 0.3 + 0.1 * i as f64 + 0.05 * j as f64;
                        let [w, x, a_pre, a_post, last] = pair(&pre, &post, w, 50);
                        [w, a_pre, a_post, last].iter().zip(&mut expected).for_each(|(v, to)| to.push(*v));
                        sums[j] += x;
                    }
                }
                for (name, expected) in ["w", "Apre", "Apost", "lastupdate"].iter().zip(&expected) {
                    near(name, expected, &simulation.values(&format!("p.{name}")).unwrap(), 1e-13);
                }
                near("x", &sums, &simulation.values("cells.x").unwrap(), 1e-13);
            });
        }
    }
}

#[test]
fn triplet_plasticity_reads_slow_traces_before_their_own_spike_counts() {
    let triplet = r#"
equations = """
w : 1
dr1/dt = -r1/(17*ms) : 1 (event-driven)
dr2/dt = -r2/(100*ms) : 1 (event-driven)
do1/dt = -o1/(34*ms) : 1 (event-driven)
do2/dt = -o2/(125*ms) : 1 (event-driven)
"""
on_pre = """
x_post += w
w = clip(w - o1*(0.05 + 0.02*r2), 0, 2)
r1 += 1
r2 += 1
"""
on_post = """
slow = o2
o1 += 1
o2 += 1
w = clip(w + r1*(0.06 + 0.03*slow), 0, 2)
"""
"#;
    let model = model(&text(triplet, &format!("{ALL}\ndelay = '1 ms'")));
    each(&model, |simulation| {
        assert!(
            kept(simulation).iter().all(|line| line.contains("synaptic neuron")),
            "{:?}",
            kept(simulation)
        );
        simulation.run(0.05).unwrap();
        let mut expected = Vec::new();
        for (i, spikes) in SOURCES.iter().enumerate() {
            for (j, kicks) in KICKS.iter().enumerate() {
                let trace = |events: &[u32], now: f64, tau: f64| -> f64 {
                    let before = events.iter().map(|e| f64::from(*e)).filter(|e| *e < now);
                    before.map(|e| (-(now - e) / tau).exp()).sum()
                };
                let mut w: f64 = 0.3 + 0.1 * i as f64 + 0.05 * j as f64;
                for now in 0..50_u32 {
                    let shifted = f64::from(now) - 1.0;
                    if spikes.contains(&(now.wrapping_sub(1))) {
                        let (o1, r2) = (trace(kicks, shifted, 34.0), trace(spikes, shifted, 100.0));
                        w = (w - o1 * (0.05 + 0.02 * r2)).clamp(0.0, 2.0);
                    }
                    if kicks.contains(&(now.wrapping_sub(1))) {
                        // The presynaptic spike of the same step has counted already.
                        let (r1, o2) = (trace(spikes, shifted + 0.5, 17.0), trace(kicks, shifted, 125.0));
                        let r1 = r1 * (0.5_f64 / 17.0).exp();
                        w = (w + r1 * (0.06 + 0.03 * o2)).clamp(0.0, 2.0);
                    }
                }
                expected.push(w);
            }
        }
        near("w", &expected, &simulation.values("p.w").unwrap(), 1e-12);
    });
}

/// A network of Poisson inputs and recurrent cells with the synapse `s` in the projection `p`.
fn random(precision: &str, synapse: &str, projection: &str) -> String {
    format!(
        r#"
dt = "0.5 ms"
duration = "200 ms"
seed = 11
precision = "{precision}"
[neuron.cell]
equations = """
dv/dt = (1.2 - v)/(8*ms) : 1 (unless refractory)
tau : second (constant)
gain : 1
"""
threshold = "v > 1"
reset = "v = 0"
refractory = "2 ms"
[population.cells]
neuron = "cell"
size = 30
initial.v = "rand()"
initial.tau = "(10 + 0.5*i)*ms"
initial.gain = "0.5 + 0.01*i"
[input.noise]
kind = "poisson"
size = 40
rate = "60*Hz"
[view.some]
of = "noise"
range = [7, 31]
[view.late]
of = "cells"
range = [10, 30]
[synapse.s]
{synapse}
[projection.p]
synapse = "s"
{projection}
[projection.other]
synapse = "s"
source = "cells"
target = "cells"
connect = {{ rule = "fixed_probability", p = 0.2 }}
weight = "0.02*rand()"
"#
    )
}

/// Models whose traces are kept per neuron: the synapse, its event-driven variables, and the projection.
const KEPT: [(&str, &str, &str); 6] = [
    (
        PAIR_OF_CELLS,
        "'Apre', 'Apost'",
        "source = 'noise'\ntarget = 'cells'\nconnect = 'all_to_all'\nweight = '0.03*rand()'\ndelay = '1.5 ms'",
    ),
    (
        PAIR_OF_CELLS,
        "'Apre', 'Apost'",
        "source = 'cells'\ntarget = 'cells'\nconnect = { rule = 'fixed_probability', p = 0.3, self_connections = true }\nweight = '0.03*rand()'\ndelays.post = '1 ms'",
    ),
    (
        PAIR_OF_CELLS,
        "'Apre', 'Apost'",
        "source = 'some'\ntarget = 'late'\nconnect = { rule = 'fixed_in_degree', n = 9 }\nweight = '0.03*rand()'",
    ),
    // Resources: all of it belongs to the presynaptic neuron, and the synapse needs a value in between.
    (
        r#"
equations = """
w : 1
dx/dt = (1 - x)/(80*ms) : 1 (event-driven)
du/dt = -u/(10*ms) : 1 (event-driven)
U : 1 (shared, constant)
"""
on_pre = """
u += U*(1 - u)
released = u*x
x -= released
v_post += w*released
"""
parameters = { U = "0.4" }
initial.x = "1"
"#,
        "'x', 'u'",
        "source = 'noise'\ntarget = 'cells'\nconnect = 'all_to_all'\nweight = '0.05*rand()'\ndelay = '1 ms'",
    ),
    // One variable drives another; time constants and jumps of the neuron; two pathways of one end.
    (
        r#"
equations = """
w : 1
da/dt = (b - a)/(12*ms) : 1 (event-driven)
db/dt = -b/tau_pre : 1 (event-driven)
dc/dt = -c/tau_post : 1 (event-driven)
"""
on_pre = """
jump = 0.5*gain_pre
b += jump*(1 + t/second)
v_post += w*jump
"""
on_post = """
c += 0.1
w = clip(w + 0.01*a - 0.01*c, 0, 0.1)
"""
[synapse.s.pathway.late]
on = "pre"
delay = "3 ms"
code = """
a *= 0.9
w = clip(w + 0.02*c - 0.01*b, 0, 0.1)
"""
"#,
        "'a', 'b', 'c'",
        "source = 'cells'\ntarget = 'late'\nconnect = 'all_to_all'\nweight = '0.03*rand()'\ndelay = '1 ms'",
    ),
    // Only one of them is kept per neuron: the other has a delay per synapse.
    (
        PAIR_OF_CELLS,
        "'Apre', 'Apost'",
        "source = 'noise'\ntarget = 'cells'\nconnect = 'all_to_all'\nweight = '0.03*rand()'\ndelay = 'rand()*3*ms'",
    ),
];

const PAIR_OF_CELLS: &str = r#"
equations = """
w : 1
dApre/dt = -Apre/(20*ms) : 1 (event-driven)
dApost/dt = -Apost/(15*ms) : 1 (event-driven)
"""
on_pre = """
v_post += w
Apre += 0.01
w = clip(w + Apost, 0, 0.1)
"""
on_post = """
Apost -= 0.012
w = clip(w + Apre, 0, 0.1)
"""
"#;

#[test]
fn what_is_kept_per_neuron_is_what_each_synapse_would_keep() {
    for (k, (synapse, variables, projection)) in KEPT.iter().enumerate() {
        for (precision, part) in [("f64", 1e-12), ("f32", 1e-4)] {
            let text = random(precision, synapse, projection);
            let model = model(&text);
            let mut reference = simulate(&apart(&text, variables));
            let is_apart = |line: &String| line.starts_with("p.") && line.contains("per synapse");
            assert_eq!(kept(&reference).iter().filter(|l| is_apart(l)).count(), variables.split(',').count());
            reference.run(0.2).unwrap();
            let mut first: Option<Vec<(String, Vec<u64>)>> = None;
            each(&model, |simulation| {
                let apart = kept(simulation).iter().filter(|l| is_apart(l)).count();
                assert_eq!(apart, usize::from(k == 5), "{:?}", kept(simulation));
                simulation.run(0.2).unwrap();
                same(&mut reference, simulation, part);
                // Between backends, bits are equal.
                let names: Vec<String> = simulation.variables().map(str::to_owned).collect();
                let mut bits = |name: String| {
                    let values = simulation.values(&name).unwrap().iter().map(|v| v.to_bits()).collect();
                    (name, values)
                };
                let found: Vec<(String, Vec<u64>)> = names.into_iter().map(&mut bits).collect();
                assert_eq!(first.get_or_insert_with(|| found.clone()), &found);
            });
        }
    }
}

#[test]
fn synapses_of_plastic_projections_keep_nothing_but_their_weight() {
    let model = Model::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/stdp.toml")).unwrap();
    let simulation = simulate(&model);
    let per_synapse: Vec<&str> = simulation
        .program()
        .buffers
        .iter()
        .filter(|b| b.name.starts_with("synapses.") && format!("{:?}", b.role).starts_with("Variable"))
        .map(|b| b.name.as_str())
        .collect();
    assert_eq!(per_synapse, ["synapses.w"]);
    let kernel = |name: &str| {
        let found = simulation.program().kernels.iter().find(|k| k.source.name == name);
        found.unwrap_or_else(|| panic!("no kernel `{name}`")).source.to_string()
    };
    for name in ["synapses.pre", "synapses.post"] {
        assert_eq!(kernel(name).matches("store ").count(), 1, "{}", kernel(name));
        assert_eq!(kernel(name).matches("call exp ").count(), 1, "{}", kernel(name));
    }
    let mut names: Vec<&str> = simulation.variables().filter(|n| n.starts_with("synapses.")).collect();
    names.sort_unstable();
    assert_eq!(names, ["synapses.Apost", "synapses.Apre", "synapses.lastupdate", "synapses.w"]);
}

#[test]
fn the_plan_says_what_is_kept_per_synapse_and_why() {
    let with = |synapse: &str, projection: &str, more: &str| {
        let text = format!("{}{more}", text(synapse, projection));
        let plan = model(&text).emit(Stage::Plan).unwrap();
        let line = plan.lines().find(|l| l.starts_with("p.Apre:")).unwrap_or_else(|| panic!("{plan}"));
        line.strip_prefix("p.Apre: ").unwrap().to_owned()
    };
    let per_synapse = |why: &str| format!("kept per synapse: {why}");
    assert_eq!(with(PAIR, ALL, ""), "kept per presynaptic neuron");
    assert_eq!(
        with(PAIR, &format!("{ALL}\ndelay = 'rand()*3*ms'"), ""),
        per_synapse("pathway `pre` has a delay per synapse")
    );
    assert_eq!(
        with(PAIR, &format!("{ALL}\ninitial.Apre = 'rand()'"), ""),
        per_synapse("its initial values differ between synapses")
    );
    assert_eq!(with(PAIR, &format!("{ALL}\ninitial.Apre = '0.5'"), ""), "kept per presynaptic neuron");
    assert_eq!(
        with(PAIR, ALL, "[record.state.seen]\nof = 'p'\nvariables = ['Apre']\nevery = '1 ms'"),
        per_synapse("the recorder `seen` records it")
    );
    assert_eq!(
        with(&PAIR.replace("Apre += 0.1", "Apre += 0.1*w"), ALL, ""),
        per_synapse("pathway `pre` gives it values that differ between synapses")
    );
    assert_eq!(
        with(&PAIR.replace("Apre += 0.1", "Apre += rand()"), ALL, ""),
        per_synapse("pathway `pre` gives it values that differ between synapses")
    );
    assert_eq!(
        with(&PAIR.replace("Apre += 0.1", "Apre += x_post"), ALL, ""),
        per_synapse("pathway `pre` gives it values that differ between synapses")
    );
    assert_eq!(
        with(&PAIR.replace("Apost -= 0.12", "Apre *= 0.5"), ALL, ""),
        per_synapse("pathways of both ends write it")
    );
    assert_eq!(
        with(&PAIR.replace("-Apre/(20*ms)", "(Apost - Apre)/(20*ms)"), ALL, ""),
        per_synapse("it goes with `Apost`, which the other end writes")
    );
    assert_eq!(
        with(&PAIR.replace("-Apre/(20*ms)", "-Apre*(1 + x_post)/(20*ms)"), ALL, ""),
        per_synapse("`x` is not the presynaptic neuron's, and it decays with it")
    );
    assert_eq!(
        with(&PAIR.replace("-Apre/(20*ms)", "-Apre*(1 + w)/(20*ms)"), ALL, ""),
        per_synapse("`w` is not the presynaptic neuron's, and it decays with it")
    );
    let pruned = format!("{PAIR}\nprune = {{ condition = 'w < 0.01', every = '10 ms' }}");
    assert_eq!(with(&pruned, ALL, ""), per_synapse("rules make and remove synapses"));
}

#[test]
fn synapses_part_when_they_become_different() {
    let projection = format!("{ALL}\ndelay = '2 ms'");
    let text = text(PAIR, &projection);
    let kept_apart = apart(&text, "'Apre', 'Apost'");
    type Deed = fn(&mut Simulation);
    let deeds: [(Deed, bool); 6] = [
        (|s| s.set("p.Apre", &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).unwrap(), true),
        (|s| s.set("p.Apost", &[0.0]).unwrap(), true),
        (|s| s.set("p.lastupdate", &[0.01]).unwrap(), true),
        (|s| s.set("p.w", &[0.5]).unwrap(), false),
        (
            |s| {
                let id = neuropil_model::ProjectionId::new(0);
                let id = if s.network().projection(id).name == "p" {
                    id
                } else {
                    neuropil_model::ProjectionId::new(1)
                };
                s.set_delay(id, 0, neuropil_model::Delay::Steps(7)).unwrap();
            },
            true,
        ),
        (|_| {}, false),
    ];
    for (deed, parts) in deeds {
        let mut reference = simulate(&kept_apart);
        reference.run(0.02).unwrap();
        deed(&mut reference);
        reference.run(0.03).unwrap();
        each(&model(&text), |simulation| {
            simulation.run(0.02).unwrap();
            deed(simulation);
            let is_parted = kept(simulation).iter().all(|l| l.contains("were changed after the start"));
            assert_eq!(is_parted, parts, "{:?}", kept(simulation));
            simulation.run(0.03).unwrap();
            same(&mut reference, simulation, 1e-12);
        });
    }
}

#[test]
fn one_value_for_all_before_the_start_keeps_them_together() {
    let projection = format!("{ALL}\ndelay = '2 ms'");
    let text = text(PAIR, &projection);
    let deed = |s: &mut Simulation| {
        s.set("p.Apre", &[0.3]).unwrap();
        s.set("p.Apost", &[0.2; 6]).unwrap();
        let p = s.network().projections.iter().position(|p| p.name == "p").unwrap();
        s.set_delay(neuropil_model::ProjectionId::new(p), 0, neuropil_model::Delay::Steps(5)).unwrap();
    };
    let mut reference = simulate(&apart(&text, "'Apre', 'Apost'"));
    deed(&mut reference);
    reference.run(0.05).unwrap();
    each(&model(&text), |simulation| {
        deed(simulation);
        assert_eq!(simulation.values("p.Apre").unwrap(), [0.3; 6]);
        assert!(kept(simulation).iter().all(|l| l.contains("synaptic neuron")), "{:?}", kept(simulation));
        simulation.run(0.05).unwrap();
        same(&mut reference, simulation, 1e-12);
    });
}

#[test]
fn a_time_constant_that_changes_parts_them_unless_nothing_has_been_run() {
    let synapse = PAIR
        .replace("-Apre/(20*ms)", "-Apre/taupre")
        .replace("w : 1", "w : 1\ntaupre : second (shared, constant)");
    let text = text(&synapse, &format!("{ALL}\ninitial.taupre = '20 ms'"));
    for (before, parts) in [(0.0, false), (0.02, true)] {
        let run = |s: &mut Simulation| {
            if before > 0.0 {
                s.run(before).unwrap();
            }
            s.set("p.taupre", &[0.007]).unwrap();
        };
        let mut reference = simulate(&apart(&text, "'Apre', 'Apost'"));
        run(&mut reference);
        reference.run(0.03).unwrap();
        each(&model(&text), |simulation| {
            run(simulation);
            assert_eq!(kept(simulation).iter().any(|l| l.contains("after the start")), parts);
            simulation.run(0.03).unwrap();
            same(&mut reference, simulation, 1e-12);
        });
    }
}

#[test]
fn a_host_operation_sees_and_sets_them_in_the_middle_of_a_step() {
    let text = format!("{}\n[host.look]\nwhen = 'before_synapses'\n", text(PAIR, ALL));
    let look = |simulation: &mut Simulation| {
        simulation
            .bind("look", |host| {
                if host.step() == 25 {
                    let seen = host.values("p.Apre")?;
                    let doubled: Vec<f64> = seen.iter().enumerate().map(|(k, v)| v * k as f64).collect();
                    host.set("p.Apre", &doubled)?;
                }
                Ok(())
            })
            .unwrap();
        simulation.run(0.05).unwrap();
    };
    let mut reference = simulate(&apart(&text, "'Apre', 'Apost'"));
    look(&mut reference);
    each(&model(&text), |simulation| {
        look(simulation);
        same(&mut reference, simulation, 1e-12);
    });
}

#[test]
fn synapses_that_come_and_go_by_calls_part_and_those_made_anew_do_not() {
    let text = text(PAIR, ALL);
    let id = |s: &Simulation| {
        let p = s.network().projections.iter().position(|p| p.name == "p").unwrap();
        neuropil_model::ProjectionId::new(p)
    };
    let mut before = simulate(&model(&text));
    before.run(0.02).unwrap();
    let shown = before.values("p.Apre").unwrap();
    before.prune("p", |s| s.pre == 1).unwrap();
    assert_eq!(before.values("p.Apre").unwrap(), [&shown[..2], &shown[4..]].concat());
    before.create("p", &[(1, 0)], &[("Apre", &[0.7])]).unwrap();
    assert_eq!(before.values("p.Apre").unwrap(), [&shown[..2], &[0.7], &shown[4..]].concat());

    // Synapses made anew have met no event: they are those of a simulation that begins with them, at this time.
    let anew = |s: &mut Simulation| {
        s.run(0.02).unwrap();
        let connect = neuropil_model::Connect::AllToAll { self_connections: true };
        let of = id(s);
        s.reconnect(of, connect).unwrap();
        assert!(s.values("p.Apre").unwrap().iter().all(|v| *v == 0.0));
        assert!(s.values("p.lastupdate").unwrap().iter().all(|v| *v == 0.0));
        s.run(0.03).unwrap();
    };
    let recurrent = text.replace("duration = \"50 ms\"", "duration = \"60 ms\"");
    // What the host sees cannot be recorded here, since the number of synapses changes.
    let started = recurrent.replace(ALL, &format!("{ALL}\ninitial.Apre = '0*rand()'"));
    let mut reference = simulate(&model(&started));
    assert!(kept(&reference)[0].contains("initial values"), "{:?}", kept(&reference));
    anew(&mut reference);
    each(&model(&recurrent), |simulation| {
        anew(simulation);
        assert!(kept(simulation).iter().all(|l| l.contains("synaptic neuron")), "{:?}", kept(simulation));
        same(&mut reference, simulation, 1e-12);
    });
}

#[test]
fn a_simulation_that_goes_on_from_a_state_or_a_file_is_the_same() {
    for part in [false, true] {
        let model = model(&text(PAIR, &format!("{ALL}\ndelay = '2 ms'")));
        let place = std::env::temp_dir().join(format!("neuropil-traces-{}-{part}", std::process::id()));
        let mut whole = simulate(&model);
        let stop = |at: u64| {
            move |p: neuropil::Progress| {
                if p.done >= at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
        };
        whole.perform(&mut stop(21)).unwrap();
        if part {
            whole.set("p.Apre", &[0.3, 0.1, 0.2, 0.3, 0.0, 0.1]).unwrap();
        }
        whole.checkpoint(&place).unwrap();
        let state = whole.store().unwrap();
        let go_on: fn(&mut Simulation) = |s| {
            s.perform(&mut |_| ControlFlow::Continue(())).unwrap();
        };
        go_on(&mut whole);
        let options = Options { threads: 1, record: RecordTo::Nothing };
        let mut resumed = model.resume(&Cpu, &options, &place).unwrap_or_else(|e| panic!("{e}"));
        go_on(&mut resumed);
        same(&mut whole, &mut resumed, 0.0);
        let w = whole.values("p.w").unwrap();
        whole.restore(&state).unwrap();
        assert_ne!(whole.values("p.w").unwrap(), w);
        go_on(&mut whole);
        assert_eq!(whole.values("p.w").unwrap(), w);
        let _ = std::fs::remove_file(&place);
    }
}

#[test]
fn a_trace_that_overflows_is_told_by_its_synapse_and_step() {
    let synapse = PAIR.replace("Apre += 0.1", "Apre = 1e308*(Apre + 1)");
    // The first source spikes in steps 1 and 4; the second, in 0 and 12, has no synapse.
    let model = model(&text(&synapse, "connect = { rule = 'pairs', pairs = [[0, 1], [2, 0]] }"));
    each(&model, |simulation| match simulation.run(0.05) {
        Err(RunError::NonFinite { variable, element, step, .. }) => {
            assert_eq!((variable.as_str(), element, step), ("p.Apre", 0, 4));
        }
        other => panic!("{other:?}"),
    });
}

#[test]
fn the_builder_makes_them_too() {
    let mut net = neuropil::Builder::new("pairs");
    net.dt("1 ms");
    net.neuron("cell").equations("dv/dt = (1.5 - v)/(10*ms) : 1").threshold("v > 1").reset("v = 0");
    net.population("cells", "cell", 5);
    net.synapse("s")
        .equations("w : 1\ndApre/dt = -Apre/(20*ms) : 1 (event-driven)")
        .on_pre("Apre += 1")
        .on_post("w += Apre");
    net.projection("p", "s", "cells", "cells").connect(Connect::condition("i != j"));
    let mut simulation = simulate(&net.model());
    simulation.run(0.1).unwrap();
    assert_eq!(kept(&simulation), ["p.Apre: kept per presynaptic neuron"]);
    // Presynaptic spikes do nothing at synapses.
    let of_p: Vec<&str> = simulation
        .program()
        .operations
        .iter()
        .map(|o| o.name.as_str())
        .filter(|name| name.starts_with("p."))
        .collect();
    assert_eq!(of_p, ["p.pre.neuron", "p.post.neuron", "p.post"]);
    assert!(simulation.values("p.w").unwrap().iter().all(|w| *w > 5.0));
}
