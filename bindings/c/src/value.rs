//! Variables: looked at and changed where they are, or copied.

use std::ffi::{c_char, c_void};
use std::ptr;

use facade::{HostBuffer, RunError, ScalarType};

use crate::call::{Failure, call, npl_error, npl_status, query};
use crate::handle::{slice, slice_mut, write};
use crate::simulation::{npl_simulation, with};
use crate::text::given;

/// The type of the elements of a variable.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum npl_type {
    /// `bool`, one byte, 0 or 1.
    NPL_BOOL = 0,
    /// `int32_t`.
    NPL_I32 = 1,
    /// `int64_t`.
    NPL_I64 = 2,
    /// `float`.
    NPL_F32 = 3,
    /// `double`.
    NPL_F64 = 4,
}

/// The values of a variable where they are, in SI base units.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct npl_view {
    /// The first element.
    pub data: *const c_void,
    /// How many elements there are: one per neuron or synapse, or one if all share it.
    pub length: usize,
    /// Their type.
    pub kind: npl_type,
}

/// The values of a variable where they are, in SI base units, to be changed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct npl_edit {
    /// The first element.
    pub data: *mut c_void,
    /// How many elements there are: one per neuron or synapse, or one if all share it.
    pub length: usize,
    /// Their type.
    pub kind: npl_type,
}

impl From<ScalarType> for npl_type {
    fn from(ty: ScalarType) -> Self {
        match ty {
            ScalarType::Bool => Self::NPL_BOOL,
            ScalarType::I32 => Self::NPL_I32,
            ScalarType::I64 => Self::NPL_I64,
            ScalarType::F32 => Self::NPL_F32,
            ScalarType::F64 => Self::NPL_F64,
        }
    }
}

impl npl_view {
    pub(crate) fn new(buffer: &HostBuffer) -> Self {
        Self { data: buffer.bytes().as_ptr().cast(), length: buffer.len(), kind: buffer.ty().into() }
    }
}

impl npl_edit {
    pub(crate) fn new(buffer: &mut HostBuffer) -> Self {
        let (length, kind) = (buffer.len(), buffer.ty().into());
        Self { data: buffer.bytes_mut().as_mut_ptr().cast(), length, kind }
    }
}

/// Copies values to where C wants them, if there is room for exactly so many.
pub(crate) fn copy_out(buffer: &HostBuffer, to: &mut [f64], name: &str) -> Result<(), Failure> {
    if buffer.len() != to.len() {
        let error = RunError::Length { name: name.to_owned(), expected: buffer.len(), found: to.len() };
        return Err(error.into());
    }
    for (place, value) in to.iter_mut().zip(buffer.to_f64()) {
        *place = value;
    }
    Ok(())
}

/// How many variables there are.
#[unsafe(no_mangle)]
pub extern "C" fn npl_variable_count(simulation: *mut npl_simulation) -> usize {
    query(0, || with(simulation, |inside| Ok(inside.names.variables.len())))
}

/// The name of a variable, `object.variable`, counted from 0; null if there is none. It lives as long as the
/// simulation.
#[unsafe(no_mangle)]
pub extern "C" fn npl_variable_name(simulation: *mut npl_simulation, number: usize) -> *const c_char {
    query(ptr::null(), || {
        with(simulation, |inside| Ok(inside.names.variables.get(number).map_or(ptr::null(), |n| n.as_ptr())))
    })
}

/// The values of a variable such as `cells.v`, where they are. They are valid until the next call with the simulation
/// that runs it, or reads or writes variables.
#[unsafe(no_mangle)]
pub extern "C" fn npl_read(
    simulation: *mut npl_simulation,
    variable: *const c_char,
    view: *mut npl_view,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let name = given(variable, "variable")?;
        let found = with(simulation, |inside| Ok(npl_view::new(inside.simulation.get(name)?)))?;
        write(view, "view", found)
    })
}

/// The same, to be changed where they are; the next step begins with what they are then.
#[unsafe(no_mangle)]
pub extern "C" fn npl_write(
    simulation: *mut npl_simulation,
    variable: *const c_char,
    edit: *mut npl_edit,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let name = given(variable, "variable")?;
        let found = with(simulation, |inside| Ok(npl_edit::new(inside.simulation.get_mut(name)?)))?;
        write(edit, "edit", found)
    })
}

/// Copies the values of a variable as doubles, in SI base units, to `values`, which has room for `length` of them: as many
/// as the variable has.
#[unsafe(no_mangle)]
pub extern "C" fn npl_get(
    simulation: *mut npl_simulation,
    variable: *const c_char,
    values: *mut f64,
    length: usize,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let (name, values) = (given(variable, "variable")?, slice_mut(values, length, "values")?);
        with(simulation, |inside| copy_out(inside.simulation.get(name)?, values, name))
    })
}

/// Sets a variable to `length` values, in SI base units: one for all elements, or one for each.
#[unsafe(no_mangle)]
pub extern "C" fn npl_set(
    simulation: *mut npl_simulation,
    variable: *const c_char,
    values: *const f64,
    length: usize,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let (name, values) = (given(variable, "variable")?, slice(values, length, "values")?);
        with(simulation, |inside| Ok(inside.simulation.set(name, values)?))
    })
}
