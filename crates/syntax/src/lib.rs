//! Equation and statement text to syntax trees and back; knows no names and no units.
//!
//! The notation is Brian 2's, with ANNarchy's conditionals and implicit equations. Parsing never
//! fails and never panics: [`parse_expression`], [`parse_block`] and [`parse_equations`] return a tree
//! and what is wrong with the text, all of it. Printing (`Display`) gives the canonical text with the
//! fewest parentheses, and parsing that text gives the same tree.
//!
//! Architecture invariant: no text, however long or nested, panics or overflows the stack. Tokens, levels,
//! nodes and diagnostics of one text are limited.
//!
//! | code | the mistake |
//! |---|---|
//! | `syntax-character` | a character that means nothing |
//! | `syntax-number` | a malformed, too large or suffixed number |
//! | `syntax-name` | a name with too many dots, or with a dot where it is defined |
//! | `syntax-operator` | an operator of another notation, or none where one is needed |
//! | `syntax-not` | `not` behind an operator that binds more tightly |
//! | `syntax-unexpected` | something else should stand here |
//! | `syntax-unclosed` | a parenthesis that is never closed |
//! | `syntax-empty` | no expression at all |
//! | `syntax-statement` | a line that is no statement |
//! | `syntax-equation` | a line that is no equation |
//! | `missing-unit` | an equation without a unit |
//! | `annarchy-flag` | ANNarchy's flags behind `:` |
//! | `syntax-depth`, `syntax-too-long`, `syntax-too-many` | a limit |

mod ast;
mod block;
mod equation;
mod expression;
mod lexer;
mod print;

pub use ast::{
    AssignOp, BinaryOp, Block, Equation, EquationKind, Equations, Expr, ExprKind, Flag, Stmt, UnaryOp,
};

pub use block::parse_block;
pub use equation::parse_equations;
pub use expression::parse_expression;

/// The most levels that an expression tree has.
pub const MAX_HEIGHT: usize = 200;

/// The most nodes that one expression tree has.
pub const MAX_NODES: usize = 20_000;

#[cfg(test)]
mod tests;
