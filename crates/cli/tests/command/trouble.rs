//! Runs that fail: states that are not finite, places that cannot be written, disks that fill, readers that leave.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use neuropil_record::Recording;

use crate::support::{Directory, NETWORK, Ran, names};

const EXPLOSION: &str = r#"
[neuron.bomb]
equations = "dv/dt = v**2/ms : 1"
threshold = "v < 0"
reset = "v = 0"
method = "euler"
[population.cells]
neuron = "bomb"
size = 4
initial.v = "int(i == 2)"
[record.state.v]
of = "cells"
variables = "v"
"#;

#[test]
fn a_state_that_is_not_finite_is_told_with_its_place_and_time() {
    let dir = Directory::with(EXPLOSION);
    let ran = dir.run(&["run", "m.toml", "--duration", "1 s", "--out", "o", "--json"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{}", ran.err);
    for part in ["error: `cells.v` of element 2 became inf in step ", "--dt", "is in `o`"] {
        assert!(ran.err.contains(part), "{part:?} is missing in {}", ran.err);
    }
    let recording = Recording::open(&dir.path("o")).unwrap();
    assert!(!recording.manifest().complete && !recording.is_partial());
    let without = dir.run(&["run", "m.toml", "--duration", "1 s"]);
    assert_eq!(without.status, 1);
    assert!(!without.err.contains("recorded until then"), "{}", without.err);
}

#[test]
fn places_that_cannot_be_written_are_told_before_the_run() {
    let dir = Directory::with(NETWORK);
    fs::create_dir(dir.path("locked")).unwrap();
    fs::set_permissions(dir.path("locked"), fs::Permissions::from_mode(0o555)).unwrap();
    // Whoever may write everywhere cannot see what the others see.
    let powerful = fs::write(dir.path("locked/x"), "").is_ok();
    let locked: &[&[&str]] = &[&["--out", "locked"], &["--out", "locked/o"], &["--plot", "locked/p.png"]];
    let others: &[&[&str]] = &[&["--out", "m.toml"], &["--out", "m.toml/o"], &["--plot", "m.toml/p.svg"]];
    for arguments in others.iter().chain(if powerful { &[] } else { locked }) {
        // A century: whoever begins to run does not come back.
        let ran = dir.run(&[&["run", "m.toml", "--duration", "3e9 s"], *arguments].concat());
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{arguments:?}");
        assert!(ran.err.contains(&format!("cannot write `{}`", arguments[1])), "{arguments:?}: {}", ran.err);
    }
    fs::create_dir(dir.path("dir.png")).unwrap();
    let ran = dir.run(&["run", "m.toml", "--duration", "3e9 s", "--plot", "dir.png"]);
    assert_eq!(ran.status, 1, "{}", ran.err);
    fs::set_permissions(dir.path("locked"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_full_disk_ends_a_run_and_spares_the_earlier_recording() {
    let dir = Directory::with(NETWORK);
    let earlier = dir.json(&["m.toml", "--out", "o", "--seed", "1"]);
    // Larger files cannot be written: the same error path as that of a full disk.
    let script = format!(
        "trap '' XFSZ; ulimit -f 256; exec '{}' run m.toml --duration '100 s' --out o",
        env!("CARGO_BIN_EXE_neuropil")
    );
    let output = Command::new("sh").current_dir(dir.path("")).args(["-c", &script]).output().unwrap();
    let ran = Ran::from(output);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{}", ran.err);
    for part in ["cannot write `o/", "File too large", ".partial", "neuropil plot o"] {
        assert!(ran.err.contains(part), "{part:?} is missing in {}", ran.err);
    }
    let recording = Recording::open(&dir.path("o")).unwrap();
    assert_eq!((recording.manifest().run.seed, recording.is_partial()), (1, false));
    let n: usize = ["cells", "others"].iter().map(|p| spikes(&recording, p)).sum();
    let counted: u64 = ["cells", "others"].iter().filter_map(|p| earlier["spikes"][p].as_u64()).sum();
    assert_eq!(n as u64, counted);
    assert!(names(&dir.path("o")).iter().any(|name| name.ends_with(".partial")));
}

fn spikes(recording: &Recording, population: &str) -> usize {
    use neuropil_record::RecorderKind;
    let of =
        |kind: &RecorderKind| matches!(kind, RecorderKind::Spikes { population: p, .. } if p == population);
    let spec = recording.manifest().recorders.iter().find(|spec| of(&spec.kind)).unwrap();
    recording.spikes(&spec.name).unwrap().i.len()
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let dir = Directory::with(NETWORK);
    for arguments in [&["emit", "m.toml", "--stage", "ir"][..], &["run", "m.toml"], &["info"]] {
        let mut child = dir.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!(ran.status, 0, "{arguments:?}: {}", ran.err);
        assert!(!ran.err.contains("error"), "{}", ran.err);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let dir = Directory::with(NETWORK);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = Ran::from(dir.command(&["check", "m.toml"]).stdout(full).output().unwrap());
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("cannot write to standard output"), "{}", ran.err);
}
