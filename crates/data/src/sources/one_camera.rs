//! Clips of a single camera without actions: video files and synthetic video.

use std::collections::BTreeMap;

use prevision_core::{Camera, Spaces};

use crate::DataConfig;

/// The name of the camera where it has none of its own.
pub const PIXELS: &str = "pixels";

/// The streams of the clips. `size` is width and height.
pub(super) fn spaces(config: &DataConfig, (width, height): (usize, usize)) -> Spaces {
    Spaces {
        frames: config.frames,
        frame_step: config.frame_step,
        cameras: BTreeMap::from([(PIXELS.to_owned(), Camera { height, width })]),
        ..Spaces::default()
    }
}
