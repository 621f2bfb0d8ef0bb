//! A recording in memory.

use std::collections::BTreeMap;

use prevision_core::{Array2, FrameBuffer, Spaces};

use super::{EpisodeFrames, EpisodeSource};
use crate::DataError;

/// A recording whose numbers are in memory: of a format that is small, or of a world that draws its frames when they are asked for.
pub struct EpisodesInMemory<F> {
    /// Moments of each episode.
    pub lengths: Vec<usize>,
    /// The spaces of the recorded world.
    pub spaces: Spaces,
    /// Every column, `[moments of all episodes, numbers in a row]`.
    pub columns: BTreeMap<String, Array2>,
    /// Some frames of a camera in an episode by number, in any order: camera, episode, numbers.
    pub frames: F,
}

impl<F> EpisodeSource for EpisodesInMemory<F>
where
    F: Fn(&str, usize, &[usize]) -> Result<FrameBuffer, DataError> + Send + Sync,
{
    fn episodes(&self) -> usize {
        self.lengths.len()
    }

    fn length(&self, episode: usize) -> usize {
        self.lengths[episode]
    }

    fn cameras(&self) -> Result<Vec<String>, DataError> {
        Ok(self.spaces.cameras.keys().cloned().collect())
    }

    fn columns(&self) -> Result<Vec<String>, DataError> {
        Ok(self.columns.keys().cloned().collect())
    }

    fn column(&self, name: &str) -> Result<Array2, DataError> {
        let known = || self.columns.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let column = self.columns.get(name).cloned();
        column.ok_or_else(|| DataError::Config(format!("the recording has no column `{name}`; it has {}", known())))
    }

    fn spaces(&self) -> Option<&Spaces> {
        Some(&self.spaces)
    }

    fn frames_of(&self, _: &str, _: usize) -> EpisodeFrames {
        EpisodeFrames::Own
    }

    fn frames(&self, camera: &str, episode: usize, indices: &[usize]) -> Result<FrameBuffer, DataError> {
        (self.frames)(camera, episode, indices)
    }
}
