//! Simulations: networks that are built and can be run.

use std::cell::UnsafeCell;
use std::ffi::{CString, c_char};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use facade::{Model, Simulation, Snapshot};

use crate::call::{Failure, call, npl_error, npl_status, query};
use crate::handle::{Handle, Kind, change, free, look, make, write};
use crate::model::npl_model;
use crate::options::npl_options;
use crate::text::{given, owned};

/// A network in a machine.
///
/// One call at a time: a call that meets another one, in another thread or around the host function that makes it,
/// returns `NPL_BUSY`. Different simulations are independent.
pub struct npl_simulation {
    busy: AtomicBool,
    inside: UnsafeCell<Inside>,
}

/// What only one call at a time may touch.
pub(crate) struct Inside {
    pub(crate) simulation: Simulation,
    /// What the entries of later runs are read with.
    model: Model,
    /// Names that C holds.
    pub(crate) names: Names,
    /// What was last computed for C to look at.
    pub(crate) shown: Shown,
}

/// Names that live as long as the simulation.
pub(crate) struct Names {
    pub(crate) variables: Vec<CString>,
    pub(crate) populations: Vec<CString>,
}

/// Values that live until the next call.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) unit: CString,
    pub(crate) times: Vec<f64>,
    pub(crate) rates: Vec<f64>,
    pub(crate) pre: Vec<u32>,
    pub(crate) post: Vec<u32>,
}

/// Sizes of a network.
#[repr(C)]
#[derive(Clone, Copy, Default, Debug)]
pub struct npl_size {
    /// Neurons, those of inputs included.
    pub neurons: u64,
    /// Synapses.
    pub synapses: u64,
    /// About how much memory variables and synapses take, in bytes.
    pub bytes: u64,
}

/// The state of a simulation at one moment.
pub struct npl_snapshot {
    snapshot: Snapshot,
}

impl Handle for npl_simulation {
    const KIND: Kind = Kind::Simulation;
    const NAME: &'static str = "npl_simulation";
}

impl Handle for npl_snapshot {
    const KIND: Kind = Kind::Snapshot;
    const NAME: &'static str = "npl_snapshot";
}

/// Lets the next call in, however this one ends.
struct Turn<'a>(&'a AtomicBool);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Works with a simulation, alone.
pub(crate) fn with<T>(
    simulation: *mut npl_simulation,
    work: impl FnOnce(&mut Inside) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let handle = look(simulation, "simulation")?;
    if handle.busy.swap(true, Ordering::Acquire) {
        let message = "the simulation is in the middle of another call";
        return Err(Failure::new(npl_status::NPL_BUSY, message));
    }
    let turn = Turn(&handle.busy);
    // SAFETY: `busy` was false, and is true until this call is over: nobody else has what is inside.
    let done = work(unsafe { &mut *handle.inside.get() });
    drop(turn);
    done
}

fn give(place: *mut *mut npl_simulation, model: &Model, simulation: Simulation) -> Result<(), Failure> {
    let names = Names {
        variables: simulation.variables().map(owned).collect(),
        populations: simulation.spike_counts().iter().map(|count| owned(&count.population)).collect(),
    };
    let inside = Inside { simulation, model: model.clone(), names, shown: Shown::default() };
    let new = make(npl_simulation { busy: AtomicBool::new(false), inside: UnsafeCell::new(inside) });
    write(place, "simulation", new).inspect_err(|_| free(new))
}

fn chosen(options: *const npl_options) -> Result<npl_options, Failure> {
    if options.is_null() { Ok(npl_options::default()) } else { look(options, "options").cloned() }
}

/// Builds the network of a model and loads it into a machine. `options` may be null.
///
/// `*simulation` becomes a new simulation, to be freed with `npl_simulation_free`.
#[unsafe(no_mangle)]
pub extern "C" fn npl_simulate(
    model: *const npl_model,
    options: *const npl_options,
    simulation: *mut *mut npl_simulation,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let model = &look(model, "model")?.model;
        let options = chosen(options)?;
        let built = model.simulate(&*options.backend(), &options.options)?;
        give(simulation, model, built)
    })
}

/// Builds the network of a model and goes on from a checkpoint of it, which may be that of another process.
/// `options` may be null.
#[unsafe(no_mangle)]
pub extern "C" fn npl_resume(
    model: *const npl_model,
    options: *const npl_options,
    checkpoint: *const c_char,
    simulation: *mut *mut npl_simulation,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let model = &look(model, "model")?.model;
        let options = chosen(options)?;
        let built = model.resume(&*options.backend(), &options.options, given(checkpoint, "checkpoint")?)?;
        give(simulation, model, built)
    })
}

/// Does what the `[[run]]` entries of `text` say: changes variables, delays and synapses, switches objects on and off,
/// and runs. Everything that has such an entry in a model file has it here, with the model's constants.
#[unsafe(no_mangle)]
pub extern "C" fn npl_proceed(
    simulation: *mut npl_simulation,
    text: *const c_char,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let text = given(text, "text")?;
        with(simulation, |inside| {
            inside.model.proceed(&mut inside.simulation, text)?;
            Ok(())
        })
    })
}

/// How large the network is.
#[unsafe(no_mangle)]
pub extern "C" fn npl_simulation_size(
    simulation: *mut npl_simulation,
    size: *mut npl_size,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let found = with(simulation, |inside| {
            let network = &inside.simulation;
            Ok(npl_size {
                neurons: network.n_neurons(),
                synapses: network.n_synapses(),
                bytes: network.bytes(),
            })
        })?;
        write(size, "size", found)
    })
}

/// The time of the network in seconds: steps times dt. Not a number if the simulation is busy or null.
#[unsafe(no_mangle)]
pub extern "C" fn npl_time(simulation: *mut npl_simulation) -> f64 {
    query(f64::NAN, || with(simulation, |inside| Ok(inside.simulation.time())))
}

/// The step of the network's clock in seconds. Not a number if the simulation is busy or null.
#[unsafe(no_mangle)]
pub extern "C" fn npl_dt(simulation: *mut npl_simulation) -> f64 {
    query(f64::NAN, || with(simulation, |inside| Ok(inside.simulation.dt())))
}

/// Steps of the network's clock done so far; 0 if the simulation is busy or null.
#[unsafe(no_mangle)]
pub extern "C" fn npl_steps(simulation: *mut npl_simulation) -> u64 {
    query(0, || with(simulation, |inside| Ok(inside.simulation.steps())))
}

/// The state of everything, to go back to with `npl_restore` any number of times.
///
/// `*snapshot` becomes a new snapshot, to be freed with `npl_snapshot_free`.
#[unsafe(no_mangle)]
pub extern "C" fn npl_store(
    simulation: *mut npl_simulation,
    snapshot: *mut *mut npl_snapshot,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let stored = with(simulation, |inside| Ok(inside.simulation.store()?))?;
        let new = make(npl_snapshot { snapshot: stored });
        write(snapshot, "snapshot", new).inspect_err(|_| free(new))
    })
}

/// Goes back to a state of this simulation. With `forget`, what was recorded since is forgotten; without it recordings
/// keep what they have, and go on with the times of the state.
#[unsafe(no_mangle)]
pub extern "C" fn npl_restore(
    simulation: *mut npl_simulation,
    snapshot: *const npl_snapshot,
    forget: bool,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let snapshot = &look(snapshot, "snapshot")?.snapshot;
        with(simulation, |inside| {
            let network = &mut inside.simulation;
            let done = if forget { network.rewind(snapshot) } else { network.restore(snapshot) };
            Ok(done?)
        })
    })
}

/// Frees a snapshot; null is fine.
#[unsafe(no_mangle)]
pub extern "C" fn npl_snapshot_free(snapshot: *mut npl_snapshot) {
    free(snapshot);
}

/// Writes the state of everything to a file, from which `npl_resume` goes on.
#[unsafe(no_mangle)]
pub extern "C" fn npl_checkpoint(
    simulation: *mut npl_simulation,
    path: *const c_char,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let path = Path::new(given(path, "path")?);
        with(simulation, |inside| Ok(inside.simulation.checkpoint(path)?))
    })
}

/// Completes the files of a recording; nothing more is recorded in them.
#[unsafe(no_mangle)]
pub extern "C" fn npl_finish(simulation: *mut npl_simulation, error: *mut *mut npl_error) -> npl_status {
    call(error, || with(simulation, |inside| Ok(inside.simulation.finish(true)?)))
}

/// Frees a simulation, its variables and what it recorded in memory; null is fine. A simulation that is in the middle of
/// a call is left alone.
#[unsafe(no_mangle)]
pub extern "C" fn npl_simulation_free(simulation: *mut npl_simulation) {
    let idle = query(false, || Ok(!*change(simulation, "simulation")?.busy.get_mut()));
    if idle {
        free(simulation);
    }
}
