//! Dimensions, units and quantities; nothing about neurons.
