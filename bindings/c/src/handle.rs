//! Handles: values behind pointers that C holds, and what is written through pointers that C gives.
//!
//! A handle begins with a number that says what it is. A null pointer and a handle of another kind are told from a
//! right one; a freed handle cannot be, and the header forbids it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::call::{Failure, npl_status};

/// What a pointer points to.
#[repr(u64)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Error = 0x6e70_6c5f_6572_726f,
    Text = 0x6e70_6c5f_7465_7874,
    Model = 0x6e70_6c5f_6d6f_6465,
    Builder = 0x6e70_6c5f_6275_696c,
    Options = 0x6e70_6c5f_6f70_7469,
    Simulation = 0x6e70_6c5f_7369_6d75,
    Snapshot = 0x6e70_6c5f_736e_6170,
    Host = 0x6e70_6c5f_686f_7374,
}

/// What C holds by an opaque pointer.
pub(crate) trait Handle: Sized {
    const KIND: Kind;
    /// The name of its type in the header.
    const NAME: &'static str;
}

/// A value and what it is. C sees a pointer to it as one to the value.
#[repr(C)]
pub(crate) struct Tagged<T> {
    kind: u64,
    value: T,
}

impl<T: Handle> Tagged<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { kind: T::KIND as u64, value }
    }

    pub(crate) fn value(&mut self) -> &mut T {
        &mut self.value
    }
}

/// A new handle, which [`free`] ends.
pub(crate) fn make<T: Handle>(value: T) -> *mut T {
    Box::into_raw(Box::new(Tagged::new(value))).cast()
}

/// Ends a handle. Null, and a handle of another kind, are left alone.
pub(crate) fn free<T: Handle>(handle: *mut T) {
    if check(handle, "handle").is_ok() {
        // Only dropping can panic, and the header says that nothing unwinds.
        // SAFETY: it came from `make`, as its first number says, and the header forbids that it is used again.
        let end = || drop(unsafe { Box::from_raw(handle.cast::<Tagged<T>>()) });
        // Should the value fail to end in order, there is nobody to tell.
        let _ = catch_unwind(AssertUnwindSafe(end));
    }
}

/// A null pointer.
pub(crate) fn null(name: &str) -> Failure {
    Failure::new(npl_status::NPL_HANDLE, format!("`{name}` is null"))
}

fn check<T: Handle>(handle: *const T, name: &str) -> Result<*const Tagged<T>, Failure> {
    let tagged = handle.cast::<Tagged<T>>();
    if tagged.is_null() {
        return Err(null(name));
    }
    let wrong = || Failure::new(npl_status::NPL_HANDLE, format!("`{name}` is not an `{}`", T::NAME));
    if !tagged.is_aligned() {
        return Err(wrong());
    }
    // SAFETY: every handle of this library begins with such a number, and the header asks for one.
    let kind = unsafe { (&raw const (*tagged).kind).read() };
    if kind == T::KIND as u64 { Ok(tagged) } else { Err(wrong()) }
}

/// The value of a handle, to look at. `name` is what the function calls its argument.
pub(crate) fn look<'a, T: Handle>(handle: *const T, name: &str) -> Result<&'a T, Failure> {
    let tagged = check(handle, name)?;
    // SAFETY: `check` found it to be such a value; the header forbids to change or free it meanwhile.
    Ok(unsafe { &(*tagged).value })
}

/// The value of a handle, to change.
pub(crate) fn change<'a, T: Handle>(handle: *mut T, name: &str) -> Result<&'a mut T, Failure> {
    check(handle, name)?;
    // SAFETY: `check` found it to be such a value; the header forbids other calls with it meanwhile.
    Ok(unsafe { &mut (*handle.cast::<Tagged<T>>()).value })
}

/// Writes what a function gives back.
pub(crate) fn write<T>(place: *mut T, name: &str, value: T) -> Result<(), Failure> {
    if place.is_null() {
        return Err(null(name));
    }
    // SAFETY: the header asks for a pointer to a variable of this type.
    unsafe { place.write(value) };
    Ok(())
}

/// `length` values that C has; they may be none, at null.
pub(crate) fn slice<'a, T>(values: *const T, length: usize, name: &str) -> Result<&'a [T], Failure> {
    match (values.is_null(), length) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(null(name)),
        // SAFETY: the header asks for as many values as the length says.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(values, length) }),
    }
}

/// The same, to write to.
pub(crate) fn slice_mut<'a, T>(values: *mut T, length: usize, name: &str) -> Result<&'a mut [T], Failure> {
    match (values.is_null(), length) {
        (_, 0) => Ok(&mut []),
        (true, _) => Err(null(name)),
        // SAFETY: the header asks for room for as many values as the length says.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts_mut(values, length) }),
    }
}
