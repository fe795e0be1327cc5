//! Figures: drawn after a run, and from recordings.

use crate::support::{Directory, NETWORK};

fn svg(dir: &Directory, name: &str) -> String {
    let text = std::fs::read_to_string(dir.path(name)).unwrap();
    assert!(text.starts_with("<svg") || text.starts_with("<?xml"), "{}", &text[..50]);
    text
}

#[test]
fn a_run_draws_its_spikes_and_traces() {
    let dir = Directory::with(NETWORK);
    let ran = dir.run(&["run", "m.toml", "--plot", "p.svg"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.ends_with("  wrote p.svg\n"), "{}", ran.out);
    let text = svg(&dir, "p.svg");
    assert!(text.contains("cells") && text.contains("others") && text.contains("cells[3]"));
    assert_eq!(dir.names(), ["m.toml", "p.svg"]);
}

#[test]
fn a_figure_has_spikes_even_if_the_model_records_none() {
    let dir = Directory::with(&NETWORK.replace("spikes = \"all\"", "spikes = []"));
    let json = dir.json(&["m.toml", "--plot", "deep/er/p.svg"]);
    assert!(svg(&dir, "deep/er/p.svg").contains("others"));
    assert_eq!(json["spike_digest"], dir.json(&["m.toml"])["spike_digest"], "recording changes nothing");
}

#[test]
fn a_recording_is_drawn_as_its_run_would_have_been() {
    let dir = Directory::with(NETWORK);
    dir.json(&["m.toml", "--out", "o", "--plot", "p.svg"]);
    let ran = dir.run(&["plot", "o", "-o", "q.svg"]);
    assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (0, "q.svg\n", ""));
    assert_eq!(svg(&dir, "p.svg"), svg(&dir, "q.svg"));
    let ran = dir.run(&["plot", "o"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(std::fs::read(dir.path("o/plot.png")).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn what_is_no_recording_is_not_drawn() {
    let dir = Directory::with(NETWORK);
    for (recording, part) in [("nowhere", "run MODEL --out DIR"), ("m.toml", "m.toml")] {
        let ran = dir.run(&["plot", recording, "-o", "p.png"]);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""));
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    std::fs::create_dir(dir.path("o")).unwrap();
    std::fs::write(dir.path("o/manifest.json"), "{}").unwrap();
    assert_eq!(dir.run(&["plot", "o"]).status, 1);
    assert_eq!(dir.names(), ["m.toml", "o"]);
}
