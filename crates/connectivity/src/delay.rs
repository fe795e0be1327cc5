//! How many steps a spike travels, for a whole projection or for each synapse.

use crate::ConnectError;

/// Delays in steps of the clock of the projection's pre population.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Delays {
    /// A spike arrives in the step in which it is emitted.
    #[default]
    None,
    /// All synapses share one delay.
    Scalar(u32),
    /// One delay per synapse, by canonical index.
    PerSynapse(Vec<u32>),
}

/// Delays in steps, with what rounding did to them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DelaysRounded {
    /// The delays in steps.
    pub delays: Delays,
    /// How many of them were not a multiple of the step.
    pub n_inexact: usize,
}

/// How far, relative to its length, a delay may lie from a multiple of the step and still count as
/// one: delays can be f32 variables, whose rounding is 6e-8.
const EXACT_WITHIN: f64 = 1e-6;

/// The delay of `seconds` in steps of `dt` seconds: the nearest whole number, half a step up, as
/// Brian 2 computes it (`int(delay/dt + 0.5)`); and whether it was one already.
///
/// # Errors
/// [`ConnectError::InvalidTimeStep`], [`ConnectError::InvalidDelay`] for a negative or non-finite
/// delay, [`ConnectError::DelayTooLong`] from 2^32 steps on.
pub fn round_delay(seconds: f64, dt: f64) -> Result<(u32, bool), ConnectError> {
    if !(dt > 0.0 && dt.is_finite()) {
        return Err(ConnectError::InvalidTimeStep { dt });
    }
    if !seconds.is_finite() || seconds < 0.0 {
        return Err(ConnectError::InvalidDelay { seconds, synapse: None });
    }
    let quotient = seconds / dt;
    let steps = (quotient + 0.5).floor();
    if steps > f64::from(u32::MAX) {
        return Err(ConnectError::DelayTooLong { seconds, dt });
    }
    let exact = (quotient - steps).abs() <= EXACT_WITHIN * quotient.max(1.0);
    Ok((steps as u32, exact))
}

impl Delays {
    /// One delay in seconds for all synapses.
    ///
    /// # Errors
    /// As [`round_delay`].
    pub fn from_scalar_seconds(seconds: f64, dt: f64) -> Result<DelaysRounded, ConnectError> {
        let (steps, exact) = round_delay(seconds, dt)?;
        let delays = if steps == 0 { Self::None } else { Self::Scalar(steps) };
        Ok(DelaysRounded { delays, n_inexact: usize::from(!exact) })
    }

    /// One delay in seconds per synapse, by canonical index. If all round to the same number of steps,
    /// one is kept for all.
    ///
    /// # Errors
    /// As [`round_delay`], naming the synapse.
    pub fn from_seconds(seconds: &[f64], dt: f64) -> Result<DelaysRounded, ConnectError> {
        let mut steps = Vec::with_capacity(seconds.len());
        let mut n_inexact = 0;
        for (synapse, &delay) in seconds.iter().enumerate() {
            let (rounded, exact) = round_delay(delay, dt).map_err(|error| match error {
                ConnectError::InvalidDelay { seconds, .. } => {
                    ConnectError::InvalidDelay { seconds, synapse: Some(synapse) }
                }
                other => other,
            })?;
            steps.push(rounded);
            n_inexact += usize::from(!exact);
        }
        Ok(DelaysRounded { delays: Self::PerSynapse(steps).simplify(), n_inexact })
    }

    /// The same delays in the smallest form.
    #[must_use]
    pub fn simplify(self) -> Self {
        match self {
            Self::None | Self::Scalar(0) => Self::None,
            Self::Scalar(steps) => Self::Scalar(steps),
            Self::PerSynapse(steps) => match steps.first() {
                None => Self::None,
                Some(&first) if steps.iter().all(|&s| s == first) => Self::Scalar(first).simplify(),
                Some(_) => Self::PerSynapse(steps),
            },
        }
    }

    /// The delay of a synapse in steps; 0 for a synapse that does not exist.
    #[must_use]
    pub fn steps(&self, synapse: usize) -> u32 {
        match self {
            Self::None => 0,
            Self::Scalar(steps) => *steps,
            Self::PerSynapse(steps) => steps.get(synapse).copied().unwrap_or(0),
        }
    }

    /// The shortest delay: how far ahead spikes can be known. 0 without synapses.
    #[must_use]
    pub fn min_steps(&self) -> u32 {
        match self {
            Self::None => 0,
            Self::Scalar(steps) => *steps,
            Self::PerSynapse(steps) => steps.iter().copied().min().unwrap_or(0),
        }
    }

    /// The longest delay: how long spikes must be remembered. 0 without synapses.
    #[must_use]
    pub fn max_steps(&self) -> u32 {
        match self {
            Self::None => 0,
            Self::Scalar(steps) => *steps,
            Self::PerSynapse(steps) => steps.iter().copied().max().unwrap_or(0),
        }
    }

    /// Checks that there is a delay for each of `n_syn` synapses.
    ///
    /// # Errors
    /// [`ConnectError::DelayCount`].
    pub fn validate(&self, n_syn: usize) -> Result<(), ConnectError> {
        match self {
            Self::PerSynapse(steps) if steps.len() != n_syn => {
                Err(ConnectError::DelayCount { n_delays: steps.len(), n_syn })
            }
            Self::None | Self::Scalar(_) | Self::PerSynapse(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_round_to_the_nearest_step_as_brian_does() {
        let dt = 1e-4;
        assert_eq!(round_delay(1.5e-3, dt).unwrap(), (15, true));
        assert_eq!(round_delay(0.0, dt).unwrap(), (0, true));
        assert_eq!(round_delay(-0.0, dt).unwrap(), (0, true));
        assert_eq!(round_delay(0.25 * 1.25, 0.25).unwrap(), (1, false));
        assert_eq!(round_delay(0.25 * 1.5, 0.25).unwrap(), (2, false));
        assert_eq!(round_delay(0.04e-3, dt).unwrap(), (0, false));
        assert_eq!(round_delay(f64::from(1.5e-3_f32), dt).unwrap(), (15, true));
    }

    #[test]
    fn what_is_no_delay_is_refused() {
        for seconds in [-1e-3, f64::NAN, f64::INFINITY] {
            assert!(matches!(round_delay(seconds, 1e-4), Err(ConnectError::InvalidDelay { .. })));
        }
        assert!(matches!(round_delay(1e9, 1e-4), Err(ConnectError::DelayTooLong { .. })));
        for dt in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(round_delay(1.0, dt), Err(ConnectError::InvalidTimeStep { .. })));
        }
        let error = Delays::from_seconds(&[0.0, -1.0], 1.0).unwrap_err();
        assert!(matches!(error, ConnectError::InvalidDelay { synapse: Some(1), .. }));
    }

    #[test]
    fn equal_delays_become_one() {
        let rounded = Delays::from_seconds(&[0.9, 1.0, 1.1], 1.0).unwrap();
        assert_eq!((rounded.delays, rounded.n_inexact), (Delays::Scalar(1), 2));
        assert_eq!(Delays::from_seconds(&[0.0, 0.0], 1.0).unwrap().delays, Delays::None);
        let mixed = Delays::from_seconds(&[3.0, 0.0], 1.0).unwrap().delays;
        assert_eq!(mixed, Delays::PerSynapse(vec![3, 0]));
        assert_eq!((mixed.min_steps(), mixed.max_steps(), mixed.steps(0), mixed.steps(9)), (0, 3, 3, 0));
        assert!(mixed.validate(3).is_err() && mixed.validate(2).is_ok());
    }
}
