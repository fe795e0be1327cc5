//! Pairs as text, one per line.
//!
//! A table of numbers needs none of CSV's quoting rules, except that some programs put quotes around
//! names; what it needs is the right line number in every message.

use std::path::Path;

use super::{Layout, PairFile};
use crate::ConnectError;

pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<PairFile, ConnectError> {
    let at =
        |line, message| ConnectError::FileRow { path: path.to_owned(), unit: "line", row: line, message };
    let mut table: Option<Table> = None;
    for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        let text =
            std::str::from_utf8(line).map_err(|_| at(number, "this is not text in UTF-8".to_owned()))?;
        // A file from Windows may begin with a byte order mark.
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        match &mut table {
            None => table = Some(Table::start(text).map_err(|message| at(number, message))?),
            Some(table) => table.push(text).map_err(|message| at(number, message))?,
        }
    }
    Ok(table.map(|table| table.file).unwrap_or_default())
}

struct Table {
    separator: char,
    n_columns: usize,
    layout: Layout,
    file: PairFile,
}

impl Table {
    /// From the first line: a header if its first column is not a number.
    fn start(text: &str) -> Result<Self, String> {
        let separator = text.chars().find(|c| [',', ';', '\t'].contains(c)).unwrap_or(',');
        let columns: Vec<String> = split(text, separator).map(str::to_owned).collect();
        let is_header = columns.first().is_some_and(|first| first.parse::<f64>().is_err());
        let layout = if is_header {
            Layout::named(&columns)?
        } else {
            Layout::unnamed(columns.len()).ok_or("a pair needs two columns")?
        };
        let file = layout.start();
        let mut table = Self { separator, n_columns: columns.len(), layout, file };
        if !is_header {
            table.push(text)?;
        }
        Ok(table)
    }

    fn push(&mut self, text: &str) -> Result<(), String> {
        let columns: Vec<&str> = split(text, self.separator).collect();
        if columns.len() != self.n_columns {
            let (found, expected) = (columns.len(), self.n_columns);
            return Err(format!("`{found}` columns, but the first line has `{expected}`"));
        }
        self.layout.push(&mut self.file, |column| {
            let text = columns.get(column).copied().unwrap_or_default();
            text.parse::<f64>().map_err(|_| format!("`{text}` is not a number"))
        })
    }
}

fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    text.split(separator).map(|column| column.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<PairFile, String> {
        read(Path::new("net.csv"), text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_header_is_optional() {
        let file = parse("0,1\n2,3\n").unwrap();
        assert_eq!(file.pairs, [(0, 1), (2, 3)]);
        assert_eq!(parse("pre,post\n0,1\n2, 3").unwrap(), file);
        assert_eq!(parse("# from a script\ni;j\n0;1\n\n2;3").unwrap(), file);
        assert_eq!(parse("\u{feff}\"pre\",\"post\"\r\n0,1\r\n  \r\n2,3\r\n").unwrap(), file);
        assert_eq!(parse("0.000e+00\t1.0\n2\t3\n").unwrap(), file);
        assert_eq!(parse("").unwrap(), PairFile::default());
        assert_eq!(parse("pre,post\n").unwrap(), PairFile::default());
    }

    #[test]
    fn further_columns_keep_their_names() {
        let file = parse("weight,post,pre,delay\n0.5,1,0,1e-3\n-2,3,2,0\n").unwrap();
        assert_eq!(file.pairs, [(0, 1), (2, 3)]);
        let expected = [("weight".to_owned(), vec![0.5, -2.0]), ("delay".to_owned(), vec![1e-3, 0.0])];
        assert_eq!(file.columns, expected);
        let names: Vec<_> = parse("0,1,2,3,4").unwrap().columns.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["weight", "delay", "column5"]);
    }

    #[test]
    fn mistakes_name_their_line() {
        let error = |text| parse(text).unwrap_err();
        assert_eq!(error("0,1\n2,x\n"), "`net.csv`, line 2: `x` is not a number");
        assert_eq!(error("0,1\n#\n\n2,-1\n"), "`net.csv`, line 4: `-1` is not the index of a neuron");
        assert_eq!(error("0,1.5"), "`net.csv`, line 1: `1.5` is not the index of a neuron");
        assert_eq!(error("0,1\n2"), "`net.csv`, line 2: `1` columns, but the first line has `2`");
        assert_eq!(error("7\n"), "`net.csv`, line 1: a pair needs two columns");
        assert_eq!(error("0,1,nan"), "`net.csv`, line 1: `weight` is `NaN`, not a finite number");
        assert_eq!(error("a,b\n0,1"), "`net.csv`, line 1: no column is called `pre`, only `a`, `b`");
        assert_eq!(error("0,4294967296"), "`net.csv`, line 1: `4294967296` is not the index of a neuron");
        assert!(read(Path::new("x"), b"0,1\n\xff,2").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, text in "[0-9,;.#\\n\"ij-]{0,40}") {
            for input in [bytes.as_slice(), text.as_bytes()] {
                if let Ok(file) = read(Path::new("x"), input) {
                    prop_assert!(file.columns.iter().all(|(_, values)| values.len() == file.pairs.len()));
                }
            }
        }
    }
}
