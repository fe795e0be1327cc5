//! What was typed: commands and flags, as they stand on the command line. `job` says what they mean.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use neuropil::Stage;

/// More threads than this are a slip of the keyboard.
const MAX_THREADS: i64 = 1024;

/// The command line.
#[derive(Parser, Debug)]
#[command(
    name = "neuropil",
    version,
    about = "Simulates spiking and rate-coded neural networks that are described by equations",
    after_help = "Exit status: 0 done, 1 a run failed, 2 the model or the command line is wrong, 130 interrupted."
)]
pub(crate) struct Typed {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Simulate a model and say what it did
    Run(RunFlags),
    /// Simulate a model with every combination of some values, and print a table of what each did
    Sweep(SweepFlags),
    /// Check a model without running it: names, units, types, integrators
    Check(ModelFlags),
    /// Print a model as it is after some stage
    Emit(EmitFlags),
    /// Draw a recording that `run --out` made
    Plot(PlotFlags),
    /// Say what is kept of compiled kernels, or remove it
    Cache(CacheFlags),
    /// Say which version this is, and what it finds on this machine
    Info,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct CacheFlags {
    /// Say where compiled kernels are kept, how many there are, and how much room they take
    #[arg(long)]
    pub(crate) info: bool,
    /// Remove all of them; they are made anew when they are needed
    #[arg(long)]
    pub(crate) clear: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ModelFlags {
    /// The model file
    pub(crate) model: PathBuf,
    /// Change a constant, setting or field, such as `taum=10ms` or `population.cells.size=100`; repeatable
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct RunFlags {
    #[command(flatten)]
    pub(crate) model: ModelFlags,
    /// How long to simulate, such as `1s` or `500 ms` [default: what the model says]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) duration: Option<String>,
    /// The step of the network's clock, such as `0.1ms` [default: what the model says]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) dt: Option<String>,
    /// The seed of all random numbers [default: what the model says]
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Threads; the results do not depend on it [default: one per core]
    #[arg(short = 'j', long = "threads", value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=MAX_THREADS))]
    pub(crate) threads: Option<u32>,
    /// What runs the kernels: `cpu`, or the slow reference `interp`; `auto` takes the fastest that there is
    #[arg(long, default_value = "auto", value_parser = ["auto", "cpu", "interp"])]
    pub(crate) backend: String,
    /// What the backend `cpu` runs kernels with: the portable engine `block`, or machine code `x86`, which wants AVX2; `auto`
    /// takes the fastest that there is. The results do not depend on it
    #[arg(long, value_name = "ENGINE", default_value = "auto", value_parser = ["auto", "block", "x86"])]
    pub(crate) cpu_kernels: String,
    /// Compile all kernels anew, and keep none of them for later runs
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// The float type of real variables [default: what the model says]
    #[arg(long, value_parser = ["f32", "f64"])]
    pub(crate) precision: Option<String>,
    /// Write what the model records to this directory: NumPy files and `manifest.json`
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Draw what was recorded to this file; spikes are recorded for it if the model records none
    #[arg(long, value_name = "FILE.png|svg")]
    pub(crate) plot: Option<PathBuf>,
    /// Keep the state of the run in this directory, from which `--resume` goes on after the process has ended, in
    /// whatever way
    #[arg(long, value_name = "DIR", requires = "every")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// How much simulated time passes from one checkpoint to the next at least, such as `1s`
    #[arg(long, value_name = "TIME", requires = "checkpoint")]
    pub(crate) every: Option<String>,
    /// Go on from the checkpoint in this directory, and with the recording that `--out` names; with the same directory
    /// for `--checkpoint` the run begins if there is no checkpoint yet
    #[arg(long, value_name = "DIR")]
    pub(crate) resume: Option<PathBuf>,
    /// Print one JSON object instead of a summary
    #[arg(long)]
    pub(crate) json: bool,
    /// No summary and no progress; warnings and errors remain
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say how each projection is stored, and why
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Args, Debug)]
pub(crate) struct SweepFlags {
    /// The model file
    pub(crate) model: PathBuf,
    /// Values of a constant, setting or field: `taum=5ms,10ms`, `population.cells.size=100:500:100` (first, last,
    /// step), `w=0:1mV:#5` (first, last, how many); repeatable
    #[arg(long = "set", value_name = "NAME=VALUES")]
    pub(crate) set: Vec<String>,
    /// Seeds, as values: `1:10` or `1,2,7`
    #[arg(long, value_name = "VALUES")]
    pub(crate) seeds: Option<String>,
    /// The first values together, the second ones, and so on, instead of each with each
    #[arg(long)]
    pub(crate) zip: bool,
    /// How long to simulate each point [default: what the model says]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) duration: Option<String>,
    /// The step of the network's clock [default: what the model says]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) dt: Option<String>,
    /// How many points are run at once [default: one per core]
    #[arg(short = 'j', long = "jobs", value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=MAX_THREADS))]
    pub(crate) jobs: Option<u32>,
    /// Threads of each point; the results do not depend on it
    #[arg(long, value_name = "N", default_value = "1",
          value_parser = clap::value_parser!(u32).range(1..=MAX_THREADS))]
    pub(crate) threads: u32,
    /// What runs the kernels: `cpu`, or the slow reference `interp`; `auto` takes the fastest that there is
    #[arg(long, default_value = "auto", value_parser = ["auto", "cpu", "interp"])]
    pub(crate) backend: String,
    /// What the backend `cpu` runs kernels with: the portable engine `block`, or machine code `x86`, which wants AVX2; `auto`
    /// takes the fastest that there is. The results do not depend on it
    #[arg(long, value_name = "ENGINE", default_value = "auto", value_parser = ["auto", "block", "x86"])]
    pub(crate) cpu_kernels: String,
    /// Compile all kernels anew, and keep none of them for later runs
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// The float type of real variables [default: what the model says]
    #[arg(long, value_parser = ["f32", "f64"])]
    pub(crate) precision: Option<String>,
    /// Write the table to `DIR/summary.csv` instead of standard output
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write what the model records at each point to `DIR/point-N`
    #[arg(long, requires = "out")]
    pub(crate) record: bool,
    /// No progress and no summary; the table, warnings and errors remain
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Args, Debug)]
pub(crate) struct EmitFlags {
    #[command(flatten)]
    pub(crate) model: ModelFlags,
    /// After which stage
    #[arg(long, value_parser = PossibleValuesParser::new(Stage::ALL.map(Stage::name)))]
    pub(crate) stage: String,
}

#[derive(Args, Debug)]
pub(crate) struct PlotFlags {
    /// A directory that `run --out` wrote
    #[arg(value_name = "DIR")]
    pub(crate) recording: PathBuf,
    /// Where to draw it [default: DIR/plot.png]
    #[arg(short, long, value_name = "FILE.png|svg")]
    pub(crate) output: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_of_the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Typed::command().debug_assert();
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let status = |line: &str| Typed::try_parse_from(line.split(' ')).err().map(|e| e.exit_code());
        assert_eq!(status("neuropil run m.toml -j 2 --set a=1 --set b=2 --duration 1s"), None);
        for wrong in [
            "neuropil",
            "neuropil run",
            "neuropil runn m.toml",
            "neuropil run m.toml -j 0",
            "neuropil run m.toml -j -1",
            "neuropil run m.toml -j many",
            "neuropil run m.toml --seed -1",
            "neuropil run m.toml --backend gpu",
            "neuropil run m.toml --cpu-kernels gpu",
            "neuropil run m.toml --precision f16",
            "neuropil run m.toml n.toml",
            "neuropil run m.toml --checkpoint c",
            "neuropil run m.toml --every 1s",
            "neuropil sweep",
            "neuropil sweep m.toml --record",
            "neuropil sweep m.toml --seed 3",
            "neuropil emit m.toml",
            "neuropil emit m.toml --stage x",
            "neuropil plot",
        ] {
            assert_eq!(status(wrong), Some(2), "{wrong}");
        }
        for fine in ["neuropil --help", "neuropil --version", "neuropil run --help", "neuropil sweep --help"]
        {
            assert_eq!(status(fine), Some(0), "{fine}");
        }
    }
}
