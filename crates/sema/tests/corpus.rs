//! Small models and what is said of them: `models/bad/NAME.toml` and the diagnostics in `NAME.txt`.
//!
//! With the environment variable `BLESS` set, the expectations are written instead of compared.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

fn models(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    paths.sort();
    paths
}

/// What reading and analysing a model says; the text is given to the reader under its bare name.
fn said(path: &Path) -> (bool, String) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let (source, mut diagnostics) = neuropil_source::read_str(name, &fs::read_to_string(path).unwrap());
    let (network, more) = neuropil_sema::analyse(&source);
    diagnostics.append(more);
    diagnostics.sort();
    (network.is_some(), diagnostics.render(&source.files))
}

#[test]
fn every_bad_model_gets_the_expected_diagnostics() {
    let mut wrong = String::new();
    for path in models("bad") {
        let (network, text) = said(&path);
        assert!(!network, "{} is accepted", path.display());
        let expectation = path.with_extension("txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expectation, text + "\n").unwrap();
        } else if fs::read_to_string(&expectation).unwrap_or_default() != text.clone() + "\n" {
            wrong.push_str(&format!("{}:\n{text}\n\n", path.display()));
        }
    }
    assert!(wrong.is_empty(), "unexpected diagnostics (BLESS=1 accepts them):\n{wrong}");
}

#[test]
fn every_good_model_is_accepted_without_a_word() {
    for path in models("good") {
        let (network, text) = said(&path);
        assert!(network && text.is_empty(), "{}:\n{text}", path.display());
    }
}

#[test]
fn every_model_that_ships_is_accepted_without_a_word() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "toml") {
            let (source, mut diagnostics) = neuropil_source::read_file(&path);
            let (network, more) = neuropil_sema::analyse(&source);
            diagnostics.append(more);
            assert!(network.is_some() && diagnostics.is_empty(), "{}", diagnostics.render(&source.files));
        }
    }
}
