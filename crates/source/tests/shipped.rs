//! The models that ship are read without a word, and survive being printed.
#![allow(clippy::expect_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    files
}

#[test]
fn shipped_models_read_back_as_they_were_printed() {
    let files = shipped();
    assert!(files.len() >= 9, "{files:?}");
    for path in files {
        let (network, diagnostics) = neuropil_source::read_file(&path);
        assert!(diagnostics.is_empty(), "{}", diagnostics.render(&network.files));
        let text = network.to_toml();
        let (back, diagnostics) = neuropil_source::read_str(&path.to_string_lossy(), &text);
        assert!(diagnostics.is_empty(), "{}", diagnostics.render(&back.files));
        assert_eq!(back.without_places(), network.without_places());
    }
}

#[test]
fn shipped_models_say_what_they_are() {
    for path in shipped() {
        let text = std::fs::read_to_string(&path).expect("a file");
        for line in ["# What:", "# Paper:", "# Measured:", "# Expected:", "doi:"] {
            assert!(text.contains(line), "{} lacks `{line}`", path.display());
        }
        let (network, _) = neuropil_source::read_file(&path);
        let settings = &network.settings;
        assert!(settings.title.is_some() && settings.reference.is_some(), "{}", path.display());
        let says_how_long = settings.duration.is_some() || !network.runs.is_empty();
        assert!(settings.dt.is_some() && says_how_long, "{}", path.display());
    }
}
