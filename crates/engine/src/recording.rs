//! Between the machine and the recorders: memory, a directory, counts and digests.

use std::path::PathBuf;

use neuropil_backend::{Sink as MachineSink, SinkError};
use neuropil_model::{Network, ObjectId, PopulationId, RecorderId, RecorderKind};
use neuropil_record as record;
use neuropil_record::{
    FileSink, Mark, MemorySink, PopulationInfo, RecordError, RecorderSpec, RunInfo, Sink as _, SpikeDigest,
    VariableSpec,
};

/// Where recordings go.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum RecordTo {
    /// Kept in memory, for the program that runs the simulation.
    #[default]
    Memory,
    /// Written to a directory of `.npy` files and a manifest while running.
    Directory(PathBuf),
    /// Both.
    Both(PathBuf),
    /// Counted, and forgotten.
    Nothing,
}

/// The counts and the digest of one population's spikes.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub population: PopulationId,
    pub count: u64,
    pub digest: SpikeDigest,
}

/// How much had been recorded at some moment, in memory and in files.
#[derive(Clone, Default, Debug)]
pub(crate) struct Recorded {
    memory: Option<Mark>,
    file: Option<Mark>,
}

/// All recorders of a simulation.
#[derive(Debug)]
pub(crate) struct Recording {
    pub memory: Option<MemorySink>,
    pub file: Option<FileSink>,
    /// How many recorders the model has; those behind are tallies.
    n_recorders: usize,
    pub tallies: Vec<Tally>,
}

/// Adds to a network a recorder for every population's spikes: what counts and digests are made from.
pub(crate) fn add_tallies(network: &mut Network) {
    for i in 0..network.populations.len() {
        let population = &network.populations[i];
        let Some(event) = population.event_named("spike") else { continue };
        let group = neuropil_model::Group {
            name: population.name.clone(),
            object: ObjectId::Population(PopulationId::new(i)),
            start: 0,
            len: population.size,
        };
        network.recorders.push(neuropil_model::Recorder {
            name: format!("{}.tally", population.name),
            clock: population.clock,
            kind: RecorderKind::Events { group, event },
            placed: population.events[event.index()].placed.behind(),
        });
    }
}

impl Recording {
    /// Recorders for a network to which tallies were added behind its `n_recorders` own.
    pub(crate) fn new(network: &Network, n_recorders: usize, to: &RecordTo) -> Result<Self, RecordError> {
        let specs = specs(network, n_recorders);
        let create = |dir: &PathBuf| FileSink::create(dir, specs.clone(), info(network));
        Self::with(network, n_recorders, to, create)
    }

    /// Recorders that go on with the files of another process, which had come to a mark.
    pub(crate) fn resumed(
        network: &Network,
        n_recorders: usize,
        to: &RecordTo,
        mark: Option<&Mark>,
    ) -> Result<Self, RecordError> {
        let specs = specs(network, n_recorders);
        let to_files = matches!(to, RecordTo::Directory(_) | RecordTo::Both(_));
        if to_files != mark.is_some() {
            let (was, is) = if to_files { ("nothing", "files") } else { ("files", "nothing") };
            let message = format!("the run that made it wrote {was}, and this one writes {is}");
            return Err(RecordError::Mark { message });
        }
        let mark = mark.cloned().unwrap_or_default();
        let resume = |dir: &PathBuf| FileSink::resume(dir, specs.clone(), info(network), &mark);
        Self::with(network, n_recorders, to, resume)
    }

    fn with(
        network: &Network,
        n_recorders: usize,
        to: &RecordTo,
        open: impl Fn(&PathBuf) -> Result<FileSink, RecordError>,
    ) -> Result<Self, RecordError> {
        let specs = specs(network, n_recorders);
        let (memory, file) = match to {
            RecordTo::Memory => (Some(MemorySink::new(specs)?), None),
            RecordTo::Directory(dir) => (None, Some(open(dir)?)),
            RecordTo::Both(dir) => (Some(MemorySink::new(specs)?), Some(open(dir)?)),
            RecordTo::Nothing => (None, None),
        };
        let tallies = network.recorders[n_recorders..]
            .iter()
            .filter_map(|r| match &r.kind {
                RecorderKind::Events { group, .. } => group.population().map(|population| Tally {
                    population,
                    count: 0,
                    digest: SpikeDigest::new(),
                }),
                RecorderKind::Rate { .. } | RecorderKind::State { .. } => None,
            })
            .collect();
        Ok(Self { memory, file, n_recorders, tallies })
    }

    /// How much has been recorded so far.
    pub(crate) fn recorded(&self) -> Recorded {
        let (memory, file) = (self.memory.as_ref(), self.file.as_ref());
        Recorded { memory: memory.map(MemorySink::mark), file: file.map(FileSink::mark) }
    }

    /// Forgets what was recorded since then.
    pub(crate) fn rewind(&mut self, to: &Recorded) -> Result<(), RecordError> {
        if let (Some(memory), Some(mark)) = (&mut self.memory, &to.memory) {
            memory.rewind(mark)?;
        }
        if let (Some(file), Some(mark)) = (&mut self.file, &to.file) {
            file.rewind(mark)?;
        }
        Ok(())
    }

    /// One digest for the spikes of all populations: that of the populations' own digests, in order.
    pub(crate) fn digest(&self) -> String {
        let mut all = SpikeDigest::new();
        for tally in &self.tallies {
            let value = tally.digest.value();
            let halves = [value as u32, (value >> 32) as u32];
            all.update(tally.count as i64, tally.population.index() as u32, &halves);
        }
        all.hex()
    }

    /// Waits until what was recorded in files is on the disk, and says how much that is.
    pub(crate) fn settle(&mut self) -> Result<Option<Mark>, RecordError> {
        self.file.as_mut().map(FileSink::settle).transpose()
    }

    /// Completes files; `complete` says whether the run reached its end.
    pub(crate) fn finish(&mut self, duration_s: f64, complete: bool) -> Result<(), RecordError> {
        if let Some(memory) = &mut self.memory {
            memory.finish()?;
        }
        if let Some(mut file) = self.file.take() {
            file.set_end(duration_s, complete);
            file.finish()?;
        }
        Ok(())
    }

    fn each(
        &mut self,
        recorder: RecorderId,
        mut push: impl FnMut(&mut dyn record::Sink, record::RecorderId) -> Result<(), RecordError>,
    ) -> Result<(), SinkError> {
        let id = record::RecorderId::new(recorder.index());
        if let Some(memory) = &mut self.memory {
            push(memory, id)?;
        }
        if let Some(file) = &mut self.file {
            push(file, id)?;
        }
        Ok(())
    }
}

impl MachineSink for Recording {
    fn events(&mut self, recorder: RecorderId, step: i64, neurons: &[u32]) -> Result<(), SinkError> {
        if neurons.is_empty() {
            return Ok(());
        }
        if let Some(tally) = recorder.index().checked_sub(self.n_recorders) {
            if let Some(tally) = self.tallies.get_mut(tally) {
                tally.count += neurons.len() as u64;
                tally.digest.update(step, tally.population.index() as u32, neurons);
            }
            return Ok(());
        }
        self.each(recorder, |sink, id| sink.events(id, step, neurons))
    }

    fn count(&mut self, recorder: RecorderId, step: i64, count: u64) -> Result<(), SinkError> {
        self.each(recorder, |sink, id| sink.rate(id, step, count))
    }

    fn state(&mut self, recorder: RecorderId, step: i64, columns: &[&[u8]]) -> Result<(), SinkError> {
        self.each(recorder, |sink, id| sink.rows(id, step, columns))
    }
}

fn specs(network: &Network, n_recorders: usize) -> Vec<RecorderSpec> {
    network.recorders[..n_recorders].iter().map(|r| spec(network, r)).collect()
}

/// What the recorder crate needs to know of a recorder.
fn spec(network: &Network, recorder: &neuropil_model::Recorder) -> RecorderSpec {
    let kind = match &recorder.kind {
        RecorderKind::Events { group, event } => {
            let population = group.population().map(|id| network.population(id));
            let event = population.and_then(|p| p.events.get(event.index()));
            record::RecorderKind::Spikes {
                population: network.object_name(group.object).to_owned(),
                event: event.map(|e| e.name.clone()).unwrap_or_default(),
                first: group.start,
                n: group.len,
            }
        }
        RecorderKind::Rate { group, .. } => {
            record::RecorderKind::Rate { population: group.name.clone(), n: group.len, period_steps: 1 }
        }
        RecorderKind::State { object, variables, elements } => record::RecorderKind::State {
            object: network.object_name(*object).to_owned(),
            variables: variables.iter().map(|v| variable(network, *object, *v)).collect(),
            indices: elements.clone(),
            period_steps: 1,
        },
    };
    RecorderSpec { name: recorder.name.clone(), dt_s: network.clock(recorder.clock).dt, kind }
}

fn variable(network: &Network, object: ObjectId, id: neuropil_model::VariableId) -> VariableSpec {
    let variable = &network.variables(object)[id.index()];
    VariableSpec { name: variable.name.clone(), ty: variable.ty, unit: variable.dimension.to_string() }
}

fn info(network: &Network) -> RunInfo {
    RunInfo {
        model: network.name.clone(),
        seed: network.seed,
        dt_s: network.clocks.first().map_or(0.0, |c| c.dt),
        precision: network.precision,
        duration_s: network.duration,
        populations: network
            .populations
            .iter()
            .map(|p| PopulationInfo { name: p.name.clone(), n: p.size })
            .collect(),
    }
}
