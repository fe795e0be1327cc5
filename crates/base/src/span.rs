//! Where a piece of text came from.

use std::fmt;
use std::ops::Range;

crate::define_id!(
    /// Names a file, or a piece of text given through the builder, in a [`SourceMap`].
    FileId
);

/// A range of bytes in one file of a [`SourceMap`]; [`Span::NONE`] for text without a home.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Span {
    file: Option<FileId>,
    start: u32,
    end: u32,
}

impl Default for Span {
    fn default() -> Self {
        Self::NONE
    }
}

impl Span {
    /// No place in any file: a value that the program made itself.
    pub const NONE: Self = Self { file: None, start: 0, end: 0 };

    /// Bytes `range` of `file`.
    #[must_use]
    pub fn new(file: FileId, range: Range<usize>) -> Self {
        let clamp = |x: usize| u32::try_from(x).unwrap_or(u32::MAX);
        Self { file: Some(file), start: clamp(range.start), end: clamp(range.end.max(range.start)) }
    }

    /// The file, or `None` for [`Span::NONE`].
    #[must_use]
    pub fn file(self) -> Option<FileId> {
        self.file
    }

    /// The bytes of the file.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The smallest span that holds both; spans of two files give the first.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        match (self.file, other.file) {
            (None, _) => other,
            (Some(a), Some(b)) if a == b => {
                Self { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
            }
            _ => self,
        }
    }
}

/// A value and where it was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// `value`, written at `span`.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A string that will be parsed (an equation, an expression, a quantity) and where it was written.
///
/// When the string stands in its file as it is, `span` has the string's length and offsets into the
/// string map one to one; a string written with escapes keeps the span of the whole literal, and
/// every offset maps to that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    /// The string.
    pub text: String,
    /// Where its content was written.
    pub span: Span,
}

impl Text {
    /// `text`, written at `span`.
    pub fn new(text: impl Into<String>, span: Span) -> Self {
        Self { text: text.into(), span }
    }

    /// The span of bytes `range` of the string.
    #[must_use]
    pub fn span_of(&self, range: Range<usize>) -> Span {
        match self.span.file() {
            Some(file) if self.span.range().len() == self.text.len() => {
                let start = self.span.range().start;
                Span::new(file, start + range.start..start + range.end)
            }
            _ => self.span,
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text, Span::NONE)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new(text, Span::NONE)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// All texts that spans refer to, by name.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct SourceMap {
    files: Vec<(String, String)>,
}

impl SourceMap {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file, or a named piece of text, and returns its id.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        self.files.push((name.into(), text.into()));
        FileId::new(self.files.len() - 1)
    }

    /// The name under which `file` was added; empty for an id of another map.
    #[must_use]
    pub fn name(&self, file: FileId) -> &str {
        self.files.get(file.index()).map_or("", |f| &f.0)
    }

    /// The text of `file`; empty for an id of another map.
    #[must_use]
    pub fn text(&self, file: FileId) -> &str {
        self.files.get(file.index()).map_or("", |f| &f.1)
    }

    /// Line and column of a byte of `file`, both counted from 1, the column in characters.
    #[must_use]
    pub fn line_column(&self, file: FileId, byte: usize) -> (usize, usize) {
        let text = self.text(file);
        let mut end = byte.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// `name:line:column` of a span, or an empty string for [`Span::NONE`].
    #[must_use]
    pub fn place(&self, span: Span) -> String {
        span.file().map_or_else(String::new, |file| {
            let (line, column) = self.line_column(file, span.range().start);
            format!("{}:{line}:{column}", self.name(file))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_maps_offsets_one_to_one_unless_it_was_escaped() {
        let mut map = SourceMap::new();
        let file = map.add("m.toml", "a = \"v > 1\"");
        let plain = Text::new("v > 1", Span::new(file, 5..10));
        assert_eq!(plain.span_of(4..5).range(), 9..10);
        let escaped = Text::new("v", Span::new(file, 5..10));
        assert_eq!(escaped.span_of(0..1).range(), 5..10);
    }

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let mut map = SourceMap::new();
        let file = map.add("m.toml", "µ = 1\nß = 2\n");
        assert_eq!(map.place(Span::new(file, 10..11)), "m.toml:2:3");
        assert_eq!(map.line_column(file, 1), (1, 1), "inside a character counts as its start");
        assert_eq!(map.place(Span::NONE), "");
    }

    #[test]
    fn spans_join_within_a_file() {
        let file = FileId::new(0);
        assert_eq!(Span::new(file, 4..6).to(Span::new(file, 1..2)).range(), 1..6);
        assert_eq!(Span::NONE.to(Span::new(file, 1..2)).range(), 1..2);
    }
}
