//! SWC files: what is read has compartments of positive size and a tree in which every node follows its parent.

#![no_main]

use libfuzzer_sys::fuzz_target;
use neuropil_morphology::swc::{Options, parse};

fuzz_target!(|text: &str| {
    for spherical_soma in [true, false] {
        match parse(text, Options { spherical_soma }) {
            Ok(morphology) => {
                assert!(morphology.compartments().iter().all(|c| c.length > 0.0 && c.diameter > 0.0));
                let tree = morphology.tree();
                assert!(tree.nodes.iter().enumerate().skip(1).all(|(k, node)| (node.parent as usize) < k));
            }
            Err(errors) => assert!(errors.iter().all(|e| text.get(e.range.clone()).is_some())),
        }
    }
});
