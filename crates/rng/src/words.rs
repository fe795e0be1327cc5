//! One word per element: looked up alone, by the block, cached, or for a whole range of elements.

use crate::DOMAIN_WORD;
use crate::chacha::{Key, one_block, write_blocks};

/// Blocks that [`fill`] computes together: eight lanes of 32 bits fill one 256-bit register, and two
/// 128-bit ones where that is what the machine has.
const LANES: usize = 8;

/// The word that element `index` takes as its `draw`-th at `site` in `step`.
///
/// ```
/// let alone = neuropil_rng::word(42, 7, 0, 1_000, 3);
/// let mut range = [0; 8];
/// neuropil_rng::fill(42, 7, 0, 3, 996, &mut range);
/// assert_eq!(range[4], alone);
/// ```
#[must_use]
pub fn word(seed: u64, site: u32, draw: u32, index: u64, step: i64) -> u32 {
    block(seed, site, draw, index / 16, step)[(index % 16) as usize]
}

/// The words of elements `16 * block_index .. 16 * block_index + 16`.
#[must_use]
pub fn block(seed: u64, site: u32, draw: u32, block_index: u64, step: i64) -> [u32; 16] {
    one_block(&Key::new(seed, site, draw, DOMAIN_WORD), block_index, step as u64)
}

/// The words of elements `first_index`, `first_index + 1`, ... for as long as `out`.
pub fn fill(seed: u64, site: u32, draw: u32, step: i64, first_index: u64, out: &mut [u32]) {
    fill_lanes::<LANES>(&Key::new(seed, site, draw, DOMAIN_WORD), step, first_index, out);
}

/// [`fill`] with `L` blocks at a time, always inlined: a caller with wider vectors than the portable
/// build instantiates it inside a function that has those target features.
#[inline(always)]
pub fn fill_lanes<const L: usize>(key: &Key, step: i64, first_index: u64, out: &mut [u32]) {
    let nonce = step as u64;
    let mut counter = first_index / 16;
    let mut rest = out;
    let within = (first_index % 16) as usize;
    if within != 0 {
        let n = rest.len().min(16 - within);
        let (head, tail) = rest.split_at_mut(n);
        head.copy_from_slice(&one_block(key, counter, nonce)[within..within + n]);
        counter = counter.wrapping_add(1);
        rest = tail;
    }
    let mut groups = rest.chunks_exact_mut(16 * L);
    for group in &mut groups {
        write_blocks::<L>(key, counter, nonce, group);
        counter = counter.wrapping_add(L as u64);
    }
    for slot in groups.into_remainder().chunks_mut(16) {
        slot.copy_from_slice(&one_block(key, counter, nonce)[..slot.len()]);
        counter = counter.wrapping_add(1);
    }
}

/// Hands out the words of one draw at one site and step; quick for ascending indices, because it
/// keeps the last block.
#[derive(Clone, Debug)]
pub struct Words {
    key: Key,
    step: i64,
    cached: Option<u64>,
    block: [u32; 16],
}

impl Words {
    /// The words of `draw` at `site` in `step`.
    #[must_use]
    pub fn new(seed: u64, site: u32, draw: u32, step: i64) -> Self {
        Self { key: Key::new(seed, site, draw, DOMAIN_WORD), step, cached: None, block: [0; 16] }
    }

    /// The word of element `index`.
    #[inline]
    pub fn word(&mut self, index: u64) -> u32 {
        let wanted = index / 16;
        if self.cached != Some(wanted) {
            self.block = one_block(&self.key, wanted, self.step as u64);
            self.cached = Some(wanted);
        }
        self.block[(index % 16) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    /// The definition at the top of the crate, written with somebody else's generator.
    fn oracle(seed: u64, site: u32, draw: u32, index: u64, step: i64) -> u32 {
        let mut key = Vec::new();
        key.extend_from_slice(&seed.to_le_bytes());
        for word in [site, draw, 0x6e65_7572, 0x6f70_696c, 0x776f_7264, 1] {
            key.extend_from_slice(&word.to_le_bytes());
        }
        let mut rng = ChaCha8Rng::from_seed(key.try_into().unwrap());
        rng.set_stream(step as u64);
        // The word position of block `index / 16` plus `index % 16` is the index itself.
        rng.set_word_pos(u128::from(index));
        rng.next_u32()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_word_is_what_the_definition_says(seed: u64, site: u32, draw in 0_u32..4, index: u64, step: i64) {
            prop_assert_eq!(word(seed, site, draw, index, step), oracle(seed, site, draw, index, step));
        }

        #[test]
        fn filling_equals_looking_up(
            seed: u64, site: u32, draw in 0_u32..4, first in 0_u64..1 << 40, step: i64, n in 0_usize..400,
        ) {
            let mut out = vec![0; n];
            fill(seed, site, draw, step, first, &mut out);
            let mut words = Words::new(seed, site, draw, step);
            for (k, &got) in out.iter().enumerate() {
                prop_assert_eq!(got, words.word(first + k as u64));
            }
            if let Some(last) = out.last() {
                prop_assert_eq!(*last, word(seed, site, draw, first + n as u64 - 1, step));
            }
        }
    }

    #[test]
    fn the_definition_does_not_change() {
        assert_eq!(word(1, 2, 0, 3, 4), oracle(1, 2, 0, 3, 4));
        let pinned = [word(0, 0, 0, 0, 0), word(42, 1, 0, 100, 7), word(42, 1, 1, 100, -1)];
        assert_eq!(pinned, [1_012_619_713, 937_025_241, 2_415_616_885]);
    }
}
