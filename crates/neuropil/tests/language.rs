//! Features of the language, each on a network whose answer is known: periodic code, shared variables that code writes,
//! subexpressions that are constant over a step, numbers of synapses, linked variables, binomial inputs, rates of firing.
//!
//! State by state, periodic code, held subexpressions, links and binomial inputs with probability 1 are compared with
//! Brian 2.9 in `conformance/tests/golden.rs` (`golden/semantics.py`, networks `recurring` and `linked`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use common::{after as each, found, model as parse, values};
use neuropil::{Builder, Connect, Interp, Model, Options};

fn values_of(model: &Model, steps: u64, name: &str) -> Vec<f64> {
    found(model, steps, |simulation| simulation.values(name).unwrap())
}

/// Three neurons with nothing but these equations and fields of the neuron model.
fn neurons(equations: &str, fields: &str) -> String {
    format!(
        r#"
        dt = "1 ms"
        [population.cells]
        neuron = "n"
        size = 3
        [neuron.n]
        equations = """
        {equations}
        """
        {fields}
        "#
    )
}

#[test]
fn periodic_code_runs_at_its_own_steps_in_its_own_place() {
    // Each digit says which code ran, in which order: at step 0 all three, at steps 2 and 4 `b`, at step 3 `c`.
    let fields = r#"
        periodic.a = { code = "x = 10*x + 1", every = "100 ms", when = "end" }
        periodic.b = { code = "x = 10*x + 2", every = "2 ms", when = "groups", order = 3 }
        periodic.c = { code = "x = 10*x + 3", every = "3 ms", when = "groups", order = -3 }
        "#;
    let text = neurons("x : 1", fields);
    for (steps, expected) in
        [(1, 321.0), (2, 321.0), (3, 3212.0), (4, 32123.0), (5, 321_232.0), (7, 32_123_232.0)]
    {
        assert_eq!(values(&text, steps, "cells.x"), [expected; 3], "{steps} steps");
    }
}

#[test]
fn time_in_periodic_code_is_that_of_the_object() {
    let fields = r#"periodic.p = { code = "a = t/ms; b = dt/ms; c = t_in_timesteps", every = "3 ms" }"#;
    let text = neurons("a : 1\nb : 1\nc : integer", fields);
    assert_eq!(values(&text, 8, "cells.a"), [6.0; 3]);
    assert_eq!(values(&text, 8, "cells.b"), [1.0; 3]);
    assert_eq!(values(&text, 8, "cells.c"), [6.0; 3]);
}

#[test]
fn periodic_code_leaves_refractory_neurons_alone() {
    let fields = r#"
        threshold = "i == 1 and t_in_timesteps == 2"
        refractory = "3 ms"
        periodic.p = "x += 1; y += 1"
        "#
    .replace("\"x += 1; y += 1\"", "{ code = \"x += 1; y += 1\" }");
    let text = neurons("dx/dt = 0/ms : 1 (unless refractory)\ny : 1", &fields);
    // Neuron 1 spikes at the end of step 2 and is let go by the update of step 5.
    assert_eq!(values(&text, 10, "cells.x"), [10.0, 7.0, 10.0]);
    assert_eq!(values(&text, 10, "cells.y"), [10.0; 3]);
}

#[test]
fn shared_variables_are_set_once_and_added_up_over_all_elements() {
    let fields = r#"
        periodic.a = { code = "n = n + 1; total = 0; twice = 2*n; total += v*twice" }
        periodic.b = { code = "mean = total/N; v += mean", order = 1 }
        initial.v = "2**i"
        "#;
    let text = neurons("v : 1\nn : 1 (shared)\ntotal : 1 (shared)\nmean : 1 (shared)", fields);
    let (mut v, mut total) = ([1.0, 2.0, 4.0], 0.0);
    for n in 1..=3 {
        total = v.iter().map(|x| x * 2.0 * f64::from(n)).sum::<f64>();
        v = v.map(|x| x + total / 3.0);
    }
    assert_eq!(values(&text, 3, "cells.n"), [3.0]);
    assert_eq!(values(&text, 3, "cells.total"), [total]);
    assert_eq!(values(&text, 3, "cells.v"), v);
}

#[test]
fn events_write_shared_variables_one_after_the_other() {
    let text = r#"
        dt = "1 ms"
        [neuron.n]
        equations = "code : 1 (shared)\nheard : 1 (shared)"
        threshold = "(i + t_in_timesteps) % 2 == 0"
        reset = "code = 10*code + i + 1"
        [synapse.s]
        equations = "order : 1 (shared)\ncount : integer (shared)"
        on_pre = "order = 10*order + 1 + i + 3*j; heard_post = heard_post*2 + i; count += 1"
        [population.cells]
        neuron = "n"
        size = 4
        [projection.p]
        synapse = "s"
        source = "cells"
        target = "cells"
        connect = { rule = "condition", condition = "i != j and j < 2" }
        "#;
    // Step 0: neurons 0 and 2; step 1: neurons 1 and 3.
    assert_eq!(values(text, 2, "cells.code"), [1324.0]);
    // 0 -> 1; 2 -> 0, 1; 1 -> 0; 3 -> 0, 1.
    assert_eq!(values(text, 2, "p.order"), [436_247.0]);
    assert_eq!(values(text, 2, "p.count"), [6.0]);
    let heard = [0, 2, 2, 1, 3, 3].iter().fold(0.0, |sum, i| 2.0 * sum + f64::from(*i));
    assert_eq!(values(text, 2, "cells.heard"), [heard]);
}

#[test]
fn synapses_add_to_shared_variables_and_to_those_of_neurons() {
    let text = r#"
        dt = "1 ms"
        [neuron.n]
        equations = "x : 1\nall : 1 (shared)"
        [synapse.s]
        equations = "w : 1\ntotal : 1 (shared)\nage : integer"
        periodic.p = { code = "total = 0; all_pre += 1; total += w; x_post += w; age += 1", every = "2 ms" }
        [population.cells]
        neuron = "n"
        size = 5
        [projection.p]
        synapse = "s"
        source = "cells"
        target = "cells"
        connect = { rule = "condition", condition = "i < j" }
        weight = "i + 10*j"
        "#;
    let weights = |j: i32| (0..j).map(|i| f64::from(i + 10 * j)).sum::<f64>();
    assert_eq!(values(text, 3, "p.total"), [(0..5).map(weights).sum::<f64>()]);
    assert_eq!(values(text, 3, "cells.x"), (0..5).map(|j| 2.0 * weights(j)).collect::<Vec<_>>());
    // What does not depend on the synapse happens once.
    assert_eq!(values(text, 3, "cells.all"), [2.0]);
    assert_eq!(values(text, 3, "p.age"), [2.0; 10]);
}

#[test]
fn what_is_constant_over_dt_keeps_its_value_while_states_change() {
    let fields = r#"
        method = "rk4"
        threshold = "v > h + 0.5"
        reset = "seen = h; v += h"
        periodic.a = { code = "first = h" }
        periodic.b = { code = "last = h", when = "end" }
        initial.v = "h + i"
        "#;
    let equations = "dv/dt = (1 + h)/ms : 1\nh = v + 2*twice + rand()*0 : 1 (constant over dt)\n\
        twice = k : 1 (constant over dt)\nk : 1\nseen : 1\nfirst : 1\nlast : 1";
    let text = neurons(equations, fields);
    // Initial values see the expression, 0 here; then v grows by 1 + h, spikes, and is reset to v + h.
    assert_eq!(values(&text, 1, "cells.h"), [0.0, 1.0, 2.0]);
    assert_eq!(values(&text, 1, "cells.v"), [1.0, 4.0, 7.0]);
    assert_eq!(values(&text, 2, "cells.h"), [1.0, 4.0, 7.0]);
    for name in ["cells.seen", "cells.first", "cells.last"] {
        assert_eq!(values(&text, 2, name), [1.0, 4.0, 7.0], "{name}");
    }
    assert_eq!(values(&text, 2, "cells.v"), [4.0, 13.0, 22.0]);
}

#[test]
fn numbers_of_synapses_are_known_to_code_and_initial_values() {
    let text = r#"
        dt = "1 ms"
        [neuron.n]
        equations = "x : 1"
        threshold = "t_in_timesteps == 0"
        [population.a]
        neuron = "n"
        size = 7
        [view.some]
        of = "a"
        range = [2, 6]
        [view.others]
        of = "a"
        range = [1, 5]
        [synapse.s]
        equations = "w : 1\nsaw : integer\nd = 1.0*N_outgoing/N : 1"
        on_pre = "x_post += w; saw = 100*N + 10*N_incoming + N_outgoing"
        [projection.p]
        synapse = "s"
        source = "some"
        target = "others"
        connect = { rule = "condition", condition = "j <= i" }
        weight = "1/N_incoming"
        delay = "N_outgoing*ms"
        [record.state.d]
        of = "p"
        variables = ["d", "N_incoming"]
        "#;
    // Four sources, counted from 0: source i reaches targets 0 to i, so N_outgoing is i + 1 and N_incoming is 4 - j.
    let pairs: Vec<(usize, usize)> = (0..4).flat_map(|i| (0..=i).map(move |j| (i, j))).collect();
    let saw: Vec<f64> = pairs.iter().map(|(i, j)| (1000 + 10 * (4 - j) + i + 1) as f64).collect();
    assert_eq!(values(text, 6, "p.saw"), saw);
    // After k + 1 steps sources up to k - 1 have arrived.
    for steps in 1..6_usize {
        let x = |j: usize| (j..4).filter(|i| i + 1 < steps).map(|_| 1.0 / (4 - j) as f64).sum::<f64>();
        let found = values(text, steps as u64, "a.x");
        assert_eq!(found, [0.0, x(0), x(1), x(2), x(3), 0.0, 0.0], "{steps} steps");
    }
    each(&parse(text), 1, |simulation| {
        let line = |k| simulation.trace("d", "d").unwrap().line(k)[0];
        assert_eq!(
            (0..10).map(line).collect::<Vec<_>>(),
            pairs.iter().map(|p| (p.0 + 1) as f64 / 10.0).collect::<Vec<_>>()
        );
        let line = |k| simulation.trace("d", "N_incoming").unwrap().line(k)[0];
        assert_eq!(
            (0..10).map(line).collect::<Vec<_>>(),
            pairs.iter().map(|p| (4 - p.1) as f64).collect::<Vec<_>>()
        );
    });
}

/// Four neurons of which others link the variables.
const SOURCE: &str = r#"
    dt = "1 ms"
    [neuron.source]
    equations = """
    dv/dt = 1/ms : 1
    half = v/2 + 100*i : 1
    k : integer
    on : boolean
    all : 1 (shared)
    """
    method = "euler"
    [population.source]
    neuron = "source"
    size = 4
    initial.v = "10*i"
    initial.k = "3 - i"
    initial.on = "i % 2 == 1"
    initial.all = 7
    [view.tail]
    of = "source"
    range = [1, 4]
"#;

#[test]
fn linked_variables_are_those_of_others_wherever_they_are_read() {
    let text = format!(
        r#"{SOURCE}
        [neuron.reader]
        equations = """
        dy/dt = x/ms : 1
        same : 1 (linked)
        x : 1 (linked)
        half : 1 (linked)
        all : 1 (linked)
        k : integer (linked)
        on : boolean (linked)
        chained : 1 (linked)
        twice = 2*x : 1
        all_seen : 1
        n : integer
        resets : 1
        start : 1
        """
        threshold = "on and x > 12"
        reset = "resets += x"
        method = "euler"
        periodic.p = {{ code = "all_seen = same + 10*half + 1000*all + 1e5*k + 1e7*chained; n = k", when = "end" }}
        [population.readers]
        neuron = "reader"
        size = 3
        initial.start = "x + twice"
        link.same = "tail.v"
        link.x = {{ variable = "source.v", index = "2 - i" }}
        link.half = {{ variable = "tail.half", index = [2, 0, 0] }}
        link.all = "source.all"
        link.k = {{ variable = "source.k", index = "i + 1" }}
        link.on = {{ variable = "source.on", index = "i" }}
        link.chained = {{ variable = "readers.x", index = "(i + 1) % N" }}
        "#
    );
    let steps = 4_u64;
    let v = |i: usize, after: u64| 10.0 * i as f64 + after as f64;
    // The source is advanced before the readers, which see its new values.
    let y: Vec<f64> = (0..3).map(|i| (1..=steps).map(|s| v(2 - i, s)).sum()).collect();
    assert_eq!(values(&text, steps, "readers.y"), y);
    let half = |i: usize| v(i, steps) / 2.0 + 100.0 * i as f64;
    let seen: Vec<f64> = (0..3)
        .map(|i| {
            let k = [2.0, 1.0, 0.0][i];
            let chained = v(2 - (i + 1) % 3, steps);
            v(i + 1, steps) + 10.0 * half([3, 1, 1][i]) + 7000.0 + 1e5 * k + 1e7 * chained
        })
        .collect();
    assert_eq!(values(&text, steps, "readers.all_seen"), seen);
    assert_eq!(values(&text, steps, "readers.n"), [2.0, 1.0, 0.0]);
    // Only neuron 1 is on; it reads neuron 1 of the source, which passes 12 in the third step.
    assert_eq!(values(&text, steps, "readers.resets"), [0.0, 13.0 + 14.0, 0.0]);
    assert_eq!(values(&text, 1, "readers.start"), [60.0, 30.0, 0.0]);
}

#[test]
fn synapses_see_the_linked_variables_of_both_neurons() {
    let text = format!(
        r#"{SOURCE}
        [neuron.reader]
        equations = "x : 1 (linked)\nall : 1 (linked)\ngot : 1"
        threshold = "t_in_timesteps == 2"
        [synapse.s]
        equations = "w : 1\ns_post = x_pre : 1 (summed)"
        on_pre = "got_post += x_pre + 1000*x_post; w += x_post; all_post += 1"
        [population.readers]
        neuron = "reader"
        size = 3
        link.x = {{ variable = "tail.v", index = "(i + 1) % 3" }}
        link.all = "source.all"
        [projection.p]
        synapse = "s"
        source = "readers"
        target = "readers"
        connect = {{ rule = "condition", condition = "x_pre < x_post" }}
        weight = "0.5*x_pre"
        delay = "x_post/10*ms"
        "#
    )
    .replace("got : 1\"", "got : 1\\ns : 1\"");
    // Readers 0, 1 and 2 are linked to the sources 2, 3 and 1, which start at 20, 30 and 10.
    let start = [20.0, 30.0, 10.0];
    let pairs: Vec<(usize, usize)> =
        (0..3).flat_map(|i| (0..3).map(move |j| (i, j))).filter(|(i, j)| start[*i] < start[*j]).collect();
    assert_eq!(pairs, [(0, 1), (2, 0), (2, 1)]);
    // Spikes of step 2 arrive two or three steps later, when the sources have grown by 5 or 6.
    let grown = |j: usize| 3.0 + start[j] / 10.0;
    let w: Vec<f64> = pairs.iter().map(|(i, j)| start[*i] / 2.0 + start[*j] + grown(*j)).collect();
    assert_eq!(values(&text, 7, "p.w"), w);
    let got = |target: usize| {
        let mine = pairs.iter().filter(|(_, j)| *j == target);
        mine.map(|(i, j)| start[*i] + grown(*j) + 1000.0 * (start[*j] + grown(*j))).sum::<f64>()
    };
    assert_eq!(values(&text, 7, "readers.got"), [got(0), got(1), got(2)]);
    assert_eq!(values(&text, 7, "source.all"), [10.0]);
    // Sums are made before the sources are advanced for the seventh time.
    let s = |target: usize| {
        pairs.iter().filter(|(_, j)| *j == target).fold(0.0, |sum, (i, _)| sum + start[*i] + 6.0)
    };
    assert_eq!(values(&text, 7, "readers.s"), [s(0), s(1), s(2)]);
}

#[test]
fn code_writes_through_links_in_the_stated_order() {
    let text = format!(
        r#"{SOURCE}
        [neuron.writer]
        equations = """
        k : integer (linked)
        v : 1 (linked)
        all : 1 (linked)
        """
        threshold = "t_in_timesteps < 2"
        reset = "k = 10*k + i; all += i; v += 1000"
        [population.writers]
        neuron = "writer"
        size = 6
        link.k = {{ variable = "source.k", index = "i // 3" }}
        link.v = {{ variable = "source.v", index = [3, 3, 3, 3, 0, 1] }}
        link.all = "source.all"
        "#
    );
    assert_eq!(values(&text, 2, "source.k"), [3_012_012.0, 2_345_345.0, 1.0, 0.0]);
    assert_eq!(values(&text, 2, "source.all"), [37.0]);
    assert_eq!(values(&text, 2, "source.v"), [2002.0, 2012.0, 22.0, 8032.0]);
}

#[test]
fn a_population_that_is_linked_to_itself_sees_values_from_before() {
    // All at once: every neuron takes the mean of its neighbours, in an equation and in periodic code.
    let ring = |kind: &str, fields: &str| {
        format!(
            r#"
            dt = "1 ms"
            [neuron.n]
            equations = "{kind}\nleft : 1 (linked)\nright : 1 (linked)"
            {fields}
            [population.ring]
            neuron = "n"
            size = 1000
            initial.v = "(i*i) % 17"
            link.left = {{ variable = "ring.v", index = "(i + N - 1) % N" }}
            link.right = {{ variable = "ring.v", index = "(i + 1) % N" }}
            "#
        )
    };
    let mut v: Vec<f64> = (0..1000).map(|i| f64::from((i * i) % 17)).collect();
    for _ in 0..3 {
        v = (0..1000).map(|i| (v[(i + 999) % 1000] + v[(i + 1) % 1000]) / 2.0).collect();
    }
    let code = ring("v : 1", "periodic.p = { code = \"v = (left + right)/2\" }");
    assert_eq!(values(&code, 3, "ring.v"), v);
    let mut v: Vec<f64> = (0..1000).map(|i| f64::from((i * i) % 17)).collect();
    for _ in 0..3 {
        v = (0..1000).map(|i| v[i] + 0.25 * (v[(i + 999) % 1000] - 2.0 * v[i] + v[(i + 1) % 1000])).collect();
    }
    let equation = ring("dv/dt = (left - 2*v + right)/(4*ms) : 1", "method = \"euler\"");
    let found = values(&equation, 3, "ring.v");
    assert!(found.iter().zip(&v).all(|(a, b)| (a - b).abs() < 1e-12));
}

/// A filter of three weights that slides over ten inputs; `weights` and `link` say how a synapse knows its weight.
fn filter(weights: &str, weight: &str) -> String {
    format!(
        r#"
        dt = "1 ms"
        [neuron.n]
        equations = "x : 1"
        [neuron.bank]
        equations = "w : 1"
        [population.filters]
        neuron = "bank"
        size = 3
        initial.w = "1 + i*i"
        [input.pixels]
        kind = "spikes"
        size = 10
        indices = [0, 3, 4, 7, 9, 0, 1, 2, 3, 4]
        times = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3]
        unit = "ms"
        [population.image]
        neuron = "n"
        size = 8
        [synapse.s]
        equations = "{weights}\nk : integer"
        on_pre = "x_post += w; w += 0.5"
        [projection.conv]
        synapse = "s"
        source = "pixels"
        target = "image"
        connect = {{ rule = "condition", condition = "i >= j and i < j + 3" }}
        initial.k = "i - j"
        {weight}
        "#
    )
}

#[test]
fn synapses_that_share_weights_learn_together() {
    let text = filter("w : 1 (linked)", "link.w = { variable = \"filters.w\", index = \"i - j\" }");
    // The same in plain numbers: spikes by neuron, targets in order, weights that grow by 0.5 each time.
    let (mut w, mut x) = ([1.0, 2.0, 5.0], [0.0; 8]);
    let steps: [&[i32]; 4] = [&[0, 3, 4], &[7, 9], &[0, 1, 2, 3], &[4]];
    for i in steps.iter().copied().flatten() {
        for j in (0..8).filter(|j| *i >= *j && *i < j + 3) {
            x[j as usize] += w[(i - j) as usize];
            w[(i - j) as usize] += 0.5;
        }
    }
    assert_eq!(values(&text, 5, "filters.w"), w);
    assert_eq!(values(&text, 5, "image.x"), x);
    // An index that is a variable of the synapse is followed where it leads now.
    let by_name = filter("w : 1 (linked)", "link.w = { variable = \"filters.w\", index = \"k\" }");
    assert_eq!(values(&by_name, 5, "filters.w"), w);
}

#[test]
fn shared_weights_that_do_not_learn_are_the_same_as_copies() {
    let still = |text: String| text.replace("; w += 0.5", "");
    let linked = still(filter("w : 1 (linked)", "link.w = { variable = \"filters.w\", index = \"i - j\" }"));
    let copies = still(filter("w : 1", "initial.w = \"1 + (i - j)**2\""));
    assert_eq!(values(&linked, 5, "image.x"), values(&copies, 5, "image.x"));
}

#[test]
fn a_variable_that_is_an_index_can_change_where_a_link_leads() {
    let text = format!(
        r#"{SOURCE}
        [neuron.walker]
        equations = "v : 1 (linked)\nat : integer\nseen : 1"
        periodic.walk = {{ code = "seen = v; at = (at + 1) % 4" }}
        [population.walkers]
        neuron = "walker"
        size = 2
        initial.at = "2*i"
        link.v = {{ variable = "source.v", index = "at" }}
        "#
    );
    for steps in 1..7_u64 {
        let seen = |i: u64| (10 * ((2 * i + steps - 1) % 4) + steps - 1) as f64;
        assert_eq!(values(&text, steps, "walkers.seen"), [seen(0), seen(1)]);
    }
}

#[test]
fn an_index_that_leads_nowhere_is_an_error_with_all_that_is_known_of_it() {
    let text = format!(
        r#"{SOURCE}
        [neuron.reader]
        equations = "v : 1 (linked)"
        [population.readers]
        neuron = "reader"
        size = 6
        link.v = {{ variable = "tail.v", index = "i // 2 + i // 5" }}
        "#
    );
    let error = parse(&text).simulate(&Interp, &Options::default()).err().unwrap().to_string();
    let expected = "`readers.v` of element 5 is linked to element 3 of `source.v`, which has 3 elements";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn inputs_and_single_neurons_can_be_linked() {
    let text = r#"
        dt = "1 ms"
        [input.noise]
        kind = "poisson"
        size = 3
        rate = "(i + 1)*Hz"
        [input.wave]
        kind = "poisson"
        size = 3
        rate = "10*Hz*(1 + t/ms)*(i + 1)"
        [neuron.one]
        equations = "v : 1"
        [population.single]
        neuron = "one"
        size = 1
        initial.v = 5
        [neuron.n]
        equations = "r : Hz (linked)\nf : Hz (linked)\nv : 1 (linked)\nx : 1\ntotal = 2*v : 1 (shared)"
        periodic.p = { code = "x = r/Hz + 10*f/Hz + 10000*total" }
        [population.cells]
        neuron = "n"
        size = 3
        link.r = "noise.rate"
        link.f = { variable = "wave.rate", index = "2 - i" }
        link.v = "single.v"
        [record]
        spikes = []
        "#;
    assert_eq!(values(text, 3, "cells.x"), [1.0, 2.0, 3.0].map(|k| k + 300.0 * (4.0 - k) + 100_000.0));
}

#[test]
fn binomial_inputs_add_up_their_sources() {
    let input = |n: u32, rate: &str, more: &str| {
        neurons(
            "dv/dt = 0/ms : 1 (unless refractory)",
            &format!(
                r#"
                threshold = "i == 1 and t_in_timesteps == 0"
                refractory = "2 ms"
                [input.many]
                kind = "binomial"
                target = "cells"
                variable = "v"
                n = {n}
                rate = "{rate}"
                weight = "0.5*(1 + i)"
                {more}
                "#
            ),
        )
    };
    // With probability 1 and 0; neuron 1 is refractory when the input acts in steps 0 and 1.
    assert_eq!(values(&input(6, "1 kHz", ""), 4, "cells.v"), [12.0, 12.0, 36.0]);
    assert_eq!(values(&input(6, "0 Hz", ""), 4, "cells.v"), [0.0; 3]);
    // Before the thresholds it is refractory in step 1 alone.
    assert_eq!(values(&input(6, "1 kHz", "when = \"start\""), 4, "cells.v"), [12.0, 12.0, 36.0]);
    assert_eq!(values(&input(6, "1 kHz", "when = \"end\""), 4, "cells.v"), [12.0, 12.0, 36.0]);
    // The same numbers are drawn by periodic code that says the same.
    let code = neurons(
        "dv/dt = 0/ms : 1 (unless refractory)",
        r#"
        threshold = "i == 1 and t_in_timesteps == 0"
        refractory = "2 ms"
        periodic.many = { code = "v += 0.5*(1 + i)*binomial(40, 300*Hz*dt)", when = "synapses" }
        "#,
    );
    let drawn = values(&code, 20, "cells.v");
    assert!(drawn[0] > 0.0);
    assert_eq!(values(&input(40, "300 Hz", ""), 20, "cells.v"), drawn);
}

#[test]
fn binomial_inputs_have_the_mean_and_variance_of_their_sources() {
    let text = r#"
        dt = "1 ms"
        seed = 3
        [neuron.n]
        equations = "v : 1"
        [population.cells]
        neuron = "n"
        size = 4000
        [input.many]
        kind = "binomial"
        target = "cells"
        variable = "v"
        n = 50
        rate = "200 Hz"
        weight = 1
        "#;
    let v = values(text, 1, "cells.v");
    let (count, n, p) = (v.len() as f64, 50.0, 0.2);
    let mean = v.iter().sum::<f64>() / count;
    let variance = v.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    // Within five standard errors.
    assert!((mean - n * p).abs() < 5.0 * (n * p * (1.0 - p) / count).sqrt(), "{mean}");
    assert!(
        (variance - n * p * (1.0 - p)).abs() < 5.0 * n * p * (1.0 - p) * (2.0 / count).sqrt(),
        "{variance}"
    );
}

#[test]
fn rates_of_firing_count_the_events_of_the_window() {
    let text = r#"
        dt = "1 ms"
        [neuron.n]
        equations = "seen : Hz\nsent : Hz\nlate : Hz"
        threshold = "(t_in_timesteps*(i + 2)) % 7 < 3"
        event.odd = { condition = "t_in_timesteps % 2 == 1", reset = "seen = seen" }
        firing_rate.r = "10 ms"
        firing_rate.q = { window = "3 ms", event = "odd" }
        periodic.before = { code = "seen = r", when = "before_thresholds" }
        periodic.behind = { code = "late = r + 1000*q", when = "end" }
        [synapse.s]
        on_pre = "sent_post = r_pre + 1e6*r_post"
        [population.cells]
        neuron = "n"
        size = 5
        [projection.p]
        synapse = "s"
        source = "cells"
        target = "cells"
        connect = { rule = "condition", condition = "j == i" }
        delay = "0 ms"
        [record.state.r]
        of = "cells"
        variables = ["r", "q"]
        slot = "end"
        "#;
    let spikes = |i: i64, step: i64| step >= 0 && (step * (i + 2)) % 7 < 3;
    let rate = |i: i64, step: i64| 100.0 * (0..10).filter(|k| spikes(i, step - k)).count() as f64;
    for steps in [1_i64, 4, 10, 11, 23, 40] {
        let now = steps - 1;
        let after: Vec<f64> = (0..5).map(|i| rate(i, now)).collect();
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-9 * b.abs());
        assert!(close(
            &values(text, steps as u64, "cells.seen"),
            &(0..5).map(|i| rate(i, now - 1)).collect::<Vec<_>>()
        ));
        let odd = (0..3).filter(|k| now - k >= 0 && (now - k) % 2 == 1).count() as f64 / 3e-3;
        let late: Vec<f64> = after.iter().map(|r| r + 1000.0 * odd).collect();
        assert!(close(&values(text, steps as u64, "cells.late"), &late), "{steps} steps");
        let sent = values(text, steps as u64, "cells.sent");
        for i in 0..5 {
            if spikes(i, now) {
                let expected = rate(i, now) * (1.0 + 1e6);
                assert!((sent[i as usize] - expected).abs() <= 1e-9 * expected);
            }
        }
    }
    each(&parse(text), 30, |simulation| {
        for i in 0..5 {
            let trace = simulation.trace("r", "r").unwrap().line(i as usize);
            let expected: Vec<f64> = (0..30).map(|s| rate(i, s)).collect();
            assert!(trace.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9 * (1.0 + b)));
        }
    });
}

#[test]
fn both_notations_of_the_neurons_at_the_ends_mean_the_same() {
    let text = |on_pre: &str, condition: &str, sum: &str| {
        format!(
            r#"
            dt = "1 ms"
            [neuron.n]
            equations = "x : 1\ny : 1\ns : 1"
            threshold = "t_in_timesteps % 3 == i % 3"
            [synapse.s]
            equations = "w : 1"
            on_pre = "{on_pre}"
            sum = [{{ into = "s", expression = "{sum}" }}]
            [population.cells]
            neuron = "n"
            size = 5
            initial.x = "i + 1"
            [projection.p]
            synapse = "s"
            source = "cells"
            target = "cells"
            connect = {{ rule = "condition", condition = "{condition}" }}
            weight = "0.1"
            "#
        )
    };
    let ours =
        text("y_post += w*x_pre; x_pre = 0.5*x_pre + s_post; w += y_pre", "x_pre < x_post + 2", "w*y_pre");
    let dots =
        text("post.y += w*pre.x; pre.x = 0.5*pre.x + post.s; w += pre.y", "pre.x < post.x + 2", "w*pre.y");
    for name in ["cells.x", "cells.y", "cells.s", "p.w"] {
        let found = values(&ours, 10, name);
        assert!(found.iter().any(|x| *x != 0.0), "{name}");
        assert_eq!(found, values(&dots, 10, name), "{name}");
    }
}

#[test]
fn the_builder_says_all_of_it_too() {
    let text = r#"
        dt = "1 ms"
        [neuron.a]
        equations = "dv/dt = 1/ms : 1\ng : 1\nr2 = 2*r : Hz"
        threshold = "v > 3"
        reset = "v = 0"
        firing_rate.r = "10 ms"
        periodic.each = { code = "g += 1" }
        periodic.rare = { code = "g *= 2", every = "3 ms" }
        [neuron.b]
        equations = "v : 1 (linked)\ng : 1 (linked)\nx : 1"
        periodic.see = { code = "x = x/2 + v + 100*g" }
        [synapse.s]
        equations = "w : 1 (linked)\nu : 1"
        periodic.decay = { code = "u = 0.5*u + w", every = "2 ms" }
        [population.first]
        neuron = "a"
        size = 4
        initial.v = "i"
        [population.second]
        neuron = "b"
        size = 4
        link.v = "first.v"
        link.g = { variable = "first.g", index = "3 - i" }
        [projection.p]
        synapse = "s"
        source = "first"
        target = "second"
        connect = { rule = "condition", condition = "i != j" }
        link.w = { variable = "second.x", index = "j" }
        [input.many]
        kind = "binomial"
        target = "first"
        variable = "g"
        n = 20
        rate = "100 Hz"
        weight = "0.25"
        "#;
    let mut net = Builder::new("language");
    net.dt("1 ms");
    net.neuron("a")
        .equations("dv/dt = 1/ms : 1\ng : 1\nr2 = 2*r : Hz")
        .threshold("v > 3")
        .reset("v = 0")
        .firing_rate("r", "10 ms")
        .periodic("each", "g += 1")
        .periodic_every("rare", "3 ms", "g *= 2");
    net.neuron("b").equations("v : 1 (linked)\ng : 1 (linked)\nx : 1").periodic("see", "x = x/2 + v + 100*g");
    net.synapse("s").equations("w : 1 (linked)\nu : 1").periodic_every("decay", "2 ms", "u = 0.5*u + w");
    net.population("first", "a", 4).initial("v", "i");
    net.population("second", "b", 4).link("v", "first.v").link_by("g", "first.g", "3 - i");
    net.projection("p", "s", "first", "second")
        .connect(Connect::condition("i != j"))
        .link_by("w", "second.x", "j");
    net.binomial_input("many", ("first", "g"), 20, "100 Hz", "0.25");
    for name in ["first.g", "second.x", "p.u"] {
        let found = values_of(&net.model(), 12, name);
        assert!(found.iter().any(|x| *x != 0.0), "{name}");
        assert_eq!(found, values(text, 12, name), "{name}");
    }
}
