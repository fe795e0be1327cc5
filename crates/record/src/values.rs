//! Typed columns of numbers, whatever their type.

use neuropil_base::{Scalar, ScalarType};

/// A vector of elements of one [`ScalarType`].
#[derive(Clone, PartialEq, Debug)]
pub enum Values {
    /// Truth values.
    Bool(Vec<bool>),
    /// 32-bit integers.
    I32(Vec<i32>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// Singles.
    F32(Vec<f32>),
    /// Doubles.
    F64(Vec<f64>),
}

/// Order of the bytes of one element in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The byte order of this machine.
    pub(crate) const NATIVE: Self = if cfg!(target_endian = "little") { Self::Little } else { Self::Big };
}

impl Values {
    /// No elements, of type `ty`.
    #[must_use]
    pub fn new(ty: ScalarType) -> Self {
        match ty {
            ScalarType::Bool => Self::Bool(Vec::new()),
            ScalarType::I32 => Self::I32(Vec::new()),
            ScalarType::I64 => Self::I64(Vec::new()),
            ScalarType::F32 => Self::F32(Vec::new()),
            ScalarType::F64 => Self::F64(Vec::new()),
        }
    }

    /// The type of the elements.
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

    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bool(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::I64(v) => v.len(),
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
        }
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Element `k`.
    #[must_use]
    pub fn get(&self, k: usize) -> Option<Scalar> {
        match self {
            Self::Bool(v) => v.get(k).map(|x| Scalar::Bool(*x)),
            Self::I32(v) => v.get(k).map(|x| Scalar::I32(*x)),
            Self::I64(v) => v.get(k).map(|x| Scalar::I64(*x)),
            Self::F32(v) => v.get(k).map(|x| Scalar::F32(*x)),
            Self::F64(v) => v.get(k).map(|x| Scalar::F64(*x)),
        }
    }

    /// The elements as doubles; truth values are 0 and 1.
    #[must_use]
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Self::Bool(v) => v.iter().map(|x| f64::from(u8::from(*x))).collect(),
            Self::I32(v) => v.iter().map(|x| f64::from(*x)).collect(),
            Self::I64(v) => v.iter().map(|x| *x as f64).collect(),
            Self::F32(v) => v.iter().map(|x| f64::from(*x)).collect(),
            Self::F64(v) => v.clone(),
        }
    }

    /// Drops all elements but the first `n`.
    pub(crate) fn truncate(&mut self, n: usize) {
        match self {
            Self::Bool(v) => v.truncate(n),
            Self::I32(v) => v.truncate(n),
            Self::I64(v) => v.truncate(n),
            Self::F32(v) => v.truncate(n),
            Self::F64(v) => v.truncate(n),
        }
    }

    /// Appends elements from their bytes; bytes left over at the end are ignored.
    pub(crate) fn extend_from_bytes(&mut self, bytes: &[u8], order: ByteOrder) {
        macro_rules! numbers {
            ($vec:expr, $type:ty) => {
                match bytemuck::try_cast_slice::<u8, $type>(bytes) {
                    Ok(elements) if order == ByteOrder::NATIVE => $vec.extend_from_slice(elements),
                    _ => {
                        let (elements, _) = bytes.as_chunks::<{ size_of::<$type>() }>();
                        $vec.extend(elements.iter().map(|b| match order {
                            ByteOrder::Little => <$type>::from_le_bytes(*b),
                            ByteOrder::Big => <$type>::from_be_bytes(*b),
                        }));
                    }
                }
            };
        }
        match self {
            Self::Bool(v) => v.extend(bytes.iter().map(|b| *b != 0)),
            Self::I32(v) => numbers!(v, i32),
            Self::I64(v) => numbers!(v, i64),
            Self::F32(v) => numbers!(v, f32),
            Self::F64(v) => numbers!(v, f64),
        }
    }
}
