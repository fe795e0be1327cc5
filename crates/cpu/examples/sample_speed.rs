//! Measures samples in the block engine, in nanoseconds per sample: word, sample and the sum that uses it.
//!
//! Run it by `cargo run --release -p neuropil-cpu --example sample_speed`.

#![allow(clippy::print_stdout, reason = "it is what this program is for")]

use std::time::Instant;

use neuropil_base::{Scalar, ScalarType};
use neuropil_cpu::block::{Block, Level, Workspace};
use neuropil_cpu::{Elements, Slot};
use neuropil_ir::{At, Builder, Context, Domain, Kernel, Sampler, Side, prepare};
use neuropil_math::Emit;

const N: usize = 10_000;
const STEPS: u32 = 100;

/// What is sampled: with parameters that are the same for all, or that each element has.
struct Case {
    name: &'static str,
    sampler: Option<Sampler>,
    parameters: &'static [(f64, f64)],
    is_each: bool,
}

/// `out += sample`
fn kernel(case: &Case) -> Kernel {
    let mut b = Builder::new("sample", Domain::Elements);
    let out = b.slot("out", ScalarType::I32);
    let args = case.parameters.iter().enumerate().map(|(k, (low, _))| {
        if case.is_each {
            let slot = b.slot(&format!("arg{k}"), ScalarType::F64);
            b.load(slot, At::Side(Side::Own))
        } else {
            b.constant(Scalar::F64(*low))
        }
    });
    let args = args.collect();
    let sample = match case.sampler {
        Some(sampler) => b.sample(sampler, 1, Side::Own, args),
        None => b.word(1, 0, Side::Own),
    };
    b.store(out, At::Side(Side::Own), sample);
    b.finish()
}

fn measure(case: &Case, level: Level) -> Result<(f64, f64), Box<dyn std::error::Error>> {
    let block = Block::compile_for(&prepare(&kernel(case))?, level);
    let mut out = vec![0_i32; N];
    let mut parameters: Vec<Vec<f64>> = Vec::new();
    if case.is_each {
        for (low, high) in case.parameters {
            parameters.push((0..N).map(|i| low + (high - low) * i as f64 / N as f64).collect());
        }
    }
    let (mut best, mut sum) = (f64::INFINITY, 0.0);
    let mut workspace = Workspace::new();
    for step in 0..STEPS {
        let mut slots = vec![Slot::from(&mut out[..])];
        slots.extend(parameters.iter_mut().map(|list| Slot::from(&mut list[..])));
        let context = Context { seed: 1, step: i64::from(step) };
        let begin = Instant::now();
        block.run(&mut workspace, &context, &Elements::range(0, N), &slots, &mut Vec::new())?;
        best = best.min(begin.elapsed().as_secs_f64() * 1e9 / N as f64);
        sum += out.iter().map(|x| f64::from(*x)).sum::<f64>();
    }
    Ok((best, sum / (f64::from(STEPS) * N as f64)))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (poisson, binomial) = (Some(Sampler::Poisson), Some(Sampler::Binomial));
    let one = |name, sampler, parameters| Case { name, sampler, parameters, is_each: false };
    let each = |name, sampler, parameters| Case { name, sampler, parameters, is_each: true };
    let cases = [
        one("word", None, &[]),
        one("poisson(1.6)", poisson, &[(1.6, 1.6)]),
        one("poisson(8)", poisson, &[(8.0, 8.0)]),
        one("poisson(50)", poisson, &[(50.0, 50.0)]),
        one("poisson(200)", poisson, &[(200.0, 200.0)]),
        each("poisson(each 1.5..1.7)", poisson, &[(1.5, 1.7)]),
        each("poisson(each 0..10)", poisson, &[(0.0, 10.0)]),
        each("poisson(each 40..60)", poisson, &[(40.0, 60.0)]),
        each("poisson(each 100..200)", poisson, &[(100.0, 200.0)]),
        one("binomial(200, 0.01)", binomial, &[(200.0, 200.0), (0.01, 0.01)]),
        one("binomial(1000, 0.3)", binomial, &[(1000.0, 1000.0), (0.3, 0.3)]),
        each("binomial(each 5, 0.3..0.7)", binomial, &[(5.0, 5.0), (0.3, 0.7)]),
        each("binomial(each 1000, 0.3..0.7)", binomial, &[(1000.0, 1000.0), (0.3, 0.7)]),
    ];
    for level in Level::available() {
        println!("{}", level.name());
        for case in &cases {
            let (ns, mean) = measure(case, level)?;
            println!("  {:30} {ns:8.2} ns   mean {mean:.3}", case.name);
        }
    }
    Ok(())
}
