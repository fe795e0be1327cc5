//! Between lanes and buffers: loads, stores and accumulations of one block, in the order of its elements.

use neuropil_base::Scalar;
use neuropil_ir::{Accumulation, At, ValueId};

use super::data::{Binding, Element};
use super::typed;

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
fn each(spot: Spot<'_>, n: usize, first: u64, mut act: impl FnMut(usize, i64)) {
    let first = signed(first);
    match spot {
        Spot::From(start) => {
            let start = signed(start).saturating_sub(first);
            (0..n).for_each(|k| act(k, start.saturating_add(k as i64)));
        }
        Spot::Same(number) => {
            let place = signed(number).saturating_sub(first);
            (0..n).for_each(|k| act(k, place));
        }
        Spot::List32(list) => {
            list.iter().take(n).enumerate().for_each(|(k, i)| act(k, i64::from(*i).saturating_sub(first)));
        }
        Spot::List64(list) => {
            list.iter().take(n).enumerate().for_each(|(k, i)| act(k, signed(*i).saturating_sub(first)));
        }
        Spot::Values32(list) => {
            list.iter().take(n).enumerate().for_each(|(k, i)| act(k, i64::from(*i).saturating_sub(first)));
        }
        Spot::Values64(list) => {
            list.iter().take(n).enumerate().for_each(|(k, i)| act(k, i.saturating_sub(first)));
        }
        Spot::Scalar => (0..n).for_each(|k| act(k, 0)),
    }
}

/// The part of a buffer that a block takes one after the other, if it does and lies inside.
#[inline(always)]
fn contiguous(spot: Spot<'_>, n: usize, first: u64, len: usize) -> Option<std::ops::Range<usize>> {
    let Spot::From(start) = spot else { return None };
    let start = usize::try_from(start.checked_sub(first)?).ok()?;
    let end = start.checked_add(n)?;
    (end <= len).then_some(start..end)
}

/// Reads a lane.
#[inline]
pub(super) fn load<T: Element>(lane: &mut [T], data: &[T], spot: Spot<'_>, first: u64) {
    let Some(last) = data.len().checked_sub(1) else {
        lane.fill(T::default());
        return;
    };
    if let Some(range) = contiguous(spot, lane.len(), first, data.len()) {
        lane.iter_mut().zip(&data[range]).for_each(|(to, from)| *to = from.clean());
        return;
    }
    each(spot, lane.len(), first, |k, place| {
        lane[k] = data[(place.max(0) as usize).min(last)].clean();
    });
}

/// Writes a lane.
#[inline]
pub(super) fn store<T: Element>(values: &[T], data: &mut [T], spot: Spot<'_>, first: u64) {
    if let Some(range) = contiguous(spot, values.len(), first, data.len()) {
        data[range].copy_from_slice(values);
        return;
    }
    each(spot, values.len(), first, |k, place| {
        if let Some(to) = usize::try_from(place).ok().and_then(|i| data.get_mut(i)) {
            *to = values[k];
        }
    });
}

/// Combines a lane into a buffer, one element after the other.
#[inline]
pub(super) fn accumulate<T: Element>(
    values: &[T],
    data: &mut [T],
    spot: Spot<'_>,
    first: u64,
    with: Accumulation,
) {
    match with {
        Accumulation::Add => combine(values, data, spot, first, T::sum),
        Accumulation::Min => combine(values, data, spot, first, T::lower),
        Accumulation::Max => combine(values, data, spot, first, T::higher),
    }
}

#[inline(always)]
fn combine<T: Element>(values: &[T], data: &mut [T], spot: Spot<'_>, first: u64, with: impl Fn(T, T) -> T) {
    if let Some(range) = contiguous(spot, values.len(), first, data.len()) {
        data[range].iter_mut().zip(values).for_each(|(to, value)| *to = with(*to, *value));
        return;
    }
    each(spot, values.len(), first, |k, place| {
        if let Some(to) = usize::try_from(place).ok().and_then(|i| data.get_mut(i)) {
            *to = with(*to, values[k]);
        }
    });
}

/// Reads one value for all elements, whose place does not depend on the element.
pub(super) fn load_one(binding: &Binding<'_>, at: At, of: impl Fn(ValueId) -> Scalar) -> Scalar {
    let place = match at {
        At::Value(v) => match of(v) {
            Scalar::I32(i) => [i64::from(i)],
            Scalar::I64(i) => [i],
            // The verifier lets only integers be places.
            Scalar::Bool(_) | Scalar::F32(_) | Scalar::F64(_) => [0],
        },
        At::Scalar | At::Side(_) => {
            return typed!(binding.data.ty(), T => {
                T::data(binding).first().copied().unwrap_or_default().clean().scalar()
            });
        }
    };
    typed!(binding.data.ty(), T => {
        let mut lane = [T::default()];
        load(&mut lane, T::data(binding), Spot::Values64(&place), binding.first);
        lane[0].scalar()
    })
}
