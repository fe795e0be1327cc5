//! How synapses and their first values are made again, where they follow from the model and the seed alone.
//!
//! Most of what a large network is made of is looked at once: who is connected, delays, and weights that nothing changes
//! go into a machine's own form. A recipe takes a few bytes, what it makes takes gigabytes.

use std::borrow::Cow;
use std::sync::Arc;

use neuropil_backend::{Backend, BackendError, Delayed, Once, Over, Recipe, Renewable, Routine};
use neuropil_base::{Scalar, ScalarType};
use neuropil_connectivity::{ConnectError, Csr, Delays, FormatChoice, Storage, Transposed, Walk as _};
use neuropil_kernels::program::BufferId;
use neuropil_kernels::{Binding, Lowered};
use neuropil_memory::HostBuffer;
use neuropil_model::{Endpoint, Expr, Projection};

use super::sorted;
use crate::pool::{Pool, compile};

/// Values per synapse that depend on nothing but the seed and on who is connected.
#[derive(Clone)]
pub(super) struct Evaluation {
    kernel: Kernel,
    ty: ScalarType,
    /// The first neurons of source and target within their populations.
    starts: (u32, u32),
}

#[derive(Clone)]
enum Kernel {
    /// One value for all.
    Constant(Scalar),
    /// A kernel that has one slot, its output.
    Lowered { backend: Arc<dyn Backend>, lowered: Lowered, seed: u64, step: i64 },
}

/// Says why something could not be made again that had been made before.
fn gone(error: &dyn std::fmt::Display) -> BackendError {
    BackendError::Gone { why: error.to_string() }
}

impl Evaluation {
    /// What computes `value`; `None` if it looks at something that may change.
    pub(super) fn of(
        backend: &dyn Backend,
        pool: &Pool,
        seed: u64,
        (lowered, value, ty): (&Lowered, &Expr, ScalarType),
        projection: &Projection,
    ) -> Option<Self> {
        let kernel = match value.as_constant() {
            Some(constant) => Kernel::Constant(Scalar::from_f64(ty, constant.to_f64())),
            None if lowered.bindings.iter().all(|b| *b == Binding::Output) => Kernel::Lowered {
                backend: backend.shared(),
                lowered: lowered.clone(),
                seed: seed ^ pool.salt,
                step: pool.step,
            },
            None => return None,
        };
        Some(Self { kernel, ty, starts: (projection.source.start, projection.target.start) })
    }

    /// The values for the synapses of some rows.
    fn run(&self, rows: &Storage) -> Result<HostBuffer, BackendError> {
        let n_syn = rows.n_syn();
        let mut output = HostBuffer::new(self.ty, n_syn);
        match &self.kernel {
            Kernel::Constant(value) => output.fill(0..n_syn, *value),
            Kernel::Lowered { backend, lowered, seed, step } => {
                let routine: Box<dyn Routine> = compile(&**backend, lowered).map_err(|e| gone(&e))?;
                let (pre_start, post_start) = self.starts;
                let mut buffers = [output];
                routine.run(Once {
                    over: Over::Synapses { rows, pre_start, post_start },
                    seed: *seed,
                    step: *step,
                    buffers: &mut buffers,
                    bindings: &vec![BufferId::new(0); lowered.bindings.len()],
                })?;
                [output] = buffers;
            }
        }
        Ok(output)
    }

    /// How to make the values again.
    pub(super) fn recipe(self, rows: &Renewable<Storage>) -> Recipe<HostBuffer> {
        let rows = rows.clone();
        Arc::new(move || self.run(&*rows.borrow()?))
    }
}

/// Rows as they are stored, and how to make them again.
pub(super) fn stored(rows: Storage, again: Option<Recipe<Csr>>, choice: FormatChoice) -> Renewable<Storage> {
    match again {
        None => Renewable::kept(rows),
        Some(again) => {
            Renewable::made(rows, move || Ok(Storage::choose(again()?, choice).map_err(|e| gone(&e))?.0))
        }
    }
}

/// How a connector makes its synapses again.
pub(super) fn connected(
    connect: impl Fn() -> Result<Csr, ConnectError> + Send + Sync + 'static,
) -> Recipe<Csr> {
    Arc::new(move || connect().map_err(|e| gone(&e)))
}

/// The delays of a pathway, as they were made.
pub(super) struct Timed {
    pub on: Endpoint,
    pub delays: Delays,
    /// How to make them again, and the step that they are counted in; they are kept if there is no way.
    pub again: Option<(Evaluation, f64)>,
}

impl Timed {
    /// The delays of synapses between these rows and columns.
    pub(super) fn of(self, rows: &Renewable<Storage>, columns: Option<&Renewable<Transposed>>) -> Delayed {
        let Self { on, delays, again } = self;
        let (rows, columns) = (rows.clone(), columns.cloned());
        let steps = match again {
            None => Renewable::kept(delays),
            Some((evaluation, dt)) => {
                let rows = rows.clone();
                Renewable::made(delays, move || {
                    let seconds = evaluation.run(&*rows.borrow()?)?;
                    Ok(Delays::from_seconds(seconds.as_slice(), dt).map_err(|e| gone(&e))?.delays)
                })
            }
        };
        let by = steps.clone();
        let sort = move || {
            let (rows, delays) = (rows.borrow()?, by.borrow()?);
            let csr = match &*rows {
                Storage::Csr(csr) => Cow::Borrowed(csr),
                Storage::Ell(_) | Storage::Dense(_) => Cow::Owned(rows.to_csr()),
            };
            let columns = columns.as_ref().map(Renewable::borrow).transpose()?;
            sorted(on, &csr, columns.as_deref(), &delays).map_err(|e| gone(&e))
        };
        Delayed { steps, rows: Renewable::made_by(sort) }
    }
}
