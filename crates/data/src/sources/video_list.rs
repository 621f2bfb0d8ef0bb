//! Video files as a recording without numbers, so that one look fits both.

use std::path::{Path, PathBuf};

use prevision_core::Array2;
use prevision_video::OpenOptions;

use super::one_camera::PIXELS;
use super::{EpisodeFrames, EpisodeSource, Formats};
use crate::DataError;
use crate::files::{IndexCache, Indices, find_videos};
use crate::parallel::in_parallel;

/// Videos, each an episode of the camera [`PIXELS`].
struct VideoList {
    /// The file, and its number of frames; 0 if it cannot be read.
    videos: Vec<(PathBuf, usize)>,
}

/// Opens recorded episodes in the format of this name or in the first that is found there, or else videos: a folder of them, a manifest,
/// a single one. Says which format it is; `None` for videos.
///
/// # Errors
/// If there is neither, or it cannot be read: of videos, all of them.
pub fn open_recording(
    path: &Path,
    format: Option<&str>,
    formats: &Formats,
    workers: usize,
) -> Result<(Option<String>, Box<dyn EpisodeSource>), DataError> {
    if let Some(name) = format.map(str::to_owned).or_else(|| formats.detect(path)) {
        return Ok((Some(name.clone()), formats.open(path, Some(&name))?));
    }
    let files = find_videos(path)?;
    let indices = Indices::new(IndexCache::of_user());
    let frames = |number: usize| {
        let index = indices.get(number, &files[number].path, &OpenOptions::default());
        index.map(|(index, _)| index.timestamps().len())
    };
    let lengths = in_parallel(workers, files.len(), &|_, _| (), frames);
    if let Some(Err(reason)) = lengths.first()
        && lengths.iter().all(Result::is_err)
    {
        let message = format!("none of its videos can be read; the first: {}: {reason}", files[0].path.display());
        return Err(DataError::Empty { path: path.to_owned(), message });
    }
    let lengths = lengths.into_iter().map(|length| length.unwrap_or(0));
    let videos = files.iter().map(|file| file.path.clone()).zip(lengths).collect();
    Ok((None, Box::new(VideoList { videos })))
}

impl EpisodeSource for VideoList {
    fn episodes(&self) -> usize {
        self.videos.len()
    }

    fn length(&self, episode: usize) -> usize {
        self.videos[episode].1
    }

    fn cameras(&self) -> Result<Vec<String>, DataError> {
        Ok(vec![PIXELS.to_owned()])
    }

    fn columns(&self) -> Result<Vec<String>, DataError> {
        Ok(vec![])
    }

    fn column(&self, name: &str) -> Result<Array2, DataError> {
        Err(DataError::Config(format!("videos have no column `{name}`")))
    }

    fn frames_of(&self, _: &str, episode: usize) -> EpisodeFrames {
        EpisodeFrames::Video(self.videos[episode].0.clone())
    }
}
