//! Who is connected to whom: connectors, storage formats, delays, transposition.
//!
//! * A [`Connector`] is a rule; with a [`Shape`] and a random [`Site`] it gives a [`Csr`]. The result
//!   depends on nothing else, in particular not on the number of threads.
//! * [`Csr`] is the structure of a projection without any values: for each pre neuron the list of its
//!   post neurons. The position of a synapse in it is its *canonical index*, and all variables per
//!   synapse are stored by that, in every format.
//! * [`Storage`] is the same structure as a machine keeps it ([`Csr`], [`Ell`], [`Dense`]);
//!   [`Transposed`] is the view from the post side.
//! * [`Delays`] says how many steps a spike travels, and [`DelayRows`] sorts rows by that, so that what
//!   arrives in one step lies together.
//! * [`PairFile`] reads lists of pairs from CSV and NumPy files.
//!
//! ```
//! use neuropil_connectivity::{Connector, FixedProbability, FormatChoice, Shape, Site, Storage};
//!
//! let rule = FixedProbability { p: 0.1, self_connections: false };
//! let csr = rule.connect(&Shape::within(100), Site::new(42, 0))?;
//! assert!(csr.row(7).iter().all(|&post| post != 7));
//!
//! let transposed = csr.transpose();
//! assert_eq!(transposed.to_csr(), csr);
//!
//! let (storage, reason) = Storage::choose(csr, FormatChoice::Auto)?;
//! assert_eq!(storage.name(), "csr", "{reason}");
//! # Ok::<(), neuropil_connectivity::ConnectError>(())
//! ```
//!
//! Architecture invariant: nothing here knows variables, equations or time steps of a run; a rule that
//! is an expression arrives as a [`RowRule`] that somebody else evaluates.

mod connector;
mod csr;
mod delay;
mod delay_rows;
mod dense;
mod ell;
mod error;
mod pair_file;
mod rewire;
mod rows;
mod storage;
mod transposed;
mod windows;

pub use connector::{
    AllToAll, CONNECTORS, Connector, ConnectorInfo, FixedInDegree, FixedOutDegree, FixedProbability,
    FixedTotalNumber, OneToOne, PairList, Predicate, RowRule, Shape,
};
pub use csr::Csr;
pub use delay::{Delays, DelaysRounded, Steps, round_delay};
pub use delay_rows::{Bucket, DelayRows};
pub use dense::Dense;
pub use ell::Ell;
pub use error::ConnectError;
pub use neuropil_rng::Site;
pub use pair_file::{NamedColumns, PairFile};
pub use rewire::Origin;
pub use storage::{FormatChoice, Storage, Walk};
pub use transposed::Transposed;
pub use windows::{WindowPairs, Windows};

/// Position of a neuron within its population (or within the slice of it that is connected).
pub type NeuronIdx = u32;
