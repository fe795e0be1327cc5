//! Compiled kernels on disk, by their content.
//!
//! An entry is a file that holds its whole key beside the code: whatever is damaged, of another version or another
//! kernel is not taken, and written anew. Files are written under a name of their own and renamed, so that
//! processes share a cache without seeing half of an entry. The oldest entries go when there are too many.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// The first bytes of an entry.
const MAGIC: &[u8; 8] = b"npl-kern";
/// The end of the name of an entry.
const EXTENSION: &str = "kernel";
/// After so many new entries the size of the cache is looked at again.
const LOOK: u64 = 64;

/// A folder of compiled kernels.
#[derive(Debug)]
pub struct KernelCache {
    folder: PathBuf,
    cap: u64,
    found: AtomicU64,
    made: AtomicU64,
}

/// What a cache holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CacheContents {
    /// Entries.
    pub entries: u64,
    /// Bytes of all entries.
    pub bytes: u64,
}

impl KernelCache {
    /// A cache of at most `cap` bytes in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// The folder can be neither found nor made.
    pub fn open(folder: &Path, cap: u64) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let (found, made) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { folder: folder.to_owned(), cap, found, made })
    }

    /// Where it lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The most bytes that it keeps.
    #[must_use]
    pub fn cap(&self) -> u64 {
        self.cap
    }

    /// How many kernels were found in it so far.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.found.load(Ordering::Relaxed)
    }

    /// How many kernels were not found in it so far, and so were compiled.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// What it holds now.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn contents(&self) -> io::Result<CacheContents> {
        let entries = self.entries()?;
        Ok(CacheContents { entries: entries.len() as u64, bytes: entries.iter().map(|e| e.bytes).sum() })
    }

    /// Removes all entries, and says what they were.
    ///
    /// # Errors
    /// The folder cannot be read, or an entry not be removed.
    pub fn clear(&self) -> io::Result<CacheContents> {
        let contents = self.contents()?;
        for entry in self.entries()? {
            remove(&entry.path)?;
        }
        Ok(contents)
    }

    /// The data of a key: kept ones, or those that `make` gives, which are kept then. `parse` says whether data that were
    /// kept make sense. A cache that cannot be read or written is none: it never keeps a kernel from being made.
    pub(crate) fn get_or_make<T>(
        &self,
        key: &[u8],
        parse: impl FnOnce(&[u8]) -> Option<T>,
        make: impl FnOnce() -> Option<(T, Vec<u8>)>,
    ) -> Option<T> {
        let path = self.path(key);
        if let Some(value) = read(&path, key).and_then(|data| parse(&data)) {
            self.found.fetch_add(1, Ordering::Relaxed);
            return Some(value);
        }
        let (value, data) = make()?;
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        // Nothing is lost but time if there is no room, or no right to write.
        let _ = self.write(&path, key, &data);
        if made.is_multiple_of(LOOK) {
            let _ = self.trim();
        }
        Some(value)
    }

    fn path(&self, key: &[u8]) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        self.folder.join(format!("{:016x}.{EXTENSION}", hasher.finish()))
    }

    fn write(&self, path: &Path, key: &[u8], data: &[u8]) -> io::Result<()> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let own = self.folder.join(format!("{}-{number}.part", std::process::id()));
        let mut file = std::fs::File::create(&own)?;
        let mut sum = crc32fast::Hasher::new();
        sum.update(key);
        sum.update(data);
        let written = (|| {
            file.write_all(MAGIC)?;
            file.write_all(&sum.finalize().to_le_bytes())?;
            file.write_all(&(key.len() as u64).to_le_bytes())?;
            file.write_all(key)?;
            file.write_all(data)
        })();
        drop(file);
        if let Err(error) = written.and_then(|()| std::fs::rename(&own, path)) {
            remove(&own)?;
            return Err(error);
        }
        Ok(())
    }

    /// Removes the entries that were written longest ago until the rest fits.
    fn trim(&self) -> io::Result<()> {
        let mut entries = self.entries()?;
        entries.sort_by_key(|e| e.written);
        let mut bytes: u64 = entries.iter().map(|e| e.bytes).sum();
        for entry in entries {
            if bytes <= self.cap {
                break;
            }
            remove(&entry.path)?;
            bytes -= entry.bytes;
        }
        Ok(())
    }

    fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut list = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            // Another process may have removed it meanwhile.
            let Ok(data) = path.metadata() else { continue };
            let ours = path.extension().is_some_and(|e| e == EXTENSION || e == "part");
            if ours && data.is_file() {
                let written = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                list.push(Entry { path, bytes: data.len(), written });
            }
        }
        Ok(list)
    }
}

struct Entry {
    path: PathBuf,
    bytes: u64,
    written: SystemTime,
}

/// Removes a file; one that is gone already is no mistake.
fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The data of an entry, if it is whole and of that key.
fn read(path: &Path, key: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.read_to_end(&mut bytes).ok()?;
    let rest = bytes.strip_prefix(MAGIC)?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let (len, rest) = rest.split_first_chunk::<8>()?;
    let (found, data) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
    let fits = found == key && crc32fast::hash(rest) == u32::from_le_bytes(*sum);
    fits.then(|| data.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache in a folder of its own, removed at the end.
    struct Scratch(KernelCache);

    impl Scratch {
        fn new(name: &str, cap: u64) -> Self {
            let folder = std::env::temp_dir().join(format!("neuropil-cache-{}-{name}", std::process::id()));
            Self(KernelCache::open(&folder, cap).unwrap())
        }

        /// What the cache gives for a key, and whether it had to be made.
        fn get(&self, key: &str) -> (Vec<u8>, bool) {
            let made = self.0.made();
            let value = |data: &[u8]| Some(data.to_vec());
            let make = || Some((key.to_uppercase().into_bytes(), key.to_uppercase().into_bytes()));
            let data = self.0.get_or_make(key.as_bytes(), value, make).unwrap();
            (data, self.0.made() > made)
        }

        fn files(&self) -> Vec<PathBuf> {
            std::fs::read_dir(self.0.folder()).unwrap().map(|e| e.unwrap().path()).collect()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(self.0.folder());
        }
    }

    #[test]
    fn what_was_made_once_is_found_again() {
        let cache = Scratch::new("again", 1 << 20);
        assert_eq!(cache.get("abc"), (b"ABC".to_vec(), true));
        assert_eq!(cache.get("abc"), (b"ABC".to_vec(), false));
        assert_eq!(cache.get("abd"), (b"ABD".to_vec(), true));
        assert_eq!(cache.0.contents().unwrap().entries, 2);
        assert_eq!((cache.0.found(), cache.0.made()), (1, 2));
        assert_eq!(cache.0.clear().unwrap().entries, 2);
        assert_eq!(cache.0.contents().unwrap(), CacheContents::default());
        assert_eq!(cache.get("abc"), (b"ABC".to_vec(), true));
    }

    #[test]
    fn damaged_and_foreign_entries_are_made_anew() {
        let cache = Scratch::new("damaged", 1 << 20);
        cache.get("abc");
        let path = cache.files().remove(0);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x20;
            std::fs::write(&path, &damaged).unwrap();
            assert_eq!(cache.get("abc"), (b"ABC".to_vec(), true), "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(cache.get("abc"), (b"ABC".to_vec(), true), "{at} bytes");
        }
        // The entry of another key under this one's name.
        cache.get("other");
        let other = cache.files().into_iter().find(|p| *p != path).unwrap();
        std::fs::rename(other, &path).unwrap();
        assert_eq!(cache.get("abc"), (b"ABC".to_vec(), true));
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let cache = Scratch::new("many", 600);
        for k in 0..200 {
            cache.get(&format!("key {k}"));
        }
        let contents = cache.0.contents().unwrap();
        assert!(contents.bytes < 600 + LOOK * 40, "{contents:?}");
        assert!(contents.entries < 100);
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_none() {
        let cache = Scratch::new("gone", 1 << 20);
        std::fs::remove_dir_all(cache.0.folder()).unwrap();
        assert_eq!(cache.get("abc"), (b"ABC".to_vec(), true));
        assert!(cache.0.contents().is_err());
    }
}
