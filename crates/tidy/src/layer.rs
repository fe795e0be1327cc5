//! Layering: a crate depends only on crates above it in the root manifest, and says why it needs a foreign one.
//!
//! Development dependencies are free: tests may look at everything.

use toml::{Table, Value};

use crate::{Problem, Repository};

/// The root manifest.
const ROOT: &str = "Cargo.toml";

/// One dependency of a crate that it needs to be built.
struct Dependency {
    /// The key in the manifest.
    key: String,
    /// The package it names.
    package: String,
    /// Whether the root manifest holds the rest of it.
    inherited: bool,
}

/// A crate of the workspace.
struct Member {
    folder: String,
    package: String,
    dependencies: Vec<Dependency>,
}

/// Crates that depend on a crate below them in the list of members.
#[must_use]
pub fn upward(repository: &Repository) -> Vec<Problem> {
    let (members, mut problems) = members(repository);
    for (k, member) in members.iter().enumerate() {
        for dependency in &member.dependencies {
            let Some(other) = members.iter().position(|m| m.package == dependency.package) else { continue };
            if other >= k {
                let what = format!(
                    "`{}` depends on `{}`, which stands below it in the list of members",
                    member.package, dependency.package
                );
                problems.push(Problem::file(&manifest(&member.folder), what));
            }
        }
    }
    problems
}

/// Crates in the tree that the workspace does not list.
#[must_use]
pub fn unlisted(repository: &Repository) -> Vec<Problem> {
    let (members, _) = members(repository);
    let excluded = |folder: &str| folder == "fuzz";
    repository
        .ending("/Cargo.toml")
        .filter_map(|(path, _)| Some((path, path.strip_suffix("/Cargo.toml")?)))
        .filter(|(_, folder)| !excluded(folder) && !members.iter().any(|m| m.folder == *folder))
        .map(|(path, _)| Problem::file(path, "this crate is not a member of the workspace"))
        .collect()
}

/// Foreign packages without a word on why they are here.
///
/// The word is a comment on the dependency's line or right above it, in the crate's manifest or, for a dependency
/// that says `workspace = true`, in the root manifest.
#[must_use]
pub fn unexplained(repository: &Repository) -> Vec<Problem> {
    let (members, mut problems) = members(repository);
    let ours = |package: &str| members.iter().any(|m| m.package == package);
    let root = repository.text(ROOT).unwrap_or_default();
    for member in &members {
        let path = manifest(&member.folder);
        let text = repository.text(&path).unwrap_or_default();
        for Dependency { key, package, inherited } in &member.dependencies {
            let explained = explained(text, key) || (*inherited && explained(root, key));
            if !ours(package) && !explained {
                problems.push(Problem::file(&path, format!("no comment says why `{key}` is needed")));
            }
        }
    }
    problems
}

/// The members in their order, with the manifests that could not be understood.
fn members(repository: &Repository) -> (Vec<Member>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut table = |path: &str| {
        let text = repository.text(path).unwrap_or_default();
        text.parse::<Table>().map_err(|error| problems.push(Problem::file(path, error.to_string()))).ok()
    };
    let root = table(ROOT).unwrap_or_default();
    let workspace = |name: &str| root.get("workspace").and_then(|w| w.get(name));
    let folders = workspace("members").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut members = Vec::new();
    for folder in folders.iter().filter_map(Value::as_str) {
        let Some(manifest) = table(&manifest(folder)) else { continue };
        let package = manifest.get("package").and_then(|p| p.get("name")).and_then(Value::as_str);
        members.push(Member {
            folder: folder.to_owned(),
            package: package.unwrap_or_default().to_owned(),
            dependencies: dependencies(&manifest),
        });
    }
    if members.is_empty() {
        problems.push(Problem::file(ROOT, "there are no members"));
    }
    (members, problems)
}

/// What the crate needs to be built, on any target.
fn dependencies(manifest: &Table) -> Vec<Dependency> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
    std::iter::once(manifest)
        .chain(tables)
        .flat_map(|table| [table.get("dependencies"), table.get("build-dependencies")])
        .flatten()
        .filter_map(Value::as_table)
        .flatten()
        .map(|(key, value)| Dependency {
            key: key.clone(),
            package: value.get("package").and_then(Value::as_str).unwrap_or(key).to_owned(),
            inherited: value.get("workspace").and_then(Value::as_bool) == Some(true),
        })
        .collect()
}

/// Whether the line that defines `key` ends in a comment or stands under one.
fn explained(manifest: &str, key: &str) -> bool {
    let lines: Vec<&str> = manifest.lines().map(str::trim).collect();
    let defines = |line: &str| {
        let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        name.trim_matches('"') == key || line == format!("[dependencies.{key}]")
    };
    lines.iter().enumerate().filter(|(_, line)| defines(line)).any(|(k, line)| {
        let above = k.checked_sub(1).and_then(|k| lines.get(k));
        line.contains(" #") || above.is_some_and(|above| above.starts_with('#'))
    })
}

fn manifest(folder: &str) -> String {
    format!("{folder}/Cargo.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: &str = "
[workspace]
members = [\"a\", \"b\"]
[workspace.dependencies]
serde = \"1\" # reads files
toml = \"1\"
";

    fn repository(a: &str, b: &str) -> Repository {
        let a = format!("[package]\nname = \"np-a\"\n{a}");
        let b = format!("[package]\nname = \"np-b\"\n{b}");
        Repository::of([(ROOT, WORKSPACE), ("a/Cargo.toml", &a), ("b/Cargo.toml", &b)])
    }

    fn count(problems: &[Problem]) -> usize {
        problems.len()
    }

    #[test]
    fn a_crate_may_depend_on_those_above_it_only() {
        let down = "[dependencies]\nnp-a = { path = \"../a\" }";
        let up = "[dependencies]\nnp-b = { path = \"../b\" }";
        let build = "[build-dependencies]\nother = { package = \"np-b\", path = \"../b\" }";
        let target = "[target.'cfg(unix)'.dependencies]\nnp-b.workspace = true";
        let test = "[dev-dependencies]\nnp-b = { path = \"../b\" }";
        assert_eq!(count(&upward(&repository("", down))), 0);
        assert_eq!(count(&upward(&repository(test, ""))), 0);
        for a in [up, build, target] {
            assert_eq!(count(&upward(&repository(a, ""))), 1, "{a}");
        }
    }

    #[test]
    fn a_foreign_package_needs_a_reason() {
        let reasons = [
            ("[dependencies]\nserde.workspace = true", 0),
            ("[dependencies]\ntoml = { workspace = true }", 1),
            ("[dependencies]\n# Reads manifests.\ntoml = { workspace = true }", 0),
            ("[dependencies]\nlibc = \"1\" # talks to the system", 0),
            ("[dependencies]\nlibc = \"1\"", 1),
            ("[dependencies.libc]\nversion = \"1\"", 1),
            ("[dependencies]\nnp-a = { path = \"../a\" }", 0),
        ];
        for (b, expected) in reasons {
            assert_eq!(count(&unexplained(&repository("", b))), expected, "{b}");
        }
    }

    #[test]
    fn every_crate_is_a_member() {
        let stray = Repository::of([(ROOT, WORKSPACE), ("c/Cargo.toml", "")]);
        assert_eq!(count(&unlisted(&stray)), 1);
    }

    #[test]
    fn a_broken_manifest_is_a_problem() {
        assert!(count(&upward(&Repository::of([(ROOT, "[")]))) > 0);
    }
}
