//! Test files: how they are found, taken apart, held and written anew.

use std::path::{Path, PathBuf};

use crate::stage::{STAGES, Stage};

/// The line between the parts of a file.
const LINE: &str = "----";

/// The parts of a test file.
///
/// ```
/// use neuropil_filetests::case::Case;
/// let case = Case::parse("Shows nothing.\n----\na\nb\n----\nc\n").unwrap();
/// assert_eq!((case.about, case.input, case.expected), ("Shows nothing.\n", "a\nb\n", "c\n"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Case<'a> {
    /// What the file shows.
    pub about: &'a str,
    /// What goes into the stage.
    pub input: &'a str,
    /// What came out of it when the expectation was last accepted.
    pub expected: &'a str,
}

impl<'a> Case<'a> {
    /// Takes a file apart. A file that has no expectation yet may end after its input.
    ///
    /// # Errors
    /// If it has no input, or a third line of hyphens.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut start = 0;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            if line.trim_end_matches('\n') == LINE {
                parts.push(&text[start..at]);
                start = at + line.len();
            }
            at += line.len();
        }
        parts.push(&text[start..]);
        match parts.as_slice() {
            [about, ..] if about.trim().is_empty() => Err("the file does not say what it shows".to_owned()),
            [about, input] => Ok(Self { about, input, expected: "" }),
            [about, input, expected] => Ok(Self { about, input, expected }),
            other => Err(format!("there are {} lines `{LINE}`, not 2", other.len() - 1)),
        }
    }

    /// The file with another expectation.
    #[must_use]
    pub fn with(&self, expected: &str) -> String {
        format!("{}{LINE}\n{}{LINE}\n{expected}", self.about, self.input)
    }
}

/// A test file and the stage it is for.
#[derive(Clone, Debug)]
pub struct File {
    /// `STAGE/NAME`.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What its input goes into.
    pub stage: &'static Stage,
}

/// All test files below `folder`, by name.
///
/// # Errors
/// If a folder cannot be listed, or is named for no stage.
pub fn files(folder: &Path) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        let stage_name = file_name(&path);
        let stage = STAGES.iter().find(|stage| stage.name == stage_name);
        let stage = stage.ok_or_else(|| format!("the folder `{stage_name}` is named for no stage"))?;
        for path in entries(&path)?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "txt")) {
            let name = format!("{stage_name}/{}", file_name(&path.with_extension("")));
            files.push(File { name, path, stage });
        }
    }
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error| format!("cannot list `{}`: {error}", folder.display());
    let list = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut paths =
        list.map(|entry| entry.map(|e| e.path()).map_err(unreadable)).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Compares what the stage makes of the input with the expectation or, if `bless`, makes it the expectation.
///
/// # Errors
/// What differs, or why the file is no test.
pub fn hold(file: &File, bless: bool) -> Result<(), String> {
    let text = std::fs::read_to_string(&file.path).map_err(|error| error.to_string())?;
    let case = Case::parse(&text)?;
    let found = ended((file.stage.run)(case.input));
    if found == case.expected {
        return Ok(());
    }
    if bless {
        return std::fs::write(&file.path, case.with(&found)).map_err(|error| error.to_string());
    }
    Err(format!("{}\n{}", difference(case.expected, &found), "`cargo xtask bless` accepts what was found"))
}

/// `text` without white space at the ends of its lines and with one line feed at its end.
fn ended(text: String) -> String {
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines.iter().flat_map(|line| [*line, "\n"]).collect()
}

/// The lines that differ, with `-` before those that were expected and `+` before those that were found; what both
/// texts begin and end with is left out.
fn difference(expected: &str, found: &str) -> String {
    let expected: Vec<&str> = expected.lines().collect();
    let found: Vec<&str> = found.lines().collect();
    let shorter = expected.len().min(found.len());
    let same = |k: &usize| expected[*k] == found[*k];
    let begin = (0..shorter).take_while(same).count();
    let backwards = |k: &usize| expected[expected.len() - 1 - k] == found[found.len() - 1 - k];
    let end = (0..shorter - begin).take_while(backwards).count();
    let mut text = format!("from line {} of the expectation:\n", begin + 1);
    for line in &expected[begin..expected.len() - end] {
        text += &format!("- {line}\n");
    }
    for line in &found[begin..found.len() - end] {
        text += &format!("+ {line}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_expectation_gets_one() {
        let case = Case::parse("About.\n----\nin\n").expect("it has an input");
        assert_eq!(case.with("out\n"), "About.\n----\nin\n----\nout\n");
    }

    #[test]
    fn a_file_has_an_explanation_and_two_lines() {
        assert!(Case::parse("").is_err());
        assert!(Case::parse("\n----\nin\n").is_err());
        assert!(Case::parse("About.\n").is_err());
        assert!(Case::parse("About.\n----\n----\n----\n").is_err());
    }

    #[test]
    fn a_difference_leaves_out_what_is_the_same() {
        assert_eq!(difference("a\nb\nc\n", "a\nx\nc\n"), "from line 2 of the expectation:\n- b\n+ x\n");
        assert_eq!(difference("a\n", "a\na\n"), "from line 2 of the expectation:\n+ a\n");
        assert_eq!(difference("", ""), "from line 1 of the expectation:\n");
    }
}
