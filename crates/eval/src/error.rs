//! What can go wrong in an evaluation or a report.

use std::path::PathBuf;

use prevision_data::DataError;

/// An error of this crate. The message names the file or key, what was found and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// The held-out or training clips could not be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The configuration or the clips do not fit the model.
    #[error("{0}")]
    Config(String),
    /// A suite cannot measure what it saw.
    #[error("{0}")]
    Suite(String),
    /// There is nothing to measure on.
    #[error("usable {side} clips: {clips}, expected at least {least}")]
    TooFewClips {
        /// `held-out` or `training`.
        side: &'static str,
        /// How many there are.
        clips: usize,
        /// How many are needed.
        least: usize,
    },
    /// Latents could not be read from the device.
    #[error("reading latents from the device failed: {0}")]
    Device(String),
    /// A latent is not a number: the model has diverged.
    #[error("{what} hold values that are not finite: the model has diverged")]
    NotFinite {
        /// Which latents.
        what: &'static str,
    },
    /// A file of a run folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of a run folder is there, but is not what its name says.
    #[error("{}: expected {expected}: {source}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What the parser said.
        source: serde_json::Error,
    },
}
