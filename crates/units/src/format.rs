//! Quantities to text, in the unit that gives a readable number.
//!
//! The digits are the shortest that name the value; a prefix only moves the decimal point. What is
//! printed here is read back by [`Quantity::parse`](crate::Quantity::parse) as the same double.

use crate::Dimension;
use crate::unit::shift_decimal;

/// Symbols that carry prefixes in print, with the power of ten of the bare symbol.
const SYMBOLS: [(Dimension, &str, i32); 15] = [
    (Dimension::VOLT, "V", 0),
    (Dimension::SECOND, "s", 0),
    (Dimension::AMPERE, "A", 0),
    (Dimension::SIEMENS, "S", 0),
    (Dimension::FARAD, "F", 0),
    (Dimension::OHM, "ohm", 0),
    (Dimension::HERTZ, "Hz", 0),
    (Dimension::METRE, "m", 0),
    (Dimension::COULOMB, "C", 0),
    (Dimension::CONCENTRATION, "M", 3),
    (Dimension::MOLE, "mol", 0),
    (Dimension::KILOGRAM, "g", -3),
    (Dimension::JOULE, "J", 0),
    (Dimension::WATT, "W", 0),
    (Dimension::NEWTON, "N", 0),
];

/// Prefixes in steps of a thousand, the smallest first.
const PREFIXES: [(&str, i32); 12] = [
    ("y", -24),
    ("z", -21),
    ("a", -18),
    ("f", -15),
    ("p", -12),
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
];

/// Areas and volumes have prefixes in steps that are powers themselves.
const POWERED: [(Dimension, [(&str, i32); 3]); 2] = [
    (Dimension::METRE2, [("um2", -12), ("mm2", -6), ("m2", 0)]),
    (Dimension::METRE3, [("um3", -18), ("mm3", -9), ("m3", 0)]),
];

/// `value` (in SI base units) as text: `20 ms`, `-70 mV`, `0.5 siemens/metre**2`, `3` for plain numbers.
#[must_use]
pub fn format_quantity(value: f64, dimension: Dimension) -> String {
    if dimension.is_none() {
        return number(value, 0);
    }
    if let Some((_, units)) = POWERED.iter().find(|(d, _)| *d == dimension) {
        let (unit, exponent) = largest_below(value, units.iter().map(|&(unit, e)| (unit, e)));
        return format!("{} {unit}", number(value, exponent));
    }
    if let Some(&(_, symbol, base)) = SYMBOLS.iter().find(|(d, ..)| *d == dimension) {
        let (prefix, exponent) = largest_below(value, PREFIXES.iter().map(|&(p, e)| (p, e + base)));
        return format!("{} {prefix}{symbol}", number(value, exponent));
    }
    // No symbol in `Dimension`'s text carries a power of ten but `molar`, which has a row above.
    let text = dimension.to_string();
    match text.strip_prefix("1/") {
        Some(below) => format!("{}/{below}", number(value, 0)),
        None => format!("{} {text}", number(value, 0)),
    }
}

/// The largest unit of which `value` is at least one; the smallest if there is none, the bare one for 0.
fn largest_below<'a>(value: f64, units: impl Iterator<Item = (&'a str, i32)> + Clone) -> (&'a str, i32) {
    let size = value.abs();
    let bare = || units.clone().find(|(unit, _)| unit.is_empty() || unit.starts_with("m2") || *unit == "m3");
    if size == 0.0 || !size.is_finite() {
        return bare().unwrap_or(("", 0));
    }
    let fits = units.clone().filter(|&(_, exponent)| shift_decimal(size, -exponent) >= 1.0).last();
    fits.or_else(|| units.clone().next()).unwrap_or(("", 0))
}

/// `value / 10^exponent` in decimal digits; very large and very small ones with an exponent.
fn number(value: f64, exponent: i32) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let text = format!("{value:e}");
    let (digits, places) = text.split_once('e').unwrap_or((&text, "0"));
    let places = places.parse::<i32>().unwrap_or(0) - exponent;
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |d| ("-", d));
    if !(-5..16).contains(&places) {
        return format!("{sign}{digits}e{places}");
    }
    let digits: String = digits.chars().filter(|c| *c != '.').collect();
    let whole = places + 1;
    let plain = if whole <= 0 {
        format!("0.{}{digits}", "0".repeat(whole.unsigned_abs() as usize))
    } else if (whole as usize) >= digits.len() {
        format!("{digits}{}", "0".repeat(whole as usize - digits.len()))
    } else {
        format!("{}.{}", &digits[..whole as usize], &digits[whole as usize..])
    };
    format!("{sign}{plain}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Quantity;

    #[test]
    fn quantities_are_printed_in_readable_units() {
        let per_area = Dimension::SIEMENS.div(Dimension::METRE2);
        for (value, dimension, text) in [
            (0.02, Dimension::SECOND, "20 ms"),
            (1.0, Dimension::SECOND, "1 s"),
            (1e-4, Dimension::SECOND, "100 us"),
            (-0.07, Dimension::VOLT, "-70 mV"),
            (6e-9, Dimension::SIEMENS, "6 nS"),
            (2.81e-10, Dimension::FARAD, "281 pF"),
            (1e8, Dimension::OHM, "100 Mohm"),
            (0.0, Dimension::VOLT, "0 V"),
            (20.0, Dimension::HERTZ, "20 Hz"),
            (2e-8, Dimension::METRE2, "20000 um2"),
            (0.0, Dimension::METRE2, "0 m2"),
            (0.5, per_area, "0.5 siemens/metre**2"),
            (3.0, Dimension::VOLT.recip(), "3/volt"),
            (2.5, Dimension::CONCENTRATION, "2.5 mM"),
            (70.0, Dimension::KILOGRAM, "70 kg"),
            (3.5, Dimension::NONE, "3.5"),
            (1e-9, Dimension::NONE, "1e-9"),
            (1e20, Dimension::NONE, "1e20"),
            (0.000_12, Dimension::NONE, "0.00012"),
        ] {
            assert_eq!(format_quantity(value, dimension), text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn what_is_printed_is_read_back(value in proptest::num::f64::NORMAL, which in 0..20usize) {
            let dimension = match SYMBOLS.get(which) {
                Some(row) => row.0,
                None => [
                    Dimension::NONE,
                    Dimension::METRE2,
                    Dimension::METRE3,
                    Dimension::VOLT.div(Dimension::SECOND),
                    Dimension::VOLT.recip(),
                ][which - SYMBOLS.len()],
            };
            let text = format_quantity(value, dimension);
            prop_assert_eq!(Quantity::parse(&text), Ok(Quantity::new(value, dimension)), "{}", text);
        }
    }
}
