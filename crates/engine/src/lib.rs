//! Builds a network for a backend and runs it.
