//! What is recorded: one [`RecorderSpec`] per recorder.

use neuropil_base::{ScalarType, define_id};

use crate::RecordError;

define_id!(
    /// Names a recorder: its position in the list of specs.
    RecorderId
);

/// One recorder: a name, the clock it follows, and what it records.
#[derive(Clone, PartialEq, Debug)]
pub struct RecorderSpec {
    /// Name in the model, unique; file names start with it.
    pub name: String,
    /// Seconds per step of the recorder's clock: an event of step `s` happened at `s * dt_s`.
    pub dt_s: f64,
    /// What is recorded.
    pub kind: RecorderKind,
}

/// What a recorder records.
#[derive(Clone, PartialEq, Debug)]
pub enum RecorderKind {
    /// Every event of some neurons.
    Spikes {
        /// Name of the population.
        population: String,
        /// Name of the event; spikes are the event `spike`.
        event: String,
        /// First recorded neuron.
        first: u32,
        /// Number of recorded neurons. Recorded indices are those of the population: `first .. first + n`.
        n: u32,
    },
    /// Variables of some elements, every `period_steps` steps.
    State {
        /// Name of the population, projection or input.
        object: String,
        /// The variables, in the order in which rows bring them.
        variables: Vec<VariableSpec>,
        /// The recorded elements.
        indices: Vec<u32>,
        /// Steps from one row to the next, at least 1.
        period_steps: u32,
    },
    /// The rate of a population: events per neuron and second, in windows of `period_steps` steps.
    Rate {
        /// Name of the population.
        population: String,
        /// Number of neurons that are counted, at least 1.
        n: u32,
        /// Steps of one window, at least 1.
        period_steps: u32,
    },
}

/// One variable of a state recorder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VariableSpec {
    /// Name of the variable.
    pub name: String,
    /// Type of one element.
    pub ty: ScalarType,
    /// Unit in SI base units, as it is printed: `V`, `A`, `1`.
    pub unit: String,
}

impl RecorderKind {
    /// `spikes`, `state` or `rate`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Spikes { .. } => "spikes",
            Self::State { .. } => "state",
            Self::Rate { .. } => "rate",
        }
    }
}

impl RecorderSpec {
    /// Checks what does not depend on other recorders.
    ///
    /// # Errors
    /// [`RecordError::Spec`] for a step, period or count that makes no sense.
    pub(crate) fn check(&self) -> Result<(), RecordError> {
        let wrong = |message: String| Err(RecordError::Spec { recorder: self.name.clone(), message });
        if !(self.dt_s.is_finite() && self.dt_s > 0.0) {
            return wrong(format!("the step is `{}` s", self.dt_s));
        }
        match &self.kind {
            RecorderKind::Spikes { first, n, .. } => match first.checked_add(*n) {
                Some(end) if i32::try_from(end).is_ok() => Ok(()),
                _ => wrong(format!("neurons from `{first}`, `{n}` of them, exceed 31-bit indices")),
            },
            RecorderKind::State { period_steps: 0, .. } | RecorderKind::Rate { period_steps: 0, .. } => {
                wrong("the period is `0` steps".to_owned())
            }
            RecorderKind::Rate { n: 0, .. } => wrong("the rate of `0` neurons".to_owned()),
            RecorderKind::State { .. } | RecorderKind::Rate { .. } => Ok(()),
        }
    }

    /// Checks that a row of a state recorder has the shape of its spec, and gives its variables.
    pub(crate) fn check_row(&self, columns: &[&[u8]]) -> Result<&[VariableSpec], RecordError> {
        let RecorderKind::State { variables, indices, .. } = &self.kind else {
            return Err(self.mismatch("state"));
        };
        if columns.len() != variables.len() {
            return Err(RecordError::RowWidth {
                recorder: self.name.clone(),
                expected: variables.len(),
                found: columns.len(),
            });
        }
        for (variable, column) in variables.iter().zip(columns) {
            let expected = indices.len() * variable.ty.size();
            if column.len() != expected {
                return Err(RecordError::ColumnSize {
                    recorder: self.name.clone(),
                    variable: variable.name.clone(),
                    expected,
                    found: column.len(),
                });
            }
        }
        Ok(variables)
    }

    /// The error for asking this recorder for something else.
    pub(crate) fn mismatch(&self, asked: &'static str) -> RecordError {
        RecordError::Kind { recorder: self.name.clone(), is: self.kind.name(), asked }
    }
}

/// Finds the spec of `id`.
pub(crate) fn lookup(specs: &[RecorderSpec], id: RecorderId) -> Result<&RecorderSpec, RecordError> {
    specs.get(id.index()).ok_or(RecordError::UnknownId { id: id.index(), n_recorders: specs.len() })
}

/// Checks every spec, and that names are unique.
pub(crate) fn check_all(specs: &[RecorderSpec]) -> Result<(), RecordError> {
    for (k, spec) in specs.iter().enumerate() {
        spec.check()?;
        if specs.iter().take(k).any(|other| other.name == spec.name) {
            return Err(RecordError::Spec {
                recorder: spec.name.clone(),
                message: "two recorders have this name".to_owned(),
            });
        }
    }
    Ok(())
}
