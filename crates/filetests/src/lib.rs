//! Text-in, text-out tests of every stage.
