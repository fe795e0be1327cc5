//! What one run of a kernel is given, and what its operations give for plain values: what the backends share.

use neuropil_base::{Scalar, ScalarType};
use neuropil_math::scalar;
use neuropil_rng::{Bits, binomial, poisson};

use crate::{Accumulation, Op, Sampler, Side, ValueId};

/// What is the same for all elements of one run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context {
    /// The seed of the network.
    pub seed: u64,
    /// The number of the step of the clock that runs the kernel.
    pub step: i64,
}

/// The numbers of one element of a domain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Element {
    /// Its own.
    pub own: u64,
    /// Of its presynaptic neuron; 0 where the domain has none.
    pub pre: u32,
    /// Of its postsynaptic neuron; 0 where the domain has none.
    pub post: u32,
}

impl Element {
    /// The number on that side.
    #[must_use]
    pub fn number(self, side: Side) -> u64 {
        match side {
            Side::Own => self.own,
            Side::Pre => u64::from(self.pre),
            Side::Post => u64::from(self.post),
        }
    }
}

/// What [`Op::Index`] gives for a number: its lower 32 bits.
#[must_use]
pub fn index_value(number: u64) -> i32 {
    number as u32 as i32
}

impl Sampler {
    /// One sample; `args` are its parameters in order, missing ones count as 0. A count is cut to a whole
    /// number, and a result outside of `i32` to its limits. Always inlined, so that it is built for the instruction set
    /// of the caller.
    #[inline(always)]
    pub fn draw(self, args: &[f64], bits: &mut impl Bits) -> i32 {
        let arg = |k: usize| args.get(k).copied().unwrap_or(0.0);
        let number = match self {
            Self::Poisson => poisson(arg(0), bits),
            Self::Binomial => binomial(arg(0) as i64, arg(1), bits),
        };
        i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
    }
}

impl Accumulation {
    /// What the buffer holds afterwards: `old + value`, `min(value, old)`, `max(value, old)`, so that a NaN in the
    /// buffer stays there and a new one does not replace a number.
    #[must_use]
    pub fn combine(self, old: Scalar, value: Scalar) -> Scalar {
        use neuropil_math::BinaryOp;
        match self {
            Self::Add => scalar::binary(BinaryOp::Add, old, value),
            Self::Min => scalar::binary(BinaryOp::Min, value, old),
            Self::Max => scalar::binary(BinaryOp::Max, value, old),
        }
    }
}

impl Op {
    /// What an operation of type `ty` gives whose operands are `of(%operand)`; `None` for what depends on the
    /// element, the step or a buffer, and for effects.
    #[must_use]
    pub fn evaluate(&self, ty: ScalarType, of: impl Fn(ValueId) -> Scalar) -> Option<Scalar> {
        Some(match self {
            Self::Constant(c) => *c,
            Self::Unary(op, a) => scalar::unary(*op, of(*a)),
            Self::Binary(op, a, b) => scalar::binary(*op, of(*a), of(*b)),
            Self::Compare(op, a, b) => Scalar::Bool(scalar::compare(*op, of(*a), of(*b))),
            Self::Fma(a, b, c) => scalar::fma(of(*a), of(*b), of(*c)),
            Self::Select(condition, a, b) => scalar::select(of(*condition), of(*a), of(*b)),
            Self::Convert(a) => scalar::convert(ty, of(*a)),
            Self::Bitcast(a) => scalar::bitcast(ty, of(*a)),
            Self::Call(function, args) => {
                scalar::eval(*function, &args.iter().map(|a| of(*a)).collect::<Vec<_>>())
            }
            Self::Step
            | Self::Index(_)
            | Self::Load { .. }
            | Self::Word { .. }
            | Self::Sample { .. }
            | Self::Store { .. }
            | Self::Accumulate { .. }
            | Self::Emit(_) => return None,
        })
    }
}
