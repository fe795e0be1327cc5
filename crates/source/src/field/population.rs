//! `[population.NAME]` and `[view.NAME]`.

use neuropil_base::{Spanned, Text};

use super::link::{links, read_links};
use super::row;
use crate::print::Out;
use crate::reader::{Field, Object};
use crate::{PopulationSource, ViewSource};

impl PopulationSource {
    /// `size` neurons of a model.
    #[must_use]
    pub fn new(name: Spanned<String>, neuron: Spanned<String>, size: Text) -> Self {
        Self { name, neuron, size, initial: Vec::new(), links: Vec::new(), dt: None }
    }
}

impl Object for PopulationSource {
    const KIND: &'static str = "population";

    const FIELDS: &'static [Field<Self>] = &[
        row!(word! neuron = "\"lif\""),
        row!(text! size = "100"),
        row!(text dt = "\"0.1 ms\""),
        row!(assign initial = "{ v = \"-60 mV\" }"),
        row!(@row link, false, "{ x = \"others.v\" }",
            |r, x, e| read_links(r, &mut x.links, e), |x| links(&x.links)),
    ];

    fn blank(name: Spanned<String>) -> Self {
        let span = name.span;
        Self::new(name, Spanned::new(String::new(), span), Text::new("", span))
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }
}

impl Object for ViewSource {
    const KIND: &'static str = "view";

    const FIELDS: &'static [Field<Self>] = &[
        row!(@row of, true, "\"cells\"",
            |r, x, e| if let Some(w) = r.word(e) { x.population = w },
            |x| Some(Out::word(&x.population))),
        row!(@row range, true, "[0, 80]",
            |r, x, e| if let Some((start, stop)) = r.range(e) { (x.start, x.stop) = (start, stop) },
            |x| Some(Out::List(vec![Out::text(&x.start), Out::text(&x.stop)]))),
    ];

    fn blank(name: Spanned<String>) -> Self {
        let span = name.span;
        let empty = || Text::new("", span);
        Self { name, population: Spanned::new(String::new(), span), start: empty(), stop: empty() }
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }
}
