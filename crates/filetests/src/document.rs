//! The examples of documents, each a test.
//!
//! A fenced block is an example if its first word after the fence is one of these:
//!
//! | fence | what is held |
//! |---|---|
//! | `toml` | A whole model: nothing is wrong with it, and it runs for some steps. |
//! | `toml wrong CODE` | A whole model with a mistake: the diagnostics have that code. |
//! | `equations` | Equations of a neuron model: a population of them runs for some steps. |
//! | `expression` | Conditions, one per line: each holds for every neuron of a population when it is initialised. |
//!
//! What stands behind `#` in a line of an `expression` is for the reader. Other fences, `text` for instance, are not looked at.

use neuropil::{Interp, Model, ModelError, Options};
use std::ops::ControlFlow;

/// Documents whose examples are tests, relative to the root.
pub const DOCUMENTS: &[&str] = &["README.md", "docs/language.md"];

/// Enough to advance every equation, deliver every delay of an example and be done at once.
const STEPS: u64 = 20;

/// An example of a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Example {
    /// What stands behind the fence.
    pub fence: String,
    /// The line after the fence, counted from 1.
    pub line: usize,
    /// What stands between the fences.
    pub text: String,
}

/// The examples of a Markdown text.
///
/// ```
/// let examples = neuropil_filetests::document::examples("```toml\ndt = 1\n```\n\n```text\nno\n```\n");
/// assert_eq!(examples.len(), 1);
/// assert_eq!((examples[0].line, examples[0].text.as_str()), (2, "dt = 1\n"));
/// ```
#[must_use]
pub fn examples(markdown: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut open: Option<Example> = None;
    for (k, line) in markdown.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(fence)) => {
                open = Some(Example { fence: fence.trim().to_owned(), line: k + 2, text: String::new() });
            }
            (Some(_), Some(_)) => examples.extend(open.take()),
            (Some(example), None) => {
                example.text += line;
                example.text += "\n";
            }
            (None, None) => {}
        }
    }
    examples.retain(|example| ["toml", "equations", "expression"].contains(&kind(example)));
    examples
}

fn kind(example: &Example) -> &str {
    example.fence.split_whitespace().next().unwrap_or_default()
}

/// Holds what the example's fence says of it.
///
/// # Errors
/// What is wrong with the example.
pub fn hold(example: &Example) -> Result<(), String> {
    let words: Vec<&str> = example.fence.split_whitespace().collect();
    match words.as_slice() {
        ["toml"] => runs(&example.text).map(|_| ()),
        ["toml", "wrong", code] => is_wrong(&example.text, code),
        ["equations"] => runs(&equations_model(&example.text)).map(|_| ()),
        ["expression"] => example.text.lines().filter(|line| !line.trim().is_empty()).try_for_each(holds),
        other => Err(format!("nothing is known of the fence `{}`", other.join(" "))),
    }
}

fn runs(text: &str) -> Result<neuropil::Simulation, String> {
    let model = Model::parse("example.toml", text).map_err(|error| shown(&error))?;
    let found = model.check();
    if !found.is_empty() {
        return Err(found.render(&model.source().files));
    }
    let mut simulation = model.simulate(&Interp, &Options::default()).map_err(|error| error.to_string())?;
    let hosts: Vec<String> = simulation.network().host_operations.iter().map(|o| o.name.clone()).collect();
    for name in hosts {
        simulation.bind(&name, |_| Ok(())).map_err(|error| error.to_string())?;
    }
    if !model.source().runs.is_empty() {
        simulation.perform(&mut |_| ControlFlow::Continue(())).map_err(|error| error.to_string())?;
    }
    for _ in 0..STEPS {
        simulation.step().map_err(|error| error.to_string())?;
    }
    Ok(simulation)
}

fn is_wrong(text: &str, code: &str) -> Result<(), String> {
    let (found, sources) = match Model::parse("example.toml", text) {
        Ok(model) => (model.check(), model.source().files.clone()),
        Err(error) => (error.diagnostics, error.sources),
    };
    if found.iter().any(|diagnostic| diagnostic.code == code) {
        return Ok(());
    }
    Err(format!("no diagnostic has the code `{code}`:\n{}", found.render(&sources)))
}

fn equations_model(equations: &str) -> String {
    format!(
        "dt = \"0.1 ms\"\n[neuron.example]\nequations = '''\n{equations}'''\n\
         [population.cells]\nneuron = \"example\"\nsize = 3\n"
    )
}

/// Whether the condition holds for every neuron.
fn holds(line: &str) -> Result<(), String> {
    let condition = line.split('#').next().unwrap_or_default().trim();
    let text = format!(
        "dt = \"0.1 ms\"\n[neuron.example]\nequations = 'holds : boolean'\n\
         [population.cells]\nneuron = \"example\"\nsize = 3\ninitial.holds = '''{condition}'''\n"
    );
    let mut simulation = runs(&text)?;
    let values = simulation.values("cells.holds").map_err(|error| error.to_string())?;
    if values.iter().all(|value| *value == 1.0) {
        Ok(())
    } else {
        Err(format!("`{condition}` does not hold"))
    }
}

fn shown(error: &ModelError) -> String {
    error.diagnostics.render(&error.sources)
}
