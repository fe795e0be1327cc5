//! Dense: every pair has a place; a bit says whether it is a synapse, or all of them are.

use crate::{ConnectError, Csr, NeuronIdx, Walk};

/// All pairs, or a bit per pair.
///
/// Bit `post % 64` of word `pre * words_per_row + post / 64` is set if the pair is connected; without
/// a mask all pairs are, and no index at all is stored. Each row ascends and no pair repeats.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dense {
    n_pre: u32,
    n_post: u32,
    mask: Option<Mask>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Mask {
    words_per_row: usize,
    bits: Vec<u64>,
    /// The canonical index of each row's first synapse, and the number of synapses at the end.
    offsets: Vec<usize>,
}

impl Dense {
    /// The pairs of `csr`, as a mask unless all are there.
    ///
    /// # Errors
    /// [`ConnectError::NotDense`] for a row that repeats a target or does not ascend,
    /// [`ConnectError::FormatTooLarge`] beyond 2^43 pairs.
    pub fn from_csr(csr: &Csr) -> Result<Self, ConnectError> {
        if let Some(pre) = csr.first_unsorted_row() {
            return Err(ConnectError::NotDense { pre });
        }
        let (n_pre, n_post) = (csr.n_pre(), csr.n_post());
        let pairs = u64::from(n_pre) * u64::from(n_post);
        if csr.n_syn() as u64 == pairs {
            return Ok(Self { n_pre, n_post, mask: None });
        }
        let words_per_row = (n_post as usize).div_ceil(64);
        let words = n_pre as u128 * words_per_row as u128;
        if words > 1 << 37 {
            return Err(ConnectError::FormatTooLarge { format: "dense", bytes: words * 8 });
        }
        let mut bits = vec![0_u64; words as usize];
        for (pre, row) in (0..n_pre).zip(bits.chunks_mut(words_per_row.max(1))) {
            for &post in csr.row(pre) {
                row[post as usize / 64] |= 1 << (post % 64);
            }
        }
        Ok(Self { n_pre, n_post, mask: Some(Mask { words_per_row, bits, offsets: csr.offsets().to_vec() }) })
    }

    /// Whether every pair is a synapse, so that synapse `pre * n_post + post` is the pair.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.mask.is_none()
    }

    /// The bits of all rows and the number of 64-bit words per row; `None` if every pair is there.
    #[must_use]
    pub fn mask(&self) -> Option<(&[u64], usize)> {
        self.mask.as_ref().map(|m| (m.bits.as_slice(), m.words_per_row))
    }

    /// The canonical index of the first synapse of a row of the matrix, or of the end.
    pub(crate) fn row_start(&self, pre: usize) -> usize {
        self.mask.as_ref().map_or(pre * self.n_post as usize, |mask| mask.offsets[pre])
    }

    /// The canonical index of a pair, if it is a synapse.
    #[must_use]
    pub fn synapse(&self, pre: u32, post: u32) -> Option<usize> {
        if pre >= self.n_pre || post >= self.n_post {
            return None;
        }
        let Some(mask) = &self.mask else {
            return Some(pre as usize * self.n_post as usize + post as usize);
        };
        let row = &mask.bits[pre as usize * mask.words_per_row..][..mask.words_per_row];
        let (word, bit) = (post as usize / 64, post % 64);
        if row[word] >> bit & 1 == 0 {
            return None;
        }
        let before: u32 = row[..word].iter().map(|w| w.count_ones()).sum();
        let below = (row[word] & ((1 << bit) - 1)).count_ones();
        Some(mask.offsets[pre as usize] + (before + below) as usize)
    }
}

impl Walk for Dense {
    fn n_pre(&self) -> u32 {
        self.n_pre
    }

    fn n_post(&self) -> u32 {
        self.n_post
    }

    fn n_syn(&self) -> usize {
        match &self.mask {
            None => self.n_pre as usize * self.n_post as usize,
            Some(mask) => mask.offsets.last().copied().unwrap_or(0),
        }
    }

    fn bytes(&self) -> usize {
        self.mask.as_ref().map_or(0, |m| size_of_val(&m.bits[..]) + size_of_val(&m.offsets[..]))
    }

    fn for_row(&self, pre: u32, mut visit: impl FnMut(usize, NeuronIdx)) {
        if pre >= self.n_pre {
            return;
        }
        let Some(mask) = &self.mask else {
            let first = pre as usize * self.n_post as usize;
            for post in 0..self.n_post {
                visit(first + post as usize, post);
            }
            return;
        };
        let mut synapse = mask.offsets[pre as usize];
        let row = &mask.bits[pre as usize * mask.words_per_row..][..mask.words_per_row];
        for (word, &bits) in (0_u32..).zip(row) {
            let mut left = bits;
            while left != 0 {
                visit(synapse, word * 64 + left.trailing_zeros());
                synapse += 1;
                left &= left - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_matrix_stores_nothing() {
        let csr = Csr::from_rows(2, &[vec![0, 1], vec![0, 1], vec![0, 1]]).unwrap();
        let dense = Dense::from_csr(&csr).unwrap();
        assert!(dense.is_full() && dense.bytes() == 0);
        assert_eq!(dense.synapse(2, 1), Some(5));
        assert_eq!((dense.synapse(3, 0), dense.synapse(0, 2)), (None, None));
    }

    #[test]
    fn a_mask_knows_the_canonical_index_of_every_pair() {
        let rows = [vec![0, 63, 64, 129], vec![], vec![5, 64, 65, 128]];
        let csr = Csr::from_rows(130, &rows).unwrap();
        let dense = Dense::from_csr(&csr).unwrap();
        for (k, (pre, post)) in csr.pairs().enumerate() {
            assert_eq!(dense.synapse(pre, post), Some(k));
        }
        assert_eq!(dense.synapse(0, 1), None);
    }

    #[test]
    fn repeats_and_disorder_do_not_fit() {
        for row in [vec![1, 1], vec![1, 0]] {
            let csr = Csr::from_rows(2, &[vec![0], row]).unwrap();
            assert!(matches!(Dense::from_csr(&csr), Err(ConnectError::NotDense { pre: 1 })));
        }
    }
}
