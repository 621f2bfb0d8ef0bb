//! stable-worldmodel's `folder` format: one picture for each moment and camera, one numpy archive for each column.

use std::path::Path;

use super::{EpisodeFormat, EpisodeSource};
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::sources::episodes::folder::{Folder, FolderSink};

/// The format of folders of pictures. Written as JPEG, which is lossy.
pub(super) struct FolderFormat;

impl EpisodeFormat for FolderFormat {
    fn name(&self) -> &'static str {
        "folder"
    }

    fn detect(&self, at: &Path) -> bool {
        Folder::is_there(at)
    }

    fn open(&self, at: &Path) -> Result<Box<dyn EpisodeSource>, DataError> {
        Ok(Box::new(Folder::open(at)?))
    }

    fn create(&self, at: &Path, recorded: &Recorded) -> Result<Box<dyn EpisodeSink>, DataError> {
        Ok(Box::new(FolderSink::new(at, recorded)?))
    }
}
