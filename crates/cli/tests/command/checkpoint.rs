//! `neuropil run --checkpoint --resume`: a run that is killed again and again comes to the end of one that is not.

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Directory, NETWORK, names};

const JOB: [&str; 9] = ["run", "m.toml", "--out", "o", "--checkpoint", "c", "--every", "10 ms", "--resume"];

/// The bytes of the recording in a directory.
fn recording(dir: &Directory, name: &str) -> Vec<(String, Vec<u8>)> {
    let path = dir.path(name);
    let files = names(&path).into_iter().filter(|name| path.join(name).is_file());
    files.map(|name| (name.clone(), fs::read(path.join(name)).unwrap())).collect()
}

#[test]
fn a_run_that_is_killed_again_and_again_comes_to_the_same_end() {
    let dir = Directory::with(NETWORK);
    let duration = ["--duration", "5 s"];
    let whole = dir.json(&["m.toml", "--out", "whole", duration[0], duration[1]]);
    let job = [&JOB[..], &["c", duration[0], duration[1], "--json"]].concat();
    let (mut n_killed, mut wait_ms) = (0, 40);
    let last: Value = loop {
        let mut child = dir.command(&job).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        sleep(Duration::from_millis(wait_ms));
        // Longer and longer, so that it comes to its end on any machine.
        wait_ms += wait_ms / 3 + 17;
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
            n_killed += 1;
            continue;
        }
        let ran = crate::support::Ran::from(child.wait_with_output().unwrap());
        assert_eq!(ran.status, 0, "{}", ran.err);
        break serde_json::from_str(&ran.out).unwrap();
    };
    assert!(n_killed > 0);
    for same in ["spike_digest", "spikes", "rate_hz", "steps", "duration_s", "complete"] {
        assert_eq!(last[same], whole[same], "{same} after {n_killed} kills");
    }
    assert_eq!(recording(&dir, "o"), recording(&dir, "whole"));
    assert_eq!(names(&dir.path("c")), ["latest"]);
    // Once more: there is nothing left to do, and nothing changes.
    let again = dir.run(&job);
    assert_eq!(again.status, 0, "{}", again.err);
    let again: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(again["spike_digest"], whole["spike_digest"]);
    assert_eq!(recording(&dir, "o"), recording(&dir, "whole"));
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let dir = Directory::with(NETWORK);
    let job = [&JOB[..], &["c"]].concat();
    assert_eq!(dir.run(&job).status, 0);
    let before = recording(&dir, "o");
    for (change, message) in [
        (["--seed", "6"], "its seed is `5`, not `6`"),
        (["--precision", "f32"], "its precision is `f64`, not `f32`"),
        (["--duration", "1 s"], "its duration in seconds is `0.1`, not `1`"),
        (["--set", "tau=3ms"], "its fingerprint of the model is"),
    ] {
        let ran = dir.run(&[&job[..], &change].concat());
        assert_eq!(ran.status, 2, "{}", ran.err);
        assert!(ran.err.contains(message), "{}", ran.err);
    }
    assert_eq!(recording(&dir, "o"), before);
    let bytes = fs::read(dir.path("c/latest")).unwrap();
    fs::write(dir.path("c/latest"), &bytes[..bytes.len() / 2]).unwrap();
    let ran = dir.run(&job);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("is damaged: it ends too early"), "{}", ran.err);
    let ran = dir.run(&["run", "m.toml", "--resume", "nowhere"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("cannot read `nowhere/latest`"), "{}", ran.err);
    let ran = dir.run(&["run", "m.toml", "--checkpoint", "c", "--every", "3 mV"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("--every:1:1"), "{}", ran.err);
}
