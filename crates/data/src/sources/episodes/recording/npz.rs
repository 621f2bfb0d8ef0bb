//! Numpy archives with one array: `np.savez(path, array)`, member `arr_0.npy`, stored or deflated.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use npyz::half::f16;
use npyz::{AutoSerialize, DType, Deserialize, NpyFile, Order, TypeChar, WriterBuilder};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use prevision_core::whole_file;

use crate::DataError;

const MEMBER: &str = "arr_0.npy";

/// An array of any number type, converted to `T`, in C order.
#[derive(Debug, PartialEq)]
pub(super) struct NpzArray<T> {
    pub(super) shape: Vec<usize>,
    pub(super) data: Vec<T>,
}

/// Reads an array of booleans, integers or floats of any width; each value passes through `f64`.
pub(super) fn read<T: Default + Clone>(path: &Path, convert: impl Fn(f64) -> T) -> Result<NpzArray<T>, DataError> {
    let file = File::open(path).map_err(|error| DataError::io(path, error))?;
    let bad = |message: String| DataError::format(path, message);
    let mut archive =
        ZipArchive::new(BufReader::new(file)).map_err(|error| bad(format!("not a numpy archive (npz): {error}")))?;
    let member = archive.by_name(MEMBER).map_err(|error| {
        bad(format!("no array {MEMBER} in the archive, as numpy.savez(file, array) writes it: {error}"))
    })?;
    let limit = member.size();
    let npy = NpyFile::new(BufReader::new(member)).map_err(|error| bad(format!("{MEMBER}: {error}")))?;
    let shape: Vec<usize> = npy.shape().iter().map(|&n| n as usize).collect();
    let fortran = npy.order() == Order::Fortran;
    let DType::Plain(kind) = npy.dtype() else {
        return Err(bad(format!("{MEMBER} has dtype {}, expected a plain number", npy.dtype().descr())));
    };
    // An array cannot have more values than its member has bytes; a damaged header could claim so.
    let count = shape.iter().try_fold(1_u64, |count, &n| count.checked_mul(n as u64)).filter(|&count| count <= limit);
    if count.is_none() {
        return Err(bad(format!("{MEMBER} claims the shape {shape:?} but has only {limit} bytes")));
    }
    let broken = |error: std::io::Error| bad(format!("{MEMBER}: {error}"));
    let data = match (kind.type_char(), kind.size_field()) {
        (TypeChar::Float, 2) => values::<f16, T>(npy, |v| convert(f64::from(v))),
        (TypeChar::Float, 4) => values::<f32, T>(npy, |v| convert(f64::from(v))),
        (TypeChar::Float, 8) => values::<f64, T>(npy, convert),
        (TypeChar::Int, 1) => values::<i8, T>(npy, |v| convert(f64::from(v))),
        (TypeChar::Int, 2) => values::<i16, T>(npy, |v| convert(f64::from(v))),
        (TypeChar::Int, 4) => values::<i32, T>(npy, |v| convert(f64::from(v))),
        (TypeChar::Int, 8) => values::<i64, T>(npy, |v| convert(v as f64)),
        (TypeChar::Uint, 1) => values::<u8, T>(npy, |v| convert(f64::from(v))),
        (TypeChar::Uint, 2) => values::<u16, T>(npy, |v| convert(f64::from(v))),
        (TypeChar::Uint, 4) => values::<u32, T>(npy, |v| convert(f64::from(v))),
        (TypeChar::Uint, 8) => values::<u64, T>(npy, |v| convert(v as f64)),
        (TypeChar::Bool, _) => values::<bool, T>(npy, |v| convert(f64::from(u8::from(v)))),
        _ => {
            return Err(bad(format!(
                "{MEMBER} has dtype {kind}, expected a boolean, integer or float of up to 8 bytes"
            )));
        }
    }
    .map_err(broken)?;
    let data = if fortran { to_c_order(&shape, &data) } else { data };
    Ok(NpzArray { shape, data })
}

fn values<S: Deserialize, T>(npy: NpyFile<impl Read>, convert: impl Fn(S) -> T) -> std::io::Result<Vec<T>> {
    npy.data::<S>()
        .map_err(|error| std::io::Error::other(error.to_string()))?
        .map(|value| value.map(&convert))
        .collect()
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
pub(super) fn write<T: AutoSerialize + Copy>(path: &Path, shape: &[usize], data: &[T]) -> Result<(), DataError> {
    whole_file::write_with(path, |partial| write_archive(partial, shape, data))
        .map_err(|error| DataError::io(path, error))
}

fn write_archive<T: AutoSerialize + Copy>(path: &Path, shape: &[usize], data: &[T]) -> std::io::Result<()> {
    let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    let mut archive = ZipWriter::new(BufWriter::new(File::create(path)?));
    let large = std::mem::size_of_val(data) > 0x7fff_ffff;
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(large);
    archive.start_file(MEMBER, options)?;
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

    #[test]
    fn round_trip_with_shape() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("action.npz");
        write(&path, &[2, 3], &[0.5_f32, -1.0, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, 3.25]).unwrap();
        let array = read(&path, |v| v as f32).unwrap();
        assert_eq!(array.shape, [2, 3]);
        assert_eq!(array.data, [0.5, -1.0, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, 3.25]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn half_precision() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("action.npz");
        write(&path, &[2], &[f16::from_f32(0.1), f16::from_f32(-2.5)]).unwrap();
        assert_eq!(read(&path, |v| v).unwrap().data, [0.099_975_585_937_5, -2.5]);
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
        let message = read(&path, |v| v).unwrap_err().to_string();
        assert!(message.contains("ep_len.npz") && message.contains("not a numpy archive"), "{message}");
    }
}
