//! Makes the synapses of a projection, as its connector says.

use std::sync::Mutex;

use neuropil_backend::{Over, Routine};
use neuropil_base::ScalarType;
use neuropil_connectivity::{
    AllToAll, ConnectError, Connector, Csr, FixedInDegree, FixedOutDegree, FixedProbability,
    FixedTotalNumber, OneToOne, PairFile, PairList, Predicate, RowRule, Shape, Site, Walk, WindowPairs,
    Windows,
};
use neuropil_kernels::program::BufferId;
use neuropil_kernels::{Binding, once};
use neuropil_memory::HostBuffer;
use neuropil_model::{Connect, Grid, Projection, ProjectionId};

use super::{Builder, Connected, again, fits};
use crate::BuildError;
use crate::pool::{Pool, compile};

impl Builder<'_> {
    /// Who is connected in an earlier projection.
    fn earlier(&self, of: ProjectionId) -> Result<Csr, ConnectError> {
        let later = || "the projection that it is made of is made later".to_owned();
        let rows = match self.made.get(of.index()) {
            Some(made) => made.rows.borrow().map_err(|error| error.to_string()),
            None => Err(later()),
        };
        rows.map(|rows| rows.to_csr()).map_err(|message| ConnectError::Rule { pre: 0, message })
    }

    /// Who is connected to whom.
    pub(super) fn connect(&mut self, id: ProjectionId) -> Result<Connected, BuildError> {
        let projection = self.network.projection(id);
        let fail = |error| BuildError::Connect { projection: projection.name.clone(), error };
        let place = self.draw.wrapping_mul(self.network.projections.len() as u32) + id.index() as u32;
        let site = Site::new(self.network.seed, self.network.next_site.wrapping_add(place));
        let shape = shape_of(projection);
        let make = |connector: &dyn Connector| {
            connector.validate(&shape).map_err(fail)?;
            fits(|| format!("projection `{}`", projection.name), connector.estimate_bytes(&shape))?;
            let csr = connector.connect(&shape, site).map_err(fail)?;
            Ok(Connected { csr, ..Connected::none() })
        };
        if let Some(rule) = rule(&projection.connect) {
            let made = make(&*rule)?;
            let again = again::connected(move || rule.connect(&shape, site));
            return Ok(Connected { again: Some(again), ..made });
        }
        match &projection.connect {
            Connect::Condition { condition, probability, repeat } => {
                let lowered = once::connection(self.network, id, condition.as_ref(), probability.as_ref());
                self.pool.insert(
                    Binding::Output,
                    HostBuffer::new(
                        ScalarType::F64,
                        projection.target.start as usize + projection.target.len as usize,
                    ),
                );
                let pool = self.pool.only(&lowered);
                let rule = Rule {
                    routine: compile(self.backend, &lowered)?,
                    bindings: pool.bindings(&lowered)?,
                    seed: self.network.seed,
                    projection,
                    pool: Mutex::new(pool),
                };
                // Whether a neuron may connect to itself is for the condition to say.
                make(&Predicate { rule: &rule, repeat: *repeat, self_connections: true })
            }
            Connect::Pairs(pairs) => listed(pairs.clone(), Vec::new(), &shape).map_err(fail),
            Connect::Windows(grid) => {
                let Grid { input, output, extent, stride, padding, mixes_channels } = *grid;
                let windows = Windows { input, output, extent, stride, padding, mixes_channels };
                let WindowPairs { pairs, elements } = windows.pairs().map_err(fail)?;
                listed(pairs, element_column(elements), &shape).map_err(fail)
            }
            Connect::Copy(of) => {
                let csr = self.earlier(*of).map_err(fail)?;
                same_size(&csr, shape.n_pre, shape.n_post).map_err(fail)?;
                Ok(Connected { csr, ..Connected::none() })
            }
            Connect::Transpose(of) => {
                let csr = self.earlier(*of).map_err(fail)?;
                same_size(&csr, shape.n_post, shape.n_pre).map_err(fail)?;
                let (mut pairs, mut elements) = (Vec::new(), Vec::new());
                let columns = csr.transpose();
                for post in 0..csr.n_post() {
                    for (own, pre) in columns.column(post) {
                        pairs.push((post, pre));
                        elements.push(own as u32);
                    }
                }
                listed(pairs, element_column(elements), &shape).map_err(fail)
            }
            Connect::File(path) => {
                let file = PairFile::read(path).map_err(fail)?;
                listed(file.pairs, file.columns, &shape).map_err(fail)
            }
            // These are rules.
            Connect::AllToAll { .. }
            | Connect::OneToOne
            | Connect::FixedProbability { .. }
            | Connect::FixedInDegree(_)
            | Connect::FixedOutDegree(_)
            | Connect::FixedTotalNumber(_) => Ok(Connected::none()),
        }
    }
}

/// Between how many neurons a projection is.
pub(super) fn shape_of(projection: &Projection) -> Shape {
    Shape {
        n_pre: projection.source.len,
        n_post: projection.target.len,
        pre_offset: projection.source.start,
        post_offset: projection.target.start,
        same_population: projection.source.object == projection.target.object,
    }
}

/// The connector of a rule that needs nothing but sizes and a seed, if it is one.
pub(super) fn rule(connect: &Connect) -> Option<Box<dyn Connector + Send>> {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Some(match connect {
        Connect::AllToAll { self_connections } => {
            Box::new(AllToAll { self_connections: *self_connections, repeat: 1 })
        }
        Connect::OneToOne => Box::new(OneToOne),
        Connect::FixedProbability { p, self_connections } => {
            Box::new(FixedProbability { p: *p, self_connections: *self_connections })
        }
        Connect::FixedInDegree(f) => Box::new(FixedInDegree {
            n: number(f.n),
            multapses: f.multapses,
            self_connections: f.self_connections,
        }),
        Connect::FixedOutDegree(f) => Box::new(FixedOutDegree {
            n: number(f.n),
            multapses: f.multapses,
            self_connections: f.self_connections,
        }),
        Connect::FixedTotalNumber(f) => Box::new(FixedTotalNumber {
            n: f.n,
            multapses: f.multapses,
            self_connections: f.self_connections,
        }),
        Connect::Condition { .. }
        | Connect::Pairs(_)
        | Connect::Windows(_)
        | Connect::Copy(_)
        | Connect::Transpose(_)
        | Connect::File(_) => return None,
    })
}

/// Evaluates a connection condition row by row.
struct Rule<'a> {
    routine: Box<dyn Routine>,
    bindings: Vec<BufferId>,
    seed: u64,
    projection: &'a Projection,
    pool: Mutex<Pool>,
}

impl RowRule for Rule<'_> {
    fn row(&self, pre: u32, out: &mut [f64]) -> Result<(), String> {
        let mut pool = self.pool.lock().map_err(|_| "another row failed".to_owned())?;
        let target = &self.projection.target;
        let over = Over::Row {
            pre: pre + self.projection.source.start,
            row: pre,
            post_start: target.start,
            n_post: target.len,
        };
        pool.run_compiled(&*self.routine, self.seed, &self.bindings, over).map_err(|e| e.to_string())?;
        if let Some(output) = pool.get(Binding::Output) {
            let start = target.start as usize;
            out.copy_from_slice(&output.as_slice::<f64>()[start..start + target.len as usize]);
        }
        Ok(())
    }
}

/// The synapses of a list of pairs; its columns are put into canonical order.
fn listed(
    pairs: Vec<(u32, u32)>,
    columns: Vec<(String, Vec<f64>)>,
    shape: &Shape,
) -> Result<Connected, ConnectError> {
    let list = PairList { pairs };
    list.validate(shape)?;
    let (csr, order) = Csr::from_pairs_with_order(shape.n_pre, shape.n_post, &list.pairs)?;
    let sorted = |values: Vec<f64>| order.iter().map(|i| values[*i as usize]).collect();
    let columns = columns.into_iter().map(|(name, values)| (name, sorted(values))).collect();
    Ok(Connected { csr, order: Some(order), columns, again: None })
}

/// The column that says which element of something shared a synapse has.
fn element_column(elements: Vec<u32>) -> Vec<(String, Vec<f64>)> {
    vec![(Connect::ELEMENT.to_owned(), elements.into_iter().map(f64::from).collect())]
}

/// Refuses pairs between groups of other sizes.
fn same_size(csr: &Csr, n_pre: u32, n_post: u32) -> Result<(), ConnectError> {
    if (csr.n_pre(), csr.n_post()) == (n_pre, n_post) {
        return Ok(());
    }
    let (found, wanted) = if csr.n_pre() == n_pre { (n_post, csr.n_post()) } else { (n_pre, csr.n_pre()) };
    Err(ConnectError::SizesDiffer { n_pre: found, n_post: wanted })
}
