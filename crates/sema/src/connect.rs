//! Connectors: which pairs become synapses, with their numbers checked against the groups.

use neuropil_base::{Diagnostic, ScalarType, Span, Text};
use neuropil_model::{Connect, FixedNumber, Format, Group, ProjectionId};
use neuropil_source::{ConnectSource, FormatSource, Rule};
use neuropil_syntax::parse_expression;
use neuropil_units::Dimension;

use crate::code;
use crate::constant::Evaluator;
use crate::dim::Dim;
use crate::ends::{Objects, known_len};
use crate::population::Tools;
use crate::projection::Proj;
use crate::scope::Home;

/// Checks which pairs a projection connects.
pub(crate) fn check_connect(
    proj: &Proj,
    id: ProjectionId,
    source: &ConnectSource,
    objects: Objects<'_>,
    tools: &mut Tools<'_>,
) -> Option<Connect> {
    let (pre, post) = (&proj.projection.source, &proj.projection.target);
    let self_connections = source.self_connections.as_ref().is_none_or(|s| s.value);
    match source.rule.value {
        Rule::AllToAll => Some(Connect::AllToAll { self_connections }),
        Rule::OneToOne => {
            if let (Some(n_pre), Some(n_post)) = (known_len(pre), known_len(post))
                && n_pre != n_post
            {
                tools.out.push(
                    Diagnostic::error(
                        code::SIZES,
                        source.rule.span,
                        format!(
                            "one-to-one needs groups of one size: `{}` has {n_pre}, `{}` has {n_post}",
                            pre.name, post.name
                        ),
                    )
                    .help("connect a view of the larger one: `[view.NAME]`"),
                );
                return None;
            }
            Some(Connect::OneToOne)
        }
        Rule::FixedProbability => {
            let p = probability(source.p.as_ref()?, tools)?;
            Some(Connect::FixedProbability { p, self_connections })
        }
        Rule::FixedInDegree => {
            let available =
                known_len(pre).map(|n| u64::from(n) - u64::from(!self_connections && overlap(pre, post)));
            let what = format!("`{}` has", pre.name);
            fixed_number(source, available, &what, tools).map(Connect::FixedInDegree)
        }
        Rule::FixedOutDegree => {
            let available =
                known_len(post).map(|n| u64::from(n) - u64::from(!self_connections && overlap(pre, post)));
            let what = format!("`{}` has", post.name);
            fixed_number(source, available, &what, tools).map(Connect::FixedOutDegree)
        }
        Rule::FixedTotalNumber => {
            let available = pairs(pre, post, self_connections);
            fixed_number(source, available, "there are", tools).map(Connect::FixedTotalNumber)
        }
        Rule::Condition => condition(proj, id, source, objects, tools),
        Rule::Pairs => listed(source, pre, post, tools),
        Rule::File => {
            let file = source.file.as_ref()?;
            if !file.value.is_file() {
                tools.out.push(
                    Diagnostic::error(
                        code::FILE,
                        file.span,
                        format!("cannot find the file `{}`", file.value.display()),
                    )
                    .help("a path is relative to the folder of the model file"),
                );
                return None;
            }
            Some(Connect::File(file.value.clone()))
        }
        // What is shared is found when the projection is declared.
        Rule::Convolution | Rule::Pooling | Rule::Copy | Rule::Transpose => {
            Some(proj.projection.connect.clone())
        }
    }
}

/// Whether some neuron is in both groups.
fn overlap(a: &Group, b: &Group) -> bool {
    a.object == b.object
        && u64::from(a.start) < u64::from(b.start) + u64::from(b.len)
        && u64::from(b.start) < u64::from(a.start) + u64::from(a.len)
}

/// The number of pairs between two groups, if their sizes are known.
fn pairs(a: &Group, b: &Group, self_connections: bool) -> Option<u64> {
    let all = u64::from(known_len(a)?) * u64::from(known_len(b)?);
    if self_connections || !overlap(a, b) {
        return Some(all);
    }
    let end = |g: &Group| u64::from(g.start) + u64::from(g.len);
    Some(all - (end(a).min(end(b)) - u64::from(a.start.max(b.start))))
}

/// The number of synapses, if it does not depend on chance or on a file.
pub(crate) fn known_count(proj: &Proj) -> Option<u64> {
    let (pre, post) = (&proj.projection.source, &proj.projection.target);
    match &proj.projection.connect {
        Connect::AllToAll { self_connections } => pairs(pre, post, *self_connections),
        Connect::OneToOne => known_len(pre).or(known_len(post)).map(u64::from),
        Connect::FixedInDegree(number) => number.n.checked_mul(u64::from(known_len(post)?)),
        Connect::FixedOutDegree(number) => number.n.checked_mul(u64::from(known_len(pre)?)),
        Connect::FixedTotalNumber(number) => Some(number.n),
        Connect::Pairs(list) => Some(list.len() as u64),
        Connect::FixedProbability { .. }
        | Connect::Condition { .. }
        | Connect::File(_)
        | Connect::Windows(_)
        | Connect::Copy(_)
        | Connect::Transpose(_) => None,
    }
}

fn probability(text: &Text, tools: &mut Tools<'_>) -> Option<f64> {
    let Tools { world, out, .. } = tools;
    let p = Evaluator { world, out }.real(text, Dimension::NONE, "a probability")?;
    check_probability(p, text.span, tools).then_some(p)
}

fn check_probability(p: f64, span: Span, tools: &mut Tools<'_>) -> bool {
    let fine = (0.0..=1.0).contains(&p);
    if !fine {
        tools.out.push(
            Diagnostic::error(code::RANGE, span, format!("the probability `{p}` is not between 0 and 1"))
                .help(if p > 1.0 && p <= 100.0 {
                    format!("for {p} percent write `{}`", p / 100.0)
                } else {
                    "write a number such as `0.02`".to_owned()
                }),
        );
    }
    fine
}

fn fixed_number(
    source: &ConnectSource,
    available: Option<u64>,
    what: &str,
    tools: &mut Tools<'_>,
) -> Option<FixedNumber> {
    let text = source.n.as_ref()?;
    let Tools { world, out, .. } = tools;
    let n = Evaluator { world, out }.count(text, "a number of synapses")?;
    let multapses = source.multapses.as_ref().is_none_or(|m| m.value);
    // Whether there are enough synapses to end on is checked once they are made.
    if let Some(available) = available
        && (n > 0 && available == 0 || !multapses && n > available)
    {
        let things =
            if source.rule.value == Rule::FixedTotalNumber { "pairs" } else { "neurons to choose from" };
        out.push(
            Diagnostic::error(
                code::RANGE,
                text.span,
                format!("{n} synapses without repetition, but {what} {available} {things}"),
            )
            .help("take a smaller number, or allow repetition: `multapses = true`"),
        );
        return None;
    }
    let self_connections = source.self_connections.as_ref().is_none_or(|s| s.value);
    Some(FixedNumber { n, self_connections, multapses })
}

fn condition(
    proj: &Proj,
    id: ProjectionId,
    source: &ConnectSource,
    objects: Objects<'_>,
    tools: &mut Tools<'_>,
) -> Option<Connect> {
    let home = proj.pairs(id, objects);
    let condition = match &source.condition {
        Some(text) => {
            let (ast, diagnostics) = parse_expression(text);
            tools.out.append(diagnostics);
            Some(tools.typer(home).condition(&ast, "`condition`"))
        }
        None => None,
    };
    let probability = match &source.probability {
        Some(text) => Some(expression_probability(text, home, tools)?),
        None => None,
    };
    let repeat = match &source.repeat {
        Some(text) => {
            let Tools { world, out, .. } = tools;
            let n = Evaluator { world, out }.count(text, "`repeat`")?;
            u32::try_from(n).unwrap_or(u32::MAX)
        }
        None => 1,
    };
    Some(Connect::Condition { condition, probability, repeat })
}

/// The probability with which a pair, or a synapse, is taken.
pub(crate) fn expression_probability(
    text: &Text,
    home: Home<'_>,
    tools: &mut Tools<'_>,
) -> Option<neuropil_model::Expr> {
    let mut typer = tools.typer(home);
    let typed = typer.value(text);
    if typed.dim == Dim::Unknown || !typer.expect(&typed, text.span, Dimension::NONE, "a probability") {
        return None;
    }
    if typed.expr.ty == ScalarType::Bool {
        tools.out.push(
            Diagnostic::error(code::TYPE, text.span, "a probability must be a number".to_owned())
                .label("a truth value")
                .help("write it as `condition`"),
        );
        return None;
    }
    if let Some(p) = typed.expr.as_real()
        && !check_probability(p, text.span, tools)
    {
        return None;
    }
    Some(tools.world.arith.convert(typed.expr, tools.world.arith.float()))
}

fn listed(source: &ConnectSource, pre: &Group, post: &Group, tools: &mut Tools<'_>) -> Option<Connect> {
    let list = source.pairs.as_ref()?;
    let mut fine = true;
    let mut pairs = Vec::with_capacity(list.len());
    for pair in list {
        let (i, j) = pair.value;
        let inside = |x: i64, group: &Group| {
            u32::try_from(x).ok().filter(|x| known_len(group).is_none_or(|len| *x < len))
        };
        match (inside(i, pre), inside(j, post)) {
            (Some(i), Some(j)) => pairs.push((i, j)),
            (i_inside, _) => {
                fine = false;
                let (number, group) = if i_inside.is_none() { (i, pre) } else { (j, post) };
                tools.out.push(
                    Diagnostic::error(
                        code::RANGE,
                        pair.span,
                        format!("there is no neuron `{number}` in `{}`", group.name),
                    )
                    .help(format!("its neurons are counted from 0 to {}", group.len.saturating_sub(1))),
                );
            }
        }
    }
    fine.then_some(Connect::Pairs(pairs))
}

/// How a projection's synapses are stored.
pub(crate) fn format(source: FormatSource) -> Format {
    match source {
        FormatSource::Auto => Format::Auto,
        FormatSource::Csr => Format::Csr,
        FormatSource::Ell => Format::Ell,
        FormatSource::Dense => Format::Dense,
    }
}
