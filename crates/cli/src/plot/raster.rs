//! Which neurons and spikes a raster shows, and where.

use super::PopulationData;

/// Rows that a raster shows at most, all populations together.
pub(super) const MAX_ROWS: usize = 2000;
/// Dots that a raster shows at most.
pub(super) const MAX_DOTS: usize = 200_000;

/// Neurons of a population that are shown in any case.
const KEPT: u32 = 50;

/// The least height of a population, in points: a single neuron beside thousands is still seen.
const MIN_BAND: f64 = 15.0;

/// The stripe of one population.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Band {
    /// Position of the population among all.
    pub(super) population: usize,
    /// Upper edge.
    pub(super) top: f64,
    /// Lower edge.
    pub(super) bottom: f64,
    /// Every `every`-th neuron is shown.
    pub(super) every: u32,
    first: u32,
    n: u32,
}

impl Band {
    /// Height of one neuron; with `every` above 1, of one shown neuron.
    pub(super) fn row(&self) -> f64 {
        (self.bottom - self.top) / (f64::from(self.n) / f64::from(self.every)).max(1.0)
    }

    /// Where neuron `i` is, counted as the population does. The first neuron is at the bottom.
    pub(super) fn y(&self, i: f64) -> f64 {
        let from_below = (i - f64::from(self.first) + 0.5) / f64::from(self.n.max(1));
        self.bottom - from_below * (self.bottom - self.top)
    }

    /// Whether a neuron is recorded and shown.
    fn shows(&self, i: u32) -> bool {
        i.checked_sub(self.first).is_some_and(|k| k < self.n && k % self.every == 0)
    }
}

/// Stripes between `top` and `bottom`, the first population below, and how many spikes stand for one dot in
/// time (1 unless single neurons spike too often).
pub(super) fn arrange(populations: &[PopulationData], top: f64, bottom: f64) -> (Vec<Band>, usize) {
    let shown: Vec<usize> = populations
        .iter()
        .enumerate()
        .filter(|(_, population)| population.spikes.is_some() && population.n > 0)
        .map(|(k, _)| k)
        .collect();
    let sizes: Vec<u32> = shown.iter().filter_map(|k| populations.get(*k)).map(|p| p.n).collect();
    let heights = heights(&sizes, bottom - top);
    let mut edge = bottom;
    let mut bands = Vec::new();
    for ((population, n), height) in shown.into_iter().zip(sizes).zip(heights) {
        let first = populations.get(population).map_or(0, |p| p.first);
        bands.push(Band { population, top: edge - height, bottom: edge, every: 1, first, n });
        edge -= height;
    }
    let mut every = 1;
    loop {
        bands.iter_mut().for_each(|band| band.every = every.min(band.n / KEPT).max(1));
        let rows: usize = bands.iter().map(|band| band.n.div_ceil(band.every) as usize).sum();
        let dots = count(&bands, populations);
        if rows <= MAX_ROWS && dots <= MAX_DOTS {
            return (bands, 1);
        }
        if bands.iter().all(|band| band.every < every) {
            return (bands, dots.div_ceil(MAX_DOTS).max(1));
        }
        // The same for all, so that equal rates look equal; in steps that end soon for any size.
        let excess = u32::try_from(rows / MAX_ROWS).unwrap_or(u32::MAX);
        every = every.max(excess.saturating_mul(every) / 2).saturating_add(1 + every / 8);
    }
}

/// Times and positions of a band's dots, of every `stride`-th spike.
pub(super) fn dots<'a>(
    band: &'a Band,
    populations: &'a [PopulationData],
    stride: usize,
) -> impl Iterator<Item = (f64, f64)> + 'a {
    let spikes = populations.get(band.population).and_then(|p| p.spikes.as_ref());
    spikes
        .into_iter()
        .flat_map(|spikes| spikes.t_s.iter().zip(&spikes.i))
        .filter(|(_, i)| band.shows(**i))
        .step_by(stride.max(1))
        .map(|(t, i)| (*t, band.y(f64::from(*i))))
}

fn count(bands: &[Band], populations: &[PopulationData]) -> usize {
    bands.iter().map(|band| dots(band, populations, 1).count()).sum()
}

/// Heights in proportion to the sizes, but none below [`MIN_BAND`] while there is room.
fn heights(sizes: &[u32], height: f64) -> Vec<f64> {
    let least = MIN_BAND.min(height / sizes.len().max(1) as f64);
    let mut small = vec![false; sizes.len()];
    loop {
        let n_small = small.iter().filter(|s| **s).count();
        let rest = height - least * n_small as f64;
        let total: f64 = sizes.iter().zip(&small).filter(|(_, s)| !**s).map(|(n, _)| f64::from(*n)).sum();
        let heights: Vec<f64> = sizes
            .iter()
            .zip(&small)
            .map(|(n, s)| if *s || total == 0.0 { least } else { f64::from(*n) / total * rest })
            .collect();
        let mut settled = true;
        for (s, h) in small.iter_mut().zip(&heights) {
            if !*s && *h < least {
                *s = true;
                settled = false;
            }
        }
        if settled {
            return heights;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::SpikeData;

    fn population(n: u32, spikes: usize) -> PopulationData {
        let t_s = (0..spikes).map(|k| k as f64 * 1e-3).collect();
        let i = (0..spikes).map(|k| k as u32 % n.max(1)).collect();
        PopulationData { n, spikes: Some(SpikeData { t_s, i }), ..PopulationData::default() }
    }

    #[test]
    fn bands_fill_the_panel_and_small_populations_are_seen() {
        let populations = [population(1, 3), population(100_000, 10), population(0, 0), population(500, 9)];
        let (bands, stride) = arrange(&populations, 10.0, 310.0);
        assert_eq!((bands.len(), stride), (3, 1));
        assert_eq!((bands[0].bottom, bands[0].top), (310.0, 295.0));
        assert!((bands[2].top - 10.0).abs() < 1e-9);
        assert!(bands.windows(2).all(|pair| pair[0].top == pair[1].bottom));
        let rows: u32 = bands.iter().map(|band| band.n.div_ceil(band.every)).sum();
        assert!(rows as usize <= MAX_ROWS, "{rows}");
        assert_eq!((bands[0].every, bands[2].every), (1, 10));
    }

    #[test]
    fn spikes_are_thinned_by_neurons_first_and_then_in_time() {
        let many = [population(1000, 500_000)];
        let (bands, stride) = arrange(&many, 0.0, 300.0);
        assert!(bands[0].every > 2 && stride == 1);
        assert!(dots(&bands[0], &many, 1).count() <= MAX_DOTS);
        let one = [population(1, 500_000)];
        let (bands, stride) = arrange(&one, 0.0, 300.0);
        assert_eq!((bands[0].every, stride), (1, 3));
        assert!(dots(&bands[0], &one, stride).count() <= MAX_DOTS);
    }

    #[test]
    fn neurons_outside_the_recorded_slice_are_not_drawn() {
        let slice = PopulationData { first: 10, ..population(20, 40) };
        let populations = [slice];
        let (bands, _) = arrange(&populations, 0.0, 100.0);
        assert!(dots(&bands[0], &populations, 1).all(|(_, y)| (0.0..=100.0).contains(&y)));
        assert_eq!(dots(&bands[0], &populations, 1).count(), 20);
    }
}
