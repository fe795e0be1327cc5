//! The kernel language: typed SSA over a domain, its text form, verifier and passes.
