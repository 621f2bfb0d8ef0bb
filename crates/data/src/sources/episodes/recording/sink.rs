//! A recording of another format, written in this layout.

use std::path::{Path, PathBuf};

use super::layout::{LENGTHS, OFFSETS, column_path, video_path};
use super::npz;
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::sources::episodes::names::{check_names, own_columns, short};

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
        for (name, rows) in own_columns(recorded) {
            npz::write(&column_path(&self.dir, name), &[rows.rows, rows.columns], &rows.data)?;
        }
        let episodes = recorded.offsets.len() - 1;
        let offsets: Vec<i64> = recorded.offsets[..episodes].iter().map(|&offset| offset as i64).collect();
        let lengths: Vec<i32> = recorded.offsets.windows(2).map(|pair| (pair[1] - pair[0]) as i32).collect();
        npz::write(&column_path(&self.dir, OFFSETS), &[episodes], &offsets)?;
        npz::write(&column_path(&self.dir, LENGTHS), &[episodes], &lengths)
    }
}
