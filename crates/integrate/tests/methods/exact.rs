//! Exact solutions against closed forms.

use neuropil_base::Precision;
use neuropil_model::Method;
use proptest::prelude::*;

use crate::network::Given;

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(1e-3)
}

#[track_caller]
fn assert_close(a: &[f64], b: &[f64]) {
    assert!(a.len() == b.len() && a.iter().zip(b).all(|(a, b)| close(*a, *b)), "{a:?} is not {b:?}");
}

const EXACT: Given<'static> = Given {
    precision: Precision::F64,
    dt: 1e-4,
    method: Method::Exact,
    equations: &[],
    parameters: &[],
    refractory: "",
};

#[test]
fn a_decay_is_a_product_with_exactly_the_exponential() {
    for rhs in ["-v/0.007", "-v/0.007 + 0*v", "(0 - v)/0.007"] {
        let given = Given { equations: &[("v", rhs)], ..EXACT };
        let factor = neuropil_math::host::exp(-1e-4 / 0.007);
        assert_eq!(given.run(&[3.0], &[], 1), [factor * 3.0], "{rhs}");
    }
    let given = Given { equations: &[("v", "-v/0.007")], ..EXACT };
    assert_eq!(given.text(), "# exact: as the model asks\nv = 0.9858158423524046 * v\n");
}

#[test]
fn the_automatic_choice_takes_linear_systems() {
    let given = Given {
        equations: &[("v", "(g - v + 0.001*table(t))/0.02"), ("g", "-g/0.005")],
        method: Method::Auto,
        ..EXACT
    };
    let text = given.text();
    assert!(text.starts_with("# exact: the equations are linear in `v`, `g`\n"), "{text}");
}

#[test]
fn a_leaky_integrator_approaches_its_input() {
    let given = Given { equations: &[("v", "(el + r*i - v)/0.02")], parameters: &["el", "r", "i"], ..EXACT };
    let target = -0.07 + 2.0 * 0.5;
    let expected = target + (-0.06 - target) * (-0.01_f64 / 0.02).exp();
    assert_close(&given.run(&[-0.06], &[-0.07, 2.0, 0.5], 100), &[expected]);
}

/// `v' = (g - v)/taum, g' = -g/taug` after `t` from `v`, `g`.
fn cascade(v: f64, g: f64, taum: f64, taug: f64, t: f64) -> [f64; 2] {
    let transfer = if taum == taug {
        t / taum * (-t / taum).exp()
    } else {
        taug / (taug - taum) * ((-t / taug).exp() - (-t / taum).exp())
    };
    [v * (-t / taum).exp() + g * transfer, g * (-t / taug).exp()]
}

#[test]
fn a_cascade_has_its_closed_form_even_with_equal_time_constants() {
    for (taum, taug) in [(0.02, 0.005), (0.005, 0.02), (0.01, 0.01)] {
        let expected = cascade(0.3, 2.0, taum, taug, 0.01);
        let rhs = (format!("(g - v)/{taum}"), format!("-g/{taug}"));
        let given = Given { equations: &[("v", &rhs.0), ("g", &rhs.1)], ..EXACT };
        assert_close(&given.run(&[0.3, 2.0], &[], 100), &expected);
        let given = Given {
            equations: &[("v", "(g - v)/taum"), ("g", "-g/taug")],
            parameters: &["taum", "taug"],
            ..EXACT
        };
        assert_close(&given.run(&[0.3, 2.0], &[taum, taug], 100), &expected);
    }
    // Nearly equal: the difference of the exponentials has no digits left, the formula has.
    let given = Given {
        equations: &[("v", "(g - v)/taum"), ("g", "-g/taug")],
        parameters: &["taum", "taug"],
        ..EXACT
    };
    let near = given.run(&[0.3, 2.0], &[0.01, 0.01 * (1.0 + 1e-15)], 100);
    assert_close(&near, &cascade(0.3, 2.0, 0.01, 0.01, 0.01));
}

#[test]
fn independent_variables_stay_decoupled() {
    let given =
        Given { equations: &[("v", "(a + b - v)/0.02"), ("a", "-a/0.005"), ("b", "-b/0.01")], ..EXACT };
    let text = given.text();
    let line = |name: &str| text.lines().find(|l| l.starts_with(name)).unwrap().to_owned();
    assert!(!line("a_new").contains(" v") && !line("a_new").contains(" b"), "{text}");
    assert!(line("v_new").contains("* a") && line("v_new").contains("* b"), "{text}");
}

#[test]
fn an_oscillator_turns() {
    let w = 250.0;
    let given = Given { equations: &[("x", "250*y"), ("y", "-250*x")], ..EXACT };
    let expected = [(w * 0.1_f64).sin(), (w * 0.1_f64).cos()];
    assert_close(&given.run(&[0.0, 1.0], &[], 1000), &expected);
    let given = Given { equations: &[("x", "w*y"), ("y", "-w*x")], parameters: &["w"], ..EXACT };
    assert_close(&given.run(&[0.0, 1.0], &[w], 1000), &expected);
}

#[test]
fn a_rate_of_zero_leaves_a_constant_slope() {
    let given = Given { equations: &[("v", "b - a*v")], parameters: &["a", "b"], ..EXACT };
    assert_close(&given.run(&[1.0], &[0.0, 30.0], 10), &[1.0 + 30.0 * 1e-3]);
    assert_close(&given.run(&[1.0], &[1e-13, 30.0], 10), &[1.0 + 30.0 * 1e-3]);
    let given = Given { equations: &[("v", "30 + 0*v")], ..EXACT };
    assert_close(&given.run(&[1.0], &[], 10), &[1.0 + 30.0 * 1e-3]);
}

#[test]
fn coefficients_of_the_element_give_what_known_ones_give() {
    let known = Given {
        equations: &[("v", "(s - v + 3)/0.02"), ("s", "(x - s)/0.004 + 2"), ("x", "-x/0.004 - 10*v")],
        ..EXACT
    };
    let own = Given {
        equations: &[("v", "(s - v + 3)/a"), ("s", "(x - s)/b + 2"), ("x", "-x/b - c*v")],
        parameters: &["a", "b", "c"],
        ..EXACT
    };
    let expected = known.run(&[0.1, 0.2, 0.9], &[], 300);
    assert_close(&own.run(&[0.1, 0.2, 0.9], &[0.02, 0.004, 10.0], 300), &expected);
    // Stiff: the step is thirty time constants.
    let known = Given { dt: 0.12, ..known };
    let own = Given { dt: 0.12, ..own };
    let (a, b) = (known.run(&[0.1, 0.2, 0.9], &[], 1), own.run(&[0.1, 0.2, 0.9], &[0.02, 0.004, 10.0], 1));
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9 * a.abs().max(1.0)), "{a:?} {b:?}");
}

#[test]
fn single_precision_steps_round_once() {
    let given = Given {
        precision: Precision::F32,
        equations: &[("v", "(g - v)/taum"), ("g", "-g/0.005")],
        parameters: &["taum"],
        ..EXACT
    };
    let result = given.run(&[0.3, 2.0], &[0.02], 100);
    let expected = cascade(0.3, 2.0, 0.02, 0.005, 0.01);
    assert!(result.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{result:?} {expected:?}");
}

#[test]
fn what_is_not_linear_is_named_with_its_place() {
    let given = Given { equations: &[("v", "1 - v*v/0.01")], ..EXACT };
    let (code, message, place) = given.refusal();
    assert_eq!(code, "not-linear");
    assert_eq!(
        message,
        "the method `exact` does not apply: `v * v` in the equation of `v` is not linear in `v`"
    );
    assert_eq!(place, 4..7);
    let given = Given { equations: &[("v", "sin(t)/0.01 - v")], ..EXACT };
    assert_eq!(given.refusal().0, "not-exact");
    let given = Given { equations: &[("v", "-v + xi")], ..EXACT };
    assert_eq!(given.refusal().0, "not-exact");
}

#[test]
fn timed_arrays_that_change_between_steps_only_are_constants() {
    let given = Given { equations: &[("v", "table(t)")], dt: 0.1, ..EXACT };
    // Five steps with 0, five with 1, five with 2.
    assert_close(&given.run(&[0.0], &[], 15), &[5.0 * 0.1 + 2.0 * 5.0 * 0.1]);
    let given = Given { equations: &[("v", "table(t + 0.01)")], dt: 0.1, ..EXACT };
    assert_eq!(given.refusal().0, "not-exact");
}

#[test]
fn large_systems_of_the_elements_own_coefficients_are_refused() {
    let names = ["a", "b", "c", "d", "e"];
    let rhs: Vec<String> = (0..5).map(|k| format!("({} - {})/tau", names[(k + 1) % 5], names[k])).collect();
    let equations: Vec<(&str, &str)> = names.iter().zip(&rhs).map(|(n, r)| (*n, r.as_str())).collect();
    let given = Given { equations: &equations, parameters: &["tau"], ..EXACT };
    assert_eq!(given.refusal().0, "not-exact");
    let known: Vec<String> = rhs.iter().map(|r| r.replace("tau", "0.01")).collect();
    let equations: Vec<(&str, &str)> = names.iter().zip(&known).map(|(n, r)| (*n, r.as_str())).collect();
    let given = Given { equations: &equations, ..EXACT };
    let sum: f64 = given.run(&[1.0, 0.0, 0.0, 0.0, 0.0], &[], 50).iter().sum();
    assert_close(&[sum], &[1.0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The exact step equals many small steps of Runge-Kutta, for any linear system.
    #[test]
    fn exact_steps_equal_many_small_ones(
        n in 1_usize..=4,
        entries in proptest::collection::vec(prop_oneof![Just(0.0), -40.0..40.0_f64], 16),
        inputs in proptest::collection::vec(prop_oneof![Just(0.0), -5.0..5.0_f64], 4),
        start in proptest::collection::vec(-1.0..1.0_f64, 4),
        own in proptest::bool::ANY,
    ) {
        let names = ["a", "b", "c", "d"];
        let rhs: Vec<String> = (0..n).map(|i| {
            let terms = (0..n).filter(|j| entries[4 * i + j] != 0.0);
            let terms: Vec<String> = terms.map(|j| {
                let c = entries[4 * i + j];
                if own { format!("{c:?}*p*{}", names[j]) } else { format!("{c:?}*{}", names[j]) }
            }).collect();
            format!("{:?} + 0 + {}", inputs[i], if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") })
        }).collect();
        let equations: Vec<(&str, &str)> = (0..n).map(|k| (names[k], rhs[k].as_str())).collect();
        let given = Given { equations: &equations, parameters: &["p"], dt: 0.05, ..EXACT };
        let exact = given.run(&start[..n], &[1.0], 1);
        let fine = Given { method: Method::Rk4, dt: 0.05 / 400.0, ..given };
        let reference = fine.run(&start[..n], &[1.0], 400);
        let size = reference.iter().fold(1.0_f64, |m, x| m.max(x.abs()));
        for (a, b) in exact.iter().zip(&reference) {
            prop_assert!((a - b).abs() <= 1e-8 * size, "{exact:?} {reference:?}");
        }
    }
}
