//! Built-in neuron, synapse and input models as model text.
//!
//! A model is a file of `models/`, written in the language of model files with a title, a reference and values
//! for all parameters; the table [`MODELS`] names it. A population names it with `neuron = "library:adex"`, or
//! `neuron = "adex"` if the file defines no neuron of that name; a `[neuron.NAME]` that begins with
//! `model = "library:adex"` takes from it what it does not say itself.
//!
//! Parameters that neurons of one population usually share are shared; those that make the difference between
//! kinds of neurons, such as `a`, `b`, `c`, `d` of Izhikevich's model, are per neuron. Inputs are neuron models
//! without equations, such as `poisson`.
//!
//! Architecture invariant: nothing here knows what a model means; the text is all there is.

use neuropil_source::{NetworkSource, NeuronSource, SynapseSource, read_str};

/// What a built-in model describes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A neuron, or an input.
    Neuron,
    /// A synapse.
    Synapse,
}

/// A built-in model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Model {
    /// What it describes.
    pub kind: Kind,
    /// Its name.
    pub name: &'static str,
    /// The text of a model file that defines it and nothing else.
    pub text: &'static str,
}

macro_rules! models {
    ($($kind:ident $folder:literal: $($name:literal),* $(,)?;)*) => {
        /// All built-in models, neurons before synapses, simple ones first.
        pub const MODELS: &[Model] = &[$($(Model {
            kind: Kind::$kind,
            name: $name,
            text: include_str!(concat!("../models/", $folder, "/", $name, ".toml")),
        },)*)*];
    };
}

models! {
    Neuron "neuron": "lif", "lif_curr_exp", "lif_curr_alpha", "lif_cond_exp", "qif", "theta", "izhikevich", "adex",
        "traub_miles", "rate_linear", "rate_relu", "rate_tanh", "poisson", "poisson_from_rate", "rate_from_spikes",
        "rate_in_window";
    Synapse "synapse": "static_voltage", "static_curr_exc", "static_curr_inh", "static_alpha_exc",
        "static_alpha_inh", "static_cond_exc", "static_cond_inh", "static_rate", "count_spikes", "count_in_window",
        "hebb", "covariance", "oja", "bcm", "stdp", "tsodyks_markram";
}

impl Model {
    /// The model as a network that consists of nothing else. Its title and reference are in the settings.
    #[must_use]
    pub fn source(&self) -> NetworkSource {
        read_str(&format!("library:{}", self.name), self.text).0
    }
}

/// The built-in neuron model called `name`, without places.
///
/// ```
/// let lif = neuropil_library::neuron("lif").unwrap();
/// assert_eq!(lif.threshold.unwrap().text, "v > Vt");
/// assert!(neuropil_library::neuron("no such model").is_none());
/// ```
#[must_use]
pub fn neuron(name: &str) -> Option<NeuronSource> {
    find(Kind::Neuron, name)?.neurons.pop()
}

/// The built-in synapse model called `name`, without places.
#[must_use]
pub fn synapse(name: &str) -> Option<SynapseSource> {
    find(Kind::Synapse, name)?.synapses.pop()
}

/// The names of all built-in neuron models.
pub fn neuron_names() -> impl Iterator<Item = &'static str> + Clone {
    names(Kind::Neuron)
}

/// The names of all built-in synapse models.
pub fn synapse_names() -> impl Iterator<Item = &'static str> + Clone {
    names(Kind::Synapse)
}

fn find(kind: Kind, name: &str) -> Option<NetworkSource> {
    MODELS.iter().find(|m| m.kind == kind && m.name == name).map(|m| m.source().without_places())
}

fn names(kind: Kind) -> impl Iterator<Item = &'static str> + Clone {
    MODELS.iter().filter(move |m| m.kind == kind).map(|m| m.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_is_read_without_a_word_and_defines_itself_alone() {
        for model in MODELS {
            let (source, diagnostics) = read_str(model.name, model.text);
            assert!(diagnostics.is_empty(), "{}", diagnostics.render(&source.files));
            let defined: Vec<(Kind, &str)> =
                (source.neurons.iter().map(|n| (Kind::Neuron, n.name.value.as_str())))
                    .chain(source.synapses.iter().map(|s| (Kind::Synapse, s.name.value.as_str())))
                    .collect();
            assert_eq!(defined, [(model.kind, model.name)]);
            assert!(source.constants.is_empty(), "a model stands on its own");
            assert!(source.settings.title.is_some() && source.settings.reference.is_some(), "{}", model.name);
        }
    }

    #[test]
    fn every_shared_constant_has_a_value() {
        for model in MODELS {
            let source = model.source();
            let (equations, values) = match model.kind {
                Kind::Neuron => (source.neurons[0].equations.clone(), source.neurons[0].parameters.clone()),
                Kind::Synapse => {
                    (source.synapses[0].equations.clone(), source.synapses[0].parameters.clone())
                }
            };
            let text = equations.map(|t| t.text).unwrap_or_default();
            let shared: Vec<&str> = text
                .lines()
                .filter(|line| line.contains("(shared, constant)"))
                .filter_map(|line| line.split(':').next())
                .map(str::trim)
                .collect();
            for name in &shared {
                assert!(
                    values.iter().any(|v| v.name.value == *name),
                    "`{name}` of {} has no value",
                    model.name
                );
            }
            for value in &values {
                assert!(
                    text.contains(&format!("{} :", value.name.value)),
                    "{} of {}",
                    value.name.value,
                    model.name
                );
            }
        }
    }

    #[test]
    fn names_are_unique_and_found() {
        for model in MODELS {
            assert_eq!(MODELS.iter().filter(|m| m.name == model.name).count(), 1);
        }
        assert!(neuron_names().all(|name| neuron(name).is_some()));
        assert!(synapse_names().all(|name| synapse(name).is_some()));
        assert!(neuron("stdp").is_none() && synapse("lif").is_none());
    }
}
