//! Periodic code: statements that run for all neurons or synapses at the steps of a clock.
//!
//! As in Brian 2, statements that set shared variables run once, before the others, and depend on shared values
//! only. What Brian 2 refuses and makes sense is allowed: `total += w` adds up what all elements contribute.

use neuropil_base::{Diagnostic, Diagnostics, Span};
use neuropil_model::{
    AssignOp, Block, Clock, ClockId, Expr, ExprKind, Extent, ObjectId, Periodic, Placed, Side, Slot,
    Statement, VarRef, Variable, VariableId, When,
};
use neuropil_source::PeriodicSource;
use neuropil_syntax::Block as AstBlock;

use crate::code;
use crate::constant::Evaluator;
use crate::declare::Declared;
use crate::input::whole_steps;
use crate::placement::placed;
use crate::population::{Pop, Tools};
use crate::projection::Proj;
use crate::recorder::clock_of;
use crate::scope::Home;

/// The variables of all objects under construction.
#[derive(Clone, Copy)]
pub(crate) struct Variables<'a> {
    pub(crate) pops: &'a [Pop],
    pub(crate) projs: &'a [Proj],
}

impl<'a> Variables<'a> {
    fn get(self, r: &VarRef) -> Option<&'a Variable> {
        let declared: &Declared = match r.object {
            ObjectId::Population(id) => &self.pops.get(id.index())?.declared,
            ObjectId::Projection(id) => &self.projs.get(id.index())?.declared,
        };
        declared.variables.get(r.variable.index())
    }

    fn is_shared(self, r: &VarRef) -> bool {
        self.get(r).is_some_and(|v| v.extent == Extent::Shared)
    }

    fn name(self, r: &VarRef) -> &'a str {
        self.get(r).map_or("", |v| v.name.as_str())
    }
}

/// Checks the periodic code of one object, which runs on the clock `own`.
pub(crate) fn check_periodic(
    list: &[(PeriodicSource, AstBlock)],
    home: Home<'_>,
    own: ClockId,
    variables: Variables<'_>,
    clocks: &mut Vec<Clock>,
    tools: &mut Tools<'_>,
) -> Vec<Periodic> {
    let mut all: Vec<Periodic> = Vec::new();
    for (source, ast) in list {
        let name = &source.name;
        if all.iter().any(|p| p.name == name.value) {
            let message = format!("the periodic code `{}` is defined twice", name.value);
            tools.out.push(Diagnostic::error(code::DUPLICATE_NAME, name.span, message));
            continue;
        }
        let clock = every(source, own, clocks, tools);
        let usual = Placed::at(Slot::Start);
        let placed = placed(source.when.as_ref(), source.order.as_ref(), usual, tools.world, tools.out);
        let block = tools.typer(home).block(ast);
        let (shared, block) = split(block, variables, tools.out);
        let span = source.code.span;
        all.push(Periodic { name: name.value.clone(), clock, placed, shared, block, neurons: None, span });
    }
    all
}

fn every(source: &PeriodicSource, own: ClockId, clocks: &mut Vec<Clock>, tools: &mut Tools<'_>) -> ClockId {
    let Some(text) = &source.every else { return own };
    let Tools { world, out, .. } = tools;
    let dt = clocks.get(own.index()).map_or(1e-4, |c| c.dt);
    let steps = Evaluator { world, out }
        .positive_time(text, "`every`")
        .and_then(|every| whole_steps(every, dt, text, "`every`", out));
    match steps {
        Some(1) | None => own,
        Some(steps) => clock_of(clocks, steps as f64 * dt, &source.name.value),
    }
}

/// What a block does once, and what it does to each element.
fn split(block: Block, variables: Variables<'_>, out: &mut Diagnostics) -> (Block, Block) {
    let mut once = Block { locals: block.locals.clone(), statements: Vec::new() };
    let mut each = once.clone();
    let mut common: Vec<Option<Common>> = vec![None; block.locals.len()];
    let mut set: Vec<VarRef> = Vec::new();
    let mut added: Vec<(VarRef, Span)> = Vec::new();
    let mut begun: Option<String> = None;
    for statement in &block.statements {
        let (Statement::Let { value, .. } | Statement::Assign { value, .. }) = statement;
        let element = of_one_element(value, variables, &common);
        if let Some((local, read)) = stale(value, &common, &set) {
            let (local, read) = (&block.locals[local].name, variables.name(&read));
            out.push(
                Diagnostic::error(
                    code::NOT_SHARED,
                    value.span,
                    format!("`{local}` is made of `{read}`, which is set in between"),
                )
                .help(format!("write the expression of `{local}` here")),
            );
        }
        match statement {
            Statement::Let { local, .. } => {
                if element.is_none() && !has_random(value) {
                    common[local.index()] = Some(Common::of(value, &common, set.len()));
                    once.statements.push(statement.clone());
                } else {
                    common[local.index()] = None;
                }
                each.statements.push(statement.clone());
            }
            Statement::Assign { target, op, span, .. } if variables.is_shared(target) => {
                let name = variables.name(target);
                if let Some(element) = element {
                    if *op == AssignOp::Add {
                        begun.get_or_insert_with(|| name.to_owned());
                        added.push((*target, *span));
                        each.statements.push(statement.clone());
                        continue;
                    }
                    out.push(
                        Diagnostic::error(
                            code::NOT_SHARED,
                            *span,
                            format!("`{name}` is shared, so it cannot be set to {element}"),
                        )
                        .help(format!(
                            "use shared values only, or add up those of all elements: `{name} += ...`"
                        )),
                    );
                    continue;
                }
                if let Some(begun) = &begun {
                    out.push(
                        Diagnostic::error(
                            code::NOT_SHARED,
                            *span,
                            format!("`{name}` is shared, so it is set before `{begun}` of any element"),
                        )
                        .help(format!(
                            "write this statement above those for `{begun}`, or in periodic code of its own with a \
                             larger `order`"
                        )),
                    );
                    continue;
                }
                set.push(*target);
                once.statements.push(statement.clone());
            }
            Statement::Assign { target, .. } => {
                begun.get_or_insert_with(|| variables.name(target).to_owned());
                each.statements.push(statement.clone());
            }
        }
    }
    for (target, span) in &added {
        let reads = |e: &Expr| e.any(&mut |e| matches!(&e.kind, ExprKind::Variable(r) if r == target));
        if each.expressions().any(reads) {
            let name = variables.name(target);
            out.push(
                Diagnostic::error(
                    code::NOT_SHARED,
                    *span,
                    format!("`{name}` is added up and read by the same code"),
                )
                .label("its value is known once all elements have added to it")
                .help(format!("read `{name}` in periodic code of its own with a larger `order`")),
            );
        }
    }
    for part in [&mut once, &mut each] {
        if part.statements.iter().all(|s| matches!(s, Statement::Let { .. })) {
            *part = Block::new();
        }
    }
    (once, each)
}

/// What in an expression belongs to one element, in words.
fn of_one_element(value: &Expr, variables: Variables<'_>, common: &[Option<Common>]) -> Option<String> {
    let mut found = None;
    value.walk(&mut |e| {
        let what = match &e.kind {
            ExprKind::Variable(r) if !variables.is_shared(r) => {
                let name = variables.name(r);
                match r.side {
                    Side::Own => format!("`{name}`"),
                    Side::Pre => format!("`{name}_pre`"),
                    Side::Post => format!("`{name}_post`"),
                }
            }
            ExprKind::Local(local) if common[local.index()].is_none() => {
                "a name that was made for each element".to_owned()
            }
            ExprKind::Index(_) => "the number of an element".to_owned(),
            _ => return,
        };
        found.get_or_insert(format!("{what}, which has one value per element"));
    });
    found
}

fn has_random(value: &Expr) -> bool {
    value.any(&mut |e| matches!(e.kind, ExprKind::Random(_)))
}

/// A local that has one value for all elements: the shared variables that it is made of, each with how many had been
/// set before it was read.
#[derive(Clone)]
struct Common {
    reads: Vec<(VarRef, usize)>,
}

impl Common {
    fn of(value: &Expr, common: &[Option<Self>], n_set: usize) -> Self {
        let mut reads = Vec::new();
        value.walk(&mut |e| {
            if let ExprKind::Variable(r) = &e.kind {
                reads.push((*r, n_set));
            } else if let ExprKind::Local(local) = &e.kind
                && let Some(other) = &common[local.index()]
            {
                reads.extend(&other.reads);
            }
        });
        Self { reads }
    }
}

/// A local that `value` uses and that was made of a shared variable which has been set since.
fn stale(value: &Expr, common: &[Option<Common>], set: &[VarRef]) -> Option<(usize, VarRef)> {
    let mut found = None;
    value.walk(&mut |e| {
        if let ExprKind::Local(local) = &e.kind
            && let Some(common) = &common[local.index()]
            && let Some((read, _)) = common.reads.iter().find(|(r, n)| set[*n..].contains(r))
        {
            found.get_or_insert((local.index(), *read));
        }
    });
    found
}

/// The code that computes the subexpressions of an object that are constant over a step, each after those that it
/// uses: Brian 2's place for it.
pub(crate) fn held(
    object: ObjectId,
    list: &[(VariableId, Expr)],
    variables: &[Variable],
    clock: ClockId,
) -> Option<Periodic> {
    let mut open: Vec<&(VariableId, Expr)> = list.iter().collect();
    let (mut shared, mut block) = (Block::new(), Block::new());
    while !open.is_empty() {
        let waits = |e: &Expr, open: &[&(VariableId, Expr)]| {
            e.any(&mut |e| match &e.kind {
                ExprKind::Variable(r) => {
                    r.object == object
                        && r.side == Side::Own
                        && open.iter().any(|(other, _)| *other == r.variable)
                }
                _ => false,
            })
        };
        let (rest, ready): (Vec<_>, Vec<_>) = open.iter().copied().partition(|(_, e)| waits(e, &open));
        if ready.is_empty() {
            // Definitions in a circle have been refused.
            break;
        }
        for (variable, value) in ready {
            let target = VarRef { object, variable: *variable, side: Side::Own };
            let into = match variables[variable.index()].extent {
                Extent::Shared => &mut shared,
                Extent::PerElement => &mut block,
            };
            into.set(target, value.clone());
        }
        open = rest;
    }
    if shared.is_empty() && block.is_empty() {
        return None;
    }
    let placed = Placed::new(When::before(Slot::Start), 0);
    let name = "constant_over_dt".to_owned();
    Some(Periodic { name, clock, placed, shared, block, neurons: None, span: Span::NONE })
}
