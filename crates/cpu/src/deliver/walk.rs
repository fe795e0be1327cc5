//! Delivery of one step to one shard: buckets are looked up first, all of them, and then added.

#![allow(
    unsafe_code,
    reason = "one unchecked addition per synaptic event is what this crate's speed rests on"
)]

use neuropil_base::{Scalar, ScalarType};
use neuropil_ir::Accumulation;
use neuropil_memory::Element;

use super::rows::ShardRows;
use crate::Slot;

/// How far ahead of the additions memory is asked for, in bytes of buckets.
const AHEAD: usize = 8192;

/// The most buckets that are asked for ahead.
const MOST_AHEAD: usize = 64;

/// Synapses between two requests for memory.
const CHUNK: usize = 16;

/// A cache line.
pub(super) const LINE: usize = 64;

/// One accumulation into the neurons of a shard.
#[derive(Clone, Copy, Debug)]
pub struct Deposit<'a> {
    /// How.
    pub with: Accumulation,
    /// What each synapse gives.
    pub given: Given,
    /// Truth values by neuron of the population, and what is given where they do not hold.
    pub gate: Option<(Slot<'a>, Scalar)>,
    /// What is accumulated into, by neuron of the population.
    pub target: Slot<'a>,
}

/// What each synapse gives.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Given {
    /// The same, of the target's type.
    Uniform(Scalar),
    /// Its value in a column, of the target's type.
    Column(usize),
}

impl ShardRows {
    /// Carries out one accumulation for all synapses of the buckets, in their order.
    ///
    /// Does nothing if types do not agree or the target is shorter than the population; both are held where programs
    /// are loaded.
    pub fn deposit(&self, due: &[(u32, u32)], deposit: &Deposit<'_>) {
        match deposit.target.ty() {
            ScalarType::I32 => self.typed::<i32>(due, deposit),
            ScalarType::I64 => self.typed::<i64>(due, deposit),
            ScalarType::F32 => self.typed::<f32>(due, deposit),
            ScalarType::F64 => self.typed::<f64>(due, deposit),
            // Truth values are not accumulated into.
            ScalarType::Bool => {}
        }
    }

    fn typed<T: Cell>(&self, due: &[(u32, u32)], deposit: &Deposit<'_>) {
        let range = self.first as usize..self.first as usize + self.n_post as usize;
        let Some(target) = deposit.target.cells::<T>().part_mut(range.clone()) else { return };
        let gate = match &deposit.gate {
            None => None,
            Some((slot, otherwise)) => match (slot.cells::<u8>().part(range), T::of(*otherwise)) {
                (Some(open), Some(otherwise)) => Some(Gate { open, otherwise }),
                (None, _) | (_, None) => return,
            },
        };
        match deposit.given {
            Given::Uniform(value) => {
                let Some(value) = T::of(value) else { return };
                self.gated(due, deposit.with, Same(value), gate, target);
            }
            Given::Column(column) => {
                if self.layout.columns.get(column) != Some(&T::TYPE) {
                    return;
                }
                let before = self.layout.before(column);
                self.gated(due, deposit.with, Stored { before }, gate, target);
            }
        }
    }

    fn gated<T: Cell, V: Values<T>>(
        &self,
        due: &[(u32, u32)],
        with: Accumulation,
        values: V,
        gate: Option<Gate<'_, T>>,
        target: &mut [T],
    ) {
        match gate {
            None => self.wide(due, with, values, Open, target),
            Some(gate) => self.wide(due, with, values, gate, target),
        }
    }

    fn wide<T: Cell, V: Values<T>, G: Filter<T>>(
        &self,
        due: &[(u32, u32)],
        with: Accumulation,
        values: V,
        gate: G,
        target: &mut [T],
    ) {
        let narrow = self.layout.target == 2;
        match (with, narrow) {
            (Accumulation::Add, true) => self.add::<T, u16, V, G, Sum>(due, values, gate, target),
            (Accumulation::Add, false) => self.add::<T, u32, V, G, Sum>(due, values, gate, target),
            (Accumulation::Min, true) => self.add::<T, u16, V, G, Lower>(due, values, gate, target),
            (Accumulation::Min, false) => self.add::<T, u32, V, G, Lower>(due, values, gate, target),
            (Accumulation::Max, true) => self.add::<T, u16, V, G, Higher>(due, values, gate, target),
            (Accumulation::Max, false) => self.add::<T, u32, V, G, Higher>(due, values, gate, target),
        }
    }

    /// The loop over buckets.
    #[inline(never)]
    fn add<T: Cell, I: Target, V: Values<T>, G: Filter<T>, C: Combine>(
        &self,
        due: &[(u32, u32)],
        values: V,
        gate: G,
        target: &mut [T],
    ) {
        let entry = self.layout.entry();
        let data = self.data.as_slice();
        // Bounds are checked once, for all of the structure.
        if size_of::<I>() != self.layout.target
            || target.len() < self.n_post as usize
            || !gate.covers(self.n_post as usize)
            || data.len() != self.n_syn * entry
        {
            return;
        }
        let values_size = entry - size_of::<I>();
        let buckets = due;
        let n_syn = self.n_syn as u32;
        let ahead = self.buckets_ahead(buckets);
        let lines_per_chunk = (CHUNK * entry).div_ceil(LINE);
        for bucket in buckets.iter().take(ahead) {
            Lines::of(data, *bucket, entry).ask_all();
        }
        for (k, (start, end)) in buckets.iter().copied().enumerate() {
            let mut coming = buckets.get(k + ahead).map_or(Lines::NONE, |b| Lines::of(data, *b, entry));
            if end > n_syn || start > end {
                continue;
            }
            let len = (end - start) as usize;
            // SAFETY: buckets lie inside of the data, `n_syn * entry` bytes, as was just checked; so the values and the
            // targets of `len` synapses from `start` on do. A synapse that is added is below `len`; its target is
            // below `n_post`, the invariant of the type, and the slice and the gate are as long.
            unsafe {
                let bucket = data.as_ptr().add(start as usize * entry);
                let targets = bucket.add(len * values_size).cast::<I>();
                let cells = target.as_mut_ptr();
                let add = |synapse: usize| {
                    let to = targets.add(synapse).read_unaligned().index();
                    let value = gate.filter(to, values.get(bucket, len, synapse));
                    let cell = cells.add(to);
                    cell.write(C::combine(cell.read(), value));
                };
                let mut synapse = 0;
                while synapse + CHUNK <= len {
                    coming.ask(lines_per_chunk);
                    for k in 0..CHUNK {
                        add(synapse + k);
                    }
                    synapse += CHUNK;
                }
                coming.ask_all();
                while synapse + 4 <= len {
                    for k in 0..4 {
                        add(synapse + k);
                    }
                    synapse += 4;
                }
                while synapse < len {
                    add(synapse);
                    synapse += 1;
                }
            }
        }
    }

    /// How many buckets lie in the distance that memory is asked for ahead.
    fn buckets_ahead(&self, buckets: &[(u32, u32)]) -> usize {
        let synapses: usize = buckets.iter().map(|(start, end)| end.saturating_sub(*start) as usize).sum();
        let mean = synapses * self.layout.entry() / buckets.len().max(1);
        (AHEAD / (mean + LINE)).clamp(1, MOST_AHEAD)
    }
}

/// The lines of a bucket that have not been asked for.
struct Lines {
    next: *const u8,
    end: *const u8,
}

impl Lines {
    const NONE: Self = Self { next: std::ptr::null(), end: std::ptr::null() };

    #[inline(always)]
    fn of(data: &[u8], (start, end): (u32, u32), entry: usize) -> Self {
        let at = |synapse: u32| data.as_ptr().wrapping_add(synapse as usize * entry);
        let first = at(start);
        // Back to the start of its line: what is asked for is lines, one by one.
        Self { next: first.wrapping_sub(first.addr() % LINE), end: at(end) }
    }

    #[inline(always)]
    fn ask(&mut self, count: usize) {
        for _ in 0..count {
            if self.next < self.end {
                prefetch(self.next);
                self.next = self.next.wrapping_add(LINE);
            }
        }
    }

    #[inline(always)]
    fn ask_all(&mut self) {
        while self.next < self.end {
            prefetch(self.next);
            self.next = self.next.wrapping_add(LINE);
        }
    }
}

/// Asks for a line of memory that will be needed; any address will do.
#[inline(always)]
pub(super) fn prefetch(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of this architecture has the instruction, which touches no memory that a program
    // could see; an address that leads nowhere is passed over.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// What can be accumulated into.
trait Cell: Element {
    fn of(value: Scalar) -> Option<Self>;
    fn sum(old: Self, value: Self) -> Self;
    fn is_below(self, other: Self) -> bool;
}

macro_rules! cell {
    ($T:ty, $variant:ident, $sum:expr) => {
        impl Cell for $T {
            #[inline(always)]
            fn of(value: Scalar) -> Option<Self> {
                if let Scalar::$variant(x) = value { Some(x) } else { None }
            }
            #[inline(always)]
            fn sum(old: Self, value: Self) -> Self {
                $sum(old, value)
            }
            #[inline(always)]
            fn is_below(self, other: Self) -> bool {
                self < other
            }
        }
    };
}

cell!(i32, I32, i32::wrapping_add);
cell!(i64, I64, i64::wrapping_add);
cell!(f32, F32, |a: f32, b: f32| a + b);
cell!(f64, F64, |a: f64, b: f64| a + b);

/// How an old and a new value are combined, as [`Accumulation::combine`] says.
trait Combine {
    fn combine<T: Cell>(old: T, value: T) -> T;
}

struct Sum;
struct Lower;
struct Higher;

impl Combine for Sum {
    #[inline(always)]
    fn combine<T: Cell>(old: T, value: T) -> T {
        T::sum(old, value)
    }
}

impl Combine for Lower {
    #[inline(always)]
    fn combine<T: Cell>(old: T, value: T) -> T {
        if value.is_below(old) { value } else { old }
    }
}

impl Combine for Higher {
    #[inline(always)]
    fn combine<T: Cell>(old: T, value: T) -> T {
        if old.is_below(value) { value } else { old }
    }
}

/// A target as it is stored.
trait Target: Copy {
    fn index(self) -> usize;
}

impl Target for u16 {
    #[inline(always)]
    fn index(self) -> usize {
        usize::from(self)
    }
}

impl Target for u32 {
    #[inline(always)]
    fn index(self) -> usize {
        self as usize
    }
}

/// What synapses give.
trait Values<T>: Copy {
    /// The value of a synapse of a bucket of `len`.
    ///
    /// # Safety
    /// `bucket` points to a bucket of `len` synapses whose columns hold values of type `T` where this says, and
    /// `synapse` is below `len`.
    unsafe fn get(self, bucket: *const u8, len: usize, synapse: usize) -> T;
}

#[derive(Clone, Copy)]
struct Same<T>(T);

#[derive(Clone, Copy)]
struct Stored {
    before: usize,
}

impl<T: Cell> Values<T> for Same<T> {
    // SAFETY: as the trait says.
    #[inline(always)]
    unsafe fn get(self, _: *const u8, _: usize, _: usize) -> T {
        self.0
    }
}

impl<T: Cell> Values<T> for Stored {
    // SAFETY: as the trait says.
    #[inline(always)]
    unsafe fn get(self, bucket: *const u8, len: usize, synapse: usize) -> T {
        // SAFETY: the column begins behind `len` values of each column before, and is as long, as the caller says.
        unsafe { bucket.add(len * self.before + synapse * size_of::<T>()).cast::<T>().read_unaligned() }
    }
}

/// Which neurons take what they are given.
trait Filter<T>: Copy {
    /// Whether it knows as many neurons.
    fn covers(self, n_post: usize) -> bool;
    /// What a neuron takes.
    ///
    /// # Safety
    /// The filter [covers](Self::covers) more neurons than `to`.
    unsafe fn filter(self, to: usize, value: T) -> T;
}

#[derive(Clone, Copy)]
struct Open;

#[derive(Clone, Copy)]
struct Gate<'a, T> {
    open: &'a [u8],
    otherwise: T,
}

impl<T: Cell> Filter<T> for Open {
    #[inline(always)]
    fn covers(self, _: usize) -> bool {
        true
    }
    // SAFETY: as the trait says.
    #[inline(always)]
    unsafe fn filter(self, _: usize, value: T) -> T {
        value
    }
}

impl<T: Cell> Filter<T> for Gate<'_, T> {
    #[inline(always)]
    fn covers(self, n_post: usize) -> bool {
        self.open.len() >= n_post
    }
    // SAFETY: as the trait says.
    #[inline(always)]
    unsafe fn filter(self, to: usize, value: T) -> T {
        // SAFETY: the caller says that there are more neurons.
        let open = unsafe { *self.open.get_unchecked(to) } != 0;
        if open { value } else { self.otherwise }
    }
}
