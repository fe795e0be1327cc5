//! What a body runs over: its elements, by their numbers on each side.

use neuropil_base::ScalarType;
use neuropil_ir::Side;

/// Buffers or elements that do not fit the kernel.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BindError {
    /// Too many or too few buffers.
    #[error("the kernel `{kernel}` has {wanted} slots, {found} are bound")]
    Count {
        /// The kernel.
        kernel: String,
        /// Its slots.
        wanted: usize,
        /// The buffers given.
        found: usize,
    },
    /// A buffer of the wrong type.
    #[error("slot `{slot}` holds `{wanted}`, the buffer `{found}`")]
    Type {
        /// The slot.
        slot: String,
        /// Its type.
        wanted: ScalarType,
        /// The type of the buffer.
        found: ScalarType,
    },
    /// A buffer that may not be written.
    #[error("slot `{slot}` is written, the buffer may only be read")]
    ReadOnly {
        /// The slot.
        slot: String,
    },
    /// A list of numbers shorter than the list of elements.
    #[error("there are {len} elements, but a list of {found} numbers")]
    Numbers {
        /// The elements.
        len: usize,
        /// The numbers.
        found: usize,
    },
}

/// The numbers of elements on one side.
#[derive(Clone, Copy, Debug)]
pub enum Numbers<'a> {
    /// One after the other, from this one on.
    From(u64),
    /// The same for all.
    Same(u64),
    /// One by one.
    List32(&'a [u32]),
    /// One by one.
    List64(&'a [u64]),
}

impl<'a> Numbers<'a> {
    /// The number of the `k`-th element.
    #[inline]
    #[must_use]
    pub fn get(&self, k: usize) -> u64 {
        match self {
            Self::From(first) => first.wrapping_add(k as u64),
            Self::Same(number) => *number,
            Self::List32(list) => list.get(k).copied().map_or(0, u64::from),
            Self::List64(list) => list.get(k).copied().unwrap_or(0),
        }
    }

    fn check(&self, len: usize) -> Result<(), BindError> {
        let found = match self {
            Self::From(_) | Self::Same(_) => return Ok(()),
            Self::List32(list) => list.len(),
            Self::List64(list) => list.len(),
        };
        if found < len { Err(BindError::Numbers { len, found }) } else { Ok(()) }
    }

    fn part(&self, base: usize, n: usize) -> Self {
        match self {
            Self::From(first) => Self::From(first.wrapping_add(base as u64)),
            Self::Same(number) => Self::Same(*number),
            Self::List32(list) => Self::List32(&list[base..base + n]),
            Self::List64(list) => Self::List64(&list[base..base + n]),
        }
    }
}

/// The elements that a call runs over, in order.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a> {
    /// How many.
    pub len: usize,
    /// Their own numbers.
    pub own: Numbers<'a>,
    /// The numbers of their presynaptic neurons; not looked at where the domain has none.
    pub pre: Numbers<'a>,
    /// The numbers of their postsynaptic neurons; not looked at where the domain has none.
    pub post: Numbers<'a>,
}

impl<'a> Elements<'a> {
    /// The elements `first`, `first + 1`, ... of one object.
    #[must_use]
    pub fn range(first: u64, len: usize) -> Self {
        Self { len, own: Numbers::From(first), pre: Numbers::Same(0), post: Numbers::Same(0) }
    }

    /// The elements of one object with these numbers.
    #[must_use]
    pub fn list(numbers: &'a [u32]) -> Self {
        Self {
            len: numbers.len(),
            own: Numbers::List32(numbers),
            pre: Numbers::Same(0),
            post: Numbers::Same(0),
        }
    }

    pub(crate) fn numbers(&self, side: Side) -> &Numbers<'a> {
        match side {
            Side::Own => &self.own,
            Side::Pre => &self.pre,
            Side::Post => &self.post,
        }
    }

    pub(crate) fn check(&self) -> Result<(), BindError> {
        [self.own, self.pre, self.post].iter().try_for_each(|numbers| numbers.check(self.len))
    }

    /// `n` of them from the `base`-th on.
    pub(crate) fn part(&self, base: usize, n: usize) -> Self {
        Self {
            len: n,
            own: self.own.part(base, n),
            pre: self.pre.part(base, n),
            post: self.post.part(base, n),
        }
    }
}
