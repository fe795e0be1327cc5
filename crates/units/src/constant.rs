//! Physical constants under the names that Brian 2 gives them.
//!
//! Values are CODATA 2018 (Tiesinga, Mohr, Newell & Taylor 2021, Rev. Mod. Phys. 93, 025010); those
//! without an uncertainty are exact by the definition of the SI.

use crate::{Dimension, Quantity};

/// Name, value in SI base units, and what the dimension is built from: (multiplied, divided).
const CONSTANTS: [(&str, f64, Dimension, [Dimension; 2]); 10] = [
    ("avogadro_constant", 6.022_140_76e23, Dimension::NONE, [Dimension::MOLE, Dimension::NONE]),
    ("boltzmann_constant", 1.380_649e-23, Dimension::JOULE, [Dimension::KELVIN, Dimension::NONE]),
    ("electric_constant", 8.854_187_812_8e-12, Dimension::FARAD, [Dimension::METRE, Dimension::NONE]),
    ("electron_mass", 9.109_383_701_5e-31, Dimension::KILOGRAM, [Dimension::NONE, Dimension::NONE]),
    ("elementary_charge", 1.602_176_634e-19, Dimension::COULOMB, [Dimension::NONE, Dimension::NONE]),
    ("faraday_constant", 96_485.332_123_310_02, Dimension::COULOMB, [Dimension::MOLE, Dimension::NONE]),
    ("gas_constant", 8.314_462_618_153_24, Dimension::JOULE, [Dimension::MOLE, Dimension::KELVIN]),
    ("magnetic_constant", 1.256_637_062_12e-6, Dimension::NEWTON, [Dimension::AMPERE, Dimension::AMPERE]),
    ("molar_mass_constant", 9.999_999_996_5e-4, Dimension::KILOGRAM, [Dimension::MOLE, Dimension::NONE]),
    ("zero_celsius", 273.15, Dimension::KELVIN, [Dimension::NONE, Dimension::NONE]),
];

/// The physical constant called `name`, such as `faraday_constant` or `zero_celsius`.
#[must_use]
pub fn constant(name: &str) -> Option<Quantity> {
    let &(_, value, over, [below, and]) = CONSTANTS.iter().find(|row| row.0 == name)?;
    Some(Quantity::new(value, over.div(below).div(and)))
}

/// The names of all physical constants.
pub fn constant_names() -> impl Iterator<Item = &'static str> {
    CONSTANTS.iter().map(|row| row.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thermal_voltage_at_zero_celsius_is_a_voltage_near_23_5_mv() {
        let get = |name| constant(name).unwrap();
        let (r, t, f) = (get("gas_constant"), get("zero_celsius"), get("faraday_constant"));
        assert_eq!(r.dimension.mul(t.dimension).div(f.dimension), Dimension::VOLT);
        assert!((r.value * t.value / f.value - 23.54e-3).abs() < 1e-5);
    }
}
