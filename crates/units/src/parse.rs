//! Text to quantities: `quantity := [sign] number {[* or /] factor}`,
//! `factor := number | unit [power] | ( units ) [power]`, `power := (** or ^) exponent`.
//!
//! Numbers and the powers of ten of units are kept apart until the end, so that the value is rounded once.

use crate::unit::shift_decimal;
use crate::{Dimension, Quantity, QuantityError, lookup_symbol, names};

/// How deep parentheses may be nested.
const MAX_DEPTH: usize = 32;

pub(crate) fn parse_quantity(text: &str) -> Result<Quantity, QuantityError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
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
    let value = sign * scale(product.number, product.sixtieths);
    if !value.is_finite() {
        return Err(QuantityError::Range { text: text.trim().to_owned() });
    }
    Ok(Quantity::new(value, product.dimension))
}

pub(crate) fn parse_dimension(text: &str) -> Result<Dimension, QuantityError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    parser.space();
    if parser.rest().is_empty() {
        return Err(QuantityError::Empty);
    }
    let product = parser.product(true)?;
    parser.end()?;
    Ok(product.dimension)
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
}

impl<'a> Parser<'a> {
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
