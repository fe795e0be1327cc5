//! The files of the repository as the rules see them: those that git tracks, with their text.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::Command;

/// Folders that hold what programs made, looked at by no rule.
const MADE: &[&str] = &["target", "build", ".git", "__pycache__"];

/// Something that breaks a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file, relative to the root, with `/` between folders.
    pub path: String,
    /// The line, counted from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl Problem {
    /// A problem of the file as a whole.
    #[must_use]
    pub fn file(path: &str, what: impl Into<String>) -> Self {
        Self::line(path, 0, what)
    }

    /// A problem of one line, counted from 1.
    #[must_use]
    pub fn line(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// The tracked files: their text, or nothing where they are not text.
///
/// ```
/// use neuropil_tidy::Repository;
/// let repository = Repository::of([("README.md", "# Neuropil\n")]);
/// assert_eq!(repository.text("README.md"), Some("# Neuropil\n"));
/// assert!(repository.has("README.md") && !repository.has("docs"));
/// ```
#[derive(Clone, Default, Debug)]
pub struct Repository {
    files: BTreeMap<String, Option<String>>,
}

impl Repository {
    /// The repository that this crate lies in.
    ///
    /// # Errors
    /// If a folder cannot be listed.
    pub fn open() -> std::io::Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.ancestors().nth(2).unwrap_or(here);
        let paths = match tracked(root) {
            Some(paths) => paths,
            None => walked(root)?,
        };
        let mut files = BTreeMap::new();
        for path in paths {
            // A tracked file may have been removed without git being told yet.
            if let Ok(bytes) = std::fs::read(root.join(&path)) {
                let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
                files.insert(path, text);
            }
        }
        Ok(Self { files })
    }

    /// A repository of those files, for tests of the rules.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = |(path, text): (&str, &str)| (path.to_owned(), Some(text.to_owned()));
        Self { files: files.into_iter().map(owned).collect() }
    }

    /// The text of a file, if it is there and is text.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Whether there is a file of that path, or a file below a folder of that path.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        self.files.contains_key(path) || self.files.keys().any(|file| file.starts_with(&folder))
    }

    /// All files that are text, by path.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// All text files whose path ends so, by path.
    pub fn ending<'a>(&'a self, end: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.texts().filter(move |(path, _)| path.ends_with(end))
    }
}

/// What git tracks below `root`; none where git or its folder is absent, as in an unpacked archive.
fn tracked(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output().ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
    // A copy inside another project's tree is tracked by nobody.
    paths.iter().any(|path| path == "Cargo.toml").then_some(paths)
}

/// Every file below `root` but what programs made.
fn walked(root: &Path) -> std::io::Result<Vec<String>> {
    let mut paths = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            if !entry.file_type()?.is_dir() {
                paths.push(path);
            } else if !MADE.contains(&name.as_str()) {
                folders.push(path);
            }
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_finds_at_least_what_git_tracks() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let walked = walked(here).expect("this crate's folder can be listed");
        assert!(walked.iter().any(|path| path == "src/repository.rs"));
        let repository = Repository::open().expect("the repository can be listed");
        assert!(repository.has("crates/tidy/src") && repository.text("Cargo.toml").is_some());
    }
}
