//! Texts that come from C and go there.

use std::ffi::{CStr, CString, c_char};

use crate::call::{Failure, query};
use crate::handle::{Handle, Kind, free, look, null};

/// A text that the program owns, such as a stage of a model.
pub struct npl_text {
    text: CString,
}

impl Handle for npl_text {
    const KIND: Kind = Kind::Text;
    const NAME: &'static str = "npl_text";
}

impl npl_text {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: owned(text) }
    }
}

/// A text as C wants it; it ends before the first zero byte.
pub(crate) fn owned(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}

/// A text that C gives.
pub(crate) fn given<'a>(text: *const c_char, name: &str) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Err(null(name));
    }
    // SAFETY: the header asks for a text that ends with a zero byte.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|error| Failure::argument(format!("`{name}` is not UTF-8: {error}")))
}

/// The characters of a text, which live as long as it; empty for null.
#[unsafe(no_mangle)]
pub extern "C" fn npl_text_get(text: *const npl_text) -> *const c_char {
    query(c"".as_ptr(), || Ok(look(text, "text")?.text.as_ptr()))
}

/// Frees a text; null is fine.
#[unsafe(no_mangle)]
pub extern "C" fn npl_text_free(text: *mut npl_text) {
    free(text);
}
