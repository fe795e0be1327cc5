//! Networks whose answer is a number that any wrong synapse, delay, order or format changes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use neuropil::source::{FormatSource, SumOperation};
use neuropil::{Backend, Builder, Connect, Cpu, Error, Interp, Model, Options, RecordTo, Simulation};

fn backends() -> Vec<(Box<dyn Backend>, usize)> {
    vec![(Box::new(Interp), 1), (Box::new(Cpu), 1), (Box::new(Cpu), 2)]
}

/// Runs a model for some steps on every backend.
fn each(model: &Model, steps: u64, mut check: impl FnMut(&mut Simulation)) {
    for (backend, threads) in backends() {
        let options = Options { threads, record: RecordTo::Memory };
        let mut simulation = model.simulate(backend.as_ref(), &options).unwrap_or_else(|e| panic!("{e}"));
        for _ in 0..steps {
            simulation.step().unwrap();
        }
        check(&mut simulation);
    }
}

/// Ten sources spike in turn, one per step; the synapse from i to j adds 2**i to j for some pairs, so that the bits
/// of the sum say which spikes arrived.
fn one_hot(connect: Connect, format: FormatSource, delay: Option<&str>) -> Model {
    let mut net = Builder::new("one_hot");
    net.dt("1 ms");
    net.spike_input("source", 10, (0..10).collect(), (0..10).map(|i| f64::from(i) * 1e-3).collect());
    net.neuron("sum").equations("x : 1");
    net.population("target", "sum", 10);
    net.synapse("code").equations("w : 1").on_pre("x_post += w");
    let mut projection = net.projection("code", "code", "source", "target");
    projection.connect(connect).weight("2**i").format(format);
    if let Some(delay) = delay {
        projection.delay(delay);
    }
    net.model()
}

/// What target j holds after `steps` steps, if i reaches j after `delay(i, j)` steps.
fn expected(steps: i64, connected: impl Fn(i64, i64) -> bool, delay: impl Fn(i64, i64) -> i64) -> Vec<f64> {
    let arrived = |i: i64, j: i64| connected(i, j) && i + delay(i, j) < steps;
    (0..10).map(|j| (0..10).filter(|i| arrived(*i, j)).map(|i| f64::from(1 << i)).sum()).collect()
}

const FORMATS: [FormatSource; 4] =
    [FormatSource::Auto, FormatSource::Csr, FormatSource::Ell, FormatSource::Dense];

#[test]
fn every_format_delivers_every_spike_once() {
    for format in FORMATS {
        let model = one_hot(Connect::condition("(i + j) % 3 == 0"), format, None);
        for steps in [1, 5, 10, 12] {
            each(&model, steps, |simulation| {
                let found = simulation.values("target.x").unwrap();
                assert_eq!(found, expected(steps as i64, |i, j| (i + j) % 3 == 0, |_, _| 0), "{format:?}");
            });
        }
    }
}

#[test]
fn a_scalar_delay_shifts_arrivals_by_its_steps() {
    let model = one_hot(Connect::all_to_all(), FormatSource::Auto, Some("3 ms"));
    for steps in [3, 4, 9, 13] {
        each(&model, steps, |simulation| {
            let found = simulation.values("target.x").unwrap();
            assert_eq!(found, expected(steps as i64, |_, _| true, |_, _| 3));
        });
    }
}

#[test]
fn delays_per_synapse_act_each_at_its_own_time() {
    for format in FORMATS {
        let model = one_hot(Connect::condition("i != j"), format, Some("((i + 2*j) % 7)*ms"));
        for steps in 1..17 {
            each(&model, steps, |simulation| {
                let found = simulation.values("target.x").unwrap();
                let wanted = expected(steps as i64, |i, j| i != j, |i, j| (i + 2 * j) % 7);
                assert_eq!(found, wanted, "{format:?} after {steps} steps");
            });
        }
    }
}

#[test]
fn equal_delays_per_synapse_equal_a_scalar_delay() {
    let scalar = one_hot(Connect::fixed_probability(0.5), FormatSource::Auto, Some("4 ms"));
    let each_one = one_hot(Connect::fixed_probability(0.5), FormatSource::Auto, Some("(4 + 0*i)*ms"));
    for steps in [4, 8, 20] {
        let mut first = None;
        for model in [&scalar, &each_one] {
            each(model, steps, |simulation| {
                let found = simulation.values("target.x").unwrap();
                assert_eq!(first.get_or_insert(found.clone()), &found);
            });
        }
    }
}

#[test]
fn a_projection_onto_a_view_counts_from_the_first_neuron_of_the_view() {
    let mut net = Builder::new("views");
    net.dt("1 ms");
    net.spike_input("source", 6, vec![1, 3, 4], vec![0.0, 0.0, 0.0]);
    net.view("middle", "source", 2..5);
    net.neuron("sum").equations("x : 1");
    net.population("target", "sum", 8);
    net.view("end", "target", 5..8);
    net.synapse("code").on_pre("x_post += 1 + 10*i + 100*j");
    net.projection("p", "code", "middle", "end").connect(Connect::one_to_one());
    each(&net.model(), 1, |simulation| {
        let found = simulation.values("target.x").unwrap();
        assert_eq!(found, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 111.0, 221.0]);
    });
}

#[test]
fn postsynaptic_spikes_reach_the_synapses_that_end_there() {
    let mut net = Builder::new("post");
    net.dt("1 ms");
    net.spike_input("pre", 4, vec![0], vec![0.9]);
    net.spike_input("post", 3, vec![1], vec![2e-3]);
    net.synapse("count").equations("seen : 1").on_post("seen += 1 + i");
    net.projection("p", "count", "pre", "post").connect(Connect::condition("i != 2"));
    each(&net.model(), 3, |simulation| {
        // Canonical order: by source, then target.
        let found = simulation.values("p.seen").unwrap();
        assert_eq!(found, [0.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 4.0, 0.0]);
    });
}

#[test]
fn statements_that_read_what_they_write_run_in_order_of_the_spikes() {
    // x_post = 2 x_post + i + 1 does not commute: three sources in one step give ((0*2+1)*2+2)*2+3 = 11.
    let mut net = Builder::new("order");
    net.dt("1 ms");
    net.spike_input("source", 3, vec![0, 1, 2], vec![0.0; 3]);
    net.neuron("sum").equations("x : 1");
    net.population("target", "sum", 1);
    net.synapse("horner").on_pre("x_post = 2*x_post + i + 1");
    net.projection("p", "horner", "source", "target");
    each(&net.model(), 1, |simulation| assert_eq!(simulation.values("target.x").unwrap(), [11.0]));
}

#[test]
fn a_leaky_integrator_spikes_at_the_intervals_of_its_closed_form() {
    // tau ln(I/(I - theta)) = 20 ms ln 3 = 21.97 ms: the 220th step of 0.1 ms is the first above threshold.
    let mut net = Builder::new("lif");
    net.neuron("lif")
        .equations("tau*dv/dt + v = 15*mV : volt\ntau = 20*ms : second")
        .threshold("v > 10*mV")
        .reset("v = 0*mV");
    net.population("cell", "lif", 1);
    net.record_spikes(["cell"]);
    let model = net.model();
    each(&model, 1000, |simulation| {
        let (_, neurons) = simulation.spikes("cell").unwrap();
        assert_eq!(neurons.len(), 4);
    });
}

#[test]
fn a_refractory_neuron_keeps_its_potential_and_takes_no_input() {
    let mut net = Builder::new("refractory");
    net.dt("1 ms");
    net.neuron("cell")
        .equations("dv/dt = 1/ms : 1 (unless refractory)")
        .threshold("v > 2.5")
        .reset("v = 0")
        .refractory("5 ms");
    net.population("cell", "cell", 1);
    net.regular_input("kicks", 1, "1 ms", "0 ms");
    net.synapse("kick").on_pre("v_post += 0.25");
    net.projection("p", "kick", "kicks", "cell");
    // Brian 2: a spike at t = 2 ms, refractory until t = 7 ms, then the next cycle.
    let model = {
        net.record_spikes(["cell"]);
        net.model()
    };
    each(&model, 24, |simulation| {
        let (times, _) = simulation.spikes("cell").unwrap();
        let steps: Vec<i64> = times.iter().map(|t| (t / 1e-3).round() as i64).collect();
        assert_eq!(steps, [2, 9, 16, 23]);
    });
}

#[test]
fn weighted_sums_combine_as_they_are_told() {
    let run = |operation| {
        let mut net = Builder::new("sums");
        net.dt("1 ms");
        net.neuron("source").equations("r : 1");
        net.neuron("target").equations("s = sum(exc) : 1\nx : 1\ndy/dt = s/ms : 1");
        net.population("source", "source", 3).initial("r", "i + 1");
        net.population("target", "target", 3);
        net.synapse("s").equations("w : 1").sum("exc", "w*r_pre", operation);
        net.projection("p", "s", "source", "target")
            .connect(Connect::condition("i >= j and j < 2"))
            .weight("10 - i");
        let mut found = Vec::new();
        each(&net.model(), 1, |simulation| {
            found = simulation.values("target.y").unwrap();
        });
        found
    };
    // Contributions: to 0 from 0, 1, 2: 10, 18, 24; to 1 from 1, 2: 18, 24; to 2: none.
    assert_eq!(run(SumOperation::Sum), [52.0, 42.0, 0.0]);
    assert_eq!(run(SumOperation::Mean), [52.0 / 3.0, 21.0, 0.0]);
    assert_eq!(run(SumOperation::Max), [24.0, 24.0, 0.0]);
    assert_eq!(run(SumOperation::Min), [10.0, 18.0, 0.0]);
}

#[test]
fn a_delayed_sum_sees_values_of_earlier_steps() {
    let mut net = Builder::new("delayed");
    net.dt("1 ms").method("euler");
    net.neuron("clock").equations("dr/dt = 1/ms : 1");
    net.neuron("reader").equations("s = sum(exc) : 1\nseen : 1\ndlast/dt = (s - last)/ms : 1");
    net.population("clock", "clock", 1).initial("r", "100");
    net.population("reader", "reader", 1);
    net.synapse("s").sum("exc", "r_pre", SumOperation::Sum);
    net.projection("p", "s", "clock", "reader").delay("3 ms");
    // `last` is the sum of the step before; in step n the sum sees r = 100 + max(n - 3, 0).
    for (steps, wanted) in [(1, 100.0), (4, 100.0), (5, 101.0), (10, 106.0)] {
        each(&net.model(), steps, |simulation| {
            assert_eq!(simulation.values("reader.last").unwrap(), [wanted], "after {steps} steps");
        });
    }
}

#[test]
fn a_timed_array_holds_each_value_for_its_step() {
    let mut net = Builder::new("timed");
    net.dt("0.1 ms");
    net.timed_array("stimulus", vec![1.0, 5.0, 2.0], "0.3 ms", "mV");
    net.neuron("follower").equations("v = stimulus(t) : volt\nx : 1");
    net.population("cell", "follower", 1);
    net.record_state("v", "cell", ["v"], [0]);
    each(&net.model(), 12, |simulation| {
        let line: Vec<f64> =
            simulation.trace("v", "v").unwrap().line(0).iter().map(|v| (v * 1e3).round()).collect();
        assert_eq!(line, [1.0, 1.0, 1.0, 5.0, 5.0, 5.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]);
    });
}

#[test]
fn a_non_finite_state_is_reported_with_its_neuron_and_first_step() {
    let mut net = Builder::new("blowup");
    net.dt("1 ms").method("euler");
    net.neuron("square").equations("dx/dt = x*x/ms : 1");
    net.population("cells", "square", 5).initial("x", "2*(i == 3)");
    // x doubles its exponent at every step: x + x*x from 2 passes the largest double in the 10th step.
    for (backend, threads) in backends() {
        let options = Options { threads, record: RecordTo::Nothing };
        let mut simulation = net.model().simulate(backend.as_ref(), &options).unwrap();
        let error = simulation.run(1.0).unwrap_err();
        let mut x = 2.0_f64;
        let mut step = 0;
        while (x + x * x).is_finite() {
            x += x * x;
            step += 1;
        }
        match error {
            neuropil::RunError::NonFinite { variable, element, step: found, .. } => {
                assert_eq!((variable.as_str(), element, found), ("cells.x", 3, step));
            }
            other => panic!("{other}"),
        }
        // Step by step, the step that fails is the same.
        let mut stepped = net.model().simulate(backend.as_ref(), &options).unwrap();
        let failed = (0..100).find(|_| stepped.step().is_err());
        assert_eq!(failed, Some(step));
    }
}

#[test]
fn a_run_cut_in_two_equals_one_run_and_a_restored_state_repeats_it() {
    let mut net = Builder::new("noisy");
    net.seed(3);
    net.neuron("noisy")
        .equations("dv/dt = -v/(10*ms) + 0.6*xi*(10*ms)**-0.5 : 1")
        .threshold("v > 0.8")
        .reset("v = 0");
    net.population("cells", "noisy", 50);
    net.synapse("s").on_pre("v_post += 0.05");
    net.projection("p", "s", "cells", "cells").connect(Connect::fixed_probability(0.1)).delay("1.3 ms");
    let model = net.model();
    let mut digests = Vec::new();
    for (backend, threads) in backends() {
        let options = Options { threads, record: RecordTo::Nothing };
        let mut whole = model.simulate(backend.as_ref(), &options).unwrap();
        whole.run(0.1).unwrap();
        let mut parts = model.simulate(backend.as_ref(), &options).unwrap();
        parts.run(0.03).unwrap();
        let state = parts.store().unwrap();
        parts.run(0.07).unwrap();
        assert_eq!(whole.spike_digest(), parts.spike_digest());
        let end = parts.values("cells.v").unwrap();
        parts.restore(&state).unwrap();
        parts.run(0.07).unwrap();
        assert_eq!(parts.values("cells.v").unwrap(), end);
        assert!(whole.spike_counts()[0].spikes > 20);
        digests.push(whole.spike_digest());
    }
    assert!(digests.windows(2).all(|d| d[0] == d[1]), "{digests:?}");
}

#[test]
fn values_listed_with_pairs_belong_to_the_pairs_as_listed() {
    let model = Model::parse(
        "listed.toml",
        r#"
        dt = "1 ms"
        [input.source]
        kind = "spikes"
        size = 3
        indices = [0, 1, 2]
        times = [0, 1, 2]
        unit = "ms"
        [neuron.sum]
        equations = "x : 1"
        [population.target]
        neuron = "sum"
        size = 2
        [synapse.code]
        equations = "w : 1"
        on_pre = "x_post += w"
        [projection.p]
        synapse = "code"
        source = "source"
        target = "target"
        connect = { rule = "pairs", pairs = [[2, 0], [0, 1], [1, 0], [0, 0]] }
        weight = [100, 20, 3, 4000]
        delay = { values = [1, 0, 2, 3], unit = "ms" }
        [record.state.all]
        of = "p"
        variables = ["w"]
        "#,
    );
    let model = model.unwrap_or_else(|e| panic!("{e}"));
    // Arrivals: (2, 0) in step 3, (0, 1) in step 0, (1, 0) in step 3, (0, 0) in step 3.
    each(&model, 3, |simulation| assert_eq!(simulation.values("target.x").unwrap(), [0.0, 20.0]));
    each(&model, 4, |simulation| {
        assert_eq!(simulation.values("target.x").unwrap(), [4103.0, 20.0]);
        // By source, then in the order of the list; a projection is recorded whole unless elements are listed.
        assert_eq!(simulation.values("p.w").unwrap(), [20.0, 4000.0, 3.0, 100.0]);
        assert_eq!(simulation.trace("all", "w").unwrap().line(3), [100.0; 4]);
    });
}

#[test]
fn a_recorded_subexpression_has_the_time_and_step_of_its_population() {
    let model = Model::parse(
        "clocks.toml",
        r#"
        dt = "0.1 ms"
        [neuron.n]
        equations = """
        d = dt : second
        k = t_in_timesteps*1.0 : 1
        """
        [population.cell]
        neuron = "n"
        size = 1
        [record.state.slow]
        of = "cell"
        variables = ["d", "k"]
        every = "1 ms"
        "#,
    );
    each(&model.unwrap_or_else(|e| panic!("{e}")), 25, |simulation| {
        assert_eq!(simulation.trace("slow", "k").unwrap().line(0), [0.0, 10.0, 20.0]);
        assert_eq!(simulation.trace("slow", "d").unwrap().line(0), [1e-4; 3]);
    });
}

#[test]
fn fields_without_a_method_are_set_in_the_builders_source() {
    let mut net = Builder::new("every");
    net.dt("1 ms");
    net.neuron("n").equations("k = t_in_timesteps*1.0 : 1");
    net.population("cell", "n", 1);
    net.record_state("slow", "cell", ["k"], [0]);
    net.source_mut().record.state[0].every = Some("3 ms".into());
    each(&net.model(), 8, |simulation| {
        assert_eq!(simulation.trace("slow", "k").unwrap().line(0), [0.0, 3.0, 6.0]);
    });
}

#[test]
fn synapses_that_were_not_made_cannot_be_recorded() {
    let mut net = Builder::new("few");
    net.neuron("n").equations("x : 1").threshold("x > 1");
    net.population("cells", "n", 3);
    net.synapse("s").equations("w : 1").on_pre("x_post += w");
    net.projection("p", "s", "cells", "cells").connect(Connect::fixed_probability(0.0));
    net.record_state("w", "p", ["w"], [0]);
    let error = net.model().simulate(&Cpu, &Options::default()).err().unwrap().to_string();
    assert_eq!(error, "recorder `w`: there is no synapse 0; projection `p` has 0");
}

#[test]
fn wrong_names_and_lengths_are_errors_with_the_nearest_name() {
    let mut net = Builder::new("names");
    net.neuron("n").equations("voltage : volt");
    net.population("cells", "n", 4);
    let mut simulation = net.model().simulate(&Cpu, &Options::default()).unwrap();
    let error = simulation.values("cells.voltge").unwrap_err().to_string();
    assert_eq!(error, "no variable `cells.voltge`; did you mean `cells.voltage`?");
    let error = simulation.set("cells.voltage", &[1.0, 2.0]).unwrap_err().to_string();
    assert_eq!(error, "`cells.voltage` has 4 elements, but 2 values were given");
    assert!(matches!(simulation.run(f64::NAN), Err(neuropil::RunError::Duration(_))));
}

#[test]
fn mistakes_in_the_builder_point_into_its_strings() {
    let mut net = Builder::new("bad");
    net.neuron("n").equations("dv/dt = -v/tua : volt").threshold("v > 1");
    net.constant("tau", "10 ms");
    net.population("cells", "n", 4);
    let error = net.model().simulate(&Cpu, &Options::default()).err().unwrap();
    let Error::Model(error) = error else { panic!("{error}") };
    let text = error.to_string();
    assert!(text.contains("<neuron n: equations>:1:12") && text.contains("`tau`"), "{text}");
    assert!(text.contains("<neuron n: threshold>"), "{text}");
}
