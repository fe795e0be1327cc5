//! Models that are put together by calls: the fields of a model file, one by one.

use std::ffi::c_char;

use facade::Model;
use toml::{Table, Value};

use crate::call::{Failure, call, npl_error, npl_status};
use crate::handle::{Handle, Kind, change, free, look, make, slice, write};
use crate::model::{give, npl_model};
use crate::text::given;

/// A model that is being put together.
///
/// Every field of a model file has a path, its tables and its name joined by dots: `population.cells.size`. The
/// functions `npl_builder_set_*` set such a field; tables come into being on the way. A number in a path is a place in
/// a list of tables, counted from 0: `run.0.duration`. What is asked for is checked when the model is made.
pub struct npl_builder {
    name: String,
    root: Table,
}

impl Handle for npl_builder {
    const KIND: Kind = Kind::Builder;
    const NAME: &'static str = "npl_builder";
}

/// An empty model; `name` stands for its file in messages. Free it with `npl_builder_free`.
#[unsafe(no_mangle)]
pub extern "C" fn npl_builder_new(
    name: *const c_char,
    builder: *mut *mut npl_builder,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let new = make(npl_builder { name: given(name, "name")?.to_owned(), root: Table::new() });
        write(builder, "builder", new).inspect_err(|_| free(new))
    })
}

/// Sets a field to a text: a quantity with its unit, an expression, equations, code, or a name.
#[unsafe(no_mangle)]
pub extern "C" fn npl_builder_set_text(
    builder: *mut npl_builder,
    path: *const c_char,
    text: *const c_char,
    error: *mut *mut npl_error,
) -> npl_status {
    set(builder, path, error, || Ok(Value::String(given(text, "text")?.to_owned())))
}

/// Sets a field to a number without unit.
#[unsafe(no_mangle)]
pub extern "C" fn npl_builder_set_number(
    builder: *mut npl_builder,
    path: *const c_char,
    number: f64,
    error: *mut *mut npl_error,
) -> npl_status {
    set(builder, path, error, || Ok(Value::Float(number)))
}

/// Sets a field to a whole number.
#[unsafe(no_mangle)]
pub extern "C" fn npl_builder_set_integer(
    builder: *mut npl_builder,
    path: *const c_char,
    integer: i64,
    error: *mut *mut npl_error,
) -> npl_status {
    set(builder, path, error, || Ok(Value::Integer(integer)))
}

/// Sets a field to true or false.
#[unsafe(no_mangle)]
pub extern "C" fn npl_builder_set_flag(
    builder: *mut npl_builder,
    path: *const c_char,
    flag: bool,
    error: *mut *mut npl_error,
) -> npl_status {
    set(builder, path, error, || Ok(Value::Boolean(flag)))
}

/// Sets a field to a list of numbers, `length` of them, which are copied.
#[unsafe(no_mangle)]
pub extern "C" fn npl_builder_set_numbers(
    builder: *mut npl_builder,
    path: *const c_char,
    numbers: *const f64,
    length: usize,
    error: *mut *mut npl_error,
) -> npl_status {
    set(builder, path, error, || {
        Ok(Value::Array(slice(numbers, length, "numbers")?.iter().map(|x| Value::Float(*x)).collect()))
    })
}

/// Sets a field to a list of whole numbers, `length` of them, which are copied.
#[unsafe(no_mangle)]
pub extern "C" fn npl_builder_set_integers(
    builder: *mut npl_builder,
    path: *const c_char,
    integers: *const i64,
    length: usize,
    error: *mut *mut npl_error,
) -> npl_status {
    set(builder, path, error, || {
        Ok(Value::Array(slice(integers, length, "integers")?.iter().map(|x| Value::Integer(*x)).collect()))
    })
}

/// Sets a field to a list of pairs, `length` of them, which are copied: pre and post neurons for
/// `projection.NAME.connect.pairs`.
#[unsafe(no_mangle)]
pub extern "C" fn npl_builder_set_pairs(
    builder: *mut npl_builder,
    path: *const c_char,
    pre: *const u32,
    post: *const u32,
    length: usize,
    error: *mut *mut npl_error,
) -> npl_status {
    set(builder, path, error, || {
        let (pre, post) = (slice(pre, length, "pre")?, slice(post, length, "post")?);
        let pair =
            |(pre, post): (&u32, &u32)| Value::Array(vec![i64::from(*pre).into(), i64::from(*post).into()]);
        Ok(Value::Array(pre.iter().zip(post).map(pair).collect()))
    })
}

/// Sets a field to a list of texts, `length` of them, which are copied.
#[unsafe(no_mangle)]
pub extern "C" fn npl_builder_set_texts(
    builder: *mut npl_builder,
    path: *const c_char,
    texts: *const *const c_char,
    length: usize,
    error: *mut *mut npl_error,
) -> npl_status {
    set(builder, path, error, || {
        let texts = slice(texts, length, "texts")?.iter();
        let texts: Result<Vec<Value>, Failure> =
            texts.map(|text| Ok(Value::String(given(*text, "texts")?.to_owned()))).collect();
        Ok(Value::Array(texts?))
    })
}

/// The model as it is described so far. Diagnostics show its fields as lines of a model file.
///
/// `*model` becomes a new model, to be freed with `npl_model_free`; the builder can go on being used.
#[unsafe(no_mangle)]
pub extern "C" fn npl_builder_model(
    builder: *const npl_builder,
    model: *mut *mut npl_model,
    error: *mut *mut npl_error,
) -> npl_status {
    call(error, || {
        let builder = look(builder, "builder")?;
        let text = toml::to_string(&builder.root).map_err(|e| Failure::argument(e.to_string()))?;
        give(model, Model::parse(&builder.name, &text)?)
    })
}

/// Frees a builder; null is fine.
#[unsafe(no_mangle)]
pub extern "C" fn npl_builder_free(builder: *mut npl_builder) {
    free(builder);
}

fn set(
    builder: *mut npl_builder,
    path: *const c_char,
    error: *mut *mut npl_error,
    value: impl FnOnce() -> Result<Value, Failure>,
) -> npl_status {
    call(error, || {
        let builder = change(builder, "builder")?;
        let path = given(path, "path")?;
        put(&mut builder.root, path, value()?)
    })
}

/// Puts a value where a path says.
fn put(root: &mut Table, path: &str, value: Value) -> Result<(), Failure> {
    let mut parts: Vec<&str> = path.split('.').collect();
    let name = parts.pop().filter(|name| !name.is_empty() && !parts.contains(&"")).ok_or_else(|| {
        Failure::argument(format!("`{path}` is no path of a field, such as `population.cells.size`"))
    })?;
    let mut table = root;
    let mut parts = parts.into_iter().peekable();
    while let Some(part) = parts.next() {
        let taken = || Failure::argument(format!("`{path}`: `{part}` is a field already, not a table"));
        table = match parts.next_if(|next| next.parse::<usize>().is_ok()) {
            Some(place) => {
                let list = table.entry(part).or_insert(Value::Array(Vec::new()));
                let list = list.as_array_mut().ok_or_else(taken)?;
                entry(list, place).ok_or_else(|| {
                    Failure::argument(format!(
                        "`{path}`: the list `{part}` has no entry {place} yet, nor would it be the next"
                    ))
                })?
            }
            None => {
                let found = table.entry(part).or_insert(Value::Table(Table::new()));
                found.as_table_mut().ok_or_else(taken)?
            }
        };
    }
    table.insert(name.to_owned(), value);
    Ok(())
}

/// The table at a place in a list, or behind its end.
fn entry<'a>(list: &'a mut Vec<Value>, place: &str) -> Option<&'a mut Table> {
    let place: usize = place.parse().ok()?;
    if place == list.len() {
        list.push(Value::Table(Table::new()));
    }
    list.get_mut(place)?.as_table_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(root: &mut Table, path: &str) -> String {
        put(root, path, Value::Boolean(true))
            .map_or_else(|failure| failure.message().to_owned(), |()| "put".into())
    }

    #[test]
    fn paths_lead_through_tables_and_lists() {
        let mut root = Table::new();
        for (path, value) in
            [("dt", "1 ms"), ("run.0.duration", "1 s"), ("run.1.duration", "2 s"), ("a.b.c", "x")]
        {
            assert!(put(&mut root, path, Value::String(value.to_owned())).is_ok(), "{path}");
        }
        let expected =
            "dt = \"1 ms\"\n[[run]]\nduration = \"1 s\"\n[[run]]\nduration = \"2 s\"\n[a.b]\nc = \"x\"\n";
        assert_eq!(root, expected.parse::<Table>().unwrap_or_default());
    }

    #[test]
    fn paths_that_lead_nowhere_are_refused() {
        let mut root = Table::new();
        assert_eq!(message(&mut root, "dt"), "put");
        assert!(message(&mut root, "").contains("no path"));
        assert!(message(&mut root, "a..b").contains("no path"));
        assert!(message(&mut root, "dt.x").contains("`dt` is a field already"));
        assert!(message(&mut root, "run.1.duration").contains("`run` has no entry 1"));
    }
}
