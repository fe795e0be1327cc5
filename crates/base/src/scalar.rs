//! What one element of a variable is: its machine type and, for constants, its value.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The machine type of a value or of one element of a buffer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ScalarType {
    /// A truth value, stored as one byte, 0 or 1.
    Bool,
    /// A signed 32-bit integer: what the language calls `integer`.
    I32,
    /// A signed 64-bit integer: step counters.
    I64,
    /// An IEEE 754 single.
    F32,
    /// An IEEE 754 double.
    F64,
}

impl ScalarType {
    /// Bytes of one element in memory.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }

    /// Whether this is `F32` or `F64`.
    #[must_use]
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }

    /// Whether this is `I32` or `I64`.
    #[must_use]
    pub fn is_integer(self) -> bool {
        matches!(self, Self::I32 | Self::I64)
    }

    /// The name used in the kernel language: `bool`, `i32`, `i64`, `f32`, `f64`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }

    /// The type with that [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Bool, Self::I32, Self::I64, Self::F32, Self::F64].into_iter().find(|t| t.name() == name)
    }
}

impl fmt::Display for ScalarType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The floating-point type of a network's real variables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision.
    F32,
    /// Double precision, the default.
    #[default]
    F64,
}

impl Precision {
    /// The scalar type of a real variable.
    #[must_use]
    pub fn float(self) -> ScalarType {
        match self {
            Self::F32 => ScalarType::F32,
            Self::F64 => ScalarType::F64,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.float().name())
    }
}

/// One value together with its type. Floats compare by bits, so that constants can be keys.
#[derive(Clone, Copy, Debug)]
pub enum Scalar {
    /// A truth value.
    Bool(bool),
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// A single.
    F32(f32),
    /// A double.
    F64(f64),
}

impl Scalar {
    /// The type of this value.
    #[must_use]
    pub fn ty(self) -> ScalarType {
        match self {
            Self::Bool(_) => ScalarType::Bool,
            Self::I32(_) => ScalarType::I32,
            Self::I64(_) => ScalarType::I64,
            Self::F32(_) => ScalarType::F32,
            Self::F64(_) => ScalarType::F64,
        }
    }

    /// A float of type `ty` (`F32` rounds to nearest). For the other types the value is truncated
    /// towards zero, and anything but 0 is true.
    #[must_use]
    pub fn from_f64(ty: ScalarType, x: f64) -> Self {
        match ty {
            ScalarType::Bool => Self::Bool(x != 0.0),
            ScalarType::I32 => Self::I32(x as i32),
            ScalarType::I64 => Self::I64(x as i64),
            ScalarType::F32 => Self::F32(x as f32),
            ScalarType::F64 => Self::F64(x),
        }
    }

    /// The value as a double; truth values are 0 and 1.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Bool(b) => f64::from(u8::from(b)),
            Self::I32(i) => f64::from(i),
            Self::I64(i) => i as f64,
            Self::F32(x) => f64::from(x),
            Self::F64(x) => x,
        }
    }

    /// The value's bits, zero-extended.
    #[must_use]
    pub fn bits(self) -> u64 {
        match self {
            Self::Bool(b) => u64::from(b),
            Self::I32(i) => u64::from(i as u32),
            Self::I64(i) => i as u64,
            Self::F32(x) => u64::from(x.to_bits()),
            Self::F64(x) => x.to_bits(),
        }
    }

    /// The value of type `ty` with those bits; inverse of [`bits`](Self::bits).
    #[must_use]
    pub fn from_bits(ty: ScalarType, bits: u64) -> Self {
        match ty {
            ScalarType::Bool => Self::Bool(bits & 1 != 0),
            ScalarType::I32 => Self::I32(bits as u32 as i32),
            ScalarType::I64 => Self::I64(bits as i64),
            ScalarType::F32 => Self::F32(f32::from_bits(bits as u32)),
            ScalarType::F64 => Self::F64(f64::from_bits(bits)),
        }
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.ty() == other.ty() && self.bits() == other.bits()
    }
}

impl Eq for Scalar {}

impl std::hash::Hash for Scalar {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.ty().hash(state);
        self.bits().hash(state);
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(b) => write!(f, "{b}"),
            Self::I32(i) => write!(f, "{i}"),
            Self::I64(i) => write!(f, "{i}"),
            Self::F32(x) => write!(f, "{x:?}"),
            Self::F64(x) => write!(f, "{x:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_round_trip_for_every_type() {
        for s in [
            Scalar::Bool(true),
            Scalar::I32(-7),
            Scalar::I64(i64::MIN),
            Scalar::F32(-0.0),
            Scalar::F64(f64::NAN),
        ] {
            assert_eq!(Scalar::from_bits(s.ty(), s.bits()), s);
        }
    }

    #[test]
    fn zero_and_minus_zero_are_different_constants() {
        assert_ne!(Scalar::F64(0.0), Scalar::F64(-0.0));
    }

    #[test]
    fn names_and_types_correspond() {
        for t in [ScalarType::Bool, ScalarType::I32, ScalarType::I64, ScalarType::F32, ScalarType::F64] {
            assert_eq!(ScalarType::from_name(t.name()), Some(t));
        }
        assert_eq!(ScalarType::from_name("float"), None);
    }
}
