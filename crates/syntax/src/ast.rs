//! Syntax trees of expressions, statements and equations.
//!
//! A tree says what was written, with spans; it knows no names and no units. Two trees are equal
//! (`==`) when they say the same, wherever they were written: spans do not take part.
//!
//! Invariant: a tree that the parser returns is at most [`MAX_HEIGHT`](crate::MAX_HEIGHT) levels high
//! and has at most [`MAX_NODES`](crate::MAX_NODES) nodes, so recursive functions over it are safe.

use neuropil_base::{Span, Spanned};

/// An expression and where it was written.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it was written, parentheses around it not included.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// `3`. The parser gives no negative literals: `-3` is a negation.
    Integer(i64),
    /// `3.0`, `1e-3`; finite.
    Real(f64),
    /// `True`, `true`, `False`, `false`.
    Boolean(bool),
    /// `v`, `v_post`, `pre.r`: a name with at most one dot.
    Name(String),
    /// `dv/dt` inside an implicit equation; holds `v`.
    Derivative(String),
    /// An operator before its operand.
    Unary(UnaryOp, Box<Expr>),
    /// An operator between two operands. A chain `a < b < c` is `a < b and b < c`, its middle copied.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `exp(x)`, `rand()`.
    Call {
        /// The name before the parenthesis; it may hold one dot.
        function: String,
        /// The arguments, in order.
        args: Vec<Expr>,
    },
    /// `then if condition else otherwise`, also written `if condition: then else: otherwise` or
    /// `condition ? then : otherwise`.
    Conditional {
        /// What decides.
        condition: Box<Expr>,
        /// The value where it holds.
        then: Box<Expr>,
        /// The value elsewhere.
        otherwise: Box<Expr>,
    },
    /// Text that is no expression; a diagnostic was given for it.
    Error,
}

/// An operator before its operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    /// `-x`
    Neg,
    /// `+x`
    Plus,
    /// `not x`, `!x`
    Not,
}

/// An operator between two operands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`, never rounded
    Div,
    /// `a // b`, rounded down
    FloorDiv,
    /// `a % b`, with the sign of `b`
    Mod,
    /// `a ** b`
    Pow,
    /// `a < b`
    Lt,
    /// `a <= b`
    Le,
    /// `a > b`
    Gt,
    /// `a >= b`
    Ge,
    /// `a == b`
    Eq,
    /// `a != b`
    Ne,
    /// `a and b`, `a && b`
    And,
    /// `a or b`, `a || b`
    Or,
}

/// How a statement changes its target.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AssignOp {
    /// `x = e`
    Set,
    /// `x += e`
    Add,
    /// `x -= e`
    Sub,
    /// `x *= e`
    Mul,
    /// `x /= e`
    Div,
    /// `x //= e`
    FloorDiv,
    /// `x %= e`
    Mod,
    /// `x **= e`
    Pow,
}

/// A statement: `target op value`.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// The variable that changes; a name with at most one dot (`v`, `g_post`, `post.g`).
    pub target: Spanned<String>,
    /// How it changes.
    pub op: AssignOp,
    /// What it is set to or changed by.
    pub value: Expr,
    /// The whole statement.
    pub span: Span,
}

/// Statements in the order in which they run; a statement with a mistake in its value stays, with an
/// [`ExprKind::Error`] inside.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Block {
    /// The statements.
    pub statements: Vec<Stmt>,
}

/// One line of a model: `dv/dt = expr : unit (flags)`, `x = expr : unit`, `x : unit (flags)`.
#[derive(Clone, Debug)]
pub struct Equation {
    /// The variable that the equation defines.
    pub name: Spanned<String>,
    /// How it defines it.
    pub kind: EquationKind,
    /// The unit expression: `1`, `volt`, `siemens*meter**-2`, or the names `boolean` and `integer`.
    /// `None` if it is missing or is not an expression, for which a diagnostic was given.
    pub unit: Option<Expr>,
    /// The flags, in the order in which they were written.
    pub flags: Vec<Flag>,
    /// The whole equation.
    pub span: Span,
}

/// How an equation defines its variable.
#[derive(Clone, PartialEq, Debug)]
pub enum EquationKind {
    /// `dv/dt = expr`
    Differential(Expr),
    /// `tau*dv/dt + v = I`: every [`ExprKind::Derivative`] in it, at least one, is that of the variable.
    Implicit {
        /// The left side.
        lhs: Expr,
        /// The right side.
        rhs: Expr,
    },
    /// `x = expr`
    Subexpression(Expr),
    /// `x : unit` alone
    Parameter,
}

/// What stands in the parenthesis after a unit.
#[derive(Clone, Debug)]
pub struct Flag {
    /// As written, with single spaces: `unless refractory`, `constant over dt`, `event-driven`,
    /// `shared`, ... Unknown flags are kept.
    pub name: String,
    /// Where it was written.
    pub span: Span,
}

/// The equations of a model, in the order in which they were written.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Equations {
    /// The equations.
    pub list: Vec<Equation>,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Stmt {
    fn eq(&self, other: &Self) -> bool {
        self.target.value == other.target.value && self.op == other.op && self.value == other.value
    }
}

impl PartialEq for Equation {
    fn eq(&self, other: &Self) -> bool {
        self.name.value == other.name.value
            && self.kind == other.kind
            && self.unit == other.unit
            && self.flags == other.flags
    }
}

impl PartialEq for Flag {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Expr {
    /// An expression of `kind`, written at `span`.
    #[must_use]
    pub fn new(kind: ExprKind, span: Span) -> Self {
        Self { kind, span }
    }

    /// The name, if the expression is nothing but a name.
    #[must_use]
    pub fn as_name(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Name(name) => Some(name),
            ExprKind::Integer(_)
            | ExprKind::Real(_)
            | ExprKind::Boolean(_)
            | ExprKind::Derivative(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Call { .. }
            | ExprKind::Conditional { .. }
            | ExprKind::Error => None,
        }
    }

    /// The direct parts, in the order `condition, then, otherwise` for a conditional and as written
    /// for all others.
    #[must_use]
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Integer(_)
            | ExprKind::Real(_)
            | ExprKind::Boolean(_)
            | ExprKind::Name(_)
            | ExprKind::Derivative(_)
            | ExprKind::Error => Vec::new(),
            ExprKind::Unary(_, a) => vec![a],
            ExprKind::Binary(_, a, b) => vec![a, b],
            ExprKind::Call { function: _, args } => args.iter().collect(),
            ExprKind::Conditional { condition, then, otherwise } => vec![condition, then, otherwise],
        }
    }

    /// Calls `visit` with this expression and every part of it, a whole before its parts.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expr)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }

    /// Calls `visit` with every name that is read (not the names of functions), in the order of
    /// [`children`](Self::children), repetitions included.
    pub fn visit_names<'a>(&'a self, visit: &mut impl FnMut(&'a str, Span)) {
        self.walk(&mut |e| {
            if let Some(name) = e.as_name() {
                visit(name, e.span);
            }
        });
    }

    /// Whether some part of it could not be parsed.
    #[must_use]
    pub fn has_error(&self) -> bool {
        let mut found = false;
        self.walk(&mut |e| found |= matches!(e.kind, ExprKind::Error));
        found
    }
}

impl UnaryOp {
    /// As it is printed.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Neg => "-",
            Self::Plus => "+",
            Self::Not => "not",
        }
    }
}

impl BinaryOp {
    /// As it is printed.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::FloorDiv => "//",
            Self::Mod => "%",
            Self::Pow => "**",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::And => "and",
            Self::Or => "or",
        }
    }

    /// Whether it compares: `<`, `<=`, `>`, `>=`, `==`, `!=`.
    #[must_use]
    pub fn is_comparison(self) -> bool {
        match self {
            Self::Lt | Self::Le | Self::Gt | Self::Ge | Self::Eq | Self::Ne => true,
            Self::Add
            | Self::Sub
            | Self::Mul
            | Self::Div
            | Self::FloorDiv
            | Self::Mod
            | Self::Pow
            | Self::And
            | Self::Or => false,
        }
    }
}

impl AssignOp {
    /// As it is printed.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Set => "=",
            Self::Add => "+=",
            Self::Sub => "-=",
            Self::Mul => "*=",
            Self::Div => "/=",
            Self::FloorDiv => "//=",
            Self::Mod => "%=",
            Self::Pow => "**=",
        }
    }

    /// The operator between the old value and the statement's value; `None` for [`Set`](Self::Set).
    #[must_use]
    pub fn binary(self) -> Option<BinaryOp> {
        match self {
            Self::Set => None,
            Self::Add => Some(BinaryOp::Add),
            Self::Sub => Some(BinaryOp::Sub),
            Self::Mul => Some(BinaryOp::Mul),
            Self::Div => Some(BinaryOp::Div),
            Self::FloorDiv => Some(BinaryOp::FloorDiv),
            Self::Mod => Some(BinaryOp::Mod),
            Self::Pow => Some(BinaryOp::Pow),
        }
    }
}

impl Block {
    /// Whether there is no statement.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }
}

impl Equation {
    /// The flag of that name, if the equation has it.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|f| f.name == name)
    }
}

impl Equations {
    /// The equation that defines `name`; the first if there are several.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Equation> {
        self.list.iter().find(|e| e.name.value == name)
    }
}
