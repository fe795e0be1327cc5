//! Lists of pairs from files, with further columns such as weights and delays.
//!
//! * CSV: text, one pair per line.
//! * NumPy arrays of shape (n, 2 or more), or structured arrays with fields `pre` and `post`.
//!
//! Without names, the first two columns are pre and post, the third is `weight`, the fourth `delay`,
//! and further ones are `column5`, `column6`, ...

mod csv;
mod npy;

use std::path::Path;

use crate::{ConnectError, Csr};

/// Columns of numbers by name.
pub type NamedColumns = Vec<(String, Vec<f64>)>;

/// A list of pairs, with further columns, in the order of the file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PairFile {
    /// The pairs (pre, post).
    pub pairs: Vec<(u32, u32)>,
    /// Further columns by name, each as long as the list, every value finite.
    pub columns: NamedColumns,
}

impl PairFile {
    /// Reads a file: NumPy if its name ends in `.npy`, otherwise CSV.
    ///
    /// # Errors
    /// [`ConnectError::Read`], [`ConnectError::File`] or [`ConnectError::FileRow`].
    pub fn read(path: &Path) -> Result<Self, ConnectError> {
        let bytes =
            std::fs::read(path).map_err(|source| ConnectError::Read { path: path.to_owned(), source })?;
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy")) {
            Self::from_npy(path, &bytes)
        } else {
            Self::from_csv(path, &bytes)
        }
    }

    /// Reads CSV text: `pre,post[,more]`, one pair per line. A header is optional; with one, columns may
    /// stand in any order, and pre and post are called `pre` and `post`, or `i` and `j`. Columns are
    /// separated by comma, semicolon or tab, whichever the first line has; `#` starts a comment.
    ///
    /// # Errors
    /// [`ConnectError::File`] or [`ConnectError::FileRow`], naming `path`.
    pub fn from_csv(path: &Path, bytes: &[u8]) -> Result<Self, ConnectError> {
        csv::read(path, bytes)
    }

    /// Reads a NumPy array.
    ///
    /// # Errors
    /// [`ConnectError::File`] or [`ConnectError::FileRow`], naming `path`.
    pub fn from_npy(path: &Path, bytes: &[u8]) -> Result<Self, ConnectError> {
        npy::read(path, bytes)
    }

    /// The structure, and the further columns in its canonical order.
    ///
    /// # Errors
    /// [`ConnectError::PairOutOfRange`] with the position in the list.
    pub fn connect(&self, n_pre: u32, n_post: u32) -> Result<(Csr, NamedColumns), ConnectError> {
        let (csr, order) = Csr::from_pairs_with_order(n_pre, n_post, &self.pairs)?;
        let column = |(name, values): &(String, Vec<f64>)| {
            let sorted = order.iter().filter_map(|&k| values.get(k as usize).copied()).collect();
            (name.clone(), sorted)
        };
        Ok((csr, self.columns.iter().map(column).collect()))
    }
}

/// Where pre, post and the other columns stand in a file.
struct Layout {
    pre: usize,
    post: usize,
    others: Vec<(usize, String)>,
}

impl Layout {
    /// The layout of columns without names.
    fn unnamed(n_columns: usize) -> Option<Self> {
        let name = |k| match k {
            2 => "weight".to_owned(),
            3 => "delay".to_owned(),
            _ => format!("column{}", k + 1),
        };
        (n_columns >= 2).then(|| Self {
            pre: 0,
            post: 1,
            others: (2..n_columns).map(|k| (k, name(k))).collect(),
        })
    }

    /// The layout of columns with these names.
    fn named(names: &[String]) -> Result<Self, String> {
        let find = |name: &str, short: &str| {
            names
                .iter()
                .position(|found| found == name || found == short)
                .ok_or_else(|| format!("no column is called `{name}`, only `{}`", names.join("`, `")))
        };
        let (pre, post) = (find("pre", "i")?, find("post", "j")?);
        let others = names.iter().cloned().enumerate().filter(|&(k, _)| k != pre && k != post).collect();
        Ok(Self { pre, post, others })
    }

    fn start(&self) -> PairFile {
        let columns = self.others.iter().map(|(_, name)| (name.clone(), Vec::new())).collect();
        PairFile { pairs: Vec::new(), columns }
    }

    /// Appends one row, whose columns `value` looks up.
    fn push(&self, file: &mut PairFile, value: impl Fn(usize) -> Result<f64, String>) -> Result<(), String> {
        let pair = (index(value(self.pre)?)?, index(value(self.post)?)?);
        for ((column, name), (_, values)) in self.others.iter().zip(&mut file.columns) {
            let number = value(*column)?;
            if !number.is_finite() {
                return Err(format!("`{name}` is `{number}`, not a finite number"));
            }
            values.push(number);
        }
        file.pairs.push(pair);
        Ok(())
    }
}

/// A number as the index of a neuron.
fn index(number: f64) -> Result<u32, String> {
    if (0.0..=f64::from(u32::MAX)).contains(&number) && number.floor() == number {
        Ok(number as u32)
    } else {
        Err(format!("`{number}` is not the index of a neuron"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_follow_their_pairs_into_canonical_order() {
        let file = PairFile {
            pairs: vec![(1, 0), (0, 2), (1, 1)],
            columns: vec![("weight".to_owned(), vec![10.0, 20.0, 30.0])],
        };
        let (csr, columns) = file.connect(2, 3).unwrap();
        assert!(csr.pairs().eq([(0, 2), (1, 0), (1, 1)]));
        assert_eq!(columns, [("weight".to_owned(), vec![20.0, 10.0, 30.0])]);
        assert!(file.connect(2, 2).is_err());
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = PairFile::read(Path::new("no/such/file.csv")).unwrap_err();
        assert!(error.to_string().starts_with("cannot read `no/such/file.csv`"), "{error}");
    }
}
