//! The codes of diagnostics that the analysis gives, each with its meaning; `docs/diagnostics.md` is
//! made from this table.

macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident = $code:literal: $meaning:literal;)*) => {
        $(#[doc = $meaning] pub(crate) const $name: &str = $code;)*

        /// Every code of this crate with its meaning, in alphabetical order.
        pub const CODES: &[(&str, &str)] = &[$(($code, $meaning)),*];
    };
}

codes! {
    CIRCULAR = "circular-definition": "A subexpression, a view or a constant is defined by itself.";
    SUMS = "conflicting-sums": "Several projections fill one variable in ways that cannot be combined.";
    DELAY_ROUNDED = "delay-rounded": "A delay is not a multiple of the step and is rounded to the nearest (warning).";
    DUPLICATE_NAME = "duplicate-name": "Two things of one kind have the same name.";
    DUPLICATE_SPIKE = "duplicate-spike": "A neuron of a spike list spikes twice within one step.";
    FLAG = "flag-not-allowed": "The flag has no meaning for this kind of equation.";
    QUANTITY = "invalid-quantity": "A text that should be a number with a unit is not.";
    SWC = "invalid-swc": "An SWC file does not describe a neuron.";
    MISSING = "missing-field": "Something that must be said is not said.";
    NEGATIVE_DELAY = "negative-delay": "A delay is less than zero.";
    NO_EVENT = "no-event": "A pathway or recorder waits for an event that its population never has.";
    NOISE = "noise-outside-equation": "White noise `xi` stands where there is no differential equation.";
    NOT_ASSIGNABLE = "not-assignable": "A statement writes to something that code cannot change.";
    NOT_CONSTANT = "not-constant": "A value must be known before the run and is not.";
    NOT_SHARED = "not-shared": "Something that has one value for all depends on one element.";
    NOT_SOLVABLE = "not-solvable": "An implicit equation cannot be solved for its derivative.";
    RANGE = "out-of-range": "A number lies outside the range that makes sense for it.";
    RATE = "rate-too-high": "A Poisson input would have to spike more than once per step (warning).";
    RESERVED = "reserved-name": "A name that the language gives a meaning of its own is defined anew.";
    ROUNDED = "rounded-to-step": "A time is not a multiple of the step and is rounded to the nearest (warning).";
    SHADOWED = "shadowed-name": "A name hides another thing of the same name (warning).";
    SIZES = "sizes-differ": "Groups that must be equally large are not.";
    TOO_LARGE = "too-large": "An expression grows beyond all measure once subexpressions are put in.";
    UNDEFINED_LOCAL = "undefined-local": "A name is changed that no statement above gives a value.";
    UNFED = "unfed-channel": "No projection ends in the channel of a weighted sum; its value is 0 (warning).";
    UNITS = "unit-mismatch": "Things of different units are added, compared or assigned.";
    UNKNOWN_CHANNEL = "unknown-channel": "A weighted sum goes into something that the postsynaptic neurons do not have.";
    UNKNOWN_FLAG = "unknown-flag": "An equation has a flag that does not exist.";
    UNKNOWN_FUNCTION = "unknown-function": "A function is called that does not exist.";
    UNKNOWN_METHOD = "unknown-method": "An integration method does not exist.";
    UNKNOWN_NAME = "unknown-name": "A name means nothing where it stands.";
    UNKNOWN_UNIT = "unknown-unit": "A unit does not exist.";
    FILE = "unreadable-file": "A file of values cannot be read or does not hold what is expected.";
    UNSUPPORTED = "unsupported": "The language knows the construct, this program does not; the help says what to write instead.";
    UNUSED_LOCAL = "unused-local": "A statement sets a name that nothing reads (warning).";
    ARGUMENTS = "wrong-arguments": "A function is called with too many or too few arguments.";
    LENGTH = "wrong-length": "A list has more or fewer values than there are elements.";
    TYPE = "wrong-type": "A number stands where a truth value is needed, or the other way round, or a real where an integer is.";
    ZERO_SIZE = "zero-size": "A population or view has no neurons.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once_in_order() {
        assert!(CODES.windows(2).all(|w| w[0].0 < w[1].0));
    }
}
