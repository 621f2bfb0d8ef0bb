//! What can go wrong when a world is made or recorded.

use std::path::PathBuf;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvError {
    /// No world has this name.
    #[error("unknown world `{name}`: known worlds are {known}")]
    UnknownWorld {
        /// The name that was asked for.
        name: String,
        /// The names that exist, separated by commas.
        known: String,
    },
    /// An option has a value outside what is allowed.
    #[error("option `{key}`: got {value}, expected {expected}")]
    InvalidOption {
        /// Name of the option.
        key: &'static str,
        /// The value that was given.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// The output folder of a recording already holds files.
    #[error("output folder {} is not empty: give a new or an empty folder", .path.display())]
    OutputNotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder could not be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Episodes could not be written.
    #[error("writing episodes to {}: {source}", .path.display())]
    Data {
        /// The output folder.
        path: PathBuf,
        /// The error of the episode writer.
        source: prevision_data::DataError,
    },
}
