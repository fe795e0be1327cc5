//! Periodic code, rates of firing and binomial inputs in models that are built in Rust.

use neuropil_base::Text;
use neuropil_source::{FiringRateSource, InputKind, NeuronSource, PeriodicSource, SynapseSource};

use super::{Builder, Piece, named, text};

impl Builder {
    /// Adds `weight` times the events of `n` sources of one `rate` to a variable of every neuron of `target`, at each
    /// step: what so many Poisson inputs would do, drawn as one number.
    pub fn binomial_input(
        &mut self,
        name: &str,
        (target, variable): (&str, &str),
        n: u32,
        rate: &str,
        weight: &str,
    ) -> &mut Self {
        let mut field = |what: &str, value: &str| -> Text {
            text(&mut self.source, &format!("input {name}: {what}"), value)
        };
        let (n, rate, weight) = (field("n", &n.to_string()), field("rate", rate), field("weight", weight));
        let piece = self.input(name, InputKind::Binomial, None);
        piece.target = Some(named(target));
        piece.variable = Some(named(variable));
        (piece.n, piece.rate, piece.weight) = (Some(n), Some(rate), Some(weight));
        self
    }
}

impl<T> Piece<'_, T> {
    fn recurring(&mut self, name: &str, every: Option<&str>, code: &str) -> PeriodicSource {
        let code = self.text(name, code);
        let every = every.map(|e| self.text(&format!("{name}: every"), e));
        PeriodicSource { every, ..PeriodicSource::new(named(name), code) }
    }
}

impl Piece<'_, NeuronSource> {
    /// Statements for all neurons, at the start of every step.
    pub fn periodic(&mut self, name: &str, code: &str) -> &mut Self {
        let piece = self.recurring(name, None, code);
        self.change(|p| p.periodic.push(piece))
    }

    /// Statements for all neurons, once in a time: `10 ms`.
    pub fn periodic_every(&mut self, name: &str, every: &str, code: &str) -> &mut Self {
        let piece = self.recurring(name, Some(every), code);
        self.change(|p| p.periodic.push(piece))
    }

    /// A variable that holds how often the neuron spiked within the last `window`, in hertz.
    pub fn firing_rate(&mut self, name: &str, window: &str) -> &mut Self {
        let window = self.text(name, window);
        self.change(|p| p.firing_rates.push(FiringRateSource::new(named(name), window)))
    }
}

impl Piece<'_, SynapseSource> {
    /// Statements for all synapses, at the start of every step.
    pub fn periodic(&mut self, name: &str, code: &str) -> &mut Self {
        let piece = self.recurring(name, None, code);
        self.change(|p| p.periodic.push(piece))
    }

    /// Statements for all synapses, once in a time: `10 ms`.
    pub fn periodic_every(&mut self, name: &str, every: &str, code: &str) -> &mut Self {
        let piece = self.recurring(name, Some(every), code);
        self.change(|p| p.periodic.push(piece))
    }
}
