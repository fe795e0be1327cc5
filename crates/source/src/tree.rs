//! TOML text to a tree of values in the order in which they were written, each with its place.
//!
//! The parser recovers from mistakes, so that all of them are reported; what it makes of a broken line
//! is not looked at further. It limits nesting, so recursion over the tree is bounded.

use std::ops::Range;

use neuropil_base::{Diagnostic, Diagnostics, FileId, SourceMap, Span, Spanned, Text};
use toml::de::{DeTable, DeValue};

/// A value and its place.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Kind {
    /// A string, and the place of its content.
    String(Text),
    /// A number as it was written, without underscores, in base 10.
    Integer(String),
    /// Likewise.
    Float(String),
    /// `true` or `false`
    Boolean(bool),
    /// A date or time, for which a network has no use.
    Datetime,
    /// `[...]`, or tables that share a `[[header]]`.
    Array(Vec<Node>),
    /// `{...}`, or what stands below a `[header]`.
    Table(Table),
}

/// Keys and values in the order in which the keys first appear.
pub(crate) type Table = Vec<Entry>;

/// A key and its value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Spanned<String>,
    pub(crate) value: Node,
}

impl Kind {
    /// The kind with its article, for messages.
    pub(crate) fn described(&self) -> &'static str {
        match self {
            Self::String(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Datetime => "a date",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}

/// The tree of a whole file; `None` if its syntax is broken.
pub(crate) fn parse(files: &SourceMap, file: FileId, diagnostics: &mut Diagnostics) -> Option<Table> {
    let text = files.text(file);
    let (root, errors) = DeTable::parse_recoverable(text);
    let place = Place { text, file, shift: 0 };
    let table = place.table(root.get_ref());
    if errors.is_empty() {
        return Some(table);
    }
    for error in &errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        let diagnostic = match error.message() {
            "duplicate key" => duplicate(text, file, span, &table),
            message => syntax(text, file, span, message),
        };
        diagnostics.push(diagnostic);
    }
    None
}

/// The tree of one value that stands at `range` of a file; `None` if it is no TOML value.
pub(crate) fn parse_value(files: &SourceMap, file: FileId, range: Range<usize>) -> Option<Node> {
    let text = files.text(file);
    let part = text.get(range.clone())?;
    let value = DeValue::parse(part).ok()?;
    Some(Place { text, file, shift: range.start }.value(&value))
}

/// Translates the parser's values; `shift` is where the text that it saw begins within the file.
struct Place<'a> {
    text: &'a str,
    file: FileId,
    shift: usize,
}

impl Place<'_> {
    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.file, range.start + self.shift..range.end + self.shift)
    }

    fn table(&self, table: &DeTable<'_>) -> Table {
        let mut entries: Table = table
            .iter()
            .map(|(key, value)| {
                let key = Spanned::new(key.get_ref().to_string(), self.span(key.span()));
                let mut value = self.value(value);
                if matches!(value.kind, Kind::Table(_)) && value.span.range().is_empty() {
                    // A table that only its children's headers or dotted keys mention.
                    value.span = key.span;
                }
                Entry { key, value }
            })
            .collect();
        entries.sort_by_key(|e| e.key.span.range().start);
        entries
    }

    fn value(&self, value: &toml::Spanned<DeValue<'_>>) -> Node {
        let span = self.span(value.span());
        let kind = match value.get_ref() {
            DeValue::String(text) => Kind::String(Text::new(text.as_ref(), self.content(span, text))),
            DeValue::Integer(number) => Kind::Integer(decimal(number.as_str(), number.radix())),
            DeValue::Float(number) => Kind::Float(decimal(number.as_str(), 10)),
            DeValue::Boolean(b) => Kind::Boolean(*b),
            DeValue::Datetime(_) => Kind::Datetime,
            DeValue::Array(items) => Kind::Array(items.iter().map(|item| self.value(item)).collect()),
            DeValue::Table(table) => Kind::Table(self.table(table)),
        };
        Node { span, kind }
    }

    /// Where the content of a string literal stands; the whole literal if escapes make it differ.
    fn content(&self, literal: Span, content: &str) -> Span {
        let raw = self.text.get(literal.range()).unwrap_or_default();
        let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
        let mut start = quotes;
        if quotes == 3 {
            // A newline right after the opening quotes is not part of the string.
            start += match raw.as_bytes().get(3..) {
                Some([b'\n', ..]) => 1,
                Some([b'\r', b'\n', ..]) => 2,
                _ => 0,
            };
        }
        let end = start + content.len();
        match raw.get(start..end) {
            Some(same) if same == content => {
                let begin = literal.range().start;
                Span::new(self.file, begin + start..begin + end)
            }
            _ => literal,
        }
    }
}

/// The number in base 10, without underscores or leading plus.
fn decimal(text: &str, radix: u32) -> String {
    let text: String = text.chars().filter(|c| *c != '_').collect();
    let text = text.strip_prefix('+').unwrap_or(&text);
    match radix {
        10 => text.to_owned(),
        _ => u128::from_str_radix(text, radix).map_or_else(|_| text.to_owned(), |n| n.to_string()),
    }
}

fn syntax(text: &str, file: FileId, span: Range<usize>, message: &str) -> Diagnostic {
    let mut diagnostic = Diagnostic::error("toml-syntax", Span::new(file, span.clone()), message);
    if let Some(help) = unquoted(text, span.start) {
        diagnostic = diagnostic.help(help);
    }
    diagnostic
}

/// The commonest slip is a quantity or an expression without quotes.
fn unquoted(text: &str, byte: usize) -> Option<String> {
    let start = text.get(..byte)?.rfind('\n').map_or(0, |i| i + 1);
    let line = text.get(start..)?.lines().next()?;
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.split('#').next()?.trim());
    let plain = |c: char| c.is_alphanumeric() || " .*/+-_()^<>,:".contains(c);
    let is_key = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if value.is_empty() || key.is_empty() || !value.chars().all(plain) || !key.chars().all(is_key) {
        return None;
    }
    Some(format!("quantities and expressions are strings: `{key} = \"{value}\"`"))
}

/// The parser says where the second definition is; the first is sought in what it kept.
fn duplicate(text: &str, file: FileId, second: Range<usize>, table: &Table) -> Diagnostic {
    let raw = text.get(second.clone()).unwrap_or_default();
    let name = raw.trim_matches(['"', '\'']);
    let mut diagnostic = Diagnostic::error(
        "duplicate-name",
        Span::new(file, second.clone()),
        format!("`{name}` is defined twice"),
    )
    .label("again here");
    let line_start = text.get(..second.start).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1);
    let before = text.get(line_start..second.start).unwrap_or_default().trim_start();
    let first = if before.starts_with('[') {
        first_header(text, file, line_start..second.end)
    } else {
        latest_key(table, name, second.start)
    };
    if let Some(first) = first
        && first.range() != second
    {
        diagnostic = diagnostic.related(first, "first defined here");
    }
    diagnostic
}

/// The last key of the first line that begins as the header in `range` does.
fn first_header(text: &str, file: FileId, range: Range<usize>) -> Option<Span> {
    let wanted = text.get(range.clone())?.trim();
    let mut start = 0;
    for line in text.get(..range.start)?.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let rest = line.trim().strip_prefix(wanted);
        if rest.is_some_and(|rest| rest.trim_start().starts_with([']', '.'])) {
            let begin = start + indent;
            let name = wanted.rfind(['.', '[']).map_or(0, |i| i + 1);
            return Some(Span::new(file, begin + name..begin + wanted.len()));
        }
        start += line.len();
    }
    None
}

fn latest_key(table: &Table, name: &str, before: usize) -> Option<Span> {
    let mut found: Option<Span> = None;
    let mut consider = |span: Span| {
        let start = span.range().start;
        if start < before && found.is_none_or(|f| f.range().start < start) {
            found = Some(span);
        }
    };
    for entry in table {
        if entry.key.value == name {
            consider(entry.key.span);
        }
        let inner = match &entry.value.kind {
            Kind::Table(inner) => latest_key(inner, name, before),
            Kind::Array(items) => items
                .iter()
                .filter_map(|item| match &item.kind {
                    Kind::Table(inner) => latest_key(inner, name, before),
                    _ => None,
                })
                .max_by_key(|span| span.range().start),
            _ => None,
        };
        if let Some(span) = inner {
            consider(span);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> (SourceMap, Table) {
        let mut files = SourceMap::new();
        let file = files.add("m.toml", text);
        let mut diagnostics = Diagnostics::new();
        let table = parse(&files, file, &mut diagnostics).expect("the text is TOML");
        (files, table)
    }

    #[test]
    fn the_span_of_a_string_is_its_content_whatever_its_quotes() {
        for literal in [
            "\"v > µ\"",
            "'v > µ'",
            "\"\"\"v > µ\"\"\"",
            "'''v > µ'''",
            "'''\nv > µ'''",
            "\"\"\"\r\nv > µ\"\"\"",
        ] {
            let text = format!("# ß\na = {literal}");
            let (_, table) = tree(&text);
            let Kind::String(content) = &table[0].value.kind else { panic!("a string") };
            assert_eq!(content.text, "v > µ");
            assert_eq!(&text[content.span.range()], "v > µ", "{literal}");
        }
    }

    #[test]
    fn a_string_with_escapes_keeps_the_span_of_its_literal() {
        let text = "a = \"x\\ty\"";
        let (_, table) = tree(text);
        let Kind::String(content) = &table[0].value.kind else { panic!("a string") };
        assert_eq!(content.text, "x\ty");
        assert_eq!(&text[content.span.range()], "\"x\\ty\"");
    }

    #[test]
    fn keys_keep_the_order_in_which_they_were_written() {
        let (_, table) = tree("z = 1\n[b.y]\n[a]\nq = 1\nc = 2\n[b.x]\n");
        let names = |t: &Table| t.iter().map(|e| e.key.value.clone()).collect::<Vec<_>>();
        assert_eq!(names(&table), ["z", "b", "a"]);
        let Kind::Table(b) = &table[1].value.kind else { panic!("a table") };
        assert_eq!(names(b), ["y", "x"]);
        let Kind::Table(a) = &table[2].value.kind else { panic!("a table") };
        assert_eq!(names(a), ["q", "c"]);
    }

    #[test]
    fn numbers_become_plain_decimal_text() {
        let (_, table) = tree("a = [1_000, +5, 0x1F, 1_0.5e-3, -0.0]");
        let Kind::Array(items) = &table[0].value.kind else { panic!("an array") };
        let texts: Vec<&str> = items
            .iter()
            .map(|n| match &n.kind {
                Kind::Integer(t) | Kind::Float(t) => t.as_str(),
                _ => panic!("a number"),
            })
            .collect();
        assert_eq!(texts, ["1000", "5", "31", "10.5e-3", "-0.0"]);
    }
}
