//! `[input.NAME]`.

use neuropil_base::{Span, Spanned};

use super::{Choices, Shape, row, word_of};
use crate::reader::{Field, Mode, Object, Reader};
use crate::tree::Table;
use crate::{InputKind, InputSource};

const KINDS: &Choices<InputKind> = &[
    ("poisson", InputKind::Poisson),
    ("spikes", InputKind::Spikes),
    ("regular", InputKind::Regular),
    ("timed_array", InputKind::TimedArray),
    ("binomial", InputKind::Binomial),
];

impl InputKind {
    /// The word for it in a file.
    #[must_use]
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| *name)
    }

    fn shape(self) -> Shape {
        match self {
            Self::Poisson => Shape { needed: &["size", "rate"], optional: &["dt"] },
            Self::Spikes => {
                Shape { needed: &["size", "times|file"], optional: &["indices", "unit", "period", "dt"] }
            }
            Self::Regular => Shape { needed: &["size", "rate|period"], optional: &["start", "dt"] },
            Self::Binomial => {
                Shape { needed: &["target", "variable", "n", "rate", "weight"], optional: &["when", "order"] }
            }
            Self::TimedArray => Shape { needed: &["values|file", "dt"], optional: &["unit"] },
        }
    }
}

impl InputSource {
    /// An input of a kind, without any of its fields.
    #[must_use]
    pub fn new(name: Spanned<String>, kind: Spanned<InputKind>) -> Self {
        Self {
            name,
            kind,
            size: None,
            rate: None,
            period: None,
            start: None,
            indices: None,
            times: None,
            values: None,
            file: None,
            unit: None,
            dt: None,
            target: None,
            variable: None,
            n: None,
            weight: None,
            when: None,
            order: None,
        }
    }
}

impl Object for InputSource {
    const KIND: &'static str = "input";

    const FIELDS: &'static [Field<Self>] = &[
        row!(@row kind, true, "\"poisson\"",
            |r, x, e| if let Some(kind) = r.choice(e, KINDS) { x.kind = kind },
            |x| Some(word_of(KINDS, x.kind.value))),
        row!(text size = "100"),
        row!(text rate = "\"10 Hz\""),
        row!(text period = "\"100 ms\""),
        row!(text start = "\"i*1*ms\""),
        row!(numbers indices = "[0, 1, 0]"),
        row!(numbers times = "[10.0, 20.0, 25.0]"),
        row!(numbers values = "[0, 1, 0]"),
        row!(path file = "\"spikes.csv\""),
        row!(string unit = "\"ms\""),
        row!(text dt = "\"1 ms\""),
        row!(word target = "\"cells\""),
        row!(word variable = "\"v\""),
        row!(text n = "1000"),
        row!(text weight = "\"0.1 mV\""),
        row!(word when = "\"synapses\""),
        row!(integer order = "0"),
    ];

    fn blank(name: Spanned<String>) -> Self {
        let kind = Spanned::new(InputKind::Poisson, name.span);
        Self::new(name, kind)
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }

    fn prepare(&mut self, table: &Table) {
        if table.iter().any(|e| e.key.value == "kind") {
            *self = Self::blank(self.name.clone());
        }
    }

    fn finish(&mut self, reader: &mut Reader<'_>, table: &Table, place: Span) {
        let says_kind = table.iter().any(|e| e.key.value == "kind");
        // A kind that was not understood leaves the blank one, which says nothing about fields.
        let understood = says_kind && self.kind.span != self.name.span;
        if !understood && (says_kind || reader.mode == Mode::Define) {
            return;
        }
        let kind = self.kind.value;
        let what = format!("{} input `{}`", kind.name(), self.name.value);
        kind.shape().check((reader, Self::FIELDS, &["kind"]), self, &what, (table, place));
    }
}
