//! Differential equations to the statements of one step.
