//! Typed expressions: every name is resolved, every value has a machine type, dimensions have been
//! checked and are gone.
//!
//! Real constants are carried in double precision whatever the network's precision is, and rounded
//! once, when a kernel is made from them; so symbolic work (folding, matrix exponentials) loses nothing.

use neuropil_base::{Scalar, ScalarType, Span};
use neuropil_math::{BinaryOp, CompareOp, Function, UnaryOp};

use crate::{LocalId, PopulationId, ProjectionId, SiteId, TableId, VariableId};

/// Something that owns variables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ObjectId {
    /// A population; inputs are populations too.
    Population(PopulationId),
    /// A projection, whose variables are per synapse.
    Projection(ProjectionId),
}

/// From which element of an object a variable is taken, seen from the element that runs the code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// The element itself: neuron `i` in a population's code, the synapse in a projection's.
    Own,
    /// The presynaptic neuron of the synapse.
    Pre,
    /// The postsynaptic neuron of the synapse.
    Post,
}

/// A variable as code names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VarRef {
    /// Whose variable.
    pub object: ObjectId,
    /// Which of that object's variables.
    pub variable: VariableId,
    /// Which element of it.
    pub side: Side,
}

/// A typed expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: ScalarType,
    /// Where it was written; [`Span::NONE`] for expressions that the program made.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// A constant. If the expression's type is a float, the value is an `F64` and is rounded to that type
    /// when a kernel is made.
    Constant(Scalar),
    /// A variable's current value.
    Variable(VarRef),
    /// A local of the block that the expression stands in.
    Local(LocalId),
    /// The time of the step: `step * dt` of the clock that runs the code, in seconds, `F64`.
    Time,
    /// The step of the clock that runs the code, in seconds, `F64`.
    TimeStep,
    /// The number of the step (`t_in_timesteps`), `I64`.
    Step,
    /// The number of the neuron or synapse on that side, counted within the group that the code runs on, `I32`.
    Index(Side),
    /// One operand.
    Unary(UnaryOp, Box<Expr>),
    /// Two operands of the expression's type.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// Two operands of one type, a `Bool`.
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// `condition ? a : b`, both evaluated.
    Select(Box<Expr>, Box<Expr>, Box<Expr>),
    /// A conversion to the expression's type.
    Convert(Box<Expr>),
    /// A function of the table, its arguments of the types that the function asks for.
    Call(Function, Vec<Expr>),
    /// A random number.
    Random(Random),
    /// White noise `xi` of unit variance per second; only in differential equations.
    Noise(NoiseRef),
    /// A timed array.
    Table {
        /// Which.
        table: TableId,
        /// The time at which it is read, `F64` seconds.
        time: Box<Expr>,
        /// The column, `I32`, for arrays over time and neuron.
        column: Option<Box<Expr>>,
    },
}

/// A random number as code asks for it.
///
/// A site names one occurrence in the model's text: at one step and one element it gives one number,
/// however often an integrator evaluates the expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Random {
    /// Which occurrence.
    pub site: SiteId,
    /// Whose element number addresses the stream.
    pub side: Side,
    /// From which distribution.
    pub distribution: Distribution,
}

/// The distributions that code can draw from.
#[derive(Clone, PartialEq, Debug)]
pub enum Distribution {
    /// Uniform on [0, 1).
    Uniform,
    /// Normal, mean 0, variance 1.
    Normal,
    /// Exponential with mean 1.
    Exponential,
    /// Poisson with that mean; `I32`.
    Poisson(Box<Expr>),
    /// The number of successes in `n` trials of probability `p`; `I32`.
    Binomial(Box<Expr>, Box<Expr>),
}

/// An independent noise process: `xi`, `xi_1`, ... Equal names within an object are the same process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NoiseRef {
    /// The random stream of the process.
    pub site: SiteId,
    /// Whose element number addresses the stream.
    pub side: Side,
}

impl PartialEq for Expr {
    /// Equal in kind and type; where they were written does not matter.
    fn eq(&self, other: &Self) -> bool {
        self.ty == other.ty && self.kind == other.kind
    }
}

impl Expr {
    /// An expression that the program made.
    #[must_use]
    pub fn new(kind: ExprKind, ty: ScalarType) -> Self {
        Self { kind, ty, span: Span::NONE }
    }

    /// The same expression, written at `span`.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    /// A real constant of the float type `ty`.
    #[must_use]
    pub fn real(value: f64, ty: ScalarType) -> Self {
        debug_assert!(ty.is_float());
        Self::new(ExprKind::Constant(Scalar::F64(value)), ty)
    }

    /// An `I32` constant.
    #[must_use]
    pub fn integer(value: i32) -> Self {
        Self::new(ExprKind::Constant(Scalar::I32(value)), ScalarType::I32)
    }

    /// A `Bool` constant.
    #[must_use]
    pub fn boolean(value: bool) -> Self {
        Self::new(ExprKind::Constant(Scalar::Bool(value)), ScalarType::Bool)
    }

    /// A variable of type `ty`.
    #[must_use]
    pub fn variable(variable: VarRef, ty: ScalarType) -> Self {
        Self::new(ExprKind::Variable(variable), ty)
    }

    /// A local of type `ty`.
    #[must_use]
    pub fn local(local: LocalId, ty: ScalarType) -> Self {
        Self::new(ExprKind::Local(local), ty)
    }

    /// The value, if this is a constant.
    #[must_use]
    pub fn as_constant(&self) -> Option<Scalar> {
        match &self.kind {
            ExprKind::Constant(value) => Some(*value),
            _ => None,
        }
    }

    /// The value as a double, if this is a constant.
    #[must_use]
    pub fn as_real(&self) -> Option<f64> {
        self.as_constant().map(Scalar::to_f64)
    }

    /// The operands, in order.
    #[must_use]
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Constant(_)
            | ExprKind::Variable(_)
            | ExprKind::Local(_)
            | ExprKind::Time
            | ExprKind::TimeStep
            | ExprKind::Step
            | ExprKind::Index(_)
            | ExprKind::Noise(_) => Vec::new(),
            ExprKind::Unary(_, a) | ExprKind::Convert(a) => vec![a],
            ExprKind::Binary(_, a, b) | ExprKind::Compare(_, a, b) => vec![a, b],
            ExprKind::Select(c, a, b) => vec![c, a, b],
            ExprKind::Call(_, args) => args.iter().collect(),
            ExprKind::Random(random) => match &random.distribution {
                Distribution::Uniform | Distribution::Normal | Distribution::Exponential => Vec::new(),
                Distribution::Poisson(mean) => vec![mean],
                Distribution::Binomial(n, p) => vec![n, p],
            },
            ExprKind::Table { time, column, .. } => {
                std::iter::once(time).chain(column.as_ref()).map(|e| &**e).collect()
            }
        }
    }

    /// The operands, in order, for rewriting.
    pub fn children_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Constant(_)
            | ExprKind::Variable(_)
            | ExprKind::Local(_)
            | ExprKind::Time
            | ExprKind::TimeStep
            | ExprKind::Step
            | ExprKind::Index(_)
            | ExprKind::Noise(_) => Vec::new(),
            ExprKind::Unary(_, a) | ExprKind::Convert(a) => vec![a],
            ExprKind::Binary(_, a, b) | ExprKind::Compare(_, a, b) => vec![a, b],
            ExprKind::Select(c, a, b) => vec![c, a, b],
            ExprKind::Call(_, args) => args.iter_mut().collect(),
            ExprKind::Random(random) => match &mut random.distribution {
                Distribution::Uniform | Distribution::Normal | Distribution::Exponential => Vec::new(),
                Distribution::Poisson(mean) => vec![mean],
                Distribution::Binomial(n, p) => vec![n, p],
            },
            ExprKind::Table { time, column, .. } => {
                std::iter::once(time).chain(column.as_mut()).map(|e| &mut **e).collect()
            }
        }
    }

    /// Calls `visit` on this expression and everything in it, parents first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expr)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }

    /// Whether `predicate` holds for this expression or anything in it.
    #[must_use]
    pub fn any(&self, predicate: &mut impl FnMut(&Expr) -> bool) -> bool {
        predicate(self) || self.children().into_iter().any(|c| c.any(predicate))
    }

    /// Rewrites from the leaves up: operands first, then the expression itself.
    #[must_use]
    pub fn map(mut self, rewrite: &mut impl FnMut(Expr) -> Expr) -> Expr {
        for child in self.children_mut() {
            let taken = std::mem::replace(child, Expr::boolean(false));
            *child = taken.map(rewrite);
        }
        rewrite(self)
    }

    /// The number of nodes.
    #[must_use]
    pub fn size(&self) -> usize {
        1 + self.children().into_iter().map(Expr::size).sum::<usize>()
    }
}
