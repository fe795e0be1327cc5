//! What kind of quantity a number is: exponents of the seven SI base dimensions.
//!
//! Exponents are rational, because `sqrt(volt)` and `second**-0.5` are ordinary in noisy equations. They
//! are stored as counts of 1/60, which holds halves, thirds, quarters, fifths and sixths exactly.

use std::fmt;

/// How many counts make an exponent of one.
const ONE: i16 = 60;

/// Exponents of metre, kilogram, second, ampere, kelvin, mole and candela, between -546 and 546.
///
/// ```
/// use neuropil_units::Dimension;
/// let d = Dimension::VOLT.div(Dimension::SECOND.sqrt().unwrap());
/// assert_eq!(d.to_string(), "volt/second**0.5");
/// assert_eq!(d.mul(d).mul(Dimension::SECOND), Dimension::VOLT.pow(2, 1).unwrap());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Dimension {
    /// Counts of 1/60, in the order of the type's description.
    counts: [i16; 7],
}

/// Names of the base units, in the order of the exponents.
const BASE_NAMES: [&str; 7] = ["metre", "kilogram", "second", "amp", "kelvin", "mole", "candela"];

const fn base(metre: i16, kilogram: i16, second: i16, amp: i16) -> Dimension {
    Dimension { counts: [metre * ONE, kilogram * ONE, second * ONE, amp * ONE, 0, 0, 0] }
}

const fn single(index: usize) -> Dimension {
    let mut counts = [0; 7];
    counts[index] = ONE;
    Dimension { counts }
}

impl Dimension {
    /// A plain number.
    pub const NONE: Self = Self { counts: [0; 7] };
    /// Length.
    pub const METRE: Self = single(0);
    /// Mass.
    pub const KILOGRAM: Self = single(1);
    /// Time.
    pub const SECOND: Self = single(2);
    /// Current.
    pub const AMPERE: Self = single(3);
    /// Temperature.
    pub const KELVIN: Self = single(4);
    /// Amount of substance.
    pub const MOLE: Self = single(5);
    /// Luminous intensity.
    pub const CANDELA: Self = single(6);
    /// Area.
    pub const METRE2: Self = base(2, 0, 0, 0);
    /// Volume.
    pub const METRE3: Self = base(3, 0, 0, 0);
    /// Frequency, rate.
    pub const HERTZ: Self = base(0, 0, -1, 0);
    /// Force.
    pub const NEWTON: Self = base(1, 1, -2, 0);
    /// Pressure.
    pub const PASCAL: Self = base(-1, 1, -2, 0);
    /// Energy.
    pub const JOULE: Self = base(2, 1, -2, 0);
    /// Power.
    pub const WATT: Self = base(2, 1, -3, 0);
    /// Charge.
    pub const COULOMB: Self = base(0, 0, 1, 1);
    /// Electric potential.
    pub const VOLT: Self = base(2, 1, -3, -1);
    /// Capacitance.
    pub const FARAD: Self = base(-2, -1, 4, 2);
    /// Resistance.
    pub const OHM: Self = base(2, 1, -3, -2);
    /// Conductance.
    pub const SIEMENS: Self = base(-2, -1, 3, 2);
    /// Magnetic flux.
    pub const WEBER: Self = base(2, 1, -2, -1);
    /// Magnetic flux density.
    pub const TESLA: Self = base(0, 1, -2, -1);
    /// Inductance.
    pub const HENRY: Self = base(2, 1, -2, -2);
    /// Illuminance.
    pub const LUX: Self = Self { counts: [-2 * ONE, 0, 0, 0, 0, 0, ONE] };
    /// Absorbed dose.
    pub const GRAY: Self = base(2, 0, -2, 0);
    /// Catalytic activity.
    pub const KATAL: Self = Self { counts: [0, 0, -ONE, 0, 0, ONE, 0] };
    /// Concentration, mole per cubic metre.
    pub const CONCENTRATION: Self = Self { counts: [-3 * ONE, 0, 0, 0, 0, ONE, 0] };

    /// Whether this is the dimension of a plain number.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// The dimension of a product. Exponents saturate at the limit, far from any that an equation has.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "a plain call reads better than `*` on something that is no number"
    )]
    pub fn mul(self, other: Self) -> Self {
        self.zip(other, i16::saturating_add)
    }

    /// The dimension of a quotient. Exponents saturate at the limit, far from any that an equation has.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "a plain call reads better than `*` on something that is no number"
    )]
    pub fn div(self, other: Self) -> Self {
        self.zip(other, i16::saturating_sub)
    }

    /// The dimension of the `num / den`-th power; `None` if an exponent is not a multiple of 1/60, leaves
    /// the limits, or `den` is 0.
    #[must_use]
    pub fn pow(self, num: i32, den: i32) -> Option<Self> {
        let (num, den) = (i64::from(num), i64::from(den));
        let mut counts = [0; 7];
        for (to, &from) in counts.iter_mut().zip(&self.counts) {
            let product = i64::from(from) * num;
            if product.checked_rem(den)? != 0 {
                return None;
            }
            *to = i16::try_from(product.checked_div(den)?).ok()?;
        }
        Some(Self { counts })
    }

    /// The dimension of a square root; `None` if an exponent is not a multiple of 1/60.
    #[must_use]
    pub fn sqrt(self) -> Option<Self> {
        self.pow(1, 2)
    }

    /// The dimension of a reciprocal.
    #[must_use]
    pub fn recip(self) -> Self {
        Self::NONE.div(self)
    }

    /// The dimension that a unit expression such as `volt/second` or `siemens/meter**2` names; `1` is
    /// the plain number. Prefixes are accepted and dropped.
    ///
    /// # Errors
    /// The text is no unit expression, or names something unknown.
    pub fn parse(text: &str) -> Result<Self, crate::QuantityError> {
        crate::parse::parse_dimension(text)
    }

    fn zip(self, other: Self, f: impl Fn(i16, i16) -> i16) -> Self {
        let mut counts = self.counts;
        for (a, b) in counts.iter_mut().zip(other.counts) {
            *a = f(*a, b);
        }
        Self { counts }
    }
}

/// What a composed name is made of, the more usual first: time and length last, where denominators begin.
const PARTS: [(&str, Dimension); 10] = [
    ("volt", Dimension::VOLT),
    ("amp", Dimension::AMPERE),
    ("siemens", Dimension::SIEMENS),
    ("farad", Dimension::FARAD),
    ("ohm", Dimension::OHM),
    ("coulomb", Dimension::COULOMB),
    ("mole", Dimension::MOLE),
    ("kelvin", Dimension::KELVIN),
    ("second", Dimension::SECOND),
    ("metre", Dimension::METRE),
];

/// How many of [`PARTS`] stand before time and length.
const BEFORE_TIME: usize = 8;

/// Other dimensions that are printed by one name, the more usual first.
const NAMED: [(&str, Dimension); 14] = [
    ("hertz", Dimension::HERTZ),
    ("molar", Dimension::CONCENTRATION),
    ("kilogram", Dimension::KILOGRAM),
    ("candela", Dimension::CANDELA),
    ("joule", Dimension::JOULE),
    ("watt", Dimension::WATT),
    ("newton", Dimension::NEWTON),
    ("pascal", Dimension::PASCAL),
    ("weber", Dimension::WEBER),
    ("tesla", Dimension::TESLA),
    ("henry", Dimension::HENRY),
    ("lux", Dimension::LUX),
    ("katal", Dimension::KATAL),
    ("gray", Dimension::GRAY),
];

/// Exponents that a composed name may show, as (numerator, denominator), the simpler first.
const POWERS: [(i32, i32); 6] = [(1, 1), (2, 1), (1, 2), (3, 1), (1, 3), (3, 2)];

/// `unit**exponent` for an exponent given as a fraction in lowest terms.
fn power_text(name: &str, num: i32, den: i32) -> String {
    match (num, den) {
        (1, 1) => name.to_owned(),
        (n, 1) => format!("{name}**{n}"),
        (n, 2 | 4 | 5 | 10 | 20) => format!("{name}**{}", f64::from(n) / f64::from(den)),
        (n, d) => format!("{name}**({n}/{d})"),
    }
}

impl Dimension {
    /// `self` as a power of a named unit.
    fn as_power(self) -> Option<String> {
        for (name, unit) in PARTS {
            for (num, den) in POWERS {
                if unit.pow(num, den) == Some(self) {
                    return Some(power_text(name, num, den));
                }
            }
        }
        None
    }

    /// `self` as the reciprocal of a power: `1/volt`, but `second**-2`, where the reader expects a rate.
    fn as_reciprocal(self) -> Option<String> {
        for (num, den) in POWERS {
            if Self::SECOND.pow(-num, den) == Some(self) {
                return Some(power_text("second", -num, den));
            }
        }
        self.recip().as_power().map(|p| format!("1/{p}"))
    }

    /// `self` as a quotient or product of two powers.
    fn as_pair(self) -> Option<String> {
        // The denominators that physiology uses come first: per second, per length, area and volume.
        let (others, usual) = PARTS.split_at(BEFORE_TIME);
        self.as_quotient(usual).or_else(|| self.as_product()).or_else(|| self.as_quotient(others))
    }

    fn as_quotient(self, denominators: &[(&str, Self)]) -> Option<String> {
        for (name, unit) in PARTS {
            for (num, den) in [(1, 1), (2, 1), (1, 2)] {
                let Some(upper) = unit.pow(num, den) else { continue };
                for &(below, divisor) in denominators {
                    let rest = upper.div(self);
                    if let Some(&(n, d)) = POWERS.iter().find(|&&(n, d)| divisor.pow(n, d) == Some(rest)) {
                        return Some(format!("{}/{}", power_text(name, num, den), power_text(below, n, d)));
                    }
                }
            }
        }
        None
    }

    fn as_product(self) -> Option<String> {
        PARTS.iter().find_map(|&(name, unit)| self.div(unit).as_power().map(|rest| format!("{name}*{rest}")))
    }

    /// `self` as a product of base units.
    fn as_base_units(self) -> String {
        let mut factors = Vec::new();
        for (name, &count) in BASE_NAMES.iter().zip(&self.counts) {
            if count != 0 {
                let (num, den) = lowest_terms(i32::from(count), i32::from(ONE));
                factors.push(power_text(name, num, den));
            }
        }
        factors.join("*")
    }
}

fn lowest_terms(num: i32, den: i32) -> (i32, i32) {
    let (mut a, mut b) = (num.abs(), den);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    (num / a.max(1), den / a.max(1))
}

/// The nicest unit expression: `volt`, `volt/second`, `metre**2`, `1`; what [`Dimension::parse`] reads.
impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.pad("1");
        }
        if let Some((name, _)) = PARTS.iter().chain(&NAMED).find(|(_, d)| d == self) {
            return f.pad(name);
        }
        let text = self
            .as_power()
            .or_else(|| self.as_reciprocal())
            .or_else(|| self.as_pair())
            .unwrap_or_else(|| self.as_base_units());
        f.pad(&text)
    }
}

impl fmt::Debug for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dimension({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_dimension() -> impl Strategy<Value = Dimension> {
        proptest::array::uniform7(-300i16..=300).prop_map(|counts| Dimension { counts })
    }

    #[test]
    fn usual_dimensions_print_as_usual() {
        let second = Dimension::SECOND;
        let area = Dimension::METRE2;
        for (dimension, text) in [
            (Dimension::NONE, "1"),
            (Dimension::VOLT, "volt"),
            (second.recip(), "hertz"),
            (Dimension::VOLT.div(second), "volt/second"),
            (Dimension::AMPERE.div(second), "amp/second"),
            (area, "metre**2"),
            (Dimension::SIEMENS.div(area), "siemens/metre**2"),
            (Dimension::FARAD.div(area), "farad/metre**2"),
            (Dimension::AMPERE.div(area), "amp/metre**2"),
            (second.pow(-2, 1).unwrap(), "second**-2"),
            (second.pow(-1, 2).unwrap(), "second**-0.5"),
            (Dimension::VOLT.recip(), "1/volt"),
            (Dimension::VOLT.pow(1, 3).unwrap(), "volt**(1/3)"),
            (Dimension::VOLT.pow(2, 1).unwrap().div(second), "volt**2/second"),
            (Dimension::VOLT.mul(second), "weber"),
            (Dimension::METRE.div(second), "metre/second"),
            (Dimension::OHM.mul(Dimension::METRE), "ohm*metre"),
        ] {
            assert_eq!(dimension.to_string(), text);
        }
    }

    #[test]
    fn powers_outside_the_lattice_are_refused() {
        assert_eq!(Dimension::VOLT.pow(1, 7), None);
        assert_eq!(Dimension::VOLT.pow(1, 0), None);
        assert_eq!(Dimension::VOLT.pow(i32::MAX, 1), None);
        assert_eq!(Dimension::NONE.pow(1, 7), Some(Dimension::NONE));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn division_undoes_multiplication(a in any_dimension(), b in any_dimension()) {
            prop_assert_eq!(a.mul(b).div(b), a);
            prop_assert_eq!(a.mul(b), b.mul(a));
        }

        #[test]
        fn a_power_undoes_its_root(a in any_dimension()) {
            prop_assert_eq!(a.pow(2, 1).and_then(Dimension::sqrt), Some(a));
        }

        #[test]
        fn what_is_printed_is_read_back(a in any_dimension()) {
            prop_assert_eq!(Dimension::parse(&a.to_string()), Ok(a));
        }
    }
}
