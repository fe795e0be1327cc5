//! Recordings in directories: written, read, interrupted, damaged.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

mod interrupted;
mod resume;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use neuropil_base::{Precision, ScalarType};
use neuropil_record::{
    FileSink, PopulationInfo, RecordError, RecorderId, RecorderKind, RecorderSpec, Recording, RunInfo, Sink,
    Values, VariableSpec,
};
use proptest::prelude::*;

const DT: f64 = 1e-4;

/// A directory of its own for each test, removed in the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("neuropil-record-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run() -> RunInfo {
    RunInfo {
        model: "cuba".to_owned(),
        seed: u64::MAX,
        dt_s: DT,
        precision: Precision::F32,
        duration_s: 1.0,
        populations: vec![PopulationInfo { name: "E".to_owned(), n: 100 }],
    }
}

fn spikes(name: &str) -> RecorderSpec {
    let kind =
        RecorderKind::Spikes { population: "E".to_owned(), event: "spike".to_owned(), first: 0, n: 100 };
    RecorderSpec { name: name.to_owned(), dt_s: DT, kind }
}

fn specs() -> Vec<RecorderSpec> {
    let variable =
        |name: &str, ty, unit: &str| VariableSpec { name: name.to_owned(), ty, unit: unit.to_owned() };
    let state = RecorderKind::State {
        object: "E".to_owned(),
        variables: vec![variable("v", ScalarType::F32, "V"), variable("active", ScalarType::Bool, "1")],
        indices: vec![4, 9, 2],
        period_steps: 1,
    };
    let rate = RecorderKind::Rate { population: "E".to_owned(), n: 100, period_steps: 1 };
    vec![
        spikes("s"),
        RecorderSpec { name: "x".to_owned(), dt_s: DT, kind: state },
        RecorderSpec { name: "r".to_owned(), dt_s: DT, kind: rate },
    ]
}

/// Pushes one step of all three recorders.
fn push(sink: &mut FileSink, step: i64) -> Result<(), RecordError> {
    let [s, x, r] = [0, 1, 2].map(RecorderId::new);
    let neuron = (step % 100) as u32;
    sink.events(s, step, &[neuron, 99 - neuron])?;
    let v: Vec<u8> = [step as f32, 0.5, -1.0].iter().flat_map(|x| x.to_ne_bytes()).collect();
    sink.rows(x, step, &[&v, &[1, 0, 1]])?;
    sink.rate(r, step, 2)
}

/// Pushes `steps` steps of all three recorders.
fn fill(sink: &mut FileSink, steps: i64) {
    for step in 0..steps {
        push(sink, step).unwrap();
    }
}

fn write(dir: &Path, steps: i64) {
    let mut sink = FileSink::create(dir, specs(), run()).unwrap();
    fill(&mut sink, steps);
    sink.finish().unwrap();
}

/// Checks that the first `steps` steps of [`fill`] are all that is there.
fn check(recording: &Recording, steps: usize) {
    let train = recording.spikes("s").unwrap();
    assert_eq!(train.i.len(), 2 * steps);
    assert!(train.i.iter().enumerate().all(|(k, i)| {
        let neuron = (k as u32 / 2) % 100;
        *i == if k % 2 == 0 { neuron } else { 99 - neuron }
    }));
    assert!(train.t_s.iter().enumerate().all(|(k, t)| *t == (k / 2) as f64 * DT));
    let trace = recording.trace("x", "v").unwrap();
    assert_eq!((trace.indices.as_slice(), trace.unit.as_str()), (&[4, 9, 2][..], "V"));
    assert_eq!(trace.line(0), (0..steps).map(|s| s as f64).collect::<Vec<_>>());
    assert_eq!(trace.line(1), vec![0.5; steps]);
    assert_eq!(trace.t_s.len(), steps);
    let Values::Bool(active) = recording.trace("x", "active").unwrap().data else {
        panic!("not truth values")
    };
    assert_eq!(active, [true, false, true].repeat(steps));
    let rate = recording.rate("r").unwrap();
    assert_eq!((rate.t_s.len(), rate.rate_hz.len()), (steps, steps));
    assert!(rate.rate_hz.iter().all(|r| (r - 200.0).abs() < 1e-9));
}

#[test]
fn what_is_written_is_read_back() {
    for steps in [0, 1, 20_000] {
        let dir = Directory::new();
        write(&dir.0, steps);
        let recording = Recording::open(&dir.0).unwrap();
        assert!(recording.manifest().complete && !recording.is_partial());
        assert_eq!(recording.manifest().run, run());
        assert_eq!(recording.manifest().recorders, specs());
        check(&recording, steps as usize);
        let files = [
            "manifest.json",
            "r.hz.npy",
            "r.t.npy",
            "s.i.npy",
            "s.t.npy",
            "x.active.npy",
            "x.t.npy",
            "x.v.npy",
        ];
        assert_eq!(dir.names(), files);
    }
}

#[test]
fn another_reader_of_the_format_agrees() {
    let dir = Directory::new();
    write(&dir.0, 10);
    let open = |name: &str| npyz::NpyFile::new(fs::File::open(dir.0.join(name)).unwrap()).unwrap();
    let v = open("x.v.npy");
    assert_eq!(v.shape(), [10, 3]);
    assert_eq!(v.into_vec::<f32>().unwrap()[3..6], [1.0, 0.5, -1.0]);
    assert_eq!(open("s.i.npy").into_vec::<i32>().unwrap()[..4], [0, 99, 1, 98]);
    assert_eq!(open("x.active.npy").into_vec::<bool>().unwrap()[..3], [true, false, true]);
}

#[test]
fn a_new_recording_replaces_the_earlier_one_and_no_other_files() {
    let dir = Directory::new();
    write(&dir.0, 50);
    fs::write(dir.0.join("notes.txt"), "mine").unwrap();
    let mut sink = FileSink::create(&dir.0, vec![spikes("s")], run()).unwrap();
    sink.events(RecorderId::new(0), 7, &[1]).unwrap();
    sink.set_end(0.5, false);
    sink.finish().unwrap();
    assert_eq!(dir.names(), ["manifest.json", "notes.txt", "s.i.npy", "s.t.npy"]);
    let recording = Recording::open(&dir.0).unwrap();
    assert_eq!((recording.manifest().complete, recording.manifest().run.duration_s), (false, 0.5));
    assert_eq!(recording.spikes("s").unwrap().i, [1]);
}

#[test]
fn a_finished_sink_takes_nothing_more() {
    let dir = Directory::new();
    let mut sink = FileSink::create(&dir.0, specs(), run()).unwrap();
    sink.finish().unwrap();
    let message = sink.events(RecorderId::new(0), 0, &[0]).unwrap_err().to_string();
    assert!(message.ends_with("is closed"), "{message}");
    assert!(sink.finish().is_err());
}

#[test]
fn names_that_would_leave_the_directory_or_meet_are_refused() {
    let dir = Directory::new();
    let create = |specs| FileSink::create(&dir.0, specs, run()).unwrap_err().to_string();
    let message = create(vec![spikes("../s")]);
    assert!(message.starts_with("`../s` cannot be part of a file name"), "{message}");
    let mut twice = specs();
    if let RecorderKind::State { variables, .. } = &mut twice[1].kind {
        variables[0].name = "t".to_owned();
    }
    assert_eq!(create(twice), "two recorders write the file `x.t.npy`");
    assert!(dir.names().is_empty());
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = Directory::new();
    let file = dir.0.join("file");
    fs::write(&file, "").unwrap();
    let message = FileSink::create(&file.join("out"), specs(), run()).unwrap_err().to_string();
    assert!(message.starts_with(&format!("cannot create `{}`: ", file.join("out").display())), "{message}");
}

#[test]
fn contradictions_between_files_are_errors() {
    let dir = Directory::new();
    write(&dir.0, 50);
    let other = Directory::new();
    write(&other.0, 20);
    fs::copy(other.0.join("s.i.npy"), dir.0.join("s.i.npy")).unwrap();
    let recording = Recording::open(&dir.0).unwrap();
    let message = recording.spikes("s").unwrap_err().to_string();
    assert!(message.ends_with("its shape is `[40]`, the manifest says [100]"), "{message}");
    fs::copy(dir.0.join("x.t.npy"), dir.0.join("x.v.npy")).unwrap();
    assert!(recording.trace("x", "v").unwrap_err().to_string().contains("dimensions"));
    fs::remove_file(dir.0.join("r.hz.npy")).unwrap();
    assert!(recording.rate("r").unwrap_err().to_string().contains("cannot read"));
    assert_eq!(
        recording.spikes("q").unwrap_err().to_string(),
        "the recording has no recorder `q`; it has `s`, `x`, `r`"
    );
}

#[test]
fn absurd_shapes_are_errors_not_allocations() {
    let dir = Directory::new();
    write(&dir.0, 1);
    let recording = Recording::open(&dir.0).unwrap();
    for shape in ["(18446744073709551615, 3)", "(9999999999,)", "(99999999999999999999999,)", "()"] {
        let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
        let length = u16::try_from(text.len()).unwrap().to_le_bytes();
        let bytes = [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes(), &[0; 8]].concat();
        fs::write(dir.0.join("r.hz.npy"), bytes).unwrap();
        recording.rate("r").unwrap_err();
    }
    // A header that claims to be 4 GiB long.
    fs::write(dir.0.join("r.hz.npy"), b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}").unwrap();
    recording.rate("r").unwrap_err();
}

/// Reads everything; only errors matter, and that they are values.
fn read_all(dir: &Path) {
    if let Ok(recording) = Recording::open(dir) {
        let _ = recording.spikes("s");
        let _ = recording.trace("x", "v");
        let _ = recording.trace("x", "active");
        let _ = recording.rate("r");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn damaged_files_never_panic(
        file in 0usize..8,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        keep in any::<prop::sample::Index>(),
        junk in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let dir = Directory::new();
        write(&dir.0, 5);
        let path = dir.0.join(&dir.names()[file]);
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        for (at, byte) in damage {
            // The first bytes decide most.
            let length = changed.len().min(140);
            changed[at.index(length)] = byte;
        }
        fs::write(&path, &changed).unwrap();
        read_all(&dir.0);
        fs::write(&path, &whole[..keep.index(whole.len())]).unwrap();
        read_all(&dir.0);
        fs::write(&path, [&whole[..keep.index(12)], &junk].concat()).unwrap();
        read_all(&dir.0);
    }
}
