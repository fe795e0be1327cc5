//! The machine of the CPU backend: every thread owns a part of the neurons, and walks the whole plan for it.
//!
//! * `layout`: who owns what, and which operations can be split ([`neuropil_kernels::Split`]); which are fused.
//! * `worker`: what one shard does in a run; `walk`: how it goes through rows and columns of synapses.
//! * `work`: what an element costs per step.
//! * `spare`: buffers that need not be there.
//! * `stored`: the synapses that need no kernel ([`crate::deliver`]), as shards keep them.
//! * `rings`: the events that shards hand each other; `progress`: how they wait for each other.
//!
//! A shard writes only to its own neurons and to synapses that end in them, so that every sum has one writer and
//! the order that defines its meaning: results do not depend on how many shards there are. It waits for others only
//! where it reads what they write: for the events that arrive in this step (of steps long ago, if delays are long), and
//! between operations that reach into the parts of other shards (`Step::conflicts`).

mod explain;
mod layout;
mod progress;
mod rings;
mod spare;
mod stored;
mod walk;
mod work;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;

use neuropil_backend::{
    BackendError, CableSolver, Change, Counters, Held, Image, Looking, Machine, Pause, RunError, Saved, Sink,
    State, Synapses, contents_fit, validate,
};
use neuropil_base::ScalarType;
use neuropil_kernels::Program;
use neuropil_kernels::program::{Action, BufferId, OperationId, Role, StreamId};
use neuropil_memory::{DeviceError, HostBuffer};
use neuropil_schedule::Plan;
use rayon::ThreadPool;

use crate::backend::Bodies;
use crate::deliver::ShardRows;
pub use explain::explain;
use layout::Layout;
use rings::Rings;
use spare::Spare;
use stored::{Former, Stored, put_together, store, store_again, walked};
use worker::{Common, Exit, Shard};

/// A program in this machine.
pub(crate) struct Sharded {
    bodies: Looking<Bodies>,
    compiled: u64,
    smallest_work: u64,
    /// The threads of all shards but the first, which runs on the caller's.
    pool: Option<ThreadPool>,
    program: Arc<Program>,
    plan: Arc<Plan>,
    synapses: Vec<Arc<Synapses>>,
    /// What operations walk of them.
    held: Vec<Held>,
    buffers: Vec<HostBuffer>,
    written: Vec<BufferId>,
    layout: Layout,
    /// For each group of static deliveries.
    stored: Vec<Stored>,
    spare: Spare,
    rings: Rings,
    /// For each stream, the step of its clock in which it was last filled; -1 before.
    latest: Vec<i64>,
    shards: Vec<Shard>,
    tick: u64,
    /// How many steps of the layout have been done in this tick; not 0 only while paused.
    cursor: usize,
    /// The operation whose condition ends the run after this tick.
    stopped: Option<OperationId>,
    /// The solvers of cables, by the voltage that they write.
    cables: BTreeMap<BufferId, CableSolver>,
    /// What [`Machine::events`] shows.
    shown: Vec<u32>,
}

impl Sharded {
    /// Loads a program.
    pub(crate) fn new(
        bodies: Looking<Bodies>,
        smallest_work: u64,
        image: Image,
    ) -> Result<Self, BackendError> {
        let Image { program, plan, mut buffers, again, synapses, threads } = image;
        contents_fit(&program, |k| buffers.get(k))?;
        validate(&program, &plan, &synapses)?;
        // Without a pool (one thread, or none to be had) everything runs on the calling thread, to the same bits.
        let pool = || rayon::ThreadPoolBuilder::new().num_threads(threads - 1).build().ok();
        let pool = if threads > 1 { pool() } else { None };
        let threads = if pool.is_some() { threads } else { 1 };
        let mut compiled = 0;
        let mut layout =
            Layout::new(&program, &plan, &synapses, (&bodies, &mut compiled), (threads, smallest_work))?;
        let (pool, threads) = if threads > 1 && !layout.is_divided() {
            // Threads without a part would only look on.
            layout = Layout::new(&program, &plan, &synapses, (&bodies, &mut compiled), (1, smallest_work))?;
            (None, 1)
        } else {
            (pool, threads)
        };
        let held = walked(&program, &layout, &synapses)?;
        let mut spare = Spare::new(&program, &layout, again);
        let stored = store(&program, &layout, &synapses, &mut buffers, &mut spare)?;
        Ok(Self {
            bodies,
            compiled,
            stored,
            spare,
            smallest_work,
            pool,
            written: program.written_buffers(),
            rings: Rings::new(&program.streams, threads),
            latest: vec![-1; program.streams.len()],
            shards: (0..threads).map(Shard::new).collect(),
            program,
            plan,
            synapses,
            held,
            buffers,
            layout,
            tick: 0,
            cursor: 0,
            stopped: None,
            cables: BTreeMap::new(),
            shown: Vec::new(),
        })
    }

    /// Takes over events from streams of the same names.
    fn carry(&mut self, from: &Program, events: &[Vec<Vec<u32>>], latest: &[i64]) {
        self.rings = Rings::new(&self.program.streams, self.layout.shards);
        self.latest = vec![-1; self.program.streams.len()];
        self.shards.iter_mut().for_each(Shard::forget);
        for (k, stream) in self.program.streams.iter().enumerate() {
            let Some(known) = from.streams.iter().position(|s| s.name == stream.name) else { continue };
            self.latest[k] = latest[known];
            let cut = &self.layout.cuts[self.layout.stream_cuts[k]];
            let kept = &events[known];
            self.rings.load(k, cut, latest[known], kept);
        }
    }
}

impl Machine for Sharded {
    fn tick(&self) -> u64 {
        self.tick
    }

    fn run(&mut self, end: u64, sink: &mut dyn Sink) -> Result<Pause, RunError> {
        if self.tick >= end {
            return Ok(Pause::Done);
        }
        self.cables.values_mut().for_each(CableSolver::forget);
        for (stored, group) in self.stored.iter_mut().zip(self.layout.deliveries.groups()) {
            if stored.is_stale() {
                for at in (0..self.buffers.len()).filter(|k| group.depends_on(BufferId::new(*k))) {
                    self.spare.recall(&mut self.buffers, at)?;
                }
            }
            stored.refresh(&self.program, group, &self.synapses, &self.buffers)?;
        }
        self.spare.dismiss(&mut self.buffers, |_| false);
        let common = Common::new(
            (&self.program, &self.layout, &self.held, &self.stored),
            &mut self.buffers,
            &self.rings,
            (self.tick, self.cursor, end),
        );
        let (first, others) = self.shards.split_at_mut(1);
        let latest = &self.latest;
        let (cables, stopped) = (&mut self.cables, self.stopped);
        let mut head = || first[0].run_first(&common, latest, stopped, cables, sink);
        let exit = match &self.pool {
            None => head(),
            Some(pool) => pool.in_place_scope(|scope| {
                let common = &common;
                for shard in others {
                    scope.spawn(move |_| shard.run_other(common, latest, stopped));
                }
                head()
            }),
        };
        let Exit { tick, cursor, stopped, latest, pause } = exit;
        (self.tick, self.cursor, self.stopped, self.latest) = (tick, cursor, stopped, latest);
        pause
    }

    fn change(&mut self, change: Change) -> Result<(), BackendError> {
        let Change { program, plan, buffers, synapses } = change;
        self.spare.recall_all(&mut self.buffers)?;
        let kept = |name: &str| self.program.buffers.iter().position(|b| b.name == name);
        let sources: Vec<Option<usize>> = program.buffers.iter().map(|b| kept(&b.name)).collect();
        contents_fit(&program, |k| {
            let new = buffers.get(k).and_then(Option::as_ref);
            new.or_else(|| sources[k].map(|s| &self.buffers[s]))
        })?;
        validate(&program, &plan, &synapses)?;
        let layout = Layout::new(
            &program,
            &plan,
            &synapses,
            (&self.bodies, &mut self.compiled),
            (self.shards.len(), self.smallest_work),
        )?;
        let held = walked(&program, &layout, &synapses)?;
        let former = Former {
            program: &self.program,
            layout: &self.layout,
            synapses: &self.synapses,
            stored: &self.stored,
        };
        let nothing = HostBuffer::new(ScalarType::Bool, 0);
        let contents = |id: BufferId| {
            let old = || sources[id.index()].map(|s| &self.buffers[s]);
            buffers[id.index()].as_ref().or_else(old).unwrap_or(&nothing)
        };
        let is_new = |id: BufferId| buffers[id.index()].is_some();
        let origins = store_again(&program, &layout, &synapses, (contents, is_new), &former)?;
        // From here on nothing can fail.
        let events = self.rings.save(&self.latest);
        let latest = std::mem::take(&mut self.latest);
        let same = |(new, source): (&Option<HostBuffer>, &Option<usize>)| source.filter(|_| new.is_none());
        let from: Vec<Option<usize>> = buffers.iter().zip(&sources).map(same).collect();
        let recipes = std::mem::take(&mut self.spare).moved(&from);
        let mut old: Vec<Option<HostBuffer>> = self.buffers.drain(..).map(Some).collect();
        for (new, source) in buffers.into_iter().zip(sources) {
            let contents = new.or_else(|| source.and_then(|s| old[s].take()));
            self.buffers.push(contents.unwrap_or_else(|| HostBuffer::new(ScalarType::Bool, 0)));
        }
        let old = std::mem::replace(&mut self.program, program);
        self.synapses = synapses;
        self.plan = plan;
        let paused = self.cursor.checked_sub(1).map(|k| self.layout.steps[k].operation);
        self.layout = layout;
        self.stored = put_together(origins, std::mem::take(&mut self.stored));
        self.spare = Spare::new(&self.program, &self.layout, recipes);
        self.held = held;
        self.carry(&old, &events, &latest);
        if let Some(paused) = paused {
            let name = &old.operations[paused.index()].name;
            let named = |id: OperationId| self.program.operations[id.index()].name == *name;
            self.cursor = self.layout.steps.iter().position(|s| named(s.operation)).map_or(0, |k| k + 1);
        }
        self.written = self.program.written_buffers();
        self.cables.clear();
        Ok(())
    }

    fn events(&mut self, stream: StreamId) -> Result<&[u32], DeviceError> {
        self.shown.clear();
        self.rings.all(stream.index(), self.latest[stream.index()], &mut self.shown);
        Ok(&self.shown)
    }

    fn read(&mut self, buffer: BufferId) -> Result<&HostBuffer, DeviceError> {
        self.spare.recall(&mut self.buffers, buffer.index())?;
        Ok(&self.buffers[buffer.index()])
    }

    fn write(&mut self, buffer: BufferId) -> Result<&mut HostBuffer, DeviceError> {
        for (stored, group) in self.stored.iter_mut().zip(self.layout.deliveries.groups()) {
            stored.written(group, buffer);
        }
        self.spare.recall(&mut self.buffers, buffer.index())?;
        self.spare.changed(buffer.index());
        Ok(&mut self.buffers[buffer.index()])
    }

    fn save(&mut self, what: Saved) -> Result<State, DeviceError> {
        if what == Saved::Every {
            self.spare.recall_all(&mut self.buffers)?;
        }
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
            events: self.rings.save(&self.latest),
            latest: self.latest.clone(),
        })
    }

    fn restore(&mut self, state: &State) -> Result<(), DeviceError> {
        self.tick = state.tick;
        self.cursor = 0;
        self.stopped = None;
        let same = Arc::ptr_eq(&self.program, &state.program);
        for (id, contents) in &state.buffers {
            let name = &state.program.buffers[id.index()].name;
            let named = || self.program.buffers.iter().position(|b| b.name == *name);
            let place = if same { Some(id.index()) } else { named() };
            if let Some(k) = place.filter(|k| self.program.buffers[*k].len == contents.len()) {
                self.buffers[k].clone_from(contents);
                self.spare.changed(k);
                for (stored, group) in self.stored.iter_mut().zip(self.layout.deliveries.groups()) {
                    stored.written(group, BufferId::new(k));
                }
            }
        }
        let from = Arc::clone(&state.program);
        self.carry(&from, &state.events, &state.latest);
        Ok(())
    }

    fn counters(&self) -> Counters {
        let held: u64 = self.held.iter().map(Held::bytes).sum();
        let stored: usize = self.stored.iter().flat_map(|s| &s.rows).map(ShardRows::bytes).sum();
        let mut sum = Counters {
            compiled: self.compiled,
            meetings: self.shards.first().map_or(0, |shard| shard.counters.meetings),
            synapse_bytes: held + stored as u64 + Held::variable_bytes(&self.program, &self.buffers),
            ..Counters::default()
        };
        for shard in &self.shards {
            sum.elements += shard.counters.elements;
            sum.synapses += shard.counters.synapses;
            sum.events += shard.counters.events;
        }
        sum
    }
}

/// Whether an operation is carried out by the host, or concerns the whole run.
fn ends_runs(action: &Action) -> bool {
    matches!(action, Action::Host { .. } | Action::Stop { .. })
}
