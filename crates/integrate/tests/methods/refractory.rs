//! Variables stand still while a neuron is refractory, and count as constants for the others.

use neuropil_integrate::reference::Element;
use neuropil_model::Method;

use crate::network::{Given, cells, own};

const METHODS: [Method; 8] = [
    Method::Exact,
    Method::ExponentialEuler,
    Method::Euler,
    Method::Rk2,
    Method::Rk4,
    Method::Midpoint,
    Method::Heun,
    Method::ImplicitEuler,
];

/// `v` is frozen, `w` follows it.
const EQUATIONS: &[(&str, &str)] = &[("v!", "(0.5 + g - v)/taum"), ("g", "-g/0.005"), ("w", "(v - w)/0.01")];

fn given(method: Method) -> Given<'static> {
    Given { equations: EQUATIONS, parameters: &["taum"], refractory: "0.002", method, ..Given::default() }
}

/// Runs 25 steps after a spike at t = 0; gives the refractory steps and v, g, w after each.
fn trace(given: &Given<'_>, taum: f64) -> Vec<(bool, [f64; 3])> {
    let (network, step) = given.step();
    let mut element = Element::new(&network, given.dt);
    for (k, value) in [-0.06, 2.0, 0.3, taum, 0.0].into_iter().enumerate() {
        element.set(own(cells(), k), value);
    }
    (0..25)
        .map(|k| {
            element.step = k;
            element.run(&step.block);
            let active = element.get(own(cells(), 5)) != 0.0;
            (active, [0, 1, 2].map(|k| element.get(own(cells(), k))))
        })
        .collect()
}

#[test]
fn a_neuron_is_refractory_for_as_many_steps_as_the_time_has() {
    let trace = trace(&given(Method::Euler), 0.02);
    let active: Vec<bool> = trace.iter().map(|(active, _)| *active).collect();
    assert!(active[..20].iter().all(|a| !a) && active[20..].iter().all(|a| *a), "{active:?}");
}

#[test]
fn frozen_variables_keep_their_bits_with_every_method() {
    for method in METHODS {
        let trace = trace(&given(method), 0.02);
        for (active, [v, ..]) in &trace[..20] {
            assert!(!active);
            assert_eq!(v.to_bits(), (-0.06_f64).to_bits(), "{method}");
        }
        assert!(trace[21].1[0] > -0.06, "{method}: moves again");
    }
}

#[test]
fn other_variables_go_on_and_see_a_constant() {
    for (method, tolerance) in
        [(Method::Exact, 1e-13), (Method::Rk4, 1e-10), (Method::Heun, 1e-5), (Method::Euler, 2e-3)]
    {
        let [_, g, w] = trace(&given(method), 0.02)[19].1;
        let (decay, follow) = ((-0.002_f64 / 0.005).exp(), (-0.002_f64 / 0.01).exp());
        assert!((g / (2.0 * decay) - 1.0).abs() < tolerance * 10.0, "{method}: {g}");
        let expected = -0.06 + (0.3 + 0.06) * follow;
        assert!((w - expected).abs() < tolerance, "{method}: {w} {expected}");
    }
}

#[test]
fn known_and_own_coefficients_agree() {
    let known = Given {
        equations: &[("v!", "(0.5 + g - v)/0.02"), ("g", "-g/0.005"), ("w", "(v - w)/0.01")],
        ..given(Method::Exact)
    };
    for ((_, a), (_, b)) in trace(&known, 0.02).iter().zip(trace(&given(Method::Exact), 0.02)) {
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-13), "{a:?} {b:?}");
    }
}

#[test]
fn the_step_of_a_leaky_neuron_is_short() {
    let given = Given {
        equations: &[("v!", "(g - v)/0.02"), ("g", "-g/0.005")],
        refractory: "0.002",
        ..Given::default()
    };
    let text = given.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "not_refractory = t - lastspike >= 0.0019998999999999998");
    assert!(lines[2].starts_with("v_new := ") && lines[2].ends_with("if not_refractory else v"), "{text}");
    assert!(!lines[3].contains(" if "), "g has no select: {text}");
    assert_eq!(lines[4..], ["v = v_new", "g = g_new"]);
}

#[test]
fn a_condition_ends_the_refractory_period() {
    let given = Given {
        equations: &[("v!", "-v/0.01")],
        refractory: "while v > 0",
        method: Method::Euler,
        ..Given::default()
    };
    let text = given.text();
    assert!(text.contains("not_refractory = not_refractory or not v > 0.0"), "{text}");
}

#[test]
fn noise_freezes_too() {
    let given = Given { equations: &[("v!", "-v/0.01 + xi")], refractory: "0.002", ..Given::default() };
    let (network, step) = given.step();
    let mut element = Element::new(&network, given.dt);
    element.draw = &|_, _, _, ty| neuropil_base::Scalar::from_f64(ty, 1.5);
    element.set(own(cells(), 0), 0.25);
    element.run(&step.block);
    assert_eq!(element.get(own(cells(), 0)), 0.25);
    element.step = 20;
    element.run(&step.block);
    assert_ne!(element.get(own(cells(), 0)), 0.25);
}

#[test]
fn shared_variables_are_stored_once_for_all() {
    let given = Given {
        equations: &[("v", "(s - v)/0.01"), ("s*", "-s*s/0.01")],
        method: Method::Rk2,
        ..Given::default()
    };
    let (network, step) = given.step();
    let text = neuropil_integrate::display(&network, &step);
    let (own, shared) = text.split_once("# shared\n").unwrap();
    assert!(own.contains("\nv = ") && !own.contains("\ns = "), "{text}");
    assert!(shared.contains("s = ") && !shared.contains('v'), "{text}");
}
