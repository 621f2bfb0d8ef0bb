//! The list of the episodes of a `LeRobot` data set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::info::{Feature, Info};
use crate::DataError;
use crate::files::content;
use crate::tables::ParquetTable;

/// Where the parts of an episode are, below the data set's folder.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EpisodeRecord {
    /// Moments.
    pub(super) length: usize,
    /// The file of its columns.
    pub(super) data: PathBuf,
    /// The first of its rows in that file.
    pub(super) row: usize,
    /// Per camera the video, and the frame of it that is the first of the episode; `None` if the video is of the episode alone.
    pub(super) videos: BTreeMap<String, (PathBuf, Option<usize>)>,
}

/// A line of `meta/episodes.jsonl`.
#[derive(Deserialize)]
struct Line {
    episode_index: usize,
    length: usize,
}

/// The list of version 2.
///
/// # Errors
/// If it cannot be read or makes no sense.
pub(super) fn list_two(root: &Path, info: &Info) -> Result<Vec<EpisodeRecord>, DataError> {
    let path = root.join("meta/episodes.jsonl");
    let text = String::from_utf8(content::read(&path)?);
    let text = text.map_err(|_| DataError::format(&path, "is not UTF-8"))?;
    let cameras = info.names(Feature::is_video);
    let mut episodes = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let bad = |message: String| DataError::format(&path, format!("line {}: {message}", number + 1));
        let Line { episode_index, length } = serde_json::from_str(line).map_err(|error| bad(error.to_string()))?;
        let chunk = episode_index / info.chunks_size;
        let video = |camera: &String| {
            let file = info.video_file(camera, chunk, episode_index).map_err(bad)?;
            Ok((camera.clone(), (file, None)))
        };
        episodes.push(EpisodeRecord {
            length,
            data: info.data_file(chunk, episode_index).map_err(bad)?,
            row: 0,
            videos: cameras.iter().map(video).collect::<Result<_, DataError>>()?,
        });
    }
    info.check_count(episodes.len()).map_err(|message| DataError::format(path, message))?;
    Ok(episodes)
}

/// The list of version 3.
///
/// # Errors
/// If it cannot be read or makes no sense.
pub(super) fn list_three(root: &Path, info: &Info) -> Result<Vec<EpisodeRecord>, DataError> {
    let cameras = info.names(Feature::is_video);
    let mut episodes = Vec::new();
    let (paths, most) = (lists(root)?, info.total_episodes.unwrap_or(usize::MAX));
    for path in &paths {
        let table = ParquetTable::open(path)?.at_most(most);
        let bad = |message: String| DataError::format(path, message);
        let counts = |name: &str| {
            let counts = table.numbers(name)?.counts();
            counts.map_err(|message| bad(format!("column `{name}` {message}")))
        };
        let (lengths, chunks, files) = (counts("length")?, counts("data/chunk_index")?, counts("data/file_index")?);
        let mut videos = Vec::with_capacity(cameras.len());
        for camera in &cameras {
            let chunks = counts(&format!("videos/{camera}/chunk_index"))?;
            let files = counts(&format!("videos/{camera}/file_index"))?;
            let starts = table.numbers(&format!("videos/{camera}/from_timestamp"))?.values;
            videos.push((camera, chunks, files, starts));
        }
        for row in 0..lengths.len() {
            let mut of_cameras = BTreeMap::new();
            for (camera, chunks, files, starts) in &videos {
                let file = info.video_file(camera, chunks[row], files[row]).map_err(bad)?;
                let first = (starts[row] * info.fps).round();
                if !(0.0..1e15).contains(&first) {
                    return Err(bad(format!("videos/{camera}/from_timestamp is {} in row {row}", starts[row])));
                }
                of_cameras.insert((*camera).clone(), (file, Some(first as usize)));
            }
            episodes.push(EpisodeRecord {
                length: lengths[row],
                data: info.data_file(chunks[row], files[row]).map_err(bad)?,
                row: 0,
                videos: of_cameras,
            });
        }
    }
    info.check_count(episodes.len()).map_err(|message| DataError::format(&paths[0], message))?;
    Ok(episodes)
}

/// The files of the list, in order: `meta/episodes/chunk-000/file-000.parquet`, ...
fn lists(root: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut lists = Vec::new();
    let name = |chunk: usize, file: usize| root.join(format!("meta/episodes/chunk-{chunk:03}/file-{file:03}.parquet"));
    for chunk in 0.. {
        let before = lists.len();
        for file in 0.. {
            let path = name(chunk, file);
            if !content::is_there(&path)? {
                break;
            }
            lists.push(path);
        }
        if lists.len() == before {
            break;
        }
    }
    if lists.is_empty() {
        Err(DataError::format(name(0, 0), "is missing, where the episodes are listed"))
    } else {
        Ok(lists)
    }
}
