//! A number with a dimension, and what can be wrong with its text.

use std::fmt;

use crate::Dimension;

/// A value in SI base units together with its dimension.
///
/// ```
/// use neuropil_units::{Dimension, Quantity};
/// let q = Quantity::parse("10 nS/cm2").unwrap();
/// assert_eq!(q, Quantity::new(1e-4, Dimension::SIEMENS.div(Dimension::METRE2)));
/// assert_eq!(Quantity::parse("0.1 ms").unwrap().to_string(), "100 us");
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Quantity {
    /// The value, in SI base units.
    pub value: f64,
    /// What it measures.
    pub dimension: Dimension,
}

impl Quantity {
    /// A quantity from its parts.
    #[must_use]
    pub fn new(value: f64, dimension: Dimension) -> Self {
        Self { value, dimension }
    }

    /// Reads a number with an optional product, quotient or power of units: `20 ms`, `1.5*mV`,
    /// `-70 mV`, `0.02`, `10 nS/cm2`, `1/ms`, `2 mV/ms**0.5`. SI symbols are accepted; see
    /// [`lookup_symbol`](crate::lookup_symbol). Decimal numbers are rounded once, units included.
    ///
    /// # Errors
    /// The text has another form, an unknown unit, or a value beyond the range of doubles.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        crate::parse::parse_quantity(text)
    }

    /// The value, if the dimension is `expected`. Zero has every dimension.
    ///
    /// # Errors
    /// [`QuantityError::Dimension`] with both.
    pub fn expect(self, expected: Dimension) -> Result<f64, QuantityError> {
        if self.dimension == expected || (self.value == 0.0 && self.dimension.is_none()) {
            Ok(self.value)
        } else {
            Err(QuantityError::Dimension { expected, found: self.dimension })
        }
    }
}

/// In the unit that gives a number between 1 and 1000, where there is one.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&crate::format_quantity(self.value, self.dimension))
    }
}

/// Why a text is not the quantity that was asked for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum QuantityError {
    /// There is nothing to read.
    #[error("expected a quantity, found nothing")]
    Empty,
    /// Units without a number.
    #[error("expected a number before `{found}`")]
    NoNumber {
        /// What stands there instead.
        found: String,
    },
    /// A character where it cannot stand.
    #[error("unexpected `{found}`")]
    Unexpected {
        /// What stands there.
        found: String,
        /// Bytes before it.
        at: usize,
    },
    /// The text ends too early.
    #[error("the quantity ends where a unit or a number is expected")]
    Incomplete,
    /// No unit has this name.
    #[error("unknown unit `{name}`")]
    UnknownUnit {
        /// The name.
        name: String,
        /// Bytes before it.
        at: usize,
        /// A known name close to it.
        nearest: Option<&'static str>,
    },
    /// The value is beyond the range of doubles.
    #[error("`{text}` is outside the range of numbers")]
    Range {
        /// The text of the quantity.
        text: String,
    },
    /// An exponent of a unit is too large or not a multiple of 1/60.
    #[error("`{exponent}` is no exponent that a unit can have")]
    Exponent {
        /// The exponent, as written.
        exponent: String,
    },
    /// It measures something else.
    #[error("expected a quantity in `{expected}`, found one in `{found}`")]
    Dimension {
        /// What was asked for.
        expected: Dimension,
        /// What was given.
        found: Dimension,
    },
}

impl QuantityError {
    /// What to write instead, if that can be said.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Empty | Self::Incomplete | Self::NoNumber { .. } | Self::Unexpected { .. } => {
                Some("write a number and a unit, such as `20 ms` or `10 nS/cm2`".to_owned())
            }
            Self::UnknownUnit { nearest: Some(name), .. } => Some(format!("did you mean `{name}`?")),
            Self::UnknownUnit { nearest: None, .. } | Self::Range { .. } => None,
            Self::Exponent { .. } => {
                Some("exponents are multiples of 1/60, such as `2`, `-1`, `0.5` or `(1/3)`".to_owned())
            }
            Self::Dimension { expected, .. } if expected.is_none() => {
                Some("leave the unit away, or divide by it".to_owned())
            }
            Self::Dimension { expected, .. } => Some(format!("give it in `{expected}`")),
        }
    }
}
