//! Every file of `tests/bad` gives the diagnostics in the file of the same name that ends in `.txt`.
//! `BLESS=1 cargo test -p neuropil-source` writes them anew.

#![allow(clippy::expect_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

fn bad_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    files
}

#[test]
fn bad_files_give_their_diagnostics() {
    let mut wrong = Vec::new();
    for path in bad_files() {
        let (network, diagnostics) = neuropil_source::read_file(&path);
        assert!(diagnostics.has_errors(), "{} is not bad", path.display());
        let folder = format!("{}/", path.parent().expect("a folder").display());
        // Paths are shown as they were opened; the expectation must not know where the project lies.
        let text = diagnostics.render(&network.files).replace(&folder, "") + "\n";
        let expected = path.with_extension("txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&expected, &text).expect("the folder can be written to");
        } else if std::fs::read_to_string(&expected).unwrap_or_default() != text {
            wrong.push(format!("{}:\n{text}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
