//! How the operations of a program are laid out over shards: which neurons each shard owns, which operations it
//! carries out for them on its own, and between which of them shards have to wait for each other.

use std::sync::Arc;

use neuropil_backend::{BackendError, Executor, Looking, Synapses};
use neuropil_connectivity::{Storage, Walk};
use neuropil_ir::{Access, At, Bound, Side, fuse};
use neuropil_kernels::Program;
use neuropil_kernels::program::{Action, BufferId, Call, OperationId, StreamId};
use neuropil_model::Endpoint;
use neuropil_schedule::Plan;

use super::work;
use crate::backend::Bodies;
use crate::body::Body;
use crate::deliver::{Deliveries, Group};

/// The parts of an index space (the neurons of a population, ...), one per shard, ascending.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cut {
    bounds: Vec<u32>,
}

impl Cut {
    /// Where the parts begin; and how many elements there are.
    pub(super) fn bounds(&self) -> &[u32] {
        &self.bounds
    }

    /// The elements of a shard.
    pub(super) fn part(&self, shard: usize) -> std::ops::Range<u32> {
        self.bounds[shard]..self.bounds[shard + 1]
    }
}

/// A set of numbers of steps.
#[derive(Clone, Default, Debug)]
pub(super) struct Steps {
    words: Vec<u64>,
}

impl Steps {
    fn with_room(n: usize) -> Self {
        Self { words: vec![0; n.div_ceil(64)] }
    }

    pub(super) fn insert(&mut self, k: usize) {
        self.words[k / 64] |= 1 << (k % 64);
    }

    pub(super) fn clear(&mut self) {
        self.words.fill(0);
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(a, b)| a & b != 0)
    }
}

/// One entry of the sequence that shards walk: an operation, or several fused into one.
#[derive(Debug)]
pub(super) struct Step {
    /// The (first) operation.
    pub(super) operation: OperationId,
    /// How many operations it stands for.
    pub(super) count: u64,
    /// Ticks between two of its turns.
    pub(super) period: u64,
    /// Whether every shard carries out its part; the first shard does everything otherwise.
    pub(super) split: bool,
    /// The kernel, if there is one.
    pub(super) body: Option<Arc<Body>>,
    /// The buffers of its slots.
    pub(super) bindings: Vec<BufferId>,
    /// The stream that it fills.
    pub(super) emits: Option<StreamId>,
    /// Steps that touch other shards' parts of something that this one touches, one of them writing.
    pub(super) conflicts: Steps,
    /// The cut of the elements that it runs over, or of the postsynaptic neurons.
    pub(super) cut: usize,
    /// The group of static deliveries that it stands for.
    pub(super) group: Option<usize>,
}

impl Step {
    /// Its turn in a tick, counted from 0; `None` if it has none then.
    #[inline(always)]
    pub(super) fn turn(&self, tick: u64) -> Option<u64> {
        // Most steps have a turn in every tick, and a division takes as long as the rest of a step that finds nothing to do.
        match self.period {
            1 => Some(tick),
            period => tick.is_multiple_of(period).then(|| tick / period),
        }
    }
}

/// Where a stream is filled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    /// The step that fills it.
    pub(super) step: usize,
    /// Its period in ticks.
    pub(super) period: u64,
    /// Whether every shard fills its own part.
    pub(super) split: bool,
}

/// The layout of a program.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) shards: usize,
    pub(super) steps: Vec<Step>,
    pub(super) cuts: Vec<Cut>,
    /// For each stream its cut.
    pub(super) stream_cuts: Vec<usize>,
    /// For each stream where it is filled, if it is.
    pub(super) sources: Vec<Option<Source>>,
    /// For each structure whether the targets of each row ascend.
    pub(super) ascending: Vec<bool>,
    /// The deliveries that need no kernel.
    pub(super) deliveries: Deliveries,
}

/// How far an access of a shard reaches; two accesses of the same reach to one buffer never touch the same element from
/// two shards, unless it is all of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reach {
    /// The shard's part of an index space.
    Part(usize),
    /// The synapses of a structure that end in the shard.
    Ending(usize),
    /// The first shard alone, anything.
    First,
    /// Anything.
    All,
}

/// How an operation touches a buffer.
type Touch = (BufferId, bool, Reach);

/// Index spaces: buffers, streams and sides of structures that are numbered alike.
pub(super) struct Spaces {
    parents: Vec<usize>,
    n_buffers: usize,
    n_streams: usize,
}

/// The sides of a structure.
#[derive(Clone, Copy)]
enum Of {
    Own,
    Pre,
    Post,
}

impl Spaces {
    pub(super) fn of(program: &Program) -> Self {
        let (n_buffers, n_streams) = (program.buffers.len(), program.streams.len());
        let nodes = n_buffers + n_streams + 3 * program.structures.len();
        let mut spaces = Self { parents: (0..nodes).collect(), n_buffers, n_streams };
        for operation in &program.operations {
            match &operation.action {
                Action::Elements { call, emits, .. } => {
                    let stream = emits.map(|s| spaces.stream(s));
                    spaces.join_own(program, call, stream);
                }
                Action::Events { call, stream, .. } => {
                    let stream = spaces.stream(*stream);
                    spaces.join_own(program, call, Some(stream));
                }
                Action::Deliver { call, stream, structure, on, .. } => {
                    let side = match on {
                        Endpoint::Pre => Of::Pre,
                        Endpoint::Post => Of::Post,
                    };
                    let (stream, side) = (spaces.stream(*stream), spaces.side(structure.index(), side));
                    spaces.join(stream, side);
                    spaces.join_sides(program, call, structure.index());
                }
                Action::Synapses { call, structure } => spaces.join_sides(program, call, structure.index()),
                Action::Fill { .. }
                | Action::List { .. }
                | Action::RecordEvents { .. }
                | Action::RecordState { .. }
                | Action::Cable { .. }
                | Action::Host { .. }
                | Action::Stop { .. } => {}
            }
        }
        spaces
    }

    fn stream(&self, stream: StreamId) -> usize {
        self.n_buffers + stream.index()
    }

    fn side(&self, structure: usize, of: Of) -> usize {
        self.n_buffers + self.n_streams + 3 * structure + of as usize
    }

    fn find(&self, mut node: usize) -> usize {
        while self.parents[node] != node {
            node = self.parents[node];
        }
        node
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.parents[a.max(b)] = a.min(b);
    }

    /// Buffers that a kernel takes at its elements' own numbers, and a stream.
    fn join_own(&mut self, program: &Program, call: &Call, stream: Option<usize>) {
        let mut known = stream;
        for (slot, at, _) in program.kernels[call.kernel.index()].body.accesses() {
            if at == At::Side(Side::Own) {
                let buffer = call.bindings[slot.index()].index();
                if let Some(known) = known {
                    self.join(known, buffer);
                }
                known = Some(buffer);
            }
        }
    }

    fn join_sides(&mut self, program: &Program, call: &Call, structure: usize) {
        for (slot, at, _) in program.kernels[call.kernel.index()].body.accesses() {
            let At::Side(side) = at else { continue };
            let of = match side {
                Side::Own => Of::Own,
                Side::Pre => Of::Pre,
                Side::Post => Of::Post,
            };
            self.join(call.bindings[slot.index()].index(), self.side(structure, of));
        }
    }

    /// How many elements each space has.
    fn sizes(&self, program: &Program) -> Vec<u32> {
        let mut sizes = vec![0_u32; self.parents.len()];
        let mut grow = |node: usize, size: usize| {
            let root = self.find(node);
            sizes[root] = sizes[root].max(u32::try_from(size).unwrap_or(u32::MAX));
        };
        program.buffers.iter().enumerate().for_each(|(k, b)| grow(k, b.len));
        program.streams.iter().enumerate().for_each(|(k, s)| grow(self.n_buffers + k, s.size as usize));
        for (k, s) in program.structures.iter().enumerate() {
            grow(self.side(k, Of::Own), s.n_syn);
            grow(self.side(k, Of::Pre), (s.pre_start + s.n_pre) as usize);
            grow(self.side(k, Of::Post), (s.post_start + s.n_post) as usize);
        }
        sizes
    }
}

/// So many synapses of a structure are counted to find out where they end.
const COUNTED: usize = 1 << 20;

/// Parts begin at multiples of so many elements, where they are long: at cache lines.
const GRANULE: u64 = 64;

/// Cuts every space so that shards have about the same work, and none less than is worth a meeting.
fn cuts(
    (program, plan): (&Program, &Plan),
    spaces: &Spaces,
    synapses: &[Arc<Synapses>],
    (shards, smallest_work): (usize, u64),
) -> Result<Vec<Cut>, BackendError> {
    let sizes = spaces.sizes(program);
    let per_element = work::per_element(program, plan, spaces, &sizes);
    let mut costs: Vec<Option<Vec<f64>>> = vec![None; sizes.len()];
    if shards > 1 {
        for (k, (structure, synapses)) in program.structures.iter().zip(synapses).enumerate() {
            let root = spaces.find(spaces.side(k, Of::Post));
            let cost = costs[root].get_or_insert_with(|| vec![per_element[root]; sizes[root] as usize]);
            let rows = synapses.rows.borrow()?;
            let stride = rows.n_syn().div_ceil(COUNTED).max(1);
            let each = work::SYNAPSE * stride as f64;
            for row in (0..structure.n_pre).step_by(stride) {
                rows.for_row(row, |_, post| {
                    if let Some(cost) = cost.get_mut((post + structure.post_start) as usize) {
                        *cost += each;
                    }
                });
            }
        }
    }
    let cuts = sizes
        .iter()
        .zip(per_element.iter().zip(costs))
        .map(|(size, (each, cost))| {
            let total = cost.as_ref().map_or(each * f64::from(*size), |cost| cost.iter().sum());
            let most = (total as u64 / smallest_work.max(1)).clamp(1, u64::from(*size).max(1));
            let parts = shards.min(usize::try_from(most).unwrap_or(shards));
            let mut bounds = vec![0];
            match cost {
                None => {
                    (1..parts).for_each(|k| bounds.push((u64::from(*size) * k as u64 / parts as u64) as u32))
                }
                Some(cost) => {
                    let mut sum = 0.0;
                    for (k, c) in cost.iter().enumerate() {
                        if bounds.len() < parts && sum >= total * bounds.len() as f64 / parts as f64 {
                            bounds.push(k as u32);
                        }
                        sum += c;
                    }
                }
            }
            let granule = (size / (4 * parts as u32)).clamp(1, smallest_work.clamp(1, GRANULE) as u32);
            bounds.iter_mut().for_each(|b| *b -= *b % granule);
            bounds.resize(shards + 1, *size);
            Cut { bounds }
        })
        .collect();
    Ok(cuts)
}

impl Layout {
    /// Whether more than one shard has a part of anything.
    pub(super) fn is_divided(&self) -> bool {
        self.cuts.iter().any(|cut| cut.bounds.windows(2).filter(|part| part[0] < part[1]).count() > 1)
    }

    /// Lays out a program that was validated.
    pub(super) fn new(
        program: &Program,
        plan: &Plan,
        synapses: &[Arc<Synapses>],
        (bodies, compiled): (&Looking<Bodies>, &mut u64),
        (threads, smallest_work): (usize, u64),
    ) -> Result<Self, BackendError> {
        let spaces = Spaces::of(program);
        let cuts = cuts((program, plan), &spaces, synapses, (threads, smallest_work))?;
        let mut steps: Vec<Step> = Vec::new();
        let mut touches: Vec<Vec<Touch>> = Vec::new();
        let sequence = plan.sequence();
        let deliveries = Deliveries::plan(program, sequence);
        let mut k = 0;
        while let Some(id) = sequence.get(k).copied() {
            if let Some(number) = deliveries.group_of(id) {
                let group = &deliveries.groups()[number];
                // The others of the group are carried out with the first.
                if let Some((_, call)) = group.first().filter(|(first, _)| *first == id) {
                    let cut = own_space(program, id, &spaces);
                    let bindings = call.bindings.clone();
                    let bare = bare(program, id);
                    steps.push(Step { split: true, bindings, cut, group: Some(number), ..bare });
                    let all =
                        group.operations().flat_map(|id| touches_of(program, id, (&spaces, &cuts), true));
                    touches.push(all.collect());
                }
                k += 1;
                continue;
            }
            let (step, touched) = match fused(program, &sequence[k..], &spaces) {
                Some((count, kernel, bindings)) => {
                    let ids = &sequence[k..k + count];
                    let mut touched: Vec<Touch> = Vec::new();
                    for id in ids {
                        for touch in touches_of(program, *id, (&spaces, &cuts), true) {
                            if !touched.contains(&touch) {
                                touched.push(touch);
                            }
                        }
                    }
                    let body = Arc::clone(&bodies.compile(&kernel, compiled).body);
                    let emits = ids.iter().find_map(|id| emits(program, *id));
                    let step =
                        Step { body: Some(body), bindings, emits, count: count as u64, ..bare(program, id) };
                    (Step { cut: own_space(program, id, &spaces), split: true, ..step }, touched)
                }
                None => {
                    let operation = &program.operations[id.index()];
                    let split = program.split(operation).is_ok();
                    let call = call_of(&operation.action);
                    let body =
                        call.map(|c| bodies.compile(&program.kernels[c.kernel.index()].body, compiled));
                    let body = body.map(|swept| Arc::clone(&swept.body));
                    let bindings = call.map_or(Vec::new(), |c| c.bindings.clone());
                    let cut = own_space(program, id, &spaces);
                    let emits = emits(program, id);
                    let step = Step { body, bindings, emits, split, cut, ..bare(program, id) };
                    (step, touches_of(program, id, (&spaces, &cuts), split))
                }
            };
            k += step.count as usize;
            steps.push(step);
            touches.push(touched);
        }
        let n = steps.len();
        for (k, step) in steps.iter_mut().enumerate() {
            step.conflicts = Steps::with_room(n);
            if threads > 1 {
                (0..n).filter(|j| conflict(&touches[k], &touches[*j])).for_each(|j| step.conflicts.insert(j));
            }
        }
        let sources = (0..program.streams.len())
            .map(|s| {
                let at = steps.iter().position(|step| step.emits == Some(StreamId::new(s)))?;
                Some(Source { step: at, period: steps[at].period, split: steps[at].split })
            })
            .collect();
        let is_ascending =
            |s: &Arc<Synapses>| Ok(threads == 1 || s.rows.borrow().map(|rows| is_ascending(&rows))?);
        let ascending = synapses.iter().map(is_ascending).collect::<Result<_, BackendError>>()?;
        let stream_cuts = (0..program.streams.len()).map(|s| spaces.find(spaces.n_buffers + s)).collect();
        Ok(Self { shards: threads, steps, cuts, stream_cuts, sources, ascending, deliveries })
    }

    /// The cut of the neurons that a group of deliveries reaches.
    pub(super) fn cut_of(&self, group: &Group) -> usize {
        let first = group.first().map(|(id, _)| id);
        self.steps.iter().find(|s| Some(s.operation) == first).map_or(0, |s| s.cut)
    }

    /// An empty set of steps.
    pub(super) fn no_steps(&self) -> Steps {
        Steps::with_room(self.steps.len())
    }
}

fn is_ascending(rows: &Storage) -> bool {
    match rows {
        Storage::Csr(csr) => csr.first_unsorted_row().is_none(),
        Storage::Dense(_) => true,
        Storage::Ell(ell) => (0..ell.n_pre()).all(|row| {
            let (mut last, mut fine) = (0, true);
            ell.for_row(row, |_, post| {
                fine &= last <= post;
                last = post;
            });
            fine
        }),
    }
}

/// A step with nothing but its operation.
fn bare(program: &Program, id: OperationId) -> Step {
    let operation = &program.operations[id.index()];
    Step {
        operation: id,
        count: 1,
        period: program.clocks[operation.clock.index()].period,
        split: false,
        body: None,
        bindings: Vec::new(),
        emits: None,
        conflicts: Steps::default(),
        cut: 0,
        group: None,
    }
}

fn call_of(action: &Action) -> Option<&Call> {
    match action {
        Action::Elements { call, .. }
        | Action::Events { call, .. }
        | Action::Deliver { call, .. }
        | Action::Synapses { call, .. } => Some(call),
        Action::Fill { .. }
        | Action::List { .. }
        | Action::RecordEvents { .. }
        | Action::RecordState { .. }
        | Action::Cable { .. }
        | Action::Host { .. }
        | Action::Stop { .. } => None,
    }
}

fn emits(program: &Program, id: OperationId) -> Option<StreamId> {
    match &program.operations[id.index()].action {
        Action::Elements { emits, .. } => *emits,
        Action::List { stream, .. } => Some(*stream),
        Action::Events { .. }
        | Action::Deliver { .. }
        | Action::Synapses { .. }
        | Action::Fill { .. }
        | Action::RecordEvents { .. }
        | Action::RecordState { .. }
        | Action::Cable { .. }
        | Action::Host { .. }
        | Action::Stop { .. } => None,
    }
}

/// The space of the elements of an operation, or of the postsynaptic neurons of its synapses.
pub(super) fn own_space(program: &Program, id: OperationId, spaces: &Spaces) -> usize {
    let own_buffer = |call: &Call| {
        let accesses = program.kernels[call.kernel.index()].body.accesses();
        let own = accesses.iter().find(|(_, at, _)| *at == At::Side(Side::Own));
        own.map(|(slot, _, _)| call.bindings[slot.index()].index())
    };
    let node = match &program.operations[id.index()].action {
        Action::Elements { call, emits, .. } => emits.map(|s| spaces.stream(s)).or_else(|| own_buffer(call)),
        Action::Events { stream, .. } | Action::List { stream, .. } => Some(spaces.stream(*stream)),
        Action::Deliver { structure, .. } | Action::Synapses { structure, .. } => {
            Some(spaces.side(structure.index(), Of::Post))
        }
        Action::Fill { buffer, .. } => Some(buffer.index()),
        Action::RecordEvents { .. }
        | Action::RecordState { .. }
        | Action::Cable { .. }
        | Action::Host { .. }
        | Action::Stop { .. } => None,
    };
    node.map_or(0, |node| spaces.find(node))
}

/// How many of the first operations can be one, their kernel, and its bindings; `None` for fewer than two.
pub(super) fn fused(
    program: &Program,
    ids: &[OperationId],
    spaces: &Spaces,
) -> Option<(usize, neuropil_ir::Verified, Vec<BufferId>)> {
    let mut best = None;
    let mut parts: Vec<Bound<'_, BufferId>> = Vec::new();
    let mut first = None;
    for (k, id) in ids.iter().enumerate() {
        let operation = &program.operations[id.index()];
        let Action::Elements { call, start, len, .. } = &operation.action else { break };
        let place = (operation.clock, *start, *len, own_space(program, *id, spaces));
        if *first.get_or_insert(place) != place || program.split(operation).is_err() {
            break;
        }
        let kernel = &program.kernels[call.kernel.index()].body;
        parts.push(Bound { kernel, bindings: &call.bindings });
        if parts.len() > 1 {
            // Kernels were verified one by one; one that is not fit to be fused stays on its own.
            match fuse(&parts) {
                Ok(Some((kernel, bindings))) => best = Some((k + 1, kernel, bindings)),
                Ok(None) | Err(_) => break,
            }
        }
    }
    best
}

/// What an operation touches, and how far.
fn touches_of(
    program: &Program,
    id: OperationId,
    (spaces, cuts): (&Spaces, &[Cut]),
    split: bool,
) -> Vec<Touch> {
    let operation = &program.operations[id.index()];
    let mut list = Vec::new();
    if !split {
        // Few elements are recorded as a rule, and those the first, which are the first shard's own.
        let recorded = if let Action::RecordState { elements, .. } = &operation.action {
            elements.iter().max()
        } else {
            None
        };
        for (resource, access) in program.accesses(operation) {
            if let neuropil_kernels::program::Resource::Buffer(buffer) = resource {
                let space = spaces.find(buffer.index());
                let is_own = recorded.is_some_and(|last| *last < cuts[space].bounds[1]);
                let reach = if is_own { Reach::Part(space) } else { Reach::First };
                list.push((buffer, access != Access::Read, reach));
            }
        }
        return list;
    }
    if let Action::Fill { buffer, .. } = &operation.action {
        list.push((*buffer, true, Reach::Part(spaces.find(buffer.index()))));
    }
    let Some(call) = call_of(&operation.action) else { return list };
    let structure = match &operation.action {
        Action::Deliver { structure, .. } | Action::Synapses { structure, .. } => Some(structure.index()),
        Action::Elements { .. }
        | Action::Events { .. }
        | Action::Fill { .. }
        | Action::List { .. }
        | Action::RecordEvents { .. }
        | Action::RecordState { .. }
        | Action::Cable { .. }
        | Action::Host { .. }
        | Action::Stop { .. } => None,
    };
    for (slot, at, access) in program.kernels[call.kernel.index()].body.accesses() {
        let buffer = call.bindings[slot.index()];
        let reach = match (at, structure) {
            (At::Side(Side::Own), None) => Reach::Part(spaces.find(buffer.index())),
            (At::Side(Side::Own), Some(structure)) => Reach::Ending(structure),
            (At::Side(Side::Post), Some(_)) => Reach::Part(spaces.find(buffer.index())),
            (At::Side(_) | At::Scalar | At::Value(_), _) => Reach::All,
        };
        list.push((buffer, access != Access::Read, reach));
    }
    list
}

fn conflict(a: &[Touch], b: &[Touch]) -> bool {
    a.iter().any(|(buffer, write, reach)| {
        b.iter().any(|(other, also, far)| {
            buffer == other && (*write || *also) && (reach != far || *reach == Reach::All)
        })
    })
}
