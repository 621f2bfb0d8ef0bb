//! A file in the format safetensors, whoever wrote it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use safetensors::tensor::Metadata;

/// The longest header that readers of the format take.
const LONGEST_HEADER: u64 = 100_000_000;

/// An open file whose header was read and found to fit its length. Tensors are read one at a time.
#[derive(Debug)]
pub struct SafetensorsFile {
    file: File,
    metadata: Metadata,
    /// Where the tensors begin.
    start: u64,
}

impl SafetensorsFile {
    /// Opens a file and checks its header.
    ///
    /// # Errors
    /// If the file cannot be read, or is no whole safetensors file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut length = [0; 8];
        if size < 8 {
            return Err(invalid(format!("not a safetensors file: {size} bytes, expected 8 or more")));
        }
        file.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        let start = length.saturating_add(8);
        if length > LONGEST_HEADER || start > size {
            return Err(invalid(format!("not a safetensors file: a header of {length} bytes in a file of {size}")));
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header)?;
        let metadata: Metadata = serde_json::from_slice(&header)
            .map_err(|error| invalid(format!("not a safetensors file: its header: {error}")))?;
        if start + metadata.data_len() as u64 != size {
            let message = format!("{size} bytes, but the header tells of {}", start + metadata.data_len() as u64);
            return Err(invalid(message));
        }
        Ok(Self { file, metadata, start })
    }

    /// Names, types and shapes of the tensors, and the file's own metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The bytes from one offset of the tensors to another, as [`safetensors::tensor::TensorInfo`] has them.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn bytes(&mut self, (begin, end): (usize, usize)) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; end - begin];
        self.file.seek(SeekFrom::Start(self.start + begin as u64))?;
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
