//! What the emitter works on: straight-line vector instructions over values that have no registers yet.
//!
//! A value is as many lanes as run together, or a part of them where they do not fit one register. Values that
//! can be had again from memory (constants, shared values, loads) have a [`Home`] and often no instruction of
//! their own: they are loaded, or read in place, where they are used.

use neuropil_ir::{Accumulation, Side, SlotId};

use super::family::Family;

/// An instruction set that machine code is made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isa {
    /// AVX2 and FMA: 16 registers of 256 bits; truth values are lanes of ones or zeros.
    Avx2,
    /// AVX-512 F, VL, DQ and BW: 32 registers of 512 bits, truth values in mask registers.
    Avx512,
}

impl Isa {
    /// Bytes of a register.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Avx2 => 32,
            Self::Avx512 => 64,
        }
    }
}

/// How much of a register is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Width {
    /// 128 bits.
    X,
    /// 256 bits.
    Y,
    /// 512 bits.
    Z,
}

impl Width {
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::X => 16,
            Self::Y => 32,
            Self::Z => 64,
        }
    }

    pub(super) fn half(self) -> Self {
        match self {
            Self::X | Self::Y => Self::X,
            Self::Z => Self::Y,
        }
    }

    /// The narrowest that holds so many bytes.
    pub(super) fn of(bytes: usize) -> Self {
        match bytes {
            0..=16 => Self::X,
            17..=32 => Self::Y,
            33.. => Self::Z,
        }
    }
}

/// Names a value of the machine program.
pub(super) type V = u32;

/// Where a value can be read again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Home {
    /// One element in the pool or the table that all lanes share; with AVX2, a register full of copies.
    Splat { pool: bool, at: i32, size: u8 },
    /// A register full in the pool.
    Vector { at: i32 },
    /// Elements one after the other: a table entry points to the first of the call.
    Stream { entry: i32, part: u8, size: u8 },
    /// One element that a table entry points to.
    Same { entry: i32, size: u8 },
}

/// What is known of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    /// In a mask register.
    pub(super) mask: bool,
    pub(super) width: Width,
    pub(super) home: Option<Home>,
}

/// An instruction of the machine that computes one value from one or two.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    pub(super) family: Family,
    /// The wider of what is read and what is written.
    pub(super) width: Width,
    pub(super) dst: V,
    pub(super) a: V,
    pub(super) b: Option<V>,
    pub(super) imm: Option<u8>,
    /// Which lanes are computed (others are 0), or come from `b` in a blend.
    pub(super) mask: Option<V>,
    /// Lanes outside of the mask are zero.
    pub(super) zeroing: bool,
    /// Operands may be exchanged.
    pub(super) commutes: bool,
}

/// Where the elements of one vector are in a buffer, one by one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// In a list of 32-bit numbers, which an entry points to.
    List32(i32),
    /// In a list of 64-bit numbers, which an entry points to.
    List64(i32),
    /// All at the number that an entry holds.
    Same(i32),
    /// One after the other, from the number on that an entry holds.
    From(i32),
    /// All at the first element.
    First,
    /// At numbers that were computed.
    Values32(V),
    /// At numbers that were computed.
    Values64([V; 2]),
}

/// What is done to the element of a buffer, one by one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    Store,
    Accumulate(Accumulation),
}

/// The machine type of what goes to a buffer one by one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cell {
    Byte,
    I32,
    I64,
    F32,
    F64,
}

impl Cell {
    pub(super) fn size(self) -> u8 {
        match self {
            Self::Byte => 1,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }
}

/// What is computed lane by lane in general registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Serial {
    Div,
    Rem,
    /// A double to an integer, cut off; `i64::MIN` for what is none.
    Truncate,
    /// An integer to a single.
    Single,
}

/// An instruction.
#[derive(Clone, Debug)]
pub(super) enum Inst {
    Plain(Plain),
    /// `dst = a * b + c`, or `c - a * b`.
    Fma {
        double: bool,
        negated: bool,
        width: Width,
        dst: V,
        a: V,
        b: V,
        c: V,
    },
    /// Reads the home of a value that may be overwritten before its last use.
    Load {
        dst: V,
        from: Home,
    },
    Store {
        entry: i32,
        part: u8,
        size: u8,
        value: V,
    },
    /// One byte per lane, one after the other.
    LoadBytes {
        dst: V,
        entry: i32,
    },
    StoreBytes {
        entry: i32,
        value: V,
    },
    /// The truth value of the byte that an entry points to, in all lanes.
    SplatByte {
        dst: V,
        entry: i32,
    },
    /// The numbers of elements one after the other; their lower 32 bits.
    Ramp {
        dst: V,
        entry: i32,
        iota: i32,
    },
    Gather {
        dst: V,
        entry: i32,
        index: V,
        size: u8,
    },
    /// Fetches elements that a later vector gathers.
    Fetch {
        base: i32,
        list: i32,
        long: bool,
        size: u8,
    },
    /// One byte per lane, from anywhere.
    GatherBytes {
        dst: V,
        entry: i32,
        index: V,
    },
    Each {
        base: i32,
        len: i32,
        place: Place,
        effect: Effect,
        cell: Cell,
        value: [V; 2],
        parts: u8,
    },
    Emit {
        mask: V,
        place: Place,
    },
    Serial {
        op: Serial,
        dst: V,
        a: V,
        b: Option<V>,
    },
}

impl Inst {
    /// Calls `act` with every value that the instruction reads.
    pub(super) fn uses(&self, mut act: impl FnMut(V)) {
        match self {
            Self::Plain(plain) => {
                act(plain.a);
                plain.b.into_iter().chain(plain.mask).for_each(act);
            }
            Self::Fma { a, b, c, .. } => [*a, *b, *c].into_iter().for_each(act),
            Self::Load { .. }
            | Self::LoadBytes { .. }
            | Self::SplatByte { .. }
            | Self::Ramp { .. }
            | Self::Fetch { .. } => {}
            Self::Store { value, .. } | Self::StoreBytes { value, .. } => act(*value),
            Self::Gather { index, .. } | Self::GatherBytes { index, .. } => act(*index),
            Self::Each { place, value, parts, .. } => {
                value.iter().take(usize::from(*parts)).for_each(|v| act(*v));
                match place {
                    Place::Values32(v) => act(*v),
                    Place::Values64(list) => {
                        list.iter().take(usize::from(list[0] != list[1]) + 1).for_each(|v| act(*v))
                    }
                    Place::List32(_) | Place::List64(_) | Place::Same(_) | Place::From(_) | Place::First => {}
                }
            }
            Self::Emit { mask, .. } => act(*mask),
            Self::Serial { a, b, .. } => {
                act(*a);
                b.iter().for_each(|v| act(*v));
            }
        }
    }

    /// The value that it computes.
    pub(super) fn dst(&self) -> Option<V> {
        match self {
            Self::Plain(plain) => Some(plain.dst),
            Self::Fma { dst, .. }
            | Self::Load { dst, .. }
            | Self::LoadBytes { dst, .. }
            | Self::SplatByte { dst, .. }
            | Self::Ramp { dst, .. }
            | Self::Gather { dst, .. }
            | Self::GatherBytes { dst, .. }
            | Self::Serial { dst, .. } => Some(*dst),
            Self::Store { .. }
            | Self::StoreBytes { .. }
            | Self::Each { .. }
            | Self::Emit { .. }
            | Self::Fetch { .. } => None,
        }
    }
}

/// What an entry of the table holds; set before each call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    /// A value that all elements share, in every lane.
    Uniform(u32),
    /// The place of the first element of a side in a buffer: elements follow one another.
    Stream { slot: SlotId, side: Side },
    /// The same where all elements have one number.
    Same { slot: SlotId, side: Side },
    /// The start of a buffer.
    Base(SlotId),
    /// The number of the last element of a buffer, in every lane, 32 bits.
    Last(SlotId),
    /// The length of a buffer.
    Len(SlotId),
    /// The list of numbers of a side.
    List(Side),
    /// The number of the first element of a side.
    Start(Side),
    /// The lower 32 bits of that, in every lane.
    Number(Side),
    /// Lanes that are filled before the call, or filled by it for the sampler.
    Lane(u32),
}

impl Entry {
    /// Whether it is read in every lane.
    pub(super) fn is_splat(self) -> bool {
        match self {
            Self::Uniform(_) | Self::Last(_) | Self::Number(_) => true,
            Self::Stream { .. }
            | Self::Same { .. }
            | Self::Base(_)
            | Self::Len(_)
            | Self::List(_)
            | Self::Start(_)
            | Self::Lane(_) => false,
        }
    }
}

/// A body for one shape of elements, ready to be given registers.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) isa: Isa,
    /// Elements that run together.
    pub(super) lanes: usize,
    pub(super) values: Vec<Value>,
    pub(super) insts: Vec<Inst>,
    /// The table, from [`HEADER`] on: entries and where they are, in bytes.
    pub(super) entries: Vec<(i32, Entry)>,
    /// The length of the table in bytes.
    pub(super) table: i32,
    /// Constants.
    pub(super) pool: Vec<u8>,
}

/// The start of the table, in bytes: what every body has.
pub(super) mod header {
    /// How many elements run in full vectors.
    pub(crate) const FULL: i32 = 0;
    /// How many are left.
    pub(crate) const TAIL: i32 = 8;
    /// The pool.
    pub(crate) const POOL: i32 = 16;
    /// Where the next event goes.
    pub(crate) const EVENTS: i32 = 24;
    /// One bit for each of those left; the same for the upper half of the lanes.
    pub(crate) const BITS: i32 = 32;
    pub(crate) const UPPER_BITS: i32 = 40;
    /// All ones for each of those left: in lanes of 32 bits, and of 64.
    pub(crate) const ONES32: i32 = 64;
    pub(crate) const ONES64: i32 = 96;
    /// Where entries begin.
    pub(crate) const END: i32 = 160;
}
