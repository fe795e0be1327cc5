//! Laws of the whole crate: printing and parsing agree, and no text panics.

use neuropil_base::{SourceMap, Span, Spanned, Text};
use proptest::prelude::*;

use crate::{
    AssignOp, BinaryOp, Block, Equation, EquationKind, Equations, Expr, ExprKind, Flag, MAX_HEIGHT,
    MAX_NODES, Stmt, UnaryOp, parse_block, parse_equations, parse_expression,
};

const UNARY: &[UnaryOp] = &[UnaryOp::Neg, UnaryOp::Plus, UnaryOp::Not];
const BINARY: &[BinaryOp] = &[
    BinaryOp::Add,
    BinaryOp::Sub,
    BinaryOp::Mul,
    BinaryOp::Div,
    BinaryOp::FloorDiv,
    BinaryOp::Mod,
    BinaryOp::Pow,
    BinaryOp::Lt,
    BinaryOp::Le,
    BinaryOp::Gt,
    BinaryOp::Ge,
    BinaryOp::Eq,
    BinaryOp::Ne,
    BinaryOp::And,
    BinaryOp::Or,
];
const ASSIGN: &[AssignOp] = &[
    AssignOp::Set,
    AssignOp::Add,
    AssignOp::Sub,
    AssignOp::Mul,
    AssignOp::Div,
    AssignOp::FloorDiv,
    AssignOp::Mod,
    AssignOp::Pow,
];

/// The expression with every part in parentheses.
fn grouped(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Unary(op, a) => format!("({op} {})", grouped(a)),
        ExprKind::Binary(op, a, b) => format!("({} {op} {})", grouped(a), grouped(b)),
        ExprKind::Conditional { condition, then, otherwise } => {
            format!("({} if {} else {})", grouped(then), grouped(condition), grouped(otherwise))
        }
        ExprKind::Call { function, args } => {
            format!("{function}({})", args.iter().map(grouped).collect::<Vec<_>>().join(", "))
        }
        ExprKind::Integer(_)
        | ExprKind::Real(_)
        | ExprKind::Boolean(_)
        | ExprKind::Name(_)
        | ExprKind::Derivative(_)
        | ExprKind::Error => expr.to_string(),
    }
}

fn good(text: &str) -> Expr {
    let (expr, diagnostics) = parse_expression(&text.into());
    assert!(diagnostics.is_empty(), "{text}: {diagnostics:?}");
    expr
}

#[test]
fn operators_group_as_in_python() {
    let table = [
        ("a - b - c", "((a - b) - c)"),
        ("a / b * c", "((a / b) * c)"),
        ("a + b * c", "(a + (b * c))"),
        ("a // b % c", "((a // b) % c)"),
        ("-x**2", "(- (x ** 2))"),
        ("2**-1", "(2 ** (- 1))"),
        ("2**-x**y", "(2 ** (- (x ** y)))"),
        ("a**b**c", "(a ** (b ** c))"),
        ("2**-1*3", "((2 ** (- 1)) * 3)"),
        ("-a * b", "((- a) * b)"),
        ("a - -b", "(a - (- b))"),
        ("- - +a", "(- (- (+ a)))"),
        ("not a < b", "(not (a < b))"),
        ("not a and b", "((not a) and b)"),
        ("not not a", "(not (not a))"),
        ("!a and b", "((not a) and b)"),
        ("!a == b", "((not a) == b)"),
        ("a or b and c", "(a or (b and c))"),
        ("a && b || c", "((a and b) or c)"),
        ("a < b < c", "((a < b) and (b < c))"),
        ("a < b + 1 <= c != d", "(((a < (b + 1)) and ((b + 1) <= c)) and (c != d))"),
        ("(a < b) < c", "((a < b) < c)"),
        ("a + 1 < b * 2", "((a + 1) < (b * 2))"),
        ("a if b else c if d else e", "(a if b else (c if d else e))"),
        ("a or b if c or d else e", "((a or b) if (c or d) else e)"),
        ("c ? a : d ? b : e", "(a if c else (b if d else e))"),
        ("c ? d ? 1 : 2 : 3", "((1 if d else 2) if c else 3)"),
        ("if a: b else: if c: d else: e", "(b if a else (d if c else e))"),
        ("(if a: b else: c) + 1", "((b if a else c) + 1)"),
        ("f(a, -b)(", ""),
        ("f()", "f()"),
        ("sum(exc) + np.exp(a if b else c)", "(sum(exc) + np.exp((a if b else c)))"),
        ("True and false", "(True and False)"),
    ];
    for (text, expected) in table {
        let (expr, diagnostics) = parse_expression(&text.into());
        if expected.is_empty() {
            assert!(diagnostics.has_errors(), "{text}");
        } else {
            assert_eq!(grouped(&expr), expected, "{text}: {diagnostics:?}");
            assert!(diagnostics.is_empty(), "{text}: {diagnostics:?}");
        }
    }
}

#[test]
fn printing_uses_the_fewest_parentheses() {
    for (text, printed) in [
        ("((a)+(b*(c)))", "a + b * c"),
        ("(a+b)*c", "(a + b) * c"),
        ("a-(b-c)", "a - (b - c)"),
        ("(a**b)**c", "(a**b)**c"),
        ("(-a)**2", "(-a)**2"),
        ("-(a**2)", "-a**2"),
        ("a**(-b)", "a**-b"),
        ("(a<b)==(c<d)", "(a < b) == (c < d)"),
        ("not (a and b)", "not (a and b)"),
        ("(a if b else c)+1", "(a if b else c) + 1"),
        ("(a if b else c) if d else e", "(a if b else c) if d else e"),
        ("1.50 + 1e-3 + 1e30 + .5", "1.5 + 0.001 + 1e30 + 0.5"),
    ] {
        assert_eq!(good(text).to_string(), printed);
    }
}

#[test]
fn mistakes_are_told_with_their_place_and_what_to_write() {
    for (text, code, place, help) in [
        ("a + ", "syntax-unexpected", 2..3, ""),
        ("(a + b", "syntax-unclosed", 0..1, "add `)`"),
        ("a + b)", "syntax-unexpected", 5..6, "there is no `(` that it closes"),
        ("a = b", "syntax-unexpected", 2..3, "write `==` to compare"),
        ("20 ms", "syntax-operator", 0..5, "write `20*ms` for a product"),
        ("a b", "syntax-unexpected", 2..3, "an operator is missing here, or a new line"),
        ("a ^ 2", "syntax-operator", 2..3, "write `**`"),
        ("a × 2", "syntax-operator", 2..4, "write `*`"),
        ("a == not b", "syntax-not", 5..8, "put it in parentheses: `a == (not b)`"),
        ("f(x=1)", "syntax-unexpected", 3..4, "arguments have no names here: write them in order"),
        ("a if b", "syntax-unexpected", 5..6, "a conditional is written `a if condition else b`"),
        ("1 + if a: b else: c", "syntax-unexpected", 4..6, "put it in parentheses: `1 + (if c: a else: b)`"),
        ("v > $", "syntax-character", 4..5, ""),
        ("", "syntax-empty", 0..0, ""),
    ] {
        let mut sources = SourceMap::new();
        let file = sources.add("m", text);
        let (_, diagnostics) = parse_expression(&Text::new(text, Span::new(file, 0..text.len())));
        assert_eq!(diagnostics.len(), 1, "{text}: {diagnostics:?}");
        for found in &diagnostics {
            assert_eq!((found.code, found.span.range()), (code, place.clone()), "{text}");
            assert_eq!(found.help.join(" "), help, "{text}");
        }
    }
}

#[test]
fn evident_mistakes_are_read_as_they_were_meant() {
    for (text, meant) in [("20 ms", "20 * ms"), ("a^2 & b|c", "a**2 and b or c"), ("2(a + b)", "2 * (a + b)")]
    {
        assert_eq!(parse_expression(&text.into()).0.to_string(), meant);
    }
}

#[test]
fn spans_are_those_of_the_text() {
    let text = "exp(v) + (a*b)";
    let mut sources = SourceMap::new();
    let file = sources.add("m", format!("x = {text}"));
    let (expr, _) = parse_expression(&Text::new(text, Span::new(file, 4..18)));
    let mut places = Vec::new();
    expr.walk(&mut |e| places.push(e.span.range()));
    assert_eq!(places, [4..18, 4..10, 8..9, 14..17, 14..15, 16..17]);
    let mut names = Vec::new();
    expr.visit_names(&mut |name, _| names.push(name));
    assert_eq!(names, ["v", "a", "b"]);
}

#[test]
fn huge_and_deep_texts_give_a_diagnostic_and_a_small_tree() {
    let texts = [
        "(".repeat(10_000),
        format!("{}a{}", "(".repeat(300), ")".repeat(300)),
        "-".repeat(10_000) + "a",
        "a**".repeat(5_000) + "a",
        "a + ".repeat(5_000) + "a",
        "a < ".repeat(5_000) + "a",
        "f(".repeat(10_000),
        "if ".repeat(10_000),
        "a ? ".repeat(10_000),
        "a if b else ".repeat(5_000) + "c",
        "if a: b else: ".repeat(3_000) + "c",
        "not (a or a and a < a + a * -a ** (".repeat(500),
        // Every level copies the one below it.
        format!("{}a{}", "a < (".repeat(100), ") < a".repeat(100)),
    ];
    for text in texts {
        let short = &text[..20.min(text.len())];
        // A quarter of what a thread gets on most systems.
        let source = Text::from(text.as_str());
        let parse = move || {
            let (expr, diagnostics) = parse_expression(&source);
            let _ = (parse_block(&source), parse_equations(&source));
            let mut nodes = 0;
            expr.walk(&mut |_| nodes += 1);
            (nodes, height(&expr), diagnostics.len(), expr.to_string().len())
        };
        let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(parse).unwrap();
        let (nodes, height, said, _) = thread.join().unwrap();
        assert!(nodes <= MAX_NODES && height <= MAX_HEIGHT, "{short}: {nodes} nodes, {height} levels");
        assert!(said > 0 || short.starts_with("(((("), "{short}");
    }
}

fn height(expr: &Expr) -> usize {
    1 + expr.children().into_iter().map(height).max().unwrap_or(0)
}

#[test]
fn the_operator_of_an_assignment_is_that_between_values() {
    for op in ASSIGN {
        let symbol = op.binary().map_or(String::new(), |b| b.symbol().to_owned());
        assert_eq!(op.symbol(), format!("{symbol}="));
    }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("dx".to_owned()),
        Just("dt".to_owned()),
        "[a-zα-ω_][a-z0-9_]{0,4}(\\.[a-z]{1,3})?".prop_filter("keywords are no names", |n| {
            !["and", "or", "not", "if", "else", "true", "false"].contains(&n.as_str())
        }),
    ]
}

fn expr(leaf: impl Strategy<Value = ExprKind> + 'static) -> impl Strategy<Value = Expr> {
    let make = |kind| Expr::new(kind, Span::NONE);
    leaf.prop_map(make).prop_recursive(6, 40, 3, move |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            (prop::sample::select(UNARY), boxed.clone()).prop_map(|(op, a)| ExprKind::Unary(op, a)),
            (prop::sample::select(BINARY), boxed.clone(), boxed.clone())
                .prop_map(|(op, a, b)| ExprKind::Binary(op, a, b)),
            (prop::sample::select(BINARY), boxed.clone(), boxed.clone())
                .prop_map(|(op, a, b)| ExprKind::Binary(op, a, b)),
            (name(), prop::collection::vec(inner, 0..3))
                .prop_map(|(function, args)| ExprKind::Call { function, args }),
            (boxed.clone(), boxed.clone(), boxed).prop_map(|(condition, then, otherwise)| {
                ExprKind::Conditional { condition, then, otherwise }
            }),
        ]
        .prop_map(make)
    })
}

fn leaf() -> impl Strategy<Value = ExprKind> + Clone {
    prop_oneof![
        (0..=i64::MAX).prop_map(ExprKind::Integer),
        (0_i64..5).prop_map(ExprKind::Integer),
        any::<f64>().prop_filter_map("infinite", |x| x.is_finite().then(|| ExprKind::Real(x.abs()))),
        any::<bool>().prop_map(ExprKind::Boolean),
        name().prop_map(ExprKind::Name),
        name().prop_map(ExprKind::Name),
    ]
}

/// `not` where Python has none (`a == not b`) prints with parentheses, so nothing else is excluded.
fn any_expr() -> impl Strategy<Value = Expr> {
    expr(leaf())
}

fn plain_name() -> impl Strategy<Value = Spanned<String>> {
    name().prop_map(|n| Spanned::new(n.replace('.', "_"), Span::NONE))
}

fn equation() -> impl Strategy<Value = Equation> {
    let derived = prop_oneof![Just(ExprKind::Derivative("x".to_owned())), leaf()];
    let plain = prop_oneof![
        any_expr().prop_map(EquationKind::Differential),
        any_expr().prop_map(EquationKind::Subexpression),
        Just(EquationKind::Parameter),
    ];
    let flags = prop::collection::vec(
        prop::sample::select(vec!["unless refractory", "event-driven", "shared", "new one"])
            .prop_map(|name| Flag { name: name.to_owned(), span: Span::NONE }),
        0..3,
    );
    let unit =
        prop::sample::select(vec!["1", "volt", "siemens * meter**-2", "boolean", "1 / (volt * second)"])
            .prop_map(|unit| Some(good(unit)));
    let kind = prop_oneof![
        (plain_name(), plain).prop_map(|(name, kind)| (name, kind)),
        (expr(derived.clone()), expr(derived)).prop_map(|(lhs, rhs)| {
            // The left side holds the derivative, so that it is no name.
            let dx = Expr::new(ExprKind::Derivative("x".to_owned()), Span::NONE);
            let lhs = Expr::new(ExprKind::Binary(BinaryOp::Sub, Box::new(dx), Box::new(lhs)), Span::NONE);
            (Spanned::new("x".to_owned(), Span::NONE), EquationKind::Implicit { lhs, rhs })
        }),
    ];
    (kind, unit, flags).prop_map(|((name, kind), unit, flags)| Equation {
        name,
        kind,
        unit,
        flags,
        span: Span::NONE,
    })
}

fn statement() -> impl Strategy<Value = Stmt> {
    (name(), prop::sample::select(ASSIGN), any_expr()).prop_map(|(target, op, value)| Stmt {
        target: Spanned::new(target, Span::NONE),
        op,
        value,
        span: Span::NONE,
    })
}

/// Text that is nearly right, so that all parts of the parsers are reached.
fn nearly_text() -> impl Strategy<Value = String> {
    let words = vec![
        "v",
        "dv",
        "/",
        "dt",
        "=",
        "+=",
        ":",
        "(",
        ")",
        "if",
        "else",
        "?",
        "not",
        "!",
        "-",
        "+",
        "**",
        "<",
        "==",
        "and",
        "1",
        "1.5",
        "2e",
        "5mV",
        ",",
        ";",
        "\n",
        "\n   ",
        "\\\n",
        "#",
        "^",
        "µ",
        "²",
        "$",
        "volt",
        "unless refractory",
        "event-driven",
        "init",
        "pre.v",
        ".",
        "a.b.c",
        "\r",
        "'",
        "≤",
    ];
    let spaced = (prop::sample::select(words), prop_oneof![Just(""), Just(" ")]);
    prop::collection::vec(spaced, 0..40)
        .prop_map(|list| list.into_iter().flat_map(|(word, space)| [word, space]).collect())
}

/// Parses `text` as everything, and checks that every place is inside it.
fn parse_all(text: &str) {
    let mut sources = SourceMap::new();
    let file = sources.add("m", text);
    let source = Text::new(text, Span::new(file, 0..text.len()));
    let (expr, a) = parse_expression(&source);
    let (block, b) = parse_block(&source);
    let (equations, c) = parse_equations(&source);
    let _ = (expr.to_string(), block.to_string(), equations.to_string());
    assert!(a.has_errors() || !expr.has_error(), "an error without a diagnostic");
    let block_error = block.statements.iter().any(|s| s.value.has_error());
    assert!(b.has_errors() || !block_error, "an error without a diagnostic");
    let no_unit = equations.list.iter().any(|e| e.unit.is_none());
    assert!(c.has_errors() || !no_unit, "a missing unit without a diagnostic");
    for diagnostic in a.iter().chain(&b).chain(&c) {
        let range = diagnostic.span.range();
        assert!(text.get(range.clone()).is_some(), "{range:?} of {text:?}: {diagnostic:?}");
        assert!(diagnostic.render(&sources).contains("m:"));
    }
}

/// Whether parsing the printed text gives the same tree, if the first parse found no mistake.
fn reprints(text: &str) {
    let source = Text::from(text);
    let (expr, said) = parse_expression(&source);
    if said.is_empty() {
        assert_eq!(parse_expression(&expr.to_string().into()), (expr, said), "{text:?}");
    }
    let (block, said) = parse_block(&source);
    if said.is_empty() {
        assert_eq!(parse_block(&block.to_string().into()), (block, said), "{text:?}");
    }
    let (equations, said) = parse_equations(&source);
    if said.is_empty() {
        assert_eq!(parse_equations(&equations.to_string().into()), (equations, said), "{text:?}");
    }
}

proptest! {
    #[test]
    fn parsing_a_printed_expression_gives_it_back(expr in any_expr()) {
        let text = expr.to_string();
        let (parsed, diagnostics) = parse_expression(&text.clone().into());
        prop_assert!(diagnostics.is_empty(), "{}: {:?}", text, diagnostics);
        prop_assert_eq!(&parsed, &expr, "{}", text);
        prop_assert_eq!(parsed.to_string(), text);
    }

    #[test]
    fn parsing_a_printed_block_gives_it_back(statements in prop::collection::vec(statement(), 0..4)) {
        let block = Block { statements };
        let (parsed, diagnostics) = parse_block(&block.to_string().into());
        prop_assert!(diagnostics.is_empty(), "{}: {:?}", block, diagnostics);
        prop_assert_eq!(parsed, block);
    }

    #[test]
    fn parsing_printed_equations_gives_them_back(list in prop::collection::vec(equation(), 0..4)) {
        let equations = Equations { list };
        let (parsed, diagnostics) = parse_equations(&equations.to_string().into());
        prop_assert!(diagnostics.is_empty(), "{}: {:?}", equations, diagnostics);
        prop_assert_eq!(parsed, equations);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        parse_all(&text);
    }

    #[test]
    fn no_nearly_right_text_panics(text in nearly_text()) {
        parse_all(&text);
        reprints(&text);
    }
}
