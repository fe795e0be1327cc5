//! A kernel's body made ready to run, by whichever engine suits it.

use std::sync::Arc;

use neuropil_ir::{Context, Verified, prepare};

use crate::block::{Block, Level, Workspace};
use crate::cache::KernelCache;
use crate::elements::{BindError, Elements};
use crate::product::{Place, Product};
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
    product: Option<Product>,
    #[cfg(target_arch = "x86_64")]
    machine: Option<x86::Kernel>,
}

impl Body {
    /// Compiles a body for the machine that this runs on.
    #[must_use]
    pub fn compile(kernel: &Verified, choice: KernelChoice) -> Self {
        Self::cached(kernel, choice, None)
    }

    /// The same, with machine code taken from a cache where that has it, and kept there where it does not.
    #[must_use]
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables, reason = "there is no machine code"))]
    pub fn cached(kernel: &Verified, choice: KernelChoice, cache: Option<&Arc<KernelCache>>) -> Self {
        // Preparing a verified kernel cannot fail; if it did, the kernel would do as it is.
        let kernel = prepare(kernel).unwrap_or_else(|_| kernel.clone());
        Self {
            block: Block::of_prepared(&kernel, Level::best()),
            product: Product::of(&kernel),
            #[cfg(target_arch = "x86_64")]
            machine: match (choice, x86::Isa::available().first()) {
                (KernelChoice::Auto | KernelChoice::X86, Some(isa)) => {
                    x86::Kernel::of_prepared(kernel, *isa).map(|k| k.cached(cache.map(Arc::clone)))
                }
                (KernelChoice::Auto | KernelChoice::X86, None) | (KernelChoice::Block, _) => None,
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

/// A body with its buffers, checked once for all of its calls.
pub(crate) struct Bound<'a> {
    body: Option<&'a Body>,
    slots: Vec<Slot<'a>>,
    #[cfg(target_arch = "x86_64")]
    binding: x86::Binding,
}

impl<'a> Bound<'a> {
    /// A body, or none, with the buffers of its slots.
    pub(crate) fn new(body: Option<&'a Body>, slots: Vec<Slot<'a>>) -> Self {
        Self {
            body,
            slots,
            #[cfg(target_arch = "x86_64")]
            binding: x86::Binding::default(),
        }
    }

    /// The buffers.
    pub(crate) fn slots(&self) -> &[Slot<'a>] {
        &self.slots
    }

    /// Adds what all synapses of a part of a full matrix give, if products are all that the body adds. `false` if it is for the
    /// body to do: nothing has been done then.
    pub(crate) fn product(&self, place: &Place) -> bool {
        let product = self.body.and_then(|body| body.product.as_ref());
        product.is_some_and(|product| product.run(&self.slots, place))
    }

    /// Runs the body as [`Body::run`] does; nothing if there is none.
    ///
    /// # Errors
    /// Those of [`Body::run`].
    pub(crate) fn run(
        &mut self,
        workspace: &mut Workspace,
        context: &Context,
        elements: &Elements<'_>,
        events: &mut Vec<u32>,
    ) -> Result<(), BindError> {
        let Some(body) = self.body else { return Ok(()) };
        #[cfg(target_arch = "x86_64")]
        if let Some(machine) = &body.machine
            && machine.run_bound((&mut self.binding, &self.slots), workspace, context, elements, events)
        {
            return Ok(());
        }
        body.block.run(workspace, context, elements, &self.slots, events)
    }
}

#[cfg(test)]
mod tests {
    use neuropil_ir::parse;

    use super::*;
    use crate::elements::Numbers;

    const CHOICES: [KernelChoice; 3] = [KernelChoice::Auto, KernelChoice::Block, KernelChoice::X86];

    #[test]
    fn sums_into_one_neuron_and_into_many_keep_their_order() {
        for with in ["add", "min", "max"] {
            let text = format!(
                "kernel k over synapses {{\n slot w: f32\n slot g: f32\n %0 = load w[own] : f32\n accumulate {with} g[post], %0\n}}"
            );
            let kernel = prepare(&parse(&text).unwrap()).unwrap();
            for len in [0, 1, 7, 16, 70] {
                // Magnitudes so different that every order of additions gives another sum.
                let w: Vec<f32> =
                    (0..len).map(|k| k as f32 - 9.0).map(|x| x * x * x * x * x * 0.1 + 1e-3).collect();
                let targets: Vec<u32> = (0..len as u32).map(|k| k % 3).collect();
                for post in [Numbers::Same(1), Numbers::List32(&targets)] {
                    let mut wanted = [0.25_f32; 3];
                    for (k, x) in w.iter().enumerate() {
                        let old = &mut wanted[post.get(k) as usize];
                        *old = match with {
                            "add" => *old + x,
                            "min" if x < old => *x,
                            "max" if x > old => *x,
                            _ => *old,
                        };
                    }
                    for choice in CHOICES {
                        let mut g = [0.25_f32; 3];
                        let slots = [Slot::from(&w[..]), Slot::from(&mut g[..])];
                        let elements = Elements { len, own: Numbers::From(0), pre: Numbers::Same(0), post };
                        let context = Context { seed: 1, step: 0 };
                        Body::compile(&kernel, choice)
                            .run(&mut Workspace::new(), &context, &elements, &slots, &mut Vec::new())
                            .unwrap();
                        assert_eq!(g, wanted, "{with} of {len} by {choice:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_by_every_engine() {
        let text = "kernel k over elements { \n slot v: f64\n %0 = load v[own] : f64\n store v[own], %0\n}";
        let kernel = prepare(&parse(text).unwrap()).unwrap();
        for choice in CHOICES {
            let body = Body::compile(&kernel, choice);
            let run = |slots: &[Slot<'_>]| {
                let context = Context { seed: 1, step: 0 };
                let done =
                    body.run(&mut Workspace::new(), &context, &Elements::range(0, 2), slots, &mut Vec::new());
                done.unwrap_err().to_string()
            };
            assert_eq!(run(&[]), "the kernel `k` has 1 slots, 0 are bound");
            let fixed = [0.0_f64; 2];
            assert_eq!(run(&[(&fixed[..]).into()]), "slot `v` is written, the buffer may only be read");
        }
    }

    #[test]
    fn machine_code_is_chosen_where_there_is_some() {
        assert_eq!(KernelChoice::Block.engine(), "block");
        assert_eq!(KernelChoice::Auto.engine() == "x86", KernelChoice::X86.is_available());
        assert_eq!(KernelChoice::Auto.engine() == "x86", KernelChoice::Auto.level() != "portable");
    }
}
