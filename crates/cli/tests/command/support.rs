//! Directories, models and ways to run the program, for all tests of this program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// A small network with everything random in it: initial values, connections, weights, delays, noise.
pub(crate) const NETWORK: &str = r#"
dt = "0.1 ms"
duration = "100 ms"
seed = 5

[constants]
tau = "10 ms"
drive = "12 mV"

[neuron.lif]
equations = "dv/dt = (drive - v)/tau + 1*mV*xi*tau**-0.5 : volt (unless refractory)"
threshold = "v > 10*mV"
reset = "v = 0*mV"
refractory = "2 ms"

[synapse.kick]
equations = "w : volt"
on_pre = "v_post += w"

[population.cells]
neuron = "lif"
size = 60
initial.v = "rand()*10*mV"

[population.others]
neuron = "lif"
size = 20

[projection.chain]
synapse = "kick"
source = "cells"
target = "others"
connect = { rule = "fixed_probability", p = 0.2 }
weight = "rand()*2*mV"
delay = "1*ms + i*0.1*ms"

[record]
spikes = "all"
[record.state.traces]
of = "cells"
variables = ["v"]
neurons = [0, 3]
"#;

/// A directory of its own for each test, removed in the end.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A directory with one model in it, `m.toml`.
    pub(crate) fn with(model: &str) -> Self {
        let directory = Self::new();
        fs::write(directory.path("m.toml"), model).unwrap();
        directory
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What is in it, in alphabetical order.
    pub(crate) fn names(&self) -> Vec<String> {
        names(&self.0)
    }

    /// The program, to be run in this directory.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_neuropil"));
        command.current_dir(&self.0).args(arguments);
        command
    }

    /// Runs the program in this directory.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    /// Runs the program, which must end well, and reads the object that it prints.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[&["run"], arguments, &["--json"]].concat());
        assert_eq!(ran.status, 0, "{arguments:?}: {}", ran.err);
        serde_json::from_str(&ran.out).expect("one JSON object")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What is in a directory, in alphabetical order.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What the program said, and how it ended.
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ran = Self {
            // Ended by a signal: no status that a test could expect.
            status: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        };
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        assert!(!ran.err.contains('\x1b'), "colours without a terminal: {}", ran.err);
        ran
    }
}
