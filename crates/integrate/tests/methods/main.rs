//! Methods against closed forms: orders of convergence, exact solutions, noise, refractoriness.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "these are tests; the platform's functions are the reference"
)]

mod event_driven;
mod exact;
mod network;
mod order;
mod random;
mod refractory;
mod shape;
mod stochastic;
