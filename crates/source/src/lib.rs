//! The network as it was typed: what a model file and the builder both produce.
//!
//! Names are unresolved and strings unparsed; what is checked here is the structure of the file: fields,
//! their types, duplicates. Meaning is the business of `sema`.
//!
//! * [`NetworkSource`]: the network, with the place of everything that was written.
//! * [`read_file`], [`read_str`]: TOML to [`NetworkSource`] and diagnostics, all of them at once.

mod network;

use std::path::Path;

use neuropil_base::Diagnostics;

pub use network::{
    Assignment, ConnectSource, Constant, Elements, End, EventSource, FormatSource, InputKind, InputSource,
    NetworkSource, NeuronSource, Numbers, PathwaySource, PopulationSource, ProjectionSource, RecordSource,
    Rule, Selection, Settings, StateRecordSource, SumOperation, SumSource, SynapseSource, ValueSource,
    ViewSource,
};

/// Reads a model file and the files that it includes.
#[must_use]
pub fn read_file(path: &Path) -> (NetworkSource, Diagnostics) {
    let _ = path;
    (NetworkSource::default(), Diagnostics::new())
}

/// Reads the text of a model file; `name` is shown in diagnostics, and its folder is where includes are sought.
#[must_use]
pub fn read_str(name: &str, text: &str) -> (NetworkSource, Diagnostics) {
    let _ = (name, text);
    (NetworkSource::default(), Diagnostics::new())
}
