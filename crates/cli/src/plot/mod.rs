//! Figures of recordings: a raster, the rates of populations below, and recorded traces.
//!
//! [`PlotData`] is what a figure shows, wherever it comes from; `figure` arranges it on paper, `canvas` turns the
//! paper into SVG or PNG.

mod axis;
mod canvas;
mod figure;
mod raster;
mod rate;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use neuropil_record::{
    MemorySink, RecordError, RecorderId, RecorderKind, RecorderSpec, Recording, RunInfo, Values,
};

/// Elements of one state recorder that a figure takes; of these it draws the first few.
const MAX_LINES: usize = 64;

/// What a figure shows.
#[derive(Clone, PartialEq, Default, Debug)]
pub(crate) struct PlotData {
    /// Name of the model.
    pub(crate) model: String,
    /// Seed of the run.
    pub(crate) seed: u64,
    /// Simulated seconds.
    pub(crate) duration_s: f64,
    /// Neurons of the whole network.
    pub(crate) n_neurons: u64,
    /// Populations with recorded spikes or rates.
    pub(crate) populations: Vec<PopulationData>,
    /// Recorded variables.
    pub(crate) traces: Vec<TraceData>,
}

/// The recorded neurons of a population.
#[derive(Clone, PartialEq, Default, Debug)]
pub(crate) struct PopulationData {
    /// Its name.
    pub(crate) name: String,
    /// First recorded neuron.
    pub(crate) first: u32,
    /// Number of recorded neurons.
    pub(crate) n: u32,
    /// Their spikes, if recorded.
    pub(crate) spikes: Option<SpikeData>,
    /// Their rate, if recorded; else it is counted from the spikes.
    pub(crate) rate: Option<SeriesData>,
}

/// Spikes in the order of time.
#[derive(Clone, PartialEq, Default, Debug)]
pub(crate) struct SpikeData {
    /// Time of each spike in seconds.
    pub(crate) t_s: Vec<f64>,
    /// Neuron of each spike.
    pub(crate) i: Vec<u32>,
}

/// A rate over time.
#[derive(Clone, PartialEq, Default, Debug)]
pub(crate) struct SeriesData {
    /// Start of each window in seconds.
    pub(crate) t_s: Vec<f64>,
    /// Rate in hertz.
    pub(crate) rate_hz: Vec<f64>,
}

/// One recorded variable.
#[derive(Clone, PartialEq, Default, Debug)]
pub(crate) struct TraceData {
    /// Name of the population or projection.
    pub(crate) object: String,
    /// Name of the variable.
    pub(crate) variable: String,
    /// Its unit in SI base units.
    pub(crate) unit: String,
    /// Time of each row in seconds.
    pub(crate) t_s: Vec<f64>,
    /// The recorded elements.
    pub(crate) lines: Vec<LineData>,
    /// Number of recorded elements, with those that are not among the lines.
    pub(crate) n_recorded: usize,
}

/// The course of one element.
#[derive(Clone, PartialEq, Default, Debug)]
pub(crate) struct LineData {
    /// Its name, such as `E[17]`.
    pub(crate) label: String,
    /// A value per row.
    pub(crate) values: Vec<f64>,
}

/// A figure that cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlotError {
    /// A file name with another ending than `.png` or `.svg`.
    #[error("cannot draw `{}`: figures end in `.png` or `.svg`", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused the file.
    #[error("cannot write `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A recording that cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The drawing library refused something.
    #[error("cannot draw the figure: {0}")]
    Draw(String),
}

/// The formats of figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    Png,
    Svg,
}

impl Format {
    /// The format that a file's ending names.
    ///
    /// # Errors
    /// Another ending.
    pub(crate) fn of(path: &Path) -> Result<Self, PlotError> {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        match ending.as_str() {
            "png" => Ok(Self::Png),
            "svg" => Ok(Self::Svg),
            _ => Err(PlotError::Format { path: path.to_owned() }),
        }
    }
}

/// Draws a figure to a file, as PNG or SVG by its ending. An earlier file is replaced only by a whole figure.
///
/// # Errors
/// Another ending, or a file that cannot be written.
pub(crate) fn plot(data: &PlotData, path: &Path) -> Result<(), PlotError> {
    let format = Format::of(path)?;
    let fonts = canvas::Fonts::load()?;
    let bytes = match format {
        Format::Png => figure::draw(data, &fonts).to_png(&fonts)?,
        Format::Svg => figure::draw(data, &fonts).to_svg()?.into_bytes(),
    };
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".partial");
    let io = |source| PlotError::Io { path: path.to_owned(), source };
    fs::write(&temporary, bytes).map_err(io)?;
    fs::rename(&temporary, path).map_err(io)
}

impl PlotData {
    /// What a memory sink holds.
    ///
    /// # Errors
    /// None for a sink and its own recorders.
    pub(crate) fn from_memory(sink: &MemorySink, run: &RunInfo) -> Result<Self, PlotError> {
        let mut data = Self::new(run);
        for (k, spec) in sink.specs().iter().enumerate() {
            let id = RecorderId::new(k);
            match &spec.kind {
                RecorderKind::Spikes { .. } => {
                    let (steps, i) = sink.spikes(id)?;
                    let t_s = steps.iter().map(|step| *step as f64 * spec.dt_s).collect();
                    data.add_spikes(spec, SpikeData { t_s, i: i.to_vec() });
                }
                RecorderKind::State { variables, .. } => {
                    for variable in variables {
                        let trace = sink.trace(id, &variable.name)?;
                        data.add_trace(spec, &variable.name, trace.unit, trace.times_s(), trace.data);
                    }
                }
                RecorderKind::Rate { .. } => {
                    let (t_s, rate_hz) = sink.rate_hz(id)?;
                    data.add_rate(spec, SeriesData { t_s, rate_hz });
                }
            }
        }
        Ok(data)
    }

    /// What a directory holds.
    ///
    /// # Errors
    /// Damaged files.
    pub(crate) fn from_recording(recording: &Recording) -> Result<Self, PlotError> {
        let manifest = recording.manifest();
        let mut data = Self::new(&manifest.run);
        for spec in &manifest.recorders {
            match &spec.kind {
                RecorderKind::Spikes { .. } => {
                    let train = recording.spikes(&spec.name)?;
                    data.add_spikes(spec, SpikeData { t_s: train.t_s, i: train.i });
                }
                RecorderKind::State { variables, .. } => {
                    for variable in variables {
                        let trace = recording.trace(&spec.name, &variable.name)?;
                        data.add_trace(spec, &variable.name, &trace.unit, trace.t_s, &trace.data);
                    }
                }
                RecorderKind::Rate { .. } => {
                    let series = recording.rate(&spec.name)?;
                    data.add_rate(spec, SeriesData { t_s: series.t_s, rate_hz: series.rate_hz });
                }
            }
        }
        Ok(data)
    }

    fn new(run: &RunInfo) -> Self {
        Self {
            model: run.model.clone(),
            seed: run.seed,
            duration_s: run.duration_s,
            n_neurons: run.populations.iter().map(|p| u64::from(p.n)).sum(),
            populations: Vec::new(),
            traces: Vec::new(),
        }
    }

    fn add_spikes(&mut self, spec: &RecorderSpec, spikes: SpikeData) {
        let RecorderKind::Spikes { population, event, first, n } = &spec.kind else { return };
        // The recorder of a view has its name.
        let view = spec.name.strip_suffix("_spikes").filter(|name| *name != population.as_str());
        let name = match view {
            Some(view) if event == "spike" => view.to_owned(),
            Some(_) | None if event != "spike" => format!("{population} {event}"),
            Some(_) | None => population.clone(),
        };
        let (first, n) = (*first, *n);
        match self.populations.iter_mut().find(|p| p.name == name && p.spikes.is_none() && p.n == n) {
            Some(known) => {
                known.first = first;
                known.spikes = Some(spikes);
            }
            None => {
                self.populations.push(PopulationData { name, first, n, spikes: Some(spikes), rate: None })
            }
        }
    }

    fn add_rate(&mut self, spec: &RecorderSpec, rate: SeriesData) {
        let RecorderKind::Rate { population, n, .. } = &spec.kind else { return };
        match self.populations.iter_mut().find(|p| p.name == *population && p.rate.is_none() && p.n == *n) {
            Some(known) => known.rate = Some(rate),
            None => self.populations.push(PopulationData {
                name: population.clone(),
                first: 0,
                n: *n,
                spikes: None,
                rate: Some(rate),
            }),
        }
    }

    fn add_trace(&mut self, spec: &RecorderSpec, variable: &str, unit: &str, t_s: Vec<f64>, data: &Values) {
        let RecorderKind::State { object, indices, .. } = &spec.kind else { return };
        let n = indices.len();
        let lines = indices
            .iter()
            .enumerate()
            .take(MAX_LINES)
            .map(|(k, index)| LineData {
                label: format!("{object}[{index}]"),
                values: (k..data.len())
                    .step_by(n)
                    .filter_map(|at| data.get(at))
                    .map(|x| x.to_f64())
                    .collect(),
            })
            .collect();
        self.traces.push(TraceData {
            object: object.clone(),
            variable: variable.to_owned(),
            unit: unit.to_owned(),
            t_s,
            lines,
            n_recorded: n,
        });
    }
}
