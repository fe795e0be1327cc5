//! Names, units and types: what was typed becomes a typed model, or diagnostics.
