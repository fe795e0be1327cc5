//! What varies in a sweep: a name and its values, as they are written on a command line.
//!
//! `name=item,item,...`, where an item is a value, or a range of numbers:
//!
//! | range | values |
//! |---|---|
//! | `10:14` | 10, 11, 12, 13, 14: whole numbers, both ends included |
//! | `5ms:20ms:5ms` | 5 ms, 10 ms, 15 ms, 20 ms: from the first in steps of the third, at most the second |
//! | `0mV:1mV:#5` | 0 mV, 0.25 mV, 0.5 mV, 0.75 mV, 1 mV: as many, evenly, both ends included |
//!
//! The unit of a range is written behind each number, or once. Commas and colons within brackets or quotes belong to a
//! value.

use std::ops::Range;

use neuropil_base::{Diagnostic, Diagnostics, SourceMap, Span};

use crate::ModelError;

/// More values than this are a slip of the keyboard.
const MOST: f64 = 1e6;

/// A name, as [`Model::set`](crate::Model::set) takes it, and the values that it is given, one after the other.
///
/// ```
/// use neuropil::Axis;
///
/// assert_eq!(Axis::parse("tau=5ms,10ms")?.values(), ["5ms", "10ms"]);
/// assert_eq!(Axis::parse("seed=1:3")?.values(), ["1", "2", "3"]);
/// assert_eq!(Axis::parse("w=0:1mV:#3")?.values(), ["0 mV", "0.5 mV", "1 mV"]);
/// # Ok::<(), neuropil::ModelError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Axis {
    name: String,
    values: Vec<String>,
}

/// Why a part of the text makes no sense, and what to write instead.
struct Mistake {
    place: Range<usize>,
    message: String,
    help: String,
}

impl Axis {
    /// The values of a constant, setting or field.
    pub fn new(name: impl Into<String>, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { name: name.into(), values: values.into_iter().map(Into::into).collect() }
    }

    /// Reads `name=value,value,...`, with ranges.
    ///
    /// # Errors
    /// [`ModelError`] for a text without name or values, and for ranges that do not end.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        read(text).map_err(|Mistake { place, message, help }| {
            let mut sources = SourceMap::new();
            let file = sources.add("--set", text);
            let mut diagnostics = Diagnostics::new();
            let span = Span::new(file, place);
            diagnostics.push(Diagnostic::error("invalid-override", span, message).help(help));
            ModelError { diagnostics, sources }
        })
    }

    /// What varies.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The values, in order.
    #[must_use]
    pub fn values(&self) -> &[String] {
        &self.values
    }
}

fn read(text: &str) -> Result<Axis, Mistake> {
    let form = || "write `taum=5ms,10ms` or `population.cells.size=100:500:100`, for instance".to_owned();
    let Some(equals) = text.find('=').filter(|at| !text[..*at].trim().is_empty()) else {
        let message = format!("`{text}` is not of the form `name=values`");
        return Err(Mistake { place: 0..text.len(), message, help: form() });
    };
    let mut values = Vec::new();
    for item in split(text, equals + 1..text.len(), ',') {
        let parts = split(text, item.clone(), ':');
        let word = text[item.clone()].trim();
        if word.is_empty() {
            let message = "there is no value here".to_owned();
            return Err(Mistake { place: item, message, help: form() });
        }
        match parts.len() {
            1 => values.push(word.to_owned()),
            _ => values.extend(range(text, &parts, item)?),
        }
    }
    Ok(Axis { name: text[..equals].trim().to_owned(), values })
}

/// Cuts a part of the text at a separator that is not within brackets or quotes.
fn split(text: &str, within: Range<usize>, separator: char) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quote) = (within.start, 0_usize, None);
    for (at, c) in text[within.clone()].char_indices() {
        let at = within.start + at;
        match (quote, c) {
            (Some(open), _) => quote = (c != open).then_some(open),
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, c) if c == separator && depth == 0 => {
                parts.push(start..at);
                start = at + c.len_utf8();
            }
            (None, _) => {}
        }
    }
    parts.push(start..within.end);
    parts
}

/// The values of a range.
fn range(text: &str, parts: &[Range<usize>], item: Range<usize>) -> Result<Vec<String>, Mistake> {
    let help =
        || "a range is `first:last:step` or `first:last:#count`; a value with a colon has quotes".to_owned();
    let wrong = |message: String| Mistake { place: item.clone(), message, help: help() };
    let quantity = |part: &Range<usize>| {
        let word = text[part.clone()].trim();
        quantity(word).ok_or_else(|| Mistake {
            place: part.clone(),
            message: format!("`{word}` is not a number with or without a unit"),
            help: help(),
        })
    };
    let [first, last, rest @ ..] = parts else { return Err(wrong("a range has a last value".to_owned())) };
    let ((first, unit_first), (last, unit_last)) = (quantity(first)?, quantity(last)?);
    let (step, n, unit_step) = match rest {
        [] if first.fract() == 0.0
            && last.fract() == 0.0
            && unit_first.is_empty()
            && unit_last.is_empty() =>
        {
            (1.0, last - first + 1.0, "")
        }
        [] => return Err(wrong("only ranges of whole numbers have steps of 1".to_owned())),
        [third] => match text[third.clone()].trim().strip_prefix('#') {
            Some(count) => {
                let n: f64 = count.trim().parse::<u32>().map_or(0.0, f64::from);
                if n < 1.0 || (n < 2.0 && first != last) {
                    return Err(wrong(format!("`{count}` values do not reach from one end to the other")));
                }
                ((last - first) / (n - 1.0).max(1.0), n, "")
            }
            None => {
                let (step, unit) = quantity(third)?;
                // A last value that is missed by rounding only is not missed.
                (step, ((last - first) / step + 1e-9).floor() + 1.0, unit)
            }
        },
        [..] => return Err(wrong("a range has at most three parts".to_owned())),
    };
    let units: Vec<&str> = [unit_first, unit_last, unit_step].into_iter().filter(|u| !u.is_empty()).collect();
    if let [one, others @ ..] = units.as_slice()
        && let Some(other) = others.iter().find(|u| *u != one)
    {
        return Err(Mistake {
            place: item.clone(),
            message: format!("the range is in `{one}` and in `{other}`"),
            help: "write all of it in one unit".to_owned(),
        });
    }
    if !(1.0..=MOST).contains(&n) {
        return Err(wrong(format!(
            "steps of `{step}` lead from `{first}` to `{last}` in no number of values up to {MOST}"
        )));
    }
    let unit = units.first().map(|u| format!(" {u}")).unwrap_or_default();
    Ok((0..n as u32).map(|k| format!("{}{unit}", rounded(first + f64::from(k) * step))).collect())
}

/// A number, and the name of its unit.
fn quantity(word: &str) -> Option<(f64, &str)> {
    // The longest start that is a number: `1e3` is one, the `e` of `1eV` is not part of one.
    let ends = word.char_indices().map(|(at, c)| at + c.len_utf8());
    let is_number = |end: &usize| word[..*end].ends_with(|c: char| c.is_ascii_digit() || c == '.');
    let end = ends.filter(is_number).rfind(|end| word[..*end].parse::<f64>().is_ok())?;
    let number = word[..end].parse::<f64>().ok().filter(|x| x.is_finite())?;
    let rest = word[end..].trim_start();
    Some((number, rest.strip_prefix('*').unwrap_or(rest).trim()))
}

/// The digits that somebody would have written: 0.3, not 0.30000000000000004.
fn rounded(x: f64) -> f64 {
    format!("{x:.12e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        Axis::parse(text).unwrap().values
    }

    fn message(text: &str) -> String {
        let error = Axis::parse(text).unwrap_err();
        error.diagnostics.iter().next().unwrap().message.clone()
    }

    #[test]
    fn lists_and_ranges_mean_their_values() {
        assert_eq!(values("a=1"), ["1"]);
        assert_eq!(values("a = 5ms , 10 ms,x*2"), ["5ms", "10 ms", "x*2"]);
        assert_eq!(values("a=0.1:0.5:0.1"), ["0.1", "0.2", "0.3", "0.4", "0.5"]);
        assert_eq!(values("a=10:1:-4"), ["10", "6", "2"]);
        assert_eq!(values("a=1,3:5,9"), ["1", "3", "4", "5", "9"]);
        assert_eq!(values("a=5ms:16ms:5ms"), ["5 ms", "10 ms", "15 ms"]);
        assert_eq!(values("a=5:20:7.5*ms"), ["5 ms", "12.5 ms", "20 ms"]);
        assert_eq!(values("a=-70mV:-50mV:#3"), ["-70 mV", "-60 mV", "-50 mV"]);
        assert_eq!(values("a=1e-3:3e-3:1e-3 1/s"), ["0.001 1/s", "0.002 1/s", "0.003 1/s"]);
        assert_eq!(values("a=2:2:#1"), ["2"]);
        assert_eq!(
            values("a=clip(v, 0, 1),[1, 2],\"cells[0:3]\""),
            ["clip(v, 0, 1)", "[1, 2]", "\"cells[0:3]\""]
        );
    }

    #[test]
    fn ranges_that_make_no_sense_say_why() {
        assert_eq!(message("tau"), "`tau` is not of the form `name=values`");
        assert_eq!(message("=3"), "`=3` is not of the form `name=values`");
        assert_eq!(message("a=1,,2"), "there is no value here");
        assert_eq!(message("a=1ms:3ms"), "only ranges of whole numbers have steps of 1");
        assert_eq!(message("a=1ms:1s:1ms"), "the range is in `ms` and in `s`");
        assert_eq!(message("a=x:3:1"), "`x` is not a number with or without a unit");
        assert_eq!(message("a=1:2:3:4"), "a range has at most three parts");
        for endless in ["a=1:2:0", "a=1:2:-1", "a=0:1e9", "a=0:1:1e-12"] {
            assert!(message(endless).starts_with("steps of"), "{endless}");
        }
        assert_eq!(message("a=1:2:#1"), "`1` values do not reach from one end to the other");
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_a_panic(text in "\\PC{0,20}", tail in "a=[0-9:#,.em \\[\"-]{0,16}") {
            let _ = Axis::parse(&text);
            let _ = Axis::parse(&tail);
        }
    }
}
