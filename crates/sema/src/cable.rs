//! Populations whose elements are compartments: what a neuron model gains by a morphology, and its views by section.

use std::sync::Arc;

use neuropil_base::{Diagnostic, Diagnostics, ScalarType, Span, Spanned, Text, nearest};
use neuropil_math::{BinaryOp, CompareOp};
use neuropil_model::{Cable, Expr, ExprKind, Extent, Initial, Placed, PopulationId, Side, VariableId};
use neuropil_morphology::{Compartment, Morphology, Section, SectionSpec, Shape};
use neuropil_source::{Assignment, PopulationSource, SectionValues, ValueSource, ViewSource};
use neuropil_syntax::{
    BinaryOp as Operator, Equation, EquationKind, Equations, Expr as Ast, ExprKind as AstKind,
    parse_equations,
};
use neuropil_units::Dimension;

use crate::code;
use crate::constant::Evaluator;
use crate::declare::unit_dimension;
use crate::dim::{Dim, advice};
use crate::initial::{Count, Receiver, check_initial};
use crate::population::{Pop, Tools};
use crate::scope::World;
use crate::typing::in_unit;

/// The membrane current.
const CURRENT: &str = "Im";

/// The flag of a current that enters a compartment at a point, in ampere.
pub(crate) const POINT_CURRENT: &str = "point current";

/// What every compartment has. Geometry comes first, so that the initial values of all else may use it.
const GEOMETRY: &str = "length : meter (constant)
diameter : meter (constant)
area : meter**2 (constant)
volume : meter**3 (constant)
distance : meter (constant)
r_length_1 : meter (constant)
r_length_2 : meter (constant)
";

/// What it has if the morphology has coordinates.
const COORDINATES: &str = "x : meter (constant)
y : meter (constant)
z : meter (constant)
";

/// Which neuron it belongs to, and its number there, unless the model uses the names.
const PLACES: [&str; 2] = ["cell", "compartment"];

/// What is physical about it.
const MEMBRANE: &str = "Cm : farad/meter**2 (constant)
Ri : ohm*meter (constant)
v : volt
";

/// What charges the membrane, kept for models that name it.
const CHARGING: &str = "Ic";

/// The values of `Cm` and `Ri` if the model has none: Brian 2's.
const USUAL: [(&str, &str); 2] = [("Cm", "0.9*uF/cm**2"), ("Ri", "150*ohm*cm")];

/// The neurons of a population with a morphology.
#[derive(Clone, Debug)]
pub(crate) struct Cells {
    /// The name of the morphology.
    pub(crate) name: String,
    pub(crate) morphology: Arc<Morphology>,
    /// How many.
    pub(crate) count: u32,
    /// Where the membrane current was defined.
    current: Span,
}

impl Cells {
    /// Compartments of one neuron.
    fn compartments(&self) -> u32 {
        self.morphology.compartments().len() as u32
    }
}

/// Whether texts name what charges the membrane.
pub(crate) fn names_charging<'t>(mut texts: impl Iterator<Item = &'t str>) -> bool {
    texts.any(|t| t.contains(CHARGING))
}

/// Whether the equations are meant for compartments: they have a membrane current and no voltage.
pub(crate) fn is_for_compartments(equations: &Equations) -> bool {
    let current = equations.get(CURRENT).is_some_and(|e| matches!(e.kind, EquationKind::Subexpression(_)));
    current && equations.get("v").is_none()
}

/// Makes the equations of a model those of a compartment: with what every compartment has, and with point currents as
/// part of the membrane current; `charging` if it has what charges the membrane. Returns where that is defined; none if it is not.
pub(crate) fn complete(
    equations: &mut Equations,
    (coordinates, charging): (bool, bool),
    model: &Spanned<String>,
    out: &mut Diagnostics,
) -> Option<Span> {
    let mut text = GEOMETRY.to_owned();
    if coordinates {
        text.push_str(COORDINATES);
    }
    for name in PLACES {
        if equations.get(name).is_none() {
            text.push_str(&format!("{name} : integer (constant)\n"));
        }
    }
    text.push_str(MEMBRANE);
    if charging {
        text.push_str(&format!("{CHARGING} : amp/meter**2\n"));
    }
    let (given, _) = parse_equations(&Text::new(text, Span::NONE));
    equations.list.retain(|equation| {
        let name = &equation.name;
        let taken = given.get(&name.value).is_some();
        if taken {
            let message = format!("`{}` is given to every compartment by its morphology", name.value);
            let help = match name.value.as_str() {
                "v" => "leave the equation away: the voltage follows from the membrane current `Im`",
                "Cm" | "Ri" => {
                    "leave the equation away, and give its value to the population: `Cm = \"1 uF/cm2\"`"
                }
                _ => "leave the equation away, or choose another name",
            };
            out.push(Diagnostic::error(code::RESERVED, name.span, message).help(help));
        }
        !taken
    });
    let points = point_currents(equations, out);
    let current = membrane_current(equations, points, model, out);
    let own = std::mem::take(&mut equations.list);
    equations.list = given.list.into_iter().chain(own).collect();
    current
}

/// Takes the flag `point current` off, and returns the names that had it.
fn point_currents(equations: &mut Equations, out: &mut Diagnostics) -> Vec<(String, Span)> {
    let mut points = Vec::new();
    for equation in &mut equations.list {
        let Some(at) = equation.flags.iter().position(|f| f.name == POINT_CURRENT) else { continue };
        let flag = equation.flags.remove(at);
        equation.flags.retain(|f| f.name != POINT_CURRENT);
        let name = &equation.name;
        if name.value == CURRENT {
            out.push(
                Diagnostic::error(code::FLAG, flag.span, format!("`{CURRENT}` is no point current"))
                    .help("it is the current per area; point currents are added to it"),
            );
            continue;
        }
        let found = equation.unit.as_ref().and_then(|u| unit_dimension(u, &mut Diagnostics::new()));
        if let Some(found) = found.filter(|d| *d != Dimension::AMPERE) {
            let message = format!("a point current is in `amp`, `{}` is in `{found}`", name.value);
            out.push(
                Diagnostic::error(code::UNITS, name.span, message)
                    .label(in_unit(found).trim_start())
                    .help(advice(Dimension::AMPERE, found)),
            );
            continue;
        }
        points.push((name.value.clone(), flag.span));
    }
    points
}

/// Adds point currents to the membrane current; where that is defined.
fn membrane_current(
    equations: &mut Equations,
    points: Vec<(String, Span)>,
    model: &Spanned<String>,
    out: &mut Diagnostics,
) -> Option<Span> {
    let Some(equation) = equations.list.iter_mut().find(|e| e.name.value == CURRENT) else {
        let message = format!("neuron `{}` has no membrane current `{CURRENT}`", model.value);
        out.push(
            Diagnostic::error(code::MISSING, model.span, message)
                .help("add the current into the compartment per area: `Im = gl*(El - v) : amp/meter**2`"),
        );
        return None;
    };
    let span = equation.name.span;
    if let Some(flag) = equation.flags.first() {
        out.push(
            Diagnostic::error(
                code::FLAG,
                flag.span,
                format!("the membrane current `{CURRENT}` has no flags"),
            )
            .help("leave the flag away"),
        );
        equation.flags.clear();
    }
    let expected = Dimension::AMPERE.div(Dimension::METRE2);
    let found = equation.unit.as_ref().and_then(|u| unit_dimension(u, &mut Diagnostics::new()));
    if let Some(found) = found.filter(|d| *d != expected) {
        let message = format!("the membrane current `{CURRENT}` is in `amp/meter**2`, not in `{found}`");
        out.push(
            Diagnostic::error(code::UNITS, span, message)
                .help("divide by the `area`, or flag a current in `amp` as `(point current)`"),
        );
        return None;
    }
    let EquationKind::Subexpression(current) = &mut equation.kind else {
        out.push(
            Diagnostic::error(
                code::MISSING,
                span,
                format!("the membrane current `{CURRENT}` has no expression"),
            )
            .help(format!("write `{CURRENT} = gl*(El - v) : amp/meter**2`")),
        );
        return None;
    };
    for (name, span) in points {
        let named = |name: String| Ast::new(AstKind::Name(name), span);
        let join = |op, a, b| Ast::new(AstKind::Binary(op, Box::new(a), Box::new(b)), span);
        let density = join(Operator::Div, named(name), named("area".to_owned()));
        let place = current.span;
        let before = std::mem::replace(current, Ast::new(AstKind::Error, span));
        *current = Ast { span: place, ..join(Operator::Add, before, density) };
    }
    Some(span)
}

/// Refuses what only populations with a morphology have.
pub(crate) fn refuse_fields(source: &PopulationSource, out: &mut Diagnostics) {
    let fields = [
        ("Cm", source.capacitance.as_ref().map(ValueSource::span)),
        ("Ri", source.resistivity.as_ref().map(ValueSource::span)),
        ("threshold_location", source.threshold_location.as_ref().map(|t| t.span)),
    ];
    for (name, span) in fields {
        let Some(span) = span else { continue };
        let message =
            format!("`{name}` belongs to compartments, population `{}` has none", source.name.value);
        out.push(
            Diagnostic::error(code::MISSING, span, message)
                .help("give the population a shape: `morphology = \"NAME\"`"),
        );
    }
}

/// The initial values of a population with a morphology: the usual ones, the model's, the population's.
pub(crate) fn initial(source: &PopulationSource, model: &[Assignment]) -> Vec<Assignment> {
    let named = |name: &str| Spanned::new(name.to_owned(), Span::NONE);
    let usual = USUAL.map(|(name, value)| Assignment { name: named(name), value: value.into() });
    let fields = [("Cm", &source.capacitance), ("Ri", &source.resistivity)];
    let fields = fields.into_iter().filter_map(|(name, value)| {
        let value = value.clone()?;
        Some(Assignment { name: Spanned::new(name.to_owned(), value.span()), value })
    });
    usual
        .into_iter()
        .chain(model.iter().cloned())
        .chain(fields)
        .chain(source.initial.iter().cloned())
        .collect()
}

/// The neurons of a population, once its model is [`complete`].
pub(crate) fn cells(name: &str, morphology: &Arc<Morphology>, count: u32, current: Span) -> Cells {
    Cells { name: name.to_owned(), morphology: Arc::clone(morphology), count, current }
}

/// The neurons of a model that no population has: one compartment each.
pub(crate) fn stand_in(current: Span) -> Option<Cells> {
    let shape = Shape::Soma { diameter: 1e-5, centre: Some([0.0; 3]) };
    let spec = SectionSpec { name: "soma".to_owned(), parent: None, shape };
    let morphology = Arc::new(Morphology::new(&[spec]).ok()?);
    Some(Cells { name: "no morphology".to_owned(), morphology, count: 1, current })
}

/// Warns of constants that a name of every compartment hides.
pub(crate) fn warn_of_hidden(constants: &[neuropil_source::Constant], out: &mut Diagnostics) {
    let hidden: Vec<&str> =
        [GEOMETRY, MEMBRANE].iter().flat_map(|t| t.lines()).filter_map(|l| l.split(' ').next()).collect();
    for constant in constants.iter().filter(|c| hidden.contains(&c.name.value.as_str())) {
        let name = &constant.name.value;
        let message = format!("the constant `{name}` is hidden by the `{name}` of every compartment");
        out.push(
            Diagnostic::warning(code::SHADOWED, constant.name.span, message)
                .help("rename the constant: equations of compartments see their own value"),
        );
    }
}

impl Pop {
    /// Gives compartments their geometry, and refuses other values for it.
    pub(crate) fn set_geometry(&mut self, out: &mut Diagnostics) {
        let Some(cells) = &self.cells else { return };
        let in_sections = self.section_values.iter().flat_map(|s| &s.values);
        for assignment in self.initial.iter().chain(in_sections) {
            let name = assignment.name.value.as_str();
            let mut lines = GEOMETRY.lines().chain(COORDINATES.lines()).filter_map(|l| l.split(' ').next());
            if lines.any(|n| n == name) && self.declared.symbols.get(name).is_some() {
                let message = format!("`{name}` follows from the morphology, so it has no initial value");
                out.push(
                    Diagnostic::error(code::NOT_ASSIGNABLE, assignment.name.span, message)
                        .help(format!("change the sections of `{}`", cells.name)),
                );
            }
        }
        let axis = |k: usize| move |c: &Compartment| c.middle.map_or(0.0, |m| m[k]);
        let mut set = |name: &str, value: &dyn Fn(&Compartment) -> f64| {
            let Some(symbol) = self.declared.symbols.get(name) else { return };
            let once = cells.morphology.compartments().iter().map(value);
            let values = (0..cells.count).flat_map(|_| once.clone()).collect();
            self.declared.variables[symbol.id.index()].initial = Initial::Values(values);
        };
        set("length", &|c| c.length);
        set("diameter", &|c| c.diameter);
        set("area", &|c| c.area);
        set("volume", &|c| c.volume);
        set("distance", &|c| c.distance);
        set("r_length_1", &|c| c.r_length_1);
        set("r_length_2", &|c| c.r_length_2);
        if cells.morphology.has_coordinates() {
            set("x", &axis(0));
            set("y", &axis(1));
            set("z", &axis(2));
        }
        let n = cells.compartments();
        for (k, name) in PLACES.into_iter().enumerate() {
            // A variable of the model's own has a place in its text.
            let Some(symbol) = self.declared.symbols.get(name).filter(|s| s.span == Span::NONE) else {
                continue;
            };
            let number = |i: u32| f64::from(if k == 0 { i / n } else { i % n });
            let values = (0..n * cells.count).map(number).collect();
            self.declared.variables[symbol.id.index()].initial = Initial::Values(values);
        }
    }

    /// Gives variables the values that they have in sections.
    pub(crate) fn set_in_sections(&mut self, id: PopulationId, tools: &mut Tools<'_>) {
        let sections = std::mem::take(&mut self.section_values);
        for SectionValues { section, values } in &sections {
            let Some(range) = self.cells.as_ref().and_then(|c| Some(c.section(section, tools.out)?.1)) else {
                continue;
            };
            for assignment in values {
                self.set_in_section(id, &section.value, range, assignment, tools);
            }
        }
        self.section_values = sections;
    }

    fn set_in_section(
        &mut self,
        id: PopulationId,
        section: &str,
        (start, len): (u32, u32),
        assignment: &Assignment,
        tools: &mut Tools<'_>,
    ) {
        let name = &assignment.name;
        let what = format!("section `{section}` of population `{}`", self.population.name);
        let receiver = Receiver {
            home: self.home(id),
            what: &what,
            count: Count::Known(u64::from(len)),
            from_file: false,
        };
        let given = check_initial(&self.declared, std::slice::from_ref(assignment), receiver, tools);
        let Some((variable, value)) = given.into_iter().next() else { return };
        let info = &self.declared.variables[variable.index()];
        let mut refuse = |code, message: String, help: &str| {
            tools.out.push(Diagnostic::error(code, name.span, message).help(help));
        };
        if info.extent == Extent::Shared {
            let message = format!("`{}` has one value for all compartments", name.value);
            return refuse(code::NOT_SHARED, message, "declare it without `shared`");
        }
        let value = match value {
            Initial::Expr(value) => value,
            Initial::Zero | Initial::Column(_) | Initial::Values(_) => {
                let message = format!("`{}` is given a list of values in {what}", name.value);
                let help = "write an expression, or list the values of all compartments";
                return refuse(code::UNSUPPORTED, message, help);
            }
        };
        let arith = tools.world.arith;
        let before = match &info.initial {
            Initial::Zero => arith.convert(arith.real(0.0), info.ty),
            Initial::Expr(before) => before.clone(),
            Initial::Column(_) | Initial::Values(_) => {
                let message = format!("`{}` has a list of values, one for each compartment", name.value);
                return refuse(code::UNSUPPORTED, message, "change the list");
            }
        };
        let Some(own) = self.cells.as_ref().map(Cells::own_number) else { return };
        let at = |n: u32| Expr::integer(n as i32);
        let inside = arith.and(
            arith.compare(CompareOp::Ge, own.clone(), at(start)),
            arith.compare(CompareOp::Lt, own, at(start + len)),
        );
        let value = arith.select(inside, value, before);
        self.declared.variables[variable.index()].initial = Initial::Expr(value);
    }

    /// What the network must know of the compartments, once all variables are declared.
    pub(crate) fn cable(&self, placed: Placed) -> Option<Cable> {
        let cells = self.cells.as_ref()?;
        let id = |name: &str| -> Option<VariableId> { self.declared.symbols.get(name).map(|s| s.id) };
        Some(Cable {
            morphology: cells.name.clone(),
            tree: Arc::new(cells.morphology.tree()),
            cells: cells.count,
            voltage: id("v")?,
            current: id(CURRENT)?,
            area: id("area")?,
            capacitance: id("Cm")?,
            resistivity: id("Ri")?,
            charging: id(CHARGING),
            r_length_1: id("r_length_1")?,
            r_length_2: id("r_length_2")?,
            placed,
            span: cells.current,
        })
    }

    /// The condition that a compartment is the one at `location`.
    pub(crate) fn at_location(&self, location: &Text, world: &World, out: &mut Diagnostics) -> Option<Expr> {
        let cells = self.cells.as_ref()?;
        let at = cells.location(location, world, out)?;
        let arith = world.arith;
        Some(arith.compare(CompareOp::Eq, cells.own_number(), Expr::integer(at as i32)))
    }
}

impl Cells {
    /// The compartment that a text names: `3`, `soma`, `axon[10]`.
    fn location(&self, text: &Text, world: &World, out: &mut Diagnostics) -> Option<u32> {
        let trimmed = text.text.trim();
        let (name, index) = match trimmed.strip_suffix(']').and_then(|t| t.split_once('[')) {
            Some((name, index)) => (name.trim(), Some(index)),
            None => (trimmed, None),
        };
        let number = |text: &Text, out: &mut Diagnostics| {
            (Evaluator { world, out }).count(text, "the number of a compartment")
        };
        let (start, len, at) = match (self.morphology.section(name), index) {
            (Some(section), Some(index)) => {
                (section.start, section.len, number(&Text::new(index, text.span), out)?)
            }
            (Some(section), None) if section.len > 1 => {
                let message = format!("section `{name}` has {} compartments", section.len);
                out.push(Diagnostic::error(code::LENGTH, text.span, message).help(format!(
                    "say which of them: `{name}[0]` is the first, `{name}[{}]` the last",
                    section.len - 1
                )));
                return None;
            }
            (Some(section), None) => (section.start, 1, 0),
            (None, Some(_)) => {
                self.unknown_section(name, text.span, out);
                return None;
            }
            // A word that is neither a section nor a constant is meant to be a section.
            (None, None) if is_word(name) && !world.constants.contains_key(name) => {
                self.unknown_section(name, text.span, out);
                return None;
            }
            (None, None) => (0, self.compartments(), number(text, out)?),
        };
        if at >= u64::from(len) {
            out.push(
                Diagnostic::error(code::RANGE, text.span, format!("there is no compartment {at}"))
                    .help(format!("compartments are counted from 0, the last is {}", len - 1)),
            );
            return None;
        }
        Some(start + at as u32)
    }

    fn unknown_section(&self, name: &str, span: Span, out: &mut Diagnostics) {
        let message = format!("morphology `{}` has no section `{name}`", self.name);
        let names: Vec<&str> = self.morphology.sections().iter().map(|s| s.name.as_str()).collect();
        let mut d = Diagnostic::error(code::UNKNOWN_NAME, span, message);
        if let Some(near) = nearest(name, names.iter().copied()) {
            d = d.help(format!("did you mean `{near}`?"));
        } else if names.len() <= 12 {
            let list: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
            d = d.help(format!("its sections are {}", list.join(", ")));
        }
        out.push(d);
    }

    /// A section by its name, and the compartments that the name stands for: all that hangs on it, or with `.main` the
    /// section alone.
    fn section(&self, name: &Spanned<String>, out: &mut Diagnostics) -> Option<(&Section, (u32, u32))> {
        let (bare, alone) = match name.value.strip_suffix(".main") {
            Some(bare) => (bare, true),
            None => (name.value.as_str(), false),
        };
        let Some(section) = self.morphology.section(bare) else {
            self.unknown_section(bare, name.span, out);
            return None;
        };
        let len = if alone { section.len } else { section.stop - section.start };
        Some((section, (section.start, len)))
    }

    /// The number of a compartment within its neuron.
    fn own_number(&self) -> Expr {
        let own = Expr::new(ExprKind::Index(Side::Own), ScalarType::I32);
        if self.count == 1 {
            return own;
        }
        let n = Box::new(Expr::integer(self.compartments() as i32));
        Expr::new(ExprKind::Binary(BinaryOp::Rem, Box::new(own), n), ScalarType::I32)
    }

    /// The compartments of a view by section: the first, and how many.
    pub(crate) fn view(&self, view: &ViewSource, world: &World, out: &mut Diagnostics) -> Option<(u32, u32)> {
        let cell = match &view.cell {
            Some(text) => {
                let cell = (Evaluator { world, out: &mut *out }).count(text, "the number of a neuron")?;
                if cell >= u64::from(self.count) {
                    out.push(
                        Diagnostic::error(code::RANGE, text.span, format!("there is no neuron {cell}"))
                            .help(format!("neurons are counted from 0, the last is {}", self.count - 1)),
                    );
                    return None;
                }
                cell as u32
            }
            None if self.count > 1 => {
                let message = format!("the view does not say which of {} neurons is meant", self.count);
                out.push(Diagnostic::error(code::MISSING, view.name.span, message).help(
                    "add `cell = 0`, for instance: a view is a contiguous range, and the compartments of one neuron \
                     follow those of another",
                ));
                return None;
            }
            None => 0,
        };
        let (mut start, mut len) = (0, self.compartments());
        let mut lengths = self.morphology.compartments();
        if let Some(name) = &view.section {
            let section = self.section(name, out)?;
            (start, len) = section.1;
            lengths = &lengths[start as usize..(start + section.0.len) as usize];
        }
        let first = cell * self.compartments() + start;
        if !view.has_range() {
            return Some((first, len));
        }
        let from = position(&view.start, lengths, false, world, out)?;
        let to = position(&view.stop, lengths, true, world, out)?;
        if from >= to || to > len {
            let message = format!("there are no compartments {from} to {to} in this view");
            out.push(
                Diagnostic::error(code::RANGE, view.stop.span, message)
                    .help(format!("a range is within 0 and {len}, its end not included")),
            );
            return None;
        }
        Some((first + from, to - from))
    }
}

fn is_word(text: &str) -> bool {
    crate::constant::is_identifier(text)
}

/// An end of a range of compartments: their number, or a length along a section. A length that is the border of two
/// compartments begins with the second and ends with the first.
fn position(
    text: &Text,
    compartments: &[Compartment],
    is_end: bool,
    world: &World,
    out: &mut Diagnostics,
) -> Option<u32> {
    let is_length = {
        let mut unheard = Diagnostics::new();
        let value = (Evaluator { world, out: &mut unheard }).value(text);
        value.is_some_and(|v| v.dim == Dim::Known(Dimension::METRE))
    };
    let mut evaluator = Evaluator { world, out: &mut *out };
    if !is_length {
        return evaluator.count(text, "the end of a range").map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    }
    let at = evaluator.real(text, Dimension::METRE, "the end of a range")?;
    let total: f64 = compartments.iter().map(|c| c.length).sum();
    if !(0.0..=total * (1.0 + 1e-12)).contains(&at) {
        out.push(
            Diagnostic::error(code::RANGE, text.span, format!("{at} m is not on the section"))
                .help(format!("it is {total} m long")),
        );
        return None;
    }
    let (mut k, mut way) = (0, 0.0);
    for c in compartments {
        let border = way + c.length;
        let near = (at - border).abs() < 1e-12 * total;
        if at < border && !near || near && is_end {
            break;
        }
        way = border;
        k += 1;
    }
    let inside = at > 1e-12 * total;
    Some(if is_end && inside { (k + 1).min(compartments.len() as u32) } else { k })
}

/// What is missing to make a model with a membrane current a neuron: said once per population.
pub(crate) fn lacks_morphology(source: &PopulationSource, current: &Equation, out: &mut Diagnostics) {
    let message = format!(
        "neuron `{}` has a membrane current, but population `{}` no `morphology`",
        source.neuron.value, source.name.value
    );
    out.push(
        Diagnostic::error(code::MISSING, source.name.span, message)
            .related(current.name.span, "the current per area of a compartment")
            .help("add `morphology = \"NAME\"`, or an equation `dv/dt = ...` to the neuron"),
    );
}

/// How many compartments a population has; a diagnostic if they are too many.
pub(crate) fn total(count: u32, morphology: &Morphology, place: Span, out: &mut Diagnostics) -> Option<u32> {
    let total = u64::from(count) * morphology.compartments().len() as u64;
    if total <= i32::MAX as u64 {
        return Some(total as u32);
    }
    out.push(
        Diagnostic::error(code::RANGE, place, format!("{total} compartments are too many"))
            .help(format!("the limit is {}", i32::MAX)),
    );
    None
}

/// Whether an equation of a population without morphology has the flag `point current`.
pub(crate) fn refuse_point_current(name: &str, equations: &Equations, out: &mut Diagnostics) {
    for equation in &equations.list {
        if let Some(flag) = equation.flag(POINT_CURRENT) {
            let message = format!("`{name}` has no compartments with a membrane");
            out.push(
                Diagnostic::error(code::FLAG, flag.span, message)
                    .label("a point current enters a compartment")
                    .help("give the population a `morphology`, and the neuron a membrane current `Im`"),
            );
        }
    }
}
