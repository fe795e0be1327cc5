//! Tells the crate which version of its emitter it has: code that another one made is not taken from a cache.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

fn sources(folder: &Path, list: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { sources(&path, list) } else { list.push(path) }
    }
}

fn main() {
    println!("cargo::rerun-if-changed=src/x86");
    let mut list = Vec::new();
    sources(Path::new("src/x86"), &mut list);
    list.sort();
    let mut hasher = DefaultHasher::new();
    for path in list {
        path.hash(&mut hasher);
        std::fs::read(&path).unwrap_or_default().hash(&mut hasher);
    }
    println!("cargo::rustc-env=NEUROPIL_EMITTER={:016x}", hasher.finish());
}
