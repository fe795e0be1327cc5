//! Host functions: functions of the C program that are called in the middle of a step.

use std::ffi::{c_char, c_void};
use std::ptr;

use facade::{Host, HostError};

use crate::call::{Failure, call, npl_error, npl_status, query};
use crate::handle::{Handle, Kind, Tagged, change, slice, slice_mut, write};
use crate::simulation::{npl_simulation, with};
use crate::text::given;
use crate::value::{copy_out, npl_edit, npl_view};

/// The network in the middle of a step, as a host function sees it. It is valid until the function returns.
pub struct npl_host {
    /// The facade's, whose lifetime C does not know.
    host: *mut Host<'static>,
    failure: Option<String>,
}

impl Handle for npl_host {
    const KIND: Kind = Kind::Host;
    const NAME: &'static str = "npl_host";
}

/// A host function. Anything but `NPL_OK` ends the run, with `NPL_HOST` and the text of `npl_host_fail`, and leaves
/// the step where it was. It must not throw, nor leave by longjmp, and works with `host` alone: functions that take
/// the simulation return `NPL_BUSY`.
pub type npl_host_function = Option<extern "C" fn(host: *mut npl_host, data: *mut c_void) -> npl_status>;

/// Frees what was given to a host function as `data`.
pub type npl_release_function = Option<extern "C" fn(data: *mut c_void)>;

/// What belongs to a host function. It is released when the simulation is freed, or another function bound.
struct Bound {
    function: extern "C" fn(host: *mut npl_host, data: *mut c_void) -> npl_status,
    data: *mut c_void,
    release: npl_release_function,
}

// SAFETY: host functions are called by the thread that calls `npl_run` and its like; the header says so, and that `data`
// must be fit for it.
unsafe impl Send for Bound {}

impl Drop for Bound {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            release(self.data);
        }
    }
}

impl Bound {
    fn call(&self, host: &mut Host<'_>) -> Result<(), HostError> {
        let host = ptr::from_mut(host).cast::<Host<'static>>();
        let mut handle = Tagged::new(npl_host { host, failure: None });
        let status = (self.function)((&raw mut handle).cast(), self.data);
        if status == npl_status::NPL_OK {
            return Ok(());
        }
        let failure = handle.value().failure.take();
        Err(failure.unwrap_or_else(|| format!("it returned status {}", status as i32)).into())
    }
}

/// The host that a handle stands for.
fn inside<'a>(host: *mut npl_host) -> Result<&'a mut Host<'static>, Failure> {
    let handle = change(host, "host")?;
    // SAFETY: the handle lives as long as the call of the host function, and the facade's host as long as the handle.
    Ok(unsafe { &mut *handle.host })
}

/// Says what a host operation of the model (`[host.NAME]`) calls, in its place of each of its steps.
///
/// `function` is called with `data` by the thread that runs the simulation. `release`, if not null, is called with
/// `data` when it is no longer needed, also if this call fails.
#[unsafe(no_mangle)]
pub extern "C" fn npl_bind(
    simulation: *mut npl_simulation,
    name: *const c_char,
    function: npl_host_function,
    data: *mut c_void,
    release: npl_release_function,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let nothing = || Failure::new(npl_status::NPL_HANDLE, "`function` is null");
        let Some(function) = function else {
            if let Some(release) = release {
                release(data);
            }
            return Err(nothing());
        };
        let bound = Bound { function, data, release };
        let name = given(name, "name")?;
        with(simulation, |inside| Ok(inside.simulation.bind(name, move |host| bound.call(host))?))
    })
}

/// The time of the step in seconds. Not a number if `host` is null.
#[unsafe(no_mangle)]
pub extern "C" fn npl_host_time(host: *mut npl_host) -> f64 {
    query(f64::NAN, || Ok(inside(host)?.time()))
}

/// The step of the operation's clock; 0 if `host` is null.
#[unsafe(no_mangle)]
pub extern "C" fn npl_host_step(host: *mut npl_host) -> u64 {
    query(0, || Ok(inside(host)?.step()))
}

/// As `npl_read`; the values are valid until the next call with the same `host`, or the function returns.
#[unsafe(no_mangle)]
pub extern "C" fn npl_host_read(
    host: *mut npl_host,
    variable: *const c_char,
    view: *mut npl_view,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let found = npl_view::new(inside(host)?.get(given(variable, "variable")?)?);
        write(view, "view", found)
    })
}

/// As `npl_write`; the values are valid until the next call with the same `host`, or the function returns.
#[unsafe(no_mangle)]
pub extern "C" fn npl_host_write(
    host: *mut npl_host,
    variable: *const c_char,
    edit: *mut npl_edit,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let found = npl_edit::new(inside(host)?.get_mut(given(variable, "variable")?)?);
        write(edit, "edit", found)
    })
}

/// As `npl_get`.
#[unsafe(no_mangle)]
pub extern "C" fn npl_host_get(
    host: *mut npl_host,
    variable: *const c_char,
    values: *mut f64,
    length: usize,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let (name, values) = (given(variable, "variable")?, slice_mut(values, length, "values")?);
        copy_out(inside(host)?.get(name)?, values, name)
    })
}

/// As `npl_set`.
#[unsafe(no_mangle)]
pub extern "C" fn npl_host_set(
    host: *mut npl_host,
    variable: *const c_char,
    values: *const f64,
    length: usize,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let (name, values) = (given(variable, "variable")?, slice(values, length, "values")?);
        Ok(inside(host)?.set(name, values)?)
    })
}

/// The neurons of a population or input that emitted an event, such as `spike`, when it last could: `*count` of them from
/// `*neurons` on, ascending. They are valid until the next call with the same `host`, or the function returns.
#[unsafe(no_mangle)]
pub extern "C" fn npl_host_events(
    host: *mut npl_host,
    population: *const c_char,
    event: *const c_char,
    neurons: *mut *const u32,
    count: *mut usize,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let (population, event) = (given(population, "population")?, given(event, "event")?);
        let found = inside(host)?.events(population, event)?;
        write(neurons, "neurons", found.as_ptr())?;
        write(count, "count", found.len())
    })
}

/// Ends the run once this step is complete.
#[unsafe(no_mangle)]
pub extern "C" fn npl_host_stop(host: *mut npl_host) {
    query((), || {
        inside(host)?.stop();
        Ok(())
    });
}

/// Says why the host function is about to return something else than `NPL_OK`.
#[unsafe(no_mangle)]
pub extern "C" fn npl_host_fail(host: *mut npl_host, why: *const c_char) {
    query((), || {
        let why = given(why, "why")?.to_owned();
        change(host, "host")?.failure = Some(why);
        Ok(())
    });
}
