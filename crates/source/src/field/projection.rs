//! `[projection.NAME]` and its `connect`.

use neuropil_base::{Diagnostic, Span, Spanned};

use super::link::{links, read_links};
use super::{Choices, Shape, entries, row, word_of};
use crate::print::Out;
use crate::reader::{Field, Mode, Object, Reader};
use crate::tree::{Entry, Kind, Node, Table};
use crate::{ConnectSource, FormatSource, ProjectionSource, Rule};

const RULES: &Choices<Rule> = &[
    ("all_to_all", Rule::AllToAll),
    ("one_to_one", Rule::OneToOne),
    ("fixed_probability", Rule::FixedProbability),
    ("fixed_in_degree", Rule::FixedInDegree),
    ("fixed_out_degree", Rule::FixedOutDegree),
    ("fixed_total_number", Rule::FixedTotalNumber),
    ("condition", Rule::Condition),
    ("pairs", Rule::Pairs),
    ("file", Rule::File),
    ("convolution", Rule::Convolution),
    ("pooling", Rule::Pooling),
    ("copy", Rule::Copy),
    ("transpose", Rule::Transpose),
];

const FORMATS: &Choices<FormatSource> = &[
    ("auto", FormatSource::Auto),
    ("csr", FormatSource::Csr),
    ("ell", FormatSource::Ell),
    ("dense", FormatSource::Dense),
];

impl Rule {
    /// The word for it in a file.
    #[must_use]
    pub fn name(self) -> &'static str {
        RULES.iter().find(|(_, rule)| *rule == self).map_or("", |(name, _)| *name)
    }

    fn shape(self) -> Shape {
        const DRAWN: &[&str] = &["self_connections", "multapses"];
        match self {
            Self::AllToAll => Shape { needed: &[], optional: &["self_connections"] },
            Self::OneToOne => Shape { needed: &[], optional: &[] },
            Self::FixedProbability => Shape { needed: &["p"], optional: &["self_connections"] },
            Self::FixedInDegree | Self::FixedOutDegree | Self::FixedTotalNumber => {
                Shape { needed: &["n"], optional: DRAWN }
            }
            Self::Condition => Shape { needed: &[], optional: &["condition", "probability", "repeat"] },
            Self::Pairs => Shape { needed: &["pairs"], optional: &[] },
            Self::File => Shape { needed: &["file"], optional: &[] },
            Self::Convolution => Shape { needed: &["filter|filter_shape"], optional: &["stride", "padding"] },
            Self::Pooling => Shape { needed: &["extent"], optional: &["stride"] },
            Self::Copy | Self::Transpose => Shape { needed: &["of"], optional: &[] },
        }
    }
}

/// A connector as one would write it.
pub(crate) fn printed(connect: &ConnectSource) -> Out {
    let list = entries(CONNECT, connect);
    match list.as_slice() {
        [(_, rule)] => rule.clone(),
        _ => Out::Inline(list),
    }
}

impl ConnectSource {
    /// Every pair.
    pub(crate) fn all_to_all(span: Span) -> Self {
        Self::new(Spanned::new(Rule::AllToAll, span))
    }

    /// A connector, without any of its fields.
    #[must_use]
    pub fn new(rule: Spanned<Rule>) -> Self {
        Self {
            rule,
            p: None,
            n: None,
            self_connections: None,
            multapses: None,
            condition: None,
            probability: None,
            repeat: None,
            pairs: None,
            file: None,
            filter: None,
            filter_shape: None,
            stride: None,
            padding: None,
            extent: None,
            of: None,
        }
    }
}

impl ProjectionSource {
    /// Synapses of a model from one group to another.
    #[must_use]
    pub fn new(
        name: Spanned<String>,
        synapse: Spanned<String>,
        source: Spanned<String>,
        target: Spanned<String>,
        connect: ConnectSource,
    ) -> Self {
        Self {
            name,
            synapse,
            source,
            target,
            connect,
            weight: None,
            delay: None,
            delays: Vec::new(),
            initial: Vec::new(),
            links: Vec::new(),
            format: None,
            dt: None,
        }
    }
}

impl Object for ProjectionSource {
    const KIND: &'static str = "projection";

    const FIELDS: &'static [Field<Self>] = &[
        row!(word! synapse = "\"exc\""),
        row!(word! source = "\"cells\""),
        row!(word! target = "\"cells\""),
        row!(@row connect, true, "{ rule = \"fixed_probability\", p = 0.1 }",
            |r, x, e| connect(r, &mut x.connect, e), |x| Some(printed(&x.connect))),
        row!(value weight = "\"0.1 nS\""),
        row!(value delay = "\"1.5 ms\""),
        row!(assign delays = "{ post = \"1 ms\" }"),
        row!(assign initial = "{ w = \"rand()*nS\" }"),
        row!(@row link, false, "{ w = { variable = \"filters.w\", index = \"k\" } }",
            |r, x, e| read_links(r, &mut x.links, e), |x| links(&x.links)),
        row!(@row format, false, "\"csr\"",
            |r, x, e| if let Some(f) = r.choice(e, FORMATS) { x.format = Some(f) },
            |x| x.format.map(|f| word_of(FORMATS, f.value))),
        row!(text dt = "\"1 ms\""),
    ];

    fn blank(name: Spanned<String>) -> Self {
        let span = name.span;
        let empty = || Spanned::new(String::new(), span);
        Self::new(name, empty(), empty(), empty(), ConnectSource::all_to_all(span))
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }
}

const CONNECT: &[Field<ConnectSource>] = &[
    row!(@row rule, true, "\"fixed_probability\"",
        |r, x, e| if let Some(rule) = r.choice(e, RULES) { x.rule = rule },
        |x| Some(word_of(RULES, x.rule.value))),
    row!(text p = "0.1"),
    row!(text n = "100"),
    row!(flag self_connections = "false"),
    row!(flag multapses = "false"),
    row!(string condition = "\"i != j\""),
    row!(text probability = "\"exp(-abs(i - j)/10)\""),
    row!(text repeat = "2"),
    row!(@row pairs, false, "[[0, 1], [1, 0]]", pairs,
    |x| x.pairs.as_ref().map(|pairs| {
        let bare = |n: i64| Out::Bare(n.to_string());
        Out::List(pairs.iter().map(|p| Out::List(vec![bare(p.value.0), bare(p.value.1)])).collect())
    })),
    row!(path file = "\"pairs.csv\""),
    row!(@row filter, false, "[[1, 0, -1], [2, 0, -2], [1, 0, -1]]",
        |r, x, e| if let Some(v) = r.nested(e) { x.filter = Some(v) },
        |x| x.filter.as_ref().map(Out::nested)),
    row!(@optional integers, Out::integers, filter_shape, "[3, 3]"),
    row!(@optional integers, Out::integers, stride, "2"),
    row!(text padding = "\"same\""),
    row!(@optional integers, Out::integers, extent, "[2, 2]"),
    row!(word of = "\"other\""),
];

/// `connect = "rule"` or `connect = { rule = "...", ... }`.
pub(crate) fn connect(reader: &mut Reader<'_>, connect: &mut ConnectSource, entry: &Entry) {
    let blank = || ConnectSource::all_to_all(entry.key.span);
    let Kind::Table(table) = &entry.value.kind else {
        match &entry.value.kind {
            Kind::String(_) => {
                if let Some(rule) = reader.choice(entry, RULES) {
                    *connect = ConnectSource::new(rule);
                    check(reader, connect, &Vec::new(), entry.value.span);
                }
            }
            _ => reader.wrong_type(entry, "a rule or a table"),
        }
        return;
    };
    let says_rule = table.iter().any(|e| e.key.value == "rule");
    if says_rule {
        // Another rule has other fields.
        *connect = blank();
    }
    reader.fields(CONNECT, "`connect`", connect, table);
    reader.required(CONNECT, "`connect`", table, entry.value.span);
    // A rule that was not understood leaves the blank one, which says nothing about fields.
    let understood = says_rule && connect.rule.span != entry.key.span;
    if understood || (!says_rule && reader.mode == Mode::Override) {
        check(reader, connect, table, entry.value.span);
    }
}

fn check(reader: &mut Reader<'_>, connect: &ConnectSource, table: &Table, place: Span) {
    let rule = connect.rule.value;
    let what = format!("the rule `{}`", rule.name());
    rule.shape().check((reader, CONNECT, &["rule"]), connect, &what, (table, place));
}

fn pairs(reader: &mut Reader<'_>, connect: &mut ConnectSource, entry: &Entry) {
    let number = |node: &Node| match &node.kind {
        Kind::Integer(text) => text.parse::<i64>().ok(),
        _ => None,
    };
    let Kind::Array(items) = &entry.value.kind else {
        reader.wrong_type(entry, "an array of pairs");
        return;
    };
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        let pair = match &item.kind {
            Kind::Array(pair) => match pair.as_slice() {
                [source, target] => number(source).zip(number(target)),
                _ => None,
            },
            _ => None,
        };
        match pair {
            Some(pair) => list.push(Spanned::new(pair, item.span)),
            None => {
                let message = "a pair is two integers, the source and the target";
                reader.report(
                    Diagnostic::error("wrong-type", item.span, message)
                        .help("write `[[0, 1], [1, 0]]`, for instance"),
                );
                return;
            }
        }
    }
    connect.pairs = Some(list);
}
