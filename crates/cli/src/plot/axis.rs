//! Ticks, prefixes of units, and numbers as they are printed on an axis.

/// Positions and texts of ticks on an axis.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Ticks {
    /// Values at the ticks, ascending.
    pub(super) at: Vec<f64>,
    /// Digits behind the point that tell all ticks apart.
    digits: usize,
}

impl Ticks {
    /// About `wanted` round numbers (1, 2 or 5 times a power of ten apart) inside `low..=high`.
    pub(super) fn new(low: f64, high: f64, wanted: usize) -> Self {
        let none = Self { at: Vec::new(), digits: 0 };
        let span = high - low;
        if !(span.is_finite() && span > 0.0 && low.is_finite()) {
            return none;
        }
        let (mut unit, mut digits) = (1.0, 0i32);
        let rough = span / wanted.max(1) as f64;
        while unit > rough && digits < 300 {
            unit /= 10.0;
            digits += 1;
        }
        while unit * 10.0 <= rough && digits > -300 {
            unit *= 10.0;
            digits -= 1;
        }
        let limits = [(1.5, 1.0), (3.5, 2.0), (7.5, 5.0)];
        let nearest = limits.into_iter().find(|(limit, _)| rough < limit * unit);
        let factor = nearest.map_or(10.0, |(_, factor)| factor);
        if factor >= 10.0 {
            digits -= 1;
        }
        let step = factor * unit;
        let first = (low / step - 1e-6).ceil();
        let n = (high / step + 1e-6).floor() - first;
        if !(0.0..1000.0).contains(&n) {
            return none;
        }
        // A tick next to zero is zero, and never minus zero.
        let at = (0..=n as usize).map(|k| (first + k as f64) * step + 0.0).collect();
        Self { at, digits: usize::try_from(digits).unwrap_or(0) }
    }

    /// The text of a tick.
    pub(super) fn text(&self, x: f64) -> String {
        number(x, self.digits)
    }
}

/// A number with a proper minus sign.
pub(super) fn number(x: f64, digits: usize) -> String {
    let text = format!("{x:.digits$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        Some(rest) => format!("\u{2212}{rest}"),
        None => text,
    }
}

/// A number with three significant digits and no needless zeros.
pub(super) fn short(x: f64) -> String {
    let mut digits = 2;
    let mut limit = 10.0;
    while digits > 0 && x.abs() >= limit {
        digits -= 1;
        limit *= 10.0;
    }
    let text = number(x, digits);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A unit to print, and by what SI values are divided to be in it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Scale {
    pub(super) divisor: f64,
    /// Empty for plain numbers.
    pub(super) unit: String,
}

const PREFIXES: [(f64, &str); 9] = [
    (1e9, "G"),
    (1e6, "M"),
    (1e3, "k"),
    (1.0, ""),
    (1e-3, "m"),
    (1e-6, "\u{b5}"),
    (1e-9, "n"),
    (1e-12, "p"),
    (1e-15, "f"),
];

impl Scale {
    /// The prefix with which the largest absolute value lies between 1 and 1000.
    ///
    /// A unit that is no single symbol gets a power of ten instead; plain numbers only where they would be long.
    pub(super) fn new(unit: &str, largest: f64) -> Self {
        let plain = unit.is_empty() || unit == "1";
        let single = !plain && unit != "kg" && unit.chars().all(char::is_alphabetic);
        let keep = !largest.is_finite() || largest == 0.0 || (!single && (1e-2..1e5).contains(&largest));
        let (divisor, prefix) = if keep {
            (1.0, "")
        } else {
            let found = PREFIXES.into_iter().find(|(factor, _)| largest >= *factor * 0.9999);
            found.unwrap_or((1e-15, "f"))
        };
        let unit = match (plain, single) {
            (true, _) if divisor == 1.0 => String::new(),
            (true, _) => power(divisor),
            (false, true) => format!("{prefix}{}", symbol(unit)),
            (false, false) if divisor == 1.0 => unit.to_owned(),
            (false, false) => format!("{} {unit}", power(divisor)),
        };
        Self { divisor, unit }
    }

    /// Milliseconds for short runs, seconds for long ones.
    pub(super) fn time(duration_s: f64) -> Self {
        if duration_s <= 2.0 {
            Self { divisor: 1e-3, unit: "ms".to_owned() }
        } else {
            Self { divisor: 1.0, unit: "s".to_owned() }
        }
    }

    /// A name with the unit behind it, as axes are labelled.
    pub(super) fn label(&self, name: &str) -> String {
        if self.unit.is_empty() { name.to_owned() } else { format!("{name} ({})", self.unit) }
    }
}

fn symbol(unit: &str) -> &str {
    match unit {
        "ohm" => "\u{3a9}",
        "volt" => "V",
        "amp" => "A",
        "siemens" => "S",
        "farad" => "F",
        "second" => "s",
        "hertz" => "Hz",
        other => other,
    }
}

/// `1e-3`: the embedded font has no raised minus sign.
fn power(divisor: f64) -> String {
    let exponent = PREFIXES.iter().position(|(factor, _)| *factor == divisor).map_or(0, |k| 9 - 3 * k as i32);
    format!("1e{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(low: f64, high: f64, wanted: usize) -> Vec<String> {
        let ticks = Ticks::new(low, high, wanted);
        ticks.at.iter().map(|x| ticks.text(*x)).collect()
    }

    #[test]
    fn ticks_are_round_and_all_different() {
        assert_eq!(texts(0.0, 1000.0, 5), ["0", "200", "400", "600", "800", "1000"]);
        assert_eq!(texts(-70.2, -48.9, 2), ["−70", "−60", "−50"]);
        assert_eq!(texts(0.0, 8.9, 4), ["0", "2", "4", "6", "8"]);
        assert_eq!(texts(0.0, 0.03, 3), ["0.00", "0.01", "0.02", "0.03"]);
        assert_eq!(texts(-0.5, 0.5, 2), ["−0.5", "0.0", "0.5"]);
        for low in [0.0, -3.0, 1e-12, 1e9] {
            for span in [1e-9, 1.0, 7.0, 99.0, 3e8] {
                for wanted in 1..9 {
                    let mut texts = texts(low, low + span, wanted);
                    assert!(texts.len() <= 2 * wanted + 2, "{texts:?}");
                    let n = texts.len();
                    texts.dedup();
                    assert!(n == texts.len(), "{texts:?}");
                }
            }
        }
    }

    #[test]
    fn senseless_ranges_have_no_ticks() {
        for (low, high) in [(0.0, 0.0), (1.0, 0.0), (f64::NAN, 1.0), (0.0, f64::INFINITY), (1e300, 1.1e300)] {
            assert!(Ticks::new(low, high, 5).at.len() < 12);
        }
    }

    #[test]
    fn units_get_the_prefix_that_makes_numbers_short() {
        for (unit, largest, divisor, text) in [
            ("V", 0.07, 1e-3, "mV"),
            ("S", 6e-9, 1e-9, "nS"),
            ("ohm", 1e8, 1e6, "MΩ"),
            ("A", 0.0, 1.0, "A"),
            ("1", 0.3, 1.0, ""),
            ("1", 4e-6, 1e-6, "1e-6"),
            ("S/m^2", 20.0, 1.0, "S/m^2"),
            ("kg", 2e-9, 1e-9, "1e-9 kg"),
        ] {
            assert_eq!(
                Scale::new(unit, largest),
                Scale { divisor, unit: text.to_owned() },
                "{unit} {largest}"
            );
        }
    }

    #[test]
    fn short_numbers_have_three_digits() {
        for (x, text) in
            [(0.0, "0"), (5.25, "5.25"), (12.34, "12.3"), (1234.5, "1234"), (-0.001, "0"), (2.0, "2")]
        {
            assert_eq!(short(x), text);
        }
    }
}
