//! Random variables from raw random words, expanded into the same operations as functions.

use neuropil_base::{Scalar, ScalarType};

use crate::expand::ops::Ops;
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
    /// `I32` with random bits; missing ones count as 0.
    ///
    /// * Uniform: the top 24 (53) bits as a fraction.
    /// * Exponential: minus the logarithm of a uniform number in (0, 1].
    /// * Normal: Box & Muller 1958, `sqrt(-2 log u) cos(2 pi v)`; up to 6.6 (8.6) standard deviations.
    ///
    /// ```
    /// use neuropil_base::{Scalar, ScalarType};
    /// use neuropil_math::{Distribution, scalar::Evaluator};
    /// let bits = [Scalar::I32(i32::MIN), Scalar::I32(0)];
    /// let u = Distribution::Uniform.expand(&mut Evaluator, ScalarType::F64, &bits);
    /// assert_eq!(u, Scalar::F64(0.5));
    /// ```
    pub fn expand<E: Emit>(self, e: &mut E, ty: ScalarType, bits: &[E::Value]) -> E::Value {
        let ty = if ty == ScalarType::F32 { ty } else { ScalarType::F64 };
        let (first, second) = bits.split_at(Self::Uniform.words(ty).min(bits.len()));
        match self {
            Self::Uniform => uniform(e, ty, first),
            Self::Exponential => {
                let log = log_of_uniform(e, ty, first);
                // Not negated: the logarithm of 1 shall give 0, not -0.
                let zero = e.constant(Scalar::from_f64(ty, 0.0));
                e.binary(BinaryOp::Sub, zero, log)
            }
            Self::Normal => {
                let log = log_of_uniform(e, ty, first);
                let factor = e.constant(Scalar::from_f64(ty, -2.0));
                let square = e.binary(BinaryOp::Mul, factor, log);
                let radius = e.unary(UnaryOp::Sqrt, square);
                let turns = uniform(e, ty, second);
                let cosine = Ops::new(e, turns).cos_of_turns(turns);
                e.binary(BinaryOp::Mul, radius, cosine)
            }
        }
    }
}

/// Word number `index` shifted right by `count`, as a float.
fn shifted<E: Emit>(e: &mut E, ty: ScalarType, bits: &[E::Value], index: usize, count: i32) -> E::Value {
    let word = match bits.get(index) {
        Some(&word) => word,
        None => e.constant(Scalar::I32(0)),
    };
    let count = e.constant(Scalar::I32(count));
    let top = e.binary(BinaryOp::Shr, word, count);
    e.convert(ty, top)
}

/// The top 53 bits of two words as a whole double.
fn whole<E: Emit>(e: &mut E, bits: &[E::Value]) -> E::Value {
    let high = shifted(e, ScalarType::F64, bits, 0, 5);
    let low = shifted(e, ScalarType::F64, bits, 1, 6);
    let step = e.constant(Scalar::F64(67_108_864.0));
    e.fma(high, step, low)
}

/// 2^-53
const DOUBLE_STEP: f64 = 1.0 / 9_007_199_254_740_992.0;

/// In [0, 1), a multiple of 2^-24 or 2^-53.
fn uniform<E: Emit>(e: &mut E, ty: ScalarType, bits: &[E::Value]) -> E::Value {
    let (number, scale) = if ty == ScalarType::F32 {
        (shifted(e, ty, bits, 0, 8), 1.0 / 16_777_216.0)
    } else {
        (whole(e, bits), DOUBLE_STEP)
    };
    let scale = e.constant(Scalar::from_f64(ty, scale));
    e.binary(BinaryOp::Mul, number, scale)
}

/// The logarithm of a number in (0, 1], whose steps below it are as fine as the words and the type allow.
fn log_of_uniform<E: Emit>(e: &mut E, ty: ScalarType, bits: &[E::Value]) -> E::Value {
    // Single: (n + 1/2) 2^-31 for 31 bits, so that small numbers keep more bits than the fraction has.
    let (number, offset, scale) = if ty == ScalarType::F32 {
        (shifted(e, ty, bits, 0, 1), 0.5, 1.0 / 2_147_483_648.0)
    } else {
        (whole(e, bits), 1.0, DOUBLE_STEP)
    };
    let offset = e.constant(Scalar::from_f64(ty, offset));
    let number = e.binary(BinaryOp::Add, number, offset);
    let scale = e.constant(Scalar::from_f64(ty, scale));
    let u = e.binary(BinaryOp::Mul, number, scale);
    Function::Log.expand(e, &[u])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::Evaluator;

    const TYPES: [ScalarType; 2] = [ScalarType::F32, ScalarType::F64];

    fn draw(distribution: Distribution, ty: ScalarType, state: &mut u64) -> f64 {
        let bits: Vec<Scalar> = (0..distribution.words(ty))
            .map(|_| {
                *state =
                    state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                Scalar::I32((*state >> 32) as i32)
            })
            .collect();
        distribution.expand(&mut Evaluator, ty, &bits).to_f64()
    }

    fn extreme(distribution: Distribution, ty: ScalarType, word: i32) -> f64 {
        distribution.expand(&mut Evaluator, ty, &[Scalar::I32(word); 4][..distribution.words(ty)]).to_f64()
    }

    #[test]
    fn moments_are_those_of_the_distribution() {
        const N: usize = 100_000;
        for ty in TYPES {
            for (distribution, moments) in [
                (Distribution::Uniform, [0.5, 1.0 / 3.0, 0.25, 0.2]),
                (Distribution::Normal, [0.0, 1.0, 0.0, 3.0]),
                (Distribution::Exponential, [1.0, 2.0, 6.0, 24.0]),
            ] {
                let mut state = 1;
                let mut sums = [0.0; 4];
                for _ in 0..N {
                    let x = draw(distribution, ty, &mut state);
                    let mut power = 1.0;
                    for sum in &mut sums {
                        power *= x;
                        *sum += power;
                    }
                }
                // Five standard errors of each mean, from the moments of twice the order.
                let spread = match distribution {
                    Distribution::Uniform => [0.3, 0.3, 0.3, 0.3],
                    Distribution::Normal => [1.0, 1.5, 3.9, 9.8],
                    Distribution::Exponential => [1.0, 4.5, 26.2, 200.0],
                };
                for i in 0..4 {
                    let mean = sums[i] / N as f64;
                    let bound = 5.0 * spread[i] / (N as f64).sqrt();
                    assert!(
                        (mean - moments[i]).abs() < bound,
                        "{distribution:?} {ty} moment {}: {mean}",
                        i + 1
                    );
                }
            }
        }
    }

    #[test]
    fn extreme_words_give_finite_values_in_range() {
        for ty in TYPES {
            assert_eq!(extreme(Distribution::Uniform, ty, 0), 0.0);
            let largest = extreme(Distribution::Uniform, ty, -1);
            assert!(largest < 1.0 && largest > 0.999_999);
            for word in [0, -1, 1, i32::MIN, i32::MAX] {
                assert!(extreme(Distribution::Normal, ty, word).abs() < 8.7);
                let x = extreme(Distribution::Exponential, ty, word);
                assert!((0.0..37.0).contains(&x), "{x}");
            }
        }
    }
}
