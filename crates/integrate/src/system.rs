//! The differential equations of one object, prepared for integration.

use neuropil_base::{Diagnostic, Diagnostics, ScalarType, Span};
use neuropil_model::{
    Arith, Block, ClockId, Equation, Expr, ExprKind, Extent, Network, ObjectId, Refractory, Side, VarRef,
    VariableId, VariableKind,
};

use crate::algebra::Algebra;

/// Equations with `dt` as a number, and what is needed to work on them.
#[derive(Clone, Debug)]
pub(crate) struct System<'a> {
    pub(crate) network: &'a Network,
    pub(crate) object: ObjectId,
    pub(crate) algebra: Algebra,
    /// The step of the clock, seconds.
    pub(crate) dt: f64,
    pub(crate) unknowns: Vec<Unknown>,
    /// `not_refractory`, if some unknown stands still while it is false.
    pub(crate) active: Option<Expr>,
}

/// A variable with a differential equation.
#[derive(Clone, Debug)]
pub(crate) struct Unknown {
    pub(crate) variable: VarRef,
    pub(crate) ty: ScalarType,
    pub(crate) name: String,
    /// The derivative as the model states it; it counts as 0 while the variable is frozen.
    pub(crate) rhs: Expr,
    pub(crate) span: Span,
    /// Stands still while the neuron is refractory.
    pub(crate) freezes: bool,
    /// One value for all elements.
    pub(crate) shared: bool,
}

/// Why a method does not apply: a diagnostic if the model asked for it, a reason if it did not.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) reason: String,
    pub(crate) span: Span,
    pub(crate) help: Vec<String>,
}

impl Refusal {
    pub(crate) fn diagnostics(self, method: &str) -> Diagnostics {
        let mut d = Diagnostic::error(
            self.code,
            self.span,
            format!("the method `{method}` does not apply: {}", self.reason),
        );
        for line in self.help {
            d = d.help(line);
        }
        let mut all = Diagnostics::new();
        all.push(d);
        all
    }
}

impl<'a> System<'a> {
    /// `equations` of `object`.
    pub(crate) fn new(
        network: &'a Network,
        object: ObjectId,
        equations: &[Equation],
        clock: ClockId,
    ) -> Self {
        let algebra = Algebra::new(Arith::new(network.precision));
        let dt = network.clock(clock).dt;
        let active = active(network, object);
        let unknowns: Vec<Unknown> = equations
            .iter()
            .map(|equation| {
                let variable = VarRef { object, variable: equation.variable, side: Side::Own };
                let info = network.variable(variable);
                Unknown {
                    variable,
                    ty: info.ty,
                    name: info.name.clone(),
                    rhs: with_dt(algebra, dt, &equation.rhs),
                    span: if equation.rhs.span == Span::NONE { equation.span } else { equation.rhs.span },
                    freezes: info.unless_refractory && active.is_some(),
                    shared: info.extent == Extent::Shared,
                }
            })
            .collect();
        let active = active.filter(|_| unknowns.iter().any(|u| u.freezes));
        Self { network, object, algebra, dt, unknowns, active }
    }

    /// The number of the unknown that `e` is.
    pub(crate) fn unknown(&self, e: &Expr) -> Option<usize> {
        match &e.kind {
            ExprKind::Variable(variable) => self.unknowns.iter().position(|u| u.variable == *variable),
            _ => None,
        }
    }

    /// The unknown's value at the beginning of the step.
    pub(crate) fn value(&self, k: usize) -> Expr {
        Expr::variable(self.unknowns[k].variable, self.unknowns[k].ty)
    }

    /// `dt` as a real constant.
    pub(crate) fn step(&self) -> Expr {
        self.algebra.real(self.dt)
    }

    /// `e` while the unknown moves, `still` while it is frozen.
    pub(crate) fn unless_frozen(&self, k: usize, e: Expr, still: Expr) -> Expr {
        match &self.active {
            Some(active) if self.unknowns[k].freezes => self.algebra.arith.select(active.clone(), e, still),
            Some(_) | None => e,
        }
    }

    /// `e` as the model's author would read it.
    pub(crate) fn show(&self, e: &Expr, block: &Block) -> String {
        plain(&self.network.display_expr(self.object, e, &block.locals).to_string())
    }

    /// The names of all unknowns: `` `v`, `w` ``.
    pub(crate) fn names(&self) -> String {
        let names: Vec<String> = self.unknowns.iter().map(|u| format!("`{}`", u.name)).collect();
        names.join(", ")
    }
}

/// A printed expression as a person writes it: without the sites of random numbers, and `2` for `2.0`.
fn plain(printed: &str) -> String {
    let mut text = String::with_capacity(printed.len());
    let mut rest = printed;
    while let Some(c) = rest.chars().next() {
        let digits = |s: &str| s.len() - s.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let whole = text.chars().last().is_some_and(|c| c.is_ascii_digit());
        let skipped = match c {
            '#' => 1 + digits(&rest[1..]),
            '.' if whole
                && rest[1..].starts_with('0')
                && digits(&rest[1..]) == 1
                && !rest[2..].starts_with('e') =>
            {
                2
            }
            _ => 0,
        };
        if skipped == 0 {
            text.push(c);
        }
        rest = &rest[skipped.max(c.len_utf8())..];
    }
    text
}

/// `e` with `dt` replaced by its value.
pub(crate) fn with_dt(algebra: Algebra, dt: f64, e: &Expr) -> Expr {
    algebra.substitute(e, &|part| match part.kind {
        ExprKind::TimeStep => Some(Expr::real(dt, part.ty)),
        _ => None,
    })
}

/// The variable of an object that is of some kind.
pub(crate) fn variable_of_kind(network: &Network, object: ObjectId, kind: &VariableKind) -> Option<VarRef> {
    let index = network.variables(object).iter().position(|v| v.kind == *kind)?;
    Some(VarRef { object, variable: VariableId::new(index), side: Side::Own })
}

/// `not_refractory`, if the object has it and is ever refractory.
fn active(network: &Network, object: ObjectId) -> Option<Expr> {
    match object {
        ObjectId::Population(id) if network.population(id).refractory != Refractory::Never => {
            let variable = variable_of_kind(network, object, &VariableKind::NotRefractory)?;
            Some(Expr::variable(variable, ScalarType::Bool))
        }
        ObjectId::Population(_) | ObjectId::Projection(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_is_shown_is_what_a_person_writes() {
        assert_eq!(plain("v**2.0 + xi#0 * 10.05 - rand()#12"), "v**2 + xi * 10.05 - rand()");
        assert_eq!(plain("1.0e300 * 0.0"), "1.0e300 * 0");
    }
}
