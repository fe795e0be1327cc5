//! The fields of everything that a file may define: one row each, the only place that names them.

mod firing_rate;
mod host;
mod input;
mod link;
mod morphology;
mod neuron;
mod periodic;
mod population;
mod projection;
mod record;
mod rewire;
mod run;
mod synapse;

use neuropil_base::Precision;

use crate::print::{Entries, Out};
use crate::reader::{Field, Object, Reader};
use crate::tree::{Entry, Table};
use crate::{Constant, NetworkSource, PlaceSource, Placement};

pub(crate) use record::RECORD;

/// A row for a field of a usual type: `row!(text equations = "example")`.
///
/// `string` is an optional string, `text` also takes numbers, `word` is a name, `value` a source of values,
/// `flag` a boolean, `numbers` an array, `path` a file, `assign` a table of assignments; `!` makes it required.
macro_rules! row {
    (@row $name:ident, $required:literal, $example:literal, $read:expr, $print:expr) => {
        $crate::reader::Field {
            name: stringify!($name),
            required: $required,
            example: $example,
            read: $read,
            print: $print,
        }
    };
    (@optional $method:ident, $out:expr, $name:ident, $example:literal) => {
        row!(@row $name, false, $example,
            |r, x, e| if let Some(v) = r.$method(e) { x.$name = Some(v) },
            |x| x.$name.as_ref().map($out))
    };
    (@needed $method:ident, $out:expr, $name:ident, $example:literal) => {
        row!(@row $name, true, $example,
            |r, x, e| if let Some(v) = r.$method(e) { x.$name = v },
            |x| Some($out(&x.$name)))
    };
    (string $name:ident = $example:literal) => {
        row!(@optional string, |t: &neuropil_base::Text| $crate::print::Out::String(t.text.clone()), $name, $example)
    };
    (text $name:ident = $example:literal) => { row!(@optional text, $crate::print::Out::text, $name, $example) };
    (word $name:ident = $example:literal) => { row!(@optional word, $crate::print::Out::word, $name, $example) };
    (value $name:ident = $example:literal) => { row!(@optional value, $crate::print::Out::value, $name, $example) };
    (numbers $name:ident = $example:literal) => { row!(@optional numbers, $crate::print::Out::numbers, $name, $example) };
    (flag $name:ident = $example:literal) => {
        row!(@optional boolean, |b: &neuropil_base::Spanned<bool>| $crate::print::Out::Bare(b.value.to_string()), $name, $example)
    };
    (integer $name:ident = $example:literal) => {
        row!(@optional integer, |n| $crate::print::Out::Bare(n.value.to_string()), $name, $example)
    };
    (path $name:ident = $example:literal) => {
        row!(@optional path,
            |p: &neuropil_base::Spanned<std::path::PathBuf>| $crate::print::Out::String(p.value.to_string_lossy().into_owned()),
            $name, $example)
    };
    (string! $name:ident = $example:literal) => {
        row!(@needed string, |t: &neuropil_base::Text| $crate::print::Out::String(t.text.clone()), $name, $example)
    };
    (text! $name:ident = $example:literal) => { row!(@needed text, $crate::print::Out::text, $name, $example) };
    (word! $name:ident = $example:literal) => { row!(@needed word, $crate::print::Out::word, $name, $example) };
    (assign $name:ident = $example:literal) => {
        row!(@row $name, false, $example,
            |r, x, e| r.assignments(&mut x.$name, e),
            |x| $crate::print::Out::assignments(&x.$name))
    };
    (places $name:ident = $example:literal) => {
        row!(@row $name, false, $example, |r, x, e| r.places(&mut x.$name, e), |x| $crate::field::places(&x.$name))
    };
    (objects $name:ident . $list:ident = $example:literal) => {
        row!(@row $name, false, $example, |r, x, e| r.objects(&mut x.$list, e), |x| $crate::field::group(&x.$list))
    };
}
use row;

/// The words of a choice.
type Choices<T> = [(&'static str, T)];

/// The word for `value`.
fn word_of<T: Copy + PartialEq>(choices: &Choices<T>, value: T) -> Out {
    let word = choices.iter().find(|(_, v)| *v == value).map_or("", |(word, _)| *word);
    Out::String(word.to_owned())
}

/// All fields of an object that it has.
fn entries<T>(fields: &[Field<T>], object: &T) -> Entries {
    fields.iter().filter_map(|f| (f.print)(object).map(|out| (f.name.to_owned(), out))).collect()
}

fn group<T: Object>(list: &[T]) -> Option<Out> {
    let objects: Vec<_> = list.iter().map(|o| (o.name().value.clone(), entries(T::FIELDS, o))).collect();
    (!objects.is_empty()).then_some(Out::Group(objects))
}

/// `schedule.reset = "end"`, ...
fn places(list: &[Placement]) -> Option<Out> {
    let place = |place: &PlaceSource| match (&place.when, &place.order) {
        (Some(when), None) => Out::word(when),
        (when, order) => {
            let mut entries: Entries = when.iter().map(|w| ("when".to_owned(), Out::word(w))).collect();
            entries.extend(order.iter().map(|o| ("order".to_owned(), Out::Bare(o.value.to_string()))));
            Out::Inline(entries)
        }
    };
    let entries: Entries = list.iter().map(|p| (p.what.value.clone(), place(&p.place))).collect();
    (!entries.is_empty()).then_some(Out::Dotted(entries))
}

/// Which fields a kind (of input, of connector) must have and may have.
struct Shape {
    /// Each is needed; names joined by `|` are alternatives, of which exactly one is.
    needed: &'static [&'static str],
    /// Each may be there.
    optional: &'static [&'static str],
}

impl Shape {
    /// Reports fields that the kind needs and `object` lacks, and fields just read that mean nothing to it.
    fn check<T>(
        &self,
        (reader, fields, always): (&mut Reader<'_>, &[Field<T>], &[&str]),
        object: &T,
        what: &str,
        (table, place): (&Table, neuropil_base::Span),
    ) {
        let names = || {
            let needed = self.needed.iter().flat_map(|n| n.split('|'));
            needed.chain(self.optional.iter().copied())
        };
        for entry in table {
            let name = entry.key.value.as_str();
            let known = fields.iter().any(|f| f.name == name);
            if known && !always.contains(&name) && !names().any(|n| n == name) {
                reader.unknown_field(entry, what, names());
            }
        }
        let has = |name: &str| {
            // A field that was written wrongly has been reported already.
            table.iter().any(|e| e.key.value == name)
                || fields.iter().any(|f| f.name == name && (f.print)(object).is_some())
        };
        let example = |name: &str| fields.iter().find(|f| f.name == name).map_or("", |f| f.example);
        for needed in self.needed {
            let alternatives: Vec<&str> = needed.split('|').collect();
            let given: Vec<&str> = alternatives.iter().copied().filter(|n| has(n)).collect();
            match (alternatives.as_slice(), given.as_slice()) {
                (_, [_]) => {}
                ([name], _) => reader.missing_field(name, example(name), what, place),
                ([name, ..], []) => {
                    let list = crate::reader::listed(alternatives.iter().copied()).replace(" and ", " or ");
                    reader.report(
                        neuropil_base::Diagnostic::error(
                            "missing-field",
                            place,
                            format!("{what} lacks {list}"),
                        )
                        .help(format!("add `{name} = {}`, for instance", example(name))),
                    );
                }
                (_, several) => {
                    let list = crate::reader::listed(several.iter().copied());
                    reader.report(neuropil_base::Diagnostic::error(
                        "unknown-field",
                        place,
                        format!("{what} has {list}, of which only one can hold"),
                    ));
                }
            }
        }
    }
}

const PRECISIONS: &Choices<Precision> = &[("f32", Precision::F32), ("f64", Precision::F64)];

/// The top of a file.
pub(crate) const NETWORK: &[Field<NetworkSource>] = &[
    row!(@row title, false, "\"Balanced network\"",
        |r, x, e| if let Some(t) = r.string(e) { x.settings.title = Some(t.text) },
        |x| x.settings.title.clone().map(Out::String)),
    row!(@row description, false, "\"What is simulated, and what to expect\"",
        |r, x, e| if let Some(t) = r.string(e) { x.settings.description = Some(t.text) },
        |x| x.settings.description.clone().map(Out::String)),
    row!(@row reference, false, "\"Vogels and Abbott (2005)\"",
        |r, x, e| if let Some(t) = r.string(e) { x.settings.reference = Some(t.text) },
        |x| x.settings.reference.clone().map(Out::String)),
    // Included files have been read before this row is; they are part of the network that is printed.
    row!(@row include, false, "[\"neurons.toml\"]", |_, _, _| {}, |_| None),
    row!(@row dt, false, "\"0.1 ms\"",
        |r, x, e| if let Some(t) = r.text(e) { x.settings.dt = Some(t) },
        |x| x.settings.dt.as_ref().map(Out::text)),
    row!(@row duration, false, "\"1 second\"",
        |r, x, e| if let Some(t) = r.text(e) { x.settings.duration = Some(t) },
        |x| x.settings.duration.as_ref().map(Out::text)),
    row!(@row seed, false, "1",
        |r, x, e| if let Some(n) = r.integer(e) { x.settings.seed = Some(n) },
        |x| x.settings.seed.as_ref().map(|n| seed(n.value))),
    row!(@row precision, false, "\"f64\"",
        |r, x, e| if let Some(p) = r.choice(e, PRECISIONS) { x.settings.precision = Some(p) },
        |x| x.settings.precision.map(|p| word_of(PRECISIONS, p.value))),
    row!(@row method, false, "\"exact\"",
        |r, x, e| if let Some(w) = r.word(e) { x.settings.method = Some(w) },
        |x| x.settings.method.as_ref().map(Out::word)),
    row!(@row schedule, false, "[\"start\", \"groups\", \"thresholds\", \"synapses\", \"resets\", \"end\"]",
        |r, x, e| if let Some(words) = r.words(e) { x.settings.schedule = Some(words) },
        |x| x.settings.schedule.as_ref().map(|s| Out::List(s.iter().map(Out::word).collect()))),
    row!(@row constants, false, "{ tau = \"20 ms\" }", constants, |x| {
        let list: Entries =
            x.constants.iter().map(|c| (c.name.value.clone(), Out::text(&c.value))).collect();
        (!list.is_empty()).then_some(Out::Section(list))
    }),
    row!(objects neuron . neurons = "{ lif = { equations = \"dv/dt = -v/tau : volt\" } }"),
    row!(objects synapse . synapses = "{ exc = { on_pre = \"ge += w\" } }"),
    row!(objects morphology . morphologies = "{ cell = { file = \"cell.swc\" } }"),
    row!(objects population . populations = "{ cells = { neuron = \"lif\", size = 100 } }"),
    row!(objects view . views = "{ exc = { of = \"cells\", range = [0, 80] } }"),
    row!(objects input . inputs = "{ noise = { kind = \"poisson\", size = 100, rate = \"10 Hz\" } }"),
    row!(objects projection . projections = "{ e_to_i = { synapse = \"exc\", source = \"e\", target = \"i\" } }"),
    row!(objects network . subnetworks = "{ training = { objects = [\"cells\", \"exc\"] } }"),
    row!(@row run, false, "[{ duration = \"100 ms\" }]",
        |r, x, e| run::runs(r, &mut x.runs, e), |x| run::printed_runs(&x.runs)),
    row!(objects host . hosts = "{ controller = { every = \"10 ms\" } }"),
    row!(@row record, false, "{ spikes = \"all\" }",
    |r, x, e| {
        let Some(table) = r.table(e) else { return };
        r.fields(RECORD, "`record`", &mut x.record, table);
    },
    |x| {
        let list = entries(RECORD, &x.record);
        (!list.is_empty()).then_some(Out::Section(list))
    }),
];

/// A seed may be larger than a TOML integer.
fn seed(seed: u64) -> Out {
    Out::Bare(seed.to_string())
}

fn constants(reader: &mut Reader<'_>, network: &mut NetworkSource, entry: &Entry) {
    use crate::reader::Mode;
    let Some(table) = reader.table(entry) else { return };
    for entry in table {
        if reader.mode == Mode::Define {
            reader.check_name(&entry.key);
        }
        let Some(value) = reader.quantity(entry) else { continue };
        let existing = network.constants.iter().position(|c| c.name.value == entry.key.value);
        match (reader.mode, existing) {
            (Mode::Override, Some(index)) => network.constants[index].value = value,
            (Mode::Define, Some(index)) => {
                let first = network.constants[index].name.span;
                reader.duplicate(&format!("constant `{}`", entry.key.value), entry.key.span, first);
            }
            (Mode::Define, None) => network.constants.push(Constant { name: entry.key.clone(), value }),
            (Mode::Override, None) => {
                let names = network.constants.iter().map(|c| c.name.value.as_str());
                let message = format!("there is no constant `{}`", entry.key.value);
                let mut d = neuropil_base::Diagnostic::error("unknown-name", entry.key.span, message);
                if let Some(near) = neuropil_base::nearest(&entry.key.value, names) {
                    d = d.help(format!("did you mean `{near}`?"));
                }
                reader.report(d);
            }
        }
    }
}
