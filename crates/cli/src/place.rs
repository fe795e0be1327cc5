//! Whether files can be written to a place, asked before a long run and not after it.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use crate::failure::Failure;

/// Holds that files can be made in `dir`, or that `dir` itself can be made. Leaves nothing behind.
pub(crate) fn directory(dir: &Path) -> Result<(), Failure> {
    probe(dir).map_err(|source| Failure::Place { path: dir.to_owned(), source })
}

/// Holds that `file` can be made or replaced, its directory with it if need be. Leaves nothing behind.
pub(crate) fn file(file: &Path) -> Result<(), Failure> {
    let fail = |source| Failure::Place { path: file.to_owned(), source };
    if file.is_dir() {
        return Err(fail(io::ErrorKind::IsADirectory.into()));
    }
    probe(folder(file)).map_err(fail)
}

/// The directory that a file is in.
pub(crate) fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

/// Makes and removes a file in the nearest directory that exists.
fn probe(dir: &Path) -> io::Result<()> {
    let here = Path::new(".");
    let nearest = dir
        .ancestors()
        .map(|a| if a.as_os_str().is_empty() { here } else { a })
        .find(|a| a.exists())
        .unwrap_or(here);
    if !nearest.is_dir() {
        let message = format!("`{}` is not a directory", nearest.display());
        return Err(io::Error::new(io::ErrorKind::NotADirectory, message));
    }
    let probe = nearest.join(format!(".neuropil-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&probe)?;
    fs::remove_file(&probe)
}
