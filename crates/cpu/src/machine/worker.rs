//! What one shard does in a run.

#![allow(unsafe_code, reason = "shards work on their own parts of shared buffers")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use neuropil_backend::{CableData, CableSolver, Counters, Held, Pause, RunError, Sink, events_of_step};
use neuropil_base::{Scalar, ScalarType};
use neuropil_ir::Context;
use neuropil_kernels::Program;
use neuropil_kernels::program::{Action, BufferId, CableBuffers, OperationId, StreamId};
use neuropil_memory::{Element, HostBuffer};
use neuropil_morphology::CableTree;

use super::ends_runs;
use super::layout::{Layout, Step};
use super::progress::{GivenUp, Guard, Position, Progress};
use super::rings::{AHEAD, Rings};
use super::stored::Stored;
use super::walk::Gathered;
use crate::block::Workspace;
use crate::body::Bound;
use crate::deliver::Due;
use crate::elements::Elements;
use crate::product::Place;
use crate::slot::Slot;
use crate::typed::typed;

/// Where a buffer lies.
#[derive(Clone, Copy)]
struct Raw {
    ty: ScalarType,
    data: NonNull<u8>,
    len: usize,
}

/// What all shards of a run share.
pub(super) struct Common<'a> {
    pub(super) program: &'a Program,
    pub(super) layout: &'a Layout,
    pub(super) held: &'a [Held],
    stored: &'a [Stored],
    buffers: Vec<Raw>,
    rings: &'a Rings,
    progress: Progress,
    /// The tick that is the last one, as a stop condition says; later than any before.
    stop: AtomicU64,
    tick: u64,
    cursor: usize,
    end: u64,
}

// SAFETY: buffers are used through slots, each shard keeping to its part of what is written (see `Layout`).
unsafe impl Sync for Common<'_> {}

impl<'a> Common<'a> {
    pub(super) fn new(
        (program, layout, held, stored): (&'a Program, &'a Layout, &'a [Held], &'a [Stored]),
        buffers: &'a mut [HostBuffer],
        rings: &'a Rings,
        (tick, cursor, end): (u64, usize, u64),
    ) -> Self {
        let raw = |buffer: &'a mut HostBuffer| Raw {
            ty: buffer.ty(),
            len: buffer.len(),
            data: NonNull::from(buffer.bytes_mut()).cast(),
        };
        let buffers = buffers.iter_mut().map(raw).collect();
        let progress = Progress::new(layout.shards, position(layout, tick, cursor));
        let stop = AtomicU64::new(u64::MAX);
        Self { program, layout, held, stored, buffers, rings, progress, stop, tick, cursor, end }
    }

    /// A buffer, to be used as the layout allows.
    fn slot(&self, id: BufferId) -> Slot<'a> {
        let Raw { ty, data, len } = self.buffers[id.index()];
        // SAFETY: the buffers are borrowed for as long as the run lasts, and used through slots only. A shard touches its
        // own part of what is written meanwhile: that is what a split operation does, and operations that do
        // not, or reach further, are kept apart by waiting.
        unsafe { Slot::shared(ty, data, len, true) }
    }
}

/// The position before step `cursor` of a tick.
fn position(layout: &Layout, tick: u64, cursor: usize) -> Position {
    tick * (layout.steps.len() as u64 + 1) + cursor as u64
}

/// What a shard keeps from one run to the next.
#[derive(Debug)]
pub(super) struct Shard {
    number: usize,
    workspace: Workspace,
    gathered: Gathered,
    /// What is on its way to the shard, for each group of static deliveries; nothing that is known at first.
    due: Vec<Due>,
    events: Vec<u32>,
    rows: Vec<Vec<u8>>,
    pub(super) counters: Counters,
}

/// Where a run ended.
pub(super) struct Exit {
    pub(super) tick: u64,
    pub(super) cursor: usize,
    pub(super) stopped: Option<OperationId>,
    pub(super) latest: Vec<i64>,
    pub(super) pause: Result<Pause, RunError>,
}

/// Why a shard ends a run early.
enum Early {
    GivenUp,
    Failed(RunError),
}

impl From<GivenUp> for Early {
    fn from(GivenUp: GivenUp) -> Self {
        Self::GivenUp
    }
}

/// What only the first shard has.
struct Head<'a> {
    sink: &'a mut dyn Sink,
    cables: &'a mut BTreeMap<BufferId, CableSolver>,
}

impl Shard {
    pub(super) fn new(number: usize) -> Self {
        Self {
            number,
            workspace: Workspace::new(),
            gathered: Gathered::default(),
            due: Vec::new(),
            events: Vec::new(),
            rows: Vec::new(),
            counters: Counters::default(),
        }
    }

    /// Forgets what is on its way: the events that are known are others.
    pub(super) fn forget(&mut self) {
        self.due.clear();
    }

    /// Runs the first shard, which also does what is not split.
    pub(super) fn run_first(
        &mut self,
        common: &Common<'_>,
        latest: &[i64],
        stopped: Option<OperationId>,
        cables: &mut BTreeMap<BufferId, CableSolver>,
        sink: &mut dyn Sink,
    ) -> Exit {
        self.walk(common, latest, stopped, Some(Head { sink, cables }))
    }

    /// Runs another shard.
    pub(super) fn run_other(&mut self, common: &Common<'_>, latest: &[i64], stopped: Option<OperationId>) {
        self.walk(common, latest, stopped, None);
    }

    fn walk<'c>(
        &mut self,
        common: &Common<'c>,
        latest: &[i64],
        stopped: Option<OperationId>,
        head: Option<Head<'_>>,
    ) -> Exit {
        let _guard = Guard(&common.progress);
        let bound = |s: &'c Step| {
            let slots = s.bindings.iter().map(|id| common.slot(*id)).collect();
            Bound::new(s.body.as_deref(), slots)
        };
        let mut turn = Turn {
            common,
            shard: self,
            // Taken apart and put together, so that the sink may be taken for something that lives as short as the turn.
            head: head.map(|Head { sink, cables }| Head { sink, cables }),
            bound: common.layout.steps.iter().map(bound).collect(),
            latest: latest.to_vec(),
            since: common.layout.no_steps(),
            seen: Cell::new(0),
            meetings: Cell::new(0),
            tick: common.tick,
            cursor: common.cursor,
            stopped,
        };
        let pause = match turn.run() {
            Ok(pause) => Ok(pause),
            Err(Early::Failed(error)) => {
                common.progress.give_up();
                Err(error)
            }
            // Only the first shard fails, and only its exit counts.
            Err(Early::GivenUp) => Ok(Pause::Done),
        };
        let Turn { tick, cursor, stopped, latest, meetings, .. } = turn;
        self.counters.meetings += meetings.get();
        Exit { tick, cursor, stopped, latest, pause }
    }
}

/// A shard in a run.
pub(super) struct Turn<'a, 'c> {
    pub(super) common: &'a Common<'c>,
    shard: &'a mut Shard,
    head: Option<Head<'a>>,
    /// Each step's kernel and buffers.
    bound: Vec<Bound<'c>>,
    latest: Vec<i64>,
    /// The steps done since all shards last met.
    since: super::layout::Steps,
    /// As far as all shards are known to have come.
    seen: Cell<Position>,
    /// How often they were waited for.
    meetings: Cell<u64>,
    tick: u64,
    cursor: usize,
    stopped: Option<OperationId>,
}

/// A kernel's turn: the number of its step in the layout, and the step of its clock.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) step: usize,
    pub(super) time: i64,
}

impl<'c> Turn<'_, 'c> {
    fn run(&mut self) -> Result<Pause, Early> {
        let layout = self.common.layout;
        let alone = layout.shards == 1;
        while self.tick < self.common.end {
            if !alone && self.cursor == 0 && self.tick > AHEAD {
                self.common.progress.wait(position(layout, self.tick - AHEAD, 0))?;
            }
            let mut may_stop = self.stopped.is_some();
            while let Some(step) = layout.steps.get(self.cursor) {
                let at = self.cursor;
                self.cursor += 1;
                let Some(time) = step.turn(self.tick) else { continue };
                let time = time as i64;
                if !alone && step.conflicts.meets(&self.since) {
                    self.meet(at)?;
                }
                let action = &self.common.program.operations[step.operation.index()].action;
                if ends_runs(action) {
                    if let Action::Host { .. } = action {
                        return Ok(Pause::Host(step.operation));
                    }
                    may_stop = true;
                }
                if step.split || self.head.is_some() {
                    self.carry_out(step, action, At { step: at, time })?;
                }
                if let Some(stream) = step.emits {
                    self.latest[stream.index()] = time;
                    self.reached(at + 1);
                }
                self.since.insert(at);
            }
            if may_stop && !alone {
                self.meet(layout.steps.len())?;
            }
            let last = self.common.stop.load(Ordering::Relaxed) == self.tick;
            self.tick += 1;
            self.cursor = 0;
            self.reached(0);
            if last || self.stopped.is_some() {
                return Ok(self.stopped.take().map_or(Pause::Done, Pause::Stopped));
            }
        }
        Ok(Pause::Done)
    }

    fn reached(&self, cursor: usize) {
        self.common.progress.reached(self.shard.number, position(self.common.layout, self.tick, cursor));
    }

    /// Waits until all shards have done all steps before this one.
    fn meet(&mut self, cursor: usize) -> Result<(), GivenUp> {
        self.reached(cursor);
        self.wait(position(self.common.layout, self.tick, cursor))?;
        self.since.clear();
        Ok(())
    }

    /// Waits until all shards have come that far, unless that is known.
    fn wait(&self, position: Position) -> Result<(), GivenUp> {
        if position > self.seen.get() {
            self.common.progress.wait(position)?;
            self.seen.set(position);
            self.meetings.set(self.meetings.get() + 1);
        }
        Ok(())
    }

    /// Waits until a stream has been filled in a step, by all shards.
    fn filled(&self, stream: StreamId, step: i64) -> Result<(), GivenUp> {
        let layout = self.common.layout;
        match layout.sources[stream.index()] {
            Some(source) if layout.shards > 1 && step >= 0 => {
                self.wait(position(layout, step as u64 * source.period, source.step + 1))
            }
            _ => Ok(()),
        }
    }

    /// The events of a step that shard `of` saw among the neurons of `range`, ascending. They must have been waited for.
    pub(super) fn events(&self, stream: StreamId, of: usize, step: i64, range: &Range<u32>) -> &'c [u32] {
        // SAFETY: all shards have filled the place, and none is so far ahead that it may be filling it again.
        let events = unsafe { self.common.rings.get(stream.index(), of, step) };
        within(events, range)
    }

    /// The shards that may have seen events of the neurons of a shard's own part: itself, if streams are filled in parts.
    fn seers(&self, stream: StreamId, cut: usize) -> Result<Range<usize>, ()> {
        let layout = self.common.layout;
        let own = layout.sources[stream.index()].is_some_and(|s| s.split)
            && layout.stream_cuts[stream.index()] == cut;
        if own { Ok(self.shard.number..self.shard.number + 1) } else { Err(()) }
    }

    fn own_part(&self, cut: usize) -> Range<u32> {
        self.common.layout.cuts[cut].part(self.shard.number)
    }

    /// What a step that is not split runs over: everything.
    fn part_of(&self, step: &Step) -> Range<u32> {
        if step.split { self.own_part(step.cut) } else { 0..u32::MAX }
    }

    fn carry_out(&mut self, step: &Step, action: &Action, at: At) -> Result<(), Early> {
        if let Some(group) = step.group {
            self.deliver(group, at)?;
            return Ok(());
        }
        match action {
            Action::Elements { start, len, .. } => {
                let part = self.part_of(step);
                let first = part.start.max(*start);
                let end = part.end.min(start + len).max(first);
                let elements = Elements::range(u64::from(first), (end - first) as usize);
                self.shard.counters.elements += elements.len as u64 * step.count;
                let Some(stream) = step.emits else {
                    self.body(at, &elements, &mut Vec::new());
                    return Ok(());
                };
                let mut emitted = std::mem::take(&mut self.shard.events);
                emitted.clear();
                if elements.len > 0 {
                    self.body(at, &elements, &mut emitted);
                }
                self.fill(stream, at.time, &emitted);
                self.shard.events = emitted;
            }
            Action::List { stream, list } => {
                let part = self.own_part(step.cut);
                self.fill(*stream, at.time, within(events_of_step(list, at.time), &part));
            }
            Action::Events { stream, delay, .. } => {
                let when = self.latest[stream.index()] - i64::from(*delay);
                if when >= 0 {
                    self.for_events(step, *stream, when, at)?;
                }
            }
            Action::Deliver { .. } | Action::Synapses { .. } => self.synapses(step, action, at)?,
            Action::Fill { buffer, start, len, value } => {
                let part = self.part_of(step);
                let first = part.start.max(*start);
                let range = first as usize..part.end.min(start + len).max(first) as usize;
                fill(&self.common.slot(*buffer), range, *value);
            }
            Action::Cable { tree, buffers } => self.cable(tree, buffers),
            Action::RecordEvents { recorder, stream, start, len, count_only } => {
                let when = self.latest[stream.index()];
                self.filled(*stream, when)?;
                let mut all = std::mem::take(&mut self.shard.events);
                all.clear();
                for of in 0..self.common.layout.shards {
                    all.extend_from_slice(self.events(*stream, of, when, &(*start..start + len)));
                }
                if let Some(head) = &mut self.head {
                    if *count_only {
                        head.sink.count(*recorder, at.time, all.len() as u64)
                    } else {
                        head.sink.events(*recorder, at.time, &all)
                    }
                    .map_err(|e| Early::Failed(RunError::Sink(e)))?;
                }
                self.shard.events = all;
            }
            Action::RecordState { recorder, buffers, elements } => {
                let rows = &mut self.shard.rows;
                rows.resize_with(buffers.len().max(rows.len()), Vec::new);
                for (row, buffer) in rows.iter_mut().zip(buffers) {
                    collect(&self.common.slot(*buffer), elements, row);
                }
                let columns: Vec<&[u8]> = rows.iter().take(buffers.len()).map(Vec::as_slice).collect();
                if let Some(head) = &mut self.head {
                    let taken = head.sink.state(*recorder, at.time, &columns);
                    taken.map_err(|e| Early::Failed(RunError::Sink(e)))?;
                }
            }
            Action::Stop { stream, at_least } => {
                let when = self.latest[stream.index()];
                self.filled(*stream, when)?;
                let count: usize = (0..self.common.layout.shards)
                    .map(|of| self.events(*stream, of, when, &(0..u32::MAX)).len())
                    .sum();
                if count >= *at_least as usize {
                    self.stopped = Some(step.operation);
                    self.common.stop.store(self.tick, Ordering::Relaxed);
                }
            }
            // It never comes here: the run pauses.
            Action::Host { .. } => {}
        }
        Ok(())
    }

    /// Carries out a group of static deliveries.
    fn deliver(&mut self, number: usize, at: At) -> Result<(), GivenUp> {
        let common = self.common;
        let group = &common.layout.deliveries.groups()[number];
        let rows = &common.stored[number].rows[self.shard.number];
        let mut dues = std::mem::take(&mut self.shard.due);
        if dues.len() <= number {
            dues.resize_with(common.layout.deliveries.groups().len(), Due::default);
        }
        let due = &mut dues[number];
        let stream = group.stream();
        let steps = due.turn(rows, self.latest[stream.index()], group.emitted());
        if !steps.is_empty() {
            self.filled(stream, steps.end - 1)?;
        }
        for emitted_at in steps {
            let events = |of| self.events(stream, of, emitted_at, &(0..u32::MAX));
            due.enter(rows, emitted_at, (0..common.layout.shards).map(events));
        }
        let buckets = due.buckets();
        group.deliver(rows, buckets, at.time, self.bound[at.step].slots());
        let count: usize = buckets.iter().map(|(start, end)| (end - start) as usize).sum();
        due.done();
        self.count_synapses(count);
        self.shard.due = dues;
        Ok(())
    }

    /// Fills the shard's part of a stream.
    fn fill(&mut self, stream: StreamId, step: i64, events: &[u32]) {
        self.shard.counters.events += events.len() as u64;
        // SAFETY: this shard fills its own places, and others are no further behind than the ring is long.
        unsafe {
            let to = |place: &mut Vec<u32>| place.extend_from_slice(events);
            self.common.rings.fill(stream.index(), self.shard.number, step, to);
        }
    }

    /// Runs a kernel for the elements that emitted an event.
    fn for_events(&mut self, step: &Step, stream: StreamId, when: i64, at: At) -> Result<(), Early> {
        let part = self.part_of(step);
        let seers = match self.seers(stream, step.cut) {
            Ok(own) if step.split => own,
            _ => {
                self.filled(stream, when)?;
                0..self.common.layout.shards
            }
        };
        for of in seers {
            let list = self.events(stream, of, when, &part);
            self.shard.counters.elements += list.len() as u64;
            if !list.is_empty() {
                self.body(at, &Elements::list(list), &mut Vec::new());
            }
        }
        Ok(())
    }

    /// Runs the kernel of a step.
    pub(super) fn body(&mut self, at: At, elements: &Elements<'_>, emitted: &mut Vec<u32>) {
        let context = Context { seed: self.common.program.seed, step: at.time };
        let done = self.bound[at.step].run(&mut self.shard.workspace, &context, elements, emitted);
        debug_assert!(done.is_ok(), "bindings are checked when a program is loaded: {done:?}");
    }

    /// Adds what all synapses of a part of a full matrix give, if that is all that the kernel of a step does.
    pub(super) fn product(&self, at: At, place: &Place) -> bool {
        self.bound[at.step].product(place)
    }

    /// The synapses that are being gathered, and how many were handed over.
    pub(super) fn take_gathered(&mut self) -> Gathered {
        std::mem::take(&mut self.shard.gathered)
    }

    pub(super) fn put_gathered(&mut self, gathered: Gathered) {
        self.shard.gathered = gathered;
    }

    pub(super) fn count_synapses(&mut self, n: usize) {
        self.shard.counters.elements += n as u64;
        self.shard.counters.synapses += n as u64;
    }

    /// The steps in which events were emitted that arrive now, for each of `delays` (ascending): the longest delay
    /// first. Waits until they are there.
    pub(super) fn due<'d>(
        &self,
        stream: StreamId,
        delays: &'d [u32],
        emitted: (i64, i64),
    ) -> Result<impl Iterator<Item = (usize, i64)> + use<'d>, GivenUp> {
        let latest = self.latest[stream.index()];
        let when = move |delay: u32| latest - i64::from(delay);
        let is_due = move |step: i64| step >= emitted.0.max(0) && step < emitted.1;
        if let Some(newest) = delays.iter().map(|d| when(*d)).find(|step| is_due(*step)) {
            self.filled(stream, newest)?;
        }
        let all = delays.iter().enumerate().rev().map(move |(k, delay)| (k, when(*delay)));
        Ok(all.filter(move |(_, step)| is_due(*step)))
    }

    /// The postsynaptic neurons whose synapses the shard walks.
    pub(super) fn posts(&self, step: &Step) -> Range<u32> {
        self.part_of(step)
    }

    fn cable(&mut self, tree: &CableTree, ids: &CableBuffers) {
        let [voltage, shunt, source, resistivity, r_length_1, r_length_2] =
            ids.all().map(|id| self.common.slot(id));
        let Some(head) = &mut self.head else { return };
        let solver = head.cables.entry(ids.voltage).or_default();
        macro_rules! data {
            ($ty:ty) => {{
                let read = |slot: Slot<'c>| slot.cells::<$ty>().part(0..slot.len()).unwrap_or_default();
                CableData {
                    voltage: voltage.cells::<$ty>().part_mut(0..voltage.len()).unwrap_or_default(),
                    shunt: read(shunt),
                    source: read(source),
                    resistivity: read(resistivity),
                    r_length_1: read(r_length_1),
                    r_length_2: read(r_length_2),
                }
            }};
        }
        if voltage.ty() == ScalarType::F32 {
            solver.narrow(tree, data!(f32));
        } else {
            solver.wide(tree, data!(f64));
        }
    }
}

/// Those of ascending numbers that lie in a range.
#[inline(always)]
fn within<'e>(events: &'e [u32], range: &Range<u32>) -> &'e [u32] {
    match events {
        // Mostly there are none, or none is outside.
        [] => events,
        [first, .., last] | [first @ last] if range.contains(first) && range.contains(last) => events,
        _ => {
            let first = events.partition_point(|n| *n < range.start);
            let end = events.partition_point(|n| *n < range.end);
            &events[first..end]
        }
    }
}

/// Sets elements of a buffer.
fn fill(slot: &Slot<'_>, range: Range<usize>, value: Scalar) {
    fn set<T: Element>(slot: &Slot<'_>, range: Range<usize>, value: T) {
        if let Some(part) = slot.cells::<T>().part_mut(range) {
            part.fill(value);
        }
    }
    match value {
        Scalar::Bool(b) => set(slot, range, u8::from(b)),
        Scalar::I32(x) => set(slot, range, x),
        Scalar::I64(x) => set(slot, range, x),
        Scalar::F32(x) => set(slot, range, x),
        Scalar::F64(x) => set(slot, range, x),
    }
}

/// The bytes of some elements, one after the other; of a shared variable, the one there is for each.
fn collect(slot: &Slot<'_>, elements: &[u32], row: &mut Vec<u8>) {
    row.clear();
    typed!(slot.ty(), T => {
        let cells = slot.cells::<T>();
        for element in elements {
            let value = cells.get((*element as usize).min(slot.len().saturating_sub(1))).unwrap_or_default();
            row.extend_from_slice(bytemuck::bytes_of(&value));
        }
    });
}
