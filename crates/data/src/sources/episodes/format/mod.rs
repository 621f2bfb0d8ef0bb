//! Formats of recorded episodes, one file each.

mod folder;
mod formats;
mod hdf5;
mod lance;
mod lance_video;
mod lerobot;
mod table;
mod video;
mod zarr;

use std::path::{Path, PathBuf};

use prevision_core::{Array2, FrameBuffer, Spaces};
use prevision_video::{FrameSource as _, OpenOptions, Video};

use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};

pub use formats::Formats;

/// A layout in which episodes are recorded.
pub trait EpisodeFormat: Send + Sync {
    /// The name under which a configuration asks for it.
    fn name(&self) -> &str;

    /// Whether there is a recording of this format at a place: a cheap look, without opening it. By default whether the place has
    /// the format's name as its extension.
    fn detect(&self, at: &Path) -> bool {
        at.extension().is_some_and(|extension| extension == self.name())
    }

    /// Opens a recording. Only lists are read.
    ///
    /// # Errors
    /// If it is missing, unfinished or makes no sense.
    fn open(&self, at: &Path) -> Result<Box<dyn EpisodeSource>, DataError>;

    /// Begins a recording in an empty folder, for [`convert`](crate::convert::convert). By default the format is read only.
    ///
    /// # Errors
    /// If the format is not written, or does not hold what was recorded.
    fn create(&self, at: &Path, recorded: &Recorded) -> Result<Box<dyn EpisodeSink>, DataError> {
        let _ = recorded;
        Err(DataError::format(at, format!("the format `{}` is read and not written", self.name())))
    }
}

/// A name and a function that opens a recording are a format.
impl<F> EpisodeFormat for (&'static str, F)
where
    F: Fn(&Path) -> Result<Box<dyn EpisodeSource>, DataError> + Send + Sync,
{
    fn name(&self) -> &str {
        self.0
    }

    fn open(&self, at: &Path) -> Result<Box<dyn EpisodeSource>, DataError> {
        (self.1)(at)
    }
}

/// Where the frames of a camera in one episode are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EpisodeFrames {
    /// In a video file that holds these frames and no others.
    Video(PathBuf),
    /// In a video file that several episodes share.
    Part {
        /// The file.
        path: PathBuf,
        /// The frame of the file that is the episode's first.
        first: usize,
    },
    /// In no video file: [`EpisodeSource::frames`] gives them.
    Own,
}

/// First row of each episode in a column, and the number of all rows.
pub(crate) fn offsets(source: &dyn EpisodeSource) -> Vec<usize> {
    let mut offsets = vec![0];
    for episode in 0..source.episodes() {
        offsets.push(offsets[episode] + source.length(episode));
    }
    offsets
}

/// A recording that is open. All threads of a loader read it at once.
pub trait EpisodeSource: Send + Sync {
    /// Number of episodes.
    fn episodes(&self) -> usize;

    /// Moments of an episode: frames of each camera, rows of each column.
    ///
    /// # Panics
    /// If there is no such episode.
    fn length(&self, episode: usize) -> usize;

    /// Names of the cameras, sorted.
    ///
    /// # Errors
    /// If they cannot be listed.
    fn cameras(&self) -> Result<Vec<String>, DataError>;

    /// Names of the columns of numbers, sorted.
    ///
    /// # Errors
    /// If they cannot be listed.
    fn columns(&self) -> Result<Vec<String>, DataError>;

    /// A whole column, `[moments of all episodes, numbers in a row]`: the rows of the first episode, then those of the second, and so
    /// on.
    ///
    /// # Errors
    /// If there is no such column, or it cannot be read.
    fn column(&self, name: &str) -> Result<Array2, DataError>;

    /// The spaces of the recorded world, if the recording tells them. `action` is the space of the column `action`.
    fn spaces(&self) -> Option<&Spaces> {
        None
    }

    /// Where the frames of a camera in an episode are.
    fn frames_of(&self, camera: &str, episode: usize) -> EpisodeFrames;

    /// Some frames of an episode by number, in any order, as stored, `[indices.len(), h, w, 3]`. A format whose frames are in no
    /// video file has to bring this; otherwise they are read out of the file.
    ///
    /// # Errors
    /// If they cannot be read.
    fn frames(&self, camera: &str, episode: usize, indices: &[usize]) -> Result<FrameBuffer, DataError> {
        read_frames(camera, self.frames_of(camera, episode), indices)
    }

    /// Moments a second, where frames are in no video file that tells it.
    fn frame_rate(&self) -> Option<f64> {
        None
    }

    /// What was to be done, in words, by the number that the column `task_index` has in each row. Empty if the recording does not
    /// tell.
    fn tasks(&self) -> &[String] {
        &[]
    }
}

/// Some frames out of the file where they are.
pub(crate) fn read_frames(camera: &str, at: EpisodeFrames, indices: &[usize]) -> Result<FrameBuffer, DataError> {
    let (path, first) = match at {
        EpisodeFrames::Video(path) => (path, 0),
        EpisodeFrames::Part { path, first } => (path, first),
        EpisodeFrames::Own => {
            return Err(DataError::Config(format!("the format of the recording gives no frames of camera `{camera}`")));
        }
    };
    let indices: Vec<usize> = indices.iter().map(|index| first + index).collect();
    let mut frames = FrameBuffer::default();
    Video::open(&path, &OpenOptions::default())?.read(&indices, &mut frames)?;
    Ok(frames)
}
