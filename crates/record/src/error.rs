//! Everything that can go wrong with a recording.

use std::io;
use std::path::{Path, PathBuf};

use neuropil_memory::MapError;

/// A recording that cannot be made, written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The operating system refused something: a full disk, a directory that cannot be written.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried: `create`, `write`, `read`, `rename`, `remove`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A directory into which somebody else is recording.
    #[error("another recording is being written into `{}`; `{file}` is in use", dir.display())]
    Busy {
        /// The directory.
        dir: PathBuf,
        /// The file by which that is known.
        file: String,
    },
    /// A recorder whose description makes no sense.
    #[error("recorder `{recorder}`: {message}")]
    Spec {
        /// Its name.
        recorder: String,
        /// What is wrong.
        message: String,
    },
    /// A name that cannot be part of a file name.
    #[error("`{name}` cannot be part of a file name; letters, digits, `_`, `-` and `.` inside can")]
    Name {
        /// The name.
        name: String,
    },
    /// Two recorders or variables that would be written to one file.
    #[error("two recorders write the file `{file}`")]
    SameFile {
        /// The file name.
        file: String,
    },
    /// An id outside the list of recorders.
    #[error("there is no recorder number `{id}`; there are {n_recorders}")]
    UnknownId {
        /// The id.
        id: usize,
        /// Recorders of this sink.
        n_recorders: usize,
    },
    /// A name that no recorder, variable or file has.
    #[error("the recording has no {what} `{name}`; it has {}", list(known))]
    UnknownName {
        /// `recorder`, `variable` or `file`.
        what: &'static str,
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// A recorder of one kind was given or asked for data of another.
    #[error("recorder `{recorder}` records {is}, not {asked}")]
    Kind {
        /// Its name.
        recorder: String,
        /// What it records.
        is: &'static str,
        /// What was given or asked for.
        asked: &'static str,
    },
    /// A row with too many or too few variables.
    #[error("recorder `{recorder}` takes rows of {expected} variables, not `{found}`")]
    RowWidth {
        /// Its name.
        recorder: String,
        /// Variables of the recorder.
        expected: usize,
        /// Variables of the row.
        found: usize,
    },
    /// A column of a row with too many or too few bytes.
    #[error("recorder `{recorder}` takes {expected} bytes of `{variable}` per row, not `{found}`")]
    ColumnSize {
        /// Its name.
        recorder: String,
        /// The variable.
        variable: String,
        /// Bytes of all recorded elements.
        expected: usize,
        /// Bytes that came.
        found: usize,
    },
    /// The sink has finished, or stopped at an earlier error, and takes nothing more.
    #[error("the recording in `{}` is closed", dir.display())]
    Closed {
        /// Its directory.
        dir: PathBuf,
    },
    /// A mark that a recording cannot go back to.
    #[error("cannot go back to the mark: {message}")]
    Mark {
        /// Why not.
        message: String,
    },
    /// A recording of something else than what is to be recorded on.
    #[error("cannot go on with the recording in `{}`: its {what} is `{recorded}`, not `{asked}`", dir.display())]
    Differs {
        /// Its directory.
        dir: PathBuf,
        /// The first thing that differs.
        what: String,
        /// What was recorded.
        recorded: String,
        /// What is to be recorded.
        asked: String,
    },
    /// A manifest that is not one of ours, or is damaged.
    #[error("`{}` is not a manifest: {message}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A data file that is damaged, truncated or of an unexpected type.
    #[error("`{}` is not a usable .npy file: {message}", path.display())]
    Npy {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

impl From<MapError> for RecordError {
    fn from(error: MapError) -> Self {
        match error {
            MapError::Io { action, path, source } => Self::Io { action, path, source },
            MapError::Busy { path } => {
                let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Self::Busy { dir: path.parent().unwrap_or(&path).to_owned(), file }
            }
        }
    }
}

impl RecordError {
    /// An error of the operating system while it did `action` to `path`.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }

    /// A damaged data file.
    pub(crate) fn npy(path: &Path, message: impl Into<String>) -> Self {
        Self::Npy { path: path.to_owned(), message: message.into() }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
