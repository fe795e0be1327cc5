//! Goes on with a recording that another process began.
//!
//! The directory may hold one that was killed (files with temporary names, longer than any mark), one that was killed
//! while it renamed its files, or one that ended in order (final names), as after Ctrl-C. All files are opened, and so
//! locked, and looked at before anything changes. Then all of them have temporary names again, and everything is as if
//! this process had recorded what lies before the mark.

use std::fs;
use std::path::Path;

use crate::file::{Parts, layouts, partial};
use crate::manifest::MANIFEST;
use crate::mark::Lineage;
use crate::writer::Output;
use crate::{FileSink, Manifest, Mark, RecordError, RecorderKind, RecorderSpec, RunInfo};

impl FileSink {
    /// Opens the recording in `dir`, of this process or another one, forgets everything after the mark, and goes on. The
    /// files are in the end, byte for byte, those of a recording that was never interrupted.
    ///
    /// The mark is one of [`settle`](Self::settle). `run` and `specs` are those that the recording was created with;
    /// only the duration may be another one.
    ///
    /// # Errors
    /// [`RecordError::Differs`] for a recording of something else, [`RecordError::Mark`] if it holds less than the mark
    /// counts, [`RecordError::Busy`] if somebody is recording, and what the operating system refuses. In all these
    /// cases but the last nothing has changed.
    pub fn resume(
        dir: &Path,
        specs: Vec<RecorderSpec>,
        run: RunInfo,
        mark: &Mark,
    ) -> Result<Self, RecordError> {
        let layouts = layouts(&specs, &run)?;
        let (unfinished, finished) = (partial(&dir.join(MANIFEST)), dir.join(MANIFEST));
        let began = unfinished.exists();
        let manifest = Manifest::read(if began { &unfinished } else { &finished })?;
        agree(dir, &manifest, &specs, &run)?;
        if mark.rows().len() != specs.len() {
            let n = mark.rows().len();
            let message = format!("it counts `{n}` recorders, and there are {}", specs.len());
            return Err(RecordError::Mark { message });
        }
        let mut outputs = Vec::new();
        // A manifest that counts rows is that of a process that had begun to rename.
        let renaming = !began || manifest.files.iter().any(|e| e.shape.first().is_some_and(|n| *n > 0));
        let mut n_final = 0_usize;
        for (columns, n_rows) in layouts.iter().zip(mark.rows()) {
            let mut files = Vec::new();
            for column in columns {
                let last = dir.join(&column.file);
                let temporary = partial(&last);
                let renamed = renaming && !temporary.exists();
                n_final += usize::from(renamed);
                files.push(Output::open(dir, if renamed { &last } else { &temporary }, column, *n_rows)?);
            }
            outputs.push(files);
        }
        if !began {
            // From here on the directory looks as if the process had been killed while it renamed.
            fs::copy(&finished, &unfinished).map_err(|e| RecordError::io("write", &unfinished, e))?;
        }
        outputs.iter_mut().flatten().try_for_each(Output::hide)?;
        if n_final > 0 && finished.exists() {
            fs::remove_file(&finished).map_err(|e| RecordError::io("remove", &finished, e))?;
        }
        Self::start(Parts { dir, specs, run, layouts, outputs, lineage: Lineage::resumed(mark) })
    }
}

/// Refuses to go on with a recording of something else, and names the first thing that differs.
fn agree(dir: &Path, manifest: &Manifest, specs: &[RecorderSpec], run: &RunInfo) -> Result<(), RecordError> {
    let differs = |what: String, recorded: String, asked: String| {
        Err(RecordError::Differs { dir: dir.to_owned(), what, recorded, asked })
    };
    let old = &manifest.run;
    let facts = [
        ("model", old.model.clone(), run.model.clone()),
        ("seed", old.seed.to_string(), run.seed.to_string()),
        ("step in seconds", old.dt_s.to_string(), run.dt_s.to_string()),
        ("precision", old.precision.to_string(), run.precision.to_string()),
    ];
    for (what, recorded, asked) in facts {
        if recorded != asked {
            return differs(what.to_owned(), recorded, asked);
        }
    }
    let mut populations = old.populations.iter().zip(&run.populations);
    if let Some((a, b)) = populations.find(|(a, b)| a != b) {
        let text = |p: &crate::PopulationInfo| format!("{} of {}", p.name, p.n);
        return differs("population".to_owned(), text(a), text(b));
    }
    let (n_old, n_new) = (old.populations.len(), run.populations.len());
    if n_old != n_new {
        return differs("number of populations".to_owned(), n_old.to_string(), n_new.to_string());
    }
    for (a, b) in manifest.recorders.iter().zip(specs) {
        if a.name != b.name {
            return differs("recorder".to_owned(), a.name.clone(), b.name.clone());
        }
        if a.dt_s != b.dt_s {
            let what = format!("step of recorder `{}` in seconds", a.name);
            return differs(what, a.dt_s.to_string(), b.dt_s.to_string());
        }
        if a.kind != b.kind {
            return differs(format!("recorder `{}`", a.name), describe(&a.kind), describe(&b.kind));
        }
    }
    let (n_old, n_new) = (manifest.recorders.len(), specs.len());
    if n_old != n_new {
        return differs("number of recorders".to_owned(), n_old.to_string(), n_new.to_string());
    }
    Ok(())
}

/// What a recorder records, in a few words that differ if the recorders do, as far as a line can hold it.
fn describe(kind: &RecorderKind) -> String {
    match kind {
        RecorderKind::Spikes { population, event, first, n } => {
            format!("{event} of {n} neurons of {population} from {first} on")
        }
        RecorderKind::State { object, variables, indices, period_steps } => {
            let names: Vec<String> =
                variables.iter().map(|v| format!("{} ({}, {})", v.name, v.ty.name(), v.unit)).collect();
            let n = indices.len();
            format!("{} of {n} elements of {object} every {period_steps} steps", names.join(", "))
        }
        RecorderKind::Rate { population, n, period_steps } => {
            format!("rate of {n} neurons of {population} in windows of {period_steps} steps")
        }
    }
}
