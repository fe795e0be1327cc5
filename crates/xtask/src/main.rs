//! Tasks of the developers: `cargo xtask NAME`.

fn main() {}
