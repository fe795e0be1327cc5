//! What a projection may end on: populations and, as in Brian 2, other projections, whose synapses then are its
//! presynaptic or postsynaptic elements.

use neuropil_base::{Diagnostic, Diagnostics, ScalarType, Text};
use neuropil_model::{Clock, ClockId, Expr, ExprKind, Group, Initial, ObjectId, Side, VariableKind};
use neuropil_source::ProjectionSource;

use crate::code;
use crate::declare::Declared;
use crate::dim::Dim;
use crate::population::Pop;
use crate::projection::{Proj, names};
use crate::scope::Neurons;

/// What projections can end on: all populations, and the projections before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Objects<'a> {
    pub(crate) pops: &'a [Pop],
    pub(crate) projs: &'a [Proj],
}

impl<'a> Objects<'a> {
    /// The variables of an object.
    pub(crate) fn declared(self, object: ObjectId) -> &'a Declared {
        match object {
            ObjectId::Population(id) => &self.pops[id.index()].declared,
            ObjectId::Projection(id) => &self.projs[id.index()].declared,
        }
    }

    /// The population, if the object is one.
    pub(crate) fn population(self, object: ObjectId) -> Option<&'a Pop> {
        match object {
            ObjectId::Population(id) => self.pops.get(id.index()),
            ObjectId::Projection(_) => None,
        }
    }

    /// Whether something the object needs is not known.
    pub(crate) fn is_broken(self, object: ObjectId) -> bool {
        match object {
            ObjectId::Population(id) => self.pops.get(id.index()).is_none_or(|p| p.broken),
            ObjectId::Projection(id) => self.projs.get(id.index()).is_none_or(|p| p.broken),
        }
    }

    /// The clock of an object.
    pub(crate) fn clock(self, object: ObjectId) -> ClockId {
        match object {
            ObjectId::Population(id) => {
                self.pops.get(id.index()).map_or(ClockId::new(0), |p| p.population.clock)
            }
            ObjectId::Projection(id) => {
                self.projs.get(id.index()).map_or(ClockId::new(0), |p| p.projection.clock)
            }
        }
    }

    /// The step of the clock of an object, in seconds.
    pub(crate) fn step(self, object: ObjectId, clocks: &[Clock]) -> f64 {
        clocks.get(self.clock(object).index()).map_or(1e-4, |c| c.dt)
    }

    /// A model's name and what its elements are.
    pub(crate) fn model(self, object: ObjectId) -> (&'static str, &'a str) {
        match object {
            ObjectId::Population(id) => ("neuron", &self.pops[id.index()].population.model),
            ObjectId::Projection(id) => ("synapse", &self.projs[id.index()].projection.model),
        }
    }

    /// One end of a projection, as its code sees it.
    pub(crate) fn end(self, group: &Group) -> Neurons<'a> {
        Neurons {
            object: group.object,
            symbols: &self.declared(group.object).symbols,
            size: known_len(group),
        }
    }
}

/// How many elements a group has, if that is known before synapses are made.
pub(crate) fn known_len(group: &Group) -> Option<u32> {
    match group.object {
        ObjectId::Population(_) => Some(group.len),
        ObjectId::Projection(_) => None,
    }
}

/// The variables that hold the numbers of the neurons at the ends of each synapse, for projections that end there.
pub(crate) const NUMBERS: [(&str, &str, Side); 2] = [("i", "_i", Side::Pre), ("j", "_j", Side::Post)];

/// Gives a projection the variables of [`NUMBERS`] that the code of another one, which ends on it at `side`, names.
pub(crate) fn add_numbers<'t>(
    declared: &mut Declared,
    side: Side,
    texts: impl Iterator<Item = &'t Text> + Clone,
) {
    let end = if side == Side::Pre { "pre" } else { "post" };
    if texts.clone().any(|t| names(&t.text, &format!("N_{end}"))) {
        declared.add_hidden("N", VariableKind::Count, ScalarType::I32, Dim::NONE);
    }
    for (name, variable, of) in NUMBERS {
        let named = [format!("{name}_{end}"), format!("{end}.{name}")];
        if texts.clone().any(|t| named.iter().any(|n| names(&t.text, n))) {
            let kind = VariableKind::Parameter { constant: true };
            let id = declared.add_hidden(variable, kind, ScalarType::I32, Dim::NONE);
            let number = Expr::new(ExprKind::Index(of), ScalarType::I32);
            declared.variables[id.index()].initial = Initial::Expr(number);
        }
    }
}

/// The order in which projections are declared and made: as they are written, but each behind those that it ends on
/// or shares something with. Those that depend on themselves are reported and come last.
pub(crate) fn order(projections: &[ProjectionSource], out: &mut Diagnostics) -> Vec<usize> {
    let names: Vec<&str> = projections.iter().map(|p| p.name.value.as_str()).collect();
    let needs = |index: usize| {
        let source = &projections[index];
        let of = source.connect.of.as_ref();
        [&source.source, &source.target]
            .into_iter()
            .chain(of)
            .filter_map(|n| names.iter().position(|name| *name == n.value).map(|at| (at, n.span)))
    };
    let mut order: Vec<usize> = Vec::new();
    let mut open: Vec<usize> = (0..projections.len()).collect();
    // The first that needs none of those that are left comes next.
    while let Some(place) = open.iter().position(|&k| needs(k).all(|(of, _)| order.contains(&of))) {
        order.push(open.remove(place));
    }
    for &index in &open {
        let Some((of, span)) = needs(index).find(|(of, _)| open.contains(of)) else { continue };
        let name = names[index];
        let message = if of == index {
            format!("projection `{name}` needs itself")
        } else {
            format!("projection `{name}` needs `{}`: projections go round in a circle", names[of])
        };
        out.push(
            Diagnostic::error(code::CIRCULAR, span, message)
                .help("a projection can only end on, or copy, projections that exist without it"),
        );
    }
    order.extend(open);
    order
}
