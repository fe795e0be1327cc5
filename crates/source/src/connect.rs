//! Which pairs of neurons a projection connects, as it was typed.

use std::path::PathBuf;

use neuropil_base::{Span, Spanned, Text};

/// Which pairs of neurons are connected: `connect = "one_to_one"` or `connect = { rule = ..., ... }`.
///
/// Which fields may and must be there follows from `rule`, see [`Rule`]; the reader holds that.
#[derive(Clone, PartialEq, Debug)]
pub struct ConnectSource {
    /// The connector.
    pub rule: Spanned<Rule>,
    /// A probability: a number, or an expression over constants.
    pub p: Option<Text>,
    /// A number of synapses: a number, or an expression over constants.
    pub n: Option<Text>,
    /// Whether a neuron may connect to itself; if not given, it may.
    pub self_connections: Option<Spanned<bool>>,
    /// Whether a pair may be drawn more than once; if not given, it may.
    pub multapses: Option<Spanned<bool>>,
    /// Over `i`, `j`, and variables of both neurons (`x_pre`, `x_post`).
    pub condition: Option<Text>,
    /// Likewise; pairs for which the condition holds are connected with this probability.
    pub probability: Option<Text>,
    /// How many synapses per pair: a number, or an expression over constants.
    pub repeat: Option<Text>,
    /// Pairs of (source, target).
    pub pairs: Option<Vec<Spanned<(i64, i64)>>>,
    /// A CSV or NPY file of pairs and, if there are more columns, weights, delays or other variables.
    pub file: Option<Spanned<PathBuf>>,
    /// The filter of a convolution, or a bank of them: nested arrays of numbers.
    pub filter: Option<Filter>,
    /// Its shape, if its values are given as `weight`.
    pub filter_shape: Option<Vec<Spanned<i64>>>,
    /// How far the windows of neighbours lie apart: rows and columns, or one number for both.
    pub stride: Option<Vec<Spanned<i64>>>,
    /// `valid`, `same`, or how many rows and columns of zeros lie around the source.
    pub padding: Option<Text>,
    /// Rows and columns of a pooling window.
    pub extent: Option<Vec<Spanned<i64>>>,
    /// The projection whose pairs and variables are shared.
    pub of: Option<Spanned<String>>,
}

/// Numbers in nested arrays of equal lengths.
#[derive(Clone, PartialEq, Debug)]
pub struct Filter {
    /// The lengths, from the outermost.
    pub shape: Vec<usize>,
    /// The numbers, the innermost arrays one after the other.
    pub values: Vec<f64>,
    /// Where it was written.
    pub span: Span,
}

/// Connectors.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rule {
    /// Every pair; optionally `self_connections`.
    AllToAll,
    /// Neuron k to neuron k.
    OneToOne,
    /// Every pair with probability `p`; optionally `self_connections`.
    FixedProbability,
    /// `n` synapses per target; optionally `self_connections`, `multapses`.
    FixedInDegree,
    /// `n` synapses per source; optionally `self_connections`, `multapses`.
    FixedOutDegree,
    /// `n` synapses in all; optionally `self_connections`, `multapses`.
    FixedTotalNumber,
    /// Pairs for which `condition` holds, with `probability`, `repeat` times; all optional.
    Condition,
    /// The `pairs` listed.
    Pairs,
    /// The pairs of a `file`.
    File,
    /// Each target sees a window of the source through a filter whose elements are shared: `filter` or `filter_shape`;
    /// optionally `stride`, `padding`.
    Convolution,
    /// Each target sees a window of the source: `extent`; optionally `stride`.
    Pooling,
    /// The pairs and variables of another projection, `of`.
    Copy,
    /// Likewise, ends exchanged.
    Transpose,
}
