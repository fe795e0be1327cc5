//! One buffer on the host and on a device, and which of the two is current.

use crate::{DeviceError, HostBuffer};

/// Which copies hold the latest values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Validity {
    /// Only the host's.
    Host,
    /// Only the device's.
    Device,
    /// Both.
    Both,
}

/// Memory of a device: what [`Mirror`] needs of it.
pub trait Device {
    /// An allocation on the device.
    type Allocation;

    /// Allocates `bytes` bytes.
    ///
    /// # Errors
    /// [`DeviceError::OutOfMemory`] with what was asked for and what is free.
    fn allocate(&self, bytes: usize) -> Result<Self::Allocation, DeviceError>;
    /// Copies `bytes` to the start of `to`.
    ///
    /// # Errors
    /// [`DeviceError::Copy`] if the device refuses.
    fn push(&self, bytes: &[u8], to: &mut Self::Allocation) -> Result<(), DeviceError>;
    /// Copies from the start of `from`.
    ///
    /// # Errors
    /// [`DeviceError::Copy`] if the device refuses.
    fn pull(&self, from: &Self::Allocation, bytes: &mut [u8]) -> Result<(), DeviceError>;
}

/// The device of backends that compute on the host: it has no memory of its own.
#[derive(Clone, Copy, Default, Debug)]
pub struct NoDevice;

impl Device for NoDevice {
    type Allocation = ();

    fn allocate(&self, _bytes: usize) -> Result<(), DeviceError> {
        Ok(())
    }

    fn push(&self, _bytes: &[u8], _to: &mut ()) -> Result<(), DeviceError> {
        Ok(())
    }

    fn pull(&self, _from: &(), _bytes: &mut [u8]) -> Result<(), DeviceError> {
        Ok(())
    }
}

/// One buffer on host and device.
///
/// Copies happen only when they are needed: reading on the host pulls if the device is ahead, using it on the
/// device pushes if the host is.
#[derive(Debug)]
pub struct Mirror<D: Device> {
    host: HostBuffer,
    device: D::Allocation,
    validity: Validity,
}

impl<D: Device> Mirror<D> {
    /// Mirrors `host` on `device`; nothing is copied yet.
    ///
    /// # Errors
    /// [`DeviceError::OutOfMemory`] if the device has no room.
    pub fn new(host: HostBuffer, device: &D) -> Result<Self, DeviceError> {
        let allocation = device.allocate(host.bytes().len())?;
        Ok(Self { host, device: allocation, validity: Validity::Host })
    }

    /// Which copies are current.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The current values, on the host.
    ///
    /// # Errors
    /// [`DeviceError::Copy`] if they had to be pulled and could not be.
    pub fn read(&mut self, device: &D) -> Result<&HostBuffer, DeviceError> {
        if self.validity == Validity::Device {
            device.pull(&self.device, self.host.bytes_mut())?;
            self.validity = Validity::Both;
        }
        Ok(&self.host)
    }

    /// The current values, on the host, to be changed there.
    ///
    /// # Errors
    /// [`DeviceError::Copy`] if they had to be pulled and could not be.
    pub fn write(&mut self, device: &D) -> Result<&mut HostBuffer, DeviceError> {
        self.read(device)?;
        self.validity = Validity::Host;
        Ok(&mut self.host)
    }

    /// The device's copy, current, to be read there.
    ///
    /// # Errors
    /// [`DeviceError::Copy`] if the values had to be pushed and could not be.
    pub fn device_read(&mut self, device: &D) -> Result<&D::Allocation, DeviceError> {
        if self.validity == Validity::Host {
            device.push(self.host.bytes(), &mut self.device)?;
            self.validity = Validity::Both;
        }
        Ok(&self.device)
    }

    /// The device's copy, current, to be changed there.
    ///
    /// # Errors
    /// [`DeviceError::Copy`] if the values had to be pushed and could not be.
    pub fn device_write(&mut self, device: &D) -> Result<&mut D::Allocation, DeviceError> {
        self.device_read(device)?;
        self.validity = Validity::Device;
        Ok(&mut self.device)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use neuropil_base::{Scalar, ScalarType};
    use proptest::prelude::*;

    use super::*;

    /// A device whose memory is a vector, and that counts its copies.
    #[derive(Default)]
    struct Counting {
        pushes: Cell<usize>,
        pulls: Cell<usize>,
    }

    impl Device for Counting {
        type Allocation = Vec<u8>;

        fn allocate(&self, bytes: usize) -> Result<Vec<u8>, DeviceError> {
            Ok(vec![0xff; bytes])
        }

        fn push(&self, bytes: &[u8], to: &mut Vec<u8>) -> Result<(), DeviceError> {
            self.pushes.set(self.pushes.get() + 1);
            to.copy_from_slice(bytes);
            Ok(())
        }

        fn pull(&self, from: &Vec<u8>, bytes: &mut [u8]) -> Result<(), DeviceError> {
            self.pulls.set(self.pulls.get() + 1);
            bytes.copy_from_slice(from);
            Ok(())
        }
    }

    #[test]
    fn values_are_copied_once_and_only_when_needed() {
        let device = Counting::default();
        let mut m = Mirror::new(HostBuffer::new(ScalarType::I32, 4), &device).unwrap();
        m.device_read(&device).unwrap();
        m.device_read(&device).unwrap();
        m.read(&device).unwrap();
        assert_eq!((device.pushes.get(), device.pulls.get()), (1, 0));
        m.device_write(&device).unwrap();
        m.read(&device).unwrap();
        m.read(&device).unwrap();
        assert_eq!((device.pushes.get(), device.pulls.get()), (1, 1));
    }

    proptest! {
        #[test]
        fn every_reader_sees_the_last_write(script in prop::collection::vec(0u8..4, 0..40)) {
            let device = Counting::default();
            let mut m = Mirror::new(HostBuffer::new(ScalarType::I32, 1), &device).unwrap();
            let mut last = 0_i32;
            for (i, action) in script.into_iter().enumerate() {
                match action {
                    0 => prop_assert_eq!(m.read(&device).unwrap().get(0), Scalar::I32(last)),
                    1 => {
                        last = i as i32;
                        m.write(&device).unwrap().set(0, Scalar::I32(last));
                    }
                    2 => prop_assert_eq!(&m.device_read(&device).unwrap()[..], &last.to_ne_bytes()[..]),
                    _ => {
                        last = i as i32;
                        m.device_write(&device).unwrap().copy_from_slice(&last.to_ne_bytes());
                    }
                }
            }
        }
    }
}
