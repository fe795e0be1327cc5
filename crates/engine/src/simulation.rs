//! A network in a machine: running it, reading and writing its variables, and what it recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use neuropil_backend::{Backend, Counters, Delayed, Machine, Renewable, State, Synapses};
use neuropil_base::{Scalar, nearest};
use neuropil_connectivity::Walk as _;
use neuropil_kernels::program::{BufferId, Owner, Role};
use neuropil_kernels::{Former, Program, ProjectionShape};
use neuropil_memory::HostBuffer;
use neuropil_model::{Network, ObjectId, ProjectionId, RecorderKind, StopId, SubnetworkId};
use neuropil_record::{MemorySink, RecorderId, Trace};
use neuropil_schedule::Plan;

use crate::change::switched_off;
use crate::checkpoint::Origin;
use crate::host::HostFunction;
use crate::recording::{RecordTo, Recording, add_tallies};
use crate::rewire::Rules;
use crate::{BuildError, RunError, Snapshot};

/// How a network is built.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many threads a machine may use; at least 1.
    pub threads: usize,
    /// Where recordings go.
    pub record: RecordTo,
}

impl Default for Options {
    /// All cores; recordings in memory.
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { threads, record: RecordTo::Memory }
    }
}

/// How long the parts of a simulation took, in seconds; of wall time unless said otherwise.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Timings {
    /// Making synapses and initial values.
    pub build_s: f64,
    /// Lowering equations and loading the machine.
    pub compile_s: f64,
    /// Running.
    pub run_s: f64,
    /// Processor time of the whole process while it ran, all threads, user and system; none where the system does not
    /// say, and before the first run.
    pub run_cpu_s: Option<f64>,
}

/// How far a run has come.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Progress {
    /// Steps of the network's clock done in this run.
    pub done: u64,
    /// Steps that this run asked for.
    pub total: u64,
    /// The network's time in seconds.
    pub time_s: f64,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It ran for as long as it was asked to.
    Finished,
    /// The progress callback, or a host operation, stopped it.
    Stopped,
    /// The condition held that ends it.
    Condition,
}

/// The spikes of one population so far.
#[derive(Clone, PartialEq, Debug)]
pub struct SpikeCount {
    /// The population's name.
    pub population: String,
    /// Its neurons.
    pub neurons: u32,
    /// Spikes so far.
    pub spikes: u64,
    /// Mean rate per neuron so far, in hertz; 0 before the first step.
    pub rate_hz: f64,
}

/// A network in a machine.
///
/// `dt` and times are in seconds, variables in SI base units. Between two runs every variable can be read and
/// written by its name, `object.variable`.
pub struct Simulation {
    pub(crate) backend: Arc<dyn Backend>,
    /// The network as it is now; behind its own recorders stand those that count spikes.
    pub(crate) network: Arc<Network>,
    /// What it was at the beginning.
    pub(crate) origin: Origin,
    /// How many recorders are the network's own.
    pub(crate) n_recorders: usize,
    pub(crate) program: Arc<Program>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) shapes: Vec<ProjectionShape>,
    pub(crate) synapses: Vec<Arc<Synapses>>,
    pub(crate) machine: Box<dyn Machine>,
    pub(crate) recording: Recording,
    pub(crate) circumstances: Circumstances,
    /// What the program leaves out.
    pub(crate) off: BTreeSet<Owner>,
    /// What is stored under a name.
    pub(crate) stored: BTreeMap<String, Snapshot>,
    /// The functions of host operations.
    pub(crate) hosts: Vec<Option<HostFunction>>,
    /// What decides for rules that change synapses, made when it is first needed.
    pub(crate) rules: Rules,
    /// What was shown last of a variable that is kept per neuron, a value per synapse.
    pub(crate) spread: Option<HostBuffer>,
    /// Float buffers that running can make non-finite.
    pub(crate) watched: Vec<BufferId>,
    pub(crate) timings: Timings,
    pub(crate) remarks: Vec<String>,
}

/// What of a simulation is neither in its machine nor in its network.
#[derive(Clone, Default, Debug)]
pub(crate) struct Circumstances {
    /// Objects and recorders that were switched off.
    pub off: BTreeSet<Owner>,
    /// The subnetwork that runs; all objects if there is none.
    pub subnetwork: Option<SubnetworkId>,
    /// The condition that may end the run.
    pub stop: Option<StopId>,
    /// The time, and what is under way, of the networks that do not run now.
    pub times: BTreeMap<Option<SubnetworkId>, Elsewhere>,
    /// How many acts of the model's protocol have been done, and how many steps of the one that is being done.
    pub done: (usize, u64),
    /// How many steps of the network's clock have been run in all, whatever the time is.
    pub steps: u64,
    /// How many times synapses were made anew.
    pub draws: u32,
    /// How many times it was told what to do beyond the model's protocol.
    pub followed: u32,
    /// Projections that have lost or got synapses since they were made.
    pub rewired: BTreeSet<ProjectionId>,
}

/// A network that does not run now.
#[derive(Clone, Debug)]
pub(crate) struct Elsewhere {
    /// Its time, and the events that are under way.
    pub state: State,
    /// For each projection, the delays that some of them keep from before.
    pub former: Vec<Vec<Former>>,
}

impl Simulation {
    /// Builds a network and loads it into a machine of `backend`.
    ///
    /// # Errors
    /// [`BuildError`]; nothing has been written then, unless it is the recording itself that failed.
    pub fn new(network: Network, backend: &dyn Backend, options: &Options) -> Result<Self, BuildError> {
        let start = Instant::now();
        let n_recorders = network.recorders.len();
        let mut network = network;
        add_tallies(&mut network);
        let circumstances = Circumstances::default();
        let off = switched_off(&network, &circumstances);
        let built = crate::build::build(&network, backend, options.threads.max(1), &off)?;
        let build_s = start.elapsed().as_secs_f64();
        let start = Instant::now();
        network = built.network;
        let program = Arc::clone(&built.image.program);
        record_all_synapses(&mut network, &program);
        let plan = Arc::clone(&built.image.plan);
        let synapses = built.image.synapses.clone();
        let machine = backend.load(built.image)?;
        let recording = Recording::new(&network, n_recorders, &options.record)?;
        let timings = Timings { build_s, compile_s: start.elapsed().as_secs_f64(), ..Timings::default() };
        let network = Arc::new(network);
        Ok(Self {
            backend: backend.shared(),
            hosts: network.host_operations.iter().map(|_| None).collect(),
            origin: Origin::new(&network, &synapses),
            network,
            n_recorders,
            watched: watched(&program),
            program,
            plan,
            shapes: built.shapes,
            synapses,
            machine,
            recording,
            circumstances,
            off,
            stored: BTreeMap::new(),
            rules: Rules::new(),
            spread: None,
            timings,
            remarks: built.remarks,
        })
    }

    /// The network as it is now. Behind the recorders of the model stand those that count spikes.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The program that the machine runs.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The order of the program's operations.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How each projection is stored and why, and how many delays per synapse were rounded to steps.
    #[must_use]
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// How long building, compiling and running took so far.
    #[must_use]
    pub fn timings(&self) -> Timings {
        self.timings
    }

    /// Work done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.machine.counters()
    }

    /// The step of the network's clock, in seconds.
    #[must_use]
    pub fn dt(&self) -> f64 {
        self.network.clocks.first().map_or(0.0, |c| c.dt)
    }

    /// Steps of the network's clock done so far: the number of the next step.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.machine.tick().div_ceil(self.period())
    }

    /// Steps of the network's clock that have been run in all: of every subnetwork, and those that going back to a
    /// stored state of the model's protocol made undone.
    #[must_use]
    pub fn total_steps(&self) -> u64 {
        self.circumstances.steps
    }

    /// The network's time in seconds: `steps * dt`.
    #[must_use]
    pub fn time(&self) -> f64 {
        self.steps() as f64 * self.dt()
    }

    /// Neurons, inputs included.
    #[must_use]
    pub fn n_neurons(&self) -> u64 {
        self.network.populations.iter().map(|p| u64::from(p.size)).sum()
    }

    /// Synapses.
    #[must_use]
    pub fn n_synapses(&self) -> u64 {
        self.program.structures.iter().map(|s| s.n_syn as u64).sum()
    }

    /// About how much memory the network takes, in bytes: its variables and its synapses.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let buffers: usize = self.program.buffers.iter().map(|b| b.len * b.ty.size()).sum();
        let structure = |s: &Arc<Synapses>| {
            let rows = s.rows.if_there().map_or(0, |rows| rows.bytes());
            let columns = s.columns.as_ref().and_then(Renewable::if_there).map_or(0, |c| c.bytes());
            let delayed = |d: &Delayed| {
                let steps = d.steps.if_there().map_or(0, |steps| steps.bytes());
                steps + d.rows.if_there().map_or(0, |rows| rows.bytes())
            };
            rows + columns + s.delayed.iter().flatten().map(delayed).sum::<usize>()
        };
        (buffers + self.synapses.iter().map(structure).sum::<usize>()) as u64
    }

    /// Ticks per step of the network's clock.
    pub(crate) fn period(&self) -> u64 {
        self.program.clocks.first().map_or(1, |c| c.period)
    }

    /// The names of all variables that have storage, `object.variable`.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.program.buffers.iter().filter_map(|b| match b.role {
            Role::Variable(..) | Role::Trace(..) => Some(b.name.as_str()),
            // When synapses were last updated follows from this, if they do not keep it themselves.
            Role::LastArrival(structure, _) => self.derived_name(structure, &b.name),
            Role::Table
            | Role::InDegree(_)
            | Role::OutDegree(_)
            | Role::SumDelay { .. }
            | Role::SynapseCount(_)
            | Role::History { .. }
            | Role::Scratch => None,
        })
    }

    pub(crate) fn find(&self, name: &str) -> Result<BufferId, RunError> {
        let position =
            self.program.buffers.iter().position(|b| matches!(b.role, Role::Variable(..)) && b.name == name);
        position.map(BufferId::new).ok_or_else(|| RunError::UnknownVariable {
            name: name.to_owned(),
            nearest: nearest(name, self.variables()).map(str::to_owned),
        })
    }

    /// The values of a variable, one per neuron or synapse, or a single one if it is shared.
    ///
    /// # Errors
    /// [`RunError::UnknownVariable`].
    pub fn get(&mut self, name: &str) -> Result<&HostBuffer, RunError> {
        if let Some((id, variable)) = self.shown_named(name) {
            let values = self.shown(id, variable)?;
            return Ok(self.spread.insert(values));
        }
        let id = self.find(name)?;
        Ok(self.machine.read(id)?)
    }

    /// The values of a variable as doubles, in SI base units; truth values are 0 and 1.
    ///
    /// # Errors
    /// [`RunError::UnknownVariable`].
    pub fn values(&mut self, name: &str) -> Result<Vec<f64>, RunError> {
        Ok(self.get(name)?.to_f64())
    }

    /// The values of a variable, to be changed where they are; they are what the next step begins with.
    ///
    /// # Errors
    /// [`RunError::UnknownVariable`].
    pub fn get_mut(&mut self, name: &str) -> Result<&mut HostBuffer, RunError> {
        if let Some((id, _)) = self.shown_named(name) {
            self.part(id)?;
        } else if let Role::Variable(object, variable) = self.program.buffers[self.find(name)?.index()].role {
            self.part_for(object, variable)?;
        }
        let id = self.find(name)?;
        Ok(self.machine.write(id)?)
    }

    /// Sets a variable: one value for all elements, or one for each.
    ///
    /// # Errors
    /// [`RunError::UnknownVariable`], [`RunError::Length`].
    pub fn set(&mut self, name: &str, values: &[f64]) -> Result<(), RunError> {
        if let Some((id, variable)) = self.shown_named(name)
            && self.set_at_start(id, variable, values)?
        {
            return Ok(());
        }
        let buffer = self.get_mut(name)?;
        let (ty, len) = (buffer.ty(), buffer.len());
        match values {
            [value] => buffer.fill(0..len, Scalar::from_f64(ty, *value)),
            values if values.len() == len => {
                for (i, value) in values.iter().enumerate() {
                    buffer.set(i, Scalar::from_f64(ty, *value));
                }
            }
            values => {
                return Err(RunError::Length { name: name.to_owned(), expected: len, found: values.len() });
            }
        }
        Ok(())
    }

    /// What was recorded in memory; `None` if recordings go elsewhere.
    #[must_use]
    pub fn recorded(&self) -> Option<&MemorySink> {
        self.recording.memory.as_ref()
    }

    /// The recorder `name`, or what it is called for the object of that name: `name_spikes`, `name_rate`.
    fn recorder(&self, name: &str, ending: &str) -> Result<(&MemorySink, RecorderId), RunError> {
        let unknown = || RunError::UnknownRecorder {
            name: name.to_owned(),
            nearest: nearest(
                name,
                self.network.recorders[..self.n_recorders].iter().map(|r| r.name.as_str()),
            )
            .map(str::to_owned),
        };
        let memory = self.recorded().ok_or_else(unknown)?;
        let id = memory.find(name).or_else(|| memory.find(&format!("{name}{ending}")));
        Ok((memory, id.ok_or_else(unknown)?))
    }

    /// Recorded spikes of a population, view or input (or of the recorder of that name): the time in seconds and the
    /// neuron of each, in order.
    ///
    /// # Errors
    /// [`RunError::UnknownRecorder`], also if nothing is recorded in memory.
    pub fn spikes(&self, of: &str) -> Result<(Vec<f64>, Vec<u32>), RunError> {
        let (steps, neurons, dt) = self.spike_steps(of)?;
        Ok((steps.iter().map(|s| *s as f64 * dt).collect(), neurons.to_vec()))
    }

    /// The same without copying: the step and the neuron of each spike, and seconds per step.
    ///
    /// # Errors
    /// [`RunError::UnknownRecorder`], also if nothing is recorded in memory.
    pub fn spike_steps(&self, of: &str) -> Result<(&[i64], &[u32], f64), RunError> {
        let (memory, id) = self.recorder(of, "_spikes")?;
        let (steps, neurons) = memory.spikes(id)?;
        Ok((steps, neurons, memory.specs()[id.index()].dt_s))
    }

    /// A recorded variable: rows are times, columns the recorded elements.
    ///
    /// # Errors
    /// [`RunError::UnknownRecorder`], also if nothing is recorded in memory.
    pub fn trace(&self, recorder: &str, variable: &str) -> Result<Trace<'_>, RunError> {
        let (memory, id) = self.recorder(recorder, "")?;
        Ok(memory.trace(id, variable)?)
    }

    /// The recorded rate of a population, view or input (or of the recorder of that name): times in seconds and rates
    /// in hertz.
    ///
    /// # Errors
    /// [`RunError::UnknownRecorder`], also if nothing is recorded in memory.
    pub fn rate(&self, of: &str) -> Result<(Vec<f64>, Vec<f64>), RunError> {
        let (memory, id) = self.recorder(of, "_rate")?;
        Ok(memory.rate_hz(id)?)
    }

    /// Spikes of every population so far, recorded or not.
    #[must_use]
    pub fn spike_counts(&self) -> Vec<SpikeCount> {
        let time = self.circumstances.steps as f64 * self.dt();
        let count = |tally: &crate::recording::Tally| {
            let population = self.network.population(tally.population);
            let neuron_seconds = f64::from(population.size) * time;
            let rate_hz = if neuron_seconds > 0.0 { tally.count as f64 / neuron_seconds } else { 0.0 };
            SpikeCount {
                population: population.name.clone(),
                neurons: population.size,
                spikes: tally.count,
                rate_hz,
            }
        };
        self.recording.tallies.iter().map(count).collect()
    }

    /// A hash over the (step, population, neuron) of all spikes so far, 16 hexadecimal digits.
    #[must_use]
    pub fn spike_digest(&self) -> String {
        self.recording.digest()
    }

    /// Completes the files of a recording; nothing more is recorded in them. `complete` says whether the run came
    /// to its end.
    ///
    /// # Errors
    /// [`RunError::Record`] if they cannot be written.
    pub fn finish(&mut self, complete: bool) -> Result<(), RunError> {
        let time = self.time();
        Ok(self.recording.finish(time, complete)?)
    }
}

/// Float variables that operations write: those that can become non-finite.
pub(crate) fn watched(program: &Program) -> Vec<BufferId> {
    let is_watched = |id: &BufferId| {
        let buffer = &program.buffers[id.index()];
        buffer.ty.is_float() && matches!(buffer.role, Role::Variable(..) | Role::Trace(..))
    };
    program.written_buffers().into_iter().filter(is_watched).collect()
}

/// A recorder of a projection without a list of elements records all synapses; how many there are is only known
/// now.
fn record_all_synapses(network: &mut Network, program: &Program) {
    for recorder in &mut network.recorders {
        if let RecorderKind::State { object: ObjectId::Projection(id), elements, .. } = &mut recorder.kind
            && elements.is_empty()
        {
            let n_syn = program.structures[id.index()].n_syn;
            *elements = (0..u32::try_from(n_syn).unwrap_or(u32::MAX)).collect();
        }
    }
}
