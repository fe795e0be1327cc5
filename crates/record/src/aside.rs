//! Makes room in a directory in which a killed process left an unfinished recording.
//!
//! What it wrote may be all that is left of a long run, so it is moved, not overwritten: to `interrupted-1`, or the
//! next number that is free. Only a recording in which nothing was recorded is removed.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use neuropil_memory::patiently;

use crate::file::partial;
use crate::manifest::{MANIFEST, PARTIAL, is_file_name};
use crate::{Manifest, RecordError, npy};

/// Moves the unfinished recording in `dir` aside, and says where it is then. `None` if there is none, or an empty one.
///
/// # Errors
/// [`RecordError::Busy`] if it is unfinished because somebody is writing it, and what the operating system refuses.
pub(crate) fn move_aside(dir: &Path) -> Result<Option<PathBuf>, RecordError> {
    let files = unfinished(dir)?;
    if files.is_empty() {
        return Ok(None);
    }
    for file in &files {
        if is_locked(&dir.join(file)) {
            return Err(RecordError::Busy { dir: dir.to_owned(), file: file.clone() });
        }
    }
    // Files are taken for renamed because the manifest counts them, so it must not outlast the others here: if this
    // process is killed too, the next one would take files of an earlier recording for renamed ones.
    let (manifest, data): (Vec<String>, Vec<String>) =
        files.into_iter().partition(|file| *file == manifest_name());
    let renamed = renamed(dir);
    if renamed.is_empty() && data.iter().all(|file| npy::is_empty(&dir.join(file))) {
        for path in manifest.iter().chain(&data).map(|file| dir.join(file)) {
            fs::remove_file(&path).map_err(|e| RecordError::io("remove", &path, e))?;
        }
        return Ok(None);
    }
    let aside = free_directory(dir)?;
    for file in renamed.iter().chain(&manifest).chain(&data) {
        let from = dir.join(file);
        fs::rename(&from, aside.join(file)).map_err(|e| RecordError::io("rename", &from, e))?;
    }
    Ok(Some(aside))
}

fn manifest_name() -> String {
    format!("{MANIFEST}{PARTIAL}")
}

/// The names of unfinished files in `dir`; other people's `.partial` files are not among them.
fn unfinished(dir: &Path) -> Result<Vec<String>, RecordError> {
    let io = |e| RecordError::io("read", dir, e);
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(io)? {
        let name = entry.map_err(io)?.file_name().into_string();
        names.extend(name.ok().filter(|name| {
            *name == manifest_name() || name.strip_suffix(PARTIAL).is_some_and(|name| name.ends_with(".npy"))
        }));
    }
    names.sort();
    Ok(names)
}

/// Files of the unfinished recording that have their final names already, because its process was killed while it
/// renamed them. The manifest counts rows only from then on.
fn renamed(dir: &Path) -> Vec<String> {
    let files = Manifest::read(&dir.join(manifest_name())).map_or(Vec::new(), |manifest| manifest.files);
    files
        .into_iter()
        .filter(|entry| is_file_name(&entry.file) && entry.shape.first().is_some_and(|n_rows| *n_rows > 0))
        .map(|entry| entry.file)
        .filter(|file| !partial(&dir.join(file)).exists() && dir.join(file).exists())
        .collect()
}

/// Whether somebody is writing the file. Where there are no locks nobody knows, and nobody is assumed to.
fn is_locked(path: &Path) -> bool {
    let blocked = |file: File| matches!(patiently(|| file.try_lock_shared()), Err(TryLockError::WouldBlock));
    File::open(path).is_ok_and(blocked)
}

/// Makes the directory that the recording is moved to.
fn free_directory(dir: &Path) -> Result<PathBuf, RecordError> {
    let mut n = 1_u32;
    loop {
        let aside = dir.join(format!("interrupted-{n}"));
        match fs::create_dir(&aside) {
            Ok(()) => return Ok(aside),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && n < u32::MAX => n += 1,
            Err(e) => return Err(RecordError::io("create", &aside, e)),
        }
    }
}
