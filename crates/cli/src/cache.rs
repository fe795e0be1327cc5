//! `neuropil cache`: compiled kernels that are kept from one run to the next.

use std::path::PathBuf;

use neuropil::{CacheContents, KernelCache};

use crate::console;
use crate::failure::{Exit, Failure};

/// The most that is kept: some thousand kernels.
const CAP: u64 = 64 << 20;

/// Where kernels are kept on this system, if it has a place for caches.
fn folder() -> Option<PathBuf> {
    Some(dirs::cache_dir()?.join("neuropil").join("kernels"))
}

/// The cache of this user; none where there is no place for it.
pub(crate) fn open() -> Option<KernelCache> {
    KernelCache::open(&folder()?, CAP).ok()
}

/// One line about the cache.
pub(crate) fn shown() -> String {
    let Some(folder) = folder() else {
        return "none: this system has no place for caches".to_owned();
    };
    // Looked at, but not made: whoever asks may not want one.
    let contents = if folder.is_dir() { open().and_then(|c| c.contents().ok()) } else { None };
    format!("{}, {}", folder.display(), counted(contents.unwrap_or_default()))
}

fn counted(contents: CacheContents) -> String {
    let CacheContents { entries, bytes } = contents;
    let noun = if entries == 1 { "kernel" } else { "kernels" };
    format!("{entries} {noun}, {} KiB of at most {} MiB", bytes.div_ceil(1024), CAP >> 20)
}

/// Says what is kept, or removes it.
pub(crate) fn cache(clear: bool) -> Result<Exit, Failure> {
    if !clear {
        console::print(&format!("{}\n", shown()))?;
        return Ok(Exit::Done);
    }
    let Some(folder) = folder() else {
        console::print(&format!("{}\n", shown()))?;
        return Ok(Exit::Done);
    };
    let cleared = if folder.is_dir() {
        let cache = KernelCache::open(&folder, CAP);
        cache.and_then(|c| c.clear()).map_err(|source| Failure::Cache { path: folder.clone(), source })?
    } else {
        CacheContents::default()
    };
    let noun = if cleared.entries == 1 { "kernel" } else { "kernels" };
    console::print(&format!("removed {} {noun} from {}\n", cleared.entries, folder.display()))?;
    Ok(Exit::Done)
}
