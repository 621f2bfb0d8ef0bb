//! Names of files and folders.

use std::path::{Path, PathBuf};

use crate::DataError;

/// The column of the episodes' lengths.
pub(in crate::sources::episodes) const LENGTHS: &str = "ep_len";
/// The column of the episodes' first rows.
pub(in crate::sources::episodes) const OFFSETS: &str = "ep_offset";
/// The spaces of the recorded world.
const SPACES: &str = "spaces.json";

pub(super) fn column_path(dir: &Path, column: &str) -> PathBuf {
    dir.join(format!("{column}.npz"))
}

pub(super) fn video_path(dir: &Path, camera: &str, episode: usize) -> PathBuf {
    dir.join(camera).join(format!("ep_{episode}.mp4"))
}

/// In the folder of the first camera, if there is one.
pub(super) fn spaces_path(dir: &Path, first_camera: Option<&str>) -> PathBuf {
    first_camera.map_or(dir.to_owned(), |camera| dir.join(camera)).join(SPACES)
}

/// Whether a folder holds a recording, finished or not.
pub(in crate::sources::episodes) fn is_recording(dir: &Path) -> bool {
    let has_video = |folders: Vec<PathBuf>| folders.iter().any(|folder| folder.join("ep_0.mp4").is_file());
    column_path(dir, LENGTHS).is_file() || entries(dir).is_ok_and(has_video)
}

/// What is in a folder, sorted.
pub(super) fn entries(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let list = std::fs::read_dir(dir).map_err(|error| DataError::io(dir, error))?;
    let mut paths = list
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| DataError::io(dir, error))?;
    paths.sort();
    Ok(paths)
}

/// Whether a camera or column can be called so: its name becomes that of a folder or file.
pub(in crate::sources::episodes) fn is_name(name: &str) -> bool {
    let reserved = [LENGTHS, OFFSETS].contains(&name);
    !(name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) || reserved)
}
