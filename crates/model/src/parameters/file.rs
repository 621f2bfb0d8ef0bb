//! Named tensors in a safetensors file, in `PyTorch`'s layout.
//!
//! The header is written here and not by the crate `safetensors`, which puts several keys of metadata in an order that changes from
//! run to run: equal tensors give equal bytes. Tensors are written and read one at a time, so that a file never lies in memory whole.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use burn::store::burn_pack::AtomicFile;
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use serde::Serialize;

use super::SafetensorsFile;
use super::stored::{SCALE, StoredType, decode, encode, rows};

/// The key of the metadata that says how tensors lie in the file.
const VERSION_KEY: &str = "prevision_format";
/// Its value: 2 is `PyTorch`'s layout. Files without the key hold linear layers as `[inputs, outputs]`, which the shape of a square
/// matrix does not tell.
const VERSION: &str = "2";
/// The key of the metadata that says what the tensors are of.
const DESCRIPTION_KEY: &str = "description";

/// What is wrong with a tensor that comes after all that were told of.
const MORE: &str = "more tensors than were told of";

/// What a file holds under one name.
#[derive(Clone, Debug)]
pub struct Entry {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
}

impl Entry {
    /// A tensor of 32-bit floats; the shape is that in the file.
    pub fn floats(name: String, shape: Vec<usize>) -> Self {
        Self { name, dtype: Dtype::F32, shape }
    }

    /// A parameter, its matrices in this type; the shape is that in the file. Behind a matrix of 8-bit numbers come its scales.
    pub fn parameter(name: String, shape: Vec<usize>, stored: StoredType) -> Vec<Self> {
        let dtype = stored.dtype(&name, &shape);
        let scales = (dtype == Dtype::I8).then(|| Self::floats(format!("{name}{SCALE}"), vec![rows(&shape)]));
        [Self { name, dtype, shape }].into_iter().chain(scales).collect()
    }

    /// One 64-bit number.
    pub fn count(name: String) -> Self {
        Self::counts(name, vec![1])
    }

    /// A tensor of 64-bit numbers.
    pub fn counts(name: String, shape: Vec<usize>) -> Self {
        Self { name, dtype: Dtype::U64, shape }
    }

    fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
    }
}

#[derive(Serialize)]
struct Header<'a> {
    #[serde(rename = "__metadata__")]
    metadata: BTreeMap<&'a str, &'a str>,
    #[serde(flatten)]
    tensors: BTreeMap<&'a str, TensorInfo>,
}

/// Writes a file of tensors that were told before. It appears whole or not at all: it is written under a temporary name beside its own
/// and renamed.
pub struct TensorWriter {
    unfinished: AtomicFile,
    file: BufWriter<File>,
    /// What is still to come.
    left: VecDeque<Entry>,
    /// Bytes of the first of them that were written.
    begun: usize,
    result: io::Result<()>,
}

impl TensorWriter {
    /// Begins a file of these tensors.
    ///
    /// # Errors
    /// If the file cannot be written, or two tensors have one name.
    pub fn create(path: &Path, entries: Vec<Entry>) -> io::Result<Self> {
        Self::create_described(path, entries, None)
    }

    /// As [`create`](Self::create), with a text in the metadata that says what the tensors are of.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_described(path: &Path, entries: Vec<Entry>, description: Option<&str>) -> io::Result<Self> {
        let header = header(&entries, description)?;
        let (unfinished, file) = AtomicFile::create(path).map_err(other)?;
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        Ok(Self { unfinished, file, left: entries.into(), begun: 0, result: Ok(()) })
    }

    /// Writes the next tensor, the transpose of it if `transposed`, in the type that was told; with its scales if it has some. An error is kept for [`finish`](Self::finish).
    pub fn floats<const D: usize>(&mut self, tensor: Tensor<D>, transposed: bool) {
        if self.result.is_err() {
            return;
        }
        let dims = tensor.dims();
        self.result = tensor.try_into_vec_as::<f32>().map_err(other).and_then(|values| {
            let values = if transposed { transpose(&values, dims[0], dims[1]) } else { values };
            self.put_parameter(&values)
        });
    }

    fn put_parameter(&mut self, values: &[f32]) -> io::Result<()> {
        let entry = self.left.front().ok_or_else(|| other(MORE))?;
        let stored = encode(entry.dtype, rows(&entry.shape), values)
            .map_err(|message| other(format!("`{}`: {message}", entry.name)))?;
        self.put(&stored.bytes)?;
        if stored.scales.is_empty() { Ok(()) } else { self.put(&bytes_of(&stored.scales)) }
    }

    /// Writes these numbers of the next tensor: all of them, or one part after the other. An error is kept for [`finish`](Self::finish).
    pub fn values(&mut self, values: &[f32]) {
        if self.result.is_ok() {
            self.result = self.put(&bytes_of(values));
        }
    }

    /// Writes the next tensor, of one number. An error is kept for [`finish`](Self::finish).
    pub fn count(&mut self, count: u64) {
        self.counts(&[count]);
    }

    /// Writes the next tensor, of 64-bit numbers. An error is kept for [`finish`](Self::finish).
    pub fn counts(&mut self, counts: &[u64]) {
        if self.result.is_ok() {
            self.result = self.put(&counts.iter().flat_map(|count| count.to_le_bytes()).collect::<Vec<u8>>());
        }
    }

    /// Fails the file, for what cannot be written.
    pub fn fail(&mut self, message: String) {
        if self.result.is_ok() {
            self.result = Err(other(message));
        }
    }

    /// Writes all of the next tensor or a part of it, the parts in their order.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let entry = self.left.front().ok_or_else(|| other(MORE))?;
        let (done, whole) = (self.begun + bytes.len(), entry.bytes());
        if done > whole {
            return Err(other(format!("{done} bytes for the tensor `{}` {:?}", entry.name, entry.shape)));
        }
        self.file.write_all(bytes)?;
        self.begun = done;
        if done == whole {
            self.left.pop_front();
            self.begun = 0;
        }
        Ok(())
    }

    /// Puts the file into its place, flushed to the disk.
    ///
    /// # Errors
    /// If a tensor could not be read from its device, was not the one told of or is missing, or the file cannot be written. What was
    /// there before is then still there.
    pub fn finish(self) -> io::Result<()> {
        self.result?;
        if let Some(entry) = self.left.front() {
            return Err(other(format!("no tensor `{}`, which was told of, or not all of it", entry.name)));
        }
        self.file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        self.unfinished.commit().map_err(other)
    }
}

/// The header of a file of these tensors, one after the other, padded so that the tensors begin at a multiple of 8 bytes.
fn header(entries: &[Entry], description: Option<&str>) -> io::Result<Vec<u8>> {
    let (mut tensors, mut start) = (BTreeMap::new(), 0);
    for entry in entries {
        let end = start + entry.bytes();
        let info = TensorInfo { dtype: entry.dtype, shape: entry.shape.clone(), data_offsets: (start, end) };
        if tensors.insert(entry.name.as_str(), info).is_some() {
            return Err(other(format!("two tensors have the name `{}`", entry.name)));
        }
        start = end;
    }
    let mut metadata = BTreeMap::from([("format", "pt"), (VERSION_KEY, VERSION)]);
    metadata.extend(description.map(|text| (DESCRIPTION_KEY, text)));
    let mut header = serde_json::to_vec(&Header { metadata, tensors })?;
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok(header)
}

/// Reads a file of tensors.
pub struct TensorReader {
    file: SafetensorsFile,
    unread: BTreeSet<String>,
}

impl TensorReader {
    /// Opens a file and checks its header.
    ///
    /// # Errors
    /// If the file cannot be read, is no safetensors file, or does not say that it is in `PyTorch`'s layout.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = SafetensorsFile::open(path)?;
        check_version(file.metadata())?;
        let unread = file.metadata().offset_keys().into_iter().collect();
        Ok(Self { file, unread })
    }

    /// A tensor of this shape in memory; in the file lies its transpose if `transposed`, in any [`StoredType`]. `None` if the file has no such
    /// name.
    ///
    /// # Errors
    /// If the file has another shape or element type under that name, 8-bit numbers without their scales, a number that is not finite, or
    /// cannot be read.
    pub fn floats<const D: usize>(
        &mut self,
        name: &str,
        shape: [usize; D],
        transposed: bool,
        device: &Device,
    ) -> io::Result<Option<Tensor<D>>> {
        let mut stored = shape.to_vec();
        if transposed {
            stored.reverse();
        }
        let dtype = self.file.metadata().info(name).map_or(Dtype::F32, |info| info.dtype);
        if ![Dtype::F32, Dtype::BF16, Dtype::F16, Dtype::I8].contains(&dtype) {
            return Err(invalid(format!("the file has type {dtype:?}, expected F32, BF16, F16 or I8")));
        }
        let Some(bytes) = self.bytes(name, dtype, &stored)? else { return Ok(None) };
        let scales = if dtype == Dtype::I8 { self.scales(name, rows(&stored))? } else { Vec::new() };
        let values = decode(dtype, &bytes, &scales);
        if let Some((place, value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(invalid(format!("number {place} is {value}, expected finite numbers")));
        }
        let values = if transposed { transpose(&values, stored[0], stored[1]) } else { values };
        Ok(Some(Tensor::from_data(TensorData::new(values, shape), device)))
    }

    /// The scales of a matrix of 8-bit numbers, one for each row of the file.
    fn scales(&mut self, name: &str, rows: usize) -> io::Result<Vec<f32>> {
        let scale = format!("{name}{SCALE}");
        let bytes = self.bytes(&scale, Dtype::F32, &[rows]).map_err(|error| invalid(format!("`{scale}`: {error}")))?;
        let bytes =
            bytes.ok_or_else(|| invalid(format!("numbers of 8 bits without `{scale}`, which says their size")))?;
        let scales = decode(Dtype::F32, &bytes, &[]);
        match scales.iter().enumerate().find(|(_, scale)| !scale.is_finite() || **scale < 0.0) {
            Some((row, value)) => {
                Err(invalid(format!("`{scale}`: number {row} is {value}, expected finite numbers of 0 or more")))
            }
            None => Ok(scales),
        }
    }

    /// One 64-bit number. `None` if the file has no such name.
    ///
    /// # Errors
    /// If the file has another shape or element type under that name, or cannot be read.
    pub fn count(&mut self, name: &str) -> io::Result<Option<u64>> {
        let bytes = self.bytes(name, Dtype::U64, &[1])?;
        Ok(bytes.and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?))))
    }

    /// What the tensors are of, if the file says.
    pub fn description(&self) -> Option<&str> {
        self.file.metadata().metadata().as_ref()?.get(DESCRIPTION_KEY).map(String::as_str)
    }

    /// Names that were not asked for, sorted.
    pub fn unread(&self) -> impl ExactSizeIterator<Item = &str> {
        self.unread.iter().map(String::as_str)
    }

    fn bytes(&mut self, name: &str, dtype: Dtype, shape: &[usize]) -> io::Result<Option<Vec<u8>>> {
        let Some(info) = self.file.metadata().info(name) else { return Ok(None) };
        self.unread.remove(name);
        if info.dtype != dtype {
            return Err(invalid(format!("the model has type {dtype:?}, the file {:?}", info.dtype)));
        }
        if info.shape != shape {
            return Err(invalid(format!("the model has shape {shape:?}, the file {:?}", info.shape)));
        }
        let range = info.data_offsets;
        self.file.bytes(range).map(Some)
    }
}

fn check_version(metadata: &Metadata) -> io::Result<()> {
    let version = metadata.metadata().as_ref().and_then(|metadata| metadata.get(VERSION_KEY));
    match version.map(String::as_str) {
        Some(VERSION) => Ok(()),
        Some(version) => Err(invalid(format!("`{VERSION_KEY}` of its metadata is {version}, but must be {VERSION}"))),
        None => Err(invalid(format!(
            "`{VERSION_KEY}` is missing from its metadata, but must be {VERSION}: older files hold linear layers as [inputs, outputs], \
             and are not read. A file with PyTorch's layout and our names is read when it is written with \
             metadata={{\"format\": \"pt\", \"{VERSION_KEY}\": \"{VERSION}\"}}"
        ))),
    }
}

fn bytes_of(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The transpose of a matrix, row by row. Done in squares, so that both sides stay in the cache.
pub(crate) fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const SIDE: usize = 32;
    let mut transposed = vec![0.0; values.len()];
    for top in (0..rows).step_by(SIDE) {
        for left in (0..columns).step_by(SIDE) {
            for row in top..rows.min(top + SIDE) {
                for column in left..columns.min(left + SIDE) {
                    transposed[column * rows + row] = values[row * columns + column];
                }
            }
        }
    }
    transposed
}

fn other(error: impl ToString) -> io::Error {
    io::Error::other(error.to_string())
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
