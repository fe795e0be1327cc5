//! `neuropil run`: simulates a model and says what it did.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use neuropil::record::{PopulationInfo, Recording, RunInfo};
use neuropil::{Error, Model, Options, Outcome, RunError, Simulation};
use neuropil_model::Network;

use crate::console::{self, Message};
use crate::failure::{Exit, Failure, Left};
use crate::interrupt::Interrupt;
use crate::job::{Chatter, Report, RunJob};
use crate::plot::PlotData;
use crate::progress::Bar;
use crate::summary::{Circumstances, Summary};
use crate::{draw, model, place};

/// What a checkpoint is called in its directory.
const CHECKPOINT: &str = "latest";

/// Runs a model. Nothing is written before the model is known to be right and the places to be writable.
///
/// # Errors
/// A summary is printed even if a recording or a figure could not be completed: the run itself is done then.
pub(crate) fn run(job: RunJob) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen();
    let begin = Instant::now();
    let (model, network) = checked(&job)?;
    if let Some(operation) = network.host_operations.first() {
        return Err(RunError::Unbound { name: operation.name.clone() }.into());
    }
    let read_s = begin.elapsed().as_secs_f64();
    if let Some(dir) = &job.out {
        place::directory(dir)?;
    }
    if let Some(figure) = &job.figure {
        place::file(figure)?;
    }

    if let Some((dir, _)) = &job.keep.checkpoint {
        place::directory(dir)?;
        fs::create_dir_all(dir).map_err(|source| Failure::Place { path: dir.clone(), source })?;
    }
    let options = Options { threads: job.threads, record: job.record_to() };
    let built = match from(&job) {
        Some(checkpoint) => Simulation::resume(network, &*job.backend, &options, &checkpoint),
        None => Simulation::new(network, &*job.backend, &options),
    };
    let mut simulation = built.map_err(|error| Failure::build(error, &model))?;
    if job.chatter == Chatter::Remarks {
        simulation.remarks().iter().for_each(|remark| console::tell(Message::Note, remark));
    }
    interrupt.begin();
    let outcome = advance(&mut simulation, &job, &interrupt)?;
    let complete = outcome == Outcome::Finished;

    let finished =
        simulation.finish(complete).map_err(|error| left(error, job.out.as_deref(), Left::Partial));
    let drawn = job.figure.as_ref().map_or(Ok(()), |figure| match &job.out {
        Some(dir) if job.keep.is_asked() => {
            draw::save(&PlotData::from_recording(&Recording::open(dir)?)?, figure)
        }
        Some(_) | None => picture(&simulation, figure),
    });
    let circumstances = Circumstances {
        backend: job.backend.name(),
        threads: job.threads,
        read_s,
        complete,
        codes: job.cache.as_ref().map(|cache| (cache.found(), cache.made())),
    };
    let mut text = report(job.report, &Summary::new(&simulation, circumstances));
    if job.report == Report::Text {
        let written = [(finished.is_ok(), &job.out), (drawn.is_ok(), &job.figure)];
        for path in written.into_iter().filter(|(ok, _)| *ok).filter_map(|(_, path)| path.as_deref()) {
            text += &format!("  wrote {}\n", path.display());
        }
    }
    let printed = console::print(&text);
    finished.and(drawn).and(printed)?;
    Ok(if complete { Exit::Done } else { Exit::Interrupted })
}

/// The checkpoint to go on from. Without one a run that keeps its state in the same directory begins.
fn from(job: &RunJob) -> Option<PathBuf> {
    let dir = job.keep.resume.as_ref()?;
    let path = dir.join(CHECKPOINT);
    let same = job.keep.checkpoint.as_ref().is_some_and(|(kept, _)| kept == dir);
    (path.exists() || !same).then_some(path)
}

/// The model and its typed network, warnings told. A figure needs spikes: if there is to be one, they are recorded.
fn checked(job: &RunJob) -> Result<(Model, Network), Failure> {
    let model = model::load(&job.model)?;
    let (network, warnings) = model.network()?;
    console::show(&warnings, &model.source().files);
    match job.figure.as_ref().and_then(|_| model::with_spikes(&model, &network)) {
        Some(recording) => {
            let (network, _) = recording.network()?;
            Ok((recording, network))
        }
        None => Ok((model, network)),
    }
}

/// Runs to the end, or until somebody presses Ctrl-C, with checkpoints on the way.
fn advance(simulation: &mut Simulation, job: &RunJob, interrupt: &Interrupt) -> Result<Outcome, Failure> {
    let mut bar = Bar::new(job.chatter);
    let outcome = advance_to_end(simulation, job, interrupt, &mut bar);
    bar.end();
    outcome.map_err(|error| {
        // A recording that could not be written stays as it is; its predecessor in the directory stays too.
        let left_behind = match &error {
            RunError::Machine(_) | RunError::Device(_) | RunError::Record(_) => Left::Partial,
            RunError::NonFinite { .. }
            | RunError::Duration(_)
            | RunError::UnknownVariable { .. }
            | RunError::UnknownRecorder { .. }
            | RunError::UnknownEvent { .. }
            | RunError::UnknownHost { .. }
            | RunError::Unbound { .. }
            | RunError::Host { .. }
            | RunError::EndsThere { .. }
            | RunError::UnknownProjection { .. }
            | RunError::NoSynapse { .. }
            | RunError::Fixed { .. }
            | RunError::Listed { .. }
            | RunError::Checkpoint(_)
            | RunError::NothingStored { .. }
            | RunError::Build(_)
            | RunError::Length { .. } => match simulation.finish(false) {
                Ok(()) => Left::Recording,
                Err(_) => Left::Partial,
            },
        };
        left(error, job.out.as_deref(), left_behind)
    })
}

fn advance_to_end(
    simulation: &mut Simulation,
    job: &RunJob,
    interrupt: &Interrupt,
    bar: &mut Bar,
) -> Result<Outcome, RunError> {
    let dt = simulation.dt();
    loop {
        let mut first = None;
        let mut is_due = false;
        let outcome = simulation.perform(&mut |progress| {
            bar.update(progress);
            if let Some((_, every)) = &job.keep.checkpoint {
                // Steps of the whole run, for its time may go back.
                let first = *first.get_or_insert(progress.done);
                is_due = progress.done.saturating_sub(first) as f64 * dt >= *every;
            }
            if is_due || interrupt.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        // The last one is kept too: a script that is run again finds that there is nothing left to do.
        if let Some((dir, _)) = &job.keep.checkpoint {
            simulation.checkpoint(&dir.join(CHECKPOINT))?;
        }
        if outcome != Outcome::Stopped || interrupt.requested() {
            return Ok(outcome);
        }
    }
}

/// A run that ended early, with what it leaves in the directory of its recording, if there is one.
fn left(error: RunError, out: Option<&Path>, left: Left) -> Failure {
    match out {
        Some(dir) => Failure::Left(Box::new(Error::Run(error)), dir.to_owned(), left),
        None => error.into(),
    }
}

/// Draws what was recorded.
fn picture(simulation: &Simulation, figure: &Path) -> Result<(), Failure> {
    let network = simulation.network();
    let info = RunInfo {
        model: network.name.clone(),
        seed: network.seed,
        dt_s: simulation.dt(),
        precision: network.precision,
        duration_s: simulation.time(),
        populations: network
            .populations
            .iter()
            .map(|p| PopulationInfo { name: p.name.clone(), n: p.size })
            .collect(),
    };
    // Recordings are in memory whenever a figure was asked for.
    let Some(memory) = simulation.recorded() else { return Ok(()) };
    draw::save(&PlotData::from_memory(memory, &info)?, figure)
}

fn report(report: Report, summary: &Summary) -> String {
    match report {
        Report::Text => summary.to_text(),
        Report::Json => summary.to_json(),
        Report::Nothing => String::new(),
    }
}
