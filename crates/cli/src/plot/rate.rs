//! Smooth rates of populations.

use neuropil_record::stats;

use super::{PopulationData, SeriesData};

/// Rates in bins of equal width, smoothed.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Rates {
    /// Width of a bin in seconds.
    pub(super) bin_s: f64,
    /// Standard deviation of the window that smooths each population, in seconds.
    pub(super) sigma_s: Vec<f64>,
    /// Rate of each population in each bin, in hertz; empty for populations without rate.
    pub(super) hz: Vec<Vec<f64>>,
    /// Mean rate of each population, in hertz.
    pub(super) mean_hz: Vec<Option<f64>>,
}

/// Bins of an axis that no screen shows finer.
const MAX_BINS: f64 = 1500.0;

/// The rates of all populations over `duration_s`.
///
/// Bins are 1 ms wide, wider for long runs. Each window holds about ten spikes of its population,
/// but is at least 2 ms and at most a fiftieth of the run.
pub(super) fn rates(populations: &[PopulationData], duration_s: f64) -> Rates {
    if !(duration_s > 0.0 && duration_s.is_finite()) {
        return Rates { hz: vec![Vec::new(); populations.len()], ..Rates::default() };
    }
    let bin_s = (duration_s / MAX_BINS).max(1e-3).min(duration_s);
    let sources: Vec<Vec<f64>> = populations.iter().map(|p| bins(p, duration_s, bin_s)).collect();
    let mean_hz: Vec<Option<f64>> =
        populations.iter().zip(&sources).map(|(p, s)| mean(p, s, duration_s)).collect();
    let sigma = |(population, mean): (&PopulationData, &Option<f64>)| {
        let hz = mean.unwrap_or(0.0) * f64::from(population.n);
        let wanted = if hz > 0.0 { 10.0 / hz } else { 0.0 };
        round(wanted.clamp(2e-3, (duration_s / 50.0).max(2e-3)).max(bin_s))
    };
    let sigma_s: Vec<f64> = populations.iter().zip(&mean_hz).map(sigma).collect();
    let hz = sources.iter().zip(&sigma_s).map(|(source, sigma)| smooth(source, sigma / bin_s)).collect();
    Rates { bin_s, sigma_s, hz, mean_hz }
}

fn bins(population: &PopulationData, duration_s: f64, bin_s: f64) -> Vec<f64> {
    match (&population.rate, &population.spikes) {
        (Some(series), _) => rebin(series, duration_s, bin_s),
        (None, Some(spikes)) => stats::binned_rate(&spikes.t_s, population.n as usize, duration_s, bin_s),
        (None, None) => Vec::new(),
    }
}

fn mean(population: &PopulationData, bins: &[f64], duration_s: f64) -> Option<f64> {
    match (&population.rate, &population.spikes) {
        (None, Some(spikes)) => Some(stats::mean_rate(spikes.t_s.len(), population.n as usize, duration_s)),
        (Some(_), _) if !bins.is_empty() => Some(bins.iter().sum::<f64>() / bins.len() as f64),
        (Some(_), _) | (None, None) => None,
    }
}

/// The mean of a recorded rate in each bin; bins without a sample repeat the one before.
fn rebin(series: &SeriesData, duration_s: f64, bin_s: f64) -> Vec<f64> {
    let n_bins = (duration_s / bin_s - 1e-9).ceil().clamp(1.0, 10.0 * MAX_BINS) as usize;
    let mut sums = vec![(0.0, 0u32); n_bins];
    for (t, hz) in series.t_s.iter().zip(&series.rate_hz).filter(|(t, hz)| **t >= 0.0 && hz.is_finite()) {
        if let Some((sum, n)) = sums.get_mut((t / bin_s + 1e-9) as usize) {
            *sum += hz;
            *n += 1;
        }
    }
    let mut last = 0.0;
    sums.into_iter()
        .map(|(sum, n)| {
            if n > 0 {
                last = sum / f64::from(n);
            }
            last
        })
        .collect()
}

/// Three running means, which is nearly a Gaussian window of standard deviation `sigma` (in bins). At the ends
/// the window is cut off and keeps its mean.
fn smooth(values: &[f64], sigma: f64) -> Vec<f64> {
    // A running mean over `2 h + 1` bins has the variance ((2 h + 1)^2 - 1) / 12.
    let half = (((4.0 * sigma * sigma + 1.0).sqrt() - 1.0) / 2.0).round().max(0.0) as usize;
    (0..3).fold(values.to_vec(), |values, _| running_mean(&values, half))
}

fn running_mean(values: &[f64], half: usize) -> Vec<f64> {
    let mut sums = vec![0.0];
    let mut sum = 0.0;
    for value in values {
        sum += value;
        sums.push(sum);
    }
    (0..values.len())
        .map(|k| {
            let (from, to) = (k.saturating_sub(half), (k + half + 1).min(values.len()));
            match (sums.get(from), sums.get(to)) {
                (Some(a), Some(b)) => ((b - a) / (to - from) as f64).max(0.0),
                _ => 0.0,
            }
        })
        .collect()
}

/// Rounds to 1, 2 or 5 times a power of ten, upwards.
fn round(x: f64) -> f64 {
    let mut unit = 1e-6;
    while unit * 10.0 <= x && unit < 1e6 {
        unit *= 10.0;
    }
    [1.0, 2.0, 5.0].into_iter().map(|f| f * unit).find(|y| *y >= x * 0.999).unwrap_or(10.0 * unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::SpikeData;

    #[test]
    fn smoothing_keeps_the_sum_inside_and_has_the_stated_width() {
        let mut pulse = vec![0.0; 201];
        pulse[100] = 1.0;
        let smooth = smooth(&pulse, 5.0);
        assert!((smooth.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let variance: f64 =
            smooth.iter().enumerate().map(|(k, x)| (k as f64 - 100.0) * (k as f64 - 100.0) * x).sum();
        assert!((variance.sqrt() - 5.0).abs() < 0.5, "{variance}");
    }

    #[test]
    fn a_constant_rate_stays_constant_to_the_ends() {
        let t_s: Vec<f64> = (0..1000).map(|k| f64::from(k) * 1e-3).collect();
        let spikes = SpikeData { i: vec![0; 1000], t_s };
        let population = PopulationData { n: 10, spikes: Some(spikes), ..PopulationData::default() };
        let rates = rates(&[population], 1.0);
        assert!(rates.hz[0].iter().all(|hz| (hz - 100.0).abs() < 1e-6));
        assert_eq!(rates.mean_hz, [Some(100.0)]);
    }

    #[test]
    fn no_time_and_no_spikes_make_no_rates() {
        assert!(rates(&[PopulationData::default()], 0.0).hz[0].is_empty());
        let silent = PopulationData { n: 3, spikes: Some(SpikeData::default()), ..PopulationData::default() };
        assert_eq!(rates(&[silent], 1.0).mean_hz, [Some(0.0)]);
    }
}
