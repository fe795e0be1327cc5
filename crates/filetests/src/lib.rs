//! Tests that are files: a text goes into a stage, and what comes out is compared with the file.
//!
//! A file `files/STAGE/NAME.txt` holds a sentence on what it shows, the input, and the expectation, with a line of
//! four hyphens between them:
//!
//! ```text
//! A sum binds less tightly than a product.
//! ----
//! (a*b) + c
//! ----
//! a * b + c
//! ```
//!
//! Each file is a test `STAGE/NAME`. With `BLESS=1` in the environment (`cargo xtask bless`) expectations are written
//! anew instead of being compared. The examples of documents are tests too, see [`document`].
//!
//! * [`stage::STAGES`]: the stages, one row each.
//! * [`case`]: files and their parts.
//! * [`document`]: the examples of the README and of the language reference.

pub mod case;
pub mod document;
pub mod stage;

use std::path::{Path, PathBuf};

/// The Rust example of the README, as a documentation test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The root of the project.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}
