//! Whole files, on this machine or in storage.

use std::fs;
use std::path::Path;
use std::time::Duration;

use prevision_storage::{Object, StorageError, after, is_address};

use crate::DataError;

/// Longest time for listing or reading what an address leads to.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);

/// The bytes of a file, by its path or address.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    if is_address(path) {
        return Ok(prevision_storage::read(path, &after(PATIENCE))?);
    }
    fs::read(path).map_err(|error| DataError::io(path, error))
}

/// Whether a file is there. Storage that does not say counts as no: some refuse access to what is not there.
pub(crate) fn is_there(path: &Path) -> Result<bool, DataError> {
    if !is_address(path) {
        return Ok(path.is_file());
    }
    match Object::open(path, &after(PATIENCE)) {
        Ok(_) => Ok(true),
        Err(StorageError::NotFound { .. } | StorageError::Denied { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
