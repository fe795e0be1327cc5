//! ELLPACK: all rows padded to the length of the longest, so that a row starts at a known place.

use crate::{ConnectError, Csr, NeuronIdx, Walk};

/// Rows of equal width; slot `k` of row `pre` is `targets[pre * width + k]`.
///
/// Padding slots hold [`Ell::PADDING`] and stand at the end of each row. Variables per synapse are not
/// padded: they stay in canonical order, and row `pre` starts at `offsets[pre]` among them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ell {
    n_pre: u32,
    n_post: u32,
    width: usize,
    offsets: Vec<usize>,
    targets: Vec<NeuronIdx>,
}

impl Ell {
    /// What a padding slot holds; no neuron has this index.
    pub const PADDING: NeuronIdx = NeuronIdx::MAX;

    /// The rows of `csr`, padded.
    ///
    /// # Errors
    /// [`ConnectError::FormatTooLarge`] if one long row would blow up all others beyond the address
    /// space (2^40 slots).
    pub fn from_csr(csr: &Csr) -> Result<Self, ConnectError> {
        let width = csr.max_row_len();
        let slots = csr.n_pre() as u128 * width as u128;
        if slots > 1 << 40 {
            return Err(ConnectError::FormatTooLarge { format: "ell", bytes: slots * 4 });
        }
        let mut targets = vec![Self::PADDING; slots as usize];
        for (pre, slots) in (0..csr.n_pre()).zip(targets.chunks_mut(width.max(1))) {
            let row = csr.row(pre);
            slots[..row.len()].copy_from_slice(row);
        }
        Ok(Self { n_pre: csr.n_pre(), n_post: csr.n_post(), width, offsets: csr.offsets().to_vec(), targets })
    }

    /// Slots per row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The canonical index of each row's first synapse, and the number of synapses at the end.
    #[must_use]
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// All slots, `n_pre * width`, padding included.
    #[must_use]
    pub fn targets(&self) -> &[NeuronIdx] {
        &self.targets
    }

    /// The share of slots that are padding, 0 to 1.
    #[must_use]
    pub fn padding(&self) -> f64 {
        if self.targets.is_empty() { 0.0 } else { 1.0 - self.n_syn() as f64 / self.targets.len() as f64 }
    }

    /// The targets of a row, without padding, and the canonical index of the first of them; none for a neuron that
    /// does not exist.
    #[must_use]
    pub fn row(&self, pre: u32) -> (usize, &[NeuronIdx]) {
        let Some(&[start, end]) = self.offsets.get(pre as usize..pre as usize + 2) else { return (0, &[]) };
        let first = pre as usize * self.width;
        (start, &self.targets[first..first + (end - start)])
    }
}

impl Walk for Ell {
    fn n_pre(&self) -> u32 {
        self.n_pre
    }

    fn n_post(&self) -> u32 {
        self.n_post
    }

    fn n_syn(&self) -> usize {
        self.offsets.last().copied().unwrap_or(0)
    }

    fn bytes(&self) -> usize {
        size_of_val(&self.offsets[..]) + size_of_val(&self.targets[..])
    }

    fn for_row(&self, pre: u32, mut visit: impl FnMut(usize, NeuronIdx)) {
        let (start, targets) = self.row(pre);
        for (k, &post) in targets.iter().enumerate() {
            visit(start + k, post);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_rows_are_padded_at_their_end() {
        let csr = Csr::from_rows(5, &[vec![4, 1], vec![], vec![2, 2, 0]]).unwrap();
        let ell = Ell::from_csr(&csr).unwrap();
        const P: u32 = Ell::PADDING;
        assert_eq!(ell.targets(), [4, 1, P, P, P, P, 2, 2, 0]);
        assert_eq!((ell.width(), ell.n_syn()), (3, 5));
        assert!((ell.padding() - 4.0 / 9.0).abs() < 1e-15);
        let mut seen = Vec::new();
        ell.for_row(2, |synapse, post| seen.push((synapse, post)));
        assert_eq!(seen, [(2, 2), (3, 2), (4, 0)]);
    }
}
