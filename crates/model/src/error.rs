//! What can fail in this crate: files and configurations. Shape mistakes are bugs and panic.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A weight file could not be read or written.
    #[error("{path}: cannot {action} weights: {message}")]
    Store {
        /// The weight file.
        path: PathBuf,
        /// `read` or `write`.
        action: &'static str,
        /// What the store said.
        message: String,
    },
    /// A weight file lacks tensors of the model.
    #[error("{path}: no tensor `{first}` that the model needs ({missing} of {expected} missing)")]
    MissingTensor {
        /// The weight file.
        path: PathBuf,
        /// The first missing name in sorted order.
        first: String,
        /// How many are missing.
        missing: usize,
        /// How many the model has.
        expected: usize,
    },
    /// A weight file holds tensors that the model does not have.
    #[error("{path}: tensor `{first}` is not part of the model ({unexpected} unexpected)")]
    UnexpectedTensor {
        /// The weight file.
        path: PathBuf,
        /// The first unexpected name in sorted order.
        first: String,
        /// How many are unexpected.
        unexpected: usize,
    },
    /// A tensor has another shape or element type than the model's.
    #[error("{path}: tensor `{name}`: {message}")]
    Tensor {
        /// The weight file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// Expected and found.
        message: String,
    },
}
