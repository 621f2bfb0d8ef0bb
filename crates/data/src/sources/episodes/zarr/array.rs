//! One array of a Zarr group.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zarrs::array::{Array, ArrayToBytesCodecTraits as _, CodecOptions};
use zarrs::filesystem::FilesystemStore;

use super::chunk;
use super::metadata::Metadata;
use crate::DataError;

/// An array may claim so many bytes whatever its files have.
const CLAIM: usize = 256 << 20;
/// And so many times the bytes of its files: nothing real is compressed more.
const RATIO: u64 = 1024;
/// The most chunks that one step may be cut into.
const PIECES: usize = 4096;

/// An array of numbers whose first axis is the step. Nothing is in memory.
pub(super) struct ZarrArray {
    root: PathBuf,
    dir: PathBuf,
    pub(super) metadata: Metadata,
    array: Array<FilesystemStore>,
}

impl ZarrArray {
    /// Opens the array at a place below the root, if there is one, and it is of numbers.
    ///
    /// # Errors
    /// If what is said of it makes no sense, or it is stored in a way that is not read.
    pub(super) fn open(root: &Path, store: &Arc<FilesystemStore>, place: &str) -> Result<Option<Self>, DataError> {
        let dir = root.join(place);
        let Some(metadata) = Metadata::read(&dir)? else { return Ok(None) };
        let array = Array::new_with_metadata(store.clone(), &format!("/{place}"), metadata.all.clone())
            .map_err(|error| DataError::format(&dir, error.to_string()))?;
        Ok(Some(Self { root: root.to_owned(), dir, metadata, array }))
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Steps.
    pub(super) fn rows(&self) -> usize {
        self.metadata.shape[0]
    }

    /// Numbers of a step.
    pub(super) fn width(&self) -> usize {
        self.metadata.shape[1..].iter().product()
    }

    /// The steps of a block: of what is stored together.
    pub(super) fn block(&self, block: usize) -> Range<usize> {
        let rows = self.metadata.chunk[0];
        let start = block.saturating_mul(rows);
        start..start.saturating_add(rows).min(self.rows())
    }

    /// The numbers of a block, in the machine's order of bytes, `[steps, ...]`.
    ///
    /// # Errors
    /// If a chunk cannot be read, or is damaged.
    pub(super) fn read(&self, block: usize) -> Result<Vec<u8>, DataError> {
        let Metadata { shape, chunk, number, .. } = &self.metadata;
        let mut block_shape = shape.clone();
        block_shape[0] = self.block(block).len();
        let pieces: Vec<usize> = shape.iter().zip(chunk).skip(1).map(|(size, chunk)| size.div_ceil(*chunk)).collect();
        let count = pieces.iter().try_fold(1_usize, |count, pieces| count.checked_mul(*pieces));
        let Some(count) = count.filter(|&count| count <= PIECES) else {
            let message =
                format!("a step of {shape:?} is cut into chunks of {chunk:?}, expected at most {PIECES} of them");
            return Err(DataError::format(&self.dir, message));
        };
        let bytes = self.check_claim(block_shape[0])?;
        let mut numbers = vec![0; bytes];
        for piece in 0..count {
            let (mut indices, mut rest) = (vec![block as u64], piece);
            for pieces in pieces.iter().rev() {
                indices.insert(1, (rest % pieces) as u64);
                rest /= pieces;
            }
            let mut start: Vec<usize> =
                indices.iter().zip(chunk).map(|(&index, chunk)| index as usize * chunk).collect();
            start[0] = 0;
            paste(&self.chunk(&indices)?, chunk, &mut numbers, &block_shape, &start, number.size());
        }
        Ok(numbers)
    }

    /// Bytes of so many rows.
    ///
    /// # Errors
    /// If they, or a single chunk, are far more than the array's files can hold.
    pub(super) fn check_claim(&self, rows: usize) -> Result<usize, DataError> {
        let Metadata { shape, chunk, number, .. } = &self.metadata;
        // Both products were found to be countable, see `Metadata`.
        let (row, chunk) = (self.width() * number.size(), chunk.iter().product::<usize>() * number.size());
        let bytes = row.checked_mul(rows);
        let claim = bytes.map(|bytes| bytes.max(chunk));
        if claim.is_none_or(|claim| claim > CLAIM && claim as u64 / RATIO > size_on_disk(&self.dir)) {
            let chunk = &self.metadata.chunk;
            let message = format!("claims the shape {shape:?} in chunks of {chunk:?}, far more than its files hold");
            return Err(DataError::format(&self.dir, message));
        }
        Ok(bytes.unwrap_or(0))
    }

    /// A whole chunk; one that is not stored has the fill value everywhere.
    fn chunk(&self, indices: &[u64]) -> Result<Vec<u8>, DataError> {
        let path = self.root.join(self.array.chunk_key(indices).as_str());
        let bad = |message: String| DataError::format(&path, message);
        let failed = |error: &dyn std::error::Error| bad(error.to_string());
        let Metadata { chunk, number, .. } = &self.metadata;
        let bytes = chunk.iter().product::<usize>() * number.size();
        let Some(stored) = self.array.retrieve_encoded_chunk(indices).map_err(|error| failed(&error))? else {
            let fill = self.array.fill_value().as_ne_bytes();
            let zero = fill.iter().all(|byte| *byte == 0);
            return Ok(if zero { vec![0; bytes] } else { fill.iter().copied().cycle().take(bytes).collect() });
        };
        chunk::check(&stored, &self.metadata, bytes).map_err(bad)?;
        let shape = self.array.chunk_shape(indices).map_err(|error| failed(&error))?;
        let options = CodecOptions::default().with_concurrent_target(1);
        let (kind, fill) = (self.array.data_type(), self.array.fill_value());
        let numbers = self.array.codecs().decode(stored.into(), &shape, kind, fill, &options);
        let numbers = numbers.and_then(|numbers| Ok(numbers.into_fixed()?)).map_err(|error| failed(&error))?;
        if numbers.len() != bytes {
            return Err(bad(format!("holds {} bytes, expected {bytes}", numbers.len())));
        }
        Ok(numbers.into_owned())
    }
}

/// Copies a chunk into a block where it starts there; what is outside of the block is left out.
fn paste(from: &[u8], from_shape: &[usize], to: &mut [u8], to_shape: &[usize], start: &[usize], size: usize) {
    let step = |shape: &[usize]| shape[1..].iter().product::<usize>() * size;
    let (from_step, to_step) = (step(from_shape), step(to_shape));
    for row in 0..from_shape[0].min(to_shape[0] - start[0]) {
        let from = &from[row * from_step..][..from_step];
        let to = &mut to[(start[0] + row) * to_step..][..to_step];
        if from_shape[1..] == to_shape[1..] {
            to.copy_from_slice(from);
        } else {
            paste(from, &from_shape[1..], to, &to_shape[1..], &start[1..], size);
        }
    }
}

/// Bytes of all files in a folder and those in it.
fn size_on_disk(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_on_disk(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.filter_map(Result::ok).map(size).sum()
}

#[cfg(test)]
mod tests {
    use super::paste;

    #[test]
    fn chunks_over_the_edge() {
        let mut block = vec![0; 12];
        paste(&[1, 2, 3, 4, 5, 6, 7, 8], &[4, 2], &mut block, &[3, 4], &[0, 0], 1);
        paste(&[11, 12, 13, 14], &[2, 2], &mut block, &[3, 4], &[1, 3], 1);
        assert_eq!(block, [1, 2, 0, 0, 3, 4, 0, 11, 5, 6, 0, 13]);
    }
}
