//! Which operations can be split between threads that own parts of the neurons, read off their kernels.

use neuropil_ir::{Access, At, Side};

use crate::Program;
use crate::program::{Action, Call, Operation};

/// How an operation is split between threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Split {
    /// By its elements: each thread carries it out for those that it owns.
    Elements,
    /// By postsynaptic neurons: each thread carries it out for the synapses that end at those that it owns.
    Post,
}

impl Program {
    /// How an operation can be split between threads so that each writes only what it owns, in the order in
    /// which one thread would.
    ///
    /// # Errors
    /// Why it cannot: it runs on one thread then.
    pub fn split(&self, operation: &Operation) -> Result<Split, String> {
        match &operation.action {
            Action::Elements { call, .. } | Action::Events { call, .. } => {
                self.writes_only(call, &[Side::Own]).map(|()| Split::Elements)
            }
            Action::Deliver { call, .. } | Action::Synapses { call, .. } => {
                self.writes_only(call, &[Side::Own, Side::Post]).map(|()| Split::Post)
            }
            Action::Fill { .. } | Action::List { .. } => Ok(Split::Elements),
            Action::RecordEvents { .. } | Action::RecordState { .. } => {
                Err("what is recorded leaves in one stream".to_owned())
            }
            Action::Cable { .. } => Err("trees are solved one after the other".to_owned()),
            Action::Host { .. } => Err("the host sees everything".to_owned()),
            Action::Stop { .. } => Err("it concerns the whole run".to_owned()),
        }
    }

    /// That a kernel writes at these sides only, and touches what it writes nowhere else.
    fn writes_only(&self, call: &Call, sides: &[Side]) -> Result<(), String> {
        let kernel = &self.kernels[call.kernel.index()].body;
        let accesses = kernel.accesses();
        for (slot, at, access) in &accesses {
            if *access == Access::Read {
                continue;
            }
            let name = &kernel.slots[slot.index()].name;
            if !sides.iter().any(|side| *at == At::Side(*side)) {
                return Err(format!("`{name}` is written {}", place(*at)));
            }
            if let Some((_, other, _)) = accesses.iter().find(|(s, a, _)| s == slot && a != at) {
                return Err(format!("`{name}` is written {} and used {}", place(*at), place(*other)));
            }
        }
        Ok(())
    }
}

/// A place, for people.
fn place(at: At) -> &'static str {
    match at {
        At::Side(Side::Own) => "for the element itself",
        At::Side(Side::Pre) => "at the presynaptic side",
        At::Side(Side::Post) => "at the postsynaptic side",
        At::Scalar => "once for all",
        At::Value(_) => "at a computed place",
    }
}
