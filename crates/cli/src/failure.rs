//! Everything that keeps a command from its end: what is said, what may help, and the exit status.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use neuropil::record::RecordError;
use neuropil::{BuildError, Error, ErrorKind, Model, ModelError, RunError};

use crate::console::{self, Message};
use crate::plot::PlotError;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// It did what it was asked to.
    Done,
    /// A run or a file failed.
    Failed,
    /// The model or the command line is wrong.
    Mistake,
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The exit status.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Mistake => 2,
            Self::Interrupted => 130,
        }
    }

    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(self.status())
    }
}

/// Why a command did not come to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The model is wrong.
    Model(Box<ModelError>),
    /// The network could not be built, or its run ended early.
    Simulation(Box<Error>),
    /// A run ended early and left something behind in this directory.
    Left(Box<Error>, PathBuf, Left),
    /// A recording cannot be read.
    Recording(RecordError),
    /// A figure cannot be made.
    Plot(PlotError),
    /// Files cannot be written there.
    Place {
        /// What was to be written.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Compiled kernels cannot be removed.
    Cache {
        /// Where they are.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Standard output cannot be written.
    Output(io::Error),
}

/// What a run that ended early leaves behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Left {
    /// A recording, shorter than planned.
    Recording,
    /// Unfinished files.
    Partial,
}

impl Failure {
    /// A network that could not be built.
    pub(crate) fn build(error: BuildError, model: &Model) -> Self {
        match error {
            BuildError::Model(mut diagnostics) => {
                diagnostics.sort();
                ModelError { diagnostics, sources: model.source().files.clone() }.into()
            }
            other => Self::Simulation(Box::new(other.into())),
        }
    }

    /// Says on standard error what went wrong and what may help.
    pub(crate) fn tell(&self) {
        match self {
            Self::Model(error) => console::show(&error.diagnostics, &error.sources),
            Self::Simulation(_)
            | Self::Left(..)
            | Self::Recording(_)
            | Self::Plot(_)
            | Self::Place { .. }
            | Self::Cache { .. }
            | Self::Output(_) => {
                console::tell(Message::Error, &self.to_string());
                for help in self.help() {
                    console::tell(Message::Help, &help);
                }
            }
        }
    }

    /// The exit status that goes with it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Model(_) | Self::Plot(PlotError::Format { .. }) => Exit::Mistake,
            Self::Simulation(error) | Self::Left(error, ..) => exit(error),
            Self::Recording(_)
            | Self::Plot(_)
            | Self::Place { .. }
            | Self::Cache { .. }
            | Self::Output(_) => Exit::Failed,
        }
    }

    fn help(&self) -> Vec<String> {
        match self {
            Self::Simulation(error) => help(error),
            Self::Left(error, dir, left) => {
                let dir = dir.display();
                let kept = match left {
                    Left::Recording => format!("what was recorded until then is in `{dir}`"),
                    Left::Partial => format!(
                        "what was written until then is in `{dir}`, in files that end in `.partial`; \
                         `neuropil plot {dir}` can draw them"
                    ),
                };
                help(error).into_iter().chain([kept]).collect()
            }
            Self::Place { .. } => {
                vec!["nothing was simulated; choose a place that can be written".to_owned()]
            }
            Self::Recording(RecordError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                vec!["a recording is the directory that `neuropil run MODEL --out DIR` writes".to_owned()]
            }
            Self::Model(_) | Self::Recording(_) | Self::Plot(_) | Self::Cache { .. } | Self::Output(_) => {
                Vec::new()
            }
        }
    }
}

fn exit(error: &Error) -> Exit {
    match error {
        // The rule or the file asks for what cannot be; a file that cannot be read is another matter.
        Error::Build(BuildError::Connect { error, .. }) if !is_io(error) => return Exit::Mistake,
        Error::Build(
            BuildError::Column { .. }
            | BuildError::Element { .. }
            | BuildError::Length { .. }
            | BuildError::Link { .. },
        ) => {
            return Exit::Mistake;
        }
        Error::Model(_) | Error::Build(_) | Error::Run(_) | Error::Record(_) => {}
    }
    match error.kind() {
        ErrorKind::Model | ErrorKind::Argument => Exit::Mistake,
        ErrorKind::Memory | ErrorKind::Build | ErrorKind::NonFinite | ErrorKind::Host | ErrorKind::Io => {
            Exit::Failed
        }
    }
}

/// Whether an error has one of the operating system's beneath it.
fn is_io(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |e| e.source()).any(|e| e.is::<io::Error>())
}

fn help(error: &Error) -> Vec<String> {
    if let Error::Build(BuildError::Connect { error, .. }) = error {
        return error.help().map(str::to_owned).into_iter().collect();
    }
    let line = match error.kind() {
        ErrorKind::NonFinite => match error {
            Error::Build(_) => "look at the variable's `initial` value",
            Error::Model(_) | Error::Run(_) | Error::Record(_) => {
                "try a smaller `--dt`, or another `method`; \
                 `neuropil emit MODEL --stage step` shows what is computed in a step"
            }
        },
        ErrorKind::Memory => {
            "use fewer neurons or synapses, `--precision f32`, or a machine with more memory"
        }
        ErrorKind::Model | ErrorKind::Build | ErrorKind::Argument | ErrorKind::Host | ErrorKind::Io => {
            return Vec::new();
        }
    };
    vec![line.to_owned()]
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(error) => error.fmt(f),
            Self::Simulation(error) | Self::Left(error, ..) => error.fmt(f),
            Self::Recording(error) => error.fmt(f),
            Self::Plot(error) => error.fmt(f),
            Self::Cache { path, source } => {
                write!(f, "cannot remove compiled kernels from `{}`: {source}", path.display())
            }
            Self::Place { path, source } => write!(f, "cannot write `{}`: {source}", path.display()),
            Self::Output(source) => write!(f, "cannot write to standard output: {source}"),
        }
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self::Model(Box::new(error))
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self::Simulation(Box::new(error.into()))
    }
}

impl From<PlotError> for Failure {
    fn from(error: PlotError) -> Self {
        match error {
            PlotError::Record(error) => Self::Recording(error),
            other => Self::Plot(other),
        }
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self::Recording(error)
    }
}
