//! Where a running machine pushes what it records.

use crate::{RecordError, RecorderId};

/// Takes recorded data, step after step.
///
/// The machine pushes each recorder's data in the order in which they arise: steps grow, but may start again where a
/// simulation goes back. Pushes of different recorders may interleave in any way. A sink may keep data back until [`finish`](Self::finish).
pub trait Sink: Send {
    /// The neurons `indices` of a [`Spikes`](crate::RecorderKind::Spikes) recorder had their event in step
    /// `step`. Indices are those of the population.
    ///
    /// # Errors
    /// An unknown recorder, one of another kind, or data that cannot be stored.
    fn events(&mut self, recorder: RecorderId, step: i64, indices: &[u32]) -> Result<(), RecordError>;

    /// One row of a [`State`](crate::RecorderKind::State) recorder: a slice per variable with the values of
    /// all recorded elements, in the machine's byte order (truth values are one byte).
    ///
    /// # Errors
    /// As [`events`](Self::events), and for a row of another shape.
    fn rows(&mut self, recorder: RecorderId, step: i64, columns: &[&[u8]]) -> Result<(), RecordError>;

    /// One window of a [`Rate`](crate::RecorderKind::Rate) recorder, from step `step` on: `count` events of
    /// all its neurons together.
    ///
    /// # Errors
    /// As [`events`](Self::events).
    fn rate(&mut self, recorder: RecorderId, step: i64, count: u64) -> Result<(), RecordError>;

    /// No more data comes: what is kept back is stored now.
    ///
    /// # Errors
    /// Data that cannot be stored.
    fn finish(&mut self) -> Result<(), RecordError>;
}

/// Forgets everything.
#[derive(Clone, Copy, Default, Debug)]
pub struct NullSink;

impl Sink for NullSink {
    fn events(&mut self, _: RecorderId, _: i64, _: &[u32]) -> Result<(), RecordError> {
        Ok(())
    }

    fn rows(&mut self, _: RecorderId, _: i64, _: &[&[u8]]) -> Result<(), RecordError> {
        Ok(())
    }

    fn rate(&mut self, _: RecorderId, _: i64, _: u64) -> Result<(), RecordError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), RecordError> {
        Ok(())
    }
}

/// Gives everything to two sinks; more are nested tees.
#[derive(Clone, Copy, Default, Debug)]
pub struct Tee<A, B> {
    /// Gets the data first.
    pub first: A,
    /// Gets the data second, unless the first fails.
    pub second: B,
}

impl<A: Sink, B: Sink> Sink for Tee<A, B> {
    fn events(&mut self, recorder: RecorderId, step: i64, indices: &[u32]) -> Result<(), RecordError> {
        self.first.events(recorder, step, indices)?;
        self.second.events(recorder, step, indices)
    }

    fn rows(&mut self, recorder: RecorderId, step: i64, columns: &[&[u8]]) -> Result<(), RecordError> {
        self.first.rows(recorder, step, columns)?;
        self.second.rows(recorder, step, columns)
    }

    fn rate(&mut self, recorder: RecorderId, step: i64, count: u64) -> Result<(), RecordError> {
        self.first.rate(recorder, step, count)?;
        self.second.rate(recorder, step, count)
    }

    /// Finishes both, whatever happens, and reports the first error.
    fn finish(&mut self) -> Result<(), RecordError> {
        let first = self.first.finish();
        let second = self.second.finish();
        first.and(second)
    }
}

macro_rules! forward {
    ($($type:ty),*) => {$(
        impl<S: Sink + ?Sized> Sink for $type {
            fn events(&mut self, recorder: RecorderId, step: i64, indices: &[u32]) -> Result<(), RecordError> {
                (**self).events(recorder, step, indices)
            }

            fn rows(&mut self, recorder: RecorderId, step: i64, columns: &[&[u8]]) -> Result<(), RecordError> {
                (**self).rows(recorder, step, columns)
            }

            fn rate(&mut self, recorder: RecorderId, step: i64, count: u64) -> Result<(), RecordError> {
                (**self).rate(recorder, step, count)
            }

            fn finish(&mut self) -> Result<(), RecordError> {
                (**self).finish()
            }
        }
    )*};
}

forward!(&mut S, Box<S>);

/// A sink that may be absent: `None` forgets everything.
impl<S: Sink> Sink for Option<S> {
    fn events(&mut self, recorder: RecorderId, step: i64, indices: &[u32]) -> Result<(), RecordError> {
        self.as_mut().map_or(Ok(()), |sink| sink.events(recorder, step, indices))
    }

    fn rows(&mut self, recorder: RecorderId, step: i64, columns: &[&[u8]]) -> Result<(), RecordError> {
        self.as_mut().map_or(Ok(()), |sink| sink.rows(recorder, step, columns))
    }

    fn rate(&mut self, recorder: RecorderId, step: i64, count: u64) -> Result<(), RecordError> {
        self.as_mut().map_or(Ok(()), |sink| sink.rate(recorder, step, count))
    }

    fn finish(&mut self) -> Result<(), RecordError> {
        self.as_mut().map_or(Ok(()), Sink::finish)
    }
}
