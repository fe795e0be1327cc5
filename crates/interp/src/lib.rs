//! The reference backend: slow, total, obvious.
