//! Products of a full matrix and a vector: weighted sums of rates over all-to-all synapses.
//!
//! A step reads every weight once, so memory bounds it, and a kernel that walks row after row reads from one place at a time and
//! reads and writes all sums for each row. Here [`ROWS`] rows are walked together: the sums are in registers meanwhile, and
//! the processor fetches from as many places. Every sum takes its terms in the order of the rows, as ever, so the bits are the
//! same.

use neuropil_base::ScalarType;
use neuropil_ir::{Accumulation, At, Op, Side, SlotId, Verified};
use neuropil_math::BinaryOp;
use neuropil_memory::Element;

use crate::block::Level;
use crate::slot::Slot;

/// Rows that are walked together.
const ROWS: usize = 8;

/// A kernel that does nothing but `sums[post] += weights[own] * values[pre]`.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    weights: SlotId,
    values: SlotId,
    sums: SlotId,
    level: Level,
}

/// Where a part of a full matrix lies among its synapses, and on the two sides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The number of rows, and the first neuron of them.
    pub(crate) rows: (usize, usize),
    /// The length of a row.
    pub(crate) stride: usize,
    /// The number of columns of the part, and the first neuron of them.
    pub(crate) columns: (usize, usize),
    /// The first column of the part within the row.
    pub(crate) offset: usize,
}

impl Product {
    /// Recognises a kernel that has been prepared.
    pub(crate) fn of(kernel: &Verified) -> Option<Self> {
        let [first, second, product, sum] = kernel.insts.as_slice() else { return None };
        let loaded = |op: &Op, side: Side| {
            let Op::Load { slot, at: At::Side(of) } = op else { return None };
            (*of == side).then_some(*slot)
        };
        let pair = |own: &Op, pre: &Op| Some((loaded(own, Side::Own)?, loaded(pre, Side::Pre)?));
        let (weights, values) = pair(&first.op, &second.op).or_else(|| pair(&second.op, &first.op))?;
        let (Op::Binary(BinaryOp::Mul, a, b), Op::Accumulate { slot, at, with, value }) =
            (&product.op, &sum.op)
        else {
            return None;
        };
        let is_float = matches!(product.ty, Some(ScalarType::F32 | ScalarType::F64));
        let is_product = matches!((a.index(), b.index()), (0, 1) | (1, 0)) && value.index() == 2;
        let is_sum = *with == Accumulation::Add && *at == At::Side(Side::Post);
        let found = Self { weights, values, sums: *slot, level: Level::best() };
        (is_float && is_product && is_sum).then_some(found)
    }

    /// Adds the products of a part of a matrix to the sums. `false` if buffers do not fit: nothing has been done then.
    pub(crate) fn run(&self, slots: &[Slot<'_>], place: &Place) -> bool {
        let get = |id: SlotId| slots.get(id.index());
        let (Some(weights), Some(values), Some(sums)) = (get(self.weights), get(self.values), get(self.sums))
        else {
            return false;
        };
        // Terms that change with the sums are for a kernel.
        if [weights, values].iter().any(|slot| slot.as_ptr() == sums.as_ptr()) {
            return false;
        }
        match sums.ty() {
            ScalarType::F32 => typed::<f32>([weights, values, sums], place, |w, stride, x, y| {
                self.level.product_f32(w, stride, x, y);
            }),
            ScalarType::F64 => typed::<f64>([weights, values, sums], place, |w, stride, x, y| {
                self.level.product_f64(w, stride, x, y);
            }),
            ScalarType::Bool | ScalarType::I32 | ScalarType::I64 => None,
        }
        .is_some()
    }
}

/// Finds the parts of the three buffers. `None` if one is of another type, or too short.
fn typed<T: Element>(
    [weights, values, sums]: [&Slot<'_>; 3],
    place: &Place,
    add: impl Fn(&[T], usize, &[T], &mut [T]),
) -> Option<()> {
    let ((n_rows, pre), (n_columns, post)) = (place.rows, place.columns);
    let Some(last) = n_rows.checked_sub(1) else { return Some(()) };
    let end = last.checked_mul(place.stride)?.checked_add(place.offset + n_columns)?;
    let weights = weights.cells::<T>().part(place.offset..end)?;
    let values = values.cells::<T>().part(pre..pre + n_rows)?;
    let sums = sums.cells::<T>().part_mut(post..post + n_columns)?;
    add(weights, place.stride, values, sums);
    Some(())
}

/// `sums[j] += weights[k*stride + j] * values[k]` for all `j`, for one `k` after the other.
#[inline(always)]
pub(crate) fn add<T>(weights: &[T], stride: usize, values: &[T], sums: &mut [T])
where
    T: Copy + std::ops::Add<Output = T> + std::ops::Mul<Output = T>,
{
    let n = sums.len();
    let row = |k: usize| &weights[k * stride..][..n];
    let (groups, rest) = values.as_chunks::<ROWS>();
    for (k, values) in groups.iter().enumerate() {
        let rows: [&[T]; ROWS] = std::array::from_fn(|r| row(k * ROWS + r));
        for (j, sum) in sums.iter_mut().enumerate() {
            *sum = (0..ROWS).fold(*sum, |sum, r| sum + rows[r][j] * values[r]);
        }
    }
    for (k, value) in rest.iter().enumerate() {
        let row = row(groups.len() * ROWS + k);
        sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum = *sum + *weight * *value);
    }
}

#[cfg(test)]
mod tests {
    use neuropil_ir::{parse, prepare};

    use super::*;

    fn product(text: &str) -> Option<Product> {
        Product::of(&prepare(&parse(text).unwrap()).unwrap())
    }

    fn kernel(ty: &str, product: &str, with: &str) -> String {
        format!(
            "kernel k over synapses {{
  slot w: {ty}
  slot x: {ty}
  slot y: {ty}
  %0 = load w[own] : {ty}
  %1 = load x[pre] : {ty}
  %2 = {product} : {ty}
  accumulate {with} y[post], %2
}}"
        )
    }

    #[test]
    fn weighted_sums_are_recognised_and_nothing_else() {
        for ty in ["f32", "f64"] {
            assert!(product(&kernel(ty, "mul %0, %1", "add")).is_some());
            assert!(product(&kernel(ty, "mul %1, %0", "add")).is_some());
            assert!(product(&kernel(ty, "mul %1, %1", "add")).is_none());
            assert!(product(&kernel(ty, "add %0, %1", "add")).is_none());
            assert!(product(&kernel(ty, "mul %0, %1", "max")).is_none());
        }
        assert!(product(&kernel("i32", "mul %0, %1", "add")).is_none());
    }

    #[test]
    fn parts_of_matrices_have_the_bits_of_sums_in_order() {
        let found = product(&kernel("f32", "mul %0, %1", "add")).unwrap();
        for level in Level::available() {
            let found = Product { level, ..found.clone() };
            for (n_rows, stride, first, end) in [(0, 5, 0, 5), (1, 1, 0, 1), (7, 40, 3, 40), (29, 90, 11, 77)]
            {
                let number = |k: usize| ((k * 7919 + 13) % 1009) as f32 / 1009.0 - 0.4;
                let weights: Vec<f32> = (0..n_rows * stride).map(number).collect();
                let values: Vec<f32> = (0..n_rows + 2).map(|k| number(k + 5)).collect();
                let mut sums: Vec<f32> = (0..stride + 4).map(|k| number(k + 9)).collect();
                let mut expected = sums.clone();
                for k in 0..n_rows {
                    for j in first..end {
                        expected[4 + j] += weights[k * stride + j] * values[2 + k];
                    }
                }
                let place =
                    Place { rows: (n_rows, 2), stride, columns: (end - first, 4 + first), offset: first };
                let slots = [(&weights[..]).into(), (&values[..]).into(), (&mut sums[..]).into()];
                assert!(found.run(&slots, &place));
                let bits = |list: &[f32]| list.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&sums), bits(&expected), "{} {n_rows} x {stride}", level.name());
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_left_as_it_is() {
        let found = product(&kernel("f64", "mul %0, %1", "add")).unwrap();
        let (weights, values, mut sums) = ([1.0_f64; 5], [1.0_f64; 2], [0.0_f64; 3]);
        let place = Place { rows: (2, 0), stride: 3, columns: (3, 0), offset: 0 };
        let slots = [(&weights[..]).into(), (&values[..]).into(), (&mut sums[..]).into()];
        assert!(!found.run(&slots, &place));
        assert_eq!(sums, [0.0; 3]);
    }
}
