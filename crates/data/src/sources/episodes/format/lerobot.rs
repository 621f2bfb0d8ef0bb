//! `LeRobot` data sets of Hugging Face.

use std::path::Path;

use super::{EpisodeFormat, EpisodeSource};
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::sources::episodes::lerobot::{LeRobot, LeRobotSink};

/// The format of `lerobot`: versions 2.0 to 3.0 are read, 3.0 is written.
pub(super) struct LeRobotFormat;

impl EpisodeFormat for LeRobotFormat {
    fn name(&self) -> &'static str {
        "lerobot"
    }

    fn detect(&self, at: &Path) -> bool {
        LeRobot::is_there(at)
    }

    fn open(&self, at: &Path) -> Result<Box<dyn EpisodeSource>, DataError> {
        Ok(Box::new(LeRobot::open(at)?))
    }

    fn create(&self, at: &Path, recorded: &Recorded) -> Result<Box<dyn EpisodeSink>, DataError> {
        Ok(Box::new(LeRobotSink::new(at, recorded)?))
    }
}
