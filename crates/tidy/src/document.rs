//! Documents that say the truth: links that lead somewhere, commands that are run, codes that exist.

use std::collections::BTreeMap;

use crate::code::strings;
use crate::{Problem, Repository};

/// The two commands of the README.
const COMMANDS: [&str; 2] = ["cargo run --release -- run models/cuba.toml", TEST_COMMAND];

/// The one test command, of people and of `.ci/run`.
const TEST_COMMAND: &str = "cargo xtask test";

/// The table of all codes of diagnostics.
const DIAGNOSTICS: &str = "docs/diagnostics.md";

/// Crates whose strings of the form `two-words` are codes of diagnostics.
const REPORTING: &[&str] = &["syntax", "source", "sema", "integrate"];

/// Strings of that form in those crates that are no codes: flags of equations and names of methods.
const NO_CODES: &[&str] = &["clock-driven", "event-driven", "exponential-euler"];

/// The codes of a single word.
const SINGLE: &[&str] = &["internal", "unsupported"];

/// Links of Markdown files, and mentions of documents in comments, that lead nowhere.
#[must_use]
pub fn broken_links(repository: &Repository) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in repository.ending(".md") {
        for (line, target) in links(text) {
            if let Some(what) = broken(repository, path, target) {
                problems.push(Problem::line(path, line, what));
            }
        }
    }
    for (path, text) in repository.texts().filter(|(path, _)| !path.ends_with(".md")) {
        for (k, line) in text.lines().enumerate() {
            for page in mentioned_pages(line).filter(|page| !repository.has(page)) {
                problems.push(Problem::line(path, k + 1, format!("there is no `{page}`")));
            }
        }
    }
    problems
}

/// What the README must say.
#[must_use]
pub fn readme(repository: &Repository) -> Vec<Problem> {
    let text = repository.text("README.md").unwrap_or_default();
    let mut problems = Vec::new();
    if !text.starts_with("# Neuropil\n") {
        problems.push(Problem::line("README.md", 1, "the first line is `# Neuropil`"));
    }
    for command in COMMANDS {
        if !text.lines().any(|line| line == command) {
            problems.push(Problem::file("README.md", format!("no line is the command `{command}`")));
        }
    }
    problems
}

/// What the change log and `.ci/run` must say.
#[must_use]
pub fn process(repository: &Repository) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut needs = |path: &str, line: &str| {
        if !repository.text(path).unwrap_or_default().lines().any(|l| l.trim() == line) {
            problems.push(Problem::file(path, format!("no line says `{line}`")));
        }
    };
    needs("CHANGELOG.md", "## Unreleased");
    for command in COMMANDS {
        needs(".ci/run", command);
    }
    needs(".ci/run", "set -euo pipefail");
    problems
}

/// Codes of diagnostics without an explanation, and explanations of codes that do not exist.
#[must_use]
pub fn codes(repository: &Repository) -> Vec<Problem> {
    let mut used: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    for (path, text) in repository.ending(".rs").filter(|(path, _)| reports(path)) {
        for (line, literal) in strings(before_tests(text)) {
            if is_code(literal) && !NO_CODES.contains(&literal) {
                used.entry(literal).or_insert((path, line));
            }
        }
    }
    let explained = explained_codes(repository.text(DIAGNOSTICS).unwrap_or_default());
    let mut problems = Vec::new();
    for (code, (path, line)) in &used {
        if !explained.iter().any(|(_, explained)| explained == code) {
            problems.push(Problem::line(path, *line, format!("`{code}` is not explained in {DIAGNOSTICS}")));
        }
    }
    for (line, code) in explained {
        if !used.contains_key(code) {
            problems.push(Problem::line(DIAGNOSTICS, line, format!("no crate gives the code `{code}`")));
        }
    }
    problems
}

/// Models without the paper they come from, and models that the README does not list.
#[must_use]
pub fn models(repository: &Repository) -> Vec<Problem> {
    let readme = repository.text("README.md").unwrap_or_default();
    let mut problems = Vec::new();
    let is_model = |path: &str| path.starts_with("models/") || path.starts_with("crates/library/models/");
    for (path, text) in repository.ending(".toml").filter(|(path, _)| is_model(path)) {
        let paper = |line: &str| line.starts_with("reference = \"") || line.starts_with("# Reference:");
        if !text.lines().any(paper) {
            problems.push(Problem::file(path, "no `reference` says which paper the model is from"));
        }
        if path.starts_with("models/") && path.matches('/').count() == 1 && !readme.contains(path) {
            problems.push(Problem::file(path, "the README does not list this model"));
        }
    }
    problems
}

/// The page that says which test proves what.
const COMPARISON: &str = "docs/compare.md";

/// Tests that the comparison names, as `crate::file::function`, and that do not exist.
#[must_use]
pub fn comparison(repository: &Repository) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (k, line) in repository.text(COMPARISON).unwrap_or_default().lines().enumerate() {
        for name in line.split('`').skip(1).step_by(2).filter(|word| is_test_name(word)) {
            if !is_test(repository, name) {
                problems.push(Problem::line(COMPARISON, k + 1, format!("there is no test `{name}`")));
            }
        }
    }
    problems
}

/// `crate::file::function`, or with folders between them.
fn is_test_name(word: &str) -> bool {
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    word.split("::").count() >= 3 && word.split("::").all(is_name)
}

/// Whether the file, below the crate's `tests`, has a test of that name.
fn is_test(repository: &Repository, name: &str) -> bool {
    let mut parts: Vec<&str> = name.split("::").collect();
    let function = parts.pop().unwrap_or_default();
    let package = parts.remove(0);
    let file = format!("{package}/tests/{}.rs", parts.join("/"));
    let text =
        [format!("crates/{file}"), file].iter().find_map(|path| repository.text(path)).unwrap_or_default();
    let mut lines = text.lines().map(str::trim);
    lines.any(|line| line == "#[test]") && lines.any(|line| line.starts_with(&format!("fn {function}(")))
}

/// The targets of links of a Markdown text outside code, with their lines.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (k, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            let targets = line.match_indices("](").filter_map(|(at, _)| line[at + 2..].split_once(')'));
            found.extend(targets.map(|(target, _)| (k + 1, target)));
        }
    }
    found
}

/// What is wrong with a link from the document `from`.
fn broken(repository: &Repository, from: &str, target: &str) -> Option<String> {
    if ["https://", "http://", "mailto:"].iter().any(|start| target.starts_with(start)) {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() { from.to_owned() } else { resolved(from, file) };
    if !repository.has(&path) {
        return Some(format!("the link `{target}` leads to `{path}`, which is not there"));
    }
    let text = repository.text(&path).filter(|_| !anchor.is_empty())?;
    (!anchors(text).iter().any(|a| a == anchor)).then(|| format!("`{path}` has no heading for `#{anchor}`"))
}

/// The path of `file` as the document `from` means it.
fn resolved(from: &str, file: &str) -> String {
    let mut folders: Vec<&str> = from.split('/').collect();
    folders.pop();
    for part in file.trim_end_matches('/').split('/') {
        match part {
            "." | "" => {}
            ".." => {
                folders.pop();
            }
            name => folders.push(name),
        }
    }
    folders.join("/")
}

/// The anchors of a document's headings, made as the usual renderers make them.
fn anchors(text: &str) -> Vec<String> {
    let slug = |heading: &str| -> String {
        let kept = heading.trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    let heading = |line: &str| line.trim_start_matches('#').strip_prefix(' ').map(slug);
    text.lines().filter(|line| line.starts_with('#')).filter_map(heading).collect()
}

/// Pages below `docs/` that a line of source or configuration mentions.
fn mentioned_pages(line: &str) -> impl Iterator<Item = &str> {
    let of_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '.');
    let words = line.split(move |c: char| !of_path(c));
    words
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.starts_with("docs/") && word.ends_with(".md"))
}

fn reports(path: &str) -> bool {
    let of =
        |krate: &&str| path.strip_prefix("crates/").is_some_and(|p| p.starts_with(&format!("{krate}/src/")));
    REPORTING.iter().any(of) && !path.ends_with("/tests.rs") && !path.contains("/tests/")
}

/// The text of a source file up to its tests, which stand last.
fn before_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

/// Whether a string has the form of a code: words of small letters, joined by hyphens, but for few.
fn is_code(literal: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase());
    SINGLE.contains(&literal) || (literal.contains('-') && literal.split('-').all(word))
}

/// The codes in the first column of the tables of the page on diagnostics, with their lines.
fn explained_codes(page: &str) -> Vec<(usize, &str)> {
    let mut codes = Vec::new();
    for (k, line) in page.lines().enumerate() {
        if let Some((code, _)) = line.strip_prefix("| `").and_then(|cell| cell.split_once('`')) {
            codes.push((k + 1, code));
        }
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Repository) -> Vec<Problem>, files: &[(&str, &str)]) -> Vec<String> {
        let problems = rule(&Repository::of(files.iter().copied()));
        problems.iter().map(|p| format!("{}:{}", p.path, p.line)).collect()
    }

    #[test]
    fn links_lead_to_files_and_headings() {
        let page =
            "# A page\n[a](b.md) [b](b.md#two-words) [c](../README.md) [d](https://x.org) [e](#a-page)\n";
        let good = [("pages/a.md", page), ("pages/b.md", "# `Two` words\n"), ("README.md", "")];
        assert!(lines(broken_links, &good).is_empty());
        let bad = [("pages/a.md", "[a](c.md)\n\n[b](#none)\n```\n[in code](d.md)\n```\n")];
        assert_eq!(lines(broken_links, &bad), ["pages/a.md:1", "pages/a.md:3"]);
        assert_eq!(lines(broken_links, &[("a.rs", concat!("// See do", "cs/none.md.\n"))]), ["a.rs:1"]);
    }

    #[test]
    fn the_readme_names_the_two_commands() {
        let good = format!("# Neuropil\n{}\n{}\n", COMMANDS[0], COMMANDS[1]);
        assert!(lines(readme, &[("README.md", &good)]).is_empty());
        assert_eq!(lines(readme, &[("README.md", "# Other\n")]).len(), 3);
    }

    #[test]
    fn the_change_log_and_the_script_are_held() {
        let script = format!("set -euo pipefail\n{}\n{}\n", COMMANDS[0], COMMANDS[1]);
        let good = [("CHANGELOG.md", "## Unreleased\n"), (".ci/run", &script)];
        assert!(lines(process, &good).is_empty());
        assert_eq!(lines(process, &[]).len(), 4);
    }

    #[test]
    fn codes_are_explained_and_explanations_have_codes() {
        let source = "x(\"unit-mismatch\"); y(\"event-driven\"); z(\"Not-a code\");\n";
        let page = "| `unit-mismatch` | units |\n";
        let file = "crates/sema/src/a.rs";
        assert!(lines(codes, &[(file, source), (DIAGNOSTICS, page)]).is_empty());
        assert_eq!(lines(codes, &[(file, source)]), ["crates/sema/src/a.rs:1"]);
        assert_eq!(lines(codes, &[(DIAGNOSTICS, page)]), ["docs/diagnostics.md:1"]);
    }

    #[test]
    fn models_have_papers_and_are_listed() {
        let good = [("models/a.toml", "reference = \"A (2000)\"\n"), ("README.md", "[a](models/a.toml)")];
        assert!(lines(models, &good).is_empty());
        assert_eq!(lines(models, &[("models/a.toml", "")]).len(), 2);
    }

    #[test]
    fn a_test_that_does_not_exist_is_found() {
        let page = "| a | `neuropil::exact::it_adds` | `conformance::golden::agrees`, `x::y` |\n| b | `neuropil::exact::gone` |";
        let repository = Repository::of([
            ("docs/compare.md", page),
            ("crates/neuropil/tests/exact.rs", "#[test]\nfn it_adds() {}\n"),
            ("conformance/tests/golden.rs", "#[test]\nfn agrees() {}\n"),
        ]);
        let problems: Vec<String> = comparison(&repository).iter().map(ToString::to_string).collect();
        assert_eq!(problems, ["docs/compare.md:2: there is no test `neuropil::exact::gone`"]);
    }
}
