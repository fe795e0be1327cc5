//! `[neuron.NAME.periodic.PERIODIC]` and `[synapse.NAME.periodic.PERIODIC]`.

use neuropil_base::{Spanned, Text};

use super::row;
use crate::PeriodicSource;
use crate::reader::{Field, Object};

impl PeriodicSource {
    /// Code that runs at the start of every step.
    #[must_use]
    pub fn new(name: Spanned<String>, code: Text) -> Self {
        Self { name, code, every: None, when: None, order: None }
    }
}

impl Object for PeriodicSource {
    const KIND: &'static str = "periodic";

    const FIELDS: &'static [Field<Self>] = &[
        row!(string! code = "\"w *= 0.9\""),
        row!(text every = "\"10 ms\""),
        row!(word when = "\"start\""),
        row!(integer order = "0"),
    ];

    fn blank(name: Spanned<String>) -> Self {
        let code = Text::new("", name.span);
        Self::new(name, code)
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }
}
