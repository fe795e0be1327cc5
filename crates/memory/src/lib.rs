//! Host and device copy of one buffer, and which of them is current; files as memory.
//!
//! * [`HostBuffer`]: one typed array on the host, aligned for vector loads.
//! * [`Large`]: an array that is read at random places, on huge pages.
//! * [`Mirror`]: the same array on a [`Device`] too; push and pull happen when they are needed.
//! * [`give_back`]: what was freed goes back to the system.
//! * [`MappedFile`]: a file that grows, written through memory; [`MappedView`]: a whole file, read through memory.

mod host;
mod large;
mod mapped;
mod mirror;
mod trim;

pub use host::{Element, HostBuffer};
pub use large::Large;
pub use mapped::{MapError, MappedFile, MappedView, patiently};
pub use mirror::{Device, Mirror, NoDevice, Validity};
pub use trim::give_back;

/// What can go wrong with a device's memory.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DeviceError {
    /// The device has no room.
    #[error("the device has no room for {needed} bytes; {free} are free")]
    OutOfMemory {
        /// Bytes asked for.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The host has no room; how much it has is not known.
    #[error("there is no room for {needed} bytes")]
    NoRoom {
        /// Bytes asked for.
        needed: u64,
    },
    /// A copy failed.
    #[error("copying between host and device failed: {0}")]
    Copy(String),
}
