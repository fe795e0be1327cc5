//! Names, units and types: what was typed becomes a typed model, or diagnostics.
//!
//! * [`analyse`]: a whole [`NetworkSource`] to a [`Network`].
//! * [`expression`]: one expression over the variables of a finished network, for values that are set
//!   from text while it runs.
//! * [`constants`]: the constants of a model with their values.
//! * [`CODES`]: every diagnostic, with its meaning.
//!
//! Architecture invariant: nothing here panics, whatever was typed; every mistake is a diagnostic, and all of
//! them are found, not the first. Nothing here knows how a network is stored or run.

mod analysis;
mod binomial;
mod block;
mod builtin;
mod cable;
mod call;
mod code;
mod connect;
mod constant;
mod declare;
mod dim;
mod ends;
mod entry;
mod equation;
mod finish;
mod firing_rate;
mod grid;
mod initial;
mod input;
mod link;
mod morphology;
mod pathway;
mod periodic;
mod placement;
mod population;
mod projection;
mod protocol;
mod recorder;
mod rewire;
mod scope;
mod shape;
mod substitute;
mod sums;
mod typing;
mod values;

pub use code::CODES;
pub use entry::{Checked, Constants, Expected, constants, expression};

use neuropil_base::Diagnostics;
use neuropil_model::Network;
use neuropil_source::NetworkSource;

/// The network that `source` describes, and what is wrong with the description, in the order of the text.
///
/// There is a network if and only if there are no errors and nothing was left empty by the reader, which
/// has reported it.
///
/// ```
/// let text = r#"
/// [constants]
/// tau = "20 ms"
///
/// [neuron.lif]
/// equations = "dv/dt = (10*mV - v)/tau : volt"
/// threshold = "v > 9*mV"
/// reset = "v = 0*mV"
///
/// [population.cells]
/// neuron = "lif"
/// size = 100
/// "#;
/// let (source, diagnostics) = neuropil_source::read_str("small.toml", text);
/// assert!(diagnostics.is_empty());
/// let (network, diagnostics) = neuropil_sema::analyse(&source);
/// assert!(diagnostics.is_empty());
/// assert_eq!(network.unwrap().populations[0].events[0].name, "spike");
/// ```
#[must_use]
pub fn analyse(source: &NetworkSource) -> (Option<Network>, Diagnostics) {
    analysis::Analysis::new(source).run()
}
