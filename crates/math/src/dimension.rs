//! The dimension rule of each function.

use neuropil_units::Dimension;

use crate::Function;

/// Why a function cannot take arguments of these dimensions.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
pub enum DimensionError {
    /// The number of arguments is wrong.
    #[error("`{function}` takes {} argument{}, not {found}", function.arity(), if function.arity() == 1 { "" } else { "s" })]
    Count {
        /// The function.
        function: Function,
        /// The number of arguments given.
        found: usize,
    },
    /// An argument must have one dimension and has another.
    #[error("argument {} of `{function}` must be in `{expected}`, not `{found}`", index + 1)]
    Argument {
        /// The function.
        function: Function,
        /// Which argument, counted from 0.
        index: usize,
        /// What it must be.
        expected: Dimension,
        /// What it is.
        found: Dimension,
    },
    /// An argument must have the dimension of the first and has another.
    #[error("arguments of `{function}` must agree: the first is in `{first}`, argument {} in `{found}`", index + 1)]
    Disagreement {
        /// The function.
        function: Function,
        /// Which argument, counted from 0.
        index: usize,
        /// The dimension of the first argument.
        first: Dimension,
        /// The dimension of this one.
        found: Dimension,
    },
    /// A power of a quantity with a dimension needs a constant exponent.
    #[error("a power of a quantity in `{base}` needs a constant exponent")]
    VariableExponent {
        /// The dimension of the base.
        base: Dimension,
    },
    /// The exponent gives a dimension that cannot be.
    #[error("`{exponent}` is no exponent for a quantity in `{base}`")]
    Exponent {
        /// The dimension of the base.
        base: Dimension,
        /// The exponent.
        exponent: f64,
    },
}

impl DimensionError {
    /// What to write instead, if that can be said.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Argument { expected, found, .. } if expected.is_none() => {
                Some(format!("divide it by something in `{found}`"))
            }
            Self::Argument { expected, .. } => Some(format!("give it in `{expected}`")),
            Self::Disagreement { first, .. } => Some(format!("give it in `{first}`")),
            Self::VariableExponent { base } => {
                Some(format!("divide the base by something in `{base}`, or write the exponent as a number"))
            }
            Self::Exponent { .. } => {
                Some("exponents of quantities are multiples of 1/60, such as `2`, `-1` or `0.5`".to_owned())
            }
            Self::Count { .. } => None,
        }
    }
}

impl Function {
    /// The dimension of the result for arguments of dimensions `args`.
    ///
    /// For [`Pow`](Self::Pow) the exponent counts as variable; see [`pow_dimension`].
    ///
    /// # Errors
    /// The first argument that does not fit.
    pub fn dimension(self, args: &[Dimension]) -> Result<Dimension, DimensionError> {
        if args.len() != self.arity() {
            return Err(DimensionError::Count { function: self, found: args.len() });
        }
        let first = args.first().copied().unwrap_or(Dimension::NONE);
        match self {
            Self::Exp
            | Self::Log
            | Self::Log10
            | Self::Log2
            | Self::Log1p
            | Self::Expm1
            | Self::Exprel
            | Self::PerExprel
            | Self::Sin
            | Self::Cos
            | Self::Tan
            | Self::Sinh
            | Self::Cosh
            | Self::Tanh
            | Self::Arcsin
            | Self::Arccos
            | Self::Arctan
            | Self::Floor
            | Self::Ceil
            | Self::Int => self.all(args, Dimension::NONE).map(|()| Dimension::NONE),
            Self::Sqrt => pow_dimension(first, Some(0.5)),
            Self::Abs => Ok(first),
            Self::Sign => Ok(Dimension::NONE),
            Self::Clip | Self::Min | Self::Max | Self::Mod => self.agree(args).map(|()| first),
            Self::Arctan2 | Self::FloorDiv => self.agree(args).map(|()| Dimension::NONE),
            Self::Pow => {
                let exponent = args.get(1).copied().unwrap_or(Dimension::NONE);
                if !exponent.is_none() {
                    return Err(DimensionError::Argument {
                        function: self,
                        index: 1,
                        expected: Dimension::NONE,
                        found: exponent,
                    });
                }
                pow_dimension(first, None)
            }
            Self::Timestep => self.all(args, Dimension::SECOND).map(|()| Dimension::NONE),
        }
    }

    /// That each argument is in `expected`.
    fn all(self, args: &[Dimension], expected: Dimension) -> Result<(), DimensionError> {
        match args.iter().position(|d| *d != expected) {
            None => Ok(()),
            Some(index) => {
                Err(DimensionError::Argument { function: self, index, expected, found: args[index] })
            }
        }
    }

    /// That all arguments have the dimension of the first.
    fn agree(self, args: &[Dimension]) -> Result<(), DimensionError> {
        match args.iter().position(|d| *d != args[0]) {
            None => Ok(()),
            Some(index) => Err(DimensionError::Disagreement {
                function: self,
                index,
                first: args[0],
                found: args[index],
            }),
        }
    }
}

/// The dimension of a power. The exponent is `None` if it is not known before the run; then the base must
/// be a plain number.
///
/// # Errors
/// A base with a dimension and an exponent that is unknown, or with which the result has no dimension.
pub fn pow_dimension(base: Dimension, exponent: Option<f64>) -> Result<Dimension, DimensionError> {
    if base.is_none() {
        return Ok(Dimension::NONE);
    }
    let Some(exponent) = exponent else {
        return Err(DimensionError::VariableExponent { base });
    };
    // 1/60 is the step of exponents; `1/3` as a double is not exactly a third.
    let sixtieths = (exponent * 60.0 + 0.5).floor();
    let fits = (exponent * 60.0 - sixtieths).abs() < 1e-9 && sixtieths.abs() < 1e6;
    fits.then(|| base.pow(sixtieths as i32, 60)).flatten().ok_or(DimensionError::Exponent { base, exponent })
}

#[cfg(test)]
mod tests {
    use super::*;

    const V: Dimension = Dimension::VOLT;

    #[test]
    fn plain_numbers_are_asked_for_where_a_dimension_has_no_meaning() {
        let error = Function::Exp.dimension(&[V]).unwrap_err();
        assert_eq!(error.to_string(), "argument 1 of `exp` must be in `1`, not `volt`");
        assert_eq!(error.help().unwrap(), "divide it by something in `volt`");
    }

    #[test]
    fn arguments_that_are_compared_must_agree() {
        assert_eq!(Function::Clip.dimension(&[V, V, V]), Ok(V));
        let error = Function::Clip.dimension(&[V, V, Dimension::NONE]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "arguments of `clip` must agree: the first is in `volt`, argument 3 in `1`"
        );
    }

    #[test]
    fn powers_of_quantities_need_a_constant_exponent() {
        assert_eq!(pow_dimension(V, Some(2.0)), Ok(V.mul(V)));
        assert_eq!(pow_dimension(V, Some(1.0 / 3.0)).ok(), V.pow(1, 3));
        assert_eq!(pow_dimension(V, None), Err(DimensionError::VariableExponent { base: V }));
        assert!(pow_dimension(V, Some(0.123_456)).is_err());
        assert!(pow_dimension(V, Some(f64::NAN)).is_err());
        assert!(pow_dimension(V, Some(f64::INFINITY)).is_err());
        assert_eq!(Function::Sqrt.dimension(&[V]).ok(), V.sqrt());
    }

    #[test]
    fn a_wrong_number_of_arguments_is_an_error() {
        let error = Function::Exp.dimension(&[]).unwrap_err();
        assert_eq!(error.to_string(), "`exp` takes 1 argument, not 0");
    }
}
