//! stable-worldmodel's `hdf5` format: one HDF5 file.

use std::path::Path;

use super::{EpisodeFormat, EpisodeSource};
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::sources::episodes::hdf5::{Hdf5Recording, Hdf5Sink, is_hdf5};

/// The format of a file `.h5` or `.hdf5`, or of a folder with one of them.
pub(super) struct Hdf5Format;

impl EpisodeFormat for Hdf5Format {
    fn name(&self) -> &'static str {
        "hdf5"
    }

    fn detect(&self, at: &Path) -> bool {
        is_hdf5(at)
    }

    fn open(&self, at: &Path) -> Result<Box<dyn EpisodeSource>, DataError> {
        Ok(Box::new(Hdf5Recording::open(at)?))
    }

    fn create(&self, at: &Path, recorded: &Recorded) -> Result<Box<dyn EpisodeSink>, DataError> {
        Ok(Box::new(Hdf5Sink::new(at, recorded)?))
    }
}
