//! `link.VARIABLE` of populations and projections.

use neuropil_base::Spanned;

use super::{entries, row};
use crate::LinkSource;
use crate::print::{Entries, Out};
use crate::reader::{Field, Mode, Reader};
use crate::tree::{Entry, Kind};

const LINK: &[Field<LinkSource>] = &[row!(word! variable = "\"others.v\""), row!(value index = "\"i // 2\"")];

impl LinkSource {
    /// A link to the variable called `variable`, `NAME.VARIABLE`.
    #[must_use]
    pub fn new(name: Spanned<String>, variable: Spanned<String>) -> Self {
        Self { name, variable, index: None }
    }
}

/// `link.x = "others.v"` or `link.x = { variable = "others.v", index = "i // 2" }`.
pub(super) fn read_links(reader: &mut Reader<'_>, list: &mut Vec<LinkSource>, entry: &Entry) {
    let Some(table) = reader.table(entry) else { return };
    for entry in table {
        if reader.mode == Mode::Define {
            reader.check_name(&entry.key);
        }
        let missing = Spanned::new(String::new(), entry.value.span);
        let mut link = LinkSource::new(entry.key.clone(), missing);
        if let Kind::Table(fields) = &entry.value.kind {
            let what = format!("`link.{}`", entry.key.value);
            reader.fields(LINK, &what, &mut link, fields);
            let mode = std::mem::replace(&mut reader.mode, Mode::Define);
            reader.required(LINK, &what, fields, entry.value.span);
            reader.mode = mode;
        } else if let Some(variable) = reader.word(entry) {
            link.variable = variable;
        } else {
            continue;
        }
        match list.iter_mut().find(|l| l.name.value == entry.key.value) {
            Some(existing) => *existing = link,
            None => list.push(link),
        }
    }
}

/// The links as a file states them.
pub(super) fn links(list: &[LinkSource]) -> Option<Out> {
    let printed = |link: &LinkSource| match &link.index {
        None => Out::word(&link.variable),
        Some(_) => Out::Inline(entries(LINK, link)),
    };
    let list: Entries = list.iter().map(|l| (l.name.value.clone(), printed(l))).collect();
    (!list.is_empty()).then_some(Out::Dotted(list))
}
