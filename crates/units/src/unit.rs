//! Names of units, and the power of ten that each stands for.
//!
//! Every unit here is a power of ten times a product of SI base units, so the scale is kept as an
//! integer exponent and applied to a number by moving its decimal point.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::Dimension;

/// A named unit.
///
/// ```
/// let mv = neuropil_units::lookup("mV").unwrap();
/// assert_eq!(mv.apply(20.0), 0.02);
/// assert_eq!(mv.dimension, neuropil_units::Dimension::VOLT);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Unit {
    /// The name by which it was found.
    pub name: &'static str,
    /// What it measures.
    pub dimension: Dimension,
    /// How much of the SI base unit it is, as a power of ten.
    pub exponent: i32,
    /// The same as a factor: the double nearest to `10^exponent`. Prefer [`apply`](Self::apply).
    pub scale: f64,
}

impl Unit {
    /// `value` of this unit in SI base units.
    ///
    /// The decimal point of the shortest text that names `value` is moved by
    /// [`exponent`](Self::exponent) places and the result read again, so that `0.1 ms` is the double
    /// nearest to 0.0001 and `20 mV` the one nearest to 0.02. `value * scale` would round three times.
    #[must_use]
    pub fn apply(self, value: f64) -> f64 {
        shift_decimal(value, self.exponent)
    }
}

/// `value * 10^places` for the decimal number that `value` prints as, rounded once.
pub(crate) fn shift_decimal(value: f64, places: i32) -> f64 {
    if places == 0 || !value.is_finite() || value == 0.0 {
        return value;
    }
    let text = format!("{value:e}");
    let Some((digits, exponent)) = text.split_once('e') else { return value };
    let exponent = exponent.parse::<i32>().unwrap_or(0).saturating_add(places);
    format!("{digits}e{exponent}").parse().unwrap_or(value)
}

/// A unit under one of its unprefixed names.
struct Row {
    names: &'static [&'static str],
    /// The symbol that carries prefixes in settings; empty if there is none.
    symbol: &'static str,
    dimension: Dimension,
    exponent: i32,
}

const fn row(
    names: &'static [&'static str],
    symbol: &'static str,
    dimension: Dimension,
    exponent: i32,
) -> Row {
    Row { names, symbol, dimension, exponent }
}

/// Units that take prefixes, the more usual first.
const ROWS: [Row; 31] = [
    row(&["volt"], "V", Dimension::VOLT, 0),
    row(&["second"], "s", Dimension::SECOND, 0),
    row(&["amp", "ampere"], "A", Dimension::AMPERE, 0),
    row(&["siemens"], "S", Dimension::SIEMENS, 0),
    row(&["farad"], "F", Dimension::FARAD, 0),
    row(&["ohm"], "Ohm", Dimension::OHM, 0),
    row(&["hertz"], "Hz", Dimension::HERTZ, 0),
    row(&["metre", "meter"], "m", Dimension::METRE, 0),
    row(&["mole", "mol"], "", Dimension::MOLE, 0),
    row(&["molar"], "M", Dimension::CONCENTRATION, 3),
    row(&["liter", "litre"], "L", Dimension::METRE3, -3),
    row(&["coulomb"], "C", Dimension::COULOMB, 0),
    row(&["gram", "gramme"], "g", Dimension::KILOGRAM, -3),
    row(&["kelvin"], "K", Dimension::KELVIN, 0),
    row(&["joule"], "J", Dimension::JOULE, 0),
    row(&["watt"], "W", Dimension::WATT, 0),
    row(&["newton"], "N", Dimension::NEWTON, 0),
    row(&["pascal"], "Pa", Dimension::PASCAL, 0),
    row(&["weber"], "Wb", Dimension::WEBER, 0),
    row(&["tesla"], "T", Dimension::TESLA, 0),
    row(&["henry"], "H", Dimension::HENRY, 0),
    row(&["candle", "candela"], "cd", Dimension::CANDELA, 0),
    row(&["lumen"], "lm", Dimension::CANDELA, 0),
    row(&["lux"], "lx", Dimension::LUX, 0),
    row(&["radian"], "rad", Dimension::NONE, 0),
    row(&["steradian"], "sr", Dimension::NONE, 0),
    row(&["becquerel"], "Bq", Dimension::HERTZ, 0),
    row(&["gray"], "Gy", Dimension::GRAY, 0),
    row(&["sievert"], "Sv", Dimension::GRAY, 0),
    row(&["katal"], "kat", Dimension::KATAL, 0),
    // `kg` as a name of its own comes from the gram; this row only holds the spelled-out base unit.
    row(&["kilogram", "kilogramme"], "", Dimension::KILOGRAM, 0),
];

/// SI prefixes, the more usual first.
const PREFIXES: [(&str, i32); 20] = [
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("k", 3),
    ("M", 6),
    ("c", -2),
    ("d", -1),
    ("f", -15),
    ("G", 9),
    ("T", 12),
    ("h", 2),
    ("da", 1),
    ("a", -18),
    ("z", -21),
    ("y", -24),
    ("P", 15),
    ("E", 18),
    ("Z", 21),
    ("Y", 24),
];

/// The short names that Brian 2 puts into every namespace, and those of the same kind: prefixed, so that
/// none hides a variable with a usual name.
const SHORT: [&str; 44] = [
    "mV", "uV", "nV", "mA", "uA", "nA", "pA", "fA", "mS", "uS", "nS", "pS", "mF", "uF", "nF", "pF", "fF",
    "ms", "us", "ns", "Hz", "kHz", "MHz", "GHz", "kOhm", "MOhm", "GOhm", "cm", "cm2", "cm3", "mm", "mm2",
    "mm3", "um", "um2", "um3", "nm", "nm2", "nm3", "mM", "uM", "nM", "pM", "kg",
];

struct Table {
    /// What equations may use, in the order of [`names`].
    order: Vec<&'static str>,
    units: BTreeMap<String, (Dimension, i32)>,
    /// Symbols with and without prefixes, for settings.
    symbols: BTreeMap<String, (Dimension, i32)>,
}

/// Powers that have names of their own, such as `cmetre2`.
const POWERS: [(&str, i32); 3] = [("", 1), ("2", 2), ("3", 3)];

fn insert(table: &mut BTreeMap<String, (Dimension, i32)>, stem: &str, dimension: Dimension, exponent: i32) {
    for (suffix, power) in POWERS {
        if let Some(dimension) = dimension.pow(power, 1) {
            table.entry(format!("{stem}{suffix}")).or_insert((dimension, exponent * power));
        }
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let (mut units, mut symbols) = (BTreeMap::new(), BTreeMap::new());
    for row in &ROWS {
        for name in row.names {
            insert(&mut units, name, row.dimension, row.exponent);
            if name.starts_with("kilogram") {
                continue;
            }
            for (prefix, exponent) in PREFIXES {
                insert(&mut units, &format!("{prefix}{name}"), row.dimension, row.exponent + exponent);
            }
        }
        if !row.symbol.is_empty() {
            insert(&mut symbols, row.symbol, row.dimension, row.exponent);
        }
    }
    // Whole symbols win over prefixed ones (`cd`, `Pa`), hence a second round.
    for row in ROWS.iter().filter(|row| !row.symbol.is_empty()) {
        for (prefix, exponent) in PREFIXES {
            insert(&mut symbols, &format!("{prefix}{}", row.symbol), row.dimension, row.exponent + exponent);
        }
    }
    for name in SHORT {
        if let Some(&unit) = symbols.get(name) {
            units.insert(name.to_owned(), unit);
        }
    }
    Table { order: order(), units, symbols }
});

/// All names of equations, the more usual first, so that the first of several near names is the likelier.
fn order() -> Vec<&'static str> {
    let mut order: Vec<&'static str> = SHORT.to_vec();
    order.extend(ROWS.iter().flat_map(|row| row.names));
    order
}

/// The unit that equations call `name`: all of Brian 2's names (`volt`, `mvolt`, `cmetre2`, `mV`, ...).
///
/// One-letter symbols are not among them, since they hide variables; see [`lookup_symbol`].
#[must_use]
pub fn lookup(name: &str) -> Option<Unit> {
    find(&TABLE.units, name)
}

/// The unit that settings such as `duration = "1 s"` call `name`: those of [`lookup`], and SI symbols
/// with any prefix (`V`, `kg`, `µm`, `Ω`).
#[must_use]
pub fn lookup_symbol(name: &str) -> Option<Unit> {
    // Both characters for micro exist (U+00B5 and U+03BC), as do both for ohm (U+2126 and U+03A9).
    let name = name.replace(['\u{b5}', '\u{3bc}'], "u").replace(['\u{2126}', '\u{3a9}'], "Ohm");
    lookup(&name).or_else(|| find(&TABLE.symbols, &name))
}

fn find(table: &'static BTreeMap<String, (Dimension, i32)>, name: &str) -> Option<Unit> {
    let (name, &(dimension, exponent)) = table.get_key_value(name)?;
    Some(Unit { name, dimension, exponent, scale: shift_decimal(1.0, exponent) })
}

/// Every name that [`lookup`] knows, the more usual first, for suggestions.
pub fn names() -> impl Iterator<Item = &'static str> {
    let table = &*TABLE;
    let rest = table.units.keys().map(String::as_str).filter(|name| !table.order.contains(name));
    table.order.iter().copied().chain(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_brian_are_known() {
        for (name, dimension, exponent) in [
            ("volt", Dimension::VOLT, 0),
            ("mvolt", Dimension::VOLT, -3),
            ("mV", Dimension::VOLT, -3),
            ("usiemens", Dimension::SIEMENS, -6),
            ("nS", Dimension::SIEMENS, -9),
            ("pamp", Dimension::AMPERE, -12),
            ("nampere", Dimension::AMPERE, -9),
            ("nfarad", Dimension::FARAD, -9),
            ("msecond", Dimension::SECOND, -3),
            ("us", Dimension::SECOND, -6),
            ("Mohm", Dimension::OHM, 6),
            ("kHz", Dimension::HERTZ, 3),
            ("mmetre", Dimension::METRE, -3),
            ("cmetre2", Dimension::METRE2, -4),
            ("umeter3", Dimension::METRE3, -18),
            ("cm2", Dimension::METRE2, -4),
            ("um2", Dimension::METRE2, -12),
            ("kgram", Dimension::KILOGRAM, 0),
            ("kg", Dimension::KILOGRAM, 0),
            ("mmolar", Dimension::CONCENTRATION, 0),
            ("uM", Dimension::CONCENTRATION, -3),
            ("mliter", Dimension::METRE3, -6),
            ("dametre", Dimension::METRE, 1),
            ("radian", Dimension::NONE, 0),
        ] {
            let unit = lookup(name).unwrap();
            assert_eq!((unit.name, unit.dimension, unit.exponent), (name, dimension, exponent));
        }
    }

    #[test]
    fn symbols_that_hide_variables_are_for_settings_only() {
        for name in ["V", "A", "m", "s", "S", "F", "C", "N", "K", "g", "T", "L", "J", "W", "M", "H"] {
            assert_eq!(lookup(name), None, "{name}");
            assert!(lookup_symbol(name).is_some(), "{name}");
        }
        assert_eq!(lookup_symbol("\u{b5}m").map(|u| u.exponent), Some(-6));
        assert_eq!(lookup_symbol("k\u{3a9}").map(|u| (u.dimension, u.exponent)), Some((Dimension::OHM, 3)));
        assert_eq!(lookup_symbol("cd").map(|u| u.dimension), Some(Dimension::CANDELA));
        assert_eq!(lookup_symbol("Pa").map(|u| u.dimension), Some(Dimension::PASCAL));
    }

    #[test]
    fn scaled_numbers_are_the_nearest_to_their_decimal_text() {
        for (value, name, expected) in [
            (20.0, "mV", 0.02),
            (0.1, "ms", 1e-4),
            (-70.6, "mV", -0.0706),
            (281.0, "pF", 281e-12),
            (0.6, "nS", 6e-10),
            (20_000.0, "umetre2", 2e-8),
            (7.0, "Ymetre", 7e24),
            (0.0, "mV", 0.0),
        ] {
            assert_eq!(lookup(name).unwrap().apply(value), expected, "{value} {name}");
        }
        assert!(lookup("mV").unwrap().apply(f64::NAN).is_nan());
    }

    #[test]
    fn scales_are_the_nearest_doubles_to_powers_of_ten() {
        for name in names() {
            let unit = lookup(name).unwrap();
            assert_eq!(unit.scale, format!("1e{}", unit.exponent).parse::<f64>().unwrap(), "{name}");
        }
    }

    #[test]
    fn every_name_is_listed_once() {
        let mut all: Vec<_> = names().collect();
        let count = all.len();
        assert!(count > 1500);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
