//! The vector emitter for x86-64: a body as machine code that keeps all its values in registers.
//!
//! A body is compiled in three steps: [`select`] chooses vector instructions for it, over as many values as are
//! wanted; [`allocate`] gives them registers, as [`encode`] and [`serial`] write them down by the assembler of
//! `iced-x86`. Code is position independent: it finds everything by a table, which is set before each call, and
//! its constants by an address in that table. There is one code for each shape of elements, made when it is
//! first wanted.
//!
//! Values that all elements share are computed once per call by the evaluator of `neuropil_ir`. Random words
//! and samples are filled in before the code runs, for [`CHUNK`] elements at a time, by what the block engine uses
//! too; where the parameters of samples are computed, a first code computes them.
//!
//! What the emitter leaves to the block engine, whose results are the same:
//!
//! | kernel or call | reason |
//! |---|---|
//! | elements that must run one after the other (`Kernel::order_dependence`) | one lane at a time gains nothing |
//! | samples whose parameters depend on other samples, or on what the kernel wrote before | they would take one code each |
//! | frames of more than 512 spilled registers | |
//! | calls whose numbers lie outside of a buffer, and gathers from buffers of more than 2^31 elements | checked per call |
//!
//! Division of 64-bit integers, and with AVX2 the conversions between 64-bit integers and floats that AVX2 lacks,
//! go through lanes one by one.

mod allocate;
mod asm;
mod encode;
mod family;
mod pages;
mod plain;
mod plan;
mod program;
mod run;
mod select;
mod serial;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use neuropil_ir::{Side, Verified, prepare};

use crate::block::Level;
use crate::cache::KernelCache;
use crate::elements::{Elements, Numbers};

use pages::Pages;
use plain::{PlainCode, PlainCodes};
use plan::Plan;
use program::Entry;
use select::{Job, Shape};

pub use program::Isa;
pub(crate) use run::{Binding, Scratch};

/// Elements that run together where lanes are filled before: what the block engine takes, for the same reasons.
pub(crate) const CHUNK: usize = crate::block::BLOCK;

impl Isa {
    /// The instruction sets of this machine, the widest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let levels = Level::available();
        let has = |isa: &Self| levels.iter().any(|level| level.name() == isa.name());
        [Self::Avx512, Self::Avx2].into_iter().filter(has).collect()
    }

    /// `avx2` or `avx512`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

/// A body as machine code. It can be shared between threads.
#[derive(Debug)]
pub struct Kernel {
    plan: Plan,
    isa: Isa,
    /// What fills lanes.
    level: Level,
    /// By the shapes of the three sides.
    codes: Vec<OnceLock<Option<Codes>>>,
    /// Where code is kept for other processes.
    cache: Option<Arc<KernelCache>>,
}

/// The code for one shape of elements.
#[derive(Debug)]
struct Codes {
    /// Computes the parameters of samples.
    parameters: Option<Code>,
    body: Code,
}

/// A function, and the table that it takes.
#[derive(Debug)]
struct Code {
    pages: Pages,
    /// What the table holds of buffers and elements, by place.
    entries: Vec<(i32, Entry)>,
    /// What it holds that changes from call to call, by place.
    changing: Vec<(i32, Changing)>,
    /// The length of the table in bytes.
    table: i32,
    lanes: usize,
    isa: Isa,
}

/// What a table holds that changes from call to call.
#[derive(Clone, Copy, Debug)]
enum Changing {
    /// A value that all elements share.
    Shared(u32),
    /// The address of a lane.
    Lane(u32),
}

impl Kernel {
    /// Prepares a body for the widest instruction set of this machine. `None` if there is none, or the body is one
    /// for the block engine.
    #[must_use]
    pub fn compile(kernel: &Verified) -> Option<Self> {
        Self::compile_for(kernel, Isa::available().into_iter().next()?)
    }

    /// The same, with code taken from a cache where that has it, and kept there where it does not.
    #[must_use]
    pub fn cached(self, cache: Option<Arc<KernelCache>>) -> Self {
        Self { cache, ..self }
    }

    /// Prepares a body for an instruction set. `None` if this machine does not have it, or the body is one for the block
    /// engine.
    #[must_use]
    pub fn compile_for(kernel: &Verified, isa: Isa) -> Option<Self> {
        // Preparing a verified kernel cannot fail.
        Self::of_prepared(prepare(kernel).ok()?, isa)
    }

    /// The same for a kernel that has been prepared.
    pub(crate) fn of_prepared(kernel: Verified, isa: Isa) -> Option<Self> {
        let level = Level::available().into_iter().find(|level| level.name() == isa.name())?;
        let plan = Plan::new(kernel)?;
        let codes = (0..64).map(|_| OnceLock::new()).collect();
        Some(Self { plan, isa, level, codes, cache: None })
    }

    /// The instruction set that it was made for.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// How the numbers of the sides that matter are told.
    fn shapes(&self, elements: &Elements<'_>) -> [Shape; 3] {
        [Side::Own, Side::Pre, Side::Post].map(|side| {
            if !self.plan.sides[side as usize] {
                return Shape::From;
            }
            match elements.numbers(side) {
                Numbers::From(_) => Shape::From,
                Numbers::Same(_) => Shape::Same,
                Numbers::List32(_) => Shape::List32,
                Numbers::List64(_) => Shape::List64,
            }
        })
    }

    /// Where the code for elements of a shape is.
    fn place(shapes: [Shape; 3]) -> usize {
        let [own, pre, post] = shapes.map(|s| s as usize);
        own * 16 + pre * 4 + post
    }

    /// The code for elements of a shape, made when it is first wanted.
    fn codes(&self, shapes: [Shape; 3]) -> Option<&Codes> {
        let cell = self.codes.get(Self::place(shapes))?;
        cell.get_or_init(|| self.find_or_make(shapes)).as_ref()
    }

    fn find_or_make(&self, shapes: [Shape; 3]) -> Option<Codes> {
        let Some(cache) = &self.cache else { return self.make(shapes)?.codes(self.isa) };
        let (emitter, isa, kernel) = (env!("NEUROPIL_EMITTER"), self.isa.name(), &self.plan.kernel);
        let key = format!("{emitter} {isa} {shapes:?}\n{kernel}");
        let parse = |data: &[u8]| postcard::from_bytes::<PlainCodes>(data).ok()?.codes(self.isa);
        let make = || {
            let plain = self.make(shapes)?;
            Some((plain.codes(self.isa)?, postcard::to_allocvec(&plain).ok()?))
        };
        cache.get_or_make(key.as_bytes(), parse, make)
    }

    fn make(&self, shapes: [Shape; 3]) -> Option<PlainCodes> {
        let code = |wanted: &[bool], parameters| {
            let plan = &self.plan;
            let program = select::select(&Job {
                kernel: &plan.kernel,
                uniform: &plan.uniform,
                wanted,
                filled: &plan.filled,
                parameters,
                shapes,
                isa: self.isa,
            })?;
            let text = encode::encode(&program)?;
            let (table, lanes) = (program.table, program.lanes);
            Some(PlainCode::new(text, program.pool, &program.entries, table, lanes))
        };
        let parameters = match self.plan.parameters.as_slice() {
            [] => None,
            list => Some(code(&self.plan.for_parameters, list)?),
        };
        Some(PlainCodes { parameters, body: code(&self.plan.for_effects, &[])? })
    }
}
