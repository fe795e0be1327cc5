//! Walks over all spans of a network: to forget them, or to move what was read elsewhere into a network.

use neuropil_base::{FileId, Span, Spanned, Text};

use crate::{
    Assignment, ConnectSource, Constant, Elements, EventSource, Filter, FiringRateSource, HostSource,
    InputSource, LinkSource, MorphologySource, NetworkSource, NeuronSource, Numbers, ObjectChange,
    PathwaySource, PeriodicSource, PlaceSource, Placement, PopulationSource, ProjectionSource, RecordSource,
    RewireSource, RunSource, SectionSource, SectionValues, Selection, Settings, StateRecordSource,
    SubnetworkSource, SumSource, SynapseSource, UntilSource, ValueSource, ViewSource,
};

/// Something that holds spans.
pub trait Places {
    /// Calls `f` for each span.
    fn for_each_span(&mut self, f: &mut dyn FnMut(&mut Span));
}

impl NetworkSource {
    /// The same network, as if it had been written nowhere: no files, and every span is [`Span::NONE`].
    /// Two networks that mean the same are equal after this.
    #[must_use]
    pub fn without_places(mut self) -> Self {
        self.for_each_span(&mut |span| *span = Span::NONE);
        self.files = neuropil_base::SourceMap::new();
        self
    }

    /// Takes over the files of `other`, and returns `other` with spans that refer to the files here.
    pub fn adopt(&mut self, mut other: Self) -> Self {
        let mut moved: Vec<(FileId, FileId)> = Vec::new();
        let files = std::mem::take(&mut other.files);
        let own = &mut self.files;
        other.for_each_span(&mut |span| {
            let Some(old) = span.file() else { return };
            let new = match moved.iter().find(|(from, _)| *from == old) {
                Some((_, new)) => *new,
                None => {
                    let new = own.add(files.name(old), files.text(old));
                    moved.push((old, new));
                    new
                }
            };
            *span = Span::new(new, span.range());
        });
        other
    }
}

impl Places for Span {
    fn for_each_span(&mut self, f: &mut dyn FnMut(&mut Span)) {
        f(self);
    }
}

impl<T> Places for Spanned<T> {
    fn for_each_span(&mut self, f: &mut dyn FnMut(&mut Span)) {
        f(&mut self.span);
    }
}

impl Places for Text {
    fn for_each_span(&mut self, f: &mut dyn FnMut(&mut Span)) {
        f(&mut self.span);
    }
}

impl Places for Numbers {
    fn for_each_span(&mut self, f: &mut dyn FnMut(&mut Span)) {
        f(&mut self.span);
    }
}

impl Places for Filter {
    fn for_each_span(&mut self, f: &mut dyn FnMut(&mut Span)) {
        f(&mut self.span);
    }
}

impl<T: Places> Places for Option<T> {
    fn for_each_span(&mut self, f: &mut dyn FnMut(&mut Span)) {
        if let Some(inner) = self {
            inner.for_each_span(f);
        }
    }
}

impl<A: Places, B: Places> Places for (A, B) {
    fn for_each_span(&mut self, f: &mut dyn FnMut(&mut Span)) {
        self.0.for_each_span(f);
        self.1.for_each_span(f);
    }
}

impl<T: Places> Places for Vec<T> {
    fn for_each_span(&mut self, f: &mut dyn FnMut(&mut Span)) {
        for item in self {
            item.for_each_span(f);
        }
    }
}

/// All fields are named, so that a new one cannot be forgotten.
macro_rules! places {
    ($($name:ident { $($field:ident),* $(; $($none:ident),*)? })*) => {$(
        impl Places for $name {
            fn for_each_span(&mut self, f: &mut dyn FnMut(&mut Span)) {
                let Self { $($field,)* $($($none: _,)*)? } = self;
                $($field.for_each_span(f);)*
            }
        }
    )*};
}

places! {
    NetworkSource { settings, constants, neurons, synapses, morphologies, populations, views, inputs, projections, subnetworks, runs, hosts, record; files, name }
    Settings { dt, duration, seed, precision, method, schedule; title, description, reference }
    Constant { name, value }
    Assignment { name, value }
    NeuronSource {
        name, library, equations, threshold, reset, refractory, method, parameters, initial, events, schedule, periodic,
        firing_rates
    }
    PeriodicSource { name, code, every, when, order }
    FiringRateSource { name, window, event }
    LinkSource { name, variable, index }
    EventSource { name, condition, reset, schedule }
    SubnetworkSource { name, objects }
    RunSource {
        repeat, counter, restore, connect, delays, set, on, off, network, duration, until, runs, store, place
    }
    ObjectChange { object, values }
    UntilSource { of, condition, count }
    PlaceSource { when, order }
    Placement { what, place }
    HostSource { name, every, when, order }
    SynapseSource {
        name, library, equations, pathways, sums, prune, create, method, parameters, initial, schedule, periodic
    }
    RewireSource {
        condition, probability, every, when, order, initial, self_connections, multapses, place
    }
    PathwaySource { name, on, event, code, delay, when, order }
    SumSource { into, expression, operation, delay, when, order }
    MorphologySource { name, file, text, spherical_soma, sections }
    SectionSource { name, kind, parent, compartments, length, diameter, x, y, z }
    PopulationSource {
        name, neuron, size, shape, morphology, capacitance, resistivity, threshold_location, initial,
        sections, links, dt
    }
    SectionValues { section, values }
    ViewSource { name, population, start, stop, section, cell }
    InputSource {
        name, kind, size, rate, period, start, indices, times, values, file, unit, dt, target, variable, n, weight, when,
        order
    }
    ProjectionSource { name, synapse, source, target, connect, weight, delay, delays, initial, links, format, dt }
    ConnectSource {
        rule, p, n, self_connections, multapses, condition, probability, repeat, pairs, file, filter,
        filter_shape, stride, padding, extent, of
    }
    RecordSource { spikes, rates, state }
    StateRecordSource { name, of, variables, elements, every, slot, order }
}

impl Places for ValueSource {
    fn for_each_span(&mut self, f: &mut dyn FnMut(&mut Span)) {
        match self {
            Self::Expression(text) => text.for_each_span(f),
            Self::List { values, unit } => {
                values.for_each_span(f);
                unit.for_each_span(f);
            }
            Self::Column { column, unit } => {
                column.for_each_span(f);
                unit.for_each_span(f);
            }
        }
    }
}

impl Places for Selection {
    fn for_each_span(&mut self, f: &mut dyn FnMut(&mut Span)) {
        match self {
            Self::Unspecified => {}
            Self::Nothing(span) | Self::All(span) => f(span),
            Self::Names(names) => names.for_each_span(f),
        }
    }
}

impl Places for Elements {
    fn for_each_span(&mut self, f: &mut dyn FnMut(&mut Span)) {
        match self {
            Self::All => {}
            Self::List(list) => list.for_each_span(f),
            Self::Range { start, stop } => {
                start.for_each_span(f);
                stop.for_each_span(f);
            }
        }
    }
}
