//! `cargo xtask models`: every shipped model runs for a short time, and thread counts agree.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::{Failure, cargo, output, program, root, run, target};

/// Long enough for every shipped model to spike or to move, short enough for all of them in a minute.
const DURATION: &str = "50 ms";

/// `cargo xtask models [NAME]...`
pub(crate) fn models(names: &[String]) -> Result<(), Failure> {
    let files = chosen(names)?;
    run(cargo(&["build", "--release", "--package", "neuropil-cli"]))?;
    for file in files {
        let one = summary(&file, 1)?;
        let two = summary(&file, 2)?;
        if one.digest != two.digest {
            return Err(Failure::Wrong(format!(
                "`{}` spikes differently with 1 and with 2 threads: `{}`, `{}`",
                file.display(),
                one.digest,
                two.digest
            )));
        }
        println!("{}: {} neurons, {} steps, digest {}", file.display(), one.neurons, one.steps, one.digest);
    }
    Ok(())
}

/// The model files, relative to the root, in alphabetical order.
fn chosen(names: &[String]) -> Result<Vec<PathBuf>, Failure> {
    let folder = root().join("models");
    let unreadable = |error| Failure::Wrong(format!("cannot read the folder `models`: {error}"));
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let path = Path::new("models").join(name);
        if path.extension().is_some_and(|e| e == "toml") {
            all.push(path);
        }
    }
    all.sort();
    if all.is_empty() {
        return Err(Failure::Wrong("there is no model in `models`".to_owned()));
    }
    let is = |path: &Path, name: &String| path.file_stem().is_some_and(|stem| stem == name.as_str());
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|path| is(path, name))) {
        return Err(Failure::Usage(format!("there is no model `models/{unknown}.toml`")));
    }
    all.retain(|path| names.is_empty() || names.iter().any(|name| is(path, name)));
    Ok(all)
}

/// What a run says about itself, as far as it is held here.
struct Summary {
    neurons: u64,
    steps: u64,
    digest: String,
}

fn summary(model: &Path, threads: u32) -> Result<Summary, Failure> {
    let mut command = program(binary());
    command.arg("run").arg(model).args(["--duration", DURATION, "--json"]);
    command.args(["-j", &threads.to_string()]);
    let text = output(command)?;
    understood(&text).map_err(|what| Failure::Wrong(format!("`{}`: {what}", model.display())))
}

/// Where cargo puts the release build of the command.
fn binary() -> PathBuf {
    target().join("release").join(format!("neuropil{}", std::env::consts::EXE_SUFFIX))
}

/// Reads the one JSON object of a run, and holds that something was simulated.
fn understood(text: &str) -> Result<Summary, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("no JSON object: {error}"))?;
    let number = |name: &str| match value.get(name).and_then(Value::as_u64) {
        Some(0) => Err(format!("`{name}` is 0")),
        Some(n) => Ok(n),
        None => Err(format!("`{name}` is no count: {}", value.get(name).unwrap_or(&Value::Null))),
    };
    let digest = value.get("spike_digest").and_then(Value::as_str).filter(|digest| !digest.is_empty());
    Ok(Summary {
        neurons: number("neurons")?,
        steps: number("steps")?,
        digest: digest.ok_or("there is no `spike_digest`")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_neurons_steps_or_digest_is_wrong() {
        let wrong = |text: &str| understood(text).err().unwrap_or_default();
        assert_eq!(wrong(r#"{"neurons": 0, "steps": 1, "spike_digest": "a"}"#), "`neurons` is 0");
        assert_eq!(wrong(r#"{"neurons": 1, "spike_digest": "a"}"#), "`steps` is no count: null");
        assert_eq!(wrong(r#"{"neurons": 1, "steps": 1, "spike_digest": ""}"#), "there is no `spike_digest`");
        assert!(wrong("").starts_with("no JSON object"));
        let right = understood(r#"{"neurons": 4000, "steps": 500, "spike_digest": "1f"}"#);
        assert_eq!(right.ok().map(|s| (s.neurons, s.steps, s.digest)), Some((4000, 500, "1f".to_owned())));
    }
}
