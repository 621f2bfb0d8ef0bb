//! Files that appear whole or not at all.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use prevision_core::whole_file;

use crate::TrainError;

/// Writes `bytes` under a temporary name in the same folder, flushes them to the disk and renames the file.
///
/// # Errors
/// If the file cannot be written; what was there before is then still there.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let write = |partial: &Path| {
        let mut file = File::create(partial)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    whole_file::write_with(path, write).map_err(|source| TrainError::write(path, source))
}
