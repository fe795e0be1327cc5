//! The fingerprint of a spike stream: equal streams, equal digests, however they were cut into pieces.
//!
//! # Definition
//! A state `h`, 64 bits, starts as `0x6e657572_6f70696c` ("neuropil"). Every event appends two words: its step
//! (as 64-bit two's complement), then `population << 32 | neuron`. To append a word `w`:
//!
//! ```text
//! h = (h xor w) * 0x9e3779b97f4a7c15   (modulo 2^64)
//! h = h xor (h >> 32)
//! ```
//!
//! The digest is the state after one more word, the number of events. This is FNV-1a on words instead of bytes,
//! with a shift that lets high bits reach low ones; each append is a bijection of `h`, so two streams of
//! one length that differ in a single word never collide. It is no protection against forgery.

use std::fmt;

use serde::{Deserialize, Serialize};

const START: u64 = 0x6e65_7572_6f70_696c;
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// A running digest of (step, population, neuron) events. It is a plain value: a copy goes on where it was copied.
///
/// ```
/// use neuropil_record::SpikeDigest;
///
/// let mut whole = SpikeDigest::new();
/// whole.update(17, 0, &[2, 3]);
/// let mut parts = SpikeDigest::new();
/// parts.update(17, 0, &[2]);
/// parts.update(17, 0, &[3]);
/// assert_eq!(whole.hex(), parts.hex());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SpikeDigest {
    state: u64,
    n_events: u64,
}

impl SpikeDigest {
    /// The digest of no events.
    #[must_use]
    pub fn new() -> Self {
        Self { state: START, n_events: 0 }
    }

    /// The digest that had these [`words`](Self::words).
    #[must_use]
    pub fn from_words([state, n_events]: [u64; 2]) -> Self {
        Self { state, n_events }
    }

    /// All that it holds; [`from_words`](Self::from_words) goes on from there.
    #[must_use]
    pub fn words(&self) -> [u64; 2] {
        [self.state, self.n_events]
    }

    /// Appends the events of `neurons` of one population in one step, in this order.
    pub fn update(&mut self, step: i64, population: u32, neurons: &[u32]) {
        let high = u64::from(population) << 32;
        for neuron in neurons {
            self.state = append(append(self.state, step as u64), high | u64::from(*neuron));
        }
        self.n_events += neurons.len() as u64;
    }

    /// Number of events so far.
    #[must_use]
    pub fn n_events(&self) -> u64 {
        self.n_events
    }

    /// The digest of all events so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        append(self.state, self.n_events)
    }

    /// [`value`](Self::value) as 16 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        format!("{:016x}", self.value())
    }
}

impl Default for SpikeDigest {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for SpikeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

fn append(state: u64, word: u64) -> u64 {
    let h = (state ^ word).wrapping_mul(FACTOR);
    h ^ (h >> 32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digest(events: &[(i64, u32, u32)]) -> String {
        let mut digest = SpikeDigest::new();
        for (step, population, neuron) in events {
            digest.update(*step, *population, &[*neuron]);
        }
        digest.hex()
    }

    #[test]
    fn the_definition_does_not_change() {
        assert_eq!(digest(&[]), GOLDEN_EMPTY);
        assert_eq!(digest(&[(0, 0, 0), (1, 2, 3), (-1, 0, u32::MAX)]), GOLDEN_THREE);
    }

    // Computed from the definition above by an independent program.
    const GOLDEN_EMPTY: &str = "e3d746344757b3e8";
    const GOLDEN_THREE: &str = "1af90cbc7ccdf988";

    proptest! {
        #[test]
        fn order_matters_and_chunks_do_not(
            step in 0i64..1000,
            neurons in prop::collection::vec(any::<u32>(), 2..40),
            cut in 0usize..40,
        ) {
            let cut = cut.min(neurons.len());
            let (mut whole, mut parts) = (SpikeDigest::new(), SpikeDigest::new());
            whole.update(step, 1, &neurons);
            parts.update(step, 1, &neurons[..cut]);
            parts.update(step + 1, 1, &[]);
            parts.update(step, 1, &neurons[cut..]);
            prop_assert_eq!(whole, parts);
            prop_assert_eq!(SpikeDigest::from_words(whole.words()), whole);
            let mut swapped = neurons.clone();
            swapped.swap(0, 1);
            let mut other = SpikeDigest::new();
            other.update(step, 1, &swapped);
            prop_assert_eq!(other == whole, swapped == neurons);
        }
    }
}
