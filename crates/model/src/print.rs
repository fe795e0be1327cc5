//! The printed form of expressions and blocks.
