//! One step of an object: which method, why, and its statements.

use std::fmt::Write as _;

use neuropil_base::{Diagnostics, Scalar, ScalarType};
use neuropil_math::{CompareOp, Function};
use neuropil_model::{
    Block, Equation, Expr, ExprKind, Method, Network, ObjectId, PopulationId, ProjectionId, Refractory,
    VariableKind,
};

use crate::algebra::define;
use crate::exact::{Interval, exact};
use crate::explicit::{self, Explicit};
use crate::exponential::{self, exponential_euler};
use crate::implicit::implicit_euler;
use crate::noise::{NoiseClass, Stochastic};
use crate::reciprocal;
use crate::system::{Refusal, System, variable_of_kind, with_dt};

/// Halvings of the interval for coupled systems whose coefficients the kernel computes: rates times the
/// step may be up to 32.
const HALVINGS: u32 = 6;

/// The statements of one step of an object.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// Whose step.
    pub object: ObjectId,
    /// What happens to each element.
    pub block: Block,
    /// What happens to variables that all elements share, once, after `block` has run for all elements.
    pub shared: Block,
    /// The method, never [`Method::Auto`] if there are equations.
    pub method: Method,
    /// Why this method.
    pub reason: String,
}

/// One step of a population: whether each neuron is refractory, then its equations.
///
/// # Errors
/// A method that the model asks for and that does not fit its equations.
pub fn population_step(network: &Network, id: PopulationId) -> Result<Step, Diagnostics> {
    let population = network.population(id);
    let object = ObjectId::Population(id);
    let mut block = Block::new();
    refractory_update(network, id, &mut block);
    let system = System::new(network, object, &population.equations, population.clock);
    step(&system, population.method, block)
}

/// One step of a projection's continuous synaptic equations; event-driven ones are not among them.
///
/// # Errors
/// As [`population_step`].
pub fn projection_step(network: &Network, id: ProjectionId) -> Result<Step, Diagnostics> {
    let projection = network.projection(id);
    let equations: &[Equation] = &projection.equations;
    let system = System::new(network, ObjectId::Projection(id), equations, projection.clock);
    step(&system, projection.method, Block::new())
}

/// The step as text: a line that says why, then the statements.
#[must_use]
pub fn display(network: &Network, step: &Step) -> String {
    let mut text = format!("# {}: {}\n", step.method, step.reason);
    // Writing to a string does not fail.
    let _ = write!(text, "{}", network.display_block(step.object, &step.block));
    if !step.shared.is_empty() {
        let _ = write!(text, "# shared\n{}", network.display_block(step.object, &step.shared));
    }
    text
}

/// `not_refractory` for this step, as Brian 2 has it: times are compared as numbers of steps.
fn refractory_update(network: &Network, id: PopulationId, block: &mut Block) {
    let population = network.population(id);
    let object = ObjectId::Population(id);
    let Some(not_refractory) = variable_of_kind(network, object, &VariableKind::NotRefractory) else {
        return;
    };
    let dt = network.clock(population.clock).dt;
    let algebra = crate::algebra::Algebra::new(neuropil_model::Arith::new(network.precision));
    let arith = algebra.arith;
    let steps = |time: Expr| arith.call(Function::Timestep, vec![time, Expr::real(dt, ScalarType::F64)]);
    match &population.refractory {
        Refractory::Never => {}
        Refractory::Time(time) => {
            let Some(last) = variable_of_kind(network, object, &VariableKind::LastSpike) else { return };
            let now = Expr::new(ExprKind::Time, ScalarType::F64);
            let passed = arith.sub(now, Expr::variable(last, ScalarType::F64));
            let enough = steps(with_dt(algebra, dt, time));
            let condition = match enough.as_constant() {
                // The same without a division, which would be the dearest operation of many a neuron:
                // int((passed + dt/1000)/dt) >= k where passed + dt/1000 >= k dt.
                Some(Scalar::I32(k)) if (1..1 << 30).contains(&k) => {
                    let least = Expr::real((f64::from(k) - 1e-3) * dt, ScalarType::F64);
                    arith.compare(CompareOp::Ge, passed, least)
                }
                Some(_) | None => arith.compare(CompareOp::Ge, steps(passed), enough),
            };
            block.set(not_refractory, condition);
        }
        Refractory::While(condition) => {
            let before = Expr::variable(not_refractory, ScalarType::Bool);
            let condition = with_dt(algebra, dt, condition);
            block.set(not_refractory, arith.or(before, arith.not(condition)));
        }
    }
}

/// Adds the integration of `system` to `block`.
fn step(system: &System<'_>, method: Method, mut block: Block) -> Result<Step, Diagnostics> {
    let object = system.object;
    if system.unknowns.is_empty() {
        let reason = "no differential equations".to_owned();
        return Ok(Step { object, block, shared: Block::new(), method, reason });
    }
    let (method, reason) = match method {
        Method::Auto => choose(system).map_err(|refusal| refusal.diagnostics("auto"))?,
        Method::Exact
        | Method::ExponentialEuler
        | Method::Euler
        | Method::Rk2
        | Method::Rk4
        | Method::Midpoint
        | Method::Heun
        | Method::Milstein
        | Method::ImplicitEuler => (method, "as the model asks".to_owned()),
    };
    let diagnostics = |refusal: Refusal| refusal.diagnostics(method.name());
    let new = integrate(system, method, &mut block).map_err(diagnostics)?;
    system.store(&mut block, new, |unknown| !unknown.shared);
    let mut shared = Block::new();
    if system.unknowns.iter().any(|u| u.shared) {
        // Shared variables depend on shared ones only, so they are a system of their own.
        let mut own = system.clone();
        own.unknowns.retain(|u| u.shared);
        let new = integrate(&own, method, &mut shared).map_err(diagnostics)?;
        own.store(&mut shared, new, |_| true);
    }
    reciprocal::multiply(&mut block);
    reciprocal::multiply(&mut shared);
    Ok(Step { object, block, shared, method, reason })
}

/// The values at the end of the step, by unknown; what they need is added to `block`.
fn integrate(system: &System<'_>, method: Method, block: &mut Block) -> Result<Vec<Expr>, Refusal> {
    match method {
        Method::Exact => exact(system, &one_step(system), block),
        Method::ExponentialEuler => exponential_euler(system, block),
        Method::ImplicitEuler => implicit_euler(system, block),
        Method::Euler | Method::Rk2 | Method::Rk4 | Method::Midpoint | Method::Heun | Method::Milstein => {
            explicit::integrate(system, method, block)
        }
        Method::Auto => integrate(system, choose(system)?.0, block),
    }
}

fn one_step(system: &System<'_>) -> Interval {
    Interval { length: system.step(), halvings: HALVINGS, is_step: true }
}

/// Brian 2's order: exact where it applies, else Euler, Heun where the noise depends on the state.
fn choose(system: &System<'_>) -> Result<(Method, String), Refusal> {
    // Nothing of an attempt that fails may stay.
    let why = match exact(system, &one_step(system), &mut Block::new()) {
        Ok(_) => return Ok((Method::Exact, format!("the equations are linear in {}", system.names()))),
        Err(refusal) => refusal.reason,
    };
    let stochastic = Stochastic::split(system)?;
    let (method, because) = match stochastic.class {
        // Brian 2's order for the equations of compartments.
        NoiseClass::None if along_a_cable(system) && exponential::applies(system) => {
            (Method::ExponentialEuler, "; each equation is linear in its own variable".to_owned())
        }
        NoiseClass::None if along_a_cable(system) => (Method::Rk2, String::new()),
        NoiseClass::None => (Method::Euler, String::new()),
        NoiseClass::Additive if along_a_cable(system) => (Method::Heun, "; the noise is additive".to_owned()),
        NoiseClass::Additive => (Method::Euler, "; the noise is additive".to_owned()),
        NoiseClass::TimeDependent => (Method::Heun, "; the noise depends on time".to_owned()),
        NoiseClass::Diagonal | NoiseClass::Multiplicative => {
            (Method::Heun, "; the noise depends on the state".to_owned())
        }
    };
    let mut others: Vec<&str> = Vec::new();
    if method != Method::ExponentialEuler && exponential::applies(system) {
        others.push(Method::ExponentialEuler.name());
    }
    others.extend(
        Explicit::taking(stochastic.class).map(|e| e.method).filter(|m| *m != method).map(Method::name),
    );
    let others = match others.as_slice() {
        [] => String::new(),
        [one] => format!("; {one} would also apply"),
        [rest @ .., last] => format!("; {} and {last} would also apply", rest.join(", ")),
    };
    Ok((method, format!("not exact: {why}{because}{others}")))
}

/// Whether the equations are those of compartments of neurons with a shape.
fn along_a_cable(system: &System<'_>) -> bool {
    match system.object {
        ObjectId::Population(id) => system.network.population(id).cable.is_some(),
        ObjectId::Projection(_) => false,
    }
}

impl System<'_> {
    /// Writes the new values of the unknowns that `which` takes, all of them computed from the old ones.
    pub(crate) fn store(
        &self,
        block: &mut Block,
        new: Vec<Expr>,
        which: impl Fn(&crate::system::Unknown) -> bool,
    ) {
        let mut stored = Vec::new();
        for (k, value) in new.into_iter().enumerate() {
            let unknown = &self.unknowns[k];
            let value = self.algebra.arith.convert(value, unknown.ty);
            if which(unknown) && value != self.value(k) {
                stored.push((unknown, value));
            }
        }
        if let [(unknown, value)] = stored.as_slice() {
            block.set(unknown.variable, value.clone());
            return;
        }
        for (unknown, value) in &mut stored {
            let taken = value.clone();
            *value = match taken.kind {
                // Another variable's old value may be overwritten before it is read.
                ExprKind::Variable(_) => block.define(format!("{}_new", unknown.name), taken),
                _ => define(block, &format!("{}_new", unknown.name), taken),
            };
        }
        for (unknown, value) in stored {
            block.set(unknown.variable, value);
        }
    }
}
