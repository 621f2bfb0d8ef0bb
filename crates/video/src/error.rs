//! What can go wrong with a video file.

use std::path::{Path, PathBuf};

use prevision_storage::StorageError;

/// Why a video could not be read or written. Every message names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VideoError {
    /// The file cannot be opened, or its container is not one FFmpeg can read.
    #[error("cannot open {}: {reason}; expected a readable video file", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system or FFmpeg said.
        reason: String,
    },
    /// The file opens, but holds no moving picture.
    #[error("no video stream in {}: expected at least one, found {found}", path.display())]
    NoVideo {
        /// The file.
        path: PathBuf,
        /// What the file holds instead.
        found: String,
    },
    /// There is a video stream, but no decoder for it.
    #[error("cannot decode {}: {reason} (codec {codec})", path.display())]
    Decoder {
        /// The file.
        path: PathBuf,
        /// Name of the codec.
        codec: String,
        /// What FFmpeg said.
        reason: String,
    },
    /// There is a video stream, but not one frame of it can be decoded.
    #[error("no frame of {} can be decoded: {reason}", path.display())]
    NoFrames {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A frame was asked for that the video does not have.
    #[error("{} has {frames} frames (0 to {last}), but frame {index} was asked for", path.display(), last = frames.saturating_sub(1))]
    OutOfRange {
        /// The file.
        path: PathBuf,
        /// The index that was asked for.
        index: usize,
        /// How many frames there are.
        frames: usize,
    },
    /// This one frame is damaged; others may be readable.
    #[error("frame {index} ({seconds:.3} s) of {} cannot be decoded: {reason}", path.display())]
    Frame {
        /// The file.
        path: PathBuf,
        /// The frame.
        index: usize,
        /// Its time, seconds from the first frame.
        seconds: f64,
        /// What was found.
        reason: String,
    },
    /// The pixels cannot be converted or scaled as asked.
    #[error("cannot convert frames of {}: {reason}", path.display())]
    Convert {
        /// The file.
        path: PathBuf,
        /// What was asked for, and what is possible.
        reason: String,
    },
    /// A read from the file took too long.
    #[error("reading {} took longer than {seconds} s", path.display())]
    Timeout {
        /// The file.
        path: PathBuf,
        /// The limit.
        seconds: f64,
    },
    /// The storage that an address leads to failed, or has no such object.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A file cannot be written.
    #[error("cannot write {}: {action}: {reason}", path.display())]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// The step that failed.
        action: &'static str,
        /// What the system or FFmpeg said.
        reason: String,
    },
    /// A writer was given options that no file can have.
    #[error("cannot write {}: {key} is {value}, expected {expected}", path.display())]
    Options {
        /// The file that was to be written.
        path: PathBuf,
        /// The option.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
}

impl VideoError {
    pub(crate) fn open(path: &Path, reason: impl ToString) -> Self {
        Self::Open { path: path.to_owned(), reason: reason.to_string() }
    }

    pub(crate) fn convert(path: &Path, reason: impl ToString) -> Self {
        Self::Convert { path: path.to_owned(), reason: reason.to_string() }
    }

    pub(crate) fn write(path: &Path, action: &'static str, reason: impl ToString) -> Self {
        Self::Write { path: path.to_owned(), action, reason: reason.to_string() }
    }
}
