//! What the distributions of whole numbers share: random words, and logarithms of factorials.

use neuropil_math::straight::Straight;

/// Tries of a rejection before a number in the middle is returned; reached with probability below 1e-300.
pub(crate) const TRIES: u32 = 10_000;

/// Something that hands out random words: [`crate::SampleBits`], [`crate::Stream`] and [`crate::SampleBits`].
pub trait Bits {
    /// The next word.
    fn next_u32(&mut self) -> u32;

    /// The next number in [0, 1), a multiple of 2^-53, from two words.
    #[inline]
    fn next_f64(&mut self) -> f64 {
        let high = self.next_u32();
        crate::unit_f64(high, self.next_u32())
    }

    /// The next standard normal number, by Marsaglia's polar method (1964), which needs no
    /// trigonometric function. Takes a varying number of words.
    fn next_normal(&mut self) -> f64 {
        for _ in 0..TRIES {
            let x = 2.0 * self.next_f64() - 1.0;
            let y = 2.0 * self.next_f64() - 1.0;
            let r2 = x * x + y * y;
            if r2 > 0.0 && r2 < 1.0 {
                return x * (-2.0 * Straight::log(r2) / r2).sqrt();
            }
        }
        0.0
    }
}

/// `ln k!` for a whole `k >= 0`: a table below 10, Stirling's series with four terms from there on
/// (next term below 6e-13 in absolute value).
#[inline(always)]
pub(crate) fn log_factorial(k: f64) -> f64 {
    const SMALL: [f64; 10] = [
        0.0,
        0.0,
        std::f64::consts::LN_2,
        1.791_759_469_228_055,
        3.178_053_830_347_945_8,
        4.787_491_742_782_046,
        6.579_251_212_010_101,
        8.525_161_361_065_415,
        10.604_602_902_745_25,
        12.801_827_480_081_469,
    ];
    if let Some(&value) = SMALL.get(k as usize) {
        return value;
    }
    stirling(k, Straight::log(k))
}

/// `ln k!` for `k >= 10` with its logarithm, by the series alone.
#[inline(always)]
pub(crate) fn stirling(k: f64, log: f64) -> f64 {
    const HALF_LOG_2_PI: f64 = 0.918_938_533_204_672_8;
    let r = 1.0 / k;
    let r2 = r * r;
    let series = r * (1.0 / 12.0 - r2 * (1.0 / 360.0 - r2 * (1.0 / 1260.0 - r2 * (1.0 / 1680.0))));
    (k + 0.5) * log - k + HALF_LOG_2_PI + series
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SampleBits, Site, binomial, poisson};
    use neuropil_math::host::{exp, log, log1p};

    fn draws(n: u64, mut draw: impl FnMut(&mut SampleBits) -> i64) -> Vec<i64> {
        (0..n).map(|index| draw(&mut SampleBits::new(2024, 1, index, 5))).collect()
    }

    fn mean_and_variance(values: &[i64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| v as f64).sum::<f64>() / n;
        let variance = values.iter().map(|&v| (v as f64 - mean) * (v as f64 - mean)).sum::<f64>() / (n - 1.0);
        (mean, variance)
    }

    /// Asserts mean and variance within five standard errors.
    fn assert_moments(values: &[i64], mean: f64, variance: f64, what: &str) {
        let n = values.len() as f64;
        let (m, v) = mean_and_variance(values);
        assert!((m - mean).abs() < 5.0 * (variance / n).sqrt(), "{what}: mean {m}, expected {mean}");
        let spread = variance * ((2.0 + 1.0 / variance) / n).sqrt();
        assert!((v - variance).abs() < 5.0 * spread, "{what}: variance {v}, expected {variance}");
    }

    /// Chi-square against the probabilities `mass(k)`, with cells of at least 10 expected; asserts that
    /// it lies within five standard deviations of its expectation.
    fn assert_chi_square(values: &[i64], mass: impl Fn(i64) -> f64, last: i64, what: &str) {
        let n = values.len() as f64;
        let (mut chi2, mut cells) = (0.0, 0.0_f64);
        let (mut expected, mut observed, mut expected_left) = (0.0, 0.0, n);
        let mut observed_left = n;
        for k in 0..=last {
            expected += n * mass(k);
            observed += values.iter().filter(|&&v| v == k).count() as f64;
            if expected >= 10.0 && expected_left - expected >= 10.0 {
                chi2 += (observed - expected) * (observed - expected) / expected;
                cells += 1.0;
                expected_left -= expected;
                observed_left -= observed;
                (expected, observed) = (0.0, 0.0);
            }
        }
        chi2 += (observed_left - expected_left) * (observed_left - expected_left) / expected_left;
        assert!(
            (chi2 - cells).abs() < 5.0 * (2.0 * cells).sqrt(),
            "{what}: chi-square {chi2}, {cells} cells"
        );
    }

    #[test]
    fn poisson_has_its_moments_and_its_shape() {
        for lambda in [0.01, 0.7, 3.0, 12.5, 63.99, 64.0, 80.0, 700.0] {
            let values = draws(20_000, |s| poisson(lambda, s));
            assert_moments(&values, lambda, lambda, &format!("poisson({lambda})"));
            let mass = |k: i64| exp(k as f64 * log(lambda) - lambda - log_factorial(k as f64));
            let last = (lambda + 12.0 * lambda.sqrt() + 12.0) as i64;
            assert_chi_square(&values, mass, last, &format!("poisson({lambda})"));
        }
    }

    #[test]
    fn poisson_of_a_huge_mean_is_normal() {
        for lambda in [1e8, 1e12] {
            let values = draws(5_000, |s| poisson(lambda, s));
            assert_moments(&values, lambda, lambda, &format!("poisson({lambda})"));
        }
    }

    #[test]
    fn poisson_of_no_mean_at_all_is_an_answer_too() {
        let one = |lambda| poisson(lambda, &mut SampleBits::new(1, 2, 3, 4));
        assert_eq!([one(0.0), one(-1.0), one(f64::NAN), one(f64::NEG_INFINITY)], [0; 4]);
        assert_eq!([one(f64::INFINITY), one(1e300)], [i64::MAX; 2]);
    }

    #[test]
    fn binomial_has_its_moments_and_its_shape() {
        for (n, p) in [
            (1, 0.3),
            (20, 0.5),
            (40, 0.1),
            (1000, 0.009),
            (400, 0.93),
            (128, 0.4999),
            (128, 0.5),
            (6400, 0.00999),
            (6400, 0.01),
            (300, 0.45),
            (1000, 0.9),
        ] {
            let values = draws(20_000, |s| binomial(n, p, s));
            assert!(values.iter().all(|k| (0..=n).contains(k)));
            let nf = n as f64;
            assert_moments(&values, nf * p, nf * p * (1.0 - p), &format!("binomial({n}, {p})"));
            let mass = |k: i64| {
                let k = k as f64;
                let ways = log_factorial(nf) - log_factorial(k) - log_factorial(nf - k);
                exp(ways + k * log(p) + (nf - k) * log1p(-p))
            };
            assert_chi_square(&values, mass, n, &format!("binomial({n}, {p})"));
        }
    }

    #[test]
    fn binomial_of_huge_counts_has_its_moments() {
        for (n, p) in [(1_i64 << 45, 0.25), (1 << 45, 1e-12), (1 << 32, 0.5)] {
            let values = draws(5_000, |s| binomial(n, p, s));
            let mean = n as f64 * p;
            assert_moments(&values, mean, mean * (1.0 - p), &format!("binomial({n}, {p})"));
        }
    }

    #[test]
    fn binomial_takes_any_argument() {
        let one = |n, p| binomial(n, p, &mut SampleBits::new(1, 2, 3, 4));
        assert_eq!([one(0, 0.5), one(-3, 0.5), one(9, 0.0), one(9, f64::NAN), one(9, -1.0)], [0; 5]);
        assert_eq!([one(9, 1.0), one(9, f64::INFINITY)], [9, 9]);
        assert!((0..=i64::MAX).contains(&one(i64::MAX, 0.5)));
        assert_eq!(one(i64::MAX, f64::MIN_POSITIVE), 0);
    }

    #[test]
    fn normal_numbers_have_the_moments_of_the_normal_distribution() {
        let mut stream = Site::new(9, 9).stream(0);
        let values: Vec<f64> = (0..40_000).map(|_| stream.normal()).collect();
        let moment = |power: i32| {
            values.iter().map(|&v| (0..power).fold(1.0, |product, _| product * v)).sum::<f64>() / 40_000.0
        };
        assert!(moment(1).abs() < 0.025 && (moment(2) - 1.0).abs() < 0.036);
        assert!(moment(3).abs() < 0.1 && (moment(4) - 3.0).abs() < 0.25);
    }

    #[test]
    fn log_factorials_add_logarithms() {
        let mut sum = 0.0;
        for k in 1..2_000 {
            sum += log(f64::from(k));
            let got = log_factorial(f64::from(k));
            assert!((got - sum).abs() < 1e-11 * sum.max(1.0), "{k}: {got} {sum}");
        }
    }
}
