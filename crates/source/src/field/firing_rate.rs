//! `firing_rate.NAME` of neurons.

use neuropil_base::{Spanned, Text};

use super::{entries, row};
use crate::FiringRateSource;
use crate::print::{Entries, Out};
use crate::reader::{Field, Mode, Reader};
use crate::tree::{Entry, Kind};

const FIRING_RATE: &[Field<FiringRateSource>] =
    &[row!(text! window = "\"100 ms\""), row!(word event = "\"spike\"")];

impl FiringRateSource {
    /// The rate of spikes within the last `window`.
    #[must_use]
    pub fn new(name: Spanned<String>, window: Text) -> Self {
        Self { name, window, event: None }
    }
}

/// `firing_rate.r = "100 ms"` or `firing_rate.r = { window = "100 ms", event = "spike" }`.
pub(super) fn read_firing_rates(reader: &mut Reader<'_>, list: &mut Vec<FiringRateSource>, entry: &Entry) {
    let Some(table) = reader.table(entry) else { return };
    for entry in table {
        if reader.mode == Mode::Define {
            reader.check_name(&entry.key);
        }
        let mut rate = FiringRateSource::new(entry.key.clone(), Text::new("", entry.value.span));
        if let Kind::Table(fields) = &entry.value.kind {
            let what = format!("`firing_rate.{}`", entry.key.value);
            reader.fields(FIRING_RATE, &what, &mut rate, fields);
            let mode = std::mem::replace(&mut reader.mode, Mode::Define);
            reader.required(FIRING_RATE, &what, fields, entry.value.span);
            reader.mode = mode;
        } else if let Some(window) = reader.text(entry) {
            rate.window = window;
        } else {
            continue;
        }
        match list.iter_mut().find(|l| l.name.value == entry.key.value) {
            Some(existing) => *existing = rate,
            None => list.push(rate),
        }
    }
}

/// The rates as a file states them.
pub(super) fn firing_rates(list: &[FiringRateSource]) -> Option<Out> {
    let printed = |rate: &FiringRateSource| match &rate.event {
        None => Out::text(&rate.window),
        Some(_) => Out::Inline(entries(FIRING_RATE, rate)),
    };
    let list: Entries = list.iter().map(|r| (r.name.value.clone(), printed(r))).collect();
    (!list.is_empty()).then_some(Out::Dotted(list))
}
