//! Tokens to equations: `dv/dt = expr : unit (flags)`, `x = expr : unit`, `x : unit (flags)` and implicit
//! equations such as `tau*dv/dt + v = I : unit`, one per line.
//!
//! Brian users indent the lines behind the first as they like, so deeper indentation alone does not make
//! a line the continuation of the one before: it must not look like an equation of its own.

use std::ops::Range;

use neuropil_base::{Diagnostics, Span, Spanned, Text};

use crate::ast::{AssignOp, Equation, EquationKind, Equations, Expr, ExprKind, Flag};
use crate::expression::{Derivatives, Parser, belongs_to_previous, derivative, nesting_after, wants_more};
use crate::lexer::{Kind, Reporter, Token, tokens};

/// Parses `text` as equations, separated by line ends and `;`. Equations whose variable cannot be made
/// out are left out; the others stay, whatever else is wrong with them.
///
/// ```
/// use neuropil_syntax::parse_equations;
/// let text = "dv/dt = (I-v)/tau : volt (unless refractory)\nI : volt (constant)";
/// let (equations, diagnostics) = parse_equations(&text.into());
/// assert!(diagnostics.is_empty());
/// assert_eq!(equations.list[0].to_string(), "dv/dt = (I - v) / tau : volt (unless refractory)");
/// assert!(equations.get("I").is_some_and(|e| e.flag("constant").is_some()));
/// ```
#[must_use]
pub fn parse_equations(text: &Text) -> (Equations, Diagnostics) {
    let mut reporter = Reporter::new(text);
    let all = tokens(&mut reporter);
    let mut list = Vec::new();
    for line in split(&text.text, &all) {
        list.extend(equation(&mut reporter, &line));
    }
    (Equations { list }, reporter.finish())
}

/// Cuts tokens into equations without line ends and semicolons; none is empty.
fn split(text: &str, list: &[Token]) -> Vec<Vec<Token>> {
    let mut lines: Vec<Vec<Token>> = Vec::new();
    let mut line = Line { indentation: list.first().map_or(0, |t| indentation(text, t)), ..Line::default() };
    for (at, token) in list.iter().enumerate() {
        if token.kind == Kind::Semicolon {
            lines.push(line.take(line.indentation));
        } else if let Kind::Newline(indentation) = token.kind {
            let next = list.get(at + 1..).unwrap_or(&[]);
            if !line.continues(&NextLine::of(next), indentation) {
                lines.push(line.take(indentation));
            }
        } else {
            line.push(token);
        }
    }
    lines.push(line.take(0));
    lines.retain(|l| !l.is_empty());
    lines
}

/// How far the first token of the text is from the start of its line.
fn indentation(text: &str, first: &Token) -> usize {
    let before = text.get(..first.range.start).unwrap_or("");
    before.len() - before.rfind('\n').map_or(0, |i| i + 1)
}

/// An equation as far as it has been read.
#[derive(Default)]
struct Line {
    tokens: Vec<Token>,
    indentation: usize,
    open: usize,
    has_assign: bool,
    has_colon: bool,
    has_condition: bool,
}

/// What can be seen of a line before it is read.
struct NextLine {
    first: Option<Kind>,
    has_assign: bool,
    /// `x :`
    is_parameter: bool,
}

impl NextLine {
    fn of(tokens: &[Token]) -> Self {
        let line = tokens.iter().take_while(|t| !matches!(t.kind, Kind::Newline(_) | Kind::Semicolon));
        Self {
            first: tokens.first().map(|t| t.kind),
            has_assign: line.into_iter().any(|t| matches!(t.kind, Kind::Assign(_))),
            is_parameter: matches!(
                tokens,
                [Token { kind: Kind::Name, .. }, Token { kind: Kind::Colon, .. }, ..]
            ),
        }
    }
}

impl Line {
    fn push(&mut self, token: &Token) {
        self.open = nesting_after(self.open, token.kind);
        self.has_assign |= matches!(token.kind, Kind::Assign(_));
        self.has_colon |= token.kind == Kind::Colon;
        self.has_condition |= matches!(token.kind, Kind::If | Kind::Question);
        self.tokens.push(token.clone());
    }

    /// The tokens so far; the next equation starts at `indentation`.
    fn take(&mut self, indentation: usize) -> Vec<Token> {
        std::mem::replace(self, Self { indentation, ..Self::default() }).tokens
    }

    fn continues(&self, next: &NextLine, indentation: usize) -> bool {
        let complete = self.has_assign || self.has_colon;
        if next.has_assign && complete {
            return false;
        }
        if self.open > 0 {
            // A parenthesis that was never closed shall not swallow the parameters below it.
            return !(next.is_parameter && self.has_colon && !self.has_condition);
        }
        if self.tokens.last().is_some_and(|t| wants_more(t.kind))
            || next.first.is_some_and(belongs_to_previous)
        {
            return true;
        }
        if !complete {
            return !next.is_parameter && indentation > self.indentation;
        }
        if matches!(next.first, Some(Kind::Plus | Kind::Minus)) {
            return true;
        }
        !next.is_parameter && indentation > self.indentation
    }
}

/// What follows `:`, or the lack of it.
#[derive(Default)]
struct Annotation {
    unit: Option<Expr>,
    flags: Vec<Flag>,
}

fn equation(reporter: &mut Reporter<'_>, line: &[Token]) -> Option<Equation> {
    let range = extent(line)?;
    let span = reporter.text.span_of(range);
    // Flags behind an expression without a unit would read as the arguments of a call.
    let (line, flags) = known_flags(reporter, line);
    let (name, kind, annotation) = match line {
        [Token { kind: Kind::Name, range }] => {
            missing_unit(reporter, range.clone());
            (spanned(reporter, range), EquationKind::Parameter, Annotation::default())
        }
        [Token { kind: Kind::Name, range }, Token { kind: Kind::Colon, .. }, ..] => {
            let annotation = annotation(reporter, line.get(1..).unwrap_or(&[]));
            (spanned(reporter, range), EquationKind::Parameter, annotation)
        }
        _ => defined(reporter, line)?,
    };
    if name.value.contains('.') {
        let error = neuropil_base::Diagnostic::error(
            "syntax-name",
            name.span,
            format!("`{}` cannot be defined here", name.value),
        )
        .help("an equation defines a variable of its own object; its name has no dot");
        reporter.push(error);
    }
    let flags = if flags.is_empty() { annotation.flags } else { flags };
    Some(Equation { name, kind, unit: annotation.unit, flags, span })
}

/// An equation with `=` in it.
fn defined(
    reporter: &mut Reporter<'_>,
    line: &[Token],
) -> Option<(Spanned<String>, EquationKind, Annotation)> {
    let at = line.iter().position(|t| matches!(t.kind, Kind::Assign(_)));
    let Some((at, assign)) = at.and_then(|at| Some((at, line.get(at)?))) else {
        no_equation(reporter, line);
        return None;
    };
    if assign.kind != Kind::Assign(AssignOp::Set) {
        let operator = reporter.slice(assign.range.clone());
        let error = reporter
            .error("syntax-equation", assign.range.clone(), format!("`{operator}` is no part of an equation"))
            .help("equations say what a variable is, with `=`; statements such as `v += w` stand in `reset`, `on_pre` and `on_post`");
        reporter.push(error);
    }
    let (lhs, rhs) = (line.get(..at).unwrap_or(&[]), line.get(at + 1..).unwrap_or(&[]));
    if let [Token { kind: Kind::Name, range }] = lhs {
        let (rhs, annotation) = right_side(reporter, assign, rhs, Derivatives::AreQuotients);
        return Some((spanned(reporter, range), EquationKind::Subexpression(rhs), annotation));
    }
    if let ([first, _, _], Some((variable, _))) = (lhs, derivative(reporter, lhs)) {
        let name_range = first.range.start + 1..first.range.end;
        let name = Spanned::new(variable.to_owned(), reporter.text.span_of(name_range));
        let (rhs, annotation) = right_side(reporter, assign, rhs, Derivatives::AreQuotients);
        return Some((name, EquationKind::Differential(rhs), annotation));
    }
    implicit(reporter, lhs, assign, rhs)
}

fn implicit(
    reporter: &mut Reporter<'_>,
    lhs: &[Token],
    assign: &Token,
    rhs: &[Token],
) -> Option<(Spanned<String>, EquationKind, Annotation)> {
    let mut parser = Parser::new(reporter, lhs, Derivatives::AreDerivatives);
    let mut left = parser.expression();
    parser.expect_end("left side");
    let left_failed = parser.failed();
    let (right, annotation) = right_side(reporter, assign, rhs, Derivatives::AreDerivatives);
    let mut variables: Vec<(&str, Span)> = Vec::new();
    for side in [&left, &right] {
        side.walk(&mut |e| {
            if let ExprKind::Derivative(variable) = &e.kind
                && variables.iter().all(|(name, _)| name != variable)
            {
                variables.push((variable, e.span));
            }
        });
    }
    let Some((name, place)) = variables.first().copied() else {
        // With a mistake on either side the derivative may be in the part that was not read.
        if !left_failed && !right.has_error() {
            let range = extent(lhs).unwrap_or(assign.range.clone());
            let written = reporter.slice(range.clone());
            let error = reporter
                .error("syntax-equation", range, format!("`{written}` is not what an equation can define"))
                .label("neither a name nor an expression with a derivative")
                .help(
                    "write `dv/dt = ...`, `x = ...`, or an equation with one derivative: `tau*dv/dt + v = I`",
                );
            reporter.push(error);
        }
        return None;
    };
    if let Some((other, second)) = variables.get(1) {
        let message = format!("derivatives of both `{name}` and `{other}` in one equation");
        let error = neuropil_base::Diagnostic::error("syntax-equation", *second, message)
            .related(place, "the first derivative")
            .help("write one equation for each variable, with its own derivative alone");
        reporter.push(error);
    }
    let name = Spanned::new(name.to_owned(), place);
    if left_failed {
        let span = left.span;
        left = Expr::new(ExprKind::Error, span);
    }
    Some((name, EquationKind::Implicit { lhs: left, rhs: right }, annotation))
}

/// The expression behind `=` and what follows it.
fn right_side(
    reporter: &mut Reporter<'_>,
    assign: &Token,
    line: &[Token],
    derivatives: Derivatives,
) -> (Expr, Annotation) {
    if line.first().is_none_or(|t| t.kind == Kind::Colon) {
        let error = reporter
            .error("syntax-unexpected", assign.range.clone(), "expected an expression after `=`")
            .help("a variable that is only declared has no `=`: `x : volt`");
        reporter.push(error);
        let expr = Expr::new(ExprKind::Error, reporter.text.span_of(assign.range.clone()));
        let annotation = if line.is_empty() { Annotation::default() } else { annotation(reporter, line) };
        return (expr, annotation);
    }
    let mut parser = Parser::new(reporter, line, derivatives);
    let mut expr = parser.expression();
    if !matches!(parser.peek(), None | Some(Kind::Colon)) {
        parser.unexpected("`:` and a unit", missing_help(line, parser.position()));
    }
    let (failed, at) = (parser.failed(), parser.position());
    if !failed {
        let rest = line.get(at..).unwrap_or(&[]);
        if rest.is_empty() {
            missing_unit(reporter, line.last().map_or(0..0, |t| t.range.clone()));
            return (expr, Annotation::default());
        }
        return (expr, annotation(reporter, rest));
    }
    // What was written before the mistake is guesswork; the unit behind it need not be.
    let colon = line.iter().rposition(|t| t.kind == Kind::Colon).filter(|colon| *colon >= at);
    let end = colon.unwrap_or(line.len());
    let range = extent(line.get(..end).unwrap_or(line)).unwrap_or(assign.range.clone());
    expr = Expr::new(ExprKind::Error, reporter.text.span_of(range));
    let annotation = colon.map(|at| annotation(reporter, line.get(at..).unwrap_or(&[])));
    (expr, annotation.unwrap_or_default())
}

fn missing_help(line: &[Token], at: usize) -> Option<&'static str> {
    match line.get(at).map(|t| t.kind) {
        Some(Kind::Assign(_)) => Some("write `==` to compare; each equation stands on a line of its own"),
        Some(Kind::Close) => Some("there is no `(` that it closes"),
        Some(Kind::Name | Kind::Integer(_) | Kind::Real(_) | Kind::Open) => {
            Some("an operator is missing here, or the `:` before the unit")
        }
        Some(_) | None => None,
    }
}

/// Says that a unit is missing behind the token at `range`.
fn missing_unit(reporter: &mut Reporter<'_>, range: Range<usize>) {
    let error = reporter
        .error("missing-unit", range, "the equation has no unit")
        .label("expected `:` and a unit after this")
        .help("add `: volt`, or `: 1` if it has no unit");
    reporter.push(error);
}

/// Says why a line is no equation.
fn no_equation(reporter: &mut Reporter<'_>, line: &[Token]) {
    let Some(whole) = extent(line) else { return };
    if line.iter().any(|t| t.kind == Kind::Unknown) {
        // The diagnostic was given when the characters were read.
        return;
    }
    let comma = matches!(line, [Token { kind: Kind::Name, .. }, Token { kind: Kind::Comma, .. }, ..]);
    let error = if let Some((variable, _)) = derivative(reporter, line) {
        reporter
            .error("syntax-equation", whole, format!("the derivative of `{variable}` is not given"))
            .help(format!("write `d{variable}/dt = ... : unit`, or `{variable} : unit` for a parameter"))
    } else if comma {
        reporter
            .error("syntax-equation", whole, "several names in one equation")
            .help("write one line for each: `x : volt`")
    } else {
        reporter
            .error("syntax-equation", whole, "this is no equation")
            .help("write `dv/dt = expression : unit`, `x = expression : unit`, or `x : unit`")
    };
    reporter.push(error);
}

/// What follows the colon that is the first token of `line`.
fn annotation(reporter: &mut Reporter<'_>, line: &[Token]) -> Annotation {
    let Some((colon, line)) = line.split_first() else { return Annotation::default() };
    let (unit, flags) = split_flags(reporter, line);
    // A comma alone would be an empty list of ANNarchy's flags.
    if unit.iter().all(|t| t.kind == Kind::Comma) {
        missing_unit(reporter, colon.range.clone());
        return Annotation { unit: None, flags };
    }
    if is_annarchy(reporter, unit) {
        for item in unit.split(|t| t.kind == Kind::Comma) {
            annarchy_flag(reporter, item);
        }
        return Annotation { unit: None, flags };
    }
    let mut parser = Parser::new(reporter, unit, Derivatives::AreQuotients);
    let expr = parser.expression();
    parser.expect_end("unit");
    let unit = (!parser.failed()).then_some(expr);
    Annotation { unit, flags }
}

/// The index of the `(` of a trailing group that can only be flags: words, hyphens and commas behind
/// something complete.
fn flag_group(line: &[Token]) -> Option<usize> {
    let (last, before) = line.split_last()?;
    if last.kind != Kind::Close {
        return None;
    }
    let open = before.iter().rposition(|t| t.kind == Kind::Open)?;
    let group = before.get(open + 1..)?;
    let words = group.iter().all(|t| matches!(t.kind, Kind::Name | Kind::Minus | Kind::Comma));
    let operator_before = open
        .checked_sub(1)
        .and_then(|i| line.get(i))
        .is_some_and(|t| wants_more(t.kind) || t.kind == Kind::Open);
    (!group.is_empty() && words && !operator_before).then_some(open)
}

/// Flags that are recognised even where the unit before them is missing.
const FLAGS: &[&str] = &[
    "unless refractory",
    "constant",
    "constant over dt",
    "shared",
    "linked",
    "summed",
    "event-driven",
    "clock-driven",
];

/// A trailing group of flags cut off what follows `:`. With no unit before it, `(volt)` is a unit.
fn split_flags<'t>(reporter: &Reporter<'_>, line: &'t [Token]) -> (&'t [Token], Vec<Flag>) {
    let Some(open) = flag_group(line) else { return (line, Vec::new()) };
    let flags = read_flags(reporter, line.get(open + 1..line.len() - 1).unwrap_or(&[]));
    if open == 0 && !all_known(&flags) {
        return (line, Vec::new());
    }
    (line.get(..open).unwrap_or(line), flags)
}

/// A trailing group of flags cut off a line where no unit stands before it.
fn known_flags<'t>(reporter: &Reporter<'_>, line: &'t [Token]) -> (&'t [Token], Vec<Flag>) {
    let (before, flags) = split_flags(reporter, line);
    let colon_before = before.last().is_none_or(|t| t.kind == Kind::Colon);
    if colon_before || !all_known(&flags) { (line, Vec::new()) } else { (before, flags) }
}

fn all_known(flags: &[Flag]) -> bool {
    flags.iter().all(|f| FLAGS.contains(&f.name.as_str()))
}

fn read_flags(reporter: &Reporter<'_>, group: &[Token]) -> Vec<Flag> {
    let mut flags = Vec::new();
    for words in group.split(|t| t.kind == Kind::Comma) {
        if let Some(range) = extent(words) {
            let name = phrase(reporter, words);
            flags.push(Flag { name, span: reporter.text.span_of(range) });
        }
    }
    flags
}

/// Words with single spaces between them and none around hyphens.
fn phrase(reporter: &Reporter<'_>, words: &[Token]) -> String {
    let mut text = String::new();
    for word in words {
        let word = reporter.slice(word.range.clone());
        if !text.is_empty() && word != "-" && !text.ends_with('-') {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// ANNarchy's flags and what to write instead.
const ANNARCHY: &[(&str, &str)] = &[
    ("init", "set initial values where the population or projection is made, not in the equation"),
    ("min", "limit the value with `clip(x, low, high)` where it is used or assigned"),
    ("max", "limit the value with `clip(x, low, high)` where it is used or assigned"),
    ("exponential", "choose the integration method with `method`, for the whole model"),
    ("euler", "choose the integration method with `method`, for the whole model"),
    ("explicit", "choose the integration method with `method`, for the whole model"),
    ("implicit", "choose the integration method with `method`, for the whole model"),
    ("midpoint", "choose the integration method with `method`, for the whole model"),
    ("exact", "choose the integration method with `method`, for the whole model"),
    ("event-driven", "flags stand in parentheses behind the unit: `: volt (event-driven)`"),
    ("population", "flags stand in parentheses behind the unit: `: volt (shared)`"),
    ("projection", "flags stand in parentheses behind the unit: `: volt (shared)`"),
    ("semiglobal", "make it a variable of the postsynaptic population"),
    ("postsynaptic", "make it a variable of the postsynaptic population"),
    ("local", "leave it away: every element has a value of its own"),
    ("bool", "write `: boolean`"),
    ("int", "write `: integer`"),
    ("float", "write `: 1`, or the unit of the variable"),
];

/// Whether what follows `:` is a list of ANNarchy's flags and not a unit.
fn is_annarchy(reporter: &Reporter<'_>, unit: &[Token]) -> bool {
    let mut open = 0;
    let listed = unit.iter().any(|t| {
        open = nesting_after(open, t.kind);
        open == 0 && matches!(t.kind, Kind::Comma | Kind::Assign(_))
    });
    let words = phrase(reporter, unit);
    listed || ANNARCHY.iter().any(|(name, _)| *name == words)
}

fn annarchy_flag(reporter: &mut Reporter<'_>, item: &[Token]) {
    let Some(range) = extent(item) else { return };
    let words = item.split(|t| matches!(t.kind, Kind::Assign(_))).next().unwrap_or(item);
    let name = phrase(reporter, words);
    let known = ANNARCHY.iter().find(|(n, _)| *n == name).map(|(_, help)| *help);
    let help = known.unwrap_or("what follows `:` is a unit, then flags in parentheses: `: volt (shared)`");
    let error = reporter
        .error("annarchy-flag", range, format!("`{name}` is not a unit"))
        .label("the unit of the variable stands here")
        .help(help);
    reporter.push(error);
}

fn spanned(reporter: &Reporter<'_>, range: &Range<usize>) -> Spanned<String> {
    Spanned::new(reporter.slice(range.clone()).to_owned(), reporter.text.span_of(range.clone()))
}

/// The bytes from the first to the last token.
fn extent(tokens: &[Token]) -> Option<Range<usize>> {
    Some(tokens.first()?.range.start..tokens.last()?.range.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (String, Vec<String>) {
        let (equations, diagnostics) = parse_equations(&text.into());
        let said = diagnostics.iter().map(|d| format!("{}: {}", d.code, d.message)).collect();
        (equations.to_string(), said)
    }

    fn good(text: &str) -> String {
        let (equations, said) = parse(text);
        assert_eq!(said, Vec::<String>::new(), "{text}");
        equations
    }

    #[test]
    fn the_four_kinds_of_equations_are_told_apart() {
        let text = "dv/dt = -v/tau : volt\ntau*dw/dt + w = a : 1\nx = v+1 : volt\ny : siemens*meter**-2";
        let (equations, diagnostics) = parse_equations(&text.into());
        assert!(diagnostics.is_empty());
        let names: Vec<_> = equations.list.iter().map(|e| e.name.value.as_str()).collect();
        assert_eq!(names, ["v", "w", "x", "y"]);
        assert!(matches!(equations.list[0].kind, EquationKind::Differential(_)));
        assert!(matches!(equations.list[1].kind, EquationKind::Implicit { .. }));
        assert!(matches!(equations.list[2].kind, EquationKind::Subexpression(_)));
        assert!(matches!(equations.list[3].kind, EquationKind::Parameter));
        let printed =
            "dv/dt = -v / tau : volt\ntau * dw/dt + w = a : 1\nx = v + 1 : volt\ny : siemens * meter**-2";
        assert_eq!(equations.to_string(), printed);
    }

    #[test]
    fn derivatives_stand_only_in_implicit_equations() {
        assert_eq!(good("x = dv/dt : 1"), "x = dv / dt : 1");
        assert_eq!(good("0 = I - v - tau*dv/dt : 1"), "0 = I - v - tau * dv/dt : 1");
        assert_eq!(good("tau*dv/dt = (dx)/dt : 1"), "tau * dv/dt = dx / (dt) : 1");
        assert_eq!(good("tau*dv/dt = dx/dt(1) : 1"), "tau * dv/dt = dx / dt(1) : 1");
    }

    #[test]
    fn flags_are_normalised_and_kept() {
        let text = "v : volt ( unless   refractory ,constant over dt, event - driven, odd)";
        assert_eq!(good(text), "v : volt (unless refractory, constant over dt, event-driven, odd)");
        assert_eq!(good("x : siemens*(meter)\ny : (volt)"), "x : siemens * meter\ny : volt");
    }

    #[test]
    fn the_first_line_may_be_indented_less_than_the_others() {
        let text = "dv/dt = (ge+gi)/tau : volt (unless refractory)
            dge/dt = -ge/te : volt
            x : 1
            dgi/dt = -gi/ti : volt";
        assert_eq!(good(text).lines().count(), 4);
    }

    #[test]
    fn equations_go_on_where_they_are_not_complete() {
        let one = "dv/dt = a + b * c : volt (unless refractory)";
        for text in [
            "dv/dt = a +\nb*c : volt\n  (unless refractory)",
            "dv/dt = a\n  + b*c # why\n : volt (unless\nrefractory)",
            "dv/dt =\n a + b\n * c\n :\nvolt (unless refractory)",
            "dv/dt = (a + b\n * c) : volt \\\n(unless refractory)",
        ] {
            assert_eq!(good(text), one, "{text}");
        }
        assert_eq!(good("tau*dv/dt\n   + v = I : 1\nw : 1"), "tau * dv/dt + v = I : 1\nw : 1");
        assert_eq!(good("x = if c:\n a\n else:\n  b\n  : 1\ny : 1"), "x = a if c else b : 1\ny : 1");
        assert_eq!(good("x : 1; y : 1"), "x : 1\ny : 1");
    }

    #[test]
    fn colons_of_conditionals_are_not_the_unit() {
        assert_eq!(good("r = if v > 0: v else: 0 : volt"), "r = v if v > 0 else 0 : volt");
        assert_eq!(good("r = v > 0 ? v : 0 : volt"), "r = v if v > 0 else 0 : volt");
        let nested = "r = if a: 1 else: if b: 2 else: 3 : 1";
        assert_eq!(good(nested), "r = 1 if a else 2 if b else 3 : 1");
    }

    #[test]
    fn a_missing_unit_is_said_and_the_equation_kept() {
        for (text, printed) in [
            ("dv/dt = -v/tau", "dv/dt = -v / tau"),
            ("dv/dt = -v/tau (unless refractory)", "dv/dt = -v / tau (unless refractory)"),
            ("x (constant)", "x (constant)"),
            ("x", "x"),
            ("x :", "x"),
            ("x : ,", "x"),
            ("x : (shared)", "x (shared)"),
        ] {
            let (equations, said) = parse(text);
            assert_eq!(said, ["missing-unit: the equation has no unit"], "{text}");
            assert_eq!(equations, printed);
        }
    }

    #[test]
    fn annarchy_flags_are_told_what_to_write() {
        let text = "tau*dr/dt + r = I : init = 1.0, exponential, min=0.0\nx : bool\nq = r : event-driven";
        let (equations, diagnostics) = parse_equations(&text.into());
        assert_eq!(equations.list.len(), 3);
        assert_eq!(diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["annarchy-flag"; 5]);
        assert!(diagnostics.iter().any(|d| d.help == ["write `: boolean`"]));
    }

    #[test]
    fn every_bad_line_is_named_and_the_good_ones_stay() {
        let text = "dv/dt = (a + b : volt\ndw/dt = 3 $ 4 : 1\nx : 1\ndy/dt : 1\nz = * 2 : volt\na, b : 1\n2*q = 3 : 1";
        let (equations, said) = parse(text);
        assert_eq!(equations, "dv/dt = <error> : volt\ndw/dt = <error> : 1\nx : 1\nz = <error> : volt");
        assert_eq!(
            said,
            [
                "syntax-character: unexpected character `$`",
                "syntax-unexpected: expected `)`, found `:`",
                "syntax-equation: the derivative of `y` is not given",
                "syntax-unexpected: expected a value, found `*`",
                "syntax-equation: several names in one equation",
                "syntax-equation: `2*q` is not what an equation can define",
            ]
        );
    }

    #[test]
    fn an_open_parenthesis_does_not_swallow_what_follows() {
        let (equations, said) = parse("dv/dt = (a : volt\nx : 1\ny : volt (shared\nz : 1");
        assert_eq!(equations.lines().last(), Some("z : 1"));
        assert_eq!(said.len(), 2, "{said:?}");
    }

    #[test]
    fn two_derivatives_in_one_equation_are_refused() {
        let (_, said) = parse("dv/dt + dw/dt = 3 : 1");
        assert_eq!(said, ["syntax-equation: derivatives of both `v` and `w` in one equation"]);
        let (_, said) = parse("pre.x : 1\nv += 3 : 1");
        assert_eq!(said.len(), 2);
    }
}
