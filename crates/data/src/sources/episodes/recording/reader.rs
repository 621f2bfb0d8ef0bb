//! Reading recorded episodes.

use std::collections::BTreeMap;
use std::path::Path;

use prevision_core::{Array2, FrameBuffer, Observations, Spaces};
use prevision_video::{FrameSource as _, OpenOptions, Video};

use super::archives::Archives;
use super::layout::{entries, spaces_path, video_path};
use crate::DataError;
use crate::sources::episodes::{Episode, EpisodeFrames, EpisodeSource};

/// A folder of recorded episodes in the layout that [`EpisodeWriter`](crate::EpisodeWriter) and stable-worldmodel write.
#[derive(Clone, Debug)]
pub struct EpisodeReader {
    archives: Archives,
    spaces: Option<Spaces>,
}

impl EpisodeReader {
    /// Opens a recording. Only the lengths and the spaces are read; columns and videos when they are asked for.
    ///
    /// # Errors
    /// If the folder, its `ep_len.npz` or its `ep_offset.npz` is missing or makes no sense, or its `spaces.json` makes none.
    pub fn open(dir: &Path) -> Result<Self, DataError> {
        let archives = Archives::open(dir, "<camera>/ep_<i>.mp4")?;
        let mut reader = Self { archives, spaces: None };
        reader.spaces = reader.read_spaces()?;
        Ok(reader)
    }

    /// First row of an episode in a [`column`](EpisodeSource::column).
    ///
    /// # Panics
    /// If there is no such episode.
    pub fn offset(&self, episode: usize) -> usize {
        self.archives.lengths[..episode].iter().sum()
    }

    /// A whole episode with all its cameras and columns; columns that `spaces.json` calls vector streams are among the observations.
    /// Reads every column file: for one episode, not for a loop over all.
    ///
    /// # Errors
    /// As [`EpisodeSource::column`] and [`EpisodeSource::frames`].
    ///
    /// # Panics
    /// If there is no such episode.
    pub fn episode(&self, episode: usize) -> Result<Episode, DataError> {
        let (offset, length) = (self.offset(episode), self.length(episode));
        let (mut observations, mut columns) = (Observations::default(), BTreeMap::new());
        for camera in self.cameras()? {
            let path = video_path(&self.archives.dir, &camera, episode);
            let mut video = Video::open(&path, &OpenOptions::default())?;
            if video.len() != length {
                let message = format!("has {} frames, ep_len.npz says {length}", video.len());
                return Err(DataError::format(path, message));
            }
            let mut frames = FrameBuffer::default();
            video.read(&(0..length).collect::<Vec<_>>(), &mut frames)?;
            observations.cameras.insert(camera, frames);
        }
        let is_vector = |name: &str| self.spaces.as_ref().is_some_and(|spaces| spaces.vectors.contains_key(name));
        for name in self.columns()? {
            let rows = self.column(&name)?.slice(offset, length);
            let into = if is_vector(&name) { &mut observations.vectors } else { &mut columns };
            into.insert(name, rows);
        }
        Ok(Episode { observations, columns })
    }

    fn read_spaces(&self) -> Result<Option<Spaces>, DataError> {
        let cameras = self.cameras()?;
        let mut places = cameras.iter().map(|camera| Some(camera.as_str())).chain([None]);
        let Some(path) =
            places.find_map(|camera| Some(spaces_path(&self.archives.dir, camera)).filter(|path| path.is_file()))
        else {
            return Ok(None);
        };
        let text = std::fs::read(&path).map_err(|error| DataError::io(&path, error))?;
        serde_json::from_slice(&text).map(Some).map_err(|error| DataError::format(path, error.to_string()))
    }
}

impl EpisodeSource for EpisodeReader {
    fn episodes(&self) -> usize {
        self.archives.lengths.len()
    }

    fn length(&self, episode: usize) -> usize {
        self.archives.lengths[episode]
    }

    /// The sub-folders that hold mp4 files.
    fn cameras(&self) -> Result<Vec<String>, DataError> {
        let mut names = vec![];
        for path in entries(&self.archives.dir)?.into_iter().filter(|path| path.is_dir()) {
            let videos =
                entries(&path)?.iter().any(|file| file.extension().is_some_and(|extension| extension == "mp4"));
            if let (true, Some(name)) = (videos, path.file_name().and_then(|name| name.to_str())) {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    fn columns(&self) -> Result<Vec<String>, DataError> {
        self.archives.columns()
    }

    /// Axes behind the second are flattened.
    fn column(&self, name: &str) -> Result<Array2, DataError> {
        self.archives.column(name)
    }

    fn spaces(&self) -> Option<&Spaces> {
        self.spaces.as_ref()
    }

    fn frames_of(&self, camera: &str, episode: usize) -> EpisodeFrames {
        EpisodeFrames::Video(video_path(&self.archives.dir, camera, episode))
    }
}
