//! What goes wrong, as an object that a C program can look at.

use std::any::Any;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use facade::{Diagnostic, Diagnostics, Error, ErrorKind, Severity, SourceMap};

use crate::handle::{Handle, Kind, free, look, make};
use crate::text::owned;

/// How a call ended. `NPL_OK` is 0; everything else is an error.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum npl_status {
    /// It did what it says.
    NPL_OK = 0,
    /// The model is wrong; `npl_error_diagnostic` gives every mistake with its place.
    NPL_MODEL = 1,
    /// The network does not fit into memory.
    NPL_MEMORY = 2,
    /// The network could not be built for another reason.
    NPL_BUILD = 3,
    /// A variable became infinite or not a number.
    NPL_NON_FINITE = 4,
    /// A name, a length, a time or a choice that does not fit.
    NPL_ARGUMENT = 5,
    /// A host function failed.
    NPL_HOST = 6,
    /// A file, a recording or a device failed.
    NPL_IO = 7,
    /// A pointer that must not be null was null, or a handle was not one of the kind that is asked for.
    NPL_HANDLE = 8,
    /// The simulation is in the middle of a call: of another thread, or of the run that calls this function.
    NPL_BUSY = 9,
    /// A mistake in Neuropil itself. Please report it. The handles of this call should only be freed.
    NPL_INTERNAL = 10,
}

/// Whether something is an error or a warning.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum npl_severity {
    /// The model cannot be used.
    NPL_ERROR = 0,
    /// The model can be used, but something in it may not mean what was meant.
    NPL_WARNING = 1,
}

/// One thing that is to be said about a model, and where. The texts live as long as the error they were taken from.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct npl_diagnostic {
    /// Error or warning.
    pub severity: npl_severity,
    /// A stable code such as `unit-mismatch`; docs/diagnostics.md explains it.
    pub code: *const c_char,
    /// What is wrong.
    pub message: *const c_char,
    /// What to write instead, one suggestion per line; may be empty.
    pub help: *const c_char,
    /// The file, or the name that was given to the text; empty if the diagnostic is about no place.
    pub file: *const c_char,
    /// The line of the place, counted from 1; 0 if there is none.
    pub line: usize,
    /// The column of the place in characters, counted from 1; 0 if there is none.
    pub column: usize,
    /// The first byte of the place, counted from 0.
    pub start: usize,
    /// The byte behind the place.
    pub end: usize,
}

/// What went wrong, or, from `npl_model_check`, what is to be said about a model.
pub struct npl_error {
    status: npl_status,
    message: CString,
    diagnostics: Vec<Said>,
}

/// The texts of an [`npl_diagnostic`].
struct Said {
    severity: npl_severity,
    code: CString,
    message: CString,
    help: CString,
    file: CString,
    place: Option<(usize, usize, usize, usize)>,
}

impl Handle for npl_error {
    const KIND: Kind = Kind::Error;
    const NAME: &'static str = "npl_error";
}

/// Why a call fails.
#[derive(Debug)]
pub(crate) struct Failure {
    status: npl_status,
    message: String,
    model: Option<(Diagnostics, SourceMap)>,
}

impl Failure {
    pub(crate) fn new(status: npl_status, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), model: None }
    }

    /// A choice or a name that does not fit.
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::new(npl_status::NPL_ARGUMENT, message)
    }

    pub(crate) fn status(&self) -> npl_status {
        self.status
    }

    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    fn into_error(self) -> npl_error {
        let said = |(diagnostics, sources): (Diagnostics, SourceMap)| {
            diagnostics.iter().map(|d| Said::new(d, &sources)).collect()
        };
        npl_error {
            status: self.status,
            message: owned(&self.message),
            diagnostics: self.model.map(said).unwrap_or_default(),
        }
    }
}

impl Said {
    fn new(diagnostic: &Diagnostic, sources: &SourceMap) -> Self {
        let place = diagnostic.span.file().map(|file| {
            let range = diagnostic.span.range();
            let (line, column) = sources.line_column(file, range.start);
            (line, column, range.start, range.end)
        });
        Self {
            severity: match diagnostic.severity {
                Severity::Error => npl_severity::NPL_ERROR,
                Severity::Warning => npl_severity::NPL_WARNING,
            },
            code: owned(diagnostic.code),
            message: owned(&diagnostic.message),
            help: owned(&diagnostic.help.join("\n")),
            file: owned(diagnostic.span.file().map_or("", |file| sources.name(file))),
            place,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::Model => npl_status::NPL_MODEL,
            ErrorKind::Memory => npl_status::NPL_MEMORY,
            ErrorKind::Build => npl_status::NPL_BUILD,
            ErrorKind::NonFinite => npl_status::NPL_NON_FINITE,
            ErrorKind::Argument => npl_status::NPL_ARGUMENT,
            ErrorKind::Host => npl_status::NPL_HOST,
            ErrorKind::Io => npl_status::NPL_IO,
        };
        let message = error.to_string();
        let model = match error {
            Error::Model(error) => Some((error.diagnostics, error.sources)),
            Error::Build(_) | Error::Run(_) | Error::Record(_) => None,
        };
        Self { status, message, model }
    }
}

impl From<facade::ModelError> for Failure {
    fn from(error: facade::ModelError) -> Self {
        Error::Model(error).into()
    }
}

impl From<facade::RunError> for Failure {
    fn from(error: facade::RunError) -> Self {
        Error::Run(error).into()
    }
}

/// What a panic was about.
fn panicked(payload: &(dyn Any + Send)) -> Failure {
    let about = payload.downcast_ref::<&str>().copied();
    let about =
        about.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    Failure::new(npl_status::NPL_INTERNAL, format!("internal error: {about}; please report it"))
}

/// Does the work of an exported function, and hands over what goes wrong.
pub(crate) fn call(error: *mut *mut npl_error, work: impl FnOnce() -> Result<(), Failure>) -> npl_status {
    let done = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(panicked(&*payload)));
    match done {
        Ok(()) => {
            hand_over(error, None);
            npl_status::NPL_OK
        }
        Err(failure) => {
            let status = failure.status;
            hand_over(error, Some(failure.into_error()));
            status
        }
    }
}

/// The same for a function that only looks something up: what is not there is `default`.
pub(crate) fn query<T>(default: T, work: impl FnOnce() -> Result<T, Failure>) -> T {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(found)) => found,
        Ok(Err(_)) | Err(_) => default,
    }
}

/// Writes an error, or null, where the caller wants it.
pub(crate) fn hand_over(error: *mut *mut npl_error, what: Option<npl_error>) {
    if !error.is_null() {
        // SAFETY: the header asks for a pointer that may be written through, or null.
        unsafe { error.write(what.map_or(ptr::null_mut(), make)) }
    }
}

/// Diagnostics of a model that can be used, or not.
pub(crate) fn report(diagnostics: Diagnostics, sources: SourceMap) -> Failure {
    let status = if diagnostics.has_errors() { npl_status::NPL_MODEL } else { npl_status::NPL_OK };
    let message = diagnostics.render(&sources);
    Failure { status, message, model: Some((diagnostics, sources)) }
}

/// Writes a report where the caller wants it.
pub(crate) fn hand_over_report(error: *mut *mut npl_error, report: Failure) {
    hand_over(error, Some(report.into_error()));
}

/// How the call ended that gave this error; `NPL_OK` for null and for a report that holds warnings only.
#[unsafe(no_mangle)]
pub extern "C" fn npl_error_status(error: *const npl_error) -> npl_status {
    query(npl_status::NPL_OK, || Ok(look(error, "error")?.status))
}

/// All of it as text for people, with the lines of the model and carets; it may have several lines. Empty for null.
/// The text lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn npl_error_message(error: *const npl_error) -> *const c_char {
    query(c"".as_ptr(), || Ok(look(error, "error")?.message.as_ptr()))
}

/// How many diagnostics it holds: mistakes in a model. Other errors hold none.
#[unsafe(no_mangle)]
pub extern "C" fn npl_error_count(error: *const npl_error) -> usize {
    query(0, || Ok(look(error, "error")?.diagnostics.len()))
}

/// Diagnostic `number`, counted from 0. False, and nothing is written, if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn npl_error_diagnostic(
    error: *const npl_error,
    number: usize,
    diagnostic: *mut npl_diagnostic,
) -> bool {
    query(false, || {
        let Some(said) = look(error, "error")?.diagnostics.get(number) else { return Ok(false) };
        let (line, column, start, end) = said.place.unwrap_or_default();
        crate::handle::write(
            diagnostic,
            "diagnostic",
            npl_diagnostic {
                severity: said.severity,
                code: said.code.as_ptr(),
                message: said.message.as_ptr(),
                help: said.help.as_ptr(),
                file: said.file.as_ptr(),
                line,
                column,
                start,
                end,
            },
        )?;
        Ok(true)
    })
}

/// Frees an error; null is fine.
#[unsafe(no_mangle)]
pub extern "C" fn npl_error_free(error: *mut npl_error) {
    free(error);
}
