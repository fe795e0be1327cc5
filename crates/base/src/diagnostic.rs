//! Mistakes in a model: values that are collected, sorted and shown with carets, never thrown.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::{SourceMap, Span};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// The model cannot run.
    Error,
    /// The model runs; its author should know.
    Warning,
}

/// A place in the text and what is to be said of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is said of it; may be empty.
    pub text: String,
}

/// One mistake: what is wrong, where, and what to write instead.
///
/// Messages start in lower case, carry the offending value in backticks and end without a full stop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// A stable code such as `unit-mismatch`, documented in `docs/diagnostics.md`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The place it is about.
    pub span: Span,
    /// What is said at that place; may be empty.
    pub label: String,
    /// Other places that matter.
    pub related: Vec<Label>,
    /// What to write instead, one line each.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error at `span`.
    #[must_use]
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            span,
            label: String::new(),
            related: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning at `span`.
    #[must_use]
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Adds the text beside the caret.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    /// Adds another place that matters.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label { span, text: text.into() });
        self
    }

    /// Adds a line that says what to write instead.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// The diagnostic as rustc would print it, without colours.
    ///
    /// ```
    /// use neuropil_base::{Diagnostic, SourceMap, Span};
    /// let mut sources = SourceMap::new();
    /// let file = sources.add("model.toml", "reset = \"v = Vx\"\n");
    /// let d = Diagnostic::error("unknown-name", Span::new(file, 13..15), "unknown name `Vx`")
    ///     .help("did you mean `Vr`?");
    /// let text = d.render(&sources);
    /// assert!(text.starts_with("error[unknown-name]: unknown name `Vx`\n --> model.toml:1:14\n"));
    /// assert!(text.ends_with("= help: did you mean `Vr`?"));
    /// ```
    #[must_use]
    pub fn render(&self, sources: &SourceMap) -> String {
        self.render_with(sources, &Renderer::plain())
    }

    /// The diagnostic as rustc would print it on a terminal, in colours.
    #[must_use]
    pub fn render_styled(&self, sources: &SourceMap) -> String {
        self.render_with(sources, &Renderer::styled())
    }

    fn render_with(&self, sources: &SourceMap, renderer: &Renderer) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = level
            .primary_title(&self.message)
            .id(self.code)
            .elements(Vec::<annotate_snippets::Element<'_>>::new());
        // One snippet per file, the primary file first.
        let mut files = Vec::new();
        for span in std::iter::once(self.span).chain(self.related.iter().map(|l| l.span)) {
            if let Some(file) = span.file()
                && !files.contains(&file)
            {
                files.push(file);
            }
        }
        for file in files {
            let text = sources.text(file);
            let clamp = |span: Span| {
                let mut range = span.range();
                range.start = floor_char(text, range.start);
                range.end = floor_char(text, range.end).max(range.start);
                range
            };
            let mut snippet = Snippet::source(text).path(sources.name(file)).fold(true);
            if self.span.file() == Some(file) {
                let label = (!self.label.is_empty()).then_some(self.label.as_str());
                snippet = snippet.annotation(AnnotationKind::Primary.span(clamp(self.span)).label(label));
            }
            for other in self.related.iter().filter(|l| l.span.file() == Some(file)) {
                snippet = snippet
                    .annotation(AnnotationKind::Context.span(clamp(other.span)).label(other.text.as_str()));
            }
            group = group.element(snippet);
        }
        for help in &self.help {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group]).to_string()
    }
}

fn floor_char(text: &str, byte: usize) -> usize {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

/// All that is wrong with a model, not just the first.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Nothing wrong so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one; a diagnostic that is already there word for word is not added again.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if !self.list.contains(&diagnostic) {
            self.list.push(diagnostic);
        }
    }

    /// Adds all of `other`.
    pub fn append(&mut self, other: Self) {
        for diagnostic in other.list {
            self.push(diagnostic);
        }
    }

    /// Whether one of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them, in the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// Orders them as the text is read: by file, then place; those without a place come last.
    pub fn sort(&mut self) {
        self.list.sort_by_key(|d| (d.span.file().is_none(), d.span.file(), d.span.range().start));
    }

    /// All of them as text, a blank line between two, errors and warnings counted in a last line.
    #[must_use]
    pub fn render(&self, sources: &SourceMap) -> String {
        self.render_with(sources, Diagnostic::render)
    }

    /// As [`render`](Self::render), in colours.
    #[must_use]
    pub fn render_styled(&self, sources: &SourceMap) -> String {
        self.render_with(sources, Diagnostic::render_styled)
    }

    fn render_with(&self, sources: &SourceMap, one: impl Fn(&Diagnostic, &SourceMap) -> String) -> String {
        let mut text = String::new();
        for diagnostic in &self.list {
            text.push_str(&one(diagnostic, sources));
            text.push_str("\n\n");
        }
        let errors = self.list.iter().filter(|d| d.severity == Severity::Error).count();
        let warnings = self.list.len() - errors;
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        match (errors, warnings) {
            (0, 0) => {}
            (0, w) => text.push_str(&count(w, "warning")),
            (e, 0) => text.push_str(&count(e, "error")),
            (e, w) => text.push_str(&format!("{}, {}", count(e, "error"), count(w, "warning"))),
        }
        text
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, iter: T) {
        for diagnostic in iter {
            self.push(diagnostic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_shows_its_line_caret_label_and_help() {
        let mut sources = SourceMap::new();
        let file = sources.add("m.toml", "[neuron.lif]\nreset = \"v = Vx\"\n");
        let d = Diagnostic::error("unknown-name", Span::new(file, 26..28), "unknown name `Vx`")
            .label("not a variable, constant or function")
            .help("did you mean `Vr`?");
        let expected = "\
error[unknown-name]: unknown name `Vx`
 --> m.toml:2:14
  |
2 | reset = \"v = Vx\"
  |              ^^ not a variable, constant or function
  |
  = help: did you mean `Vr`?";
        assert_eq!(d.render(&sources), expected);
    }

    #[test]
    fn a_diagnostic_without_a_place_is_one_line() {
        let d = Diagnostic::warning("delay-rounded", Span::NONE, "delay rounded");
        assert_eq!(d.render(&SourceMap::new()), "warning[delay-rounded]: delay rounded");
    }

    #[test]
    fn spans_beyond_the_text_do_not_panic() {
        let mut sources = SourceMap::new();
        let file = sources.add("m.toml", "µ");
        for range in [0..1, 1..1, 1..9, 7..9] {
            let d = Diagnostic::error("x", Span::new(file, range), "m");
            assert!(d.render(&sources).contains("m.toml:1"));
        }
    }

    #[test]
    fn repeated_diagnostics_are_said_once_and_sorted_by_place() {
        let file = crate::FileId::new(0);
        let mut all = Diagnostics::new();
        all.push(Diagnostic::error("b", Span::new(file, 5..6), "later"));
        all.push(Diagnostic::error("a", Span::new(file, 1..2), "earlier"));
        all.push(Diagnostic::error("a", Span::new(file, 1..2), "earlier"));
        all.sort();
        assert_eq!(all.iter().map(|d| d.message.as_str()).collect::<Vec<_>>(), ["earlier", "later"]);
    }
}
