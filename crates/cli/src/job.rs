//! What the command line means: defaults filled in, names turned into things, combinations checked.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;

use neuropil::{
    Backend, Cpu, CpuOptions, Diagnostic, Diagnostics, Interp, KernelCache, KernelChoice, ModelError,
    Precision, RecordTo, SourceMap, Stage,
};
use neuropil_base::Span;
use neuropil_units::{Dimension, Quantity};

use crate::cache;
use crate::failure::Failure;
use crate::flag::{Command, ModelFlags, RunFlags, SweepFlags, Typed};
use crate::plot;

/// What is to be done.
pub(crate) enum Job {
    Run(RunJob),
    Sweep(SweepJob),
    Check(ModelJob),
    Emit(ModelJob, Stage),
    Plot { recording: PathBuf, figure: PathBuf },
    Cache { clear: bool },
    Info,
}

/// A model file and what the command line changes in it, in this order.
#[derive(Clone, PartialEq, Default, Debug)]
pub(crate) struct ModelJob {
    pub(crate) path: PathBuf,
    /// Overrides, `name=value`.
    pub(crate) set: Vec<String>,
    pub(crate) dt: Option<String>,
    pub(crate) duration: Option<String>,
    pub(crate) seed: Option<u64>,
    pub(crate) precision: Option<Precision>,
}

/// A simulation.
pub(crate) struct RunJob {
    pub(crate) model: ModelJob,
    pub(crate) backend: Box<dyn Backend>,
    /// Where the backend keeps machine code, if it does.
    pub(crate) cache: Option<Arc<KernelCache>>,
    pub(crate) threads: usize,
    pub(crate) out: Option<PathBuf>,
    pub(crate) figure: Option<PathBuf>,
    pub(crate) keep: Keep,
    pub(crate) report: Report,
    pub(crate) chatter: Chatter,
}

/// What a run keeps of its state, and where it goes on from.
#[derive(Clone, PartialEq, Default, Debug)]
pub(crate) struct Keep {
    /// Where the state is kept, and after how many seconds each time.
    pub(crate) checkpoint: Option<(PathBuf, f64)>,
    /// Where it is taken from.
    pub(crate) resume: Option<PathBuf>,
}

impl Keep {
    fn new(flags: &RunFlags) -> Result<Self, Failure> {
        let checkpoint = match (&flags.checkpoint, &flags.every) {
            (Some(dir), Some(every)) => Some((dir.clone(), time("--every", every)?)),
            (Some(_) | None, _) => None,
        };
        Ok(Self { checkpoint, resume: flags.resume.clone() })
    }

    /// Whether the run may be one of several processes: what is recorded must then be in files alone.
    pub(crate) fn is_asked(&self) -> bool {
        self.checkpoint.is_some() || self.resume.is_some()
    }
}

/// A time greater than zero, as it was typed.
fn time(flag: &str, text: &str) -> Result<f64, Failure> {
    let found = Quantity::parse(text).and_then(|q| q.expect(Dimension::SECOND));
    let message = match found {
        Ok(time) if time > 0.0 && time.is_finite() => return Ok(time),
        Ok(_) => format!("`{text}` is no time that passes"),
        Err(error) => error.to_string(),
    };
    Err(mistake("invalid-quantity", flag, text, message, "write a number with its unit, such as `1s`"))
}

fn mistake(code: &'static str, flag: &str, text: &str, message: String, help: &str) -> Failure {
    let mut sources = SourceMap::new();
    let file = sources.add(flag, text);
    let mut diagnostics = Diagnostics::new();
    let span = Span::new(file, 0..text.len());
    diagnostics.push(Diagnostic::error(code, span, message).help(help.to_owned()));
    ModelError { diagnostics, sources }.into()
}

/// Many simulations of one model.
pub(crate) struct SweepJob {
    pub(crate) model: ModelJob,
    /// Names and values, as they were typed.
    pub(crate) set: Vec<String>,
    pub(crate) seeds: Option<String>,
    pub(crate) zip: bool,
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) jobs: usize,
    pub(crate) threads: usize,
    pub(crate) out: Option<PathBuf>,
    pub(crate) record: bool,
    pub(crate) chatter: Chatter,
}

/// What a run prints on standard output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Report {
    /// A few lines for people.
    Text,
    /// One object for programs.
    Json,
    Nothing,
}

/// What a run says on standard error beside warnings and errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Chatter {
    /// Progress, and how projections are stored.
    Remarks,
    Progress,
    Nothing,
}

impl Job {
    pub(crate) fn new(typed: Typed) -> Result<Self, Failure> {
        Ok(match typed.command {
            Command::Run(flags) => Self::Run(RunJob::new(flags)?),
            Command::Sweep(flags) => Self::Sweep(SweepJob::new(flags)?),
            Command::Check(flags) => Self::Check(ModelJob::new(flags)),
            Command::Emit(flags) => Self::Emit(
                ModelJob::new(flags.model),
                // The command line takes no other names than those of stages.
                Stage::from_name(&flags.stage).unwrap_or(Stage::Model),
            ),
            Command::Plot(flags) => {
                let figure = flags.output.unwrap_or_else(|| flags.recording.join("plot.png"));
                plot::Format::of(&figure)?;
                Self::Plot { recording: flags.recording, figure }
            }
            Command::Cache(flags) => Self::Cache { clear: flags.clear },
            Command::Info => Self::Info,
        })
    }
}

impl ModelJob {
    fn new(flags: ModelFlags) -> Self {
        Self { path: flags.model, set: flags.set, ..Self::default() }
    }
}

impl RunJob {
    fn new(flags: RunFlags) -> Result<Self, Failure> {
        if let Some(figure) = &flags.plot {
            plot::Format::of(figure)?;
        }
        let keep = Keep::new(&flags)?;
        if let (true, Some(figure), None) = (keep.is_asked(), &flags.plot, &flags.out) {
            let message = "a run of several processes is drawn from its recording".to_owned();
            let help = "say with `--out DIR` where it records";
            return Err(mistake("invalid-override", "--plot", &figure.to_string_lossy(), message, help));
        }
        let model = ModelJob {
            dt: flags.dt,
            duration: flags.duration,
            seed: flags.seed,
            precision: flags.precision.as_deref().map(precision),
            ..ModelJob::new(flags.model)
        };
        let cache = kept(&flags.backend, !flags.no_cache);
        Ok(Self {
            model,
            backend: backend(&flags.backend, &flags.cpu_kernels, cache.clone())?,
            cache,
            threads: flags.threads.map_or_else(cores, |n| n as usize),
            out: flags.out,
            figure: flags.plot,
            keep,
            report: match (flags.json, flags.quiet) {
                (true, _) => Report::Json,
                (false, true) => Report::Nothing,
                (false, false) => Report::Text,
            },
            chatter: match (flags.quiet, flags.verbose) {
                (true, _) => Chatter::Nothing,
                (false, true) => Chatter::Remarks,
                (false, false) => Chatter::Progress,
            },
        })
    }

    /// Where recordings have to go for what was asked: nothing is kept that nobody wants.
    pub(crate) fn record_to(&self) -> RecordTo {
        match (&self.out, &self.figure) {
            (Some(dir), Some(_)) if self.keep.is_asked() => RecordTo::Directory(dir.clone()),
            (Some(dir), Some(_)) => RecordTo::Both(dir.clone()),
            (Some(dir), None) => RecordTo::Directory(dir.clone()),
            (None, Some(_)) => RecordTo::Memory,
            (None, None) => RecordTo::Nothing,
        }
    }
}

impl SweepJob {
    fn new(flags: SweepFlags) -> Result<Self, Failure> {
        Ok(Self {
            model: ModelJob {
                path: flags.model,
                dt: flags.dt,
                duration: flags.duration,
                precision: flags.precision.as_deref().map(precision),
                ..ModelJob::default()
            },
            set: flags.set,
            seeds: flags.seeds,
            zip: flags.zip,
            backend: backend(&flags.backend, &flags.cpu_kernels, kept(&flags.backend, !flags.no_cache))?,
            jobs: flags.jobs.map_or_else(cores, |n| n as usize),
            threads: flags.threads as usize,
            out: flags.out,
            record: flags.record,
            chatter: if flags.quiet { Chatter::Nothing } else { Chatter::Progress },
        })
    }

    /// Whether anything is to be said beside the table, warnings and errors.
    pub(crate) fn says(&self) -> bool {
        self.chatter != Chatter::Nothing
    }
}

/// The command line takes no other names than those of precisions and backends.
fn precision(name: &str) -> Precision {
    if name == "f32" { Precision::F32 } else { Precision::F64 }
}

/// Where the backend of that name keeps machine code, if it has some and should.
fn kept(name: &str, wanted: bool) -> Option<Arc<KernelCache>> {
    if wanted && name != "interp" { cache::open().map(Arc::new) } else { None }
}

/// The backend of that name, with the engine of that name.
fn backend(name: &str, kernels: &str, cache: Option<Arc<KernelCache>>) -> Result<Box<dyn Backend>, Failure> {
    let kernels = match kernels {
        "block" => KernelChoice::Block,
        "x86" => KernelChoice::X86,
        _ => KernelChoice::Auto,
    };
    if !kernels.is_available() {
        let message = "this machine has neither AVX2 nor AVX-512, which machine code is made for".to_owned();
        let help = "without the flag, the portable engine runs the kernels, to the same results";
        return Err(mistake("invalid-override", "--cpu-kernels", "x86", message, help));
    }
    Ok(if name == "interp" {
        Box::new(Interp)
    } else {
        Box::new(Cpu.with(CpuOptions { kernels, cache, ..CpuOptions::default() }))
    })
}

/// The cores that this process may use.
pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn run(line: &str) -> RunJob {
        let typed = Typed::try_parse_from(line.split(' ')).expect("the line is well formed");
        match Job::new(typed) {
            Ok(Job::Run(job)) => job,
            Ok(_) => panic!("another job"),
            Err(failure) => panic!("{failure}"),
        }
    }

    #[test]
    fn recordings_go_only_where_somebody_wants_them() {
        let to = |line: &str| run(line).record_to();
        assert_eq!(to("neuropil run m.toml"), RecordTo::Nothing);
        assert_eq!(to("neuropil run m.toml --plot a.png"), RecordTo::Memory);
        assert_eq!(to("neuropil run m.toml --out d"), RecordTo::Directory("d".into()));
        assert_eq!(to("neuropil run m.toml --out d --plot a.SVG"), RecordTo::Both("d".into()));
    }

    #[test]
    fn the_fastest_backend_and_all_cores_are_the_default() {
        let job = run("neuropil run m.toml");
        assert_eq!((job.backend.name(), job.threads), ("cpu", cores()));
        assert_eq!(run("neuropil run m.toml --backend interp").backend.name(), "interp");
        assert_eq!(run("neuropil run m.toml -j 3").threads, 3);
    }

    #[test]
    fn json_is_printed_even_if_nothing_else_is() {
        assert_eq!(run("neuropil run m.toml --json --quiet").report, Report::Json);
        assert_eq!(run("neuropil run m.toml -q").report, Report::Nothing);
        assert_eq!(run("neuropil run m.toml").report, Report::Text);
    }

    #[test]
    fn figures_of_other_formats_are_refused_before_anything_runs() {
        for line in
            ["neuropil run m.toml --plot a.jpg", "neuropil plot d -o a", "neuropil run m.toml --plot .png"]
        {
            let typed = Typed::try_parse_from(line.split(' ')).expect("the line is well formed");
            let failure = Job::new(typed).err().expect("the format is unknown");
            assert_eq!(failure.exit(), crate::failure::Exit::Mistake, "{line}");
        }
    }
}
