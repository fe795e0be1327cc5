//! Tokens to statements: `target op value`, one per line or separated by `;`.
//!
//! A statement goes on over a line end inside parentheses, after an operator, before an operator and
//! after a backslash, unless the next line is evidently a statement of its own.

use neuropil_base::{Diagnostics, Spanned, Text};

use crate::ast::{Block, Expr, ExprKind, Stmt};
use crate::expression::{Derivatives, Parser, belongs_to_previous, derivative, nesting_after, wants_more};
use crate::lexer::{Kind, Reporter, Token, tokens};

/// Parses `text` as statements, separated by line ends and `;`. Statements whose target cannot be made
/// out are left out; the others stay, whatever is wrong with their values.
///
/// ```
/// use neuropil_syntax::parse_block;
/// let (block, diagnostics) = parse_block(&"v = v_r; g_post+=w # on every spike".into());
/// assert!(diagnostics.is_empty());
/// assert_eq!(block.to_string(), "v = v_r\ng_post += w");
/// ```
#[must_use]
pub fn parse_block(text: &Text) -> (Block, Diagnostics) {
    let mut reporter = Reporter::new(text);
    let list = tokens(&mut reporter);
    let mut statements = Vec::new();
    for line in split(&list) {
        statements.extend(statement(&mut reporter, &line));
    }
    (Block { statements }, reporter.finish())
}

/// Cuts tokens into statements without line ends and semicolons; none is empty.
fn split(list: &[Token]) -> Vec<Vec<Token>> {
    let mut lines: Vec<Vec<Token>> = Vec::new();
    let mut line: Vec<Token> = Vec::new();
    let mut open = 0_usize;
    for (at, token) in list.iter().enumerate() {
        let next = list.get(at + 1..).unwrap_or(&[]);
        let line_ends = matches!(token.kind, Kind::Newline(_));
        let goes_on = line_ends && continues(line.last().map(|t| t.kind), next, open);
        let ends = token.kind == Kind::Semicolon || (line_ends && !goes_on);
        if ends {
            open = 0;
            lines.push(std::mem::take(&mut line));
        } else if !line_ends {
            open = nesting_after(open, token.kind);
            line.push(token.clone());
        }
    }
    lines.push(line);
    lines.retain(|l| !l.is_empty());
    lines
}

/// Whether the statement that ends with `last` goes on in the line that starts with `next`.
fn continues(last: Option<Kind>, next: &[Token], open: usize) -> bool {
    if let [Token { kind: Kind::Name, .. }, Token { kind: Kind::Assign(_), .. }, ..] = next {
        return false;
    }
    // A statement starts with a name, so an operator at the start of a line continues the line before.
    let operator = |t: &Token| belongs_to_previous(t.kind) || matches!(t.kind, Kind::Plus | Kind::Minus);
    open > 0 || last.is_some_and(wants_more) || next.first().is_some_and(operator)
}

fn statement(reporter: &mut Reporter<'_>, line: &[Token]) -> Option<Stmt> {
    let (first, last) = (line.first()?, line.last()?);
    let range = first.range.start..last.range.end;
    let [Token { kind: Kind::Name, .. }, Token { kind: Kind::Assign(op), .. }, value @ ..] = line else {
        no_statement(reporter, line);
        return None;
    };
    let target = reporter.slice(first.range.clone()).to_owned();
    let target = Spanned::new(target, reporter.text.span_of(first.range.clone()));
    let span = reporter.text.span_of(range);
    if value.is_empty() {
        let operator = line.get(1).map_or(0..0, |t| t.range.clone());
        let written = reporter.slice(operator.clone());
        let error =
            reporter.error("syntax-unexpected", operator, format!("expected a value after `{written}`"));
        reporter.push(error);
        return Some(Stmt { target, op: *op, value: Expr::new(ExprKind::Error, span), span });
    }
    let mut parser = Parser::new(reporter, value, Derivatives::AreQuotients);
    let mut expr = parser.expression();
    parser.expect_end("statement");
    if parser.failed() {
        let start = value.first().map_or(last.range.start, |t| t.range.start);
        expr = Expr::new(ExprKind::Error, reporter.text.span_of(start..last.range.end));
    }
    Some(Stmt { target, op: *op, value: expr, span })
}

/// Says why a line is no statement.
fn no_statement(reporter: &mut Reporter<'_>, line: &[Token]) {
    let (Some(first), Some(last)) = (line.first(), line.last()) else { return };
    let whole = first.range.start..last.range.end;
    let start = reporter.slice(first.range.clone());
    if line.iter().any(|t| t.kind == Kind::Unknown) {
        // The diagnostic was given when the characters were read.
        return;
    }
    let error = |message: &str| reporter.error("syntax-statement", whole.clone(), message);
    let error = if derivative(reporter, line).is_some() {
        error("a differential equation is no statement").help(
            "differential equations stand in `equations`; a statement changes a variable at once: `v = v_r`",
        )
    } else if first.kind == Kind::If {
        error("a statement cannot depend on a condition; its value can")
            .help("write `v = v_r if v > v_th else v`")
    } else if matches!(start, "for" | "while" | "return" | "def" | "elif" | "print" | "import") {
        error(&format!("`{start}` is no statement here")).help("statements assign: `v = v_r`, `g_post += w`")
    } else if let [Token { kind: Kind::Name, .. }, Token { kind: Kind::Eq, .. }, ..] = line {
        error("`==` compares, it does not assign").help(format!("write `{start} = ...`"))
    } else if line.iter().any(|t| matches!(t.kind, Kind::Assign(_))) {
        error("the left side of a statement is one name")
            .help("write `v = ...`, `v_post += ...` or `post.v += ...`")
    } else {
        error("the statement changes nothing").help("statements assign: `v = v_r`, `g_post += w`")
    };
    reporter.push(error);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (String, Vec<String>) {
        let (block, diagnostics) = parse_block(&text.into());
        let said = diagnostics.iter().map(|d| format!("{}: {}", d.code, d.message)).collect();
        (block.to_string(), said)
    }

    fn good(text: &str) -> String {
        let (block, said) = parse(text);
        assert_eq!(said, Vec::<String>::new(), "{text}");
        block
    }

    #[test]
    fn statements_are_separated_by_lines_and_semicolons() {
        assert_eq!(good(""), "");
        assert_eq!(good(" \n # nothing\n;;"), "");
        assert_eq!(good("a = 1; b += 2\n  c -= 3;\n\nd *= x"), "a = 1\nb += 2\nc -= 3\nd *= x");
        assert_eq!(good("a /= 1;b //= 2;c **= 3;d %= 4"), "a /= 1\nb //= 2\nc **= 3\nd %= 4");
        assert_eq!(good("v_post += w\npost.g = 1"), "v_post += w\npost.g = 1");
    }

    #[test]
    fn statements_go_on_where_they_are_not_complete() {
        assert_eq!(good("a = (1 +\n2\n)\nb = 3"), "a = 1 + 2\nb = 3");
        assert_eq!(good("a = 1 + # one\n 2"), "a = 1 + 2");
        assert_eq!(good("a = 1 \\\n + 2"), "a = 1 + 2");
        assert_eq!(good("a =\n 1\n  - 2\n * 3\nb = 4"), "a = 1 - 2 * 3\nb = 4");
        assert_eq!(good("a = if c: 1\n else: 2\nb = 1"), "a = 1 if c else 2\nb = 1");
    }

    #[test]
    fn every_bad_statement_is_named_and_the_good_ones_stay() {
        let (block, said) = parse("a = (1 + 2\nb = 3\nc = 4 +\nd = 5 ^ 2\ne\nf = 6");
        assert_eq!(block, "a = <error>\nb = 3\nc = <error>\nd = 5**2\nf = 6");
        assert_eq!(said.len(), 4, "{said:?}");
    }

    #[test]
    fn a_line_that_is_no_statement_is_told_why() {
        for (text, message) in [
            ("v == 3", "`==` compares, it does not assign"),
            ("dv/dt = -v", "a differential equation is no statement"),
            ("if v > 1: v = 0", "a statement cannot depend on a condition; its value can"),
            ("v + 1", "the statement changes nothing"),
            ("2*v = 1", "the left side of a statement is one name"),
            ("for i in x", "`for` is no statement here"),
            ("v =", "expected a value after `=`"),
            ("v = 1 : volt", "expected the end of the statement, found `:`"),
            ("v = 1 w = 2", "expected the end of the statement, found `w`"),
            ("v[0] = 1", "unexpected character `[`"),
        ] {
            let (_, said) = parse(text);
            assert!(said.iter().any(|d| d.ends_with(message)), "{text}: {said:?}");
        }
    }
}
