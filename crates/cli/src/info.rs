//! `neuropil info`: which version this is, and what it finds on this machine.

use neuropil::{Backend as _, Cpu, Interp, KernelChoice, system};
use neuropil_cpu::block::Level;

use crate::failure::{Exit, Failure};
use crate::{cache, console, job};

/// Prints what matters in a report of a mistake or of a measurement.
pub(crate) fn info() -> Result<Exit, Failure> {
    let levels: Vec<&str> = Level::available().into_iter().map(Level::name).collect();
    let memory = system::available_memory()
        .map_or_else(|| "unknown".to_owned(), |bytes| format!("{} MiB available", bytes >> 20));
    let engine = match KernelChoice::Auto.engine() {
        "x86" => format!("x86: machine code for {}", levels.first().copied().unwrap_or_default()),
        engine => engine.to_owned(),
    };
    let rows = [
        ("neuropil", env!("CARGO_PKG_VERSION").to_owned()),
        ("machine", format!("{} {}", std::env::consts::ARCH, std::env::consts::OS)),
        ("vectors", format!("{} (best first)", levels.join(", "))),
        ("kernels", engine),
        ("threads", job::cores().to_string()),
        ("memory", memory),
        ("backends", format!("{} (default), {}", Cpu.name(), Interp.name())),
        ("cache", cache::shown()),
    ];
    let text: String = rows.iter().map(|(name, value)| format!("{name:<10}{value}\n")).collect();
    console::print(&text)?;
    Ok(Exit::Done)
}
