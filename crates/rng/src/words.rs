//! One word per element: looked up alone, by lists, cached, or for a whole range of elements.

use crate::DOMAIN_WORD;
use crate::chacha::{Key, fill_lanes_of, one_block};

/// Blocks that neighbouring elements share: eight lanes of 32 bits fill one 256-bit register, and two
/// 128-bit ones where that is what the machine has.
const LANES: usize = 8;
/// The elements that share these blocks.
const TILE: usize = 16 * LANES;

/// The counter of the block in which the word of element `index` stands, and its place there.
#[inline(always)]
fn address(index: u64) -> (u64, usize) {
    let (tile, within) = (index / TILE as u64, index % TILE as u64);
    (tile * LANES as u64 + within % LANES as u64, (within / LANES as u64) as usize)
}

/// The word that element `index` takes as its `draw`-th at `site` in `step`.
///
/// Of each 128 elements, every eighth has its word in the same block, so that neighbours lie in neighbouring lanes
/// when eight blocks (or twice eight) are computed together.
///
/// ```
/// let alone = neuropil_rng::word(42, 7, 0, 1_000, 3);
/// let mut range = [0; 8];
/// neuropil_rng::fill(42, 7, 0, 3, 996, &mut range);
/// assert_eq!(range[4], alone);
/// ```
#[must_use]
pub fn word(seed: u64, site: u32, draw: u32, index: u64, step: i64) -> u32 {
    word_of(&Key::new(seed, site, draw, DOMAIN_WORD), index, step)
}

#[inline]
fn word_of(key: &Key, index: u64, step: i64) -> u32 {
    let (counter, place) = address(index);
    one_block(key, counter, step as u64)[place]
}

/// The words of elements `first_index`, `first_index + 1`, ... for as long as `out`.
pub fn fill(seed: u64, site: u32, draw: u32, step: i64, first_index: u64, out: &mut [u32]) {
    fill_lanes::<LANES>(&Key::new(seed, site, draw, DOMAIN_WORD), step, first_index, out);
}

/// [`fill`] with `L` blocks at a time, a multiple of eight, always inlined: a caller with wider vectors than the
/// portable build instantiates it inside a function that has those target features.
///
/// It is quickest for ranges that begin and end at multiples of 128: of others, the rest is computed and dropped.
#[inline(always)]
pub fn fill_lanes<const L: usize>(key: &Key, step: i64, first_index: u64, out: &mut [u32]) {
    let mut tile = first_index / TILE as u64;
    let mut rest = out;
    let within = (first_index % TILE as u64) as usize;
    if within != 0 {
        let n = rest.len().min(TILE - within);
        let (head, tail) = rest.split_at_mut(n);
        head.copy_from_slice(&one_tile(key, step, tile)[within..within + n]);
        tile = tile.wrapping_add(1);
        rest = tail;
    }
    let mut groups = rest.chunks_exact_mut(16 * L);
    let mut words = [[0; L]; 16];
    for group in &mut groups {
        let counter = tile.wrapping_mul(LANES as u64);
        fill_lanes_of(key, |lane| counter.wrapping_add(lane as u64), step as u64, &mut words);
        for (t, to) in group.chunks_exact_mut(TILE).enumerate() {
            for (row, of_row) in to.chunks_exact_mut(LANES).zip(&words) {
                row.copy_from_slice(&of_row[t * LANES..(t + 1) * LANES]);
            }
        }
        tile = tile.wrapping_add((L / LANES) as u64);
    }
    for to in groups.into_remainder().chunks_mut(TILE) {
        to.copy_from_slice(&one_tile(key, step, tile)[..to.len()]);
        tile = tile.wrapping_add(1);
    }
}

/// The words of 128 elements.
#[inline(always)]
fn one_tile(key: &Key, step: i64, tile: u64) -> [u32; TILE] {
    let mut words = [[0; LANES]; 16];
    let counter = tile.wrapping_mul(LANES as u64);
    fill_lanes_of(key, |lane| counter.wrapping_add(lane as u64), step as u64, &mut words);
    let mut out = [0; TILE];
    for (row, of_row) in out.chunks_exact_mut(LANES).zip(&words) {
        row.copy_from_slice(of_row);
    }
    out
}

/// The words of the elements `indices`, one by one, with `L` blocks at a time; inlined as [`fill_lanes`] is.
#[inline(always)]
pub fn pick_lanes<const L: usize>(key: &Key, step: i64, indices: &[u64], out: &mut [u32]) {
    let mut words = [[0; L]; 16];
    for (indices, out) in indices.chunks(L).zip(out.chunks_mut(L)) {
        let mut counters = [0; L];
        for (counter, &index) in counters.iter_mut().zip(indices) {
            *counter = address(index).0;
        }
        fill_lanes_of(key, |lane| counters[lane], step as u64, &mut words);
        for (lane, (word, &index)) in out.iter_mut().zip(indices).enumerate() {
            *word = words[address(index).1][lane];
        }
    }
}

/// Hands out the words of one draw at one site and step; quick for ascending indices, because it
/// keeps the words of 128 neighbours once two of them were asked for.
#[derive(Clone, Debug)]
pub struct Words {
    key: Key,
    step: i64,
    asked: Option<u64>,
    cached: Option<u64>,
    words: [u32; TILE],
}

impl Words {
    /// The words of `draw` at `site` in `step`.
    #[must_use]
    pub fn new(seed: u64, site: u32, draw: u32, step: i64) -> Self {
        let key = Key::new(seed, site, draw, DOMAIN_WORD);
        Self { key, step, asked: None, cached: None, words: [0; TILE] }
    }

    /// The word of element `index`.
    #[inline]
    pub fn word(&mut self, index: u64) -> u32 {
        let tile = index / TILE as u64;
        if self.cached != Some(tile) {
            if self.asked != Some(tile) {
                self.asked = Some(tile);
                return word_of(&self.key, index, self.step);
            }
            self.words = one_tile(&self.key, self.step, tile);
            self.cached = Some(tile);
        }
        self.words[(index % TILE as u64) as usize]
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
        for word in [site, draw, 0x6e65_7572, 0x6f70_696c, 0x776f_7264, 2] {
            key.extend_from_slice(&word.to_le_bytes());
        }
        let mut rng = ChaCha8Rng::from_seed(key.try_into().unwrap());
        rng.set_stream(step as u64);
        let block = index / 128 * 8 + index % 8;
        rng.set_word_pos(u128::from(block) * 16 + u128::from(index % 128 / 8));
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
            let mut wide = vec![0; n];
            let key = Key::new(seed, site, draw, DOMAIN_WORD);
            fill_lanes::<16>(&key, step, first, &mut wide);
            prop_assert_eq!(&out, &wide);
            let indices: Vec<u64> = (0..n as u64).map(|k| first + k * 37 % n as u64).collect();
            let mut picked = vec![0; n];
            pick_lanes::<16>(&key, step, &indices, &mut picked);
            for (index, word) in indices.into_iter().zip(picked) {
                prop_assert_eq!(word, out[(index - first) as usize]);
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
        assert_eq!(pinned, [4_157_381_499, 982_989_180, 3_393_892_622]);
    }
}
