//! The contract between the engine and the machines that run a program.
