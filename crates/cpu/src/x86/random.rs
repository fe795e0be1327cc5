//! Stand-in.
use crate::block::Level;
use crate::elements::Numbers;
use neuropil_ir::{Context, Sampler};
use neuropil_rng::{DOMAIN_WORD, ElementStream, Key, Words};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Parameter<'a> {
    All(f64),
    Each(&'a [f64]),
}
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables;
pub(crate) struct Asking<'a> {
    pub(crate) level: Level,
    pub(crate) context: &'a Context,
    pub(crate) site: u32,
    pub(crate) numbers: &'a Numbers<'a>,
}
impl Asking<'_> {
    pub(crate) fn words(&self, draw: u32, start: usize, out: &mut [u32]) {
        let Self { level, context, site, numbers } = self;
        match numbers {
            Numbers::From(first) => {
                let key = Key::new(context.seed, *site, draw, DOMAIN_WORD);
                level.fill(&key, context.step, first.wrapping_add(start as u64), out);
            }
            Numbers::Same(_) | Numbers::List32(_) | Numbers::List64(_) => {
                let mut source = Words::new(context.seed, *site, draw, context.step);
                for (k, word) in (start..).zip(out) {
                    *word = source.word(numbers.get(k));
                }
            }
        }
    }
    pub(crate) fn samples(
        &self,
        _: &mut Tables,
        sampler: Sampler,
        parameters: [Parameter<'_>; 2],
        out: &mut [i32],
    ) {
        for (k, value) in out.iter_mut().enumerate() {
            let args = parameters.map(|p| match p {
                Parameter::All(x) => x,
                Parameter::Each(list) => list[k],
            });
            let mut stream =
                ElementStream::new(self.context.seed, self.site, self.numbers.get(k), self.context.step);
            *value = sampler.draw(&args, &mut stream);
        }
    }
}
