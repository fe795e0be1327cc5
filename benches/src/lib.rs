//! Measurements of kernels and whole networks; the measuring programs are in `benches/`.

use std::path::PathBuf;

/// The file of a shipped model.
#[must_use]
pub fn model_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models").join(format!("{name}.toml"))
}
