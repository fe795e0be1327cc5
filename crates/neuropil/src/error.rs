//! The one error type of the facade.

use std::fmt;

use neuropil_base::{Diagnostics, SourceMap};
use neuropil_engine::{BuildError, CheckpointError, RunError};
use neuropil_record::RecordError;

/// What can go wrong, in one type; [`kind`](Self::kind) says which sort it is.
#[derive(Debug)]
pub enum Error {
    /// The model is wrong: all mistakes with the texts that they are in.
    Model(ModelError),
    /// The network could not be built.
    Build(BuildError),
    /// A run ended early.
    Run(RunError),
    /// A recording could not be written or read.
    Record(RecordError),
}

/// The sorts of errors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ErrorKind {
    /// The model is wrong.
    Model,
    /// The network does not fit into memory.
    Memory,
    /// The network could not be built for another reason.
    Build,
    /// A variable became infinite or not a number.
    NonFinite,
    /// A name, a length or a time that does not fit the network.
    Argument,
    /// A function of the program that runs the simulation failed.
    Host,
    /// A file, a recording or a device failed.
    Io,
}

fn of_checkpoint(error: &CheckpointError) -> ErrorKind {
    match error {
        CheckpointError::Differs { .. } | CheckpointError::Changed => ErrorKind::Argument,
        CheckpointError::Io { .. }
        | CheckpointError::Foreign { .. }
        | CheckpointError::Version { .. }
        | CheckpointError::Damaged { .. } => ErrorKind::Io,
    }
}

fn of_build(error: &BuildError) -> ErrorKind {
    match error {
        BuildError::Memory { .. } => ErrorKind::Memory,
        BuildError::Initial { .. } => ErrorKind::NonFinite,
        BuildError::Record(_) => ErrorKind::Io,
        BuildError::Checkpoint(error) => of_checkpoint(error),
        BuildError::Model(_)
        | BuildError::Lower(_)
        | BuildError::Connect { .. }
        | BuildError::Column { .. }
        | BuildError::Element { .. }
        | BuildError::Link { .. }
        | BuildError::Length { .. }
        | BuildError::Backend(_) => ErrorKind::Build,
    }
}

/// Mistakes in a model and the texts that they are in.
#[derive(Clone, PartialEq, Debug)]
pub struct ModelError {
    /// The mistakes, as the text is read.
    pub diagnostics: Diagnostics,
    /// The texts.
    pub sources: SourceMap,
}

impl Error {
    /// Which sort of error it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Model(_) => ErrorKind::Model,
            Self::Build(error) => of_build(error),
            Self::Run(RunError::Build(error)) => of_build(error),
            Self::Run(RunError::NonFinite { .. }) => ErrorKind::NonFinite,
            Self::Record(_) => ErrorKind::Io,
            Self::Run(RunError::Host { .. }) => ErrorKind::Host,
            Self::Run(
                RunError::Duration(_)
                | RunError::UnknownVariable { .. }
                | RunError::UnknownRecorder { .. }
                | RunError::UnknownEvent { .. }
                | RunError::UnknownHost { .. }
                | RunError::Unbound { .. }
                | RunError::EndsThere { .. }
                | RunError::UnknownProjection { .. }
                | RunError::NoSynapse { .. }
                | RunError::Fixed { .. }
                | RunError::Listed { .. }
                | RunError::NothingStored { .. }
                | RunError::Length { .. },
            ) => ErrorKind::Argument,
            Self::Run(RunError::Checkpoint(error)) => of_checkpoint(error),
            Self::Run(RunError::Machine(_) | RunError::Device(_) | RunError::Record(_)) => ErrorKind::Io,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(error) => error.fmt(f),
            Self::Build(error) => error.fmt(f),
            Self::Run(error) => error.fmt(f),
            Self::Record(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostics.render(&self.sources))
    }
}

impl std::error::Error for ModelError {}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Model(error) => Some(error),
            Self::Build(error) => Some(error),
            Self::Run(error) => Some(error),
            Self::Record(error) => Some(error),
        }
    }
}

impl From<ModelError> for Error {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl From<BuildError> for Error {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

impl From<RecordError> for Error {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}
