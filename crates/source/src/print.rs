//! The network as the text of a model file.
//!
//! What is printed reads back as the same network, apart from spans. Includes have become part of it.

use std::fmt::Write as _;

use neuropil_base::{Spanned, Text};

use crate::field::NETWORK;
use crate::{Assignment, Filter, NetworkSource, Numbers, ValueSource};

/// A value on its way to being printed.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Out {
    /// A string, or a number if it is one.
    Text(String),
    /// A string even if it looks like a number.
    String(String),
    /// Text that is TOML already.
    Bare(String),
    /// `[a, b]`
    List(Vec<Out>),
    /// `{ a = ..., b = ... }`
    Inline(Entries),
    /// `key.a = ...`, `key.b = ...`
    Dotted(Entries),
    /// `[key]` and the entries below.
    Section(Entries),
    /// `[key.a]`, `[key.b]`, each with its entries below.
    Group(Vec<(String, Entries)>),
    /// `[[key]]`, once for each.
    Repeated(Vec<Entries>),
}

/// Keys and values in the order in which they are printed.
pub(crate) type Entries = Vec<(String, Out)>;

impl Out {
    pub(crate) fn text(text: &Text) -> Self {
        Self::Text(text.text.clone())
    }

    pub(crate) fn word(word: &Spanned<String>) -> Self {
        Self::String(word.value.clone())
    }

    pub(crate) fn numbers(numbers: &Numbers) -> Self {
        let row = |values: &[f64]| Self::List(values.iter().map(|x| Self::Bare(number(*x))).collect());
        match numbers.columns {
            None => row(&numbers.values),
            Some(0) => Self::List(Vec::new()),
            Some(columns) => Self::List(numbers.values.chunks(columns).map(row).collect()),
        }
    }

    pub(crate) fn integers(numbers: &Vec<Spanned<i64>>) -> Self {
        match numbers.as_slice() {
            [one] => Self::Bare(one.value.to_string()),
            several => Self::List(several.iter().map(|n| Self::Bare(n.value.to_string())).collect()),
        }
    }

    pub(crate) fn nested(filter: &Filter) -> Self {
        let mut level: Vec<Self> = filter.values.iter().map(|x| Self::Bare(number(*x))).collect();
        for length in filter.shape.iter().skip(1).rev() {
            let mut next = Vec::new();
            let mut items = level.into_iter().peekable();
            while items.peek().is_some() {
                next.push(Self::List(items.by_ref().take((*length).max(1)).collect()));
            }
            level = next;
        }
        Self::List(level)
    }

    pub(crate) fn value(value: &ValueSource) -> Self {
        let with_unit = |key: &str, out: Self, unit: &Option<Text>| {
            let mut entries = vec![(key.to_owned(), out)];
            entries.extend(unit.iter().map(|u| ("unit".to_owned(), Self::String(u.text.clone()))));
            Self::Inline(entries)
        };
        match value {
            ValueSource::Expression(text) => Self::text(text),
            ValueSource::List { values, unit: None } => Self::numbers(values),
            ValueSource::List { values, unit } => with_unit("values", Self::numbers(values), unit),
            ValueSource::Column { column, unit } => with_unit("column", Self::word(column), unit),
        }
    }

    pub(crate) fn assignments(list: &[Assignment]) -> Option<Self> {
        let entries: Entries = list.iter().map(|a| (a.name.value.clone(), Self::value(&a.value))).collect();
        (!entries.is_empty()).then_some(Self::Dotted(entries))
    }
}

impl NetworkSource {
    /// The network as the text of a model file, which reads back as the same network apart from spans.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut printer = Printer::default();
        let entries =
            NETWORK.iter().filter_map(|f| (f.print)(self).map(|out| (f.name.to_owned(), out))).collect();
        printer.table("", &entries);
        printer.text
    }
}

#[derive(Default)]
struct Printer {
    text: String,
}

impl Printer {
    /// Entries of the table `path`: plain ones first, since a header ends the table.
    fn table(&mut self, path: &str, entries: &Entries) {
        for (key, out) in entries {
            match out {
                Out::Dotted(inner) => {
                    for (inner_key, value) in inner {
                        let key = format!("{}.{}", quoted_key(key), quoted_key(inner_key));
                        self.line(&key, value);
                    }
                }
                Out::Section(_) | Out::Group(_) | Out::Repeated(_) => {}
                Out::Text(_) | Out::String(_) | Out::Bare(_) | Out::List(_) | Out::Inline(_) => {
                    self.line(&quoted_key(key), out);
                }
            }
        }
        for (key, out) in entries {
            let path = join(path, key);
            match out {
                Out::Section(inner) => self.section(&path, inner),
                Out::Group(objects) => {
                    for (name, inner) in objects {
                        self.section(&join(&path, name), inner);
                    }
                }
                Out::Repeated(items) => {
                    for inner in items {
                        self.header(&format!("[[{path}]]"));
                        self.table(&path, inner);
                    }
                }
                Out::Dotted(_)
                | Out::Text(_)
                | Out::String(_)
                | Out::Bare(_)
                | Out::List(_)
                | Out::Inline(_) => {}
            }
        }
    }

    fn section(&mut self, path: &str, entries: &Entries) {
        self.header(&format!("[{path}]"));
        self.table(path, entries);
    }

    fn header(&mut self, header: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(header);
        self.text.push('\n');
    }

    fn line(&mut self, key: &str, out: &Out) {
        let value = match out {
            Out::Text(text) | Out::String(text) if text.contains('\n') => block(text),
            _ => inline(out),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{key} = {value}");
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { quoted_key(key) } else { format!("{path}.{}", quoted_key(key)) }
}

fn inline(out: &Out) -> String {
    match out {
        Out::Text(text) if is_number(text) => text.clone(),
        Out::Text(text) | Out::String(text) => quoted(text),
        Out::Bare(text) => text.clone(),
        Out::List(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Out::Inline(entries) | Out::Dotted(entries) | Out::Section(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, out)| format!("{} = {}", quoted_key(key), inline(out))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Out::Group(objects) => {
            let objects: Vec<String> = objects
                .iter()
                .map(|(key, entries)| {
                    format!("{} = {}", quoted_key(key), inline(&Out::Inline(entries.clone())))
                })
                .collect();
            format!("{{ {} }}", objects.join(", "))
        }
        Out::Repeated(items) => {
            let items: Vec<String> = items.iter().map(|e| inline(&Out::Inline(e.clone()))).collect();
            format!("[{}]", items.join(", "))
        }
    }
}

/// Whether TOML reads the text as a number and the reader turns that into the same text.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) =
        unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let digits = |s: &str| !s.is_empty() && s.len() <= 15 && s.bytes().all(|b| b.is_ascii_digit());
    let whole_good = digits(whole) && (whole == "0" || !whole.starts_with('0'));
    let exponent_good =
        exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)) && e.len() <= 4);
    // Too large a number is no TOML number; strings say it as well.
    whole_good && fraction.is_none_or(digits) && exponent_good && text.parse().is_ok_and(f64::is_finite)
}

/// The shortest text that reads back as the same number, always a TOML number.
fn number(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text = format!("{x:?}");
    text.strip_suffix(".0").filter(|t| t.len() <= 15 && *t != "-0").map_or(text.clone(), ToOwned::to_owned)
}

fn quoted_key(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { key.to_owned() } else { basic(key) }
}

fn quoted(text: &str) -> String {
    let literal = text.contains(['"', '\\']) && !text.contains('\'') && !text.chars().any(needs_escape);
    if literal { format!("'{text}'") } else { basic(text) }
}

/// A string of several lines.
fn block(text: &str) -> String {
    let plain = !text.chars().any(|c| c != '\n' && needs_escape(c));
    if plain && !text.contains("'''") && !text.ends_with('\'') {
        format!("'''\n{text}'''")
    } else {
        basic(text)
    }
}

fn needs_escape(c: char) -> bool {
    c.is_control() && c != '\t'
}

fn basic(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if needs_escape(c) => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_bare_and_other_text_in_quotes() {
        for bare in ["0", "-1", "100", "0.02", "1e-3", "-2.5E+7"] {
            assert_eq!(inline(&Out::Text(bare.into())), bare);
        }
        for text in ["", "01", "1.", ".5", "1e999", "12345678901234567890", "1 mV", "+1", "--1", "1_000"] {
            assert_eq!(inline(&Out::Text(text.into())), format!("\"{text}\""));
        }
    }

    #[test]
    fn strings_take_the_quotes_that_need_no_escapes() {
        assert_eq!(quoted("v > 1"), "\"v > 1\"");
        assert_eq!(quoted("a \\ b"), "'a \\ b'");
        assert_eq!(quoted("it's \"x\""), "\"it's \\\"x\\\"\"");
        assert_eq!(quoted("\u{0}\u{7f}"), "\"\\u0000\\u007F\"");
        assert_eq!(block("a\nb\n"), "'''\na\nb\n'''");
        assert_eq!(block("a\nb'"), "\"a\\nb'\"");
        assert_eq!(block("a\r\nb"), "\"a\\r\\nb\"");
    }

    #[test]
    fn numbers_of_arrays_keep_their_bits() {
        for x in [0.1, 1.0, -0.0, 1e300, 5e-324, 123456789012345678.0, f64::INFINITY] {
            let text = number(x);
            let back: f64 = text.parse().expect("a number");
            assert_eq!(back.to_bits(), x.to_bits(), "{text}");
        }
    }
}
