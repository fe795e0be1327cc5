//! A kernel's body made ready to run, by whichever engine suits it.

use neuropil_ir::{Context, Verified};

use crate::block::{Block, Level, Workspace};
use crate::elements::{BindError, Elements};
use crate::slot::Slot;
#[cfg(target_arch = "x86_64")]
use crate::x86;

/// What runs bodies. Results do not depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum KernelChoice {
    /// Whatever is fastest on this machine.
    #[default]
    Auto,
    /// The block engine, which every machine has.
    Block,
    /// Machine code for x86-64 with AVX2 or AVX-512; the block engine for the few bodies that it is not made for,
    /// and on machines that have neither.
    X86,
}

impl KernelChoice {
    /// The instruction set that bodies are made for on this machine: `avx512`, `avx2`, or `portable` for the block
    /// engine on other machines.
    #[must_use]
    pub fn level(self) -> &'static str {
        Level::best().name()
    }

    /// The name of the engine that runs bodies on this machine: `x86` or `block`.
    #[must_use]
    pub fn engine(self) -> &'static str {
        match self {
            Self::Auto | Self::X86 if has_machine_code() => "x86",
            Self::Auto | Self::X86 | Self::Block => "block",
        }
    }

    /// Whether this machine has what was asked for.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Auto | Self::Block => true,
            Self::X86 => has_machine_code(),
        }
    }
}

/// Whether machine code can be made for this machine.
fn has_machine_code() -> bool {
    #[cfg(target_arch = "x86_64")]
    let has = !x86::Isa::available().is_empty();
    #[cfg(not(target_arch = "x86_64"))]
    let has = false;
    has
}

/// A compiled body. It can be shared between threads, each with a [`Workspace`] of its own.
#[derive(Debug)]
pub struct Body {
    block: Block,
    #[cfg(target_arch = "x86_64")]
    machine: Option<x86::Kernel>,
}

impl Body {
    /// Compiles a body for the machine that this runs on.
    #[must_use]
    pub fn compile(kernel: &Verified, choice: KernelChoice) -> Self {
        Self {
            block: Block::compile(kernel),
            #[cfg(target_arch = "x86_64")]
            machine: match choice {
                KernelChoice::Auto | KernelChoice::X86 => x86::Kernel::compile(kernel),
                KernelChoice::Block => None,
            },
        }
    }

    /// Whether the body runs one element after the other, because an element may read what another writes.
    #[must_use]
    pub fn is_sequential(&self) -> bool {
        self.block.is_sequential()
    }

    /// Runs the body for all elements, in their order; appends the own numbers of those that emit to `events`.
    /// See [`Block::run`] for what is asked of `elements` and `slots`.
    ///
    /// # Errors
    /// Buffers or lists of numbers that do not fit; nothing has been done then.
    pub fn run(
        &self,
        workspace: &mut Workspace,
        context: &Context,
        elements: &Elements<'_>,
        slots: &[Slot<'_>],
        events: &mut Vec<u32>,
    ) -> Result<(), BindError> {
        #[cfg(target_arch = "x86_64")]
        if let Some(machine) = &self.machine
            && machine.run(workspace, context, elements, slots, events)
        {
            return Ok(());
        }
        self.block.run(workspace, context, elements, slots, events)
    }
}
