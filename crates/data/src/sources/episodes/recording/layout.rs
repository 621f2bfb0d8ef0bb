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

/// What the files in the folder of a camera are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sources::episodes) enum Frames {
    /// mp4, a file for each episode.
    Videos,
    /// JPEG or PNG, a file for each moment.
    Pictures,
}

/// What the frames in a recording's folder are; videos where there are both, none where there are neither.
pub(in crate::sources::episodes) fn frames_in(dir: &Path) -> Option<Frames> {
    let mut found = None;
    for folder in entries(dir).ok()?.into_iter().filter(|path| path.is_dir()) {
        match frames_of_camera(&folder) {
            Some(Frames::Videos) => return Some(Frames::Videos),
            of_camera => found = found.or(of_camera),
        }
    }
    found
}

/// What the frames in the folder of a camera are, by the first file that tells.
pub(in crate::sources::episodes) fn frames_of_camera(dir: &Path) -> Option<Frames> {
    std::fs::read_dir(dir).ok()?.filter_map(Result::ok).find_map(|entry| match entry.path().extension()?.to_str()? {
        "mp4" => Some(Frames::Videos),
        "jpeg" | "jpg" | "png" => Some(Frames::Pictures),
        _ => None,
    })
}

/// Whether a folder holds a recording with videos, or one without frames, finished or not.
pub(in crate::sources::episodes) fn is_recording(dir: &Path) -> bool {
    // An unfinished one has its videos, and nothing that this layout does not have.
    let own = |path: &PathBuf| path.is_dir() || path.extension().is_some_and(|extension| extension == "npz");
    let unfinished =
        |paths: Vec<PathBuf>| paths.iter().all(own) && paths.iter().any(|path| path.join("ep_0.mp4").is_file());
    let frames = || frames_in(dir) != Some(Frames::Pictures);
    (column_path(dir, LENGTHS).is_file() && frames()) || entries(dir).is_ok_and(unfinished)
}

/// What is in a folder, sorted.
pub(in crate::sources::episodes) fn entries(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
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
