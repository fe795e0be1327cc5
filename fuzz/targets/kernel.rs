//! No text panics as a kernel, a kernel survives being printed, and the passes keep a valid kernel valid.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(kernel) = neuropil_ir::parse(text) else { return };
    let printed = kernel.to_string();
    let again = neuropil_ir::parse(&printed);
    assert_eq!(again.as_ref(), Ok(&kernel), "{printed}");
    if neuropil_ir::verify(&kernel).is_ok() {
        assert!(neuropil_ir::prepare(&kernel).is_ok(), "{printed}");
    }
});
