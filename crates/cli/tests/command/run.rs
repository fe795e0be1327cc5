//! `run` that ends well: what it prints, what it writes, and that nothing but the model decides the result.

use neuropil_record::{RecorderKind, Recording};

use crate::support::{Directory, NETWORK, names};

#[test]
fn a_run_says_on_one_screen_what_it_did() {
    let dir = Directory::with(NETWORK);
    let ran = dir.run(&["run", "m.toml", "--out", "o"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let first = ran.out.lines().next().unwrap_or_default();
    assert!(
        first.starts_with("m: 80 neurons, ") && first.ends_with(" 100 ms in 1000 steps of 100 us"),
        "{first}"
    );
    for part in ["  cells ", "  others ", " spikes ", " Hz\n", " real time\n", "spike digest ", "  wrote o\n"]
    {
        assert!(ran.out.contains(part), "{part:?} is missing in {}", ran.out);
    }
    assert_eq!(ran.err, "");
}

#[test]
fn a_verbose_run_says_how_projections_are_stored() {
    let dir = Directory::with(NETWORK);
    let ran = dir.run(&["run", "m.toml", "--verbose", "--duration", "1ms"]);
    assert!(ran.err.contains("note: projection `chain`: "), "{}", ran.err);
}

#[test]
fn a_quiet_run_says_nothing() {
    let dir = Directory::with(NETWORK);
    let ran = dir.run(&["run", "m.toml", "--quiet", "--duration", "1ms"]);
    assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    assert_eq!(dir.names(), ["m.toml"], "nothing is written unless asked for");
}

#[test]
fn the_json_object_has_every_field_and_its_numbers_agree() {
    let dir = Directory::with(NETWORK);
    let arguments =
        ["m.toml", "--duration", "50 ms", "--dt", "0.05ms", "--seed", "9", "-j", "2", "--precision", "f32"];
    let json = dir.json(&arguments);
    assert_eq!(json["model"], "m");
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["neurons"], 80);
    assert_eq!(json["steps"], 1000);
    assert_eq!(json["threads"], 2);
    assert_eq!(json["seed"], 9);
    assert_eq!(json["precision"], "f32");
    assert_eq!(json["backend"], "cpu");
    assert_eq!(json["complete"], true);
    assert!((100..400).contains(&json["synapses"].as_u64().unwrap()), "{json}");
    let number = |name: &str| json[name].as_f64().unwrap_or(f64::NAN);
    assert!((number("dt_s") - 5e-5).abs() < 1e-15);
    assert!((number("duration_s") - 0.05).abs() < 1e-12);
    for positive in ["build_s", "compile_s", "run_s"] {
        assert!(number(positive) > 0.0, "{positive}");
    }
    assert!(json["run_cpu_s"].is_null() || number("run_cpu_s") > 0.0, "{json}");
    assert!((number("real_time_factor") - number("run_s") / number("duration_s")).abs() < 1e-9);
    assert!(json["peak_rss_bytes"].is_null() || json["peak_rss_bytes"].as_u64() > Some(1 << 20));
    assert_eq!(json["spike_digest"].as_str().map(str::len), Some(16));
    for (population, n) in [("cells", 60.0), ("others", 20.0)] {
        let spikes = json["spikes"][population].as_f64().unwrap();
        let rate = json["rate_hz"][population].as_f64().unwrap();
        assert!((rate - spikes / n / 0.05).abs() < 1e-9, "{population}");
    }
    assert!(json["spikes"]["cells"].as_u64() > Some(0));
}

#[test]
fn threads_and_backends_do_not_change_a_spike() {
    let dir = Directory::with(NETWORK);
    for precision in ["f64", "f32"] {
        let digest = |more: &[&str]| {
            let json = dir.json(&[&["m.toml", "--precision", precision], more].concat());
            (json["spike_digest"].clone(), json["spikes"].clone())
        };
        let one = digest(&["-j", "1"]);
        assert_eq!(one, digest(&["-j", "2"]));
        assert_eq!(one, digest(&["-j", "5"]));
        assert_eq!(one, digest(&["--backend", "auto"]));
        assert_eq!(
            one,
            digest(&["--backend", "cpu", "--out", "o", "--plot", "p.svg"]),
            "recording changes nothing"
        );
        assert_eq!(one, digest(&["--backend", "interp"]));
        assert_ne!(one, digest(&["--seed", "6"]));
    }
}

#[test]
fn a_recording_holds_what_the_summary_counts() {
    let dir = Directory::with(NETWORK);
    let json = dir.json(&["m.toml", "--out", "deep/er"]);
    let recording = Recording::open(&dir.path("deep/er")).unwrap();
    let manifest = recording.manifest();
    assert!(manifest.complete && !recording.is_partial());
    assert_eq!((manifest.run.model.as_str(), manifest.run.seed), ("m", 5));
    assert!((manifest.run.duration_s - 0.1).abs() < 1e-12);
    let mut seen = 0;
    for spec in &manifest.recorders {
        match &spec.kind {
            RecorderKind::Spikes { population, .. } => {
                let train = recording.spikes(&spec.name).unwrap();
                assert_eq!(Some(train.i.len() as u64), json["spikes"][population].as_u64());
                seen += 1;
            }
            RecorderKind::State { indices, .. } => {
                assert_eq!(indices, &[0, 3]);
                let trace = recording.trace(&spec.name, "v").unwrap();
                assert_eq!((trace.t_s.len(), trace.unit.as_str()), (1000, "volt"));
                seen += 1;
            }
            RecorderKind::Rate { .. } => {}
        }
    }
    assert_eq!(seen, 3);
    assert!(names(&dir.path("deep/er")).iter().all(|name| !name.ends_with(".partial")));
}

#[test]
fn changes_on_the_command_line_take_effect() {
    let dir = Directory::with(NETWORK);
    let spikes = |more: &[&str]| dir.json(&[&["m.toml"], more].concat())["spikes"]["cells"].as_u64();
    assert_eq!(spikes(&["--set", "drive=-50 mV"]), Some(0));
    assert!(spikes(&["--set", "drive = 40*mV", "--set", "tau=5ms"]) > spikes(&[]));
    let json = dir.json(&["m.toml", "--set", "population.cells.size=7", "--set", "seed=3", "--seed", "4"]);
    assert_eq!((&json["neurons"], &json["seed"]), (&27.into(), &4.into()));
}

#[test]
fn a_model_without_neurons_that_spike_runs_too() {
    let rate = r#"
        [neuron.rate]
        equations = "dr/dt = (1 - r)/(10*ms) : 1"
        [population.cells]
        neuron = "rate"
        size = 3
        [record.state.r]
        of = "cells"
        variables = "r"
    "#;
    let dir = Directory::with(rate);
    let json = dir.json(&["m.toml", "--duration", "5ms", "--plot", "p.png"]);
    assert_eq!((&json["neurons"], &json["spikes"]), (&3.into(), &serde_json::json!({})));
    assert_eq!(dir.names(), ["m.toml", "p.png"]);
    let text = dir.run(&["run", "m.toml", "--duration", "1s", "--set", "seed=2"]);
    assert_eq!(text.status, 0, "{}", text.err);
}
