//! Tasks of the developers: `cargo xtask NAME`.
//!
//! A task runs other programs from the root of the project, prints each command line before it runs, stops at
//! the first that fails and ends with that program's exit status. Nothing but Rust is needed to start one.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

mod c;
mod command;
mod model;
mod suite;

use std::process::ExitCode;

use command::Failure;

/// A task: its name, its arguments, what it does, and the function that does it.
struct Task {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<(), Failure>,
}

const TASKS: &[Task] = &[
    Task {
        name: "test",
        arguments: "[SUITE]...",
        about: "all tests of the project, or some of its suites",
        run: suite::test,
    },
    Task {
        name: "bless",
        arguments: "",
        about: "writes the expectations of the filetests and the C header anew; look at the difference before you commit it",
        run: suite::bless,
    },
    Task {
        name: "models",
        arguments: "[NAME]...",
        about: "runs every shipped model, or some, for a short time with 1 and 2 threads",
        run: model::models,
    },
    Task {
        name: "install-c",
        arguments: "PREFIX",
        about: "builds the C library and installs it, its header and its pkg-config file below a folder",
        run: c::install,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        eprint!("{}", usage());
        return ExitCode::from(2);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprint!("error: unknown task `{name}`\n\n{}", usage());
        return ExitCode::from(2);
    };
    match (task.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.status())
        }
    }
}

/// What `cargo xtask help` prints.
fn usage() -> String {
    let mut text = String::from("cargo xtask NAME\n\n");
    for task in TASKS {
        let line = format!("{} {}", task.name, task.arguments);
        text += &format!("  {line:20} {}\n", task.about);
    }
    text += "\nsuites of `cargo xtask test`:\n\n";
    for suite in suite::SUITES {
        text += &format!("  {:20} {}\n", suite.name, suite.about);
    }
    text
}
