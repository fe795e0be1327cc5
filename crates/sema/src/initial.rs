//! Initial values: expressions, lists, columns of a file.

use neuropil_base::{Diagnostic, ScalarType, Spanned, nearest};
use neuropil_model::{Expr, Extent, Initial, ObjectId, Side, VarRef, VariableId, VariableKind};
use neuropil_source::{Assignment, Numbers, ValueSource};

use crate::code;
use crate::declare::Declared;
use crate::dim::{Dim, advice};
use crate::population::Tools;
use crate::scope::{Class, Home, Symbol};
use crate::typing::{Rules, in_unit};
use crate::values::{Scale, all_finite, all_numbers};

/// A number of elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Count {
    /// So many.
    Known(u64),
    /// Known only once synapses are made.
    Drawn,
    /// Not known, because a diagnostic was given for it.
    Refused,
}

/// What is being given values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receiver<'a> {
    /// Its code's place.
    pub(crate) home: Home<'a>,
    /// What it is called in diagnostics: ``population `cells` ``.
    pub(crate) what: &'a str,
    /// How many elements it has.
    pub(crate) count: Count,
    /// Whether its elements are rows of a file.
    pub(crate) from_file: bool,
}

/// The variable that holds a column of a file in the file's unit.
pub(crate) fn column_variable(column: &str) -> String {
    format!("_column_{column}")
}

/// The initial values that `list` gives to the variables of `declared`, the later winning.
pub(crate) fn check_initial(
    declared: &Declared,
    list: &[Assignment],
    receiver: Receiver<'_>,
    tools: &mut Tools<'_>,
) -> Vec<(VariableId, Initial)> {
    let mut values: Vec<(VariableId, Initial)> = Vec::new();
    for assignment in list {
        let name = &assignment.name;
        let Some(symbol) = declared.symbols.get(&name.value) else {
            unknown_variable(declared, name, receiver.what, tools);
            continue;
        };
        // A parameter may be infinite, such as a refractory period; a state may not.
        let kind = &declared.variables[symbol.id.index()].kind;
        if let (VariableKind::State, ValueSource::List { values, .. }) = (kind, &assignment.value)
            && !all_finite(values, tools.out)
        {
            continue;
        }
        if let Some(value) = check_value(symbol, assignment, receiver, true, tools) {
            values.retain(|(v, _)| *v != symbol.id);
            values.push((symbol.id, value));
        }
    }
    values
}

/// The values that `list` gives to variables between runs: these may depend on what the variables are then.
pub(crate) fn check_changes(
    declared: &Declared,
    list: &[Assignment],
    receiver: Receiver<'_>,
    tools: &mut Tools<'_>,
) -> Vec<(VariableId, Initial)> {
    let mut values = Vec::new();
    for assignment in list {
        let Some(symbol) = declared.symbols.get(&assignment.name.value) else {
            unknown_variable(declared, &assignment.name, receiver.what, tools);
            continue;
        };
        values.extend(check_value(symbol, assignment, receiver, false, tools).map(|v| (symbol.id, v)));
    }
    values
}

fn unknown_variable(declared: &Declared, name: &Spanned<String>, what: &str, tools: &mut Tools<'_>) {
    let mut d =
        Diagnostic::error(code::UNKNOWN_NAME, name.span, format!("{what} has no variable `{}`", name.value));
    let names: Vec<&str> = declared.symbols.names().collect();
    if let Some(near) = nearest(&name.value, names.iter().copied()) {
        d = d.help(format!("did you mean `{near}`?"));
    } else if names.is_empty() {
        d = d.help(format!("declare it among the equations: a line `{} : 1` (or its unit)", name.value));
    } else if names.len() <= 12 {
        let list: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
        d = d.help(format!("its variables are {}", list.join(", ")));
    }
    tools.out.push(d);
}

fn check_value(
    symbol: &Symbol,
    assignment: &Assignment,
    receiver: Receiver<'_>,
    is_first: bool,
    tools: &mut Tools<'_>,
) -> Option<Initial> {
    let name = assignment.name.value.as_str();
    if symbol.linked {
        let message = format!("`{name}` is linked, so it has no initial value of its own");
        tools.out.push(
            Diagnostic::error(code::NOT_ASSIGNABLE, assignment.name.span, message)
                .related(symbol.span, "defined here")
                .help("give the initial value to the variable that it is linked to"),
        );
        return None;
    }
    let reason = match symbol.class {
        Class::Writable | Class::Constant | Class::PartSumTarget => None,
        Class::Subexpression => {
            Some(format!("`{name}` is a name for an expression, so it has no initial value"))
        }
        Class::SumTarget => Some(format!("`{name}` receives a weighted sum, so it has no initial value")),
        Class::Given => Some(format!("`{name}` is given by the simulation, so it has no initial value")),
    };
    if let Some(message) = reason {
        tools.out.push(
            Diagnostic::error(code::NOT_ASSIGNABLE, assignment.name.span, message)
                .related(symbol.span, "defined here"),
        );
        return None;
    }
    match &assignment.value {
        ValueSource::Expression(text) => {
            let shared = (symbol.extent == Extent::Shared).then(|| name.to_owned());
            let initial_of = is_first.then(|| name.to_owned());
            let mut typer =
                tools.typer(receiver.home).under(Rules { shared, initial_of, ..Rules::default() });
            let typed = typer.value(text);
            typer.fitting(name, symbol, typed, text.span).map(Initial::Expr)
        }
        ValueSource::List { values, unit } => {
            let scale = Scale::of(unit.as_ref(), tools.out)?;
            let fits = check_list(symbol, name, values, scale, receiver, tools);
            fits.then(|| Initial::Values(values.values.iter().map(|x| scale.apply(*x)).collect()))
        }
        ValueSource::Column { column, unit } => {
            if !receiver.from_file {
                tools.out.push(
                    Diagnostic::error(
                        code::UNSUPPORTED,
                        column.span,
                        format!("{} has no file from which a column could be taken", receiver.what),
                    )
                    .help("columns come from the file of `connect = { rule = \"file\", ... }`"),
                );
                return None;
            }
            let scale = Scale::of(unit.as_ref(), tools.out)?;
            if !check_scale(symbol, name, scale, column.span, tools) {
                return None;
            }
            if scale.factor() == 1.0 {
                return Some(Initial::Column(column.value.clone()));
            }
            // The column is kept in the file's unit and converted when values are set.
            scaled_column(&column.value, scale, receiver.home, tools)
                .map(|e| Initial::Expr(tools.world.arith.convert(e, symbol.ty)))
        }
    }
}

/// A column of the file, in SI base units, as an expression.
pub(crate) fn scaled_column(column: &str, scale: Scale, home: Home<'_>, tools: &Tools<'_>) -> Option<Expr> {
    let (Home::Synapse { id, symbols, .. } | Home::Pairs { id, symbols, .. }) = home else { return None };
    let raw = symbols.get(&column_variable(column))?;
    let reference = VarRef { object: ObjectId::Projection(id), variable: raw.id, side: Side::Own };
    let arith = tools.world.arith;
    Some(arith.mul(Expr::variable(reference, raw.ty), arith.real(scale.factor())))
}

fn check_list(
    symbol: &Symbol,
    name: &str,
    values: &Numbers,
    scale: Scale,
    receiver: Receiver<'_>,
    tools: &mut Tools<'_>,
) -> bool {
    if !check_scale(symbol, name, scale, values.span, tools) || !all_numbers(values, tools.out) {
        return false;
    }
    let given = values.values.len() as u64;
    let expected = if symbol.extent == Extent::Shared { Count::Known(1) } else { receiver.count };
    if let Count::Known(expected) = expected
        && given != expected
    {
        tools.out.push(
            Diagnostic::error(
                code::LENGTH,
                values.span,
                format!("`{name}` of {} needs {expected} values, {given} are given", receiver.what),
            )
            .help("give one value per element, or an expression over `i`"),
        );
        return false;
    }
    if expected == Count::Drawn {
        tools.out.push(
            Diagnostic::error(
                code::LENGTH,
                values.span,
                format!("the number of synapses of {} is not known before they are drawn", receiver.what),
            )
            .help("give an expression, such as `rand()*nS`, or list the pairs: `connect = { rule = \"pairs\", ... }`"),
        );
        return false;
    }
    let whole = symbol.ty.is_float() || values.values.iter().all(|x| x.fract() == 0.0);
    if !whole {
        tools.out.push(Diagnostic::error(
            code::TYPE,
            values.span,
            format!("`{name}` is an integer, the values are real"),
        ));
    }
    if symbol.ty == ScalarType::Bool && values.values.iter().any(|x| *x != 0.0 && *x != 1.0) {
        tools.out.push(Diagnostic::error(
            code::TYPE,
            values.span,
            format!("`{name}` is a truth value: write 0 or 1 for each"),
        ));
        return false;
    }
    whole
}

/// That numbers of unit `scale` fit a variable.
fn check_scale(
    symbol: &Symbol,
    name: &str,
    scale: Scale,
    span: neuropil_base::Span,
    tools: &mut Tools<'_>,
) -> bool {
    match symbol.dim {
        Dim::Known(expected) if expected != scale.dimension => {
            let found = scale.dimension;
            let help = if found.is_none() {
                format!(
                    "say the unit: `{{ values = [...], unit = \"{}\" }}`",
                    crate::dim::usual_unit(expected)
                )
            } else {
                advice(expected, found)
            };
            tools.out.push(
                Diagnostic::error(
                    code::UNITS,
                    span,
                    format!("`{name}` is in `{expected}`, the values in `{found}`"),
                )
                .label(in_unit(found).trim_start())
                .related(symbol.span, in_unit(expected).trim_start())
                .help(help),
            );
            false
        }
        Dim::Known(_) | Dim::Free | Dim::Unknown => true,
    }
}
