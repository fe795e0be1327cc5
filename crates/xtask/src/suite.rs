//! The suites of `cargo xtask test`: one row each, run in their order, every one with its own set-up.

use std::process::Command;

use crate::c;
use crate::command::{Failure, cargo, run};

/// Tests of one language or tool.
pub(crate) struct Suite {
    /// What `cargo xtask test NAME` calls it.
    pub(crate) name: &'static str,
    /// What is tested, in one line.
    pub(crate) about: &'static str,
    /// The commands, set-up first. They are made when they are needed, so that a later one can depend on what
    /// an earlier suite left behind.
    commands: fn() -> Vec<Command>,
}

/// All suites. A new language adds a row here, and nothing in `.ci/run` changes.
pub(crate) const SUITES: &[Suite] = &[
    Suite {
        name: "rust",
        about: "every crate of the workspace: unit, property, file and documentation tests",
        commands: || vec![cargo(&["test", "--workspace"])],
    },
    Suite {
        name: "c",
        about: "the C library as it is installed: C and C++ programs, also with sanitizers",
        commands: c::suite,
    },
];

/// `cargo xtask test [SUITE]...`
pub(crate) fn test(names: &[String]) -> Result<(), Failure> {
    for suite in chosen(names)? {
        println!("suite {}: {}", suite.name, suite.about);
        for command in (suite.commands)() {
            run(command)?;
        }
    }
    Ok(())
}

/// `cargo xtask bless`
pub(crate) fn bless(arguments: &[String]) -> Result<(), Failure> {
    if let Some(argument) = arguments.first() {
        return Err(Failure::Usage(format!("`bless` takes no argument, but there is `{argument}`")));
    }
    for package in ["neuropil-source", "neuropil-filetests", "neuropil-c"] {
        let mut command = cargo(&["test", "--package", package]);
        command.env("BLESS", "1");
        run(command)?;
    }
    Ok(())
}

/// The suites of those names, in the order of the table; all of them if there are no names.
fn chosen(names: &[String]) -> Result<Vec<&'static Suite>, Failure> {
    if let Some(unknown) = names.iter().find(|name| !SUITES.iter().any(|suite| suite.name == **name)) {
        let known: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
        return Err(Failure::Usage(format!("unknown suite `{unknown}`; there are: {}", known.join(", "))));
    }
    Ok(SUITES
        .iter()
        .filter(|suite| names.is_empty() || names.iter().any(|name| name == suite.name))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_names_every_suite_runs() {
        assert_eq!(chosen(&[]).expect("no name is unknown").len(), SUITES.len());
    }

    #[test]
    fn an_unknown_suite_is_a_mistake_of_the_command_line() {
        let failure = chosen(&["rsut".to_owned()]).err().expect("there is no such suite");
        assert_eq!(failure.status(), 2);
        assert!(failure.to_string().contains("`rsut`"));
    }

    #[test]
    fn every_suite_has_commands_and_a_name_of_its_own() {
        for (k, suite) in SUITES.iter().enumerate() {
            assert!(!(suite.commands)().is_empty());
            assert!(SUITES[..k].iter().all(|other| other.name != suite.name));
        }
    }
}
