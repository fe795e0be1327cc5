//! Recordings that were not finished: still being written, dropped, killed, or stopped by a full disk.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::*;

/// Steps of [`fill`] that fill many blocks of every recorder and grow every file.
const STEPS: i64 = 60_000;

/// The variable that says where the other process records.
const PLACE: &str = "NEUROPIL_RECORD_PLACE";

#[test]
#[ignore = "the other process of tests in this file; alone it does nothing"]
fn another_process_records_and_waits() {
    let Some(dir) = std::env::var_os(PLACE) else { return };
    let mut sink = match FileSink::create(dir.as_ref(), specs(), run()) {
        Ok(sink) => sink,
        Err(error) => return println!("error: {error}"),
    };
    for step in 0..STEPS {
        if let Err(error) = push(&mut sink, step) {
            return println!("error: {error}");
        }
    }
    if let Err(error) = sink.flush() {
        return println!("error: {error}");
    }
    std::thread::sleep(Duration::from_secs(120));
}

/// Starts [`another_process_records_and_waits`], after a line of shell.
fn start(before: &str, dir: &Path) -> Child {
    let exe = std::env::current_exe().unwrap();
    Command::new("sh")
        .args(["-c", &format!("{before}\nexec \"$0\" \"$@\"")])
        .arg(exe)
        .args(["--ignored", "--exact", "--nocapture", "interrupted::another_process_records_and_waits"])
        .env(PLACE, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn an_unfinished_recording_is_readable_and_leaves_the_earlier_one_alone() {
    let dir = Directory::new();
    write(&dir.0, 50);
    let mut sink = FileSink::create(&dir.0, specs(), run()).unwrap();
    fill(&mut sink, 30_000);
    check(&Recording::open(&dir.0).unwrap(), 50);
    // Whole blocks are there while the run goes on; which ones depends on the writer.
    let so_far = Recording::open_partial(&dir.0).unwrap();
    assert!(so_far.spikes("s").unwrap().i.len() <= 60_000);
    drop(sink);
    check(&Recording::open(&dir.0).unwrap(), 50);
    let partial = Recording::open_partial(&dir.0).unwrap();
    assert!(!partial.manifest().complete && partial.is_partial());
    check(&partial, 30_000);
    for name in dir.names().iter().filter(|name| !name.ends_with(".partial")) {
        fs::remove_file(dir.0.join(name)).unwrap();
    }
    check(&Recording::open(&dir.0).unwrap(), 30_000);
}

#[test]
fn a_partial_recording_ends_where_its_shortest_file_ends() {
    let dir = Directory::new();
    let mut sink = FileSink::create(&dir.0, specs(), run()).unwrap();
    fill(&mut sink, 10);
    drop(sink);
    let times = dir.0.join("s.t.npy.partial");
    let text = fs::read(&times).unwrap();
    let shorter = text.iter().map(|b| *b as char).collect::<String>().replacen("(20,)", "(14,)", 1);
    fs::write(&times, shorter.chars().map(|c| c as u8).collect::<Vec<_>>()).unwrap();
    let train = Recording::open(&dir.0).unwrap().spikes("s").unwrap();
    assert_eq!((train.t_s.len(), train.i.len()), (14, 14));
}

#[test]
fn a_new_recording_moves_an_unfinished_one_aside() {
    let dir = Directory::new();
    write(&dir.0, 50);
    fs::write(dir.0.join("figure.png.partial"), "mine").unwrap();
    for n in 1..=2 {
        let mut sink = FileSink::create(&dir.0, specs(), run()).unwrap();
        fill(&mut sink, 10 * n);
        drop(sink);
    }
    // The first is aside since the second began.
    check(&Recording::open(&dir.0.join("interrupted-1")).unwrap(), 10);
    check(&Recording::open_partial(&dir.0).unwrap(), 20);
    let mut sink = FileSink::create(&dir.0, vec![spikes("s")], run()).unwrap();
    assert_eq!(sink.moved_aside(), Some(dir.0.join("interrupted-2").as_path()));
    check(&Recording::open(&dir.0.join("interrupted-2")).unwrap(), 20);
    check(&Recording::open(&dir.0).unwrap(), 50);
    sink.finish().unwrap();
    assert_eq!(
        dir.names(),
        ["figure.png.partial", "interrupted-1", "interrupted-2", "manifest.json", "s.i.npy", "s.t.npy"]
    );
}

#[test]
fn an_unfinished_recording_of_nothing_is_not_kept() {
    let dir = Directory::new();
    for _ in 0..3 {
        let sink = FileSink::create(&dir.0, specs(), run()).unwrap();
        assert_eq!(sink.moved_aside(), None);
    }
    assert!(dir.names().iter().all(|name| name.ends_with(".partial")));
}

#[test]
fn a_recording_that_was_killed_while_it_renamed_is_moved_whole() {
    let dir = Directory::new();
    write(&dir.0, 50);
    for name in ["manifest.json", "s.t.npy", "x.v.npy"] {
        fs::rename(dir.0.join(name), dir.0.join(format!("{name}.partial"))).unwrap();
    }
    check(&Recording::open(&dir.0).unwrap(), 50);
    FileSink::create(&dir.0, specs(), run()).unwrap().finish().unwrap();
    check(&Recording::open(&dir.0.join("interrupted-1")).unwrap(), 50);
    check(&Recording::open(&dir.0).unwrap(), 0);
}

#[test]
fn two_recordings_into_one_directory_are_refused() {
    let dir = Directory::new();
    let mut sink = FileSink::create(&dir.0, specs(), run()).unwrap();
    fill(&mut sink, 10);
    let message = FileSink::create(&dir.0, specs(), run()).unwrap_err().to_string();
    let expected = format!(
        "another recording is being written into `{}`; `r.hz.npy.partial` is in use",
        dir.0.display()
    );
    assert_eq!(message, expected);
    sink.finish().unwrap();
    check(&Recording::open(&dir.0).unwrap(), 10);
}

#[cfg(unix)]
#[test]
fn what_a_killed_process_wrote_is_readable_and_survives_the_next_run() {
    let dir = Directory::new();
    let mut child = start("", &dir.0);
    let n_spikes = || Recording::open_partial(&dir.0).ok()?.spikes("s").ok().map(|train| train.i.len());
    let n_rates = || Recording::open_partial(&dir.0).ok()?.rate("r").ok().map(|rate| rate.t_s.len());
    let start = Instant::now();
    // The writer's last block is of the last recorder, whose last file is the rate.
    while (n_spikes(), n_rates()) != (Some(2 * STEPS as usize), Some(STEPS as usize)) {
        assert!(start.elapsed() < Duration::from_secs(100), "{:?}", (n_spikes(), n_rates()));
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    check(&Recording::open(&dir.0).unwrap(), STEPS as usize);
    let path = dir.0.join("s.i.npy.partial");
    let (n_data, n_file) = (128 + 8 * STEPS as u64, fs::metadata(&path).unwrap().len());
    assert!(n_file > n_data, "{n_file} bytes: a killed process leaves its reserved room");
    let i = npyz::NpyFile::new(fs::File::open(&path).unwrap()).unwrap().into_vec::<i32>().unwrap();
    assert_eq!(i.len(), 2 * STEPS as usize);

    write(&dir.0, 7);
    check(&Recording::open(&dir.0).unwrap(), 7);
    check(&Recording::open(&dir.0.join("interrupted-1")).unwrap(), STEPS as usize);
}

/// A limit on the size of files stands in for a full disk: the operating system refuses room in the same place.
/// Without the trap the limit would be a signal too.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_leaves_the_earlier_recording_alone() {
    let dir = Directory::new();
    write(&dir.0, 50);
    let output = start("trap '' XFSZ; ulimit -f 512", &dir.0).wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let (_, message) = text.split_once("error: ").unwrap();
    assert!(message.starts_with(&format!("cannot write `{}", dir.0.display())), "{message}");
    assert!(message.contains("File too large"), "{message}");
    check(&Recording::open(&dir.0).unwrap(), 50);
    let n_rows = Recording::open_partial(&dir.0).unwrap().rate("r").unwrap().t_s.len();
    assert!(n_rows > 1000, "{n_rows}");

    let nothing = start("trap '' XFSZ; ulimit -f 1", &dir.0).wait_with_output().unwrap();
    let text = String::from_utf8(nothing.stdout).unwrap();
    assert!(text.contains("error: cannot write"), "{text}");
    check(&Recording::open(&dir.0).unwrap(), 50);
    let aside = Recording::open(&dir.0.join("interrupted-1")).unwrap();
    assert_eq!(aside.rate("r").unwrap().t_s.len(), n_rows);

    // What could not even begin holds nothing, and is not kept.
    write(&dir.0, 60);
    check(&Recording::open(&dir.0).unwrap(), 60);
    assert!(!dir.0.join("interrupted-2").exists());
}
