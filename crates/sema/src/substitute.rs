//! Subexpressions are put in where they are used, seen from the element that runs the code.
//!
//! Checking only needs what a subexpression declares, so uses stay references until everything is
//! checked. Then each is replaced: in code of synapses the variables of a neuron's subexpression become
//! those of the neuron at that end, and its `i`, which counts within the population, becomes the number
//! within the group plus the group's start.

use std::collections::BTreeMap;

use neuropil_base::{Diagnostic, Diagnostics, ScalarType, Span};
use neuropil_math::BinaryOp;
use neuropil_model::{
    Block, Expr, ExprKind, ObjectId, Projection, Side, Statement, VarRef, Variable, VariableId, VariableKind,
};

use crate::code;

/// The most nodes that an expression may have.
const MAX_SIZE: u64 = 50_000;

/// The most levels that an expression may have: functions over expressions call themselves per level.
const MAX_HEIGHT: u32 = 500;

/// Where the groups at the ends of a projection begin in their populations.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Starts {
    pre: u32,
    post: u32,
}

impl Starts {
    pub(crate) fn of(projection: &Projection) -> Self {
        Self { pre: projection.source.start, post: projection.target.start }
    }
}

/// A subexpression with all others put in.
#[derive(Clone, Debug)]
struct Whole {
    expr: Expr,
    size: u64,
    height: u32,
}

/// Puts subexpressions in.
#[derive(Clone, Default, Debug)]
pub(crate) struct Expander {
    wholes: BTreeMap<(ObjectId, VariableId), Whole>,
    /// The object whose subexpressions stay references where they are seen as presynaptic ones, if their values
    /// depend on more than variables.
    kept: Option<ObjectId>,
    /// Subexpressions that are constant over a step, for code that runs before the first step.
    held: BTreeMap<(ObjectId, VariableId), Expr>,
}

impl Expander {
    /// Takes over the subexpressions of a finished object, which have no references to others.
    pub(crate) fn know(&mut self, object: ObjectId, variables: &[Variable]) {
        for (index, variable) in variables.iter().enumerate() {
            if let VariableKind::Subexpression(expr) = &variable.kind {
                self.insert(object, VariableId::new(index), expr.clone());
            }
        }
    }

    /// The same, for weighted sums of earlier values of the presynaptic object `source`: what a subexpression of it
    /// made of the time then cannot be told from the values that its variables had then.
    pub(crate) fn keeping(&self, source: ObjectId) -> Self {
        Self { kept: Some(source), ..self.clone() }
    }

    fn is_kept(&self, reference: VarRef, whole: &Whole) -> bool {
        reference.side == Side::Pre
            && self.kept == Some(reference.object)
            && whole.expr.any(&mut |e| {
                matches!(
                    e.kind,
                    ExprKind::Time | ExprKind::Step | ExprKind::Table { .. } | ExprKind::Random(_)
                )
            })
    }

    /// The expression of a subexpression that is known.
    pub(crate) fn whole(&self, object: ObjectId, variable: VariableId) -> Option<&Expr> {
        self.wholes.get(&(object, variable)).map(|w| &w.expr)
    }

    /// Knows the expression of a variable that is constant over a step; those that it uses are known.
    pub(crate) fn hold(&mut self, variable: VarRef, value: &Expr, starts: Starts) {
        let value = self.unheld(value.clone(), starts);
        self.held.insert((variable.object, variable.variable), value);
    }

    /// `expr` with expressions in the place of what is constant over a step.
    fn unheld(&self, expr: Expr, starts: Starts) -> Expr {
        expr.map(&mut |e| {
            let ExprKind::Variable(reference) = &e.kind else { return e };
            match self.held.get(&(reference.object, reference.variable)) {
                Some(value) => seen_from(value.clone(), reference.side, starts),
                None => e,
            }
        })
    }

    /// [`expand_in_place`](Self::expand_in_place) for code that runs once, before the first step: what is constant
    /// over a step has no value yet.
    pub(crate) fn expand_once(&self, expr: &mut Expr, starts: Starts, span: Span, out: &mut Diagnostics) {
        self.expand_in_place(expr, starts, span, out);
        if !self.held.is_empty() {
            let taken = std::mem::replace(expr, Expr::boolean(false));
            *expr = self.unheld(taken, starts);
        }
    }

    fn insert(&mut self, object: ObjectId, variable: VariableId, expr: Expr) {
        let (size, height) = (expr.size() as u64, height(&expr));
        self.wholes.insert((object, variable), Whole { expr, size, height });
    }

    /// Puts subexpressions into those of `variables` themselves, then knows them all.
    ///
    /// None of them is defined by itself; that has been refused.
    pub(crate) fn complete(
        &mut self,
        object: ObjectId,
        variables: &mut [Variable],
        starts: Starts,
        out: &mut Diagnostics,
    ) {
        let is_own = |reference: &VarRef| reference.object == object && reference.side == Side::Own;
        let mut open: Vec<usize> = (0..variables.len())
            .filter(|&i| matches!(variables[i].kind, VariableKind::Subexpression(_)))
            .collect();
        while !open.is_empty() {
            let before = open.len();
            let mut rest = Vec::new();
            for &index in &open {
                let VariableKind::Subexpression(expr) = &variables[index].kind else { continue };
                let waits = expr.any(&mut |e| {
                    let ExprKind::Variable(r) = &e.kind else { return false };
                    is_own(r)
                        && open.contains(&r.variable.index())
                        && !self.wholes.contains_key(&(object, r.variable))
                });
                if waits {
                    rest.push(index);
                    continue;
                }
                let span = variables[index].span;
                let expr = self.expand(expr.clone(), starts, span, out);
                self.insert(object, VariableId::new(index), expr.clone());
                variables[index].kind = VariableKind::Subexpression(expr);
            }
            open = rest;
            if open.len() == before {
                return;
            }
        }
    }

    /// `expr` with all subexpressions put in; unchanged, with a diagnostic at `span`, if that is too large.
    pub(crate) fn expand(&self, expr: Expr, starts: Starts, span: Span, out: &mut Diagnostics) -> Expr {
        let (size, height) = self.measure(&expr);
        if size > MAX_SIZE || height > MAX_HEIGHT {
            let place = if expr.span == Span::NONE { span } else { expr.span };
            out.push(
                Diagnostic::error(
                    code::TOO_LARGE,
                    place,
                    "the expression is too large once its subexpressions are put in".to_owned(),
                )
                .label(format!("{size} operations, nested {height} deep"))
                .help(format!("the limits are {MAX_SIZE} operations and {MAX_HEIGHT} levels")),
            );
            return expr;
        }
        self.refuse_far_neurons(&expr, span, out);
        expr.map(&mut |e| {
            let ExprKind::Variable(reference) = &e.kind else { return e };
            match self.wholes.get(&(reference.object, reference.variable)) {
                Some(whole) if !self.is_kept(*reference, whole) => {
                    seen_from(whole.expr.clone(), reference.side, starts)
                }
                Some(_) | None => e,
            }
        })
    }

    /// Refuses subexpressions of the synapses at the other end that read neurons: those are two synapses away.
    fn refuse_far_neurons(&self, expr: &Expr, span: Span, out: &mut Diagnostics) {
        expr.walk(&mut |e| {
            let ExprKind::Variable(r) = &e.kind else { return };
            if r.side == Side::Own || !matches!(r.object, ObjectId::Projection(_)) {
                return;
            }
            let Some(whole) = self.wholes.get(&(r.object, r.variable)) else { return };
            let reads_neurons = whole.expr.any(&mut |e| match &e.kind {
                ExprKind::Variable(r) => r.side != Side::Own,
                ExprKind::Index(side) => *side != Side::Own,
                ExprKind::Noise(noise) => noise.side != Side::Own,
                ExprKind::Random(random) => random.side != Side::Own,
                ExprKind::Constant(_)
                | ExprKind::Local(_)
                | ExprKind::Time
                | ExprKind::TimeStep
                | ExprKind::Step
                | ExprKind::Unary(..)
                | ExprKind::Binary(..)
                | ExprKind::Compare(..)
                | ExprKind::Select(..)
                | ExprKind::Convert(_)
                | ExprKind::Call(..)
                | ExprKind::Table { .. } => false,
            });
            if reads_neurons {
                let place = if e.span == Span::NONE { span } else { e.span };
                out.push(
                    Diagnostic::error(
                        code::UNSUPPORTED,
                        place,
                        "this subexpression of synapses reads their neurons, which are two synapses away"
                            .to_owned(),
                    )
                    .help("make it a variable of the synapses, and set it where they run"),
                );
            }
        });
    }

    /// [`expand`](Self::expand) for every expression of a block.
    pub(crate) fn expand_block(&self, block: &mut Block, starts: Starts, span: Span, out: &mut Diagnostics) {
        for statement in &mut block.statements {
            let (Statement::Let { value, .. } | Statement::Assign { value, .. }) = statement;
            self.expand_in_place(value, starts, span, out);
        }
    }

    /// [`expand`](Self::expand) in place.
    pub(crate) fn expand_in_place(&self, expr: &mut Expr, starts: Starts, span: Span, out: &mut Diagnostics) {
        let taken = std::mem::replace(expr, Expr::boolean(false));
        *expr = self.expand(taken, starts, span, out);
    }

    /// Nodes and levels of `expr` with all subexpressions put in.
    fn measure(&self, expr: &Expr) -> (u64, u32) {
        if let ExprKind::Variable(reference) = &expr.kind
            && let Some(whole) = self.wholes.get(&(reference.object, reference.variable))
        {
            return (whole.size, whole.height);
        }
        let (mut size, mut height) = (1u64, 0u32);
        for child in expr.children() {
            let (s, h) = self.measure(child);
            size = size.saturating_add(s);
            height = height.max(h);
        }
        (size, height.saturating_add(1))
    }
}

fn height(expr: &Expr) -> u32 {
    1 + expr.children().into_iter().map(height).max().unwrap_or(0)
}

/// A neuron's expression as code of a synapse with that neuron at end `side` sees it.
fn seen_from(expr: Expr, side: Side, starts: Starts) -> Expr {
    let start = match side {
        Side::Own => return expr,
        Side::Pre => starts.pre,
        Side::Post => starts.post,
    };
    expr.map(&mut |mut e| {
        match &mut e.kind {
            ExprKind::Variable(reference) => reference.side = side,
            ExprKind::Noise(noise) => noise.side = side,
            ExprKind::Random(random) => random.side = side,
            ExprKind::Index(own) => {
                *own = side;
                if start > 0 {
                    let offset = Expr::integer(i32::try_from(start).unwrap_or(i32::MAX));
                    let kind = ExprKind::Binary(BinaryOp::Add, Box::new(e), Box::new(offset));
                    return Expr::new(kind, ScalarType::I32);
                }
            }
            ExprKind::Constant(_)
            | ExprKind::Local(_)
            | ExprKind::Time
            | ExprKind::TimeStep
            | ExprKind::Step
            | ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Compare(..)
            | ExprKind::Select(..)
            | ExprKind::Convert(_)
            | ExprKind::Call(..)
            | ExprKind::Table { .. } => {}
        }
        e
    })
}
