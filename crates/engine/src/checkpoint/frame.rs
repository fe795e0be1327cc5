//! A stream of bytes in frames, so that a file that was cut, or in which a bit has changed, is known for what it is
//! before anything in it is believed.
//!
//! A frame is its length (32 bits, little endian), so many bytes, and a checksum (64 bits) of its number, its length and
//! its bytes. A frame without bytes is the last; nothing follows it.

use std::io::{self, ErrorKind, Read, Write};

/// The longest frame: what is believed without having been checked is no more than this.
const MOST: usize = 1 << 20;
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// Puts bytes into frames.
pub(super) struct Framed<W> {
    to: W,
    frame: Vec<u8>,
    number: u64,
}

impl<W: Write> Framed<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, frame: Vec::with_capacity(MOST), number: 0 }
    }

    /// Writes what is left, and the last frame.
    pub(super) fn end(mut self) -> io::Result<W> {
        self.put()?;
        self.put_frame()?;
        Ok(self.to)
    }

    fn put(&mut self) -> io::Result<()> {
        if self.frame.is_empty() { Ok(()) } else { self.put_frame() }
    }

    fn put_frame(&mut self) -> io::Result<()> {
        // At most `MOST` bytes.
        let length = self.frame.len() as u32;
        self.to.write_all(&length.to_le_bytes())?;
        self.to.write_all(&self.frame)?;
        self.to.write_all(&checksum(self.number, &self.frame).to_le_bytes())?;
        self.number += 1;
        self.frame.clear();
        Ok(())
    }
}

impl<W: Write> Write for Framed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(MOST - self.frame.len());
        self.frame.extend_from_slice(bytes.get(..n).unwrap_or_default());
        if self.frame.len() == MOST {
            self.put()?;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes bytes out of frames.
pub(super) struct Unframed<R> {
    from: R,
    frame: Vec<u8>,
    /// How many bytes of the frame have been taken.
    taken: usize,
    number: u64,
    at_end: bool,
}

impl<R: Read> Unframed<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, frame: Vec::new(), taken: 0, number: 0, at_end: false }
    }

    /// Holds that everything has been taken and that nothing follows.
    pub(super) fn end(mut self) -> io::Result<()> {
        let mut byte = [0];
        if self.read(&mut byte)? > 0 || self.from.read(&mut byte)? > 0 {
            return Err(io::Error::new(ErrorKind::InvalidData, "there is more in it than belongs there"));
        }
        Ok(())
    }

    fn next(&mut self) -> io::Result<()> {
        let mut length = [0; 4];
        self.from.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > MOST {
            return Err(io::Error::new(ErrorKind::InvalidData, "a frame has an impossible length"));
        }
        self.frame.resize(length, 0);
        self.from.read_exact(&mut self.frame)?;
        let mut sum = [0; 8];
        self.from.read_exact(&mut sum)?;
        if u64::from_le_bytes(sum) != checksum(self.number, &self.frame) {
            let message = format!("the checksum of frame {} is wrong", self.number);
            return Err(io::Error::new(ErrorKind::InvalidData, message));
        }
        self.number += 1;
        self.taken = 0;
        self.at_end = length == 0;
        Ok(())
    }
}

impl<R: Read> Read for Unframed<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.frame.len() && !self.at_end {
            self.next()?;
        }
        let rest = self.frame.get(self.taken..).unwrap_or_default();
        let n = rest.len().min(bytes.len());
        if let (Some(to), Some(from)) = (bytes.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.taken += n;
        Ok(n)
    }
}

/// A hash of words, each of which changes it, in the manner of FNV-1a.
pub(super) fn checksum(seed: u64, bytes: &[u8]) -> u64 {
    let mix = |h: u64, word: u64| {
        let h = (h ^ word).wrapping_mul(FACTOR);
        h ^ (h >> 32)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let mut h = words.iter().fold(mix(FACTOR, seed), |h, word| mix(h, u64::from_le_bytes(*word)));
    for byte in rest {
        h = mix(h, u64::from(*byte));
    }
    mix(h, bytes.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(bytes: &[u8]) -> Vec<u8> {
        let mut writer = Framed::new(Vec::new());
        writer.write_all(bytes).unwrap();
        writer.end().unwrap()
    }

    fn unframed(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut reader = Unframed::new(bytes);
        let mut content = Vec::new();
        reader.read_to_end(&mut content)?;
        reader.end()?;
        Ok(content)
    }

    #[test]
    fn what_is_put_in_comes_out() {
        for n in [0, 1, 100, MOST - 1, MOST, MOST + 1, 2 * MOST] {
            let bytes: Vec<u8> = (0..n).map(|k| (k * 7) as u8).collect();
            assert_eq!(unframed(&framed(&bytes)).unwrap(), bytes, "{n}");
        }
    }

    #[test]
    fn every_cut_and_every_changed_bit_is_noticed() {
        let whole = framed(b"the state of a network, more than a word of it");
        for n in 0..whole.len() {
            assert!(unframed(&whole[..n]).is_err(), "cut at {n}");
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[n] ^= 1 << bit;
                assert!(unframed(&changed).is_err(), "bit {bit} of byte {n}");
            }
        }
        assert!(unframed(&[&whole[..], &[0]].concat()).is_err());
    }
}
