//! What a model says is done when it is run: its acts, one after the other.

use std::sync::Arc;

use neuropil_backend::{Saved, State};
use neuropil_kernels::program::Owner;
use neuropil_model::{Act, SubnetworkId};

use crate::run::OnProgress;
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
        let mut listed = 0;
        for act in &acts {
            if let Act::Run { duration, .. } = act {
                listed += self.steps_of(*duration)?;
            }
        }
        let total = limit.min(listed);
        while let Some(act) = acts.get(self.circumstances.done.0) {
            if let Act::Run { subnetwork, duration, stop } = act {
                let steps = self.steps_of(*duration)?.saturating_sub(self.circumstances.done.1);
                let before = self.circumstances.steps;
                let steps = steps.min(limit.saturating_sub(before));
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
                self.restore(&snapshot)?;
                self.circumstances.done = done;
                self.circumstances.steps = steps;
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
        let left = self.machine.save(Saved::Time)?;
        let entered = self.circumstances.times.remove(&subnetwork).unwrap_or_else(|| State {
            program: Arc::clone(&self.program),
            tick: 0,
            buffers: Vec::new(),
            events: self.program.streams.iter().map(|s| vec![Vec::new(); s.history as usize + 1]).collect(),
            latest: vec![-1; self.program.streams.len()],
        });
        self.circumstances.times.insert(self.circumstances.subnetwork, left);
        self.circumstances.subnetwork = subnetwork;
        self.machine.restore(&entered)?;
        self.refresh()
    }
}
