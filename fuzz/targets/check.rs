//! No model file panics when it is checked: names, units, types, integrators, kernels.

#![no_main]

use libfuzzer_sys::fuzz_target;
use neuropil::Model;

fuzz_target!(|text: &str| {
    // Files that a model names would be read from the disk of whoever fuzzes.
    if text.contains("include") || text.contains("file") {
        return;
    }
    match Model::parse("fuzz.toml", text) {
        Ok(model) => {
            let _ = model.check().render(&model.source().files);
        }
        Err(error) => {
            let _ = error.diagnostics.render(&error.sources);
        }
    }
});
