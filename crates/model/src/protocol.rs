//! What a model does while it is run: one run after the other, and what is changed between them.

use neuropil_base::Span;

use crate::{
    Connect, Delay, Expr, Group, Initial, ObjectId, ProjectionId, RecorderId, StopId, SubnetworkId,
    VariableId,
};

/// One thing that is done, when everything before it has been done.
#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// Time passes.
    Run {
        /// Which objects take part, each of them unless it is switched off; all objects if there is none.
        subnetwork: Option<SubnetworkId>,
        /// For how long at most, in seconds.
        duration: f64,
        /// What ends the run earlier.
        stop: Option<StopId>,
    },
    /// A variable gets new values.
    Set(Change),
    /// The delay of a pathway becomes another. Events under way keep theirs.
    Delay {
        /// The projection.
        projection: ProjectionId,
        /// The number of the pathway.
        pathway: usize,
        /// Its new delay.
        delay: Delay,
    },
    /// The synapses of a projection are made anew, with their initial values.
    Connect {
        /// The projection.
        projection: ProjectionId,
        /// Which pairs are connected from now on.
        connect: Connect,
    },
    /// Objects are switched on or off: what is off neither advances nor emits, acts or records.
    Switch {
        /// Populations and projections.
        objects: Vec<ObjectId>,
        /// Recorders.
        recorders: Vec<RecorderId>,
        /// Whether they are on from now on.
        on: bool,
    },
    /// The state of everything is remembered under a name.
    Store(String),
    /// Everything goes back to the state of that name.
    Restore(String),
}

/// New values of a variable.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// Whose.
    pub object: ObjectId,
    /// Which.
    pub variable: VariableId,
    /// Of which elements, start and length; all of them if there is none.
    pub range: Option<(u32, u32)>,
    /// The values, evaluated per element at the time of the change.
    pub value: Initial,
    /// Where it was written.
    pub span: Span,
}

/// A condition that ends a run after the step in which it holds.
#[derive(Clone, PartialEq, Debug)]
pub struct StopCondition {
    /// Over which neurons.
    pub group: Group,
    /// A `Bool` expression over a neuron's variables.
    pub condition: Expr,
    /// For how many neurons at least it must hold at the end of a step.
    pub at_least: u32,
}

/// Some objects of the network, with their recorders and a time of their own.
#[derive(Clone, PartialEq, Debug)]
pub struct Subnetwork {
    /// Its name.
    pub name: String,
    /// Its populations and projections.
    pub objects: Vec<ObjectId>,
}
