//! A recording of another format, written in this layout.

use std::path::{Path, PathBuf};

use super::archives::Archives;
use super::layout::video_path;
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::sources::episodes::names::{check_names, short};

/// Writes videos as they come, and the columns at the end.
pub(in crate::sources::episodes) struct RecordingSink {
    dir: PathBuf,
}

impl RecordingSink {
    pub(in crate::sources::episodes) fn new(dir: &Path, recorded: &Recorded) -> Result<Self, DataError> {
        check_names(dir, recorded)?;
        Ok(Self { dir: dir.to_owned() })
    }
}

impl EpisodeSink for RecordingSink {
    fn write(&mut self, recorded: &Recorded, episode: usize) -> Result<(), DataError> {
        for camera in &recorded.cameras {
            recorded.write_video(camera, episode, &video_path(&self.dir, short(&camera.name), episode))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>, recorded: &Recorded) -> Result<(), DataError> {
        Archives::write(&self.dir, recorded)
    }
}
