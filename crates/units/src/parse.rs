//! Text to quantities: `quantity := [sign] number {[* or /] factor}`,
//! `factor := number | unit [power] | ( units ) [power]`, `power := (** or ^) exponent`.
//!
//! Numbers and the powers of ten of units are kept apart until the end, so that the value is rounded once.

use crate::unit::shift_decimal;
use crate::{Dimension, Quantity, QuantityError, lookup_symbol, names};

/// How deep parentheses may be nested.
const MAX_DEPTH: usize = 32;

pub(crate) fn parse_quantity(text: &str) -> Result<Quantity, QuantityError> {
    let mut parser = Parser::new(text);
    let sign = parser.sign();
    parser.space();
    if parser.rest().is_empty() {
        return Err(QuantityError::Empty);
    }
    if !parser.at_number() {
        return Err(QuantityError::NoNumber { found: parser.rest().trim_end().to_owned() });
    }
    let product = parser.product(true)?;
    parser.end()?;
    let value = sign
        * match parser.only_number {
            // One number: its text and the power of ten make one decimal number.
            Some(text) if product.sixtieths % 60 == 0 => with_exponent(text, product.sixtieths / 60),
            Some(_) | None => scale(product.number, product.sixtieths),
        };
    if !value.is_finite() {
        return Err(QuantityError::Range { text: text.trim().to_owned() });
    }
    Ok(Quantity::new(value, product.dimension))
}

pub(crate) fn parse_dimension(text: &str) -> Result<Dimension, QuantityError> {
    let mut parser = Parser::new(text);
    parser.space();
    if parser.rest().is_empty() {
        return Err(QuantityError::Empty);
    }
    let product = parser.product(true)?;
    parser.end()?;
    Ok(product.dimension)
}

/// The decimal number `text`, times a power of ten.
fn with_exponent(text: &str, places: i64) -> f64 {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    // An exponent too long to be read is beyond the range on one side or the other.
    let beyond = if exponent.starts_with('-') { -1_000_000 } else { 1_000_000 };
    let exponent = exponent.parse::<i64>().unwrap_or(beyond).saturating_add(places);
    format!("{digits}e{exponent}").parse().unwrap_or(f64::NAN)
}

/// `number * 10^(sixtieths / 60)`.
fn scale(number: f64, sixtieths: i64) -> f64 {
    // 10^(1/60), for the rare unit under a root.
    const ROOT: f64 = 1.039_122_303_835_169;
    let places = sixtieths.div_euclid(60).clamp(-100_000, 100_000) as i32;
    let fraction = match sixtieths.rem_euclid(60) {
        0 => return shift_decimal(number, places),
        30 => 10f64.sqrt(),
        n => (0..n).fold(1.0, |product, _| product * ROOT),
    };
    shift_decimal(number * fraction, places)
}

/// `number * 10^(sixtieths / 60)` of some dimension.
struct Product {
    number: f64,
    sixtieths: i64,
    dimension: Dimension,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// How many numbers there were, but for the 1 of a reciprocal in parentheses.
    numbers: usize,
    /// The text of the number, if there was one only.
    only_number: Option<&'a str>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, numbers: 0, only_number: None }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Steps over `token`, if it comes next.
    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn sign(&mut self) -> f64 {
        // U+2212 is the minus sign that word processors write.
        if self.eat("-") || self.eat("\u{2212}") {
            return -1.0;
        }
        self.eat("+");
        1.0
    }

    fn at_number(&self) -> bool {
        self.rest().starts_with(|c: char| c.is_ascii_digit() || c == '.')
    }

    fn end(&mut self) -> Result<(), QuantityError> {
        self.space();
        if self.rest().is_empty() { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The error that what comes next cannot stand here.
    fn unexpected(&self) -> QuantityError {
        match self.rest().chars().next() {
            Some(c) => QuantityError::Unexpected { found: c.to_string(), at: self.at },
            None => QuantityError::Incomplete,
        }
    }

    /// Factors up to the end or a closing parenthesis. Numbers may stand among them if `numbers`.
    fn product(&mut self, numbers: bool) -> Result<Product, QuantityError> {
        let mut product = self.factor(numbers)?;
        loop {
            self.space();
            if self.rest().is_empty() || self.rest().starts_with(')') {
                return Ok(product);
            }
            let divide = self.eat("/");
            if !divide {
                self.eat("*");
            }
            let factor = self.factor(numbers)?;
            if divide {
                product.number /= factor.number;
                product.sixtieths = product.sixtieths.saturating_sub(factor.sixtieths);
                product.dimension = product.dimension.div(factor.dimension);
            } else {
                product.number *= factor.number;
                product.sixtieths = product.sixtieths.saturating_add(factor.sixtieths);
                product.dimension = product.dimension.mul(factor.dimension);
            }
        }
    }

    fn factor(&mut self, numbers: bool) -> Result<Product, QuantityError> {
        self.space();
        if self.at_number() {
            let start = self.at;
            let number = self.number()?;
            // Inside parentheses only the 1 of `1/second` may stand: a power would need its root.
            if !numbers && number != 1.0 {
                self.at = start;
                return Err(self.unexpected());
            }
            if numbers {
                self.numbers += 1;
                self.only_number = (self.numbers == 1).then(|| &self.text[start..self.at]);
            }
            return Ok(Product { number, sixtieths: 0, dimension: Dimension::NONE });
        }
        let inner = if self.eat("(") {
            if self.depth >= MAX_DEPTH {
                return Err(self.unexpected());
            }
            self.depth += 1;
            let inner = self.product(false)?;
            self.depth -= 1;
            if !self.eat(")") {
                return Err(self.unexpected());
            }
            inner
        } else {
            self.unit()?
        };
        self.power(inner)
    }

    fn unit(&mut self) -> Result<Product, QuantityError> {
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = &rest[..length];
        if name.is_empty() {
            return Err(self.unexpected());
        }
        let at = self.at;
        self.at += length;
        match lookup_symbol(name) {
            Some(unit) => Ok(Product {
                number: 1.0,
                sixtieths: i64::from(unit.exponent) * 60,
                dimension: unit.dimension,
            }),
            None => Err(QuantityError::UnknownUnit {
                name: name.to_owned(),
                at,
                nearest: neuropil_base::nearest(name, names()),
            }),
        }
    }

    fn power(&mut self, base: Product) -> Result<Product, QuantityError> {
        if !(self.eat("**") || self.eat("^")) {
            return Ok(base);
        }
        self.space();
        let start = self.at;
        let (num, den) = self.exponent()?;
        let dimension = base.dimension.pow(num, den);
        let sixtieths =
            base.sixtieths.checked_mul(i64::from(num)).and_then(|n| n.checked_div(i64::from(den)));
        match (dimension, sixtieths) {
            (Some(dimension), Some(sixtieths)) => Ok(Product { number: 1.0, sixtieths, dimension }),
            _ => Err(QuantityError::Exponent { exponent: self.text[start..self.at].to_owned() }),
        }
    }

    /// `2`, `-1`, `0.5`, `(1/3)`, as a fraction.
    fn exponent(&mut self) -> Result<(i32, i32), QuantityError> {
        let start = self.at;
        let parenthesis = self.eat("(");
        let sign = self.sign();
        self.space();
        let num = self.number()?;
        let den = if parenthesis && self.eat("/") {
            self.space();
            self.number()?
        } else {
            1.0
        };
        if parenthesis && !self.eat(")") {
            return Err(self.unexpected());
        }
        let sixtieths = sign * num / den * 60.0;
        let rounded = (sixtieths + 0.5).floor();
        if (sixtieths - rounded).abs() > 1e-9 || rounded.abs() > 60_000.0 {
            return Err(QuantityError::Exponent { exponent: self.text[start..self.at].to_owned() });
        }
        Ok((rounded as i32, 60))
    }

    fn number(&mut self) -> Result<f64, QuantityError> {
        let bytes = self.rest().as_bytes();
        let digits = |mut i: usize| {
            while bytes.get(i).is_some_and(u8::is_ascii_digit) {
                i += 1;
            }
            i
        };
        let mut end = digits(0);
        if bytes.get(end) == Some(&b'.') {
            end = digits(end + 1);
        }
        // An `e` begins an exponent only if digits follow; otherwise it begins a unit.
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            if digits(end + 1 + sign) > end + 1 + sign {
                end = digits(end + 1 + sign);
            }
        }
        match self.rest()[..end].parse() {
            Ok(number) => {
                self.at += end;
                Ok(number)
            }
            Err(_) => Err(self.unexpected()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, value: f64, dimension: Dimension) {
        assert_eq!(parse_quantity(text), Ok(Quantity::new(value, dimension)), "{text}");
    }

    #[test]
    fn settings_are_read_as_they_are_written() {
        let second = Dimension::SECOND;
        check("20 ms", 0.02, second);
        check("20ms", 0.02, second);
        check("1.5*mV", 0.0015, Dimension::VOLT);
        check("-70 mV", -0.07, Dimension::VOLT);
        check("\u{2212}70 mV", -0.07, Dimension::VOLT);
        check("+.5 V", 0.5, Dimension::VOLT);
        check("0.02", 0.02, Dimension::NONE);
        check("10 nS/cm2", 1e-4, Dimension::SIEMENS.div(Dimension::METRE2));
        check("10 nS/cm**2", 1e-4, Dimension::SIEMENS.div(Dimension::METRE2));
        check("1 uF/cm^2", 0.01, Dimension::FARAD.div(Dimension::METRE2));
        check("1/ms", 1000.0, Dimension::HERTZ);
        check("5 / (ms * mV)", 5e6, Dimension::HERTZ.div(Dimension::VOLT));
        check("1e3 Hz", 1000.0, Dimension::HERTZ);
        check("2E-1 s", 0.2, second);
        check("100 um", 1e-4, Dimension::METRE);
        check("4 second**0.5", 4.0, second.pow(1, 2).unwrap());
        check("4 ms**-1", 4000.0, Dimension::HERTZ);
        check("4 second**(1/3)", 4.0, second.pow(1, 3).unwrap());
        check("3*2 ms", 0.006, second);
        // Shortest digits of the number alone would be other ones.
        check("9.037598972153473e-226 yV", 9.037_598_972_153_473e-250, Dimension::VOLT);
        check("1 kg m2 / s3 / A", 1.0, Dimension::VOLT);
    }

    #[test]
    fn roots_of_prefixes_are_taken() {
        let q = parse_quantity("2 mV/ms**0.5").unwrap();
        assert!((q.value - 0.002 / 0.001f64.sqrt()).abs() < 1e-15);
        let q = parse_quantity("1 ms**(1/3)").unwrap();
        assert!((q.value - 0.1).abs() < 1e-15);
        let q = parse_quantity("1 ksecond**(1/60)").unwrap();
        assert!((q.value - 1.122_018_454_301_963_5).abs() < 1e-14);
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text| parse_quantity(text).unwrap_err();
        assert_eq!(error(""), QuantityError::Empty);
        assert_eq!(error("  "), QuantityError::Empty);
        assert_eq!(error("mV").to_string(), "expected a number before `mV`");
        assert_eq!(error("3 mv").to_string(), "unknown unit `mv`");
        assert_eq!(error("3 mv").help().unwrap(), "did you mean `mV`?");
        assert_eq!(error("3 mV/"), QuantityError::Incomplete);
        assert_eq!(error("3 $"), QuantityError::Unexpected { found: "$".to_owned(), at: 2 });
        assert_eq!(error("3 mV)"), QuantityError::Unexpected { found: ")".to_owned(), at: 4 });
        assert_eq!(error("3 (2 mV)"), QuantityError::Unexpected { found: "2".to_owned(), at: 3 });
        assert!(matches!(error("1e308 kV"), QuantityError::Range { .. }));
        assert!(matches!(error("1 / 0 s"), QuantityError::Range { .. }));
        assert!(matches!(error("1 mV**1e9"), QuantityError::Exponent { .. }));
        assert!(matches!(error("1 mV**(1/0)"), QuantityError::Exponent { .. }));
        assert!(matches!(error("1 mV**0.123"), QuantityError::Exponent { .. }));
        assert!(matches!(error(&format!("1 {}", "(".repeat(100_000))), QuantityError::Unexpected { .. }));
    }

    #[test]
    fn a_quantity_of_another_dimension_is_refused() {
        let q = parse_quantity("20 ms").unwrap();
        assert_eq!(q.expect(Dimension::SECOND), Ok(0.02));
        let error = q.expect(Dimension::VOLT).unwrap_err();
        assert_eq!(error.to_string(), "expected a quantity in `volt`, found one in `second`");
        assert_eq!(parse_quantity("0").unwrap().expect(Dimension::VOLT), Ok(0.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn any_text_gives_a_result(text in "[-+*/^(). 0-9a-zA-Z\u{b5}\u{2212}]{0,24}") {
            let _ = parse_quantity(&text);
            let _ = parse_dimension(&text);
        }

        #[test]
        fn any_characters_give_a_result(text in any::<String>()) {
            let _ = parse_quantity(&text);
        }
    }
}
