//! Running.

use std::ffi::c_void;
use std::ops::ControlFlow;

use facade::{Outcome, Progress};

use crate::call::{call, npl_error, npl_status};
use crate::handle::write;
use crate::simulation::{npl_simulation, with};

/// How a run ended.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum npl_outcome {
    /// It ran for as long as it was asked to.
    NPL_FINISHED = 0,
    /// The progress function, or a host function, stopped it.
    NPL_STOPPED = 1,
    /// The condition of the model held that ends it.
    NPL_CONDITION = 2,
}

/// How far a run has come.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct npl_progress {
    /// Steps of the network's clock done in this run.
    pub done: u64,
    /// Steps that this run asked for.
    pub total: u64,
    /// The network's time in seconds.
    pub time: f64,
}

/// Is told about twenty times a second how far a run has come; the run goes on while it returns true. It must not
/// throw, nor leave by longjmp.
pub type npl_progress_function =
    Option<extern "C" fn(progress: *const npl_progress, data: *mut c_void) -> bool>;

impl From<Outcome> for npl_outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Finished => Self::NPL_FINISHED,
            Outcome::Stopped => Self::NPL_STOPPED,
            Outcome::Condition => Self::NPL_CONDITION,
        }
    }
}

/// Runs for `duration` seconds, rounded to steps. Recorded values and variables of earlier calls are no longer valid
/// then.
#[unsafe(no_mangle)]
pub extern "C" fn npl_run(
    simulation: *mut npl_simulation,
    duration: f64,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || with(simulation, |inside| Ok(inside.simulation.run(duration)?)))
}

/// Runs one step of the network's clock.
#[unsafe(no_mangle)]
pub extern "C" fn npl_step(simulation: *mut npl_simulation, error: *mut *mut npl_error) -> npl_status {
    call(error, || with(simulation, |inside| Ok(inside.simulation.step()?)))
}

/// Runs `steps` steps of the network's clock. `progress` and `outcome` may be null; `data` is given to `progress`.
#[unsafe(no_mangle)]
pub extern "C" fn npl_run_steps(
    simulation: *mut npl_simulation,
    steps: u64,
    progress: npl_progress_function,
    data: *mut c_void,
    outcome: *mut npl_outcome,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let ended = with(simulation, |inside| {
            Ok(inside.simulation.run_steps(steps, &mut |p| tell(progress, data, p))?)
        })?;
        if outcome.is_null() { Ok(()) } else { write(outcome, "outcome", ended.into()) }
    })
}

/// Does what the model says: its `[[run]]` entries, or one run of its `duration`. `progress` and `outcome` may be null;
/// `data` is given to `progress`.
#[unsafe(no_mangle)]
pub extern "C" fn npl_perform(
    simulation: *mut npl_simulation,
    progress: npl_progress_function,
    data: *mut c_void,
    outcome: *mut npl_outcome,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let ended =
            with(simulation, |inside| Ok(inside.simulation.perform(&mut |p| tell(progress, data, p))?))?;
        if outcome.is_null() { Ok(()) } else { write(outcome, "outcome", ended.into()) }
    })
}

/// Tells C how far a run has come.
fn tell(function: npl_progress_function, data: *mut c_void, progress: Progress) -> ControlFlow<()> {
    let Some(function) = function else { return ControlFlow::Continue(()) };
    let told = npl_progress { done: progress.done, total: progress.total, time: progress.time_s };
    if function(&raw const told, data) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}
