//! What the tests share.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::Path;
use std::sync::Arc;

use prevision_core::config::Part;
use prevision_core::{Clip, FrameBuffer};
use prevision_data::{ClipDataset, DataConfig, DataError, Formats, PIXELS, Split, built_in, open};

/// A source of this kind at a path.
pub(crate) fn source(kind: &str, path: &Path) -> Part {
    Part::new(kind).with("path", path.to_str().unwrap())
}

/// One side of a data set of a built-in source.
pub(crate) fn open_side(config: &DataConfig, split: Split, seed: u64) -> Result<Arc<dyn ClipDataset>, DataError> {
    let source = config.source(&built_in(), &Formats::built_in()).unwrap();
    open(config, source.as_ref(), split, seed)
}

/// The frames of a clip of a single camera.
pub(crate) fn frames(clip: &Clip) -> &FrameBuffer {
    &clip.observations.cameras[PIXELS]
}

/// The bytes of the frames of a clip of a single camera.
pub(crate) fn bytes(mut clip: Clip) -> Vec<u8> {
    clip.observations.cameras.remove(PIXELS).unwrap().data
}
