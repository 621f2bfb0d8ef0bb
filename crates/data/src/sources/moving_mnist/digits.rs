//! Images of digits in MNIST's idx3 format, and their labels in idx1.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use crate::DataError;

/// The images of an idx3 file.
pub(super) struct Digits {
    pub(super) path: PathBuf,
    pub(super) count: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pixels: Vec<u8>,
    /// Of each image; empty if they are not known.
    labels: Vec<u8>,
}

/// Part of the name of a file of images, and of one of labels.
const IMAGES: &str = "images-idx3-ubyte";
const LABELS: &str = "labels-idx1-ubyte";

impl Digits {
    /// Reads an idx3 file of bytes, gzipped or not, or the one in a folder.
    pub(super) fn read(path: &Path) -> Result<Self, DataError> {
        let path = if path.is_dir() { find(path, IMAGES)? } else { path.to_owned() };
        let mut raw = unpacked(&path)?;
        let number = |place| number(&raw, place);
        let (Some(0x0803), Some(count), Some(rows), Some(columns)) = (number(0), number(1), number(2), number(3))
        else {
            return Err(DataError::format(
                &path,
                "is not an idx3 file of bytes (it does not start with 00 00 08 03 and three sizes)",
            ));
        };
        let expected =
            count.checked_mul(rows).and_then(|pixels| pixels.checked_mul(columns)).filter(|&pixels| pixels > 0);
        if expected != Some(raw.len() - 16) {
            return Err(DataError::format(
                &path,
                format!("holds {} bytes of pixels, its header says {count} images of {columns}x{rows}", raw.len() - 16),
            ));
        }
        Ok(Self { count, rows, columns, pixels: raw.split_off(16), path, labels: Vec::new() })
    }

    /// With the labels of an idx1 file of bytes, gzipped or not, or of the one in a folder.
    pub(super) fn with_labels(self, path: &Path) -> Result<Self, DataError> {
        let path = if path.is_dir() { find(path, LABELS)? } else { path.to_owned() };
        let mut raw = unpacked(&path)?;
        let (Some(0x0801), Some(count)) = (number(&raw, 0), number(&raw, 1)) else {
            return Err(DataError::format(
                &path,
                "is not an idx1 file of bytes (it does not start with 00 00 08 01 and a size)",
            ));
        };
        let (found, images) = (raw.len() - 8, self.count);
        if count != found || count != images {
            let message =
                format!("holds {found} labels, its header says {count}, of {images} images in {}", self.path.display());
            return Err(DataError::format(&path, message));
        }
        Ok(Self { labels: raw.split_off(8), ..self })
    }

    /// The label of one image, if it is known.
    pub(super) fn label(&self, index: usize) -> Option<i64> {
        self.labels.get(index).copied().map(i64::from)
    }

    /// The pixels of one image, row after row.
    pub(super) fn image(&self, index: usize) -> &[u8] {
        let size = self.rows * self.columns;
        &self.pixels[index * size..(index + 1) * size]
    }
}

/// The bytes of a file, gzipped or not.
fn unpacked(path: &Path) -> Result<Vec<u8>, DataError> {
    let io = |error| DataError::io(path, error);
    let mut raw = vec![];
    File::open(path).and_then(|mut file| file.read_to_end(&mut raw)).map_err(io)?;
    if raw.starts_with(&[0x1f, 0x8b]) {
        let mut plain = vec![];
        GzDecoder::new(raw.as_slice()).read_to_end(&mut plain).map_err(io)?;
        raw = plain;
    }
    Ok(raw)
}

/// A number of the header.
fn number(raw: &[u8], place: usize) -> Option<usize> {
    raw.get(place * 4..place * 4 + 4).map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
}

/// The only file of such a name in a folder.
fn find(folder: &Path, name: &str) -> Result<PathBuf, DataError> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder).map_err(|error| DataError::io(folder, error))? {
        let path = entry.map_err(|error| DataError::io(folder, error))?.path();
        if path.file_name().is_some_and(|file| file.to_string_lossy().contains(name)) {
            found.push(path);
        }
    }
    if found.len() > 1 {
        let message = format!("holds {} files *{name}*; name one of them", found.len());
        return Err(DataError::format(folder, message));
    }
    found
        .pop()
        .ok_or_else(|| DataError::Empty { path: folder.into(), message: format!("no file *{name}* in this folder") })
}
