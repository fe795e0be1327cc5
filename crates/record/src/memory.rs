//! A sink that keeps everything in memory, typed.

use crate::mark::Lineage;
use crate::spec::{check_all, lookup};
use crate::values::ByteOrder;
use crate::{Mark, RecordError, RecorderId, RecorderKind, RecorderSpec, Sink, Values};

/// Keeps all recorded data.
///
/// ```
/// use neuropil_record::{MemorySink, RecorderId, RecorderKind, RecorderSpec, Sink};
///
/// let spec = RecorderSpec {
///     name: "spikes".to_owned(),
///     dt_s: 1e-4,
///     kind: RecorderKind::Spikes { population: "E".to_owned(), event: "spike".to_owned(), first: 0, n: 100 },
/// };
/// let mut sink = MemorySink::new(vec![spec])?;
/// let id = RecorderId::new(0);
/// sink.events(id, 3, &[7, 9])?;
/// assert_eq!(sink.spikes(id)?, (&[3, 3][..], &[7, 9][..]));
/// # Ok::<(), neuropil_record::RecordError>(())
/// ```
#[derive(Clone, Default, Debug)]
pub struct MemorySink {
    specs: Vec<RecorderSpec>,
    stores: Vec<Store>,
    lineage: Lineage,
}

/// What one recorder has recorded. `steps` are those of the events, rows or windows.
#[derive(Clone, Debug)]
struct Store {
    steps: Vec<i64>,
    data: Data,
}

#[derive(Clone, Debug)]
enum Data {
    Spikes(Vec<u32>),
    State(Vec<Values>),
    Rate(Vec<u64>),
}

/// One variable of a state recorder, as it was recorded.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    /// Seconds per step.
    pub dt_s: f64,
    /// Step of each row.
    pub steps: &'a [i64],
    /// The recorded elements.
    pub indices: &'a [u32],
    /// Unit in SI base units.
    pub unit: &'a str,
    /// Values, row after row: `n_rows() * n_indices()` of them.
    pub data: &'a Values,
}

impl Trace<'_> {
    /// Number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.steps.len()
    }

    /// Number of recorded elements.
    #[must_use]
    pub fn n_indices(&self) -> usize {
        self.indices.len()
    }

    /// Time of each row, in seconds.
    #[must_use]
    pub fn times_s(&self) -> Vec<f64> {
        self.steps.iter().map(|s| *s as f64 * self.dt_s).collect()
    }

    /// The course of the `k`-th recorded element as doubles; empty if there is no such element.
    #[must_use]
    pub fn line(&self, k: usize) -> Vec<f64> {
        line(self.data, self.n_indices(), k)
    }
}

/// Column `k` of row-major `data` with `n_columns` columns.
pub(crate) fn line(data: &Values, n_columns: usize, k: usize) -> Vec<f64> {
    if k >= n_columns {
        return Vec::new();
    }
    (k..data.len()).step_by(n_columns).filter_map(|at| data.get(at)).map(|x| x.to_f64()).collect()
}

impl MemorySink {
    /// A sink for these recorders.
    ///
    /// # Errors
    /// [`RecordError::Spec`] for a recorder that makes no sense, or two of one name.
    pub fn new(specs: Vec<RecorderSpec>) -> Result<Self, RecordError> {
        check_all(&specs)?;
        let stores = specs.iter().map(Store::new).collect();
        Ok(Self { specs, stores, lineage: Lineage::default() })
    }

    /// The recorders, in the order of their ids.
    #[must_use]
    pub fn specs(&self) -> &[RecorderSpec] {
        &self.specs
    }

    /// The recorder called `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<RecorderId> {
        self.specs.iter().position(|spec| spec.name == name).map(RecorderId::new)
    }

    /// Steps and neurons of all events, in the order in which they came.
    ///
    /// # Errors
    /// An unknown recorder, or one that records something else.
    pub fn spikes(&self, id: RecorderId) -> Result<(&[i64], &[u32]), RecordError> {
        match self.store(id)? {
            Store { steps, data: Data::Spikes(indices) } => Ok((steps, indices)),
            Store { data: Data::State(_) | Data::Rate(_), .. } => {
                Err(lookup(&self.specs, id)?.mismatch("spikes"))
            }
        }
    }

    /// All rows of one variable.
    ///
    /// # Errors
    /// An unknown recorder or variable, or a recorder that records something else.
    pub fn trace(&self, id: RecorderId, variable: &str) -> Result<Trace<'_>, RecordError> {
        let spec = lookup(&self.specs, id)?;
        let Store { steps, data: Data::State(columns) } = self.store(id)? else {
            return Err(spec.mismatch("state"));
        };
        let RecorderKind::State { variables, indices, .. } = &spec.kind else {
            return Err(spec.mismatch("state"));
        };
        variables
            .iter()
            .zip(columns)
            .find(|(v, _)| v.name == variable)
            .map(|(v, data)| Trace { dt_s: spec.dt_s, steps, indices, unit: &v.unit, data })
            .ok_or_else(|| RecordError::UnknownName {
                what: "variable",
                name: variable.to_owned(),
                known: variables.iter().map(|v| v.name.clone()).collect(),
            })
    }

    /// First step and number of events of every window.
    ///
    /// # Errors
    /// An unknown recorder, or one that records something else.
    pub fn counts(&self, id: RecorderId) -> Result<(&[i64], &[u64]), RecordError> {
        match self.store(id)? {
            Store { steps, data: Data::Rate(counts) } => Ok((steps, counts)),
            Store { data: Data::Spikes(_) | Data::State(_), .. } => {
                Err(lookup(&self.specs, id)?.mismatch("rate"))
            }
        }
    }

    /// Times in seconds and rates in hertz of every window.
    ///
    /// # Errors
    /// As [`counts`](Self::counts).
    pub fn rate_hz(&self, id: RecorderId) -> Result<(Vec<f64>, Vec<f64>), RecordError> {
        let (steps, counts) = self.counts(id)?;
        let spec = lookup(&self.specs, id)?;
        let RecorderKind::Rate { n, period_steps, .. } = spec.kind else {
            return Err(spec.mismatch("rate"));
        };
        let times = steps.iter().map(|s| *s as f64 * spec.dt_s).collect();
        let rates = counts.iter().map(|c| window_rate_hz(*c, n, period_steps, spec.dt_s)).collect();
        Ok((times, rates))
    }

    /// How much has been recorded so far.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.lineage.mark(self.n_rows())
    }

    /// Forgets everything that was recorded after the mark.
    ///
    /// # Errors
    /// [`RecordError::Mark`] for a mark that lies behind what was recorded, or whose data have been forgotten; then
    /// nothing has changed.
    pub fn rewind(&mut self, mark: &Mark) -> Result<(), RecordError> {
        self.lineage.rewind(mark, &self.n_rows(), &self.specs)?;
        for ((store, spec), n) in self.stores.iter_mut().zip(&self.specs).zip(mark.rows()) {
            store.truncate(*n as usize, spec);
        }
        Ok(())
    }

    fn n_rows(&self) -> Vec<u64> {
        self.stores.iter().map(|store| store.steps.len() as u64).collect()
    }

    /// Forgets all data and keeps the recorders. Marks that were made before are no longer good.
    pub fn clear(&mut self) {
        self.stores = self.specs.iter().map(Store::new).collect();
        self.lineage.clear();
    }

    fn store(&self, id: RecorderId) -> Result<&Store, RecordError> {
        let n_recorders = self.stores.len();
        self.stores.get(id.index()).ok_or(RecordError::UnknownId { id: id.index(), n_recorders })
    }

    /// Spec and store of `id`.
    fn parts(&mut self, id: RecorderId) -> Result<(&RecorderSpec, &mut Store), RecordError> {
        let spec = lookup(&self.specs, id)?;
        let n_recorders = self.specs.len();
        let store =
            self.stores.get_mut(id.index()).ok_or(RecordError::UnknownId { id: id.index(), n_recorders })?;
        Ok((spec, store))
    }
}

/// Events per neuron and second: `count / (n * period_steps * dt)`.
pub(crate) fn window_rate_hz(count: u64, n: u32, period_steps: u32, dt_s: f64) -> f64 {
    count as f64 / f64::from(n) / (f64::from(period_steps) * dt_s)
}

impl Store {
    fn new(spec: &RecorderSpec) -> Self {
        let data = match &spec.kind {
            RecorderKind::Spikes { .. } => Data::Spikes(Vec::new()),
            RecorderKind::State { variables, .. } => {
                Data::State(variables.iter().map(|v| Values::new(v.ty)).collect())
            }
            RecorderKind::Rate { .. } => Data::Rate(Vec::new()),
        };
        Self { steps: Vec::new(), data }
    }

    /// Drops all rows but the first `n_rows`.
    fn truncate(&mut self, n_rows: usize, spec: &RecorderSpec) {
        self.steps.truncate(n_rows);
        match (&mut self.data, &spec.kind) {
            (Data::Spikes(neurons), _) => neurons.truncate(n_rows),
            (Data::Rate(counts), _) => counts.truncate(n_rows),
            (Data::State(columns), RecorderKind::State { indices, .. }) => {
                columns.iter_mut().for_each(|values| values.truncate(n_rows * indices.len()));
            }
            (Data::State(_), RecorderKind::Spikes { .. } | RecorderKind::Rate { .. }) => {}
        }
    }
}

impl Sink for MemorySink {
    fn events(&mut self, recorder: RecorderId, step: i64, indices: &[u32]) -> Result<(), RecordError> {
        let (spec, store) = self.parts(recorder)?;
        let Data::Spikes(stored) = &mut store.data else {
            return Err(spec.mismatch("spikes"));
        };
        stored.extend_from_slice(indices);
        store.steps.resize(stored.len(), step);
        Ok(())
    }

    fn rows(&mut self, recorder: RecorderId, step: i64, columns: &[&[u8]]) -> Result<(), RecordError> {
        let (spec, store) = self.parts(recorder)?;
        spec.check_row(columns)?;
        let Data::State(stored) = &mut store.data else {
            return Err(spec.mismatch("state"));
        };
        for (values, column) in stored.iter_mut().zip(columns) {
            values.extend_from_bytes(column, ByteOrder::NATIVE);
        }
        store.steps.push(step);
        Ok(())
    }

    fn rate(&mut self, recorder: RecorderId, step: i64, count: u64) -> Result<(), RecordError> {
        let (spec, store) = self.parts(recorder)?;
        let Data::Rate(counts) = &mut store.data else {
            return Err(spec.mismatch("rate"));
        };
        counts.push(count);
        store.steps.push(step);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), RecordError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use neuropil_base::ScalarType;

    use super::*;
    use crate::{NullSink, Tee, VariableSpec};

    fn specs() -> Vec<RecorderSpec> {
        let variable = |name: &str, ty| VariableSpec { name: name.to_owned(), ty, unit: "V".to_owned() };
        vec![
            RecorderSpec {
                name: "s".to_owned(),
                dt_s: 1e-3,
                kind: RecorderKind::Spikes {
                    population: "E".to_owned(),
                    event: "spike".to_owned(),
                    first: 0,
                    n: 4,
                },
            },
            RecorderSpec {
                name: "v".to_owned(),
                dt_s: 1e-3,
                kind: RecorderKind::State {
                    object: "E".to_owned(),
                    variables: vec![variable("v", ScalarType::F32), variable("on", ScalarType::Bool)],
                    indices: vec![1, 3],
                    period_steps: 10,
                },
            },
            RecorderSpec {
                name: "r".to_owned(),
                dt_s: 1e-3,
                kind: RecorderKind::Rate { population: "E".to_owned(), n: 4, period_steps: 1 },
            },
        ]
    }

    #[test]
    fn rows_come_back_as_lines_with_times_and_units() {
        let mut sink = MemorySink::new(specs()).unwrap();
        let id = sink.find("v").unwrap();
        for (step, v) in [(0, [1.0f32, 2.0]), (10, [3.0, 4.0])] {
            sink.rows(id, step, &[bytemuck::cast_slice(&v), &[0, 1]]).unwrap();
        }
        let trace = sink.trace(id, "v").unwrap();
        assert_eq!((trace.n_rows(), trace.n_indices(), trace.unit), (2, 2, "V"));
        assert_eq!(trace.data, &Values::F32(vec![1.0, 2.0, 3.0, 4.0]));
        assert_eq!(trace.line(1), [2.0, 4.0]);
        assert_eq!(trace.times_s(), [0.0, 0.01]);
        assert_eq!(sink.trace(id, "on").unwrap().line(1), [1.0, 1.0]);
        assert!(trace.line(2).is_empty());
    }

    #[test]
    fn rates_are_events_per_neuron_and_second() {
        let mut sink = MemorySink::new(specs()).unwrap();
        let id = sink.find("r").unwrap();
        sink.rate(id, 5, 2).unwrap();
        assert_eq!(sink.rate_hz(id).unwrap(), (vec![0.005], vec![500.0]));
    }

    #[test]
    fn data_of_the_wrong_kind_or_shape_is_refused_with_a_message() {
        let mut sink = MemorySink::new(specs()).unwrap();
        let (s, v) = (RecorderId::new(0), RecorderId::new(1));
        let text = |r: Result<(), RecordError>| r.unwrap_err().to_string();
        assert_eq!(text(sink.rate(s, 0, 1)), "recorder `s` records spikes, not rate");
        assert_eq!(text(sink.rows(v, 0, &[&[0; 8]])), "recorder `v` takes rows of 2 variables, not `1`");
        assert_eq!(
            text(sink.rows(v, 0, &[&[0; 7], &[0; 2]])),
            "recorder `v` takes 8 bytes of `v` per row, not `7`"
        );
        assert_eq!(
            text(sink.events(RecorderId::new(3), 0, &[])),
            "there is no recorder number `3`; there are 3"
        );
        assert_eq!(
            sink.trace(v, "w").unwrap_err().to_string(),
            "the recording has no variable `w`; it has `v`, `on`"
        );
    }

    #[test]
    fn senseless_recorders_are_refused() {
        let mut twice = specs();
        twice[2].name = "s".to_owned();
        assert!(MemorySink::new(twice).unwrap_err().to_string().contains("two recorders"));
        let mut still = specs();
        still[0].dt_s = 0.0;
        assert!(MemorySink::new(still).is_err());
    }

    #[test]
    fn a_tee_fills_both_sinks() {
        let mut tee = Tee { first: MemorySink::new(specs()).unwrap(), second: Some(NullSink) };
        let boxed: &mut dyn Sink = &mut tee;
        boxed.events(RecorderId::new(0), 1, &[2]).unwrap();
        boxed.finish().unwrap();
        assert_eq!(tee.first.spikes(RecorderId::new(0)).unwrap(), (&[1i64][..], &[2u32][..]));
        tee.first.clear();
        assert!(tee.first.spikes(RecorderId::new(0)).unwrap().0.is_empty());
    }
}
