//! The block engine against the interpreter, on random kernels and random data.

use neuropil_base::{Scalar, ScalarType};
use neuropil_interp as interp;
use neuropil_ir::{Context, Domain, Kernel, Verified, parse, prepare, testing};
use proptest::prelude::*;

use super::data::Element;
use super::*;

const CONTEXT: Context = Context { seed: 5, step: 1 << 40 };

/// A list of numbers and how it is told.
#[derive(Clone, Debug)]
enum Told {
    From(u64),
    Same(u64),
    List32(Vec<u32>),
    List64(Vec<u64>),
}

impl Told {
    fn numbers(&self) -> Numbers<'_> {
        match self {
            Self::From(first) => Numbers::From(*first),
            Self::Same(number) => Numbers::Same(*number),
            Self::List32(list) => Numbers::List32(list),
            Self::List64(list) => Numbers::List64(list),
        }
    }

    /// Own numbers, no two the same: from 3 on, or scattered over the numbers below a prime.
    fn own(kind: u8, len: usize) -> Self {
        let scattered = (0..len as u64).map(|k| (k * 37 + 11) % 1009);
        match kind % 3 {
            0 => Self::From(3),
            1 => Self::List32(scattered.map(|k| k as u32).collect()),
            _ => Self::List64(scattered.collect()),
        }
    }

    fn other(kind: u8, len: usize) -> Self {
        let list = (0..len as u64).map(|k| k * k % 17);
        match kind % 4 {
            0 => Self::Same(2),
            1 => Self::From(0),
            2 => Self::List32(list.map(|k| k as u32).collect()),
            _ => Self::List64(list.collect()),
        }
    }
}

fn by_interpreter(
    kernel: &Verified,
    elements: &Elements<'_>,
    contents: &[Vec<Scalar>],
) -> (Vec<Vec<Scalar>>, Vec<u32>) {
    let (mut slots, mut events) = (contents.to_vec(), Vec::new());
    for k in 0..elements.len {
        let element = neuropil_ir::Element {
            own: elements.own.get(k),
            pre: elements.pre.get(k) as u32,
            post: elements.post.get(k) as u32,
        };
        interp::run(kernel, &CONTEXT, element, &mut slots[..], &mut |own| events.push(own));
    }
    (slots, events)
}

/// Buffers of machine types.
enum Buffer {
    Bool(Vec<u8>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Buffer {
    fn new(ty: ScalarType, list: &[Scalar]) -> Self {
        match ty {
            ScalarType::Bool => Self::Bool(list.iter().map(|x| Element::of(*x)).collect()),
            ScalarType::I32 => Self::I32(list.iter().map(|x| Element::of(*x)).collect()),
            ScalarType::I64 => Self::I64(list.iter().map(|x| Element::of(*x)).collect()),
            ScalarType::F32 => Self::F32(list.iter().map(|x| Element::of(*x)).collect()),
            ScalarType::F64 => Self::F64(list.iter().map(|x| Element::of(*x)).collect()),
        }
    }

    fn slot(&mut self) -> Slot<'_> {
        match self {
            Self::Bool(data) => (&mut data[..]).into(),
            Self::I32(data) => (&mut data[..]).into(),
            Self::I64(data) => (&mut data[..]).into(),
            Self::F32(data) => (&mut data[..]).into(),
            Self::F64(data) => (&mut data[..]).into(),
        }
    }

    fn scalars(&self) -> Vec<Scalar> {
        match self {
            Self::Bool(data) => data.iter().map(|x| x.scalar()).collect(),
            Self::I32(data) => data.iter().map(|x| x.scalar()).collect(),
            Self::I64(data) => data.iter().map(|x| x.scalar()).collect(),
            Self::F32(data) => data.iter().map(|x| x.scalar()).collect(),
            Self::F64(data) => data.iter().map(|x| x.scalar()).collect(),
        }
    }
}

fn by_blocks(
    kernel: &Verified,
    level: Level,
    workspace: &mut Workspace,
    elements: &Elements<'_>,
    contents: &[Vec<Scalar>],
) -> (Vec<Vec<Scalar>>, Vec<u32>) {
    let block = Block::compile_for(kernel, level);
    let mut buffers: Vec<Buffer> =
        kernel.slots.iter().zip(contents).map(|(slot, list)| Buffer::new(slot.ty, list)).collect();
    let slots: Vec<Slot<'_>> = buffers.iter_mut().map(Buffer::slot).collect();
    let mut events = Vec::new();
    block.run(workspace, &CONTEXT, elements, &slots, &mut events).unwrap();
    (buffers.iter().map(Buffer::scalars).collect(), events)
}

fn agree(kernel: &Kernel, elements: &Elements<'_>, contents: &[Vec<Scalar>]) -> Result<(), TestCaseError> {
    let prepared = prepare(kernel).unwrap();
    let (wanted, events) = by_interpreter(&prepared, elements, contents);
    let mut workspace = Workspace::new();
    for level in Level::available() {
        let (found, found_events) = by_blocks(&prepared, level, &mut workspace, elements, contents);
        for (slot, (wanted, found)) in kernel.slots.iter().zip(wanted.iter().zip(&found)) {
            for (i, (w, f)) in wanted.iter().zip(found).enumerate() {
                prop_assert!(
                    testing::same(*w, *f),
                    "{}[{i}] is {f:?} by {level:?}, wanted {w:?}\n{prepared}\n{elements:?}",
                    slot.name
                );
            }
        }
        prop_assert_eq!(&events, &found_events, "{}", &prepared);
    }
    #[cfg(target_arch = "x86_64")]
    for isa in crate::x86::Isa::available() {
        let Some((found, found_events)) = by_machine(&prepared, isa, &mut workspace, elements, contents)
        else {
            continue;
        };
        for (slot, (wanted, found)) in kernel.slots.iter().zip(wanted.iter().zip(&found)) {
            for (i, (w, f)) in wanted.iter().zip(found).enumerate() {
                prop_assert!(
                    testing::same(*w, *f),
                    "{}[{i}] is {f:?} by machine code for {isa:?}, wanted {w:?}\n{prepared}\n{elements:?}",
                    slot.name
                );
            }
        }
        prop_assert_eq!(&events, &found_events, "{:?}\n{}", isa, &prepared);
    }
    Ok(())
}

/// `None` if the body is one for the block engine.
#[cfg(target_arch = "x86_64")]
fn by_machine(
    kernel: &Verified,
    isa: crate::x86::Isa,
    workspace: &mut Workspace,
    elements: &Elements<'_>,
    contents: &[Vec<Scalar>],
) -> Option<(Vec<Vec<Scalar>>, Vec<u32>)> {
    let machine = crate::x86::Kernel::compile_for(kernel, isa)?;
    let mut buffers: Vec<Buffer> =
        kernel.slots.iter().zip(contents).map(|(slot, list)| Buffer::new(slot.ty, list)).collect();
    let slots: Vec<Slot<'_>> = buffers.iter_mut().map(Buffer::slot).collect();
    let mut events = Vec::new();
    machine
        .run(workspace, &CONTEXT, elements, &slots, &mut events)
        .then(|| (buffers.iter().map(Buffer::scalars).collect(), events))
}

/// What some calls leave, one after the other: each with a new binding, or all with one.
#[cfg(target_arch = "x86_64")]
fn by_calls(
    machine: &crate::x86::Kernel,
    kernel: &Verified,
    calls: &[(i64, Elements<'_>)],
    contents: &[Vec<Scalar>],
    with_one_binding: bool,
) -> (Vec<Vec<Scalar>>, Vec<u32>, Vec<bool>) {
    let mut buffers: Vec<Buffer> =
        kernel.slots.iter().zip(contents).map(|(slot, list)| Buffer::new(slot.ty, list)).collect();
    let slots: Vec<Slot<'_>> = buffers.iter_mut().map(Buffer::slot).collect();
    let (mut workspace, mut binding) = (Workspace::new(), crate::x86::Binding::default());
    let (mut events, mut done) = (Vec::new(), Vec::new());
    for (step, elements) in calls {
        let context = Context { step: *step, ..CONTEXT };
        done.push(if with_one_binding {
            machine.run_bound((&mut binding, &slots), &mut workspace, &context, elements, &mut events)
        } else {
            machine.run(&mut workspace, &context, elements, &slots, &mut events)
        });
    }
    (buffers.iter().map(Buffer::scalars).collect(), events, done)
}

fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![0_usize..100, BLOCK - 2..BLOCK + 3, Just(600)]
}

#[cfg(target_arch = "x86_64")]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn calls_with_one_binding_give_what_single_calls_give(
        bytes in proptest::collection::vec(any::<u8>(), 0..500),
        data in proptest::collection::vec(any::<u8>(), 1..200),
        calls in proptest::collection::vec((0_u64..3, prop::sample::select(&[0_usize, 1, 40, 40, 600][..]), any::<bool>()), 1..8),
    ) {
        let kernel = prepare(&testing::kernel(&bytes)).unwrap();
        let contents = testing::contents(&kernel, 1100, &data);
        let list: Vec<u32> = (0..600).map(|k| k + k / 3).collect();
        let told = |(k, (first, len, listed)): (usize, &(u64, usize, bool))| {
            let all = Elements::range(*first, *len);
            let own = if *listed { Numbers::List32(&list[..*len]) } else { Numbers::From(*first) };
            (k as i64 / 2, Elements { own, post: own, ..all })
        };
        let calls: Vec<_> = calls.iter().enumerate().map(told).collect();
        for isa in crate::x86::Isa::available() {
            let Some(machine) = crate::x86::Kernel::compile_for(&kernel, isa) else { continue };
            let [single, bound] =
                [false, true].map(|one| by_calls(&machine, &kernel, &calls, &contents, one));
            for (wanted, found) in single.0.iter().flatten().zip(bound.0.iter().flatten()) {
                prop_assert!(testing::same(*wanted, *found), "{found:?} for {wanted:?}\n{kernel}");
            }
            prop_assert_eq!((&single.1, &single.2), (&bound.1, &bound.2), "{}", &kernel);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn blocks_give_what_the_interpreter_gives(
        bytes in proptest::collection::vec(any::<u8>(), 0..500),
        data in proptest::collection::vec(any::<u8>(), 1..200),
        len in lengths(),
        kinds: [u8; 3],
    ) {
        let kernel = testing::kernel(&bytes);
        let contents = testing::contents(&kernel, 1100, &data);
        let (own, pre) = (Told::own(kinds[0], len), Told::other(kinds[1], len));
        // Pairs come one presynaptic neuron at a time, so no two have the same postsynaptic one.
        let post = match kernel.domain {
            Domain::Pairs => Told::own(kinds[2], len),
            Domain::Elements | Domain::Synapses => Told::other(kinds[2], len),
        };
        let elements = Elements { len, own: own.numbers(), pre: pre.numbers(), post: post.numbers() };
        agree(&kernel, &elements, &contents)?;
    }

    #[test]
    fn buffers_that_are_too_short_are_survived(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        len in lengths(),
        kinds: [u8; 3],
        size in 0_usize..10,
    ) {
        let kernel = prepare(&testing::kernel(&bytes)).unwrap();
        let contents = testing::contents(&kernel, size, &bytes);
        let (own, pre, post) =
            (Told::own(kinds[0], len), Told::other(kinds[1], len), Told::other(kinds[2], len));
        let elements = Elements { len, own: own.numbers(), pre: pre.numbers(), post: post.numbers() };
        by_blocks(&kernel, Level::best(), &mut Workspace::new(), &elements, &contents);
        #[cfg(target_arch = "x86_64")]
        for isa in crate::x86::Isa::available() {
            by_machine(&kernel, isa, &mut Workspace::new(), &elements, &contents);
        }
    }
}

#[test]
fn every_operation_agrees_on_special_values() {
    let mut body = String::new();
    let names = |ty: &str| match ty {
        "bool" => ["not"].to_vec(),
        "i32" | "i64" => ["neg", "abs", "not"].to_vec(),
        _ => ["neg", "abs", "sqrt", "floor", "ceil", "trunc"].to_vec(),
    };
    let pairs = |ty: &str| match ty {
        "bool" => ["and", "or", "xor"].to_vec(),
        "i32" | "i64" => {
            ["add", "sub", "mul", "div", "rem", "min", "max", "and", "or", "xor", "shl", "shr", "sar"]
                .to_vec()
        }
        _ => ["add", "sub", "mul", "div", "min", "max"].to_vec(),
    };
    let types = ["bool", "i32", "i64", "f32", "f64"];
    let mut slots = String::new();
    let mut n = 0;
    let mut out = |ty: &str, op: String| {
        n += 1;
        slots.push_str(&format!("slot o{n}: {ty}\n"));
        body.push_str(&format!("%r{n} = {op} : {ty}\nstore o{n}[own], %r{n}\n"));
    };
    for ty in types {
        // Two lanes, and a shared value on either side.
        let operands = [("a", "b"), ("a", "u"), ("u", "a")].map(|(x, y)| format!("%{ty}.{x}, %{ty}.{y}"));
        for op in names(ty) {
            out(ty, format!("{op} %{ty}.a"));
        }
        for xy in &operands {
            pairs(ty).iter().for_each(|op| out(ty, format!("{op} {xy}")));
            ["eq", "ne", "lt", "le", "gt", "ge"].iter().for_each(|op| out("bool", format!("{op} {xy}")));
            for c in ["a", "u"] {
                out(ty, format!("select %bool.{c}, {xy}"));
                if ty.starts_with('f') {
                    out(ty, format!("fma {xy}, %{ty}.{c}"));
                    out(ty, format!("fma %{ty}.{c}, {xy}"));
                }
            }
        }
        types.iter().for_each(|to| out(to, format!("convert %{ty}.a")));
    }
    out("f32", "bitcast %i32.a".to_owned());
    out("f64", "bitcast %i64.a".to_owned());
    let inputs: String =
        types.iter().map(|ty| format!("slot {ty}.a: {ty}\nslot {ty}.b: {ty}\nslot {ty}.u: {ty}\n")).collect();
    let loads: String = types
        .iter()
        .map(|ty| {
            let load = |name: &str, at: &str| format!("%{ty}.{name} = load {ty}.{name}[{at}] : {ty}\n");
            load("a", "own") + &load("b", "own") + &load("u", "scalar")
        })
        .collect();
    let kernel = parse(&format!("kernel all over elements {{\n{inputs}{slots}{loads}{body}}}")).unwrap();
    #[cfg(target_arch = "x86_64")]
    for isa in crate::x86::Isa::available() {
        let contents = testing::contents(&kernel, 1, &[]);
        let range = Elements::range(0, 1);
        let prepared = prepare(&kernel).unwrap();
        assert!(by_machine(&prepared, isa, &mut Workspace::new(), &range, &contents).is_some(), "{isa:?}");
    }
    // Every pair of bytes below 20 and above 240: specials, limits and small numbers.
    let list: Vec<u8> = (0..18).chain(240..=255).chain([1, 31, 32, 63, 64, 200]).collect();
    let len = list.len() * list.len();
    for shared in [0, 2, 13, 15, 250] {
        let contents: Vec<Vec<Scalar>> = kernel
            .slots
            .iter()
            .map(|slot| {
                let byte = |k: usize| match slot.name.rsplit_once('.') {
                    Some((_, "a")) => list[k % list.len()],
                    Some((_, "b")) => list[k / list.len()],
                    Some((_, _)) => shared,
                    None => 0,
                };
                (0..len).map(|k| testing::scalar(slot.ty, byte(k))).collect()
            })
            .collect();
        agree(&kernel, &Elements::range(0, len), &contents).unwrap();
    }
}

#[test]
fn targets_that_repeat_are_added_in_order() {
    let text = "kernel k over synapses { \n slot w: f32\n slot ge: f32\n slot v: f32
        %0 = load w[own] : f32\n %1 = load v[post] : f32\n %2 = mul %0, %1 : f32\n accumulate add ge[post], %2\n}";
    let block = Block::compile(&prepare(&parse(text).unwrap()).unwrap());
    let (w, v, mut ge) = ([0.0, 1.0_f32, 2.0, 3.0], [10.0_f32, 100.0], [0.0_f32; 2]);
    let slots = [Slot::from(&w[..]), Slot::from(&mut ge[..]), Slot::from(&v[..])];
    let posts = [1, 0, 1];
    let elements =
        Elements { len: 3, own: Numbers::From(1), pre: Numbers::Same(0), post: Numbers::List32(&posts) };
    block.run(&mut Workspace::new(), &CONTEXT, &elements, &slots, &mut Vec::new()).unwrap();
    assert_eq!(ge, [20.0, 400.0]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let text = "kernel k over elements { \n slot v: f64\n %0 = load v[own] : f64\n store v[own], %0\n}";
    let block = Block::compile(&prepare(&parse(text).unwrap()).unwrap());
    let run = |slots: &[Slot<'_>], elements: &Elements<'_>| {
        block.run(&mut Workspace::new(), &CONTEXT, elements, slots, &mut Vec::new()).unwrap_err().to_string()
    };
    let range = Elements::range(0, 2);
    assert_eq!(run(&[], &range), "the kernel `k` has 1 slots, 0 are bound");
    assert_eq!(run(&[(&[0.0_f64][..]).into()], &range), "slot `v` is written, the buffer may only be read");
    assert_eq!(run(&[(&mut [0_i32][..]).into()], &range), "slot `v` holds `f64`, the buffer `i32`");
    let short = Elements { len: 3, ..Elements::list(&[1, 2]) };
    assert_eq!(run(&[(&mut [0.0_f64][..]).into()], &short), "there are 3 elements, but a list of 2 numbers");
}

#[test]
fn lanes_are_used_again() {
    let mut text = "kernel k over elements {\n slot v: f64\n %0 = load v[own] : f64\n".to_owned();
    for i in 1..50 {
        text += &format!("%{i} = add %{}, %0 : f64\n", i - 1);
    }
    text += "store v[own], %49\n}";
    let program = compile::compile(&prepare(&parse(&text).unwrap()).unwrap());
    assert_eq!(program.lanes[2], 3);
}

#[test]
fn functions_are_found_again_and_keep_their_bits() {
    let unary = [
        "exp",
        "expm1",
        "exprel",
        "per_exprel",
        "log",
        "log10",
        "log1p",
        "sin",
        "cos",
        "sinh",
        "cosh",
        "tanh",
    ];
    for ty in ["f32", "f64"] {
        let mut text = format!("kernel k over elements {{\nslot x: {ty}\nslot y: {ty}\n");
        for i in 0..=unary.len() {
            text += &format!("slot o{i}: {ty}\n");
        }
        text += &format!("%x = load x[own] : {ty}\n%y = load y[own] : {ty}\n");
        for (i, name) in unary.iter().enumerate() {
            text += &format!("%r{i} = call {name} %x : {ty}\nstore o{i}[own], %r{i}\n");
        }
        let i = unary.len();
        text += &format!("%r{i} = call pow %x, %y : {ty}\nstore o{i}[own], %r{i}\n}}");
        let kernel = prepare(&parse(&text).unwrap()).unwrap();
        // Two loads, and for each function a loop and a store.
        assert_eq!(compile::compile(&kernel).codes.len(), 2 + 2 * 13, "{ty}");
        let list: Vec<u8> = (0..=255).collect();
        let contents: Vec<Vec<Scalar>> = kernel
            .slots
            .iter()
            .enumerate()
            .map(|(s, slot)| {
                (0..700)
                    .map(|k| testing::scalar(slot.ty, list[if s == 1 { k / 31 } else { k % 256 }]))
                    .collect()
            })
            .collect();
        agree(&kernel, &Elements::range(0, 700), &contents).unwrap();
    }
}

#[test]
fn random_variables_are_found_again_and_keep_their_bits() {
    for ty in [ScalarType::F32, ScalarType::F64] {
        let mut b = neuropil_ir::Builder::new("k", Domain::Elements);
        for (site, distribution) in neuropil_math::Distribution::ALL.into_iter().enumerate() {
            let words: Vec<ValueId> = (0..distribution.words(ty))
                .map(|draw| b.word(site as u32, draw as u32, neuropil_ir::Side::Own))
                .collect();
            let value = distribution.expand(&mut b, ty, &words);
            let slot = b.slot(distribution.name(), ty);
            b.store(slot, neuropil_ir::At::Side(neuropil_ir::Side::Own), value);
        }
        let kernel = prepare(&b.finish()).unwrap();
        let words = if ty == ScalarType::F32 { 4 } else { 7 };
        assert_eq!(compile::compile(&kernel).codes.len(), words + 6, "{ty}");
        let contents = vec![vec![Scalar::from_f64(ty, 0.0); 1500]; 3];
        // From the middle of 128 neighbours that share their blocks, and one by one.
        agree(&kernel, &Elements::range(77, 1400), &contents).unwrap();
        let list: Vec<u32> = (0..700).map(|k| (k * 37 + 5) % 1499).collect();
        agree(&kernel, &Elements::list(&list), &contents).unwrap();
    }
}
