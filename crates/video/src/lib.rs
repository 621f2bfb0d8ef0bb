//! Frames out of video files and video files out of frames, through FFmpeg.
//!
//! [`Video`] opens a file and gives any of its frames, in any order, as upright 8-bit RGB that was scaled while it was
//! decoded. A frame is always the one asked for: frames are known by the packet that carries them, never by counting from
//! a seek, and whatever cannot be decoded is an error, not another frame. [`Mp4Writer`], [`write_gif`] and [`write_png`]
//! go the other way. Nothing here knows about tensors.
//!
//! ```no_run
//! use prevision_video::{FrameBuffer, FrameSource, OpenOptions, OutputSize, Video};
//! # fn main() -> Result<(), prevision_video::VideoError> {
//! let options = OpenOptions { size: OutputSize::ShortSide(224), ..OpenOptions::default() };
//! let mut video = Video::open("clip.mp4".as_ref(), &options)?;
//! let mut frames = FrameBuffer::default();
//! video.read(&[40, 2, 2], &mut frames)?;
//! assert_eq!(frames.frames, 3);
//! # Ok(()) }
//! ```

#![allow(clippy::doc_markdown, reason = "FFmpeg and NeuQuant are names, not code")]

mod buffer;
mod convert;
mod decode;
mod demux;
mod error;
mod ffi;
mod gif;
mod hidden;
mod index;
mod mp4;
mod orientation;
mod png;
mod probe;
mod size;
mod stream;
mod survey;
mod temporary;
mod video;

pub use buffer::FrameBuffer;
pub use error::VideoError;
pub use gif::write_gif;
pub use mp4::{Mp4Options, Mp4Writer, Quality};
pub use png::write_png;
pub use probe::{VideoInfo, probe};
pub use size::OutputSize;
pub use video::{FrameSource, OpenOptions, Video};

/// Prepares FFmpeg once per process and silences its log: what goes wrong is told through [`VideoError`].
fn initialise() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Quiet);
        // Fills the table of error texts; on FFmpeg 5 and newer there is nothing in it that could fail.
        let _ = ffmpeg_next::init();
    });
}
