//! Values per synapse, computed once for all of them.

use std::cell::RefCell;
use std::ops::Range;

use neuropil_base::ScalarType;
use neuropil_connectivity::{Storage, Walk};
use neuropil_ir::{At, Context, Op, Side, SlotId};
use neuropil_memory::HostBuffer;

use super::recognise::Payload;
use crate::block::Workspace;
use crate::typed::typed;
use crate::{BindError, Elements, Numbers, Slot};

thread_local! {
    /// Lanes are kept from one call to the next.
    static WORKSPACE: RefCell<Workspace> = RefCell::new(Workspace::new());
}

/// Elements that are computed at a time where all of them must be kept anyway.
const PIECE: usize = 1 << 16;

/// A payload and the buffers that it is computed from.
#[derive(Clone, Debug)]
pub struct Column<'a> {
    ty: ScalarType,
    values: Values<'a>,
}

#[derive(Clone, Debug)]
enum Values<'a> {
    /// They stand in a buffer, one per synapse.
    There(&'a HostBuffer),
    /// They are computed, some synapses at a time, from buffers by slot.
    Pieces(&'a Payload, Vec<&'a HostBuffer>),
    /// They have been computed.
    Whole(HostBuffer),
}

/// The values of some synapses, one after the other.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    There(&'a [u8]),
    Computed(HostBuffer),
}

impl Piece<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::There(bytes) => bytes,
            Self::Computed(buffer) => buffer.bytes(),
        }
    }
}

/// Whose synapses a payload is computed for.
#[derive(Clone, Copy, Debug)]
pub struct Ends<'a> {
    /// The structure, numbers counted within its groups.
    pub rows: &'a Storage,
    /// The first presynaptic neuron within its population.
    pub pre_start: u32,
    /// The first postsynaptic neuron within its population.
    pub post_start: u32,
}

impl<'a> Column<'a> {
    /// The values of a buffer, by canonical index.
    #[must_use]
    pub fn there(buffer: &'a HostBuffer) -> Self {
        Self { ty: buffer.ty(), values: Values::There(buffer) }
    }

    /// What a payload gives; `buffer` is what a slot of the delivery's kernel is bound to.
    ///
    /// # Errors
    /// No buffer, or one of the wrong type.
    pub fn of(
        payload: &'a Payload,
        buffer: impl Fn(SlotId) -> Option<&'a HostBuffer>,
        ends: &Ends<'_>,
    ) -> Result<Self, BindError> {
        let ty = payload.ty;
        let buffers: Vec<&HostBuffer> = payload.part.slots.iter().filter_map(|slot| buffer(*slot)).collect();
        if let (Some(_), [values]) = (payload.part.copies, buffers.as_slice()) {
            return Ok(Self::there(values));
        }
        if payload.by_pieces() {
            return Ok(Self { ty, values: Values::Pieces(payload, buffers) });
        }
        let mut whole = HostBuffer::new(ty, ends.rows.n_syn());
        let mut row = 0;
        while row < ends.rows.n_pre() {
            let end = rows_of_about(ends.rows, row, PIECE);
            let lists = Lists::of(ends, row..end);
            let own = Numbers::From(ends.rows.row_start(row) as u64);
            let slots: Vec<Slot<'_>> = buffers.iter().map(|b| all(b)).chain([all_mut(&mut whole)]).collect();
            payload.run(&lists, own, &slots)?;
            row = end;
        }
        Ok(Self { ty, values: Values::Whole(whole) })
    }

    /// The type of a value.
    #[must_use]
    pub fn ty(&self) -> ScalarType {
        self.ty
    }

    /// The values of the synapses of some rows.
    pub(super) fn piece(&self, ends: &Ends<'_>, rows: Range<u32>) -> Result<Piece<'_>, BindError> {
        let own = ends.rows.row_start(rows.start)..ends.rows.row_start(rows.end);
        match &self.values {
            Values::There(buffer) => Ok(Piece::There(part_bytes(buffer, own))),
            Values::Whole(buffer) => Ok(Piece::There(part_bytes(buffer, own))),
            Values::Pieces(payload, buffers) => {
                let lists = Lists::of(ends, rows);
                let mut out = HostBuffer::new(self.ty, own.len());
                let slots: Vec<Slot<'_>> = payload
                    .own_slots()
                    .zip(buffers)
                    .map(|(is_own, buffer)| if is_own { part(buffer, own.clone()) } else { all(buffer) })
                    .chain([all_mut(&mut out)])
                    .collect();
                payload.run(&lists, Numbers::From(0), &slots)?;
                Ok(Piece::Computed(out))
            }
        }
    }
}

impl Payload {
    /// For each slot of its own kernel but the last, whether it is read at the synapse's own number.
    fn own_slots(&self) -> impl Iterator<Item = bool> + '_ {
        let accesses = self.part.kernel.accesses();
        let is_own = move |k: usize| {
            accesses.iter().any(|(slot, at, _)| slot.index() == k && *at == At::Side(Side::Own))
        };
        (0..self.part.slots.len()).map(is_own)
    }

    /// Whether synapses may be counted from the first of those that are computed: their number is used for nothing but
    /// to find their values in buffers of values per synapse.
    fn by_pieces(&self) -> bool {
        let kernel = &self.part.kernel;
        let accesses = kernel.accesses();
        let elsewhere =
            |k: usize| accesses.iter().any(|(slot, at, _)| slot.index() == k && *at != At::Side(Side::Own));
        !kernel.insts.iter().any(|i| i.op == Op::Index(Side::Own))
            && self.own_slots().enumerate().all(|(k, own)| !own || !elsewhere(k))
    }

    fn run(&self, lists: &Lists, own: Numbers<'_>, slots: &[Slot<'_>]) -> Result<(), BindError> {
        let elements = Elements {
            len: lists.pre.len(),
            own,
            pre: Numbers::List32(&lists.pre),
            post: Numbers::List32(&lists.post),
        };
        // Fixed values depend neither on the seed nor on the step.
        let context = Context { seed: 0, step: 0 };
        WORKSPACE.with_borrow_mut(|lanes| self.block.run(lanes, &context, &elements, slots, &mut Vec::new()))
    }
}

/// The neurons of some synapses, within their populations.
struct Lists {
    pre: Vec<u32>,
    post: Vec<u32>,
}

impl Lists {
    fn of(ends: &Ends<'_>, rows: Range<u32>) -> Self {
        let count = ends.rows.row_start(rows.end) - ends.rows.row_start(rows.start);
        let mut lists = Self { pre: Vec::with_capacity(count), post: Vec::with_capacity(count) };
        for row in rows {
            ends.rows.for_row(row, |_, post| {
                lists.pre.push(row + ends.pre_start);
                lists.post.push(post + ends.post_start);
            });
        }
        lists
    }
}

/// The end of the rows from `row` on that have about so many synapses together; at least one row.
pub(super) fn rows_of_about(rows: &Storage, row: u32, count: usize) -> u32 {
    let most = rows.row_start(row) + count;
    let (mut low, mut high) = (row + 1, rows.n_pre().max(row + 1));
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if rows.row_start(middle) <= most { low = middle } else { high = middle - 1 }
    }
    low
}

fn part_bytes(buffer: &HostBuffer, own: Range<usize>) -> &[u8] {
    let size = buffer.ty().size();
    buffer.bytes().get(own.start * size..own.end * size).unwrap_or_default()
}

fn all(buffer: &HostBuffer) -> Slot<'_> {
    typed!(buffer.ty(), T => Slot::from(buffer.as_slice::<T>()))
}

fn all_mut(buffer: &mut HostBuffer) -> Slot<'_> {
    typed!(buffer.ty(), T => Slot::from(buffer.as_mut_slice::<T>()))
}

fn part(buffer: &HostBuffer, own: Range<usize>) -> Slot<'_> {
    typed!(buffer.ty(), T => Slot::from(buffer.as_slice::<T>().get(own).unwrap_or_default()))
}
