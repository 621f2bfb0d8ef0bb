//! One picture in a file.

use std::path::{Path, PathBuf};

use crate::DataError;
use crate::pixels::{decode_picture, picture_size};

/// A picture of which the header was read, JPEG or PNG by its content.
pub(super) struct Picture {
    path: PathBuf,
    bytes: Vec<u8>,
    size: (usize, usize),
}

impl Picture {
    /// # Errors
    /// If the file cannot be read, or its header makes no sense.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let bytes = std::fs::read(path).map_err(|error| DataError::io(path, error))?;
        let size = picture_size(&bytes).map_err(|message| DataError::format(path, message))?;
        Ok(Self { path: path.to_owned(), bytes, size })
    }

    /// Width and height, pixels.
    pub(super) fn size(&self) -> (usize, usize) {
        self.size
    }

    /// Its samples, `[h, w, 3]`; grey becomes three equal channels, transparency is left out.
    ///
    /// # Errors
    /// If it has another size (width, height), or is damaged.
    pub(super) fn decode(self, size: (usize, usize)) -> Result<Vec<u8>, DataError> {
        let Self { path, bytes, size: own } = self;
        if own != size {
            let message = format!("is {}x{}, the camera's other pictures are {}x{}", own.0, own.1, size.0, size.1);
            return Err(DataError::format(path, message));
        }
        Ok(decode_picture(&bytes).map_err(|message| DataError::format(path, message))?.data)
    }
}
