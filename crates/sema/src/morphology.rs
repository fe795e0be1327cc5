//! Morphologies: sections as they were typed, or an SWC file, to a tree of compartments.

use neuropil_base::{Diagnostic, Diagnostics, Precision, Span, Spanned, nearest};
use neuropil_morphology::{Morphology, MorphologyError, SectionSpec, Shape, ShapeError, swc};
use neuropil_source::{MorphologySource, SectionKind, SectionSource, ValueSource};
use neuropil_units::Dimension;

use crate::code;
use crate::constant::Evaluator;
use crate::dim::advice;
use crate::scope::World;
use crate::values::{Scale, all_finite};

/// A section with more compartments is a mistake.
const MAX_COMPARTMENTS: u64 = 1_000_000;

/// The tree that a morphology describes; diagnostics if it is none.
pub(crate) fn morphology(
    source: &MorphologySource,
    world: &World,
    out: &mut Diagnostics,
) -> Option<Morphology> {
    let made = if source.file.is_some() {
        traced(source, out)
    } else {
        Sections { world, out: &mut *out }.morphology(source)
    }?;
    let place = source.file.as_ref().map_or(source.name.span, |f| f.span);
    representable(&made, place, world.precision(), out).then_some(made)
}

/// What an SWC file describes.
fn traced(source: &MorphologySource, out: &mut Diagnostics) -> Option<Morphology> {
    let file = source.file.as_ref()?;
    let read = match &source.text {
        Some(text) => Ok(text.text.clone()),
        None => neuropil_source::read_text(&file.value),
    };
    let text = match read {
        Ok(text) => text,
        Err(message) => {
            let message = format!("cannot read `{}`: {message}", file.value.display());
            out.push(
                Diagnostic::error(code::FILE, file.span, message)
                    .help("a morphology is read from an SWC file; its path is relative to the model file"),
            );
            return None;
        }
    };
    let spherical_soma = source.spherical_soma.as_ref().is_none_or(|s| s.value);
    match swc::parse(&text, swc::Options { spherical_soma }) {
        Ok(morphology) => Some(morphology),
        Err(errors) => {
            for error in errors {
                // Without the text among the sources the line is all there is to point at.
                let (span, message) = match source.text.as_ref().filter(|t| t.span.file().is_some()) {
                    Some(text) => (text.span_of(error.range.clone()), error.message.clone()),
                    None => (file.span, error.to_string()),
                };
                let mut d = Diagnostic::error(code::SWC, span, message);
                d.help.extend(error.help);
                out.push(d);
            }
            None
        }
    }
}

/// Whether areas and conductances are numbers that the precision can hold.
fn representable(made: &Morphology, place: Span, precision: Precision, out: &mut Diagnostics) -> bool {
    let held = |x: f64| match precision {
        Precision::F32 => (x as f32).is_normal(),
        Precision::F64 => x.is_normal(),
    };
    let good = |k: &usize| {
        let c = &made.compartments()[*k];
        [c.area, c.length, c.diameter, c.volume, c.r_length_1, c.r_length_2].into_iter().all(held)
    };
    let Some(bad) = (0..made.compartments().len()).find(|k| !good(k)) else { return true };
    let section = made.sections().iter().rfind(|s| s.start as usize <= bad).map_or("", |s| &s.name);
    out.push(
        Diagnostic::error(
            code::RANGE,
            place,
            format!("a compartment of section `{section}` is too small or too large to compute with"),
        )
        .help("lengths and diameters are in metres unless a unit is given: write `20 um`"),
    );
    false
}

/// Numbers along a section.
enum Along {
    /// One for all.
    One(f64),
    /// One each.
    Each(Vec<f64>),
}

impl Along {
    fn list(&self) -> Option<&[f64]> {
        match self {
            Self::One(_) => None,
            Self::Each(list) => Some(list),
        }
    }
}

/// Makes sections of what was typed.
struct Sections<'a> {
    world: &'a World,
    out: &'a mut Diagnostics,
}

impl Sections<'_> {
    fn morphology(mut self, source: &MorphologySource) -> Option<Morphology> {
        let mut specs = Vec::new();
        let before = self.out.len();
        for (k, section) in source.sections.iter().enumerate() {
            let name = &section.name;
            if let Some(first) = source.sections[..k].iter().find(|s| s.name.value == name.value) {
                let message = format!("there are two sections `{}`", name.value);
                self.out.push(
                    Diagnostic::error(code::DUPLICATE_NAME, name.span, message)
                        .related(first.name.span, "first here"),
                );
            }
            let shape = self.shape(section);
            let parent = section.parent.as_ref().map(|p| self.parent(p, source));
            if let (Some(shape), None | Some(Some(_))) = (shape, &parent) {
                specs.push(SectionSpec { name: name.value.clone(), parent: parent.flatten(), shape });
            }
        }
        // A file that lacks sections has been refused by whoever read it.
        if self.out.len() > before || source.sections.is_empty() {
            if source.sections.is_empty() && source.name.span.file().is_none() {
                let message = format!("morphology `{}` has neither sections nor a file", source.name.value);
                self.out.push(
                    Diagnostic::error(code::MISSING, source.name.span, message)
                        .help("give it a section, such as a soma with its diameter, or an SWC file"),
                );
            }
            return None;
        }
        Morphology::new(&specs).map_err(|error| self.refuse(source, &error)).ok()
    }

    fn refuse(&mut self, source: &MorphologySource, error: &MorphologyError) {
        let section = |k: usize| source.sections.get(k).map_or(&source.name, |s| &s.name);
        let d = match error {
            MorphologyError::NoRoot => Diagnostic::error(
                code::CIRCULAR,
                source.name.span,
                format!("no section of morphology `{}` is the root", source.name.value),
            )
            .help("leave `parent` away where the neuron begins, usually at the soma"),
            MorphologyError::SecondRoot { section: k } => {
                let name = section(*k);
                let root =
                    source.sections.iter().find(|s| s.parent.is_none()).map_or(&source.name, |s| &s.name);
                Diagnostic::error(
                    code::MISSING,
                    name.span,
                    format!("section `{}` has no parent, and neither has `{}`", name.value, root.value),
                )
                .related(root.span, "the root")
                .help(format!("say at which section it begins: `parent = \"{}\"`", root.value))
            }
            MorphologyError::Unreachable { section: k } => {
                let name = section(*k);
                let message = format!("section `{}` hangs on itself, not on the root", name.value);
                Diagnostic::error(code::CIRCULAR, name.span, message)
            }
            MorphologyError::Shape { section: k, error } => {
                Diagnostic::error(code::RANGE, section(*k).span, error.to_string())
            }
            MorphologyError::TooMany => Diagnostic::error(code::RANGE, source.name.span, error.to_string()),
        };
        self.out.push(d);
    }

    fn parent(&mut self, name: &Spanned<String>, source: &MorphologySource) -> Option<usize> {
        let found = source.sections.iter().position(|s| s.name.value == name.value);
        if found.is_none() {
            let names = source.sections.iter().map(|s| s.name.value.as_str());
            let message = format!("morphology `{}` has no section `{}`", source.name.value, name.value);
            let mut d = Diagnostic::error(code::UNKNOWN_NAME, name.span, message);
            if let Some(near) = nearest(&name.value, names) {
                d = d.help(format!("did you mean `{near}`?"));
            }
            self.out.push(d);
        }
        found
    }

    fn shape(&mut self, section: &SectionSource) -> Option<Shape> {
        let diameter = match &section.diameter {
            Some(value) => self.along(value, "`diameter`")?,
            None => return self.lacks(section, "diameter", "2 um"),
        };
        let shape = match section.kind.value {
            SectionKind::Soma => self.sphere(section, &diameter)?,
            SectionKind::Section => self.cones(section, diameter)?,
        };
        let Err(error) = shape.check() else { return Some(shape) };
        let span = |value: &Option<ValueSource>| value.as_ref().map_or(section.name.span, ValueSource::span);
        let (place, help) = match &error {
            ShapeError::Length { .. } if section.length.is_none() => {
                (span(&section.x), "two ends of a compartment must not be the same point")
            }
            ShapeError::Length { .. } => (span(&section.length), "write a length such as `200 um`"),
            ShapeError::Diameter { .. } => (span(&section.diameter), "write a length such as `2 um`"),
            ShapeError::Point { .. } | ShapeError::Empty | ShapeError::Count { .. } => {
                (section.name.span, "see `[morphology.NAME]` in docs/language.md")
            }
        };
        let message = format!("section `{}`: {error}", section.name.value);
        self.out.push(Diagnostic::error(code::RANGE, place, message).help(help));
        None
    }

    /// Says of a section that was not read from a file that it lacks a field; of others it has been said.
    fn lacks<T>(&mut self, section: &SectionSource, field: &str, example: &str) -> Option<T> {
        if section.name.span.file().is_none() {
            let message = format!("section `{}` lacks the field `{field}`", section.name.value);
            self.out.push(
                Diagnostic::error(code::MISSING, section.name.span, message)
                    .help(format!("a value such as `{example}`")),
            );
        } else if !self.out.has_errors() {
            let message = format!("section `{}` lacks the field `{field}`", section.name.value);
            self.out.push(Diagnostic::error(code::MISSING, section.name.span, message));
        }
        None
    }

    fn sphere(&mut self, section: &SectionSource, diameter: &Along) -> Option<Shape> {
        let Along::One(diameter) = diameter else {
            return self.wrong(&section.diameter, section, "a sphere has one diameter".to_owned());
        };
        let mut centre = [0.0; 3];
        let mut given = false;
        for (value, at) in [&section.x, &section.y, &section.z].into_iter().zip(&mut centre) {
            let Some(source) = value else { continue };
            given = true;
            match self.along(source, "a coordinate")? {
                Along::One(x) => *at = x,
                Along::Each(_) => return self.wrong(value, section, "a sphere has one centre".to_owned()),
            }
        }
        Some(Shape::Soma { diameter: *diameter, centre: given.then_some(centre) })
    }

    fn cones(&mut self, section: &SectionSource, diameter: Along) -> Option<Shape> {
        let length = match &section.length {
            Some(value) => Some(self.along(value, "`length`")?),
            None => None,
        };
        let mut axes: [Option<Vec<f64>>; 3] = [None, None, None];
        for (value, axis) in [&section.x, &section.y, &section.z].into_iter().zip(&mut axes) {
            let Some(source) = value else { continue };
            match self.along(source, "a coordinate")? {
                Along::Each(list) => *axis = Some(list),
                Along::One(_) => {
                    let what = "a section has coordinates of its start and its end";
                    return self.wrong(value, section, what.to_owned());
                }
            }
        }
        let points = axes.iter().flatten().map(Vec::len).max();
        if length.is_some() && points.is_some() {
            return self.wrong(&section.length, section, "coordinates say how long a section is".to_owned());
        }
        let stated = match &section.compartments {
            Some(text) => Some(
                (Evaluator { world: self.world, out: &mut *self.out })
                    .count(text, "the number of compartments")?,
            ),
            None => None,
        };
        let lists = [
            length.as_ref().and_then(Along::list).map(<[f64]>::len),
            diameter.list().map(|d| d.len().saturating_sub(1)),
            points.map(|n| n.saturating_sub(1)).filter(|n| *n != 1),
        ];
        let n = stated.unwrap_or_else(|| lists.into_iter().flatten().next().unwrap_or(1) as u64);
        if n == 0 || n > MAX_COMPARTMENTS {
            let span = section.compartments.as_ref().map_or(section.name.span, |t| t.span);
            let message = format!("section `{}` has {n} compartments", section.name.value);
            self.out.push(
                Diagnostic::error(code::RANGE, span, message)
                    .help(format!("a section has 1 to {MAX_COMPARTMENTS} compartments")),
            );
            return None;
        }
        let n = n as usize;
        let count = |what: &str, found: usize, expected: usize| {
            format!("{found} {what} for {n} compartments, {expected} are needed")
        };
        let diameters = match diameter {
            Along::One(d) => vec![d; n + 1],
            Along::Each(list) if list.len() == n + 1 => list,
            Along::Each(list) => {
                return self.wrong(&section.diameter, section, count("diameters", list.len(), n + 1));
            }
        };
        let lengths = match length {
            Some(Along::One(total)) => vec![total / n as f64; n],
            Some(Along::Each(list)) if list.len() == n => list,
            Some(Along::Each(list)) => {
                return self.wrong(&section.length, section, count("lengths", list.len(), n));
            }
            None if points.is_none() => return self.lacks(section, "length", "200 um"),
            None => {
                let mut bounds = vec![[0.0; 3]; n + 1];
                for (k, (axis, source)) in axes.iter().zip([&section.x, &section.y, &section.z]).enumerate() {
                    let Some(axis) = axis else { continue };
                    match axis.as_slice() {
                        list if list.len() == n + 1 => {
                            bounds.iter_mut().zip(list).for_each(|(p, x)| p[k] = *x);
                        }
                        [first, last] => {
                            let step = (last - first) / n as f64;
                            for (i, p) in bounds.iter_mut().enumerate() {
                                p[k] = if i == n { *last } else { first + i as f64 * step };
                            }
                        }
                        list => {
                            let message = count("coordinates", list.len(), n + 1);
                            return self.wrong(source, section, message);
                        }
                    }
                }
                return Some(Shape::between(bounds, diameters));
            }
        };
        Some(Shape::Cones { lengths, diameters, points: None })
    }

    fn wrong<T>(
        &mut self,
        value: &Option<ValueSource>,
        section: &SectionSource,
        message: String,
    ) -> Option<T> {
        let span = value.as_ref().map_or(section.name.span, ValueSource::span);
        self.out.push(
            Diagnostic::error(code::LENGTH, span, format!("section `{}`: {message}", section.name.value)).help(
                "a section of n compartments has n lengths, n + 1 diameters and n + 1 points, or one value for all \
                 (2 points)",
            ),
        );
        None
    }

    /// A length, or a list of lengths.
    fn along(&mut self, value: &ValueSource, what: &str) -> Option<Along> {
        match value {
            ValueSource::Expression(text) => {
                let mut evaluator = Evaluator { world: self.world, out: &mut *self.out };
                evaluator.real(text, Dimension::METRE, what).map(Along::One)
            }
            ValueSource::List { values, unit } => {
                let scale = Scale::of(unit.as_ref(), self.out)?;
                if scale.dimension != Dimension::METRE {
                    let found = scale.dimension;
                    self.out.push(
                        Diagnostic::error(code::UNITS, values.span, format!("{what} is in `metre`")).help(
                            match found.is_none() {
                                true => "say the unit: `{ values = [...], unit = \"um\" }`".to_owned(),
                                false => advice(Dimension::METRE, found),
                            },
                        ),
                    );
                    return None;
                }
                if !all_finite(values, self.out) {
                    return None;
                }
                Some(Along::Each(values.values.iter().map(|x| scale.apply(*x)).collect()))
            }
            ValueSource::Column { column, .. } => {
                let message = "a morphology has no file from which a column could be taken".to_owned();
                self.out.push(
                    Diagnostic::error(code::UNSUPPORTED, column.span, message)
                        .help("write a length, or a list of lengths"),
                );
                None
            }
        }
    }
}
