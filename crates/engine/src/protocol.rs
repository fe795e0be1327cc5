//! What a model says is done when it is run: its acts, one after the other.

use std::sync::Arc;

use neuropil_backend::{Saved, State};
use neuropil_kernels::program::Owner;
use neuropil_model::{
    Act, Change, Connect, Delay, Expr, ExprKind, Initial, SiteId, StopCondition, StopId, SubnetworkId,
};

use crate::change::Replaced;
use crate::run::OnProgress;
use crate::simulation::Elsewhere;
use crate::{Outcome, Progress, RunError, Simulation};

impl Simulation {
    /// Does what the model says, from where it was left: its runs with everything in between, at most for the
    /// network's `duration`. `progress` sees all of it as one run.
    ///
    /// # Errors
    /// [`RunError`]; what was recorded until then is kept.
    pub fn perform(&mut self, progress: &mut OnProgress<'_>) -> Result<Outcome, RunError> {
        let acts = self.network.protocol.clone();
        let limit = self.steps_of(self.network.duration)?;
        let total = limit.min(self.listed(&acts)?);
        while let Some(act) = acts.get(self.circumstances.done.0) {
            if let Act::Run { subnetwork, duration, stop } = act {
                let before = self.circumstances.steps;
                let rest = self.steps_of(*duration)?.saturating_sub(self.circumstances.done.1);
                let steps = rest.min(limit.saturating_sub(before));
                self.enter(*subnetwork)?;
                let mut whole = |p: Progress| progress(Progress { done: before + p.done, total, ..p });
                let outcome = self.run_until(steps, *stop, &mut whole);
                self.circumstances.done.1 += self.circumstances.steps - before;
                if outcome? == Outcome::Stopped {
                    return Ok(Outcome::Stopped);
                }
                if self.circumstances.steps >= limit {
                    return Ok(Outcome::Finished);
                }
            } else {
                self.act(act)?;
            }
            self.circumstances.done = (self.circumstances.done.0 + 1, 0);
        }
        Ok(Outcome::Finished)
    }

    /// Does some acts, whose stop conditions are `stops`, one after the other; `progress` sees all of it as one run.
    /// Random numbers in them are others than those of earlier acts.
    ///
    /// # Errors
    /// [`RunError`]; what was done until then is done.
    pub fn follow(
        &mut self,
        acts: &[Act],
        stops: &[StopCondition],
        progress: &mut OnProgress<'_>,
    ) -> Result<Outcome, RunError> {
        self.circumstances.followed += 1;
        let total = self.listed(acts)?;
        let start = self.circumstances.steps;
        for act in acts {
            let Act::Run { subnetwork, duration, stop } = act else {
                let act = with_sites(act.clone(), self.circumstances.followed);
                self.act(&act)?;
                continue;
            };
            let steps = self.steps_of(*duration)?;
            let before = self.circumstances.steps - start;
            let stop = stop.and_then(|id| stops.get(id.index())).map(|condition| self.known_stop(condition));
            self.enter(*subnetwork)?;
            let mut whole = |p: Progress| progress(Progress { done: before + p.done, total, ..p });
            if self.run_until(steps, stop, &mut whole)? == Outcome::Stopped {
                return Ok(Outcome::Stopped);
            }
        }
        Ok(Outcome::Finished)
    }

    /// The steps of all runs among some acts.
    fn listed(&self, acts: &[Act]) -> Result<u64, RunError> {
        let mut steps = 0_u64;
        for act in acts {
            if let Act::Run { duration, .. } = act {
                steps = steps.saturating_add(self.steps_of(*duration)?);
            }
        }
        Ok(steps)
    }

    /// A stop condition of the network; it becomes one if it is new.
    fn known_stop(&mut self, condition: &StopCondition) -> StopId {
        if let Some(k) = self.network.stops.iter().position(|s| s == condition) {
            return StopId::new(k);
        }
        let network = Arc::make_mut(&mut self.network);
        network.stops.push(condition.clone());
        let id = StopId::new(network.stops.len() - 1);
        // The program does not know it yet.
        self.off.insert(Owner::Stop(id));
        id
    }

    /// Does one thing that is no run.
    fn act(&mut self, act: &Act) -> Result<(), RunError> {
        match act {
            Act::Run { .. } => Ok(()),
            Act::Set(change) => self.change(change),
            Act::Delay { projection, pathway, delay } => self.set_delay(*projection, *pathway, delay.clone()),
            Act::Connect { projection, connect } => self.reconnect(*projection, connect.clone()),
            Act::Switch { objects, recorders, on } => {
                let objects = objects.iter().copied().map(Owner::Object);
                self.switch(objects.chain(recorders.iter().copied().map(Owner::Recorder)), *on)
            }
            Act::Store(name) => {
                let snapshot = self.store()?;
                self.stored.insert(name.clone(), snapshot);
                Ok(())
            }
            Act::Restore(name) => {
                let Some(snapshot) = self.stored.get(name).cloned() else {
                    return Err(RunError::NothingStored { name: name.clone() });
                };
                // Going back in time does not undo what has been done of the protocol, nor what was recorded.
                let (done, steps) = (self.circumstances.done, self.circumstances.steps);
                let tallies = self.recording.tallies.clone();
                self.restore(&snapshot)?;
                self.circumstances.done = done;
                self.circumstances.steps = steps;
                self.recording.tallies = tallies;
                Ok(())
            }
        }
    }

    /// Lets a subnetwork run from now on, or everything. Each has its own time, which stands still while another runs;
    /// so do the events that are under way in it.
    ///
    /// # Errors
    /// [`RunError`] if the machine refuses the changed program.
    pub fn enter(&mut self, subnetwork: Option<SubnetworkId>) -> Result<(), RunError> {
        if self.circumstances.subnetwork == subnetwork {
            return Ok(());
        }
        let entered = self.circumstances.times.remove(&subnetwork).unwrap_or_else(|| Elsewhere {
            state: State {
                program: Arc::clone(&self.program),
                tick: 0,
                buffers: Vec::new(),
                events: self
                    .program
                    .streams
                    .iter()
                    .map(|s| vec![Vec::new(); s.history as usize + 1])
                    .collect(),
                latest: vec![-1; self.program.streams.len()],
            },
            former: vec![Vec::new(); self.shapes.len()],
        });
        let state = self.machine.save(Saved::Time)?;
        let former = self.shapes.iter_mut().zip(entered.former);
        let former = former.map(|(shape, entered)| std::mem::replace(&mut shape.former, entered)).collect();
        self.circumstances.times.insert(self.circumstances.subnetwork, Elsewhere { state, former });
        self.circumstances.subnetwork = subnetwork;
        self.machine.restore(&entered.state)?;
        self.adopt(Replaced::default())
    }
}

/// Random sites from here on belong to acts that are told while a simulation runs.
const TOLD: u32 = 1 << 30;
/// So many of them belong to the acts that are told at once.
const TOLD_AT_ONCE: u32 = 1 << 12;

/// An act whose random numbers are drawn at sites that nothing else uses.
fn with_sites(mut act: Act, followed: u32) -> Act {
    let first = TOLD.wrapping_add(followed.wrapping_mul(TOLD_AT_ONCE));
    let moved = |e: &mut Expr| {
        let taken = std::mem::replace(e, Expr::boolean(false));
        *e = taken.map(&mut |mut e| {
            if let ExprKind::Random(random) = &mut e.kind {
                random.site = SiteId::new((random.site.index() as u32).wrapping_add(first) as usize);
            }
            e
        });
    };
    match &mut act {
        Act::Set(Change { value: Initial::Expr(e), .. }) | Act::Delay { delay: Delay::PerSynapse(e), .. } => {
            moved(e)
        }
        Act::Connect { connect: Connect::Condition { condition, probability, .. }, .. } => {
            condition.iter_mut().chain(probability).for_each(moved);
        }
        Act::Run { .. }
        | Act::Set(_)
        | Act::Delay { .. }
        | Act::Connect { .. }
        | Act::Switch { .. }
        | Act::Store(_)
        | Act::Restore(_) => {}
    }
    act
}
