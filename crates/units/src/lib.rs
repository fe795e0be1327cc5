//! Dimensions, units and quantities; nothing about neurons.
//!
//! * [`Dimension`]: rational exponents of the seven SI base dimensions.
//! * [`Unit`]: a name with a dimension and a power of ten; [`lookup`] knows all names of Brian 2,
//!   [`lookup_symbol`] also the one-letter symbols that only settings may use.
//! * [`Quantity`]: a number in SI base units with its dimension; parsed from and printed as text such
//!   as `20 ms`.
//! * [`constant()`]: physical constants by name.

mod constant;
mod dimension;
mod format;
mod parse;
mod quantity;
mod unit;

pub use constant::{constant, constant_names};
pub use dimension::Dimension;
pub use format::format_quantity;
pub use quantity::{Quantity, QuantityError};
pub use unit::{Unit, lookup, lookup_symbol, names};
