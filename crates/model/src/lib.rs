//! The typed, validated description of a network: no text, no storage, no device.
