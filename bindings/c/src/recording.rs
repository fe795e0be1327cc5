//! What a simulation recorded in memory.

use std::ffi::{c_char, c_void};
use std::ptr;

use facade::record::Values;

use crate::call::{call, npl_error, npl_status, query};
use crate::handle::{slice_mut, write};
use crate::simulation::{npl_simulation, with};
use crate::text::{given, owned};
use crate::value::{npl_type, npl_view};

/// Recorded spikes, in the order in which they came. Valid until the next call with the simulation that runs it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct npl_spikes {
    /// The step of each spike; its time is step times `dt`.
    pub steps: *const i64,
    /// The neuron of each spike.
    pub neurons: *const u32,
    /// How many there are.
    pub count: usize,
    /// Seconds per step.
    pub dt: f64,
}

/// A recorded variable: a table with a row for each time and a column for each recorded element. Valid until the next call
/// with the simulation that runs it or asks for a recording.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct npl_trace {
    /// The step of each row; its time is step times `dt`.
    pub steps: *const i64,
    /// The element, neuron or synapse, of each column.
    pub elements: *const u32,
    /// All values, row after row.
    pub values: npl_view,
    /// How many rows there are.
    pub rows: usize,
    /// How many columns there are.
    pub columns: usize,
    /// Seconds per step.
    pub dt: f64,
    /// The unit of the values, in SI base units.
    pub unit: *const c_char,
}

/// A recorded rate. Valid until the next call with the simulation.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct npl_rate {
    /// Times in seconds.
    pub times: *const f64,
    /// Rates in hertz.
    pub rates: *const f64,
    /// How many there are.
    pub count: usize,
}

/// The spikes of a population so far, recorded or not.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct npl_spike_count {
    /// The name of the population, which lives as long as the simulation.
    pub population: *const c_char,
    /// Its neurons.
    pub neurons: u32,
    /// Spikes so far.
    pub spikes: u64,
    /// Mean rate per neuron in hertz; 0 before the first step.
    pub rate: f64,
}

/// The synapses of a projection, in the order in which their variables stand. Valid until the next call with the
/// simulation.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct npl_synapses {
    /// The presynaptic neuron of each, within the source of the projection.
    pub pre: *const u32,
    /// The postsynaptic neuron of each, within the target of the projection.
    pub post: *const u32,
    /// How many there are.
    pub count: usize,
}

/// Recorded spikes of a population, view or input, or of the recorder of that name.
#[unsafe(no_mangle)]
pub extern "C" fn npl_recorded_spikes(
    simulation: *mut npl_simulation,
    of: *const c_char,
    spikes: *mut npl_spikes,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let of = given(of, "of")?;
        let found = with(simulation, |inside| {
            let (steps, neurons, dt) = inside.simulation.spike_steps(of)?;
            Ok(npl_spikes { steps: steps.as_ptr(), neurons: neurons.as_ptr(), count: steps.len(), dt })
        })?;
        write(spikes, "spikes", found)
    })
}

/// A variable that a recorder recorded.
#[unsafe(no_mangle)]
pub extern "C" fn npl_recorded_trace(
    simulation: *mut npl_simulation,
    recorder: *const c_char,
    variable: *const c_char,
    trace: *mut npl_trace,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let (recorder, variable) = (given(recorder, "recorder")?, given(variable, "variable")?);
        let found = with(simulation, |inside| {
            let found = inside.simulation.trace(recorder, variable)?;
            inside.shown.unit = owned(found.unit);
            Ok(npl_trace {
                steps: found.steps.as_ptr(),
                elements: found.indices.as_ptr(),
                values: recorded(found.data),
                rows: found.n_rows(),
                columns: found.n_indices(),
                dt: found.dt_s,
                unit: inside.shown.unit.as_ptr(),
            })
        })?;
        write(trace, "trace", found)
    })
}

/// The recorded rate of a population, view or input, or of the recorder of that name.
#[unsafe(no_mangle)]
pub extern "C" fn npl_recorded_rate(
    simulation: *mut npl_simulation,
    of: *const c_char,
    rate: *mut npl_rate,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let of = given(of, "of")?;
        let found = with(simulation, |inside| {
            let (times, rates) = inside.simulation.rate(of)?;
            let shown = &mut inside.shown;
            (shown.times, shown.rates) = (times, rates);
            Ok(npl_rate {
                times: shown.times.as_ptr(),
                rates: shown.rates.as_ptr(),
                count: shown.times.len(),
            })
        })?;
        write(rate, "rate", found)
    })
}

/// How many populations and inputs have spikes that are counted.
#[unsafe(no_mangle)]
pub extern "C" fn npl_population_count(simulation: *mut npl_simulation) -> usize {
    query(0, || with(simulation, |inside| Ok(inside.names.populations.len())))
}

/// The spikes of a population or input so far, counted from 0. False, and nothing is written, if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn npl_count_spikes(
    simulation: *mut npl_simulation,
    number: usize,
    count: *mut npl_spike_count,
) -> bool {
    query(false, || {
        let found = with(simulation, |inside| {
            let counts = inside.simulation.spike_counts();
            Ok(counts.get(number).zip(inside.names.populations.get(number)).map(|(found, name)| {
                npl_spike_count {
                    population: name.as_ptr(),
                    neurons: found.neurons,
                    spikes: found.spikes,
                    rate: found.rate_hz,
                }
            }))
        })?;
        match found {
            Some(found) => write(count, "count", found).map(|()| true),
            None => Ok(false),
        }
    })
}

/// A hash over the step, population and neuron of all spikes so far: 16 hexadecimal digits and a zero byte, written to
/// `digest`, which has room for `length` bytes, 17 or more.
#[unsafe(no_mangle)]
pub extern "C" fn npl_spike_digest(
    simulation: *mut npl_simulation,
    digest: *mut c_char,
    length: usize,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let place = slice_mut(digest, length, "digest")?;
        let found = with(simulation, |inside| Ok(owned(&inside.simulation.spike_digest())))?;
        let found = found.as_bytes_with_nul();
        if place.len() < found.len() {
            let message = format!("`digest` has room for {length} bytes of {}", found.len());
            return Err(crate::call::Failure::argument(message));
        }
        for (place, byte) in place.iter_mut().zip(found) {
            *place = *byte as c_char;
        }
        Ok(())
    })
}

/// The synapses of a projection.
#[unsafe(no_mangle)]
pub extern "C" fn npl_synapses_of(
    simulation: *mut npl_simulation,
    projection: *const c_char,
    synapses: *mut npl_synapses,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let projection = given(projection, "projection")?;
        let found = with(simulation, |inside| {
            let found = inside.simulation.synapses(projection)?;
            let shown = &mut inside.shown;
            shown.pre = found.iter().map(|s| s.pre).collect();
            shown.post = found.iter().map(|s| s.post).collect();
            Ok(npl_synapses { pre: shown.pre.as_ptr(), post: shown.post.as_ptr(), count: found.len() })
        })?;
        write(synapses, "synapses", found)
    })
}

/// Recorded values where they are.
fn recorded(values: &Values) -> npl_view {
    let (data, kind): (*const c_void, npl_type) = match values {
        Values::Bool(v) => (v.as_ptr().cast(), npl_type::NPL_BOOL),
        Values::I32(v) => (v.as_ptr().cast(), npl_type::NPL_I32),
        Values::I64(v) => (v.as_ptr().cast(), npl_type::NPL_I64),
        Values::F32(v) => (v.as_ptr().cast(), npl_type::NPL_F32),
        Values::F64(v) => (v.as_ptr().cast(), npl_type::NPL_F64),
    };
    let data = if values.is_empty() { ptr::null() } else { data };
    npl_view { data, length: values.len(), kind }
}
