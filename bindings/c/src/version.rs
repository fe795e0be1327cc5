//! Which library a program runs with.

use std::ffi::c_char;

/// The number of this interface. It grows whenever a program that was compiled with the header of another number
/// might not work.
pub const NPL_ABI_VERSION: u32 = 1;

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// The version of the library, such as `0.1.0`.
#[unsafe(no_mangle)]
pub extern "C" fn npl_version() -> *const c_char {
    VERSION.as_ptr().cast()
}

/// The `NPL_ABI_VERSION` that the library was built with; a program compares it with that of its header.
#[unsafe(no_mangle)]
pub extern "C" fn npl_abi_version() -> u32 {
    NPL_ABI_VERSION
}
