//! The C library: installing it, and the programs that test what was installed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::command::{Failure, cargo, root, run, target};

/// What the static library needs of the system.
const SYSTEM_LIBRARIES: &[&str] = if cfg!(target_os = "linux") {
    &["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"]
} else {
    &["-lm", "-lc"]
};

/// Warnings are errors in programs that show how the header is used.
const STRICT: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-g", "-O1"];

/// Programs of the folder `bindings/c`: their language, and what they are given.
const PROGRAMS: &[(&str, &[&str])] = &[
    ("examples/lif.c", &[]),
    ("examples/closed_loop.c", &[]),
    ("examples/cuba.cpp", &["models/cuba.toml"]),
    ("tests/interface.c", &[]),
    ("tests/misuse.c", &[]),
];

/// `cargo xtask install-c PREFIX`
pub(crate) fn install(arguments: &[String]) -> Result<(), Failure> {
    let [prefix] = arguments else {
        return Err(Failure::Usage("`install-c` takes the folder to install to".to_owned()));
    };
    let prefix = root().join(prefix);
    // Together with the command, so that what both need is compiled once: on its own each asks for other features of
    // the packages that they share.
    run(cargo(&["build", "--release", "--package", "neuropil-c", "--package", "neuropil-cli"]))?;
    let here = root().join("bindings/c");
    for folder in ["include", "lib/pkgconfig"] {
        written(&prefix.join(folder), fs::create_dir_all(prefix.join(folder)))?;
    }
    copy(&here.join("include/neuropil.h"), &prefix.join("include/neuropil.h"))?;
    let built = target().join("release");
    let libraries =
        [format!("{}neuropil{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX), "libneuropil.a".into()];
    for library in libraries {
        copy(&built.join(&library), &prefix.join("lib").join(&library))?;
    }
    let template = here.join("neuropil.pc.in");
    let text = fs::read_to_string(&template).map_err(|e| wrong(&template, &e))?;
    let text = text
        .replace("@PREFIX@", &prefix.display().to_string())
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        .replace("@LIBS@", &SYSTEM_LIBRARIES.join(" "));
    let file = prefix.join("lib/pkgconfig/neuropil.pc");
    written(&file, fs::write(&file, text))?;
    println!("installed to {}", prefix.display());
    Ok(())
}

/// Installs the library into the build folder, and compiles and runs every program twice: with the shared library, and
/// with the static one and sanitizers, which also tell memory that nobody frees.
pub(crate) fn suite() -> Vec<Command> {
    let prefix = target().join("c");
    let mut commands = vec![cargo(&["xtask", "install-c", &prefix.display().to_string()])];
    for (program, arguments) in PROGRAMS {
        let source = root().join("bindings/c").join(program);
        let name = program.replace(['/', '.'], "-");
        for sanitized in [false, true] {
            let made = prefix.join(if sanitized { format!("{name}-sanitized") } else { name.clone() });
            commands.push(compile(&source, &prefix, &made, sanitized));
            let mut execute = Command::new(&made);
            execute.args(*arguments).current_dir(root());
            if sanitized {
                // It would go on otherwise, and end with 0.
                execute.env("UBSAN_OPTIONS", "halt_on_error=1");
            }
            commands.push(execute);
        }
    }
    commands
}

fn compile(source: &Path, prefix: &Path, made: &Path, sanitized: bool) -> Command {
    let plus_plus = source.extension().is_some_and(|e| e == "cpp");
    let (variable, name, standard) =
        if plus_plus { ("CXX", "c++", "-std=c++17") } else { ("CC", "cc", "-std=c11") };
    let mut command = Command::new(env::var(variable).unwrap_or_else(|_| name.to_owned()));
    command.arg(standard).args(STRICT).arg("-I").arg(prefix.join("include")).arg(source).arg("-o").arg(made);
    let library: PathBuf = prefix.join("lib");
    if sanitized {
        command.arg("-fsanitize=address,undefined").arg(library.join("libneuropil.a")).args(SYSTEM_LIBRARIES);
    } else {
        command.arg("-L").arg(&library).arg("-lneuropil").arg(format!("-Wl,-rpath,{}", library.display()));
        command.args(["-lpthread", "-lm"]);
    }
    command
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    written(to, fs::copy(from, to).map(|_| ()))
}

fn written(path: &Path, done: std::io::Result<()>) -> Result<(), Failure> {
    done.map_err(|e| wrong(path, &e))
}

fn wrong(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Wrong(format!("`{}`: {error}", path.display()))
}
