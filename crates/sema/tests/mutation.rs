//! No text may make the analysis panic: good models with pieces replaced, removed and exchanged.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;

const MODELS: [&str; 3] = [
    include_str!("models/good/lif.toml"),
    include_str!("models/good/rates.toml"),
    include_str!("models/good/inputs.toml"),
];

/// What is put into models: words that mean something somewhere.
const WORDS: [&str; 52] = [
    "0",
    "1",
    "-1",
    "1e300",
    "inf",
    "i",
    "j",
    "t",
    "dt",
    "N",
    "v",
    "v_pre",
    "v_post",
    "pre.v",
    "xi",
    "rand()",
    "ms",
    "mV",
    "volt",
    "1/0",
    "+",
    "*",
    "**",
    "//",
    "%",
    "(",
    ")",
    ",",
    "=",
    "+=",
    ":",
    "\n",
    ";",
    "if",
    "else",
    "and",
    "not",
    "(shared)",
    "(summed)",
    "(event-driven)",
    "(constant)",
    "integer",
    "boolean",
    "sum(exc)",
    "sum(r)",
    "clip(v,0,1)",
    "stim(t)",
    "dv/dt",
    "dr/dt",
    "lastspike",
    "not_refractory",
    "poisson(i)",
];

/// The pieces of a model between which words can be put.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut last = ' ';
    for c in text.chars() {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        if !(word(c) && word(last)) {
            pieces.push(String::new());
        }
        pieces.last_mut().unwrap().push(c);
        last = c;
    }
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn mutated_models_give_a_network_or_diagnostics(
        model in 0..MODELS.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..3u8), 1..5),
    ) {
        let mut pieces = pieces(MODELS[model]);
        for (at, what, how) in changes {
            let at = at.index(pieces.len());
            match how {
                0 => pieces[at] = WORDS[what.index(WORDS.len())].to_owned(),
                1 => pieces[at].clear(),
                _ => {
                    let other = what.index(pieces.len());
                    pieces[at] = pieces[other].clone();
                }
            }
        }
        let (source, mut diagnostics) = neuropil_source::read_str("m.toml", &pieces.concat());
        let broken = diagnostics.has_errors();
        let (network, more) = neuropil_sema::analyse(&source);
        prop_assert!(!(network.is_some() && more.has_errors()));
        prop_assert!(network.is_some() || broken || more.has_errors(), "{}", pieces.concat());
        diagnostics.append(more);
        let _ = diagnostics.render(&source.files);
    }
}

#[test]
fn a_subexpression_that_doubles_at_every_line_is_refused() {
    let mut equations = "x0 = rand() : 1\n".to_owned();
    for k in 1..60 {
        equations.push_str(&format!("x{k} = x{} + x{} : 1\n", k - 1, k - 1));
    }
    let text =
        format!("[neuron.n]\nequations = '''\n{equations}'''\n[population.p]\nneuron = \"n\"\nsize = 1\n");
    let (source, _) = neuropil_source::read_str("m.toml", &text);
    let (network, diagnostics) = neuropil_sema::analyse(&source);
    assert!(network.is_none());
    assert!(diagnostics.iter().all(|d| d.code == "too-large"));
}

#[test]
fn a_long_chain_of_subexpressions_does_not_exhaust_the_stack() {
    let mut equations = "x0 = rand() : 1\n".to_owned();
    for k in 1..3000 {
        equations.push_str(&format!("x{k} = x{} + 1 : 1\n", k - 1));
    }
    let text =
        format!("[neuron.n]\nequations = '''\n{equations}'''\n[population.p]\nneuron = \"n\"\nsize = 1\n");
    let (source, _) = neuropil_source::read_str("m.toml", &text);
    let (network, _) = neuropil_sema::analyse(&source);
    assert!(network.is_none());
}
