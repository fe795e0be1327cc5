//! NumPy's `.npy` format: a header of fixed size that can be rewritten in place, and a reader that trusts nothing.
//!
//! The format (numpy.lib.format, version 1.0): the magic `\x93NUMPY`, version bytes 1 and 0, the length of
//! the header text as 16-bit little-endian, then a Python dictionary with the keys `descr`,
//! `fortran_order` and `shape`, padded with spaces and ended by a newline, then the elements.
//!
//! Our headers are always [`HEADER_BYTES`] long, so that the shape can grow while the data does.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use neuropil_base::ScalarType;
use neuropil_memory::{MapError, MappedView};

use crate::values::ByteOrder;
use crate::{RecordError, Values};

/// Bytes before the first element. Numpy asks for a multiple of 64; two 64-bit lengths fit.
pub(crate) const HEADER_BYTES: usize = 128;

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Bytes of the longest header text that is read.
const MOST_TEXT: u64 = 65_536;

/// NumPy's name of an element type in this machine's byte order.
pub(crate) fn descr(ty: ScalarType) -> &'static str {
    match (ty, ByteOrder::NATIVE) {
        (ScalarType::Bool, _) => "|b1",
        (ScalarType::I32, ByteOrder::Little) => "<i4",
        (ScalarType::I64, ByteOrder::Little) => "<i8",
        (ScalarType::F32, ByteOrder::Little) => "<f4",
        (ScalarType::F64, ByteOrder::Little) => "<f8",
        (ScalarType::I32, ByteOrder::Big) => ">i4",
        (ScalarType::I64, ByteOrder::Big) => ">i8",
        (ScalarType::F32, ByteOrder::Big) => ">f4",
        (ScalarType::F64, ByteOrder::Big) => ">f8",
    }
}

/// The header of an array with `n_rows` rows of `n_columns` elements; without columns it is a vector.
pub(crate) fn header(ty: ScalarType, n_rows: u64, n_columns: Option<u64>) -> [u8; HEADER_BYTES] {
    let shape = match n_columns {
        Some(n) => format!("({n_rows}, {n})"),
        None => format!("({n_rows},)"),
    };
    let text = format!("{{'descr': '{}', 'fortran_order': False, 'shape': {shape}, }}", descr(ty));
    let mut bytes = [b' '; HEADER_BYTES];
    let length = (HEADER_BYTES - 10) as u16;
    let prefix = [&MAGIC[..], &[1, 0], &length.to_le_bytes()].concat();
    // The longest text, with two lengths of 20 digits, has 95 bytes and fits behind the prefix of 10.
    for (to, from) in bytes.iter_mut().zip(prefix.iter().chain(text.as_bytes())) {
        *to = *from;
    }
    bytes[HEADER_BYTES - 1] = b'\n';
    bytes
}

/// An array read from a file.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Values,
}

/// Reads a whole `.npy` file with elements of one of our types, in C order.
///
/// The elements are copied once, out of the mapped file. A file that is being written is not mapped but read, as far
/// as its header says.
pub(crate) fn read(path: &Path) -> Result<Array, RecordError> {
    match MappedView::open(path) {
        Ok(view) => {
            let bytes = view.bytes();
            let (header, range) = locate(bytes, bytes.len() as u64, path)?;
            Ok(header.array(bytes.get(range.start as usize..range.end as usize).unwrap_or_default()))
        }
        Err(MapError::Busy { .. }) => read_growing(path),
        Err(error @ MapError::Io { .. }) => Err(error.into()),
    }
}

/// Reads a file by copying.
fn read_growing(path: &Path) -> Result<Array, RecordError> {
    let io = |e| RecordError::io("read", path, e);
    let (mut file, header, range) = open(path)?;
    file.seek(SeekFrom::Start(range.start)).map_err(io)?;
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.read_exact(&mut bytes).map_err(io)?;
    Ok(header.array(&bytes))
}

/// Whether the file is one of ours without elements: nothing is lost with it.
pub(crate) fn is_empty(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
        || open(path).is_ok_and(|(_, _, range)| range.is_empty())
}

/// The rows that the header of one of our files counts; the file holds at least these.
///
/// # Errors
/// A file that is not one of ours, is cut, or holds elements of another type or rows of another width.
pub(crate) fn count_rows(
    bytes: &[u8],
    (ty, n_columns): (ScalarType, Option<u64>),
    path: &Path,
) -> Result<u64, RecordError> {
    let (header, range) = locate(bytes, bytes.len() as u64, path)?;
    let n_rows = header.shape.first().copied().unwrap_or(0) as u64;
    let wanted: Vec<u64> = std::iter::once(n_rows).chain(n_columns).collect();
    let shape: Vec<u64> = header.shape.iter().map(|n| *n as u64).collect();
    let ours = range.start == HEADER_BYTES as u64 && header.order == ByteOrder::NATIVE;
    if !ours || header.ty != ty || shape != wanted {
        let message = format!("it holds `{}` in shape {shape:?}, or is of another program", header.ty.name());
        return Err(RecordError::npy(path, message));
    }
    Ok(n_rows)
}

/// Opens a file and reads its header.
fn open(path: &Path) -> Result<(File, Header, Range<u64>), RecordError> {
    let io = |e| RecordError::io("read", path, e);
    let file = File::open(path).map_err(io)?;
    let mut start = Vec::new();
    (&file).take(12 + MOST_TEXT).read_to_end(&mut start).map_err(io)?;
    let total = file.metadata().map_err(io)?.len();
    let (header, range) = locate(&start, total, path)?;
    Ok((file, header, range))
}

/// Reads the header of a file of `total` bytes from its first ones, and says where the elements are.
fn locate(bytes: &[u8], total: u64, path: &Path) -> Result<(Header, Range<u64>), RecordError> {
    let short = || RecordError::npy(path, "the header is truncated");
    let (start, length) = match bytes {
        bytes if !bytes.starts_with(MAGIC) => {
            return Err(RecordError::npy(path, "it does not start like one"));
        }
        [_, _, _, _, _, _, 1, _, a, b, ..] => (10, u64::from(u16::from_le_bytes([*a, *b]))),
        [_, _, _, _, _, _, 2 | 3, _, a, b, c, d, ..] => (12, u64::from(u32::from_le_bytes([*a, *b, *c, *d]))),
        [_, _, _, _, _, _, 1..=3, ..] => return Err(short()),
        [_, _, _, _, _, _, version, ..] => {
            return Err(RecordError::npy(path, format!("its version is `{version}`")));
        }
        _ => return Err(short()),
    };
    // Headers of plain arrays are short; a long one is damage.
    let text = Some(length).filter(|length| *length <= MOST_TEXT);
    let text = text.and_then(|length| bytes.get(start..start + length as usize)).ok_or_else(short)?;
    let text = std::str::from_utf8(text).map_err(|_| RecordError::npy(path, "the header is not text"))?;
    let header = Header::parse(text).map_err(|message| RecordError::npy(path, message))?;

    let n_bytes = header
        .shape
        .iter()
        .try_fold(header.ty.size(), |n, length| n.checked_mul(*length))
        .ok_or_else(|| RecordError::npy(path, "the shape is too large for any memory"))?;
    let start = start as u64 + length;
    let available = total.saturating_sub(start);
    if n_bytes as u64 > available {
        let message = format!("the data are truncated: `{available}` bytes of {n_bytes}");
        return Err(RecordError::npy(path, message));
    }
    Ok((header, start..start + n_bytes as u64))
}

#[derive(Clone, PartialEq, Debug)]
struct Header {
    ty: ScalarType,
    order: ByteOrder,
    shape: Vec<usize>,
}

impl Header {
    /// Reads the dictionary. Its three keys come in any order, as in files of NumPy itself.
    fn parse(text: &str) -> Result<Self, String> {
        let inner = text
            .trim()
            .strip_prefix('{')
            .and_then(|t| t.strip_suffix('}'))
            .ok_or("the header is not a dictionary")?;
        let value = |key: &str| {
            let quoted = format!("'{key}':");
            inner
                .split_once(&quoted)
                .map(|(_, after)| after.trim_start())
                .ok_or(format!("`{key}` is missing"))
        };
        if !value("fortran_order")?.starts_with("False") {
            return Err("the array is in Fortran order".to_owned());
        }
        let descr = value("descr")?
            .strip_prefix('\'')
            .and_then(|t| t.split_once('\''))
            .map(|(descr, _)| descr)
            .ok_or("`descr` is not the name of a plain type")?;
        let (ty, order) =
            element_type(descr).ok_or(format!("elements of type `{descr}` are not supported"))?;
        let shape = value("shape")?
            .strip_prefix('(')
            .and_then(|t| t.split_once(')'))
            .map(|(shape, _)| shape)
            .ok_or("`shape` is not a tuple")?;
        let shape = shape
            .split(',')
            .map(str::trim)
            .filter(|length| !length.is_empty())
            .map(|length| length.parse().map_err(|_| format!("`{length}` is not a length")))
            .collect::<Result<_, _>>()?;
        Ok(Self { ty, order, shape })
    }

    /// The array of this header with these elements.
    fn array(self, bytes: &[u8]) -> Array {
        let mut data = Values::new(self.ty);
        data.extend_from_bytes(bytes, self.order);
        Array { shape: self.shape, data }
    }
}

fn element_type(descr: &str) -> Option<(ScalarType, ByteOrder)> {
    let (order, name) = descr.split_at_checked(1)?;
    let ty = match name {
        "b1" => ScalarType::Bool,
        "i4" => ScalarType::I32,
        "i8" => ScalarType::I64,
        "f4" => ScalarType::F32,
        "f8" => ScalarType::F64,
        _ => return None,
    };
    match order {
        "<" => Some((ty, ByteOrder::Little)),
        ">" => Some((ty, ByteOrder::Big)),
        "|" if ty == ScalarType::Bool => Some((ty, ByteOrder::NATIVE)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_one_size_and_npyz_reads_them() {
        for (ty, n_rows, n_columns, shape) in [
            (ScalarType::F64, 0, None, vec![0]),
            (ScalarType::Bool, 12, Some(3), vec![12, 3]),
            (ScalarType::I32, 12_345_678_901, Some(0), vec![12_345_678_901, 0]),
        ] {
            let bytes = header(ty, n_rows, n_columns);
            let read = npyz::NpyHeader::from_reader(&bytes[..]).unwrap();
            assert_eq!(read.shape(), shape);
            assert_eq!(read.dtype().descr(), format!("'{}'", descr(ty)));
        }
        let longest = header(ScalarType::F64, u64::MAX, Some(u64::MAX));
        assert!(longest.ends_with(b" \n"));
        let text = std::str::from_utf8(&longest[10..]).unwrap();
        assert_eq!(Header::parse(text).unwrap().shape, [usize::MAX; 2]);
    }

    #[test]
    fn keys_come_in_any_order_and_spacing() {
        let text = "{'shape':(3, ),'descr': '>f4' , 'fortran_order':False}  \n";
        let header = Header { ty: ScalarType::F32, order: ByteOrder::Big, shape: vec![3] };
        assert_eq!(Header::parse(text), Ok(header));
    }

    #[test]
    fn bad_headers_say_what_is_wrong() {
        for (text, message) in [
            ("[]", "the header is not a dictionary"),
            ("{'descr': '<f8', 'shape': (1,)}", "`fortran_order` is missing"),
            ("{'descr': '<f8', 'fortran_order': True, 'shape': (1,)}", "the array is in Fortran order"),
            (
                "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}",
                "elements of type `<c8` are not supported",
            ),
            (
                "{'descr': 'é', 'fortran_order': False, 'shape': (1,)}",
                "elements of type `é` are not supported",
            ),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", "`-1` is not a length"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': 3}", "`shape` is not a tuple"),
        ] {
            assert_eq!(Header::parse(text), Err(message.to_owned()), "{text}");
        }
    }
}
