//! The closed table of functions: names, number of arguments, types.

use std::fmt;

use neuropil_base::{Precision, ScalarType};

/// A function that equations may call.
///
/// The other facts about each are next to this file: its dimension rule ([`Function::dimension`]), its
/// derivatives ([`Function::derivative`]) and its expansion ([`Function::expand`]).
///
/// ```
/// use neuropil_math::Function;
/// assert_eq!(Function::from_name("atan"), Some(Function::Arctan));
/// assert_eq!(Function::Arctan.name(), "arctan");
/// assert_eq!(Function::Clip.arity(), 3);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Function {
    /// `exp(x)`
    Exp,
    /// Natural logarithm, `log(x)`.
    Log,
    /// Decimal logarithm, `log10(x)`.
    Log10,
    /// Binary logarithm, `log2(x)`.
    Log2,
    /// `log(1 + x)`, accurate for small `x`.
    Log1p,
    /// `exp(x) - 1`, accurate for small `x`.
    Expm1,
    /// `(exp(x) - 1) / x`, and 1 at 0.
    Exprel,
    /// `x / (exp(x) - 1)`, and 1 at 0: what `1/exprel(x)` is, by a single division. It falls no lower than 5e-306, or
    /// 5e-37 in single precision.
    PerExprel,
    /// `sqrt(x)`
    Sqrt,
    /// `sin(x)`
    Sin,
    /// `cos(x)`
    Cos,
    /// `tan(x)`
    Tan,
    /// `sinh(x)`
    Sinh,
    /// `cosh(x)`
    Cosh,
    /// `tanh(x)`
    Tanh,
    /// `arcsin(x)`, between -pi/2 and pi/2.
    Arcsin,
    /// `arccos(x)`, between 0 and pi.
    Arccos,
    /// `arctan(x)`, between -pi/2 and pi/2.
    Arctan,
    /// `arctan2(x, y)`: the angle of the point with ordinate `x` and abscissa `y`, between -pi and pi.
    Arctan2,
    /// `abs(x)`
    Abs,
    /// `sign(x)`: -1, 0 or 1.
    Sign,
    /// `clip(x, low, high)`: `low` below it, `high` above it; `high` wins if the two cross.
    Clip,
    /// The next whole number towards minus infinity, as a float.
    Floor,
    /// The next whole number towards plus infinity, as a float.
    Ceil,
    /// `int(x)`: an integer, cut towards zero; of a truth value 0 or 1.
    Int,
    /// `minimum(x, y)`; NaN if either is.
    Min,
    /// `maximum(x, y)`; NaN if either is.
    Max,
    /// `pow(x, y)`, what `x**y` means.
    Pow,
    /// `mod(x, y)`, what `x % y` means: what is left of [`FloorDiv`](Self::FloorDiv), with the sign of `y`.
    Mod,
    /// `floordiv(x, y)`, what `x // y` means: the quotient, down to a whole number.
    FloorDiv,
    /// `timestep(t, dt)`: the number of the step in which the time `t` lies, `int((t + 1e-3*dt)/dt)`.
    Timestep,
}

/// How types of arguments and result of a function hang together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Signature {
    /// Arguments become floats, the result is one.
    Float,
    /// Arguments are joined to one numeric type, which the result has.
    Same,
    /// One argument of any type gives an `I32`.
    Integer,
    /// Two `F64` give an `I32`.
    Timestep,
}

/// The numeric type of an operation on both: the wider of two integers, a float rather than an integer,
/// and `F32` rather than `F64`, since the only `F64` in a single-precision network are times, which are
/// demoted. Truth values count as `I32`.
#[must_use]
pub fn join(a: ScalarType, b: ScalarType) -> ScalarType {
    let rank = |ty| match ty {
        ScalarType::Bool | ScalarType::I32 => ScalarType::I32,
        ScalarType::I64 => ScalarType::I64,
        ScalarType::F64 => ScalarType::F64,
        ScalarType::F32 => ScalarType::F32,
    };
    match (rank(a), rank(b)) {
        (ScalarType::F32, _) | (_, ScalarType::F32) => ScalarType::F32,
        (ScalarType::F64, _) | (_, ScalarType::F64) => ScalarType::F64,
        (ScalarType::I64, _) | (_, ScalarType::I64) => ScalarType::I64,
        (ScalarType::Bool | ScalarType::I32, ScalarType::Bool | ScalarType::I32) => ScalarType::I32,
    }
}

impl Signature {
    /// The type to which arguments of types `arguments` are converted before
    /// [`expand`](Function::expand); `None` if each stays as it is.
    #[must_use]
    pub fn parameter(self, arguments: &[ScalarType], precision: Precision) -> Option<ScalarType> {
        let joined = arguments.iter().copied().reduce(join);
        match self {
            Self::Float => match joined {
                Some(ty) if ty.is_float() => Some(ty),
                Some(_) | None => Some(precision.float()),
            },
            // `reduce` leaves a single argument as it is.
            Self::Same => joined.map(|ty| join(ty, ty)),
            Self::Integer => None,
            Self::Timestep => Some(ScalarType::F64),
        }
    }

    /// The type of the result for arguments of types `arguments`.
    #[must_use]
    pub fn result(self, arguments: &[ScalarType], precision: Precision) -> ScalarType {
        match self {
            Self::Float | Self::Same => {
                self.parameter(arguments, precision).unwrap_or_else(|| precision.float())
            }
            Self::Integer | Self::Timestep => ScalarType::I32,
        }
    }
}

impl Function {
    /// Every function, in the order of the enum.
    pub const ALL: [Self; 31] = [
        Self::Exp,
        Self::Log,
        Self::Log10,
        Self::Log2,
        Self::Log1p,
        Self::Expm1,
        Self::Exprel,
        Self::PerExprel,
        Self::Sqrt,
        Self::Sin,
        Self::Cos,
        Self::Tan,
        Self::Sinh,
        Self::Cosh,
        Self::Tanh,
        Self::Arcsin,
        Self::Arccos,
        Self::Arctan,
        Self::Arctan2,
        Self::Abs,
        Self::Sign,
        Self::Clip,
        Self::Floor,
        Self::Ceil,
        Self::Int,
        Self::Min,
        Self::Max,
        Self::Pow,
        Self::Mod,
        Self::FloorDiv,
        Self::Timestep,
    ];

    /// The name in equations; Brian 2's where it has one.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exp => "exp",
            Self::Log => "log",
            Self::Log10 => "log10",
            Self::Log2 => "log2",
            Self::Log1p => "log1p",
            Self::Expm1 => "expm1",
            Self::Exprel => "exprel",
            Self::PerExprel => "per_exprel",
            Self::Sqrt => "sqrt",
            Self::Sin => "sin",
            Self::Cos => "cos",
            Self::Tan => "tan",
            Self::Sinh => "sinh",
            Self::Cosh => "cosh",
            Self::Tanh => "tanh",
            Self::Arcsin => "arcsin",
            Self::Arccos => "arccos",
            Self::Arctan => "arctan",
            Self::Arctan2 => "arctan2",
            Self::Abs => "abs",
            Self::Sign => "sign",
            Self::Clip => "clip",
            Self::Floor => "floor",
            Self::Ceil => "ceil",
            Self::Int => "int",
            Self::Min => "minimum",
            Self::Max => "maximum",
            Self::Pow => "pow",
            Self::Mod => "mod",
            Self::FloorDiv => "floordiv",
            Self::Timestep => "timestep",
        }
    }

    /// The function with that [`name`](Self::name), or with one that C, NumPy or ANNarchy give it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = match name {
            "asin" => "arcsin",
            "acos" => "arccos",
            "atan" => "arctan",
            "atan2" => "arctan2",
            "ln" => "log",
            "power" => "pow",
            "min" => "minimum",
            "max" => "maximum",
            "fabs" => "abs",
            _ => name,
        };
        Self::ALL.into_iter().find(|f| f.name() == name)
    }

    /// The number of arguments.
    #[must_use]
    pub fn arity(self) -> usize {
        match self {
            Self::Exp
            | Self::Log
            | Self::Log10
            | Self::Log2
            | Self::Log1p
            | Self::Expm1
            | Self::Exprel
            | Self::PerExprel
            | Self::Sqrt
            | Self::Sin
            | Self::Cos
            | Self::Tan
            | Self::Sinh
            | Self::Cosh
            | Self::Tanh
            | Self::Arcsin
            | Self::Arccos
            | Self::Arctan
            | Self::Abs
            | Self::Sign
            | Self::Floor
            | Self::Ceil
            | Self::Int => 1,
            Self::Arctan2
            | Self::Min
            | Self::Max
            | Self::Pow
            | Self::Mod
            | Self::FloorDiv
            | Self::Timestep => 2,
            Self::Clip => 3,
        }
    }

    /// The types of arguments and result.
    #[must_use]
    pub fn signature(self) -> Signature {
        match self {
            Self::Exp
            | Self::Log
            | Self::Log10
            | Self::Log2
            | Self::Log1p
            | Self::Expm1
            | Self::Exprel
            | Self::PerExprel
            | Self::Sqrt
            | Self::Sin
            | Self::Cos
            | Self::Tan
            | Self::Sinh
            | Self::Cosh
            | Self::Tanh
            | Self::Arcsin
            | Self::Arccos
            | Self::Arctan
            | Self::Arctan2
            | Self::Floor
            | Self::Ceil
            | Self::Pow => Signature::Float,
            Self::Abs | Self::Sign | Self::Clip | Self::Min | Self::Max | Self::Mod | Self::FloorDiv => {
                Signature::Same
            }
            Self::Int => Signature::Integer,
            Self::Timestep => Signature::Timestep,
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_function() {
        for f in Function::ALL {
            assert_eq!(Function::from_name(f.name()), Some(f));
        }
        assert_eq!(Function::from_name("sinus"), None);
    }

    #[test]
    fn functions_are_listed_in_order() {
        assert!(Function::ALL.is_sorted());
    }

    #[test]
    fn times_are_demoted_in_a_single_precision_network() {
        let s = Function::Sin.signature();
        assert_eq!(s.result(&[ScalarType::F64], Precision::F32), ScalarType::F64);
        assert_eq!(s.result(&[ScalarType::I32], Precision::F32), ScalarType::F32);
        let s = Function::Min.signature();
        assert_eq!(s.result(&[ScalarType::F64, ScalarType::F32], Precision::F32), ScalarType::F32);
        assert_eq!(s.result(&[ScalarType::Bool], Precision::F64), ScalarType::I32);
    }
}
