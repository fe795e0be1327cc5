//! The typed, validated description of a network: no text, no storage, no device.
//!
//! * [`Network`]: populations, projections, clocks, tables, recorders.
//! * [`Expr`], [`Block`]: what equations and code blocks became; every name is resolved.
//! * [`Arith`]: builds typed expressions, joining types and folding constants.
//!
//! Everything is a plain value with a printed form; ids index the vectors of the network they come from.

mod arith;
mod block;
mod cable;
mod expr;
mod network;
mod print;
mod protocol;
mod rewire;
mod schedule;

pub use arith::Arith;
pub use block::{AssignOp, Block, Local, Statement};
pub use cable::Cable;
pub use expr::{Distribution, Expr, ExprKind, NoiseRef, ObjectId, Random, Side, VarRef};
pub use network::{
    Clock, Connect, Counter, Delay, Endpoint, Equation, Event, EventSource, Extent, FixedNumber, Format,
    Grid, Group, HostOperation, Initial, Link, LinkPlace, Method, Network, Pathway, Periodic, Population,
    Projection, Recorder, RecorderKind, Reduce, Refractory, Sum, Table, Variable, VariableKind,
};
pub use print::{DisplayBlock, DisplayExpr};
pub use protocol::{Act, Change, StopCondition, Subnetwork};
pub use rewire::{Rewiring, RewiringKind};
pub use schedule::{Phase, Placed, Schedule, Slot, SlotId, When};

neuropil_base::define_id!(
    /// Names a population of a network.
    PopulationId
);
neuropil_base::define_id!(
    /// Names a projection of a network.
    ProjectionId
);
neuropil_base::define_id!(
    /// Names a variable of a population or projection.
    VariableId
);
neuropil_base::define_id!(
    /// Names an event of a population.
    EventId
);
neuropil_base::define_id!(
    /// Names a clock of a network.
    ClockId
);
neuropil_base::define_id!(
    /// Names a timed array of a network.
    TableId
);
neuropil_base::define_id!(
    /// Names a recorder of a network.
    RecorderId
);
neuropil_base::define_id!(
    /// Names a stop condition of a network.
    StopId
);
neuropil_base::define_id!(
    /// Names a subnetwork of a network.
    SubnetworkId
);
neuropil_base::define_id!(
    /// Names a local of a block.
    LocalId
);
neuropil_base::define_id!(
    /// Names a place in the model that draws random numbers.
    SiteId
);
