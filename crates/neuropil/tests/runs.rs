//! Several runs and what changes between them: variables, delays, synapses, active objects, networks, stop
//! conditions, schedules, host operations, and states to go back to. Every answer is exact.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::sync::{Arc, Mutex};

use common::model;
use neuropil::{
    Backend, Cpu, CpuOptions, Error, ErrorKind, Interp, Model, Options, Outcome, Precision, RecordTo,
    RunError, Simulation,
};

/// The network of `text` in every kind of machine and both precisions.
fn everywhere(text: &str, mut test: impl FnMut(&Model, Simulation)) {
    for precision in [Precision::F64, Precision::F32] {
        let mut model = model(text);
        model.set_precision(precision);
        // Two threads share even the smallest population.
        let split = Cpu.with(CpuOptions { smallest_work: 1, ..CpuOptions::default() });
        let backends: [(&dyn Backend, usize); 3] = [(&Interp, 1), (&Cpu, 1), (&split, 2)];
        for (backend, threads) in backends {
            let options = Options { threads, record: RecordTo::Memory };
            match model.simulate(backend, &options) {
                Ok(simulation) => test(&model, simulation),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn perform(simulation: &mut Simulation) -> Outcome {
    simulation.perform(&mut |_| std::ops::ControlFlow::Continue(())).unwrap()
}

/// The steps of recorded spikes, 0.1 ms each.
fn steps(simulation: &Simulation, of: &str) -> Vec<(i64, u32)> {
    let (times, neurons) = simulation.spikes(of).unwrap();
    times.iter().map(|t| (t / 1e-4).round() as i64).zip(neurons).collect()
}

/// One spike each at steps 5 and 25 from `source`, counted in `x` of the target.
const RELAY: &str = r#"
dt = "0.1 ms"
[input.source]
kind = "spikes"
size = 2
indices = [0, 1]
times = [0.5, 2.5]
unit = "ms"
[neuron.counter]
equations = """
x : 1
when : integer
"""
[population.cells]
neuron = "counter"
size = 3
[synapse.add]
equations = "w : 1"
on_pre = """
x_post += w
when_post = t_in_timesteps
"""
[projection.p]
synapse = "add"
source = "source"
target = "cells"
connect = { rule = "pairs", pairs = [[0, 0], [0, 2], [1, 1], [1, 2]] }
weight = "1 + i + 10*j"
delay = "0.3 ms"
"#;

#[test]
fn parameters_set_between_runs_hold_from_then_on() {
    let text = r#"
        [neuron.n]
        equations = """
        dv/dt = I/ms : 1
        I : 1 (constant)
        """
        method = "euler"
        [population.cells]
        neuron = "n"
        size = 4
        [view.second]
        of = "cells"
        range = [2, 4]
        [[run]]
        set.cells.I = 1
        duration = "10 ms"
        [[run]]
        set.second.I = "2 + i"
        set.second.v = "v + 100"
        duration = "5 ms"
    "#;
    everywhere(text, |_, mut s| {
        assert_eq!(perform(&mut s), Outcome::Finished);
        assert_eq!(s.steps(), 150);
        let v: Vec<f64> = s.values("cells.v").unwrap().iter().map(|v| (v * 1e3).round() / 1e3).collect();
        assert_eq!(v, [15.0, 15.0, 120.0, 125.0]);
    });
}

#[test]
fn repetitions_count_and_nest() {
    let text = r#"
        [neuron.n]
        equations = "total : 1"
        [population.cells]
        neuron = "n"
        size = 1
        [[run]]
        repeat = 3
        counter = "outer"
        [[run.run]]
        repeat = 4
        counter = "inner"
        set.cells.total = "total + 10*outer + inner"
        duration = "0.2 ms"
    "#;
    everywhere(text, |_, mut s| {
        perform(&mut s);
        assert_eq!(s.steps(), 24);
        // 10*4*(0 + 1 + 2) + 3*(0 + 1 + 2 + 3)
        assert_eq!(s.values("cells.total").unwrap(), [138.0]);
    });
}

#[test]
fn events_keep_the_delay_that_they_set_out_with() {
    everywhere(RELAY, |model, mut s| {
        model
            .proceed(
                &mut s,
                r#"
                [[run]]
                duration = "0.6 ms"
                [[run]]
                delays.p.pre = "1 ms"
                duration = "2 ms"
                [[run]]
                delays.p.pre = "0.1*ms*(1 + j)"
                duration = "2 ms"
                "#,
            )
            .unwrap();
        // As Brian 2.9 does it (numpy target; the same network with `s.delay` set between three runs).
        assert_eq!(s.values("cells.x").unwrap(), [1.0, 12.0, 21.0 + 22.0]);
        assert_eq!(s.values("cells.when").unwrap(), [8.0, 35.0, 35.0]);
    });
}

#[test]
fn delays_per_synapse_replace_each_other_while_events_are_under_way() {
    everywhere(RELAY, |model, mut s| {
        // The event of step 5 is under way with 10 to 12 steps, that of step 25 with 7, when delays change again.
        model
            .proceed(
                &mut s,
                r#"
                [[run]]
                delays.p.pre = "1*ms + 0.1*ms*j"
                duration = "0.6 ms"
                [[run]]
                delays.p.pre = "0.7*ms"
                duration = "2 ms"
                [[run]]
                delays.p.pre = "0.1*ms*(5 - j)"
                duration = "0.4 ms"
                [[run]]
                delays.p.pre = "0.3 ms"
                duration = "1 ms"
                "#,
            )
            .unwrap();
        assert_eq!(s.values("cells.x").unwrap(), [1.0, 12.0, 21.0 + 22.0]);
        assert_eq!(s.values("cells.when").unwrap(), [15.0, 32.0, 32.0]);
    });
}

#[test]
fn a_delay_that_is_set_to_what_it_is_changes_nothing() {
    let text = r#"
        seed = 3
        [input.noise]
        kind = "poisson"
        size = 30
        rate = "200 Hz"
        [neuron.n]
        equations = "dv/dt = -v/(10*ms) : 1"
        threshold = "v > 1"
        reset = "v = 0"
        [population.cells]
        neuron = "n"
        size = 10
        [synapse.s]
        equations = """
        w : 1
        y : 1
        """
        on_pre = "v_post += w; y += 0.01"
        on_post = "w = clip(w + 0.01*y - 0.004, 0, 1); y *= 0.9"
        [projection.p]
        synapse = "s"
        source = "noise"
        target = "cells"
        connect = { rule = "fixed_probability", p = 0.5 }
        weight = 0.2
        delays.pre = "1*ms + 0.1*ms*(i % 5)"
        delays.post = "2*ms + 0.1*ms*(j % 3)"
    "#;
    everywhere(text, |model, mut s| {
        let start = s.store().unwrap();
        s.run(0.06).unwrap();
        let (digest, w) = (s.spike_digest(), s.values("p.w").unwrap());
        assert!(s.spike_counts()[1].spikes + s.spike_counts()[0].spikes > 200);
        s.restore(&start).unwrap();
        model
            .proceed(
                &mut s,
                r#"
                [[run]]
                duration = "21 ms"
                [[run]]
                delays.p.post = "2*ms + 0.1*ms*(j % 3)"
                duration = "1.3 ms"
                [[run]]
                delays.p.pre = "1*ms + 0.1*ms*(i % 5)"
                duration = "0.4 ms"
                [[run]]
                delays.p.pre = "1*ms + 0.1*ms*(i % 5)"
                delays.p.post = "2*ms + 0.1*ms*(j % 3)"
                duration = "37.3 ms"
                "#,
            )
            .unwrap();
        assert_eq!((s.spike_digest(), s.values("p.w").unwrap()), (digest, w));
    });
}

#[test]
fn synapses_made_anew_have_their_initial_values_again() {
    everywhere(RELAY, |model, mut s| {
        model
            .proceed(
                &mut s,
                r#"
                [[run]]
                set.p.w = 1000
                duration = "2 ms"
                [[run]]
                connect.p = { rule = "condition", condition = "i == 1" }
                duration = "2 ms"
                "#,
            )
            .unwrap();
        assert_eq!(s.n_synapses(), 3);
        assert_eq!(s.values("p.w").unwrap(), [2.0, 12.0, 22.0]);
        assert_eq!(s.values("cells.x").unwrap(), [1000.0 + 2.0, 12.0, 1000.0 + 22.0]);
    });
}

#[test]
fn what_is_switched_off_neither_advances_nor_emits_nor_acts_nor_records() {
    let text = r#"
        [neuron.clockwork]
        equations = "dv/dt = 1/ms : 1"
        threshold = "v > 0.95"
        reset = "v = 0"
        method = "euler"
        [neuron.sink]
        equations = "x : 1"
        [population.a]
        neuron = "clockwork"
        size = 1
        [population.b]
        neuron = "clockwork"
        size = 1
        [population.c]
        neuron = "sink"
        size = 1
        [synapse.add]
        on_pre = "x_post += 1"
        [projection.ac]
        synapse = "add"
        source = "a"
        target = "c"
        connect = "one_to_one"
        [projection.bc]
        synapse = "add"
        source = "b"
        target = "c"
        connect = "one_to_one"
        [record]
        spikes = ["a", "b"]
        [[run]]
        off = ["a"]
        duration = "2.5 ms"
        [[run]]
        on = ["a"]
        off = ["bc", "b_spikes"]
        duration = "2.5 ms"
    "#;
    everywhere(text, |_, mut s| {
        perform(&mut s);
        // `v` passes 0.95 in the tenth step after each reset.
        assert_eq!(steps(&s, "a"), [(34, 0), (44, 0)]);
        assert_eq!(steps(&s, "b"), [(9, 0), (19, 0)]);
        assert_eq!(s.values("c.x").unwrap(), [4.0]);
        let counts: Vec<u64> = s.spike_counts().iter().map(|c| c.spikes).collect();
        assert_eq!(counts, [2, 5]);
    });
}

#[test]
fn a_population_that_is_switched_off_as_it_spikes_does_not_go_on_spiking() {
    let text = r#"
        [neuron.once]
        equations = "x : 1"
        threshold = "x == 0"
        reset = "x = 1"
        [population.a]
        neuron = "once"
        size = 1
        [population.b]
        neuron = "once"
        size = 1
        [synapse.add]
        on_pre = "x_post += 1"
        [projection.p]
        synapse = "add"
        source = "a"
        target = "b"
        connect = "one_to_one"
        delay = "0.2 ms"
        [record]
        spikes = "all"
    "#;
    everywhere(text, |model, mut s| {
        model
            .proceed(&mut s, "[[run]]\nduration = \"0.1 ms\"\n[[run]]\noff = [\"a\"]\nduration = \"1 ms\"")
            .unwrap();
        assert_eq!(steps(&s, "a"), [(0, 0)]);
        // The one event that was under way arrives.
        assert_eq!(s.values("b.x").unwrap(), [2.0]);
    });
}

#[test]
fn a_projection_that_is_off_misses_what_arrives_and_not_what_sets_out() {
    let text = r#"
        [input.source]
        kind = "spikes"
        size = 1
        indices = [0, 0, 0, 0]
        times = [0.2, 0.7, 1.2, 2.2]
        unit = "ms"
        [neuron.n]
        equations = "seen : 1"
        [population.cells]
        neuron = "n"
        size = 1
        [synapse.s]
        on_pre = "seen_post = 100*seen_post + t_in_timesteps"
        [projection.p]
        synapse = "s"
        source = "source"
        target = "cells"
        connect = "all_to_all"
        delay = "0.5 ms"
        [[run]]
        duration = "0.5 ms"
        [[run]]
        off = ["p"]
        duration = "1 ms"
        [[run]]
        on = ["p"]
        duration = "2 ms"
    "#;
    everywhere(text, |_, mut s| {
        perform(&mut s);
        // As Brian 2.9 with `active` of the `Synapses` (NumPy target): the events of steps 12 and 22 arrive.
        assert_eq!(s.values("cells.seen").unwrap(), [1727.0]);
    });
}

#[test]
fn networks_share_objects_and_have_times_of_their_own() {
    let text = r#"
        [neuron.n]
        equations = "dx/dt = 1/ms : 1"
        method = "euler"
        [population.shared]
        neuron = "n"
        size = 1
        [population.one]
        neuron = "n"
        size = 1
        [population.two]
        neuron = "n"
        size = 1
        [network.first]
        objects = ["shared", "one"]
        [network.second]
        objects = ["shared", "two"]
        [[run]]
        network = "first"
        duration = "3 ms"
        [[run]]
        network = "second"
        duration = "5 ms"
        [[run]]
        network = "first"
        duration = "1 ms"
    "#;
    everywhere(text, |_, mut s| {
        perform(&mut s);
        let of = |s: &mut Simulation, name: &str| (s.values(name).unwrap()[0] * 1e3).round() / 1e3;
        assert_eq!(of(&mut s, "shared.x"), 9.0);
        assert_eq!(of(&mut s, "one.x"), 4.0);
        assert_eq!(of(&mut s, "two.x"), 5.0);
        // The network that ran last is the first, at its own time.
        assert_eq!(s.steps(), 40);
    });
}

#[test]
fn events_under_way_wait_for_their_network() {
    let text = r#"
        [neuron.once]
        equations = "x : 1"
        threshold = "x == 0"
        reset = "x = 1"
        [neuron.sink]
        equations = "y : integer"
        [population.a]
        neuron = "once"
        size = 1
        [population.b]
        neuron = "sink"
        size = 1
        [population.other]
        neuron = "sink"
        size = 1
        [synapse.note]
        on_pre = "y_post = t_in_timesteps"
        [projection.p]
        synapse = "note"
        source = "a"
        target = "b"
        connect = "one_to_one"
        delay = "0.7 ms"
        [network.first]
        objects = ["a", "b", "p"]
        [network.second]
        objects = ["other"]
        [[run]]
        network = "first"
        duration = "0.5 ms"
        [[run]]
        network = "second"
        duration = "10 ms"
        [[run]]
        network = "first"
        duration = "0.5 ms"
    "#;
    everywhere(text, |_, mut s| {
        perform(&mut s);
        assert_eq!(s.values("b.y").unwrap(), [7.0]);
    });
}

#[test]
fn a_condition_ends_a_run_after_the_step_in_which_it_holds() {
    let text = r#"
        [neuron.n]
        equations = """
        dv/dt = rate : 1
        rate = (1 + i)/ms : Hz
        """
        method = "euler"
        [population.cells]
        neuron = "n"
        size = 4
        [[run]]
        until = { of = "cells", condition = "v > 7.95", count = COUNT }
        duration = "1 s"
    "#;
    for (count, steps) in [("1", 20), ("2", 27), ("\"all\"", 80)] {
        everywhere(&text.replace("COUNT", count), |_, mut s| {
            assert_eq!(perform(&mut s), Outcome::Finished);
            // Neuron i is at (1 + i)*0.1 after each step.
            assert_eq!(s.steps(), steps, "{count}");
        });
    }
}

#[test]
fn a_stored_state_brings_back_everything() {
    let text = r#"
        seed = 5
        [neuron.n]
        equations = """
        dv/dt = (1.2 - v)/(5*ms) + 0.3*xi/sqrt(ms) : 1 (unless refractory)
        I : 1
        """
        threshold = "v > 1"
        reset = "v = 0"
        refractory = "1 ms"
        [population.cells]
        neuron = "n"
        size = 30
        [synapse.s]
        equations = "w : 1"
        on_pre = "v_post += w"
        [projection.p]
        synapse = "s"
        source = "cells"
        target = "cells"
        connect = { rule = "fixed_probability", p = 0.2 }
        weight = "0.05*rand()"
        delay = "2*ms*rand()"
    "#;
    everywhere(text, |model, mut s| {
        s.run(0.02).unwrap();
        let snapshot = s.store().unwrap();
        s.run(0.02).unwrap();
        let (digest, v) = (s.spike_digest(), s.values("cells.v").unwrap());
        assert!(s.spike_counts()[0].spikes > 50);
        // Change all that can be changed, then go back.
        model
            .proceed(
                &mut s,
                r#"
                [[run]]
                set.cells.I = 3
                set.p.w = 0
                delays.p.pre = "5 ms"
                connect.p = "all_to_all"
                off = ["p"]
                duration = "3 ms"
                "#,
            )
            .unwrap();
        assert_ne!(s.spike_digest(), digest);
        for _ in 0..2 {
            s.restore(&snapshot).unwrap();
            assert_eq!(s.steps(), 200);
            assert_eq!(s.values("cells.I").unwrap(), [0.0; 30]);
            s.run(0.02).unwrap();
            assert_eq!(s.spike_digest(), digest);
            assert_eq!(s.values("cells.v").unwrap(), v);
        }
        // What was recorded goes back only if it is asked to.
        let (kept, _) = s.spikes("cells").unwrap();
        s.rewind(&snapshot).unwrap();
        s.run(0.02).unwrap();
        let (times, _) = s.spikes("cells").unwrap();
        assert_eq!(s.spike_digest(), digest);
        assert_eq!(times.len() as u64, s.spike_counts()[0].spikes);
        assert!(times.len() < kept.len() && times.is_sorted());
    });
}

#[test]
fn slots_may_be_ordered_anew_and_have_names_of_ones_own() {
    // The threshold is looked at, then synapses act on the value, then resets; `late` is a slot of its own.
    let text = |schedule: &str, reset: &str| {
        format!(
            r#"
            schedule = {schedule}
            [neuron.n]
            equations = """
            x : 1
            y : 1
            """
            threshold = "x >= 0"
            reset = "x = 10*x + 1"
            schedule.reset = {reset}
            [population.cells]
            neuron = "n"
            size = 1
            [synapse.s]
            on_pre = "x_post = 10*x_post + 2"
            [projection.p]
            synapse = "s"
            source = "cells"
            target = "cells"
            connect = "one_to_one"
            [record.state.seen]
            of = "cells"
            variables = ["x"]
            slot = "late"
            "#
        )
    };
    let usual = r#"["start", "groups", "thresholds", "synapses", "resets", "late", "end"]"#;
    let early = r#"["start", "groups", "thresholds", "late", "resets", "synapses", "end"]"#;
    for (schedule, reset, x, seen) in [
        (usual, "\"resets\"", 21.0, 21.0),
        (usual, "\"before_synapses\"", 12.0, 12.0),
        (usual, "{ when = \"synapses\", order = -2 }", 12.0, 12.0),
        (usual, "{ when = \"after_late\", order = 0 }", 21.0, 2.0),
        (early, "\"resets\"", 12.0, 0.0),
    ] {
        everywhere(&text(schedule, reset), |_, mut s| {
            s.step().unwrap();
            assert_eq!(s.values("cells.x").unwrap(), [x], "{schedule} {reset}");
            assert_eq!(s.trace("seen", "x").unwrap().data.to_f64()[0], seen, "{schedule} {reset}");
        });
    }
}

#[test]
fn what_comes_before_the_threshold_sees_the_spikes_of_the_step_before() {
    // As in Brian 2, where a pathway takes whatever spikes its population has at the moment.
    let text = r#"
        schedule = ["start", "groups", "synapses", "resets", "thresholds", "end"]
        [neuron.once]
        equations = "x : integer"
        threshold = "t_in_timesteps == 3"
        reset = "x = t_in_timesteps"
        [neuron.sink]
        equations = "y : integer"
        [population.a]
        neuron = "once"
        size = 1
        [population.b]
        neuron = "sink"
        size = 1
        [synapse.note]
        on_pre = "y_post = t_in_timesteps"
        [projection.p]
        synapse = "note"
        source = "a"
        target = "b"
        connect = "one_to_one"
        delay = "0.2 ms"
    "#;
    everywhere(text, |_, mut s| {
        s.run(0.001).unwrap();
        assert_eq!(s.values("a.x").unwrap(), [4.0]);
        assert_eq!(s.values("b.y").unwrap(), [6.0]);
    });
}

const HOSTED: &str = r#"
    [neuron.n]
    equations = """
    dv/dt = I/ms : 1
    I : 1
    """
    threshold = "v > 0.95"
    reset = "v = 0"
    method = "euler"
    [population.cells]
    neuron = "n"
    size = 2
    [host.drive]
    every = "1 ms"
    when = "before_groups"
    [host.watch]
    when = "after_thresholds"
"#;

#[test]
fn host_operations_read_and_write_everything_in_their_place() {
    everywhere(HOSTED, |_, mut s| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        s.bind("drive", |host| {
            let k = host.step() as f64;
            assert!((host.time() - k * 1e-3).abs() < 1e-15);
            host.set("cells.I", &[k, 2.0 * k])?;
            Ok(())
        })
        .unwrap();
        let log = Arc::clone(&seen);
        s.bind("watch", move |host| {
            let step = host.step();
            let spiking = host.events("cells", "spike")?.to_vec();
            let v = host.values("cells.v")?;
            if !spiking.is_empty() {
                // The reset has not happened yet.
                assert!(spiking.iter().all(|n| v[*n as usize] > 0.95));
                log.lock().unwrap().push((step, spiking));
            }
            Ok(())
        })
        .unwrap();
        s.run(0.003).unwrap();
        let seen = seen.lock().unwrap().clone();
        // Nothing in the first millisecond; then `v` grows by 0.1 and 0.2 per step, then by 0.2 and 0.4.
        assert_eq!(
            seen,
            [
                (14, vec![1]),
                (19, vec![0, 1]),
                (22, vec![1]),
                (24, vec![0]),
                (25, vec![1]),
                (28, vec![1]),
                (29, vec![0])
            ]
        );
    });
}

#[test]
fn a_host_operation_may_stop_a_run_or_fail() {
    everywhere(HOSTED, |_, mut s| {
        let unbound = s.run(0.001).unwrap_err();
        assert!(matches!(unbound, RunError::Unbound { .. }), "{unbound}");
        s.bind("drive", |_| Ok(())).unwrap();
        s.bind("watch", |host| {
            if host.step() == 12 {
                host.stop();
            }
            Ok(())
        })
        .unwrap();
        let outcome = s.run_steps(100, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
        assert_eq!((outcome, s.steps()), (Outcome::Stopped, 13));
        s.bind("drive", |_| Err("no more paper".into())).unwrap();
        let error = Error::Run(s.run(0.01).unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Host);
        assert_eq!(error.to_string(), "the host operation `drive` failed: no more paper");
        let unknown = s.bind("dirve", |_| Ok(())).unwrap_err();
        assert_eq!(unknown.to_string(), "no host operation `dirve`; did you mean `drive`?");
    });
}

#[test]
fn nothing_is_compiled_again_unless_code_changes() {
    let model = model(RELAY);
    let mut s = model.simulate(&Cpu, &Options::default()).unwrap();
    let compiled = s.counters().compiled;
    model
        .proceed(
            &mut s,
            r#"
            [[run]]
            set.p.w = 3
            delays.p.pre = "0.1*ms*j"
            connect.p = "all_to_all"
            off = ["cells"]
            duration = "1 ms"
            "#,
        )
        .unwrap();
    assert_eq!(s.counters().compiled, compiled);
    let until = "[[run]]\nduration = \"1 ms\"\nuntil = { of = \"cells\", condition = \"x > 1000\" }";
    model.proceed(&mut s, until).unwrap();
    model.proceed(&mut s, until).unwrap();
    assert_eq!(s.counters().compiled, compiled + 1);
}

#[test]
fn wrong_runs_are_refused_with_all_that_is_wrong() {
    let wrong = format!(
        "{RELAY}{}",
        r#"
        [network.part]
        objects = ["cells", "sauce"]
        [[run]]
        restore = "start"
        set.cells.x = "3*mV"
        set.cell.x = 3
        delays.p.past = "1 ms"
        delays.p.pre = "-1 ms"
        off = ["nothing"]
        network = "whole"
        duration = "1 ms"
        until = { of = "cells", condition = "x" , count = 4 }
        [[run]]
        until = { of = "cells", condition = "x > 1" }
        counter = "k"
        "#
    );
    let error = model(&wrong).network().unwrap_err();
    let codes: Vec<&str> = error.diagnostics.iter().map(|d| d.code).collect();
    for code in ["unknown-name", "unit-mismatch", "negative-delay", "out-of-range", "missing-field"] {
        assert!(codes.contains(&code), "{code} in {error}");
    }
    assert_eq!(error.diagnostics.iter().filter(|d| d.code == "unknown-name").count(), 6, "{error}");
    let m = model(RELAY);
    let mut s = m.simulate(&Cpu, &Options::default()).unwrap();
    let error = m.proceed(&mut s, "[constants]\na = 1\n").unwrap_err();
    assert!(error.to_string().contains("not-a-run"), "{error}");
}
