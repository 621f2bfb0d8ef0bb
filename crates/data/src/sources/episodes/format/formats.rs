//! The formats that are known.

use std::path::Path;
use std::sync::Arc;

use super::folder::FolderFormat;
use super::hdf5::Hdf5Format;
use super::lance::LanceFormat;
use super::lance_video::LanceVideoFormat;
use super::lerobot::LeRobotFormat;
use super::table::TableFormat;
use super::video::VideoFormat;
use super::zarr::ZarrFormat;
use super::{EpisodeFormat, EpisodeSource};
use crate::DataError;

/// Moments of the largest recording that is believed: sums of a few of them do not overflow.
const MOST_MOMENTS: usize = 1 << 56;

/// Formats of recorded episodes, in the order in which they are looked for.
#[derive(Clone, Default)]
pub struct Formats {
    entries: Vec<Arc<dyn EpisodeFormat>>,
}

impl Formats {
    /// The built-in ones.
    pub fn built_in() -> Self {
        Self::default()
            .with(VideoFormat)
            .with(LeRobotFormat)
            .with(Hdf5Format)
            .with(FolderFormat)
            .with(ZarrFormat)
            .with(TableFormat)
            .with(LanceVideoFormat)
            .with(LanceFormat)
    }

    /// With a format more, which is looked for last. A name that is taken is taken over, in its place.
    #[must_use]
    pub fn with(mut self, format: impl EpisodeFormat + 'static) -> Self {
        let format: Arc<dyn EpisodeFormat> = Arc::new(format);
        match self.entries.iter_mut().find(|known| known.name() == format.name()) {
            Some(known) => *known = format,
            None => self.entries.push(format),
        }
        self
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|format| format.name())
    }

    /// The format that is found at a place, if one is.
    pub fn detect(&self, at: &Path) -> Option<String> {
        self.entries.iter().find(|format| format.detect(at)).map(|format| format.name().to_owned())
    }

    /// Opens a recording: in the format of this name, or in the first one that is found there.
    ///
    /// # Errors
    /// If there is no such format, none is found, or the recording cannot be opened.
    pub fn open(&self, at: &Path, name: Option<&str>) -> Result<Box<dyn EpisodeSource>, DataError> {
        if let Some(name) = name {
            return counted(at, self.named(at, name)?.open(at)?);
        }
        if let Some(format) = self.entries.iter().find(|format| format.detect(at)) {
            return counted(at, format.open(at)?);
        }
        std::fs::metadata(at).map_err(|error| DataError::io(at, error))?;
        Err(DataError::format(at, format!("holds no recorded episodes; formats looked for: {}", self.list())))
    }

    /// The format of this name; `at` is the place that it is wanted for.
    pub(crate) fn named(&self, at: &Path, name: &str) -> Result<&dyn EpisodeFormat, DataError> {
        let found = self.entries.iter().find(|format| format.name() == name);
        found.map(|format| &**format).ok_or_else(|| {
            let message = format!("there is no format `{name}` of recorded episodes; known: {}", self.list());
            DataError::format(at, message)
        })
    }

    fn list(&self) -> String {
        self.names().collect::<Vec<_>>().join(", ")
    }
}

/// A recording whose moments can be counted, whatever its lists claim.
fn counted(at: &Path, source: Box<dyn EpisodeSource>) -> Result<Box<dyn EpisodeSource>, DataError> {
    let mut lengths = (0..source.episodes()).map(|episode| source.length(episode));
    match lengths.try_fold(0_usize, |sum, length| sum.checked_add(length).filter(|sum| *sum <= MOST_MOMENTS)) {
        Some(_) => Ok(source),
        None => Err(DataError::format(at, format!("its episodes have more than {MOST_MOMENTS} moments"))),
    }
}
