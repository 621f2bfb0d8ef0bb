//! What stands for object storage in a program that was built without it.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use crate::{Late, StorageError, Version};

fn not_built<T>(address: &Path) -> Result<T, StorageError> {
    Err(StorageError::NotBuilt { address: address.to_owned() })
}

/// An object in storage; there is none in a program that was built without the feature `object-store`.
#[derive(Clone, Debug)]
pub struct Object {
    never: Infallible,
}

impl Object {
    /// Always fails.
    ///
    /// # Errors
    /// [`StorageError::NotBuilt`].
    pub fn open(address: &Path, _late: Late) -> Result<Self, StorageError> {
        not_built(address)
    }

    /// Always fails.
    ///
    /// # Errors
    /// [`StorageError::NotBuilt`].
    pub fn at_version(address: &Path, _version: &Version) -> Result<Self, StorageError> {
        not_built(address)
    }

    /// Which content it has.
    pub fn version(&self) -> &Version {
        match self.never {}
    }

    /// Reads it from its start on.
    pub fn reader(&self) -> ObjectReader {
        match self.never {}
    }
}

/// Reads an object; there is none in a program that was built without the feature `object-store`.
#[derive(Debug)]
pub struct ObjectReader {
    never: Infallible,
}

impl ObjectReader {
    /// Reads what follows.
    ///
    /// # Errors
    /// None: there is no reader.
    pub fn read(&mut self, _out: &mut [u8], _late: Late) -> Result<usize, StorageError> {
        match self.never {}
    }

    /// Where it reads next.
    pub fn position(&self) -> u64 {
        match self.never {}
    }

    /// Goes to a place.
    pub fn go_to(&mut self, _position: u64) {
        match self.never {}
    }
}

/// Always fails.
///
/// # Errors
/// [`StorageError::NotBuilt`].
pub fn list(address: &Path, _late: Late) -> Result<Vec<PathBuf>, StorageError> {
    not_built(address)
}

/// Always fails.
///
/// # Errors
/// [`StorageError::NotBuilt`].
pub fn read(address: &Path, _late: Late) -> Result<Vec<u8>, StorageError> {
    not_built(address)
}

#[cfg(test)]
mod tests {
    use super::{Object, list, read};
    use std::path::Path;

    #[test]
    fn the_error_names_the_feature() {
        let address = Path::new("s3://bucket/a.mp4");
        for error in [
            Object::open(address, &|| false).map(|_| ()).unwrap_err(),
            list(address, &|| false).map(|_| ()).unwrap_err(),
            read(address, &|| false).map(|_| ()).unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(text.contains("s3://bucket/a.mp4") && text.contains("feature object-store"), "{text}");
        }
    }
}
