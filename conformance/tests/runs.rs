//! Every shipped model, its run said in other words: in pieces, as a network of all its objects, through a stored
//! state, with an object switched off and on again. The state afterwards is the same, bit for bit.

#![allow(clippy::expect_used, reason = "a test program")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use neuropil::source::{InputKind, NetworkSource, RunSource, SubnetworkSource};
use neuropil::{Cpu, Model, Options, RecordTo};
use neuropil_base::{Span, Spanned, Text};
use neuropil_conformance::small;

/// How long models are run; a fifth and two fifths of it are whole steps.
const STEPS: u64 = 50;

type Rewrite = fn(&mut NetworkSource, f64);

const WORDS: [(&str, Rewrite); 4] =
    [("pieces", pieces), ("network", network), ("stored", stored), ("switched", switched)];

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of models")
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    let mut trials = Vec::new();
    for file in files {
        let name = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        trials.push(Trial::test(name, move || one(&file)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn one(file: &Path) -> Result<(), Failed> {
    let mut source = small(Model::read(file)?).source().clone();
    source.runs.clear();
    let mut model = Model::from_source(source.clone());
    let dt = model.network()?.0.clocks.first().map_or(0.0, |c| c.dt);
    model.set_duration(&seconds(STEPS as f64 * dt));
    let plain = state(&model)?;
    source.settings.duration = None;
    for (words, rewrite) in WORDS {
        let mut other = source.clone();
        rewrite(&mut other, dt);
        let found = state(&Model::from_source(other))?;
        if let Some(((name, _), _)) = plain.iter().zip(&found).find(|(a, b)| a != b) {
            return Err(format!("said as `{words}`, `{name}` is another").into());
        }
    }
    Ok(())
}

/// All variables as bytes, and the digest of all spikes.
fn state(model: &Model) -> Result<Vec<(String, Vec<u8>)>, Failed> {
    let options = Options { threads: 2, record: RecordTo::Nothing };
    let mut simulation = model.simulate(&Cpu, &options)?;
    simulation.perform(&mut |_| ControlFlow::Continue(()))?;
    let names: Vec<String> = simulation.variables().map(str::to_owned).collect();
    let mut all = vec![("spikes".to_owned(), simulation.spike_digest().into_bytes())];
    for name in names {
        let bytes = simulation.get(&name)?.bytes().to_vec();
        all.push((name, bytes));
    }
    Ok(all)
}

fn pieces(source: &mut NetworkSource, dt: f64) {
    let repeat = Some(Text::new("5", Span::NONE));
    source.runs.push(RunSource { repeat, ..run(STEPS / 5, dt) });
}

fn network(source: &mut NetworkSource, dt: f64) {
    let objects = objects(source);
    source.subnetworks.push(SubnetworkSource::new(named("everything"), objects));
    source.runs.push(RunSource { network: Some(named("everything")), ..run(STEPS, dt) });
}

fn stored(source: &mut NetworkSource, dt: f64) {
    let name = || Some(named("middle"));
    source.runs.push(RunSource { store: name(), ..run(2 * STEPS / 5, dt) });
    source.runs.push(RunSource { restore: name(), ..run(3 * STEPS / 5, dt) });
}

fn switched(source: &mut NetworkSource, dt: f64) {
    let objects = objects(source);
    source.runs.push(run(2 * STEPS / 5, dt));
    source.runs.push(RunSource { off: objects.clone(), ..RunSource::default() });
    source.runs.push(RunSource { on: objects, ..run(3 * STEPS / 5, dt) });
}

fn run(steps: u64, dt: f64) -> RunSource {
    RunSource { duration: Some(Text::new(seconds(steps as f64 * dt), Span::NONE)), ..RunSource::default() }
}

fn objects(source: &NetworkSource) -> Vec<Spanned<String>> {
    let inputs = source.inputs.iter();
    let inputs = inputs.filter(|i| !matches!(i.kind.value, InputKind::TimedArray | InputKind::Binomial));
    let names = source.populations.iter().map(|p| &p.name);
    let names = names.chain(inputs.map(|i| &i.name)).chain(source.projections.iter().map(|p| &p.name));
    names.cloned().collect()
}

fn named(name: &str) -> Spanned<String> {
    Spanned::new(name.to_owned(), Span::NONE)
}

fn seconds(time: f64) -> String {
    format!("{time:e}*second")
}
