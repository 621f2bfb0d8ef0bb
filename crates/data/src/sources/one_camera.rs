//! Clips of a single camera without actions: video files and synthetic video.

use std::collections::BTreeMap;

use prevision_core::frames::FrameBuffer;
use prevision_core::{Camera, Clip, ClipSource, Observations, Spaces};

use crate::pixels::Transform;
use crate::{ClipRequest, DataConfig, DataError, SkippedFile};

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

/// Frames of a synthetic video.
pub(super) struct Drawn {
    /// As they were drawn, before the transform.
    pub(super) frames: FrameBuffer,
    /// Where they are from. `start` counts frames of the video.
    pub(super) source: ClipSource,
    /// The class of the video.
    pub(super) label: Option<i64>,
}

/// The clip of frames that were drawn. Its times count frames of the video.
///
/// # Errors
/// If the transform cannot be applied.
pub(super) fn clip(
    Drawn { frames, source, label }: Drawn,
    transform: &Transform,
    request: &ClipRequest,
    spaces: &Spaces,
    size: (usize, usize),
) -> Result<Clip, DataError> {
    let seen = transform.apply(frames, request, size);
    let seen = seen.map_err(|reason| DataError::Skipped(SkippedFile { path: source.path.clone(), reason }))?;
    Ok(Clip {
        observations: Observations::of_camera(PIXELS, seen),
        times: (0..spaces.frames).map(|frame| (source.start + frame * spaces.frame_step) as f64).collect(),
        actions: None,
        state: None,
        label,
        source,
    })
}
