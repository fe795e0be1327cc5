//! Pairs as a NumPy array.
//!
//! The format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>, versions 1 to 3.
//! It is read here by hand, without recursion and with checked sizes, because a file of a user must
//! not be able to make a reader panic.

use std::path::Path;

use super::{Layout, PairFile};
use crate::ConnectError;

pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<PairFile, ConnectError> {
    let table =
        Table::parse(bytes).map_err(|message| ConnectError::File { path: path.to_owned(), message })?;
    let mut file = table.layout.start();
    for row in 0..table.n_rows {
        table.layout.push(&mut file, |column| table.value(row, column)).map_err(|message| {
            ConnectError::FileRow { path: path.to_owned(), unit: "row", row: row as u64, message }
        })?;
    }
    Ok(file)
}

/// One kind of number.
#[derive(Clone, Copy)]
struct Kind {
    code: u8,
    size: usize,
    big_endian: bool,
}

impl Kind {
    fn parse(text: &str) -> Result<Self, String> {
        let refused = || format!("values of type `{text}` cannot be read, only integers and floats");
        let &[order, code, size] = text.as_bytes() else { return Err(refused()) };
        let kind = Self { code, size: usize::from(size.wrapping_sub(b'0')), big_endian: order == b'>' };
        let known = match code {
            b'i' | b'u' => matches!(kind.size, 1 | 2 | 4 | 8),
            b'f' => matches!(kind.size, 4 | 8),
            _ => false,
        };
        if known && b"<>|=".contains(&order) { Ok(kind) } else { Err(refused()) }
    }

    /// The number that these bytes, `size` of them, stand for.
    fn decode(self, bytes: &[u8]) -> f64 {
        let mut wide = [0_u8; 8];
        for (k, slot) in wide.iter_mut().take(self.size).enumerate() {
            let from = if self.big_endian { self.size - 1 - k } else { k };
            *slot = bytes.get(from).copied().unwrap_or(0);
        }
        let bits = u64::from_le_bytes(wide);
        let unused = 64 - 8 * self.size as u32;
        match (self.code, self.size) {
            (b'f', 4) => f64::from(f32::from_bits(bits as u32)),
            (b'f', _) => f64::from_bits(bits),
            (b'i', _) => (((bits << unused) as i64) >> unused) as f64,
            _ => bits as f64,
        }
    }
}

/// A column: where its values stand.
struct Column {
    kind: Kind,
    /// Byte of the first value.
    first: usize,
    /// Bytes from one value to the next.
    stride: usize,
}

struct Table<'a> {
    data: &'a [u8],
    n_rows: usize,
    columns: Vec<Column>,
    layout: Layout,
}

impl<'a> Table<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let (header, data) = split(bytes).ok_or("this is not a NumPy file (.npy)")?;
        let missing = |key: &str| format!("the header has no valid `{key}`");
        let shape = value_of(header, "shape").and_then(parse_shape).ok_or_else(|| missing("shape"))?;
        let descr = value_of(header, "descr").ok_or_else(|| missing("descr"))?;
        let fortran = value_of(header, "fortran_order").ok_or_else(|| missing("fortran_order"))?;
        let table = if descr.starts_with('[') {
            Self::structured(data, &shape, descr)?
        } else {
            let kind = Kind::parse(quoted(descr).ok_or_else(|| missing("descr"))?.0)?;
            Self::plain(data, &shape, kind, fortran.starts_with("True"))?
        };
        table.check_size()?;
        Ok(table)
    }

    fn plain(data: &'a [u8], shape: &[usize], kind: Kind, fortran: bool) -> Result<Self, String> {
        let wrong = || format!("an array of shape {shape:?} is not a list of pairs (n, 2)");
        let &[n_rows, n_columns] = shape else { return Err(wrong()) };
        if n_columns > MAX_COLUMNS {
            return Err(wrong());
        }
        let layout = Layout::unnamed(n_columns).ok_or_else(wrong)?;
        let column_bytes = kind.size.checked_mul(n_rows).ok_or_else(wrong)?;
        let column = |k: usize| match fortran {
            true => k.checked_mul(column_bytes).map(|first| Column { kind, first, stride: kind.size }),
            false => Some(Column { kind, first: k * kind.size, stride: n_columns * kind.size }),
        };
        let columns = (0..n_columns).map(column).collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
        Ok(Self { data, n_rows, columns, layout })
    }

    fn structured(data: &'a [u8], shape: &[usize], descr: &str) -> Result<Self, String> {
        let &[n_rows] = shape else {
            return Err(format!("a structured array of shape {shape:?} is not a list of pairs (n,)"));
        };
        let fields = parse_fields(descr).ok_or("nested fields cannot be read")?;
        let names: Vec<String> = fields.iter().map(|(name, _)| (*name).to_owned()).collect();
        let layout = Layout::named(&names)?;
        let kinds = fields.iter().map(|(_, kind)| Kind::parse(kind)).collect::<Result<Vec<_>, _>>()?;
        let stride = kinds.iter().map(|kind| kind.size).sum();
        let mut first = 0;
        let columns = kinds
            .into_iter()
            .map(|kind| {
                let column = Column { kind, first, stride };
                first += kind.size;
                column
            })
            .collect();
        Ok(Self { data, n_rows, columns, layout })
    }

    /// Checks that the last value of every column is there.
    fn check_size(&self) -> Result<(), String> {
        let Some(last) = self.n_rows.checked_sub(1) else { return Ok(()) };
        let there = self.columns.iter().all(|column| {
            let end = last
                .checked_mul(column.stride)
                .and_then(|at| at.checked_add(column.first + column.kind.size));
            end.is_some_and(|end| end <= self.data.len())
        });
        if there { Ok(()) } else { Err(format!("the file ends before its `{}` rows", self.n_rows)) }
    }

    fn value(&self, row: usize, column: usize) -> Result<f64, String> {
        let place = self.columns.get(column);
        let bytes = place.and_then(|c| self.data.get(c.first + row * c.stride..)?.get(..c.kind.size));
        match (place, bytes) {
            (Some(place), Some(bytes)) => Ok(place.kind.decode(bytes)),
            (None, _) | (_, None) => Err("the file ends too early".to_owned()),
        }
    }
}

/// More columns than this are no list of pairs.
const MAX_COLUMNS: usize = 1024;

/// Header text and data.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (&[major, _minor], rest) = rest.split_first_chunk()?;
    let (length, rest) = if major == 1 {
        let (length, rest) = rest.split_first_chunk()?;
        (usize::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk()?;
        (usize::try_from(u32::from_le_bytes(*length)).ok()?, rest)
    };
    let (header, data) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

/// What follows `'key':` in the header.
fn value_of<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    ["'", "\""].iter().find_map(|quote| {
        let (_, rest) = header.split_once(&format!("{quote}{key}{quote}"))?;
        Some(rest.trim_start().strip_prefix(':')?.trim_start())
    })
}

/// The string in quotes at the start of a text, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    ["'", "\""].iter().find_map(|quote| text.strip_prefix(quote)?.split_once(quote))
}

fn parse_shape(text: &str) -> Option<Vec<usize>> {
    let (inside, _) = text.strip_prefix('(')?.split_once(')')?;
    let sizes =
        inside.split(',').map(|size| size.trim().trim_end_matches('L')).filter(|size| !size.is_empty());
    sizes.map(|size| size.parse().ok()).collect()
}

/// Fields `('name', 'type')` of a list.
fn parse_fields(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut fields = Vec::new();
    let mut rest = text.strip_prefix('[')?.trim_start();
    while !rest.starts_with(']') {
        let (name, after) = quoted(rest.strip_prefix('(')?.trim_start())?;
        let (kind, after) = quoted(after.trim_start().strip_prefix(',')?.trim_start())?;
        let after = after.trim_start();
        let after = after.strip_prefix(',').unwrap_or(after).trim_start();
        rest = after.strip_prefix(')')?.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        fields.push((name, kind));
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn parse(header: &str, data: &[u8]) -> Result<PairFile, String> {
        read(Path::new("net.npy"), &file(header, data)).map_err(|error| error.to_string())
    }

    #[test]
    fn integers_of_any_size_and_order_are_read() {
        let pairs = [(0, 1), (2, 300), (5, 6)];
        let flat: Vec<i64> = pairs.iter().flat_map(|&(a, b)| [i64::from(a), i64::from(b)]).collect();
        let little: Vec<u8> = flat.iter().flat_map(|v| v.to_le_bytes()).collect();
        let header = "{'descr': '<i8', 'fortran_order': False, 'shape': (3, 2), }    \n";
        assert_eq!(parse(header, &little).unwrap().pairs, pairs);
        let big: Vec<u8> = flat.iter().flat_map(|&v| (v as u16).to_be_bytes()).collect();
        let header = "{\"shape\": (3L, 2L), \"descr\": \">u2\", \"fortran_order\": False}";
        assert_eq!(parse(header, &big).unwrap().pairs, pairs);
        let fortran: Vec<u8> = [0, 2, 5, 1, 300, 6].iter().flat_map(|v: &i32| v.to_le_bytes()).collect();
        let header = "{'descr': '<i4', 'fortran_order': True, 'shape': (3, 2)}";
        assert_eq!(parse(header, &fortran).unwrap().pairs, pairs);
    }

    #[test]
    fn floats_carry_further_columns() {
        let data: Vec<u8> =
            [0.0, 1.0, 0.5, 2.0, 3.0, -0.25].iter().flat_map(|v: &f64| v.to_le_bytes()).collect();
        let file = parse("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}", &data).unwrap();
        assert_eq!(file.pairs, [(0, 1), (2, 3)]);
        assert_eq!(file.columns, [("weight".to_owned(), vec![0.5, -0.25])]);
    }

    #[test]
    fn structured_arrays_name_their_columns() {
        let mut data = Vec::new();
        for (delay, pre, post) in [(1.5_f32, 7_u32, 8_i16), (2.5, 9, 10)] {
            data.extend(delay.to_le_bytes());
            data.extend(pre.to_le_bytes());
            data.extend(post.to_le_bytes());
        }
        let header = "{'descr': [('delay', '<f4'), ('pre', '<u4'), ('post', '<i2')], \
                      'fortran_order': False, 'shape': (2,), }";
        let file = parse(header, &data).unwrap();
        assert_eq!(file.pairs, [(7, 8), (9, 10)]);
        assert_eq!(file.columns, [("delay".to_owned(), vec![1.5, 2.5])]);
    }

    #[test]
    fn mistakes_are_named() {
        let with = |descr: &str, shape: &str, data: &[u8]| {
            parse(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}"), data)
                .unwrap_err()
        };
        let path = "`net.npy`";
        assert_eq!(with("'<i4'", "(2, 2)", &[0; 15]), format!("{path}: the file ends before its `2` rows"));
        assert_eq!(
            with("'<i1'", "(2, 2)", &[0, 0, 0, 255]),
            "`net.npy`, row 1: `-1` is not the index of a neuron"
        );
        assert!(with("'<i4'", "(4,)", &[0; 16]).contains("shape [4]"));
        assert!(with("'<c8'", "(2, 2)", &[0; 64]).contains("`<c8`"));
        assert!(with("[('pre', '<i4')]", "(2,)", &[0; 64]).contains("`post`"));
        assert!(with("'<i8'", "(18446744073709551615, 18446744073709551615)", &[]).contains("not a list"));
        assert!(with("'<i8'", "(18446744073709551615, 2)", &[]).contains("not a list"));
        assert!(read(Path::new("x"), b"no numpy").is_err());
        assert!(
            parse("{'descr': '<i4', 'fortran_order': False, 'shape': (0, 2)}", &[]).unwrap().pairs.is_empty()
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn any_bytes_are_read_or_refused(
            bytes: Vec<u8>,
            descr in "('[<>|][iufb][1248]'|\\[(\\('(pre|post|w)', '<[iu][124]'\\),? ?){0,4}\\]?)",
            shape in "\\([0-9]{0,3},? ?[0-9]{0,20},?\\)?",
            fortran: bool,
        ) {
            let order = if fortran { "True" } else { "False" };
            let header = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}");
            for input in [file(&header, &bytes), bytes] {
                if let Ok(file) = read(Path::new("x"), &input) {
                    prop_assert!(file.columns.iter().all(|(_, values)| values.len() == file.pairs.len()));
                }
            }
        }
    }
}
