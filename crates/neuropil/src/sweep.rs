//! One model, many times: every combination of some values, on all cores.
//!
//! Points share prepared and compiled kernels: a kernel that does not depend on what varies is compiled once. Each point
//! has its own simulation, on one thread unless told otherwise, and gives what it gives alone.
//!
//! Points run on threads of their own rather than on those of Rayon: while a point waits for Rayon's threads, which make
//! its synapses, it would be given another point to do, and more networks would be in memory than were asked for.

use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use neuropil_base::{Diagnostic, Diagnostics, SourceMap, Span};
use neuropil_engine::{Backend, Options, Outcome, RecordTo, Simulation, SpikeCount, Timings, system};

use crate::{Axis, Error, Model, ModelError};

/// Where the recordings of a point go.
type Place = Box<dyn Fn(&Point) -> RecordTo + Send + Sync>;

/// A model and what varies in it.
///
/// ```
/// use neuropil::{Axis, Cpu, Model, Sweep};
///
/// let model = Model::parse("one.toml", r#"
///     duration = "1 s"
///     [constants]
///     tau = "20 ms"
///     [neuron.lif]
///     equations = "dv/dt = (15*mV - v)/tau : volt"
///     threshold = "v > 10*mV"
///     reset = "v = 0*mV"
///     [population.cell]
///     neuron = "lif"
///     size = 1
/// "#)?;
/// let swept = Sweep::new(model).vary(Axis::parse("tau=10ms,20ms,40ms")?).run(&Cpu)?;
/// let spikes: Vec<u64> = swept.results.iter().flat_map(|(_, r)| r).map(|m| m.spikes[0].spikes).collect();
/// assert_eq!(spikes, [90, 45, 22]);
/// # Ok::<(), neuropil::Error>(())
/// ```
pub struct Sweep {
    model: Model,
    axes: Vec<Axis>,
    pairing: Pairing,
    jobs: usize,
    threads: usize,
    record: Place,
}

/// How the values of several axes go together.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Pairing {
    /// Each with each; the last axis varies fastest.
    #[default]
    Product,
    /// The first with the first, the second with the second, and so on.
    Zip,
}

/// One combination of values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point {
    /// Its number, from 0 on.
    pub index: usize,
    /// Names and values, in the order of the axes.
    pub values: Vec<(String, String)>,
}

/// What was run of a sweep.
#[derive(Debug)]
pub struct Swept<T> {
    /// The points that were run, in order, and what came of each.
    pub results: Vec<(Point, Result<T, Error>)>,
    /// Kernels that were compiled, for all points together.
    pub compiled: u64,
}

/// What a point did.
#[derive(Clone, PartialEq, Debug)]
pub struct Measured {
    /// Whether it came to its end.
    pub outcome: Outcome,
    /// Spikes of each population.
    pub spikes: Vec<SpikeCount>,
    /// The hash over all spikes.
    pub digest: String,
    /// Simulated time in seconds.
    pub time_s: f64,
    /// Wall time.
    pub timings: Timings,
}

impl Measured {
    /// What a simulation has done so far.
    #[must_use]
    pub fn new(simulation: &Simulation, outcome: Outcome) -> Self {
        Self {
            outcome,
            spikes: simulation.spike_counts(),
            digest: simulation.spike_digest(),
            time_s: simulation.time(),
            timings: simulation.timings(),
        }
    }
}

impl Sweep {
    /// A sweep of one point: the model as it is. It uses all cores, and records nothing.
    #[must_use]
    pub fn new(model: Model) -> Self {
        let jobs = std::thread::available_parallelism().map_or(1, NonZero::get);
        let record = Box::new(|_: &Point| RecordTo::Nothing);
        Self { model, axes: Vec::new(), pairing: Pairing::default(), jobs, threads: 1, record }
    }

    /// Lets something vary.
    #[must_use]
    pub fn vary(mut self, axis: Axis) -> Self {
        self.axes.push(axis);
        self
    }

    /// How the values of several axes go together.
    #[must_use]
    pub fn pairing(mut self, pairing: Pairing) -> Self {
        self.pairing = pairing;
        self
    }

    /// How many points are run at once, if there is memory for them; at least 1.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = jobs.max(1);
        self
    }

    /// How many threads each point has; at least 1.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Where each point records what the model says is recorded.
    #[must_use]
    pub fn record(mut self, place: impl Fn(&Point) -> RecordTo + Send + Sync + 'static) -> Self {
        self.record = Box::new(place);
        self
    }

    /// All points, in order.
    ///
    /// # Errors
    /// [`ModelError`] for axes of one name, or that do not go together.
    pub fn points(&self) -> Result<Vec<Point>, ModelError> {
        for (k, axis) in self.axes.iter().enumerate() {
            if self.axes.iter().take(k).any(|other| other.name() == axis.name()) {
                let message = format!("`{}` is given values twice", axis.name());
                return Err(mistake(axis.name(), message, "write all its values in one list"));
            }
        }
        let lengths: Vec<usize> = self.axes.iter().map(|axis| axis.values().len()).collect();
        let count = match self.pairing {
            Pairing::Zip => {
                let n = lengths.first().copied().unwrap_or(1);
                if let Some(k) = lengths.iter().position(|other| *other != n) {
                    let (first, other) = (self.axes[0].name(), self.axes[k].name());
                    let message = format!("`{first}` has {n} values and `{other}` has {}", lengths[k]);
                    return Err(mistake(other, message, "values that go in pairs are as many on both sides"));
                }
                n
            }
            Pairing::Product => match lengths.iter().try_fold(1_usize, |n, k| n.checked_mul(*k)) {
                Some(count) if u32::try_from(count).is_ok() => count,
                _ => {
                    let message = "the sweep has more points than can be counted".to_owned();
                    return Err(mistake("", message, "give fewer values, or pair them"));
                }
            },
        };
        let point = |index: usize| {
            let mut rest = index;
            let mut values: Vec<(String, String)> = Vec::new();
            for axis in self.axes.iter().rev() {
                let n = axis.values().len();
                let k = if self.pairing == Pairing::Zip { index } else { rest % n };
                rest /= n;
                values.push((axis.name().to_owned(), axis.values()[k].clone()));
            }
            values.reverse();
            Point { index, values }
        };
        Ok((0..count).map(point).collect())
    }

    /// The model of a point.
    ///
    /// # Errors
    /// [`ModelError`] with all values that it does not take.
    pub fn model(&self, point: &Point) -> Result<Model, ModelError> {
        let mut model = self.model.clone();
        let mut mistakes = Diagnostics::new();
        for (name, value) in &point.values {
            if let Err(error) = model.set(&format!("{name}={value}")) {
                mistakes.append(error.diagnostics);
            }
        }
        if mistakes.is_empty() {
            return Ok(model);
        }
        mistakes.sort();
        Err(ModelError { diagnostics: mistakes, sources: model.source().files.clone() })
    }

    /// Runs every point for as long as the model says.
    ///
    /// # Errors
    /// [`Error::Model`] for axes that do not go together; what goes wrong with a point is its result.
    pub fn run(&self, backend: &dyn Backend) -> Result<Swept<Measured>, Error> {
        let measure = |_: &Point, simulation: &mut Simulation| {
            let outcome = simulation.perform(&mut |_| ControlFlow::Continue(()))?;
            simulation.finish(outcome != Outcome::Stopped)?;
            Ok(Measured::new(simulation, outcome))
        };
        self.map(backend, measure, |_, _| ControlFlow::Continue(()))
    }

    /// Builds every point and has `measure` do with it what it likes. `each` hears of results as they come, on the thread
    /// of the caller; once it says so, no more points are begun.
    ///
    /// # Errors
    /// [`Error::Model`] for axes that do not go together; what goes wrong with a point is its result.
    pub fn map<T: Send>(
        &self,
        backend: &dyn Backend,
        measure: impl Fn(&Point, &mut Simulation) -> Result<T, Error> + Sync,
        mut each: impl FnMut(&Point, &Result<T, Error>) -> ControlFlow<()>,
    ) -> Result<Swept<T>, Error> {
        let points = self.points()?;
        let backend = backend.sharing();
        let gate = Gate::default();
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (sender, receiver) = mpsc::channel();
        let mut results: Vec<Option<Result<T, Error>>> = points.iter().map(|_| None).collect();
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.min(points.len()) {
                let sender = sender.clone();
                let (points, gate, next, stop) = (&points, &gate, &next, &stop);
                let (backend, measure) = (&*backend, &measure);
                scope.spawn(move || {
                    while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let place = gate.enter();
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let result = self.one(point, backend, place, measure);
                        if sender.send((point.index, result)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            for (index, result) in receiver {
                if each(&points[index], &result).is_break() {
                    stop.store(true, Ordering::Relaxed);
                }
                results[index] = Some(result);
            }
        });
        let compiled = backend.kernels().map_or(0, |kernels| kernels.compiled());
        let results = points.into_iter().zip(results).filter_map(|(point, r)| r.map(|r| (point, r)));
        Ok(Swept { results: results.collect(), compiled })
    }

    fn one<T>(
        &self,
        point: &Point,
        backend: &dyn Backend,
        mut place: Inside<'_>,
        measure: &(impl Fn(&Point, &mut Simulation) -> Result<T, Error> + Sync),
    ) -> Result<T, Error> {
        let model = self.model(point)?;
        let options = Options { threads: self.threads, record: (self.record)(point) };
        let mut simulation = model.simulate(backend, &options)?;
        place.built(simulation.bytes());
        measure(point, &mut simulation)
    }
}

/// A mistake in the name of an axis.
fn mistake(name: &str, message: String, help: &str) -> ModelError {
    let mut sources = SourceMap::new();
    let file = sources.add("--set", name);
    let mut diagnostics = Diagnostics::new();
    diagnostics.push(
        Diagnostic::error("invalid-override", Span::new(file, 0..name.len()), message).help(help.to_owned()),
    );
    ModelError { diagnostics, sources }
}

/// Lets points in while there is memory for them. The first is built alone; it says how much they need.
#[derive(Default)]
struct Gate {
    state: Mutex<Crowd>,
    changed: Condvar,
}

#[derive(Default)]
struct Crowd {
    building: usize,
    built: usize,
    /// The largest network so far, in bytes.
    largest: Option<u64>,
}

/// A point that has been let in.
struct Inside<'a> {
    gate: &'a Gate,
    is_built: bool,
}

impl Gate {
    fn crowd(&self) -> MutexGuard<'_, Crowd> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is room for one more.
    fn enter(&self) -> Inside<'_> {
        let mut crowd = self.crowd();
        loop {
            let alone = crowd.building + crowd.built == 0;
            // While it is made, a network takes about twice what it takes in the end.
            let fits = crowd.largest.is_some_and(|largest| {
                let needed = largest.saturating_mul(2 * (crowd.building as u64 + 1));
                system::available_memory().is_none_or(|available| needed < available)
            });
            if alone || fits {
                crowd.building += 1;
                return Inside { gate: self, is_built: false };
            }
            // Memory may become free without anybody here having done it.
            let waited = self.changed.wait_timeout(crowd, Duration::from_millis(200));
            crowd = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Inside<'_> {
    fn built(&mut self, bytes: u64) {
        let mut crowd = self.gate.crowd();
        crowd.building -= 1;
        crowd.built += 1;
        crowd.largest = crowd.largest.max(Some(bytes));
        self.is_built = true;
        self.gate.changed.notify_all();
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let mut crowd = self.gate.crowd();
        if self.is_built {
            crowd.built -= 1;
        } else {
            crowd.building -= 1;
        }
        self.gate.changed.notify_all();
    }
}
