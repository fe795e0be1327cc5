//! Event-driven equations against the same equations advanced exactly at every step.

use neuropil_base::Precision;
use neuropil_integrate::event_driven_update;
use neuropil_integrate::reference::Element;
use neuropil_model::{Method, ProjectionId};

use crate::network::{Given, own, synapses};
use crate::shape::check_types;

/// The variables, advanced by events at steps 3, 50 and 400.
fn by_events(given: &Given<'_>, start: &[f64], parameters: &[f64]) -> Vec<f64> {
    let network = given.event_driven();
    let block = event_driven_update(&network, ProjectionId::new(0)).expect("the equations are linear");
    check_types(&network, &block);
    let mut element = Element::new(&network, given.dt);
    for (k, value) in start.iter().chain(parameters).enumerate() {
        element.set(own(synapses(), k), *value);
    }
    for step in [3, 50, 50, 400] {
        element.step = step;
        element.run(&block);
        let last = element.get(own(synapses(), start.len() + parameters.len()));
        assert_eq!(last, step as f64 * given.dt, "the last update is now");
    }
    (0..start.len()).map(|k| element.get(own(synapses(), k))).collect()
}

#[test]
fn events_give_what_every_step_gives() {
    type Case = (&'static [(&'static str, &'static str)], &'static [f64]);
    let cases: [Case; 5] = [
        (&[("a", "-a/0.02")], &[1.0]),
        (&[("a", "-a/0.02"), ("b", "-b/p")], &[1.0, 2.0]),
        (&[("a", "(0.3 - a)/0.02")], &[1.0]),
        (&[("a", "(b - a)/p"), ("b", "-b/0.005")], &[0.1, 2.0]),
        (&[("a", "(b - a)/0.01"), ("b", "(c - b)/0.01 + 1"), ("c", "(0.2 - c)/p")], &[0.1, 0.5, 0.9]),
    ];
    for (equations, start) in cases {
        let given = Given { equations, parameters: &["p"], method: Method::Exact, ..Given::default() };
        let (events, steps) = (by_events(&given, start, &[0.01]), given.run(start, &[0.01], 400));
        for (a, b) in events.iter().zip(&steps) {
            assert!((a - b).abs() <= 1e-12 * a.abs().max(1.0), "{equations:?}: {events:?} {steps:?}");
        }
    }
}

#[test]
fn the_time_between_is_a_double_in_a_single_precision_network() {
    let given = Given {
        precision: Precision::F32,
        equations: &[("a", "-a/0.02")],
        method: Method::Exact,
        ..Given::default()
    };
    let network = given.event_driven();
    let block = event_driven_update(&network, ProjectionId::new(0)).unwrap();
    let text = network.display_block(synapses(), &block).to_string();
    assert_eq!(
        text,
        "elapsed := f32(t - lastupdate)\n\
         decay_a := exp(-50.0 * elapsed)\n\
         a = a * decay_a\n\
         lastupdate = t\n"
    );
    let end = by_events(&given, &[1.0], &[]);
    assert!((end[0] - (-2.0_f64).exp()).abs() < 1e-6, "{end:?}");
}

#[test]
fn equations_that_have_no_closed_form_are_refused() {
    for equations in [
        &[("a", "-a**2")][..],
        &[("a", "b"), ("b", "-a")],
        &[("a", "-a + t")],
        &[("a", "-a + table(t)")],
        &[("a", "-a + xi")],
    ] {
        let network = Given { equations, ..Given::default() }.event_driven();
        let diagnostics = event_driven_update(&network, ProjectionId::new(0)).expect_err("refused");
        assert!(diagnostics.has_errors());
    }
}

#[test]
fn a_projection_without_such_equations_has_no_update() {
    let network = Given::default().event_driven();
    assert!(event_driven_update(&network, ProjectionId::new(0)).unwrap().is_empty());
}
