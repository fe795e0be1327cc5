//! The same network on every backend, compared by stated claims.
