//! Rules by which synapses appear and disappear while the network runs.

use neuropil_base::Span;

use crate::{
    ClockId, Expr, Extent, Initial, LinkPlace, Network, ObjectId, Placed, PopulationId, Projection,
    ProjectionId, SiteId, Slot, VariableId, VariableKind,
};

/// A rule by which synapses of a projection appear or disappear.
#[derive(Clone, PartialEq, Debug)]
pub struct Rewiring {
    /// What it does.
    pub kind: RewiringKind,
    /// Which synapses, or pairs of neurons, are candidates, `Bool`; none for all.
    pub condition: Option<Expr>,
    /// How probable it is for a candidate, a float; none for 1.
    pub probability: Option<Expr>,
    /// The random stream that decides: its element is the synapse, or the number `i*N_post + j` of the pair.
    pub site: SiteId,
    /// At which clock's steps.
    pub clock: ClockId,
    /// Where in the step.
    pub placed: Placed,
    /// Where it was written.
    pub span: Span,
}

/// What a rule does.
#[derive(Clone, PartialEq, Debug)]
pub enum RewiringKind {
    /// Synapses disappear.
    Prune,
    /// Pairs of neurons get a synapse.
    Create {
        /// What variables of new synapses begin with, in the order in which they are set; others are zero.
        initial: Vec<(VariableId, Initial)>,
        /// Whether a neuron may be connected to itself.
        self_connections: bool,
        /// Whether a pair that is connected may get another synapse.
        multapses: bool,
    },
}

impl Rewiring {
    /// Where a rule acts if nothing else is said.
    pub const USUAL_PLACE: Placed = Placed::at(Slot::End);

    /// What variables of new synapses begin with, as far as that is an expression.
    pub fn initial_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let initial = match &mut self.kind {
            RewiringKind::Prune => [].iter_mut(),
            RewiringKind::Create { initial, .. } => initial.iter_mut(),
        };
        initial.filter_map(|(_, value)| match value {
            Initial::Expr(e) => Some(e),
            Initial::Zero | Initial::Column(_) | Initial::Values(_) => None,
        })
    }
}

impl Network {
    /// What keeps synapses of a projection from appearing or disappearing, if something is tied to their numbers.
    #[must_use]
    pub fn fixed_synapses(&self, id: ProjectionId) -> Option<String> {
        let object = ObjectId::Projection(id);
        if let Some(recorder) = self.recorders.iter().find(|r| r.kind.object() == object) {
            return Some(format!("the recorder `{}` records them", recorder.name));
        }
        let ends = |p: &&Projection| p.source.object == object || p.target.object == object;
        if let Some(other) = self.projections.iter().find(ends) {
            return Some(format!("the projection `{}` ends on them", other.name));
        }
        if let Some(other) = self.projections.iter().find(|p| p.connect.shares() == Some(id)) {
            return Some(format!("the projection `{}` shares them", other.name));
        }
        if let Some(of) = self.projection(id).connect.shares() {
            return Some(format!("they are those of `{}`", self.projection(of).name));
        }
        let populations = (0..self.populations.len()).map(|k| ObjectId::Population(PopulationId::new(k)));
        let projections = (0..self.projections.len()).map(|k| ObjectId::Projection(ProjectionId::new(k)));
        for owner in populations.chain(projections) {
            for variable in self.variables(owner) {
                let VariableKind::Link(link) = &variable.kind else { continue };
                let name = format!("{}.{}", self.object_name(owner), variable.name);
                let source = &self.variables(link.object)[link.variable.index()];
                if link.object == object && source.extent == Extent::PerElement {
                    return Some(format!("`{name}` is linked to them"));
                }
                if owner == object && !matches!(link.place, LinkPlace::One { .. }) {
                    return Some(format!("`{name}` links each of them to something else"));
                }
            }
        }
        None
    }
}
