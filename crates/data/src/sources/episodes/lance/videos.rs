//! A table of moments with one of videos.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prevision_core::{Array2, whole_file};
use prevision_storage::cache_folder;

use super::moments::Lance;
use super::table::Table;
use super::{CAMERA, EPISODE, VIDEO, numbers, place};
use crate::DataError;
use crate::sources::episodes::recording::is_name;
use crate::sources::episodes::{EpisodeFrames, EpisodeSource};

/// An open pair of tables.
pub(in crate::sources::episodes) struct LanceVideos {
    moments: Lance,
    cameras: BTreeSet<String>,
    /// Where the videos are unpacked.
    folder: PathBuf,
}

impl LanceVideos {
    /// Opens the tables and unpacks the videos, which decoders read as files, unless that was done before.
    ///
    /// # Errors
    /// If a table cannot be read, an episode has no video of a camera, or the videos cannot be unpacked.
    pub(in crate::sources::episodes) fn open(at: &Path) -> Result<Self, DataError> {
        let dir = place::table(at)?;
        let moments = Lance::of(Table::open(&dir)?)?;
        let videos = Table::open(&place::videos(&dir))?;
        let (numbers, names) = (numbers::read(&videos, EPISODE)?, videos.texts(CAMERA)?);
        let cameras: BTreeSet<String> = names.iter().cloned().collect();
        if let Some(camera) = cameras.iter().find(|camera| !is_name(camera)) {
            let message = format!("has a camera `{camera}`, whose name cannot be that of a folder");
            return Err(DataError::format(videos.dir(), message));
        }
        let rows: HashMap<(u32, &str), usize> =
            names.iter().enumerate().map(|(row, name)| ((numbers.row(row)[0].to_bits(), name.as_str()), row)).collect();
        let folder =
            cache_folder().unwrap_or_else(std::env::temp_dir).join("lance").join(format!("{:016x}", videos.identity()));
        for camera in &cameras {
            for (episode, number) in moments.numbers().iter().enumerate() {
                let row = rows.get(&(number.to_bits(), camera.as_str())).copied().ok_or_else(|| {
                    let message = format!("has no video of camera `{camera}` for episode {number}");
                    DataError::format(videos.dir(), message)
                })?;
                unpack(&videos, row, &video_path(&folder, camera, episode))?;
            }
        }
        Ok(Self { moments, cameras, folder })
    }
}

fn video_path(folder: &Path, camera: &str, episode: usize) -> PathBuf {
    folder.join(camera).join(format!("ep_{episode}.mp4"))
}

/// Writes one video into a file, which is whole or not there.
fn unpack(videos: &Arc<Table>, row: usize, to: &Path) -> Result<(), DataError> {
    if to.is_file() {
        return Ok(());
    }
    let folder = to.parent().unwrap_or(to);
    std::fs::create_dir_all(folder).map_err(|error| DataError::io(folder, error))?;
    videos.bytes(VIDEO, &[row], |bytes| {
        whole_file::write(to, bytes).map_err(|error| format!("{}: {error}", to.display()))
    })
}

impl EpisodeSource for LanceVideos {
    fn episodes(&self) -> usize {
        self.moments.episodes()
    }

    fn length(&self, episode: usize) -> usize {
        self.moments.length(episode)
    }

    fn cameras(&self) -> Result<Vec<String>, DataError> {
        Ok(self.cameras.iter().cloned().collect())
    }

    fn columns(&self) -> Result<Vec<String>, DataError> {
        self.moments.columns()
    }

    fn column(&self, name: &str) -> Result<Array2, DataError> {
        self.moments.column(name)
    }

    fn frames_of(&self, camera: &str, episode: usize) -> EpisodeFrames {
        EpisodeFrames::Video(video_path(&self.folder, camera, episode))
    }
}
