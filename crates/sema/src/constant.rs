//! Texts that are values: quantities such as `20 ms`, and expressions; the constants of a model.

use neuropil_base::{Diagnostic, Diagnostics, Scalar, ScalarType, Span, Text};
use neuropil_model::Expr;
use neuropil_source::Constant;
use neuropil_syntax::parse_expression;
use neuropil_units::{Dimension, Quantity, QuantityError};

use crate::code;
use crate::dim::Dim;
use crate::scope::{Found, Home, Sites, Value, World};
use crate::typing::{Typed, Typer, literal};

impl Typer<'_> {
    /// A text that is a quantity (`20 ms`, `10 nS/cm2`) or an expression.
    ///
    /// What reads as both is a quantity, unless a name in it means something else here than a unit.
    ///
    /// An empty text with a place that is not empty is a field that is missing, which has been reported.
    pub(crate) fn value(&mut self, text: &Text) -> Typed {
        if text.text.is_empty() && !text.span.range().is_empty() {
            return self.broken();
        }
        if looks_like_quantity(&text.text) && !self.hides_unit(&text.text) {
            match Quantity::parse(text.text.trim()) {
                Ok(quantity) => {
                    let expr = self.world.arith.real(quantity.value).at(text.span);
                    return Typed { expr, dim: Dim::Known(quantity.dimension) };
                }
                Err(error) => {
                    if reads_only_as_quantity(&text.text) {
                        self.out.push(wrong_quantity(text, &error));
                        return self.broken();
                    }
                }
            }
        }
        let (ast, diagnostics) = parse_expression(text);
        let failed = diagnostics.has_errors();
        self.out.append(diagnostics);
        if failed {
            return self.broken();
        }
        let typed = self.check(&ast);
        match literal(&ast) {
            Some(0.0) => Typed { dim: Dim::Free, ..typed },
            _ => typed,
        }
    }

    /// Whether a word of `text` means something here that is no unit.
    fn hides_unit(&self, text: &str) -> bool {
        words(text).any(|word| {
            self.locals.iter().any(|l| l.name == word)
                || match self.home.find(word, self.world) {
                    Some(Found::Unit(_)) | None => false,
                    Some(
                        Found::Variable(..) | Found::Given(..) | Found::Constant(_) | Found::Refused(..),
                    ) => true,
                }
        })
    }
}

/// The names in a text, exponents of numbers left out.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
}

/// Whether `text` begins with a number and goes on with something else.
fn looks_like_quantity(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
        && text.chars().any(|c| c.is_alphabetic())
        && text.parse::<f64>().is_err()
}

/// Whether `text` is a number, white space and a word: no expression, whatever the word is.
fn reads_only_as_quantity(text: &str) -> bool {
    let Some((number, rest)) = text.trim().split_once(char::is_whitespace) else { return false };
    let word = rest.trim_start().split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    number.parse::<f64>().is_ok()
        && rest.trim_start().starts_with(char::is_alphabetic)
        && !matches!(word, "if" | "and" | "or" | "else" | "not" | "in" | "is")
}

fn wrong_quantity(text: &Text, error: &QuantityError) -> Diagnostic {
    let lead = text.text.len() - text.text.trim_start().len();
    let (code, range) = match error {
        QuantityError::UnknownUnit { name, at, .. } => {
            (code::UNKNOWN_UNIT, lead + at..lead + at + name.len())
        }
        QuantityError::Unexpected { found, at } => (code::QUANTITY, lead + at..lead + at + found.len()),
        QuantityError::Empty
        | QuantityError::NoNumber { .. }
        | QuantityError::Incomplete
        | QuantityError::Range { .. }
        | QuantityError::Exponent { .. }
        | QuantityError::Dimension { .. } => (code::QUANTITY, 0..text.text.len()),
    };
    let mut d = Diagnostic::error(code, text.span_of(range), error.to_string());
    d.help.extend(error.help());
    d
}

/// Evaluates texts that must be known before anything runs.
pub(crate) struct Evaluator<'a> {
    pub(crate) world: &'a World,
    pub(crate) out: &'a mut Diagnostics,
}

impl Evaluator<'_> {
    /// The value of a constant text; `None` if it has none, for which a diagnostic was given.
    pub(crate) fn value(&mut self, text: &Text) -> Option<Value> {
        let mut sites = Sites::default();
        let before = self.out.len();
        let typed = Typer::new(self.world, Home::Nowhere, self.out, &mut sites).value(text);
        if typed.dim == Dim::Unknown || self.out.len() > before && self.out.has_errors() {
            return None;
        }
        let scalar = typed.expr.as_constant();
        if scalar.is_none() {
            self.out.push(Diagnostic::error(
                code::NOT_CONSTANT,
                text.span,
                "this value must be known before the run".to_owned(),
            ));
        }
        Some(Value { scalar: scalar?, dim: typed.dim })
    }

    /// A real constant in `expected`; `what` names it in diagnostics.
    pub(crate) fn real(&mut self, text: &Text, expected: Dimension, what: &str) -> Option<f64> {
        let value = self.value(text)?;
        let typed = Typed { expr: Expr::boolean(false), dim: value.dim };
        let mut sites = Sites::default();
        let fits = Typer::new(self.world, Home::Nowhere, self.out, &mut sites)
            .expect(&typed, text.span, expected, what);
        if !fits {
            return None;
        }
        if value.scalar.ty() == ScalarType::Bool {
            self.out.push(
                Diagnostic::error(code::TYPE, text.span, format!("{what} must be a number"))
                    .label("a truth value"),
            );
            return None;
        }
        let x = value.scalar.to_f64();
        if x.is_nan() {
            self.out.push(Diagnostic::error(
                code::RANGE,
                text.span,
                format!("{what} is not a number (0/0 or the like)"),
            ));
            return None;
        }
        Some(x)
    }

    /// A whole number that is not negative.
    pub(crate) fn count(&mut self, text: &Text, what: &str) -> Option<u64> {
        let x = self.real(text, Dimension::NONE, what)?;
        // 0.8*4000 is a whole number but for rounding.
        let whole = x.round();
        if (x - whole).abs() > 1e-9 * x.abs().max(1.0) || !x.is_finite() {
            self.out.push(
                Diagnostic::error(code::TYPE, text.span, format!("{what} must be a whole number, not `{x}`"))
                    .help(format!("write `{}`, or round with `int(...)`", whole)),
            );
            return None;
        }
        if !(0.0..=9.0e15).contains(&whole) {
            let limit = if whole < 0.0 { "must not be negative" } else { "is too large" };
            self.out.push(
                Diagnostic::error(code::RANGE, text.span, format!("{what} {limit}"))
                    .label(format!("`{whole}`")),
            );
            return None;
        }
        Some(whole as u64)
    }

    /// A positive time in seconds.
    pub(crate) fn positive_time(&mut self, text: &Text, what: &str) -> Option<f64> {
        let x = self.real(text, Dimension::SECOND, what)?;
        if x > 0.0 && x.is_finite() {
            return Some(x);
        }
        self.out.push(
            Diagnostic::error(code::RANGE, text.span, format!("{what} must be positive and finite"))
                .help("write a time such as `0.1 ms`"),
        );
        None
    }
}

/// Evaluates the constants of a model in order and puts them into `world`.
pub(crate) fn define_constants(list: &[Constant], world: &mut World, out: &mut Diagnostics) {
    let mut places: Vec<(&str, Span)> = Vec::new();
    for constant in list {
        let (name, span) = (constant.name.value.as_str(), constant.name.span);
        if let Some((_, first)) = places.iter().find(|(n, _)| *n == name) {
            out.push(
                Diagnostic::error(
                    code::DUPLICATE_NAME,
                    span,
                    format!("the constant `{name}` is defined twice"),
                )
                .related(*first, "first here"),
            );
            continue;
        }
        places.push((name, span));
        check_name(name, span, out);
        let before = out.len();
        let value = Evaluator { world, out }.value(&constant.value);
        if value.is_none() {
            point_at_later(list, constant, before, out);
        }
        // A constant that could not be evaluated stays known, so that its uses are not refused too.
        let value = value.unwrap_or(Value { scalar: Scalar::F64(1.0), dim: Dim::Unknown });
        world.constants.insert(name.to_owned(), value);
    }
}

/// Says of unknown names in `constant` that they are defined below it, or by itself.
fn point_at_later(list: &[Constant], constant: &Constant, before: usize, out: &mut Diagnostics) {
    let old = std::mem::take(out);
    for (index, mut d) in old.into_iter().enumerate() {
        if index >= before && d.code == code::UNKNOWN_NAME {
            let later = list.iter().find(|c| d.message == format!("unknown name `{}`", c.name.value));
            if let Some(later) = later {
                let name = &later.name.value;
                d.help.clear();
                if later.name == constant.name {
                    d.code = code::CIRCULAR;
                    d.message = format!("the constant `{name}` is defined by itself");
                } else {
                    d.help.push(format!("move the line that defines `{name}` above this one"));
                    d = d.related(later.name.span, "defined only here");
                }
            }
        }
        out.push(d);
    }
}

fn check_name(name: &str, span: Span, out: &mut Diagnostics) {
    if !is_identifier(name) {
        out.push(
            Diagnostic::error(code::RESERVED, span, format!("`{name}` cannot be written in an expression"))
                .help("a name is a letter, followed by letters, digits and `_`"),
        );
    } else if let Some(meaning) = crate::scope::reserved(name)
        && !matches!(name, "N" | "N_pre" | "N_post")
    {
        // Variables and functions come first when a name is sought, units and numbers come last.
        let hidden = crate::scope::GIVEN.iter().any(|(n, _)| *n == name) || crate::scope::is_noise(name);
        out.push(if hidden {
            Diagnostic::error(code::RESERVED, span, format!("`{name}` already means {meaning}"))
                .help("choose another name for the constant")
        } else {
            Diagnostic::warning(code::SHADOWED, span, format!("the constant `{name}` hides {meaning}"))
        });
    }
}

/// Whether `name` can be a name in an expression.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_words_read_only_as_quantities() {
        for text in ["20 ms", "-60 mV", "1e-3 nS/cm2"] {
            assert!(looks_like_quantity(text) && reads_only_as_quantity(text), "{text}");
        }
        for text in ["20*ms", "1 if x else 2", "0.02", "1e-3", "-v"] {
            assert!(!reads_only_as_quantity(text), "{text}");
        }
        assert!(!looks_like_quantity("1e-3"));
        assert!(looks_like_quantity("20*ms"));
    }

    #[test]
    fn words_leave_exponents_out() {
        assert_eq!(words("1e-3*mV + x_pre/pre.y").collect::<Vec<_>>(), ["mV", "x_pre", "pre.y"]);
    }
}
