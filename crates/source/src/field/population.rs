//! `[population.NAME]` and `[view.NAME]`.

use neuropil_base::{Diagnostic, Span, Spanned, Text};

use super::link::{links, read_links};
use super::row;
use crate::print::Out;
use crate::reader::{Field, Mode, Object, Reader};
use crate::tree::{Entry, Table};
use crate::{PopulationSource, SectionValues, ViewSource};

impl PopulationSource {
    /// `size` neurons of a model.
    #[must_use]
    pub fn new(name: Spanned<String>, neuron: Spanned<String>, size: Text) -> Self {
        Self {
            name,
            neuron,
            size,
            shape: None,
            morphology: None,
            capacitance: None,
            resistivity: None,
            threshold_location: None,
            initial: Vec::new(),
            sections: Vec::new(),
            links: Vec::new(),
            dt: None,
        }
    }
}

impl ViewSource {
    /// Neurons `start` to before `stop` of a population.
    #[must_use]
    pub fn new(name: Spanned<String>, population: Spanned<String>, start: Text, stop: Text) -> Self {
        Self { name, population, start, stop, section: None, cell: None }
    }
}

impl Object for PopulationSource {
    const KIND: &'static str = "population";

    const FIELDS: &'static [Field<Self>] = &[
        row!(word! neuron = "\"lif\""),
        row!(@row size, false, "100",
            |r, x, e| if let Some(t) = r.text(e) { x.size = t },
            |x| (!x.size.text.is_empty() || (x.morphology.is_none() && x.shape.is_none())).then(|| Out::text(&x.size))),
        row!(@optional integers, Out::integers, shape, "[28, 28]"),
        row!(word morphology = "\"cell\""),
        row!(@row Cm, false, "\"1 uF/cm2\"",
            |r, x, e| if let Some(v) = r.value(e) { x.capacitance = Some(v) },
            |x| x.capacitance.as_ref().map(Out::value)),
        row!(@row Ri, false, "\"100 ohm*cm\"",
            |r, x, e| if let Some(v) = r.value(e) { x.resistivity = Some(v) },
            |x| x.resistivity.as_ref().map(Out::value)),
        row!(text threshold_location = "\"soma\""),
        row!(text dt = "\"0.1 ms\""),
        row!(assign initial = "{ v = \"-60 mV\" }"),
        row!(@row link, false, "{ x = \"others.v\" }",
            |r, x, e| read_links(r, &mut x.links, e), |x| links(&x.links)),
        row!(@row section, false, "{ axon = { gNa = \"1 S/cm2\" } }",
        |r, x, e| section_values(r, x, e),
        |x| (!x.sections.is_empty()).then(|| {
            let values = |s: &SectionValues| {
                s.values.iter().map(|a| (a.name.value.clone(), Out::value(&a.value))).collect()
            };
            Out::Group(x.sections.iter().map(|s| (s.section.value.clone(), values(s))).collect())
        })),
    ];

    fn blank(name: Spanned<String>) -> Self {
        let span = name.span;
        Self::new(name, Spanned::new(String::new(), span), Text::new("", span))
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }

    fn finish(&mut self, reader: &mut Reader<'_>, table: &Table, place: Span) {
        let has = |name: &str| table.iter().any(|e| e.key.value == name);
        if self.size.text.is_empty() && !has("size") && reader.mode == Mode::Define {
            if self.shape.is_some() {
                self.size = Text::new("", Span::NONE);
            } else if has("morphology") {
                // One neuron, unless more are asked for.
                self.size = Text::new("", Span::NONE);
            } else {
                let what = format!("population `{}`", self.name.value);
                reader.missing_field("size", "100", &what, place);
            }
        }
    }
}

/// `[population.NAME.section.SECTION]`
fn section_values(reader: &mut Reader<'_>, population: &mut PopulationSource, entry: &Entry) {
    let Some(table) = reader.table(entry) else { return };
    for entry in table {
        let known = population.sections.iter().position(|s| s.section.value == entry.key.value);
        if known.is_none() && reader.mode == Mode::Override {
            let message =
                format!("population `{}` sets nothing in `{}`", population.name.value, entry.key.value);
            reader.report(Diagnostic::error("unknown-name", entry.key.span, message));
            continue;
        }
        let place = known.unwrap_or_else(|| {
            population.sections.push(SectionValues { section: entry.key.clone(), values: Vec::new() });
            population.sections.len() - 1
        });
        reader.assignments(&mut population.sections[place].values, entry);
    }
}

impl Object for ViewSource {
    const KIND: &'static str = "view";

    const FIELDS: &'static [Field<Self>] = &[
        row!(@row of, true, "\"cells\"",
            |r, x, e| if let Some(w) = r.word(e) { x.population = w },
            |x| Some(Out::word(&x.population))),
        row!(@row range, false, "[0, 80]",
            |r, x, e| if let Some((start, stop)) = r.range(e) { (x.start, x.stop) = (start, stop) },
            |x| x.has_range().then(|| Out::List(vec![Out::text(&x.start), Out::text(&x.stop)]))),
        row!(word section = "\"axon\""),
        row!(text cell = "0"),
    ];

    fn blank(name: Spanned<String>) -> Self {
        let span = name.span;
        let empty = || Text::new("", span);
        Self::new(name, Spanned::new(String::new(), span), empty(), empty())
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }

    fn finish(&mut self, reader: &mut Reader<'_>, table: &Table, place: Span) {
        let has = |name: &str| table.iter().any(|e| e.key.value == name);
        if self.has_range() || has("range") || reader.mode == Mode::Override {
            return;
        }
        if self.section.is_some() || self.cell.is_some() || has("section") || has("cell") {
            (self.start, self.stop) = (Text::new("", Span::NONE), Text::new("", Span::NONE));
        } else {
            reader.missing_field("range", "[0, 80]", &format!("view `{}`", self.name.value), place);
        }
    }
}

impl ViewSource {
    /// Whether it says from where to where.
    #[must_use]
    pub fn has_range(&self) -> bool {
        !self.start.text.is_empty() || !self.stop.text.is_empty()
    }
}
