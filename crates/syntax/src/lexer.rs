//! Text to tokens: numbers, names, operators and line ends, with comments and continued lines removed.
//!
//! A character or a spelling that another language uses for one of our operators becomes that operator,
//! with a diagnostic that names the right one, so that the parser behind goes on as if it had been
//! written. Whatever means nothing here becomes [`Kind::Unknown`], one token for a run of such
//! characters, and the parser stays silent about it.

use std::ops::Range;

use neuropil_base::{Diagnostic, Diagnostics, Text};

use crate::ast::AssignOp;

/// The most tokens that are read from one text.
pub(crate) const MAX_TOKENS: usize = 20_000;

/// The most diagnostics that are given for one text.
const MAX_DIAGNOSTICS: usize = 100;

/// What a token is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Kind {
    Name,
    Integer(i64),
    Real(f64),
    True,
    False,
    And,
    Or,
    Not,
    /// `!`, which binds as tightly as a minus sign.
    Bang,
    If,
    Else,
    Plus,
    Minus,
    Star,
    Slash,
    DoubleSlash,
    Percent,
    DoubleStar,
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
    Assign(AssignOp),
    Open,
    Close,
    Comma,
    Colon,
    Question,
    Semicolon,
    /// The end of a line, and how many characters the next line is indented.
    Newline(usize),
    /// Characters for which a diagnostic was given.
    Unknown,
}

/// A token and the bytes of the text that it is.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
}

/// Collects what is wrong with one text, up to a limit.
pub(crate) struct Reporter<'a> {
    pub(crate) text: &'a Text,
    list: Diagnostics,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(text: &'a Text) -> Self {
        Self { text, list: Diagnostics::new() }
    }

    /// Starts an error at bytes `range`; give it to [`push`](Self::push).
    pub(crate) fn error(
        &self,
        code: &'static str,
        range: Range<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::error(code, self.text.span_of(range), message)
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.list.len() < MAX_DIAGNOSTICS {
            self.list.push(diagnostic);
        } else {
            self.list.push(Diagnostic::error(
                "syntax-too-many",
                self.text.span,
                format!("more than {MAX_DIAGNOSTICS} mistakes in one text; the others are not shown"),
            ));
        }
    }

    /// All that was found, in the order of the text.
    pub(crate) fn finish(mut self) -> Diagnostics {
        self.list.sort();
        self.list
    }

    /// Bytes `range` of the text.
    pub(crate) fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.text.get(range).unwrap_or("")
    }
}

/// Cuts the whole text into tokens. There is no newline token before the first other token or after the
/// last, and never two in a row.
pub(crate) fn tokens(reporter: &mut Reporter<'_>) -> Vec<Token> {
    let mut lexer = Lexer { rest: 0, list: Vec::new(), reporter };
    while lexer.rest < lexer.reporter.text.text.len() {
        if lexer.list.len() >= MAX_TOKENS {
            let at = lexer.rest..lexer.rest;
            let error = lexer
                .reporter
                .error("syntax-too-long", at, format!("the text has more than {MAX_TOKENS} words"))
                .help("split it into several objects");
            lexer.reporter.push(error);
            break;
        }
        lexer.next();
    }
    if matches!(lexer.list.last(), Some(Token { kind: Kind::Newline(_), .. })) {
        lexer.list.pop();
    }
    lexer.list
}

struct Lexer<'r, 'a> {
    /// Byte where the unread text starts.
    rest: usize,
    list: Vec<Token>,
    reporter: &'r mut Reporter<'a>,
}

/// Operators of ours, the longer ones first.
const OPERATORS: &[(&str, Kind)] = &[
    ("**=", Kind::Assign(AssignOp::Pow)),
    ("//=", Kind::Assign(AssignOp::FloorDiv)),
    ("**", Kind::DoubleStar),
    ("//", Kind::DoubleSlash),
    ("+=", Kind::Assign(AssignOp::Add)),
    ("-=", Kind::Assign(AssignOp::Sub)),
    ("*=", Kind::Assign(AssignOp::Mul)),
    ("/=", Kind::Assign(AssignOp::Div)),
    ("%=", Kind::Assign(AssignOp::Mod)),
    ("==", Kind::Eq),
    ("!=", Kind::Ne),
    ("<=", Kind::Le),
    (">=", Kind::Ge),
    ("&&", Kind::And),
    ("||", Kind::Or),
    ("+", Kind::Plus),
    ("-", Kind::Minus),
    ("*", Kind::Star),
    ("/", Kind::Slash),
    ("%", Kind::Percent),
    ("<", Kind::Lt),
    (">", Kind::Gt),
    ("=", Kind::Assign(AssignOp::Set)),
    ("!", Kind::Bang),
    ("(", Kind::Open),
    (")", Kind::Close),
    (",", Kind::Comma),
    (":", Kind::Colon),
    ("?", Kind::Question),
    (";", Kind::Semicolon),
];

/// Operators of other languages and of printed mathematics, what they become, and what to write.
const FOREIGN: &[(&str, Kind, &str)] = &[
    ("===", Kind::Eq, "=="),
    ("<>", Kind::Ne, "!="),
    ("=>", Kind::Ge, ">="),
    ("=<", Kind::Le, "<="),
    (":=", Kind::Assign(AssignOp::Set), "="),
    ("^", Kind::DoubleStar, "**"),
    ("&", Kind::And, "and"),
    ("|", Kind::Or, "or"),
    ("~", Kind::Not, "not"),
    ("×", Kind::Star, "*"),
    ("·", Kind::Star, "*"),
    ("⋅", Kind::Star, "*"),
    ("∙", Kind::Star, "*"),
    ("∗", Kind::Star, "*"),
    ("÷", Kind::Slash, "/"),
    ("∕", Kind::Slash, "/"),
    ("⁄", Kind::Slash, "/"),
    ("−", Kind::Minus, "-"),
    ("–", Kind::Minus, "-"),
    ("—", Kind::Minus, "-"),
    ("‐", Kind::Minus, "-"),
    ("≤", Kind::Le, "<="),
    ("≥", Kind::Ge, ">="),
    ("≠", Kind::Ne, "!="),
    ("∧", Kind::And, "and"),
    ("∨", Kind::Or, "or"),
    ("¬", Kind::Not, "not"),
    ("（", Kind::Open, "("),
    ("）", Kind::Close, ")"),
    ("，", Kind::Comma, ","),
    ("：", Kind::Colon, ":"),
    ("；", Kind::Semicolon, ";"),
];

impl<'a> Lexer<'_, 'a> {
    fn next(&mut self) {
        let text: &'a Text = self.reporter.text;
        let rest = text.text.get(self.rest..).unwrap_or("");
        let Some(first) = rest.chars().next() else { return };
        if first == '\n' || (first == '\r' && !rest.starts_with("\r\n")) {
            self.newline(rest);
        } else if first.is_whitespace() || first == '\u{feff}' {
            self.rest += first.len_utf8();
        } else if first == '#' {
            self.rest += rest.find(['\n', '\r']).unwrap_or(rest.len());
        } else if let Some(length) = continued_line(rest) {
            self.rest += length;
        } else if first.is_ascii_digit() || (first == '.' && digit_follows(rest, 1)) {
            self.number(rest);
        } else if starts_name(first) {
            self.name(rest);
        } else {
            self.operator(rest, first);
        }
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.list.push(Token { kind, range: self.rest..self.rest + length });
        self.rest += length;
    }

    fn error(&mut self, code: &'static str, range: Range<usize>, message: String, label: &str, help: String) {
        let error = self.reporter.error(code, range, message).label(label).help(help);
        self.reporter.push(error);
    }

    /// Lines that are empty but for white space and comments leave one newline token, whose indentation
    /// is that of the line with text.
    fn newline(&mut self, rest: &str) {
        let line = &rest[1..];
        let indentation = line.chars().take_while(|c| *c == ' ' || *c == '\t').count();
        match self.list.last_mut() {
            None => self.rest += 1,
            Some(Token { kind: Kind::Newline(last), .. }) => {
                *last = indentation;
                self.rest += 1;
            }
            Some(_) => self.push(Kind::Newline(indentation), 1),
        }
    }

    fn name(&mut self, rest: &str) {
        let mut length = name_length(rest);
        let mut dots = 0;
        while rest[length..].starts_with('.') && rest[length + 1..].starts_with(starts_name) {
            length += 1 + name_length(&rest[length + 1..]);
            dots += 1;
        }
        let name = &rest[..length];
        if dots > 1 {
            let range = self.rest..self.rest + length;
            self.error(
                "syntax-name",
                range,
                format!("`{name}` has more than one dot"),
                "",
                "write a variable of the other side as `pre.v` or `v_pre`".to_owned(),
            );
            return self.push(Kind::Unknown, length);
        }
        let kind = match name {
            "and" => Kind::And,
            "or" => Kind::Or,
            "not" => Kind::Not,
            "if" => Kind::If,
            "else" => Kind::Else,
            "True" | "true" => Kind::True,
            "False" | "false" => Kind::False,
            _ => Kind::Name,
        };
        self.push(kind, length);
    }

    fn number(&mut self, rest: &str) {
        let bytes = rest.as_bytes();
        let digits =
            |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit() || **b == b'_').count();
        let mut length = digits(0);
        let mut real = false;
        if bytes.get(length) == Some(&b'.') {
            real = true;
            length += 1;
            if digit_follows(rest, length) {
                length += digits(length);
            }
        }
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            if digit_follows(rest, length + 1 + sign) {
                real = true;
                length += 1 + sign;
                length += digits(length);
            }
        }
        let written = &rest[..length];
        let suffix = name_length(&rest[length..]);
        if let Some(what) = malformed(written, &rest[length..]) {
            let junk = rest[length..].bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
            let range = self.rest..self.rest + length + junk;
            let message = format!("`{}` is not a number", &rest[..length + junk]);
            self.error(
                "syntax-number",
                range,
                message,
                what,
                "write `1000`, `1_000`, `0.5` or `1e-3`".into(),
            );
            return self.push(Kind::Unknown, length + junk);
        }
        let kind = self.value(written, real);
        if suffix > 0 {
            self.suffixed(written, &rest[length..length + suffix]);
        }
        self.push(kind, length);
        match &rest[length..length + suffix] {
            "" => {}
            "f" | "F" => self.rest += 1,
            // The operator that is missing between number and name.
            _ => self.push(Kind::Star, 0),
        }
    }

    /// The value of a well-formed number.
    fn value(&mut self, written: &str, real: bool) -> Kind {
        let plain: String = written.chars().filter(|c| *c != '_').collect();
        let range = self.rest..self.rest + written.len();
        if !real {
            if let Ok(value) = plain.parse::<i64>() {
                return Kind::Integer(value);
            }
            self.error(
                "syntax-number",
                range.clone(),
                format!("`{written}` is too large for an integer"),
                "",
                format!("the largest is `{}`; write a decimal point to make it a real number", i64::MAX),
            );
        }
        match plain.parse::<f64>() {
            Ok(value) if value.is_finite() => Kind::Real(value),
            Ok(_) | Err(_) => {
                self.error(
                    "syntax-number",
                    range,
                    format!("`{written}` is too large for a number"),
                    "",
                    "the largest is about `1.8e308`; infinity is written `inf`".to_owned(),
                );
                Kind::Real(f64::MAX)
            }
        }
    }

    /// A number with letters right behind it.
    fn suffixed(&mut self, number: &str, suffix: &str) {
        let range = self.rest..self.rest + number.len() + suffix.len();
        let message = format!("`{number}{suffix}` is neither a number nor a name");
        let help = match suffix {
            "f" | "F" => format!("write `{number}`; the network's precision decides how it is stored"),
            _ if number == "0" && suffix.starts_with(['x', 'X', 'b', 'B', 'o', 'O']) => {
                "numbers are decimal".to_owned()
            }
            _ => format!("write `{number}*{suffix}`"),
        };
        self.error("syntax-number", range, message, "", help);
    }

    fn operator(&mut self, rest: &str, first: char) {
        let foreign = FOREIGN.iter().find(|(s, ..)| rest.starts_with(s));
        let ours = OPERATORS.iter().find(|(s, _)| rest.starts_with(s));
        match (foreign, ours) {
            // `&` is the start of `&&`, `=` of `=>`: the longer one is meant.
            (Some((wrong, kind, right)), ours) if ours.is_none_or(|(s, _)| s.len() < wrong.len()) => {
                let range = self.rest..self.rest + wrong.len();
                let message = format!("`{wrong}` is not an operator");
                self.error("syntax-operator", range, message, "", format!("write `{right}`"));
                self.push(*kind, wrong.len());
            }
            (_, Some((operator, kind))) => self.push(*kind, operator.len()),
            _ => self.unknown(rest, first),
        }
    }

    fn unknown(&mut self, rest: &str, first: char) {
        let power = match first {
            '²' => Some(2),
            '³' => Some(3),
            _ => None,
        };
        if let Some(power) = power {
            let length = first.len_utf8();
            let range = self.rest..self.rest + length;
            let message = format!("`{first}` is not an operator");
            self.error("syntax-operator", range, message, "", format!("write `**{power}`"));
            self.push(Kind::DoubleStar, length);
            return self.push(Kind::Integer(power), 0);
        }
        let length: usize = rest.chars().take_while(|c| means_nothing(*c)).map(char::len_utf8).sum();
        let length = length.max(first.len_utf8());
        let range = self.rest..self.rest + length;
        let shown = if first.is_control() { first.escape_default().to_string() } else { first.to_string() };
        let message = format!("unexpected character `{shown}`");
        let error = self.reporter.error("syntax-character", range, message);
        let error = match first {
            '\'' => error.help("a derivative is written `dv/dt`; a name needs no quotation marks"),
            '"' => error.help("a name needs no quotation marks"),
            '[' | ']' => {
                error.help("variables have no index here: an expression holds for every element at once")
            }
            '{' | '}' => error.help("group with parentheses: `(a + b)*c`"),
            '\\' => error.help("a backslash continues a line only as the last character of that line"),
            _ => error,
        };
        self.reporter.push(error);
        self.push(Kind::Unknown, length);
    }
}

fn starts_name(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

/// Letters, digits, the underscore, and combining accents.
fn continues_name(c: char) -> bool {
    starts_name(c) || c.is_ascii_digit() || ('\u{300}'..='\u{36f}').contains(&c)
}

/// The bytes of the name at the start of `rest`; 0 if there is none.
fn name_length(rest: &str) -> usize {
    if !rest.starts_with(starts_name) {
        return 0;
    }
    rest.find(|c| !continues_name(c)).unwrap_or(rest.len())
}

fn digit_follows(rest: &str, at: usize) -> bool {
    rest.as_bytes().get(at).is_some_and(u8::is_ascii_digit)
}

/// The bytes of a backslash, white space and a line end at the start of `rest`.
fn continued_line(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('\\')?;
    let blank = after.trim_start_matches([' ', '\t', '\r']);
    match blank.chars().next() {
        Some('\n') => Some(rest.len() - blank.len() + 1),
        Some(_) => None,
        None => Some(rest.len()),
    }
}

/// What is wrong with the digits of a number that has `rest` behind it.
fn malformed(written: &str, rest: &str) -> Option<&'static str> {
    let lone = written
        .split(|c: char| !c.is_ascii_digit() && c != '_')
        .any(|part| part.starts_with('_') || part.ends_with('_') || part.contains("__"));
    if lone {
        return Some("an underscore stands between two digits");
    }
    let point_again = rest.starts_with('.');
    point_again.then_some("a number has one decimal point")
}

/// Whether no token starts with `c`.
fn means_nothing(c: char) -> bool {
    let mut buffer = [0; 4];
    let c_text: &str = c.encode_utf8(&mut buffer);
    !(c.is_whitespace()
        || c == '#'
        || c.is_ascii_digit()
        || starts_name(c)
        || c == '\\'
        || OPERATORS.iter().any(|(s, _)| s.starts_with(c_text))
        || FOREIGN.iter().any(|(s, ..)| s.starts_with(c_text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lex(text: &str) -> (Vec<Kind>, Vec<String>) {
        let text = Text::from(text);
        let mut reporter = Reporter::new(&text);
        let kinds = tokens(&mut reporter).into_iter().map(|t| t.kind).collect();
        let said = reporter.finish().iter().map(|d| format!("{}: {}", d.code, d.help.join("; "))).collect();
        (kinds, said)
    }

    fn kinds(text: &str) -> Vec<Kind> {
        let (kinds, said) = lex(text);
        assert_eq!(said, Vec::<String>::new(), "{text}");
        kinds
    }

    #[test]
    fn numbers_are_integers_unless_they_have_a_point_or_an_exponent() {
        for (text, value) in [("0", 0), ("12", 12), ("1_000", 1000), ("007", 7)] {
            assert_eq!(kinds(text), [Kind::Integer(value)], "{text}");
        }
        for (text, value) in
            [("1.", 1.0), (".5", 0.5), ("1e-3", 1e-3), ("2E+2", 200.0), ("1.e3", 1e3), ("1_0.2_5", 10.25)]
        {
            assert_eq!(kinds(text), [Kind::Real(value)], "{text}");
        }
    }

    #[test]
    fn a_bad_number_is_named_and_its_meaning_guessed_where_it_is_plain() {
        let (found, said) = lex("5mV");
        assert_eq!(found, [Kind::Integer(5), Kind::Star, Kind::Name]);
        assert_eq!(said, ["syntax-number: write `5*mV`"]);
        assert_eq!(lex("1.0f").0, [Kind::Real(1.0)]);
        for text in ["1__0", "1_", "1.2.3", "1._5e2_", "9999999999999999999", "1e999", "0x1F"] {
            let (_, said) = lex(text);
            assert_eq!(said.len(), 1, "{text}: {said:?}");
            assert!(said[0].starts_with("syntax-number"), "{text}");
        }
    }

    #[test]
    fn names_take_letters_of_all_scripts_and_one_dot() {
        for text in ["v", "_x1", "τ_m", "µ", "post.mp", "é\u{301}"] {
            assert_eq!(kinds(text), [Kind::Name], "{text}");
        }
        assert_eq!(lex("a.b.c").0, [Kind::Unknown]);
    }

    #[test]
    fn operators_of_other_notations_are_read_and_named() {
        for (text, kind, right) in [
            ("^", Kind::DoubleStar, "**"),
            ("&", Kind::And, "and"),
            ("|", Kind::Or, "or"),
            ("×", Kind::Star, "*"),
            ("−", Kind::Minus, "-"),
            ("≤", Kind::Le, "<="),
            ("=>", Kind::Ge, ">="),
            (":=", Kind::Assign(AssignOp::Set), "="),
        ] {
            let (found, said) = lex(text);
            assert_eq!(found, [kind], "{text}");
            assert_eq!(said, [format!("syntax-operator: write `{right}`")]);
        }
        assert_eq!(lex("v²").0, [Kind::Name, Kind::DoubleStar, Kind::Integer(2)]);
        assert_eq!(kinds("&&||!!="), [Kind::And, Kind::Or, Kind::Bang, Kind::Ne]);
    }

    #[test]
    fn comments_blank_lines_and_continued_lines_leave_no_trace() {
        let newline = Kind::Newline;
        assert_eq!(kinds("\n\n# all\n  a # b\r\n\n\t\n   c\n\n"), [Kind::Name, newline(3), Kind::Name]);
        assert_eq!(kinds("a \\\n b\\"), [Kind::Name, Kind::Name]);
        assert_eq!(kinds("a\rb"), [Kind::Name, newline(0), Kind::Name]);
    }

    #[test]
    fn characters_without_meaning_are_one_token_and_one_diagnostic() {
        let (found, said) = lex("a $@[ b");
        assert_eq!(found, [Kind::Name, Kind::Unknown, Kind::Name]);
        assert_eq!(said.len(), 1);
    }

    #[test]
    fn tokens_and_diagnostics_have_limits() {
        let (found, said) = lex(&"a ".repeat(MAX_TOKENS + 10));
        assert_eq!((found.len(), said.len()), (MAX_TOKENS, 1));
        let (_, said) = lex(&"^ ".repeat(500));
        assert_eq!(said.len(), 1, "without places they are all the same: {said:?}");
        let mut map = neuropil_base::SourceMap::new();
        let body = "^ ".repeat(500);
        let file = map.add("m", body.clone());
        let text = Text::new(body, neuropil_base::Span::new(file, 0..1000));
        let mut reporter = Reporter::new(&text);
        tokens(&mut reporter);
        assert_eq!(reporter.finish().len(), MAX_DIAGNOSTICS + 1);
    }
}
