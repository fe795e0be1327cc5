//! Addressable random streams: the same (seed, site, index, step) gives the same bits everywhere.
//!
//! A random number is not taken from a generator that somebody advanced; it is *looked up* at an
//! address. So results do not depend on the number of threads, on the order of execution, on the
//! backend, or on what else was computed, and any element can be recomputed on its own.
//!
//! # The definition
//!
//! Every backend reproduces this section to the bit. All bits are output words of ChaCha with 8
//! rounds (Bernstein 2008, "ChaCha, a variant of Salsa20"; original layout with a 64-bit counter and
//! a 64-bit nonce). Eight rounds pass every known statistical test and have no known distinguisher;
//! twenty would buy nothing here. The state before the rounds is, as 32-bit words,
//!
//! ```text
//!  0.. 3   0x61707865 0x3320646e 0x79622d32 0x6b206574      the ChaCha constants
//!  4.. 7   seed (low half), seed (high half), site, draw     key, first half: the address
//!  8..11   0x6e657572 ("neur"), 0x6f70696c ("opil"), domain, version
//! 12..13   counter (low half), counter (high half)
//! 14..15   nonce (low half), nonce (high half)
//! ```
//!
//! * `seed` is the seed of the network, `site` the number of the place in the model that asks (each
//!   call of `rand()`, each connector, ... has its own), `version` is [`VERSION`].
//! * `domain` keeps three ways of addressing apart, so that they never share a block:
//!
//! | domain | way | draw | counter | nonce |
//! |---|---|---|---|---|
//! | [`DOMAIN_WORD`] | one word per element: [`word`], [`fill`], [`Words`] | number of the word that the element takes at this site | index / 128 · 8 + index % 8 | step |
//! | [`DOMAIN_ELEMENT`] | as many words per element as it needs: [`ElementStream`] | 0 | index · 2^20 + k | step |
//! | [`DOMAIN_STREAM`] | a sequence for building: [`Stream`] | 0 | k | index |
//!
//! with `k` = 0, 1, 2, ... the number of the block within the sequence. In the first way the element
//! takes output word `index % 128 / 8` of its block: 128 neighbouring elements share eight blocks, the first
//! eight of them taking the first words of these, and so on. Because `draw` is part of the key, an element that needs
//! four words takes the same word of four blocks with different keys instead of four words of one. That is what lets
//! whole blocks vectorise: a vector register holds the same word of neighbouring blocks, which are the words of
//! neighbouring elements, and nothing is ever gathered or transposed.
//! In the second way an element owns 2^20 blocks of 16 words, far more than any rejection
//! method takes, and indices go up to 2^44. `step` is the step counter of the clock as a two's
//! complement 64-bit number. What happens before a run (initial values) has a site of its own and
//! step 0.
//!
//! # From words to numbers
//!
//! [`unit_f32`] keeps the upper 24 bits of one word, [`unit_f64`] the upper 53 of two (draw 0 is the
//! upper half); both give multiples of 2^-24 and 2^-53 in [0, 1).
//!
//! A sample of [`poisson`] or [`binomial`] takes words as it needs them, from [`SampleBits`]: first the element's words of the
//! draws 0 to 3, then those of its [`ElementStream`]. With a mean below 64 it is the number that belongs to one uniform number of two
//! words, and nearly always the first of them decides (see `inversion.rs`), so that [`Table`], [`poisson_lanes`] and
//! [`binomial_lanes`] give the numbers of many elements from one word each.

mod binomial;
mod chacha;
mod distribution;
mod element;
mod gaps;
mod inversion;
mod poisson;
mod sample;
mod stream;
mod words;

pub use binomial::binomial;
pub use chacha::{Key, SIGMA, lanes};
pub use distribution::Bits;
pub use element::ElementStream;
pub use gaps::Gaps;
pub use inversion::{Table, UNDECIDED, binomial_lanes, poisson_lanes};
pub use poisson::{poisson, poisson_tries};
pub use sample::{FIRST_WORDS, SampleBits};
pub use stream::{Site, Stream};
pub use words::{Words, fill, fill_lanes, pick_lanes, word};

/// Version of the definition, part of every key: a changed definition never repeats old numbers by
/// half.
pub const VERSION: u32 = 2;
/// Domain of [`word`]: the bytes "word".
pub const DOMAIN_WORD: u32 = 0x776f_7264;
/// Domain of [`ElementStream`]: the bytes "elem".
pub const DOMAIN_ELEMENT: u32 = 0x656c_656d;
/// Domain of [`Stream`]: the bytes "strm".
pub const DOMAIN_STREAM: u32 = 0x7374_726d;

/// A number in [0, 1) from one word: its upper 24 bits as a multiple of 2^-24.
#[inline]
#[must_use]
pub fn unit_f32(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// A number in [0, 1) from two words: their upper 53 bits as a multiple of 2^-53.
#[inline]
#[must_use]
pub fn unit_f64(high: u32, low: u32) -> f64 {
    let bits = (u64::from(high) << 32) | u64::from(low);
    (bits >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_numbers_stay_below_one() {
        assert_eq!(unit_f32(0), 0.0);
        assert_eq!(unit_f32(u32::MAX), 1.0 - 1.0 / 16_777_216.0);
        assert_eq!(unit_f64(0, 0), 0.0);
        assert!(unit_f64(u32::MAX, u32::MAX) < 1.0);
        assert_eq!(unit_f64(1 << 31, 0), 0.5);
    }
}
