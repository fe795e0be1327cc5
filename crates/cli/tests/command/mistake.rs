//! Wrong models and wrong command lines: all mistakes at once, exit status 2, nothing written.

use crate::support::{Directory, NETWORK};

/// A model with `from` replaced by `to`.
fn with(from: &str, to: &str) -> Directory {
    assert!(NETWORK.contains(from));
    Directory::with(&NETWORK.replace(from, to))
}

#[test]
fn all_mistakes_of_a_model_are_told_at_once_and_nothing_is_written() {
    let dir = with("v > 10*mV", "v > Vt");
    std::fs::write(
        dir.path("m.toml"),
        std::fs::read_to_string(dir.path("m.toml")).unwrap().replace("v_post += w", "v_post += w*volt"),
    )
    .unwrap();
    for command in [
        &["run", "m.toml", "--out", "o", "--plot", "p.png"][..],
        &["run", "m.toml", "--json"],
        &["check", "m.toml"],
        &["emit", "m.toml", "--stage", "ir"],
    ] {
        let ran = dir.run(command);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{command:?}");
        for part in ["`Vt`", "m.toml:", "^^", "2 errors", "volt"] {
            assert!(ran.err.contains(part), "{part:?} is missing in {}", ran.err);
        }
        assert_eq!(dir.names(), ["m.toml"], "{command:?}");
    }
}

#[test]
fn mistakes_that_only_integration_finds_write_nothing_either() {
    let dir = with("(drive - v)/tau + 1*mV*xi*tau**-0.5", "(drive - v*v/volt)/tau");
    let ran = dir.run(&["run", "m.toml", "--set", "method=exact", "--out", "o"]);
    assert_eq!(ran.status, 2, "{}", ran.err);
    assert_eq!(dir.names(), ["m.toml"]);
}

#[test]
fn connections_that_cannot_be_made_are_mistakes_of_the_model() {
    let dir = with("rule = \"fixed_probability\", p = 0.2", "rule = \"file\", file = \"pairs.csv\"");
    std::fs::write(dir.path("pairs.csv"), "i,j\n0,1\n0,99\n").unwrap();
    let ran = dir.run(&["run", "m.toml", "--out", "o"]);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{}", ran.err);
    for part in ["error: projection `chain`: ", "`99`", "= help: neurons are counted from 0"] {
        assert!(ran.err.contains(part), "{part:?} is missing in {}", ran.err);
    }
    assert_eq!(dir.names(), ["m.toml", "pairs.csv"]);
}

#[test]
fn wrong_values_on_the_command_line_point_at_themselves() {
    let dir = Directory::with(NETWORK);
    for (arguments, part) in [
        (&["--set", "taus=1 ms", "--set", "drvie=1"][..], "did you mean `tau`?"),
        (&["--set", "taus=1 ms", "--set", "drvie=1"], "did you mean `drive`?"),
        (&["--set", "tau=1 mV"], "unit-mismatch"),
        (&["--set", "dt=1 mV"], "--set:1:4"),
        (&["--set", "tau"], "`name=value`"),
        (&["--duration", "1 mV"], "--duration"),
        (&["--duration", "soon"], "--duration"),
        (&["--duration", "-1s"], "--duration"),
        (&["--duration", "1e12 s"], "larger `dt`"),
        (&["--dt", "0 ms"], "--dt"),
        (&["--plot", "p.pdf"], "`.png` or `.svg`"),
        (&["-j", "0"], "--threads"),
        (&["--backend", "gpu"], "interp"),
        (&["--durration", "1s"], "--duration"),
        (&["--seed", "x"], "--seed"),
    ] {
        let ran = dir.run(&[&["run", "m.toml", "--out", "o"], arguments].concat());
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(part), "{arguments:?}: {part:?} is missing in {}", ran.err);
        assert_eq!(dir.names(), ["m.toml"], "{arguments:?}");
    }
}

#[test]
fn a_model_that_is_not_there_is_named() {
    let dir = Directory::new();
    for command in ["run", "check"] {
        let ran = dir.run(&[command, "nowhere.toml"]);
        assert_eq!(ran.status, 2);
        assert!(ran.err.contains("cannot read `nowhere.toml`"), "{}", ran.err);
    }
}

#[test]
fn a_warning_is_said_once() {
    let dir = with("delay = \"1*ms + i*0.1*ms\"", "delay = \"0.123 ms\"");
    for command in [&["run", "m.toml", "--duration", "1ms"][..], &["check", "m.toml"]] {
        let ran = dir.run(command);
        assert_eq!(ran.status, 0, "{}", ran.err);
        let said = ran.err.matches("warning[").count() + ran.err.matches("were rounded").count();
        assert_eq!(said, 1, "{}", ran.err);
    }
}

#[test]
fn help_and_version_end_well() {
    let dir = Directory::new();
    for (arguments, part) in [
        (&["--help"][..], "Usage: neuropil"),
        (&["run", "--help"], "--plot"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
    ] {
        let ran = dir.run(arguments);
        assert_eq!(ran.status, 0);
        assert!(ran.out.contains(part), "{}", ran.out);
    }
    assert_eq!(dir.run(&[]).status, 2);
}
