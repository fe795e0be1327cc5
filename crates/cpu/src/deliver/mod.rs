//! Static delivery: spikes whose synapses do nothing but add known values to their targets.
//!
//! Most synapses of most networks never change and do one thing: `g_post += w`. Then a kernel is not needed. A
//! [`StaticKernel`] says what is accumulated where; values that differ between synapses are computed once, when a
//! program is loaded, and stored beside the targets. [`Deliveries`] finds such operations in a program and joins those
//! that one event reaches together, so that what it touches lies in one piece. [`ShardRows`] holds the synapses
//! that end in one shard, sorted by row and delay: what one spike delivers in one step is one piece of memory that is
//! read once, front to back, and added in order to one slice of one buffer, which stays in the second-level cache.
//!
//! The order of additions is the one that defines the meaning of a program, for any number of shards: per operation, the
//! longest delay first, then by presynaptic neuron, then in canonical order.
//!
//! # What a step does
//! [`Due`] first looks up all buckets that are due, asking for the next lines of the index while it goes; the
//! additions then know what comes, and ask for memory some kilobytes ahead.
//!
//! Buckets are stored without headers, values first and then targets (2 bytes in shards of up to 65,536 neurons, else
//! 4): 6 bytes per synapse with `f32` weights, 2 where all synapses give the same.

mod build;
mod group;
mod payload;
mod recognise;
mod rows;
#[cfg(test)]
mod tests;
mod walk;

pub use build::{BuildError, Member, Times, build, refresh};
pub use group::{Deliveries, Group};
pub use payload::{Column, Ends};
pub use recognise::{Gate, Payload, StaticEffect, StaticKernel, StaticValue, Uniform};
pub use rows::ShardRows;
pub use walk::{Deposit, Due, Given};
