//! `neuropil emit`: a model as text after some stage.

use neuropil::Stage;

use crate::failure::{Exit, Failure};
use crate::job::ModelJob;
use crate::{console, model};

/// Prints the model as it is after `stage`.
pub(crate) fn emit(job: &ModelJob, stage: Stage) -> Result<Exit, Failure> {
    let mut text = model::load(job)?.emit(stage)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    console::print(&text)?;
    Ok(Exit::Done)
}
