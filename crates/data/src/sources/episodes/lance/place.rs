//! Where the table is.

use std::path::{Path, PathBuf};

use crate::DataError;

/// What the folder of a table is called at its end.
const EXTENSION: &str = "lance";

/// What the name of a table of videos has behind that of the table of its moments.
const VIDEOS: &str = "_videos";

/// Whether a folder is a table of moments, or there is one in it.
pub(in crate::sources::episodes) fn is_lance(at: &Path) -> bool {
    is_table(at) || tables(at).is_ok_and(|tables| !tables.is_empty())
}

/// Whether a folder is a table of moments with one of videos beside it, or there are such in it.
pub(in crate::sources::episodes) fn is_lance_video(at: &Path) -> bool {
    table(at).is_ok_and(|table| is_table(&videos(&table)))
}

/// The table of videos that belongs to one of moments.
pub(super) fn videos(table: &Path) -> PathBuf {
    let stem = table.file_stem().unwrap_or_default().to_string_lossy();
    table.with_file_name(format!("{stem}{VIDEOS}.{EXTENSION}"))
}

/// The table of moments itself, or the one in a folder.
///
/// # Errors
/// If there is none, or there are several.
pub(super) fn table(at: &Path) -> Result<PathBuf, DataError> {
    if is_table(at) {
        return Ok(at.to_owned());
    }
    let tables = tables(at).map_err(|error| DataError::io(at, error))?;
    match &tables[..] {
        [table] => Ok(table.clone()),
        [] => Err(DataError::format(at, "is no Lance table, and there is no <name>.lance in it")),
        [first, second, ..] => {
            let name = |path: &Path| path.file_name().unwrap_or_default().display().to_string();
            let (count, first, second) = (tables.len(), name(first), name(second));
            Err(DataError::format(
                at,
                format!("has {count} Lance tables ({first}, {second}, ...); name the table itself"),
            ))
        }
    }
}

/// Where a new table of moments is written: the folder itself if it is called like one, or a new one in it.
#[cfg(feature = "lance")]
pub(super) fn new_table(at: &Path) -> PathBuf {
    if is_named(at) { at.to_owned() } else { new_table_in(at) }
}

/// Where a new table of moments is written in a folder.
#[cfg(feature = "lance")]
pub(super) fn new_table_in(at: &Path) -> PathBuf {
    at.join("episodes").with_extension(EXTENSION)
}

/// The tables of moments in a folder.
fn tables(at: &Path) -> std::io::Result<Vec<PathBuf>> {
    let paths = std::fs::read_dir(at)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<std::io::Result<Vec<PathBuf>>>()?;
    paths.retain(|path| is_named(path) && is_table(path));
    // Beside its moments; a table on its own may be called as it likes.
    let all = paths.clone();
    paths.retain(|path| !all.iter().any(|other| videos(other) == *path));
    paths.sort();
    Ok(paths)
}

/// Whether a folder has the versions of a table.
fn is_table(at: &Path) -> bool {
    at.join("_versions").is_dir()
}

fn is_named(at: &Path) -> bool {
    at.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(EXTENSION))
}
