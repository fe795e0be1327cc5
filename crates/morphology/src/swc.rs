//! Reads SWC files: one point of a neuron per line, `number type x y z radius parent`, lengths in micrometres.
//!
//! The rules are those of Brian 2. A section is an unbranched run of points of one type; every point of it is the end
//! of a compartment that begins at the point before it. A soma of one point is a sphere, and so is one of three points
//! that follows the convention of neuromorpho.org (two more points one radius away from the first). A section that
//! begins at a soma has the diameter of its own first point there.
//!
//! Lines that begin with `#`, text after a `#`, and empty lines are passed over. Sections are named after the type of
//! their points, `soma`, `axon`, `dend`, `apic` (types 1 to 4) or `other`; from the second on a number follows: `dend2`.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::{Morphology, MorphologyError, SectionSpec, Shape};

/// A mistake in an SWC file.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct SwcError {
    /// The line, counted from 1.
    pub line: usize,
    /// The bytes of the text that are wrong.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// How a file is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whether a soma of one point, or of three by convention, is a sphere.
    pub spherical_soma: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { spherical_soma: true }
    }
}

/// No more mistakes than this are reported of one file.
const MAX_ERRORS: usize = 20;

/// The type of a soma's points.
const SOMA: u32 = 1;

/// One line.
#[derive(Clone, Debug)]
struct Point {
    number: i64,
    kind: Kind,
    /// Micrometres.
    at: [f64; 3],
    /// Micrometres.
    diameter: f64,
    /// By its place among the points.
    parent: Option<usize>,
    children: Vec<usize>,
    line: usize,
    range: Range<usize>,
}

/// The types that are told apart; all others are one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Soma,
    Axon,
    Dendrite,
    Apical,
    Other,
}

impl Kind {
    fn of(number: u32) -> Self {
        match number {
            SOMA => Self::Soma,
            2 => Self::Axon,
            3 => Self::Dendrite,
            4 => Self::Apical,
            _ => Self::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Soma => "soma",
            Self::Axon => "axon",
            Self::Dendrite => "dend",
            Self::Apical => "apic",
            Self::Other => "other",
        }
    }
}

/// The neuron that an SWC file describes.
///
/// ```
/// let text = "1 1 0 0 0 5 -1\n2 3 0 10 0 1 1\n3 3 0 20 0 1 2\n";
/// let cell = neuropil_morphology::swc::parse(text, Default::default()).unwrap();
/// assert_eq!(cell.sections()[1].name, "dend");
/// assert_eq!(cell.compartments().len(), 3);
/// ```
///
/// # Errors
/// All mistakes that are found, at most twenty.
pub fn parse(text: &str, options: Options) -> Result<Morphology, Vec<SwcError>> {
    let mut errors = Vec::new();
    let mut points = read(text, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    if points.is_empty() {
        let range = 0..text.len();
        let help = Some("a point is a line such as `1 1 0 0 0 5 -1`".to_owned());
        return Err(vec![SwcError { line: 1, range, message: "the file has no points".to_owned(), help }]);
    }
    if options.spherical_soma {
        replace_three_points(&mut points).map_err(|e| vec![e])?;
    }
    let specs = sections(&points, options, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let first = &points[0];
    Morphology::new(&specs.iter().map(|(spec, _)| spec.clone()).collect::<Vec<_>>()).map_err(|error| {
        let place = match &error {
            MorphologyError::SecondRoot { section }
            | MorphologyError::Unreachable { section }
            | MorphologyError::Shape { section, .. } => specs.get(*section).map(|(_, p)| &points[*p]),
            MorphologyError::NoRoot | MorphologyError::TooMany => None,
        };
        vec![place.unwrap_or(first).error(error.to_string(), None)]
    })
}

impl Point {
    fn error(&self, message: String, help: Option<&str>) -> SwcError {
        SwcError { line: self.line, range: self.range.clone(), message, help: help.map(str::to_owned) }
    }
}

/// The points in the order of their lines.
fn read(text: &str, errors: &mut Vec<SwcError>) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    let mut by_number: BTreeMap<i64, usize> = BTreeMap::new();
    let mut begin = 0;
    for (k, whole) in text.split('\n').enumerate() {
        let start = begin;
        begin += whole.len() + 1;
        let content = whole.split('#').next().unwrap_or_default();
        let content = content.strip_prefix('\u{feff}').unwrap_or(content);
        if content.trim().is_empty() {
            continue;
        }
        if errors.len() >= MAX_ERRORS {
            break;
        }
        let line = Line { text, number: k + 1, range: start..start + whole.len(), content };
        match line.point(&by_number, points.is_empty()) {
            Ok(point) => {
                if let Some(first) = by_number.get(&point.number) {
                    let message = format!(
                        "two points have the number {}, the first in line {}",
                        point.number, points[*first].line
                    );
                    errors.push(point.error(message, Some("give each point a number of its own")));
                    continue;
                }
                let place = points.len();
                by_number.insert(point.number, place);
                if let Some(parent) = point.parent {
                    points[parent].children.push(place);
                }
                points.push(point);
            }
            Err(error) => errors.push(error),
        }
    }
    points
}

/// A line that is no comment.
struct Line<'a> {
    text: &'a str,
    number: usize,
    range: Range<usize>,
    content: &'a str,
}

impl Line<'_> {
    fn error(&self, range: Range<usize>, message: String, help: Option<&str>) -> SwcError {
        SwcError { line: self.number, range, message, help: help.map(str::to_owned) }
    }

    /// The words of the line, each with its place in the text.
    fn words(&self) -> Vec<(&str, Range<usize>)> {
        let base = self.content.as_ptr() as usize - self.text.as_ptr() as usize;
        let mut words = Vec::new();
        let mut start = None;
        for (at, c) in self.content.char_indices().chain([(self.content.len(), ' ')]) {
            match (c.is_whitespace(), start) {
                (false, None) => start = Some(at),
                (true, Some(first)) => {
                    words.push((&self.content[first..at], base + first..base + at));
                    start = None;
                }
                (true, None) | (false, Some(_)) => {}
            }
        }
        words
    }

    fn point(&self, known: &BTreeMap<i64, usize>, is_first: bool) -> Result<Point, SwcError> {
        let words = self.words();
        let whole = match (words.first(), words.last()) {
            (Some(first), Some(last)) => first.1.start..last.1.end,
            _ => self.range.clone(),
        };
        let [number, kind, x, y, z, radius, parent] = words.as_slice() else {
            let message = format!("a point has 7 numbers, this line has {} words", words.len());
            return Err(self.error(whole, message, Some("write `number type x y z radius parent`")));
        };
        let integer = |(word, range): &(&str, Range<usize>), what: &str| {
            word.parse::<i64>().map_err(|_| {
                self.error(range.clone(), format!("`{word}` is no {what}"), Some("write an integer"))
            })
        };
        let real = |(word, range): &(&str, Range<usize>), what: &str| match word.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(_) => Err(self.error(range.clone(), format!("the {what} is not finite"), None)),
            Err(_) => {
                Err(self.error(range.clone(), format!("`{word}` is no {what}"), Some("write a number")))
            }
        };
        let own = integer(number, "number of a point")?;
        let code = integer(kind, "type")?;
        let Ok(code) = u32::try_from(code) else {
            let help = "1 is soma, 2 axon, 3 dendrite, 4 apical dendrite, other types have no meaning here";
            return Err(self.error(kind.1.clone(), format!("there is no type {code}"), Some(help)));
        };
        let at = [real(x, "x coordinate")?, real(y, "y coordinate")?, real(z, "z coordinate")?];
        let half = real(radius, "radius")?;
        if half <= 0.0 || !(2.0 * half * 1e-6).is_normal() {
            let message = format!("the radius is {half}, it must be positive");
            return Err(self.error(radius.1.clone(), message, Some("measure it, or remove the point")));
        }
        let before = integer(parent, "number of a point")?;
        let parent_place = match (before, known.get(&before)) {
            (-1, None) if is_first => None,
            (_, Some(place)) => Some(*place),
            (-1, None) => {
                let message = "a second point has no parent".to_owned();
                let help = "a file describes one neuron, whose first point alone has the parent -1";
                return Err(self.error(parent.1.clone(), message, Some(help)));
            }
            (before, None) if before == own => {
                return Err(self.error(parent.1.clone(), format!("point {own} is its own parent"), None));
            }
            (before, None) => {
                let message = format!("no line above has the number {before}, the parent of point {own}");
                let help = if is_first {
                    "the first point has the parent -1"
                } else {
                    "put parents before their children"
                };
                return Err(self.error(parent.1.clone(), message, Some(help)));
            }
        };
        Ok(Point {
            number: own,
            kind: Kind::of(code),
            at,
            diameter: 2.0 * half,
            parent: parent_place,
            children: Vec::new(),
            line: self.number,
            range: whole,
        })
    }
}

/// Makes the soma of three points one: the first, if the others lie one radius away from it.
fn replace_three_points(points: &mut [Point]) -> Result<(), SwcError> {
    let root = &points[0];
    let somatic: Vec<usize> =
        root.children.iter().copied().filter(|c| points[*c].kind == Kind::Soma).collect();
    let &[second, third] = somatic.as_slice() else { return Ok(()) };
    let bare = |p: usize| points[p].children.is_empty();
    if root.kind != Kind::Soma || !bare(second) || !bare(third) {
        return Ok(());
    }
    const HELP: &str =
        "the convention is described at neuromorpho.org; `spherical_soma = false` takes the points as cones";
    for other in [second, third] {
        let other = &points[other];
        if (other.diameter - root.diameter).abs() >= 1e-15 {
            let message = "the three points of the soma have different radii".to_owned();
            return Err(other.error(message, Some(HELP)));
        }
        let d = [0, 1, 2].map(|k| other.at[k] - root.at[k]);
        let away = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt();
        let radius = root.diameter / 2.0;
        if (away - radius).abs() > 0.1 {
            let message = format!(
                "this point of a three-point soma is {away:.3} um away from the first, not one radius ({radius:.3} um)"
            );
            return Err(other.error(message, Some(HELP)));
        }
    }
    points[0].children.retain(|c| !somatic.contains(c));
    Ok(())
}

/// The sections, and the first point of each.
fn sections(points: &[Point], options: Options, errors: &mut Vec<SwcError>) -> Vec<(SectionSpec, usize)> {
    let mut specs: Vec<(SectionSpec, usize)> = Vec::new();
    let mut names: BTreeMap<Kind, usize> = BTreeMap::new();
    // The first point of a section, and the section that it hangs on.
    let mut open: Vec<(usize, Option<usize>)> = vec![(0, None)];
    while let Some((first, parent)) = open.pop() {
        let mut run = vec![first];
        let mut last = first;
        while let [only] = points[last].children.as_slice()
            && points[*only].kind == points[first].kind
        {
            run.push(*only);
            last = *only;
        }
        let kind = points[first].kind;
        let count = names.entry(kind).or_insert(0);
        *count += 1;
        let name = if *count == 1 { kind.name().to_owned() } else { format!("{}{count}", kind.name()) };
        let before = points[first].parent.map(|p| &points[p]);
        match shape(points, &run, before, options) {
            Ok(shape) => specs.push((SectionSpec { name, parent, shape }, first)),
            Err(error) => {
                errors.push(error);
                if errors.len() >= MAX_ERRORS {
                    break;
                }
                // A stand-in, so that what hangs on it can be looked at.
                specs.push((SectionSpec { name, parent, shape: Shape::soma(1e-6) }, first));
            }
        }
        let own = specs.len() - 1;
        open.extend(points[last].children.iter().rev().map(|child| (*child, Some(own))));
    }
    specs
}

/// The shape of a run of points.
fn shape(
    points: &[Point],
    run: &[usize],
    before: Option<&Point>,
    options: Options,
) -> Result<Shape, SwcError> {
    let metres = |p: [f64; 3]| [0, 1, 2].map(|k| p[k] * 1e-6);
    let first = &points[run[0]];
    if options.spherical_soma && run.len() == 1 && first.kind == Kind::Soma {
        return Ok(Shape::Soma { diameter: first.diameter * 1e-6, centre: Some(metres(first.at)) });
    }
    let mut bounds = Vec::with_capacity(run.len() + 1);
    let mut diameters = Vec::with_capacity(run.len() + 1);
    let mut list = run;
    let origin = before.map_or([0.0; 3], |b| b.at);
    match before {
        Some(parent) => {
            bounds.push([0.0; 3]);
            // The inside of a soma is not part of what grows from it.
            diameters.push(if parent.kind == Kind::Soma { first.diameter } else { parent.diameter });
        }
        None => {
            bounds.push(first.at);
            diameters.push(first.diameter);
            list = &run[1..];
            if list.is_empty() {
                let message = "the first section has a single point, which has no length".to_owned();
                let help = "begin with a point of type 1, a soma, or with two points of the same type";
                return Err(first.error(message, Some(help)));
            }
        }
    }
    for k in list {
        let point = &points[*k];
        let at = [0, 1, 2].map(|axis| point.at[axis] - origin[axis]);
        if bounds.last() == Some(&at) {
            let message =
                format!("point {} lies where its parent lies: a compartment without length", point.number);
            return Err(point.error(message, Some("remove it, and give its children its parent")));
        }
        bounds.push(at);
        diameters.push(point.diameter);
    }
    let shape = Shape::between(
        bounds.into_iter().map(metres).collect(),
        diameters.into_iter().map(|d| d * 1e-6).collect(),
    );
    match shape.check() {
        Ok(()) => Ok(shape),
        Err(error) => Err(first.error(error.to_string(), None)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn good(text: &str) -> Morphology {
        parse(text, Options::default()).unwrap_or_else(|e| panic!("{e:?}"))
    }

    fn bad(text: &str) -> Vec<(usize, String, String)> {
        let errors = parse(text, Options::default()).expect_err("mistakes");
        errors.into_iter().map(|e| (e.line, text[e.range].to_owned(), e.message)).collect()
    }

    const BRANCHED: &str = "# a cell\n\n1 1 0 0 0 10 -1\n2 3 10 0 0 1 1 # begins\n3 3 20 0 0 1 2\n4 3 30 5 0 0.5 3\n\
                            5 3 30 -5 0 0.5 3\r\n6 2 -10 0 0 0.5 1\n7 2 -60 0 0 0.5 6\n";

    #[test]
    fn runs_of_one_type_are_sections() {
        let m = good(BRANCHED);
        let names: Vec<_> = m.sections().iter().map(|s| (s.name.as_str(), s.start, s.len, s.stop)).collect();
        assert_eq!(
            names,
            [("soma", 0, 1, 7), ("dend", 1, 2, 5), ("dend2", 3, 1, 4), ("dend3", 4, 1, 5), ("axon", 5, 2, 7)]
        );
        let c = m.compartments();
        let um = |x: f64| (x * 1e6 * 1e6).round() / 1e6;
        assert_eq!((um(c[0].diameter), um(c[1].length), um(c[1].distance)), (20.0, 10.0, 5.0));
        assert_eq!(um(c[3].diameter), 1.5, "a branch begins as thick as its parent ends");
        assert_eq!(um(c[1].diameter), 2.0, "what grows from a soma begins as thick as its first point");
        assert_eq!(c[6].middle.map(|p| p.map(um)), Some([-35.0, 0.0, 0.0]));
        assert!(m.has_coordinates());
    }

    #[test]
    fn a_soma_of_three_points_is_a_sphere() {
        let text = "1 1 0 0 0 5 -1\n2 1 0 -5 0 5 1\n3 1 0 5 0 5 1\n4 3 0 15 0 1 1\n";
        let m = good(text);
        assert_eq!(m.compartments().len(), 2);
        assert!((m.compartments()[0].area - std::f64::consts::PI * 1e-10).abs() < 1e-22);
        let cones = parse(text, Options { spherical_soma: false });
        assert!(cones.is_err(), "a single point is no cone");
        let far = text.replace("3 1 0 5 0", "3 1 0 9 0");
        assert_eq!(bad(&far)[0].0, 3);
        let thick = text.replace("2 1 0 -5 0 5", "2 1 0 -5 0 4");
        assert_eq!(bad(&thick)[0].2, "the three points of the soma have different radii");
    }

    #[test]
    fn a_soma_of_many_points_is_a_row_of_cones() {
        let m = good("1 1 0 0 0 5 -1\n2 1 10 0 0 6 1\n3 1 20 0 0 4 2\n4 3 40 0 0 1 3\n");
        assert_eq!(m.sections()[0].len, 2);
        assert!((m.compartments()[0].diameter - 11e-6).abs() < 1e-18);
        assert!((m.compartments()[2].diameter - 2e-6).abs() < 1e-18);
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        let text = "1 1 0 0 0 5 -1\n2 3 0 10 0 1\n3 3 0 x 0 1 1\n4 3 0 10 0 0 1\n5 3 0 10 0 1 99\n6 3 1 1 1 1 6\n\
                    7 3 0 nan 0 1 1\n1 3 0 0 9 1 1\n8 -2 0 0 1 1 1\n9 2 0 0 0 1 -1\n10 3 0 1 0 1 1 # fine\n";
        let places: Vec<_> = bad(text).into_iter().map(|(line, word, _)| (line, word)).collect();
        let expected = [
            (2, "2 3 0 10 0 1"),
            (3, "x"),
            (4, "0"),
            (5, "99"),
            (6, "6"),
            (7, "nan"),
            (8, "1 3 0 0 9 1 1"),
            (9, "-2"),
            (10, "-1"),
        ];
        assert_eq!(places, expected.map(|(line, word)| (line, word.to_owned())));
    }

    #[test]
    fn files_that_describe_nothing_are_refused() {
        assert_eq!(bad("# nothing\n")[0].2, "the file has no points");
        assert_eq!(bad("")[0].0, 1);
        assert_eq!(bad("1 3 0 0 0 1 -1\n")[0].2, "the first section has a single point, which has no length");
        assert_eq!(bad("1 1 0 0 0 1 -1\n2 3 0 0 0 1 1\n")[0].0, 2);
        assert_eq!(bad("1 1 0 0 0 1 0\n")[0].1, "0");
        assert_eq!(bad("1 1 0 0 0 1e-320 -1\n")[0].1, "1e-320");
        assert!(!bad("1 1 0 0 0 1 -1\n2 3 1e200 0 0 1 1\n3 3 -1e308 0 0 1 2\n").is_empty());
    }

    #[test]
    fn no_more_mistakes_are_told_than_can_be_read() {
        assert_eq!(bad(&"x\n".repeat(1000)).len(), MAX_ERRORS);
    }

    #[test]
    fn a_long_neurite_takes_no_stack() {
        let mut text = String::from("1 1 0 0 0 5 -1\n");
        for k in 2..100_000 {
            // Types alternate, so that every point is a section of its own.
            text.push_str(&format!("{k} {} {k} 0 0 1 {}\n", 2 + k % 2, k - 1));
        }
        assert_eq!(good(&text).sections().len(), 99_999);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "([0-9 .#\\n-]|\\PC){0,80}") {
            let _ = parse(&text, Options::default());
        }

        #[test]
        fn no_change_of_a_file_makes_the_reader_panic(at in 0..BRANCHED.len(), with in "[-0-9 .e#\\n]{0,4}", len in 0_usize..9) {
            let end = (at + len).min(BRANCHED.len());
            let text = format!("{}{with}{}", &BRANCHED[..at], &BRANCHED[end..]);
            for spherical_soma in [true, false] {
                match parse(&text, Options { spherical_soma }) {
                    Ok(m) => prop_assert!(m.compartments().iter().all(|c| c.area > 0.0 && c.r_length_1 > 0.0)),
                    Err(errors) => prop_assert!(errors.iter().all(|e| text.get(e.range.clone()).is_some())),
                }
            }
        }
    }
}
