//! Every shipped model and every network of `cases/` and `golden/`, on every backend, in both precisions: one named
//! trial each.

#![allow(clippy::expect_used, clippy::print_stderr, reason = "a test program")]

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use neuropil::{Model, Precision};
use neuropil_conformance::{Case, Claim, Target, compare, small};

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut trials = Vec::new();
    // Shipped models are large: the interpreter takes about a microsecond per element and instruction.
    trials.extend(of_folder(&root.join("../models"), 20));
    trials.extend(of_folder(&root.join("cases"), 200));
    trials.extend(of_folder(&root.join("golden"), 80));
    libtest_mimic::run(&arguments, trials).exit();
}

fn of_folder(folder: &Path, steps: u64) -> Vec<Trial> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of models")
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    let mut trials = Vec::new();
    for file in files {
        let name = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        for target in Target::ALL {
            for precision in [Precision::F32, Precision::F64] {
                let file = file.clone();
                let title = format!("{name}::{}::{precision}", target.name());
                trials.push(Trial::test(title, move || one(&file, steps, target, precision)));
            }
        }
    }
    trials
}

fn one(file: &Path, steps: u64, target: Target, precision: Precision) -> Result<(), Failed> {
    let model = small(Model::read(file)?);
    let name = file.display().to_string();
    let case = Case { name, model, steps, claim: Claim::Bitwise };
    compare(&case, target, precision).map_err(Failed::from)
}
