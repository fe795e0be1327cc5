//! Random variables from raw random words, expanded into the same operations as functions.

use neuropil_base::{Scalar, ScalarType};

use crate::expand::ops::{Ops, scalar_of};
use crate::{BinaryOp, Emit, UnaryOp};

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
    #[inline]
    #[must_use]
    pub fn words(self, ty: ScalarType) -> usize {
        let per_uniform = if ty == ScalarType::F32 { 1 } else { 2 };
        match self {
            Self::Uniform | Self::Exponential => per_uniform,
            Self::Normal => per_uniform + 1,
        }
    }

    /// One value of float type `ty` (others count as `F64`) from [`words`](Self::words) values of type
    /// `I32` with random bits; missing ones count as 0.
    ///
    /// * Uniform: the top 24 (53) bits as a fraction.
    /// * Exponential: minus the logarithm of a uniform number in (0, 1], up to 22 (37).
    /// * Normal: Box & Muller 1958, `sqrt(-2 log u) sin(pi w)` with `w` between -1/2 and 1/2: the sine of an angle in
    ///   the right half of the circle is distributed like that of any angle. `u` has 31 (53) bits, so that numbers go up
    ///   to 6.6 (8.6) standard deviations. The angle has 32 bits in both precisions: it decides how the radius, whose
    ///   steps are much finer, is projected, and products of the two fill the line as densely as the radius does.
    ///
    /// Logarithm and sine have a relative error below 2^-22 (2^-48), far below what any number of draws shows.
    ///
    /// ```
    /// use neuropil_base::{Scalar, ScalarType};
    /// use neuropil_math::{Distribution, scalar::Evaluator};
    /// let bits = [Scalar::I32(i32::MIN), Scalar::I32(0)];
    /// let u = Distribution::Uniform.expand(&mut Evaluator, ScalarType::F64, &bits);
    /// assert_eq!(u, Scalar::F64(0.5));
    /// ```
    #[inline(always)]
    pub fn expand<E: Emit>(self, e: &mut E, ty: ScalarType, bits: &[E::Value]) -> E::Value {
        let ty = if ty == ScalarType::F32 { ty } else { ScalarType::F64 };
        let (first, second) = bits.split_at(Self::Uniform.words(ty).min(bits.len()));
        match self {
            Self::Uniform => uniform(e, ty, first),
            Self::Exponential => {
                let log = log_of_uniform(e, ty, first);
                // Not negated: the logarithm of 1 shall give 0, not -0.
                let zero = e.constant(scalar_of(ty, 0.0));
                e.binary(BinaryOp::Sub, zero, log)
            }
            Self::Normal => {
                let log = log_of_uniform(e, ty, first);
                let factor = e.constant(scalar_of(ty, -2.0));
                let square = e.binary(BinaryOp::Mul, factor, log);
                let radius = e.unary(UnaryOp::Sqrt, square);
                let word = word(e, second, 0);
                let angle = e.convert(ty, word);
                let scale = e.constant(scalar_of(ty, 1.0 / 4_294_967_296.0));
                let half_turns = e.binary(BinaryOp::Mul, angle, scale);
                let sine = Ops::new(e, half_turns).sin_of_half_turns(half_turns);
                e.binary(BinaryOp::Mul, radius, sine)
            }
        }
    }
}

/// Word number `index`, 0 if it is missing.
#[inline(always)]
fn word<E: Emit>(e: &mut E, bits: &[E::Value], index: usize) -> E::Value {
    match bits.get(index) {
        Some(&word) => word,
        None => e.constant(Scalar::I32(0)),
    }
}

/// Word number `index` shifted right by `count`, as a float.
#[inline(always)]
fn shifted<E: Emit>(e: &mut E, ty: ScalarType, bits: &[E::Value], index: usize, count: i32) -> E::Value {
    let word = word(e, bits, index);
    let count = e.constant(Scalar::I32(count));
    let top = e.binary(BinaryOp::Shr, word, count);
    e.convert(ty, top)
}

/// The top 53 bits of two words as a whole double.
#[inline(always)]
fn whole<E: Emit>(e: &mut E, bits: &[E::Value]) -> E::Value {
    let high = shifted(e, ScalarType::F64, bits, 0, 5);
    let low = shifted(e, ScalarType::F64, bits, 1, 6);
    let step = e.constant(Scalar::F64(67_108_864.0));
    e.fma(high, step, low)
}

/// 2^-53
const DOUBLE_STEP: f64 = 1.0 / 9_007_199_254_740_992.0;

/// In [0, 1), a multiple of 2^-24 or 2^-53.
#[inline(always)]
fn uniform<E: Emit>(e: &mut E, ty: ScalarType, bits: &[E::Value]) -> E::Value {
    let (number, scale) = if ty == ScalarType::F32 {
        (shifted(e, ty, bits, 0, 8), 1.0 / 16_777_216.0)
    } else {
        (whole(e, bits), DOUBLE_STEP)
    };
    let scale = e.constant(scalar_of(ty, scale));
    e.binary(BinaryOp::Mul, number, scale)
}

/// The logarithm of a number in (0, 1], whose steps below it are as fine as the words and the type allow.
#[inline(always)]
fn log_of_uniform<E: Emit>(e: &mut E, ty: ScalarType, bits: &[E::Value]) -> E::Value {
    let u = if ty == ScalarType::F32 {
        // (n + 1/2) 2^-31 for 31 bits, so that small numbers keep more bits than the fraction has.
        let step = 1.0 / 2_147_483_648.0;
        let number = shifted(e, ty, bits, 0, 1);
        let (step, half) = (e.constant(Scalar::F32(step)), e.constant(Scalar::F32(step / 2.0)));
        e.fma(number, step, half)
    } else {
        // (n + 1) 2^-53
        let (high, low) = (shifted(e, ty, bits, 0, 5), shifted(e, ty, bits, 1, 6));
        let step = e.constant(Scalar::F64(DOUBLE_STEP));
        let low = e.fma(low, step, step);
        let step = e.constant(Scalar::F64(DOUBLE_STEP * 67_108_864.0));
        e.fma(high, step, low)
    };
    Ops::new(e, u).log_of_unit(u)
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

    /// The largest distance between the share of `values` below a point and the integral of `density` up to it, in
    /// units in which Kolmogorov's distribution holds: 1.95 is exceeded once in a thousand times.
    fn kolmogorov(values: &mut [f64], density: impl Fn(f64) -> f64) -> f64 {
        values.sort_by(f64::total_cmp);
        let n = values.len() as f64;
        let (mut at, mut below, mut largest) = (-12.0, 0.0, 0.0_f64);
        for (k, &x) in values.iter().enumerate() {
            // Simpson's rule in steps of at most a hundredth.
            let steps = ((x - at) / 0.01).ceil().max(1.0);
            let h = (x - at) / steps;
            for i in 0..steps as usize {
                let a = at + h * i as f64;
                below += h / 6.0 * (density(a) + 4.0 * density(a + h / 2.0) + density(a + h));
            }
            at = x;
            largest = largest.max((below - k as f64 / n).abs()).max((below - (k + 1) as f64 / n).abs());
        }
        largest * n.sqrt()
    }

    #[test]
    fn normal_and_exponential_numbers_have_their_shape_and_their_tails() {
        use crate::host::exp;
        const N: usize = 200_000;
        for ty in TYPES {
            let mut state = 7;
            let mut values: Vec<f64> = (0..N).map(|_| draw(Distribution::Normal, ty, &mut state)).collect();
            let distance = kolmogorov(&mut values, |x| 0.398_942_280_401_432_7 * exp(-0.5 * x * x));
            assert!(distance < 1.95, "{ty}: {distance}");
            // Of so many numbers 540 +- 23 lie beyond 3, and 12.7 +- 3.6 beyond 4.
            let beyond = |bound: f64| values.iter().filter(|x| x.abs() > bound).count();
            assert!((420..660).contains(&beyond(3.0)) && (1..30).contains(&beyond(4.0)), "{ty}");
            let mut values: Vec<f64> =
                (0..N).map(|_| draw(Distribution::Exponential, ty, &mut state)).collect();
            let distance = kolmogorov(&mut values, |x| if x < 0.0 { 0.0 } else { exp(-x) });
            assert!(distance < 1.95, "{ty}: {distance}");
        }
    }

    #[test]
    fn a_normal_number_is_that_of_box_and_muller() {
        for (words, u, angle) in [
            ([0, 0, 0], 1.0 / 9_007_199_254_740_992.0, 0.0),
            ([i32::MIN, 0, i32::MIN], 0.5, -0.5),
            ([-1, -1, 5], 1.0, 0.0),
            ([1 << 20, 77, 1 << 30], 1.0 / 4096.0, 0.25),
        ] {
            let got = Distribution::Normal.expand(&mut Evaluator, ScalarType::F64, &words.map(Scalar::I32));
            let wanted = crate::host::sqrt(-2.0 * crate::host::log(u))
                * crate::host::sin(std::f64::consts::PI * angle);
            assert!((got.to_f64() - wanted).abs() < 1e-7, "{words:?}: {got}, not {wanted}");
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
