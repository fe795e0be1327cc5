//! A kernel's body made ready to run, by whichever engine suits it.

use neuropil_ir::{Context, Verified};

use crate::block::{Block, Workspace};
use crate::elements::{BindError, Elements};
use crate::slot::Slot;

/// What runs bodies.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum KernelChoice {
    /// Whatever is fastest on this machine.
    #[default]
    Auto,
    /// The block engine, which every machine has.
    Block,
}

/// A compiled body. It can be shared between threads, each with a [`Workspace`] of its own.
#[derive(Debug)]
pub struct Body {
    block: Block,
}

impl Body {
    /// Compiles a body for the machine that this runs on.
    #[must_use]
    pub fn compile(kernel: &Verified, choice: KernelChoice) -> Self {
        match choice {
            KernelChoice::Auto | KernelChoice::Block => Self { block: Block::compile(kernel) },
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
        self.block.run(workspace, context, elements, slots, events)
    }
}
