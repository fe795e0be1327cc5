//! What can be said of the sign of an expression without knowing its variables.
//!
//! Exponential Euler divides by a rate where it is certain not to vanish. `exp(x)` is positive, but rounds
//! to 0 far out; a sum of two such terms is taken to be positive, since opening and closing rates of a
//! channel vanish on opposite sides.

use neuropil_math::{BinaryOp, Function, UnaryOp};
use neuropil_model::{Expr, ExprKind};

/// A statement about the sign of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sign {
    /// Away from 0 on the side given.
    Strict(Side),
    /// Not 0 but by rounding.
    Fading(Side),
    /// On that side, or 0.
    Weak(Side),
    Unknown,
}

/// A side of zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Positive,
    Negative,
}

/// The sign of `e`.
pub(crate) fn sign(e: &Expr) -> Sign {
    match &e.kind {
        ExprKind::Constant(value) => of_number(value.to_f64()),
        ExprKind::Unary(UnaryOp::Neg, a) => sign(a).negated(),
        ExprKind::Unary(UnaryOp::Abs, _) => Sign::Weak(Side::Positive),
        ExprKind::Unary(UnaryOp::Sqrt, a) => sign(a).weakened_to_fading(),
        ExprKind::Binary(BinaryOp::Add, a, b) => sign(a).plus(sign(b)),
        ExprKind::Binary(BinaryOp::Sub, a, b) => sign(a).plus(sign(b).negated()),
        ExprKind::Binary(BinaryOp::Mul | BinaryOp::Div, a, b) => sign(a).times(sign(b)),
        ExprKind::Convert(a) if a.ty.is_float() && e.ty.is_float() => sign(a),
        ExprKind::Select(_, a, b) => {
            let (a, b) = (sign(a), sign(b));
            if a == b { a } else { Sign::Unknown }
        }
        ExprKind::Call(function, args) => of_call(*function, args),
        ExprKind::Variable(_)
        | ExprKind::Local(_)
        | ExprKind::Time
        | ExprKind::TimeStep
        | ExprKind::Step
        | ExprKind::Index(_)
        | ExprKind::Unary(..)
        | ExprKind::Binary(..)
        | ExprKind::Compare(..)
        | ExprKind::Convert(_)
        | ExprKind::Random(_)
        | ExprKind::Noise(_)
        | ExprKind::Table { .. } => Sign::Unknown,
    }
}

fn of_number(x: f64) -> Sign {
    if x > 0.0 {
        Sign::Strict(Side::Positive)
    } else if x < 0.0 {
        Sign::Strict(Side::Negative)
    } else if x == 0.0 {
        Sign::Weak(Side::Positive)
    } else {
        Sign::Unknown
    }
}

fn of_call(function: Function, args: &[Expr]) -> Sign {
    match function {
        Function::Exp | Function::Exprel | Function::PerExprel => Sign::Fading(Side::Positive),
        Function::Cosh => Sign::Strict(Side::Positive),
        Function::Abs => Sign::Weak(Side::Positive),
        Function::Sqrt => args.first().map_or(Sign::Unknown, |a| sign(a).weakened_to_fading()),
        // A power of a positive number is positive; of any other nothing is said.
        Function::Pow => match args.first().map(sign) {
            Some(Sign::Strict(Side::Positive) | Sign::Fading(Side::Positive)) => Sign::Fading(Side::Positive),
            Some(
                Sign::Strict(Side::Negative) | Sign::Fading(Side::Negative) | Sign::Weak(_) | Sign::Unknown,
            )
            | None => Sign::Unknown,
        },
        Function::Log
        | Function::Log10
        | Function::Log2
        | Function::Log1p
        | Function::Expm1
        | Function::Sin
        | Function::Cos
        | Function::Tan
        | Function::Sinh
        | Function::Tanh
        | Function::Arcsin
        | Function::Arccos
        | Function::Arctan
        | Function::Arctan2
        | Function::Sign
        | Function::Clip
        | Function::Floor
        | Function::Ceil
        | Function::Int
        | Function::Min
        | Function::Max
        | Function::Mod
        | Function::FloorDiv
        | Function::Timestep => Sign::Unknown,
    }
}

impl Sign {
    /// Whether the value is not 0.
    pub(crate) fn is_strict(self) -> bool {
        matches!(self, Self::Strict(_))
    }

    fn side(self) -> Option<Side> {
        match self {
            Self::Strict(side) | Self::Fading(side) | Self::Weak(side) => Some(side),
            Self::Unknown => None,
        }
    }

    fn negated(self) -> Self {
        let other = |side| match side {
            Side::Positive => Side::Negative,
            Side::Negative => Side::Positive,
        };
        match self {
            Self::Strict(side) => Self::Strict(other(side)),
            Self::Fading(side) => Self::Fading(other(side)),
            Self::Weak(side) => Self::Weak(other(side)),
            Self::Unknown => Self::Unknown,
        }
    }

    fn plus(self, other: Self) -> Self {
        if self.side().is_none() || self.side() != other.side() {
            return Self::Unknown;
        }
        match (self, other) {
            (Self::Strict(side), _) | (_, Self::Strict(side)) => Self::Strict(side),
            (Self::Fading(side), Self::Fading(_)) => Self::Strict(side),
            (Self::Fading(side), _) | (_, Self::Fading(side)) => Self::Fading(side),
            (Self::Weak(side), _) => Self::Weak(side),
            (Self::Unknown, _) => Self::Unknown,
        }
    }

    /// The sign of a product; a quotient has it too, since what is divided by is not 0 or the model is wrong.
    fn times(self, other: Self) -> Self {
        let (Some(a), Some(b)) = (self.side(), other.side()) else { return Self::Unknown };
        let side = if a == b { Side::Positive } else { Side::Negative };
        match (self, other) {
            (Self::Weak(_), _) | (_, Self::Weak(_)) => Self::Weak(side),
            (Self::Strict(_), Self::Strict(_)) => Self::Strict(side),
            (Self::Fading(_) | Self::Strict(_) | Self::Unknown, _) => Self::Fading(side),
        }
    }

    fn weakened_to_fading(self) -> Self {
        match self {
            Self::Strict(side) | Self::Fading(side) => Self::Fading(side),
            Self::Weak(side) => Self::Weak(side),
            Self::Unknown => Self::Unknown,
        }
    }
}
