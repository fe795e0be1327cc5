//! Files as memory: one that grows while it is written, and whole ones to be read.
//!
//! # What could go wrong with a mapped file, and what is done about it
//! Touching a mapped page that has no file behind it is a signal (SIGBUS), which ends the process, and bytes behind
//! a Rust reference must not change. Three things could bring either about:
//!
//! * **A full disk.** A page of a sparse file gets its block when it is first written, and when there is none left
//!   the signal comes. So room is reserved *before* it is mapped (`fallocate` on Linux), and a full disk is an error
//!   of [`MappedFile::append`]. File systems that cannot reserve get zeros written instead, which takes the same
//!   blocks. Where even that does not hold them (file systems that copy on write or compress, network file systems),
//!   the error comes later, from [`MappedFile::flush_block`] or [`MappedFile::finish`].
//! * **Our own programs.** A [`MappedFile`] holds the exclusive lock of its file while it lives, and does not open a
//!   file that somebody else has locked, so no file that somebody has mapped is truncated. A [`MappedView`] holds a
//!   shared lock, and is refused ([`MapError::Busy`]) while somebody writes: such a file must be read by copying.
//!   Where there are no locks there are no views.
//! * **Other programs.** The locks are advisory. Somebody may truncate the file by hand while it is mapped, and the
//!   process that touches the lost part ends with SIGBUS; or may overwrite bytes that are being read. A disk that
//!   fails while a page is read in is a SIGBUS too. None of this writes outside the map. It is what every program that
//!   maps files accepts, and a caller that cannot accept it reads by copying.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use memmap2::{Mmap, MmapMut, MmapOptions};

/// Room of a new file, and the grain in which files grow: small, for a network may have hundreds of recorders.
const GRAIN: u64 = 1 << 14;
/// Files double until they would grow by more than this at once.
const MOST_GROWTH: u64 = 1 << 30;

/// A file that cannot be mapped.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// The operating system refused something.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried: `create`, `open`, `write` (room for it is reserved first), `read`, `rename`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Somebody has the file in use, or the file system cannot tell.
    #[error("`{}` is in use: it is being written, or its file system has no locks", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
}

impl MapError {
    fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }
}

/// A file, written through memory, that grows as it is written.
///
/// While it is open the file is longer than its content: bytes without meaning follow. [`finish`](Self::finish) cuts them off, as
/// does dropping; only a killed process leaves them. What was appended before a process was killed is in the file.
///
/// ```
/// use neuropil_memory::{MappedFile, MappedView};
/// # let path = std::env::temp_dir().join(format!("neuropil-mapped-{}", std::process::id()));
/// let mut file = MappedFile::create(&path)?;
/// file.append(b"0 rows: ")?;
/// file.append(b"spikes")?;
/// file.write_at(0, b"1")?;
/// file.finish()?;
/// assert_eq!(MappedView::open(&path)?.bytes(), b"1 rows: spikes");
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), neuropil_memory::MapError>(())
/// ```
#[derive(Debug)]
pub struct MappedFile {
    path: PathBuf,
    /// Open and locked; `None` after the end.
    file: Option<File>,
    /// All of the file, which is as long as the map.
    map: MmapMut,
    len: usize,
    /// Bytes that have been written since the last flush lie in here.
    dirty: Range<usize>,
}

impl MappedFile {
    /// Creates an empty file. There must be none of that name yet.
    ///
    /// # Errors
    /// What the operating system refuses; a full disk.
    pub fn create(path: &Path) -> Result<Self, MapError> {
        let create = |e| MapError::io("create", path, e);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path).map_err(create)?;
        lock(&file, path)?;
        reserve(&file, 0..GRAIN).map_err(|e| MapError::io("write", path, e))?;
        let map = map_mut(&file, GRAIN).map_err(create)?;
        Ok(Self { path: path.to_owned(), file: Some(file), map, len: 0, dirty: 0..0 })
    }

    /// Opens a file that exists, with its content.
    ///
    /// Room is reserved for all of it, should the file have holes; on file systems that cannot reserve, only for what
    /// is appended.
    ///
    /// # Errors
    /// [`MapError::Busy`] for a file that somebody writes or maps, what the operating system refuses, and a full disk.
    pub fn open(path: &Path) -> Result<Self, MapError> {
        let error = |e| MapError::io("open", path, e);
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(error)?;
        lock(&file, path)?;
        let metadata = file.metadata().map_err(error)?;
        if !metadata.is_file() {
            return Err(error(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")));
        }
        let n = metadata.len();
        let too_large = || error(io::ErrorKind::FileTooLarge.into());
        let len = usize::try_from(n).map_err(|_| too_large())?;
        let room = n.max(1).checked_next_multiple_of(GRAIN).ok_or_else(too_large)?;
        let write = |e| MapError::io("write", path, e);
        if !allocate(&file, &(0..room)).map_err(write)? {
            write_zeros(&file, n..room).map_err(write)?;
        }
        let map = map_mut(&file, room).map_err(error)?;
        Ok(Self { path: path.to_owned(), file: Some(file), map, len, dirty: 0..0 })
    }

    /// Its content.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.map.get(..self.len).unwrap_or_default()
    }

    /// Forgets all bytes but the first `len`. In the file they remain until others are appended.
    pub fn truncate(&mut self, len: u64) {
        self.len = usize::try_from(len).map_or(self.len, |len| len.min(self.len));
    }

    /// Gives the file another name; a file that has it is replaced.
    ///
    /// # Errors
    /// What the operating system refuses.
    pub fn rename(&mut self, to: &Path) -> Result<(), MapError> {
        std::fs::rename(&self.path, to).map_err(|e| MapError::io("rename", &self.path, e))?;
        self.path = to.to_owned();
        Ok(())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of bytes appended so far.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len as u64
    }

    /// Whether nothing has been appended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends `bytes`: all of them, or after an error none.
    ///
    /// # Errors
    /// A full disk, or a file that is larger than memory addresses reach.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), MapError> {
        let end = self
            .len
            .checked_add(bytes.len())
            .ok_or_else(|| MapError::io("write", &self.path, io::ErrorKind::FileTooLarge.into()))?;
        if end > self.map.len() {
            self.grow(end as u64)?;
        }
        if let Some(to) = self.map.get_mut(self.len..end) {
            to.copy_from_slice(bytes);
        }
        self.touch(self.len..end);
        self.len = end;
        Ok(())
    }

    /// Overwrites bytes that have been appended, from `offset` on.
    ///
    /// This is a system call, not a copy in memory: a process that is killed meanwhile cannot leave half of it, as
    /// long as `bytes` lie within one page. Headers that count what follows are kept valid that way.
    ///
    /// # Errors
    /// Bytes beyond the end, and what the operating system refuses.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), MapError> {
        let error = |e| MapError::io("write", &self.path, e);
        let end = offset.checked_add(bytes.len() as u64).filter(|end| *end <= self.len as u64);
        let (Some(end), Some(mut file)) = (end, self.file.as_ref()) else {
            let message = format!("byte `{offset}` is beyond the end, or `{}` bytes reach it", bytes.len());
            return Err(error(io::Error::new(io::ErrorKind::InvalidInput, message)));
        };
        file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(bytes)).map_err(error)?;
        self.touch(offset as usize..end as usize);
        Ok(())
    }

    /// Waits until everything that has been written is on the disk, so that it survives a power failure.
    ///
    /// # Errors
    /// A failing disk.
    pub fn flush_block(&mut self) -> Result<(), MapError> {
        let Range { start, end } = self.dirty;
        if start < end {
            self.map.flush_range(start, end - start).map_err(|e| MapError::io("write", &self.path, e))?;
            self.dirty = 0..0;
        }
        Ok(())
    }

    /// Cuts the file to its length, and waits until all of it is on the disk.
    ///
    /// The file comes back, no longer mapped but still locked, so that it can be renamed before somebody else takes
    /// it for left behind.
    ///
    /// # Errors
    /// A failing disk.
    pub fn finish(mut self) -> Result<File, MapError> {
        self.flush_block()?;
        let error = |e| MapError::io("write", &self.path, e);
        let file = self.file.take().ok_or_else(|| error(io::ErrorKind::InvalidInput.into()))?;
        // Windows does not cut a file that is mapped.
        self.map = MmapMut::map_anon(1).map_err(error)?;
        file.set_len(self.len as u64).and_then(|()| file.sync_all()).map_err(error)?;
        Ok(file)
    }

    /// Makes room for `needed` bytes: twice the room if the disk has it, else what is needed.
    fn grow(&mut self, needed: u64) -> Result<(), MapError> {
        let error = |e| MapError::io("write", &self.path, e);
        let Some(file) = &self.file else { return Err(error(io::ErrorKind::InvalidInput.into())) };
        let room = self.map.len() as u64;
        let least = needed
            .checked_next_multiple_of(GRAIN)
            .ok_or_else(|| error(io::ErrorKind::FileTooLarge.into()))?;
        let wanted = least.max(room.saturating_add(room.min(MOST_GROWTH)));
        let attempt = |to: u64| {
            reserve(file, room..to).inspect_err(|_| {
                // Gives back what was reserved before the disk was full; beyond `room` nothing is mapped. If this
                // fails too, the file is only longer than it need be.
                let _ = file.set_len(room);
            })
        };
        let room = match attempt(wanted) {
            Ok(()) => wanted,
            Err(_) if least < wanted => attempt(least).map(|()| least).map_err(error)?,
            Err(e) => return Err(error(e)),
        };
        self.map = map_mut(file, room).map_err(error)?;
        Ok(())
    }

    fn touch(&mut self, range: Range<usize>) {
        self.dirty = if self.dirty.is_empty() {
            range
        } else {
            self.dirty.start.min(range.start)..self.dirty.end.max(range.end)
        };
    }
}

impl Drop for MappedFile {
    fn drop(&mut self) {
        if let (Some(file), Ok(nothing)) = (self.file.take(), MmapMut::map_anon(1)) {
            self.map = nothing;
            // Nobody is left to hear of an error; zeros at the end do no harm.
            let _ = file.set_len(self.len as u64);
        }
    }
}

/// A whole file, read through memory. Its length is that of the moment when it was opened.
#[derive(Debug)]
pub struct MappedView {
    /// `None` for an empty file, which cannot be mapped.
    map: Option<Mmap>,
    /// Holds the shared lock.
    _file: File,
}

impl MappedView {
    /// Maps the file at `path`.
    ///
    /// # Errors
    /// [`MapError::Busy`] for a file that somebody writes, and what the operating system refuses.
    pub fn open(path: &Path) -> Result<Self, MapError> {
        let error = |e| MapError::io("read", path, e);
        let file = File::open(path).map_err(error)?;
        let metadata = file.metadata().map_err(error)?;
        if !metadata.is_file() {
            let message = "it is not a regular file";
            return Err(error(io::Error::new(io::ErrorKind::InvalidInput, message)));
        }
        file.try_lock_shared().map_err(|_| MapError::Busy { path: path.to_owned() })?;
        // Only now is the length certain.
        let n = file.metadata().map_err(error)?.len();
        let n = usize::try_from(n).map_err(|_| error(io::ErrorKind::FileTooLarge.into()))?;
        let map = if n == 0 { None } else { Some(map(&file, n).map_err(error)?) };
        Ok(Self { map, _file: file })
    }

    /// Its bytes. The first lies at the start of a page, and so is aligned for every type.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }
}

#[allow(unsafe_code)]
fn map_mut(file: &File, n: u64) -> io::Result<MmapMut> {
    let n = usize::try_from(n).map_err(|_| io::ErrorKind::FileTooLarge)?;
    // SAFETY: the file has `n` bytes with blocks behind them (`reserve`). It is one that `MappedFile` has locked, so that
    // nobody else of ours has it mapped; where there are no locks nobody maps a file but who made or opened it to write. `MappedFile` never cuts it below its map, and changes it
    // through the descriptor only while no reference into the map exists (`write_at` takes `&mut self`). That no
    // other program truncates or writes it is up to the user; the module's documentation says what happens then.
    unsafe { MmapOptions::new().len(n).map_mut(file) }
}

#[allow(unsafe_code)]
fn map(file: &File, n: usize) -> io::Result<Mmap> {
    // SAFETY: the file has `n` bytes and is locked against every `MappedFile`, the only thing of ours that writes
    // files in place. That no other program truncates or writes it while the view lives is up to the user; the
    // module's documentation says what happens then.
    unsafe { MmapOptions::new().len(n).map(file) }
}

/// Takes the exclusive lock of a file.
fn lock(file: &File, path: &Path) -> Result<(), MapError> {
    match patiently(|| file.try_lock()) {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(MapError::Busy { path: path.to_owned() }),
        // A file system without locks: readers do not map its files.
        Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// Asks for a lock again for a fifth of a second while somebody else has it.
///
/// A process that this one is just starting holds copies of all open files, and of their locks, until its own program
/// begins: a file that was closed may stay locked for that long.
///
/// # Errors
/// What was answered last.
pub fn patiently(mut ask: impl FnMut() -> Result<(), TryLockError>) -> Result<(), TryLockError> {
    for _ in 0..20 {
        match ask() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            answer => return answer,
        }
    }
    ask()
}

/// Lengthens the file to `range.end` bytes and takes the blocks of `range` from the disk.
fn reserve(file: &File, range: Range<u64>) -> io::Result<()> {
    if allocate(file, &range)? { Ok(()) } else { write_zeros(file, range) }
}

/// Whether the file system has reserved the blocks; `false` if it cannot do such a thing.
#[cfg(target_os = "linux")]
fn allocate(file: &File, range: &Range<u64>) -> io::Result<bool> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::{Errno, retry_on_intr};

    let n = range.end.saturating_sub(range.start);
    match retry_on_intr(|| fallocate(file, FallocateFlags::empty(), range.start, n)) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::NODEV) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn allocate(_file: &File, _range: &Range<u64>) -> io::Result<bool> {
    Ok(false)
}

fn write_zeros(mut file: &File, range: Range<u64>) -> io::Result<()> {
    let zeros = [0; 1 << 13];
    file.seek(SeekFrom::Start(range.start))?;
    let mut left = range.end.saturating_sub(range.start);
    while left > 0 {
        let n = left.min(zeros.len() as u64);
        file.write_all(zeros.get(..n as usize).unwrap_or_default())?;
        left -= n;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicU32, Ordering};

    use proptest::prelude::*;

    use super::*;

    /// A directory of its own for each test, removed in the end.
    struct Directory(PathBuf);

    impl Directory {
        fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("neuropil-memory-{}-{n}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_that_doubled_several_times_equals_a_plain_one() {
        let dir = Directory::new();
        let (mapped, plain) = (dir.0.join("mapped"), dir.0.join("plain"));
        let mut file = MappedFile::create(&mapped).unwrap();
        let mut expected = Vec::new();
        for k in 0..2000_u32 {
            let block: Vec<u8> = (0..k).map(|x| (x ^ k) as u8).collect();
            file.append(&block).unwrap();
            expected.extend(block);
        }
        assert!(file.len() > 16 * GRAIN);
        // While it is written the file has room to spare, and all that was appended.
        let so_far = fs::read(&mapped).unwrap();
        assert_eq!(&so_far[..expected.len()], &expected[..]);
        assert!(so_far.len() > expected.len() && so_far[expected.len()..].iter().all(|b| *b == 0));
        file.finish().unwrap();
        fs::write(&plain, &expected).unwrap();
        assert_eq!(fs::read(&mapped).unwrap(), fs::read(&plain).unwrap());
        assert_eq!(MappedView::open(&mapped).unwrap().bytes(), expected);
    }

    #[test]
    fn empty_files_are_written_and_read() {
        let dir = Directory::new();
        let path = dir.0.join("empty");
        let mut file = MappedFile::create(&path).unwrap();
        file.append(&[]).unwrap();
        file.write_at(0, &[]).unwrap();
        assert!(file.is_empty());
        file.finish().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        assert!(MappedView::open(&path).unwrap().bytes().is_empty());
    }

    #[test]
    fn a_dropped_file_has_its_length() {
        let dir = Directory::new();
        let path = dir.0.join("dropped");
        let mut file = MappedFile::create(&path).unwrap();
        file.append(b"abc").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"abc");
    }

    #[test]
    fn bytes_beyond_the_end_are_not_overwritten() {
        let dir = Directory::new();
        let path = dir.0.join("short");
        let mut file = MappedFile::create(&path).unwrap();
        file.append(b"abc").unwrap();
        file.write_at(1, b"BC").unwrap();
        for (offset, bytes) in [(2, &b"xy"[..]), (4, b""), (u64::MAX, b"x")] {
            let message = file.write_at(offset, bytes).unwrap_err().to_string();
            assert!(message.starts_with(&format!("cannot write `{}`: ", path.display())), "{message}");
        }
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"aBC");
    }

    #[test]
    fn a_file_that_exists_is_neither_opened_nor_changed() {
        let dir = Directory::new();
        let path = dir.0.join("mine");
        fs::write(&path, "mine").unwrap();
        let message = MappedFile::create(&path).unwrap_err().to_string();
        assert!(message.starts_with(&format!("cannot create `{}`: ", path.display())), "{message}");
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }

    #[test]
    fn a_file_that_is_being_written_cannot_be_viewed() {
        let dir = Directory::new();
        let path = dir.0.join("busy");
        let mut file = MappedFile::create(&path).unwrap();
        file.append(b"abc").unwrap();
        assert!(matches!(MappedView::open(&path), Err(MapError::Busy { .. })));
        let file = file.finish().unwrap();
        assert!(matches!(MappedView::open(&path), Err(MapError::Busy { .. })));
        drop(file);
        let (one, two) = (MappedView::open(&path).unwrap(), MappedView::open(&path).unwrap());
        assert_eq!(one.bytes(), two.bytes());
    }

    #[test]
    fn a_file_that_somebody_maps_or_writes_is_not_opened() {
        let dir = Directory::new();
        let path = dir.0.join("mine");
        fs::write(&path, "mine").unwrap();
        let view = MappedView::open(&path).unwrap();
        assert!(matches!(MappedFile::open(&path), Err(MapError::Busy { .. })));
        drop(view);
        let mut file = MappedFile::open(&path).unwrap();
        assert!(matches!(MappedFile::open(&path), Err(MapError::Busy { .. })));
        file.rename(&dir.0.join("other")).unwrap();
        file.append(b"!").unwrap();
        drop(file);
        assert_eq!(fs::read(dir.0.join("other")).unwrap(), b"mine!");
    }

    #[test]
    fn places_that_hold_no_files_are_errors_with_their_path() {
        let dir = Directory::new();
        fs::write(dir.0.join("file"), "").unwrap();
        for path in [dir.0.clone(), dir.0.join("none/x"), dir.0.join("file/x")] {
            let message = MappedFile::create(&path).unwrap_err().to_string();
            assert!(message.starts_with(&format!("cannot create `{}`: ", path.display())), "{message}");
            let message = MappedView::open(&path).unwrap_err().to_string();
            assert!(message.starts_with(&format!("cannot read `{}`: ", path.display())), "{message}");
        }
    }

    /// The kernel's own directory takes no files, not even from the superuser.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_directory_that_is_not_writable_is_an_error() {
        let message = MappedFile::create(Path::new("/proc/neuropil")).unwrap_err().to_string();
        assert!(message.starts_with("cannot create `/proc/neuropil`: "), "{message}");
    }

    /// The device that is always full reserves nothing, and then takes no zeros either.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_of_reserving() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert!(!allocate(&full, &(0..GRAIN)).unwrap());
        assert_eq!(reserve(&full, 0..GRAIN).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn zeros_take_the_place_of_reserved_blocks() {
        let dir = Directory::new();
        let path = dir.0.join("zeros");
        fs::write(&path, "abc").unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        write_zeros(&file, 3..20_000).unwrap();
        let mut expected = b"abc".to_vec();
        expected.resize(20_000, 0);
        assert_eq!(fs::read(&path).unwrap(), expected);
    }

    #[derive(Clone, Debug)]
    enum Action {
        Append(usize, u8),
        Truncate(prop::sample::Index),
        Reopen,
        Write(prop::sample::Index, usize, u8),
        Flush,
    }

    fn action() -> impl Strategy<Value = Action> {
        prop_oneof![
            4 => (0_usize..300, any::<u8>()).prop_map(|(n, x)| Action::Append(n, x)),
            1 => (0_usize..300_000, any::<u8>()).prop_map(|(n, x)| Action::Append(n, x)),
            2 => (any::<prop::sample::Index>(), 0_usize..300, any::<u8>())
                .prop_map(|(at, n, x)| Action::Write(at, n, x)),
            1 => any::<prop::sample::Index>().prop_map(Action::Truncate),
            1 => Just(Action::Reopen),
            1 => Just(Action::Flush),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_mapped_file_is_a_vector_of_bytes(actions in prop::collection::vec(action(), 0..24)) {
            let dir = Directory::new();
            let path = dir.0.join("file");
            let mut file = MappedFile::create(&path).unwrap();
            let mut model: Vec<u8> = Vec::new();
            for action in actions {
                match action {
                    Action::Append(n, x) => {
                        let bytes: Vec<u8> = (0..n).map(|k| (k as u8).wrapping_mul(31) ^ x).collect();
                        file.append(&bytes).unwrap();
                        model.extend(bytes);
                    }
                    Action::Write(at, n, x) => {
                        let at = at.index(model.len() + 1);
                        let n = n.min(model.len() - at);
                        file.write_at(at as u64, &vec![x; n]).unwrap();
                        model[at..at + n].fill(x);
                    }
                    Action::Truncate(at) => {
                        let n = at.index(model.len() + 1);
                        file.truncate(n as u64);
                        model.truncate(n);
                    }
                    Action::Reopen => {
                        file.finish().unwrap();
                        file = MappedFile::open(&path).unwrap();
                        prop_assert_eq!(file.bytes(), &model[..]);
                    }
                    Action::Flush => file.flush_block().unwrap(),
                }
                prop_assert_eq!(file.len(), model.len() as u64);
            }
            prop_assert!(fs::read(&path).unwrap().starts_with(&model));
            file.finish().unwrap();
            prop_assert_eq!(&fs::read(&path).unwrap(), &model);
            let view = MappedView::open(&path).unwrap();
            prop_assert_eq!(view.bytes(), &model[..]);
        }
    }
}
