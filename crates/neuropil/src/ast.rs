//! Equations and code of a model in canonical form: what the parser understood.

use std::fmt::Write as _;

use neuropil_base::{Diagnostics, Text};
use neuropil_source::{NetworkSource, PathwaySource};
use neuropil_syntax::{parse_block, parse_equations, parse_expression};
use neuropil_units::Quantity;

/// Prints every equation and code block of the model's neurons and synapses.
pub(crate) fn print(source: &NetworkSource) -> Result<String, Diagnostics> {
    let mut printer = Printer { text: String::new(), diagnostics: Diagnostics::new() };
    for neuron in &source.neurons {
        let _ = writeln!(printer.text, "neuron {}", neuron.name.value);
        printer.equations(neuron.equations.as_ref());
        printer.expression("threshold", neuron.threshold.as_ref());
        printer.block("reset", neuron.reset.as_ref());
        printer.expression("refractory", neuron.refractory.as_ref());
        for event in &neuron.events {
            printer.expression(&format!("event {}", event.name.value), Some(&event.condition));
            printer.block("reset", event.reset.as_ref());
        }
    }
    for synapse in &source.synapses {
        let _ = writeln!(printer.text, "synapse {}", synapse.name.value);
        printer.equations(synapse.equations.as_ref());
        for PathwaySource { name, code, .. } in &synapse.pathways {
            printer.block(&format!("pathway {}", name.value), Some(code));
        }
        for sum in &synapse.sums {
            printer.expression(&format!("sum into {}", sum.into.value), Some(&sum.expression));
        }
        for (what, rules) in [("prune", &synapse.prune), ("create", &synapse.create)] {
            for rule in rules {
                printer.expression(what, rule.condition.as_ref());
            }
        }
    }
    if printer.diagnostics.has_errors() { Err(printer.diagnostics) } else { Ok(printer.text) }
}

struct Printer {
    text: String,
    diagnostics: Diagnostics,
}

impl Printer {
    fn equations(&mut self, text: Option<&Text>) {
        if let Some(text) = text {
            let (equations, diagnostics) = parse_equations(text);
            self.diagnostics.append(diagnostics);
            self.indented("equations", &equations.to_string());
        }
    }

    fn block(&mut self, name: &str, text: Option<&Text>) {
        if let Some(text) = text {
            let (block, diagnostics) = parse_block(text);
            self.diagnostics.append(diagnostics);
            self.indented(name, &block.to_string());
        }
    }

    fn expression(&mut self, name: &str, text: Option<&Text>) {
        if let Some(text) = text {
            // A refractory time may be a quantity such as `5 ms`, which is no expression: a product has its sign.
            if Quantity::parse(text.text.trim()).is_ok() {
                self.indented(name, text.text.trim());
                return;
            }
            let (expression, diagnostics) = parse_expression(text);
            self.diagnostics.append(diagnostics);
            self.indented(name, &expression.to_string());
        }
    }

    fn indented(&mut self, name: &str, lines: &str) {
        let _ = writeln!(self.text, "  {name}");
        for line in lines.lines() {
            let _ = writeln!(self.text, "    {line}");
        }
    }
}
