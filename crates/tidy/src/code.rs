//! Rust source with its comments and literals told apart, as far as the rules need it.
//!
//! This is no parser: it knows comments (nested ones too), strings (raw ones too), characters and lifetimes,
//! and nothing else, which is what it takes to tell the word `unsafe` in code from that in a comment.

/// What a byte of a source file belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Code proper.
    Code,
    /// A comment, with its slashes.
    Comment,
    /// A string or character literal, with its quotes.
    Literal,
}

/// What every byte of `source` belongs to.
#[must_use]
pub fn parts(source: &str) -> Vec<Part> {
    let bytes = source.as_bytes();
    let mut parts = vec![Part::Code; bytes.len()];
    let mut at = 0;
    while at < bytes.len() {
        let (part, length) = token(&bytes[at..], at.checked_sub(1).map(|k| bytes[k]));
        let end = (at + length.max(1)).min(bytes.len());
        parts[at..end].fill(part);
        at = end;
    }
    parts
}

/// `source` with everything but `wanted` replaced by spaces; lines stay where they are.
///
/// ```
/// use neuropil_tidy::code::{Part, only};
/// assert_eq!(only("let x = \"unsafe\"; // unsafe", Part::Code), "let x =         ;          ");
/// ```
#[must_use]
pub fn only(source: &str, wanted: Part) -> String {
    let parts = parts(source);
    source.char_indices().map(|(at, c)| if c == '\n' || parts[at] == wanted { c } else { ' ' }).collect()
}

/// The string literals of `source`: the line each begins in, counted from 1, and what is between its quotes.
#[must_use]
pub fn strings(source: &str) -> Vec<(usize, &str)> {
    let bytes = source.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let (part, length) = token(&bytes[at..], at.checked_sub(1).map(|k| bytes[k]));
        let end = (at + length.max(1)).min(bytes.len());
        if part == Part::Literal
            && let Some(text) = source.get(at..end)
            && let Some((_, inner)) = text.split_once('"')
            && let Some((inner, _)) = inner.rsplit_once('"')
        {
            found.push((line, inner));
        }
        line += bytes[at..end].iter().filter(|b| **b == b'\n').count();
        at = end;
    }
    found
}

/// What begins here, and how many bytes it takes.
fn token(rest: &[u8], before: Option<u8>) -> (Part, usize) {
    let in_word = before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    match rest {
        [b'/', b'/', ..] => (Part::Comment, until(rest, |b| b == b'\n')),
        [b'/', b'*', ..] => (Part::Comment, block_comment(rest)),
        [b'"', ..] => (Part::Literal, quoted(rest, 0)),
        [b'b' | b'c', b'"', ..] if !in_word => (Part::Literal, quoted(rest, 1)),
        [b'b', b'\'', ..] if !in_word => (Part::Literal, character(rest, 1)),
        [b'r', ..] if !in_word => raw(rest, 1),
        [b'b' | b'c', b'r', ..] if !in_word => raw(rest, 2),
        [b'\'', ..] => match character(rest, 0) {
            // A lifetime: a quote that nothing closes.
            0 => (Part::Code, 1),
            length => (Part::Literal, length),
        },
        _ => (Part::Code, 1),
    }
}

fn until(rest: &[u8], stop: impl Fn(u8) -> bool) -> usize {
    rest.iter().position(|b| stop(*b)).unwrap_or(rest.len())
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

/// The length of a string whose opening quote is at `open`.
fn quoted(rest: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// The length of a character literal whose quote is at `open`; 0 if that quote begins a lifetime.
fn character(rest: &[u8], open: usize) -> usize {
    let inner = &rest[open + 1..];
    let length = match inner {
        [b'\\', _, more @ ..] => 2 + until(more, |b| b == b'\'' || b == b'\n'),
        [first, ..] => match first {
            0x00..=0x7f => 1,
            0x80..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
        },
        [] => return 0,
    };
    if inner.get(length) == Some(&b'\'') { open + length + 2 } else { 0 }
}

/// A raw string whose hashes or quote begin at `open`; code if there is none.
fn raw(rest: &[u8], open: usize) -> (Part, usize) {
    let hashes = until(&rest[open..], |b| b != b'#');
    if rest.get(open + hashes) != Some(&b'"') {
        return (Part::Code, 1);
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let start = open + hashes + 1;
    let found = rest[start..].windows(close.len()).position(|w| w == close);
    (Part::Literal, found.map_or(rest.len(), |k| start + k + close.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        let source = r##"a /* b /* c */ d */ 'e' "f\"g" r#"h "i"# b'j' '\'' k // l"##;
        let code: String = only(source, Part::Code).split_whitespace().collect();
        assert_eq!(code, "ak");
    }

    #[test]
    fn lifetimes_and_raw_names_are_code() {
        let source = "fn f<'a>(r#type: &'a str, for_: &'static str) {}";
        assert_eq!(only(source, Part::Code), source);
    }

    #[test]
    fn unfinished_literals_do_not_panic() {
        for source in ["\"", "'", "r#\"", "b'", "/*", "'\\", "\"\\", "é'é", "br##\"#"] {
            assert_eq!(parts(source).len(), source.len());
            let _ = (only(source, Part::Literal), strings(source));
        }
    }

    #[test]
    fn strings_come_with_their_lines() {
        let found = strings("\n\"a\" /* \"no\" */\n// \"no\"\nr#\"b\"# 'c' b\"d\"");
        assert_eq!(found, [(2, "a"), (4, "b"), (4, "d")]);
    }
}
