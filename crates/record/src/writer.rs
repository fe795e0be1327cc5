//! The writer of a [`FileSink`](crate::FileSink): a thread that takes blocks of rows and fills files with them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, bounded};
use neuropil_base::ScalarType;
use neuropil_memory::MappedFile;

use crate::file::{Column, partial};
use crate::{RecordError, npy};

/// What a power failure may spoil, as long as data come: the time between two syncs, which are slow.
const SYNC_AGE: Duration = Duration::from_secs(5);
/// Blocks on their way to the writer; when the disk is slower than the simulation, the simulation waits.
const RING_BLOCKS: usize = 32;

/// Rows of one recorder that belong together: the bytes of each column.
#[derive(Clone, Default, Debug)]
pub(crate) struct Block {
    pub(crate) columns: Vec<Vec<u8>>,
    pub(crate) n_rows: u64,
}

impl Block {
    pub(crate) fn new(n_columns: usize) -> Self {
        Self { columns: vec![Vec::new(); n_columns], n_rows: 0 }
    }

    /// Drops all rows but the first `n_rows`.
    pub(crate) fn truncate(&mut self, n_rows: u64, layout: &[Column]) {
        if n_rows < self.n_rows {
            self.n_rows = n_rows;
            for (bytes, column) in self.columns.iter_mut().zip(layout) {
                bytes.truncate((n_rows * column.row_bytes()) as usize);
            }
        }
    }
}

/// What the thread is asked to do, in this order.
#[derive(Debug)]
enum Task {
    /// Append rows to the files of a recorder.
    Append(usize, Block),
    /// Forget all rows of a recorder but the first.
    Cut(usize, u64),
    /// Wait until everything is on the disk, and say so.
    Settle(Sender<()>),
}

/// The thread, seen from outside.
#[derive(Debug)]
pub(crate) struct Writer {
    tasks: Sender<Task>,
    thread: JoinHandle<Result<Vec<Vec<Output>>, RecordError>>,
}

impl Writer {
    /// Starts the thread with the files of each recorder, which lie in `dir`.
    pub(crate) fn start(dir: &Path, outputs: Vec<Vec<Output>>) -> Result<Self, RecordError> {
        let (tasks, receiver) = bounded(RING_BLOCKS);
        let thread = std::thread::Builder::new()
            .name("neuropil-record".to_owned())
            .spawn(move || write(outputs, &receiver))
            .map_err(|e| RecordError::io("start the writer thread of", dir, e))?;
        Ok(Self { tasks, thread })
    }

    /// Has a block written. `false` if the thread has ended, which it does only after an error.
    #[must_use]
    pub(crate) fn append(&self, recorder: usize, block: Block) -> bool {
        self.tasks.send(Task::Append(recorder, block)).is_ok()
    }

    /// Has rows forgotten. `false` if the thread has ended.
    #[must_use]
    pub(crate) fn cut(&self, recorder: usize, n_rows: u64) -> bool {
        self.tasks.send(Task::Cut(recorder, n_rows)).is_ok()
    }

    /// Waits until everything is on the disk. `false` if the thread has ended.
    #[must_use]
    pub(crate) fn settle(&self) -> bool {
        let (done, wait) = bounded(1);
        self.tasks.send(Task::Settle(done)).is_ok() && wait.recv().is_ok()
    }

    /// Waits until everything is written. `None` if the thread has panicked.
    pub(crate) fn join(self) -> Option<Result<Vec<Vec<Output>>, RecordError>> {
        drop(self.tasks);
        self.thread.join().ok()
    }
}

/// The thread: works until nobody asks for anything more.
fn write(mut outputs: Vec<Vec<Output>>, tasks: &Receiver<Task>) -> Result<Vec<Vec<Output>>, RecordError> {
    let worked = work(&mut outputs, tasks);
    // Rows that were forgotten, and that nothing was written over, are still counted.
    let counted = outputs.iter_mut().flatten().try_for_each(Output::count);
    worked.and(counted).map(|()| outputs)
}

fn work(outputs: &mut [Vec<Output>], tasks: &Receiver<Task>) -> Result<(), RecordError> {
    let sync = |outputs: &mut [Vec<Output>]| {
        outputs.iter_mut().flatten().try_for_each(|output| output.file.flush_block())
    };
    let mut last_sync = Instant::now();
    for task in tasks {
        match task {
            Task::Append(k, block) => {
                for (output, bytes) in outputs.get_mut(k).into_iter().flatten().zip(&block.columns) {
                    output.append(bytes, block.n_rows)?;
                }
            }
            Task::Cut(k, n_rows) => outputs.get_mut(k).into_iter().flatten().for_each(|o| o.cut(n_rows)),
            Task::Settle(done) => {
                sync(outputs)?;
                last_sync = Instant::now();
                // Whoever asked and went away need not know.
                let _ = done.send(());
            }
        }
        if last_sync.elapsed() >= SYNC_AGE {
            sync(outputs)?;
            last_sync = Instant::now();
        }
    }
    Ok(())
}

/// An open data file.
#[derive(Debug)]
pub(crate) struct Output {
    /// Its final name.
    path: PathBuf,
    file: MappedFile,
    ty: ScalarType,
    n_columns: Option<u64>,
    row_bytes: u64,
    n_rows: u64,
    /// Rows that the header counts.
    n_counted: u64,
}

/// A data file that is written and waits for its final name. It stays locked until it has it.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) path: PathBuf,
    pub(crate) n_rows: u64,
    _file: File,
}

impl Output {
    /// A new file without rows.
    pub(crate) fn create(dir: &Path, column: &Column) -> Result<Self, RecordError> {
        let path = dir.join(&column.file);
        let mut file = MappedFile::create(&partial(&path))?;
        file.append(&npy::header(column.ty, 0, column.n_columns))?;
        Ok(Self::new(path, file, column, 0))
    }

    /// The file of another process, at `place`, with its first `n_rows` rows. It has not changed yet.
    ///
    /// # Errors
    /// A file that is in use, is not one of ours, or has too few rows.
    pub(crate) fn open(dir: &Path, place: &Path, column: &Column, n_rows: u64) -> Result<Self, RecordError> {
        let file = MappedFile::open(place)?;
        let n_counted = npy::count_rows(file.bytes(), (column.ty, column.n_columns), place)?;
        let least =
            n_rows.checked_mul(column.row_bytes()).and_then(|n| n.checked_add(npy::HEADER_BYTES as u64));
        if n_counted < n_rows || least.is_none_or(|least| file.len() < least) {
            let message = format!("`{}` has `{n_counted}` rows, the mark counts {n_rows}", place.display());
            return Err(RecordError::Mark { message });
        }
        let mut output = Self::new(dir.join(&column.file), file, column, n_counted);
        output.cut(n_rows);
        Ok(output)
    }

    fn new(path: PathBuf, file: MappedFile, column: &Column, n_rows: u64) -> Self {
        let &Column { ty, n_columns, .. } = column;
        Self { path, file, ty, n_columns, row_bytes: column.row_bytes(), n_rows, n_counted: n_rows }
    }

    /// Rows so far.
    pub(crate) fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Gives a file that has its final name the temporary one again.
    pub(crate) fn hide(&mut self) -> Result<(), RecordError> {
        let temporary = partial(&self.path);
        if self.file.path() == temporary { Ok(()) } else { Ok(self.file.rename(&temporary)?) }
    }

    /// Appends rows: first the data, then the header that counts them.
    fn append(&mut self, bytes: &[u8], n_rows: u64) -> Result<(), RecordError> {
        // Rows that were forgotten must not be counted while they are written over.
        self.count()?;
        self.file.append(bytes)?;
        self.n_rows += n_rows;
        self.count()
    }

    /// Has the header count the rows.
    fn count(&mut self) -> Result<(), RecordError> {
        if self.n_counted != self.n_rows {
            self.file.write_at(0, &npy::header(self.ty, self.n_rows, self.n_columns))?;
            self.n_counted = self.n_rows;
        }
        Ok(())
    }

    /// Forgets all rows but the first `n_rows`. The file changes only when more are appended.
    fn cut(&mut self, n_rows: u64) {
        self.n_rows = n_rows.min(self.n_rows);
        self.file.truncate(npy::HEADER_BYTES as u64 + self.n_rows * self.row_bytes);
    }

    /// Waits until all of it is on the disk.
    pub(crate) fn finish(self) -> Result<Written, RecordError> {
        Ok(Written { path: self.path, n_rows: self.n_rows, _file: self.file.finish()? })
    }
}
