//! Spikes and traces on their way out: memory, files, readers.
