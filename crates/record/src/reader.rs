//! Reads a directory that a [`FileSink`](crate::FileSink) filled, whole or not.

use std::path::{Path, PathBuf};

use crate::file::partial;
use crate::manifest::{MANIFEST, is_file_name};
use crate::memory::line;
use crate::npy::{self, Array};
use crate::{Manifest, RecordError, RecorderKind, RecorderSpec, Values};

/// A recording in a directory. Data are read when they are asked for.
///
/// ```no_run
/// let recording = neuropil_record::Recording::open("results/cuba".as_ref())?;
/// let spikes = recording.spikes("E_spikes")?;
/// println!("{} spikes of {}", spikes.t_s.len(), recording.manifest().run.model);
/// # Ok::<(), neuropil_record::RecordError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Recording {
    dir: PathBuf,
    manifest: Manifest,
    is_partial: bool,
}

/// Times and neurons of spikes, in the order in which they happened.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct SpikeTrain {
    /// Time of each spike, in seconds.
    pub t_s: Vec<f64>,
    /// Neuron of each spike, as the population numbers them.
    pub i: Vec<u32>,
}

/// One variable of a state recorder, read from files.
#[derive(Clone, PartialEq, Debug)]
pub struct OwnedTrace {
    /// Time of each row, in seconds.
    pub t_s: Vec<f64>,
    /// The recorded elements.
    pub indices: Vec<u32>,
    /// Unit in SI base units.
    pub unit: String,
    /// Values, row after row: `t_s.len() * indices.len()` of them.
    pub data: Values,
}

impl OwnedTrace {
    /// The course of the `k`-th recorded element as doubles; empty if there is no such element.
    #[must_use]
    pub fn line(&self, k: usize) -> Vec<f64> {
        line(&self.data, self.indices.len(), k)
    }
}

/// The rate of a population over time.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct RateSeries {
    /// Start of each window, in seconds.
    pub t_s: Vec<f64>,
    /// Rate in each window, in hertz.
    pub rate_hz: Vec<f64>,
}

impl Recording {
    /// Opens the recording in `dir`. If only an unfinished one is there, opens that.
    ///
    /// # Errors
    /// No readable manifest, or a damaged one.
    pub fn open(dir: &Path) -> Result<Self, RecordError> {
        if !dir.join(MANIFEST).exists() && partial(&dir.join(MANIFEST)).exists() {
            return Self::open_partial(dir);
        }
        let manifest = Manifest::read(&dir.join(MANIFEST))?;
        Self { dir: dir.to_owned(), manifest, is_partial: false }.checked()
    }

    /// Opens what a killed process left in `dir`, up to the last block it wrote.
    ///
    /// # Errors
    /// No unfinished recording, or a damaged manifest.
    pub fn open_partial(dir: &Path) -> Result<Self, RecordError> {
        let manifest = Manifest::read(&partial(&dir.join(MANIFEST)))?;
        Self { dir: dir.to_owned(), manifest, is_partial: true }.checked()
    }

    /// What was run, recorded and written.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether these are the `.partial` files of an unfinished recording.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// The spikes of recorder `name`.
    ///
    /// # Errors
    /// No such spike recorder; missing, damaged or contradictory files.
    pub fn spikes(&self, name: &str) -> Result<SpikeTrain, RecordError> {
        let spec = self.spec(name)?;
        let RecorderKind::Spikes { .. } = spec.kind else { return Err(spec.mismatch("spikes")) };
        let i_file = format!("{name}.i.npy");
        let mut t_s = self.doubles(&format!("{name}.t.npy"))?;
        let Values::I32(neurons) = self.array(&i_file, 1)?.data else {
            return Err(RecordError::npy(&self.path(&i_file), "its elements are not int32"));
        };
        let mut i = neurons
            .into_iter()
            .map(u32::try_from)
            .collect::<Result<Vec<u32>, _>>()
            .map_err(|_| RecordError::npy(&self.path(&i_file), "a neuron has a negative number"))?;
        let n = self.common_rows(&i_file, &[t_s.len(), i.len()])?;
        t_s.truncate(n);
        i.truncate(n);
        Ok(SpikeTrain { t_s, i })
    }

    /// One variable of the state recorder `name`.
    ///
    /// # Errors
    /// No such state recorder or variable; missing, damaged or contradictory files.
    pub fn trace(&self, name: &str, variable: &str) -> Result<OwnedTrace, RecordError> {
        let spec = self.spec(name)?;
        let RecorderKind::State { variables, indices, .. } = &spec.kind else {
            return Err(spec.mismatch("state"));
        };
        let unit =
            variables.iter().find(|v| v.name == variable).map(|v| v.unit.clone()).ok_or_else(|| {
                RecordError::UnknownName {
                    what: "variable",
                    name: variable.to_owned(),
                    known: variables.iter().map(|v| v.name.clone()).collect(),
                }
            })?;
        let file = format!("{name}.{variable}.npy");
        let mut t_s = self.doubles(&format!("{name}.t.npy"))?;
        let Array { shape, mut data } = self.array(&file, 2)?;
        let [n_rows, n_columns] = shape.as_slice() else {
            return Err(RecordError::npy(&self.path(&file), "it is not two-dimensional"));
        };
        if *n_columns != indices.len() {
            let message = format!("it has `{n_columns}` columns for {} elements", indices.len());
            return Err(RecordError::npy(&self.path(&file), message));
        }
        let n = self.common_rows(&file, &[t_s.len(), *n_rows])?;
        t_s.truncate(n);
        data.truncate(n * n_columns);
        Ok(OwnedTrace { t_s, indices: indices.clone(), unit, data })
    }

    /// The rate recorder `name`.
    ///
    /// # Errors
    /// No such rate recorder; missing, damaged or contradictory files.
    pub fn rate(&self, name: &str) -> Result<RateSeries, RecordError> {
        let spec = self.spec(name)?;
        let RecorderKind::Rate { .. } = spec.kind else { return Err(spec.mismatch("rate")) };
        let file = format!("{name}.hz.npy");
        let mut t_s = self.doubles(&format!("{name}.t.npy"))?;
        let mut rate_hz = self.doubles(&file)?;
        let n = self.common_rows(&file, &[t_s.len(), rate_hz.len()])?;
        t_s.truncate(n);
        rate_hz.truncate(n);
        Ok(RateSeries { t_s, rate_hz })
    }

    /// Refuses manifests whose names lead out of the directory.
    fn checked(self) -> Result<Self, RecordError> {
        let recorders = self.manifest.recorders.iter().map(|spec| &spec.name);
        let files = self.manifest.files.iter().map(|entry| &entry.file);
        match recorders.chain(files).find(|name| !is_file_name(name)) {
            Some(name) => Err(RecordError::Manifest {
                path: self.dir.join(MANIFEST),
                message: format!("`{name}` cannot be part of a file name"),
            }),
            None => Ok(self),
        }
    }

    fn spec(&self, name: &str) -> Result<&RecorderSpec, RecordError> {
        let recorders = &self.manifest.recorders;
        recorders.iter().find(|spec| spec.name == name).ok_or_else(|| RecordError::UnknownName {
            what: "recorder",
            name: name.to_owned(),
            known: recorders.iter().map(|spec| spec.name.clone()).collect(),
        })
    }

    /// Where `file` is now. A process that was killed while it renamed leaves files under both names.
    fn path(&self, file: &str) -> PathBuf {
        let path = self.dir.join(file);
        let temporary = partial(&path);
        if self.is_partial && temporary.exists() { temporary } else { path }
    }

    /// Reads a file that the manifest lists.
    fn array(&self, file: &str, n_dimensions: usize) -> Result<Array, RecordError> {
        let files = &self.manifest.files;
        let entry =
            files.iter().find(|entry| entry.file == file).ok_or_else(|| RecordError::UnknownName {
                what: "file",
                name: file.to_owned(),
                known: files.iter().map(|entry| entry.file.clone()).collect(),
            })?;
        let path = self.path(file);
        let array = npy::read(&path)?;
        if array.shape.len() != n_dimensions {
            let message = format!("it has `{}` dimensions, not {n_dimensions}", array.shape.len());
            return Err(RecordError::npy(&path, message));
        }
        let shape: Vec<u64> = array.shape.iter().map(|length| *length as u64).collect();
        if !self.is_partial && shape != entry.shape {
            let message = format!("its shape is `{shape:?}`, the manifest says {:?}", entry.shape);
            return Err(RecordError::npy(&path, message));
        }
        Ok(array)
    }

    fn doubles(&self, file: &str) -> Result<Vec<f64>, RecordError> {
        match self.array(file, 1)?.data {
            Values::F64(values) => Ok(values),
            Values::Bool(_) | Values::I32(_) | Values::I64(_) | Values::F32(_) => {
                Err(RecordError::npy(&self.path(file), "its elements are not float64"))
            }
        }
    }

    /// The number of rows that all files of a recorder have. They agree, unless the writer was killed between two.
    fn common_rows(&self, file: &str, n_rows: &[usize]) -> Result<usize, RecordError> {
        let least = n_rows.iter().copied().min().unwrap_or(0);
        if !self.is_partial && n_rows.iter().any(|n| *n != least) {
            let message = format!("it and its times have `{n_rows:?}` rows");
            return Err(RecordError::npy(&self.path(file), message));
        }
        Ok(least)
    }
}
