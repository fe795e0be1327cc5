//! Lists of numbers with a unit, written in the model or read from a CSV or NPY file.

use std::path::Path;

use neuropil_base::{Diagnostic, Diagnostics, Span, Text};
use neuropil_source::Numbers;
use neuropil_units::{Dimension, Quantity, Unit, lookup_symbol};

use crate::code;

/// A unit that numbers are given in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    unit: Option<Unit>,
    factor: f64,
    pub(crate) dimension: Dimension,
}

impl Scale {
    /// Numbers without unit.
    pub(crate) const NONE: Self = Self { unit: None, factor: 1.0, dimension: Dimension::NONE };

    /// The unit that `text` names, such as `mV` or `nS/cm2`; a diagnostic if it names none.
    pub(crate) fn of(text: Option<&Text>, out: &mut Diagnostics) -> Option<Self> {
        let Some(text) = text else { return Some(Self::NONE) };
        let name = text.text.trim();
        if let Some(unit) = lookup_symbol(name) {
            return Some(Self { unit: Some(unit), factor: unit.scale, dimension: unit.dimension });
        }
        // `1` is no unit that can follow a number.
        let whole = if name == "1" { "1".to_owned() } else { format!("1 {name}") };
        match Quantity::parse(&whole) {
            Ok(q) => Some(Self { unit: None, factor: q.value, dimension: q.dimension }),
            Err(error) => {
                let mut d = Diagnostic::error(code::UNKNOWN_UNIT, text.span, error.to_string());
                d.help.extend(error.help());
                out.push(d);
                None
            }
        }
    }

    /// `x` of this unit in SI base units.
    pub(crate) fn apply(self, x: f64) -> f64 {
        match self.unit {
            Some(unit) => unit.apply(x),
            None => x * self.factor,
        }
    }

    /// How much of the SI base unit it is.
    pub(crate) fn factor(self) -> f64 {
        self.factor
    }
}

/// That every number is finite; the place is said if one is not.
pub(crate) fn all_finite(numbers: &Numbers, out: &mut Diagnostics) -> bool {
    none(numbers, |x| !x.is_finite(), out)
}

/// That every number is one, infinite or not; the place is said if one is NaN.
pub(crate) fn all_numbers(numbers: &Numbers, out: &mut Diagnostics) -> bool {
    none(numbers, f64::is_nan, out)
}

fn none(numbers: &Numbers, wrong: impl Fn(f64) -> bool, out: &mut Diagnostics) -> bool {
    match numbers.values.iter().position(|x| wrong(*x)) {
        None => true,
        Some(at) => {
            out.push(Diagnostic::error(
                code::RANGE,
                numbers.span,
                format!("value {at} of the list is `{}`", numbers.values[at]),
            ));
            false
        }
    }
}

/// The numbers of a CSV or NPY file; `span` is where the file is named.
pub(crate) fn read_numbers(path: &Path, span: Span, out: &mut Diagnostics) -> Option<Numbers> {
    let result = match path.extension().and_then(|e| e.to_str()) {
        Some("npy") => read_npy(path),
        Some(_) | None => read_csv(path),
    };
    match result {
        Ok((columns, values)) => Some(Numbers { columns, values, span }),
        Err(message) => {
            out.push(
                Diagnostic::error(code::FILE, span, format!("cannot use `{}`: {message}", path.display()))
                    .help("a CSV file holds one row of numbers per line; an NPY file one or two dimensions"),
            );
            None
        }
    }
}

/// Columns, if there is more than one, and values row after row.
type Rows = (Option<usize>, Vec<f64>);

fn read_npy(path: &Path) -> Result<Rows, String> {
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    let file = npyz::NpyFile::new(bytes.as_slice()).map_err(|e| e.to_string())?;
    let shape = file.shape().to_vec();
    let columns = match shape.as_slice() {
        [] | [_] => None,
        [_, columns] => Some(usize::try_from(*columns).map_err(|e| e.to_string())?),
        _ => return Err(format!("it has {} dimensions", shape.len())),
    };
    if file.order() == npyz::Order::Fortran && columns.is_some_and(|c| c > 1) {
        return Err("it is stored column by column; save it in C order".to_owned());
    }
    let values = npy_values(&bytes)?;
    Ok((columns, values))
}

/// The elements of an NPY file as doubles, whatever number type it has.
fn npy_values(bytes: &[u8]) -> Result<Vec<f64>, String> {
    macro_rules! first_that_fits {
        ($($ty:ty),*) => {$(
            let file = npyz::NpyFile::new(bytes).map_err(|e| e.to_string())?;
            if let Ok(data) = file.data::<$ty>() {
                return data.map(|x| x.map(|x| x as f64).map_err(|e| e.to_string())).collect();
            }
        )*};
    }
    first_that_fits!(f64, f32, i64, i32, u64, u32, i16, u16, i8, u8);
    Err("its elements are no numbers".to_owned())
}

fn read_csv(path: &Path) -> Result<Rows, String> {
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let mut width = None;
    let mut values = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> =
            line.split([',', ';', '\t', ' ']).map(str::trim).filter(|c| !c.is_empty()).collect();
        let row: Result<Vec<f64>, _> = cells.iter().map(|c| c.parse::<f64>()).collect();
        match row {
            Ok(row) => {
                if *width.get_or_insert(row.len()) != row.len() {
                    return Err(format!(
                        "line {} has {} numbers, those above have more or fewer",
                        number + 1,
                        row.len()
                    ));
                }
                values.extend(row);
            }
            // A first line of names.
            Err(_) if values.is_empty() && width.is_none() => {}
            Err(_) => return Err(format!("line {} is no row of numbers", number + 1)),
        }
    }
    Ok((width.filter(|w| *w > 1), values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_lists_may_be_composed() {
        let mut out = Diagnostics::new();
        let scale = Scale::of(Some(&"nS/cm2".into()), &mut out).unwrap();
        assert_eq!(scale.dimension, Dimension::SIEMENS.div(Dimension::METRE2));
        let scale = Scale::of(Some(&"ms".into()), &mut out).unwrap();
        assert_eq!(scale.apply(0.1), 1e-4);
        assert!(out.is_empty());
        assert!(Scale::of(Some(&"mz".into()), &mut out).is_none());
    }

    #[test]
    fn a_csv_file_may_have_names_above_its_numbers() {
        let path = std::env::temp_dir().join("neuropil-sema-values.csv");
        std::fs::write(&path, "i,t\n0, 1.5\n1, 2\n").unwrap();
        assert_eq!(read_csv(&path), Ok((Some(2), vec![0.0, 1.5, 1.0, 2.0])));
        std::fs::write(&path, "1\n2\n").unwrap();
        assert_eq!(read_csv(&path), Ok((None, vec![1.0, 2.0])));
        std::fs::write(&path, "1 2\n3\n").unwrap();
        assert!(read_csv(&path).is_err());
        std::fs::remove_file(&path).unwrap();
    }
}
