//! Linked variables while a network is built: what is set before what, and whether every index leads somewhere.

use neuropil_kernels::{Binding, ProjectionShape};
use neuropil_model::{
    Expr, ExprKind, Initial, LinkPlace, Network, ObjectId, PopulationId, Side, VariableId, VariableKind,
};

use crate::BuildError;
use crate::pool::Pool;

/// Populations in the order in which their initial values are set: those that others are linked to first.
pub(crate) fn population_order(network: &Network) -> Vec<PopulationId> {
    let mut order = Vec::new();
    let mut seen = vec![false; network.populations.len()];
    for i in 0..network.populations.len() {
        visit_population(network, PopulationId::new(i), &mut seen, &mut order);
    }
    order
}

fn visit_population(network: &Network, id: PopulationId, seen: &mut [bool], order: &mut Vec<PopulationId>) {
    if std::mem::replace(&mut seen[id.index()], true) {
        return;
    }
    for variable in &network.population(id).variables {
        if let VariableKind::Link(link) = &variable.kind
            && let ObjectId::Population(source) = link.object
        {
            visit_population(network, source, seen, order);
        }
    }
    order.push(id);
}

/// The variables of an object in the order in which their initial values are set: as they stand, but the index of a
/// link, and what it is made of, before the first value that reads the link.
pub(crate) fn variable_order(network: &Network, object: ObjectId) -> Vec<VariableId> {
    let mut order = Vec::new();
    let mut seen = vec![false; network.variables(object).len()];
    for i in 0..seen.len() {
        visit_variable(network, object, VariableId::new(i), &mut seen, &mut order);
    }
    order
}

fn visit_variable(
    network: &Network,
    object: ObjectId,
    id: VariableId,
    seen: &mut [bool],
    order: &mut Vec<VariableId>,
) {
    if std::mem::replace(&mut seen[id.index()], true) {
        return;
    }
    if let Initial::Expr(e) = &network.variables(object)[id.index()].initial {
        for index in indices(network, object, e) {
            if let Initial::Expr(of_index) = &network.variables(object)[index.index()].initial {
                for needed in own_variables(object, of_index) {
                    visit_variable(network, object, needed, seen, order);
                }
            }
            visit_variable(network, object, index, seen, order);
        }
    }
    order.push(id);
}

fn own_variables(object: ObjectId, e: &Expr) -> Vec<VariableId> {
    let mut list = Vec::new();
    e.walk(&mut |e| {
        if let ExprKind::Variable(r) = &e.kind
            && r.object == object
            && r.side == Side::Own
        {
            list.push(r.variable);
        }
    });
    list
}

/// The variables that say where the links which an expression reads lead.
fn indices(network: &Network, object: ObjectId, e: &Expr) -> Vec<VariableId> {
    let linked = |id: &VariableId| match &network.variables(object)[id.index()].kind {
        VariableKind::Link(link) => match link.place {
            LinkPlace::Index { index, .. } => Some(index),
            LinkPlace::One { .. } | LinkPlace::Same { .. } => None,
        },
        VariableKind::State
        | VariableKind::Parameter { .. }
        | VariableKind::Subexpression(_)
        | VariableKind::LastSpike
        | VariableKind::NotRefractory
        | VariableKind::SumTarget
        | VariableKind::Held
        | VariableKind::Degree(_)
        | VariableKind::Count => None,
    };
    own_variables(object, e).iter().filter_map(linked).collect()
}

/// Refuses links whose index leads to an element that there is not.
pub(crate) fn check_indices(
    network: &Network,
    pool: &Pool,
    shapes: &[ProjectionShape],
) -> Result<(), BuildError> {
    let populations = (0..network.populations.len()).map(|i| ObjectId::Population(PopulationId::new(i)));
    let projections =
        (0..network.projections.len()).map(|i| ObjectId::Projection(neuropil_model::ProjectionId::new(i)));
    for object in populations.chain(projections) {
        for variable in network.variables(object) {
            let VariableKind::Link(link) = &variable.kind else { continue };
            let LinkPlace::Index { index, start: _, len } = link.place else { continue };
            let len = match (len, link.object) {
                (Some(len), _) => len as usize,
                (None, ObjectId::Projection(id)) => shapes.get(id.index()).map_or(0, |s| s.n_syn),
                (None, ObjectId::Population(id)) => network.population(id).size as usize,
            };
            let Some(values) = pool.get(Binding::Variable(object, index)) else { continue };
            let outside = values.as_slice::<i32>().iter().position(|k| *k < 0 || *k as usize >= len);
            if let Some(element) = outside {
                let source = &network.variables(link.object)[link.variable.index()].name;
                return Err(BuildError::Link {
                    variable: format!("{}.{}", network.object_name(object), variable.name),
                    element,
                    index: i64::from(values.as_slice::<i32>()[element]),
                    source_name: format!("{}.{source}", network.object_name(link.object)),
                    len,
                });
            }
        }
    }
    Ok(())
}
