//! Host operations: functions of the program that runs the simulation, called at their places in the step.

use std::ops::ControlFlow;

use neuropil_base::nearest;
use neuropil_kernels::program::{OperationId, StreamId};
use neuropil_memory::HostBuffer;
use neuropil_model::ClockId;

use crate::{RunError, Simulation};

/// What a host operation may fail with.
pub type HostError = Box<dyn std::error::Error + Send + Sync>;

/// The function of a host operation.
pub(crate) type HostFunction = Box<dyn FnMut(&mut Host<'_>) -> Result<(), HostError> + Send>;

/// The network in the middle of a step, as far as the step has come.
pub struct Host<'a> {
    pub(crate) simulation: &'a mut Simulation,
    pub(crate) clock: ClockId,
    step: u64,
    dt: f64,
    stop: bool,
}

impl<'a> Host<'a> {
    pub(crate) fn new(simulation: &'a mut Simulation, operation: OperationId) -> Self {
        let number = simulation.program.operations[operation.index()].clock.index();
        let clock = &simulation.program.clocks[number];
        let (step, dt) = (simulation.machine.tick() / clock.period, clock.dt);
        Self { simulation, clock: ClockId::new(number), step, dt, stop: false }
    }

    pub(crate) fn flow(&self) -> ControlFlow<()> {
        if self.stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// The step of the operation's clock.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// The time of the step in seconds: `step * dt`.
    #[must_use]
    pub fn time(&self) -> f64 {
        self.step as f64 * self.dt
    }

    /// The values of a variable, `object.variable`, one per neuron or synapse, or a single one if it is shared.
    ///
    /// # Errors
    /// [`RunError::UnknownVariable`].
    pub fn get(&mut self, name: &str) -> Result<&HostBuffer, RunError> {
        self.simulation.get(name)
    }

    /// The values of a variable as doubles, in SI base units; truth values are 0 and 1.
    ///
    /// # Errors
    /// [`RunError::UnknownVariable`].
    pub fn values(&mut self, name: &str) -> Result<Vec<f64>, RunError> {
        self.simulation.values(name)
    }

    /// The values of a variable, to be changed where they are.
    ///
    /// # Errors
    /// [`RunError::UnknownVariable`].
    pub fn get_mut(&mut self, name: &str) -> Result<&mut HostBuffer, RunError> {
        self.simulation.get_mut(name)
    }

    /// Sets a variable: one value for all elements, or one for each, in SI base units.
    ///
    /// # Errors
    /// [`RunError::UnknownVariable`], [`RunError::Length`].
    pub fn set(&mut self, name: &str, values: &[f64]) -> Result<(), RunError> {
        self.simulation.set(name, values)
    }

    /// The neurons of a population or input that emitted an event (`spike`, or one of the model's own) when it last
    /// could, ascending.
    ///
    /// # Errors
    /// [`RunError::UnknownEvent`].
    pub fn events(&mut self, population: &str, event: &str) -> Result<&[u32], RunError> {
        let name = format!("{population}.{event}");
        let streams = &self.simulation.program.streams;
        match streams.iter().position(|s| s.name == name) {
            Some(k) => Ok(self.simulation.machine.events(StreamId::new(k))?),
            None => {
                let near = nearest(&name, streams.iter().map(|s| s.name.as_str())).map(str::to_owned);
                Err(RunError::UnknownEvent { name, nearest: near })
            }
        }
    }

    /// Ends the run once this step is complete.
    pub fn stop(&mut self) {
        self.stop = true;
    }
}

impl Simulation {
    /// Says what a host operation of the model calls, at each of its steps and in its place there.
    ///
    /// An error of `function` ends the run; the step stays where it was.
    ///
    /// # Errors
    /// [`RunError::UnknownHost`] if the model has no host operation of that name.
    pub fn bind(
        &mut self,
        name: &str,
        function: impl FnMut(&mut Host<'_>) -> Result<(), HostError> + Send + 'static,
    ) -> Result<(), RunError> {
        let operations = &self.network.host_operations;
        match operations.iter().position(|o| o.name == name) {
            Some(k) => {
                self.hosts[k] = Some(Box::new(function));
                Ok(())
            }
            None => Err(RunError::UnknownHost {
                name: name.to_owned(),
                nearest: nearest(name, operations.iter().map(|o| o.name.as_str())).map(str::to_owned),
            }),
        }
    }
}
