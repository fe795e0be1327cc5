//! The state of a simulation, to go back to.

use std::collections::BTreeSet;
use std::sync::Arc;

use neuropil_backend::{Change, Saved, State, Synapses};
use neuropil_kernels::program::Owner;
use neuropil_kernels::{Program, ProjectionShape};
use neuropil_model::Network;
use neuropil_schedule::Plan;

use crate::recording::{Recorded, Tally};
use crate::simulation::{Circumstances, watched};
use crate::{BuildError, RunError, Simulation};

/// Everything that a simulation is at one moment: every variable, parameters too, events under way, the time of every
/// subnetwork, synapses, delays, what is switched on, counts and digests of spikes. Random numbers depend on the seed
/// and the step, and need no state of their own.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) network: Arc<Network>,
    pub(crate) program: Arc<Program>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) shapes: Vec<ProjectionShape>,
    pub(crate) synapses: Vec<Arc<Synapses>>,
    pub(crate) off: BTreeSet<Owner>,
    pub(crate) circumstances: Circumstances,
    pub(crate) state: State,
    pub(crate) tallies: Vec<Tally>,
    /// What had been recorded; nothing is known of it for a state that was read from a file.
    pub(crate) recorded: Recorded,
}

impl Snapshot {
    /// The network's time in seconds.
    #[must_use]
    pub fn time(&self) -> f64 {
        let clock = self.program.clocks.first();
        clock.map_or(0.0, |c| self.state.tick.div_ceil(c.period) as f64 * c.dt)
    }
}

impl Simulation {
    /// The state of everything; [`restore`](Self::restore) and [`rewind`](Self::rewind) go back to it, any number of times.
    ///
    /// # Errors
    /// [`RunError`] if it cannot be read from the device.
    pub fn store(&mut self) -> Result<Snapshot, RunError> {
        Ok(Snapshot {
            network: Arc::clone(&self.network),
            program: Arc::clone(&self.program),
            plan: Arc::clone(&self.plan),
            shapes: self.shapes.clone(),
            synapses: self.synapses.clone(),
            off: self.off.clone(),
            circumstances: self.circumstances.clone(),
            state: self.machine.save(Saved::Every)?,
            tallies: self.recording.tallies.clone(),
            recorded: self.recording.recorded(),
        })
    }

    /// Goes back to a state of this simulation and forgets what was recorded since, as Brian 2's `restore` does.
    ///
    /// # Errors
    /// [`RunError`] if the machine refuses the state; [`RunError::Record`] if recordings do not reach as far as the
    /// state, which is restored all the same.
    pub fn rewind(&mut self, snapshot: &Snapshot) -> Result<(), RunError> {
        self.restore(snapshot)?;
        Ok(self.recording.rewind(&snapshot.recorded)?)
    }

    /// Goes back to a state of this simulation. Recordings keep what they have and go on with the times of the state.
    ///
    /// # Errors
    /// [`RunError`] if the machine refuses the state.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), RunError> {
        if !Arc::ptr_eq(&self.program, &snapshot.program) {
            let buffers = snapshot.state.buffers.iter().map(|(_, contents)| Some(contents.clone())).collect();
            let change = Change {
                program: Arc::clone(&snapshot.program),
                plan: Arc::clone(&snapshot.plan),
                buffers,
                synapses: snapshot.synapses.clone(),
            };
            self.machine.change(change).map_err(BuildError::from)?;
        }
        self.machine.restore(&snapshot.state)?;
        self.network = Arc::clone(&snapshot.network);
        self.watched = watched(&snapshot.program);
        self.program = Arc::clone(&snapshot.program);
        self.plan = Arc::clone(&snapshot.plan);
        self.shapes.clone_from(&snapshot.shapes);
        self.synapses.clone_from(&snapshot.synapses);
        self.off.clone_from(&snapshot.off);
        self.circumstances = snapshot.circumstances.clone();
        self.recording.tallies.clone_from(&snapshot.tallies);
        Ok(())
    }
}
