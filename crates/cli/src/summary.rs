//! What a run says of itself: a few lines for people, or one JSON object for programs.

use std::fmt::Write as _;

use indexmap::IndexMap;
use neuropil::{Simulation, SpikeCount, system};
use neuropil_units::{Dimension, format_quantity};
use serde::Serialize;

use crate::check::counted;

/// The object that `--json` prints. Times are in seconds; those of the machine are wall time.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) model: String,
    /// Version of this program.
    pub(crate) version: &'static str,
    /// Neurons, inputs included.
    pub(crate) neurons: u64,
    pub(crate) synapses: u64,
    /// Steps done.
    pub(crate) steps: u64,
    pub(crate) dt_s: f64,
    /// Simulated time.
    pub(crate) duration_s: f64,
    /// Whether the run came to its planned end.
    pub(crate) complete: bool,
    /// Spikes of each population.
    pub(crate) spikes: IndexMap<String, u64>,
    /// Spikes per neuron and second of each population.
    pub(crate) rate_hz: IndexMap<String, f64>,
    /// Making synapses and initial values.
    pub(crate) build_s: f64,
    /// Reading and checking the model, and making the machine's code from it.
    pub(crate) compile_s: f64,
    /// Simulating.
    pub(crate) run_s: f64,
    /// Simulating, as processor time of all threads, user and system; null where the system does not say.
    pub(crate) run_cpu_s: Option<f64>,
    /// `run_s` per simulated second; null if nothing was simulated.
    pub(crate) real_time_factor: Option<f64>,
    /// The most memory that the process has held; null where the system does not say.
    pub(crate) peak_rss_bytes: Option<u64>,
    /// Kernels compiled.
    pub(crate) kernels: u64,
    /// Machine codes, one for each way in which a kernel is called, that were found in the cache; null without a cache.
    pub(crate) codes_found: Option<u64>,
    /// Machine codes that were not, and so were made; null without a cache.
    pub(crate) codes_made: Option<u64>,
    /// How often threads waited for each other.
    pub(crate) meetings: u64,
    /// What synapses take in the machine: targets, delays and variables.
    pub(crate) synapse_bytes: u64,
    /// A hash over the (step, population, neuron) of all spikes.
    pub(crate) spike_digest: String,
    pub(crate) backend: &'static str,
    pub(crate) threads: usize,
    /// `f32` or `f64`.
    pub(crate) precision: String,
    pub(crate) seed: u64,
}

/// What a summary takes from elsewhere than the simulation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    pub(crate) backend: &'static str,
    pub(crate) threads: usize,
    /// Wall time that reading and checking the model took.
    pub(crate) read_s: f64,
    pub(crate) complete: bool,
    /// Machine codes found in the cache, and made; none without a cache.
    pub(crate) codes: Option<(u64, u64)>,
}

impl Summary {
    pub(crate) fn new(simulation: &Simulation, circumstances: Circumstances) -> Self {
        let network = simulation.network();
        let timings = simulation.timings();
        let counts = simulation.spike_counts();
        let counters = simulation.counters();
        let duration_s = simulation.total_steps() as f64 * simulation.dt();
        Self {
            model: network.name.clone(),
            version: env!("CARGO_PKG_VERSION"),
            neurons: simulation.n_neurons(),
            synapses: simulation.n_synapses(),
            steps: simulation.total_steps(),
            dt_s: simulation.dt(),
            duration_s,
            complete: circumstances.complete,
            spikes: by_population(&counts, |count| count.spikes),
            rate_hz: by_population(&counts, |count| count.rate_hz),
            build_s: timings.build_s,
            compile_s: circumstances.read_s + timings.compile_s,
            run_s: timings.run_s,
            run_cpu_s: timings.run_cpu_s,
            real_time_factor: (duration_s > 0.0).then(|| timings.run_s / duration_s),
            peak_rss_bytes: system::peak_memory(),
            kernels: counters.compiled,
            codes_found: circumstances.codes.map(|(found, _)| found),
            codes_made: circumstances.codes.map(|(_, made)| made),
            meetings: counters.meetings,
            synapse_bytes: counters.synapse_bytes,
            spike_digest: simulation.spike_digest(),
            backend: circumstances.backend,
            threads: circumstances.threads,
            precision: network.precision.to_string(),
            seed: network.seed,
        }
    }

    /// One object.
    pub(crate) fn to_json(&self) -> String {
        // Strings, numbers and maps with strings as keys: nothing that JSON could not hold.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        text + "\n"
    }

    /// A few lines for people.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!(
            "{}: {}, {}, {} in {} of {}\n",
            self.model,
            counted(self.neurons, "neuron"),
            counted(self.synapses, "synapse"),
            time(self.duration_s),
            counted(self.steps, "step"),
            time(self.dt_s),
        );
        if !self.complete {
            let _ = writeln!(text, "  interrupted after {}", time(self.duration_s));
        }
        let width = self.spikes.keys().map(|name| name.chars().count()).max().unwrap_or(0);
        for ((name, spikes), rate) in self.spikes.iter().zip(self.rate_hz.values()) {
            let noun = if *spikes == 1 { "spike" } else { "spikes" };
            let _ = writeln!(text, "  {name:width$}  {spikes:>9} {noun:<6}  {rate:>9.3} Hz");
        }
        let factor =
            self.real_time_factor.map_or_else(String::new, |x| format!(", {} times real time", digits(x)));
        let _ = writeln!(
            text,
            "  built in {}, compiled in {}, ran in {}{factor}",
            clock(self.build_s),
            clock(self.compile_s),
            clock(self.run_s),
        );
        let memory = self.peak_rss_bytes.map_or_else(String::new, |bytes| format!(", {} MiB", bytes >> 20));
        let _ = writeln!(
            text,
            "  {} backend, {}, {}, seed {}{memory}, spike digest {}",
            self.backend,
            counted(self.threads as u64, "thread"),
            self.precision,
            self.seed,
            self.spike_digest,
        );
        text
    }
}

fn by_population<T>(counts: &[SpikeCount], value: impl Fn(&SpikeCount) -> T) -> IndexMap<String, T> {
    counts.iter().map(|count| (count.population.clone(), value(count))).collect()
}

/// A time of the model. The product of a step and their number has more digits than anybody wrote.
pub(crate) fn time(seconds: f64) -> String {
    let rounded = format!("{seconds:.11e}").parse().unwrap_or(seconds);
    format_quantity(rounded, Dimension::SECOND)
}

/// A measured time: three digits are more than it repeats.
fn clock(seconds: f64) -> String {
    if seconds >= 1.0 {
        format!("{} s", digits(seconds))
    } else if seconds >= 1e-3 {
        format!("{} ms", digits(seconds * 1e3))
    } else {
        format!("{} us", digits(seconds * 1e6))
    }
}

/// About three significant digits.
fn digits(x: f64) -> String {
    if x >= 100.0 {
        format!("{x:.0}")
    } else if x >= 10.0 {
        format!("{x:.1}")
    } else if x >= 1.0 {
        format!("{x:.2}")
    } else {
        format!("{x:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        Summary {
            model: "cuba".to_owned(),
            version: "0.1.0",
            neurons: 4000,
            synapses: 1,
            steps: 10_000,
            dt_s: 1e-4,
            duration_s: 1.0,
            complete: true,
            spikes: [("cells".to_owned(), 22_400), ("in".to_owned(), 7)].into_iter().collect(),
            rate_hz: [("cells".to_owned(), 5.6), ("in".to_owned(), 0.25)].into_iter().collect(),
            build_s: 0.052_4,
            compile_s: 0.000_31,
            run_s: 12.34,
            run_cpu_s: Some(23.45),
            real_time_factor: Some(12.34),
            peak_rss_bytes: Some(50 << 20),
            kernels: 4,
            codes_found: Some(3),
            codes_made: Some(1),
            meetings: 10_000,
            synapse_bytes: 6,
            spike_digest: "0123456789abcdef".to_owned(),
            backend: "cpu",
            threads: 2,
            precision: "f64".to_owned(),
            seed: 1,
        }
    }

    #[test]
    fn people_read_a_few_aligned_lines() {
        let expected = "\
cuba: 4000 neurons, 1 synapse, 1 s in 10000 steps of 100 us
  cells      22400 spikes      5.600 Hz
  in             7 spikes      0.250 Hz
  built in 52.4 ms, compiled in 310 us, ran in 12.3 s, 12.3 times real time
  cpu backend, 2 threads, f64, seed 1, 50 MiB, spike digest 0123456789abcdef
";
        assert_eq!(summary().to_text(), expected);
    }

    #[test]
    fn times_have_the_digits_that_somebody_wrote() {
        assert_eq!(time(3455.0 * 1e-4), "345.5 ms");
        assert_eq!(time(3.0 * 0.1), "300 ms");
        assert_eq!(time(1e-4 / 3.0), "33.3333333333 us");
        assert_eq!(time(0.0), "0 s");
    }

    #[test]
    fn an_interrupted_run_says_so() {
        let text = Summary { complete: false, duration_s: 0.25, ..summary() }.to_text();
        assert!(text.contains("interrupted after 250 ms"), "{text}");
    }

    #[test]
    fn programs_read_one_object_with_every_field() {
        let value: serde_json::Value = serde_json::from_str(&summary().to_json()).expect("valid JSON");
        let object = value.as_object().expect("an object");
        assert_eq!(object.len(), 26);
        assert_eq!(value["spikes"]["cells"], 22_400);
        assert_eq!(value["rate_hz"]["in"], 0.25);
        let nothing = Summary { real_time_factor: None, ..summary() };
        assert!(nothing.to_json().contains("\"real_time_factor\": null"));
    }
}
