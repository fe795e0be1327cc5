//! The header is what the crate says.

#![allow(clippy::expect_used, reason = "a test may panic")]

use std::path::Path;

/// With `BLESS=1` in the environment the header is written anew.
#[test]
fn the_header_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("the settings can be read");
    let mut made = Vec::new();
    cbindgen::Builder::new()
        .with_crate(root)
        .with_config(config)
        .generate()
        .expect("the crate can be read")
        .write(&mut made);
    let made = String::from_utf8(made).expect("the header is text");
    let path = root.join("include/neuropil.h");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &made).expect("the header can be written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = made.lines().zip(there.lines()).find(|(made, there)| made != there);
    assert!(
        made == there,
        "include/neuropil.h is not what the crate says, first at {differs:?}; `cargo xtask bless` writes it anew"
    );
}
