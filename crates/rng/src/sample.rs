//! The words of one sample: the first ones shared with the neighbours' blocks, further ones the element's own.

use crate::{Bits, ElementStream, word};

/// Words of a sample that are [`word`]s of the element; a try of a rejection takes as many.
pub const FIRST_WORDS: usize = 4;

/// The words that the sample of an element takes, one after the other: its [`word`]s of the draws 0 to 3, then those of
/// its [`ElementStream`].
///
/// The first ones can be looked up for many elements at once, by [`fill`](crate::fill), and most samples need no other.
///
/// ```
/// use neuropil_rng::{Bits, SampleBits, poisson, word};
/// let mut bits = SampleBits::new(1, 2, 3, 4);
/// assert_eq!(bits.next_u32(), word(1, 2, 0, 3, 4));
/// let known = [0, 1, 2, 3].map(|draw| word(1, 2, draw, 3, 4));
/// assert_eq!(poisson(80.0, &mut SampleBits::new(1, 2, 3, 4)), poisson(80.0, &mut SampleBits::of(1, 2, 3, 4, known)));
/// ```
#[derive(Clone, Debug)]
pub struct SampleBits {
    address: Address,
    /// The first words, if they are known already.
    known: Option<[u32; FIRST_WORDS]>,
    taken: usize,
    /// Where the others come from, once it is asked.
    stream: Option<ElementStream>,
}

#[derive(Clone, Copy, Debug)]
struct Address {
    seed: u64,
    site: u32,
    index: u64,
    step: i64,
}

impl SampleBits {
    /// The words of element `index` (below 2^44) at `site` in `step`.
    #[inline]
    #[must_use]
    pub fn new(seed: u64, site: u32, index: u64, step: i64) -> Self {
        Self { address: Address { seed, site, index, step }, known: None, taken: 0, stream: None }
    }

    /// The same, where the first words have been looked up.
    #[inline]
    #[must_use]
    pub fn of(seed: u64, site: u32, index: u64, step: i64, first: [u32; FIRST_WORDS]) -> Self {
        Self { address: Address { seed, site, index, step }, known: Some(first), taken: 0, stream: None }
    }

    #[cold]
    fn later(&mut self) -> u32 {
        let Address { seed, site, index, step } = self.address;
        self.stream.get_or_insert_with(|| ElementStream::new(seed, site, index, step)).next_u32()
    }
}

impl Bits for SampleBits {
    #[inline]
    fn next_u32(&mut self) -> u32 {
        let Address { seed, site, index, step } = self.address;
        let draw = self.taken;
        if draw >= FIRST_WORDS {
            return self.later();
        }
        self.taken += 1;
        match &self.known {
            Some(words) => words[draw],
            None => word(seed, site, draw as u32, index, step),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_that_were_looked_up_are_the_same(seed: u64, site: u32, index in 0_u64..1 << 44, step: i64) {
            let known = [0, 1, 2, 3].map(|draw| word(seed, site, draw, index, step));
            let mut stream = ElementStream::new(seed, site, index, step);
            let expected: Vec<u32> = known.into_iter().chain((0..20).map(|_| stream.next_u32())).collect();
            let take = |mut bits: SampleBits| (0..24).map(|_| bits.next_u32()).collect::<Vec<u32>>();
            prop_assert_eq!(take(SampleBits::new(seed, site, index, step)), expected.clone());
            prop_assert_eq!(take(SampleBits::of(seed, site, index, step, known)), expected);
        }
    }
}
