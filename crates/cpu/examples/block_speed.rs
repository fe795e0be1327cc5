//! Measures the block engine on one step of 4000 Hodgkin-Huxley neurons, in nanoseconds per neuron.
//!
//! The model is that of Traub and Miles in Brette et al. 2007 ("COBAHH"), one step by exponential Euler: six
//! exponentials for the rates, four for the steps. Run it by
//! `cargo run --release -p neuropil-cpu --example block_speed`.

#![allow(clippy::print_stdout, reason = "it is what this program is for")]

use std::time::Instant;

use neuropil_base::{Scalar, ScalarType};
use neuropil_cpu::block::{Block, Level, Workspace};
use neuropil_cpu::{Elements, Slot};
use neuropil_ir::{At, Builder, Context, Domain, Kernel, Side, ValueId, prepare};
use neuropil_math::{BinaryOp, CompareOp, Emit, Function};

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

/// Nanoseconds per neuron in the quickest step, and what `v` is after the last.
fn measure<T: Copy>(block: &Block, start: [T; 6]) -> Result<(f64, Vec<T>), Box<dyn std::error::Error>>
where
    for<'a> Slot<'a>: From<&'a mut [T]>,
{
    let mut workspace = Workspace::new();
    let mut best = f64::INFINITY;
    let mut v = Vec::new();
    for _ in 0..5 {
        let mut buffers = start.map(|x| vec![x; N]);
        let slots = buffers.each_mut().map(|b| Slot::from(&mut b[..]));
        let mut events = Vec::new();
        for step in 0..STEPS {
            let context = Context { seed: 1, step: i64::from(step) };
            let begin = Instant::now();
            block.run(&mut workspace, &context, &Elements::range(0, N), &slots, &mut events)?;
            best = best.min(begin.elapsed().as_secs_f64() * 1e9 / N as f64);
        }
        v = buffers[0].clone();
    }
    Ok((best, v))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let start = [-60.3, 0.05, 0.6, 0.32, 10.0, 20.0];
    for ty in [ScalarType::F32, ScalarType::F64] {
        let kernel = prepare(&hodgkin_huxley(ty))?;
        println!("{ty}: {} operations", kernel.insts.len());
        for level in Level::available() {
            let begin = Instant::now();
            let block = Block::compile_for(&kernel, level);
            let compiled = begin.elapsed();
            let (ns, v) = if ty == ScalarType::F32 {
                let (ns, v) = measure(&block, start.map(|x| x as f32))?;
                (ns, f64::from(v[0]))
            } else {
                let (ns, v) = measure(&block, start)?;
                (ns, v[0])
            };
            println!(
                "  {:8} {ns:6.2} ns per neuron and step (compiled in {compiled:.0?}; v = {v})",
                level.name()
            );
        }
    }
    Ok(())
}
