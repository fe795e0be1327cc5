//! Which deliveries of a step are carried out together, and how.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use neuropil_backend::{BackendError, Synapses};
use neuropil_base::{Scalar, ScalarType};
use neuropil_connectivity::{Delays, Storage};
use neuropil_ir::{Access, SlotId};
use neuropil_kernels::Program;
use neuropil_kernels::program::{
    Action, BufferId, Call, ClockIdx, KernelId, OperationId, Resource, StreamId, StructureId, Travel,
};
use neuropil_memory::HostBuffer;
use neuropil_model::Endpoint;

use super::build::{BuildError, Member, Times, build, refresh};
use super::payload::{Column, Ends};
use super::recognise::{StaticKernel, StaticValue, Uniform};
use super::rows::ShardRows;
use super::walk::{Deposit, Given};
use crate::Slot;

/// The static deliveries of a program, those that go together in one group each.
#[derive(Debug)]
pub struct Deliveries {
    groups: Vec<Group>,
    /// The group of each operation that is in one.
    of: BTreeMap<OperationId, usize>,
    /// Why an operation is in none.
    reasons: BTreeMap<OperationId, String>,
}

/// Deliveries that are carried out as one: events of one stream, into the same buffers.
#[derive(Debug)]
pub struct Group {
    members: Vec<Joined>,
    shape: Shape,
}

/// One operation of a group.
#[derive(Debug)]
struct Joined {
    operation: OperationId,
    call: Call,
    kernel: Arc<StaticKernel>,
    structure: StructureId,
    delay: Travel,
    /// The neurons of the target population that it reaches.
    posts: Range<u32>,
    n_syn: usize,
    reads: Vec<BufferId>,
}

/// The synapses of one operation.
struct Held {
    rows: Arc<Storage>,
    delays: Arc<Delays>,
}

/// What the operations of a group have in common.
#[derive(Clone, PartialEq, Debug)]
struct Shape {
    clock: ClockIdx,
    stream: StreamId,
    pres: Range<u32>,
    emitted: (i64, i64),
}

impl Deliveries {
    /// Finds the static deliveries of a program among the operations of a step, in their order, and joins those that may
    /// be carried out at the place of the first of them.
    ///
    /// Two may be joined if they stand in one run of static deliveries with nothing else between them, deliver
    /// events of one stream, source group and clock, combine the same kind of values into the same buffers, and reach
    /// different neurons; and if the second may change places with whatever stands between them. Then
    /// every neuron still gets what it gets in the same order.
    #[must_use]
    pub fn plan(program: &Program, sequence: &[OperationId]) -> Self {
        let changing = changing(program);
        let mut kernels: BTreeMap<(KernelId, Vec<BufferId>), Result<Arc<StaticKernel>, String>> =
            BTreeMap::new();
        let mut plan = Self { groups: Vec::new(), of: BTreeMap::new(), reasons: BTreeMap::new() };
        // The first group of the current run.
        let mut run = 0;
        for id in sequence {
            let operation = &program.operations[id.index()];
            let Action::Deliver { call, stream, structure, on, delay, emitted } = &operation.action else {
                run = plan.groups.len();
                continue;
            };
            let recognised = match on {
                Endpoint::Post => Err("events come from the postsynaptic side".to_owned()),
                Endpoint::Pre => kernels
                    .entry((call.kernel, call.bindings.clone()))
                    .or_insert_with(|| {
                        let body = &program.kernels[call.kernel.index()].body;
                        let changes = |slot: SlotId| {
                            call.bindings.get(slot.index()).is_none_or(|b| changing[b.index()])
                        };
                        StaticKernel::of(body, changes).and_then(|k| distinct_targets(k, call)).map(Arc::new)
                    })
                    .clone(),
            };
            let kernel = match recognised {
                Ok(kernel) => kernel,
                Err(reason) => {
                    plan.reasons.insert(*id, reason);
                    run = plan.groups.len();
                    continue;
                }
            };
            let ends = &program.structures[structure.index()];
            let shape = Shape {
                clock: operation.clock,
                stream: *stream,
                pres: ends.pre_start..ends.pre_start + ends.n_pre,
                emitted: *emitted,
            };
            let joined = Joined {
                operation: *id,
                reads: reads(program, call),
                call: call.clone(),
                kernel,
                structure: *structure,
                delay: *delay,
                posts: ends.post_start..ends.post_start + ends.n_post,
                n_syn: ends.n_syn,
            };
            let group = plan.place(run, &shape, &joined);
            plan.of.insert(*id, group);
            match plan.groups.get_mut(group) {
                Some(group) => group.members.push(joined),
                None => plan.groups.push(Group { members: vec![joined], shape }),
            }
        }
        plan
    }

    /// The group that a delivery joins, or the number of a new one.
    fn place(&self, run: usize, shape: &Shape, joined: &Joined) -> usize {
        let new = self.groups.len();
        for number in (run..new).rev() {
            let group = &self.groups[number];
            if group.takes(shape, joined) {
                return number;
            }
            // What would have to change places with this group stays behind it.
            if group.members.iter().any(|other| !joined.commutes(other)) {
                return new;
            }
        }
        new
    }

    /// The groups, in the order of their first operations.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The number of the group that an operation is in. It is delivered at the place of the group's
    /// [first](Group::first) operation.
    #[must_use]
    pub fn group_of(&self, operation: OperationId) -> Option<usize> {
        self.of.get(&operation).copied()
    }

    /// Why a delivery is in no group.
    #[must_use]
    pub fn reason(&self, operation: OperationId) -> Option<&str> {
        self.reasons.get(&operation).map(String::as_str)
    }
}

/// For every buffer, whether an operation writes it. The host writes through its machine, which then computes anew
/// what depends on it.
fn changing(program: &Program) -> Vec<bool> {
    let mut changing = vec![false; program.buffers.len()];
    for operation in &program.operations {
        if matches!(operation.action, Action::Host { .. }) {
            continue;
        }
        for (resource, access) in program.accesses(operation) {
            if let (Resource::Buffer(id), true) = (resource, access != Access::Read) {
                changing[id.index()] = true;
            }
        }
    }
    changing
}

/// The kernel, unless two of its slots are bound to one buffer that it changes.
fn distinct_targets(kernel: StaticKernel, call: &Call) -> Result<StaticKernel, String> {
    let buffer = |slot: SlotId| call.bindings.get(slot.index());
    for effect in kernel.effects() {
        let own = buffer(effect.slot);
        if call.bindings.iter().filter(|b| Some(*b) == own).count() > 1 {
            return Err("it uses what it changes in another way too".to_owned());
        }
    }
    Ok(kernel)
}

/// The buffers that a call reads.
fn reads(program: &Program, call: &Call) -> Vec<BufferId> {
    let accesses = program.kernels[call.kernel.index()].body.accesses();
    let read = |(slot, _, access): &(SlotId, _, Access)| {
        call.bindings.get(slot.index()).copied().filter(|_| *access == Access::Read)
    };
    accesses.iter().filter_map(read).collect()
}

impl Joined {
    fn buffer(&self, slot: SlotId) -> Option<BufferId> {
        self.call.bindings.get(slot.index()).copied()
    }

    fn writes(&self) -> impl Iterator<Item = BufferId> + '_ {
        self.kernel.effects().iter().filter_map(|e| self.buffer(e.slot))
    }

    fn is_apart(&self, other: &Self) -> bool {
        self.posts.end <= other.posts.start || other.posts.end <= self.posts.start
    }

    /// Whether the two may be carried out in either order, to the same bits.
    fn commutes(&self, other: &Self) -> bool {
        let shared = self.writes().any(|b| other.writes().any(|o| o == b));
        let read = self.writes().any(|b| other.reads.contains(&b))
            || other.writes().any(|b| self.reads.contains(&b));
        !read && (!shared || self.is_apart(other))
    }

    /// Whether a value that is the same for all synapses is also the same for those of the other operation.
    fn same_uniform(&self, own: &Uniform, other: &Self, others: &Uniform) -> bool {
        own.computes_as(others)
            && own.slots().iter().map(|s| self.buffer(*s)).eq(others.slots().iter().map(|s| other.buffer(*s)))
    }

    /// Whether the two combine the same kind of values into the same buffers.
    fn is_alike(&self, other: &Self) -> bool {
        let (own, others) = (self.kernel.effects(), other.kernel.effects());
        own.len() == others.len()
            && own.iter().zip(others).all(|(a, b)| {
                let values = match (&a.value, &b.value) {
                    (StaticValue::Uniform(x), StaticValue::Uniform(y)) => self.same_uniform(x, other, y),
                    (StaticValue::PerSynapse(_), StaticValue::PerSynapse(_)) => true,
                    (StaticValue::Uniform(_), StaticValue::PerSynapse(_))
                    | (StaticValue::PerSynapse(_), StaticValue::Uniform(_)) => false,
                };
                let gates = match (&a.gate, &b.gate) {
                    (None, None) => true,
                    (Some(x), Some(y)) => {
                        self.buffer(x.slot) == other.buffer(y.slot)
                            && self.same_uniform(&x.otherwise, other, &y.otherwise)
                    }
                    (None, Some(_)) | (Some(_), None) => false,
                };
                values && gates && (a.with, a.ty, self.buffer(a.slot)) == (b.with, b.ty, other.buffer(b.slot))
            })
    }
}

impl Group {
    fn takes(&self, shape: &Shape, joined: &Joined) -> bool {
        self.shape == *shape
            && self.n_syn() + joined.n_syn <= u32::MAX as usize
            && self.members.iter().all(|m| m.is_apart(joined) && m.commutes(joined) && m.is_alike(joined))
    }

    /// The operation at whose place the group is delivered; its bindings are those that [`Group::deliver`] is given.
    #[must_use]
    pub fn first(&self) -> Option<(OperationId, &Call)> {
        self.members.first().map(|m| (m.operation, &m.call))
    }

    /// Its operations, in the order of the step.
    pub fn operations(&self) -> impl Iterator<Item = OperationId> + '_ {
        self.members.iter().map(|m| m.operation)
    }

    /// The same, and what each gives to whom.
    pub fn kernels(&self) -> impl Iterator<Item = (OperationId, &StaticKernel)> {
        self.members.iter().map(|m| (m.operation, &*m.kernel))
    }

    /// How many synapses its operations have together.
    #[must_use]
    pub fn n_syn(&self) -> usize {
        self.members.iter().map(|m| m.n_syn).sum()
    }

    /// Whose events are delivered.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        self.shape.stream
    }

    /// Only events of these steps of their stream's clock are delivered; the end is not one of them.
    #[must_use]
    pub fn emitted(&self) -> (i64, i64) {
        self.shape.emitted
    }

    /// Whether stored values depend on a buffer: when the host has written it they must be computed
    /// [anew](Group::refresh).
    #[must_use]
    pub fn depends_on(&self, buffer: BufferId) -> bool {
        self.members.iter().any(|member| {
            let mut slots = member.kernel.payloads().flat_map(|p| &p.part.slots);
            slots.any(|slot| member.buffer(*slot) == Some(buffer))
        })
    }

    /// Stores its synapses for shards of the target population, neurons `bounds[k]..bounds[k + 1]` in shard `k`.
    /// `synapses` are those of all structures of the program, `buffer` gives the contents of a buffer.
    ///
    /// # Errors
    /// [`BuildError`] if there is no memory, or something does not fit the program.
    pub fn build<'a>(
        &self,
        program: &Program,
        synapses: &'a [Arc<Synapses>],
        buffer: impl Fn(BufferId) -> &'a HostBuffer,
        bounds: &[u32],
    ) -> Result<Vec<ShardRows>, BuildError> {
        build(&self.members(program, &self.held(synapses)?, &buffer)?, bounds)
    }

    /// Computes all stored values again; the synapses are those that the shards were built of.
    ///
    /// # Errors
    /// [`BuildError`] if something does not fit the program or the shards.
    pub fn refresh<'a>(
        &self,
        program: &Program,
        synapses: &'a [Arc<Synapses>],
        buffer: impl Fn(BufferId) -> &'a HostBuffer,
        shards: &mut [ShardRows],
    ) -> Result<(), BuildError> {
        refresh(shards, &self.members(program, &self.held(synapses)?, &buffer)?)
    }

    /// The synapses of the members, as long as they are needed.
    fn held(&self, synapses: &[Arc<Synapses>]) -> Result<Vec<Held>, BuildError> {
        let missing = || BuildError::Shape("the synapses are not those of the program");
        let gone = |error: BackendError| BuildError::Synapses(error.to_string());
        let held = |member: &Joined| {
            let synapses = synapses.get(member.structure.index()).ok_or_else(missing)?;
            let delays = match member.delay {
                Travel::Steps(steps) => Arc::new(Delays::Scalar(steps)),
                Travel::PerSynapse { pathway, .. } => {
                    let delayed = synapses.delayed.get(pathway as usize).and_then(Option::as_ref);
                    delayed.ok_or_else(missing)?.steps.borrow().map_err(gone)?
                }
            };
            Ok(Held { rows: synapses.rows.borrow().map_err(gone)?, delays })
        };
        self.members.iter().map(held).collect()
    }

    fn members<'s: 'm, 'a: 'm, 'm>(
        &'s self,
        program: &Program,
        held: &'m [Held],
        buffer: &impl Fn(BufferId) -> &'a HostBuffer,
    ) -> Result<Vec<Member<'m>>, BuildError> {
        let missing = BuildError::Shape("the synapses are not those of the program");
        let mut list = Vec::with_capacity(self.members.len());
        for (member, held) in self.members.iter().zip(held) {
            let Some(shape) = program.structures.get(member.structure.index()) else { return Err(missing) };
            let ends = Ends { rows: &held.rows, pre_start: shape.pre_start, post_start: shape.post_start };
            let times = match &*held.delays {
                Delays::None => Times::Steps(0),
                Delays::Scalar(steps) => Times::Steps(*steps),
                Delays::PerSynapse(steps) => Times::PerSynapse(steps),
            };
            let columns = member
                .kernel
                .payloads()
                .map(|payload| {
                    let bound = |slot: SlotId| member.call.bindings.get(slot.index()).copied().map(buffer);
                    Column::of(payload, bound, &ends)
                })
                .collect::<Result<_, _>>()?;
            list.push(Member { ends, times, columns });
        }
        Ok(list)
    }

    /// Delivers to one shard what is due in a step of the group's clock.
    ///
    /// `buckets` are those of [`Due::buckets`](super::Due::buckets); `slots` are the buffers of the first operation's
    /// bindings, all of each. Only elements of the shard are written, but for them other threads may be at work on
    /// the same buffers.
    pub fn deliver(&self, rows: &ShardRows, buckets: &[(u32, u32)], step: i64, slots: &[Slot<'_>]) {
        let Some(first) = self.members.first().filter(|_| !buckets.is_empty()) else { return };
        let value = |uniform: &Uniform| {
            uniform.evaluate(step, |slot, place| {
                slots.get(slot.index()).map_or(Scalar::Bool(false), |s| nearest(s, place))
            })
        };
        let mut columns = 0..;
        for effect in first.kernel.effects() {
            let given = match &effect.value {
                StaticValue::Uniform(uniform) => Given::Uniform(value(uniform)),
                StaticValue::PerSynapse(_) => Given::Column(columns.next().unwrap_or(0)),
            };
            let Some(target) = slots.get(effect.slot.index()).copied() else { continue };
            let gate = match &effect.gate {
                None => None,
                Some(gate) => match slots.get(gate.slot.index()) {
                    Some(slot) => Some((*slot, value(&gate.otherwise))),
                    None => continue,
                },
            };
            rows.deposit(buckets, &Deposit { with: effect.with, given, gate, target });
        }
    }
}

/// The element of a buffer, or the last if there is none of that number, or 0 if there is none at all.
fn nearest(slot: &Slot<'_>, place: usize) -> Scalar {
    let at = place.min(slot.len().saturating_sub(1));
    let value = match slot.ty() {
        ScalarType::Bool => slot.cells::<u8>().get(at).map(|b| Scalar::Bool(b != 0)),
        ScalarType::I32 => slot.cells::<i32>().get(at).map(Scalar::I32),
        ScalarType::I64 => slot.cells::<i64>().get(at).map(Scalar::I64),
        ScalarType::F32 => slot.cells::<f32>().get(at).map(Scalar::F32),
        ScalarType::F64 => slot.cells::<f64>().get(at).map(Scalar::F64),
    };
    value.unwrap_or(Scalar::from_bits(slot.ty(), 0))
}
