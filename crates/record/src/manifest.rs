//! The manifest: a JSON object that says what the files of a recording hold.
//!
//! ```json
//! {
//!   "format": "neuropil-recording", "version": 1, "complete": true,
//!   "model": "cuba", "seed": 1, "dt_s": 0.0001, "precision": "f64", "duration_s": 1.0,
//!   "populations": [{ "name": "E", "n": 3200 }],
//!   "recorders": [{ "name": "E_spikes", "dt_s": 0.0001, "kind": "spikes", ... }],
//!   "files": [{ "file": "E_spikes.i.npy", "recorder": "E_spikes", "shape": [812], "dtype": "<i4",
//!               "unit": "1", "description": "..." }]
//! }
//! ```

use std::path::Path;

use neuropil_base::{Precision, ScalarType};
use serde::{Deserialize, Serialize};

use crate::{RecordError, RecorderKind, RecorderSpec, VariableSpec};

/// The name of the manifest in its directory.
pub(crate) const MANIFEST: &str = "manifest.json";
/// What a file is called until the recording is whole: its name with this behind it.
pub(crate) const PARTIAL: &str = ".partial";

const FORMAT: &str = "neuropil-recording";
const VERSION: u32 = 1;

/// What a recording was made of.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunInfo {
    /// Name of the model.
    pub model: String,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Seconds per step of the main clock.
    pub dt_s: f64,
    /// Type of real variables.
    pub precision: Precision,
    /// Simulated seconds.
    pub duration_s: f64,
    /// The populations of the network, recorded or not.
    pub populations: Vec<PopulationInfo>,
}

/// A population, as far as a reader of recordings wants to know it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PopulationInfo {
    /// Its name.
    pub name: String,
    /// Number of neurons.
    pub n: u32,
}

/// One data file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileEntry {
    /// Name in the directory of the manifest.
    pub file: String,
    /// Name of the recorder it belongs to.
    pub recorder: String,
    /// Length of each dimension; rows of time come first.
    pub shape: Vec<u64>,
    /// NumPy's name of the element type, such as `<f8`.
    pub dtype: String,
    /// Unit of the numbers, in SI base units.
    pub unit: String,
    /// What the numbers are.
    pub description: String,
}

/// The content of `manifest.json`.
#[derive(Clone, PartialEq, Debug)]
pub struct Manifest {
    /// Whether the run reached its planned end. An interrupted run is readable, but shorter.
    pub complete: bool,
    /// What was run.
    pub run: RunInfo,
    /// What was recorded.
    pub recorders: Vec<RecorderSpec>,
    /// Where it is.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// Reads a manifest.
    pub(crate) fn read(path: &Path) -> Result<Self, RecordError> {
        let bytes = std::fs::read(path).map_err(|e| RecordError::io("read", path, e))?;
        Self::from_json(&bytes).map_err(|message| RecordError::Manifest { path: path.to_owned(), message })
    }

    pub(crate) fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let json: Json = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        if json.format != FORMAT {
            return Err(format!("its format is `{}`, not `{FORMAT}`", json.format));
        }
        if json.version != VERSION {
            return Err(format!("its version is `{}`; version {VERSION} can be read", json.version));
        }
        let recorders = json.recorders.into_iter().map(RecorderJson::spec).collect::<Result<_, _>>()?;
        Ok(Self { complete: json.complete, run: json.run, recorders, files: json.files })
    }

    pub(crate) fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(&Json {
            format: FORMAT.to_owned(),
            version: VERSION,
            complete: self.complete,
            run: self.run.clone(),
            recorders: self.recorders.iter().map(RecorderJson::new).collect(),
            files: self.files.clone(),
        })?;
        text.push('\n');
        Ok(text)
    }
}

/// Whether `name` may be part of a file name, on any system and without surprise in a shell.
pub(crate) fn is_file_name(name: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    !name.is_empty() && name.len() <= 200 && name.chars().all(inside) && !name.starts_with(['.', '-'])
}

#[derive(Serialize, Deserialize)]
struct Json {
    format: String,
    version: u32,
    complete: bool,
    #[serde(flatten)]
    run: RunInfo,
    recorders: Vec<RecorderJson>,
    files: Vec<FileEntry>,
}

#[derive(Serialize, Deserialize)]
struct RecorderJson {
    name: String,
    dt_s: f64,
    #[serde(flatten)]
    kind: KindJson,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum KindJson {
    Spikes { population: String, event: String, first: u32, n: u32 },
    State { object: String, variables: Vec<VariableJson>, indices: Vec<u32>, period_steps: u32 },
    Rate { population: String, n: u32, period_steps: u32 },
}

#[derive(Serialize, Deserialize)]
struct VariableJson {
    name: String,
    #[serde(rename = "type")]
    ty: String,
    unit: String,
}

impl RecorderJson {
    fn new(spec: &RecorderSpec) -> Self {
        let kind = match spec.kind.clone() {
            RecorderKind::Spikes { population, event, first, n } => {
                KindJson::Spikes { population, event, first, n }
            }
            RecorderKind::State { object, variables, indices, period_steps } => {
                let variables = variables
                    .into_iter()
                    .map(|v| VariableJson { name: v.name, ty: v.ty.name().to_owned(), unit: v.unit })
                    .collect();
                KindJson::State { object, variables, indices, period_steps }
            }
            RecorderKind::Rate { population, n, period_steps } => {
                KindJson::Rate { population, n, period_steps }
            }
        };
        Self { name: spec.name.clone(), dt_s: spec.dt_s, kind }
    }

    fn spec(self) -> Result<RecorderSpec, String> {
        let kind = match self.kind {
            KindJson::Spikes { population, event, first, n } => {
                RecorderKind::Spikes { population, event, first, n }
            }
            KindJson::State { object, variables, indices, period_steps } => {
                let variables = variables
                    .into_iter()
                    .map(|v| {
                        ScalarType::from_name(&v.ty)
                            .map(|ty| VariableSpec { name: v.name, ty, unit: v.unit })
                            .ok_or(format!("there is no type `{}`", v.ty))
                    })
                    .collect::<Result<_, _>>()?;
                RecorderKind::State { object, variables, indices, period_steps }
            }
            KindJson::Rate { population, n, period_steps } => {
                RecorderKind::Rate { population, n, period_steps }
            }
        };
        Ok(RecorderSpec { name: self.name, dt_s: self.dt_s, kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_directory_are_no_file_names() {
        for good in ["E", "E_spikes.1", "a-b", "größe"] {
            assert!(is_file_name(good), "{good}");
        }
        for bad in ["", ".", "..", "../x", "a/b", "a\\b", ".x", "-x", "a b", "c:", &"x".repeat(300)] {
            assert!(!is_file_name(bad), "{bad}");
        }
    }
}
