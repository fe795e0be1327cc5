//! The command as people meet it: the built program, its exit status, what it prints and what it writes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail as tests do"
)]

mod cache;
mod checkpoint;
mod figure;
#[cfg(unix)]
mod interrupt;
mod mistake;
mod model;
mod run;
mod support;
mod sweep;
#[cfg(unix)]
mod trouble;
