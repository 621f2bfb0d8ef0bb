//! A recording of another format, written as a folder of pictures.

use std::path::{Path, PathBuf};

use super::{EXTENSIONS, picture_path};
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::pixels::encode_jpeg;
use crate::sources::episodes::names::{check_names, short};
use crate::sources::episodes::recording::Archives;

/// Writes pictures as they come, and the columns at the end.
pub(in crate::sources::episodes) struct FolderSink {
    dir: PathBuf,
}

impl FolderSink {
    pub(in crate::sources::episodes) fn new(dir: &Path, recorded: &Recorded) -> Result<Self, DataError> {
        check_names(dir, recorded)?;
        if recorded.cameras.is_empty() {
            return Err(DataError::format(dir, "a folder of pictures needs a camera, the recording has none"));
        }
        for camera in &recorded.cameras {
            let folder = dir.join(short(&camera.name));
            std::fs::create_dir(&folder).map_err(|error| DataError::io(folder, error))?;
        }
        Ok(Self { dir: dir.to_owned() })
    }
}

impl EpisodeSink for FolderSink {
    fn write(&mut self, recorded: &Recorded, episode: usize) -> Result<(), DataError> {
        for camera in &recorded.cameras {
            let folder = self.dir.join(short(&camera.name));
            recorded.each_frame(camera, episode, |moment, samples| {
                let path = picture_path(&folder, episode, moment, EXTENSIONS[0]);
                write(&path, (camera.width, camera.height), samples)
            })?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>, recorded: &Recorded) -> Result<(), DataError> {
        Archives::write(&self.dir, recorded)
    }
}

fn write(path: &Path, size: (usize, usize), samples: &[u8]) -> Result<(), DataError> {
    let picture = encode_jpeg(samples, size).map_err(|message| DataError::format(path, message))?;
    std::fs::write(path, picture).map_err(|error| DataError::io(path, error))
}
