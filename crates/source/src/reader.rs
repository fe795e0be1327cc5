//! Fills structs from the tree of a file, one table row per field.
//!
//! A row ([`Field`]) says how a field is called, what one would write there, how it is read and how it is
//! printed. Unknown fields, missing fields and wrong types are reported from the same rows.

use std::path::{Path, PathBuf};

use neuropil_base::{Diagnostic, Diagnostics, Span, Spanned, Text, nearest};

use crate::Filter;
use crate::print::Out;
use crate::tree::{Entry, Kind, Node, Table};
use crate::{Numbers, PlaceSource, Placement, ValueSource};

/// One field of an object of type `T`.
pub(crate) struct Field<T: 'static> {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    /// A value as one would write it in the file.
    pub(crate) example: &'static str,
    pub(crate) read: fn(&mut Reader<'_>, &mut T, &Entry),
    /// What to print; `None` if the object does not have the field.
    pub(crate) print: fn(&T) -> Option<Out>,
}

/// Something of which a file may define several, each under its own name.
pub(crate) trait Object: Sized + 'static {
    /// What it is called in messages and in the header: `[KIND.NAME]`.
    const KIND: &'static str;
    /// Its fields.
    const FIELDS: &'static [Field<Self>];
    /// The object before its fields are read.
    fn blank(name: Spanned<String>) -> Self;
    /// Its name.
    fn name(&self) -> &Spanned<String>;
    /// Undoes what the fields about to be read replace as a whole.
    fn prepare(&mut self, _table: &Table) {}
    /// Checks and settles what rows alone cannot; `table` holds what was just read.
    fn finish(&mut self, _reader: &mut Reader<'_>, _table: &Table, _place: Span) {}
}

/// Whether a file defines objects or an override changes them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// Objects come into being; names must be new.
    Define,
    /// Objects must exist; given fields are replaced.
    Override,
}

/// Reads one file.
pub(crate) struct Reader<'a> {
    pub(crate) diagnostics: &'a mut Diagnostics,
    /// The folder of the file, to which the paths in it are relative.
    pub(crate) folder: &'a Path,
    pub(crate) mode: Mode,
    /// The example of the field that is being read.
    example: &'static str,
}

/// The field that an entry with an unknown name is probably meant for.
fn meant<'f, T>(entry: &Entry, fields: &'f [Field<T>]) -> Option<&'f Field<T>> {
    if fields.iter().any(|f| f.name == entry.key.value) {
        return None;
    }
    let near = nearest(&entry.key.value, fields.iter().map(|f| f.name))?;
    fields.iter().find(|f| f.name == near)
}

impl<'a> Reader<'a> {
    pub(crate) fn new(diagnostics: &'a mut Diagnostics, folder: &'a Path, mode: Mode) -> Self {
        Self { diagnostics, folder, mode, example: "" }
    }

    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reads the entries of a table into `target`. A name that is nearly that of a field which is not there is reported and
    /// read as that field, so that a slip is one mistake and not several.
    pub(crate) fn fields<T>(&mut self, fields: &[Field<T>], what: &str, target: &mut T, table: &Table) {
        for entry in table {
            match fields.iter().find(|f| f.name == entry.key.value) {
                Some(field) => {
                    self.example = field.example;
                    (field.read)(self, target, entry);
                }
                None => {
                    self.unknown_field(entry, what, fields.iter().map(|f| f.name));
                    let meant = meant(entry, fields).filter(|f| !table.iter().any(|e| e.key.value == f.name));
                    if let Some(field) = meant {
                        self.example = field.example;
                        (field.read)(self, target, entry);
                    }
                }
            }
        }
    }

    /// Reports the required fields that a new object lacks.
    pub(crate) fn required<T>(&mut self, fields: &[Field<T>], what: &str, table: &Table, place: Span) {
        if self.mode == Mode::Override {
            return;
        }
        for field in fields.iter().filter(|f| f.required) {
            let is_it = |e: &Entry| {
                e.key.value == field.name || meant(e, fields).is_some_and(|f| f.name == field.name)
            };
            if !table.iter().any(is_it) {
                self.missing_field(field.name, field.example, what, place);
            }
        }
    }

    pub(crate) fn missing_field(&mut self, name: &str, example: &str, what: &str, place: Span) {
        self.report(
            Diagnostic::error("missing-field", place, format!("{what} lacks the field `{name}`"))
                .help(format!("add `{name} = {example}`, for instance")),
        );
    }

    pub(crate) fn unknown_field<'n>(
        &mut self,
        entry: &Entry,
        what: &str,
        names: impl Iterator<Item = &'n str> + Clone,
    ) {
        let name = &entry.key.value;
        let message = format!("unknown field `{name}` of {what}");
        let help = match nearest(name, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the fields are {}", listed(names)),
        };
        self.report(Diagnostic::error("unknown-field", entry.key.span, message).help(help));
    }

    /// Reads `[KIND.NAME]` tables: `entry` is the table of all objects of one kind.
    pub(crate) fn objects<T: Object>(&mut self, list: &mut Vec<T>, entry: &Entry) {
        let Some(table) = self.table(entry) else { return };
        for entry in table {
            let span = entry.key.span;
            let what = format!("{} `{}`", T::KIND, entry.key.value);
            let Kind::Table(fields) = &entry.value.kind else {
                let message = format!("{what} must be a table, found {}", entry.value.kind.described());
                let help = format!("write `[{}.{}]` and its fields below", T::KIND, entry.key.value);
                self.report(Diagnostic::error("wrong-type", entry.value.span, message).help(help));
                continue;
            };
            let place = if entry.value.span.file().is_some() { entry.value.span } else { span };
            let existing = list.iter().position(|o| o.name().value == entry.key.value);
            match (self.mode, existing) {
                (Mode::Define, Some(index)) => {
                    let first = list[index].name().span;
                    self.duplicate(&what, span, first);
                }
                (Mode::Override, None) => {
                    let names = list.iter().map(|o| o.name().value.as_str());
                    let mut d = Diagnostic::error("unknown-name", span, format!("there is no {what}"));
                    if let Some(near) = nearest(&entry.key.value, names) {
                        d = d.help(format!("did you mean `{near}`?"));
                    }
                    self.report(d);
                }
                (Mode::Override, Some(index)) => {
                    list[index].prepare(fields);
                    self.fields(T::FIELDS, &what, &mut list[index], fields);
                    list[index].finish(self, fields, place);
                }
                (Mode::Define, None) => {
                    self.check_name(&entry.key);
                    let mut object = T::blank(entry.key.clone());
                    self.fields(T::FIELDS, &what, &mut object, fields);
                    self.required(T::FIELDS, &what, fields, place);
                    object.finish(self, fields, place);
                    list.push(object);
                }
            }
        }
    }

    pub(crate) fn duplicate(&mut self, what: &str, second: Span, first: Span) {
        self.report(
            Diagnostic::error("duplicate-name", second, format!("{what} is defined twice"))
                .label("again here")
                .related(first, "first defined here"),
        );
    }

    /// Names appear in expressions, so they are letters, digits and underscores.
    pub(crate) fn check_name(&mut self, name: &Spanned<String>) {
        let mut chars = name.value.chars();
        let good = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
        if good {
            return;
        }
        let plain: String =
            name.value.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let mut d =
            Diagnostic::error("invalid-name", name.span, format!("`{}` cannot be a name", name.value));
        d = if plain.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            d.help(format!("names are letters (a to z), digits and underscores: `{plain}`"))
        } else {
            d.help("names are letters (a to z), digits and underscores, and do not begin with a digit")
        };
        self.report(d);
    }

    pub(crate) fn wrong_type(&mut self, entry: &Entry, expected: &str) {
        let message = format!(
            "`{}` expects {expected} such as `{}`, found {}",
            entry.key.value,
            self.example,
            entry.value.kind.described()
        );
        self.report(Diagnostic::error("wrong-type", entry.value.span, message));
    }

    pub(crate) fn table<'e>(&mut self, entry: &'e Entry) -> Option<&'e Table> {
        match &entry.value.kind {
            Kind::Table(table) => Some(table),
            _ => {
                self.wrong_type(entry, "a table");
                None
            }
        }
    }

    /// A string that is code: numbers are refused.
    pub(crate) fn string(&mut self, entry: &Entry) -> Option<Text> {
        match &entry.value.kind {
            Kind::String(text) => Some(text.clone()),
            _ => {
                self.wrong_type(entry, "a string");
                None
            }
        }
    }

    /// A string or a number: a quantity or an expression.
    pub(crate) fn text(&mut self, entry: &Entry) -> Option<Text> {
        let text = number_or_string(&entry.value);
        if text.is_none() {
            self.wrong_type(entry, "a number or a string");
        }
        text
    }

    /// The value of a constant.
    pub(crate) fn quantity(&mut self, entry: &Entry) -> Option<Text> {
        self.example = "\"20 ms\"";
        self.text(entry)
    }

    /// A name, or another word.
    pub(crate) fn word(&mut self, entry: &Entry) -> Option<Spanned<String>> {
        self.string(entry).map(|text| Spanned::new(text.text, text.span))
    }

    /// A list of names; a single string is a list of one.
    pub(crate) fn words(&mut self, entry: &Entry) -> Option<Vec<Spanned<String>>> {
        let word = |node: &Node| match &node.kind {
            Kind::String(text) => Some(Spanned::new(text.text.clone(), text.span)),
            _ => None,
        };
        let words = match &entry.value.kind {
            Kind::Array(items) => items.iter().map(word).collect(),
            _ => word(&entry.value).map(|w| vec![w]),
        };
        if words.is_none() {
            self.wrong_type(entry, "an array of strings");
        }
        words
    }

    pub(crate) fn boolean(&mut self, entry: &Entry) -> Option<Spanned<bool>> {
        match &entry.value.kind {
            Kind::Boolean(b) => Some(Spanned::new(*b, entry.value.span)),
            _ => {
                self.wrong_type(entry, "a boolean");
                None
            }
        }
    }

    pub(crate) fn integer<T: std::str::FromStr>(&mut self, entry: &Entry) -> Option<Spanned<T>> {
        let Kind::Integer(text) = &entry.value.kind else {
            self.wrong_type(entry, "an integer");
            return None;
        };
        match text.parse() {
            Ok(value) => Some(Spanned::new(value, entry.value.span)),
            Err(_) => {
                let message = format!("`{text}` is out of range for `{}`", entry.key.value);
                self.report(Diagnostic::error("out-of-range", entry.value.span, message));
                None
            }
        }
    }

    /// One of some words, hyphens read as underscores.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        entry: &Entry,
        choices: &[(&'static str, T)],
    ) -> Option<Spanned<T>> {
        let word = self.word(entry)?;
        let plain = word.value.replace('-', "_");
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == plain) {
            return Some(Spanned::new(*value, word.span));
        }
        let names = choices.iter().map(|(name, _)| *name);
        let message = format!("unknown value `{}` of `{}`", word.value, entry.key.value);
        let help = match nearest(&plain, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", listed(names)),
        };
        self.report(Diagnostic::error("unknown-value", word.span, message).help(help));
        None
    }

    /// A path, relative to the file that names it.
    pub(crate) fn path(&mut self, entry: &Entry) -> Option<Spanned<PathBuf>> {
        self.word(entry).map(|word| Spanned::new(self.folder.join(&word.value), word.span))
    }

    /// `[start, stop]`
    pub(crate) fn range(&mut self, entry: &Entry) -> Option<(Text, Text)> {
        let range = match &entry.value.kind {
            Kind::Array(items) => match items.as_slice() {
                [start, stop] => number_or_string(start).zip(number_or_string(stop)),
                _ => None,
            },
            _ => None,
        };
        if range.is_none() {
            self.wrong_type(entry, "the first neuron and the one after the last,");
        }
        range
    }

    /// An array of whole numbers; a single one is an array of one.
    pub(crate) fn integers(&mut self, entry: &Entry) -> Option<Vec<Spanned<i64>>> {
        let number = |node: &Node| match &node.kind {
            Kind::Integer(text) => text.parse().ok().map(|n| Spanned::new(n, node.span)),
            _ => None,
        };
        let numbers = match &entry.value.kind {
            Kind::Array(items) => items.iter().map(number).collect(),
            _ => number(&entry.value).map(|n| vec![n]),
        };
        if numbers.is_none() {
            self.wrong_type(entry, "an array of integers");
        }
        numbers
    }

    /// Numbers in nested arrays, all arrays of one level of the same length.
    pub(crate) fn nested(&mut self, entry: &Entry) -> Option<Filter> {
        let mut filter = Filter { shape: Vec::new(), values: Vec::new(), span: entry.value.span };
        let mut level: Vec<&Node> = vec![&entry.value];
        while let Some(Kind::Array(first)) = level.first().map(|n| &n.kind) {
            let length = first.len();
            let mut next = Vec::new();
            for node in &level {
                match &node.kind {
                    Kind::Array(items) if items.len() == length => next.extend(items),
                    _ => {
                        let message = format!(
                            "every array of `{}` has {length} entries at this depth",
                            entry.key.value
                        );
                        self.report(Diagnostic::error("wrong-type", node.span, message));
                        return None;
                    }
                }
            }
            filter.shape.push(length);
            level = next;
        }
        for node in level {
            match &node.kind {
                Kind::Integer(text) | Kind::Float(text) => {
                    filter.values.push(text.parse().unwrap_or(f64::NAN))
                }
                _ => {
                    self.not_a_number(entry, node, "numbers");
                    return None;
                }
            }
        }
        Some(filter)
    }

    /// An array of numbers, or of arrays of equal length.
    pub(crate) fn numbers(&mut self, entry: &Entry) -> Option<Numbers> {
        let Kind::Array(items) = &entry.value.kind else {
            self.wrong_type(entry, "an array of numbers");
            return None;
        };
        let mut numbers = Numbers { columns: None, values: Vec::new(), span: entry.value.span };
        let is_row = |node: &Node| matches!(node.kind, Kind::Array(_));
        if !items.first().is_some_and(is_row) {
            numbers.values = self.row(entry, items)?;
            return Some(numbers);
        }
        for item in items {
            let Kind::Array(row) = &item.kind else {
                self.not_a_number(entry, item, "rows of numbers");
                return None;
            };
            let row = self.row(entry, row)?;
            let columns = *numbers.columns.get_or_insert(row.len());
            if row.len() != columns {
                let message = format!(
                    "this row of `{}` has {} numbers, the first has {columns}",
                    entry.key.value,
                    row.len()
                );
                self.report(Diagnostic::error("wrong-type", item.span, message));
                return None;
            }
            numbers.values.extend(row);
        }
        if numbers.values.is_empty() {
            numbers.columns = None;
        }
        Some(numbers)
    }

    fn row(&mut self, entry: &Entry, items: &[Node]) -> Option<Vec<f64>> {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            match &item.kind {
                Kind::Integer(text) | Kind::Float(text) => values.push(text.parse().unwrap_or(f64::NAN)),
                _ => {
                    self.not_a_number(entry, item, "numbers");
                    return None;
                }
            }
        }
        Some(values)
    }

    fn not_a_number(&mut self, entry: &Entry, item: &Node, expected: &str) {
        let message = format!("`{}` expects {expected}, found {}", entry.key.value, item.kind.described());
        let mut d = Diagnostic::error("wrong-type", item.span, message);
        if matches!(item.kind, Kind::String(_)) {
            d = d.help("write numbers, and their unit apart: `{ values = [1, 2], unit = \"mV\" }`");
        }
        self.report(d);
    }

    /// Where an element's values come from.
    pub(crate) fn value(&mut self, entry: &Entry) -> Option<ValueSource> {
        match &entry.value.kind {
            Kind::Boolean(b) => Some(ValueSource::Expression(Text::new(b.to_string(), entry.value.span))),
            Kind::Array(_) => self.numbers(entry).map(|values| ValueSource::List { values, unit: None }),
            Kind::Table(table) => self.value_table(entry, table),
            Kind::String(_) | Kind::Integer(_) | Kind::Float(_) | Kind::Datetime => {
                self.text(entry).map(ValueSource::Expression)
            }
        }
    }

    fn value_table(&mut self, entry: &Entry, table: &Table) -> Option<ValueSource> {
        let (mut values, mut column, mut unit) = (None, None, None);
        for field in table {
            match field.key.value.as_str() {
                "values" => values = Some(self.numbers(field)?),
                "column" => {
                    let text = self.text(field)?;
                    column = Some(Spanned::new(text.text, text.span));
                }
                "unit" => unit = Some(self.string(field)?),
                _ => {
                    self.unknown_field(
                        field,
                        &format!("`{}`", entry.key.value),
                        ["values", "column", "unit"].into_iter(),
                    );
                    return None;
                }
            }
        }
        match (values, column) {
            (Some(values), None) => Some(ValueSource::List { values, unit }),
            (None, Some(column)) => Some(ValueSource::Column { column, unit }),
            (None, None) | (Some(_), Some(_)) => {
                let message = format!("`{}` expects either `values` or `column`", entry.key.value);
                self.report(Diagnostic::error("wrong-type", entry.value.span, message).help(
                    "write an expression, `{ values = [...], unit = \"...\" }` or `{ column = \"...\" }`",
                ));
                None
            }
        }
    }

    /// `name = value` pairs; a name that is there already gets the new value.
    pub(crate) fn assignments(&mut self, list: &mut Vec<crate::Assignment>, entry: &Entry) {
        let Some(table) = self.table(entry) else { return };
        for entry in table {
            if self.mode == Mode::Define {
                self.check_name(&entry.key);
            }
            self.example = "\"-60*mV + rand()*10*mV\"";
            let Some(value) = self.value(entry) else { continue };
            match list.iter_mut().find(|a| a.name.value == entry.key.value) {
                Some(existing) => existing.value = value,
                None => list.push(crate::Assignment { name: entry.key.clone(), value }),
            }
        }
    }
}

impl Reader<'_> {
    /// `what = place` pairs; something that is there already gets the new place.
    pub(crate) fn places(&mut self, list: &mut Vec<Placement>, entry: &Entry) {
        let Some(table) = self.table(entry) else { return };
        for entry in table {
            self.example = "\"after_resets\"";
            let mut place = PlaceSource::default();
            match &entry.value.kind {
                Kind::Table(fields) => {
                    let what = format!("`{}`", entry.key.value);
                    for field in fields {
                        match field.key.value.as_str() {
                            "when" => place.when = self.word(field),
                            "order" => place.order = self.integer(field),
                            _ => self.unknown_field(field, &what, ["when", "order"].into_iter()),
                        }
                    }
                }
                _ => place.when = self.word(entry),
            }
            match list.iter_mut().find(|p| p.what.value == entry.key.value) {
                Some(existing) => existing.place = place,
                None => list.push(Placement { what: entry.key.clone(), place }),
            }
        }
    }
}

/// The text of a string or number.
pub(crate) fn number_or_string(node: &Node) -> Option<Text> {
    match &node.kind {
        Kind::String(text) => Some(text.clone()),
        Kind::Integer(text) | Kind::Float(text) => Some(Text::new(text.clone(), node.span)),
        Kind::Boolean(_) | Kind::Datetime | Kind::Array(_) | Kind::Table(_) => None,
    }
}

/// `` `a`, `b` and `c` ``
pub(crate) fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|n| format!("`{n}`")).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "none".to_owned(),
    }
}
