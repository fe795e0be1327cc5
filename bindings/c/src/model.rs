//! Models: read, changed, checked and printed.

use std::ffi::c_char;

use facade::{Model, Precision, Stage};

use crate::call::{Failure, call, hand_over_report, npl_error, npl_status, report};
use crate::handle::{Handle, Kind, change, free, look, make, write};
use crate::text::{given, npl_text};

/// A model as it was typed.
pub struct npl_model {
    pub(crate) model: Model,
}

impl Handle for npl_model {
    const KIND: Kind = Kind::Model;
    const NAME: &'static str = "npl_model";
}

/// Reads a model file and the files that it includes. Its grammar is checked, not yet its meaning.
///
/// `*model` becomes a new model, to be freed with `npl_model_free`.
#[unsafe(no_mangle)]
pub extern "C" fn npl_model_read(
    path: *const c_char,
    model: *mut *mut npl_model,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let read = Model::read(given(path, "path")?)?;
        give(model, read)
    })
}

/// Reads the text of a model file; `name` stands for the file in messages.
///
/// `*model` becomes a new model, to be freed with `npl_model_free`.
#[unsafe(no_mangle)]
pub extern "C" fn npl_model_parse(
    name: *const c_char,
    text: *const c_char,
    model: *mut *mut npl_model,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let parsed = Model::parse(given(name, "name")?, given(text, "text")?)?;
        give(model, parsed)
    })
}

/// Hands a model over.
pub(crate) fn give(place: *mut *mut npl_model, model: Model) -> Result<(), Failure> {
    let model = make(npl_model { model });
    write(place, "model", model).inspect_err(|_| free(model))
}

/// Changes one value, as `--set` does: `taum=10ms` for a constant, `population.cells.size=100` for a field, `seed=3`
/// or `precision=f32` for a setting.
#[unsafe(no_mangle)]
pub extern "C" fn npl_model_set(
    model: *mut npl_model,
    assignment: *const c_char,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || Ok(change(model, "model")?.model.set(given(assignment, "assignment")?)?))
}

/// Changes the seed of all random numbers.
#[unsafe(no_mangle)]
pub extern "C" fn npl_model_set_seed(
    model: *mut npl_model,
    seed: u64,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        change(model, "model")?.model.set_seed(seed);
        Ok(())
    })
}

/// Changes the type of real variables: `f32` or `f64`.
#[unsafe(no_mangle)]
pub extern "C" fn npl_model_set_precision(
    model: *mut npl_model,
    precision: *const c_char,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let precision = match given(precision, "precision")? {
            "f32" => Precision::F32,
            "f64" => Precision::F64,
            other => return Err(Failure::argument(format!("`{other}` is no precision: `f32` or `f64`"))),
        };
        change(model, "model")?.model.set_precision(precision);
        Ok(())
    })
}

/// Checks everything that can be said without building the network: names, units, types, integrators.
///
/// Returns `NPL_OK` or `NPL_MODEL`. `*found` holds all mistakes and warnings, and is null if there are none; it is to
/// be freed with `npl_error_free` in both cases.
#[unsafe(no_mangle)]
pub extern "C" fn npl_model_check(model: *const npl_model, found: *mut *mut npl_error) -> npl_status {
    let mut wrong = npl_status::NPL_OK;
    let mut said = None;
    let status = call(found, || {
        let model = &look(model, "model")?.model;
        let diagnostics = model.check();
        if !diagnostics.is_empty() {
            let report = report(diagnostics, model.source().files.clone());
            wrong = report.status();
            said = Some(report);
        }
        Ok(())
    });
    if let Some(report) = said {
        hand_over_report(found, report);
    }
    if status == npl_status::NPL_OK { wrong } else { status }
}

/// The model as it is after a stage: `source`, `ast`, `model`, `step`, `ir`, `plan` or `dot`.
///
/// `*text` becomes a new text, to be freed with `npl_text_free`.
#[unsafe(no_mangle)]
pub extern "C" fn npl_model_emit(
    model: *const npl_model,
    stage: *const c_char,
    text: *mut *mut npl_text,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let name = given(stage, "stage")?;
        let stage = Stage::from_name(name).ok_or_else(|| {
            let known: Vec<&str> = Stage::ALL.iter().map(|s| s.name()).collect();
            Failure::argument(format!("`{name}` is no stage: {}", known.join(", ")))
        })?;
        let emitted = make(npl_text::new(&look(model, "model")?.model.emit(stage)?));
        write(text, "text", emitted).inspect_err(|_| free(emitted))
    })
}

/// Frees a model; null is fine. Simulations of it go on without it.
#[unsafe(no_mangle)]
pub extern "C" fn npl_model_free(model: *mut npl_model) {
    free(model);
}
