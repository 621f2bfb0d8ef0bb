//! What can go wrong when a world is made, acted in or recorded.

use std::path::PathBuf;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvError {
    /// The world cannot do what was asked for.
    #[error("world {world} cannot {what}")]
    Unsupported {
        /// The world's name.
        world: String,
        /// What it cannot do, for example `start in a chosen state`.
        what: &'static str,
    },
    /// Something given to a world is none of what it takes.
    #[error("world {world}: {what} is {given}, expected {expected}")]
    Invalid {
        /// The world's name.
        world: String,
        /// What was given: `action`, `state`.
        what: &'static str,
        /// The value.
        given: String,
        /// What the world takes.
        expected: String,
    },
    /// No policy has this name.
    #[error("world {world} has no policy `{name}`: known policies are {known}")]
    UnknownPolicy {
        /// The world's name.
        world: String,
        /// The name that was asked for.
        name: String,
        /// The names that exist, separated by commas.
        known: String,
    },
    /// The world itself failed, for instance because the process behind it ended.
    #[error("world {world}: {source}")]
    Failed {
        /// The world's name.
        world: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An option of a recording has a value outside what is allowed.
    #[error("{key} is {value}, but must be {expected}")]
    InvalidOption {
        /// Name of the option.
        key: &'static str,
        /// The value that was given.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// A policy could not act while episodes were recorded.
    #[error(transparent)]
    Policy(Box<crate::PolicyError>),
    /// The output folder of a recording already holds files.
    #[error("output folder {} is not empty: give a new or an empty folder", .path.display())]
    OutputNotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A file is no list of tasks, or not the one that was frozen.
    #[error("{}: {message}", .path.display())]
    Tasks {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
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
    #[cfg(feature = "record")]
    #[error("writing episodes to {}: {source}", .path.display())]
    Data {
        /// The output folder.
        path: PathBuf,
        /// The error of the episode writer.
        source: prevision_data::DataError,
    },
}

impl EnvError {
    /// Something given to a world that is none of what it takes: `what` was given, and what was expected.
    pub fn invalid(world: &str, what: &'static str, given: impl std::fmt::Debug, expected: impl Into<String>) -> Self {
        Self::Invalid { world: world.to_owned(), what, given: format!("{given:?}"), expected: expected.into() }
    }
}
