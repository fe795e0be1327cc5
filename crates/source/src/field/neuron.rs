//! `[neuron.NAME]` and `[neuron.NAME.event.EVENT]`.

use neuropil_base::{Span, Spanned, Text};

use super::firing_rate::{firing_rates, read_firing_rates};
use super::row;
use crate::reader::{Field, Object, Reader};
use crate::tree::Table;
use crate::{EventSource, NeuronSource};

impl NeuronSource {
    /// A neuron model that has a name and nothing else.
    #[must_use]
    pub fn new(name: Spanned<String>) -> Self {
        Self {
            name,
            library: None,
            equations: None,
            threshold: None,
            reset: None,
            refractory: None,
            method: None,
            parameters: Vec::new(),
            initial: Vec::new(),
            events: Vec::new(),
            schedule: Vec::new(),
            periodic: Vec::new(),
            firing_rates: Vec::new(),
        }
    }
}

impl Object for NeuronSource {
    const KIND: &'static str = "neuron";

    const FIELDS: &'static [Field<Self>] = &[
        row!(@row model, false, "\"library:lif\"",
            |r, x, e| if let Some(w) = r.word(e) { x.library = Some(w) },
            |x| x.library.as_ref().map(crate::print::Out::word)),
        row!(string equations = "\"dv/dt = -v/tau : volt\""),
        row!(string threshold = "\"v > -50*mV\""),
        row!(string reset = "\"v = -60*mV\""),
        row!(text refractory = "\"5 ms\""),
        row!(word method = "\"exact\""),
        row!(assign parameters = "{ tau = \"20 ms\" }"),
        row!(assign initial = "{ v = \"-60 mV\" }"),
        row!(objects event . events = "{ burst = { condition = \"v > -40*mV\" } }"),
        row!(places schedule = "{ reset = \"after_resets\" }"),
        row!(objects periodic . periodic = "{ decay = { code = \"w *= 0.9\", every = \"10 ms\" } }"),
        row!(@row firing_rate, false, "{ r = \"100 ms\" }",
            |r, x, e| read_firing_rates(r, &mut x.firing_rates, e), |x| firing_rates(&x.firing_rates)),
    ];

    fn blank(name: Spanned<String>) -> Self {
        Self::new(name)
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }

    fn finish(&mut self, reader: &mut Reader<'_>, table: &Table, place: Span) {
        let wrong = table.iter().any(|e| e.key.value == "equations" || e.key.value == "model");
        if self.equations.is_none() && self.library.is_none() && !wrong {
            let what = format!("neuron `{}`", self.name.value);
            reader.missing_field("equations", "\"dv/dt = -v/tau : volt\"", &what, place);
        }
    }
}

impl Object for EventSource {
    const KIND: &'static str = "event";

    const FIELDS: &'static [Field<Self>] = &[
        row!(string! condition = "\"v > -40*mV\""),
        row!(string reset = "\"w += b\""),
        row!(places schedule = "{ condition = \"after_groups\" }"),
    ];

    fn blank(name: Spanned<String>) -> Self {
        Self { condition: Text::new("", name.span), name, reset: None, schedule: Vec::new() }
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }
}
