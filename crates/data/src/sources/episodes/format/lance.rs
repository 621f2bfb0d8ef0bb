//! stable-worldmodel's `lance` format.

use std::path::Path;

use super::{EpisodeFormat, EpisodeSource};
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::sources::episodes::lance;

/// The format of Lance tables with a picture for each moment.
pub(super) struct LanceFormat;

impl EpisodeFormat for LanceFormat {
    fn name(&self) -> &'static str {
        "lance"
    }

    fn detect(&self, at: &Path) -> bool {
        lance::is_lance(at)
    }

    #[cfg(feature = "lance")]
    fn open(&self, at: &Path) -> Result<Box<dyn EpisodeSource>, DataError> {
        Ok(Box::new(lance::Lance::open(at)?))
    }

    #[cfg(feature = "lance")]
    fn create(&self, at: &Path, recorded: &Recorded) -> Result<Box<dyn EpisodeSink>, DataError> {
        Ok(Box::new(lance::LanceSink::new(at, recorded)?))
    }

    #[cfg(not(feature = "lance"))]
    fn open(&self, at: &Path) -> Result<Box<dyn EpisodeSource>, DataError> {
        Err(lance::not_built(at))
    }

    #[cfg(not(feature = "lance"))]
    fn create(&self, at: &Path, _: &Recorded) -> Result<Box<dyn EpisodeSink>, DataError> {
        Err(lance::not_built(at))
    }
}
