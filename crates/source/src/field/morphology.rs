//! `[morphology.NAME]` and `[morphology.NAME.section.SECTION]`.

use neuropil_base::{Diagnostic, Span, Spanned};

use super::{Choices, Shape, row, word_of};
use crate::reader::{Field, Mode, Object, Reader};
use crate::tree::Table;
use crate::{MorphologySource, SectionKind, SectionSource};

const KINDS: &Choices<SectionKind> = &[("section", SectionKind::Section), ("soma", SectionKind::Soma)];

impl MorphologySource {
    /// A morphology that has a name and nothing else.
    #[must_use]
    pub fn new(name: Spanned<String>) -> Self {
        Self { name, file: None, text: None, spherical_soma: None, sections: Vec::new() }
    }
}

impl SectionSource {
    /// A section that has a name and nothing else.
    #[must_use]
    pub fn new(name: Spanned<String>) -> Self {
        let kind = Spanned::new(SectionKind::Section, name.span);
        Self {
            name,
            kind,
            parent: None,
            compartments: None,
            length: None,
            diameter: None,
            x: None,
            y: None,
            z: None,
        }
    }
}

impl SectionKind {
    /// The word for it in a file.
    #[must_use]
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| *name)
    }

    fn shape(self) -> Shape {
        match self {
            Self::Soma => Shape { needed: &["diameter"], optional: &["parent", "x", "y", "z"] },
            Self::Section => Shape {
                needed: &["diameter"],
                optional: &["parent", "length", "x", "y", "z", "compartments"],
            },
        }
    }
}

impl Object for MorphologySource {
    const KIND: &'static str = "morphology";

    const FIELDS: &'static [Field<Self>] = &[
        row!(path file = "\"cell.swc\""),
        row!(flag spherical_soma = "true"),
        row!(objects section . sections = "{ soma = { kind = \"soma\", diameter = \"30 um\" } }"),
    ];

    fn blank(name: Spanned<String>) -> Self {
        Self::new(name)
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }

    fn prepare(&mut self, table: &Table) {
        if table.iter().any(|e| e.key.value == "file") {
            self.text = None;
        }
    }

    fn finish(&mut self, reader: &mut Reader<'_>, table: &Table, place: Span) {
        let what = format!("morphology `{}`", self.name.value);
        let has = |name: &str| table.iter().find(|e| e.key.value == name);
        match (has("file"), has("section")) {
            (None, None) if reader.mode == Mode::Define => {
                reader.report(
                    Diagnostic::error("missing-field", place, format!("{what} lacks `file` or `section`"))
                        .help(format!(
                            "add `file = \"cell.swc\"`, or sections: `[morphology.{}.section.soma]`",
                            self.name.value
                        )),
                );
            }
            (Some(file), Some(section)) => {
                let message = format!("{what} has `file` and `section`, of which only one can hold");
                reader.report(
                    Diagnostic::error("unknown-field", section.key.span, message)
                        .related(file.key.span, "the file"),
                );
            }
            (None | Some(_), None) | (None, Some(_)) => {}
        }
        if let (Some(soma), None) = (has("spherical_soma"), has("file"))
            && self.file.is_none()
        {
            let message = "`spherical_soma` says how a file is read, and there is none".to_owned();
            reader.report(
                Diagnostic::error("unknown-field", soma.key.span, message)
                    .help("a section is a sphere if it has `kind = \"soma\"`"),
            );
        }
    }
}

impl Object for SectionSource {
    const KIND: &'static str = "section";

    const FIELDS: &'static [Field<Self>] = &[
        row!(@row kind, false, "\"soma\"",
            |r, x, e| if let Some(kind) = r.choice(e, KINDS) { x.kind = kind },
            |x| (x.kind.value != SectionKind::Section).then(|| word_of(KINDS, x.kind.value))),
        row!(word parent = "\"soma\""),
        row!(value length = "\"200 um\""),
        row!(value diameter = "\"2 um\""),
        row!(text compartments = "20"),
        row!(value x = "{ values = [0, 200], unit = \"um\" }"),
        row!(value y = "{ values = [0, 200], unit = \"um\" }"),
        row!(value z = "{ values = [0, 200], unit = \"um\" }"),
    ];

    fn blank(name: Spanned<String>) -> Self {
        Self::new(name)
    }

    fn name(&self) -> &Spanned<String> {
        &self.name
    }

    fn finish(&mut self, reader: &mut Reader<'_>, table: &Table, place: Span) {
        let kind = self.kind.value;
        let what = format!("{} `{}`", kind.name(), self.name.value);
        kind.shape().check((reader, Self::FIELDS, &["kind"]), self, &what, (table, place));
        let points = self.x.is_some() || self.y.is_some() || self.z.is_some();
        let written = |name: &str| table.iter().any(|e| e.key.value == name);
        if kind == SectionKind::Section && self.length.is_none() && !points && !written("length") {
            reader.missing_field("length", "\"200 um\"", &what, place);
        }
    }
}
