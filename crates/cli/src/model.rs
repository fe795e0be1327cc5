//! Model files with what the command line changes in them.

use neuropil::source::Selection;
use neuropil::{Diagnostics, Model, ModelError};
use neuropil_base::Span;
use neuropil_model::{Network, RecorderKind};

use crate::job::ModelJob;

/// Reads a model and applies the changes: first overrides in their order, then flags.
///
/// # Errors
/// All mistakes: of the file, or of the overrides and of what they leave of the model.
pub(crate) fn load(job: &ModelJob) -> Result<Model, ModelError> {
    let mut model = Model::read(&job.path)?;
    let mut mistakes = Diagnostics::new();
    for assignment in &job.set {
        if let Err(error) = model.set(assignment) {
            mistakes.append(error.diagnostics);
        }
    }
    if let Some(dt) = &job.dt {
        model.set_dt(dt);
    }
    if let Some(duration) = &job.duration {
        model.set_duration(duration);
    }
    if let Some(seed) = job.seed {
        model.set_seed(seed);
    }
    if let Some(precision) = job.precision {
        model.set_precision(precision);
    }
    if mistakes.is_empty() {
        return Ok(model);
    }
    mistakes.append(model.check());
    mistakes.sort();
    Err(ModelError { diagnostics: mistakes, sources: model.source().files.clone() })
}

/// The model with the spikes of all populations recorded, if it has spikes and records none: what a figure needs.
pub(crate) fn with_spikes(model: &Model, network: &Network) -> Option<Model> {
    let records = |kind: &RecorderKind| matches!(kind, RecorderKind::Events { .. });
    if network.recorders.iter().any(|r| records(&r.kind))
        || network.populations.iter().all(|p| p.events.is_empty())
    {
        return None;
    }
    let mut source = model.source().clone();
    source.record.spikes = Selection::All(Span::NONE);
    Some(Model::from_source(source))
}
