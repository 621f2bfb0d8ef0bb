//! A recording of another format, written as a folder of pictures.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageError};

use super::{EXTENSIONS, picture_path};
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::sources::episodes::names::{check_names, short};
use crate::sources::episodes::recording::Archives;

/// Quality of the pictures, of 100. The encoder keeps the full resolution of the colours.
const QUALITY: u8 = 95;

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

fn write(path: &Path, (width, height): (usize, usize), samples: &[u8]) -> Result<(), DataError> {
    let io = |error| DataError::io(path, error);
    let mut file = BufWriter::new(File::create(path).map_err(io)?);
    JpegEncoder::new_with_quality(&mut file, QUALITY)
        .encode(samples, width as u32, height as u32, ExtendedColorType::Rgb8)
        .map_err(|error| match error {
            ImageError::IoError(error) => io(error),
            other => DataError::format(path, other.to_string()),
        })?;
    file.flush().map_err(io)
}
