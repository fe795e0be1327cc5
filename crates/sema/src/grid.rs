//! Grids of neurons, and projections that share what their synapses are made of: filters of convolutions, copies and
//! transposes of other projections.
//!
//! Whatever is shared is stored once. A filter is a population of its own, `NAME.filter`, with one element per element
//! of the filter; variables of a copy are those of the projection that is copied. The synapses' own names for them are
//! linked variables.

use neuropil_base::{Diagnostic, ScalarType, Span, Spanned, Text};
use neuropil_model::{
    Connect, Extent, Grid, Group, Initial, Link, LinkPlace, Method, ObjectId, PopulationId, ProjectionId,
    Variable, VariableId, VariableKind,
};
use neuropil_source::{ConnectSource, Numbers, PopulationSource, ProjectionSource, Rule, ValueSource};

use crate::analysis::{Analysis, population};
use crate::builtin::unknown;
use crate::code;
use crate::declare::Declared;
use crate::dim::Dim;
use crate::ends::known_len;
use crate::population::{NeuronModel, Pop};
use crate::projection::Proj;
use crate::scope::{Channels, Class};

/// The variable of a convolution's synapses that its filter holds.
const WEIGHT: &str = "w";

/// A projection as it was written, the numbers of its filter as its weight.
pub(crate) fn with_filter(source: &ProjectionSource) -> ProjectionSource {
    let mut source = source.clone();
    if let Some(filter) = &source.connect.filter {
        let values = Numbers { columns: None, values: filter.values.clone(), span: filter.span };
        source.weight = Some(ValueSource::List { values, unit: None });
    }
    source
}

impl Analysis<'_> {
    /// How many neurons a population has by its shape.
    pub(crate) fn size_of_shape(&mut self, source: &PopulationSource) -> Option<u32> {
        let shape = source.shape.as_ref()?;
        let span = shape.first().map_or(source.name.span, |n| n.span);
        if !(2..=3).contains(&shape.len()) || shape.iter().any(|n| n.value < 1) {
            let message = "a shape is a number of rows and of columns, and of channels if there are several";
            self.out.push(
                Diagnostic::error(code::RANGE, span, message.to_owned())
                    .help("write `shape = [28, 28]` or `shape = [28, 28, 3]`"),
            );
            return None;
        }
        let product = shape.iter().try_fold(1_i64, |all, n| all.checked_mul(n.value));
        let size = product.and_then(|n| i32::try_from(n).ok());
        if size.is_none() {
            self.out.push(Diagnostic::error(code::RANGE, span, "a grid of too many neurons".to_owned()));
        }
        size.map(i32::unsigned_abs)
    }

    /// Rows, columns and channels of a group that is a whole population with a shape.
    fn shape_of(&self, group: &Group) -> Option<[u32; 3]> {
        let source = self.source.populations.iter().find(|p| p.name.value == group.name)?;
        let shape: Vec<u32> =
            source.shape.as_ref()?.iter().filter_map(|n| u32::try_from(n.value).ok()).collect();
        match shape.as_slice() {
            [rows, columns] => Some([*rows, *columns, 1]),
            [rows, columns, channels] => Some([*rows, *columns, *channels]),
            _ => None,
        }
    }

    /// Finds out what a projection shares, and links its variables to that.
    pub(crate) fn share(&mut self, proj: &mut Proj, source: &ProjectionSource) {
        let connect = &source.connect;
        let made = match connect.rule.value {
            Rule::Convolution => self.convolution(proj, source),
            Rule::Pooling => self.pooling(proj, connect),
            Rule::Copy | Rule::Transpose => self.copy(proj, source),
            Rule::AllToAll
            | Rule::OneToOne
            | Rule::FixedProbability
            | Rule::FixedInDegree
            | Rule::FixedOutDegree
            | Rule::FixedTotalNumber
            | Rule::Condition
            | Rule::Pairs
            | Rule::File => return,
        };
        match made {
            Some(connect) => proj.projection.connect = connect,
            None => proj.broken = true,
        }
    }

    fn input_shape(&mut self, proj: &Proj, connect: &ConnectSource) -> Option<[u32; 3]> {
        let group = &proj.projection.source;
        let shape = self.shape_of(group);
        if shape.is_none() && !group.name.is_empty() {
            let rule = connect.rule.value.name();
            self.out.push(
                Diagnostic::error(
                    code::SIZES,
                    connect.rule.span,
                    format!("`{rule}` needs a grid as its source, and `{}` has no shape", group.name),
                )
                .help(format!("write `shape = [rows, columns]` in `[population.{}]`", group.name)),
            );
        }
        shape
    }

    /// Two positive numbers, of which one may stand for both.
    fn two(&mut self, list: Option<&Vec<Spanned<i64>>>, name: &str, usual: [u32; 2]) -> Option<[u32; 2]> {
        let Some(list) = list else { return Some(usual) };
        let numbers: Vec<u32> =
            list.iter().filter_map(|n| u32::try_from(n.value).ok().filter(|n| *n > 0)).collect();
        match (numbers.as_slice(), list.len()) {
            ([both], 1) => Some([*both; 2]),
            ([rows, columns], 2) => Some([*rows, *columns]),
            _ => {
                let span = list.first().map_or(Span::NONE, |n| n.span);
                self.out.push(
                    Diagnostic::error(code::RANGE, span, format!("`{name}` is one or two positive numbers"))
                        .help(format!("write `{name} = 2`, or `{name} = [2, 1]` for rows and columns")),
                );
                None
            }
        }
    }

    fn convolution(&mut self, proj: &mut Proj, source: &ProjectionSource) -> Option<Connect> {
        let connect = &source.connect;
        let input = self.input_shape(proj, connect);
        let stride = self.two(connect.stride.as_ref(), "stride", [1, 1]);
        let (input, stride) = (input?, stride?);
        let (filters, extent) = self.filter(connect, input)?;
        let (mut output, mut padding) = ([0, 0, filters], [0; 2]);
        for k in 0..2 {
            (output[k], padding[k]) =
                self.fit((connect.padding.as_ref(), connect.rule.span), input[k], extent[k], stride[k])?;
        }
        let grid = Grid { input, output, extent, stride, padding, mixes_channels: true };
        self.check_target(proj, connect, grid)?;
        let elements = [extent[0], extent[1], input[2], filters];
        let elements =
            elements.iter().try_fold(1_u32, |all, n| all.checked_mul(*n)).filter(|n| *n < 1 << 31)?;
        self.link_filter(proj, source, elements)?;
        Some(Connect::Windows(grid))
    }

    /// How many filters there are, and their rows and columns.
    fn filter(&mut self, connect: &ConnectSource, input: [u32; 3]) -> Option<(u32, [u32; 2])> {
        let (shape, span): (Vec<i64>, Span) = match (&connect.filter, &connect.filter_shape) {
            (Some(filter), _) => (filter.shape.iter().map(|n| *n as i64).collect(), filter.span),
            (None, Some(shape)) => {
                (shape.iter().map(|n| n.value).collect(), shape.first().map_or(Span::NONE, |n| n.span))
            }
            (None, None) => return None,
        };
        let numbers: Vec<u32> =
            shape.iter().filter_map(|n| u32::try_from(*n).ok().filter(|n| *n > 0)).collect();
        let channels = input[2];
        let found = match numbers.as_slice() {
            _ if numbers.len() != shape.len() => None,
            [rows, columns] if channels == 1 => Some((1, [*rows, *columns])),
            [filters, rows, columns] if channels == 1 => Some((*filters, [*rows, *columns])),
            [rows, columns, depth] if *depth == channels => Some((1, [*rows, *columns])),
            [filters, rows, columns, depth] if *depth == channels => Some((*filters, [*rows, *columns])),
            _ => None,
        };
        if found.is_none() {
            let wanted = if channels == 1 {
                "[rows, columns], or [filters, rows, columns] for several filters".to_owned()
            } else {
                format!(
                    "[rows, columns, {channels}], or [filters, rows, columns, {channels}]: its source has {channels} channels"
                )
            };
            self.out.push(
                Diagnostic::error(code::SIZES, span, format!("{shape:?} is no shape of a filter here"))
                    .help(format!("it is {wanted}")),
            );
        }
        found
    }

    /// How many windows fit, and how much of the first lies before the source.
    fn fit(
        &mut self,
        (padding, place): (Option<&Text>, Span),
        input: u32,
        extent: u32,
        stride: u32,
    ) -> Option<(u32, u32)> {
        let word = padding.map_or("valid", |p| p.text.as_str());
        let span = padding.map_or(place, |p| p.span);
        let (output, before) = match word {
            "same" => {
                let output = input.div_ceil(stride);
                let covered = u64::from(output - 1) * u64::from(stride) + u64::from(extent);
                (output, (covered.saturating_sub(u64::from(input)) / 2) as u32)
            }
            _ => {
                let around = if word == "valid" { Some(0) } else { word.trim().parse::<u32>().ok() };
                let Some(around) = around.filter(|n| *n < 1 << 20) else {
                    self.out.push(
                        Diagnostic::error(code::RANGE, span, format!("`{word}` is no padding"))
                            .help("write \"valid\", \"same\", or a number of rows and columns"),
                    );
                    return None;
                };
                let covered = u64::from(input) + 2 * u64::from(around);
                let fitting = covered.checked_sub(u64::from(extent)).map(|rest| rest / u64::from(stride) + 1);
                (fitting.and_then(|n| u32::try_from(n).ok()).unwrap_or(0), around)
            }
        };
        if output == 0 {
            self.out.push(
                Diagnostic::error(
                    code::SIZES,
                    span,
                    format!("a window of {extent} does not fit into {input} neurons"),
                )
                .help("take a smaller window, or `padding = \"same\"`"),
            );
            return None;
        }
        Some((output, before))
    }

    fn pooling(&mut self, proj: &mut Proj, connect: &ConnectSource) -> Option<Connect> {
        let input = self.input_shape(proj, connect);
        let extent = self.two(connect.extent.as_ref(), "extent", [1, 1])?;
        let stride = self.two(connect.stride.as_ref(), "stride", extent)?;
        let input = input?;
        let mut output = [0, 0, input[2]];
        for k in 0..2 {
            (output[k], _) = self.fit((None, connect.rule.span), input[k], extent[k], stride[k])?;
        }
        let grid = Grid { input, output, extent, stride, padding: [0; 2], mixes_channels: false };
        self.check_target(proj, connect, grid)?;
        Some(Connect::Windows(grid))
    }

    /// Whether the target is as large as the windows say.
    fn check_target(&mut self, proj: &Proj, connect: &ConnectSource, grid: Grid) -> Option<()> {
        let group = &proj.projection.target;
        let [rows, columns, channels] = grid.output;
        let wanted = grid.output.iter().map(|n| u64::from(*n)).product::<u64>();
        let shape = self.shape_of(group);
        let fits = match shape {
            Some(shape) => shape == grid.output,
            None => known_len(group).is_some_and(|n| u64::from(n) == wanted),
        };
        if fits || group.name.is_empty() {
            return Some(());
        }
        let has = match shape {
            Some([r, c, 1]) => format!("[{r}, {c}]"),
            Some([r, c, ch]) => format!("[{r}, {c}, {ch}]"),
            None => format!("{} neurons", group.len),
        };
        let is = if channels == 1 {
            format!("[{rows}, {columns}]")
        } else {
            format!("[{rows}, {columns}, {channels}]")
        };
        self.out.push(
            Diagnostic::error(
                code::SIZES,
                connect.rule.span,
                format!("the windows make a grid of {is}, {wanted} neurons; `{}` has {has}", group.name),
            )
            .help(format!("write `shape = {is}` in `[population.{}]`", group.name)),
        );
        None
    }

    /// Makes the population that holds a filter, and links the synapses' weights to it.
    fn link_filter(&mut self, proj: &mut Proj, source: &ProjectionSource, elements: u32) -> Option<()> {
        let name = &source.name.value;
        let symbol = proj.declared.symbols.get(WEIGHT).cloned();
        let Some(symbol) = symbol.filter(|s| s.ty.is_float() && s.extent == Extent::PerElement) else {
            self.out.push(
                Diagnostic::error(
                    code::MISSING,
                    source.synapse.span,
                    format!("synapse `{}` has no weight `w` that a filter could hold", source.synapse.value),
                )
                .help("give it the parameter: a line `w : 1`, or its unit"),
            );
            return None;
        };
        let described = &proj.declared.variables[symbol.id.index()];
        if !matches!(described.kind, VariableKind::Parameter { .. }) {
            self.out.push(
                Diagnostic::error(
                    code::UNSUPPORTED,
                    symbol.span,
                    "the weight of a filter is a parameter".to_owned(),
                )
                .help(
                    "write `w : 1`, and change it by code; an equation of its own would run once per synapse",
                ),
            );
            return None;
        }
        let mut declared = Declared::default();
        let weight = Variable { initial: Initial::Zero, ..described.clone() };
        let variable = declared.add(weight, symbol.dim);
        let (mine, others) = proj.initial.drain(..).partition(|a| a.name.value == WEIGHT);
        proj.initial = others;
        let mut own = source.name.clone();
        own.value = format!("{name}.filter");
        let pop = Pop {
            cells: None,
            section_values: Vec::new(),
            threshold_location: None,
            population: population(&own, "filter", elements, proj.projection.clock, Method::Auto),
            declared,
            channels: Channels::new(),
            model: Some(NeuronModel::default()),
            initial: mine,
            windows: Vec::new(),
            broken: false,
        };
        let object = ObjectId::Population(PopulationId::new(self.pops.len()));
        self.add_population(pop, source.name.span);
        let index = element_variable(&mut proj.declared);
        let place = LinkPlace::Index { index, start: 0, len: Some(elements) };
        link(&mut proj.declared, symbol.id, Link { object, variable, place }, symbol.class);
        Some(())
    }

    /// A copy of another projection, or its transpose.
    fn copy(&mut self, proj: &mut Proj, source: &ProjectionSource) -> Option<Connect> {
        let of = source.connect.of.as_ref()?;
        let Some(place) = self.projs.iter().position(|p| p.projection.name == of.value) else {
            // One that is still to come depends on this one, which has been reported.
            if !self.source.projections.iter().any(|p| p.name.value == of.value) {
                let names = self.source.projections.iter().map(|p| p.name.value.as_str());
                unknown("projection", of, names.filter(|n| *n != source.name.value), &mut self.out);
            }
            return None;
        };
        let id = ProjectionId::new(place);
        let other = &self.projs[place];
        if other.broken {
            return None;
        }
        let transposed = source.connect.rule.value == Rule::Transpose;
        let (mut pre, mut post) = (&other.projection.source, &other.projection.target);
        if transposed {
            (pre, post) = (post, pre);
        }
        for (group, wanted) in [(&proj.projection.source, pre), (&proj.projection.target, post)] {
            if let (Some(found), Some(expected)) = (known_len(group), known_len(wanted))
                && found != expected
            {
                self.out.push(
                    Diagnostic::error(
                        code::SIZES,
                        of.span,
                        format!(
                            "`{}` has {found} neurons, but its counterpart in `{}`, `{}`, has {expected}",
                            group.name, of.value, wanted.name
                        ),
                    )
                    .help("pairs are taken over as they are numbered, so groups must be of the same sizes"),
                );
                return None;
            }
        }
        let shared: Vec<(String, Variable, Dim, Class, VariableId)> = other
            .declared
            .variables
            .iter()
            .enumerate()
            .filter(|(_, v)| !v.name.starts_with('_') && v.name != "lastupdate")
            .filter(|(_, v)| {
                matches!(v.kind, VariableKind::State | VariableKind::Parameter { .. } | VariableKind::Link(_))
            })
            .filter_map(|(k, v)| {
                let symbol = other.declared.symbols.get(&v.name)?;
                Some((v.name.clone(), v.clone(), symbol.dim, symbol.class, VariableId::new(k)))
            })
            .collect();
        for (name, described, dim, class, variable) in shared {
            let own = proj.declared.symbols.get(&name).cloned();
            let id_of = match own {
                Some(own) => {
                    if !matches!(proj.declared.variables[own.id.index()].kind, VariableKind::Parameter { .. })
                    {
                        self.out.push(
                            Diagnostic::error(
                                code::DUPLICATE_NAME,
                                own.span,
                                format!("`{name}` is shared with `{}`, so it has no equation here", of.value),
                            )
                            .help("leave it away, or give it another name"),
                        );
                        return None;
                    }
                    own.id
                }
                None => {
                    let kind = VariableKind::Parameter { constant: false };
                    proj.declared.add(Variable { kind, initial: Initial::Zero, ..described.clone() }, dim)
                }
            };
            let place = match (described.extent, transposed) {
                (Extent::Shared, _) => LinkPlace::One { element: 0 },
                (Extent::PerElement, false) => LinkPlace::Same { start: 0 },
                (Extent::PerElement, true) => {
                    LinkPlace::Index { index: element_variable(&mut proj.declared), start: 0, len: None }
                }
            };
            proj.declared.variables[id_of.index()].ty = described.ty;
            proj.declared.variables[id_of.index()].extent = described.extent;
            link(
                &mut proj.declared,
                id_of,
                Link { object: ObjectId::Projection(id), variable, place },
                class,
            );
        }
        Some(if transposed { Connect::Transpose(id) } else { Connect::Copy(id) })
    }
}

/// The variable with the number of each synapse's element.
fn element_variable(declared: &mut Declared) -> VariableId {
    let kind = VariableKind::Parameter { constant: true };
    let index = declared.add_hidden(Connect::ELEMENT, kind, ScalarType::I32, Dim::NONE);
    declared.variables[index.index()].initial = Initial::Column(Connect::ELEMENT.to_owned());
    index
}

/// Makes a variable a name for that of another object.
fn link(declared: &mut Declared, variable: VariableId, link: Link, class: Class) {
    let described = &mut declared.variables[variable.index()];
    described.kind = VariableKind::Link(link);
    let (name, ty, extent) = (described.name.clone(), described.ty, described.extent);
    if let Some(symbol) = declared.symbols.get_mut(&name) {
        (symbol.ty, symbol.extent, symbol.class, symbol.linked) = (ty, extent, class, true);
    }
}
