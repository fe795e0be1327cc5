//! Host and device copy of one buffer, and which of them is current.
