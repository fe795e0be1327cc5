//! What a model means, said twice: networks with answers in closed form, and pairs of networks that must agree.
//!
//! The order of things within a step is compared with Brian 2 state by state in `conformance/tests/golden.rs`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]
#![allow(clippy::disallowed_methods, reason = "closed forms are compared within a tolerance")]

mod common;

use common::{after, found, model, values};
use neuropil::{Model, Stage};

/// In which steps which neuron had a recorded event.
fn events(text: &str, steps: u64, of: &str) -> Vec<(i64, u32)> {
    found(&model(text), steps, |simulation| {
        let (times, neurons) = simulation.spikes(of).unwrap();
        let dt = simulation.dt();
        times.iter().map(|t| (t / dt).round() as i64).zip(neurons).collect()
    })
}

/// Neurons that spike at their own times, and synapses that learn from both sides; `delays` stands in the projection.
fn learning(delays: &str) -> String {
    format!(
        r#"
        dt = "0.1 ms"
        [neuron.cell]
        equations = "dx/dt = (0.3 + 0.05*i)/ms : 1"
        threshold = "x > 1"
        reset = "x -= 1"
        [population.cells]
        neuron = "cell"
        size = 5
        [synapse.learns]
        equations = """
        w : 1
        seen : 1
        """
        on_pre = "w = 0.9*w + 0.1*x_post; x_post += 0.01*w"
        on_post = "w = 0.8*w + 0.2*x_pre; seen += x_pre"
        [synapse.learns.pathway.third]
        on = "post"
        code = "w *= 0.7; x_pre -= 0.005"
        order = -3
        [projection.p]
        synapse = "learns"
        source = "cells"
        target = "cells"
        connect = {{ rule = "pairs", pairs = [[0, 1], [0, 2], [1, 1], [2, 0], [3, 4], [4, 0], [4, 3]] }}
        {delays}
        [record]
        spikes = []
        "#
    )
}

#[test]
fn a_delay_for_all_equals_the_same_delay_per_synapse_and_as_a_list() {
    let ways = [
        "delay = '0.7 ms'\ndelays.post = '0.4 ms'\ndelays.third = '1.1 ms'",
        "delay = '0.7*ms + 0*i*ms'\ndelays.post = '(4 + 0*j)*0.1*ms'\ndelays.third = '1.1*ms*(w + 1)/(w + 1)'",
        "delay = { values = [0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7], unit = 'ms' }
         delays.post = { values = [0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4], unit = 'ms' }
         delays.third = { values = [1.1, 1.1, 1.1, 1.1, 1.1, 1.1, 1.1], unit = 'ms' }",
        "delays.pre = '0.7 ms'\ndelays.post = '0.4 ms'\ndelays.third = '0.0011 second'",
    ];
    for name in ["p.w", "p.seen", "cells.x"] {
        let [first, rest @ ..] = ways.map(|way| values(&learning(way), 300, name));
        assert!(first.iter().any(|x| *x != 0.0));
        for other in rest {
            assert_eq!(first, other, "{name}");
        }
        assert_ne!(first, values(&learning("delay = '0.7 ms'"), 300, name), "the delay of `post` matters");
    }
}

#[test]
fn synapses_set_scale_and_exchange_variables_of_both_ends_in_canonical_order() {
    let run = |code: &str, steps| {
        let text = format!(
            r#"
            dt = "1 ms"
            [neuron.cell]
            equations = "v : 1"
            threshold = "t_in_timesteps == 0"
            [population.a]
            neuron = "cell"
            size = 3
            initial.v = "1 + i"
            [population.b]
            neuron = "cell"
            size = 2
            initial.v = "10 + i"
            [synapse.s]
            equations = "w : 1"
            on_pre = "{code}"
            [projection.p]
            synapse = "s"
            source = "a"
            target = "b"
            connect = {{ rule = "pairs", pairs = [[0, 0], [0, 1], [1, 0], [2, 1]] }}
            weight = [100, 200, 300, 400]
            [record]
            spikes = []
            "#
        );
        (values(&text, steps, "a.v"), values(&text, steps, "b.v"))
    };
    // The later synapse of each target wins.
    assert_eq!(run("v_post = w", 1), (vec![1.0, 2.0, 3.0], vec![300.0, 400.0]));
    assert_eq!(run("v_pre *= 2", 1), (vec![4.0, 4.0, 6.0], vec![10.0, 11.0]));
    // (10*1 + 100)*3 + 300 and (11*2 + 200)*4 + 400.
    assert_eq!(run("v_post = v_post*w/100 + w", 1).1, [630.0, 1288.0]);
    // 0 and 0 exchange 1 and 10, then 0 and 1 exchange 10 and 11, then 1 and 0 2 and 1, then 2 and 1 3 and 10.
    assert_eq!(run("old = v_pre; v_pre = v_post; v_post = old", 1), (vec![11.0, 1.0, 10.0], vec![2.0, 3.0]));
}

#[test]
fn two_coupled_cells_decay_by_their_sum_and_their_difference() {
    let text = |equations: &str| {
        format!(
            r#"
            dt = "0.1 ms"
            [neuron.cell]
            equations = """
            dv/dt = (gap - v)/(10*ms) : 1
            gap : 1
            """
            method = "euler"
            [population.cells]
            neuron = "cell"
            size = 2
            initial.v = "1 - 0.75*i"
            [synapse.gap]
            {equations}
            [projection.p]
            synapse = "gap"
            source = "cells"
            target = "cells"
            connect = {{ rule = "all_to_all", self_connections = false }}
            weight = 0.5
            "#
        )
    };
    let flagged = text("equations = \"w : 1\\ngap_post = w*(v_pre - v_post) : 1 (summed)\"");
    let listed = text("equations = \"w : 1\"\nsum = [{ into = 'gap', expression = 'w*(v_pre - v_post)' }]");
    // Each step multiplies the sum by 1 - dt/tau and the difference by 1 - dt/tau - 2 w dt/tau.
    let (sum, difference) = (1.25 * 0.99_f64.powi(500), 0.75 * 0.98_f64.powi(500));
    for model in [flagged, listed] {
        let v = values(&model, 500, "cells.v");
        assert!((v[0] - 0.5 * (sum + difference)).abs() < 1e-15, "{v:?}");
        assert!((v[1] - 0.5 * (sum - difference)).abs() < 1e-15, "{v:?}");
    }
}

#[test]
fn a_summed_variable_equals_synapses_that_act_at_every_step() {
    let text = |equations: &str, event: &str, pathways: &str| {
        format!(
            r#"
            dt = "0.1 ms"
            [neuron.rate]
            equations = """
            dr/dt = (sin(6.28*t*(i + 1)/(20*ms)) + tanh(total) - r)/(5*ms) : 1
            total : 1
            """
            method = "euler"
            {event}
            [population.cells]
            neuron = "rate"
            size = 7
            [synapse.s]
            equations = """
            w : 1
            {equations}
            """
            {pathways}
            [projection.p]
            synapse = "s"
            source = "cells"
            target = "cells"
            connect = {{ rule = "condition", condition = "(i + j) % 3 > 0" }}
            weight = "0.3*sin(i + 10*j)"
            "#
        )
    };
    let summed = text("total_post = w*r_pre : 1 (summed)", "", "");
    let explicit = text(
        "",
        "event.step = { condition = 'True' }",
        "pathway.clear = { on = 'post', event = 'step', code = 'total_post = 0', order = -2 }
         pathway.add = { on = 'pre', event = 'step', code = 'total_post += w*r_pre', order = -1 }",
    );
    let r = values(&summed, 400, "cells.r");
    assert_eq!(r, values(&explicit, 400, "cells.r"));
    assert!(r.iter().all(|x| x.abs() > 1e-3));
}

#[test]
fn sums_of_every_operation_meet_in_one_channel() {
    let text = r#"
        dt = "1 ms"
        [neuron.source]
        equations = "r : 1"
        [neuron.target]
        equations = "dx/dt = sum(in)/ms : 1"
        method = "euler"
        [population.source]
        neuron = "source"
        size = 3
        initial.r = "2**i"
        [population.target]
        neuron = "target"
        size = 2
        [synapse.add]
        sum = [{ into = "in", expression = "r_pre" }]
        [synapse.strongest]
        sum = [{ into = "in", expression = "100*r_pre", operation = "max" }]
        [synapse.average]
        sum = [{ into = "in", expression = "10000*r_pre", operation = "mean" }]
        [projection.a]
        synapse = "add"
        source = "source"
        target = "target"
        connect = { rule = "pairs", pairs = [[0, 0], [1, 0], [2, 1]] }
        [projection.b]
        synapse = "add"
        source = "source"
        target = "target"
        connect = { rule = "pairs", pairs = [[2, 0]] }
        [projection.c]
        synapse = "strongest"
        source = "source"
        target = "target"
        connect = { rule = "pairs", pairs = [[1, 0], [0, 0]] }
        [projection.d]
        synapse = "average"
        source = "source"
        target = "target"
        connect = { rule = "pairs", pairs = [[0, 1], [2, 1]] }
        "#;
    assert_eq!(values(text, 1, "target.x"), [7.0 + 200.0, 4.0 + 25000.0]);
}

#[test]
fn sums_run_at_the_steps_of_their_target() {
    // The source counts steps of 1 ms. The target samples it every 3 ms, whatever the step of the synapses.
    for dt in ["", "dt = '2 ms'"] {
        let text = format!(
            r#"
            dt = "1 ms"
            [neuron.counter]
            equations = "dn/dt = 1/ms : 1"
            method = "euler"
            [neuron.reader]
            equations = "seen : 1"
            [population.counter]
            neuron = "counter"
            size = 1
            [population.reader]
            neuron = "reader"
            size = 1
            dt = "3 ms"
            [synapse.read]
            equations = "seen_post = n_pre : 1 (summed)"
            [projection.p]
            synapse = "read"
            source = "counter"
            target = "reader"
            connect = "all_to_all"
            {dt}
            "#
        );
        for (steps, seen) in [(1, 0.0), (3, 0.0), (4, 3.0), (6, 3.0), (7, 6.0), (13, 12.0)] {
            assert_eq!(values(&text, steps, "reader.seen"), [seen], "after {steps} steps");
        }
    }
}

#[test]
fn lists_of_spikes_repeat_and_regular_spikes_keep_their_interval() {
    let text = r#"
        dt = "0.5 ms"
        [input.list]
        kind = "spikes"
        size = 4
        indices = [3, 0, 2, 1]
        times = [1, 1, 2.5, 0]
        unit = "ms"
        period = "3 ms"
        [input.beat]
        kind = "regular"
        size = 3
        period = "2 ms"
        start = "i*ms"
        [view.late]
        of = "beat"
        range = [1, 3]
        [record]
        spikes = ["list", "beat", "late"]
        "#;
    let once = [(0, 1), (2, 0), (2, 3), (5, 2)];
    let thrice: Vec<(i64, u32)> = (0..3).flat_map(|k| once.map(|(s, n)| (s + 6 * k, n))).collect();
    assert_eq!(events(text, 18, "list"), thrice);
    let beat = [(0, 0), (2, 1), (4, 0), (4, 2), (6, 1), (8, 0), (8, 2)];
    assert_eq!(events(text, 9, "beat"), beat);
    // A view is recorded with the numbers that its neurons have in the population.
    assert_eq!(events(text, 9, "late"), beat.into_iter().filter(|(_, n)| *n > 0).collect::<Vec<_>>());
}

#[test]
fn poisson_inputs_follow_their_rate() {
    let text = r#"
        dt = "1 ms"
        seed = 4
        [input.window]
        kind = "timed_array"
        values = [[0, 1000], [1000, 0], [0, 0], [1000, 1000]]
        unit = "Hz"
        dt = "2 ms"
        [input.certain]
        kind = "poisson"
        size = 2
        rate = "window(t, i)"
        [input.likely]
        kind = "poisson"
        size = 500
        rate = "(100 + 300*int(i >= 250))*Hz"
        [record]
        spikes = ["certain"]
        "#;
    let certain = [(0, 1), (1, 1), (2, 0), (3, 0), (6, 0), (6, 1), (7, 0), (7, 1), (8, 0), (8, 1)];
    assert_eq!(events(text, 9, "certain"), certain);
    // 250*(0.1 + 0.4) spikes per step on average, with a variance of 250*(0.09 + 0.24): five standard deviations of
    // the sum over 400 steps are 910.
    after(&model(text), 400, |simulation| {
        let counts = simulation.spike_counts();
        let spikes = counts.iter().find(|c| c.population == "likely").unwrap().spikes;
        assert!(spikes.abs_diff(50_000) < 910, "{spikes}");
    });
}

#[test]
fn an_event_of_a_neurons_own_happens_after_spikes_and_before_synapses() {
    // The reset of `spike` sets v to 0 in the slot `resets`, after `high` has seen the potential that spiked; the
    // reset of `high` comes after it. Its pathway acts in between, one step later with a delay of a step.
    let text = r#"
        dt = "1 ms"
        [neuron.cell]
        equations = """
        dv/dt = 1/ms : 1
        story : 1
        """
        method = "euler"
        threshold = "v > 2.5"
        reset = "v = 0; story = 10*story + 2"
        event.high = { condition = "v > 1.5", reset = "story = 10*story + 3" }
        [synapse.s]
        pathway.now = { on = "pre", event = "high", code = "story_post = 10*story_post + 1" }
        pathway.later = { on = "post", event = "high", code = "story_pre = 10*story_pre + 4", delay = "1 ms" }
        [population.cells]
        neuron = "cell"
        size = 1
        [projection.p]
        synapse = "s"
        source = "cells"
        target = "cells"
        connect = "all_to_all"
        [record]
        spikes = ["cells", "cells.high"]
        "#;
    assert_eq!(events(text, 7, "cells"), [(2, 0), (5, 0)]);
    assert_eq!(events(text, 7, "cells_high"), [(1, 0), (2, 0), (4, 0), (5, 0)]);
    let storys = [(1, 0.0), (2, 13.0), (3, 131_423.0), (4, 1_314_234.0)];
    for (steps, story) in storys {
        assert_eq!(values(text, steps, "cells.story"), [story], "after {steps} steps");
    }
}

#[test]
fn a_population_without_a_threshold_has_events_but_no_spikes() {
    let text = r#"
        dt = "1 ms"
        [neuron.cell]
        equations = "x : 1"
        event.tick = { condition = "t_in_timesteps % 2 == 1", reset = "x += 1" }
        [population.cells]
        neuron = "cell"
        size = 3
        [record]
        spikes = ["cells.tick"]
        "#;
    after(&model(text), 5, |simulation| {
        assert!(simulation.spike_counts().iter().all(|c| c.spikes == 0));
        assert_eq!(simulation.spikes("cells_tick").unwrap().1, [0, 1, 2, 0, 1, 2]);
        assert_eq!(simulation.values("cells.x").unwrap(), [2.0; 3]);
    });
    // Its condition is looked at after those of spikes, its reset runs after theirs, as everywhere.
    let plan = Model::parse("events.toml", text).unwrap().emit(Stage::Plan).unwrap();
    let line =
        |name: &str| plan.lines().find(|l| l.split_whitespace().next() == Some(name)).unwrap().to_owned();
    assert!(line("cells.tick").contains("after_thresholds"), "{plan}");
    assert!(line("cells.tick.reset").contains("after_resets"), "{plan}");
}

#[test]
fn a_parameter_may_be_infinite() {
    // A refractory period without end, given as an expression, as a list, and set by a reset.
    for initial in
        ["\"inf*second if i == 1 else 1*ms\"", "{ values = [0.001, inf, 0.001], unit = \"second\" }"]
    {
        let text = format!(
            r#"
            dt = "1 ms"
            [neuron.cell]
            equations = """
            dv/dt = 1/ms : 1 (unless refractory)
            pause : second
            """
            method = "euler"
            threshold = "v > 1.5"
            reset = "v = 0; pause += (inf*second if i == 2 else 0*ms)"
            refractory = "pause"
            [population.cells]
            neuron = "cell"
            size = 3
            initial.pause = {initial}
            "#
        );
        // Neuron 1 is refractory from the start, as in Brian 2, and neuron 2 from its first spike on.
        assert_eq!(events(&text, 9, "cells"), [(1, 0), (1, 2), (3, 0), (5, 0), (7, 0)]);
        assert_eq!(values(&text, 9, "cells.pause"), [0.001, f64::INFINITY, f64::INFINITY]);
    }
}
