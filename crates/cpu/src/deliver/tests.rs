//! Deliveries against a direct walk over all synapses.

use std::sync::Arc;

use neuropil_backend::Synapses;
use neuropil_base::{Scalar, ScalarType};
use neuropil_connectivity::{Csr, DelayRows, Delays, Steps, Storage};
use neuropil_ir::{Accumulation, Context, Element, SlotId, parse, prepare};
use neuropil_kernels::Program;
use neuropil_kernels::program::{
    Action, Buffer, BufferId, Call, ClockIdx, ClockPlan, Kernel, KernelId, Operation, OperationId, Role,
    Stream, StreamId, Structure, StructureId, Travel,
};
use neuropil_memory::HostBuffer;
use neuropil_model::{Endpoint, Placed, Schedule, Slot as StepSlot, When};
use proptest::prelude::*;

use super::*;
use crate::Slot;

/// A projection and what it delivers.
#[derive(Clone, Debug)]
struct Projection {
    rows: Vec<Vec<u32>>,
    post_start: u32,
    n_post: u32,
    delays: Delays,
    /// Whether delays are handed over as sorted rows, or by synapse.
    sorted: bool,
}

#[derive(Clone, Debug)]
struct Case {
    projections: Vec<Projection>,
    n_pre: u32,
    pre_start: u32,
    n_post: u32,
    bounds: Vec<u32>,
    /// For each of the last steps, the neurons that emitted.
    emitted: Vec<Vec<u32>>,
    seed: u64,
}

fn any_case() -> impl Strategy<Value = Case> {
    (1_u32..9, 0_u32..3, 1_usize..4, 1_usize..5, any::<u64>(), any::<bool>()).prop_flat_map(
        |(n_pre, pre_start, members, shards, seed, apart)| {
            let projection = |k: usize| {
                (1_u32..6, 0_u32..3, any::<bool>(), 1_u32..12).prop_flat_map(
                    move |(n_post, kind, sorted, most)| {
                        let row = prop::collection::vec(0..n_post, 0..14);
                        prop::collection::vec(row, n_pre as usize).prop_flat_map(move |rows| {
                            let n: usize = rows.iter().map(Vec::len).sum();
                            let delays = match kind {
                                0 => Just(Delays::Scalar(most - 1)).boxed(),
                                _ => prop::collection::vec(0..most, n)
                                    .prop_map(|steps| Delays::PerSynapse(steps.into()))
                                    .boxed(),
                            };
                            let rows = rows.clone();
                            delays.prop_map(move |delays| Projection {
                                rows: rows.clone(),
                                post_start: k as u32 * 6,
                                n_post,
                                delays,
                                sorted,
                            })
                        })
                    },
                )
            };
            let projections: Vec<_> = (0..members).map(projection).collect();
            let n_post = members as u32 * 6 + 1;
            let cuts = prop::collection::vec(0..=n_post, shards - 1);
            let emitted = prop::collection::vec(prop::collection::btree_set(0..n_pre + 4, 0..6), 12);
            let _ = apart;
            (projections, cuts, emitted).prop_map(move |(projections, cuts, emitted)| {
                let mut bounds = vec![0, n_post];
                bounds.extend(cuts);
                bounds.sort_unstable();
                Case {
                    projections,
                    n_pre,
                    pre_start,
                    n_post,
                    bounds,
                    emitted: emitted.into_iter().map(|s| s.into_iter().collect()).collect(),
                    seed,
                }
            })
        },
    )
}

/// What the machines of this program are given.
struct World {
    program: Program,
    synapses: Vec<Arc<Synapses>>,
    buffers: Vec<HostBuffer>,
}

fn number(seed: &mut u64) -> f64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    f64::from((*seed >> 40) as u32) / 3_000_000.0 - 2.0
}

fn random_buffer(ty: ScalarType, len: usize, seed: &mut u64) -> HostBuffer {
    let mut buffer = HostBuffer::new(ty, len);
    for k in 0..len {
        let x = number(seed);
        buffer.set(
            k,
            if ty == ScalarType::Bool { Scalar::Bool(x > 0.0) } else { Scalar::from_f64(ty, x * 7.0) },
        );
    }
    buffer
}

/// The body of a kernel and its slots, by the buffers that they are bound to: `w` of the projection, `g` and `h` and
/// `open` of the target population, `a` of the source population, `shared`.
const BODIES: &[&str] = &[
    "slot w: T\n slot g: T\n %0 = load w[own] : T\n accumulate add g[post], %0",
    "slot shared: T\n slot g: T\n %0 = load shared[scalar] : T\n accumulate add g[post], %0",
    "slot g: T\n %0 = const T 3\n accumulate max g[post], %0",
    "slot w: T\n slot a: T\n slot g: T\n slot h: T\n %0 = load w[own] : T\n %1 = load a[pre] : T
     %2 = mul %0, %1 : T\n accumulate min g[post], %2\n accumulate add h[post], %0",
    "slot w: T\n slot g: T\n slot open: bool\n %0 = load w[own] : T\n %1 = load open[post] : bool
     %2 = const T 0\n %3 = select %1, %0, %2 : T\n accumulate add g[post], %3",
    "slot shared: T\n slot g: T\n slot open: bool\n %0 = step : i64\n %1 = load shared[%0] : T
     %2 = load open[post] : bool\n %3 = load shared[scalar] : T\n %4 = select %2, %1, %3 : T
     accumulate add g[post], %4",
    "slot w: T\n slot g: T\n %0 = load w[own] : T\n %1 = index own : i32\n %2 = index post : i32
     %3 = add %1, %2 : i32\n %4 = convert %3 : T\n %5 = sub %0, %4 : T\n accumulate add g[post], %5",
    "slot w: T\n slot a: T\n slot g: T\n %0 = load w[own] : T\n %1 = index pre : i32\n %2 = load a[%1] : T
     %3 = add %0, %2 : T\n accumulate max g[post], %3",
];

const STEP: i64 = 2;

fn world(case: &Case, body: &str, ty: ScalarType) -> World {
    let text = format!(
        "kernel k over synapses {{\n{}\n}}\n",
        body.replace(": T", &format!(": {ty}"))
            .replace("const T 3", &format!("const {ty} {}", if ty.is_float() { "3.5" } else { "3" }))
            .replace("const T 0", &format!("const {ty} {}", if ty.is_float() { "0.0" } else { "0" }))
    );
    let source = parse(&text).unwrap();
    let body = prepare(&source).unwrap();
    let names: Vec<String> = body.slots.iter().map(|s| s.name.clone()).collect();
    let kernel = Arc::new(Kernel { source, body });
    let mut seed = case.seed;
    let mut buffers = Vec::new();
    let mut add = |name: &str, ty: ScalarType, len: usize| {
        let contents = random_buffer(ty, len, &mut seed);
        buffers.push((Buffer { name: name.to_owned(), ty, len, role: Role::Scratch }, contents));
        BufferId::new(buffers.len() - 1)
    };
    let n_post = case.n_post as usize;
    let (g, h) = (add("g", ty, n_post), add("h", ty, n_post));
    let open = add("open", ScalarType::Bool, n_post);
    let a = add("a", ty, case.n_pre as usize + case.pre_start as usize);
    let shared = add("shared", ty, 3);
    let (mut structures, mut synapses, mut operations) = (Vec::new(), Vec::new(), Vec::new());
    for (k, projection) in case.projections.iter().enumerate() {
        let csr = Csr::from_rows(projection.n_post, &projection.rows).unwrap();
        let n_syn = csr.n_syn();
        let w = add(&format!("w{k}"), ty, n_syn);
        let rows = DelayRows::by_pre(&csr, &projection.delays).unwrap();
        let delay = match projection.delays {
            Delays::PerSynapse(_) => Travel::PerSynapse { pathway: 0, longest: 12 },
            Delays::None | Delays::Scalar(_) => Travel::Steps(projection.delays.max_steps()),
        };
        synapses.push(Arc::new(Synapses {
            rows: Storage::Csr(csr).into(),
            columns: None,
            delayed: vec![Some(rows.into())],
        }));
        structures.push(Structure {
            name: format!("p{k}"),
            pre_start: case.pre_start,
            n_pre: case.n_pre,
            post_start: projection.post_start,
            n_post: projection.n_post,
            n_syn,
        });
        let bindings = names.iter().map(|name| match name.as_str() {
            "g" => g,
            "h" => h,
            "open" => open,
            "a" => a,
            "shared" => shared,
            _ => w,
        });
        operations.push(Operation {
            name: format!("p{k}.pre"),
            clock: ClockIdx::new(0),
            placed: Placed::new(When::at(StepSlot::STANDARD[0].0), 0),
            action: Action::Deliver {
                call: Call { kernel: KernelId::new(0), bindings: bindings.collect() },
                stream: StreamId::new(0),
                structure: StructureId::new(k),
                on: Endpoint::Pre,
                delay,
                emitted: (0, i64::MAX),
            },
            owners: Vec::new(),
        });
    }
    let (described, contents) = buffers.into_iter().unzip();
    let program = Program {
        seed: 1,
        tick_s: 1e-4,
        schedule: Schedule::default(),
        clocks: vec![ClockPlan { name: "main".to_owned(), dt: 1e-4, period: 1 }],
        buffers: described,
        streams: vec![Stream { name: "s".to_owned(), size: 20, clock: ClockIdx::new(0), history: 12 }],
        structures,
        kernels: vec![kernel],
        operations,
        remarks: Vec::new(),
    };
    World { program, synapses, buffers: contents }
}

/// Buffers as the interpreter sees them.
struct Bound<'a> {
    buffers: &'a mut [HostBuffer],
    bindings: &'a [BufferId],
}

impl neuropil_interp::Slots for Bound<'_> {
    fn len(&self, slot: SlotId) -> usize {
        self.buffers[self.bindings[slot.index()].index()].len()
    }
    fn load(&self, slot: SlotId, index: usize) -> Scalar {
        self.buffers[self.bindings[slot.index()].index()].get(index)
    }
    fn store(&mut self, slot: SlotId, index: usize, value: Scalar) {
        self.buffers[self.bindings[slot.index()].index()].set(index, value);
    }
}

/// One synapse after the other, as it is defined. Gives the number of synapses.
fn expected(case: &Case, world: &World, buffers: &mut [HostBuffer]) -> u64 {
    let mut count = 0;
    for (operation, projection) in world.program.operations.iter().zip(&case.projections) {
        let Action::Deliver { call, .. } = &operation.action else { continue };
        for (delay, neurons) in (0..case.emitted.len() as u32).zip(&case.emitted).rev() {
            for neuron in neurons {
                let Some(row) = neuron.checked_sub(case.pre_start).filter(|r| *r < case.n_pre) else {
                    continue;
                };
                let start: usize = projection.rows[..row as usize].iter().map(Vec::len).sum();
                for (own, post) in (start..).zip(&projection.rows[row as usize]) {
                    if projection.delays.steps(own) != delay {
                        continue;
                    }
                    let element =
                        Element { own: own as u64, pre: *neuron, post: post + projection.post_start };
                    let mut slots = Bound { buffers, bindings: &call.bindings };
                    let body = &world.program.kernels[0].body;
                    let context = Context { seed: 1, step: STEP };
                    neuropil_interp::run(body, &context, element, &mut slots, &mut |_| {});
                    count += 1;
                }
            }
        }
    }
    count
}

fn slots<'a>(buffers: &'a mut [HostBuffer], call: &Call) -> Vec<Slot<'a>> {
    let all: Vec<Slot<'a>> = buffers
        .iter_mut()
        .map(|b| match b.ty() {
            ScalarType::Bool => Slot::from(b.as_mut_slice::<u8>()),
            ScalarType::I32 => Slot::from(b.as_mut_slice::<i32>()),
            ScalarType::I64 => Slot::from(b.as_mut_slice::<i64>()),
            ScalarType::F32 => Slot::from(b.as_mut_slice::<f32>()),
            ScalarType::F64 => Slot::from(b.as_mut_slice::<f64>()),
        })
        .collect();
    call.bindings.iter().map(|b| all[b.index()]).collect()
}

fn deliver(case: &Case, group: &Group, shards: &[ShardRows], buffers: &mut [HostBuffer]) -> u64 {
    let (_, call) = group.first().unwrap();
    let slots = slots(buffers, call);
    let mut count = 0;
    for rows in shards {
        let due = due(case, rows, LAST, &[LAST]);
        group.deliver(rows, due.buckets(), STEP, &slots);
        count += n_syn(&due);
    }
    count
}

/// The step that is delivered, as steps of emission are counted: the last of those whose events a case has.
const LAST: i64 = 11;

/// What is due in step `now` if those of `turns` were delivered, `now` the last of them.
fn due(case: &Case, rows: &ShardRows, now: i64, turns: &[i64]) -> Due {
    let mut due = Due::default();
    for turn in turns {
        for step in due.turn(rows, *turn, (0, i64::MAX)) {
            due.enter(rows, step, [case.emitted[(LAST - step) as usize].as_slice()]);
        }
        if *turn < now {
            due.done();
        }
    }
    due
}

fn n_syn(due: &Due) -> u64 {
    due.buckets().iter().map(|(start, end)| u64::from(end - start)).sum()
}

fn bits(buffers: &[HostBuffer]) -> Vec<&[u8]> {
    buffers.iter().map(HostBuffer::bytes).collect()
}

fn sequence(world: &World) -> Vec<OperationId> {
    (0..world.program.operations.len()).map(OperationId::new).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn every_neuron_gets_the_bits_that_one_synapse_after_the_other_gives(
        case in any_case(),
        body in prop::sample::select(BODIES),
        ty in prop::sample::select(&[ScalarType::F32, ScalarType::F64, ScalarType::I32, ScalarType::I64][..]),
    ) {
        let mut world = world(&case, body, ty);
        let plan = Deliveries::plan(&world.program, &sequence(&world));
        prop_assert_eq!(plan.groups().len(), 1, "{:?}", plan);
        let group = &plan.groups()[0];
        let buffers = world.buffers.clone();
        let mut shards = group.build(&world.program, &world.synapses, |b| &buffers[b.index()], &case.bounds).unwrap();
        for round in 0..2 {
            let mut wanted = world.buffers.clone();
            let count = expected(&case, &world, &mut wanted);
            let mut got = world.buffers.clone();
            prop_assert_eq!(deliver(&case, group, &shards, &mut got), count);
            prop_assert_eq!(bits(&got), bits(&wanted), "round {}", round);
            // The host writes weights, and values are computed anew.
            let mut seed = case.seed ^ 99;
            for (k, buffer) in world.buffers.iter_mut().enumerate() {
                if world.program.buffers[k].name.starts_with('w') {
                    *buffer = random_buffer(ty, buffer.len(), &mut seed);
                    prop_assert_eq!(group.depends_on(BufferId::new(k)), body.contains("slot w"));
                }
            }
            let buffers = world.buffers.clone();
            group.refresh(&world.program, &world.synapses, |b| &buffers[b.index()], &mut shards).unwrap();
        }
        let n_syn: usize = case.projections.iter().flat_map(|p| &p.rows).map(Vec::len).sum();
        prop_assert_eq!(shards.iter().map(ShardRows::n_syn).sum::<usize>(), n_syn);
    }

    #[test]
    fn delays_may_come_by_synapse_and_targets_may_be_wide(case in any_case(), wide in any::<bool>()) {
        // Shards of more than 65,536 neurons have targets of four bytes.
        let last = if wide { 70_000 } else { case.n_post };
        let bounds = if wide { vec![0, last] } else { case.bounds.clone() };
        let csrs: Vec<Storage> = case.projections.iter()
            .map(|p| Storage::Csr(Csr::from_rows(p.n_post, &p.rows).unwrap())).collect();
        let mut seed = case.seed;
        let values: Vec<HostBuffer> =
            case.projections.iter().map(|p| random_buffer(ScalarType::F32, p.rows.concat().len(), &mut seed)).collect();
        let sorted: Vec<DelayRows> = case.projections.iter().zip(&csrs).map(|(p, s)| {
            let Storage::Csr(csr) = s else { unreachable!() };
            DelayRows::by_pre(csr, &p.delays).unwrap()
        }).collect();
        let members: Vec<Member<'_>> = (0..csrs.len()).map(|k| {
            let p = &case.projections[k];
            Member {
                ends: Ends { rows: &csrs[k], pre_start: case.pre_start, post_start: p.post_start },
                times: match &p.delays {
                    Delays::PerSynapse(_) if p.sorted => Times::Sorted(&sorted[k]),
                    Delays::PerSynapse(steps) => Times::PerSynapse(steps),
                    Delays::None | Delays::Scalar(_) => Times::Steps(p.delays.max_steps()),
                },
                columns: vec![Column::there(&values[k])],
            }
        }).collect();
        let shards = build(&members, &bounds).unwrap();
        let n_syn: usize = shards.iter().map(ShardRows::n_syn).sum();
        let bytes: usize = shards.iter().map(ShardRows::data_bytes).sum();
        prop_assert_eq!(bytes, n_syn * if wide { 8 } else { 6 });
        let mut target = vec![0_f32; last as usize];
        let mut wanted = target.clone();
        for (p, values) in case.projections.iter().zip(&values) {
            for (delay, neurons) in (0..case.emitted.len() as u32).zip(&case.emitted).rev() {
                for row in neurons.iter().filter_map(|n| n.checked_sub(case.pre_start)).filter(|r| *r < case.n_pre) {
                    let start: usize = p.rows[..row as usize].iter().map(Vec::len).sum();
                    for (own, post) in (start..).zip(&p.rows[row as usize]) {
                        if p.delays.steps(own) == delay {
                            wanted[(post + p.post_start) as usize] += values.as_slice::<f32>()[own];
                        }
                    }
                }
            }
        }
        for rows in &shards {
            let due = due(&case, rows, LAST, &[LAST]);
            for now in 0..=LAST {
                // A step after the other, or after a leap.
                let steps: Vec<i64> = (0..=now).collect();
                let leap: Vec<i64> = (0..=now).filter(|step| *step != now - 2).collect();
                let fresh = self::due(&case, rows, now, &[now]);
                for turns in [steps, leap] {
                    let other = self::due(&case, rows, now, &turns);
                    prop_assert_eq!(other.buckets(), fresh.buckets(), "{:?}", turns);
                }
            }
            let deposit = Deposit {
                with: Accumulation::Add, given: Given::Column(0), gate: None, target: Slot::from(&mut target[..]),
            };
            rows.deposit(due.buckets(), &deposit);
        }
        let bits = |list: &[f32]| list.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&target), bits(&wanted));
    }
}

fn reason(body: &str, changing: &[usize]) -> String {
    let kernel = prepare(&parse(&format!("kernel k over synapses {{\n{body}\n}}\n")).unwrap()).unwrap();
    StaticKernel::of(&kernel, |slot| changing.contains(&slot.index())).map(|_| ()).unwrap_err()
}

#[test]
fn what_is_not_static_says_why() {
    let add = "slot w: f64\n slot g: f64\n %0 = load w[own] : f64\n accumulate add g[post], %0";
    assert_eq!(reason(add, &[0]), "what it gives to `g` depends on what changes during the run");
    let load = "slot w: f64\n slot g: f64\n slot v: f64\n %0 = load w[own] : f64\n %1 = load v[post] : f64
        %2 = mul %0, %1 : f64\n accumulate add g[post], %2";
    assert_eq!(reason(load, &[2]), "what it gives to `g` depends on what changes during the run");
    let store = "slot w: f64\n %0 = load w[own] : f64\n %1 = neg %0 : f64\n store w[own], %1";
    assert_eq!(reason(store, &[]), "it writes `w`");
    let pre = "slot g: f64\n %0 = const f64 1.0\n accumulate add g[pre], %0";
    assert_eq!(reason(pre, &[]), "it changes `g` elsewhere than at its target");
    let twice = "slot g: f64\n %0 = const f64 1.0\n accumulate add g[post], %0\n accumulate add g[post], %0";
    assert_eq!(reason(twice, &[]), "it changes `g` twice");
    let random = "slot g: i32\n %0 = word site 1 draw 0 own : i32\n accumulate add g[post], %0";
    assert_eq!(reason(random, &[]), "what it gives to `g` depends on what changes during the run");
}

/// A case of `n` projections of one row each, from one neuron to six neurons of their own.
fn simple(n: u32) -> Case {
    let projection = |k: u32| Projection {
        rows: vec![vec![0, 1, 1]],
        post_start: 6 * k,
        n_post: 6,
        delays: Delays::Scalar(1),
        sorted: false,
    };
    Case {
        projections: (0..n).map(projection).collect(),
        n_pre: 1,
        pre_start: 0,
        n_post: 6 * n,
        bounds: vec![0, 6 * n],
        emitted: vec![vec![0]; 12],
        seed: 3,
    }
}

fn groups(plan: &Deliveries) -> Vec<Vec<usize>> {
    plan.groups().iter().map(|g| g.operations().map(|o| o.index()).collect()).collect()
}

#[test]
fn only_deliveries_that_may_change_places_are_joined() {
    let plan = |case: &Case, change: &dyn Fn(&mut World)| {
        let mut world = world(case, BODIES[0], ScalarType::F32);
        change(&mut world);
        Deliveries::plan(&world.program, &sequence(&world))
    };
    assert_eq!(groups(&plan(&simple(3), &|_| ())), [[0, 1, 2]]);
    // The second reaches neurons of the first: it stays behind it, and the third is joined to the second.
    let mut overlapping = simple(3);
    overlapping.projections[1].post_start = 3;
    overlapping.projections[2].post_start = 12;
    assert_eq!(groups(&plan(&overlapping, &|_| ())), [vec![0], vec![1, 2]]);
    // The third reaches neurons of the second, of another stream: it may not go before it.
    let mut between = simple(3);
    between.projections[2].post_start = 9;
    let other_stream = |world: &mut World| {
        if let Action::Deliver { emitted, .. } = &mut world.program.operations[1].action {
            *emitted = (0, 5);
        }
    };
    assert_eq!(groups(&plan(&between, &other_stream)), [[0], [1], [2]]);
    assert_eq!(groups(&plan(&simple(3), &other_stream)), [vec![0, 2], vec![1]]);
    // An operation that is no delivery ends the run.
    let fill = |world: &mut World| {
        let value = Scalar::F32(0.0);
        world.program.operations[1].action =
            Action::Fill { buffer: BufferId::new(1), start: 0, len: 1, value };
    };
    let split = plan(&simple(3), &fill);
    assert_eq!(groups(&split), [[0], [2]]);
    assert_eq!((split.group_of(OperationId::new(2)), split.group_of(OperationId::new(1))), (Some(1), None));
    // Weights that change are not static.
    let learn = |world: &mut World| {
        let value = Scalar::F32(0.0);
        let operation = Operation {
            action: Action::Fill { buffer: BufferId::new(5), start: 0, len: 1, value },
            ..world.program.operations[0].clone()
        };
        world.program.operations.push(operation);
    };
    let plastic = plan(&simple(2), &learn);
    assert_eq!(groups(&plastic), [[1]]);
    assert_eq!(
        plastic.reason(OperationId::new(0)),
        Some("what it gives to `g` depends on what changes during the run")
    );
}

#[test]
fn synapses_take_few_bytes() {
    let n = 100_u32;
    let rows: Vec<Vec<u32>> = (0..50).map(|row| (0..n).map(|k| (k * 7 + row) % n).collect()).collect();
    let rows = Storage::Csr(Csr::from_rows(n, &rows).unwrap());
    let singles = HostBuffer::new(ScalarType::F32, 5000);
    let doubles = HostBuffer::new(ScalarType::F64, 5000);
    let delays = Steps::from((0..5000).map(|k| k % 10).collect::<Vec<u32>>());
    let bytes = |columns: Vec<Column<'_>>, times: Times<'_>| {
        let ends = Ends { rows: &rows, pre_start: 0, post_start: 0 };
        let shards = build(&[Member { ends, times, columns }], &[0, n]).unwrap();
        (shards[0].data_bytes(), shards[0].bytes() - shards[0].data_bytes())
    };
    assert_eq!(bytes(vec![], Times::Steps(1)), (10_000, 51 * 4));
    assert_eq!(bytes(vec![Column::there(&singles)], Times::Steps(1)), (30_000, 51 * 4));
    assert_eq!(bytes(vec![Column::there(&doubles)], Times::Steps(1)), (50_000, 51 * 4));
    // Ten synapses per row and delay: a place for each pair of them.
    assert_eq!(bytes(vec![Column::there(&singles)], Times::PerSynapse(&delays)), (30_000, 501 * 4));
    // As many delays as a row has synapses: a byte for each synapse.
    let many = Steps::from((0..5000).map(|k| k % 97).collect::<Vec<u32>>());
    assert_eq!(bytes(vec![Column::there(&singles)], Times::PerSynapse(&many)), (30_000, 51 * 4 + 5000));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let rows = Storage::Csr(Csr::from_rows(4, &[vec![0, 1], vec![2]]).unwrap());
    let other = Storage::Csr(Csr::from_rows(4, &[vec![0, 1]]).unwrap());
    let ends = |rows| Ends { rows, pre_start: 0, post_start: 0 };
    let member = |rows, times| Member { ends: ends(rows), times, columns: vec![] };
    let values = HostBuffer::new(ScalarType::F32, 3);
    assert!(build(&[], &[0, 4]).is_err());
    assert!(build(&[member(&rows, Times::Steps(1))], &[4]).is_err());
    let one = Steps::from(vec![1]);
    assert!(build(&[member(&rows, Times::PerSynapse(&one))], &[0, 4]).is_err());
    assert!(build(&[member(&rows, Times::Steps(1)), member(&other, Times::Steps(1))], &[0, 4]).is_err());
    let mut shards = build(&[member(&rows, Times::Steps(1))], &[0, 4]).unwrap();
    let columns = vec![Column::there(&values)];
    let changed = Member { columns, ..member(&rows, Times::Steps(1)) };
    assert!(refresh(&mut shards, &[changed]).is_err());
    assert!(refresh(&mut shards, &[member(&rows, Times::Steps(2))]).is_err());
    assert!(refresh(&mut shards, &[member(&rows, Times::Steps(1))]).is_ok());
}
