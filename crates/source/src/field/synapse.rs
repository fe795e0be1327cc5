//! `[synapse.NAME]`, `[synapse.NAME.pathway.PATHWAY]` and `[[synapse.NAME.sum]]`.

use neuropil_base::{Span, Spanned, Text};

use super::{Choices, entries, rewire, row, word_of};
use crate::print::Out;
use crate::reader::{Field, Mode, Object, Reader};
use crate::tree::{Entry, Kind, Table};
use crate::{End, PathwaySource, SumOperation, SumSource, SynapseSource};

const ENDS: &Choices<End> = &[("pre", End::Pre), ("post", End::Post)];

const OPERATIONS: &Choices<SumOperation> = &[
    ("sum", SumOperation::Sum),
    ("mean", SumOperation::Mean),
    ("max", SumOperation::Max),
    ("min", SumOperation::Min),
];

impl SynapseSource {
    /// A synapse model that has a name and nothing else.
    #[must_use]
    pub fn new(name: Spanned<String>) -> Self {
        Self {
            name,
            library: None,
            equations: None,
            pathways: Vec::new(),
            sums: Vec::new(),
            prune: Vec::new(),
            create: Vec::new(),
            method: None,
            parameters: Vec::new(),
            initial: Vec::new(),
            schedule: Vec::new(),
            periodic: Vec::new(),
        }
    }

    /// The pathway of that name: `pre` for `on_pre`, `post` for `on_post`.
    #[must_use]
    pub fn pathway(&self, name: &str) -> Option<&PathwaySource> {
        self.pathways.iter().find(|p| p.name.value == name)
    }
}

impl PathwaySource {
    /// What the spikes of one end do; named `pre` or `post` after it.
    #[must_use]
    pub fn on(end: End, code: Text) -> Self {
        let name = end_name(end).to_owned();
        let span = code.span;
        Self {
            name: Spanned::new(name, span),
            on: Spanned::new(end, span),
            event: None,
            code,
            delay: None,
            when: None,
            order: None,
        }
    }

    /// `on_pre`, `on_post`, or neither, in this order.
    fn rank(&self) -> usize {
        ENDS.iter()
            .position(|(name, end)| self.name.value == *name && self.on.value == *end)
            .unwrap_or(ENDS.len())
    }
}

fn end_name(end: End) -> &'static str {
    match end {
        End::Pre => "pre",
        End::Post => "post",
    }
}

impl Object for SynapseSource {
    const KIND: &'static str = "synapse";

    const FIELDS: &'static [Field<Self>] = &[
        row!(@row model, false, "\"library:stdp\"",
            |r, x, e| if let Some(w) = r.word(e) { x.library = Some(w) },
            |x| x.library.as_ref().map(Out::word)),
        row!(string equations = "\"w : siemens\""),
        row!(@row on_pre, false, "\"ge_post += w\"",
            |r, x, e| shorthand(r, x, e, End::Pre), |x| printed(x, End::Pre)),
        row!(@row on_post, false, "\"w += Apre\"",
            |r, x, e| shorthand(r, x, e, End::Post), |x| printed(x, End::Post)),
        row!(word method = "\"exact\""),
        row!(assign parameters = "{ taupre = \"20 ms\" }"),
        row!(assign initial = "{ w = \"0.1 nS\" }"),
        row!(@row pathway, false, "{ late = { on = \"pre\", code = \"ge_post += w\" } }",
        |r, x, e| r.objects(&mut x.pathways, e),
        |x| {
            let others: Vec<PathwaySource> =
                x.pathways.iter().filter(|p| p.rank() == ENDS.len()).cloned().collect();
            super::group(&others)
        }),
        row!(objects periodic . periodic = "{ decay = { code = \"w *= 0.9\", every = \"10 ms\" } }"),
        row!(@row sum, false, "[{ into = \"exc\", expression = \"w*r_pre\" }]",
            sums,
            |x| (!x.sums.is_empty())
                .then(|| Out::Repeated(x.sums.iter().map(|s| entries(SUM, s)).collect()))),
        row!(@row prune, false, "{ condition = \"w < 0.01*nS\", every = \"1 s\" }",
            |r, x, e| rewire::rules(r, rewire::PRUNE, &mut x.prune, e),
            |x| rewire::printed(rewire::PRUNE, &x.prune)),
        row!(@row create, false, "{ condition = \"r_pre*r_post > 0.2\", probability = 0.1, every = \"1 s\" }",
            |r, x, e| rewire::rules(r, rewire::CREATE, &mut x.create, e),
            |x| rewire::printed(rewire::CREATE, &x.create)),
        row!(places schedule = "{ update = \"after_groups\" }"),
    ];

    fn blank(name: Spanned<String>) -> Self {
        Self::new(name)
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }

    fn finish(&mut self, _reader: &mut Reader<'_>, _table: &Table, _place: Span) {
        // Brian 2 creates the pathways of `on_pre` and `on_post` first, in this order.
        self.pathways.sort_by_key(PathwaySource::rank);
    }
}

impl Object for PathwaySource {
    const KIND: &'static str = "pathway";

    const FIELDS: &'static [Field<Self>] = &[
        row!(@row on, true, "\"pre\"",
            |r, x, e| if let Some(end) = r.choice(e, ENDS) { x.on = end },
            |x| Some(word_of(ENDS, x.on.value))),
        row!(word event = "\"spike\""),
        row!(string! code = "\"ge_post += w\""),
        row!(text delay = "\"1 ms\""),
        row!(word when = "\"synapses\""),
        row!(integer order = "0"),
    ];

    fn blank(name: Spanned<String>) -> Self {
        Self::on(End::Pre, Text::new("", name.span)).named(name)
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }
}

impl PathwaySource {
    /// The same pathway under another name.
    #[must_use]
    pub fn named(self, name: Spanned<String>) -> Self {
        Self { name, ..self }
    }
}

/// `on_pre = "code"` or `on_pre = { code = "...", delay = "...", ... }`.
fn shorthand(reader: &mut Reader<'_>, synapse: &mut SynapseSource, entry: &Entry, end: End) {
    let name = Spanned::new(end_name(end).to_owned(), entry.key.span);
    let existing = synapse.pathways.iter().position(|p| p.name.value == name.value);
    let mut pathway = match (reader.mode, existing) {
        (Mode::Override, Some(index)) => synapse.pathways[index].clone(),
        (Mode::Define, _) | (Mode::Override, None) => {
            PathwaySource::on(end, Text::new("", entry.key.span)).named(name.clone())
        }
    };
    if let Kind::Table(table) = &entry.value.kind {
        let what = format!("`{}`", entry.key.value);
        let fields = PathwaySource::FIELDS;
        reader.fields(fields, &what, &mut pathway, table);
        if existing.is_none() && !table.iter().any(|e| e.key.value == "code") {
            reader.missing_field("code", "\"ge_post += w\"", &what, entry.value.span);
        }
        pathway.on.value = end;
    } else if let Some(code) = reader.string(entry) {
        pathway.code = code;
    } else {
        return;
    }
    match (reader.mode, existing) {
        (Mode::Override, Some(index)) => synapse.pathways[index] = pathway,
        (Mode::Define, Some(index)) => {
            let first = synapse.pathways[index].name.span;
            reader.duplicate(&format!("pathway `{}`", name.value), name.span, first);
        }
        (_, None) => synapse.pathways.push(pathway),
    }
}

fn printed(synapse: &SynapseSource, end: End) -> Option<Out> {
    let pathway = synapse.pathways.iter().find(|p| p.name.value == end_name(end) && p.on.value == end)?;
    let mut list = entries(PathwaySource::FIELDS, pathway);
    list.retain(|(name, _)| name != "on");
    match list.as_slice() {
        [(_, code)] => Some(code.clone()),
        _ => Some(Out::Dotted(list)),
    }
}

const SUM: &[Field<SumSource>] = &[
    row!(word! into = "\"exc\""),
    row!(string! expression = "\"w*r_pre\""),
    row!(@row operation, false, "\"sum\"",
        |r, x, e| if let Some(o) = r.choice(e, OPERATIONS) { x.operation = o },
        |x| (x.operation.value != SumOperation::Sum).then(|| word_of(OPERATIONS, x.operation.value))),
    row!(word when = "\"groups\""),
    row!(integer order = "-1"),
    row!(text delay = "\"2 ms\""),
];

fn sums(reader: &mut Reader<'_>, synapse: &mut SynapseSource, entry: &Entry) {
    // A single `[synapse.NAME.sum]` is a list of one.
    let items = match &entry.value.kind {
        Kind::Array(items) => items.as_slice(),
        Kind::Table(_) => std::slice::from_ref(&entry.value),
        _ => {
            reader.wrong_type(entry, "tables");
            return;
        }
    };
    synapse.sums.clear();
    for item in items {
        let Kind::Table(table) = &item.kind else {
            reader.wrong_type(entry, "tables");
            return;
        };
        let span = item.span;
        let mut sum = SumSource {
            into: Spanned::new(String::new(), span),
            expression: Text::new("", span),
            operation: Spanned::new(SumOperation::Sum, span),
            delay: None,
            when: None,
            order: None,
        };
        reader.fields(SUM, "`sum`", &mut sum, table);
        let mode = std::mem::replace(&mut reader.mode, Mode::Define);
        reader.required(SUM, "`sum`", table, span);
        reader.mode = mode;
        synapse.sums.push(sum);
    }
}
