//! Rate-coded and hybrid networks: what learning rules converge to, and what passes between rates and spikes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]
#![allow(clippy::disallowed_methods, reason = "closed forms are compared within a tolerance")]

mod common;

use common::{after, model, values};

fn near(found: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(found.len(), wanted.len());
    for (a, b) in found.iter().zip(wanted) {
        assert!((a - b).abs() <= tolerance, "{found:?} instead of {wanted:?}");
    }
}

/// One linear neuron without delay whose inputs show the rows of `patterns` in turn, one per step of a millisecond.
fn one_neuron(patterns: &[Vec<f64>], rule: &str, weights: &str) -> String {
    format!(
        r#"
        dt = "1 ms"
        [input.pattern]
        kind = "timed_array"
        values = {patterns:?}
        dt = "1 ms"
        [neuron.input]
        equations = "r = pattern((t_in_timesteps % {n})*ms, i) : 1"
        [neuron.output]
        equations = "r = sum(exc) : 1"
        [population.inputs]
        neuron = "input"
        size = {size}
        [population.output]
        neuron = "output"
        size = 1
        [synapse.learned]
        {rule}
        [projection.p]
        synapse = "learned"
        source = "inputs"
        target = "output"
        connect = "all_to_all"
        initial.w = {weights}
        "#,
        n = patterns.len(),
        size = patterns[0].len(),
    )
}

#[test]
fn hebbian_weights_grow_by_the_sum_of_products() {
    // Rates that do not change: every step adds eta dt r_pre r_post, and only where both ends are active.
    for format in ["csr", "ell", "dense"] {
        let text = format!(
            r#"
            dt = "1 ms"
            [neuron.fixed]
            equations = "r : 1"
            [neuron.counted]
            equations = "r : 1\nx = sum(exc) : 1"
            [population.a]
            neuron = "fixed"
            size = 8
            initial.r = "(i + 1)*int(i == 2 or i == 5)"
            [population.b]
            neuron = "counted"
            size = 6
            initial.r = "0.5*int(i == 4)"
            [synapse.grows]
            model = "library:hebb"
            parameters = {{ eta = "2*Hz" }}
            [projection.p]
            synapse = "grows"
            source = "a"
            target = "b"
            connect = {{ rule = "condition", condition = "(i + j) % 2 == 0 or i == 5" }}
            weight = "0.1*i + 0.01*j"
            format = "{format}"
            "#
        );
        let mut wanted = Vec::new();
        for i in 0..8 {
            for j in (0..6).filter(|j| (i + j) % 2 == 0 || i == 5) {
                let active = j == 4 && (i == 2 || i == 5);
                let growth = if active { 100.0 * 2.0 * 0.001 * f64::from(i + 1) * 0.5 } else { 0.0 };
                wanted.push(0.1 * f64::from(i) + 0.01 * f64::from(j) + growth);
            }
        }
        near(&values(&text, 100, "p.w"), &wanted, 1e-13);
    }
}

#[test]
fn hebbian_growth_of_a_linear_neuron_is_geometric() {
    // w grows by eta dt (w x) x: the part along x is multiplied by 1 + eta dt |x|**2 = 1 + 0.1 * 0.001 * 25 each step.
    let rule = "model = 'library:hebb'";
    let w = values(&one_neuron(&[vec![3.0, 4.0]], rule, "[1, 0]"), 1000, "p.w");
    let along = 0.6 * (1.0 + 0.0025_f64).powi(1000);
    near(&w, &[0.6 * along + 0.64, 0.8 * along - 0.48], 1e-11);
}

#[test]
fn ojas_rule_finds_the_first_principal_component_with_unit_norm() {
    // Four points with covariance R diag(2, 0.5) R^T, shown in turn.
    let angle = 0.7_f64;
    let (s, c) = angle.sin_cos();
    let patterns =
        [(2.0, 1.0), (-2.0, 1.0), (-2.0, -1.0), (2.0, -1.0)].map(|(x, y)| vec![c * x - s * y, s * x + c * y]);
    let rule = "model = 'library:oja'\nparameters = { eta = '2*Hz' }";
    let w = values(&one_neuron(&patterns, rule, "[0.1, -0.4]"), 8_000, "p.w");
    let sign = (w[0] * c + w[1] * s).signum();
    near(&w, &[sign * c, sign * s], 0.01);
    // A single pattern leaves no doubt: w becomes x/|x|, and with alpha = 4 half of it.
    let single = values(&one_neuron(&[vec![3.0, 4.0]], rule, "[0.1, 0.3]"), 1_500, "p.w");
    near(&single, &[0.6, 0.8], 1e-12);
    let rule = "model = 'library:oja'\nparameters = { eta = '2*Hz', alpha = '4' }";
    let single = values(&one_neuron(&[vec![3.0, 4.0]], rule, "[0.1, 0.3]"), 1_500, "p.w");
    near(&single, &[0.3, 0.4], 1e-12);
}

#[test]
fn a_bcm_neuron_becomes_selective_for_one_of_two_patterns() {
    // One pattern: r = theta = r**2, so the response is 1.
    let rule = "model = 'library:bcm'\nparameters = { eta = '1*Hz', tautheta = '50*ms' }";
    let w = values(&one_neuron(&[vec![1.0, 2.0]], rule, "[0.3, 0.1]"), 5_000, "p.w");
    near(&[w[0] + 2.0 * w[1]], &[1.0], 1e-9);
    // Two orthogonal patterns, each half of the time: the response to one becomes 1/p = 2, to the other 0, and the
    // threshold, p r**2, is 2 as well.
    let patterns = [vec![1.0, 0.0], vec![0.0, 1.0]];
    let rule = "model = 'library:bcm'\nparameters = { eta = '2*Hz', tautheta = '100*ms' }";
    after(&model(&one_neuron(&patterns, rule, "[0.6, 0.5]")), 12_000, |simulation| {
        near(&simulation.values("p.w").unwrap(), &[2.0, 0.0], 0.02);
        near(&simulation.values("p.theta").unwrap(), &[2.0, 2.0], 0.03);
    });
}

#[test]
fn the_covariance_rule_follows_the_sign_of_the_covariance_and_ignores_means() {
    // The neuron's rate is set by input 0 alone, through a projection that does not learn. Deviations of 1 around 5:
    // input 1 goes with it, 2 against it, 3 is unrelated, 4 does not change.
    let text = r#"
        dt = "1 ms"
        [neuron.input]
        equations = """
        r = 5 + fast*(1 - 2*int(i == 2))*int(i <= 2) + slow*int(i == 3) : 1
        fast = 1 - 2*(t_in_timesteps % 2) : 1
        slow = 1 - 2*int(t_in_timesteps % 4 >= 2) : 1
        """
        [neuron.output]
        equations = "r = 3 + fast : 1\nfast = 1 - 2*(t_in_timesteps % 2) : 1\nx = sum(exc) : 1"
        [population.inputs]
        neuron = "input"
        size = 5
        [population.output]
        neuron = "output"
        size = 1
        [synapse.learned]
        model = "library:covariance"
        parameters = { eta = "1*Hz", taumean = "1e9*second" }
        initial = { mpre = "5", mpost = "3" }
        [projection.p]
        synapse = "learned"
        source = "inputs"
        target = "output"
        connect = "all_to_all"
        "#;
    near(&values(text, 1000, "p.w"), &[1.0, 1.0, -1.0, 0.0, 0.0], 1e-6);
    // Rates that stay where they are teach nothing, once the means have found them.
    let rule = "model = 'library:covariance'\nparameters = { taumean = '20*ms' }";
    let settled = values(&one_neuron(&[vec![3.0, 4.0]], rule, "[0.1, 0.2]"), 2_000, "p.w");
    let later = values(&one_neuron(&[vec![3.0, 4.0]], rule, "[0.1, 0.2]"), 4_000, "p.w");
    near(&settled, &later, 1e-12);
}

#[test]
fn learning_does_not_depend_on_the_format_of_synapses() {
    for rule in ["hebb", "oja", "bcm", "covariance"] {
        let run = |format: &str| {
            let text = format!(
                r#"
                dt = "1 ms"
                seed = 5
                [population.a]
                neuron = "library:rate_tanh"
                size = 13
                initial = {{ r = "rand()", B = "randn()" }}
                [population.b]
                neuron = "library:rate_relu"
                size = 9
                initial.B = "0.1*rand()"
                [projection.ab]
                synapse = "library:{rule}"
                source = "a"
                target = "b"
                connect = "all_to_all"
                weight = "0.1*rand()"
                format = "{format}"
                [projection.aa]
                synapse = "library:{rule}"
                source = "a"
                target = "a"
                connect = {{ rule = "fixed_probability", p = 0.3, self_connections = false }}
                weight = "0.1*randn()"
                delay = "3 ms"
                format = "{format}"
                "#
            );
            (values(&text, 200, "ab.w"), values(&text, 200, "aa.w"), values(&text, 200, "b.r"))
        };
        let csr = run("csr");
        assert!(csr.0.iter().all(|w| w.is_finite()) && csr.2.iter().any(|r| *r > 0.0));
        for format in ["dense", "ell", "auto"] {
            assert_eq!(csr, run(format), "{rule} {format}");
        }
    }
}

#[test]
fn rate_neurons_settle_where_their_closed_forms_say() {
    let text = r#"
        dt = "0.1 ms"
        [population.linear]
        neuron = "library:rate_linear"
        size = 2
        initial.B = "3 - 4*i"
        [population.relu]
        neuron = "library:rate_relu"
        size = 2
        initial.B = "3 - 4*i"
        [population.tanh]
        neuron = "library:rate_tanh"
        size = 2
        initial.B = "0.5 - i"
        [projection.l]
        synapse = "library:static_rate"
        source = "linear"
        target = "linear"
        connect = "one_to_one"
        weight = 0.5
        [projection.r]
        synapse = "library:static_rate"
        source = "linear"
        target = "relu"
        connect = "one_to_one"
        weight = 0
        [projection.t]
        synapse = "library:static_rate"
        source = "linear"
        target = "tanh"
        connect = "one_to_one"
        weight = 0
        "#;
    near(&values(text, 5_000, "linear.r"), &[6.0, -2.0], 1e-9);
    near(&values(text, 5_000, "relu.r"), &[3.0, 0.0], 1e-12);
    near(&values(text, 5_000, "tanh.r"), &[0.5_f64.tanh(), -0.5_f64.tanh()], 1e-12);
    // Without feedback, exact integration gives 1 - exp(-t/tau) at every step.
    near(&values(text, 100, "relu.r")[..1], &[3.0 * (1.0 - (-1.0_f64).exp())], 1e-13);
}

#[test]
fn spikes_become_rates_and_rates_become_spikes() {
    let text = r#"
        dt = "1 ms"
        seed = 2
        [population.rates]
        neuron = "library:rate_linear"
        size = 4
        initial = { r = "i", B = "i" }
        [neuron.noisy]
        model = "library:poisson_from_rate"
        parameters = { gain = "50*Hz" }
        [population.spiking]
        neuron = "noisy"
        size = 4
        [projection.in]
        synapse = "library:static_rate"
        source = "rates"
        target = "spiking"
        connect = "one_to_one"
        weight = 2
        [input.beat]
        kind = "regular"
        size = 1
        period = "10 ms"
        [population.smooth]
        neuron = "library:rate_from_spikes"
        size = 1
        [population.window]
        neuron = "library:rate_in_window"
        size = 1
        [projection.count]
        synapse = "library:count_spikes"
        source = "beat"
        target = "smooth"
        connect = "all_to_all"
        weight = 1
        [projection.slide]
        synapse = "library:count_in_window"
        source = "beat"
        target = "window"
        connect = "all_to_all"
        weight = 1
        [record]
        spikes = ["spiking"]
        [record.state.window]
        of = "window"
        variables = ["r"]
        slot = "end"
        [record.state.smooth]
        of = "smooth"
        variables = ["r"]
        slot = "end"
        "#;
    after(&model(text), 1000, |simulation| {
        // A window of 100 ms holds ten of the spikes that come every 10 ms: 100 Hz, from the tenth on.
        let window = simulation.trace("window", "r").unwrap().line(0);
        let first: Vec<f64> = (0..12).map(|step| if step < 10 { 10.0 } else { 20.0 }).collect();
        assert_eq!(window[..12], first);
        assert!(window[90..].iter().all(|r| (r - 100.0).abs() < 1e-9));
        // The exponential average has its mean there: a geometric series, just after a spike and just before one.
        let smooth = simulation.trace("smooth", "r").unwrap().line(0);
        let top = 20.0 / (1.0 - (-0.2_f64).exp());
        near(&[smooth[990], smooth[989]], &[top, top * (-9.0_f64 / 50.0).exp()], 1e-6);
        // Poisson spikes at 100 Hz per unit of rate: the standard deviation of the second's count is below sqrt(300).
        let (_, neurons) = simulation.spikes("spiking").unwrap();
        for k in 0..4_u32 {
            let count = neurons.iter().filter(|n| **n == k).count() as f64;
            assert!((count - 100.0 * f64::from(k)).abs() <= 5.0 * f64::from(k * 100).sqrt(), "{k}: {count}");
        }
    });
}
