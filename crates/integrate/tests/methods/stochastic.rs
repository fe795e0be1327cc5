//! Stochastic methods: strong order along given paths, moments of the noise.

use std::sync::OnceLock;

use neuropil_base::{Scalar, ScalarType};
use neuropil_integrate::reference::Element;
use neuropil_math::Distribution;
use neuropil_math::scalar::Evaluator;
use neuropil_model::Method;

use crate::network::{Given, cells, own};

/// Finest steps of a path of one second.
const FINEST: i64 = 1 << 10;
const PATHS: u64 = 60;

/// The addressed normal number of a process (site), path (element) and finest step.
fn normal(site: u32, path: u64, step: i64) -> f64 {
    let words: Vec<Scalar> =
        (0..4).map(|draw| Scalar::I32(neuropil_rng::word(1, site, draw, path, step) as i32)).collect();
    Distribution::Normal.expand(&mut Evaluator, ScalarType::F64, &words).to_f64()
}

/// The Wiener process of a path between two finest steps; values are kept, for every test takes the same.
fn increment(site: u32, path: u64, from: i64, to: i64) -> f64 {
    static VALUES: OnceLock<Vec<f64>> = OnceLock::new();
    let values = VALUES.get_or_init(|| {
        let mut values = Vec::new();
        for site in 0..2 {
            for path in 0..PATHS {
                let mut sum = 0.0;
                values.push(sum);
                for step in 0..FINEST {
                    sum += normal(site, path, step) * (1.0 / FINEST as f64).sqrt();
                    values.push(sum);
                }
            }
        }
        values
    });
    let start = (u64::from(site) * PATHS + path) as usize * (FINEST as usize + 1);
    values[start + to as usize] - values[start + from as usize]
}

struct Problem {
    equations: &'static [(&'static str, &'static str)],
    start: &'static [f64],
    /// The first unknown after one second, given the processes 0 and 1.
    solution: fn(f64, f64) -> f64,
}

/// The end of one path with `steps` steps.
fn run(problem: &Problem, method: Method, path: u64, steps: i64) -> f64 {
    let dt = 1.0 / steps as f64;
    let given = Given { equations: problem.equations, method, dt, ..Given::default() };
    let (network, step) = given.step();
    let width = FINEST / steps;
    let mut element = Element::new(&network, dt);
    let draw = move |element: &Element<'_>, random: &neuropil_model::Random, _: &[Scalar], ty| {
        let (from, site) = (element.step * width, random.site.index() as u32);
        Scalar::from_f64(ty, increment(site, path, from, from + width) / dt.sqrt())
    };
    element.draw = &draw;
    for (k, value) in problem.start.iter().enumerate() {
        element.set(own(cells(), k), *value);
    }
    for k in 0..steps {
        element.step = k;
        element.run(&step.block);
    }
    element.get(own(cells(), 0))
}

/// The mean error over paths.
fn error(problem: &Problem, method: Method, steps: i64) -> f64 {
    let one = |path| {
        let (w0, w1) = (increment(0, path, 0, FINEST), increment(1, path, 0, FINEST));
        (run(problem, method, path, steps) - (problem.solution)(w0, w1)).abs()
    };
    (0..PATHS).map(one).sum::<f64>() / PATHS as f64
}

#[track_caller]
fn assert_strong_order(problem: &Problem, method: Method, order: f64) {
    // The slope of a straight line through the errors, since those of single sizes vary with the paths.
    let errors: Vec<f64> = (5..=9).map(|k| error(problem, method, 1 << k).log2()).collect();
    let measured = errors.iter().zip([2.0, 1.0, 0.0, -1.0, -2.0]).map(|(e, k)| e * k).sum::<f64>() / 10.0;
    let equations = problem.equations;
    assert!((measured - order).abs() < 0.25, "{method} on {equations:?}: order {measured:.2}, {errors:?}");
}

/// Geometric Brownian motion, Stratonovich.
const GEOMETRIC: Problem = Problem {
    equations: &[("x", "0.3*x + 0.8*x*xi")],
    start: &[1.0],
    solution: |w, _| (0.3 + 0.8 * w).exp(),
};

/// `x' = sqrt(1 + x^2) xi` is solved by `sinh(W)`.
const SINH: Problem =
    Problem { equations: &[("x", "sqrt(1 + x**2)*xi")], start: &[0.0], solution: |w, _| w.sinh() };

/// A nonlinear drift; in `y = log x` the noise is additive.
const TWO: Problem = Problem {
    equations: &[("x", "x*(0.3 + 0.5*xi_0 + 0.4*xi_1)"), ("y", "-y + xi_1")],
    start: &[1.0, 0.0],
    solution: |a, b| (0.3 + 0.5 * a + 0.4 * b).exp(),
};

#[test]
fn milstein_has_strong_order_one() {
    assert_strong_order(&GEOMETRIC, Method::Milstein, 1.0);
    assert_strong_order(&SINH, Method::Milstein, 1.0);
}

#[test]
fn heun_has_strong_order_one_with_noise_that_commutes() {
    assert_strong_order(&GEOMETRIC, Method::Heun, 1.0);
    assert_strong_order(&SINH, Method::Heun, 1.0);
    assert_strong_order(&TWO, Method::Heun, 1.0);
}

#[test]
fn euler_has_strong_order_one_with_additive_noise() {
    // The reference is the same path with the finest steps.
    let problem =
        Problem { equations: &[("x", "-2*x*(1 + x**2) + 0.7*xi")], start: &[1.0], solution: |_, _| 0.0 };
    let error = |steps| -> f64 {
        let one = |path| {
            (run(&problem, Method::Euler, path, steps) - run(&problem, Method::Euler, path, FINEST)).abs()
        };
        (0..PATHS).map(one).sum()
    };
    let order = (error(16) / error(128)).log2() / 3.0;
    assert!((order - 1.0).abs() < 0.25, "strong order {order:.2}");
}

#[test]
fn shared_and_several_processes_add_up() {
    let problem = Problem {
        equations: &[("x", "3*xi_0 - 2*xi_1"), ("y", "xi_0")],
        start: &[0.0, 0.0],
        solution: |a, b| 3.0 * a - 2.0 * b,
    };
    for method in [Method::Euler, Method::Heun, Method::Milstein] {
        assert!(error(&problem, method, 16) < 1e-12, "{method}");
    }
}

#[test]
fn noise_that_several_variables_share_is_refused_by_milstein() {
    let given =
        Given { equations: &[("x", "x*xi"), ("y", "y*xi")], method: Method::Milstein, ..Given::default() };
    assert_eq!(given.refusal().0, "noise-not-supported");
    let given = Given { method: Method::Heun, ..given };
    assert_eq!(given.text().matches("randn()").count(), 1, "the process is drawn once: {}", given.text());
}

#[test]
fn milstein_with_additive_noise_is_euler_maruyama() {
    let of = |method| Given { equations: &[("x", "-x**2 + 0.5*xi")], method, ..Given::default() }.text();
    let (milstein, euler) = (of(Method::Milstein), of(Method::Euler));
    assert_eq!(milstein.split_once('\n').unwrap().1, euler.split_once('\n').unwrap().1);
}
