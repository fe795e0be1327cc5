//! How much memory a network takes while it is built, known before any of it is made.
//!
//! What is counted is what is there when the machine is loaded: variables, targets, delays in steps and columns of
//! all projections, and what making the largest of them needs besides. Rules over expressions are left out, since how
//! many synapses they make is not known; they are looked at when their turn comes.

use neuropil_connectivity::Shape;
use neuropil_model::{Delay, Endpoint, Extent, Network, Population, Projection, Variable};

use super::connect::{rule, shape_of};
use crate::BuildError;
use crate::pool::has_buffer;

/// Bytes of a target, or of the number of a synapse.
const NUMBER: u64 = 4;
/// Bytes of a delay in seconds, while it is rounded to steps.
const SECONDS: u64 = 8;

/// Bytes of something that is built.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Part {
    n_syn: u64,
    /// As long as the network is there.
    stays: u64,
    /// While it is made.
    passes: u64,
}

/// Refuses a network that does not fit into `available` bytes.
///
/// # Errors
/// [`BuildError::Memory`], which names the network's projections and the largest among them.
pub(super) fn check(network: &Network, available: Option<u64>) -> Result<(), BuildError> {
    let Some(available) = available else { return Ok(()) };
    let per_neuron = |p: &Population| per_element(&p.variables) * u64::from(p.size);
    let neurons: u64 = network.populations.iter().map(per_neuron).sum();
    if neurons > available {
        let largest = network.populations.iter().max_by_key(|p| per_neuron(p));
        let name = largest.map_or("", |p| p.name.as_str());
        let what = format!("the network's neurons, most of them of population `{name}`,");
        return Err(BuildError::Memory { what, needed: neurons, available });
    }
    let parts: Vec<Part> = network.projections.iter().map(part).collect();
    let passes = parts.iter().map(|part| part.passes).max().unwrap_or(0);
    let stays = parts.iter().fold(neurons, |sum, part| sum.saturating_add(part.stays));
    let needed = stays.saturating_add(passes);
    if needed <= available {
        return Ok(());
    }
    let n_syn = parts.iter().fold(0_u64, |sum, part| sum.saturating_add(part.n_syn));
    let largest = (0..parts.len()).max_by_key(|k| parts[*k].stays);
    let (name, most) = largest.map_or(("", 0), |k| (network.projections[k].name.as_str(), parts[k].n_syn));
    let what = match parts.len() {
        1 => format!("projection `{name}` with {n_syn} synapses"),
        n => format!("a network of {n_syn} synapses in {n} projections ({most} of them in `{name}`)"),
    };
    Err(BuildError::Memory { what, needed, available })
}

fn per_element(variables: &[Variable]) -> u64 {
    let stored = variables.iter().filter(|v| has_buffer(&v.kind) && v.extent != Extent::Shared);
    stored.map(|v| v.ty.size() as u64).sum()
}

fn part(projection: &Projection) -> Part {
    let Some(rule) = rule(&projection.connect) else { return Part::default() };
    let shape: Shape = shape_of(projection);
    let n_syn = rule.estimate_synapses(&shape);
    let own = |delay: &&Delay| match delay {
        Delay::None | Delay::Steps(_) => false,
        Delay::PerSynapse(_) | Delay::Column(_) | Delay::Values(_) => true,
    };
    let travels = projection.pathways.iter().map(|p| &p.delay).filter(own).count() as u64;
    let sums = projection.sums.iter().map(|s| &s.delay).filter(own).count() as u64;
    let has_columns = projection.pathways.iter().any(|p| p.on == Endpoint::Post);
    let columns = if has_columns { 2 * NUMBER } else { 0 };
    // Steps of a clock are seldom so short that a delay takes more than a byte.
    let each = NUMBER + per_element(&projection.variables) + travels + sums * NUMBER + columns;
    let offsets = 8 * (u64::from(shape.n_pre) + 1);
    let connecting = rule.estimate_bytes(&shape).saturating_sub(n_syn.saturating_mul(NUMBER));
    let rounding = if travels + sums > 0 { n_syn.saturating_mul(SECONDS) } else { 0 };
    Part {
        n_syn,
        stays: n_syn.saturating_mul(each).saturating_add(offsets),
        passes: connecting.max(rounding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = r#"
precision = "f32"
[neuron.cell]
equations = "dv/dt = -v/(10*ms) : 1"
threshold = "v > 1"
reset = "v = 0"
[synapse.push]
equations = "w : 1"
on_pre = "v_post += w"
[population.cells]
neuron = "cell"
size = 1000
[projection.few]
synapse = "push"
source = "cells"
target = "cells"
connect = { rule = "fixed_in_degree", n = 10 }
[projection.many]
synapse = "push"
source = "cells"
target = "cells"
connect = { rule = "fixed_total_number", n = 3000000000 }
weight = "rand()"
delay = "1*ms + rand()*ms"
"#;

    fn network() -> Network {
        let (source, read) = neuropil_source::read_str("test.toml", MODEL);
        let (network, said) = neuropil_sema::analyse(&source);
        assert!(read.is_empty() && said.is_empty());
        network.unwrap()
    }

    #[test]
    fn a_network_that_does_not_fit_is_refused_before_it_is_made() {
        let network = network();
        assert!(check(&network, None).is_ok());
        let synapses = 3_000_000_000 * (4 + 4 + 1 + 8);
        assert!(check(&network, Some(synapses + 1_000_000)).is_ok());
        let error = check(&network, Some(synapses - 1)).unwrap_err();
        let BuildError::Memory { needed, .. } = &error else { panic!("{error}") };
        assert!((synapses..synapses + 1_000_000).contains(needed), "{needed}");
        let what = "a network of 3000010000 synapses in 2 projections (3000000000 of them in `many`) needs";
        assert!(error.to_string().starts_with(what), "{error}");
    }

    #[test]
    fn neurons_that_do_not_fit_are_named() {
        let error = check(&network(), Some(3999)).unwrap_err();
        assert!(error.to_string().contains("most of them of population `cells`, needs"), "{error}");
    }
}
