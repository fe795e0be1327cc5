//! What a kernel means: its body carried out for one element, one instruction after the other.
//!
//! This is the definition that every other backend agrees with bit for bit (the bits of a NaN excepted):
//!
//! * Operations are those of [`neuropil_math::scalar`].
//! * A computed place outside of a buffer reads the nearest element, or 0 from an empty buffer; it writes nothing.
//!   The numbers of sides lie inside: their driver sees to it. Here they are treated alike if they do not.
//! * A random word is [`neuropil_rng::word`] of (seed, site, draw, number of the side, step); a sample takes its
//!   words from the [`SampleBits`] of (seed, site, number of the side, step).
//! * Accumulation gives `old + value`, `min(value, old)` or `max(value, old)`.

use neuropil_base::Scalar;
use neuropil_ir::{At, Context, Element, Kernel, Op, SlotId, ValueId, Verified, index_value};
use neuropil_rng::{SampleBits, word};

/// The buffers that a kernel's slots are bound to.
pub trait Slots {
    /// The number of elements.
    fn len(&self, slot: SlotId) -> usize;
    /// The element `index`, below [`len`](Self::len), of the slot's type.
    fn load(&self, slot: SlotId, index: usize) -> Scalar;
    /// Replaces the element `index`, below [`len`](Self::len), by a value of the slot's type.
    fn store(&mut self, slot: SlotId, index: usize, value: Scalar);
}

/// Plain lists of values, by slot.
impl Slots for [Vec<Scalar>] {
    fn len(&self, slot: SlotId) -> usize {
        self.get(slot.index()).map_or(0, Vec::len)
    }

    fn load(&self, slot: SlotId, index: usize) -> Scalar {
        self[slot.index()][index]
    }

    fn store(&mut self, slot: SlotId, index: usize, value: Scalar) {
        self[slot.index()][index] = value;
    }
}

/// Runs the kernel for one element; `emit` is called with the element's own number if it emits an event.
///
/// ```
/// use neuropil_base::Scalar;
/// use neuropil_ir::{Context, Element, parse, prepare};
/// let kernel = parse("kernel twice over elements {
///   slot v: f64
///   %0 = load v[own] : f64
///   %1 = add %0, %0 : f64
///   store v[own], %1
/// }")?;
/// let mut slots = [vec![Scalar::F64(1.0), Scalar::F64(2.5)]];
/// let context = Context { seed: 0, step: 0 };
/// let element = Element { own: 1, pre: 0, post: 0 };
/// neuropil_interp::run(&prepare(&kernel)?, &context, element, &mut slots[..], &mut |_| {});
/// assert_eq!(slots[0], [Scalar::F64(1.0), Scalar::F64(5.0)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn run<S: Slots + ?Sized>(
    kernel: &Verified,
    context: &Context,
    element: Element,
    slots: &mut S,
    emit: &mut dyn FnMut(u32),
) {
    let mut values: Vec<Scalar> = Vec::with_capacity(kernel.insts.len());
    for inst in &kernel.insts {
        let of = |v: ValueId| values[v.index()];
        let value = match &inst.op {
            Op::Step => Some(Scalar::I64(context.step)),
            Op::Index(side) => Some(Scalar::I32(index_value(element.number(*side)))),
            Op::Load { slot, at } => Some(load(kernel, slots, *slot, place(*at, element, of))),
            Op::Word { site, draw, side } => {
                let word = word(context.seed, *site, *draw, element.number(*side), context.step);
                Some(Scalar::I32(word as i32))
            }
            Op::Sample { sampler, site, side, args } => {
                let args: Vec<f64> = args.iter().map(|a| of(*a).to_f64()).collect();
                let mut bits = SampleBits::new(context.seed, *site, element.number(*side), context.step);
                Some(Scalar::I32(sampler.draw(&args, &mut bits)))
            }
            Op::Store { slot, at, value } => {
                if let Some(index) = inside(slots.len(*slot), place(*at, element, of)) {
                    slots.store(*slot, index, of(*value));
                }
                None
            }
            Op::Accumulate { slot, at, with, value } => {
                if let Some(index) = inside(slots.len(*slot), place(*at, element, of)) {
                    let combined = with.combine(slots.load(*slot, index), of(*value));
                    slots.store(*slot, index, combined);
                }
                None
            }
            Op::Emit(condition) => {
                if of(*condition) == Scalar::Bool(true) {
                    emit(element.own as u32);
                }
                None
            }
            op @ (Op::Constant(_)
            | Op::Unary(..)
            | Op::Binary(..)
            | Op::Compare(..)
            | Op::Fma(..)
            | Op::Select(..)
            | Op::Convert(_)
            | Op::Bitcast(_)
            | Op::Call(..)) => inst.ty.and_then(|ty| op.evaluate(ty, of)),
        };
        // Nothing refers to what an effect gives.
        values.push(value.unwrap_or(Scalar::Bool(false)));
    }
}

/// The number of the element that a place means, inside of the buffer or not.
fn place(at: At, element: Element, of: impl Fn(ValueId) -> Scalar) -> i128 {
    match at {
        At::Side(side) => i128::from(element.number(side)),
        At::Scalar => 0,
        At::Value(v) => match of(v) {
            Scalar::I32(i) => i128::from(i),
            Scalar::I64(i) => i128::from(i),
            // The verifier lets only integers be places.
            Scalar::Bool(_) | Scalar::F32(_) | Scalar::F64(_) => 0,
        },
    }
}

/// The place, if it lies in a buffer of `len` elements.
fn inside(len: usize, place: i128) -> Option<usize> {
    usize::try_from(place).ok().filter(|i| *i < len)
}

fn load<S: Slots + ?Sized>(kernel: &Kernel, slots: &S, slot: SlotId, place: i128) -> Scalar {
    match slots.len(slot).checked_sub(1) {
        Some(last) => slots.load(slot, usize::try_from(place.max(0)).unwrap_or(last).min(last)),
        None => Scalar::from_bits(kernel.slots[slot.index()].ty, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use neuropil_ir::{parse, prepare, testing};
    use proptest::prelude::*;

    const CONTEXT: Context = Context { seed: 7, step: 11 };

    /// Runs elements one after the other and gives the slots and what was emitted.
    fn outcome(
        kernel: &Verified,
        elements: &[Element],
        mut slots: Vec<Vec<Scalar>>,
    ) -> (Vec<Vec<Scalar>>, Vec<u32>) {
        let mut emitted = Vec::new();
        for element in elements {
            run(kernel, &CONTEXT, *element, &mut slots[..], &mut |own| emitted.push(own));
        }
        (slots, emitted)
    }

    fn elements(n: u32) -> Vec<Element> {
        (0..n).map(|i| Element { own: u64::from(i), pre: i / 2, post: (i * 5) % n }).collect()
    }

    fn same(a: &[Vec<Scalar>], b: &[Vec<Scalar>]) -> bool {
        a.iter().flatten().zip(b.iter().flatten()).all(|(a, b)| testing::same(*a, *b))
    }

    #[test]
    fn a_place_outside_reads_the_nearest_element_and_writes_nothing() {
        let text = "kernel k over elements {
            slot v: i32\n slot at: i64\n slot none: f64\n slot out: i32\n slot f: f64
            %0 = load at[own] : i64\n %1 = load v[%0] : i32\n store out[own], %1\n store v[%0], %1
            %4 = load none[own] : f64\n store f[own], %4\n accumulate add none[own], %4\n}";
        // `none` is accumulated into as well as loaded here, so the text says it twice.
        let text = text.replace(" accumulate add none[own], %4\n", "");
        let kernel = prepare(&parse(&text).unwrap()).unwrap();
        let ints = |list: &[i32]| list.iter().map(|i| Scalar::I32(*i)).collect::<Vec<_>>();
        let slots = vec![
            ints(&[10, 20, 30]),
            [-5, 99, 1].iter().map(|i| Scalar::I64(*i)).collect(),
            Vec::new(),
            ints(&[0, 0, 0]),
            vec![Scalar::F64(1.0); 3],
        ];
        let (slots, _) = outcome(&kernel, &elements(3), slots);
        assert_eq!(slots[0], ints(&[10, 20, 30]));
        assert_eq!(slots[3], ints(&[10, 30, 20]));
        assert_eq!(slots[4], vec![Scalar::F64(0.0); 3]);
    }

    #[test]
    fn accumulation_takes_one_element_after_the_other() {
        let text = "kernel k over synapses {
            slot w: f64\n slot sum: f64\n slot low: f64\n slot high: f64
            %0 = load w[own] : f64
            accumulate add sum[post], %0\n accumulate min low[post], %0\n accumulate max high[post], %0
            %4 = const f64 0.0\n %5 = lt %0, %4 : bool\n emit %5\n}";
        let kernel = prepare(&parse(text).unwrap()).unwrap();
        let reals = |list: &[f64]| list.iter().map(|x| Scalar::F64(*x)).collect::<Vec<_>>();
        let slots = vec![
            reals(&[1.0, -2.0, f64::NAN, 4.0]),
            reals(&[0.0, 0.0]),
            reals(&[0.0, f64::NAN]),
            reals(&[0.0, 3.0]),
        ];
        let list: Vec<Element> = (0..4).map(|i| Element { own: i, pre: 0, post: (i / 3) as u32 }).collect();
        let (slots, emitted) = outcome(&kernel, &list, slots);
        assert!(slots[1][0].to_f64().is_nan() && slots[1][1] == Scalar::F64(4.0));
        assert!(slots[2][0] == Scalar::F64(-2.0) && slots[2][1].to_f64().is_nan());
        assert_eq!(slots[3], reals(&[1.0, 4.0]));
        assert_eq!(emitted, [1]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn passes_preserve_what_a_kernel_does(
            bytes in proptest::collection::vec(any::<u8>(), 0..500),
            data in proptest::collection::vec(any::<u8>(), 1..80),
            n in 1_u32..8,
        ) {
            let kernel = testing::primitive_kernel(&bytes);
            let slots = testing::contents(&kernel, n as usize, &data);
            let (prepared, emitted) = outcome(&prepare(&kernel).unwrap(), &elements(n), slots.clone());
            let plain = outcome(&Verified::new(kernel.clone()).unwrap(), &elements(n), slots);
            prop_assert!(same(&prepared, &plain.0), "{}\n{:?}\n{:?}", kernel, prepared, plain.0);
            prop_assert_eq!(emitted, plain.1);
        }
    }

    /// A kernel over elements that are independent but for what `bytes` say.
    fn over_elements(bytes: &[u8]) -> Kernel {
        let all: Vec<u8> = [0, 1].iter().chain(bytes).copied().collect();
        prepare(&testing::kernel(&all)).unwrap().kernel().clone()
    }

    /// Buffers for a kernel's slots: for each the next of its type that `choices` do not pass over, or a new one.
    fn bind(kernel: &Kernel, types: &mut Vec<neuropil_base::ScalarType>, choices: &[u8]) -> Vec<usize> {
        let mut bound = Vec::new();
        for (k, slot) in kernel.slots.iter().enumerate() {
            let skipped = usize::from(choices[k % choices.len()] % 3);
            let fits = |at: &usize| types[*at] == slot.ty && !bound.contains(at);
            let known = (0..types.len()).filter(fits).nth(skipped);
            bound.push(known.unwrap_or_else(|| {
                types.push(slot.ty);
                types.len() - 1
            }));
        }
        bound
    }

    /// Runs a kernel for all elements, with its slots bound to some of the buffers.
    fn run_bound(kernel: &Verified, bound: &[usize], buffers: &mut [Vec<Scalar>], emitted: &mut Vec<u32>) {
        let slots: Vec<Vec<Scalar>> = bound.iter().map(|b| buffers[*b].clone()).collect();
        let (slots, events) = outcome(kernel, &elements(9), slots);
        emitted.extend(events);
        for (b, slot) in bound.iter().zip(slots) {
            buffers[*b] = slot;
        }
    }

    #[test]
    fn a_fused_kernel_does_what_its_parts_do_one_after_the_other() {
        let fused = std::cell::Cell::new(0);
        let bytes = || proptest::collection::vec(any::<u8>(), 0..200);
        let few = || proptest::collection::vec(any::<u8>(), 1..20);
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(2000));
        let given = (bytes(), bytes(), few(), proptest::collection::vec(any::<u8>(), 1..60));
        let done = runner.run(&given, |(first, second, choices, data)| {
            let kernels = [over_elements(&first), over_elements(&second)];
            let mut types = Vec::new();
            let bound = [bind(&kernels[0], &mut types, &[0]), bind(&kernels[1], &mut types, &choices)];
            let parts = [0, 1].map(|k| neuropil_ir::Bound { kernel: &kernels[k], bindings: &bound[k] });
            let Some((kernel, bindings)) = neuropil_ir::fuse(&parts).unwrap() else { return Ok(()) };
            fused.set(fused.get() + 1);
            let mut bytes = data.iter().cycle();
            let mut next = |ty| (0..9).map(|_| testing::scalar(ty, *bytes.next().unwrap_or(&0))).collect();
            let mut by_parts: Vec<Vec<Scalar>> = types.iter().map(|ty| next(*ty)).collect();
            let mut at_once = by_parts.clone();
            let (mut emitted, mut emitted_at_once) = (Vec::new(), Vec::new());
            for (part, bound) in kernels.iter().zip(&bound) {
                run_bound(&prepare(part).unwrap(), bound, &mut by_parts, &mut emitted);
            }
            run_bound(&kernel, &bindings, &mut at_once, &mut emitted_at_once);
            prop_assert!(same(&by_parts, &at_once), "{by_parts:?}\n{at_once:?}\n{kernel}");
            prop_assert_eq!(emitted, emitted_at_once, "{}", &kernel);
            Ok(())
        });
        done.unwrap_or_else(|error| panic!("{error}"));
        assert!(fused.get() > 100, "only {} of 2000 pairs could be fused", fused.get());
    }
}
