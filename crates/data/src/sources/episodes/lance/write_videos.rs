//! A recording of another format, written as a table of moments and one of videos.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{Int32Array, LargeBinaryArray, StringArray};
use arrow_schema::{DataType, Field, Schema};

use super::new_table::NewTable;
use super::write::{lance_name, schema, write_moments};
use super::{CAMERA, EPISODE, VIDEO, place};
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::sources::episodes::names::check_names;

/// What marks a column whose values are not read along with the others.
const BLOB: (&str, &str) = ("lance-encoding:blob", "true");

/// Writes moments and videos.
pub(in crate::sources::episodes) struct LanceVideoSink {
    moments: NewTable,
    videos: NewTable,
    /// Where a video is before it is in the table.
    video: PathBuf,
}

impl LanceVideoSink {
    pub(in crate::sources::episodes) fn new(at: &Path, recorded: &Recorded) -> Result<Self, DataError> {
        check_names(at, recorded)?;
        let dir = place::new_table_in(at);
        let schema = schema(&dir, recorded, std::iter::empty())?;
        let blob = HashMap::from([(BLOB.0.to_owned(), BLOB.1.to_owned())]);
        let of_videos = Schema::new(vec![
            Field::new(EPISODE, DataType::Int32, true),
            Field::new(CAMERA, DataType::Utf8, true),
            Field::new(VIDEO, DataType::LargeBinary, true).with_metadata(blob),
        ]);
        let videos = NewTable::create(place::videos(&dir), of_videos)?;
        Ok(Self { moments: NewTable::create(dir, schema)?, videos, video: at.join("video.partial.mp4") })
    }
}

impl EpisodeSink for LanceVideoSink {
    fn write(&mut self, recorded: &Recorded, episode: usize) -> Result<(), DataError> {
        for camera in &recorded.cameras {
            recorded.write_video(camera, episode, &self.video)?;
            let bytes = std::fs::read(&self.video).map_err(|error| DataError::io(&self.video, error))?;
            self.videos.append(vec![
                Arc::new(Int32Array::from(vec![episode as i32])),
                Arc::new(StringArray::from(vec![lance_name(&camera.name)])),
                Arc::new(LargeBinaryArray::from_vec(vec![&bytes])),
            ])?;
        }
        write_moments(&mut self.moments, recorded, episode, |_, _| vec![])
    }

    fn finish(self: Box<Self>, _: &Recorded) -> Result<(), DataError> {
        if self.video.exists() {
            std::fs::remove_file(&self.video).map_err(|error| DataError::io(&self.video, error))?;
        }
        self.videos.finish()?;
        self.moments.finish()
    }
}
