//! The two sides of a projection, as far as a connector needs them.

use crate::NeuronIdx;

/// How many neurons stand on both sides, and which of them are the same neurons.
///
/// Connectors count neurons from 0 within the slice that is connected; offsets say where the slices
/// start in their populations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Number of pre neurons.
    pub n_pre: u32,
    /// Number of post neurons.
    pub n_post: u32,
    /// Index of the first pre neuron within its population.
    pub pre_offset: u32,
    /// Index of the first post neuron within its population.
    pub post_offset: u32,
    /// Whether both sides are (slices of) one population.
    pub same_population: bool,
}

impl Shape {
    /// From one population to another.
    #[must_use]
    pub fn between(n_pre: u32, n_post: u32) -> Self {
        Self { n_pre, n_post, pre_offset: 0, post_offset: 0, same_population: false }
    }

    /// Within one population.
    #[must_use]
    pub fn within(n: u32) -> Self {
        Self { n_pre: n, n_post: n, pre_offset: 0, post_offset: 0, same_population: true }
    }

    /// Whether both are the same neuron.
    #[must_use]
    pub fn is_self(&self, pre: u32, post: u32) -> bool {
        self.self_target(pre) == Some(post)
    }

    /// The post neuron that is the pre neuron `pre` itself.
    #[must_use]
    pub fn self_target(&self, pre: u32) -> Option<NeuronIdx> {
        if !self.same_population {
            return None;
        }
        let global = u64::from(pre) + u64::from(self.pre_offset);
        let local = global.checked_sub(u64::from(self.post_offset))?;
        u32::try_from(local).ok().filter(|&post| post < self.n_post)
    }

    /// Both sides exchanged.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        Self {
            n_pre: self.n_post,
            n_post: self.n_pre,
            pre_offset: self.post_offset,
            post_offset: self.pre_offset,
            same_population: self.same_population,
        }
    }

    /// The post neurons that `pre` may reach.
    pub(crate) fn candidates(&self, pre: u32, self_connections: bool) -> Candidates {
        let excluded = if self_connections { None } else { self.self_target(pre) };
        Candidates { count: self.n_post - u32::from(excluded.is_some()), excluded }
    }

    /// How many pairs may be connected.
    pub(crate) fn n_pairs(&self, self_connections: bool) -> u64 {
        let all = u64::from(self.n_pre) * u64::from(self.n_post);
        if self_connections { all } else { all - self.n_self_pairs() }
    }

    /// The length of the overlap of both slices.
    fn n_self_pairs(&self) -> u64 {
        if !self.same_population {
            return 0;
        }
        let (pre, post) = (u64::from(self.pre_offset), u64::from(self.post_offset));
        let end = (pre + u64::from(self.n_pre)).min(post + u64::from(self.n_post));
        end.saturating_sub(pre.max(post))
    }
}

/// The post neurons that one pre neuron may reach: all, or all but one.
#[derive(Clone, Copy)]
pub(crate) struct Candidates {
    /// How many.
    pub(crate) count: u32,
    excluded: Option<NeuronIdx>,
}

impl Candidates {
    /// The `k`-th of them.
    #[inline]
    pub(crate) fn nth(self, k: u32) -> NeuronIdx {
        match self.excluded {
            Some(own) if k >= own => k + 1,
            Some(_) | None => k,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neuron_is_itself_where_slices_overlap() {
        let shape = Shape { n_pre: 4, n_post: 3, pre_offset: 2, post_offset: 3, same_population: true };
        assert_eq!([0, 1, 2, 3].map(|pre| shape.self_target(pre)), [None, Some(0), Some(1), Some(2)]);
        assert_eq!((shape.n_pairs(true), shape.n_pairs(false)), (12, 9));
        assert_eq!(shape.mirrored().self_target(0), Some(1));
        let others = shape.candidates(2, false);
        assert_eq!((others.count, others.nth(0), others.nth(1)), (2, 0, 2));
        assert_eq!(Shape::between(4, 4).self_target(0), None);
    }
}
