//! Every method converges with its order, on systems with a closed form.

use neuropil_model::Method;

use crate::network::Given;

/// A problem: equations, where it starts, and its solution after one second.
struct Problem {
    name: &'static str,
    equations: &'static [(&'static str, &'static str)],
    start: &'static [f64],
    solution: fn() -> Vec<f64>,
}

const LOGISTIC: Problem = Problem {
    name: "logistic growth",
    equations: &[("x", "2*x*(1 - x)")],
    start: &[0.2],
    solution: || vec![1.0 / (1.0 + 4.0 * (-2.0_f64).exp())],
};

/// In polar coordinates `r' = r (1 - r^2)`, `phi' = 2`.
const LIMIT_CYCLE: Problem = Problem {
    name: "a limit cycle",
    equations: &[("x", "x*(1 - x**2 - y**2) - 2*y"), ("y", "y*(1 - x**2 - y**2) + 2*x")],
    start: &[0.5, 0.0],
    solution: || {
        let r = 1.0 / (1.0 + 3.0 * (-2.0_f64).exp()).sqrt();
        vec![r * 2.0_f64.cos(), r * 2.0_f64.sin()]
    },
};

const DRIVEN: Problem = Problem {
    name: "growth that depends on time",
    equations: &[("x", "x*(1 + 2*t)")],
    start: &[1.0],
    solution: || vec![2.0_f64.exp()],
};

/// `x + y` stays 1, so `y` grows logistically; linear in each variable.
const PREDATOR: Problem = Problem {
    name: "conversion",
    equations: &[("x", "-2*x*y"), ("y", "2*x*y")],
    start: &[0.8, 0.2],
    solution: || {
        let y = 1.0 / (1.0 + 4.0 * (-2.0_f64).exp());
        vec![1.0 - y, y]
    },
};

/// Rates as those of a channel's gate, which never vanish.
const GATE: Problem = Problem {
    name: "a gate",
    equations: &[("m", "exp(w)*(1 - m) - exp(-w)*m"), ("w", "1 - w*0")],
    start: &[0.0, 0.0],
    solution: || {
        // m' + 2 cosh(t) m = exp(t), by a fine quadrature of the integrating factor.
        let (steps, mut sum) = (20_000, 0.0);
        let h = 1.0 / f64::from(steps);
        for k in 0..steps {
            let s = (f64::from(k) + 0.5) * h;
            sum += h * (s + 2.0 * s.sinh()).exp();
        }
        vec![sum * (-2.0 * 1.0_f64.sinh()).exp(), 1.0]
    },
};

fn error(problem: &Problem, method: Method, steps: u32) -> f64 {
    let given =
        Given { equations: problem.equations, method, dt: 1.0 / f64::from(steps), ..Given::default() };
    let end = given.run(problem.start, &[], i64::from(steps));
    let solution = (problem.solution)();
    end.iter().zip(solution).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[track_caller]
fn assert_order(problem: &Problem, method: Method, order: f64, steps: u32) {
    let (coarse, fine) = (error(problem, method, steps), error(problem, method, 4 * steps));
    let measured = (coarse / fine).log2() / 2.0;
    assert!(
        (measured - order).abs() < 0.25,
        "{method} on {}: order {measured:.2}, errors {coarse:e} and {fine:e}",
        problem.name
    );
}

#[test]
fn explicit_methods_have_their_orders() {
    for problem in [&LOGISTIC, &LIMIT_CYCLE, &DRIVEN, &PREDATOR] {
        assert_order(problem, Method::Euler, 1.0, 100);
        assert_order(problem, Method::Milstein, 1.0, 100);
        assert_order(problem, Method::Rk2, 2.0, 50);
        assert_order(problem, Method::Midpoint, 2.0, 50);
        assert_order(problem, Method::Heun, 2.0, 50);
        assert_order(problem, Method::Rk4, 4.0, 16);
    }
}

#[test]
fn backward_euler_has_order_one() {
    for problem in [&LOGISTIC, &LIMIT_CYCLE, &DRIVEN, &PREDATOR, &GATE] {
        assert_order(problem, Method::ImplicitEuler, 1.0, 100);
    }
}

#[test]
fn exponential_euler_has_order_one() {
    for problem in [&DRIVEN, &PREDATOR, &GATE] {
        assert_order(problem, Method::ExponentialEuler, 1.0, 100);
    }
}

#[test]
fn backward_euler_is_stable_where_forward_euler_is_not() {
    let given = Given {
        equations: &[("x", "1000*(y - x**3)"), ("y", "-y")],
        method: Method::ImplicitEuler,
        dt: 0.01,
        ..Given::default()
    };
    let end = given.run(&[1.0, 1.0], &[], 200);
    assert!((end[0].powi(3) - end[1]).abs() < 1e-3, "{end:?}");
}

#[test]
fn backward_euler_solves_its_equation() {
    let given = Given {
        equations: &[("x", "x*(1 - x**2 - y**2) - 2*y"), ("y", "exp(-y)*x - tanh(y)"), ("z", "(x - z)/0.1")],
        method: Method::ImplicitEuler,
        dt: 0.1,
        ..Given::default()
    };
    let [x, y, z]: [f64; 3] = given.run(&[0.4, 0.3, 0.1], &[], 1).try_into().unwrap();
    let residuals = [
        x - 0.4 - 0.1 * (x * (1.0 - x * x - y * y) - 2.0 * y),
        y - 0.3 - 0.1 * ((-y).exp() * x - y.tanh()),
        z - 0.1 - (x - z),
    ];
    assert!(residuals.iter().all(|r| r.abs() < 1e-14), "{residuals:?}");
}

#[test]
fn exponential_euler_is_exact_for_one_linear_equation() {
    for rhs in ["(0.3 - x)/0.02", "exp(2)*(1 - x) - exp(1)*x", "5", "-3*x", "0.1*x - p*x + 2"] {
        let given = Given { equations: &[("x", rhs)], parameters: &["p"], ..Given::default() };
        let exact = Given { method: Method::Exact, ..given }.run(&[0.7], &[0.1], 10);
        let step = Given { method: Method::ExponentialEuler, ..given }.run(&[0.7], &[0.1], 10);
        assert!((exact[0] - step[0]).abs() < 1e-14, "{rhs}: {exact:?} {step:?}");
    }
}

#[test]
fn gates_are_written_with_their_fixed_point() {
    let given = Given {
        equations: &[("m", "exp(v)*(1 - m) - exp(-v)*m")],
        parameters: &["v"],
        method: Method::ExponentialEuler,
        ..Given::default()
    };
    assert_eq!(
        given.text(),
        "# exponential_euler: as the model asks\n\
         rate_m := exp(v) + exp(-v)\n\
         m_inf := exp(v) / rate_m\n\
         m = m_inf + (m - m_inf) * exp(-0.0001 * rate_m)\n"
    );
}

#[test]
fn methods_that_do_not_fit_are_refused() {
    let cases = [
        (Method::ExponentialEuler, "-v**2", "not-linear"),
        (Method::ExponentialEuler, "-v + xi", "noise-not-supported"),
        (Method::ImplicitEuler, "-v + xi", "noise-not-supported"),
        (Method::Rk4, "-v + xi", "noise-not-supported"),
        (Method::Euler, "-v + v*xi", "noise-not-supported"),
        (Method::Auto, "-v + xi**2", "nonlinear-noise"),
    ];
    for (method, rhs, code) in cases {
        let given = Given { equations: &[("v", rhs)], method, ..Given::default() };
        assert_eq!(given.refusal().0, code, "{method}: {rhs}");
    }
    let given = Given { equations: &[("v", "-v + v*xi")], method: Method::Euler, ..Given::default() };
    let (_, message, _) = given.refusal();
    assert!(message.contains("depends on the state"), "{message}");
}

#[test]
fn the_automatic_choice_says_why_and_what_else() {
    let given = Given { equations: &[("v", "-v**2 + xi")], ..Given::default() };
    let text = given.text();
    assert!(
        text.starts_with(
            "# euler: not exact: the equation of `v` has noise; the noise is additive; \
             heun and milstein would also apply\n"
        ),
        "{text}"
    );
    let given = Given { equations: &[("v", "-v*w"), ("w", "-w")], ..Given::default() };
    let text = given.text();
    assert!(
        text.starts_with(
            "# euler: not exact: `-v * w` in the equation of `v` is not linear in `v`, `w`; \
             exponential_euler, rk2, rk4, midpoint, heun and milstein would also apply\n"
        ),
        "{text}"
    );
    let given = Given { equations: &[("v", "-v + v*xi")], ..Given::default() };
    assert!(given.text().starts_with("# heun: "), "{}", given.text());
}

#[test]
fn fourth_order_steps_read_as_the_textbook() {
    let given = Given { equations: &[("v", "-v**3 + t")], method: Method::Rk4, dt: 0.5, ..Given::default() };
    assert_eq!(
        given.text(),
        "# rk4: as the model asks\n\
         k1_v := -v**3.0 + t\n\
         v_k2 := v + 0.25 * k1_v\n\
         k2_v := -v_k2**3.0 + (t + 0.25)\n\
         v_k3 := v + 0.25 * k2_v\n\
         k3_v := -v_k3**3.0 + (t + 0.25)\n\
         v_k4 := v + 0.5 * k3_v\n\
         k4_v := -v_k4**3.0 + (t + 0.5)\n\
         v = v + 0.08333333333333333 * (k1_v + 2.0 * k2_v + 2.0 * k3_v + k4_v)\n"
    );
}
