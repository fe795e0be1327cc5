//! Recordings that went back, or were gone on with after their process had died: in the end the files are, byte for byte,
//! those of a recording that did neither.

use std::process::{Command, Stdio};
use std::time::Duration;

use neuropil_record::{Mark, MemorySink, SpikeDigest};

use super::*;

/// The bytes of all files in a directory. What was killed before its first mark lies in directories within.
fn bytes(dir: &Directory) -> Vec<(String, Vec<u8>)> {
    let files = dir.names().into_iter().filter(|name| dir.0.join(name).is_file());
    files.map(|name| (name.clone(), fs::read(dir.0.join(name)).unwrap())).collect()
}

/// The files of `steps` steps, recorded straight.
fn straight(steps: i64) -> Vec<(String, Vec<u8>)> {
    let dir = Directory::new();
    write(&dir.0, steps);
    bytes(&dir)
}

fn record(sink: &mut FileSink, steps: std::ops::Range<i64>) {
    for step in steps {
        push(sink, step).unwrap();
    }
}

/// Something else than [`push`] records, to be forgotten.
fn junk(sink: &mut FileSink, steps: std::ops::Range<i64>) {
    for step in steps {
        sink.events(RecorderId::new(0), -step, &[1, 2, 3]).unwrap();
        sink.rate(RecorderId::new(2), step / 2, 9).unwrap();
    }
}

#[test]
fn going_back_leaves_no_trace() {
    let expected = straight(30_000);
    let dir = Directory::new();
    let mut sink = FileSink::create(&dir.0, specs(), run()).unwrap();
    record(&mut sink, 0..20_000);
    let mark = sink.mark();
    assert_eq!(mark.rows(), [40_000, 20_000, 20_000]);
    for n in [1, 10, 40_000] {
        junk(&mut sink, 0..n);
        sink.rewind(&mark).unwrap();
    }
    record(&mut sink, 20_000..30_000);
    let message = sink.rewind(&Mark::default()).unwrap_err().to_string();
    assert_eq!(message, "cannot go back to the mark: it counts `0` recorders, and there are 3");
    sink.finish().unwrap();
    assert_eq!(bytes(&dir), expected);
}

#[test]
fn steps_may_start_again() {
    let dir = Directory::new();
    let mut sink = FileSink::create(&dir.0, specs(), run()).unwrap();
    let mut memory = MemorySink::new(specs()).unwrap();
    for step in [5, 6, 2, 3, 0] {
        push(&mut sink, step).unwrap();
        memory.rate(RecorderId::new(2), step, 1).unwrap();
    }
    sink.finish().unwrap();
    let recording = Recording::open(&dir.0).unwrap();
    let steps: Vec<f64> = [5.0, 6.0, 2.0, 3.0, 0.0].iter().map(|s| s * DT).collect();
    assert_eq!(recording.rate("r").unwrap().t_s, steps);
    assert_eq!(memory.rate_hz(RecorderId::new(2)).unwrap().0, steps);
    let train = recording.spikes("s").unwrap();
    assert_eq!(train.t_s.iter().step_by(2).copied().collect::<Vec<_>>(), steps);
    // Neuron 6 fires in steps 6 only, neuron 2 in step 2; nobody has two intervals, whatever goes back.
    assert_eq!(neuropil_record::stats::isi_cv(&train.t_s, &train.i, 100), None);
}

#[test]
fn a_recording_that_ended_in_order_is_gone_on_with() {
    let expected = straight(500);
    let dir = Directory::new();
    let mut sink = FileSink::create(&dir.0, specs(), run()).unwrap();
    record(&mut sink, 0..200);
    let mark = sink.settle().unwrap();
    record(&mut sink, 200..300);
    sink.set_end(0.03, false);
    sink.finish().unwrap();
    let mut sink = FileSink::resume(&dir.0, specs(), run(), &mark).unwrap();
    // Killed before anything else happens, it can be gone on with too.
    drop(sink);
    sink = FileSink::resume(&dir.0, specs(), run(), &mark).unwrap();
    assert_eq!(sink.mark().rows(), mark.rows());
    record(&mut sink, 200..500);
    sink.finish().unwrap();
    assert_eq!(bytes(&dir), expected);
}

#[test]
fn a_recording_that_was_killed_while_it_renamed_is_gone_on_with() {
    let expected = straight(500);
    for n_renamed in 0..=7 {
        let dir = Directory::new();
        write(&dir.0, 50);
        let mut sink = FileSink::create(&dir.0, specs(), run()).unwrap();
        record(&mut sink, 0..300);
        let mark = sink.settle().unwrap();
        record(&mut sink, 300..400);
        sink.finish().unwrap();
        let names = ["s.i", "s.t", "x.t", "x.v", "x.active", "r.t", "r.hz"].map(|n| format!("{n}.npy"));
        for name in names[n_renamed..].iter().chain([&"manifest.json".to_owned()]) {
            fs::rename(dir.0.join(name), dir.0.join(format!("{name}.partial"))).unwrap();
        }
        let mut sink = FileSink::resume(&dir.0, specs(), run(), &mark).unwrap();
        record(&mut sink, 300..500);
        sink.finish().unwrap();
        assert_eq!(bytes(&dir), expected, "{n_renamed}");
    }
}

#[test]
fn an_earlier_recording_stays_until_the_one_that_went_on_is_whole() {
    let dir = Directory::new();
    write(&dir.0, 50);
    let mut sink = FileSink::create(&dir.0, specs(), run()).unwrap();
    record(&mut sink, 0..30);
    let mark = sink.settle().unwrap();
    drop(sink);
    let mut sink = FileSink::resume(&dir.0, specs(), run(), &mark).unwrap();
    check(&Recording::open(&dir.0).unwrap(), 50);
    record(&mut sink, 30..60);
    sink.finish().unwrap();
    check(&Recording::open(&dir.0).unwrap(), 60);
}

#[test]
fn a_recording_of_something_else_is_not_touched() {
    let dir = Directory::new();
    let mut sink = FileSink::create(&dir.0, specs(), run()).unwrap();
    record(&mut sink, 0..30);
    let mark = sink.settle().unwrap();
    record(&mut sink, 30..31);
    let late = sink.settle().unwrap();
    let message = FileSink::resume(&dir.0, specs(), run(), &mark).unwrap_err().to_string();
    assert!(message.starts_with("another recording is being written"), "{message}");
    drop(sink);
    let before = bytes(&dir);
    let refused = |specs: Vec<RecorderSpec>, run: RunInfo| {
        let message = FileSink::resume(&dir.0, specs, run, &mark).unwrap_err().to_string();
        let start = format!("cannot go on with the recording in `{}`: its ", dir.0.display());
        message.strip_prefix(&start).unwrap_or(&message).to_owned()
    };
    assert_eq!(refused(specs(), RunInfo { seed: 3, ..run() }), format!("seed is `{}`, not `3`", u64::MAX));
    assert_eq!(refused(specs(), RunInfo { model: "x".to_owned(), ..run() }), "model is `cuba`, not `x`");
    let populations = vec![PopulationInfo { name: "E".to_owned(), n: 99 }];
    assert_eq!(refused(specs(), RunInfo { populations, ..run() }), "population is `E of 100`, not `E of 99`");
    assert_eq!(refused(specs()[..2].to_vec(), run()), "number of recorders is `3`, not `2`");
    let mut other = specs();
    other[0] = spikes("q");
    assert_eq!(refused(other, run()), "recorder is `s`, not `q`");
    let mut other = specs();
    other[2].dt_s = 1.0;
    assert_eq!(refused(other, run()), "step of recorder `r` in seconds is `0.0001`, not `1`");
    let mut other = specs();
    if let RecorderKind::Spikes { n, .. } = &mut other[0].kind {
        *n = 5;
    }
    let expected =
        "recorder `s` is `spike of 100 neurons of E from 0 on`, not `spike of 5 neurons of E from 0 on`";
    assert_eq!(refused(other, run()), expected);
    // A mark of more than there is.
    let path = dir.0.join("x.v.npy.partial");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let message = FileSink::resume(&dir.0, specs(), run(), &late).unwrap_err().to_string();
    assert!(message.contains("truncated"), "{message}");
    fs::write(&path, &whole).unwrap();
    let mut sink = FileSink::resume(&dir.0, specs(), run(), &mark).unwrap();
    sink.finish().unwrap();
    let message = FileSink::resume(&dir.0, specs(), run(), &late).unwrap_err().to_string();
    assert!(message.contains("has `60` rows, the mark counts 62"), "{message}");
    assert_ne!(bytes(&dir), before);
    let empty = Directory::new();
    assert!(FileSink::resume(&empty.0, specs(), run(), &mark).is_err());
    assert!(empty.names().is_empty());
}

/// The variable that says where the other process records.
const PLACE: &str = "NEUROPIL_RECORD_RESUME";
/// Steps of a whole recording.
const STEPS: i64 = 40_000;

/// The last line that a process wrote whole: a step and the mark in it.
fn last_mark(path: &Path) -> Option<(i64, Mark)> {
    let text = fs::read_to_string(path).ok()?;
    let whole = &text[..text.rfind('\n')?];
    let (step, mark) = whole.lines().last()?.split_once(' ')?;
    Some((step.parse().ok()?, serde_json::from_str(mark).ok()?))
}

#[test]
#[ignore = "the other process of tests in this file; alone it does nothing"]
fn another_process_records_and_settles() {
    use std::io::Write as _;
    let Some(dir) = std::env::var_os(PLACE).map(PathBuf::from) else { return };
    let marks = dir.join("marks");
    let (first, mut sink) = match last_mark(&marks) {
        Some((step, mark)) => (step, FileSink::resume(&dir.join("out"), specs(), run(), &mark).unwrap()),
        None => (0, FileSink::create(&dir.join("out"), specs(), run()).unwrap()),
    };
    let mut log = fs::OpenOptions::new().create(true).append(true).open(&marks).unwrap();
    for step in first..STEPS {
        push(&mut sink, step).unwrap();
        if step % 700 == 3 {
            let mark = sink.settle().unwrap();
            writeln!(log, "\n{} {}", step + 1, serde_json::to_string(&mark).unwrap()).unwrap();
        }
        if step % 5000 == 17 {
            let mark = sink.mark();
            junk(&mut sink, 0..800);
            sink.rewind(&mark).unwrap();
        }
    }
    sink.finish().unwrap();
}

#[test]
fn a_recording_that_is_killed_again_and_again_comes_to_its_end() {
    let expected = straight(STEPS);
    let dir = Directory::new();
    let mut n_killed = 0;
    let mut wait_ms = 7;
    loop {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "resume::another_process_records_and_settles"])
            .env(PLACE, &dir.0)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Always another moment; longer and longer, so that it ends on any machine.
        std::thread::sleep(Duration::from_millis(wait_ms));
        wait_ms += wait_ms / 8 + 13;
        match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success());
                break;
            }
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                n_killed += 1;
            }
        }
    }
    assert!(n_killed > 0);
    assert_eq!(bytes(&Directory(dir.0.join("out"))), expected);
}

#[derive(Clone, Debug)]
enum Action {
    Record(u8),
    Mark,
    Rewind(prop::sample::Index),
    Resume,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => any::<u8>().prop_map(Action::Record),
        2 => Just(Action::Mark),
        2 => any::<prop::sample::Index>().prop_map(Action::Rewind),
        1 => Just(Action::Resume),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Memory and files, driven through the same history, hold what a list of steps holds.
    #[test]
    fn a_recording_is_what_was_not_forgotten(actions in prop::collection::vec(action(), 1..40)) {
        let dir = Directory::new();
        let mut sink = FileSink::create(&dir.0, specs(), run()).unwrap();
        let mut memory = MemorySink::new(specs()).unwrap();
        let (mut steps, mut next): (Vec<i64>, i64) = (Vec::new(), 0);
        let mut marks: Vec<(Mark, Mark, Vec<i64>)> = Vec::new();
        for action in actions {
            match action {
                Action::Record(n) => {
                    for _ in 0..n {
                        push(&mut sink, next).unwrap();
                        memory.rate(RecorderId::new(2), next, 2).unwrap();
                        memory.events(RecorderId::new(0), next, &[(next % 100) as u32, 99 - (next % 100) as u32]).unwrap();
                        steps.push(next);
                        next += 1;
                    }
                }
                Action::Mark => marks.push((sink.mark(), memory.mark(), steps.clone())),
                Action::Rewind(at) if !marks.is_empty() => {
                    let (mark, in_memory, then) = marks[at.index(marks.len())].clone();
                    // Steps are never the same twice, so a mark is good if and only if its steps are still there.
                    let good = steps.starts_with(&then);
                    prop_assert_eq!(sink.rewind(&mark).is_ok(), good);
                    prop_assert_eq!(memory.rewind(&in_memory).is_ok(), good);
                    if good {
                        steps = then;
                    }
                }
                Action::Rewind(_) => {}
                Action::Resume => {
                    let mark = sink.settle().unwrap();
                    let text = serde_json::to_string(&mark).unwrap();
                    junk(&mut sink, 0..40);
                    drop(sink);
                    let mark: Mark = serde_json::from_str(&text).unwrap();
                    sink = FileSink::resume(&dir.0, specs(), run(), &mark).unwrap();
                    marks.clear();
                }
            }
        }
        let straight = Directory::new();
        let mut plain = FileSink::create(&straight.0, specs(), run()).unwrap();
        let mut digest = SpikeDigest::new();
        for step in &steps {
            push(&mut plain, *step).unwrap();
            digest.update(*step, 0, &[(step % 100) as u32, 99 - (step % 100) as u32]);
        }
        let (when, who) = memory.spikes(RecorderId::new(0)).unwrap();
        let mut kept = SpikeDigest::new();
        for (step, neuron) in when.iter().zip(who) {
            kept.update(*step, 0, &[*neuron]);
        }
        prop_assert_eq!(kept, digest);
        prop_assert_eq!(memory.counts(RecorderId::new(2)).unwrap().0, &steps[..]);
        plain.finish().unwrap();
        sink.finish().unwrap();
        prop_assert_eq!(bytes(&dir), bytes(&straight));
    }
}
