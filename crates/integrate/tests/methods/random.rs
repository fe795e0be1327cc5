//! Laws that hold for any equations: no method panics, types fit, Newton's steps solve the equation.

use neuropil_base::{Precision, Scalar};
use neuropil_integrate::reference::Element;
use neuropil_integrate::{event_driven_update, population_step};
use neuropil_model::{Method, PopulationId, ProjectionId};
use proptest::prelude::*;

use crate::network::{Given, cells, own};
use crate::shape::check_types;

/// Text of any expression over `x`, `y`, `p`, with time, noise, timed arrays, conditions and steps.
fn anything() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => prop_oneof![Just("x"), Just("y"), Just("p")].prop_map(str::to_owned),
        2 => prop_oneof![Just("0"), Just("1"), Just("2.5"), Just("-0.02")].prop_map(|c| format!("({c})")),
        1 => prop_oneof![Just("t"), Just("dt"), Just("xi"), Just("xi_1"), Just("table(t)"), Just("int(x)")]
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let unary = prop_oneof![
            Just("-"),
            Just("exp"),
            Just("exprel"),
            Just("abs"),
            Just("floor"),
            Just("sqrt"),
            Just("tanh")
        ];
        let binary =
            prop_oneof![3 => Just("+"), 3 => Just("-"), 3 => Just("*"), 2 => Just("/"), 1 => Just("**")];
        prop_oneof![
            2 => (unary, inner.clone()).prop_map(|(f, a)| format!("{f}({a})")),
            6 => (binary, inner.clone(), inner.clone()).prop_map(|(op, a, b)| format!("({a} {op} {b})")),
            1 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} if {b} > {c} else {b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("maximum({a}, {b})")),
        ]
    })
}

/// Text of a smooth expression of `x`, `y`, of moderate size for moderate values.
fn smooth() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![Just("x"), Just("y"), Just("p"), Just("0.7"), Just("1.3")].prop_map(str::to_owned);
    leaf.prop_recursive(4, 16, 2, |inner| {
        let bounded = prop_oneof![
            Just("tanh("),
            Just("sin("),
            Just("cos("),
            Just("arctan("),
            Just("exp(-abs("),
            Just("sqrt(1 + abs("),
            Just("log1p(abs("),
            Just("exprel(-abs("),
        ];
        let call = |(f, a): (&str, String)| {
            let close = ")".repeat(f.matches('(').count());
            format!("{f}{a}{close}")
        };
        let binary = prop_oneof![Just("+"), Just("-"), Just("*")];
        prop_oneof![
            (bounded, inner.clone()).prop_map(call),
            (binary, inner.clone(), inner.clone()).prop_map(|(op, a, b)| format!("({a} {op} {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} / (1.5 + sin({b})))")),
            inner.prop_map(|a| format!("({a})**3")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_method_gives_well_typed_steps_or_says_why_not(
        x in anything(),
        y in anything(),
        freezes in proptest::bool::ANY,
        single in proptest::bool::ANY,
    ) {
        let precision = if single { Precision::F32 } else { Precision::F64 };
        let name = if freezes { "x!" } else { "x" };
        let equations = [(name, x.as_str()), ("y", y.as_str())];
        for method in Method::ALL {
            let given = Given {
                precision, method, equations: &equations, parameters: &["p"], refractory: "0.002", ..Given::default()
            };
            let network = given.network();
            match population_step(&network, PopulationId::new(0)) {
                Ok(step) => {
                    check_types(&network, &step.block);
                    // It runs, whatever comes out.
                    Element::new(&network, given.dt).run(&step.block);
                    prop_assert!(!neuropil_integrate::display(&network, &step).is_empty());
                }
                Err(diagnostics) => prop_assert!(diagnostics.has_errors()),
            }
            let network = given.event_driven();
            if let Ok(block) = event_driven_update(&network, ProjectionId::new(0)) {
                check_types(&network, &block);
            }
        }
    }

    #[test]
    fn backward_euler_solves_any_smooth_equation(x in smooth(), y in smooth()) {
        let equations = [("x", x.as_str()), ("y", y.as_str())];
        let dt = 1e-3;
        let given = Given {
            method: Method::ImplicitEuler, equations: &equations, parameters: &["p"], dt, ..Given::default()
        };
        let start = [0.4, -0.3, 0.9];
        let end = given.run(&start[..2], &start[2..], 1);
        let network = given.network();
        let mut element = Element::new(&network, dt);
        for (k, value) in end.iter().chain(&start[2..]).enumerate() {
            element.set(own(cells(), k), *value);
        }
        for (k, equation) in network.populations[0].equations.iter().enumerate() {
            let slope = element.eval(&equation.rhs, &[]);
            prop_assert!(matches!(slope, Scalar::F64(_)));
            let residual = end[k] - start[k] - dt * slope.to_f64();
            prop_assert!(residual.abs() < 1e-13, "{equations:?}: {end:?}, residual {residual:e}");
        }
    }
}
