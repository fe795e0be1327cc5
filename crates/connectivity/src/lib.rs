//! Who is connected to whom: connectors, storage formats, delays, transposition.
