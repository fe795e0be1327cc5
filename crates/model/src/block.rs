//! Code blocks: statements in the order in which they act on one element.

use neuropil_base::{ScalarType, Span};

use crate::{Expr, LocalId, VarRef};

/// Statements that run in order for one element: a reset, an `on_pre`, the update of one step, ...
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Block {
    /// The block's own names, by [`LocalId`].
    pub locals: Vec<Local>,
    /// What it does.
    pub statements: Vec<Statement>,
}

/// A name that lives within one block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Local {
    /// Its name; for printing.
    pub name: String,
    /// Its type.
    pub ty: ScalarType,
}

/// One statement.
#[derive(Clone, PartialEq, Debug)]
pub enum Statement {
    /// Gives a local its value; a local may be given a new value later.
    Let {
        /// The local.
        local: LocalId,
        /// Its value, of the local's type.
        value: Expr,
    },
    /// Writes to a variable.
    Assign {
        /// The variable.
        target: VarRef,
        /// How.
        op: AssignOp,
        /// With what, of the variable's type.
        value: Expr,
        /// Where it was written.
        span: Span,
    },
}

/// How a statement changes its target. A subtraction is the addition of the negative, which is exact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AssignOp {
    /// `x = value`
    Set,
    /// `x += value`
    Add,
    /// `x *= value`
    Mul,
    /// `x /= value`
    Div,
}

impl Block {
    /// A block that does nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the block does nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// Adds a local.
    pub fn local(&mut self, name: impl Into<String>, ty: ScalarType) -> LocalId {
        self.locals.push(Local { name: name.into(), ty });
        LocalId::new(self.locals.len() - 1)
    }

    /// Adds a local and the statement that gives it `value`; returns the local as an expression.
    pub fn define(&mut self, name: impl Into<String>, value: Expr) -> Expr {
        let ty = value.ty;
        let local = self.local(name, ty);
        self.statements.push(Statement::Let { local, value });
        Expr::local(local, ty)
    }

    /// Adds `target = value`.
    pub fn set(&mut self, target: VarRef, value: Expr) {
        self.statements.push(Statement::Assign { target, op: AssignOp::Set, value, span: Span::NONE });
    }

    /// Appends the statements of `other`, whose locals are renumbered.
    pub fn append(&mut self, other: &Block) {
        let shift = self.locals.len();
        let moved = |local: LocalId| LocalId::new(local.index() + shift);
        self.locals.extend(other.locals.iter().cloned());
        for statement in &other.statements {
            let rewrite = |value: &Expr| {
                value.clone().map(&mut |mut e| {
                    if let crate::ExprKind::Local(local) = &mut e.kind {
                        *local = moved(*local);
                    }
                    e
                })
            };
            self.statements.push(match statement {
                Statement::Let { local, value } => {
                    Statement::Let { local: moved(*local), value: rewrite(value) }
                }
                Statement::Assign { target, op, value, span } => {
                    Statement::Assign { target: *target, op: *op, value: rewrite(value), span: *span }
                }
            });
        }
    }

    /// All expressions, in order.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        self.statements.iter().map(|s| match s {
            Statement::Let { value, .. } | Statement::Assign { value, .. } => value,
        })
    }
}
