//! What the kernels of the measured models cost at least: operations and cycles per element, and bytes read and written.
//!
//! `cargo run --release -p neuropil-benches --example limits [-- MODEL...]` prints a row per kernel and precision, counted in the
//! kernels as machines are given them: functions expanded, what is the same for all elements left out. Cycles are those of
//! vector units that begin two simple operations a cycle, with the widths and divisions of `docs/performance.md`; together
//! with the figures of the bench `machine` they are the two limits of that page.

#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs, reason = "a program that prints a table")]

use std::collections::BTreeSet;
use std::process::ExitCode;

use neuropil::{Model, Precision};
use neuropil_benches::{PRECISIONS, model_file};
use neuropil_ir::{Access, At, Domain, Kernel, Op, Side};
use neuropil_kernels::{ProjectionShape, lower};
use neuropil_math::{BinaryOp, UnaryOp};
use toml::{Table, Value};

/// A vector unit.
struct Unit {
    /// Bytes of a vector.
    width: f64,
    /// Cycles from one division or square root of a whole vector to the next, single and double precision.
    slow: [f64; 2],
}

/// uops.info, VDIVPS and VDIVPD, Intel from Skylake on.
const AVX2: Unit = Unit { width: 32.0, slow: [5.0, 8.0] };
const AVX512: Unit = Unit { width: 64.0, slow: [10.0, 16.0] };
/// Simple operations that begin in one cycle.
const PORTS: f64 = 2.0;

fn main() -> ExitCode {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let networks = match include_str!("../networks.toml").parse::<Table>() {
        Ok(networks) => networks,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let models: BTreeSet<&str> =
        networks.values().filter_map(|network| network.get("model")).filter_map(Value::as_str).collect();
    println!(
        "| model | precision | kernel | over | simple | div, sqrt | words | samples | cycles AVX2 | cycles AVX-512 | bytes own | \
         bytes others' |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for model in models.iter().filter(|model| asked.is_empty() || asked.iter().any(|name| name == *model)) {
        for precision in PRECISIONS {
            if let Err(error) = print(model, precision) {
                eprintln!("error: {model}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// A row per kernel of a model. Numbers of elements do not change kernels, so it is taken as it ships.
fn print(name: &str, precision: Precision) -> Result<(), Box<dyn std::error::Error>> {
    let mut model = Model::read(model_file(name))?;
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
        let cost = Cost::of(body);
        let Cost { simple, slow, words, samples, own, others, .. } = cost;
        let (avx2, avx512) = (cost.cycles(&AVX2), cost.cycles(&AVX512));
        println!(
            "| {name} | {precision} | {} | {over} | {simple} | {slow} | {words} | {samples} | {avx2:.2} | {avx512:.2} | {own} | \
             {others} |",
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
    /// Bytes of the elements that simple operations work on, added up.
    simple_bytes: usize,
    /// Divisions and square roots in single and in double precision.
    slow_by_type: [usize; 2],
}

impl Cost {
    /// Cycles per element: what the vector unit cannot do faster. Its divider works beside the simple operations, so the
    /// longer of the two counts. Random numbers are measured, not counted.
    fn cycles(&self, unit: &Unit) -> f64 {
        let slow = |k: usize, size: f64| self.slow_by_type[k] as f64 * unit.slow[k] * size / unit.width;
        (self.simple_bytes as f64 / unit.width / PORTS).max(slow(0, 4.0) + slow(1, 8.0))
    }

    fn of(kernel: &Kernel) -> Self {
        let mut cost = Self::default();
        for (inst, uniform) in kernel.insts.iter().zip(kernel.uniform()) {
            if uniform {
                continue;
            }
            // Lanes are those of the widest type that takes part; truth values are masks beside them.
            let operands = inst.op.operands();
            let types = operands.iter().filter_map(|value| kernel.ty(*value)).chain(inst.ty);
            let size = types.map(|ty| ty.size()).max().unwrap_or(4).max(4);
            match &inst.op {
                Op::Unary(UnaryOp::Sqrt, _) | Op::Binary(BinaryOp::Div | BinaryOp::Rem, _, _) => {
                    cost.slow += 1;
                    cost.slow_by_type[usize::from(size > 4)] += 1;
                }
                Op::Unary(..)
                | Op::Binary(..)
                | Op::Compare(..)
                | Op::Fma(..)
                | Op::Select(..)
                | Op::Convert(_)
                | Op::Bitcast(_)
                | Op::Accumulate { .. } => {
                    cost.simple += 1;
                    cost.simple_bytes += size;
                }
                Op::Word { .. } => cost.words += 1,
                Op::Sample { .. } => cost.samples += 1,
                // Calls are expanded; loads and stores are counted below, once for each place.
                Op::Constant(_)
                | Op::Step
                | Op::Index(_)
                | Op::Call(..)
                | Op::Load { .. }
                | Op::Store { .. }
                | Op::Emit(_) => {}
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
