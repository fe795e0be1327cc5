//! What the kernels of every measured network cost at least: operations per element, and bytes that they read and write.
//!
//! `cargo run --release -p neuropil-benches --example limits [-- NETWORK...]` prints a row per kernel and precision, counted in the
//! kernels as machines are given them: functions expanded, what is the same for all elements left out. Together with the
//! figures of the bench `machine` they are the two limits of `docs/performance.md`.

#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs, reason = "a program that prints a table")]

use std::process::ExitCode;

use neuropil::{Model, Precision};
use neuropil_benches::{PRECISIONS, model_file};
use neuropil_ir::{Access, At, Domain, Kernel, Op, Side};
use neuropil_kernels::{ProjectionShape, lower};
use neuropil_math::{BinaryOp, UnaryOp};
use toml::{Table, Value};

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let text = include_str!("../networks.toml");
    let networks = match text.parse::<Table>() {
        Ok(networks) => networks,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!(
        "| network | precision | kernel | over | simple | div, sqrt | words | samples | bytes own | bytes others' |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (name, network) in networks.iter().filter(|(name, _)| asked.is_empty() || asked.contains(name)) {
        for precision in PRECISIONS {
            if let Err(error) = print(name, network, precision) {
                eprintln!("error: {name}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// A row per kernel of a network. Numbers of elements do not change kernels, so the model is taken as it ships.
fn print(name: &str, network: &Value, precision: Precision) -> Result<(), Box<dyn std::error::Error>> {
    let model = network.get("model").and_then(Value::as_str).ok_or("no model")?;
    let mut model = Model::read(model_file(model))?;
    model.set_precision(precision);
    let (network, _) = model.network()?;
    let program = lower(&network, &vec![ProjectionShape::default(); network.projections.len()])?;
    for kernel in &program.kernels {
        let body = kernel.body.kernel();
        let over = match body.domain {
            Domain::Elements => "elements",
            Domain::Synapses => "synapses",
            Domain::Pairs => "pairs",
        };
        let Cost { simple, slow, words, samples, own, others } = Cost::of(body);
        println!(
            "| {name} | {precision} | {} | {over} | {simple} | {slow} | {words} | {samples} | {own} | {others} |",
            body.name
        );
    }
    Ok(())
}

/// What one element costs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Cost {
    /// Operations that a vector unit starts every cycle, loads and stores aside.
    simple: usize,
    /// Divisions and square roots, which it does not.
    slow: usize,
    /// Random words.
    words: usize,
    /// Samples with a varying number of words.
    samples: usize,
    /// Bytes at the element's own place, read and written.
    own: usize,
    /// Bytes at other places, such as those of the postsynaptic neuron.
    others: usize,
}

impl Cost {
    fn of(kernel: &Kernel) -> Self {
        let mut cost = Self::default();
        for (inst, uniform) in kernel.insts.iter().zip(kernel.uniform()) {
            if uniform {
                continue;
            }
            match &inst.op {
                Op::Unary(UnaryOp::Sqrt, _) | Op::Binary(BinaryOp::Div | BinaryOp::Rem, _, _) => {
                    cost.slow += 1
                }
                Op::Unary(..)
                | Op::Binary(..)
                | Op::Compare(..)
                | Op::Fma(..)
                | Op::Select(..)
                | Op::Convert(_)
                | Op::Bitcast(_) => cost.simple += 1,
                Op::Word { .. } => cost.words += 1,
                Op::Sample { .. } => cost.samples += 1,
                // What is the same for all elements was passed over; calls are expanded; loads and stores are counted
                // below, once for each place.
                Op::Constant(_) | Op::Step | Op::Index(_) | Op::Call(..) | Op::Load { .. } => {}
                Op::Store { .. } | Op::Emit(_) => {}
                Op::Accumulate { .. } => cost.simple += 1,
            }
        }
        for (slot, at, access) in kernel.accesses() {
            let size = kernel.slots.get(slot.index()).map_or(0, |slot| slot.ty.size());
            let bytes = if matches!(access, Access::Accumulate(_)) { 2 * size } else { size };
            match at {
                At::Side(Side::Own) => cost.own += bytes,
                At::Side(Side::Pre | Side::Post) | At::Value(_) => cost.others += bytes,
                At::Scalar => {}
            }
        }
        cost
    }
}
