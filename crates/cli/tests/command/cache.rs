//! Compiled kernels that are kept from one run to the next.

use std::process::Command;

use crate::support::{Directory, NETWORK};

/// Runs the program with a cache of its own.
fn neuropil(dir: &Directory, args: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_neuropil"))
        .args(args)
        .current_dir(dir.path("."))
        .env("XDG_CACHE_HOME", dir.path("caches"))
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

fn kernels(dir: &Directory) -> Vec<std::path::PathBuf> {
    let folder = dir.path("caches").join("neuropil").join("kernels");
    let Ok(list) = std::fs::read_dir(folder) else { return Vec::new() };
    list.map(|e| e.unwrap().path()).collect()
}

fn digest(text: &str) -> String {
    text.lines().find(|line| line.contains("spike_digest")).unwrap().to_owned()
}

#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn kernels_are_kept_and_removed() {
    let dir = Directory::new();
    std::fs::write(dir.path("m.toml"), NETWORK).unwrap();
    let run = ["run", "m.toml", "--duration", "10 ms", "--json"];
    let (fine, without) = neuropil(&dir, &[&run[..], &["--no-cache"]].concat());
    assert!(fine && kernels(&dir).is_empty(), "{without}");
    assert!(neuropil(&dir, &["cache", "--info"]).1.contains(" 0 kernels, 0 KiB of at most 64 MiB"));

    let (fine, first) = neuropil(&dir, &run);
    assert!(fine && digest(&first) == digest(&without), "{first}");
    if neuropil(&dir, &["info"]).1.contains("kernels   block") {
        return; // Without AVX2 there is no machine code to be kept.
    }
    let kept = kernels(&dir);
    assert!(!kept.is_empty());
    let times: Vec<_> = kept.iter().map(|p| p.metadata().unwrap().modified().unwrap()).collect();

    // The second run writes nothing: it found all that it needed.
    let (fine, second) = neuropil(&dir, &run);
    assert!(fine && digest(&second) == digest(&without), "{second}");
    assert_eq!(kernels(&dir).len(), kept.len());
    assert!(kept.iter().zip(&times).all(|(p, t)| p.metadata().unwrap().modified().unwrap() == *t));

    // Damaged entries are made anew.
    for path in &kept {
        std::fs::write(path, b"npl-kern and nothing else").unwrap();
    }
    let (fine, third) = neuropil(&dir, &run);
    assert!(fine && digest(&third) == digest(&without), "{third}");
    assert!(kept.iter().all(|p| p.metadata().unwrap().len() > 100));

    let (fine, text) = neuropil(&dir, &["cache", "--clear"]);
    assert!(fine && text.starts_with(&format!("removed {} kernel", kept.len())), "{text}");
    assert!(kernels(&dir).is_empty());
}

#[test]
fn one_of_the_flags_is_needed() {
    let dir = Directory::new();
    let (fine, text) = neuropil(&dir, &["cache"]);
    assert!(!fine && text.contains("--info"), "{text}");
}
