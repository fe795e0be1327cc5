//! Linear systems solved exactly: `x' = A x + b` with A and b constant over the step.
//!
//! Each unknown is advanced with the part of the system that it depends on, so independent variables stay
//! decoupled and a zero of A gives no term. Where that part of A is known when the model is built, its
//! exponential and the integral for b are computed then (`expm.rs`); a variable that decays on its own gets
//! exactly `exp(-dt/tau)`. Where A differs between elements, the kernel computes
//!
//! * one variable: `x exp(m)`, or `x + dt f(x) exprel(m)` with `m = a dt`, finite for `m = 0`;
//! * a variable driven by others that relax on their own: with the divided differences
//!   `(e^p - e^q)/(p - q) = e^max(p, q) exprel(-|p - q|)`, finite for equal time constants;
//! * up to [`LARGEST_SYMBOLIC`] coupled variables: by scaling and squaring of a fixed order, on
//!   `E = exp(M) - 1` so that slow changes keep their digits (`E <- 2E + E^2`).
//!
//! While a neuron is refractory, the rows of frozen variables are zero; both propagators are at hand and a
//! `select` takes one.

use std::collections::{BTreeMap, BTreeSet};

use neuropil_base::Scalar;
use neuropil_math::{Function, host, scalar};
use neuropil_model::{Block, Expr, ExprKind};

use crate::affine::affine;
use crate::algebra::{Algebra, define, is_zero};
use crate::expm::{Matrix, expm, expm_and_integral};
use crate::noise::place;
use crate::sign::sign;
use crate::system::{Refusal, System};

/// Numerically known systems larger than this are not solved exactly.
const LARGEST_NUMERIC: usize = 64;
/// Systems with coefficients computed in the kernel.
const LARGEST_SYMBOLIC: usize = 4;
/// Terms of the series; with arguments up to 1/2 the rest is below 1e-11 of the change.
const SERIES: u32 = 10;

/// Over which time a system is advanced.
pub(crate) struct Interval {
    /// Seconds.
    pub(crate) length: Expr,
    /// Halvings of the interval before the series is summed: rates times interval may be up to `2^halvings / 2`.
    pub(crate) halvings: u32,
    /// Whether the interval is one step of the clock, over which timed arrays may be constant.
    pub(crate) is_step: bool,
}

/// The values at the end of the interval, by unknown.
pub(crate) fn exact(
    system: &System<'_>,
    interval: &Interval,
    block: &mut Block,
) -> Result<Vec<Expr>, Refusal> {
    let free = Rows::extract(system, interval, block)?;
    let frozen = free.frozen(system);
    let count = system.unknowns.len();
    (0..count)
        .map(|k| {
            let new = free.advance(system, interval, k, block)?;
            let meets_frozen = free.reach(k).into_iter().any(|j| system.unknowns[j].freezes);
            match &system.active {
                Some(active) if meets_frozen => {
                    let still = frozen.advance(system, interval, k, block)?;
                    Ok(system.algebra.arith.select(active.clone(), new, still))
                }
                Some(_) | None => Ok(new),
            }
        })
        .collect()
}

/// Whether every unknown depends on others only one way: the matrix is triangular in some order.
pub(crate) fn is_triangular(
    system: &System<'_>,
    interval: &Interval,
    block: &Block,
) -> Result<bool, Refusal> {
    let rows = Rows::extract(system, interval, block)?;
    Ok((0..system.unknowns.len()).all(|k| !rows.is_coupled(k)))
}

/// The system, row by row, multiplied by the interval's length.
#[derive(Clone, Debug)]
struct Rows {
    /// Coefficients times the interval, by unknown.
    a: Vec<BTreeMap<usize, Expr>>,
    /// What is added, per second; none for 0.
    b: Vec<Option<Expr>>,
    /// The derivative as the model states it.
    rhs: Vec<Expr>,
}

impl Rows {
    fn extract(system: &System<'_>, interval: &Interval, block: &Block) -> Result<Self, Refusal> {
        let mut rows = Self { a: Vec::new(), b: Vec::new(), rhs: Vec::new() };
        for unknown in &system.unknowns {
            let refuse = |code, reason: String, term: &Expr, help: &str| Refusal {
                code,
                reason,
                span: place(term, unknown.span),
                help: vec![help.to_owned()],
            };
            let mut noise = None;
            unknown.rhs.walk(&mut |e| {
                if matches!(e.kind, ExprKind::Noise(_)) {
                    noise = Some(e);
                }
            });
            if let Some(noise) = noise {
                let reason = format!("the equation of `{}` has noise", unknown.name);
                return Err(refuse("not-exact", reason, noise, "`euler`, `heun` and `milstein` take noise"));
            }
            let parts = affine(system.algebra, &unknown.rhs, &interval.length, &|e| system.unknown(e));
            let parts = parts.map_err(|error| {
                let term = system.show(&error.term, block);
                let reason = format!(
                    "`{term}` in the equation of `{}` is not linear in {}",
                    unknown.name,
                    system.names()
                );
                refuse("not-linear", reason, &error.term, "`rk4` and `exponential_euler` take such equations")
            })?;
            for part in parts.coefficients.values().chain([&parts.constant]) {
                if let Some(varying) = varying(system, interval, part) {
                    let term = system.show(varying, block);
                    let reason =
                        format!("`{term}` in the equation of `{}` changes during the step", unknown.name);
                    return Err(refuse(
                        "not-exact",
                        reason,
                        varying,
                        "`rk4` follows explicit functions of time",
                    ));
                }
            }
            rows.a.push(parts.coefficients);
            rows.b.push(Some(parts.constant).filter(|b| !is_zero(b)));
            rows.rhs.push(unknown.rhs.clone());
        }
        Ok(rows)
    }

    /// The system while the neuron is refractory.
    fn frozen(&self, system: &System<'_>) -> Self {
        let mut rows = self.clone();
        for (k, unknown) in system.unknowns.iter().enumerate() {
            if unknown.freezes {
                rows.a[k].clear();
                rows.b[k] = None;
                rows.rhs[k] = system.algebra.zero();
            }
        }
        rows
    }

    /// The unknowns on which `k` depends, itself included, in order.
    fn reach(&self, k: usize) -> Vec<usize> {
        let mut found = BTreeSet::from([k]);
        let mut open = vec![k];
        while let Some(i) = open.pop() {
            for &j in self.a[i].keys() {
                if found.insert(j) {
                    open.push(j);
                }
            }
        }
        found.into_iter().collect()
    }

    /// Whether something on which `k` depends depends on `k`.
    fn is_coupled(&self, k: usize) -> bool {
        self.reach(k).into_iter().any(|j| j != k && self.reach(j).contains(&k))
    }

    fn coefficient(&self, system: &System<'_>, i: usize, j: usize) -> Expr {
        self.a[i].get(&j).cloned().unwrap_or_else(|| system.algebra.zero())
    }

    /// The value of unknown `k` at the end of the interval.
    fn advance(
        &self,
        system: &System<'_>,
        interval: &Interval,
        k: usize,
        block: &mut Block,
    ) -> Result<Expr, Refusal> {
        let members = self.reach(k);
        let part = Part { rows: self, system, interval, k, members };
        if part.is_known() {
            return part.known();
        }
        match part.members.as_slice() {
            [_] => Ok(part.single(block)),
            _ if part.others_are_independent() => Ok(part.driven(block)),
            members if members.len() <= LARGEST_SYMBOLIC => Ok(part.squaring(block)),
            members => Err(part.too_large(members.len(), LARGEST_SYMBOLIC)),
        }
    }
}

/// The part of a system that one unknown depends on.
struct Part<'a> {
    rows: &'a Rows,
    system: &'a System<'a>,
    interval: &'a Interval,
    k: usize,
    members: Vec<usize>,
}

impl Part<'_> {
    /// Whether all coefficients are numbers.
    fn is_known(&self) -> bool {
        self.members.iter().all(|&i| self.rows.a[i].values().all(|c| c.as_real().is_some()))
    }

    /// Numbers for coefficients: a propagator computed here.
    fn known(&self) -> Result<Expr, Refusal> {
        let (algebra, n) = (self.system.algebra, self.members.len());
        if n > LARGEST_NUMERIC {
            return Err(self.too_large(n, LARGEST_NUMERIC));
        }
        let entry = |i: usize, j: usize| self.rows.a[i].get(&j).and_then(Expr::as_real).unwrap_or(0.0);
        let matrix: Matrix =
            self.members.iter().map(|&i| self.members.iter().map(|&j| entry(i, j)).collect()).collect();
        let own = self.members.iter().position(|&i| i == self.k).unwrap_or(0);
        let has_input = self.members.iter().any(|&j| self.rows.b[j].is_some());
        let (mut propagator, mut integral) = match (n, has_input) {
            (1, _) => (vec![0.0], vec![0.0]),
            (_, true) => {
                let (mut p, mut q) = expm_and_integral(&matrix);
                (p.swap_remove(own), q.swap_remove(own))
            }
            (_, false) => (expm(&matrix).swap_remove(own), vec![0.0; n]),
        };
        if !self.rows.is_coupled(self.k) {
            // To the last bit what a variable that decays on its own gets.
            propagator[own] = host::exp(matrix[own][own]);
            integral[own] = exprel(matrix[own][own]);
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|&m| m != own);
        let states = order.iter().map(|&m| {
            if propagator[m] == 0.0 {
                algebra.zero()
            } else {
                algebra.scale(propagator[m], self.system.value(self.members[m]))
            }
        });
        let inputs = order.iter().filter_map(|&m| {
            let b = self.rows.b[self.members[m]].clone()?;
            Some(algebra.mul(algebra.scale(integral[m], self.interval.length.clone()), b))
        });
        Ok(algebra.sum(states.chain(inputs)))
    }

    /// A variable on its own.
    fn single(&self, block: &mut Block) -> Expr {
        let algebra = self.system.algebra;
        let x = self.system.value(self.k);
        let m = self.rows.coefficient(self.system, self.k, self.k);
        match &self.rows.b[self.k] {
            None => algebra.mul(x, self.decay(self.k, block)),
            Some(_) => {
                let change = algebra.mul(self.interval.length.clone(), self.rows.rhs[self.k].clone());
                algebra.add(x, algebra.mul(change, algebra.call(Function::Exprel, vec![m])))
            }
        }
    }

    /// Whether every other member is on its own, and without input or with one that it certainly balances.
    fn others_are_independent(&self) -> bool {
        self.members.iter().filter(|j| **j != self.k).all(|&j| {
            let own = self.rows.coefficient(self.system, j, j);
            self.rows.a[j].keys().all(|i| *i == j) && (self.rows.b[j].is_none() || sign(&own).is_strict())
        })
    }

    /// A variable that others drive, each of which relaxes on its own: to 0, or to where its input is balanced.
    fn driven(&self, block: &mut Block) -> Expr {
        let (algebra, length) = (self.system.algebra, &self.interval.length);
        let m = |i, j| self.rows.coefficient(self.system, i, j);
        let own = m(self.k, self.k);
        let mut terms = vec![algebra.mul(self.decay(self.k, block), self.system.value(self.k))];
        let mut input = self.rows.b[self.k].clone().map(|b| algebra.mul(length.clone(), b));
        for &j in self.members.iter().filter(|j| **j != self.k) {
            let mut x = self.system.value(j);
            if let Some(b) = &self.rows.b[j] {
                let target = algebra.neg(algebra.div(algebra.mul(length.clone(), b.clone()), m(j, j)));
                let target = define(block, &format!("{}_inf", self.system.unknowns[j].name), target);
                x = algebra.sub(x, target.clone());
                let steady = algebra.mul(m(self.k, j), target);
                input = Some(input.map_or(steady.clone(), |sum| algebra.add(sum, steady)));
            }
            let transfer = algebra.mul(m(self.k, j), divided_difference(algebra, own.clone(), m(j, j)));
            terms.push(algebra.mul(transfer, x));
        }
        if let Some(input) = input {
            terms.push(algebra.mul(algebra.call(Function::Exprel, vec![own]), input));
        }
        algebra.sum(terms)
    }

    /// The factor by which `i` decays on its own.
    fn decay(&self, i: usize, block: &mut Block) -> Expr {
        let m = self.rows.coefficient(self.system, i, i);
        let name = format!("decay_{}", self.system.unknowns[i].name);
        let decay = self.system.algebra.call(Function::Exp, vec![m]);
        match block.statements.iter().find_map(|s| holds(s, &decay)) {
            Some(local) => local,
            None => define(block, &name, decay),
        }
    }

    /// Up to a few coupled variables: `E = exp(M) - 1` by series and squaring, with the inputs as one more column.
    fn squaring(&self, block: &mut Block) -> Expr {
        let (algebra, n) = (self.system.algebra, self.members.len());
        let length = &self.interval.length;
        let mut m = Grid::zero(n + 1);
        for (row, &i) in self.members.iter().enumerate() {
            for (column, &j) in self.members.iter().enumerate() {
                m.entries[row][column] = self.rows.a[i].get(&j).cloned();
            }
            m.entries[row][n] = self.rows.b[i].clone().map(|b| algebra.mul(length.clone(), b));
        }
        let mut factor = 1.0;
        for _ in 0..self.interval.halvings {
            factor *= 0.5;
        }
        let x = m.map(|e| algebra.scale(factor, e)).named(block, "m");
        let mut e = x.map(|entry| algebra.scale(1.0 / f64::from(SERIES), entry)).named(block, "e");
        for order in (1..SERIES).rev() {
            let scaled = x.map(|entry| algebra.scale(1.0 / f64::from(order), entry));
            e = scaled.plus(algebra, &scaled.times(algebra, &e)).named(block, "e");
        }
        for _ in 0..self.interval.halvings {
            let twice = e.map(|entry| algebra.scale(2.0, entry));
            e = twice.plus(algebra, &e.times(algebra, &e)).named(block, "e");
        }
        let own = self.members.iter().position(|&i| i == self.k).unwrap_or(0);
        let states = self.members.iter().enumerate().filter_map(|(column, &j)| {
            Some(algebra.mul(e.entries[own][column].clone()?, self.system.value(j)))
        });
        let change = algebra.sum(states.chain(e.entries[own][n].clone()));
        algebra.add(self.system.value(self.k), change)
    }

    fn too_large(&self, count: usize, limit: usize) -> Refusal {
        let unknown = &self.system.unknowns[self.k];
        Refusal {
            code: "not-exact",
            reason: format!(
                "`{}` depends on {count} coupled variables, and at most {limit} are solved together{}",
                unknown.name,
                if limit == LARGEST_SYMBOLIC { " where coefficients differ between elements" } else { "" }
            ),
            span: unknown.span,
            help: vec!["`rk4` and `exponential_euler` have no such limit".to_owned()],
        }
    }
}

/// The local to which a statement gives the value `e`.
fn holds(statement: &neuropil_model::Statement, e: &Expr) -> Option<Expr> {
    match statement {
        neuropil_model::Statement::Let { local, value } if value == e => Some(Expr::local(*local, e.ty)),
        neuropil_model::Statement::Let { .. } | neuropil_model::Statement::Assign { .. } => None,
    }
}

/// `(e^p - e^q) / (p - q)`, also where the two are equal or nearly so.
fn divided_difference(algebra: Algebra, p: Expr, q: Expr) -> Expr {
    if is_zero(&q) {
        return algebra.call(Function::Exprel, vec![p]);
    }
    if is_zero(&p) {
        return algebra.call(Function::Exprel, vec![q]);
    }
    if p == q {
        return algebra.call(Function::Exp, vec![p]);
    }
    let high = algebra.call(Function::Max, vec![p.clone(), q.clone()]);
    let low = algebra.call(Function::Min, vec![p, q]);
    let gap = algebra.sub(low, high.clone());
    algebra.mul(algebra.call(Function::Exp, vec![high]), algebra.call(Function::Exprel, vec![gap]))
}

/// `(e^x - 1) / x`
fn exprel(x: f64) -> f64 {
    scalar::eval(Function::Exprel, &[Scalar::F64(x)]).to_f64()
}

/// The first part of `e` that changes while the interval lasts.
fn varying<'e>(system: &System<'_>, interval: &Interval, e: &'e Expr) -> Option<&'e Expr> {
    match &e.kind {
        ExprKind::Time => Some(e),
        ExprKind::Table { table, time, column } => {
            // A timed array read at `t` keeps its value over the step if its rows begin with steps.
            let rows_of_steps = system.network.table(*table).dt / system.dt;
            let aligned = (rows_of_steps - rows_of_steps.round()).abs() < 1e-6 && rows_of_steps > 0.5;
            if interval.is_step && aligned && matches!(time.kind, ExprKind::Time) {
                column.as_ref().and_then(|c| varying(system, interval, c))
            } else {
                Some(e)
            }
        }
        ExprKind::Constant(_)
        | ExprKind::Variable(_)
        | ExprKind::Local(_)
        | ExprKind::TimeStep
        | ExprKind::Step
        | ExprKind::Index(_)
        | ExprKind::Unary(..)
        | ExprKind::Binary(..)
        | ExprKind::Compare(..)
        | ExprKind::Select(..)
        | ExprKind::Convert(_)
        | ExprKind::Call(..)
        | ExprKind::Random(_)
        | ExprKind::Noise(_) => e.children().into_iter().find_map(|c| varying(system, interval, c)),
    }
}

/// A small square matrix of expressions; none is 0.
#[derive(Clone)]
struct Grid {
    entries: Vec<Vec<Option<Expr>>>,
}

impl Grid {
    fn zero(n: usize) -> Self {
        Self { entries: vec![vec![None; n]; n] }
    }

    fn map(&self, f: impl Fn(Expr) -> Expr) -> Self {
        let row = |row: &Vec<Option<Expr>>| row.iter().map(|e| e.clone().map(&f)).collect();
        Self { entries: self.entries.iter().map(row).collect() }
    }

    fn plus(&self, algebra: Algebra, other: &Self) -> Self {
        let mut sum = self.clone();
        for (a, b) in sum.entries.iter_mut().flatten().zip(other.entries.iter().flatten()) {
            *a = match (a.take(), b.clone()) {
                (Some(a), Some(b)) => Some(algebra.add(a, b)),
                (a, b) => a.or(b),
            };
        }
        sum
    }

    fn times(&self, algebra: Algebra, other: &Self) -> Self {
        let n = self.entries.len();
        let mut result = Self::zero(n);
        for i in 0..n {
            for j in 0..n {
                let terms = (0..n).filter_map(|k| {
                    Some(algebra.mul(self.entries[i][k].clone()?, other.entries[k][j].clone()?))
                });
                result.entries[i][j] = terms.reduce(|sum, term| algebra.add(sum, term));
            }
        }
        result
    }

    /// Every entry as a local.
    fn named(&self, block: &mut Block, name: &str) -> Self {
        let mut result = self.clone();
        for (i, row) in result.entries.iter_mut().enumerate() {
            for (j, entry) in row.iter_mut().enumerate() {
                *entry = entry.take().map(|e| define(block, &format!("{name}_{i}{j}"), e));
            }
        }
        result
    }
}
