//! Rules about the repository itself, held by tests: layering, house style, documents.
//!
//! A rule is a function from the [`Repository`] to the [`Problem`]s it found, so that `tests/repository.rs` can
//! hold it on the real tree and the unit tests of each module can show, on a small made-up tree, that it
//! finds what it is there for.
//!
//! * [`layer`]: who may depend on whom, and why a foreign package is here.
//! * [`style`]: first lines, lengths, markers, white space, paths of one machine.
//! * [`unsafety`]: where `unsafe` may stand, and with what comment.
//! * [`document`]: links, README, change log, codes of diagnostics, papers of models.

pub mod code;
pub mod document;
pub mod layer;
mod repository;
pub mod style;
pub mod unsafety;

pub use repository::{Problem, Repository};
