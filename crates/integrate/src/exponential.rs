//! Exponential Euler: each equation is linear in its own variable, the others stand still for the step.
//!
//! As in Brian 2, an equation is also taken if it is linear once functions of its own variable stand still, such as the
//! instantaneous activation of a channel. The method is not chosen automatically then.
//!
//! With `x' = a x + b` the new value is `x + dt (a x + b) exprel(a dt)`, which is right for `a = 0` too.
//! Where `a` certainly does not vanish (the rates of a channel's gate), the same is written
//! `x_inf + (x - x_inf) exp(a dt)` with `x_inf = -b/a`, which costs one exponential and one division.

use neuropil_math::Function;
use neuropil_model::{Block, Expr, ExprKind};

use crate::affine::{Affine, NotLinear, affine, affine_but_for_functions};
use crate::algebra::{define, is_zero};
use crate::noise::place;
use crate::sign::sign;
use crate::system::{Refusal, System};

/// The values at the end of the step, by unknown.
pub(crate) fn exponential_euler(system: &System<'_>, block: &mut Block) -> Result<Vec<Expr>, Refusal> {
    let parts: Vec<Affine> =
        (0..system.unknowns.len()).map(|k| split(system, k, Functions::Frozen)).collect::<Result<_, _>>()?;
    let new = parts.into_iter().enumerate().map(|(k, parts)| {
        let new = advance(system, k, parts, block);
        system.unless_frozen(k, new, system.value(k))
    });
    Ok(new.collect())
}

/// What to do with functions of a variable in its own equation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Functions {
    /// The equation is not linear.
    Refused,
    /// They keep their values for the step.
    Frozen,
}

/// Whether the method applies to the letter, and can be chosen where none is named.
pub(crate) fn applies(system: &System<'_>) -> bool {
    (0..system.unknowns.len()).all(|k| split(system, k, Functions::Refused).is_ok())
}

/// The coefficient (as number 0) and the rest of one equation, or why it has none.
fn split(system: &System<'_>, k: usize, functions: Functions) -> Result<Affine, Refusal> {
    let unknown = &system.unknowns[k];
    if unknown.rhs.any(&mut |e| matches!(e.kind, ExprKind::Noise(_))) {
        return Err(Refusal {
            code: "noise-not-supported",
            reason: format!("the equation of `{}` has noise", unknown.name),
            span: unknown.span,
            help: vec!["`euler`, `heun` and `milstein` take noise".to_owned()],
        });
    }
    let own = |e: &Expr| (system.unknown(e) == Some(k)).then_some(0);
    let unit = system.algebra.real(1.0);
    let parts = affine(system.algebra, &unknown.rhs, &unit, &own);
    let parts = match functions {
        Functions::Refused => parts,
        Functions::Frozen => parts.or_else(|error: NotLinear| {
            affine_but_for_functions(system.algebra, &unknown.rhs, &unit, &own).map_err(|_| error)
        }),
    };
    parts.map_err(|error| {
        let term = system.show(&error.term, &Block::new());
        Refusal {
            code: "not-linear",
            reason: format!("`{term}` in the equation of `{0}` is not linear in `{0}`", unknown.name),
            span: place(&error.term, unknown.span),
            help: vec!["`rk2`, `rk4` and `euler` take such equations".to_owned()],
        }
    })
}

fn advance(system: &System<'_>, k: usize, mut parts: Affine, block: &mut Block) -> Expr {
    let (algebra, x, name) = (system.algebra, system.value(k), &system.unknowns[k].name);
    let rhs = || system.unknowns[k].rhs.clone();
    let Some(a) = parts.coefficients.remove(&0) else {
        return algebra.add(x, algebra.mul(system.step(), rhs()));
    };
    let b = parts.constant;
    let exp = |e: Expr| algebra.call(Function::Exp, vec![e]);
    if is_zero(&b) {
        return algebra.mul(x, exp(algebra.mul(system.step(), a)));
    }
    if !sign(&a).is_strict() {
        let a = define(block, &format!("a_{name}"), a);
        let mean = algebra.call(Function::Exprel, vec![algebra.mul(system.step(), a)]);
        return algebra.add(x, algebra.mul(algebra.mul(system.step(), rhs()), mean));
    }
    let rate = define(block, &format!("rate_{name}"), algebra.neg(a));
    let target = define(block, &format!("{name}_inf"), algebra.div(b, rate.clone()));
    let decay = exp(algebra.scale(-system.dt, rate));
    algebra.add(target.clone(), algebra.mul(algebra.sub(x, target), decay))
}
