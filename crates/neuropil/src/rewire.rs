//! Rules of the builder by which synapses appear and disappear while the network runs.

use neuropil_base::{Span, Spanned};
use neuropil_source::{Assignment, RewireSource, ValueSource};

/// A rule by which synapses appear or disappear: [`create`](crate::Piece::create) and [`prune`](crate::Piece::prune)
/// of a synapse model take it.
///
/// ```
/// use neuropil::{Builder, Connect, Cpu, Options, Rewire};
///
/// let mut net = Builder::new("growth");
/// net.dt("1 ms").seed(1);
/// net.neuron("cell").equations("x : 1");
/// net.population("cells", "cell", 10).initial("x", "i");
/// net.synapse("plastic")
///     .equations("dw/dt = -w/(10*ms) : 1")
///     .prune(Rewire::when("w < 0.1"))
///     .create(Rewire::when("i == j + 1 and x_pre > 5").probability("0.2").every("5 ms").initial("w", "1"));
/// net.projection("p", "plastic", "cells", "cells").connect(Connect::pairs([(0, 1)])).weight("0.5");
///
/// let mut simulation = net.model().simulate(&Cpu, &Options::default())?;
/// simulation.run(0.1)?;
/// assert!(simulation.synapses("p")?.iter().all(|s| s.pre == s.post + 1 && s.pre > 5));
/// # Ok::<(), neuropil::Error>(())
/// ```
///
/// A program can do the same itself, between runs ([`Simulation::prune`](crate::Simulation::prune),
/// [`Simulation::create`](crate::Simulation::create)) or in the middle of a step ([`Host::prune`](crate::Host::prune),
/// [`Host::create`](crate::Host::create)):
///
/// ```
/// # use neuropil::{Builder, Connect, Cpu, Options};
/// let mut net = Builder::new("surgery");
/// net.dt("1 ms").host("surgeon", "end", Some("10 ms"));
/// net.neuron("cell").equations("x : 1");
/// net.population("cells", "cell", 4);
/// net.synapse("fading").equations("dw/dt = -w/(10*ms) : 1");
/// net.projection("p", "fading", "cells", "cells").connect(Connect::one_to_one()).weight("1 + i");
///
/// let mut simulation = net.model().simulate(&Cpu, &Options::default())?;
/// simulation.prune("p", |synapse| synapse.pre == 3)?;
/// simulation.bind("surgeon", |host| {
///     let w = host.values("p.w")?;
///     let lost = host.prune("p", |synapse| w[synapse.number] < 0.5)?;
///     // As many new ones come from neuron 3, each of weight 2.
///     host.create("p", &vec![(3, 0); lost], &[("w", &[2.0])])?;
///     Ok(())
/// })?;
/// simulation.run(0.011)?;
/// assert_eq!(simulation.synapses("p")?.iter().map(|s| s.pre).collect::<Vec<_>>(), [1, 2, 3]);
/// # Ok::<(), neuropil::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Rewire {
    pub(crate) rule: RewireSource,
}

impl Rewire {
    /// For all synapses, or pairs, for which a condition holds: of synapses, over their variables and those of both
    /// neurons; of pairs, over `i`, `j` and variables of both neurons.
    #[must_use]
    pub fn when(condition: &str) -> Self {
        let mut rule = RewireSource::new(Span::NONE);
        rule.condition = Some(condition.into());
        Self { rule }
    }

    /// How probable it is for each of them: a number or an expression.
    #[must_use]
    pub fn probability(mut self, probability: &str) -> Self {
        self.rule.probability = Some(probability.into());
        self
    }

    /// The time between two looks; without it, at every step.
    #[must_use]
    pub fn every(mut self, every: &str) -> Self {
        self.rule.every = Some(every.into());
        self
    }

    /// Where in the step: a slot and the order within it; without it, in the slot `end`.
    #[must_use]
    pub fn at(mut self, when: &str, order: i64) -> Self {
        self.rule.when = Some(Spanned::new(when.to_owned(), Span::NONE));
        self.rule.order = Some(Spanned::new(order, Span::NONE));
        self
    }

    /// What a variable of new synapses begins with, where that is not what the projection says.
    #[must_use]
    pub fn initial(mut self, variable: &str, value: &str) -> Self {
        let name = Spanned::new(variable.to_owned(), Span::NONE);
        self.rule.initial.push(Assignment { name, value: ValueSource::Expression(value.into()) });
        self
    }

    /// Without synapses of a neuron onto itself.
    #[must_use]
    pub fn without_self_connections(mut self) -> Self {
        self.rule.self_connections = Some(Spanned::new(false, Span::NONE));
        self
    }

    /// Also where there is a synapse already.
    #[must_use]
    pub fn with_multapses(mut self) -> Self {
        self.rule.multapses = Some(Spanned::new(true, Span::NONE));
        self
    }
}
