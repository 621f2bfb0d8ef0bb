//! What is in a video file.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{OpenOptions, Video, VideoError};

/// What a video file says of itself, and what was found by reading it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct VideoInfo {
    /// The file.
    pub path: PathBuf,
    /// Short names of its container, as FFmpeg has them ("mov,mp4,m4a,3gp,3g2,mj2").
    pub container: String,
    /// Name of its codec ("h264").
    pub codec: String,
    /// Layout of the decoded samples ("yuv420p").
    pub pixel_format: String,
    /// Colour matrix the frames are tagged with, if any ("bt709").
    pub color_space: Option<String>,
    /// Whether samples use the full range 0 to 255; `None` when the frames do not say.
    pub full_range: Option<bool>,
    /// Columns of the upright picture, in stored pixels.
    pub width: usize,
    /// Rows of the upright picture, in stored pixels.
    pub height: usize,
    /// Columns on a screen with square pixels.
    pub display_width: usize,
    /// Rows on a screen with square pixels.
    pub display_height: usize,
    /// Width of a stored pixel over its height; `None` when the file does not say.
    pub pixel_aspect: Option<f64>,
    /// Degrees clockwise by which the stored picture is turned to be upright.
    pub rotation: u32,
    /// Whether the stored picture is mirrored, before it is turned.
    pub mirrored: bool,
    /// Number of frames that are shown.
    pub frames: Option<usize>,
    /// Seconds from the beginning of the first frame to the end of the last.
    pub duration: Option<f64>,
    /// Frames per second on average.
    pub frame_rate: Option<f64>,
    /// Number of key frames, where decoding can start.
    pub key_frames: usize,
    /// Whether some frames are stored as two fields.
    pub interlaced: bool,
    /// What is wrong with the file though it can be read.
    pub problem: Option<String>,
}

/// Reads a file's headers and packets and decodes its first frame (or all of them, where the container does not number them).
///
/// # Errors
/// When the file cannot be opened, has no video stream, or not one frame of it can be decoded.
pub fn probe(path: &Path) -> Result<VideoInfo, VideoError> {
    Ok(Video::open(path, &OpenOptions::default())?.info().clone())
}
