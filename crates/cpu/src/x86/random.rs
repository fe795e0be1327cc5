//! Random words and samples for the elements of a chunk.

use neuropil_ir::{Context, Sampler};
use neuropil_rng::ElementStream;

use crate::block::{Level, random_words};
use crate::elements::Numbers;

/// A parameter of a distribution.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parameter<'a> {
    /// The same for all elements.
    All(f64),
    /// One per element.
    Each(&'a [f64]),
}

/// Where numbers are asked for: a site of the model, and the elements of one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking<'a> {
    /// The loops to use.
    pub(super) level: Level,
    /// Seed and step.
    pub(super) context: &'a Context,
    /// The place in the model.
    pub(super) site: u32,
    /// The numbers of the elements.
    pub(super) numbers: &'a Numbers<'a>,
}

impl Asking<'_> {
    /// The words of the elements.
    pub(super) fn words(&self, draw: u32, out: &mut [u32]) {
        random_words(self.level, self.context, [self.site, draw], self.numbers, out);
    }

    /// A sample for each element.
    pub(super) fn samples(&self, sampler: Sampler, parameters: [Parameter<'_>; 2], out: &mut [i32]) {
        let Self { context, site, numbers, .. } = self;
        for (k, sample) in out.iter_mut().enumerate() {
            let list = parameters.map(|parameter| match parameter {
                Parameter::All(x) => x,
                Parameter::Each(list) => list.get(k).copied().unwrap_or(0.0),
            });
            let mut stream = ElementStream::new(context.seed, *site, numbers.get(k), context.step);
            *sample = sampler.draw(&list, &mut stream);
        }
    }
}
