//! Numpy archives with one array that is wanted: `np.savez(path, array)` has member `arr_0.npy`, `np.savez(path, name=array)` has
//! `name.npy`; stored or deflated.

use std::fs::File;
use std::io::{BufReader, BufWriter, Cursor, Read, Write};
use std::path::Path;

use npyz::half::f16;
use npyz::{AutoSerialize, DType, Deserialize, NpyFile, Order, TypeChar, WriterBuilder};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use prevision_core::whole_file;

use crate::DataError;

/// The member of an array without a name.
pub(crate) const MEMBER: &str = "arr_0.npy";
/// Deflate makes at most so many bytes of one.
const MOST_INFLATED: u64 = 1032;
/// Bytes of the longest header: what numpy takes for safe is shorter.
const HEADER: u32 = 1 << 16;
/// Numbers in the longest row.
const ROW: usize = 1 << 24;

/// An array of any number type, converted to `T`, in C order.
#[derive(Debug, PartialEq)]
pub(crate) struct NpzArray<T> {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<T>,
}

/// Reads an array of booleans, integers or floats of any width; each value passes through `f64`. `rows` says how many rows are needed of
/// an array of this shape, or what is wrong with the shape, before any value is read. All of the member is read, so that its checksum
/// is compared.
pub(crate) fn read<T: Default + Clone>(
    path: &Path,
    rows: impl FnOnce(&[usize]) -> Result<usize, String>,
    convert: impl Fn(f64) -> T,
) -> Result<NpzArray<T>, DataError> {
    read_member(path, MEMBER, rows, convert)
}

/// As [`read`], the array of another member, `name.npy`.
pub(crate) fn read_member<T: Default + Clone>(
    path: &Path,
    name: &str,
    rows: impl FnOnce(&[usize]) -> Result<usize, String>,
    convert: impl Fn(f64) -> T,
) -> Result<NpzArray<T>, DataError> {
    let failed = |error| DataError::io(path, error);
    let bad = |message: String| DataError::format(path, message);
    let file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let mut archive =
        ZipArchive::new(BufReader::new(file)).map_err(|error| bad(format!("not a numpy archive (npz): {error}")))?;
    let member = archive.by_name(name).map_err(|error| {
        let array =
            if name == MEMBER { "array".to_owned() } else { format!("{}=array", name.trim_end_matches(".npy")) };
        bad(format!("no array {name} in the archive, as numpy.savez(file, {array}) writes it: {error}"))
    })?;
    let limit = member.size();
    if limit / MOST_INFLATED > bytes {
        return Err(bad(format!("{name} claims {limit} bytes, in a file of {bytes}")));
    }
    let mut member = BufReader::new(member);
    let broken = |error: std::io::Error| bad(format!("{name}: {error}"));
    let start = start(&mut member).map_err(broken)?;
    let npy = NpyFile::new(start.chain(&mut member)).map_err(broken)?;
    let mut shape: Vec<usize> = npy.shape().iter().map(|&n| n as usize).collect();
    // An array cannot have more values than its member has bytes; a damaged header could claim so.
    let count = shape.iter().try_fold(1_usize, |count, &n| count.checked_mul(n)).filter(|&n| n as u64 <= limit);
    let Some(count) = count else {
        return Err(bad(format!("{name} claims the shape {shape:?} but has only {limit} bytes")));
    };
    let wanted = rows(&shape).map_err(&bad)?;
    let row = shape.first().and_then(|&rows| count.checked_div(rows)).unwrap_or(count);
    if row > ROW {
        return Err(bad(format!("{name} has {row} numbers in a row, expected at most {ROW}")));
    }
    let fortran = npy.order() == Order::Fortran;
    let kept = if fortran { count } else { count.min(wanted.saturating_mul(row)) };
    let data = numbers(npy, name, kept, &convert).map_err(&bad)?;
    // What is left behind the rows that are kept; the end of the member is where its checksum is compared.
    let left = ((count - kept) as u64).saturating_mul(8).saturating_add(1);
    let rest = std::io::copy(&mut member.by_ref().take(left), &mut std::io::sink()).map_err(broken)?;
    if rest == left || (rest > 0 && kept == count) {
        return Err(bad(format!("{name} has more bytes than its shape {shape:?} takes")));
    }
    let mut data = if fortran { to_c_order(&shape, &data) } else { data };
    if let Some(rows) = shape.first_mut() {
        *rows = wanted.min(*rows);
        data.truncate(*rows * row);
    }
    Ok(NpzArray { shape, data })
}

/// The first bytes of an array, up to the length of its header, which is checked: it would be believed.
fn start(member: &mut impl Read) -> std::io::Result<Cursor<Vec<u8>>> {
    let mut start = vec![0; 12];
    member.read_exact(&mut start)?;
    // Before version 2 it takes two bytes.
    let header = u32::from_le_bytes([start[8], start[9], start[10], start[11]]);
    if start[6] > 1 && header > HEADER {
        return Err(std::io::Error::other(format!("its header has {header} bytes, expected at most {HEADER}")));
    }
    Ok(Cursor::new(start))
}

/// The first numbers of an array, in its own order.
fn numbers<T>(npy: NpyFile<impl Read>, name: &str, count: usize, convert: impl Fn(f64) -> T) -> Result<Vec<T>, String> {
    let dtype = npy.dtype();
    let DType::Plain(kind) = &dtype else {
        return Err(format!("{name} has dtype {}, expected a plain number", dtype.descr()));
    };
    match (kind.type_char(), kind.size_field()) {
        (TypeChar::Float, 2) => values::<f16, T>(npy, count, |v| convert(f64::from(v))),
        (TypeChar::Float, 4) => values::<f32, T>(npy, count, |v| convert(f64::from(v))),
        (TypeChar::Float, 8) => values::<f64, T>(npy, count, convert),
        (TypeChar::Int, 1) => values::<i8, T>(npy, count, |v| convert(f64::from(v))),
        (TypeChar::Int, 2) => values::<i16, T>(npy, count, |v| convert(f64::from(v))),
        (TypeChar::Int, 4) => values::<i32, T>(npy, count, |v| convert(f64::from(v))),
        (TypeChar::Int, 8) => values::<i64, T>(npy, count, |v| convert(v as f64)),
        (TypeChar::Uint, 1) => values::<u8, T>(npy, count, |v| convert(f64::from(v))),
        (TypeChar::Uint, 2) => values::<u16, T>(npy, count, |v| convert(f64::from(v))),
        (TypeChar::Uint, 4) => values::<u32, T>(npy, count, |v| convert(f64::from(v))),
        (TypeChar::Uint, 8) => values::<u64, T>(npy, count, |v| convert(v as f64)),
        (TypeChar::Bool, _) => values::<bool, T>(npy, count, |v| convert(f64::from(u8::from(v)))),
        _ => return Err(format!("{name} has dtype {kind}, expected a boolean, integer or float of up to 8 bytes")),
    }
    .map_err(|error| format!("{name}: {error}"))
}

fn values<S: Deserialize, T>(
    npy: NpyFile<impl Read>,
    count: usize,
    convert: impl Fn(S) -> T,
) -> std::io::Result<Vec<T>> {
    let values = npy.data::<S>().map_err(|error| std::io::Error::other(error.to_string()))?.take(count);
    values.map(|value| value.map(&convert)).collect()
}

/// Rearranges values whose first index runs fastest into those whose last index runs fastest.
fn to_c_order<T: Default + Clone>(shape: &[usize], fortran: &[T]) -> Vec<T> {
    let mut data = vec![T::default(); fortran.len()];
    for (position, value) in fortran.iter().enumerate() {
        let (mut rest, mut target, mut stride) = (position, 0, fortran.len());
        for &extent in shape {
            stride /= extent;
            target += (rest % extent) * stride;
            rest /= extent;
        }
        data[target] = value.clone();
    }
    data
}

/// Writes an array the way `np.savez(path, array)` does: uncompressed, under a temporary name, then renamed.
pub(crate) fn write<T: AutoSerialize + Copy>(path: &Path, shape: &[usize], data: &[T]) -> Result<(), DataError> {
    whole_file::write_with(path, |partial| write_archive(partial, MEMBER, CompressionMethod::Stored, shape, data))
        .map_err(|error| DataError::io(path, error))
}

/// As `np.savez_compressed(path, name=array)` does: deflated, in member `name.npy`.
pub(crate) fn write_deflated<T: AutoSerialize + Copy>(
    path: &Path,
    name: &str,
    shape: &[usize],
    data: &[T],
) -> Result<(), DataError> {
    whole_file::write_with(path, |partial| write_archive(partial, name, CompressionMethod::Deflated, shape, data))
        .map_err(|error| DataError::io(path, error))
}

fn write_archive<T: AutoSerialize + Copy>(
    path: &Path,
    name: &str,
    method: CompressionMethod,
    shape: &[usize],
    data: &[T],
) -> std::io::Result<()> {
    let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    let mut archive = ZipWriter::new(BufWriter::new(File::create(path)?));
    let large = std::mem::size_of_val(data) > 0x7fff_ffff;
    let options = SimpleFileOptions::default().compression_method(method).large_file(large);
    archive.start_file(name, options)?;
    let mut buffered = BufWriter::new(&mut archive);
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut buffered).begin_nd()?;
    writer.extend(data.iter().copied())?;
    writer.finish()?;
    buffered.flush()?;
    drop(buffered);
    archive.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as it is asked for")]
    fn all(shape: &[usize]) -> Result<usize, String> {
        Ok(shape[0])
    }

    /// An archive with this member.
    fn archive(path: &Path, method: CompressionMethod, member: &[u8]) {
        let mut archive = ZipWriter::new(File::create(path).unwrap());
        archive.start_file(MEMBER, SimpleFileOptions::default().compression_method(method)).unwrap();
        archive.write_all(member).unwrap();
        archive.finish().unwrap();
    }

    fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        [b"\x93NUMPY\x01\x00", (header.len() as u16).to_le_bytes().as_slice(), header.as_bytes(), data].concat()
    }

    #[test]
    fn round_trip_with_shape() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("action.npz");
        write(&path, &[2, 3], &[0.5_f32, -1.0, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, 3.25]).unwrap();
        let array = read(&path, all, |v| v as f32).unwrap();
        assert_eq!(array.shape, [2, 3]);
        assert_eq!(array.data, [0.5, -1.0, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, 3.25]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn half_precision() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("action.npz");
        write(&path, &[2], &[f16::from_f32(0.1), f16::from_f32(-2.5)]).unwrap();
        assert_eq!(read(&path, all, |v| v).unwrap().data, [0.099_975_585_937_5, -2.5]);
    }

    #[test]
    fn fortran_order_is_rearranged() {
        // [[1, 2, 3], [4, 5, 6]] stored column by column.
        assert_eq!(to_c_order(&[2, 3], &[1, 4, 2, 5, 3, 6]), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_text_file_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ep_len.npz");
        std::fs::write(&path, "not a zip").unwrap();
        let message = read(&path, all, |v| v).unwrap_err().to_string();
        assert!(message.contains("ep_len.npz") && message.contains("not a numpy archive"), "{message}");
    }
    #[test]
    fn absurd_claims_are_errors_before_anything_is_allocated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        let message = |method, member: &[u8]| {
            archive(&path, method, member);
            read(&path, all, |v| v).unwrap_err().to_string()
        };
        let stored = |member: &[u8]| message(CompressionMethod::Stored, member);
        let claims = "claims the shape";
        assert!(stored(&npy("<f4", "(1152921504606846976,)", &[0; 64])).contains(claims));
        assert!(stored(&npy("<f4", "(4294967296, 4294967296, 4)", &[0; 64])).contains(claims));
        assert!(stored(b"\x93NUMPY\x02\x00\xff\xff\xff\xf0{").contains("its header has 4043309055 bytes"));
        assert!(stored(b"\x93NUMPY").contains("a.npz: arr_0.npy: "));
        assert!(stored(&npy("<f4", "(4,)", &[0; 17])).contains("more bytes than its shape"));
        let wide = npy("|u1", "(1, 16777217)", &vec![0; 16_777_217]);
        assert!(message(CompressionMethod::Deflated, &wide).contains("16777217 numbers in a row, expected at most"));
        let read = read(&path, |shape| Err(format!("is {shape:?}")), |v| v).unwrap_err().to_string();
        assert!(read.ends_with("is [1, 16777217]"), "{read}");
        // The size that the archive tells of the member, 2^40 bytes, cannot be in so small a file.
        let member = npy("|u1", "(64,)", &[7; 64]);
        archive(&path, CompressionMethod::Deflated, &member);
        let mut bytes = std::fs::read(&path).unwrap();
        let size = (member.len() as u32).to_le_bytes();
        let places: Vec<usize> = (0..bytes.len() - 4).filter(|&place| bytes[place..place + 4] == size).collect();
        for place in places {
            bytes[place..place + 4].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
        }
        std::fs::write(&path, bytes).unwrap();
        let message = super::read(&path, all, |v| v).unwrap_err().to_string();
        assert!(message.contains("claims 4294967280 bytes"), "{message}");
    }

    #[test]
    fn rows_that_are_not_needed_are_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        let values: Vec<u8> = (0..200).collect();
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            archive(&path, method, &npy("|u1", "(100, 2)", &values));
            let array = read(&path, |_| Ok(3), |v| v as u8).unwrap();
            assert_eq!(array, NpzArray { shape: vec![3, 2], data: values[..6].to_vec() });
            // Damage behind them is found all the same.
            let mut bytes = std::fs::read(&path).unwrap();
            let place = bytes.windows(2).rposition(|pair| pair == [198, 199]).unwrap();
            bytes[place] ^= 4;
            std::fs::write(&path, bytes).unwrap();
            let message = read(&path, |_| Ok(3), |v| v as u8).unwrap_err().to_string();
            assert!(message.contains("a.npz: arr_0.npy: "), "{message}");
        }
    }
}
