//! `check`, `emit` and `info`, and the models that ship.

use std::path::{Path, PathBuf};

use crate::support::{Directory, NETWORK};

#[test]
fn a_checked_model_is_summed_up_in_a_line() {
    let dir = Directory::with(NETWORK);
    let ran = dir.run(&["check", "m.toml", "--set", "population.others.size=1"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    let line = "m.toml: ok (61 neurons in 2 populations, 1 projection; 100 ms in steps of 100 us)\n";
    assert_eq!(ran.out, line);
}

#[test]
fn every_stage_can_be_printed() {
    let dir = Directory::with(NETWORK);
    for (stage, part) in [
        ("source", "[population.cells]"),
        ("ast", "neuron lif"),
        ("model", "cells"),
        ("step", "population cells"),
        ("ir", "kernel"),
        ("plan", "cells"),
        ("dot", "digraph"),
    ] {
        let ran = dir.run(&["emit", "m.toml", "--stage", stage]);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{stage}");
        assert!(ran.out.contains(part) && ran.out.ends_with('\n'), "{stage}: {}", ran.out);
    }
}

#[test]
fn a_model_that_was_printed_is_the_same_model() {
    let dir = Directory::with(NETWORK);
    let text = dir.run(&["emit", "m.toml", "--stage", "source", "--set", "tau=8ms"]).out;
    std::fs::write(dir.path("n.toml"), text).unwrap();
    let one = dir.json(&["m.toml", "--set", "tau=8ms"]);
    assert_eq!(one["spike_digest"], dir.json(&["n.toml"])["spike_digest"]);
}

#[test]
fn the_machine_is_described() {
    let ran = Directory::new().run(&["info"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    for part in [env!("CARGO_PKG_VERSION"), "threads", "cpu (default), interp", "portable"] {
        assert!(ran.out.contains(part), "{part:?} is missing in {}", ran.out);
    }
}

/// The models that ship, in alphabetical order.
fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut models: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    models.sort();
    models
}

#[test]
fn every_shipped_model_is_right() {
    let dir = Directory::new();
    assert!(!shipped().is_empty());
    for model in shipped() {
        let ran = dir.run(&["check", model.to_str().unwrap()]);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{}", model.display());
    }
}

/// Brunel's network has 15 million synapses; order 250 shows as much.
const SMALLER: &[(&str, &str)] = &[("brunel", "order=250")];

#[test]
fn every_shipped_model_runs_and_can_be_seen() {
    let dir = Directory::new();
    for model in shipped() {
        let name = model.file_stem().unwrap().to_str().unwrap().to_owned();
        let figure = format!("{name}.png");
        let mut arguments = vec![model.to_str().unwrap(), "--duration", "5 ms", "--plot", &figure];
        for (_, set) in SMALLER.iter().filter(|(smaller, _)| *smaller == name) {
            arguments.extend(["--set", set]);
        }
        let json = dir.json(&arguments);
        assert_eq!(json["complete"], true, "{name}");
        assert!(json["neurons"].as_u64() > Some(0), "{name}");
        let bytes = std::fs::read(dir.path(&figure)).unwrap();
        assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 10_000, "{name}: {} bytes", bytes.len());
    }
}
