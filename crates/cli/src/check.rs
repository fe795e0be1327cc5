//! `neuropil check`: everything that can be said of a model without running it.

use neuropil::ModelError;

use crate::failure::{Exit, Failure};
use crate::job::ModelJob;
use crate::summary::time;
use crate::{console, model};

/// Checks a model; says on standard output that it is fine, and on standard error what is not.
pub(crate) fn check(job: &ModelJob) -> Result<Exit, Failure> {
    let model = model::load(job)?;
    let diagnostics = model.check();
    let sources = &model.source().files;
    if diagnostics.has_errors() {
        return Err(ModelError { diagnostics, sources: sources.clone() }.into());
    }
    console::show(&diagnostics, sources);
    let (network, _) = model.network()?;
    let n_neurons: u64 = network.populations.iter().map(|p| u64::from(p.size)).sum();
    console::print(&format!(
        "{}: ok ({} in {}, {}; {} in steps of {})\n",
        job.path.display(),
        counted(n_neurons, "neuron"),
        counted(network.populations.len() as u64, "population"),
        counted(network.projections.len() as u64, "projection"),
        time(network.duration),
        time(network.clocks.first().map_or(0.0, |c| c.dt)),
    ))?;
    Ok(Exit::Done)
}

/// `1 neuron`, `2 neurons`.
pub(crate) fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
