//! Single expressions and constants, for those who have a network or a model at hand.

use indexmap::IndexMap;
use neuropil_base::{Diagnostic, Diagnostics, Precision, Scalar, ScalarType, Span, Text};
use neuropil_model::{Arith, Expr, Network, ObjectId, VariableKind};
use neuropil_source::NetworkSource;
use neuropil_units::Dimension;

use crate::code;
use crate::constant::define_constants;
use crate::dim::Dim;
use crate::ends::known_len;
use crate::scope::{Channels, Home, Neurons, Sites, Symbols, TableInfo, Value, World};
use crate::substitute::{Expander, Starts};
use crate::typing::Typer;

/// Constants by name.
#[derive(Clone, Default, Debug)]
pub struct Constants {
    map: IndexMap<String, Value>,
}

impl Constants {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a constant, in SI base units.
    pub fn insert(&mut self, name: impl Into<String>, value: Scalar, dimension: Dimension) {
        self.map.insert(name.into(), Value { scalar: value, dim: Dim::Known(dimension) });
    }

    /// The value of a constant, in SI base units, and its dimension.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<(Scalar, Dimension)> {
        self.map.get(name).map(|v| (v.scalar, v.dim.known().unwrap_or(Dimension::NONE)))
    }

    /// All of them, in the order in which they were defined.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Scalar, Dimension)> {
        self.map.iter().map(|(name, v)| (name.as_str(), v.scalar, v.dim.known().unwrap_or(Dimension::NONE)))
    }
}

/// The constants that a model defines, evaluated, and what is wrong with them.
#[must_use]
pub fn constants(source: &NetworkSource) -> (Constants, Diagnostics) {
    let mut world = world(Precision::F64, IndexMap::new(), Vec::new());
    let mut out = Diagnostics::new();
    define_constants(&source.constants, &mut world, &mut out);
    (Constants { map: world.constants }, out)
}

/// What an expression must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expected {
    /// Its type; the expression is converted to it.
    pub ty: ScalarType,
    /// Its dimension.
    pub dimension: Dimension,
}

/// An expression that was checked.
#[derive(Clone, PartialEq, Debug)]
pub struct Checked {
    /// The expression, subexpressions put in.
    pub expr: Expr,
    /// What it measures; its values are in SI base units.
    pub dimension: Dimension,
    /// The first random site that neither it nor the network uses.
    pub next_site: u32,
}

/// Checks `text` as an expression over the variables of `object`, as initial values are.
///
/// `expected` is what it must be; anything goes if there is none.
///
/// # Errors
/// All that is wrong with it.
pub fn expression(
    network: &Network,
    object: ObjectId,
    text: &Text,
    expected: Option<Expected>,
    constants: &Constants,
) -> Result<Checked, Diagnostics> {
    let tables = network
        .tables
        .iter()
        .map(|t| TableInfo { name: t.name.clone(), columns: t.columns, dim: Dim::Known(t.dimension) })
        .collect();
    let world = world(network.precision, constants.map.clone(), tables);
    let mut out = Diagnostics::new();
    let mut sites = Sites::from(network.next_site);
    let mut expander = Expander::default();
    let symbols_of = |object: ObjectId| Symbols::of(network.variables(object));
    let own = symbols_of(object);
    expander.know(object, network.variables(object));
    let (typed, starts) = match object {
        ObjectId::Population(id) => {
            let channels = channels(network, object);
            let size = network.population(id).size;
            let home = Home::Neuron { id, symbols: &own, channels: &channels, size };
            (Typer::new(&world, home, &mut out, &mut sites).value(text), Starts::default())
        }
        ObjectId::Projection(id) => {
            let projection = network.projection(id);
            let ends = [&projection.source, &projection.target];
            let symbols = ends.map(|g| symbols_of(g.object));
            for group in ends {
                expander.know(group.object, network.variables(group.object));
            }
            let end =
                |k: usize| Neurons { object: ends[k].object, symbols: &symbols[k], size: known_len(ends[k]) };
            let home = Home::Synapse { id, symbols: &own, pre: end(0), post: end(1) };
            (Typer::new(&world, home, &mut out, &mut sites).value(text), Starts::of(projection))
        }
    };
    let mut expr = typed.expr.clone();
    if let Some(expected) = expected {
        let mut typer = Typer::new(&world, Home::Nowhere, &mut out, &mut sites);
        if typer.expect(&typed, text.span, expected.dimension, "the value")
            && let Some(converted) = typer.of_type("the variable", expected.ty, typed.clone(), text.span)
        {
            expr = converted;
        }
    }
    let expr = expander.expand(expr, starts, text.span, &mut out);
    if typed.dim == Dim::Unknown && !out.has_errors() {
        out.push(Diagnostic::error(code::MISSING, Span::NONE, "there is no expression".to_owned()));
    }
    if out.has_errors() {
        return Err(out);
    }
    let free = expected.map_or(Dimension::NONE, |e| e.dimension);
    let dimension = match typed.dim {
        Dim::Known(d) => d,
        Dim::Free | Dim::Unknown => free,
    };
    Ok(Checked { expr, dimension, next_site: sites.next() })
}

fn world(precision: Precision, constants: IndexMap<String, Value>, tables: Vec<TableInfo>) -> World {
    World { arith: Arith::new(precision), constants, tables, schedule: neuropil_model::Schedule::default() }
}

/// The channels that a finished population reads: its variables `sum_NAME`.
fn channels(network: &Network, object: ObjectId) -> Channels {
    network
        .variables(object)
        .iter()
        .filter(|v| v.kind == VariableKind::SumTarget)
        .filter_map(|v| Some((v.name.strip_prefix("sum_")?.to_owned(), vec![v.name.clone()])))
        .collect()
}
