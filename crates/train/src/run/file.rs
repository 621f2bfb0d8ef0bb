//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::TrainError;

/// Writes `bytes` under a temporary name in the same folder, flushes them to the disk and renames the file.
///
/// # Errors
/// If the file cannot be written; what was there before is then still there.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|source| {
        // The error to report is the first one; a leftover temporary file does no harm.
        let _ = fs::remove_file(&temporary);
        TrainError::write(path, source)
    })
}
