//! A machine for backends that compute on the host: it walks events, rows and columns in the order that defines
//! the meaning of a program, and leaves bodies to an [`Executor`].

use std::collections::BTreeMap;
use std::sync::Arc;

use neuropil_base::ScalarType;
use neuropil_connectivity::{Csr, Storage, Walk};
use neuropil_ir::Verified;
use neuropil_kernels::Program;
use neuropil_kernels::program::{
    Action, BufferId, Call, EventList, OperationId, Role, Stream, StreamId, StructureId, Travel,
};
use neuropil_memory::{DeviceError, HostBuffer};
use neuropil_model::Endpoint;

use crate::cable::CableSolver;
use crate::validate::{bound, contents_fit, validate};
use crate::{
    BackendError, Change, Counters, Held, Image, Machine, Once, Over, Pause, Routine, RunError, Saved, Sink,
    State,
};

/// Runs bodies of kernels.
pub trait Executor: Send + Sync {
    /// A kernel made ready to run.
    type Body: Send + Sync;

    /// Makes a kernel ready; `compiled` counts those that were not ready already.
    fn compile(&self, kernel: &Verified, compiled: &mut u64) -> Self::Body;

    /// Runs a kernel for a batch of elements, as if one after the other; elements that emit an event are appended
    /// to `emitted` in order.
    fn run(&self, body: &Self::Body, work: Work<'_>, batch: Batch<'_>, emitted: &mut Vec<u32>);
}

/// What a body works on.
#[derive(Debug)]
pub struct Work<'a> {
    /// The seed of random streams.
    pub seed: u64,
    /// The step of the clock that runs the kernel.
    pub step: i64,
    /// All buffers.
    pub buffers: &'a mut [HostBuffer],
    /// One buffer per slot of the kernel; types agree.
    pub bindings: &'a [BufferId],
}

/// Elements, in order.
#[derive(Clone, Copy, Debug)]
pub enum Batch<'a> {
    /// Elements `start..start + len` of an object.
    Range {
        /// The first.
        start: u32,
        /// How many.
        len: u32,
    },
    /// Elements of an object, by number.
    List(&'a [u32]),
    /// Synapses: canonical numbers, and neurons within their populations; or pairs.
    Synapses {
        /// Canonical numbers.
        own: &'a [u64],
        /// Presynaptic neurons.
        pre: &'a [u32],
        /// Postsynaptic neurons.
        post: &'a [u32],
    },
    /// All synapses of a structure, in canonical order.
    Structure {
        /// The rows.
        rows: &'a Csr,
        /// The first presynaptic neuron within its population.
        pre_start: u32,
        /// The first postsynaptic neuron within its population.
        post_start: u32,
    },
}

impl Batch<'_> {
    /// How many elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Range { len, .. } => *len as usize,
            Self::List(list) => list.len(),
            Self::Synapses { own, .. } => own.len(),
            Self::Structure { rows, .. } => rows.n_syn(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Synapses are handed to bodies in batches of about so many: enough to pay for the call, few enough to stay in
/// the first-level cache.
const BATCH: usize = 1024;

/// A batch of synapses under construction.
#[derive(Default, Debug)]
struct Gathered {
    own: Vec<u64>,
    pre: Vec<u32>,
    post: Vec<u32>,
}

impl Gathered {
    fn push(&mut self, own: usize, pre: u32, post: u32) {
        self.own.push(own as u64);
        self.pre.push(pre);
        self.post.push(post);
    }

    fn is_full(&self) -> bool {
        self.own.len() >= BATCH
    }

    fn clear(&mut self) {
        self.own.clear();
        self.pre.clear();
        self.post.clear();
    }

    fn batch(&self) -> Batch<'_> {
        Batch::Synapses { own: &self.own, pre: &self.pre, post: &self.post }
    }
}

/// A [`Machine`] over an [`Executor`].
pub struct Stepper<E: Executor> {
    executor: E,
    bodies: Vec<E::Body>,
    program: Arc<Program>,
    /// The sequence of the plan.
    sequence: Vec<OperationId>,
    synapses: Arc<[Held]>,
    buffers: Vec<HostBuffer>,
    written: Vec<BufferId>,
    /// For each stream, a ring of the events of its last steps.
    events: Vec<Vec<Vec<u32>>>,
    /// For each stream, the step of its clock in which it was last filled; -1 before.
    latest: Vec<i64>,
    tick: u64,
    /// How many operations of the sequence have been done in this tick; not 0 only while paused.
    cursor: usize,
    /// The operation whose condition ends the run after this tick.
    stopped: Option<OperationId>,
    counters: Counters,
    gathered: Gathered,
    rows: Vec<Vec<u8>>,
    /// The solvers of cables, by the voltage that they write.
    cables: BTreeMap<BufferId, CableSolver>,
}

impl<E: Executor> Stepper<E> {
    /// Loads a program.
    ///
    /// # Errors
    /// [`BackendError`] if the image does not fit the program.
    pub fn new(executor: E, image: Image) -> Result<Self, BackendError> {
        let Image { program, plan, buffers, again: _, synapses, threads: _ } = image;
        contents_fit(&program, |k| buffers.get(k))?;
        validate(&program, &plan, &synapses)?;
        let synapses = Held::of(&program, &synapses, |_| true)?.into();
        let mut compiled = 0;
        let bodies: Vec<E::Body> =
            program.kernels.iter().map(|k| executor.compile(&k.body, &mut compiled)).collect();
        let events: Vec<Vec<Vec<u32>>> = program.streams.iter().map(ring).collect();
        let counters = Counters { compiled, ..Counters::default() };
        Ok(Self {
            executor,
            bodies,
            written: program.written_buffers(),
            sequence: plan.sequence().to_vec(),
            program,
            synapses,
            buffers,
            latest: vec![-1; events.len()],
            events,
            tick: 0,
            cursor: 0,
            stopped: None,
            counters,
            gathered: Gathered::default(),
            rows: Vec::new(),
            cables: BTreeMap::new(),
        })
    }

    fn body(&mut self, call: &Call, step: i64, batch: Batch<'_>, emitted: &mut Vec<u32>) {
        if batch.is_empty() {
            return;
        }
        self.counters.elements += batch.len() as u64;
        let work =
            Work { seed: self.program.seed, step, buffers: &mut self.buffers, bindings: &call.bindings };
        self.executor.run(&self.bodies[call.kernel.index()], work, batch, emitted);
    }

    /// Runs a tick to its end, or to an operation that the host carries out.
    fn one_tick(&mut self, sink: &mut dyn Sink) -> Result<Pause, RunError> {
        let program = Arc::clone(&self.program);
        while let Some(id) = self.sequence.get(self.cursor).copied() {
            self.cursor += 1;
            let operation = &program.operations[id.index()];
            let period = program.clocks[operation.clock.index()].period;
            if !self.tick.is_multiple_of(period) {
                continue;
            }
            let step = (self.tick / period) as i64;
            match &operation.action {
                Action::Host { .. } => return Ok(Pause::Host(id)),
                Action::Stop { stream, at_least } => {
                    if self.events_of(*stream, self.latest[stream.index()]).len() >= *at_least as usize {
                        self.stopped = Some(id);
                    }
                }
                action => self.operation(action, step, sink)?,
            }
        }
        self.tick += 1;
        self.cursor = 0;
        Ok(self.stopped.take().map_or(Pause::Done, Pause::Stopped))
    }

    fn operation(&mut self, action: &Action, step: i64, sink: &mut dyn Sink) -> Result<(), RunError> {
        match action {
            Action::Elements { call, start, len, emits } => {
                let batch = Batch::Range { start: *start, len: *len };
                match emits {
                    None => self.body(call, step, batch, &mut Vec::new()),
                    Some(stream) => {
                        let mut emitted = self.take_events(*stream, step);
                        emitted.clear();
                        self.body(call, step, batch, &mut emitted);
                        self.emitted(*stream, step, emitted);
                    }
                }
            }
            Action::Events { call, stream, delay } => {
                let emitted_at = self.latest[stream.index()] - i64::from(*delay);
                if emitted_at >= 0 {
                    let list = self.take_events(*stream, emitted_at);
                    self.body(call, step, Batch::List(&list), &mut Vec::new());
                    self.put_events(*stream, emitted_at, list);
                }
            }
            Action::Deliver { call, stream, structure, on, delay, emitted } => {
                self.deliver(call, *stream, *structure, (*on, *delay, *emitted), step);
            }
            Action::Synapses { call, structure } => {
                let shape = self.program.structures[structure.index()].clone();
                let held = Arc::clone(&self.synapses);
                if let Some(rows) = &held[structure.index()].rows {
                    for row in 0..shape.n_pre {
                        self.row(call, step, rows, row, (shape.pre_start, shape.post_start));
                    }
                }
                self.flush(call, step);
            }
            Action::Fill { buffer, start, len, value } => {
                let range = *start as usize..*start as usize + *len as usize;
                self.buffers[buffer.index()].fill(range, *value);
            }
            Action::Cable { tree, buffers } => {
                let solver = self.cables.entry(buffers.voltage).or_default();
                solver.step(tree, buffers, &mut self.buffers);
            }
            Action::List { stream, list } => {
                let mut events = self.take_events(*stream, step);
                events.clear();
                events.extend(events_of_step(list, step));
                self.emitted(*stream, step, events);
            }
            Action::RecordEvents { recorder, stream, start, len, count_only } => {
                let events = self.events_of(*stream, self.latest[stream.index()]);
                let first = events.partition_point(|n| *n < *start);
                let end = events.partition_point(|n| *n < start + len);
                let events = &events[first..end];
                if *count_only {
                    sink.count(*recorder, step, events.len() as u64)
                } else {
                    sink.events(*recorder, step, events)
                }
                .map_err(RunError::Sink)?;
            }
            Action::RecordState { recorder, buffers, elements } => {
                self.rows.resize_with(buffers.len().max(self.rows.len()), Vec::new);
                for (row, buffer) in self.rows.iter_mut().zip(buffers) {
                    collect(&self.buffers[buffer.index()], elements, row);
                }
                let columns: Vec<&[u8]> = self.rows.iter().take(buffers.len()).map(Vec::as_slice).collect();
                sink.state(*recorder, step, &columns).map_err(RunError::Sink)?;
            }
            // These two concern the run; they never come here.
            Action::Host { .. } | Action::Stop { .. } => {}
        }
        Ok(())
    }

    /// Synapses that events reach in this step: the longest delay first, then by neuron, then in canonical order.
    fn deliver(
        &mut self,
        call: &Call,
        stream: StreamId,
        structure: StructureId,
        (on, delay, emitted): (Endpoint, Travel, (i64, i64)),
        step: i64,
    ) {
        let shape = self.program.structures[structure.index()].clone();
        let held = Arc::clone(&self.synapses);
        let synapses = &held[structure.index()];
        let starts = (shape.pre_start, shape.post_start);
        let (start, len) = match on {
            Endpoint::Pre => (shape.pre_start, shape.n_pre),
            Endpoint::Post => (shape.post_start, shape.n_post),
        };
        let delays: &[u32] = match &delay {
            Travel::Steps(steps) => std::slice::from_ref(steps),
            Travel::PerSynapse { pathway, .. } => {
                match synapses.delayed.get(*pathway as usize).and_then(Option::as_ref) {
                    Some(rows) => rows.distinct_delays(),
                    None => &[],
                }
            }
        };
        for steps in delays.iter().rev() {
            let emitted_at = self.latest[stream.index()] - i64::from(*steps);
            if emitted_at < emitted.0.max(0) || emitted_at >= emitted.1 {
                continue;
            }
            let events = self.take_events(stream, emitted_at);
            let first = events.partition_point(|n| *n < start);
            let end = events.partition_point(|n| *n < start + len);
            for neuron in &events[first..end] {
                let row = neuron - start;
                match (delay, on) {
                    (Travel::Steps(_), Endpoint::Pre) => {
                        if let Some(rows) = &synapses.rows {
                            self.row(call, step, rows, row, starts);
                        }
                    }
                    (Travel::Steps(_), Endpoint::Post) => {
                        for (own, pre) in synapses.columns.iter().flat_map(|c| c.column(row)) {
                            self.gathered.push(own, pre + starts.0, *neuron);
                        }
                    }
                    (Travel::PerSynapse { pathway, .. }, _) => {
                        if let Some(rows) = synapses.delayed.get(pathway as usize).and_then(Option::as_ref) {
                            for position in rows.bucket(row, *steps) {
                                let other = rows.others()[position];
                                let (pre, post) = match on {
                                    Endpoint::Pre => (*neuron, other + starts.1),
                                    Endpoint::Post => (other + starts.0, *neuron),
                                };
                                self.gathered.push(rows.synapse(position), pre, post);
                            }
                        }
                    }
                }
                self.flush_if_full(call, step);
            }
            self.put_events(stream, emitted_at, events);
        }
        self.flush(call, step);
    }

    /// Gathers a row; hands over what is gathered once it is enough.
    fn row(&mut self, call: &Call, step: i64, rows: &Storage, row: u32, (pre, post): (u32, u32)) {
        let gathered = &mut self.gathered;
        rows.for_row(row, |own, other| gathered.push(own, row + pre, other + post));
        self.flush_if_full(call, step);
    }

    fn flush_if_full(&mut self, call: &Call, step: i64) {
        if self.gathered.is_full() {
            self.flush(call, step);
        }
    }

    fn flush(&mut self, call: &Call, step: i64) {
        let mut gathered = std::mem::take(&mut self.gathered);
        self.counters.synapses += gathered.own.len() as u64;
        self.body(call, step, gathered.batch(), &mut Vec::new());
        gathered.clear();
        self.gathered = gathered;
    }

    fn place(&self, stream: StreamId, step: i64) -> usize {
        step.rem_euclid(self.events[stream.index()].len() as i64) as usize
    }

    fn events_of(&self, stream: StreamId, step: i64) -> &[u32] {
        &self.events[stream.index()][self.place(stream, step)]
    }

    fn take_events(&mut self, stream: StreamId, step: i64) -> Vec<u32> {
        let place = self.place(stream, step);
        std::mem::take(&mut self.events[stream.index()][place])
    }

    /// Events are there for everything behind them in the step, and for what comes before them in the next one.
    fn emitted(&mut self, stream: StreamId, step: i64, events: Vec<u32>) {
        self.counters.events += events.len() as u64;
        self.latest[stream.index()] = step;
        self.put_events(stream, step, events);
    }

    fn put_events(&mut self, stream: StreamId, step: i64, events: Vec<u32>) {
        let place = self.place(stream, step);
        self.events[stream.index()][place] = events;
    }
}

impl<E: Executor> Machine for Stepper<E> {
    fn tick(&self) -> u64 {
        self.tick
    }

    fn run(&mut self, end: u64, sink: &mut dyn Sink) -> Result<Pause, RunError> {
        self.cables.values_mut().for_each(CableSolver::forget);
        while self.tick < end {
            let pause = self.one_tick(sink)?;
            if pause != Pause::Done {
                return Ok(pause);
            }
        }
        Ok(Pause::Done)
    }

    fn change(&mut self, change: Change) -> Result<(), BackendError> {
        let Change { program, plan, buffers, synapses } = change;
        let kept = |name: &str| self.program.buffers.iter().position(|b| b.name == name);
        let sources: Vec<Option<usize>> = program.buffers.iter().map(|b| kept(&b.name)).collect();
        contents_fit(&program, |k| {
            let new = buffers.get(k).and_then(Option::as_ref);
            new.or_else(|| sources[k].map(|s| &self.buffers[s]))
        })?;
        validate(&program, &plan, &synapses)?;
        let synapses = Held::of(&program, &synapses, |_| true)?.into();
        let mut old: Vec<Option<HostBuffer>> = self.buffers.drain(..).map(Some).collect();
        for (new, source) in buffers.into_iter().zip(sources) {
            let contents = new.or_else(|| source.and_then(|s| old[s].take()));
            self.buffers.push(contents.unwrap_or_else(|| HostBuffer::new(ScalarType::Bool, 0)));
        }
        let old = std::mem::replace(&mut self.program, program);
        let mut bodies: Vec<Option<E::Body>> = self.bodies.drain(..).map(Some).collect();
        for kernel in &self.program.kernels {
            let known = old.kernels.iter().position(|k| Arc::ptr_eq(k, kernel) || k == kernel);
            self.bodies.push(match known.and_then(|k| bodies[k].take()) {
                Some(body) => body,
                None => self.executor.compile(&kernel.body, &mut self.counters.compiled),
            });
        }
        let (events, latest) = (std::mem::take(&mut self.events), std::mem::take(&mut self.latest));
        (self.events, self.latest) = carried(&self.program.streams, &old.streams, events, &latest);
        if let Some(paused) = self.cursor.checked_sub(1).map(|k| self.sequence[k]) {
            let name = &old.operations[paused.index()].name;
            let named = |id: &OperationId| self.program.operations[id.index()].name == *name;
            self.cursor = plan.sequence().iter().position(named).map_or(0, |k| k + 1);
        }
        self.sequence = plan.sequence().to_vec();
        self.written = self.program.written_buffers();
        self.synapses = synapses;
        self.cables.clear();
        Ok(())
    }

    fn events(&mut self, stream: StreamId) -> Result<&[u32], DeviceError> {
        Ok(self.events_of(stream, self.latest[stream.index()]))
    }

    fn read(&mut self, buffer: BufferId) -> Result<&HostBuffer, DeviceError> {
        Ok(&self.buffers[buffer.index()])
    }

    fn write(&mut self, buffer: BufferId) -> Result<&mut HostBuffer, DeviceError> {
        Ok(&mut self.buffers[buffer.index()])
    }

    fn save(&mut self, what: Saved) -> Result<State, DeviceError> {
        let copy = |id: BufferId| (id, self.buffers[id.index()].clone());
        let all = (0..self.buffers.len()).map(BufferId::new);
        let of_time = |id: &BufferId| matches!(self.program.buffers[id.index()].role, Role::History { .. });
        let buffers = match what {
            Saved::Written => self.written.iter().copied().map(copy).collect(),
            Saved::Every => all.map(copy).collect(),
            Saved::Time => all.filter(of_time).map(copy).collect(),
        };
        Ok(State {
            program: Arc::clone(&self.program),
            tick: self.tick,
            buffers,
            events: self.events.clone(),
            latest: self.latest.clone(),
        })
    }

    fn restore(&mut self, state: &State) -> Result<(), DeviceError> {
        self.tick = state.tick;
        self.cursor = 0;
        self.stopped = None;
        if Arc::ptr_eq(&self.program, &state.program) {
            for (id, contents) in &state.buffers {
                self.buffers[id.index()].clone_from(contents);
            }
            self.events.clone_from(&state.events);
            self.latest.clone_from(&state.latest);
            return Ok(());
        }
        for (id, contents) in &state.buffers {
            let name = &state.program.buffers[id.index()].name;
            let same = |(k, _): &(usize, &HostBuffer)| self.program.buffers[*k].name == *name;
            let found = self.buffers.iter().enumerate().find(same).map(|(k, b)| (k, b.len()));
            if let Some((k, _)) = found.filter(|(_, len)| *len == contents.len()) {
                self.buffers[k].clone_from(contents);
            }
        }
        (self.events, self.latest) =
            carried(&self.program.streams, &state.program.streams, state.events.clone(), &state.latest);
        Ok(())
    }

    fn counters(&self) -> Counters {
        let held: u64 = self.synapses.iter().map(Held::bytes).sum();
        let synapse_bytes = held + Held::variable_bytes(&self.program, &self.buffers);
        Counters { synapse_bytes, ..self.counters }
    }
}

/// A [`Routine`] over an [`Executor`].
pub struct HostRoutine<E: Executor> {
    executor: E,
    kernel: Verified,
    body: E::Body,
}

impl<E: Executor> HostRoutine<E> {
    /// Compiles the kernel.
    pub fn new(executor: E, kernel: &Verified) -> Self {
        let body = executor.compile(kernel, &mut 0);
        Self { executor, kernel: kernel.clone(), body }
    }
}

impl<E: Executor> Routine for HostRoutine<E> {
    fn run(&self, work: Once<'_>) -> Result<(), BackendError> {
        bound(&self.kernel, work.bindings, |id| work.buffers.get(id.index()).map(HostBuffer::ty))?;
        let mut run = |batch: Batch<'_>| {
            let work = Work {
                seed: work.seed,
                step: work.step,
                buffers: &mut *work.buffers,
                bindings: work.bindings,
            };
            self.executor.run(&self.body, work, batch, &mut Vec::new());
        };
        match work.over {
            Over::Elements { start, len } => run(Batch::Range { start, len }),
            Over::Synapses { rows, pre_start, post_start } => match rows {
                Storage::Csr(rows) => run(Batch::Structure { rows, pre_start, post_start }),
                Storage::Ell(_) | Storage::Dense(_) => {
                    run(Batch::Structure { rows: &rows.to_csr(), pre_start, post_start });
                }
            },
            Over::Row { pre, row, post_start, n_post } => {
                let mut gathered = Gathered::default();
                for post in 0..n_post {
                    let own = u64::from(row) * u64::from(n_post) + u64::from(post);
                    gathered.push(own as usize, pre, post + post_start);
                }
                run(gathered.batch());
            }
        }
        Ok(())
    }
}

/// Room for the events of a stream that are still needed.
fn ring(stream: &Stream) -> Vec<Vec<u32>> {
    vec![Vec::new(); stream.history as usize + 1]
}

/// The events of some streams, moved into rings for others of the same names, and the steps of the latest.
fn carried(
    to: &[Stream],
    from: &[Stream],
    mut events: Vec<Vec<Vec<u32>>>,
    latest: &[i64],
) -> (Vec<Vec<Vec<u32>>>, Vec<i64>) {
    let moved = to.iter().map(|stream| {
        let mut room = ring(stream);
        let known = from.iter().position(|s| s.name == stream.name);
        let step = known.map_or(-1, |k| latest[k]);
        if let Some(known) = known {
            carry(&mut events[known], &mut room, step);
        }
        (room, step)
    });
    moved.unzip()
}

/// Moves the events of the steps up to `step` from one ring to another, which may be of another length.
fn carry(from: &mut [Vec<u32>], to: &mut [Vec<u32>], step: i64) {
    for back in 0..from.len().min(to.len()) {
        let place = |ring: usize| (step - back as i64).rem_euclid(ring as i64) as usize;
        to[place(to.len())] = std::mem::take(&mut from[place(from.len())]);
    }
}

/// The events of a list in one step.
#[must_use]
pub fn events_of_step(list: &EventList, step: i64) -> &[u32] {
    let step = if list.period > 0 { step.rem_euclid(list.period) } else { step };
    let first = list.steps.partition_point(|s| *s < step);
    let end = list.steps.partition_point(|s| *s <= step);
    &list.neurons[first..end]
}

/// The bytes of some elements, one after the other; of a shared variable, the one there is for each.
fn collect(buffer: &HostBuffer, elements: &[u32], row: &mut Vec<u8>) {
    let size = buffer.ty().size();
    let bytes = buffer.bytes();
    row.clear();
    for element in elements {
        let element = (*element as usize).min(buffer.len().saturating_sub(1));
        row.extend_from_slice(&bytes[element * size..(element + 1) * size]);
    }
}
