//! As many words per element as it needs: for distributions that draw by rejection.

use crate::DOMAIN_ELEMENT;
use crate::chacha::{Key, one_block};
use crate::distribution::Bits;

/// Blocks that one element owns, as a power of two.
const BLOCKS_LOG2: u32 = 20;

/// The words of one element at one site and step, one after the other.
///
/// Block `k` of the element has counter `index * 2^20 + k`; see the definition at the top of the
/// crate. Creating a stream costs nothing until the first word is taken.
#[derive(Clone, Debug)]
pub struct ElementStream {
    key: Key,
    counter: u64,
    nonce: u64,
    block: [u32; 16],
    used: usize,
}

impl ElementStream {
    /// The stream of element `index` (below 2^44) at `site` in `step`.
    #[must_use]
    pub fn new(seed: u64, site: u32, index: u64, step: i64) -> Self {
        Self {
            key: Key::new(seed, site, 0, DOMAIN_ELEMENT),
            counter: index << BLOCKS_LOG2,
            nonce: step as u64,
            block: [0; 16],
            used: 16,
        }
    }

    /// The next word.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 16 {
            self.block = one_block(&self.key, self.counter, self.nonce);
            self.counter = self.counter.wrapping_add(1);
            self.used = 0;
        }
        let word = self.block[self.used];
        self.used += 1;
        word
    }

    /// The next number in [0, 1), from two words, the upper half first.
    #[inline]
    pub fn next_f64(&mut self) -> f64 {
        let high = self.next_u32();
        crate::unit_f64(high, self.next_u32())
    }
}

impl Bits for ElementStream {
    fn next_u32(&mut self) -> u32 {
        Self::next_u32(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_the_stated_counters() {
        let mut stream = ElementStream::new(5, 6, 3, -7);
        let key = Key::new(5, 6, 0, DOMAIN_ELEMENT);
        for k in 0..3_u64 {
            let block = one_block(&key, (3 << 20) + k, -7_i64 as u64);
            for word in block {
                assert_eq!(stream.next_u32(), word);
            }
        }
    }

    #[test]
    fn neighbours_steps_and_sites_differ() {
        let first = |index, site, step| ElementStream::new(1, site, index, step).next_u32();
        let all =
            [first(0, 0, 0), first(1, 0, 0), first(0, 1, 0), first(0, 0, 1), crate::word(1, 0, 0, 0, 0)];
        for (k, a) in all.iter().enumerate() {
            assert!(all[k + 1..].iter().all(|b| a != b));
        }
    }
}
