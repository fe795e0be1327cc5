//! `[[run]]` and `[network.NAME]`.

use neuropil_base::{Diagnostic, Spanned, Text};

use super::{entries, row};
use crate::print::{Entries, Out};
use crate::reader::{Field, Object, Reader};
use crate::tree::{Entry, Kind, Node};
use crate::{ConnectSource, ObjectChange, RunSource, SubnetworkSource, UntilSource};

pub(crate) const RUN: &[Field<RunSource>] = &[
    row!(text repeat = "10"),
    row!(word counter = "\"trial\""),
    row!(word restore = "\"start\""),
    row!(@row connect, false, "{ exc = \"all_to_all\" }", reconnect,
    |x| {
        let list: Entries =
            x.connect.iter().map(|(name, c)| (name.value.clone(), super::projection::printed(c))).collect();
        (!list.is_empty()).then_some(Out::Dotted(list))
    }),
    row!(@row delays, false, "{ exc = { pre = \"2 ms\" } }",
        |r, x, e| changes(r, &mut x.delays, e), |x| printed(&x.delays)),
    row!(@row set, false, "{ cells = { I = \"1*nA\" } }",
        |r, x, e| changes(r, &mut x.set, e), |x| printed(&x.set)),
    row!(@row on, false, "[\"noise\"]",
        |r, x, e| if let Some(words) = r.words(e) { x.on = words }, |x| names(&x.on)),
    row!(@row off, false, "[\"noise\"]",
        |r, x, e| if let Some(words) = r.words(e) { x.off = words }, |x| names(&x.off)),
    row!(word network = "\"training\""),
    row!(text duration = "\"100 ms\""),
    row!(@row until, false, "{ of = \"cells\", condition = \"v > 10*mV\" }", until,
        |x| x.until.as_ref().map(|u| Out::Inline(entries(UNTIL, u)))),
    row!(@row run, false, "[{ duration = \"10 ms\" }]", |r, x, e| runs(r, &mut x.runs, e), |x| printed_runs(&x.runs)),
    row!(word store = "\"start\""),
];

const UNTIL: &[Field<UntilSource>] =
    &[row!(word! of = "\"cells\""), row!(string! condition = "\"v > 10*mV\""), row!(text count = "\"all\"")];

/// Reads `[[run]]`; a single `[run]` is a list of one. A list replaces the one before.
pub(crate) fn runs(reader: &mut Reader<'_>, list: &mut Vec<RunSource>, entry: &Entry) {
    let items = match &entry.value.kind {
        Kind::Array(items) => items.as_slice(),
        Kind::Table(_) => std::slice::from_ref(&entry.value),
        _ => {
            reader.wrong_type(entry, "tables");
            return;
        }
    };
    list.clear();
    for item in items {
        let Kind::Table(table) = &item.kind else {
            reader.wrong_type(entry, "tables");
            return;
        };
        let mut run = RunSource { place: item.span, ..RunSource::default() };
        reader.fields(RUN, "`run`", &mut run, table);
        list.push(run);
    }
}

pub(crate) fn printed_runs(runs: &[RunSource]) -> Option<Out> {
    (!runs.is_empty()).then(|| Out::Repeated(runs.iter().map(|r| entries(RUN, r)).collect()))
}

fn reconnect(reader: &mut Reader<'_>, run: &mut RunSource, entry: &Entry) {
    let Some(table) = reader.table(entry) else { return };
    for entry in table {
        let mut connect = ConnectSource::all_to_all(entry.key.span);
        super::projection::connect(reader, &mut connect, entry);
        run.connect.push((entry.key.clone(), connect));
    }
}

fn changes(reader: &mut Reader<'_>, list: &mut Vec<ObjectChange>, entry: &Entry) {
    let Some(table) = reader.table(entry) else { return };
    for entry in table {
        if !matches!(entry.value.kind, Kind::Table(_)) {
            let name = &entry.key.value;
            let message = format!("`{name}` is an object, not a variable");
            reader.report(
                Diagnostic::error("wrong-type", entry.value.span, message)
                    .help(format!("name one of its variables, or of its pathways: `{name}.NAME = ...`")),
            );
            continue;
        }
        let mut change = ObjectChange { object: entry.key.clone(), values: Vec::new() };
        reader.assignments(&mut change.values, entry);
        list.push(change);
    }
}

fn printed(list: &[ObjectChange]) -> Option<Out> {
    let values = |c: &ObjectChange| match Out::assignments(&c.values) {
        Some(Out::Dotted(values)) => Out::Inline(values),
        _ => Out::Inline(Vec::new()),
    };
    let entries: Entries = list.iter().map(|c| (c.object.value.clone(), values(c))).collect();
    (!entries.is_empty()).then_some(Out::Dotted(entries))
}

fn names(list: &[Spanned<String>]) -> Option<Out> {
    (!list.is_empty()).then(|| Out::List(list.iter().map(Out::word).collect()))
}

fn until(reader: &mut Reader<'_>, run: &mut RunSource, entry: &Entry) {
    let Some(table) = reader.table(entry) else { return };
    let Node { span, .. } = entry.value;
    let mut until =
        UntilSource { of: Spanned::new(String::new(), span), condition: Text::new("", span), count: None };
    reader.fields(UNTIL, "`until`", &mut until, table);
    reader.required(UNTIL, "`until`", table, span);
    run.until = Some(until);
}

impl SubnetworkSource {
    /// A network of some objects.
    #[must_use]
    pub fn new(name: Spanned<String>, objects: Vec<Spanned<String>>) -> Self {
        Self { name, objects }
    }
}

impl Object for SubnetworkSource {
    const KIND: &'static str = "network";

    const FIELDS: &'static [Field<Self>] = &[row!(@row objects, true, "[\"cells\", \"exc\"]",
        |r, x, e| if let Some(words) = r.words(e) { x.objects = words }, |x| names(&x.objects))];

    fn blank(name: Spanned<String>) -> Self {
        Self::new(name, Vec::new())
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }
}
