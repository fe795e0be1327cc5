//! The printed form of what is done when a model is run.

use std::fmt;

use super::network::{Owner, display_group};
use crate::{Act, Change, Network, StopCondition, Subnetwork};

/// Subnetworks, stop conditions and acts; nothing of an only run, whose duration stands among the settings.
pub(super) fn print(f: &mut fmt::Formatter<'_>, network: &Network) -> fmt::Result {
    for Subnetwork { name, objects } in &network.subnetworks {
        let names: Vec<&str> = objects.iter().map(|o| network.object_name(*o)).collect();
        writeln!(f, "\nnetwork {name}: {}", names.join(", "))?;
    }
    for (k, StopCondition { group, condition, at_least }) in network.stops.iter().enumerate() {
        let object = group.object;
        let condition = network.display_expr(object, condition, &[]);
        writeln!(f, "\nstop {k}: at least {at_least} of {} with {condition}", display_group(network, group))?;
    }
    if let [Act::Run { subnetwork: None, stop: None, .. }] = network.protocol.as_slice() {
        return Ok(());
    }
    writeln!(f, "\nprotocol")?;
    network.protocol.iter().try_for_each(|act| one(f, network, act))
}

fn one(f: &mut fmt::Formatter<'_>, network: &Network, act: &Act) -> fmt::Result {
    match act {
        Act::Run { subnetwork, duration, stop } => {
            write!(f, "  run {duration:?} s")?;
            if let Some(id) = subnetwork {
                write!(f, " of network {}", network.subnetworks[id.index()].name)?;
            }
            if let Some(id) = stop {
                write!(f, ", until stop {}", id.index())?;
            }
            writeln!(f)
        }
        Act::Set(Change { object, variable, range, value, span: _ }) => {
            let name = network.object_name(*object);
            write!(f, "  set {name}")?;
            if let Some((start, len)) = range {
                write!(f, "[{start}:{}]", u64::from(*start) + u64::from(*len))?;
            }
            write!(f, ".{}", network.variables(*object)[variable.index()].name)?;
            Owner::of(network, *object).initial(f, value, " = ")?;
            writeln!(f)
        }
        Act::Delay { projection, pathway, delay } => {
            let of = network.projection(*projection);
            write!(f, "  delay of {}.{}: ", of.name, of.pathways[*pathway].name)?;
            Owner::of(network, crate::ObjectId::Projection(*projection)).delay(f, delay)?;
            writeln!(f)
        }
        Act::Connect { projection, connect } => {
            write!(f, "  {} anew:", network.projection(*projection).name)?;
            Owner::of(network, crate::ObjectId::Projection(*projection)).connect(f, connect)
        }
        Act::Switch { objects, recorders, on } => {
            let objects = objects.iter().map(|o| network.object_name(*o));
            let recorders = recorders.iter().map(|r| network.recorder(*r).name.as_str());
            let names: Vec<&str> = objects.chain(recorders).collect();
            writeln!(f, "  switch {} {}", if *on { "on" } else { "off" }, names.join(", "))
        }
        Act::Store(name) => writeln!(f, "  store {name}"),
        Act::Restore(name) => writeln!(f, "  restore {name}"),
    }
}
