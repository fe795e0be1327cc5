//! Every file below `files`, and every example of the documents, as a test of its own.

#![allow(clippy::expect_used, reason = "a test may panic")]

use libtest_mimic::{Arguments, Failed, Trial};
use neuropil_filetests::{case, document, root};

fn main() {
    let arguments = Arguments::from_args();
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let mut trials = files(bless);
    trials.extend(document::DOCUMENTS.iter().flat_map(|document| examples(document)));
    libtest_mimic::run(&arguments, trials).exit();
}

fn files(bless: bool) -> Vec<Trial> {
    let folder = root().join("crates/filetests/files");
    let files = case::files(&folder).expect("the folder of test files can be listed");
    let trial = |file: case::File| {
        Trial::test(file.name.clone(), move || case::hold(&file, bless).map_err(Failed::from))
    };
    files.into_iter().map(trial).collect()
}

fn examples(document: &'static str) -> Vec<Trial> {
    let text = std::fs::read_to_string(root().join(document)).expect("the document can be read");
    let trial = |example: document::Example| {
        let name = format!("{document}:{}", example.line);
        Trial::test(name, move || document::hold(&example).map_err(Failed::from))
    };
    document::examples(&text).into_iter().map(trial).collect()
}
