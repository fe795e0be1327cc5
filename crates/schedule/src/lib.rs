//! Operations of a step, ordered by slot and by what they touch.
