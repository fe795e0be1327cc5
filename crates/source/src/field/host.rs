//! `[host.NAME]`.

use neuropil_base::Spanned;

use super::row;
use crate::HostSource;
use crate::reader::{Field, Object};

impl HostSource {
    /// A call in the slot `start` of every step.
    #[must_use]
    pub fn new(name: Spanned<String>) -> Self {
        Self { name, every: None, when: None, order: None }
    }
}

impl Object for HostSource {
    const KIND: &'static str = "host";

    const FIELDS: &'static [Field<Self>] =
        &[row!(text every = "\"10 ms\""), row!(word when = "\"start\""), row!(integer order = "0")];

    fn blank(name: Spanned<String>) -> Self {
        Self::new(name)
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }
}
