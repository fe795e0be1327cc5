//! Measurements of kernels and whole networks.
