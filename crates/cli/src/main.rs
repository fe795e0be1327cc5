//! The neuropil command: runs, checks, prints and draws models.
//!
//! `flag` is what was typed, `job` what it means; each command is a file. Results go to standard output, everything
//! that is said about them to standard error. Exit status: 0 done, 1 a run failed, 2 the model or the command line is
//! wrong, 130 interrupted.

mod cache;
mod check;
mod console;
mod draw;
mod emit;
mod failure;
mod flag;
mod info;
mod interrupt;
mod job;
mod model;
mod place;
mod plot;
mod progress;
mod run;
mod summary;
mod sweep;

use std::process::ExitCode;

use clap::Parser as _;

use crate::failure::{Exit, Failure};
use crate::flag::Typed;
use crate::job::Job;

fn main() -> ExitCode {
    let typed = match Typed::try_parse() {
        Ok(typed) => typed,
        Err(message) => {
            // Help and version come this way too. Nobody is left to hear that they could not be printed.
            let _ = message.print();
            return u8::try_from(message.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    let exit = match Job::new(typed).and_then(execute) {
        Ok(exit) => exit,
        Err(failure) => {
            failure.tell();
            failure.exit()
        }
    };
    exit.code()
}

fn execute(job: Job) -> Result<Exit, Failure> {
    match job {
        Job::Run(job) => run::run(job),
        Job::Sweep(job) => sweep::sweep(job),
        Job::Check(job) => check::check(&job),
        Job::Emit(job, stage) => emit::emit(&job, stage),
        Job::Plot { recording, figure } => draw::draw(&recording, &figure),
        Job::Cache { clear } => cache::cache(clear),
        Job::Info => info::info(),
    }
}
