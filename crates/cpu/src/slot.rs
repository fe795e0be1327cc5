//! A buffer as bodies see it: memory that threads may share, as long as no two touch one element at a time.

#![allow(unsafe_code, reason = "threads work on different elements of one buffer, which slices cannot say")]

use std::marker::PhantomData;
use std::ops::Range;
use std::ptr::NonNull;

use neuropil_base::ScalarType;
use neuropil_memory::Element;

/// The buffer that a slot of a kernel is bound to: its type, where it lies, and whether it may be written.
///
/// A slice and a mutable slice convert into one; [`Slot::shared`] makes one of memory that other threads use too.
#[derive(Clone, Copy, Debug)]
pub struct Slot<'a> {
    ty: ScalarType,
    data: NonNull<u8>,
    len: usize,
    writable: bool,
    /// Not to be sent between threads: each makes its own.
    of: PhantomData<(&'a (), *mut u8)>,
}

impl<'a> Slot<'a> {
    /// A buffer of `len` elements of type `ty` that others may use at the same time.
    ///
    /// # Safety
    /// For as long as `'a`, `data` points to as many elements, aligned for their type; it was got for writing
    /// if `writable`; and no body runs with this slot while somebody else writes an element that it touches, or
    /// touches one that it writes.
    #[must_use]
    pub unsafe fn shared(ty: ScalarType, data: NonNull<u8>, len: usize, writable: bool) -> Self {
        Self { ty, data, len, writable, of: PhantomData }
    }

    /// The type of its elements.
    #[must_use]
    pub fn ty(&self) -> ScalarType {
        self.ty
    }

    /// How many elements it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether bodies may write it.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// Where it lies.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u8 {
        self.data.as_ptr()
    }

    /// Its elements; none if they are of another type.
    #[inline(always)]
    pub(crate) fn cells<T: Element>(&self) -> Cells<'a, T> {
        let len = if T::TYPE == self.ty { self.len } else { 0 };
        Cells { data: self.data.cast(), len, writable: self.writable, of: PhantomData }
    }
}

impl<'a, T: Element> From<&'a [T]> for Slot<'a> {
    fn from(data: &'a [T]) -> Self {
        Self {
            ty: T::TYPE,
            data: NonNull::from(data).cast(),
            len: data.len(),
            writable: false,
            of: PhantomData,
        }
    }
}

impl<'a, T: Element> From<&'a mut [T]> for Slot<'a> {
    fn from(data: &'a mut [T]) -> Self {
        let len = data.len();
        Self { ty: T::TYPE, data: NonNull::from(data).cast(), len, writable: true, of: PhantomData }
    }
}

/// The elements of a [`Slot`], of their machine type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cells<'a, T> {
    data: NonNull<T>,
    len: usize,
    writable: bool,
    of: PhantomData<(&'a (), *mut T)>,
}

impl<'a, T: Element> Cells<'a, T> {
    /// How many there are.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// One of them; none outside.
    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> Option<T> {
        // SAFETY: inside of the buffer, which lives as long as the slot; nobody writes what this body reads.
        (index < self.len).then(|| unsafe { self.data.add(index).read() })
    }

    /// Sets one of them; nothing outside, or if they may only be read.
    #[inline(always)]
    pub(crate) fn set(&self, index: usize, value: T) {
        if index < self.len && self.writable {
            // SAFETY: inside of the buffer, which may be written; nobody else touches what this body writes.
            unsafe { self.data.add(index).write(value) };
        }
    }

    /// Some of them, one after the other; none if one lies outside.
    ///
    /// Bodies ask for elements that they may touch (see [`Slot::shared`]) and drop the slice before they write.
    #[inline(always)]
    pub(crate) fn part(&self, range: Range<usize>) -> Option<&'a [T]> {
        let inside = range.start <= range.end && range.end <= self.len;
        // SAFETY: inside of the buffer, which lives as long as the slot; nobody writes them meanwhile.
        inside
            .then(|| unsafe { std::slice::from_raw_parts(self.data.as_ptr().add(range.start), range.len()) })
    }

    /// Some of them, one after the other, to be written; none if one lies outside, or they may only be read.
    ///
    /// Bodies ask for elements that they may write, one slice at a time.
    #[inline(always)]
    #[allow(
        clippy::mut_from_ref,
        reason = "a view, not an owner: whoever binds slots sees to it that nobody else writes"
    )]
    pub(crate) fn part_mut(&self, range: Range<usize>) -> Option<&'a mut [T]> {
        let inside = range.start <= range.end && range.end <= self.len && self.writable;
        // SAFETY: inside of the buffer, which may be written; nobody else touches what this body writes, and a
        // body holds one slice at a time.
        inside.then(|| unsafe {
            std::slice::from_raw_parts_mut(self.data.as_ptr().add(range.start), range.len())
        })
    }
}
