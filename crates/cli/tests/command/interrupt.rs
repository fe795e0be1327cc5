//! Ctrl-C: what was recorded so far is written and readable.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use neuropil_record::Recording;

use crate::support::{Directory, NETWORK, Ran};

/// Presses Ctrl-C.
fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Waits until a run has recorded more than what a file has room for in the beginning.
fn wait_for(file: &Path) {
    let begin = Instant::now();
    while !std::fs::metadata(file).is_ok_and(|data| data.len() > 100_000) {
        assert!(begin.elapsed() < Duration::from_secs(60), "no `{}`", file.display());
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_interrupted_run_leaves_a_readable_recording() {
    let dir = Directory::with(NETWORK);
    let arguments = ["run", "m.toml", "--duration", "3e6 s", "--out", "o", "--json"];
    let child = dir.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&dir.path("o/traces.v.npy.partial"));
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.status, 130, "{}", ran.err);
    assert!(ran.err.contains("note: stopping in order"), "{}", ran.err);

    let json: serde_json::Value = serde_json::from_str(&ran.out).expect("one JSON object");
    assert_eq!(json["complete"], false);
    let recording = Recording::open(&dir.path("o")).unwrap();
    assert!(!recording.manifest().complete && !recording.is_partial());
    assert_eq!(json["duration_s"].as_f64(), Some(recording.manifest().run.duration_s));
    let trace = recording.trace("traces", "v").unwrap();
    assert_eq!(Some(trace.t_s.len() as u64), json["steps"].as_u64());
    assert_eq!(dir.run(&["plot", "o"]).status, 0);
}

#[test]
fn who_presses_twice_does_not_wait() {
    let dir = Directory::with(NETWORK);
    let arguments = ["run", "m.toml", "--duration", "3e6 s", "--out", "o"];
    let child = dir.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&dir.path("o/traces.v.npy.partial"));
    interrupt(&child);
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.status, 130, "{}", ran.err);
    assert!(Recording::open(&dir.path("o")).is_ok());
}
