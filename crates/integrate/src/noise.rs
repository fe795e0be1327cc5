//! Splits the right-hand side of a stochastic equation into drift and noise terms.

use neuropil_base::Span;
use neuropil_model::{Block, Distribution, Expr, ExprKind, NoiseRef, Random};

use crate::affine::affine;
use crate::system::{Refusal, System};

/// `dx = drift dt + sum over noises of diffusion dW`.
#[derive(Clone, Debug)]
pub(crate) struct Stochastic {
    /// The independent processes, in the order in which the equations name them.
    pub(crate) noises: Vec<NoiseRef>,
    /// By unknown; 0 while the unknown is frozen.
    pub(crate) drift: Vec<Expr>,
    /// By unknown, then noise; none for 0.
    pub(crate) diffusion: Vec<Vec<Option<Expr>>>,
    pub(crate) class: NoiseClass,
}

/// What the noise of a system depends on, weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum NoiseClass {
    /// There is none.
    None,
    /// Its strength depends on neither the unknowns nor time.
    Additive,
    /// Its strength depends on time.
    TimeDependent,
    /// Its strength depends on unknowns, but each unknown has a noise of its own, whose strength depends on
    /// that unknown and on unknowns without noise.
    Diagonal,
    /// Anything else.
    Multiplicative,
}

impl Stochastic {
    /// Splits all equations.
    pub(crate) fn split(system: &System<'_>) -> Result<Self, Refusal> {
        let mut noises = Vec::new();
        for unknown in &system.unknowns {
            unknown.rhs.walk(&mut |e| {
                if let ExprKind::Noise(noise) = e.kind
                    && !noises.contains(&noise)
                {
                    noises.push(noise);
                }
            });
        }
        let (mut drift, mut diffusion) = (Vec::new(), Vec::new());
        for (k, unknown) in system.unknowns.iter().enumerate() {
            let (f, g) = split_one(system, &noises, k)?;
            let zero = || Expr::real(0.0, unknown.ty);
            drift.push(system.unless_frozen(k, f, zero()));
            diffusion.push(g.into_iter().map(|g| g.map(|g| system.unless_frozen(k, g, zero()))).collect());
        }
        let class = classify(system, &diffusion);
        Ok(Self { noises, drift, diffusion, class })
    }

    /// The first unknown whose noise is what makes the system of its class; none without noise.
    pub(crate) fn culprit(&self, system: &System<'_>) -> Option<usize> {
        let depends = |g: &Expr| g.any(&mut |e| system.unknown(e).is_some());
        let is_cause = |g: &Expr| match self.class {
            NoiseClass::None => false,
            NoiseClass::Additive => true,
            NoiseClass::TimeDependent => in_time(g),
            NoiseClass::Diagonal | NoiseClass::Multiplicative => depends(g),
        };
        self.diffusion.iter().position(|row| row.iter().flatten().any(is_cause))
    }

    /// The increment of one process over the step: normal, of variance `dt`.
    pub(crate) fn increment(&self, system: &System<'_>, noise: usize) -> Expr {
        let NoiseRef { site, side } = self.noises[noise];
        let float = system.algebra.arith.float();
        let normal = Random { site, side, distribution: Distribution::Normal };
        let normal = Expr::new(ExprKind::Random(normal), float);
        system.algebra.arith.mul(system.algebra.real(system.dt.sqrt()), normal)
    }
}

/// Drift and diffusion of one equation, the freezing not yet applied.
fn split_one(
    system: &System<'_>,
    noises: &[NoiseRef],
    k: usize,
) -> Result<(Expr, Vec<Option<Expr>>), Refusal> {
    let unknown = &system.unknowns[k];
    let number = |e: &Expr| match &e.kind {
        ExprKind::Noise(noise) => noises.iter().position(|n| n == noise),
        _ => None,
    };
    if !unknown.rhs.any(&mut |e| number(e).is_some()) {
        // As written: taking it apart could regroup constants.
        return Ok((unknown.rhs.clone(), vec![None; noises.len()]));
    }
    let mut parts =
        affine(system.algebra, &unknown.rhs, &system.algebra.real(1.0), &number).map_err(|error| {
            let term = system.show(&error.term, &Block::new());
            Refusal {
                code: "nonlinear-noise",
                reason: format!("`{term}` in the equation of `{}` is not linear in the noise", unknown.name),
                span: place(&error.term, unknown.span),
                help: vec!["white noise may be multiplied by anything, and added, nothing else".to_owned()],
            }
        })?;
    let diffusion = (0..noises.len()).map(|n| parts.coefficients.remove(&n)).collect();
    Ok((parts.constant, diffusion))
}

/// Where `e` was written, or at least its equation.
pub(crate) fn place(e: &Expr, equation: Span) -> Span {
    if e.span == Span::NONE { equation } else { e.span }
}

fn classify(system: &System<'_>, diffusion: &[Vec<Option<Expr>>]) -> NoiseClass {
    let all = || diffusion.iter().flatten().flatten();
    if all().next().is_none() {
        return NoiseClass::None;
    }
    let depends = |g: &Expr| g.any(&mut |e| system.unknown(e).is_some());
    if all().any(depends) {
        let diagonal = is_diagonal(system, diffusion);
        return if diagonal { NoiseClass::Diagonal } else { NoiseClass::Multiplicative };
    }
    if all().any(in_time) {
        return NoiseClass::TimeDependent;
    }
    NoiseClass::Additive
}

fn in_time(g: &Expr) -> bool {
    g.any(&mut |e| matches!(e.kind, ExprKind::Time | ExprKind::Step))
}

fn is_diagonal(system: &System<'_>, diffusion: &[Vec<Option<Expr>>]) -> bool {
    let noisy: Vec<bool> = diffusion.iter().map(|row| row.iter().any(Option::is_some)).collect();
    let count = noisy.first().map_or(0, |_| diffusion[0].len());
    let one_per_unknown = diffusion.iter().all(|row| row.iter().flatten().count() <= 1);
    let one_per_noise = (0..count).all(|n| diffusion.iter().filter(|row| row[n].is_some()).count() <= 1);
    let own = diffusion.iter().enumerate().all(|(k, row)| {
        row.iter().flatten().all(|g| !g.any(&mut |e| system.unknown(e).is_some_and(|j| j != k && noisy[j])))
    });
    one_per_unknown && one_per_noise && own
}
