//! One typed array on the host, aligned for vector loads; on huge pages if it is long, as [`crate::Large`] is.

use bytemuck::{Pod, Zeroable};
use neuropil_base::{Scalar, ScalarType};

use crate::large::Room;

/// A cache line: the unit of allocation, so that every buffer starts on one.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Line([u8; 64]);

#[allow(unsafe_code)]
// SAFETY: `Line` is 64 bytes of plain data; any bit pattern, and so zero, is a valid value.
unsafe impl Zeroable for Line {}
#[allow(unsafe_code)]
// SAFETY: `Line` is `repr(C)`, its size equals its alignment, so it has no padding; it holds no references and
// every bit pattern is valid.
unsafe impl Pod for Line {}

/// A Rust type that elements of a buffer can be seen as.
pub trait Element: Pod {
    /// Its scalar type.
    const TYPE: ScalarType;
}

impl Element for f32 {
    const TYPE: ScalarType = ScalarType::F32;
}
impl Element for f64 {
    const TYPE: ScalarType = ScalarType::F64;
}
impl Element for i32 {
    const TYPE: ScalarType = ScalarType::I32;
}
impl Element for i64 {
    const TYPE: ScalarType = ScalarType::I64;
}
/// Truth values are bytes, 0 or 1.
impl Element for u8 {
    const TYPE: ScalarType = ScalarType::Bool;
}

/// A typed array whose first element lies on a cache line.
///
/// ```
/// use neuropil_base::ScalarType;
/// use neuropil_memory::HostBuffer;
/// let mut v = HostBuffer::new(ScalarType::F32, 3);
/// v.as_mut_slice::<f32>()[1] = -70e-3;
/// assert_eq!(v.as_slice::<f32>(), [0.0, -70e-3, 0.0]);
/// ```
#[derive(Clone)]
pub struct HostBuffer {
    ty: ScalarType,
    len: usize,
    room: Room,
}

impl HostBuffer {
    /// `len` zeros.
    #[must_use]
    pub fn new(ty: ScalarType, len: usize) -> Self {
        Self { ty, len, room: Room::zeros(len * ty.size()) }
    }

    /// The type of its elements.
    #[must_use]
    pub fn ty(&self) -> ScalarType {
        self.ty
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

    /// Its elements as bytes, in the machine's byte order.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.room.bytes()[..self.len * self.ty.size()]
    }

    /// Its elements as bytes, in the machine's byte order. Truth values must stay 0 or 1.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let size = self.len * self.ty.size();
        &mut self.room.bytes_mut()[..size]
    }

    /// Its elements; empty if they are of another type.
    #[must_use]
    pub fn as_slice<T: Element>(&self) -> &[T] {
        debug_assert_eq!(T::TYPE, self.ty);
        if T::TYPE == self.ty { bytemuck::cast_slice(self.bytes()) } else { &[] }
    }

    /// Its elements; empty if they are of another type.
    pub fn as_mut_slice<T: Element>(&mut self) -> &mut [T] {
        debug_assert_eq!(T::TYPE, self.ty);
        if T::TYPE == self.ty { bytemuck::cast_slice_mut(self.bytes_mut()) } else { &mut [] }
    }

    /// The element `index`; the nearest one if there is no such element, zero if there is none at all.
    #[must_use]
    pub fn get(&self, index: usize) -> Scalar {
        if self.len == 0 {
            return Scalar::from_bits(self.ty, 0);
        }
        let i = index.min(self.len - 1);
        match self.ty {
            ScalarType::Bool => Scalar::Bool(self.as_slice::<u8>()[i] != 0),
            ScalarType::I32 => Scalar::I32(self.as_slice::<i32>()[i]),
            ScalarType::I64 => Scalar::I64(self.as_slice::<i64>()[i]),
            ScalarType::F32 => Scalar::F32(self.as_slice::<f32>()[i]),
            ScalarType::F64 => Scalar::F64(self.as_slice::<f64>()[i]),
        }
    }

    /// Sets the element `index`; does nothing if there is no such element or the value is of another type.
    pub fn set(&mut self, index: usize, value: Scalar) {
        debug_assert_eq!(value.ty(), self.ty);
        if index >= self.len || value.ty() != self.ty {
            return;
        }
        match value {
            Scalar::Bool(b) => self.as_mut_slice::<u8>()[index] = u8::from(b),
            Scalar::I32(x) => self.as_mut_slice::<i32>()[index] = x,
            Scalar::I64(x) => self.as_mut_slice::<i64>()[index] = x,
            Scalar::F32(x) => self.as_mut_slice::<f32>()[index] = x,
            Scalar::F64(x) => self.as_mut_slice::<f64>()[index] = x,
        }
    }

    /// Sets elements `range` (clamped to the buffer) to `value`.
    pub fn fill(&mut self, range: std::ops::Range<usize>, value: Scalar) {
        debug_assert_eq!(value.ty(), self.ty);
        let range = range.start.min(self.len)..range.end.min(self.len);
        if value.ty() != self.ty || range.is_empty() {
            return;
        }
        match value {
            Scalar::Bool(b) => self.as_mut_slice::<u8>()[range].fill(u8::from(b)),
            Scalar::I32(x) => self.as_mut_slice::<i32>()[range].fill(x),
            Scalar::I64(x) => self.as_mut_slice::<i64>()[range].fill(x),
            Scalar::F32(x) => self.as_mut_slice::<f32>()[range].fill(x),
            Scalar::F64(x) => self.as_mut_slice::<f64>()[range].fill(x),
        }
    }

    /// All elements as doubles; truth values are 0 and 1.
    #[must_use]
    pub fn to_f64(&self) -> Vec<f64> {
        (0..self.len).map(|i| self.get(i).to_f64()).collect()
    }

    /// The first element that is infinite or not a number.
    #[must_use]
    pub fn first_non_finite(&self) -> Option<usize> {
        match self.ty {
            ScalarType::Bool | ScalarType::I32 | ScalarType::I64 => None,
            ScalarType::F32 => self.as_slice::<f32>().iter().position(|x| !x.is_finite()),
            ScalarType::F64 => self.as_slice::<f64>().iter().position(|x| !x.is_finite()),
        }
    }
}

impl PartialEq for HostBuffer {
    /// Equal type and bits.
    fn eq(&self, other: &Self) -> bool {
        self.ty == other.ty && self.bytes() == other.bytes()
    }
}

impl Eq for HostBuffer {}

impl std::fmt::Debug for HostBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HostBuffer({} x {})", self.len, self.ty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_start_on_a_cache_line() {
        for len in [1, 7, 1000, 1_000_003] {
            let mut b = HostBuffer::new(ScalarType::I32, len);
            assert_eq!(b.bytes().as_ptr() as usize % 64, 0);
            assert_eq!(b.as_slice::<i32>(), vec![0; len]);
            b.set(len - 1, Scalar::I32(5));
            assert_eq!((b.clone(), b.bytes().len()), (b, 4 * len));
        }
        assert!(HostBuffer::new(ScalarType::F64, 0).is_empty());
    }

    #[test]
    fn elements_outside_read_the_nearest_and_write_nothing() {
        let mut b = HostBuffer::new(ScalarType::F64, 2);
        b.set(1, Scalar::F64(3.0));
        b.set(2, Scalar::F64(4.0));
        assert_eq!(b.get(9), Scalar::F64(3.0));
        assert_eq!(HostBuffer::new(ScalarType::F64, 0).get(0), Scalar::F64(0.0));
    }

    #[test]
    fn the_first_bad_number_is_found() {
        let mut b = HostBuffer::new(ScalarType::F32, 5);
        assert_eq!(b.first_non_finite(), None);
        b.set(3, Scalar::F32(f32::NAN));
        b.set(4, Scalar::F32(f32::INFINITY));
        assert_eq!(b.first_non_finite(), Some(3));
    }
}
