//! Random words and samples of many elements at once, for whichever engine runs the body.
//!
//! The first words of the elements are looked up together, and decide nearly every sample (see `neuropil_rng`): by a table of
//! thresholds where the distribution is the same for all, else by a search for several elements at a time. First tries of rejections are made
//! together too. What they leave open is drawn element by element, as the interpreter does.

use neuropil_ir::{Context, Sampler};
use neuropil_rng::{DOMAIN_WORD, FIRST_WORDS, Key, SampleBits, Table, word};

use crate::block::Level;
use crate::elements::Numbers;

/// Elements whose words are looked up together where several words of each are wanted.
const PART: usize = 512;

/// Numbers of a list whose words are looked up together.
const GROUP: usize = 64;

/// From this many samples in a part on, their further words are looked up together.
const MANY: usize = 4;

/// Tables that are kept.
const KEPT_TABLES: usize = 64;

/// A parameter of a distribution.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parameter<'a> {
    /// The same for all elements.
    All(f64),
    /// One per element.
    Each(&'a [f64]),
}

impl<'a> Parameter<'a> {
    fn get(self, k: usize) -> f64 {
        match self {
            Self::All(x) => x,
            Self::Each(list) => list.get(k).copied().unwrap_or(0.0),
        }
    }

    /// One for all, if all are the same.
    fn simplified(self) -> Self {
        match self {
            Self::Each([first, rest @ ..]) if rest.iter().all(|x| x.to_bits() == first.to_bits()) => {
                Self::All(*first)
            }
            _ => self,
        }
    }

    fn part(self, start: usize, len: usize) -> Self {
        match self {
            Self::All(x) => Self::All(x),
            Self::Each(list) => Self::Each(list.get(start..start + len).unwrap_or(&[])),
        }
    }
}

/// Tables of the distributions that samples were drawn from, the newest ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    kept: Vec<KeptTable>,
    oldest: usize,
}

#[derive(Clone, Debug)]
struct KeptTable {
    sampler: Sampler,
    /// The bits of the parameters.
    parameters: [u64; 2],
    /// `None` if the distribution is not drawn by inversion.
    table: Option<Table>,
}

impl Tables {
    /// The table of a distribution.
    fn find(&mut self, sampler: Sampler, parameters: [f64; 2]) -> Option<&Table> {
        let bits = parameters.map(f64::to_bits);
        let known = self.kept.iter().position(|kept| kept.sampler == sampler && kept.parameters == bits);
        let place = match known {
            Some(place) => place,
            None => {
                let [first, second] = parameters;
                let table = match sampler {
                    Sampler::Poisson => Table::poisson(first),
                    Sampler::Binomial => Table::binomial(first as i64, second),
                };
                self.keep(KeptTable { sampler, parameters: bits, table })
            }
        };
        self.kept[place].table.as_ref()
    }

    fn keep(&mut self, table: KeptTable) -> usize {
        if self.kept.len() < KEPT_TABLES {
            self.kept.push(table);
            return self.kept.len() - 1;
        }
        let place = self.oldest;
        self.oldest = (place + 1) % KEPT_TABLES;
        self.kept[place] = table;
        place
    }
}

/// Where numbers are asked for: a site of the model, and the elements of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    /// The loops to use.
    pub(crate) level: Level,
    /// Seed and step.
    pub(crate) context: &'a Context,
    /// The place in the model.
    pub(crate) site: u32,
    /// The numbers of the elements.
    pub(crate) numbers: &'a Numbers<'a>,
}

impl Asking<'_> {
    /// The words of the elements from the `start`-th on.
    pub(crate) fn words(&self, draw: u32, start: usize, out: &mut [u32]) {
        let Self { level, context, site, numbers } = self;
        let key = Key::new(context.seed, *site, draw, DOMAIN_WORD);
        match numbers {
            Numbers::From(first) => {
                level.fill(&key, context.step, first.wrapping_add(start as u64), out);
            }
            Numbers::Same(number) => out.fill(word(context.seed, *site, draw, *number, context.step)),
            Numbers::List32(_) | Numbers::List64(_) => {
                for (group, out) in (start..).step_by(GROUP).zip(out.chunks_mut(GROUP)) {
                    let mut list = [0; GROUP];
                    for (k, number) in (group..).zip(list.iter_mut().take(out.len())) {
                        *number = numbers.get(k);
                    }
                    level.pick(&key, context.step, &list[..out.len()], out);
                }
            }
        }
    }

    /// A sample for each element.
    pub(crate) fn samples(
        &self,
        tables: &mut Tables,
        sampler: Sampler,
        parameters: [Parameter<'_>; 2],
        out: &mut [i32],
    ) {
        for (start, out) in (0..).step_by(PART).zip(out.chunks_mut(PART)) {
            let parameters = parameters.map(|p| p.part(start, out.len()).simplified());
            self.words(0, start, bytemuck::cast_slice_mut(out));
            let open = match sampler {
                Sampler::Poisson => self.poisson(tables, parameters[0], bytemuck::cast_slice_mut(out)),
                Sampler::Binomial => self.binomial(tables, parameters, out),
            };
            if open > 0 {
                self.draw_open(open, start, sampler, parameters, out);
            }
        }
    }

    /// Makes Poisson numbers of first words; how many are left open.
    fn poisson(&self, tables: &mut Tables, mean: Parameter<'_>, words: &mut [u32]) -> usize {
        match mean {
            Parameter::All(mean) => self.look_up(tables, Sampler::Poisson, [mean, 0.0], words),
            Parameter::Each(means) => self.level.poisson(means, words),
        }
    }

    /// Makes binomial numbers of first words; how many are left open.
    fn binomial(&self, tables: &mut Tables, [n, p]: [Parameter<'_>; 2], out: &mut [i32]) -> usize {
        // What `neuropil_rng::binomial` does with its parameters: the less likely of success and failure is counted.
        let trials = |n: f64| (n as i64).max(0);
        let rarer = |p: f64| if p > 0.5 { 1.0 - p } else { p };
        let words = bytemuck::cast_slice_mut(out);
        let open = if let (Parameter::All(n), Parameter::All(p)) = (n, p) {
            self.look_up(tables, Sampler::Binomial, [trials(n) as f64, rarer(p)], words)
        } else {
            let (mut all_n, mut all_p) = ([0.0; PART], [0.0; PART]);
            for (k, (to_n, to_p)) in all_n.iter_mut().zip(&mut all_p).enumerate().take(words.len()) {
                (*to_n, *to_p) = (trials(n.get(k)) as f64, rarer(p.get(k)));
            }
            self.level.binomial(&all_n, &all_p, words)
        };
        if matches!(p, Parameter::All(p) if p.is_nan() || p <= 0.5) {
            return open;
        }
        for (k, number) in out.iter_mut().enumerate() {
            if *number >= 0 && p.get(k) > 0.5 {
                let successes = trials(n.get(k)) - i64::from(*number);
                *number = i32::try_from(successes).unwrap_or(i32::MAX);
            }
        }
        open
    }

    fn look_up(
        &self,
        tables: &mut Tables,
        sampler: Sampler,
        parameters: [f64; 2],
        words: &mut [u32],
    ) -> usize {
        if let Some(table) = tables.find(sampler, parameters) {
            return table.look_up(words);
        }
        words.fill(neuropil_rng::UNDECIDED);
        words.len()
    }

    /// Draws the samples that first words left open.
    fn draw_open(
        &self,
        open: usize,
        start: usize,
        sampler: Sampler,
        parameters: [Parameter<'_>; 2],
        out: &mut [i32],
    ) {
        let Self { context, site, numbers, .. } = self;
        let mut words = [[0; PART]; FIRST_WORDS];
        if open >= MANY {
            for (draw, words) in (0..).zip(&mut words) {
                self.words(draw, start, &mut words[..out.len()]);
            }
            if sampler == Sampler::Poisson {
                let mut means = [0.0; PART];
                (0..).zip(&mut means[..out.len()]).for_each(|(k, mean)| *mean = parameters[0].get(k));
                let words = words.each_ref().map(|list| &list[..out.len()]);
                self.level.poisson_tries(&means, words, bytemuck::cast_slice_mut(out));
            }
        }
        for (k, number) in out.iter_mut().enumerate() {
            // Still all bits of `UNDECIDED`.
            if *number >= 0 {
                continue;
            }
            let index = numbers.get(start + k);
            let mut bits = if open >= MANY {
                let first = std::array::from_fn(|draw| words[draw][k]);
                SampleBits::of(context.seed, *site, index, context.step, first)
            } else {
                SampleBits::new(context.seed, *site, index, context.step)
            };
            *number = self.level.draw(sampler, parameters.map(|p| p.get(k)), &mut bits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A parameter that elements share or have of their own.
    #[derive(Clone, Debug)]
    enum Told {
        All(f64),
        Each(Vec<f64>),
    }

    impl Told {
        fn parameter(&self) -> Parameter<'_> {
            match self {
                Self::All(x) => Parameter::All(*x),
                Self::Each(list) => Parameter::Each(list),
            }
        }
    }

    fn told(one: impl Strategy<Value = f64> + Clone + 'static) -> impl Strategy<Value = Told> {
        let same = one.clone().prop_map(|x| Told::Each(vec![x; LONGEST]));
        let each = proptest::collection::vec(one.clone(), LONGEST).prop_map(Told::Each);
        prop_oneof![one.prop_map(Told::All), same, each]
    }

    const LONGEST: usize = 300;

    fn special() -> impl Strategy<Value = f64> + Clone {
        prop_oneof![Just(0.0), Just(-1.0), Just(f64::NAN), Just(f64::INFINITY), Just(1e300), any::<f64>()]
    }

    fn mean() -> impl Strategy<Value = f64> + Clone {
        prop_oneof![4 => 0.0..4.0, 4 => 0.0..64.0, 2 => 60.0..70.0, 1 => 0.0..1e11, 1 => special()]
    }

    fn trials() -> impl Strategy<Value = f64> + Clone {
        prop_oneof![4 => 0.0..10.0, 4 => 0.0..300.0, 1 => 0.0..1e15, 1 => special()]
    }

    fn probability() -> impl Strategy<Value = f64> + Clone {
        prop_oneof![6 => 0.0..=1.0, 1 => Just(0.5), 1 => Just(1.0), 1 => 0.0..1e-9, 1 => special()]
    }

    fn agree(sampler: Sampler, parameters: [Parameter<'_>; 2], numbers: &Numbers<'_>, len: usize) {
        let context = Context { seed: 3, step: -2 };
        for level in Level::available() {
            let asking = Asking { level, context: &context, site: 5, numbers };
            let mut out = vec![7; len];
            asking.samples(&mut Tables::default(), sampler, parameters, &mut out);
            for (k, found) in out.iter().enumerate() {
                let args = parameters.map(|p| p.get(k));
                let mut bits = SampleBits::new(context.seed, 5, numbers.get(k), context.step);
                assert_eq!(*found, sampler.draw(&args, &mut bits), "{sampler:?}{args:?} of {k} by {level:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn samples_are_what_each_element_draws_alone(
            mean in told(mean()),
            n in told(trials()),
            p in told(probability()),
            first in 0_u64..1 << 40,
            len in 0..LONGEST,
            kind in 0..3,
        ) {
            let list: Vec<u32> = (0..len as u32).map(|k| k * 7 % 1009).collect();
            let numbers = match kind {
                0 => Numbers::From(first),
                1 => Numbers::Same(first),
                _ => Numbers::List32(&list),
            };
            agree(Sampler::Poisson, [mean.parameter(), Parameter::All(0.0)], &numbers, len);
            agree(Sampler::Binomial, [n.parameter(), p.parameter()], &numbers, len);
        }
    }

    #[test]
    fn a_table_is_made_once_for_each_distribution_and_few_are_kept() {
        let mut tables = Tables::default();
        let found = |tables: &mut Tables, mean| tables.find(Sampler::Poisson, [mean, 0.0]).is_some();
        assert!(found(&mut tables, 1.6) && found(&mut tables, 1.6) && found(&mut tables, 2.0));
        assert!(!found(&mut tables, 100.0));
        assert_eq!(tables.kept.len(), 3);
        for k in 0..1000 {
            assert!(found(&mut tables, f64::from(k) * 1e-3));
            assert!(tables.kept.len() <= KEPT_TABLES);
        }
        assert!(found(&mut tables, 0.999));
        assert_eq!(tables.kept.len(), KEPT_TABLES);
    }
}
