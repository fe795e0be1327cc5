//! Figures of synthetic networks. With `NEUROPIL_FIGURES=DIR` they are kept there, to be looked at.

use std::path::{Path, PathBuf};

use neuropil_base::{Precision, ScalarType};
use neuropil_record::{
    FileSink, PopulationInfo, RecorderId, RecorderKind, RecorderSpec, Recording, RunInfo, Sink, Tee,
    VariableSpec,
};

use super::*;

/// A small generator of uneven numbers (Marsaglia 2003, xorshift64).
struct Numbers(u64);

impl Numbers {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// `n` neurons that spike at random with `hz`, more often in a slow rhythm of `rhythm` from 0 to 1.
fn population(name: &str, n: u32, hz: f64, duration_s: f64, rhythm: f64) -> PopulationData {
    let mut numbers = Numbers(0x9e37_79b9 + u64::from(n));
    let mut spikes = SpikeData::default();
    let dt = 1e-3;
    for step in 0..(duration_s / dt) as u32 {
        let t = f64::from(step) * dt;
        let phase = (t * 7.0).fract();
        let wave = 1.0 + rhythm * (8.0 * phase * (1.0 - phase) - 1.0);
        let expected = f64::from(n) * hz * dt * wave;
        let count = (expected + numbers.unit()) as u32;
        for _ in 0..count {
            spikes.t_s.push(t + dt * numbers.unit());
            spikes.i.push((numbers.unit() * f64::from(n)) as u32);
        }
    }
    PopulationData { name: name.to_owned(), first: 0, n, spikes: Some(spikes), rate: None }
}

/// Membrane potentials that wander and jump back.
fn voltages(object: &str, n: usize, duration_s: f64) -> TraceData {
    let t_s: Vec<f64> = (0..(duration_s / 1e-4) as u32).map(|k| f64::from(k) * 1e-4).collect();
    let lines = (0..n)
        .map(|k| {
            let mut numbers = Numbers(77 + k as u64);
            let mut v = -0.06;
            let values = t_s
                .iter()
                .map(|_| {
                    v += 1e-4 / 0.02 * (-0.0485 - v) + 4e-4 * (numbers.unit() - 0.5);
                    if v > -0.05 {
                        v = -0.06;
                    }
                    v
                })
                .collect();
            LineData { label: format!("{object}[{}]", 10 * k), values }
        })
        .collect();
    TraceData {
        object: object.to_owned(),
        variable: "v".to_owned(),
        unit: "V".to_owned(),
        t_s,
        lines,
        n_recorded: n,
    }
}

fn figure(
    model: &str,
    duration_s: f64,
    populations: Vec<PopulationData>,
    traces: Vec<TraceData>,
) -> PlotData {
    let n_neurons = populations.iter().map(|p| u64::from(p.n)).sum();
    PlotData { model: model.to_owned(), seed: 1, duration_s, n_neurons, populations, traces }
}

fn conductances(duration_s: f64) -> TraceData {
    let mut trace = voltages("E", 2, duration_s);
    trace.variable = "ge".to_owned();
    trace.unit = "S".to_owned();
    trace.lines.iter_mut().for_each(|line| line.values.iter_mut().for_each(|v| *v = (*v + 0.061) * 6e-7));
    trace
}

fn cases() -> Vec<(&'static str, PlotData)> {
    let balanced = figure(
        "cuba",
        1.0,
        vec![population("E", 3200, 5.3, 1.0, 0.3), population("I", 800, 6.1, 1.0, 0.3)],
        vec![voltages("E", 3, 1.0), conductances(1.0)],
    );
    let many: Vec<PopulationData> =
        (0..16).map(|k| population(&format!("layer_{k}"), 20 + 90 * k, 8.0, 3.0, 0.5)).collect();
    let mut rated = population("exc", 4, 0.0, 1.0, 0.0);
    rated.spikes = None;
    let t_s: Vec<f64> = (0..1000).map(|k| f64::from(k) * 1e-3).collect();
    rated.rate = Some(SeriesData { rate_hz: t_s.iter().map(|t| 40.0 * t * (1.0 - t)).collect(), t_s });
    let mut ring = voltages("ring", 9, 0.4);
    ring.variable = "r".to_owned();
    ring.unit = "1".to_owned();
    let mut broken = voltages("E", 1, 0.05);
    broken.lines[0].values[200..300].fill(f64::NAN);
    vec![
        ("balanced", balanced),
        (
            "many_populations",
            figure("a model with a rather long name that goes on and on until it ends", 3.0, many, vec![]),
        ),
        (
            "huge",
            figure(
                "potjans",
                5.0,
                vec![
                    population("E", 100_000, 4.0, 5.0, 0.8),
                    population("I", 20_000, 9.0, 5.0, 0.8),
                    population("input", 2, 30.0, 5.0, 0.0),
                ],
                vec![],
            ),
        ),
        (
            "one_neuron",
            figure(
                "izhikevich",
                0.5,
                vec![population("cell", 1, 40.0, 0.5, 0.0)],
                vec![voltages("cell", 1, 0.5)],
            ),
        ),
        (
            "few_neurons",
            figure(
                "few",
                0.2,
                vec![population("a", 5, 40.0, 0.2, 0.0), population("b", 3, 90.0, 0.2, 0.0)],
                vec![],
            ),
        ),
        ("silent", figure("silent", 1.0, vec![population("E", 100, 0.0, 1.0, 0.0)], vec![])),
        (
            "no_time",
            figure("still", 0.0, vec![population("E", 100, 0.0, 0.0, 0.0)], vec![voltages("E", 2, 0.0)]),
        ),
        ("rate_coded", figure("rate_ring", 0.4, vec![], vec![ring])),
        ("recorded_rates", figure("rates", 1.0, vec![rated], vec![])),
        ("broken_trace", figure("nan", 0.05, vec![], vec![broken])),
        ("nothing", figure("<empty & \"strange\">", 1.0, vec![], vec![])),
        ("many_traces", figure("many", 0.1, vec![], vec![voltages("E", 1, 0.1); 11])),
    ]
}

/// A directory that is removed in the end, unless figures are to be kept.
struct Directory(PathBuf, bool);

impl Directory {
    fn new(name: &str) -> Self {
        let kept = std::env::var_os("NEUROPIL_FIGURES").map(PathBuf::from);
        let keep = kept.is_some();
        let path = kept.unwrap_or_else(|| {
            std::env::temp_dir().join(format!("neuropil-plot-{name}-{}", std::process::id()))
        });
        fs::create_dir_all(&path).unwrap();
        Self(path, keep)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.1 {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

#[test]
fn every_kind_of_network_has_a_figure() {
    let dir = Directory::new("cases");
    for (name, data) in cases() {
        let (png, svg) = (dir.0.join(format!("{name}.png")), dir.0.join(format!("{name}.svg")));
        plot(&data, &png).unwrap();
        plot(&data, &svg).unwrap();
        let bytes = fs::read(&png).unwrap();
        assert!(bytes.starts_with(b"\x89PNG") && bytes.len() < 1 << 20, "{name}: {} bytes", bytes.len());
        let text = fs::read_to_string(&svg).unwrap();
        assert!(text.starts_with("<svg") && text.ends_with("</svg>\n"), "{name}");
        assert!(text.len() < 4 << 20, "{name}: {} bytes", text.len());
        assert!(!text.contains("NaN") && !text.contains("inf"), "{name}");
    }
}

#[test]
fn texts_of_a_figure_do_not_overlap_or_leave_the_page() {
    let fonts = canvas::Fonts::load().unwrap();
    for (name, data) in cases() {
        let drawing = figure::draw(&data, &fonts);
        let mut boxes: Vec<(String, [f64; 4])> = Vec::new();
        for mark in &drawing.marks {
            let canvas::Mark::Text(text) = mark else { continue };
            let width = fonts.width(&text.text, text.size, text.bold);
            let from = match text.anchor {
                canvas::Anchor::Start => 0.0,
                canvas::Anchor::Middle => -width / 2.0,
                canvas::Anchor::End => -width,
            };
            let half = 0.45 * text.size;
            let area = if text.upright {
                [text.x - half, text.y - from - width, text.x + half, text.y - from]
            } else {
                [text.x + from, text.y - half, text.x + from + width, text.y + half]
            };
            assert!(
                area[0] >= 0.0 && area[1] >= 0.0 && area[2] <= drawing.width && area[3] <= drawing.height,
                "{name}: `{}` leaves the page: {area:?}",
                text.text
            );
            for (other, b) in &boxes {
                let apart = area[2] <= b[0] || b[2] <= area[0] || area[3] <= b[1] || b[3] <= area[1];
                assert!(apart, "{name}: `{}` overlaps `{other}`", text.text);
            }
            boxes.push((text.text.clone(), area));
        }
    }
}

#[test]
fn other_endings_and_unwritable_files_are_errors() {
    let data = PlotData::default();
    let message = |path: &str| plot(&data, Path::new(path)).unwrap_err().to_string();
    assert_eq!(message("figure.pdf"), "cannot draw `figure.pdf`: figures end in `.png` or `.svg`");
    let missing = message("/nonexistent/figure.svg");
    assert!(missing.starts_with("cannot write `/nonexistent/figure.svg`: "), "{missing}");
}

#[test]
fn memory_and_files_give_the_same_figure() {
    let run = RunInfo {
        model: "pair".to_owned(),
        seed: 4,
        dt_s: 1e-3,
        precision: Precision::F64,
        duration_s: 0.1,
        populations: vec![PopulationInfo { name: "E".to_owned(), n: 4 }],
    };
    let population = || "E".to_owned();
    let variables = vec![VariableSpec { name: "v".to_owned(), ty: ScalarType::F64, unit: "V".to_owned() }];
    let kinds = [
        RecorderKind::Spikes { population: population(), event: "spike".to_owned(), first: 0, n: 4 },
        RecorderKind::State { object: population(), variables, indices: vec![3, 1], period_steps: 1 },
        RecorderKind::Rate { population: population(), n: 4, period_steps: 1 },
    ];
    let specs: Vec<RecorderSpec> = kinds
        .into_iter()
        .enumerate()
        .map(|(k, kind)| RecorderSpec { name: format!("r{k}"), dt_s: 1e-3, kind })
        .collect();
    let dir = Directory::new("same");
    let out = dir.0.join("recording");
    let mut tee = Tee {
        first: MemorySink::new(specs.clone()).unwrap(),
        second: FileSink::create(&out, specs, run.clone()).unwrap(),
    };
    for step in 0..100 {
        tee.events(RecorderId::new(0), step, &[(step % 4) as u32]).unwrap();
        let v: Vec<u8> = [step as f64 * 1e-3, -0.05].iter().flat_map(|v| v.to_ne_bytes()).collect();
        tee.rows(RecorderId::new(1), step, &[&v]).unwrap();
        tee.rate(RecorderId::new(2), step, 1).unwrap();
    }
    tee.finish().unwrap();
    let memory = PlotData::from_memory(&tee.first, &run).unwrap();
    let files = PlotData::from_recording(&Recording::open(&out).unwrap()).unwrap();
    assert_eq!(memory, files);
    assert_eq!(memory.populations.len(), 1);
    assert_eq!(memory.traces[0].lines[0].label, "E[3]");
    let _ = fs::remove_dir_all(out);
}
