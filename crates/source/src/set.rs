//! Overrides: `taum=10ms`, `duration=1s`, `population.cells.size=100`, `projection.exc.connect.p=0.1`.
//!
//! An override is a line of a model file whose value needs no quotes. It is read by the rows that read the
//! file, so whatever a file can say an override can say, but it defines nothing new.

use std::path::Path;

use neuropil_base::{Diagnostic, Diagnostics, FileId, Span, Spanned, Text, nearest};

use crate::NetworkSource;
use crate::field::NETWORK;
use crate::reader::{Mode, Reader};
use crate::tree::{self, Entry, Kind, Node};

/// The name under which overrides are shown.
const FILE: &str = "--set";

impl NetworkSource {
    /// Changes one constant, setting or field.
    ///
    /// `text` is `name=value`. A name without dots is a constant, or else a setting; with dots it is the path
    /// of a field in the file. The value is TOML, or without quotes an expression. Nothing new is defined:
    /// an unknown name is a diagnostic, whose place is in a file called `--set`.
    ///
    /// ```
    /// let (mut network, _) = neuropil_source::read_str("m.toml", "[constants]\ntau = \"20 ms\"");
    /// assert!(network.set("tau=10ms").is_empty());
    /// assert_eq!(network.constants[0].value.text, "10ms");
    /// assert!(network.set("duration = 1 s").is_empty());
    /// assert_eq!(network.set("tua=1").iter().next().unwrap().help, ["did you mean `tau`?"]);
    /// ```
    #[must_use]
    pub fn set(&mut self, text: &str) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        let file = self.files.add(FILE, text);
        if let Some(entry) = self.line(text, file, &mut diagnostics) {
            // Paths on a command line are relative to where it is typed.
            let mut reader = Reader::new(&mut diagnostics, Path::new(""), Mode::Override);
            reader.fields(NETWORK, "the network", self, &vec![entry]);
            self.read_morphologies();
        }
        diagnostics
    }

    fn line(&self, text: &str, file: FileId, diagnostics: &mut Diagnostics) -> Option<Entry> {
        let mut invalid = |span: Span, message: String| {
            diagnostics.push(
                Diagnostic::error("invalid-override", span, message)
                    .help("write `taum=10ms` or `population.cells.size=100`, for instance"),
            );
        };
        let Some(equals) = text.find('=') else {
            invalid(Span::new(file, 0..text.len()), format!("`{text}` is not of the form `name=value`"));
            return None;
        };
        let keys = keys(text, equals, file);
        if let Some(empty) = keys.iter().find(|k| k.value.is_empty()) {
            invalid(empty.span, "an override has a name before `=`".to_owned());
            return None;
        }
        let path = match keys.as_slice() {
            [name] => self.single(name, diagnostics)?,
            _ => keys,
        };
        nested(path, value(&self.files, file, text, equals + 1))
    }

    /// The path of a name without dots: a constant, else a setting.
    fn single(&self, name: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<Vec<Spanned<String>>> {
        const SETTINGS: [&str; 8] =
            ["title", "description", "reference", "dt", "duration", "seed", "precision", "method"];
        if self.constants.iter().any(|c| c.name.value == name.value) {
            return Some(vec![Spanned::new("constants".to_owned(), name.span), name.clone()]);
        }
        if SETTINGS.contains(&name.value.as_str()) {
            return Some(vec![name.clone()]);
        }
        let message = format!("there is no constant or setting `{}`", name.value);
        let names = self.constants.iter().map(|c| c.name.value.as_str()).chain(SETTINGS);
        let mut diagnostic = Diagnostic::error("unknown-name", name.span, message);
        if let Some(near) = nearest(&name.value, names) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        }
        if let Some(path) = self.field_path(&name.value) {
            diagnostic = diagnostic.help(format!("fields are named with their path, such as `{path}`"));
        }
        diagnostics.push(diagnostic);
        None
    }

    /// A path that ends in `name`, for who forgot it.
    fn field_path(&self, name: &str) -> Option<String> {
        let population = self.populations.first().map(|p| &p.name.value);
        let projection = self.projections.first().map(|p| &p.name.value);
        match name {
            "size" => population.map(|p| format!("population.{p}.size")),
            "p" | "n" => projection.map(|p| format!("projection.{p}.connect.{name}")),
            "weight" | "delay" => projection.map(|p| format!("projection.{p}.{name}")),
            _ => None,
        }
    }
}

fn keys(text: &str, end: usize, file: FileId) -> Vec<Spanned<String>> {
    let mut start = 0;
    let mut keys = Vec::new();
    for part in text[..end].split('.') {
        let trimmed = part.trim();
        let offset = start + (part.len() - part.trim_start().len());
        keys.push(Spanned::new(trimmed.to_owned(), Span::new(file, offset..offset + trimmed.len())));
        start += part.len() + 1;
    }
    keys
}

/// A TOML value, or a string without quotes.
fn value(files: &neuropil_base::SourceMap, file: FileId, text: &str, start: usize) -> Node {
    let raw = &text[start..];
    let trimmed = raw.trim();
    let start = start + (raw.len() - raw.trim_start().len());
    let range = start..start + trimmed.len();
    if let Some(node) = tree::parse_value(files, file, range.clone())
        && !matches!(node.kind, Kind::Datetime)
    {
        return node;
    }
    let span = Span::new(file, range);
    Node { span, kind: Kind::String(Text::new(trimmed, span)) }
}

/// `a.b.c = value` as tables within tables.
fn nested(path: Vec<Spanned<String>>, value: Node) -> Option<Entry> {
    let mut value = value;
    let mut keys = path.into_iter().rev().peekable();
    while let Some(key) = keys.next() {
        if keys.peek().is_none() {
            return Some(Entry { key, value });
        }
        let span = key.span;
        value = Node { span, kind: Kind::Table(vec![Entry { key, value }]) };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = r#"
[constants]
taum = "20 ms"
[neuron.lif]
equations = "dv/dt = -v/taum : 1"
[synapse.s]
on_pre = "v += 1"
[population.cells]
neuron = "lif"
size = 10
initial.v = 0
[input.noise]
kind = "poisson"
size = 1
rate = "10 Hz"
[projection.exc]
synapse = "s"
source = "noise"
target = "cells"
connect = { rule = "fixed_probability", p = 0.02 }
[record.state.traces]
of = "cells"
variables = "v"
"#;

    fn network() -> NetworkSource {
        let (network, diagnostics) = crate::read_str("m.toml", MODEL);
        assert!(diagnostics.is_empty(), "{}", diagnostics.render(&network.files));
        network
    }

    #[test]
    fn any_field_can_be_set_by_its_path() {
        let mut n = network();
        for text in [
            "taum = 2*10 ms",
            "seed=7",
            "precision=f32",
            "population.cells.size=100",
            "population.cells.initial.v=rand()*2",
            "population.cells.initial.u=[1, 2]",
            "projection.exc.connect.p=0.1",
            "input.noise.rate=\"5 Hz\"",
            "neuron.lif.threshold=v > 1",
            "synapse.s.on_pre=v += 2",
            "record.spikes=[\"cells\"]",
            "record.state.traces.every=1 ms",
        ] {
            let diagnostics = n.set(text);
            assert!(diagnostics.is_empty(), "{text}: {}", diagnostics.render(&n.files));
        }
        assert_eq!(n.constants[0].value.text, "2*10 ms");
        let span = n.constants[0].value.span;
        assert_eq!(&n.files.text(span.file().expect("a file"))[span.range()], "2*10 ms");
        assert_eq!(n.settings.seed.map(|s| s.value), Some(7));
        assert_eq!(n.populations[0].size.text, "100");
        assert_eq!(n.populations[0].initial.len(), 2);
        assert_eq!(n.projections[0].connect.p.as_ref().map(|p| p.text.as_str()), Some("0.1"));
        assert_eq!(n.neurons[0].threshold.as_ref().map(|t| t.text.as_str()), Some("v > 1"));
        assert_eq!(n.synapses[0].pathways.len(), 1);
        assert_eq!(n.synapses[0].pathways[0].code.text, "v += 2");
        assert_eq!(n.record.state[0].every.as_ref().map(|t| t.text.as_str()), Some("1 ms"));
    }

    #[test]
    fn another_rule_or_kind_drops_the_fields_of_the_old_one() {
        let mut n = network();
        assert!(n.set("projection.exc.connect.rule=all_to_all").is_empty());
        assert_eq!(n.projections[0].connect.p, None);
        let lacking = n.set("projection.exc.connect.rule=fixed-in-degree");
        assert_eq!(lacking.iter().map(|d| d.code).collect::<Vec<_>>(), ["missing-field"]);
        assert!(n.set("projection.exc.connect={ rule = \"fixed_in_degree\", n = 3 }").is_empty());
        assert!(n.set("projection.exc.connect.n=4").is_empty());
        let unused = n.set("projection.exc.connect.p=0.5");
        assert_eq!(unused.iter().map(|d| d.code).collect::<Vec<_>>(), ["unknown-field"]);
    }

    #[test]
    fn what_is_not_there_cannot_be_set() {
        let mut n = network();
        for (text, code, help) in [
            ("taun=1", "unknown-name", "did you mean `taum`?"),
            ("population.cell.size=1", "unknown-name", "did you mean `cells`?"),
            ("population.cells.sise=1", "unknown-field", "did you mean `size`?"),
            ("constants.tau=1", "unknown-name", "did you mean `taum`?"),
            ("size=5", "unknown-name", "fields are named with their path, such as `population.cells.size`"),
            ("poulation.cells.size=5", "unknown-field", "did you mean `population`?"),
        ] {
            let diagnostics = n.set(text);
            let first = diagnostics.iter().next().expect("a diagnostic");
            assert_eq!((first.code, first.help[0].as_str()), (code, help), "{text}");
        }
        for text in ["taum", "", "=1", "a..b=1", "."] {
            assert_eq!(n.set(text).iter().next().expect("a diagnostic").code, "invalid-override", "{text}");
        }
    }
}
