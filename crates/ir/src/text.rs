//! The text form of kernels, both ways.
//!
//! ```text
//! kernel "cells.update" over elements {
//!   slot v: f64
//!   slot ge: f64
//!   %0 = load v[own] : f64
//!   %1 = const f64 0.0001
//!   %2 = mul %0, %1 : f64
//!   store v[own], %2
//!   accumulate add ge[own], %2
//! }
//! ```
//!
//! One instruction per line; what gives a value says its type, at the end of the line or, for a constant,
//! before the number. A place is `slot[own]`, `slot[pre]`, `slot[post]`, `slot[scalar]` or `slot[%3]`. The
//! printer numbers values by their position in the kernel; the parser takes any word after `%`, defined once.
//! A comment runs from `//` to the end of the line. Names that are not words stand in quotes. Floats are
//! printed with as many digits as it takes to read back the same bits, NaN as its bits: `0x7ff8000000000000`.

use std::collections::BTreeMap;
use std::fmt;

use neuropil_base::{Scalar, ScalarType};
use neuropil_math::{BinaryOp, CompareOp, Function, UnaryOp};

use crate::{Accumulation, At, Domain, Inst, Kernel, Op, Sampler, Side, Slot, SlotId, ValueId};

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "kernel {} over {} {{", Quoted(&self.name), name_of(&DOMAINS, self.domain))?;
        for slot in &self.slots {
            writeln!(f, "  slot {}: {}", Name(&slot.name), slot.ty)?;
        }
        for (i, inst) in self.insts.iter().enumerate() {
            f.write_str("  ")?;
            if !inst.op.is_effect() {
                write!(f, "%{i} = ")?;
            }
            self.print(f, &inst.op)?;
            match (inst.ty, &inst.op) {
                (Some(_), Op::Constant(_)) | (None, _) => writeln!(f)?,
                (Some(ty), _) => writeln!(f, " : {ty}")?,
            }
        }
        writeln!(f, "}}")
    }
}

impl Kernel {
    fn print(&self, f: &mut fmt::Formatter<'_>, op: &Op) -> fmt::Result {
        match op {
            Op::Constant(c) => write!(f, "const {} {}", c.ty(), Literal(*c)),
            Op::Step => f.write_str("step"),
            Op::Index(side) => write!(f, "index {}", name_of(&SIDES, *side)),
            Op::Load { slot, at } => write!(f, "load {}", self.place(*slot, *at)),
            Op::Unary(op, a) => write!(f, "{} {}", name_of(&UNARY, *op), V(*a)),
            Op::Binary(op, a, b) => write!(f, "{} {}, {}", name_of(&BINARY, *op), V(*a), V(*b)),
            Op::Compare(op, a, b) => write!(f, "{} {}, {}", name_of(&COMPARE, *op), V(*a), V(*b)),
            Op::Fma(a, b, c) => write!(f, "fma {}, {}, {}", V(*a), V(*b), V(*c)),
            Op::Select(c, a, b) => write!(f, "select {}, {}, {}", V(*c), V(*a), V(*b)),
            Op::Convert(a) => write!(f, "convert {}", V(*a)),
            Op::Bitcast(a) => write!(f, "bitcast {}", V(*a)),
            Op::Call(function, args) => {
                write!(f, "call {}", function.name())?;
                args.iter()
                    .enumerate()
                    .try_for_each(|(i, a)| write!(f, "{}{}", if i == 0 { " " } else { ", " }, V(*a)))
            }
            Op::Word { site, draw, side } => {
                write!(f, "word site {site} draw {draw} {}", name_of(&SIDES, *side))
            }
            Op::Sample { sampler, site, side, args } => {
                write!(f, "sample {} site {site} {}", name_of(&SAMPLERS, *sampler), name_of(&SIDES, *side))?;
                args.iter().try_for_each(|a| write!(f, ", {}", V(*a)))
            }
            Op::Store { slot, at, value } => write!(f, "store {}, {}", self.place(*slot, *at), V(*value)),
            Op::Accumulate { slot, at, with, value } => {
                let with = name_of(&ACCUMULATIONS, *with);
                write!(f, "accumulate {with} {}, {}", self.place(*slot, *at), V(*value))
            }
            Op::Emit(condition) => write!(f, "emit {}", V(*condition)),
        }
    }

    fn place(&self, slot: SlotId, at: At) -> Place<'_> {
        // A slot that does not exist has an empty name, which the parser refuses.
        Place { name: self.slots.get(slot.index()).map_or("", |s| &s.name), at }
    }
}

/// A value as an operand.
struct V(ValueId);

impl fmt::Display for V {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0.index())
    }
}

struct Place<'a> {
    name: &'a str,
    at: At,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[", Name(self.name))?;
        match self.at {
            At::Side(side) => f.write_str(name_of(&SIDES, side))?,
            At::Scalar => f.write_str("scalar")?,
            At::Value(v) => write!(f, "{}", V(v))?,
        }
        f.write_str("]")
    }
}

struct Literal(Scalar);

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nan = match self.0 {
            Scalar::F32(x) => x.is_nan(),
            Scalar::F64(x) => x.is_nan(),
            Scalar::Bool(_) | Scalar::I32(_) | Scalar::I64(_) => false,
        };
        if nan { write!(f, "{:#x}", self.0.bits()) } else { write!(f, "{}", self.0) }
    }
}

/// A name, in quotes unless it is a word.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let starts = self.0.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if starts && self.0.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.') {
            f.write_str(self.0)
        } else {
            write!(f, "{}", Quoted(self.0))
        }
    }
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                c if c.is_control() => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

const DOMAINS: [(&str, Domain); 3] =
    [("elements", Domain::Elements), ("synapses", Domain::Synapses), ("pairs", Domain::Pairs)];
const SIDES: [(&str, Side); 3] = [("own", Side::Own), ("pre", Side::Pre), ("post", Side::Post)];
const ACCUMULATIONS: [(&str, Accumulation); 3] =
    [("add", Accumulation::Add), ("min", Accumulation::Min), ("max", Accumulation::Max)];
const SAMPLERS: [(&str, Sampler); 2] = [("poisson", Sampler::Poisson), ("binomial", Sampler::Binomial)];
const UNARY: [(&str, UnaryOp); 7] = [
    ("neg", UnaryOp::Neg),
    ("abs", UnaryOp::Abs),
    ("sqrt", UnaryOp::Sqrt),
    ("floor", UnaryOp::Floor),
    ("ceil", UnaryOp::Ceil),
    ("trunc", UnaryOp::Trunc),
    ("not", UnaryOp::Not),
];
const BINARY: [(&str, BinaryOp); 13] = [
    ("add", BinaryOp::Add),
    ("sub", BinaryOp::Sub),
    ("mul", BinaryOp::Mul),
    ("div", BinaryOp::Div),
    ("rem", BinaryOp::Rem),
    ("min", BinaryOp::Min),
    ("max", BinaryOp::Max),
    ("and", BinaryOp::And),
    ("or", BinaryOp::Or),
    ("xor", BinaryOp::Xor),
    ("shl", BinaryOp::Shl),
    ("shr", BinaryOp::Shr),
    ("sar", BinaryOp::Sar),
];
const COMPARE: [(&str, CompareOp); 6] = [
    ("eq", CompareOp::Eq),
    ("ne", CompareOp::Ne),
    ("lt", CompareOp::Lt),
    ("le", CompareOp::Le),
    ("gt", CompareOp::Gt),
    ("ge", CompareOp::Ge),
];

fn name_of<T: Copy + PartialEq>(table: &[(&'static str, T)], thing: T) -> &'static str {
    table.iter().find(|(_, t)| *t == thing).map_or("", |(name, _)| name)
}

fn named<T: Copy>(table: &[(&'static str, T)], name: &str) -> Option<T> {
    table.iter().find(|(n, _)| *n == name).map(|(_, t)| *t)
}

/// Why a text is not a kernel.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// The kernel that a text says; whether it is a valid one is for [`verify`](crate::verify) to say.
///
/// ```
/// let text = "kernel \"decay\" over elements {
///   slot v: f64
///   %0 = load v[own] : f64
///   %1 = const f64 0.99
///   %2 = mul %0, %1 : f64
///   store v[own], %2
/// }
/// ";
/// let kernel = neuropil_ir::parse(text)?;
/// assert_eq!(kernel.to_string(), text);
/// # Ok::<(), neuropil_ir::ParseError>(())
/// ```
///
/// # Errors
/// The first line that does not follow the form above.
pub fn parse(text: &str) -> Result<Kernel, ParseError> {
    let mut reader = Reader { kernel: None, closed: false, values: BTreeMap::new() };
    let mut last = 0;
    for (i, line) in text.lines().enumerate() {
        last = i + 1;
        tokens(line)
            .and_then(|tokens| if tokens.is_empty() { Ok(()) } else { reader.line(&tokens) })
            .map_err(|message| ParseError { line: last, message })?;
    }
    match reader.kernel {
        Some(kernel) if reader.closed => Ok(kernel),
        Some(_) => Err(ParseError { line: last, message: "the kernel is not closed by `}`".to_owned() }),
        None => Err(ParseError { line: last.max(1), message: "there is no kernel".to_owned() }),
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token {
    /// Letters, digits and `_ . + -`.
    Word(String),
    /// A text in quotes.
    Text(String),
    /// One of `% [ ] , : = { }`.
    Sign(char),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Text(text) => write!(f, "{}", Quoted(text)),
            Self::Sign(sign) => write!(f, "{sign}"),
        }
    }
}

fn tokens(line: &str) -> Result<Vec<Token>, String> {
    let mut list = Vec::new();
    let mut rest = line.chars().peekable();
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_.+-".contains(c);
    while let Some(c) = rest.next() {
        match c {
            c if c.is_whitespace() => {}
            '/' if rest.peek() == Some(&'/') => break,
            '"' => list.push(Token::Text(quoted(&mut rest)?)),
            '%' | '[' | ']' | ',' | ':' | '=' | '{' | '}' => list.push(Token::Sign(c)),
            c if is_word(c) => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| is_word(*c)) {
                    word.push(c);
                }
                list.push(Token::Word(word));
            }
            c => return Err(format!("`{c}` has no meaning here")),
        }
    }
    Ok(list)
}

/// The text up to the closing quote.
fn quoted(rest: &mut impl Iterator<Item = char>) -> Result<String, String> {
    let open = || "the text in quotes does not end".to_owned();
    let mut text = String::new();
    loop {
        match rest.next().ok_or_else(open)? {
            '"' => return Ok(text),
            '\\' => match rest.next().ok_or_else(open)? {
                c @ ('"' | '\\') => text.push(c),
                'u' => {
                    let digits: String =
                        rest.by_ref().skip_while(|c| *c == '{').take_while(|c| *c != '}').collect();
                    let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                    text.push(code.ok_or_else(|| format!("`\\u{{{digits}}}` is no character"))?);
                }
                c => return Err(format!("`\\{c}` is no escape; write `\\\\`, `\\\"` or `\\u{{a}}`")),
            },
            c => text.push(c),
        }
    }
}

struct Reader {
    kernel: Option<Kernel>,
    closed: bool,
    values: BTreeMap<String, ValueId>,
}

/// What is left of a line.
struct Cursor<'a> {
    tokens: &'a [Token],
}

impl<'a> Cursor<'a> {
    fn next(&mut self, wanted: &str) -> Result<&'a Token, String> {
        let (first, rest) =
            self.tokens.split_first().ok_or_else(|| format!("the line ends where {wanted} is wanted"))?;
        self.tokens = rest;
        Ok(first)
    }

    fn sign(&mut self, sign: char) -> Result<(), String> {
        match self.next(&format!("`{sign}`"))? {
            Token::Sign(s) if *s == sign => Ok(()),
            other => Err(format!("`{other}` stands where `{sign}` is wanted")),
        }
    }

    fn word(&mut self, wanted: &str) -> Result<&'a str, String> {
        match self.next(wanted)? {
            Token::Word(word) => Ok(word),
            other => Err(format!("`{other}` stands where {wanted} is wanted")),
        }
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), String> {
        let word = self.word(&format!("`{keyword}`"))?;
        if word == keyword { Ok(()) } else { Err(format!("`{word}` stands where `{keyword}` is wanted")) }
    }

    fn one_of<T: Copy>(&mut self, table: &[(&'static str, T)], wanted: &str) -> Result<T, String> {
        let word = self.word(wanted)?;
        named(table, word).ok_or_else(|| {
            let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
            format!("`{word}` is not {wanted}; there are `{}`", names.join("`, `"))
        })
    }

    fn name(&mut self) -> Result<&'a str, String> {
        match self.next("a name")? {
            Token::Word(name) | Token::Text(name) => Ok(name),
            other @ Token::Sign(_) => Err(format!("`{other}` stands where a name is wanted")),
        }
    }

    fn number(&mut self, keyword: &str) -> Result<u32, String> {
        self.keyword(keyword)?;
        let word = self.word("a number")?;
        word.parse().map_err(|_| format!("`{word}` is not a number below 2^32"))
    }

    fn ty(&mut self) -> Result<ScalarType, String> {
        let word = self.word("a type")?;
        ScalarType::from_name(word)
            .ok_or_else(|| format!("`{word}` is not a type; there are `bool`, `i32`, `i64`, `f32`, `f64`"))
    }

    fn end(&self) -> Result<(), String> {
        match self.tokens.first() {
            Some(token) => Err(format!("`{token}` stands where the line should end")),
            None => Ok(()),
        }
    }
}

impl Reader {
    fn line(&mut self, tokens: &[Token]) -> Result<(), String> {
        let mut at = Cursor { tokens };
        if self.closed {
            return Err("nothing may follow the kernel".to_owned());
        }
        if self.kernel.is_none() {
            at.keyword("kernel")?;
            let name = at.name()?.to_owned();
            at.keyword("over")?;
            let domain = at.one_of(&DOMAINS, "a domain")?;
            at.sign('{')?;
            self.kernel = Some(Kernel { name, domain, slots: Vec::new(), insts: Vec::new() });
            return at.end();
        }
        if at.tokens == [Token::Sign('}')] {
            self.closed = true;
            return Ok(());
        }
        if at.tokens.first() == Some(&Token::Sign('%')) {
            at.sign('%')?;
            let label = at.word("the name of a value")?.to_owned();
            at.sign('=')?;
            let op = self.value_op(&mut at)?;
            let ty = match &op {
                Op::Constant(c) => c.ty(),
                _ => {
                    at.sign(':')?;
                    at.ty()?
                }
            };
            let id = self.push(Inst { op, ty: Some(ty) })?;
            if self.values.insert(label.clone(), id).is_some() {
                return Err(format!("`%{label}` is defined twice"));
            }
            return at.end();
        }
        let word = at.word("an instruction")?;
        if word == "slot" {
            let name = at.name()?.to_owned();
            at.sign(':')?;
            let ty = at.ty()?;
            self.add_slot(Slot { name, ty })?;
        } else {
            let op = self.effect(word, &mut at)?;
            self.push(Inst { op, ty: None })?;
        }
        at.end()
    }

    fn add_slot(&mut self, slot: Slot) -> Result<(), String> {
        let Some(kernel) = &mut self.kernel else { return Ok(()) };
        if kernel.slots.iter().any(|s| s.name == slot.name) {
            return Err(format!("there are two slots `{}`", slot.name));
        }
        if !kernel.insts.is_empty() {
            return Err(format!("slot `{}` stands after an instruction; slots come first", slot.name));
        }
        kernel.slots.push(slot);
        Ok(())
    }

    fn push(&mut self, inst: Inst) -> Result<ValueId, String> {
        let Some(kernel) = &mut self.kernel else { return Err("there is no kernel".to_owned()) };
        kernel.insts.push(inst);
        Ok(ValueId::new(kernel.insts.len() - 1))
    }

    fn value_op(&self, at: &mut Cursor<'_>) -> Result<Op, String> {
        let word = at.word("an operation")?;
        if let Some(op) = named(&UNARY, word) {
            return Ok(Op::Unary(op, self.value(at)?));
        }
        if let Some(op) = named(&BINARY, word) {
            let [a, b] = self.values(at)?;
            return Ok(Op::Binary(op, a, b));
        }
        if let Some(op) = named(&COMPARE, word) {
            let [a, b] = self.values(at)?;
            return Ok(Op::Compare(op, a, b));
        }
        Ok(match word {
            "const" => {
                let ty = at.ty()?;
                let text = at.word("a number")?;
                Op::Constant(
                    literal(ty, text).ok_or_else(|| format!("`{text}` is not a constant of type `{ty}`"))?,
                )
            }
            "step" => Op::Step,
            "index" => Op::Index(at.one_of(&SIDES, "a side")?),
            "load" => {
                let (slot, at) = self.place(at)?;
                Op::Load { slot, at }
            }
            "fma" => {
                let [a, b, c] = self.values(at)?;
                Op::Fma(a, b, c)
            }
            "select" => {
                let [c, a, b] = self.values(at)?;
                Op::Select(c, a, b)
            }
            "convert" => Op::Convert(self.value(at)?),
            "bitcast" => Op::Bitcast(self.value(at)?),
            "call" => {
                let name = at.word("a function")?;
                let function =
                    Function::from_name(name).ok_or_else(|| format!("there is no function `{name}`"))?;
                let mut args = Vec::new();
                if at.tokens.first() == Some(&Token::Sign('%')) {
                    args.push(self.value(at)?);
                    args.append(&mut self.more(at)?);
                }
                Op::Call(function, args)
            }
            "word" => Op::Word {
                site: at.number("site")?,
                draw: at.number("draw")?,
                side: at.one_of(&SIDES, "a side")?,
            },
            "sample" => Op::Sample {
                sampler: at.one_of(&SAMPLERS, "a distribution")?,
                site: at.number("site")?,
                side: at.one_of(&SIDES, "a side")?,
                args: self.more(at)?,
            },
            "store" | "accumulate" | "emit" => {
                return Err(format!("`{word}` gives no value; leave out what stands before it"));
            }
            _ => return Err(format!("there is no operation `{word}`")),
        })
    }

    fn effect(&self, word: &str, at: &mut Cursor<'_>) -> Result<Op, String> {
        match word {
            "store" => {
                let (slot, place) = self.place(at)?;
                at.sign(',')?;
                Ok(Op::Store { slot, at: place, value: self.value(at)? })
            }
            "accumulate" => {
                let with = at.one_of(&ACCUMULATIONS, "a way to combine")?;
                let (slot, place) = self.place(at)?;
                at.sign(',')?;
                Ok(Op::Accumulate { slot, at: place, with, value: self.value(at)? })
            }
            "emit" => Ok(Op::Emit(self.value(at)?)),
            _ => Err(format!(
                "`{word}` is not `slot`, `store`, `accumulate` or `emit`; a value starts with `%name =`"
            )),
        }
    }

    fn place(&self, at: &mut Cursor<'_>) -> Result<(SlotId, At), String> {
        let name = at.name()?;
        let slots = self.kernel.as_ref().map_or(&[][..], |k| &k.slots);
        let slot = slots.iter().position(|s| s.name == name);
        let slot = SlotId::new(slot.ok_or_else(|| format!("there is no slot `{name}`"))?);
        at.sign('[')?;
        let place = match at.tokens.first() {
            Some(Token::Sign('%')) => At::Value(self.value(at)?),
            _ => match at.word("a place")? {
                "scalar" => At::Scalar,
                side => At::Side(named(&SIDES, side).ok_or_else(|| {
                    format!("`{side}` is not a place; there are `own`, `pre`, `post`, `scalar` and values")
                })?),
            },
        };
        at.sign(']')?;
        Ok((slot, place))
    }

    fn value(&self, at: &mut Cursor<'_>) -> Result<ValueId, String> {
        at.sign('%')?;
        let label = at.word("the name of a value")?;
        self.values.get(label).copied().ok_or_else(|| format!("`%{label}` is not defined above"))
    }

    fn values<const N: usize>(&self, at: &mut Cursor<'_>) -> Result<[ValueId; N], String> {
        let mut list = [ValueId::new(0); N];
        for (i, value) in list.iter_mut().enumerate() {
            if i > 0 {
                at.sign(',')?;
            }
            *value = self.value(at)?;
        }
        Ok(list)
    }

    /// `, %a, %b` up to what is not a comma.
    fn more(&self, at: &mut Cursor<'_>) -> Result<Vec<ValueId>, String> {
        let mut list = Vec::new();
        while at.tokens.first() == Some(&Token::Sign(',')) {
            at.sign(',')?;
            list.push(self.value(at)?);
        }
        Ok(list)
    }
}

fn literal(ty: ScalarType, text: &str) -> Option<Scalar> {
    let bits = text.strip_prefix("0x").map(|digits| u64::from_str_radix(digits, 16));
    match (ty, bits) {
        (ScalarType::F32, Some(bits)) => {
            u32::try_from(bits.ok()?).ok().map(|b| Scalar::F32(f32::from_bits(b)))
        }
        (ScalarType::F64, Some(bits)) => bits.ok().map(|b| Scalar::F64(f64::from_bits(b))),
        (ScalarType::Bool | ScalarType::I32 | ScalarType::I64, Some(_)) => None,
        (ScalarType::Bool, None) => text.parse().ok().map(Scalar::Bool),
        (ScalarType::I32, None) => text.parse().ok().map(Scalar::I32),
        (ScalarType::I64, None) => text.parse().ok().map(Scalar::I64),
        (ScalarType::F32, None) => text.parse().ok().map(Scalar::F32),
        (ScalarType::F64, None) => text.parse().ok().map(Scalar::F64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use proptest::prelude::*;

    const STDP: &str = "kernel \"syn.on_pre \\\"a\\\"\" over synapses {
  slot w: f32
  slot \"A pre\": f32
  slot ge: f32
  slot k: i64
  %0 = load w[own] : f32
  %1 = load \"A pre\"[pre] : f32
  %2 = const f32 -1e-5
  %3 = const f32 0x7fc00000
  %4 = fma %0, %1, %2 : f32
  %5 = load k[scalar] : i64
  %6 = load w[%5] : f32
  %7 = word site 3 draw 0 post : i32
  %8 = const f64 inf
  %9 = sample binomial site 4 own, %8, %8 : i32
  %10 = call exp %4 : f32
  store w[own], %10
  accumulate add ge[post], %10
  %13 = lt %4, %2 : bool
  emit %13
}
";

    #[test]
    fn what_is_printed_reads_as_it_was_written() {
        assert_eq!(parse(STDP).unwrap().to_string(), STDP);
    }

    #[test]
    fn labels_and_comments_are_free() {
        let text =
            "// a comment\n\nkernel k over elements { // another\n%x = step : i64\n%y = neg %x : i64\n}\n";
        let canonical = "kernel \"k\" over elements {\n  %0 = step : i64\n  %1 = neg %0 : i64\n}\n";
        assert_eq!(parse(text).unwrap().to_string(), canonical);
    }

    #[test]
    fn mistakes_name_their_line() {
        let inside = |line: &str| {
            let text = format!("kernel \"k\" over elements {{\n  slot v: f64\n  {line}\n}}\n");
            let error = parse(&text).unwrap_err();
            assert_eq!(error.line, 3, "{error}");
            error.message
        };
        assert_eq!(inside("store u[own], %0"), "there is no slot `u`");
        assert_eq!(
            inside("%0 = load v[here] : f64"),
            "`here` is not a place; there are `own`, `pre`, `post`, `scalar` and values"
        );
        assert_eq!(inside("%0 = add %1, %2 : f64"), "`%1` is not defined above");
        assert_eq!(inside("%0 = const i32 1.5"), "`1.5` is not a constant of type `i32`");
        assert_eq!(inside("%0 = load v[own]"), "the line ends where `:` is wanted");
        assert_eq!(inside("slot v: f64"), "there are two slots `v`");
        assert_eq!(inside("%0 = step : i64 i64"), "`i64` stands where the line should end");
        assert_eq!(inside("%0 = call frobnicate : f64"), "there is no function `frobnicate`");
        assert_eq!(inside("store v[own] ;"), "`;` has no meaning here");
        assert_eq!(inside("slot \"v"), "the text in quotes does not end");
        assert_eq!(parse("").unwrap_err().to_string(), "line 1: there is no kernel");
        assert_eq!(parse("kernel k over space {").unwrap_err().line, 1);
        assert_eq!(parse("kernel k over pairs {\n").unwrap_err().message, "the kernel is not closed by `}`");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn every_kernel_survives_printing_and_parsing(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let kernel = testing::kernel(&bytes);
            prop_assert_eq!(parse(&kernel.to_string()).unwrap(), kernel);
        }

        #[test]
        fn every_name_survives(name: String) {
            let kernel = Kernel {
                name: name.clone(),
                domain: Domain::Pairs,
                slots: vec![Slot { name, ty: ScalarType::Bool }],
                insts: Vec::new(),
            };
            prop_assert_eq!(parse(&kernel.to_string()).unwrap(), kernel);
        }

        #[test]
        fn any_text_is_answered(text in "[-kernel slotadd%0-9=:,\\[\\]{}\"\\\\\n]{0,80}") {
            let _ = parse(&text);
            let _ = parse(&format!("kernel k over synapses {{\nslot e: f64\n%0 = step : i64\n{text}\n}}"));
        }
    }
}
