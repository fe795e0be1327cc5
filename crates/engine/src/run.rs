//! Running: steps in chunks, host operations in between, stop conditions, and numbers that are not finite.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use neuropil_backend::{Discard, Pause, Saved, State};
use neuropil_kernels::program::{Action, BufferId, OperationId, Role, Task};
use neuropil_memory::HostBuffer;
use neuropil_model::{StopId, VariableKind};

use crate::trace::first_wrong_synapse;
use crate::{Host, Outcome, Progress, RunError, Simulation, system};

/// A run hands control back after about so long, for progress and interrupts.
const CHUNK: Duration = Duration::from_millis(50);
/// States are checked for numbers that are not finite about so often, and at the end of every run.
const CHECK: Duration = Duration::from_millis(500);

/// What is told about twenty times a second how far a run has come, and may stop it.
pub type OnProgress<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

impl Simulation {
    /// Runs one step of the network's clock.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn step(&mut self) -> Result<(), RunError> {
        self.run_steps(1, &mut |_| ControlFlow::Continue(())).map(|_| ())
    }

    /// Runs for `duration` seconds, rounded to steps.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn run(&mut self, duration: f64) -> Result<(), RunError> {
        let steps = self.steps_of(duration)?;
        self.run_steps(steps, &mut |_| ControlFlow::Continue(())).map(|_| ())
    }

    /// How many steps of the network's clock last `duration` seconds.
    ///
    /// # Errors
    /// [`RunError::Duration`] for times that are negative or not a number, or too long to count.
    pub fn steps_of(&self, duration: f64) -> Result<u64, RunError> {
        let steps = (duration / self.dt()).round();
        if (0.0..9e15).contains(&steps) { Ok(steps as u64) } else { Err(RunError::Duration(duration)) }
    }

    /// Runs `steps` steps of the network's clock with all objects that are switched on.
    ///
    /// # Errors
    /// [`RunError`]; what was recorded until then is kept.
    pub fn run_steps(&mut self, steps: u64, progress: &mut OnProgress<'_>) -> Result<Outcome, RunError> {
        self.run_until(steps, None, progress)
    }

    /// Runs at most `steps` steps of the network's clock; a stop condition of the network, if one is given, ends the run
    /// after the step in which it holds.
    ///
    /// # Errors
    /// [`RunError`]; what was recorded until then is kept.
    pub fn run_until(
        &mut self,
        steps: u64,
        stop: Option<StopId>,
        progress: &mut OnProgress<'_>,
    ) -> Result<Outcome, RunError> {
        if let Some(k) = self.hosts.iter().position(Option::is_none) {
            return Err(RunError::Unbound { name: self.network.host_operations[k].name.clone() });
        }
        let begin = Instant::now();
        let begin_cpu = system::cpu_time();
        self.circumstances.stop = stop;
        let outcome = self.refresh().and_then(|()| self.run_checked(steps, progress));
        self.timings.run_s += begin.elapsed().as_secs_f64();
        if let (Some(begin), Some(end)) = (begin_cpu, system::cpu_time()) {
            let so_far = self.timings.run_cpu_s.unwrap_or(0.0);
            self.timings.run_cpu_s = Some(so_far + end.saturating_sub(begin).as_secs_f64());
        }
        outcome
    }

    fn run_checked(&mut self, steps: u64, progress: &mut OnProgress<'_>) -> Result<Outcome, RunError> {
        let period = self.period();
        // A run may start between two steps of the network's clock only if the machine was driven by hand.
        let first = self.steps();
        let mut done = 0;
        let mut chunk = 1;
        // A single step needs no state to go back to: if something is wrong after it, it was this step. What host
        // operations do cannot be done again, and a state only fits the synapses that it was saved with.
        let calls_host = self.program.operations.iter().any(|o| matches!(o.action, Action::Host { .. }));
        let goes_back = steps > 1 && !calls_host;
        let mut checked = Checked { state: None, step: first };
        if goes_back {
            checked.state = Some(self.machine.save(Saved::Written)?);
        }
        let mut since_check = Instant::now();
        while done < steps {
            let count = chunk.min(steps - done);
            let begin = Instant::now();
            let end = self.advance((first + done + count) * period)?;
            let came_to = self.steps() - first;
            self.circumstances.steps += came_to - done;
            done = came_to;
            let took = begin.elapsed();
            if took < CHUNK / 2 {
                chunk = (chunk * 2).min(1 << 20);
            } else if took > CHUNK * 2 {
                chunk = (chunk / 2).max(1);
            }
            if end.is_some() || since_check.elapsed() > CHECK || done == steps {
                self.check_finite(&checked)?;
                if done < steps && goes_back {
                    checked.state = Some(self.machine.save(Saved::Written)?);
                }
                checked.step = first + done;
                since_check = Instant::now();
            }
            if let Some(outcome) = end {
                return Ok(outcome);
            }
            let report = Progress { done, total: steps, time_s: self.time() };
            if progress(report).is_break() {
                self.check_finite(&checked)?;
                return Ok(if done == steps { Outcome::Finished } else { Outcome::Stopped });
            }
        }
        Ok(Outcome::Finished)
    }

    /// Runs until `end` ticks have been run, with what the host does in between; how it ended, if that is earlier.
    fn advance(&mut self, mut end: u64) -> Result<Option<Outcome>, RunError> {
        let mut asked = None;
        loop {
            match self.machine.run(end, &mut self.recording)? {
                Pause::Done => return Ok(asked),
                Pause::Stopped(_) => return Ok(Some(Outcome::Condition)),
                Pause::Host(operation) => {
                    if self.host(operation)?.is_break() {
                        // The step is completed, then the run ends.
                        let period = self.period();
                        end = (self.machine.tick() / period + 1) * period;
                        asked = Some(Outcome::Stopped);
                    }
                }
            }
        }
    }

    /// Does what an operation asks of the host; whether the run goes on.
    fn host(&mut self, operation: OperationId) -> Result<ControlFlow<()>, RunError> {
        let program = std::sync::Arc::clone(&self.program);
        match &program.operations[operation.index()].action {
            Action::Host { task: Task::Call(number) } => {
                let number = *number as usize;
                let Some(Some(mut function)) = self.hosts.get_mut(number).map(Option::take) else {
                    return Ok(ControlFlow::Continue(()));
                };
                let mut host = Host::new(self, operation);
                let result = function(&mut host);
                let flow = host.flow();
                self.hosts[number] = Some(function);
                result.map_err(|source| RunError::Host {
                    name: self.network.host_operations[number].name.clone(),
                    source,
                })?;
                Ok(flow)
            }
            Action::Host { task: Task::Rewire { projection, rule } } => {
                self.apply_rule(*projection, *rule as usize)?;
                Ok(ControlFlow::Continue(()))
            }
            Action::Elements { .. }
            | Action::Events { .. }
            | Action::Deliver { .. }
            | Action::Synapses { .. }
            | Action::Fill { .. }
            | Action::Cable { .. }
            | Action::List { .. }
            | Action::RecordEvents { .. }
            | Action::RecordState { .. }
            | Action::Stop { .. } => Ok(ControlFlow::Continue(())),
        }
    }

    /// Looks for numbers that are not finite. If there are any and there is a state to go back to, runs again from
    /// there, step by step, to say in which step the first appeared.
    fn check_finite(&mut self, checked: &Checked) -> Result<(), RunError> {
        let Some(found) = self.first_non_finite()? else { return Ok(()) };
        let Some(good) = &checked.state else { return Err(self.not_finite(found, checked.step)) };
        let end = self.machine.tick();
        self.machine.restore(good)?;
        while self.machine.tick() < end {
            self.machine.run(self.machine.tick() + 1, &mut Discard)?;
            if let Some(found) = self.first_non_finite()? {
                let step = (self.machine.tick() - 1) / self.period();
                return Err(self.not_finite(found, step));
            }
        }
        Ok(())
    }

    /// The error for an element that became non-finite in one of the steps from `first` to the one that was run last.
    fn not_finite(&self, (id, element, value): (BufferId, usize, f64), first: u64) -> RunError {
        let step = (self.machine.tick() - 1) / self.period();
        RunError::NonFinite {
            variable: self.program.buffers[id.index()].name.clone(),
            element,
            value,
            first,
            step,
            time_s: step as f64 * self.dt(),
        }
    }

    /// Whether a buffer holds a parameter.
    fn is_parameter(&self, id: BufferId) -> bool {
        let Role::Variable(object, variable) = self.program.buffers[id.index()].role else { return false };
        matches!(self.network.variables(object)[variable.index()].kind, VariableKind::Parameter { .. })
    }

    /// The first value that is wrong: whose, of which element, and what it is.
    fn first_non_finite(&mut self) -> Result<Option<(BufferId, usize, f64)>, RunError> {
        for id in &self.watched {
            let parameter = self.is_parameter(*id);
            let role = self.program.buffers[id.index()].role;
            let buffer = self.machine.read(*id)?;
            let Some(element) = first_wrong(buffer, parameter) else { continue };
            if let Role::Trace(projection, _, end) = role {
                let structure = &self.program.structures[projection.index()];
                let rows = self.synapses[projection.index()].rows.borrow()?;
                if let Some((synapse, value)) = first_wrong_synapse(buffer, structure, &rows, end) {
                    return Ok(Some((*id, synapse, value)));
                }
                continue;
            }
            return Ok(Some((*id, element, buffer.get(element).to_f64())));
        }
        Ok(None)
    }
}

/// Until where all numbers are known to be finite.
struct Checked {
    /// The state there, if steps can be run again.
    state: Option<State>,
    /// The first step that has not been checked.
    step: u64,
}

/// The first element that is NaN, or infinite where that is wrong: a parameter may be infinite, such as a refractory
/// period that never ends, a state may not.
pub(crate) fn first_wrong(buffer: &HostBuffer, parameter: bool) -> Option<usize> {
    let first = buffer.first_non_finite()?;
    (first..buffer.len()).find(|element| !parameter || buffer.get(*element).to_f64().is_nan())
}
