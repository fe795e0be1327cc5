//! Between lanes and buffers: loads, stores and accumulations of one block, in the order of its elements.

use neuropil_base::Scalar;
use neuropil_ir::{Accumulation, At, ValueId};

use super::data::Element;
use super::typed;
use crate::slot::{Cells, Slot};

/// Where the elements of a block find themselves in a buffer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spot<'a> {
    /// One after the other, from this number on.
    From(u64),
    /// All at this number.
    Same(u64),
    /// At these numbers.
    List32(&'a [u32]),
    /// At these numbers.
    List64(&'a [u64]),
    /// At these numbers, which were computed.
    Values32(&'a [i32]),
    /// At these numbers, which were computed.
    Values64(&'a [i64]),
    /// All at the first element of the buffer.
    Scalar,
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Calls `act` with the number of each element in the block and its place in the buffer, which may lie outside.
#[inline(always)]
fn each(spot: Spot<'_>, n: usize, mut act: impl FnMut(usize, i64)) {
    match spot {
        Spot::From(start) => {
            let start = signed(start);
            (0..n).for_each(|k| act(k, start.saturating_add(k as i64)));
        }
        Spot::Same(number) => {
            let place = signed(number);
            (0..n).for_each(|k| act(k, place));
        }
        Spot::List32(list) => {
            list.iter().take(n).enumerate().for_each(|(k, i)| act(k, i64::from(*i)));
        }
        Spot::List64(list) => {
            list.iter().take(n).enumerate().for_each(|(k, i)| act(k, signed(*i)));
        }
        Spot::Values32(list) => {
            list.iter().take(n).enumerate().for_each(|(k, i)| act(k, i64::from(*i)));
        }
        Spot::Values64(list) => {
            list.iter().take(n).enumerate().for_each(|(k, i)| act(k, *i));
        }
        Spot::Scalar => (0..n).for_each(|k| act(k, 0)),
    }
}

/// The part of a buffer that a block takes one after the other, if it does.
#[inline(always)]
fn contiguous(spot: Spot<'_>, n: usize) -> Option<std::ops::Range<usize>> {
    let Spot::From(start) = spot else { return None };
    let start = usize::try_from(start).ok()?;
    Some(start..start.checked_add(n)?)
}

/// Reads a lane.
#[inline]
pub(super) fn load<T: Element>(lane: &mut [T], data: Cells<'_, T>, spot: Spot<'_>) {
    let Some(last) = data.len().checked_sub(1) else {
        lane.fill(T::default());
        return;
    };
    if let Some(part) = contiguous(spot, lane.len()).and_then(|range| data.part(range)) {
        lane.iter_mut().zip(part).for_each(|(to, from)| *to = from.clean());
        return;
    }
    each(spot, lane.len(), |k, place| {
        let value = data.get((place.max(0) as usize).min(last));
        lane[k] = value.unwrap_or_default().clean();
    });
}

/// Writes a lane.
#[inline]
pub(super) fn store<T: Element>(values: &[T], data: Cells<'_, T>, spot: Spot<'_>) {
    if let Some(part) = contiguous(spot, values.len()).and_then(|range| data.part_mut(range)) {
        part.copy_from_slice(values);
        return;
    }
    each(spot, values.len(), |k, place| {
        if let Ok(index) = usize::try_from(place) {
            data.set(index, values[k]);
        }
    });
}

/// Combines a lane into a buffer, one element after the other.
#[inline]
pub(super) fn accumulate<T: Element>(values: &[T], data: Cells<'_, T>, spot: Spot<'_>, with: Accumulation) {
    match with {
        Accumulation::Add => combine(values, data, spot, T::sum),
        Accumulation::Min => combine(values, data, spot, T::lower),
        Accumulation::Max => combine(values, data, spot, T::higher),
    }
}

#[inline(always)]
fn combine<T: Element>(values: &[T], data: Cells<'_, T>, spot: Spot<'_>, with: impl Fn(T, T) -> T) {
    if let Some(part) = contiguous(spot, values.len()).and_then(|range| data.part_mut(range)) {
        part.iter_mut().zip(values).for_each(|(to, value)| *to = with(*to, *value));
        return;
    }
    each(spot, values.len(), |k, place| {
        if let Ok(index) = usize::try_from(place)
            && let Some(old) = data.get(index)
        {
            data.set(index, with(old, values[k]));
        }
    });
}

/// Reads one value for all elements, whose place does not depend on the element.
pub(crate) fn load_one(slot: &Slot<'_>, at: At, of: impl Fn(ValueId) -> Scalar) -> Scalar {
    let place = match at {
        At::Value(v) => match of(v) {
            Scalar::I32(i) => [i64::from(i)],
            Scalar::I64(i) => [i],
            // The verifier lets only integers be places.
            Scalar::Bool(_) | Scalar::F32(_) | Scalar::F64(_) => [0],
        },
        At::Scalar | At::Side(_) => {
            return typed!(slot.ty(), T => slot.cells::<T>().get(0).unwrap_or_default().clean().scalar());
        }
    };
    typed!(slot.ty(), T => {
        let mut lane = [T::default()];
        load(&mut lane, slot.cells::<T>(), Spot::Values64(&place));
        lane[0].scalar()
    })
}
