//! A model: what was typed, and everything that can be made of it.

use std::ops::ControlFlow;
use std::path::Path;

use neuropil_base::{Diagnostics, Precision, Span, Spanned, Text};
use neuropil_engine::{Backend, BuildError, Options, Outcome, Simulation};
use neuropil_integrate as integrate;
use neuropil_kernels::{LowerError, Program, ProjectionShape, lower};
use neuropil_model::{Network, PopulationId, ProjectionId};
use neuropil_schedule::Plan;
use neuropil_source::NetworkSource;

use crate::{Error, ModelError};

/// A model as it was typed, in a file or through the [`Builder`](crate::Builder).
///
/// ```
/// use neuropil::{Cpu, Model, Options};
///
/// let mut model = Model::parse("decay.toml", r#"
///     dt = "0.1 ms"
///     [neuron.leaky]
///     equations = "dv/dt = -v/(10*ms) : volt"
///     [population.cells]
///     neuron = "leaky"
///     size = 3
///     initial.v = "(i + 1)*mV"
/// "#)?;
/// let mut simulation = model.simulate(&Cpu, &Options::default())?;
/// simulation.run(10e-3)?;
/// let v = simulation.values("cells.v")?;
/// assert!((v[2] - 3e-3 * (-1.0_f64).exp()).abs() < 1e-12);
/// # Ok::<(), neuropil::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    source: NetworkSource,
}

/// The stages that a model goes through, each of which can be printed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// The model as it was read: TOML again.
    Source,
    /// Equations and code as syntax trees, in canonical form.
    Ast,
    /// The typed network.
    Model,
    /// The statements of one step, and which integrator was chosen and why.
    Step,
    /// Kernels.
    Ir,
    /// Operations in order, and what they touch.
    Plan,
    /// The plan as a graph, in Graphviz's language.
    Dot,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 7] =
        [Self::Source, Self::Ast, Self::Model, Self::Step, Self::Ir, Self::Plan, Self::Dot];

    /// `source`, `ast`, `model`, `step`, `ir`, `plan`, `dot`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Ast => "ast",
            Self::Model => "model",
            Self::Step => "step",
            Self::Ir => "ir",
            Self::Plan => "plan",
            Self::Dot => "dot",
        }
    }

    /// The stage of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

impl Model {
    /// Reads a model file and the files that it includes.
    ///
    /// # Errors
    /// [`ModelError`] if it cannot be read, is not TOML, or has unknown or missing fields.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ModelError> {
        let (source, diagnostics) = neuropil_source::read_file(path.as_ref());
        Self::unless(source, diagnostics)
    }

    /// Reads the text of a model file; `name` stands for the file in messages.
    ///
    /// # Errors
    /// [`ModelError`] if it is not TOML, or has unknown or missing fields.
    pub fn parse(name: &str, text: &str) -> Result<Self, ModelError> {
        let (source, diagnostics) = neuropil_source::read_str(name, text);
        Self::unless(source, diagnostics)
    }

    fn unless(source: NetworkSource, diagnostics: Diagnostics) -> Result<Self, ModelError> {
        let model = Self { source };
        if diagnostics.has_errors() {
            // What can be checked in spite of the mistakes is checked too, so that all are told at once.
            let (_, more) = neuropil_sema::analyse(&model.source);
            let mut all = diagnostics;
            all.append(more);
            return Err(model.error(all));
        }
        Ok(model)
    }

    /// A model from what the builder, or another front end, put together.
    #[must_use]
    pub fn from_source(source: NetworkSource) -> Self {
        Self { source }
    }

    /// What was typed.
    #[must_use]
    pub fn source(&self) -> &NetworkSource {
        &self.source
    }

    /// Changes one value: `taum=10ms` for a constant, `population.cells.size=100` for a field.
    ///
    /// # Errors
    /// [`ModelError`] if there is no such value.
    pub fn set(&mut self, assignment: &str) -> Result<(), ModelError> {
        let diagnostics = self.source.set(assignment);
        if diagnostics.has_errors() { Err(self.error(diagnostics)) } else { Ok(()) }
    }

    /// Changes the step of the network's clock: `0.05 ms`.
    pub fn set_dt(&mut self, dt: &str) {
        self.source.settings.dt = Some(self.given("--dt", dt));
    }

    /// Changes how long a run lasts if nobody says otherwise: `500 ms`.
    pub fn set_duration(&mut self, duration: &str) {
        self.source.settings.duration = Some(self.given("--duration", duration));
    }

    /// Changes the seed of all random streams.
    pub fn set_seed(&mut self, seed: u64) {
        self.source.settings.seed = Some(Spanned::new(seed, Span::NONE));
    }

    /// Changes the float type of real variables.
    pub fn set_precision(&mut self, precision: Precision) {
        self.source.settings.precision = Some(Spanned::new(precision, Span::NONE));
    }

    fn given(&mut self, name: &str, text: &str) -> Text {
        let file = self.source.files.add(name, text);
        Text::new(text, Span::new(file, 0..text.len()))
    }

    /// The typed network, and warnings.
    ///
    /// # Errors
    /// [`ModelError`] with all mistakes.
    pub fn network(&self) -> Result<(Network, Diagnostics), ModelError> {
        let (network, mut diagnostics) = neuropil_sema::analyse(&self.source);
        diagnostics.sort();
        match network {
            Some(network) if !diagnostics.has_errors() => Ok((network, diagnostics)),
            Some(_) | None => Err(self.error(diagnostics)),
        }
    }

    /// Everything that can be said of the model without building it: names, units, types, integrators.
    #[must_use]
    pub fn check(&self) -> Diagnostics {
        match self.lowered() {
            Ok((_, _, warnings)) => warnings,
            Err(error) => error.diagnostics,
        }
    }

    /// The network and its program, its synapses not counted.
    fn lowered(&self) -> Result<(Network, Program, Diagnostics), ModelError> {
        let (network, mut warnings) = self.network()?;
        match lower(&network, &vec![ProjectionShape::default(); network.projections.len()]) {
            Ok(program) => Ok((network, program, warnings)),
            Err(LowerError::Model(errors)) => {
                warnings.append(errors);
                Err(self.error(warnings))
            }
            Err(error @ LowerError::Kernel { .. }) => {
                let bug = neuropil_base::Diagnostic::error("internal", Span::NONE, error.to_string())
                    .help("please report this model");
                warnings.push(bug);
                Err(self.error(warnings))
            }
        }
    }

    /// The model as text, after some stage.
    ///
    /// # Errors
    /// [`ModelError`] if the model does not come as far.
    pub fn emit(&self, stage: Stage) -> Result<String, ModelError> {
        Ok(match stage {
            Stage::Source => self.source.to_toml(),
            Stage::Ast => crate::ast::print(&self.source).map_err(|d| self.error(d))?,
            Stage::Model => self.network()?.0.to_string(),
            Stage::Step => self.steps()?,
            Stage::Ir => {
                let (_, program, _) = self.lowered()?;
                program.kernels.iter().map(|k| format!("{}\n", k.source)).collect()
            }
            Stage::Plan => {
                let (_, program, _) = self.lowered()?;
                let plan = Plan::new(&program);
                let cpu = neuropil_cpu::explain(&program, &plan);
                format!("{}\nbackend cpu\n{cpu}", plan.to_text(&program))
            }
            Stage::Dot => {
                let (_, program, _) = self.lowered()?;
                Plan::new(&program).to_dot(&program)
            }
        })
    }

    fn steps(&self) -> Result<String, ModelError> {
        let (network, _) = self.network()?;
        let mut text = String::new();
        let mut errors = Diagnostics::new();
        let add = |name: &str, step, text: &mut String, errors: &mut Diagnostics| match step {
            Ok(step) => text.push_str(&format!("{name}\n{}\n", integrate::display(&network, &step))),
            Err(diagnostics) => errors.append(diagnostics),
        };
        for (i, population) in network.populations.iter().enumerate() {
            let step = integrate::population_step(&network, PopulationId::new(i));
            add(&format!("population {}", population.name), step, &mut text, &mut errors);
            match integrate::membrane_current(&network, PopulationId::new(i)) {
                Ok(None) => {}
                Ok(Some(line)) => {
                    // The blank line behind the equations belongs behind the whole.
                    text.truncate(text.trim_end().len());
                    let cable = integrate::display_membrane(&network, PopulationId::new(i), &line);
                    text.push_str(&format!("\n{cable}\n"));
                }
                Err(diagnostics) => errors.append(diagnostics),
            }
        }
        for (i, projection) in network.projections.iter().enumerate() {
            let step = integrate::projection_step(&network, ProjectionId::new(i));
            add(&format!("projection {}", projection.name), step, &mut text, &mut errors);
        }
        if errors.has_errors() { Err(self.error(errors)) } else { Ok(text) }
    }

    /// Builds the network and loads it into a machine.
    ///
    /// # Errors
    /// [`Error::Model`] or [`Error::Build`].
    pub fn simulate(&self, backend: &dyn Backend, options: &Options) -> Result<Simulation, Error> {
        let (network, _) = self.network()?;
        Simulation::new(network, backend, options).map_err(|error| self.of_build(error))
    }

    /// Builds the network and goes on from a [checkpoint](Simulation::checkpoint) of it, which may be that of another
    /// process.
    ///
    /// ```
    /// use neuropil::{Cpu, Model, Options};
    /// # let file = std::env::temp_dir().join(format!("neuropil-doc-{}", std::process::id()));
    ///
    /// let model = Model::parse("noise.toml", r#"
    ///     [neuron.noise]
    ///     equations = "dv/dt = -v/(10*ms) + xi/sqrt(10*ms) : 1"
    ///     [population.cells]
    ///     neuron = "noise"
    ///     size = 3
    /// "#)?;
    /// let mut simulation = model.simulate(&Cpu, &Options::default())?;
    /// simulation.run(0.01)?;
    /// simulation.checkpoint(&file)?;
    /// simulation.run(0.01)?;
    /// let mut other = model.resume(&Cpu, &Options::default(), &file)?;
    /// other.run(0.01)?;
    /// assert_eq!(other.values("cells.v")?, simulation.values("cells.v")?);
    /// # std::fs::remove_file(&file).unwrap();
    /// # Ok::<(), neuropil::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Model`] or [`Error::Build`].
    pub fn resume(
        &self,
        backend: &dyn Backend,
        options: &Options,
        checkpoint: impl AsRef<Path>,
    ) -> Result<Simulation, Error> {
        let (network, _) = self.network()?;
        Simulation::resume(network, backend, options, checkpoint.as_ref())
            .map_err(|error| self.of_build(error))
    }

    fn of_build(&self, error: BuildError) -> Error {
        match error {
            BuildError::Model(diagnostics) => Error::Model(self.error(diagnostics)),
            other => Error::Build(other),
        }
    }

    /// Goes on with a simulation of this model as the `[[run]]` entries of `text` say: variables, delays and synapses
    /// are changed, objects switched on and off, and time passes. Everything that has such an entry in a model file
    /// has it here, with the model's constants.
    ///
    /// ```
    /// use neuropil::{Cpu, Model, Options};
    ///
    /// let model = Model::parse("one.toml", r#"
    ///     [neuron.leaky]
    ///     equations = """
    ///     dv/dt = -v/(10*ms) : 1
    ///     I : 1
    ///     """
    ///     [population.cells]
    ///     neuron = "leaky"
    ///     size = 3
    /// "#)?;
    /// let mut simulation = model.simulate(&Cpu, &Options::default())?;
    /// model.proceed(&mut simulation, r#"
    ///     [[run]]
    ///     set.cells.v = "1 + i"
    ///     duration = "10 ms"
    ///     [[run]]
    ///     set.cells.I = "2*v"
    /// "#)?;
    /// let e = std::f64::consts::E;
    /// assert!((simulation.values("cells.I")?[2] - 6.0 / e).abs() < 1e-12);
    /// # Ok::<(), neuropil::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Model`] if the text is wrong, or holds something else than runs; nothing has been done then.
    /// [`Error::Run`] if something fails on the way.
    pub fn proceed(&self, simulation: &mut Simulation, text: &str) -> Result<Outcome, Error> {
        let (read, mut diagnostics) = neuropil_source::read_str("run", text);
        let mut source = self.source.clone();
        let mut read = source.adopt(read);
        source.runs = std::mem::take(&mut read.runs);
        if read.without_places() != neuropil_source::read_str("run", "").0.without_places() {
            let help =
                "leave out everything but `[[run]]`; a model is changed by `Model::set`, before it is built";
            let message = "a running model can only be told to run, and what to change in between";
            diagnostics.push(neuropil_base::Diagnostic::error("not-a-run", Span::NONE, message).help(help));
        }
        let told = Self { source };
        if diagnostics.has_errors() {
            return Err(Error::Model(told.error(diagnostics)));
        }
        let (network, _) = told.network()?;
        Ok(simulation.follow(&network.protocol, &network.stops, &mut |_| ControlFlow::Continue(()))?)
    }

    fn error(&self, mut diagnostics: Diagnostics) -> ModelError {
        diagnostics.sort();
        ModelError { diagnostics, sources: self.source.files.clone() }
    }
}
