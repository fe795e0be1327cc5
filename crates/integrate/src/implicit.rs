//! Backward Euler: `x_new = x + dt f(x_new, t + dt)`, by a fixed number of Newton steps with a symbolic
//! Jacobian.
//!
//! Variables that depend on others only one way are solved one after the other; those that depend on each
//! other are solved together by elimination, without pivoting: the diagonal `1 - dt df/dx` is the large one
//! for every step that resolves growth. Parts that are linear take one Newton step, which is exact.

use neuropil_model::{Block, Expr, ExprKind};

use crate::affine::affine;
use crate::algebra::{define, is_zero};
use crate::derivative::derivative;
use crate::system::{Refusal, System};

/// Newton steps for nonlinear parts. The error is squared by each; from a start within a percent four reach
/// double precision.
const NEWTON_STEPS: usize = 4;
/// Variables that depend on each other and are solved together.
const LARGEST: usize = 6;

/// The values at the end of the step, by unknown.
pub(crate) fn implicit_euler(system: &System<'_>, block: &mut Block) -> Result<Vec<Expr>, Refusal> {
    for unknown in &system.unknowns {
        if unknown.rhs.any(&mut |e| matches!(e.kind, ExprKind::Noise(_))) {
            return Err(Refusal {
                code: "noise-not-supported",
                reason: format!("the equation of `{}` has noise", unknown.name),
                span: unknown.span,
                help: vec!["`euler`, `heun` and `milstein` take noise".to_owned()],
            });
        }
    }
    let count = system.unknowns.len();
    let mut newton =
        Newton { system, rhs: at_the_end(system), values: (0..count).map(|k| system.value(k)).collect() };
    for part in parts(system) {
        if part.len() > LARGEST {
            let unknown = &system.unknowns[part[0]];
            return Err(Refusal {
                code: "too-coupled",
                reason: format!(
                    "{} variables depend on each other, `{}` among them, and at most {LARGEST} are solved together",
                    part.len(),
                    unknown.name
                ),
                span: unknown.span,
                help: vec!["`exponential_euler` and `rk4` have no such limit".to_owned()],
            });
        }
        newton.solve(&part, block);
    }
    Ok(newton
        .values
        .into_iter()
        .enumerate()
        .map(|(k, new)| system.unless_frozen(k, new, system.value(k)))
        .collect())
}

/// The right-hand sides at `t + dt`, 0 for frozen variables.
fn at_the_end(system: &System<'_>) -> Vec<Expr> {
    let arith = system.algebra.arith;
    let rhs = system.unknowns.iter().enumerate().map(|(k, unknown)| {
        let later = system.algebra.substitute(&unknown.rhs, &|e| match e.kind {
            ExprKind::Time => Some(arith.add(e.clone(), Expr::real(system.dt, e.ty))),
            _ => None,
        });
        system.unless_frozen(k, later, Expr::real(0.0, unknown.ty))
    });
    rhs.collect()
}

/// Sets of unknowns that depend on each other; each set after those that it depends on.
fn parts(system: &System<'_>) -> Vec<Vec<usize>> {
    let count = system.unknowns.len();
    // `reach[i][j]`: i depends on j, or is j.
    let mut reach = vec![vec![false; count]; count];
    for (i, (row, unknown)) in reach.iter_mut().zip(&system.unknowns).enumerate() {
        row[i] = true;
        unknown.rhs.walk(&mut |e| {
            if let Some(j) = system.unknown(e) {
                row[j] = true;
            }
        });
    }
    for through in 0..count {
        let onward = reach[through].clone();
        for row in reach.iter_mut().filter(|row| row[through]) {
            for (a, b) in row.iter_mut().zip(&onward) {
                *a |= *b;
            }
        }
    }
    let together = |i: usize| -> Vec<usize> { (0..count).filter(|&j| reach[i][j] && reach[j][i]).collect() };
    let mut parts: Vec<Vec<usize>> = (0..count)
        .map(|i| (i, together(i)))
        .filter(|(i, part)| part.first() == Some(i))
        .map(|(_, p)| p)
        .collect();
    // What a part depends on reaches strictly less.
    parts.sort_by_key(|part| reach[part[0]].iter().filter(|r| **r).count());
    parts
}

struct Newton<'a> {
    system: &'a System<'a>,
    rhs: Vec<Expr>,
    /// The current approximation, by unknown.
    values: Vec<Expr>,
}

impl Newton<'_> {
    /// `e` at the current approximation.
    fn at(&self, e: &Expr) -> Expr {
        self.system.algebra.substitute(e, &|part| self.system.unknown(part).map(|k| self.values[k].clone()))
    }

    fn solve(&mut self, part: &[usize], block: &mut Block) {
        let system = self.system;
        let algebra = system.algebra;
        let own = |e: &Expr| system.unknown(e).filter(|k| part.contains(k));
        let linear = part.iter().all(|&k| affine(algebra, &self.rhs[k], &algebra.real(1.0), &own).is_ok());
        let by = |i: usize, j: usize| {
            let d = derivative(algebra, &self.rhs[i], &|e| system.unknown(e) == Some(j));
            let change = algebra.neg(algebra.mul(system.step(), d));
            if i == j { algebra.add(algebra.real(1.0), change) } else { change }
        };
        let jacobian: Vec<Vec<Expr>> =
            part.iter().map(|&i| part.iter().map(|&j| by(i, j)).collect()).collect();
        for _ in 0..if linear { 1 } else { NEWTON_STEPS } {
            let matrix = jacobian.iter().map(|row| row.iter().map(|e| self.at(e)).collect()).collect();
            let residual = part
                .iter()
                .map(|&k| {
                    let start = self.values[k] == system.value(k);
                    let moved = || algebra.sub(self.values[k].clone(), system.value(k));
                    let moved = if start { algebra.zero() } else { moved() };
                    algebra.sub(moved, algebra.mul(system.step(), self.at(&self.rhs[k])))
                })
                .collect();
            let correction = self.eliminate(matrix, residual, block);
            for (&k, correction) in part.iter().zip(correction) {
                let better = algebra.sub(self.values[k].clone(), correction);
                let better = algebra.arith.convert(better, system.unknowns[k].ty);
                self.values[k] = define(block, &format!("{}_next", system.unknowns[k].name), better);
            }
        }
    }

    /// The solution of `matrix * x = right`.
    #[allow(clippy::needless_range_loop, reason = "two rows of one matrix at a time")]
    fn eliminate(&self, mut matrix: Vec<Vec<Expr>>, mut right: Vec<Expr>, block: &mut Block) -> Vec<Expr> {
        let algebra = self.system.algebra;
        let n = right.len();
        if n > 1 {
            for (row, e) in matrix.iter_mut().flatten().enumerate() {
                *e = define(block, &format!("j_{}{}", row / n, row % n), e.clone());
            }
            for (row, e) in right.iter_mut().enumerate() {
                *e = define(block, &format!("r_{row}"), e.clone());
            }
        }
        for k in 0..n {
            for i in k + 1..n {
                if is_zero(&matrix[i][k]) {
                    continue;
                }
                let factor = algebra.div(matrix[i][k].clone(), matrix[k][k].clone());
                let factor = define(block, &format!("l_{i}{k}"), factor);
                for j in k + 1..n {
                    let e =
                        algebra.sub(matrix[i][j].clone(), algebra.mul(factor.clone(), matrix[k][j].clone()));
                    matrix[i][j] = define(block, &format!("j_{i}{j}"), e);
                }
                let e = algebra.sub(right[i].clone(), algebra.mul(factor, right[k].clone()));
                right[i] = define(block, &format!("r_{i}"), e);
            }
        }
        for k in (0..n).rev() {
            let known = (k + 1..n).map(|j| algebra.mul(matrix[k][j].clone(), right[j].clone()));
            let rest = algebra.sub(right[k].clone(), algebra.sum(known));
            let x = algebra.div(rest, matrix[k][k].clone());
            right[k] = if n > 1 { define(block, &format!("d_{k}"), x) } else { x };
        }
        right
    }
}
