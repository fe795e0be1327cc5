//! The closed table of functions that equations may call, and their expansion into IEEE operations.
