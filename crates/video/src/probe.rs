//! What is in a video file.

use std::path::{Path, PathBuf};

use ffmpeg_next::codec::packet::side_data;
use ffmpeg_next::color;
use serde::{Deserialize, Serialize};

use crate::decode::Decoder;
use crate::demux::Demuxer;
use crate::index::FrameIndex;
use crate::size::display_size;
use crate::{OpenOptions, Video, VideoError, ffi};
use prevision_core::frames::Orientation;

/// What a video file says of itself, and what was found by reading it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VideoInfo {
    /// The file.
    #[serde(with = "prevision_storage::path_text")]
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
    /// Whether the first frame is stored as two fields.
    pub interlaced: bool,
    /// What is wrong with the file though it can be read.
    pub problem: Option<String>,
    /// How many things were found wrong while the index was made: damaged packets, frames that had to be left out, and the
    /// `problem`. A file that is well so far may still hold damaged frames, which are found when they are decoded.
    pub warnings: usize,
}

/// Reads a file's headers and packets and decodes its first frame (or all of them, where the container does not number them).
///
/// # Errors
/// When the file cannot be opened, has no video stream, or not one frame of it can be decoded.
pub fn probe(path: &Path) -> Result<VideoInfo, VideoError> {
    Ok(Video::open(path, &OpenOptions::default())?.info().clone())
}

/// How the stored picture lies, from the container's display matrix.
pub(crate) fn orientation(demuxer: &mut Demuxer) -> Orientation {
    let stream = demuxer.stream();
    demuxer.input().stream(stream).map_or(Orientation::UPRIGHT, |stream| {
        stream
            .side_data()
            .find(|data| data.kind() == side_data::Type::DisplayMatrix)
            .map_or(Orientation::UPRIGHT, |data| Orientation::from_matrix(data.data()))
    })
}

/// What is known of the file, with the decoder at its first frame.
pub(crate) fn describe(
    demuxer: &mut Demuxer,
    decoder: &mut Decoder,
    index: &FrameIndex,
    orientation: Orientation,
) -> VideoInfo {
    let stream = demuxer.stream();
    let frame = decoder.frame();
    let stored = (frame.width() as usize, frame.height() as usize);
    let aspect = ffi::pixel_aspect(demuxer.input(), stream, frame);
    let (width, height) = orientation.apply_to_size(stored);
    let (display_width, display_height) = orientation.apply_to_size(display_size(stored, aspect));
    let times = index.times();
    let span = times.last().copied().unwrap_or(0.0);
    let average = (span > 0.0).then(|| (times.len() - 1) as f64 / span);
    // Containers that count milliseconds blur the rate.
    let nominal = demuxer.nominal_rate();
    let frame_rate = match (average, nominal) {
        (Some(average), Some(nominal)) if (average / nominal - 1.0).abs() < 5e-3 => Some(nominal),
        (average, nominal) => average.or(nominal),
    };
    let last_packet = demuxer.records().iter().filter(|record| record.shown).max_by_key(|record| record.presentation);
    let last_frame = last_packet
        .filter(|record| record.duration > 0)
        .map(|record| record.duration as f64 * f64::from(demuxer.time_base()))
        .or(frame_rate.map(|rate| 1.0 / rate));
    let lasts = last_frame.map(|last| span + last);
    let problem = demuxer.problem().map(str::to_owned).or_else(|| ends_early(demuxer, lasts?));
    VideoInfo {
        path: demuxer.path().to_owned(),
        container: demuxer.container(),
        codec: demuxer.codec().name().to_owned(),
        pixel_format: frame
            .format()
            .descriptor()
            .map_or_else(|| "unknown".to_owned(), |format| format.name().to_owned()),
        color_space: frame.color_space().name().map(str::to_owned),
        full_range: match frame.color_range() {
            color::Range::JPEG => Some(true),
            color::Range::MPEG => Some(false),
            color::Range::Unspecified => None,
        },
        width,
        height,
        display_width,
        display_height,
        pixel_aspect: (aspect.0 > 0 && aspect.1 > 0).then(|| f64::from(aspect.0) / f64::from(aspect.1)),
        rotation: orientation.clockwise_degrees(),
        mirrored: orientation.is_mirrored(),
        frames: Some(index.len()),
        duration: lasts,
        frame_rate,
        key_frames: demuxer.records().iter().filter(|record| record.key).count(),
        interlaced: frame.is_interlaced(),
        warnings: demuxer.records().iter().filter(|record| record.corrupt).count()
            + demuxer.records().iter().take_while(|record| !record.key).count()
            + index.damaged()
            + usize::from(problem.is_some()),
        problem,
    }
}

/// Says so when the frames of a container with nothing else in it end long before it says they do.
fn ends_early(demuxer: &mut Demuxer, lasts: f64) -> Option<String> {
    let container = demuxer.container();
    if !container.starts_with("matroska") && !container.starts_with("mov,") {
        return None;
    }
    let told = ffi::lone_stream_duration(demuxer.input())?;
    (lasts < 0.75 * told)
        .then(|| format!("the container says it lasts {told:.2} s, but its frames end at {lasts:.2} s"))
}
