//! No text panics as statements, and printing what was understood gives the same tree again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use neuropil_base::Text;

fuzz_target!(|text: &str| {
    let (tree, diagnostics) = neuropil_syntax::parse_block(&Text::from(text));
    if diagnostics.is_empty() {
        let printed = tree.to_string();
        let (again, diagnostics) = neuropil_syntax::parse_block(&Text::from(printed.as_str()));
        assert!(diagnostics.is_empty(), "{printed}");
        assert_eq!(again, tree, "{printed}");
    }
});
