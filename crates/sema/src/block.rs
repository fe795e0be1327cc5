//! Statements: blocks of code become typed blocks.

use neuropil_base::{Diagnostic, ScalarType, Span, nearest};
use neuropil_model::{AssignOp, Block, Expr, Statement, VarRef};
use neuropil_syntax::{AssignOp as AstOp, Block as AstBlock, Expr as Ast, ExprKind as AstKind, Stmt};
use neuropil_units::Dimension;

use crate::code;
use crate::dim::{Dim, advice};
use crate::scope::{Class, Found, GIVEN, Symbol, is_noise};
use crate::typing::{LocalName, Typed, Typer, in_unit};

impl Typer<'_> {
    /// A block of statements. New names on the left become locals of the block; each statement that
    /// sets one makes a new local, so a name may change its type and unit.
    pub(crate) fn block(&mut self, ast: &AstBlock) -> Block {
        let mut block = Block::new();
        for statement in &ast.statements {
            self.statement(statement, &mut block);
        }
        for local in std::mem::take(&mut self.locals) {
            self.report_unused(&local);
        }
        block
    }

    fn statement(&mut self, statement: &Stmt, block: &mut Block) {
        let name = statement.target.value.as_str();
        let span = statement.target.span;
        if self.locals.iter().any(|l| l.name == name) {
            return self.set_local(statement, block);
        }
        if is_noise(name) || (GIVEN.iter().any(|(n, _)| *n == name) && self.variable(name).is_none()) {
            let value = self.check(&statement.value);
            drop(value);
            self.refuse(span, format!("`{name}` cannot be set"), "it is given by the simulation");
            return;
        }
        match self.home.find(name, self.world) {
            Some(Found::Variable(reference, symbol)) => {
                let symbol = symbol.clone();
                self.assign(statement, reference, &symbol, block);
            }
            Some(Found::Constant(_)) => {
                self.check(&statement.value);
                self.refuse(
                    span,
                    format!("`{name}` is a constant of the model"),
                    &format!("to change it while running, make it a parameter: a line `{name} : 1` (or its unit) among the equations"),
                );
            }
            Some(Found::Unit(_)) => {
                self.check(&statement.value);
                self.refuse(span, format!("`{name}` is a unit"), "choose another name");
            }
            Some(Found::Given(..)) => {
                self.check(&statement.value);
                self.refuse(span, format!("`{name}` is a constant"), "choose another name");
            }
            Some(Found::Refused(message, help)) => {
                self.check(&statement.value);
                self.refuse(span, message, &help);
            }
            None => self.set_local(statement, block),
        }
    }

    /// The variable that `name` means, if it means one.
    fn variable(&self, name: &str) -> Option<VarRef> {
        match self.home.find(name, self.world) {
            Some(Found::Variable(reference, _)) => Some(reference),
            Some(Found::Given(..) | Found::Constant(_) | Found::Unit(_) | Found::Refused(..)) | None => None,
        }
    }

    fn refuse(&mut self, span: Span, message: String, help: &str) {
        self.out.push(Diagnostic::error(code::NOT_ASSIGNABLE, span, message).help(help));
    }

    /// A statement whose target is a local of the block, old or new.
    fn set_local(&mut self, statement: &Stmt, block: &mut Block) {
        let name = statement.target.value.as_str();
        let span = statement.target.span;
        let known = self.locals.iter().any(|l| l.name == name);
        if !known && (name.contains('.') || self.at_end(name)) {
            self.check(&statement.value);
            self.unknown_target(name, span);
            return;
        }
        let value = match statement.op.binary() {
            None => self.check(&statement.value),
            Some(_) if !self.locals.iter().any(|l| l.name == name) => {
                self.check(&statement.value);
                self.unknown_target(name, span);
                return;
            }
            Some(op) => {
                // `x += y` makes a new `x` of the old one and `y`.
                let old = Ast::new(AstKind::Name(name.to_owned()), span);
                let kind = AstKind::Binary(op, Box::new(old), Box::new(statement.value.clone()));
                self.check(&Ast::new(kind, statement.span))
            }
        };
        let Typed { expr, dim } = value;
        let ty = expr.ty;
        let local = block.local(name, ty);
        block.statements.push(Statement::Let { local, value: expr });
        let used = self.locals.iter().any(|l| l.name == name && l.used);
        self.locals.retain(|l| l.name != name);
        self.locals.push(LocalName { name: name.to_owned(), local, ty, dim, used, span });
    }

    fn unknown_target(&mut self, name: &str, span: Span) {
        if self.unknown_at_end(name, span) {
            return;
        }
        let mut d = Diagnostic::error(
            code::UNDEFINED_LOCAL,
            span,
            format!("`{name}` is changed here, but nothing gives it a value"),
        );
        let candidates = self.home.variables();
        if let Some(near) = nearest(name, candidates.iter().map(String::as_str)) {
            d = d.help(format!("did you mean `{near}`?"));
        }
        self.out.push(d);
    }

    fn report_unused(&mut self, local: &LocalName) {
        if local.used {
            return;
        }
        let candidates = self.home.variables();
        let near = nearest(&local.name, candidates.iter().map(String::as_str));
        let d = Diagnostic::warning(
            code::UNUSED_LOCAL,
            local.span,
            format!("`{}` is set, but nothing reads it", local.name),
        );
        self.out.push(match near {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d.help("no variable has this name: it lives only within this block"),
        });
    }

    fn assign(&mut self, statement: &Stmt, target: VarRef, symbol: &Symbol, block: &mut Block) {
        let (name, span) = (statement.target.value.as_str(), statement.target.span);
        let value = self.check(&statement.value);
        let reason = match symbol.class {
            Class::Writable => None,
            Class::Constant => Some((
                format!("`{name}` is flagged `constant`"),
                "take the flag `constant` from it, or set it with `initial`",
            )),
            Class::Subexpression => Some((
                format!("`{name}` is a name for an expression"),
                "set the variables that it is made of",
            )),
            Class::SumTarget | Class::PartSumTarget => Some((
                format!("`{name}` receives a weighted sum at every step"),
                "set another variable and add the two where they are used",
            )),
            Class::Given => Some((
                format!("`{name}` is given by the simulation"),
                "it follows from which neurons are connected",
            )),
        };
        if let Some((message, help)) = reason {
            self.out.push(
                Diagnostic::error(code::NOT_ASSIGNABLE, span, message)
                    .related(symbol.span, "defined here")
                    .help(help),
            );
            return;
        }
        let arith = self.world.arith;
        let (op, value) = match statement.op {
            AstOp::Set => (AssignOp::Set, self.fitting(name, symbol, value, statement.value.span)),
            AstOp::Add => (AssignOp::Add, self.fitting(name, symbol, value, statement.value.span)),
            AstOp::Sub => {
                let negative = Typed { expr: arith.neg(value.expr), dim: value.dim };
                (AssignOp::Add, self.fitting(name, symbol, negative, statement.value.span))
            }
            AstOp::Mul => (AssignOp::Mul, self.factor(name, symbol, value, &statement.value)),
            AstOp::Div => {
                let value = if symbol.ty.is_integer() {
                    Typed { expr: arith.to_float(value.expr), dim: value.dim }
                } else {
                    value
                };
                (AssignOp::Div, self.factor(name, symbol, value, &statement.value))
            }
            AstOp::FloorDiv | AstOp::Mod | AstOp::Pow => {
                let Some(op) = statement.op.binary() else { return };
                let old = Ast::new(AstKind::Name(name.to_owned()), span);
                let kind = AstKind::Binary(op, Box::new(old), Box::new(statement.value.clone()));
                let whole = Ast::new(kind, statement.span);
                let value = self.check(&whole);
                (AssignOp::Set, self.fitting(name, symbol, value, whole.span))
            }
        };
        let Some(value) = value else { return };
        if symbol.ty == ScalarType::Bool && op != AssignOp::Set {
            self.out.push(
                Diagnostic::error(
                    code::TYPE,
                    statement.span,
                    format!("`{name}` is a truth value, which `{}` cannot change", statement.op.symbol()),
                )
                .help(format!("write `{name} = ...`")),
            );
            return;
        }
        block.statements.push(Statement::Assign { target, op, value, span: statement.span });
    }

    /// `value` as something that a variable can be set to; `None` if it cannot, which has been said.
    pub(crate) fn fitting(&mut self, name: &str, symbol: &Symbol, value: Typed, span: Span) -> Option<Expr> {
        if let (Dim::Known(expected), Err(found)) = (symbol.dim, fits(value.dim, symbol.dim)) {
            self.out.push(
                Diagnostic::error(
                    code::UNITS,
                    span,
                    format!("`{name}` is in `{expected}`, the value in `{found}`"),
                )
                .label(in_unit(found).trim_start())
                .related(symbol.span, in_unit(expected).trim_start())
                .help(advice(expected, found)),
            );
            return None;
        }
        self.of_type(name, symbol.ty, value, span)
    }

    /// A factor of a variable.
    fn factor(&mut self, name: &str, symbol: &Symbol, value: Typed, ast: &Ast) -> Option<Expr> {
        if !self.expect(&value, ast.span, Dimension::NONE, &format!("a factor of `{name}`")) {
            return None;
        }
        self.of_type(name, symbol.ty, value, ast.span)
    }

    /// `value` as type `ty` for the variable `name`; `None` if information would be lost, which is said.
    pub(crate) fn of_type(&mut self, name: &str, ty: ScalarType, value: Typed, span: Span) -> Option<Expr> {
        if value.dim == Dim::Unknown {
            return None;
        }
        let from = value.expr.ty;
        let problem = if ty == ScalarType::Bool && from != ScalarType::Bool {
            Some((format!("`{name}` is a truth value, not a number"), "write a condition, `True` or `False`"))
        } else if ty.is_integer() && from.is_float() {
            Some((
                format!("`{name}` is an integer, the value is real"),
                "round with `int(...)`, or divide with `//`",
            ))
        } else {
            None
        };
        if let Some((message, help)) = problem {
            let label = if from.is_float() { "a real number" } else { "an integer" };
            self.out.push(Diagnostic::error(code::TYPE, span, message).label(label).help(help));
            return None;
        }
        Some(self.world.arith.convert(value.expr, ty))
    }
}

/// Whether a value fits a variable; the value's dimension if it does not.
fn fits(value: Dim, variable: Dim) -> Result<(), Dimension> {
    match variable {
        Dim::Known(expected) => value.fits(expected),
        Dim::Free | Dim::Unknown => Ok(()),
    }
}
