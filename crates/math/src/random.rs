//! Random variables from raw random words.

use neuropil_base::{Scalar, ScalarType};

use crate::{BinaryOp, Emit, Function, UnaryOp};

/// A continuous distribution that is drawn inside kernels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Distribution {
    /// Uniform on [0, 1).
    Uniform,
    /// Normal with mean 0 and variance 1.
    Normal,
    /// Exponential with mean 1.
    Exponential,
}

impl Distribution {
    /// Every distribution.
    pub const ALL: [Self; 3] = [Self::Uniform, Self::Normal, Self::Exponential];

    /// The name in the kernel language: `uniform`, `normal`, `exponential`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Normal => "normal",
            Self::Exponential => "exponential",
        }
    }

    /// The distribution with that [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.name() == name)
    }

    /// How many random 32-bit words one value of float type `ty` takes.
    #[must_use]
    pub fn words(self, ty: ScalarType) -> usize {
        let per_uniform = if ty == ScalarType::F32 { 1 } else { 2 };
        match self {
            Self::Uniform | Self::Exponential => per_uniform,
            Self::Normal => 2 * per_uniform,
        }
    }

    /// One value of float type `ty` (others count as `F64`) from [`words`](Self::words) values of type
    /// `I32` with random bits.
    pub fn expand<E: Emit>(self, e: &mut E, ty: ScalarType, bits: &[E::Value]) -> E::Value {
        let per_uniform = Self::Uniform.words(ty);
        let (first, second) = bits.split_at(per_uniform.min(bits.len()));
        match self {
            Self::Uniform => uniform(e, ty, first),
            Self::Exponential => {
                let u = one_minus(e, ty, first);
                let l = Function::Log.expand(e, &[u]);
                e.unary(UnaryOp::Neg, l)
            }
            Self::Normal => {
                let u = one_minus(e, ty, first);
                let v = uniform(e, ty, second);
                let l = Function::Log.expand(e, &[u]);
                let two = e.constant(Scalar::from_f64(ty, -2.0));
                let l = e.binary(BinaryOp::Mul, two, l);
                let r = e.unary(UnaryOp::Sqrt, l);
                let tau = e.constant(Scalar::from_f64(ty, std::f64::consts::TAU));
                let angle = e.binary(BinaryOp::Mul, tau, v);
                let c = Function::Cos.expand(e, &[angle]);
                e.binary(BinaryOp::Mul, r, c)
            }
        }
    }
}

fn one_minus<E: Emit>(e: &mut E, ty: ScalarType, bits: &[E::Value]) -> E::Value {
    let u = uniform(e, ty, bits);
    let one = e.constant(Scalar::from_f64(ty, 1.0));
    e.binary(BinaryOp::Sub, one, u)
}

fn uniform<E: Emit>(e: &mut E, ty: ScalarType, bits: &[E::Value]) -> E::Value {
    let mut shifted = |word: usize, count: i32| {
        let zero = e.constant(Scalar::I32(0));
        let word = bits.get(word).copied().unwrap_or(zero);
        let count = e.constant(Scalar::I32(count));
        let top = e.binary(BinaryOp::Shr, word, count);
        e.convert(ty, top)
    };
    if ty == ScalarType::F32 {
        let top = shifted(0, 8);
        let scale = e.constant(Scalar::F32(1.0 / 16_777_216.0));
        return e.binary(BinaryOp::Mul, top, scale);
    }
    let (high, low) = (shifted(0, 5), shifted(1, 6));
    let step = e.constant(Scalar::F64(67_108_864.0));
    let whole = e.fma(high, step, low);
    let scale = e.constant(Scalar::F64(1.0 / 9_007_199_254_740_992.0));
    e.binary(BinaryOp::Mul, whole, scale)
}
