//! What can be wrong with a rule, a list, a file or a delay.

use std::path::PathBuf;

/// A connection that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A probability outside of 0 to 1, or NaN.
    #[error("probability `{p}` is not between 0 and 1")]
    ProbabilityOutOfRange {
        /// The probability as given.
        p: f64,
    },
    /// A rule by expression gave NaN for a pair.
    #[error("the condition has no value (NaN) for pre neuron `{pre}` and post neuron `{post}`")]
    NotANumber {
        /// The pre neuron.
        pre: u32,
        /// The post neuron.
        post: u32,
    },
    /// A rule by expression could not be evaluated.
    #[error("the condition fails for pre neuron `{pre}`: {message}")]
    Rule {
        /// The row that was asked for.
        pre: u32,
        /// What the rule said.
        message: String,
    },
    /// A list names a neuron that does not exist.
    #[error("pair `{position}` connects `{pre}` to `{post}`, outside of `{n_pre}` by `{n_post}` neurons")]
    PairOutOfRange {
        /// Position in the list, from 0.
        position: usize,
        /// The pre neuron as given.
        pre: u32,
        /// The post neuron as given.
        post: u32,
        /// Number of pre neurons.
        n_pre: u32,
        /// Number of post neurons.
        n_post: u32,
    },
    /// More partners are wanted than there are.
    #[error("`{wanted}` {what} are wanted, but only `{available}` are possible")]
    NotEnough {
        /// What is counted: "sources per post neuron", ...
        what: &'static str,
        /// How many the rule asks for.
        wanted: u64,
        /// How many there are.
        available: u64,
    },
    /// One-to-one between different numbers of neurons.
    #[error("one-to-one needs equally many neurons on both sides, but connects `{n_pre}` to `{n_post}`")]
    SizesDiffer {
        /// Number of pre neurons.
        n_pre: u32,
        /// Number of post neurons.
        n_post: u32,
    },
    /// Synapses are counted by 32 bits.
    #[error("`{n_syn}` synapses are too many for one projection (at most `{}`)", u32::MAX)]
    TooManySynapses {
        /// How many there would be.
        n_syn: u64,
    },
    /// Parts that do not make up a sparse matrix.
    #[error("not a valid list of rows: {message}")]
    InvalidRows {
        /// Which condition does not hold.
        message: String,
    },
    /// A dense matrix holds a pair at most once, and in ascending order.
    #[error("format `dense` cannot hold row `{pre}`: its targets repeat or do not ascend")]
    NotDense {
        /// The first row that does not fit.
        pre: u32,
    },
    /// A padded format that would take more than can be addressed.
    #[error("format `{format}` would need `{bytes}` bytes")]
    FormatTooLarge {
        /// The format.
        format: &'static str,
        /// What it would take.
        bytes: u128,
    },
    /// A delay that is negative, infinite or NaN.
    #[error("delay `{seconds}` s is not a length of time that a spike can take")]
    InvalidDelay {
        /// The delay as given.
        seconds: f64,
        /// The synapse, where delays are given one by one.
        synapse: Option<usize>,
    },
    /// A delay of 2^32 steps or more.
    #[error("delay `{seconds}` s is too long for steps of `{dt}` s")]
    DelayTooLong {
        /// The delay as given.
        seconds: f64,
        /// The step in seconds.
        dt: f64,
    },
    /// A step that is not a positive time.
    #[error("time step `{dt}` s is not positive")]
    InvalidTimeStep {
        /// The step in seconds.
        dt: f64,
    },
    /// Not one delay per synapse.
    #[error("`{n_delays}` delays are given for `{n_syn}` synapses")]
    DelayCount {
        /// How many delays there are.
        n_delays: usize,
        /// How many synapses there are.
        n_syn: usize,
    },
    /// A file that cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file whose content is not a list of pairs.
    #[error("`{path}`: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it as a whole.
        message: String,
    },
    /// A line of a file (CSV: line from 1, NumPy: row from 0) that is not a pair.
    #[error("`{path}`, {unit} {row}: {message}")]
    FileRow {
        /// The file.
        path: PathBuf,
        /// "line" or "row".
        unit: &'static str,
        /// Number of the line or row.
        row: u64,
        /// What is wrong with it.
        message: String,
    },
}

impl ConnectError {
    /// What to do about it, where that is not plain from the message.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::NotEnough { .. } => {
                Some("choose fewer, or allow several synapses per pair with `multapses`")
            }
            Self::SizesDiffer { .. } => {
                Some("connect slices of equal size, or use a condition such as `i == j`")
            }
            Self::TooManySynapses { .. } => Some("split the projection by slices of the pre population"),
            Self::NotDense { .. } => Some("use format `csr` or `ell`"),
            Self::FormatTooLarge { .. } => Some("use format `csr`"),
            Self::PairOutOfRange { .. } => Some("neurons are counted from 0, within a slice from its start"),
            Self::ProbabilityOutOfRange { .. }
            | Self::NotANumber { .. }
            | Self::Rule { .. }
            | Self::InvalidRows { .. }
            | Self::InvalidDelay { .. }
            | Self::DelayTooLong { .. }
            | Self::InvalidTimeStep { .. }
            | Self::DelayCount { .. }
            | Self::Read { .. }
            | Self::File { .. }
            | Self::FileRow { .. } => None,
        }
    }
}

/// Asserts that `n_syn` synapses can be counted by 32 bits.
pub(crate) fn check_count(n_syn: u64) -> Result<(), ConnectError> {
    if n_syn > u64::from(u32::MAX) { Err(ConnectError::TooManySynapses { n_syn }) } else { Ok(()) }
}
