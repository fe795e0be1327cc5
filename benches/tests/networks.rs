//! The networks that are measured exist: models check with their values, and the scripts of the peers are there.

#![allow(clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::path::{Path, PathBuf};

use neuropil::{Model, Precision};
use neuropil_benches::model_file;
use toml::{Table, Value};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn networks() -> Table {
    let text = std::fs::read_to_string(folder().join("networks.toml")).expect("the list of networks");
    text.parse().expect("a TOML file")
}

fn text<'a>(network: &'a Value, field: &str) -> &'a str {
    network.get(field).and_then(Value::as_str).unwrap_or_else(|| panic!("no text `{field}` in {network}"))
}

/// A model with values of a table `set`.
fn model(network: &Value, tables: &[&Value]) -> Model {
    let mut model = Model::read(model_file(text(network, "model"))).expect("a shipped model");
    for table in tables {
        for (name, value) in table.get("set").and_then(Value::as_table).expect("a table `set`") {
            // Numbers alone: scripts of the peers give them their units.
            let value = match value {
                Value::Integer(n) => n.to_string(),
                Value::Float(x) => x.to_string(),
                other => panic!("`{name}` is no number but `{other}`"),
            };
            model.set(&format!("{name}={value}")).expect("a constant of the model");
        }
    }
    if let Some(dt) = network.get("dt") {
        model.set_dt(dt.as_str().expect("a time"));
    }
    model.set_duration(&format!("{} s", seconds(tables.last().expect("a table"))));
    model
}

fn seconds(table: &Value) -> f64 {
    let seconds = table.get("duration_s").and_then(Value::as_float).expect("a duration");
    assert!(seconds > 0.0, "{table}");
    seconds
}

#[test]
fn every_network_is_a_right_model_at_both_sizes() {
    for (name, network) in &networks() {
        let quick = network.get("quick").expect("a table `quick`");
        for tables in [vec![network], vec![network, quick]] {
            for precision in [Precision::F32, Precision::F64] {
                let mut model = model(network, &tables);
                model.set_precision(precision);
                let found = model.check();
                assert!(!found.has_errors(), "{name}: {found:?}");
            }
        }
        let (typed, _) = model(network, &[network]).network().expect("a right model");
        if let Some(population) = network.get("rate_of") {
            let population = population.as_str().expect("a name");
            assert!(typed.populations.iter().any(|p| p.name == population), "{name}: {population}");
        }
    }
}

#[test]
fn every_peer_has_the_script_and_the_versions_that_it_needs() {
    let peers = folder().join("peers");
    for (name, network) in &networks() {
        for peer in network.get("peers").and_then(Value::as_array).expect("a list of peers") {
            let peer = peer.as_str().expect("the name of a peer");
            let script = peers.join(format!("for_{peer}")).join(format!("{}.py", text(network, "script")));
            assert!(script.exists(), "{name}: there is no {}", script.display());
            pinned(&peers.join("requirements").join(format!("{peer}.txt")));
        }
    }
}

/// Another version would be another peer.
fn pinned(path: &Path) {
    let text = std::fs::read_to_string(path).expect("the versions of a peer");
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        assert!(line.contains("=="), "{}: `{line}` names no version", path.display());
    }
}
