//! The current through a membrane as a straight line in the voltage: what backward Euler along a neuron needs of it.

use neuropil_base::Diagnostics;
use neuropil_model::{
    Arith, Block, Expr, ExprKind, Network, ObjectId, PopulationId, Side, VarRef, VariableId, VariableKind,
};

use crate::affine::affine;
use crate::algebra::Algebra;
use crate::derivative::derivative;
use crate::system::{Refusal, with_dt};

/// `Im = current - conductance * v` near the voltage at the beginning of the step; exactly where `Im` is linear.
#[derive(Clone, PartialEq, Debug)]
pub struct MembraneCurrent {
    /// `-dIm/dv`, siemens per square metre.
    pub conductance: Expr,
    /// What is left at 0 V, ampere per square metre.
    pub current: Expr,
    /// Whether `Im` is linear in the voltage.
    pub linear: bool,
}

/// The straight line of a population whose elements are compartments; none for other populations.
///
/// A current that is not linear in the voltage is taken with its tangent at the old voltage, as Brian 2 does.
///
/// # Errors
/// A current with white noise, or one that has no derivative by the voltage.
pub fn membrane_current(network: &Network, id: PopulationId) -> Result<Option<MembraneCurrent>, Diagnostics> {
    let population = network.population(id);
    let Some(cable) = &population.cable else { return Ok(None) };
    let VariableKind::Subexpression(im) = &population.variables[cable.current.index()].kind else {
        return Ok(None);
    };
    let object = ObjectId::Population(id);
    let algebra = Algebra::new(Arith::new(network.precision));
    let im = with_dt(algebra, network.clock(population.clock).dt, im);
    let refuse = |code, reason: String, help: &str| {
        let refusal = Refusal { code, reason, span: cable.span, help: vec![help.to_owned()] };
        Err(refusal.diagnostics("backward Euler along the neuron"))
    };
    if im.any(&mut |e| matches!(e.kind, ExprKind::Noise(_))) {
        return refuse(
            "noise-not-supported",
            "the membrane current has noise".to_owned(),
            "give the noise an equation of its own, such as `dI/dt = -I/tau + sigma*xi*tau**-0.5 : amp (point current)`",
        );
    }
    let variable = VarRef { object, variable: cable.voltage, side: Side::Own };
    let v = Expr::variable(variable, network.variable(variable).ty);
    let is_v = |e: &Expr| e.kind == v.kind;
    if let Ok(parts) = affine(algebra, &im, &algebra.real(1.0), &|e| is_v(e).then_some(0)) {
        let mut coefficients = parts.coefficients;
        let conductance = coefficients.remove(&0).map_or(algebra.zero(), |c| algebra.neg(c));
        return Ok(Some(MembraneCurrent { conductance, current: parts.constant, linear: true }));
    }
    let slope = derivative(algebra, &im, &is_v);
    if slope.any(&mut |e| e.as_real().is_some_and(f64::is_nan)) {
        let shown = network.display_expr(object, &im, &Block::new().locals).to_string();
        return refuse(
            "not-linear",
            format!("`{shown}` has no derivative by the voltage"),
            "write the current with functions that have one, such as `exp`, `tanh` and powers",
        );
    }
    let current = algebra.sub(im, algebra.mul(slope.clone(), v.clone()));
    Ok(Some(MembraneCurrent { conductance: algebra.neg(slope), current, linear: false }))
}

/// The step of the voltage along the neuron as text: how the membrane's current is taken.
#[must_use]
pub fn display_membrane(network: &Network, id: PopulationId, line: &MembraneCurrent) -> String {
    let population = network.population(id);
    let Some(cable) = &population.cable else { return String::new() };
    let name = |id: VariableId| &population.variables[id.index()].name;
    let show = |e: &Expr| network.display_expr(ObjectId::Population(id), e, &[]).to_string();
    let (v, im) = (name(cable.voltage), name(cable.current));
    let how = if line.linear { "linear in" } else { "a tangent, not linear in" };
    format!(
        "# cable: backward Euler along the tree, `{im}` is {how} `{v}`\nconductance := {}\ncurrent := {}\n\
         {im} := current - conductance * {v}\n",
        show(&line.conductance),
        show(&line.current),
    )
}
