//! Kernels that run once, while a network is built: initial values, connection conditions, delays.

use neuropil_base::ScalarType;
use neuropil_ir::{At, Domain, Side};
use neuropil_math::Emit;
use neuropil_model::{Arith, Expr, Extent, Network, ObjectId, ProjectionId, VariableId};

use crate::lower::{Binding, Lowered, Lowering, Scope};

/// The kernel that gives a variable its initial values: `output[own] = value` for each element, converted to
/// the variable's type.
#[must_use]
pub fn initial(network: &Network, object: ObjectId, variable: VariableId, value: &Expr) -> Lowered {
    let target = &network.variables(object)[variable.index()];
    let at = match target.extent {
        Extent::PerElement => At::Side(Side::Own),
        Extent::Shared => At::Scalar,
    };
    let name = format!("{}.{}.initial", network.object_name(object), target.name);
    assign(network, object, &name, value, target.ty, at)
}

/// The kernel that computes one number per element of an object: `output[own] = value`, as type `ty`.
#[must_use]
pub fn evaluate(network: &Network, object: ObjectId, name: &str, value: &Expr, ty: ScalarType) -> Lowered {
    assign(network, object, name, value, ty, At::Side(Side::Own))
}

fn assign(network: &Network, object: ObjectId, name: &str, value: &Expr, ty: ScalarType, at: At) -> Lowered {
    let domain = match object {
        ObjectId::Population(_) => Domain::Elements,
        ObjectId::Projection(_) => Domain::Synapses,
    };
    let clock = match object {
        ObjectId::Population(id) => network.population(id).clock,
        ObjectId::Projection(id) => network.projection(id).clock,
    };
    let scope = Scope::of(network, object, network.clock(clock).dt);
    let mut lowering = Lowering::new(network, scope, name, domain);
    let value = lowering.expr(value);
    let value = lowering.builder().convert(ty, value);
    let output = lowering.slot(Binding::Output, "output", ty);
    lowering.builder().store(output, at, value);
    lowering.finish()
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
