//! Tokens to expressions: operator precedence with an explicit stack.
//!
//! From loosest to tightest, as in Python: conditional; `or`; `and`; `not`; comparisons, which chain;
//! `+ -`; `* / // %`; unary `+ - !`; `**`, which groups to the right and takes a sign on its right.
//! Function recursion happens only for parentheses, arguments and branches of conditionals, and is
//! limited there, so no text overflows the stack.
//!
//! The first mistake of the grammar ends the reading of a run of tokens, since what follows it would be
//! guesswork; mistakes that have an evident meaning are reported and read on.

use std::ops::Range;

use neuropil_base::{Diagnostics, Span, Text};

use crate::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::lexer::{Kind, Reporter, Token, tokens};
use crate::{MAX_HEIGHT, MAX_NODES};

/// The most parentheses, calls and conditionals inside one another. A printed tree of [`MAX_HEIGHT`]
/// stays below this: no level of a tree prints more than two of them.
const MAX_NESTING: usize = 2 * MAX_HEIGHT;

/// Parses `text` as one expression; line ends in it are white space.
///
/// ```
/// use neuropil_syntax::parse_expression;
/// let (expr, diagnostics) = parse_expression(&"v>v_th and not(t-lastspike<5*ms)".into());
/// assert!(diagnostics.is_empty());
/// assert_eq!(expr.to_string(), "v > v_th and not t - lastspike < 5 * ms");
/// ```
#[must_use]
pub fn parse_expression(text: &Text) -> (Expr, Diagnostics) {
    let mut reporter = Reporter::new(text);
    let mut list = tokens(&mut reporter);
    list.retain(|t| !matches!(t.kind, Kind::Newline(_)));
    let mut parser = Parser::new(&mut reporter, &list, Derivatives::AreQuotients);
    let mut expr = parser.expression();
    parser.expect_end("expression");
    if parser.failed() {
        expr = Expr::new(ExprKind::Error, text.span);
    }
    (expr, reporter.finish())
}

/// What `dv/dt` in an expression is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Derivatives {
    /// The derivative of `v`.
    AreDerivatives,
    /// The variable `dv` over the time step.
    AreQuotients,
}

/// Reads a run of tokens without line ends.
pub(crate) struct Parser<'p, 'a> {
    reporter: &'p mut Reporter<'a>,
    tokens: &'p [Token],
    at: usize,
    /// Where the first mistake of the grammar is; from there on the parser sees the end of the text.
    failed_at: Option<usize>,
    nesting: usize,
    derivatives: Derivatives,
    depth_reported: bool,
}

/// An expression on its way up, with its extent.
struct Tree {
    expr: Expr,
    height: usize,
    nodes: usize,
    /// The bytes of the text, parentheses included.
    range: Range<usize>,
}

/// What waits on the stack for its right operand.
enum Pending {
    Unary(UnaryOp, Range<usize>, u8),
    Binary(BinaryOp, Tree, Option<Tree>),
}

const COMPARISON: u8 = 4;
pub(crate) const NOT: u8 = 3;
pub(crate) const SIGN: u8 = 7;

pub(crate) fn precedence(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge | BinaryOp::Eq | BinaryOp::Ne => COMPARISON,
        BinaryOp::Add | BinaryOp::Sub => 5,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::FloorDiv | BinaryOp::Mod => 6,
        BinaryOp::Pow => 8,
    }
}

/// Operators between two operands.
const INFIX: &[(Kind, BinaryOp)] = &[
    (Kind::Plus, BinaryOp::Add),
    (Kind::Minus, BinaryOp::Sub),
    (Kind::Star, BinaryOp::Mul),
    (Kind::Slash, BinaryOp::Div),
    (Kind::DoubleSlash, BinaryOp::FloorDiv),
    (Kind::Percent, BinaryOp::Mod),
    (Kind::DoubleStar, BinaryOp::Pow),
    (Kind::Lt, BinaryOp::Lt),
    (Kind::Le, BinaryOp::Le),
    (Kind::Gt, BinaryOp::Gt),
    (Kind::Ge, BinaryOp::Ge),
    (Kind::Eq, BinaryOp::Eq),
    (Kind::Ne, BinaryOp::Ne),
    (Kind::And, BinaryOp::And),
    (Kind::Or, BinaryOp::Or),
];

/// Operators before their operand, and their precedence.
const PREFIX: &[(Kind, UnaryOp, u8)] = &[
    (Kind::Minus, UnaryOp::Neg, SIGN),
    (Kind::Plus, UnaryOp::Plus, SIGN),
    (Kind::Bang, UnaryOp::Not, SIGN),
    (Kind::Not, UnaryOp::Not, NOT),
];

fn binary_operator(kind: Kind) -> Option<BinaryOp> {
    INFIX.iter().find(|(k, _)| *k == kind).map(|(_, op)| *op)
}

/// Whether a line cannot end with this token: its right operand is still to come.
pub(crate) fn wants_more(kind: Kind) -> bool {
    binary_operator(kind).is_some()
        || matches!(
            kind,
            Kind::Assign(_)
                | Kind::Not
                | Kind::Bang
                | Kind::If
                | Kind::Else
                | Kind::Comma
                | Kind::Colon
                | Kind::Question
        )
}

/// Whether nothing can start with this token: its left operand stands before it.
pub(crate) fn belongs_to_previous(kind: Kind) -> bool {
    let operator = binary_operator(kind).is_some() && !matches!(kind, Kind::Plus | Kind::Minus);
    operator
        || matches!(
            kind,
            Kind::Assign(_) | Kind::Else | Kind::Comma | Kind::Colon | Kind::Question | Kind::Close
        )
}

/// How many parentheses are open behind `kind`, if `open` are before it.
pub(crate) fn nesting_after(open: usize, kind: Kind) -> usize {
    if kind == Kind::Open { open + 1 } else { open.saturating_sub(usize::from(kind == Kind::Close)) }
}

impl<'p, 'a> Parser<'p, 'a> {
    pub(crate) fn new(reporter: &'p mut Reporter<'a>, tokens: &'p [Token], derivatives: Derivatives) -> Self {
        Self { reporter, tokens, at: 0, failed_at: None, nesting: 0, derivatives, depth_reported: false }
    }

    /// One expression; [`ExprKind::Error`] in it where the text is none.
    pub(crate) fn expression(&mut self) -> Expr {
        self.conditional().expr
    }

    pub(crate) fn failed(&self) -> bool {
        self.failed_at.is_some()
    }

    /// The index of the next token, or of the one at which the parser gave up.
    pub(crate) fn position(&self) -> usize {
        self.failed_at.unwrap_or(self.at)
    }

    pub(crate) fn peek(&self) -> Option<Kind> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<Kind> {
        if self.failed() { None } else { self.tokens.get(self.at + ahead).map(|t| t.kind) }
    }

    /// The bytes of the next token; behind the last one, the last one itself.
    fn range(&self) -> Range<usize> {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0..0, |t| t.range.clone())
    }

    fn slice(&self) -> &'a str {
        self.reporter.slice(self.range())
    }

    fn span(&self, range: &Range<usize>) -> Span {
        self.reporter.text.span_of(range.clone())
    }

    /// Says that the next token is not what should stand there, and gives up.
    #[inline(never)]
    pub(crate) fn unexpected(&mut self, expected: &str, help: Option<&str>) {
        if self.failed() {
            return;
        }
        let range = self.range();
        let error = match self.peek() {
            // The diagnostic was given when the characters were read.
            Some(Kind::Unknown) => None,
            None if self.tokens.is_empty() => {
                let all = 0..self.reporter.text.text.len();
                Some(self.reporter.error("syntax-empty", all, format!("expected {expected}, found nothing")))
            }
            None => {
                let message = format!("expected {expected} after `{}`", self.reporter.slice(range.clone()));
                Some(self.reporter.error("syntax-unexpected", range, message).label("nothing follows"))
            }
            Some(_) => {
                let found = self.reporter.slice(range.clone());
                let message = format!("expected {expected}, found `{found}`");
                let label = format!("expected {expected}");
                Some(self.reporter.error("syntax-unexpected", range, message).label(label))
            }
        };
        if let Some(mut error) = error {
            error.help.extend(help.map(str::to_owned));
            self.reporter.push(error);
        }
        self.fail();
    }

    fn fail(&mut self) {
        self.failed_at.get_or_insert(self.at);
    }

    /// Gives up unless all tokens are read; `whole` is what they form.
    pub(crate) fn expect_end(&mut self, whole: &str) {
        let Some(kind) = self.peek() else { return };
        let help = if matches!(kind, Kind::Assign(_)) {
            Some("write `==` to compare")
        } else if kind == Kind::Close {
            Some("there is no `(` that it closes")
        } else if kind == Kind::Colon {
            Some("units and flags after `:` stand only in equations")
        } else if matches!(kind, Kind::Name | Kind::Integer(_) | Kind::Real(_) | Kind::Open) {
            Some("an operator is missing here, or a new line")
        } else {
            None
        };
        self.unexpected(&format!("the end of the {whole}"), help);
    }

    /// `a`, `a if c else b`, `c ? a : b`, `if c: a else: b`.
    fn conditional(&mut self) -> Tree {
        if self.peek() == Some(Kind::If) {
            return self.nested(Self::if_first);
        }
        let first = self.operators();
        match self.peek() {
            Some(Kind::If) => self.python_conditional(first),
            Some(Kind::Question) => self.c_conditional(first),
            Some(_) | None => first,
        }
    }

    #[inline(never)]
    fn python_conditional(&mut self, then: Tree) -> Tree {
        self.at += 1;
        let condition = self.operators();
        if self.peek() == Some(Kind::Else) {
            self.at += 1;
        } else {
            self.unexpected("`else`", Some("a conditional is written `a if condition else b`"));
        }
        let otherwise = self.nested(Self::conditional);
        self.choose(condition, then, otherwise)
    }

    #[inline(never)]
    fn c_conditional(&mut self, condition: Tree) -> Tree {
        self.at += 1;
        let then = self.nested(Self::conditional);
        self.expect_colon("a conditional is written `condition ? a : b`");
        let otherwise = self.nested(Self::conditional);
        self.choose(condition, then, otherwise)
    }

    fn if_first(&mut self) -> Tree {
        let start = self.range();
        self.at += 1;
        let help = "a conditional is written `if condition: a else: b`";
        let condition = self.operators();
        self.expect_colon(help);
        let then = self.nested(Self::conditional);
        if self.peek() == Some(Kind::Else) {
            self.at += 1;
        } else {
            self.unexpected("`else`", Some(help));
        }
        self.expect_colon("nested conditionals are written `else: if condition: ...`");
        let otherwise = self.nested(Self::conditional);
        let mut tree = self.choose(condition, then, otherwise);
        tree.range.start = tree.range.start.min(start.start);
        tree.expr.span = self.span(&tree.range);
        tree
    }

    #[inline(never)]
    fn expect_colon(&mut self, help: &str) {
        if self.peek() == Some(Kind::Colon) {
            self.at += 1;
        } else {
            self.unexpected("`:`", Some(help));
        }
    }

    #[inline(never)]
    fn choose(&mut self, condition: Tree, then: Tree, otherwise: Tree) -> Tree {
        let parts = [&condition, &then, &otherwise];
        let start = parts.iter().map(|t| t.range.start).min().unwrap_or(0);
        let end = parts.iter().map(|t| t.range.end).max().unwrap_or(start);
        let height = parts.iter().map(|t| t.height).max().unwrap_or(0);
        let nodes = parts.iter().map(|t| t.nodes).sum();
        let kind = ExprKind::Conditional {
            condition: Box::new(condition.expr),
            then: Box::new(then.expr),
            otherwise: Box::new(otherwise.expr),
        };
        self.tree(kind, height, nodes, start..end)
    }

    /// Runs `parse` one level deeper, unless that is too deep.
    fn nested(&mut self, parse: fn(&mut Self) -> Tree) -> Tree {
        if self.nesting >= MAX_NESTING {
            self.too_deep(self.range());
            self.fail();
            return self.error_tree();
        }
        self.nesting += 1;
        let tree = parse(self);
        self.nesting -= 1;
        tree
    }

    #[inline(never)]
    fn too_deep(&mut self, range: Range<usize>) {
        if self.depth_reported || self.failed() {
            return;
        }
        self.depth_reported = true;
        let message = "the expression is too large";
        let error = self
            .reporter
            .error("syntax-depth", range, message)
            .help(format!(
                "at most {MAX_HEIGHT} levels and {MAX_NODES} parts are read; name a part of it in an equation of its own"
            ));
        self.reporter.push(error);
    }

    /// A node above parts of `height` levels and `nodes` nodes, unless it would be too large.
    #[inline(never)]
    fn tree(&mut self, kind: ExprKind, height: usize, nodes: usize, range: Range<usize>) -> Tree {
        let span = self.span(&range);
        let (height, nodes) = (height + 1, nodes + 1);
        if height > MAX_HEIGHT || nodes > MAX_NODES {
            self.too_deep(range.clone());
            return Tree { expr: Expr::new(ExprKind::Error, span), height: 1, nodes: 1, range };
        }
        Tree { expr: Expr::new(kind, span), height, nodes, range }
    }

    fn error_tree(&mut self) -> Tree {
        let range = self.range();
        self.tree(ExprKind::Error, 0, 0, range)
    }

    /// A run of operands and operators, grouped by precedence. Whatever happens between two operands has
    /// functions of its own, to keep the frames of the recursion small.
    fn operators(&mut self) -> Tree {
        let mut pending: Vec<Pending> = Vec::new();
        loop {
            while let Some((op, level)) = self.prefix() {
                self.check_not(level, pending.last());
                pending.push(Pending::Unary(op, self.range(), level));
                self.at += 1;
            }
            let right = self.operand();
            if let Some(whole) = self.place(&mut pending, right) {
                return whole;
            }
        }
    }

    /// Applies the waiting operators that bind more tightly than what follows `right`, then puts the result
    /// on the stack with the operator that follows. Returns it if none does: it is the whole.
    #[inline(never)]
    fn place(&mut self, pending: &mut Vec<Pending>, mut right: Tree) -> Option<Tree> {
        let (next, length) = self.infix().unzip();
        let level = next.map_or(0, precedence);
        let mut middle = None;
        while let Some(top) = pending.pop_if(|top| binds_before(top, next, level)) {
            (right, middle) = self.reduce(top, right, next.is_some_and(BinaryOp::is_comparison));
        }
        let Some(op) = next else { return Some(right) };
        self.at += length.unwrap_or(0);
        pending.push(Pending::Binary(op, right, middle));
        None
    }

    fn prefix(&self) -> Option<(UnaryOp, u8)> {
        let kind = self.peek()?;
        PREFIX.iter().find(|(k, ..)| *k == kind).map(|(_, op, level)| (*op, *level))
    }

    /// `a == not b` is no Python; where the parentheses go is evident.
    #[inline(never)]
    fn check_not(&mut self, level: u8, before: Option<&Pending>) {
        let tighter = match before {
            Some(Pending::Binary(op, ..)) => precedence(*op) > level,
            Some(Pending::Unary(_, _, before)) => *before > level,
            None => false,
        };
        if level == NOT && tighter {
            let error = self
                .reporter
                .error("syntax-not", self.range(), "`not` stands behind an operator that binds more tightly")
                .help("put it in parentheses: `a == (not b)`");
            self.reporter.push(error);
        }
    }

    /// The operator that follows an operand, and how many tokens it is: a missing one is reported and
    /// taken for `*`.
    #[inline(never)]
    fn infix(&mut self) -> Option<(BinaryOp, usize)> {
        let kind = self.peek()?;
        if let Some(op) = binary_operator(kind) {
            return Some((op, 1));
        }
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at))?;
        let is_number = |kind| matches!(kind, Kind::Integer(_) | Kind::Real(_));
        let product = (is_number(before.kind) || before.kind == Kind::Close)
            && (matches!(kind, Kind::Name | Kind::Open) || (before.kind == Kind::Close && is_number(kind)));
        if !product || matches!(self.peek_at(1), Some(Kind::Assign(_))) {
            return None;
        }
        let (left, right) = (self.reporter.slice(before.range.clone()), self.slice());
        let range = before.range.start..self.range().end;
        let error = self
            .reporter
            .error("syntax-operator", range, format!("an operator is missing between `{left}` and `{right}`"))
            .help(format!("write `{left}*{right}` for a product"));
        self.reporter.push(error);
        Some((BinaryOp::Mul, 0))
    }

    /// Applies `pending` to its right operand. Before another comparison, `a < b` also returns a copy of
    /// `b`, which that comparison starts from.
    #[inline(never)]
    fn reduce(&mut self, pending: Pending, right: Tree, chained: bool) -> (Tree, Option<Tree>) {
        match pending {
            Pending::Unary(op, range, _) => {
                let range = range.start..right.range.end.max(range.end);
                let (height, nodes) = (right.height, right.nodes);
                let kind = ExprKind::Unary(op, Box::new(right.expr));
                (self.tree(kind, height, nodes, range), None)
            }
            Pending::Binary(op, left, middle) => {
                let copy = |tree: &Tree| Tree { expr: tree.expr.clone(), range: tree.range.clone(), ..*tree };
                let next_middle = (chained && op.is_comparison()).then(|| copy(&right));
                let tree = match middle {
                    Some(middle) if op.is_comparison() => {
                        let second = self.combine(op, middle, right);
                        self.combine(BinaryOp::And, left, second)
                    }
                    Some(_) | None => self.combine(op, left, right),
                };
                (tree, next_middle)
            }
        }
    }

    #[inline(never)]
    fn combine(&mut self, op: BinaryOp, left: Tree, right: Tree) -> Tree {
        let range = left.range.start..right.range.end.max(left.range.end);
        let (height, nodes) = (left.height.max(right.height), left.nodes + right.nodes);
        let kind = ExprKind::Binary(op, Box::new(left.expr), Box::new(right.expr));
        self.tree(kind, height, nodes, range)
    }

    fn operand(&mut self) -> Tree {
        let Some(kind) = self.peek() else {
            self.unexpected("a value", None);
            return self.error_tree();
        };
        let range = self.range();
        match kind {
            Kind::Integer(value) => self.leaf(ExprKind::Integer(value), range),
            Kind::Real(value) => self.leaf(ExprKind::Real(value), range),
            Kind::True => self.leaf(ExprKind::Boolean(true), range),
            Kind::False => self.leaf(ExprKind::Boolean(false), range),
            Kind::Name if self.peek_at(1) == Some(Kind::Open) => self.nested(Self::call),
            Kind::Name => self.name(),
            Kind::Open => self.nested(Self::group),
            Kind::If => {
                let error = self
                    .reporter
                    .error("syntax-unexpected", range, "a conditional stands inside an expression")
                    .help("put it in parentheses: `1 + (if c: a else: b)`");
                self.reporter.push(error);
                self.nested(Self::if_first)
            }
            Kind::Assign(_) => {
                self.unexpected(
                    "a value",
                    Some("`=` stands between a name and its value; write `==` to compare"),
                );
                self.error_tree()
            }
            Kind::Plus
            | Kind::Minus
            | Kind::Not
            | Kind::Bang
            | Kind::Star
            | Kind::Slash
            | Kind::DoubleSlash
            | Kind::Percent
            | Kind::DoubleStar
            | Kind::Lt
            | Kind::Le
            | Kind::Gt
            | Kind::Ge
            | Kind::Eq
            | Kind::Ne
            | Kind::And
            | Kind::Or
            | Kind::Else
            | Kind::Close
            | Kind::Comma
            | Kind::Colon
            | Kind::Question
            | Kind::Semicolon
            | Kind::Newline(_)
            | Kind::Unknown => {
                self.unexpected("a value", None);
                self.error_tree()
            }
        }
    }

    #[inline(never)]
    fn leaf(&mut self, kind: ExprKind, range: Range<usize>) -> Tree {
        self.at += 1;
        self.tree(kind, 0, 0, range)
    }

    #[inline(never)]
    fn name(&mut self) -> Tree {
        let range = self.range();
        let name = self.slice();
        if self.derivatives == Derivatives::AreDerivatives
            && let Some((variable, end)) =
                derivative(self.reporter, self.tokens.get(self.at..).unwrap_or(&[]))
        {
            self.at += 2;
            return self.leaf(ExprKind::Derivative(variable.to_owned()), range.start..end);
        }
        self.leaf(ExprKind::Name(name.to_owned()), range)
    }

    fn group(&mut self) -> Tree {
        let open = self.range();
        self.at += 1;
        let mut tree = self.conditional();
        let close = self.close(&open);
        tree.range = open.start..close.max(tree.range.end);
        tree
    }

    fn call(&mut self) -> Tree {
        let name = self.range();
        let function = self.slice().to_owned();
        self.at += 1;
        let open = self.range();
        self.at += 1;
        let mut args = Vec::new();
        let (mut height, mut nodes) = (0, 0);
        while !matches!(self.peek(), None | Some(Kind::Close)) {
            let arg = self.conditional();
            height = height.max(arg.height);
            nodes += arg.nodes;
            args.push(arg.expr);
            match self.peek() {
                Some(Kind::Comma) => self.at += 1,
                Some(Kind::Assign(_)) => {
                    self.unexpected("`,` or `)`", Some("arguments have no names here: write them in order"));
                }
                Some(_) | None => break,
            }
        }
        let end = self.close(&open);
        self.tree(ExprKind::Call { function, args }, height, nodes, name.start..end)
    }

    /// Takes the `)` that belongs to `open` and returns where it ends.
    #[inline(never)]
    fn close(&mut self, open: &Range<usize>) -> usize {
        let range = self.range();
        match self.peek() {
            Some(Kind::Close) => self.at += 1,
            None if !self.failed() => {
                let error = self
                    .reporter
                    .error("syntax-unclosed", open.clone(), "this parenthesis is not closed")
                    .help("add `)`");
                self.reporter.push(error);
                self.fail();
            }
            Some(Kind::Assign(_)) => self.unexpected("`)`", Some("write `==` to compare")),
            Some(_) | None => {
                let open = self.span(open);
                if !self.failed() && self.peek() != Some(Kind::Unknown) {
                    let found = self.slice();
                    let error = self
                        .reporter
                        .error("syntax-unexpected", range.clone(), format!("expected `)`, found `{found}`"))
                        .label("expected `)`")
                        .related(open, "this parenthesis is still open");
                    self.reporter.push(error);
                }
                self.fail();
            }
        }
        range.end
    }
}

/// Whether what waits on the stack takes its operand before the operator `next` does.
fn binds_before(top: &Pending, next: Option<BinaryOp>, level: u8) -> bool {
    match top {
        Pending::Unary(_, _, own) => *own > level,
        Pending::Binary(op, ..) => match next {
            Some(BinaryOp::Pow) => false,
            Some(_) | None => precedence(*op) >= level,
        },
    }
}

/// The variable whose derivative the tokens `dv / dt` at the start are, and where they end.
pub(crate) fn derivative<'a>(reporter: &Reporter<'a>, tokens: &[Token]) -> Option<(&'a str, usize)> {
    let [first, slash, dt, rest @ ..] = tokens else { return None };
    if rest.first().is_some_and(|t| t.kind == Kind::Open) {
        return None;
    }
    let variable = reporter.slice(first.range.clone()).strip_prefix('d')?;
    let names = first.kind == Kind::Name && slash.kind == Kind::Slash && dt.kind == Kind::Name;
    let variable_is_name = variable.starts_with(|c: char| c == '_' || c.is_alphabetic());
    (names && variable_is_name && reporter.slice(dt.range.clone()) == "dt")
        .then_some((variable, dt.range.end))
}
