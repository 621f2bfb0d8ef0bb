//! One video to be prepared.

use std::sync::Arc;

use prevision_video::VideoIndex;

use crate::files::VideoEntry;

/// One video to be prepared.
pub(super) struct Job {
    /// Its place in the list of sources.
    pub(super) number: usize,
    pub(super) source: VideoEntry,
    pub(super) index: Arc<VideoIndex>,
    /// Columns and rows of the prepared frames.
    pub(super) size: (usize, usize),
    pub(super) shard: usize,
    /// First byte in a shard of raw frames.
    pub(super) offset: u64,
}
