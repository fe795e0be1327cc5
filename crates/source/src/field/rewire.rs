//! `[[synapse.NAME.prune]]` and `[[synapse.NAME.create]]`.

use neuropil_base::Span;

use super::{entries, row};
use crate::RewireSource;
use crate::print::Out;
use crate::reader::{Field, Mode, Reader};
use crate::tree::{Entry, Kind};

/// A rule by which synapses disappear.
pub(crate) const PRUNE: &[Field<RewireSource>] = &[
    row!(string condition = "\"w < 0.01*nS\""),
    row!(text probability = "0.5"),
    row!(text every = "\"1 s\""),
    row!(word when = "\"end\""),
    row!(integer order = "0"),
];

/// A rule by which synapses appear.
pub(crate) const CREATE: &[Field<RewireSource>] = &[
    row!(string condition = "\"r_pre*r_post > 0.2\""),
    row!(text probability = "0.1"),
    row!(text every = "\"1 s\""),
    row!(word when = "\"end\""),
    row!(integer order = "0"),
    row!(assign initial = "{ w = \"0.01*nS\" }"),
    row!(flag self_connections = "false"),
    row!(flag multapses = "false"),
];

impl RewireSource {
    /// A rule that says nothing.
    #[must_use]
    pub fn new(place: Span) -> Self {
        Self {
            condition: None,
            probability: None,
            every: None,
            when: None,
            order: None,
            initial: Vec::new(),
            self_connections: None,
            multapses: None,
            place,
        }
    }
}

/// A list of rules; a single table is a list of one.
pub(crate) fn rules(
    reader: &mut Reader<'_>,
    fields: &[Field<RewireSource>],
    list: &mut Vec<RewireSource>,
    entry: &Entry,
) {
    let items = match &entry.value.kind {
        Kind::Array(items) => items.as_slice(),
        Kind::Table(_) => std::slice::from_ref(&entry.value),
        _ => {
            reader.wrong_type(entry, "tables");
            return;
        }
    };
    let what = format!("`{}`", entry.key.value);
    let mut rules = Vec::new();
    for item in items {
        let Kind::Table(table) = &item.kind else {
            reader.wrong_type(entry, "tables");
            return;
        };
        let mut rule = match (reader.mode, items.len(), list.as_slice()) {
            // `--set synapse.NAME.prune.every=...` changes the one rule that there is.
            (Mode::Override, 1, [only]) => only.clone(),
            (Mode::Override | Mode::Define, ..) => RewireSource::new(entry.key.span),
        };
        reader.fields(fields, &what, &mut rule, table);
        rules.push(rule);
    }
    *list = rules;
}

/// The rules as one would write them.
pub(crate) fn printed(fields: &[Field<RewireSource>], list: &[RewireSource]) -> Option<Out> {
    (!list.is_empty()).then(|| Out::Repeated(list.iter().map(|rule| entries(fields, rule)).collect()))
}
