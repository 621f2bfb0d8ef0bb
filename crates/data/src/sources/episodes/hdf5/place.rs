//! Where the file is.

use std::path::{Path, PathBuf};

use crate::DataError;

/// Whether a path is that of an HDF5 file, or a folder with one in it.
pub(in crate::sources::episodes) fn is_hdf5(at: &Path) -> bool {
    if at.is_dir() { files(at).is_ok_and(|files| !files.is_empty()) } else { at.is_file() && is_named(at) }
}

/// The file itself, or the one in a folder.
///
/// # Errors
/// If there is none, or there are several.
pub(super) fn file(at: &Path) -> Result<PathBuf, DataError> {
    if !std::fs::metadata(at).map_err(|error| DataError::io(at, error))?.is_dir() {
        return Ok(at.to_owned());
    }
    let mut files = files(at).map_err(|error| DataError::io(at, error))?;
    files.sort();
    match &files[..] {
        [file] => Ok(file.clone()),
        [] => Err(DataError::format(at, "has no file .h5 or .hdf5")),
        [first, second, ..] => {
            let name = |path: &Path| path.file_name().unwrap_or_default().display().to_string();
            let (count, first, second) = (files.len(), name(first), name(second));
            let message =
                format!("has {count} HDF5 files ({first}, {second}, ...), expected one; name the file itself");
            Err(DataError::format(at, message))
        }
    }
}

fn files(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let paths = std::fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path()));
    let paths = paths.collect::<std::io::Result<Vec<PathBuf>>>()?;
    Ok(paths.into_iter().filter(|path| is_named(path) && path.is_file()).collect())
}

fn is_named(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let named = |extension: &std::ffi::OsStr| ["h5", "hdf5"].iter().any(|known| extension.eq_ignore_ascii_case(known));
    !hidden && path.extension().is_some_and(named)
}
