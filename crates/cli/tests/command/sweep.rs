//! `neuropil sweep`: each row of the table is what `neuropil run` says of that point.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use neuropil_record::Recording;

use crate::support::{Directory, NETWORK};

/// The rows of a table, each a map from column to cell. No cell of these tests has a comma.
fn rows(table: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = table.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let names = lines.next().unwrap();
    lines
        .map(|cells| {
            assert_eq!(cells.len(), names.len());
            names.iter().cloned().zip(cells).collect()
        })
        .collect()
}

#[test]
fn each_row_is_what_a_run_of_that_point_says() {
    let dir = Directory::with(NETWORK);
    let ran = dir.run(&[
        "sweep",
        "m.toml",
        "--set",
        "tau=5:15:5ms",
        "--set",
        "population.cells.size=30,60",
        "-j",
        "3",
    ]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.err.contains("6 of 6 points"), "{}", ran.err);
    let rows = rows(&ran.out);
    assert_eq!(rows.len(), 6);
    for (k, row) in rows.iter().enumerate() {
        assert_eq!(row["point"], (k + 1).to_string());
        let (tau, size) = (format!("tau={}", row["tau"]), row["population.cells.size"].clone());
        let json = dir.json(&["m.toml", "--set", &tau, "--set", &format!("population.cells.size={size}")]);
        assert_eq!(json["spike_digest"], row["spike_digest"]);
        assert_eq!(json["spikes"]["cells"].to_string(), row["spikes.cells"]);
        assert_eq!(json["spikes"]["others"].to_string(), row["spikes.others"]);
        let rate: f64 = row["rate_hz.cells"].parse().unwrap();
        // The reader of JSON rounds the last digit in its own way.
        assert!((json["rate_hz"]["cells"].as_f64().unwrap() - rate).abs() < 1e-9);
        assert_eq!(row["error"], "");
    }
    assert_eq!(rows[1]["tau"], "5 ms");
    assert_eq!(rows[1]["population.cells.size"], "60");
}

#[test]
fn a_directory_gets_the_table_and_recordings_if_asked() {
    let dir = Directory::with(NETWORK);
    let arguments =
        ["sweep", "m.toml", "--seeds", "3:4", "--set", "tau=5ms,7ms", "--zip", "--out", "o", "--record"];
    let ran = dir.run(&arguments);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(ran.out, "");
    let table = fs::read_to_string(dir.path("o/summary.csv")).unwrap();
    let rows = rows(&table);
    assert_eq!(
        rows.iter().map(|r| (r["tau"].as_str(), r["seed"].as_str())).collect::<Vec<_>>(),
        [("5ms", "3"), ("7ms", "4")]
    );
    for (k, row) in rows.iter().enumerate() {
        let recording = Recording::open(&dir.path(&format!("o/point-{}", k + 1))).unwrap();
        assert!(recording.manifest().complete);
        assert_eq!(recording.manifest().run.seed.to_string(), row["seed"]);
        assert_eq!(recording.spikes("cells_spikes").unwrap().i.len().to_string(), row["spikes.cells"]);
    }
    assert_eq!(crate::support::names(&dir.path("o")), ["point-1", "point-2", "summary.csv"]);
}

#[test]
fn a_point_that_fails_is_a_row_and_the_status() {
    let dir = Directory::with(NETWORK);
    let ran = dir.run(&["sweep", "m.toml", "--set", "tau=10ms,10mV,20ms", "--quiet"]);
    assert_eq!(ran.status, 1, "{}", ran.err);
    assert!(ran.err.starts_with("error: point 2 (tau=10mV):\n"), "{}", ran.err);
    let table: Vec<&str> = ran.out.lines().collect();
    assert_eq!(table.len(), 4);
    assert!(table[2].starts_with("2,10mV,,,,,,,,,,"), "{}", table[2]);
    assert!(table[3].starts_with("3,20ms,"), "{}", table[3]);
}

#[test]
fn what_no_point_can_be_is_a_mistake_of_the_command_line() {
    let dir = Directory::with(NETWORK);
    for (argument, message) in [
        ("tua=1ms,2ms", "there is no constant or setting `tua`"),
        ("tau=1ms:2s:1ms", "the range is in `ms` and in `s`"),
        ("tau", "not of the form"),
    ] {
        let ran = dir.run(&["sweep", "m.toml", "--set", argument, "--out", "none"]);
        assert_eq!(ran.status, 2, "{}", ran.err);
        assert!(ran.err.contains(message), "{}", ran.err);
    }
    assert_eq!(dir.names(), ["m.toml"]);
}

#[test]
fn an_interrupted_sweep_keeps_the_rows_that_it_has() {
    let dir = Directory::with(NETWORK);
    let arguments = ["sweep", "m.toml", "--set", "duration=10ms,3e6 s,10ms", "--out", "o", "-j", "1"];
    let child = dir.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let table = || fs::read_to_string(dir.path("o/summary.csv.partial")).unwrap_or_default();
    while table().lines().count() < 2 {
        sleep(Duration::from_millis(10));
    }
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let ran = crate::support::Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.status, 130, "{}", ran.err);
    let table = fs::read_to_string(dir.path("o/summary.csv")).unwrap();
    assert_eq!(rows(&table).len(), 1, "{table}");
}
