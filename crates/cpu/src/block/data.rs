//! What a body runs over: the elements, and the buffers that its slots are bound to.

use neuropil_base::{Scalar, ScalarType};
use neuropil_ir::Side;

use super::BindError;

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

    pub(super) fn numbers(&self, side: Side) -> &Numbers<'a> {
        match side {
            Side::Own => &self.own,
            Side::Pre => &self.pre,
            Side::Post => &self.post,
        }
    }

    pub(super) fn check(&self) -> Result<(), BindError> {
        [self.own, self.pre, self.post].iter().try_for_each(|numbers| numbers.check(self.len))
    }

    /// `n` of them from the `base`-th on.
    pub(super) fn part(&self, base: usize, n: usize) -> Self {
        Self {
            len: n,
            own: self.own.part(base, n),
            pre: self.pre.part(base, n),
            post: self.post.part(base, n),
        }
    }
}

/// A buffer, to be read or to be written too.
#[derive(Debug)]
pub enum View<'a, T> {
    /// It may be read.
    Read(&'a [T]),
    /// It may be read and written.
    Write(&'a mut [T]),
}

impl<T> View<'_, T> {
    fn read(&self) -> &[T] {
        match self {
            Self::Read(data) => data,
            Self::Write(data) => data,
        }
    }

    fn write(&mut self) -> &mut [T] {
        match self {
            Self::Read(_) => &mut [],
            Self::Write(data) => data,
        }
    }
}

/// A buffer and its type; truth values are bytes, 0 or not.
#[derive(Debug)]
pub enum SlotData<'a> {
    /// Truth values.
    Bool(View<'a, u8>),
    /// 32-bit integers.
    I32(View<'a, i32>),
    /// 64-bit integers.
    I64(View<'a, i64>),
    /// Singles.
    F32(View<'a, f32>),
    /// Doubles.
    F64(View<'a, f64>),
}

impl SlotData<'_> {
    /// The type of its elements.
    #[must_use]
    pub fn ty(&self) -> ScalarType {
        match self {
            Self::Bool(_) => ScalarType::Bool,
            Self::I32(_) => ScalarType::I32,
            Self::I64(_) => ScalarType::I64,
            Self::F32(_) => ScalarType::F32,
            Self::F64(_) => ScalarType::F64,
        }
    }

    pub(super) fn is_writable(&self) -> bool {
        match self {
            Self::Bool(view) => matches!(view, View::Write(_)),
            Self::I32(view) => matches!(view, View::Write(_)),
            Self::I64(view) => matches!(view, View::Write(_)),
            Self::F32(view) => matches!(view, View::Write(_)),
            Self::F64(view) => matches!(view, View::Write(_)),
        }
    }
}

/// The buffer that a slot is bound to.
///
/// A slice and a mutable slice convert into one that starts at number 0.
#[derive(Debug)]
pub struct Binding<'a> {
    /// The buffer.
    pub data: SlotData<'a>,
    /// The number of the neuron or synapse that its first element belongs to: not 0 where a buffer holds the part
    /// of a variable that one thread owns.
    pub first: u64,
}

/// A machine type that buffers and lanes hold.
pub(super) trait Element: Copy + Default + 'static {
    /// The buffer to be read; empty if it is of another type.
    fn data<'b>(binding: &'b Binding<'_>) -> &'b [Self];
    /// The buffer to be written; empty if it is of another type or may only be read.
    fn data_mut<'b>(binding: &'b mut Binding<'_>) -> &'b mut [Self];
    /// The value as it may stand in a lane: truth values are 0 or 1 there.
    fn clean(self) -> Self;
    /// The value with its type.
    fn scalar(self) -> Scalar;
    /// The value of a scalar of this type; 0 for other types.
    fn of(value: Scalar) -> Self;
    /// `old + value`.
    fn sum(old: Self, value: Self) -> Self;
    /// `value < old ? value : old`.
    fn lower(old: Self, value: Self) -> Self;
    /// `value > old ? value : old`.
    fn higher(old: Self, value: Self) -> Self;
}

macro_rules! element {
    ($T:ty, $variant:ident, $clean:expr, $scalar:expr, $of:expr, $sum:expr) => {
        impl Element for $T {
            #[inline(always)]
            fn data<'b>(binding: &'b Binding<'_>) -> &'b [Self] {
                if let SlotData::$variant(view) = &binding.data { view.read() } else { &[] }
            }

            #[inline(always)]
            fn data_mut<'b>(binding: &'b mut Binding<'_>) -> &'b mut [Self] {
                if let SlotData::$variant(view) = &mut binding.data { view.write() } else { &mut [] }
            }

            #[inline(always)]
            fn clean(self) -> Self {
                $clean(self)
            }

            #[inline(always)]
            fn scalar(self) -> Scalar {
                Scalar::$variant($scalar(self))
            }

            #[inline(always)]
            fn of(value: Scalar) -> Self {
                if let Scalar::$variant(x) = value { $of(x) } else { Self::default() }
            }

            #[inline(always)]
            fn sum(old: Self, value: Self) -> Self {
                $sum(old, value)
            }

            #[inline(always)]
            fn lower(old: Self, value: Self) -> Self {
                if value < old { value } else { old }
            }

            #[inline(always)]
            fn higher(old: Self, value: Self) -> Self {
                if value > old { value } else { old }
            }
        }

        impl<'a> From<&'a [$T]> for Binding<'a> {
            fn from(data: &'a [$T]) -> Self {
                Self { data: SlotData::$variant(View::Read(data)), first: 0 }
            }
        }

        impl<'a> From<&'a mut [$T]> for Binding<'a> {
            fn from(data: &'a mut [$T]) -> Self {
                Self { data: SlotData::$variant(View::Write(data)), first: 0 }
            }
        }
    };
}

element!(u8, Bool, |x: u8| u8::from(x != 0), |x: u8| x != 0, u8::from, |a: u8, b: u8| a | b);
element!(i32, I32, |x| x, |x| x, |x| x, i32::wrapping_add);
element!(i64, I64, |x| x, |x| x, |x| x, i64::wrapping_add);
element!(f32, F32, |x| x, |x| x, |x| x, |a: f32, b: f32| a + b);
element!(f64, F64, |x| x, |x| x, |x| x, |a: f64, b: f64| a + b);
