//! What can be wrong with a checkpoint.

use std::path::{Path, PathBuf};

/// Why a checkpoint cannot be brought in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file or a folder is not what it should be.
    #[error("{path}: {message}")]
    Broken {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// No layout knows it.
    #[error("{path}: not a checkpoint of a known kind: {message}")]
    Unknown {
        /// The file or folder.
        path: PathBuf,
        /// What it says that it is, and what is known.
        message: String,
    },
    /// A key of `config.json` that the model cannot have.
    #[error("{path}: {key} is {value}, but must be {allowed}")]
    Key {
        /// The folder.
        path: PathBuf,
        /// The key.
        key: String,
        /// Its value.
        value: String,
        /// What it can be.
        allowed: String,
    },
    /// A tensor that the model needs is not there.
    #[error("{path}: no tensor `{name}`, which the model needs")]
    Missing {
        /// The file or folder.
        path: PathBuf,
        /// Its name.
        name: String,
    },
    /// A tensor has another shape or kind than the model's.
    #[error("{path}: tensor `{name}`: {message}")]
    Tensor {
        /// The file or folder.
        path: PathBuf,
        /// Its name.
        name: String,
        /// Expected and found.
        message: String,
    },
    /// A file of our own does not hold what it says.
    #[error(transparent)]
    Weights(crate::ModelError),
}

impl ImportError {
    pub(super) fn broken(path: &Path, message: impl Into<String>) -> Self {
        Self::Broken { path: path.to_owned(), message: message.into() }
    }
}
