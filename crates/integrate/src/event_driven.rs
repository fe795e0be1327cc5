//! Synaptic equations that are advanced only when an event arrives: in closed form, from the last event to
//! this one.

use neuropil_base::{Diagnostic, Diagnostics, ScalarType};
use neuropil_model::{
    Block, Equation, Expr, ExprKind, Network, ObjectId, ProjectionId, Side, VarRef, VariableId,
};

use crate::algebra::define;
use crate::exact::{Interval, exact, is_triangular};
use crate::system::{Refusal, System};

/// Rates times the time between events may be up to half a million where coefficients are coupled.
const HALVINGS: u32 = 20;

/// The statements that come first when an event arrives at a synapse: every event-driven variable is taken
/// from `last_update` to `t`, then `last_update = t`. Empty if the projection has no such variables.
///
/// The time between is computed in double precision and rounded to the network's once.
///
/// # Errors
/// Equations that are not linear, that depend on time, or in which two variables drive each other.
pub fn event_driven_update(network: &Network, id: ProjectionId) -> Result<Block, Diagnostics> {
    let projection = network.projection(id);
    let mut block = Block::new();
    if projection.event_driven.is_empty() {
        return Ok(block);
    }
    let object = ObjectId::Projection(id);
    let Some(last_update) = projection.last_update else {
        let mut all = Diagnostics::new();
        let message = format!("projection `{}` does not hold when it was last updated", projection.name);
        all.push(Diagnostic::error("internal", projection.span, message));
        return Err(all);
    };
    let system = System::new(network, object, &projection.event_driven, projection.clock);
    let arith = system.algebra.arith;
    let last_update = VarRef { object, variable: last_update, side: Side::Own };
    let now = || Expr::new(ExprKind::Time, ScalarType::F64);
    let passed = arith.sub(now(), Expr::variable(last_update, ScalarType::F64));
    let elapsed = block.define("elapsed", arith.convert(passed, arith.float()));
    let interval = Interval { length: elapsed, halvings: HALVINGS, is_step: false };
    let new = solve(&system, &interval, &mut block).map_err(|refusal| refusal.diagnostics("event-driven"))?;
    system.store(&mut block, new, |_| true);
    block.set(last_update, now());
    Ok(block)
}

/// The values that some of a projection's event-driven variables have `elapsed` seconds (a float of the network) after
/// they had those that they hold: those that `which` takes, which must drive each other only. What is computed for it
/// is added to `block`; no variable is written.
///
/// # Errors
/// As [`event_driven_update`].
pub fn event_driven_values(
    network: &Network,
    id: ProjectionId,
    which: impl Fn(VariableId) -> bool,
    elapsed: Expr,
    block: &mut Block,
) -> Result<Vec<(VariableId, Expr)>, Diagnostics> {
    let projection = network.projection(id);
    let equations: Vec<Equation> =
        projection.event_driven.iter().filter(|q| which(q.variable)).cloned().collect();
    let system = System::new(network, ObjectId::Projection(id), &equations, projection.clock);
    let interval = Interval { length: elapsed, halvings: HALVINGS, is_step: false };
    let new = solve(&system, &interval, block).map_err(|refusal| refusal.diagnostics("event-driven"))?;
    let values = new.into_iter().zip(&system.unknowns).map(|(value, unknown)| {
        let value = system.algebra.arith.convert(value, unknown.ty);
        (unknown.variable.variable, define(block, &format!("{}_now", unknown.name), value))
    });
    Ok(values.collect())
}

fn solve(system: &System<'_>, interval: &Interval, block: &mut Block) -> Result<Vec<Expr>, Refusal> {
    if !is_triangular(system, interval, block)? {
        return Err(Refusal {
            code: "not-linear",
            reason: format!("{} drive each other", system.names()),
            span: system.unknowns.first().map_or(neuropil_base::Span::NONE, |u| u.span),
            help: vec!["without `(event-driven)` the equations are advanced at every step".to_owned()],
        });
    }
    exact(system, interval, block)
}
