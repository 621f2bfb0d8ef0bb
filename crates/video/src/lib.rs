//! Frames out of video files and video files out of frames, through FFmpeg.
//!
//! [`Video`] opens a file and gives any of its frames, in any order, as upright 8-bit RGB: whole, or a window of them that is
//! cut out and scaled in one pass. A frame is always the one asked for: frames are known by the packet that carries them, never by counting from
//! a seek, and whatever cannot be decoded is an error, not another frame. [`Mp4Writer`], [`write_gif`] and [`write_png`]
//! go the other way. Nothing here knows about tensors.
//!
//! A path may also be an address in object storage (`s3://bucket/key`), with the cargo feature `object-store`: see
//! [`prevision_storage`]. Only the ranges that are needed are read then.
//!
//! ```no_run
//! use prevision_core::frames::{FrameBuffer, Window};
//! use prevision_video::{FrameSource, OpenOptions, Video};
//! # fn main() -> Result<(), prevision_video::VideoError> {
//! let mut video = Video::open("clip.mp4".as_ref(), &OpenOptions::default())?;
//! let mut frames = FrameBuffer::default();
//! video.read(&[40, 2, 2], &mut frames)?;
//! assert_eq!(frames.frames, 3);
//! let (width, height) = video.size();
//! let mut small = FrameBuffer::new(2, 96, 128);
//! video.read_window(&[40, 44], &Window::whole(width, height), false, &mut small)?;
//! # Ok(()) }
//! ```

#![allow(clippy::doc_markdown, reason = "FFmpeg and NeuQuant are names, not code")]

mod bitstream;
mod convert;
mod decode;
mod demux;
mod error;
mod ffi;
mod file_index;
mod gif;
mod index;
mod integrity;
mod log;
mod mp4;
mod packets;
mod planes;
mod png;
mod probe;
mod size;
mod source;
mod stream;
mod survey;
mod temporary;
mod video;

pub use error::VideoError;
pub use file_index::VideoIndex;
pub use gif::write_gif;
pub use mp4::{Mp4Options, Mp4Writer, Quality};
pub use png::write_png;
pub use probe::{VideoInfo, probe};
pub use video::{ClipRead, FrameSource, OpenOptions, Video};

/// The version of FFmpeg's decoders, as FFmpeg counts it: an index made with another one need not fit.
pub fn decoder_version() -> u32 {
    ffmpeg_next::codec::version()
}

/// Prepares FFmpeg once per process and silences its log: what goes wrong is told through [`VideoError`].
fn initialise() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Quiet);
        ffi::listen();
        // Fills the table of error texts; on FFmpeg 5 and newer there is nothing in it that could fail.
        let _ = ffmpeg_next::init();
    });
}
