//! The network as it was typed: what a model file and the builder both produce.
//!
//! Names are unresolved and strings unparsed; what is checked here is the structure of the file: fields,
//! their types, duplicates. Meaning is the business of `sema`.
//!
//! * [`NetworkSource`]: the network, with the place of everything that was written.
//! * [`read_file`], [`read_str`]: TOML to [`NetworkSource`] and diagnostics, all of them at once.
//! * [`NetworkSource::set`]: one field given on the command line.
//! * [`NetworkSource::to_toml`]: the way back.
//!
//! A field that must be there and is not has been reported, and is left empty (an empty name or text): whoever
//! goes on with the network to find more mistakes stays silent about what is empty.

mod connect;
mod field;
mod network;
mod place;
mod print;
mod read;
mod reader;
mod set;
mod tree;

pub use connect::{ConnectSource, Filter, Rule};
pub use network::{
    Assignment, Constant, Elements, End, EventSource, FiringRateSource, FormatSource, HostSource, InputKind,
    InputSource, LinkSource, MorphologySource, NetworkSource, NeuronSource, Numbers, ObjectChange,
    PathwaySource, PeriodicSource, PlaceSource, Placement, PopulationSource, ProjectionSource, RecordSource,
    RewireSource, RunSource, SectionKind, SectionSource, SectionValues, Selection, Settings,
    StateRecordSource, SubnetworkSource, SumOperation, SumSource, SynapseSource, UntilSource, ValueSource,
    ViewSource,
};
pub use place::Places;
pub use read::{read_file, read_str, read_text};
