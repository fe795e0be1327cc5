//! A sink that fills a directory of `.npy` files through a writer thread.
//!
//! # Files
//! | recorder | files |
//! |---|---|
//! | spikes | `NAME.i.npy` neurons (int32), `NAME.t.npy` times in seconds (float64) |
//! | state | `NAME.t.npy` times of the rows, and per variable `NAME.VAR.npy` of shape (rows, elements) |
//! | rate | `NAME.t.npy` starts of the windows, `NAME.hz.npy` rates in hertz |
//!
//! and `manifest.json`, which says what they hold.
//!
//! # What survives what
//! All files have the ending `.partial` until [`finish`](Sink::finish): then they are synced and renamed, the
//! manifest last. Until then an earlier recording in the directory stays as it was, and an unfinished one that a
//! killed process left there is moved aside before the new one starts. The data are cut into blocks; the writer
//! appends a block and then rewrites the header's shape, so that NumPy (and
//! [`Recording::open_partial`](crate::Recording::open_partial)) read the files of a killed process up to the last
//! block. A block goes out when it is large or a second old.
//!
//! The data files are memory-mapped ([`MappedFile`]): a block is copied into the file's pages, and the operating
//! system writes them when it likes. The room for it is reserved beforehand, so that a full disk is an error and not
//! a signal. Until they are finished, files are longer than their data; readers go by the header. Once in
//! five seconds the writer waits until everything is on the disk: the seconds since then may be missing, or read
//! as zeros, after a power failure.
//!
//! # Going back and going on
//! [`mark`](FileSink::mark) says how much has been recorded and [`rewind`](FileSink::rewind) forgets what came behind
//! a mark. [`settle`](FileSink::settle) gives a mark that survives the process: with it
//! [`resume`](FileSink::resume) goes on with the files of another process, whatever it wrote behind the mark. Going back
//! leaves the files alone until something else is recorded, so that a settled mark stays good until then.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use neuropil_base::ScalarType;

use crate::aside::move_aside;
use crate::manifest::{MANIFEST, PARTIAL, is_file_name};
use crate::mark::Lineage;
use crate::memory::window_rate_hz;
use crate::spec::{check_all, lookup};
use crate::writer::{Block, Output, Writer, Written};
use crate::{
    FileEntry, Manifest, Mark, RecordError, RecorderId, RecorderKind, RecorderSpec, RunInfo, Sink,
    VariableSpec, npy,
};

/// A block goes to the writer when one of its columns has this many bytes, ...
const BLOCK_BYTES: usize = 1 << 16;
/// ... or when this much time has passed: what a killed process may lose.
const BLOCK_AGE: Duration = Duration::from_secs(1);

/// Writes recordings to a directory. [`finish`](Sink::finish) makes them final; a sink that is dropped before
/// leaves `.partial` files.
#[derive(Debug)]
pub struct FileSink {
    dir: PathBuf,
    moved_aside: Option<PathBuf>,
    specs: Vec<RecorderSpec>,
    run: RunInfo,
    complete: bool,
    layouts: Vec<Vec<Column>>,
    pending: Vec<Block>,
    /// Rows of each recorder that have gone to the writer.
    sent: Vec<u64>,
    lineage: Lineage,
    last_flush: Instant,
    /// `None` after the end, good or bad.
    writer: Option<Writer>,
}

/// One file of a recorder, as the manifest describes it.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) file: String,
    pub(crate) ty: ScalarType,
    pub(crate) n_columns: Option<u64>,
    unit: String,
    description: String,
}

impl Column {
    /// Bytes of one row.
    pub(crate) fn row_bytes(&self) -> u64 {
        self.ty.size() as u64 * self.n_columns.unwrap_or(1)
    }
}

impl FileSink {
    /// Creates `dir` if need be, opens all files and starts the writer.
    ///
    /// `run.duration_s` is the planned duration; see [`set_end`](Self::set_end) for runs that end earlier.
    /// An unfinished recording that a killed process left in `dir` is moved to `dir/interrupted-1` (or the next free
    /// number), where [`Recording::open`](crate::Recording::open) reads it; see [`moved_aside`](Self::moved_aside).
    ///
    /// # Errors
    /// Senseless recorders, names that cannot be file names, a directory into which somebody else is recording, and
    /// what the operating system refuses.
    pub fn create(dir: &Path, specs: Vec<RecorderSpec>, run: RunInfo) -> Result<Self, RecordError> {
        let layouts = layouts(&specs, &run)?;
        fs::create_dir_all(dir).map_err(|e| RecordError::io("create", dir, e))?;
        let moved_aside = move_aside(dir)?;
        let outputs: Vec<Vec<Output>> = layouts
            .iter()
            .map(|columns| columns.iter().map(|column| Output::create(dir, column)).collect())
            .collect::<Result<_, _>>()?;
        let lineage = Lineage::default();
        let mut sink = Self::start(Parts { dir, specs, run, layouts, outputs, lineage })?;
        sink.moved_aside = moved_aside;
        Ok(sink)
    }

    /// Starts the writer and says in the manifest that a recording is under way.
    pub(crate) fn start(parts: Parts<'_>) -> Result<Self, RecordError> {
        let Parts { dir, specs, run, layouts, outputs, lineage } = parts;
        let sent = outputs.iter().map(|files| files.first().map_or(0, Output::n_rows)).collect();
        let sink = Self {
            dir: dir.to_owned(),
            moved_aside: None,
            pending: layouts.iter().map(|columns| Block::new(columns.len())).collect(),
            specs,
            run,
            complete: true,
            layouts,
            sent,
            lineage,
            last_flush: Instant::now(),
            writer: Some(Writer::start(dir, outputs)?),
        };
        sink.write_manifest(&sink.manifest(false, &[]))?;
        Ok(sink)
    }

    /// Says how the run really ended, before [`finish`](Sink::finish): the simulated time, and whether that is what
    /// was planned.
    pub fn set_end(&mut self, duration_s: f64, complete: bool) {
        self.run.duration_s = if duration_s.is_finite() { duration_s } else { 0.0 };
        self.complete = complete;
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where an unfinished recording of a killed process is now, if there was one in the directory.
    #[must_use]
    pub fn moved_aside(&self) -> Option<&Path> {
        self.moved_aside.as_deref()
    }

    /// How much has been recorded so far.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.lineage.mark(self.n_rows())
    }

    /// Waits until everything is on the disk. What was recorded up to the mark that this gives survives the process,
    /// and [`resume`](Self::resume) can go on from there.
    ///
    /// # Errors
    /// Data that cannot be stored.
    pub fn settle(&mut self) -> Result<Mark, RecordError> {
        self.flush()?;
        let settled = self.writer.as_ref().is_some_and(Writer::settle);
        if !settled {
            return Err(self.hung_up());
        }
        Ok(self.mark())
    }

    /// Forgets everything that was recorded after the mark.
    ///
    /// A settled mark of a later time is good until something else is recorded; then the files no longer hold what it
    /// counts. Whoever keeps such marks settles again first.
    ///
    /// # Errors
    /// [`RecordError::Mark`] for a mark that lies behind what was recorded, or whose data have been forgotten; then
    /// nothing has changed.
    pub fn rewind(&mut self, mark: &Mark) -> Result<(), RecordError> {
        if self.writer.is_none() {
            return Err(RecordError::Closed { dir: self.dir.clone() });
        }
        let n_rows = self.n_rows();
        self.lineage.rewind(mark, &n_rows, &self.specs)?;
        for (k, n) in mark.rows().iter().enumerate() {
            let (Some(sent), Some(pending)) = (self.sent.get_mut(k), self.pending.get_mut(k)) else {
                continue;
            };
            pending.truncate(n.saturating_sub(*sent), self.layouts.get(k).map_or(&[], Vec::as_slice));
            if n < sent {
                *sent = *n;
                if !self.writer.as_ref().is_some_and(|writer| writer.cut(k, *n)) {
                    return Err(self.hung_up());
                }
            }
        }
        Ok(())
    }

    /// Rows of each recorder.
    fn n_rows(&self) -> Vec<u64> {
        self.sent.iter().zip(&self.pending).map(|(sent, pending)| sent + pending.n_rows).collect()
    }

    /// Sends everything to the writer, without waiting until it is written. Called by itself once a second while
    /// data come.
    ///
    /// # Errors
    /// A write that failed earlier.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.last_flush = Instant::now();
        (0..self.pending.len()).try_for_each(|k| self.send(k))
    }

    /// Sends the block of recorder `k` to the writer.
    fn send(&mut self, k: usize) -> Result<(), RecordError> {
        let Some(writer) = &self.writer else {
            return Err(RecordError::Closed { dir: self.dir.clone() });
        };
        let Some(pending) = self.pending.get_mut(k).filter(|pending| pending.n_rows > 0) else {
            return Ok(());
        };
        let block = std::mem::replace(pending, Block::new(pending.columns.len()));
        if let Some(sent) = self.sent.get_mut(k) {
            *sent += block.n_rows;
        }
        if writer.append(k, block) { Ok(()) } else { Err(self.hung_up()) }
    }

    /// What the writer says that has hung up. It does so only after an error.
    fn hung_up(&mut self) -> RecordError {
        self.join().err().unwrap_or_else(|| RecordError::Closed { dir: self.dir.clone() })
    }

    /// Waits until all blocks are written.
    fn join(&mut self) -> Result<Vec<Vec<Output>>, RecordError> {
        let closed = || RecordError::Closed { dir: self.dir.clone() };
        self.writer.take().ok_or_else(closed)?.join().unwrap_or_else(|| Err(closed()))
    }

    /// Appends rows to the block of recorder `id`, by `push`, and sends the block when it is time.
    fn append(&mut self, id: RecorderId, push: impl FnOnce(&mut Block)) -> Result<(), RecordError> {
        if self.writer.is_none() {
            return Err(RecordError::Closed { dir: self.dir.clone() });
        }
        let k = id.index();
        let Some(pending) = self.pending.get_mut(k) else {
            return Err(RecordError::UnknownId { id: k, n_recorders: self.specs.len() });
        };
        push(pending);
        if pending.columns.iter().any(|column| column.len() >= BLOCK_BYTES) {
            self.send(k)?;
        }
        if self.last_flush.elapsed() >= BLOCK_AGE { self.flush() } else { Ok(()) }
    }

    fn manifest(&self, complete: bool, outputs: &[Vec<Written>]) -> Manifest {
        let n_rows = |k: usize, c: usize| outputs.get(k).and_then(|o| o.get(c)).map_or(0, |o| o.n_rows);
        let mut files = Vec::new();
        for (k, (spec, columns)) in self.specs.iter().zip(&self.layouts).enumerate() {
            for (c, column) in columns.iter().enumerate() {
                files.push(FileEntry {
                    file: column.file.clone(),
                    recorder: spec.name.clone(),
                    shape: std::iter::once(n_rows(k, c)).chain(column.n_columns).collect(),
                    dtype: npy::descr(column.ty).to_owned(),
                    unit: column.unit.clone(),
                    description: column.description.clone(),
                });
            }
        }
        Manifest { complete, run: self.run.clone(), recorders: self.specs.clone(), files }
    }

    /// Writes the manifest under its partial name.
    fn write_manifest(&self, manifest: &Manifest) -> Result<(), RecordError> {
        let path = partial(&self.dir.join(MANIFEST));
        let io = |e| RecordError::io("write", &path, e);
        let text = manifest.to_json().map_err(|e| io(e.into()))?;
        let mut file = File::create(&path).map_err(io)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)
    }

    /// Gives all files their final names, the manifest last, and removes what an earlier recording has beyond them.
    fn publish(&self, outputs: &[Vec<Written>]) -> Result<(), RecordError> {
        let manifest = self.manifest(self.complete, outputs);
        self.write_manifest(&manifest)?;
        let target = self.dir.join(MANIFEST);
        let earlier = Manifest::read(&target);
        for path in outputs.iter().flatten().map(|output| output.path.as_path()).chain([target.as_path()]) {
            fs::rename(partial(path), path).map_err(|e| RecordError::io("rename", &partial(path), e))?;
        }
        let stale = earlier.map_or(Vec::new(), |earlier| earlier.files);
        for entry in stale.iter().filter(|entry| is_file_name(&entry.file)) {
            if manifest.files.iter().all(|file| file.file != entry.file) {
                // The new recording is whole; a file that cannot be removed does not spoil it.
                let _ = fs::remove_file(self.dir.join(&entry.file));
            }
        }
        Ok(())
    }
}

impl Sink for FileSink {
    fn events(&mut self, recorder: RecorderId, step: i64, indices: &[u32]) -> Result<(), RecordError> {
        let spec = lookup(&self.specs, recorder)?;
        let RecorderKind::Spikes { .. } = spec.kind else { return Err(spec.mismatch("spikes")) };
        let t = (step as f64 * spec.dt_s).to_ne_bytes();
        self.append(recorder, |block| {
            let [i_column, t_column] = block.columns.as_mut_slice() else { return };
            i_column.extend_from_slice(bytemuck::cast_slice(indices));
            indices.iter().for_each(|_| t_column.extend_from_slice(&t));
            block.n_rows += indices.len() as u64;
        })
    }

    fn rows(&mut self, recorder: RecorderId, step: i64, columns: &[&[u8]]) -> Result<(), RecordError> {
        let spec = lookup(&self.specs, recorder)?;
        spec.check_row(columns)?;
        let t = (step as f64 * spec.dt_s).to_ne_bytes();
        self.append(recorder, |block| {
            let rows = std::iter::once(&t[..]).chain(columns.iter().copied());
            block.columns.iter_mut().zip(rows).for_each(|(column, row)| column.extend_from_slice(row));
            block.n_rows += 1;
        })
    }

    fn rate(&mut self, recorder: RecorderId, step: i64, count: u64) -> Result<(), RecordError> {
        let spec = lookup(&self.specs, recorder)?;
        let RecorderKind::Rate { n, period_steps, .. } = spec.kind else { return Err(spec.mismatch("rate")) };
        let row = [step as f64 * spec.dt_s, window_rate_hz(count, n, period_steps, spec.dt_s)];
        self.append(recorder, |block| {
            block
                .columns
                .iter_mut()
                .zip(row)
                .for_each(|(column, x)| column.extend_from_slice(&x.to_ne_bytes()));
            block.n_rows += 1;
        })
    }

    fn finish(&mut self) -> Result<(), RecordError> {
        self.flush()?;
        let outputs =
            self.join()?.into_iter().map(|outputs| outputs.into_iter().map(Output::finish).collect());
        self.publish(&outputs.collect::<Result<Vec<_>, _>>()?)
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        if self.writer.is_some() {
            // Nobody is left to hear of an error; what is readable stays as `.partial` files.
            let _ = self.flush();
            let _ = self.join();
        }
    }
}

/// The name of a file until the recording is whole.
pub(crate) fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(PARTIAL);
    name.into()
}

/// What a sink is made of.
pub(crate) struct Parts<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) specs: Vec<RecorderSpec>,
    pub(crate) run: RunInfo,
    pub(crate) layouts: Vec<Vec<Column>>,
    pub(crate) outputs: Vec<Vec<Output>>,
    pub(crate) lineage: Lineage,
}

/// The files of all recorders.
///
/// # Errors
/// Senseless recorders or times, and names that cannot be file names.
pub(crate) fn layouts(specs: &[RecorderSpec], run: &RunInfo) -> Result<Vec<Vec<Column>>, RecordError> {
    check_all(specs)?;
    if !(run.duration_s.is_finite() && run.dt_s.is_finite()) {
        let message = format!("the run takes `{}` s in steps of `{}` s", run.duration_s, run.dt_s);
        return Err(RecordError::Spec { recorder: run.model.clone(), message });
    }
    let layouts: Vec<Vec<Column>> = specs.iter().map(layout).collect::<Result<_, _>>()?;
    let mut names: Vec<&str> = layouts.iter().flatten().map(|column| column.file.as_str()).collect();
    names.sort_unstable();
    match names.array_windows().find(|[a, b]| a == b) {
        Some([name, _]) => Err(RecordError::SameFile { file: (*name).to_owned() }),
        None => Ok(layouts),
    }
}

/// The files of a recorder, in the order of a block's columns.
fn layout(spec: &RecorderSpec) -> Result<Vec<Column>, RecordError> {
    let check = |name: &str| {
        if is_file_name(name) { Ok(()) } else { Err(RecordError::Name { name: name.to_owned() }) }
    };
    check(&spec.name)?;
    let name = &spec.name;
    let vector = |ending: &str, ty, unit: &str, description: String| Column {
        file: format!("{name}.{ending}.npy"),
        ty,
        n_columns: None,
        unit: unit.to_owned(),
        description,
    };
    Ok(match &spec.kind {
        RecorderKind::Spikes { population, event, .. } => vec![
            vector("i", ScalarType::I32, "1", format!("neuron of each `{event}` event of `{population}`")),
            vector("t", ScalarType::F64, "s", format!("time of each `{event}` event of `{population}`")),
        ],
        RecorderKind::State { object, variables, indices, .. } => {
            let mut columns =
                vec![vector("t", ScalarType::F64, "s", format!("time of each row of `{object}`"))];
            for VariableSpec { name: variable, ty, unit } in variables {
                check(variable)?;
                let description = format!("`{variable}` of `{object}`, a row per time, a column per element");
                let n_columns = Some(indices.len() as u64);
                columns.push(Column { n_columns, ..vector(variable, *ty, unit, description) });
            }
            columns
        }
        RecorderKind::Rate { population, period_steps, .. } => vec![
            vector("t", ScalarType::F64, "s", format!("start of each window of {period_steps} steps")),
            vector("hz", ScalarType::F64, "Hz", format!("events per neuron of `{population}` and second")),
        ],
    })
}
