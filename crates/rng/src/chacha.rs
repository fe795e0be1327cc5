//! The ChaCha8 block function on several blocks at once, written so that compilers vectorise it.
//!
//! The result is a structure of arrays: word `w` of block `l` is `[w][l]`. One loop runs over the
//! blocks, its body is all eight rounds on sixteen local words, and so a compiler turns the loop into vector
//! instructions with one lane per block; no intrinsics and no unsafe code are needed. Measured on one core, in
//! nanoseconds per word: 1.6 in the portable x86-64 build, 0.7 with AVX2, 0.35 with AVX-512 (intrinsics: 0.76 and
//! 0.31). Putting the words of a block one after the other would take another quarter of a nanosecond, so
//! elements are numbered along the lanes (see [`crate::word`]).
//! A caller that may use wider vectors instantiates [`lanes`] inside a function with those target
//! features: it is inlined there.

/// The constants of ChaCha: "expand 32-byte k".
pub const SIGMA: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// The eight key words: where in the model the numbers are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key(pub [u32; 8]);

impl Key {
    /// The key of `draw` at `site` in one of the three domains.
    #[inline]
    #[must_use]
    pub fn new(seed: u64, site: u32, draw: u32, domain: u32) -> Self {
        Self([seed as u32, (seed >> 32) as u32, site, draw, 0x6e65_7572, 0x6f70_696c, domain, crate::VERSION])
    }
}

/// The quarter round on four words of the state.
macro_rules! quarter_round {
    ($s:ident, $a:literal, $b:literal, $c:literal, $d:literal) => {
        $s[$a] = $s[$a].wrapping_add($s[$b]);
        $s[$d] = ($s[$d] ^ $s[$a]).rotate_left(16);
        $s[$c] = $s[$c].wrapping_add($s[$d]);
        $s[$b] = ($s[$b] ^ $s[$c]).rotate_left(12);
        $s[$a] = $s[$a].wrapping_add($s[$b]);
        $s[$d] = ($s[$d] ^ $s[$a]).rotate_left(8);
        $s[$c] = $s[$c].wrapping_add($s[$d]);
        $s[$b] = ($s[$b] ^ $s[$c]).rotate_left(7);
    };
}

/// Two rounds: the columns, then the diagonals.
macro_rules! double_round {
    ($s:ident) => {
        quarter_round!($s, 0, 4, 8, 12);
        quarter_round!($s, 1, 5, 9, 13);
        quarter_round!($s, 2, 6, 10, 14);
        quarter_round!($s, 3, 7, 11, 15);
        quarter_round!($s, 0, 5, 10, 15);
        quarter_round!($s, 1, 6, 11, 12);
        quarter_round!($s, 2, 7, 8, 13);
        quarter_round!($s, 3, 4, 9, 14);
    };
}

/// The state after the rounds and before them, added.
macro_rules! sum {
    ($out:ident, $lane:ident, $now:ident, $first:ident; $($word:literal)*) => {$(
        $out[$word][$lane] = $now[$word].wrapping_add($first[$word]);
    )*};
}

/// The state before the rounds.
#[inline(always)]
fn initial(key: &Key, counter: u64, nonce: u64) -> [u32; 16] {
    let [k0, k1, k2, k3, k4, k5, k6, k7] = key.0;
    let [s0, s1, s2, s3] = SIGMA;
    let (c, n) = (counter, nonce);
    let upper = |wide: u64| (wide >> 32) as u32;
    [s0, s1, s2, s3, k0, k1, k2, k3, k4, k5, k6, k7, c as u32, upper(c), n as u32, upper(n)]
}

/// `L` consecutive blocks from `counter`: word `w` of block `counter + l` is `[w][l]`.
#[inline(always)]
#[must_use]
pub fn lanes<const L: usize>(key: &Key, counter: u64, nonce: u64) -> [[u32; L]; 16] {
    let mut out = [[0; L]; 16];
    fill_lanes_of(key, |lane| counter.wrapping_add(lane as u64), nonce, &mut out);
    out
}

/// `L` blocks, the one of lane `l` with the counter that `counter` says.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "the vectoriser wants one plain loop over the lanes")]
pub(crate) fn fill_lanes_of<const L: usize>(
    key: &Key,
    counter: impl Fn(usize) -> u64,
    nonce: u64,
    out: &mut [[u32; L]; 16],
) {
    for lane in 0..L {
        let start = initial(key, counter(lane), nonce);
        let mut s = start;
        // Written out, not looped: only a body without inner loops is vectorised across lanes.
        double_round!(s);
        double_round!(s);
        double_round!(s);
        double_round!(s);
        sum!(out, lane, s, start; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    }
}

/// One block.
#[inline]
pub(crate) fn one_block(key: &Key, counter: u64, nonce: u64) -> [u32; 16] {
    lanes::<1>(key, counter, nonce).map(|[word]| word)
}

/// Writes `L` blocks, one after the other, into `out`, which holds `16 * L` words.
#[inline(always)]
pub(crate) fn write_blocks<const L: usize>(key: &Key, counter: u64, nonce: u64, out: &mut [u32]) {
    let words = lanes::<L>(key, counter, nonce);
    for (lane, block) in out.chunks_exact_mut(16).take(L).enumerate() {
        for (slot, word) in block.iter_mut().zip(&words) {
            *slot = word[lane];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    fn oracle(key: &Key, counter: u64, nonce: u64) -> [u32; 16] {
        let mut bytes = [0_u8; 32];
        for (slot, word) in bytes.chunks_exact_mut(4).zip(key.0) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        let mut rng = ChaCha8Rng::from_seed(bytes);
        rng.set_stream(nonce);
        rng.set_word_pos(u128::from(counter) * 16);
        std::array::from_fn(|_| rng.next_u32())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_block_is_the_block_of_rand_chacha(key: [u32; 8], counter: u64, nonce: u64) {
            let key = Key(key);
            prop_assert_eq!(one_block(&key, counter, nonce), oracle(&key, counter, nonce));
        }

        #[test]
        fn lanes_are_consecutive_blocks(key: [u32; 8], counter: u64, nonce: u64) {
            let key = Key(key);
            let mut many = [0; 128];
            write_blocks::<8>(&key, counter, nonce, &mut many);
            for (lane, block) in many.chunks_exact(16).enumerate() {
                let c = counter.wrapping_add(lane as u64);
                prop_assert!(block == one_block(&key, c, nonce));
            }
        }
    }

    #[test]
    fn the_counter_carries_into_its_upper_half() {
        let key = Key::new(1, 2, 3, crate::DOMAIN_WORD);
        let mut many = [0; 64];
        write_blocks::<4>(&key, u64::from(u32::MAX) - 1, 9, &mut many);
        assert_eq!(many[48..], oracle(&key, u64::from(u32::MAX) + 2, 9));
    }
}
