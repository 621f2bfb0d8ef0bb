//! Writing videos with a table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prevision_core::{Array2, whole_file};

use super::header::{Header, video_column};
use super::vectors::vectors;
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};

/// The name of the table.
const TABLE: &str = "episodes.csv";

/// Writes videos as they come, `videos/CAMERA/ep_000000.mp4`, and the table at the end, placed by frame.
pub(in crate::sources::episodes) struct TableSink {
    root: PathBuf,
}

impl TableSink {
    pub(in crate::sources::episodes) fn new(root: &Path, recorded: &Recorded) -> Result<Self, DataError> {
        let mut header: Vec<String> = recorded.cameras.iter().map(|camera| video_column(&camera.name)).collect();
        header.push("frame".to_owned());
        header.extend(recorded.columns.iter().flat_map(|(name, rows)| parts(name, rows)));
        let bad = |message: String| DataError::format(root, format!("cannot be a table: {message}"));
        if recorded.cameras.is_empty() {
            return Err(bad("there is no camera".to_owned()));
        }
        if let Some(camera) = recorded.cameras.iter().find(|camera| camera.name.contains(['/', '\\'])) {
            return Err(bad(format!("camera `{}` has no name for a folder", camera.name)));
        }
        // Names may be those that a table gives another meaning.
        let header = Header::new(header).map_err(bad)?;
        let read = vectors(&header.values(), &BTreeMap::new()).map_err(bad)?;
        for (name, rows) in &recorded.columns {
            let same = |vector: &&super::Vector| vector.name == *name && vector.parts.len() == rows.columns;
            read.iter().find(same).ok_or_else(|| bad(format!("column `{name}` would be read as another one")))?;
        }
        Ok(Self { root: root.to_owned() })
    }
}

impl EpisodeSink for TableSink {
    fn write(&mut self, recorded: &Recorded, episode: usize) -> Result<(), DataError> {
        for camera in &recorded.cameras {
            recorded.write_video(camera, episode, &self.root.join(video(&camera.name, episode)))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>, recorded: &Recorded) -> Result<(), DataError> {
        let path = self.root.join(TABLE);
        let write = |partial: &Path| {
            let mut table = csv::Writer::from_path(partial)?;
            let mut record: Vec<String> = recorded.cameras.iter().map(|camera| video_column(&camera.name)).collect();
            record.push("frame".to_owned());
            record.extend(recorded.columns.iter().flat_map(|(name, rows)| parts(name, rows)));
            table.write_record(&record)?;
            for episode in 0..recorded.source.episodes() {
                let files: Vec<String> = recorded.cameras.iter().map(|camera| video(&camera.name, episode)).collect();
                for moment in 0..recorded.source.length(episode) {
                    record.clear();
                    record.extend(files.iter().cloned());
                    record.push(moment.to_string());
                    let row = recorded.offsets[episode] + moment;
                    // The shortest text that gives the same number.
                    let values = recorded.columns.iter().flat_map(|(_, rows)| rows.row(row));
                    record.extend(values.map(|value| format!("{value:?}")));
                    table.write_record(&record)?;
                }
            }
            table.flush()
        };
        whole_file::write_with(&path, write).map_err(|error| DataError::io(path, error))
    }
}

/// The names of the table's columns that a column becomes.
fn parts(name: &str, rows: &Array2) -> Vec<String> {
    match rows.columns {
        1 => vec![name.to_owned()],
        width => (0..width).map(|number| format!("{name}.{number}")).collect(),
    }
}

fn video(camera: &str, episode: usize) -> String {
    format!("videos/{camera}/ep_{episode:06}.mp4")
}
