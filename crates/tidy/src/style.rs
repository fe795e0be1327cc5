//! House style of files: first lines, lengths, markers, white space, and nothing that belongs to one machine.

use crate::{Problem, Repository};

/// The most lines a source file has, its tests included.
pub const MAX_LINES: usize = 800;

/// Files that are longer, each with the reason.
const LONGER: &[(&str, &str)] = &[];

/// Folders of files that are wrong on purpose: inputs of tests.
const WRONG_ON_PURPOSE: &[&str] = &["/tests/bad/", "/filetests/files/"];

/// Words that put off work. Whoever writes one does the work or opens an issue.
const MARKERS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
];

/// Folders of one machine.
const MACHINE: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/tm", "p/"),
    concat!("C:", "\\"),
];

/// Hosts that only some machine reaches, and settings that send packages elsewhere.
const HOSTS: &[&str] = &[
    concat!("//local", "host"),
    concat!("//127", "."),
    concat!("//10", "."),
    concat!("//192", "."),
    concat!("arti", "factory"),
    concat!("[source", "."),
    concat!("[regis", "tries"),
    concat!("replace", "-with"),
];

/// Where the lock file may say that packages come from.
const REGISTRY: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

/// Rust files whose first line does not say what the file is for.
#[must_use]
pub fn without_purpose(repository: &Repository) -> Vec<Problem> {
    let says =
        |text: &str| text.lines().next().is_some_and(|line| line.len() > 4 && line.starts_with("//! "));
    repository
        .ending(".rs")
        .filter(|(_, text)| !says(text))
        .map(|(path, _)| {
            Problem::line(path, 1, "the first line must begin with `//! ` and say what the file is for")
        })
        .collect()
}

/// Source files with too many lines.
#[must_use]
pub fn too_long(repository: &Repository) -> Vec<Problem> {
    let excused = |path: &str| LONGER.iter().any(|(longer, _)| *longer == path);
    [".rs", ".py", ".c", ".h", ".cu", ".cuh"]
        .into_iter()
        .flat_map(|end| repository.ending(end))
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(path, lines)| *lines > MAX_LINES && !excused(path))
        .map(|(path, lines)| Problem::file(path, format!("{lines} lines, {MAX_LINES} at most: split it")))
        .collect()
}

/// Words that put off work.
#[must_use]
pub fn put_off(repository: &Repository) -> Vec<Problem> {
    let has = |line: &str| MARKERS.iter().copied().find(|marker| stands_alone(line, marker));
    each_line(repository, |line| has(line).map(|marker| format!("`{marker}` puts off work: do it now")))
}

/// Tabs, and white space at the ends of lines.
#[must_use]
pub fn white_space(repository: &Repository) -> Vec<Problem> {
    let mut problems = each_line(repository, |line| {
        if line.contains('\t') {
            Some("a tab".to_owned())
        } else if line.ends_with([' ', '\r']) {
            Some("white space at the end of the line".to_owned())
        } else {
            None
        }
    });
    for (path, text) in repository.texts() {
        if !on_purpose(path) && !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")) {
            problems.push(Problem::file(path, "a file ends in one line feed"));
        }
    }
    problems
}

/// Paths and hosts that exist on one machine only, and packages from elsewhere than crates.io.
#[must_use]
pub fn of_one_machine(repository: &Repository) -> Vec<Problem> {
    let mut problems = each_line(repository, |line| {
        let path = MACHINE.iter().find(|path| begins_path(line, path));
        let host = HOSTS.iter().find(|host| line.contains(**host));
        path.or(host).map(|what| format!("`{what}` belongs to one machine"))
    });
    let lock = repository.text("Cargo.lock").unwrap_or_default();
    for (k, line) in lock.lines().enumerate() {
        if line.starts_with("source = ") && line != REGISTRY {
            problems.push(Problem::line("Cargo.lock", k + 1, "a package does not come from crates.io"));
        }
    }
    problems
}

/// A problem for each line for which `what` says one.
fn each_line(repository: &Repository, what: impl Fn(&str) -> Option<String>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in repository.texts().filter(|(path, _)| !on_purpose(path)) {
        // Lines end in a line feed only: a carriage return is a problem of its own.
        for (k, line) in text.split('\n').enumerate() {
            problems.extend(what(line).map(|what| Problem::line(path, k + 1, what)));
        }
    }
    problems
}

fn on_purpose(path: &str) -> bool {
    WRONG_ON_PURPOSE.iter().any(|folder| path.contains(folder))
}

/// Whether `marker` stands in `line` as a word of its own.
fn stands_alone(line: &str, marker: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(marker).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(in_word);
        let after = line[at + marker.len()..].chars().next().is_some_and(in_word);
        !before && !after
    })
}

/// Whether an absolute path begins with `start` in `line`; the middle of a URL or a longer path does not count.
fn begins_path(line: &str, start: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '}' | '*');
    line.match_indices(start).any(|(at, _)| !line[..at].chars().next_back().is_some_and(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Repository) -> Vec<Problem>, path: &str, text: &str) -> Vec<usize> {
        rule(&Repository::of([(path, text)])).iter().map(|p| p.line).collect()
    }

    #[test]
    fn a_source_file_says_what_it_is_for() {
        assert_eq!(lines(without_purpose, "a.rs", "//! What it is.\n"), []);
        assert_eq!(lines(without_purpose, "a.rs", "//! \n"), [1]);
        assert_eq!(lines(without_purpose, "a.rs", "use x;\n"), [1]);
        assert_eq!(lines(without_purpose, "a.md", "# A\n"), []);
    }

    #[test]
    fn a_source_file_is_short() {
        assert_eq!(lines(too_long, "a.rs", &"x\n".repeat(MAX_LINES)), []);
        assert_eq!(lines(too_long, "a.rs", &"x\n".repeat(MAX_LINES + 1)), [0]);
    }

    #[test]
    fn work_is_not_put_off() {
        for marker in MARKERS {
            assert_eq!(lines(put_off, "a.rs", &format!("ok\n// {marker} later\n")), [2]);
            assert_eq!(lines(put_off, "a.rs", &format!("A{marker}\n")), []);
        }
    }

    #[test]
    fn white_space_is_plain() {
        assert_eq!(lines(white_space, "a.md", "a\n b\n"), []);
        assert_eq!(lines(white_space, "a.md", "a \n\tb\nc\r\n"), [1, 2, 3]);
        assert_eq!(lines(white_space, "a.md", "a"), [0]);
        assert_eq!(lines(white_space, "a.md", "a\n\n"), [0]);
        assert_eq!(lines(white_space, "x/tests/bad/a.toml", "\t"), []);
    }

    #[test]
    fn nothing_belongs_to_one_machine() {
        for start in MACHINE {
            assert_eq!(lines(of_one_machine, "a.md", &format!("see `{start}x`\n")), [1]);
            assert_eq!(lines(of_one_machine, "a.md", &format!("see https://x.org{start}x\n")), []);
        }
        for host in HOSTS {
            assert_eq!(lines(of_one_machine, "a.toml", &format!("{host}x\n")), [1]);
        }
        assert_eq!(lines(of_one_machine, "Cargo.lock", &format!("{REGISTRY}\n")), []);
        assert_eq!(lines(of_one_machine, "Cargo.lock", "source = \"git+https://x.org\"\n"), [1]);
    }
}
