//! The derivatives, held against difference quotients, by a small evaluator of their text.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

use neuropil_base::Scalar;
use neuropil_math::Function;
use neuropil_math::scalar::eval;

/// Evaluates the text of a derivative for given arguments.
struct Reader<'a> {
    text: &'a [u8],
    arguments: &'a [f64],
}

impl Reader<'_> {
    fn eat(&mut self, token: &str) -> bool {
        while let [b' ', rest @ ..] = self.text {
            self.text = rest;
        }
        let found = self.text.starts_with(token.as_bytes());
        if found {
            self.text = &self.text[token.len()..];
        }
        found
    }

    fn disjunction(&mut self) -> f64 {
        let mut a = self.conjunction();
        while self.eat("or ") {
            a = f64::from(u8::from((self.conjunction() != 0.0) | (a != 0.0)));
        }
        a
    }

    fn conjunction(&mut self) -> f64 {
        let mut a = self.comparison();
        while self.eat("and ") {
            a = f64::from(u8::from((self.comparison() != 0.0) & (a != 0.0)));
        }
        a
    }

    fn comparison(&mut self) -> f64 {
        let a = self.sum();
        let holds = if self.eat("==") {
            a == self.sum()
        } else if self.eat("<=") {
            a <= self.sum()
        } else if self.eat(">=") {
            a >= self.sum()
        } else if self.eat("<") {
            a < self.sum()
        } else if self.eat(">") {
            a > self.sum()
        } else {
            return a;
        };
        f64::from(u8::from(holds))
    }

    fn sum(&mut self) -> f64 {
        let mut a = self.product();
        loop {
            if self.eat("+") {
                a += self.product();
            } else if self.eat("-") {
                a -= self.product();
            } else {
                return a;
            }
        }
    }

    fn product(&mut self) -> f64 {
        let mut a = self.factor();
        loop {
            if self.eat("//") {
                a = (a / self.factor()).floor();
            } else if self.eat("/") {
                a /= self.factor();
            } else if self.eat("*") {
                a *= self.factor();
            } else {
                return a;
            }
        }
    }

    fn factor(&mut self) -> f64 {
        if self.eat("-") {
            return -self.factor();
        }
        let base = self.atom();
        if self.eat("**") { neuropil_math::host::pow(base, self.factor()) } else { base }
    }

    fn atom(&mut self) -> f64 {
        if self.eat("(") {
            let inner = self.disjunction();
            assert!(self.eat(")"));
            return inner;
        }
        let length = self.text.iter().take_while(|c| c.is_ascii_alphanumeric() || b"._".contains(c)).count();
        let (word, rest) = self.text.split_at(length);
        self.text = rest;
        let word = std::str::from_utf8(word).unwrap();
        match word {
            "x" => self.arguments[0],
            "y" => self.arguments[1],
            "z" => self.arguments[2],
            _ if self.eat("(") => {
                let inner = self.disjunction();
                assert!(self.eat(")"));
                eval(Function::from_name(word).unwrap(), &[Scalar::F64(inner)]).to_f64()
            }
            _ => word.parse().unwrap(),
        }
    }
}

fn value(function: Function, arguments: &[f64]) -> f64 {
    let scalars: Vec<Scalar> = arguments.iter().map(|&x| Scalar::F64(x)).collect();
    eval(function, &scalars).to_f64()
}

#[test]
fn derivatives_agree_with_difference_quotients() {
    const STEP: f64 = 1e-6;
    let points: [[f64; 3]; 8] = [
        [0.3, 0.7, 0.9],
        [0.83, 0.2, 0.5],
        [0.35, 0.1, 0.6],
        [0.5, 2.3, 0.4],
        [0.9, 0.25, 1.5],
        [-0.4, 0.3, 0.8],
        [-0.7, -0.3, 0.8],
        [0.01, 0.6, -0.5],
    ];
    for function in Function::ALL {
        for argument in 0..function.arity() {
            let Some(text) = function.derivative(argument) else { continue };
            for point in points {
                let arguments = &point[..function.arity()];
                let (mut below, mut above) = (arguments.to_vec(), arguments.to_vec());
                below[argument] -= STEP;
                above[argument] += STEP;
                let quotient = (value(function, &above) - value(function, &below)) / (2.0 * STEP);
                if quotient.is_nan() {
                    continue;
                }
                let mut reader = Reader { text: text.as_bytes(), arguments };
                let derivative = reader.disjunction();
                assert!(reader.text.is_empty(), "{text}");
                let error = (derivative - quotient).abs();
                assert!(
                    error < 1e-6 * (1.0 + quotient.abs()),
                    "{function} by {argument} at {arguments:?}: {derivative}, not {quotient}"
                );
            }
        }
    }
}

#[test]
fn the_derivatives_of_exprel_and_its_reciprocal_exist_at_zero() {
    let text = Function::Exprel.derivative(0).unwrap();
    assert_eq!(Reader { text: text.as_bytes(), arguments: &[0.0] }.disjunction(), 0.5);
    let text = Function::PerExprel.derivative(0).unwrap();
    assert_eq!(Reader { text: text.as_bytes(), arguments: &[0.0] }.disjunction(), -0.5);
}
