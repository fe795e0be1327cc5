//! How many steps a spike travels, for a whole projection or for each synapse.

use rayon::prelude::*;

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
    PerSynapse(Steps),
}

/// Numbers of steps, in as few bytes each as the longest needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Steps {
    /// All are below 2^8.
    U8(Vec<u8>),
    /// All are below 2^16.
    U16(Vec<u16>),
    /// Any.
    U32(Vec<u32>),
}

/// Carries out `$body` with `$list` the numbers of some [`Steps`], of whatever width.
macro_rules! of_any_width {
    ($steps:expr, $list:ident => $body:expr) => {
        match $steps {
            $crate::delay::Steps::U8($list) => $body,
            $crate::delay::Steps::U16($list) => $body,
            $crate::delay::Steps::U32($list) => $body,
        }
    };
}
pub(crate) use of_any_width;

impl Steps {
    /// `n` numbers, none of them above `longest`, where `at(k)` is the `k`-th.
    fn collect(n: usize, longest: u32, at: impl Fn(usize) -> u32 + Sync) -> Self {
        let all = (0..n).into_par_iter().with_min_len(PER_TASK);
        if longest <= u32::from(u8::MAX) {
            Self::U8(all.map(|k| at(k) as u8).collect())
        } else if longest <= u32::from(u16::MAX) {
            Self::U16(all.map(|k| at(k) as u16).collect())
        } else {
            Self::U32(all.map(&at).collect())
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        of_any_width!(self, list => list.len())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `k`-th, if there is one.
    #[must_use]
    pub fn get(&self, k: usize) -> Option<u32> {
        of_any_width!(self, list => list.get(k).map(|&steps| wide(steps)))
    }

    /// Those that occur, ascending.
    #[must_use]
    pub fn distinct(&self) -> Vec<u32> {
        of_any_width!(self, list => distinct(list))
    }

    /// The smallest; 0 if there is none.
    #[must_use]
    pub fn shortest(&self) -> u32 {
        of_any_width!(self, list => list.iter().min().map_or(0, |&steps| wide(steps)))
    }

    /// The largest; 0 if there is none.
    #[must_use]
    pub fn longest(&self) -> u32 {
        of_any_width!(self, list => list.iter().max().map_or(0, |&steps| wide(steps)))
    }
}

fn wide(steps: impl Into<u32>) -> u32 {
    steps.into()
}

/// Numbers below this are looked up in a table.
const TABLE: usize = 1 << 16;

fn distinct<S: Copy + Into<u32> + Sync>(list: &[S]) -> Vec<u32> {
    let of_part = |part: &[S]| {
        let mut seen = vec![false; TABLE];
        let mut rare = Vec::new();
        for steps in part.iter().map(|&steps| steps.into()) {
            match seen.get_mut(steps as usize) {
                Some(seen) => *seen = true,
                None => rare.push(steps),
            }
        }
        let common = (0..).zip(seen).filter_map(|(steps, seen)| seen.then_some(steps));
        rare.sort_unstable();
        rare.dedup();
        common.chain(rare).collect::<Vec<u32>>()
    };
    let mut all: Vec<u32> = list.par_chunks(1 << 22).flat_map_iter(of_part).collect();
    all.sort_unstable();
    all.dedup();
    all
}

impl From<Vec<u32>> for Steps {
    fn from(list: Vec<u32>) -> Self {
        match list.iter().max() {
            Some(&longest) if longest > u32::from(u16::MAX) => Self::U32(list),
            longest => Self::collect(list.len(), longest.copied().unwrap_or(0), |k| list[k]),
        }
    }
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

/// Delays that one task rounds at least.
const PER_TASK: usize = 1 << 14;

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
    let steps = nearest(quotient);
    if steps > f64::from(u32::MAX) {
        return Err(ConnectError::DelayTooLong { seconds, dt });
    }
    Ok((steps as u32, is_exact(quotient, steps)))
}

/// The whole number next to one that is not negative, half a step up.
#[inline]
fn nearest(quotient: f64) -> f64 {
    (quotient + 0.5).floor()
}

#[inline]
fn is_exact(quotient: f64, steps: f64) -> bool {
    (quotient - steps).abs() <= EXACT_WITHIN * quotient.max(1.0)
}

/// What is known of some delays.
struct Range {
    shortest: u32,
    longest: u32,
    /// How many of them are no whole steps.
    n_inexact: usize,
}

impl Range {
    /// Rounds the delays of the synapses from `first` on; there is one at least.
    fn of(seconds: &[f64], dt: f64, first: usize) -> Result<Self, ConnectError> {
        let mut range = Self { shortest: u32::MAX, longest: 0, n_inexact: 0 };
        for (synapse, &delay) in (first..).zip(seconds) {
            let (steps, exact) = round_delay(delay, dt).map_err(|error| match error {
                ConnectError::InvalidDelay { seconds, .. } => {
                    ConnectError::InvalidDelay { seconds, synapse: Some(synapse) }
                }
                other => other,
            })?;
            range.shortest = range.shortest.min(steps);
            range.longest = range.longest.max(steps);
            range.n_inexact += usize::from(!exact);
        }
        Ok(range)
    }

    fn joined(self, other: Self) -> Self {
        Self {
            shortest: self.shortest.min(other.shortest),
            longest: self.longest.max(other.longest),
            n_inexact: self.n_inexact + other.n_inexact,
        }
    }
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
        let ranges: Vec<Range> = seconds
            .par_chunks(PER_TASK)
            .enumerate()
            .map(|(chunk, seconds)| Range::of(seconds, dt, chunk * PER_TASK))
            .collect::<Result<_, _>>()?;
        let Some(range) = ranges.into_iter().reduce(Range::joined) else {
            return Ok(DelaysRounded { delays: Self::None, n_inexact: 0 });
        };
        let Range { shortest, longest, n_inexact } = range;
        let delays = if shortest == longest {
            Self::Scalar(longest).simplify()
        } else {
            Self::PerSynapse(Steps::collect(seconds.len(), longest, |k| nearest(seconds[k] / dt) as u32))
        };
        Ok(DelaysRounded { delays, n_inexact })
    }

    /// The same delays in the smallest form.
    #[must_use]
    pub fn simplify(self) -> Self {
        match self {
            Self::None | Self::Scalar(0) => Self::None,
            Self::Scalar(steps) => Self::Scalar(steps),
            Self::PerSynapse(steps) => match (steps.shortest(), steps.longest()) {
                (shortest, longest) if shortest < longest => Self::PerSynapse(steps),
                (_, steps) => Self::Scalar(steps).simplify(),
            },
        }
    }

    /// The delay of a synapse in steps; 0 for a synapse that does not exist.
    #[must_use]
    pub fn steps(&self, synapse: usize) -> u32 {
        match self {
            Self::None => 0,
            Self::Scalar(steps) => *steps,
            Self::PerSynapse(steps) => steps.get(synapse).unwrap_or(0),
        }
    }

    /// The shortest delay: how far ahead spikes can be known. 0 without synapses.
    #[must_use]
    pub fn min_steps(&self) -> u32 {
        match self {
            Self::None => 0,
            Self::Scalar(steps) => *steps,
            Self::PerSynapse(steps) => steps.shortest(),
        }
    }

    /// The longest delay: how long spikes must be remembered. 0 without synapses.
    #[must_use]
    pub fn max_steps(&self) -> u32 {
        match self {
            Self::None => 0,
            Self::Scalar(steps) => *steps,
            Self::PerSynapse(steps) => steps.longest(),
        }
    }

    /// Bytes that they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::None | Self::Scalar(_) => 0,
            Self::PerSynapse(steps) => of_any_width!(steps, list => size_of_val(&list[..])),
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
        assert_eq!(Delays::from_seconds(&[], 1.0).unwrap().delays, Delays::None);
        let mixed = Delays::from_seconds(&[3.0, 0.0], 1.0).unwrap().delays;
        assert_eq!(mixed, Delays::PerSynapse(vec![3, 0].into()));
        assert_eq!((mixed.min_steps(), mixed.max_steps(), mixed.steps(0), mixed.steps(9)), (0, 3, 3, 0));
        assert!(mixed.validate(3).is_err() && mixed.validate(2).is_ok());
    }

    #[test]
    fn delays_take_as_few_bytes_as_the_longest_needs() {
        for (longest, bytes) in [(255, 1), (256, 2), (65_535, 2), (65_536, 4)] {
            let seconds = vec![1.0, f64::from(longest), 0.0];
            let Delays::PerSynapse(steps) = Delays::from_seconds(&seconds, 1.0).unwrap().delays else {
                panic!("they differ");
            };
            assert_eq!(of_any_width!(&steps, list => size_of_val(&list[..])), 3 * bytes);
            assert_eq!((steps.get(1), steps.get(3)), (Some(longest), None));
            assert_eq!(steps.distinct(), [0, 1, longest]);
            assert_eq!((steps.shortest(), steps.longest(), steps.len()), (0, longest, 3));
            assert_eq!(steps, Steps::from(vec![1, longest, 0]));
        }
    }

    #[test]
    fn the_first_wrong_delay_of_many_is_named() {
        let mut seconds = vec![1.0; 5 * PER_TASK];
        for synapse in [4 * PER_TASK + 3, PER_TASK + 2, 3 * PER_TASK] {
            seconds[synapse] = -1.0;
        }
        let error = Delays::from_seconds(&seconds, 1.0).unwrap_err();
        assert!(
            matches!(error, ConnectError::InvalidDelay { synapse: Some(s), .. } if s == PER_TASK + 2),
            "{error}"
        );
    }
}
