//! Synapses that disappear and appear: the structure afterwards, and what each synapse was before.

use crate::{ConnectError, Csr, DelayRows, NeuronIdx};

/// Where a synapse of a changed structure is from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// It had that number in the structure before.
    Kept(u32),
    /// It has that number among the new ones.
    New(u32),
}

impl Csr {
    /// The structure without the synapses that `keep` refuses, and with those of `new`, whose rows ascend.
    ///
    /// Synapses that stay keep their order. A new one stands behind the last one of its row whose post neuron is not
    /// larger than its own: rows that ascend still do, and synapses of one pair are sorted by age.
    ///
    /// # Errors
    /// [`ConnectError::InvalidRows`] if the sizes differ, [`ConnectError::TooManySynapses`].
    pub fn rewired(
        &self,
        keep: impl Fn(usize) -> bool,
        new: &Self,
    ) -> Result<(Self, Vec<Origin>), ConnectError> {
        if (self.n_pre(), self.n_post()) != (new.n_pre(), new.n_post()) {
            let message = "new synapses are between other groups".to_owned();
            return Err(ConnectError::InvalidRows { message });
        }
        let mut offsets = vec![0];
        let mut targets: Vec<NeuronIdx> = Vec::with_capacity(self.n_syn() + new.n_syn());
        let mut origins = Vec::with_capacity(self.n_syn() + new.n_syn());
        for pre in 0..self.n_pre() {
            let start = targets.len();
            let (old, added) = (self.row_range(pre), new.row_range(pre));
            if added.is_empty() {
                for k in old.filter(|k| keep(*k)) {
                    targets.push(self.targets()[k]);
                    origins.push(Origin::Kept(k as u32));
                }
            } else {
                // Seen from the end of the row, a new synapse comes as soon as one is met that is not larger.
                let mut added = added.rev().peekable();
                for k in old.rev().filter(|k| keep(*k)) {
                    let post = self.targets()[k];
                    while let Some(n) = added.next_if(|n| new.targets()[*n] >= post) {
                        targets.push(new.targets()[n]);
                        origins.push(Origin::New(n as u32));
                    }
                    targets.push(post);
                    origins.push(Origin::Kept(k as u32));
                }
                for n in added {
                    targets.push(new.targets()[n]);
                    origins.push(Origin::New(n as u32));
                }
                targets[start..].reverse();
                origins[start..].reverse();
            }
            offsets.push(targets.len());
        }
        Ok((Self::from_parts(self.n_pre(), self.n_post(), offsets, targets)?, origins))
    }
}

impl DelayRows {
    /// The delay of every synapse in steps, by canonical index.
    #[must_use]
    pub fn steps(&self) -> Vec<u32> {
        let mut steps = vec![0; self.n_syn()];
        for bucket in (0..self.n_rows()).flat_map(|row| self.buckets(row)) {
            for position in bucket.range {
                steps[self.synapse(position)] = bucket.delay_steps;
            }
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Delays;
    use crate::csr::tests::any_csr;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn what_stays_keeps_its_order_and_what_is_new_stands_behind_its_equals(
            (old, seed) in (any_csr(), any::<u64>()),
        ) {
            let keep = |k: usize| seed >> (k % 64) & 1 == 0;
            let rows: Vec<Vec<u32>> = (0..old.n_pre())
                .map(|pre| (0..old.n_post()).filter(|post| seed >> ((3 * pre + post) % 61) & 1 == 1).collect())
                .collect();
            let new = Csr::from_rows(old.n_post(), &rows).unwrap();
            let (csr, origins) = old.rewired(keep, &new).unwrap();
            let before: Vec<_> = old.pairs().collect();
            let added: Vec<_> = new.pairs().collect();
            for (pair, origin) in csr.pairs().zip(&origins) {
                prop_assert_eq!(pair, match origin {
                    Origin::Kept(k) => before[*k as usize],
                    Origin::New(n) => added[*n as usize],
                });
            }
            let kept = origins.iter().filter_map(|o| if let Origin::Kept(k) = o { Some(*k as usize) } else { None });
            prop_assert!(kept.eq((0..old.n_syn()).filter(|k| keep(*k))));
            let fresh = origins.iter().filter_map(|o| if let Origin::New(n) = o { Some(*n as usize) } else { None });
            prop_assert!(fresh.eq(0..new.n_syn()));
            // Whoever stands right before a new synapse is not larger, and nobody behind it is equal but newer ones.
            for pre in 0..csr.n_pre() {
                let range = csr.row_range(pre);
                for k in range.clone() {
                    let Origin::New(_) = origins[k] else { continue };
                    let post = csr.targets()[k];
                    prop_assert!(k == range.start || csr.targets()[k - 1] <= post);
                    let smaller_behind = (k + 1..range.end)
                        .any(|l| matches!(origins[l], Origin::Kept(_)) && csr.targets()[l] <= post);
                    prop_assert!(!smaller_behind);
                }
            }
        }

        #[test]
        fn delays_come_back_out_of_their_rows(csr in any_csr()) {
            let steps: Vec<u32> = (0..csr.n_syn() as u32).map(|k| k * 7 % 5).collect();
            let delays = Delays::PerSynapse(steps.clone().into());
            prop_assert_eq!(&DelayRows::by_pre(&csr, &delays).unwrap().steps(), &steps);
            prop_assert_eq!(&DelayRows::by_post(&csr.transpose(), &delays).unwrap().steps(), &steps);
        }
    }

    #[test]
    fn synapses_of_one_pair_are_sorted_by_age() {
        let old = Csr::from_rows(4, &[vec![0, 2, 2, 3], vec![]]).unwrap();
        let new = Csr::from_rows(4, &[vec![1, 2], vec![0, 0]]).unwrap();
        let (csr, origins) = old.rewired(|k| k != 1, &new).unwrap();
        assert_eq!((csr.row(0), csr.row(1)), (&[0, 1, 2, 2, 3][..], &[0, 0][..]));
        use Origin::{Kept, New};
        assert_eq!(origins, [Kept(0), New(0), Kept(2), New(1), Kept(3), New(2), New(3)]);
        assert!(old.rewired(|_| true, &Csr::empty(3, 4)).is_err());
    }
}
