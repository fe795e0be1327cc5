# Short names for those who have `just`; nobody needs it. Every recipe is one command that can be typed.

# Lists the recipes.
default:
    @just --list

# All tests.
test:
    cargo xtask test

# Everything that a change must pass.
ci:
    .ci/run

# Formats the code.
fmt:
    cargo fmt --all

# Warnings as errors.
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Writes the expectations of the filetests anew.
bless:
    cargo xtask bless

# Runs a shipped model: `just run cuba`.
run name *arguments:
    cargo run --release -- run models/{{name}}.toml {{arguments}}

# Runs every shipped model for a short time.
models:
    cargo xtask models

# The documentation of all crates.
doc:
    cargo doc --workspace --no-deps --open
