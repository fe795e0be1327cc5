//! Makes synapses of a network that is there: all those of a projection anew, some more, or their delays.

use std::collections::BTreeMap;

use neuropil_backend::{Backend, Synapses};
use neuropil_connectivity::{Csr, Delays, Storage};
use neuropil_kernels::ProjectionShape;
use neuropil_kernels::program::StructureId;
use neuropil_memory::HostBuffer;
use neuropil_model::{
    ClockId, Connect, Extent, Initial, Network, ObjectId, ProjectionId, Statement, VariableId, VariableKind,
};

use super::{Builder, Connected, Place, whole};
use crate::BuildError;
use crate::pool::Pool;

/// A projection whose synapses were made anew.
pub(crate) struct Reconnected {
    pub shape: ProjectionShape,
    pub synapses: Synapses,
    /// The projection's variables, besides what the pool held before.
    pub pool: Pool,
    pub sum_delays: BTreeMap<(StructureId, u32), HostBuffer>,
    pub remarks: Vec<String>,
}

/// Makes the synapses of one projection anew; `pool` holds the variables of the network as they are.
pub(crate) fn reconnect(
    network: &Network,
    backend: &dyn Backend,
    pool: Pool,
    id: ProjectionId,
    draw: u32,
) -> Result<Reconnected, BuildError> {
    let mut builder = Builder { draw, ..Builder::new(network, backend, pool) };
    let (shape, synapses) = builder.projection(id)?;
    let Builder { pool, sum_delays, remarks, .. } = builder;
    Ok(Reconnected { shape, synapses, pool, sum_delays, remarks })
}

/// Gives the synapses of one projection the delays that one of its pathways has now; the longest of them.
pub(crate) fn redelay(
    network: &Network,
    backend: &dyn Backend,
    pool: Pool,
    (id, pathway): (ProjectionId, usize),
    synapses: &Synapses,
) -> Result<(u32, Synapses, Vec<String>), BuildError> {
    let mut builder = Builder::new(network, backend, pool);
    // Lists and columns are in the order of the list or file that the pairs are from.
    let connected = match &network.projection(id).connect {
        Connect::Pairs(_) | Connect::File(_) => builder.connect(id)?,
        _ => Connected::none(),
    };
    let found = builder.pathway(id, pathway, &*synapses.rows.borrow()?, &connected)?;
    let longest = found.as_ref().map_or(0, |of| of.delays.max_steps());
    let mut delayed = synapses.delayed.clone();
    delayed[pathway] = found.map(|of| of.of(&synapses.rows, synapses.columns.as_ref()));
    let synapses = Synapses { rows: synapses.rows.clone(), columns: synapses.columns.clone(), delayed };
    Ok((longest, synapses, builder.remarks))
}

/// New synapses of one projection, apart from those that it has.
pub(crate) struct Grown {
    /// Their variables, besides what the pool held before.
    pub pool: Pool,
    /// For each pathway with delays per synapse, theirs in steps.
    pub delays: Vec<Option<Delays>>,
    /// Likewise for each weighted sum.
    pub sum_delays: Vec<Option<Delays>>,
    pub remarks: Vec<String>,
}

/// Gives new synapses of one projection their initial values and delays at a step of `clock`; `pool` holds the rest of
/// the network and what the projection's synapses share.
pub(crate) fn grow(
    network: &Network,
    backend: &dyn Backend,
    pool: Pool,
    (id, clock): (ProjectionId, ClockId),
    new: &Csr,
    initial: &[(VariableId, Initial)],
) -> Result<Grown, BuildError> {
    let projection = network.projection(id);
    let (object, n_syn) = (ObjectId::Projection(id), new.n_syn());
    let mut builder = Builder { clock: Some(clock), ..Builder::new(network, backend, pool) };
    builder.pool.add_elements(network, object, n_syn);
    let rows = Storage::Csr(new.clone());
    let over = whole(projection, &rows);
    for (variable, value) in initial {
        if projection.variables[variable.index()].extent == Extent::PerElement {
            builder.initial_value((object, *variable), value, n_syn, None, over)?;
        }
    }
    // What is constant over a step is computed when one starts, which may be a while ahead.
    for statement in projection.periodic.iter().flat_map(|p| &p.block.statements) {
        if let Statement::Assign { target, value, .. } = statement
            && target.object == object
            && projection.variables[target.variable.index()].kind == VariableKind::Held
        {
            let value = Initial::Expr(value.clone());
            builder.initial_value((object, target.variable), &value, n_syn, None, over)?;
        }
    }
    let connected = Connected::none();
    let (mut delays, mut sum_delays) = (Vec::new(), Vec::new());
    for pathway in &projection.pathways {
        let dt = network.clock(network.clock_of(projection.end(pathway.on).object)).dt;
        let place = Place { object, over, connected: &connected, n_syn, dt };
        delays.push(builder.delays(&pathway.name, &pathway.delay, &place)?);
    }
    for (k, sum) in projection.sums.iter().enumerate() {
        let dt = network.clock(network.clock_of(sum.target.object)).dt;
        let place = Place { object, over, connected: &connected, n_syn, dt };
        sum_delays.push(builder.delays(&format!("sum{k}"), &sum.delay, &place)?);
    }
    let Builder { pool, remarks, .. } = builder;
    Ok(Grown { pool, delays, sum_delays, remarks })
}
