//! Every string of the built-in models and of the models that ship is well formed.
#![allow(clippy::expect_used, reason = "a test may panic")]

use std::path::Path;

use neuropil_base::{Diagnostics, Text};
use neuropil_source::{Assignment, NetworkSource, read_file};
use neuropil_syntax::{parse_block, parse_equations, parse_expression};

fn expressions<'a>(texts: impl IntoIterator<Item = &'a Text>, out: &mut Diagnostics) {
    for text in texts {
        out.append(parse_expression(text).1);
    }
}

fn values(list: &[Assignment], out: &mut Diagnostics) {
    // Quantities such as `20 ms` are not expressions.
    expressions(list.iter().filter_map(|a| a.value.expression()).filter(|t| t.text.contains('*')), out);
}

fn parsed(network: &NetworkSource) -> Diagnostics {
    let mut out = Diagnostics::new();
    for neuron in &network.neurons {
        out.extend(neuron.equations.iter().flat_map(|t| parse_equations(t).1));
        expressions(&neuron.threshold, &mut out);
        out.extend(neuron.reset.iter().flat_map(|t| parse_block(t).1));
        values(&neuron.parameters, &mut out);
        values(&neuron.initial, &mut out);
    }
    for synapse in &network.synapses {
        out.extend(synapse.equations.iter().flat_map(|t| parse_equations(t).1));
        out.extend(synapse.pathways.iter().flat_map(|p| parse_block(&p.code).1));
        expressions(synapse.sums.iter().map(|s| &s.expression), &mut out);
        values(&synapse.parameters, &mut out);
        values(&synapse.initial, &mut out);
    }
    for population in &network.populations {
        values(&population.initial, &mut out);
    }
    out
}

#[test]
fn built_in_models_are_well_formed() {
    for model in neuropil_library::MODELS {
        let network = model.source();
        let diagnostics = parsed(&network);
        assert!(diagnostics.is_empty(), "{}", diagnostics.render(&network.files));
    }
}

#[test]
fn shipped_models_are_well_formed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let (network, diagnostics) = read_file(&path);
        assert!(diagnostics.is_empty(), "{}", diagnostics.render(&network.files));
        let diagnostics = parsed(&network);
        assert!(diagnostics.is_empty(), "{}", diagnostics.render(&network.files));
    }
}
