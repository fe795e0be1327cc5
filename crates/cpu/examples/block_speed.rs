//! Measures the engines on one step of 4000 neurons, in nanoseconds per neuron: Hodgkin-Huxley, integrate-and-fire, noise.
//!
//! The Hodgkin-Huxley model is that of Traub and Miles in Brette et al. 2007 ("COBAHH"), one step by exponential Euler:
//! six exponentials for the rates, four for the steps. Run it by
//! `cargo run --release -p neuropil-cpu --example block_speed`.

#![allow(clippy::print_stdout, reason = "it is what this program is for")]

use std::time::{Duration, Instant};

use neuropil_base::{Scalar, ScalarType};
use neuropil_cpu::block::{Block, Level, Workspace};
#[cfg(target_arch = "x86_64")]
use neuropil_cpu::x86;
use neuropil_cpu::{Elements, Slot};
use neuropil_ir::{At, Builder, Context, Domain, Kernel, Op, Side, ValueId, Verified, prepare};
use neuropil_math::{BinaryOp, CompareOp, Distribution, Emit, Function};

const N: usize = 4000;
const STEPS: u32 = 200;
const DT_MS: f64 = 0.1;

/// Arithmetic on one float type; units are mV, ms, nS, pF.
struct Model {
    b: Builder,
    ty: ScalarType,
}

impl Model {
    fn c(&mut self, x: f64) -> ValueId {
        self.b.constant(Scalar::from_f64(self.ty, x))
    }

    fn op(&mut self, op: BinaryOp, x: ValueId, y: ValueId) -> ValueId {
        self.b.binary(op, x, y)
    }

    fn scaled(&mut self, x: ValueId, by: f64) -> ValueId {
        let by = self.c(by);
        self.op(BinaryOp::Mul, x, by)
    }

    fn exp(&mut self, x: ValueId) -> ValueId {
        self.b.call(Function::Exp, vec![x], self.ty)
    }

    fn load(&mut self, name: &str) -> ValueId {
        let slot = self.b.slot(name, self.ty);
        self.b.load(slot, At::Side(Side::Own))
    }

    fn store(&mut self, name: &str, value: ValueId) {
        let slot = self.b.slot(name, self.ty);
        self.b.store(slot, At::Side(Side::Own), value);
    }

    /// `scale * x / (exp(x / width) - 1)` with `x = sign * (offset - u)`.
    fn linear_rate(&mut self, u: ValueId, [scale, offset, width, sign]: [f64; 4]) -> ValueId {
        let x = self.c(offset);
        let x = self.op(BinaryOp::Sub, x, u);
        let x = self.scaled(x, sign);
        let e = self.scaled(x, 1.0 / width);
        let e = self.exp(e);
        let one = self.c(1.0);
        let e = self.op(BinaryOp::Sub, e, one);
        let x = self.scaled(x, scale);
        self.op(BinaryOp::Div, x, e)
    }

    /// `exp((offset - u) / width)`
    fn exponential(&mut self, u: ValueId, offset: f64, width: f64) -> ValueId {
        let x = self.c(offset);
        let x = self.op(BinaryOp::Sub, x, u);
        let x = self.scaled(x, 1.0 / width);
        self.exp(x)
    }

    /// `x` one step nearer to `target`, at `rate`.
    fn relax(&mut self, x: ValueId, target: ValueId, rate: ValueId, dt: f64) -> ValueId {
        let e = self.scaled(rate, -dt);
        let e = self.exp(e);
        let d = self.op(BinaryOp::Sub, x, target);
        self.b.fma(d, e, target)
    }

    fn gate(&mut self, name: &str, x: ValueId, open: ValueId, close: ValueId) {
        let rate = self.op(BinaryOp::Add, open, close);
        let target = self.op(BinaryOp::Div, open, rate);
        let next = self.relax(x, target, rate, DT_MS);
        self.store(name, next);
    }

    fn product(&mut self, list: &[ValueId], scale: f64) -> ValueId {
        let mut p = self.c(scale);
        for x in list {
            p = self.op(BinaryOp::Mul, p, *x);
        }
        p
    }
}

fn hodgkin_huxley(ty: ScalarType) -> Kernel {
    let mut k = Model { b: Builder::new("hh", Domain::Elements), ty };
    let [v, m, h, n, ge, gi] = ["v", "m", "h", "n", "ge", "gi"].map(|name| k.load(name));
    let threshold = k.c(-63.0);
    let u = k.op(BinaryOp::Sub, v, threshold);
    let m_open = k.linear_rate(u, [0.32, 13.0, 4.0, 1.0]);
    let m_close = k.linear_rate(u, [0.28, 40.0, 5.0, -1.0]);
    let n_open = k.linear_rate(u, [0.032, 15.0, 5.0, 1.0]);
    let n_close = k.exponential(u, 10.0, 40.0);
    let n_close = k.scaled(n_close, 0.5);
    let h_open = k.exponential(u, 17.0, 18.0);
    let h_open = k.scaled(h_open, 0.128);
    let e = k.exponential(u, 40.0, 5.0);
    let (one, four) = (k.c(1.0), k.c(4.0));
    let e = k.op(BinaryOp::Add, e, one);
    let h_close = k.op(BinaryOp::Div, four, e);
    let g_na = k.product(&[m, m, m, h], 20_000.0);
    let g_k = k.product(&[n, n, n, n], 6_000.0);
    let (mut g, mut current) = (k.c(10.0), k.c(-600.0));
    for (conductance, reversal) in [(g_na, 50.0), (g_k, -90.0), (ge, 0.0), (gi, -80.0)] {
        g = k.op(BinaryOp::Add, g, conductance);
        let reversal = k.c(reversal);
        current = k.b.fma(conductance, reversal, current);
    }
    let target = k.op(BinaryOp::Div, current, g);
    let next = k.relax(v, target, g, DT_MS / 200.0);
    let limit = k.c(-20.0);
    let fires = k.b.compare(CompareOp::Gt, next, limit);
    k.store("v", next);
    k.gate("m", m, m_open, m_close);
    k.gate("h", h, h_open, h_close);
    k.gate("n", n, n_open, n_close);
    for (name, x, factor) in [("ge", ge, 0.980_198_673), ("gi", gi, 0.990_049_834)] {
        let x = k.scaled(x, factor);
        k.store(name, x);
    }
    k.b.emit(fires);
    k.b.finish()
}

/// A leaky integrator with two synaptic currents ("CUBA"), one exact step, threshold and reset.
fn cuba(ty: ScalarType) -> Kernel {
    let mut k = Model { b: Builder::new("cuba", Domain::Elements), ty };
    let [v, ge, gi] = ["v", "ge", "gi"].map(|name| k.load(name));
    let rest = k.c(-0.245);
    let leak = k.c(0.995_012_479);
    let x = k.b.fma(v, leak, rest);
    let (excitation, inhibition) = (k.c(0.004_925_58), k.c(0.004_962_688));
    let x = k.b.fma(ge, excitation, x);
    let x = k.b.fma(gi, inhibition, x);
    let (threshold, reset) = (k.c(-50.0), k.c(-60.0));
    let fires = k.b.compare(CompareOp::Gt, x, threshold);
    let x = k.b.select(fires, reset, x);
    k.store("v", x);
    for (name, x, factor) in [("ge", ge, 0.980_198_673), ("gi", gi, 0.990_049_834)] {
        let x = k.scaled(x, factor);
        k.store(name, x);
    }
    k.b.emit(fires);
    k.b.finish()
}

/// A leaky integrator driven by white noise: one normal number per neuron and step.
fn noisy(ty: ScalarType) -> Kernel {
    let mut k = Model { b: Builder::new("noisy", Domain::Elements), ty };
    let v = k.load("v");
    let words: Vec<ValueId> = (0..Distribution::Normal.words(ty) as u32)
        .map(|draw| k.b.pure(Op::Word { site: 1, draw, side: Side::Own }, ScalarType::I32))
        .collect();
    let noise = Distribution::Normal.expand(&mut k.b, ty, &words);
    let (leak, scale) = (k.c(0.99), k.c(0.1));
    let x = k.op(BinaryOp::Mul, v, leak);
    let x = k.b.fma(noise, scale, x);
    let (threshold, reset) = (k.c(1.0), k.c(0.0));
    let fires = k.b.compare(CompareOp::Gt, x, threshold);
    let x = k.b.select(fires, reset, x);
    k.store("v", x);
    k.b.emit(fires);
    k.b.finish()
}

/// An engine that is measured.
enum Engine {
    Block(Box<Block>),
    #[cfg(target_arch = "x86_64")]
    Machine(Box<x86::Kernel>),
}

impl Engine {
    fn run(
        &self,
        workspace: &mut Workspace,
        context: &Context,
        slots: &[Slot<'_>],
        events: &mut Vec<u32>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let elements = Elements::range(0, N);
        match self {
            Self::Block(block) => block.run(workspace, context, &elements, slots, events)?,
            #[cfg(target_arch = "x86_64")]
            Self::Machine(kernel) => {
                if !kernel.run(workspace, context, &elements, slots, events) {
                    return Err("the elements do not fit".into());
                }
            }
        }
        Ok(())
    }
}

/// Nanoseconds per neuron in the quickest step, and what the first variable of the first neuron is after the last.
fn measure<T: Copy + Into<f64> + Default>(
    engine: &Engine,
    start: &[T],
) -> Result<(f64, f64), Box<dyn std::error::Error>>
where
    for<'a> Slot<'a>: From<&'a mut [T]>,
{
    let mut workspace = Workspace::new();
    let mut best = f64::INFINITY;
    let mut v = 0.0;
    let mut events = Vec::new();
    for _ in 0..5 {
        let mut buffers: Vec<Vec<T>> = start.iter().map(|x| vec![*x; N]).collect();
        let slots: Vec<Slot<'_>> = buffers.iter_mut().map(|b| Slot::from(&mut b[..])).collect();
        for step in 0..STEPS {
            let context = Context { seed: 1, step: i64::from(step) };
            events.clear();
            let begin = Instant::now();
            engine.run(&mut workspace, &context, &slots, &mut events)?;
            best = best.min(begin.elapsed().as_secs_f64() * 1e9 / N as f64);
        }
        drop(slots);
        v = buffers[0][0].into();
    }
    Ok((best, v))
}

fn engines(kernel: &Verified) -> Vec<(String, Engine, Duration)> {
    let mut list = Vec::new();
    for level in Level::available() {
        let begin = Instant::now();
        let block = Block::compile_for(kernel, level);
        list.push((format!("block {}", level.name()), Engine::Block(Box::new(block)), begin.elapsed()));
    }
    #[cfg(target_arch = "x86_64")]
    for isa in x86::Isa::available() {
        let begin = Instant::now();
        if let Some(kernel) = x86::Kernel::compile_for(kernel, isa) {
            let name = format!("x86 {}", isa.name());
            list.push((name, Engine::Machine(Box::new(kernel)), begin.elapsed()));
        }
    }
    list
}

/// Makes a kernel for a float type.
type Make = fn(ScalarType) -> Kernel;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let models: [(Make, &[f64]); 3] = [
        (hodgkin_huxley, &[-60.3, 0.05, 0.6, 0.32, 10.0, 20.0]),
        (cuba, &[-55.0, 10.0, 5.0]),
        (noisy, &[0.0]),
    ];
    for (model, start) in models {
        for ty in [ScalarType::F32, ScalarType::F64] {
            let kernel = prepare(&model(ty))?;
            println!("{} {ty}: {} operations", kernel.name, kernel.insts.len());
            for (name, engine, compiled) in engines(&kernel) {
                let (ns, v) = if ty == ScalarType::F32 {
                    measure(&engine, &start.iter().map(|x| *x as f32).collect::<Vec<_>>())?
                } else {
                    measure(&engine, start)?
                };
                println!("  {name:15} {ns:6.2} ns per neuron and step (made in {compiled:.0?}; v = {v})");
            }
        }
    }
    Ok(())
}
