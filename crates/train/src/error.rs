//! What can go wrong in training.

use std::path::{Path, PathBuf};

use prevision_data::DataError;
use prevision_model::ModelError;

use crate::TeamError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The configuration does not fit the data, or a part of it another.
    #[error("{0}")]
    Experiment(String),
    /// A file could not be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file could not be written, for example since the disk is full.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is there, but its content is not what its place demands.
    #[error("{}: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        message: String,
    },
    /// A new run would overwrite an old one.
    #[error("{}: exists and is not empty, but a new run needs a folder of its own", path.display())]
    RunExists {
        /// The run folder.
        path: PathBuf,
    },
    /// Another process trains in the run folder.
    #[error("{}: another process trains in this run folder; wait for its end, or choose another folder", path.display())]
    RunInUse {
        /// The run folder.
        path: PathBuf,
    },
    /// There is no such run.
    #[error("{}: is not a run folder: {message}", path.display())]
    NoRun {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        message: String,
    },
    /// A run cannot go on with another experiment.
    #[error("{}: cannot resume with another `{key}`: the run has {old}, the experiment {new}", path.display())]
    Resume {
        /// The checkpoint.
        path: PathBuf,
        /// The first key that differs.
        key: String,
        /// Its value in the checkpoint.
        old: String,
        /// Its value now.
        new: String,
    },
    /// A loss, or the norm of the gradients, is not a number.
    #[error(
        "step {step}: {term} is {value}; training stopped. {}",
        checkpoint.as_ref().map_or_else(|| "There is no checkpoint yet".to_owned(), |path| format!("The last good checkpoint is {}", path.display()))
    )]
    NotFinite {
        /// The optimiser step, counted from 1.
        step: u64,
        /// Name of the first term that is not finite.
        term: String,
        /// NaN or infinite.
        value: f32,
        /// The newest checkpoint.
        checkpoint: Option<PathBuf>,
    },
    /// The processes that train together lost each other.
    #[error(transparent)]
    Team(#[from] TeamError),
    /// The device failed.
    #[error("the device failed: {0}")]
    Device(String),
    /// The data failed.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Weights could not be read or written.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl TrainError {
    pub(crate) fn read(path: &Path, source: std::io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path, source: std::io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    pub(crate) fn format(path: &Path, message: impl ToString) -> Self {
        Self::Format { path: path.to_owned(), message: message.to_string() }
    }
}
