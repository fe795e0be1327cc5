//! The network as it was typed: what a model file and the builder both produce.
