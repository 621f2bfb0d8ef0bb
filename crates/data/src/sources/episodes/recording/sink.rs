//! A recording of another format, written in this layout.

use std::path::{Path, PathBuf};

use super::layout::{LENGTHS, OFFSETS, column_path, is_name, video_path};
use super::npz;
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};

/// What `LeRobot` puts before the names of its streams.
const PREFIXES: [&str; 2] = ["observation.images.", "observation."];
/// Columns in which `LeRobot` counts, which this layout has no need of.
const COUNTS: [&str; 5] = ["timestamp", "frame_index", "episode_index", "index", "task_index"];

/// Writes videos as they come, and the columns at the end.
pub(in crate::sources::episodes) struct RecordingSink {
    dir: PathBuf,
}

impl RecordingSink {
    pub(in crate::sources::episodes) fn new(dir: &Path, recorded: &Recorded) -> Result<Self, DataError> {
        let cameras = recorded.cameras.iter().map(|camera| &camera.name);
        for name in cameras.chain(recorded.columns.iter().map(|(name, _)| name)).map(|name| short(name)) {
            if !is_name(name) {
                let message = format!("a stream cannot be called `{name}`: its name becomes that of a file or folder");
                return Err(DataError::format(dir, message));
            }
        }
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
        for (name, rows) in recorded.columns.iter().filter(|(name, _)| !COUNTS.contains(&name.as_str())) {
            npz::write(&column_path(&self.dir, short(name)), &[rows.rows, rows.columns], &rows.data)?;
        }
        let episodes = recorded.offsets.len() - 1;
        let offsets: Vec<i64> = recorded.offsets[..episodes].iter().map(|&offset| offset as i64).collect();
        let lengths: Vec<i32> = recorded.offsets.windows(2).map(|pair| (pair[1] - pair[0]) as i32).collect();
        npz::write(&column_path(&self.dir, OFFSETS), &[episodes], &offsets)?;
        npz::write(&column_path(&self.dir, LENGTHS), &[episodes], &lengths)
    }
}

/// A stream's name without what `LeRobot` puts before it.
fn short(name: &str) -> &str {
    PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}
