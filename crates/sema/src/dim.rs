//! Dimensions of expressions while they are checked, and what to say when they do not fit.

use neuropil_units::Dimension;

/// The dimension of an expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dim {
    /// Known.
    Known(Dimension),
    /// A literal 0 or `inf`, which has every unit.
    Free,
    /// Not known, because a diagnostic was given for a part of the expression: no more are given for it.
    Unknown,
}

impl Dim {
    /// A plain number.
    pub(crate) const NONE: Self = Self::Known(Dimension::NONE);

    /// The dimension where a literal 0 counts as a plain number; `None` if it is not known.
    pub(crate) fn known(self) -> Option<Dimension> {
        match self {
            Self::Known(d) => Some(d),
            Self::Free => Some(Dimension::NONE),
            Self::Unknown => None,
        }
    }

    /// The common dimension of two things that are added or compared; both if they differ.
    pub(crate) fn unify(self, other: Self) -> Result<Self, (Dimension, Dimension)> {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Ok(Self::Unknown),
            (Self::Free, d) | (d, Self::Free) => Ok(d),
            (Self::Known(a), Self::Known(b)) if a == b => Ok(self),
            (Self::Known(a), Self::Known(b)) => Err((a, b)),
        }
    }

    /// Whether this fits where `expected` is needed; the dimension that is there instead if not.
    pub(crate) fn fits(self, expected: Dimension) -> Result<(), Dimension> {
        match self {
            Self::Known(d) if d != expected => Err(d),
            Self::Known(_) | Self::Free | Self::Unknown => Ok(()),
        }
    }

    /// The dimension of a product.
    pub(crate) fn mul(self, other: Self) -> Self {
        match (self.known(), other.known()) {
            (Some(a), Some(b)) => Self::Known(a.mul(b)),
            _ => Self::Unknown,
        }
    }

    /// The dimension of a quotient.
    pub(crate) fn div(self, other: Self) -> Self {
        match (self.known(), other.known()) {
            (Some(a), Some(b)) => Self::Known(a.div(b)),
            _ => Self::Unknown,
        }
    }
}

impl From<Option<Dimension>> for Dim {
    fn from(dimension: Option<Dimension>) -> Self {
        dimension.map_or(Self::Unknown, Self::Known)
    }
}

/// A unit that people use for quantities of that dimension.
pub(crate) fn usual_unit(dimension: Dimension) -> String {
    [
        (Dimension::VOLT, "mV"),
        (Dimension::SECOND, "ms"),
        (Dimension::AMPERE, "nA"),
        (Dimension::SIEMENS, "nS"),
        (Dimension::OHM, "MOhm"),
        (Dimension::FARAD, "pF"),
        (Dimension::HERTZ, "Hz"),
        (Dimension::CONCENTRATION, "mM"),
        (Dimension::METRE, "um"),
        (Dimension::METRE2, "um**2"),
    ]
    .into_iter()
    .find(|(d, _)| *d == dimension)
    .map_or_else(|| dimension.to_string(), |(_, name)| name.to_owned())
}

/// A time as text, in milliseconds, without the last digits that rounding leaves.
pub(crate) fn in_ms(seconds: f64) -> String {
    let ms: f64 = format!("{:.9e}", seconds * 1e3).parse().unwrap_or(seconds * 1e3);
    format!("{ms} ms")
}

/// What to write so that something in `found` fits where `expected` is needed.
pub(crate) fn advice(expected: Dimension, found: Dimension) -> String {
    if found.is_none() {
        return format!("give it a unit: multiply it by `{}`", usual_unit(expected));
    }
    if expected.is_none() {
        return format!("divide it by something in `{found}`");
    }
    if expected == found.mul(Dimension::SECOND) {
        return "multiply it by a time".to_owned();
    }
    if expected.mul(Dimension::SECOND) == found {
        return "divide it by a time".to_owned();
    }
    if expected.recip() == found {
        return "take its reciprocal".to_owned();
    }
    let ratio = expected.div(found);
    if ratio == Dimension::SECOND.pow(1, 2).unwrap_or_default() {
        return "multiply it by the root of a time, such as `sqrt(tau)`".to_owned();
    }
    if ratio.recip() == Dimension::SECOND.pow(1, 2).unwrap_or_default() {
        return "divide it by the root of a time, such as `sqrt(tau)`".to_owned();
    }
    // A factor is only a hint if it is something that people multiply by.
    let usual = [
        Dimension::VOLT,
        Dimension::AMPERE,
        Dimension::SIEMENS,
        Dimension::OHM,
        Dimension::FARAD,
        Dimension::COULOMB,
        Dimension::METRE,
        Dimension::METRE2,
    ];
    if usual.contains(&ratio) {
        format!("multiply it by something in `{ratio}`")
    } else if usual.contains(&ratio.recip()) {
        format!("divide it by something in `{}`", ratio.recip())
    } else {
        format!("give it in `{expected}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_the_missing_factor() {
        assert_eq!(advice(Dimension::VOLT, Dimension::AMPERE), "multiply it by something in `ohm`");
        assert_eq!(advice(Dimension::VOLT, Dimension::NONE), "give it a unit: multiply it by `mV`");
        assert_eq!(advice(Dimension::HERTZ, Dimension::NONE), "give it a unit: multiply it by `Hz`");
        assert_eq!(advice(Dimension::SECOND, Dimension::HERTZ), "take its reciprocal");
        assert_eq!(advice(Dimension::NONE, Dimension::VOLT), "divide it by something in `volt`");
        let rate = Dimension::VOLT.div(Dimension::SECOND);
        assert_eq!(advice(rate, Dimension::VOLT), "divide it by a time");
    }

    #[test]
    fn a_literal_zero_fits_everywhere() {
        let volt = Dim::Known(Dimension::VOLT);
        assert_eq!(Dim::Free.unify(volt), Ok(volt));
        assert_eq!(Dim::Free.mul(volt), volt);
        assert_eq!(Dim::NONE.unify(volt), Err((Dimension::NONE, Dimension::VOLT)));
        assert_eq!(Dim::Unknown.unify(volt), Ok(Dim::Unknown));
    }
}
