//! The neuropil command.

#[allow(dead_code, reason = "drawn by `run --plot` and `plot`")]
mod plot;

fn main() {}
