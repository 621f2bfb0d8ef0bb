//! What to prepare, and how.

use std::path::PathBuf;

use prevision_core::config::check;

use super::format::Encoding;
use crate::DataError;

/// What to prepare, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct PrepareOptions {
    /// A folder of videos, a manifest, or one video.
    pub source: PathBuf,
    /// The folder to write: new, empty, or begun by the same work.
    pub out: PathBuf,
    /// How the videos are stored.
    pub encoding: Encoding,
    /// The shorter side of every video, pixels; it is rounded up to an even number.
    pub short_side: usize,
    /// With H.264 the rate factor, 0 to 51; with MJPEG the quantiser, 2 to 31. Smaller is better.
    pub quality: u8,
    /// With H.264 the frames from one key frame to the next.
    pub keyframe_interval: usize,
    /// Threads.
    pub workers: usize,
    /// Longest time for opening or reading a piece of a video, seconds.
    pub read_timeout: f64,
}

impl PrepareOptions {
    /// Checks every value.
    ///
    /// # Errors
    /// [`DataError::Config`] with the name of the option, its value and what is allowed.
    pub(super) fn validate(&self) -> Result<(), DataError> {
        let (low, high) = if self.encoding == Encoding::Mjpeg { (2.0, 31.0) } else { (0.0, 51.0) };
        let checked = || {
            check("short_side", self.short_side as f64).within(16.0, 4096.0)?.done()?;
            check("quality", f64::from(self.quality)).within(low, high)?.done()?;
            check("keyframe_interval", self.keyframe_interval as f64).within(1.0, 1000.0)?.done()?;
            check("workers", self.workers as f64).within(1.0, 1024.0)?.done()?;
            check("read_timeout", self.read_timeout).above(0.0)?.at_most(86_400.0, "a day")?.done()
        };
        checked().map_err(DataError::Config)
    }
}
