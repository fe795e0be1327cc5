//! Kernels that run outside the step: initial values, connection conditions, delays, rules that change synapses.

use neuropil_base::ScalarType;
use neuropil_integrate as integrate;
use neuropil_ir::{At, Domain, Side};
use neuropil_math::{CompareOp, Emit};
use neuropil_model::{
    Arith, ClockId, Distribution, Endpoint, Expr, ExprKind, Extent, Network, ObjectId, ProjectionId, Random,
    Rewiring, RewiringKind, VariableId,
};

use crate::LowerError;
use crate::lower::{Binding, Lowered, Lowering, Scope};
use crate::trace::{self, Traces};

/// The kernel that gives a variable its initial values: `output[own] = value` for each element, converted to
/// the variable's type.
#[must_use]
pub fn initial(network: &Network, object: ObjectId, variable: VariableId, value: &Expr) -> Lowered {
    initial_on(network, (object, network.clock_of(object)), variable, value)
}

/// The same, at steps of a clock that need not be the object's own: `t` and `dt` are those of that clock.
#[must_use]
pub fn initial_on(
    network: &Network,
    (object, clock): (ObjectId, ClockId),
    variable: VariableId,
    value: &Expr,
) -> Lowered {
    let target = &network.variables(object)[variable.index()];
    let at = match target.extent {
        Extent::PerElement => At::Side(Side::Own),
        Extent::Shared => At::Scalar,
    };
    let name = format!("{}.{}.initial", network.object_name(object), target.name);
    assign(network, (object, clock), &name, value, target.ty, at)
}

/// The kernel that computes one number per element of an object: `output[own] = value`, as type `ty`.
#[must_use]
pub fn evaluate(network: &Network, object: ObjectId, name: &str, value: &Expr, ty: ScalarType) -> Lowered {
    evaluate_on(network, (object, network.clock_of(object)), name, value, ty)
}

/// The same, at steps of a clock that need not be the object's own: `t` and `dt` are those of that clock.
#[must_use]
pub fn evaluate_on(
    network: &Network,
    (object, clock): (ObjectId, ClockId),
    name: &str,
    value: &Expr,
    ty: ScalarType,
) -> Lowered {
    assign(network, (object, clock), name, value, ty, At::Side(Side::Own))
}

fn assign(
    network: &Network,
    (object, clock): (ObjectId, ClockId),
    name: &str,
    value: &Expr,
    ty: ScalarType,
    at: At,
) -> Lowered {
    let domain = match object {
        ObjectId::Population(_) => Domain::Elements,
        ObjectId::Projection(_) => Domain::Synapses,
    };
    let scope = Scope::of(network, object, network.clock(clock).dt);
    let mut lowering = Lowering::new(network, scope, name, domain);
    let value = lowering.expr(value);
    let value = lowering.builder().convert(ty, value);
    let output = lowering.slot(Binding::Output, "output", ty);
    lowering.builder().store(output, at, value);
    lowering.finish()
}

/// The kernel that computes what synapses would hold of a variable that is kept per neuron if each had its own:
/// `output[own]`, the value at the synapse's last event. Or of the variable that tells when that event was, if that
/// follows from the others.
///
/// What is kept per neuron is bound by the variable's own binding, and [`last_arrival`] says how the times are.
///
/// # Errors
/// [`LowerError::Model`] for event-driven equations that cannot be solved.
pub fn shown(
    network: &Network,
    id: ProjectionId,
    traces: &Traces,
    variable: VariableId,
) -> Result<Lowered, LowerError> {
    trace::shown(network, id, traces, variable)
}

/// How the times at which events last reached the synapses of each neuron of an end are bound in [`shown`].
#[must_use]
pub fn last_arrival(end: Endpoint) -> Binding {
    trace::last_binding(end)
}

/// The kernel that decides about candidate pairs: `output[post] = probability` (`F64`; a condition that fails gives
/// 0) for one presynaptic neuron and all postsynaptic ones.
#[must_use]
pub fn connection(
    network: &Network,
    id: ProjectionId,
    condition: Option<&Expr>,
    probability: Option<&Expr>,
) -> Lowered {
    let projection = network.projection(id);
    let object = ObjectId::Projection(id);
    let scope = Scope::of(network, object, network.clock(projection.clock).dt);
    let name = format!("{}.connect", projection.name);
    let mut lowering = Lowering::new(network, scope, name, Domain::Pairs);
    let arith = Arith::new(network.precision);
    let probability = probability.cloned().unwrap_or_else(|| Expr::real(1.0, ScalarType::F64));
    let value = match condition {
        Some(condition) => {
            let nothing = Expr::real(0.0, probability.ty);
            arith.select(condition.clone(), probability, nothing)
        }
        None => probability,
    };
    let value = lowering.expr(&value);
    let value = lowering.builder().convert(ScalarType::F64, value);
    let output = lowering.slot(Binding::Output, "output", ScalarType::F64);
    lowering.builder().store(output, At::Side(Side::Post), value);
    lowering.finish()
}

/// The kernel that decides for a rule: over synapses `output[own]`, over pairs `output[post]` is 1 where it acts and 0
/// elsewhere (`I32`).
///
/// Event-driven variables that the rule looks at are advanced to the time at which it does; what the kernel writes to
/// them is to be thrown away.
///
/// # Errors
/// [`LowerError::Model`] for event-driven equations that cannot be solved.
pub fn rewiring(network: &Network, id: ProjectionId, rule: &Rewiring) -> Result<Lowered, LowerError> {
    let projection = network.projection(id);
    let object = ObjectId::Projection(id);
    let scope = Scope::of(network, object, network.clock(rule.clock).dt);
    let (domain, side, what) = match rule.kind {
        RewiringKind::Prune => (Domain::Synapses, Side::Own, "prune"),
        RewiringKind::Create { .. } => (Domain::Pairs, Side::Post, "create"),
    };
    let mut lowering = Lowering::new(network, scope, format!("{}.{what}", projection.name), domain);
    let is_event_driven = |e: &Expr| match &e.kind {
        ExprKind::Variable(r) => {
            r.object == object && projection.event_driven.iter().any(|q| q.variable == r.variable)
        }
        _ => false,
    };
    if rule.condition.iter().chain(&rule.probability).any(|e| e.any(&mut |e| is_event_driven(e))) {
        let advance = integrate::event_driven_update(network, id).map_err(LowerError::Model)?;
        lowering.block(&advance);
    }
    let arith = Arith::new(network.precision);
    let condition = rule.condition.clone().unwrap_or_else(|| Expr::boolean(true));
    let value = match &rule.probability {
        Some(probability) => {
            let random = Random {
                site: rule.site,
                side: neuropil_model::Side::Own,
                distribution: Distribution::Uniform,
            };
            let drawn = Expr::new(ExprKind::Random(random), ScalarType::F64);
            let probability = arith.convert(probability.clone(), ScalarType::F64);
            arith.and(condition, arith.compare(CompareOp::Lt, drawn, probability))
        }
        None => condition,
    };
    let value = lowering.expr(&value);
    let value = lowering.builder().convert(ScalarType::I32, value);
    let output = lowering.slot(Binding::Output, "output", ScalarType::I32);
    lowering.builder().store(output, At::Side(side), value);
    Ok(lowering.finish())
}
