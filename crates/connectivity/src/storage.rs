//! The formats that a projection can be stored in, and the choice between them.
//!
//! A format is a container and its walk. All of them keep the canonical index of every synapse, so
//! variables per synapse never move when the format changes.

use crate::{ConnectError, Csr, Dense, Ell, NeuronIdx};

/// What all formats can do.
pub trait Walk {
    /// Number of pre neurons: rows.
    fn n_pre(&self) -> u32;
    /// Number of post neurons.
    fn n_post(&self) -> u32;
    /// Number of synapses.
    fn n_syn(&self) -> usize;
    /// Bytes of the structure, without variables.
    fn bytes(&self) -> usize;
    /// Calls `visit(canonical index, post)` for every synapse of a row, in canonical order; does
    /// nothing for a neuron that does not exist.
    fn for_row(&self, pre: u32, visit: impl FnMut(usize, NeuronIdx));

    /// All synapses as (pre, post), in canonical order.
    fn to_pairs(&self) -> Vec<(NeuronIdx, NeuronIdx)> {
        let mut pairs = Vec::with_capacity(self.n_syn());
        for pre in 0..self.n_pre() {
            self.for_row(pre, |_, post| pairs.push((pre, post)));
        }
        pairs
    }

    /// The same structure as rows.
    fn to_csr(&self) -> Csr {
        let mut offsets = vec![0];
        let mut targets = Vec::with_capacity(self.n_syn());
        for pre in 0..self.n_pre() {
            self.for_row(pre, |_, post| targets.push(post));
            offsets.push(targets.len());
        }
        Csr::from_parts_trusted(self.n_post(), offsets, targets)
    }
}

impl Walk for Csr {
    fn n_pre(&self) -> u32 {
        self.n_pre()
    }

    fn n_post(&self) -> u32 {
        self.n_post()
    }

    fn n_syn(&self) -> usize {
        self.n_syn()
    }

    fn bytes(&self) -> usize {
        self.bytes()
    }

    fn for_row(&self, pre: u32, mut visit: impl FnMut(usize, NeuronIdx)) {
        let range = self.row_range(pre);
        for (index, &post) in range.clone().zip(&self.targets()[range]) {
            visit(index, post);
        }
    }
}

/// What a model asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FormatChoice {
    /// Whatever fits the structure best.
    #[default]
    Auto,
    /// Compressed rows.
    Csr,
    /// Padded rows.
    Ell,
    /// A place for every pair.
    Dense,
}

impl FormatChoice {
    /// All choices, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Csr, Self::Ell, Self::Dense];

    /// The word for it in a model file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Csr => "csr",
            Self::Ell => "ell",
            Self::Dense => "dense",
        }
    }

    /// The choice with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.name() == name)
    }
}

/// A stored structure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Storage {
    /// Compressed rows.
    Csr(Csr),
    /// Padded rows.
    Ell(Ell),
    /// A place for every pair.
    Dense(Dense),
}

/// Above this share of present pairs a bit per pair is a better list than an index per synapse.
const DENSE_FILL: f64 = 0.5;
/// Up to this share of padding, rows that start at a known place are worth it.
const ELL_PADDING: f64 = 0.02;

impl Storage {
    /// Stores `csr` as asked, and says why in that format.
    ///
    /// `Auto` takes dense if all pairs, or more than half of them, are connected once and in ascending
    /// order; ELL if padding is at most 2 % of the slots; compressed rows otherwise.
    ///
    /// # Errors
    /// [`ConnectError::NotDense`] or [`ConnectError::FormatTooLarge`] if a format that was asked for
    /// cannot hold the structure; `Auto` never fails.
    pub fn choose(csr: Csr, choice: FormatChoice) -> Result<(Self, String), ConnectError> {
        let asked = format!("`{}` was asked for", choice.name());
        match choice {
            FormatChoice::Csr => Ok((Self::Csr(csr), asked)),
            FormatChoice::Ell => Ok((Self::Ell(Ell::from_csr(&csr)?), asked)),
            FormatChoice::Dense => Ok((Self::Dense(Dense::from_csr(&csr)?), asked)),
            FormatChoice::Auto => Ok(Self::choose_freely(csr)),
        }
    }

    fn choose_freely(csr: Csr) -> (Self, String) {
        if csr.n_syn() == 0 {
            return (Self::Csr(csr), "there are no synapses".to_owned());
        }
        let fill = csr.n_syn() as f64 / (f64::from(csr.n_pre()) * f64::from(csr.n_post()));
        if fill >= DENSE_FILL
            && let Ok(dense) = Dense::from_csr(&csr)
        {
            let reason = if dense.is_full() {
                "all pairs are connected".to_owned()
            } else {
                format!("{:.1} % of all pairs are connected", fill * 100.0)
            };
            return (Self::Dense(dense), reason);
        }
        let longest = csr.max_row_len();
        let padding = 1.0 - csr.n_syn() as f64 / (longest as f64 * f64::from(csr.n_pre()));
        if padding <= ELL_PADDING
            && let Ok(ell) = Ell::from_csr(&csr)
        {
            let percent = padding * 100.0;
            return (Self::Ell(ell), format!("rows are equally long ({percent:.1} % padding)"));
        }
        let mean = csr.n_syn() as f64 / f64::from(csr.n_pre());
        let reason = format!(
            "{:.4} synapses per pair, in rows of unequal length (mean {mean:.1}, longest {longest})",
            fill
        );
        (Self::Csr(csr), reason)
    }

    /// The canonical index of a row's first synapse, which is the number of synapses in the rows before; for a
    /// neuron that does not exist the number of all synapses.
    #[must_use]
    pub fn row_start(&self, pre: u32) -> usize {
        let pre = pre.min(self.n_pre()) as usize;
        match self {
            Self::Csr(csr) => csr.offsets()[pre],
            Self::Ell(ell) => ell.offsets()[pre],
            Self::Dense(dense) => dense.row_start(pre),
        }
    }

    /// The word for the format in a model file.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Csr(_) => FormatChoice::Csr.name(),
            Self::Ell(_) => FormatChoice::Ell.name(),
            Self::Dense(_) => FormatChoice::Dense.name(),
        }
    }
}

impl Walk for Storage {
    fn n_pre(&self) -> u32 {
        match self {
            Self::Csr(csr) => csr.n_pre(),
            Self::Ell(ell) => ell.n_pre(),
            Self::Dense(dense) => dense.n_pre(),
        }
    }

    fn n_post(&self) -> u32 {
        match self {
            Self::Csr(csr) => csr.n_post(),
            Self::Ell(ell) => ell.n_post(),
            Self::Dense(dense) => dense.n_post(),
        }
    }

    fn n_syn(&self) -> usize {
        match self {
            Self::Csr(csr) => csr.n_syn(),
            Self::Ell(ell) => ell.n_syn(),
            Self::Dense(dense) => dense.n_syn(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Csr(csr) => csr.bytes(),
            Self::Ell(ell) => ell.bytes(),
            Self::Dense(dense) => dense.bytes(),
        }
    }

    fn for_row(&self, pre: u32, visit: impl FnMut(usize, NeuronIdx)) {
        match self {
            Self::Csr(csr) => csr.for_row(pre, visit),
            Self::Ell(ell) => ell.for_row(pre, visit),
            Self::Dense(dense) => dense.for_row(pre, visit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csr::tests::any_csr;
    use proptest::prelude::*;

    fn walked(storage: &impl Walk) -> Vec<Vec<(usize, u32)>> {
        (0..storage.n_pre() + 1)
            .map(|pre| {
                let mut row = Vec::new();
                storage.for_row(pre, |synapse, post| row.push((synapse, post)));
                row
            })
            .collect()
    }

    /// The same structure with ascending rows and no repeats, as a dense matrix needs it.
    fn simple(csr: &Csr) -> Csr {
        let rows: Vec<Vec<u32>> = (0..csr.n_pre())
            .map(|pre| {
                let mut row = csr.row(pre).to_vec();
                row.sort_unstable();
                row.dedup();
                row
            })
            .collect();
        Csr::from_rows(csr.n_post(), &rows).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn every_format_walks_the_same_and_converts_back(csr in any_csr()) {
            for csr in [simple(&csr), csr] {
                for choice in FormatChoice::ALL {
                    let Ok((storage, _)) = Storage::choose(csr.clone(), choice) else {
                        prop_assert!(choice == FormatChoice::Dense && csr.first_unsorted_row().is_some());
                        continue;
                    };
                    prop_assert_eq!(walked(&storage), walked(&csr));
                    prop_assert_eq!(storage.to_csr(), csr.clone());
                    let pairs = storage.to_pairs();
                    prop_assert_eq!(Csr::from_pairs(csr.n_pre(), csr.n_post(), &pairs).unwrap(), csr.clone());
                    prop_assert_eq!(storage.n_syn(), csr.n_syn());
                    for (pre, start) in (0..).zip(csr.offsets()) {
                        prop_assert_eq!(storage.row_start(pre), *start);
                    }
                    prop_assert_eq!(storage.row_start(u32::MAX), csr.n_syn());
                }
            }
        }
    }

    #[test]
    fn auto_takes_what_fits() {
        let choose = |rows: &[Vec<u32>]| {
            let (storage, reason) =
                Storage::choose(Csr::from_rows(8, rows).unwrap(), FormatChoice::Auto).unwrap();
            format!("{}: {reason}", storage.name())
        };
        let all: Vec<u32> = (0..8).collect();
        assert_eq!(choose(&[all.clone(), all.clone()]), "dense: all pairs are connected");
        assert_eq!(choose(&[all[1..].to_vec(), all]), "dense: 93.8 % of all pairs are connected");
        assert_eq!(choose(&[vec![1, 2], vec![3, 4]]), "ell: rows are equally long (0.0 % padding)");
        assert_eq!(
            choose(&[vec![1], vec![3, 4]]),
            "csr: 0.1875 synapses per pair, in rows of unequal length (mean 1.5, longest 2)"
        );
        assert_eq!(choose(&[]), "csr: there are no synapses");
    }

    #[test]
    fn names_are_read_back() {
        for choice in FormatChoice::ALL {
            assert_eq!(FormatChoice::from_name(choice.name()), Some(choice));
        }
        assert_eq!(FormatChoice::from_name("coo"), None);
    }
}
