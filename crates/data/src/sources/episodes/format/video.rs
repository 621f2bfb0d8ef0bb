//! stable-worldmodel's `video` format: one mp4 for each episode and camera, one numpy archive for each column.

use std::path::Path;

use super::{EpisodeFormat, EpisodeSource};
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::sources::episodes::recording::{EpisodeReader, RecordingSink, is_recording};

/// The format that [`EpisodeWriter`](crate::EpisodeWriter) writes.
pub(super) struct VideoFormat;

impl EpisodeFormat for VideoFormat {
    fn name(&self) -> &'static str {
        "video"
    }

    fn detect(&self, at: &Path) -> bool {
        is_recording(at)
    }

    fn open(&self, at: &Path) -> Result<Box<dyn EpisodeSource>, DataError> {
        Ok(Box::new(EpisodeReader::open(at)?))
    }

    fn create(&self, at: &Path, recorded: &Recorded) -> Result<Box<dyn EpisodeSink>, DataError> {
        Ok(Box::new(RecordingSink::new(at, recorded)?))
    }
}
