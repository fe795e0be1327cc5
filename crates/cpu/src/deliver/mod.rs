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
//! [`Due`] is a calendar: when the events of a step are known, the buckets of their rows are entered at the steps in which
//! they arrive, and rows of the index are read front to back, once. So the additions know what comes. While one
//! bucket is added, sixteen synapses at a time, the lines of another are asked for that is some 8 KiB further on; what a
//! bucket gives is not combined with anything else, nor are additions of one bucket reordered.
//!
//! # How it is stored
//! Buckets have no headers and no padding, values first and then targets (2 bytes in shards of up to 65,536 neurons, else
//! 4): 6 bytes per synapse with `f32` weights, 10 with `f64`, 2 where all synapses give the same. A flat table of 4
//! bytes per row and delay says where they start. Where it would hold few synapses per entry, there is a byte (or two)
//! per synapse instead that says which delay it has.
//!
//! # What was measured
//! `examples/delivery_speed.rs` on one core of a Xeon with AVX-512, 2 MiB of second-level cache, 40,000 targets, other
//! programs at work on the same cores; nanoseconds per event. Rows of 1000 with one delay: 1.3 to 1.6 where synapses share
//! one value, 1.5 to 1.6 with `f32`, 1.7 to 1.9 with `f64`. Rows of 100: 1.2, 1.7, 2.8. Rows of 2000 in the shard over 50
//! delays, 40 synapses per bucket, as in the cortical microcircuit: 1.3 to 1.5, 1.6 to 2.1, 1.9 to 2.4.
//!
//! The calendar, on a Zen 4 with 1 MiB of second-level cache that ran tests at the same time: 0.1 for looking up in rows of 2000
//! over 50 delays, 12 to 15 in rows of 10 over 64. To look every bucket up in the step in which it arrives, one delay after the
//! other, took 0.2 to 0.3 and some 240.
//!
//! The same loops side by side, `f32`, with everything else equal (microcircuit; rows of 1000; rows of 100):
//!
//! | variant | 2000/50 | 1000 | 100 |
//! |---|---|---|---|
//! | no requests for memory | 4.5 | 1.4 | 3.4 |
//! | all of a bucket 8 KiB ahead at once | 1.4 | 1.6 | 1.7 |
//! | line by line while adding (this one) | 1.4 | 1.2 | 1.5 |
//! | by a distance in lines that is kept exactly, 4 to 16 KiB | 1.4 to 1.5 | 1.2 | 1.5 |
//! | values and targets in two arrays | 1.75 | 1.65 | |
//! | targets of 4 bytes | 1.55 | 1.75 | |
//! | four targets by one load | 1.46 | 1.6 | |
//! | pages of 4 KiB | 1.5 | | |
//! | from the caches, 20 buckets again and again | 0.7 | 1.2 | 1.1 |
//!
//! Distances from 2 to 32 KiB, chunks of 8 to 32 and the hints for the first or second level differ by less than the noise;
//! the non-temporal hint costs twice as much. The last line is the limit of the additions themselves: 0.7 where targets
//! stay in the first-level cache, 1.1 to 1.3 where each event takes another line of it from the second level.

mod build;
mod due;
mod group;
mod payload;
mod recognise;
mod rows;
#[cfg(test)]
mod tests;
mod walk;

pub use build::{BuildError, Member, Times, build, refresh};
pub use due::Due;
pub use group::{Deliveries, Group};
pub use payload::{Column, Ends};
pub use recognise::{Gate, Payload, StaticEffect, StaticKernel, StaticValue, Uniform};
pub use rows::ShardRows;
pub use walk::{Deposit, Given};
