//! Large arrays that are written once and read often, at random places: on huge pages where the system has them.
//!
//! A structure of a gigabyte that is read in pieces of a few hundred bytes misses the translation buffer of a
//! processor at nearly every piece if pages are 4 KiB; with pages of 2 MiB it rarely does. Linux gives them to memory
//! that asks for it (`madvise(MADV_HUGEPAGE)`, unless the administrator has forbidden it); elsewhere, and where it does
//! not, everything works and is slower.

use std::marker::PhantomData;

use bytemuck::{Pod, Zeroable};
use memmap2::MmapMut;

use crate::DeviceError;
use crate::host::Line;

/// Shorter arrays are taken from the heap: a map is a whole number of pages, and two calls of the system.
const LEAST_MAPPED: usize = 1 << 20;

/// An array of zeros when it is made, whose first element lies on a cache line.
///
/// ```
/// use neuropil_memory::Large;
/// let mut list = Large::<u32>::zeros(1_000_000)?;
/// list.as_mut_slice()[999_999] = 7;
/// assert_eq!(list.as_slice()[999_998..], [0, 7]);
/// # Ok::<(), neuropil_memory::DeviceError>(())
/// ```
pub struct Large<T> {
    room: Room,
    len: usize,
    of: PhantomData<T>,
}

/// Bytes that begin on a cache line: on the heap if they are few.
pub(crate) enum Room {
    Heap(Vec<Line>),
    Map(MmapMut),
}

impl Room {
    /// At least so many zeros. As with any `Vec`, the process ends if the system has no room.
    pub(crate) fn zeros(bytes: usize) -> Self {
        mapped(bytes).map_or_else(|| Self::Heap(vec![Line::zeroed(); bytes.div_ceil(64)]), Self::Map)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Heap(lines) => bytemuck::cast_slice(lines),
            Self::Map(map) => map,
        }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Heap(lines) => bytemuck::cast_slice_mut(lines),
            Self::Map(map) => map,
        }
    }
}

impl Clone for Room {
    fn clone(&self) -> Self {
        match self {
            Self::Heap(lines) => Self::Heap(lines.clone()),
            Self::Map(map) => {
                let mut copy = Self::zeros(map.len());
                copy.bytes_mut()[..map.len()].copy_from_slice(map);
                copy
            }
        }
    }
}

impl<T: Pod> Large<T> {
    /// `len` zeros.
    ///
    /// # Errors
    /// [`DeviceError::NoRoom`] if the system does not give as much memory.
    pub fn zeros(len: usize) -> Result<Self, DeviceError> {
        let refused = || DeviceError::NoRoom { needed: (len as u64).saturating_mul(size_of::<T>() as u64) };
        let bytes = len.checked_mul(size_of::<T>()).ok_or_else(refused)?;
        let room = match mapped(bytes) {
            Some(map) => Room::Map(map),
            None => Room::Heap(zero_lines(bytes).ok_or_else(refused)?),
        };
        Ok(Self { room, len, of: PhantomData })
    }

    /// The number of its elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many bytes its elements take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.len * size_of::<T>()
    }

    /// Its elements.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        bytemuck::cast_slice(&self.room.bytes()[..self.bytes()])
    }

    /// Its elements.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        let size = self.bytes();
        bytemuck::cast_slice_mut(&mut self.room.bytes_mut()[..size])
    }
}

impl<T: Pod> std::fmt::Debug for Large<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Large({} x {} bytes)", self.len, size_of::<T>())
    }
}

/// Zeros in pages of their own; `None` if they are few, or the system has no such thing or refuses.
fn mapped(bytes: usize) -> Option<MmapMut> {
    if bytes < LEAST_MAPPED {
        return None;
    }
    let map = MmapMut::map_anon(bytes).ok()?;
    // A system that was built without huge pages refuses: then pages are small ones.
    #[cfg(target_os = "linux")]
    let _ = map.advise(memmap2::Advice::HugePage);
    Some(map)
}

/// Zeros from the heap; `None` if it has no room.
fn zero_lines(bytes: usize) -> Option<Vec<Line>> {
    let count = bytes.div_ceil(size_of::<Line>());
    let mut lines = Vec::new();
    lines.try_reserve_exact(count).ok()?;
    lines.resize(count, Line::zeroed());
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_short_arrays_hold_what_is_written() {
        for len in [0, 1, 1000, 3 << 20] {
            let mut list = Large::<u16>::zeros(len).unwrap();
            assert_eq!((list.len(), list.bytes(), list.is_empty()), (len, 2 * len, len == 0));
            assert!(list.as_slice().iter().all(|x| *x == 0));
            assert_eq!(list.as_slice().as_ptr() as usize % 64, 0);
            if let Some(last) = list.as_mut_slice().last_mut() {
                *last = 9;
            }
            assert_eq!(list.as_slice().iter().map(|x| u32::from(*x)).sum::<u32>(), u32::from(len > 0) * 9);
        }
    }

    #[test]
    fn what_no_machine_has_is_an_error_that_says_how_much() {
        let error = Large::<u64>::zeros(1 << 59).unwrap_err();
        assert_eq!(error.to_string(), "there is no room for 4611686018427387904 bytes");
        assert!(Large::<u64>::zeros(usize::MAX).is_err());
    }
}
