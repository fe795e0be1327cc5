//! The stages that test files go into: one row each, from a text to a text.

use neuropil::{Backend, Cpu, Interp, Model, ModelError, Options, Simulation};
use neuropil_base::{Diagnostics, SourceMap, Span, Text};
use std::ops::ControlFlow;

/// A stage: the name of its folder, and what it makes of an input.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    /// The folder below `files`.
    pub name: &'static str,
    /// What it makes of the input of a file. Mistakes are part of the result.
    pub run: fn(&str) -> String,
}

/// All stages, in the order in which a model goes through them.
pub const STAGES: &[Stage] = &[
    Stage { name: "expression", run: expression },
    Stage { name: "block", run: block },
    Stage { name: "equations", run: equations },
    Stage { name: "check", run: check },
    Stage { name: "source", run: |text| emit(text, neuropil::Stage::Source) },
    Stage { name: "ast", run: |text| emit(text, neuropil::Stage::Ast) },
    Stage { name: "model", run: |text| emit(text, neuropil::Stage::Model) },
    Stage { name: "step", run: |text| emit(text, neuropil::Stage::Step) },
    Stage { name: "ir", run: |text| emit(text, neuropil::Stage::Ir) },
    Stage { name: "plan", run: |text| emit(text, neuropil::Stage::Plan) },
    Stage { name: "dot", run: |text| emit(text, neuropil::Stage::Dot) },
    Stage { name: "kernel", run: kernel },
    Stage { name: "run", run },
];

/// The name under which diagnostics show the input.
const NAME: &str = "model.toml";

/// One expression per line: its canonical text, or its mistakes.
fn expression(text: &str) -> String {
    text.lines()
        .map(|line| {
            parsed(line, |text| {
                let (tree, mistakes) = neuropil_syntax::parse_expression(text);
                (tree.to_string(), mistakes)
            })
        })
        .collect()
}

/// Statements: their canonical text, or their mistakes.
fn block(text: &str) -> String {
    parsed(text, |text| {
        let (tree, mistakes) = neuropil_syntax::parse_block(text);
        (tree.to_string(), mistakes)
    })
}

/// Equations: their canonical text, or their mistakes.
fn equations(text: &str) -> String {
    parsed(text, |text| {
        let (tree, mistakes) = neuropil_syntax::parse_equations(text);
        (tree.to_string(), mistakes)
    })
}

fn parsed(text: &str, parse: impl Fn(&Text) -> (String, Diagnostics)) -> String {
    let mut sources = SourceMap::new();
    let file = sources.add("text", text);
    let (printed, mistakes) = parse(&Text::new(text, Span::new(file, 0..text.len())));
    let shown = if mistakes.is_empty() { printed } else { mistakes.render(&sources) };
    format!("{}\n", shown.trim_end_matches('\n'))
}

/// A model file: everything that is wrong with it.
fn check(text: &str) -> String {
    match Model::parse(NAME, text) {
        Ok(model) => {
            let found = model.check();
            if found.is_empty() { "nothing is wrong".to_owned() } else { found.render(&model.source().files) }
        }
        Err(error) => shown(&error),
    }
}

/// A model file after a stage.
fn emit(text: &str, stage: neuropil::Stage) -> String {
    match Model::parse(NAME, text).and_then(|model| model.emit(stage)) {
        Ok(text) => text,
        Err(error) => shown(&error),
    }
}

/// A kernel in the kernel language: what the passes leave of it, or why it is no valid kernel.
fn kernel(text: &str) -> String {
    let kernel = match neuropil_ir::parse(text) {
        Ok(kernel) => kernel,
        Err(error) => return error.to_string(),
    };
    match neuropil_ir::prepare(&kernel) {
        Ok(verified) => verified.kernel().to_string(),
        Err(error) => error.to_string(),
    }
}

/// A model file, run for its duration: how many spikes there were, the same on every backend and any number of threads.
fn run(text: &str) -> String {
    match ran(text) {
        Ok(text) => text,
        Err(error) => error,
    }
}

fn ran(text: &str) -> Result<String, String> {
    let model = Model::parse(NAME, text).map_err(|error| shown(&error))?;
    model.network().map_err(|error| shown(&error))?;
    let machines: [(&dyn Backend, usize); 3] = [(&Interp, 1), (&Cpu, 1), (&Cpu, 2)];
    let mut expected: Option<String> = None;
    for (backend, threads) in machines {
        let options = Options { threads, ..Options::default() };
        let mut simulation = model.simulate(backend, &options).map_err(|error| error.to_string())?;
        let found = match simulation.perform(&mut |_| ControlFlow::Continue(())) {
            Ok(_) => report(&simulation),
            Err(error) => format!("{error}\n"),
        };
        match &expected {
            None => expected = Some(found),
            Some(first) if *first == found => {}
            Some(first) => {
                let other = format!("{} with {threads} threads", backend.name());
                return Err(format!("the interpreter:\n{first}\n{other}:\n{found}"));
            }
        }
    }
    Ok(expected.unwrap_or_default())
}

fn report(simulation: &Simulation) -> String {
    let mut text = String::new();
    for count in simulation.spike_counts() {
        text += &format!("{}: {} spikes\n", count.population, count.spikes);
    }
    text + &format!("digest {}\n", simulation.spike_digest())
}

fn shown(error: &ModelError) -> String {
    error.diagnostics.render(&error.sources)
}
