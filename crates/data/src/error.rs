//! What can go wrong with data.

use std::path::PathBuf;

use prevision_storage::StorageError;
use prevision_video::VideoError;

use crate::{SkipReason, SkippedFile};

/// An error of this crate. The message names the file or key, what was found and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A configuration value is out of range, or two of them contradict each other.
    #[error("{0}")]
    Config(String),
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is there, but its content is not what its place demands.
    #[error("{}: {message}", path.display())]
    Format {
        /// The file or folder.
        path: PathBuf,
        /// What was found and what was expected.
        message: String,
    },
    /// A line of a manifest cannot be used.
    #[error("{}, line {line}: {message}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// Nothing to take clips from.
    #[error("{}: {message}", path.display())]
    Empty {
        /// The folder or manifest.
        path: PathBuf,
        /// What was looked for.
        message: String,
    },
    /// A video could not be opened, decoded or written.
    #[error(transparent)]
    Video(#[from] VideoError),
    /// The storage that an address leads to failed, or has no such object.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// This video cannot give a clip. The loader replaces it, an evaluation leaves it out.
    #[error("{0}")]
    Skipped(SkippedFile),
    /// Too large a share of the videos is broken, or none can be used.
    #[error("{}:{}", too_many(skipped, *videos, *allowed), crate::skipped::lines(skipped))]
    TooManyBroken {
        /// The videos that cannot be used.
        skipped: Vec<SkippedFile>,
        /// Number of videos in this part of the data set.
        videos: usize,
        /// The configured share.
        allowed: f64,
    },
    /// A worker thread of the loader panicked.
    #[error("a loader worker panicked while reading clip {clip}: {message}")]
    Worker {
        /// Number of the clip since the start of training.
        clip: u64,
        /// The panic's message.
        message: String,
    },
    /// The loader was asked for a batch after it had reported an error.
    #[error("the loader has stopped after an earlier error")]
    Stopped,
}

fn too_many(skipped: &[SkippedFile], videos: usize, allowed: f64) -> String {
    if skipped.len() >= videos {
        return if videos == 1 {
            "its one video cannot be used".to_owned()
        } else {
            format!("none of {videos} videos can be used")
        };
    }
    let short = skipped.iter().filter(|file| matches!(file.reason, SkipReason::TooShort { .. })).count();
    let broken = skipped.len() - short;
    format!("{broken} of {videos} videos are broken, more than data.max_broken_fraction = {allowed} allows")
}

impl DataError {
    /// A file could not be read or written.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    /// The same of a file or folder that is to have another name: in place of what is below `from`, that below `to` is named.
    pub(crate) fn renamed(mut self, from: &std::path::Path, to: &std::path::Path) -> Self {
        if let Self::Io { path, .. } | Self::Format { path, .. } = &mut self
            && let Ok(rest) = path.strip_prefix(from)
        {
            *path = if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) };
        }
        self
    }

    /// A file is not what it should be.
    pub fn format(path: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self::Format { path: path.into(), message: message.into() }
    }
}
