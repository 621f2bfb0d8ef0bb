//! What can fail while planning.

use std::path::PathBuf;

/// An error of planning or of a closed-loop evaluation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A value of the `plan` section is out of range.
    #[error("{0}")]
    Config(String),
    /// A value of the `plan` section does not fit the model, the environment or another value.
    #[error("{key} is {value}: {expected}")]
    Unfit {
        /// The configuration key, such as `plan.cost`.
        key: &'static str,
        /// The value given.
        value: String,
        /// What is missing or allowed.
        expected: String,
    },
    /// The environment could not be made or reset.
    #[error("environment {name:?}: {source}")]
    Environment {
        /// The environment's name.
        name: String,
        /// The cause.
        source: Box<prevision_env::EnvError>,
    },
    /// A film of an episode could not be written.
    #[error("film {}: {source}", path.display())]
    Film {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: prevision_video::VideoError,
    },
    /// The folder for films could not be made.
    #[error("folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// No trial is left, so there is no rate to report.
    #[error("all {episodes} episodes of {environment:?} are solved at the start, so there is nothing to measure")]
    AllSolvedAtStart {
        /// The environment's name.
        environment: String,
        /// How many episodes were drawn.
        episodes: usize,
    },
}
