//! Addressable random streams: the same (seed, site, index, step) gives the same bits everywhere.
