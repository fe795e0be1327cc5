//! Programs that a task runs: shown, run from the root of the project, and held to succeed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a task failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line was wrong.
    Usage(String),
    /// A program could not be started.
    Start {
        /// The command line.
        line: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A program ended with another status than 0.
    Status {
        /// The command line.
        line: String,
        /// Its exit status; none if a signal ended it.
        code: Option<i32>,
    },
    /// A program succeeded, but what it did is wrong.
    Wrong(String),
}

impl Failure {
    /// The exit status of the task.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Start { .. } | Self::Wrong(_) => 1,
            Self::Status { code, .. } => {
                code.and_then(|c| u8::try_from(c).ok()).filter(|c| *c != 0).unwrap_or(1)
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Wrong(message) => f.write_str(message),
            Self::Start { line, error } => write!(f, "cannot start `{line}`: {error}"),
            Self::Status { line, code: Some(code) } => write!(f, "`{line}` ended with status {code}"),
            Self::Status { line, code: None } => write!(f, "`{line}` was ended by a signal"),
        }
    }
}

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The build folder.
pub(crate) fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    root().join(target)
}

/// Cargo as it runs this task, from the root of the project.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// A program that runs from the root of the project.
pub(crate) fn program(path: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(path);
    command.current_dir(root());
    command
}

/// The command as a person would type it, with cargo by its plain name.
pub(crate) fn line(command: &Command) -> String {
    let name = Path::new(command.get_program());
    let short = name.file_stem().unwrap_or(name.as_os_str());
    let settings = command.get_envs().filter_map(|(key, value)| Some((key, value?)));
    let mut words: Vec<String> =
        settings.map(|(key, value)| format!("{}={}", key.display(), value.display())).collect();
    words.push(short.display().to_string());
    words.extend(command.get_args().map(|a| a.display().to_string()));
    words.join(" ")
}

/// Runs the command with this task's terminal.
pub(crate) fn run(mut command: Command) -> Result<(), Failure> {
    let line = line(&command);
    println!("$ {line}");
    let status = command.status().map_err(|error| Failure::Start { line: line.clone(), error })?;
    if status.success() { Ok(()) } else { Err(Failure::Status { line, code: status.code() }) }
}

/// Runs the command and gives what it printed on standard output.
pub(crate) fn output(mut command: Command) -> Result<String, Failure> {
    let line = line(&command);
    println!("$ {line}");
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::Start { line: line.clone(), error })?;
    if !output.status.success() {
        return Err(Failure::Status { line, code: output.status.code() });
    }
    String::from_utf8(output.stdout).map_err(|_| Failure::Wrong(format!("`{line}` printed no UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_of_a_program_is_the_status_of_its_task() {
        let failed = |code| Failure::Status { line: String::new(), code }.status();
        assert_eq!(failed(Some(101)), 101);
        assert_eq!(failed(None), 1);
        assert_eq!(failed(Some(-1)), 1);
    }

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = program("some/where/cargo");
        command.args(["test", "--workspace"]).env("BLESS", "1");
        assert_eq!(line(&command), "BLESS=1 cargo test --workspace");
    }

    #[test]
    fn the_root_is_where_the_workspace_is_declared() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the root has a manifest");
        assert!(manifest.contains("[workspace]"));
    }
}
