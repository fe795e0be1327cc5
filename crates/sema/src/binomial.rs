//! Binomial inputs: many independent sources of one rate per neuron, of which only the sum is drawn.

use neuropil_base::{Diagnostic, Diagnostics, ScalarType, Text};
use neuropil_model::{
    AssignOp, Block, Distribution, Expr, ExprKind, Group, ObjectId, Periodic, Placed, Random, Side, Slot,
    Statement, VarRef,
};
use neuropil_source::InputSource;
use neuropil_units::Dimension;

use crate::builtin::is_missing;
use crate::code;
use crate::dim::{Dim, in_ms};
use crate::placement::placed;
use crate::population::{Pop, Tools};
use crate::scope::Class;
use crate::typing::{Typed, Typer};

/// The code that adds `weight*binomial(n, rate*dt)` to a variable of the neurons of `group`: what Brian 2's
/// `PoissonInput` does.
pub(crate) fn check_binomial(
    input: &InputSource,
    group: &Group,
    pop: &Pop,
    dt: f64,
    tools: &mut Tools<'_>,
) -> Option<Periodic> {
    let (variable, n, rate, weight) =
        (input.variable.as_ref()?, input.n.as_ref()?, input.rate.as_ref()?, input.weight.as_ref()?);
    if is_missing(variable) || pop.broken {
        return None;
    }
    let id = group.population()?;
    let Some(symbol) = pop.declared.symbols.get(&variable.value).cloned() else {
        let known = pop.declared.symbols.names();
        crate::builtin::unknown("variable", variable, known, tools.out);
        return None;
    };
    if symbol.class != Class::Writable || !symbol.ty.is_float() {
        let message = format!("`{}` cannot be added to", variable.value);
        tools.out.push(
            Diagnostic::error(code::NOT_ASSIGNABLE, variable.span, message)
                .related(symbol.span, "defined here")
                .help("take a real variable that code may change"),
        );
        return None;
    }
    let usual = Placed::at(Slot::Synapses);
    let placed = placed(input.when.as_ref(), input.order.as_ref(), usual, tools.world, tools.out);
    let before = tools.out.len();
    let site = tools.sites.fresh();
    let arith = tools.world.arith;
    let mut typer = tools.typer(pop.home(id));
    let number = number(n, &mut typer);
    let rate_typed = typer.value(rate);
    typer.expect(&rate_typed, rate.span, Dimension::HERTZ, "a rate");
    let step = Expr::new(ExprKind::TimeStep, ScalarType::F64);
    let probability = arith.mul(arith.convert(rate_typed.expr.clone(), ScalarType::F64), step);
    let distribution =
        Distribution::Binomial(Box::new(arith.convert(number.expr, ScalarType::F64)), Box::new(probability));
    let random = Random { site, side: Side::Own, distribution };
    let count = Expr::new(ExprKind::Random(random), ScalarType::I32);
    let weight_typed = typer.value(weight);
    let dim = weight_typed.dim;
    let value = arith.mul(weight_typed.expr, arith.convert(count, arith.float()));
    let value = typer.fitting(&variable.value, &symbol, Typed { expr: value, dim }, weight.span);
    check_probability(&rate_typed, rate, dt, tools.out);
    if tools.out.len() > before && tools.out.has_errors() {
        return None;
    }
    let target = VarRef { object: ObjectId::Population(id), variable: symbol.id, side: Side::Own };
    let statement = Statement::Assign { target, op: AssignOp::Add, value: value?, span: variable.span };
    let block = Block { locals: Vec::new(), statements: vec![statement] };
    Some(Periodic {
        name: input.name.value.clone(),
        clock: pop.population.clock,
        placed,
        shared: Block::new(),
        block,
        neurons: Some((group.start, group.len)),
        span: input.name.span,
    })
}

/// The number of sources.
fn number(text: &Text, typer: &mut Typer<'_>) -> Typed {
    let typed = typer.value(text);
    let fine = typer.expect(&typed, text.span, Dimension::NONE, "a number of sources");
    if let Some(n) = typed.expr.as_real()
        && fine
        && typed.dim != Dim::Unknown
        && !(n >= 0.0 && n.fract() == 0.0 && n <= f64::from(i32::MAX))
    {
        typer.out.push(
            Diagnostic::error(code::RANGE, text.span, format!("`n` must be a number of sources, not {n}"))
                .help("write a whole number, such as 1000"),
        );
    }
    typed
}

fn check_probability(rate: &Typed, text: &Text, dt: f64, out: &mut Diagnostics) {
    let Some(rate) = rate.expr.as_real() else { return };
    if !(rate >= 0.0 && rate.is_finite()) {
        out.push(
            Diagnostic::error(code::RANGE, text.span, "a rate must not be negative".to_owned())
                .label(format!("{rate} Hz")),
        );
    } else if rate * dt > 1.0 + 1e-12 {
        out.push(
            Diagnostic::error(
                code::RANGE,
                text.span,
                format!("at {rate} Hz a source has more than one event per step of {}", in_ms(dt)),
            )
            .help("take more sources of a lower rate, or a shorter step"),
        );
    }
}
