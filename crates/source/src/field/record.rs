//! `[record]` and `[record.state.NAME]`.

use neuropil_base::{Diagnostic, Span, Spanned};

use super::row;
use crate::print::Out;
use crate::reader::{Field, Object, Reader};
use crate::tree::{Entry, Kind, Table};
use crate::{Elements, RecordSource, Selection, StateRecordSource};

pub(crate) const RECORD: &[Field<RecordSource>] = &[
    row!(@row spikes, false, "\"all\"",
        |r, x, e| if let Some(s) = selection(r, e) { x.spikes = s }, |x| printed(&x.spikes)),
    row!(@row rates, false, "[\"exc\", \"inh\"]",
        |r, x, e| if let Some(s) = selection(r, e) { x.rates = s }, |x| printed(&x.rates)),
    row!(objects state . state = "{ traces = { of = \"cells\", variables = [\"v\"] } }"),
];

fn selection(reader: &mut Reader<'_>, entry: &Entry) -> Option<Selection> {
    let span = entry.value.span;
    match &entry.value.kind {
        Kind::Boolean(true) => Some(Selection::All(span)),
        Kind::Boolean(false) => Some(Selection::Nothing(span)),
        Kind::String(text) if text.text == "all" => Some(Selection::All(span)),
        Kind::Array(items) if items.is_empty() => Some(Selection::Nothing(span)),
        _ => reader.words(entry).map(Selection::Names),
    }
}

fn printed(selection: &Selection) -> Option<Out> {
    match selection {
        Selection::Unspecified => None,
        Selection::Nothing(_) => Some(Out::List(Vec::new())),
        Selection::All(_) => Some(Out::String("all".to_owned())),
        Selection::Names(names) => Some(Out::List(names.iter().map(Out::word).collect())),
    }
}

impl StateRecordSource {
    /// Some variables of all neurons or synapses of an object, at every step.
    #[must_use]
    pub fn new(name: Spanned<String>, of: Spanned<String>, variables: Vec<Spanned<String>>) -> Self {
        Self { name, of, variables, elements: Elements::All, every: None, slot: None, order: None }
    }
}

impl Object for StateRecordSource {
    const KIND: &'static str = "record.state";

    const FIELDS: &'static [Field<Self>] = &[
        row!(word! of = "\"cells\""),
        row!(@row variables, true, "[\"v\"]",
            |r, x, e| if let Some(words) = r.words(e) { x.variables = words },
            |x| Some(Out::List(x.variables.iter().map(Out::word).collect()))),
        row!(@row neurons, false, "[0, 1, 2]", elements, |x| list(&x.elements)),
        // The same for a projection.
        row!(@row synapses, false, "[0, 1, 2]", elements, |_| None),
        row!(@row range, false, "[0, 10]",
        |r, x, e| if let Some((start, stop)) = r.range(e) { x.elements = Elements::Range { start, stop } },
        |x| match &x.elements {
            Elements::Range { start, stop } => Some(Out::List(vec![Out::text(start), Out::text(stop)])),
            Elements::All | Elements::List(_) => None,
        }),
        row!(text every = "\"1 ms\""),
        row!(word slot = "\"start\""),
        row!(integer order = "0"),
    ];

    fn blank(name: Spanned<String>) -> Self {
        let of = Spanned::new(String::new(), name.span);
        Self::new(name, of, Vec::new())
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }

    fn finish(&mut self, reader: &mut Reader<'_>, table: &Table, _place: Span) {
        let mut given =
            table.iter().filter(|e| ["neurons", "synapses", "range"].contains(&e.key.value.as_str()));
        if let (Some(first), Some(second)) = (given.next(), given.next()) {
            let message = format!(
                "`{}` and `{}` both say which elements are recorded",
                first.key.value, second.key.value
            );
            reader.report(
                Diagnostic::error("duplicate-name", second.key.span, message)
                    .related(first.key.span, "first said here"),
            );
        }
    }
}

fn elements(reader: &mut Reader<'_>, record: &mut StateRecordSource, entry: &Entry) {
    let items = match &entry.value.kind {
        Kind::String(text) if text.text == "all" => {
            record.elements = Elements::All;
            return;
        }
        Kind::Integer(_) => std::slice::from_ref(&entry.value),
        Kind::Array(items) => items.as_slice(),
        _ => {
            reader.wrong_type(entry, "\"all\" or integers");
            return;
        }
    };
    let numbers: Option<Vec<Spanned<i64>>> = items
        .iter()
        .map(|node| match &node.kind {
            Kind::Integer(text) => text.parse().ok().map(|n| Spanned::new(n, node.span)),
            _ => None,
        })
        .collect();
    match numbers {
        Some(numbers) => record.elements = Elements::List(numbers),
        None => reader.wrong_type(entry, "\"all\" or integers"),
    }
}

fn list(elements: &Elements) -> Option<Out> {
    match elements {
        Elements::List(numbers) => {
            Some(Out::List(numbers.iter().map(|n| Out::Bare(n.value.to_string())).collect()))
        }
        Elements::All | Elements::Range { .. } => None,
    }
}
