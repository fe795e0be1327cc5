//! The few numbers by which spiking networks are compared with papers.
//!
//! Times are in seconds, rates in hertz. Impossible inputs (no neurons, no time) give 0 or `None`, never NaN.

/// Mean rate of one neuron: `n_spikes / (n * duration)`.
#[must_use]
pub fn mean_rate(n_spikes: usize, n: usize, duration_s: f64) -> f64 {
    if n == 0 || duration_s.is_nan() || duration_s <= 0.0 {
        return 0.0;
    }
    n_spikes as f64 / (n as f64 * duration_s)
}

/// Rate of each of `n` neurons, from the neuron of every spike; spikes of other neurons are ignored.
#[must_use]
pub fn rates_per_neuron(indices: &[u32], n: usize, duration_s: f64) -> Vec<f64> {
    let mut counts = vec![0usize; n];
    for i in indices {
        if let Some(count) = counts.get_mut(*i as usize) {
            *count += 1;
        }
    }
    counts.into_iter().map(|count| mean_rate(count, 1, duration_s)).collect()
}

/// Coefficient of variation of the intervals between the spikes of a neuron, averaged over the neurons with
/// at least two intervals: 1 for a Poisson process, 0 for a clock. `None` if there is no such neuron.
///
/// `times_s[k]` is the time of a spike of neuron `indices[k]`; each neuron's spikes are in the order of time. Where time
/// goes back another run begins, and there is no interval.
#[must_use]
pub fn isi_cv(times_s: &[f64], indices: &[u32], n: usize) -> Option<f64> {
    let mut last = vec![f64::NAN; n];
    let mut moments = vec![Moments::default(); n];
    for (t, i) in times_s.iter().zip(indices) {
        let i = *i as usize;
        let (Some(last), Some(moments)) = (last.get_mut(i), moments.get_mut(i)) else { continue };
        // Not a number compares with nothing.
        if *t >= *last {
            moments.push(t - *last);
        }
        *last = *t;
    }
    let cvs: Vec<f64> =
        moments.iter().filter(|m| m.n >= 2 && m.mean > 0.0).map(|m| m.variance().sqrt() / m.mean).collect();
    mean(&cvs)
}

/// Number of spikes in bins of `bin_s` from 0 on: bin `k` holds `k * bin_s <= t < (k + 1) * bin_s`, and the last
/// bin may reach beyond `duration_s`. Spikes outside are ignored.
#[must_use]
pub fn binned_counts(times_s: &[f64], duration_s: f64, bin_s: f64) -> Vec<u64> {
    // A bin that is off by rounding only is not another bin.
    let n_bins = (duration_s / bin_s - 1e-9).ceil();
    if !(bin_s > 0.0 && n_bins > 0.0 && n_bins < 1e9) {
        return Vec::new();
    }
    let mut counts = vec![0; n_bins as usize];
    for t in times_s.iter().filter(|t| **t >= 0.0) {
        if let Some(count) = counts.get_mut((t / bin_s + 1e-9) as usize) {
            *count += 1;
        }
    }
    counts
}

/// Rate of a population of `n` neurons in bins; see [`binned_counts`].
#[must_use]
pub fn binned_rate(times_s: &[f64], n: usize, duration_s: f64, bin_s: f64) -> Vec<f64> {
    let counts = binned_counts(times_s, duration_s, bin_s);
    counts.into_iter().map(|count| mean_rate(count as usize, n, bin_s)).collect()
}

/// Variance over mean of the counts in bins. For a population of independent Poisson neurons it is 1;
/// synchrony makes it larger. `None` without spikes.
#[must_use]
pub fn fano_factor(counts: &[u64]) -> Option<f64> {
    let mut moments = Moments::default();
    counts.iter().for_each(|count| moments.push(*count as f64));
    (moments.mean > 0.0).then(|| moments.variance() / moments.mean)
}

/// Synchrony of traces after Golomb & Rinzel (1993): the variance of the mean over neurons, divided by the mean of
/// the neurons' variances, square root of it. 1 if all neurons do the same, about `1 / sqrt(n)` if none do.
///
/// `rows` holds the values row after row, `n` neurons each. `None` if nothing varies.
#[must_use]
pub fn synchrony(rows: &[f64], n: usize) -> Option<f64> {
    if n == 0 {
        return None;
    }
    let mut together = Moments::default();
    let mut each = vec![Moments::default(); n];
    for row in rows.chunks_exact(n) {
        together.push(row.iter().sum::<f64>() / n as f64);
        each.iter_mut().zip(row).for_each(|(moments, x)| moments.push(*x));
    }
    let variances: Vec<f64> = each.iter().map(Moments::variance).collect();
    let single = mean(&variances).filter(|v| *v > 0.0)?;
    Some((together.variance() / single).sqrt())
}

fn mean(xs: &[f64]) -> Option<f64> {
    (!xs.is_empty()).then(|| xs.iter().sum::<f64>() / xs.len() as f64)
}

/// Mean and variance of a stream, after Welford (1962).
#[derive(Clone, Copy, Default)]
struct Moments {
    n: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn push(&mut self, x: f64) {
        self.n += 1;
        let off = x - self.mean;
        self.mean += off / self.n as f64;
        self.squares += off * (x - self.mean);
    }

    /// Variance of the population, divided by `n`.
    fn variance(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.squares / self.n as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_spikes_per_neuron_and_second() {
        assert_eq!(mean_rate(20, 4, 0.5), 10.0);
        assert_eq!(mean_rate(20, 0, 0.5), 0.0);
        assert_eq!(mean_rate(20, 4, 0.0), 0.0);
        assert_eq!(rates_per_neuron(&[0, 2, 2, 9], 3, 2.0), [0.5, 0.0, 1.0]);
    }

    #[test]
    fn a_clock_has_no_variation_and_alternating_intervals_have_some() {
        let clock: Vec<f64> = (0..10).map(f64::from).collect();
        assert_eq!(isi_cv(&clock, &[0; 10], 1), Some(0.0));
        // Intervals 1 and 3: mean 2, standard deviation 1.
        let cv = isi_cv(&[0.0, 1.0, 4.0, 5.0, 8.0], &[3; 5], 4).unwrap();
        assert!((cv - 0.5).abs() < 1e-12);
        assert_eq!(isi_cv(&[0.0, 1.0], &[0, 0], 1), None);
        assert_eq!(isi_cv(&[], &[], 0), None);
    }

    #[test]
    fn spikes_on_the_edge_of_a_bin_belong_to_the_later_one() {
        let times: Vec<f64> = (0..100).map(|s| f64::from(s) * 1e-4).collect();
        assert_eq!(binned_counts(&times, 0.01, 0.001), [10; 10]);
        assert_eq!(binned_rate(&times, 10, 0.01, 0.005), [1000.0; 2]);
        assert!(binned_counts(&times, 0.0, 0.001).is_empty());
        assert!(binned_counts(&times, 1.0, 0.0).is_empty());
        assert!(binned_counts(&times, f64::NAN, 0.1).is_empty());
    }

    #[test]
    fn synchrony_is_one_when_all_do_the_same_and_zero_when_they_cancel() {
        assert!((synchrony(&[1.0, 1.0, 3.0, 3.0, 2.0, 2.0], 2).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(synchrony(&[1.0, -1.0, -1.0, 1.0], 2), Some(0.0));
        assert_eq!(synchrony(&[1.0, 1.0], 2), None);
        assert_eq!(synchrony(&[], 0), None);
        assert_eq!(fano_factor(&[2, 2, 2]), Some(0.0));
        assert_eq!(fano_factor(&[0, 0]), None);
    }
}
