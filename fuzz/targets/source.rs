//! No model file panics when it is read, and a file without mistakes says the same after being printed.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // Included files would be read from the disk of whoever fuzzes.
    if text.contains("include") {
        return;
    }
    let (network, diagnostics) = neuropil_source::read_str("fuzz.toml", text);
    let _ = diagnostics.render(&network.files);
    if diagnostics.is_empty() {
        let printed = network.to_toml();
        let (again, diagnostics) = neuropil_source::read_str("fuzz.toml", &printed);
        assert!(diagnostics.is_empty(), "{printed}");
        assert_eq!(again.to_toml(), printed);
    }
});
