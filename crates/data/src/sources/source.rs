//! What every source of clips offers.

use std::path::Path;
use std::sync::Arc;

use prevision_core::config::check::ensure;

use crate::{ClipDataset, DataConfig, DataError, Split};

/// A configured source of clips: `[data.source]`.
pub trait Source: Send + Sync {
    /// The file or folder it reads; of several the first.
    fn path(&self) -> &Path;

    /// Checks the source's own keys, and those of `config` that it has an opinion about; touches no file.
    ///
    /// # Errors
    /// The full key, its value and what is allowed, as one sentence.
    fn validate(&self, config: &DataConfig) -> Result<(), String>;

    /// Opens one side of the data set. Only lists are read: a video is opened when a clip is read from it, except that without
    /// `data.size` the first one that opens tells the size. Both `config` and the source have been validated.
    ///
    /// # Errors
    /// If something of the source is missing or empty, or this side of the split has no video.
    fn open(&self, config: &DataConfig, split: Split, seed: u64) -> Result<Arc<dyn ClipDataset>, DataError>;
}

/// Checks that a path is given.
pub(super) fn check_path(path: &Path) -> Result<(), String> {
    ensure(!path.as_os_str().is_empty(), "data.source.path", "empty", "a file or folder")
}

/// Checks that no rate is asked of a source that counts in steps.
pub(super) fn check_no_rate(config: &DataConfig) -> Result<(), String> {
    let rate = config.frames_per_second;
    let allowed = "unset: this source counts in steps and has no clock; use data.frame_step";
    ensure(rate.is_none(), "data.frames_per_second", rate.unwrap_or_default(), allowed)
}
