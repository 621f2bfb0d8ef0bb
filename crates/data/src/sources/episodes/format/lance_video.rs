//! stable-worldmodel's `lance_video` format.

use std::path::Path;

use super::{EpisodeFormat, EpisodeSource};
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::sources::episodes::lance;

/// The format of Lance tables with a video for each episode and camera.
pub(super) struct LanceVideoFormat;

impl EpisodeFormat for LanceVideoFormat {
    fn name(&self) -> &'static str {
        "lance_video"
    }

    fn detect(&self, at: &Path) -> bool {
        lance::is_lance_video(at)
    }

    #[cfg(feature = "lance")]
    fn open(&self, at: &Path) -> Result<Box<dyn EpisodeSource>, DataError> {
        Ok(Box::new(lance::LanceVideos::open(at)?))
    }

    #[cfg(feature = "lance")]
    fn create(&self, at: &Path, recorded: &Recorded) -> Result<Box<dyn EpisodeSink>, DataError> {
        Ok(Box::new(lance::LanceVideoSink::new(at, recorded)?))
    }

    #[cfg(not(feature = "lance"))]
    fn open(&self, at: &Path) -> Result<Box<dyn EpisodeSource>, DataError> {
        Err(lance::not_built(at))
    }

    #[cfg(not(feature = "lance"))]
    fn create(&self, at: &Path, _: &Recorded) -> Result<Box<dyn EpisodeSink>, DataError> {
        Err(lance::not_built(at))
    }
}
