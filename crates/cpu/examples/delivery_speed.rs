//! Measures static delivery, in nanoseconds of one core per synaptic event, on structures much larger than any cache.
//!
//! Rows of 10, 100 and 1000 synapses with one delay or 64, and rows as those of the cortical microcircuit: 2000 synapses
//! in the shard, 50 delays. Run it by `cargo run --release -p neuropil-cpu --example delivery_speed`; words behind `--`
//! choose cases by their names. It builds half a gigabyte at a time, and says how long that takes.

#![allow(clippy::print_stdout, reason = "it is what this program is for")]

use std::time::Instant;

use neuropil_base::{Scalar, ScalarType};
use neuropil_connectivity::{Csr, Steps, Storage};
use neuropil_cpu::Slot;
use neuropil_cpu::deliver::{BuildError, Column, Deposit, Due, Ends, Given, Member, ShardRows, Times, build};
use neuropil_ir::Accumulation;
use neuropil_memory::HostBuffer;

/// Target neurons, all in one shard.
const N_POST: u32 = 40_000;
/// Steps that are measured; what one in ten is quicker than counts, so that other programs disturb little.
const STEPS: usize = 200;

struct Case {
    name: &'static str,
    row: usize,
    delays: u32,
    /// Synapses, in millions.
    millions: usize,
    /// Events per step.
    events: usize,
}

const CASES: &[Case] = &[
    Case { name: "10", row: 10, delays: 1, millions: 40, events: 4000 },
    Case { name: "100", row: 100, delays: 1, millions: 40, events: 500 },
    Case { name: "1000", row: 1000, delays: 1, millions: 40, events: 100 },
    Case { name: "10/64", row: 10, delays: 64, millions: 40, events: 1000 },
    Case { name: "100/64", row: 100, delays: 64, millions: 40, events: 400 },
    Case { name: "1000/64", row: 1000, delays: 64, millions: 40, events: 50 },
    Case { name: "2000/50", row: 2000, delays: 50, millions: 100, events: 25 },
];

/// What a synapse gives.
const KINDS: &[(&str, Option<ScalarType>)] =
    &[("none", None), ("f32", Some(ScalarType::F32)), ("f64", Some(ScalarType::F64))];

/// Numbers without pattern, quickly made.
struct Mixed(u64);

impl Mixed {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (((self.0 >> 32) * u64::from(limit)) >> 32) as u32
    }
}

fn structure(case: &Case, mixed: &mut Mixed) -> Csr {
    let n_pre = case.millions * 1_000_000 / case.row;
    // Ascending targets, about evenly spread.
    let gap = N_POST / case.row as u32;
    let mut targets = Vec::with_capacity(n_pre * case.row);
    for _ in 0..n_pre {
        targets.extend((0..case.row as u32).map(|k| k * gap + mixed.below(gap)));
    }
    let offsets = (0..=n_pre).map(|row| row * case.row).collect();
    Csr::from_parts(n_pre as u32, N_POST, offsets, targets).unwrap_or_else(|_| Csr::empty(0, N_POST))
}

fn values(ty: ScalarType, len: usize, mixed: &mut Mixed) -> HostBuffer {
    let mut buffer = HostBuffer::new(ty, len);
    let mut next = || f64::from(mixed.below(1 << 20)) * 1e-6;
    match ty {
        ScalarType::F32 => buffer.as_mut_slice::<f32>().iter_mut().for_each(|x| *x = next() as f32),
        ScalarType::F64 => buffer.as_mut_slice::<f64>().iter_mut().for_each(|x| *x = next()),
        ScalarType::Bool | ScalarType::I32 | ScalarType::I64 => {}
    }
    buffer
}

/// The time per event of looking up and of adding, in nanoseconds.
fn measure(case: &Case, rows: &ShardRows, ty: Option<ScalarType>, mixed: &mut Mixed) -> (f64, f64) {
    let n_pre = (case.millions * 1_000_000 / case.row) as u32;
    let mut target = HostBuffer::new(ty.unwrap_or(ScalarType::F32), N_POST as usize);
    let longest = case.delays as usize;
    let emitted: Vec<Vec<u32>> = (0..STEPS + longest)
        .map(|_| {
            let mut list: Vec<u32> = (0..case.events).map(|_| mixed.below(n_pre)).collect();
            list.sort_unstable();
            list.dedup();
            list
        })
        .collect();
    let mut due = Due::default();
    let (mut looked, mut added) = (Vec::new(), Vec::new());
    for step in longest..longest + STEPS {
        let start = Instant::now();
        for emitted_at in due.turn(rows, step as i64, (0, i64::MAX)) {
            due.enter(rows, emitted_at, [emitted[emitted_at as usize].as_slice()]);
        }
        let count: u32 = due.buckets().iter().map(|(start, end)| end - start).sum();
        let middle = Instant::now();
        let (given, target) = match ty {
            None => (Given::Uniform(Scalar::F32(0.5)), Slot::from(target.as_mut_slice::<f32>())),
            Some(ScalarType::F64) => (Given::Column(0), Slot::from(target.as_mut_slice::<f64>())),
            Some(_) => (Given::Column(0), Slot::from(target.as_mut_slice::<f32>())),
        };
        rows.deposit(due.buckets(), &Deposit { with: Accumulation::Add, given, gate: None, target });
        added.push(middle.elapsed().as_secs_f64() / f64::from(count) * 1e9);
        looked.push((middle - start).as_secs_f64() / f64::from(count) * 1e9);
        due.done();
    }
    looked.sort_by(f64::total_cmp);
    added.sort_by(f64::total_cmp);
    (looked[STEPS / 10], added[STEPS / 10])
}

fn main() -> Result<(), BuildError> {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    println!("{N_POST} targets; ns per event, the tenth percentile of {STEPS} steps");
    println!(
        "{:>8} {:>6} {:>12} {:>9} {:>9} {:>9} {:>14}",
        "row", "value", "bytes/syn", "look up", "add", "both", "build ns/syn"
    );
    for case in CASES {
        if !chosen.is_empty() && !chosen.iter().any(|name| name == case.name) {
            continue;
        }
        let mut mixed = Mixed(88_172_645_463_325_252);
        let rows = Storage::Csr(structure(case, &mut mixed));
        let n_syn = case.millions * 1_000_000;
        let delays: Vec<u32> = if case.delays == 1 {
            Vec::new()
        } else {
            (0..n_syn).map(|_| 1 + mixed.below(case.delays)).collect()
        };
        let delays = Steps::from(delays);
        for (kind, ty) in KINDS {
            let weights = ty.map(|ty| values(ty, n_syn, &mut mixed));
            let times = if case.delays == 1 { Times::Steps(1) } else { Times::PerSynapse(&delays) };
            let ends = Ends { rows: &rows, pre_start: 0, post_start: 0 };
            let columns = weights.iter().map(Column::there).collect();
            let start = Instant::now();
            let shards = build(&[Member { ends, times, columns }], &[0, N_POST])?;
            let built = start.elapsed().as_secs_f64() / n_syn as f64 * 1e9;
            let bytes = shards[0].bytes() as f64 / n_syn as f64;
            let (looked, added) = measure(case, &shards[0], *ty, &mut mixed);
            let both = looked + added;
            println!(
                "{:>8} {kind:>6} {bytes:>12.2} {looked:>9.3} {added:>9.3} {both:>9.3} {built:>14.2}",
                case.name
            );
        }
    }
    Ok(())
}
