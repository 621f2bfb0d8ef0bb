//! What `.zarray` (Zarr v2) or `zarr.json` (v3) says of an array.

use std::path::Path;

use serde_json::Value;
use zarrs::metadata::ArrayMetadata;

use super::number::Number;
use crate::DataError;

/// What the names of Zarr v3 begin with for types that are no numbers.
const OTHERS: [&str; 8] = ["string", "bytes", "fixed_", "null_", "variable_", "numpy.", "complex", "struct"];

/// How the bytes of a chunk are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compressor {
    None,
    Blosc,
    Gzip,
    Zlib,
    Zstd,
}

/// An array of numbers with at least one axis.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    pub(super) shape: Vec<usize>,
    /// Shape of a chunk.
    pub(super) chunk: Vec<usize>,
    pub(super) number: Number,
    pub(super) compressor: Compressor,
    /// Whether a checksum of 4 bytes follows what is compressed.
    pub(super) checksum: bool,
    /// All of it.
    pub(super) all: ArrayMetadata,
}

impl Metadata {
    /// Reads what is said of the array in a folder; `None` where there is no array, or none of numbers.
    ///
    /// # Errors
    /// If it makes no sense, or the array is stored in a way that is not read.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, DataError> {
        for (name, parse) in [("zarr.json", three as fn(&Value) -> _), (".zarray", two)] {
            let path = dir.join(name);
            let text = match std::fs::read(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(DataError::io(path, error)),
            };
            let value = serde_json::from_slice(&text).map_err(|error| error.to_string());
            let metadata = value.and_then(|value: Value| parse(&value));
            return metadata.map_err(|message| DataError::format(path, message));
        }
        Ok(None)
    }

    fn new(told: Told, value: &Value) -> Result<Option<Self>, String> {
        let (shape, chunk) = (sizes(told.shape, "the shape")?, sizes(told.chunk, "the shape of a chunk")?);
        if shape.len() != chunk.len() || chunk.contains(&0) || shape.len() > 8 {
            return Err(format!("has the shape {shape:?} and chunks of {chunk:?}, expected as many axes, at most 8"));
        }
        let Some(number) = told.number else { return Ok(None) };
        if shape.is_empty() {
            return Ok(None);
        }
        let bytes = |shape: &[usize]| shape.iter().try_fold(number.size(), |bytes, &size| bytes.checked_mul(size));
        if bytes(&shape[1..]).is_none() || bytes(&chunk).is_none() {
            return Err(format!("has the shape {shape:?} and chunks of {chunk:?}, more than there can be"));
        }
        let (compressor, checksum) = (told.compressor, told.checksum);
        let all = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
        Ok(Some(Self { shape, chunk, number, compressor, checksum, all }))
    }
}

/// What both versions tell in their own words.
struct Told<'a> {
    shape: &'a Value,
    chunk: &'a Value,
    number: Option<Number>,
    compressor: Compressor,
    checksum: bool,
}

fn two(value: &Value) -> Result<Option<Metadata>, String> {
    if value["zarr_format"] != 2 {
        return Err(format!("zarr_format is {}, expected 2", value["zarr_format"]));
    }
    let number = match value["dtype"].as_str() {
        // Text, objects, dates, bytes, complex numbers.
        Some(name) if name.trim_start_matches(['<', '>', '|']).starts_with(['S', 'U', 'O', 'M', 'm', 'V', 'c']) => None,
        Some(name) => Some(Number::named(name).ok_or_else(|| format!("dtype {name:?} is not known"))?),
        None if value["dtype"].is_array() => None,
        None => return Err(format!("dtype is {}, expected a text", value["dtype"])),
    };
    let filters = value["filters"].as_array().map_or(&[][..], Vec::as_slice);
    if let (Some(filter), true) = (filters.first(), number.is_some()) {
        return Err(format!("the filter {} is not read", filter["id"]));
    }
    let compressor = match &value["compressor"] {
        Value::Null => Compressor::None,
        compressor => match compressor["id"].as_str() {
            Some("blosc") => Compressor::Blosc,
            Some("gzip") => Compressor::Gzip,
            Some("zlib") => Compressor::Zlib,
            Some("zstd") => Compressor::Zstd,
            _ if number.is_none() => Compressor::None,
            _ => return Err(format!("the codec {} is not read; blosc, gzip, zlib and zstd are", compressor["id"])),
        },
    };
    Metadata::new(Told { shape: &value["shape"], chunk: &value["chunks"], number, compressor, checksum: false }, value)
}

fn three(value: &Value) -> Result<Option<Metadata>, String> {
    if value["zarr_format"] != 3 {
        return Err(format!("zarr_format is {}, expected 3", value["zarr_format"]));
    }
    match value["node_type"].as_str() {
        Some("array") => {}
        Some("group") => return Ok(None),
        _ => return Err(format!("node_type is {}, expected array or group", value["node_type"])),
    }
    let number = match value["data_type"].as_str() {
        Some(name) if OTHERS.iter().any(|other| name.starts_with(other)) => None,
        Some(name) => Some(Number::named(name).ok_or_else(|| format!("data_type {name:?} is not known"))?),
        None if value["data_type"].is_object() => None,
        None => return Err(format!("data_type is {}, expected a text", value["data_type"])),
    };
    if value["chunk_grid"]["name"] != "regular" {
        return Err(format!("chunk_grid is {}, expected a regular one", value["chunk_grid"]["name"]));
    }
    let (mut compressor, mut checksum) = (Compressor::None, false);
    for codec in value["codecs"].as_array().map_or(&[][..], Vec::as_slice) {
        let name = codec["name"].as_str().or(codec.as_str()).unwrap_or("");
        let unpacked = compressor == Compressor::None && !checksum;
        compressor = match name {
            "bytes" | "transpose" if unpacked => compressor,
            "blosc" if unpacked => Compressor::Blosc,
            "gzip" if unpacked => Compressor::Gzip,
            "zstd" if unpacked => Compressor::Zstd,
            "crc32c" if !checksum => {
                checksum = true;
                compressor
            }
            _ if number.is_none() => compressor,
            _ => {
                return Err(format!(
                    "the codec {name:?} is not read there; transpose, bytes, then one of blosc, gzip and zstd, then crc32c are"
                ));
            }
        };
    }
    let chunk = &value["chunk_grid"]["configuration"]["chunk_shape"];
    Metadata::new(Told { shape: &value["shape"], chunk, number, compressor, checksum }, value)
}

fn sizes(value: &Value, what: &str) -> Result<Vec<usize>, String> {
    let sizes: Option<Vec<usize>> =
        value.as_array().and_then(|sizes| sizes.iter().map(|size| size.as_u64()?.try_into().ok()).collect());
    sizes.ok_or_else(|| format!("{what} is {value}, expected whole numbers"))
}
