//! Files that include others.
#![allow(clippy::expect_used, reason = "a test may panic")]

use std::path::Path;

use neuropil_source::{read_file, read_str};

#[test]
fn included_files_come_first_and_once_and_settings_of_the_including_file_win() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/include");
    let (network, diagnostics) = read_file(&folder.join("main.toml"));
    assert!(diagnostics.is_empty(), "{}", diagnostics.render(&network.files));
    assert_eq!(network.name, "main");
    let constants: Vec<&str> = network.constants.iter().map(|c| c.name.value.as_str()).collect();
    assert_eq!(constants, ["tau", "fast"], "a constant may use those of included files");
    assert_eq!(network.settings.dt.as_ref().map(|t| t.text.as_str()), Some("0.2 ms"));
    assert_eq!(network.settings.duration.as_ref().map(|t| t.text.as_str()), Some("1 second"));
    assert!(network.record.spikes.is_specified());
    let file = network.inputs[0].file.as_ref().expect("a file");
    assert_eq!(file.value, folder.join("parts/spikes.csv"), "paths are relative to the file that has them");
    // Spans know their file.
    let equations = network.neurons[0].equations.as_ref().expect("equations");
    let place = network.files.place(equations.span);
    assert!(place.ends_with("parts/neurons.toml:4:14"), "{place}");
}

#[test]
fn a_file_that_is_not_there_is_a_diagnostic() {
    let (network, diagnostics) = read_file(Path::new("no/such/model.toml"));
    assert_eq!(diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["unreadable-file"]);
    assert!(diagnostics.render(&network.files).contains("cannot read `no/such/model.toml`"));
    let (_, diagnostics) = read_file(Path::new("/"));
    assert_eq!(diagnostics.len(), 1, "a folder is no model");
}

#[test]
fn files_of_other_systems_are_read_as_they_are() {
    let text = "\u{feff}dt = \"0.1 ms\"\r\n[neuron.lif]\r\nequations = '''\r\ndv/dt = -v/tau : 1\r\n'''\r\n";
    let (network, diagnostics) = read_str("m.toml", text);
    assert!(diagnostics.is_empty(), "{}", diagnostics.render(&network.files));
    let equations = network.neurons[0].equations.as_ref().expect("equations");
    let start = equations.text.find("-v").expect("the text");
    assert_eq!(&text[equations.span_of(start..start + 2).range()], "-v");
}
