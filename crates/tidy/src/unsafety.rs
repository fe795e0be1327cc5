//! Where `unsafe` may stand: in few crates, and nowhere without a comment on why it is sound.

use crate::code::{Part, only};
use crate::{Problem, Repository};

/// Folders of the crates that may use `unsafe`.
const ALLOWED: &[&str] = &["crates/memory/", "crates/cpu/", "cuda/", "bindings/"];

/// The word, in code.
const WORD: &str = "unsafe";

/// Uses of `unsafe` in crates that have none.
#[must_use]
pub fn out_of_place(repository: &Repository) -> Vec<Problem> {
    repository
        .ending(".rs")
        .filter(|(path, _)| !ALLOWED.iter().any(|folder| path.starts_with(folder)))
        .flat_map(|(path, text)| {
            let what = "only `memory`, `cpu`, `cuda` and `bindings` may use `unsafe`";
            uses(text).into_iter().map(move |line| Problem::line(path, line, what))
        })
        .collect()
}

/// Uses of `unsafe` without a comment that says `SAFETY:` (or, for a function, a section `# Safety`).
#[must_use]
pub fn unjustified(repository: &Repository) -> Vec<Problem> {
    repository
        .ending(".rs")
        .flat_map(|(path, text)| {
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            let bare = uses(text).into_iter().filter(move |line| !justified(&lines, line - 1));
            bare.map(move |line| Problem::line(path, line, "`unsafe` needs a comment `// SAFETY:`"))
        })
        .collect()
}

/// The lines, counted from 1, on which code says `unsafe`. The type of an unsafe function does nothing yet and
/// does not count, nor does the attribute of a function that C calls by its name, whose name no other has.
fn uses(text: &str) -> Vec<usize> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_use = |line: &str, at: usize| {
        let before = line[..at].chars().next_back().is_some_and(in_word);
        let after = &line[at + WORD.len()..];
        let a_type = ["fn(", "extern fn("].iter().any(|start| after.trim_start().starts_with(start))
            || (after.trim_start().starts_with("extern") && after.contains("fn("));
        let a_name = line[..at].ends_with("#[") && after.starts_with("(no_mangle)");
        !before && !after.chars().next().is_some_and(in_word) && !a_type && !a_name
    };
    let code = only(text, Part::Code);
    let has_use = |line: &str| line.match_indices(WORD).any(|(at, _)| is_use(line, at));
    code.lines().enumerate().filter(|(_, line)| has_use(line)).map(|(k, _)| k + 1).collect()
}

/// Whether line `at`, or a comment right above the statement it belongs to, says why it is sound.
fn justified(lines: &[&str], at: usize) -> bool {
    let says = |line: &str| line.contains("SAFETY:") || line.contains("# Safety");
    if lines.get(at).copied().is_some_and(says) {
        return true;
    }
    let comment = |line: &str| line.starts_with("//");
    let mut above = lines[..at.min(lines.len())].iter().rev().copied().peekable();
    // Up to the first line of the statement: the line above it ends something else.
    while let Some(line) = above.peek()
        && !comment(line)
    {
        let ends = line.is_empty() || line.ends_with([';', '{', '}', ',']);
        if ends && !line.starts_with("#[") {
            return false;
        }
        above.next();
    }
    above.take_while(|line| comment(line) || line.starts_with("#[")).any(says)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Repository) -> Vec<Problem>, path: &str, text: &str) -> Vec<usize> {
        rule(&Repository::of([(path, text)])).iter().map(|p| p.line).collect()
    }

    #[test]
    fn unsafe_code_stays_in_its_crates() {
        let text = "// unsafe\nlet x = \"unsafe\";\n#![forbid(unsafe_code)]\nunsafe { f() }\n";
        assert_eq!(lines(out_of_place, "crates/sema/src/a.rs", text), [4]);
        assert_eq!(lines(out_of_place, "crates/memory/src/a.rs", text), []);
    }

    #[test]
    fn unsafe_code_says_why_it_is_sound() {
        let justified = "\
// SAFETY: the length was checked above.
unsafe { f() };

// SAFETY: likewise,
// on two lines.
let x =
    unsafe { f() };

/// Doubles it.
///
/// # Safety
/// `x` is aligned.
#[inline]
pub unsafe fn f(x: *const u8) {}

type Call = unsafe extern \"C\" fn(u32) -> u32;

#[unsafe(no_mangle)]
pub extern \"C\" fn g() {}
";
        assert_eq!(lines(unjustified, "crates/memory/src/a.rs", justified), []);
        let bare =
            "// SAFETY: of another one.\nlet y = 1;\nunsafe { f() }\n\nlet x = g(\n    unsafe { f() },\n);\n";
        assert_eq!(lines(unjustified, "crates/memory/src/a.rs", bare), [3, 6]);
    }
}
