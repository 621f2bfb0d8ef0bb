//! Replay buffers in Zarr, as diffusion policy keeps them.

use std::path::Path;

use super::{EpisodeFormat, EpisodeSource};
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::sources::episodes::zarr::{Zarr, ZarrSink};

/// The format of replay buffers: Zarr v2 and v3 are read, v2 is written.
pub(super) struct ZarrFormat;

impl EpisodeFormat for ZarrFormat {
    fn name(&self) -> &'static str {
        "zarr"
    }

    fn detect(&self, at: &Path) -> bool {
        Zarr::is_there(at)
    }

    fn open(&self, at: &Path) -> Result<Box<dyn EpisodeSource>, DataError> {
        Ok(Box::new(Zarr::open(at)?))
    }

    fn create(&self, at: &Path, recorded: &Recorded) -> Result<Box<dyn EpisodeSink>, DataError> {
        Ok(Box::new(ZarrSink::new(at, recorded)?))
    }
}
