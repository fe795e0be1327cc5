//! Names: what each means where it stands.
//!
//! The order in which a name is sought: locals of the block; variables of the object itself; names that
//! the language gives (`t`, `dt`, `i`, ...); variables of the neurons at either end of a synapse
//! (`v_pre`, `v_post`, `pre.v`, `post.v`, and a bare `v` for the postsynaptic neuron); constants of the
//! model; units; mathematical and physical constants.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use neuropil_base::{Precision, Scalar, ScalarType, Span};
use neuropil_math::Function;
use neuropil_model::{
    Arith, Expr, ExprKind, Extent, ObjectId, PopulationId, ProjectionId, Side, SiteId, VarRef, Variable,
    VariableId, VariableKind,
};
use neuropil_units::{Dimension, Unit};

use crate::dim::Dim;
use crate::ends::NUMBERS;

/// What code must know of one variable.
#[derive(Clone, Debug)]
pub(crate) struct Symbol {
    pub(crate) id: VariableId,
    pub(crate) ty: ScalarType,
    /// Unknown if its unit could not be read.
    pub(crate) dim: Dim,
    pub(crate) extent: Extent,
    pub(crate) class: Class,
    /// Whether it is a subexpression with white noise in it.
    pub(crate) noise: bool,
    /// Whether it is another name for an element of another variable.
    pub(crate) linked: bool,
    pub(crate) span: Span,
}

/// What may be done with a variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// Read and written.
    Writable,
    /// A parameter that was flagged `constant`.
    Constant,
    /// A name for an expression.
    Subexpression,
    /// Receives a weighted sum.
    SumTarget,
    /// Receives weighted sums, but not every neuron of its population does: the others keep what they start with.
    PartSumTarget,
    /// Given by the simulation.
    Given,
}

/// The variables of one object by name.
#[derive(Clone, Default, Debug)]
pub(crate) struct Symbols {
    map: IndexMap<String, Symbol>,
}

impl Symbols {
    /// Those of a finished object.
    pub(crate) fn of(variables: &[Variable]) -> Self {
        let mut symbols = Self::default();
        for (index, variable) in variables.iter().enumerate() {
            symbols.insert(index, variable, Dim::Known(variable.dimension));
        }
        symbols
    }

    /// Adds the `index`-th variable of an object.
    pub(crate) fn insert(&mut self, index: usize, variable: &Variable, dim: Dim) {
        let class = match &variable.kind {
            VariableKind::State
            | VariableKind::Parameter { constant: false }
            | VariableKind::LastSpike
            | VariableKind::NotRefractory
            | VariableKind::Link(_) => Class::Writable,
            VariableKind::Parameter { constant: true } => Class::Constant,
            VariableKind::Subexpression(_) | VariableKind::Held => Class::Subexpression,
            VariableKind::SumTarget => Class::SumTarget,
            VariableKind::Degree(_) | VariableKind::Count => Class::Given,
        };
        let noise = match &variable.kind {
            VariableKind::Subexpression(e) => e.any(&mut |e| matches!(e.kind, ExprKind::Noise(_))),
            VariableKind::State
            | VariableKind::Parameter { .. }
            | VariableKind::LastSpike
            | VariableKind::NotRefractory
            | VariableKind::SumTarget
            | VariableKind::Held
            | VariableKind::Link(_)
            | VariableKind::Degree(_)
            | VariableKind::Count => false,
        };
        let symbol = Symbol {
            id: VariableId::new(index),
            ty: variable.ty,
            dim,
            extent: variable.extent,
            class,
            noise,
            linked: matches!(variable.kind, VariableKind::Link(_)),
            span: variable.span,
        };
        self.map.insert(variable.name.clone(), symbol);
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Symbol> {
        self.map.get(name)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Symbol> {
        self.map.get_mut(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.map.keys().map(String::as_str)
    }
}

/// A constant of the model.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) scalar: Scalar,
    pub(crate) dim: Dim,
}

/// A timed array as expressions see it.
#[derive(Clone, Debug)]
pub(crate) struct TableInfo {
    pub(crate) name: String,
    pub(crate) columns: usize,
    pub(crate) dim: Dim,
}

/// What every piece of code can see.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) arith: Arith,
    pub(crate) constants: IndexMap<String, Value>,
    /// By [`TableId`](neuropil_model::TableId).
    pub(crate) tables: Vec<TableInfo>,
    /// The slots of a step.
    pub(crate) schedule: neuropil_model::Schedule,
}

impl World {
    /// The precision of the network's real numbers.
    pub(crate) fn precision(&self) -> Precision {
        if self.arith.float() == ScalarType::F32 { Precision::F32 } else { Precision::F64 }
    }
}

/// Sites of random numbers that have been given away.
#[derive(Clone, Default, Debug)]
pub(crate) struct Sites {
    next: u32,
    noise: BTreeMap<(ObjectId, String), SiteId>,
}

impl Sites {
    /// Sites from `next` on are free.
    pub(crate) fn from(next: u32) -> Self {
        Self { next, noise: BTreeMap::new() }
    }

    /// The first that is free.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// A site that nobody has.
    pub(crate) fn fresh(&mut self) -> SiteId {
        let site = SiteId::new(self.next as usize);
        self.next = self.next.saturating_add(1);
        site
    }

    /// The site of an object's noise process of that name.
    pub(crate) fn noise(&mut self, object: ObjectId, name: &str) -> SiteId {
        if let Some(site) = self.noise.get(&(object, name.to_owned())) {
            return *site;
        }
        let site = self.fresh();
        self.noise.insert((object, name.to_owned()), site);
        site
    }
}

/// The weighted sums that a population collects: channel to the variables that are added.
pub(crate) type Channels = BTreeMap<String, Vec<String>>;

/// Where a piece of code stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Home<'a> {
    /// Settings and constants: no object.
    Nowhere,
    /// Code of a population.
    Neuron { id: PopulationId, symbols: &'a Symbols, channels: &'a Channels, size: u32 },
    /// Code of a projection, run per synapse.
    Synapse { id: ProjectionId, symbols: &'a Symbols, pre: Neurons<'a>, post: Neurons<'a> },
    /// A condition over pairs of neurons that decides which become synapses; `exist` if there are some already.
    Pairs { id: ProjectionId, symbols: &'a Symbols, pre: Neurons<'a>, post: Neurons<'a>, exist: bool },
}

/// The neurons at one end of a projection, or the synapses of another one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neurons<'a> {
    pub(crate) object: ObjectId,
    pub(crate) symbols: &'a Symbols,
    /// How many, if that is known before synapses are made.
    pub(crate) size: Option<u32>,
}

/// What a name means.
#[derive(Clone, Debug)]
pub(crate) enum Found<'a> {
    /// A variable.
    Variable(VarRef, &'a Symbol),
    /// Something the language gives.
    Given(Expr, Dim, Extent),
    /// A constant of the model.
    Constant(&'a Value),
    /// A unit.
    Unit(Unit),
    /// It would mean something elsewhere; what to say, and what to write.
    Refused(String, String),
}

/// Names that the language gives a meaning, and what they mean.
pub(crate) const GIVEN: [(&str, &str); 13] = [
    ("t", "the time"),
    ("dt", "the step"),
    ("t_in_timesteps", "the number of the step"),
    ("i", "the number of the neuron"),
    ("j", "the number of the postsynaptic neuron"),
    ("N", "the number of neurons"),
    ("N_pre", "the number of presynaptic neurons"),
    ("N_post", "the number of postsynaptic neurons"),
    ("N_incoming", "the number of synapses of the postsynaptic neuron"),
    ("N_outgoing", "the number of synapses of the presynaptic neuron"),
    ("lastspike", "the time of the last spike"),
    ("not_refractory", "whether the neuron is out of its refractory period"),
    ("xi", "white noise"),
];

/// Whether `name` is that of a noise process: `xi`, `xi_1`, ...
pub(crate) fn is_noise(name: &str) -> bool {
    name == "xi" || name.starts_with("xi_")
}

/// What `name` already means, if a variable must not be called so.
pub(crate) fn reserved(name: &str) -> Option<String> {
    if is_noise(name) {
        return Some("white noise".to_owned());
    }
    if let Some((_, meaning)) = GIVEN.iter().find(|(n, _)| *n == name) {
        return Some((*meaning).to_owned());
    }
    if math_constant(name).is_some() {
        return Some("a mathematical constant".to_owned());
    }
    if neuropil_units::lookup(name).is_some() {
        return Some("a unit".to_owned());
    }
    if Function::from_name(name).is_some() || crate::call::FUNCTIONS.contains(&name) {
        return Some("a function".to_owned());
    }
    None
}

/// `pi`, `e`, `inf`.
pub(crate) fn math_constant(name: &str) -> Option<f64> {
    match name {
        "pi" => Some(std::f64::consts::PI),
        "e" => Some(std::f64::consts::E),
        "inf" => Some(f64::INFINITY),
        _ => None,
    }
}

/// The end and the rest of `v_pre`, `v_post`, `pre.v`, `post.v`.
pub(crate) fn split_end(name: &str) -> Option<(Side, &str)> {
    let ends = [
        (Side::Pre, name.strip_prefix("pre.").or_else(|| name.strip_suffix("_pre"))),
        (Side::Post, name.strip_prefix("post.").or_else(|| name.strip_suffix("_post"))),
    ];
    ends.into_iter().find_map(|(side, rest)| Some((side, rest.filter(|r| !r.is_empty())?)))
}

impl<'a> Home<'a> {
    /// The object whose code this is.
    pub(crate) fn object(&self) -> Option<ObjectId> {
        match self {
            Self::Nowhere => None,
            Self::Neuron { id, .. } => Some(ObjectId::Population(*id)),
            Self::Synapse { id, .. } | Self::Pairs { id, .. } => Some(ObjectId::Projection(*id)),
        }
    }

    /// What `name` means here.
    pub(crate) fn find(&self, name: &str, world: &'a World) -> Option<Found<'a>> {
        self.find_own(name)
            .or_else(|| self.find_given(name))
            .or_else(|| self.find_at_ends(name))
            .or_else(|| world.constants.get(name).map(Found::Constant))
            .or_else(|| neuropil_units::lookup(name).map(Found::Unit))
            .or_else(|| find_number(name, world))
    }

    fn find_own(&self, name: &str) -> Option<Found<'a>> {
        match *self {
            Self::Nowhere => None,
            Self::Neuron { id, symbols, .. } => {
                let symbol = symbols.get(name)?;
                let object = ObjectId::Population(id);
                Some(Found::Variable(VarRef { object, variable: symbol.id, side: Side::Own }, symbol))
            }
            Self::Synapse { id, symbols, .. } => {
                let symbol = symbols.get(name)?;
                let object = ObjectId::Projection(id);
                Some(Found::Variable(VarRef { object, variable: symbol.id, side: Side::Own }, symbol))
            }
            Self::Pairs { id, symbols, exist, .. } => symbols.get(name).map(|symbol| {
                let counts = matches!(name, "N" | "N_incoming" | "N_outgoing");
                if exist && (counts || symbol.extent == Extent::Shared) {
                    let object = ObjectId::Projection(id);
                    let reference = VarRef { object, variable: symbol.id, side: Side::Own };
                    return Found::Variable(reference, symbol);
                }
                Found::Refused(
                    format!("`{name}` belongs to synapses, which do not exist yet where pairs are chosen"),
                    "use `i`, `j` and variables of the neurons, such as `x_pre` and `x_post`".to_owned(),
                )
            }),
        }
    }

    fn find_given(&self, name: &str) -> Option<Found<'a>> {
        if matches!(self, Self::Nowhere) {
            return None;
        }
        let given = |kind, ty, dim, extent| Some(Found::Given(Expr::new(kind, ty), dim, extent));
        let second = Dim::Known(Dimension::SECOND);
        let in_pairs = matches!(self, Self::Pairs { .. });
        match (name, self) {
            ("t", _) => given(ExprKind::Time, ScalarType::F64, second, Extent::Shared),
            ("dt", _) => given(ExprKind::TimeStep, ScalarType::F64, second, Extent::Shared),
            ("t_in_timesteps", _) if !in_pairs => {
                given(ExprKind::Step, ScalarType::I64, Dim::NONE, Extent::Shared)
            }
            ("i", Self::Neuron { .. }) => index(Side::Own),
            ("i", Self::Synapse { .. } | Self::Pairs { .. }) => index(Side::Pre),
            ("j", Self::Synapse { .. } | Self::Pairs { .. }) => index(Side::Post),
            ("N", Self::Neuron { size, .. }) => count(*size),
            ("N" | "N_incoming" | "N_outgoing", Self::Synapse { .. } | Self::Pairs { .. }) => {
                Some(Found::Refused(
                    format!("`{name}`, a number of synapses, is not known here"),
                    "use it in the code of synapses or in their initial values; `N_pre` and `N_post` are the numbers \
                     of neurons"
                        .to_owned(),
                ))
            }
            _ => None,
        }
    }

    fn find_at_ends(&self, name: &str) -> Option<Found<'a>> {
        let (Self::Synapse { pre, post, .. } | Self::Pairs { pre, post, .. }) = self else { return None };
        match split_end(name) {
            Some((Side::Pre, rest)) => pre.find(rest, Side::Pre),
            Some((_, rest)) => post.find(rest, Side::Post),
            // As in Brian 2, a bare name that the synapse does not have is the postsynaptic neuron's.
            None => post.find(name, Side::Post),
        }
    }

    /// The names of all variables that code can see here.
    pub(crate) fn variables(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut add = |list: &mut dyn Iterator<Item = String>| names.extend(list);
        let own = |symbols: &'a Symbols| symbols.names().map(str::to_owned);
        match self {
            Self::Nowhere => {}
            Self::Neuron { symbols, .. } => add(&mut own(symbols)),
            Self::Synapse { symbols, pre, post, .. } | Self::Pairs { symbols, pre, post, .. } => {
                add(&mut own(symbols));
                add(&mut pre.symbols.names().map(|n| format!("{n}_pre")));
                add(&mut post.symbols.names().map(|n| format!("{n}_post")));
                add(&mut own(post.symbols));
            }
        }
        names
    }

    /// Every name that means something here, the likelier first.
    pub(crate) fn candidates(&self, world: &World) -> Vec<String> {
        let mut names = self.variables();
        let mut add = |list: &mut dyn Iterator<Item = String>| names.extend(list);
        add(&mut world.constants.keys().cloned());
        if !matches!(self, Self::Nowhere) {
            add(&mut GIVEN.iter().map(|(n, _)| (*n).to_owned()).filter(|n| n.len() > 2));
        }
        add(&mut neuropil_units::names().map(str::to_owned));
        add(&mut ["pi", "inf"].into_iter().map(str::to_owned));
        add(&mut neuropil_units::constant_names().map(str::to_owned));
        names
    }
}

impl<'a> Neurons<'a> {
    fn find(&self, name: &str, side: Side) -> Option<Found<'a>> {
        let variable = |symbol: &'a Symbol| {
            Found::Variable(VarRef { object: self.object, variable: symbol.id, side }, symbol)
        };
        if let ObjectId::Projection(_) = self.object {
            let numbered = NUMBERS.iter().find(|(n, ..)| *n == name).map_or(name, |(_, number, _)| number);
            let symbol = self.symbols.get(numbered)?;
            if symbol.class == Class::Given && symbol.extent == Extent::PerElement {
                return Some(Found::Refused(
                    format!("`{name}` belongs to the neurons of a synapse, which are two synapses away"),
                    "let the synapses themselves copy it into a variable of theirs".to_owned(),
                ));
            }
            return Some(variable(symbol));
        }
        if let Some(symbol) = self.symbols.get(name) {
            return Some(variable(symbol));
        }
        match name {
            "i" => index(side),
            "N" => count(self.size?),
            _ => None,
        }
    }
}

fn index<'a>(side: Side) -> Option<Found<'a>> {
    let expr = Expr::new(ExprKind::Index(side), ScalarType::I32);
    Some(Found::Given(expr, Dim::NONE, Extent::PerElement))
}

fn count<'a>(size: u32) -> Option<Found<'a>> {
    let expr = Expr::integer(i32::try_from(size).unwrap_or(i32::MAX));
    Some(Found::Given(expr, Dim::NONE, Extent::Shared))
}

fn find_number<'a>(name: &str, world: &World) -> Option<Found<'a>> {
    if let Some(value) = math_constant(name) {
        let dim = if value.is_finite() { Dim::NONE } else { Dim::Free };
        return Some(Found::Given(world.arith.real(value), dim, Extent::Shared));
    }
    let quantity = neuropil_units::constant(name)?;
    Some(Found::Given(world.arith.real(quantity.value), Dim::Known(quantity.dimension), Extent::Shared))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_named_by_suffix_or_prefix() {
        assert_eq!(split_end("v_pre"), Some((Side::Pre, "v")));
        assert_eq!(split_end("post.v"), Some((Side::Post, "v")));
        assert_eq!(split_end("_pre"), None);
        assert_eq!(split_end("v"), None);
    }

    #[test]
    fn equal_names_of_an_object_are_one_noise_process() {
        let mut sites = Sites::default();
        let object = ObjectId::Population(PopulationId::new(0));
        let first = sites.noise(object, "xi");
        assert_eq!(sites.noise(object, "xi"), first);
        assert_ne!(sites.noise(object, "xi_1"), first);
        assert_ne!(sites.noise(ObjectId::Projection(ProjectionId::new(0)), "xi"), first);
        assert_eq!(sites.next(), 3);
    }
}
